//! Who comes into a group and who goes, in records.

use std::collections::BTreeSet;

use scim_core::store::{Deletion, Modification, Modified, Scope, StoreError, StoreLayer, Terms, Update};
use scim_core::{Config, MemoryStore, Store};
use serde_json::{Value, json};

use super::{GROUP, Kept, audited};
use crate::support::{config, server, server_over, server_with};

#[test]
fn members_are_recorded_by_what_came_and_went() {
    let (server, kept) = audited(server());
    for name in ["a", "b", "c", "d"] {
        server.user(name);
    }
    kept.take();
    let group = server.group("g", &["id-1", "id-2"]);
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let members = |record: &Value| {
        let changes = record["changes"].as_array().unwrap().iter();
        changes.filter(|change| change["attribute"] == "members").cloned().collect::<Vec<_>>()
    };
    let value = |id: &str| json!({"value": id, "type": "User"});
    assert_eq!(
        members(&kept.one()),
        [json!({"attribute": "members", "added": [value("id-1"), value("id-2")]})]
    );

    server.patch(
        &path,
        json!([
            {"op": "add", "path": "members", "value": [value("id-3")]},
            {"op": "remove", "path": "members[value eq \"id-1\"]"},
        ]),
    );
    let change = json!({"attribute": "members", "removed": ["id-1"], "added": [value("id-3")]});
    assert_eq!(kept.one()["changes"], json!([change]));

    let displayed = json!({"value": "id-3", "type": "User", "display": "C"});
    let body = json!({"schemas": [GROUP], "displayName": "g", "members": [value("id-4"), displayed]});
    assert_eq!(server.put(&path, body).status, 200);
    let record = kept.one();
    let change = json!({
        "attribute": "members", "removed": ["id-2", "id-3"], "added": [value("id-4"), displayed],
    });
    assert_eq!(record["changes"], json!([change]));

    server.patch(&path, json!([{"op": "replace", "path": "members", "value": [value("id-1")]}]));
    let change = json!({"attribute": "members", "removed": ["id-4", "id-3"], "added": [value("id-1")]});
    assert_eq!(kept.one()["changes"], json!([change]));

    // Of those asked for, who was one already did not come, and who was none did not go.
    server.patch(&path, json!([{"op": "add", "path": "members", "value": [value("id-1"), value("id-2")]}]));
    let change = json!({"attribute": "members", "added": [value("id-2")]});
    assert_eq!(kept.one()["changes"], json!([change]));
    server
        .patch(&path, json!([{"op": "remove", "path": "members", "value": [value("id-2"), value("id-3")]}]));
    assert_eq!(kept.one()["changes"], json!([{"attribute": "members", "removed": ["id-2"]}]));
    let named = json!([
        {"op": "replace", "path": "displayName", "value": "G"},
        {"op": "add", "path": "members", "value": [value("id-1")]},
    ]);
    server.patch(&path, named);
    assert_eq!(kept.one()["changes"], json!([{"attribute": "displayName", "before": "g", "after": "G"}]));

    server.patch(&path, json!([{"op": "add", "path": "members", "value": [value("id-2")]}]));
    kept.take();
    server.patch(&path, json!([{"op": "remove", "path": "members"}]));
    assert_eq!(kept.one()["changes"], json!([{"attribute": "members", "removed": ["id-1", "id-2"]}]));

    server.patch(&path, json!([{"op": "add", "path": "members", "value": [value("id-3"), value("id-4")]}]));
    kept.take();
    server.delete(&path);
    assert_eq!(members(&kept.one()), [json!({"attribute": "members", "removed": ["id-3", "id-4"]})]);
}

/// Whom a request does not name is counted, and of many the first thousand are named, whichever way they go; whom
/// it names is named.
#[test]
fn of_many_members_who_go_the_first_are_named() {
    let (server, kept) = audited(server_with(Config { check_members: false, ..config() }));
    let ids: Vec<String> = (0..2500).map(|number| format!("u{number}")).collect();
    let all: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    let group = |members: &[Value]| json!({"schemas": [GROUP], "displayName": "g", "members": members});
    let change = |kept: &Kept| {
        let record = kept.one();
        let mut changes = record["changes"].as_array().unwrap().iter();
        changes.find(|change| change["attribute"] == "members").unwrap().clone()
    };
    let first_went = |change: &Value, count: usize| {
        let named: Vec<&str> =
            change["removed"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        let different: BTreeSet<&&str> = named.iter().collect();
        assert_eq!((named.len(), different.len(), &change["removedCount"]), (1000, 1000, &json!(count)));
        assert!(named.iter().all(|id| ids.iter().any(|other| other == id)));
        assert_eq!(change.get("replaced"), None);
    };
    let path = format!("/Groups/{}", server.post("/Groups", group(&all)).json()["id"].as_str().unwrap());
    let created = change(&kept);
    assert_eq!((created["added"].as_array().unwrap().len(), created.get("addedCount")), (2500, None));

    server.put(&path, group(&all[..10]));
    first_went(&change(&kept), 2490);
    // Of those that are asked for, ten are there.
    server.patch(&path, json!([{"op": "add", "path": "members", "value": all}]));
    let added = change(&kept);
    assert_eq!((added["added"].as_array().unwrap().len(), &added["addedCount"]), (2500, &json!(2490)));
    server.patch(&path, json!([{"op": "replace", "path": "members", "value": all[..1]}]));
    let replaced = change(&kept);
    first_went(&replaced, 2499);
    assert_eq!((replaced.get("added"), replaced.get("addedCount")), (None, None), "it was one");
    server.patch(&path, json!([{"op": "add", "path": "members", "value": all[2..]}]));
    kept.take();
    server.patch(&path, json!([{"op": "remove", "path": "members", "value": all}]));
    let removed = change(&kept);
    assert_eq!(
        (removed["removed"].as_array().unwrap().len(), &removed["removedCount"]),
        (2500, &json!(2499))
    );
    server.patch(&path, json!([{"op": "add", "path": "members", "value": all}]));
    kept.take();
    server.delete(&path);
    first_went(&change(&kept), 2500);
}

/// What a store does not tell is recorded as it was asked for.
#[test]
fn a_store_that_does_not_tell_who_went_has_records_of_what_was_asked_for() {
    #[derive(Clone, Default)]
    struct Silent(MemoryStore);

    impl StoreLayer for Silent {
        type Behind = MemoryStore;

        fn behind(&self) -> &MemoryStore {
            &self.0
        }

        async fn change(
            &self,
            scope: Scope<'_>,
            modification: Modification<'_>,
            terms: Terms<'_>,
        ) -> Result<Modified, StoreError> {
            match modification {
                Modification::Apply { id, update, expected } => {
                    let update = &Update { members: None, ..update.clone() };
                    self.0.modify(scope, Modification::Apply { id, update, expected }, terms).await
                }
                Modification::Delete { id, deletion } => {
                    let deletion = Deletion { members: None, ..deletion };
                    self.0.modify(scope, Modification::Delete { id, deletion }, terms).await
                }
                other => self.0.modify(scope, other, terms).await,
            }
        }
    }

    let (server, kept) = audited(server_over(Silent::default(), config()));
    server.user("a");
    let group = server.group("g", &["id-1"]);
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    kept.take();
    let replace = json!([
        {"op": "replace", "path": "members", "value": []},
        {"op": "add", "path": "members", "value": [{"value": "id-1", "display": "A"}]},
    ]);
    server.patch(&path, replace);
    let change = json!({
        "attribute": "members", "replaced": true, "added": [{"value": "id-1", "type": "User", "display": "A"}],
    });
    assert_eq!(kept.one()["changes"], json!([change]));
    server.delete(&path);
    let changes = kept.one()["changes"].clone();
    assert!(changes.as_array().unwrap().iter().all(|change| change["attribute"] != "members"), "{changes}");
}
