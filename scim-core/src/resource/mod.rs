//! Resources: the dynamic [`Resource`] and the typed views of it.

use std::fmt;

use crate::value::{Object, Value};
use crate::{ExternalId, ResourceId, Version};

/// A SCIM resource (RFC 7643 §3): an ordered JSON object with case-insensitive names.
///
/// The dynamic form is the truth that PATCH, filters and stores work on; `User`, `Group` and
/// `EnterpriseUser` are views of it.
///
/// Its `Debug` form does not show a `password`. The value itself keeps what the client sent, so
/// that a [policy](crate::policy::Policy) can take it out and hash it, or hand it on; a service
/// without such a policy stores it as it is, and never returns it.
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

    /// The typed `meta`; what is no string in it is left out.
    pub fn meta(&self) -> Meta {
        let text = |name| self.meta_text(name).map(str::to_owned);
        Meta {
            resource_type: text("resourceType"),
            created: text("created"),
            last_modified: text("lastModified"),
            location: text("location"),
            version: text("version"),
        }
    }

    /// Makes `meta` what `meta` says, and nothing else.
    pub fn set_meta(&mut self, meta: &Meta) {
        let members = [
            ("resourceType", &meta.resource_type),
            ("created", &meta.created),
            ("lastModified", &meta.last_modified),
            ("location", &meta.location),
            ("version", &meta.version),
        ];
        let members: Object = members
            .into_iter()
            .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
            .collect();
        self.0.insert("meta", members);
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

/// What the service provider knows about a resource (RFC 7643 §3.1).
///
/// All text, since a client may meet versions and dates of any service; [`Resource::version`] reads
/// the versions of this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// The name of the resource type: `User`.
    pub resource_type: Option<String>,
    /// When the resource was created.
    pub created: Option<String>,
    /// When it last changed.
    pub last_modified: Option<String>,
    /// Its URI.
    pub location: Option<String>,
    /// The entity tag of this state.
    pub version: Option<String>,
}
