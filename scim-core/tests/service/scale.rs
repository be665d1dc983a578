//! No request takes time out of proportion to it: what is compared each with each in a body of four
//! mebibytes, four times what is permitted by default, would take minutes.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::support::{config, request, server_with};

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

/// Much more than any answer needs on a busy machine, much less than quadratic work takes.
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_BODY_BYTES: usize = 4 << 20;

#[test]
fn large_bodies_are_answered_soon() {
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
        let room = MAX_BODY_BYTES - message.len() - open.len() - close.len() - 3;
        let body = format!("{{{message},{open}{}{close}}}", many(part, room));
        let mut config = config();
        config.limits.max_body_bytes = MAX_BODY_BYTES;
        let server = server_with(config);
        server.user("babs");
        let mut request = request(method, path, Some(serde_json::Value::Null));
        *request.body_mut() = Bytes::from(body);
        let start = Instant::now();
        let answer = server.call(request);
        assert!(start.elapsed() < PATIENCE, "{path} {part}: {:?}", start.elapsed());
        assert!(!answer.status.is_server_error(), "{part}: {}", answer.text);
        assert!(!answer.text.contains("the body is longer"), "{part}");
    }
}
