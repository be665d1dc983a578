//! What the program is told.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use scim_core::auth::Secret;
use scim_core::pagination::CursorKey;
use scim_profiles::Profile;
use url::Url;

use super::address::base_url;
use super::database::{DatabaseUrl, DatabaseUrlParser};
use super::secrets::{CursorKeyParser, TokenParser};
use crate::Limits;
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
    /// or `sqlite:FILE`. Without an option that says where everything is, DATABASE_URL of the environment
    /// does, where it is out of sight of other users of the machine.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        conflicts_with = "database",
        value_parser = DatabaseUrlParser
    )]
    pub database_url: Option<DatabaseUrl>,
    /// Takes a database that was made for another profile, or has resource types that are not served now, for
    /// what is served from now on. What is stored may not fit that; without this it is refused.
    #[arg(long)]
    pub adopt_database: bool,
    /// No database: everything is in the memory of this process, and gone when it ends.
    #[arg(long, conflicts_with_all = [
        "database", "database_url", "adopt_database", "max_connections", "statement_timeout", "no_audit"
    ])]
    pub memory_store: bool,
    /// The most connections to PostgreSQL at a time, each of which makes one call of the store; more calls wait in
    /// turn. All servers of a database together have what its `max_connections` leaves them. Default: 16.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_connections: Option<u32>,
    /// How long the statements of a call of the store may take, together and with waiting for locks; what takes
    /// longer is answered 503. Default: 30.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub statement_timeout: Option<u64>,
    /// The bearer token clients must send. Default: a random one, which is printed.
    #[arg(long, value_name = "T", env = "SCIM_TOKEN", hide_env_values = true, value_parser = TokenParser)]
    pub token: Option<Secret>,
    /// The user whom the token stands for at `/Me`, by userName. Default: `/Me` is not offered,
    /// and neither PagerDuty nor Datadog has it.
    #[arg(long, value_name = "USERNAME")]
    pub me: Option<String>,
    /// The key that cursors of lists are sealed with, at least 32 visible ASCII characters: the same
    /// for all servers of one database. Default: a random one, so that cursors end with the process. For
    /// profiles that have cursors, `generic` and `incident-io`.
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
    /// Takes members of groups as they come, whether or not there is a user or group of that id, as from a client
    /// that sends groups before their users; without this such a member is a 400. For the profile `generic`.
    #[arg(long)]
    pub no_check_members: bool,
    /// Which groups may be members of a group: any, also in circles, as RFC 7644 §3.7.1 has them; any but itself; none
    /// that has the group as a member, directly or through others, however many and whoever adds others at the same
    /// moment; or none at all. Default: any. For the profile `generic`.
    #[arg(long, value_name = "WHICH", value_parser = ["any", "not-itself", "no-circle", "none"])]
    pub nesting: Option<String>,
    /// How many groups within groups count: those that no more memberships than this lead to are among a user's `groups`,
    /// and found by filters on them; others are left out. 1 is for direct ones alone. Default: 16. For the profiles
    /// `generic` and `incident-io`.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_group_levels: Option<u16>,
    /// Whether the canonical values of attributes, as `work` and `home` of addresses, are those that a client may use or
    /// those that it must. Default: suggested. For the profile `generic`.
    #[arg(long, value_name = "WHICH", value_parser = ["suggested", "only"])]
    pub canonical_values: Option<String>,
    /// Which group gives which roles and seats, in TOML: see `examples/incident-io/mapping.toml`. For the
    /// profile `incident-io`, where without it every user is Standard with a viewer's seat.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// Starts without a mapping on a database whose users have roles or seats by one, and takes these away; without
    /// this it is refused. For the profile `incident-io`.
    #[arg(long, conflicts_with = "mapping")]
    pub without_mapping: bool,
    /// Who is active in Slack, one e-mail address a line, read at start: see
    /// `examples/incident-io/active-in-slack.txt`. Whoever of them is not assigned any more stays active at
    /// incident.io, which the effective access says. For the profile `incident-io`, where without it nobody is.
    #[arg(long, value_name = "FILE")]
    pub active_in_slack: Option<PathBuf>,
    /// The most resources of one page. A long list is sent as it is read, so that what the server needs
    /// of memory does not grow with it. Default: what the profile says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_results: Option<u32>,
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

impl Options {
    /// Reads the words of a command line, of which the first is the program.
    ///
    /// # Errors
    ///
    /// It is not understood, or has options besides a command that the command makes nothing of.
    pub fn read(line: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(line)?;
        if let Some(wanted) = matches.subcommand_name() {
            let is_given =
                |id: &clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
            let serves = |argument: &&clap::Arg| !argument.is_global_set() && is_given(argument.get_id());
            let option = command.get_arguments().find(serves).and_then(clap::Arg::get_long);
            if let Some(reason) =
                option.map(|option| format!("`--{option}` is for serving, which `{wanted}` does not"))
            {
                return Err(command.error(ErrorKind::ArgumentConflict, reason));
            }
        }
        Self::from_arg_matches(&matches)
    }

    /// Refuses what would be passed over: options that the profile or the database makes nothing of.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        type Row = (&'static str, bool, &'static [&'static str]);
        let own: [Row; 12] = [
            ("--me", self.me.is_some(), WITH_ALL_OF_THE_RFCS),
            ("--cursor-key", self.cursor_key.is_some(), WITH_ALL_OF_THE_RFCS),
            ("--resource-type", !self.resource_type.is_empty(), &["generic"]),
            ("--schema", !self.schema.is_empty(), &["generic"]),
            ("--no-check-members", self.no_check_members, &["generic"]),
            ("--nesting", self.nesting.is_some(), &["generic"]),
            ("--max-group-levels", self.max_group_levels.is_some(), WITH_ALL_OF_THE_RFCS),
            ("--canonical-values", self.canonical_values.is_some(), &["generic"]),
            ("--mapping", self.mapping.is_some(), &["incident-io"]),
            ("--without-mapping", self.without_mapping, &["incident-io"]),
            ("--active-in-slack", self.active_in_slack.is_some(), &["incident-io"]),
            ("--duplicate-status", self.duplicate_status.is_some(), &["pagerduty", "datadog"]),
        ];
        let of_pagerduty =
            self.pagerduty.given().map(|(name, given)| -> Row { (name, given, &["pagerduty"]) });
        let of_datadog = self.datadog.given().map(|(name, given)| -> Row { (name, given, &["datadog"]) });
        for (name, given, profiles) in own.into_iter().chain(of_pagerduty).chain(of_datadog) {
            if given && !profiles.contains(&self.profile.name) {
                let profiles: Vec<_> = profiles.iter().map(|name| format!("`--profile {name}`")).collect();
                bail!("`{name}` needs {}", profiles.join(" or "));
            }
        }
        self.pagerduty.check()?;
        self.audit.check()?;
        ensure!(
            self.max_connections.is_none() || self.database_url()?.is_postgres(),
            "`--max-connections` is for PostgreSQL; over SQLite one call writes at a time"
        );
        ensure!(
            !self.adopt_database || self.database_url()?.is_kept(),
            "`--adopt-database` is for a database that is there, and `:memory:` is made by each start"
        );
        Ok(())
    }

    /// What the store takes of the database.
    pub(super) fn limits(&self) -> Limits {
        let Limits { connections, statement, .. } = Limits::default();
        Limits {
            connections: self.max_connections.unwrap_or(connections),
            statement: self.statement_timeout.map_or(statement, Duration::from_secs),
            ..Limits::default()
        }
    }

    /// Whether lists have cursors.
    pub(super) fn has_cursors(&self) -> bool {
        WITH_ALL_OF_THE_RFCS.contains(&self.profile.name)
    }

    /// The database that the options name, or the environment, or the profile's own.
    ///
    /// # Errors
    ///
    /// The environment names none.
    pub(super) fn database_url(&self) -> anyhow::Result<DatabaseUrl> {
        let own = || DatabaseUrl::Sqlite(format!("scim-provider-{}.db", self.profile.name).into());
        Ok(match (&self.database, &self.database_url) {
            (Some(file), _) => DatabaseUrl::Sqlite(file.clone()),
            (None, Some(url)) => url.clone(),
            (None, None) => DatabaseUrl::of_environment()?.unwrap_or_else(own),
        })
    }
}

/// The profiles that leave nothing out of RFC 7644 and RFC 9865.
const WITH_ALL_OF_THE_RFCS: &[&str] = &["generic", "incident-io"];

fn profile() -> impl TypedValueParser<Value = &'static Profile> {
    PossibleValuesParser::new(Profile::ALL.iter().map(|profile| profile.name))
        .try_map(|name| Profile::by_name(&name).ok_or("is no profile"))
}

#[cfg(test)]
mod tests {
    use scim_profiles::OptionRow;

    use super::*;

    /// What a database in the memory of this process makes of an option is all that it has.
    const STORE: [&str; 2] = ["--database", "file.db"];

    /// Each option that is not of every profile, a value it may have, and the profiles that have it.
    const OF_PROFILES: &[(&[&str], &[&str])] = &[
        (&["--me", "ann"], &["generic", "incident-io"]),
        (&["--cursor-key", "0123456789-0123456789-0123456789"], &["generic", "incident-io"]),
        (&["--resource-type", "f"], &["generic"]),
        (&["--schema", "f"], &["generic"]),
        (&["--no-check-members"], &["generic"]),
        (&["--nesting", "no-circle"], &["generic"]),
        (&["--max-group-levels", "3"], &["generic", "incident-io"]),
        (&["--canonical-values", "only"], &["generic"]),
        (&["--mapping", "f"], &["incident-io"]),
        (&["--without-mapping"], &["incident-io"]),
        (&["--active-in-slack", "f"], &["incident-io"]),
        (&["--duplicate-status", "409"], &["datadog", "pagerduty"]),
        (&["--licenses", "f"], &["pagerduty"]),
        (&["--licenses-in-use", "here", "--licenses", "f"], &["pagerduty"]),
        (&["--without-ability", "read_only_users"], &["pagerduty"]),
        (&["--stale-license", "refuse"], &["pagerduty"]),
        (&["--default-role", "observer"], &["pagerduty"]),
        (&["--role-omitted", "default"], &["pagerduty"]),
        (&["--role-emptied", "keep"], &["pagerduty"]),
        (&["--owner", "ann@example.com"], &["pagerduty"]),
        (&["--owner-protection", "none"], &["pagerduty"]),
        (&["--hold-incident", "ann@example.com"], &["pagerduty"]),
        (&["--incidents", "f"], &["pagerduty"]),
        (&["--offboarding", "reassign"], &["pagerduty"]),
        (&["--plan", "other"], &["pagerduty"]),
        (&["--roles", "f"], &["datadog"]),
        (&["--teams"], &["datadog"]),
        (&["--existing-team", "Ops", "--teams"], &["datadog"]),
        (&["--match-teams", "handle", "--teams"], &["datadog"]),
        (&["--handles", "runs", "--teams"], &["datadog"]),
        (&["--deactivation", "remove"], &["datadog"]),
        (&["--other-emails", "drop"], &["datadog"]),
        (&["--roles-unsaid", "default"], &["datadog"]),
        (&["--roles-emptied", "keep"], &["datadog"]),
        (&["--locations", "https://app.example.com/scim"], &["datadog"]),
    ];

    /// The options of every profile.
    const OF_ALL: [&str; 18] = [
        "profile",
        "listen",
        "database",
        "database-url",
        "adopt-database",
        "memory-store",
        "max-connections",
        "statement-timeout",
        "token",
        "base-url",
        "max-results",
        "patch-response",
        "audit-log",
        "audit-sync",
        "audit-required",
        "no-audit",
        "guard",
        "help",
    ];

    #[test]
    fn an_option_is_refused_by_the_profiles_that_make_nothing_of_it() {
        let mut known: Vec<_> = OF_ALL.to_vec();
        for (given, profiles) in OF_PROFILES {
            known.push(given[0].trim_start_matches('-'));
            for profile in Profile::ALL {
                let line = [&["provider", "--profile", profile.name][..], &STORE, given].concat();
                let checked = Options::read(line).unwrap().check();
                let told = checked.as_ref().err().map(ToString::to_string).unwrap_or_default();
                assert_eq!(checked.is_ok(), profiles.contains(&profile.name), "{given:?}: {told}");
                let needs =
                    told.contains("` needs `--profile ") && profiles.iter().all(|name| told.contains(name));
                assert!(checked.is_ok() || needs, "{told}");
            }
        }
        let mut command = Options::command();
        command.build();
        let mut options: Vec<_> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
        known.sort_unstable();
        options.sort_unstable();
        assert_eq!(options, known, "an option is in neither list");
    }

    /// Options of profiles whose argument has another name.
    const OTHERWISE: &[(&str, &str, &str)] = &[
        ("datadog", "team_match", "--match-teams"),
        ("pagerduty", "owner", "--owner-protection"),
        ("pagerduty", "read_only_users", "--without-ability"),
        ("pagerduty", "advanced_permissions", "--without-ability"),
    ];

    /// Whether `[options]` of the file for `--mapping` has `row`.
    fn is_in_mapping(row: &OptionRow) -> bool {
        let file = tempfile::NamedTempFile::new().unwrap();
        let value =
            row.default.parse().map_or_else(|_| format!("\"{}\"", row.default), |on: bool| on.to_string());
        std::fs::write(file.path(), format!("[options]\n{} = {value}\n", row.name)).unwrap();
        crate::incident_io::mapping(file.path()).is_ok()
    }

    #[test]
    fn every_option_of_a_profile_can_be_given() {
        for profile in Profile::ALL {
            for row in profile.options {
                let otherwise =
                    OTHERWISE.iter().find(|(of, name, _)| (*of, *name) == (profile.name, row.name));
                let argument = otherwise.map_or_else(
                    || format!("--{}", row.name.replace('_', "-")),
                    |(_, _, name)| (*name).to_owned(),
                );
                let is_own = OF_PROFILES
                    .iter()
                    .any(|(given, profiles)| given[0] == argument && profiles.contains(&profile.name));
                let is_of_all = OF_ALL.contains(&argument.trim_start_matches('-'));
                let in_mapping = profile.name == "incident-io" && is_in_mapping(row);
                assert!(is_own || is_of_all || in_mapping, "{}: {}", profile.name, row.name);
            }
        }
        for ability in ["read_only_users", "advanced_permissions"] {
            let line = ["provider", "--profile", "pagerduty", "--without-ability", ability];
            assert_eq!(Options::read(line).unwrap().pagerduty.without_ability, [ability]);
        }
    }

    #[test]
    fn what_a_store_makes_nothing_of_is_refused() {
        let conflict = |line: &[&str]| {
            let error = Options::read([&["provider"], line].concat()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{line:?}: {error}");
        };
        conflict(&["--memory-store", "--database", "f"]);
        conflict(&["--memory-store", "--database-url", "sqlite:f"]);
        conflict(&["--memory-store", "--adopt-database"]);
        conflict(&["--memory-store", "--no-audit"]);
        conflict(&["--memory-store", "--max-connections", "4"]);
        conflict(&["--memory-store", "--statement-timeout", "4"]);
        conflict(&["--database", "f", "--database-url", "sqlite:f"]);
        for memory in [["--database", ":memory:"], ["--database-url", "sqlite::memory:"]] {
            let line = [&["provider", "--adopt-database"][..], &memory].concat();
            let error = Options::read(line).unwrap().check().unwrap_err();
            assert!(error.to_string().starts_with("`--adopt-database` is for a database that is there"));
        }
        let line = ["provider", "--database", "f", "--max-connections", "4"];
        let error = Options::read(line).unwrap().check().unwrap_err().to_string();
        assert_eq!(error, "`--max-connections` is for PostgreSQL; over SQLite one call writes at a time");
        let line = ["provider", "--audit-log", "-", "--audit-sync"];
        let error = Options::read(line).unwrap().check().unwrap_err().to_string();
        assert_eq!(error, "`--audit-sync` is for a file; what reads standard output keeps it");
    }

    #[test]
    fn limits_are_those_of_the_store_unless_they_are_given() {
        let limits = |line: &[&str]| {
            let options = Options::read([&["provider"], line].concat()).unwrap();
            let Limits { connections, statement, .. } = options.limits();
            (connections, statement.as_secs())
        };
        assert_eq!(limits(&[]), (16, 30));
        assert_eq!(limits(&["--max-connections", "3", "--statement-timeout", "7"]), (3, 7));
        for line in [["--max-connections", "0"], ["--statement-timeout", "0"]] {
            assert!(Options::read([&["provider"], &line[..]].concat()).is_err(), "{line:?}");
        }
    }

    #[test]
    fn a_command_takes_where_the_database_is_and_nothing_of_serving() {
        for (line, option) in [
            (&["--listen", "127.0.0.1:0", "audit"][..], "listen"),
            (&["--memory-store", "audit"], "memory-store"),
            (&["--token", "t", "guard", "show"], "token"),
            (&["--guard", "f", "guard", "lift"], "guard"),
        ] {
            let error = Options::read([&["provider"], line].concat()).unwrap_err();
            let command = line.iter().find(|word| ["audit", "guard"].contains(word)).unwrap();
            let reason = format!("error: `--{option}` is for serving, which `{command}` does not\n");
            assert!(error.to_string().starts_with(&reason), "{error}");
        }
        for line in [
            &["--profile", "pagerduty", "audit"][..],
            &["--database", "f", "guard", "show"],
            &["audit", "--database-url", "sqlite:f"],
        ] {
            assert!(Options::read([&["provider"], line].concat()).is_ok(), "{line:?}");
        }
    }
}
