//! The Datadog profile, row by row.

use std::sync::Arc;

use scim_core::leniency::{Leniencies, Leniency};

use super::options::DatadogOptions;
use super::policy::Datadog;
use super::rules::{GROUP_RULES, USER_RULES};
use super::schema::{GROUP, USER, registry};
use super::sources::{API, API_FR, ENTRA, OKTA, OKTA_BEFORE, RFC7643, RFC7644, SCIM, TEAMS};
use crate::profile::{
    Authorization, BaseUrl, Behaviour, Capability, CapabilityValue, Endpoint, ErrorBody, ErrorStyle,
    FilterForm, Filters, Lifecycle, OptionRow, Profile, ResourceProfile, RowKind,
};
use crate::rule::Literal;
use crate::{Source, generic};

/// Datadog, as data.
pub static PROFILE: Profile = Profile {
    name: "datadog",
    title: "Datadog user and team provisioning",
    base_urls: &[
        site("US1", "https://api.datadoghq.com/api/v2/scim"),
        site("US3", "https://api.us3.datadoghq.com/api/v2/scim"),
        site("US5", "https://api.us5.datadoghq.com/api/v2/scim"),
        site("EU1", "https://api.datadoghq.eu/api/v2/scim"),
        site("AP1", "https://api.ap1.datadoghq.com/api/v2/scim"),
        site("AP2", "https://api.ap2.datadoghq.com/api/v2/scim"),
        BaseUrl { source: API_FR, ..site("UK1", "https://api.uk1.datadoghq.com/api/v2/scim") },
        site("US1-FED", "https://api.ddog-gov.com/api/v2/scim"),
        BaseUrl { source: API_FR, ..site("US2-FED", "https://api.us2.ddog-gov.com/api/v2/scim") },
    ],
    endpoints: ENDPOINTS,
    capabilities: &[
        flag("patch.supported", true, API),
        flag("bulk.supported", false, API.decided("the reference has no such request")),
        flag("filter.supported", true, API),
        flag("changePassword.supported", false, API.decided("the reference has no password")),
        flag("sort.supported", false, API.decided("the reference has no such parameter")),
        flag("etag.supported", false, API.decided("the reference has no versions")),
        number("filter.maxResults", 200),
        number("itemsPerPage", 100),
    ],
    authorization: &[
        Authorization { prefix: "Bearer ", sent_by: "Okta, with an application key", source: OKTA },
        Authorization { prefix: "Bearer ", sent_by: "Entra ID, with an application key", source: ENTRA },
    ],
    resources: &[
        ResourceProfile {
            resource_type: "User",
            attributes: USER,
            rules: USER_RULES,
            filters: Filters::Forms(&[FilterForm { attributes: &["userName"], source: API }]),
            deactivation_deletes: false,
        },
        ResourceProfile {
            resource_type: "Group",
            attributes: GROUP,
            rules: GROUP_RULES,
            filters: Filters::Forms(&[
                FilterForm { attributes: &["displayName"], source: API },
                FilterForm { attributes: &["externalId"], source: API },
                FilterForm { attributes: &["id", "members"], source: API },
            ]),
            deactivation_deletes: false,
        },
    ],
    lifecycle: LIFECYCLE,
    options: OPTIONS,
    errors: ErrorStyle {
        body: ErrorBody::Errors,
        duplicate: 400,
        source: API.left_to(&["duplicate_status"]),
    },
    behaviour: Behaviour {
        registry,
        config: |url| super::config(url, &DatadogOptions::default()),
        leniencies,
        policy: || Arc::new(Datadog::default()),
        tables: Vec::new,
        new_id: generic::uuid,
    },
};

/// What Datadog is taken to tolerate: everything but roles that are texts, of which its guide for Okta
/// says that they are refused ("'roles' should be object").
pub(super) fn leniencies() -> Leniencies {
    Leniencies::tolerant().with(Leniency::UnknownPath).without(Leniency::PlainStringForComplex)
}

const fn site(region: &'static str, url: &'static str) -> BaseUrl {
    BaseUrl { region, url, source: API }
}

const ENDPOINTS: &[Endpoint] = &[
    discovery("/ServiceProviderConfig", generic::DISCOVERY),
    discovery("/ResourceTypes", generic::DISCOVERY),
    discovery("/ResourceTypes/{id}", generic::DISCOVERY_ONE),
    // The reference has pages for these two, whose content was not there to be read.
    discovery("/Schemas", generic::DISCOVERY),
    discovery("/Schemas/{id}", generic::DISCOVERY_ONE),
    endpoint("GET", "/Users", &[200, 400, 429]),
    endpoint("POST", "/Users", &[201, 400, 429]),
    endpoint("GET", "/Users/{id}", &[200, 404, 429]),
    endpoint("PUT", "/Users/{id}", &[200, 400, 404, 429]),
    endpoint("PATCH", "/Users/{id}", &[200, 400, 403, 404, 429]),
    endpoint("DELETE", "/Users/{id}", &[204, 400, 404, 429]),
    endpoint("GET", "/Groups", &[200, 400, 429]),
    endpoint("POST", "/Groups", &[201, 400, 429]),
    endpoint("GET", "/Groups/{id}", &[200, 400, 404, 429]),
    endpoint("PUT", "/Groups/{id}", &[200, 400, 404, 409, 429]),
    endpoint("PATCH", "/Groups/{id}", &[200, 400, 404, 429]),
    endpoint("DELETE", "/Groups/{id}", &[204, 400, 404, 429]),
];

const fn endpoint(method: &'static str, path: &'static str, statuses: &'static [u16]) -> Endpoint {
    Endpoint { method, path, statuses, scope: None, source: API }
}

const fn discovery(path: &'static str, statuses: &'static [u16]) -> Endpoint {
    let source = RFC7644.decided("the reference does not show it; RFC 7644 section 4 has it");
    Endpoint { method: "GET", path, statuses, scope: None, source }
}

const fn flag(name: &'static str, value: bool, source: Source) -> Capability {
    Capability { name, value: CapabilityValue::Literal(Literal::Bool(value)), source }
}

const fn number(name: &'static str, value: usize) -> Capability {
    let source =
        RFC7644.decided("the reference names no size of pages; RFC 7644 leaves it to the service provider");
    Capability { name, value: CapabilityValue::Number(value), source }
}

const fn row(id: &'static str, statement: &'static str, source: Source) -> Lifecycle {
    Lifecycle { id, statement, kind: RowKind::Effect, status: None, source }
}

const fn of_kind(row: Lifecycle, kind: RowKind) -> Lifecycle {
    Lifecycle { kind, ..row }
}

const fn answered(id: &'static str, statement: &'static str, status: u16, source: Source) -> Lifecycle {
    Lifecycle { id, statement, kind: RowKind::Refusal, status: Some(status), source }
}

const LIFECYCLE: &[Lifecycle] = &[
    row("error-body", "an error is an object with the array `errors`, of texts", API),
    answered(
        "key-invalid",
        "a request without a valid key is refused",
        401,
        RFC7644.decided("401 is HTTP's"),
    ),
    of_kind(
        row(
            "key-permissions",
            "the application key has user_access_invite and user_access_manage; a service account's does not go \
             with the person who made it",
            SCIM,
        ),
        RowKind::Premise,
    ),
    row("invited", "a new user is sent an invitation by e-mail, whose link is good for 2 days", SCIM),
    row(
        "active-by-default",
        "a user of whom nothing else is said is active",
        API.decided("who is invited is active"),
    ),
    answered(
        "user-name-taken",
        "no two users have the same userName",
        400,
        API.left_to(&["duplicate_status"]),
    ),
    row(
        "role-matched",
        "of several roles those are given that the organisation has; the others are dropped, and noted in the audit trail",
        OKTA,
    ),
    row(
        "role-default",
        "whom no role matches gets the default role of the organisation, and none where there is no default",
        OKTA,
    ),
    row("role-default-standard", "the default role is Standard, unless another is chosen", ENTRA),
    row(
        "roles-unsaid",
        "a PUT without roles keeps those that the user has; a new user without roles gets the default role",
        OKTA.left_to(&["roles_unsaid"]),
    ),
    row(
        "roles-emptied",
        "a PUT with `roles` that are null or an empty array takes the roles away: the default role takes their place",
        RFC7643.left_to(&["roles_emptied"]),
    ),
    row(
        "roles-unchanged",
        "roles that a PUT or PATCH leaves as they are stay, also those that the organisation has no longer",
        OKTA.decided("what a request does not change is not judged"),
    ),
    answered("roles-are-objects", "roles that are texts are refused", 400, OKTA),
    row("deactivated", "a user whose `active` becomes false loses access", SCIM),
    row(
        "deactivated-kept",
        "such a user stays, and can be activated again",
        RFC7644.left_to(&["deactivation"]),
    ),
    row("deleted", "a user who is deleted is gone", RFC7644.decided("DELETE is HTTP's")),
    answered(
        "filter-limited",
        "users and groups are found by the documented filters alone",
        400,
        API.decided("the filters are documented; that another is 400 is RFC 7644's"),
    ),
    row(
        "filter-quoted",
        "texts in filters are in quotes; the reference has placeholders without",
        RFC7644.decided("RFC 7644 has no filters without quotes"),
    ),
    answered(
        "no-other-endpoint",
        "what is no endpoint here is not found, bulk requests and searches among it, and nor is a method that an endpoint \
         does not have",
        404,
        API.decided("404 is HTTP's, and 405 is declared nowhere"),
    ),
    answered(
        "body-refused",
        "a body that is not JSON by its media type or is too large, and a query that is too long, are refused",
        400,
        API.decided("it is the one declared status that says so; HTTP's own are not declared"),
    ),
    row(
        "cursor-ignored",
        "a `cursor` means nothing: pages are asked for by `startIndex`",
        API.decided("the reference has no such parameter"),
    ),
    answered(
        "teams-on-request",
        "groups are served where managed teams were requested; otherwise there are none",
        404,
        API.left_to(&["teams"]),
    ),
    row(
        "team-managed",
        "a group's name and its members are those of its team, whose handle the group decides too",
        TEAMS,
    ),
    row(
        "team-handle",
        "the handle is the group's name in lower case, with `-` for what is neither letter nor digit",
        TEAMS.left_to(&["handles"]),
    ),
    of_kind(
        row(
            "team-read-only",
            "a managed team's name, handle and members are changed in the identity provider alone",
            TEAMS,
        ),
        RowKind::Refusal,
    ),
    row(
        "team-linked",
        "a new group takes over the team of exactly its name that no group manages",
        OKTA_BEFORE,
    ),
    row("team-hidden", "a team that no group manages is no group", OKTA.decided("the API has groups alone")),
    answered(
        "team-name-taken",
        "no two groups have the same name, nor a name whose handle another team has",
        400,
        API.left_to(&["duplicate_status"]),
    ),
    answered(
        "team-name-taken-put",
        "a PUT of a group with a name that is taken is a conflict",
        409,
        API.decided("409 is declared for PUT alone, and a name is what can conflict"),
    ),
    row("team-kept", "deleting a group takes everybody out of its team and unlinks it; the team stays", OKTA),
    answered(
        "members-exist",
        "members are users that exist",
        400,
        OKTA.decided("that users come first is stated; 400 is any refusal's"),
    ),
    row(
        "locations",
        "`meta.location` begins with the base URL; the reference has /api/scim/v2 there",
        RFC7644.left_to(&["locations"]),
    ),
];

const OPTIONS: &[OptionRow] = &[
    option("teams", "false", "whether groups are served, as teams that the identity provider manages", API),
    option(
        "team_match",
        "name",
        "how a group finds a team that is there: by its exact name, or by the handle derived from it, as the \
         newest edition of the guide for Okta has it",
        OKTA_BEFORE,
    ),
    option(
        "handles",
        "each",
        "how the handle of a team is made of its name, in lower case: with `-` for each character that is neither \
         letter nor digit (`each`), or one for several in a row and none at the ends (`runs`)",
        TEAMS.left_to(&["handles"]),
    ),
    option(
        "duplicate_status",
        "400",
        "the status for a name that is taken, other than by PUT of a group: 400 or 409",
        API.left_to(&["duplicate_status"]),
    ),
    option(
        "deactivation",
        "keep",
        "what becomes of a user whose `active` becomes false: keep or remove",
        SCIM.left_to(&["deactivation"]),
    ),
    option(
        "other_emails",
        "refuse",
        "what becomes of an e-mail address that is not of type `work`: refuse or drop",
        API.left_to(&["other_emails"]),
    ),
    option(
        "roles_unsaid",
        "keep",
        "the roles after a PUT without `roles`: keep, or the default role (`default`)",
        OKTA.left_to(&["roles_unsaid"]),
    ),
    option(
        "roles_emptied",
        "default",
        "the roles after a PUT with `roles` that are null or an empty array: the default role (`default`), or keep",
        RFC7643.left_to(&["roles_emptied"]),
    ),
    option("locations", "the base URL", "what `meta.location` begins with", RFC7644.left_to(&["locations"])),
    option("roles", "none", "the roles of the organisation, and which of them is the default", OKTA),
];

const fn option(
    name: &'static str,
    default: &'static str,
    statement: &'static str,
    source: Source,
) -> OptionRow {
    OptionRow { name, default, statement, source }
}
