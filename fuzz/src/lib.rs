//! What must hold of any input. Each fuzz target calls one function of this crate; a property that
//! does not hold panics.
//!
//! - `cargo test` replays the committed corpora (`corpus/<target>`), on stable and without libFuzzer.
//! - `cargo run --bin <target> -- FILE…` runs the property on single files, on stable as well.
//! - `cargo fuzz run <target>` looks for new inputs (nightly, or `RUSTC_BOOTSTRAP=1`); add
//!   `-- -dict=fuzz/dictionaries/scim.dict`, or `filter.dict`, for the words it would not guess.
//!   An input that fails goes to `regressions/<target>`, named by what it is.
//!
//! # Inputs
//!
//! | target | input |
//! |---|---|
//! | `filter_parse`, `filter_roundtrip` | a filter or path, as text |
//! | `filter_match` | a filter; after the first line break, a resource as JSON text |
//! | `filter_sql` | a filter; after the first line break, a byte for each attribute that says where it is mapped to |
//! | `patch_path` | a PATCH path, as text |
//! | `patch_apply` | a PATCH body; after the first line break, the resource it meets (without one: a user and then a group that are always the same) |
//! | `http_request` | a request as HTTP/1.1 writes it: request line, header lines, an empty line, the body |

mod filter;
mod filter_sql;
mod http_request;
mod patch;

pub use filter::{filter_match, filter_parse, filter_roundtrip, patch_path};
pub use filter_sql::filter_sql;
pub use http_request::http_request;
pub use patch::patch_apply;

use std::path::Path;

/// What must hold of an input; panics where it does not.
pub type Property = fn(&[u8]);

/// Every target with its property.
pub const TARGETS: [(&str, Property); 7] = [
    ("filter_parse", filter_parse),
    ("filter_roundtrip", filter_roundtrip),
    ("filter_match", filter_match),
    ("filter_sql", filter_sql),
    ("patch_path", patch_path),
    ("patch_apply", patch_apply),
    ("http_request", http_request),
];

/// Runs `property` on the files named on the command line.
///
/// # Errors
///
/// If a file cannot be read.
pub fn run_files(property: Property) -> std::io::Result<()> {
    for file in std::env::args_os().skip(1) {
        let data = std::fs::read(Path::new(&file))?;
        println!("{} ({} bytes)", Path::new(&file).display(), data.len());
        property(&data);
    }
    Ok(())
}

/// A user with something of everything, and a group with a few members: what filters are evaluated
/// on and requests meet.
pub(crate) mod samples {
    /// A user.
    pub(crate) const USER: &str = r#"{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User",
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "id": "u1", "externalId": "E1", "userName": "Alex@Example.com", "displayName": "Alex Dœ",
        "active": true, "title": "", "name": {"givenName": "Alex", "familyName": "D\"o\\e"},
        "emails": [{"value": "alex@example.com", "type": "work", "primary": true},
                   {"value": "a@home.example", "type": "home"}],
        "roles": [{"value": "user", "primary": true}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
            {"department": "Platform", "manager": {"value": "u2"}},
        "meta": {"resourceType": "User", "created": "2026-01-01T00:00:00Z",
                 "lastModified": "2026-01-01T00:00:00Z", "version": "W/\"1\""}
    }"#;

    /// A group.
    pub(crate) const GROUP: &str = r#"{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": "g1", "displayName": "Team",
        "members": [{"value": "u1", "type": "User"}, {"value": "u2", "display": "Blair"}, {"value": "u3"}],
        "meta": {"resourceType": "Group", "created": "2026-01-01T00:00:00Z",
                 "lastModified": "2026-01-01T00:00:00Z", "version": "W/\"1\""}
    }"#;
}
