//! A store that does the least: lists in memory, with what [`Store`] provides left as provided,
//! and more read and returned than was asked for.

use std::sync::{Arc, Mutex};

use scim_core::membership;
use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::query::Query;
use scim_core::store::{self, Deletion, Page, Scope, StoreError};
use scim_core::validate::UniqueKey;
use scim_core::{Error, Resource, ResourceId, Store, TenantId, Version, projection::Projection};
use serde_json::json;

use crate::support::{Server, config, member, ready, request, server_over, user};

/// The rows of one resource type of one tenant.
type Rows = (TenantId, String, Vec<Resource>);

#[derive(Default)]
pub(crate) struct Least(Mutex<Vec<Rows>>);

impl Least {
    fn with<T>(&self, scope: Scope<'_>, run: impl FnOnce(&mut Vec<Resource>) -> T) -> T {
        let mut all = self.0.lock().unwrap();
        let is = |rows: &Rows| rows.0 == *scope.tenant && rows.1 == scope.schema.name();
        let place = all.iter().position(is).unwrap_or_else(|| {
            all.push((scope.tenant.clone(), scope.schema.name().to_owned(), Vec::new()));
            all.len() - 1
        });
        run(&mut all[place].2)
    }

    fn check(&self, scope: Scope<'_>, new: &Resource, unique: &[UniqueKey]) -> Result<(), StoreError> {
        let all = self.0.lock().unwrap();
        let own = all.iter().filter(|rows| rows.0 == *scope.tenant);
        store::check_unique(scope, new, unique, own.flat_map(|rows| &rows.2))
    }
}

impl Store for Least {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        if self.with(scope, |rows| store::find(rows, resource.id().as_ref(), None)).is_ok() {
            return Err(StoreError::Conflict { attribute: "id".to_owned() });
        }
        self.check(scope, resource, unique)?;
        self.with(scope, |rows| rows.push(resource.clone()));
        Ok(())
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        _: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        Ok(self.with(scope, |rows| store::find(rows, Some(id), None).ok().map(|place| rows[place].clone())))
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        let all = Query { count: usize::MAX, projection: Projection::default(), ..query.clone() };
        Ok(self.with(scope, |rows| store::evaluate(scope.schema, &all, rows.iter())))
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        let place = self.with(scope, |rows| store::find(rows, resource.id().as_ref(), Some(expected)))?;
        self.check(scope, resource, unique)?;
        self.with(scope, |rows| rows[place] = resource.clone());
        Ok(())
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        self.with(scope, |rows| {
            let place = store::find(rows, Some(id), deletion.expected)?;
            deletion.note_members(&rows.remove(place));
            Ok::<_, StoreError>(())
        })?;
        for groups in deletion.groups {
            let scope = Scope { schema: groups, ..scope };
            self.with(scope, |rows| membership::leave(groups, rows, id, deletion));
        }
        Ok(())
    }
}

fn server() -> Server<Arc<Least>> {
    server_over(Arc::default(), config())
}

#[test]
fn a_list_of_resources_is_store_enough() {
    let server = server();
    for name in ["a", "b", "c"] {
        server.user(name);
    }
    let group = server.group("Staff", &["id-1"]);
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    server.post("/Users", user("A")).refused_naming(409, Some("uniqueness"), "`userName`");
    server.put("/Users/id-1", user("B")).refused_naming(409, Some("uniqueness"), "`userName`");
    // Its own name is not taken.
    assert_eq!(server.put("/Users/id-1", user("A")).status, 200);
    let answer = server.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": "id-2"}]}]));
    assert_eq!(answer.json()["members"], json!([member("id-1"), member("id-2")]));
    assert_eq!(answer.header("etag"), Some("W/\"2\""));
    server.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": "id-9"}]}])).refused(
        400,
        Some("invalidValue"),
        "`members` names `id-9`, and there is no such resource",
    );
    assert_eq!(server.delete("/Users/id-3").status, 204);
    assert_eq!(server.delete("/Users/id-3").status, 404);
}

#[test]
fn more_than_was_asked_for_is_not_answered() {
    let server = server();
    for name in ["a", "b", "c"] {
        server.user(name);
    }
    for path in ["/Users?startIndex=2&count=1&attributes=userName", "/Users?count=1&startIndex=2"] {
        let list = server.get(path).json();
        assert_eq!((&list["totalResults"], &list["itemsPerPage"]), (&json!(3), &json!(1)), "{path}");
        assert_eq!(list["Resources"].as_array().unwrap().len(), 1, "{path}");
        assert_eq!(list["Resources"][0]["userName"], "b", "{path}");
    }
    let path = format!("/Groups/{}", server.group("Staff", &["id-1"])["id"].as_str().unwrap());
    assert_eq!(server.get(&format!("{path}?excludedAttributes=members")).json().get("members"), None);
}

/// Finds `members` on either side of a write that does not need them.
struct Blind;

impl Policy for Blind {
    fn admit(&self, _: &Context<'_>, write: Write<'_>, resource: &mut Resource) -> Result<Admission, Error> {
        if let Write::Patch(current) = write {
            assert_eq!((current.get("members"), resource.get("members")), (None, None));
        }
        Ok(Admission::Store)
    }
}

#[test]
fn a_policy_never_sees_members_that_need_not_be_read() {
    let server = server().with_policy(Blind);
    server.user("a");
    server.user("b");
    let path = format!("/Groups/{}", server.group("Staff", &["id-1"])["id"].as_str().unwrap());
    let answer = server.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": "id-2"}]}]));
    assert_eq!(answer.json()["members"], json!([member("id-1"), member("id-2")]));
}

#[test]
fn a_write_as_provided_compares_the_version() {
    let server = server();
    server.user("a");
    let mut stale = request(
        "PATCH",
        "/Users/id-1",
        Some(crate::support::patch_op(json!([{"op": "add", "path": "title", "value": "x"}]))),
    );
    stale.headers_mut().insert("if-match", "W/\"7\"".parse().unwrap());
    assert_eq!(server.call(stale).status, 412);
}

/// What [`Store`] provides keeps the contract, and so do lists in memory with its help.
#[test]
fn the_least_that_is_a_store_keeps_the_contract() {
    ready(scim_core::testkit::run(|| async { Least::default() }));
}
