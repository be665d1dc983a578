//! Writers that race for one resource, spread over time.
//!
//! A write that lost its race is made again by whoever made it, at once. Where many do so for one
//! group, nearly all of them lose again, and the database does little but tell them so. So losers are
//! told a little later, each at a time of its own, the more of them there are.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use scim_core::store::StoreError;

/// The writes under way.
#[derive(Debug, Default)]
pub(super) struct Turns {
    writes: AtomicU32,
}

impl Turns {
    /// Makes the write; if it lost a race, its outcome comes later.
    pub(super) async fn take<T>(
        &self,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let turn = Turn::new(&self.writes);
        let begun = Instant::now();
        let result = write.await;
        if matches!(result, Err(StoreError::VersionMismatch)) {
            let others = self.writes.load(Ordering::Relaxed).saturating_sub(1);
            let random = uuid::Uuid::new_v4().as_u128() % 1000;
            let longest = (begun.elapsed().min(WRITE) * others).min(LONGEST).as_micros();
            let wait = u64::try_from(longest * random / 1000).unwrap_or_default();
            if wait > 0 {
                tokio::time::sleep(Duration::from_micros(wait)).await;
            }
        }
        drop(turn);
        result
    }
}

/// A write that is counted until it is dropped, whether it ends or its request does.
struct Turn<'t>(&'t AtomicU32);

impl<'t> Turn<'t> {
    fn new(writes: &'t AtomicU32) -> Self {
        writes.fetch_add(1, Ordering::Relaxed);
        Self(writes)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The most that one write counts for: what it took, but not all that it waited for others.
const WRITE: Duration = Duration::from_millis(20);
/// However many there are.
const LONGEST: Duration = Duration::from_secs(1);
