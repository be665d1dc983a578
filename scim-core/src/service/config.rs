//! What a service is told when it is built.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::ResourceId;
use crate::leniency::Leniencies;
use crate::membership::Nesting;
use crate::pagination::Cursors;
use crate::query::QuerySupport;
use crate::schema::Registry;
use crate::validate::CanonicalValues;
use crate::value::{JsonLimits, Object, Value};

/// What a service serves, and how.
///
/// ```
/// use scim_core::Config;
/// use scim_core::leniency::Leniencies;
/// use scim_core::service::PatchResponse;
///
/// let config = Config {
///     patch_response: PatchResponse::NoContent,
///     leniencies: Leniencies::strict(),
///     ..Config::new("https://example.com/scim/v2".parse()?)
/// };
/// assert_eq!(config.limits.max_body_bytes, 1 << 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// How pages by cursor are offered (RFC 9865); not at all where the store has none.
    pub cursors: Option<Cursors>,
    /// Whether a member added to a group must be a resource of the tenant; if not, it is a 400
    /// `invalidValue`. Then its `type` is that of the resource, whatever the client says.
    pub check_members: bool,
    /// Which groups may be members of a group; what may not is a 400 `invalidValue`.
    pub nesting: Nesting,
    /// Whether values are to be among the `canonicalValues` of their attributes.
    pub canonical_values: CanonicalValues,
    /// Whether the `groups` of a user are computed from the members of groups (RFC 7643 §4.1.2), direct
    /// and indirect. If not, they are what the store reads.
    ///
    /// They are computed where a response carries them, so not where `attributes` or `excludedAttributes`
    /// leaves them out: one question to the store for each level of nesting
    /// ([`Store::memberships`](crate::Store::memberships)), for all the users of a page at once. A
    /// user who comes into a group or leaves one, or whose group gets another name, is not changed by
    /// that: version and `meta.lastModified` of the user stay, and so a GET with `If-None-Match` may be
    /// answered 304. What changed is the group, and has a new version.
    pub compute_groups: bool,
    /// When a client may ask again that was answered 503, since the store or the authenticator cannot answer
    /// now: `Retry-After` (RFC 9110 §10.2.3), in seconds, rounded up. `None` leaves it to the client.
    pub retry_after: Option<Duration>,
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
    /// Whether queries are taken by POST of `/.search` (RFC 7644 §3.4.3) and by GET of the root; when
    /// false the one is 501 and the other 404.
    pub search: bool,
    /// `bulk`: how large a bulk request may be (RFC 7644 §3.7.4); `None` when `/Bulk` is 501.
    pub bulk: Option<BulkLimits>,
    /// `filter.maxResults`: the largest page. A page has room for one resource at least, also where this is 0.
    pub max_results: usize,
    /// The page size when the client names none: at most `max_results`.
    pub default_count: usize,
    /// `sort.supported`: whether lists are sorted when asked to, where the store does; when false
    /// `sortBy` means nothing.
    pub sort: bool,
    /// `etag.supported`; when false, responses carry neither `ETag` nor `meta.version`.
    /// Conditional requests are honoured all the same: to ignore one would be a lost update.
    pub etag: bool,
    /// `changePassword.supported`: whether a password that is sent is one that users sign in with. The service itself
    /// stores what a [`Policy`](crate::policy::Policy) makes of it.
    pub change_password: bool,
    /// `authenticationSchemes`, as JSON objects (RFC 7643 §5).
    pub authentication_schemes: Vec<Value>,
    /// Whether the `meta` of discovery documents has a `location`.
    pub discovery_location: bool,
    /// Whether there is `/ResourceTypes/{name}` (RFC 7644 §4) beside the list; when false it is 404.
    pub resource_type_by_name: bool,
    /// Whether a `cursor` (RFC 9865) is a 400 `invalidCursor` where there are [none](Config::cursors); when false it means
    /// nothing, as a parameter that the protocol does not know.
    pub refuse_cursor: bool,
}

/// How large a bulk request may be; more is 413 (RFC 7644 §3.7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkLimits {
    /// `bulk.maxOperations`
    pub max_operations: usize,
    /// `bulk.maxPayloadSize`, in bytes. The data of one operation has the limit of a body besides,
    /// [`ServiceLimits::max_body_bytes`].
    pub max_payload_size: usize,
}

/// How a PATCH that succeeded is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PatchResponse {
    /// 200 with the resource: all of it, so that the answer to a change of one member reads and sends
    /// every member, unless the client asks otherwise by `excludedAttributes=members`.
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
    /// The longest query string, in bytes; more is 414.
    pub max_query_bytes: usize,
    /// Limits of JSON bodies.
    pub json: JsonLimits,
    /// Limits of filters and paths.
    pub filter: scim_filter::Limits,
    /// The most operations of one PATCH.
    pub max_patch_operations: usize,
    /// How often a PUT, PATCH or DELETE without `If-Match` is tried when other requests change the
    /// resource meanwhile, before it is answered with 409. From the fourth time on no other request of the same
    /// service does so, and no other process where the store [holds](crate::Store::hold) the resource; else these
    /// still can, and a deletion that takes a member out of a group.
    pub max_write_attempts: usize,
    /// How many memberships may lead from a resource to a group that counts as one of its `groups`:
    /// 1 for direct ones alone. It is the most questions to the store for the groups of a page. Groups further up are
    /// left out of the answer, and not found by filters; with the feature `tracing` an event at level `DEBUG` says where a
    /// search for an answer ended at it.
    pub max_group_levels: usize,
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

impl Environment {
    /// An environment whose clock is `now` and whose identifiers come from `new_id`.
    pub fn new(
        now: impl Fn() -> jiff::Timestamp + Send + Sync + 'static,
        new_id: impl Fn() -> ResourceId + Send + Sync + 'static,
    ) -> Self {
        Self { now: Arc::new(now), new_id: Arc::new(new_id) }
    }
}

impl Config {
    /// `retry_after` by default, 5 seconds: longer than a busy moment, and about as long as a database takes to be there
    /// again that is started anew.
    pub const RETRY_AFTER: Duration = Duration::from_secs(5);

    /// Users and groups by the RFCs, at `base_url`, with every default below.
    ///
    /// A query or fragment of `base_url` counts for nothing.
    pub fn new(base_url: Url) -> Self {
        Self {
            base_url,
            registry: Registry::standard(),
            capabilities: Capabilities::default(),
            leniencies: Leniencies::default(),
            patch_response: PatchResponse::default(),
            cursors: None,
            check_members: true,
            nesting: Nesting::default(),
            canonical_values: CanonicalValues::default(),
            compute_groups: true,
            retry_after: Some(Self::RETRY_AFTER),
            limits: ServiceLimits::default(),
        }
    }

    /// The largest body of any request, in bytes: what a layer that reads bodies has to let through.
    pub fn max_body_bytes(&self) -> usize {
        let bulk = self.capabilities.bulk.map_or(0, |limits| limits.max_payload_size);
        self.limits.max_body_bytes.max(bulk)
    }
}

impl BulkLimits {
    /// The most operations by default: what RFC 7643 §8.5 shows, and the most that one request can
    /// keep a server busy with where each is a write of its own.
    pub const MAX_OPERATIONS: usize = 1000;
    /// The largest payload by default, 1 MiB: that of any other body, and what RFC 7643 §8.5 shows.
    pub const MAX_PAYLOAD_SIZE: usize = 1 << 20;
}

impl Default for BulkLimits {
    /// [`MAX_OPERATIONS`](Self::MAX_OPERATIONS) and [`MAX_PAYLOAD_SIZE`](Self::MAX_PAYLOAD_SIZE).
    fn default() -> Self {
        Self { max_operations: Self::MAX_OPERATIONS, max_payload_size: Self::MAX_PAYLOAD_SIZE }
    }
}

impl Config {
    /// The same configuration without what the store does not answer.
    pub(super) fn within(mut self, support: QuerySupport) -> Self {
        self.capabilities.sort &= support.sort;
        self.cursors = self.cursors.filter(|_| support.cursor);
        self
    }
}

impl Capabilities {
    /// The page size when the client names none, and the largest: positive both (RFC 9865 §4).
    pub(crate) fn page_sizes(&self) -> (usize, usize) {
        let most = self.max_results.max(1);
        (self.default_count.clamp(1, most), most)
    }
}

impl Default for Capabilities {
    /// PATCH, `/.search`, `/Bulk`, sorting and entity tags on; nothing passed over; pages of 100, as Okta, Entra ID and PagerDuty's own client ask
    /// for, and of 200 at most; one authentication scheme, OAuth bearer tokens (RFC 6750).
    fn default() -> Self {
        let mut bearer = Object::new();
        bearer.insert("type", "oauthbearertoken");
        bearer.insert("name", "OAuth Bearer Token");
        bearer.insert("description", "Authentication by a bearer token in the Authorization header");
        bearer.insert("specUri", "https://www.rfc-editor.org/info/rfc6750");
        bearer.insert("primary", true);
        Self {
            documentation_uri: None,
            patch: true,
            search: true,
            bulk: Some(BulkLimits::default()),
            max_results: 200,
            default_count: 100,
            sort: true,
            etag: true,
            change_password: false,
            authentication_schemes: vec![bearer.into()],
            discovery_location: true,
            resource_type_by_name: true,
            refuse_cursor: true,
        }
    }
}

impl Default for ServiceLimits {
    /// - `max_body_bytes` 1 MiB: a group of 5,000 members with `$ref` and `display`, written whole
    ///   by PUT, takes about that; an identity provider sends larger groups in parts.
    /// - `max_query_bytes` 16 KiB: twice what common proxies let through in a request line.
    /// - `filter` 8 KiB of text, 64 levels, 256 terms: what identity providers send has one or two.
    /// - `max_patch_operations` 1,000: JumpCloud sends one operation for each attribute, Okta up
    ///   to 100 for a group, and one operation may carry many members.
    /// - `max_group_levels` 16: directories nest groups a few levels deep.
    /// - `max_write_attempts` 64: each lost race means that another write was made, so that only
    ///   64 of them in the time of one can exhaust it.
    fn default() -> Self {
        Self {
            max_body_bytes: 1 << 20,
            max_query_bytes: 16 << 10,
            json: JsonLimits::default(),
            filter: scim_filter::Limits { max_bytes: 8 << 10, max_depth: 64, max_terms: 256 },
            max_patch_operations: 1000,
            max_write_attempts: 64,
            max_group_levels: 16,
        }
    }
}
