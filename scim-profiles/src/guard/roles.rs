//! Which roles users have, and when one loses some.

use std::collections::HashSet;
use std::fmt;

use scim_core::{Resource, Value};
use scim_filter::compare;

use crate::datadog::{Role, RoleCatalogue};
use crate::incident_io::{self, Access, ActiveInSlack, BaseRole, EFFECTIVE_ACCESS, Effect, RoleMapping};
use crate::pagerduty::role;

/// Which roles users have at a vendor, and when a change takes some away.
pub trait UserRoles: fmt::Debug + Send + Sync + 'static {
    /// The roles that the user has, by their values.
    fn held<'r>(&self, user: &'r Resource) -> Vec<&'r str>;

    /// Whether a role can have this value, as far as that is known. As provided, any.
    fn is_known(&self, role: &str) -> bool {
        let _ = role;
        true
    }

    /// The name by which the role of this value may be [protected](super::Protected::with_role) too, which no other
    /// role has. As provided, there is none.
    fn name_of(&self, role: &str) -> Option<&str> {
        let _ = role;
        None
    }

    /// Whether a user who was `before` and is `after` has less of roles. As provided: one is gone.
    fn is_downgrade(&self, before: &Resource, after: &Resource) -> bool {
        is_less(&self.held(before), &self.held(after))
    }

    /// Whether the user is active at the vendor. As provided, unless `active` says that they are not.
    fn is_active(&self, user: &Resource) -> bool {
        user.get("active") != Some(&Value::Bool(false))
    }

    /// What the vendor makes of a user who was `before` and is written as `after`, where that is something else;
    /// `groups` are the names of those whom someone is in who is active again. As provided, it is as written.
    fn settled(&self, before: &Resource, after: &Resource, groups: &[&str]) -> Option<Resource> {
        let _ = (before, after, groups);
        None
    }

    /// The mapping by which groups give roles, where they do. As provided, they do not.
    fn mapping(&self) -> Option<&RoleMapping> {
        None
    }
}

/// The values of `roles` and of `entitlements`: RFC 7643 §4.1.2 knows no order among them, so that to
/// lose one is to have less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleValues;

impl UserRoles for RoleValues {
    fn held<'r>(&self, user: &'r Resource) -> Vec<&'r str> {
        values(user.get("roles")).chain(values(user.get("entitlements"))).collect()
    }
}

/// PagerDuty's account roles, of which a user has one, from the highest to the lowest.
///
/// PagerDuty prints no order. This one is inferred from its tables: the owner is above whom the
/// owner appoints, roles of full users are above those of stakeholders, and among these a role is
/// higher that has more on teams. A licence that goes is no downgrade, since it goes with the role.
///
/// ```
/// use scim_core::{Resource, Value};
/// use scim_profiles::guard::{PagerDutyRoles, UserRoles};
///
/// let user = |role: &str| -> Resource {
///     let user: Value = format!(r#"{{"roles": [{{"value": "{role}"}}]}}"#).parse().expect("is JSON");
///     Resource(user.as_object().cloned().unwrap_or_default())
/// };
/// assert!(PagerDutyRoles.is_downgrade(&user("user"), &user("read_only_user")));
/// assert!(!PagerDutyRoles.is_downgrade(&user("user"), &user("admin")));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PagerDutyRoles;

impl PagerDutyRoles {
    /// The values, from the highest to the lowest.
    pub const ORDER: [&str; 8] = [
        "owner",
        "admin",
        "user",
        "limited_user",
        "observer",
        "restricted_access",
        "read_only_user",
        "read_only_limited_user",
    ];
}

impl UserRoles for PagerDutyRoles {
    fn held<'r>(&self, user: &'r Resource) -> Vec<&'r str> {
        values(user.get("roles")).collect()
    }

    fn is_known(&self, role: &str) -> bool {
        Self::ORDER.contains(&role)
    }

    fn is_downgrade(&self, before: &Resource, after: &Resource) -> bool {
        let rank = |user: &Resource| {
            let held = self.held(user).into_iter().filter_map(role);
            held.filter_map(|role| Self::ORDER.iter().position(|value| *value == role.value)).min()
        };
        match (rank(before), rank(after)) {
            (Some(before), Some(after)) => after > before,
            (before, after) => before.is_some() && after.is_none(),
        }
    }
}

/// Datadog's roles: those of an organisation, by their UUIDs. A role is protected by its UUID, or by its exact name
/// where no other role has that.
///
/// ```
/// use scim_profiles::datadog::RoleCatalogue;
/// use scim_profiles::guard::{DatadogRoles, Guards, Protected};
///
/// let catalogue = RoleCatalogue::new()
///     .with_role("11111111-aaaa-11ee-a000-000000000001", "Datadog Admin Role")?;
/// let guards = Guards::new()
///     .with_roles(DatadogRoles::new(catalogue))
///     .with_protected(Protected::new().with_role("Datadog Admin Role").with_role("Admin"));
/// assert_eq!(guards.unknown_roles().collect::<Vec<_>>(), ["Admin"]);
/// # Ok::<(), scim_profiles::datadog::RoleError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct DatadogRoles(RoleCatalogue);

impl DatadogRoles {
    /// The roles of the organisation.
    pub fn new(catalogue: RoleCatalogue) -> Self {
        Self(catalogue)
    }

    fn is_name_of_one(&self, name: &str) -> bool {
        self.0.roles().iter().filter(|role| role.name() == name).count() == 1
    }
}

impl UserRoles for DatadogRoles {
    fn held<'r>(&self, user: &'r Resource) -> Vec<&'r str> {
        values(user.get("roles")).collect()
    }

    fn is_known(&self, role: &str) -> bool {
        self.0.role(role).is_some() || self.is_name_of_one(role)
    }

    fn name_of(&self, role: &str) -> Option<&str> {
        self.0.role(role).map(Role::name).filter(|name| self.is_name_of_one(name))
    }
}

/// incident.io's roles, which groups give: the base role, and the custom roles.
///
/// Who leaves a group that gives a role, by a PATCH, a PUT or the end of the group, is downgraded if
/// no other group gives the same. Seats stay until they are revoked by hand, so none goes with that.
/// For a [guarded](super::GuardedStore) [`AccessStore`](crate::incident_io::AccessStore), which makes
/// of groups what users have. Of several requests at the same time it holds [within one
/// server](super#several-at-once).
///
/// What counts is what is lost, not what is asked for. Who is not assigned any more and stays
/// [active in Slack](Self::with_active_in_slack) is not deactivated, and is downgraded if a role goes with it. Who is
/// not assigned loses nothing by leaving groups, and who is assigned again and was inactive loses nothing by that.
#[derive(Clone, Debug, Default)]
pub struct IncidentIoRoles(Effect);

impl IncidentIoRoles {
    /// The roles that `mapping` gives.
    pub fn new(mapping: RoleMapping) -> Self {
        Self(Effect { mapping, slack: ActiveInSlack::default() })
    }

    /// The same where these are active in Slack, as the
    /// [store](crate::incident_io::AccessStore::with_active_in_slack) has it.
    #[must_use]
    pub fn with_active_in_slack(self, slack: ActiveInSlack) -> Self {
        Self(Effect { slack, ..self.0 })
    }
}

impl UserRoles for IncidentIoRoles {
    fn held<'r>(&self, user: &'r Resource) -> Vec<&'r str> {
        let access = user.extension(EFFECTIVE_ACCESS);
        let of = |name: &str| access.and_then(|access| access.get(name));
        let custom_roles = of("customRoles").and_then(Value::as_array).unwrap_or_default();
        of("baseRole").into_iter().chain(custom_roles).filter_map(Value::as_str).collect()
    }

    fn is_known(&self, role: &str) -> bool {
        role.parse::<BaseRole>().is_ok() || self.0.mapping.custom_roles().any(|(name, _)| name == role)
    }

    fn is_downgrade(&self, before: &Resource, after: &Resource) -> bool {
        self.is_active(before) && is_less(&self.held(before), &self.held(after))
    }

    fn is_active(&self, user: &Resource) -> bool {
        incident_io::is_active(user)
    }

    fn settled(&self, before: &Resource, after: &Resource, groups: &[&str]) -> Option<Resource> {
        let access = self.0.mapping.resolve(groups.iter().copied());
        let extension = self.0.becomes(before, after, access)?;
        let mut settled = after.clone();
        settled.0.insert(EFFECTIVE_ACCESS, extension);
        Some(settled)
    }

    fn mapping(&self) -> Option<&RoleMapping> {
        Some(&self.0.mapping)
    }
}

/// Whether one of the roles that somebody had is gone.
fn is_less(before: &[&str], after: &[&str]) -> bool {
    let after: HashSet<_> = after.iter().map(|role| compare::fold(role)).collect();
    before.iter().any(|role| !after.contains(&compare::fold(role)))
}

/// The roles that someone has with `before` and not with `after`: a base role that is lower, and custom
/// roles that are gone.
pub(super) fn lost<'a>(before: &'a Access, after: &'a Access) -> Vec<&'a str> {
    let base_role = (after.base_role < before.base_role).then_some(before.base_role.as_str());
    let custom_roles = before.custom_roles.difference(&after.custom_roles).map(|role| &**role);
    base_role.into_iter().chain(custom_roles).collect()
}

fn values(attribute: Option<&Value>) -> impl Iterator<Item = &str> {
    let values = attribute.map(Value::values).unwrap_or_default().iter();
    values.filter_map(|value| match value {
        Value::Object(value) => value.get("value")?.as_str(),
        value => value.as_str(),
    })
}
