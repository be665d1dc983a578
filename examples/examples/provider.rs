//! A SCIM 2.0 service provider on this machine that behaves like a vendor's, over SQLite.
//!
//! ```sh
//! cargo run --release --example provider -- --profile pagerduty
//! ```

use clap::Parser as _;
use scim_examples::provider::{self, Options};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    provider::run(Options::parse()).await
}
