//! What the program is told.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use scim_core::auth::Secret;
use scim_core::pagination::CursorKey;
use scim_profiles::Profile;
use url::Url;

use super::address::base_url;
use super::database::{DatabaseUrl, DatabaseUrlParser};
use super::secrets::{CursorKeyParser, TokenParser};
use crate::audit::{AuditOptions, Command};
use crate::datadog::DatadogOrganisation;
use crate::guard::GuardOptions;
use crate::pagerduty::PagerDutyAccount;

/// A SCIM 2.0 service provider on this machine, to point an identity provider at.
///
/// Without options it needs no set-up: it makes its database, chooses a token, and prints where it
/// is reached and a command to try.
#[derive(Debug, Parser)]
#[command(name = "provider")]
pub struct Options {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Whose behaviour to show.
    #[arg(long, global = true, value_parser = profile(), default_value = "generic")]
    pub profile: &'static Profile,
    /// The address to listen on; port 0 takes any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The database: a file, made when missing, or `:memory:`. Default: `scim-provider-PROFILE.db`
    /// in the working directory.
    #[arg(long, global = true, value_name = "FILE")]
    pub database: Option<PathBuf>,
    /// The database by its URL: `postgres://USER:PASSWORD@HOST/NAME`, which several servers may share,
    /// or `sqlite:FILE`. In the environment it is out of sight of other users of the machine, and
    /// `--database` goes before it.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "DATABASE_URL",
        hide_env_values = true,
        value_parser = DatabaseUrlParser
    )]
    pub database_url: Option<DatabaseUrl>,
    /// Takes a database that was made for another profile, or has resource types that are not served now, for
    /// what is served from now on. What is stored may not fit that; without this it is refused.
    #[arg(long)]
    pub adopt_database: bool,
    /// No database: everything is in the memory of this process, and gone when it ends.
    #[arg(long, conflicts_with = "database")]
    pub memory_store: bool,
    /// The bearer token clients must send. Default: a random one, which is printed.
    #[arg(long, value_name = "T", env = "SCIM_TOKEN", hide_env_values = true, value_parser = TokenParser)]
    pub token: Option<Secret>,
    /// The user whom the token stands for at `/Me`, by userName. Default: `/Me` is not offered.
    #[arg(long, value_name = "USERNAME")]
    pub me: Option<String>,
    /// The key that cursors of lists are sealed with, at least 32 visible ASCII characters: the same
    /// for all servers of one database. Default: a random one, so that cursors end with the process.
    #[arg(
        long,
        value_name = "KEY",
        env = "SCIM_CURSOR_KEY",
        hide_env_values = true,
        value_parser = CursorKeyParser
    )]
    pub cursor_key: Option<CursorKey>,
    /// The URL clients reach this server by, where that is not the address it listens on, such as
    /// that of a tunnel. Every `location` begins with it.
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub base_url: Option<Url>,
    /// Resource types to serve besides, or instead of those with the same name: JSON files as RFC 7643
    /// §6 has them. For the profile `generic`.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub resource_type: Vec<PathBuf>,
    /// The schemas of these resource types: JSON files as RFC 7643 §7 has them.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub schema: Vec<PathBuf>,
    /// Which group gives which roles and seats, in TOML: see `examples/incident-io/mapping.toml`. For the
    /// profile `incident-io`, where without it every user is Standard with a viewer's seat.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// The most resources of one page. A long list is sent as it is read, so that what the server needs
    /// of memory does not grow with it. Default: what the profile says.
    #[arg(long, value_name = "N")]
    pub max_results: Option<usize>,
    /// What a PATCH is answered with: 200 and the resource, or 204, with which a change of one member reads
    /// and sends no other. Default: what the profile says.
    #[arg(long, value_name = "STATUS", value_parser = ["200", "204"])]
    pub patch_response: Option<String>,
    /// The audit trail.
    #[command(flatten)]
    pub audit: AuditOptions,
    /// The status for a userName that is taken, with the profiles `pagerduty` and `datadog`. Both
    /// declare 400; Okta and Entra ID are made for 409.
    #[arg(long, value_name = "STATUS", value_parser = ["400", "409"])]
    pub duplicate_status: Option<String>,
    /// The guards against a bad push.
    #[command(flatten)]
    pub guard: GuardOptions,
    /// The options of one profile.
    #[command(flatten)]
    pub pagerduty: PagerDutyAccount,
    /// The options of another.
    #[command(flatten)]
    pub datadog: DatadogOrganisation,
}

fn profile() -> impl TypedValueParser<Value = &'static Profile> {
    PossibleValuesParser::new(Profile::ALL.iter().map(|profile| profile.name))
        .try_map(|name| Profile::by_name(&name).ok_or("is no profile"))
}
