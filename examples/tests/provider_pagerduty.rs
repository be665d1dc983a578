//! The provider as PagerDuty, over real HTTP: what is PagerDuty's own, seen from outside.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use serde_json::{Value, json};
use support::{GROUP, Server, TOKEN, USER, id};

fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name, "displayName": "Somebody"})
}

#[test]
fn users_live_and_go_as_at_pagerduty() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pagerduty.db");
    let server = Server::start(&file, &["--profile", "pagerduty"]);
    let client = &server.client;
    let alex = client.post("/Users", user("alex@example.com")).expect(201);
    assert_eq!(id(&alex).len(), 26);
    assert_eq!(alex["meta"], json!({"resourceType": "User"}));
    assert_eq!(alex["roles"], json!([{"value": "user", "type": "base", "primary": true}]));

    let path = format!("/Users/{}", id(&alex));
    let role = json!([{"op": "replace", "path": "roles", "value": [{"value": "observer", "primary": true}]}]);
    let changed = client.patch(&path, role).expect(200);
    assert_eq!(changed["roles"], json!([{"value": "observer", "type": "base", "primary": true}]));
    let owner = json!([{"op": "replace", "path": "roles", "value": [{"value": "owner", "primary": true}]}]);
    client.patch(&path, owner).expect(400);

    assert_eq!(client.count("/Users", "userName eq \"alex@example.com\""), 1);
    client.get("/Users?filter=displayName%20eq%20%22Somebody%22").expect(400);
    client.post("/Groups", json!({"schemas": [GROUP], "displayName": "Staff"})).expect(404);

    // What the policy decided was stored, not only shown.
    server.stop();
    let server = Server::start(&file, &["--profile", "pagerduty"]);
    let client = &server.client;
    assert_eq!(client.get(&path).expect(200), changed);

    // Deactivating deletes, and who is deleted is not reactivated but made anew.
    assert_eq!(
        client.patch(&path, json!([{"op": "replace", "value": {"active": false}}])).expect(204),
        Value::Null
    );
    client.get(&path).expect(404);
    client.patch(&path, json!([{"op": "replace", "value": {"active": true}}])).expect(404);
    let anew = client.post("/Users", user("alex@example.com")).expect(201);
    assert_ne!(id(&anew), id(&alex));
    let mut inactive = user("kim@example.com");
    inactive["active"] = json!(false);
    client.post("/Users", inactive).expect(400);
}

#[test]
fn all_three_spellings_of_the_token_are_taken() {
    let server = Server::in_memory(&["--profile", "pagerduty"]);
    for (authorization, status) in [
        (format!("Bearer {TOKEN}"), 200),
        (format!("Token token={TOKEN}"), 200),
        (format!("Bearer token={TOKEN}"), 200),
        (format!("Token {TOKEN}"), 401),
        (format!("token={TOKEN}"), 401),
        ("Token token=".to_owned(), 401),
    ] {
        let request = format!(
            "GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {authorization}\r\n\r\n"
        );
        let (head, _) = server.client.raw(request.as_bytes());
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{authorization}: {head}");
    }
}

#[test]
fn a_duplicate_is_400_or_409_as_told() {
    for (arguments, status) in [(&[][..], 400), (&["--duplicate-status", "409"][..], 409)] {
        let server = Server::in_memory(&[&["--profile", "pagerduty"], arguments].concat());
        server.client.post("/Users", user("alex@example.com")).expect(201);
        let refused = server.client.post("/Users", user("ALEX@example.com")).expect(status);
        assert_eq!(refused["scimType"], "uniqueness");
        assert_eq!(refused["status"], status.to_string());
    }
}

#[test]
fn who_holds_an_incident_stays_unless_incidents_are_reassigned() {
    let holding = ["--profile", "pagerduty", "--hold-incident", "Alex@example.com"];
    let server = Server::in_memory(&holding);
    let client = &server.client;
    let path = |user: &Value| format!("/Users/{}", id(user));
    let alex = path(&client.post("/Users", user("alex@example.com")).expect(201));
    let kim = path(&client.post("/Users", user("kim@example.com")).expect(201));
    let refused = client.delete(&alex).expect(400);
    assert!(refused["detail"].as_str().unwrap().contains("incident"), "{refused}");
    client.patch(&alex, json!([{"op": "replace", "path": "active", "value": "False"}])).expect(400);
    client.get(&alex).expect(200);
    client.delete(&kim).expect(204);

    let server = Server::in_memory(&[&holding[..], &["--reassign-incidents"]].concat());
    let alex = path(&server.client.post("/Users", user("alex@example.com")).expect(201));
    server.client.delete(&alex).expect(204);
}
