//! The guards, row by row.

use super::Guard;
use crate::Source;
use crate::markdown;
use crate::profile::{Lifecycle, OptionRow, RowKind};

/// The refusal: a person is to look, and a client that is told 403 ends the attempt.
const REFUSAL: Source = Source::stated("RFC 7644 section 3.12, 403", "2015-09");
/// What identity providers push by mistake.
const PUSHES: Source = Source::stated("RFC 7644 sections 3.5 and 3.6", "2015-09");

const fn guard(guard: Guard, statement: &'static str, option: &'static [&'static str]) -> Lifecycle {
    let source = REFUSAL.left_to(option);
    Lifecycle { id: guard.name(), statement, kind: RowKind::Refusal, status: Some(403), source }
}

/// The guards: what each refuses. The `id` is the `rule` in the audit trail.
pub const RULES: &[Lifecycle] = &[
    guard(
        Guard::Deactivations,
        "no more users are deactivated or deleted within the window; a share is of the active users of the tenant",
        &["deactivations"],
    ),
    guard(
        Guard::RoleDowngrades,
        "no more users have less of roles than before within the window; a share is of the active users",
        &["role_downgrades"],
    ),
    guard(
        Guard::MemberRemovals,
        "no more members are taken out of groups, or go with one; the count is of all groups, a share of each",
        &["member_removals"],
    ),
    guard(
        Guard::TeamRemovals,
        "the bridge to PagerDuty takes no more members off teams, or deletes them with one; counted as members of groups are",
        &["member_removals"],
    ),
    guard(
        Guard::TeamRoles,
        "the bridge to PagerDuty gives no more members a lower role on their team, also where it was raised there by hand; counted apart from roles of users, and a share is of the members of each team",
        &["role_downgrades"],
    ),
    guard(
        Guard::TeamDeletions,
        "the bridge to PagerDuty deletes no more teams; a share is of those it knows",
        &["team_deletions"],
    ),
    guard(
        Guard::ProtectedUser,
        "the user is not deactivated, deleted, renamed or removed from a team, which is not deleted either, loses no role, and gets no lower one on a team, also where it was raised there by hand",
        &["protected"],
    ),
    guard(
        Guard::ProtectedGroup,
        "the group is not deleted, renamed or emptied, nor is its team",
        &["protected"],
    ),
    guard(
        Guard::ProtectedRole,
        "whoever has the role does not lose it, unless for more, and is not deactivated or deleted",
        &["protected"],
    ),
];

const fn option(name: &'static str, statement: &'static str) -> OptionRow {
    OptionRow { name, default: "none", statement, source: PUSHES.decided("a guard is this library's own") }
}

/// What is guarded, which is nothing unless one says otherwise.
pub const OPTIONS: &[OptionRow] = &[
    option("deactivations", "the ceiling of `guard-deactivations`: a window, and a count, a share or both"),
    option(
        "role_downgrades",
        "the ceiling of `guard-role-downgrades` and of `guard-team-role-downgrades`, which count apart",
    ),
    option(
        "member_removals",
        "the ceiling of `guard-member-removals` and of `guard-team-removals`, which count apart",
    ),
    option("team_deletions", "the ceiling of `guard-team-deletions`"),
    option(
        "protected",
        "users by `id`, userName or e-mail address, groups by `id` or name, roles by value, \
         and by name where they have one",
    ),
];

/// The guards as a page of Markdown tables.
///
/// ```
/// assert!(scim_profiles::guard::to_markdown().contains("| `guard-deactivations` | "));
/// ```
pub fn to_markdown() -> String {
    let mut page = "# Guards, with any profile\n".to_owned();
    let rules = RULES.iter().map(|row| {
        let status = row.status.map_or_else(String::new, |status| status.to_string());
        (vec![markdown::code(row.id), markdown::text(row.statement), status], row.source)
    });
    markdown::table(&mut page, "Guards", &["Id", "Statement", "Status"], rules);
    let options = OPTIONS.iter().map(|row| {
        (
            vec![markdown::code(row.name), markdown::code(row.default), markdown::text(row.statement)],
            row.source,
        )
    });
    markdown::table(&mut page, "Options", &["Option", "Default", "What it decides"], options);
    page
}
