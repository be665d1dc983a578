//! A store that does no more than it must.

use crate::projection::Projection;
use crate::query::Query;
use crate::store::{Deletion, Page, Scope, Store, StoreError};
use crate::validate::UniqueKey;
use crate::{Resource, ResourceId, Version};

/// A store that has of the one within what every store has to have, and leaves everything else as [`Store`] provides
/// it: the contract run on it is that of what is provided.
///
/// ```
/// use scim_core::MemoryStore;
/// use scim_core::testkit::{self, AsProvided};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// testkit::run(|| async { AsProvided(MemoryStore::new()) }).await;
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct AsProvided<S>(pub S);

impl<S: Store> Store for AsProvided<S> {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        self.0.create(scope, resource, unique).await
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        self.0.read(scope, id, projection).await
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        self.0.query(scope, query).await
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        self.0.replace(scope, resource, unique, expected).await
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        self.0.delete(scope, id, deletion).await
    }
}
