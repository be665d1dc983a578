//! The requests of RFC 7643 and RFC 7644, section by section, against a service in memory.
//!
//! `vectors/rfc` are our own requests, named by the section they test. `vectors/rfc-examples` say
//! what must become of the RFCs' own examples, whose bodies are read from beside the workspace and
//! are skipped where they are not there; `vectors/mod.rs` says what is in a vector.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test"
)]

mod memory;
mod vectors;

use memory::Memory;

/// Vectors that fail, each with the reason.
const KNOWN_FAILURES: &[(&str, &str)] = &[];

/// Examples that are no request this service answers, each with the reason.
const NOT_PLAYED: &[(&str, &str)] = &[
    ("_response", "an answer; ours is compared whole with the one the vector of the request expects"),
    ("-error-", "an answer"),
    ("rfc7643-8.5", "an answer of a service that supports sorting"),
    ("rfc7643-8.6", "resource types: rfc7644-4-resource-types"),
    ("rfc7643-8.7", "schemas: compared attribute by attribute in data_schema.rs"),
    ("rfc7644-3.4.1-user-known-resource", "an answer: rfc7644-3.4.1-read"),
    ("rfc7644-3.4.2-list_response", "an answer: rfc7644-3.9-list-attributes"),
    ("rfc7644-3.4.3", "search by POST, which is not served yet: 501"),
    ("rfc7644-3.7", "bulk: service/bulk/sections.rs"),
    ("rfc7644-3.9-user-partial_response", "an answer: rfc7644-3.9-attributes"),
    ("rfc7644-4-list_response", "an answer: rfc7644-4-resource-types"),
];

#[test]
fn our_requests_by_section() {
    let vectors = vectors::load("rfc");
    assert!(vectors.len() >= 120, "{} vectors", vectors.len());
    vectors::play_all(&vectors, KNOWN_FAILURES, |vector| vector.play(|| Memory::new(vector.strict)));
}

#[test]
fn the_examples_of_the_rfcs() {
    let Some(folder) = vectors::shared("rfc/examples") else {
        println!("skipped: the examples are not beside the workspace");
        return;
    };
    let vectors = vectors::load("rfc-examples");
    vectors::play_all(&vectors, &[], |vector| vector.play(|| Memory::new(vector.strict)));

    let mut left = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let played = vectors.iter().any(|vector| vector.name == name);
        if !played && !NOT_PLAYED.iter().any(|(part, _)| name.contains(part)) {
            left.push(name.to_owned());
        }
    }
    assert!(left.is_empty(), "neither played nor listed: {left:?}");
}
