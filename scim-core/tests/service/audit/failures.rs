//! Sinks and stores that fail, and requests that are dropped.

use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use scim_core::audit::{Audit, OnFailure, Record};
use scim_core::projection::Projection;
use scim_core::store::{StoreError, Terms};
use scim_core::testkit::{Call, Hooked, Hooks, wait_once};
use scim_core::{MemoryStore, Store};
use serde_json::json;

use super::{Kept, audited};
use crate::support::{config, request, server, server_over, user};

#[test]
fn a_sink_that_fails_is_reported() {
    let (server, kept) = audited(server());
    kept.fail(true);
    let answer = server.post("/Users", user("babs"));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.outcome.unrecorded.unwrap().to_string(), "the disk is full");
    // So is one that fails to take a refusal, also in a bulk request.
    assert!(server.post("/Users", user("babs")).outcome.unrecorded.is_some());
    let operations = json!([{"method": "DELETE", "path": "/Users/id-9"}]);
    let bulk =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    assert!(server.post("/Bulk", bulk).outcome.unrecorded.is_some());
    kept.fail(false);
    let answer = server.post("/Users", user("carl"));
    assert!(answer.outcome.unrecorded.is_none());
    assert_eq!(kept.take().len(), 1);
}

#[test]
fn what_cannot_be_recorded_is_refused_if_so_configured() {
    let kept = Kept::default();
    let server = server().with_audit(Audit::new(kept.clone()).on_failure(OnFailure::Refuse));
    let effects = || kept.json().into_iter().map(|record| record["effect"].clone()).collect::<Vec<_>>();
    server.user("babs");
    let [intended, created] = <[Record; 2]>::try_from(kept.take()).unwrap();
    assert_eq!((intended.status, created.status), (None, Some(http::StatusCode::CREATED)));
    assert_eq!((&intended.changes, intended.resource), (&created.changes, created.resource));
    kept.fail(true);
    for (method, path, body) in [
        ("POST", "/Users", Some(user("carl"))),
        ("PUT", "/Users/id-1", Some(user("bob"))),
        ("DELETE", "/Users/id-1", None),
    ] {
        let answer = server.send(method, path, body);
        answer.refused(503, None, "the service cannot answer now; try again later");
        assert!(answer.outcome.cause.is_some());
    }
    kept.fail(false);
    let list = server.get("/Users").json();
    assert_eq!((&list["totalResults"], &list["Resources"][0]["userName"]), (&json!(1), &json!("babs")));
    assert!(kept.take().is_empty());
    // What was intended and not made is withdrawn, or refused.
    server.group("g", &["id-1"]);
    kept.take();
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "id-1"}]}]);
    server.patch("/Groups/id-3", add);
    assert_eq!(effects(), ["intended", "withdrawn"]);
    server.post("/Users", user("babs"));
    assert_eq!(effects(), ["intended", "refused"]);
}

/// Waits once before each read and change, keeps the audit trail where it is told to, and fails where it is told
/// to.
#[derive(Default)]
struct Slow {
    /// The store within.
    store: MemoryStore,
    keeps: AtomicBool,
    records: Mutex<Vec<Record>>,
    races: AtomicUsize,
    broken: AtomicBool,
    reads_of_members: AtomicUsize,
}

impl Hooks for Slow {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        match call {
            Call::Read { scope, projection, .. } => {
                if projection.includes(scope.schema, None, "members") {
                    self.reads_of_members.fetch_add(1, Ordering::SeqCst);
                }
            }
            Call::Change { terms, .. } => {
                assert_eq!(terms.record.is_some(), self.keeps_audit());
                if self.broken.load(Ordering::SeqCst) {
                    return Err(StoreError::Unavailable("the cable is cut".into()));
                }
                let fewer = |races: usize| races.checked_sub(1);
                if self.races.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok() {
                    return Err(StoreError::VersionMismatch);
                }
            }
            _ => return Ok(()),
        }
        wait_once().await;
        Ok(())
    }

    async fn after(&self, call: Call<'_>) -> Result<(), StoreError> {
        match call {
            Call::Change { scope, modification, terms: Terms { record: Some(record), .. } } => {
                let id = modification.id().unwrap();
                let now = self.store.read(scope, &id, &Projection::without("members")).await?;
                let version = now.and_then(|now| now.version());
                self.records.lock().unwrap().push(record.in_version(version).into_owned());
            }
            Call::Keep { record } => self.records.lock().unwrap().push(record.clone()),
            _ => {}
        }
        Ok(())
    }

    fn keeps_audit(&self) -> bool {
        self.keeps.load(Ordering::SeqCst)
    }
}

fn slow() -> Hooked<MemoryStore, Slow> {
    let store = MemoryStore::new();
    Hooked { hooks: Slow { store: store.clone(), ..Slow::default() }, store }
}

/// What `future` comes to in `polls` polls, before it is dropped.
fn polled<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

#[test]
fn a_request_that_is_dropped_while_the_store_works_is_recorded() {
    let (server, kept) = audited(server_over(slow(), config()));
    assert!(polled(server.service.call(request("POST", "/Users", Some(user("babs")))), 1).is_none());
    let record = kept.one();
    assert_eq!([&record["effect"], &record["resource"]], ["interrupted", "id-1"]);
    assert_eq!(record.get("status"), None);
    assert_eq!(record["changes"][1], json!({"attribute": "userName", "after": "babs"}));
    assert!(polled(server.service.call(request("POST", "/Users", Some(user("babs")))), 2).is_some());
    assert_eq!(kept.one()["effect"], "created");
    // One that is dropped while it reads changed nothing.
    assert!(polled(server.service.call(request("DELETE", "/Users/id-2", None)), 1).is_none());
    assert!(kept.take().is_empty());
    assert!(polled(server.service.call(request("DELETE", "/Users/id-2", None)), 2).is_none());
    assert_eq!(kept.one()["effect"], "interrupted");
}

#[test]
fn a_store_keeps_the_record_with_the_change() {
    let store = std::sync::Arc::new(slow());
    store.hooks.keeps.store(true, Ordering::SeqCst);
    let (server, kept) = audited(server_over(std::sync::Arc::clone(&store), config()));
    let call = |method: &str, path: &str, body| {
        polled(server.service.call(request(method, path, body)), 20).unwrap().status().as_u16()
    };
    assert_eq!(call("POST", "/Users", Some(user("babs"))), 201);
    assert_eq!(call("POST", "/Users", Some(user("babs"))), 409);
    store.hooks.races.store(3, Ordering::SeqCst);
    assert_eq!(call("PUT", "/Users/id-1", Some(user("bob"))), 200);
    store.hooks.broken.store(true, Ordering::SeqCst);
    assert_eq!(call("DELETE", "/Users/id-1", None), 503);
    let records = store.hooks.records.lock().unwrap().clone();
    let effects: Vec<_> = records.iter().map(|record| record.effect.as_str()).collect();
    assert_eq!(effects, ["created", "refused", "changed", "failed"]);
    assert_eq!(records, kept.take(), "the sink is told of the same");
}

/// P7: the members are not read for the sake of the record.
#[test]
fn members_are_not_read_for_the_record() {
    let reads = |audit: bool| {
        let store = std::sync::Arc::new(slow());
        let server = server_over(std::sync::Arc::clone(&store), config());
        let server = if audit { audited(server).0 } else { server };
        let call = |method: &str, path: &str, body| {
            polled(server.service.call(request(method, path, body)), 20).unwrap().status().as_u16()
        };
        assert_eq!(call("POST", "/Users", Some(user("babs"))), 201);
        let group = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "g", "members": [{"value": "id-1"}],
        });
        assert_eq!(call("POST", "/Groups", Some(group)), 201);
        let patch = |operations| Some(crate::support::patch_op(operations));
        let excluded = "/Groups/id-2?excludedAttributes=members";
        let remove = json!([{"op": "remove", "path": "members[value eq \"id-1\"]"}]);
        assert_eq!(call("PATCH", excluded, patch(remove)), 200);
        let add = json!([{"op": "add", "path": "members", "value": [{"value": "id-1"}]}]);
        assert_eq!(call("PATCH", excluded, patch(add)), 200);
        assert_eq!(call("DELETE", "/Groups/id-2", None), 204);
        store.hooks.reads_of_members.load(Ordering::SeqCst)
    };
    assert_eq!(reads(true), reads(false));
}
