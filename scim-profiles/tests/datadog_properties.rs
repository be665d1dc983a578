//! What holds of roles and teams at Datadog, whatever is asked for in whatever order.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
use scim_profiles::datadog::{
    self, Datadog, DatadogOptions, Handles, RoleCatalogue, TeamEdit, TeamError, TeamStore,
};
use serde_json::{Value, json};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
fn handle(name: &str) -> String {
    Handles::default().of(name)
}

/// Names, of which some have one handle.
const NAMES: [&str; 5] = ["SRE", "sre", "Web", "Data Platform", "data-platform"];

fn uuid(number: u8) -> String {
    format!("11111111-aaaa-11ee-a000-0000000000{number:02x}")
}

fn catalogue(roles: u8, default: Option<u8>) -> RoleCatalogue {
    let mut catalogue = RoleCatalogue::new();
    for number in 0..roles {
        catalogue = catalogue.with_role(&uuid(number), &format!("R{number}")).unwrap();
    }
    match default.filter(|default| *default < roles) {
        Some(default) => catalogue.with_default(&uuid(default)).unwrap(),
        None => catalogue.without_default(),
    }
}

/// UUIDs of roles there are and there are not, in some case, and other texts.
fn asked() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0u8..8, any::<bool>()).prop_map(|(number, upper)| {
            let id = uuid(number);
            if upper { id.to_uppercase() } else { id }
        }),
        1 => "[a-z0-9-]{0,8}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Neither order nor repetition matters, nothing is granted that was not asked for and is not there,
    /// unless it is the default, and that where nothing matched.
    #[test]
    fn what_is_granted_is_a_function_of_the_set_asked_for(
        roles in 0u8..6,
        default in prop::option::of(0u8..6),
        asked in vec(asked(), 0..8),
        shuffled in any::<prop::sample::Index>(),
    ) {
        let catalogue = catalogue(roles, default);
        let resolution = catalogue.resolve(asked.iter().map(String::as_str));
        let mut other = asked.clone();
        if !other.is_empty() {
            other.rotate_left(shuffled.index(asked.len()));
            other.push(asked[shuffled.index(asked.len())].to_ascii_uppercase());
            other.reverse();
        }
        let again = catalogue.resolve(other.iter().map(String::as_str));
        prop_assert_eq!(&again.granted, &resolution.granted);
        prop_assert_eq!(again.defaulted, resolution.defaulted);
        let lower: BTreeSet<String> = asked.iter().map(|id| id.to_ascii_lowercase()).collect();
        let there: BTreeSet<String> = (0..roles).map(uuid).collect();
        let matched: Vec<&String> = there.intersection(&lower).collect();
        let granted: Vec<&str> = resolution.granted.iter().map(|role| role.id()).collect();
        prop_assert_eq!(resolution.defaulted, matched.is_empty());
        if matched.is_empty() {
            let default = default.filter(|default| *default < roles).map(uuid);
            prop_assert_eq!(granted, default.as_deref().into_iter().collect::<Vec<_>>());
        } else {
            prop_assert_eq!(granted, matched);
        }
        let unmatched = asked.iter().filter(|id| !there.contains(&id.to_ascii_lowercase()));
        prop_assert_eq!(resolution.unmatched.iter().collect::<Vec<_>>(), unmatched.collect::<Vec<_>>());
    }
}

/// What is done to groups, and to teams in Datadog.
#[derive(Clone, Debug)]
enum Step {
    Push(&'static str),
    Rename(usize, &'static str),
    Delete(usize),
    Make(&'static str),
    Edit(usize, &'static str),
}

fn step() -> impl Strategy<Value = Step> {
    let name = || select(&NAMES[..]);
    prop_oneof![
        3 => name().prop_map(Step::Push),
        2 => (0usize..6, name()).prop_map(|(group, name)| Step::Rename(group, name)),
        2 => (0usize..6).prop_map(Step::Delete),
        1 => name().prop_map(Step::Make),
        1 => (0usize..6, name()).prop_map(|(team, name)| Step::Edit(team, name)),
    ]
}

/// A team as the model has it: name, and whether a group manages it.
type Model = Vec<(String, bool)>;

struct Organisation {
    store: TeamStore<MemoryStore>,
    service: Service<TeamStore<MemoryStore>, StaticTokens, Datadog>,
    runtime: tokio::runtime::Runtime,
}

impl Organisation {
    fn new() -> Self {
        let tenant = TenantId::new("acme");
        let principal = Principal { tenant, credential: CredentialId::new("key") };
        let tokens = StaticTokens::new().with(Secret::new("key").unwrap(), principal);
        let count = AtomicU64::new(1);
        let environment = Environment::new(
            || jiff::Timestamp::UNIX_EPOCH,
            move || ResourceId::new(count.fetch_add(1, Ordering::Relaxed).to_string()),
        );
        let mut options = DatadogOptions::default();
        options.teams = true;
        let store = TeamStore::new(MemoryStore::new(), &options, Arc::clone(&environment.now));
        let config = datadog::config("https://api.example.com/api/v2/scim".parse().unwrap(), &options);
        let service = Service::new(store.clone(), tokens, config, environment)
            .with_policy(Datadog::new(options, RoleCatalogue::new()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { store, service, runtime }
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/api/v2/scim{path}"))
            .header("authorization", "Bearer key")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let response = self.runtime.block_on(self.service.call(request));
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    }

    /// Handles, names and whether a group manages it, by the teams' identifiers.
    fn teams(&self) -> BTreeMap<String, (String, String, bool)> {
        let teams = self.runtime.block_on(self.store.teams(&TenantId::new("acme"))).unwrap();
        let shown = |team: datadog::Team| {
            let managed = team.is_managed();
            (team.id.as_str().to_owned(), (team.handle, team.name, managed))
        };
        teams.into_iter().map(shown).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against a plain model: no team is ever gone, no two have one handle, each managed one has one
    /// group of its name, and a name links the team that has it again.
    #[test]
    fn teams_outlive_their_groups_and_are_linked_by_name(steps in vec(step(), 1..24)) {
        let acme = Organisation::new();
        let tenant = TenantId::new("acme");
        let mut model: Model = Vec::new();
        // The groups there are: identifier and the team's place in the model.
        let mut groups: Vec<(String, usize)> = Vec::new();
        // The team's identifiers, in the order of the model.
        let mut ids: Vec<String> = Vec::new();
        let mut made = 0;
        for step in steps {
            let place = |model: &Model, name: &str| model.iter().position(|(other, _)| handle(other) == handle(name));
            let known = |acme: &Organisation, ids: &mut Vec<String>| {
                let new: Vec<String> = acme.teams().into_keys().filter(|id| !ids.contains(id)).collect();
                ids.extend(new);
            };
            match step {
                Step::Push(name) => {
                    let (status, body) = acme.send("POST", "/Groups", &json!({"schemas": [GROUP], "displayName": name}));
                    let team = place(&model, name);
                    let expected = team.is_none_or(|at| !model[at].1 && model[at].0 == name);
                    prop_assert_eq!(status == 201, expected, "{} {}", name, body);
                    if expected {
                        let at = team.unwrap_or_else(|| { model.push((name.to_owned(), true)); model.len() - 1 });
                        model[at].1 = true;
                        groups.push((body["id"].as_str().unwrap().to_owned(), at));
                    }
                }
                Step::Rename(group, name) => {
                    let Some((id, at)) = groups.get(group).cloned() else { continue };
                    let (status, body) =
                        acme.send("PUT", &format!("/Groups/{id}"), &json!({"schemas": [GROUP], "displayName": name}));
                    let expected = place(&model, name).is_none_or(|other| other == at);
                    prop_assert_eq!(status, if expected { 200 } else { 409 }, "{}", body);
                    if expected {
                        model[at].0 = name.to_owned();
                    }
                }
                Step::Delete(group) => {
                    if group >= groups.len() { continue }
                    let (id, at) = groups.remove(group);
                    prop_assert_eq!(acme.send("DELETE", &format!("/Groups/{id}"), &Value::Null).0, 204);
                    model[at].1 = false;
                }
                Step::Make(name) => {
                    made += 1;
                    let id = ResourceId::new(format!("made-{made}"));
                    let result = acme.runtime.block_on(acme.store.create_team(&tenant, id, name));
                    prop_assert_eq!(result.is_ok(), place(&model, name).is_none());
                    if result.is_ok() {
                        model.push((name.to_owned(), false));
                    }
                }
                Step::Edit(team, name) => {
                    let Some(id) = ids.get(team) else { continue };
                    let edit = TeamEdit::Rename(name.to_owned());
                    let result =
                        acme.runtime.block_on(acme.store.edit(&tenant, &ResourceId::new(id.as_str()), &edit));
                    let taken = place(&model, name).is_some_and(|other| other != team);
                    match (model[team].1, taken) {
                        (true, _) => prop_assert!(matches!(result, Err(TeamError::Managed))),
                        (false, true) => prop_assert!(matches!(result, Err(TeamError::Taken(_)))),
                        (false, false) => {
                            prop_assert!(result.is_ok());
                            model[team].0 = name.to_owned();
                        }
                    }
                }
            }
            known(&acme, &mut ids);
            let teams = acme.teams();
            prop_assert_eq!(ids.len(), model.len());
            for (id, (name, managed)) in ids.iter().zip(&model) {
                prop_assert_eq!(teams.get(id), Some(&(handle(name), name.clone(), *managed)));
            }
            let handles: BTreeSet<&String> = teams.values().map(|(handle, ..)| handle).collect();
            prop_assert_eq!(handles.len(), teams.len());
            let listed = acme.send("GET", "/Groups", &Value::Null).1;
            prop_assert_eq!(&listed["totalResults"], &json!(groups.len()));
            prop_assert_eq!(acme.runtime.block_on(acme.store.synchronise(&tenant)).unwrap(), 0);
        }
    }
}
