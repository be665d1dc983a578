//! Spans of requests and of their steps, for whoever collects them (feature `tracing`).
//!
//! Without the feature everything here is nothing: the store is itself, and a step is what it does.

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(feature = "tracing")]
mod on;

#[cfg(not(feature = "tracing"))]
pub(super) use off::{RequestSpan, Traced, groups_end, operation, step, traced};
#[cfg(feature = "tracing")]
pub(super) use on::{RequestSpan, Traced, groups_end, operation, step, traced};

/// A step of a request that waits for nothing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Of a body: its JSON, and what it says.
    Parse,
    /// Of what it says: whether it may be, and what is to change.
    Validate,
}
