//! What only the tables themselves show: which rows a write touches, and how a look-up is done.

use scim_core::TenantId;
use scim_core::patch::{Change, Delta};
use scim_core::query::{Place, Start};
use scim_core::schema::Registry;
use scim_core::sort::{Sort, SortKey};
use scim_filter::{BindOptions, Filter};
use serde_json::json;
use sqlx::{AssertSqlSafe, SqlitePool};

use super::condition::Sql;
use super::order::{Order, Walk};
use super::*;

/// One member into a group of thousands reads and writes what one into a group of ten does.
#[tokio::test]
async fn a_delta_touches_the_rows_it_names() {
    let registry = Registry::standard();
    let schema = registry.by_name("Group").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let store = SqlStore::in_memory().await.unwrap();
    let members: Vec<_> = (0..3000).map(|number| json!({"value": format!("u{number}")})).collect();
    let group = resource(json!({
        "id": "g", "displayName": "All", "members": members, "meta": {"version": "W/\"1\""},
    }));
    store.create(scope, &group, &[]).await.unwrap();

    let delta = Delta {
        attribute: "members".into(),
        removed: vec!["u7".into(), "nobody".into()],
        added: vec![value(json!({"value": "new"})), value(json!({"value": "u8", "display": "Other"}))],
        ..Delta::default()
    };
    let change = Change { deltas: vec![delta], ..Change::default() };
    let update = Update { change: &change, unique: None, last_modified: "2026-02-02T00:00:00Z" };
    let id = ResourceId::new("g");
    let applied = store.apply(scope, &id, &update, Some(Version(1))).await.unwrap();
    assert_eq!(applied, Applied::Changed(Version(2)));
    let written: Vec<(String,)> = sqlx::query_as("SELECT member FROM members WHERE since = 2")
        .fetch_all(readers(&store))
        .await
        .unwrap();
    assert_eq!(written, [("new".to_owned(),)]);
    let (count,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM members").fetch_one(readers(&store)).await.unwrap();
    assert_eq!(count, 3000);

    // The same again changes nothing, the version included.
    for expected in [Some(Version(2)), None] {
        let applied = store.apply(scope, &id, &update, expected).await.unwrap();
        assert_eq!(applied, Applied::Unchanged(Version(2)));
    }
    let now = store.read(scope, &id, &Projection::without("members")).await.unwrap().unwrap();
    assert_eq!(now.version(), Some(Version(2)));
    assert_eq!(now.get("members"), None);
}

/// What SQLite does for a look-up, in its own words: it searches an index, and scans nothing.
#[tokio::test]
async fn look_ups_use_an_index() {
    let registry = Registry::standard();
    let store = SqlStore::in_memory().await.unwrap();
    for (kind, filter) in [
        ("User", "userName eq \"ann@example.com\""),
        ("User", "USERNAME eq \"ann@example.com\" and active eq true"),
        ("User", "externalId eq \"00u1\""),
        ("User", "id eq \"1\""),
        ("User", "emails[type eq \"work\" and value eq \"ann@example.com\"]"),
        ("User", "userName eq \"ann\" or externalId eq \"00u1\""),
        ("User", "id eq \"1\" or (userName eq \"ann\" and active eq true) or userName eq \"bob\""),
        ("Group", "displayName eq \"Staff\""),
        ("Group", "id eq \"1\" and members eq \"2\""),
        ("Group", "members.value eq \"2\""),
        ("Group", "members[value eq \"2\"]"),
    ] {
        let schema = registry.by_name(kind).unwrap();
        let bound = Filter::parse(filter).unwrap().bind(&**schema, &BindOptions::default()).unwrap();
        let sql = Sql::of(schema, Some(&bound));
        let mut statements = vec![query::count_text(&sql)];
        for sort_by in [None, Some("id"), Some("userName"), Some("externalId"), Some("displayName")] {
            let Ok(sort) = Sort::parse(&**schema, sort_by, None) else { continue };
            let order = Order::of(schema, sort.as_ref()).unwrap().unwrap();
            let mut walk = Walk::new(order, &Query { sort, ..Query::default() }).unwrap();
            while let Some(step) = walk.step() {
                statements.push(step.text(&sql, Dialect::Sqlite));
                walk.next_part();
            }
        }
        for statement in statements {
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
                    .fetch_all(readers(&store))
                    .await
                    .unwrap();
            let steps: Vec<&str> = plan.iter().map(|(.., detail)| detail.as_str()).collect();
            let scans = |step: &&str| step.contains("SCAN") && *step != "SCAN CONSTANT ROW";
            assert!(!steps.iter().any(scans), "{}: {statement}\n{steps:#?}", filter);
            let by_key = |step: &&str| step.contains("SEARCH r") && step.contains("id=?");
            assert!(steps.iter().any(by_key), "{}: {statement}\n{steps:#?}", filter);
        }
    }
}

/// A page of a sorted list, wherever it begins, is read off an index in its order: nothing is sorted,
/// and nothing before it is looked at.
#[tokio::test]
async fn pages_are_read_off_an_index() {
    let registry = Registry::standard();
    let store = SqlStore::in_memory().await.unwrap();
    let sorted = |key: Option<&str>| Place::Sorted(key.map(|key| SortKey::Text(key.into())), "7".into());
    for (kind, sort_by, places) in [
        ("User", None, vec![Place::Own("7".into())]),
        ("User", Some("id"), vec![sorted(Some("7"))]),
        ("User", Some("userName"), vec![sorted(Some("ann"))]),
        ("User", Some("externalId"), vec![sorted(Some("ann")), sorted(None)]),
        ("User", Some("displayName"), vec![sorted(Some("ann")), sorted(None)]),
        ("Group", Some("displayName"), vec![sorted(Some("staff"))]),
    ] {
        let schema = registry.by_name(kind).unwrap();
        let filter = Filter::parse("not (displayName eq \"bob\")").unwrap();
        let filter = filter.bind(&**schema, &BindOptions::default()).unwrap();
        for (sql, order, start) in [None, Some(&filter)]
            .into_iter()
            .map(|filter| Sql::of(schema, filter))
            .flat_map(|sql| ["ascending", "descending"].map(|order| (sql.clone(), order)))
            .flat_map(|(sql, order)| {
                let starts = places
                    .iter()
                    .flat_map(|place| [Start::After(place.clone()), Start::Before(place.clone())]);
                let starts: Vec<Start> = starts.chain([Start::First]).collect();
                starts.into_iter().map(move |start| (sql.clone(), order, start))
            })
        {
            let sort = Sort::parse(&**schema, sort_by, Some(order)).unwrap();
            let indexed = Order::of(schema, sort.as_ref()).unwrap().unwrap();
            let query = Query { sort, start, ..Query::default() };
            let walk = Walk::new(indexed, &query).unwrap();
            let statement = walk.step().unwrap().text(&sql, Dialect::Sqlite);
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
                    .fetch_all(readers(&store))
                    .await
                    .unwrap();
            let steps: Vec<&str> = plan.iter().map(|(.., detail)| detail.as_str()).collect();
            let bad = steps.iter().any(|step| step.contains("SCAN") || step.contains("TEMP B-TREE"));
            assert!(!bad, "{kind} by {sort_by:?}: {statement}\n{steps:#?}");
            if query.start.place().is_some() {
                let first = steps.first().unwrap();
                assert!(first.contains('>') || first.contains('<'), "{statement}\n{steps:#?}");
            }
        }
    }
}

/// Member rows that nobody could read show whether anybody does.
#[tokio::test]
async fn members_that_are_left_out_are_not_read() {
    let registry = Registry::standard();
    let schema = registry.by_name("Group").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let store = SqlStore::in_memory().await.unwrap();
    let group = resource(json!({
        "id": "g", "displayName": "All", "members": [{"value": "u1"}, {"value": "u2"}], "meta": {"version": "W/\"1\""},
    }));
    store.create(scope, &group, &[]).await.unwrap();
    sqlx::query("UPDATE members SET body = 'unreadable'").execute(writer(&store)).await.unwrap();

    let id = ResourceId::new("g");
    let everything = Query { start: Start::First, count: 5, ..Query::default() };
    assert!(store.read(scope, &id, &Projection::default()).await.is_err());
    assert!(store.query(scope, &everything).await.is_err());
    for (attributes, excluded) in
        [(None, Some("members")), (Some("displayName"), None), (None, Some("displayName,MEMBERS"))]
    {
        let projection = Projection::parse(schema, attributes, excluded).unwrap();
        assert!(store.read(scope, &id, &projection).await.unwrap().is_some());
        for filter in [
            None,
            Some("members eq \"u2\""),
            Some("members.value eq \"u2\""),
            Some("members[value eq \"u1\"]"),
            Some("id eq \"g\" and members eq \"u1\""),
            Some("id eq \"g\" and members.value eq \"u1\""),
        ] {
            let filter = filter
                .map(|text| Filter::parse(text).unwrap().bind(&**schema, &BindOptions::default()).unwrap());
            for sort_by in [None, Some("displayName"), Some("meta.created")] {
                let sort = Sort::parse(&**schema, sort_by, None).unwrap();
                let (filter, projection) = (filter.clone(), projection.clone());
                let query = Query { filter, projection, sort, ..everything.clone() };
                assert_eq!(store.query(scope, &query).await.unwrap().total, Some(1), "{query:?}");
            }
        }
    }
}

fn writer(store: &SqlStore) -> &SqlitePool {
    match &store.database {
        Database::Sqlite { writer, .. } => writer,
        Database::Postgres(_) => panic!("the store is one over SQLite"),
    }
}

fn readers(store: &SqlStore) -> &SqlitePool {
    match &store.database {
        Database::Sqlite { readers, .. } => readers,
        Database::Postgres(_) => panic!("the store is one over SQLite"),
    }
}

fn value(json: serde_json::Value) -> Value {
    decode_value(&json.to_string()).unwrap()
}

fn resource(json: serde_json::Value) -> Resource {
    decode(&json.to_string()).unwrap()
}
