//! Values that are not among the `canonicalValues` of their attribute.

use std::fmt;

use scim_filter::compare::fold;

use super::{At, invalid_value};
use crate::schema::{Attribute, Mutability, ResourceSchema};
use crate::value::{Object, Value};
use crate::{Error, Resource};

/// What the `canonicalValues` of attributes are to a client: a choice that RFC 7643 §7 leaves to the service
/// provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CanonicalValues {
    /// What it may use, as `work` for an address: any other value is taken too.
    #[default]
    Suggested,
    /// What it must use: another value is a 400 `invalidValue`, unless the resource has it already.
    Only,
}

/// Refuses what a request writes and is none of the canonical values of its attribute: what `after` has and `before`,
/// the resource as it was, has not.
///
/// ```
/// use scim_core::schema::Registry;
/// use scim_core::{Object, Resource, Value, validate};
///
/// let registry = Registry::standard();
/// let users = registry.by_name("User").expect("a standard type");
/// let email: Value = r#"[{"value": "b@example.com", "type": "vacation"}]"#.parse()?;
/// let user = Resource(Object::from_iter([("emails", email)]));
/// let refused = validate::canonical(users, None, &user).unwrap_err();
/// assert_eq!(refused.detail(), "`emails[0].type` must be one of `work`, `home`, `other`, not `vacation`");
/// assert!(validate::canonical(users, Some(&user), &user).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// 400 `invalidValue`, naming the path and the values there are.
pub fn canonical(schema: &ResourceSchema, before: Option<&Resource>, after: &Resource) -> Result<(), Error> {
    let before = before.map(|resource| &resource.0);
    for attribute in schema.top_level() {
        of_attribute(attribute, before, &after.0, &attribute.name)?;
    }
    for extension in schema.extensions() {
        let part = |resource: &'_ Object| resource.get(&extension.id).and_then(Value::as_object).cloned();
        let Some(after) = part(&after.0) else { continue };
        let before = before.and_then(part);
        for attribute in &extension.attributes {
            let at = At { extension: Some(&extension.id), name: &attribute.name };
            of_attribute(attribute, before.as_ref(), &after, at)?;
        }
    }
    Ok(())
}

/// The same of values that are added to an attribute.
pub(crate) fn canonical_elements(attribute: &Attribute, added: &[Value]) -> Result<(), Error> {
    if is_free(attribute) {
        return Ok(());
    }
    added.iter().try_for_each(|value| of_value(attribute, value, &attribute.name))
}

fn of_attribute(
    attribute: &Attribute,
    before: Option<&Object>,
    after: &Object,
    at: impl fmt::Display,
) -> Result<(), Error> {
    if is_free(attribute) {
        return Ok(());
    }
    let Some(value) = after.get(&attribute.name) else { return Ok(()) };
    let was = before.and_then(|before| before.get(&attribute.name));
    if was == Some(value) {
        return Ok(());
    }
    let was = was.map(Value::values).unwrap_or_default();
    for (index, value) in value.values().iter().enumerate() {
        let index = if attribute.multi_valued { format!("[{index}]") } else { String::new() };
        let judged = of_value(attribute, value, format_args!("{at}{index}"));
        // Only of what is refused it is asked whether it was there.
        if judged.is_err() && !was.contains(value) {
            return judged;
        }
    }
    Ok(())
}

/// Whether any value does.
fn is_free(attribute: &Attribute) -> bool {
    attribute.mutability == Mutability::ReadOnly
        || (attribute.canonical_values.is_empty() && attribute.sub_attributes.iter().all(is_free))
}

fn of_value(attribute: &Attribute, value: &Value, at: impl fmt::Display) -> Result<(), Error> {
    for sub in attribute.sub_attributes.iter().filter(|sub| !is_free(sub)) {
        for value in value.get(&sub.name).map(Value::values).unwrap_or_default() {
            of_value(sub, value, format_args!("{at}.{}", sub.name))?;
        }
    }
    let Some(text) = value.as_str().filter(|_| !attribute.canonical_values.is_empty()) else {
        return Ok(());
    };
    let is_it = |canonical: &String| match attribute.case_exact {
        true => canonical == text,
        false => fold(canonical) == fold(text),
    };
    if attribute.canonical_values.iter().any(is_it) {
        return Ok(());
    }
    let all: Vec<String> = attribute.canonical_values.iter().map(|value| format!("`{value}`")).collect();
    let text = crate::error::quote(text);
    Err(invalid_value(format_args!("`{at}` must be one of {}, not {text}", all.join(", "))))
}
