//! Resources: the dynamic [`Resource`] and the typed views of it.

use crate::value::{Object, Value};
use crate::{ResourceId, Version};

/// A SCIM resource (RFC 7643 §3): an ordered JSON object with case-insensitive names.
///
/// The dynamic form is the truth that PATCH, filters and stores work on; `User`, `Group` and
/// `EnterpriseUser` are views of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource(pub Object);

impl Resource {
    /// The `id`, once the service has given one.
    pub fn id(&self) -> Option<ResourceId> {
        self.0.get("id").and_then(Value::as_str).map(ResourceId::new)
    }

    /// `meta.version`
    pub fn version(&self) -> Option<Version> {
        todo!()
    }

    /// The attribute `name` of the base schema.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}
