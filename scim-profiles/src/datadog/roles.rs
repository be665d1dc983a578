//! Roles of an organisation, by their UUIDs: which of those asked for a user gets.

use std::collections::BTreeMap;
use std::fmt;

use crate::lint::shape::{is_uuid, shown};

/// The name of the role that whom none matches gets, unless another is chosen.
pub const STANDARD_ROLE: &str = "Datadog Standard Role";

/// The roles that an organisation has, built-in and custom: their UUIDs are its own, so whoever embeds
/// the profile gives them.
///
/// ```
/// use scim_profiles::datadog::RoleCatalogue;
///
/// let catalogue = RoleCatalogue::new()
///     .with_role("11111111-aaaa-11ee-a000-000000000001", "Datadog Admin Role")?
///     .with_role("11111111-aaaa-11ee-a000-000000000002", "Datadog Standard Role")?;
///
/// let resolution = catalogue.resolve(["11111111-AAAA-11ee-a000-000000000001", "admin"]);
/// assert_eq!(resolution.granted[0].name(), "Datadog Admin Role");
/// assert_eq!(resolution.unmatched, ["admin"]);
///
/// let resolution = catalogue.resolve(["admin"]);
/// assert_eq!(resolution.granted[0].name(), "Datadog Standard Role");
/// assert!(resolution.defaulted);
/// # Ok::<(), scim_profiles::datadog::RoleError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RoleCatalogue {
    roles: Vec<Role>,
    // By UUID in lower case.
    places: BTreeMap<String, usize>,
    default: DefaultRole,
}

#[derive(Clone, Debug, Default)]
enum DefaultRole {
    /// The one called [`STANDARD_ROLE`].
    #[default]
    Standard,
    Chosen(usize),
    None,
}

/// A role of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    id: String,
    name: String,
}

impl Role {
    /// Its UUID, in lower case.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl RoleCatalogue {
    /// No roles: every role that is asked for is dropped.
    pub fn new() -> Self {
        Self::default()
    }

    /// The catalogue with one more role.
    ///
    /// # Errors
    ///
    /// `id` is no UUID, or there is a role with it.
    pub fn with_role(mut self, id: &str, name: &str) -> Result<Self, RoleError> {
        if !is_uuid(id) {
            return Err(RoleError::new(Reason::NotAUuid, id));
        }
        let id = id.to_ascii_lowercase();
        if self.places.insert(id.clone(), self.roles.len()).is_some() {
            return Err(RoleError::new(Reason::Repeated, &id));
        }
        self.roles.push(Role { id, name: name.to_owned() });
        Ok(self)
    }

    /// The catalogue with this role for whom none matches: what an organisation sets as the role of
    /// users that are created automatically.
    ///
    /// # Errors
    ///
    /// There is no such role.
    pub fn with_default(mut self, id: &str) -> Result<Self, RoleError> {
        let place = self.place(id).ok_or_else(|| RoleError::new(Reason::Unknown, id))?;
        self.default = DefaultRole::Chosen(place);
        Ok(self)
    }

    /// The catalogue with no role for whom none matches.
    #[must_use]
    pub fn without_default(mut self) -> Self {
        self.default = DefaultRole::None;
        self
    }

    /// The roles, in the order in which they were given.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The role with the UUID `id`, in any case.
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.place(id).and_then(|place| self.roles.get(place))
    }

    /// The role of whom none matches, if there is one.
    pub fn default_role(&self) -> Option<&Role> {
        match self.default {
            DefaultRole::Standard => self.roles.iter().find(|role| role.name == STANDARD_ROLE),
            DefaultRole::Chosen(place) => self.roles.get(place),
            DefaultRole::None => None,
        }
    }

    /// What a user gets for whom these roles are asked: those that the organisation has, each once and in
    /// its order; where that is none, the default role.
    pub fn resolve<'r>(&self, asked: impl IntoIterator<Item = &'r str>) -> Resolution<'_> {
        let mut places = Vec::new();
        let mut unmatched = Vec::new();
        for id in asked {
            match self.place(id) {
                Some(place) => places.push(place),
                None => unmatched.push(id.to_owned()),
            }
        }
        places.sort_unstable();
        places.dedup();
        let mut granted: Vec<&Role> = places.iter().filter_map(|place| self.roles.get(*place)).collect();
        let defaulted = granted.is_empty();
        if defaulted {
            granted.extend(self.default_role());
        }
        Resolution { granted, unmatched, defaulted }
    }

    /// The place of a role in the organisation's order.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.places.get(&id.to_ascii_lowercase()).copied()
    }
}

/// What a user gets of the roles that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution<'c> {
    /// The roles that the user has.
    pub granted: Vec<&'c Role>,
    /// What was asked for and is no role, as it was written, in the order of the request.
    pub unmatched: Vec<String>,
    /// Whether nothing matched, so that what is granted is the default role, or nothing.
    pub defaulted: bool,
}

/// Why a role does not fit into a catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleError {
    reason: Reason,
    id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    NotAUuid,
    Repeated,
    Unknown,
}

impl RoleError {
    fn new(reason: Reason, id: &str) -> Self {
        Self { reason, id: shown(id) }
    }
}

impl fmt::Display for RoleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.id;
        match self.reason {
            Reason::NotAUuid => write!(f, "a role is named by its UUID, which `{id}` is not"),
            Reason::Repeated => write!(f, "the role `{id}` is given twice"),
            Reason::Unknown => write!(f, "the default role `{id}` is none of the roles"),
        }
    }
}

impl std::error::Error for RoleError {}
