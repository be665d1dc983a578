//! What PagerDuty wants of a User payload.

use scim_core::ScimType;

use super::roles::{OWNER, ROLE_VALUES};
use super::sources::{
    CHANGELOG, ENTRA_GUIDE, OKTA_PAGE, ONELOGIN_GUIDE, PERMISSIONS, PROVISIONING, REST_API, RFC7643, RFC7644,
    SCIM_API,
};
use crate::rule::{Check, Literal, On, Rule, error, warning};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

const TRUE: Literal = Literal::Bool(true);
const FALSE: Literal = Literal::Bool(false);

/// The rules, in the order in which violations are reported.
pub(super) const RULES: &[Rule] = &[
    // The message as a whole.
    Rule {
        scim_type: ScimType::InvalidSyntax,
        ..error(
            "patch-operation",
            "",
            Check::Operation,
            "operations and paths of a PATCH can be read",
            RFC7644,
        )
    },
    error(
        "resource-type",
        "",
        Check::ResourceType,
        "there are users and no groups; group mappings are to be switched off",
        ENTRA_GUIDE,
    ),
    // PagerDuty's guide maps Entra ID's `active` to the strings "true" and "false": such strings
    // are a matter of `value-plain`, not of this rule.
    error("attribute-type", "", Check::Type, "values have the type the schema says", RFC7643),
    error(
        "text-without-nul",
        "",
        Check::Text,
        "no text holds U+0000, which not every database can keep",
        RFC7643.decided("not every store can keep it"),
    ),
    warning(
        "attribute-known",
        "",
        Check::Known,
        "name, emails, groups, password, locale and everything else outside the schema is ignored",
        SCIM_API.decided("it says so of all other properties, and names none"),
    ),
    warning(
        "value-plain",
        "",
        Check::Plain,
        "what is not written as the RFCs have it may be read otherwise by the vendor",
        RFC7643.decided("a warning, which refuses nothing"),
    ),
    Rule {
        on: On::WHOLE,
        ..warning("schemas-user", "schemas", Check::Lists(USER), "`schemas` lists the User schema", RFC7643)
    },
    // userName
    error("user-name-required", "userName", Check::Required, "every user has a userName", SCIM_API),
    error(
        "user-name-length",
        "userName",
        Check::Length { min: 1, max: 100 },
        "userName has 1 to 100 characters",
        SCIM_API,
    ),
    error("user-name-email", "userName", Check::Email, "userName is the user's e-mail address", SCIM_API),
    // displayName
    error("display-name-required", "displayName", Check::Required, "every user has a displayName", SCIM_API),
    error(
        "display-name-length",
        "displayName",
        Check::Length { min: 1, max: 255 },
        "displayName has 1 to 255 characters",
        SCIM_API,
    ),
    warning(
        "display-name-rest-length",
        "displayName",
        Check::Length { min: 0, max: 100 },
        "a user's name has at most 100 characters in PagerDuty's REST API",
        REST_API.decided("a warning, which refuses nothing: the two APIs have the same users"),
    ),
    // externalId
    error(
        "external-id-length",
        "externalId",
        Check::Length { min: 1, max: 100 },
        "externalId has 1 to 100 characters",
        SCIM_API,
    ),
    // active
    Rule {
        on: On::CREATE,
        ..error("active-create", "active", Check::Not(FALSE), "users cannot be created inactive", SCIM_API)
    },
    Rule {
        on: On::CHANGE,
        ..warning(
            "active-deletes",
            "active",
            Check::Not(FALSE),
            "deletes the user for good; there is no reactivation",
            PROVISIONING,
        )
    },
    // roles
    Rule {
        scim_type: ScimType::Mutability,
        ..error(
            "roles-kept",
            "roles",
            Check::Kept,
            "every user has a role, which can only be replaced",
            SCIM_API.decided("a user without a role cannot be answered, by the API description"),
        )
    },
    error("roles-single", "roles", Check::SingleElement, "a user has one role", SCIM_API),
    error("role-value-required", "roles[].value", Check::Required, "a role is named by its value", SCIM_API),
    error(
        "role-owner",
        "roles[].value",
        Check::NoneOf(&[OWNER]),
        "the account owner's role cannot be given by an API",
        // The page names the REST API and SAML.
        PROVISIONING.decided("that no API gives it is stated; 400 is that of any value that is not taken"),
    ),
    error(
        "role-known",
        "roles[].value",
        Check::OneOf(ROLE_VALUES),
        "roles have values of a fixed list",
        PERMISSIONS,
    ),
    warning(
        "role-ability",
        "roles[].value",
        Check::NoneOf(&["read_only_user", "read_only_limited_user", "observer", "restricted_access"]),
        "the account needs the ability `read_only_users` or advanced permissions for this role",
        REST_API,
    ),
    warning(
        "role-retired",
        "roles[].value",
        Check::NoneOf(&["team_responder"]),
        "this role is retired; `observer` took its place",
        OKTA_PAGE,
    ),
    error("role-primary", "roles[].primary", Check::Only(TRUE), "a user's only role is primary", CHANGELOG),
    error(
        "role-form",
        "roles[]",
        Check::AnyMember(&[("primary", TRUE), ("type", Literal::Text("base"))]),
        "a role has `primary` `true` or `type` `base`, besides `value`",
        CHANGELOG,
    ),
    warning(
        "role-type",
        "roles[].type",
        Check::OneOf(&["base"]),
        "the type of a role is ignored and becomes `base`",
        CHANGELOG,
    ),
    // entitlements
    error(
        "entitlements-single",
        "entitlements",
        Check::SingleElement,
        "a user has one entitlement, the licence",
        SCIM_API,
    ),
    error(
        "entitlement-value-required",
        "entitlements[].value",
        Check::Required,
        "an entitlement names a licence by its id",
        SCIM_API,
    ),
    error(
        "entitlement-type-required",
        "entitlements[].type",
        Check::Required,
        "an entitlement has the type `license`",
        SCIM_API,
    ),
    error(
        "entitlement-type",
        "entitlements[].type",
        Check::OneOf(&["license", "base"]),
        "an entitlement has the type `license`",
        SCIM_API,
    ),
    warning(
        "entitlement-type-base",
        "entitlements[].type",
        Check::NoneOf(&["base"]),
        "PagerDuty's OneLogin template has it, but its API names `license` alone; taken as `license`",
        ONELOGIN_GUIDE.decided("whoever follows the guide sends it"),
    ),
    // title and timezone
    warning(
        "title-length",
        "title",
        Check::Length { min: 0, max: 100 },
        "a job title has at most 100 characters in PagerDuty's REST API",
        REST_API.decided("a warning, which refuses nothing: the two APIs have the same users"),
    ),
    error(
        "timezone-iana",
        "timezone",
        Check::TimeZone,
        "time zones have names of the IANA database",
        SCIM_API,
    ),
];
