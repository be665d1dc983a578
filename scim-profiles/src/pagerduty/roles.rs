//! PagerDuty's account roles.

use serde::{Deserialize, Serialize};

use super::sources::{PERMISSIONS, PROVISIONING, REST_API};
use crate::Source;
use crate::markdown::Table;

/// An account role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// The name in PagerDuty's user interface.
    pub name: &'static str,
    /// The value in `roles`.
    pub value: &'static str,
    /// Whether roles on teams and objects can change what it permits.
    pub kind: RoleKind,
    /// The role a user with it gets on a team.
    pub team_role: TeamRole,
    /// The licences it needs.
    pub license_group: LicenseGroup,
    /// The ability an account must have to assign it.
    pub ability: Option<Ability>,
    /// Whether SCIM may give it to a user.
    pub grantable: bool,
    /// Where name, value, kind and grantability come from.
    pub source: Source,
    /// Where the team role comes from.
    pub team_role_source: Source,
    /// Where licence group and ability come from.
    pub license_source: Source,
}

/// Whether roles on teams and objects can change what an account role permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoleKind {
    /// They cannot.
    Fixed,
    /// They can.
    Flexible,
}

/// A role on a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TeamRole {
    /// `manager`
    Manager,
    /// `responder`
    Responder,
    /// `observer`
    Observer,
}

/// A group of licences, the `role_group` of PagerDuty's REST API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LicenseGroup {
    /// `FullUser`
    FullUser,
    /// `Stakeholder`
    Stakeholder,
}

/// What an account must be able to do for a role to be assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ability {
    /// `read_only_users`
    ReadOnlyUsers,
    /// Advanced permissions.
    AdvancedPermissions,
}

impl RoleKind {
    /// `fixed` or `flexible`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Flexible => "flexible",
        }
    }
}

impl TeamRole {
    /// The value in PagerDuty's REST API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manager => "manager",
            Self::Responder => "responder",
            Self::Observer => "observer",
        }
    }

    /// Its place among them all: the more a role gives, the higher.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Observer => 0,
            Self::Responder => 1,
            Self::Manager => 2,
        }
    }

    /// Whether it gives less than the role with this value; of one that is not known nobody can say.
    pub(crate) fn is_below(self, value: &str) -> bool {
        let all = [Self::Manager, Self::Responder, Self::Observer];
        all.into_iter().any(|role| role.as_str() == value && self.rank() < role.rank())
    }
}

impl LicenseGroup {
    /// The value in PagerDuty's REST API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FullUser => "FullUser",
            Self::Stakeholder => "Stakeholder",
        }
    }
}

impl Ability {
    /// What PagerDuty's documents call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnlyUsers => "read_only_users",
            Self::AdvancedPermissions => "advanced permissions",
        }
    }
}

/// The role a user is created with when the request names none.
pub const DEFAULT_ROLE: &str = "user";

/// The owner's role, which no API gives or takes.
pub const OWNER: &str = "owner";

/// Every value of `roles`, as in [`ROLES`].
pub(super) const ROLE_VALUES: &[&str] = &[
    "admin",
    "read_only_user",
    "read_only_limited_user",
    "user",
    "limited_user",
    "observer",
    "restricted_access",
    "owner",
];

/// The account roles, in the order of PagerDuty's table.
pub const ROLES: [Role; 8] = [
    fixed("Global Admin", "admin", TeamRole::Manager),
    stakeholder("Full Stakeholder", "read_only_user"),
    stakeholder("Limited Stakeholder", "read_only_limited_user"),
    flexible("Manager / User", "user", TeamRole::Manager, None),
    flexible("Responder", "limited_user", TeamRole::Responder, None),
    flexible("Observer", "observer", TeamRole::Observer, Some(Ability::AdvancedPermissions)),
    flexible(
        "Restricted Access",
        "restricted_access",
        TeamRole::Observer,
        Some(Ability::AdvancedPermissions),
    ),
    Role { grantable: false, ..fixed("Account Owner", OWNER, TeamRole::Manager) },
];

/// The role with `value`.
///
/// ```
/// use scim_profiles::pagerduty::{LicenseGroup, role};
/// let observer = role("observer").expect("is a role");
/// assert_eq!(observer.name, "Observer");
/// assert_eq!(observer.license_group, LicenseGroup::FullUser);
/// assert_eq!(role("Observer"), None);
/// ```
pub fn role(value: &str) -> Option<&'static Role> {
    const TABLE: &[Role] = &ROLES;
    TABLE.iter().find(|role| role.value == value)
}

/// The roles as tables, one for each kind of source.
pub(super) fn tables() -> Vec<Table> {
    let code = |text: &str| format!("`{text}`");
    let table = |title, header, row: fn(&Role) -> Vec<String>, source: fn(&Role) -> Source| Table {
        title,
        header,
        rows: ROLES
            .iter()
            .map(|role| {
                let cells = std::iter::once(code(role.value)).chain(row(role)).collect();
                (cells, source(role))
            })
            .collect(),
    };
    vec![
        table(
            "Roles",
            &["Value", "Name", "Kind", "Given by SCIM"],
            |role| {
                let given = if role.grantable { "yes" } else { "no" };
                vec![role.name.to_owned(), role.kind.as_str().to_owned(), given.to_owned()]
            },
            |role| role.source,
        ),
        table(
            "Roles on teams",
            &["Value", "Role on a team"],
            |role| vec![role.team_role.as_str().to_owned()],
            |role| role.team_role_source,
        ),
        table(
            "Licences of roles",
            &["Value", "Licence group", "Ability of the account"],
            |role| {
                let ability = role.ability.map_or("none", Ability::as_str);
                vec![role.license_group.as_str().to_owned(), ability.to_owned()]
            },
            |role| role.license_source,
        ),
        super::incidents::table(),
    ]
}

const fn fixed(name: &'static str, value: &'static str, team_role: TeamRole) -> Role {
    Role {
        name,
        value,
        kind: RoleKind::Fixed,
        team_role,
        license_group: LicenseGroup::FullUser,
        ability: None,
        grantable: true,
        source: PROVISIONING,
        team_role_source: PERMISSIONS,
        license_source: REST_API,
    }
}

/// "Advanced Permissions" has one row for stakeholders; it stands for both of their roles here.
const fn stakeholder(name: &'static str, value: &'static str) -> Role {
    Role {
        license_group: LicenseGroup::Stakeholder,
        ability: Some(Ability::ReadOnlyUsers),
        team_role_source: PERMISSIONS.decided("the page has one row for both kinds of stakeholders"),
        ..fixed(name, value, TeamRole::Observer)
    }
}

const fn flexible(
    name: &'static str,
    value: &'static str,
    team_role: TeamRole,
    ability: Option<Ability>,
) -> Role {
    Role { kind: RoleKind::Flexible, ability, ..fixed(name, value, team_role) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_roles_with_distinct_values_of_which_one_is_not_granted() {
        assert_eq!(ROLES.map(|role| role.value), ROLE_VALUES);
        let ungrantable: Vec<_> =
            ROLES.iter().filter(|role| !role.grantable).map(|role| role.value).collect();
        assert_eq!(ungrantable, [OWNER]);
        assert!(role(DEFAULT_ROLE).is_some_and(|role| role.grantable));
    }

    #[test]
    fn the_roles_as_pagerduty_prints_them() {
        use LicenseGroup::{FullUser, Stakeholder};
        use RoleKind::{Fixed, Flexible};
        use TeamRole::{Manager, Observer, Responder};
        let rows = ROLES.map(|role| (role.name, role.kind, role.team_role, role.license_group));
        assert_eq!(
            rows,
            [
                ("Global Admin", Fixed, Manager, FullUser),
                ("Full Stakeholder", Fixed, Observer, Stakeholder),
                ("Limited Stakeholder", Fixed, Observer, Stakeholder),
                ("Manager / User", Flexible, Manager, FullUser),
                ("Responder", Flexible, Responder, FullUser),
                ("Observer", Flexible, Observer, FullUser),
                ("Restricted Access", Flexible, Observer, FullUser),
                ("Account Owner", Fixed, Manager, FullUser),
            ]
        );
    }
}
