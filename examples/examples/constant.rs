//! An axum server that answers every request with the same JSON: what a server over HTTP can reach at
//! most in one runtime of several threads, as axum's documentation has it, for `benches/throughput.py` to compare
//! `provider` to.
//!
//! ```sh
//! cargo run --release --example constant -- 8081 answer.json
//! ```

use anyhow::Context as _;
use axum::Router;
use bytes::Bytes;
use http::{HeaderValue, header};
use hyper_util::service::TowerToHyperService;
use mimalloc::MiMalloc;
use tokio::net::TcpListener;

// As `provider` has it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (port, file) = arguments.next().zip(arguments.next()).context("usage: constant PORT FILE")?;
    let answer = Bytes::from(std::fs::read(&file).with_context(|| format!("cannot read `{file}`"))?);
    let listener = TcpListener::bind(("127.0.0.1", port.parse::<u16>()?)).await?;
    let scim = HeaderValue::from_static("application/scim+json");
    let router =
        Router::new().fallback(async move || ([(header::CONTENT_TYPE, scim.clone())], answer.clone()));
    println!("http://{}", listener.local_addr()?);
    scim_examples::serve(listener, TowerToHyperService::new(router), scim_examples::stop_signal()?).await;
    Ok(())
}
