//! Where the hooks of a policy are called, and what they can do.

use std::sync::{Arc, Mutex};

use scim_core::audit::{Audit, JsonLines};
use scim_core::message::ERROR;
use scim_core::patch::{Op, PatchRequest};
use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::service::{Operation, Outcome};
use scim_core::{Error, Object, Resource, ScimType, Value};
use scim_filter::BoundFilter;
use serde_json::json;

use crate::support::{Server, request, server, user};

/// `active: false` deletes; the owner cannot be deleted; titles are in capitals; no filters but
/// one term; errors are the vendor's.
struct Vendor;

impl Policy for Vendor {
    fn admit(
        &self,
        context: &Context<'_>,
        write: Write<'_>,
        resource: &mut Resource,
    ) -> Result<Admission, Error> {
        assert_eq!(context.principal.tenant.as_str(), "acme");
        if context.schema.name() != "User" {
            if resource.get("displayName").and_then(Value::as_str) == Some("Nobody") {
                resource.0.insert("members", Vec::new());
            }
            return Ok(Admission::Store);
        }
        if resource.get("active").and_then(Value::as_bool) == Some(false) {
            return match write {
                Write::Create => {
                    Err(Error::bad_request(ScimType::InvalidValue, "`active` must not be false"))
                }
                Write::Replace(_) | Write::Patch(_) => Ok(Admission::Delete),
            };
        }
        if let Some(title) = resource.get("title").and_then(Value::as_str).map(str::to_uppercase) {
            resource.0.insert("title", title);
        }
        if resource.get("displayName").is_none() {
            let name = resource.get("userName").and_then(Value::as_str).unwrap_or_default().to_owned();
            resource.0.insert("displayName", name);
        }
        if let Some(Value::Object(extension)) = resource.0.get_mut(ENTERPRISE) {
            extension.insert("costCenter", "4130");
            extension.remove("division");
        }
        resource.0.insert("id", "forged");
        resource.0.remove("meta");
        Ok(Admission::Store)
    }

    fn may_delete(&self, _: &Context<'_>, current: &Resource) -> Result<(), Error> {
        match current.get("userName").and_then(Value::as_str) {
            Some("owner") => Err(Error::new(http::StatusCode::FORBIDDEN, "the owner stays")),
            _ => Ok(()),
        }
    }

    fn may_filter(&self, _: &Context<'_>, filter: &BoundFilter) -> Result<(), Error> {
        match filter.expr() {
            scim_filter::BoundExpr::Compare(..) => Ok(()),
            _ => Err(Error::bad_request(ScimType::InvalidFilter, "one comparison at most")),
        }
    }

    fn render(&self, _: &Context<'_>, resource: &mut Resource) {
        resource.0.remove("externalId");
        if let Some(meta) = resource.0.get_mut("meta").and_then(Value::as_object_mut) {
            meta.retain(|name, _| name.matches("resourceType"));
        }
    }

    fn render_discovery(&self, document: &mut Object) {
        document.insert("vendor", true);
    }

    fn restate(&self, error: Error) -> Error {
        match error.scim_type() {
            Some(ScimType::Uniqueness) => error.with_status(http::StatusCode::BAD_REQUEST),
            _ => error,
        }
    }

    fn render_error(&self, error: &Error) -> Value {
        let mut body = Object::new();
        body.insert("errors", vec![Value::from(error.detail())]);
        body.into()
    }
}

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn vendor() -> Server<scim_core::MemoryStore, Vendor> {
    server().with_policy(Vendor)
}

#[test]
fn an_admitted_deletion_is_a_204() {
    let server = vendor();
    server.user("a");
    let answer = server.patch("/Users/id-1", json!([{"op": "replace", "path": "active", "value": false}]));
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    assert_eq!(server.get("/Users/id-1").status, 404);
    server.user("a");
    let mut body = user("a");
    body["active"] = json!(false);
    assert_eq!(server.put("/Users/id-2", body.clone()).status, 204);
    assert_eq!(server.get("/Users/id-2").status, 404);
    let answer = server.post("/Users", body);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json(), json!({"errors": ["`active` must not be false"]}));
}

#[test]
fn a_deletion_may_be_refused_by_every_route() {
    let server = vendor();
    server.user("owner");
    let mut inactive = user("owner");
    inactive["active"] = json!(false);
    for answer in [
        server.delete("/Users/id-1"),
        server.put("/Users/id-1", inactive),
        server.patch("/Users/id-1", json!([{"op": "replace", "value": {"active": false}}])),
    ] {
        assert_eq!(answer.status, 403, "{}", answer.text);
    }
    assert_eq!(server.get("/Users/id-1").status, 200);
}

#[test]
fn what_a_policy_completes_is_stored_by_every_write() {
    let server = vendor();
    let mut body = user("a");
    body["title"] = json!("boss");
    assert_eq!(server.post("/Users", body.clone()).json()["title"], "BOSS");
    body["title"] = json!("guide");
    server.put("/Users/id-1", body);
    assert_eq!(server.get("/Users/id-1").json()["title"], "GUIDE");
    let answer = server.patch("/Users/id-1", json!([{"op": "replace", "path": "title", "value": "clerk"}]));
    assert_eq!(answer.json()["title"], "CLERK");
    assert_eq!(server.get("/Users/id-1").json()["title"], "CLERK");
    // Completed although the operation says the opposite.
    server.patch("/Users/id-1", json!([{"op": "remove", "path": "displayName"}]));
    assert_eq!(server.get("/Users/id-1").json()["displayName"], "a");
    // Inside an extension, added and removed.
    let value = json!({"department": "Tours", "division": "x"});
    server.patch("/Users/id-1", json!([{"op": "add", "path": ENTERPRISE, "value": value}]));
    let user = server.get("/Users/id-1").json();
    assert_eq!(user[ENTERPRISE], json!({"department": "Tours", "costCenter": "4130"}));
}

#[test]
fn a_policy_may_rewrite_members_that_were_not_read() {
    let server = vendor();
    server.user("a");
    let path = format!("/Groups/{}", server.group("Staff", &["id-1"])["id"].as_str().unwrap());
    let rename = json!([
        {"op": "replace", "path": "displayName", "value": "Nobody"},
        {"op": "add", "path": "members", "value": [{"value": "id-1"}]},
    ]);
    let answer = server.patch(&path, rename);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let members = server.get(&path).json()["members"].as_array().map_or(0, Vec::len);
    assert_eq!(members, 0);
}

#[test]
fn a_patch_that_a_policy_undoes_changes_nothing() {
    let server = vendor();
    let mut body = user("a");
    body["title"] = json!("BOSS");
    let etag = server.post("/Users", body).headers["etag"].clone();
    let answer = server.patch("/Users/id-1", json!([{"op": "replace", "path": "title", "value": "boss"}]));
    assert_eq!(answer.headers["etag"], etag);
}

#[test]
fn a_policy_cannot_touch_id_and_meta() {
    let server = vendor();
    let answer = server.post("/Users", user("a"));
    assert_eq!(answer.json()["id"], "id-1");
    assert_eq!(answer.header("etag"), Some("W/\"1\""));
    assert_eq!(server.put("/Users/id-1", user("b")).header("etag"), Some("W/\"2\""));
    let answer = server.patch("/Users/id-1", json!([{"op": "add", "path": "title", "value": "X"}]));
    assert_eq!((answer.header("etag"), &answer.json()["id"]), (Some("W/\"3\""), &json!("id-1")));
}

#[test]
fn a_policy_judges_filters_and_reshapes_what_goes_out() {
    let server = vendor();
    let mut body = user("a");
    body["externalId"] = json!("e");
    for answer in [server.post("/Users", body), server.get("/Users/id-1")] {
        let user = answer.json();
        assert_eq!(user["meta"], json!({"resourceType": "User"}));
        assert_eq!(user.get("externalId"), None);
    }
    let found = server.get("/Users?filter=externalId+eq+%22e%22").json();
    assert_eq!((&found["totalResults"], found["Resources"][0].get("externalId")), (&json!(1), None));
    let answer = server.get("/Users?filter=userName+pr");
    assert_eq!((answer.status.as_u16(), answer.json()), (400, json!({"errors": ["one comparison at most"]})));
    assert_eq!(server.get("/ServiceProviderConfig").json()["vendor"], true);
    assert_eq!(server.get("/Schemas").json()["Resources"][0]["vendor"], true);
}

#[test]
fn errors_are_restated_and_rendered_the_vendors_way() {
    let server = vendor();
    server.user("a");
    let answer = server.post("/Users", user("A"));
    assert_eq!(answer.status, 400);
    assert!(!answer.text.contains(ERROR));
    assert_eq!(answer.outcome.error.unwrap().status(), 409, "the outcome has the error as it was");
    let mut unauthenticated = request("GET", "/Users", None);
    unauthenticated.headers_mut().remove("authorization");
    let answer = server.call(unauthenticated);
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (401, json!({"errors": ["no credential was given"]}))
    );
    assert!(answer.header("www-authenticate").is_some());
}

/// Takes a required value out, and says who is who by another name.
struct Careless;

impl Policy for Careless {
    fn admit(&self, _: &Context<'_>, write: Write<'_>, resource: &mut Resource) -> Result<Admission, Error> {
        if write.current().is_some() {
            resource.0.remove("userName");
        }
        Ok(Admission::Store)
    }
}

#[test]
fn what_a_policy_leaves_incomplete_is_not_stored() {
    let server = server().with_policy(Careless);
    let before = server.user("a");
    for answer in [
        server.put("/Users/id-1", user("b")),
        server.patch("/Users/id-1", json!([{"op": "add", "path": "title", "value": "x"}])),
    ] {
        answer.refused(400, Some("invalidValue"), "`userName` is required");
    }
    assert_eq!(server.get("/Users/id-1").json(), before);
}

/// Only looks: everything is as [`Policy`] provides it.
struct Provided;

impl Policy for Provided {}

#[test]
fn a_password_is_kept_by_no_policy_that_does_not_say_so() {
    let server = server().with_policy(Provided);
    let mut body = user("a");
    body["password"] = json!("t1meMa$heen");
    let answer = server.post("/Users", body.clone());
    assert_eq!(answer.status, 201, "{}", answer.text);
    for answer in [
        server.put("/Users/id-1", body),
        server.patch("/Users/id-1", json!([{"op": "add", "path": "password", "value": "t1meMa$heen"}])),
    ] {
        // Nothing was stored, so nothing changed.
        assert_eq!(answer.header("etag"), Some("W/\"1\""), "{}", answer.text);
    }
}

/// Fills in the extension that clients leave out.
struct Department;

impl Policy for Department {
    fn admit(&self, _: &Context<'_>, _: Write<'_>, resource: &mut Resource) -> Result<Admission, Error> {
        if !resource.0.contains(ENTERPRISE) && resource.get("title").is_some() {
            resource.0.insert(ENTERPRISE, Object::from_iter([("department", "Sales")]));
        }
        Ok(Admission::Store)
    }
}

#[test]
fn schemas_list_an_extension_that_a_policy_adds() {
    let both = json!(["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE]);
    let server = server().with_policy(Department);
    let mut body = user("a");
    body["title"] = json!("clerk");
    assert_eq!(server.post("/Users", body.clone()).json()["schemas"], both);
    assert_eq!(server.put("/Users/id-1", body).json()["schemas"], both);
    assert_eq!(server.post("/Users", user("b")).json()["schemas"], json!([both[0]]));
    let answer = server.patch("/Users/id-2", json!([{"op": "add", "path": "title", "value": "clerk"}]));
    assert_eq!(answer.json()["schemas"], both);
    assert_eq!(server.get("/Users/id-2").json()[ENTERPRISE], json!({"department": "Sales"}));
}

/// Nobody is taken a title from, of a taken name the status depends on the request, and titles are
/// remarked on.
struct Remarks;

impl Policy for Remarks {
    fn admit(&self, _: &Context<'_>, _: Write<'_>, resource: &mut Resource) -> Result<Admission, Error> {
        resource.0.remove("title");
        Ok(Admission::Store)
    }

    fn remarks(&self, _: &Context<'_>, write: Write<'_>, asked: &Resource) -> Vec<String> {
        let title = asked.get("title").and_then(Value::as_str);
        let before = if write.current().is_some() { "there" } else { "new" };
        title.map(|title| format!("{before}: `{title}` is dropped")).into_iter().collect()
    }

    fn may_patch(&self, context: &Context<'_>, request: &PatchRequest) -> Result<(), Error> {
        assert_eq!(context.schema.name(), "User");
        match request.ops().contains(&Op::Remove) {
            true => Err(Error::bad_request(ScimType::InvalidSyntax, "nothing is removed")),
            false => Ok(()),
        }
    }

    fn restate_for(&self, outcome: &Outcome, error: Error) -> Error {
        let gone = outcome.operation == Some(Operation::Create);
        if gone { error.with_status(http::StatusCode::GONE) } else { error }
    }
}

#[test]
fn remarks_are_in_the_outcome_and_in_the_audit_trail() {
    let records = Arc::<Mutex<Vec<u8>>>::default();
    let server = server().with_policy(Remarks).with_audit(Audit::new(JsonLines::new(Lines(records.clone()))));
    let mut body = user("a");
    body["title"] = json!("clerk");
    let answer = server.post("/Users", body.clone());
    assert_eq!(answer.outcome.remarks, ["new: `clerk` is dropped"]);
    body["userName"] = json!("b");
    assert_eq!(server.put("/Users/id-1", body.clone()).outcome.remarks, ["there: `clerk` is dropped"]);
    let write = json!([{"op": "Replace", "value": {"title": "x", "nickName": "n"}}]);
    assert_eq!(server.patch("/Users/id-1", write).outcome.remarks, ["there: `x` is dropped"]);
    // What is refused later was remarked on all the same.
    server.user("c");
    body["userName"] = json!("c");
    let answer = server.put("/Users/id-1", body);
    assert_eq!((answer.status.as_u16(), answer.outcome.remarks.len()), (409, 1));
    let remarks: Vec<_> = String::from_utf8(records.lock().unwrap().clone())
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["remarks"].clone())
        .collect();
    let there = json!(["there: `clerk` is dropped"]);
    assert_eq!(
        remarks,
        [
            json!(["new: `clerk` is dropped"]),
            there.clone(),
            json!(["there: `x` is dropped"]),
            json!(null),
            there
        ]
    );
}

/// What is left out of a request may be all of it: then nothing becomes different, and the remark has a record all the
/// same, once, also of an operation of a bulk request. Without a remark there is none.
#[test]
fn what_changes_nothing_has_a_record_where_it_is_remarked_on() {
    let records = Arc::<Mutex<Vec<u8>>>::default();
    let server = server().with_policy(Remarks).with_audit(Audit::new(JsonLines::new(Lines(records.clone()))));
    let told = || {
        let text = String::from_utf8(std::mem::take(&mut *records.lock().unwrap())).unwrap();
        let read = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        text.lines().map(read).collect::<Vec<_>>()
    };
    server.user("a");
    assert_eq!(told().len(), 1);
    let mut body = user("a");
    assert_eq!(server.put("/Users/id-1", body.clone()).status, 200);
    let nothing = json!([{"op": "replace", "path": "active", "value": true}]);
    server.patch("/Users/id-1", nothing.clone());
    told();
    assert_eq!(server.patch("/Users/id-1", nothing).status, 200);
    assert_eq!(told(), [json!(null); 0], "nothing was remarked on");

    body["title"] = json!("clerk");
    body["active"] = json!(true);
    assert_eq!(server.put("/Users/id-1", body).status, 200);
    let write = json!([{"op": "add", "path": "title", "value": "x"}]);
    assert_eq!(server.patch("/Users/id-1", write.clone()).status, 200);
    let of_bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "PATCH", "path": "/Users/id-1", "data": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": write,
        }}],
    });
    assert_eq!(server.post("/Bulk", of_bulk).status, 200);
    let records: Vec<_> = told()
        .into_iter()
        .map(|record| {
            assert_eq!((&record["resource"], &record["changes"]), (&json!("id-1"), &json!(null)), "{record}");
            let text = |name: &str| record[name].as_str().unwrap().to_owned();
            (text("operation"), text("effect"), record["status"].clone(), record["remarks"][0].clone())
        })
        .collect();
    let record = |operation: &str, title: &str| {
        let remark = format!("there: `{title}` is dropped");
        (operation.to_owned(), "unchanged".to_owned(), json!(200), json!(remark))
    };
    assert_eq!(records, [record("replace", "clerk"), record("patch", "x"), record("patch", "x")]);
}

/// Where records go in a test.
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn operations_are_judged_before_the_resource_is_looked_at() {
    let server = server().with_policy(Remarks);
    for path in ["/Users/id-1", "/Users/nobody"] {
        server.user(path.rsplit('/').next().unwrap());
        let remove = json!([{"op": "add", "path": "title", "value": "x"}, {"op": "Remove", "path": "title"}]);
        server.patch(path, remove).refused(400, Some("invalidSyntax"), "nothing is removed");
    }
}

#[test]
fn a_status_may_depend_on_the_request() {
    let server = server().with_policy(Remarks);
    server.user("a");
    server.user("b");
    assert_eq!(server.post("/Users", user("a")).status, 410);
    assert_eq!(server.put("/Users/id-2", user("a")).status, 409);
}
