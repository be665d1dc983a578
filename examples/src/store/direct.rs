//! Short reads of an SQLite file, on the thread that asks.
//!
//! sqlx has a thread for each connection to SQLite: a statement is sent there, and its rows come back one
//! by one. To look something up by an index takes a fraction of what that takes. So a statement is
//! first tried here, at once. As the thread has other requests to serve, it waits for nothing, neither
//! a connection nor a lock, and is given up after a number of steps and of bytes; whatever is not read here is
//! read by the pool.
//!
//! What remains is the disk. A page that neither SQLite nor the system has in memory is waited for, here
//! as in any program that reads a file, for as long as the disk takes: a few pages for each row that is looked up,
//! one for some thousands of the bytes of a row. Other threads go on meanwhile.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Row, ffi};
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
    /// Who read last.
    thread: Option<ThreadId>,
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
        let reader = self.take()?;
        let rows = reader.rows(text, values).ok();
        if let Some(free) = self.free().as_mut() {
            free.push(reader);
        }
        rows
    }

    /// A free connection: that which the thread had last, whose pages its processor has at hand, or any.
    fn take(&self) -> Option<Reader> {
        let thread = thread::current().id();
        let mut free = self.free();
        let free = free.as_mut()?;
        let own = free.iter().position(|reader| reader.thread == Some(thread));
        let mut reader = own.map(|place| free.swap_remove(place)).or_else(|| free.pop())?;
        reader.thread = Some(thread);
        Some(reader)
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
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        // Otherwise SQLite plans a statement anew for each of its values, which takes longer than to read.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // What is longer is an error, before it is read.
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MOST_IN_VALUE)?;
        let looks = Arc::new(AtomicU32::new(0));
        let look = Arc::clone(&looks);
        let is_long = move || look.fetch_add(1, Ordering::Relaxed) >= MOST_LOOKS;
        connection.progress_handler(STEPS, Some(is_long))?;
        Ok(Self { connection, looks, thread: None })
    }

    fn rows<T: Read>(&self, text: &str, values: &[SqlValue]) -> rusqlite::Result<Vec<T>> {
        self.looks.store(0, Ordering::Relaxed);
        let mut statement = self.connection.prepare_cached(text)?;
        for (index, value) in values.iter().enumerate() {
            statement.raw_bind_parameter(index + 1, Bound(value))?;
        }
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            bytes += length(row)?;
            if bytes > MOST_BYTES {
                return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_TOOBIG), None));
            }
            found.push(T::try_from(row)?);
        }
        Ok(found)
    }
}

/// How many bytes of text are in the row.
fn length(row: &Row<'_>) -> rusqlite::Result<usize> {
    let mut length = 0;
    for column in 0..row.as_ref().column_count() {
        if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(column)? {
            length += bytes.len();
        }
    }
    Ok(length)
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

/// As long a value may be: a resource, or the groups of one.
const MOST_IN_VALUE: i32 = 256 << 10;
/// As many bytes may be read before it is given up: pages of a few hundred usual resources have fewer.
const MOST_BYTES: usize = 512 << 10;
/// What a connection keeps of the file in memory: the upper pages of the indexes, and what was read last.
const CACHE_KIB: i32 = 8 << 10;
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
    async fn what_is_long_is_given_up_and_read_by_the_pool() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqlStore::open(&folder.path().join("scim.db")).await.unwrap();
        let Database::Sqlite { direct: Some(direct), .. } = &store.database else { panic!("a file") };
        let write = async |length: i64| {
            let mut tx = store.database.write().await.unwrap();
            let audit = "INSERT INTO audit (tenant, time, id, type, resource, body) \
                         VALUES ('acme', ?1, '', '', '', hex(zeroblob(?1 / 2)))";
            Statement::new(audit).number(length).execute(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
        };
        let read = "SELECT body FROM audit WHERE time <= ?1";
        let lengths = |found: Vec<(String,)>| found.iter().map(|(text,)| text.len()).collect::<Vec<_>>();
        let at_once = |most: i64| direct.rows(read, &[SqlValue::Integer(most)]).map(lengths);
        // Each of these is not too long, and all of them are; the last is by itself.
        let some = [200_000, 200_002, 200_004, 600_000];
        for length in some {
            write(length).await;
        }
        assert_eq!(at_once(200_002), Some(vec![200_000, 200_002]));
        assert_eq!(at_once(200_004), None);
        assert_eq!(direct.rows::<(String,)>("SELECT body FROM audit WHERE time = 600000", &[]), None);
        assert_eq!(
            direct
                .rows::<(i64,)>(read.replace("body", "time").as_str(), &[SqlValue::Integer(600_000)])
                .map(|found| found.len()),
            Some(4)
        );
        assert_eq!(at_once(200_000), Some(vec![200_000]));
        let mut tx = store.database.once().await.unwrap();
        let found: Vec<(String,)> = Statement::new(read).number(600_000).rows(&mut tx).await.unwrap();
        assert_eq!(lengths(found), some.map(|length| usize::try_from(length).unwrap()));
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
