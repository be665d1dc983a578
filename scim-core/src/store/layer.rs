//! A store in front of another one.

use std::future::Future;

use super::{
    Applied, Deletion, Modification, Modified, Page, ResourceHold, Scope, Store, StoreError, Terms, Update,
};
use crate::audit::Record;
use crate::membership::Membership;
use crate::pieces::Pieces;
use crate::projection::Projection;
use crate::query::{Query, QuerySupport};
use crate::validate::UniqueKey;
use crate::{Resource, ResourceId, Version};

/// A store in front of another one, which keeps the resources: what it does is about changes, each of which
/// it may refuse, add to, or follow up. Whatever else is asked goes to the store behind, so that nothing that the
/// one behind does better than a [`Store`] as provided is lost.
///
/// ```
/// use scim_core::store::{Modification, Modified, Scope, StoreError, StoreLayer, Terms};
/// use scim_core::{MemoryStore, Store};
///
/// /// Keeps whom it has.
/// struct NobodyLeaves(MemoryStore);
///
/// impl StoreLayer for NobodyLeaves {
///     type Behind = MemoryStore;
///
///     fn behind(&self) -> &MemoryStore {
///         &self.0
///     }
///
///     async fn change(
///         &self,
///         scope: Scope<'_>,
///         modification: Modification<'_>,
///         terms: Terms<'_>,
///     ) -> Result<Modified, StoreError> {
///         match modification {
///             Modification::Delete { .. } => Err(StoreError::Internal("nobody leaves".into())),
///             other => self.0.modify(scope, other, terms).await,
///         }
///     }
/// }
///
/// fn is_a_store(_: &impl Store) {}
/// is_a_store(&NobodyLeaves(MemoryStore::new()));
/// ```
pub trait StoreLayer: Send + Sync + 'static {
    /// The store behind.
    type Behind: Store;

    /// The store behind.
    fn behind(&self) -> &Self::Behind;

    /// Makes one modification, as [`Store::modify`] does: every change comes by here.
    ///
    /// # Errors
    ///
    /// Those of the store behind, and [`StoreError::Refused`] for what is not let through.
    fn change(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> impl Future<Output = Result<Modified, StoreError>> + Send;

    /// Whether [`change`](Self::change) may complete what it is given ([`Store::completes`]). As provided, it
    /// does not.
    fn completes_itself(&self) -> bool {
        false
    }
}

impl<L: StoreLayer> Store for L {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        self.change(scope, Modification::Create { resource, unique }, Terms::default()).await.map(drop)
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        self.behind().read(scope, id, projection).await
    }

    fn query_support(&self) -> QuerySupport {
        self.behind().query_support()
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        self.behind().query(scope, query).await
    }

    async fn read_in_pieces(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Pieces>, StoreError> {
        self.behind().read_in_pieces(scope, id, projection).await
    }

    async fn query_in_pieces(&self, scope: Scope<'_>, query: &Query) -> Result<Page<Pieces>, StoreError> {
        self.behind().query_in_pieces(scope, query).await
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        self.change(scope, Modification::Replace { resource, unique, expected }, Terms::default())
            .await
            .map(drop)
    }

    async fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Option<Version>,
    ) -> Result<Applied, StoreError> {
        match self.change(scope, Modification::Apply { id, update, expected }, Terms::default()).await? {
            Modified::Changed(Some(version)) => Ok(Applied::Changed(version)),
            Modified::Unchanged(version) => Ok(Applied::Unchanged(version)),
            Modified::Changed(None) => Err(StoreError::Internal("a change without version".into())),
        }
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        self.change(scope, Modification::Delete { id, deletion: *deletion }, Terms::default()).await.map(drop)
    }

    async fn modify(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        self.change(scope, modification, terms).await
    }

    async fn hold(&self, scope: Scope<'_>, id: &ResourceId) -> Result<ResourceHold, StoreError> {
        self.behind().hold(scope, id).await
    }

    fn completes(&self) -> bool {
        self.completes_itself() || self.behind().completes()
    }

    fn checks_circles(&self) -> bool {
        self.behind().checks_circles()
    }

    fn keeps_audit(&self) -> bool {
        self.behind().keeps_audit()
    }

    async fn keep(&self, record: &Record) -> Result<(), StoreError> {
        self.behind().keep(record).await
    }

    async fn memberships(
        &self,
        groups: Scope<'_>,
        members: &[ResourceId],
    ) -> Result<Vec<Membership>, StoreError> {
        self.behind().memberships(groups, members).await
    }

    async fn count_members(&self, groups: Scope<'_>, id: &ResourceId) -> Result<usize, StoreError> {
        self.behind().count_members(groups, id).await
    }

    async fn members_among(
        &self,
        groups: Scope<'_>,
        id: &ResourceId,
        members: &[ResourceId],
    ) -> Result<Vec<ResourceId>, StoreError> {
        self.behind().members_among(groups, id, members).await
    }

    async fn missing(&self, scope: Scope<'_>, ids: Vec<ResourceId>) -> Result<Vec<ResourceId>, StoreError> {
        self.behind().missing(scope, ids).await
    }
}
