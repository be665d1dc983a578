//! The values that no other resource may have.

use std::borrow::Cow;

use scim_filter::Number;

use crate::Resource;
use crate::schema::{Attribute, Mutability, ResourceSchema, Uniqueness};
use crate::value::{Object, Value};

/// A value that only one resource may have of those in a tenant whose types have the schema that declares
/// the attribute (RFC 7643 erratum 8279): users and contractors that are both made after the User schema
/// have one set of names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UniqueKey {
    /// The attribute, URI-qualified when in an extension: `userName`.
    pub attribute: Box<str>,
    /// The value, case-folded unless the attribute is case-exact.
    pub value: Box<str>,
}

impl UniqueKey {
    /// The attribute with the URI of the schema that declares it, which is the scope of its uniqueness.
    ///
    /// ```
    /// use scim_core::schema::Registry;
    /// use scim_core::validate::UniqueKey;
    ///
    /// let registry = Registry::standard();
    /// let users = registry.by_name("User").expect("a standard type");
    /// let key = UniqueKey { attribute: "userName".into(), value: "bjensen".into() };
    /// assert_eq!(key.qualified(users), "urn:ietf:params:scim:schemas:core:2.0:User:userName");
    /// ```
    pub fn qualified(&self, schema: &ResourceSchema) -> Cow<'_, str> {
        // INVARIANT: no name of an attribute has a colon, and every URI has one.
        if self.attribute.contains(':') {
            return Cow::Borrowed(&self.attribute);
        }
        Cow::Owned(format!("{}:{}", schema.base().id, self.attribute))
    }
}

/// The unique keys of `resource`: what no other resource in the tenant may have whose type has the same
/// schema.
///
/// Those of attributes and sub-attributes whose `uniqueness` is `server` or `global`, sorted and
/// each once; not the `id`, by which a store finds the resource anyway.
///
/// ```
/// use scim_core::schema::Registry;
/// use scim_core::validate::unique_keys;
/// use scim_core::{Resource, Value};
///
/// let registry = Registry::standard();
/// let user: Value = r#"{"id": "1", "userName": "BJensen", "title": "Tour Guide"}"#.parse()?;
/// let user = Resource(user.as_object().cloned().unwrap_or_default());
/// let keys = unique_keys(registry.by_name("User").expect("a standard type"), &user);
/// assert_eq!(keys.len(), 1);
/// assert_eq!((&*keys[0].attribute, &*keys[0].value), ("userName", "bjensen"));
/// # Ok::<(), scim_core::value::JsonError>(())
/// ```
pub fn unique_keys(schema: &ResourceSchema, resource: &Resource) -> Vec<UniqueKey> {
    let mut keys = Vec::new();
    for attribute in schema.top_level().filter(|attribute| !is_own_id(attribute)) {
        collect(attribute, &resource.0, "", &mut keys);
    }
    for extension in schema.extensions() {
        if let Some(object) = resource.0.get(&extension.id).and_then(Value::as_object) {
            for attribute in &extension.attributes {
                collect(attribute, object, &format!("{}:", extension.id), &mut keys);
            }
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

fn is_own_id(attribute: &Attribute) -> bool {
    attribute.name == "id" && attribute.mutability == Mutability::ReadOnly
}

fn collect(attribute: &Attribute, object: &Object, prefix: &str, keys: &mut Vec<UniqueKey>) {
    let unique_subs = || attribute.sub_attributes.iter().filter(|sub| sub.uniqueness != Uniqueness::None);
    if attribute.uniqueness == Uniqueness::None && unique_subs().next().is_none() {
        return;
    }
    let name = format!("{prefix}{}", attribute.name);
    for value in object.get(&attribute.name).map_or(&[][..], Value::values) {
        if attribute.uniqueness != Uniqueness::None
            && let Some(value) = key(attribute, value)
        {
            keys.push(UniqueKey { attribute: name.as_str().into(), value });
        }
        for sub in unique_subs() {
            if let Some(value) = value.get(&sub.name).and_then(|value| key(sub, value)) {
                keys.push(UniqueKey { attribute: format!("{name}.{}", sub.name).into(), value });
            }
        }
    }
}

/// The text of a value as a key. An empty string identifies nothing.
fn key(attribute: &Attribute, value: &Value) -> Option<Box<str>> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) if attribute.case_exact => Some(text.clone()),
        Value::String(text) => Some(scim_filter::compare::fold(text).into()),
        // One spelling for one number: a decimal may be written 1 and 1.0.
        Value::Number(Number::Float(value)) => Some(value.to_string().into()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
