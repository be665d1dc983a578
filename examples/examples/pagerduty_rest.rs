//! A stand-in of PagerDuty's REST API on this machine: teams, members, users, licences and tokens, with the
//! documented rules, and faults on request.
//!
//! ```sh
//! cargo run --example pagerduty_rest -- --drop 10 --fail 10
//! ```

use std::process::ExitCode;

use clap::Parser as _;
use scim_examples::pagerduty_rest::{self, Arguments};

#[tokio::main]
async fn main() -> ExitCode {
    match pagerduty_rest::run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
