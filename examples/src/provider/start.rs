//! A provider, from its options to its end.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, ensure};
use axum::Router;
use http::StatusCode;
use scim_core::auth::Secret;
use scim_core::pagination::Cursors;
use scim_core::policy::Policy;
use scim_core::service::PatchResponse;
use scim_core::{Environment, MemoryStore};
use scim_profiles::guard::MemoryLedger;
use scim_profiles::incident_io::{self, RoleMapping};
use scim_profiles::{Profile, datadog, pagerduty};
use tokio::net::TcpListener;
use url::Url;

use super::address::reachable;
use super::database::{DatabaseUrl, database_of};
use super::options::Options;
use super::secrets::{random_cursor_key, random_token};
use super::service::{Own, authenticator, mounted_with};
use crate::SqlStore;
use crate::finish::Finish;
use crate::guard::Ledger;

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

/// How long requests may take when the server stops whose clients are gone.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);
