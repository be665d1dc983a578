//! A service over a [`MemoryStore`] and a client that needs no runtime.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use scim_core::audit::Audit;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::policy::{Policy, StandardPolicy};
use scim_core::service::Outcome;
use scim_core::{Config, CredentialId, Environment, MemoryStore, ResourceId, Service, Store, TenantId};
use serde_json::{Value, json};

pub(crate) const BASE: &str = "https://scim.example.com/scim/v2";

/// A service, and requests to it.
pub(crate) struct Server<S = MemoryStore, P = StandardPolicy> {
    pub(crate) service: Service<S, StaticTokens, P>,
    /// The clock, in milliseconds since 2026-01-01; every reading moves it on.
    pub(crate) clock: Arc<AtomicU64>,
}

/// What a request was answered with.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) outcome: Outcome,
}

pub(crate) fn config() -> Config {
    Config::new(BASE.parse().unwrap())
}

pub(crate) fn server() -> Server {
    server_with(config())
}

pub(crate) fn server_with(config: Config) -> Server {
    server_over(MemoryStore::new(), config)
}

pub(crate) fn server_over<S: Store>(store: S, config: Config) -> Server<S> {
    let principal = |tenant: &str| Principal {
        tenant: TenantId::new(tenant),
        credential: CredentialId::new(format!("token of {tenant}")),
    };
    let tokens = StaticTokens::new()
        .with(Secret::new("acme-token").unwrap(), principal("acme"))
        .with(Secret::new("other-token").unwrap(), principal("other"));
    let clock = Arc::new(AtomicU64::new(0));
    let ticks = Arc::clone(&clock);
    let ids = AtomicU64::new(1);
    let environment = Environment::new(
        move || {
            let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
            start + jiff::SignedDuration::from_millis(ticks.fetch_add(1, Ordering::SeqCst) as i64)
        },
        move || ResourceId::new(format!("id-{}", ids.fetch_add(1, Ordering::SeqCst))),
    );
    Server { service: Service::new(store, tokens, config, environment), clock }
}

impl<S: Store> Server<S> {
    pub(crate) fn with_policy<P: Policy>(self, policy: P) -> Server<S, P> {
        Server { service: self.service.with_policy(policy), clock: self.clock }
    }
}

impl<S: Store, P: Policy> Server<S, P> {
    pub(crate) fn with_audit(self, audit: Audit) -> Self {
        Self { service: self.service.with_audit(audit), clock: self.clock }
    }
}

impl<S: Store, P: Policy> Server<S, P> {
    pub(crate) fn call(&self, request: Request<Bytes>) -> Answer {
        answer(ready(self.service.call(request)))
    }

    /// A request of the tenant `acme`, whose path is below the base URL.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call(request(method, path, body))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body))
    }

    pub(crate) fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    pub(crate) fn patch(&self, path: &str, operations: Value) -> Answer {
        self.send("PATCH", path, Some(patch_op(operations)))
    }

    /// A user, who is there then.
    pub(crate) fn user(&self, name: &str) -> Value {
        let answer = self.post("/Users", user(name));
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()
    }

    /// A group of these members, which is there then.
    pub(crate) fn group(&self, name: &str, members: &[&str]) -> Value {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let answer = self.post(
            "/Groups",
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                "displayName": name,
                "members": members,
            }),
        );
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Asserts a SCIM error (RFC 7644 §3.12).
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, scim_type: Option<&str>, detail: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/scim+json"));
        let body = self.json();
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(body["status"], json!(status.to_string()), "the status is a string");
        assert_eq!(body.get("scimType").and_then(Value::as_str), scim_type, "{}", self.text);
        assert_eq!(body["detail"].as_str(), Some(detail));
    }

    /// Asserts a SCIM error whose detail names `place`.
    #[track_caller]
    pub(crate) fn refused_naming(&self, status: u16, scim_type: Option<&str>, place: &str) {
        let detail = self.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(place), "`{place}` is not named: {detail}");
        self.refused(status, scim_type, &detail);
    }
}

pub(crate) fn user(name: &str) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name })
}

/// A user as a member of a group, as it is answered.
pub(crate) fn member(id: &str) -> Value {
    json!({"value": id, "type": "User", "$ref": format!("{BASE}/Users/{id}")})
}

pub(crate) fn patch_op(operations: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

pub(crate) fn request(method: &str, path: &str, body: Option<Value>) -> Request<Bytes> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header("authorization", "Bearer acme-token");
    if body.is_some() {
        request = request.header("content-type", "application/scim+json");
    }
    request.body(body.map(|body| body.to_string().into()).unwrap_or_default()).unwrap()
}

pub(crate) fn answer(response: Response<Bytes>) -> Answer {
    let (mut head, body) = response.into_parts();
    Answer {
        status: head.status,
        headers: head.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
        outcome: head.extensions.remove().unwrap(),
    }
}

/// The output of a future that never waits: a service over memory needs no runtime.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits for something"),
    }
}

/// `path` percent-encoded as a query value.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
