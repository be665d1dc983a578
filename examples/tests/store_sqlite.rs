//! The SQLite store keeps the contract of a store, in a file and in memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::sync::Arc;

use scim_core::query::Query;
use scim_core::schema::Registry;
use scim_core::store::{Scope, Store, StoreError};
use scim_core::testkit::Recorded;
use scim_core::validate::unique_keys;
use scim_core::{Resource, TenantId, Value};
use scim_examples::SqlStore;
use serde_json::json;

/// In a file, with readers beside the writer.
mod contract {
    use scim_examples::SqlStore;

    async fn new_store() -> (SqlStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (SqlStore::open(&folder.path().join("scim.db")).await.unwrap(), folder)
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

/// With the audit trail kept in the transactions of the changes.
#[tokio::test]
async fn with_its_audit_trail_the_contract_is_the_same() {
    let store = SqlStore::in_memory().await.unwrap().with_audit();
    scim_core::testkit::run(|| async { Recorded(store.clone()) }).await;
}

/// In memory, all on one connection.
#[tokio::test]
async fn in_memory_the_contract_is_the_same() {
    let store = SqlStore::in_memory().await.unwrap();
    scim_core::testkit::run(|| async { store.clone() }).await;
}

/// As processes do that begin at the same moment: each finds some migrations made by others.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_make_the_tables_of_one_file() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scim.db");
        let opening: Vec<_> = (0..6)
            .map(|_| {
                let file = file.clone();
                tokio::spawn(async move { SqlStore::open(&file).await })
            })
            .collect();
        for store in opening {
            store.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn parallel_writers_all_get_their_turn() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Arc::new(Registry::standard());
    let store = SqlStore::open(&directory.path().join("scim.db")).await.unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let (store, registry) = (store.clone(), Arc::clone(&registry));
            tokio::spawn(async move {
                let schema = registry.by_name("User").unwrap();
                let tenant = TenantId::new("acme");
                let scope = Scope { tenant: &tenant, schema };
                for number in 0..8 {
                    let user = user(&format!("{task}-{number}"));
                    store.create(scope, &user, &unique_keys(schema, &user)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new("acme");
    let query = Query::default();
    let scope = Scope { tenant: &tenant, schema };
    assert_eq!(store.query(scope, &query).await.unwrap().total, Some(128));
    store.close().await;
    assert!(matches!(store.query(scope, &query).await, Err(StoreError::Unavailable(_))));
}

fn user(name: &str) -> Resource {
    match Value::from(json!({"id": name, "userName": name, "meta": {"version": "W/\"1\""}})) {
        Value::Object(object) => Resource(object),
        _ => panic!("an object"),
    }
}
