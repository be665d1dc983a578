//! The schemas of RFC 7643 §8.7, as data.

use super::{ResourceType, Schema};

/// `urn:ietf:params:scim:schemas:core:2.0:User`
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// `urn:ietf:params:scim:schemas:core:2.0:Group`
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The User schema (RFC 7643 §4.1).
pub fn user() -> Schema {
    todo!()
}

/// The Group schema (RFC 7643 §4.2).
pub fn group() -> Schema {
    todo!()
}

/// The enterprise User extension (RFC 7643 §4.3).
pub fn enterprise_user() -> Schema {
    todo!()
}

/// The User resource type, with the enterprise extension optional.
pub fn user_resource_type() -> ResourceType {
    todo!()
}

/// The Group resource type.
pub fn group_resource_type() -> ResourceType {
    todo!()
}
