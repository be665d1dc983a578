//! A store behind an `Arc`.

use std::sync::Arc;

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

/// A store shared with the rest of the program.
impl<S: Store> Store for Arc<S> {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        (**self).create(scope, resource, unique).await
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        (**self).read(scope, id, projection).await
    }

    fn query_support(&self) -> QuerySupport {
        (**self).query_support()
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        (**self).query(scope, query).await
    }

    async fn read_in_pieces(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Pieces>, StoreError> {
        (**self).read_in_pieces(scope, id, projection).await
    }

    async fn query_in_pieces(&self, scope: Scope<'_>, query: &Query) -> Result<Page<Pieces>, StoreError> {
        (**self).query_in_pieces(scope, query).await
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        (**self).replace(scope, resource, unique, expected).await
    }

    async fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Option<Version>,
    ) -> Result<Applied, StoreError> {
        (**self).apply(scope, id, update, expected).await
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        (**self).delete(scope, id, deletion).await
    }

    async fn modify(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        (**self).modify(scope, modification, terms).await
    }

    async fn hold(&self, scope: Scope<'_>, id: &ResourceId) -> Result<ResourceHold, StoreError> {
        (**self).hold(scope, id).await
    }

    fn completes(&self) -> bool {
        (**self).completes()
    }

    fn keeps_audit(&self) -> bool {
        (**self).keeps_audit()
    }

    async fn keep(&self, record: &Record) -> Result<(), StoreError> {
        (**self).keep(record).await
    }

    async fn memberships(
        &self,
        groups: Scope<'_>,
        members: &[ResourceId],
    ) -> Result<Vec<Membership>, StoreError> {
        (**self).memberships(groups, members).await
    }

    async fn count_members(&self, groups: Scope<'_>, id: &ResourceId) -> Result<usize, StoreError> {
        (**self).count_members(groups, id).await
    }

    async fn members_among(
        &self,
        groups: Scope<'_>,
        id: &ResourceId,
        members: &[ResourceId],
    ) -> Result<Vec<ResourceId>, StoreError> {
        (**self).members_among(groups, id, members).await
    }

    async fn missing(&self, scope: Scope<'_>, ids: Vec<ResourceId>) -> Result<Vec<ResourceId>, StoreError> {
        (**self).missing(scope, ids).await
    }
}
