//! A random sequence of requests against a model as simple as can be.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::support::{server, user};

#[derive(Clone, Debug)]
enum Step {
    CreateUser(u8),
    RenameUser(Index, u8),
    PutUser(Index, u8),
    SetTitle(Index, Option<u8>),
    DeleteUser(Index),
    CreateGroup(Vec<Index>),
    Add(Index, Vec<Index>),
    Remove(Index, Vec<Index>),
    RemoveWithValue(Index, Vec<Index>),
    Replace(Index, Vec<Index>),
    DeleteGroup(Index),
}

fn step() -> impl Strategy<Value = Step> {
    let indices = || prop::collection::vec(any::<Index>(), 0..4);
    prop_oneof![
        4 => (0..6_u8).prop_map(Step::CreateUser),
        1 => (any::<Index>(), 0..6_u8).prop_map(|(user, name)| Step::RenameUser(user, name)),
        1 => (any::<Index>(), 0..6_u8).prop_map(|(user, name)| Step::PutUser(user, name)),
        1 => (any::<Index>(), prop::option::of(0..3_u8)).prop_map(|(user, title)| Step::SetTitle(user, title)),
        1 => any::<Index>().prop_map(Step::DeleteUser),
        2 => indices().prop_map(Step::CreateGroup),
        2 => (any::<Index>(), indices()).prop_map(|(group, users)| Step::Add(group, users)),
        1 => (any::<Index>(), indices()).prop_map(|(group, users)| Step::Remove(group, users)),
        1 => (any::<Index>(), indices()).prop_map(|(group, users)| Step::RemoveWithValue(group, users)),
        1 => (any::<Index>(), indices()).prop_map(|(group, users)| Step::Replace(group, users)),
        1 => any::<Index>().prop_map(Step::DeleteGroup),
    ]
}

/// What the service should hold: a user is a name and a title, a group a set of ids; each with its
/// version.
#[derive(Default)]
struct Model {
    users: BTreeMap<String, (String, Option<String>, u64)>,
    groups: BTreeMap<String, (BTreeSet<String>, u64)>,
}

impl Model {
    /// A user that is there or, now and then, an id that is not.
    fn user(&self, index: Index) -> String {
        let ids: Vec<&String> = self.users.keys().collect();
        match index.index(ids.len() + 1) {
            0 => "none".to_owned(),
            at => ids[at - 1].clone(),
        }
    }

    fn group(&self, index: Index) -> String {
        let ids: Vec<&String> = self.groups.keys().collect();
        match index.index(ids.len() + 1) {
            0 => "none".to_owned(),
            at => ids[at - 1].clone(),
        }
    }

    fn present(&self, indices: &[Index]) -> BTreeSet<String> {
        let ids = indices.iter().map(|index| self.user(*index));
        ids.filter(|id| id != "none").collect()
    }

    fn taken(&self, name: &str, but: &str) -> bool {
        self.users.iter().any(|(id, (other, ..))| id != but && other.eq_ignore_ascii_case(name))
    }

    fn change_user(&mut self, id: &str, change: impl Fn(&mut (String, Option<String>, u64))) -> u16 {
        let Some(user) = self.users.get_mut(id) else { return 404 };
        let before = (user.0.clone(), user.1.clone());
        change(user);
        if (&user.0, &user.1) != (&before.0, &before.1) {
            user.2 += 1;
        }
        200
    }

    fn change_group(&mut self, id: &str, change: impl Fn(&mut BTreeSet<String>)) -> u16 {
        let Some((members, version)) = self.groups.get_mut(id) else { return 404 };
        let before = members.clone();
        change(members);
        *version += u64::from(*members != before);
        200
    }
}

/// Names in both cases, as userName is not case-exact.
fn name(number: u8) -> String {
    if number.is_multiple_of(2) { format!("user{}", number / 2) } else { format!("USER{}", number / 2) }
}

fn values(ids: &BTreeSet<String>) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_service_holds_what_the_model_holds(steps in prop::collection::vec(step(), 1..60)) {
        let server = server();
        let mut model = Model::default();
        for step in steps {
            let (answer, expected) = match &step {
                Step::CreateUser(number) => {
                    let name = name(*number);
                    let answer = server.post("/Users", user(&name));
                    let expected = if model.taken(&name, "") { 409 } else { 201 };
                    if expected == 201 {
                        let id = answer.json()["id"].as_str().unwrap().to_owned();
                        model.users.insert(id, (name, None, 1));
                    }
                    (answer, expected)
                }
                Step::RenameUser(index, number) => {
                    let (id, name) = (model.user(*index), name(*number));
                    let answer = server.patch(
                        &format!("/Users/{id}"),
                        json!([{"op": "replace", "path": "userName", "value": name}]),
                    );
                    let expected = if model.users.contains_key(&id) && model.taken(&name, &id) {
                        409
                    } else {
                        model.change_user(&id, |user| user.0 = name.clone())
                    };
                    (answer, expected)
                }
                Step::PutUser(index, number) => {
                    let (id, name) = (model.user(*index), name(*number));
                    let answer = server.put(&format!("/Users/{id}"), user(&name));
                    let expected = if model.users.contains_key(&id) && model.taken(&name, &id) {
                        409
                    } else {
                        model.change_user(&id, |user| (user.0, user.1) = (name.clone(), None))
                    };
                    (answer, expected)
                }
                Step::SetTitle(index, title) => {
                    let (id, title) = (model.user(*index), title.map(|title| format!("title{title}")));
                    let operation = match &title {
                        Some(title) => json!({"op": "replace", "path": "title", "value": title}),
                        None => json!({"op": "remove", "path": "title"}),
                    };
                    let answer = server.patch(&format!("/Users/{id}"), json!([operation]));
                    (answer, model.change_user(&id, |user| user.1 = title.clone()))
                }
                Step::DeleteUser(index) => {
                    let id = model.user(*index);
                    let expected = if model.users.remove(&id).is_some() { 204 } else { 404 };
                    for group in model.groups.keys().cloned().collect::<Vec<_>>() {
                        model.change_group(&group, |members| members.retain(|member| *member != id));
                    }
                    (server.delete(&format!("/Users/{id}")), expected)
                }
                Step::CreateGroup(indices) => {
                    let members = model.present(indices);
                    let answer = server.post("/Groups", json!({
                        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                        "displayName": "a group",
                        "members": values(&members),
                    }));
                    let id = answer.json()["id"].as_str().unwrap().to_owned();
                    model.groups.insert(id, (members, 1));
                    (answer, 201)
                }
                Step::Add(index, indices) => {
                    let (id, added) = (model.group(*index), model.present(indices));
                    let answer = server.patch(
                        &format!("/Groups/{id}"),
                        json!([{"op": "add", "path": "members", "value": values(&added)}]),
                    );
                    (answer, model.change_group(&id, |members| members.extend(added.clone())))
                }
                Step::Remove(index, indices) => {
                    let (id, removed) = (model.group(*index), model.present(indices));
                    let there = model.groups.get(&id).map(|group| &group.0);
                    let there = there.into_iter().flatten().filter(|id| removed.contains(*id));
                    let operations: Vec<Value> = there
                        .map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}))
                        .collect();
                    if operations.is_empty() {
                        continue;
                    }
                    let answer = server.patch(&format!("/Groups/{id}"), operations.into());
                    (answer, model.change_group(&id, |members| members.retain(|id| !removed.contains(id))))
                }
                Step::RemoveWithValue(index, indices) => {
                    let (id, removed) = (model.group(*index), model.present(indices));
                    if removed.is_empty() {
                        continue;
                    }
                    let answer = server.patch(
                        &format!("/Groups/{id}"),
                        json!([{"op": "remove", "path": "members", "value": values(&removed)}]),
                    );
                    (answer, model.change_group(&id, |members| members.retain(|id| !removed.contains(id))))
                }
                Step::Replace(index, indices) => {
                    let (id, replaced) = (model.group(*index), model.present(indices));
                    let answer = server.patch(
                        &format!("/Groups/{id}"),
                        json!([{"op": "replace", "path": "members", "value": values(&replaced)}]),
                    );
                    (answer, model.change_group(&id, |members| members.clone_from(&replaced)))
                }
                Step::DeleteGroup(index) => {
                    let id = model.group(*index);
                    let expected = if model.groups.remove(&id).is_some() { 204 } else { 404 };
                    (server.delete(&format!("/Groups/{id}")), expected)
                }
            };
            prop_assert_eq!(answer.status.as_u16(), expected, "{:?}: {}", step, answer.text);
        }

        let users = server.get("/Users?count=200").json();
        let held: BTreeMap<String, (String, Option<String>, u64)> = users["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| {
                let text = |name: &str| user[name].as_str().map(str::to_owned);
                (text("id").unwrap(), (text("userName").unwrap(), text("title"), version(user)))
            })
            .collect();
        prop_assert_eq!(held, model.users);

        let groups = server.get("/Groups?count=200").json();
        let held: BTreeMap<String, (BTreeSet<String>, u64)> = groups["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| {
                let members = group["members"].as_array().cloned().unwrap_or_default();
                let members = members.iter().map(|member| member["value"].as_str().unwrap().to_owned());
                (group["id"].as_str().unwrap().to_owned(), (members.collect(), version(group)))
            })
            .collect();
        prop_assert_eq!(held, model.groups);
    }
}

fn version(resource: &Value) -> u64 {
    resource["meta"]["version"].as_str().unwrap().parse::<scim_core::Version>().unwrap().0
}
