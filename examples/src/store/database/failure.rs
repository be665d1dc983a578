//! What a failure of the database means, and what is tried again.

use std::future::Future;
use std::time::Duration;

use scim_core::store::StoreError;

/// Runs a write, and runs it again where the database gave it up for the sake of another.
pub(in crate::store) async fn retrying<T, F>(mut write: impl FnMut() -> F) -> Result<T, StoreError>
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
pub(super) fn is_busy(code: &str) -> bool {
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
pub(in crate::store) fn failure(error: sqlx::Error) -> StoreError {
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

/// How often a write is run again.
const RETRIES: u32 = 8;
