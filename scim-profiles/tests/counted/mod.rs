//! A store in memory that counts what it is asked, and how many resources it hands out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use scim_core::membership::Membership;
use scim_core::pieces::Pieces;
use scim_core::projection::Projection;
use scim_core::query::{Query, QuerySupport};
use scim_core::store::{
    Applied, Deletion, Modification, Modified, Page, Scope, Store, StoreError, Terms, Update,
};
use scim_core::validate::UniqueKey;
use scim_core::{MemoryStore, Resource, ResourceId, Version};

/// How often each method was called, and how many resources came of queries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) calls: BTreeMap<&'static str, usize>,
    pub(crate) rows: usize,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) store: MemoryStore,
    /// Whether a page comes with the groups its resources are in.
    pub(crate) tells_groups: bool,
    counts: Arc<Mutex<Counts>>,
}

impl Counted {
    pub(crate) fn new(store: MemoryStore) -> Self {
        Self { store, ..Self::default() }
    }

    /// What was counted since the last time this was asked.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut *self.counts.lock().unwrap())
    }

    fn note(&self, method: &'static str, rows: usize) {
        let mut counts = self.counts.lock().unwrap();
        *counts.calls.entry(method).or_default() += 1;
        counts.rows += rows;
    }
}

impl Store for Counted {
    async fn create(&self, scope: Scope<'_>, new: &Resource, unique: &[UniqueKey]) -> Result<(), StoreError> {
        self.note("create", 0);
        self.store.create(scope, new, unique).await
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        self.note("read", 1);
        self.store.read(scope, id, projection).await
    }

    fn query_support(&self) -> QuerySupport {
        self.store.query_support()
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        let page = self.store.query(scope, query).await?;
        self.note("query", page.resources.len());
        Ok(page)
    }

    async fn query_in_pieces(&self, scope: Scope<'_>, query: &Query) -> Result<Page<Pieces>, StoreError> {
        let mut page = self.store.query_in_pieces(scope, query).await?;
        self.note("query", page.resources.len());
        for pieces in &mut page.resources {
            pieces.memberships = match query.member_of.as_deref().filter(|_| self.tells_groups) {
                Some(groups) => {
                    let groups = Scope { schema: groups, ..scope };
                    Some(self.store.memberships(groups, &[pieces.resource.id().unwrap()]).await?)
                }
                None => None,
            };
        }
        Ok(page)
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        new: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        self.note("replace", 0);
        self.store.replace(scope, new, unique, expected).await
    }

    async fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Option<Version>,
    ) -> Result<Applied, StoreError> {
        self.note("apply", 0);
        self.store.apply(scope, id, update, expected).await
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        self.note("delete", 0);
        self.store.delete(scope, id, deletion).await
    }

    async fn modify(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        self.note("modify", 0);
        self.store.modify(scope, modification, terms).await
    }

    async fn memberships(
        &self,
        groups: Scope<'_>,
        members: &[ResourceId],
    ) -> Result<Vec<Membership>, StoreError> {
        self.note("memberships", 0);
        self.store.memberships(groups, members).await
    }
}
