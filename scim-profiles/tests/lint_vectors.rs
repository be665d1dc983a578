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
