//! Requests that are dropped, over SQLite.

use super::database::Database;
use super::{AuditQuery, SqlStore};

#[path = "../../tests/dropping/mod.rs"]
mod dropping;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    dropped_requests(SqlStore::open(&folder.path().join("scim.db")).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_memory_on_one_connection() {
    dropped_requests(SqlStore::in_memory().await.unwrap()).await;
}

async fn dropped_requests(store: SqlStore) {
    let Database::Sqlite { writer, .. } = store.database.clone() else { panic!("SQLite") };
    let settled = || async {
        // The writer is there for the next one, and has no transaction open.
        let mut connection = writer.acquire().await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await.unwrap();
        sqlx::query("ROLLBACK").execute(&mut *connection).await.unwrap();
    };
    dropping::dropped_requests_are_made_or_not(store, settled).await;
}
