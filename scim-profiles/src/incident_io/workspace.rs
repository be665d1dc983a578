//! incident.io's side: its users, and what may be done to them by hand.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use super::access::{Access, BaseRole, RoleMapping};
use super::options::{InSlack, Options};
use super::seats::{OnCallSeat, Seats};
use super::slack::ActiveInSlack;

/// A user of incident.io.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The identifier in incident.io.
    pub id: String,
    /// The e-mail address.
    pub email: String,
    /// The `id` of the person in the directory; without one the user is *Unlinked*.
    pub linked_to: Option<String>,
    /// Whether the user is an active member of the organisation's Slack workspace.
    pub in_slack: bool,
    /// What the user is and has.
    pub standing: Standing,
}

/// What a user is and has in incident.io.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether the user is active.
    pub active: bool,
    /// The base role.
    pub base_role: BaseRole,
    /// The names of the custom roles.
    pub custom_roles: BTreeSet<Arc<str>>,
    /// The seats.
    pub seats: Seats,
}

/// A new user without a mapped group: active, Standard, with a viewer's seat.
impl Default for Standing {
    fn default() -> Self {
        Self {
            active: true,
            base_role: BaseRole::Standard,
            custom_roles: BTreeSet::new(),
            seats: Seats::default(),
        }
    }
}

impl Standing {
    /// What someone with this standing is and has who is assigned, and whose groups give `access`.
    pub(super) fn assigned(&self, access: Access, options: &Options) -> Self {
        let seats = self.seats.given(&access, options);
        let Access { base_role, custom_roles, .. } = access;
        Self { active: true, base_role, custom_roles, seats }
    }

    /// What someone with this standing is and has who is not assigned any more.
    pub(super) fn unassigned(&self, in_slack: bool, options: &Options) -> Self {
        let stays = self.active && in_slack;
        if stays && options.in_slack == InSlack::Standard {
            return self.assigned(Access::default(), options);
        }
        Self { active: stays, seats: self.seats.left(), ..self.clone() }
    }
}

/// The users of an organisation in incident.io, and the mapping of groups while SCIM is installed.
///
/// A [`Preview`](super::Preview) makes the next workspace out of one. What people may do by hand is
/// here, and is refused where SCIM decides it.
///
/// ```
/// use scim_profiles::incident_io::{BaseRole, EditError, User, Workspace};
///
/// let mut workspace = Workspace::new(vec![User { id: "01".into(), ..User::default() }])?;
/// workspace.set_roles("01", BaseRole::Admin, Default::default())?;
/// assert_eq!(workspace.user("01").map(|user| user.standing.base_role), Some(BaseRole::Admin));
/// assert_eq!(workspace.set_roles("02", BaseRole::Admin, Default::default()), Err(EditError::NoSuchUser));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workspace {
    // INVARIANT: in the order of their ids, which are distinct, and so are the people they are linked to.
    users: Vec<User>,
    installed: Option<RoleMapping>,
}

impl Workspace {
    /// A workspace with these users, in which SCIM is not installed.
    ///
    /// # Errors
    ///
    /// Two users have the same `id`, or are linked to the same person.
    pub fn new(mut users: Vec<User>) -> Result<Self, WorkspaceError> {
        users.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        if let Some([_, twin]) = users.array_windows().find(|[a, b]| a.id == b.id) {
            return Err(WorkspaceError::SameId(twin.id.clone()));
        }
        let mut linked = HashSet::with_capacity(users.len());
        let twin = users.iter().filter_map(|user| user.linked_to.as_deref()).find(|id| !linked.insert(*id));
        if let Some(person) = twin {
            return Err(WorkspaceError::LinkedTwice(person.to_owned()));
        }
        Ok(Self { users, installed: None })
    }

    /// The same with SCIM installed, and `mapping` in force.
    #[must_use]
    pub fn with_installed(self, mapping: RoleMapping) -> Self {
        Self { installed: Some(mapping), ..self }
    }

    /// The same where the users with these e-mail addresses are active in Slack, and no others.
    #[must_use]
    pub fn with_active_in_slack(mut self, active: &ActiveInSlack) -> Self {
        for user in &mut self.users {
            user.in_slack = active.contains(&user.email);
        }
        self
    }

    /// The users, in the order of their ids.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// The user `id`.
    pub fn user(&self, id: &str) -> Option<&User> {
        let at = self.users.binary_search_by(|user| user.id.as_str().cmp(id)).ok()?;
        self.users.get(at)
    }

    fn user_mut(&mut self, id: &str) -> Result<&mut User, EditError> {
        let at = self.users.binary_search_by(|user| user.id.as_str().cmp(id));
        at.ok().and_then(|at| self.users.get_mut(at)).ok_or(EditError::NoSuchUser)
    }

    /// The mapping in force while SCIM is installed.
    pub fn installed(&self) -> Option<&RoleMapping> {
        self.installed.as_ref()
    }

    /// Takes SCIM out: every user stays as they are, owners included, and none is linked any more. What seats
    /// groups gave are from then on as those given by hand.
    pub fn uninstall(&mut self) {
        self.installed = None;
        for user in &mut self.users {
            user.linked_to = None;
            user.standing.seats = user.standing.seats.on_their_own();
        }
    }

    /// Gives a user other roles by hand. Whether somebody may is not asked: incident.io lets an owner, an admin and who
    /// has a custom role that manages permissions, and none of them is signed in here.
    ///
    /// An admin or owner has a paid seat: who has none gets a responder's seat, as with the role of a group by
    /// [default](super::ElevatedSeat), and as given by hand. It stays when the role goes.
    ///
    /// # Errors
    ///
    /// SCIM is installed, which is then the source of truth; or there is no such user.
    pub fn set_roles(
        &mut self,
        id: &str,
        base_role: BaseRole,
        custom_roles: BTreeSet<Arc<str>>,
    ) -> Result<(), EditError> {
        if self.installed.is_some() {
            return Err(EditError::RolesManaged);
        }
        let standing = &mut self.user_mut(id)?.standing;
        standing.base_role = base_role;
        standing.custom_roles = custom_roles;
        if base_role > BaseRole::Standard && !standing.seats.is_paid() {
            standing.seats.response = true;
            standing.seats.by_groups.response = false;
        }
        Ok(())
    }

    /// Gives a user an on-call seat by hand, or revokes it.
    ///
    /// # Errors
    ///
    /// A group of the directory gives the user the seat; or there is no such user.
    pub fn set_on_call_seat(&mut self, id: &str, held: bool) -> Result<(), EditError> {
        let seats = &mut self.user_mut(id)?.standing.seats;
        if seats.on_call == OnCallSeat::Managed {
            return Err(EditError::SeatManaged);
        }
        seats.on_call = if held { OnCallSeat::Held } else { OnCallSeat::None };
        seats.by_groups.on_call = false;
        Ok(())
    }

    /// Lets `user` in by an invitation by e-mail.
    ///
    /// # Errors
    ///
    /// SCIM is installed, which then makes the users; or there is a user with that `id`.
    pub fn invite(&mut self, user: User) -> Result<(), EditError> {
        if self.installed.is_some() {
            return Err(EditError::InvitesDisabled);
        }
        match self.users.binary_search_by(|other| other.id.cmp(&user.id)) {
            Ok(_) => Err(EditError::SameId),
            Err(at) => {
                self.users.insert(at, User { linked_to: None, ..user });
                Ok(())
            }
        }
    }
}

/// What is wrong with a list of users.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// Two users have this `id`.
    SameId(String),
    /// Two users are linked to the person with this `id`.
    LinkedTwice(String),
}

impl fmt::Display for WorkspaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameId(id) => write!(f, "two users have the id `{}`", id.escape_debug()),
            Self::LinkedTwice(id) => write!(f, "two users are linked to the person `{}`", id.escape_debug()),
        }
    }
}

impl std::error::Error for WorkspaceError {}

/// Why something cannot be done by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditError {
    /// SCIM is installed and decides on roles.
    RolesManaged,
    /// A group of the directory gives the on-call seat.
    SeatManaged,
    /// SCIM is installed and makes the users.
    InvitesDisabled,
    /// There is no such user.
    NoSuchUser,
    /// There is a user with that `id`.
    SameId,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RolesManaged => {
                "roles are managed by SCIM: change the user's groups in the identity provider"
            }
            Self::SeatManaged => {
                "the on-call seat comes from a group: take the user out of it in the identity provider first"
            }
            Self::InvitesDisabled => "users are managed by SCIM: assign the user in the identity provider",
            Self::NoSuchUser => "there is no such user",
            Self::SameId => "there is a user with that id",
        })
    }
}

impl std::error::Error for EditError {}
