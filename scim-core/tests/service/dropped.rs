//! Requests that are dropped: a client left, and the server lets go of the future of its request.
//!
//! Each request is polled once, twice, … and then dropped, until it is answered, so that it is
//! dropped at every point where it waits. The store waits before and after each call.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use scim_core::MemoryStore;
use scim_core::audit::{Audit, Effect};
use scim_core::store::StoreError;
use scim_core::testkit::{AsProvided, Call, Hooked, Hooks, wait_once};
use serde_json::{Value, json};

use crate::audit::Kept;
use crate::support::{Server, answer, config, patch_op, request, server_over, user};

/// A store that makes a change of many calls, each of which is waited for before and after.
type Waiting = AsProvided<Hooked<MemoryStore, Waits>>;

#[derive(Default)]
struct Waits;

impl Hooks for Waits {
    async fn before(&self, _: Call<'_>) -> Result<(), StoreError> {
        wait_once().await;
        Ok(())
    }

    async fn after(&self, _: Call<'_>) -> Result<(), StoreError> {
        wait_once().await;
        Ok(())
    }
}

fn polled<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

struct Dropped {
    server: Server<Waiting>,
    kept: Kept,
}

impl Dropped {
    fn new() -> Self {
        let kept = Kept::default();
        let server = server_over(Waiting::default(), config()).with_audit(Audit::new(kept.clone()));
        Self { server, kept }
    }

    /// Sends a request, and drops it after this many polls; whether it was answered.
    fn drop_after(&self, polls: usize, method: &str, path: &str, body: Option<Value>) -> bool {
        polled(self.server.service.call(request(method, path, body)), polls).is_some()
    }

    fn send(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let response = polled(self.server.service.call(request(method, path, body)), 10_000).unwrap();
        let answer = answer(response);
        assert!(answer.status.is_success(), "{}", answer.text);
        if answer.text.is_empty() { Value::Null } else { answer.json() }
    }

    fn count(&self, endpoint: &str) -> u64 {
        self.send("GET", endpoint, None)["totalResults"].as_u64().unwrap()
    }
}

/// What a request makes of a resource: all of it, or nothing.
#[test]
fn a_dropped_write_is_made_or_not() {
    let writes: [(&str, Option<Value>); 3] = [
        (
            "PUT",
            Some(json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bob", "title": "Guide",
            })),
        ),
        (
            "PATCH",
            Some(patch_op(json!([
                {"op": "replace", "path": "userName", "value": "bob"}, {"op": "add", "path": "title", "value": "Guide"},
            ]))),
        ),
        ("DELETE", None),
    ];
    for (method, body) in writes {
        let (mut made, mut not) = (0, 0);
        for polls in 0.. {
            let dropped = Dropped::new();
            dropped.send("POST", "/Users", Some(user("babs")));
            dropped.kept.take();
            let answered = dropped.drop_after(polls, method, "/Users/id-1", body.clone());
            let list = dropped.send("GET", "/Users", None);
            let now = &list["Resources"][0];
            let is_made = match method {
                "DELETE" => list["totalResults"] == 0,
                _ => now["userName"] == "bob",
            };
            if method != "DELETE" {
                let title = if is_made { json!("Guide") } else { Value::Null };
                assert_eq!(
                    (&now["title"], &now["meta"]["version"] == "W/\"2\""),
                    (&title, is_made),
                    "{polls}"
                );
            }
            let effects: Vec<_> = dropped.kept.take().iter().map(|record| record.effect).collect();
            match effects.as_slice() {
                [] => assert!(!is_made, "{method} after {polls} polls: a change without record"),
                [Effect::Interrupted] => assert!(!answered),
                [Effect::Changed | Effect::Deleted] => assert!(is_made),
                effects => panic!("{effects:?}"),
            }
            // The name that is free now can be taken: nothing of the other write is left.
            let free = if is_made { "babs" } else { "bob" };
            dropped.send("POST", "/Users", Some(user(free)));
            *(if is_made { &mut made } else { &mut not }) += 1;
            if answered {
                break;
            }
        }
        assert!(made >= 2 && not >= 3, "{method}: dropped before and after the write: {not}, {made}");
    }
}

#[test]
fn of_a_dropped_bulk_request_whole_operations_stay() {
    let bulk = |operations: Value| {
        Some(
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}),
        )
    };
    let operation = |number| {
        let name = format!("u{number}");
        json!({"method": "POST", "path": "/Users", "bulkId": name, "data": user(&name)})
    };
    let operations: Value = (0..4).map(operation).collect();
    let mut counts = Vec::new();
    for polls in 0.. {
        let dropped = Dropped::new();
        let answered = dropped.drop_after(polls, "POST", "/Bulk", bulk(operations.clone()));
        let list = dropped.send("GET", "/Users", None);
        let names: Vec<_> =
            list["Resources"].as_array().unwrap().iter().map(|user| user["userName"].clone()).collect();
        assert_eq!(names, (0..names.len()).map(|number| format!("u{number}")).collect::<Vec<_>>());
        let records = dropped.kept.take();
        let created = records.iter().filter(|record| record.effect == Effect::Created).count();
        let interrupted = records.iter().filter(|record| record.effect == Effect::Interrupted).count();
        assert!(created <= names.len() && names.len() <= created + interrupted, "{polls}: {records:?}");
        counts.push(names.len());
        // The same request again makes what is missing.
        dropped.send("POST", "/Bulk", bulk(operations.clone()));
        assert_eq!(dropped.count("/Users"), 4, "{polls}");
        if answered {
            break;
        }
    }
    counts.dedup();
    assert_eq!(counts, [0, 1, 2, 3, 4]);
}

/// A read that is dropped has no trace, and what comes after it is answered.
#[test]
fn a_dropped_read_is_nothing() {
    for path in ["/Users", "/Users/id-1", "/", "/Users?filter=userName%20eq%20%22babs%22"] {
        for polls in 0.. {
            let dropped = Dropped::new();
            dropped.send("POST", "/Users", Some(user("babs")));
            dropped.kept.take();
            let answered = dropped.drop_after(polls, "GET", path, None);
            assert_eq!(dropped.count("/Users"), 1);
            assert!(dropped.kept.take().is_empty());
            if answered {
                break;
            }
        }
    }
}
