//! A client's resource against its schema: canonical spelling, types, required, mutability.

use crate::leniency::{Leniencies, Leniency};
use crate::schema::{Attribute, ResourceSchema};
use crate::value::Value;
use crate::{Error, Resource};

/// A resource that fits its schema, and the leniencies it took.
#[derive(Clone, Debug)]
pub struct Validated {
    /// The resource: canonical names, readOnly attributes dropped, unassigned values dropped.
    pub resource: Resource,
    /// The leniencies that fired.
    pub leniencies: Vec<Leniency>,
}

/// Checks the body of a POST.
pub fn create(schema: &ResourceSchema, body: Value, leniencies: &Leniencies) -> Result<Validated, Error> {
    let _ = (schema, body, leniencies);
    todo!()
}

/// Checks the body of a PUT against the resource it replaces: readOnly attributes keep their
/// value, immutable ones must not change.
pub fn replace(
    schema: &ResourceSchema,
    body: Value,
    current: &Resource,
    leniencies: &Leniencies,
) -> Result<Validated, Error> {
    let _ = (schema, body, current, leniencies);
    todo!()
}

/// One client value made to fit `attribute`: canonical spelling of sub-attributes, the attribute's
/// type, one element or an array as the attribute is multi-valued or not, unassigned values gone
/// (`None`). `at` is the path for error details. POST, PUT and PATCH all use it.
pub fn coerce(
    attribute: &Attribute,
    value: Value,
    at: &str,
    leniencies: &Leniencies,
    fired: &mut Vec<Leniency>,
) -> Result<Option<Value>, Error> {
    let _ = (attribute, value, at, leniencies, fired);
    todo!()
}

/// What must hold of any resource about to be stored, however it was made: required attributes,
/// at most one `primary`, `schemas` naming every extension that is used.
pub fn check(schema: &ResourceSchema, resource: &Resource) -> Result<(), Error> {
    let _ = (schema, resource);
    todo!()
}

/// The unique keys of `resource`: what no other resource of its type in the tenant may have.
pub fn unique_keys(schema: &ResourceSchema, resource: &Resource) -> Vec<UniqueKey> {
    let _ = (schema, resource);
    todo!()
}

/// A value that only one resource of its type in a tenant may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UniqueKey {
    /// The attribute, URI-qualified when in an extension: `userName`.
    pub attribute: Box<str>,
    /// The value, case-folded unless the attribute is case-exact.
    pub value: Box<str>,
}
