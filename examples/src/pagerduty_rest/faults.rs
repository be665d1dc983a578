//! What may go wrong between a client and PagerDuty, on request.

use std::time::Duration;

use http::StatusCode;

/// How often what goes wrong; none of it by default.
///
/// The same seed gives the same faults to the same sequence of requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Where the random numbers begin.
    pub seed: u64,
    /// How many of a hundred answers are late.
    pub delay: u8,
    /// By how much at most.
    pub longest_delay: Duration,
    /// How many of a hundred answers are lost: the connection ends before the request has its effect, after it, or
    /// in the middle of the answer.
    pub drop: u8,
    /// How many of a hundred requests arrive twice; the answer is that to the second.
    pub duplicate: u8,
    /// How many of a hundred answers are 5xx, before the request has its effect or after it.
    pub fail: u8,
    /// How many of a hundred requests have their effect when nobody waits for it any more: after a lost answer, after
    /// a 5xx, or once more after a good answer.
    pub late: u8,
    /// How much later at most.
    pub longest_late: Duration,
    /// How long the role of a member is told as it was.
    pub late_roles: Duration,
}

/// What is done to one request.
pub(super) struct Fate {
    pub(super) delay: Duration,
    pub(super) duplicate: bool,
    pub(super) end: End,
    /// When it has its effect, perhaps once more, if that is after the answer.
    pub(super) late: Option<Duration>,
}

/// How the client learns of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Answered,
    DroppedBefore,
    DroppedAfter,
    BrokenOff,
    FailedBefore(StatusCode),
    FailedAfter(StatusCode),
}

impl Faults {
    /// What happens to the request with that number.
    pub(super) fn fate(&self, number: u64) -> Fate {
        let mut random = Random(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut happens = |percent: u8| random.below(100) < u64::from(percent);
        let (late, duplicate, drop, fail) =
            (happens(self.delay), happens(self.duplicate), happens(self.drop), happens(self.fail));
        let delay = if late { random.up_to(self.longest_delay) } else { Duration::ZERO };
        let (kind, status) = (random.below(6), random.below(4));
        let status = match status {
            0 => StatusCode::INTERNAL_SERVER_ERROR,
            1 => StatusCode::BAD_GATEWAY,
            2 => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::GATEWAY_TIMEOUT,
        };
        let end = match (drop, fail, kind) {
            (true, _, 0 | 1) => End::DroppedBefore,
            (true, _, 2 | 3) => End::DroppedAfter,
            (true, ..) => End::BrokenOff,
            (false, true, 0..3) => End::FailedBefore(status),
            (false, true, _) => End::FailedAfter(status),
            (false, false, _) => End::Answered,
        };
        // At the end, so that the other faults are those of the seed.
        if random.below(100) >= u64::from(self.late) {
            return Fate { delay, duplicate, end, late: None };
        }
        let late = Some(random.up_to(self.longest_late));
        let end = match random.below(3) {
            0 => End::DroppedBefore,
            1 => End::FailedBefore(status),
            _ => End::Answered,
        };
        Fate { delay, duplicate, end, late }
    }
}

/// `SplitMix64` (Steele, Lea and Flood, 2014).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A time no longer than `longest`, in milliseconds.
    fn up_to(&mut self, longest: Duration) -> Duration {
        let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.below(longest.saturating_add(1)))
    }

    /// A number below `bound`; 0 where that is none.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_faults_and_as_many_as_asked_for() {
        let faults = Faults { seed: 7, drop: 20, fail: 10, duplicate: 5, ..Faults::default() };
        let fates = |faults: &Faults| (0..10_000).map(|number| faults.fate(number)).collect::<Vec<_>>();
        let (first, second) = (fates(&faults), fates(&faults));
        let same = first.iter().zip(&second).all(|(a, b)| a.end == b.end && a.duplicate == b.duplicate);
        assert!(same);
        let count = |is: fn(&Fate) -> bool| first.iter().filter(|fate| is(fate)).count();
        let dropped =
            count(|fate| matches!(fate.end, End::DroppedBefore | End::DroppedAfter | End::BrokenOff));
        assert!((1_800..2_200).contains(&dropped), "{dropped}");
        let failed = count(|fate| matches!(fate.end, End::FailedBefore(_) | End::FailedAfter(_)));
        // Of those that are not dropped.
        assert!((700..900).contains(&failed), "{failed}");
        assert!((400..600).contains(&count(|fate| fate.duplicate)));
        assert_eq!(count(|fate| fate.late.is_some()), 0);
        let late = fates(&Faults { late: 10, longest_late: Duration::from_secs(1), ..faults });
        let late: Vec<_> = late.iter().filter(|fate| fate.late.is_some()).collect();
        assert!((900..1_100).contains(&late.len()), "{}", late.len());
        assert!(
            late.iter().any(|fate| fate.end == End::Answered && fate.late > Some(Duration::from_millis(900)))
        );
        assert!(fates(&Faults::default()).iter().all(|fate| fate.end == End::Answered && !fate.duplicate));
    }
}
