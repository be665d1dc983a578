//! Why schemas and resource types are no registry.

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
    /// Two schemas have the same URI.
    #[error("schema `{schema}` is given twice")]
    DuplicateSchema {
        /// The schema URI.
        schema: String,
    },
    /// A schema's id cannot be told from an attribute name.
    #[error("`{schema}` is no schema URI")]
    BadSchemaUri {
        /// The id.
        schema: String,
    },
    /// A resource type has the same schema twice, as base or as extension.
    #[error("resource type `{resource_type}` names the schema `{schema}` twice")]
    RepeatedSchema {
        /// The resource type.
        resource_type: String,
        /// The schema URI.
        schema: String,
    },
    /// Two resource types have the same name.
    #[error("resource type `{resource_type}` is given twice")]
    DuplicateResourceType {
        /// The resource type.
        resource_type: String,
    },
    /// A resource type has no name that fits into a path.
    #[error("`{resource_type}` is no name for a resource type")]
    BadResourceType {
        /// The name.
        resource_type: String,
    },
    /// Two resource types are served at the same endpoint.
    #[error("two resource types are served at `{endpoint}`")]
    DuplicateEndpoint {
        /// The endpoint.
        endpoint: String,
    },
    /// An endpoint is not one path segment after a slash, or is one the protocol uses itself.
    #[error("`{endpoint}` is no endpoint for resources")]
    BadEndpoint {
        /// The endpoint.
        endpoint: String,
    },
    /// A schema defines an attribute twice.
    #[error("schema `{schema}` defines `{attribute}` twice")]
    DuplicateAttribute {
        /// The schema URI.
        schema: String,
        /// The attribute, with its parent.
        attribute: String,
    },
    /// An attribute name is not an ATTRNAME of RFC 7643 §2.1.
    #[error("schema `{schema}` defines `{attribute}`, which is no attribute name")]
    BadAttributeName {
        /// The schema URI.
        schema: String,
        /// The attribute, with its parent.
        attribute: String,
    },
    /// An attribute that is not complex has sub-attributes.
    #[error("schema `{schema}` gives `{attribute}` sub-attributes, but it is not complex")]
    SubAttributesOfSimple {
        /// The schema URI.
        schema: String,
        /// The attribute.
        attribute: String,
    },
    /// A complex attribute has no sub-attributes, so that it could never have a value.
    #[error("schema `{schema}` makes `{attribute}` complex and gives it no sub-attributes")]
    NoSubAttributes {
        /// The schema URI.
        schema: String,
        /// The attribute.
        attribute: String,
    },
    /// An attribute is unique whose type has no uniqueness (RFC 7643 §2.3).
    #[error("schema `{schema}` makes `{attribute}` unique, which its type cannot be")]
    NoUniqueness {
        /// The schema URI.
        schema: String,
        /// The attribute, with its parent.
        attribute: String,
    },
    /// A sub-attribute is complex, which RFC 7643 §2.3.8 forbids.
    #[error("schema `{schema}` makes the sub-attribute `{attribute}` complex")]
    NestedComplex {
        /// The schema URI.
        schema: String,
        /// The attribute, with its parent.
        attribute: String,
    },
    /// A base schema defines an attribute that every resource has (RFC 7643 §3.1) as another one than that.
    #[error(
        "schema `{schema}` defines `{attribute}`, which every resource has, with another {characteristic}"
    )]
    CommonAttribute {
        /// The schema URI.
        schema: String,
        /// The attribute.
        attribute: String,
        /// What is different: `type`, `multiValued` or `mutability`.
        characteristic: &'static str,
    },
}
