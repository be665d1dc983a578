//! Random bulk requests against the plainest reading of the RFC: again and again, the first operation
//! all of whose references are settled; where there is none, a circle as a whole.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::{ENTERPRISE, GROUP, USER, patch};
use crate::support::{Server, server};

/// What an operation names: a resource there before, or what an operation of the request creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Old(usize),
    New(usize),
    /// What no operation creates.
    Undefined,
}

#[derive(Clone, Debug)]
enum Step {
    User { name: u8, manager: Option<Name> },
    Group { members: Vec<Name> },
    Rename { user: Name, name: u8 },
    Add { group: Name, members: Vec<Name> },
    Remove { group: Name, member: Name },
    PutGroup { group: Name, members: Vec<Name> },
    Delete { group: bool, name: Name },
}

/// Names as they are drawn, before it is known which operations there are.
#[derive(Clone, Debug)]
enum Draw {
    User(u8, Option<Index>),
    Group(Vec<Index>),
    Rename(Index, u8),
    Add(Index, Vec<Index>),
    Remove(Index, Index),
    PutGroup(Index, Vec<Index>),
    Delete(bool, Index),
}

fn draw() -> impl Strategy<Value = Draw> {
    let indices = || prop::collection::vec(any::<Index>(), 0..3);
    prop_oneof![
        4 => (0..9_u8, prop::option::of(any::<Index>())).prop_map(|(name, manager)| Draw::User(name, manager)),
        4 => indices().prop_map(Draw::Group),
        1 => (any::<Index>(), 0..9_u8).prop_map(|(user, name)| Draw::Rename(user, name)),
        2 => (any::<Index>(), indices()).prop_map(|(group, members)| Draw::Add(group, members)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(group, member)| Draw::Remove(group, member)),
        1 => (any::<Index>(), indices()).prop_map(|(group, members)| Draw::PutGroup(group, members)),
        1 => (any::<bool>(), any::<Index>()).prop_map(|(group, name)| Draw::Delete(group, name)),
    ]
}

/// Two users and two groups there before.
const OLD_USERS: [usize; 2] = [0, 1];
const OLD_GROUPS: [usize; 2] = [2, 3];

fn steps(draws: &[Draw]) -> Vec<Step> {
    let of = |group: bool| -> Vec<Name> {
        let old = if group { OLD_GROUPS } else { OLD_USERS };
        let new = draws.iter().enumerate().filter(|(_, draw)| match draw {
            Draw::User(..) => !group,
            Draw::Group(_) => group,
            _ => false,
        });
        old.map(Name::Old).into_iter().chain(new.map(|(index, _)| Name::New(index))).collect()
    };
    let (users, groups) = (of(false), of(true));
    let everyone: Vec<Name> = users.iter().chain(&groups).copied().collect();
    // Now and then, something that nobody creates.
    let one = |from: &[Name], index: &Index| match index.index(from.len() * 20) {
        0 => Name::Undefined,
        at => from[at % from.len()],
    };
    let many = |indices: &[Index]| indices.iter().map(|index| one(&everyone, index)).collect();
    let step = |draw: &Draw| match draw {
        Draw::User(name, manager) => {
            Step::User { name: *name, manager: manager.as_ref().map(|index| one(&everyone, index)) }
        }
        Draw::Group(members) => Step::Group { members: many(members) },
        Draw::Rename(user, name) => Step::Rename { user: one(&users, user), name: *name },
        Draw::Add(group, members) => Step::Add { group: one(&groups, group), members: many(members) },
        Draw::Remove(group, member) => {
            Step::Remove { group: one(&groups, group), member: one(&everyone, member) }
        }
        Draw::PutGroup(group, members) => {
            Step::PutGroup { group: one(&groups, group), members: many(members) }
        }
        Draw::Delete(group, name) => {
            Step::Delete { group: *group, name: one(if *group { &groups } else { &users }, name) }
        }
    };
    draws.iter().map(step).collect()
}

impl Step {
    fn creates(&self) -> bool {
        matches!(self, Self::User { .. } | Self::Group { .. })
    }

    /// What the data refers to.
    fn data(&self) -> Vec<Name> {
        match self {
            Self::User { manager, .. } => manager.iter().copied().collect(),
            Self::Group { members } | Self::Add { members, .. } | Self::PutGroup { members, .. } => {
                members.clone()
            }
            Self::Remove { member, .. } => vec![*member],
            Self::Rename { .. } | Self::Delete { .. } => Vec::new(),
        }
    }

    /// What the path names.
    fn target(&self) -> Option<Name> {
        match self {
            Self::User { .. } | Self::Group { .. } => None,
            Self::Rename { user: name, .. }
            | Self::Add { group: name, .. }
            | Self::Remove { group: name, .. }
            | Self::PutGroup { group: name, .. }
            | Self::Delete { name, .. } => Some(*name),
        }
    }

    fn operation(&self, index: usize) -> Value {
        let name = |name: Name| match name {
            Name::Old(number) => format!("id-{}", number + 1),
            Name::New(operation) => format!("bulkId:{operation}"),
            Name::Undefined => "bulkId:undefined".to_owned(),
        };
        let values = |names: &[Name]| names.iter().map(|of| json!({ "value": name(*of) })).collect::<Value>();
        let create = |path: &str, data: Value| json!({"method": "POST", "path": path, "bulkId": index.to_string(), "data": data});
        match self {
            Self::User { name: number, manager } => {
                let mut data = json!({"schemas": [USER], "userName": format!("user{number}")});
                if let Some(manager) = manager {
                    data[ENTERPRISE] = json!({"manager": {"value": name(*manager)}});
                }
                create("/Users", data)
            }
            Self::Group { members } => {
                create("/Groups", json!({"schemas": [GROUP], "displayName": "g", "members": values(members)}))
            }
            Self::Rename { user, name: number } => patch(
                &format!("/Users/{}", name(*user)),
                json!([{"op": "replace", "path": "userName", "value": format!("user{number}")}]),
            ),
            Self::Add { group, members } => patch(
                &format!("/Groups/{}", name(*group)),
                json!([{"op": "add", "path": "members", "value": values(members)}]),
            ),
            Self::Remove { group, member } => patch(
                &format!("/Groups/{}", name(*group)),
                json!([{"op": "remove", "path": "members", "value": values(&[*member])}]),
            ),
            Self::PutGroup { group, members } => json!({
                "method": "PUT", "path": format!("/Groups/{}", name(*group)),
                "data": {"schemas": [GROUP], "displayName": "g", "members": values(members)},
            }),
            Self::Delete { group, name: of } => {
                let endpoint = if *group { "Groups" } else { "Users" };
                json!({"method": "DELETE", "path": format!("/{endpoint}/{}", name(*of))})
            }
        }
    }
}

/// Users by name and manager, groups by members.
#[derive(Clone, Debug, PartialEq)]
struct Model {
    users: BTreeMap<Name, (u8, Option<Name>)>,
    groups: BTreeMap<Name, BTreeSet<Name>>,
    /// The operations that succeeded or failed.
    settled: BTreeMap<usize, bool>,
}

impl Model {
    fn run(steps: &[Step]) -> Self {
        let mut model = Self {
            users: OLD_USERS.map(|number| (Name::Old(number), (100 + number as u8, None))).into(),
            groups: OLD_GROUPS.map(|number| (Name::Old(number), BTreeSet::new())).into(),
            settled: BTreeMap::new(),
        };
        while model.settled.len() < steps.len() {
            let open = |index: &usize| !model.settled.contains_key(index);
            let next = (0..steps.len()).filter(open).find(|index| {
                circle(steps, *index).iter().all(|member| {
                    let around = circle(steps, *index);
                    waits_for(steps, *member).iter().all(|first| !open(first) || around.contains(first))
                })
            });
            let around = circle(steps, next.unwrap());
            let mut after = model.clone();
            // First all exist, then all refer to one another.
            for member in &around {
                match &steps[*member] {
                    Step::User { .. } => drop(after.users.insert(Name::New(*member), (255, None))),
                    Step::Group { .. } => drop(after.groups.insert(Name::New(*member), BTreeSet::new())),
                    _ => {}
                }
            }
            let made = around.iter().all(|member| after.make(steps, *member, &around));
            if made {
                model = after;
            }
            model.settled.extend(around.iter().map(|member| (*member, made)));
        }
        model
    }

    /// Whether the operation succeeds, in whose course those `around` it are created.
    fn make(&mut self, steps: &[Step], index: usize, around: &[usize]) -> bool {
        let step = &steps[index];
        let created = |name: &Name| match name {
            Name::Old(_) => true,
            Name::New(operation) => around.contains(operation) || self.settled.get(operation) == Some(&true),
            Name::Undefined => false,
        };
        let names: Vec<Name> = step.data().into_iter().chain(step.target()).collect();
        if !names.iter().all(created) {
            return false;
        }
        let there = |name: &Name| self.users.contains_key(name) || self.groups.contains_key(name);
        let own = Name::New(index);
        match step {
            Step::User { name, manager } => {
                let taken = self.users.iter().any(|(other, (taken, _))| *other != own && taken == name);
                self.users.insert(own, (*name, *manager));
                !taken
            }
            Step::Group { members } => {
                let known = members.iter().all(there);
                self.groups.insert(own, members.iter().copied().collect());
                known
            }
            Step::Rename { user, name } => {
                let taken = self.users.iter().any(|(other, (taken, _))| other != user && taken == name);
                match self.users.get_mut(user) {
                    Some(found) if !taken => found.0 = *name,
                    _ => return false,
                }
                true
            }
            Step::Add { group, members } => {
                let known = members.iter().all(there);
                match self.groups.get_mut(group) {
                    Some(before) if known => before.extend(members),
                    _ => return false,
                }
                true
            }
            Step::Remove { group, member } => {
                self.groups.get_mut(group).map(|members| members.remove(member)).is_some()
            }
            Step::PutGroup { group, members } => {
                // A PUT reads the members there are, and asks about new ones alone.
                let Some(before) = self.groups.get(group) else { return false };
                let known = members.iter().all(|member| there(member) || before.contains(member));
                if known {
                    self.groups.insert(*group, members.iter().copied().collect());
                }
                known
            }
            Step::Delete { group, name } => {
                let deleted = match group {
                    true => self.groups.remove(name).is_some(),
                    false => self.users.remove(name).is_some(),
                };
                if deleted {
                    self.groups.values_mut().for_each(|members| members.retain(|member| member != name));
                }
                deleted
            }
        }
    }
}

/// The operations that come before this one: those it refers to, and those before it on its target.
fn waits_for(steps: &[Step], index: usize) -> Vec<usize> {
    if refers_to_nothing(&steps[index]) {
        return Vec::new();
    }
    let names = steps[index].data().into_iter().chain(steps[index].target());
    let created = names.filter_map(|name| match name {
        Name::New(operation) => Some(operation),
        _ => None,
    });
    let same = |other: &usize| {
        let target = steps[index].target();
        target.is_some() && steps[*other].target() == target && !refers_to_nothing(&steps[*other])
    };
    created.chain((0..index).filter(same)).collect()
}

/// Refused before anything is made, whatever it waits for.
fn refers_to_nothing(step: &Step) -> bool {
    step.data().into_iter().chain(step.target()).any(|name| name == Name::Undefined)
}

/// The operation with those that it refers to and that refer to it, over any number of steps.
fn circle(steps: &[Step], index: usize) -> Vec<usize> {
    let reached = |from: usize| {
        let mut reached = BTreeSet::new();
        let mut left = vec![from];
        while let Some(at) = left.pop() {
            let refers = if steps[at].creates() { waits_for(steps, at) } else { Vec::new() };
            left.extend(refers.into_iter().filter(|to| reached.insert(*to)));
        }
        reached
    };
    let own = reached(index);
    (0..steps.len())
        .filter(|other| *other == index || (own.contains(other) && reached(*other).contains(&index)))
        .collect()
}

fn names_of(bulk: &super::Bulk, steps: &[Step]) -> BTreeMap<String, Name> {
    let old =
        OLD_USERS.iter().chain(&OLD_GROUPS).map(|number| (format!("id-{}", number + 1), Name::Old(*number)));
    let created =
        (0..steps.len()).filter(|index| steps[*index].creates() && bulk.results[*index]["status"] == "201");
    old.chain(created.map(|index| (bulk.id(index), Name::New(index)))).collect()
}

fn list(server: &Server, endpoint: &str) -> Vec<Value> {
    let list = server.get(&format!("{endpoint}?count=200")).json();
    list["Resources"].as_array().unwrap().clone()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_end_is_that_of_one_request_after_the_other(draws in prop::collection::vec(draw(), 1..14)) {
        let steps = steps(&draws);
        let server = server();
        for number in OLD_USERS {
            server.user(&format!("user{}", 100 + number));
        }
        for _ in OLD_GROUPS {
            server.group("g", &[]);
        }
        let bulk = server.bulk(steps.iter().enumerate().map(|(index, step)| step.operation(index)).collect());
        let model = Model::run(&steps);

        let succeeded = |index: usize| bulk.results[index]["status"].as_str().unwrap().starts_with('2');
        for (index, made) in &model.settled {
            prop_assert_eq!(succeeded(*index), *made, "{}: {:?}: {}", index, steps, bulk.answer.text);
        }
        let names = names_of(&bulk, &steps);
        let users: BTreeMap<Name, (u8, Option<Name>)> = list(&server, "/Users")
            .iter()
            .map(|user| {
                let manager = user[ENTERPRISE]["manager"]["value"].as_str().map(|id| names[id]);
                let number = user["userName"].as_str().unwrap().trim_start_matches("user").parse().unwrap();
                (names[user["id"].as_str().unwrap()], (number, manager))
            })
            .collect();
        prop_assert_eq!(&users, &model.users, "{:?}", steps);
        let groups: BTreeMap<Name, BTreeSet<Name>> = list(&server, "/Groups")
            .iter()
            .map(|group| {
                let members = group["members"].as_array().cloned().unwrap_or_default();
                let members = members.iter().map(|member| names[member["value"].as_str().unwrap()]);
                (names[group["id"].as_str().unwrap()], members.collect())
            })
            .collect();
        prop_assert_eq!(&groups, &model.groups, "{:?}", steps);
    }
}
