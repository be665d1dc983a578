//! The laws of a store, with teams off: with them, groups of one name, which the laws have, are refused.

use std::sync::Arc;

use scim_core::MemoryStore;
use scim_profiles::datadog::{DatadogOptions, TeamStore};

async fn new_store() -> TeamStore<MemoryStore> {
    let options = DatadogOptions::default();
    TeamStore::new(MemoryStore::new(), &options, Arc::new(|| jiff::Timestamp::UNIX_EPOCH))
}

scim_core::store_contract!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    new_store,
    |task| {
        let handle = tokio::spawn(task);
        Box::pin(async { handle.await.unwrap() })
    }
);
