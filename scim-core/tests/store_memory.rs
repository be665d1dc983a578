//! What [`MemoryStore`] promises as a [`Store`].

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use scim_core::patch::{Change, Delta, Write};
use scim_core::projection::Projection;
use scim_core::query::{Query, Start};
use scim_core::schema::{Registry, ResourceSchema};
use scim_core::store::{Applied, Scope, StoreError, Update, evaluate, project};
use scim_core::validate::{UniqueKey, unique_keys};
use scim_core::{MemoryStore, Resource, ResourceId, Store, TenantId, Value, Version};
use scim_filter::{BindOptions, Filter};
use serde_json::json;

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a store in memory waits for nothing"),
    }
}

/// A store, and the scope of its users and groups for one tenant.
struct Fixture {
    store: MemoryStore,
    registry: Registry,
    tenant: TenantId,
}

impl Fixture {
    fn new() -> Self {
        Self { store: MemoryStore::new(), registry: Registry::standard(), tenant: TenantId::new("acme") }
    }

    fn scope(&self, name: &str) -> Scope<'_> {
        Scope { tenant: &self.tenant, schema: self.registry.by_name(name).unwrap() }
    }

    fn users(&self) -> Scope<'_> {
        self.scope("User")
    }

    fn create(&self, id: &str, name: &str) -> Result<(), StoreError> {
        let user = user(id, name, 1);
        ready(self.store.create(self.users(), &user, &unique_keys(self.users().schema, &user)))
    }

    fn replace(&self, user: &Resource, expected: u64) -> Result<(), StoreError> {
        let unique = unique_keys(self.users().schema, user);
        ready(self.store.replace(self.users(), user, &unique, Version(expected)))
    }

    fn read(&self, id: &str) -> Option<Resource> {
        ready(self.store.read(self.users(), &ResourceId::new(id), &Projection::default())).unwrap()
    }

    fn ids(&self, filter: Option<&str>) -> Vec<String> {
        let query = query(self.users().schema, filter, 1, 100);
        let page = ready(self.store.query(self.users(), &query)).unwrap();
        assert_eq!(page.total, Some(page.resources.len()));
        page.resources.iter().map(|user| user.id().unwrap().to_string()).collect()
    }
}

fn query(schema: &ResourceSchema, filter: Option<&str>, start_index: usize, count: usize) -> Query {
    let filter =
        filter.map(|text| Filter::parse(text).unwrap().bind(schema, &BindOptions::default()).unwrap());
    Query { filter, start: Start::Index(start_index), count, ..Query::default() }
}

fn resource(json: serde_json::Value) -> Resource {
    match Value::from(json) {
        Value::Object(object) => Resource(object),
        _ => panic!("not an object"),
    }
}

fn user(id: &str, name: &str, version: u64) -> Resource {
    resource(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": id,
        "userName": name,
        "meta": {"resourceType": "User", "version": format!("W/\"{version}\"")},
    }))
}

#[test]
fn what_is_created_can_be_read_and_deleted() {
    let fixture = Fixture::new();
    fixture.create("1", "ann").unwrap();
    assert_eq!(fixture.read("1"), Some(user("1", "ann", 1)));
    assert_eq!(fixture.read("2"), None);
    assert_eq!(fixture.store.len(), 1);
    let delete = || ready(fixture.store.delete(fixture.users(), &ResourceId::new("1"), None));
    delete().unwrap();
    assert!(matches!(delete(), Err(StoreError::NotFound)));
    assert_eq!(fixture.read("1"), None);
    assert!(fixture.store.is_empty());
}

#[test]
fn clones_share_their_resources() {
    let fixture = Fixture::new();
    let clone = fixture.store.clone();
    fixture.create("1", "ann").unwrap();
    assert_eq!(clone.len(), 1);
}

#[test]
fn a_list_is_in_the_order_of_creation_and_stays_so() {
    let fixture = Fixture::new();
    for (id, name) in [("9", "z"), ("1", "y"), ("5", "x")] {
        fixture.create(id, name).unwrap();
    }
    fixture.replace(&user("9", "zz", 2), 1).unwrap();
    assert_eq!(fixture.ids(None), ["9", "1", "5"]);
    ready(fixture.store.delete(fixture.users(), &ResourceId::new("1"), None)).unwrap();
    fixture.create("1", "y").unwrap();
    assert_eq!(fixture.ids(None), ["9", "5", "1"]);
}

#[test]
fn a_write_on_another_version_changes_nothing() {
    let fixture = Fixture::new();
    fixture.create("1", "ann").unwrap();
    assert!(matches!(fixture.replace(&user("1", "bob", 3), 2), Err(StoreError::VersionMismatch)));
    let delete = ready(fixture.store.delete(fixture.users(), &ResourceId::new("1"), Some(Version(2))));
    assert!(matches!(delete, Err(StoreError::VersionMismatch)));
    assert!(matches!(fixture.replace(&user("2", "bob", 2), 1), Err(StoreError::NotFound)));
    assert_eq!(fixture.read("1"), Some(user("1", "ann", 1)));
    // The name that the refused write asked for is still free, and the old one still taken.
    fixture.create("2", "bob").unwrap();
    assert!(
        matches!(fixture.create("3", "ANN"), Err(StoreError::Conflict { attribute }) if attribute == "userName")
    );
}

#[test]
fn unique_keys_are_had_once_in_a_scope_and_freed() {
    let fixture = Fixture::new();
    fixture.create("1", "ann").unwrap();
    fixture.create("2", "bob").unwrap();
    assert!(
        matches!(fixture.create("1", "cid"), Err(StoreError::Conflict { attribute }) if attribute == "id")
    );
    fixture.create("3", "cid").unwrap();
    assert!(matches!(fixture.replace(&user("2", "Ann", 2), 1), Err(StoreError::Conflict { .. })));
    fixture.replace(&user("1", "ANN", 2), 1).unwrap();
    fixture.replace(&user("1", "dan", 3), 2).unwrap();
    fixture.replace(&user("2", "ann", 2), 1).unwrap();
    ready(fixture.store.delete(fixture.users(), &ResourceId::new("2"), None)).unwrap();
    fixture.create("4", "ann").unwrap();
    // Another type, and another tenant, are other scopes.
    let keys = [UniqueKey { attribute: "userName".into(), value: "ann".into() }];
    ready(fixture.store.create(fixture.scope("Group"), &user("1", "ann", 1), &keys)).unwrap();
    let other = TenantId::new("other");
    let scope = Scope { tenant: &other, schema: fixture.users().schema };
    ready(fixture.store.create(scope, &user("1", "ann", 1), &keys)).unwrap();
    let read = ready(fixture.store.read(scope, &ResourceId::new("4"), &Projection::default())).unwrap();
    assert_eq!(read, None);
}

#[test]
fn a_change_is_applied_and_stamped_once() {
    let fixture = Fixture::new();
    fixture.create("1", "ann").unwrap();
    let change = Change {
        writes: vec![Write { extension: None, attribute: "title".into(), value: Some("Boss".into()) }],
        deltas: Vec::new(),
    };
    let unique = unique_keys(fixture.users().schema, &user("1", "ann", 1));
    let id = ResourceId::new("1");
    let apply = |expected, version| {
        let update = Update {
            change: &change,
            unique: &unique,
            last_modified: "2026-01-01T00:00:00Z",
            version: Version(version),
        };
        ready(fixture.store.apply(fixture.users(), &id, &update, Version(expected)))
    };
    assert!(matches!(apply(7, 8), Err(StoreError::VersionMismatch)));
    assert_eq!(apply(1, 2).unwrap(), Applied::Changed);
    let after = fixture.read("1").unwrap();
    assert_eq!(after.version(), Some(Version(2)));
    assert_eq!(after.get("title"), Some(&"Boss".into()));
    assert_eq!(apply(2, 3).unwrap(), Applied::Unchanged);
    assert_eq!(fixture.read("1"), Some(after));
}

#[test]
fn a_refused_change_leaves_the_resource_and_its_keys_alone() {
    let fixture = Fixture::new();
    fixture.create("1", "ann").unwrap();
    fixture.create("2", "bob").unwrap();
    let change = Change {
        writes: vec![Write { extension: None, attribute: "userName".into(), value: Some("ann".into()) }],
        deltas: Vec::new(),
    };
    let unique = unique_keys(fixture.users().schema, &user("2", "ann", 2));
    let update = Update { change: &change, unique: &unique, last_modified: "", version: Version(2) };
    let applied = ready(fixture.store.apply(fixture.users(), &ResourceId::new("2"), &update, Version(1)));
    assert!(matches!(applied, Err(StoreError::Conflict { .. })));
    assert_eq!(fixture.read("2"), Some(user("2", "bob", 1)));
    assert_eq!(fixture.ids(Some("userName eq \"bob\"")), ["2"]);
}

#[test]
fn a_delta_touches_the_members_it_names() {
    let fixture = Fixture::new();
    let scope = fixture.scope("Group");
    let group = resource(json!({
        "id": "g",
        "members": [{"value": "1"}, {"value": "2"}],
        "meta": {"version": "W/\"1\""},
    }));
    ready(fixture.store.create(scope, &group, &[])).unwrap();
    let id = ResourceId::new("g");
    let mut version = 1;
    let mut apply = |delta: Delta| {
        let change = Change { writes: Vec::new(), deltas: vec![delta] };
        let update =
            Update { change: &change, unique: &[], last_modified: "t", version: Version(version + 1) };
        let applied = ready(fixture.store.apply(scope, &id, &update, Version(version))).unwrap();
        version += u64::from(applied == Applied::Changed);
        let group = ready(fixture.store.read(scope, &id, &Projection::default())).unwrap().unwrap();
        let members: Vec<serde_json::Value> = group
            .get("members")
            .and_then(Value::as_array)
            .unwrap_or_default()
            .iter()
            .cloned()
            .map(Into::into)
            .collect();
        (applied, members)
    };
    let values = |ids: &[&str]| -> Vec<Value> { ids.iter().map(|id| json!({"value": id}).into()).collect() };
    let delta = |removed: &[&str], added: &[&str]| Delta {
        attribute: "members".into(),
        replace: false,
        ignore_case: false,
        removed: removed.iter().map(|id| (*id).into()).collect(),
        added: values(added),
    };
    assert_eq!(
        apply(delta(&[], &["3", "1"])),
        (Applied::Changed, vec![json!({"value": "1"}), json!({"value": "2"}), json!({"value": "3"})])
    );
    assert_eq!(apply(delta(&["9"], &["2"])).0, Applied::Unchanged);
    assert_eq!(apply(delta(&["1", "3"], &[])), (Applied::Changed, vec![json!({"value": "2"})]));
    let replace = Delta { replace: true, ..delta(&[], &["2"]) };
    assert_eq!(apply(replace).0, Applied::Unchanged, "replaced by the same");
    assert_eq!(apply(Delta { replace: true, ..delta(&[], &[]) }), (Applied::Changed, Vec::new()));
}

#[test]
fn reads_carry_what_is_asked_for_and_what_always_is() {
    let fixture = Fixture::new();
    let schema = fixture.users().schema;
    let full = resource(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "1",
        "userName": "ann",
        "title": "Boss",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Tours", "division": "x"},
        "meta": {"resourceType": "User", "version": "W/\"1\""},
    }));
    ready(fixture.store.create(fixture.users(), &full, &[])).unwrap();
    for (attributes, excluded, expected) in [
        (
            None,
            None,
            vec![
                "schemas",
                "id",
                "userName",
                "title",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                "meta",
            ],
        ),
        (Some("title"), None, vec!["schemas", "id", "title", "meta"]),
        (
            Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"),
            None,
            vec!["schemas", "id", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "meta"],
        ),
        (
            None,
            Some("title,meta"),
            vec![
                "schemas",
                "id",
                "userName",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                "meta",
            ],
        ),
    ] {
        let projection = Projection::parse(schema, attributes, excluded).unwrap();
        let read =
            ready(fixture.store.read(fixture.users(), &ResourceId::new("1"), &projection)).unwrap().unwrap();
        let names: BTreeSet<&str> = read.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expected.into_iter().collect(), "{attributes:?} {excluded:?}");
        assert_eq!(project(schema, &full, &projection), read);
    }
}

#[test]
fn a_filter_finds_by_key_what_it_finds_by_looking_at_everyone() {
    let fixture = Fixture::new();
    let schema = fixture.users().schema;
    let all: Vec<Resource> =
        (0..20).map(|index| user(&format!("{index}"), &format!("User{index}"), 1)).collect();
    for user in &all {
        ready(fixture.store.create(fixture.users(), user, &unique_keys(schema, user))).unwrap();
    }
    for filter in [
        None,
        Some("id eq \"7\""),
        Some("ID eq \"77\""),
        Some("userName eq \"uSER7\""),
        Some("userName eq \"user77\""),
        Some("userName eq \"user7\" and id eq \"8\""),
        Some("meta.resourceType eq \"User\" and userName eq \"user7\""),
        Some("userName eq \"user7\" or id eq \"8\""),
        Some("not (userName eq \"user7\")"),
        Some("userName ne \"user7\""),
        Some("userName eq null"),
        Some("userName co \"1\""),
    ] {
        for (start, count) in [(1, 100), (1, 0), (2, 3), (0, 2), (100, 5)] {
            let query = query(schema, filter, start, count);
            let page = ready(fixture.store.query(fixture.users(), &query)).unwrap();
            let naive = evaluate(schema, &query, &all);
            assert_eq!(
                (page.total, page.resources),
                (naive.total, naive.resources),
                "{filter:?} {start} {count}"
            );
        }
    }
}

#[test]
fn what_is_missing_is_told_from_what_is_there() {
    let fixture = Fixture::new();
    fixture.create("1", "ann").unwrap();
    let ids = ["0", "1", "2"].map(ResourceId::new).to_vec();
    let missing = ready(fixture.store.missing(fixture.users(), ids.clone())).unwrap();
    assert_eq!(missing, [ResourceId::new("0"), ResourceId::new("2")]);
    assert_eq!(ready(fixture.store.missing(fixture.scope("Group"), ids.clone())).unwrap(), ids);
}
