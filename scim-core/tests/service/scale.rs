//! No request of the permitted size takes time out of proportion to it.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::support::{request, server};

const USER: &str = r#""schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a""#;
const GROUP: &str = r#""schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"a""#;
const SEARCH: &str = r#""schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]"#;
const PATCH: &str = r#""schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]"#;

const ADD: &str = r#""Operations":[{"op":"add","value":{"#;
const ADD_ROLES: &str = r#""Operations":[{"op":"add","path":"roles","value":["#;
const REMOVE_EMAILS: &str = r#""Operations":[{"op":"remove","path":"emails","value":["#;

/// `part` as often as it fits into `bytes`, with its number for each `@`, between commas.
fn many(part: &str, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes);
    for number in 0_usize.. {
        let part = part.replace('@', &number.to_string());
        if text.len() + part.len() + 1 > bytes {
            break;
        }
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&part);
    }
    text
}

/// The time the fastest of a few answers takes to a body of about `bytes` bytes.
fn time(method: &str, path: &str, body: &dyn Fn(usize) -> String, bytes: usize) -> Duration {
    let body = Bytes::from(body(bytes));
    (0..3)
        .map(|_| {
            let server = server();
            server.user("babs");
            let mut request = request(method, path, Some(serde_json::Value::Null));
            *request.body_mut() = body.clone();
            let start = Instant::now();
            let answer = server.call(request);
            let took = start.elapsed();
            assert!(!answer.status.is_server_error(), "{}", answer.text);
            took
        })
        .min()
        .unwrap()
}

#[test]
fn the_time_of_an_answer_is_in_proportion_to_the_request() {
    let cases = [
        ("POST", "/.search", SEARCH, "\"attributes\":[", "\"ims\"", "]"),
        ("POST", "/.search", SEARCH, "\"attributes\":[", "\"x@\"", "]"),
        ("POST", "/.search", SEARCH, "\"excludedAttributes\":[", "\"emails.value\"", "]"),
        ("POST", "/Users", USER, "", "\"x@\":1", ""),
        ("POST", "/Users", USER, "", "\"urn:x:@\":{}", ""),
        ("POST", "/Users", USER, "\"name\":{", "\"x@\":1", "}"),
        ("POST", "/Users", USER, "\"emails\":[", "{\"value\":\"@\",\"primary\":true}", "]"),
        ("POST", "/Users", "\"userName\":\"a\"", "\"schemas\":[", "\"urn:x:@\"", "]"),
        ("POST", "/Groups", GROUP, "\"members\":[", "{\"value\":\"id-1\"}", "]"),
        ("POST", "/Groups", GROUP, "\"members\":[", "{\"value\":\"@\"}", "]"),
        ("PATCH", "/Users/id-1", PATCH, "\"Operations\":[", "{\"op\":\"x\"}", "]"),
        ("PATCH", "/Users/id-1", PATCH, ADD, "\"x@.y\":1", "}}]"),
        ("PATCH", "/Users/id-1", PATCH, ADD, r#""emails[type eq \"@\"].value":"x""#, "}}]"),
        ("PATCH", "/Users/id-1", PATCH, ADD_ROLES, r#""{\"value\":\"@\"}""#, "]}]"),
        ("PATCH", "/Users/id-1", PATCH, REMOVE_EMAILS, "{\"type\":\"@\"}", "]}]"),
    ];
    for (method, path, message, open, part, close) in cases {
        let body = |bytes| format!("{{{message},{open}{}{close}}}", many(part, bytes));
        let (few, much) = (time(method, path, &body, 1 << 14), time(method, path, &body, 1 << 18));
        // Sixteen times the bytes; the square of that would be 256.
        let most = few * 128 + Duration::from_millis(50);
        assert!(much < most, "{path} {part}: {much:?} for 256 KiB, {few:?} for 16");
    }
}
