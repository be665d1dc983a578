//! Writes of a version beside many that never lose a race.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use scim_core::MemoryStore;
use scim_core::store::StoreError;
use scim_core::testkit::{Call, Hooked, Hooks, wait_once};
use serde_json::{Value, json};

use crate::support::{Answer, answer, config, patch_op, request, server_over};

/// Lets others run between what is read and what is written, and counts the writes that are made for a version.
#[derive(Default)]
struct Polite {
    waits: AtomicUsize,
    of_a_version: AtomicUsize,
}

impl Polite {
    async fn wait(&self) -> Result<(), StoreError> {
        if self.waits.load(Ordering::SeqCst) > 0 {
            wait_once().await;
        }
        Ok(())
    }
}

impl Hooks for Polite {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        let Call::Change { modification, .. } = call else { return Ok(()) };
        self.of_a_version.fetch_add(modification.expected().is_some().into(), Ordering::SeqCst);
        self.wait().await
    }

    async fn after(&self, call: Call<'_>) -> Result<(), StoreError> {
        match call {
            Call::Read { .. } => self.wait().await,
            _ => Ok(()),
        }
    }
}

/// Makes one request beside sixteen clients who add and remove members of the group without a pause; its answer,
/// and how often it was tried.
fn beside_others(method: &str, path: &str, body: Option<Value>) -> (Answer, usize) {
    const OTHERS: usize = 16;
    let store = Arc::new(Hooked { store: MemoryStore::new(), hooks: Polite::default() });
    let server = server_over(Arc::clone(&store), config());
    for number in 0..=OTHERS {
        server.user(&format!("user{number}"));
    }
    assert_eq!(server.group("Staff", &[])["id"], "id-18");
    store.hooks.waits.store(1, Ordering::SeqCst);
    let changes = |number: usize| {
        let (server, user) = (&server, format!("id-{}", number + 1));
        let add = json!([{"op": "add", "path": "members", "value": [{"value": user}]}]);
        let remove = json!([{"op": "remove", "path": format!("members[value eq \"{user}\"]")}]);
        async move {
            for change in [add, remove].into_iter().cycle() {
                let change = request("PATCH", "/Groups/id-18?attributes=displayName", Some(patch_op(change)));
                let answer = answer(server.service.call(change).await);
                assert!([200, 204, 404].contains(&answer.status.as_u16()), "{}", answer.text);
            }
        }
    };
    let mut others: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
    others.extend((0..OTHERS).map(|number| Box::pin(changes(number)) as Pin<Box<_>>));
    let mut one = Box::pin(server.service.call(request(method, path, body)));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        others.iter_mut().for_each(|other| assert!(other.as_mut().poll(&mut context).is_pending()));
        if let Poll::Ready(response) = one.as_mut().poll(&mut context) {
            return (answer(response), store.hooks.of_a_version.load(Ordering::SeqCst));
        }
    }
    panic!("it is never made");
}

/// After three lost races it is made alone, and cannot lose.
#[test]
fn a_write_of_a_version_is_made_beside_any_number_of_others() {
    let group = "urn:ietf:params:scim:schemas:core:2.0:Group";
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Crew"}]);
    let both = json!([
        {"op": "replace", "path": "displayName", "value": "Crew"},
        {"op": "add", "path": "members", "value": [{"value": "id-17"}]},
    ]);
    let whole = json!({"schemas": [group], "displayName": "Crew", "members": [{"value": "id-17"}]});
    for (method, body, status) in [
        ("PATCH", Some(patch_op(rename)), 200),
        ("PATCH", Some(patch_op(both)), 200),
        ("PUT", Some(whole), 200),
        ("DELETE", None, 204),
    ] {
        let (answer, attempts) = beside_others(method, "/Groups/id-18", body);
        assert_eq!((answer.status.as_u16(), attempts), (status, 4), "{method}: {}", answer.text);
    }
}
