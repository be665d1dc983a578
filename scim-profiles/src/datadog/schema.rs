//! The attributes of Datadog's users and groups, and the records of its teams.

use std::sync::LazyLock;

use scim_core::schema::{
    Attribute, AttributeType, Mutability, Registry, ResourceSchema, ResourceType, Schema, Uniqueness, builtin,
};

use super::sources::{API, OKTA};
use crate::profile::AttributeRow;

/// The attributes of users; `schemas`, `id` and `meta` are common to all SCIM resources, and `externalId`
/// is not among those that Datadog's users have.
pub(super) const USER: &[AttributeRow] = &[
    AttributeRow {
        required: true,
        unique: true,
        ..row("userName", AttributeType::String, "Unique identifier of the user")
    },
    row("active", AttributeType::Boolean, "Whether the user may use Datadog"),
    AttributeRow {
        sub_attributes: &[row("formatted", AttributeType::String, "The full name, ready to be shown")],
        ..row("name", AttributeType::Complex, "The user's name")
    },
    row("title", AttributeType::String, "Job title"),
    AttributeRow {
        multi_valued: true,
        sub_attributes: &[
            row("value", AttributeType::String, "The address"),
            AttributeRow {
                values: &["work"],
                ..row("type", AttributeType::String, "Kind of address; work alone is documented")
            },
            row("primary", AttributeType::Boolean, "Whether it is the primary address"),
        ],
        ..row("emails", AttributeType::Complex, "E-mail addresses")
    },
    AttributeRow {
        multi_valued: true,
        source: OKTA,
        sub_attributes: &[
            AttributeRow { source: OKTA, ..row("value", AttributeType::String, "UUID of the role") },
            AttributeRow { source: OKTA, ..row("display", AttributeType::String, "Name of the role") },
            AttributeRow {
                source: OKTA,
                ..row("type", AttributeType::String, "The slot that the role was sent in, as `slot1`")
            },
            AttributeRow {
                source: OKTA,
                ..row("primary", AttributeType::Boolean, "Whether it is the primary role")
            },
        ],
        ..row("roles", AttributeType::Complex, "The user's roles")
    },
];

/// The attributes of groups; `externalId` is common to all SCIM resources.
pub(super) const GROUP: &[AttributeRow] = &[
    AttributeRow {
        required: true,
        unique: true,
        ..row("displayName", AttributeType::String, "Name of the group, and of its team")
    },
    AttributeRow {
        multi_valued: true,
        sub_attributes: &[
            AttributeRow { case_exact: true, ..row("value", AttributeType::String, "Identifier of a user") },
            AttributeRow {
                values: &["User"],
                ..row("type", AttributeType::String, "Only supported value is User")
            },
            row("display", AttributeType::String, "Full name of the user"),
            AttributeRow { case_exact: true, ..row("$ref", AttributeType::Reference, "URI of the user") },
        ],
        ..row("members", AttributeType::Complex, "The users in the group, and in its team")
    },
];

/// The name of the schema and the type of a team's record, which no client sees.
const TEAM: &str = "urn:scim-profiles:schemas:datadog:1.0:Team";

/// Users and groups.
pub(super) fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| build(true));
    &REGISTRY
}

/// Users alone: what an organisation without managed teams has.
pub(super) fn users() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| build(false));
    &REGISTRY
}

#[expect(clippy::expect_used, reason = "built from the constants above, which every test builds too")]
fn build(with_groups: bool) -> Registry {
    let attributes = |rows: &[AttributeRow]| rows.iter().map(AttributeRow::to_attribute).collect();
    let user = Schema {
        id: builtin::USER.to_owned(),
        name: "User".to_owned(),
        description: "Datadog user".to_owned(),
        attributes: attributes(USER),
    };
    let users = ResourceType {
        description: "Datadog user".to_owned(),
        schema_extensions: Vec::new(),
        ..builtin::user_resource_type()
    };
    if !with_groups {
        return Registry::new(vec![user], vec![users]).expect("the attribute rows make a schema");
    }
    let mut group = Schema {
        id: builtin::GROUP.to_owned(),
        name: "Group".to_owned(),
        description: "Group whose team is managed by the identity provider".to_owned(),
        attributes: attributes(GROUP),
    };
    if let Some(members) = group.attribute_mut("members") {
        for sub in &mut members.sub_attributes {
            sub.mutability = Mutability::Immutable;
            if sub.kind == AttributeType::Reference {
                sub.reference_types = vec!["User".to_owned()];
            }
        }
    }
    Registry::new(vec![user, group], vec![users, builtin::group_resource_type()])
        .expect("the attribute rows make schemas")
}

/// The records that a store has of teams: what is not said by the group that manages one.
#[expect(clippy::expect_used, reason = "built from what is here, which every test of teams builds too")]
pub(super) fn team() -> &'static ResourceSchema {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
        let schema = Schema {
            id: TEAM.to_owned(),
            name: "Team".to_owned(),
            description: "Team of an organisation".to_owned(),
            attributes: vec![
                Attribute::string("name").case_exact().describe("Name"),
                Attribute::string("handle").case_exact().unique(Uniqueness::Server).describe("Handle"),
                Attribute::string("group")
                    .case_exact()
                    .unique(Uniqueness::Server)
                    .describe("The group that manages the team"),
                Attribute::string("people")
                    .multi_valued()
                    .case_exact()
                    .describe("Who is in a team that no group manages"),
            ],
        };
        let teams = ResourceType {
            name: "Team".to_owned(),
            description: "Team of an organisation".to_owned(),
            endpoint: "/Teams".to_owned(),
            schema: TEAM.to_owned(),
            schema_extensions: Vec::new(),
        };
        Registry::new(vec![schema], vec![teams]).expect("the schema fits the type")
    });
    REGISTRY.by_name("Team").expect("the one type there is")
}

const fn row(name: &'static str, kind: AttributeType, description: &'static str) -> AttributeRow {
    AttributeRow::new(name, kind, description, API)
}
