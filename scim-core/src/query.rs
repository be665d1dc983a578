//! What a list request asks for, checked and bound.

use scim_filter::BoundFilter;

use crate::projection::Projection;

/// A list request in terms of the schema.
#[derive(Clone, Default)]
pub struct Query {
    /// Which resources.
    pub filter: Option<BoundFilter>,
    /// The 1-based index of the first result.
    pub start_index: usize,
    /// The most resources to return; 0 asks for the total alone.
    pub count: usize,
    /// Which attributes will be returned, so that a store need not read the rest.
    pub projection: Projection,
}
