//! The guards before what the bridge itself takes away.

use jiff::Timestamp;
use serde::Serialize;

use super::config::TeamConfig;
use super::plan::Write;
use crate::guard::{Ceiling, Charge, Charged, Forbidden, Guard, Guards};

/// What is about to be taken away, to be noted in a [`GuardLedger`](crate::guard::GuardLedger) before it is.
///
/// Its keys are the bridge's own: a member who leaves a group by SCIM and then the team counts once for
/// each, against the same ceiling, and so does one with a lower role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removals {
    // INVARIANT: as many as there are charges, one of each.
    guards: Vec<Guard>,
    charges: Vec<Charge>,
}

/// What was noted and is not to count, since PagerDuty refused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// When it was noted.
    pub then: Timestamp,
    /// What was.
    pub charges: Vec<Charge>,
}

/// Why a guard refuses something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GuardRefusal {
    /// The name of the guard: one of [`guard::RULES`](crate::guard::RULES).
    pub rule: &'static str,
    /// What is exceeded or protected, and how an operator lifts that.
    pub detail: String,
}

/// A change that a guard refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Guarded {
    /// What was not made.
    #[serde(flatten)]
    pub write: Write,
    /// Why.
    #[serde(flatten)]
    pub refusal: GuardRefusal,
}

impl Removals {
    /// What it counts as.
    pub fn charges(&self) -> &[Charge] {
        &self.charges
    }

    /// So many members off a team of so many, or with a lower role on it, as `guard` has it; nothing where there is no
    /// ceiling on that.
    pub(super) fn of_members(
        guards: &Guards,
        guard: Guard,
        team: &str,
        removed: usize,
        members: usize,
    ) -> Self {
        let mut removals = Self { guards: Vec::new(), charges: Vec::new() };
        if let Some(ceiling) = guards.ceiling(guard).filter(|_| removed > 0) {
            // The count is of all teams, and the share of each.
            let ceilings = [
                (ceiling.count_alone(), guard.name().to_owned()),
                (ceiling.share_alone(), format!("{}/{team}", guard.name())),
            ];
            for (ceiling, key) in ceilings {
                if let Some(ceiling) = ceiling {
                    removals.add(guard, key, removed, ceiling, members);
                }
            }
        }
        removals
    }

    /// A team with so many members, of so many teams.
    pub(super) fn of_team(guards: &Guards, team: &str, members: usize, teams: usize) -> Self {
        let mut removals = Self::of_members(guards, Guard::TeamRemovals, team, members, members);
        let guard = Guard::TeamDeletions;
        if let Some(ceiling) = guards.ceiling(guard) {
            removals.add(guard, guard.name().to_owned(), 1, *ceiling, teams);
        }
        removals
    }

    fn add(&mut self, guard: Guard, key: String, amount: usize, ceiling: Ceiling, population: usize) {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let population = Some(number(population));
        self.guards.push(guard);
        self.charges.push(Charge { key: key.into(), amount: number(amount), ceiling, population });
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.charges.is_empty()
    }

    /// What became of it in the ledger.
    pub(super) fn verdict(
        &self,
        config: &TeamConfig,
        at: Timestamp,
        charged: &Charged,
    ) -> Result<Timestamp, GuardRefusal> {
        let (place, exceeded) = match charged {
            Charged::Noted => return Ok(at),
            Charged::Refused(place, exceeded) => (*place, Some(exceeded)),
            // INVARIANT: every population is told.
            Charged::Unmeasured(place) => (*place, None),
        };
        let of_place = self.guards.get(place).zip(self.charges.get(place)).zip(exceeded);
        Err(match of_place {
            Some(((guard, charge), exceeded)) => GuardRefusal {
                rule: guard.name(),
                detail: config.guards().exceeded(&config.tenant(), *guard, &charge.ceiling, exceeded),
            },
            None => GuardRefusal {
                rule: Guard::TeamRemovals.name(),
                detail: "the ledger of the guards asks for more than there is".to_owned(),
            },
        })
    }
}

impl GuardRefusal {
    /// Something is protected.
    pub(super) fn protected(config: &TeamConfig, forbidden: &Forbidden) -> Self {
        let detail = config.guards().is_protected(&config.tenant(), forbidden);
        Self { rule: forbidden.guard.name(), detail }
    }
}
