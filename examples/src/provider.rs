//! The `provider` program: a SCIM service provider that behaves like a vendor's, over SQLite or
//! PostgreSQL.

use std::ffi::OsStr;
use std::fmt;
use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, ensure};
use axum::Router;
use axum::routing::get;
use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use http::{StatusCode, header};
use scim_core::audit::Audit;
use scim_core::auth::{Principal, Secret, StaticTokens, Subject};
use scim_core::pagination::{CursorKey, Cursors};
use scim_core::policy::Policy;
use scim_core::service::PatchResponse;
use scim_core::{Config, CredentialId, Environment, MemoryStore, Service, Store, TenantId, openapi};
use scim_profiles::datadog::{self, Datadog};
use scim_profiles::guard::{GuardedStore, Guards, MemoryLedger};
use scim_profiles::incident_io::{self, AccessStore, RoleMapping};
use scim_profiles::pagerduty::{self, AccountStore, PagerDuty};
use scim_profiles::{ErrorBody, Profile};
use tokio::net::TcpListener;
use url::Url;

use crate::SqlStore;
use crate::audit::{AuditOptions, Command};
use crate::datadog::DatadogOrganisation;
use crate::finish::Finish;
use crate::guard::{GuardOptions, Ledger};
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

/// Takes what a header can carry as one word, and does not repeat what it refuses: that is a secret
/// all the same.
#[derive(Clone)]
struct TokenParser;

impl TypedValueParser for TokenParser {
    type Value = Secret;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Secret, clap::Error> {
        let text = value.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
        text.and_then(|text| Secret::new(text).ok()).ok_or_else(|| {
            let reason = "the token (`--token` or SCIM_TOKEN) is not one or more visible ASCII characters, \
                          without spaces\n";
            clap::Error::raw(clap::error::ErrorKind::ValueValidation, reason).with_cmd(command)
        })
    }
}

/// Takes what is long enough, and does not repeat what it refuses either.
#[derive(Clone)]
struct CursorKeyParser;

impl TypedValueParser for CursorKeyParser {
    type Value = CursorKey;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<CursorKey, clap::Error> {
        let text = value.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
        text.and_then(|text| CursorKey::new(text).ok()).ok_or_else(|| {
            let reason = "the cursor key (`--cursor-key` or SCIM_CURSOR_KEY) is not 32 or more visible ASCII \
                          characters\n";
            clap::Error::raw(clap::error::ErrorKind::ValueValidation, reason).with_cmd(command)
        })
    }
}

/// The URL of a database, which may hold a password: its `Debug` form is where the database is.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A file, or `:memory:`.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database.
    Postgres(Url),
}

impl DatabaseUrl {
    fn parse(text: &str) -> Option<Self> {
        if let Some(file) = text.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            return (!file.is_empty()).then(|| Self::Sqlite(file.into()));
        }
        let url = Url::parse(text).ok()?;
        matches!(url.scheme(), "postgres" | "postgresql").then_some(Self::Postgres(url))
    }

    /// Whether other processes reach it, now and later.
    fn is_kept(&self) -> bool {
        !matches!(self, Self::Sqlite(file) if file.as_os_str() == ":memory:")
    }

    pub(crate) async fn open(&self) -> anyhow::Result<SqlStore> {
        match self {
            Self::Sqlite(file) if file.as_os_str() == ":memory:" => SqlStore::in_memory().await,
            Self::Sqlite(file) => SqlStore::open(file).await,
            Self::Postgres(url) => SqlStore::connect(url.as_str()).await,
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the database is, without credentials.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) if file.as_os_str() == ":memory:" => {
                f.write_str("in memory, gone when this ends")
            }
            Self::Sqlite(file) => write!(f, "{}, kept when this ends", file.display()),
            Self::Postgres(url) => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                let (host, name) =
                    (url.host_str().unwrap_or("localhost"), url.path().trim_start_matches('/'));
                write!(f, "`{name}` of PostgreSQL at {host}{port}")
            }
        }
    }
}

/// Does not repeat what it refuses: it may hold a password.
#[derive(Clone)]
struct DatabaseUrlParser;

impl TypedValueParser for DatabaseUrlParser {
    type Value = DatabaseUrl;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<DatabaseUrl, clap::Error> {
        value.to_str().and_then(DatabaseUrl::parse).ok_or_else(|| {
            let reason = "the database URL (`--database-url` or DATABASE_URL) is neither \
                          `postgres://USER:PASSWORD@HOST/NAME` nor `sqlite:FILE`\n";
            clap::Error::raw(clap::error::ErrorKind::ValueValidation, reason).with_cmd(command)
        })
    }
}

/// Takes a URL that paths can be put behind.
pub(crate) fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if matches!(url.scheme(), "http" | "https") && bare && url.password().is_none() {
        Ok(url)
    } else {
        Err("a base URL is an HTTP URL without credentials, query and fragment".to_owned())
    }
}

/// The whole program: starts, prints how to reach it, answers until Ctrl-C or SIGTERM.
///
/// # Errors
///
/// The address, the database or a file of resource types cannot be used.
pub async fn run(options: Options) -> anyhow::Result<()> {
    crate::log::init()?;
    if let Some(command) = options.command {
        let database = database_of(options.profile, options.database, options.database_url);
        return match command {
            Command::Audit(wanted) => wanted.print(&database).await,
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

/// A provider that listens but does not answer yet.
pub struct Provider {
    listener: TcpListener,
    router: Router,
    finish: Finish,
    base_url: Url,
    // `None` where everything is in the memory of this process.
    database: Option<(DatabaseUrl, SqlStore)>,
    profile: &'static Profile,
    // To be shown; `None` when the user chose it and need not be told.
    made_token: Option<Secret>,
}

impl Provider {
    /// Reads the resource types, opens the database and listens.
    ///
    /// # Errors
    ///
    /// The address, the database or a file of resource types cannot be used.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let Options {
            command: _,
            profile,
            listen,
            database,
            database_url,
            adopt_database,
            memory_store,
            token,
            me,
            cursor_key,
            base_url,
            resource_type: resource_types,
            schema: schemas,
            mapping,
            max_results,
            patch_response,
            audit,
            duplicate_status,
            guard,
            pagerduty: account,
            datadog: organisation,
        } = options;
        let is_pagerduty = profile.name == pagerduty::PROFILE.name;
        let is_datadog = profile.name == datadog::PROFILE.name;
        account.check(is_pagerduty)?;
        ensure!(
            is_pagerduty || is_datadog || duplicate_status.is_none(),
            "`--duplicate-status` needs `--profile {}` or `--profile {}`",
            pagerduty::PROFILE.name,
            datadog::PROFILE.name
        );
        ensure!(
            is_datadog || organisation.is_default(),
            "`--roles`, `--teams`, `--deactivation` and `--locations` need `--profile {}`",
            datadog::PROFILE.name
        );
        let duplicate_status = duplicate_status.map(|status| match status.as_str() {
            "409" => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        });
        let datadog = if is_datadog { Some(organisation.policy(duplicate_status)?) } else { None };
        let added = !resource_types.is_empty() || !schemas.is_empty();
        let is_incident_io = profile.name == incident_io::PROFILE.name;
        ensure!(
            !added || !is_pagerduty && !is_incident_io && !is_datadog,
            "`--resource-type` and `--schema` need `--profile generic`"
        );
        ensure!(
            is_incident_io || mapping.is_none(),
            "`--mapping` needs `--profile {}`",
            incident_io::PROFILE.name
        );
        let mapping = match mapping {
            Some(file) => Some(crate::incident_io::mapping(&file)?),
            None => is_incident_io.then(RoleMapping::new),
        };
        let registry = crate::registry_with(profile.registry(), &resource_types, &schemas)?;
        // The address first: where that fails, no database has been made.
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            anyhow!("cannot listen on {listen}: {error}; `--listen 127.0.0.1:0` takes a free port")
        })?;
        let url = database_of(profile, database, database_url);
        let guards = guard.guards(profile, mapping.as_ref(), !memory_store && url.is_kept())?;
        // What cannot be recorded shall not be served either.
        let trail = audit.trail()?;
        let database = match memory_store {
            true => None,
            false => {
                let store = url.open().await?;
                store.serve_as(profile.name, &registry, adopt_database).await?;
                Some((url, if audit.no_audit { store } else { store.with_audit() }))
            }
        };
        let base_url = match base_url {
            Some(url) => url,
            None => reachable(listener.local_addr()?, profile)?,
        };
        let (token, made_token) = match token {
            Some(token) => (token, None),
            None => {
                let token = random_token()?;
                (token.clone(), Some(token))
            }
        };
        let pagerduty = if is_pagerduty { Some(account.open(duplicate_status)?) } else { None };
        let policy: Arc<dyn Policy> = match (&datadog, &pagerduty) {
            (Some(policy), _) => Arc::new(policy.clone()),
            (None, Some(pagerduty)) => Arc::new(pagerduty.clone()),
            (None, None) => profile.policy(),
        };
        let environment =
            Environment::new(jiff::Timestamp::now, || profile.new_id(uuid::Uuid::new_v4().into_bytes()));
        let mut config = match &datadog {
            Some(policy) => datadog::config(base_url.clone(), policy.options()),
            None => profile.config(base_url.clone()),
        };
        if added {
            config.registry = registry;
        }
        if !is_pagerduty && !is_datadog {
            config.cursors = Some(Cursors::new(cursor_key.map_or_else(random_cursor_key, Ok)?));
        }
        if let Some(most) = max_results {
            config.capabilities.max_results = most;
        }
        match patch_response.as_deref() {
            None => {}
            Some("204") => config.patch_response = PatchResponse::NoContent,
            Some(_) => config.patch_response = PatchResponse::Resource,
        }
        let tokens = authenticator(profile, token, me);
        let (running, finish) = Finish::new();
        let ledger = match &database {
            Some((_, store)) => Ledger::Sql(store.clone()),
            None => Ledger::Memory(MemoryLedger::new()),
        };
        let parts = (tokens, config, environment, policy, trail, (guards, ledger), profile.errors.body);
        let own = match (mapping, datadog, pagerduty) {
            (Some(mapping), ..) => Own::Access(mapping),
            (None, Some(policy), _) => Own::Teams(policy, organisation.existing_team),
            (None, None, Some(pagerduty)) => Own::Account(pagerduty, account.owner),
            (None, None, None) => Own::Nothing,
        };
        let router = match &database {
            Some((_, store)) => mounted_with(store.clone(), own, parts).await?,
            None => mounted_with(MemoryStore::new(), own, parts).await?,
        };
        let router = router.layer(axum::middleware::from_fn_with_state(running, crate::finish::requests));
        Ok(Self { listener, router, finish, base_url, database, profile, made_token })
    }

    /// The URL of the service, such as `http://127.0.0.1:8080/scim/v2`.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// Answers requests until `stop` completes, finishes those under way and closes the database.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        crate::serve(self.listener, self.router, stop).await;
        self.finish.wait(FINISH_TIMEOUT).await;
        if let Some((_, store)) = self.database {
            store.close().await;
        }
    }
}

/// What a user needs to know to begin: URL, token, database, and a command to try.
impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.made_token.as_ref().map(Secret::expose);
        let base_url = self.base_url.as_str().trim_end_matches('/');
        writeln!(f, "SCIM 2.0 service provider, profile {}", self.profile.name)?;
        writeln!(f)?;
        writeln!(f, "  base URL   {base_url}")?;
        writeln!(f, "  token      {}", token.unwrap_or("as given, in SCIM_TOKEN for the command below"))?;
        match &self.database {
            Some((database, _)) => writeln!(f, "  database   {database}")?,
            None => writeln!(f, "  database   none: all is in memory, gone when this ends")?,
        }
        writeln!(f)?;
        writeln!(f, "Try:")?;
        let authorization = format!("Authorization: Bearer {}", token.unwrap_or("$SCIM_TOKEN"));
        writeln!(f, "  curl -H \"{authorization}\" {base_url}/Users")?;
        writeln!(f)?;
        write!(f, "Ctrl-C stops it.")
    }
}

/// What the audit trail calls the token.
const CREDENTIAL: &str = "token";
/// The tenant of everything that is served.
pub(crate) const TENANT: &str = "local";

/// What a service is made of besides its store.
type Parts = (StaticTokens, Config, Environment, Arc<dyn Policy>, Option<Audit>, (Guards, Ledger), ErrorBody);

/// The service over `store`, with its description, guarded and logged.
fn mounted<S: Store>(store: S, parts: Parts) -> Router {
    let (tokens, config, environment, policy, trail, (guards, ledger), errors) = parts;
    let store = GuardedStore::new(store, guards, ledger, Arc::clone(&environment.now));
    let me = tokens.subject_of(&CredentialId::new(CREDENTIAL));
    let mut service = Service::new(store, tokens, config, environment).with_policy(policy);
    if let Some(trail) = trail {
        service = service.with_audit(trail);
    }
    let mut document = match me {
        Subject::NotOffered => openapi::document(service.config()),
        _ => openapi::document_with_me(service.config(), "User"),
    };
    if errors == ErrorBody::Errors {
        say_errors(&mut document);
    }
    let described = describe(&document);
    described.merge(crate::router(service)).layer(axum::middleware::from_fn(crate::log::requests))
}

/// Makes the errors of a description those of [`ErrorBody::Errors`].
fn say_errors(document: &mut serde_json::Value) {
    if let Some(error) = document.pointer_mut("/components/schemas/Error") {
        *error = serde_json::json!({
            "type": "object",
            "required": ["errors"],
            "properties": { "errors": { "type": "array", "items": { "type": "string" }, "minItems": 1 } },
            "additionalProperties": false,
        });
    }
}

/// `/openapi.json`, to everyone: it says what discovery says, of no tenant and of no resource.
fn describe(document: &serde_json::Value) -> Router {
    let text = bytes::Bytes::from(document.to_string());
    let answer = move || async move { ([(header::CONTENT_TYPE, "application/json")], text) };
    Router::new().route("/openapi.json", get(answer))
}

/// What a vendor's store does besides keeping resources.
enum Own {
    Nothing,
    /// Groups give what the mapping says, also to the users there are.
    Access(RoleMapping),
    /// Groups manage teams, and there are teams of these names.
    Teams(Datadog, Vec<String>),
    /// Users have licences, and one of them is the owner.
    Account(PagerDuty, Option<String>),
}

/// The same over a store that does what the vendor's does.
async fn mounted_with<S: Store>(store: S, own: Own, parts: Parts) -> anyhow::Result<Router> {
    let (tenant, now) = (TenantId::new(TENANT), Arc::clone(&parts.2.now));
    Ok(match own {
        Own::Nothing => mounted(store, parts),
        Own::Access(mapping) => {
            let store = AccessStore::new(store, mapping, now);
            store.synchronise(&tenant).await?;
            mounted(store, parts)
        }
        Own::Teams(policy, existing) => {
            mounted(crate::datadog::store(store, &policy, &existing, now, &tenant).await?, parts)
        }
        Own::Account(pagerduty, owner) => {
            let store = AccountStore::new(store, pagerduty);
            if let Some(owner) = owner {
                crate::pagerduty::install_owner(&store, &tenant, &parts.2, &owner).await?;
            }
            mounted(store, parts)
        }
    })
}

/// The database that the options name, or the profile's own.
fn database_of(profile: &Profile, file: Option<PathBuf>, url: Option<DatabaseUrl>) -> DatabaseUrl {
    let own = || format!("scim-provider-{}.db", profile.name).into();
    match (file, url) {
        (None, Some(url)) => url,
        (file, _) => DatabaseUrl::Sqlite(file.unwrap_or_else(own)),
    }
}

/// `token`, which stands for the user `me`, in every spelling of the Authorization header that the
/// profile accepts.
fn authenticator(profile: &Profile, token: Secret, me: Option<String>) -> StaticTokens {
    let credential = CredentialId::new(CREDENTIAL);
    let principal = Principal { tenant: TenantId::new(TENANT), credential: credential.clone() };
    let mut tokens = StaticTokens::new().with(token, principal);
    if let Some(name) = me {
        tokens = tokens.with_subject(credential, Subject::user_name(name));
    }
    if profile.authorization.iter().any(|row| row.prefix.ends_with("token=")) {
        tokens.with_token_parameter()
    } else {
        tokens
    }
}

/// The base URL of a server on `address`, below the path that the vendor has, if one is known.
pub(crate) fn reachable(address: SocketAddr, profile: &Profile) -> anyhow::Result<Url> {
    let host = match address {
        // Listening on every address, the machine itself reaches it by this one.
        address if address.ip().is_unspecified() => format!("127.0.0.1:{}", address.port()),
        address => address.to_string(),
    };
    let vendors = profile.base_urls.first().map(|row| Url::parse(row.url)).transpose()?;
    let path = vendors.as_ref().map_or("/scim/v2", Url::path);
    Ok(Url::parse(&format!("http://{host}{path}"))?)
}

/// A token with 244 random bits.
pub(crate) fn random_token() -> anyhow::Result<Secret> {
    Ok(Secret::new(format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()))?)
}

/// A key with 244 random bits.
pub(crate) fn random_cursor_key() -> anyhow::Result<CursorKey> {
    Ok(CursorKey::new([uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()].concat())?)
}

/// How long requests may take when the server stops whose clients are gone.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);
