//! The messages of the protocol (RFC 7644 §8.2) and their schema URIs.

mod list;

pub use list::ListResponse;

/// `urn:ietf:params:scim:api:messages:2.0:ListResponse`
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// `urn:ietf:params:scim:api:messages:2.0:PatchOp`
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// `urn:ietf:params:scim:api:messages:2.0:Error`
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
