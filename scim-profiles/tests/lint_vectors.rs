//! What clients send, one vector each: what the linter of a profile finds in it, and every rule of every
//! profile both kept and broken by one.
//!
//! A file in `vectors/PROFILE` has `source`, where the request or the rule it is about was seen;
//! `request`, with `method`, `path` and `body`; `lint`, everything the linter finds in the body, in
//! order, as `severity rule path`; and for some `status`, what a server of the profile answers that
//! has no resources. Those of `pagerduty` say more, and are played by `pagerduty_vectors.rs`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{Config, CredentialId, Environment, MemoryStore, Service, TenantId, Value};
use scim_profiles::datadog::{self, DatadogOptions};
use scim_profiles::pagerduty::Licenses;
use scim_profiles::{Payload, Profile, Report};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    #[serde(skip)]
    name: String,
    source: String,
    request: Request,
    #[serde(default)]
    lint: Vec<String>,
    status: Option<u16>,
    #[serde(default)]
    account: Account,
}

/// What of an account the linter can be told.
#[derive(Default, Deserialize)]
struct Account {
    licenses: Option<Value>,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    path: String,
    body: Option<Value>,
}

impl Vector {
    fn resource_type(&self) -> &'static str {
        if self.request.path.starts_with("/Groups") { "Group" } else { "User" }
    }

    fn lint(&self, profile: &Profile) -> Option<Report> {
        let payload = match self.request.method.as_str() {
            "POST" if self.request.path != "/Bulk" => Payload::Create,
            "PUT" => Payload::Replace,
            "PATCH" => Payload::Patch,
            _ => return None,
        };
        let body = self.request.body.as_ref()?;
        if let Some(licenses) = &self.account.licenses {
            return Some(Licenses::parse(licenses).unwrap().lint(payload, body));
        }
        match profile.lint_resource(self.resource_type(), payload, body) {
            Some(report) => Some(report),
            None => Some(profile.lint_as(payload, body)),
        }
    }
}

fn vectors(profile: &Profile) -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(profile.name);
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

/// The profile's configuration, where there are teams for groups.
fn config(profile: &Profile) -> Config {
    let url = "https://scim.example.com/scim/v2".parse().unwrap();
    if profile.name != datadog::PROFILE.name {
        return profile.config(url);
    }
    let mut options = DatadogOptions::default();
    options.teams = true;
    datadog::config(url, &options)
}

/// The status that a server of `profile` without resources answers.
fn status(profile: &'static Profile, request: &Request) -> u16 {
    let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("key") };
    let tokens = StaticTokens::new().with(Secret::new("key").unwrap(), principal);
    let count = AtomicU8::new(1);
    let environment = Environment::new(
        || "2026-02-02T02:02:02Z".parse().unwrap(),
        move || profile.new_id([count.fetch_add(1, Ordering::Relaxed); 16]),
    );
    let service =
        Service::new(MemoryStore::new(), tokens, config(profile), environment).with_policy(profile.policy());
    let body = Bytes::from(serde_json::to_vec(&request.body).unwrap());
    let request = http::Request::builder()
        .method(request.method.as_str())
        .uri(format!("/scim/v2{}", request.path))
        .header("authorization", "Bearer key")
        .header("content-type", "application/scim+json")
        .body(body)
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(service.call(request)).status().as_u16()
}

#[test]
fn the_linter_finds_exactly_what_the_vectors_say() {
    let mut wrong = String::new();
    for profile in Profile::ALL {
        for vector in vectors(profile) {
            assert!(!vector.source.is_empty(), "{}", vector.name);
            let Some(report) = vector.lint(profile) else { continue };
            let found: Vec<_> =
                report.violations().iter().map(|v| format!("{} {} {}", v.severity, v.rule, v.path)).collect();
            if found != vector.lint {
                wrong += &format!(
                    "\n{} {}:\n  found    {found:?}\n  expected {:?}\n",
                    profile.name, vector.name, vector.lint
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A PATCH does not say whose it is: one that names members is judged as a group's, where there are groups, and
/// otherwise refused; and the same is found as with the type said.
#[test]
fn the_type_of_a_patch_is_found_out_by_its_members() {
    let mut groups = 0;
    for profile in Profile::ALL {
        for vector in vectors(profile).iter().filter(|vector| vector.request.method == "PATCH") {
            let Some(body) = &vector.request.body else { continue };
            let name = format!("{} {}", profile.name, vector.name);
            let report = profile.lint_as(Payload::Patch, body);
            let names_members = body.to_string().contains(r#""members"#);
            let expected = if names_members { "Group" } else { "User" };
            assert_eq!((report.resource_type(), report.is_type_inferred()), (Some(expected), true), "{name}");
            assert!(
                report.to_string().contains(&format!("taken for that of a {expected}: ")),
                "{name}: {report}"
            );
            let Some(said) = profile.lint_resource(expected, Payload::Patch, body) else {
                assert_eq!((profile.name, report.is_accepted()), ("pagerduty", false), "{name}");
                continue;
            };
            assert_eq!(report.violations(), said.violations(), "{name}");
            assert!(!said.is_type_inferred() && !said.to_string().contains("taken for"), "{name}");
            groups += usize::from(names_members && vector.resource_type() == "Group");
        }
    }
    assert!(groups >= 12, "{groups}");
}

/// The operations of a bulk request are judged as what their paths say, wherever the data would be taken for something
/// else; and a vendor that takes no bulk requests refuses it besides.
#[test]
fn the_operations_of_a_bulk_request_are_judged_by_their_paths() {
    let patch = |operation: &str| {
        format!(
            r#"{{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{operation}]}}"#
        )
    };
    let rename = patch(r#"{"op": "remove", "path": "displayName"}"#);
    let members = patch(r#"{"op": "remove", "path": "members[value eq \"7\"]"}"#);
    let bulk: Value = format!(
        r#"{{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
            {{"method": "POST", "path": "/Users", "bulkId": "a", "data": {{"userName": "ann", "active": "yes"}}}},
            {{"method": "PATCH", "path": "/Groups/1", "data": {rename}}},
            {{"method": "PATCH", "path": "/Users/1", "data": {rename}}},
            {{"method": "PATCH", "path": "/Groups/1", "data": {members}}},
            {{"method": "DELETE", "path": "/Groups/1"}},
            {{"method": "PUT", "path": "/Devices/1", "data": {{}}}},
            {{"method": "POST", "path": "/Groups", "data": {{"displayName": "g"}}}}
        ]}}"#
    )
    .parse()
    .unwrap();
    let found = |profile: &str| {
        let report = Profile::by_name(profile).unwrap().lint(&bulk);
        assert_eq!((report.resource_type(), report.is_type_inferred()), (None, false));
        assert!(report.violations().iter().all(|violation| report.checked().contains(&violation.rule)));
        report.errors().map(|error| format!("{} {}", error.rule, error.path)).collect::<Vec<_>>()
    };
    assert_eq!(
        found("generic"),
        [
            "attribute-type Operations[0].data.active",
            "display-name-required Operations[1].data.Operations[0].path",
            "bulk-operation Operations[5].path",
            "bulk-operation Operations[6]",
        ]
    );
    assert_eq!(
        found("datadog"),
        [
            "bulk.supported $",
            "attribute-type Operations[0].data.active",
            "display-name-required Operations[1].data.Operations[0].path",
            "patch-add-replace Operations[2].data.Operations[0].op",
            "bulk-operation Operations[5].path",
            "bulk-operation Operations[6]",
        ]
    );
    let pagerduty = found("pagerduty");
    for error in ["bulk.supported $", "resource-type Operations[1].path", "resource-type Operations[5].path"]
    {
        assert!(pagerduty.iter().any(|found| found == error), "{pagerduty:?}");
    }
    let nothing = r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]}"#.parse().unwrap();
    let report = Profile::by_name("generic").unwrap().lint(&nothing);
    assert_eq!(
        report.violations().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["error: $: Operations: an array of operations is required (bulk-operation)"]
    );
}

#[test]
fn what_the_linter_refuses_the_server_refuses() {
    let mut answered = 0;
    for profile in Profile::ALL {
        for vector in vectors(profile) {
            let (Some(expected), Some(report)) = (vector.status, vector.lint(profile)) else { continue };
            answered += 1;
            assert_eq!(status(profile, &vector.request), expected, "{} {}", profile.name, vector.name);
            assert_eq!(report.is_accepted(), expected < 400, "{} {}", profile.name, vector.name);
        }
    }
    assert!(answered > 25, "{answered}");
}

#[test]
fn every_rule_is_kept_by_a_vector_and_broken_by_another() {
    let mut uncovered = Vec::new();
    for profile in Profile::ALL {
        let vectors = vectors(profile);
        for resource in profile.resources {
            let reports: Vec<Report> = vectors
                .iter()
                .filter(|vector| vector.resource_type() == resource.resource_type)
                .filter_map(|vector| vector.lint(profile))
                .collect();
            let breaks =
                |report: &Report, id| report.violations().iter().any(|violation| violation.rule == id);
            for rule in resource.rules {
                let of = format!("{} {} {}", profile.name, resource.resource_type, rule.id);
                if !reports
                    .iter()
                    .any(|report| report.checked().contains(&rule.id) && !breaks(report, rule.id))
                {
                    uncovered.push(format!("no vector keeps {of}"));
                }
                // A group in a profile without groups is a payload of users, of another type.
                let is_broken = reports.iter().any(|report| breaks(report, rule.id))
                    || vectors
                        .iter()
                        .filter_map(|v| v.lint(profile))
                        .any(|report| profile.resources.len() == 1 && breaks(&report, rule.id));
                if !is_broken {
                    uncovered.push(format!("no vector breaks {of}"));
                }
            }
        }
    }
    assert!(uncovered.is_empty(), "{uncovered:#?}");
}

#[test]
fn ids_of_rules_and_rows_are_distinct() {
    for profile in Profile::ALL {
        for resource in profile.resources {
            let mut ids = BTreeSet::new();
            let rules = resource.rules.iter().map(|rule| rule.id);
            for id in rules.chain(profile.lifecycle.iter().map(|row| row.id)) {
                assert!(ids.insert(id), "{} {id} twice", profile.name);
                assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{id}");
            }
        }
    }
}
