//! Sorted lists and pages by cursor, on each store alike, against a model that sorts everything.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod sql_support;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Mutex;

use scim_core::projection::Projection;
use scim_core::query::{Place, Query, QuerySupport, Start};
use scim_core::schema::{
    Attribute, AttributeType, Registry, ResourceSchema, Schema, SchemaExtension, builtin,
};
use scim_core::sort::{Sort, SortKey};
use scim_core::store::{self, Deletion, Page, Scope, Store, StoreError};
use scim_core::validate::{self, UniqueKey};
use scim_core::value::JsonLimits;
use scim_core::{MemoryStore, Resource, ResourceId, TenantId, Value, Version};
use scim_examples::SqlStore;
use scim_filter::compare::fold;
use scim_filter::{BindOptions, Filter};
use serde_json::json;
use sql_support::Postgres;

/// What users are sorted by: each attribute that an index has, and some of each kind that none has.
const SORTS: [&str; 15] = [
    "id",
    "userName",
    "USERNAME",
    "urn:ietf:params:scim:schemas:core:2.0:User:userName",
    "externalId",
    "displayName",
    "name.familyName",
    "emails",
    "emails.value",
    "emails.type",
    "active",
    "meta.created",
    "x509Certificates",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
];

const FILTERS: [Option<&str>; 6] = [
    None,
    Some("active eq true"),
    Some("userName sw \"a\" or externalId pr"),
    Some("externalId eq \"E1\""),
    Some("not (displayName eq \"bob\")"),
    Some("displayName eq \"ann\" and active eq true"),
];

/// A list, with each query handed to [`store::evaluate`]: what the least of embedders does.
#[derive(Default)]
struct Evaluated(Mutex<Vec<Resource>>);

impl Store for Evaluated {
    async fn create(&self, _: Scope<'_>, resource: &Resource, _: &[UniqueKey]) -> Result<(), StoreError> {
        self.0.lock().unwrap().push(resource.clone());
        Ok(())
    }
    async fn read(
        &self,
        _: Scope<'_>,
        _: &ResourceId,
        _: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        Ok(None)
    }
    fn query_support(&self) -> QuerySupport {
        QuerySupport::EVALUATED
    }
    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        Ok(store::evaluate(scope.schema, query, self.0.lock().unwrap().iter()))
    }
    async fn replace(
        &self,
        _: Scope<'_>,
        _: &Resource,
        _: &[UniqueKey],
        _: Version,
    ) -> Result<(), StoreError> {
        Err(StoreError::NotFound)
    }
    async fn delete(&self, _: Scope<'_>, id: &ResourceId, _: &Deletion<'_>) -> Result<(), StoreError> {
        self.0.lock().unwrap().retain(|resource| resource.id().as_ref() != Some(id));
        Ok(())
    }
}

#[tokio::test]
async fn sorted_pages_are_the_whole_list_in_order_in_memory() {
    sorted_pages(&MemoryStore::new()).await;
}

#[tokio::test]
async fn sorted_pages_are_the_whole_list_in_order_in_sqlite() {
    sorted_pages(&SqlStore::in_memory().await.unwrap()).await;
}

#[tokio::test]
async fn sorted_pages_are_the_whole_list_in_order_in_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("sorted").await;
    sorted_pages(&SqlStore::connect(&url).await.unwrap()).await;
}

#[tokio::test]
async fn sorted_pages_are_the_whole_list_in_order_evaluated() {
    sorted_pages(&Evaluated::default()).await;
}

async fn sorted_pages(store: &impl Store) {
    assert!(store.query_support().sort && store.query_support().cursor);
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let mut random = Random(11);
    let mut users: Vec<serde_json::Value> = (0..40).map(|number| user(&mut random, number)).collect();
    for user in &users {
        create(store, scope, user).await;
    }
    let mut orders = BTreeSet::new();
    for (sort_by, descending) in SORTS.iter().flat_map(|by| [(*by, false), (*by, true)]) {
        users.sort_by(|left, right| {
            let order = model_order(sort_by, left, right);
            if descending { order.reverse() } else { order }
        });
        for text in FILTERS {
            let filter = bound(schema, text);
            let expected: Vec<&str> = users
                .iter()
                .filter(|user| {
                    filter.as_ref().is_none_or(|filter| filter.matches::<Value>(&resource(user).0))
                })
                .map(|user| user["id"].as_str().unwrap())
                .collect();
            orders.insert(expected.concat());
            let sort = Sort::parse(&**schema, Some(sort_by), descending.then_some("descending")).unwrap();
            let query = Query { filter, sort, ..Query::default() };
            let what = format!("{sort_by}, descending: {descending}, {text:?}");
            by_index(store, scope, &query, &expected, &mut random, &what).await;
            let count = 1 + random.below(9);
            by_cursor(store, scope, &Query { count, ..query }, &expected, &what).await;
        }
    }
    assert!(orders.len() > 80, "the sorts differ: {}", orders.len());
}

/// Instants count to the nanosecond, in any year and in any attribute.
#[tokio::test]
async fn sorted_instants_are_short_too() {
    const SINCE: &str = "urn:example:since";
    let since = Attribute { kind: AttributeType::DateTime, ..Attribute::string("since") };
    let extension = Schema {
        id: SINCE.to_owned(),
        name: String::new(),
        description: String::new(),
        attributes: vec![since],
    };
    let mut users = builtin::user_resource_type();
    users.schema_extensions.push(SchemaExtension { schema: SINCE.to_owned(), required: false });
    let registry =
        Registry::new(vec![builtin::user(), builtin::enterprise_user(), extension], vec![users]).unwrap();
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let digits =
        ["", ".1", ".10", ".1000000001", ".100000000000", ".12345678949", ".12345678901", ".123456789"];
    let long = ["0".repeat(5_000) + "1", "9".repeat(5_000)].map(|digits| format!(".{digits}"));
    let digits: Vec<&str> = digits.into_iter().chain(long.iter().map(String::as_str)).collect();
    let years =
        ["2026-01-01T00:00:00", "12026-01-01T00:00:00", "-0044-03-15T12:00:00", "-12026-01-01T00:00:00"];
    let all = years.iter().flat_map(|year| digits.iter().map(move |digits| format!("{year}{digits}Z")));
    let users: Vec<_> = (0..)
        .zip(all)
        .map(|(number, since)| {
            // Not in the order of creation.
            let id = format!("u{:03}", (number * 37) % 101);
            json!({"id": id, SINCE: {"since": since}, "meta": {"version": "W/\"1\""}})
        })
        .collect();
    let sort_by = format!("{SINCE}:since");
    let resources: Vec<Resource> = users.iter().map(resource).collect();
    let memory = MemoryStore::new();
    let sqlite = SqlStore::in_memory().await.unwrap();
    let postgres = Postgres::start();
    let postgres = match &postgres {
        Some(server) => Some(SqlStore::connect(&server.database("instants").await).await.unwrap()),
        None => None,
    };
    for user in &users {
        create(&memory, scope, user).await;
        create(&sqlite, scope, user).await;
        if let Some(postgres) = &postgres {
            create(postgres, scope, user).await;
        }
    }
    for order in [None, Some("descending")] {
        let sort = Sort::parse(&**schema, Some(&sort_by), order).unwrap();
        let query = Query { sort, count: usize::MAX, ..Query::default() };
        let expected = ids(&store::evaluate(schema, &query, &resources));
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        let query = Query { count: 3, ..query };
        by_cursor(&memory, scope, &query, &expected, "memory").await;
        by_cursor(&sqlite, scope, &query, &expected, "sqlite").await;
        if let Some(postgres) = &postgres {
            by_cursor(postgres, scope, &query, &expected, "postgresql").await;
        }
    }
}

/// Without a sort the order is the store's, the same by cursor from either end.
#[tokio::test]
async fn unsorted_pages_are_the_whole_list() {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let users: Vec<_> = (0..30).map(|number| user(&mut Random(number + 1), number as usize)).collect();
    let (memory, sqlite, evaluated) =
        (MemoryStore::new(), SqlStore::in_memory().await.unwrap(), Evaluated::default());
    for user in &users {
        create(&memory, scope, user).await;
        create(&sqlite, scope, user).await;
        create(&evaluated, scope, user).await;
    }
    for text in FILTERS {
        let filter = bound(schema, text);
        let matches = |user: &&serde_json::Value| {
            filter.as_ref().is_none_or(|filter| filter.matches::<Value>(&resource(user).0))
        };
        let created: Vec<&str> =
            users.iter().filter(matches).map(|user| user["id"].as_str().unwrap()).collect();
        let mut by_id = created.clone();
        by_id.sort_unstable();
        for count in [1, 4, 30, 100] {
            let query = Query { filter: filter.clone(), count, ..Query::default() };
            by_cursor(&memory, scope, &query, &created, "memory").await;
            by_cursor(&sqlite, scope, &query, &created, "sqlite").await;
            by_cursor(&evaluated, scope, &query, &by_id, "evaluated").await;
        }
    }
}

/// Who goes through a list while others write meets what was there all the time exactly once.
#[tokio::test]
async fn pages_stay_whole_while_others_write() {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let mut random = Random(5);
    for sort_by in [None, Some("userName"), Some("displayName"), Some("name.familyName"), Some("id")] {
        for backward in [false, true] {
            let (memory, sqlite, evaluated) =
                (MemoryStore::new(), SqlStore::in_memory().await.unwrap(), Evaluated::default());
            disturbed(&memory, scope, sort_by, backward, &mut random).await;
            disturbed(&sqlite, scope, sort_by, backward, &mut random).await;
            disturbed(&evaluated, scope, sort_by, backward, &mut random).await;
        }
    }
}

async fn disturbed(
    store: &impl Store,
    scope: Scope<'_>,
    sort_by: Option<&str>,
    backward: bool,
    random: &mut Random,
) {
    let mut there: BTreeSet<String> = BTreeSet::new();
    let mut next_number = 0;
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for _ in 0..40 {
        there.insert(format!("u{next_number:03}"));
        create(store, scope, &user(random, next_number)).await;
        next_number += 1;
    }
    let sort = Sort::parse(scope.schema, sort_by, None).unwrap();
    let mut query = Query { sort, start: Start::First, count: 3, ..Query::default() };
    if backward {
        query.count = 39;
        let page = store.query(scope, &query).await.unwrap();
        query = Query { start: Start::Before(page.next.unwrap()), count: 3, ..query };
        there.retain(|id| page.resources.iter().any(|user| user.id().unwrap().as_str() == id));
        // The place itself is not before itself.
        there.remove(page.resources.last().unwrap().id().unwrap().as_str());
    }
    let before: BTreeSet<String> = there.clone();
    let mut met: Vec<String> = Vec::new();
    loop {
        let page = store.query(scope, &query).await.unwrap();
        met.extend(page.resources.iter().map(|user| user.id().unwrap().to_string()));
        // Somebody goes, often one of this very page, and somebody comes.
        for _ in 0..2 {
            let id = match page.resources.get(random.below(4)) {
                Some(user) => user.id().unwrap().to_string(),
                None => format!("u{:03}", random.below(next_number)),
            };
            let deletion = Deletion {
                expected: None,
                groups: &[],
                last_modified: "2026-02-02T00:00:00Z",
                left: None,
                members: None,
            };
            if store.delete(scope, &ResourceId::new(&*id), &deletion).await.is_ok() {
                gone.insert(id);
            }
        }
        create(store, scope, &user(random, next_number)).await;
        next_number += 1;
        let place = if backward { page.previous } else { page.next };
        let Some(place) = place else { break };
        query.start = if backward { Start::Before(place) } else { Start::After(place) };
    }
    let distinct: BTreeSet<String> = met.iter().cloned().collect();
    assert_eq!(distinct.len(), met.len(), "somebody was met twice: {met:?}");
    let missed: Vec<_> = before.iter().filter(|id| !gone.contains(*id) && !distinct.contains(*id)).collect();
    assert!(missed.is_empty(), "{sort_by:?}, backward: {backward}: {missed:?} were missed");
}

/// Places of another order or form are refused, not taken for another.
#[tokio::test]
async fn a_place_of_another_list_is_refused() {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let sorted = Place::Sorted(Some(SortKey::Boolean(true)), "u001".into());
    for (sort_by, place) in [
        (None, Place::Own("x".into())),
        (None, sorted.clone()),
        (Some("userName"), Place::Own("1".into())),
        (Some("userName"), sorted),
    ] {
        let sort = Sort::parse(&**schema, sort_by, None).unwrap();
        let query = Query { sort, start: Start::After(place), count: 1, ..Query::default() };
        let sqlite = SqlStore::in_memory().await.unwrap();
        assert!(matches!(sqlite.query(scope, &query).await, Err(StoreError::UnknownPlace)), "{query:?}");
        if sort_by.is_none() {
            let memory = MemoryStore::new().query(scope, &query).await;
            assert!(matches!(memory, Err(StoreError::UnknownPlace)), "{query:?}");
        }
    }
}

#[tokio::test]
async fn members_have_no_order_in_sqlite() {
    let registry = Registry::standard();
    let schema = registry.by_name("Group").unwrap();
    let tenant = TenantId::new("acme");
    let sort = Sort::parse(&**schema, Some("members.value"), None).unwrap();
    let query = Query { sort, count: 1, ..Query::default() };
    let store = SqlStore::in_memory().await.unwrap();
    let refused = store.query(Scope { tenant: &tenant, schema }, &query).await;
    assert!(matches!(refused, Err(StoreError::UnsupportedSort(text)) if text == "`members` has no order"));
}

/// Skipping further than one pass remembers, in an order that the database has not.
#[tokio::test]
async fn a_far_index_is_found_in_any_order() {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let store = SqlStore::in_memory().await.unwrap();
    let all = 10_500;
    for number in 0..all {
        let phone = json!({"value": format!("{:05}", (number * 7919) % all)});
        let user = json!({"id": number.to_string(), "phoneNumbers": [phone], "meta": {"version": "W/\"1\""}});
        store.create(scope, &resource(&user), &[]).await.unwrap();
    }
    let sort = Sort::parse(&**schema, Some("phoneNumbers"), None).unwrap();
    for (index, expected) in [(1, 0), (10_000, 9_999), (10_001, 10_000), (10_400, 10_399)] {
        let query = Query { sort: sort.clone(), start: Start::Index(index), count: 2, ..Query::default() };
        let page = store.query(scope, &query).await.unwrap();
        let phones: Vec<String> =
            page.resources.iter().map(|user| user.get("phoneNumbers").unwrap().to_string()).collect();
        let phone = |number: usize| format!("[{{\"value\":\"{number:05}\"}}]");
        assert_eq!(phones, [phone(expected), phone(expected + 1)]);
        assert_eq!(page.total, Some(all));
    }
    let query = Query { sort, start: Start::Index(all + 1), count: 2, ..Query::default() };
    let page = store.query(scope, &query).await.unwrap();
    assert_eq!((page.total, page.resources), (Some(all), Vec::new()));
}

// --- walks ---------------------------------------------------------------------------------------

async fn by_index(
    store: &impl Store,
    scope: Scope<'_>,
    query: &Query,
    expected: &[&str],
    random: &mut Random,
    what: &str,
) {
    for _ in 0..3 {
        let (index, count) = (random.below(45), random.below(12));
        let query = Query { start: Start::Index(index), count, ..query.clone() };
        let page = store.query(scope, &query).await.unwrap();
        let slice: Vec<&str> = expected.iter().skip(index.max(1) - 1).take(count).copied().collect();
        assert_eq!(ids(&page), slice, "{what}, from {index}, {count}");
        assert_eq!(page.total, Some(expected.len()), "{what}");
        let more = index.max(1) - 1 + count < expected.len();
        assert!(page.previous.is_none() && (page.next.is_none() || more), "{what}, from {index}, {count}");
    }
}

/// From the first page to the last and back again.
async fn by_cursor(store: &impl Store, scope: Scope<'_>, query: &Query, expected: &[&str], what: &str) {
    let none = Query { start: Start::First, count: 0, ..query.clone() };
    let page = store.query(scope, &none).await.unwrap();
    assert_eq!((page.total, page.resources.len()), (Some(expected.len()), 0), "{what}");
    assert_eq!((page.next, page.previous), (None, None), "{what}");

    let mut query = Query { start: Start::First, ..query.clone() };
    let mut pages = Vec::new();
    loop {
        let page = store.query(scope, &query).await.unwrap();
        assert!(page.total == Some(expected.len()) || query.start.place().is_some(), "{what}");
        assert_eq!(page.previous.is_none(), pages.is_empty() || page.resources.is_empty(), "{what}");
        let next = page.next.clone();
        pages.push(page);
        let Some(place) = next else { break };
        query.start = Start::After(place);
    }
    let found: Vec<String> = pages.iter().flat_map(ids).collect();
    assert_eq!(found, expected, "{what}, {} at a time", query.count);
    let full = pages.iter().rev().skip(1).all(|page| page.resources.len() == query.count);
    assert!(full, "{what}: only the last page is shorter");

    let mut from = pages.pop().unwrap();
    while let Some(place) = from.previous {
        query.start = Start::Before(place);
        from = store.query(scope, &query).await.unwrap();
        let before = pages.pop().unwrap();
        assert_eq!(ids(&from), ids(&before), "{what}");
        assert_eq!((&from.next, &from.previous), (&before.next, &before.previous), "{what}");
    }
    assert!(pages.is_empty(), "{what}: the way back leads to the first page");
}

fn ids(page: &Page) -> Vec<String> {
    page.resources.iter().map(|resource| resource.id().unwrap().to_string()).collect()
}

// --- the model -----------------------------------------------------------------------------------

/// The order of RFC 7644 §3.4.2.3, written as it is read there.
fn model_order(sort_by: &str, left: &serde_json::Value, right: &serde_json::Value) -> Ordering {
    let order = match (model_key(sort_by, left), model_key(sort_by, right)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(left), Some(right)) => left.cmp(&right),
    };
    order.then_with(|| left["id"].as_str().unwrap().cmp(right["id"].as_str().unwrap()))
}

fn model_key(sort_by: &str, user: &serde_json::Value) -> Option<String> {
    let enterprise = &user["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"];
    let cut = |text: &str| text.chars().take(SortKey::LONGEST).collect::<String>();
    let folded = |value: &serde_json::Value| value.as_str().map(|text| cut(&fold(text)));
    let exact = |value: &serde_json::Value| value.as_str().map(cut);
    let chosen = |values: &serde_json::Value| -> Option<serde_json::Value> {
        let values = values.as_array()?;
        values.iter().find(|value| value["primary"] == true).or(values.first()).cloned()
    };
    match sort_by.rsplit_once("User:").map_or(sort_by, |(_, name)| name) {
        "id" => exact(&user["id"]),
        "userName" | "USERNAME" => folded(&user["userName"]),
        "externalId" => exact(&user["externalId"]),
        "displayName" => folded(&user["displayName"]),
        "name.familyName" => folded(&user["name"]["familyName"]),
        "emails" | "emails.value" => folded(&chosen(&user["emails"])?["value"]),
        "emails.type" => folded(&chosen(&user["emails"])?["type"]),
        "active" => user["active"].as_bool().map(|active| u8::from(active).to_string()),
        // All are written in UTC or an hour before it.
        "meta.created" => exact(&user["meta"]["created"]).map(|text| match text.strip_suffix("-01:00") {
            Some(text) => text.replacen("T00", "T01", 1).trim_end_matches(".0").to_owned(),
            None => text.trim_end_matches('Z').trim_end_matches(".0").to_owned(),
        }),
        "x509Certificates" => exact(&chosen(&user["x509Certificates"])?["value"])
            .map(|text| text.trim_end_matches('=').to_owned()),
        "department" => folded(&enterprise["department"]),
        "manager.value" => exact(&enterprise["manager"]["value"]),
        other => panic!("{other}"),
    }
}

// --- data ----------------------------------------------------------------------------------------

const NAMES: [&str; 8] = ["ann", "Bob", "BOB ", "çelik", "Çelik", "straße", "", "%_"];

/// One of them, or one as long as what counts, or longer.
fn name(random: &mut Random) -> String {
    match random.below(3) {
        0 => format!(
            "{}{}",
            "ß語".repeat(40 + random.below(4)),
            random.pick(&["b", "A", "Ab", "Abc", "\u{10348}"])
        ),
        1 => format!(
            "{}{}",
            "x".repeat(126),
            random.pick(&["", "y", "yz", "yZa", "yéb"]).repeat(1 + 299 * random.below(2))
        ),
        _ => random.pick(&NAMES).to_owned(),
    }
}

fn user(random: &mut Random, number: usize) -> serde_json::Value {
    let created = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00-01:00", "2026-01-01T00:30:00.0Z"];
    let mut user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        // Not in the order of creation.
        "id": format!("u{number:03}"),
        "userName": format!("{}{}", name(random), (number * 37) % 1000),
        "meta": {"resourceType": "User", "created": random.pick(&created), "version": "W/\"1\""},
    });
    let mut maybe = |name: &str, make: &mut dyn FnMut(&mut Random) -> serde_json::Value| {
        if random.below(3) > 0 {
            user[name] = make(random);
        }
    };
    maybe("active", &mut |random| json!(random.below(2) == 0));
    maybe("externalId", &mut |random| match random.below(4) {
        0 => json!(name(random)),
        _ => json!(random.pick(&["E1", "e1", "E2", "1"])),
    });
    maybe("displayName", &mut |random| json!(name(random)));
    maybe("name", &mut |random| match random.below(3) {
        0 => json!({"givenName": "x"}),
        _ => json!({"familyName": name(random)}),
    });
    maybe("emails", &mut |random| {
        let primary = random.below(4);
        let emails = (0..1 + random.below(3)).map(|place| match random.below(5) {
            0 => json!({"type": "other", "primary": place == primary}),
            _ => json!({"type": random.pick(&["work", "Home"]), "value": name(random), "primary": place == primary}),
        });
        json!(emails.collect::<Vec<_>>())
    });
    maybe("x509Certificates", &mut |random| json!([{"value": random.pick(&["QQ==", "QQ", "QUI=", "Qg"])}]));
    maybe(
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        &mut |random| json!({"department": name(random), "manager": {"value": random.pick(&["B", "a", "b"])}}),
    );
    user
}

async fn create(store: &impl Store, scope: Scope<'_>, user: &serde_json::Value) {
    let user = resource(user);
    store.create(scope, &user, &validate::unique_keys(scope.schema, &user)).await.unwrap();
}

fn bound(schema: &ResourceSchema, filter: Option<&str>) -> Option<scim_filter::BoundFilter> {
    filter.map(|text| Filter::parse(text).unwrap().bind(schema, &BindOptions::default()).unwrap())
}

fn resource(json: &serde_json::Value) -> Resource {
    match Value::from_slice(json.to_string().as_bytes(), &JsonLimits::default()).unwrap() {
        Value::Object(object) => Resource(object),
        _ => panic!("an object"),
    }
}

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
