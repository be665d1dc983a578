//! The facts and the rules of the bridge, row by row.

use crate::Source;
use crate::markdown;
use crate::pagerduty::sources::{REGIONS, REST_API};
use crate::profile::{BaseUrl, Endpoint, Lifecycle, OptionRow, RowKind};

/// PagerDuty's documentation of pages.
const PAGINATION: Source =
    Source::stated("PagerDuty/developer-docs @9422439, REST-API/09-Pagination.md", "2026");
/// PagerDuty's documentation of rate limits.
const RATE_LIMITS: Source =
    Source::stated("PagerDuty/developer-docs @9422439, REST-API/04-Rate-Limits.md", "2026");
/// PagerDuty's documentation of errors.
const ERRORS: Source = Source::stated("PagerDuty/developer-docs @9422439, REST-API/14-Errors.md", "2026");
/// PagerDuty's documentation of Scoped OAuth.
const OAUTH: Source = Source::stated(
    "PagerDuty/developer-docs @9422439, app-integration-development/02-Private-Apps.md and 06-OAuth-Functionality.md",
    "2026",
);
/// PagerDuty's Terraform provider, where it works around what the API does.
const TERRAFORM: Source =
    Source::stated("PagerDuty/terraform-provider-pagerduty @95cf9d8b, team_membership; PR 558", "2026");
/// PagerDuty's Python client.
const PYTHON: Source = Source::stated("PagerDuty/python-pagerduty, rest_api_v2_client.find()", "2026");
/// The account roles.
const PERMISSIONS: Source = crate::pagerduty::sources::PERMISSIONS;
/// What Scimify does.
const SCIMIFY: Source = Source::stated("Veraproof, \"Scimify: PagerDuty Integration\"", "2026");

/// How many rows a page has that is asked for: as many as there may be.
pub(super) const PAGE: usize = 100;
/// How far pages go: `offset` and `limit` together.
pub(super) const MAX_WINDOW: usize = 10_000;

/// Where PagerDuty serves its REST API.
pub const BASE_URLS: &[BaseUrl] = &[
    BaseUrl { region: "us", url: "https://api.pagerduty.com", source: REST_API },
    BaseUrl { region: "eu", url: "https://api.eu.pagerduty.com", source: REGIONS },
];

const READ: &[u16] = &[200, 400, 401, 402, 403, 429];
const READ_ONE: &[u16] = &[200, 400, 401, 402, 403, 404, 429];
const WRITE: &[u16] = &[204, 400, 401, 402, 403, 404, 429];

/// The requests that the bridge makes of the REST API, with the scopes they need.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/teams", READ, "teams.read"),
    endpoint("POST", "/teams", &[201, 400, 401, 402, 403, 429], "teams.write"),
    endpoint("GET", "/teams/{id}", READ_ONE, "teams.read"),
    endpoint("PUT", "/teams/{id}", READ_ONE, "teams.write"),
    endpoint("DELETE", "/teams/{id}", WRITE, "teams.write"),
    endpoint("GET", "/teams/{id}/members", READ_ONE, "teams.read"),
    endpoint("PUT", "/teams/{id}/users/{user_id}", WRITE, "teams.write"),
    endpoint("DELETE", "/teams/{id}/users/{user_id}", WRITE, "teams.write"),
    endpoint("GET", "/users", READ, "users.read"),
    endpoint("GET", "/users/{id}", READ_ONE, "users.read"),
];

const fn endpoint(
    method: &'static str,
    path: &'static str,
    statuses: &'static [u16],
    scope: &'static str,
) -> Endpoint {
    Endpoint { method, path, statuses, scope: Some(scope), source: REST_API }
}

const fn rule(id: &'static str, statement: &'static str, source: Source) -> Lifecycle {
    Lifecycle { id, statement, kind: RowKind::Effect, status: None, source }
}

const fn answered(id: &'static str, status: u16, statement: &'static str, source: Source) -> Lifecycle {
    Lifecycle { id, statement, kind: RowKind::Refusal, status: Some(status), source }
}

/// What the bridge does, and what it knows of PagerDuty.
pub const RULES: &[Lifecycle] = &[
    rule("team-name", "a team is called as its group is", SCIMIFY),
    rule(
        "team-name-blanks",
        "blanks around the name of a group are no part of its team's: it is taken where it is pushed, and has the same name as a group that is called so without them (`team-same-name`); a team in PagerDuty with blanks around its name is another team, and left alone",
        REST_API.decided(
            "it says how long a name is, not whether blanks around it are kept, and nobody sees them",
        ),
    ),
    rule("team-name-length", "a name has 1 to 100 characters", REST_API),
    answered(
        "group-name",
        400,
        "a group whose name no team can have is refused where it is pushed, unless it is called so already; one that is there gets no team, and is reported",
        SCIMIFY.left_to(&["group_names"]),
    ),
    rule(
        "team-description-length",
        "a description has at most 1,024 characters, the tenant in it included",
        REST_API,
    ),
    rule(
        "team-description-kept",
        "the description is that of the creation, and is not changed afterwards",
        SCIMIFY.decided("somebody may have written another one meanwhile"),
    ),
    rule(
        "team-found-by-name",
        "a team is found by a search whose results are compared exactly, with case",
        REST_API,
    ),
    rule(
        "team-ambiguous",
        "of several teams with the name none is taken",
        REST_API.decided("a guess would change a team of others"),
    ),
    rule(
        "team-same-name",
        "groups with the same name get no team, unless it is known already which is whose",
        SCIMIFY.decided("no team can be that of two groups"),
    ),
    rule(
        "team-renamed",
        "a team whose group has another name gets that; if the name is taken, after the other teams have theirs; while it stays taken and PagerDuty refuses it, each run asks again and reports that",
        SCIMIFY.decided("that teams are called as their groups is stated"),
    ),
    rule(
        "team-names-exchanged",
        "where teams are to have each other's names, two or more in a circle, one of them is called `NAME (being renamed, ID)` until its name is free, NAME cut so that all has 100 characters at most, with a number where another team is called so; that is remembered before, so that after a crash the next run goes on, also where the group is gone by then; in a row without a circle each is renamed when its name is free, and none twice; names that differ in case alone count as the same",
        REST_API.decided(
            "it does not say whether two teams can have one name, also for a moment, nor whether case makes a difference",
        ),
    ),
    rule(
        "team-lost",
        "for a team that is deleted in PagerDuty another is found or created",
        REST_API.decided("that a group has a team is stated"),
    ),
    rule(
        "team-taken-over",
        "the team of a group that is gone is that of a new group with the same name",
        SCIMIFY.decided("it is called as the group is, and known to be nobody's"),
    ),
    answered("team-missing", 404, "a team that is not there is also told by 6001", ERRORS),
    answered(
        "team-associations",
        400,
        "a team with escalation policies, services, schedules or subteams is not deleted (6006), but emptied",
        ERRORS,
    ),
    rule(
        "team-others-kept",
        "a team that the bridge did not create, or on which others are, is not deleted, but emptied; the first is so for good, and its group is forgotten, the second is reported, and tried again by each run",
        SCIMIFY.decided("nobody has said that others do without it"),
    ),
    rule(
        "user-by-email",
        "a user is found by a search for the e-mail address, which is compared in any case",
        PYTHON,
    ),
    rule(
        "user-exists-first",
        "who has no user in PagerDuty is reported, and added by the run that finds one",
        SCIMIFY,
    ),
    rule(
        "user-email-length",
        "an e-mail address has 6 to 100 characters; others are not looked for",
        REST_API,
    ),
    rule(
        "member-removed",
        "only who was added by the bridge is removed, when no member of the group is that user",
        SCIMIFY.left_to(&["found_members"]),
    ),
    rule(
        "member-deactivated",
        "who is deactivated (`active` `false`) leaves the teams of the groups they are still in, and comes back when active again: whoever gives the groups leaves them out (`DesiredGroup::members`), as `team_sync` does; a protected user stays",
        crate::pagerduty::sources::SCIM_API.decided(
            "by PagerDuty's SCIM API a deactivation deletes the user, who then is on no team either",
        ),
    ),
    rule(
        "member-verified",
        "whom the bridge remembers is read before being removed, unless everybody is looked up: who has the address of a member by now stays",
        SCIMIFY.left_to(&["look_up"]),
    ),
    rule(
        "member-late",
        "for some time it is remembered with which role a request was sent: who was removed and is there again with that role is removed, also whom somebody put there by hand, since that looks like the request twice; with another role they stay",
        REST_API.left_to(&["late"]),
    ),
    rule(
        "member-not-found-kept",
        "who is in the group and is not found any more is not removed",
        SCIMIFY.decided("nobody has said that they left the group"),
    ),
    answered(
        "member-stakeholder",
        400,
        "a stakeholder is taken onto no team; \"Advanced Permissions\" says that they are observers there",
        REST_API.left_to(&["stakeholders"]),
    ),
    answered(
        "member-on-escalation-policy",
        400,
        "who is on an escalation policy of the team is not removed (2001)",
        TERRAFORM,
    ),
    rule(
        "role-fixed",
        "the role on a team of who has a fixed account role is left to PagerDuty",
        PERMISSIONS.left_to(&["fixed_roles"]),
    ),
    rule(
        "role-by-hand",
        "a role that somebody changes by hand on whom the bridge added is put back by the next run, unless PagerDuty decides the role or that would lower the role of a protected user; of who was there before, it stays",
        REST_API.left_to(&["role", "found_members"]),
    ),
    rule("role-late", "a role may be seen some time after it was set, and is waited for", TERRAFORM),
    rule(
        "role-kept",
        "a role that is not seen after that is set once more when no other request can be late, and not again",
        TERRAFORM.left_to(&["late"]),
    ),
    rule("pages", "pages have 100 rows, and go on while `more` is true", PAGINATION),
    rule(
        "pages-end",
        "no more than 10,000 rows are listed: where there may be more, nothing is concluded from those, and that is reported",
        PAGINATION,
    ),
    rule("serial", "one request at a time", RATE_LIMITS),
    answered(
        "rate-limit",
        429,
        "a used-up limit is waited for as `ratelimit-reset` says; 429 may be without it, and is then met by longer pauses",
        RATE_LIMITS,
    ),
    answered("missing-ability", 402, "the account lacks the ability (2014): the run ends", ERRORS),
    answered(
        "forbidden",
        403,
        "what the credential may not do with a team or a user is reported for that, and the rest goes on",
        ERRORS,
    ),
    answered(
        "forbidden-all",
        403,
        "the run ends where a search is refused, the token lacks a scope, or the account may not be used (2007, 2008, 2009, 2012)",
        ERRORS.decided("nothing else could be done either"),
    ),
    answered(
        "unauthorized",
        401,
        "the token is renewed once; then, and with an API key, the run ends",
        OAUTH,
    ),
    rule(
        "scopes-dropped",
        "scopes that are not granted are dropped without a word, so that the answer is compared",
        OAUTH,
    ),
    rule("token-renewed", "a token is asked for anew a minute before it ends, and never refreshed", OAUTH),
    rule(
        "unknown-outcome",
        "what became of a write without an answer, or with 5xx, is read before it is repeated",
        REST_API.decided("repeated at once, it could make a second team"),
    ),
    rule(
        "write-ahead",
        "what is about to be created or added is remembered before it is",
        REST_API.decided("after a crash nobody else knows of it"),
    ),
];

const fn option(
    name: &'static str,
    default: &'static str,
    statement: &'static str,
    source: Source,
) -> OptionRow {
    OptionRow { name, default, statement, source }
}

/// What is left open, and how it is taken unless one says otherwise.
pub const OPTIONS: &[OptionRow] = &[
    option("description", super::DESCRIPTION, "the description of teams that are created", SCIMIFY),
    option(
        "group_names",
        "refuse",
        "whether a group whose name no team can have is refused where it is pushed (`TeamNames`), or taken and reported: refuse or report",
        SCIMIFY.left_to(&["group_names"]),
    ),
    option(
        "role",
        "responder",
        "the role on the team: observer, responder, manager, or as PagerDuty decides",
        REST_API.left_to(&["role"]),
    ),
    option(
        "stakeholders",
        "try",
        "whether PagerDuty is asked to put a stakeholder onto a team, of which its documents say both: try, with the same request in each run as long as that is refused, or skip; what is not done is a problem in the report of each run either way (`team_sync --once` ends with 1)",
        REST_API.left_to(&["stakeholders"]),
    ),
    option(
        "fixed_roles",
        "leave",
        "whether the role on the team of who has a fixed account role is set, where it gives neither more nor less: leave or set",
        PERMISSIONS.left_to(&["fixed_roles"]),
    ),
    option(
        "adoption",
        "adopt",
        "whether a team of the name that is there becomes the group's: adopt or refuse",
        SCIMIFY.left_to(&["adoption"]),
    ),
    option(
        "found_members",
        "keep",
        "whether members who were there count as added by the bridge: keep or adopt",
        SCIMIFY.left_to(&["found_members"]),
    ),
    option(
        "deletion",
        "keep",
        "what becomes of the team of a group that is gone: keep, empty or delete",
        SCIMIFY.left_to(&["deletion"]),
    ),
    option(
        "reassignment_team",
        "none",
        "the team that gets the unresolved incidents of one that is deleted",
        REST_API,
    ),
    option(
        "look_up",
        "new",
        "whose PagerDuty user is looked up: new or always",
        SCIMIFY.left_to(&["look_up"]),
    ),
    option(
        "mode",
        "apply",
        "whether anything is written: apply or dry run",
        SCIMIFY.decided("a run that only looks is the bridge's own"),
    ),
    option(
        "max_attempts",
        "6",
        "how often a request is sent",
        RATE_LIMITS.decided("how patient the bridge is"),
    ),
    option(
        "backoff",
        "1 s",
        "the pause after a first failure, which doubles up to `max_backoff`",
        RATE_LIMITS.decided("how patient the bridge is"),
    ),
    option("max_backoff", "60 s", "the longest such pause", RATE_LIMITS.decided("how patient the bridge is")),
    option(
        "polls",
        "5",
        "how often a role that is not seen yet is waited for",
        TERRAFORM.left_to(&["polls"]),
    ),
    option("poll_pause", "2 s", "how long each time", TERRAFORM.left_to(&["poll_pause"])),
    option(
        "late",
        "10 min",
        "for how long a request that adds a member or sets a role can have its effect late",
        REST_API.left_to(&["late"]),
    ),
    option(
        "max_body_bytes",
        "4 MiB",
        "the longest answer that is read",
        REST_API.decided("nobody's answer fills the memory"),
    ),
];

/// The bridge's rules and options as a page of Markdown tables, each row with its source.
///
/// ```
/// let page = scim_profiles::pagerduty::teams::to_markdown();
/// assert!(page.contains("| `adoption` | `adopt` | "));
/// ```
pub fn to_markdown() -> String {
    let mut page = "# PagerDuty teams from groups\n".to_owned();
    let urls = BASE_URLS.iter().map(|row| (vec![row.region.to_owned(), markdown::code(row.url)], row.source));
    markdown::table(&mut page, "Base URLs", &["Region", "URL"], urls);
    let requests = ENDPOINTS.iter().map(|row| {
        let statuses = row.statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        let request = markdown::code(&format!("{} {}", row.method, row.path));
        (vec![request, statuses, markdown::code(row.scope.unwrap_or_default())], row.source)
    });
    markdown::table(&mut page, "Requests", &["Request", "Statuses", "OAuth scope"], requests);
    let rules = RULES.iter().map(|row| {
        let status = row.status.map_or_else(String::new, |status| status.to_string());
        (vec![markdown::code(row.id), markdown::text(row.statement), status], row.source)
    });
    markdown::table(&mut page, "Rules", &["Id", "Statement", "Status"], rules);
    let options = OPTIONS.iter().map(|row| {
        (
            vec![markdown::code(row.name), markdown::code(row.default), markdown::text(row.statement)],
            row.source,
        )
    });
    markdown::table(&mut page, "Options", &["Option", "Default", "What it decides"], options);
    page
}
