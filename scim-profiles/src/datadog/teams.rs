//! Teams of an organisation, and who may change them.

use std::collections::BTreeSet;
use std::fmt;

use scim_core::ResourceId;
use scim_core::store::StoreError;

/// A team of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its own identifier, which it keeps whatever group manages it.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Its handle, which no two teams have.
    pub handle: String,
    /// Who is in it.
    pub members: BTreeSet<ResourceId>,
    /// The group that manages it: name, handle and members come from there.
    pub group: Option<ResourceId>,
}

impl Team {
    /// Whether the identity provider manages it, so that name, handle and members are read-only
    /// elsewhere.
    pub fn is_managed(&self) -> bool {
        self.group.is_some()
    }
}

/// A change of a team that does not come from the identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TeamEdit {
    /// Another name, and the handle for it.
    Rename(String),
    /// Somebody joins.
    Join(ResourceId),
    /// Somebody leaves.
    Leave(ResourceId),
}

/// Why a team is not changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum TeamError {
    /// There is no such team.
    NotFound,
    /// A group manages the team: name, handle and members are changed in the identity provider.
    Managed,
    /// Another team has the handle.
    Taken(String),
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for TeamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such team"),
            Self::Managed => f.write_str(
                "the team is managed by the identity provider, where its name, handle and members are changed",
            ),
            Self::Taken(handle) => write!(f, "another team has the handle `{}`", handle.escape_debug()),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TeamError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for TeamError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            error => Self::Store(error),
        }
    }
}

/// Something that happened in the organisation because of a request, after it was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A new user is sent an invitation, whose link is good for [`INVITATION_DAYS`].
    Invited {
        /// The user.
        user: ResourceId,
        /// The address the invitation goes to; none where the user has none.
        email: Option<String>,
    },
    /// A group made a team.
    TeamCreated {
        /// The team.
        team: ResourceId,
    },
    /// A group took over a team that was there.
    TeamLinked {
        /// The team.
        team: ResourceId,
    },
    /// The group of a team was deleted: the team is empty, and managed in Datadog from now on.
    TeamUnlinked {
        /// The team.
        team: ResourceId,
    },
}

/// For how many days the link of an invitation is good ("The link is active for 2 days").
pub const INVITATION_DAYS: u32 = 2;
