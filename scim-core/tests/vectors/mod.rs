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

mod compare;
mod membership;
mod run;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::schema::Registry;
use scim_core::store::{Scope, Store};
use scim_core::{CredentialId, Resource, TenantId, validate};
use serde::Deserialize;
use serde_json::{Map, Value};

use self::run::Run;

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
