//! Comparison keys: what columns hold so that bytes compare as values do.

use std::borrow::Cow;

use super::instant;
use crate::AttributeType;
use crate::compare::{Collation, Instant, fold, without_padding};

/// The comparison key of a text: text columns hold keys, and bytes of keys compare as values do.
///
/// It is the folded text of an attribute that is not `caseExact`, the instant of a dateTime, Base64
/// without its padding, or the text itself. `None` if the text is no dateTime and should be one.
///
/// ```
/// use scim_filter::AttributeType::{DateTime, String};
/// use scim_filter::compare::Collation;
/// use scim_filter::sql::key;
///
/// let user_name = Collation { kind: String, case_exact: false };
/// assert_eq!(key(user_name, "Straße").as_deref(), Some("strasse"));
/// let created = Collation { kind: DateTime, case_exact: false };
/// assert_eq!(key(created, "2011-05-13T06:42:34.50+02:00").as_deref(), Some("2011-05-13T04:42:34.5"));
/// assert_eq!(key(created, "soon"), None);
/// ```
pub fn key(collation: Collation, text: &str) -> Option<Cow<'_, str>> {
    Some(match collation.kind {
        AttributeType::DateTime => Cow::Owned(instant::key(Instant::parse(text)?)),
        AttributeType::Binary => Cow::Borrowed(without_padding(text)),
        _ if collation.case_exact => Cow::Borrowed(text),
        _ => fold(text),
    })
}

/// A resource with its names spelt as in the schema and its strings replaced by their comparison
/// keys, for a [`JsonColumn::keys`](super::JsonColumn::keys).
///
/// Attributes that the schema does not define or that are sensitive are left out: no filter names them.
#[cfg(feature = "serde_json")]
pub fn key_document(
    schema: &impl crate::Schema,
    resource: &serde_json::Map<String, serde_json::Value>,
) -> serde_json::Map<String, serde_json::Value> {
    use serde_json::{Map, Value};

    let attributes = |uri: Option<&str>, object: &Map<String, Value>| -> Map<String, Value> {
        let mut keys = Map::new();
        for (name, value) in object {
            let Some(info) = schema.attribute(uri, name).filter(|info| !info.sensitive) else { continue };
            let sub = |sub: &str| schema.sub_attribute(uri, name, sub).filter(|info| !info.sensitive);
            let key = |value: &Value| match value {
                Value::Object(members) => Value::Object(
                    members
                        .iter()
                        .filter_map(|(name, value)| {
                            let info = sub(name)?;
                            Some((info.name.to_owned(), keyed(info, value)))
                        })
                        .collect(),
                ),
                // What should be an object counts as its `value`, or is only present.
                value if info.kind == AttributeType::Complex => match (sub("value"), value) {
                    (Some(info), value) => keyed(info, value),
                    (None, Value::String(text)) if !text.is_empty() => Value::Bool(true),
                    (None, Value::Array(_)) => Value::Null,
                    (None, value) => value.clone(),
                },
                value => keyed(info, value),
            };
            // What has no key is a value all the same, which `null` is not, of something that has values.
            let has_values = info.multi_valued || info.kind == AttributeType::Complex;
            let element = |value: &Value| match key(value) {
                Value::Null if has_values && !value.is_null() => Value::Object(Map::new()),
                key => key,
            };
            let value = match value {
                Value::Array(elements) => elements.iter().map(element).collect(),
                value => element(value),
            };
            keys.insert(info.name.to_owned(), value);
        }
        keys
    };
    let mut keys = attributes(None, resource);
    for (name, value) in resource {
        if let (Some(uri), Value::Object(members)) = (schema.extension(name), value) {
            keys.insert(uri.to_owned(), Value::Object(attributes(Some(uri), members)));
        }
    }
    keys
}

#[cfg(feature = "serde_json")]
fn keyed(info: crate::AttributeInfo<'_>, value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        // Neither present nor a time: nothing.
        Value::String(text) if text.is_empty() && info.kind == AttributeType::DateTime => Value::Null,
        Value::String(text) => {
            let collation = Collation { kind: info.kind, case_exact: info.case_exact };
            // What is no dateTime is present and compares with nothing, as a Boolean does here.
            key(collation, text).map_or(Value::Bool(true), |key| Value::String(key.into_owned()))
        }
        Value::Array(elements) => elements
            .iter()
            .map(|element| match element {
                Value::Array(_) | Value::Object(_) => Value::Null,
                scalar => keyed(info, scalar),
            })
            .collect(),
        Value::Object(_) => Value::Null,
        value => value.clone(),
    }
}
