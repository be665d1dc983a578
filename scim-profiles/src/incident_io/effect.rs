//! What a user of a service has in incident.io: by whether they are assigned, by their groups, and by Slack.

use scim_core::membership::Membership;
use scim_core::{Object, Resource, Value};

use super::access::{Access, RoleMapping};
use super::directory;
use super::policy;
use super::schema::EFFECTIVE_ACCESS;
use super::slack::ActiveInSlack;

/// What decides on [`EFFECTIVE_ACCESS`], besides the user and their groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effect {
    pub(crate) mapping: RoleMapping,
    pub(crate) slack: ActiveInSlack,
}

impl Effect {
    /// What [`EFFECTIVE_ACCESS`] is to say of someone who was `before`, is `after`, and whose groups give `access`,
    /// which is not looked at where they are not assigned.
    pub(super) fn extension(&self, before: &Resource, after: &Resource, access: Access) -> Object {
        let (had, options) = (policy::standing(before), self.mapping.options());
        let has = match is_assigned(after) {
            true => had.assigned(access, options),
            false => had.unassigned(self.has_in_slack(after), options),
        };
        policy::extension(&has, &self.mapping)
    }

    /// The same where the write of the user makes it another than `after` has: groups alone change it for
    /// somebody who was assigned and is.
    pub(crate) fn becomes(&self, before: &Resource, after: &Resource, access: Access) -> Option<Object> {
        if is_assigned(before) && is_assigned(after) {
            return None;
        }
        let extension = self.extension(before, after, access);
        (after.extension(EFFECTIVE_ACCESS) != Some(&extension)).then_some(extension)
    }

    /// What these groups of one user give.
    pub(super) fn access_by(&self, memberships: &[Membership]) -> Access {
        self.mapping.resolve(memberships.iter().filter_map(|membership| membership.display.as_deref()))
    }

    /// What the group of this name gives, if it is mapped.
    pub(super) fn given(&self, name: Option<&str>) -> Option<&Access> {
        self.mapping.group(name?)
    }

    fn has_in_slack(&self, user: &Resource) -> bool {
        !self.slack.is_empty() && directory::email(&user.0).is_some_and(|email| self.slack.contains(email))
    }
}

/// Whether the identity provider assigns the user, which is what `active` says.
pub(crate) fn is_assigned(user: &Resource) -> bool {
    user.get("active") != Some(&Value::Bool(false))
}

/// Whether the user is active in incident.io.
pub(crate) fn is_active(user: &Resource) -> bool {
    let said = user.extension(EFFECTIVE_ACCESS).and_then(|access| access.get("active"));
    said.and_then(Value::as_bool).unwrap_or_else(|| is_assigned(user))
}
