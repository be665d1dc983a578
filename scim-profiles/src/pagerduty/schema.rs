//! The attributes of PagerDuty's User.

use std::sync::LazyLock;

use scim_core::schema::{
    Attribute, AttributeType, Mutability, Registry, ResourceType, Returned, Schema, Uniqueness, builtin,
};

use super::roles::ROLE_VALUES;
use super::sources::{PROVISIONING, SCIM_API};
use crate::profile::AttributeRow;

/// The attributes; of those that are common to all SCIM resources, what PagerDuty says of its own.
///
/// The API description calls `timezone` writeOnly but has it in the example of a list, and the
/// support page calls it readable: it is readable here.
pub(super) const ATTRIBUTES: &[AttributeRow] = &[
    AttributeRow {
        case_exact: true,
        read_only: true,
        always_returned: true,
        unique: true,
        ..row("id", AttributeType::String, "PagerDuty's own identifier of the user, of 26 to 100 characters")
    },
    AttributeRow {
        case_exact: true,
        ..row(
            "externalId",
            AttributeType::String,
            "The client's own identifier of the user, of 1 to 100 characters; that no two users have the same is left to \
             the client",
        )
    },
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
    AttributeRow {
        read_only: true,
        always_returned: true,
        sub_attributes: &[AttributeRow {
            case_exact: true,
            read_only: true,
            values: &["User"],
            ..row("resourceType", AttributeType::String, "Always User")
        }],
        ..row("meta", AttributeType::Complex, "The type of resource, and nothing else")
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
    let own = ATTRIBUTES.iter().filter(|row| !row.is_common());
    let user = Schema {
        id: builtin::USER.to_owned(),
        name: "User".to_owned(),
        description: "PagerDuty user".to_owned(),
        attributes: own.map(AttributeRow::to_attribute).chain([license_seat()]).collect(),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The service serves the common attributes as the RFC has them: the rows say nothing else.
    #[test]
    fn rows_of_common_attributes_are_what_is_served() {
        let rows: Vec<_> = ATTRIBUTES.iter().filter(|row| row.is_common()).collect();
        assert_eq!(rows.iter().map(|row| row.name).collect::<Vec<_>>(), ["id", "externalId", "meta"]);
        for row in rows {
            let (said, served) = (row.to_attribute(), common(row.name));
            assert_eq!(
                (said.kind, said.multi_valued, said.required, said.case_exact, said.mutability),
                (served.kind, served.multi_valued, served.required, served.case_exact, served.mutability),
                "{}",
                row.name
            );
            assert_eq!(said.uniqueness, served.uniqueness, "{}", row.name);
            for sub in &said.sub_attributes {
                assert!(served.sub_attributes.iter().any(|one| one.name == sub.name), "{}", sub.name);
            }
        }
    }

    fn common(name: &str) -> &'static Attribute {
        builtin::common_attributes().iter().find(|attribute| attribute.name == name).unwrap()
    }
}
