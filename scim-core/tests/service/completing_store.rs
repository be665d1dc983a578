//! A store that completes what it is given, and refuses for reasons of its own.

use scim_core::membership::Membership;
use scim_core::projection::Projection;
use scim_core::query::Query;
use scim_core::store::{Deletion, Page, Scope, StoreError};
use scim_core::validate::UniqueKey;
use scim_core::{Error, MemoryStore, Resource, ResourceId, ScimType, Store, Version};
use serde_json::json;

use crate::support::{config, server_over, user};

/// Gives every user a number, and refuses those whose title is `nobody`.
#[derive(Default)]
struct Numbering(MemoryStore);

impl Numbering {
    fn number(resource: &Resource) -> Result<Resource, StoreError> {
        let mut resource = resource.clone();
        let title = resource.get("title").and_then(|title| title.as_str()).unwrap_or_default();
        if title == "nobody" {
            let detail = "nobody has a number";
            return Err(StoreError::Refused(Error::bad_request(ScimType::InvalidValue, detail)));
        }
        resource.0.insert("nickName", format!("number of {title}"));
        Ok(resource)
    }
}

impl Store for Numbering {
    async fn create(&self, scope: Scope<'_>, new: &Resource, unique: &[UniqueKey]) -> Result<(), StoreError> {
        self.0.create(scope, &Self::number(new)?, unique).await
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        self.0.read(scope, id, projection).await
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        self.0.query(scope, query).await
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        self.0.replace(scope, &Self::number(resource)?, unique, expected).await
    }

    async fn delete(&self, scope: Scope<'_>, id: &ResourceId, gone: &Deletion<'_>) -> Result<(), StoreError> {
        self.0.delete(scope, id, gone).await
    }

    async fn memberships(
        &self,
        groups: Scope<'_>,
        members: &[ResourceId],
    ) -> Result<Vec<Membership>, StoreError> {
        self.0.memberships(groups, members).await
    }

    fn completes(&self) -> bool {
        true
    }
}

#[test]
fn an_answer_has_what_the_store_completed() {
    let server = server_over(Numbering::default(), config());
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
    let server = server_over(Numbering::default(), config());
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
