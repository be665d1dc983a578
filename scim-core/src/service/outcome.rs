//! What became of a request, for the embedder's logs and audit.

use std::sync::Arc;

use crate::auth::Principal;
use crate::leniency::Leniency;
use crate::store::StoreError;
use crate::{Error, ResourceId};

/// What became of a request: every response carries one in its
/// [extensions](http::Response::extensions), for the layer above to log.
///
/// It holds no secret and nothing of the request's body, except what an error's detail quotes.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// Who sent the request, once authenticated.
    pub principal: Option<Principal>,
    /// What was asked for, once routed.
    pub operation: Option<Operation>,
    /// The name of the resource type it was about.
    pub resource_type: Option<String>,
    /// The resource it was about.
    pub resource: Option<ResourceId>,
    /// The leniencies that fired.
    pub leniencies: Vec<Leniency>,
    /// The error that was answered, before a policy restated it.
    pub error: Option<Error>,
    /// The failure inside the store behind that error; the client does not see it.
    pub cause: Option<Arc<StoreError>>,
    /// What became of the operations of a bulk request, in the order of the request: those that
    /// were processed. The other fields speak of the bulk request itself.
    pub operations: Vec<Outcome>,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// GET of a discovery document.
    Discover,
    /// GET of an endpoint.
    List,
    /// POST of `/.search`.
    Search,
    /// POST of `/Bulk`.
    Bulk,
    /// POST.
    Create,
    /// GET of one resource.
    Read,
    /// PUT.
    Replace,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Outcome {
    /// Adds leniencies that fired, each once.
    pub(super) fn note(&mut self, fired: &[Leniency]) {
        for leniency in fired {
            if !self.leniencies.contains(leniency) {
                self.leniencies.push(*leniency);
            }
        }
    }
}
