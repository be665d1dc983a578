//! SQLite or PostgreSQL: connections, transactions, and statements that both take.
//!
//! Statements are written once, with SQLite's parameters `?1`, `?2`, …; PostgreSQL's are `$1`, `$2`, ….
//! Values reach a statement by its parameters alone, so a `?` in it is always one.

use std::borrow::Cow;
use std::future::Future;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use scim_core::store::StoreError;
use scim_filter::sql::{Dialect, SqlValue};
use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Executor as _, FromRow, Postgres, SqlSafeStr as _, Sqlite,
    SqliteConnection, SqlitePool, Transaction,
};

use super::connections::{Connections, LOOKS_FOR_CLIENT, Lent, within};
use super::direct::{Direct, Read};

/// What a store takes of its database, and how long a call waits for it.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections to PostgreSQL at a time, each of which makes one call. In SQLite one more call
    /// writes than [`readers`](Self::readers) read.
    pub connections: u32,
    /// Connections that read from an SQLite file at a time.
    pub readers: u32,
    /// How long a call waits for a connection before it is answered that the store is unavailable.
    pub wait: Duration,
    /// How long the statements of a call may take together, and wait for locks. PostgreSQL ends each of them
    /// that takes as long by itself; a call that is still waiting a second later, since the server or the
    /// network is silent, is given up with its connection.
    pub statement: Duration,
}

impl Default for Limits {
    /// 16 connections, 4 readers, 10 seconds, 30 seconds.
    fn default() -> Self {
        Self {
            connections: 16,
            readers: 4,
            wait: Duration::from_secs(10),
            statement: Duration::from_secs(30),
        }
    }
}

/// The pools of connections to a database; clones share them.
#[derive(Clone)]
pub(super) enum Database {
    Sqlite {
        // One connection: SQLite has one writer at a time, and waiting for a connection is fair
        // where waiting for a lock is not.
        writer: SqlitePool,
        // Readers see the last commit and never wait for the writer. In memory the same connection.
        readers: SqlitePool,
        // What is read of a file in no time.
        direct: Option<Arc<Direct>>,
        // How long a call may take.
        most: Duration,
    },
    Postgres(Connections),
}

impl Database {
    /// Opens the SQLite file `path`, creating it and its tables where missing.
    pub(super) async fn open(path: &Path, limits: &Limits) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(limits.statement.min(BUSY_TIMEOUT));
        // On a connection without limits: to bring a large database up to date takes its time.
        let first = PoolOptions::<Sqlite>::new().max_connections(1).connect_with(options.clone()).await;
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
    pub(super) async fn in_memory(limits: &Limits) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new().filename(":memory:").in_memory(true).foreign_keys(true);
        let pool: SqlitePool = lasting(1, limits).connect_with(options).await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self::Sqlite { writer: pool.clone(), readers: pool, direct: None, most: limits.statement })
    }

    /// Connects to the PostgreSQL database that `url` names, and creates its tables where missing.
    pub(super) async fn connect(url: &str, limits: &Limits) -> anyhow::Result<Self> {
        let most = format!("{}ms", limits.statement.as_millis());
        // What is wrong with a URL is said without showing it: it may hold a password.
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| anyhow!("the database URL is not one of PostgreSQL"))?
            .application_name("scim")
            .log_slow_statements(tracing::log::LevelFilter::Warn, SLOW_STATEMENT);
        let shown = format!(
            "`{}` at `{}`",
            options.get_database().unwrap_or(options.get_username()),
            options.get_socket().map_or(options.get_host().into(), |socket| socket.to_string_lossy())
        );
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

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { .. } => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Begins to read with one statement, which sees one commit.
    pub(super) async fn once(&self) -> Result<Tx, StoreError> {
        match self.at_hand() {
            Some(tx) => Ok(tx),
            // On the heap, so that what waits for nothing takes little room.
            None => Box::pin(self.once_of_pool()).await,
        }
    }

    /// What a statement can be made with at once.
    fn at_hand(&self) -> Option<Tx> {
        match self {
            Self::Sqlite { readers, direct, most, .. } => {
                let direct = direct.as_ref().map(Arc::clone)?;
                Some(Tx::SqliteDirect(Reads { direct, readers: readers.clone(), most: *most }))
            }
            Self::Postgres(connections) => connections.at_hand().map(Tx::Postgres),
        }
    }

    async fn once_of_pool(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { readers, most, .. } => {
                let pool = readers.clone();
                once(finished(async move { pool.acquire().await }).await?, *most).await
            }
            Self::Postgres(connections) => connections.take().await.map(Tx::Postgres),
        }
    }

    /// Begins to read: all statements see the same commit.
    pub(super) async fn read(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { readers, most, .. } if is_alone(readers) => {
                watched(begin(readers, None).await?, *most).await
            }
            Self::Sqlite { readers, most, .. } => {
                watched(readers.begin().await.map_err(failure)?, *most).await
            }
            Self::Postgres(connections) => {
                let statement = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                connections.take().await?.begin(statement).await.map(Tx::Postgres)
            }
        }
    }

    /// Begins to write. In SQLite, `IMMEDIATE` takes the write lock at once: a transaction that
    /// read first and wrote later could find that its snapshot is no longer the newest, and fail. In
    /// PostgreSQL a write locks the row of the resource before it looks at anything of it.
    pub(super) async fn write(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { writer, most, .. } => {
                watched(begin(writer, Some("BEGIN IMMEDIATE")).await?, *most).await
            }
            Self::Postgres(connections) => connections.take().await?.begin("BEGIN").await.map(Tx::Postgres),
        }
    }

    /// Waits for the calls under way and closes the database.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers, direct, .. } => {
                direct.iter().for_each(|direct| direct.close());
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(connections) => connections.close().await,
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

/// Begins a transaction that is begun even if the request is dropped meanwhile, and then rolled back: who is
/// dropped while the pool prepares a connection closes it.
async fn begin(
    pool: &SqlitePool,
    statement: Option<&'static str>,
) -> Result<Transaction<'static, Sqlite>, StoreError> {
    let pool = pool.clone();
    finished(async move {
        match statement {
            Some(statement) => pool.begin_with(statement).await,
            None => pool.begin().await,
        }
    })
    .await
}

/// Does what is to be finished even if the request is dropped meanwhile: in a task of its own.
async fn finished<T: Send + 'static>(
    call: impl Future<Output = sqlx::Result<T>> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::spawn(call).await {
        Ok(done) => done.map_err(failure),
        Err(error) => Err(StoreError::Internal(error.into())),
    }
}

/// Whether the pool has one connection, which holds the database: who is dropped while the pool
/// prepares a connection closes it.
fn is_alone(pool: &SqlitePool) -> bool {
    pool.options().get_max_connections() == 1
}

/// A transaction, rolled back unless it is committed; or a connection, each statement of which is a
/// transaction of its own.
pub(super) enum Tx {
    Sqlite(Transaction<'static, Sqlite>, Clock),
    SqliteOnce(
        PoolConnection<Sqlite>,
        #[expect(dead_code, reason = "it ends what takes too long until it is dropped")] Clock,
    ),
    SqliteDirect(Reads),
    Postgres(Lent),
}

/// Where an SQLite file is read: each statement at once, or else by a connection of the pool.
pub(super) struct Reads {
    direct: Arc<Direct>,
    readers: SqlitePool,
    most: Duration,
}

enum Connection<'t> {
    Sqlite(&'t mut SqliteConnection),
    Postgres(&'t mut Lent),
}

impl Tx {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(..) | Self::SqliteOnce(..) | Self::SqliteDirect(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    async fn connection(&mut self) -> Result<Connection<'_>, StoreError> {
        if let Self::SqliteDirect(Reads { readers, most, .. }) = self {
            *self = once(readers.acquire().await.map_err(failure)?, *most).await?;
        }
        Ok(match self {
            Self::Sqlite(tx, _) => Connection::Sqlite(tx),
            Self::SqliteOnce(connection, _) => Connection::Sqlite(connection),
            Self::Postgres(lent) => Connection::Postgres(lent),
            Self::SqliteDirect(_) => return Err(no_connection()),
        })
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx, clock) => {
                let done = tx.commit().await;
                drop(clock);
                done.map_err(|error| match failure(error) {
                    // Of a disk that is full or broken it cannot be said what it holds.
                    StoreError::Internal(error) => StoreError::OutcomeUnknown(error),
                    other => other,
                })
            }
            Self::Postgres(lent) => lent.commit().await,
            Self::SqliteOnce(..) | Self::SqliteDirect(_) => Ok(()),
        }
    }

    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx, clock) => {
                let done = tx.rollback().await;
                drop(clock);
                done.map_err(failure)
            }
            Self::Postgres(lent) => lent.rollback().await,
            Self::SqliteOnce(..) | Self::SqliteDirect(_) => Ok(()),
        }
    }
}

fn no_connection() -> StoreError {
    StoreError::Internal("there is no connection".into())
}

/// A row that both databases give.
pub(super) trait Record:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Read + Send + Unpin
{
}

impl<T> Record for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Read + Send + Unpin
{}

/// A statement with the values of its parameters, `?1` and on.
#[cfg_attr(test, derive(Debug))]
pub(super) struct Statement {
    text: Cow<'static, str>,
    values: Vec<SqlValue>,
}

/// The query with its values. Each database has query types of its own, and no trait has their `bind`.
macro_rules! bind {
    ($query:expr, $values:expr) => {
        $values.into_iter().fold($query, |query, value| match value {
            SqlValue::Text(value) => query.bind(value),
            SqlValue::Integer(value) => query.bind(value),
            SqlValue::Float(value) => query.bind(value),
            SqlValue::Boolean(value) => query.bind(value),
        })
    };
}

impl Statement {
    /// `text` is made of constants and parameters alone.
    pub(super) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// The next parameter is this text.
    pub(super) fn text(self, value: impl Into<String>) -> Self {
        self.value(SqlValue::Text(value.into()))
    }

    /// The next parameter is this number.
    pub(super) fn number(self, value: i64) -> Self {
        self.value(SqlValue::Integer(value))
    }

    /// The next parameter is true or false.
    pub(super) fn flag(self, value: bool) -> Self {
        self.value(SqlValue::Boolean(value))
    }

    pub(super) fn value(mut self, value: SqlValue) -> Self {
        self.values.push(value);
        self
    }

    /// The next parameters are these.
    pub(super) fn values(mut self, values: &[SqlValue]) -> Self {
        self.values.extend_from_slice(values);
        self
    }

    #[cfg(test)]
    pub(super) fn parts(&self) -> (&str, &[SqlValue]) {
        (&self.text, &self.values)
    }

    /// The text with PostgreSQL's parameters. A question mark that is none has no digit behind it.
    pub(super) fn for_postgres(&self) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut rest = &*self.text;
        while let Some((before, behind)) = rest.split_once('?') {
            text.push_str(before);
            text.push(if behind.starts_with(|first: char| first.is_ascii_digit()) { '$' } else { '?' });
            rest = behind;
        }
        text.push_str(rest);
        text
    }

    /// The rows it gives.
    pub(super) async fn rows<T: Record>(self, tx: &mut Tx) -> Result<Vec<T>, StoreError> {
        if let Tx::SqliteDirect(Reads { direct, .. }) = tx
            && let Some(rows) = direct.rows(&self.text, &self.values)
        {
            return Ok(rows);
        }
        // On the heap, so that what looks something up at once, and is moved about with all it may come to
        // hold, stays small.
        Box::pin(self.rows_of_pool(tx)).await
    }

    async fn rows_of_pool<T: Record>(self, tx: &mut Tx) -> Result<Vec<T>, StoreError> {
        match tx.connection().await? {
            Connection::Sqlite(connection) => {
                let text = AssertSqlSafe(String::from(self.text));
                let query = bind!(sqlx::query_as(text), self.values);
                query.fetch_all(connection).await
            }
            Connection::Postgres(lent) => {
                let text = AssertSqlSafe(self.for_postgres());
                let query = bind!(sqlx::query_as(text), self.values);
                let (connection, ends) = lent.ask()?;
                let rows = within(ends, query.fetch_all(connection)).await;
                lent.heard(rows)
            }
        }
        .map_err(failure)
    }

    /// The first row it gives.
    pub(super) async fn row<T: Record>(self, tx: &mut Tx) -> Result<Option<T>, StoreError> {
        Ok(self.rows(tx).await?.into_iter().next())
    }

    /// Executes it; the number of rows that it changed.
    pub(super) async fn execute(self, tx: &mut Tx) -> Result<u64, StoreError> {
        match tx.connection().await? {
            Connection::Sqlite(connection) => {
                let text = AssertSqlSafe(String::from(self.text));
                let query = bind!(sqlx::query(text), self.values);
                query.execute(connection).await.map(|done| done.rows_affected())
            }
            Connection::Postgres(lent) => {
                let text = AssertSqlSafe(self.for_postgres());
                let query = bind!(sqlx::query(text), self.values);
                let (connection, ends) = lent.ask()?;
                let done = within(ends, query.execute(connection)).await;
                lent.heard(done).map(|done| done.rows_affected())
            }
        }
        .map_err(failure)
    }
}

/// `items` in parts of a few sizes, so that statements with a parameter for each item have a few
/// texts, and are prepared once each.
pub(super) fn batches<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = BATCHES.into_iter().find(|size| *size <= items.len())?;
        let (batch, rest) = items.split_at_checked(size)?;
        items = rest;
        Some(batch)
    })
}

/// The parameters from `first` on, for `number` items of `each`: `(?4, ?5), (?6, ?7)`.
pub(super) fn places(first: usize, number: usize) -> String {
    let places: Vec<String> = (first..first + number).map(|place| format!("?{place}")).collect();
    places.join(", ")
}

/// Runs a write, and runs it again where the database gave it up for the sake of another.
pub(super) async fn retrying<T, F>(mut write: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    for attempt in 0..RETRIES {
        match write().await {
            Err(StoreError::Unavailable(cause)) if is_transient(&*cause) => {
                let jitter = u64::from(uuid::Uuid::new_v4().as_bytes()[0]) % 16;
                tokio::time::sleep(Duration::from_millis((1 << attempt) + jitter)).await;
            }
            result => return result,
        }
    }
    write().await
}

/// Whether the database says that nothing was written and the same again may succeed.
fn is_transient(cause: &(dyn std::error::Error + 'static)) -> bool {
    let Some(sqlx::Error::Database(error)) = cause.downcast_ref() else { return false };
    // PostgreSQL: serialization failure, deadlock. SQLite: busy, locked.
    error.code().is_some_and(|code| matches!(&*code, "40001" | "40P01") || is_busy(&code))
}

/// SQLITE_BUSY and SQLITE_LOCKED, whatever their extension in the higher bytes.
fn is_busy(code: &str) -> bool {
    is_of_sqlite(code, &[5, 6])
}

/// SQLITE_INTERRUPT: the call took longer than it may.
fn is_interrupted(code: &str) -> bool {
    is_of_sqlite(code, &[9])
}

/// Codes of SQLite are numbers, those of PostgreSQL have five characters.
fn is_of_sqlite(code: &str, codes: &[i32]) -> bool {
    code.len() < 5 && code.parse().is_ok_and(|code: i32| codes.contains(&(code & 0xff)))
}

/// A failure of the database as one of the store: that it cannot answer now, or that something is
/// wrong.
pub(super) fn failure(error: sqlx::Error) -> StoreError {
    let unavailable = match &error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // PostgreSQL's classes: connection, transaction given up, resources, operator's
            // intervention (a time limit, a shutdown).
            let class = code.get(..2).filter(|_| code.len() == 5);
            matches!(class, Some("08" | "40" | "53" | "57"))
                || &*code == "55P03"
                || is_busy(&code)
                || is_interrupted(&code)
        }),
        _ => false,
    };
    if unavailable { StoreError::Unavailable(error.into()) } else { StoreError::Internal(error.into()) }
}

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!();

/// The migrations for PostgreSQL, whose texts are to compare as SQLite's do: byte by byte, whatever
/// the locale of the database.
pub(super) fn byte_by_byte(migrations: &Migrator) -> Migrator {
    let adapted = migrations.iter().map(|migration| {
        let sql = migration.sql.as_str().replace(" TEXT ", " TEXT COLLATE \"C\" ");
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

/// Interrupts what a connection to SQLite does when it has taken too long; no longer once it is
/// dropped.
pub(super) struct Clock(Arc<AtomicBool>);

impl Clock {
    async fn wind(connection: &mut SqliteConnection, most: Duration) -> sqlx::Result<Self> {
        let (begun, runs) = (Instant::now(), Arc::new(AtomicBool::new(true)));
        let clock = Self(Arc::clone(&runs));
        let mut handle = connection.lock_handle().await?;
        handle.set_progress_handler(STEPS, move || !runs.load(Ordering::Relaxed) || begun.elapsed() < most);
        Ok(clock)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

async fn once(mut connection: PoolConnection<Sqlite>, most: Duration) -> Result<Tx, StoreError> {
    let clock = Clock::wind(&mut connection, most).await.map_err(failure)?;
    Ok(Tx::SqliteOnce(connection, clock))
}

async fn watched(mut tx: Transaction<'static, Sqlite>, most: Duration) -> Result<Tx, StoreError> {
    let clock = Clock::wind(&mut tx, most).await.map_err(failure)?;
    Ok(Tx::Sqlite(tx, clock))
}

/// Items in one statement.
const BATCHES: [usize; 4] = [512, 64, 8, 1];
/// How often a write is run again.
const RETRIES: u32 = 8;
/// How long a statement of SQLite waits for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Until a migration is looked for again that another process may be making.
const BESIDE_OTHERS: Duration = Duration::from_millis(100);
/// A statement that takes longer is logged.
const SLOW_STATEMENT: Duration = Duration::from_secs(1);
/// Steps of SQLite's virtual machine between two looks at the clock; some thousandths of a second.
const STEPS: i32 = 100_000;
