//! Random requests beside a plain model: every event with its time, counted anew each time.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use scim_profiles::guard::Guards;
use serde_json::{Value, json};

use crate::server::{Server, USER, ceiling};

/// A window, in seconds, and a sixtieth of it.
const WINDOW: i64 = 3600;
const STEP: i64 = 60;
const USERS: usize = 12;
const GROUPS: usize = 2;

#[derive(Clone, Debug)]
enum Act {
    Wait(i64),
    SetActive(usize, bool),
    Delete(usize),
    SetRole(usize, bool),
    Leave(usize, Vec<usize>),
    Join(usize, Vec<usize>),
    Become(usize, Vec<usize>),
    Lift,
}

#[derive(Clone, Copy, Debug)]
struct Limit {
    count: Option<u64>,
    /// Percent and minimum.
    share: Option<(u8, u64)>,
}

/// Events under one name: when, how many, and the population if it was measured.
type Events = Vec<(i64, u64, Option<u64>)>;

#[derive(Default)]
struct Model {
    now: i64,
    lifted_until: i64,
    /// Active, and with the role.
    users: BTreeMap<usize, (bool, bool)>,
    groups: BTreeMap<usize, BTreeSet<usize>>,
    events: BTreeMap<String, Events>,
}

impl Model {
    /// Whether `amount` may go, by what went under `name` and still counts, and whether the population
    /// is measured for that.
    fn permits(&mut self, name: &str, amount: u64, population: u64, limit: Limit) -> (bool, bool) {
        let now = self.now;
        let events = self.events.entry(name.to_owned()).or_default();
        events.retain(|(time, ..)| time / STEP * STEP + STEP + WINDOW > now);
        let sum = amount + events.iter().map(|(_, amount, _)| amount).sum::<u64>();
        if limit.count.is_some_and(|count| sum > count) {
            return (false, false);
        }
        let Some((percent, minimum)) = limit.share else { return (true, false) };
        let within = |population: u64| sum * 100 <= u64::from(percent) * population;
        let known = events.iter().filter_map(|(.., population)| *population).max();
        if let Some(known) = known.filter(|known| *known >= minimum) {
            let lately = |(time, _, population): &(i64, u64, Option<u64>)| {
                time / STEP == now / STEP && population.is_some()
            };
            if within(known) || events.iter().any(lately) {
                return (within(known), false);
            }
        }
        let largest = known.unwrap_or(0).max(population);
        (largest < minimum || within(largest), true)
    }

    /// Takes note of all that goes, if all of it may; and of populations that were measured.
    fn goes(&mut self, losses: &[(String, u64, u64, Limit)]) -> bool {
        if self.now < self.lifted_until {
            return true;
        }
        let mut notes = Vec::new();
        let mut all = true;
        for (name, amount, population, limit) in losses.iter().filter(|(_, amount, ..)| *amount > 0) {
            let (permitted, measured) = self.permits(name, *amount, *population, *limit);
            notes.push((name.clone(), *amount, measured.then_some(*population)));
            all &= permitted;
            if !permitted {
                break;
            }
        }
        for (name, amount, measured) in notes {
            let amount = if all { amount } else { 0 };
            if all || measured.is_some() {
                self.events.entry(name).or_default().push((self.now, amount, measured));
            }
        }
        all
    }

    fn active(&self) -> u64 {
        self.users.values().filter(|(active, _)| *active).count() as u64
    }

    fn removal(&self, group: usize, amount: usize, limit: Limit) -> Vec<(String, u64, u64, Limit)> {
        let amount = amount as u64;
        let members = self.groups[&group].len() as u64;
        let (count, share) = (Limit { share: None, ..limit }, Limit { count: None, ..limit });
        vec![
            ("removals".to_owned(), amount, 0, count),
            (format!("removals of {group}"), amount, members, share),
        ]
    }
}

fn limit() -> impl Strategy<Value = Limit> {
    let share = prop::option::of((prop::sample::select(vec![0_u8, 10, 25, 33, 50, 100]), 0..12_u64));
    (prop::option::of(0..6_u64), share).prop_map(|(count, share)| Limit { count, share })
}

fn act() -> impl Strategy<Value = Act> {
    let some = || prop::collection::vec(0..USERS, 0..4);
    prop_oneof![
        2 => prop_oneof![Just(0), 1..200_i64, 1000..4000_i64].prop_map(Act::Wait),
        4 => (0..USERS, any::<bool>()).prop_map(|(user, active)| Act::SetActive(user, active)),
        1 => (0..USERS).prop_map(Act::Delete),
        2 => (0..USERS, any::<bool>()).prop_map(|(user, has)| Act::SetRole(user, has)),
        3 => (0..GROUPS, some()).prop_map(|(group, users)| Act::Leave(group, users)),
        3 => (0..GROUPS, some()).prop_map(|(group, users)| Act::Join(group, users)),
        1 => (0..GROUPS, some()).prop_map(|(group, users)| Act::Become(group, users)),
        1 => Just(Act::Lift),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// What the guards permit is what the model permits; what is refused changes nothing.
    #[test]
    fn the_model_agrees(limits in [limit(), limit(), limit()], acts in prop::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(limits, acts));
    }
}

async fn run([deactivations, downgrades, removals]: [Limit; 3], acts: Vec<Act>) {
    let ceiling = |limit: Limit| {
        let ceiling = limit.count.map_or(ceiling(), |count| ceiling().with_count(count));
        limit.share.map_or(ceiling, |(percent, minimum)| ceiling.with_share(percent, minimum).unwrap())
    };
    let guards = Guards::new()
        .with_deactivations(ceiling(deactivations))
        .with_role_downgrades(ceiling(downgrades))
        .with_member_removals(ceiling(removals));
    let server = Server::new(guards);
    let mut ids = Vec::new();
    let mut model = Model::default();
    for number in 0..USERS {
        let user =
            json!({"schemas": [USER], "userName": format!("u{number}"), "roles": [{"value": "admin"}]});
        ids.push(server.create("/Users", user).await);
        model.users.insert(number, (true, true));
    }
    let mut groups = Vec::new();
    for number in 0..GROUPS {
        groups.push(server.group(&format!("g{number}"), &ids).await);
        model.groups.insert(number, (0..USERS).collect());
    }
    for act in acts {
        let before = server.everything().await;
        let members = |users: &BTreeSet<usize>| {
            users.iter().map(|user| json!({"value": ids[*user]})).collect::<Vec<_>>()
        };
        let (permitted, request) = match act.clone() {
            Act::Wait(seconds) => {
                server.wait(seconds);
                model.now += seconds;
                continue;
            }
            Act::Lift => {
                server.lift(false).await;
                model.lifted_until = model.now + 600;
                continue;
            }
            Act::SetActive(user, active) => {
                let Some((was, _)) = model.users.get(&user).copied() else { continue };
                let loss =
                    ("deactivations".to_owned(), u64::from(was && !active), model.active(), deactivations);
                let permitted = model.goes(&[loss]);
                if permitted {
                    model.users.entry(user).and_modify(|(is, _)| *is = active);
                }
                let body = json!([{"op": "replace", "path": "active", "value": active}]);
                (permitted, ("PATCH", format!("/Users/{}", ids[user]), body))
            }
            Act::Delete(user) => {
                if !model.users.contains_key(&user) {
                    continue;
                }
                let permitted = model.goes(&[("deactivations".to_owned(), 1, model.active(), deactivations)]);
                if permitted {
                    model.users.remove(&user);
                    for members in model.groups.values_mut() {
                        members.remove(&user);
                    }
                }
                (permitted, ("DELETE", format!("/Users/{}", ids[user]), Value::Null))
            }
            Act::SetRole(user, has) => {
                let Some((_, had)) = model.users.get(&user).copied() else { continue };
                let loss = ("downgrades".to_owned(), u64::from(had && !has), model.active(), downgrades);
                let permitted = model.goes(&[loss]);
                if permitted {
                    model.users.entry(user).and_modify(|(_, role)| *role = has);
                }
                let roles = if has { json!([{"value": "admin"}]) } else { json!([]) };
                let body = json!([{"op": "replace", "path": "roles", "value": roles}]);
                (permitted, ("PATCH", format!("/Users/{}", ids[user]), body))
            }
            Act::Leave(group, users) => {
                let users: BTreeSet<usize> = users.into_iter().collect();
                let amount = model.groups[&group].intersection(&users).count();
                let permitted = model.goes(&model.removal(group, amount, removals));
                if permitted {
                    model.groups.get_mut(&group).unwrap().retain(|user| !users.contains(user));
                }
                let body = json!([{"op": "remove", "path": "members", "value": members(&users)}]);
                (permitted, ("PATCH", format!("/Groups/{}", groups[group]), body))
            }
            Act::Join(group, users) => {
                let users: BTreeSet<usize> =
                    users.into_iter().filter(|user| model.users.contains_key(user)).collect();
                model.groups.get_mut(&group).unwrap().extend(&users);
                let body = json!([{"op": "add", "path": "members", "value": members(&users)}]);
                (true, ("PATCH", format!("/Groups/{}", groups[group]), body))
            }
            Act::Become(group, users) => {
                let users: BTreeSet<usize> =
                    users.into_iter().filter(|user| model.users.contains_key(user)).collect();
                let amount = model.groups[&group].difference(&users).count();
                let permitted = model.goes(&model.removal(group, amount, removals));
                if permitted {
                    *model.groups.get_mut(&group).unwrap() = users.clone();
                }
                let body = json!([{"op": "replace", "path": "members", "value": members(&users)}]);
                (permitted, ("PATCH", format!("/Groups/{}", groups[group]), body))
            }
        };
        let (method, path, body) = request;
        let body = if body.is_null() { body } else { crate::server::patch(body) };
        let (status, answer) = server.send(method, &path, body).await;
        if permitted {
            assert!([200, 204].contains(&status), "{act:?}: {answer}");
        } else {
            assert_eq!(status, 403, "{act:?}: {answer}");
            assert_eq!(server.everything().await, before, "{act:?}");
        }
    }
    for (number, group) in groups.iter().enumerate() {
        let found: BTreeSet<String> = server.members(group).await.into_iter().collect();
        let expected: BTreeSet<String> =
            model.groups[&number].iter().map(|user| ids[*user].clone()).collect();
        assert_eq!(found, expected);
    }
}
