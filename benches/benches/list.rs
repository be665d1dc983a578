//! Lists over a store in memory, from request to response: what a page, a look-up by a unique
//! attribute, a scan and a membership check cost, and the same page without the service around it.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a measurement")]

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, Response};
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{Config, CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
use serde_json::{Value, json};

/// How many users there are: a company of some size.
const USERS: usize = 10_000;
/// How many of them the group has.
const MEMBERS: usize = 1_000;

type Server = Service<MemoryStore, StaticTokens>;

fn lists(criterion: &mut Criterion) {
    let server = server();
    let mut group = criterion.benchmark_group("list");
    for (name, path, total) in [
        // Test connection, look-up and reference check as identity providers send them.
        ("look-up by userName", "/Users?filter=userName+eq+%22user5000%40example.com%22", 1),
        ("look-up of nobody", "/Users?filter=userName+eq+%22nobody%22", 0),
        (
            "membership check",
            "/Groups?filter=id+eq+%2210001%22+and+members+eq+%22500%22&excludedAttributes=members",
            1,
        ),
        ("first page of 100", "/Users?count=100", USERS),
        ("last page of 100", "/Users?startIndex=9901&count=100", USERS),
        ("total alone", "/Users?count=0", USERS),
        ("scan by externalId", "/Users?filter=externalId+eq+%22e5000%22", 1),
        (
            "scan of work e-mails",
            "/Users?filter=emails%5Btype+eq+%22work%22+and+value+ew+%2299%40example.com%22%5D&count=10",
            100,
        ),
    ] {
        let list = json(&send(&server, "GET", path, None));
        assert_eq!(list["totalResults"], total, "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| send(&server, "GET", black_box(path), None));
        });
    }
    group.finish();
}

fn groups(criterion: &mut Criterion) {
    let server = server();
    let list = json(&send(&server, "GET", "/Groups", None));
    let id = list["Resources"][0]["id"].as_str().unwrap().to_owned();
    let mut group = criterion.benchmark_group("group of 1,000");
    let (whole, without) = (format!("/Groups/{id}"), format!("/Groups/{id}?excludedAttributes=members"));
    assert_eq!(json(&send(&server, "GET", &whole, None))["members"].as_array().map(Vec::len), Some(MEMBERS));
    assert_eq!(json(&send(&server, "GET", &without, None)).get("members"), None);
    group.bench_function("read", |bencher| bencher.iter(|| send(&server, "GET", black_box(&whole), None)));
    group.bench_function("read without members", |bencher| {
        bencher.iter(|| send(&server, "GET", black_box(&without), None));
    });
    group.finish();
}

fn server() -> Server {
    let ids = AtomicU64::new(1);
    let environment = Environment::new(
        || jiff::Timestamp::UNIX_EPOCH,
        move || ResourceId::new(ids.fetch_add(1, Ordering::Relaxed).to_string()),
    );
    let principal = Principal { tenant: TenantId::new("bench"), credential: CredentialId::new("bench") };
    let tokens = StaticTokens::new().with(Secret::new("token").unwrap(), principal);
    let config = Config::new("https://scim.example.com".parse().unwrap());
    let server = Service::new(MemoryStore::new(), tokens, config, environment);
    for index in 0..USERS {
        let email = format!("user{index}@example.com");
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": email,
            "externalId": format!("e{index}"),
            "name": {"givenName": "User", "familyName": format!("Number {index}")},
            "displayName": format!("User Number {index}"),
            "active": true,
            "emails": [{"value": email, "type": "work", "primary": true}],
        });
        assert_eq!(send(&server, "POST", "/Users", Some(user)).status(), 201);
    }
    let members: Vec<Value> = (1..=MEMBERS).map(|id| json!({"value": id.to_string()})).collect();
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Everyone",
        "members": members,
    });
    assert_eq!(send(&server, "POST", "/Groups", Some(group)).status(), 201);
    server
}

fn send(server: &Server, method: &str, path: &str, body: Option<Value>) -> Response<Bytes> {
    let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", "Bearer token")
        .header("content-type", "application/scim+json")
        .body(body)
        .unwrap();
    match pin!(server.call(request)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => response,
        Poll::Pending => panic!("a store in memory waits for nothing"),
    }
}

fn json(response: &Response<Bytes>) -> Value {
    assert_eq!(response.status(), 200);
    serde_json::from_slice(response.body()).unwrap()
}

criterion_group!(benches, lists, groups);
criterion_main!(benches);
