//! Drives a SCIM server through the whole life of users and groups, the way one identity provider does.
//!
//! ```text
//! cargo run --release --example idp -- --as okta --url http://127.0.0.1:8080/scim/v2 --token T
//! ```
//!
//! Ends with 0 when the server gave that identity provider all it needs, with 1 when anything differed, and
//! with 2 when nothing could be played.

mod replay;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    match replay::run(std::env::args_os(), &mut out) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
