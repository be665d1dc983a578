//! The schemas and resource types a service serves.

use std::sync::Arc;

use super::{Attribute, ResourceType, Schema};

/// The schemas and resource types a service serves, checked to fit together.
#[derive(Clone, Debug)]
pub struct Registry {
    types: Vec<Arc<ResourceSchema>>,
}

/// One resource type with its base schema and extensions: what every rule about its resources
/// is looked up in. Implements [`scim_filter::Schema`].
#[derive(Clone, Debug)]
pub struct ResourceSchema {
    resource_type: ResourceType,
    base: Schema,
    extensions: Vec<Schema>,
}

/// Why schemas and resource types do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// A resource type names a schema that was not given.
    #[error("resource type `{resource_type}` names the unknown schema `{schema}`")]
    UnknownSchema {
        /// The resource type.
        resource_type: String,
        /// The schema URI.
        schema: String,
    },
}

impl Registry {
    /// Users with the optional enterprise extension, and groups.
    pub fn standard() -> Self {
        todo!()
    }

    /// Checks that `schemas` and `resource_types` fit together.
    pub fn new(schemas: Vec<Schema>, resource_types: Vec<ResourceType>) -> Result<Self, RegistryError> {
        let _ = (schemas, resource_types);
        todo!()
    }

    /// The resource types.
    pub fn resource_types(&self) -> impl Iterator<Item = &Arc<ResourceSchema>> {
        self.types.iter()
    }

    /// The resource type served at `endpoint` (`/Users`).
    pub fn by_endpoint(&self, endpoint: &str) -> Option<&Arc<ResourceSchema>> {
        self.types.iter().find(|schema| schema.resource_type.endpoint == endpoint)
    }

    /// The resource type called `name` (`User`).
    pub fn by_name(&self, name: &str) -> Option<&Arc<ResourceSchema>> {
        self.types.iter().find(|schema| schema.resource_type.name == name)
    }

    /// Every schema once, base schemas and extensions.
    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        // Deduplicated by URI.
        self.types.iter().flat_map(|schema| std::iter::once(&schema.base).chain(&schema.extensions))
    }
}

impl ResourceSchema {
    /// The resource type.
    pub fn resource_type(&self) -> &ResourceType {
        &self.resource_type
    }

    /// Its name: `User`.
    pub fn name(&self) -> &str {
        &self.resource_type.name
    }

    /// The base schema.
    pub fn base(&self) -> &Schema {
        &self.base
    }

    /// The schemas of its extensions.
    pub fn extensions(&self) -> &[Schema] {
        &self.extensions
    }

    /// The definition of an attribute of the base schema or of the common attributes
    /// (`schemas`, `id`, `externalId`, `meta`), or of the extension whose URI is given; names in any case.
    pub fn find(&self, extension: Option<&str>, name: &str) -> Option<&Attribute> {
        let _ = (extension, name);
        todo!()
    }
}

impl scim_filter::Schema for ResourceSchema {
    fn schema_uri_len(&self, _path: &str) -> Option<usize> {
        todo!()
    }

    fn attribute(&self, _uri: Option<&str>, _name: &str) -> Option<scim_filter::AttributeInfo<'_>> {
        todo!()
    }

    fn sub_attribute(
        &self,
        _uri: Option<&str>,
        _name: &str,
        _sub: &str,
    ) -> Option<scim_filter::AttributeInfo<'_>> {
        todo!()
    }

    fn extension(&self, _uri: &str) -> Option<&str> {
        todo!()
    }
}
