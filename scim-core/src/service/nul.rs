//! U+0000 goes no further than the service.
//!
//! JSON can write it and PostgreSQL cannot keep it, and what is kept as text ends there for much that
//! is written in C. Nobody's name has it. So a request that writes it is refused, and stores and
//! policies never meet it.
//!
//! It is looked for where escapes are read: in the JSON of the body, in filters, and in what a PATCH has
//! inside its strings, which are paths with filters and, of some clients, JSON once more.

use crate::error::cut;
use crate::patch::{self, Change, Write};
use crate::value::{JsonLimits, Value, escapes_nul};
use crate::{Error, ScimType};

/// Refuses a filter that spells U+0000.
pub(super) fn refuse_filter(text: &str) -> Result<(), Error> {
    match escapes_nul(text.as_bytes()) {
        true => Err(refusal(ScimType::InvalidFilter, "the filter")),
        false => Ok(()),
    }
}

/// Refuses a JSON text that spells it. What is no JSON is left to who reads it.
pub(super) fn refuse_body(text: &[u8], limits: &JsonLimits) -> Result<(), Error> {
    if !escapes_nul(text) {
        return Ok(());
    }
    let body = Value::from_slice(text, limits)?;
    let place = place(&body).map(|place| format!("`{place}`"));
    Err(refusal(ScimType::InvalidValue, place.as_deref().unwrap_or("the body")))
}

/// Refuses a PATCH message with a path that spells it.
pub(super) fn refuse_paths(message: &Value) -> Result<(), Error> {
    let operations = message.get("Operations").map(Value::values).unwrap_or_default();
    match operations.iter().position(patch::operation_escapes_nul) {
        Some(index) => Err(refusal(ScimType::InvalidValue, &format!("a path in `Operations[{index}]`"))),
        None => Ok(()),
    }
}

/// Refuses to write it, where it was said in a JSON document inside a string.
pub(super) fn refuse_in(change: &Change) -> Result<(), Error> {
    let has_nul = |write: &&Write| write.value.as_ref().is_some_and(Value::has_nul);
    match change.writes.iter().find(has_nul) {
        Some(write) => {
            let (uri, colon) = write.extension.as_deref().map_or(("", ""), |uri| (uri, ":"));
            Err(refusal(ScimType::InvalidValue, &format!("`{uri}{colon}{}`", write.attribute)))
        }
        None => Ok(()),
    }
}

fn refusal(scim_type: ScimType, place: &str) -> Error {
    Error::bad_request(scim_type, format!("{place} has U+0000, which is not kept in any attribute"))
}

/// Where in a value it is: in the first text, or in a name of the object there.
fn place(value: &Value) -> Option<String> {
    let part = |at: &str, value: &Value| {
        let inner = place(value)?;
        let dot = if inner.is_empty() || inner.starts_with('[') { "" } else { "." };
        Some(format!("{at}{dot}{inner}"))
    };
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(elements) => {
            elements.iter().enumerate().find_map(|(index, element)| part(&format!("[{index}]"), element))
        }
        Value::Object(members) => members.iter().find_map(|(name, value)| {
            let (shown, more) = cut(name.as_str());
            match name.as_str().contains('\0') {
                true => Some(format!("{shown}{more}")),
                false => part(&format!("{shown}{more}"), value),
            }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}
