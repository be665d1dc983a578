//! Licences over the lives of users: beside a simple count, among concurrent requests, and for stores that
//! several servers share.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

#[path = "../counted/mod.rs"]
mod counted;
mod model;
mod repeated;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::query::Query;
use scim_core::store::{Scope, Store};
use scim_core::{CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId, Value as ScimValue};
use scim_profiles::pagerduty::{
    self, AccountStore, LicenseGroup, Licenses, Offboarding, PROFILE, PagerDuty, PagerDutyOptions,
    Reassignment,
};
use serde_json::{Value, json};

use counted::Counted;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

type Account<S = MemoryStore> = Service<AccountStore<S>, StaticTokens, PagerDuty>;

fn account<S: Store + Clone>(store: &S, pagerduty: PagerDuty) -> Account<S> {
    static IDS: AtomicU64 = AtomicU64::new(1);
    let principal =
        |tenant: &str| Principal { tenant: TenantId::new(tenant), credential: CredentialId::new(tenant) };
    let tokens = StaticTokens::new()
        .with(Secret::new("acme").unwrap(), principal("acme"))
        .with(Secret::new("other").unwrap(), principal("other"));
    let environment = Environment::new(
        || "2026-02-02T02:02:02Z".parse().unwrap(),
        || {
            let mut random = [0; 16];
            random[..8].copy_from_slice(&IDS.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            pagerduty::new_id(random)
        },
    );
    let config = pagerduty::config("https://scim.example.com/scim/v2".parse().unwrap());
    let store = AccountStore::new(store.clone(), pagerduty.clone());
    Service::new(store, tokens, config, environment).with_policy(pagerduty)
}

fn licenses(list: Value) -> Licenses {
    Licenses::parse(&ScimValue::from(list)).unwrap()
}

fn full_and_stakeholder(full: Option<u32>, stakeholder: Option<u32>) -> PagerDuty {
    PagerDuty::default().with_licenses(licenses(json!([
        {"id": "F", "role_group": "FullUser", "allocations_available": full},
        {"id": "S", "role_group": "Stakeholder", "allocations_available": stakeholder},
    ])))
}

async fn send_as<S: Store>(
    service: &Account<S>,
    tenant: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let request = http::Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header("authorization", format!("Bearer {tenant}"))
        .body(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default());
    let response = service.call(request.unwrap()).await;
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
}

async fn send<S: Store>(service: &Account<S>, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    send_as(service, "acme", method, path, body).await
}

fn user(name: &str, role: Option<&str>, license: Option<&str>) -> Value {
    let mut user = json!({"schemas": [USER], "userName": format!("{name}@example.com"), "displayName": name});
    if let Some(role) = role {
        user["roles"] = json!([{"value": role, "type": "base"}]);
    }
    if let Some(license) = license {
        user["entitlements"] = json!([{"value": license, "type": "license"}]);
    }
    user
}

fn patch(attribute: &str, value: &str) -> Value {
    let kind = if attribute == "roles" { "base" } else { "license" };
    let value = json!([{"value": value, "type": kind}]);
    json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": attribute, "value": value}]})
}

fn license_of(user: &Value) -> Option<&str> {
    user["entitlements"][0]["value"].as_str()
}

/// The users as the store has them.
async fn stored(store: &MemoryStore, tenant: &str) -> Vec<Value> {
    let (tenant, schema) = (TenantId::new(tenant), PROFILE.registry().by_name("User").unwrap());
    let query = Query { count: 100_000, ..Query::default() };
    let users = store.query(Scope { tenant: &tenant, schema }, &query).await.unwrap().resources;
    users.into_iter().map(|user| Value::from(user.0)).collect()
}

/// How many users have each licence; no two have one number of it.
async fn counts(store: &MemoryStore, tenant: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut seats = std::collections::BTreeSet::new();
    for user in stored(store, tenant).await {
        if let Some(license) = license_of(&user) {
            *counts.entry(license.to_owned()).or_default() += 1;
        }
        if let Some(seat) = user["licenseSeat"].as_str() {
            assert!(seats.insert(seat.to_owned()), "{seat} twice");
            assert_eq!(seat.split_once(':').unwrap().1, license_of(&user).unwrap());
        }
    }
    counts
}

/// Two servers over one store: what one of them believes of free numbers is not what the other does.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_creates_of_two_servers_take_no_more_than_there_are() {
    let store = MemoryStore::new();
    let servers = [full_and_stakeholder(Some(10), None), full_and_stakeholder(Some(10), None)];
    let servers = servers.map(|pagerduty| Arc::new(account(&store, pagerduty)));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..40 {
        let service = Arc::clone(&servers[number % 2]);
        tasks.spawn(async move {
            send(&service, "POST", "/Users", Some(user(&format!("u{number}"), Some("user"), None))).await
        });
    }
    let answers = tasks.join_all().await;
    let created = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(created, 10);
    for (status, answer) in answers.iter().filter(|(status, _)| *status != 201) {
        assert_eq!(*status, 400, "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains("License is not available"), "{answer}");
    }
    assert_eq!(counts(&store, "acme").await, BTreeMap::from([("F".to_owned(), 10)]));
    // Who was refused was refused for good reason; whoever is deleted makes room, at either server.
    let gone = answers.iter().find(|(status, _)| *status == 201).unwrap().1["id"].as_str().unwrap();
    assert_eq!(send(&servers[0], "DELETE", &format!("/Users/{gone}"), None).await.0, 204);
    for (number, expected) in [(100, 201), (101, 400)] {
        let body = user(&format!("u{number}"), Some("user"), None);
        assert_eq!(send(&servers[1], "POST", "/Users", Some(body)).await.0, expected);
    }
}

/// However many have the licence: a refusal is two calls, of which none hands out anybody who has it.
#[tokio::test]
async fn a_refusal_reads_nobody() {
    for holders in [2, 400] {
        let counted = Counted::new(MemoryStore::new());
        let service = account(&counted, full_and_stakeholder(Some(holders), None));
        for number in 0..holders {
            let body = user(&format!("u{number}"), Some("user"), None);
            assert_eq!(send(&service, "POST", "/Users", Some(body)).await.0, 201);
        }
        counted.take();
        for number in 0..3 {
            let body = user(&format!("late{number}"), Some("user"), Some("F"));
            let (status, answer) = send(&service, "POST", "/Users", Some(body)).await;
            assert_eq!(status, 400);
            assert!(answer["detail"].as_str().unwrap().contains("(license-exhausted)"), "{answer}");
            let counts = counted.take();
            assert_eq!((counts.rows, counts.calls), (0, BTreeMap::from([("query", 1)])), "{holders} holders");
        }
    }
}

/// However many have the licence: who comes for one who goes, or takes another licence, is given what they had without a
/// look at the others.
#[tokio::test]
async fn what_is_given_up_is_given_without_a_look_at_others() {
    for holders in [2, 400] {
        let counted = Counted::new(MemoryStore::new());
        let service = account(&counted, full_and_stakeholder(Some(holders), None));
        let mut ids = Vec::new();
        for number in 0..holders {
            let body = user(&format!("u{number}"), Some("user"), None);
            let (_, answer) = send(&service, "POST", "/Users", Some(body)).await;
            ids.push(answer["id"].as_str().unwrap().to_owned());
        }
        for (round, id) in ids.iter().take(2).enumerate() {
            let path = format!("/Users/{id}");
            let gives_up = match round {
                0 => send(&service, "DELETE", &path, None).await.0,
                _ => send(&service, "PATCH", &path, Some(patch("roles", "read_only_user"))).await.0,
            };
            assert_eq!(gives_up, [204, 200][round]);
            counted.take();
            let body = user(&format!("late{round}"), Some("user"), Some("F"));
            assert_eq!(send(&service, "POST", "/Users", Some(body)).await.0, 201);
            let counts = counted.take();
            assert!(!counts.calls.contains_key("query"), "{holders} holders: {counts:?}");
            let body = user("another", Some("user"), Some("F"));
            assert_eq!(send(&service, "POST", "/Users", Some(body)).await.0, 400);
        }
    }
}

/// Creates, changes of role and deletions at once: never too many, and nobody without a licence.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_changes_of_role_keep_the_counts() {
    let store = MemoryStore::new();
    let servers: Vec<_> =
        (0..2).map(|_| Arc::new(account(&store, full_and_stakeholder(Some(8), Some(6))))).collect();
    let mut ids = Vec::new();
    for number in 0..8 {
        let body = user(&format!("u{number}"), Some("user"), None);
        ids.push(send(&servers[0], "POST", "/Users", Some(body)).await.1["id"].as_str().unwrap().to_owned());
    }
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..64 {
        let service = Arc::clone(&servers[number % 2]);
        let path = format!("/Users/{}", ids[number % ids.len()]);
        tasks.spawn(async move {
            let role = if number / 8 % 2 == 0 { "read_only_user" } else { "user" };
            match number % 16 {
                15 => send(&service, "DELETE", &path, None).await.0,
                13 => {
                    send(&service, "POST", "/Users", Some(user(&format!("n{number}"), Some(role), None)))
                        .await
                        .0
                }
                _ => send(&service, "PATCH", &path, Some(patch("roles", role))).await.0,
            }
        });
    }
    for status in tasks.join_all().await {
        assert!([200, 201, 204, 400, 404].contains(&status), "{status}");
    }
    let counts = counts(&store, "acme").await;
    assert!(counts.get("F").is_none_or(|count| *count <= 8), "{counts:?}");
    assert!(counts.get("S").is_none_or(|count| *count <= 6), "{counts:?}");
    for user in stored(&store, "acme").await {
        let role = pagerduty::role(user["roles"][0]["value"].as_str().unwrap()).unwrap();
        let expected = if role.license_group == LicenseGroup::FullUser { "F" } else { "S" };
        assert_eq!(license_of(&user), Some(expected), "{user}");
    }
}

#[tokio::test]
async fn tenants_have_allocations_of_their_own() {
    let store = MemoryStore::new();
    let service = account(&store, full_and_stakeholder(Some(1), None));
    for tenant in ["acme", "other"] {
        for (name, expected) in [("a", 201), ("b", 400)] {
            let body = user(name, Some("user"), None);
            assert_eq!(send_as(&service, tenant, "POST", "/Users", Some(body)).await.0, expected);
        }
    }
}

/// Users from before the licences were counted have no number, and count all the same.
#[tokio::test]
async fn who_had_a_licence_before_it_was_counted_counts() {
    let store = MemoryStore::new();
    let uncounted = account(&store, PagerDuty::default());
    let mut ids = Vec::new();
    for number in 0..3 {
        let body = user(&format!("old{number}"), Some("user"), Some("F"));
        ids.push(send(&uncounted, "POST", "/Users", Some(body)).await.1["id"].as_str().unwrap().to_owned());
    }
    let bare = send(&uncounted, "POST", "/Users", Some(user("bare", Some("user"), None))).await.1;
    assert_eq!(license_of(&bare), None);

    let servers = [full_and_stakeholder(Some(4), None), full_and_stakeholder(Some(4), None)];
    let servers = servers.map(|pagerduty| account(&store, pagerduty));
    let create = async |server: usize, name: &str| {
        send(&servers[server], "POST", "/Users", Some(user(name, Some("user"), None))).await.0
    };
    assert_eq!(create(0, "a").await, 201);
    assert_eq!(create(1, "b").await, 400);
    assert_eq!(counts(&store, "acme").await["F"], 4);
    // One who has a licence changes within it, whether there is room or not; who has none is given none.
    let path = format!("/Users/{}", ids[0]);
    assert_eq!(send(&servers[0], "PATCH", &path, Some(patch("roles", "admin"))).await.0, 200);
    let path = format!("/Users/{}", bare["id"].as_str().unwrap());
    assert_eq!(send(&servers[0], "PATCH", &path, Some(patch("roles", "admin"))).await.0, 400);
    let title = json!([{"op": "replace", "path": "title", "value": "Engineer"}]);
    let title = json!({"schemas": [PATCH_OP], "Operations": title});
    assert_eq!(send(&servers[0], "PATCH", &path, Some(title)).await.0, 200);

    assert_eq!(send(&servers[0], "DELETE", &format!("/Users/{}", ids[1]), None).await.0, 204);
    assert_eq!(create(1, "b").await, 201);
    assert_eq!(create(0, "c").await, 400);
    assert_eq!(counts(&store, "acme").await["F"], 4);

    // With fewer allocations than users, as many have to go before anybody comes.
    let shrunk = account(&store, full_and_stakeholder(Some(2), None));
    for (gone, expected) in [(Some(&ids[0]), 400), (Some(&ids[2]), 400), (None, 400)] {
        if let Some(id) = gone {
            assert_eq!(send(&shrunk, "DELETE", &format!("/Users/{id}"), None).await.0, 204);
        }
        let body = user("d", Some("user"), None);
        assert_eq!(send(&shrunk, "POST", "/Users", Some(body)).await.0, expected, "{gone:?}");
    }
    let left = stored(&store, "acme").await;
    let left = left.iter().find(|user| user["userName"] == "a@example.com").unwrap();
    let path = format!("/Users/{}", left["id"].as_str().unwrap());
    assert_eq!(send(&shrunk, "DELETE", &path, None).await.0, 204);
    assert_eq!(send(&shrunk, "POST", "/Users", Some(user("d", Some("user"), None))).await.0, 201);
    assert_eq!(counts(&store, "acme").await["F"], 2);
}

/// A server that knows of free numbers what is long out of date finds one all the same.
#[tokio::test]
async fn what_another_server_took_and_freed_is_found_out() {
    let store = MemoryStore::new();
    let servers = [0, 1].map(|_| account(&store, full_and_stakeholder(Some(50), None)));
    let create = async |server: usize, name: String| {
        let (status, answer) =
            send(&servers[server], "POST", "/Users", Some(user(&name, Some("user"), None))).await;
        (status, answer["id"].as_str().map(str::to_owned))
    };
    assert_eq!(create(0, "first".to_owned()).await.0, 201);
    let mut others = Vec::new();
    for number in 0..49 {
        let (status, id) = create(1, format!("u{number}")).await;
        assert_eq!(status, 201);
        others.push(id.unwrap());
    }
    assert_eq!(create(0, "late".to_owned()).await.0, 400);
    assert_eq!(send(&servers[1], "DELETE", &format!("/Users/{}", others[25]), None).await.0, 204);
    assert_eq!(create(0, "late".to_owned()).await.0, 201);
    assert_eq!(counts(&store, "acme").await["F"], 50);
}

#[tokio::test]
async fn a_refused_write_gives_its_number_back() {
    let store = MemoryStore::new();
    let service = account(&store, full_and_stakeholder(Some(2), None));
    let create =
        async |name: &str| send(&service, "POST", "/Users", Some(user(name, Some("user"), None))).await.0;
    assert_eq!(create("a").await, 201);
    for _ in 0..5 {
        assert_eq!(create("a").await, 400, "the name is taken");
    }
    assert_eq!(create("b").await, 201);
    assert_eq!(create("c").await, 400);
}

#[tokio::test]
async fn the_number_is_nobodys_business() {
    let store = MemoryStore::new();
    let service = account(&store, full_and_stakeholder(Some(2), None));
    let mut body = user("a", Some("user"), None);
    body["licenseSeat"] = json!("7:F");
    let (status, created) = send(&service, "POST", "/Users", Some(body.clone())).await;
    assert_eq!((status, created.get("licenseSeat")), (201, None));
    assert_eq!(stored(&store, "acme").await[0]["licenseSeat"], "1:F");
    let path = format!("/Users/{}", created["id"].as_str().unwrap());
    assert_eq!(send(&service, "PUT", &path, Some(body)).await.0, 200);
    assert_eq!(stored(&store, "acme").await[0]["licenseSeat"], "1:F");
    let read = send(&service, "GET", &format!("{path}?attributes=licenseSeat"), None).await.1;
    assert_eq!(read.get("licenseSeat"), None);
    let filter = "/Users?filter=licenseSeat%20eq%20%221:F%22";
    assert!(send(&service, "GET", filter, None).await.0 >= 400);
    let schema = send(&service, "GET", &format!("/Schemas/{USER}"), None).await.1.to_string();
    assert!(!schema.contains("licenseSeat"), "{schema}");
    let described = scim_core::openapi::document(service.config()).to_string();
    assert!(!described.contains("licenseSeat"), "the description of the service");
}

/// The incidents of the deleted are reported once, after the deletion, and only where they are reassigned.
#[tokio::test]
async fn reassignments_are_told_after_the_deletion() {
    let told = Arc::new(Mutex::new(Vec::<Reassignment>::new()));
    for offboarding in [Offboarding::Fail, Offboarding::Reassign] {
        let mut options = PagerDutyOptions::default();
        options.offboarding = offboarding;
        let tell = Arc::clone(&told);
        let pagerduty = PagerDuty::new(options)
            .with_incidents(|user| match user.get("userName").and_then(|name| name.as_str()) {
                Some("alex@example.com") => vec!["Q1".to_owned(), "Q2".to_owned()],
                _ => Vec::new(),
            })
            .with_reassignment(move |reassignment| tell.lock().unwrap().push(reassignment.clone()));
        let service = account(&MemoryStore::new(), pagerduty.clone());
        let create = async |name: &str| {
            let body = user(name, None, None);
            send(&service, "POST", "/Users", Some(body)).await.1["id"].as_str().unwrap().to_owned()
        };
        let (alex, kim, lee) = (create("alex").await, create("kim").await, create("lee").await);
        pagerduty.hold_incident(ResourceId::new(lee.as_str()));
        let off = json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "active", "value": false}]});
        let delete = async |id: &str| send(&service, "DELETE", &format!("/Users/{id}"), None).await.0;
        assert_eq!(delete(&kim).await, 204);
        assert_eq!(told.lock().unwrap().as_slice(), []);
        if offboarding == Offboarding::Fail {
            assert_eq!(send(&service, "PATCH", &format!("/Users/{alex}"), Some(off)).await.0, 400);
            assert_eq!((delete(&alex).await, delete(&lee).await), (400, 400));
            assert_eq!(told.lock().unwrap().as_slice(), []);
            continue;
        }
        assert_eq!(send(&service, "PATCH", &format!("/Users/{alex}"), Some(off)).await.0, 204);
        assert_eq!((delete(&alex).await, delete(&lee).await, delete(&lee).await), (404, 204, 404));
        let told = told.lock().unwrap();
        let told: Vec<_> = told
            .iter()
            .map(|one| {
                (one.tenant.as_str(), one.user.as_str(), one.user_name.as_deref().unwrap(), &*one.incidents)
            })
            .collect();
        let (first, none) = (["Q1".to_owned(), "Q2".to_owned()], Vec::new());
        assert_eq!(
            told,
            [
                ("acme", alex.as_str(), "alex@example.com", &first[..]),
                ("acme", lee.as_str(), "lee@example.com", &none[..])
            ]
        );
        assert!(!pagerduty.holds_incident(&ResourceId::new(lee.as_str())));
    }
}

/// Who reads the log or the audit trail sees why a user has another licence than was sent.
#[tokio::test]
async fn a_licence_that_is_dropped_is_remarked_on() {
    let service = account(&MemoryStore::new(), full_and_stakeholder(Some(1), Some(1)));
    let created = send(&service, "POST", "/Users", Some(user("a", Some("user"), None))).await.1;
    let remarks = async |body: Value| {
        let request = http::Request::put(format!("/scim/v2/Users/{}", created["id"].as_str().unwrap()))
            .header("authorization", "Bearer acme")
            .body(Bytes::from(body.to_string()));
        let response = service.call(request.unwrap()).await;
        response.extensions().get::<scim_core::service::Outcome>().unwrap().remarks.clone()
    };
    let mut update = created.clone();
    update["displayName"] = json!("A");
    assert!(remarks(update.clone()).await.is_empty());
    update["roles"] = json!([{"value": "read_only_user", "type": "base"}]);
    assert_eq!(
        remarks(update.clone()).await,
        ["the licence `F` of the former role is dropped (stale-license)"]
    );
    assert_eq!(
        remarks(update.clone()).await,
        ["the licence `F` is not for the role `read_only_user`: `S` stays (stale-license)"]
    );
    update["active"] = json!(false);
    update["roles"] = json!([{"value": "user", "type": "base"}]);
    update["entitlements"] = json!([{"value": "S", "type": "license"}]);
    assert!(remarks(update).await.is_empty(), "who is deleted has no licence to drop");
}

mod contract {
    use super::*;

    /// Without licences, and for users without a role, it is the store it is made of.
    #[tokio::test]
    async fn the_laws_of_stores_hold() {
        scim_core::testkit::run(|| async {
            AccountStore::new(MemoryStore::new(), full_and_stakeholder(Some(3), None))
        })
        .await;
    }
}
