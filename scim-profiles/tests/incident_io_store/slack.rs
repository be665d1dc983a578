//! Who is not assigned any more, and active in Slack or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use scim_core::store::{Modification, Modified, Scope, StoreError, StoreLayer, Terms};
use scim_core::{MemoryStore, Store as _, TenantId};
use scim_profiles::incident_io::{
    AccessStore, ActiveInSlack, EFFECTIVE_ACCESS, InSlack, Options, RoleMapping,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{PATCH_OP, Server, USER, mapping, service};

/// Ann is active in Slack, and nobody else.
fn server_of(mapping: RoleMapping) -> Server {
    Server::beside_slack(MemoryStore::new(), mapping, ann_is_in_slack(), 1)
}

fn ann_is_in_slack() -> ActiveInSlack {
    ["ANN@example.com"].into_iter().collect()
}

fn keeping() -> RoleMapping {
    let mut options = Options::default();
    options.in_slack = InSlack::Keep;
    mapping().with_options(options)
}

/// Sets `active` by a PATCH and returns the answer, which is what is there.
async fn assign(server: &Server, user: &str, active: bool) -> Value {
    let operation = json!({"op": "replace", "value": {"active": active}});
    let path = format!("/Users/{user}");
    let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
    let (status, answer) = server.send("PATCH", &path, body).await;
    assert_eq!((status, &answer["active"]), (200, &json!(active)), "{answer}");
    assert_eq!(server.send("GET", &path, Value::Null).await.1, answer);
    answer
}

fn is_active(user: &Value) -> bool {
    user[EFFECTIVE_ACCESS]["active"].as_bool().unwrap()
}

fn version(user: &Value) -> &str {
    user["meta"]["version"].as_str().unwrap()
}

#[tokio::test]
async fn who_is_active_in_slack_stays_active_when_unassigned() {
    let server = server_of(mapping());
    let (ann, bea) = (server.user("ann").await, server.user("bea").await);
    server.group("Platform", &[&ann, &bea]).await;
    server.group("SRE", &[&ann, &bea]).await;
    let (_, before) = server.send("GET", &format!("/Users/{ann}"), Value::Null).await;
    assert_eq!((version(&before), is_active(&before)), ("W/\"3\"", true));

    // `active`, the access and the version change in one write, and asking again is no change.
    let stays = assign(&server, &ann, false).await;
    assert_eq!((version(&stays), is_active(&stays)), ("W/\"4\"", true));
    assert_eq!(server.access(&ann).await, "standard responder held");
    assert_eq!(assign(&server, &ann, false).await, stays);

    // Whoever is not is inactive, with the roles there were.
    let goes = assign(&server, &bea, false).await;
    assert_eq!((version(&goes), is_active(&goes)), ("W/\"4\"", false));
    assert_eq!(server.access(&bea).await, "owner responder held");
}

/// Until somebody is assigned again groups give and take nothing; then they give what they give by now.
#[tokio::test]
async fn who_is_assigned_again_has_what_groups_give_by_then() {
    for mapping in [mapping(), keeping()] {
        let server = server_of(mapping);
        let (ann, bea) = (server.user("ann").await, server.user("bea").await);
        let platform = server.group("Platform", &[&ann, &bea]).await;
        let it = server.group("IT", &[]).await;
        let mut unassigned = Vec::new();
        for user in [&ann, &bea] {
            unassigned.push(assign(&server, user, false).await);
            server.leave(&platform, user).await;
            server.join(&it, user).await;
            let (_, still) = server.send("GET", &format!("/Users/{user}"), Value::Null).await;
            assert_eq!(still[EFFECTIVE_ACCESS], unassigned.last().unwrap()[EFFECTIVE_ACCESS]);
        }
        let tenant = TenantId::new("acme");
        assert_eq!(server.store.synchronise(&tenant).await.unwrap(), 0);
        for (user, unassigned) in [&ann, &bea].into_iter().zip(&unassigned) {
            let again = assign(&server, user, true).await;
            assert!(is_active(&again));
            assert_eq!(server.access(user).await, "standard responder none Security");
            assert_ne!(version(&again), version(unassigned));
        }
        assert_eq!(server.store.synchronise(&tenant).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn the_roles_stay_where_that_is_said() {
    let server = server_of(keeping());
    let ann = server.user("ann").await;
    server.group("Platform", &[&ann]).await;
    assert!(is_active(&assign(&server, &ann, false).await));
    assert_eq!(server.access(&ann).await, "owner responder none");
}

/// By a PUT as by a PATCH, whichever attribute goes with it.
#[tokio::test]
async fn a_put_does_the_same() {
    let server = server_of(mapping());
    let ann = server.user("ann").await;
    server.group("Platform", &[&ann]).await;
    let path = format!("/Users/{ann}");
    let put = |active: bool, title: &str| json!({"schemas": [USER], "userName": "ann@example.com", "title": title, "active": active});
    let (status, stays) = server.send("PUT", &path, put(false, "SRE")).await;
    assert_eq!((status, version(&stays), is_active(&stays)), (200, "W/\"3\"", true), "{stays}");
    assert_eq!((&stays["active"], &stays["title"]), (&json!(false), &json!("SRE")));
    assert_eq!(server.access(&ann).await, "standard responder none");
    assert_eq!(server.send("PUT", &path, put(false, "SRE")).await.1, stays);
    let (_, again) = server.send("PUT", &path, put(true, "SRE")).await;
    assert_eq!((version(&again), &again["active"]), ("W/\"4\"", &json!(true)));
    assert_eq!(server.access(&ann).await, "owner responder none");
    assert_eq!(server.send("GET", &path, Value::Null).await.1, again);
    // A version that is not there any more is no way around.
    let (service, body) = (&server.service, put(false, "SRE").to_string());
    let request = http::Request::put(format!("/scim/v2{path}")).header("authorization", "Bearer key");
    let stale = request.header("if-match", "W/\"3\"").body(body.into()).unwrap();
    assert_eq!(service.call(stale).await.status(), 412);
}

/// Slack knows people by the address that incident.io does.
#[tokio::test]
async fn the_address_decides() {
    let server = server_of(mapping());
    let emails = json!([{"value": "ann@example.com", "primary": true}, {"value": "x@example.com"}]);
    let user = json!({"schemas": [USER], "userName": "a1", "emails": emails});
    let ann = server.create("/Users", user).await;
    assert!(is_active(&assign(&server, &ann, false).await));
    let path = format!("/Users/{ann}");
    let moves = json!({"op": "replace", "path": "emails", "value": [{"value": "x@example.com"}]});
    server.patch(&path, moves).await;
    assert!(!is_active(&server.send("GET", &path, Value::Null).await.1));
    // Being active in Slack makes nobody active who was not.
    server.patch(&path, json!({"op": "replace", "path": "emails", "value": emails})).await;
    assert!(!is_active(&server.send("GET", &path, Value::Null).await.1));
    let never = json!({"schemas": [USER], "userName": "ANN@example.com", "active": false});
    let never = server.create("/Users", never).await;
    assert!(!is_active(&server.send("GET", &format!("/Users/{never}"), Value::Null).await.1));
}

/// Slack is read at start: who is not active there any more is deactivated then.
#[tokio::test]
async fn who_left_slack_is_deactivated_by_synchronising() {
    let store = MemoryStore::new();
    let server = Server::beside_slack(store.clone(), mapping(), ann_is_in_slack(), 1);
    let ann = server.user("ann").await;
    server.group("Platform", &[&ann]).await;
    assign(&server, &ann, false).await;
    let (tenant, path) = (TenantId::new("acme"), format!("/Users/{ann}"));
    for (slack, changed, active) in [
        (ann_is_in_slack(), 0, true),
        (ActiveInSlack::default(), 1, false),
        // Coming back to Slack is not being assigned.
        (ann_is_in_slack(), 0, false),
    ] {
        let server = Server::beside_slack(store.clone(), mapping(), slack, 1000);
        assert_eq!(server.store.synchronise(&tenant).await.unwrap(), changed);
        assert_eq!(is_active(&server.send("GET", &path, Value::Null).await.1), active);
    }
}

/// A deletion is one, wherever else the person is active.
#[tokio::test]
async fn who_is_deleted_is_gone() {
    let server = server_of(mapping());
    let ann = server.user("ann").await;
    let path = format!("/Users/{ann}");
    assert_eq!(server.send("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(server.send("GET", &path, Value::Null).await.0, 404);
}

/// A store that lets a write of a user wait for a word, once.
struct Gate {
    store: MemoryStore,
    waits: AtomicBool,
    reached: Notify,
    open: Notify,
}

struct Gated(Arc<Gate>);

impl StoreLayer for Gated {
    type Behind = MemoryStore;

    fn behind(&self) -> &MemoryStore {
        &self.0.store
    }

    async fn change(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        if scope.schema.name() == "User" && self.0.waits.swap(false, Ordering::SeqCst) {
            self.0.reached.notify_one();
            self.0.open.notified().await;
        }
        self.0.store.modify(scope, modification, terms).await
    }
}

/// A group that is pushed while somebody is being assigned again finds nobody assigned, and counts all the same.
#[tokio::test]
async fn a_group_that_comes_with_the_assignment_counts() {
    let store = MemoryStore::new();
    let server = Server::over(store.clone(), mapping(), 1);
    let ann = server.user("ann").await;
    let platform = server.group("Platform", &[]).await;
    assert!(!is_active(&assign(&server, &ann, false).await));
    let gate = Gate { store, waits: true.into(), reached: Notify::new(), open: Notify::new() };
    let gate = Arc::new(gate);
    let beside = AccessStore::new(Gated(Arc::clone(&gate)), mapping(), Arc::new(|| Timestamp::UNIX_EPOCH));
    let beside = service(beside, 1000);
    let body = json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": {"active": true}}]});
    let request = http::Request::patch(format!("/scim/v2/Users/{ann}")).header("authorization", "Bearer key");
    let request = request.body(body.to_string().into()).unwrap();
    let assigned = tokio::spawn(async move { beside.call(request).await });
    gate.reached.notified().await;
    server.join(&platform, &ann).await;
    assert_eq!(server.access(&ann).await, "standard none");
    gate.open.notify_one();
    let answer = assigned.await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(server.access(&ann).await, "owner responder none");
    let answer: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(answer, server.send("GET", &format!("/Users/{ann}"), Value::Null).await.1);
}
