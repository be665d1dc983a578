//! When the next request may be sent.

use std::time::Duration;

use http::HeaderMap;

use super::config::TeamOptions;

/// The longest wait that an answer can ask for: the limits of PagerDuty are by the minute.
const MAX_RESET: Duration = Duration::from_secs(300);

/// When the next request may be sent: after the pause that failures or the rate limit ask for.
#[derive(Debug, Default)]
pub(super) struct Pace {
    until: Duration,
    pause: Option<Pause>,
    /// How many requests in a row failed.
    failures: u32,
}

/// A pause whose random part is not known yet.
#[derive(Debug)]
struct Pause {
    at: Duration,
    /// What the answer asked for.
    least: Duration,
}

impl Pace {
    /// Takes over what an answer says of the rate limit.
    pub(super) fn observe(&mut self, now: Duration, headers: &HeaderMap) {
        let is_used_up = seconds(headers, "ratelimit-remaining") == Some(Duration::ZERO);
        if let Some(reset) = seconds(headers, "ratelimit-reset").filter(|_| is_used_up) {
            self.pause = Some(Pause { at: now, least: reset.min(MAX_RESET) });
        }
    }

    /// After an answer that is one.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// After a request that was not answered as it should be.
    pub(super) fn failed(&mut self, now: Duration) {
        self.patient(now, None);
    }

    /// After an answer that asks for patience: for as long as `name` says, if it is there.
    pub(super) fn refused(&mut self, now: Duration, headers: &HeaderMap, name: &str) {
        self.patient(now, seconds(headers, name).or_else(|| seconds(headers, "retry-after")));
    }

    fn patient(&mut self, now: Duration, asked: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        let known = self.pause.as_ref().map(|pause| pause.least);
        let least = known.max(asked).unwrap_or_default().min(MAX_RESET);
        self.pause = Some(Pause { at: now, least });
    }

    pub(super) fn wait_for(&mut self, now: Duration, pause: Duration) {
        self.until = self.until.max(now.saturating_add(pause));
    }

    /// How long to wait from now on, if at all.
    pub(super) fn wait(
        &mut self,
        now: Duration,
        options: &TeamOptions,
        random: &mut impl FnMut() -> u32,
    ) -> Option<Duration> {
        if let Some(Pause { at, least }) = self.pause.take() {
            let mut pause = least;
            if self.failures > 0 {
                let doubled = 1_u32.checked_shl(self.failures - 1).unwrap_or(u32::MAX);
                let longest = options.backoff.saturating_mul(doubled).min(options.max_backoff);
                pause = pause.max(longest / 2 + share(longest / 2, random()));
            }
            if !least.is_zero() {
                // Not everybody at the very moment at which the limit is lifted.
                pause = pause.max(least.saturating_add(share(options.backoff, random())));
            }
            self.until = self.until.max(at.saturating_add(pause));
        }
        self.until.checked_sub(now).filter(|wait| !wait.is_zero())
    }
}

/// A random share of `whole`.
fn share(whole: Duration, random: u32) -> Duration {
    let nanos = whole.as_nanos().saturating_mul(u128::from(random)) >> 32;
    u64::try_from(nanos).map_or(whole, Duration::from_nanos)
}

fn seconds(headers: &HeaderMap, name: &str) -> Option<Duration> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
