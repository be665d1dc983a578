//! What statements are made in, and how long they may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use scim_core::store::StoreError;
use scim_filter::sql::Dialect;
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

use super::super::connections::Lent;
use super::super::direct::Direct;
use super::failure;

/// A transaction, rolled back unless it is committed; or a connection, each statement of which is a
/// transaction of its own.
pub(in crate::store) enum Tx {
    Sqlite(Transaction<'static, Sqlite>, Clock),
    SqliteOnce(
        PoolConnection<Sqlite>,
        #[expect(dead_code, reason = "it ends what takes too long until it is dropped")] Clock,
    ),
    SqliteDirect(Reads),
    Postgres(Lent),
}

/// Where an SQLite file is read: each statement at once, or else by a connection of the pool.
pub(in crate::store) struct Reads {
    pub(super) direct: Arc<Direct>,
    pub(super) readers: SqlitePool,
    pub(super) most: Duration,
}

pub(super) enum Connection<'t> {
    Sqlite(&'t mut SqliteConnection),
    Postgres(&'t mut Lent),
}

impl Tx {
    pub(in crate::store) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(..) | Self::SqliteOnce(..) | Self::SqliteDirect(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(super) async fn connection(&mut self) -> Result<Connection<'_>, StoreError> {
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

    pub(in crate::store) async fn commit(self) -> Result<(), StoreError> {
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

    pub(in crate::store) async fn rollback(self) -> Result<(), StoreError> {
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

/// Interrupts what a connection to SQLite does when it has taken too long; no longer once it is
/// dropped.
pub(in crate::store) struct Clock(Arc<AtomicBool>);

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

pub(super) async fn once(mut connection: PoolConnection<Sqlite>, most: Duration) -> Result<Tx, StoreError> {
    let clock = Clock::wind(&mut connection, most).await.map_err(failure)?;
    Ok(Tx::SqliteOnce(connection, clock))
}

pub(super) async fn watched(mut tx: Transaction<'static, Sqlite>, most: Duration) -> Result<Tx, StoreError> {
    let clock = Clock::wind(&mut tx, most).await.map_err(failure)?;
    Ok(Tx::Sqlite(tx, clock))
}

/// Steps of SQLite's virtual machine between two looks at the clock; some thousandths of a second.
const STEPS: i32 = 100_000;
