//! A real service on loopback, with faults put in on the way, and the program run against it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{Request, Response, header};
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::policy::{Policy, StandardPolicy};
use scim_core::{Config, CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
use scim_profiles::incident_io::{self, AccessStore, BaseRole, IncidentIo, RoleMapping};
use scim_profiles::pagerduty::{self, PagerDuty};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::replay;

/// The token of every server here.
pub(crate) const TOKEN: &str = "not-to-be-printed-7f3a";

/// Whose behaviour the server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habits {
    Generic,
    IncidentIo,
    PagerDuty,
}

/// Changes a request, or answers it in place of the service.
pub(crate) type Before = fn(&mut Request<Bytes>) -> Option<Response<Bytes>>;

/// Changes an answer: request line, status and headers, body (null where it is empty).
pub(crate) type After = fn(&str, &mut http::response::Parts, &mut Value);

/// What goes wrong on the way.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) before: Option<Before>,
    pub(crate) after: Option<After>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Method and target, as in `GET /scim/v2/Users?`.
    pub(crate) line: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

/// A server that runs until the test ends.
pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// What a run of the program came to.
pub(crate) struct Run {
    pub(crate) passed: bool,
    pub(crate) report: Value,
    pub(crate) text: String,
}

impl Server {
    /// Starts one.
    pub(crate) async fn start(habits: Habits, faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/scim/v2", listener.local_addr().unwrap());
        let service = Arc::new(service(habits, &url));
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let log = Arc::clone(&seen);
        let router = Router::new().fallback(move |request: axum::extract::Request| {
            let (service, log) = (Arc::clone(&service), Arc::clone(&log));
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, 64 << 20).await.unwrap();
                let line = format!("{} {}", parts.method, parts.uri);
                log.lock().unwrap_or_else(PoisonError::into_inner).push(Seen {
                    line: line.clone(),
                    headers: parts.headers.clone(),
                    body: serde_json::from_slice(&body).unwrap_or_default(),
                });
                let mut request = Request::from_parts(parts, body);
                if let Some(answer) = faults.before.and_then(|before| before(&mut request)) {
                    return answer.map(Body::from);
                }
                let (mut parts, body) = service.call(request).await.into_parts();
                let Some(after) = faults.after else { return Response::from_parts(parts, Body::from(body)) };
                let mut json = serde_json::from_slice(&body).unwrap_or_default();
                after(&line, &mut parts, &mut json);
                parts.headers.remove(header::CONTENT_LENGTH);
                let body = if json.is_null() { String::new() } else { json.to_string() };
                Response::from_parts(parts, Body::from(body))
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    /// Runs the program against it, with these arguments and `--json`.
    pub(crate) async fn run(&self, arguments: &str) -> Run {
        let text = run(&self.url, TOKEN, &format!("{arguments} --json")).await.unwrap();
        Run {
            passed: text.0 == replay::Outcome::Passed,
            report: serde_json::from_str(&text.1).unwrap(),
            text: text.1,
        }
    }

    /// How many resources it has there.
    pub(crate) async fn count(&self, path: &str) -> u64 {
        self.count_of(&format!("{path}?count=0")).await
    }

    /// How many resources a query finds.
    pub(crate) async fn count_of(&self, query: &str) -> u64 {
        let url = format!("{}{query}", self.url);
        let asked = tokio::task::spawn_blocking(move || {
            let header = format!("Bearer {TOKEN}");
            let mut answer = ureq::get(url).header("Authorization", header).call().unwrap();
            let list: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
            list["totalResults"].as_u64().unwrap()
        });
        asked.await.unwrap()
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Run {
    /// `phase / step: difference` for everything that differs.
    pub(crate) fn differences(&self) -> Vec<String> {
        let steps = self.report["steps"].as_array().unwrap();
        let differing = steps.iter().filter(|step| step["verdict"] != "ok");
        let said = differing.flat_map(|step| {
            let differences = step["differences"].as_array().unwrap().iter();
            differences.map(move |text| {
                let at = |name: &str| step[name].as_str().unwrap().to_owned();
                format!("{} / {}: {}", at("phase"), at("step"), text.as_str().unwrap())
            })
        });
        said.collect()
    }
}

/// Runs the program as from a command line.
pub(crate) async fn run(
    url: &str,
    token: &str,
    arguments: &str,
) -> anyhow::Result<(replay::Outcome, String)> {
    let line = format!("idp --url {url} --token {token} {arguments}");
    let arguments: Vec<_> = line.split_whitespace().map(Into::into).collect();
    let ran = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        let outcome = replay::run(arguments, &mut out)?;
        Ok((outcome, String::from_utf8(out)?))
    });
    ran.await.unwrap()
}

fn service(habits: Habits, url: &str) -> Service<AccessStore<MemoryStore>, StaticTokens, Arc<dyn Policy>> {
    let url = url.parse().unwrap();
    let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("test") };
    let tokens = StaticTokens::new().with(Secret::new(TOKEN).unwrap(), principal).with_token_parameter();
    let (config, policy): (Config, Arc<dyn Policy>) = match habits {
        Habits::Generic => (Config::new(url), Arc::new(StandardPolicy)),
        Habits::IncidentIo => (incident_io::config(url), Arc::new(IncidentIo)),
        Habits::PagerDuty => (pagerduty::config(url), Arc::new(PagerDuty::default())),
    };
    let environment = Environment::new(jiff::Timestamp::now, move || match habits {
        Habits::Generic | Habits::IncidentIo => ResourceId::new(uuid::Uuid::new_v4().to_string()),
        Habits::PagerDuty => pagerduty::new_id(*uuid::Uuid::new_v4().as_bytes()),
    });
    let mapping = if habits == Habits::IncidentIo { mapping() } else { RoleMapping::new() };
    let store = AccessStore::new(MemoryStore::new(), mapping, Arc::clone(&environment.now));
    Service::new(store, tokens, config, environment).with_policy(policy)
}

/// The teams of seed 7 give something.
fn mapping() -> RoleMapping {
    (0..3).fold(RoleMapping::new(), |mapping, team| {
        let team = format!("Team {team} (00000007)");
        mapping.with_base_role(&team, BaseRole::Admin).with_on_call(&team)
    })
}
