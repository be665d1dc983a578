//! What the teams are to be.

use super::config::MAX_NAME;
use crate::pagerduty::TeamRole;

/// A group of the identity provider, of which a team is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesiredGroup {
    /// The `id` of the SCIM group, by which its team is remembered.
    pub id: String,
    /// Its `displayName`: the team's name. Spaces around it do not count.
    pub display_name: String,
    /// The role on the team of its members, unless one has their own; without one, that of
    /// [`TeamOptions::role`](super::TeamOptions::role).
    pub role: Option<TeamRole>,
    /// Who is in it. A member of a member is to be among them, where that counts; who is deactivated is not, since
    /// everybody here is put onto the team.
    pub members: Vec<DesiredMember>,
}

/// Someone in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesiredMember {
    /// The `id` of the SCIM user.
    pub user: String,
    /// The e-mail address by which the user is found in PagerDuty, in any case; empty for one who has
    /// none.
    pub email: String,
    /// The user's own role on the team.
    pub role: Option<TeamRole>,
}

impl DesiredGroup {
    /// A group without members.
    pub fn new(id: impl Into<String>, display_name: impl Into<String>) -> Self {
        Self { id: id.into(), display_name: display_name.into(), ..Self::default() }
    }

    /// The same with one member more.
    #[must_use]
    pub fn with_member(mut self, user: impl Into<String>, email: impl Into<String>) -> Self {
        self.members.push(DesiredMember { user: user.into(), email: email.into(), role: None });
        self
    }

    /// The team's name.
    pub(super) fn name(&self) -> &str {
        self.display_name.trim()
    }

    /// The team's name, or its number of characters if no team can be called so.
    pub(super) fn checked_name(&self) -> Result<&str, usize> {
        match self.name().chars().count() {
            1..=MAX_NAME => Ok(self.name()),
            characters => Err(characters),
        }
    }
}

impl DesiredMember {
    /// The e-mail address as it is compared, if a PagerDuty user can have it.
    ///
    /// An empty one would find everybody; PagerDuty's have 6 to 100 characters.
    pub(super) fn key(&self) -> Option<String> {
        let email = self.email.trim();
        let fits = (6..=100).contains(&email.chars().count()) && email.contains('@');
        fits.then(|| email.to_lowercase())
    }
}
