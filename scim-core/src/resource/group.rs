//! The view of groups.

use super::view::{View, view};
use super::{Member, Meta, Resource, ViewError};
use crate::schema::builtin;
use crate::{ExternalId, ResourceId};

view! {
    /// A group (RFC 7643 §4.2). A view of a [`Resource`] as [`User`](super::User) is.
    ///
    /// ```
    /// use scim_core::resource::{Group, Member};
    /// use scim_core::{Resource, ResourceId};
    ///
    /// let mut group = Group::new("Tour Guides");
    /// group.members.push(Member::new(ResourceId::new("2819c223")));
    /// let resource = Resource::from(group.clone());
    /// assert_eq!(Group::try_from(resource)?, group);
    /// # Ok::<(), scim_core::resource::ViewError>(())
    /// ```
    Group "." {
        /// `schemas`
        schemas: Vec<String> = "schemas",
        /// `id`
        id: Option<ResourceId> = "id",
        /// `externalId`
        external_id: Option<ExternalId> = "externalId",
        /// `displayName`
        display_name: String = "displayName",
        /// `members`
        members: Vec<Member> = "members",
        /// `meta`
        meta: Option<Meta> = "meta",
    }
}

impl Group {
    /// A group of that name.
    pub fn new(display_name: impl Into<String>) -> Self {
        Self {
            schemas: vec![builtin::GROUP.to_owned()],
            display_name: display_name.into(),
            ..Self::default()
        }
    }
}

impl TryFrom<Resource> for Group {
    type Error = ViewError;

    /// # Errors
    ///
    /// A `displayName` that is missing, or a value of another type than RFC 7643 gives its attribute.
    fn try_from(resource: Resource) -> Result<Self, ViewError> {
        Self::from_object(resource.0, &"")
    }
}

impl From<Group> for Resource {
    fn from(group: Group) -> Self {
        Self(group.into_object())
    }
}
