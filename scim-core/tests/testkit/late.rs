//! A store that waits before each call, and does what [`Store`] provides.

use scim_core::projection::Projection;
use scim_core::query::Query;
use scim_core::store::{Deletion, Page, Scope, StoreError};
use scim_core::testkit::{Trial, law};
use scim_core::validate::UniqueKey;
use scim_core::{MemoryStore, Resource, ResourceId, Store, Version};

use crate::mortal::Yield;

/// Between any two of its calls others run.
struct Late(MemoryStore);

impl Store for Late {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        Yield(false).await;
        self.0.create(scope, resource, unique).await
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        Yield(false).await;
        self.0.read(scope, id, projection).await
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        Yield(false).await;
        self.0.query(scope, query).await
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        Yield(false).await;
        self.0.replace(scope, resource, unique, expected).await
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        Yield(false).await;
        self.0.delete(scope, id, deletion).await
    }
}

/// What is provided looks once too early, and so once more.
#[tokio::test]
async fn what_is_provided_adds_nobody_who_is_deleted_meanwhile() {
    let trial = Trial::new("provided", Late(MemoryStore::new()));
    law::no_member_is_added_that_is_deleted_meanwhile(&trial).await.unwrap();
    let trial = Trial::new("provided", Late(MemoryStore::new()));
    law::what_is_referred_to_must_be_there(&trial).await.unwrap();
}
