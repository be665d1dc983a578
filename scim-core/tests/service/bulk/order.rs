//! In which order operations are made, and where a reference may stand.

use serde_json::json;

use super::{ENTERPRISE, USER, patch, post_group, post_user, values};
use crate::support::server;

#[test]
fn who_refers_to_something_later_waits_and_is_answered_in_its_place() {
    let server = server();
    let bulk = server.bulk(json!([
        post_group("g", "Guides", &["bulkId:a", "bulkId:b", "bulkId:h"]),
        post_user("a", "a"),
        post_group("h", "Hosts", &["bulkId:b"]),
        post_user("b", "b"),
    ]));
    assert_eq!(bulk.statuses(), ["201"; 4]);
    let ids = bulk.results.iter().map(|result| result["bulkId"].as_str().unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), ["g", "a", "h", "b"]);
    let mut members = [bulk.id(1), bulk.id(2), bulk.id(3)];
    members.sort();
    assert_eq!(server.members(&bulk.id(0)), members);
    // Nobody had to be made twice.
    assert!(bulk.results.iter().all(|result| result["version"] == "W/\"1\""));
}

#[test]
fn references_stand_in_paths_values_and_filters() {
    let server = server();
    let guides = server.group("Guides", &[])["id"].as_str().unwrap().to_owned();
    let bulk = server.bulk(json!([
        {"method": "PUT", "path": "/Users/bulkId:a", "data": {"schemas": [USER], "userName": "renamed"}},
        patch("/Groups/bulkId:g", json!([{"op": "remove", "path": "members[value eq \"bulkId:a\"]"}])),
        patch(&format!("/Groups/{guides}"), json!([{"op": "add", "path": "members", "value": values(&["bulkId:a"])}])),
        patch(&format!("/Groups/{guides}"), json!([{"op": "add", "value": {"members": values(&["bulkId:b"])}}])),
        patch("/Users/bulkId:b", json!([{"op": "add", "path": format!("{ENTERPRISE}:manager.value"), "value": "bulkId:a"}])),
        {"method": "DELETE", "path": "/Groups/bulkId%3Ah"},
        post_group("g", "g", &["bulkId:a", "bulkId:b"]),
        post_group("h", "h", &[]),
        post_user("a", "a"),
        post_user("b", "b"),
    ]));
    assert_eq!(bulk.statuses(), ["200", "200", "200", "200", "200", "204", "201", "201", "201", "201"]);
    let (a, b) = (bulk.id(8), bulk.id(9));
    assert_eq!(bulk.results[0]["location"], bulk.results[8]["location"]);
    assert_eq!(server.get(&format!("/Users/{a}")).json()["userName"], "renamed");
    assert_eq!(server.members(&bulk.id(6)), std::slice::from_ref(&b));
    assert_eq!(server.members(&guides), [a.clone(), b.clone()]);
    assert_eq!(server.get(&format!("/Users/{b}")).json()[ENTERPRISE]["manager"]["value"], json!(a));
    assert_eq!(bulk.results[5]["location"], bulk.results[7]["location"]);
    assert_eq!(server.get(&format!("/Groups/{}", bulk.id(7))).status, 404);
}

#[test]
fn what_is_done_to_one_resource_stays_in_its_order() {
    let server = server();
    server.user("a");
    server.group("Guides", &["id-1"]);
    // The second waits with the first, although it refers to nothing.
    let bulk = server.bulk(json!([
        patch("/Groups/id-2", json!([{"op": "replace", "path": "members", "value": values(&["bulkId:b"])}])),
        patch("/Groups/%69d-2", json!([{"op": "remove", "path": "members"}])),
        post_user("b", "b"),
    ]));
    assert_eq!(bulk.statuses(), ["200", "200", "201"]);
    assert_eq!(server.members("id-2"), [""; 0]);
    // What does not wait is not held up: the name is free before it is taken again.
    let bulk = server.bulk(json!([
        post_group("g", "Hosts", &["bulkId:c"]),
        {"method": "DELETE", "path": "/Users/id-1"},
        post_user("c", "a"),
    ]));
    assert_eq!(bulk.statuses(), ["201", "204", "201"]);
}

#[test]
fn a_reference_to_what_was_not_created_is_409_and_so_on() {
    let server = server();
    server.user("a");
    let bulk = server.bulk(json!([
        post_user("a", "A"),
        post_group("g", "g", &["bulkId:a"]),
        post_group("h", "h", &["bulkId:g"]),
        patch("/Groups/bulkId:g", json!([{"op": "remove", "path": "members"}])),
        post_user("b", "b"),
    ]));
    assert_eq!(bulk.statuses(), ["409", "409", "409", "409", "201"]);
    bulk.refused(1, 409, None, "`bulkId:a` has no resource: the operation that creates it did not succeed");
    bulk.refused(2, 409, None, "`bulkId:g` has no resource: the operation that creates it did not succeed");
    bulk.refused(3, 409, None, "`bulkId:g` has no resource: the operation that creates it did not succeed");
    assert_eq!(bulk.results[3].get("location"), None, "there is no such resource");
    assert_eq!(server.get("/Groups").json()["totalResults"], 0);
}

#[test]
fn errors_are_counted_in_the_order_of_making() {
    let server = server();
    let message = json!({
        "failOnErrors": 1,
        "schemas": [super::BULK_REQUEST],
        "Operations": [
            post_group("g", "g", &["bulkId:b"]),
            {"method": "DELETE", "path": "/Users/none"},
            post_user("b", "b"),
        ],
    });
    let bulk = server.bulk_message(message);
    assert_eq!(bulk.results.len(), 1, "neither the user nor the group is made: {}", bulk.answer.text);
    assert_eq!(bulk.results[0]["method"], "DELETE");
    assert_eq!(server.get("/Users").json()["totalResults"], 0);
}

#[test]
fn only_a_whole_text_is_a_reference() {
    let server = server();
    let bulk = server.bulk(json!([
        {
            "method": "POST", "path": "/Users", "bulkId": "a",
            "data": {"schemas": [USER], "userName": "see bulkId:a", "externalId": "BulkId:x", "groups": [{"value": "bulkId:x"}]},
        },
    ]));
    assert_eq!(bulk.statuses(), ["201"]);
    let user = server.get(&format!("/Users/{}", bulk.id(0))).json();
    assert_eq!((&user["userName"], &user["externalId"]), (&json!("see bulkId:a"), &json!("BulkId:x")));
}
