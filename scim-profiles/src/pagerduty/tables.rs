//! The PagerDuty profile, row by row.

use std::sync::Arc;

use super::policy::PagerDuty;
use super::rules::RULES;
use super::schema::{ATTRIBUTES, registry};
use super::sources::{
    ENTRA_GUIDE, ENTRA_SCIM, LICENSE_ISSUE, OFFBOARDING, OKTA_GUIDE, ONELOGIN_GUIDE, PERMISSIONS,
    PROVISIONING, REGIONS, REST_API, RFC7643, RFC7644, SCIM_API, TERRAFORM, TERRAFORM_USER,
};
use crate::profile::{
    Authorization, BaseUrl, Behaviour, Capability, CapabilityValue, Endpoint, ErrorBody, ErrorStyle,
    Filterable, Filters, Lifecycle, OptionRow, Profile, ResourceProfile, RowKind,
};
use crate::rule::Literal;

/// PagerDuty, as data.
pub static PROFILE: Profile = Profile {
    name: "pagerduty",
    title: "PagerDuty user provisioning",
    base_urls: &[
        BaseUrl { region: "us", url: "https://api.pagerduty.com/scim/v2", source: SCIM_API },
        BaseUrl {
            region: "eu",
            url: "https://api.eu.pagerduty.com/scim/v2",
            source: REGIONS.left_to(&["base_url"]),
        },
    ],
    endpoints: ENDPOINTS,
    capabilities: CAPABILITIES,
    authorization: &[
        Authorization { prefix: "Bearer ", sent_by: "OAuth clients", source: SCIM_API },
        Authorization {
            prefix: "Token token=",
            sent_by: "Okta, and API keys in general",
            source: OKTA_GUIDE,
        },
        Authorization {
            prefix: "Bearer token=",
            sent_by: "OneLogin",
            source: ONELOGIN_GUIDE.decided("the guide has `token=` typed into the field of a bearer token"),
        },
        Authorization {
            prefix: "Bearer token=",
            sent_by: "Microsoft Entra ID",
            source: ENTRA_GUIDE.decided("the guide has `token=` typed into the field of a bearer token"),
        },
    ],
    resources: &[ResourceProfile {
        resource_type: "User",
        attributes: ATTRIBUTES,
        rules: RULES,
        filters: Filters::Only(&[
            Filterable { attribute: "userName", operators: &["eq"], source: SCIM_API },
            Filterable {
                attribute: "externalId",
                operators: &["eq"],
                source: SCIM_API.decided("`eq` is what finds one; no other operator is documented"),
            },
        ]),
        deactivation_deletes: true,
    }],
    lifecycle: LIFECYCLE,
    options: OPTIONS,
    errors: ErrorStyle {
        body: ErrorBody::Rfc7644,
        duplicate: 400,
        source: SCIM_API.left_to(&["duplicate_status"]),
    },
    behaviour: Behaviour {
        registry,
        config: super::config,
        leniencies: super::leniencies,
        policy: || Arc::new(PagerDuty::default()),
        tables: super::roles::tables,
        new_id: super::new_id,
    },
};

const READ: &[u16] = &[200, 400, 401, 403, 500];
const READ_ONE: &[u16] = &[200, 400, 401, 403, 404, 500];
const WRITE_ONE: &[u16] = &[200, 204, 400, 401, 403, 404, 500];

const ENDPOINTS: &[Endpoint] = &[
    read("/ResourceTypes", READ),
    read("/ServiceProviderConfig", READ),
    read("/Schemas", READ),
    read("/Schemas/{id}", READ_ONE),
    read("/Users", READ),
    write("POST", "/Users", &[201, 400, 401, 403, 500]),
    read("/Users/{id}", READ_ONE),
    write("PUT", "/Users/{id}", WRITE_ONE),
    write("PATCH", "/Users/{id}", WRITE_ONE),
    write("DELETE", "/Users/{id}", &[204, 400, 401, 403, 404, 500]),
];

const fn read(path: &'static str, statuses: &'static [u16]) -> Endpoint {
    Endpoint { method: "GET", path, statuses, scope: Some("users.read"), source: SCIM_API }
}

const fn write(method: &'static str, path: &'static str, statuses: &'static [u16]) -> Endpoint {
    Endpoint { method, path, statuses, scope: Some("users.write"), source: SCIM_API }
}

/// The values are those of the example in the API description; the document that the service serves was not there
/// to be read.
const CAPABILITIES: &[Capability] = &[
    flag("patch.supported", true),
    flag("bulk.supported", false),
    number("bulk.maxOperations", 1000),
    number("bulk.maxPayloadSize", 1_048_576),
    flag("filter.supported", true),
    number("filter.maxResults", 100),
    flag("changePassword.supported", false),
    flag("sort.supported", false),
    flag("etag.supported", false),
    text("authenticationSchemes.type", "oauthbearertoken"),
    text("authenticationSchemes.name", "Bearer Token"),
    text("authenticationSchemes.specUri", "https://www.rfc-editor.org/info/rfc6750"),
    flag("authenticationSchemes.primary", true),
    number("itemsPerPage", 100),
];

const fn flag(name: &'static str, value: bool) -> Capability {
    Capability {
        name,
        value: CapabilityValue::Literal(Literal::Bool(value)),
        source: SCIM_API.decided(
            "the description has it as an example; what the service says is shown to customers alone",
        ),
    }
}

const fn number(name: &'static str, value: usize) -> Capability {
    Capability {
        name,
        value: CapabilityValue::Number(value),
        source: SCIM_API.decided(
            "the description has it as an example; what the service says is shown to customers alone",
        ),
    }
}

const fn text(name: &'static str, value: &'static str) -> Capability {
    Capability {
        name,
        value: CapabilityValue::Literal(Literal::Text(value)),
        source: SCIM_API.decided(
            "the description has it as an example; what the service says is shown to customers alone",
        ),
    }
}

const LIFECYCLE: &[Lifecycle] = &[
    Lifecycle {
        id: "deactivation-deletes",
        statement: "a PATCH that ends with `active` `false` deletes the user",
        kind: RowKind::Effect,
        status: Some(204),
        source: SCIM_API,
    },
    Lifecycle {
        id: "deactivation-deletes-put",
        statement: "a PUT that ends with `active` `false` deletes the user as well",
        kind: RowKind::Effect,
        status: Some(204),
        // 204 is declared for PUT too; what it means is said for PATCH alone.
        source: SCIM_API.decided("204, which only a deletion answers, is declared for PUT too"),
    },
    Lifecycle {
        id: "deactivation-wins",
        statement: "what else a deactivation asks for is neither done nor judged by the rules of what is stored",
        kind: RowKind::Effect,
        status: Some(204),
        source: SCIM_API.decided("nobody is there any more of whom anything else could hold"),
    },
    Lifecycle {
        id: "no-reactivation",
        statement: "a deleted user is gone: reactivating it finds nothing, and creating it makes another user",
        kind: RowKind::Refusal,
        status: Some(404),
        source: PROVISIONING.decided("that a new user is created is stated; 404 is HTTP's"),
    },
    Lifecycle {
        id: "reactivation-okta",
        statement: "Okta, which is told 404 for the user it reactivates, looks it up by userName and creates \
                    another user",
        kind: RowKind::Effect,
        status: Some(201),
        source: PROVISIONING.decided("it is the identity provider that does it, and ends as is stated"),
    },
    Lifecycle {
        id: "reactivation-onelogin",
        statement: "OneLogin, which is told 404 for the user it updates, shows a provisioning error",
        kind: RowKind::Refusal,
        status: Some(404),
        source: PROVISIONING.decided("it is the identity provider that does it, and ends as is stated"),
    },
    Lifecycle {
        id: "reactivation-entra",
        statement: "Entra ID, to which the user is new again, looks it up by the matching attribute and \
                    creates another user",
        kind: RowKind::Effect,
        status: Some(201),
        // The guide says that users are matched before they are created; not what becomes of a user whose
        // deactivation deleted it.
        source: ENTRA_SCIM.decided("it is the identity provider that does it"),
    },
    Lifecycle {
        id: "default-role",
        statement: "a user created without a role gets the role `user`",
        kind: RowKind::Effect,
        status: None,
        // The page says so of the REST API and SAML; the API description speaks of a default alone.
        source: PERMISSIONS.left_to(&["default_role"]),
    },
    Lifecycle {
        id: "role-full-form",
        statement: "a role is answered as `value`, `type` `base` and `primary` `true`, however it was sent",
        kind: RowKind::Effect,
        status: None,
        source: SCIM_API,
    },
    Lifecycle {
        id: "role-omitted",
        statement: "a PUT without `roles` leaves the role as it is",
        kind: RowKind::Effect,
        status: None,
        source: RFC7644.left_to(&["role_omitted"]),
    },
    Lifecycle {
        id: "role-emptied",
        statement: "a PUT with `roles` that are null or an empty array takes the role away: the default one takes its place",
        kind: RowKind::Effect,
        status: None,
        source: RFC7643.left_to(&["role_emptied"]),
    },
    Lifecycle {
        id: "role-added",
        statement: "a role or licence that a PATCH adds takes the place of the one there is",
        kind: RowKind::Effect,
        status: None,
        source: SCIM_API.decided("there is one role and one licence, by the API description"),
    },
    Lifecycle {
        id: "role-ability-needed",
        statement: "a role whose ability the account does not have is refused",
        kind: RowKind::Refusal,
        status: Some(400),
        source: REST_API.left_to(&["read_only_users", "advanced_permissions"]),
    },
    Lifecycle {
        id: "stale-license",
        statement: "a new role that the licence there was is not for drops it, sent again or not, by that write or a later one: \
                    who has a licence for the role keeps it where another comes that is not",
        kind: RowKind::Effect,
        status: None,
        source: TERRAFORM.left_to(&["stale_license"]),
    },
    Lifecycle {
        id: "license-known",
        statement: "with the account's licences given, a licence that is none of them is refused",
        kind: RowKind::Refusal,
        status: Some(400),
        // Names are not unique in the example of the list, so licences are known by their ids.
        source: REST_API.left_to(&["licenses"]),
    },
    Lifecycle {
        id: "license-role",
        statement: "a licence is for the roles in its `valid_roles`; who has none for the role is refused one that is not \
                    for it",
        kind: RowKind::Refusal,
        status: Some(400),
        // The page states what holds, and not the status.
        source: TERRAFORM_USER.left_to(&["licenses"]),
    },
    Lifecycle {
        id: "license-exhausted",
        statement: "a licence that all its users have is refused, and nothing of the write is stored",
        kind: RowKind::Refusal,
        status: Some(400),
        // Status and words are those of the REST API.
        source: LICENSE_ISSUE.left_to(&["licenses"]),
    },
    Lifecycle {
        id: "license-in-use",
        statement: "who has a licence by what the account says (`current_value`) counts beside the users here: only what \
                    is in `allocations_available` is given",
        kind: RowKind::Effect,
        status: None,
        // What the two numbers are is stated; that a rehearsal begins without the users there are is ours.
        source: REST_API.left_to(&["licenses_in_use"]),
    },
    Lifecycle {
        id: "license-default",
        statement: "who asks for no licence gets one: the first of the account's that is for the role and \
                    has an allocation",
        kind: RowKind::Effect,
        status: None,
        // That there is a default is stated, not which.
        source: SCIM_API.left_to(&["licenses"]),
    },
    Lifecycle {
        id: "license-kept",
        statement: "a write that names no licence leaves the one there is, as long as the role may have it",
        kind: RowKind::Effect,
        status: None,
        source: TERRAFORM.left_to(&["licenses"]),
    },
    Lifecycle {
        id: "license-swapped",
        statement: "a change between a full user's role and a stakeholder's takes a licence of the other \
                    group, and gives the former back",
        kind: RowKind::Effect,
        status: None,
        source: TERRAFORM.left_to(&["licenses"]),
    },
    Lifecycle {
        id: "license-freed",
        statement: "the allocation of a deleted user can be given to another",
        kind: RowKind::Effect,
        status: None,
        source: REST_API.left_to(&["licenses"]),
    },
    Lifecycle {
        id: "owner-protected",
        statement: "the one account owner, whom no API makes, is neither changed nor deleted",
        kind: RowKind::Refusal,
        status: Some(403),
        source: PERMISSIONS.left_to(&["owner"]),
    },
    Lifecycle {
        id: "incident-blocks-deletion",
        statement: "a user with assigned incidents is not deleted, unless incidents are reassigned",
        kind: RowKind::Refusal,
        status: Some(400),
        // The page says that it is refused; the status is that of the REST API.
        source: PROVISIONING.left_to(&["offboarding"]),
    },
    Lifecycle {
        id: "reassignment-unblocks-deletion",
        statement: "with incident reassignment on, assigned incidents do not stand in the way of deletion",
        kind: RowKind::Effect,
        status: Some(204),
        source: OFFBOARDING,
    },
    Lifecycle {
        id: "reassignment-asynchronous",
        statement: "the deletion is answered before the incidents are reassigned",
        kind: RowKind::Effect,
        status: Some(204),
        source: REST_API,
    },
    Lifecycle {
        id: "reassignment-needs-plan",
        statement: "an account whose plan has no incident reassignment does not delete a user with assigned \
                    incidents",
        kind: RowKind::Refusal,
        status: Some(400),
        // The page says that it is refused; the status is that of the REST API.
        source: PROVISIONING.left_to(&["plan"]),
    },
    Lifecycle {
        id: "duplicate-user",
        statement: "a userName that is taken is refused with `uniqueness`",
        kind: RowKind::Refusal,
        status: Some(400),
        source: SCIM_API.left_to(&["duplicate_status"]),
    },
    Lifecycle {
        id: "filter-limited",
        statement: "users are found by one `eq` on userName or externalId, and by nothing else",
        kind: RowKind::Refusal,
        status: Some(400),
        source: SCIM_API.decided("the filters are documented; that another is 400 is RFC 7644's"),
    },
    Lifecycle {
        id: "add-taken",
        statement: "PATCH takes `add`, which the API description does not speak of and Entra ID sends",
        kind: RowKind::Effect,
        status: None,
        source: SCIM_API.decided("Entra ID can do nothing without"),
    },
    Lifecycle {
        id: "no-other-endpoint",
        statement: "`/Groups`, `/Me`, `/Bulk`, `/.search` and `/ResourceTypes/{id}` are not found, and nor is a method that \
                    an endpoint does not have, as in `PUT /Users`",
        kind: RowKind::Refusal,
        status: Some(404),
        source: SCIM_API.decided("404 is HTTP's, and 405 is declared nowhere"),
    },
    Lifecycle {
        id: "body-refused",
        statement: "a body that is not JSON by its media type or is too large, and a query that is too long, are refused",
        kind: RowKind::Refusal,
        status: Some(400),
        source: SCIM_API.decided("it is the one declared status that says so; HTTP's own are not declared"),
    },
    Lifecycle {
        id: "cursor-ignored",
        statement: "a `cursor` means nothing: pages are asked for by `startIndex`",
        kind: RowKind::Effect,
        status: None,
        source: SCIM_API
            .decided("it is no parameter of the description, and `invalidCursor` no declared reason"),
    },
];

const OPTIONS: &[OptionRow] = &[
    OptionRow {
        name: "duplicate_status",
        default: "400",
        statement: "the status for a userName that is taken",
        source: SCIM_API.left_to(&["duplicate_status"]),
    },
    OptionRow {
        name: "offboarding",
        default: "fail",
        statement: "whether the deletion of a user with assigned incidents is refused (`fail`) or makes their \
                    reassignment begin (`reassign`)",
        source: OFFBOARDING,
    },
    OptionRow {
        name: "plan",
        default: "enterprise",
        statement: "what the account pays for: `business`, `digital-operations`, `enterprise`, or `other`, \
                    which has no incident reassignment",
        source: PROVISIONING,
    },
    OptionRow {
        name: "owner",
        default: "full",
        statement: "what of the account owner is protected: everything (`full`), the role and that there is \
                    one (`role`), or nothing (`none`)",
        source: PERMISSIONS.left_to(&["owner"]),
    },
    OptionRow {
        name: "default_role",
        default: "user",
        statement: "the role of who is created without one",
        source: PERMISSIONS.left_to(&["default_role"]),
    },
    OptionRow {
        name: "role_omitted",
        default: "keep",
        statement: "whether a PUT without `roles` leaves the role as it is (`keep`) or gives the default one (`default`)",
        source: RFC7644.left_to(&["role_omitted"]),
    },
    OptionRow {
        name: "role_emptied",
        default: "default",
        statement: "whether a PUT with `roles` that are null or an empty array gives the default role (`default`) or leaves \
                    the role as it is (`keep`)",
        source: RFC7643.left_to(&["role_emptied"]),
    },
    OptionRow {
        name: "stale_license",
        default: "drop",
        statement: "whether a PUT with a new role and the licence of the former, and a write that gives one who has a licence \
                    for the role another that is not, drops the licence (`drop`) or is refused (`refuse`)",
        source: TERRAFORM.left_to(&["stale_license"]),
    },
    OptionRow {
        name: "licenses_in_use",
        default: "elsewhere",
        statement: "whether those who have a licence by its `current_value` are users whom this server does not have, so \
                    that it gives `allocations_available` (`elsewhere`), or are counted here, up to both together (`here`)",
        source: REST_API.left_to(&["licenses_in_use"]),
    },
    OptionRow {
        name: "read_only_users",
        default: "true",
        statement: "whether the account has the ability `read_only_users`, which stakeholder roles need",
        source: REST_API,
    },
    OptionRow {
        name: "advanced_permissions",
        default: "true",
        statement: "whether the account has advanced permissions, which `observer` and `restricted_access` need",
        source: REST_API,
    },
    OptionRow {
        name: "licenses",
        default: "none",
        statement: "the account's licences, with their roles and allocations; none is looked at unless they are given",
        source: REST_API,
    },
    OptionRow {
        name: "base_url",
        default: "none",
        statement: "where the service is reached, which is said where it is built: PagerDuty prints no URL of SCIM in Europe",
        source: REGIONS.left_to(&["base_url"]),
    },
];
