//! Short reads of an SQLite file, on the thread that asks.
//!
//! sqlx has a thread for each connection to SQLite: a statement is sent there, and its rows come back one
//! by one. To look something up by an index takes a fraction of what that takes. So a statement is
//! first tried here, at once. As the thread has other requests to serve, it waits for nothing, neither
//! a connection nor a lock, and is given up after a number of steps; whatever is not read here is
//! read by the pool.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Row};
use scim_filter::sql::SqlValue;

/// Connections to an SQLite file that are never waited for.
#[derive(Debug)]
pub(super) struct Direct {
    // `None` when the database is closed.
    free: Mutex<Option<Vec<Reader>>>,
}

#[derive(Debug)]
struct Reader {
    connection: Connection,
    /// How often the connection was asked whether to go on, since the statement began.
    looks: Arc<AtomicU32>,
}

/// A row of SQLite as it is read here.
pub(super) trait Read: for<'r> TryFrom<&'r Row<'r>, Error = rusqlite::Error> {}

impl<T> Read for T where T: for<'r> TryFrom<&'r Row<'r>, Error = rusqlite::Error> {}

impl Direct {
    /// Opens the file, whose tables are there.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        // As many as there are threads that can ask at the same moment.
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let readers: rusqlite::Result<Vec<Reader>> = (0..threads).map(|_| Reader::open(path)).collect();
        Ok(Self { free: Mutex::new(Some(readers?)) })
    }

    /// The rows of the statement; `None` where it has to be made by the pool, for whatever reason.
    pub(super) fn rows<T: Read>(&self, text: &str, values: &[SqlValue]) -> Option<Vec<T>> {
        let reader = self.free().as_mut()?.pop()?;
        let rows = reader.rows(text, values).ok();
        if let Some(free) = self.free().as_mut() {
            free.push(reader);
        }
        rows
    }

    /// Closes the connections.
    pub(super) fn close(&self) {
        self.free().take();
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Option<Vec<Reader>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn open(path: &Path) -> rusqlite::Result<Self> {
        // In WAL mode who reads writes too, into the index of the log.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update(None, "query_only", true)?;
        // Otherwise SQLite plans a statement anew for each of its values, which takes longer than to read.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let looks = Arc::new(AtomicU32::new(0));
        let look = Arc::clone(&looks);
        let is_long = move || look.fetch_add(1, Ordering::Relaxed) >= MOST_LOOKS;
        connection.progress_handler(STEPS, Some(is_long))?;
        Ok(Self { connection, looks })
    }

    fn rows<T: Read>(&self, text: &str, values: &[SqlValue]) -> rusqlite::Result<Vec<T>> {
        self.looks.store(0, Ordering::Relaxed);
        let mut statement = self.connection.prepare_cached(text)?;
        for (index, value) in values.iter().enumerate() {
            statement.raw_bind_parameter(index + 1, Bound(value))?;
        }
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(T::try_from(row)?);
        }
        Ok(found)
    }
}

/// A value as SQLite takes it.
struct Bound<'v>(&'v SqlValue);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            SqlValue::Text(text) => ValueRef::Text(text.as_bytes()),
            SqlValue::Integer(number) => ValueRef::Integer(*number),
            SqlValue::Float(number) => ValueRef::Real(*number),
            SqlValue::Boolean(value) => ValueRef::Integer((*value).into()),
        }))
    }
}

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 64;
/// Steps of SQLite's virtual machine between two looks at how many it were.
const STEPS: i32 = 1_000;
/// So often a statement goes on: some 16,000 steps, about a millisecond.
const MOST_LOOKS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::super::SqlStore;
    use super::super::database::{Database, Statement};
    use super::*;

    /// Counts to a number, and so takes as many steps.
    const COUNT: &str = "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ?1) \
                         SELECT count(*) FROM s";

    #[tokio::test]
    async fn what_takes_long_is_given_up_and_made_by_the_pool() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqlStore::open(&folder.path().join("scim.db")).await.unwrap();
        let Database::Sqlite { direct: Some(direct), .. } = &store.database else { panic!("a file") };
        let count = |most: i64| direct.rows::<(i64,)>(COUNT, &[SqlValue::Integer(most)]);
        // Each has the steps to itself, whatever was made before.
        for _ in 0..40 {
            assert_eq!(count(500), Some(vec![(500,)]));
        }
        assert_eq!(count(1_000_000), None);
        assert_eq!(count(500), Some(vec![(500,)]));

        let mut tx = store.database.once().await.unwrap();
        for most in [500, 1_000_000] {
            let counted: Option<(i64,)> = Statement::new(COUNT).number(most).row(&mut tx).await.unwrap();
            assert_eq!(counted, Some((most,)));
        }
    }

    #[tokio::test]
    async fn nothing_is_written_or_waited_for_here() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqlStore::open(&folder.path().join("scim.db")).await.unwrap();
        let Database::Sqlite { direct: Some(direct), .. } = store.database.clone() else { panic!("a file") };
        let audit = "SELECT count(*) FROM audit";
        assert_eq!(direct.rows::<(i64,)>("DELETE FROM audit RETURNING time", &[]), None);
        // A writer is in nobody's way.
        let tx = store.database.write().await.unwrap();
        assert_eq!(direct.rows(audit, &[]), Some(vec![(0_i64,)]));
        tx.rollback().await.unwrap();
        // Where all connections are taken, there is none.
        let taken = direct.free().as_mut().map(std::mem::take);
        assert_eq!(direct.rows::<(i64,)>(audit, &[]), None);
        *direct.free() = taken;
        store.close().await;
        assert_eq!(direct.rows::<(i64,)>(audit, &[]), None);
    }
}
