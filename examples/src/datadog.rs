//! Datadog in the `provider` program: roles as files, and what an organisation can have one way or the other.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use clap::Args;
use http::StatusCode;
use scim_core::{ResourceId, Store, TenantId};
use scim_profiles::datadog::{
    Datadog, DatadogOptions, Deactivation, Event, Handles, OtherEmails, RoleCatalogue, RolesEmptied,
    RolesUnsaid, Team, TeamError, TeamMatch, TeamStore,
};
use serde::Deserialize;
use url::Url;

use crate::provider::{DatabaseUrl, TENANT};

/// What an organisation at Datadog can have one way or the other.
#[derive(Args, Debug)]
#[command(next_help_heading = "With --profile datadog")]
pub struct DatadogOrganisation {
    /// The roles of the organisation, in TOML: see `examples/datadog/roles.toml`. Without it every role
    /// that is asked for is dropped.
    #[arg(long, value_name = "FILE")]
    pub roles: Option<PathBuf>,
    /// Serves groups, as teams that the identity provider manages. Datadog has it on request.
    #[arg(long)]
    pub teams: bool,
    /// A team that is there already, made in Datadog; may be given more than once.
    #[arg(long, value_name = "NAME", requires = "teams")]
    pub existing_team: Vec<String>,
    /// How a group finds a team that is there: by its exact name, unless by the handle derived from it.
    #[arg(long, value_name = "BY", value_parser = ["name", "handle"], requires = "teams")]
    pub match_teams: Option<String>,
    /// What a team's handle has for characters of its name that are neither letters nor digits: a `-` for each, unless
    /// one for those in a row and none at the ends.
    #[arg(long, value_name = "HOW", value_parser = ["each", "runs"], requires = "teams")]
    pub handles: Option<String>,
    /// What becomes of a user whose `active` becomes false: kept, unless removed.
    #[arg(long, value_name = "HOW", value_parser = ["keep", "remove"])]
    pub deactivation: Option<String>,
    /// What becomes of an e-mail address that is not of type `work`: refused, unless dropped.
    #[arg(long, value_name = "HOW", value_parser = ["refuse", "drop"])]
    pub other_emails: Option<String>,
    /// The roles of a user after a PUT without `roles`: kept, unless the default role takes their place.
    #[arg(long, value_name = "WHICH", value_parser = ["keep", "default"])]
    pub roles_unsaid: Option<String>,
    /// The roles of a user after a PUT with `roles` that are null or an empty array: the default role takes their
    /// place, unless they are kept.
    #[arg(long, value_name = "WHICH", value_parser = ["default", "keep"])]
    pub roles_emptied: Option<String>,
    /// What `meta.location` begins with instead of the base URL; the reference has
    /// `https://app.datadoghq.com/api/scim/v2`.
    #[arg(long, value_name = "URL")]
    pub locations: Option<Url>,
}

impl DatadogOrganisation {
    /// Its options, and which of them are given.
    pub(crate) fn given(&self) -> [(&'static str, bool); 10] {
        [
            ("--roles", self.roles.is_some()),
            ("--teams", self.teams),
            ("--existing-team", !self.existing_team.is_empty()),
            ("--match-teams", self.match_teams.is_some()),
            ("--handles", self.handles.is_some()),
            ("--deactivation", self.deactivation.is_some()),
            ("--other-emails", self.other_emails.is_some()),
            ("--roles-unsaid", self.roles_unsaid.is_some()),
            ("--roles-emptied", self.roles_emptied.is_some()),
            ("--locations", self.locations.is_some()),
        ]
    }

    /// The behaviour, with this status for a name that is taken, if one is chosen.
    pub(crate) fn policy(&self, duplicate_status: Option<StatusCode>) -> anyhow::Result<Datadog> {
        let mut options = DatadogOptions::default();
        options.teams = self.teams;
        if self.match_teams.as_deref() == Some("handle") {
            options.team_match = TeamMatch::Handle;
        }
        if self.handles.as_deref() == Some("runs") {
            options.handles = Handles::Runs;
        }
        if self.deactivation.as_deref() == Some("remove") {
            options.deactivation = Deactivation::Remove;
        }
        if self.other_emails.as_deref() == Some("drop") {
            options.other_emails = OtherEmails::Drop;
        }
        if self.roles_unsaid.as_deref() == Some("default") {
            options.roles_unsaid = RolesUnsaid::Default;
        }
        if self.roles_emptied.as_deref() == Some("keep") {
            options.roles_emptied = RolesEmptied::Keep;
        }
        options.locations.clone_from(&self.locations);
        if let Some(status) = duplicate_status {
            options.duplicate_status = status;
        }
        let roles = self.roles.as_deref().map_or_else(|| Ok(RoleCatalogue::new()), roles)?;
        Ok(Datadog::new(options, roles))
    }
}

/// Which teams to print.
#[derive(Args, Debug)]
pub struct TeamsWanted {
    /// Of which tenant.
    #[arg(long, value_name = "NAME", default_value = TENANT)]
    pub tenant: String,
}

impl TeamsWanted {
    /// Prints the teams that are in `database`, with their handles, which SCIM does not show.
    pub(crate) async fn print(self, database: &DatabaseUrl) -> anyhow::Result<()> {
        if let DatabaseUrl::Sqlite(file) = database {
            ensure!(file.exists(), "there is no database `{}`", file.display());
        }
        let store = database.open().await?;
        let mut options = DatadogOptions::default();
        options.teams = true;
        let teams = TeamStore::new(store.clone(), &options, Arc::new(jiff::Timestamp::now));
        let teams = teams.teams(&TenantId::new(self.tenant)).await.context("cannot read the teams")?;
        store.close().await;
        let mut output = std::io::stdout().lock();
        for team in teams {
            let Team { id, name, handle, members, group } = team;
            let line = serde_json::json!({
                "id": id.as_str(),
                "name": name,
                "handle": handle,
                "members": members.iter().map(ResourceId::as_str).collect::<Vec<_>>(),
                "group": group.as_ref().map(ResourceId::as_str),
            });
            writeln!(output, "{line}")?;
        }
        Ok(())
    }
}

/// The store of an organisation, with its groups as teams, and with the teams of these names.
pub(crate) async fn store<S: Store>(
    store: S,
    policy: &Datadog,
    existing: &[String],
    now: Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>,
    tenant: &TenantId,
) -> anyhow::Result<TeamStore<S>> {
    let store = TeamStore::new(store, policy.options(), now).with_events(|_, event| log(event));
    store.synchronise(tenant).await?;
    for name in existing {
        ensure!(!name.trim().is_empty(), "`--existing-team` is the name of a team, and not empty");
        let id = ResourceId::new(uuid::Uuid::new_v4().to_string());
        match store.create_team(tenant, id, name).await {
            // It is there since the last time.
            Ok(_) | Err(TeamError::Taken(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(store)
}

/// Logs what happened, without names and addresses.
fn log(event: &Event) {
    match event {
        Event::Invited { user, .. } => tracing::info!(user = user.as_str(), "an invitation would be sent"),
        Event::TeamCreated { team } => tracing::info!(team = team.as_str(), "a group made a team"),
        Event::TeamLinked { team } => tracing::info!(team = team.as_str(), "a group took over a team"),
        Event::TeamUnlinked { team } => {
            tracing::info!(team = team.as_str(), "a team was emptied and unlinked")
        }
        _ => {}
    }
}

/// Reads the roles of an organisation from a TOML file, such as `examples/datadog/roles.toml`.
///
/// # Errors
///
/// The file cannot be read, or has no roles.
pub fn roles(file: &Path) -> anyhow::Result<RoleCatalogue> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    parse(&text).with_context(|| format!("`{}` has no roles", file.display()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RolesFile {
    default: Option<String>,
    roles: Vec<RoleOfFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleOfFile {
    id: String,
    name: String,
}

fn parse(text: &str) -> anyhow::Result<RoleCatalogue> {
    let file: RolesFile = toml::from_str(text)?;
    let mut catalogue = RoleCatalogue::new();
    for role in file.roles {
        catalogue = catalogue.with_role(&role.id, &role.name)?;
    }
    Ok(match file.default.as_deref() {
        None => catalogue,
        Some("none") => catalogue.without_default(),
        Some(id) => catalogue.with_default(id)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_catalogue() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/datadog/roles.toml");
        let catalogue = roles(Path::new(file)).unwrap();
        assert_eq!(catalogue.roles().len(), 4);
        assert_eq!(catalogue.default_role().unwrap().name(), "Datadog Standard Role");
    }

    #[test]
    fn what_is_no_catalogue_is_refused_by_name() {
        let refused = |text: &str| format!("{:#}", parse(text).unwrap_err());
        let id = "8c2a5f0e-0000-4000-8000-000000000001";
        let role = |id: &str| format!("[[roles]]\nid = \"{id}\"\nname = \"R\"\n");
        assert_eq!(refused(&role("R")), "a role is named by its UUID, which `R` is not");
        assert_eq!(refused(&[role(id), role(id)].concat()), format!("the role `{id}` is given twice"));
        assert_eq!(
            refused(&format!("default = \"x\"\n{}", role(id))),
            "the default role `x` is none of the roles"
        );
        assert!(refused("role = []").contains("unknown field `role`"), "{}", refused("role = []"));
        let none = parse(&format!("default = \"none\"\n{}", role(id))).unwrap();
        assert!(none.default_role().is_none());
    }
}
