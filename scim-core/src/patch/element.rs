//! One value of a multi-valued attribute: which it is, and writing its sub-attributes.

use std::fmt::Write as _;

use scim_filter::{AttrName, Number, compare};

use crate::error::quote;
use crate::schema::{Attribute, Mutability};
use crate::value::{Object, Value};

/// A write of an attribute that its mutability, or that of its sub-attribute, forbids.
#[derive(Debug)]
pub(super) struct Forbidden {
    sub: Option<Box<str>>,
    why: String,
}

impl Forbidden {
    /// Of the attribute itself.
    pub(super) fn whole(why: impl Into<String>) -> Self {
        Self { sub: None, why: why.into() }
    }

    /// Of its sub-attribute `sub`.
    pub(super) fn part(sub: &Attribute, why: impl Into<String>) -> Self {
        Self { sub: Some(sub.name.as_str().into()), why: why.into() }
    }

    /// What is forbidden and why, of the attribute of that name.
    pub(super) fn of(&self, extension: Option<&AttrName>, attribute: &str) -> String {
        format!("{} {}", named(extension, attribute, self.sub.as_deref()), self.why)
    }
}

/// An attribute in error details, by its whole path.
pub(super) fn named(extension: Option<&AttrName>, attribute: &str, sub: Option<&str>) -> String {
    let (uri, colon) = extension.map_or(("", ""), |uri| (uri.as_str(), ":"));
    let (dot, sub) = sub.map_or(("", ""), |sub| (".", sub));
    format!("`{uri}{colon}{attribute}{dot}{sub}`")
}

/// What makes a value of `attribute` the same as another: its `value` and `type`, or, if it has
/// no `value`, everything but `primary` (RFC 7643 §2.4).
pub(crate) fn identity(attribute: &Attribute, element: &Value) -> String {
    let mut key = String::new();
    let Value::Object(object) = element else {
        scalar(&mut key, element, attribute.case_exact);
        return key;
    };
    if object.get("value").is_some_and(|value| !value.is_unassigned()) {
        for name in ["value", "type"] {
            let exact = attribute.sub_attribute(name).is_some_and(|sub| sub.case_exact);
            scalar(&mut key, object.get(name).unwrap_or(&Value::Null), exact);
        }
        return key;
    }
    let mut members: Vec<_> = object.iter().filter(|(name, _)| !name.matches("primary")).collect();
    members.sort_by_key(|(name, _)| name.as_str().to_ascii_lowercase());
    for (name, value) in members {
        let exact = attribute.sub_attribute(name.as_str()).is_some_and(|sub| sub.case_exact);
        let _ = write!(key, "{}=", name.as_str().to_ascii_lowercase());
        scalar(&mut key, value, exact);
    }
    key
}

/// Appends `value` so that no two different values read the same: strings carry their length.
fn scalar(key: &mut String, value: &Value, exact: bool) {
    let written = match value {
        Value::Null => write!(key, "n;"),
        Value::Bool(value) => write!(key, "b{value};"),
        Value::Number(Number::Int(number)) => write!(key, "i{number};"),
        Value::Number(Number::UInt(number)) => write!(key, "i{number};"),
        Value::Number(Number::Float(number)) => write!(key, "f{number};"),
        Value::String(text) if exact => write!(key, "s{}:{text};", text.len()),
        Value::String(text) => {
            let folded = compare::fold(text);
            write!(key, "s{}:{folded};", folded.len())
        }
        // Neither is a value of an attribute; the text form tells them apart.
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string();
            write!(key, "o{}:{text};", text.len())
        }
    };
    // Writing to a String does not fail.
    let _ = written;
}

/// The key of a value of a keyed attribute: its `value`.
pub(crate) fn key(element: &Value) -> Option<&str> {
    match element {
        Value::Object(object) => object.get("value")?.as_str(),
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Whether the element is the primary one.
pub(super) fn is_primary(element: &Value) -> bool {
    element.get("primary").and_then(Value::as_bool) == Some(true)
}

/// Sets the sub-attribute `sub` of `element`; returns whether that made a difference.
pub(super) fn set(element: &mut Object, sub: &Attribute, value: Value) -> Result<bool, Forbidden> {
    if let Some(present) = element.get(&sub.name) {
        if *present == value {
            return Ok(false);
        }
        immutable(sub, present)?;
    }
    element.insert(sub.name.as_str(), value);
    Ok(true)
}

/// Takes the sub-attribute `sub` out of `element`; returns whether that made a difference.
pub(super) fn clear(element: &mut Object, sub: &Attribute) -> Result<bool, Forbidden> {
    match element.get(&sub.name) {
        None => Ok(false),
        Some(present) => {
            immutable(sub, present)?;
            required(sub, present)?;
            element.remove(&sub.name);
            Ok(true)
        }
    }
}

/// The element `new` in the place of `old`: readOnly and immutable sub-attributes stay.
pub(super) fn replace(attribute: &Attribute, old: &Value, new: &Value) -> Result<Value, Forbidden> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return Ok(new.clone());
    };
    let mut replaced = new.clone();
    for sub in &attribute.sub_attributes {
        let kept = matches!(sub.mutability, Mutability::ReadOnly | Mutability::Immutable);
        let Some(present) = old.get(&sub.name).filter(|_| kept) else {
            continue;
        };
        if sub.mutability == Mutability::Immutable && new.get(&sub.name).is_some_and(|new| new != present) {
            immutable(sub, present)?;
        }
        replaced.insert(sub.name.as_str(), present.clone());
    }
    Ok(Value::Object(replaced))
}

/// Refuses to give up the value of a required sub-attribute.
pub(super) fn required(sub: &Attribute, present: &Value) -> Result<(), Forbidden> {
    if sub.required && !present.is_unassigned() {
        return Err(Forbidden::part(sub, "is required"));
    }
    Ok(())
}

fn immutable(sub: &Attribute, present: &Value) -> Result<(), Forbidden> {
    if sub.mutability == Mutability::Immutable && !present.is_unassigned() {
        let what = match present.as_str() {
            // What is never returned is not told by an error either.
            _ if sub.is_sensitive() => "another value".to_owned(),
            Some(text) => format!("the value {}", quote(text)),
            None => format!("the value {}", quote(&present.to_string())),
        };
        return Err(Forbidden::part(sub, format!("is immutable and has {what}")));
    }
    Ok(())
}

/// The sub-attributes of `attribute` called `names`.
pub(super) fn definitions<'a>(
    attribute: &'a Attribute,
    names: &'a [AttrName],
) -> impl Iterator<Item = &'a Attribute> {
    names.iter().filter_map(|name| attribute.sub_attribute(name.as_str()))
}
