//! Schemas: the data that drives validation, filters, PATCH, projection (RFC 7643 §7).

mod attribute;
pub mod builtin;
mod document;
mod registry;
mod registry_error;

pub use attribute::{Attribute, Mutability, Returned, Uniqueness};
pub use document::DocumentError;
pub(crate) use registry::is_shown;
pub use registry::{Registry, ResourceSchema};
pub use registry_error::RegistryError;
pub use scim_filter::AttributeType;

use serde::{Deserialize, Serialize};

/// A schema (RFC 7643 §7): a URI and the attributes it defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// The URI.
    pub id: String,
    /// The name for people.
    #[serde(default)]
    pub name: String,
    /// What the schema describes.
    #[serde(default)]
    pub description: String,
    /// The attributes.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// The attribute called `name`, in any case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// The attribute called `name`, in any case, to be given other characteristics.
    ///
    /// ```
    /// use scim_core::schema::{Uniqueness, builtin};
    /// let mut group = builtin::group();
    /// if let Some(name) = group.attribute_mut("displayName") {
    ///     name.uniqueness = Uniqueness::Server;
    /// }
    /// assert_ne!(group, builtin::group());
    /// ```
    pub fn attribute_mut(&mut self, name: &str) -> Option<&mut Attribute> {
        self.attributes.iter_mut().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }
}

/// A resource type (RFC 7643 §6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceType {
    /// The name, which is also its id: `User`.
    pub name: String,
    /// What the resources are.
    #[serde(default)]
    pub description: String,
    /// The path below the base URL: `/Users`.
    pub endpoint: String,
    /// The URI of the base schema.
    pub schema: String,
    /// The extensions its resources may have.
    #[serde(default)]
    pub schema_extensions: Vec<SchemaExtension>,
}

/// An extension of a resource type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaExtension {
    /// The URI of the extension's schema.
    pub schema: String,
    /// Whether every resource must have it.
    #[serde(default)]
    pub required: bool,
}
