//! PATCH (RFC 7644 §3.5.2): parse → normalise → plan → apply.
//!
//! *Parse* reads the message and its paths. *Normalise* rewrites what identity providers send
//! beyond the RFC into RFC form and says which leniencies fired. *Plan* turns the operations into
//! a [`Change`]: attribute writes, and for the members of a group a delta of added and removed
//! values. *Apply* puts a change onto a resource; all of it or none.

use crate::leniency::{Leniencies, Leniency};
use crate::schema::ResourceSchema;
use crate::value::Value;
use crate::{Error, Resource};

/// A PATCH request with its operations in RFC form, bound to a schema.
#[derive(Clone)]
pub struct PatchRequest {}

/// What a PATCH changes, ready for a store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Whole values of top-level attributes of the base schema or of extensions.
    pub writes: Vec<Write>,
    /// Values added to and removed from multi-valued attributes that are not loaded to be changed.
    pub deltas: Vec<Delta>,
}

/// A new value of one top-level attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The extension that holds the attribute.
    pub extension: Option<Box<str>>,
    /// The attribute.
    pub attribute: Box<str>,
    /// The value; `None` removes the attribute.
    pub value: Option<Value>,
}

/// A change of a multi-valued attribute whose values are identified by their `value`
/// sub-attribute (`members`).
///
/// Order of effect: if `replace`, all values go; then `removed` go; then `added` come, where a
/// value that is there already changes nothing. `added` and `removed` are disjoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    /// The attribute.
    pub attribute: Box<str>,
    /// Whether the values there are removed first.
    pub replace: bool,
    /// The `value`s to remove.
    pub removed: Vec<Box<str>>,
    /// The values to add, no two with the same `value`.
    pub added: Vec<Value>,
}

/// A planned PATCH.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What changes; empty when the resource already is as asked.
    pub change: Change,
    /// The resource as it will be, without the attributes that were not loaded.
    pub resource: Resource,
}

impl PatchRequest {
    /// Parses and normalises the body of a PATCH.
    pub fn parse(schema: &ResourceSchema, body: Value, options: &PatchOptions) -> Result<Self, Error> {
        let _ = (schema, body, options);
        todo!()
    }

    /// The leniencies that fired.
    pub fn leniencies(&self) -> &[Leniency] {
        todo!()
    }

    /// Whether planning needs the values of the keyed attribute `name` (`members`); adding,
    /// replacing, and removing by `value` do not.
    pub fn reads(&self, name: &str) -> bool {
        let _ = name;
        todo!()
    }

    /// Plans the request on `current`, which may lack the keyed attributes that
    /// [`reads`](Self::reads) denies.
    pub fn plan(&self, schema: &ResourceSchema, current: &Resource) -> Result<Plan, Error> {
        let _ = (schema, current);
        todo!()
    }
}

impl Change {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.deltas.is_empty()
    }

    /// Puts the change onto `resource`; returns whether anything became different.
    pub fn apply(&self, resource: &mut Resource) -> bool {
        let _ = resource;
        todo!()
    }
}

/// Limits and leniencies of a PATCH.
#[derive(Clone, Debug)]
pub struct PatchOptions {
    /// The most operations in one request.
    pub max_operations: usize,
    /// Limits and leniencies of the paths in it.
    pub path: scim_filter::ParseOptions,
    /// The leniencies that are on.
    pub leniencies: Leniencies,
}
