//! What a store over SQLite and PostgreSQL does at its limits: statements that take too long, locks
//! that others hold, connections that are all taken, writes in each other's way; and TLS.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../examples/scale/load.rs"]
#[expect(dead_code, reason = "groups are for others")]
mod load;
mod sql_support;

use std::time::{Duration, Instant};

use scim_core::patch::{Change, Delta, Write};
use scim_core::projection::Projection;
use scim_core::query::Query;
use scim_core::schema::Registry;
use scim_core::sort::Sort;
use scim_core::store::{Applied, Scope, Store, StoreError, Update};
use scim_core::validate::unique_keys;
use scim_core::{Resource, ResourceId, TenantId, Value, Version};
use scim_examples::{Limits, SqlStore};
use scim_filter::sql::Dialect;
use scim_filter::{BindOptions, Filter};
use serde_json::json;
use sql_support::Postgres;
use sql_support::proxy::{Lost, Network};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

/// A filter that looks at every user for long is given up, and the store answers on.
#[tokio::test]
async fn a_statement_that_takes_too_long_is_given_up() {
    let limits = Limits { statement: Duration::from_millis(150), ..Limits::default() };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scim.db");
    SqlStore::open(&file).await.unwrap().close().await;
    let mut db = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    for statement in load::users(Dialect::Sqlite, 20_000) {
        db.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    given_up(&SqlStore::open_within(&file, &limits).await.unwrap()).await;

    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("slow").await;
    SqlStore::connect(&url).await.unwrap().close().await;
    let mut db = PgConnection::connect(&url).await.unwrap();
    for statement in load::users(Dialect::Postgres, 20_000) {
        db.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    db.execute("ANALYZE").await.unwrap();
    given_up(&connected(&url, &limits).await).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let limits = Limits { wait: Duration::from_millis(100), ..Limits::default() };
    // Nobody listens at this port.
    let url = "postgres://scim:hunter2@127.0.0.1:1/people";
    let error = format!("{:#}", SqlStore::connect_within(url, &limits).await.unwrap_err());
    let place = "cannot connect to the PostgreSQL database `people` at `127.0.0.1:1`: ";
    assert!(error.starts_with(place) && error.contains("refused"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

async fn given_up(store: &SqlStore) {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new(load::TENANT);
    let scope = Scope { tenant: &tenant, schema };
    let find = async |filter: &str| {
        let filter = Filter::parse(filter).unwrap().bind(&**schema, &BindOptions::default()).unwrap();
        store.query(scope, &Query { filter: Some(filter), count: 1, ..Query::default() }).await
    };
    let terms: Vec<String> = (0..200).map(|number| format!("emails.value co \"x{number}\"")).collect();
    let slow = find(&terms.join(" or ")).await;
    assert!(matches!(slow, Err(StoreError::Unavailable(_))), "{slow:?}");
    let quick = patiently(async || find("userName eq \"user7@example.com\"").await).await;
    assert_eq!(quick.unwrap().total, Some(1));
}

/// What is answered to a call whose store has little time: it is made again where a busy machine takes longer.
async fn patiently<T>(call: impl AsyncFn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let begun = Instant::now();
    loop {
        match call().await {
            Err(StoreError::Unavailable(_)) if begun.elapsed() < LONG => {}
            answered => return answered,
        }
    }
}

/// A store that has little time, also to be opened.
async fn connected(url: &str, limits: &Limits) -> SqlStore {
    let begun = Instant::now();
    loop {
        match SqlStore::connect_within(url, limits).await {
            Ok(store) => return store,
            Err(error) => assert!(begun.elapsed() < LONG, "{error:#}"),
        }
    }
}

/// What is to happen at all does so by then, also on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// One who holds the lock of the database, for a while or for long.
#[tokio::test]
async fn a_lock_is_waited_for_but_not_for_ever_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scim.db");
    let limits = Limits { statement: Duration::from_millis(100), ..Limits::default() };
    let store = SqlStore::open_within(&file, &limits).await.unwrap();
    let (registry, tenant) = (Registry::standard(), TenantId::new("acme"));
    let scope = Scope { tenant: &tenant, schema: registry.by_name("User").unwrap() };
    let mut other = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();

    let ann = user("1", "ann");
    let keys = unique_keys(scope.schema, &ann);
    let mut refused = 0;
    loop {
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        let (created, ()) = tokio::join!(store.create(scope, &ann, &keys), async {
            // Longer than one attempt waits.
            tokio::time::sleep(Duration::from_millis(300)).await;
            other.execute("COMMIT").await.unwrap();
        });
        match created {
            Ok(()) => break,
            // On a busy machine it may be held for longer than all attempts wait, but not each time.
            Err(StoreError::Unavailable(_)) if refused < 10 => refused += 1,
            Err(error) => panic!("it does not wait: {error:?}"),
        }
    }

    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let bob = user("2", "bob");
    let keys = unique_keys(scope.schema, &bob);
    let refused = store.create(scope, &bob, &keys).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    other.execute("ROLLBACK").await.unwrap();
    patiently(async || store.create(scope, &bob, &keys).await).await.unwrap();
}

/// One who holds the lock of a group, and then nobody else gets the only connection.
#[tokio::test]
async fn a_lock_and_a_connection_are_waited_for_but_not_for_ever_in_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("locks").await;
    let limits = Limits {
        connections: 1,
        wait: Duration::from_millis(300),
        statement: Duration::from_secs(5),
        ..Limits::default()
    };
    let store = connected(&url, &limits).await;
    let (registry, tenant) = (Registry::standard(), TenantId::new("acme"));
    let scope = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
    let group = resource(json!({"id": "g", "displayName": "All", "meta": {"version": "W/\"1\""}}));
    patiently(async || store.create(scope, &group, &[]).await).await.unwrap();
    let delta = Delta {
        attribute: "members".into(),
        added: vec![Value::from(json!({"value": "1"}))],
        ..Delta::default()
    };
    let change = Change { deltas: vec![delta], ..Change::default() };
    let update =
        Update { change: &change, unique: None, last_modified: "2026-02-02T00:00:00Z", members: None };
    let id = ResourceId::new("g");

    let mut other = PgConnection::connect(&url).await.unwrap();
    other.execute("BEGIN").await.unwrap();
    other.execute("SELECT * FROM resources FOR UPDATE").await.unwrap();
    let read = async {
        let begun = Instant::now();
        let read = store.read(scope, &id, &Projection::default()).await;
        (read, begun.elapsed())
    };
    // The change is the first to ask for the connection.
    let (applied, (read, waited)) = tokio::join!(store.apply(scope, &id, &update, None), read);
    assert!(matches!(applied, Err(StoreError::Unavailable(_))), "{applied:?}");
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    assert!(waited >= limits.wait, "{waited:?}");
    other.execute("ROLLBACK").await.unwrap();
    let applied = patiently(async || store.apply(scope, &id, &update, None).await).await.unwrap();
    assert_eq!(applied, Applied::Changed(Version(2)));
}

/// A server that answers nothing any more, with all that it was told, and one that is reached no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_given_up() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("silent").await;
    let limits = Limits {
        connections: 2,
        wait: Duration::from_millis(500),
        statement: Duration::from_millis(200),
        ..Limits::default()
    };
    let store = connected(&url, &limits).await;
    let (registry, tenant) = (Registry::standard(), TenantId::new("acme"));
    let scope = Scope { tenant: &tenant, schema: registry.by_name("User").unwrap() };
    let create = async |store: &SqlStore, id: &str| {
        let user = user(id, &format!("name-{id}"));
        store.create(scope, &user, &unique_keys(scope.schema, &user)).await
    };
    let read = async |store: &SqlStore, id: &str| {
        store.read(scope, &ResourceId::new(id), &Projection::default()).await
    };
    patiently(async || create(&store, "1").await).await.unwrap();
    let frozen = postgres.freeze();
    // With a connection that answered a moment ago, with another one, and with none.
    for _ in 0..3 {
        let (read, created) = tokio::join!(read(&store, "1"), create(&store, "2"));
        assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
        assert!(matches!(created, Err(StoreError::Unavailable(_))), "{created:?}");
    }
    drop(frozen);
    let find = async |id: &str| patiently(async || read(&store, id).await).await.unwrap();
    assert!(find("1").await.is_some());
    assert!(find("2").await.is_none());
    patiently(async || create(&store, "2").await).await.unwrap();

    // What gets lost is the word to make it lasting, or that it is: nobody here can tell which.
    let (proxy, behind) = postgres.behind_proxy("silent").await;
    let remote = connected(&behind, &limits).await;
    for (id, lost, is_made) in [("3", Lost::Question, false), ("4", Lost::Answer, true)] {
        proxy.set(Network { loses: Some(("COMMIT", lost)), ..Network::default() });
        let created = patiently(async || create(&remote, id).await).await;
        assert!(matches!(created, Err(StoreError::OutcomeUnknown(_))), "{created:?}");
        assert_eq!(find(id).await.is_some(), is_made);
        // What was not made is undone with its connection, and nothing is held.
        proxy.set(Network::default());
        let again = patiently(async || create(&remote, id).await).await;
        match is_made {
            true => assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}"),
            false => again.unwrap(),
        }
    }
}

/// A request that is dropped while its statement waits: that ends soon, and its connection is there for others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_of_a_dropped_request_is_ended() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("dropped").await;
    let limits = Limits { connections: 1, ..Limits::default() };
    let store = SqlStore::connect_within(&url, &limits).await.unwrap();
    let (registry, tenant) = (Registry::standard(), TenantId::new("acme"));
    let scope = Scope { tenant: &tenant, schema: registry.by_name("User").unwrap() };
    store.create(scope, &user("1", "ann"), &[]).await.unwrap();
    let mut other = PgConnection::connect(&url).await.unwrap();
    other.execute("BEGIN").await.unwrap();
    other.execute("SELECT * FROM resources FOR UPDATE").await.unwrap();

    let (id, update) = (ResourceId::new("1"), user("1", "bob"));
    let replace = store.replace(scope, &update, &[], Version(1));
    // In a transaction it would see the same again and again.
    let mut watch = PgConnection::connect(&url).await.unwrap();
    let at_work = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND application_name = 'scim' AND state = 'active' \
                   AND wait_event_type = 'Lock'";
    let mut waiting = async || sqlx::query_as::<_, (i64,)>(at_work).fetch_one(&mut watch).await.unwrap().0;
    let begun = Instant::now();
    tokio::select! {
        replaced = replace => panic!("it waits for nobody: {replaced:?}"),
        () = async {
            while waiting().await == 0 {
                assert!(begun.elapsed() < limits.statement, "it is not asked for");
            }
        } => {}
    }
    let begun = Instant::now();
    while waiting().await > 0 {
        assert!(begun.elapsed() < limits.statement, "it waits as long as it may");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("a statement that nobody waits for ended after {:?}", begun.elapsed());
    // The lock is still held, and who does not want it is not held up.
    assert!(store.read(scope, &id, &Projection::default()).await.unwrap().is_some());
    other.execute("ROLLBACK").await.unwrap();
    assert!(matches!(store.replace(scope, &update, &[], Version(2)).await, Err(StoreError::VersionMismatch)));
}

/// An order that no index has takes many statements, each of which is short.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_many_statements_is_given_up_as_a_whole() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("many").await;
    SqlStore::connect(&url).await.unwrap().close().await;
    let mut db = PgConnection::connect(&url).await.unwrap();
    for statement in load::users(Dialect::Postgres, 2_000) {
        db.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let (proxy, behind) = postgres.behind_proxy("many").await;
    let limits = Limits { connections: 1, statement: Duration::from_secs(1), ..Limits::default() };
    let store = SqlStore::connect_within(&behind, &limits).await.unwrap();
    let (registry, tenant) = (Registry::standard(), TenantId::new(load::TENANT));
    let schema = registry.by_name("User").unwrap();
    let scope = Scope { tenant: &tenant, schema };
    let sort = Sort::parse(&**schema, Some("emails.value"), None).unwrap();
    let list = Query { sort, count: 1, ..Query::default() };
    // Each answer comes in time, and all of them do not.
    proxy.set(Network { delay: Duration::from_millis(400), ..Network::default() });
    let listed = store.query(scope, &list).await;
    assert!(matches!(listed, Err(StoreError::Unavailable(_))), "{listed:?}");
    proxy.set(Network::default());
    let listed = patiently(async || store.query(scope, &list).await).await;
    assert_eq!(listed.unwrap().total, Some(2_000));
}

/// Two users who take each other's name: each gives its own up and waits for the other's. PostgreSQL
/// ends one of the writes, which is made again; nobody is told of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_ended_for_another_is_made_again() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("swaps").await;
    let mut db = PgConnection::connect(&url).await.unwrap();
    db.execute("ALTER SYSTEM SET deadlock_timeout = '10ms'").await.unwrap();
    db.execute("SELECT pg_reload_conf()").await.unwrap();
    let store = SqlStore::connect(&url).await.unwrap();
    let (registry, tenant) = (Registry::standard(), TenantId::new("acme"));
    let scope = Scope { tenant: &tenant, schema: registry.by_name("User").unwrap() };
    for (id, name) in [("1", "ann"), ("2", "bob")] {
        let user = user(id, name);
        store.create(scope, &user, &unique_keys(scope.schema, &user)).await.unwrap();
    }
    let rename = async |id: &str, name: &str| {
        let value = Some(Value::from(name));
        let write = Write { extension: None, attribute: "userName".into(), value };
        let change = Change { writes: vec![write], ..Change::default() };
        let unique = unique_keys(scope.schema, &user(id, name));
        let update = Update {
            change: &change,
            unique: Some(&unique),
            last_modified: "2026-02-02T00:00:00Z",
            members: None,
        };
        match store.apply(scope, &ResourceId::new(id), &update, None).await {
            Ok(_) => {}
            Err(StoreError::Conflict { attribute }) if attribute == "userName" => {}
            Err(error) => panic!("{error:?}"),
        }
    };
    let begun = Instant::now();
    let mut deadlocks = 0;
    while deadlocks == 0 && begun.elapsed() < Duration::from_secs(60) {
        for _ in 0..10 {
            tokio::join!(rename("1", "bob"), rename("2", "ann"));
            tokio::join!(rename("1", "ann"), rename("2", "bob"));
        }
        let count: (i64,) =
            sqlx::query_as("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
                .fetch_one(&mut db)
                .await
                .unwrap();
        deadlocks = count.0;
    }
    assert!(deadlocks > 0, "none of the writes was ended");
}

/// TLS as the URL asks for it: with a certificate of that name and authority, of any, or none.
#[tokio::test]
async fn postgres_is_reached_by_tls() {
    let Some(mut postgres) = Postgres::start() else { return };
    let Some((port, authority)) = postgres.secure() else { return };
    postgres.database("tls").await;
    let mut db = postgres.connect().await;
    let url = |host: &str, options: &str| format!("postgres://scim@{host}:{port}/tls?{options}");
    let verified = format!("sslmode=verify-full&sslrootcert={}", authority.display());
    for (options, is_encrypted) in
        [(verified.as_str(), true), ("sslmode=require", true), ("", true), ("sslmode=disable", false)]
    {
        let store = SqlStore::connect(&url("localhost", options)).await.unwrap();
        let connections: Vec<(bool,)> = sqlx::query_as(
            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = 'tls' AND \
             application_name = 'scim'",
        )
        .fetch_all(&mut db)
        .await
        .unwrap();
        assert!(!connections.is_empty(), "{options}");
        assert!(connections.iter().all(|(ssl,)| *ssl == is_encrypted), "{options}: {connections:?}");
        store.close().await;
        // The server ends them a little later.
        let begun = Instant::now();
        let left =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = 'tls' AND application_name = 'scim'";
        while sqlx::query_as::<_, (i64,)>(left).fetch_one(&mut db).await.unwrap().0 > 0 {
            assert!(begun.elapsed() < LONG, "a connection is left");
        }
    }
    // Of another name, or of nobody that is known.
    for url in [url("127.0.0.1", &verified), url("localhost", "sslmode=verify-full")] {
        let refused = SqlStore::connect(&url).await.unwrap_err().to_string();
        assert!(refused.contains("certificate"), "{url}: {refused}");
    }
}

fn user(id: &str, name: &str) -> Resource {
    resource(json!({"id": id, "userName": name, "meta": {"version": "W/\"1\""}}))
}

fn resource(json: serde_json::Value) -> Resource {
    match Value::from(json) {
        Value::Object(object) => Resource(object),
        _ => panic!("an object"),
    }
}
