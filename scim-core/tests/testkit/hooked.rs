//! Stores for tests keep the contract where they are told nothing, and do what they are told.

use std::sync::Mutex;

use scim_core::projection::Projection;
use scim_core::query::Query;
use scim_core::schema::Registry;
use scim_core::store::{Modification, Scope, StoreError, Terms};
use scim_core::testkit::{self, AsProvided, Call, Hooked, Hooks, Recorded};
use scim_core::{MemoryStore, Resource, ResourceId, Store, TenantId, Value, Version};
use serde_json::json;

#[tokio::test]
async fn they_keep_the_contract() {
    let nothing = || Hooked { store: MemoryStore::new(), hooks: |_: Call<'_>| Ok(()) };
    testkit::run(|| async { nothing() }).await;
    testkit::run(|| async { AsProvided(nothing()) }).await;
    testkit::run(|| async { Recorded(std::sync::Arc::new(nothing())) }).await;
}

/// Notes each call, and fails before or after it where told.
#[derive(Default)]
struct Noted {
    calls: Mutex<Vec<String>>,
    fails: &'static str,
}

impl Noted {
    fn note(&self, when: &str, call: Call<'_>) -> Result<(), StoreError> {
        let name = match call {
            Call::Change { modification: Modification::Create { .. }, .. } => "create",
            Call::Change { modification: Modification::Replace { .. }, .. } => "replace",
            Call::Change { modification: Modification::Apply { .. }, .. } => "apply",
            Call::Change { modification: Modification::Delete { .. }, .. } => "delete",
            Call::Read { .. } => "read",
            Call::Query { .. } => "query",
            Call::Hold { .. } => "hold",
            Call::Keep { .. } => "keep",
            Call::Memberships { .. } => "memberships",
            Call::CountMembers { .. } => "count members",
            Call::MembersAmong { .. } => "members among",
            Call::Missing { .. } => "missing",
            _ => "another",
        };
        let call = format!("{when} {name}");
        let fails = call == self.fails;
        self.calls.lock().unwrap().push(call);
        if fails { Err(StoreError::Unavailable("as told".into())) } else { Ok(()) }
    }
}

impl Hooks for Noted {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        self.note("before", call)
    }

    async fn after(&self, call: Call<'_>) -> Result<(), StoreError> {
        self.note("after", call)
    }
}

#[tokio::test]
async fn each_call_is_told_before_and_after() {
    let registry = Registry::standard();
    let tenant = TenantId::new("acme");
    let users = Scope { tenant: &tenant, schema: registry.by_name("User").unwrap() };
    let user = json!({"id": "1", "userName": "ann", "meta": {"version": "W/\"1\""}});
    let Value::Object(user) = user.into() else { panic!("an object") };
    let user = Resource(user);
    let (id, all) = (ResourceId::new("1"), Projection::default());
    let create = Modification::Create { resource: &user, unique: &[] };

    let hooked = Hooked { store: MemoryStore::new(), hooks: Noted::default() };
    let told = || std::mem::take(&mut *hooked.hooks.calls.lock().unwrap());
    hooked.modify(users, create, Terms::default()).await.unwrap();
    assert_eq!(told(), ["before create", "after create"]);
    hooked.read(users, &id, &all).await.unwrap().unwrap();
    hooked.read_in_pieces(users, &id, &all).await.unwrap().unwrap();
    assert_eq!(told(), ["before read", "after read", "before read", "after read"]);
    hooked.query(users, &Query::default()).await.unwrap();
    hooked.query_in_pieces(users, &Query::default()).await.unwrap();
    assert_eq!(told(), ["before query", "after query", "before query", "after query"]);
    hooked.missing(users, vec![id.clone()]).await.unwrap();
    hooked.hold(users, &id).await.unwrap();
    assert_eq!(told(), ["before missing", "after missing", "before hold", "after hold"]);
    // What is answered with an error has nothing after it.
    let raced = hooked.replace(users, &user, &[], Version(7)).await;
    assert!(matches!(raced, Err(StoreError::VersionMismatch)));
    assert_eq!(told(), ["before replace"]);

    // Before it, nothing is made; after it, it is.
    for (fails, is_made) in [("before create", false), ("after create", true)] {
        let hooks = Noted { fails, ..Noted::default() };
        let hooked = Hooked { store: MemoryStore::new(), hooks };
        let created = hooked.create(users, &user, &[]).await;
        assert!(matches!(created, Err(StoreError::Unavailable(_))), "{fails}");
        assert_eq!(hooked.store.len(), usize::from(is_made), "{fails}");
    }

    // A change that is made as provided is told in parts.
    let parts = AsProvided(Hooked { store: MemoryStore::new(), hooks: Noted::default() });
    parts.modify(users, create, Terms::default()).await.unwrap();
    parts.missing(users, vec![id]).await.unwrap();
    let told = parts.0.hooks.calls.lock().unwrap().clone();
    assert_eq!(told, ["before create", "after create", "before read", "after read"]);
}
