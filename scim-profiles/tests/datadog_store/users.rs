//! Users: what is found, changed and answered as documented.

use scim_core::ResourceId;
use scim_profiles::datadog::{DatadogOptions, Deactivation, Event, OtherEmails};
use serde_json::{Value, json};

use crate::server::{Server, USER, group, ids, with_teams};

#[tokio::test]
async fn users_are_found_and_changed_as_documented_and_no_other_way() {
    let server = Server::new(with_teams());
    let ann = server.user("ann").await;
    let team = server.group("SRE", &[&ann]).await;
    let found = |list: Value| list["totalResults"].as_u64().unwrap();
    for (path, count) in [
        ("/Users?filter=userName%20eq%20%22ANN%40example.com%22", 1),
        ("/Groups?filter=displayName+eq+%22SRE%22", 1),
        ("/Groups?filter=externalId+eq+%22x%22", 0),
        (&format!("/Groups?filter=id+eq+%22{team}%22+and+members+eq+%22{ann}%22"), 1),
        (&format!("/Groups?filter=members+eq+%22{ann}%22+and+id+eq+%22{team}%22"), 1),
        (&format!("/Groups?filter=members+eq+%22nobody%22+and+id+eq+%22{team}%22"), 0),
    ] {
        assert_eq!(found(server.get(path).await), count, "{path}");
    }
    for path in [
        "/Users?filter=userName%20sw%20%22ann%22",
        "/Users?filter=externalId%20eq%20%22x%22",
        "/Users?filter=userName%20eq%20%22a%22%20and%20userName%20eq%20%22a%22",
        "/Users?filter=emails%5Btype+eq+%22work%22%5D.value+eq+%22x%22",
        "/Groups?filter=id+eq+%221%22",
        "/Groups?filter=id+eq+%221%22+and+id+eq+%221%22",
        "/Groups?filter=id+eq+%221%22+or+members+eq+%221%22",
        "/Groups?filter=id+eq+%221%22+and+members+eq+%221%22+and+members+eq+%222%22",
        "/Groups?filter=not+(displayName+eq+%22SRE%22)",
        // The reference's placeholders, without quotes: the error says what is missing.
        "/Users?filter=userName%20eq%20ann@example.com",
    ] {
        let (status, body) = server.send("GET", path, Value::Null).await;
        assert_eq!(status, 400, "{path}: {body}");
    }
    let (_, unquoted) =
        server.send("GET", "/Users?filter=userName%20eq%20ann@example.com", Value::Null).await;
    assert!(unquoted["errors"][0].as_str().unwrap().contains("quot"), "{unquoted}");

    let path = format!("/Users/{ann}");
    for operations in [
        json!([{"op": "remove", "path": "title"}]),
        json!([{"op": "replace", "path": "title", "value": "x"}, {"op": "Remove", "path": "title"}]),
    ] {
        let (status, body) = server.patch(&path, operations).await;
        assert_eq!(status, 400);
        assert!(body["errors"][0].as_str().unwrap().ends_with("(patch-add-replace)"), "{body}");
    }
    let documented = json!([
        {"op": "replace", "path": "title", "value": "CEO"},
        {"op": "replace", "value": {"name": {"formatted": "John Doe"}}},
    ]);
    assert_eq!(server.patch(&path, documented).await.0, 200);
    let user = server.get(&path).await;
    assert_eq!((&user["title"], &user["name"]), (&json!("CEO"), &json!({"formatted": "John Doe"})));
    assert_eq!(user["meta"]["location"], json!(format!("https://api.example.com/api/v2/scim/Users/{ann}")));
    for (method, path) in [("POST", "/Bulk"), ("GET", "/Me"), ("POST", "/.search"), ("GET", "/Teams")] {
        assert_eq!(server.send(method, path, Value::Null).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn groups_are_there_on_request() {
    let server = Server::new(DatadogOptions::default());
    for (method, path) in [("GET", "/Groups"), ("POST", "/Groups"), ("DELETE", "/Groups/1")] {
        assert_eq!(server.send(method, path, group("SRE", &[])).await.0, 404, "{method} {path}");
    }
    assert_eq!(server.get("/ResourceTypes").await["totalResults"], 1);
    assert_eq!(Server::new(with_teams()).get("/ResourceTypes").await["totalResults"], 2);
}

#[tokio::test]
async fn a_name_that_is_taken_is_answered_as_declared() {
    let server = Server::new(with_teams());
    let (ann, bea) = (server.user("ann").await, server.user("bea").await);
    let taken = json!({"schemas": [USER], "userName": "Ann@example.com"});
    assert_eq!(server.send("POST", "/Users", taken.clone()).await.0, 400);
    assert_eq!(server.send("PUT", &format!("/Users/{bea}"), taken).await.0, 400);
    server.group("SRE", &[&ann]).await;
    let web = format!("/Groups/{}", server.group("Web", &[]).await);
    assert_eq!(server.send("POST", "/Groups", group("sre", &[])).await.0, 400);
    assert_eq!(server.send("PUT", &web, group("SRE", &[])).await.0, 409);
    let rename = json!([{"op": "replace", "value": {"displayName": "SRE"}}]);
    assert_eq!(server.patch(&web, rename).await.0, 400);
    assert_eq!(server.get(&web).await["displayName"], "Web");
    assert_eq!(server.team("Web").await.handle, "web");
    let mut options = with_teams();
    options.duplicate_status = http::StatusCode::CONFLICT;
    let server = Server::new(options);
    server.user("ann").await;
    let taken = json!({"schemas": [USER], "userName": "ann@example.com"});
    assert_eq!(server.send("POST", "/Users", taken).await.0, 409);
}

#[tokio::test]
async fn a_new_user_is_invited_once() {
    let server = Server::new(DatadogOptions::default());
    let id = server.user("ann").await;
    let mut body = json!({"schemas": [USER], "userName": "bea", "emails": [
        {"value": "b@example.com", "type": "work"},
        {"value": "bea@example.com", "type": "work", "primary": true},
    ]});
    let bea = server.create("/Users", body.clone()).await;
    let invited = |user: &str, email: &str| Event::Invited {
        user: ResourceId::new(user),
        email: Some(email.to_owned()),
    };
    assert_eq!(server.happened(), [invited(&id, "ann@example.com"), invited(&bea, "bea@example.com")]);
    body["title"] = json!("Guide");
    assert_eq!(server.send("PUT", &format!("/Users/{bea}"), body.clone()).await.0, 200);
    assert_eq!(server.send("POST", "/Users", body).await.0, 400);
    assert_eq!(server.happened(), []);
}

#[tokio::test]
async fn deactivating_keeps_the_user_or_not() {
    for (deactivation, status, after) in [(Deactivation::Keep, 200, 200), (Deactivation::Remove, 204, 404)] {
        let mut options = with_teams();
        options.deactivation = deactivation;
        let server = Server::new(options);
        let ann = server.user("ann").await;
        let sre = server.group("SRE", &[&ann]).await;
        let path = format!("/Users/{ann}");
        let leave = json!([{"op": "replace", "value": {"active": false}}]);
        assert_eq!(server.patch(&path, leave).await.0, status);
        assert_eq!(server.send("GET", &path, Value::Null).await.0, after);
        let members = if after == 200 { ids(&[&ann]) } else { ids(&[]) };
        assert_eq!(server.team("SRE").await.members, members);
        if after == 200 {
            let back = json!([{"op": "replace", "value": {"active": true}}]);
            assert_eq!(server.patch(&path, back).await.1["active"], true);
            assert_eq!(server.send("DELETE", &path, Value::Null).await.0, 204);
            assert_eq!(server.team("SRE").await.members, ids(&[]));
        }
        assert_eq!(server.get(&format!("/Groups/{sre}")).await["members"], Value::Null);
    }
}

/// The reference knows addresses of type `work` alone: another is refused, or dropped where that is said.
#[tokio::test]
async fn other_e_mail_addresses_are_refused_or_dropped() {
    let work = json!({"value": "ann@example.com", "type": "work", "primary": true});
    let home = json!({"value": "ann@home.example", "type": "home"});
    let plain = json!({"value": "ann@example.org"});
    let user = |emails: Value| json!({"schemas": [USER], "userName": "ann@example.com", "emails": emails});
    let server = Server::new(DatadogOptions::default());
    assert_eq!(server.send("POST", "/Users", user(json!([work, home]))).await.0, 400);

    let mut options = DatadogOptions::default();
    options.other_emails = OtherEmails::Drop;
    let server = Server::new(options);
    let (status, created) = server.send("POST", "/Users", user(json!([home, work, plain]))).await;
    assert_eq!((status, &created["emails"]), (201, &json!([work, plain])), "{created}");
    let dropped = "emails[0].type: is not `work`, and the address is dropped (email-work)";
    assert_eq!(server.remarks(), [dropped]);
    let path = format!("/Users/{}", created["id"].as_str().unwrap());
    let add = json!([{"op": "add", "path": "emails", "value": [home]}]);
    let (status, patched) = server.patch(&path, add).await;
    assert_eq!((status, &patched["emails"]), (200, &json!([work, plain])));
    let (status, replaced) = server.send("PUT", &path, user(json!([home]))).await;
    assert_eq!((status, &replaced["emails"]), (200, &Value::Null));
}
