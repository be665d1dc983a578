//! [`MemoryStore`] keeps the contract of a [`Store`](scim_core::Store), and what it promises besides.

#![expect(clippy::panic, reason = "a test")]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use scim_core::patch::{Change, Delta, Write};
use scim_core::projection::Projection;
use scim_core::query::Query;
use scim_core::schema::Registry;
use scim_core::sort::Sort;
use scim_core::store::{Applied, Deletion, Scope, StoreError, Update, evaluate};
use scim_core::validate::unique_keys;
use scim_core::{MemoryStore, Resource, ResourceId, Store, TenantId, Value, Version};
use scim_filter::Filter;
use serde_json::json;

mod contract {
    use scim_core::MemoryStore;

    async fn new_store() -> MemoryStore {
        MemoryStore::new()
    }

    scim_core::store_contract!(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        new_store,
        |task| {
            let handle = tokio::spawn(task);
            Box::pin(async { handle.await.unwrap() })
        }
    );
}

#[test]
fn clones_share_their_resources_and_nothing_waits() {
    let (registry, tenant) = (Registry::standard(), TenantId::new("acme"));
    let scope = Scope { tenant: &tenant, schema: registry.by_name("User").unwrap() };
    let store = MemoryStore::new();
    assert!(store.is_empty());
    let Value::Object(user) = json!({"id": "1", "userName": "ann"}).into() else { panic!("an object") };
    let user = Resource(user);
    let keys = unique_keys(scope.schema, &user);
    ready(store.clone().create(scope, &user, &keys)).unwrap();
    assert_eq!(store.len(), 1);
    assert_eq!(format!("{store:?}"), "MemoryStore { len: 1 }");
    let deletion = Deletion {
        expected: None,
        groups: &[],
        last_modified: "2026-01-01T00:00:00Z",
        left: None,
        members: None,
    };
    ready(store.delete(scope, &ResourceId::new("1"), &deletion)).unwrap();
    assert!(store.is_empty());
}

/// A resource without `id` is a mistake of the caller that no client hears of.
#[test]
fn a_resource_without_id_is_refused() {
    let (registry, tenant) = (Registry::standard(), TenantId::new("acme"));
    let scope = Scope { tenant: &tenant, schema: registry.by_name("User").unwrap() };
    let created = ready(MemoryStore::new().create(scope, &Resource::default(), &[]));
    assert!(matches!(created, Err(StoreError::Internal(_))));
}

/// Members are kept apart from their group, and no list tells: it is what the evaluator makes of
/// whole resources, whatever a filter or a sort looks at.
#[test]
fn a_list_of_groups_is_what_the_evaluator_makes_of_whole_ones() {
    let (registry, tenant) = (Registry::standard(), TenantId::new("acme"));
    let scope = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
    let store = MemoryStore::new();
    let user = |id: &str| json!({"value": id, "type": "User", "display": format!("Member {id}")});
    let groups = [
        ("none", json!(null)),
        ("empty", json!([])),
        ("ann", json!([user("ann")])),
        ("both", json!([user("bob"), user("ann")])),
        ("twice", json!([user("ann"), {"value": "ann", "type": "Group"}])),
        ("group", json!([{"value": "both", "type": "Group"}])),
        ("unkeyed", json!([{"display": "Member ann"}, user("Ann")])),
    ];
    let groups = groups.map(|(id, members)| {
        let group = json!({"id": id, "displayName": format!("Group {id}"), "members": members,
            "meta": {"version": "W/\"1\""}});
        let Value::Object(mut group) = group.into() else { panic!("an object") };
        group.retain(|_, value| *value != Value::Null);
        Resource(group)
    });
    for group in &groups {
        ready(store.create(scope, group, &unique_keys(scope.schema, group))).unwrap();
        let read = ready(store.read(scope, &group.id().unwrap(), &Projection::default())).unwrap();
        assert_eq!(read.as_ref(), Some(group));
    }
    let filters = [
        "members eq \"ann\"",
        "members.value eq \"ann\" and members.value eq \"bob\"",
        "not (members.value eq \"ann\")",
        "members.value ne \"ann\"",
        "members.value eq \"bob\" or displayName sw \"Group e\"",
        "members[value eq \"ann\"]",
        "members[value eq \"ann\" and type eq \"Group\"]",
        "members[type eq \"User\" and (value eq \"bob\" or value eq \"both\")]",
        "members[value eq \"both\" or type eq \"User\"]",
        "not (members[value eq \"ann\" and not (type eq \"User\")])",
        "members pr",
        "not (members.type pr)",
        "members.value sw \"a\"",
        "members.display co \"bob\"",
        "members[display ew \"ann\"]",
        "id eq \"twice\" and members eq \"ann\"",
        "id eq \"group\" and members eq \"ann\"",
        "displayName eq \"Group both\"",
    ];
    for filter in filters {
        for sort_by in [None, Some("displayName"), Some("members.value")] {
            for leave_out in [None, Some("members")] {
                let filter = Filter::parse(filter).unwrap();
                let query = Query {
                    filter: Some(filter.bind(scope.schema, &Default::default()).unwrap()),
                    sort: Sort::parse(scope.schema, sort_by, None).unwrap(),
                    count: 100,
                    projection: leave_out.map(Projection::without).unwrap_or_default(),
                    ..Query::default()
                };
                let expected = evaluate(scope.schema, &query, &groups);
                let page = ready(store.query(scope, &query)).unwrap();
                assert_eq!(page.resources, expected.resources, "{filter} by {sort_by:?}");
                assert_eq!(page.total, expected.total, "{filter} by {sort_by:?}");
            }
        }
    }
}

/// A change that writes members as a whole, which plans never do, is applied all the same.
#[test]
fn members_written_as_an_attribute_are_the_members() {
    let (registry, tenant) = (Registry::standard(), TenantId::new("acme"));
    let scope = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
    let store = MemoryStore::new();
    let group = |members: serde_json::Value, version: &str| {
        let group = json!({"id": "g", "members": members,
            "meta": {"version": version, "lastModified": "2026-02-02T02:02:02Z"}});
        let Value::Object(group) = group.into() else { panic!("an object") };
        Resource(group)
    };
    ready(store.create(scope, &group(json!([{"value": "1"}]), "W/\"1\""), &[])).unwrap();
    let members = json!([{"value": "2"}]);
    let write = Write { extension: None, attribute: "members".into(), value: Some(members.clone().into()) };
    let added = [Value::from(json!({"value": "3"})), json!({"value": "2"}).into()].into();
    let delta = Delta { attribute: "members".into(), added, ..Delta::default() };
    let change = Change { writes: vec![write], deltas: vec![delta] };
    let update =
        Update { change: &change, unique: Some(&[]), last_modified: "2026-02-02T02:02:02Z", members: None };
    let id = ResourceId::new("g");
    let applied = ready(store.apply(scope, &id, &update, Some(Version(1)))).unwrap();
    assert_eq!(applied, Applied::Changed(Version(2)));
    let read = ready(store.read(scope, &id, &Projection::default())).unwrap();
    assert_eq!(read, Some(group(json!([{"value": "2"}, {"value": "3"}]), "W/\"2\"")));
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a store in memory waits for nothing"),
    }
}
