//! Connections to PostgreSQL that are kept at hand for the next look-up.
//!
//! sqlx's pool asks a connection that is given back whether it is still there, in a task of its own,
//! which takes as long as a look-up does. So a connection that has answered is kept here. Who waits for
//! the pool gets what is kept first, and one that has been kept for a while is given back when it was next
//! used. What does not answer, since the way to it or its server is gone, is let go of within a second: neither
//! look-ups nor the pool's places wait for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, Postgres};

/// The connections at hand; clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    // Those used last are taken first.
    idle: Vec<Idle>,
    // How many calls wait for the pool; while there are any, nothing is kept.
    waiting: usize,
}

#[derive(Debug)]
struct Idle {
    connection: PoolConnection<Postgres>,
    // From the pool.
    taken: Instant,
    used: Instant,
}

impl Idle {
    /// To the pool, which asks what comes back whether it is there, without an end to waiting: so who was not heard of for a
    /// while is asked here first.
    fn give_back(self) {
        let Self { mut connection, used, .. } = self;
        if used.elapsed() >= TRUSTED {
            tokio::spawn(async move {
                if !is_there(&mut connection).await {
                    drop(connection.detach());
                }
            });
        }
    }
}

/// Whether the other end answers, soon: of one that is gone without a word nothing is ever heard.
pub(super) async fn is_there(connection: &mut PgConnection) -> bool {
    matches!(tokio::time::timeout(ANSWERS_WITHIN, connection.ping()).await, Ok(Ok(())))
}

impl Kept {
    /// A connection that answered a moment ago, or does so now.
    pub(super) async fn take(&self) -> Option<Lent> {
        loop {
            let Idle { mut connection, taken, used } = self.state().idle.pop()?;
            if used.elapsed() < TRUSTED || is_there(&mut connection).await {
                return Some(self.lent(connection, taken));
            }
            // The pool would ask it without an end to waiting.
            drop(connection.detach());
        }
    }

    /// The connection, which is kept when it has answered.
    pub(super) fn lend(&self, connection: PoolConnection<Postgres>) -> Lent {
        self.lent(connection, Instant::now())
    }

    /// Waits for the pool, which is given back what is kept.
    pub(super) async fn waiting<T>(&self, call: impl Future<Output = T>) -> T {
        let _waiting = Waiting::new(self);
        call.await
    }

    /// Keeps nothing any more.
    pub(super) fn close(&self) {
        std::mem::forget(Waiting::new(self));
    }

    fn lent(&self, connection: PoolConnection<Postgres>, taken: Instant) -> Lent {
        Lent { connection: Some(connection), kept: self.clone(), taken, has_answered: true }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last store over the database is dropped, maybe where no task can give connections back.
impl Drop for State {
    fn drop(&mut self) {
        self.idle.drain(..).for_each(|idle| drop(idle.connection.detach()));
    }
}

/// A call that waits for the pool, until it is dropped.
struct Waiting<'k>(&'k Kept);

impl<'k> Waiting<'k> {
    fn new(kept: &'k Kept) -> Self {
        let mut state = kept.state();
        state.waiting += 1;
        for idle in state.idle.drain(..) {
            idle.give_back();
        }
        Self(kept)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

/// A connection that comes back when it is dropped: here if its last statement was answered to the end, and
/// otherwise to the pool, which looks after it.
#[derive(Debug)]
pub(super) struct Lent {
    // `None` once it is dropped.
    connection: Option<PoolConnection<Postgres>>,
    kept: Kept,
    taken: Instant,
    has_answered: bool,
}

impl Lent {
    /// The connection, for a statement that is under way until [`answered`](Self::answered).
    pub(super) fn ask(&mut self) -> Option<&mut PgConnection> {
        self.has_answered = false;
        self.connection.as_deref_mut()
    }

    /// The statement was answered to the end.
    pub(super) fn answered(&mut self) {
        self.has_answered = true;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let mut state = self.kept.state();
        if self.has_answered && state.waiting == 0 && self.taken.elapsed() < LONGEST {
            state.idle.push(Idle { connection, taken: self.taken, used: Instant::now() });
        }
    }
}

/// How long a connection is taken to be still there without asking.
pub(super) const TRUSTED: Duration = Duration::from_secs(1);
/// How long one that is asked whether it is there may take to say so.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);
/// How long a connection is kept from the pool, which has a limit to its age.
const LONGEST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::super::database::{Database, Limits, Statement};
    use super::super::tests::sql_support;
    use super::*;

    #[tokio::test]
    async fn a_connection_is_kept_for_the_next_and_given_to_who_waits() {
        let Some(server) = sql_support::Postgres::start() else { return };
        let url = server.database("kept").await;
        // One: who waits for another would wait for ever.
        let limits = Limits { connections: 1, ..Limits::default() };
        let database = Database::connect(&url, &limits).await.unwrap();
        let Database::Postgres(pool, kept) = &database else { panic!("PostgreSQL") };
        let ask = async |text: &'static str| {
            let mut tx = database.once().await.unwrap();
            Statement::new(text).row::<(i64,)>(&mut tx).await
        };
        let idle = || kept.state().idle.len();

        for _ in 0..3 {
            assert_eq!(ask("SELECT 1::bigint").await.unwrap(), Some((1,)));
            assert_eq!((idle(), pool.num_idle()), (1, 0));
        }
        // A statement that fails, and one that is dropped, leave nothing here.
        assert!(ask("SELECT 1 / 0::bigint").await.is_err());
        assert_eq!(idle(), 0);
        assert_eq!(ask("SELECT 2::bigint").await.unwrap(), Some((2,)));
        let slow = ask("SELECT 3::bigint FROM pg_sleep(0.5)");
        assert!(tokio::time::timeout(Duration::from_millis(50), slow).await.is_err());
        assert_eq!(idle(), 0);
        assert_eq!(ask("SELECT 4::bigint").await.unwrap(), Some((4,)));
        assert_eq!(idle(), 1);

        // A writer gets the connection, and who reads then gets it back.
        let write = database.write().await.unwrap();
        assert_eq!(idle(), 0);
        let (found, ()) = tokio::join!(ask("SELECT 5::bigint"), async { write.commit().await.unwrap() });
        assert_eq!(found.unwrap(), Some((5,)));

        database.close().await;
        assert!(database.once().await.is_err());
    }

    #[tokio::test]
    async fn a_connection_that_does_not_answer_any_more_is_let_go_of() {
        let Some(server) = sql_support::Postgres::start() else { return };
        let url = server.database("silent").await;
        // One place: as long as the silent connection has it, nobody else gets one.
        let limits = Limits { connections: 1, wait: Duration::from_secs(5), ..Limits::default() };
        let database = Database::connect(&url, &limits).await.unwrap();
        let process = async || {
            let mut tx = database.once().await.unwrap();
            let found: Option<(i64,)> =
                Statement::new("SELECT pg_backend_pid()::bigint").row(&mut tx).await.unwrap();
            found.unwrap().0
        };
        let signal = |name: &str, process: i64| {
            let sent = std::process::Command::new("kill").args([name, &process.to_string()]).status();
            assert!(sent.unwrap().success());
        };
        // By the next look-up, and by a write, which waits for the pool.
        for writes in [false, true] {
            let silent = process().await;
            signal("-STOP", silent);
            tokio::time::sleep(TRUSTED).await;
            if writes {
                database.write().await.unwrap().rollback().await.unwrap();
            }
            let next = process().await;
            signal("-CONT", silent);
            assert_ne!(next, silent);
        }
    }
}
