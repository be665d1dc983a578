//! What identity providers send, over loopback HTTP, with the state in a SQLite file and in PostgreSQL.
//!
//! The vectors are those of `scim-core/tests/vectors`, which `scim-core/tests/idp_fixtures.rs` plays
//! in memory: all stores must lead to the same answers and the same state. Those that concern
//! PagerDuty are played a second time against its profile.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test"
)]

mod sql_support;
#[path = "../../scim-core/tests/vectors/mod.rs"]
mod vectors;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use scim_core::policy::{Policy, StandardPolicy};
use scim_core::schema::Registry;
use scim_core::{Config, Environment, ResourceId, Service};
use scim_examples::SqlStore;
use scim_examples::finish::Finish;
use scim_profiles::pagerduty::{self, PagerDuty};
use sql_support::Postgres;
use sqlx::{Connection as _, PgConnection};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use vectors::{Server, Vector};

/// Vectors that fail against the generic profile, each with the reason.
const KNOWN_FAILURES: &[(&str, &str)] = &[];
/// Vectors that fail against the PagerDuty profile, each with the reason.
const KNOWN_FAILURES_PAGERDUTY: &[(&str, &str)] = &[];

#[test]
fn identity_providers_get_the_same_answers_over_http() {
    let vectors = tolerant(vectors::load("idp"));
    vectors::play_all(&vectors, KNOWN_FAILURES, |vector| vector.play(Provider::<false>::start));
}

#[test]
fn the_rfcs_requests_get_the_same_answers_over_http() {
    let vectors = tolerant(vectors::load("rfc"));
    vectors::play_all(&vectors, &[], |vector| vector.play(Provider::<false>::start));
}

#[test]
fn pagerduty_answers_as_it_says() {
    let vectors = tolerant(vectors::load("idp"));
    let played =
        vectors::play_all(&vectors, KNOWN_FAILURES_PAGERDUTY, |vector| vector.play(Provider::<true>::start));
    assert!(played >= 25, "{played} vectors are about PagerDuty");
}

#[test]
fn over_postgres_the_answers_are_the_same() {
    let Some(postgres) = Postgres::start() else { return };
    // One database for all, whose tables are made once and emptied before each, and one store.
    let runtime = runtime();
    let url = runtime.block_on(postgres.database("fixtures"));
    let store = runtime.block_on(SqlStore::connect(&url)).unwrap();
    let connection = RefCell::new(runtime.block_on(PgConnection::connect(&url)).unwrap());
    let emptied = || {
        runtime.block_on(sqlx::raw_sql(EMPTY).execute(&mut *connection.borrow_mut())).unwrap();
        (Arc::clone(&runtime), store.clone())
    };
    let vectors = tolerant(["idp", "rfc"].into_iter().flat_map(vectors::load).collect());
    vectors::play_all(&vectors, KNOWN_FAILURES, |vector| {
        let (runtime, store) = emptied();
        vector.play(|| Provider::<false>::start_on(runtime, store, None))
    });
    vectors::play_all(&vectors, KNOWN_FAILURES_PAGERDUTY, |vector| {
        let (runtime, store) = emptied();
        vector.play(|| Provider::<true>::start_on(runtime, store, None))
    });
}

fn runtime() -> Arc<Runtime> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build().unwrap().into()
}

/// Empties all tables but the list of migrations.
const EMPTY: &str = "DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_sqlx_migrations'
    LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
END $$";

/// The servers under test have every leniency on.
fn tolerant(vectors: Vec<Vector>) -> Vec<Vector> {
    vectors.into_iter().filter(|vector| !vector.strict).collect()
}

/// A server on a port and a database of its own, that behaves like PagerDuty's or by the RFCs.
struct Provider<const PAGERDUTY: bool> {
    address: SocketAddr,
    registry: Registry,
    store: SqlStore,
    client: ureq::Agent,
    runtime: Arc<Runtime>,
    // Deleted when the server is dropped.
    _folder: Option<tempfile::TempDir>,
}

impl<const PAGERDUTY: bool> Provider<PAGERDUTY> {
    /// With the state in a file of its own.
    fn start() -> Self {
        let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
        let store = runtime.block_on(SqlStore::open(&folder.path().join("scim.db"))).unwrap();
        Self::start_on(runtime, store, Some(folder))
    }

    fn start_on(runtime: Arc<Runtime>, store: SqlStore, folder: Option<tempfile::TempDir>) -> Self {
        let base_url = vectors::BASE_URL.parse().unwrap();
        let (config, policy): (Config, Arc<dyn Policy>) = if PAGERDUTY {
            (pagerduty::config(base_url), Arc::new(PagerDuty::default()))
        } else {
            (Config::new(base_url), Arc::new(StandardPolicy))
        };
        let registry = config.registry.clone();
        let address = runtime.block_on(async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let address = listener.local_addr().unwrap();
            let environment =
                Environment::new(jiff::Timestamp::now, || ResourceId::new(uuid::Uuid::new_v4().to_string()));
            let service =
                Service::new(store.clone(), vectors::tokens(), config, environment).with_policy(policy);
            tokio::spawn(scim_examples::serve(
                listener,
                scim_examples::Front::new(service, Finish::new().0),
                std::future::pending(),
            ));
            address
        });
        let client = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { address, registry, store, client, runtime, _folder: folder }
    }
}

impl<const PAGERDUTY: bool> Server for Provider<PAGERDUTY> {
    const IS_PAGERDUTY: bool = PAGERDUTY;

    fn seed(&self, tenant: &str, endpoint: &str, resource: serde_json::Value) {
        self.runtime.block_on(vectors::seed(&self.store, &self.registry, tenant, endpoint, resource));
    }

    fn send(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let (mut parts, body) = request.into_parts();
        parts.uri = format!("http://{}{}", self.address, parts.uri).parse().unwrap();
        let sent = if body.is_empty() && parts.method != http::Method::POST {
            self.client.run(http::Request::from_parts(parts, ()))
        } else {
            self.client.run(http::Request::from_parts(parts, body.to_vec()))
        };
        let (parts, mut body) = sent.unwrap().into_parts();
        http::Response::from_parts(parts, body.read_to_vec().unwrap().into())
    }
}
