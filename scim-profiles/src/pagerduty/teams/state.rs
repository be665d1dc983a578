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
    /// How the team is called for a while, so that another team can have its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renaming: Option<Renaming>,
    /// Whom the bridge added to the team or is about to add, by the `id` of the PagerDuty user.
    #[serde(default)]
    pub members: BTreeMap<String, AddedMember>,
    /// Who was one of them, and may be on the team again by a request that has its effect late.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub former: BTreeMap<String, FormerMember>,
}

/// A temporary name, remembered before the team gets it. It is no more than what a team may be called now: a later run
/// reads that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renaming {
    /// The temporary name.
    pub temporary: String,
    /// The name that the team is to have.
    pub to: String,
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
    /// The requests by which they were added or got a role, as long as these may have their effect late.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentRole>,
}

/// Somebody whom the bridge removed from a team, or was about to add and does not see, while one of its
/// requests may put them there yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerMember {
    /// The `id` of the SCIM user.
    pub user: String,
    /// The e-mail address by which the PagerDuty user was found.
    pub email: String,
    /// Those requests. Whoever is on the team with another role was put there by somebody else, and stays.
    #[serde(default)]
    pub sent: Vec<SentRole>,
}

/// A request that puts somebody onto a team, or gives them another role there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRole {
    /// The role; `None` where that was left to PagerDuty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<TeamRole>,
    /// Until when it may have its effect, in seconds since 1970.
    pub until: i64,
}

/// A role that PagerDuty took and does not show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRole {
    /// The role that was set.
    pub wanted: TeamRole,
    /// The role that PagerDuty shows.
    pub seen: String,
    /// Until when that may be the late effect of another request, in seconds since 1970: the role is set
    /// once more then. `None` if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

impl AddedMember {
    /// A request with this role is about to be sent, and may have its effect until then. What was sent
    /// before and is `over` by now is forgotten.
    pub(super) fn send(&mut self, role: Option<TeamRole>, until: i64, is_over: impl Fn(i64) -> bool) {
        self.sent.retain(|sent| sent.role != role && !is_over(sent.until));
        self.sent.push(SentRole { role, until });
    }
}

impl FormerMember {
    /// Of one who is no member any more, if a request may make them one yet.
    pub(super) fn of(added: AddedMember, is_over: impl Fn(i64) -> bool) -> Option<Self> {
        let mut sent = added.sent;
        sent.retain(|sent| !is_over(sent.until));
        (!sent.is_empty()).then_some(Self { user: added.user, email: added.email, sent })
    }

    /// Whether one of the requests can be why they are on the team with this role, where that is told. Also
    /// after its time: nobody has looked since.
    pub(super) fn is_late(&self, seen: Option<&str>) -> bool {
        let is_role = |(sent, seen): (TeamRole, &str)| sent.as_str() == seen;
        self.sent.iter().any(|sent| sent.role.zip(seen).is_none_or(is_role))
    }

    /// Whether none of the requests will have its effect any more.
    pub(super) fn is_over(&self, is_over: impl Fn(i64) -> bool) -> bool {
        self.sent.iter().all(|sent| is_over(sent.until))
    }

    /// As one who is to be removed.
    pub(super) fn as_added(&self) -> AddedMember {
        let (user, email, sent) = (self.user.clone(), self.email.clone(), self.sent.clone());
        AddedMember { user, email, kept_role: None, sent }
    }
}

impl KeptRole {
    /// Whether this role is wanted, and that one is seen instead.
    pub(super) fn is_of(&self, wanted: TeamRole, seen: &str) -> bool {
        self.wanted == wanted && self.seen == seen
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
