//! A store whose every change is made with an audit record.

use crate::audit::Record;
use crate::membership::Membership;
use crate::pieces::Pieces;
use crate::projection::Projection;
use crate::query::{Query, QuerySupport};
use crate::service::Operation;
use crate::store::{
    Applied, Deletion, Modification, Modified, Page, ResourceHold, Scope, Store, StoreError, Terms, Update,
};
use crate::validate::UniqueKey;
use crate::{CredentialId, Resource, ResourceId, Version};

/// A store whose every change goes through [`Store::modify`] of the one within, with a record: the contract
/// run on it is the contract of a store that [keeps the audit trail](Store::keeps_audit).
///
/// ```
/// use scim_core::MemoryStore;
/// use scim_core::testkit::{self, Recorded};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// testkit::run(|| async { Recorded(MemoryStore::new()) }).await;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Recorded<S>(pub S);

impl<S: Store> Recorded<S> {
    async fn make(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let operation = match modification {
            Modification::Create { .. } => Operation::Create,
            Modification::Replace { .. } => Operation::Replace,
            Modification::Apply { .. } => Operation::Patch,
            Modification::Delete { .. } => Operation::Delete,
        };
        let credential = CredentialId::new("testkit");
        let record = Record::new(jiff::Timestamp::UNIX_EPOCH, scope.tenant.clone(), credential, operation);
        self.0.modify(scope, modification, Terms { record: Some(&record), ..terms }).await
    }
}

impl<S: Store> Store for Recorded<S> {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        let made = self.make(scope, Modification::Create { resource, unique }, Terms::default()).await?;
        expect(made, Modified::Changed(resource.version()))
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        self.0.read(scope, id, projection).await
    }

    async fn read_in_pieces(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Pieces>, StoreError> {
        self.0.read_in_pieces(scope, id, projection).await
    }

    async fn query_in_pieces(&self, scope: Scope<'_>, query: &Query) -> Result<Page<Pieces>, StoreError> {
        self.0.query_in_pieces(scope, query).await
    }

    fn query_support(&self) -> QuerySupport {
        self.0.query_support()
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
        let replace = Modification::Replace { resource, unique, expected };
        let made = self.make(scope, replace, Terms::default()).await?;
        expect(made, Modified::Changed(resource.version()))
    }

    async fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Option<Version>,
    ) -> Result<Applied, StoreError> {
        match self.make(scope, Modification::Apply { id, update, expected }, Terms::default()).await? {
            Modified::Changed(Some(version)) => Ok(Applied::Changed(version)),
            Modified::Unchanged(version) => Ok(Applied::Unchanged(version)),
            Modified::Changed(None) => Err(broken("a resource that was changed is said to be gone")),
        }
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        let delete = Modification::Delete { id, deletion: *deletion };
        let made = self.make(scope, delete, Terms::default()).await?;
        expect(made, Modified::Changed(None))
    }

    async fn modify(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        self.make(scope, modification, terms).await
    }

    async fn hold(&self, scope: Scope<'_>, id: &ResourceId) -> Result<ResourceHold, StoreError> {
        self.0.hold(scope, id).await
    }

    fn completes(&self) -> bool {
        self.0.completes()
    }

    async fn memberships(
        &self,
        groups: Scope<'_>,
        members: &[ResourceId],
    ) -> Result<Vec<Membership>, StoreError> {
        self.0.memberships(groups, members).await
    }

    async fn count_members(&self, groups: Scope<'_>, id: &ResourceId) -> Result<usize, StoreError> {
        self.0.count_members(groups, id).await
    }

    async fn members_among(
        &self,
        groups: Scope<'_>,
        id: &ResourceId,
        members: &[ResourceId],
    ) -> Result<Vec<ResourceId>, StoreError> {
        self.0.members_among(groups, id, members).await
    }

    async fn missing(&self, scope: Scope<'_>, ids: Vec<ResourceId>) -> Result<Vec<ResourceId>, StoreError> {
        self.0.missing(scope, ids).await
    }
}

fn expect(made: Modified, expected: Modified) -> Result<(), StoreError> {
    if made == expected { Ok(()) } else { Err(broken("a change is said to be another than it was")) }
}

fn broken(how: &'static str) -> StoreError {
    StoreError::Internal(how.into())
}
