//! Groups of the SQL stores in pieces, beside the same as a whole: on SQLite, and on PostgreSQL where it is
//! installed.

#![expect(clippy::unwrap_used, reason = "a test")]

mod sql_support;

use std::collections::BTreeSet;

use scim_core::patch::{Change, Delta};
use scim_core::pieces::Pieces;
use scim_core::projection::Projection;
use scim_core::query::{Query, Start};
use scim_core::schema::Registry;
use scim_core::store::{Page, Scope, StoreError, Update};
use scim_core::{Object, Resource, ResourceId, Store as _, TenantId, Value, Version};
use scim_examples::SqlStore;
use sql_support::Postgres;

/// Members of the groups `g0`, `g1`, …: none, few, as many as are few and one more, many.
const SIZES: [usize; 7] = [0, 3, 100, 101, 1_733, 1, 600];

async fn on_each_store(run: impl AsyncFn(SqlStore)) {
    run(SqlStore::in_memory().await.unwrap()).await;
    if let Some(postgres) = Postgres::start() {
        let store = SqlStore::connect(&postgres.database("pieces").await).await.unwrap();
        run(store.clone()).await;
        store.close().await;
    }
}

fn group(number: usize, size: usize) -> Resource {
    // Not in the order of their keys.
    let members: Vec<Value> =
        (0..size).map(|member| value(&format!("m{}", (member * 7919) % 10_000))).collect();
    let mut meta = Object::new();
    meta.insert("resourceType", "Group");
    meta.insert("version", "W/\"1\"");
    let mut group = Object::new();
    group.insert("id", format!("g{number}"));
    group.insert("displayName", format!("Group {number}"));
    group.insert("meta", meta);
    if size > 0 {
        group.insert("members", members);
    }
    Resource(group)
}

fn value(id: &str) -> Value {
    Object::from_iter([("value", id), ("display", "Someone")]).into()
}

async fn populate(store: &SqlStore, scope: Scope<'_>) {
    for (number, size) in SIZES.into_iter().enumerate() {
        store.create(scope, &group(number, size), &[]).await.unwrap();
    }
}

/// The group with the members of its pieces, and how many pieces these were.
async fn joined(pieces: Pieces) -> (Resource, usize) {
    let mut resource = pieces.resource.into_resource().unwrap();
    let mut count = 0;
    for mut rest in pieces.rest {
        let mut values = Vec::new();
        loop {
            let mut next = rest.values.next().await.unwrap();
            if next.is_empty() {
                break;
            }
            assert!(next.len() <= 1000, "{}", next.len());
            count += 1;
            values.append(&mut next);
        }
        assert!(resource.0.insert(&*rest.attribute, values).is_none());
    }
    (resource, count)
}

fn members(group: &Resource) -> Vec<String> {
    let members = group.get("members").and_then(Value::as_array).unwrap_or_default();
    members.iter().map(|member| member.get("value").unwrap().as_str().unwrap().to_owned()).collect()
}

/// The same resource; where its members came in pieces, in the order of their keys.
fn assert_same(pieces: &Resource, count: usize, whole: &Resource) {
    if count == 0 {
        assert_eq!(pieces, whole);
        return;
    }
    let (found, mut expected) = (members(pieces), members(whole));
    expected.sort();
    assert_eq!(found, expected);
    let without = |resource: &Resource| {
        let mut resource = resource.clone();
        resource.0.remove("members");
        resource
    };
    assert_eq!(without(pieces), without(whole));
}

#[tokio::test]
async fn a_group_in_pieces_is_the_group() {
    on_each_store(async |store| {
        let (registry, tenant) = (Registry::standard(), TenantId::new("acme"));
        let schema = registry.by_name("Group").unwrap();
        let scope = Scope { tenant: &tenant, schema };
        populate(&store, scope).await;
        for projection in [None, Some("members"), Some("displayName")] {
            let projection = Projection::parse(schema, projection, None).unwrap();
            let query = Query { start: Start::First, count: 5, projection, ..Query::default() };
            for start in [Start::First, Start::Index(3)] {
                let query = Query { start, ..query.clone() };
                let whole = store.query(scope, &query).await.unwrap();
                let Page { total, resources, previous, next } =
                    store.query_in_pieces(scope, &query).await.unwrap();
                assert_eq!((total, previous, next), (whole.total, whole.previous, whole.next));
                assert_eq!(resources.len(), 5);
                for (pieces, whole) in resources.into_iter().zip(&whole.resources) {
                    let (pieces, count) = joined(pieces).await;
                    assert_same(&pieces, count, whole);
                }
            }
            for (number, size) in SIZES.into_iter().enumerate() {
                let id = ResourceId::new(format!("g{number}"));
                let whole = store.read(scope, &id, &query.projection).await.unwrap().unwrap();
                let pieces = store.read_in_pieces(scope, &id, &query.projection).await.unwrap().unwrap();
                let (pieces, count) = joined(pieces).await;
                assert_same(&pieces, count, &whole);
                let with_members = query.projection.includes(schema, None, "members");
                assert_eq!(members(&whole).len(), if with_members { size } else { 0 });
                assert_eq!(count > 0, with_members && size > 100, "{size}");
            }
        }
        let nobody =
            store.read_in_pieces(scope, &ResourceId::new("g9"), &Projection::default()).await.unwrap();
        assert!(nobody.is_none());
        let elsewhere = TenantId::new("other");
        let elsewhere = Scope { tenant: &elsewhere, schema };
        let foreign =
            store.read_in_pieces(elsewhere, &ResourceId::new("g4"), &Projection::default()).await.unwrap();
        assert!(foreign.is_none());
    })
    .await;
}

/// A member that stays is given exactly once, whoever joins and leaves between two pieces.
#[tokio::test]
async fn a_member_that_stays_is_given_once() {
    on_each_store(async |store| {
        let (registry, tenant) = (Registry::standard(), TenantId::new("acme"));
        let scope = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
        populate(&store, scope).await;
        let id = ResourceId::new("g4");
        let before = members(&store.read(scope, &id, &Projection::default()).await.unwrap().unwrap());
        let mut pieces = store.read_in_pieces(scope, &id, &Projection::default()).await.unwrap().unwrap();
        let mut given: Vec<Value> = Vec::new();
        let mut left = BTreeSet::new();
        for round in 0.. {
            let some = pieces.rest[0].values.next().await.unwrap();
            if some.is_empty() {
                break;
            }
            given.extend(some);
            let leaving: Vec<String> = before.iter().skip(round).step_by(17).cloned().collect();
            let joining = (0..20).map(|number| value(&format!("m{number}-{round}"))).collect();
            let delta = Delta {
                attribute: "members".into(),
                removed: leaving.iter().map(|id| id.as_str().into()).collect(),
                added: joining,
                ..Delta::default()
            };
            left.extend(leaving);
            let change = Change { deltas: vec![delta], ..Change::default() };
            let update = Update {
                change: &change,
                unique: None,
                last_modified: "2026-02-02T00:00:00Z",
                members: None,
            };
            store.apply(scope, &id, &update, Some(Version(round as u64 + 1))).await.unwrap();
        }
        let given: Vec<&str> =
            given.iter().map(|member| member.get("value").unwrap().as_str().unwrap()).collect();
        let once: BTreeSet<&str> = given.iter().copied().collect();
        assert_eq!(once.len(), given.len(), "nobody twice");
        let stayed: Vec<&String> = before.iter().filter(|id| !left.contains(*id)).collect();
        assert!(stayed.len() > 1_000 && stayed.iter().all(|id| once.contains(id.as_str())));
        // Who was given of a group that is gone is not all of it, and the next piece says so: also of one that has its
        // `id` again.
        let whole = Projection::default();
        let reader = || store.read_in_pieces(scope, &id, &whole);
        let mut unread = reader().await.unwrap().unwrap();
        let mut other = reader().await.unwrap().unwrap();
        assert!(!other.rest[0].values.next().await.unwrap().is_empty());
        let mut pieces = reader().await.unwrap().unwrap();
        assert!(!pieces.rest[0].values.next().await.unwrap().is_empty());
        let deletion = scim_core::store::Deletion {
            expected: None,
            groups: &[],
            last_modified: "2026-02-02T00:00:00Z",
            left: None,
            members: None,
        };
        store.delete(scope, &id, &deletion).await.unwrap();
        for pieces in [&mut pieces, &mut unread] {
            let broken = pieces.rest[0].values.next().await.unwrap_err();
            assert!(matches!(broken, StoreError::Unavailable(_)), "{broken:?}");
        }
        store.create(scope, &group(4, 700), &[]).await.unwrap();
        let broken = other.rest[0].values.next().await.unwrap_err();
        assert!(matches!(broken, StoreError::Unavailable(_)), "{broken:?}");
    })
    .await;
}
