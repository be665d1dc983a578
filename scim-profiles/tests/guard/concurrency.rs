//! Many requests at the same time: no more are permitted than of the same one after the other.

use scim_core::MemoryStore;
use scim_core::store::StoreError;
use scim_core::testkit::{Call, Hooked, Hooks, wait_once};
use scim_profiles::guard::{Guards, MemoryLedger, Protected};
use serde_json::{Value, json};

use crate::incident_io;
use crate::server::{Server, ceiling};

/// A store that lets others go first before it answers, as a database may.
struct Slow;

impl Hooks for Slow {
    async fn before(&self, _: Call<'_>) -> Result<(), StoreError> {
        for _ in 0..20 {
            wait_once().await;
        }
        Ok(())
    }
}

fn over(store: MemoryStore) -> Hooked<MemoryStore, Slow> {
    Hooked { store, hooks: Slow }
}

fn slow(guards: Guards) -> Server {
    Server::of("generic", over(MemoryStore::new()), guards)
}

/// Sends all at once; how many were answered with each status.
async fn at_once(server: &Server, requests: Vec<(&'static str, String, Value)>) -> Vec<(u16, usize)> {
    let mut tasks = Vec::new();
    for (method, path, body) in requests {
        let server = server.clone();
        tasks.push(tokio::spawn(async move { server.send(method, &path, body).await.0 }));
    }
    let mut statuses = std::collections::BTreeMap::new();
    for task in tasks {
        *statuses.entry(task.await.unwrap()).or_insert(0) += 1;
    }
    statuses.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn as_many_are_deleted_as_may_be() {
    for guard in [ceiling().with_count(20), ceiling().with_share(20, 10).unwrap()] {
        let server = slow(Guards::new().with_deactivations(guard));
        let users = server.users(100).await;
        let delete = |id: &String| ("DELETE", format!("/Users/{id}"), Value::Null);
        let statuses = at_once(&server, users.iter().map(delete).collect()).await;
        assert_eq!(statuses, [(204, 20), (403, 80)], "{guard:?}");
        assert_eq!(server.get("/Users").await["totalResults"], 80);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn as_many_members_leave_as_may() {
    for guard in [ceiling().with_count(30), ceiling().with_share(30, 10).unwrap()] {
        let server = slow(Guards::new().with_member_removals(guard));
        let users = server.users(100).await;
        let group = server.group("g", &users).await;
        let pair = |pair: &[String]| {
            let members: Vec<Value> = pair.iter().map(|id| json!({"value": id})).collect();
            let body = crate::server::patch(json!([{"op": "remove", "path": "members", "value": members}]));
            ("PATCH", format!("/Groups/{group}"), body)
        };
        at_once(&server, users.chunks(2).map(pair).collect()).await;
        assert_eq!(server.members(&group).await.len(), 70, "{guard:?}");
    }
}

/// A protected group keeps somebody, whoever leaves it at the same time, and however.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_is_not_emptied_together() {
    for _ in 0..10 {
        let server = slow(Guards::new().with_protected(Protected::new().with_group("g")));
        let users = server.users(6).await;
        let group = server.group("g", &users).await;
        let mut requests = Vec::new();
        for (number, id) in users.iter().enumerate() {
            let out = json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]);
            requests.push(match number % 2 {
                0 => ("PATCH", format!("/Groups/{group}"), crate::server::patch(out)),
                _ => ("DELETE", format!("/Users/{id}"), Value::Null),
            });
        }
        let statuses = at_once(&server, requests).await;
        let left = server.members(&group).await.len();
        assert!(left >= 1, "{statuses:?}");
        // Of what was refused nothing was made.
        let made: usize = statuses.iter().filter(|(status, _)| *status < 300).map(|(_, number)| number).sum();
        assert_eq!(made + left, 6, "{statuses:?}");
    }
}

/// Two groups give the same role: nobody leaves both, at the same time and by whatever requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_role_is_not_lost_by_leaving_two_groups_together() {
    const PEOPLE: usize = 4;
    for guards in [
        Guards::new().with_role_downgrades(ceiling().with_count(0)),
        Guards::new().with_protected(Protected::new().with_role("admin")),
    ] {
        for round in 0..16 {
            let server = incident_io::server_over(over(MemoryStore::new()), guards.clone());
            let users = server.users(PEOPLE).await;
            let groups = [server.group("Admins", &users).await, server.group("Leads", &users).await];
            let mut requests = Vec::new();
            for (number, group) in groups.iter().enumerate() {
                let path = format!("/Groups/{group}");
                // Each way meets each other one.
                match (round / [1, 4][number]) % 4 {
                    0 => requests.extend(users.iter().map(|id| {
                        let out = json!([{"op": "remove", "path": "members", "value": [{"value": id}]}]);
                        ("PATCH", path.clone(), crate::server::patch(out))
                    })),
                    1 => requests.push(("DELETE", path, Value::Null)),
                    2 => {
                        let out = json!([{"op": "replace", "path": "members", "value": []}]);
                        requests.push(("PATCH", path, crate::server::patch(out)));
                    }
                    _ => {
                        let name = json!([{"op": "replace", "path": "displayName", "value": "Staff"}]);
                        requests.push(("PATCH", path, crate::server::patch(name)));
                    }
                }
            }
            let statuses = at_once(&server, requests).await;
            for user in &users {
                assert_eq!(incident_io::role(&server, user).await, "admin", "{round}: {statuses:?}");
            }
            // Nobody has to stay in both, and of what was refused nothing was made.
            assert!(statuses.iter().any(|(status, _)| *status < 300), "{round}: {statuses:?}");
            assert!(statuses.iter().all(|(status, _)| [200, 204, 403].contains(status)), "{statuses:?}");
        }
    }
}

/// The same by two servers over one store and one ledger: each takes everybody out of one of the groups.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_do_not_take_a_role_together() {
    let guards = Guards::new().with_protected(Protected::new().with_role("admin").with_group("Last"));
    for _ in 0..10 {
        let (store, ledger) = (MemoryStore::new(), MemoryLedger::new());
        let server = || incident_io::server_beside(over(store.clone()), guards.clone(), ledger.clone());
        let servers = [server(), server()];
        let users = servers[0].users(6).await;
        let groups = [servers[0].group("Admins", &users).await, servers[0].group("Leads", &users).await];
        let last = servers[0].group("Last", &users).await;
        let out = |group: &String, id: &String| {
            let out = json!([{"op": "remove", "path": "members", "value": [{"value": id}]}]);
            ("PATCH", format!("/Groups/{group}"), crate::server::patch(out))
        };
        let mut requests =
            [0, 1].map(|number: usize| users.iter().map(|id| out(&groups[number], id)).collect::<Vec<_>>());
        // And half of them from a group that may not be emptied.
        for (number, id) in users.iter().enumerate() {
            requests[number % 2].push(out(&last, id));
        }
        let [some, others] = requests;
        let (some, others) = tokio::join!(at_once(&servers[0], some), at_once(&servers[1], others));
        for user in &users {
            assert_eq!(incident_io::role(&servers[0], user).await, "admin", "{some:?} {others:?}");
        }
        assert_eq!(servers[1].members(&last).await.len(), 1, "{some:?} {others:?}");
        let refused: usize =
            [some, others].concat().iter().filter(|(status, _)| *status == 403).map(|(_, n)| n).sum();
        assert_eq!(refused, 7, "one of the two for each of the six, and the last of the group");
    }
}

/// Each of many people leaves one of two groups, and as many requests as there are people are refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn as_many_leave_as_have_the_role_otherwise() {
    let guards = Guards::new().with_role_downgrades(ceiling().with_count(3));
    let server = incident_io::server_over(over(MemoryStore::new()), guards);
    let users = server.users(20).await;
    let groups = [server.group("Admins", &users).await, server.group("Leads", &users).await];
    let leave = |id: &String, group: &String| {
        let out = json!([{"op": "remove", "path": "members", "value": [{"value": id}]}]);
        ("PATCH", format!("/Groups/{group}"), crate::server::patch(out))
    };
    let (some, others) = users.split_at(10);
    let mut requests: Vec<_> = some.iter().map(|id| leave(id, &groups[0])).collect();
    requests.extend(others.iter().map(|id| leave(id, &groups[1])));
    requests.extend(others.iter().map(|id| leave(id, &groups[0])));
    requests.extend(some.iter().map(|id| leave(id, &groups[1])));
    assert_eq!(at_once(&server, requests).await, [(200, 23), (403, 17)]);
    let mut admins = 0;
    for user in &users {
        admins += usize::from(incident_io::role(&server, user).await == "admin");
    }
    assert_eq!(admins, 17);
}
