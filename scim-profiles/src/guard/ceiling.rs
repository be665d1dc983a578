//! How much may go within a window of time, by count and by share.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// The most that may go within a window of time: a count, a share of a population, or both.
///
/// The window slides. It is kept in sixtieths, so that what is noted takes as little room for a
/// million changes as for ten: what went counts until the end of its sixtieth has left the window,
/// which is up to a sixtieth of the window longer than the window.
///
/// A share is of the largest population that was measured within the window, so that 20 % of a
/// hundred are twenty and do not become fewer as they go, whoever else is at work at the same time.
/// It is measured when nothing is known of it, and before something is refused, then once in a
/// sixtieth of the window. The share is rounded down.
///
/// ```
/// use jiff::SignedDuration;
/// use scim_profiles::guard::Ceiling;
///
/// let ceiling = Ceiling::within(SignedDuration::from_hours(24))?.with_count(50).with_share(20, 30)?;
/// assert_eq!(ceiling.count(), Some(50));
/// assert!(Ceiling::within(SignedDuration::from_secs(1)).is_err());
/// assert!(ceiling.with_share(120, 30).is_err());
/// # Ok::<(), scim_profiles::guard::InvalidCeiling>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling {
    // INVARIANT: from a minute to `LONGEST`.
    window: SignedDuration,
    count: Option<u64>,
    share: Option<Share>,
}

/// A share of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    // INVARIANT: at most 100.
    percent: u8,
    minimum: u64,
}

/// What is wrong with a [`Ceiling`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCeiling {
    /// The window is shorter than a minute or longer than a year.
    Window(SignedDuration),
    /// More than the whole.
    Percent(u8),
}

impl Ceiling {
    /// A ceiling that permits everything, for a window of this length.
    ///
    /// # Errors
    ///
    /// The window is shorter than a minute or longer than 366 days.
    pub fn within(window: SignedDuration) -> Result<Self, InvalidCeiling> {
        if window < SHORTEST || window > LONGEST {
            return Err(InvalidCeiling::Window(window));
        }
        Ok(Self { window, count: None, share: None })
    }

    /// The same, permitting `count` at most.
    #[must_use]
    pub fn with_count(self, count: u64) -> Self {
        Self { count: Some(count), ..self }
    }

    /// The same, permitting `percent` of the population at most, where that is `minimum` or more:
    /// of a few, one is a large share.
    ///
    /// # Errors
    ///
    /// It is more than 100.
    pub fn with_share(self, percent: u8, minimum: u64) -> Result<Self, InvalidCeiling> {
        if percent > 100 {
            return Err(InvalidCeiling::Percent(percent));
        }
        Ok(Self { share: Some(Share { percent, minimum }), ..self })
    }

    /// The length of the window.
    pub fn window(&self) -> SignedDuration {
        self.window
    }

    /// The most by count.
    pub fn count(&self) -> Option<u64> {
        self.count
    }

    /// The most by share.
    pub fn share(&self) -> Option<Share> {
        self.share
    }

    /// The same without the share; `None` where nothing is left.
    pub(crate) fn count_alone(self) -> Option<Self> {
        self.count.map(|_| Self { share: None, ..self })
    }

    /// The same without the count; `None` where nothing is left.
    pub(crate) fn share_alone(self) -> Option<Self> {
        self.share.map(|_| Self { count: None, ..self })
    }

    fn sixtieth(&self) -> SignedDuration {
        self.window / SIXTIETHS
    }

    /// The beginning of the sixtieth of the window that `now` is in.
    pub(super) fn step(&self, now: Timestamp) -> Timestamp {
        let length = self.sixtieth().as_nanos().max(1);
        let begins = now.as_nanosecond().div_euclid(length).saturating_mul(length);
        Timestamp::from_nanosecond(begins).unwrap_or(now)
    }

    /// What begins before this has left the window at `now`; what begins then or later counts.
    pub(super) fn since(&self, now: Timestamp) -> Timestamp {
        let length = self.window + self.sixtieth() - SignedDuration::from_nanos(1);
        now.checked_sub(length).unwrap_or(Timestamp::MIN)
    }

    /// When what began at `step` has left the window.
    pub(super) fn end(&self, step: Timestamp) -> Timestamp {
        step.checked_add(self.window + self.sixtieth()).unwrap_or(Timestamp::MAX)
    }
}

impl Share {
    /// Out of a hundred.
    pub fn percent(&self) -> u8 {
        self.percent
    }

    /// The least population of which it is taken.
    pub fn minimum(&self) -> u64 {
        self.minimum
    }

    /// The most of `population`.
    fn most(&self, population: u64) -> u64 {
        let most = u128::from(population) * u128::from(self.percent) / 100;
        u64::try_from(most).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for InvalidCeiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window(window) => {
                write!(f, "a window of {window:#} is not between a minute and 366 days")
            }
            Self::Percent(percent) => write!(f, "{percent} percent is more than the whole"),
        }
    }
}

impl std::error::Error for InvalidCeiling {}

/// What is to be noted of a change in a [ledger](super::GuardLedger): how much of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Of what: the name of a guard, and behind a slash the `id` of the group of whose members a
    /// share is taken.
    pub key: Box<str>,
    /// How many.
    pub amount: u64,
    /// The ceiling it counts against.
    pub ceiling: Ceiling,
    /// The population, where it was measured.
    pub population: Option<u64>,
}

/// What was noted within one sixtieth of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noted {
    /// When the sixtieth began.
    pub step: Timestamp,
    /// How many.
    pub amount: u64,
    /// The largest population that was measured in it, if one was.
    pub population: Option<u64>,
}

/// What a ceiling says to a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is within the ceiling.
    Permitted,
    /// The population has to be measured first.
    Unmeasured,
    /// It is not.
    Exceeded(Exceeded),
}

/// By how much a charge is over its ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The most there may be.
    pub most: u64,
    /// How many there would be.
    pub would_be: u64,
    /// The population, where it is a share that is exceeded.
    pub population: Option<u64>,
    /// When what is noted has left the window as far as it is in the way; `None` where the charge is
    /// more than the ceiling by itself.
    pub free_at: Option<Timestamp>,
}

impl Charge {
    /// The beginning of the sixtieth of the window in which a ledger notes it at `now`.
    pub fn step(&self, now: Timestamp) -> Timestamp {
        self.ceiling.step(now)
    }

    /// Of what is noted under the same key, what begins at this moment or later counts at `now`.
    pub fn since(&self, now: Timestamp) -> Timestamp {
        self.ceiling.since(now)
    }

    /// A charge of nothing that has the population, if it was measured: what is noted of a refusal.
    pub fn measure(&self) -> Option<Self> {
        self.population.is_some().then(|| Self { amount: 0, ..self.clone() })
    }

    /// When it has left the window, if it is noted at `now`.
    pub fn end(&self, now: Timestamp) -> Timestamp {
        self.ceiling.end(self.step(now))
    }

    /// Whether it is within its ceiling at `now`, where `noted` stands already: what is noted under the
    /// same key [since](Self::since) the beginning of the window, the oldest first.
    pub fn judge(&self, now: Timestamp, noted: &[Noted]) -> Verdict {
        let would_be = noted.iter().fold(self.amount, |sum, noted| sum.saturating_add(noted.amount));
        if let Some(most) = self.ceiling.count.filter(|most| would_be > *most) {
            return Verdict::Exceeded(self.exceeded(noted, most, would_be, None));
        }
        let Some(share) = self.ceiling.share else { return Verdict::Permitted };
        let largest = noted.iter().filter_map(|noted| noted.population).chain(self.population).max();
        let within = |population: u64| would_be <= share.most(population);
        let (step, measured) = (self.step(now), self.population.is_some());
        match largest.filter(|population| *population >= share.minimum) {
            // As long as a measure that is there permits it, no other is needed.
            Some(population) if within(population) => Verdict::Permitted,
            // Of many that are refused not each has the population counted anew.
            Some(population)
                if measured || noted.iter().any(|noted| noted.step == step && noted.population.is_some()) =>
            {
                let most = share.most(population);
                Verdict::Exceeded(self.exceeded(noted, most, would_be, Some(population)))
            }
            // One that is too low for a share says nothing of today.
            None if measured => Verdict::Permitted,
            _ => Verdict::Unmeasured,
        }
    }

    fn exceeded(&self, noted: &[Noted], most: u64, would_be: u64, population: Option<u64>) -> Exceeded {
        let mut left = would_be;
        let free = noted.iter().find(|noted| {
            left = left.saturating_sub(noted.amount);
            left <= most
        });
        let free_at = free.map(|noted| self.ceiling.end(noted.step));
        Exceeded { most, would_be, population, free_at }
    }
}

const SIXTIETHS: i32 = 60;
const SHORTEST: SignedDuration = SignedDuration::from_mins(1);
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);
