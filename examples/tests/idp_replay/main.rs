//! The program `idp`, run against a real service on loopback and against servers with faults.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod licenses;
mod matrix;
#[path = "../../examples/idp/replay/mod.rs"]
mod replay;
mod scripts;
mod support;
mod templates;
mod verdicts;
