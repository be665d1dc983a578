//! What is refused: of the request as a whole, and of one operation.

use scim_core::service::BulkLimits;
use serde_json::{Value, json};

use super::{BULK_REQUEST, USER, patch, post_group, post_user};
use crate::support::{config, request, server, server_with, user};

#[test]
fn bulk_is_configured_and_its_limits_are_told() {
    let mut config = config();
    let document = server_with(config.clone()).get("/ServiceProviderConfig").json();
    assert_eq!(
        document["bulk"],
        json!({"supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576})
    );

    config.capabilities.bulk = Some(BulkLimits { max_operations: 2, max_payload_size: 400 });
    let server = server_with(config.clone());
    let document = server.get("/ServiceProviderConfig").json();
    assert_eq!(document["bulk"], json!({"supported": true, "maxOperations": 2, "maxPayloadSize": 400}));
    let deletion = || json!({"method": "DELETE", "path": "/Users/none"});
    let message = json!({"schemas": [BULK_REQUEST], "Operations": [deletion(), deletion(), deletion()]});
    let exceeded = "the number of operations (3) exceeds the maxOperations (2)";
    server.post("/Bulk", message).refused(413, None, exceeded);
    let message = json!({"schemas": [BULK_REQUEST], "Operations": [deletion()], "padding": "x".repeat(400)});
    server.post("/Bulk", message).refused(
        413,
        None,
        "the size of the bulk operation exceeds the maxPayloadSize (400)",
    );

    config.capabilities.bulk = None;
    let server = server_with(config);
    let document = server.get("/ServiceProviderConfig").json();
    assert_eq!(document["bulk"], json!({"supported": false, "maxOperations": 0, "maxPayloadSize": 0}));
    server.post("/Bulk", json!({})).refused(501, None, "`/Bulk` is not supported");
    server.get("/Bulk").refused(501, None, "`/Bulk` is not supported");
}

#[test]
fn bulk_is_a_post() {
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let answer = server().send(method, "/Bulk", Some(json!({})));
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("POST")), "{method}");
    }
    for path in ["/Bulk/", "/Bulk/1", "/bulk"] {
        assert_eq!(server().post(path, json!({})).status, 404, "{path}");
    }
}

#[test]
fn the_message_is_json_of_the_media_type() {
    let server = server();
    let mut plain = request("POST", "/Bulk", Some(json!({})));
    plain.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    server.call(plain).refused_naming(415, None, "text/plain");
    let mut broken = request("POST", "/Bulk", Some(json!({})));
    *broken.body_mut() = "{".into();
    server.call(broken).refused_naming(400, Some("invalidSyntax"), "JSON");
    server.post("/Bulk", json!([])).refused(
        400,
        Some("invalidSyntax"),
        "body: a bulk request is a JSON object",
    );
    let mut anonymous = request("POST", "/Bulk", Some(json!({})));
    anonymous.headers_mut().remove("authorization");
    assert_eq!(server.call(anonymous).status, 401);
}

#[test]
fn operations_are_about_the_resources_of_a_type_or_one_of_them() {
    let server = server();
    server.user("a");
    let operation = |method: &str, path: &str| json!({"method": method, "path": path, "bulkId": format!("{method} {path}"), "data": user("b")});
    let no_resource =
        |path: &str| format!("path: `{path}` is no endpoint of a resource type and no resource");
    let no_path = |path: &str| format!("path: `{path}` is no path below the base URL, such as `/Users`");
    for (method, path, status, scim_type, detail) in [
        ("POST", "/Bulk", 400, Some("invalidValue"), no_resource("/Bulk")),
        ("POST", "/%42ulk", 400, Some("invalidValue"), no_resource("/%42ulk")),
        ("POST", "/.search", 400, Some("invalidValue"), no_resource("/.search")),
        ("POST", "/Users/.search", 400, Some("invalidValue"), no_resource("/Users/.search")),
        ("PUT", "/ServiceProviderConfig", 400, Some("invalidValue"), no_resource("/ServiceProviderConfig")),
        ("DELETE", "/Schemas/urn:x", 400, Some("invalidValue"), no_resource("/Schemas/urn:x")),
        ("POST", "/none", 404, None, "path: `/none` is no endpoint of this service".to_owned()),
        (
            "PUT",
            "/Users/1/name",
            404,
            None,
            "path: `/Users/1/name` is no endpoint of this service".to_owned(),
        ),
        (
            "PUT",
            "/Users/../Users/1",
            404,
            None,
            "path: `/Users/../Users/1` is no endpoint of this service".to_owned(),
        ),
        ("POST", "Users", 400, Some("invalidSyntax"), no_path("Users")),
        (
            "POST",
            "https://scim.example.com/scim/v2/Users",
            400,
            Some("invalidSyntax"),
            no_path("https://scim.example.com/scim/v2/Users"),
        ),
        (
            "PUT",
            "/Users/id-1?attributes=id",
            400,
            Some("invalidSyntax"),
            no_path("/Users/id-1?attributes=id"),
        ),
        ("PUT", "/Users/id-1#x", 400, Some("invalidSyntax"), no_path("/Users/id-1#x")),
        ("PUT", "/Users/a b", 400, Some("invalidSyntax"), no_path("/Users/a b")),
        (
            "POST",
            "/Users/id-1",
            405,
            None,
            "`POST` is not a method of this endpoint, which has PUT, PATCH, DELETE".to_owned(),
        ),
        (
            "DELETE",
            "/Users",
            405,
            None,
            "`DELETE` is not a method of this endpoint, which has POST".to_owned(),
        ),
        (
            "GET",
            "/Users",
            400,
            Some("invalidSyntax"),
            "method: `GET` is none of `POST`, `PUT`, `PATCH`, `DELETE`".to_owned(),
        ),
    ] {
        let bulk = server.bulk(json!([operation(method, path)]));
        bulk.refused(0, status, scim_type, &detail);
        assert_eq!(bulk.results[0]["bulkId"], format!("{method} {path}"));
        assert_eq!(bulk.results[0]["method"], method);
    }
    let bulk = server.bulk(json!([operation("PUT", "/none/1"), {"method": "PATCH", "path": "/Users/id-1"}]));
    assert_eq!(bulk.results[0]["location"], "https://scim.example.com/scim/v2/none/1");
    assert_eq!(bulk.results[1]["location"], "https://scim.example.com/scim/v2/Users/id-1");
    assert_eq!(server.get("/Users").json()["totalResults"], 1);
}

#[test]
fn the_data_of_an_operation_is_an_object() {
    let server = server();
    server.user("a");
    let bulk = server.bulk(json!([
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": "x"},
        {"method": "PATCH", "path": "/Users/id-1", "data": []},
        {"method": "DELETE", "path": "/Users/id-1", "data": "x"},
    ]));
    bulk.refused(0, 400, Some("invalidSyntax"), "data: must be an object, not a string");
    bulk.refused(1, 400, Some("invalidSyntax"), "data: must be an object, not an array");
    assert_eq!(bulk.statuses(), ["400", "400", "204"]);
}

#[test]
fn a_bulk_id_of_several_posts_stands_for_none() {
    let server = server();
    let bulk = server.bulk(json!([
        post_user("a", "a"),
        post_group("g", "g", &["bulkId:a"]),
        post_user("a", "b"),
        post_user("A", "c"),
        {"method": "POST", "path": "/Users", "bulkId": "a"},
    ]));
    assert_eq!(bulk.statuses(), ["400", "409", "400", "201", "400"]);
    for index in [0, 2, 4] {
        let detail = "bulkId: `a` is given to several operations of this request";
        bulk.refused(index, 400, Some("invalidValue"), detail);
        assert_eq!(bulk.results[index]["bulkId"], "a");
    }
    bulk.refused(1, 409, None, "`bulkId:a` has no resource: the operation that creates it did not succeed");
}

#[test]
fn a_bulk_id_of_another_method_stands_for_nothing() {
    let server = server();
    server.user("a");
    let bulk = server.bulk(json!([
        {"method": "PUT", "path": "/Users/id-1", "bulkId": "a", "data": user("b")},
        {"method": "DELETE", "path": "/Users/id-9", "bulkId": "a"},
        post_group("g", "g", &["bulkId:a"]),
    ]));
    assert_eq!(bulk.statuses(), ["200", "404", "400"]);
    assert_eq!((&bulk.results[0]["bulkId"], &bulk.results[1]["bulkId"]), (&json!("a"), &json!("a")));
    bulk.refused(2, 400, Some("invalidValue"), "`bulkId:a` refers to no POST of this request");
}

#[test]
fn a_reference_to_nothing_is_refused_wherever_it_stands() {
    let server = server();
    server.group("g", &[]);
    let bulk = server.bulk(json!([
        post_group("h", "h", &["bulkId:x"]),
        {"method": "PUT", "path": "/Users/bulkId:x", "data": user("b")},
        {"method": "DELETE", "path": "/Users/bulkId:x"},
        patch("/Groups/id-1", json!([{"op": "remove", "path": "members[value eq \"bulkId:x\"]"}])),
        patch("/Groups/id-1", json!([{"op": "add", "value": {"members": [{"value": "bulkId:x"}]}}])),
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER], "userName": "u", "profileUrl": "bulkId:"}},
    ]));
    for index in 0..5 {
        bulk.refused(index, 400, Some("invalidValue"), "`bulkId:x` refers to no POST of this request");
    }
    bulk.refused(5, 400, Some("invalidValue"), "`bulkId:` refers to no POST of this request");
    assert_eq!(bulk.results[1].get("location"), None);
    assert_eq!(bulk.results[3]["location"], "https://scim.example.com/scim/v2/Groups/id-1");
}

#[test]
fn an_operation_has_the_limits_of_a_request() {
    let mut config = config();
    config.limits.max_body_bytes = 300;
    config.limits.max_patch_operations = 1;
    config.capabilities.patch = true;
    let server = server_with(config.clone());
    server.user("a");
    let mut large = user("large");
    large["title"] = json!("");
    let room = 300 - large.to_string().len();
    large["title"] = json!("x".repeat(room));
    let mut larger = user("large");
    larger["title"] = json!("x".repeat(room + 1));
    let bulk = server.bulk(json!([
        {"method": "POST", "path": "/Users", "bulkId": "larger", "data": larger},
        {"method": "POST", "path": "/Users", "bulkId": "large", "data": large},
        post_user("small", "small"),
        patch("/Users/id-1", json!([{"op": "remove", "path": "title"}, {"op": "remove", "path": "title"}])),
        {"method": "DELETE", "path": "/Users/id-1", "version": "W/\"1\"\n"},
        {"method": "PUT", "path": "/Users/id-1", "data": "text"},
    ]));
    assert_eq!(bulk.statuses(), ["413", "201", "201", "413", "400", "400"]);
    bulk.refused(0, 413, None, "data: the body is longer than 300 bytes");
    bulk.refused(4, 400, Some("invalidSyntax"), "version: `W/\"1\"\\n` is not valid");

    config.capabilities.patch = false;
    let server = server_with(config);
    server.user("a");
    let bulk = server.bulk(json!([patch("/Users/id-1", json!([{"op": "remove", "path": "title"}]))]));
    bulk.refused(0, 501, None, "`PATCH` is not supported");
}

#[test]
fn conditions_are_those_of_the_operation_alone() {
    let server = server();
    server.user("a");
    let operations = json!([
        {"method": "PUT", "path": "/Users/id-1", "data": user("b")},
        {"method": "PUT", "path": "/Users/id-1", "version": "W/\"1\"", "data": user("c")},
        {"method": "PUT", "path": "/Users/id-1", "version": "*", "data": user("d")},
        {"method": "PUT", "path": "/Users/id-1", "version": "other", "data": user("e")},
        {"method": "POST", "path": "/Users", "bulkId": "f", "version": "W/\"9\"", "data": user("f")},
    ]);
    let mut request =
        request("POST", "/Bulk", Some(json!({"schemas": [BULK_REQUEST], "Operations": operations})));
    request.headers_mut().insert("if-match", "W/\"9\"".parse().unwrap());
    let answer = server.call(request);
    let results = answer.json()["Operations"].clone();
    let statuses: Vec<_> =
        results.as_array().unwrap().iter().map(|result| result["status"].clone()).collect();
    assert_eq!(statuses, ["200", "412", "200", "412", "201"]);
    assert_eq!(server.get("/Users/id-1").json()["userName"], "d");
}

#[test]
fn without_entity_tags_no_version_is_told() {
    let mut config = config();
    config.capabilities.etag = false;
    let bulk = server_with(config).bulk(json!([post_user("a", "a")]));
    assert_eq!(bulk.results[0].get("version"), None);
}

#[test]
fn what_is_no_operation_is_refused_as_a_whole() {
    let server = server();
    let message = json!({"schemas": [BULK_REQUEST], "Operations": [post_user("a", "a"), "DELETE"]});
    server.post("/Bulk", message).refused(
        400,
        Some("invalidSyntax"),
        "Operations[1]: an operation is a JSON object",
    );
    assert_eq!(server.get("/Users").json()["totalResults"], 0);
    let bulk = server.bulk(json!([{}, Value::from(serde_json::Map::new())]));
    bulk.refused(
        0,
        400,
        Some("invalidSyntax"),
        "method: one of `POST`, `PUT`, `PATCH`, `DELETE` is required",
    );
}
