//! What became of a request, for the embedder's logs and audit.

use std::sync::Arc;

use http::{Method, StatusCode};

use crate::audit::{BulkPlace, RequestId, SinkError};
use crate::auth::Principal;
use crate::leniency::Leniency;
use crate::schema::ResourceSchema;
use crate::store::StoreError;
use crate::{Error, ResourceId};

/// What became of a request: every response carries one in its
/// [extensions](http::Response::extensions), for the layer above to log.
///
/// It holds no secret and nothing of the request's body, except what an error's detail or a remark quotes.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// Who sent the request, once authenticated.
    pub principal: Option<Principal>,
    /// The id that whoever mounts the service gave the request.
    pub request: Option<RequestId>,
    /// The place in the bulk request, of one of its operations.
    pub bulk: Option<BulkPlace>,
    /// What was asked for, once routed.
    pub operation: Option<Operation>,
    /// The name of the resource type it was about.
    pub resource_type: Option<String>,
    /// The resource it was about.
    pub resource: Option<ResourceId>,
    /// The leniencies that fired.
    pub leniencies: Vec<Leniency>,
    /// What the policy [remarked](crate::policy::Policy::remarks) on the write.
    pub remarks: Vec<String>,
    /// The error that was answered, before a policy restated it.
    pub error: Option<Error>,
    /// The failure inside the store behind that error; the client does not see it.
    pub cause: Option<Arc<StoreError>>,
    /// What became of the operations of a bulk request, in the order of the request: those that
    /// were processed. The other fields speak of the bulk request itself.
    pub operations: Vec<Outcome>,
    /// Why a record of the request, or of one of its operations, is missing in the [audit
    /// trail](crate::audit).
    pub unrecorded: Option<Arc<SinkError>>,
    /// The error that was answered, as the policy restated it.
    pub(super) told: Option<Error>,
    /// The status of the answer, once there is one.
    pub(super) status: Option<StatusCode>,
    /// The location of the resource that the path, an alias, stands for.
    pub(super) alias_of: Option<String>,
    /// Whether something was changed, and that was recorded.
    pub(super) changed: bool,
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

impl Operation {
    /// The stable name, as in the [audit trail](crate::audit): `create`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::List => "list",
            Self::Search => "search",
            Self::Bulk => "bulk",
            Self::Create => "create",
            Self::Read => "read",
            Self::Replace => "replace",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }

    /// What `method` asks of the resources of a type, or of one of them.
    pub(super) fn of(method: &Method, of_one: bool) -> Self {
        match (method, of_one) {
            (&Method::POST, _) => Self::Create,
            (&Method::PUT, _) => Self::Replace,
            (&Method::PATCH, _) => Self::Patch,
            (&Method::DELETE, _) => Self::Delete,
            (_, true) => Self::Read,
            (_, false) => Self::List,
        }
    }

    /// Whether it is to change something.
    pub(super) fn is_write(self) -> bool {
        matches!(self, Self::Create | Self::Replace | Self::Patch | Self::Delete | Self::Bulk)
    }
}

impl Outcome {
    /// Notes what a request is about, once it is routed.
    pub(super) fn asked(&mut self, schema: &ResourceSchema, operation: Operation) {
        self.resource_type = Some(schema.name().to_owned());
        self.operation = Some(operation);
    }

    /// Adds what became of another part of the same operation.
    pub(super) fn join(&mut self, part: Outcome) {
        self.note(&part.leniencies);
        self.remark(part.remarks);
        self.changed |= part.changed;
        self.unrecorded = self.unrecorded.take().or(part.unrecorded);
    }

    /// Adds remarks, each once: a write that is tried again is remarked on again.
    pub(super) fn remark(&mut self, remarks: Vec<String>) {
        for remark in remarks {
            if !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
        }
    }

    /// Adds leniencies that fired, each once.
    pub(super) fn note(&mut self, fired: &[Leniency]) {
        for leniency in fired {
            if !self.leniencies.contains(leniency) {
                self.leniencies.push(*leniency);
            }
        }
    }
}
