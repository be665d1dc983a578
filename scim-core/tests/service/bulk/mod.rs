//! Bulk requests (RFC 7644 §3.7).

mod circle;
mod hooks;
mod large;
mod model;
mod order;
mod refusal;
mod sections;
mod silent;

use scim_core::Store;
use scim_core::policy::Policy;
use serde_json::{Value, json};

use crate::support::{Answer, Server};

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

impl<S: Store, P: Policy> Server<S, P> {
    /// A bulk request of these operations, which is answered as one.
    fn bulk(&self, operations: Value) -> Bulk {
        self.bulk_message(json!({ "schemas": [BULK_REQUEST], "Operations": operations }))
    }

    fn bulk_message(&self, message: Value) -> Bulk {
        let answer = self.post("/Bulk", message);
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]));
        assert_eq!(body.as_object().unwrap().len(), 2, "{}", answer.text);
        Bulk { results: body["Operations"].as_array().unwrap().clone(), answer }
    }

    /// The `value`s of the members of a group, sorted.
    fn members(&self, id: &str) -> Vec<String> {
        let group = self.get(&format!("/Groups/{id}")).json();
        let members = group["members"].as_array().cloned().unwrap_or_default();
        let mut ids: Vec<_> =
            members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }
}

/// What a bulk request was answered with.
struct Bulk {
    answer: Answer,
    results: Vec<Value>,
}

impl Bulk {
    fn statuses(&self) -> Vec<&str> {
        self.results.iter().map(|result| result["status"].as_str().unwrap()).collect()
    }

    /// The id of what the operation at `index` is about.
    fn id(&self, index: usize) -> String {
        let location =
            self.results[index]["location"].as_str().unwrap_or_else(|| panic!("{}", self.answer.text));
        location.rsplit('/').next().unwrap().to_owned()
    }

    /// Asserts that the operation at `index` was refused.
    #[track_caller]
    fn refused(&self, index: usize, status: u16, scim_type: Option<&str>, detail: &str) {
        let result = &self.results[index];
        assert_eq!(result["status"], json!(status.to_string()), "{result}");
        let response = &result["response"];
        assert_eq!(response["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]), "{result}");
        assert_eq!(response["status"], result["status"]);
        assert_eq!(response.get("scimType").and_then(Value::as_str), scim_type, "{result}");
        assert_eq!(response["detail"].as_str(), Some(detail));
    }
}

fn post_user(bulk_id: &str, name: &str) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": {"schemas": [USER], "userName": name}})
}

fn post_group(bulk_id: &str, name: &str, members: &[&str]) -> Value {
    json!({
        "method": "POST",
        "path": "/Groups",
        "bulkId": bulk_id,
        "data": {"schemas": [GROUP], "displayName": name, "members": values(members)},
    })
}

fn values(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

fn patch(path: &str, operations: Value) -> Value {
    json!({"method": "PATCH", "path": path, "data": crate::support::patch_op(operations)})
}
