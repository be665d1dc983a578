//! What only the tables themselves show: which rows a write touches, and how a look-up is done.

use std::time::Duration;

use scim_core::membership::Hierarchy;
use scim_core::patch::{Change, Delta};
use scim_core::query::{Place, Start};
use scim_core::schema::Registry;
use scim_core::sort::{Sort, SortKey};
use scim_core::{TenantId, Value};
use scim_filter::{BindOptions, Filter};
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
    let update =
        Update { change: &change, unique: None, last_modified: "2026-02-02T00:00:00Z", members: None };
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
const LOOK_UPS: [(&str, &str); 13] = [
    ("User", "userName eq \"User77@example.com\""),
    ("User", "USERNAME eq \"user77@example.com\" and active eq true"),
    ("User", "externalId eq \"E77\""),
    ("User", "id eq \"u77\""),
    ("User", "emails.value eq \"user77@example.com\""),
    ("User", "emails[type eq \"work\" and value eq \"user77@example.com\"]"),
    ("User", "userName eq \"user77@example.com\" or externalId eq \"E78\""),
    ("User", "id eq \"u7\" or (userName eq \"ann\" and active eq true) or userName eq \"bob\""),
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

/// Also a database that was never told how many rows there are looks members up by what is known of them.
#[tokio::test]
async fn filters_on_groups_need_no_statistics() {
    let registry = Registry::standard();
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&folder.path().join("scim.db")).await.unwrap();
    let mut empty = vec![Explained { store, _place: (Some(folder), None) }];
    if let Some(server) = Postgres::start() {
        let store = SqlStore::connect(&server.database("empty").await).await.unwrap();
        empty.push(Explained { store, _place: (None, Some(server)) });
    }
    for database in &mut empty {
        for filter in BY_GROUPS.into_iter().chain(OF_GROUPS) {
            for (statement, plan) in plans_of_groups(database, &registry, filter).await {
                walks_no_members(&plan, &format!("{filter}: {statement}"));
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
    let hierarchy = Some(Arc::new(Hierarchy::new(registry, 8, &"https://example.com".parse().unwrap())));
    let tenant = TenantId::new(load::TENANT);
    let scope = Scope { tenant: &tenant, schema };
    let bound = Filter::parse(filter).unwrap().bind(&**schema, &BindOptions::default()).unwrap();
    let query = Query { filter: Some(bound.clone()), hierarchy, ..list(registry, schema, None) };
    let mut tx = database.store.database.read().await.unwrap();
    let below = Below::of(&mut tx, scope, &query).await.unwrap();
    drop(tx);
    let sql = Sql::of(schema, Some(&bound), database.dialect(), below.as_ref()).unwrap();
    let mut plans = Vec::new();
    for statement in database.statements(schema, &sql, &query) {
        let found = database.plans(&statement, &[Planned::EachTime]).await;
        plans.extend(found.into_iter().map(|plan| (format!("{statement:?}"), plan)));
    }
    plans
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

/// A database with tens of thousands of rows in each table.
struct Explained {
    store: SqlStore,
    // Where the store is; it ends with this.
    _place: (Option<tempfile::TempDir>, Option<Postgres>),
}

/// What a statement is planned for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Planned {
    /// For whatever values it has, as a look-up is. In SQLite by a connection that reads at once.
    Once,
    /// For the values it has, as PostgreSQL does where that pays. In SQLite by a connection of the pool.
    EachTime,
}

impl Explained {
    /// SQLite without statistics, as the store leaves it, and with them; PostgreSQL makes them itself.
    async fn all() -> Vec<Self> {
        // To load them takes its time.
        let limits = Limits { statement: Duration::from_secs(3600), ..Limits::default() };
        let mut all = Vec::new();
        for statistics in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let store = SqlStore::open_within(&folder.path().join("scim.db"), &limits).await.unwrap();
            all.push(Self::new(store, statistics, (Some(folder), None)).await);
        }
        if let Some(server) = Postgres::start() {
            let url = server.database("explained").await;
            let store = SqlStore::connect_within(&url, &limits).await.unwrap();
            all.push(Self::new(store, true, (None, Some(server))).await);
        }
        all
    }

    async fn new(
        store: SqlStore,
        statistics: bool,
        place: (Option<tempfile::TempDir>, Option<Postgres>),
    ) -> Self {
        let mut tx = store.database.write().await.unwrap();
        let dialect = tx.dialect();
        let mut statements = load::users(dialect, 20_000);
        statements.extend(load::group(dialect, "all", 1, 20_000));
        (2..300)
            .for_each(|number| statements.extend(load::group(dialect, &format!("g{number}"), number, 10)));
        // Enough users are without an `externalId` that the planner takes a page of them for a part, however
        // its sample of the rows comes out: of few it would rather sort all.
        statements.push(
            "DELETE FROM resource_keys WHERE attribute = 'externalId' AND CAST(substr(id, 2) AS INTEGER) % 2 = 0"
                .to_owned(),
        );
        if statistics {
            statements.push("ANALYZE".to_owned());
        }
        for statement in statements {
            Statement::new(statement).execute(&mut tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        Self { store, _place: place }
    }

    fn dialect(&self) -> Dialect {
        self.store.database.dialect()
    }

    /// What a request may make of a list: the statements of its total, of what is told at once if it is, and of
    /// each part.
    fn statements(&self, schema: &ResourceSchema, sql: &Sql, query: &Query) -> Vec<Statement> {
        let tenant = TenantId::new(load::TENANT);
        let scope = Scope { tenant: &tenant, schema };
        let order = Order::of(schema, query.sort.as_ref(), self.dialect()).unwrap().unwrap();
        let mut walk = Walk::new(&order, query).unwrap();
        let mut statements = vec![order::count(scope, sql, self.dialect())];
        if let Some(wanted) = query::told_at_once(query, sql, &walk) {
            statements.push(walk.step().unwrap().read(scope, sql, self.dialect(), wanted));
        }
        while let Some(step) = walk.step() {
            let wanted = Wanted { most: 101, ..Wanted::default() };
            statements.push(step.read(scope, sql, self.dialect(), wanted));
            walk.next_part();
        }
        statements
    }

    /// How the statement is done.
    async fn plans(&self, statement: &Statement, planned: &[Planned]) -> Vec<Vec<String>> {
        let mut plans = Vec::new();
        for planned in planned {
            plans.push(match &self.store.database {
                Database::Sqlite { direct, .. } => {
                    let (text, values) = statement.parts();
                    let text = format!("EXPLAIN QUERY PLAN {text}");
                    let rows: Vec<(i64, i64, i64, String)> = match planned {
                        Planned::Once => direct.as_ref().unwrap().rows(&text, values).unwrap(),
                        Planned::EachTime => self.told(Statement::new(text).values(values)).await,
                    };
                    rows.into_iter().map(|(.., step)| step).collect()
                }
                Database::Postgres(..) => {
                    let rows: Vec<(String,)> = self.told_by_postgres(statement, *planned).await;
                    rows.into_iter().map(|(step,)| step).collect()
                }
            });
        }
        plans
    }

    async fn told_by_postgres(&self, statement: &Statement, planned: Planned) -> Vec<(String,)> {
        let (text, values) = statement.parts();
        if planned == Planned::EachTime {
            return self.told(Statement::new(format!("EXPLAIN {text}")).values(values)).await;
        }
        let mut tx = self.store.database.read().await.unwrap();
        let nulls = vec!["NULL"; values.len()].join(", ");
        for text in [
            format!("PREPARE planned AS {}", statement.for_postgres()),
            "SET LOCAL plan_cache_mode = force_generic_plan".to_owned(),
        ] {
            Statement::new(text).execute(&mut tx).await.unwrap();
        }
        let rows = Statement::new(format!("EXPLAIN EXECUTE planned ({nulls})")).rows(&mut tx).await.unwrap();
        Statement::new("DEALLOCATE planned").execute(&mut tx).await.unwrap();
        rows
    }

    /// The rows that a connection of the pool gives.
    async fn told<T: database::Record>(&self, statement: Statement) -> Vec<T> {
        statement.rows(&mut self.store.database.read().await.unwrap()).await.unwrap()
    }
}

/// Whether a plan walks through a table; what is made of the row at hand is none.
fn walks_through(plan: &[String]) -> bool {
    plan.iter().any(|step| {
        let of_row = step.contains("SCAN CONSTANT ROW") || step.contains("SCAN scim_e VIRTUAL");
        (step.contains("SCAN") && !of_row) || step.contains("Seq Scan")
    })
}

/// Whether a plan looks at all resources of a type, or at all values of an attribute.
fn walks_the_type(plan: &[String]) -> bool {
    let of_many = |column: &str| ["tenant", "type", "attribute"].contains(&column);
    plan.iter().any(|step| {
        let columns: Vec<&str> = match (step.contains("SEARCH"), step.split_once("Index Cond: ")) {
            (true, _) => step.rsplit_once('(').unwrap().1.split(" AND ").collect(),
            (false, Some((_, conditions))) => conditions.split(" AND ").collect(),
            (false, None) => return false,
        };
        let name = |column: &&str| {
            let column = column.trim_start_matches('(');
            of_many(column.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default())
        };
        columns.iter().all(name)
    })
}

fn condition(schema: &ResourceSchema, filter: &str, dialect: Dialect) -> Sql {
    let bound = Filter::parse(filter).unwrap().bind(schema, &BindOptions::default()).unwrap();
    Sql::of(schema, Some(&bound), dialect, None).unwrap()
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
