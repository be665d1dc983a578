//! How a database is opened, and its tables made.

use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use scim_core::store::StoreError;
use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Postgres, SqlSafeStr as _, Sqlite,
    SqlitePool,
};

use super::super::connections::{Connections, LOOKS_FOR_CLIENT, connect};
use super::super::direct::Direct;
use super::failure::is_busy;
use super::{Database, Limits};

impl Database {
    /// Opens the SQLite file `path`, creating it and its tables where missing.
    pub(in crate::store) async fn open(path: &Path, limits: &Limits) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(limits.statement.min(BUSY_TIMEOUT));
        // On a connection without limits: to bring a large database up to date takes its time.
        let first = open_beside_others(&options).await;
        let first =
            first.map_err(|error| anyhow!("cannot open the database `{}`: {error}", path.display()))?;
        let set_up = set_up_beside_others(&first).await;
        set_up.with_context(|| format!("cannot set up the database `{}`", path.display()))?;
        let writer = lasting(1, limits).connect_with(options.clone()).await?;
        first.close().await;
        let readers =
            lasting(limits.readers, limits).connect_with(options.pragma("query_only", "ON")).await?;
        let direct = Direct::open(path).map_err(sqlx::Error::config)?;
        Ok(Self::Sqlite { writer, readers, direct: Some(Arc::new(direct)), most: limits.statement })
    }

    /// An empty SQLite database that lives as long as the connection.
    pub(in crate::store) async fn in_memory(limits: &Limits) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new().filename(":memory:").in_memory(true).foreign_keys(true);
        let pool: SqlitePool = lasting(1, limits).connect_with(options).await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self::Sqlite { writer: pool.clone(), readers: pool, direct: None, most: limits.statement })
    }

    /// Connects to the PostgreSQL database that `url` names, and creates its tables where missing.
    pub(in crate::store) async fn connect(url: &str, limits: &Limits) -> anyhow::Result<Self> {
        let most = format!("{}ms", limits.statement.as_millis());
        // What is wrong with a URL is said without showing it: it may hold a password.
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| anyhow!("the database URL is not one of PostgreSQL"))?
            .application_name("scim")
            .log_slow_statements(tracing::log::LevelFilter::Warn, SLOW_STATEMENT);
        let place = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let database = options.get_database().unwrap_or(options.get_username());
        let shown = format!("`{database}` at `{place}`");
        // A pool would not say why it has no connection.
        let reached = tokio::time::timeout(limits.wait * 2, connect(&options, limits.wait)).await;
        let reached =
            reached.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()));
        let reached =
            reached.map_err(|error| anyhow!("cannot connect to the PostgreSQL database {shown}: {error}"))?;
        drop(reached.close().await);
        // On a connection without limits: to bring a large database up to date takes its time.
        let first = PoolOptions::<Postgres>::new().max_connections(1).acquire_timeout(limits.wait);
        let first = first.connect_with(options.clone()).await;
        let first =
            first.map_err(|error| anyhow!("cannot connect to the PostgreSQL database {shown}: {error}"))?;
        let set_up = byte_by_byte(&MIGRATIONS).run(&first).await;
        set_up.with_context(|| format!("cannot set up the PostgreSQL database {shown}"))?;
        // Not every version and every system can.
        let looks_for_client = format!("SET client_connection_check_interval = '{LOOKS_FOR_CLIENT}'");
        let looks_for_client = first.execute(AssertSqlSafe(looks_for_client)).await.is_ok();
        first.close().await;
        let mut options = options.options([
            ("statement_timeout", most.as_str()),
            ("lock_timeout", &most),
            ("idle_in_transaction_session_timeout", &most),
            // Compiling the condition of a long filter takes far longer than answering it.
            ("jit", "off"),
        ]);
        if looks_for_client {
            options = options.options([("client_connection_check_interval", LOOKS_FOR_CLIENT)]);
        }
        let connections = Connections::new(options, limits);
        // What is wrong with them is said at once.
        let one = connections.take().await;
        one.map_err(|error| match error {
            StoreError::Unavailable(error) => anyhow!("{error}"),
            error => error.into(),
        })
        .with_context(|| format!("cannot connect to the PostgreSQL database {shown}"))?;
        Ok(Self::Postgres(connections))
    }
}

/// Opens an SQLite file. Of processes that make it at the same moment one sets its journal, for which SQLite lets the
/// others not wait but fail.
async fn open_beside_others(options: &SqliteConnectOptions) -> sqlx::Result<SqlitePool> {
    let begun = Instant::now();
    loop {
        match PoolOptions::new().max_connections(1).connect_with(options.clone()).await {
            Err(sqlx::Error::Database(error))
                if error.code().is_some_and(|code| is_busy(&code)) && begun.elapsed() < BUSY_TIMEOUT =>
            {
                tokio::time::sleep(BESIDE_OTHERS).await;
            }
            result => return result,
        }
    }
}

/// Makes the tables of an SQLite file. sqlx has no lock for that: of processes that begin at the same moment one makes a
/// migration, and the others fail at it and go on with the next.
async fn set_up_beside_others(pool: &SqlitePool) -> Result<(), MigrateError> {
    for _ in MIGRATIONS.iter() {
        if MIGRATIONS.run(pool).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(BESIDE_OTHERS).await;
    }
    MIGRATIONS.run(pool).await
}

pub(in crate::store) static MIGRATIONS: Migrator = sqlx::migrate!();

/// The migrations for PostgreSQL, whose texts are to compare as SQLite's do: byte by byte, whatever
/// the locale of the database. Some have other words there.
pub(in crate::store) fn byte_by_byte(migrations: &Migrator) -> Migrator {
    let adapted = migrations.iter().map(|migration| {
        let own = OF_POSTGRESQL.iter().find(|(version, _)| *version == migration.version);
        let sql = own.map_or(migration.sql.as_str(), |(_, sql)| sql);
        let sql = sql.replace(" TEXT ", " TEXT COLLATE \"C\" ");
        Migration::new(
            migration.version,
            migration.description.clone(),
            migration.migration_type,
            AssertSqlSafe(sql).into_sql_str(),
            migration.no_tx,
        )
    });
    Migrator::with_migrations(adapted.collect())
}

/// Migrations that take other words in PostgreSQL, by their version.
const OF_POSTGRESQL: [(i64, &str); 2] = [
    (11, include_str!("../../../migrations/postgres/0011_member_types.sql")),
    (13, include_str!("../../../migrations/postgres/0013_look_ups.sql")),
];

/// A pool of SQLite connections, which stay: one in memory holds the database.
fn lasting(connections: u32, limits: &Limits) -> PoolOptions<Sqlite> {
    PoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(limits.wait)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// How long a statement of SQLite waits for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Until what another process may be making is looked for again.
const BESIDE_OTHERS: Duration = Duration::from_millis(100);
/// A statement that takes longer is logged.
const SLOW_STATEMENT: Duration = Duration::from_secs(1);
