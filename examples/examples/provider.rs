//! A SCIM 2.0 service provider on this machine that behaves like a vendor's, over SQLite.
//!
//! ```sh
//! cargo run --release --example provider -- --profile generic
//! ```

use clap::Parser as _;
use scim_examples::provider::{Options, Provider};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    scim_examples::log::init()?;
    let stop = scim_examples::stop_signal()?;
    let provider = Provider::start(options).await?;
    println!("{provider}");
    provider.run(stop).await;
    Ok(())
}
