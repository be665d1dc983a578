//! What a run did, and what it could not do.

use std::fmt;

use serde::Serialize;

use super::answer::ApiError;
use super::guard::{GuardRefusal, Guarded};
use super::plan::Plan;
use crate::table;

/// What a run did, and what it could not do: for each group, and for each of its members.
///
/// It prints as a table of all that is not as it was, and becomes JSON by serde.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// Whether nothing was written: the outcomes then say what would be.
    pub dry_run: bool,
    /// How the run ended.
    #[serde(flatten)]
    pub end: End,
    /// What was written, or in a dry run what would be.
    pub plan: Plan,
    /// The groups: those there are in the order of their ids, then those that are gone.
    pub groups: Vec<GroupReport>,
    /// What guards refused: for an audit trail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guarded: Vec<Guarded>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "end", content = "why", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum End {
    /// Every group was looked at.
    Complete,
    /// PagerDuty does not know the credential (401), also not after a new token.
    Unauthorized(ApiError),
    /// The account has not the ability that teams need (402).
    MissingAbility(ApiError),
    /// The credential does not permit to look for teams or users, or lacks the scope (403); or the
    /// account may not be used.
    Forbidden(ApiError),
    /// No token is given.
    TokenRefused(ApiError),
    /// The token has not these scopes, which the application therefore lacks.
    MissingScopes(Vec<String>),
    /// PagerDuty would not answer more requests (429), however long they waited.
    RateLimited,
    /// PagerDuty was not to be reached, or did not answer as it should, again and again.
    Unavailable(String),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("complete"),
            Self::Unauthorized(error) => {
                write!(f, "ended: PagerDuty does not accept the credential: {error}")
            }
            Self::MissingAbility(error) => write!(f, "ended: the account has not the ability: {error}"),
            Self::Forbidden(error) => write!(f, "ended: the credential does not permit it: {error}"),
            Self::TokenRefused(error) => write!(f, "ended: no token was given: {error}"),
            Self::MissingScopes(scopes) => {
                write!(f, "ended: the token has not the scopes `{}`", scopes.join("`, `"))
            }
            Self::RateLimited => f.write_str("ended: the rate limit was met again and again"),
            Self::Unavailable(why) => write!(f, "ended: PagerDuty is not available: {why}"),
        }
    }
}

/// What became of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GroupReport {
    /// The `id` of the SCIM group.
    pub group: String,
    /// Its name, or that of its team if the group is gone.
    pub name: String,
    /// The `id` of its team.
    pub team: Option<String>,
    /// What happened to the team, in that order.
    pub outcomes: Vec<TeamOutcome>,
    /// What became of the members: first those of the group, in their order, then those who were removed.
    pub members: Vec<MemberReport>,
}

/// What happened to a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TeamOutcome {
    /// It is there, and called as the group is.
    Found,
    /// It was created.
    Created,
    /// A team that was there became the group's.
    Adopted,
    /// The team of a group that is gone became that of this group, which has the same name.
    TakenOver {
        /// The group that is gone.
        from: String,
    },
    /// It got the group's name.
    Renamed {
        /// The name it had.
        from: String,
    },
    /// It was deleted in PagerDuty.
    Lost,
    /// Its group is gone, and it stays as it is.
    Kept,
    /// Its group is gone, and those whom the bridge added were removed.
    Emptied,
    /// Its group is gone, and it was deleted.
    Deleted,
    /// Its group is gone, and it is not deleted, since the bridge did not create it. No later run could do more.
    NotDeleted,
    /// Its group is gone, and so was it.
    AlreadyGone,
    /// The run ended before everything was done.
    NotFinished,
    /// Something was not done.
    Problem {
        /// What.
        #[serde(flatten)]
        problem: Problem,
    },
}

/// What became of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MemberReport {
    /// The `id` of the SCIM user.
    pub user: String,
    /// The e-mail address.
    pub email: String,
    /// The `id` of the PagerDuty user, where one was found.
    pub pagerduty_user: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub outcome: MemberOutcome,
}

/// What happened to a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MemberOutcome {
    /// They are on the team as they should be.
    Unchanged,
    /// They were added.
    Added,
    /// They got another role on the team.
    RoleSet {
        /// The role they had.
        from: String,
    },
    /// They are on the team, with a role that PagerDuty does not change.
    RoleKept {
        /// The role they have.
        role: String,
    },
    /// They were on the team already, added by somebody else, and stay as they are.
    AlreadyThere,
    /// They were removed.
    Removed,
    /// Something was not done.
    Problem {
        /// What.
        #[serde(flatten)]
        problem: Problem,
    },
}

/// Why something was not done. It holds nothing else up, and is tried again by the next run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", content = "of", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Problem {
    /// No team can have a name of this many characters.
    NameLength(usize),
    /// Other groups have the same name.
    SameName,
    /// Another group that is desired has the same `id`.
    SameId,
    /// Several teams have the group's name.
    Ambiguous(Vec<String>),
    /// A team has the group's name, and teams are not adopted.
    Exists(String),
    /// The team with the group's name is that of this other group.
    TakenBy(String),
    /// Further teams came of the same creation, and are nobody's.
    Duplicates(Vec<String>),
    /// PagerDuty finds more of these than it lists.
    TooMany(&'static str),
    /// The team was not deleted, since this many are on it whom the bridge did not add.
    OtherMembers(usize),
    /// The team was not deleted, since something belongs to it (6006).
    Associations(ApiError),
    /// The team is deleted again and again.
    TeamMissing,
    /// The member has no e-mail address that a PagerDuty user could have.
    NoEmail,
    /// No PagerDuty user has the e-mail address.
    UnknownUser,
    /// PagerDuty does not take the user onto a team: a stakeholder.
    Stakeholder(ApiError),
    /// PagerDuty was not asked to take the user onto a team: a stakeholder.
    StakeholderSkipped,
    /// PagerDuty does not let go of the user, who is on an escalation policy of the team (2001).
    EscalationPolicy(ApiError),
    /// PagerDuty took it, and does not show it.
    Unconfirmed,
    /// A guard refuses it.
    Guarded(GuardRefusal),
    /// PagerDuty refused it.
    Refused(ApiError),
    /// It failed again and again.
    GaveUp(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameLength(0) => f.write_str("the group has no name"),
            Self::NameLength(characters) => {
                write!(f, "the name has {characters} characters, and PagerDuty permits {}", super::MAX_NAME)
            }
            Self::SameName => f.write_str("several groups have the name"),
            Self::SameId => f.write_str("several groups have the id"),
            Self::Ambiguous(teams) => write!(f, "several teams have the name: {}", teams.join(", ")),
            Self::Exists(team) => write!(f, "there is a team {team} with the name"),
            Self::TakenBy(group) => {
                write!(f, "the team with the name is that of the group `{}`", group.escape_debug())
            }
            Self::Duplicates(teams) => write!(f, "created more than once, also as {}", teams.join(", ")),
            Self::TooMany(what) => write!(f, "there are more {what} than PagerDuty lists"),
            Self::OtherMembers(number) => write!(f, "not deleted: {number} others are on the team"),
            Self::Associations(error) => write!(f, "not deleted: {error}"),
            Self::TeamMissing => f.write_str("the team is deleted again and again"),
            Self::NoEmail => f.write_str("no e-mail address of 6 to 100 characters"),
            Self::UnknownUser => f.write_str("no PagerDuty user has the e-mail address"),
            Self::Stakeholder(error) => write!(f, "a stakeholder is on no team: {error}"),
            Self::StakeholderSkipped => f.write_str("a stakeholder is put onto no team"),
            Self::EscalationPolicy(error) => write!(f, "needed on an escalation policy: {error}"),
            Self::Unconfirmed => f.write_str("accepted, and not to be seen"),
            Self::Guarded(refusal) => write!(f, "guarded: {}", refusal.detail),
            Self::Refused(error) => write!(f, "refused: {error}"),
            Self::GaveUp(why) => write!(f, "given up: {why}"),
        }
    }
}

impl fmt::Display for TeamOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found => f.write_str("found"),
            Self::Created => f.write_str("created"),
            Self::Adopted => f.write_str("adopted"),
            Self::TakenOver { from } => write!(f, "taken over from group `{}`", from.escape_debug()),
            Self::Renamed { from } => write!(f, "renamed from `{}`", from.escape_debug()),
            Self::Lost => f.write_str("lost"),
            Self::Kept => f.write_str("kept"),
            Self::Emptied => f.write_str("emptied"),
            Self::Deleted => f.write_str("deleted"),
            Self::NotDeleted => f.write_str("not deleted: the team was there before"),
            Self::AlreadyGone => f.write_str("already gone"),
            Self::NotFinished => f.write_str("not finished"),
            Self::Problem { problem } => problem.fmt(f),
        }
    }
}

impl fmt::Display for MemberOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged => f.write_str("unchanged"),
            Self::Added => f.write_str("added"),
            Self::RoleSet { from } => write!(f, "role set, was {}", from.escape_debug()),
            Self::RoleKept { role } => write!(f, "role stays {}", role.escape_debug()),
            Self::AlreadyThere => f.write_str("already there"),
            Self::Removed => f.write_str("removed"),
            Self::Problem { problem } => problem.fmt(f),
        }
    }
}

impl Report {
    /// What was not done, for the teams and for the members.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.groups.iter().flat_map(GroupReport::problems)
    }

    /// The group `id`.
    pub fn group(&self, id: &str) -> Option<&GroupReport> {
        self.groups.iter().find(|group| group.group == id)
    }
}

impl GroupReport {
    /// What was not done, for the team and for the members.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.team_problems().chain(self.member_problems().map(|(_, problem)| problem))
    }

    /// What was not done, for the team.
    pub fn team_problems(&self) -> impl Iterator<Item = &Problem> {
        self.outcomes.iter().filter_map(|outcome| match outcome {
            TeamOutcome::Problem { problem } => Some(problem),
            _ => None,
        })
    }

    /// What was not done, and for which member.
    pub fn member_problems(&self) -> impl Iterator<Item = (&MemberReport, &Problem)> {
        self.members.iter().filter_map(|member| match &member.outcome {
            MemberOutcome::Problem { problem } => Some((member, problem)),
            _ => None,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["GROUP", "TEAM", "E-MAIL", "OUTCOME"].map(str::to_owned)];
        for group in &self.groups {
            let name = || group.name.escape_debug().to_string();
            let team = || group.team.clone().unwrap_or_default();
            let shown = group.outcomes.iter().filter(|outcome| **outcome != TeamOutcome::Found);
            rows.extend(shown.map(|outcome| [name(), team(), String::new(), outcome.to_string()]));
            let changed = group.members.iter().filter(|member| {
                !matches!(member.outcome, MemberOutcome::Unchanged | MemberOutcome::AlreadyThere)
            });
            rows.extend(changed.map(|member| {
                [name(), team(), member.email.escape_debug().to_string(), member.outcome.to_string()]
            }));
        }
        if rows.len() > 1 {
            table::write(f, &rows)?;
            writeln!(f)?;
        }
        let (groups, writes) = (self.groups.len(), self.plan.writes().len());
        let verb = if self.dry_run { "would be made" } else { "made" };
        let problems = self.problems().count();
        writeln!(f, "{}; {groups} groups, {writes} changes {verb}, {problems} problems", self.end)
    }
}
