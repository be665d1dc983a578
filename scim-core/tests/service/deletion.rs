//! A deletion takes the resource out of the groups it is in.

use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::{Error, Resource};
use serde_json::{Value, json};

use crate::support::{patch_op, request, server};

/// The ids of a group's members, and its version.
fn members(group: &Value) -> (Vec<&str>, &str) {
    let members = group["members"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ids = members.iter().map(|member| member["value"].as_str().unwrap()).collect();
    (ids, group["meta"]["version"].as_str().unwrap())
}

#[test]
fn who_is_deleted_leaves_every_group() {
    let server = server();
    for name in ["ann", "bob"] {
        server.user(name);
    }
    let staff = server.group("Staff", &["id-1", "id-2"]);
    let others = server.group("Others", &["id-2"]);
    let all = server.group("All", &["id-3", "id-1"]);
    assert_eq!(server.delete("/Users/id-1").status, 204);

    let left = server.get("/Groups/id-3");
    assert_eq!(members(&left.json()), (vec!["id-2"], "W/\"2\""));
    assert_eq!(left.header("etag"), Some("W/\"2\""));
    assert!(left.json()["meta"]["lastModified"].as_str() > staff["meta"]["lastModified"].as_str());
    assert_eq!(left.json()["meta"]["created"], staff["meta"]["created"]);
    assert_eq!(server.get("/Groups/id-4").json(), others);
    assert_eq!(members(&server.get("/Groups/id-5").json()), (vec!["id-3"], "W/\"2\""));

    // A group is a member like any other.
    assert_eq!(server.delete("/Groups/id-3").status, 204);
    let emptied = server.get("/Groups/id-5").json();
    assert_eq!(members(&emptied), (vec![], "W/\"3\""));
    assert_eq!(emptied.get("members"), None);
    assert_eq!(emptied["displayName"], all["displayName"]);
}

/// What was read before the deletion is known to be old.
#[test]
fn a_write_made_for_the_group_before_is_refused() {
    let server = server();
    server.user("ann");
    server.user("bob");
    let group = server.group("Staff", &["id-1", "id-2"]);
    assert_eq!(server.delete("/Users/id-1").status, 204);
    for (method, body) in
        [("PUT", group), ("PATCH", patch_op(json!([{"op": "replace", "path": "displayName", "value": "x"}])))]
    {
        let mut stale = request(method, "/Groups/id-3", Some(body));
        stale.headers_mut().insert("if-match", "W/\"1\"".parse().unwrap());
        assert_eq!(server.call(stale).status, 412, "{method}");
    }
    let mut unchanged = request("GET", "/Groups/id-3", None);
    unchanged.headers_mut().insert("if-none-match", "W/\"1\"".parse().unwrap());
    assert_eq!(server.call(unchanged).status, 200);
}

#[test]
fn a_deletion_that_is_refused_takes_nobody_out() {
    let server = server();
    server.user("ann");
    let group = server.group("Staff", &["id-1"]);
    let mut stale = request("DELETE", "/Users/id-1", None);
    stale.headers_mut().insert("if-match", "W/\"2\"".parse().unwrap());
    assert_eq!(server.call(stale).status, 412);
    let mut foreign = request("DELETE", "/Users/id-1", None);
    foreign.headers_mut().insert("authorization", "Bearer other-token".parse().unwrap());
    assert_eq!(server.call(foreign).status, 404);
    assert_eq!(server.get("/Groups/id-2").json(), group);
}

#[test]
fn a_deletion_in_bulk_is_one() {
    let server = server();
    for name in ["ann", "bob", "cid"] {
        server.user(name);
    }
    server.group("Staff", &["id-1", "id-2", "id-3"]);
    let answer = server.post(
        "/Bulk",
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [
                {"method": "DELETE", "path": "/Users/id-1"},
                {"method": "PATCH", "path": "/Groups/id-4", "data": patch_op(json!([
                    {"op": "replace", "path": "displayName", "value": "Some"}
                ]))},
                {"method": "DELETE", "path": "/Users/id-3"},
            ],
        }),
    );
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(members(&server.get("/Groups/id-4").json()), (vec!["id-2"], "W/\"4\""));
}

/// Deactivation deletes, as at PagerDuty.
struct Leavers;

impl Policy for Leavers {
    fn admit(&self, _: &Context<'_>, _: Write<'_>, resource: &mut Resource) -> Result<Admission, Error> {
        let leaves = resource.get("active") == Some(&false.into());
        Ok(if leaves { Admission::Delete } else { Admission::Store })
    }
}

#[test]
fn a_write_that_amounts_to_a_deletion_is_one() {
    let server = server().with_policy(Leavers);
    for name in ["ann", "bob", "cid"] {
        server.user(name);
    }
    server.group("Staff", &["id-1", "id-2", "id-3"]);
    let leave = json!([{"op": "replace", "path": "active", "value": false}]);
    assert_eq!(server.patch("/Users/id-1", leave).status, 204);
    assert_eq!(members(&server.get("/Groups/id-4").json()), (vec!["id-2", "id-3"], "W/\"2\""));
    let mut body = crate::support::user("bob");
    body["active"] = json!(false);
    assert_eq!(server.put("/Users/id-2", body).status, 204);
    assert_eq!(members(&server.get("/Groups/id-4").json()), (vec!["id-3"], "W/\"3\""));
}
