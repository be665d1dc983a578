//! What identity providers send, one vector each, against PagerDuty's behaviour in memory.
//!
//! The vectors are those of `scim-core/tests/vectors/idp` that say what becomes of them at PagerDuty.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test"
)]

#[path = "../../scim-core/tests/vectors/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests use the rest of it")]
mod vectors;

use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use scim_core::auth::StaticTokens;
use scim_core::{Environment, MemoryStore, Service};
use scim_profiles::pagerduty::{self, PagerDuty};
use vectors::Server;

#[test]
fn every_request_has_its_exact_outcome_at_pagerduty() {
    let vectors = vectors::load("idp");
    assert!(vectors.len() >= 97, "{} vectors", vectors.len());
    let played = std::cell::Cell::new(0);
    vectors::play_all(&vectors, &[], |vector| {
        let problems = vector.play(Memory::new)?;
        played.set(played.get() + 1);
        Some(problems)
    });
    assert!(played.get() >= 30, "{} vectors are about PagerDuty", played.get());
}

struct Memory {
    store: MemoryStore,
    service: Service<MemoryStore, StaticTokens, PagerDuty>,
    runtime: tokio::runtime::Runtime,
}

impl Memory {
    fn new() -> Self {
        let count = AtomicU8::new(1);
        let environment = Environment::new(
            || "2026-02-02T02:02:02Z".parse().unwrap(),
            move || pagerduty::new_id([count.fetch_add(1, Ordering::Relaxed); 16]),
        );
        let store = MemoryStore::new();
        let config = pagerduty::config(vectors::BASE_URL.parse().unwrap());
        let service = Service::new(store.clone(), vectors::tokens(), config, environment)
            .with_policy(PagerDuty::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { store, service, runtime }
    }
}

impl Server for Memory {
    fn seed(&self, tenant: &str, endpoint: &str, resource: serde_json::Value) {
        let registry = &self.service.config().registry;
        self.runtime.block_on(vectors::seed(&self.store, registry, tenant, endpoint, resource));
    }

    fn send(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        self.runtime.block_on(self.service.call(request))
    }

    const IS_PAGERDUTY: bool = true;
}
