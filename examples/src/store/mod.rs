//! [`SqliteStore`]: resources in an SQLite database.
//!
//! A resource is a JSON text; what resources are found by stands beside it in indexed rows, and the
//! members of groups in rows of their own, so that adding or removing k members costs k rows and
//! never reads the others.

mod condition;
mod keys;
mod members;
mod order;
mod query;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use scim_core::projection::Projection;
use scim_core::query::{Query, QuerySupport};
use scim_core::store::{Applied, Page, Scope, Store, StoreError, Update};
use scim_core::validate::UniqueKey;
use scim_core::value::JsonLimits;
use scim_core::{Resource, ResourceId, Value, Version};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{QueryBuilder, Sqlite, Transaction};

/// A [`Store`] over SQLite; clones share the database.
///
/// A write that was acknowledged survives the end of the process and, because `synchronous` is
/// `FULL`, of the machine: in WAL mode `NORMAL` would already survive a killed process, but an
/// identity provider that was told 201 does not ask again after a power cut.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    // One connection: SQLite has one writer at a time, and waiting for a connection is fair where
    // waiting for a lock is not.
    writer: SqlitePool,
    // Readers see the last commit and never wait for the writer. In memory the same connection.
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the database file `path`, creating it and its tables where missing.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, is no SQLite database, or is one of another program or version.
    pub async fn open(path: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = pool(1).connect_with(options.clone()).await;
        let writer =
            writer.map_err(|error| anyhow!("cannot open the database `{}`: {error}", path.display()))?;
        migrate(&writer).await.with_context(|| format!("cannot set up the database `{}`", path.display()))?;
        let readers = pool(READERS).connect_with(options.pragma("query_only", "ON")).await?;
        Ok(Self { writer, readers })
    }

    /// An empty database that lives as long as the store.
    ///
    /// # Errors
    ///
    /// SQLite cannot make one.
    pub async fn in_memory() -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new().filename(":memory:").in_memory(true).foreign_keys(true);
        let pool = pool(1).connect_with(options).await?;
        migrate(&pool).await?;
        Ok(Self { writer: pool.clone(), readers: pool })
    }

    /// Waits for the calls under way and closes the database; calls that come later fail.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Begins a write. `IMMEDIATE` takes the write lock at once: a transaction that read first and
    /// wrote later could find that its snapshot is no longer the newest, and fail.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failure)
    }
}

impl Store for SqliteStore {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        let row = Row::of(scope, resource)?;
        let mut tx = self.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO resources (tenant, type, id, seq, version, body) VALUES (?1, ?2, ?3, \
             (SELECT coalesce(max(seq), 0) + 1 FROM resources WHERE tenant = ?1 AND type = ?2), ?4, ?5) \
             ON CONFLICT DO NOTHING",
        )
        .bind(scope.tenant.as_str())
        .bind(scope.schema.name())
        .bind(row.id.as_str())
        .bind(row.version)
        .bind(&row.body)
        .execute(&mut *tx)
        .await
        .map_err(failure)?;
        if inserted.rows_affected() == 0 {
            return Err(StoreError::Conflict { attribute: "id".to_owned() });
        }
        keys::put(&mut tx, scope, &row.id, &keys::of(scope.schema, resource, unique)).await?;
        members::put(&mut tx, scope, &row.id, row.version, &row.members).await?;
        tx.commit().await.map_err(failure)
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        // One transaction: the members are those of the body's version.
        let mut tx = self.readers.begin().await.map_err(failure)?;
        let Some((_, body)) = row(&mut tx, scope, id).await? else {
            return Ok(None);
        };
        let mut resource = decode(&body)?;
        if members::includes(scope.schema, projection) {
            members::load(&mut tx, scope, id, &mut resource).await?;
        }
        Ok(Some(resource))
    }

    fn query_support(&self) -> QuerySupport {
        QuerySupport::ALL
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        let mut tx = self.readers.begin().await.map_err(failure)?;
        query::run(&mut tx, scope, query).await
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        let row = Row::of(scope, resource)?;
        let mut tx = self.begin().await?;
        expect(self::row(&mut tx, scope, &row.id).await?, Some(expected))?;
        members::put(&mut tx, scope, &row.id, row.version, &row.members).await?;
        row.update(&mut tx, scope).await?;
        keys::put(&mut tx, scope, &row.id, &keys::of(scope.schema, resource, unique)).await?;
        tx.commit().await.map_err(failure)
    }

    async fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Version,
    ) -> Result<Applied, StoreError> {
        let mut tx = self.begin().await?;
        let body = expect(row(&mut tx, scope, id).await?, Some(expected))?;
        let mut resource = decode(&body)?;
        let (change, deltas) = members::split(scope.schema, update.change);
        let mut changed = change.apply(&mut resource);
        for delta in &deltas {
            changed |= members::apply(&mut tx, scope, id, update.version, delta).await?;
        }
        if !changed {
            tx.rollback().await.map_err(failure)?;
            return Ok(Applied::Unchanged);
        }
        update.stamp(&mut resource);
        let row = Row::of(scope, &resource)?;
        row.update(&mut tx, scope).await?;
        keys::put(&mut tx, scope, id, &keys::of(scope.schema, &resource, update.unique)).await?;
        tx.commit().await.map_err(failure)?;
        Ok(Applied::Changed)
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        expected: Option<Version>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        expect(row(&mut tx, scope, id).await?, expected)?;
        // Its keys and members go with it.
        sqlx::query("DELETE FROM resources WHERE tenant = ?1 AND type = ?2 AND id = ?3")
            .bind(scope.tenant.as_str())
            .bind(scope.schema.name())
            .bind(id.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failure)?;
        tx.commit().await.map_err(failure)
    }

    async fn missing(
        &self,
        scope: Scope<'_>,
        mut ids: Vec<ResourceId>,
    ) -> Result<Vec<ResourceId>, StoreError> {
        let mut tx = self.readers.begin().await.map_err(failure)?;
        let mut found = HashSet::new();
        for some in ids.chunks(IDS_AT_ONCE) {
            let mut statement = QueryBuilder::<Sqlite>::new("SELECT id FROM resources WHERE tenant = ");
            statement.push_bind(scope.tenant.as_str()).push(" AND type = ").push_bind(scope.schema.name());
            statement.push(" AND id IN (");
            let mut places = statement.separated(", ");
            for id in some {
                places.push_bind(id.as_str());
            }
            statement.push(")");
            let rows: Vec<String> =
                statement.build_query_scalar().fetch_all(&mut *tx).await.map_err(failure)?;
            found.extend(rows);
        }
        ids.retain(|id| !found.contains(id.as_str()));
        Ok(ids)
    }
}

/// A resource as its row and the rows of its members hold it.
struct Row {
    id: ResourceId,
    version: i64,
    body: String,
    members: Vec<Value>,
}

impl Row {
    fn of(scope: Scope<'_>, resource: &Resource) -> Result<Self, StoreError> {
        let id = resource.id().ok_or_else(|| internal("a resource without id"))?;
        let version = resource.version().ok_or_else(|| internal("a resource without version"))?;
        let (body, members) = members::take(scope.schema, resource);
        Ok(Self { id, version: number(version)?, body: encode(&body.0)?, members })
    }

    async fn update(&self, tx: &mut SqliteConnection, scope: Scope<'_>) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE resources SET version = ?4, body = ?5 WHERE tenant = ?1 AND type = ?2 AND id = ?3",
        )
        .bind(scope.tenant.as_str())
        .bind(scope.schema.name())
        .bind(self.id.as_str())
        .bind(self.version)
        .bind(&self.body)
        .execute(tx)
        .await
        .map_err(failure)?;
        Ok(())
    }
}

/// The version and body of a resource.
async fn row(
    tx: &mut SqliteConnection,
    scope: Scope<'_>,
    id: &ResourceId,
) -> Result<Option<(i64, String)>, StoreError> {
    sqlx::query_as("SELECT version, body FROM resources WHERE tenant = ?1 AND type = ?2 AND id = ?3")
        .bind(scope.tenant.as_str())
        .bind(scope.schema.name())
        .bind(id.as_str())
        .fetch_optional(tx)
        .await
        .map_err(failure)
}

/// The body, if there is a row and its version is the expected one.
fn expect(row: Option<(i64, String)>, expected: Option<Version>) -> Result<String, StoreError> {
    let (version, body) = row.ok_or(StoreError::NotFound)?;
    match expected {
        Some(expected) if number(expected)? != version => Err(StoreError::VersionMismatch),
        _ => Ok(body),
    }
}

fn number(version: Version) -> Result<i64, StoreError> {
    i64::try_from(version.0).map_err(|error| StoreError::Internal(error.into()))
}

fn encode(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Internal(error.into()))
}

fn decode_value(text: &str) -> Result<Value, StoreError> {
    // What was stored passed narrower limits on its way in.
    let limits = JsonLimits { max_depth: 128 };
    Value::from_slice(text.as_bytes(), &limits).map_err(|error| StoreError::Internal(error.into()))
}

fn decode(body: &str) -> Result<Resource, StoreError> {
    match decode_value(body)? {
        Value::Object(object) => Ok(Resource(object)),
        _ => Err(internal("a stored resource is no object")),
    }
}

fn internal(message: &'static str) -> StoreError {
    StoreError::Internal(message.into())
}

fn failure(error: sqlx::Error) -> StoreError {
    let busy = match &error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
        // SQLITE_BUSY and SQLITE_LOCKED, whatever their extension in the higher bytes.
        sqlx::Error::Database(error) => error
            .code()
            .and_then(|code| code.parse().ok())
            .is_some_and(|code: i32| matches!(code & 0xff, 5 | 6)),
        _ => false,
    };
    if busy { StoreError::Unavailable(error.into()) } else { StoreError::Internal(error.into()) }
}

async fn migrate(pool: &SqlitePool) -> anyhow::Result<()> {
    Ok(sqlx::migrate!().run(pool).await?)
}

/// A pool whose connections stay: one in memory holds the database.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// Ids looked up in one statement.
const IDS_AT_ONCE: usize = 500;
/// Reads that run at the same time.
const READERS: u32 = 4;
/// How long a statement waits for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call waits for its turn before it is answered that the store is unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
