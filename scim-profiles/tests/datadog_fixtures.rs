//! What Okta, Entra ID and Datadog's own reference send, one request each, against Datadog's behaviour in memory.
//!
//! The requests and the resources they meet are those of `scim-core/tests/vectors/idp`. What a service by the
//! RFCs makes of one is what Datadog makes of it, as far as Datadog has the attribute; what it does
//! otherwise stands in [`OTHERWISE`].
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::service::Outcome;
use scim_core::store::{Scope, Store as _};
use scim_core::{CredentialId, Environment, MemoryStore, Resource, Service, TenantId, validate};
use scim_profiles::datadog::{self, Datadog, DatadogOptions, PROFILE, RoleCatalogue, TeamStore};
use scim_profiles::{AttributeRow, Payload};
use serde_json::{Value, json};

/// Statuses that are Datadog's own, with the row that says so.
const OTHERWISE: &[(&str, u16, &str)] = &[
    ("datadog-docs__patch-user-remove", 400, "patch-add-replace"),
    ("entra__lookup-user-by-work-email-value-path", 400, "filter-limited"),
    ("okta__create-duplicate-user", 400, "user-name-taken"),
];

const STANDARD: &str = "11111111-aaaa-11ee-a000-000000000002";

struct Server {
    service: Service<TeamStore<MemoryStore>, StaticTokens, Datadog>,
    store: TeamStore<MemoryStore>,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    fn new() -> Self {
        let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("key") };
        let tokens = StaticTokens::new().with(Secret::new("key").unwrap(), principal);
        let count = AtomicU8::new(1);
        let environment = Environment::new(
            || "2026-02-02T02:02:02Z".parse().unwrap(),
            move || PROFILE.new_id([count.fetch_add(1, Ordering::Relaxed); 16]),
        );
        let mut options = DatadogOptions::default();
        options.teams = true;
        let store = TeamStore::new(MemoryStore::new(), &options, Arc::clone(&environment.now));
        let config = datadog::config("https://api.example.com/api/v2/scim".parse().unwrap(), &options);
        let roles = RoleCatalogue::new().with_role(STANDARD, "Datadog Standard Role").unwrap();
        let service = Service::new(store.clone(), tokens, config, environment)
            .with_policy(Datadog::new(options, roles));
        Self { service, store, runtime: tokio::runtime::Builder::new_current_thread().build().unwrap() }
    }

    /// Stores a resource with what Datadog has of it.
    fn seed(&self, kind: &str, resource: &Value) {
        let mut resource = known(kind, resource);
        resource["meta"] = json!({
            "resourceType": kind, "created": "2026-01-01T00:00:00Z",
            "lastModified": "2026-01-01T00:00:00Z", "version": "W/\"1\"",
        });
        let scim_core::Value::Object(object) = scim_core::Value::from(resource) else { panic!("no object") };
        let schema = PROFILE.registry().by_name(kind).unwrap();
        let resource = Resource(object);
        let unique = validate::unique_keys(schema, &resource);
        let scope = Scope { tenant: &TenantId::new("acme"), schema };
        self.runtime.block_on(self.store.create(scope, &resource, &unique)).unwrap();
    }

    fn send(&self, vector: &Value) -> (u16, Value, Outcome) {
        let text = |name: &str| vector[name].as_str().unwrap();
        let mut request =
            http::Request::builder().method(text("method")).uri(format!("/api/v2/scim{}", text("path")));
        for (name, value) in vector["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap().replace("{token}", "key"));
        }
        let body = if vector["body"].is_null() { Bytes::new() } else { vector["body"].to_string().into() };
        let response = self.runtime.block_on(self.service.call(request.body(body).unwrap()));
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status().as_u16(), body, response.extensions().get::<Outcome>().unwrap().clone())
    }

    fn get(&self, path: &str) -> Option<Value> {
        let vector = json!({"method": "GET", "path": path, "headers": {"Authorization": "Bearer {token}"}});
        let (status, body, _) = self.send(&vector);
        (status == 200).then_some(body)
    }
}

/// What of a resource Datadog has.
fn known(kind: &str, resource: &Value) -> Value {
    let rows = PROFILE.resource(kind).unwrap().attributes;
    let mut kept = resource.as_object().unwrap().clone();
    kept.retain(|name, value| match rows.iter().find(|row| row.name == name) {
        Some(row) => part(row, value),
        None => ["schemas", "id", "meta"].contains(&name.as_str()) || kind == "Group" && name == "externalId",
    });
    kept.into()
}

/// Leaves what Datadog has of a value; whether something is left.
fn part(row: &AttributeRow, value: &mut Value) -> bool {
    match value {
        Value::Object(members) if !row.sub_attributes.is_empty() => {
            members.retain(|name, _| row.sub_attributes.iter().any(|sub| sub.name == name));
            !members.is_empty()
        }
        Value::Array(elements) => {
            // A user with another address than one for work cannot have come to be.
            elements.retain(|element| row.name != "emails" || element["type"] != "home");
            elements.iter_mut().all(|element| part(row, element))
        }
        _ => true,
    }
}

fn vectors() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scim-core/tests/vectors/idp");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let named = |path: &std::path::PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let theirs = |name: &str| {
        ["okta__", "entra__", "entra-aadOptscim062020__", "datadog-docs__"]
            .iter()
            .any(|idp| name.starts_with(idp))
    };
    let read = |path: &std::path::PathBuf| -> Value {
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    files
        .iter()
        .filter(|path| theirs(&named(path)))
        .map(|path| (named(path), read(path)))
        // PagerDuty's have another header.
        .filter(|(name, vector)| vector["strict"] != true && !name.contains("pagerduty-with"))
        .collect()
}

/// What the vector says becomes of `path`, as far as Datadog has it and it is no matter of roles.
fn differences(server: &Server, path: &str, changed: &Value) -> Vec<String> {
    let kind = if path.starts_with("/Groups") { "Group" } else { "User" };
    let now = server.get(path).unwrap_or_default();
    let mut wrong = Vec::new();
    for (name, expected) in known(kind, changed).as_object().unwrap() {
        let values = |members: &Value| -> BTreeSet<String> {
            members.as_array().into_iter().flatten().map(|member| member["value"].to_string()).collect()
        };
        let same = match name.as_str() {
            "schemas" | "roles" => true,
            "members" => values(&now[name]) == values(expected),
            _ => now[name] == *expected,
        };
        if !same {
            wrong.push(format!("{path} {name}: {} instead of {expected}", now[name]));
        }
    }
    wrong
}

#[test]
fn every_request_has_its_outcome_at_datadog() {
    let vectors = vectors();
    assert!(vectors.len() >= 55, "{}", vectors.len());
    let mut wrong = Vec::new();
    let mut otherwise = BTreeSet::new();
    for (name, vector) in &vectors {
        let server = Server::new();
        for (endpoint, kind) in [("/Users", "User"), ("/Groups", "Group")] {
            for resource in vector["given"][endpoint].as_array().into_iter().flatten() {
                server.seed(kind, resource);
            }
        }
        for number in 1..=vector["given"]["crowd"].as_u64().unwrap_or_default() {
            let id = format!("6f1c1a52-0b1e-4f0c-9a53-{number:012}");
            let user = format!("crowd-{number}@example.com");
            let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"];
            server.seed("User", &json!({"schemas": schemas, "id": id, "userName": user}));
        }
        let (status, body, outcome) = server.send(vector);
        let then = &vector["then"];
        let own = OTHERWISE.iter().find(|(of, ..)| of == name);
        let expected = own.map_or(then["status"].as_u64().unwrap(), |(_, status, _)| u64::from(*status));
        if u64::from(status) != expected {
            wrong.push(format!("{name}: {status} instead of {expected}: {body}"));
            continue;
        }
        if status >= 400 {
            let texts = body["errors"].as_array().unwrap();
            assert_eq!((body.as_object().unwrap().len(), texts.len()), (1, 1), "{name}: {body}");
        }
        if let Some((of, _, row)) = own {
            otherwise.insert(*of);
            let rule = outcome.error.as_ref().and_then(|error| error.rule()).unwrap_or("user-name-taken");
            assert_eq!(rule, *row, "{name}");
            continue;
        }
        // Nothing is shown that Datadog does not have.
        let kind = if vector["path"].as_str().unwrap().starts_with("/Groups") { "Group" } else { "User" };
        let shown = body["Resources"].as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
        for resource in shown.iter().filter(|resource| resource["meta"]["resourceType"] == kind) {
            assert_eq!(&known(kind, resource), resource, "{name}");
        }
        for (path, changed) in then["changed"].as_object().into_iter().flatten() {
            wrong.extend(differences(&server, path, changed).iter().map(|text| format!("{name}: {text}")));
        }
        if let Some(created) = then["created"].as_object() {
            let path = format!("/{kind}s/{}", body["id"].as_str().unwrap());
            let created = Value::Object(created.clone());
            wrong.extend(differences(&server, &path, &created).iter().map(|text| format!("{name}: {text}")));
        }
        for gone in then["deleted"].as_array().into_iter().flatten() {
            assert_eq!(server.get(gone.as_str().unwrap()), None, "{name}");
        }
        // Roles that are none of the organisation's were noted, and the default takes their place.
        if vector["body"].to_string().contains("roles") && status < 300 && kind == "User" {
            let user = server.get(&format!("/Users/{}", body["id"].as_str().unwrap())).unwrap();
            assert_eq!(user["roles"][0]["value"], STANDARD, "{name}");
            assert!(!outcome.remarks.is_empty(), "{name}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(otherwise.len(), OTHERWISE.len(), "{otherwise:?}");
}

/// What the linter calls an error, the server refuses, and nothing else by itself.
#[test]
fn the_linter_agrees() {
    let mut judged = 0;
    for (name, vector) in vectors() {
        let payload = match vector["method"].as_str().unwrap() {
            "POST" => Payload::Create,
            "PUT" => Payload::Replace,
            "PATCH" => Payload::Patch,
            _ => continue,
        };
        // Refused for what is there, not for what is asked.
        if ["okta__create-duplicate-user", "okta__rename-group-patch-with-mismatched-id"]
            .contains(&name.as_str())
        {
            continue;
        }
        let kind = if vector["path"].as_str().unwrap().starts_with("/Groups") { "Group" } else { "User" };
        let report = PROFILE.lint_resource(kind, payload, &vector["body"].clone().into()).unwrap();
        let own = OTHERWISE.iter().find(|(of, ..)| *of == name).map(|(_, status, _)| u64::from(*status));
        let status = own.unwrap_or(vector["then"]["status"].as_u64().unwrap());
        assert_eq!(report.is_accepted(), status < 400, "{name}: {report}");
        judged += 1;
    }
    assert!(judged >= 35, "{judged}");
}
