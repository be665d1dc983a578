//! What the program is told.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use clap::{Parser, ValueEnum};
use scim_core::auth::Secret;
use serde::Deserialize;
use url::Url;

use super::account::{PagerDutyAccount, secret};
use crate::guard::GuardOptions;

/// Makes PagerDuty teams of the groups that an identity provider pushes.
///
/// A SCIM 2.0 server on one side, PagerDuty's REST API on the other. The API key is in PAGERDUTY_API_KEY, the token
/// that the identity provider sends in SCIM_TOKEN; without one a random one is made and printed.
#[derive(Debug, Parser)]
#[command(name = "team_sync")]
pub struct Arguments {
    /// The address to listen on for SCIM; port 0 takes any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The URL the identity provider reaches this server by, where that is not the address it listens on.
    #[arg(long, value_name = "URL", value_parser = crate::provider::base_url)]
    pub base_url: Option<Url>,
    /// The database, an SQLite file, made when missing: users and groups, and what the bridge remembers of teams.
    #[arg(long, value_name = "FILE", default_value = "scim-team-sync.db")]
    pub database: PathBuf,
    /// The name of the tenant.
    #[arg(long, value_name = "NAME", default_value = crate::provider::TENANT,
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub tenant: String,
    /// The environment variable that has the token which the identity provider sends. Default: SCIM_TOKEN.
    #[arg(long, value_name = "NAME")]
    pub scim_token_env: Option<String>,
    /// A file that has that token, and nothing else.
    #[arg(long, value_name = "FILE", conflicts_with = "scim_token_env")]
    pub scim_token_file: Option<PathBuf>,
    /// Several tenants, each with its token and its account at PagerDuty, in TOML: see `examples/team-sync/tenants.toml`.
    /// What other options say of the tenant and of PagerDuty is in the file then.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ONE_TENANT,
    )]
    pub tenants: Option<PathBuf>,
    /// Says what would be changed in PagerDuty, changes nothing there and ends. No SCIM is served. Nothing is written to
    /// the database either, unless it is of an older version of this program, and brought up to date.
    #[arg(long)]
    pub dry_run: bool,
    /// Brings PagerDuty up to date and ends: with 1 if anything was left undone. No SCIM is served; the groups are those
    /// in the database, where another process may serve it.
    #[arg(long, conflicts_with = "dry_run")]
    pub once: bool,
    /// Prints the plan or the report as JSON.
    #[arg(long)]
    pub json: bool,
    /// After how many milliseconds without another change a changed group is taken to PagerDuty.
    #[arg(long, value_name = "MS", default_value_t = 3_000)]
    pub settle: u64,
    /// After how many seconds PagerDuty is looked at again, though no group has changed.
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(1..))]
    pub every: u64,
    /// The pause after a first failure, in milliseconds; it doubles with each further one.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub retry_pause: u64,
    /// The seconds that an answer of PagerDuty may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// Where each change in PagerDuty is recorded, as a line of JSON at the end of the file. Default: standard output.
    #[arg(long, value_name = "FILE")]
    pub audit_log: Option<PathBuf>,
    /// What becomes of a group that is pushed with a name that no team can have: of more than 100 characters, or of none.
    #[arg(long, value_name = "WHAT", value_enum, default_value = "refuse")]
    pub group_names: GroupNames,
    /// The guards, before what is pushed and before what is taken away in PagerDuty.
    #[command(flatten)]
    pub guard: GuardOptions,
    /// The account at PagerDuty.
    #[command(flatten)]
    pub pagerduty: PagerDutyAccount,
}

/// What becomes of a group that can never be a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GroupNames {
    /// It is answered 400, so that the identity provider says so.
    Refuse,
    /// It is taken, and each run reports it.
    Report,
}

/// The options about one tenant and its account. Each by its name, so that a refusal names the one that was given.
const ONE_TENANT: [&str; 25] = [
    "tenant",
    "scim_token_env",
    "scim_token_file",
    "region",
    "api_key_env",
    "api_key_file",
    "client_id",
    "client_secret_env",
    "client_secret_file",
    "subdomain",
    "api_url",
    "token_url",
    "team_role",
    "stakeholders",
    "fixed_roles",
    "deletion",
    "reassignment_team",
    "description",
    "adoption",
    "found_members",
    "look_up",
    "look_up_every",
    "polls",
    "late",
    "max_attempts",
];

/// A tenant: whoever has its token pushes groups, which become teams of its account.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its name.
    pub name: String,
    /// The token that its identity provider sends; `None` where none was given.
    pub token: Option<Secret>,
    /// Its account.
    pub pagerduty: PagerDutyAccount,
}

impl Arguments {
    /// The tenants, with the tokens that are in files and in the environment.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or is none of tenants; a token is missing.
    pub fn tenants(&self) -> anyhow::Result<Vec<Tenant>> {
        if let Some(file) = &self.tenants {
            return read(file).with_context(|| format!("`{}` is no list of tenants", file.display()));
        }
        let is_named = self.scim_token_env.is_some() || self.scim_token_file.is_some();
        let given = is_named || std::env::var_os(SCIM_TOKEN).is_some_and(|token| !token.is_empty());
        let token = given.then(|| token(&self.scim_token_env, &self.scim_token_file)).transpose()?;
        Ok(vec![Tenant { name: self.tenant.clone(), token, pagerduty: self.pagerduty.clone() }])
    }

    pub(super) fn settle(&self) -> Duration {
        Duration::from_millis(self.settle)
    }

    pub(super) fn every(&self) -> Duration {
        Duration::from_secs(self.every)
    }

    pub(super) fn retry_pause(&self) -> Duration {
        Duration::from_millis(self.retry_pause)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantsFile {
    tenant: Vec<TenantOfFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantOfFile {
    name: String,
    scim_token_env: Option<String>,
    scim_token_file: Option<PathBuf>,
    #[serde(default)]
    pagerduty: PagerDutyAccount,
}

fn read(file: &Path) -> anyhow::Result<Vec<Tenant>> {
    let text = std::fs::read_to_string(file)?;
    let file: TenantsFile = toml::from_str(&text).map_err(|error| unreadable(&text, &error))?;
    ensure!(!file.tenant.is_empty(), "it has no tenant");
    let mut tenants = Vec::new();
    for TenantOfFile { name, scim_token_env, scim_token_file, pagerduty } in file.tenant {
        let shown = name.escape_debug().to_string();
        ensure!(!name.is_empty(), "a tenant has no name");
        ensure!(tenants.iter().all(|other: &Tenant| other.name != name), "two tenants are called `{shown}`");
        let is_named = scim_token_env.is_some() || scim_token_file.is_some();
        ensure!(is_named, "the tenant `{shown}` has neither `scim_token_env` nor `scim_token_file`");
        let token =
            token(&scim_token_env, &scim_token_file).with_context(|| format!("of the tenant `{shown}`"))?;
        let is_own = |other: &Tenant| other.token.as_ref().is_none_or(|one| one.expose() != token.expose());
        ensure!(tenants.iter().all(is_own), "the tenant `{shown}` has the token of another");
        pagerduty.check_own().with_context(|| format!("`tenant.pagerduty` of the tenant `{shown}`"))?;
        tenants.push(Tenant { name, token: Some(token), pagerduty });
    }
    Ok(tenants)
}

/// Says what is wrong, and in which line, without the line: somebody may have written the secret there.
fn unreadable(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let start = error.span().and_then(|span| text.as_bytes().get(..span.start)).unwrap_or_default();
    let line = start.iter().filter(|&&byte| byte == b'\n').count() + 1;
    match error.message() {
        // The value is in it.
        quoting if quoting.contains('"') || quoting.starts_with("unknown variant") => {
            anyhow!("line {line} cannot be read")
        }
        message => anyhow!("line {line}: {message}"),
    }
}

fn token(variable: &Option<String>, file: &Option<PathBuf>) -> anyhow::Result<Secret> {
    let token = secret("SCIM token", variable, SCIM_TOKEN, file)?;
    let is_plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    ensure!(is_plain, "the SCIM token is not one or more visible ASCII characters, without spaces");
    Ok(Secret::new(token)?)
}

const SCIM_TOKEN: &str = "SCIM_TOKEN";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::*;

    /// Whatever a file of tenants would make meaningless is refused, and not passed over.
    #[test]
    fn a_file_of_tenants_goes_with_no_option_about_one() {
        let command = Arguments::command();
        let is_of_account = |argument: &clap::Arg| argument.get_help_heading() == Some("PagerDuty");
        let is_of_tenant = |argument: &clap::Arg| {
            ["tenant", "scim_token_env", "scim_token_file"].contains(&argument.get_id().as_str())
        };
        let of_one: Vec<_> =
            command.get_arguments().filter(|one| is_of_account(one) || is_of_tenant(one)).collect();
        assert_eq!(of_one.len(), ONE_TENANT.len());
        for argument in of_one {
            let option = format!("--{}", argument.get_long().unwrap());
            let values = argument.get_possible_values();
            let number =
                ["look_up_every", "polls", "late", "max_attempts"].contains(&argument.get_id().as_str());
            let value = values.first().map_or(if number { "1" } else { "x" }, |value| value.get_name());
            let given = ["team_sync", "--tenants", "tenants.toml", &option, value];
            let error = Arguments::try_parse_from(given).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{option}: {error}");
        }
        let others =
            ["team_sync", "--tenants", "f", "--dry-run", "--json", "--database", "b", "--timeout", "3"];
        assert!(Arguments::try_parse_from(others).is_ok());
    }
}
