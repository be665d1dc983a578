//! SQLite or PostgreSQL: how one begins to read and to write.

mod failure;
mod open;
mod statement;
mod transaction;

use std::sync::Arc;
use std::time::Duration;

use scim_core::store::StoreError;
use scim_filter::sql::Dialect;
use sqlx::{Sqlite, SqlitePool, Transaction};

pub(super) use self::failure::{failure, retrying};
#[cfg(test)]
pub(super) use self::open::{MIGRATIONS, byte_by_byte};
#[cfg(test)]
pub(super) use self::statement::Record;
pub(super) use self::statement::{Statement, batches, look_up, places};
pub(super) use self::transaction::Tx;
use self::transaction::{Reads, once, watched};
use super::connections::Connections;
use super::direct::Direct;

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
