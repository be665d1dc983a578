//! A SCIM 2.0 service provider on this machine that behaves like a vendor's, over SQLite or
//! PostgreSQL.
//!
//! ```sh
//! cargo run --release --example provider -- --profile pagerduty
//! ```

use std::process::ExitCode;

use mimalloc::MiMalloc;
use scim_examples::provider::{self, Options};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    match provider::run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
