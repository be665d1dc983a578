//! Connections to PostgreSQL, and how long a call waits for what it asks there.
//!
//! sqlx's own pool asks a connection that is given back whether it is still there, in a task of its own, which takes as
//! long as a look-up does; and a server that falls silent, or a network that is gone without a word, is waited for
//! without an end, also by that task. So connections are kept here. One that has answered to the end is there for
//! the next call, and is asked first only when it was not used for a while. Each step of a call has to end
//! within the time of the call, a little longer than the server itself lets a statement take; what does not is
//! let go of, with its connection. What a call leaves behind, because it failed or its request was dropped, has
//! a moment to come to its end, and is cut off otherwise: the server looks now and then whether its client is
//! still there, and ends what it does for one that is gone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scim_core::store::StoreError;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::database::{Limits, failure};

/// The connections to a database; clones share them.
#[derive(Clone)]
pub(super) struct Connections(Arc<Shared>);

struct Shared {
    options: PgConnectOptions,
    // Who waits for one gets it in turn.
    places: Arc<Semaphore>,
    limits: Limits,
    // Those used last are taken first.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: PgConnection,
    made: Instant,
    used: Instant,
}

impl Connections {
    /// As many as `limits` permits, made when they are needed.
    pub(super) fn new(options: PgConnectOptions, limits: &Limits) -> Self {
        let limits = Limits { connections: limits.connections.clamp(1, MOST), ..limits.clone() };
        let places = Arc::new(Semaphore::new(limits.connections as usize));
        Self(Arc::new(Shared { options, places, limits, idle: Mutex::default() }))
    }

    /// A connection that answered a moment ago, if there is one and nobody waits for it.
    pub(super) fn at_hand(&self) -> Option<Lent> {
        let place = Arc::clone(&self.0.places).try_acquire_owned().ok()?;
        let Idle { connection, made, .. } = self.idle().pop_if(|idle| idle.used.elapsed() < TRUSTED)?;
        Some(self.lent(connection, made, place))
    }

    /// A connection that answered a moment ago, or does so now.
    pub(super) async fn take(&self) -> Result<Lent, StoreError> {
        let Shared { options, places, limits, .. } = &*self.0;
        let ends = Instant::now() + limits.wait;
        let place = timeout_at(ends, Arc::clone(places).acquire_owned()).await;
        let place = place.map_err(|_| unavailable("all connections to the database are in use"))?;
        let place = place.map_err(|_| unavailable("the database is closed"))?;
        while let Some(Idle { mut connection, made, used }) = self.pop() {
            if used.elapsed() < TRUSTED || is_there(&mut connection).await {
                return Ok(self.lent(connection, made, place));
            }
            // Those not used for longer are hardly there if this one is not, and to ask each takes its time.
            self.idle().clear();
        }
        let connection = timeout_at(ends, connect(options, STARTS_WITHIN)).await;
        let connection = connection.map_err(|_| unavailable("the database does not answer"))?;
        let connection = connection.map_err(|error| StoreError::Unavailable(error.into()))?;
        Ok(self.lent(connection, Instant::now(), place))
    }

    /// Waits for the calls under way and closes the connections; who asks for one later gets none.
    pub(super) async fn close(&self) {
        let Shared { places, limits, .. } = &*self.0;
        let _all = places.acquire_many(limits.connections).await;
        places.close();
        let idle = std::mem::take(&mut *self.idle());
        let goodbyes = async {
            for Idle { connection, .. } in idle {
                let _ = connection.close().await;
            }
        };
        let _ = timeout(MOMENT, goodbyes).await;
    }

    fn lent(&self, connection: PgConnection, made: Instant, place: OwnedSemaphorePermit) -> Lent {
        Lent {
            connection: Some(connection),
            connections: self.clone(),
            place: Some(place),
            made,
            ends: Instant::now() + self.0.limits.statement + LATER,
            has_answered: true,
            in_transaction: false,
        }
    }

    fn pop(&self) -> Option<Idle> {
        self.idle().pop()
    }

    fn put(&self, connection: PgConnection, made: Instant) {
        if made.elapsed() > OLDEST || self.0.places.is_closed() {
            return;
        }
        let mut idle = self.idle();
        // In the order of use: what is not needed any more goes one by one.
        if idle.first().is_some_and(|first| first.used.elapsed() > UNUSED) {
            idle.remove(0);
        }
        idle.push(Idle { connection, made, used: Instant::now() });
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection of a call. It comes back when it is dropped.
pub(super) struct Lent {
    // `None` once it is given up.
    connection: Option<PgConnection>,
    connections: Connections,
    place: Option<OwnedSemaphorePermit>,
    made: Instant,
    ends: Instant,
    has_answered: bool,
    in_transaction: bool,
}

impl Lent {
    /// Begins a transaction by this statement.
    pub(super) async fn begin(mut self, statement: &'static str) -> Result<Self, StoreError> {
        // It may be begun even if the call is dropped while it waits for the answer.
        self.in_transaction = true;
        let (connection, ends) = self.ask()?;
        let begun = within(ends, connection.execute(statement)).await;
        self.heard(begun).map_err(failure)?;
        Ok(self)
    }

    /// Makes lasting what the transaction did; nothing where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::OutcomeUnknown`] where the server did not say that it is, nor that it is not.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        if !self.in_transaction {
            return Ok(());
        }
        let (connection, ends) = self.ask()?;
        let done = within(ends, connection.execute("COMMIT")).await;
        self.in_transaction = false;
        self.heard(done).map(drop).map_err(|error| match is_undone(&error) {
            true => failure(error),
            false => StoreError::OutcomeUnknown(error.into()),
        })
    }

    /// Takes back what the transaction did.
    pub(super) async fn rollback(mut self) -> Result<(), StoreError> {
        if !self.in_transaction {
            return Ok(());
        }
        let (connection, ends) = self.ask()?;
        let done = within(ends, connection.execute("ROLLBACK")).await;
        self.in_transaction = done.is_err();
        self.heard(done).map(drop).map_err(failure)
    }

    /// The connection, for a statement that is under way until it is [heard](Self::heard) of, and the end of the
    /// time [`within`] which that has to be.
    pub(super) fn ask(&mut self) -> Result<(&mut PgConnection, Instant), StoreError> {
        if Instant::now() >= self.ends {
            return Err(unavailable("the call takes longer than it may"));
        }
        let connection = self.connection.as_mut();
        let connection = connection.ok_or_else(|| unavailable("the connection to the database is lost"))?;
        self.has_answered = false;
        Ok((connection, self.ends))
    }

    /// What came of the statement. A connection of which nothing is to be expected any more is let go of.
    pub(super) fn heard<T>(&mut self, done: sqlx::Result<T>) -> sqlx::Result<T> {
        self.has_answered = done.is_ok();
        if let Err(sqlx::Error::Io(_)) = done {
            self.connection = None;
            self.place = None;
        }
        done
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let (connections, made) = (self.connections.clone(), self.made);
        if self.has_answered && !self.in_transaction {
            connections.put(connection, made);
            return;
        }
        // Where no task can be, it is closed.
        let Ok(runtime) = Handle::try_current() else { return };
        let (place, in_transaction) = (self.place.take(), self.in_transaction);
        runtime.spawn(async move {
            // First what is under way comes to its end.
            let settled = async {
                match in_transaction {
                    true => connection.execute("ROLLBACK").await.is_ok(),
                    false => connection.ping().await.is_ok(),
                }
            };
            if timeout(MOMENT, settled).await == Ok(true) {
                connections.put(connection, made);
            }
            drop(place);
        });
    }
}

/// The outcome of a step, which is given up at `ends`.
pub(super) async fn within<T>(ends: Instant, step: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    match timeout_at(ends, step).await {
        Ok(done) => done,
        Err(_) => {
            let message = "the database did not answer in time";
            Err(std::io::Error::new(std::io::ErrorKind::TimedOut, message).into())
        }
    }
}

/// Connects, also to a server that is about to be there.
pub(super) async fn connect(
    options: &PgConnectOptions,
    starts_within: Duration,
) -> sqlx::Result<PgConnection> {
    let begun = Instant::now();
    loop {
        match PgConnection::connect_with(options).await {
            Err(error) if is_starting(&error) && begun.elapsed() < starts_within => {
                tokio::time::sleep(AGAIN).await;
            }
            result => return result,
        }
    }
}

/// Whether there may be a server, or room for one more connection, soon.
fn is_starting(error: &sqlx::Error) -> bool {
    use std::io::ErrorKind;
    match error {
        // The last is that of a socket in a folder.
        sqlx::Error::Io(error) => matches!(
            error.kind(),
            ErrorKind::ConnectionRefused
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::UnexpectedEof
                | ErrorKind::NotFound
        ),
        // It starts or stops; it has all the connections it can have.
        sqlx::Error::Database(error) => matches!(error.code().as_deref(), Some("57P03" | "53300")),
        _ => false,
    }
}

/// Whether the server says that a transaction it was to commit is undone: it was given up for another one, or does not
/// keep a rule. What else it says, such as that it is told to stop, it may say when it is committed already.
fn is_undone(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    error.code().is_some_and(|code| matches!(code.get(..2), Some("23" | "40")))
}

/// Whether the other end answers, soon: of one that is gone without a word nothing is ever heard.
async fn is_there(connection: &mut PgConnection) -> bool {
    matches!(timeout(MOMENT, connection.ping()).await, Ok(Ok(())))
}

fn unavailable(why: &'static str) -> StoreError {
    StoreError::Unavailable(why.into())
}

/// How long a connection is taken to be still there without asking.
const TRUSTED: Duration = Duration::from_secs(1);
/// How long one that is asked whether it is there may take to say so; and one that a call left, to come to
/// the end of what that asked for.
const MOMENT: Duration = Duration::from_secs(1);
/// How much later than the server a call gives up waiting, so that it is told by the server if that answers
/// at all.
const LATER: Duration = Duration::from_secs(1);
/// How long a server that starts is waited for by a call.
const STARTS_WITHIN: Duration = Duration::from_secs(1);
/// Until it is asked again.
const AGAIN: Duration = Duration::from_millis(50);
/// A connection that is older is not used again: its process at the server grows with what it has met.
const OLDEST: Duration = Duration::from_secs(30 * 60);
/// One that was not needed for as long is closed.
const UNUSED: Duration = Duration::from_secs(10 * 60);
/// More connections than this are as good as any number.
const MOST: u32 = 1 << 20;
/// How often the server looks whether the client of a statement is still there.
pub(super) const LOOKS_FOR_CLIENT: &str = "1s";

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::super::database::{Database, Statement};
    use super::super::tests::sql_support::{Postgres, signal};
    use super::*;

    async fn ask(database: &Database, text: &'static str) -> Result<i64, StoreError> {
        let mut tx = database.once().await?;
        let row: Option<(i64,)> = Statement::new(text).row(&mut tx).await?;
        Ok(row.map_or(0, |(number,)| number))
    }

    const PROCESS: &str = "SELECT pg_backend_pid()::bigint";

    #[tokio::test]
    async fn a_connection_is_kept_for_the_next_and_given_to_who_waits() {
        let Some(server) = Postgres::start() else { return };
        let url = server.database("kept").await;
        // One: who waits for another would wait for ever.
        let limits = Limits { connections: 1, ..Limits::default() };
        let database = Database::connect(&url, &limits).await.unwrap();
        let Database::Postgres(connections) = &database else { panic!("PostgreSQL") };
        let idle = || connections.idle().len();

        let process = ask(&database, PROCESS).await.unwrap();
        assert_eq!(idle(), 1);
        // What fails, and what is dropped but ends soon, leaves the connection for the next.
        assert!(ask(&database, "SELECT 1 / 0::bigint").await.is_err());
        assert_eq!(idle(), 0);
        assert_eq!(ask(&database, PROCESS).await.unwrap(), process);
        let slow = ask(&database, "SELECT 3::bigint FROM pg_sleep(0.2)");
        assert!(timeout(Duration::from_millis(50), slow).await.is_err());
        assert_eq!(idle(), 0);
        assert_eq!(ask(&database, PROCESS).await.unwrap(), process);
        // What does not end soon is cut off.
        let slow = ask(&database, "SELECT 3::bigint FROM pg_sleep(20)");
        assert!(timeout(Duration::from_millis(50), slow).await.is_err());
        let next = ask(&database, PROCESS).await.unwrap();
        assert_ne!(next, process);

        // A writer gets the same one, who reads gets it afterwards, and no transaction is left open: not by one
        // that ends, nor by one that is dropped, also while it begins.
        let write = database.write().await.unwrap();
        let (found, ()) = tokio::join!(ask(&database, PROCESS), async { write.commit().await.unwrap() });
        assert_eq!(found.unwrap(), next);
        drop(database.write().await.unwrap());
        assert_eq!(ask(&database, PROCESS).await.unwrap(), next);
        let mut begins = Box::pin(database.write());
        // Whether it began by then is up to the server.
        let _begun =
            std::future::poll_fn(|context| Poll::Ready(begins.as_mut().poll(context).is_ready())).await;
        drop(begins);
        let mut write = database.write().await.unwrap();
        let fails = Statement::new("SELECT 1 / 0::bigint").row::<(i64,)>(&mut write).await;
        assert!(fails.is_err());
        drop(write);
        let mut tx = database.once().await.unwrap();
        let id = "SELECT coalesce(pg_current_xact_id_if_assigned()::text, '')";
        Statement::new("CREATE TEMPORARY TABLE t (n bigint)").execute(&mut tx).await.unwrap();
        assert_eq!(Statement::new(id).row::<(String,)>(&mut tx).await.unwrap(), Some((String::new(),)));
        drop(tx);
        assert_eq!(ask(&database, PROCESS).await.unwrap(), next);

        database.close().await;
        assert!(database.once().await.is_err());
    }

    #[tokio::test]
    async fn a_connection_that_does_not_answer_any_more_is_let_go_of() {
        let Some(server) = Postgres::start() else { return };
        let url = server.database("silent").await;
        // One place: as long as the silent connection has it, nobody else gets one.
        let limits = Limits { connections: 1, wait: Duration::from_secs(20), ..Limits::default() };
        let database = Database::connect(&url, &limits).await.unwrap();
        // By the next look-up, and by a write.
        for writes in [false, true] {
            let silent = ask(&database, PROCESS).await.unwrap();
            signal("-STOP", u32::try_from(silent).unwrap());
            tokio::time::sleep(TRUSTED).await;
            if writes {
                database.write().await.unwrap().rollback().await.unwrap();
            }
            let next = ask(&database, PROCESS).await.unwrap();
            signal("-CONT", u32::try_from(silent).unwrap());
            assert_ne!(next, silent);
        }
    }

    #[tokio::test]
    async fn a_connection_is_not_kept_when_it_is_old_or_not_needed() {
        let Some(server) = Postgres::start() else { return };
        let url = server.database("old").await;
        let database = Database::connect(&url, &Limits::default()).await.unwrap();
        let Database::Postgres(connections) = &database else { panic!("PostgreSQL") };
        let two = (database.once().await.unwrap(), database.once().await.unwrap());
        drop(two);
        assert_eq!(connections.idle().len(), 2);
        let long_ago = |by: Duration| Instant::now().checked_sub(by + Duration::from_secs(1));
        let (Some(old), Some(unused)) = (long_ago(OLDEST), long_ago(UNUSED)) else {
            return println!("skipped: this machine has not run for as long");
        };
        connections.idle()[0].used = unused;
        drop(database.once().await.unwrap());
        assert_eq!(connections.idle().len(), 1);
        connections.idle()[0].made = old;
        drop(database.once().await.unwrap());
        assert_eq!(connections.idle().len(), 0);
    }
}
