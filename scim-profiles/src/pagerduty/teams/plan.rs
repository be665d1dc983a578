//! What is written to PagerDuty.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::report::GroupReport;
use crate::pagerduty::TeamRole;
use crate::table;

/// One change in PagerDuty: what a request makes, a line of an audit trail, a row of a [`Plan`].
///
/// `group` is the `id` of the SCIM group, `team` and `user` are the `id`s of PagerDuty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Write {
    /// A team is created.
    CreateTeam {
        /// For this group.
        group: String,
        /// Its name.
        name: String,
        /// Its description.
        description: String,
    },
    /// A team gets the name that its group has now.
    RenameTeam {
        /// The group.
        group: String,
        /// The team.
        team: String,
        /// The name it had.
        from: String,
        /// The name it gets.
        to: String,
        /// The description it has and keeps.
        #[serde(skip)]
        description: Option<String>,
    },
    /// A user is added to a team.
    AddMember {
        /// The group.
        group: String,
        /// The team; `None` for one that a dry run would have created.
        #[serde(skip_serializing_if = "Option::is_none")]
        team: Option<String>,
        /// The user.
        user: String,
        /// The e-mail address by which the user was found.
        email: String,
        /// The role on the team; `None` where PagerDuty decides.
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<TeamRole>,
    },
    /// A member gets another role on the team.
    SetRole {
        /// The group.
        group: String,
        /// The team.
        team: String,
        /// The user.
        user: String,
        /// The e-mail address by which the user was found.
        email: String,
        /// The role the user has.
        from: String,
        /// The role the user gets.
        role: TeamRole,
    },
    /// A member whom the bridge added is removed from a team.
    RemoveMember {
        /// The group.
        group: String,
        /// The team.
        team: String,
        /// The user.
        user: String,
        /// The e-mail address by which the user was found.
        email: String,
    },
    /// A team is deleted.
    DeleteTeam {
        /// The group that is gone.
        group: String,
        /// The team.
        team: String,
        /// Its name.
        name: String,
    },
}

impl Write {
    /// The word for what is done: `create-team`.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::CreateTeam { .. } => "create-team",
            Self::RenameTeam { .. } => "rename-team",
            Self::AddMember { .. } => "add-member",
            Self::SetRole { .. } => "set-role",
            Self::RemoveMember { .. } => "remove-member",
            Self::DeleteTeam { .. } => "delete-team",
        }
    }

    /// The SCIM group for which it is done.
    pub fn group(&self) -> &str {
        match self {
            Self::CreateTeam { group, .. }
            | Self::RenameTeam { group, .. }
            | Self::AddMember { group, .. }
            | Self::SetRole { group, .. }
            | Self::RemoveMember { group, .. }
            | Self::DeleteTeam { group, .. } => group,
        }
    }

    /// The team, where there is one.
    pub fn team(&self) -> Option<&str> {
        match self {
            Self::CreateTeam { .. } => None,
            Self::AddMember { team, .. } => team.as_deref(),
            Self::RenameTeam { team, .. }
            | Self::SetRole { team, .. }
            | Self::RemoveMember { team, .. }
            | Self::DeleteTeam { team, .. } => Some(team),
        }
    }

    /// The e-mail address of the user whom it concerns.
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::AddMember { email, .. }
            | Self::SetRole { email, .. }
            | Self::RemoveMember { email, .. } => Some(email),
            _ => None,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::CreateTeam { name, .. } | Self::DeleteTeam { name, .. } => name.escape_debug().to_string(),
            Self::RenameTeam { from, to, .. } => format!("{} -> {}", from.escape_debug(), to.escape_debug()),
            Self::AddMember { role, .. } => role.map_or("", TeamRole::as_str).to_owned(),
            Self::SetRole { from, role, .. } => format!("{} -> {}", from.escape_debug(), role.as_str()),
            Self::RemoveMember { .. } => String::new(),
        }
    }
}

/// In one line, for a log: `add-member PQ9K7I8 alex.doe@example.com responder`.
impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action())?;
        let email = self.email().unwrap_or_default().escape_debug().to_string();
        for word in [self.team().unwrap_or_default(), &email, &self.detail()] {
            if !word.is_empty() {
                write!(f, " {word}")?;
            }
        }
        Ok(())
    }
}

/// What was written, or in a dry run what would be, in that order. It prints as a table, with the names of the groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Plan {
    writes: Vec<Write>,
    /// The names of the groups, for who reads the table.
    #[serde(skip)]
    names: BTreeMap<String, String>,
}

impl Plan {
    /// The changes, in the order in which they are made.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The same with the names that `groups` have.
    pub(super) fn with_names(mut self, groups: &[GroupReport]) -> Self {
        let written: BTreeSet<&str> = self.writes.iter().map(Write::group).collect();
        let groups = groups.iter().filter(|group| written.contains(group.group.as_str()));
        self.names = groups.map(|group| (group.group.clone(), group.name.clone())).collect();
        self
    }

    /// The name of a group, or its `id` where it has none.
    fn name<'a>(&'a self, group: &'a str) -> &'a str {
        self.names.get(group).filter(|name| !name.is_empty()).map_or(group, String::as_str)
    }

    pub(super) fn push(&mut self, write: Write) {
        self.writes.push(write);
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing to do\n");
        }
        let mut rows = vec![["ACTION", "GROUP", "TEAM", "E-MAIL", "DETAIL"].map(str::to_owned)];
        rows.extend(self.writes.iter().map(|write| {
            [
                write.action().to_owned(),
                self.name(write.group()).escape_debug().to_string(),
                write.team().unwrap_or("(new)").escape_debug().to_string(),
                write.email().unwrap_or_default().escape_debug().to_string(),
                write.detail(),
            ]
        }));
        table::write(f, &rows)
    }
}
