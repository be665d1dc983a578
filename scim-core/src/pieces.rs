//! Resources that are read and written piece by piece, so that what a response takes of memory does
//! not grow with it.
//!
//! A list is read page by page, and each resource of a page is written on its own. What grows without
//! bound within one resource is its largest multi-valued attribute, the members of a group: its values
//! come in pieces of their own, [`Values`].

mod canonical;
mod document;
mod json;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use document::Document;
pub(crate) use document::{Rendered, Source};
pub(crate) use json::{ResourceJson, parsed};

use crate::Resource;
use crate::membership::Membership;
use crate::store::StoreError;
use crate::value::Value;

/// A resource to be written piece by piece.
#[derive(Debug)]
pub struct Pieces {
    /// The resource, which may be shared with the store, or be the JSON text that the store has: it is written from
    /// where it is, a few values of its arrays at a time. Like any resource that is [read](crate::Store::read), it may have more
    /// than was asked for.
    pub resource: Document,
    /// The values that are read piece by piece: those of attributes that `resource` lacks, or has an
    /// empty array for.
    pub rest: Vec<Rest>,
    /// The groups that have the resource as a member, of the type that [`Query::member_of`] names: all of
    /// them, or `None` where the service is to [ask](crate::Store::memberships).
    ///
    /// [`Query::member_of`]: crate::query::Query::member_of
    pub memberships: Option<Vec<Membership>>,
}

/// The values of one attribute, read piece by piece.
pub struct Rest {
    /// The multi-valued attribute, at the top level.
    pub attribute: Box<str>,
    /// Its values.
    pub values: Box<dyn Values>,
}

/// Values that are read a few at a time, whenever the client has taken those before.
///
/// The response may take as long as the client likes. So this should hold no transaction,
/// connection or lock from one piece to the next, and go on by a key: **each value that is there from
/// the first piece to the last is given exactly once**, whatever is written meanwhile; one that comes or
/// goes meanwhile may be given or not, also where all are replaced by others. Of a resource that is deleted meanwhile
/// either all are given that it had, or the next piece is an error, so that a part is never taken for the whole. Their
/// order is the store's, and may be another than that of a read. All are of the version that the resource had when it was read,
/// or of a later one, so that a write on the version the client was told is refused if anything was
/// written meanwhile.
pub trait Values: Send + Sync {
    /// The next values, as many as fit in memory many times; none at the end.
    fn next(&mut self) -> NextValues<'_>;
}

/// What [`Values::next`] comes to.
pub type NextValues<'v> = Pin<Box<dyn Future<Output = Result<Vec<Value>, StoreError>> + Send + 'v>>;

/// A resource in one piece.
impl From<Resource> for Pieces {
    fn from(resource: Resource) -> Self {
        Document::from(resource).into()
    }
}

/// A resource that the store shares.
impl From<Arc<Resource>> for Pieces {
    fn from(resource: Arc<Resource>) -> Self {
        Document::from(resource).into()
    }
}

/// A resource as the store has it.
impl From<Document> for Pieces {
    fn from(resource: Document) -> Self {
        Self { resource, rest: Vec::new(), memberships: None }
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("attribute", &self.attribute).finish_non_exhaustive()
    }
}
