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
        (None, element) => match documents(attribute, element) {
            Some(opened) => {
                *element = Value::Array(opened);
                true
            }
            None => open_element(attribute, element),
        },
    }
}

/// The values that a text says which is the JSON of several: `"[{\"value\":\"Admin\"}]"`.
fn documents(attribute: &Attribute, element: &Value) -> Option<Vec<Value>> {
    let text = element.as_str().filter(|text| attribute.multi_valued && text.starts_with('['))?;
    let Value::Array(mut values) = Value::from_slice(text.as_bytes(), &JsonLimits::default()).ok()? else {
        return None;
    };
    let open = |value: &mut Value| {
        let is_document = is_document(value);
        if let Value::Object(object) = value {
            *object = opened(attribute, Object::new(), object);
        }
        is_document
    };
    (!values.is_empty() && values.iter_mut().all(open)).then_some(values)
}

fn open_element(attribute: &Attribute, element: &mut Value) -> bool {
    let text = match &*element {
        Value::String(text) => Some(&**text),
        element => element.get("value").and_then(Value::as_str),
    };
    let Some(inner) = text.and_then(document) else {
        return false;
    };
    let outer = match std::mem::take(element) {
        Value::Object(outer) => outer,
        _ => Object::new(),
    };
    *element = Value::Object(opened(attribute, outer, &inner));
    true
}

/// What the document `inner` says, in the object that it stood in.
fn opened(attribute: &Attribute, mut outer: Object, inner: &Object) -> Object {
    for (from, to) in MEMBERS {
        // What is said outside the document counts, except for the document itself.
        let wanted = attribute.sub_attribute(to).is_some() && (to == "value" || !outer.contains(to));
        if let Some(value) = inner.get(from).filter(|_| wanted) {
            outer.insert(to, value.clone());
        }
    }
    outer
}

/// The object that `text` is the JSON of, if it has a `value` that is a string.
fn document(text: &str) -> Option<Object> {
    if !text.starts_with('{') {
        return None;
    }
    match Value::from_slice(text.as_bytes(), &JsonLimits::default()).ok()? {
        value if !is_document(&value) => None,
        Value::Object(object) => Some(object),
        _ => None,
    }
}

fn is_document(value: &Value) -> bool {
    value.as_object().and_then(|object| object.get("value")).and_then(Value::as_str).is_some()
}
