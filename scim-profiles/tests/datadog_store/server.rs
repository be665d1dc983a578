//! The service, with an organisation's roles.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use scim_core::audit::{Audit, Record, Sink, SinkError};
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
use scim_profiles::datadog::{self, Datadog, DatadogOptions, Event, RoleCatalogue, Team, TeamStore};
use serde_json::{Value, json};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub(crate) const ADMIN: &str = "11111111-aaaa-11ee-a000-000000000001";
pub(crate) const STANDARD: &str = "11111111-aaaa-11ee-a000-000000000002";
pub(crate) const CUSTOM: &str = "11111111-aaaa-11ee-a000-000000000003";

pub(crate) fn catalogue() -> RoleCatalogue {
    RoleCatalogue::new()
        .with_role(ADMIN, "Datadog Admin Role")
        .and_then(|roles| roles.with_role(STANDARD, "Datadog Standard Role"))
        .and_then(|roles| roles.with_role(CUSTOM, "Billing"))
        .unwrap()
}

pub(crate) fn with_teams() -> DatadogOptions {
    let mut options = DatadogOptions::default();
    options.teams = true;
    options
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme")
}

#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<Record>>>);

impl Sink for Kept {
    fn record(&self, record: &Record) -> Result<(), SinkError> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) store: TeamStore<MemoryStore>,
    pub(crate) service: Arc<Service<TeamStore<MemoryStore>, StaticTokens, Datadog>>,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    pub(crate) records: Kept,
}

impl Server {
    pub(crate) fn new(options: DatadogOptions) -> Self {
        Self::over(MemoryStore::new(), options, catalogue(), 1)
    }

    pub(crate) fn over(
        store: MemoryStore,
        options: DatadogOptions,
        roles: RoleCatalogue,
        first_id: u64,
    ) -> Self {
        let principal = Principal { tenant: tenant(), credential: CredentialId::new("key") };
        let tokens = StaticTokens::new().with(Secret::new("key").unwrap(), principal);
        let count = AtomicU64::new(first_id);
        let environment = Environment::new(
            || "2026-02-02T02:02:02Z".parse().unwrap(),
            move || ResourceId::new(count.fetch_add(1, Ordering::Relaxed).to_string()),
        );
        let events = Arc::<Mutex<Vec<Event>>>::default();
        let told = Arc::clone(&events);
        let store = TeamStore::new(store, &options, Arc::clone(&environment.now))
            .with_events(move |_, event| told.lock().unwrap().push(event.clone()));
        let config = datadog::config("https://api.example.com/api/v2/scim".parse().unwrap(), &options);
        let records = Kept::default();
        let service = Service::new(store.clone(), tokens, config, environment)
            .with_policy(Datadog::new(options, roles))
            .with_audit(Audit::new(records.clone()));
        Self { store, service: Arc::new(service), events, records }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/api/v2/scim{path}"))
            .header("authorization", "Bearer key")
            .body(body)
            .unwrap();
        let response = self.service.call(request).await;
        let body: Value = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        let status = response.status().as_u16();
        if status >= 400 {
            // The one shape of errors that Datadog has.
            assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["errors"], "{body}");
            assert!(!body["errors"][0].as_str().unwrap().is_empty());
        }
        (status, body)
    }

    pub(crate) async fn create(&self, path: &str, body: Value) -> String {
        let (status, body) = self.send("POST", path, body).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn user(&self, name: &str) -> String {
        self.create("/Users", json!({"schemas": [USER], "userName": format!("{name}@example.com")})).await
    }

    pub(crate) async fn group(&self, name: &str, members: &[&String]) -> String {
        self.create("/Groups", group(name, members)).await
    }

    pub(crate) async fn patch(&self, path: &str, operations: Value) -> (u16, Value) {
        self.send("PATCH", path, json!({"schemas": [PATCH_OP], "Operations": operations})).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, Value::Null).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub(crate) async fn team(&self, name: &str) -> Team {
        self.store.teams(&tenant()).await.unwrap().into_iter().find(|team| team.name == name).unwrap()
    }

    pub(crate) fn happened(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    pub(crate) fn remarks(&self) -> Vec<String> {
        std::mem::take(&mut *self.records.0.lock().unwrap()).into_iter().flat_map(|r| r.remarks).collect()
    }
}

pub(crate) fn group(name: &str, members: &[&String]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": [GROUP], "displayName": name, "members": members})
}

pub(crate) fn ids(members: &[&String]) -> BTreeSet<ResourceId> {
    members.iter().map(|id| ResourceId::new(id.as_str())).collect()
}

pub(crate) fn role(id: &str, name: &str) -> Value {
    json!({"value": id, "display": name})
}
