//! Resources: the dynamic [`Resource`] and the typed views of it.
//!
//! A service works on [`Resource`]. A program that makes or reads users and groups can do so by
//! field, with [`User`] and [`Group`]; neither conversion loses anything.

mod attributes;
mod group;
mod user;
mod view;

pub use attributes::{Address, GroupMembership, Manager, Member, MultiValued, Name, Password};
pub use group::Group;
pub use user::{EnterpriseUser, User};
pub use view::ViewError;

use std::fmt;

use view::{Field, View, view};

use crate::value::{Object, Value};
use crate::{ExternalId, ResourceId, Version};

/// A SCIM resource (RFC 7643 §3): an ordered JSON object with case-insensitive names.
///
/// The dynamic form is the truth that PATCH, filters and stores work on; [`User`] and [`Group`]
/// are views of it.
///
/// Its `Debug` form does not show what may be a secret: a `password`, or what no RFC names. The value itself keeps what the client sent until
/// the [policy](crate::policy::Policy) takes it out, and hashes it if it wants to.
///
/// ```
/// use scim_core::{Object, Resource, ResourceId};
///
/// let mut user = Resource(Object::from_iter([("userName", "bjensen"), ("password", "t1meMa$heen")]));
/// user.set_id(&ResourceId::new("2819c223"));
/// assert_eq!(user.id(), Some(ResourceId::new("2819c223")));
/// assert_eq!(user.get("USERNAME").and_then(|name| name.as_str()), Some("bjensen"));
/// assert!(!format!("{user:?}").contains("t1me"));
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Resource(pub Object);

impl Resource {
    /// The `id`, once the service has given one.
    pub fn id(&self) -> Option<ResourceId> {
        self.text("id").map(ResourceId::new)
    }

    /// Sets the `id`.
    pub fn set_id(&mut self, id: &ResourceId) {
        let after_schemas = usize::from(self.0.contains("schemas"));
        self.0.insert_at(after_schemas, "id", id.as_str());
    }

    /// The `externalId` the client gave it.
    pub fn external_id(&self) -> Option<ExternalId> {
        self.text("externalId").map(ExternalId::new)
    }

    /// The URIs in `schemas`.
    pub fn schemas(&self) -> impl Iterator<Item = &str> {
        self.0.get("schemas").map_or(&[][..], Value::values).iter().filter_map(Value::as_str)
    }

    /// The typed `meta`.
    ///
    /// # Errors
    ///
    /// A sub-attribute that is no string.
    pub fn meta(&self) -> Result<Meta, ViewError> {
        let meta = self.0.get("meta").cloned();
        Ok(Option::<Meta>::read(meta, &"meta")?.unwrap_or_default())
    }

    /// Makes `meta` what `meta` says, and nothing else.
    pub fn set_meta(&mut self, meta: Meta) {
        self.0.insert("meta", meta.into_object());
    }

    /// `meta.version`, if this service gave it.
    pub fn version(&self) -> Option<Version> {
        self.meta_text("version")?.parse().ok()
    }

    /// `meta.resourceType`
    pub fn resource_type(&self) -> Option<&str> {
        self.meta_text("resourceType")
    }

    /// The attribute `name` of the base schema.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The attribute `name` of the extension `uri`, or without one of the base schema.
    pub fn get_in(&self, uri: Option<&str>, name: &str) -> Option<&Value> {
        match uri {
            None => self.0.get(name),
            Some(uri) => self.0.get(uri)?.get(name),
        }
    }

    /// The attributes of the extension `uri`.
    pub fn extension(&self, uri: &str) -> Option<&Object> {
        self.0.get(uri)?.as_object()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn meta_text(&self, name: &str) -> Option<&str> {
        self.0.get("meta")?.get(name)?.as_str()
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resource ")?;
        fmt::Debug::fmt(&self.0, f)
    }
}

view! {
    /// What the service provider knows about a resource (RFC 7643 §3.1).
    ///
    /// All text, since a client meets versions and dates of any service; [`Resource::version`]
    /// reads the versions of this one.
    Meta "." {
        /// `resourceType`: `User`
        resource_type: Option<String> = "resourceType",
        /// `created`: when the resource was.
        created: Option<String> = "created",
        /// `lastModified`: when it last changed.
        last_modified: Option<String> = "lastModified",
        /// `location`: its URI.
        location: Option<String> = "location",
        /// `version`: the entity tag of this state.
        version: Option<String> = "version",
    }
}
