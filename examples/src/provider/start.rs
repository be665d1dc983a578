//! A provider, from its options to its end.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use scim_core::auth::Secret;
use scim_core::membership::Nesting;
use scim_core::pagination::Cursors;
use scim_core::schema::Registry;
use scim_core::service::PatchResponse;
use scim_core::validate::CanonicalValues;
use scim_core::{Config, Environment, MemoryStore};
use scim_profiles::Profile;
use scim_profiles::guard::MemoryLedger;
use tokio::net::TcpListener;
use url::Url;

use super::address::reachable;
use super::database::DatabaseUrl;
use super::options::Options;
use super::secrets::{random_cursor_key, random_token};
use super::service::{Parts, authenticator, mounted};
use super::vendor::Vendor;
use crate::finish::Finish;
use crate::guard::Ledger;
use crate::{Front, SqlStore, Threads};

/// A provider that listens but does not answer yet.
pub struct Provider {
    listener: TcpListener,
    front: Front,
    finish: Finish,
    base_url: Url,
    // `None` where everything is in the memory of this process.
    database: Option<(DatabaseUrl, SqlStore)>,
    profile: &'static Profile,
    // `None` where requests wait for a database: answers of that, too, wake threads that wait by themselves more often
    // than those that wait together.
    threads: Option<Threads>,
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
        options.check()?;
        let profile = options.profile;
        let vendor = Vendor::of(&options)?;
        let registry = crate::registry_with(profile.registry(), &options.resource_type, &options.schema)?;
        // The address first: where that fails, no database has been made.
        let listen = options.listen;
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            anyhow!("cannot listen on {listen}: {error}; `--listen 127.0.0.1:0` takes a free port")
        })?;
        let url = if options.memory_store { None } else { Some(options.database_url()?) };
        let base_url = match &options.base_url {
            Some(url) => url.clone(),
            None => reachable(listener.local_addr()?, profile)?,
        };
        let config = config(&options, &vendor, base_url.clone(), registry.clone())?;
        let with_roles = |guards| vendor.guards(guards, profile);
        let guards = options.guard.guards(profile, &config.registry, with_roles, url.as_ref(), false)?;
        // What cannot be recorded shall not be served either.
        let trail = options.audit.trail()?;
        let database = match url {
            None => None,
            Some(url) => {
                let store = url.open_within(&options.limits()).await?;
                store.serve_as(profile.name, &registry, options.adopt_database).await?;
                crate::log::lost_claims(&store.lost_claims().await?);
                Some((url, if options.audit.no_audit { store } else { store.with_audit() }))
            }
        };
        let (token, made_token) = match options.token.clone() {
            Some(token) => (token, None),
            None => {
                let token = random_token()?;
                (token.clone(), Some(token))
            }
        };
        let (running, finish) = Finish::new();
        let ledger = match &database {
            Some((_, store)) => Ledger::Sql(store.clone()),
            None => Ledger::Memory(MemoryLedger::new()),
        };
        let parts = Parts {
            tokens: authenticator(profile, token, options.me.clone()),
            config,
            environment: Environment::new(jiff::Timestamp::now, || {
                profile.new_id(uuid::Uuid::new_v4().into_bytes())
            }),
            policy: vendor.policy(&options),
            trail,
            guards,
            ledger,
            errors: profile.errors.body,
            running,
        };
        let front = match &database {
            Some((_, store)) => mounted(store.clone(), vendor, parts).await?,
            None => mounted(MemoryStore::new(), vendor, parts).await?,
        };
        let waits = database.as_ref().is_some_and(|(url, _)| url.is_postgres());
        let threads = (!waits).then(Threads::start).transpose();
        let threads = threads.context("cannot start the threads that answer")?;
        Ok(Self { listener, front, finish, base_url, database, profile, threads, made_token })
    }

    /// The URL of the service, such as `http://127.0.0.1:8080/scim/v2`.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// Answers requests until `stop` completes, finishes those under way and closes the database.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        match &self.threads {
            Some(threads) => threads.serve(self.listener, self.front, stop).await,
            None => crate::serve(self.listener, self.front, stop).await,
        }
        self.finish.wait(FINISH_TIMEOUT).await;
        if let Some((_, store)) = self.database
            && tokio::time::timeout(FINISH_TIMEOUT, store.close()).await.is_err()
        {
            tracing::warn!("stopped before the database had answered");
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

/// What the profile says, and the options otherwise.
fn config(options: &Options, vendor: &Vendor, base_url: Url, registry: Registry) -> anyhow::Result<Config> {
    let mut config = vendor.config(options, base_url);
    if !options.resource_type.is_empty() || !options.schema.is_empty() {
        config.registry = registry;
    }
    if options.has_cursors() {
        let key = options.cursor_key.clone().map_or_else(random_cursor_key, Ok)?;
        config.cursors = Some(Cursors::new(key));
    }
    config.check_members = !options.no_check_members;
    config.nesting = match options.nesting.as_deref() {
        None => config.nesting,
        Some("not-itself") => Nesting::NotItself,
        Some("no-circle") => Nesting::NoCircle,
        Some("none") => Nesting::Flat,
        Some(_) => Nesting::Any,
    };
    if let Some(levels) = options.max_group_levels {
        config.limits.max_group_levels = levels.into();
    }
    if options.canonical_values.as_deref() == Some("only") {
        config.canonical_values = CanonicalValues::Only;
    }
    if let Some(most) = options.max_results {
        config.capabilities.max_results = most as usize;
    }
    match options.patch_response.as_deref() {
        None => {}
        Some("204") => config.patch_response = PatchResponse::NoContent,
        Some(_) => config.patch_response = PatchResponse::Resource,
    }
    Ok(config)
}

/// How long requests may take when the server stops whose clients are gone.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);
