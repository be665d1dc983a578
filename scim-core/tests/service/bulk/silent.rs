//! A store that falls silent in the middle of a bulk request is not asked again for what is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use scim_core::MemoryStore;
use scim_core::store::StoreError;
use scim_core::testkit::{Call, Hooked, Hooks};
use serde_json::{Value, json};

use super::{BULK_REQUEST, GROUP, patch, post_group, post_user};
use crate::support::{Server, config, server_over};

/// Answers so many calls and no more, and counts those that it does not answer. It keeps the audit trail.
#[derive(Default)]
struct Silent {
    answers: AtomicUsize,
    /// Of changes, records and look-ups.
    asked_in_vain: [AtomicUsize; 3],
    /// Whether the change that it does not answer may be made.
    is_made: AtomicBool,
}

impl Silent {
    fn asked_in_vain(&self) -> [usize; 3] {
        [0, 1, 2].map(|what| self.asked_in_vain[what].load(Ordering::SeqCst))
    }
}

impl Hooks for Silent {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        // A member of a circle is found as soon as it is there.
        if matches!(call, Call::Missing { .. }) {
            return Ok(());
        }
        let fewer = |left: usize| left.checked_sub(1);
        if self.answers.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok() {
            return Ok(());
        }
        let what = match call {
            Call::Change { .. } => 0,
            Call::Keep { .. } => 1,
            _ => 2,
        };
        self.asked_in_vain[what].fetch_add(1, Ordering::SeqCst);
        match self.is_made.load(Ordering::SeqCst) && what == 0 {
            true => Err(StoreError::OutcomeUnknown("silence".into())),
            false => Err(StoreError::Unavailable("silence".into())),
        }
    }

    fn keeps_audit(&self) -> bool {
        true
    }
}

type SilentStore = Arc<Hooked<MemoryStore, Silent>>;

fn silent_after(answers: usize) -> SilentStore {
    let hooks = Silent { answers: AtomicUsize::new(answers), ..Silent::default() };
    Arc::new(Hooked { store: MemoryStore::new(), hooks })
}

const UNAVAILABLE: &str = "the service cannot answer now; try again later";
const UNKNOWN: &str = "the service cannot tell whether the change was made; look before trying again";
const NOT_TRIED: &str =
    "the operation was not tried: the service could not answer one before it; try again later";

fn over(store: &SilentStore) -> Server<SilentStore> {
    server_over(Arc::clone(store), config())
}

fn people(count: usize) -> Vec<Value> {
    (0..count).map(|number| post_user(&format!("b{number}"), &format!("u{number}"))).collect()
}

#[test]
fn a_silent_store_is_asked_once() {
    let store = silent_after(2);
    let server = over(&store);
    let mut operations = people(500);
    // What needs no store is answered as ever; what refers to what is not created is not a conflict.
    operations[400] = json!({"method": "POST", "path": "/Nothing", "bulkId": "x", "data": {}});
    operations[401] = post_group("g", "Staff", &["bulkId:b7", "bulkId:b0"]);
    operations[402] = patch("/Users/id-1", json!([{"op": "add", "path": "title", "value": "x"}]));
    operations[403] = json!({"method": "DELETE", "path": "/Users/id-1"});
    let bulk = server.bulk(operations.into());
    assert_eq!(bulk.results.len(), 500);
    for (index, status) in bulk.statuses().into_iter().enumerate() {
        match index {
            0 | 1 => assert_eq!(status, "201"),
            2 => bulk.refused(2, 503, None, UNAVAILABLE),
            400 => assert_eq!(status, "404"),
            _ => bulk.refused(index, 503, None, NOT_TRIED),
        }
    }
    assert_eq!(store.hooks.asked_in_vain(), [1, 1, 0]);
    // The audit trail lacks those records, and it is said.
    assert!(bulk.answer.outcome.operations[2..].iter().all(|operation| operation.unrecorded.is_some()));
    let cause = bulk.answer.outcome.operations[2].cause.as_ref().unwrap();
    assert!(matches!(**cause, StoreError::Unavailable(_)));
}

#[test]
fn a_silent_store_is_asked_once_by_what_reads_first() {
    let store = silent_after(1);
    let server = over(&store);
    server.user("ann");
    let title = json!([{"op": "add", "path": "title", "value": "x"}]);
    let operations: Vec<Value> = (0..100).map(|_| patch("/Users/id-1", title.clone())).collect();
    let bulk = server.bulk(operations.into());
    bulk.refused(0, 503, None, UNAVAILABLE);
    (1..100).for_each(|index| bulk.refused(index, 503, None, NOT_TRIED));
    assert_eq!(store.hooks.asked_in_vain(), [0, 1, 1]);
}

#[test]
fn of_which_it_is_unknown_whether_it_was_made_is_said_of_one() {
    let store = silent_after(1);
    store.hooks.is_made.store(true, Ordering::SeqCst);
    let bulk = over(&store).bulk(people(3).into());
    assert_eq!(bulk.statuses(), ["201", "503", "503"]);
    bulk.refused(1, 503, None, UNKNOWN);
    bulk.refused(2, 503, None, NOT_TRIED);
    assert_eq!(store.hooks.asked_in_vain(), [1, 1, 0]);
}

#[test]
fn errors_are_counted_as_ever() {
    for (most, statuses) in [(1, &["201", "503"][..]), (3, &["201", "503", "503", "503"])] {
        let store = silent_after(1);
        let message = json!({"schemas": [BULK_REQUEST], "failOnErrors": most, "Operations": people(9)});
        let bulk = over(&store).bulk_message(message);
        assert_eq!(bulk.statuses(), statuses);
        assert_eq!(store.hooks.asked_in_vain(), [1, 1, 0]);
    }
}

/// What else goes wrong with an operation keeps none of the others from being tried.
#[test]
fn a_refusal_by_the_store_is_no_silence() {
    let store = silent_after(usize::MAX);
    let taken = post_user("again", "U0");
    let bulk = over(&store).bulk(json!([
        post_user("a", "u0"),
        taken,
        {"method": "DELETE", "path": "/Users/nobody"},
        {"method": "PUT", "path": "/Users/id-1", "version": "W/\"7\"", "data": {"userName": "x"}},
        post_user("b", "u1"),
    ]));
    assert_eq!(bulk.statuses(), ["201", "409", "404", "412", "201"]);
}

/// Of a circle what was created is taken back while the store answers: after the first deletion without an
/// answer the rest is left, and said to be.
#[test]
fn a_circle_is_taken_back_as_far_as_the_store_answers() {
    let groups = |needs: [&str; 4]| -> Value {
        let names = ["a", "b", "c", "d"];
        let circle = names.iter().zip(needs).map(|(name, needed)| {
            json!({"method": "POST", "path": "/Groups", "bulkId": name, "data": {
                "schemas": [GROUP], "displayName": name, "members": [{"value": format!("bulkId:{needed}")}],
            }})
        });
        circle.chain([post_user("u", "u")]).collect()
    };
    let store = silent_after(3);
    let bulk = over(&store).bulk(groups(["b", "c", "d", "a"]));
    assert_eq!(bulk.statuses(), ["503"; 5]);
    // The fourth creation, and the first deletion of three; the record of the one refused.
    assert_eq!(store.hooks.asked_in_vain(), [2, 1, 0]);
    let details: Vec<&str> =
        bulk.results.iter().map(|result| result["response"]["detail"].as_str().unwrap()).collect();
    let of = |detail: &str| details.iter().filter(|other| **other == detail).count();
    let left = "the resource may be left as it was created: the service cannot delete it now";
    assert_eq!((of(UNAVAILABLE), of(left), of(NOT_TRIED)), (2, 2, 1), "{details:?}");

    // Silent from the first creation on, nothing is to be taken back.
    let store = silent_after(0);
    let bulk = over(&store).bulk(groups(["b", "c", "d", "a"]));
    assert_eq!(bulk.statuses(), ["503"; 5]);
    assert_eq!(store.hooks.asked_in_vain(), [1, 1, 0]);
}
