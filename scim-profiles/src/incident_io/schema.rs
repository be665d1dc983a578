//! What users have besides RFC 7643: the effective access, which nobody writes.

use std::sync::LazyLock;

use scim_core::schema::{Attribute, Registry, ResourceType, Schema, SchemaExtension, Uniqueness, builtin};

use super::access::BaseRole;

/// The extension of User that says what a user is and has: whether they are active, and what the groups they are
/// in give. `active` of the User is what the identity provider says, whether the user is assigned; here it is what
/// incident.io makes of that.
///
/// It is this library's own: incident.io shows the same in its list of users, not by SCIM.
pub const EFFECTIVE_ACCESS: &str = "urn:scim-profiles:schemas:incident-io:1.0:EffectiveAccess";

/// RFC 7643's users and groups; users with [`EFFECTIVE_ACCESS`], and groups by distinct names, since by
/// these they are mapped.
pub(super) fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(build);
    &REGISTRY
}

#[expect(
    clippy::expect_used,
    reason = "built from what is above, which every test of the profile builds too"
)]
fn build() -> Registry {
    let mut group = builtin::group();
    if let Some(name) = group.attribute_mut("displayName") {
        name.uniqueness = Uniqueness::Server;
    }
    let access = Schema {
        id: EFFECTIVE_ACCESS.to_owned(),
        name: "EffectiveAccess".to_owned(),
        description: "What a user has in incident.io by their groups".to_owned(),
        attributes: vec![
            Attribute::boolean("active").describe(
                "Whether the user is active: as long as assigned, and then as long as active in Slack",
            ),
            Attribute::string("baseRole")
                .canonical(BaseRole::ALL.map(BaseRole::as_str))
                .describe("Highest base role that a group gives"),
            Attribute::string("customRoles")
                .multi_valued()
                .case_exact()
                .describe("Custom roles of all groups"),
            Attribute::string("permissions")
                .multi_valued()
                .case_exact()
                .describe("What the custom roles permit, beyond the base role"),
            Attribute::boolean("responderSeat").describe("Whether there is a responder's seat"),
            Attribute::string("onCallSeat")
                .canonical(["none", "held", "managed"])
                .describe("On-call seat: none, one that can be revoked by hand, or one by a group"),
        ]
        .into_iter()
        .map(Attribute::read_only)
        .collect(),
    };
    let users = ResourceType {
        schema_extensions: [builtin::ENTERPRISE_USER, EFFECTIVE_ACCESS]
            .map(|uri| SchemaExtension { schema: uri.to_owned(), required: false })
            .into(),
        ..builtin::user_resource_type()
    };
    let schemas = vec![builtin::user(), builtin::enterprise_user(), access, group];
    Registry::new(schemas, vec![users, builtin::group_resource_type()]).expect("the schemas fit the types")
}
