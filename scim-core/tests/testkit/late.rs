//! What [`Store`](scim_core::Store) provides, where others run between any two calls.

use scim_core::MemoryStore;
use scim_core::store::StoreError;
use scim_core::testkit::{AsProvided, Call, Hooked, Hooks, Trial, law, wait_once};

struct Late;

impl Hooks for Late {
    async fn before(&self, _: Call<'_>) -> Result<(), StoreError> {
        wait_once().await;
        Ok(())
    }
}

/// What is provided looks once too early, and so once more.
#[tokio::test]
async fn what_is_provided_adds_nobody_who_is_deleted_meanwhile() {
    let late = || AsProvided(Hooked { store: MemoryStore::new(), hooks: Late });
    let trial = Trial::new("provided", late());
    law::no_member_is_added_that_is_deleted_meanwhile(&trial).await.unwrap();
    let trial = Trial::new("provided", late());
    law::what_is_referred_to_must_be_there(&trial).await.unwrap();
}
