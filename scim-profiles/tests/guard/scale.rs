//! What a change costs with guards, in a group of ten and in one of a hundred thousand.

use std::sync::Arc;

use jiff::Timestamp;
use scim_core::patch::{Change, Delta};
use scim_core::schema::Registry;
use scim_core::store::{Scope, Store as _, Update};
use scim_core::{MemoryStore, Object, Resource, ResourceId, Value};
use scim_profiles::guard::{GuardedStore, MemoryLedger, Protected};

use crate::server::{ceiling, guards, tenant};

/// Bytes that it takes to take ten members, one after the other, out of a group of so many.
fn bytes_for_ten_of(members: usize) -> u64 {
    let all = guards(ceiling().with_count(1000).with_share(100, 5).unwrap())
        .with_protected(Protected::new().with_group("Staff").with_user("nobody"));
    let store =
        GuardedStore::new(MemoryStore::new(), all, MemoryLedger::new(), Arc::new(|| Timestamp::UNIX_EPOCH));
    let (registry, tenant) = (Registry::standard(), tenant());
    let scope = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut group = Object::from_iter([("id", "g"), ("displayName", "Staff")]);
    let member = |number: usize| Value::Object(Object::from_iter([("value", format!("user-{number}"))]));
    group.insert("members", (0..members).map(member).collect::<Vec<_>>());
    group.insert("meta", Object::from_iter([("version", "W/\"1\"")]));
    runtime.block_on(store.create(scope, &Resource(group), &[])).unwrap();
    let id = ResourceId::new("g");
    let used = allocation_counter::measure(|| {
        for number in 0..10 {
            let delta = Delta {
                attribute: "members".into(),
                removed: vec![format!("user-{number}").into()],
                ..Delta::default()
            };
            let change = Change { writes: Vec::new(), deltas: vec![delta] };
            let update = Update {
                change: &change,
                unique: None,
                last_modified: "2026-01-01T00:00:00Z",
                members: None,
            };
            runtime.block_on(store.apply(scope, &id, &update, None)).unwrap();
        }
    });
    used.bytes_total
}

#[test]
fn a_member_of_many_costs_what_one_of_few_does() {
    let (few, many) = (bytes_for_ten_of(100), bytes_for_ten_of(100_000));
    assert!(many < 2 * few + 20_000, "{few} bytes in a group of 100, {many} in one of 100000");
}
