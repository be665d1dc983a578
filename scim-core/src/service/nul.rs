//! U+0000 goes no further than the service.
//!
//! JSON can write it and PostgreSQL cannot keep it, and what is kept as text ends there for much that
//! is written in C. Nobody's name has it. So a request that writes it is refused, and stores and
//! policies never meet it.

use crate::{Error, ScimType};

/// Refuses a request text that has U+0000 in the only spelling JSON and filters give it.
///
/// However many backslashes precede it: the texts in a request hold filters, paths and JSON in turn.
pub(super) fn refuse(text: &[u8], scim_type: ScimType) -> Result<(), Error> {
    match memchr::memmem::find(text, b"\\u0000") {
        None => Ok(()),
        Some(_) => Err(Error::bad_request(scim_type, "U+0000 is not kept in any attribute")),
    }
}
