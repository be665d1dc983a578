//! `attributes` and `excludedAttributes` (RFC 7644 §3.9).

use crate::schema::ResourceSchema;
use crate::{Error, Resource};

/// Which attributes of a resource a response carries.
#[derive(Clone, Debug, Default)]
pub struct Projection {}

impl Projection {
    /// Parses the two query parameters; giving both is an error.
    pub fn parse(
        schema: &ResourceSchema,
        attributes: Option<&str>,
        excluded_attributes: Option<&str>,
    ) -> Result<Self, Error> {
        let _ = (schema, attributes, excluded_attributes);
        todo!()
    }

    /// Everything but the top-level attribute `name`: what PATCH reads of a group.
    pub fn without(name: &str) -> Self {
        let _ = name;
        todo!()
    }

    /// Whether the response carries anything of the attribute, so that a store need not read
    /// what it does not.
    pub fn includes(&self, schema: &ResourceSchema, extension: Option<&str>, name: &str) -> bool {
        let _ = (schema, extension, name);
        todo!()
    }

    /// Takes out of `resource` what the response does not carry, by `returned` and by request.
    pub fn apply(&self, schema: &ResourceSchema, resource: &mut Resource) {
        let _ = (schema, resource);
        todo!()
    }
}
