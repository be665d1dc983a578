//! Who writes a resource next: `resources.marked`.
//!
//! A write that is made for a version loses to every change of members that comes first, and the turns that requests of
//! one server take do not concern those of another. So who lost too often marks the row, and
//! who finds another's mark on a row that it has locked to write ends its transaction and waits, without
//! a connection, until the mark is off. Every write takes the mark off, and so does who goes without having written.
//!
//! A mark is no lock. What is written is right by its version, with marks or without; so the mark of a server
//! that has ended, or takes long, is passed over after some time, by the clock of who waits: no two clocks are compared,
//! and nobody waits for another while it holds anything.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use scim_core::store::{ResourceHold, Scope, StoreError, Terms, Waiting};
use scim_core::{ResourceId, TenantId};
use scim_filter::sql::Dialect;
use tokio::runtime::Handle;
use tokio::time::sleep;

use super::SqlStore;
use super::database::{Statement, Tx, retrying};

impl SqlStore {
    /// Marks a resource; nothing is held where there is none.
    pub(super) async fn mark(&self, scope: Scope<'_>, id: &ResourceId) -> Result<ResourceHold, StoreError> {
        let row = Row {
            store: self.clone(),
            tenant: scope.tenant.clone(),
            kind: scope.schema.name().into(),
            id: id.clone(),
            number: new_number(),
        };
        // Taken off again also where the request is dropped meanwhile.
        let mark = Mark(row);
        match self.unmarked(scope.tenant, Terms::default(), |passes| mark.0.mark(passes)).await {
            Ok(true) => Ok(ResourceHold::until_dropped(mark)),
            Ok(false) => Ok(ResourceHold::default()),
            // That concerns the mark alone.
            Err(StoreError::OutcomeUnknown(error)) => Err(StoreError::Unavailable(error)),
            Err(error) => Err(error),
        }
    }

    /// Makes a write, and makes it again when what another has marked is free; or puts it off until then.
    pub(super) async fn unmarked<T, F>(
        &self,
        tenant: &TenantId,
        terms: Terms<'_>,
        write: impl Fn(Passes) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let own = terms.hold.and_then(ResourceHold::by).map_or(NOBODY, |mark: &Mark| mark.0.number);
        let mut patience: Patience = terms.waiting.and_then(Waiting::known).unwrap_or_default();
        loop {
            let passes = patience.passes(own);
            let error = match retrying(|| write(passes)).await {
                Err(StoreError::Unavailable(error)) => error,
                result => return result,
            };
            let marked = error.downcast::<Marked>().map_err(StoreError::Unavailable)?;
            let over = self.clone().wait_for(tenant.clone(), *marked, patience);
            match terms.waiting {
                Some(waiting) => return Err(waiting.put_off(over)),
                None => patience = over.await?,
            }
        }
    }

    /// Waits until the mark is off, or is waited for no longer.
    async fn wait_for(
        self,
        tenant: TenantId,
        marked: Marked,
        mut patience: Patience,
    ) -> Result<Patience, StoreError> {
        let in_all = *patience.ends.get_or_insert_with(|| Instant::now() + LONGEST_IN_ALL);
        let ends = in_all.min(Instant::now() + LONGEST);
        let mut pause = SHORTEST_PAUSE;
        loop {
            // Each waits for a time of its own, so that not all ask at once.
            let random = u32::from(uuid::Uuid::new_v4().into_bytes()[0]);
            sleep(pause / 2 + pause * random / 512).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            let number: Option<(i64,)> = Statement::new(MARK)
                .text(tenant.as_str())
                .text(&*marked.kind)
                .text(&*marked.id)
                .row(&mut self.database.once().await?)
                .await?;
            if number != Some((marked.number,)) {
                return Ok(patience);
            }
            if Instant::now() >= ends {
                return Ok(Patience { outlasting: marked.number, ..patience });
            }
        }
    }
}

/// For what a write has waited.
#[derive(Clone, Copy, Debug, Default)]
struct Patience {
    // One that was there for too long.
    outlasting: i64,
    // When it waits for none any more, once it has waited.
    ends: Option<Instant>,
}

impl Patience {
    fn passes(self, own: i64) -> Passes {
        let all = self.ends.is_some_and(|ends| Instant::now() >= ends);
        Passes { own, outlasting: self.outlasting, all }
    }
}

/// The marks that a write passes over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passes {
    own: i64,
    outlasting: i64,
    all: bool,
}

impl Passes {
    /// Refuses to go on for now where another has marked a resource that is locked.
    pub(super) fn check(self, number: i64, kind: &str, id: &str) -> Result<(), StoreError> {
        if self.all || [NOBODY, self.own, self.outlasting].contains(&number) {
            return Ok(());
        }
        let marked = Marked { kind: kind.into(), id: id.into(), number };
        Err(StoreError::Unavailable(Box::new(marked)))
    }
}

/// Another has marked the resource.
#[derive(Debug)]
struct Marked {
    kind: Box<str>,
    id: Box<str>,
    number: i64,
}

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another request is to write the resource first")
    }
}

impl Error for Marked {}

/// A mark on a resource, taken off when it is dropped.
struct Mark(Row);

/// The row that is marked, and by what number.
#[derive(Clone)]
struct Row {
    store: SqlStore,
    tenant: TenantId,
    kind: Box<str>,
    id: ResourceId,
    number: i64,
}

impl Row {
    /// Marks the row; says whether there is one.
    async fn mark(&self, passes: Passes) -> Result<bool, StoreError> {
        let mut tx = self.store.database.write().await?;
        let Some(number) = self.locked(&mut tx).await? else {
            tx.rollback().await?;
            return Ok(false);
        };
        passes.check(number, &self.kind, self.id.as_str())?;
        self.set(&mut tx, self.number).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes the mark off, unless a write did.
    async fn unmark(&self) -> Result<(), StoreError> {
        let mut tx = self.store.database.write().await?;
        // Who goes may have left a commit under way: only who locks the row first sees what comes of it, as an update
        // of the rows that have the mark would not wait for one that does not have it yet.
        if self.locked(&mut tx).await? != Some(self.number) {
            return tx.rollback().await;
        }
        self.set(&mut tx, NOBODY).await?;
        tx.commit().await
    }

    /// The number that the row has, if there is one, until the transaction ends.
    async fn locked(&self, tx: &mut Tx) -> Result<Option<i64>, StoreError> {
        let select = match tx.dialect() {
            // The transaction holds the lock of the whole database.
            Dialect::Sqlite => MARK,
            Dialect::Postgres => LOCKED_MARK,
        };
        Ok(self.statement(select).row::<(i64,)>(tx).await?.map(|(number,)| number))
    }

    async fn set(&self, tx: &mut Tx, number: i64) -> Result<(), StoreError> {
        self.statement("UPDATE resources SET marked = ?4 WHERE tenant = ?1 AND type = ?2 AND id = ?3")
            .number(number)
            .execute(tx)
            .await
            .map(drop)
    }

    fn statement(&self, text: &'static str) -> Statement {
        Statement::new(text).text(self.tenant.as_str()).text(&*self.kind).text(self.id.as_str())
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        // Where no task can be, the mark is passed over in time; so it is where the database does not answer.
        let Ok(runtime) = Handle::try_current() else { return };
        let row = self.0.clone();
        runtime.spawn(async move { retrying(|| row.unmark()).await });
    }
}

/// Hardly one that another has.
fn new_number() -> i64 {
    let (number, _) = uuid::Uuid::new_v4().as_u64_pair();
    i64::from_ne_bytes(number.to_ne_bytes()) | 1
}

const MARK: &str = "SELECT marked FROM resources WHERE tenant = ?1 AND type = ?2 AND id = ?3";
/// The same, to be changed.
const LOCKED_MARK: &str =
    "SELECT marked FROM resources WHERE tenant = ?1 AND type = ?2 AND id = ?3 FOR NO KEY UPDATE";
/// The number where there is no mark.
const NOBODY: i64 = 0;
/// How long one mark is waited for: much longer than it takes to read a resource and make ready what is to be written.
const LONGEST: Duration = Duration::from_secs(5);
/// How long a write waits for marks, one after another.
const LONGEST_IN_ALL: Duration = Duration::from_secs(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(4);
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

#[cfg(test)]
mod tests;
