//! One value made to fit its attribute.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use scim_filter::{AttributeType, Number, compare};

use super::{invalid_value, lexical, missing, needs, uri, user_name};
use crate::error::quote;
use crate::leniency::{Leniencies, Leniency};
use crate::link::{is_reference_passed_over, named_id};
use crate::membership::REFERENCE;
use crate::schema::{Attribute, Mutability};
use crate::value::{Object, Value};
use crate::{Error, ScimType};

/// One client value made to fit `attribute`: canonical spelling of sub-attributes, the attribute's
/// type, one element or an array as the attribute is multi-valued or not, readOnly sub-attributes
/// and unassigned values gone (`None` if nothing is left). `at` is the path for error details.
/// POST, PUT and PATCH all use it.
///
/// Strings keep their text; only their type is checked, and the form of date-times, of base64 and, unless
/// [`Leniency::ReferenceSyntax`] is on, of references that are not passed over.
/// An integer is one of 64 bits with a sign, which is what databases hold. A `userName` has no character
/// that controls or cannot be seen (RFC 7613 §3.2).
/// Canonical values are suggestions (RFC 7643 §7) and not enforced. Where several values of a
/// multi-valued attribute are `primary`, the last one stays so, under
/// [`Leniency::ManyPrimaries`]. Of values that are identified by an immutable `value`, such as
/// `members`, repetitions are dropped, and each must have one.
///
/// What it returns, it returns unchanged when asked again.
///
/// # Errors
///
/// 400 `invalidValue` for a value of another type; 400 `invalidSyntax` for a sub-attribute the
/// schema does not define, when [`Leniency::UnknownAttribute`] is off.
pub fn coerce(
    attribute: &Attribute,
    value: Value,
    at: &str,
    leniencies: &Leniencies,
    fired: &mut Vec<Leniency>,
) -> Result<Option<Value>, Error> {
    coerce_at(attribute, value, &at, leniencies, fired)
}

/// The same, with a path that is text only where an error says it.
pub(crate) fn coerce_at(
    attribute: &Attribute,
    value: Value,
    at: &dyn fmt::Display,
    leniencies: &Leniencies,
    fired: &mut Vec<Leniency>,
) -> Result<Option<Value>, Error> {
    let mut coercion = Coercion { leniencies, fired: std::mem::take(fired) };
    let result = coercion.value(attribute, value, at);
    *fired = coercion.fired;
    result
}

/// The leniencies that are on, and those that fired.
pub(super) struct Coercion<'l> {
    pub(super) leniencies: &'l Leniencies,
    pub(super) fired: Vec<Leniency>,
}

impl Coercion<'_> {
    pub(super) fn take(&mut self, leniency: Leniency) -> bool {
        self.leniencies.take(leniency, &mut self.fired)
    }

    pub(super) fn value(
        &mut self,
        attribute: &Attribute,
        value: Value,
        at: &dyn fmt::Display,
    ) -> Result<Option<Value>, Error> {
        if value.is_unassigned() {
            return Ok(None);
        }
        if attribute.multi_valued {
            return self.array(attribute, value, at);
        }
        match value {
            Value::Array(mut elements) => match (elements.pop(), elements.is_empty()) {
                (Some(only), true) if self.take(Leniency::ArrayForSingle) => self.single(attribute, only, at),
                (_, true) => {
                    let detail = format!("`{at}` must be {}, not an array", noun(attribute));
                    Err(needs(Leniency::ArrayForSingle, ScimType::InvalidValue, detail))
                }
                _ => {
                    let noun = noun(attribute);
                    Err(invalid_value(format_args!("`{at}` must be {noun}, not an array of several values")))
                }
            },
            one => self.single(attribute, one, at),
        }
    }

    fn array(
        &mut self,
        attribute: &Attribute,
        value: Value,
        at: &dyn fmt::Display,
    ) -> Result<Option<Value>, Error> {
        let (elements, is_array) = match value {
            Value::Array(elements) => (elements, true),
            one => {
                if !self.take(Leniency::SingleForArray) {
                    let detail = format!("`{at}` must be an array, not {}", one.kind());
                    return Err(needs(Leniency::SingleForArray, ScimType::InvalidValue, detail));
                }
                (vec![one], false)
            }
        };
        let mut kept = Vec::with_capacity(elements.len());
        let key = key_of(attribute);
        for (index, element) in elements.into_iter().enumerate() {
            let (null, is_text) = (element == Value::Null, element.as_str().is_some());
            // Where it stands in what was sent: a text is the `value` itself.
            let unnamed = || {
                let index = if is_array { format!("[{index}]") } else { String::new() };
                missing(format_args!("{at}{index}{}", if is_text { "" } else { ".value" }))
            };
            let at = format_args!("{at}[{index}]");
            let Some(element) = self.single(attribute, element, &at)? else {
                // Something was named, though nothing by which it is known. To pass over it could
                // empty a group that was to be replaced.
                match key {
                    Some(_) if !null => return Err(unnamed()),
                    _ => continue,
                }
            };
            if key.is_some() && element.get("value").and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(unnamed());
            }
            kept.push(element);
        }
        if let Some(key) = key {
            distinct(&mut kept, key);
        }
        self.one_primary(attribute, &mut kept, at)?;
        Ok((!kept.is_empty()).then_some(Value::Array(kept)))
    }

    /// RFC 7643 §2.4: `primary` is true of one value at most; the newest wins.
    fn one_primary(
        &mut self,
        attribute: &Attribute,
        elements: &mut [Value],
        at: &dyn fmt::Display,
    ) -> Result<(), Error> {
        if attribute.sub_attribute("primary").is_none() {
            return Ok(());
        }
        let is_primary = |element: &&mut Value| element.get("primary").and_then(Value::as_bool) == Some(true);
        for element in elements.iter_mut().filter(is_primary).rev().skip(1) {
            if !self.take(Leniency::ManyPrimaries) {
                let detail = format!("`{at}` has more than one primary value");
                return Err(needs(Leniency::ManyPrimaries, ScimType::InvalidValue, detail));
            }
            if let Value::Object(object) = element {
                object.insert("primary", false);
            }
        }
        Ok(())
    }

    /// A value that is no array.
    fn single(
        &mut self,
        attribute: &Attribute,
        value: Value,
        at: &dyn fmt::Display,
    ) -> Result<Option<Value>, Error> {
        if value == Value::Null {
            return Ok(None);
        }
        if attribute.kind == AttributeType::Complex {
            return self.complex(attribute, value, at);
        }
        let fits = match (attribute.kind, &value) {
            (AttributeType::String, Value::String(_))
            | (AttributeType::Boolean, Value::Bool(_))
            | (AttributeType::Decimal, Value::Number(_))
            | (AttributeType::Integer, Value::Number(Number::Int(_))) => true,
            (AttributeType::DateTime, Value::String(text)) => lexical::is_date_time(text),
            (AttributeType::Binary, Value::String(text)) => lexical::is_base64(text),
            (AttributeType::Reference, Value::String(text)) => uri::is_reference_of(attribute, text),
            _ => false,
        };
        if fits {
            is_name(attribute, &value, at)?;
            return Ok(Some(value));
        }
        let (leniency, meant) = match (attribute.kind, value.as_str()) {
            (AttributeType::Boolean, Some("True" | "true")) => (Leniency::BooleanString, true.into()),
            (AttributeType::Boolean, Some("False" | "false")) => (Leniency::BooleanString, false.into()),
            (AttributeType::Reference, Some(_)) => (Leniency::ReferenceSyntax, value.clone()),
            _ => return Err(invalid_value(mismatch(attribute, &value, at))),
        };
        if !self.take(leniency) {
            return Err(needs(leniency, ScimType::InvalidValue, mismatch(attribute, &value, at)));
        }
        Ok(Some(meant))
    }

    fn complex(
        &mut self,
        attribute: &Attribute,
        value: Value,
        at: &dyn fmt::Display,
    ) -> Result<Option<Value>, Error> {
        let mut object = match value {
            Value::Object(members) => members,
            Value::String(text) if text.is_empty() && self.take(Leniency::EmptyValue) => return Ok(None),
            // Not a plain one, but a document that something broke, or that is not one of this attribute: as its
            // `value` all that it holds would be shown.
            Value::String(text) if begins_as_json(&text) => {
                let what = "not a string that begins as JSON does and cannot be read as its value";
                return Err(invalid_value(format_args!("`{at}` must be an object, {what}")));
            }
            Value::String(text) if attribute.sub_attribute("value").is_some() => {
                if !self.take(Leniency::PlainStringForComplex) {
                    let detail = format!("`{at}` must be an object, not a string");
                    return Err(needs(Leniency::PlainStringForComplex, ScimType::InvalidValue, detail));
                }
                Object::from_iter([("value", text)])
            }
            other => {
                return Err(invalid_value(format_args!("`{at}` must be an object, not {}", other.kind())));
            }
        };
        // What is no value is not judged as one.
        if is_empty_value(&object) && self.take(Leniency::EmptyValue) {
            return Ok(None);
        }
        let passes_over =
            is_reference_passed_over(attribute) && object.get("value").and_then(named_id).is_some();
        object.try_edit::<Error>(|name, value| {
            let Some(sub) = attribute.sub_attribute(name.as_str()) else {
                self.unknown_attribute(name.as_str(), at)?;
                return Ok(false);
            };
            if sub.mutability == Mutability::ReadOnly {
                return Ok(false);
            }
            let is_passed_over = passes_over && name.matches(REFERENCE) && value.as_str().is_some();
            if !is_passed_over {
                let sent = std::mem::take(value);
                let Some(fitting) = self.value(sub, sent, &format_args!("{at}.{}", sub.name))? else {
                    return Ok(false);
                };
                *value = fitting;
            }
            if name.as_str() != sub.name {
                *name = sub.name.as_str().into();
            }
            Ok(true)
        })?;
        if object.is_empty() || (is_empty_value(&object) && self.take(Leniency::EmptyValue)) {
            return Ok(None);
        }
        Ok(Some(object.into()))
    }

    /// A name that no schema defines; `of` is the attribute, extension or resource type around it.
    pub(super) fn unknown_attribute(&mut self, name: &str, of: impl fmt::Display) -> Result<(), Error> {
        if self.take(Leniency::UnknownAttribute) {
            return Ok(());
        }
        let detail = format!("{} is no attribute of `{of}`", quote(name));
        Err(needs(Leniency::UnknownAttribute, ScimType::InvalidSyntax, detail))
    }
}

/// Whether a complex value is an empty string and nothing else.
fn is_empty_value(object: &Object) -> bool {
    object.len() == 1 && object.get("value").and_then(Value::as_str) == Some("")
}

/// The sub-attribute by which values of `attribute` are identified, if there is one.
fn key_of(attribute: &Attribute) -> Option<&Attribute> {
    let immutable_text =
        |value: &&Attribute| value.mutability == Mutability::Immutable && value.kind == AttributeType::String;
    attribute.sub_attribute("value").filter(immutable_text)
}

/// Keeps the first of those of `elements` that have the same `key`.
fn distinct(elements: &mut Vec<Value>, key: &Attribute) {
    let mut seen = HashSet::with_capacity(elements.len());
    let keys = elements.iter().map(|element| element.get(&key.name).and_then(Value::as_str));
    let folded = keys.map(|text| match text {
        Some(text) if !key.case_exact => Some(compare::fold(text)),
        text => text.map(Cow::Borrowed),
    });
    let new: Vec<bool> = folded.map(|text| text.is_none_or(|text| seen.insert(text))).collect();
    let mut new = new.into_iter();
    elements.retain(|_| new.next().unwrap_or(true));
}

/// Refuses a user name with a character that no name has.
fn is_name(attribute: &Attribute, value: &Value, at: &dyn fmt::Display) -> Result<(), Error> {
    let Some(name) = value.as_str().filter(|_| attribute.name == "userName") else { return Ok(()) };
    match user_name::forbidden(name) {
        None => Ok(()),
        Some(c) => {
            let c = c as u32;
            Err(invalid_value(format_args!(
                "`{at}` has the character U+{c:04X}, which no user name may have"
            )))
        }
    }
}

/// What is wrong with a value that does not fit its attribute's type.
fn mismatch(attribute: &Attribute, value: &Value, at: &dyn fmt::Display) -> String {
    match (attribute.kind, value) {
        (AttributeType::DateTime, Value::String(_)) => {
            format!("`{at}` must be a date and time such as 2008-01-23T04:56:22Z")
        }
        (AttributeType::Binary, Value::String(_)) => format!("`{at}` must be base64"),
        (AttributeType::Reference, Value::String(_)) if uri::may_be_relative(attribute) => {
            format!("`{at}` must be an absolute or relative URI")
        }
        (AttributeType::Reference, Value::String(_)) => {
            format!("`{at}` must be a URI such as https://example.com/")
        }
        (AttributeType::Integer, Value::Number(_)) => {
            format!("`{at}` must be a whole number from {} to {}", i64::MIN, i64::MAX)
        }
        _ => format!("`{at}` must be {}, not {}", noun(attribute), value.kind()),
    }
}

fn noun(attribute: &Attribute) -> &'static str {
    match attribute.kind {
        AttributeType::Boolean => "a Boolean",
        AttributeType::Decimal => "a number",
        AttributeType::Integer => "a whole number",
        AttributeType::Complex => "an object",
        AttributeType::String
        | AttributeType::Reference
        | AttributeType::DateTime
        | AttributeType::Binary => "a string",
    }
}

/// Whether a text is begun as an object or an array of JSON is: not the name `[EU] Admin`.
fn begins_as_json(text: &str) -> bool {
    match text.trim_start().strip_prefix('[') {
        None => text.trim_start().starts_with('{'),
        Some(rest) => rest.trim_start().starts_with(['{', '[', ']', '"']),
    }
}
