//! Guards against a bad push, as the `provider` and `team_sync` programs have them: from a file, and lifted by an
//! operator.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use scim_core::TenantId;
use scim_core::schema::Registry;
use scim_core::store::StoreError;
use scim_profiles::Profile;
use scim_profiles::guard::{
    Ceiling, Charge, Charged, Clock, GuardLedger, Guards, Hold, Lift, MemoryLedger, Protected,
};
use serde::Deserialize;

use crate::SqlStore;
use crate::provider::{DatabaseUrl, Shown, TENANT, shell_word};

/// What is guarded.
#[derive(Args, Debug)]
#[command(next_help_heading = "Guards")]
pub struct GuardOptions {
    /// Refuses what takes away too much at once, or what is protected, as the file says, in TOML: see
    /// `examples/guard.toml`. `provider guard lift` permits it for some time; the log and the audit trail have the whole
    /// command with each refusal.
    #[arg(long, value_name = "FILE")]
    pub guard: Option<PathBuf>,
}

impl GuardOptions {
    /// The guards of the file, for a server of this profile and these types over this database, with the roles of its
    /// users; none without a file.
    pub(crate) fn guards(
        &self,
        profile: &Profile,
        registry: &Registry,
        with_roles: impl FnOnce(Guards) -> Guards,
        database: Option<&DatabaseUrl>,
        makes_teams: bool,
    ) -> anyhow::Result<Guards> {
        let Some(file) = &self.guard else { return Ok(Guards::new()) };
        let guards = guards(file)?;
        ensure!(
            makes_teams || !guards.limits_teams(),
            "`{}`: `[team_deletions]` is for `team_sync`",
            file.display()
        );
        let idle = guards.without_groups(registry);
        ensure!(
            idle.is_empty(),
            "`{}`: `{}` would guard nothing: with the profile `{}` as it is here, no groups are served",
            file.display(),
            idle.join("` and `"),
            profile.name
        );
        let guards = with_roles(guards);
        if let Some(role) = guards.unknown_roles().next() {
            // Whose catalogue is given by the operator has no other roles.
            let known = match profile.name {
                "datadog" => ": a role of `--roles` has its UUID, and its exact name where no other has that",
                _ => "",
            };
            bail!(
                "`{}`: `protected.roles` has `{}`, which is no role of {}{known}",
                file.display(),
                role.escape_debug(),
                profile.title
            );
        }
        Ok(match database.filter(|database| database.is_kept()) {
            None => guards.with_remedy(RESTART, RESTART),
            Some(database) => {
                guards.with_remedy_for(remedy).with_remedy_for_operators(whole_remedy(database)?)
            }
        })
    }
}

/// How an operator lifts the guards of a tenant, as whoever is refused reads it: without where the database is.
fn remedy(tenant: &TenantId, is_protection: bool) -> String {
    format!(
        "an operator lifts that with `{}` and this server's database in DATABASE_URL (the whole command is in its \
         log and audit trail)",
        command(tenant, is_protection)
    )
}

/// The same for the log and the audit trail: the whole command, which does it wherever it is typed. A password is not
/// in it, since logs are read by many.
fn whole_remedy(database: &DatabaseUrl) -> anyhow::Result<impl Fn(&TenantId, bool) -> String + use<>> {
    let Shown { option, has_password } = database.shown()?;
    let password = if has_password { " and the password in PGPASSWORD" } else { "" };
    Ok(move |tenant: &TenantId, is_protection| {
        format!("an operator lifts that with `{} {option}`{password}", command(tenant, is_protection))
    })
}

fn command(tenant: &TenantId, is_protection: bool) -> String {
    let protected = if is_protection { " --protected" } else { "" };
    let tenant = match tenant.as_str() {
        TENANT => String::new(),
        tenant => format!(" --tenant={}", shell_word(tenant)),
    };
    format!("provider guard lift{protected}{tenant}")
}

const RESTART: &str = "an operator lifts that by a start without `--guard`";

/// Reads guards from a TOML file, such as `examples/guard.toml`.
///
/// # Errors
///
/// The file cannot be read, or does not say what is guarded.
pub fn guards(file: &Path) -> anyhow::Result<Guards> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    parse(&text).with_context(|| format!("`{}` does not say what is guarded", file.display()))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct GuardFile {
    deactivations: Option<CeilingOfFile>,
    role_downgrades: Option<CeilingOfFile>,
    member_removals: Option<CeilingOfFile>,
    team_deletions: Option<CeilingOfFile>,
    #[serde(default)]
    protected: ProtectedOfFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CeilingOfFile {
    window: String,
    count: Option<u64>,
    percent: Option<u8>,
    minimum: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProtectedOfFile {
    #[serde(default)]
    users: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
}

fn parse(text: &str) -> anyhow::Result<Guards> {
    let file: GuardFile = toml::from_str(text)?;
    let mut guards = Guards::new().with_protected(file.protected.read()?);
    let named = |name, ceiling: Option<CeilingOfFile>| {
        ceiling.map(|ceiling| ceiling.read().with_context(|| format!("`[{name}]`"))).transpose()
    };
    if let Some(ceiling) = named("deactivations", file.deactivations)? {
        guards = guards.with_deactivations(ceiling);
    }
    if let Some(ceiling) = named("role_downgrades", file.role_downgrades)? {
        guards = guards.with_role_downgrades(ceiling);
    }
    if let Some(ceiling) = named("member_removals", file.member_removals)? {
        guards = guards.with_member_removals(ceiling);
    }
    if let Some(ceiling) = named("team_deletions", file.team_deletions)? {
        guards = guards.with_team_deletions(ceiling);
    }
    ensure!(!guards.is_none(), "there is no ceiling in it, and nothing is protected");
    Ok(guards)
}

impl CeilingOfFile {
    fn read(self) -> anyhow::Result<Ceiling> {
        let window: SignedDuration = duration(&self.window).map_err(|error| anyhow!("`window`: {error}"))?;
        let mut ceiling = Ceiling::within(window)?;
        ensure!(self.count.is_some() || self.percent.is_some(), "it has neither `count` nor `percent`");
        if let Some(count) = self.count {
            ceiling = ceiling.with_count(count);
        }
        match (self.percent, self.minimum) {
            (Some(percent), minimum) => ceiling = ceiling.with_share(percent, minimum.unwrap_or(MINIMUM))?,
            (None, Some(_)) => bail!("`minimum` is of `percent`, which it has not"),
            (None, None) => {}
        }
        Ok(ceiling)
    }
}

impl ProtectedOfFile {
    fn read(self) -> anyhow::Result<Protected> {
        let mut protected = Protected::new();
        for (what, names) in [("users", &self.users), ("groups", &self.groups), ("roles", &self.roles)] {
            ensure!(names.iter().all(|name| !name.trim().is_empty()), "`protected.{what}` has an empty text");
        }
        protected = self.users.iter().fold(protected, |protected, user| protected.with_user(user));
        protected = self.groups.iter().fold(protected, |protected, group| protected.with_group(group));
        Ok(self.roles.iter().fold(protected, |protected, role| protected.with_role(role)))
    }
}

/// The least population of which a share is taken, if the file does not say.
const MINIMUM: u64 = 20;

/// A length of time: `30m`, `24h`.
fn duration(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(duration) if duration.is_positive() => Ok(duration),
        _ => Err(format!("`{}` is no length of time, such as `30m` or `24h`", text.escape_debug())),
    }
}

/// Where the guards of a server note what went.
#[derive(Clone)]
pub(crate) enum Ledger {
    Memory(MemoryLedger),
    Sql(SqlStore),
}

impl GuardLedger for Ledger {
    async fn charge(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        charges: &[Charge],
    ) -> Result<Charged, StoreError> {
        match self {
            Self::Memory(ledger) => ledger.charge(tenant, now, charges).await,
            Self::Sql(ledger) => ledger.charge(tenant, now, charges).await,
        }
    }

    async fn release(
        &self,
        tenant: &TenantId,
        then: Timestamp,
        charges: &[Charge],
    ) -> Result<(), StoreError> {
        match self {
            Self::Memory(ledger) => ledger.release(tenant, then, charges).await,
            Self::Sql(ledger) => ledger.release(tenant, then, charges).await,
        }
    }

    async fn lift(&self, tenant: &TenantId, lift: Option<Lift>) -> Result<(), StoreError> {
        match self {
            Self::Memory(ledger) => ledger.lift(tenant, lift).await,
            Self::Sql(ledger) => ledger.lift(tenant, lift).await,
        }
    }

    async fn lifted(&self, tenant: &TenantId) -> Result<Option<Lift>, StoreError> {
        match self {
            Self::Memory(ledger) => ledger.lifted(tenant).await,
            Self::Sql(ledger) => ledger.lifted(tenant).await,
        }
    }

    async fn hold(&self, tenant: &TenantId, keys: &[Box<str>], now: &Clock) -> Result<Hold, StoreError> {
        match self {
            Self::Memory(ledger) => ledger.hold(tenant, keys, now).await,
            Self::Sql(ledger) => ledger.hold(tenant, keys, now).await,
        }
    }
}

/// What an operator does with the guards of the servers of a database.
#[derive(Debug, Subcommand)]
pub enum GuardCommand {
    /// Lifts the ceilings for some time. What goes meanwhile does not count afterwards.
    Lift {
        /// For how long from now, such as `30m` or `2h`; a day at most.
        #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = lift_time)]
        length: SignedDuration,
        /// Also lets protected users, groups and roles be changed.
        #[arg(long)]
        protected: bool,
        /// Of which tenant.
        #[arg(long, value_name = "NAME", default_value = TENANT)]
        tenant: String,
    },
    /// Puts lifted guards back before their time.
    Restore {
        /// Of which tenant.
        #[arg(long, value_name = "NAME", default_value = TENANT)]
        tenant: String,
    },
    /// Shows whether the guards are lifted, and what counts against ceilings.
    Show {
        /// Of which tenant.
        #[arg(long, value_name = "NAME", default_value = TENANT)]
        tenant: String,
    },
}

fn lift_time(text: &str) -> Result<SignedDuration, String> {
    let length = duration(text)?;
    if length <= SignedDuration::from_hours(24) {
        Ok(length)
    } else {
        Err("that is more than a day".to_owned())
    }
}

impl GuardCommand {
    /// Does it in `database`, and prints what is so then.
    pub(crate) async fn run(self, database: &DatabaseUrl) -> anyhow::Result<()> {
        if let DatabaseUrl::Sqlite(file) = database {
            ensure!(file.exists(), "there is no database `{}`", file.display());
        }
        let store = database.open().await?;
        let now = Timestamp::now();
        let tenant = match self {
            Self::Lift { length, protected, tenant } => {
                let tenant = TenantId::new(tenant);
                let lift = Lift { until: now.checked_add(length)?, protection: protected };
                store.lift(&tenant, Some(lift)).await.context("cannot lift the guards")?;
                tenant
            }
            Self::Restore { tenant } => {
                let tenant = TenantId::new(tenant);
                store.lift(&tenant, None).await.context("cannot put the guards back")?;
                tenant
            }
            Self::Show { tenant } => TenantId::new(tenant),
        };
        let mut output = std::io::stdout().lock();
        match store.lifted(&tenant).await?.filter(|lift| lift.until > now) {
            Some(Lift { until, protection }) => {
                let what = if protection { "ceilings and protection are" } else { "ceilings are" };
                writeln!(output, "{what} lifted until {until:.0}")?;
            }
            None => writeln!(output, "nothing is lifted")?,
        }
        for (noted, amount) in store.guard_charges(&tenant, now).await? {
            writeln!(output, "{noted} {amount}")?;
        }
        store.close().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        format!("{:#}", parse(text).unwrap_err())
    }

    #[test]
    fn a_file_that_guards_nothing_or_something_else_is_refused() {
        assert_eq!(refused(""), "there is no ceiling in it, and nothing is protected");
        assert_eq!(refused("[protected]\nusers = []"), "there is no ceiling in it, and nothing is protected");
        for (text, message) in [
            ("window = \"24h\"", "it has neither `count` nor `percent`"),
            ("window = \"24h\"\nminimum = 3\ncount = 1", "`minimum` is of `percent`, which it has not"),
            ("window = \"10s\"\ncount = 1", "a window of 10s is not between a minute and 366 days"),
            ("window = \"-1h\"\ncount = 1", "`window`: `-1h` is no length of time, such as `30m` or `24h`"),
            ("window = \"soon\"\ncount = 1", "`window`: `soon` is no length of time, such as `30m` or `24h`"),
            ("window = \"24h\"\npercent = 101", "101 percent is more than the whole"),
        ] {
            assert_eq!(
                refused(&format!("[member_removals]\n{text}")),
                format!("`[member_removals]`: {message}")
            );
        }
        assert_eq!(refused("[protected]\ngroups = [\" \"]"), "`protected.groups` has an empty text");
        for (text, part) in [
            ("[deactivation]\ncount = 1", "unknown field `deactivation`"),
            ("[deactivations]\nwindow = \"1h\"\nmost = 1", "unknown field `most`"),
            ("[deactivations]\ncount = 1", "missing field `window`"),
            ("[deactivations]\nwindow = \"1h\"\ncount = -1", "invalid value"),
            ("[protected]\nusers = \"ann\"", "invalid type"),
        ] {
            assert!(refused(text).contains(part), "{}", refused(text));
        }
    }

    #[test]
    fn a_remedy_names_the_tenant_and_to_operators_the_database() {
        let of = |database: DatabaseUrl, tenant: &str, is_protection| {
            whole_remedy(&database).unwrap()(&TenantId::new(tenant), is_protection)
        };
        let file = || DatabaseUrl::Sqlite("/var/scim.db".into());
        let url = "postgres://scim:pa55@db/scim".parse().unwrap();
        for (database, tenant, is_protection, words) in [
            (file(), TENANT, false, "lift --database /var/scim.db`"),
            (file(), "acme", true, "lift --protected --tenant=acme --database /var/scim.db`"),
            (file(), "big co", false, "lift --tenant='big co' --database /var/scim.db`"),
            (
                DatabaseUrl::Postgres(url),
                TENANT,
                true,
                "lift --protected --database-url postgres://scim@db/scim` and the password in PGPASSWORD",
            ),
        ] {
            let expected = format!("an operator lifts that with `provider guard {words}");
            assert_eq!(of(database, tenant, is_protection), expected);
        }
        assert_eq!(
            remedy(&TenantId::new("big co"), true),
            "an operator lifts that with `provider guard lift --protected --tenant='big co'` and this server's database \
             in DATABASE_URL (the whole command is in its log and audit trail)"
        );
    }

    #[test]
    fn the_example_is_read() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/guard.toml"));
        assert!(!guards(file).unwrap().is_none());
        let missing = guards(Path::new("no/such.toml")).unwrap_err();
        assert_eq!(missing.to_string(), "cannot read `no/such.toml`");
    }
}
