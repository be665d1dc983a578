//! The `provider` program: a SCIM service provider that behaves like a vendor's, over SQLite or
//! PostgreSQL.

mod address;
mod database;
mod options;
mod secrets;
mod service;
mod start;
mod vendor;

use std::io::Write as _;

use anyhow::ensure;

use crate::audit::Command;

pub(crate) use address::{base_url, reachable};
pub use database::DatabaseUrl;
pub(crate) use database::{Shown, shell_word};
pub use options::Options;
pub(crate) use secrets::{random_cursor_key, random_token};
pub use start::Provider;

/// The whole program: starts, prints how to reach it, answers until Ctrl-C or SIGTERM.
///
/// # Errors
///
/// The address, the database or a file of resource types cannot be used.
pub async fn run(mut options: Options) -> anyhow::Result<()> {
    crate::log::init()?;
    if let Some(command) = options.command.take() {
        let database = options.database_url()?;
        return match command {
            Command::Audit(wanted) => wanted.print(&database).await,
            Command::Teams(wanted) => {
                let is_datadog = options.profile.name == scim_profiles::datadog::PROFILE.name;
                ensure!(is_datadog, "`teams` needs `--profile datadog`");
                wanted.print(&database).await
            }
            Command::Guard(command) => command.run(&database).await,
        };
    }
    let stop = crate::stop_signal()?;
    let records_on_stdout = options.audit.is_on_stdout();
    let provider = Provider::start(options).await?;
    // Whoever reads this may stop reading: no reason not to serve.
    let _ = if records_on_stdout {
        writeln!(std::io::stderr(), "{provider}")
    } else {
        writeln!(std::io::stdout(), "{provider}")
    };
    provider.run(stop).await;
    Ok(())
}

/// The tenant of everything that is served.
pub(crate) const TENANT: &str = "local";
