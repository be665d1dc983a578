//! What a service is told when it is built.

use std::fmt;
use std::sync::Arc;

use url::Url;

use crate::ResourceId;
use crate::leniency::Leniencies;
use crate::schema::Registry;
use crate::value::{JsonLimits, Value};

/// What a service serves, and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// The URL clients reach the service by, e.g. `https://example.com/scim/v2`; every `Location`
    /// and `meta.location` starts with it, never with the Host header.
    pub base_url: Url,
    /// Schemas and resource types.
    pub registry: Registry,
    /// What ServiceProviderConfig says.
    pub capabilities: Capabilities,
    /// Which deviations are tolerated.
    pub leniencies: Leniencies,
    /// How a PATCH is answered.
    pub patch_response: PatchResponse,
    /// How much one request may ask for.
    pub limits: ServiceLimits,
}

/// What `/ServiceProviderConfig` says (RFC 7643 §5).
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// `documentationUri`
    pub documentation_uri: Option<String>,
    /// `patch.supported`; when false PATCH is 501.
    pub patch: bool,
    /// `filter.maxResults`: the largest page.
    pub max_results: usize,
    /// The page size when the client names none.
    pub default_count: usize,
    /// `etag.supported`
    pub etag: bool,
    /// `authenticationSchemes`, as JSON objects (RFC 7643 §5).
    pub authentication_schemes: Vec<Value>,
    /// Whether the `meta` of discovery documents has a `location`.
    pub discovery_location: bool,
}

/// How a PATCH that succeeded is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PatchResponse {
    /// 200 with the resource.
    #[default]
    Resource,
    /// 204, unless the request names `attributes`.
    NoContent,
}

/// How much one request may ask for.
#[derive(Clone, Debug)]
pub struct ServiceLimits {
    /// The largest request body, in bytes; more is 413.
    pub max_body_bytes: usize,
    /// The longest query string, in bytes.
    pub max_query_bytes: usize,
    /// Limits of JSON bodies.
    pub json: JsonLimits,
    /// Limits of filters and paths.
    pub filter: scim_filter::Limits,
    /// The most operations of one PATCH.
    pub max_patch_operations: usize,
}

/// Clock and identifiers, given by the embedder: the library has neither.
#[derive(Clone)]
pub struct Environment {
    /// The time now.
    pub now: Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>,
    /// An identifier never used before, for a new resource.
    pub new_id: Arc<dyn Fn() -> ResourceId + Send + Sync>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

impl Config {
    /// Users and groups by the RFCs, at `base_url`.
    pub fn new(base_url: Url) -> Self {
        let _ = base_url;
        todo!()
    }
}
