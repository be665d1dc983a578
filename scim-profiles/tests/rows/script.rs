//! Scripts: requests one after the other to a server with Datadog's behaviour, and what is so then.
//!
//! A file in `vectors/lives/datadog` has
//!
//! - `source`: where what it shows was read; `why`, where that does not say it;
//! - `organisation`: what of it differs from the default;
//! - `steps`, each with a `request`, an `edit` of a team past the identity provider, or another
//!   `organisation` that the same resources are served for from then on;
//! - `answer`: the `status`, what the body `has` at JSON pointers (`null` for nothing) and, of an error, what it
//!   `mentions`; `remember`: the name that stands for the `id` in it, as `{name}`, from then on;
//! - `events`, `remarks` and `teams`: what is told and noted of the step, and teams as they are then;
//! - `shows` and `refuses`: the rows that are seen to hold, by letting through or by refusing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::StatusCode;
use scim_core::audit::{Audit, Record, Sink, SinkError};
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
use scim_profiles::datadog::{
    self, Datadog, DatadogOptions, Deactivation, Event, INVITATION_DAYS, RoleCatalogue, TeamEdit, TeamError,
    TeamStore,
};
use scim_profiles::{Lifecycle, RowKind};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    #[serde(skip)]
    pub(crate) name: String,
    source: String,
    #[serde(rename = "why")]
    _why: Option<String>,
    #[serde(default)]
    organisation: Organisation,
    pub(crate) steps: Vec<Step>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Organisation {
    #[serde(default)]
    teams: bool,
    /// Roles by their UUIDs.
    #[serde(default)]
    roles: BTreeMap<String, String>,
    /// The default role, or `none`; Standard, if that is not said.
    default_role: Option<String>,
    #[serde(default)]
    remove_deactivated: bool,
    locations: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    organisation: Option<Organisation>,
    request: Option<Request>,
    edit: Option<Edit>,
    answer: Option<Answer>,
    remember: Option<String>,
    events: Option<Vec<String>>,
    remarks: Option<Vec<String>>,
    #[serde(default)]
    teams: BTreeMap<String, TeamThen>,
    #[serde(default)]
    pub(crate) shows: Vec<String>,
    #[serde(default)]
    pub(crate) refuses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Request {
    method: String,
    path: String,
    key: Option<String>,
    media_type: Option<String>,
    body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    team: String,
    rename: Option<String>,
    join: Option<String>,
    leave: Option<String>,
    refused: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: u16,
    #[serde(default)]
    has: BTreeMap<String, Value>,
    mentions: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct TeamThen {
    handle: String,
    managed: bool,
    members: Vec<String>,
}

/// The scripts of Datadog.
pub(crate) fn scripts() -> Vec<Script> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/lives/datadog");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let mut script: Script =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        script.name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(!script.source.is_empty(), "{}", script.name);
        script
    };
    files.iter().map(read).collect()
}

impl Script {
    /// What is not as the script has it.
    pub(crate) fn play(&self) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let memory = MemoryStore::new();
        let mut server = Server::new(memory.clone(), &self.organisation, 1);
        let mut names = BTreeMap::new();
        let mut problems = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            if let Some(organisation) = &step.organisation {
                server = Server::new(memory.clone(), organisation, 1000 * (index as u64 + 1));
            }
            let found = runtime.block_on(step.play(&server, &mut names));
            problems
                .extend(found.into_iter().map(|problem| format!("{}, step {index}: {problem}", self.name)));
        }
        problems
    }
}

impl Step {
    async fn play(&self, server: &Server, names: &mut BTreeMap<String, String>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |what: &str, expected: Value, found: Value| {
            if expected != found {
                problems.push(format!("{what}: {found} instead of {expected}"));
            }
        };
        if let Some(request) = &self.request {
            let (status, body) = server.send(request, names).await;
            let answer = self.answer.as_ref().expect("a request has an answer");
            check("status", answer.status.into(), status.into());
            if status >= 400 {
                // The one shape of errors that Datadog has.
                check("errors", json!(1), body["errors"].as_array().map_or(0, Vec::len).into());
                check("members of the error", json!(1), body.as_object().map_or(0, |body| body.len()).into());
            }
            for (pointer, expected) in &answer.has {
                let found = body.pointer(pointer).cloned().unwrap_or_default();
                check(pointer, filled(expected, names), found);
            }
            if let Some(part) = &answer.mentions {
                let detail = body["errors"][0].as_str().unwrap_or_default();
                check(&format!("`{part}` in `{detail}`"), true.into(), detail.contains(part).into());
            }
            if let Some(name) = &self.remember {
                names.insert(name.clone(), body["id"].as_str().unwrap_or_default().to_owned());
            }
        }
        if let Some(edit) = &self.edit {
            let refused = server.edit(edit, names).await;
            check("refused", edit.refused.into(), refused.into());
        }
        let (events, remarks) = server.told();
        if let Some(expected) = &self.events {
            check("events", filled(&json!(expected), names), json!(events));
        }
        if let Some(expected) = &self.remarks {
            check("remarks", json!(expected), json!(remarks));
        }
        if !self.teams.is_empty() {
            let teams = server.store.teams(&tenant()).await.unwrap();
            check("teams", self.teams.len().into(), teams.len().into());
            for (name, then) in &self.teams {
                let now = teams.iter().find(|team| team.name == *name).map(|team| TeamThen {
                    handle: team.handle.clone(),
                    managed: team.is_managed(),
                    members: team.members.iter().map(|id| id.as_str().to_owned()).collect(),
                });
                let mut members: Vec<_> = then.members.iter().map(|id| fill(id, names)).collect();
                members.sort();
                let then = TeamThen { handle: then.handle.clone(), managed: then.managed, members };
                check(name, format!("{:?}", Some(then)).into(), format!("{now:?}").into());
            }
        }
        problems
    }

    /// Whether the step can show or refuse what it says it does.
    pub(crate) fn is_evidence(&self, row: &Lifecycle, refuses: bool) -> bool {
        let status = self.answer.as_ref().map(|answer| answer.status);
        let looks =
            self.answer.as_ref().is_some_and(|answer| !answer.has.is_empty() || answer.mentions.is_some())
                || self.events.is_some()
                || self.remarks.is_some()
                || !self.teams.is_empty();
        match (row.kind, refuses) {
            (RowKind::Premise, _) | (RowKind::Effect, true) => false,
            (RowKind::Effect, false) => looks,
            (RowKind::Refusal, false) => status.is_some_and(|status| status < 400),
            (RowKind::Refusal, true) => match (status, &self.edit) {
                (Some(status), _) => row.status == Some(status),
                (None, edit) => row.status.is_none() && edit.as_ref().is_some_and(|edit| edit.refused),
            },
        }
    }
}

struct Server {
    store: TeamStore<MemoryStore>,
    service: Service<TeamStore<MemoryStore>, StaticTokens, Datadog>,
    events: Arc<Mutex<Vec<Event>>>,
    records: Kept,
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Record>>>);

impl Sink for Kept {
    fn record(&self, record: &Record) -> Result<(), SinkError> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
}

impl Server {
    fn new(memory: MemoryStore, organisation: &Organisation, first_id: u64) -> Self {
        let mut options = DatadogOptions::default();
        options.teams = organisation.teams;
        options.locations = organisation.locations.as_ref().map(|url| url.parse().unwrap());
        if organisation.remove_deactivated {
            options.deactivation = Deactivation::Remove;
        }
        let roles = organisation.roles.iter();
        let roles = roles.fold(RoleCatalogue::new(), |roles, (id, name)| roles.with_role(id, name).unwrap());
        let roles = match organisation.default_role.as_deref() {
            None => roles,
            Some("none") => roles.without_default(),
            Some(id) => roles.with_default(id).unwrap(),
        };
        let tokens = StaticTokens::new().with(
            Secret::new("key").unwrap(),
            Principal { tenant: tenant(), credential: CredentialId::new("key") },
        );
        let count = AtomicU64::new(first_id);
        let environment = Environment::new(
            || "2026-02-02T02:02:02Z".parse().unwrap(),
            move || ResourceId::new(count.fetch_add(1, Ordering::Relaxed).to_string()),
        );
        let events = Arc::<Mutex<Vec<Event>>>::default();
        let told = Arc::clone(&events);
        let store = TeamStore::new(memory, &options, Arc::clone(&environment.now))
            .with_events(move |_, event| told.lock().unwrap().push(event.clone()));
        let config = datadog::config("https://api.example.com/api/v2/scim".parse().unwrap(), &options);
        let records = Kept::default();
        let service = Service::new(store.clone(), tokens, config, environment)
            .with_policy(Datadog::new(options, roles))
            .with_audit(Audit::new(records.clone()));
        Self { store, service, events, records }
    }

    async fn send(&self, request: &Request, names: &BTreeMap<String, String>) -> (u16, Value) {
        let body = request.body.as_ref().map(|body| filled(body, names).to_string()).unwrap_or_default();
        let key = request.key.as_deref().unwrap_or("key");
        let media_type = request.media_type.as_deref().unwrap_or("application/scim+json");
        let request = http::Request::builder()
            .method(request.method.as_str())
            .uri(format!("/api/v2/scim{}", fill(&request.path, names)))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", media_type)
            .body(Bytes::from(body))
            .unwrap();
        let response = self.service.call(request).await;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        assert_ne!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{body}");
        (response.status().as_u16(), body)
    }

    /// Whether it was refused because the identity provider manages the team.
    async fn edit(&self, edit: &Edit, names: &BTreeMap<String, String>) -> bool {
        let user = |name: &String| ResourceId::new(fill(name, names));
        let change = match (&edit.rename, &edit.join, &edit.leave) {
            (Some(name), None, None) => TeamEdit::Rename(name.clone()),
            (None, Some(name), None) => TeamEdit::Join(user(name)),
            (None, None, Some(name)) => TeamEdit::Leave(user(name)),
            _ => panic!("an edit does one thing"),
        };
        let teams = self.store.teams(&tenant()).await.unwrap();
        let team = teams.iter().find(|team| team.name == edit.team).expect("the team is there");
        match self.store.edit(&tenant(), &team.id, &change).await {
            Ok(_) => false,
            Err(TeamError::Managed) => true,
            Err(error) => panic!("{error}"),
        }
    }

    /// The events and the remarks since the last time.
    fn told(&self) -> (Vec<String>, Vec<String>) {
        let event = |event: Event| match event {
            Event::Invited { user, email } => {
                format!("{} invited by {}, {INVITATION_DAYS} days", user.as_str(), email.unwrap_or_default())
            }
            Event::TeamCreated { .. } => "team created".to_owned(),
            Event::TeamLinked { .. } => "team linked".to_owned(),
            Event::TeamUnlinked { .. } => "team unlinked".to_owned(),
            _ => "something else".to_owned(),
        };
        let events = std::mem::take(&mut *self.events.lock().unwrap()).into_iter().map(event).collect();
        let records = std::mem::take(&mut *self.records.0.lock().unwrap());
        (events, records.into_iter().flat_map(|record| record.remarks).collect())
    }
}

fn tenant() -> TenantId {
    TenantId::new("acme")
}

/// The text with `{name}` as the id that is remembered by it.
fn fill(text: &str, names: &BTreeMap<String, String>) -> String {
    names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
}

fn filled(value: &Value, names: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => fill(text, names).into(),
        Value::Array(values) => values.iter().map(|value| filled(value, names)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), filled(value, names))).collect()
        }
        other => other.clone(),
    }
}
