//! [`MemoryStore`] keeps the contract of a [`Store`](scim_core::Store), and what it promises besides.

#![expect(clippy::panic, reason = "a test")]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use scim_core::schema::Registry;
use scim_core::store::{Scope, StoreError};
use scim_core::validate::unique_keys;
use scim_core::{MemoryStore, Resource, ResourceId, Store, TenantId, Value};
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
    ready(store.delete(scope, &ResourceId::new("1"), None)).unwrap();
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

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a store in memory waits for nothing"),
    }
}
