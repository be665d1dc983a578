//! A guarded service in memory, with a clock that the tests set.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use scim_core::audit::{Audit, Record, Sink, SinkError};
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{CredentialId, Environment, MemoryStore, ResourceId, Service, Store, TenantId};
use scim_profiles::Profile;
use scim_profiles::guard::{Ceiling, GuardLedger as _, GuardedStore, Guards, Lift, MemoryLedger};
use serde_json::{Value, json};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A ceiling of an hour that permits everything.
pub(crate) fn ceiling() -> Ceiling {
    Ceiling::within(SignedDuration::from_hours(1)).unwrap()
}

/// Every ceiling is this one.
pub(crate) fn guards(ceiling: Ceiling) -> Guards {
    Guards::new().with_deactivations(ceiling).with_role_downgrades(ceiling).with_member_removals(ceiling)
}

type Answer = Pin<Box<dyn Future<Output = http::Response<Bytes>> + Send>>;

#[derive(Clone)]
pub(crate) struct Server {
    call: Arc<dyn Fn(http::Request<Bytes>) -> Answer + Send + Sync>,
    clock: Arc<AtomicI64>,
    records: Kept,
    pub(crate) ledger: MemoryLedger,
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Record>>>);

impl Sink for Kept {
    fn record(&self, record: &Record) -> Result<(), SinkError> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
}

impl Server {
    /// A server of the profile `generic`.
    pub(crate) fn new(guards: Guards) -> Self {
        Self::of("generic", MemoryStore::new(), guards)
    }

    /// A server of a profile, over a store.
    pub(crate) fn of<S: Store>(profile: &str, store: S, guards: Guards) -> Self {
        Self::with_ledger(profile, store, guards, MemoryLedger::new())
    }

    /// The same with a ledger that another server may have.
    pub(crate) fn with_ledger<S: Store>(
        profile: &str,
        store: S,
        guards: Guards,
        ledger: MemoryLedger,
    ) -> Self {
        let profile = Profile::by_name(profile).unwrap();
        let principal = Principal { tenant: tenant(), credential: CredentialId::new("key") };
        let tokens = StaticTokens::new().with(Secret::new("key").unwrap(), principal);
        let (count, clock) = (AtomicU64::new(1), Arc::new(AtomicI64::new(0)));
        let seconds = Arc::clone(&clock);
        let environment = Environment::new(
            move || Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap(),
            move || ResourceId::new(count.fetch_add(1, Ordering::Relaxed).to_string()),
        );
        let store = GuardedStore::new(store, guards, ledger.clone(), Arc::clone(&environment.now));
        let config = profile.config("https://scim.example.com/scim/v2".parse().unwrap());
        let records = Kept::default();
        let service = Service::new(store, tokens, config, environment)
            .with_policy(profile.policy())
            .with_audit(Audit::new(records.clone()));
        let service = Arc::new(service);
        let call = move |request| {
            let service = Arc::clone(&service);
            Box::pin(async move { service.call(request).await }) as Answer
        };
        Self { call: Arc::new(call), clock, records, ledger }
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.clock.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) async fn lift(&self, protection: bool) {
        let until = self.now() + SignedDuration::from_mins(10);
        self.ledger.lift(&tenant(), Some(Lift { until, protection })).await.unwrap();
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", "Bearer key")
            .body(body)
            .unwrap();
        let response = (self.call)(request).await;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status().as_u16(), body)
    }

    pub(crate) async fn create(&self, path: &str, body: Value) -> String {
        let (status, body) = self.send("POST", path, body).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn user(&self, name: &str) -> String {
        self.create("/Users", json!({"schemas": [USER], "userName": name})).await
    }

    pub(crate) async fn users(&self, number: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for number in 0..number {
            ids.push(self.user(&format!("u{number}")).await);
        }
        ids
    }

    pub(crate) async fn group(&self, name: &str, members: &[String]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        self.create("/Groups", json!({"schemas": [GROUP], "displayName": name, "members": members})).await
    }

    pub(crate) async fn patch(&self, path: &str, operations: Value) -> (u16, Value) {
        self.send("PATCH", path, json!({"schemas": [PATCH_OP], "Operations": operations})).await
    }

    pub(crate) async fn set_active(&self, id: &str, active: bool) -> u16 {
        let operations = json!([{"op": "replace", "path": "active", "value": active}]);
        self.patch(&format!("/Users/{id}"), operations).await.0
    }

    pub(crate) async fn delete_user(&self, id: &str) -> u16 {
        self.send("DELETE", &format!("/Users/{id}"), Value::Null).await.0
    }

    /// Takes members out of a group by their values.
    pub(crate) async fn leave(&self, group: &str, members: &[String]) -> u16 {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let operations = json!([{"op": "remove", "path": "members", "value": members}]);
        self.patch(&format!("/Groups/{group}"), operations).await.0
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.send("GET", path, Value::Null).await.1
    }

    /// The ids of the members of a group.
    pub(crate) async fn members(&self, group: &str) -> Vec<String> {
        let group = self.get(&format!("/Groups/{group}")).await;
        let members = group["members"].as_array().cloned().unwrap_or_default();
        members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect()
    }

    /// Everything there is.
    pub(crate) async fn everything(&self) -> (Value, Value) {
        (self.get("/Users?count=1000").await, self.get("/Groups?count=1000").await)
    }

    /// The records so far, which are forgotten.
    pub(crate) fn take_records(&self) -> Vec<Value> {
        let records = std::mem::take(&mut *self.records.0.lock().unwrap());
        records.iter().map(|record| serde_json::to_value(record).unwrap()).collect()
    }

    /// Asserts that a request is refused by a guard, changes nothing, and is in the audit trail as
    /// refused; the detail.
    pub(crate) async fn refuses(&self, method: &str, path: &str, body: Value, guard: &str) -> String {
        let before = self.everything().await;
        self.take_records();
        let (status, answer) = self.send(method, path, body).await;
        assert_eq!(status, 403, "{method} {path}: {answer}");
        assert_eq!(self.everything().await, before, "{method} {path}");
        let records = self.take_records();
        let [record] = &records[..] else { panic!("{method} {path}: {records:#?}") };
        assert_eq!(
            (&record["effect"], &record["rule"], &record["status"], record.get("changes")),
            (&json!("refused"), &json!(guard), &json!(403), None)
        );
        let detail = answer["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.ends_with(&format!("({guard})")), "{detail}");
        assert_eq!(answer.get("scimType"), None);
        // The trail has for whom or what, as the detail does.
        assert_eq!(record.get("subject").is_some(), guard.starts_with("guard-protected-"), "{record}");
        if let Some(subject) = record.get("subject").and_then(Value::as_str) {
            assert!(detail.starts_with(&format!("{subject} is protected: ")), "{subject}: {detail}");
        }
        detail
    }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme")
}

/// The body of a PATCH.
pub(crate) fn patch(operations: Value) -> Value {
    json!({"schemas": [PATCH_OP], "Operations": operations})
}
