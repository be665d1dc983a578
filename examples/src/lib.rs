//! What the example programs share: a store over SQLite, mounting in axum, serving, logging.

pub mod store;

pub use store::SqliteStore;
