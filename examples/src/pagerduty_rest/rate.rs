//! Rate limits: `docs/REST-API/04-Rate-Limits.md`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How many requests a credential may make in a window of time.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// How many.
    pub requests: u32,
    /// In how long.
    pub window: Duration,
}

impl Default for RateLimit {
    /// 960 a minute.
    fn default() -> Self {
        Self { requests: 960, window: Duration::from_secs(60) }
    }
}

/// The windows that are open.
#[derive(Default)]
pub(super) struct Windows(HashMap<String, (Instant, u32)>);

/// What the headers of a counted request say.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// Seconds until the window ends.
    pub(super) reset: u64,
    pub(super) exceeded: bool,
}

impl Windows {
    /// Counts one request of `credential`.
    pub(super) fn count(&mut self, credential: &str, limit: RateLimit, now: Instant) -> Counted {
        let window = self.0.entry(credential.to_owned()).or_insert((now, 0));
        if now.duration_since(window.0) >= limit.window {
            *window = (now, 0);
        }
        window.1 = window.1.saturating_add(1);
        let left = limit.window.saturating_sub(now.duration_since(window.0));
        Counted {
            limit: limit.requests,
            remaining: limit.requests.saturating_sub(window.1),
            reset: left.as_secs() + u64::from(left.subsec_nanos() > 0),
            exceeded: window.1 > limit.requests,
        }
    }
}
