//! Vectors: one request each, the state it meets and the exact state and answer it must lead to.
//!
//! A file holds the request as an identity provider sends it (`method`, `path`, `headers`, `body`,
//! with where it was seen in `source`), then
//!
//! - `given`: the resources there before, by endpoint; `elsewhere` are another tenant's, `crowd`
//!   asks for that many further users;
//! - `then`: the answer (`status`, and for an error `scimType` and what the detail `mentions`; for a
//!   read the resource `read`, the `list` or part of a `body`, each `without` some attributes or
//!   with some `only`; some `headers`) and the state after: `created` (or `createdWithout`: the body
//!   less some of its members), `changed` and `deleted`, and the `leniencies` that fire. **Whatever is not named there must be as it
//!   was, version and `lastModified` included**;
//! - `why`: which rule decides, where the request alone does not say;
//! - `pagerduty`: another `given` and `then` for a server that behaves like PagerDuty's;
//! - `strict`: whether the vector is about a server without leniencies.
//!
//! Every request is then sent a second time: what was written is there already, so nothing may
//! change; what was deleted is gone; a user name that was taken is refused.
//!
//! The same files are played in memory and over HTTP; what differs is a [`Server`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::schema::Registry;
use scim_core::store::{Scope, Store};
use scim_core::{CredentialId, Resource, TenantId, validate};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What a vector is played against.
pub(crate) trait Server {
    /// Stores a complete resource, past the service.
    fn seed(&self, tenant: &str, endpoint: &str, resource: Value);
    /// Answers a request; its URI has path and query only.
    fn send(&self, request: http::Request<Bytes>) -> http::Response<Bytes>;
    /// The time of every write as `meta` has it, if the server's clock stands still.
    fn now(&self) -> Option<&str> {
        None
    }
    /// The names of the leniencies that fired, if the server tells.
    fn leniencies(&self, response: &http::Response<Bytes>) -> Option<Vec<String>> {
        let _ = response;
        None
    }
    /// Whether the server behaves like PagerDuty's, whose `meta` has `resourceType` alone.
    const IS_PAGERDUTY: bool = false;
}

/// Where the servers under test are reached; their base URL is this after `https://scim.example.com`.
pub(crate) const BASE_PATH: &str = "/scim/v2";
/// The base URL to configure.
pub(crate) const BASE_URL: &str = "https://scim.example.com/scim/v2";
/// The tenant of the vectors, and its token.
const TENANT: &str = "acme";
/// The token of [`TENANT`].
const TOKEN: &str = "token-of-acme";
/// The other tenant.
const ELSEWHERE: &str = "elsewhere";
/// The token of [`ELSEWHERE`].
const TOKEN_ELSEWHERE: &str = "token-of-elsewhere";

/// When the given resources were made.
const SEEDED: &str = "2026-01-01T00:00:00Z";
/// `{id-of-other-tenant}`
const ID_ELSEWHERE: &str = "6f1c1a52-0b1e-4f0c-9a53-0c8f4f1d0b01";

/// Stores `resource` in `store`: what a [`Server`] does to seed one.
pub(crate) async fn seed(
    store: &impl Store,
    registry: &Registry,
    tenant: &str,
    endpoint: &str,
    resource: Value,
) {
    let scim_core::Value::Object(object) = scim_core::Value::from(resource) else { panic!("no object") };
    let resource = Resource(object);
    let schema = registry.by_endpoint(endpoint).unwrap();
    let unique = validate::unique_keys(schema, &resource);
    let scope = Scope { tenant: &TenantId::new(tenant), schema };
    store.create(scope, &resource, &unique).await.unwrap();
}

/// The tokens of both tenants, in every spelling.
pub(crate) fn tokens() -> StaticTokens {
    [(TENANT, TOKEN), (ELSEWHERE, TOKEN_ELSEWHERE)].into_iter().fold(
        StaticTokens::new().with_token_parameter(),
        |tokens, (tenant, token)| {
            let principal =
                Principal { tenant: TenantId::new(tenant), credential: CredentialId::new(tenant) };
            tokens.with(Secret::new(token).unwrap(), principal)
        },
    )
}

/// One vector.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    #[serde(skip)]
    pub(crate) name: String,
    #[serde(rename = "idp")]
    _idp: String,
    #[serde(rename = "operation")]
    _operation: String,
    #[serde(rename = "source")]
    _source: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub(crate) body: Value,
    /// The body where it is no JSON.
    #[serde(default)]
    text: Option<String>,
    /// The name of the example in the RFCs that is the body.
    #[serde(default)]
    body_from: Option<String>,
    expect: Expect,
    #[serde(default)]
    pub(crate) strict: bool,
    #[serde(default)]
    why: Option<String>,
    given: Given,
    then: Then,
    #[serde(default)]
    pagerduty: Option<Variant>,
}

/// What the record of the request says of its outcome.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    status: Vec<u16>,
    #[serde(rename = "outcome")]
    _outcome: String,
    #[serde(rename = "notes")]
    _notes: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(default, rename = "/Users")]
    users: Vec<Value>,
    #[serde(default, rename = "/Groups")]
    groups: Vec<Value>,
    #[serde(default)]
    elsewhere: Option<Box<Given>>,
    #[serde(default)]
    crowd: usize,
}

/// The answer and the state after.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Then {
    status: u16,
    scim_type: Option<String>,
    #[serde(default)]
    mentions: Vec<String>,
    read: Option<String>,
    list: Option<List>,
    body: Option<Value>,
    #[serde(default)]
    without: Vec<String>,
    only: Option<Map<String, Value>>,
    created: Option<Map<String, Value>>,
    created_without: Option<Vec<String>>,
    #[serde(default)]
    changed: BTreeMap<String, Map<String, Value>>,
    #[serde(default)]
    deleted: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The leniencies that fire, by name.
    #[serde(default)]
    leniencies: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct List {
    total_results: usize,
    start_index: usize,
    items_per_page: usize,
    /// The paths of the resources, or how many of the given ones.
    #[serde(rename = "Resources")]
    resources: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    #[serde(rename = "why")]
    _why: Option<String>,
    given: Given,
    then: Then,
}

/// The vectors in a folder below `scim-core/tests/vectors`, by name, except those whose body is an
/// example of the RFCs that is not beside the workspace.
pub(crate) fn load(folder: &str) -> Vec<Vector> {
    let mut files: Vec<_> = std::fs::read_dir(here().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files.iter().filter_map(|path| read(path)).collect()
}

/// A folder of the shared material beside the workspace, if it is there.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let path = here().ancestors().nth(4).unwrap().join("shared").join(folder);
    path.is_dir().then_some(path)
}

/// Plays `vectors` with `one` and fails for every failure that is not in `known` and for every
/// entry of `known` that does not fail. Returns how many were played.
pub(crate) fn play_all(
    vectors: &[Vector],
    known: &[(&str, &str)],
    one: impl Fn(&Vector) -> Option<Vec<String>>,
) -> usize {
    let mut wrong = String::new();
    let mut played = 0;
    for vector in vectors {
        let Some(problems) = one(vector) else { continue };
        played += 1;
        if !vector.expect.status.contains(&vector.then.status) && vector.why.is_none() {
            wrong += &format!("\n{}: another answer than the one on record, and no `why`\n", vector.name);
        }
        match (known.iter().find(|(name, _)| *name == vector.name), problems.is_empty()) {
            (None, false) => {
                wrong += &format!("\n{}:\n  {}\n", vector.name, problems.join("\n  "));
            }
            (Some((_, reason)), true) => {
                wrong += &format!("\n{}: passes, but is listed as failing: {reason}\n", vector.name);
            }
            _ => {}
        }
    }
    for (name, _) in known {
        if !vectors.iter().any(|vector| vector.name == *name) {
            wrong += &format!("\n{name}: listed as failing, but there is no such vector\n");
        }
    }
    println!("{played} of {} vectors played", vectors.len());
    assert!(wrong.is_empty(), "{wrong}");
    played
}

impl Vector {
    /// Plays the vector against a new server and returns what was not as it must be; `None` if it
    /// is not about such a server.
    pub(crate) fn play<S: Server>(&self, server: impl FnOnce() -> S) -> Option<Vec<String>> {
        let (given, then) = match (&self.pagerduty, S::IS_PAGERDUTY) {
            (_, false) => (&self.given, &self.then),
            (Some(variant), true) => (&variant.given, &variant.then),
            (None, true) => return None,
        };
        Some(Run { vector: self, given, then, server: &server(), problems: Vec::new() }.run())
    }

    fn request(&self) -> http::Request<Bytes> {
        let mut request =
            http::Request::builder().method(self.method.as_str()).uri(format!("{BASE_PATH}{}", self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let body = match (&self.text, &self.body) {
            (Some(text), _) => Bytes::from(text.clone()),
            (None, Value::Null) => Bytes::new(),
            (None, body) => Bytes::from(serde_json::to_vec(body).unwrap()),
        };
        request.body(body).unwrap()
    }
}

/// One vector being played.
struct Run<'a, S> {
    vector: &'a Vector,
    given: &'a Given,
    then: &'a Then,
    server: &'a S,
    problems: Vec<String>,
}

/// The given resources and totals as clients see them.
#[derive(Clone, Debug, PartialEq)]
struct State {
    resources: BTreeMap<String, Value>,
    elsewhere: BTreeMap<String, Value>,
    totals: BTreeMap<&'static str, u64>,
}

impl<S: Server> Run<'_, S> {
    fn run(mut self) -> Vec<String> {
        self.seed();
        let before = self.state();
        self.check_given(&before);

        let answer = self.send();
        self.check_leniencies(&answer);
        let after = self.state();
        let expected = self.expected(&before, &after);
        self.compare("state", &expected.resources, &after.resources);
        self.compare("other tenant", &before.elsewhere, &after.elsewhere);
        self.compare("totals", &expected.totals, &after.totals);
        self.check_answer(&answer, &before, &after);

        let again = self.send();
        let last = self.state();
        self.check_again(&again, &before, &after, &last);
        self.problems
    }

    fn seed(&self) {
        let put = |tenant: &str, given: &Given| {
            for (endpoint, resources) in [("/Users", &given.users), ("/Groups", &given.groups)] {
                for resource in resources {
                    let mut resource = resource.clone();
                    resource["meta"] = json!({
                        "resourceType": resource_type(endpoint),
                        "created": SEEDED,
                        "lastModified": SEEDED,
                        "version": "W/\"1\"",
                    });
                    self.server.seed(tenant, endpoint, resource);
                }
            }
        };
        put(TENANT, &with_crowd(self.given));
        if let Some(elsewhere) = &self.given.elsewhere {
            put(ELSEWHERE, elsewhere);
        }
    }

    fn send(&mut self) -> Answer {
        let response = self.server.send(self.vector.request());
        let leniencies = self.server.leniencies(&response);
        let answer = Answer { leniencies, ..Answer::from(response) };
        self.check_wire(&answer);
        answer
    }

    fn get(&self, path: &str, token: &str) -> Answer {
        let request = http::Request::builder()
            .uri(format!("{BASE_PATH}{path}"))
            .header("authorization", format!("Bearer {token}"));
        Answer::from(self.server.send(request.body(Bytes::new()).unwrap()))
    }

    fn state(&self) -> State {
        let of = |given: &Given, token: &str| {
            let paths = paths(given).into_iter();
            paths.map(|(path, _)| (path.clone(), self.get(&path, token).found())).collect()
        };
        let total = |endpoint| {
            let answer = self.get(&format!("{endpoint}?count=0"), TOKEN);
            (endpoint, answer.body["totalResults"].as_u64().unwrap_or_default())
        };
        State {
            resources: of(self.given, TOKEN),
            elsewhere: self
                .given
                .elsewhere
                .as_ref()
                .map(|given| of(given, TOKEN_ELSEWHERE))
                .unwrap_or_default(),
            totals: ["/Users", "/Groups"].map(total).into(),
        }
    }

    /// The given resources read back as they were given.
    fn check_given(&mut self, before: &State) {
        for (path, resource) in paths(self.given) {
            let meta = if !S::IS_PAGERDUTY {
                json!({
                    "resourceType": resource_type(&path),
                    "created": SEEDED,
                    "lastModified": SEEDED,
                    "version": "W/\"1\"",
                    "location": format!("{BASE_URL}{path}"),
                })
            } else {
                json!({"resourceType": resource_type(&path)})
            };
            let mut expected = resource.clone();
            expected["meta"] = meta;
            self.compare("given", &expected, &before.resources[&path]);
        }
    }

    /// The state `then` asks for.
    fn expected(&self, before: &State, after: &State) -> State {
        let mut expected = before.clone();
        for path in &self.then.deleted {
            expected.resources.insert(path.clone(), Value::Null);
            *expected.totals.get_mut(endpoint(path)).unwrap() -= 1;
        }
        for (path, attributes) in &self.then.changed {
            let resource = expected.resources.get_mut(path).unwrap().as_object_mut().unwrap();
            for (name, value) in attributes {
                match value {
                    Value::Null => resource.remove(name),
                    value => resource.insert(name.clone(), value.clone()),
                };
            }
            if !S::IS_PAGERDUTY {
                let now = self.time(&after.resources[path]);
                resource["meta"]["lastModified"] = now;
                resource["meta"]["version"] = json!("W/\"2\"");
            }
        }
        if self.created().is_some() {
            *expected.totals.get_mut(endpoint(&self.vector.path)).unwrap() += 1;
        }
        expected
    }

    /// The attributes of the resource that is to be created, `id` and `meta` aside.
    fn created(&self) -> Option<Map<String, Value>> {
        if let Some(without) = &self.then.created_without {
            let mut attributes = self.vector.body.clone();
            for path in without.iter().map(String::as_str).chain(["id", "meta"]) {
                remove(&mut attributes, path);
            }
            return attributes.as_object().cloned();
        }
        self.then.created.clone()
    }

    /// What a response carries of `resource`.
    fn project(&self, resource: &Value) -> Value {
        let Some(only) = &self.then.only else {
            let mut resource = resource.clone();
            self.then.without.iter().for_each(|name| remove(&mut resource, name));
            return resource;
        };
        let mut projected = json!({"schemas": resource["schemas"], "id": resource["id"]});
        for (name, subs) in only {
            projected[name] = match subs {
                Value::Array(subs) => {
                    let sub = |sub: &Value| {
                        (sub.as_str().unwrap().to_owned(), resource[name][sub.as_str().unwrap()].clone())
                    };
                    subs.iter().map(sub).collect::<Map<_, _>>().into()
                }
                _ => resource[name].clone(),
            };
        }
        projected
    }

    /// The time of the write that made `resource` what it is.
    fn time(&self, resource: &Value) -> Value {
        match self.server.now() {
            Some(now) => json!(now),
            None => match resource["meta"]["lastModified"].as_str() {
                Some(SEEDED) | None => json!("after the request"),
                Some(text) => json!(text),
            },
        }
    }

    fn check_answer(&mut self, answer: &Answer, before: &State, after: &State) {
        let then = self.then.clone();
        self.compare("status", &then.status, &answer.status);
        if answer.status != then.status {
            self.problems.push(format!("body: {}", answer.body));
            return;
        }
        for (name, value) in &then.headers {
            self.compare(name, &Some(value.as_str()), &answer.header(name));
        }
        if then.status >= 400 {
            self.check_error(answer);
        } else if let Some(list) = &then.list {
            self.check_list(list, answer, before);
        } else if let Some(path) = &then.read {
            self.compare("body", &self.project(&before.resources[path]), &answer.body);
            self.check_tag(answer, &before.resources[path]);
        } else if let Some(body) = &then.body {
            contains("body", body, &answer.body, &mut self.problems);
        } else if let Some(attributes) = self.created() {
            self.check_created(attributes, answer);
        } else if matches!(then.status, 204 | 304) {
            self.compare("body", &Value::Null, &answer.body);
        } else {
            let path =
                format!("{}/{}", endpoint(&self.vector.path), answer.body["id"].as_str().unwrap_or("?"));
            self.compare("body", &after.resources.get(&path), &Some(&answer.body));
            self.check_tag(answer, &answer.body);
        }
    }

    fn check_error(&mut self, answer: &Answer) {
        let then = self.then.clone();
        let mut expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": then.status.to_string(),
            "detail": answer.body["detail"],
        });
        if let Some(scim_type) = &then.scim_type {
            expected["scimType"] = json!(scim_type);
        }
        self.compare("error", &expected, &answer.body);
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        for word in then.mentions.iter().filter(|word| !detail.contains(word.as_str())) {
            self.problems.push(format!("the detail does not mention `{word}`: {detail}"));
        }
        if detail.is_empty() {
            self.problems.push("the error has no detail".into());
        }
        if then.status == 401 && answer.header("www-authenticate").is_none() {
            self.problems.push("401 without WWW-Authenticate".into());
        }
    }

    fn check_list(&mut self, list: &List, answer: &Answer, before: &State) {
        let resources: Vec<&Value> = match &list.resources {
            Value::Array(paths) => {
                paths.iter().map(|path| &before.resources[path.as_str().unwrap()]).collect()
            }
            any => {
                let found = answer.body["Resources"].as_array().cloned().unwrap_or_default();
                let some = before.resources.values().filter(|resource| found.contains(resource));
                some.take(any.as_u64().unwrap() as usize).collect()
            }
        };
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": list.total_results,
            "startIndex": list.start_index,
            "itemsPerPage": list.items_per_page,
            "Resources": resources.iter().map(|resource| self.project(resource)).collect::<Vec<_>>(),
        });
        self.compare("list", &expected, &answer.body);
    }

    fn check_created(&mut self, attributes: Map<String, Value>, answer: &Answer) {
        let endpoint = endpoint(&self.vector.path);
        let id = answer.body["id"].as_str().unwrap_or_default().to_owned();
        if id.is_empty() || Some(id.as_str()) == self.vector.body["externalId"].as_str() {
            self.problems.push(format!("`{id}` is no id for a new resource"));
        }
        let location = format!("{BASE_URL}{endpoint}/{id}");
        let mut expected = Value::Object(attributes);
        expected["id"] = json!(id);
        expected["meta"] = json!({"resourceType": resource_type(endpoint)});
        if !S::IS_PAGERDUTY {
            let now = self.time(&answer.body);
            expected["meta"] = json!({
                "resourceType": resource_type(endpoint),
                "created": now,
                "lastModified": now,
                "version": "W/\"1\"",
                "location": location,
            });
        }
        self.compare("body", &expected, &answer.body);
        self.compare("Location", &Some(location.as_str()), &answer.header("location"));
        self.check_tag(answer, &answer.body);
        let found = self.get(&format!("{endpoint}/{id}"), TOKEN).found();
        self.compare("new resource", &answer.body, &found);
    }

    fn check_tag(&mut self, answer: &Answer, resource: &Value) {
        if !S::IS_PAGERDUTY {
            self.compare("ETag", &resource["meta"]["version"].as_str(), &answer.header("etag"));
        }
    }

    /// Of a request that is refused it does not matter what would have been tolerated.
    fn check_leniencies(&mut self, answer: &Answer) {
        if let Some(fired) = answer.leniencies.as_ref().filter(|_| answer.status < 400) {
            let sorted = |names: &[String]| {
                let mut names = names.to_vec();
                names.sort();
                names.join(" ")
            };
            let (expected, fired) = (sorted(&self.then.leniencies), sorted(fired));
            self.compare("leniencies", &expected.as_str(), &fired.as_str());
        }
    }

    /// What holds of every answer.
    fn check_wire(&mut self, answer: &Answer) {
        let expected = (!matches!(answer.status, 204 | 304)).then_some("application/scim+json");
        self.compare("Content-Type", &expected, &answer.header("content-type"));
        let mut found = Vec::new();
        walk(&answer.body, &mut |name, value| {
            if value.is_null() && !(name.is_empty() && matches!(answer.status, 204 | 304)) {
                found.push(format!("a null at `{name}`"));
            }
            if name == "password" && value.is_string() {
                found.push("the password is returned".to_owned());
            }
        });
        self.problems.append(&mut found);
    }

    /// The request sent a second time.
    fn check_again(&mut self, answer: &Answer, before: &State, after: &State, last: &State) {
        let (method, path) = (self.vector.method.as_str(), self.vector.path.as_str());
        let expected = match (method, self.then.status) {
            ("POST", 201) if path.starts_with("/Groups") => return,
            ("POST", 201) if !S::IS_PAGERDUTY => 409,
            ("POST", 201) => 400,
            (_, 204) => 404,
            // It named the version that is no more.
            (_, 200) if before != after && self.vector.headers.contains_key("If-Match") => 412,
            (_, status) => status,
        };
        self.compare("status when sent again", &expected, &answer.status);
        self.compare("state when sent again", after, last);
    }

    fn compare<T: Normal + ?Sized>(&mut self, what: &str, expected: &T, actual: &T) {
        differ(what, &expected.normal(), &actual.normal(), &mut self.problems);
    }
}

/// A response, read.
struct Answer {
    status: u16,
    leniencies: Option<Vec<String>>,
    headers: http::HeaderMap,
    body: Value,
}

impl From<http::Response<Bytes>> for Answer {
    fn from(response: http::Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let body = match body.as_ref() {
            [] => Value::Null,
            text => serde_json::from_slice(text).unwrap_or_else(|error| {
                Value::String(format!("no JSON ({error}): {}", String::from_utf8_lossy(text)))
            }),
        };
        Self { status: parts.status.as_u16(), leniencies: None, headers: parts.headers, body }
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The resource, or null when there is none.
    fn found(self) -> Value {
        match self.status {
            200 => self.body,
            404 => Value::Null,
            status => json!({"status": status, "body": self.body}),
        }
    }
}

/// What can be compared as JSON.
trait Normal {
    fn normal(&self) -> Value;
}

impl Normal for Value {
    /// The value with its sets sorted: RFC 7643 §3 leaves the order of `schemas` open, and
    /// `members` and the `Resources` of a list without `sortBy` have none either.
    fn normal(&self) -> Value {
        match self {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| {
                    let mut value = value.normal();
                    if let ("schemas" | "members" | "Resources", Value::Array(elements)) =
                        (name.as_str(), &mut value)
                    {
                        elements.sort_by_key(Value::to_string);
                    }
                    (name.clone(), value)
                })
                .collect::<Map<_, _>>()
                .into(),
            Value::Array(elements) => elements.iter().map(Normal::normal).collect(),
            other => other.clone(),
        }
    }
}

impl<T: Normal> Normal for Option<T> {
    fn normal(&self) -> Value {
        self.as_ref().map_or(Value::Null, Normal::normal)
    }
}

impl<T: Normal> Normal for &T {
    fn normal(&self) -> Value {
        (*self).normal()
    }
}

impl<K: AsRef<str>, T: Normal> Normal for BTreeMap<K, T> {
    fn normal(&self) -> Value {
        self.iter()
            .map(|(name, value)| (name.as_ref().to_owned(), value.normal()))
            .collect::<Map<_, _>>()
            .into()
    }
}

impl Normal for State {
    fn normal(&self) -> Value {
        json!([self.resources.normal(), self.elsewhere.normal(), self.totals.normal()])
    }
}

impl Normal for u16 {
    fn normal(&self) -> Value {
        json!(self)
    }
}

impl Normal for u64 {
    fn normal(&self) -> Value {
        json!(self)
    }
}

impl Normal for &str {
    fn normal(&self) -> Value {
        json!(self)
    }
}

/// Says where `actual` is not `expected`.
fn differ(at: &str, expected: &Value, actual: &Value, problems: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            let mut names: Vec<_> = expected.keys().chain(actual.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let side = |members: &Map<String, Value>| members.get(name).cloned().unwrap_or_default();
                differ(&format!("{at} › {name}"), &side(expected), &side(actual), problems);
            }
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                differ(&format!("{at} › {index}"), expected, actual, problems);
            }
        }
        _ if expected == actual => {}
        _ => problems.push(format!("{at}: expected {}, is {}", brief(expected), brief(actual))),
    }
}

/// Says where `actual` lacks what `expected` has; an element is looked for anywhere in an array.
fn contains(at: &str, expected: &Value, actual: &Value, problems: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, value) in expected {
                let found = actual.get(name).unwrap_or(&Value::Null);
                contains(&format!("{at} › {name}"), value, found, problems);
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            for (index, value) in expected.iter().enumerate() {
                let misses = actual.iter().map(|found| {
                    let mut misses = Vec::new();
                    contains(&format!("{at} › {index}"), value, found, &mut misses);
                    misses
                });
                problems
                    .extend(misses.min_by_key(Vec::len).unwrap_or_else(|| vec![format!("{at}: is empty")]));
            }
        }
        _ if expected == actual => {}
        _ => problems.push(format!("{at}: expected {}, is {}", brief(expected), brief(actual))),
    }
}

fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn walk(value: &Value, see: &mut impl FnMut(&str, &Value)) {
    fn step(name: &str, value: &Value, see: &mut impl FnMut(&str, &Value)) {
        see(name, value);
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| step(name, value, see)),
            Value::Array(elements) => elements.iter().for_each(|value| step(name, value, see)),
            _ => {}
        }
    }
    step("", value, see);
}

/// Removes the member at `path`, whose steps are separated by `/`.
fn remove(value: &mut Value, path: &str) {
    match path.split_once('/') {
        None => drop(value.as_object_mut().map(|members| members.remove(path))),
        Some((name, rest)) => {
            if let Some(inner) = value.get_mut(name) {
                remove(inner, rest);
            }
        }
    }
}

fn paths(given: &Given) -> Vec<(String, &Value)> {
    [("/Users", &given.users), ("/Groups", &given.groups)]
        .into_iter()
        .flat_map(|(endpoint, resources)| {
            resources.iter().map(move |it| (format!("{endpoint}/{}", it["id"].as_str().unwrap()), it))
        })
        .collect()
}

fn with_crowd(given: &Given) -> Given {
    let mut given = given.clone();
    given.users.extend((1..=given.crowd).map(|number| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": format!("6f1c1a52-0b1e-4f0c-9a53-{number:012}"),
            "userName": format!("crowd-{number}@example.com"),
        })
    }));
    given
}

/// `/Users/1?x` is below `/Users`.
fn endpoint(path: &str) -> &'static str {
    if path.starts_with("/Groups") { "/Groups" } else { "/Users" }
}

fn resource_type(path: &str) -> &'static str {
    if path.starts_with("/Groups") { "Group" } else { "User" }
}

/// The vector in the file `path`; `None` if its body is an example that is not there.
fn read(path: &Path) -> Option<Vector> {
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let vector: Vector = serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let body = match &vector.body_from {
        None => vector.body,
        Some(example) => {
            let path = shared("rfc/examples")?.join(format!("{example}.json"));
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
        }
    };
    Some(Vector { name, body, ..vector })
}

/// The text of a record or vector, its placeholders filled in.
pub(crate) fn text(path: &Path) -> String {
    std::fs::read_to_string(path)
        .unwrap()
        .replace("{token}", TOKEN)
        .replace("{api_key}", TOKEN)
        .replace("{ordinary-user-token}", "token-of-an-ordinary-user")
        .replace("{id-of-other-tenant}", ID_ELSEWHERE)
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("scim-core/tests/vectors")
}
