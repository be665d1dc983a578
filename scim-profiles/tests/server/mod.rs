//! A service in memory that behaves like PagerDuty's.

use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::store::{Scope, Store};
use scim_core::{CredentialId, Environment, MemoryStore, Resource, Service, TenantId, Value, validate};
use scim_profiles::pagerduty::{self, AccountStore, PROFILE, PagerDuty};
use serde_json::json;

/// The service, its store, and a runtime to call it in.
pub(crate) struct Server {
    pub(crate) store: MemoryStore,
    service: Service<AccountStore<MemoryStore>, StaticTokens, PagerDuty>,
    runtime: tokio::runtime::Runtime,
}

/// What the service answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    #[allow(dead_code, reason = "not every test looks at them")]
    pub(crate) headers: HeaderMap,
    /// The body; `null` if there is none.
    pub(crate) body: serde_json::Value,
}

impl Server {
    pub(crate) fn new(policy: PagerDuty) -> Self {
        let tokens = StaticTokens::new().with_token_parameter().with(
            Secret::new("key").unwrap(),
            Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("key") },
        );
        let count = AtomicU8::new(1);
        let environment = Environment::new(
            || "2026-02-02T02:02:02Z".parse().unwrap(),
            move || pagerduty::new_id([count.fetch_add(1, Ordering::Relaxed); 16]),
        );
        let store = MemoryStore::new();
        let config = pagerduty::config("https://scim.example.com/scim/v2".parse().unwrap());
        let account = AccountStore::new(store.clone(), policy.clone());
        let service = Service::new(account, tokens, config, environment).with_policy(policy);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { store, service, runtime }
    }

    /// Stores `user`, past the service.
    pub(crate) fn seed(&self, mut user: serde_json::Value) {
        user["meta"] = json!({
            "resourceType": "User",
            "created": "2026-01-01T00:00:00Z",
            "lastModified": "2026-01-01T00:00:00Z",
            "version": "W/\"1\"",
        });
        let Value::Object(object) = Value::from(user) else { panic!("not an object") };
        let schema = PROFILE.registry().by_name("User").unwrap();
        let resource = Resource(object);
        let unique = validate::unique_keys(schema, &resource);
        let tenant = TenantId::new("acme");
        let scope = Scope { tenant: &tenant, schema };
        self.runtime.block_on(self.store.create(scope, &resource, &unique)).unwrap();
    }

    /// Answers a request on `path` below the base URL.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let request = http::Request::builder().method(method).uri(format!("/scim/v2{path}"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let body = body.map(|body| serde_json::to_vec(body).unwrap()).unwrap_or_default();
        let response = self.runtime.block_on(self.service.call(request.body(Bytes::from(body)).unwrap()));
        let text = response.body();
        let body = match text.is_empty() {
            true => serde_json::Value::Null,
            false => serde_json::from_slice(text).unwrap(),
        };
        Answer { status: response.status(), headers: response.headers().clone(), body }
    }

    /// The user `id`, if there is one.
    pub(crate) fn user(&self, id: &str) -> Option<serde_json::Value> {
        let answer = self.send("GET", &format!("/Users/{id}"), &[("authorization", "Bearer key")], None);
        (answer.status == StatusCode::OK).then_some(answer.body)
    }
}
