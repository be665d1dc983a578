//! The numbers of those who have a licence with a limit.
//!
//! What is here is a guess of which numbers are free, and nothing rests on it: the store refuses a number
//! that is taken. The guess saves a look at all who have the licence, which is taken only when no free
//! number is known any more and a count says that there is one: a refusal reads nobody, and nor does whoever is given
//! what another gave up at the same server.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use scim_core::projection::Projection;
use scim_core::query::{Query, Start};
use scim_core::store::{Scope, Store, StoreError};
use scim_core::{TenantId, Value};
use scim_filter::{BindOptions, Filter};

use super::schema::LICENSE_SEAT;

#[derive(Debug, Default)]
pub(super) struct Seats {
    pools: Mutex<HashMap<(TenantId, Box<str>), Pool>>,
}

/// What is believed of one licence.
#[derive(Debug, Default)]
struct Pool {
    free: BTreeSet<u32>,
    /// The largest number that may be given, as of the last look; 0 before the first.
    most: u32,
    /// Those with which a write is under way.
    in_use: BTreeSet<u32>,
}

/// A number of a licence, held for a write as long as this lives.
pub(super) struct Taken<'s> {
    seats: &'s Seats,
    tenant: &'s TenantId,
    license: &'s str,
    number: u32,
}

/// As the hidden attribute has it: unique among those of all licences.
impl fmt::Display for Taken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.license)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(pool) = self.seats.pools().get_mut(&(self.tenant.clone(), self.license.into())) {
            pool.in_use.remove(&self.number);
        }
    }
}

impl Seats {
    /// A number that seems to be free; `None` if all `limit` are taken.
    pub(super) async fn take<'s, S: Store>(
        &'s self,
        store: &S,
        scope: Scope<'s>,
        license: &'s str,
        limit: u32,
    ) -> Result<Option<Taken<'s>>, StoreError> {
        let key = (scope.tenant.clone(), Box::from(license));
        let taken = |number| Taken { seats: self, tenant: scope.tenant, license, number };
        if let Some(number) = self.pools().entry(key.clone()).or_default().take() {
            return Ok(Some(taken(number)));
        }
        let Some(Free { numbers, most }) = free(store, scope, license, limit).await? else { return Ok(None) };
        let mut pools = self.pools();
        let pool = pools.entry(key).or_default();
        (pool.free, pool.most) = (&numbers - &pool.in_use, most);
        Ok(pool.take().map(taken))
    }

    /// Remembers what is free again: the number that a user had of the licence, as the hidden attribute has it.
    pub(super) fn give_back(&self, tenant: &TenantId, license: &str, seat: &str) {
        let Some(number) = number(seat, license) else { return };
        if let Some(pool) = self.pools().get_mut(&(tenant.clone(), license.into()))
            && number <= pool.most
        {
            pool.free.insert(number);
        }
    }

    fn pools(&self) -> MutexGuard<'_, HashMap<(TenantId, Box<str>), Pool>> {
        // No code panics while it holds the lock, and a wrong guess does no harm.
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    fn take(&mut self) -> Option<u32> {
        let number = self.free.pop_first()?;
        self.in_use.insert(number);
        Some(number)
    }
}

/// Numbers that nobody has.
struct Free {
    numbers: BTreeSet<u32>,
    /// The largest number that may be given.
    most: u32,
}

/// As many of the free numbers as there are allocations left, `None` if there is none: fewer than all of them
/// where some have the licence without a number, or with one above the limit.
///
/// INVARIANT: they are the lowest. With `n` such users no number above `limit - n` is given, whoever
/// counts and when, and the number of such users never grows, so that all users together are never more
/// than the limit.
async fn free<S: Store>(
    store: &S,
    scope: Scope<'_>,
    license: &str,
    limit: u32,
) -> Result<Option<Free>, StoreError> {
    let internal = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Internal(error);
    let filter = format!("entitlements.value eq {}", Value::from(license));
    let filter = Filter::parse(&filter).map_err(|error| internal(error.into()))?;
    let filter =
        filter.bind(scope.schema, &BindOptions::default()).map_err(|error| internal(error.into()))?;
    let mut query = Query { filter: Some(filter), start: Start::Index(1), ..Query::default() };
    // Whoever asks for what is used up, however often, has nobody read.
    if let Some(total) = store.query(scope, &query).await?.total
        && usize::try_from(limit).is_ok_and(|limit| total >= limit)
    {
        return Ok(None);
    }
    let projection = Projection::parse(scope.schema, Some(LICENSE_SEAT), None);
    query = Query {
        // One query, so that those who come and go meanwhile are not missed or counted twice.
        count: MOST,
        projection: projection.map_err(|error| internal(error.into()))?,
        ..query
    };
    let holders = store.query(scope, &query).await?.resources;
    let seats = holders.iter().filter_map(|user| user.get(LICENSE_SEAT)?.as_str());
    let taken: BTreeSet<u32> = seats.filter_map(|seat| number(seat, license)).collect();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let left = usize::try_from(limit.saturating_sub(count(holders.len()))).unwrap_or(usize::MAX).min(GUESSED);
    let numbers = (1..=limit).filter(|number| !taken.contains(number)).take(left).collect();
    let others = holders.len() - taken.range(1..=limit).count();
    Ok(Some(Free { numbers, most: limit.saturating_sub(count(others)) }))
}

/// The number of a licence that the hidden attribute says.
fn number(seat: &str, license: &str) -> Option<u32> {
    let (number, of) = seat.split_once(':')?;
    number.parse().ok().filter(|_| of == license)
}

/// As many free numbers as are remembered at most.
const GUESSED: usize = 1024;

/// More users than any store of one account has.
const MOST: usize = i32::MAX as usize;
