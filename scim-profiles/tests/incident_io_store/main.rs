//! Users' effective access behind SCIM: a service over [`AccessStore`].
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{CredentialId, Environment, MemoryStore, ResourceId, Service, Store, TenantId};
use scim_profiles::incident_io::{
    self, AccessStore, ActiveInSlack, BaseRole, EFFECTIVE_ACCESS, IncidentIo, MANAGE_SECURITY_SETTINGS,
    RoleMapping,
};
use serde_json::{Value, json};

use crate::counted::Counted;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

#[path = "../counted/mod.rs"]
mod counted;
mod installation;
mod pushes;
mod slack;

mod contract {
    use super::{AccessStore, Arc, MemoryStore, mapping};

    async fn new_store() -> AccessStore<MemoryStore> {
        AccessStore::new(MemoryStore::new(), mapping(), Arc::new(|| jiff::Timestamp::UNIX_EPOCH))
    }

    scim_core::store_contract!(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        new_store,
        |task| {
            let handle = tokio::spawn(task);
            Box::pin(async { handle.await.unwrap() })
        }
    );
}

fn mapping() -> RoleMapping {
    RoleMapping::new()
        .with_custom_role("Security", [MANAGE_SECURITY_SETTINGS])
        .unwrap()
        .with_base_role("Platform", BaseRole::Owner)
        .with_base_role("Incident Managers", BaseRole::Admin)
        .with_custom_role_of("IT", "Security")
        .unwrap()
        .with_on_call("SRE")
}

#[derive(Clone)]
struct Server {
    store: AccessStore<MemoryStore>,
    service: Arc<Service<AccessStore<MemoryStore>, StaticTokens, IncidentIo>>,
}

fn service<S: Store>(store: S, first_id: u64) -> Service<S, StaticTokens, IncidentIo> {
    let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("key") };
    let tokens = StaticTokens::new().with(Secret::new("key").unwrap(), principal);
    let count = AtomicU64::new(first_id);
    let environment = Environment::new(
        || "2026-02-02T02:02:02Z".parse().unwrap(),
        move || ResourceId::new(count.fetch_add(1, Ordering::Relaxed).to_string()),
    );
    let config = incident_io::config("https://scim.example.com/scim/v2".parse().unwrap());
    Service::new(store, tokens, config, environment).with_policy(IncidentIo)
}

impl Server {
    fn new() -> Self {
        Self::over(MemoryStore::new(), mapping(), 1)
    }

    fn over(store: MemoryStore, mapping: RoleMapping, first_id: u64) -> Self {
        Self::beside_slack(store, mapping, ActiveInSlack::default(), first_id)
    }

    fn beside_slack(store: MemoryStore, mapping: RoleMapping, slack: ActiveInSlack, first_id: u64) -> Self {
        let now = Arc::new(|| "2026-02-02T02:02:02Z".parse().unwrap());
        let store = AccessStore::new(store, mapping, now).with_active_in_slack(slack);
        let service = service(store.clone(), first_id);
        Self { store, service: Arc::new(service) }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", "Bearer key")
            .body(body)
            .unwrap();
        let response = self.service.call(request).await;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status().as_u16(), body)
    }

    async fn create(&self, path: &str, body: Value) -> String {
        let (status, body) = self.send("POST", path, body).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    async fn user(&self, name: &str) -> String {
        let user = json!({"schemas": [USER], "userName": format!("{name}@example.com")});
        self.create("/Users", user).await
    }

    async fn group(&self, name: &str, members: &[&String]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        self.create("/Groups", json!({"schemas": [GROUP], "displayName": name, "members": members})).await
    }

    async fn patch(&self, path: &str, operation: Value) {
        let (status, body) =
            self.send("PATCH", path, json!({"schemas": [PATCH_OP], "Operations": [operation]})).await;
        assert_eq!(status, 200, "{body}");
    }

    async fn join(&self, group: &str, user: &str) {
        let operation = json!({"op": "add", "path": "members", "value": [{"value": user}]});
        self.patch(&format!("/Groups/{group}"), operation).await;
    }

    async fn leave(&self, group: &str, user: &str) {
        let operation = json!({"op": "remove", "path": format!("members[value eq \"{user}\"]")});
        self.patch(&format!("/Groups/{group}"), operation).await;
    }

    /// `base role, responder's seat, on-call seat`, and the custom roles.
    async fn access(&self, user: &str) -> String {
        let (status, user) = self.send("GET", &format!("/Users/{user}"), Value::Null).await;
        assert_eq!(status, 200);
        assert!(user["schemas"].as_array().unwrap().contains(&EFFECTIVE_ACCESS.into()), "{user}");
        let access = &user[EFFECTIVE_ACCESS];
        let roles = access["customRoles"].as_array().into_iter().flatten().map(|role| role.as_str().unwrap());
        let mut words = vec![access["baseRole"].as_str().unwrap().to_owned()];
        words.extend(access["responderSeat"].as_bool().unwrap().then(|| "responder".to_owned()));
        words.push(access["onCallSeat"].as_str().unwrap().to_owned());
        words.extend(roles.map(str::to_owned));
        words.join(" ")
    }
}

#[tokio::test]
async fn a_new_user_is_a_standard_viewer_from_the_first_answer_on() {
    let server = Server::new();
    let user =
        json!({"schemas": [USER], "userName": "ann@example.com", EFFECTIVE_ACCESS: {"baseRole": "owner"}});
    let (status, body) = server.send("POST", "/Users", user).await;
    assert_eq!(status, 201);
    let expected =
        json!({"active": true, "baseRole": "standard", "responderSeat": false, "onCallSeat": "none"});
    assert_eq!(body[EFFECTIVE_ACCESS], expected);
    assert_eq!(server.access(body["id"].as_str().unwrap()).await, "standard none");
}

#[tokio::test]
async fn members_of_mapped_groups_have_what_these_give() {
    let server = Server::new();
    let (ann, bea) = (server.user("ann").await, server.user("bea").await);
    let managers = server.group("Incident Managers", &[&ann]).await;
    let it = server.group("IT", &[]).await;
    server.group("Engineers", &[&ann, &bea]).await;
    assert_eq!(server.access(&ann).await, "admin responder none");
    assert_eq!(server.access(&bea).await, "standard none");
    server.join(&it, &ann).await;
    assert_eq!(server.access(&ann).await, "admin responder none Security");
    let (_, user) = server.send("GET", &format!("/Users/{ann}"), Value::Null).await;
    assert_eq!(user[EFFECTIVE_ACCESS]["permissions"], json!([MANAGE_SECURITY_SETTINGS]));
    // The seat stays with who is no admin any more.
    server.leave(&managers, &ann).await;
    assert_eq!(server.access(&ann).await, "standard responder none Security");
    // Replaced members: some come, some go.
    let group = json!({"schemas": [GROUP], "displayName": "IT", "members": [{"value": bea}]});
    assert_eq!(server.send("PUT", &format!("/Groups/{it}"), group).await.0, 200);
    assert_eq!(server.access(&ann).await, "standard responder none");
    assert_eq!(server.access(&bea).await, "standard none Security");
    server
        .patch(
            &format!("/Groups/{it}"),
            json!({"op": "replace", "path": "members", "value": [{"value": ann}]}),
        )
        .await;
    assert_eq!(server.access(&bea).await, "standard none");
    assert_eq!(server.access(&ann).await, "standard responder none Security");
}

#[tokio::test]
async fn a_group_gives_by_the_name_it_has() {
    let server = Server::new();
    let ann = server.user("ann").await;
    let group = server.group("Managers", &[&ann]).await;
    let path = format!("/Groups/{group}");
    assert_eq!(server.access(&ann).await, "standard none");
    let rename = |name: &str| json!({"op": "replace", "value": {"displayName": name}});
    server.patch(&path, rename("Incident Managers")).await;
    assert_eq!(server.access(&ann).await, "admin responder none");
    server.patch(&path, rename("Platform")).await;
    assert_eq!(server.access(&ann).await, "owner responder none");
    // Two groups of one name could not be told apart.
    let twin = json!({"schemas": [GROUP], "displayName": "Platform"});
    assert_eq!(server.send("POST", "/Groups", twin).await.0, 409);
    assert_eq!(server.send("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(server.access(&ann).await, "standard responder none");
}

#[tokio::test]
async fn an_on_call_seat_stays_after_its_group() {
    let server = Server::new();
    let ann = server.user("ann").await;
    let sre = server.group("SRE", &[&ann]).await;
    assert_eq!(server.access(&ann).await, "standard managed");
    server.leave(&sre, &ann).await;
    assert_eq!(server.access(&ann).await, "standard held");
    server.join(&sre, &ann).await;
    assert_eq!(server.access(&ann).await, "standard managed");
}

#[tokio::test]
async fn clients_do_not_write_access_and_find_by_it() {
    let server = Server::new();
    let (ann, bea) = (server.user("ann").await, server.user("bea").await);
    server.group("Platform", &[&ann]).await;
    let path = format!("{EFFECTIVE_ACCESS}:baseRole");
    let operation = json!({"op": "replace", "path": path, "value": "owner"});
    let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
    let (status, error) = server.send("PATCH", &format!("/Users/{bea}"), body).await;
    assert_eq!((status, &error["scimType"]), (400, &json!("mutability")));
    let user =
        json!({"schemas": [USER], "userName": "ann@example.com", EFFECTIVE_ACCESS: {"baseRole": "admin"}});
    assert_eq!(server.send("PUT", &format!("/Users/{ann}"), user).await.0, 200);
    assert_eq!(server.access(&ann).await, "owner responder none");
    assert_eq!(server.access(&bea).await, "standard none");
    let filter = format!("/Users?filter={EFFECTIVE_ACCESS}:baseRole%20eq%20%22owner%22&attributes=userName");
    let (_, list) = server.send("GET", &filter, Value::Null).await;
    assert_eq!((&list["totalResults"], &list["Resources"][0]["id"]), (&json!(1), &json!(ann)));
    assert!(list["Resources"][0].get(EFFECTIVE_ACCESS).is_none());
}

#[tokio::test]
async fn another_mapping_takes_effect_by_synchronising() {
    let store = MemoryStore::new();
    let server = Server::over(store.clone(), mapping(), 1);
    let mut people = Vec::new();
    for number in 0..450 {
        people.push(server.user(&format!("p{number}")).await);
    }
    server.group("Engineers", &people.iter().skip(1).collect::<Vec<_>>()).await;
    server.group("Platform", &[&people[0]]).await;
    let other = RoleMapping::new().with_base_role("Engineers", BaseRole::Admin);
    let server = Server::over(store, other, 1000);
    let tenant = TenantId::new("acme");
    assert_eq!(server.store.synchronise(&tenant).await.unwrap(), 450);
    assert_eq!(server.access(&people[0]).await, "standard responder none");
    assert_eq!(server.access(&people[449]).await, "admin responder none");
    assert_eq!(server.store.synchronise(&tenant).await.unwrap(), 0);
    assert_eq!(server.store.synchronise(&TenantId::new("other")).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_joins_and_leaves_at_the_same_time_ends_with_what_the_groups_give() {
    let server = Server::new();
    let ann = server.user("ann").await;
    let names = ["Platform", "Incident Managers", "IT", "SRE"];
    let mut groups = Vec::new();
    for name in names {
        groups.push(server.group(name, &[]).await);
    }
    for round in 0..20 {
        let tasks: Vec<_> = groups
            .iter()
            .enumerate()
            .map(|(number, group)| {
                let (server, group, ann) = (server.clone(), group.clone(), ann.clone());
                tokio::spawn(async move {
                    server.join(&group, &ann).await;
                    if (number + round) % 2 == 0 {
                        server.leave(&group, &ann).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let expected = if round % 2 == 0 { ["admin", "managed", ""] } else { ["owner", "held", "Security"] };
        let access = server.access(&ann).await;
        for word in expected {
            assert!(access.contains(word), "{round}: {access}");
        }
        assert_eq!(access.contains("Security"), round % 2 == 1, "{round}: {access}");
        for group in &groups {
            server.leave(group, &ann).await;
        }
        assert_eq!(server.access(&ann).await, "standard responder held");
    }
}

/// Who has what their groups give is found out page by page, and costs no call of their own.
#[tokio::test]
async fn synchronising_asks_by_the_page() {
    let store = MemoryStore::new();
    let server = Server::over(store.clone(), mapping(), 1);
    let mut people = Vec::new();
    for number in 0..450 {
        people.push(server.user(&format!("p{number}")).await);
    }
    let everybody: Vec<&String> = people.iter().collect();
    server.group("Incident Managers", &everybody).await;
    server.group("Engineers", &everybody).await;
    let (tenant, now) = (TenantId::new("acme"), || Arc::new(|| jiff::Timestamp::UNIX_EPOCH));
    let calls = |pages: usize, memberships: usize, writes: usize| {
        let counted =
            [("query", pages), ("memberships", memberships + writes), ("read", writes), ("apply", writes)];
        counted.into_iter().filter(|(_, times)| *times > 0).collect::<BTreeMap<_, _>>()
    };
    for (tells_groups, asked_for_groups) in [(false, 3), (true, 0)] {
        let mut counted = Counted::new(store.clone());
        counted.tells_groups = tells_groups;
        let access = AccessStore::new(counted.clone(), mapping(), now());
        assert_eq!(access.synchronise(&tenant).await.unwrap(), 0);
        assert_eq!(counted.take().calls, calls(3, asked_for_groups, 0));
    }
    // Five are behind: written past the layer.
    let past = Server::over(store.clone(), RoleMapping::new(), 1000);
    let group = past.group("IT", &everybody[100..105]).await;
    let counted = Counted::new(store.clone());
    let access = AccessStore::new(counted.clone(), mapping(), now());
    assert_eq!(access.synchronise(&tenant).await.unwrap(), 5);
    assert_eq!(counted.take().calls, calls(3, 3, 5));
    assert_eq!(server.access(&people[100]).await, "admin responder none Security");
    assert_eq!(server.access(&people[99]).await, "admin responder none");
    past.leave(&group, &people[100]).await;
    assert_eq!(access.synchronise(&tenant).await.unwrap(), 1);
    assert_eq!(server.access(&people[100]).await, "admin responder none");
}

/// The group was written, and then the program ended: whoever is named when the same is asked for again
/// gets what was missed, and the others when all are looked at.
#[tokio::test]
async fn what_was_left_undone_is_made_up_for_by_asking_again() {
    let store = MemoryStore::new();
    let without = Server::over(store.clone(), RoleMapping::new(), 1);
    let ann = without.user("ann").await;
    let bea = without.user("bea").await;
    let group = without.group("Platform", &[&ann, &bea]).await;
    let path = format!("/Groups/{group}");
    let server = Server::over(store, mapping(), 1000);
    let (nothing, given, left) = ("standard none", "owner responder none", "standard responder none");
    assert_eq!(server.access(&ann).await, nothing);

    let members = |ids: &[&String]| ids.iter().map(|id| json!({"value": id})).collect::<Vec<_>>();
    let same = json!({"schemas": [GROUP], "displayName": "Platform", "members": members(&[&ann, &bea])});
    assert_eq!(server.send("PUT", &path, same).await.0, 200);
    server.patch(&path, json!({"op": "replace", "path": "displayName", "value": "Platform"})).await;
    assert_eq!([server.access(&ann).await, server.access(&bea).await], [nothing; 2]);
    server.join(&group, &ann).await;
    assert_eq!([server.access(&ann).await, server.access(&bea).await], [given, nothing]);
    let replace = |ids: &[&String]| json!({"op": "replace", "path": "members", "value": members(ids)});
    server.patch(&path, replace(&[&ann, &bea])).await;
    assert_eq!(server.access(&bea).await, given);

    without.leave(&group, &ann).await;
    server.patch(&path, replace(&[&bea])).await;
    assert_eq!(server.access(&ann).await, given);
    server.leave(&group, &ann).await;
    assert_eq!(server.access(&ann).await, left);

    assert_eq!(without.send("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(server.send("DELETE", &path, Value::Null).await.0, 404);
    assert_eq!(server.access(&bea).await, given);
    assert_eq!(server.store.synchronise(&TenantId::new("acme")).await.unwrap(), 1);
    assert_eq!([server.access(&ann).await, server.access(&bea).await], [left; 2]);
}
