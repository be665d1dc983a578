//! A service in memory, as vectors are played against.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use scim_core::auth::StaticTokens;
use scim_core::leniency::Leniencies;
use scim_core::service::Outcome;
use scim_core::{Config, Environment, MemoryStore, ResourceId, Service};

use crate::vectors::{self, Server};

/// A service over a [`MemoryStore`], with a clock that stands still.
pub(crate) struct Memory {
    store: MemoryStore,
    service: Service<MemoryStore, StaticTokens>,
    runtime: tokio::runtime::Runtime,
}

impl Memory {
    pub(crate) fn new(strict: bool) -> Self {
        let mut config = Config::new(vectors::BASE_URL.parse().unwrap());
        if strict {
            config.leniencies = Leniencies::strict();
        }
        let count = AtomicU64::new(1);
        let environment = Environment::new(
            || "2026-02-02T02:02:02Z".parse().unwrap(),
            move || ResourceId::new(format!("new-{}", count.fetch_add(1, Ordering::Relaxed))),
        );
        let store = MemoryStore::new();
        let service = Service::new(store.clone(), vectors::tokens(), config, environment);
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

    fn now(&self) -> Option<&str> {
        Some("2026-02-02T02:02:02.000Z")
    }

    fn leniencies(&self, response: &http::Response<Bytes>) -> Option<Vec<String>> {
        let outcome = response.extensions().get::<Outcome>()?;
        Some(outcome.leniencies.iter().map(ToString::to_string).collect())
    }
}
