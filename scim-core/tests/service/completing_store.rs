//! A store that completes what it is given, and refuses for reasons of its own.

use scim_core::projection::Projection;
use scim_core::store::{Modification, StoreError};
use scim_core::testkit::{Call, Hooked, Hooks};
use scim_core::validate::unique_keys;
use scim_core::{Error, MemoryStore, ScimType, Store, Value};
use serde_json::json;

use crate::support::{Server, config, server_over, user};

/// Gives every user a number, and refuses those whose title is `nobody`.
struct Numbering(MemoryStore);

impl Hooks for Numbering {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        let Call::Change { modification, .. } = call else { return Ok(()) };
        let title = match modification {
            Modification::Create { resource, .. } | Modification::Replace { resource, .. } => {
                resource.get("title")
            }
            Modification::Apply { update, .. } => {
                let mut writes = update.change.writes.iter();
                writes.find(|write| &*write.attribute == "title").and_then(|write| write.value.as_ref())
            }
            Modification::Delete { .. } => None,
        };
        match title.and_then(Value::as_str) {
            Some("nobody") => {
                let detail = "nobody has a number";
                Err(StoreError::Refused(Error::bad_request(ScimType::InvalidValue, detail)))
            }
            _ => Ok(()),
        }
    }

    async fn after(&self, call: Call<'_>) -> Result<(), StoreError> {
        let Call::Change { scope, modification, .. } = call else { return Ok(()) };
        let Some(mut user) = self.0.read(scope, &modification.id().unwrap(), &Projection::default()).await?
        else {
            return Ok(());
        };
        let title = user.get("title").and_then(Value::as_str).unwrap_or_default();
        let number = format!("number of {title}");
        user.0.insert("nickName", number);
        let version = user.version().unwrap();
        self.0.replace(scope, &user, &unique_keys(scope.schema, &user), version).await
    }

    fn completes(&self) -> bool {
        true
    }
}

fn numbering() -> Server<Hooked<MemoryStore, Numbering>> {
    let store = MemoryStore::new();
    server_over(Hooked { hooks: Numbering(store.clone()), store }, config())
}

#[test]
fn an_answer_has_what_the_store_completed() {
    let server = numbering();
    let mut body = user("bjensen");
    body["title"] = json!("one");
    let created = server.post("/Users", body.clone());
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.json()["nickName"], "number of one");
    let path = format!("/Users/{}", created.json()["id"].as_str().unwrap());
    assert_eq!(server.get(&path).json()["nickName"], "number of one");

    body["title"] = json!("two");
    let replaced = server.put(&path, body);
    assert_eq!((replaced.status.as_u16(), &replaced.json()["nickName"]), (200, &json!("number of two")));
    let title = json!([{"op": "replace", "path": "title", "value": "three"}]);
    let patched = server.patch(&path, title);
    assert_eq!((patched.status.as_u16(), &patched.json()["nickName"]), (200, &json!("number of three")));
    assert_eq!(patched.headers["etag"], server.get(&path).headers["etag"]);
}

#[test]
fn what_a_store_refuses_the_client_is_told() {
    let server = numbering();
    let mut body = user("bjensen");
    body["title"] = json!("nobody");
    let refused = server.post("/Users", body);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["scimType"], "invalidValue");
    assert_eq!(refused.json()["detail"], "nobody has a number");
    let id = server.post("/Users", user("bjensen")).json()["id"].as_str().unwrap().to_owned();
    let title = json!([{"op": "replace", "path": "title", "value": "nobody"}]);
    assert_eq!(server.patch(&format!("/Users/{id}"), title).status, 400);
    assert_eq!(server.get(&format!("/Users/{id}")).json()["title"], serde_json::Value::Null);
}
