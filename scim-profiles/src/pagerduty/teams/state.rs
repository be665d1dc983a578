//! What the bridge remembers between runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pagerduty::TeamRole;

/// What the bridge remembers between runs: which team is whose, and whom it added.
///
/// A run hands out each change as [`Step::Save`](super::Step::Save) before the request that depends on
/// it, so that a crash between any two requests is made good by the next run. Whoever keeps it may keep
/// a row for each group, or all of it.
///
/// ```
/// use scim_profiles::pagerduty::teams::TeamState;
/// let state: TeamState = serde_json::from_str(r#"{"groups": {"g1": {"name": "SRE", "team": "PQ9K7I8"}}}"#)?;
/// assert_eq!(state.group("g1").and_then(|group| group.team.as_deref()), Some("PQ9K7I8"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamState {
    /// By the `id` of the SCIM group.
    #[serde(default)]
    pub groups: BTreeMap<String, GroupState>,
}

/// What the bridge remembers of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupState {
    /// The name its team had when it was last seen.
    #[serde(default)]
    pub name: String,
    /// The `id` of its team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// How the team came to be the group's.
    #[serde(default)]
    pub origin: Origin,
    /// The description of a team that is being created, while it is not known what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creating: Option<String>,
    /// Whom the bridge added to the team or is about to add, by the `id` of the PagerDuty user.
    #[serde(default)]
    pub members: BTreeMap<String, AddedMember>,
    /// Who was one of them, and may be on the team again by a request that has its effect late.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub former: BTreeMap<String, FormerMember>,
}

/// How a team came to be a group's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// It was there. The bridge does not delete it.
    #[default]
    Adopted,
    /// The bridge created it.
    Created,
}

/// Somebody whom the bridge added to a team or is about to add.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedMember {
    /// The `id` of the SCIM user.
    pub user: String,
    /// The e-mail address by which the PagerDuty user was found.
    pub email: String,
    /// A role that PagerDuty took and does not show, since the user's account role is fixed: it is not
    /// set again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_role: Option<KeptRole>,
}

/// Somebody whom the bridge removed from a team, or was about to add and does not see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerMember {
    /// The `id` of the SCIM user.
    pub user: String,
    /// The e-mail address by which the PagerDuty user was found.
    pub email: String,
    /// Until when that is remembered, in seconds since 1970.
    pub until: i64,
}

/// A role that PagerDuty took and does not show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRole {
    /// The role that was set.
    pub wanted: TeamRole,
    /// The role that PagerDuty shows.
    pub seen: String,
}

impl FormerMember {
    pub(super) fn of(added: AddedMember, until: i64) -> Self {
        Self { user: added.user, email: added.email, until }
    }

    /// As one who is to be removed.
    pub(super) fn as_added(&self) -> AddedMember {
        AddedMember { user: self.user.clone(), email: self.email.clone(), kept_role: None }
    }
}

impl TeamState {
    /// What is remembered of the group `id`.
    pub fn group(&self, id: &str) -> Option<&GroupState> {
        self.groups.get(id)
    }

    /// Takes over what a [`Save`](super::Save) says of a group: its row, or that there is none any more.
    pub fn set(&mut self, id: &str, group: Option<GroupState>) {
        match group {
            Some(group) => self.groups.insert(id.to_owned(), group),
            None => self.groups.remove(id),
        };
    }
}
