//! Groups of the directory, and the access they give.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use scim_filter::compare;

use super::options::{GroupNames, Options};

/// The permission to manage SCIM and SAML, which a custom role can have; the owner has it anyway.
///
/// incident.io's documentation calls it so; how its API spells it has no source.
pub const MANAGE_SECURITY_SETTINGS: &str = "manage security settings";

/// The role every user has exactly one of ([user permissions](https://docs.incident.io/admin/user-permissions)).
///
/// ```
/// use scim_profiles::incident_io::BaseRole;
/// assert_eq!("Admin".parse(), Ok(BaseRole::Admin));
/// assert!(BaseRole::Owner > BaseRole::Admin && BaseRole::Admin > BaseRole::Standard);
/// assert_eq!("root".parse::<BaseRole>().unwrap_err().to_string(), "`root` is not one of owner, admin, standard");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BaseRole {
    /// What a user has whom no group gives more.
    #[default]
    Standard,
    /// Needs a paid seat.
    Admin,
    /// Needs a paid seat; manages everything, SCIM included.
    Owner,
}

impl BaseRole {
    /// Every base role, the lowest first.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Admin, Self::Owner];

    /// `standard`, `admin` or `owner`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for BaseRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// In any case.
impl FromStr for BaseRole {
    type Err = UnknownBaseRole;

    fn from_str(text: &str) -> Result<Self, UnknownBaseRole> {
        let found = Self::ALL.into_iter().find(|role| role.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| UnknownBaseRole(text.chars().take(80).collect()))
    }
}

/// A text that names no base role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBaseRole(String);

impl fmt::Display for UnknownBaseRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not one of owner, admin, standard", self.0.escape_debug())
    }
}

impl std::error::Error for UnknownBaseRole {}

/// What groups give a user.
///
/// Two accesses [`join`](Self::join) to the least that covers both: the higher base role, and the
/// custom roles and the on-call seat of either. So what several groups give does not depend on their
/// order, and another group never takes anything away. The partial order says which access covers
/// which.
///
/// ```
/// use scim_profiles::incident_io::{Access, BaseRole};
/// let mut both = Access::base(BaseRole::Admin);
/// both.join(&Access::custom("Security"));
/// assert!(both > Access::base(BaseRole::Admin) && both > Access::custom("Security"));
/// assert_eq!(Access::base(BaseRole::Admin).partial_cmp(&Access::custom("Security")), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The base role.
    pub base_role: BaseRole,
    /// The names of the custom roles, which only add to the base role.
    pub custom_roles: BTreeSet<Arc<str>>,
    /// Whether it comes with an on-call seat.
    pub on_call: bool,
}

impl Access {
    /// A base role alone.
    pub fn base(base_role: BaseRole) -> Self {
        Self { base_role, ..Self::default() }
    }

    /// A custom role alone.
    pub fn custom(name: impl Into<Arc<str>>) -> Self {
        Self { custom_roles: BTreeSet::from([name.into()]), ..Self::default() }
    }

    /// An on-call seat alone.
    pub fn on_call() -> Self {
        Self { on_call: true, ..Self::default() }
    }

    /// Adds what `other` gives.
    pub fn join(&mut self, other: &Self) {
        self.base_role = self.base_role.max(other.base_role);
        self.on_call |= other.on_call;
        if !other.custom_roles.is_empty() {
            self.custom_roles.extend(other.custom_roles.iter().cloned());
        }
    }
}

impl PartialOrd for Access {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let covers = |a: &Self, b: &Self| {
            a.base_role >= b.base_role
                && a.on_call >= b.on_call
                && a.custom_roles.is_superset(&b.custom_roles)
        };
        match (covers(self, other), covers(other, self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }
}

/// Which group of the directory gives what in incident.io.
///
/// Groups go by their names, as [`Options::group_names`] says. Those that are not mapped give nothing: whoever is in no other has the
/// role Standard and a viewer's seat.
///
/// ```
/// use scim_profiles::incident_io::{BaseRole, MANAGE_SECURITY_SETTINGS, RoleMapping};
///
/// let mapping = RoleMapping::new()
///     .with_custom_role("Security", [MANAGE_SECURITY_SETTINGS])?
///     .with_base_role("Platform", BaseRole::Owner)
///     .with_base_role("Incident Managers", BaseRole::Admin)
///     .with_custom_role_of("IT", "Security")?
///     .with_on_call("SRE");
///
/// assert_eq!(mapping.resolve(["Engineers"]), Default::default());
/// let access = mapping.resolve(["SRE", "IT", "Incident Managers"]);
/// assert_eq!((access.base_role, access.on_call), (BaseRole::Admin, true));
/// assert_eq!(mapping.permissions(&access.custom_roles), [MANAGE_SECURITY_SETTINGS].into());
/// # Ok::<(), scim_profiles::incident_io::MappingError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleMapping {
    // By name, with the permissions.
    custom_roles: BTreeMap<Arc<str>, BTreeSet<String>>,
    // By the group's name. INVARIANT: its custom roles are keys of `custom_roles`.
    groups: BTreeMap<String, Access>,
    // By the group's name without case, what all spellings of it give.
    in_any_case: BTreeMap<String, Access>,
    options: Options,
}

impl RoleMapping {
    /// A mapping of no group.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a custom role called `name` that groups can give.
    ///
    /// # Errors
    ///
    /// There is a custom role of that name, or a base role is called so.
    pub fn with_custom_role<T: Into<String>>(
        mut self,
        name: &str,
        permissions: impl IntoIterator<Item = T>,
    ) -> Result<Self, MappingError> {
        if name.parse::<BaseRole>().is_ok() {
            return Err(MappingError::BaseRoleName(name.to_owned()));
        }
        let permissions = permissions.into_iter().map(Into::into).collect();
        match self.custom_roles.insert(name.into(), permissions) {
            None => Ok(self),
            Some(_) => Err(MappingError::SameCustomRole(name.to_owned())),
        }
    }

    /// The same where `group` gives `base_role`, or the higher one it already gives.
    #[must_use]
    pub fn with_base_role(self, group: &str, base_role: BaseRole) -> Self {
        self.with_access(group, &Access::base(base_role))
    }

    /// The same where `group` gives the custom role `role`, besides what it already gives.
    ///
    /// # Errors
    ///
    /// There is no custom role called `role`.
    pub fn with_custom_role_of(self, group: &str, role: &str) -> Result<Self, MappingError> {
        let Some((name, _)) = self.custom_roles.get_key_value(role) else {
            return Err(MappingError::UnknownCustomRole { group: group.to_owned(), role: role.to_owned() });
        };
        let access = Access::custom(Arc::clone(name));
        Ok(self.with_access(group, &access))
    }

    /// The same where `group` gives an on-call seat, besides what it already gives.
    #[must_use]
    pub fn with_on_call(self, group: &str) -> Self {
        self.with_access(group, &Access::on_call())
    }

    /// The same with other options.
    #[must_use]
    pub fn with_options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    fn with_access(mut self, group: &str, access: &Access) -> Self {
        self.groups.entry(group.to_owned()).or_default().join(access);
        self.in_any_case.entry(compare::fold(group).into_owned()).or_default().join(access);
        self
    }

    /// The options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The groups that are mapped, by name as it was given, with what each gives.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&str, &Access)> {
        self.groups.iter().map(|(group, access)| (group.as_str(), access))
    }

    /// What the group called `name` gives; `None` if it is not mapped.
    pub fn group(&self, name: &str) -> Option<&Access> {
        match self.options.group_names {
            GroupNames::Exact => self.groups.get(name),
            GroupNames::AnyCase => self.in_any_case.get(&*compare::fold(name)),
        }
    }

    /// The name by which the group called `name` is told from others.
    pub(super) fn key<'n>(&self, name: &'n str) -> Cow<'n, str> {
        match self.options.group_names {
            GroupNames::Exact => Cow::Borrowed(name),
            GroupNames::AnyCase => compare::fold(name),
        }
    }

    /// The custom roles, by name, with their permissions.
    pub fn custom_roles(&self) -> impl ExactSizeIterator<Item = (&str, &BTreeSet<String>)> {
        self.custom_roles.iter().map(|(name, permissions)| (&**name, permissions))
    }

    /// What someone has who is in these groups.
    pub fn resolve<'g>(&self, groups: impl IntoIterator<Item = &'g str>) -> Access {
        let mut access = Access::default();
        groups.into_iter().filter_map(|group| self.group(group)).for_each(|given| access.join(given));
        access
    }

    /// The permissions of custom roles, taken together; roles that the mapping does not know have none.
    pub fn permissions<'r>(&self, custom_roles: impl IntoIterator<Item = &'r Arc<str>>) -> BTreeSet<&str> {
        let known = custom_roles.into_iter().filter_map(|role| self.custom_roles.get(role));
        known.flatten().map(String::as_str).collect()
    }

    /// Whether someone with these roles may install SCIM and change its settings: an owner, or by
    /// [`MANAGE_SECURITY_SETTINGS`].
    pub fn manages_scim(&self, base_role: BaseRole, custom_roles: &BTreeSet<Arc<str>>) -> bool {
        base_role == BaseRole::Owner || self.permissions(custom_roles).contains(MANAGE_SECURITY_SETTINGS)
    }
}

/// What is wrong with a [`RoleMapping`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MappingError {
    /// A custom role is defined twice.
    SameCustomRole(String),
    /// A custom role has the name of a base role.
    BaseRoleName(String),
    /// A group is mapped to a custom role that is not defined.
    UnknownCustomRole {
        /// The group.
        group: String,
        /// The role.
        role: String,
    },
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameCustomRole(name) => {
                write!(f, "the custom role `{}` is defined twice", name.escape_debug())
            }
            Self::BaseRoleName(name) => {
                write!(f, "`{}` is a base role and cannot be the name of a custom role", name.escape_debug())
            }
            Self::UnknownCustomRole { group, role } => write!(
                f,
                "the group `{}` is mapped to the custom role `{}`, which is not defined",
                group.escape_debug(),
                role.escape_debug()
            ),
        }
    }
}

impl std::error::Error for MappingError {}
