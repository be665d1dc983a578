//! The `pagerduty_rest` program.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser};

use super::account::{Account, Seed};
use super::faults::Faults;
use super::rate::RateLimit;
use super::route::{DuplicateNames, Options, UserQuery};
use super::serve::StandIn;

/// A stand-in of PagerDuty's REST API on this machine, in memory.
#[derive(Debug, Parser)]
#[command(name = "pagerduty_rest")]
pub struct Arguments {
    /// The address to listen on; port 0 takes any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081")]
    pub listen: SocketAddr,
    /// Users, teams, licences and credentials, in JSON: see `examples/pagerduty-rest/account.json`, which is taken
    /// where nothing is named.
    #[arg(long, value_name = "FILE")]
    pub account: Option<PathBuf>,
    /// How many requests a credential may make in a minute, or in `--rate-window`.
    #[arg(long, value_name = "N", default_value_t = 960)]
    pub rate_limit: u32,
    /// In how many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate_window: u64,
    /// For how many seconds a token is good.
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub token_lifetime: u64,
    /// What becomes of a second team with the same name
    #[arg(long, value_enum, default_value = "refuse")]
    pub duplicate_names: DuplicateNames,
    /// What `query` of `GET /users` looks at
    #[arg(long, value_enum, default_value = "name-and-email")]
    pub user_query: UserQuery,
    /// What goes wrong.
    #[command(flatten)]
    pub faults: FaultArguments,
}

/// What goes wrong, each for so many of a hundred requests.
#[derive(Args, Debug)]
#[command(next_help_heading = "Faults")]
pub struct FaultArguments {
    /// Where the random numbers begin; the same faults for the same requests.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Late answers.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = percent())]
    pub delay: u8,
    /// By how many milliseconds at most.
    #[arg(long, value_name = "MS", default_value_t = 500)]
    pub longest_delay: u64,
    /// Connections that end before the effect, after it, or in the middle of the answer.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = percent())]
    pub drop: u8,
    /// Requests that arrive twice.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = percent())]
    pub duplicate: u8,
    /// Answers with 5xx, before the effect or after it.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = percent())]
    pub fail: u8,
    /// Requests that have their effect after a lost answer or a 5xx, or once more after a good answer.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = percent())]
    pub late: u8,
    /// By how many milliseconds at most.
    #[arg(long, value_name = "MS", default_value_t = 2_000)]
    pub longest_late: u64,
    /// For how many milliseconds the role of a member is told as it was.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub late_roles: u64,
    /// A 429 comes without headers and body.
    #[arg(long)]
    pub bare_429: bool,
}

fn percent() -> clap::builder::RangedI64ValueParser<u8> {
    clap::value_parser!(u8).range(0..=100)
}

/// The whole program: prints where it is reached, answers until Ctrl-C or SIGTERM.
///
/// # Errors
///
/// The address or the file cannot be used.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    crate::log::init()?;
    let Arguments {
        listen,
        account,
        rate_limit,
        rate_window,
        token_lifetime,
        duplicate_names,
        user_query,
        faults,
    } = arguments;
    let (text, name) = match account {
        Some(file) => {
            let text = std::fs::read_to_string(&file);
            (text.with_context(|| format!("cannot read `{}`", file.display()))?, file.display().to_string())
        }
        None => (DEFAULT_ACCOUNT.to_owned(), "the account of the examples".to_owned()),
    };
    let seed: Seed = serde_json::from_str(&text).with_context(|| format!("`{name}` is no account"))?;
    let account = Account::new(seed).with_context(|| format!("`{name}` is no account"))?;
    let options = Options {
        rate_limit: RateLimit { requests: rate_limit, window: Duration::from_secs(rate_window) },
        bare_429: faults.bare_429,
        token_lifetime: Duration::from_secs(token_lifetime),
        duplicate_names,
        user_query,
        ..Options::default()
    };
    let faults = Faults {
        seed: faults.seed,
        delay: faults.delay,
        longest_delay: Duration::from_millis(faults.longest_delay),
        drop: faults.drop,
        duplicate: faults.duplicate,
        fail: faults.fail,
        late: faults.late,
        longest_late: Duration::from_millis(faults.longest_late),
        late_roles: Duration::from_millis(faults.late_roles),
    };
    let stop = crate::stop_signal()?;
    let stand_in = StandIn::bind(listen, account, options, faults).await?;
    // Whoever reads this may stop reading: no reason not to answer.
    let _ = writeln!(
        std::io::stdout(),
        "PagerDuty's REST API, as {name} has it\n\n  URL   {}\n\nCtrl-C stops it.",
        stand_in.url().as_str().trim_end_matches('/')
    );
    stand_in.run(stop).await;
    Ok(())
}

const DEFAULT_ACCOUNT: &str = include_str!("../../pagerduty-rest/account.json");

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_and_the_account_are_sound() {
        Arguments::command().debug_assert();
        Account::new(serde_json::from_str(DEFAULT_ACCOUNT).unwrap()).unwrap();
    }
}
