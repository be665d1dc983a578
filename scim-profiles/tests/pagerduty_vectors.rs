//! What is sent to PagerDuty, one vector each: what the linter finds, and what the server does.
//!
//! A file in `vectors/pagerduty` has
//!
//! - `source`: where the request, or the rule it is about, was seen; `why`, where that does not say it;
//! - `request`: `method`, `path`, `headers` and `body`;
//! - `account`: the `users` there before (`"alex"` for the usual one), and the options that differ
//!   from the default;
//! - `lint`: everything the linter finds in the body, in order, as `severity rule path`;
//! - `answer`: the `status`; for an error its `scimType` and what the detail `mentions`; for a `user`
//!   all its attributes, `id` and `meta` aside; for a list the ids `found`;
//! - `after`: users by id as they are then, `null` for one who is gone. Users not named are as they were;
//! - `shows` and `refuses`: the lifecycle rows that are seen to hold, by letting something through or
//!   by refusing it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bytes::Bytes;
use http::StatusCode;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::store::{Scope, Store};
use scim_core::{
    CredentialId, Environment, MemoryStore, Resource, ResourceId, Service, TenantId, Value as ScimValue,
    validate,
};
use scim_profiles::pagerduty::{self, PROFILE, PagerDuty, PagerDutyOptions};
use scim_profiles::{Payload, Report};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const ALEX: &str = "AGKWDNQ24N4SXBBWYENPROSIYQ";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Vector {
    #[serde(skip)]
    name: String,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "why")]
    _why: Option<String>,
    request: Request,
    #[serde(default)]
    account: Account,
    #[serde(default)]
    lint: Vec<String>,
    answer: Answer,
    #[serde(default)]
    after: BTreeMap<String, Option<Map<String, Value>>>,
    #[serde(default)]
    shows: Vec<String>,
    #[serde(default)]
    refuses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<ScimValue>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Account {
    #[serde(default)]
    users: Vec<Value>,
    /// The ids of users with an assigned incident.
    #[serde(default)]
    incidents: Vec<String>,
    reassign_incidents: Option<bool>,
    read_only_users: Option<bool>,
    advanced_permissions: Option<bool>,
    duplicate_status: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Answer {
    status: u16,
    scim_type: Option<String>,
    #[serde(default)]
    mentions: Vec<String>,
    user: Option<Map<String, Value>>,
    found: Option<Vec<String>>,
}

#[test]
fn the_linter_finds_exactly_what_the_vectors_say() {
    let mut wrong = String::new();
    for vector in vectors() {
        let Some(report) = vector.lint() else { continue };
        let found: Vec<_> =
            report.violations().iter().map(|v| format!("{} {} {}", v.severity, v.rule, v.path)).collect();
        if found != vector.lint {
            wrong += &format!(
                "\n{}:\n  found    {found:#?}\n  expected {:#?}\n{report}\n",
                vector.name, vector.lint
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_server_does_exactly_what_the_vectors_say() {
    let mut wrong = String::new();
    for vector in vectors() {
        let problems = vector.play();
        if !problems.is_empty() {
            wrong += &format!("\n{}:\n  {}\n", vector.name, problems.join("\n  "));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What the linter calls an error is what the server refuses, on an account that forbids nothing
/// else: one set of rules.
#[test]
fn linter_and_server_agree() {
    let mut judged = 0;
    for vector in vectors() {
        let Some(report) = vector.lint() else { continue };
        let by_account = vector.answer.status == 404
            || vector.answer.scim_type.as_deref() == Some("uniqueness")
            || !vector.refuses.is_empty();
        if by_account {
            continue;
        }
        judged += 1;
        assert_eq!(report.is_accepted(), vector.answer.status < 400, "{}:\n{report}", vector.name);
    }
    assert!(judged > 50, "{judged}");
}

#[test]
fn every_rule_is_kept_by_a_vector_and_broken_by_another() {
    let vectors = vectors();
    let reports: Vec<Report> = vectors.iter().filter_map(Vector::lint).collect();
    let breaks = |report: &Report, id| report.violations().iter().any(|violation| violation.rule == id);
    let mut uncovered = Vec::new();
    for rule in PROFILE.resources.iter().flat_map(|resource| resource.rules) {
        if !reports.iter().any(|report| report.checked().contains(&rule.id) && !breaks(report, rule.id)) {
            uncovered.push(format!("no vector keeps {}", rule.id));
        }
        if !reports.iter().any(|report| breaks(report, rule.id)) {
            uncovered.push(format!("no vector breaks {}", rule.id));
        }
    }
    for row in PROFILE.lifecycle {
        let named =
            |ids: fn(&Vector) -> &[String]| vectors.iter().any(|v| ids(v).iter().any(|id| id == row.id));
        if !named(|vector| &vector.shows) {
            uncovered.push(format!("no vector shows {}", row.id));
        }
        if row.status.is_some_and(|status| status >= 400) && !named(|vector| &vector.refuses) {
            uncovered.push(format!("no vector is refused by {}", row.id));
        }
    }
    assert!(uncovered.is_empty(), "{uncovered:#?}");
}

#[test]
fn ids_of_rules_and_rows_are_distinct_and_vectors_name_no_other() {
    let rules = PROFILE.resources.iter().flat_map(|resource| resource.rules).map(|rule| rule.id);
    let mut ids = BTreeSet::new();
    for id in rules.chain(PROFILE.lifecycle.iter().map(|row| row.id)) {
        assert!(ids.insert(id), "{id} twice");
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{id}");
    }
    for vector in vectors() {
        for id in vector.shows.iter().chain(&vector.refuses) {
            assert!(ids.contains(id.as_str()), "{}: {id}", vector.name);
        }
    }
}

fn vectors() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/pagerduty");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let mut vector: Vector =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        vector.name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        vector
    };
    files.iter().map(read).collect()
}

impl Vector {
    fn lint(&self) -> Option<Report> {
        if !self.request.path.starts_with("/Users") {
            return None;
        }
        let payload = match self.request.method.as_str() {
            "POST" => Payload::Create,
            "PUT" => Payload::Replace,
            "PATCH" => Payload::Patch,
            _ => return None,
        };
        Some(PROFILE.lint_as(payload, self.request.body.as_ref()?))
    }

    fn play(&self) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let server = Server::new(&self.account);
        let users = self.users();
        for user in &users {
            runtime.block_on(server.seed(user.clone()));
        }
        let request = http::Request::builder()
            .method(self.request.method.as_str())
            .uri(format!("/scim/v2{}", self.request.path));
        let request =
            self.request.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let request = match self.request.headers.contains_key("Authorization") {
            true => request,
            false => request.header("Authorization", "Token token=key"),
        };
        let body =
            self.request.body.as_ref().map(|body| serde_json::to_string(body).unwrap()).unwrap_or_default();
        let response = runtime.block_on(server.service.call(request.body(Bytes::from(body)).unwrap()));

        let mut problems = Vec::new();
        let mut check = |what: &str, expected: Value, found: Value| {
            if expected != found {
                problems.push(format!("{what}: {found} instead of {expected}"));
            }
        };
        let text = String::from_utf8_lossy(response.body()).into_owned();
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        check("status", self.answer.status.into(), response.status().as_u16().into());
        check("etag", Value::Null, response.headers().get("etag").is_some().then_some(true).into());
        if self.answer.status >= 400 {
            check("scimType", self.answer.scim_type.clone().into(), answer["scimType"].clone());
            check("status in the body", self.answer.status.to_string().into(), answer["status"].clone());
            check(
                "schemas of the error",
                json!(["urn:ietf:params:scim:api:messages:2.0:Error"]),
                answer["schemas"].clone(),
            );
            for part in &self.answer.mentions {
                let detail = answer["detail"].as_str().unwrap_or_default();
                check("mention", true.into(), detail.contains(part).into());
            }
        } else if response.status() == StatusCode::NO_CONTENT {
            check("body", "".into(), text.into());
        }
        if let Some(user) = &self.answer.user {
            check("meta", json!({"resourceType": "User"}), answer["meta"].clone());
            check("user", user.clone().into(), attributes(&answer));
        }
        if let Some(found) = &self.answer.found {
            let ids: Vec<_> =
                answer["Resources"].as_array().into_iter().flatten().map(|r| r["id"].clone()).collect();
            check("found", json!(found), json!(ids));
            check("totalResults", found.len().into(), answer["totalResults"].clone());
            check("itemsPerPage", found.len().into(), answer["itemsPerPage"].clone());
            check("startIndex", 1.into(), answer["startIndex"].clone());
        }
        for user in &users {
            let id = user["id"].as_str().unwrap();
            let now = runtime.block_on(server.get(id)).map(|user| attributes(&user));
            let expected = match self.after.get(id) {
                Some(after) => after.clone().map(Value::Object),
                None => Some(attributes(user)),
            };
            check(id, json!(expected), json!(now));
        }
        let created = u16::from(self.answer.status == 201);
        let gone = self.after.values().filter(|after| after.is_none()).count();
        let expected = users.len() + usize::from(created) - gone;
        check("users", expected.into(), server.store.len().into());
        problems
    }

    fn users(&self) -> Vec<Value> {
        let complete = |user: &Value| {
            if user == "alex" { alex() } else { user.clone() }
        };
        self.account.users.iter().map(complete).collect()
    }
}

fn alex() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": ALEX,
        "externalId": "00ujl29u0le5T6Aj10h7",
        "userName": "alex.doe@example.com",
        "displayName": "Alex Doe",
        "active": true,
        "title": "Engineer",
        "roles": [{"value": "user", "type": "base", "primary": true}],
        "entitlements": [{"type": "license", "value": "PFULL01"}],
    })
}

/// A user's attributes without those the server makes.
fn attributes(user: &Value) -> Value {
    let mut user = user.clone();
    if let Some(user) = user.as_object_mut() {
        user.remove("id");
        user.remove("meta");
    }
    user
}

struct Server {
    store: MemoryStore,
    service: Service<MemoryStore, StaticTokens, PagerDuty>,
}

impl Server {
    fn new(account: &Account) -> Self {
        let mut options = PagerDutyOptions::default();
        options.reassign_incidents = account.reassign_incidents.unwrap_or(options.reassign_incidents);
        options.read_only_users = account.read_only_users.unwrap_or(options.read_only_users);
        options.advanced_permissions = account.advanced_permissions.unwrap_or(options.advanced_permissions);
        if let Some(status) = account.duplicate_status {
            options.duplicate_status = StatusCode::from_u16(status).unwrap();
        }
        let policy = PagerDuty::new(options);
        for id in &account.incidents {
            policy.hold_incident(ResourceId::new(id.as_str()));
        }
        let tokens = StaticTokens::new().with_token_parameter().with(
            Secret::new("key").unwrap(),
            Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("key") },
        );
        let environment =
            Environment::new(|| "2026-02-02T02:02:02Z".parse().unwrap(), || pagerduty::new_id([7; 16]));
        let store = MemoryStore::new();
        let config = pagerduty::config("https://scim.example.com/scim/v2".parse().unwrap());
        let service = Service::new(store.clone(), tokens, config, environment).with_policy(policy);
        Self { store, service }
    }

    async fn seed(&self, mut user: Value) {
        user["meta"] = json!({
            "resourceType": "User",
            "created": "2026-01-01T00:00:00Z",
            "lastModified": "2026-01-01T00:00:00Z",
            "version": "W/\"1\"",
        });
        let ScimValue::Object(object) = ScimValue::from(user) else { panic!("not an object") };
        let schema = PROFILE.registry().by_name("User").unwrap();
        let resource = Resource(object);
        let unique = validate::unique_keys(schema, &resource);
        let tenant = TenantId::new("acme");
        self.store.create(Scope { tenant: &tenant, schema }, &resource, &unique).await.unwrap();
    }

    async fn get(&self, id: &str) -> Option<Value> {
        let request = http::Request::builder()
            .uri(format!("/scim/v2/Users/{id}"))
            .header("Authorization", "Bearer key")
            .body(Bytes::new());
        let response = self.service.call(request.unwrap()).await;
        (response.status() == StatusCode::OK).then(|| serde_json::from_slice(response.body()).unwrap())
    }
}
