//! Filters on the `groups` of users over groups that are too large to be read: which of their members are
//! groups is found without them, and who is a member is asked of each user.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod sql_support;

use std::sync::Arc;

use scim_core::membership::Hierarchy;
use scim_core::query::Query;
use scim_core::schema::Registry;
use scim_core::store::{Deletion, Scope, Store};
use scim_core::validate::unique_keys;
use scim_core::{Resource, ResourceId, TenantId, Value, Version};
use scim_examples::SqlStore;
use scim_filter::Filter;
use serde_json::json;
use sql_support::Postgres;

/// More members than are looked up one by one.
const MANY: usize = 12_000;

#[tokio::test]
async fn large_groups_are_filtered_by_in_sqlite() {
    check(&SqlStore::in_memory().await.unwrap()).await;
}

#[tokio::test]
async fn large_groups_are_filtered_by_in_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("large_groups").await;
    let store = SqlStore::connect(&url).await.unwrap();
    check(&store).await;
    store.close().await;
}

async fn check(store: &SqlStore) {
    let registry = Registry::standard();
    let tenant = TenantId::new("acme");
    let users = Scope { tenant: &tenant, schema: registry.by_name("User").unwrap() };
    let groups = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
    for name in ["ann", "bob", "cid", "dan"] {
        create(store, users, json!({"id": name, "userName": name})).await;
    }
    let many = (0..MANY).map(|number| format!("x{number}")).chain(["ann", "sub"].map(str::to_owned));
    create(store, groups, group("large", many)).await;
    create(store, groups, group("sub", ["bob", "large"].map(str::to_owned))).await;
    create(store, groups, group("top", ["large", "cid"].map(str::to_owned))).await;

    let base_url = "https://example.com".parse().unwrap();
    let hierarchy = Arc::new(Hierarchy::new(&registry, 16, &base_url));
    for (filter, expected) in [
        ("groups.value eq \"large\"", &["ann", "bob"][..]),
        ("groups eq \"top\"", &["ann", "bob", "cid"]),
        ("groups[value eq \"large\" and type eq \"direct\"]", &["ann"]),
        ("groups[value eq \"large\" and type eq \"indirect\"]", &["bob"]),
        ("not (groups.value eq \"large\")", &["cid", "dan"]),
        ("groups.value eq \"large\" and userName eq \"ann\"", &["ann"]),
        ("groups.value eq \"large\" or userName eq \"dan\"", &["ann", "bob", "dan"]),
        ("groups pr", &["ann", "bob", "cid"]),
        ("not (groups pr)", &["dan"]),
    ] {
        let bound = Filter::parse(filter).unwrap().bind(users.schema, &Default::default()).unwrap();
        let query = Query {
            filter: Some(bound),
            hierarchy: Some(Arc::clone(&hierarchy)),
            count: 10,
            ..Query::default()
        };
        let page = store.query(users, &query).await.unwrap();
        let found: Vec<String> = page.resources.iter().map(|user| user.id().unwrap().to_string()).collect();
        assert_eq!(
            (found.as_slice(), page.total),
            (to_owned(expected).as_slice(), Some(expected.len())),
            "{filter}"
        );
    }

    // Who leaves it does so by one row of it.
    let types = registry.group_types(users.schema);
    let deletion = Deletion {
        expected: None,
        groups: &types,
        last_modified: "2026-02-02T00:00:00Z",
        left: None,
        members: None,
    };
    store.delete(users, &ResourceId::new("ann"), &deletion).await.unwrap();
    let members = scim_core::projection::Projection::without("members");
    let large = store.read(groups, &ResourceId::new("large"), &members).await.unwrap().unwrap();
    assert_eq!(large.version(), Some(Version(2)));
}

fn to_owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn group(id: &str, members: impl IntoIterator<Item = String>) -> serde_json::Value {
    let members: Vec<_> = members.into_iter().map(|id| json!({"value": id})).collect();
    json!({"id": id, "displayName": id, "members": members})
}

async fn create(store: &SqlStore, scope: Scope<'_>, mut json: serde_json::Value) {
    json["meta"] = json!({"version": "W/\"1\"", "lastModified": "2026-01-01T00:00:00Z"});
    let Value::Object(object) = Value::from(json) else { panic!("an object") };
    let resource = Resource(object);
    store.create(scope, &resource, &unique_keys(scope.schema, &resource)).await.unwrap();
}
