//! What requests hold among all servers of a database: rows of `guard_holds`.
//!
//! A row is there while its request is under way, and no transaction is open meanwhile: a connection for each
//! request that looks on before it writes would use up those that the writes need. A row ends by itself some time
//! after its server has ended; until then it is kept up, however long the request takes.
//!
//! When that is, its server says by its own clock, and the others judge by theirs: a server whose clock is ahead of
//! another's by more than [`HELD`] less [`KEPT_UP`] takes from it what it still holds, and one whose clock is behind
//! waits for the one that has ended by so much longer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use scim_core::TenantId;
use scim_core::store::StoreError;
use scim_profiles::guard::{Clock, Hold};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::SqlStore;
use super::audit::number;
use super::database::{Statement, retrying};

impl SqlStore {
    /// Waits until nobody holds one of `keys`, and holds all of them.
    pub(super) async fn hold_keys(
        &self,
        tenant: &TenantId,
        keys: &[Box<str>],
        now: &Clock,
    ) -> Result<Hold, StoreError> {
        // Whoever goes while it waits lets go of what it may have by then.
        let holder = Holder { tenant: tenant.clone(), name: uuid::Uuid::new_v4().to_string() };
        let (dropped, told) = oneshot::channel::<()>();
        tokio::spawn(holder.clone().keep_up(self.clone(), Arc::clone(now), told));
        let begun = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        while !retrying(|| self.try_hold(&holder, keys, now())).await? {
            if begun.elapsed() > LONGEST_WAIT {
                return Err(StoreError::Unavailable("another request holds the same people".into()));
            }
            // Each waits for a time of its own, so that not all ask at once.
            let random = u32::from(uuid::Uuid::new_v4().into_bytes()[0]);
            sleep(pause / 2 + pause * random / 512).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(Hold::until_dropped(dropped))
    }

    /// Holds all of `keys`, or none where another holds one.
    async fn try_hold(&self, holder: &Holder, keys: &[Box<str>], now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.database.write().await?;
        for key in keys {
            let taken = Statement::new(
                "INSERT INTO guard_holds (tenant, held, holder, ends) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (tenant, held) DO UPDATE SET holder = excluded.holder, ends = excluded.ends \
                 WHERE guard_holds.ends <= ?5 OR guard_holds.holder = excluded.holder",
            )
            .text(holder.tenant.as_str())
            .text(&**key)
            .text(holder.name.as_str())
            .number(number(end(now)))
            .number(number(now))
            .execute(&mut tx)
            .await?;
            if taken == 0 {
                tx.rollback().await?;
                return Ok(false);
            }
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Who holds something.
#[derive(Clone)]
struct Holder {
    tenant: TenantId,
    name: String,
}

impl Holder {
    /// Keeps up what is held until the other end of `dropped` is dropped, and lets go of it then.
    async fn keep_up(self, store: SqlStore, now: Clock, mut dropped: oneshot::Receiver<()>) {
        while timeout(KEPT_UP, &mut dropped).await.is_err() {
            let keep = async || {
                let mut tx = store.database.write().await?;
                Statement::new("UPDATE guard_holds SET ends = ?3 WHERE tenant = ?1 AND holder = ?2")
                    .text(self.tenant.as_str())
                    .text(self.name.as_str())
                    .number(number(end(now())))
                    .execute(&mut tx)
                    .await?;
                tx.commit().await
            };
            // What is not kept up now is the next time, or ends by itself.
            let _ = retrying(keep).await;
        }
        let let_go = async || {
            let mut tx = store.database.write().await?;
            Statement::new("DELETE FROM guard_holds WHERE tenant = ?1 AND holder = ?2")
                .text(self.tenant.as_str())
                .text(self.name.as_str())
                .execute(&mut tx)
                .await?;
            tx.commit().await
        };
        let _ = retrying(let_go).await;
    }
}

/// When what is held at `now`, and not kept up, is held no more.
fn end(now: Timestamp) -> Timestamp {
    now.saturating_add(HELD).unwrap_or(now)
}

/// For how long the hold of a server that has ended keeps others waiting.
const HELD: SignedDuration = SignedDuration::from_secs(30);
/// How often a server says that it still holds something.
const KEPT_UP: Duration = Duration::from_secs(8);
/// How long a request waits for another: longer than requests take, and not as long as clients wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(4);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
