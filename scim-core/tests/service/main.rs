//! The service over HTTP types: each wire choice, each wrong input, each law, by name.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod all_types;
mod audit;
mod bulk;
mod canonical;
mod characteristics;
mod completing_store;
mod concurrency;
mod cursor;
mod deletion;
mod discovery;
mod dropped;
mod groups;
mod hostile;
mod least_store;
mod leniency;
mod links;
mod list;
mod me;
mod members;
mod model;
mod openapi;
mod paths;
mod pieces;
mod policy;
mod refusal;
mod scale;
mod search;
mod sort;
mod store_failures;
mod support;
mod turns;
mod wire;
mod write;
