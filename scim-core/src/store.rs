//! Where resources live: the one trait an embedder implements.

use std::future::Future;

use crate::patch::Change;
use crate::projection::Projection;
use crate::query::Query;
use crate::schema::ResourceSchema;
use crate::validate::UniqueKey;
use crate::{Resource, ResourceId, TenantId, Version};

/// The scope of a store call: whose resources, of which type.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Whose resources; comes from the credential.
    pub tenant: &'a TenantId,
    /// Their type and schema.
    pub schema: &'a ResourceSchema,
}

/// Storage for resources.
///
/// Resources reach the store complete: validated, with `id`, `meta.resourceType`, `meta.created`,
/// `meta.lastModified` and `meta.version`. Every write is all or nothing.
pub trait Store: Send + Sync + 'static {
    /// Stores a new resource; [`StoreError::Conflict`] if a unique key is taken.
    fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Reads one resource, at least what `projection` includes.
    fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> impl Future<Output = Result<Option<Resource>, StoreError>> + Send;

    /// Finds the resources `query` asks for, in a stable order, with the total number of matches.
    fn query(&self, scope: Scope<'_>, query: &Query)
    -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// Replaces the resource with that `id`, if its version is still `expected`.
    fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Applies a change to the resource `id`, if its version is still `expected`, and sets
    /// `meta.lastModified` and `meta.version` if anything became different.
    fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Version,
    ) -> impl Future<Output = Result<Applied, StoreError>> + Send;

    /// Deletes the resource `id`, if its version is still `expected` (any, if `None`).
    fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        expected: Option<Version>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A change with what belongs to it.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// What changes.
    pub change: &'a Change,
    /// The unique keys the resource will have.
    pub unique: &'a [UniqueKey],
    /// `meta.lastModified` if anything became different.
    pub last_modified: &'a str,
    /// `meta.version` if anything became different.
    pub version: Version,
}

/// What [`Store::apply`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The resource has the new version.
    Changed,
    /// The resource already was as asked; version and `lastModified` stay.
    Unchanged,
}

/// One page of a query's results.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// How many resources match in all.
    pub total: usize,
    /// The resources of the page.
    pub resources: Vec<Resource>,
}

/// Why a store call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No such resource in the scope.
    #[error("no such resource")]
    NotFound,
    /// Another resource has the value of a unique attribute.
    #[error("`{attribute}` is taken")]
    Conflict {
        /// The attribute.
        attribute: String,
    },
    /// The resource has another version than expected.
    #[error("the resource was changed meanwhile")]
    VersionMismatch,
    /// The store does not evaluate this filter; the text names the clause.
    #[error("{0}")]
    UnsupportedFilter(String),
    /// The store cannot answer now; the client may try again.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Anything else; never shown to a client.
    #[error("store failure")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Answers `query` over `resources` in memory, in their order: for stores that keep resources in
/// memory, and for what a store cannot push down. Never drops a clause.
pub fn evaluate<'r>(query: &Query, resources: impl IntoIterator<Item = &'r Resource>) -> Page {
    let _ = (query, resources.into_iter());
    todo!()
}
