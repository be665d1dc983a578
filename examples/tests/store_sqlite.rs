//! The SQLite store answers as evaluation in memory does, and writes as the store in memory does.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::sync::Arc;

use scim_core::patch::{Change, Delta, Write};
use scim_core::projection::Projection;
use scim_core::query::{Query, Start};
use scim_core::schema::{Registry, ResourceSchema};
use scim_core::store::{self, Scope, Store, StoreError, Update};
use scim_core::validate::{self, UniqueKey};
use scim_core::value::JsonLimits;
use scim_core::{MemoryStore, Resource, ResourceId, TenantId, Value, Version};
use scim_examples::SqliteStore;
use scim_filter::{BindOptions, BoundFilter, Filter};
use serde_json::json;

const FIRST: &str = "2026-01-01T00:00:00Z";
const LATER: &str = "2026-02-02T00:00:00Z";

#[tokio::test]
async fn queries_answer_as_evaluation_in_memory_does() {
    let registry = Registry::standard();
    let tenant = TenantId::new("acme");
    let store = SqliteStore::in_memory().await.unwrap();
    let mut random = Random(7);
    let users: Vec<Resource> = (0..60).map(|number| user(&mut random, number, number)).collect();
    let groups: Vec<Resource> = (0..25).map(|number| group(&mut random, number)).collect();
    for (kind, resources) in [("User", &users), ("Group", &groups)] {
        let schema = registry.by_name(kind).unwrap();
        let scope = Scope { tenant: &tenant, schema };
        for resource in resources {
            store.create(scope, resource, &validate::unique_keys(schema, resource)).await.unwrap();
        }
        let mut matched = 0;
        for _ in 0..600 {
            let text = random_filter(&mut random, kind, 3);
            let query = Query {
                filter: Some(bound(schema, &text)),
                start: Start::Index(random.below(4)),
                count: [0, 1, 3, 100][random.below(4)],
                projection: random_projection(&mut random, schema),
                ..Query::default()
            };
            let expected = store::evaluate(schema, &query, resources);
            let found = store.query(scope, &query).await.unwrap();
            assert_eq!(found.total, expected.total, "{text}");
            let projected: Vec<Resource> = found
                .resources
                .iter()
                .map(|resource| store::project(schema, resource, &query.projection))
                .collect();
            assert_eq!(projected, expected.resources, "{text}");
            matched += expected.total.unwrap();
        }
        // The filters are not such that nothing or everything matches.
        assert!(matched > 600 && matched < 300 * resources.len(), "{matched} matches");
    }
}

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let store = SqliteStore::in_memory().await.unwrap();
    let (acme, other) = (TenantId::new("acme"), TenantId::new("other"));
    let resource = user(&mut Random(1), 1, 1);
    let id = resource.id().unwrap();
    let unique = validate::unique_keys(schema, &resource);
    store.create(Scope { tenant: &acme, schema }, &resource, &unique).await.unwrap();

    let scope = Scope { tenant: &other, schema };
    assert_eq!(store.read(scope, &id, &Projection::default()).await.unwrap(), None);
    let query = Query { start: Start::Index(1), count: 10, ..Query::default() };
    assert_eq!(store.query(scope, &query).await.unwrap().total, Some(0));
    assert!(matches!(store.delete(scope, &id, None).await, Err(StoreError::NotFound)));
    assert!(matches!(store.replace(scope, &resource, &unique, Version(1)).await, Err(StoreError::NotFound)));
    // The same id and userName are free there.
    store.create(scope, &resource, &unique).await.unwrap();
}

/// Every write, on SQLite and on the store in memory: the same outcome, and the same resources after.
#[tokio::test]
async fn writes_do_as_the_store_in_memory_does() {
    let registry = Registry::standard();
    let tenant = TenantId::new("acme");
    for seed in 1..=6 {
        let (sqlite, memory) = (SqliteStore::in_memory().await.unwrap(), MemoryStore::new());
        let mut random = Random(seed);
        for step in 0..250 {
            let schema = registry.by_name(["User", "Group"][random.below(2)]).unwrap();
            let scope = Scope { tenant: &tenant, schema };
            let number = random.below(12);
            let resource = if schema.name() == "User" {
                user(&mut random, number, number / 3)
            } else {
                group(&mut random, number)
            };
            let id = resource.id().unwrap();
            let unique = validate::unique_keys(schema, &resource);
            let now = sqlite.read(scope, &id, &Projection::default()).await.unwrap();
            let current = now.as_ref().and_then(Resource::version).unwrap_or(Version(1));
            // Now and then a version that is not the one stored.
            let expected = if random.below(8) == 0 { Version(current.0 + 1) } else { current };
            let next = Version(expected.0 + 1);
            let action = random.below(5);
            let (left, right) = match action {
                0 => (
                    outcome(sqlite.create(scope, &resource, &unique).await),
                    outcome(memory.create(scope, &resource, &unique).await),
                ),
                1 => {
                    let mut resource = resource.clone();
                    stamp(&mut resource, LATER, next);
                    (
                        outcome(sqlite.replace(scope, &resource, &unique, expected).await),
                        outcome(memory.replace(scope, &resource, &unique, expected).await),
                    )
                }
                2 => {
                    let expected = (random.below(2) == 0).then_some(expected);
                    (
                        outcome(sqlite.delete(scope, &id, expected).await),
                        outcome(memory.delete(scope, &id, expected).await),
                    )
                }
                _ => {
                    let change = random_change(&mut random, schema.name());
                    let mut after = now.clone().unwrap_or_default();
                    change.apply(&mut after);
                    let unique = validate::unique_keys(schema, &after);
                    let update =
                        Update { change: &change, unique: &unique, last_modified: LATER, version: next };
                    (
                        outcome(sqlite.apply(scope, &id, &update, expected).await),
                        outcome(memory.apply(scope, &id, &update, expected).await),
                    )
                }
            };
            assert_eq!(left, right, "seed {seed}, step {step}: action {action} on {id}");
            let left = sqlite.read(scope, &id, &Projection::default()).await.unwrap();
            let right = memory.read(scope, &id, &Projection::default()).await.unwrap();
            assert_eq!(sorted(left), sorted(right), "seed {seed}, step {step}: action {action} on {id}");
        }
    }
}

#[tokio::test]
async fn a_claimed_value_is_claimed_until_it_is_given_up() {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let store = SqliteStore::in_memory().await.unwrap();
    let make = async |id: &str, name: &str| {
        let resource = resource(json!({"id": id, "userName": name, "meta": {"version": "W/\"1\""}}));
        store.create(scope, &resource, &validate::unique_keys(schema, &resource)).await
    };
    make("1", "Ann@example.com").await.unwrap();
    let conflict = make("2", "ann@EXAMPLE.com").await;
    assert!(matches!(conflict, Err(StoreError::Conflict { attribute }) if attribute == "userName"));
    // Nothing of the refused resource is there.
    assert_eq!(store.read(scope, &ResourceId::new("2"), &Projection::default()).await.unwrap(), None);

    let renamed = resource(json!({"id": "1", "userName": "bob@example.com", "meta": {"version": "W/\"2\""}}));
    store.replace(scope, &renamed, &validate::unique_keys(schema, &renamed), Version(1)).await.unwrap();
    make("2", "ann@example.com").await.unwrap();
    store.delete(scope, &ResourceId::new("1"), None).await.unwrap();
    make("3", "bob@example.com").await.unwrap();
    assert!(
        matches!(make("3", "new@example.com").await, Err(StoreError::Conflict { attribute }) if attribute == "id")
    );
}

#[tokio::test]
async fn values_never_become_sql() {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new("acme'); DROP TABLE resources; --");
    let scope = Scope { tenant: &tenant, schema };
    let store = SqliteStore::in_memory().await.unwrap();
    let name = "x' OR '1'='1";
    let resource = resource(json!({"id": "a';--", "userName": name, "meta": {"version": "W/\"1\""}}));
    store.create(scope, &resource, &validate::unique_keys(schema, &resource)).await.unwrap();
    for (filter, total) in [
        (format!("userName eq \"{name}\""), 1),
        ("userName eq \"' OR 1=1 --\"".to_owned(), 0),
        ("id eq \"a';--\"".to_owned(), 1),
        ("externalId eq \"?1\"".to_owned(), 0),
    ] {
        let query = Query {
            filter: Some(bound(schema, &filter)),
            start: Start::Index(1),
            count: 5,
            ..Query::default()
        };
        assert_eq!(store.query(scope, &query).await.unwrap().total, Some(total), "{filter}");
    }
}

/// More terms than SQLite takes in one expression.
#[tokio::test]
async fn a_filter_of_many_terms_is_answered() {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let store = SqliteStore::in_memory().await.unwrap();
    let resource = user(&mut Random(3), 3, 3);
    store.create(scope, &resource, &[]).await.unwrap();
    let mut terms: Vec<String> = (0..1000).map(|number| format!("userName eq \"nobody{number}\"")).collect();
    terms.push("id eq \"3\"".to_owned());
    let query = Query {
        filter: Some(bound(schema, &terms.join(" or "))),
        start: Start::Index(1),
        count: 5,
        ..Query::default()
    };
    assert_eq!(store.query(scope, &query).await.unwrap().total, Some(1));
}

#[tokio::test]
async fn parallel_writers_all_get_their_turn() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Arc::new(Registry::standard());
    let store = SqliteStore::open(&directory.path().join("scim.db")).await.unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let (store, registry) = (store.clone(), Arc::clone(&registry));
            tokio::spawn(async move {
                let schema = registry.by_name("User").unwrap();
                let tenant = TenantId::new("acme");
                let scope = Scope { tenant: &tenant, schema };
                for number in 0..8 {
                    let number = usize::try_from(task).unwrap() * 100 + number;
                    let resource = user(&mut Random(task + 1), number, number);
                    store.create(scope, &resource, &validate::unique_keys(schema, &resource)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new("acme");
    let query = Query { start: Start::Index(1), count: 0, ..Query::default() };
    let scope = Scope { tenant: &tenant, schema };
    assert_eq!(store.query(scope, &query).await.unwrap().total, Some(128));
    store.close().await;
    assert!(matches!(store.query(scope, &query).await, Err(StoreError::Unavailable(_))));
}

// --- random data -------------------------------------------------------------------------------

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn pick<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }
}

const NAMES: [&str; 8] = ["ann", "Bob", "BOB ", "çelik", "Çelik", "straße", "o'hara", "%_"];

/// A user; `name` is what its userName ends in.
fn user(random: &mut Random, number: usize, name: usize) -> Resource {
    let mut user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": number.to_string(),
        "userName": format!("{}{name}", random.pick(&NAMES)),
        "active": random.below(2) == 0,
        "meta": {"resourceType": "User", "lastModified": FIRST, "version": "W/\"1\""},
    });
    if random.below(2) == 0 {
        user["externalId"] = json!(random.pick(&["E1", "e1", "E2", "1"]));
    }
    if random.below(2) == 0 {
        user["displayName"] = json!(random.pick(&NAMES));
    }
    if random.below(3) > 0 {
        let email = |random: &mut Random| {
            json!({
                "type": random.pick(&["work", "home"]),
                "value": format!("{}@example.com", random.pick(&NAMES)),
            })
        };
        user["emails"] = json!([email(random), email(random)]);
    }
    resource(user)
}

fn group(random: &mut Random, number: usize) -> Resource {
    let mut group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": number.to_string(),
        "displayName": random.pick(&NAMES),
        "meta": {"resourceType": "Group", "lastModified": FIRST, "version": "W/\"1\""},
    });
    if random.below(4) > 0 {
        let first = random.below(6);
        let members: Vec<_> =
            (first..first + 1 + random.below(4)).map(|number| member(random, number)).collect();
        group["members"] = json!(members);
    }
    resource(group)
}

fn member(random: &mut Random, number: usize) -> serde_json::Value {
    match random.below(2) {
        0 => json!({"value": format!("u{number}")}),
        _ => json!({"value": format!("u{number}"), "display": NAMES[number % NAMES.len()]}),
    }
}

fn random_filter(random: &mut Random, kind: &str, depth: usize) -> String {
    if depth > 0 {
        let mut inner = || random_filter(random, kind, depth - 1);
        let (first, second) = (inner(), inner());
        match random.below(6) {
            0 => return format!("({first}) and ({second})"),
            1 => return format!("({first}) or ({second})"),
            2 => return format!("not ({first})"),
            3 => return format!("{first} and {second}"),
            _ => {}
        }
    }
    let name = random.pick(&NAMES);
    if kind == "User" {
        match random.below(9) {
            0 => format!("userName eq \"{name}{}\"", random.below(60)),
            1 => format!("userName sw \"{name}\""),
            2 => format!("externalId eq \"{}\"", random.pick(&["E1", "e1", "1"])),
            3 => format!("displayName eq \"{name}\""),
            4 => format!("emails.value eq \"{name}@EXAMPLE.com\""),
            5 => format!(
                "emails[type eq \"{}\" and value eq \"{name}@example.com\"]",
                random.pick(&["work", "home"])
            ),
            6 => "active eq true".to_owned(),
            7 => format!("id eq \"{}\"", random.below(60)),
            _ => format!("{} pr", random.pick(&["displayName", "emails", "externalId"])),
        }
    } else {
        let member = format!("{}{}", random.pick(&["u", "u", "U"]), random.below(10));
        match random.below(7) {
            0 => format!("displayName eq \"{name}\""),
            1 => format!("members.value eq \"{member}\""),
            2 => format!("members eq \"{member}\""),
            3 => format!("members[value eq \"{member}\"]"),
            4 => format!("members[value eq \"{member}\" and display co \"e\"]"),
            5 => format!("members.display eq \"{name}\""),
            _ => "members pr".to_owned(),
        }
    }
}

fn random_projection(random: &mut Random, schema: &ResourceSchema) -> Projection {
    match random.below(4) {
        0 => Projection::parse(schema, None, Some("members,emails")).unwrap(),
        1 => Projection::parse(schema, Some("displayName,members"), None).unwrap(),
        2 => Projection::parse(schema, Some("userName"), None).unwrap(),
        _ => Projection::default(),
    }
}

fn random_change(random: &mut Random, kind: &str) -> Change {
    let mut change = Change::default();
    if random.below(2) == 0 {
        let text = random.pick(&NAMES);
        let value = (random.below(4) > 0).then(|| Value::from(text));
        change.writes.push(Write { extension: None, attribute: "displayName".into(), value });
    }
    if kind == "User" && random.below(3) == 0 {
        let name = format!("{}{}", random.pick(&NAMES), random.below(12));
        change.writes.push(Write { extension: None, attribute: "userName".into(), value: Some(name.into()) });
    }
    if kind == "Group" && random.below(3) > 0 {
        let added = random.below(6)..random.below(8);
        change.deltas.push(Delta {
            attribute: "members".into(),
            replace: random.below(4) == 0,
            ignore_case: false,
            removed: (0..random.below(3)).map(|_| format!("u{}", 8 + random.below(2)).into()).collect(),
            added: added.map(|number| value(member(random, number))).collect(),
        });
    }
    change
}

// --- small helpers -----------------------------------------------------------------------------

fn bound(schema: &ResourceSchema, text: &str) -> BoundFilter {
    let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    filter.bind(schema, &BindOptions::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn value(json: serde_json::Value) -> Value {
    Value::from_slice(json.to_string().as_bytes(), &JsonLimits::default()).unwrap()
}

fn resource(json: serde_json::Value) -> Resource {
    match value(json) {
        Value::Object(object) => Resource(object),
        _ => panic!("an object"),
    }
}

fn stamp(resource: &mut Resource, last_modified: &str, version: Version) {
    let update = Update { change: &Change::default(), unique: &[] as &[UniqueKey], last_modified, version };
    update.stamp(resource);
}

fn outcome<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    format!("{result:?}")
}

/// The resource with its members in an order that two stores need not share.
fn sorted(resource: Option<Resource>) -> Option<Resource> {
    resource.map(|mut resource| {
        if let Some(Value::Array(members)) = resource.0.get_mut("members") {
            members.sort_by_key(|member| format!("{member:?}"));
        }
        resource
    })
}
