//! POST, PUT, PATCH, DELETE; versions and conditions.

use scim_core::Config;
use scim_core::schema::{Attribute, Registry, ResourceType, Schema, builtin};
use serde_json::json;

use crate::support::{config, patch_op, request, server, server_over, server_with, user};

#[test]
fn a_created_resource_has_what_the_service_gives_it() {
    let server = server();
    let mut body = user("bjensen");
    body["id"] = json!("mine");
    body["meta"] = json!({"version": "W/\"99\"", "resourceType": "Group", "created": "2001-01-01T00:00:00Z"});
    body["groups"] = json!([{"value": "admins"}]);
    body["externalId"] = json!("701984");
    let answer = server.post("/Users", body);
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(
        answer.json(),
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": "id-1",
            "userName": "bjensen",
            "externalId": "701984",
            "meta": {
                "resourceType": "User",
                "created": "2026-01-01T00:00:00.000Z",
                "lastModified": "2026-01-01T00:00:00.000Z",
                "location": "https://scim.example.com/scim/v2/Users/id-1",
                "version": "W/\"1\"",
            },
        })
    );
    assert_eq!(server.get("/Users/id-1").json(), answer.json());
}

#[test]
fn a_numeric_external_id_is_never_an_id() {
    let server = server();
    let mut body = user("mallory@example.com");
    body["externalId"] = json!("1");
    let id = server.post("/Users", body).json()["id"].as_str().unwrap().to_owned();
    assert_ne!(id, "1");
    for method in ["GET", "PUT", "DELETE"] {
        let body = (method == "PUT").then(|| user("x"));
        assert_eq!(server.send(method, "/Users/1", body).status, 404, "{method}");
    }
    assert_eq!(server.patch("/Users/1", json!([{"op": "add", "path": "title", "value": "x"}])).status, 404);
    assert_eq!(server.get("/Users?filter=id+eq+%221%22").json()["totalResults"], 0);
    assert_eq!(server.get("/Users?filter=externalId+eq+%221%22").json()["Resources"][0]["id"], json!(id));
}

#[test]
fn id_meta_and_groups_cannot_be_written_by_any_route() {
    let server = server();
    let before = server.user("bjensen");
    let mut body = before.clone();
    body["id"] = json!("other");
    body["meta"] = json!({"created": "2001-01-01T00:00:00Z", "version": "W/\"99\""});
    body["groups"] = json!([{"value": "admins"}]);
    let answer = server.put("/Users/id-1", body);
    assert_eq!((answer.status.as_u16(), answer.json()), (200, before.clone()), "RFC 7644 §3.5.1: ignored");
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    // By path it is refused; beside other attributes it is ignored, save the `id` of another.
    for (operation, status) in [
        (json!({"op": "replace", "path": "id", "value": "other"}), 400),
        (json!({"op": "replace", "path": "ID", "value": "other"}), 400),
        (json!({"op": "replace", "path": format!("{core}:id"), "value": "other"}), 400),
        (json!({"op": "remove", "path": "id"}), 400),
        (json!({"op": "replace", "path": "meta.version", "value": "W/\"99\""}), 400),
        (json!({"op": "add", "path": "meta", "value": {"created": "2001-01-01T00:00:00Z"}}), 400),
        (json!({"op": "remove", "path": "meta"}), 400),
        (json!({"op": "add", "path": "groups", "value": [{"value": "admins"}]}), 400),
        (json!({"op": "add", "path": "groups[value eq \"admins\"].value", "value": "admins"}), 400),
        (json!({"op": "replace", "value": {"id": "other"}}), 400),
        (json!({"op": "replace", "value": {"Id": "other"}}), 400),
        (json!({"op": "replace", "value": {core: {"id": "other"}}}), 400),
        (json!({"op": "replace", "value": {"meta.created": "2001-01-01T00:00:00Z"}}), 200),
        (json!({"op": "replace", "value": {"meta": {"version": "W/\"99\""}}}), 200),
        (json!({"op": "replace", "value": {"GROUPS": [{"value": "admins"}]}}), 200),
        (json!({"op": "replace", "value": {format!("{core}:groups"): [{"value": "admins"}]}}), 200),
    ] {
        let answer = server.patch("/Users/id-1", json!([operation]));
        assert_eq!(answer.status, status, "{operation}: {}", answer.text);
        if status == 400 {
            assert_eq!(answer.json()["scimType"], "mutability", "{operation}: {}", answer.text);
        }
        assert_eq!(server.get("/Users/id-1").json(), before, "{operation}: {}", answer.text);
        assert_eq!(server.get("/Users/other").status, 404, "{operation}");
    }
}

#[test]
fn a_unique_value_is_taken_until_its_owner_is_gone() {
    let server = server();
    server.user("bjensen");
    server.user("other");
    server.post("/Users", user("BJENSEN")).refused(
        409,
        Some("uniqueness"),
        "another resource has the same value of `userName`",
    );
    server.put("/Users/id-2", user("Bjensen")).refused_naming(409, Some("uniqueness"), "`userName`");
    let rename = json!([{"op": "replace", "path": "userName", "value": "bjensen"}]);
    server.patch("/Users/id-2", rename.clone()).refused_naming(409, Some("uniqueness"), "`userName`");
    assert_eq!(server.get("/Users/id-2").json()["userName"], "other");
    // A name freed by a rename or a deletion can be had.
    assert_eq!(server.put("/Users/id-1", user("renamed")).status, 200);
    assert_eq!(server.patch("/Users/id-2", rename).status, 200);
    assert_eq!(server.delete("/Users/id-2").status, 204);
    assert_eq!(server.post("/Users", user("bjensen")).status, 201);
}

#[test]
fn a_name_may_be_had_once_in_each_tenant() {
    let server = server();
    server.user("bjensen");
    let mut request = request("POST", "/Users", Some(user("bjensen")));
    request.headers_mut().insert("authorization", "Bearer other-token".parse().unwrap());
    assert_eq!(server.call(request).status, 201);
}

#[test]
fn the_password_is_never_returned() {
    let server = server();
    let mut body = user("bjensen");
    body["password"] = json!("t1meMa$heen");
    let answers = [
        server.post("/Users", body.clone()),
        server.get("/Users/id-1"),
        server.get("/Users/id-1?attributes=password"),
        server.put("/Users/id-1", body),
        server.patch("/Users/id-1", json!([{"op": "replace", "path": "password", "value": "t1meMa$heen2"}])),
        server.get("/Users"),
    ];
    for answer in answers {
        assert!(answer.status.is_success(), "{}", answer.text);
        assert!(!answer.text.contains("t1meMa"), "{}", answer.text);
        assert!(!format!("{:?}", answer.outcome).contains("t1meMa"));
    }
}

#[test]
fn delete_is_204_once_and_404_then() {
    let server = server();
    server.user("bjensen");
    let answer = server.delete("/Users/id-1");
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str(), answer.header("content-type")),
        (204, "", None)
    );
    server.delete("/Users/id-1").refused(404, None, "there is no User with the id `id-1`");
    assert_eq!(server.get("/Users/id-1").status, 404);
    assert_eq!(server.get("/Users").json()["totalResults"], 0);
}

#[test]
fn a_put_replaces_what_the_client_may_write() {
    let server = server();
    let mut body = user("bjensen");
    body["title"] = json!("Boss");
    server.post("/Users", body);
    let answer = server.put("/Users/id-1", user("bjensen"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json().get("title"), None);
    assert_eq!(answer.header("location"), Some("https://scim.example.com/scim/v2/Users/id-1"));
}

#[test]
fn writes_on_another_version_than_if_match_names_are_412() {
    let server = server();
    server.user("bjensen");
    assert_eq!(server.put("/Users/id-1", user("bjensen2")).header("etag"), Some("W/\"2\""));
    let writes = [
        ("PUT", Some(user("x"))),
        ("PATCH", Some(patch_op(json!([{"op": "add", "path": "title", "value": "x"}])))),
        ("DELETE", None),
    ];
    for (method, body) in writes {
        for tag in ["W/\"1\"", "W/\"3\"", "\"x\"", "", "2"] {
            let mut request = request(method, "/Users/id-1", body.clone());
            request.headers_mut().insert("if-match", tag.parse().unwrap());
            server.call(request).refused(
                412,
                None,
                "the resource is in another version, `W/\"2\"`, than `If-Match` names",
            );
        }
    }
    for tag in ["W/\"2\"", "\"2\"", "W/\"1\", W/\"2\"", "*"] {
        let mut request = request("PUT", "/Users/id-1", Some(user("bjensen2")));
        request.headers_mut().insert("if-match", tag.parse().unwrap());
        assert_eq!(server.call(request).status, 200, "{tag}");
    }
}

#[test]
fn a_get_of_the_version_one_has_is_304() {
    let server = server();
    server.user("bjensen");
    for (tag, status) in
        [("W/\"1\"", 304), ("*", 304), ("W/\"9\", W/\"1\"", 304), ("W/\"2\"", 200), ("x", 200)]
    {
        let mut request = request("GET", "/Users/id-1", None);
        request.headers_mut().insert("if-none-match", tag.parse().unwrap());
        let answer = server.call(request);
        assert_eq!(answer.status, status, "{tag}");
        assert_eq!(answer.header("etag"), Some("W/\"1\""));
        assert_eq!(answer.text.is_empty(), status == 304, "{tag}");
    }
}

/// RFC 9110 §13.1.1: a read too is made on the version that `If-Match` names, or not at all.
#[test]
fn a_read_of_another_version_than_if_match_names_is_412() {
    let server = server();
    server.user("bjensen");
    for (match_, none_match, status) in [
        ("W/\"1\"", None, 200),
        ("*", None, 200),
        ("\"9\", \"1\"", Some("W/\"9\""), 200),
        ("W/\"2\"", None, 412),
        ("\"a,*,b\"", None, 412),
        // `If-Match` comes first (RFC 9110 §13.2.2).
        ("W/\"2\"", Some("W/\"1\""), 412),
        ("W/\"1\"", Some("W/\"1\""), 304),
    ] {
        let mut request = request("GET", "/Users/id-1", None);
        request.headers_mut().insert("if-match", match_.parse().unwrap());
        if let Some(tag) = none_match {
            request.headers_mut().insert("if-none-match", tag.parse().unwrap());
        }
        assert_eq!(server.call(request).status, status, "{match_} {none_match:?}");
    }
    // What is not there is 404 whatever the conditions (RFC 9110 §13.2.1).
    let mut absent = request("GET", "/Users/none", None);
    absent.headers_mut().insert("if-match", "*".parse().unwrap());
    assert_eq!(server.call(absent).status, 404);
}

/// RFC 9110 §13.1.2: a write is not made on a version that `If-None-Match` names.
#[test]
fn a_write_on_a_version_that_if_none_match_names_is_412() {
    let server = server();
    server.user("bjensen");
    let before = server.get("/Users/id-1").json();
    let writes = [
        ("PUT", Some(user("x"))),
        ("PATCH", Some(patch_op(json!([{"op": "add", "path": "title", "value": "x"}])))),
        ("DELETE", None),
    ];
    for (method, body) in &writes {
        for tag in ["W/\"1\"", "*", "W/\"7\", \"1\""] {
            let mut request = request(method, "/Users/id-1", body.clone());
            request.headers_mut().insert("if-none-match", tag.parse().unwrap());
            server.call(request).refused(
                412,
                None,
                "the resource is in a version, `W/\"1\"`, that `If-None-Match` names",
            );
            assert_eq!(server.get("/Users/id-1").json(), before, "{method} {tag}");
        }
    }
    for (method, body) in writes {
        let mut request = request(method, "/Users/id-1", body);
        request.headers_mut().insert("if-none-match", "W/\"9\"".parse().unwrap());
        let status = server.call(request).status.as_u16();
        assert!([200, 204].contains(&status), "{method}: {status}");
    }
}

/// Several header lines are one list (RFC 9110 §5.3).
#[test]
fn conditions_on_several_lines_are_one_list() {
    let server = server();
    server.user("bjensen");
    let mut put = request("PUT", "/Users/id-1", Some(user("babs")));
    put.headers_mut().append("if-match", "W/\"9\"".parse().unwrap());
    put.headers_mut().append("if-match", "W/\"1\"".parse().unwrap());
    assert_eq!(server.call(put).header("etag"), Some("W/\"2\""));
}

#[test]
fn a_patch_is_all_or_nothing() {
    let server = server();
    let before = server.user("bjensen");
    server.user("other");
    // Refused when read, when planned, when checked, and by the store.
    for (last, status) in [
        (json!({"op": "replace", "path": "emails[", "value": "x"}), 400),
        (json!({"op": "replace", "path": "emails[value sw \"x\"].display", "value": "x"}), 400),
        (json!({"op": "replace", "path": "userName", "value": ""}), 400),
        (json!({"op": "replace", "path": "userName", "value": "other"}), 409),
    ] {
        let first = json!({"op": "add", "path": "title", "value": "Boss"});
        let answer = server.patch("/Users/id-1", json!([first, last]));
        assert_eq!(answer.status, status, "{last}: {}", answer.text);
        assert_eq!(server.get("/Users/id-1").json(), before, "{last}");
    }
}

#[test]
fn members_are_added_and_removed_one_by_one() {
    let server = server();
    for name in ["a", "b", "c"] {
        server.user(name);
    }
    let path = format!("/Groups/{}", server.group("Staff", &["id-1", "id-2"])["id"].as_str().unwrap());
    let members = || -> Vec<String> {
        let group = server.get(&path).json();
        let members = group["members"].as_array().cloned().unwrap_or_default();
        members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect()
    };
    server.patch(
        &path,
        json!([{"op": "add", "path": "members", "value": [{"value": "id-3"}, {"value": "id-1"}]}]),
    );
    assert_eq!(members(), ["id-1", "id-2", "id-3"]);
    server.patch(&path, json!([{"op": "remove", "path": "members[value eq \"id-2\"]"}]));
    assert_eq!(members(), ["id-1", "id-3"]);
    server.patch(&path, json!([{"op": "Remove", "path": "members", "value": [{"value": "id-1"}]}]));
    assert_eq!(members(), ["id-3"]);
    server.patch(&path, json!([{"op": "replace", "path": "members", "value": [{"value": "id-2"}]}]));
    assert_eq!(members(), ["id-2"]);
    server.patch(&path, json!([{"op": "remove", "path": "members"}]));
    assert_eq!(members(), [""; 0]);
    assert_eq!(server.get(&path).header("etag"), Some("W/\"6\""));
}

#[test]
fn members_that_are_no_resources_of_the_tenant_are_refused() {
    let server = server();
    server.user("ann");
    let mut foreign = request("POST", "/Users", Some(user("foreign")));
    foreign.headers_mut().insert("authorization", "Bearer other-token".parse().unwrap());
    let foreign = server.call(foreign).json()["id"].as_str().unwrap().to_owned();
    let group = server.group("Staff", &["id-1"]);
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    for id in [foreign.as_str(), "none"] {
        let detail = format!("`members` names `{id}`, and there is no such resource");
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": "New",
            "members": [{"value": "id-1"}, {"value": id}],
        });
        server.post("/Groups", body.clone()).refused(400, Some("invalidValue"), &detail);
        server.put(&path, body).refused(400, Some("invalidValue"), &detail);
        for operation in [
            json!({"op": "add", "path": "members", "value": [{"value": id}]}),
            json!({"op": "replace", "path": "members", "value": [{"value": id}]}),
            json!({"op": "add", "value": {"members": [{"value": id}]}}),
        ] {
            server.patch(&path, json!([operation])).refused(400, Some("invalidValue"), &detail);
        }
    }
    assert_eq!(server.get(&path).json(), group);
    // A group may be a member.
    server.group("All", &[group["id"].as_str().unwrap()]);
}

/// What is a member already is not looked up again, so that one who has gone without leaving blocks
/// nothing.
#[test]
fn members_that_a_group_has_are_not_looked_up() {
    let store = scim_core::MemoryStore::new();
    let unchecked = server_over(store.clone(), Config { check_members: false, ..config() });
    let mut body = unchecked.group("All", &["gone"]);
    body["displayName"] = json!("Everyone");
    let server = server_over(store, config());
    let path = format!("/Groups/{}", body["id"].as_str().unwrap());
    let answer = server.put(&path, body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let new = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "New",
        "members": [{"value": "gone"}],
    });
    server.post("/Groups", new).refused_naming(400, Some("invalidValue"), "`gone`");
}

#[test]
fn members_named_by_nothing_known_do_not_empty_a_group() {
    let server = server();
    server.user("ann");
    let group = server.group("Staff", &["id-1"]);
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let unnamed = json!([{"userId": "id-1"}]);
    let mut body = group.clone();
    body["members"] = unnamed.clone();
    server.put(&path, body.clone()).refused(400, Some("invalidValue"), "`members[0].value` is required");
    server.post("/Groups", body).refused(400, Some("invalidValue"), "`members[0].value` is required");
    let empty = json!([{"op": "replace", "path": "members", "value": ""}]);
    let detail = "`Operations[0].value` is required";
    server.patch(&path, empty).refused(400, Some("invalidValue"), detail);
    for op in ["add", "replace", "remove"] {
        for operation in [
            json!({"op": op, "path": "members", "value": unnamed}),
            json!({"op": op, "value": {"members": unnamed}}),
        ] {
            server.patch(&path, json!([operation])).refused_naming(400, Some("invalidValue"), "[0].value");
        }
    }
    assert_eq!(server.get(&path).json(), group);
}

#[test]
fn what_adds_nothing_takes_no_value_away() {
    let server = server();
    let mut body = user("bjensen");
    body["emails"] = json!([{"value": "b@example.com", "type": "work", "display": "B"}]);
    let before = server.post("/Users", body).json();
    let add = |value| json!([{"op": "add", "path": "emails[type eq \"work\"]", "value": value}]);
    for value in [json!({"unheardOf": 1}), json!({})] {
        let answer = server.patch("/Users/id-1", add(value));
        assert_eq!((answer.status.as_u16(), answer.json()), (200, before.clone()));
    }
    let answer = server.patch("/Users/id-1", add(json!({"display": null})));
    assert_eq!(answer.json()["emails"], json!([{"value": "b@example.com", "type": "work"}]));
    // Where there is no such value, none is made of nothing.
    let nobody = json!([{"op": "add", "path": "emails[type eq \"home\"]", "value": {"display": null}}]);
    server.patch("/Users/id-1", nobody).refused_naming(400, Some("noTarget"), "Operations[0].path");
}

#[test]
fn members_are_of_the_types_the_schema_names() {
    let device = Schema {
        id: "urn:example:Device".to_owned(),
        name: "Device".to_owned(),
        description: String::new(),
        attributes: vec![Attribute::string("serial")],
    };
    let devices = ResourceType {
        name: "Device".to_owned(),
        description: String::new(),
        endpoint: "/Devices".to_owned(),
        schema: device.id.clone(),
        schema_extensions: Vec::new(),
    };
    let registry = Registry::new(
        vec![builtin::user(), builtin::enterprise_user(), builtin::group(), device],
        vec![builtin::user_resource_type(), builtin::group_resource_type(), devices],
    );
    let server = server_with(Config { registry: registry.unwrap(), ..config() });
    let answer = server.post("/Devices", json!({"schemas": ["urn:example:Device"], "serial": "S-1"}));
    assert_eq!(answer.status, 201, "{}", answer.text);
    let members = json!([{"value": answer.json()["id"]}]);
    server
        .post("/Groups", json!({"schemas": [builtin::GROUP], "displayName": "Staff", "members": members}))
        .refused(400, Some("invalidValue"), "`members` names `id-1`, and there is no such resource");
}

#[test]
fn members_are_not_looked_up_where_so_configured() {
    let server = server_with(Config { check_members: false, ..config() });
    server.group("Staff", &["anyone"]);
}

#[test]
fn extensions_survive_every_write() {
    let server = server();
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let mut body = user("bjensen");
    body["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:User", enterprise]);
    body[enterprise] = json!({"department": "Tour Operations", "employeeNumber": "701984"});
    assert_eq!(server.post("/Users", body).status, 201);
    let path = format!("{enterprise}:department");
    let answer = server.patch("/Users/id-1", json!([{"op": "replace", "path": path, "value": "Guides"}]));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()[enterprise], json!({"department": "Guides", "employeeNumber": "701984"}));
    assert_eq!(
        server.get(&format!("/Users/id-1?attributes={path}")).json()[enterprise],
        json!({"department": "Guides"})
    );
}
