//! What a PATCH that names one member allocates, by a counting allocator: the same whatever the size of the group.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use bytes::Bytes;
use http::{Request, StatusCode};
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::schema::{Registry, builtin};
use scim_core::store::Scope;
use scim_core::{
    Config, CredentialId, Environment, MemoryStore, Resource, ResourceId, Service, Store, TenantId, Value,
};
use serde_json::json;

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a store in memory does not wait"),
    }
}

fn key(number: usize) -> String {
    format!("2819c223-7f76-453a-919d-{number:012}")
}

/// A service with a group of so many members.
fn service(members: usize) -> Service<MemoryStore, StaticTokens> {
    let tenant = TenantId::new("acme");
    let members: Vec<_> = (0..members).map(|number| json!({"value": key(number), "type": "User"})).collect();
    let Value::Object(group) = Value::from(json!({
        "schemas": [builtin::GROUP], "id": "g", "displayName": "Everyone", "members": members,
        "meta": {"resourceType": "Group", "version": "W/\"1\""},
    })) else {
        panic!("a group is an object");
    };
    let (store, registry) = (MemoryStore::new(), Registry::standard());
    let scope = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
    ready(store.create(scope, &Resource(group), &[])).unwrap();
    let principal = Principal { tenant, credential: CredentialId::new("token") };
    let tokens = StaticTokens::new().with(Secret::new("token").unwrap(), principal);
    let environment = Environment::new(|| jiff::Timestamp::UNIX_EPOCH, || ResourceId::new("new"));
    Service::new(store, tokens, Config::new("https://example.com/scim".parse().unwrap()), environment)
}

fn request(operation: &serde_json::Value) -> Request<Bytes> {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation],
    });
    Request::patch("/scim/Groups/g?excludedAttributes=members")
        .header("authorization", "Bearer token")
        .body(Bytes::from(body.to_string()))
        .unwrap()
}

/// How often, and how many bytes, a request allocates that changes the group.
fn allocated(service: &Service<MemoryStore, StaticTokens>, operation: &serde_json::Value) -> (u64, u64) {
    let request = request(operation);
    let mut status = StatusCode::IM_A_TEAPOT;
    let counted = measure(|| status = ready(service.call(request)).status());
    assert_eq!(status, 200, "{operation}");
    (counted.count_total, counted.bytes_total)
}

#[test]
fn a_patch_that_names_one_member_allocates_the_same_in_any_group() {
    let sizes = [1_000, 50_000].map(service);
    // `display` is immutable, so each request names another member.
    let mut others = 1..;
    for path in ["members[value eq \"$\"].display", "members[value eq \"$\" and type eq \"User\"].display"] {
        for op in ["add", "replace"] {
            let named = |number: usize, display: &str| json!({"op": op, "path": path.replace('$', &key(number)), "value": display});
            let (first, next) = (others.next().unwrap(), others.next().unwrap());
            let [few, many] = sizes.each_ref().map(|service| {
                // What is made once is not counted.
                allocated(service, &named(first, "Ann"));
                allocated(service, &named(next, "Bob"))
            });
            assert_eq!(few, many, "{op} {path}: how often, and how many bytes");
        }
    }
    for (number, service) in sizes.iter().enumerate() {
        let changed = ready(
            service.call(
                Request::get("/scim/Groups?filter=members[display%20eq%20%22Bob%22]&attributes=id")
                    .header("authorization", "Bearer token")
                    .body(Bytes::new())
                    .unwrap(),
            ),
        );
        let body: serde_json::Value = serde_json::from_slice(&changed.into_body()).unwrap();
        assert_eq!(body["totalResults"], 1, "{number}: {body}");
    }
}
