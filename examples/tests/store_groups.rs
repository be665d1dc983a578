//! Filters on the `groups` of users over groups that are too large to be read: which of their members are
//! groups is found without them, and who is a member is asked of each user.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod sql_support;

use std::sync::Arc;

use scim_core::membership::Hierarchy;
use scim_core::query::{Query, Start};
use scim_core::schema::Registry;
use scim_core::store::{Deletion, Page, Scope, Store};
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

#[tokio::test]
async fn pages_of_a_large_group_are_its_members_in_order_in_sqlite() {
    check_pages(&SqlStore::in_memory().await.unwrap()).await;
}

#[tokio::test]
async fn pages_of_a_large_group_are_its_members_in_order_in_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let store = SqlStore::connect(&postgres.database("pages").await).await.unwrap();
    check_pages(&store).await;
    store.close().await;
}

/// Pages that are told by the next users, and such behind many who are not in the group, forth and back.
async fn check_pages(store: &SqlStore) {
    let registry = Registry::standard();
    let tenant = TenantId::new("globex");
    let users = Scope { tenant: &tenant, schema: registry.by_name("User").unwrap() };
    let groups = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
    let is_member = |number: usize| number < 13 || (number > 180 && number.is_multiple_of(3));
    for number in 0..220 {
        let name = format!("u{number}");
        create(store, users, json!({"id": name, "userName": name})).await;
    }
    let expected: Vec<String> =
        (0..220).filter(|number| is_member(*number)).map(|number| format!("u{number}")).collect();
    let many = (0..MANY).map(|number| format!("x{number}"));
    create(store, groups, group("large", many.chain(expected.iter().cloned()))).await;

    let hierarchy = Hierarchy::new(&registry, 16, &"https://example.com".parse().unwrap());
    let bound = Filter::parse("groups.value eq \"large\"").unwrap();
    let query = Query {
        filter: Some(bound.bind(users.schema, &Default::default()).unwrap()),
        hierarchy: Some(Arc::new(hierarchy)),
        count: 5,
        ..Query::default()
    };
    let (mut pages, mut start) = (Vec::new(), Some(Start::First));
    while let Some(from) = start {
        let page = store.query(users, &Query { start: from.clone(), ..query.clone() }).await.unwrap();
        assert_eq!(page.total, from.asks_total().then_some(expected.len()));
        start = page.next.clone().map(Start::After);
        pages.push(page);
    }
    let ids = |page: &Page| -> Vec<String> {
        page.resources.iter().map(|user| user.id().unwrap().to_string()).collect()
    };
    assert_eq!(pages.iter().flat_map(ids).collect::<Vec<_>>(), expected);
    for (before, page) in pages.iter().zip(&pages[1..]) {
        let start = Start::Before(page.previous.clone().unwrap());
        let back = store.query(users, &Query { start, ..query.clone() }).await.unwrap();
        assert_eq!(ids(&back), ids(before));
    }
    let skipped = store.query(users, &Query { start: Start::Index(12), ..query.clone() }).await.unwrap();
    assert_eq!(ids(&skipped), expected[11..16]);
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
