//! The bridge from groups to PagerDuty's teams, against a model of the REST API.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test"
)]

mod guards;
mod lost_answers;
mod model;
mod properties;
mod rows;
mod rules;
mod run;
mod wire;
mod world;
