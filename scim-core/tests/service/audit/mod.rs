//! The audit trail: one record for each change, made or refused.

mod bulk;
mod failures;
mod members;
mod random;
mod secrets;

use std::sync::{Arc, Mutex};

use scim_core::audit::{Audit, JsonLines, OnFailure, Record, RequestId, Sink, SinkError};
use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::service::PatchResponse;
use scim_core::{Config, Error, MemoryStore, Resource, Store};
use serde_json::{Value, json};

use crate::support::{Server, config, request, server, server_over, server_with, user};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A sink that keeps what it is told, until it is told to fail.
#[derive(Clone, Default)]
pub(crate) struct Kept {
    records: Arc<Mutex<Vec<Record>>>,
    failing: Arc<Mutex<bool>>,
}

impl Sink for Kept {
    fn record(&self, record: &Record) -> Result<(), SinkError> {
        if *self.failing.lock().unwrap() {
            return Err("the disk is full".into());
        }
        self.records.lock().unwrap().push(record.clone());
        Ok(())
    }
}

impl Kept {
    /// What came since this was last asked.
    pub(crate) fn take(&self) -> Vec<Record> {
        std::mem::take(&mut self.records.lock().unwrap())
    }

    /// The same as JSON, without the time.
    fn json(&self) -> Vec<Value> {
        let json = |record: &Record| {
            let mut json = serde_json::to_value(record).unwrap();
            json.as_object_mut().unwrap().remove("time").unwrap();
            json
        };
        self.take().iter().map(json).collect()
    }

    /// The one record that came since this was last asked.
    #[track_caller]
    fn one(&self) -> Value {
        let [record] = <[Value; 1]>::try_from(self.json()).unwrap();
        record
    }

    fn fail(&self, fail: bool) {
        *self.failing.lock().unwrap() = fail;
    }
}

/// The server with an audit trail, and that.
fn audited<S: Store, P: Policy>(server: Server<S, P>) -> (Server<S, P>, Kept) {
    let kept = Kept::default();
    (server.with_audit(Audit::new(kept.clone())), kept)
}

/// The record with its changes by attribute.
fn sorted(mut record: Value) -> Value {
    let changes = record["changes"].as_array_mut().unwrap();
    changes.sort_by_key(|change| change["attribute"].as_str().map(str::to_owned));
    record
}

/// Of the groups that the deleted leave, the record has how many there are and the first, so that it stays
/// short.
#[test]
fn the_record_of_a_deletion_says_which_groups_are_left() {
    let (server, kept) = audited(server());
    server.user("ann");
    let groups: Vec<Value> = (0..130).map(|number| server.group(&format!("g{number}"), &["id-1"])).collect();
    assert_eq!(server.delete("/Groups/id-2").status, 204);
    kept.take();
    assert_eq!(server.delete("/Users/id-1").status, 204);
    let record = kept.one();
    assert_eq!((&record["effect"], &record["left"]["count"]), (&json!("deleted"), &json!(129)));
    let named = record["left"]["groups"].as_array().unwrap();
    let mut all: Vec<String> =
        groups[1..].iter().map(|group| format!("Group/{}", group["id"].as_str().unwrap())).collect();
    assert_eq!(named.len(), 100);
    all.retain(|group| !named.contains(&json!(group)));
    assert_eq!(all.len(), 29, "each is one of them, and named once");

    // Who is in no group leaves none.
    server.user("bob");
    kept.take();
    assert_eq!(server.delete("/Users/id-132").status, 204);
    assert_eq!(kept.one().get("left"), None);
}

#[test]
fn each_change_is_one_record() {
    let (server, kept) = audited(server());
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": "babs", "password": "s3cr3t!", "name": {"givenName": "Barbara"}, ENTERPRISE: {"department": "Tours"},
    });
    server.post("/Users", body);
    let record = json!({
        "tenant": "acme", "credential": "token of acme", "operation": "create", "effect": "created",
        "resourceType": "User", "resource": "id-1", "versionAfter": 1, "status": 201,
        "changes": [
            {"attribute": "name", "after": {"givenName": "Barbara"}},
            {"attribute": "schemas", "after": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE]},
            {"attribute": format!("{ENTERPRISE}:department"), "after": "Tours"},
            {"attribute": "userName", "after": "babs"},
        ],
    });
    assert_eq!(sorted(kept.one()), record);

    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "babs", "name": {"givenName": "Babs"},
    });
    server.put("/Users/id-1", body.clone());
    let record = json!({
        "tenant": "acme", "credential": "token of acme", "operation": "replace", "effect": "changed",
        "resourceType": "User", "resource": "id-1", "versionBefore": 1, "versionAfter": 2, "status": 200,
        "changes": [
            {"attribute": "name", "before": {"givenName": "Barbara"}, "after": {"givenName": "Babs"}},
            {
                "attribute": "schemas",
                "before": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
                "after": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            },
            {"attribute": format!("{ENTERPRISE}:department"), "before": "Tours"},
        ],
    });
    assert_eq!(sorted(kept.one()), record);

    server.patch(
        "/Users/id-1",
        json!([
            {"op": "Replace", "path": "active", "value": "False"},
            {"op": "add", "path": "userName", "value": "babs"},
            {"op": "remove", "path": "name"},
        ]),
    );
    let record = json!({
        "tenant": "acme", "credential": "token of acme", "operation": "patch", "effect": "changed",
        "resourceType": "User", "resource": "id-1", "versionBefore": 2, "versionAfter": 3, "status": 200,
        "leniencies": ["op-case", "boolean-string"],
        "changes": [
            {"attribute": "active", "after": false},
            {"attribute": "name", "before": {"givenName": "Babs"}},
        ],
    });
    assert_eq!(sorted(kept.one()), record);

    server.delete("/Users/id-1");
    let record = json!({
        "tenant": "acme", "credential": "token of acme", "operation": "delete", "effect": "deleted",
        "resourceType": "User", "resource": "id-1", "versionBefore": 3, "status": 204,
        "changes": [
            {"attribute": "active", "before": false},
            {"attribute": "schemas", "before": ["urn:ietf:params:scim:schemas:core:2.0:User"]},
            {"attribute": "userName", "before": "babs"},
        ],
    });
    assert_eq!(sorted(kept.one()), record);
}

#[test]
fn the_time_is_the_clocks_and_the_status_the_answers() {
    let (server, kept) =
        audited(server_with(Config { patch_response: PatchResponse::NoContent, ..config() }));
    let before = server.clock.load(std::sync::atomic::Ordering::SeqCst);
    server.user("babs");
    let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let millisecond = (kept.take()[0].time - start).total(jiff::Unit::Millisecond).unwrap() as u64;
    assert!(before <= millisecond && millisecond < server.clock.load(std::sync::atomic::Ordering::SeqCst));
    server.patch("/Users/id-1", json!([{"op": "add", "path": "title", "value": "Guide"}]));
    server.patch("/Users/id-1?attributes=title", json!([{"op": "remove", "path": "title"}]));
    assert_eq!(kept.json().iter().map(|record| record["status"].clone()).collect::<Vec<_>>(), [204, 200]);
}

#[test]
fn what_changes_nothing_has_no_record() {
    let (server, kept) = audited(server());
    server.user("babs");
    let group = server.group("g", &["id-1"]);
    kept.take();
    server.put("/Users/id-1", user("babs"));
    server.patch("/Users/id-1", json!([{"op": "replace", "path": "userName", "value": "babs"}]));
    // Only the store knows that this member is there already.
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "id-1"}]}]);
    assert_eq!(server.patch(&format!("/Groups/{}", group["id"].as_str().unwrap()), add).status, 200);
    for path in ["/Users", "/Users/id-1", "/Users/id-9", "/Schemas", "/"] {
        server.get(path);
    }
    server.post("/.search", json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}));
    assert_eq!(kept.json(), Vec::<Value>::new());
}

#[test]
fn what_is_refused_is_one_record_without_what_was_asked_for() {
    let (server, kept) = audited(server());
    server.user("babs");
    kept.take();
    let refused = |operation: &str, status: u16, scim_type: Option<&str>, resource: Option<&str>| {
        let mut record = json!({
            "tenant": "acme", "credential": "token of acme", "operation": operation, "effect": "refused",
            "resourceType": "User", "status": status,
        });
        let optional = [("scimType", scim_type), ("resource", resource)];
        for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            record[name] = value.into();
        }
        assert_eq!(kept.one(), record);
    };
    server.post("/Users", user("Babs"));
    refused("create", 409, Some("uniqueness"), None);
    server.post("/Users", json!({"userName": 7, "password": "s3cr3t!"}));
    refused("create", 400, Some("invalidValue"), None);
    server.put("/Users/id-9", user("bob"));
    refused("replace", 404, None, Some("id-9"));
    server.patch("/Users/id-1", json!([{"op": "remove", "path": "userName"}]));
    refused("patch", 400, Some("mutability"), Some("id-1"));
    let mut stale = request("DELETE", "/Users/id-1", None);
    stale.headers_mut().insert("if-match", "W/\"7\"".parse().unwrap());
    server.call(stale);
    refused("delete", 412, None, Some("id-1"));
    let mut text = request("PUT", "/Users/id-1", Some(user("babs")));
    text.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    server.call(text);
    refused("replace", 415, None, Some("id-1"));
    let mut broken = request("POST", "/Users", Some(user("babs")));
    *broken.body_mut() = "{".into();
    server.call(broken);
    refused("create", 400, Some("invalidSyntax"), None);
    let long = request("POST", &format!("/Users?{}", "x".repeat(20_000)), Some(user("carl")));
    assert_eq!(server.call(long).status, 414);
    assert!(kept.take().is_empty(), "refused before it is known what it is");
}

/// A request of nobody, and one for nothing, is no change.
#[test]
fn a_request_of_nobody_has_no_record() {
    let (server, kept) = audited(server());
    let mut nobody = request("POST", "/Users", Some(user("babs")));
    nobody.headers_mut().insert("authorization", "Bearer wrong".parse().unwrap());
    assert_eq!(server.call(nobody).status, 401);
    assert_eq!(server.post("/Nothing", user("babs")).status, 404);
    assert_eq!(server.delete("/Users").status, 405);
    assert!(kept.take().is_empty());
}

#[test]
fn a_request_id_is_the_embedders() {
    let (server, kept) = audited(server());
    let mut first = request("POST", "/Users", Some(user("babs")));
    first.extensions_mut().insert(RequestId::new("r-1"));
    let answer = server.call(first);
    assert_eq!(answer.outcome.request, Some(RequestId::new("r-1")));
    assert_eq!(kept.one()["request"], "r-1");
    server.delete("/Users/id-1");
    assert_eq!(kept.one().get("request"), None);
}

/// Who is deactivated is deleted, and who is called "nobody" is not stored.
struct Leavers;

impl Policy for Leavers {
    fn admit(&self, _: &Context<'_>, _: Write<'_>, user: &mut Resource) -> Result<Admission, Error> {
        user.0.insert("title", "Guide");
        let leaves = user.get("active").and_then(|active| active.as_bool()) == Some(false);
        let nobody = user.get("userName").and_then(|name| name.as_str()) == Some("nobody");
        Ok(if leaves || nobody { Admission::Delete } else { Admission::Store })
    }

    fn restate(&self, error: Error) -> Error {
        error.with_status(http::StatusCode::IM_A_TEAPOT)
    }
}

#[test]
fn what_a_policy_does_is_recorded_as_what_it_is() {
    let (server, kept) = audited(server().with_policy(Leavers));
    for (method, operation) in [("PATCH", "patch"), ("PUT", "replace")] {
        let user = server.user("babs");
        let created = kept.one();
        let added = created["changes"].as_array().unwrap().last().unwrap();
        assert_eq!(added, &json!({"attribute": "title", "after": "Guide"}), "by the policy");
        let path = format!("/Users/{}", user["id"].as_str().unwrap());
        let body = match method {
            "PATCH" => crate::support::patch_op(json!([{"op": "replace", "path": "active", "value": false}])),
            _ => json!({"schemas": user["schemas"], "userName": "babs", "active": false}),
        };
        assert_eq!(server.send(method, &path, Some(body)).status, 204);
        let record = kept.one();
        assert_eq!(
            [&record["operation"], &record["effect"], &record["resource"], &record["status"]],
            [&json!(operation), &json!("deleted"), &user["id"], &json!(204)],
        );
        assert_eq!(record["changes"][1], json!({"attribute": "userName", "before": "babs"}));
    }
    assert_eq!(server.post("/Users", user("nobody")).status, 204);
    assert!(kept.take().is_empty(), "nothing was stored");
    server.delete("/Users/id-9");
    assert_eq!(kept.one()["status"], 418, "as it was answered");
}

#[test]
fn records_are_lines_of_json() {
    /// What is written, and how often.
    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<(Vec<u8>, usize)>>);

    impl std::io::Write for Output {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let mut written = self.0.lock().unwrap();
            written.0.extend(bytes);
            written.1 += 1;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let output = Output::default();
    let server = server_over(MemoryStore::new(), config());
    let server = server.with_audit(Audit::new(JsonLines::new(output.clone())).on_failure(OnFailure::Report));
    for (name, title) in [("babs", "line\nbreak"), ("ünïcode", "ünïcode")] {
        let mut user = user(name);
        user["title"] = json!(title);
        assert_eq!(server.post("/Users", user).status, 201);
    }
    let (text, writes) = output.0.lock().unwrap().clone();
    assert_eq!(writes, 2, "a line is written at once, so that it is not mixed with others");
    let lines: Vec<Value> =
        String::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let titled = |line: &Value| {
        let changes = line["changes"].as_array().unwrap();
        let title = changes.iter().find(|change| change["attribute"] == "title").unwrap();
        title["after"].clone()
    };
    let titles: Vec<_> = lines.iter().map(titled).collect();
    assert_eq!(titles, ["line\nbreak", "ünïcode"]);
    assert_eq!(lines[0]["time"], "2026-01-01T00:00:00.001Z");
}
