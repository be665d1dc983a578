//! No spans.

use std::future::Future;

use http::{Method, StatusCode};

use super::Step;
use crate::service::outcome::Outcome;
use crate::service::route::Route;

/// The store itself.
pub(in crate::service) type Traced<S> = S;

pub(in crate::service) fn traced<S>(store: S) -> Traced<S> {
    store
}

pub(in crate::service) fn step<T>(_: Step, run: impl FnOnce() -> T) -> T {
    run()
}

pub(in crate::service) fn operation<F: Future>(_: &Method, _: &str, run: F) -> F {
    run
}

pub(in crate::service) fn groups_end(_: usize) {}

pub(in crate::service) struct RequestSpan;

impl RequestSpan {
    pub(in crate::service) fn new(_: &Method) -> Self {
        Self
    }

    pub(in crate::service) fn run<F: Future>(&self, run: F) -> F {
        run
    }

    pub(in crate::service) fn routed(&self, _: &Route) {}

    pub(in crate::service) fn ended(&self, _: StatusCode, _: &Outcome) {}
}
