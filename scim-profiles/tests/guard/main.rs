//! Guards against a bad push: before stores, with profiles, over HTTP types.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod bulk;
mod concurrency;
mod failures;
mod incident_io;
mod ledger;
mod model;
mod protected;
mod rows;
mod scale;
mod server;
mod vectors;

mod contract {
    use std::sync::Arc;

    use scim_core::MemoryStore;
    use scim_profiles::guard::{GuardedStore, MemoryLedger, Protected};

    use crate::server::{ceiling, guards};

    /// Guards that look at everything, and permit what the laws do.
    async fn new_store() -> GuardedStore<MemoryStore, MemoryLedger> {
        let guards = guards(ceiling().with_count(1_000_000).with_share(0, u64::MAX).unwrap())
            .with_protected(Protected::new().with_user("nobody").with_group("No Group").with_role("none"));
        GuardedStore::new(
            MemoryStore::new(),
            guards,
            MemoryLedger::new(),
            Arc::new(|| jiff::Timestamp::UNIX_EPOCH),
        )
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
