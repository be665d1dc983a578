//! What the bridge remembers between runs: a row for each group, in the database of the groups; what it asked for, and
//! what guards refused, that has no line in the audit log yet; and what guards refuse, so that it is said once.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use scim_profiles::pagerduty::teams::{GroupState, TeamState};
use sqlx::SqlitePool;
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// The table.
#[derive(Clone)]
pub(super) struct Memory(SqlitePool);

impl Memory {
    /// Opens the SQLite file `path`, and makes the table where it is missing.
    pub(super) async fn open(path: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What is said to be kept is on the disk.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(30));
        let pool = PoolOptions::new().max_connections(1).connect_with(options).await;
        let pool: SqlitePool =
            pool.with_context(|| format!("cannot open the database `{}`", path.display()))?;
        for table in TABLES {
            sqlx::query(table).execute(&pool).await.context("cannot make the tables of the bridge")?;
        }
        Ok(Self(pool))
    }

    /// Opens the SQLite file `path` to look only: nothing is remembered where the table is missing, nor can be.
    pub(super) async fn look(path: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .pragma("query_only", "ON")
            .busy_timeout(Duration::from_secs(30));
        let pool = PoolOptions::new().max_connections(1).connect_with(options).await;
        pool.map(Self).with_context(|| format!("cannot open the database `{}`", path.display()))
    }

    /// What is remembered of the groups of `tenant`.
    pub(super) async fn load(&self, tenant: &str) -> anyhow::Result<TeamState> {
        if !self.is_there("team_sync").await? {
            return Ok(TeamState::default());
        }
        let rows = sqlx::query_as::<_, (String, String)>("SELECT id, state FROM team_sync WHERE tenant = ?1")
            .bind(tenant)
            .fetch_all(&self.0)
            .await
            .context("cannot read what the bridge remembers")?;
        let mut state = TeamState::default();
        for (id, text) in rows {
            let group: GroupState = serde_json::from_str(&text).with_context(|| {
                format!("what is remembered of the group `{}` cannot be read", id.escape_debug())
            })?;
            state.set(&id, Some(group));
        }
        Ok(state)
    }

    /// Remembers `state` of a group, or nothing of it any more.
    pub(super) async fn save(
        &self,
        tenant: &str,
        group: &str,
        state: Option<&GroupState>,
    ) -> anyhow::Result<()> {
        let saved = match state {
            Some(state) => {
                let text = serde_json::to_string(state)?;
                sqlx::query(SAVE).bind(tenant).bind(group).bind(text).execute(&self.0).await
            }
            None => sqlx::query(FORGET).bind(tenant).bind(group).execute(&self.0).await,
        };
        saved.context("cannot write what the bridge has to remember")?;
        Ok(())
    }

    async fn is_there(&self, table: &str) -> anyhow::Result<bool> {
        let there = sqlx::query_scalar::<_, bool>(IS_THERE).bind(table).fetch_one(&self.0).await;
        there.context("cannot read what the database has")
    }

    /// Keeps the `line` of a change that is about to be asked for, or what is known of it now.
    pub(super) async fn begin(&self, tenant: &str, id: &str, line: &str) -> anyhow::Result<()> {
        let kept = sqlx::query(BEGIN).bind(id).bind(tenant).bind(line).execute(&self.0).await;
        kept.context("cannot write what is about to be changed")?;
        Ok(())
    }

    /// Forgets a change whose line is in the audit log.
    pub(super) async fn end(&self, id: &str) -> anyhow::Result<()> {
        let gone = sqlx::query("DELETE FROM team_sync_asked WHERE id = ?1").bind(id).execute(&self.0).await;
        gone.context("cannot write what was changed")?;
        Ok(())
    }

    /// The changes of `tenant` that were asked for and may have no line: their ids and lines.
    pub(super) async fn begun(&self, tenant: &str) -> anyhow::Result<Vec<(String, String)>> {
        let rows = sqlx::query_as("SELECT id, line FROM team_sync_asked WHERE tenant = ?1 ORDER BY rowid");
        rows.bind(tenant).fetch_all(&self.0).await.context("cannot read what was about to be changed")
    }

    /// When a run of `tenant` looked up everybody last.
    pub(super) async fn looked_up(&self, tenant: &str) -> anyhow::Result<Option<Timestamp>> {
        if !self.is_there("team_sync_looked_up").await? {
            return Ok(None);
        }
        let at = sqlx::query_scalar::<_, i64>("SELECT at FROM team_sync_looked_up WHERE tenant = ?1")
            .bind(tenant)
            .fetch_optional(&self.0)
            .await
            .context("cannot read when everybody was looked up")?;
        Ok(at.and_then(|seconds| Timestamp::from_second(seconds).ok()))
    }

    /// Remembers that a run of `tenant` that began at `at` looked up everybody.
    pub(super) async fn look_up(&self, tenant: &str, at: Timestamp) -> anyhow::Result<()> {
        let kept = sqlx::query(LOOK_UP).bind(tenant).bind(at.as_second()).execute(&self.0).await;
        kept.context("cannot write when everybody was looked up")?;
        Ok(())
    }

    /// What guards refused when that was noted last, as [`guard`](Self::guard) was told.
    pub(super) async fn guarded(&self, tenant: &str) -> anyhow::Result<BTreeSet<String>> {
        let rows = sqlx::query_scalar("SELECT refusal FROM team_sync_guarded WHERE tenant = ?1").bind(tenant);
        let rows: Vec<String> = rows.fetch_all(&self.0).await.context("cannot read what guards refused")?;
        Ok(rows.into_iter().collect())
    }

    /// Remembers that a guard refuses this, and in the same transaction keeps the `line` of it, as that of a change that
    /// was asked for: so that it is recorded once, wherever the process ends.
    pub(super) async fn guard(
        &self,
        tenant: &str,
        refusal: &str,
        id: &str,
        line: &str,
    ) -> anyhow::Result<()> {
        let kept = async {
            let mut transaction = self.0.begin().await?;
            sqlx::query(GUARD).bind(tenant).bind(refusal).execute(&mut *transaction).await?;
            sqlx::query(BEGIN).bind(id).bind(tenant).bind(line).execute(&mut *transaction).await?;
            transaction.commit().await
        };
        kept.await.context("cannot write what guards refused")
    }

    /// Forgets a refusal: the guard does not refuse that any more.
    pub(super) async fn unguard(&self, tenant: &str, refusal: &str) -> anyhow::Result<()> {
        let gone = sqlx::query(UNGUARD).bind(tenant).bind(refusal).execute(&self.0).await;
        gone.context("cannot write what guards refused")?;
        Ok(())
    }

    /// Closes the database.
    pub(super) async fn close(&self) {
        self.0.close().await;
    }
}

const TABLES: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS team_sync (
        tenant TEXT NOT NULL,
        id     TEXT NOT NULL,
        state  TEXT NOT NULL,
        PRIMARY KEY (tenant, id)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS team_sync_asked (
        id     TEXT NOT NULL PRIMARY KEY,
        tenant TEXT NOT NULL,
        line   TEXT NOT NULL
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS team_sync_looked_up (
        tenant TEXT NOT NULL PRIMARY KEY,
        at     INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS team_sync_guarded (
        tenant  TEXT NOT NULL,
        refusal TEXT NOT NULL,
        PRIMARY KEY (tenant, refusal)
    ) STRICT, WITHOUT ROWID",
];
const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
const BEGIN: &str = "INSERT INTO team_sync_asked (id, tenant, line) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (id) DO UPDATE SET line = excluded.line";
const LOOK_UP: &str = "INSERT INTO team_sync_looked_up (tenant, at) VALUES (?1, ?2) \
                       ON CONFLICT (tenant) DO UPDATE SET at = excluded.at";
const GUARD: &str = "INSERT INTO team_sync_guarded (tenant, refusal) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const UNGUARD: &str = "DELETE FROM team_sync_guarded WHERE tenant = ?1 AND refusal = ?2";
const SAVE: &str = "INSERT INTO team_sync (tenant, id, state) VALUES (?1, ?2, ?3) \
                    ON CONFLICT (tenant, id) DO UPDATE SET state = excluded.state";
const FORGET: &str = "DELETE FROM team_sync WHERE tenant = ?1 AND id = ?2";

/// Keeps a second process from writing to PagerDuty for the same database: it would not know what the first is about to
/// do. The lock ends with the process, however that ends.
pub(super) struct Lock(#[expect(dead_code, reason = "it holds the lock")] File);

impl Lock {
    /// Takes the lock beside the database `path`.
    pub(super) fn take(path: &Path) -> anyhow::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".team-sync");
        let name = PathBuf::from(name);
        let file = File::options().create(true).append(true).open(&name);
        let file = file.with_context(|| format!("cannot open `{}`", name.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                bail!("another team_sync is at work on `{}`", path.display())
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock `{}`", name.display()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_is_there_again_and_each_tenants_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bridge.db");
        let memory = Memory::open(&file).await.unwrap();
        let state = |team: &str| GroupState { team: Some(team.to_owned()), ..GroupState::default() };
        memory.save("a", "g1", Some(&state("P1"))).await.unwrap();
        memory.save("a", "g1", Some(&state("P2"))).await.unwrap();
        memory.save("a", "g2", Some(&state("P3"))).await.unwrap();
        memory.save("b", "g1", Some(&state("P4"))).await.unwrap();
        memory.save("a", "g2", None).await.unwrap();
        memory.close().await;
        let memory = Memory::open(&file).await.unwrap();
        let of_a = memory.load("a").await.unwrap();
        assert_eq!(of_a.groups.len(), 1);
        assert_eq!(of_a.group("g1"), Some(&state("P2")));
        assert_eq!(memory.load("b").await.unwrap().group("g1"), Some(&state("P4")));
        assert_eq!(memory.load("c").await.unwrap(), TeamState::default());
    }

    #[tokio::test]
    async fn who_only_looks_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bridge.db");
        assert!(Memory::look(&file).await.is_err());
        std::fs::write(&file, "").unwrap();
        let memory = Memory::look(&file).await.unwrap();
        assert_eq!(memory.load("a").await.unwrap(), TeamState::default());
        assert!(memory.save("a", "g1", None).await.is_err());
        memory.close().await;
        assert!(std::fs::read(&file).unwrap().is_empty());

        let memory = Memory::open(&file).await.unwrap();
        let state = GroupState { team: Some("P1".to_owned()), ..GroupState::default() };
        memory.save("a", "g1", Some(&state)).await.unwrap();
        memory.close().await;
        let memory = Memory::look(&file).await.unwrap();
        assert_eq!(memory.load("a").await.unwrap().group("g1"), Some(&state));
        assert!(memory.save("a", "g1", None).await.is_err());
    }

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bridge.db");
        let lock = Lock::take(&file).unwrap();
        let refused = Lock::take(&file).err().unwrap().to_string();
        assert!(refused.starts_with("another team_sync is at work on `"), "{refused}");
        drop(lock);
        Lock::take(&file).unwrap();
    }
}
