//! The incident.io profile, row by row.

use std::sync::Arc;

use scim_core::leniency::Leniencies;

use super::access::BaseRole;
use super::policy::IncidentIo;
use super::rules::{GROUP_RULES, USER_RULES};
use super::schema::registry;
use super::sources::{PERMISSIONS, SCIM, SEATS, TERRAFORM, USERS, WORKOS};
use crate::markdown::Table;
use crate::profile::{
    Authorization, Behaviour, Capability, CapabilityValue, Endpoint, ErrorBody, ErrorStyle, Filters,
    Lifecycle, OptionRow, Profile, ResourceProfile, RowKind,
};
use crate::rule::Literal;
use crate::{Source, generic};

/// incident.io, as data.
///
/// The endpoint is WorkOS's, and its limits are not documented by incident.io: what a row says of
/// requests and answers is RFC 7644's, marked as decided. The rest is what becomes of users and groups.
pub static PROFILE: Profile = Profile {
    name: "incident-io",
    title: "incident.io user provisioning",
    base_urls: &[],
    endpoints: ENDPOINTS,
    capabilities: &[
        flag("patch.supported", true),
        flag("bulk.supported", false),
        flag("filter.supported", true),
        flag("changePassword.supported", false),
        flag("sort.supported", false),
        flag("etag.supported", true),
        number("filter.maxResults", 200),
        number("itemsPerPage", 100),
    ],
    authorization: &[Authorization { prefix: "Bearer ", sent_by: "every identity provider", source: WORKOS }],
    resources: &[
        ResourceProfile {
            resource_type: "User",
            attributes: &[],
            rules: USER_RULES,
            filters: Filters::Any,
            deactivation_deletes: false,
        },
        ResourceProfile {
            resource_type: "Group",
            attributes: &[],
            rules: GROUP_RULES,
            filters: Filters::Any,
            deactivation_deletes: false,
        },
    ],
    lifecycle: LIFECYCLE,
    options: OPTIONS,
    errors: ErrorStyle { body: ErrorBody::Rfc7644, duplicate: 409, source: WIRE },
    behaviour: Behaviour {
        registry,
        config: super::config,
        leniencies: Leniencies::tolerant,
        policy: || Arc::new(IncidentIo),
        tables,
        new_id: generic::uuid,
    },
};

/// What incident.io does not say of requests and answers is taken to be as the RFC has it.
const WIRE: Source =
    Source::stated("RFC 7644", "2015-09").decided("incident.io publishes nothing of requests and answers");

const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/ServiceProviderConfig", generic::DISCOVERY),
    endpoint("GET", "/ResourceTypes", generic::DISCOVERY),
    endpoint("GET", "/ResourceTypes/{id}", generic::DISCOVERY_ONE),
    endpoint("GET", "/Schemas", generic::DISCOVERY),
    endpoint("GET", "/Schemas/{id}", generic::DISCOVERY_ONE),
    endpoint("GET", "/Users", generic::LIST),
    endpoint("POST", "/Users", generic::CREATE),
    endpoint("GET", "/Users/{id}", generic::READ),
    endpoint("PUT", "/Users/{id}", generic::WRITE),
    endpoint("PATCH", "/Users/{id}", generic::WRITE),
    endpoint("DELETE", "/Users/{id}", generic::DELETE),
    endpoint("GET", "/Groups", generic::LIST),
    endpoint("POST", "/Groups", generic::CREATE),
    endpoint("GET", "/Groups/{id}", generic::READ),
    endpoint("PUT", "/Groups/{id}", generic::WRITE),
    endpoint("PATCH", "/Groups/{id}", generic::WRITE),
    endpoint("DELETE", "/Groups/{id}", generic::DELETE),
];

const fn endpoint(method: &'static str, path: &'static str, statuses: &'static [u16]) -> Endpoint {
    Endpoint { method, path, statuses, scope: None, source: WIRE }
}

const fn flag(name: &'static str, value: bool) -> Capability {
    Capability { name, value: CapabilityValue::Literal(Literal::Bool(value)), source: WIRE }
}

const fn number(name: &'static str, value: usize) -> Capability {
    Capability { name, value: CapabilityValue::Number(value), source: WIRE }
}

const fn row(id: &'static str, statement: &'static str, source: Source) -> Lifecycle {
    Lifecycle { id, statement, kind: RowKind::Effect, status: None, source }
}

/// Something that is refused, not by a request of SCIM but in incident.io.
const fn refused(id: &'static str, statement: &'static str, source: Source) -> Lifecycle {
    Lifecycle { kind: RowKind::Refusal, ..row(id, statement, source) }
}

fn tables() -> Vec<Table> {
    let seat = |role| if role == BaseRole::Standard { "any" } else { "responder or on-call" };
    let rows = BaseRole::ALL.map(|role| (vec![format!("`{role}`"), seat(role).to_owned()], PERMISSIONS));
    vec![Table { title: "Base roles", header: &["Role", "Seat"], rows: rows.into() }]
}

const LIFECYCLE: &[Lifecycle] = &[
    row("standard-by-default", "whom no mapped group has is Standard, with a viewer's seat", SCIM),
    row(
        "highest-base-role",
        "of the base roles that several groups give, the highest counts",
        SCIM.decided("otherwise another group would take something away"),
    ),
    row(
        "custom-roles-add",
        "custom roles of several groups add up, and only add to the base role",
        PERMISSIONS,
    ),
    row("elevated-needs-seat", "an admin or owner has a responder's or an on-call seat", PERMISSIONS),
    row(
        "elevated-gets-seat",
        "who becomes admin or owner without a paid seat given by hand gets one",
        PERMISSIONS.left_to(&["elevated_seat"]),
    ),
    row(
        "elevated-beside-on-call",
        "the seat of a group for on-call seats does not stand in for it, so that the order of groups does not matter",
        PERMISSIONS.left_to(&["elevated_seat"]),
    ),
    row(
        "seats-stay",
        "a seat that came with a role stays when the role goes",
        SEATS.left_to(&["seat_after"]),
    ),
    row("group-by-name", "a group is mapped by its name, to the letter", SCIM.left_to(&["group_names"])),
    row("on-call-granted", "joining a group for on-call seats gives one", SCIM),
    refused("on-call-managed", "the on-call seat of such a group's member cannot be revoked by hand", SCIM),
    row("on-call-kept", "leaving the group keeps the seat until it is revoked by hand", SCIM),
    row("assigned-created", "a person who is assigned and has no user gets one", SCIM),
    row("linked-by-email", "an existing user is linked to the person with the same e-mail address", SCIM),
    row(
        "email-in-any-case",
        "e-mail addresses that differ in case alone are the same",
        SCIM.decided("nobody has two mailboxes by it"),
    ),
    row(
        "active-linked-first",
        "of several users with the address, an active one is linked rather than a deactivated one",
        TERRAFORM.decided("the vendor's own client does so"),
    ),
    row(
        "deactivated-linked",
        "a deactivated user with the address, where there is no active one, is linked and active again",
        SCIM.left_to(&["deactivated"]),
    ),
    row(
        "same-email-each",
        "several people with the same address have a user each, and one of them is linked by it",
        TERRAFORM.decided("whoever is assigned gets a user, and the vendor's client knows several active ones of an address; the preview tells of it"),
    ),
    row(
        "no-email-created",
        "a person without an e-mail address gets a user, and none is linked",
        TERRAFORM.decided("whoever is assigned gets a user, and there an address is optional; the preview tells of it"),
    ),
    row("downgraded-at-install", "who has a role that no group gives loses it when SCIM is installed", SCIM),
    row("unlinked-kept", "a user whom the directory does not have keeps everything, as Unlinked", SCIM),
    row(
        "unassigned-unlinked",
        "so does one whose person is in the directory and not assigned when SCIM is installed; who keeps a role by that is named by the preview, and is no owner to the guard",
        SCIM.decided("who is not assigned is as good as not there"),
    ),
    refused("install-permitted", "an owner, or who may manage security settings, installs SCIM", SCIM),
    refused("owner-group-needed", "a group is mapped to owner", SCIM),
    refused(
        "owner-group-has-somebody",
        "a group that is mapped to owner has an active member",
        SCIM.decided("nobody could manage SCIM; it can be forced"),
    ),
    refused(
        "lockout-guarded",
        "who installs SCIM and is in no group that lets them manage it is stopped, unless they insist",
        SCIM.decided("that they are locked out is stated; it can be forced"),
    ),
    refused("install-confirmed", "nothing happens to users before the installation is confirmed", SCIM),
    refused("roles-managed", "while SCIM is installed, roles are not edited in incident.io", SCIM),
    refused("invites-disabled", "while SCIM is installed, nobody is invited by e-mail", USERS),
    row("unassigned-deactivated", "a user whose person is not assigned any more is deactivated", SCIM),
    row(
        "slack-keeps-active",
        "such a user stays active while active in Slack, which the option `active_in_slack` says",
        SCIM,
    ),
    row(
        "slack-without-roles",
        "a user who stays active because of Slack alone is Standard",
        SCIM.left_to(&["in_slack"]),
    ),
    row(
        "groups-of-assigned",
        "groups decide about who is assigned; who is assigned again has what they give by then",
        SCIM.decided("that SCIM decides about permissions by groups is stated"),
    ),
    row(
        "deleted-begins-anew",
        "who is deleted by a request and created again begins anew, without the seats of before; a preview links the user who is there",
        SCIM.decided("what becomes of the user in incident.io is not documented, and a deletion leaves nothing to read here"),
    ),
    row("uninstall-keeps", "uninstalling SCIM leaves everybody as they are", SCIM),
];

const OPTIONS: &[OptionRow] = &[
    OptionRow {
        name: "active_in_slack",
        default: "nobody",
        statement: "who is active in Slack, by e-mail address: `ActiveInSlack`, or `--active-in-slack FILE` of `provider` and `preview`, an address a line",
        source: SCIM,
    },
    OptionRow {
        name: "elevated_seat",
        default: "responder",
        statement: "the seat that who becomes admin or owner gets, where they have none that is paid and given by hand: responder or on-call",
        source: PERMISSIONS.left_to(&["elevated_seat"]),
    },
    OptionRow {
        name: "seat_after",
        default: "stays",
        statement: "what becomes of a responder's seat that came with a role when the role goes: stays or goes",
        source: SEATS.left_to(&["seat_after"]),
    },
    OptionRow {
        name: "custom_roles_need_paid_seat",
        default: "false",
        statement: "whether a custom role needs a paid seat as well",
        source: PERMISSIONS.left_to(&["custom_roles_need_paid_seat"]),
    },
    OptionRow {
        name: "group_names",
        default: "exact",
        statement: "whether a mapped group is one whose name differs in case alone: exact or any-case",
        source: SCIM.left_to(&["group_names"]),
    },
    OptionRow {
        name: "deactivated",
        default: "link",
        statement: "whether a deactivated user is linked, and activated, where no active one has the address: link or leave",
        source: SCIM.left_to(&["deactivated"]),
    },
    OptionRow {
        name: "in_slack",
        default: "standard",
        statement: "the roles of who is unassigned but active in Slack: standard or keep",
        source: SCIM.left_to(&["in_slack"]),
    },
];
