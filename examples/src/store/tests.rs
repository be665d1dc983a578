//! What only the tables themselves show: which rows a write touches, and how a look-up is done.

use std::time::Duration;

use jiff::SignedDuration;
use scim_core::membership::Hierarchy;
use scim_core::patch::{Change, Delta};
use scim_core::query::{Place, Start};
use scim_core::schema::Registry;
use scim_core::sort::{Sort, SortKey};
use scim_core::store::{NoCircle, References};
use scim_core::{TenantId, Value};
use scim_filter::{BindOptions, Filter};
use scim_profiles::guard::{Ceiling, Charge, Charged, GuardLedger as _};
use serde_json::json;
use sqlx::SqlitePool;

use super::condition::{Sql, mapping};
use super::groups::Below;
use super::order::{Order, Walk, Wanted};
use super::*;
use scim_core::schema::ResourceSchema;
use scim_filter::sql::Dialect;

#[path = "../../examples/scale/load.rs"]
mod load;
#[path = "../../tests/sql_support/mod.rs"]
pub(super) mod sql_support;

mod explained;
mod rows;

use explained::{Explained, Planned, walks_the_type, walks_through};
use sql_support::Postgres;

#[test]
fn the_mapping_is_of_attributes_that_there_are() {
    let registry = Registry::standard();
    for schema in registry.resource_types() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            assert_eq!(mapping(schema, dialect, None).check(&**schema), Ok(()), "{}", schema.name());
        }
    }
}

/// A page of the audit trail is read from an index, of all and of one resource.
#[tokio::test]
async fn the_audit_trail_is_read_by_an_index() {
    let store = SqlStore::in_memory().await.unwrap();
    for (of_resource, index) in [
        (false, "sqlite_autoindex_audit_1 (tenant=? AND "),
        (true, "audit_by_resource (tenant=? AND type=? AND resource=? AND "),
    ] {
        let statement = audit::text(of_resource);
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
                .fetch_all(readers(&store))
                .await
                .unwrap();
        let steps: Vec<&str> = plan.iter().map(|(.., detail)| detail.as_str()).collect();
        assert!(steps.len() == 1 && steps[0].starts_with("SEARCH") && steps[0].contains(index), "{steps:?}");
    }
}

/// What looks resources up, by type.
const LOOK_UPS: [(&str, &str); 16] = [
    ("User", "userName eq \"User77@example.com\""),
    ("User", "USERNAME eq \"user77@example.com\" and active eq true"),
    ("User", "externalId eq \"E77\""),
    ("User", "id eq \"u77\""),
    ("User", "emails.value eq \"user77@example.com\""),
    ("User", "emails[type eq \"work\" and value eq \"user77@example.com\"]"),
    ("User", "userName eq \"user77@example.com\" or externalId eq \"E78\""),
    ("User", "id eq \"u7\" or (userName eq \"ann\" and active eq true) or userName eq \"bob\""),
    ("User", "entitlements.value eq \"Gold\""),
    ("User", "entitlements[value eq \"gold\" and type eq \"license\"]"),
    ("User", "entitlements eq \"gold\" and userName eq \"user77@example.com\""),
    ("Group", "displayName eq \"Nobody\""),
    ("Group", "id eq \"g7\" and members eq \"u2\""),
    ("Group", "members.value eq \"u9999\""),
    ("Group", "members[value eq \"u9999\"]"),
    ("Group", "members[value eq \"u9999\" and not (display pr)]"),
];

/// What a database does for a look-up, in its own words, over tens of thousands of rows: it searches
/// an index for what is looked up, and walks neither through a table nor through the resources of a type.
#[tokio::test]
async fn look_ups_use_an_index() {
    let registry = Registry::standard();
    for mut database in Explained::all().await {
        keys_are_counted_in_their_index(&database, &registry).await;
        for (kind, filter) in LOOK_UPS {
            let schema = registry.by_name(kind).unwrap();
            let sql = condition(schema, filter, database.dialect());
            for sort_by in [None, Some("id"), Some("userName"), Some("externalId"), Some("displayName")] {
                let Ok(sort) = Sort::parse(&**schema, sort_by, None) else { continue };
                let query = list(&registry, schema, sort);
                for statement in database.statements(schema, &sql, &query) {
                    for plan in database.plans(&statement, &[Planned::Once, Planned::EachTime]).await {
                        let walks = walks_through(&plan) || walks_the_type(&plan);
                        assert!(!walks, "{filter}, by {sort_by:?}: {statement:?}\n{plan:#?}");
                    }
                }
            }
        }
        filters_on_groups_use_the_members(&mut database, &registry).await;
    }
}

/// The first page of a list as the service asks for it, with the groups that the resources are in.
fn list(registry: &Registry, schema: &ResourceSchema, sort: Option<Sort>) -> Query {
    let groups = schema.find(None, "groups").and_then(|_| registry.by_name("Group")).cloned();
    Query {
        sort,
        count: 100,
        projection: Projection::without("members"),
        member_of: groups,
        ..Query::default()
    }
}

/// Users looked up by their groups.
const BY_GROUPS: [&str; 7] = [
    "groups.value eq \"g7\"",
    "groups eq \"g7\"",
    "groups[value eq \"g7\" and type eq \"direct\"]",
    "groups.value eq \"g7\" or groups.value eq \"g8\"",
    "groups.value eq \"g7\" and active eq true",
    // Of these the members are many, and each user that is found is looked for among them.
    "groups.value eq \"all\" and userName eq \"user77@example.com\"",
    "groups pr and id eq \"u77\"",
];

/// Also a database that was never told how many rows there are counts keys in their index, and so does one that is loaded.
#[tokio::test]
async fn to_count_by_a_key_needs_no_statistics() {
    let registry = Registry::standard();
    let mut databases = Explained::empty().await;
    databases.extend(Explained::of_postgres_without_statistics().await);
    for database in &databases {
        keys_are_counted_in_their_index(database, &registry).await;
    }
}

/// Those who have a licence, or any other key, are counted in the index alone: whatever the database knows of its rows, it
/// looks at as many of them as it counts, and at no resource.
async fn keys_are_counted_in_their_index(database: &Explained, registry: &Registry) {
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new(load::TENANT);
    let scope = Scope { tenant: &tenant, schema };
    for filter in ["entitlements.value eq \"Gold\"", "entitlements eq \"gold\"", "emails[value eq \"a@b\"]"] {
        let sql = condition(schema, filter, database.dialect());
        let count = order::count(scope, &sql, database.dialect());
        for plan in database.plans(&count, &[Planned::Once, Planned::EachTime]).await {
            let of_resources = plan.iter().any(|step| step.contains("resources") || step.contains(" r "));
            let walks = walks_through(&plan) || walks_the_type(&plan);
            assert!(!walks && !of_resources, "{filter}: {count:?}\n{plan:#?}");
            let covered = plan.iter().any(|step| step.contains("COVERING INDEX"));
            assert!(covered || database.dialect() == Dialect::Postgres, "{filter}\n{plan:#?}");
        }
    }
}

/// What guards note is found and thrown away by indexes, whatever is noted of other things and counts no more.
#[tokio::test]
async fn what_guards_note_is_found_by_an_index() {
    for database in &Explained::empty().await {
        let tenant = TenantId::new("acme");
        let mut tx = database.store.database.write().await.unwrap();
        Statement::new(past_charges(20_000)).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let now = jiff::Timestamp::from_second(1_000_000).unwrap();
        let ceiling = Ceiling::within(SignedDuration::from_hours(24)).unwrap().with_count(3);
        let charge = Charge { key: "guard-deactivations".into(), amount: 1, ceiling, population: None };
        let of_key = guard::select(&tenant, &charge, now);
        let of_old = guard::throw_away(&tenant, now, database.dialect());
        for (statement, column) in [(of_key, "noted"), (of_old, "ends")] {
            for plan in database.plans(&statement, &[Planned::EachTime]).await {
                let found = plan.iter().any(|step| {
                    (step.contains("SEARCH") || step.contains("Index Cond")) && step.contains(column)
                });
                assert!(found && !walks_through(&plan), "{statement:?}\n{plan:#?}");
            }
        }
    }
}

/// A statement that notes what counts no more, of as many groups.
fn past_charges(count: usize) -> String {
    format!(
        "INSERT INTO guard_charges (tenant, noted, step, ends, amount, population) \
         WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) \
         SELECT 'acme', 'guard-member-removals/Group/' || n, n, n, 1, -1 FROM s"
    )
}

/// However much counts no more, a charge throws some of it away and looks at no more of it.
#[tokio::test]
async fn a_charge_throws_a_bounded_number_of_rows_away() {
    let store = SqlStore::in_memory().await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(past_charges(3000))).execute(writer(&store)).await.unwrap();
    let tenant = TenantId::new("acme");
    let ceiling = Ceiling::within(SignedDuration::from_hours(24)).unwrap().with_count(100);
    let charge = Charge { key: "guard-deactivations".into(), amount: 1, ceiling, population: None };
    let now = jiff::Timestamp::from_second(1_000_000_000).unwrap();
    let mut left = 3000;
    for charged in 1..=3 {
        assert_eq!(store.charge(&tenant, now, std::slice::from_ref(&charge)).await.unwrap(), Charged::Noted);
        left -= i64::from(guard::MOST_THROWN_AWAY);
        let (rows, oldest): (i64, i64) = sqlx::query_as(
            "SELECT count(*), min(ends) FROM guard_charges WHERE noted <> 'guard-deactivations'",
        )
        .fetch_one(readers(&store))
        .await
        .unwrap();
        assert_eq!((rows, oldest), (left, 3001 - left), "the oldest go first");
        let counts = store.guard_charges(&tenant, now).await.unwrap();
        assert_eq!(counts, [("guard-deactivations".to_owned(), charged)]);
    }
}

/// Bodies and filter documents that nobody could read show that those who have a licence are counted without: those who
/// have it by whatever letters, once each, and after it was taken from them no more.
#[tokio::test]
async fn who_has_a_licence_is_counted_without_being_read() {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let store = SqlStore::in_memory().await.unwrap();
    let user = |number: usize, version: u64, entitlements: &[&str]| {
        let entitlements: Vec<_> = entitlements.iter().map(|value| json!({"value": value})).collect();
        resource(json!({
            "id": format!("u{number}"), "userName": format!("name{number}"), "entitlements": entitlements,
            "meta": {"version": format!("W/\"{version}\"")},
        }))
    };
    for (number, entitlements) in [&["gold"][..], &["Gold", "GOLD", "tin"], &["tin"], &[]].iter().enumerate()
    {
        store.create(scope, &user(number, 1, entitlements), &[]).await.unwrap();
    }
    store.replace(scope, &user(2, 2, &["gold"]), &[], Version(1)).await.unwrap();
    store.replace(scope, &user(0, 2, &["goldfish"]), &[], Version(1)).await.unwrap();
    sqlx::query("UPDATE resources SET body = 'unreadable', keys = jsonb('{}')")
        .execute(writer(&store))
        .await
        .unwrap();
    for (license, holders) in [("GOLD", 2), ("tin", 1), ("goldfish", 1), ("lead", 0)] {
        let filter = format!("entitlements.value eq \"{license}\"");
        let filter = Filter::parse(&filter).unwrap().bind(&**schema, &BindOptions::default()).unwrap();
        let query = Query { filter: Some(filter), start: Start::Index(1), ..Query::default() };
        assert_eq!(store.query(scope, &query).await.unwrap().total, Some(holders), "{license}");
    }
}

/// What each user is asked of their groups.
const OF_GROUPS: [&str; 7] = [
    "groups.display eq \"Tours\"",
    "groups.display co \"our\"",
    "groups.type eq \"indirect\"",
    "groups ne \"g7\"",
    "not (groups eq \"g7\")",
    "not (groups pr)",
    "userName sw \"user7\" and not (groups.display pr)",
];

/// Who is in a group is looked up among its members, or by them, whatever else the filter says.
async fn filters_on_groups_use_the_members(database: &mut Explained, registry: &Registry) {
    for filter in OF_GROUPS {
        for (statement, plan) in plans_of_groups(database, registry, filter).await {
            walks_no_members(&plan, &format!("{filter}: {statement}"));
        }
    }
    for filter in BY_GROUPS {
        for (statement, mut plan) in plans_of_groups(database, registry, filter).await {
            walks_no_members(&plan, &format!("{filter}: {statement}"));
            // The groups that were found above one user.
            plan.retain(|step| !matches!(step.as_str(), "SCAN up" | "SCAN a"));
            let members = |step: &String| step.contains("members_") || step.contains("SEARCH m ");
            assert!(!walks_through(&plan), "{filter}: {statement}\n{plan:#?}");
            assert!(plan.iter().any(members), "{filter}: {statement}\n{plan:#?}");
        }
    }
}

/// A page of a large group is one of the walk through all users, each of whom is looked for among the members: none of
/// the others is looked at, and nothing is sorted, whatever the database knows of its rows.
#[tokio::test]
async fn a_page_of_a_large_group_is_a_walk() {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let tenant = TenantId::new(load::TENANT);
    let scope = Scope { tenant: &tenant, schema };
    let mut databases = Explained::all().await;
    databases.extend(Explained::of_postgres_without_statistics().await);
    for database in &databases {
        let sql = condition_on_groups(database, &registry, "groups.value eq \"all\"").await;
        for start in
            [Start::First, Start::After(Place::Own("9".into())), Start::Before(Place::Own("9".into()))]
        {
            let walk = Walk::new(&Order::Created, &Query { start, ..Query::default() }).unwrap();
            let (step, wanted) = (walk.step().unwrap(), Wanted { most: 101, ..Wanted::default() });
            let statement = match database.dialect() {
                Dialect::Postgres => step.read_near(scope, &sql, wanted).unwrap(),
                Dialect::Sqlite => step.read(scope, &sql, Dialect::Sqlite, wanted),
            };
            for plan in database.plans(&statement, &[Planned::EachTime]).await {
                let what = format!("{statement:?}\n{plan:#?}");
                let all = ["Seq Scan", "Hash", "Sort", "Materialize", "TEMP B-TREE", "SCAN"];
                assert!(!plan.iter().any(|step| all.iter().any(|all| step.contains(all))), "{what}");
                assert!(plan.iter().any(|step| step.contains("resources_in_order")), "{what}");
                let of_member = |step: &String| step.contains("member = r.id") || step.contains("member=?");
                assert!(plan.iter().any(of_member), "{what}");
            }
        }
    }
}

/// Also a database that was never told how many rows there are looks members up by what is known of them.
#[tokio::test]
async fn filters_on_groups_need_no_statistics() {
    let registry = Registry::standard();
    for database in &mut Explained::empty().await {
        for filter in BY_GROUPS.into_iter().chain(OF_GROUPS) {
            for (statement, plan) in plans_of_groups(database, &registry, filter).await {
                walks_no_members(&plan, &format!("{filter}: {statement}"));
            }
        }
    }
}

/// Also what it was never told about it writes row by row: of those that a change names, none is looked for among all
/// others, or compared with all that the change names.
#[tokio::test]
async fn writes_need_no_statistics() {
    let registry = Registry::standard();
    let (users, groups) = (registry.by_name("User").unwrap(), registry.by_name("Group").unwrap());
    let tenant = TenantId::new(load::TENANT);
    let scope = Scope { tenant: &tenant, schema: groups };
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&folder.path().join("scim.db")).await.unwrap();
    let mut databases = vec![Explained { store, _place: (Some(folder), None) }];
    if let Some(server) = Postgres::start() {
        let store = SqlStore::connect(&server.database("untold").await).await.unwrap();
        databases.push(Explained { store, _place: (None, Some(server)) });
    }
    for database in databases {
        let dialect = database.dialect();
        let mut tx = database.store.database.write().await.unwrap();
        let mut statements = load::users(dialect, 4_000);
        statements.extend(load::group(dialect, "all", 1, 4_000));
        (2..200).for_each(|number| statements.extend(load::group(dialect, &format!("g{number}"), number, 5)));
        if dialect == Dialect::Postgres {
            for table in ["resources", "members"] {
                statements.push(format!("ALTER TABLE {table} SET (autovacuum_enabled = FALSE)"));
            }
        }
        for statement in statements {
            Statement::new(statement).execute(&mut tx).await.unwrap();
        }
        tx.commit().await.unwrap();

        let of_type = |text: String| Statement::new(text).text(load::TENANT).text("Group");
        let of_all = |text: String| of_type(text).text("all");
        let keys = |statement| {
            ["u7", "u8", "u9", "u10", "u11", "u12", "u13", "u14"].into_iter().fold(statement, Statement::text)
        };
        let ids: Vec<ResourceId> = (1..1_000).map(|number| ResourceId::new(format!("u{number}"))).collect();
        let types = [Arc::clone(users), Arc::clone(groups)];
        let references = References { ids: &ids, types: &types };
        let no_circle = NoCircle { members: &ids, types: &types[1..] };
        // Each with the column by which it finds rows.
        for (statement, column) in [
            (of_all(ROW.to_owned()), "id"),
            (row::wanted(dialect, scope, references).unwrap(), "id"),
            (keys(of_type(by_id(dialect, "id, body", 8))), "id"),
            (of_all(format!("DELETE {}", member_writes::others(dialect))).text(r#"["u1"]"#), "id"),
            (keys(of_all(member_writes::removal(dialect, 8))), "member"),
            (keys(of_all(members::some_of(dialect, "member, body", 8))), "member"),
            (keys(of_type(members::groups_of(dialect, 8))), "member"),
            (nesting::all_above(dialect, scope, no_circle, &["all".into()].into()).unwrap(), "member"),
        ] {
            for plan in database.plans(&statement, &[Planned::EachTime]).await {
                let what = format!("{statement:?}\n{plan:#?}");
                let of_rows = |step: &&String| step.contains("SEARCH") || step.contains("Index Cond: ");
                let searches: Vec<&String> = plan.iter().filter(of_rows).collect();
                assert!(!searches.is_empty(), "{what}");
                let finds_by = [format!("{column}=?"), format!("({column} = ")];
                for step in searches {
                    assert!(finds_by.iter().any(|column| step.contains(column)), "{what}");
                }
                // Each row is compared with nothing, or looked up in a table that is made once.
                let compares = |step: &String| {
                    step.contains("Join Filter")
                        || step.contains("Seq Scan")
                        || step.contains("Materialize")
                        || step.contains("SCAN members")
                        || step.contains("SCAN resources")
                        || (step.contains("Filter: ") && !step.contains("NOT (hashed SubPlan"))
                };
                assert!(!plan.iter().any(compares), "{what}");
            }
        }
    }
}

/// How the statements of a list of users with this filter are done.
async fn plans_of_groups(
    database: &mut Explained,
    registry: &Registry,
    filter: &str,
) -> Vec<(String, Vec<String>)> {
    let schema = registry.by_name("User").unwrap();
    let sql = condition_on_groups(database, registry, filter).await;
    let mut plans = Vec::new();
    for statement in database.statements(schema, &sql, &list(registry, schema, None)) {
        let found = database.plans(&statement, &[Planned::EachTime]).await;
        plans.extend(found.into_iter().map(|plan| (format!("{statement:?}"), plan)));
    }
    plans
}

/// The condition on users that a filter is which looks at their groups.
async fn condition_on_groups(database: &Explained, registry: &Registry, filter: &str) -> Sql {
    let schema = registry.by_name("User").unwrap();
    let hierarchy = Some(Arc::new(Hierarchy::new(registry, 8, &"https://example.com".parse().unwrap())));
    let tenant = TenantId::new(load::TENANT);
    let scope = Scope { tenant: &tenant, schema };
    let bound = Filter::parse(filter).unwrap().bind(&**schema, &BindOptions::default()).unwrap();
    let query = Query { filter: Some(bound.clone()), hierarchy, ..Query::default() };
    let mut tx = database.store.database.read().await.unwrap();
    let below = Below::of(&mut tx, scope, &query).await.unwrap();
    Sql::of(schema, Some(&bound), database.dialect(), below.as_ref()).unwrap()
}

/// No step looks at all members of the tenant.
fn walks_no_members(plan: &[String], what: &str) {
    for (index, step) in plan.iter().enumerate() {
        let condition = match plan.get(index + 1) {
            Some(condition) if condition.contains("Index Cond: ") => condition,
            _ => step,
        };
        let of_members = step.contains(" m ") || step.contains("members");
        let walks = step.contains("Seq Scan") || walks_the_type(std::slice::from_ref(condition));
        assert!(!of_members || !walks, "{what}\n{plan:#?}");
    }
}

/// A page of a list, wherever it begins, is read off an index in its order: nothing is sorted, and
/// nothing before it is looked at.
#[tokio::test]
async fn pages_are_read_off_an_index() {
    let registry = Registry::standard();
    let sorted = |key: Option<&str>| Place::Sorted(key.map(|key| SortKey::Text(key.into())), "u9000".into());
    for database in Explained::all().await {
        for (kind, sort_by, places) in [
            ("User", None, vec![Place::Own("9000".into())]),
            ("User", Some("id"), vec![sorted(Some("u9000"))]),
            ("User", Some("userName"), vec![sorted(Some("user9000@example.com"))]),
            ("User", Some("externalId"), vec![sorted(Some("E9000"))]),
        ] {
            let schema = registry.by_name(kind).unwrap();
            let sql = Sql::default();
            let ways = ["ascending", "descending"].into_iter().flat_map(|order| {
                let starts = places
                    .iter()
                    .flat_map(|place| [Start::After(place.clone()), Start::Before(place.clone())]);
                starts.chain([Start::First]).map(move |start| (order, start)).collect::<Vec<_>>()
            });
            for (order, start) in ways {
                let sort = Sort::parse(&**schema, sort_by, Some(order)).unwrap();
                let query = Query { start, ..list(&registry, schema, sort) };
                // Behind that of the total; the place is in the first part.
                let statements = database.statements(schema, &sql, &query);
                for (index, statement) in statements.iter().enumerate().skip(1) {
                    for plan in database.plans(statement, &[Planned::EachTime]).await {
                        let sorts =
                            plan.iter().any(|step| step.contains("TEMP B-TREE") || step.contains("Sort"));
                        assert!(!walks_through(&plan) && !sorts, "{sort_by:?}: {statement:?}\n{plan:#?}");
                        let at_place = plan.iter().any(|step| {
                            (step.contains("SEARCH") || step.contains("Index Cond"))
                                && step.contains(['<', '>'])
                        });
                        let begins = index == 1 && query.start.place().is_some();
                        assert!(!begins || at_place, "{statement:?}\n{plan:#?}");
                    }
                }
            }
        }
    }
}

/// What a bulk load makes is what the store would have made of it.
#[tokio::test]
async fn a_bulk_load_is_what_the_store_makes() {
    let registry = Registry::standard();
    for database in Explained::all().await {
        let mut tx = database.store.database.once().await.unwrap();
        for (kind, id) in [("User", "u77"), ("Group", "g7")] {
            let schema = registry.by_name(kind).unwrap();
            let select =
                "SELECT body, CAST(keys AS TEXT) FROM resources WHERE tenant = ?1 AND type = ?2 AND id = ?3";
            let select = match database.dialect() {
                Dialect::Sqlite => select.replace("CAST(keys AS TEXT)", "json(keys)"),
                Dialect::Postgres => select.to_owned(),
            };
            let select = Statement::new(select).text(load::TENANT).text(kind).text(id);
            let (body, keys): (String, String) = select.row(&mut tx).await.unwrap().unwrap();
            let resource = decode(&body).unwrap();
            let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(json(&keys), json(&keys::document(schema, &resource).unwrap()));
            let tenant = TenantId::new(load::TENANT);
            let scope = Scope { tenant: &tenant, schema };
            let made = keys::of(schema, &resource, &unique_keys(schema, &resource));
            let id = ResourceId::new(id);
            let present = keys::present(&mut tx, scope, &id).await.unwrap().into_iter();
            let present: keys::Keys =
                present.map(|(key, (claimed, claim))| (key, Some(claim).filter(|_| claimed))).collect();
            assert_eq!(present, made);
        }
    }
}

fn condition(schema: &ResourceSchema, filter: &str, dialect: Dialect) -> Sql {
    let bound = Filter::parse(filter).unwrap().bind(schema, &BindOptions::default()).unwrap();
    Sql::of(schema, Some(&bound), dialect, None).unwrap()
}

fn writer(store: &SqlStore) -> &SqlitePool {
    match &store.database {
        Database::Sqlite { writer, .. } => writer,
        Database::Postgres(..) => panic!("the store is one over SQLite"),
    }
}

fn readers(store: &SqlStore) -> &SqlitePool {
    match &store.database {
        Database::Sqlite { readers, .. } => readers,
        Database::Postgres(..) => panic!("the store is one over SQLite"),
    }
}

fn value(json: serde_json::Value) -> Value {
    decode_value(&json.to_string()).unwrap()
}

fn resource(json: serde_json::Value) -> Resource {
    decode(&json.to_string()).unwrap()
}
