//! PATCH messages U1a to U1e: what identity providers send, on a user and on a group of 100,000.
//!
//! `delta` reads the message and plans it without the members, which is all a store with rows for
//! members needs; `in memory` puts the change onto the loaded resource as well. As a test
//! (`cargo test --benches`) the group is small.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use scim_core::patch::{PatchOptions, PatchRequest};
use scim_core::schema::{Registry, ResourceSchema};
use scim_core::{Resource, Value};
use serde_json::{Value as Json, json};

/// How much there is of everything.
struct Scale {
    members: usize,
    touched: usize,
}

impl Scale {
    fn of_this_run() -> Self {
        let test = std::env::args().any(|argument| argument == "--test");
        if test { Self { members: 200, touched: 20 } } else { Self { members: 100_000, touched: 1000 } }
    }
}

fn group_messages(criterion: &mut Criterion) {
    let scale = Scale::of_this_run();
    let registry = Registry::standard();
    let groups = registry.by_name("Group").unwrap();
    let everyone = group(scale.members);
    let mut unloaded = everyone.clone();
    unloaded.0.remove("members");
    let spread = scale.members / scale.touched;
    let half = scale.touched / 2;
    let known = (0..half).map(|number| member(number * spread));
    let added: Vec<Json> = known.chain((0..half).map(|number| member(scale.members + number))).collect();
    let removed: Vec<String> = (0..scale.touched)
        .map(|number| format!("value eq \"{}\"", member(number * spread)["value"].as_str().unwrap()))
        .collect();
    let one_by_one: Json =
        removed.iter().map(|term| json!({"op": "remove", "path": format!("members[{term}]")})).collect();
    let at_once = json!([{"op": "remove", "path": format!("members[{}]", removed.join(" or "))}]);
    let messages = [
        ("U1a_add_1000", json!([{"op": "add", "path": "members", "value": added}]), scale.members + half),
        ("U1b_remove_1000_ops", one_by_one, scale.members - scale.touched),
        ("U1b2_remove_or_1000", at_once, scale.members - scale.touched),
        (
            "U1e_add_1",
            json!([{"op": "add", "path": "members", "value": [member(scale.members)]}]),
            scale.members + 1,
        ),
    ];
    for (name, operations, expected) in messages {
        let message = message(operations);
        let mut once = everyone.clone();
        run(groups, &message, &unloaded, &mut once);
        assert_eq!(once.get("members").unwrap().values().len(), expected, "{name}");

        let mut bench = criterion.benchmark_group(name);
        bench.bench_function("delta", |bencher| {
            bencher.iter_batched(
                || message.clone(),
                |message| request(groups, message).plan(groups, black_box(&unloaded)).unwrap(),
                BatchSize::LargeInput,
            );
        });
        bench.sample_size(20).bench_function("in memory", |bencher| {
            bencher.iter_batched(
                || (message.clone(), everyone.clone()),
                |(message, mut group)| {
                    let plan = request(groups, message).plan(groups, &unloaded).unwrap();
                    assert!(plan.change.apply(&mut group));
                    group
                },
                BatchSize::LargeInput,
            );
        });
        bench.finish();
    }
}

fn user_messages(criterion: &mut Criterion) {
    let registry = Registry::standard();
    let users = registry.by_name("User").unwrap();
    let user = resource(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "2819c223-7f76-453a-919d-413861904646",
        "externalId": "701984",
        "userName": "bjensen@example.com",
        "name": {"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara"},
        "displayName": "Babs Jensen",
        "emails": [
            {"value": "bjensen@example.com", "type": "work", "primary": true},
            {"value": "babs@example.org", "type": "home"},
        ],
        "addresses": [
            {"type": "work", "streetAddress": "1 Example Plaza", "locality": "Ghent", "country": "BE", "primary": true},
            {"type": "home", "streetAddress": "2 Example Lane", "locality": "Ghent", "country": "BE"},
        ],
        "phoneNumbers": [{"value": "+1-555-0100", "type": "work"}],
        "title": "Tour Guide",
        "active": true,
        "meta": {"resourceType": "User", "version": "W/\"7\""},
    }));
    let messages = [
        (
            "U1c_replace_work_email",
            json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "new@example.com"}]),
        ),
        ("U1d_okta_active_false", json!([{"op": "replace", "value": {"active": false}}])),
    ];
    for (name, operations) in messages {
        let message = message(operations);
        let mut once = user.clone();
        run(users, &message, &user, &mut once);
        assert!(once != user, "{name}");
        criterion.bench_function(name, |bencher| {
            bencher.iter_batched(
                || (message.clone(), user.clone()),
                |(message, mut user)| {
                    let plan = request(users, message).plan(users, black_box(&user)).unwrap();
                    assert!(plan.change.apply(&mut user));
                    user
                },
                BatchSize::SmallInput,
            );
        });
    }
}

fn run(schema: &ResourceSchema, message: &Value, planned: &Resource, applied: &mut Resource) {
    let plan = request(schema, message.clone()).plan(schema, planned).unwrap();
    assert!(plan.change.apply(applied));
    assert!(!plan.change.apply(applied), "done twice is done once");
}

fn request(schema: &ResourceSchema, message: Value) -> PatchRequest {
    PatchRequest::parse(schema, message, &PatchOptions::default()).unwrap()
}

fn message(operations: Json) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}).into()
}

fn group(members: usize) -> Resource {
    resource(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": "e9e30dba-f08f-4109-8486-d5c6a331660a",
        "displayName": "Everyone",
        "members": (0..members).map(member).collect::<Vec<_>>(),
    }))
}

/// A member with an identifier that looks random but is made from its number.
fn member(number: usize) -> Json {
    let mixed = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let hex = format!("{mixed:032x}");
    let (a, rest) = hex.split_at(8);
    let (b, c) = rest.split_at(4);
    let value = format!("{a}-{b}-{c}");
    json!({"value": value, "$ref": format!("https://example.com/v2/Users/{value}"), "type": "User"})
}

fn resource(json: Json) -> Resource {
    match Value::from(json) {
        Value::Object(object) => Resource(object),
        _ => Resource::default(),
    }
}

criterion_group!(benches, group_messages, user_messages);
criterion_main!(benches);
