//! What the example programs share: a store over SQLite or PostgreSQL, resource types from JSON files, answering,
//! serving, logging.

pub mod audit;
pub mod datadog;
mod documents;
pub mod finish;
mod front;
pub mod guard;
pub mod incident_io;
pub mod log;
pub mod pagerduty;
pub mod pagerduty_rest;
pub mod provider;
mod serve;
mod store;
pub mod team_sync;

pub use documents::registry_with;
pub use front::Front;
pub use serve::{Threads, serve, stop_signal};
pub use store::{AuditPage, AuditPlace, AuditQuery, Limits, LostClaim, LostClaims, SqlStore};

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
