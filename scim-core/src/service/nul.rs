//! U+0000 goes no further than the service.
//!
//! JSON can write it and PostgreSQL cannot keep it, and what is kept as text ends there for much that
//! is written in C. Nobody's name has it. So a request that writes it is refused, and stores and
//! policies never meet it.
//!
//! It is looked for where escapes are read: in the JSON of the body, in filters, and in what a PATCH has
//! inside its strings, which are paths with filters and, of some clients, JSON once more.

use crate::patch::{self, Change};
use crate::value::{Value, escapes_nul};
use crate::{Error, ScimType};

/// Refuses a JSON text, or a filter, that spells U+0000.
pub(super) fn refuse(text: &[u8], scim_type: ScimType) -> Result<(), Error> {
    if escapes_nul(text) { Err(refusal(scim_type)) } else { Ok(()) }
}

/// Refuses a PATCH message with a path that spells it.
pub(super) fn refuse_paths(message: &Value) -> Result<(), Error> {
    if patch::escapes_nul(message) { Err(refusal(ScimType::InvalidValue)) } else { Ok(()) }
}

/// Refuses to write it, where it was said in a JSON document inside a string.
pub(super) fn refuse_in(change: &Change) -> Result<(), Error> {
    let mut values = change.writes.iter().filter_map(|write| write.value.as_ref());
    if values.any(Value::has_nul) { Err(refusal(ScimType::InvalidValue)) } else { Ok(()) }
}

fn refusal(scim_type: ScimType) -> Error {
    Error::bad_request(scim_type, "U+0000 is not kept in any attribute")
}
