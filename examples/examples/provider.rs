//! A SCIM 2.0 service provider on this machine that behaves like a vendor's, over SQLite or
//! PostgreSQL.
//!
//! ```sh
//! cargo run --release --example provider -- --profile pagerduty
//! ```

use std::process::ExitCode;

use clap::Parser as _;
use scim_examples::provider::{self, Options};

#[tokio::main]
async fn main() -> ExitCode {
    match provider::run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
