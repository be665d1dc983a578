//! The vendor's service in memory, and the names that guides have for identifiers.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::policy::Policy;
use scim_core::{CredentialId, Environment, MemoryStore, Service, Store, TenantId};
use scim_profiles::datadog::{self, Datadog, DatadogOptions, TeamStore};
use scim_profiles::incident_io::AccessStore;
use serde_json::Value;

use crate::guide::{Exchange, Guide};

/// The service; the identifiers of what was created last stand for `{user}` and `{group}`.
pub(crate) struct Server {
    call: Box<dyn Fn(http::Request<Bytes>) -> http::Response<Bytes>>,
    authorization: RefCell<String>,
    user: RefCell<String>,
    group: RefCell<String>,
}

/// An answer; the body is null where there is none.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Server {
    /// The vendor's service, with what the guide says of groups and roles.
    pub(crate) fn new(guide: &Guide) -> Self {
        let profile = guide.profile();
        let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("key") };
        let mut tokens = StaticTokens::new().with(Secret::new("KEY").unwrap(), principal);
        if profile.authorization.iter().any(|row| row.prefix.ends_with("token=")) {
            tokens = tokens.with_token_parameter();
        }
        let count = AtomicU8::new(1);
        let environment = Environment::new(
            || "2026-02-02T02:02:02Z".parse().unwrap(),
            move || profile.new_id([count.fetch_add(1, Ordering::Relaxed); 16]),
        );
        let now = Arc::clone(&environment.now);
        let base_url = "https://scim.example.com/scim/v2".parse().unwrap();
        let call = if profile.name == "datadog" {
            let mut options = DatadogOptions::default();
            options.teams = true;
            let store = TeamStore::new(MemoryStore::new(), &options, now);
            let config = datadog::config(base_url, &options);
            let policy = Datadog::new(options, guide.roles());
            calls(Service::new(store, tokens, config, environment).with_policy(policy))
        } else {
            let store = AccessStore::new(MemoryStore::new(), guide.mapping(), now);
            let config = profile.config(base_url);
            calls(Service::new(store, tokens, config, environment).with_policy(profile.policy()))
        };
        Self { call, authorization: RefCell::default(), user: RefCell::default(), group: RefCell::default() }
    }

    /// Sends a request of a guide, with the Authorization header that came last.
    pub(crate) fn send(&self, exchange: &Exchange) -> Answer {
        let path = self.replaced(&exchange.path);
        let mut request =
            http::Request::builder().method(exchange.method.as_str()).uri(format!("/scim/v2{path}"));
        for (name, value) in &exchange.headers {
            if name == "Authorization" {
                value.clone_into(&mut self.authorization.borrow_mut());
            } else {
                request = request.header(name, value);
            }
        }
        request = request.header("authorization", self.authorization.borrow().as_str());
        if exchange.body.is_some() {
            request = request.header("content-type", "application/scim+json");
        }
        let body = exchange.body.as_ref().map(|body| self.replaced(&body.to_string())).unwrap_or_default();
        let response = (self.call)(request.body(Bytes::from(body)).unwrap());
        let body: Value = match response.body().is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(response.body()).unwrap(),
        };
        if response.status() == 201 {
            let created = if path.starts_with("/Groups") { &self.group } else { &self.user };
            body["id"].as_str().unwrap().clone_into(&mut created.borrow_mut());
        }
        Answer { status: response.status().as_u16(), body }
    }

    /// An answer of a guide, with identifiers in place of names.
    pub(crate) fn named(&self, answer: &Value) -> Value {
        serde_json::from_str(&self.replaced(&answer.to_string())).unwrap()
    }

    fn replaced(&self, text: &str) -> String {
        text.replace("{user}", &self.user.borrow()).replace("{group}", &self.group.borrow())
    }
}

fn calls<S: Store, P: Policy>(
    service: Service<S, StaticTokens, P>,
) -> Box<dyn Fn(http::Request<Bytes>) -> http::Response<Bytes>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    Box::new(move |request| runtime.block_on(service.call(request)))
}

/// The attributes that a body names: `roles`, `roles.value`, `URN:attribute`; of a PATCH the paths as well, as
/// they are written.
pub(crate) fn attributes_of(body: &Value) -> Vec<String> {
    if let Some(operations) = body.get("Operations").and_then(Value::as_array) {
        let named = operations.iter().flat_map(|operation| match operation["path"].as_str() {
            Some(path) => vec![path.to_owned(), attribute_of(path)],
            None => attributes_of(&operation["value"]),
        });
        return named.collect();
    }
    let mut names = Vec::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        names.push(attribute_of(name));
        let separator = if name.contains(':') { ":" } else { "." };
        let elements = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for sub in elements.iter().filter_map(Value::as_object).flat_map(|element| element.keys()) {
            names.push(format!("{name}{separator}{sub}"));
        }
    }
    names
}

/// The path without the User schema's URI and without the filter: `roles.value`.
pub(crate) fn attribute_of(path: &str) -> String {
    let path = path.strip_prefix("urn:ietf:params:scim:schemas:core:2.0:User:").unwrap_or(path);
    match (path.split_once('['), path.rsplit_once(']')) {
        (Some((name, _)), Some((_, sub))) => format!("{name}{sub}"),
        _ => path.to_owned(),
    }
}
