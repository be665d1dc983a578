//! Makes PagerDuty teams of the groups that Okta, Entra ID or another identity provider pushes: a SCIM server on one
//! side, PagerDuty's REST API on the other.
//!
//! ```sh
//! PAGERDUTY_API_KEY=… cargo run --release --example team_sync
//! ```
//!
//! The exit code is 0 when everything was done, 1 when `--once` or `--dry-run` left something undone, and 2 when
//! it could not begin.

use std::process::ExitCode;

use clap::Parser as _;
use scim_examples::team_sync::{self, Arguments};

#[tokio::main]
async fn main() -> ExitCode {
    match team_sync::run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
