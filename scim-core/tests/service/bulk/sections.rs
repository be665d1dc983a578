//! What each section on bulk says, by its number.

use serde_json::{Value, json};

use super::{BULK_REQUEST, ENTERPRISE, GROUP, USER, patch, post_group, post_user};
use crate::support::{Server, request, server};

#[test]
fn section_3_7_1_circular_references_are_resolved() {
    let server = server();
    let bulk = server.bulk(json!([
        {
            "method": "POST", "path": "/Groups", "bulkId": "qwerty",
            "data": {
                "schemas": [GROUP], "displayName": "Group A",
                "members": [{"type": "Group", "value": "bulkId:ytrewq"}],
            },
        },
        {
            "method": "POST", "path": "/Groups", "bulkId": "ytrewq",
            "data": {
                "schemas": [GROUP], "displayName": "Group B",
                "members": [{"type": "Group", "value": "bulkId:qwerty"}],
            },
        },
    ]));
    let (a, b) = (bulk.id(0), bulk.id(1));
    let list = server.get("/Groups?filter=displayName%20sw%20%22Group%22").json();
    assert_eq!(list["totalResults"], 2);
    for (group, name, member) in
        [(&list["Resources"][0], "Group A", &b), (&list["Resources"][1], "Group B", &a)]
    {
        assert_eq!(group["displayName"], name);
        assert_eq!(group["members"].as_array().unwrap().len(), 1);
        assert_eq!(
            (&group["members"][0]["value"], &group["members"][0]["type"]),
            (&json!(member), &json!("Group"))
        );
    }
    // The version told is the one the resource is in.
    for (result, group) in bulk.results.iter().zip(list["Resources"].as_array().unwrap()) {
        assert_eq!(result["version"], group["meta"]["version"]);
        assert_eq!(result["status"], "201");
    }
}

#[test]
fn section_3_7_2_a_bulk_id_stands_for_what_is_created() {
    let server = server();
    let bulk = server.bulk(json!([
        post_user("qwerty", "Alice"),
        {
            "method": "POST", "path": "/Groups", "bulkId": "ytrewq",
            "data": {
                "schemas": [GROUP], "displayName": "Tour Guides",
                "members": [{"type": "User", "value": "bulkId:qwerty"}],
            },
        },
    ]));
    assert_eq!(
        bulk.results,
        [
            json!({
                "location": "https://scim.example.com/scim/v2/Users/id-1",
                "method": "POST", "bulkId": "qwerty", "version": "W/\"1\"", "status": "201",
            }),
            json!({
                "location": "https://scim.example.com/scim/v2/Groups/id-2",
                "method": "POST", "bulkId": "ytrewq", "version": "W/\"1\"", "status": "201",
            }),
        ]
    );
    let group = server.get("/Groups/id-2").json();
    assert_eq!(group["members"][0]["value"], "id-1");
    assert_eq!(group["members"][0]["type"], "User");
}

#[test]
fn section_3_7_2_extensions_refer_in_the_same_way() {
    let server = server();
    let bulk = server.bulk(json!([
        post_user("qwerty", "Alice"),
        {
            "method": "POST", "path": "/Users", "bulkId": "ytrewq",
            "data": {
                "schemas": [USER, ENTERPRISE], "userName": "Bob",
                ENTERPRISE: {"employeeNumber": "11250", "manager": {"value": "bulkId:qwerty"}},
            },
        },
    ]));
    let bob = server.get(&format!("/Users/{}", bulk.id(1))).json();
    assert_eq!(bob[ENTERPRISE]["manager"]["value"], json!(bulk.id(0)));
    assert_eq!(bob[ENTERPRISE]["employeeNumber"], "11250");
}

fn three_users(server: &Server) {
    for name in ["a", "b", "c"] {
        server.user(name);
    }
}

/// A request that adds a user, updates two and removes one, of three that are there.
fn add_update_and_remove(versions: [&str; 3], name: &str) -> Value {
    json!({
        "schemas": [BULK_REQUEST],
        "Operations": [
            post_user("qwerty", name),
            {
                "method": "PUT", "path": "/Users/id-1", "version": versions[0],
                "data": {"schemas": [USER], "id": "id-1", "userName": "Bob"},
            },
            {
                "method": "PATCH", "path": "/Users/id-2", "version": versions[1],
                "data": {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                    "Operations": [
                        {"op": "remove", "path": "nickName"},
                        {"op": "add", "path": "userName", "value": "Dave"},
                    ],
                },
            },
            {"method": "DELETE", "path": "/Users/id-3", "version": versions[2]},
        ],
    })
}

#[test]
fn section_3_7_3_the_result_of_each_operation_is_told() {
    let server = server();
    three_users(&server);
    let mut message = add_update_and_remove(["W/\"1\""; 3], "Alice");
    message["failOnErrors"] = json!(1);
    let bulk = server.bulk_message(message);
    let location = |id: &str| format!("https://scim.example.com/scim/v2/Users/{id}");
    assert_eq!(
        bulk.results,
        [
            json!({"location": location("id-4"), "method": "POST", "bulkId": "qwerty", "version": "W/\"1\"", "status": "201"}),
            json!({"location": location("id-1"), "method": "PUT", "version": "W/\"2\"", "status": "200"}),
            json!({"location": location("id-2"), "method": "PATCH", "version": "W/\"2\"", "status": "200"}),
            json!({"location": location("id-3"), "method": "DELETE", "status": "204"}),
        ]
    );
    assert_eq!(server.get("/Users/id-1").json()["userName"], "Bob");
    assert_eq!(server.get("/Users/id-2").json()["userName"], "Dave");
    assert_eq!(server.get("/Users/id-3").status, 404);
}

#[test]
fn section_3_7_3_nothing_is_made_after_fail_on_errors() {
    let server = server();
    three_users(&server);
    let mut message = add_update_and_remove(["W/\"1\""; 3], "A");
    message["failOnErrors"] = json!(1);
    let bulk = server.bulk_message(message.clone());
    assert_eq!(
        bulk.results,
        [json!({
            "method": "POST", "bulkId": "qwerty", "status": "409",
            "response": {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                "scimType": "uniqueness", "detail": "another resource has the same value of `userName`", "status": "409",
            },
        })]
    );
    assert_eq!(server.get("/Users/id-1").json()["userName"], "a");

    // As many errors as are accepted, with what was made between them.
    message["failOnErrors"] = json!(2);
    message["Operations"][2]["version"] = json!("W/\"7\"");
    assert_eq!(server.bulk_message(message).statuses(), ["409", "200", "412"]);
    assert_eq!(server.get("/Users/id-3").status, 200);
}

#[test]
fn section_3_7_3_without_fail_on_errors_every_operation_is_made() {
    let server = server();
    three_users(&server);
    assert_eq!(server.delete("/Users/id-3").status, 204);
    let bulk = server.bulk_message(add_update_and_remove(["W/\"7\""; 3], "a"));
    assert_eq!(bulk.statuses(), ["409", "412", "412", "404"]);
    assert_eq!(bulk.results[0].get("location"), None, "a POST that failed has none");
    for (index, id) in [(1, "id-1"), (2, "id-2"), (3, "id-3")] {
        assert_eq!(bulk.results[index]["location"], format!("https://scim.example.com/scim/v2/Users/{id}"));
    }
    bulk.refused(1, 412, None, "the resource is in another version, `W/\"1\"`, than `version` names");
    bulk.refused(3, 404, None, "there is no User with the id `id-3`");
}

#[test]
fn section_3_7_4_limits_are_told_when_exceeded() {
    let server = server();
    let mut too_large = request("POST", "/Bulk", Some(Value::Null));
    *too_large.body_mut() = vec![b' '; (1 << 20) + 1].into();
    server.call(too_large).refused(
        413,
        None,
        "the size of the bulk operation exceeds the maxPayloadSize (1048576)",
    );
    let operations = vec![json!({"method": "DELETE", "path": "/Users/1"}); 1001];
    let message = json!({"schemas": [BULK_REQUEST], "Operations": operations});
    server.post("/Bulk", message).refused(
        413,
        None,
        "the number of operations (1001) exceeds the maxOperations (1000)",
    );
    let bulk = server.bulk(json!(vec![json!({"method": "DELETE", "path": "/Users/1"}); 1000]));
    assert_eq!(bulk.statuses(), ["404"; 1000]);
}

/// The examples as the RFC prints them, but for its misprints.
#[test]
fn the_examples_of_the_rfc() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/rfc/examples");
    if std::fs::exists(folder).is_ok_and(|exists| !exists) {
        println!("skipped: the examples are not beside the workspace");
        return;
    }
    for (name, statuses) in [
        ("rfc7644-3.7.1-bulk_request-circular_conflict", &["201", "201"][..]),
        ("rfc7644-3.7.2-bulk_request-temporary_identifier", &["201", "201"]),
        ("rfc7644-3.7.2-bulk_request-enterprise_user", &["201", "201"]),
        // Its user lists a message's URI as its schema; `failOnErrors` is 1.
        ("rfc7644-3.7.3-bulk_request-multiple_operations", &["201", "404"]),
    ] {
        let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
        let message: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(server().bulk_message(message).statuses(), statuses, "{name}");
    }
    let server = server();
    let bulk = server.bulk(json!([post_group("g", "Tour Guides", &["bulkId:u"]), post_user("u", "Alice")]));
    assert_eq!(server.members(&bulk.id(0)), [bulk.id(1)]);
}

/// §3.7.2 speaks of references: a name that looks like one is a name.
#[test]
fn only_references_are_replaced() {
    let server = server();
    let mut guides = post_group("g", "bulkId:qwerty", &["bulkId:qwerty"]);
    guides["data"]["members"][0]["display"] = json!("bulkId:qwerty");
    let named = json!([
        {"op": "replace", "path": "title", "value": "bulkId:qwerty"},
        {"op": "add", "path": "emails[type eq \"bulkId:qwerty\"].value", "value": "bulkId:nobody"},
        {"op": "add", "path": "manager", "value": "bulkId:qwerty"},
    ]);
    let out = json!([{"op": "remove", "path": "members[display eq \"bulkId:nobody\" or value eq \"bulkId:qwerty\"]"}]);
    let bulk = server.bulk(json!([
        guides,
        post_user("qwerty", "bulkId:nobody"),
        patch("/Users/bulkId:qwerty", named),
        patch("/Groups/bulkId:g", out),
    ]));
    assert_eq!(bulk.statuses(), ["201", "201", "200", "200"], "{}", bulk.answer.text);
    let id = bulk.id(1);
    let user = server.get(&format!("/Users/{id}")).json();
    assert_eq!((&user["userName"], &user["title"]), (&json!("bulkId:nobody"), &json!("bulkId:qwerty")));
    assert_eq!(user["emails"], json!([{"type": "bulkId:qwerty", "value": "bulkId:nobody"}]));
    assert_eq!(user[ENTERPRISE]["manager"]["value"], json!(id));
    let group = server.get(&format!("/Groups/{}", bulk.id(0))).json();
    assert_eq!((&group["displayName"], group.get("members")), (&json!("bulkId:qwerty"), None));

    // Of a reference, what no operation creates is refused.
    let bulk = server.bulk(json!([post_group("g", "bulkId:nobody", &["bulkId:nobody"])]));
    bulk.refused(0, 400, Some("invalidValue"), "`bulkId:nobody` refers to no POST of this request");
}
