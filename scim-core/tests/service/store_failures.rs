//! What a store's failures become on the wire, and that none of its internals do.

use scim_core::patch::Change;
use scim_core::projection::Projection;
use scim_core::service::PatchResponse;
use scim_core::store::{Deletion, Modification, StoreError};
use scim_core::testkit::{Call, Hooked, Hooks};
use scim_core::{Config, MemoryStore, Store, Version};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{config, member, request, server_over, user};

/// The next writes or look-ups fail as told.
#[derive(Default)]
struct Faults {
    /// The store within.
    store: MemoryStore,
    query: Mutex<Option<StoreError>>,
    races: AtomicUsize,
    reads_of_members: AtomicUsize,
    /// The members that were read of all of a group.
    members_read: Mutex<Vec<Box<str>>>,
    /// Whether a resource is gone once a change was applied to it.
    vanishes: AtomicBool,
    /// The versions that changes were to be applied to.
    expected: Mutex<Vec<Option<Version>>>,
    /// Whether a group is renamed by another before a change is applied to it.
    renames: AtomicBool,
}

impl Hooks for Faults {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        let (scope, modification) = match call {
            Call::Read { scope, projection, .. } => {
                match projection.values_of("members") {
                    Some(named) => self.members_read.lock().unwrap().extend_from_slice(named),
                    None if scope.schema.name() == "Group"
                        && projection.includes(scope.schema, None, "members") =>
                    {
                        self.reads_of_members.fetch_add(1, Ordering::SeqCst);
                    }
                    None => {}
                }
                return Ok(());
            }
            Call::Query { .. } => return self.query.lock().unwrap().take().map_or(Ok(()), Err),
            Call::Change { modification: Modification::Create { .. }, .. } => return Ok(()),
            Call::Change { scope, modification, .. } => (scope, modification),
            _ => return Ok(()),
        };
        let fewer = |races: usize| races.checked_sub(1);
        if self.races.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok() {
            return Err(StoreError::VersionMismatch);
        }
        let Modification::Apply { id, update, expected } = modification else { return Ok(()) };
        self.expected.lock().unwrap().push(expected);
        if self.renames.swap(false, Ordering::SeqCst) {
            let mut group = self.store.read(scope, id, &Projection::default()).await?.unwrap();
            group.0.insert("displayName", "renamed");
            let version = group.version().unwrap();
            update.stamp(&mut group, version);
            self.store.replace(scope, &group, &[], version).await?;
        }
        Ok(())
    }

    async fn after(&self, call: Call<'_>) -> Result<(), StoreError> {
        match call {
            Call::Change { scope, modification: Modification::Apply { id, update, .. }, .. }
                if self.vanishes.load(Ordering::SeqCst) =>
            {
                let deletion = Deletion {
                    expected: None,
                    groups: &[],
                    last_modified: update.last_modified,
                    left: None,
                    members: None,
                };
                self.store.delete(scope, id, &deletion).await
            }
            _ => Ok(()),
        }
    }
}

fn faulty() -> Arc<Hooked<MemoryStore, Faults>> {
    let store = MemoryStore::new();
    Arc::new(Hooked { hooks: Faults { store: store.clone(), ..Faults::default() }, store })
}

#[test]
fn every_store_error_has_its_status_and_keeps_its_internals() {
    let secret =
        || -> Box<dyn std::error::Error + Send + Sync> { "db.internal:5432 password=hunter2".into() };
    let cases = [
        (StoreError::NotFound, 404, None),
        (StoreError::Conflict { attribute: "userName".to_owned() }, 409, Some("uniqueness")),
        (StoreError::VersionMismatch, 409, None),
        (StoreError::UnsupportedFilter("`title` is not indexed".to_owned()), 400, Some("invalidFilter")),
        (StoreError::Unavailable(secret()), 503, None),
        (StoreError::OutcomeUnknown(secret()), 503, None),
        (StoreError::Internal(secret()), 500, None),
    ];
    for (error, status, scim_type) in cases {
        let store = faulty();
        let (server, name) = (server_over(Arc::clone(&store), config()), format!("{error:?}"));
        *store.hooks.query.lock().unwrap() = Some(error);
        let answer = server.get("/Users");
        assert_eq!(answer.status, status, "{name}");
        assert_eq!(answer.json().get("scimType").and_then(|text| text.as_str()), scim_type, "{name}");
        assert!(!answer.text.contains("hunter2") && !answer.text.contains("5432"), "{}", answer.text);
        let again = Some("5").filter(|_| status == 503);
        assert_eq!(answer.header("retry-after"), again, "{name}");
        let cause = answer.outcome.cause.expect("the embedder sees the cause");
        assert_eq!(format!("{cause:?}"), name);
    }
}

#[test]
fn when_to_try_again_is_said_as_configured() {
    let waits =
        [(Some(Duration::from_millis(1_200)), Some("2")), (Some(Duration::ZERO), Some("0")), (None, None)];
    for (retry_after, said) in waits {
        let store = faulty();
        let server = server_over(Arc::clone(&store), Config { retry_after, ..config() });
        *store.hooks.query.lock().unwrap() = Some(StoreError::Unavailable("it is busy".into()));
        let answer = server.get("/Users");
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, said));
    }
}

#[test]
fn a_lost_race_is_run_again() {
    let store = faulty();
    let server = server_over(Arc::clone(&store), config());
    server.user("a");
    let title = json!([{"op": "add", "path": "title", "value": "x"}]);
    store.hooks.races.store(5, Ordering::SeqCst);
    assert_eq!(server.patch("/Users/id-1", title).status, 200);
    store.hooks.races.store(5, Ordering::SeqCst);
    assert_eq!(server.put("/Users/id-1", user("b")).status, 200);
    store.hooks.races.store(5, Ordering::SeqCst);
    assert_eq!(server.delete("/Users/id-1").status, 204);
    assert_eq!(store.hooks.races.load(Ordering::SeqCst), 0);
}

#[test]
fn a_race_is_not_run_for_ever() {
    let store = faulty();
    let server = server_over(Arc::clone(&store), config());
    server.user("a");
    store.hooks.races.store(usize::MAX, Ordering::SeqCst);
    let writes = [
        ("PUT", Some(user("b"))),
        ("PATCH", Some(crate::support::patch_op(json!([{"op": "add", "path": "title", "value": "x"}])))),
        ("DELETE", None),
    ];
    for (method, body) in writes {
        let before = store.hooks.races.load(Ordering::SeqCst);
        let answer = server.send(method, "/Users/id-1", body.clone());
        answer.refused(409, None, "the resource was changed by other requests meanwhile");
        assert_eq!(before - store.hooks.races.load(Ordering::SeqCst), 64, "{method}");
        // With If-Match there is one attempt, and losing it is a failed condition.
        let mut conditional = request(method, "/Users/id-1", body);
        conditional.headers_mut().insert("if-match", "W/\"1\"".parse().unwrap());
        assert_eq!(server.call(conditional).status, 412, "{method}");
        assert_eq!(before - store.hooks.races.load(Ordering::SeqCst), 65, "{method}");
    }
}

#[test]
fn members_are_not_read_to_add_or_remove_one() {
    let store = faulty();
    let mut config = config();
    config.patch_response = scim_core::service::PatchResponse::NoContent;
    let server = server_over(Arc::clone(&store), config);
    server.user("a");
    server.user("b");
    let path = format!("/Groups/{}", server.group("Staff", &["id-1"])["id"].as_str().unwrap());
    for operation in [
        json!({"op": "add", "path": "members", "value": [{"value": "id-2"}]}),
        json!({"op": "remove", "path": "members[value eq \"id-1\"]"}),
        json!({"op": "remove", "path": "members", "value": [{"value": "id-2"}]}),
        json!({"op": "replace", "path": "members", "value": [{"value": "id-1"}]}),
        json!({"op": "replace", "value": {"displayName": "Everyone"}}),
    ] {
        assert_eq!(server.patch(&path, json!([operation])).status, 204, "{operation}");
        assert_eq!(store.hooks.reads_of_members.load(Ordering::SeqCst), 0, "{operation}");
    }
    assert_eq!(server.get(&format!("{path}?excludedAttributes=members")).status, 200);
    assert_eq!(server.delete(&path).status, 204);
    assert_eq!(store.hooks.reads_of_members.load(Ordering::SeqCst), 0);
}

/// P6, P7: of the members those alone are read, and written, that the operations name by `value`.
#[test]
fn of_the_members_those_are_read_that_are_named() {
    let store = faulty();
    let config = Config { patch_response: PatchResponse::NoContent, ..config() };
    let server = server_over(Arc::clone(&store), config);
    ["a", "b", "c"].into_iter().for_each(|name| drop(server.user(name)));
    let path =
        format!("/Groups/{}", server.group("Staff", &["id-1", "id-2", "id-3"])["id"].as_str().unwrap());
    let name =
        |filter: &str| json!({"op": "replace", "path": format!("members[{filter}].display"), "value": "B"});
    let read_of = |operations: serde_json::Value, status: u16| {
        assert_eq!(server.patch(&path, operations.clone()).status, status, "{operations}");
        assert_eq!(store.hooks.reads_of_members.load(Ordering::SeqCst), 0, "{operations}");
        std::mem::take(&mut *store.hooks.members_read.lock().unwrap())
    };
    let ids = |ids: &[&str]| ids.iter().map(|id| Box::from(*id)).collect::<Vec<Box<str>>>();

    assert_eq!(read_of(json!([name("value eq \"id-2\"")]), 204), ids(&["id-2"]));
    let remove = json!({"op": "remove", "path": "members[value eq \"id-3\"]"});
    let add = json!({"op": "add", "path": "members", "value": [{"value": "id-1"}]});
    let named = json!([name("value eq \"id-2\" or value eq \"id-1\""), remove, add]);
    assert_eq!(read_of(named, 204), ids(&["id-2", "id-1", "id-3"]));
    let remove = json!([{"op": "remove", "path": "members[value eq \"id-1\" and type eq \"Group\"]"}]);
    assert_eq!(read_of(remove, 204), ids(&["id-1"]));
    // Who is not a member, though there is such a user, does not become one.
    assert_eq!(read_of(json!([name("value eq \"id-3\"")]), 400), ids(&["id-3"]));

    // What was planned on what was read is made on that version alone.
    let expected = std::mem::take(&mut *store.hooks.expected.lock().unwrap());
    assert_eq!(expected, [Some(Version(1)), Some(Version(2))]);
    let member = |id: &str| {
        let uri = format!("https://scim.example.com/scim/v2/Users/{id}");
        json!({"value": id, "display": "B", "type": "User", "$ref": uri})
    };
    assert_eq!(server.get(&path).json()["members"], json!([member("id-2"), member("id-1")]));
}

/// With 200, the default, it is the answer that reads the members, unless the client leaves them out.
#[test]
fn an_answer_without_members_does_not_read_them() {
    let store = faulty();
    let server = server_over(Arc::clone(&store), config());
    server.user("a");
    let path = format!("/Groups/{}", server.group("Staff", &[])["id"].as_str().unwrap());
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "id-1"}]}]);
    for parameter in ["excludedAttributes=members", "attributes=displayName"] {
        let answer = server.patch(&format!("{path}?{parameter}"), add.clone());
        assert_eq!((answer.status.as_u16(), answer.json().get("members")), (200, None), "{parameter}");
        assert_eq!(store.hooks.reads_of_members.load(Ordering::SeqCst), 0, "{parameter}");
    }
    let answer = server.patch(&path, add);
    assert_eq!(answer.json()["members"], json!([member("id-1")]));
    assert_eq!(store.hooks.reads_of_members.load(Ordering::SeqCst), 1);
}

#[test]
fn a_change_that_was_made_is_not_answered_with_404() {
    let store = faulty();
    let server = server_over(Arc::clone(&store), config());
    server.user("a");
    let path = format!("/Groups/{}", server.group("Staff", &[])["id"].as_str().unwrap());
    store.hooks.vanishes.store(true, Ordering::SeqCst);
    let answer = server.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": "id-1"}]}]));
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    assert_eq!(server.get(&path).status, 404);
}

#[test]
fn an_empty_change_is_not_sent_to_the_store() {
    assert!(Change::default().is_empty());
    let store = faulty();
    let server = server_over(Arc::clone(&store), config());
    server.user("a");
    store.hooks.races.store(usize::MAX, Ordering::SeqCst);
    let answer = server.patch("/Users/id-1", json!([{"op": "replace", "path": "userName", "value": "a"}]));
    assert_eq!(answer.status, 200, "nothing was written, so no race was lost: {}", answer.text);
    // Nor is what the policy takes out again.
    let answer = server.patch("/Users/id-1", json!([{"op": "add", "path": "password", "value": "a"}]));
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[test]
fn members_are_not_read_by_the_operations_of_a_bulk_request() {
    let store = faulty();
    let server = server_over(Arc::clone(&store), config());
    server.user("a");
    server.group("g", &["id-1"]);
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": "id-1"}]}],
    });
    let message = json!({"Operations": [
        {"method": "PATCH", "path": "/Groups/id-2", "data": patch},
        {"method": "DELETE", "path": "/Groups/id-2"},
    ]});
    let answer = server.post("/Bulk", message).json();
    assert_eq!([&answer["Operations"][0]["status"], &answer["Operations"][1]["status"]], ["200", "204"]);
    assert_eq!(store.hooks.reads_of_members.load(Ordering::SeqCst), 0);
}

#[test]
fn what_cannot_be_taken_back_is_told() {
    let store = faulty();
    let server = server_over(Arc::clone(&store), config());
    server.user("taken");
    let group = json!({"displayName": "g", "members": [{"value": "bulkId:u"}, {"value": "bulkId:h"}]});
    let host = json!({"displayName": "h", "members": [{"value": "bulkId:g"}]});
    let person = json!({
        "userName": "Taken",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:g"}},
    });
    let message = json!({"Operations": [
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group},
        {"method": "POST", "path": "/Groups", "bulkId": "h", "data": host},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": person},
    ]});
    // The first deletion fails: that of the group created last.
    store.hooks.races.store(1, Ordering::SeqCst);
    let answer = server.post("/Bulk", message);
    let results = answer.json()["Operations"].clone();
    let details: Vec<_> =
        results.as_array().unwrap().iter().map(|result| result["response"]["detail"].clone()).collect();
    assert_eq!(
        details,
        [
            "`bulkId:u`, to which it refers in a circle, could not be created",
            "the resource was changed by other requests meanwhile",
            "another resource has the same value of `userName`",
        ]
    );
    assert!(answer.outcome.operations[1].cause.is_some());
    let left = server.get("/Groups").json();
    assert_eq!((&left["totalResults"], &left["Resources"][0]["displayName"]), (&json!(1), &json!("h")));
}

/// Each operation needs the members or not; a change of members alone is made whatever the version
/// has become, and what is answered is what is there then.
#[test]
fn a_change_of_members_alone_is_of_no_version() {
    let store = faulty();
    let server = server_over(Arc::clone(&store), config());
    server.user("a");
    server.user("b");
    let path = format!("/Groups/{}", server.group("Staff", &[])["id"].as_str().unwrap());
    let members = |value: &[&str]| {
        let value: Vec<_> = value.iter().map(|id| json!({"value": id})).collect();
        json!({"op": "add", "path": "members", "value": value})
    };
    let of_version = |operation| {
        store.hooks.expected.lock().unwrap().clear();
        let answer = server.patch(&path, json!([operation]));
        assert_eq!(answer.status, 200, "{}", answer.text);
        store.hooks.expected.lock().unwrap().clone()
    };
    assert_eq!(of_version(members(&["id-1"])), [None]);
    assert_eq!(of_version(json!({"op": "remove", "path": "members[value eq \"id-1\"]"})), [None]);
    assert_eq!(of_version(json!({"op": "replace", "path": "members", "value": [{"value": "id-1"}]})), [None]);
    let version = |number| [Some(Version(number))];
    assert_eq!(of_version(json!({"op": "replace", "path": "displayName", "value": "All"})), version(4));
    let operation =
        json!({"op": "replace", "value": {"displayName": "Staff", "members": [{"value": "id-2"}]}});
    assert_eq!(of_version(operation), version(5));
    // Which members these are depends on the version.
    assert_eq!(of_version(json!({"op": "remove", "path": "members[type ne \"Group\"]"})), version(6));

    // A client that names the version means that one.
    store.hooks.expected.lock().unwrap().clear();
    let add = crate::support::patch_op(json!([members(&["id-1"])]));
    let mut conditional = request("PATCH", &path, Some(add));
    conditional.headers_mut().insert("if-match", "W/\"7\"".parse().unwrap());
    assert_eq!(server.call(conditional).status, 200);
    assert_eq!(*store.hooks.expected.lock().unwrap(), version(7));
    let any = crate::support::patch_op(json!([members(&["id-2"])]));
    let mut conditional = request("PATCH", &path, Some(any));
    conditional.headers_mut().insert("if-match", "*".parse().unwrap());
    assert_eq!(server.call(conditional).status, 200);
    assert_eq!(store.hooks.expected.lock().unwrap().last(), Some(&None));

    // Another renames the group between the read and the change: neither is lost, nor shown undone.
    store.hooks.renames.store(true, Ordering::SeqCst);
    let answer = server.patch(
        &format!("{path}?excludedAttributes=members"),
        json!([{
            "op": "remove", "path": "members[value eq \"id-2\"]",
        }]),
    );
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, Some("W/\"11\"")));
    assert_eq!(answer.json()["displayName"], "renamed");
    let group = server.get(&path).json();
    assert_eq!((&group["displayName"], &group["members"]), (&json!("renamed"), &json!([member("id-1")])));
}
