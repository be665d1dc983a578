//! `team_sync` from end to end: what an identity provider pushes over SCIM becomes teams in the stand-in of PagerDuty,
//! whatever goes wrong between.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod account;
mod bridge;
mod converging;
mod guards;
mod idp;
mod noticing;
mod runs;
#[path = "../stand_in/mod.rs"]
mod stand_in;
mod starting;
#[path = "../support/mod.rs"]
mod support;
mod tenants;
mod terminal;
