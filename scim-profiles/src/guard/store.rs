//! A store before which the guards stand.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use scim_core::query::Query;
use scim_core::store::{Modification, Modified, Scope, Store, StoreError, StoreLayer, Terms, Waiting};
use scim_core::{ResourceId, TenantId};

use super::ceiling::Charge;
use super::hold::{self, Hold};
use super::ledger::{Charged, Clock, GuardLedger, Lift};
use super::loss::{Leaving, Look, Loss, bound, users};
use super::turns::Turns;
use super::{Forbidden, Guard, Guards, Subject, refusal};
use crate::incident_io::EFFECTIVE_ACCESS;

/// A store that refuses changes by which too much goes. See the [module](super).
///
/// It stands outside of what makes further changes out of one, such as
/// [`AccessStore`](crate::incident_io::AccessStore), so that nothing is made of what is refused. What a bulk
/// request takes back that it created itself is not looked at: it is a [deletion of any
/// version](scim_core::store::Deletion::expected). Clones share everything.
#[derive(Clone)]
pub struct GuardedStore<S, L> {
    store: S,
    guards: Arc<Guards>,
    ledger: L,
    now: Clock,
    // How many members are about to leave groups that may not be emptied.
    leaving: Arc<Mutex<HashMap<(TenantId, ResourceId), usize>>>,
    // Of those who are about to leave groups that give roles.
    turns: Turns,
}

impl<S: Store, L: GuardLedger> GuardedStore<S, L> {
    /// `store` behind `guards`, which note in `ledger` what goes. `now` is the clock.
    pub fn new(store: S, guards: Guards, ledger: L, now: Clock) -> Self {
        let (leaving, turns) = (Arc::default(), Turns::default());
        Self { store, guards: Arc::new(guards), ledger, now, leaving, turns }
    }

    /// Lifts the guards of a tenant for some time, or puts them back. That is for an operator: nothing
    /// that comes with a request should lead here.
    ///
    /// # Errors
    ///
    /// Those of the ledger.
    pub async fn lift(&self, tenant: &TenantId, lift: Option<Lift>) -> Result<(), StoreError> {
        self.ledger.lift(tenant, lift).await
    }

    /// How the guards of a tenant are lifted now.
    ///
    /// # Errors
    ///
    /// Those of the ledger.
    pub async fn lifted(&self, tenant: &TenantId) -> Result<Option<Lift>, StoreError> {
        let lift = self.ledger.lifted(tenant).await?;
        Ok(lift.filter(|lift| lift.until > (self.now)()))
    }

    async fn guarded(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let look = Look { store: &self.store, guards: &self.guards, scope };
        let (people, modification) = look.at_stake(modification).await?;
        let _turn = self.turns.take(scope.tenant, &people).await;
        let _hold = self.hold(scope, "user", &people).await?;
        let (loss, modification) = look.at(modification).await?;
        if loss.is_nothing() {
            return self.store.modify(scope, modification, terms).await;
        }
        let lift = self.lifted(scope.tenant).await?;
        let _reserved = match lift {
            Some(Lift { protection: true, .. }) => (Hold::of_nothing(), Vec::new()),
            _ => {
                if let Some(forbidden) = &loss.forbidden {
                    return Err(self.forbid(scope, forbidden));
                }
                // INVARIANT: people before groups, so that nobody who holds a group waits for people.
                let held =
                    self.hold(scope, "group", loss.leaving.iter().map(|leaving| &leaving.group)).await?;
                (held, self.reserve(scope, &loss.leaving).await?)
            }
        };
        let id = match &modification {
            Modification::Create { resource, .. } | Modification::Replace { resource, .. } => resource.id(),
            Modification::Apply { id, .. } | Modification::Delete { id, .. } => Some((*id).clone()),
        };
        let mut charges = if lift.is_some() { Vec::new() } else { self.charges(scope, id.as_ref(), &loss) };
        let then = (self.now)();
        self.charge(scope, id.as_ref(), &mut charges, then).await?;
        let made = self.store.modify(scope, modification, terms).await;
        if !charges.is_empty() && !may_be_made(&made) {
            let charges: Vec<Charge> = charges.into_iter().map(|(_, charge)| charge).collect();
            // Where the ledger fails here, more counts than went, which errs on the safe side.
            let _ = self.ledger.release(scope.tenant, then, &charges).await;
        }
        made
    }

    fn forbid(&self, scope: Scope<'_>, forbidden: &Forbidden) -> StoreError {
        self.guards.refuse(scope.tenant, true, |remedy| refusal::protected(forbidden, remedy))
    }

    /// Holds what is about the resources with these ids, among all servers of the ledger.
    async fn hold<'i>(
        &self,
        scope: Scope<'_>,
        kind: &str,
        ids: impl IntoIterator<Item = &'i ResourceId>,
    ) -> Result<Hold, StoreError> {
        match hold::keys(kind, ids) {
            keys if keys.is_empty() => Ok(Hold::of_nothing()),
            keys => self.ledger.hold(scope.tenant, &keys, &self.now).await,
        }
    }

    /// What of `loss` counts against ceilings.
    fn charges(&self, scope: Scope<'_>, id: Option<&ResourceId>, loss: &Loss<'_>) -> Vec<(Guard, Charge)> {
        let mut charges = Vec::new();
        let mut add = |guard, key: String, amount, ceiling| {
            charges.push((guard, Charge { key: key.into(), amount, ceiling, population: None }));
        };
        for (guard, amount) in [
            (Guard::Deactivations, loss.deactivations),
            (Guard::RoleDowngrades, loss.role_downgrades),
            (Guard::MemberRemovals, loss.member_removals),
        ] {
            let Some(ceiling) = self.guards.ceiling(guard).filter(|_| amount > 0) else { continue };
            if guard != Guard::MemberRemovals {
                add(guard, guard.name().to_owned(), amount, *ceiling);
                continue;
            }
            // The count is of all groups, and the share of each.
            if let Some(ceiling) = ceiling.count_alone() {
                add(guard, guard.name().to_owned(), amount, ceiling);
            }
            if let (Some(ceiling), Some(id)) = (ceiling.share_alone(), id) {
                add(guard, format!("{guard}/{}/{id}", scope.schema.name()), amount, ceiling);
            }
        }
        charges
    }

    /// Notes `charges` in the ledger, measuring the populations that it asks for.
    async fn charge(
        &self,
        scope: Scope<'_>,
        id: Option<&ResourceId>,
        charges: &mut [(Guard, Charge)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Each is measured at most once.
        for _ in 0..=charges.len() {
            let all: Vec<Charge> = charges.iter().map(|(_, charge)| charge.clone()).collect();
            if all.is_empty() {
                return Ok(());
            }
            match self.ledger.charge(scope.tenant, now, &all).await? {
                Charged::Noted => return Ok(()),
                Charged::Unmeasured(place) => {
                    let Some((guard, charge)) = charges.get_mut(place) else { break };
                    charge.population = Some(self.population(scope, id, *guard).await?);
                }
                Charged::Refused(place, exceeded) => {
                    let Some((guard, charge)) = charges.get(place) else { break };
                    return Err(self.guards.refuse(scope.tenant, false, |remedy| {
                        refusal::exceeded(*guard, &charge.ceiling, &exceeded, remedy)
                    }));
                }
            }
        }
        Err(StoreError::Internal("the ledger of the guards asks for more than there is".into()))
    }

    /// What a share is taken of, as it is before the change.
    async fn population(
        &self,
        scope: Scope<'_>,
        id: Option<&ResourceId>,
        guard: Guard,
    ) -> Result<u64, StoreError> {
        let count = match (guard, id) {
            (Guard::MemberRemovals, Some(id)) => self.store.count_members(scope, id).await?,
            _ => {
                let Some(users) = users(scope) else { return Ok(0) };
                let active = match self.guards.roles.mapping() {
                    Some(_) => bound(users.schema, &active_by_access())?,
                    None => bound(users.schema, "not (active eq false)")?,
                };
                let query = Query { filter: Some(active), ..Query::default() };
                let total = self.store.query(users, &query).await?.total;
                total.ok_or_else(|| StoreError::Internal("a list without a total".into()))?
            }
        };
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// Reserves the leaving of members, if somebody is left in each group, also when all leave who are
    /// about to.
    async fn reserve(&self, scope: Scope<'_>, leaving: &[Leaving<'_>]) -> Result<Vec<Reserved>, StoreError> {
        let mut reserved = Vec::with_capacity(leaving.len());
        for Leaving { schema, group, name, amount } in leaving {
            let key = (scope.tenant.clone(), group.clone());
            let all = {
                let mut all = self.leaving();
                let all = all.entry(key.clone()).or_default();
                *all += amount;
                *all
            };
            reserved.push(Reserved { leaving: Arc::clone(&self.leaving), key, amount: *amount });
            let members = self.store.count_members(Scope { schema, ..scope }, group).await?;
            if members <= *amount {
                return Err(self.forbid(
                    scope,
                    &Forbidden {
                        guard: Guard::ProtectedGroup,
                        subject: Subject::group(name),
                        why: "it cannot be emptied",
                    },
                ));
            }
            if members <= all {
                // Of those who are about to leave, some may have left: to be looked at again.
                return Err(StoreError::VersionMismatch);
            }
        }
        Ok(reserved)
    }

    fn leaving(&self) -> MutexGuard<'_, HashMap<(TenantId, ResourceId), usize>> {
        lock(&self.leaving)
    }
}

/// Who is active where that is said with the access that groups give.
fn active_by_access() -> String {
    let active = format!("{EFFECTIVE_ACCESS}:active");
    format!("{active} eq true or not ({active} pr) and not (active eq false)")
}

/// Members who are about to leave a group, until they have.
struct Reserved {
    leaving: Arc<Mutex<HashMap<(TenantId, ResourceId), usize>>>,
    key: (TenantId, ResourceId),
    amount: usize,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut leaving = lock(&self.leaving);
        if let Some(all) = leaving.get_mut(&self.key) {
            *all = all.saturating_sub(self.amount);
            if *all == 0 {
                leaving.remove(&self.key);
            }
        }
    }
}

// No code panics while it holds the lock, and a number is whole after every call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether something may have become different; what fails for reasons of its own may have been made.
fn may_be_made(made: &Result<Modified, StoreError>) -> bool {
    match made {
        Ok(Modified::Changed(_)) => true,
        Ok(Modified::Unchanged(_)) => false,
        Err(error) => matches!(
            error,
            StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) | StoreError::Internal(_)
        ),
    }
}

impl<S: fmt::Debug, L> fmt::Debug for GuardedStore<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedStore")
            .field("store", &self.store)
            .field("guards", &self.guards)
            .finish_non_exhaustive()
    }
}

impl<S: Store, L: GuardLedger> StoreLayer for GuardedStore<S, L> {
    type Behind = S;

    fn behind(&self) -> &S {
        &self.store
    }

    async fn change(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let takes_away = match &modification {
            Modification::Create { .. } => false,
            Modification::Delete { deletion, .. } => deletion.expected.is_some(),
            Modification::Replace { .. } | Modification::Apply { .. } => true,
        };
        if !takes_away || self.guards.is_none() {
            return self.store.modify(scope, modification, terms).await;
        }
        if terms.waiting.is_some() {
            return self.guarded(scope, modification, terms).await;
        }
        // INVARIANT: nothing is held while a resource that another holds is waited for, since the other may wait for it.
        let waiting = Waiting::default();
        loop {
            let made = self.guarded(scope, modification, Terms { waiting: Some(&waiting), ..terms }).await;
            if !matches!(made, Err(StoreError::PutOff)) || !waiting.over().await? {
                return made;
            }
        }
    }
}
