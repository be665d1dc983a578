//! Bulk requests: a record for each operation.

use scim_core::audit::RequestId;
use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::{Error, Resource};
use serde_json::{Value, json};

use super::{GROUP, audited};
use crate::support::{request, server, user};

fn bulk(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations})
}

fn group(bulk_id: &str, name: &str, member: &str) -> Value {
    let data = json!({"schemas": [GROUP], "displayName": name, "members": [{"value": member}]});
    json!({"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data})
}

/// What tells the records of operations apart.
fn told(records: &[Value]) -> Vec<Value> {
    let names = ["operation", "effect", "resource", "status"];
    let told = |record: &Value| -> Value {
        let rest = names.iter().map(|name| record.get(*name).cloned().unwrap_or_default());
        std::iter::once(record["bulk"]["index"].clone()).chain(rest).collect()
    };
    records.iter().map(told).collect()
}

#[test]
fn each_operation_has_its_record() {
    let (server, kept) = audited(server());
    let operations = json!([
        {"method": "POST", "path": "/Users", "bulkId": "b", "data": user("babs")},
        {"method": "POST", "path": "/Users", "bulkId": "c", "data": user("babs")},
        {"method": "PATCH", "path": "/Users/bulkId:b", "data": crate::support::patch_op(json!([
            {"op": "add", "path": "title", "value": "Guide"},
        ]))},
        {"method": "PUT", "path": "/Users/bulkId:c", "data": user("carl")},
        {"method": "PATCH", "path": "/Users/id-9", "data": {}},
        {"method": "DELETE", "path": "/Users/bulkId:b"},
        {"method": "TRACE", "path": "/Users"},
        {"method": "GET", "path": "/Users"},
    ]);
    let mut request = request("POST", "/Bulk", Some(bulk(operations)));
    request.extensions_mut().insert(RequestId::new("r-1"));
    assert_eq!(server.call(request).status, 200);
    let records = kept.json();
    assert!(records.iter().all(|record| record["request"] == "r-1"), "{records:?}");
    assert!(records.iter().all(|record| record["credential"] == "token of acme"), "{records:?}");
    let expected = [
        json!([0, "create", "created", "id-1", 201]),
        json!([2, "patch", "changed", "id-1", 200]),
        json!([5, "delete", "deleted", "id-1", 204]),
        json!([1, "create", "refused", null, 409]),
        json!([3, "replace", "refused", null, 409]),
        json!([4, "patch", "refused", "id-9", 400]),
        json!([6, "bulk", "refused", null, 400]),
        json!([7, "bulk", "refused", null, 400]),
    ];
    assert_eq!(told(&records), expected);
    assert_eq!([&records[0]["bulk"]["bulkId"], &records[3]["bulk"]["bulkId"]], ["b", "c"]);
    assert_eq!(records[1]["bulk"].get("bulkId"), None);
    assert!(
        records[..7].iter().all(|record| record["resourceType"] == "User" || record["operation"] == "bulk")
    );
}

#[test]
fn a_bulk_request_refused_as_a_whole_has_one_record() {
    let (server, kept) = audited(server());
    server.post("/Bulk", json!({"schemas": [], "Operations": 7}));
    let record = json!({
        "tenant": "acme", "credential": "token of acme", "operation": "bulk", "effect": "refused",
        "status": 400, "scimType": "invalidSyntax",
    });
    assert_eq!(kept.one(), record);
}

#[test]
fn a_circle_is_recorded_step_by_step() {
    let (server, kept) = audited(server());
    server.post("/Bulk", bulk(json!([group("g", "g", "bulkId:h"), group("h", "h", "bulkId:g")])));
    let records = kept.json();
    let expected = [
        json!([1, "create", "created", "id-1", 201]),
        json!([0, "create", "created", "id-2", 201]),
        json!([1, "patch", "changed", "id-1", 200]),
    ];
    let mut sorted = told(&records);
    if sorted[0][0] == 0 {
        // Which of them is created first is the plan's business.
        for record in &mut sorted {
            record[0] = (1 - record[0].as_i64().unwrap()).into();
        }
    }
    assert_eq!(sorted, expected);
    assert_eq!(
        records[2]["changes"],
        json!([{"attribute": "members", "added": [{"value": "id-2", "type": "Group"}]}])
    );
}

/// No group called "closed" is changed.
struct Closed;

impl Policy for Closed {
    fn admit(&self, _: &Context<'_>, write: Write<'_>, group: &mut Resource) -> Result<Admission, Error> {
        match (write, group.get("displayName").and_then(|name| name.as_str())) {
            (Write::Patch(_), Some("closed")) => {
                Err(Error::new(http::StatusCode::FORBIDDEN, "the group is closed"))
            }
            _ => Ok(Admission::Store),
        }
    }
}

#[test]
fn what_is_taken_back_is_recorded_as_deleted_and_refused() {
    let (server, kept) = audited(server().with_policy(Closed));
    let answer = server
        .post("/Bulk", bulk(json!([group("g", "closed", "bulkId:h"), group("h", "closed", "bulkId:g")])));
    assert_eq!(server.get("/Groups").json()["totalResults"], 0, "{}", answer.text);
    let records = told(&kept.json());
    let effects: Vec<_> = records.iter().map(|record| record[2].as_str().unwrap()).collect();
    assert_eq!(effects, ["created", "created", "deleted", "deleted", "refused", "refused"], "{records:?}");
    assert!(records.iter().all(|record| record[1] == "create"), "{records:?}");
    let mut statuses: Vec<_> = records[4..].iter().map(|record| record[4].as_u64().unwrap()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [403, 409]);
    assert!(records[2..4].iter().all(|record| record[4].is_null()), "{records:?}");
    let deleted = [&records[2][3], &records[3][3]].map(|id| id.as_str().unwrap());
    assert!(deleted.contains(&"id-1") && deleted.contains(&"id-2"), "{records:?}");
}
