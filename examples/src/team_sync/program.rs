//! From start to end.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use scim_core::TenantId;
use scim_core::auth::Secret;
use scim_profiles::Profile;
use scim_profiles::guard::Guards;
use scim_profiles::pagerduty::teams::{End, Mode, Report, TeamConfig};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::account::Credential;
use super::client::Client;
use super::memory::{Lock, Memory};
use super::run::Bridge;
use super::server;
use super::settings::{Arguments, Tenant};
use super::trail::Trail;
use super::worker::{Changes, Worker, until};
use crate::SqlStore;
use crate::finish::Finish;
use crate::guard::Ledger;
use crate::provider::{DatabaseUrl, random_token, reachable};

/// The whole program. Says whether everything was done that was to be done.
///
/// # Errors
///
/// The address, the database, a file or a credential cannot be used.
pub async fn run(arguments: Arguments) -> anyhow::Result<bool> {
    crate::log::init()?;
    let stopped = until(crate::stop_signal()?);
    let profile = Profile::by_name("generic").context("there is no profile `generic`")?;
    let mode = if arguments.dry_run { Mode::DryRun } else { Mode::Apply };
    let database = DatabaseUrl::Sqlite(std::path::absolute(&arguments.database)?);
    let with_roles = |guards: Guards| guards.with_roles_of(profile);
    let guards = arguments.guard.guards(profile, profile.registry(), with_roles, Some(&database), true)?;
    // Whatever is wrong with a tenant is said before anything is made or changed.
    let mut tenants = Vec::new();
    let mut credentials: Vec<(String, Credential)> = Vec::new();
    for tenant in arguments.tenants()? {
        let shown = tenant.name.escape_debug().to_string();
        let config = tenant.pagerduty.credential().and_then(|credential| {
            let config = tenant.pagerduty.config(&credential, &tenant.name, mode, arguments.retry_pause());
            config.map(|config| (credential, config))
        });
        let (credential, config) = config.with_context(|| format!("tenant `{shown}`"))?;
        if let Some((other, _)) = credentials.iter().find(|(_, other)| other.is(&credential)) {
            bail!("the tenants `{other}` and `{shown}` have the same credential of PagerDuty");
        }
        credentials.push((shown, credential));
        tenants.push((tenant, config));
    }
    let serves = !arguments.once && !arguments.dry_run;
    ensure!(serves || arguments.database.exists(), "there is no database `{}`", arguments.database.display());
    let listener = match serves {
        true => Some(TcpListener::bind(arguments.listen).await.map_err(|error| {
            let listen = arguments.listen;
            anyhow!("cannot listen on {listen}: {error}; `--listen 127.0.0.1:0` takes a free port")
        })?),
        false => None,
    };
    // A dry run changes nothing, and may look on while another process works.
    let _lock = match mode {
        Mode::Apply => Some(Lock::take(&arguments.database)?),
        Mode::DryRun => None,
    };
    let store = SqlStore::open(&arguments.database).await?;
    store.serve_as(profile.name, profile.registry(), false).await?;
    let store = store.with_audit();
    let ledger = Ledger::Sql(store.clone());
    let memory = match mode {
        Mode::Apply => Memory::open(&arguments.database).await?,
        Mode::DryRun => Memory::look(&arguments.database).await?,
    };
    let trail = Trail::open(arguments.audit_log.as_deref())?;
    let bridge = |tenant: &Tenant, config: &TeamConfig| Bridge {
        tenant: TenantId::new(tenant.name.as_str()),
        client: Client::new(
            Duration::from_secs(arguments.timeout),
            config.options.max_body_bytes,
            config.api_url().scheme() == "http",
        ),
        config: config.clone().with_guards(guards.clone()),
        look_up_every: tenant.pagerduty.look_up_every(),
        ledger: ledger.clone(),
        store: store.clone(),
        registry: profile.registry(),
        memory: memory.clone(),
        trail: trail.clone(),
        stopped: stopped.clone(),
    };
    let bridges: Vec<_> = tenants.iter().map(|(tenant, config)| bridge(tenant, config)).collect();
    let outcome = match listener {
        Some(listener) => {
            let tokens = tenants.into_iter().map(|(tenant, _)| tenant).collect();
            let guarded = (guards, ledger.clone());
            serve(&arguments, profile, listener, &store, tokens, bridges, stopped, guarded)
                .await
                .map(|()| true)
        }
        None => once(&arguments, bridges).await,
    };
    memory.close().await;
    store.close().await;
    outcome
}

/// A run for each tenant, printed. Says whether nothing was left undone.
async fn once(arguments: &Arguments, bridges: Vec<Bridge<SqlStore>>) -> anyhow::Result<bool> {
    let mut all_done = true;
    for bridge in bridges {
        let Some(report) = bridge.run().await? else { return Ok(false) };
        all_done &= is_done(&report);
        let text = match (arguments.json, arguments.dry_run) {
            (true, _) => serde_json::to_string_pretty(&report)?,
            (false, true) => format!("{}\n{report}", report.plan),
            (false, false) => report.to_string(),
        };
        // Standard output is for the lines of the audit log, unless they go elsewhere or there are none.
        let _ = if arguments.dry_run || arguments.audit_log.is_some() {
            writeln!(std::io::stdout(), "{text}")
        } else {
            writeln!(std::io::stderr(), "{text}")
        };
    }
    Ok(all_done)
}

fn is_done(report: &Report) -> bool {
    report.end == End::Complete && report.problems().next().is_none()
}

#[expect(clippy::too_many_arguments, reason = "what `run` has made, and nothing else")]
/// Serves SCIM, and takes what changes to PagerDuty, until the process is to end.
async fn serve(
    arguments: &Arguments,
    profile: &'static Profile,
    listener: TcpListener,
    store: &SqlStore,
    tenants: Vec<Tenant>,
    bridges: Vec<Bridge<SqlStore>>,
    mut stopped: watch::Receiver<bool>,
    guarded: (Guards, Ledger),
) -> anyhow::Result<()> {
    let base_url = match &arguments.base_url {
        Some(url) => url.clone(),
        None => reachable(listener.local_addr()?, profile)?,
    };
    let changes = Arc::new(Changes::new(bridges.iter().map(|bridge| bridge.tenant.clone())));
    let mut made: Option<Secret> = None;
    let mut tokens = Vec::new();
    for tenant in tenants {
        let token = match tenant.token {
            Some(token) => token,
            None => made.insert(random_token()?).clone(),
        };
        tokens.push((TenantId::new(tenant.name), token));
    }
    let (running, finish) = Finish::new();
    let front = server::front(
        profile,
        store.clone(),
        base_url.clone(),
        tokens,
        Arc::clone(&changes),
        running,
        guarded,
        arguments.group_names,
    )?;
    let mut workers = JoinSet::new();
    for bridge in bridges {
        let changed = changes.of(&bridge.tenant);
        let (settle, every) = (arguments.settle(), arguments.every());
        workers.spawn(Worker { bridge, changed, settle, every }.work());
    }
    let token = made.as_ref().map_or("as given", Secret::expose);
    // Whoever reads this may stop reading: no reason not to serve.
    let _ = writeln!(
        std::io::stderr(),
        "SCIM groups to PagerDuty teams\n\n  base URL   {}\n  token      {token}\n  database   {}\n\nCtrl-C stops it.",
        base_url.as_str().trim_end_matches('/'),
        arguments.database.display(),
    );
    crate::serve(listener, front, async {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    })
    .await;
    finish.wait(FINISH_TIMEOUT).await;
    // Each finishes the request under way, which the client's timeout bounds.
    while let Some(ended) = workers.join_next().await {
        ended.context("a worker ended badly")?;
    }
    Ok(())
}

/// How long SCIM requests may take when the server stops whose clients are gone.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);
