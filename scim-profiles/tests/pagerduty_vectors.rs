//! What is sent to PagerDuty, one vector each: what the linter finds, and what the server does.
//!
//! A file in `vectors/pagerduty` has
//!
//! - `source`: where the request, or the rule it is about, was seen; `why`, where that does not say it;
//! - `request`: `method`, `path`, `headers` and `body`;
//! - `account`: the `users` there before (`"alex"` for the usual one), and the options that differ
//!   from the default, and its `licenses`, if these are given;
//! - `lint`: everything the linter finds in the body, in order, as `severity rule path`;
//! - `answer`: the `status`; for an error its `scimType` and what the detail `mentions`; for a `user`
//!   all its attributes, `id` and `meta` aside; for a list the ids `found`;
//! - `after`: users by id as they are then, `null` for one who is gone. Users not named are as they were;
//! - `shows` and `refuses`: the lifecycle rows that are seen to hold, by letting something through or
//!   by refusing it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use http::StatusCode;
use scim_core::{ResourceId, Value as ScimValue};
use scim_profiles::pagerduty::{
    Licenses, LicensesInUse, Offboarding, OwnerProtection, PROFILE, PagerDuty, PagerDutyOptions, Plan,
    RoleEmptied, StaleLicense,
};
use scim_profiles::{Payload, Report};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use server::Server;

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
    offboarding: Option<String>,
    plan: Option<String>,
    owner: Option<String>,
    stale_license: Option<String>,
    role_emptied: Option<String>,
    licenses_in_use: Option<String>,
    /// The licences, as `GET /licenses` answers them.
    licenses: Option<ScimValue>,
    read_only_users: Option<bool>,
    advanced_permissions: Option<bool>,
    duplicate_status: Option<u16>,
}

impl Account {
    fn policy(&self) -> PagerDuty {
        let mut options = PagerDutyOptions::default();
        options.offboarding =
            named(&self.offboarding, [Offboarding::Fail, Offboarding::Reassign], Offboarding::as_str);
        options.plan = named(&self.plan, Plan::ALL, Plan::as_str);
        let owner = [OwnerProtection::Full, OwnerProtection::Role, OwnerProtection::None];
        options.owner = named(&self.owner, owner, OwnerProtection::as_str);
        let stale = [StaleLicense::Drop, StaleLicense::Refuse];
        options.stale_license = named(&self.stale_license, stale, StaleLicense::as_str);
        let emptied = [RoleEmptied::Default, RoleEmptied::Keep];
        options.role_emptied = named(&self.role_emptied, emptied, RoleEmptied::as_str);
        let in_use = [LicensesInUse::Elsewhere, LicensesInUse::Here];
        options.licenses_in_use = named(&self.licenses_in_use, in_use, LicensesInUse::as_str);
        options.read_only_users = self.read_only_users.unwrap_or(options.read_only_users);
        options.advanced_permissions = self.advanced_permissions.unwrap_or(options.advanced_permissions);
        if let Some(status) = self.duplicate_status {
            options.duplicate_status = StatusCode::from_u16(status).unwrap();
        }
        let mut policy = PagerDuty::new(options);
        if let Some(licenses) = self.licenses() {
            policy = policy.with_licenses(licenses);
        }
        for id in &self.incidents {
            policy.hold_incident(ResourceId::new(id.as_str()));
        }
        policy
    }

    fn licenses(&self) -> Option<Licenses> {
        self.licenses.as_ref().map(|licenses| Licenses::parse(licenses).unwrap())
    }
}

/// The one of `all` that has the name, or the default.
fn named<T: Copy + Default>(
    name: &Option<String>,
    all: impl IntoIterator<Item = T>,
    as_str: fn(T) -> &'static str,
) -> T {
    let Some(name) = name else { return T::default() };
    all.into_iter().find(|one| as_str(*one) == name).unwrap_or_else(|| panic!("no `{name}`"))
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
            || vector.account.licenses_in_use.as_deref() == Some("here")
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

/// What HTTP has statuses of its own for, which PagerDuty does not declare: row `body-refused`.
#[test]
fn what_is_too_much_is_a_400_with_the_reason() {
    let server = Server::new(PagerDuty::default());
    let headers = [("Authorization", "Token token=key")];
    let long = format!("/Users?filter={}", "a".repeat(16 << 10));
    let query = server.send("GET", &long, &headers, None);
    let title = ScimValue::from(json!({"title": "a".repeat(1 << 20)}));
    let body = server.send("POST", "/Users", &headers, Some(&title));
    for (answer, what) in [(query, "the query string is longer"), (body, "the body is longer")] {
        assert_eq!((answer.status, &answer.body["status"]), (StatusCode::BAD_REQUEST, &json!("400")));
        assert!(answer.body["detail"].as_str().unwrap().starts_with(what), "{}", answer.body);
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
        if self.request.path == "/Bulk" {
            return None;
        }
        let payload = match self.request.method.as_str() {
            "POST" => Payload::Create,
            "PUT" => Payload::Replace,
            "PATCH" => Payload::Patch,
            _ => return None,
        };
        let body = self.request.body.as_ref()?;
        Some(match self.account.licenses() {
            Some(licenses) => licenses.lint(payload, body),
            None => PROFILE.lint_as(payload, body),
        })
    }

    fn play(&self) -> Vec<String> {
        let server = Server::new(self.account.policy());
        let users = self.users();
        users.iter().for_each(|user| server.seed(user.clone()));
        let mut headers: Vec<_> =
            self.request.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        if !self.request.headers.contains_key("Authorization") {
            headers.push(("Authorization", "Token token=key"));
        }
        let body = self.request.body.as_ref();
        let answer = server.send(&self.request.method, &self.request.path, &headers, body);

        let mut problems = Vec::new();
        let mut check = |what: &str, expected: Value, found: Value| {
            if expected != found {
                problems.push(format!("{what}: {found} instead of {expected}"));
            }
        };
        let (status, headers, answer) = (answer.status.as_u16(), answer.headers, answer.body);
        check("status", self.answer.status.into(), status.into());
        check("declared", true.into(), self.is_declared(status).into());
        check("etag", false.into(), headers.contains_key("etag").into());
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
        } else if status == 204 {
            check("body", Value::Null, answer.clone());
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
            let now = server.user(id).map(|user| attributes(&user));
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

    /// Whether PagerDuty declares the status for the endpoint. An option may add 409, and what is no
    /// endpoint declares nothing.
    fn is_declared(&self, status: u16) -> bool {
        let path = self.request.path.split('?').next().unwrap();
        let shape = if path.starts_with("/Users/") { "/Users/{id}" } else { path };
        let endpoint = PROFILE.endpoints.iter().find(|e| e.method == self.request.method && e.path == shape);
        match endpoint {
            Some(endpoint) => {
                endpoint.statuses.contains(&status) || self.account.duplicate_status == Some(status)
            }
            None => status == 404,
        }
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
