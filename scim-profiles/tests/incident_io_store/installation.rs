//! A directory that is pushed as a whole, beside the preview of an installation where nobody was before: whoever is
//! assigned has in the end what the preview says, whatever their addresses are and whatever comes first.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use scim_core::{MemoryStore, TenantId};
use scim_profiles::incident_io::{ActiveInSlack, Directory, Group, Person, Preview, Standing, Workspace};
use serde_json::{Value, json};

use super::pushes::{MAPPED, mapping, served, standing_of, synchronised};
use super::{PATCH_OP, Server, USER};

/// Where a person's e-mail address is, if they have one. One of the addresses is another's in another case.
#[derive(Clone, Copy, Debug)]
enum Address {
    None,
    Primary(&'static str),
    Work(&'static str),
    First(&'static str),
    Name,
}

fn address() -> impl Strategy<Value = Address> {
    let address = || select(&["a@x.example", "A@X.example", "b@x.example", "é@x.example", ""][..]);
    prop_oneof![
        Just(Address::None),
        address().prop_map(Address::Primary),
        address().prop_map(Address::Work),
        address().prop_map(Address::First),
        Just(Address::Name),
    ]
}

/// Everybody, by number, and the groups by name, of which no two are one without case: the server refuses that.
#[derive(Clone, Debug)]
struct Pushed {
    people: Vec<(Address, bool)>,
    groups: BTreeMap<&'static str, GroupOf>,
}

/// The people in a group, by number, and the groups in it, by name.
#[derive(Clone, Debug)]
struct GroupOf {
    people: Vec<usize>,
    groups: Vec<&'static str>,
    /// Whether the members come with the group, and not one by one.
    at_once: bool,
}

fn pushed() -> impl Strategy<Value = Pushed> {
    let name = || select(&MAPPED[..]).prop_filter("one in two cases", |name| *name != "G2");
    vec((address(), prop::bool::weighted(0.8)), 1..7).prop_flat_map(move |people| {
        let members = btree_set(0..people.len(), 0..=people.len());
        let group =
            (members, btree_set(name(), 0..2), any::<bool>()).prop_map(|(people, groups, at_once)| GroupOf {
                people: people.into_iter().collect(),
                groups: groups.into_iter().collect(),
                at_once,
            });
        btree_map(name(), group, 0..4).prop_map(move |groups| Pushed { people: people.clone(), groups })
    })
}

/// A request of the identity provider.
#[derive(Clone, Copy, Debug)]
enum Push {
    Person(usize),
    Group(&'static str),
    Member(&'static str, usize),
    Nested(&'static str, &'static str),
}

impl Pushed {
    /// The requests in any order in which whoever is named is there.
    fn requests(&self, keys: &[Index]) -> Vec<Push> {
        let (mut first, mut then) = (Vec::new(), Vec::new());
        first.extend((0..self.people.len()).map(Push::Person));
        for (name, group) in &self.groups {
            let requests = if group.at_once { &mut then } else { &mut first };
            requests.push(Push::Group(name));
        }
        shuffle(&mut first, keys);
        let one_by_one = self.groups.iter().filter(|(_, group)| !group.at_once);
        then.extend(
            one_by_one.flat_map(|(name, group)| group.people.iter().map(|one| Push::Member(name, *one))),
        );
        shuffle(&mut then, keys);
        let nested =
            self.groups.iter().flat_map(|(name, group)| group.groups.iter().map(|one| (*name, *one)));
        then.extend(
            nested
                .filter(|(_, one)| self.groups.contains_key(one))
                .map(|(name, one)| Push::Nested(name, one)),
        );
        first.extend(then);
        first
    }

    /// Sends them, and returns the directory that the server then has, as it answers.
    async fn push(&self, server: &Server, keys: &[Index]) -> Directory {
        let (mut people, mut groups) = (BTreeMap::new(), BTreeMap::new());
        for request in self.requests(keys) {
            match request {
                Push::Person(number) => {
                    let (address, active) = self.people[number];
                    let created = server.create("/Users", user(number, address, active)).await;
                    people.insert(number, created);
                }
                Push::Group(name) => {
                    let group = &self.groups[name];
                    let members = group.people.iter().filter(|_| group.at_once);
                    let members: Vec<&String> = members.map(|number| &people[number]).collect();
                    groups.insert(name, server.group(name, &members).await);
                }
                Push::Member(name, number) => server.join(&groups[name], &people[&number]).await,
                Push::Nested(name, inner) => {
                    let member = json!([{"value": groups[inner], "type": "Group"}]);
                    let operation = json!({"op": "add", "path": "members", "value": member});
                    let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
                    let path = format!("/Groups/{}", groups[name]);
                    let (status, answer) = server.send("PATCH", &path, body).await;
                    // A group in itself is refused, and gives nothing anyway.
                    assert!(status == 200 || name == inner, "{answer}");
                }
            }
        }
        directory_of(server).await
    }
}

fn shuffle<T>(items: &mut [T], keys: &[Index]) {
    for (place, key) in (1..items.len()).zip(keys.iter().cycle()) {
        items.swap(place, key.index(place + 1));
    }
}

fn user(number: usize, address: Address, active: bool) -> Value {
    let mut user = json!({"schemas": [USER], "userName": format!("p{number}"), "active": active});
    let home = json!({"value": format!("home{number}@x.example"), "type": "home"});
    match address {
        Address::None => {}
        Address::Primary(email) => user["emails"] = json!([home, {"value": email, "primary": true}]),
        Address::Work(email) => user["emails"] = json!([home, {"value": email, "type": "work"}]),
        Address::First(email) => user["emails"] = json!([{"value": email, "type": "other"}, home]),
        Address::Name => user["userName"] = json!(format!("p{number}@x.example")),
    }
    user
}

/// The people and groups that the server has.
async fn directory_of(server: &Server) -> Directory {
    let list = async |path: &str| -> Vec<scim_core::Value> {
        let (status, list) = server.send("GET", path, Value::Null).await;
        assert_eq!(status, 200, "{list}");
        let resources = list["Resources"].as_array().cloned().unwrap_or_default();
        resources.into_iter().map(scim_core::Value::from).collect()
    };
    let people = list("/Users").await;
    let people = people.iter().map(|user| Person::from_scim(user.as_object().unwrap()).unwrap()).collect();
    let groups = list("/Groups").await;
    let groups = groups.iter().map(|group| Group::from_scim(group.as_object().unwrap()).unwrap()).collect();
    Directory::new(people, groups).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 256 }))]

    #[test]
    fn what_was_pushed_is_what_the_preview_of_an_installation_says(
        mapping in mapping(),
        pushed in pushed(),
        keys in vec(any::<Index>(), 16),
        slack in vec(select(&["a@X.example", "p1@x.example", ""][..]), 0..3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let slack: ActiveInSlack = slack.into_iter().collect();
            let server = Server::beside_slack(MemoryStore::new(), mapping.clone(), slack.clone(), 1);
            let directory = pushed.push(&server, &keys).await;
            let (workspace, mut expected) =
                synchronised(Workspace::default(), &directory, &mapping, &slack);
            prop_assert!(Preview::new(&workspace, &directory, &mapping).is_empty());
            // Who was never assigned has no user, which the server shows as one that is not active.
            let nobody = Standing { active: false, ..Standing::default() };
            for person in directory.people().iter().filter(|person| !person.active) {
                prop_assert!(expected.insert(person.id.clone(), standing_of(&nobody)).is_none());
            }
            let ids: Vec<String> = directory.people().iter().map(|person| person.id.clone()).collect();
            prop_assert_eq!(served(&server, &ids).await, expected);
            prop_assert_eq!(server.store.synchronise(&TenantId::new("acme")).await.unwrap(), 0);
            Ok(())
        })?;
    }
}
