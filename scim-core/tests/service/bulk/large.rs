//! Large and hostile bulk requests: answered, in time and space that grow as they do.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{BULK_REQUEST, patch, post_group, post_user};
use crate::support::{config, request, server, server_with};

/// Much more than any answer needs on a busy machine, much less than quadratic work takes.
const PATIENCE: Duration = Duration::from_secs(30);

fn chain(count: usize, next: impl Fn(usize) -> usize) -> Value {
    (0..count)
        .map(|at| post_group(&format!("g{at}"), &format!("g{at}"), &[&format!("bulkId:g{}", next(at))]))
        .collect()
}

#[test]
fn the_longest_chains_and_circles_are_made() {
    const COUNT: usize = 1000;
    for (what, operations) in [
        ("a chain backwards", chain(COUNT, |at| (at + 1).min(COUNT - 1))),
        ("a chain forwards", chain(COUNT, |at| at.saturating_sub(1))),
        ("a circle", chain(COUNT, |at| (at + 1) % COUNT)),
        ("circles of two", chain(COUNT, |at| at ^ 1)),
        ("one for all", chain(COUNT, |_| COUNT - 1)),
    ] {
        let start = Instant::now();
        let bulk = server().bulk(operations);
        assert!(bulk.statuses().iter().all(|status| *status == "201"), "{what}");
        assert_eq!(bulk.results.len(), COUNT);
        assert!(start.elapsed() < PATIENCE, "{what}: {:?}", start.elapsed());
    }
}

#[test]
fn a_crowd_of_references_is_resolved() {
    let server = server();
    let references = vec!["bulkId:u"; 30_000];
    let start = Instant::now();
    let bulk = server.bulk(json!([
        post_group("g", "g", &references),
        patch(
            "/Groups/bulkId:g",
            json!([{"op": "add", "path": "members", "value": super::values(&references[..9000])}])
        ),
        post_user("u", "u"),
    ]));
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    assert_eq!(bulk.statuses(), ["201", "200", "201"]);
    assert_eq!(server.members(&bulk.id(0)), [bulk.id(2)]);
}

#[test]
fn everyone_may_refer_to_everyone() {
    let server = server();
    let count = 150;
    let everyone: Vec<String> = (0..count).map(|at| format!("bulkId:g{at}")).collect();
    let everyone: Vec<&str> = everyone.iter().map(String::as_str).collect();
    let operations: Value =
        (0..count).map(|at| post_group(&format!("g{at}"), &format!("g{at}"), &everyone)).collect();
    let start = Instant::now();
    let bulk = server.bulk(operations);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    for at in [0, 1, count - 1] {
        assert_eq!(bulk.results[at]["status"], "201");
        assert_eq!(server.members(&bulk.id(at)).len(), count);
    }
}

#[test]
fn hostile_data_is_refused_or_taken_soon() {
    let nested = |depth: usize| format!("{}\"bulkId:u\"{}", "[".repeat(depth), "]".repeat(depth));
    let quotes = "\\\"".repeat(400_000);
    let keys = (0..60_000).map(|at| format!("\"bulkId:{at}\":1")).collect::<Vec<_>>().join(",");
    let texts = format!("[{}]", vec!["\"bulkId:\""; 90_000].join(","));
    let data = [
        (format!(r#"{{"userName":"a","x":{}}}"#, nested(20)), "201"),
        (format!(r#"{{"userName":"a","name":{}}}"#, nested(20)), "400"),
        (format!(r#"{{"userName":"a","photos":{texts}}}"#), "400"),
        (format!(r#"{{"userName":"a",{keys}}}"#), "201"),
    ];
    let patches = [
        (format!(r#"{{"Operations":[{{"op":"add","path":"{quotes}","value":"x"}}]}}"#), "400"),
        (format!(r#"{{"Operations":[{{"op":"add","value":{{"{quotes}bulkId:u":"x"}}}}]}}"#), "400"),
        (format!(r#"{{"Operations":[{{"op":"add","value":{{{keys}}}}}]}}"#), "200"),
        (format!(r#"{{"Operations":[{{"op":"add","path":"title","value":{}}}]}}"#, nested(20)), "400"),
    ];
    let posts = data.map(|(data, status)| {
        (format!(r#""method":"POST","path":"/Users","bulkId":"v","data":{data}"#), status)
    });
    let patches = patches
        .map(|(data, status)| (format!(r#""method":"PATCH","path":"/Users/id-1","data":{data}"#), status));
    for (operation, status) in posts.into_iter().chain(patches) {
        let server = server();
        server.user("babs");
        let user = post_user("u", "u");
        let body = format!(r#"{{"schemas":["{BULK_REQUEST}"],"Operations":[{user},{{{operation}}}]}}"#);
        let mut request = request("POST", "/Bulk", Some(Value::Null));
        *request.body_mut() = body.into();
        let start = Instant::now();
        let answer = server.call(request);
        let what: String = operation.chars().take(90).collect();
        assert!(start.elapsed() < PATIENCE, "{what}: {:?}", start.elapsed());
        assert_eq!(answer.status, 200, "{what}: {:.300}", answer.text);
        let result = &answer.json()["Operations"][1];
        assert_eq!(result["status"], status, "{what}: {:.300}", result.to_string());
    }
    // Beyond the depth that JSON may have, the message is none.
    let body = format!(r#"{{"schemas":["{BULK_REQUEST}"],"Operations":[{}]}}"#, nested(100_000));
    let mut request = request("POST", "/Bulk", Some(Value::Null));
    *request.body_mut() = body.into();
    server().call(request).refused_naming(400, Some("invalidSyntax"), "nested too deep");
}

#[test]
fn the_answer_is_bounded_by_the_request() {
    let long = "é\u{1}".repeat(330);
    let operations: Value = (0..1000)
        .map(|at| match at % 5 {
            0 => json!({"method": long, "bulkId": format!("{at}{long}"), "path": long}),
            1 => json!({"method": "DELETE", "path": format!("/{long}/{at}")}),
            2 => json!({"method": "PUT", "path": format!("/Users/{}", "%c3%a9".repeat(150)), "data": {}}),
            3 => json!({"method": "POST", "path": "/Users", "bulkId": at.to_string(), "data": {"externalId": format!("bulkId:{long}")}}),
            _ => json!({"method": "DELETE", "path": "/Users/1", "version": long}),
        })
        .collect();
    let body = json!({"schemas": [BULK_REQUEST], "Operations": operations}).to_string();
    let mut config = config();
    if let Some(limits) = &mut config.capabilities.bulk {
        limits.max_payload_size = 4 << 20;
    }
    let server = server_with(config);
    let mut request = request("POST", "/Bulk", Some(Value::Null));
    *request.body_mut() = body.clone().into();
    let answer = server.call(request);
    assert_eq!(answer.json()["Operations"].as_array().unwrap().len(), 1000);
    let most = body.len() * 2 + 1000 * 1024;
    assert!(answer.text.len() < most, "{} of {}", answer.text.len(), body.len());
}
