//! The schemas of RFC 7643 §8.7, as data.
//!
//! Names, types and characteristics are those of the RFC; descriptions are this library's words.
//! Where the tables of §8.7 contradict the text or an erratum corrects them, the text or the
//! erratum is followed:
//!
//! | attribute | here | why |
//! |---|---|---|
//! | `Group.displayName` | required | erratum 5368: §4.2 says REQUIRED |
//! | `manager.value`, `manager.$ref` | not required | §4.3 says RECOMMENDED |
//! | `members.value`, `groups.value` | case-exact | they hold an `id`, which is (§3.1) |
//! | every reference | case-exact | §2.3.7: a reference is case exact |
//! | `Schema.name` | not required | §7 says OPTIONAL |

mod discovery;
mod enterprise_user;
mod group;
mod user;

pub use discovery::{resource_type, schema, service_provider_config};
pub use enterprise_user::enterprise_user;
pub use group::group;
pub use user::user;

use std::sync::LazyLock;

use super::{Attribute, ResourceType, Returned, SchemaExtension, Uniqueness};

/// `urn:ietf:params:scim:schemas:core:2.0:User`
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// `urn:ietf:params:scim:schemas:core:2.0:Group`
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// `urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig`
pub const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// `urn:ietf:params:scim:schemas:core:2.0:ResourceType`
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// `urn:ietf:params:scim:schemas:core:2.0:Schema`
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// The attributes every resource has, whatever its schema (RFC 7643 §3, §3.1): `schemas`, `id`,
/// `externalId`, `meta`.
///
/// `schemas` is returned always, as RFC 7643 §3 has every representation carry it.
pub fn common_attributes() -> &'static [Attribute] {
    static COMMON: LazyLock<[Attribute; 4]> = LazyLock::new(|| {
        [
            Attribute::string("schemas")
                .describe("URIs of the schemas the resource uses.")
                .multi_valued()
                .required()
                .returned(Returned::Always),
            Attribute::string("id")
                .describe("Identifier the service provider gave the resource.")
                .case_exact()
                .returned(Returned::Always)
                .unique(Uniqueness::Server)
                .read_only(),
            Attribute::string("externalId")
                .describe("Identifier the provisioning client gave the resource.")
                .case_exact(),
            Attribute::complex(
                "meta",
                [
                    Attribute::string("resourceType").describe("Name of the resource type.").case_exact(),
                    Attribute::date_time("created").describe("When the resource was created."),
                    Attribute::date_time("lastModified").describe("When the resource last changed."),
                    Attribute::reference("location", ["uri"]).describe("URI of the resource."),
                    Attribute::string("version").describe("Entity tag of this state.").case_exact(),
                ],
            )
            .describe("What the service provider knows about the resource.")
            .read_only(),
        ]
    });
    &*COMMON
}

/// The User resource type, with the enterprise extension optional.
pub fn user_resource_type() -> ResourceType {
    ResourceType {
        name: "User".to_owned(),
        description: "User accounts".to_owned(),
        endpoint: "/Users".to_owned(),
        schema: USER.to_owned(),
        schema_extensions: vec![SchemaExtension { schema: ENTERPRISE_USER.to_owned(), required: false }],
    }
}

/// The Group resource type.
pub fn group_resource_type() -> ResourceType {
    ResourceType {
        name: "Group".to_owned(),
        description: "Groups of users and of other groups".to_owned(),
        endpoint: "/Groups".to_owned(),
        schema: GROUP.to_owned(),
        schema_extensions: Vec::new(),
    }
}
