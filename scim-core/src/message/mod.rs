//! The messages of the protocol (RFC 7644 §8.2) and their schema URIs.

mod bulk;
mod list;
mod search;

pub use bulk::{BulkMethod, BulkOperation, BulkRequest, BulkResponse, BulkResult, InvalidOperation};
pub use list::ListResponse;
pub use search::SearchRequest;

use crate::value::{Object, Value};

/// `urn:ietf:params:scim:api:messages:2.0:ListResponse`
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// `urn:ietf:params:scim:api:messages:2.0:PatchOp`
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// `urn:ietf:params:scim:api:messages:2.0:SearchRequest`
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// `urn:ietf:params:scim:api:messages:2.0:BulkRequest`
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// `urn:ietf:params:scim:api:messages:2.0:BulkResponse`
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// `urn:ietf:params:scim:api:messages:2.0:Error`
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Whether the `schemas` of `message` list `uri`.
pub(crate) fn lists_schema(message: &Object, uri: &str) -> bool {
    let listed = message.get("schemas").and_then(Value::as_array).unwrap_or_default();
    listed.iter().filter_map(Value::as_str).any(|listed| listed.eq_ignore_ascii_case(uri))
}
