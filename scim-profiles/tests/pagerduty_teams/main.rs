//! The bridge from groups to PagerDuty's teams, against a model of the REST API.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test"
)]

mod accounts;
mod answers;
mod configuration;
mod exchanged;
mod found;
mod gone;
mod guards;
mod lost_answers;
mod members;
mod model;
mod properties;
mod roles;
mod rows;
mod run;
mod tokens;
mod wire;
mod world;
