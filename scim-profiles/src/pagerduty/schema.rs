//! The attributes of PagerDuty's User.

use std::sync::LazyLock;

use scim_core::schema::{
    Attribute, AttributeType, Mutability, Registry, ResourceType, Returned, Schema, Uniqueness, builtin,
};

use super::roles::ROLE_VALUES;
use super::sources::{PROVISIONING, SCIM_API};
use crate::profile::AttributeRow;

/// The attributes; `schemas`, `id`, `externalId` and `meta` are common to all SCIM resources.
///
/// The API description calls `timezone` writeOnly but has it in the example of a list, and the
/// support page calls it readable: it is readable here.
pub(super) const ATTRIBUTES: &[AttributeRow] = &[
    AttributeRow {
        required: true,
        always_returned: true,
        unique: true,
        ..row("userName", AttributeType::String, "E-mail address the user signs in with")
    },
    AttributeRow {
        required: true,
        always_returned: true,
        ..row("displayName", AttributeType::String, "Name shown in PagerDuty")
    },
    AttributeRow {
        always_returned: true,
        ..row("active", AttributeType::Boolean, "Setting it to false deletes the user")
    },
    row("title", AttributeType::String, "Job title"),
    AttributeRow {
        case_exact: true,
        source: PROVISIONING,
        ..row("timezone", AttributeType::String, "Time zone, by its name in the IANA database")
    },
    AttributeRow {
        multi_valued: true,
        always_returned: true,
        sub_attributes: &[
            AttributeRow {
                required: true,
                case_exact: true,
                values: ROLE_VALUES,
                ..row("value", AttributeType::String, "Account role")
            },
            AttributeRow {
                values: &["base"],
                ..row("type", AttributeType::String, "Always base on output; any string on input")
            },
            row("primary", AttributeType::Boolean, "Always true"),
        ],
        ..row("roles", AttributeType::Complex, "The user's account role, as the only element")
    },
    AttributeRow {
        multi_valued: true,
        sub_attributes: &[
            AttributeRow {
                required: true,
                case_exact: true,
                ..row("value", AttributeType::String, "Id of the licence")
            },
            AttributeRow { values: &["license"], ..row("type", AttributeType::String, "Always license") },
        ],
        ..row("entitlements", AttributeType::Complex, "The user's licence, as the only element")
    },
];

/// The hidden attribute that numbers the users of a licence; none of PagerDuty's.
///
/// No client reads or writes it, and `/Schemas` does not tell of it. It is unique, which is what keeps a
/// licence from having more users than allocations.
pub(super) const LICENSE_SEAT: &str = "licenseSeat";

fn license_seat() -> Attribute {
    let mut seat = Attribute::new(LICENSE_SEAT, AttributeType::String).describe("Number of an allocation");
    seat.case_exact = true;
    seat.mutability = Mutability::ReadOnly;
    seat.returned = Returned::Never;
    seat.uniqueness = Uniqueness::Server;
    seat
}

/// Users alone: PagerDuty has no Groups endpoint.
pub(super) fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(build);
    &REGISTRY
}

#[expect(clippy::expect_used, reason = "built from the constants above, which a test builds too")]
fn build() -> Registry {
    let user = Schema {
        id: builtin::USER.to_owned(),
        name: "User".to_owned(),
        description: "PagerDuty user".to_owned(),
        attributes: ATTRIBUTES.iter().map(AttributeRow::to_attribute).chain([license_seat()]).collect(),
    };
    let users = ResourceType {
        name: "User".to_owned(),
        description: "PagerDuty user".to_owned(),
        endpoint: "/Users".to_owned(),
        schema: builtin::USER.to_owned(),
        schema_extensions: Vec::new(),
    };
    Registry::new(vec![user], vec![users]).expect("the attribute rows make a schema")
}

const fn row(name: &'static str, kind: AttributeType, description: &'static str) -> AttributeRow {
    AttributeRow::new(name, kind, description, SCIM_API)
}
