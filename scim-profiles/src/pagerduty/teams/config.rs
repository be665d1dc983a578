//! What the bridge is told: where, as whom, and what to do where the documents leave it open.

use std::fmt;
use std::time::Duration;

use scim_core::TenantId;
use url::{Host, Url};

use super::secret::Secret;
use crate::guard::Guards;
use crate::pagerduty::TeamRole;

/// A service region of PagerDuty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// `us`
    Us,
    /// `eu`
    Eu,
}

impl Region {
    /// Every region.
    pub const ALL: [Self; 2] = [Self::Us, Self::Eu];

    /// The word for it in the scope `as_account-{region}.{subdomain}`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
        }
    }

    /// The region called `name`.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.as_str() == name)
    }

    /// Where PagerDuty serves its REST API; [`BASE_URLS`](super::BASE_URLS) has the sources.
    pub const fn api_url(self) -> &'static str {
        match self {
            Self::Us => "https://api.pagerduty.com",
            Self::Eu => "https://api.eu.pagerduty.com",
        }
    }
}

/// As whom the bridge calls PagerDuty.
#[derive(Clone, Debug)]
pub enum Auth {
    /// By an API access key: `Authorization: Token token=…`.
    ApiKey(Secret),
    /// By tokens of a Scoped OAuth application: `Authorization: Bearer …`.
    OAuth(OAuthClient),
}

/// A Scoped OAuth application, which has the grant `client_credentials`.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    /// The client ID.
    pub client_id: String,
    /// The client secret.
    pub client_secret: Secret,
    /// The account's subdomain: `acme` if its URL is `acme.pagerduty.com`.
    pub subdomain: String,
}

/// The scopes the bridge needs beside the account's.
pub const SCOPES: [&str; 3] = ["teams.read", "teams.write", "users.read"];

impl OAuthClient {
    /// The scopes that are asked for: the account's, then [`SCOPES`].
    pub(super) fn scopes(&self, region: Region) -> Vec<String> {
        let account = format!("as_account-{}.{}", region.as_str(), self.subdomain);
        std::iter::once(account).chain(SCOPES.map(str::to_owned)).collect()
    }
}

/// Where a token is asked for, in both regions.
pub const TOKEN_URL: &str = "https://identity.pagerduty.com/oauth/token";

/// The description of teams that are created, unless one says otherwise.
pub const DESCRIPTION: &str = "Created via Scimify for tenant {tenant_id}";

/// The longest description of a team, in characters.
pub const MAX_DESCRIPTION: usize = 1024;

/// The longest name of a team, in characters.
pub const MAX_NAME: usize = 100;

/// What is done with a team that is called as a group is, and that the bridge did not make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Adoption {
    /// It becomes the group's. Who is on it stays on it with their role, its description stays, and it
    /// is never deleted.
    #[default]
    Adopt,
    /// It is left alone and reported.
    Refuse,
}

/// What is done with someone in the group who is on the team already, and whom the bridge did not add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FoundMembers {
    /// They stay, with the role they have, also when they leave the group.
    #[default]
    Keep,
    /// They are from now on as if the bridge had added them: their role is corrected, and they are
    /// removed when they leave the group.
    Adopt,
}

/// What is done with a stakeholder of a group who is not on its team.
///
/// The API's description answers 400 for one; "Advanced Permissions" says that stakeholders are observers on teams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stakeholders {
    /// PagerDuty is asked in each run, and what it refuses is reported.
    #[default]
    Try,
    /// PagerDuty is not asked, and that is reported.
    Skip,
}

/// What is done with the role on the team of who has a [fixed](crate::pagerduty::RoleKind::Fixed) account role.
///
/// "Advanced Permissions" says that a role on a team gives them neither more nor less, and not what PagerDuty makes of
/// a request for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FixedRoles {
    /// It is what PagerDuty makes it.
    #[default]
    Leave,
    /// It is set as everybody's is.
    Set,
}

/// What becomes of a team when its group is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Deletion {
    /// It stays as it is, and is no concern of the bridge any more.
    #[default]
    Keep,
    /// Those whom the bridge added are removed; the team stays.
    Empty,
    /// It is deleted, if the bridge created it and nobody is on it but those whom the bridge added.
    /// Otherwise, or where PagerDuty refuses since something belongs to it, it is emptied.
    Delete,
}

/// When the PagerDuty user of a member is looked up by e-mail address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LookUp {
    /// Not for someone whom the bridge added under the same e-mail address, and who is on the team with
    /// the role that is wanted. Before somebody is removed whom it remembers, their address is read: it may
    /// be that of another member by now. That an address has become another user's is noticed by a run that
    /// looks [always](Self::Always): make one from time to time.
    #[default]
    New,
    /// For everybody, in each run.
    Always,
}

/// Whether a run changes anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It does.
    #[default]
    Apply,
    /// It only reads, and its [`Report`](super::Report) says what it would write.
    DryRun,
}

/// What is left open by PagerDuty's and Scimify's documents, or left to an account.
///
/// ```
/// use scim_profiles::pagerduty::TeamRole;
/// use scim_profiles::pagerduty::teams::{Adoption, Deletion, TeamOptions};
/// let mut options = TeamOptions::default();
/// assert_eq!(options.role, Some(TeamRole::Responder));
/// assert_eq!((options.adoption, options.deletion), (Adoption::Adopt, Deletion::Keep));
/// options.deletion = Deletion::Empty;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TeamOptions {
    /// Whether anything is changed.
    pub mode: Mode,
    /// The role on the team of whom neither group nor member gives one; `None` leaves it to PagerDuty,
    /// and never corrects it. A responder by default: who works on incidents and changes no team.
    pub role: Option<TeamRole>,
    /// What is done with stakeholders who are not on the team.
    pub stakeholders: Stakeholders,
    /// What is done with the role on the team of who has a fixed account role.
    pub fixed_roles: FixedRoles,
    /// What is done with a team of the group's name that there is already.
    pub adoption: Adoption,
    /// What is done with members whom somebody else added.
    pub found_members: FoundMembers,
    /// What becomes of the team of a group that is gone.
    pub deletion: Deletion,
    /// The team that gets the unresolved incidents of teams that are deleted, which otherwise belong to
    /// no team.
    pub reassignment_team: Option<String>,
    /// When users are looked up.
    pub look_up: LookUp,
    /// How often a request is sent before it is given up for this run, counting the first.
    pub max_attempts: u32,
    /// The pause after a first failure, which doubles with each further one. Half of a pause is random.
    pub backoff: Duration,
    /// The longest such pause.
    pub max_backoff: Duration,
    /// How often members are read again, since a role can show late.
    pub polls: u32,
    /// The pause before each of these.
    pub poll_pause: Duration,
    /// For how long a request that puts somebody onto a team, or gives them another role, can have its
    /// effect late. It needs the [time](super::TeamSync::at).
    pub late: Duration,
    /// The longest answer that is read, in bytes.
    pub max_body_bytes: usize,
}

impl Default for TeamOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Apply,
            role: Some(TeamRole::Responder),
            stakeholders: Stakeholders::Try,
            fixed_roles: FixedRoles::Leave,
            adoption: Adoption::Adopt,
            found_members: FoundMembers::Keep,
            deletion: Deletion::Keep,
            reassignment_team: None,
            look_up: LookUp::New,
            max_attempts: 6,
            backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(60),
            polls: 5,
            poll_pause: Duration::from_secs(2),
            late: Duration::from_secs(600),
            max_body_bytes: 4 * 1024 * 1024,
        }
    }
}

/// What a [`TeamSync`](super::TeamSync) is told once.
///
/// ```
/// use scim_profiles::pagerduty::teams::{Auth, ConfigError, Region, Secret, TeamConfig};
///
/// let auth = Auth::ApiKey(Secret::new("u+abcdefgh"));
/// let config = TeamConfig::new(Region::Eu, auth, "t-123")?;
/// assert_eq!(config.api_url().as_str(), "https://api.eu.pagerduty.com/");
/// assert_eq!(config.description(), "Created via Scimify for tenant t-123");
///
/// let config = config.with_description("Members come from {tenant_id}")?;
/// assert_eq!(config.description(), "Members come from t-123");
/// let refused = config.with_description("Made for {tenant}").unwrap_err();
/// assert_eq!(refused.to_string(), "the description has the placeholder `{tenant}`, and there is only `{tenant_id}`");
/// # Ok::<(), ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TeamConfig {
    region: Region,
    api_url: Url,
    token_url: Url,
    auth: Auth,
    tenant_id: String,
    description: String,
    guards: Guards,
    /// What is left open.
    pub options: TeamOptions,
}

impl TeamConfig {
    /// The bridge of the tenant `tenant_id` to an account in `region`, with the region's URLs, the
    /// [description](DESCRIPTION) that Scimify documents, and the default options.
    ///
    /// # Errors
    ///
    /// A credential is empty or has characters that none has, such as the spaces around it that copying
    /// left; or the tenant's name makes the description too long.
    pub fn new(region: Region, auth: Auth, tenant_id: &str) -> Result<Self, ConfigError> {
        match &auth {
            Auth::ApiKey(key) if !key.is_plain() => return Err(ConfigError::Credential("API access key")),
            Auth::OAuth(client) if !client.client_secret.is_plain() => {
                return Err(ConfigError::Credential("client secret"));
            }
            Auth::OAuth(client) if !Secret::new(client.client_id.as_str()).is_plain() => {
                return Err(ConfigError::Credential("client ID"));
            }
            Auth::OAuth(client) if !is_label(&client.subdomain) => {
                return Err(ConfigError::Subdomain(client.subdomain.clone()));
            }
            _ => {}
        }
        let url = |text: &str| Url::parse(text).map_err(|_| ConfigError::Url(text.to_owned()));
        Ok(Self {
            region,
            api_url: url(region.api_url())?,
            token_url: url(TOKEN_URL)?,
            auth,
            tenant_id: tenant_id.to_owned(),
            description: expand(DESCRIPTION, tenant_id)?,
            guards: Guards::new(),
            options: TeamOptions::default(),
        })
    }

    /// The same with another REST API: a stand-in.
    ///
    /// # Errors
    ///
    /// The URL is not `https`, unless it is of this machine, or has a query, a fragment or a user.
    pub fn with_api_url(self, url: Url) -> Result<Self, ConfigError> {
        Ok(Self { api_url: checked(url)?, ..self })
    }

    /// The same with tokens from elsewhere.
    ///
    /// # Errors
    ///
    /// As of [`with_api_url`](Self::with_api_url).
    pub fn with_token_url(self, url: Url) -> Result<Self, ConfigError> {
        Ok(Self { token_url: checked(url)?, ..self })
    }

    /// The same with another description of teams that are created, in which `{tenant_id}` stands for
    /// the tenant. An empty one is none.
    ///
    /// # Errors
    ///
    /// It has another placeholder, or a `{` that is not closed; or it is, with the tenant's name, longer
    /// than PagerDuty permits.
    pub fn with_description(self, template: &str) -> Result<Self, ConfigError> {
        Ok(Self { description: expand(template, &self.tenant_id)?, ..self })
    }

    /// The same with other options.
    #[must_use]
    pub fn with_options(self, options: TeamOptions) -> Self {
        Self { options, ..self }
    }

    /// The same behind these guards: their ceilings on member removals, on role downgrades (lower roles on teams) and on
    /// team deletions, and what they protect. A protected user, by `id` or e-mail address or as [a run is
    /// told](super::TeamSync::with_protected_users), is removed from no team, and a team on which the bridge put one is
    /// not deleted: it stays as it is, with everybody. The team of a protected group, by `id` or name, is not renamed, emptied or deleted.
    ///
    /// What is over a ceiling is refused as a whole for each team, removals and lower roles apart, and is in the [`Report`](super::Report)
    /// with how it is lifted. The run asks the ledger by [`Step::Charge`](super::Step::Charge).
    #[must_use]
    pub fn with_guards(self, guards: Guards) -> Self {
        Self { guards, ..self }
    }

    /// The tenant, as the ledger of the guards knows it.
    pub(super) fn tenant(&self) -> TenantId {
        TenantId::new(self.tenant_id.as_str())
    }

    /// The guards.
    pub fn guards(&self) -> &Guards {
        &self.guards
    }

    /// Where the REST API is.
    pub fn api_url(&self) -> &Url {
        &self.api_url
    }

    /// Where tokens are asked for.
    pub fn token_url(&self) -> &Url {
        &self.token_url
    }

    /// The description of teams that are created.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// As whom PagerDuty is called.
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    pub(super) fn region(&self) -> Region {
        self.region
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.options.mode == Mode::DryRun
    }
}

/// Whether `text` can be a label of a host name: a subdomain.
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// `url`, if credentials may be sent there.
fn checked(url: Url) -> Result<Url, ConfigError> {
    let is_this_machine = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if url.scheme() == "https" && is_plain || url.scheme() == "http" && is_this_machine && is_plain {
        return Ok(url);
    }
    // A user in it is a secret, a query may hold one.
    let mut shown = url;
    let _ = shown.set_password(None);
    let _ = shown.set_username("");
    shown.set_query(None);
    shown.set_fragment(None);
    Err(ConfigError::Url(shown.into()))
}

/// `template` with the tenant in place of each `{tenant_id}`; what the tenant's name has in braces stays.
fn expand(template: &str, tenant_id: &str) -> Result<String, ConfigError> {
    let mut expanded = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else { return Err(ConfigError::Unclosed) };
        if name != "tenant_id" {
            return Err(ConfigError::Placeholder(name.to_owned()));
        }
        expanded.push_str(before);
        expanded.push_str(tenant_id);
        rest = behind;
    }
    expanded.push_str(rest);
    match expanded.chars().count() {
        0..=MAX_DESCRIPTION => Ok(expanded),
        characters => Err(ConfigError::DescriptionTooLong(characters)),
    }
}

/// Why a bridge cannot be configured so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// This credential is empty, or has a space or another character that none has.
    Credential(&'static str),
    /// This is no subdomain.
    Subdomain(String),
    /// Credentials are not sent to this URL.
    Url(String),
    /// The description has this placeholder, which means nothing.
    Placeholder(String),
    /// The description has a `{` without `}`.
    Unclosed,
    /// The description has, with the tenant's name, this many characters.
    DescriptionTooLong(usize),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential(which) => {
                write!(f, "the {which} is empty or has a space or another character that none has")
            }
            Self::Subdomain(name) => {
                write!(f, "`{}` is no subdomain: it is `acme` in `acme.pagerduty.com`", name.escape_debug())
            }
            Self::Url(url) => {
                write!(f, "`{}` is no https URL without user, query and fragment", url.escape_debug())
            }
            Self::Placeholder(name) => write!(
                f,
                "the description has the placeholder `{{{}}}`, and there is only `{{tenant_id}}`",
                name.escape_debug()
            ),
            Self::Unclosed => f.write_str("the description has a `{` that is not closed"),
            Self::DescriptionTooLong(characters) => write!(
                f,
                "the description has {characters} characters, and PagerDuty permits {MAX_DESCRIPTION}"
            ),
        }
    }
}

impl std::error::Error for ConfigError {}
