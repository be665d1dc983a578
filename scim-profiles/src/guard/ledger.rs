//! Where it is noted what went, and until when the guards are lifted.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::{Future, ready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use scim_core::store::StoreError;
use scim_core::{ResourceId, TenantId};

use super::ceiling::{Charge, Exceeded, Noted, Verdict};
use super::hold::Hold;
use super::turns::Turns;

/// Where it is noted what went, and until when an operator lifted the guards.
///
/// All servers of one store share a ledger: what one of them permits counts for the others. What a change
/// takes away is found out by each by itself, with [limits](super#several-at-once). A ledger that
/// fails refuses every change that a guard concerns.
///
/// To write one: keep `(tenant, key, step) → (amount, population)`, and in [`charge`](Self::charge)
/// let nobody else in between reading and writing those of the tenant. [`Charge`] says what counts, and
/// judges it.
pub trait GuardLedger: Send + Sync + 'static {
    /// Notes all of `charges`, or none where one is not permitted: judged one after the other, and noted
    /// in the same step, so that of many at the same time no more are permitted than one after the
    /// other would be. No two of them have the same key. Where one is refused, the
    /// [populations](Charge::measure) that were measured are noted all the same.
    fn charge(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        charges: &[Charge],
    ) -> impl Future<Output = Result<Charged, StoreError>> + Send;

    /// Takes back what was noted at `then`, since the change was not made. A population that was
    /// measured stays.
    fn release(
        &self,
        tenant: &TenantId,
        then: Timestamp,
        charges: &[Charge],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Lifts the guards of the tenant, or with `None` puts them back.
    fn lift(
        &self,
        tenant: &TenantId,
        lift: Option<Lift>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// How the guards of the tenant are lifted, also if that is over.
    fn lifted(&self, tenant: &TenantId) -> impl Future<Output = Result<Option<Lift>, StoreError>> + Send;

    /// Waits until no request, of whichever server, holds one of `keys`, and holds all of them in one step,
    /// until what comes back is dropped. They are in order; who waits in it for each waits in no circle. `now`
    /// is the clock of this server, which a ledger may compare with what another server wrote by its own: then
    /// it says by how much they may differ.
    ///
    /// As provided it holds nothing, so that each server is [by itself](super#several-at-once).
    ///
    /// # Errors
    ///
    /// Somebody holds one for too long, or the ledger fails.
    fn hold(
        &self,
        tenant: &TenantId,
        keys: &[Box<str>],
        now: &Clock,
    ) -> impl Future<Output = Result<Hold, StoreError>> + Send {
        let _ = (tenant, keys, now);
        ready(Ok(Hold::of_nothing()))
    }
}

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What became of charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charged {
    /// All are noted.
    Noted,
    /// None is: of the one at this place the population is wanted.
    Unmeasured(usize),
    /// None is: the one at this place is not permitted.
    Refused(usize, Exceeded),
}

/// That an operator lifted guards for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lift {
    /// Until when.
    pub until: Timestamp,
    /// Whether also those of users, groups and roles that are protected, and not the ceilings alone.
    pub protection: bool,
}

impl Lift {
    /// Of the ceilings alone.
    pub fn ceilings(until: Timestamp) -> Self {
        Self { until, protection: false }
    }

    /// Of everything.
    pub fn everything(until: Timestamp) -> Self {
        Self { until, protection: true }
    }
}

impl Charged {
    /// What becomes of `charges` at `now`, where `noted` tells what [counts](Charge::since) for each: the
    /// oldest first.
    pub fn judge<'n>(
        now: Timestamp,
        charges: &[Charge],
        mut noted: impl FnMut(&Charge) -> &'n [Noted],
    ) -> Self {
        for (place, charge) in charges.iter().enumerate() {
            match charge.judge(now, noted(charge)) {
                Verdict::Permitted => {}
                Verdict::Unmeasured => return Self::Unmeasured(place),
                Verdict::Exceeded(exceeded) => return Self::Refused(place, exceeded),
            }
        }
        Self::Noted
    }
}

impl<L: GuardLedger> GuardLedger for Arc<L> {
    async fn charge(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        charges: &[Charge],
    ) -> Result<Charged, StoreError> {
        (**self).charge(tenant, now, charges).await
    }

    async fn release(
        &self,
        tenant: &TenantId,
        then: Timestamp,
        charges: &[Charge],
    ) -> Result<(), StoreError> {
        (**self).release(tenant, then, charges).await
    }

    async fn lift(&self, tenant: &TenantId, lift: Option<Lift>) -> Result<(), StoreError> {
        (**self).lift(tenant, lift).await
    }

    async fn lifted(&self, tenant: &TenantId) -> Result<Option<Lift>, StoreError> {
        (**self).lifted(tenant).await
    }

    async fn hold(&self, tenant: &TenantId, keys: &[Box<str>], now: &Clock) -> Result<Hold, StoreError> {
        (**self).hold(tenant, keys, now).await
    }
}

/// A ledger in memory, for the servers of one process; clones share it. It is empty when the process begins.
///
/// ```
/// use jiff::{SignedDuration, Timestamp};
/// use scim_core::TenantId;
/// use scim_profiles::guard::{Ceiling, Charge, Charged, GuardLedger, MemoryLedger};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (ledger, acme) = (MemoryLedger::new(), TenantId::new("acme"));
/// let ceiling = Ceiling::within(SignedDuration::from_hours(1))?.with_count(2);
/// let two = Charge { key: "deactivations".into(), amount: 2, ceiling, population: None };
/// let now = Timestamp::UNIX_EPOCH;
/// assert_eq!(ledger.charge(&acme, now, &[two.clone()]).await?, Charged::Noted);
/// assert!(matches!(ledger.charge(&acme, now, &[two]).await?, Charged::Refused(0, _)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryLedger {
    state: Arc<Mutex<State>>,
    turns: Turns,
}

#[derive(Default)]
struct State {
    tenants: HashMap<TenantId, HashMap<Box<str>, Page>>,
    lifts: HashMap<TenantId, Lift>,
    // Once there are so many pages, those that are over are thrown away.
    pages: usize,
    sweep_at: usize,
}

/// What is noted under one key.
struct Page {
    steps: BTreeMap<Timestamp, (u64, Option<u64>)>,
    ends: Timestamp,
}

impl MemoryLedger {
    /// A ledger in which nothing is noted.
    pub fn new() -> Self {
        Self::default()
    }

    // No code panics while it holds the lock, and what is noted is whole after every call.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLedger").field("pages", &self.state().pages).finish_non_exhaustive()
    }
}

impl State {
    fn charge(&mut self, tenant: &TenantId, now: Timestamp, charges: &[Charge]) -> Charged {
        let pages = self.tenants.get(tenant);
        let noted: Vec<Vec<Noted>> = charges.iter().map(|charge| noted(pages, charge, now)).collect();
        let mut of_charge = noted.iter();
        let charged =
            Charged::judge(now, charges, |_| of_charge.next().map(Vec::as_slice).unwrap_or_default());
        match charged {
            Charged::Noted => charges.iter().for_each(|charge| self.note(tenant, now, charge)),
            Charged::Refused(..) => {
                charges.iter().filter_map(Charge::measure).for_each(|charge| self.note(tenant, now, &charge));
            }
            Charged::Unmeasured(_) => {}
        }
        self.sweep(now);
        charged
    }

    fn note(&mut self, tenant: &TenantId, now: Timestamp, charge: &Charge) {
        let pages = self.tenants.entry(tenant.clone()).or_default();
        let page = pages.entry(charge.key.clone()).or_insert_with(|| {
            self.pages += 1;
            Page { steps: BTreeMap::new(), ends: now }
        });
        page.ends = page.ends.max(charge.end(now));
        page.steps = page.steps.split_off(&charge.since(now));
        let (amount, population) = page.steps.entry(charge.step(now)).or_default();
        *amount = amount.saturating_add(charge.amount);
        *population = (*population).max(charge.population);
    }

    /// Throws away what counts no more, when there may be as much of it as of the rest.
    fn sweep(&mut self, now: Timestamp) {
        if self.pages <= self.sweep_at.max(FEW) {
            return;
        }
        for pages in self.tenants.values_mut() {
            pages.retain(|_, page| page.ends > now);
        }
        self.tenants.retain(|_, pages| !pages.is_empty());
        self.pages = self.tenants.values().map(HashMap::len).sum();
        self.sweep_at = 2 * self.pages;
    }
}

fn noted(pages: Option<&HashMap<Box<str>, Page>>, charge: &Charge, now: Timestamp) -> Vec<Noted> {
    let Some(page) = pages.and_then(|pages| pages.get(&charge.key)) else { return Vec::new() };
    let counting = page.steps.range(charge.since(now)..);
    counting
        .map(|(step, (amount, population))| Noted { step: *step, amount: *amount, population: *population })
        .collect()
}

impl GuardLedger for MemoryLedger {
    fn charge(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        charges: &[Charge],
    ) -> impl Future<Output = Result<Charged, StoreError>> + Send {
        ready(Ok(self.state().charge(tenant, now, charges)))
    }

    fn release(
        &self,
        tenant: &TenantId,
        then: Timestamp,
        charges: &[Charge],
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        if let Some(pages) = self.state().tenants.get_mut(tenant) {
            for charge in charges {
                let step = pages.get_mut(&charge.key).and_then(|page| page.steps.get_mut(&charge.step(then)));
                if let Some((amount, _)) = step {
                    *amount = amount.saturating_sub(charge.amount);
                }
            }
        }
        ready(Ok(()))
    }

    fn lift(
        &self,
        tenant: &TenantId,
        lift: Option<Lift>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        let lifts = &mut self.state().lifts;
        match lift {
            Some(lift) => drop(lifts.insert(tenant.clone(), lift)),
            None => drop(lifts.remove(tenant)),
        }
        ready(Ok(()))
    }

    fn lifted(&self, tenant: &TenantId) -> impl Future<Output = Result<Option<Lift>, StoreError>> + Send {
        ready(Ok(self.state().lifts.get(tenant).copied()))
    }

    async fn hold(&self, tenant: &TenantId, keys: &[Box<str>], _: &Clock) -> Result<Hold, StoreError> {
        let keys: Vec<_> = keys.iter().map(|key| ResourceId::new(&**key)).collect();
        Ok(Hold::until_dropped(self.turns.take(tenant, &keys).await))
    }
}

/// Pages that are not worth a sweep.
const FEW: usize = 1024;
