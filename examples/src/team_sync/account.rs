//! Which account at PagerDuty, as whom, and what is done there.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use scim_profiles::pagerduty::TeamRole;
use scim_profiles::pagerduty::teams::{
    self, Auth, Mode, OAuthClient, Region, Secret, TeamConfig, TeamOptions,
};
use serde::Deserialize;
use url::Url;

/// The account at PagerDuty of a tenant. Secrets are never given here, only where they are.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[command(next_help_heading = "PagerDuty")]
#[serde(default, deny_unknown_fields)]
pub struct PagerDutyAccount {
    /// The service region of the account: `us`, the default, or `eu`.
    #[arg(long, value_name = "REGION", value_parser = ["us", "eu"])]
    pub region: Option<String>,
    /// The environment variable that has the API key. Default: PAGERDUTY_API_KEY.
    #[arg(long, value_name = "NAME")]
    pub api_key_env: Option<String>,
    /// A file that has the API key, and nothing else.
    #[arg(long, value_name = "FILE", conflicts_with = "api_key_env")]
    pub api_key_file: Option<PathBuf>,
    /// The id of an app with Scoped OAuth, instead of an API key.
    #[arg(long, value_name = "ID", conflicts_with_all = ["api_key_env", "api_key_file"], requires = "subdomain")]
    pub client_id: Option<String>,
    /// The environment variable that has the app's secret. Default: PAGERDUTY_CLIENT_SECRET.
    #[arg(long, value_name = "NAME", requires = "client_id")]
    pub client_secret_env: Option<String>,
    /// A file that has the app's secret, and nothing else.
    #[arg(long, value_name = "FILE", requires = "client_id", conflicts_with = "client_secret_env")]
    pub client_secret_file: Option<PathBuf>,
    /// The account's subdomain: `acme` of `acme.pagerduty.com`. For the app.
    #[arg(long, value_name = "NAME", requires = "client_id")]
    pub subdomain: Option<String>,
    /// Where the REST API is, if that is not the region's: a stand-in.
    #[arg(long, value_name = "URL")]
    pub api_url: Option<String>,
    /// Where tokens are asked for, if that is not PagerDuty.
    #[arg(long, value_name = "URL")]
    pub token_url: Option<String>,
    /// The role of members on their teams; `default` leaves it to PagerDuty. Default: responder
    #[arg(long, value_enum, value_name = "ROLE")]
    pub team_role: Option<TeamRoleName>,
    /// Whether PagerDuty is asked to put a stakeholder onto a team, of which its documents say both: with `try` by each
    /// run as long as that is refused. Either way it is left undone, so that `--once` ends with 1. Default: try
    #[arg(long, value_enum, value_name = "WHAT")]
    pub stakeholders: Option<Stakeholders>,
    /// The role on the team of who has a fixed account role, such as an admin, where it gives neither more nor less.
    /// Default: leave
    #[arg(long, value_enum, value_name = "WHAT")]
    pub fixed_roles: Option<FixedRoles>,
    /// What becomes of the team of a group that is gone. Default: keep
    #[arg(long, value_enum, value_name = "WHAT")]
    pub deletion: Option<Deletion>,
    /// The team that gets the incidents of teams that are deleted, by its id.
    #[arg(long, value_name = "ID")]
    pub reassignment_team: Option<String>,
    /// The description of teams that are created; `{tenant_id}` is the tenant's name.
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Whether a team of the group's name that is there already becomes the group's. Default: adopt
    #[arg(long, value_enum, value_name = "WHAT")]
    pub adoption: Option<Adoption>,
    /// Whether members whom somebody else added count as added by the bridge. Default: keep
    #[arg(long, value_enum, value_name = "WHAT")]
    pub found_members: Option<FoundMembers>,
    /// Whose PagerDuty user is looked up by e-mail address in each run. Default: new
    #[arg(long, value_enum, value_name = "WHOSE")]
    pub look_up: Option<LookUp>,
    /// After how many seconds a run looks up everybody all the same, since an address can become another user's.
    /// Default: 86400, a day.
    #[arg(long, value_name = "SECONDS")]
    pub look_up_every: Option<u64>,
    /// How often a role that PagerDuty took and does not show yet is waited for. Default: 5
    #[arg(long, value_name = "N")]
    pub polls: Option<u32>,
    /// For how many seconds a request that adds a member or sets a role can have its effect late: whoever is back on a
    /// team within that time, with the role of such a request, is taken off again. 0 forgets requests at once.
    /// Default: 600
    #[arg(long, value_name = "SECONDS")]
    pub late: Option<u32>,
    /// How often a request is sent before it is given up for the run, counting the first. Default: 6
    #[arg(long, value_name = "N")]
    pub max_attempts: Option<NonZeroU32>,
}

/// What is done with a stakeholder of a group.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Stakeholders {
    /// PagerDuty is asked in each run, and what it refuses is reported
    Try,
    /// PagerDuty is not asked, and that is reported
    Skip,
}

/// What is done with the role on a team of who has a fixed account role.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum FixedRoles {
    /// It is what PagerDuty makes it
    Leave,
    /// It is set as everybody's is
    Set,
}

/// What is done with a team of the group's name that is there already.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Adoption {
    /// It becomes the group's, with those who are on it
    Adopt,
    /// It is left alone and reported
    Refuse,
}

/// What is done with someone of the group who is on the team already.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum FoundMembers {
    /// They stay as they are, also when they leave the group
    Keep,
    /// Their role is corrected, and they are removed when they leave the group
    Adopt,
}

/// Whose PagerDuty user is looked up in each run.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LookUp {
    /// Of whom something is to be changed, or has changed
    New,
    /// Everybody's
    Always,
}

/// A role on a team, or none in particular.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum TeamRoleName {
    /// Manages the team too
    Manager,
    /// Works on incidents
    Responder,
    /// Looks on
    Observer,
    /// As PagerDuty decides by the account role
    Default,
}

/// What becomes of the team of a group that is gone.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Deletion {
    /// It stays as it is
    Keep,
    /// Those whom the bridge added are removed
    Empty,
    /// It is deleted, if the bridge made it and nobody else is on it; otherwise it is emptied
    Delete,
}

/// As whom the account is used. Not `Debug`: it is secret.
pub(super) enum Credential {
    ApiKey(String),
    App { client_id: String, secret: String, subdomain: String },
}

impl Credential {
    /// Whether `other` gives access to the same account in the same way.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::ApiKey(one), Self::ApiKey(other)) => one == other,
            (
                Self::App { client_id: one, subdomain: here, .. },
                Self::App { client_id: other, subdomain: there, .. },
            ) => one == other && here.eq_ignore_ascii_case(there),
            _ => false,
        }
    }

    fn auth(&self) -> Auth {
        match self {
            Self::ApiKey(key) => Auth::ApiKey(Secret::new(key.as_str())),
            Self::App { client_id, secret, subdomain } => Auth::OAuth(OAuthClient {
                client_id: client_id.clone(),
                client_secret: Secret::new(secret.as_str()),
                subdomain: subdomain.clone(),
            }),
        }
    }
}

impl PagerDutyAccount {
    /// Refuses what a file of several tenants may not say of an account. Each names a credential of its own, since the
    /// defaults would be those of every tenant, and contradicts itself no more than the command line may.
    pub(super) fn check_own(&self) -> anyhow::Result<()> {
        let key = one_of([
            ("api_key_env", self.api_key_env.is_some()),
            ("api_key_file", self.api_key_file.is_some()),
        ])?;
        let secret = one_of([
            ("client_secret_env", self.client_secret_env.is_some()),
            ("client_secret_file", self.client_secret_file.is_some()),
        ])?;
        let subdomain = self.subdomain.as_ref().map(|_| "subdomain");
        match (&self.client_id, key) {
            (Some(_), Some(key)) => {
                bail!("`client_id` and `{key}` are two credentials, of which one is to be chosen")
            }
            (Some(_), None) => {
                ensure!(secret.is_some(), "`client_id` needs `client_secret_env` or `client_secret_file`");
                ensure!(subdomain.is_some(), "`client_id` needs `subdomain`");
            }
            (None, key) => {
                if let Some(name) = secret.or(subdomain) {
                    bail!("`{name}` is for an app, and there is no `client_id`");
                }
                ensure!(key.is_some(), "there is no `api_key_env`, `api_key_file` or `client_id`");
            }
        }
        Ok(())
    }

    /// What the planner is told for `tenant`. `pause` is the first one after a failure.
    pub(super) fn config(
        &self,
        credential: &Credential,
        tenant: &str,
        mode: Mode,
        pause: Duration,
    ) -> anyhow::Result<TeamConfig> {
        let region = self.region.as_deref().unwrap_or("us");
        let region = Region::by_name(region)
            .with_context(|| format!("`{}` is no region: `us` or `eu`", region.escape_debug()))?;
        let mut config = TeamConfig::new(region, credential.auth(), tenant)?;
        if let Some(url) = &self.api_url {
            config = config.with_api_url(parse_url(url)?)?;
        }
        if let Some(url) = &self.token_url {
            config = config.with_token_url(parse_url(url)?)?;
        }
        if let Some(description) = &self.description {
            config = config.with_description(description)?;
        }
        let mut options = TeamOptions::default();
        options.mode = mode;
        options.role = match self.team_role.unwrap_or(TeamRoleName::Responder) {
            TeamRoleName::Manager => Some(TeamRole::Manager),
            TeamRoleName::Responder => Some(TeamRole::Responder),
            TeamRoleName::Observer => Some(TeamRole::Observer),
            TeamRoleName::Default => None,
        };
        options.stakeholders = match self.stakeholders.unwrap_or(Stakeholders::Try) {
            Stakeholders::Try => teams::Stakeholders::Try,
            Stakeholders::Skip => teams::Stakeholders::Skip,
        };
        options.fixed_roles = match self.fixed_roles.unwrap_or(FixedRoles::Leave) {
            FixedRoles::Leave => teams::FixedRoles::Leave,
            FixedRoles::Set => teams::FixedRoles::Set,
        };
        options.deletion = match self.deletion.unwrap_or(Deletion::Keep) {
            Deletion::Keep => teams::Deletion::Keep,
            Deletion::Empty => teams::Deletion::Empty,
            Deletion::Delete => teams::Deletion::Delete,
        };
        let is_deleting = options.deletion == teams::Deletion::Delete;
        ensure!(
            is_deleting || self.reassignment_team.is_none(),
            "a reassignment team gets the incidents of teams that are deleted, and the deletion is not `delete`"
        );
        options.reassignment_team.clone_from(&self.reassignment_team);
        options.adoption = match self.adoption.unwrap_or(Adoption::Adopt) {
            Adoption::Adopt => teams::Adoption::Adopt,
            Adoption::Refuse => teams::Adoption::Refuse,
        };
        options.found_members = match self.found_members.unwrap_or(FoundMembers::Keep) {
            FoundMembers::Keep => teams::FoundMembers::Keep,
            FoundMembers::Adopt => teams::FoundMembers::Adopt,
        };
        options.look_up = match self.look_up.unwrap_or(LookUp::New) {
            LookUp::New => teams::LookUp::New,
            LookUp::Always => teams::LookUp::Always,
        };
        options.polls = self.polls.unwrap_or(options.polls);
        options.late = self.late.map_or(options.late, |seconds| Duration::from_secs(seconds.into()));
        options.max_attempts = self.max_attempts.map_or(options.max_attempts, NonZeroU32::get);
        options.backoff = pause;
        options.max_backoff = options.max_backoff.min(pause.saturating_mul(64));
        options.poll_pause = options.poll_pause.min(pause.saturating_mul(2));
        Ok(config.with_options(options))
    }

    /// After how long a run looks up everybody.
    pub(super) fn look_up_every(&self) -> SignedDuration {
        let seconds = self.look_up_every.unwrap_or(86_400);
        SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    /// The credential, from where it is.
    pub(super) fn credential(&self) -> anyhow::Result<Credential> {
        let Some(client_id) = &self.client_id else {
            let key = secret("API key", &self.api_key_env, "PAGERDUTY_API_KEY", &self.api_key_file)?;
            return Ok(Credential::ApiKey(key));
        };
        let file = &self.client_secret_file;
        let secret = secret("secret of the app", &self.client_secret_env, "PAGERDUTY_CLIENT_SECRET", file)?;
        let subdomain = self.subdomain.clone().context("an app needs the account's `subdomain`")?;
        Ok(Credential::App { client_id: client_id.clone(), secret, subdomain })
    }
}

/// The name of the one that is given, if any is.
fn one_of(given: [(&'static str, bool); 2]) -> anyhow::Result<Option<&'static str>> {
    Ok(match given {
        [(one, true), (other, true)] => bail!("`{one}` and `{other}` are both given, and one is needed"),
        [(one, true), _] | [_, (one, true)] => Some(one),
        _ => None,
    })
}

fn parse_url(text: &str) -> anyhow::Result<Url> {
    // Not repeated: a URL may hold a password.
    Url::parse(text).context("an API or token URL is none")
}

/// A secret from a file or the environment, without the end of its line. `what` it is, is said where it is missing.
pub(super) fn secret(
    what: &str,
    variable: &Option<String>,
    default: &str,
    file: &Option<PathBuf>,
) -> anyhow::Result<String> {
    let text = match (file, variable) {
        (Some(_), Some(_)) => bail!("the {what} is said to be both in a file and in the environment"),
        (Some(file), None) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the {what} from `{}`", file.display()))?,
        (None, variable) => {
            let name = variable.as_deref().unwrap_or(default);
            // The error of the standard library shows what is there.
            let value = std::env::var(name).ok();
            value.with_context(|| match is_usual(name) {
                true => format!("there is no {what}: set {name}, or name a file that has it"),
                // It may be the secret itself.
                false => format!("there is no {what}: what is given as the name of its variable is not set"),
            })?
        }
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Whether `name` is as names of environment variables are.
fn is_usual(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}
