//! What identity providers send, one vector each, against a service in memory.
//!
//! The vectors are in `vectors/idp`, named by where they come from; `vectors/mod.rs` says what is
//! in one. `examples/tests/fixtures_http.rs` plays the same files over HTTP on a SQLite file.
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
use serde_json::{Value, json};
use vectors::Vector;

/// Vectors that fail, each with the reason.
const KNOWN_FAILURES: &[(&str, &str)] = &[];

#[test]
fn every_request_has_its_exact_outcome() {
    let vectors = vectors::load("idp");
    assert!(vectors.len() >= 97, "{} vectors", vectors.len());
    vectors::play_all(&vectors, KNOWN_FAILURES, |vector| vector.play(|| Memory::new(vector.strict)));
}

/// Every record has its vector, with the very same request.
#[test]
fn every_record_has_its_vector() {
    let Some(folder) = vectors::shared("fixtures/idp") else {
        println!("skipped: the records are not beside the workspace");
        return;
    };
    let vectors = vectors::load("idp");
    let mut missing = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let record: Value = serde_json::from_str(&vectors::text(&path)).unwrap();
        if !vectors.iter().any(|vector| vector.name == name && request(vector) == pick(&record)) {
            missing.push(name.to_owned());
        }
    }
    assert!(missing.is_empty(), "no vector for {missing:?}");
}

fn request(vector: &Vector) -> Value {
    json!([vector.method, vector.path, vector.headers, vector.body])
}

fn pick(record: &Value) -> Value {
    json!([record["method"], record["path"], record["headers"], record["body"]])
}
