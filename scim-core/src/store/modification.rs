//! A change as a value.

use super::{Applied, Deletion, Update};
use crate::validate::UniqueKey;
use crate::{Resource, ResourceId, Version};

#[cfg(doc)]
use super::Store;

/// What is to become of a resource: a call of [`Store::create`], [`replace`](Store::replace),
/// [`apply`](Store::apply) or [`delete`](Store::delete) as a value.
#[derive(Clone, Copy, Debug)]
pub enum Modification<'a> {
    /// It is stored.
    Create {
        /// The new resource.
        resource: &'a Resource,
        /// Its unique keys.
        unique: &'a [UniqueKey],
    },
    /// It is replaced.
    Replace {
        /// The resource as it will be.
        resource: &'a Resource,
        /// The unique keys it will have.
        unique: &'a [UniqueKey],
        /// The version it must still have.
        expected: Version,
    },
    /// It is changed.
    Apply {
        /// The resource.
        id: &'a ResourceId,
        /// What changes.
        update: &'a Update<'a>,
        /// The version it must still have; any, if `None`.
        expected: Option<Version>,
    },
    /// It is deleted.
    Delete {
        /// The resource.
        id: &'a ResourceId,
        /// The version it must still have, and the groups it leaves.
        deletion: Deletion<'a>,
    },
}

impl Modification<'_> {
    /// The resource; `None` only of a new one that has no `id`.
    pub fn id(&self) -> Option<ResourceId> {
        match self {
            Self::Create { resource, .. } | Self::Replace { resource, .. } => resource.id(),
            Self::Apply { id, .. } | Self::Delete { id, .. } => Some((*id).clone()),
        }
    }

    /// The version that the resource must still have; `None` of a new one, and where any is right.
    pub fn expected(&self) -> Option<Version> {
        match self {
            Self::Create { .. } => None,
            Self::Replace { expected, .. } => Some(*expected),
            Self::Apply { expected, .. } => *expected,
            Self::Delete { deletion, .. } => deletion.expected,
        }
    }
}

/// What [`Store::modify`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modified {
    /// The resource became different, and has this version; `None` where it is gone.
    Changed(Option<Version>),
    /// The resource already was as asked; this version stays.
    Unchanged(Version),
}

impl From<Applied> for Modified {
    fn from(applied: Applied) -> Self {
        match applied {
            Applied::Changed(version) => Self::Changed(Some(version)),
            Applied::Unchanged(version) => Self::Unchanged(version),
        }
    }
}
