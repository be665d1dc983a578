//! Licences beside a simple count.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Create { name: usize, role: Option<&'static str>, license: Option<&'static str> },
    Role { name: usize, role: &'static str, put: bool },
    License { name: usize, license: &'static str },
    RemoveLicense { name: usize },
    Delete { name: usize, by_deactivation: bool },
}

const NAMES: usize = 5;
const LIST: [(&str, LicenseGroup); 3] =
    [("F1", LicenseGroup::FullUser), ("F2", LicenseGroup::FullUser), ("S", LicenseGroup::Stakeholder)];

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES;
    let role =
        prop::sample::select(vec!["user", "admin", "observer", "read_only_user", "read_only_limited_user"]);
    let license = prop::sample::select(vec!["F1", "F2", "S", "P0"]);
    prop_oneof![
        4 => (name.clone(), prop::option::of(role.clone()), prop::option::of(license.clone()))
            .prop_map(|(name, role, license)| Step::Create { name, role, license }),
        4 => (name.clone(), role, any::<bool>()).prop_map(|(name, role, put)| Step::Role { name, role, put }),
        2 => (name.clone(), license).prop_map(|(name, license)| Step::License { name, license }),
        1 => name.clone().prop_map(|name| Step::RemoveLicense { name }),
        2 => (name, any::<bool>()).prop_map(|(name, by)| Step::Delete { name, by_deactivation: by }),
    ]
}

/// The account as a table: who has which role and licence.
struct Model {
    limits: [Option<u32>; 3],
    users: BTreeMap<usize, (&'static str, &'static str)>,
}

impl Model {
    fn group(role: &str) -> LicenseGroup {
        pagerduty::role(role).unwrap().license_group
    }

    fn has_room(&self, license: &str) -> bool {
        let place = LIST.iter().position(|(id, _)| *id == license).unwrap();
        let taken = self.users.values().filter(|(_, held)| *held == license).count();
        self.limits[place].is_none_or(|limit| taken < limit as usize)
    }

    /// The licence that somebody with `role` gets who asks for `named` and has none that stays.
    fn grant(&self, role: &str, named: Option<&'static str>) -> Option<&'static str> {
        let group = Self::group(role);
        let fits = |(id, of): &&(&'static str, LicenseGroup)| {
            *of == group && named.is_none_or(|named| named == *id) && self.has_room(id)
        };
        LIST.iter().find(fits).map(|(id, _)| *id)
    }

    /// Whether the step succeeds.
    fn make(&mut self, step: &Step) -> bool {
        match *step {
            Step::Create { name, role, license } => {
                let role = role.unwrap_or("user");
                let granted = self.grant(role, license).filter(|_| !self.users.contains_key(&name));
                granted.is_some_and(|license| self.users.insert(name, (role, license)).is_none())
            }
            Step::Role { name, role, .. } => {
                let Some((_, held)) = self.users.get(&name).copied() else { return false };
                let stays = LIST.contains(&(held, Self::group(role)));
                let license = if stays { Some(held) } else { self.grant(role, None) };
                license.is_some_and(|license| self.users.insert(name, (role, license)).is_some())
            }
            Step::License { name, license } => {
                let Some((role, held)) = self.users.get(&name).copied() else { return false };
                // What is not for the role is passed over by who has one that is, as everybody here has.
                let is_of_another = LIST.iter().any(|(id, of)| *id == license && *of != Self::group(role));
                let stays = held == license || is_of_another;
                let granted = if stays { Some(held) } else { self.grant(role, Some(license)) };
                granted.is_some_and(|license| self.users.insert(name, (role, license)).is_some())
            }
            Step::RemoveLicense { name } => self.users.contains_key(&name),
            Step::Delete { name, .. } => self.users.remove(&name).is_some(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked for in whatever order, every user has the licence a simple count says, no licence
    /// has more users than allocations, and what is refused changes nothing.
    #[test]
    fn licences_are_those_of_a_simple_count(
        limits in prop::array::uniform3(prop::option::weighted(0.9, 0u32..3)),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let list = LIST.iter().zip(limits).map(|((id, group), limit)| {
            json!({"id": id, "role_group": group.as_str(), "allocations_available": limit})
        });
        let pagerduty = PagerDuty::default().with_licenses(licenses(list.collect()));
        let (store, mut model) = (MemoryStore::new(), Model { limits, users: BTreeMap::new() });
        let service = account(&store, pagerduty);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut ids: BTreeMap<usize, String> = BTreeMap::new();
        for step in &steps {
            let before = runtime.block_on(stored(&store, "acme"));
            let path = |name: &usize| format!("/Users/{}", ids.get(name).map_or("none", String::as_str));
            let (status, answer) = runtime.block_on(async {
                match step {
                    Step::Create { name, role, license } => {
                        let body = user(&format!("u{name}"), *role, *license);
                        send(&service, "POST", "/Users", Some(body)).await
                    }
                    Step::Role { name, role, put: false } => {
                        send(&service, "PATCH", &path(name), Some(patch("roles", role))).await
                    }
                    Step::Role { name, role, put: true } => {
                        // The whole user as read, its licence too.
                        let (_, mut user) = send(&service, "GET", &path(name), None).await;
                        user["roles"] = json!([{"value": role, "type": "base"}]);
                        send(&service, "PUT", &path(name), Some(user)).await
                    }
                    Step::License { name, license } => {
                        send(&service, "PATCH", &path(name), Some(patch("entitlements", license))).await
                    }
                    Step::RemoveLicense { name } => {
                        let remove = json!([{"op": "remove", "path": "entitlements"}]);
                        let body = json!({"schemas": [PATCH_OP], "Operations": remove});
                        send(&service, "PATCH", &path(name), Some(body)).await
                    }
                    Step::Delete { name, by_deactivation: false } => {
                        send(&service, "DELETE", &path(name), None).await
                    }
                    Step::Delete { name, by_deactivation: true } => {
                        let off = json!([{"op": "replace", "value": {"active": false}}]);
                        let body = json!({"schemas": [PATCH_OP], "Operations": off});
                        send(&service, "PATCH", &path(name), Some(body)).await
                    }
                }
            });
            prop_assert!([200, 201, 204, 400, 404].contains(&status), "{status} {answer}");
            prop_assert_eq!(model.make(step), status < 300, "{:?}: {} {}", step, status, answer);
            match step {
                Step::Create { name, .. } if status == 201 => {
                    ids.insert(*name, answer["id"].as_str().unwrap().to_owned());
                }
                Step::Delete { name, .. } if status == 204 => drop(ids.remove(name)),
                _ => {}
            }
            let after = runtime.block_on(stored(&store, "acme"));
            if status >= 300 {
                prop_assert_eq!(&before, &after);
            }
            if matches!(status, 200 | 201) {
                prop_assert!(answer.get("licenseSeat").is_none());
                let stored = after.iter().find(|user| user["id"] == answer["id"]).unwrap();
                prop_assert_eq!(&stored["entitlements"], &answer["entitlements"], "what is answered is stored");
            }
            let held: BTreeMap<_, _> = model.users.iter().map(|(name, held)| (format!("u{name}@example.com"), *held)).collect();
            let found: BTreeMap<_, _> = after.iter().map(|user| {
                let name = user["userName"].as_str().unwrap().to_owned();
                (name, (user["roles"][0]["value"].as_str().unwrap(), license_of(user).unwrap()))
            }).collect();
            prop_assert_eq!(found, held);
            let counts = runtime.block_on(counts(&store, "acme"));
            for ((id, _), limit) in LIST.iter().zip(limits) {
                prop_assert!(limit.is_none_or(|limit| counts.get(*id).is_none_or(|n| *n <= limit as usize)));
            }
        }
    }
}
