//! Values that Entra ID sends as JSON documents inside strings.

use scim_filter::AttributeType;

use super::keyed;
use crate::schema::Attribute;
use crate::value::{JsonLimits, Object, Value};

/// Members of the document, and the sub-attributes they are.
const MEMBERS: [(&str, &str); 5] = [
    ("value", "value"),
    ("type", "type"),
    ("primary", "primary"),
    ("displayName", "display"),
    ("display", "display"),
];

/// Puts in the place of each string in `value` that holds a JSON document what the document says:
/// `{"value":"{\"value\":\"Admin\",\"displayName\":\"Admin\"}"}`. Returns whether there was one.
///
/// `value` is for `attribute` or, if there is one, its sub-attribute `sub`. Only attributes whose
/// `value` is text without further meaning are looked at
/// ([`Leniency::JsonStringValue`](crate::leniency::Leniency::JsonStringValue)).
pub fn open(attribute: &Attribute, sub: Option<&Attribute>, value: &mut Value) -> bool {
    let is_text = attribute.sub_attribute("value").is_some_and(|v| v.kind == AttributeType::String);
    if !is_text || keyed(attribute) {
        return false;
    }
    match (sub, value) {
        (Some(sub), value) => {
            let inner = value.as_str().filter(|_| sub.name == "value").and_then(document);
            match inner.and_then(|mut inner| inner.remove("value")) {
                Some(inner) => {
                    *value = inner;
                    true
                }
                None => false,
            }
        }
        (None, Value::Array(elements)) => {
            // Every element, not only up to the first that holds one.
            elements.iter_mut().filter_map(|element| open_element(attribute, element).then_some(())).count()
                > 0
        }
        (None, element) => open_element(attribute, element),
    }
}

fn open_element(attribute: &Attribute, element: &mut Value) -> bool {
    let text = match &*element {
        Value::String(text) => Some(&**text),
        element => element.get("value").and_then(Value::as_str),
    };
    let Some(inner) = text.and_then(document) else {
        return false;
    };
    let mut opened = match std::mem::take(element) {
        Value::Object(outer) => outer,
        _ => Object::new(),
    };
    for (from, to) in MEMBERS {
        // What is said outside the document counts, except for the document itself.
        let wanted = attribute.sub_attribute(to).is_some() && (to == "value" || !opened.contains(to));
        if let Some(value) = inner.get(from).filter(|_| wanted) {
            opened.insert(to, value.clone());
        }
    }
    *element = Value::Object(opened);
    true
}

/// The object that `text` is the JSON of, if it has a `value` that is a string.
fn document(text: &str) -> Option<Object> {
    if !text.starts_with('{') {
        return None;
    }
    match Value::from_slice(text.as_bytes(), &JsonLimits::default()).ok()? {
        Value::Object(object) if object.get("value").and_then(Value::as_str).is_some() => Some(object),
        _ => None,
    }
}
