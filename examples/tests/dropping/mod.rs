//! Requests over a database that are dropped at every point where they wait.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::service::Outcome;
use scim_core::{Config, CredentialId, Environment, ResourceId, Service, TenantId};
use serde_json::{Value, json};

use super::{AuditQuery, SqlStore};

const TOKEN: &str = "t0ken-of-the-tests";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Long enough for a busy machine; a lock that is left is waited for longer, and without a connection there is no answer.
const SOON: Duration = Duration::from_secs(20);

/// A future that is dropped once it was polled so often.
struct Dropped<F> {
    future: Option<Pin<Box<F>>>,
    polls: usize,
}

impl<F: Future> Future for Dropped<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = self.future.as_mut() else { return Poll::Ready(None) };
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        self.polls -= 1;
        if self.polls == 0 {
            self.future = None;
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}

struct Provider {
    service: Service<SqlStore, StaticTokens>,
    store: SqlStore,
}

impl Provider {
    fn new(store: SqlStore) -> Self {
        let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") };
        let tokens = StaticTokens::new().with(Secret::new(TOKEN).unwrap(), principal);
        let ids = AtomicUsize::new(1);
        let environment = Environment::new(jiff::Timestamp::now, move || {
            ResourceId::new(format!("id-{}", ids.fetch_add(1, Ordering::SeqCst)))
        });
        let config = Config::new("https://example.com/scim/v2".parse().unwrap());
        let store = store.with_audit();
        Self { service: Service::new(store.clone(), tokens, config, environment), store }
    }

    /// Sends a request and drops it after so many polls; its status, if it was answered.
    async fn drop_after(&self, polls: usize, method: &str, path: &str, body: &Value) -> Option<u16> {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/scim+json")
            .body(if body.is_null() { bytes::Bytes::new() } else { body.to_string().into() })
            .unwrap();
        let future = Some(Box::pin(self.service.call(request)));
        let answered = Dropped { future, polls }.await;
        answered.map(|response| response.status().as_u16())
    }

    /// Sends a request that must succeed, and soon: nothing holds what it needs.
    async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/scim+json")
            .body(if body.is_null() { bytes::Bytes::new() } else { body.to_string().into() })
            .unwrap();
        let response = tokio::time::timeout(SOON, Box::pin(self.service.call(request))).await;
        let response = response.expect("the store does not answer: something holds a lock or a connection");
        let outcome = response.extensions().get::<Outcome>();
        assert!(response.status().is_success(), "{method} {path}: {outcome:?}");
        serde_json::from_slice(response.body()).unwrap_or_default()
    }

    async fn versions(&self, kind: &str, id: &str) -> Vec<u64> {
        let wanted = AuditQuery {
            tenant: "acme".to_owned(),
            resource: Some((kind.to_owned(), id.to_owned())),
            ..AuditQuery::default()
        };
        let page = self.store.audit(&wanted).await.unwrap();
        let records = page.records.iter().map(|record| serde_json::from_str::<Value>(record).unwrap());
        records.filter_map(|record| record["versionAfter"].as_u64()).collect()
    }
}

/// A request, and what it makes of the group and its members.
type Case = (&'static str, Value, &'static str, &'static [&'static str]);

/// `settled` waits until the database has done with what it was asked for.
///
/// Each request is dropped after one poll, two, … until it is answered, on a group of its own.
pub(crate) async fn dropped_requests_are_made_or_not<F: Future<Output = ()>>(
    store: SqlStore,
    settled: impl Fn() -> F,
) {
    let provider = Provider::new(store);
    for name in ["a", "b", "c"] {
        provider.send("POST", "/Users", user(name)).await;
    }
    let patch = |operations: Value| json!({"schemas": [PATCH_OP], "Operations": operations});
    let member = |id: &str| json!({"value": id});
    let cases: [Case; 4] = [
        (
            "PATCH",
            patch(json!([
                {"op": "add", "path": "members", "value": [member("id-3")]},
                {"op": "remove", "path": "members[value eq \"id-1\"]"},
            ])),
            "before",
            &["id-2", "id-3"],
        ),
        (
            "PATCH",
            patch(json!([
                {"op": "replace", "path": "displayName", "value": "after"},
                {"op": "add", "path": "members", "value": [member("id-3")]},
            ])),
            "after",
            &["id-1", "id-2", "id-3"],
        ),
        (
            "PUT",
            json!({"schemas": [GROUP], "displayName": "after", "members": [member("id-3")]}),
            "after",
            &["id-3"],
        ),
        ("DELETE", Value::Null, "", &[]),
    ];
    for (method, body, name_after, members_after) in &cases {
        let (mut made, mut not) = (0, 0);
        for polls in 1.. {
            let group = json!({"schemas": [GROUP], "displayName": "before", "members": [member("id-1"), member("id-2")]});
            let created = provider.send("POST", "/Groups", group).await;
            let path = format!("/Groups/{}", id(&created));
            let answered = provider.drop_after(polls, method, &path, body).await;
            settled().await;
            // Whoever writes next is let in at once.
            let filter = format!("/Groups?filter=id%20eq%20%22{}%22", id(&created));
            provider.send("POST", "/Users", user(&format!("next-{}", uuid::Uuid::new_v4()))).await;
            let found = provider.send("GET", &filter, Value::Null).await;
            let versions = provider.versions("Group", id(&created)).await;
            let is_made = if *method == "DELETE" {
                found["totalResults"] == 0
            } else {
                let group = &found["Resources"][0];
                let members = group["members"].as_array().cloned().unwrap_or_default();
                let members: BTreeSet<&str> =
                    members.iter().map(|member| member["value"].as_str().unwrap()).collect();
                let is_made = group["meta"]["version"] == "W/\"2\"";
                let (name, expected) = if is_made {
                    (*name_after, members_after.iter().copied().collect())
                } else {
                    ("before", BTreeSet::from(["id-1", "id-2"]))
                };
                assert_eq!(
                    (group["displayName"].as_str().unwrap(), members),
                    (name, expected),
                    "{method} {polls}"
                );
                // The record is there exactly where the change is.
                assert_eq!(versions, if is_made { vec![1, 2] } else { vec![1] }, "{method} {polls}");
                is_made
            };
            *(if is_made { &mut made } else { &mut not }) += 1;
            if let Some(status) = answered {
                assert!(is_made && status < 300, "{method}: {status}");
                break;
            }
        }
        // SQLite may answer before the request looks, and then it waits nowhere.
        assert!(made >= 1, "{method}: {made} and {not}");
    }

    // A creation: found by its name, read by its id, listed; or not there, and its name is free.
    for polls in 1.. {
        let name = format!("new-{polls}");
        let answered = provider.drop_after(polls, "POST", "/Users", &user(&name)).await;
        settled().await;
        let filter = format!("/Users?filter=userName%20eq%20%22{name}%22");
        let found = provider.send("GET", &filter, Value::Null).await;
        match found["totalResults"].as_u64().unwrap() {
            0 => drop(provider.send("POST", "/Users", user(&name)).await),
            _ => {
                let found = id(&found["Resources"][0]).to_owned();
                provider.send("GET", &format!("/Users/{found}"), Value::Null).await;
                assert_eq!(provider.versions("User", &found).await, [1]);
            }
        }
        if answered.is_some() {
            break;
        }
    }

    // Of a bulk request the operations before the one that was dropped.
    for polls in 1.. {
        let names: Vec<_> = (0..3).map(|number| format!("bulk-{polls}-{number}")).collect();
        let operations: Value = names
            .iter()
            .map(|name| json!({"method": "POST", "path": "/Users", "bulkId": name, "data": user(name)}))
            .collect();
        let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
        let answered = provider.drop_after(polls, "POST", "/Bulk", &bulk).await;
        settled().await;
        let filter = format!("/Users?filter=userName%20sw%20%22bulk-{polls}-%22");
        let found = provider.send("GET", &filter, Value::Null).await;
        let found = found["Resources"].as_array().cloned().unwrap_or_default();
        let found: Vec<_> = found.iter().map(|user| user["userName"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found, names[..found.len()], "{polls}");
        if answered.is_some() {
            assert_eq!(found.len(), 3);
            break;
        }
    }
    provider.store.close().await;
}

fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

fn user(name: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name})
}
