//! Lists in the order of a `Sort`, and page by page from where the last ended, are those of a naive
//! model: in SQLite and, where it is installed, PostgreSQL.
//!
//! `SCIM_DIFFERENTIAL_CASES` asks for more than the tests' default.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../../scim-filter/tests/common/naive.rs"]
mod naive;
mod sql_support;

use std::cell::RefCell;
use std::cmp::Ordering;

use naive::Rule;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use scim_filter::AttributeType::{Binary, Boolean, Complex, DateTime, Decimal, Integer, String as Text};
use scim_filter::compare::{Collation, Instant};
use scim_filter::sql::{Child, Column, Dialect, Mapping, Sort, SortDirection, Sql, SqlValue, key};
use scim_filter::{AttributeInfo, BindOptions, BoundExpr, Filter, SchemaTable};
use serde_json::{Value, json};
use sql_support::{Postgres, sqlite};
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

const SCHEMA: SchemaTable<'static> = SchemaTable {
    uri: "urn:example:Thing",
    attributes: &[
        (AttributeInfo::new("title", Text), &[]),
        (AttributeInfo::new("code", Text).case_exact(), &[]),
        (AttributeInfo::new("always", Text), &[]),
        (AttributeInfo::new("active", Boolean), &[]),
        (AttributeInfo::new("logins", Integer), &[]),
        (AttributeInfo::new("ratio", Decimal), &[]),
        (AttributeInfo::new("exact", Decimal), &[]),
        (AttributeInfo::new("photo", Binary).case_exact(), &[]),
        (AttributeInfo::new("created", DateTime), &[]),
        (AttributeInfo::new("changed", DateTime), &[]),
        (AttributeInfo::new("seen", DateTime), &[]),
        (AttributeInfo::new("external", Text), &[]),
        (AttributeInfo::new("aliases", Text).multi_valued(), &[]),
        (
            AttributeInfo::new("emails", Complex).multi_valued(),
            &[
                AttributeInfo::new("value", Text),
                AttributeInfo::new("weight", Integer),
                AttributeInfo::new("primary", Boolean),
            ],
        ),
    ],
};

/// The columns, with the types of SQLite and PostgreSQL.
const COLUMNS: &[(&str, [&str; 2])] = &[
    ("title", ["TEXT", "TEXT"]),
    ("code", ["TEXT", "TEXT"]),
    ("always", ["TEXT NOT NULL", "TEXT NOT NULL"]),
    ("active", ["BOOLEAN", "BOOLEAN"]),
    ("logins", ["BIGINT", "BIGINT"]),
    ("ratio", ["REAL", "DOUBLE PRECISION"]),
    ("exact", ["REAL", "NUMERIC"]),
    ("photo", ["TEXT", "TEXT"]),
    ("created", ["TEXT", "TEXT"]),
    ("changed", ["BIGINT", "TIMESTAMPTZ"]),
    ("seen", ["TEXT", "TEXT"]),
    ("external", ["TEXT", "UUID"]),
];

/// What is sorted by, and the type of the keys in SQLite and PostgreSQL.
const SORTED_BY: &[(&str, [KeyType; 2])] = &[
    ("title", [KeyType::Text; 2]),
    ("code", [KeyType::Text; 2]),
    ("always", [KeyType::Text; 2]),
    ("active", [KeyType::Boolean; 2]),
    ("logins", [KeyType::Integer; 2]),
    ("ratio", [KeyType::Float; 2]),
    ("exact", [KeyType::Float, KeyType::Text]),
    ("photo", [KeyType::Text; 2]),
    ("created", [KeyType::Text; 2]),
    ("changed", [KeyType::Integer, KeyType::Text]),
    ("seen", [KeyType::Text; 2]),
    ("external", [KeyType::Text; 2]),
    ("aliases", [KeyType::Text; 2]),
    ("emails", [KeyType::Text; 2]),
    ("emails.value", [KeyType::Text; 2]),
    ("emails.weight", [KeyType::Integer; 2]),
    ("emails.primary", [KeyType::Boolean; 2]),
];

#[derive(Clone, Copy)]
enum KeyType {
    Text,
    Integer,
    Float,
    Boolean,
}

fn mapping(dialect: Dialect) -> Mapping {
    let (exact, changed, external) = match dialect {
        Dialect::Sqlite => {
            (Column::float("r.exact"), Column::unix_time("r.changed", 3), Column::folded("r.external"))
        }
        Dialect::Postgres => {
            (Column::decimal("r.exact"), Column::timestamp("r.changed"), Column::uuid("r.external"))
        }
    };
    Mapping::new()
        .column("title", Column::folded("r.title"))
        .column("code", Column::exact("r.code"))
        .column("always", Column::folded("r.always").not_null())
        .column("active", Column::boolean("r.active"))
        .column("logins", Column::integer("r.logins"))
        .column("ratio", Column::float("r.ratio"))
        .column("exact", exact)
        .column("photo", Column::base64("r.photo"))
        .column("created", Column::instant("r.created"))
        .column("changed", changed)
        .column("seen", Column::rfc3339("r.seen", 3))
        .column("external", external)
        .child(
            "aliases",
            Child::new("aliases AS a", "a.r = r.id")
                .column("value", Column::folded("a.value"))
                .in_order("a.n"),
        )
        .child(
            "emails",
            Child::new("emails AS e", "e.r = r.id")
                .column("value", Column::folded("e.value"))
                .column("weight", Column::integer("e.weight"))
                .column("primary", Column::boolean("e.is_primary"))
                .in_order("e.n"),
        )
}

/// Few values, so that many are equal; in no database's own order.
fn resources() -> impl Strategy<Value = Vec<Value>> {
    let text =
        || proptest::sample::select(vec!["", "a", "B", "b", "É", "é", "z", "Z", "ß", "SS", "~", "_", "aa"]);
    let time = || {
        proptest::sample::select(vec![
            "2011-05-13T04:42:34Z",
            "2011-05-13T06:42:34+02:00",
            "2011-05-13T04:42:34.5Z",
            "1969-12-31T23:59:59.75Z",
            "0001-01-01T00:00:00Z",
        ])
    };
    let of = |strategy: BoxedStrategy<Value>| proptest::option::weighted(0.7, strategy);
    let json = |values: Vec<Value>| of(proptest::sample::select(values).boxed());
    let texts = || of(text().prop_map(Value::from).boxed());
    let times = || of(time().prop_map(Value::from).boxed());
    let numbers = vec![json!(0.5), json!(-1e300), json!(3.0), json!(1e300)];
    let integers = || vec![json!(0), json!(-1), json!(3), json!(i64::MAX), json!(i64::MIN)];
    let uuids = vec![
        json!("2819c223-7f76-453a-919d-413861904646"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!("ffffffff-ffff-ffff-ffff-ffffffffffff"),
    ];
    let booleans = || vec![json!(true), json!(false)];
    let email = (texts(), json(integers()), json(booleans()))
        .prop_map(|(value, weight, primary)| json!({"value": value, "weight": weight, "primary": primary}));
    let scalars = (
        texts(),
        texts(),
        text(),
        json(booleans()),
        json(integers()),
        json(numbers.clone()),
        json(numbers),
        json(vec![json!("aGVsbG8="), json!("aGVsbG8"), json!("AGVSBG8=")]),
    );
    let others = (
        times(),
        times(),
        times(),
        json(uuids),
        proptest::collection::vec(text(), 0..3),
        proptest::collection::vec(email, 0..3),
    );
    let resource = (scalars, others).prop_map(|(scalars, others)| {
        let (title, code, always, active, logins, ratio, exact, photo) = scalars;
        let (created, changed, seen, external, aliases, emails) = others;
        json!({
            "title": title, "code": code, "always": always, "active": active, "logins": logins, "ratio": ratio,
            "exact": exact, "photo": photo, "created": created, "changed": changed, "seen": seen,
            "external": external, "aliases": aliases, "emails": emails,
        })
    });
    proptest::collection::btree_map("[a-zA-ZéÉ_]{1,3}", resource, 1..14).prop_map(|resources| {
        let with_id = |(id, mut resource): (String, Value)| {
            resource.as_object_mut().unwrap().insert("id".to_owned(), id.into());
            resource
        };
        resources.into_iter().map(with_id).collect()
    })
}

/// The key as one would write it first: what is before the point and behind, or a text.
type Key = Option<(i128, f64, String)>;

fn sort_key(path: &str, resource: &Value) -> Key {
    let (name, sub) = path.split_once('.').unwrap_or((path, "value"));
    let mut value = resource.get(name)?;
    if let Some(values) = value.as_array() {
        let is_primary = |value: &&Value| value.get("primary") == Some(&json!(true));
        value = values.iter().find(is_primary).or(values.first())?;
        value = if value.is_object() { value.get(sub)? } else { value };
    }
    let rule = match name {
        "created" | "changed" | "seen" => Rule::Time,
        "photo" => Rule::Base64,
        "code" => Rule::Exact,
        _ => Rule::Folded,
    };
    match value {
        Value::Bool(value) => Some((i128::from(*value), 0.0, String::new())),
        Value::Number(value) => Some((naive::number(value).0, naive::number(value).1, String::new())),
        Value::String(text) if rule == Rule::Time => {
            naive::time(text).map(|(seconds, fraction)| (seconds, 0.0, fraction))
        }
        Value::String(text) => Some((0, 0.0, naive::key(text, rule))),
        _ => None,
    }
}

/// The ids in the order of the list.
fn sorted(path: &str, direction: SortDirection, resources: &[Value]) -> Vec<String> {
    let mut keys: Vec<(Key, String)> = resources
        .iter()
        .map(|resource| (sort_key(path, resource), resource["id"].as_str().unwrap().to_owned()))
        .collect();
    keys.sort_by(|(left, left_id), (right, right_id)| {
        let keys = match (left, right) {
            (Some(left), Some(right)) => left.partial_cmp(right).unwrap(),
            (None, None) => Ordering::Equal,
            // What has no key is behind what has one.
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
        };
        keys.then_with(|| left_id.cmp(right_id))
    });
    if direction == SortDirection::Descending {
        keys.reverse();
    }
    keys.into_iter().map(|(_, id)| id).collect()
}

fn tables(dialect: Dialect, resources: &[Value]) -> String {
    let columns: Vec<String> = COLUMNS
        .iter()
        .map(|(name, [sqlite, postgres])| {
            format!("{name} {}", if dialect == Dialect::Sqlite { sqlite } else { postgres })
        })
        .collect();
    let mut text = format!(
        "CREATE TEMPORARY TABLE r (id TEXT NOT NULL, {});
         CREATE TEMPORARY TABLE aliases (r TEXT, n BIGINT, value TEXT);
         CREATE TEMPORARY TABLE emails (r TEXT, n BIGINT, value TEXT, weight BIGINT, is_primary BOOLEAN);\n",
        columns.join(", ")
    );
    for resource in resources {
        let id = &resource["id"];
        let of = |name: &str| literal(dialect, name, &resource[name]);
        let values: Vec<String> = COLUMNS.iter().map(|(name, _)| of(name)).collect();
        text += &format!("INSERT INTO r VALUES ({}, {});\n", literal(dialect, "id", id), values.join(", "));
        for (n, alias) in resource["aliases"].as_array().unwrap().iter().enumerate() {
            let (id, alias) = (literal(dialect, "id", id), literal(dialect, "title", alias));
            text += &format!("INSERT INTO aliases VALUES ({id}, {n}, {alias});\n");
        }
        // Not in the order they stand in.
        for (n, email) in resource["emails"].as_array().unwrap().iter().enumerate().rev() {
            let of = |name: &str, sub: &str| literal(dialect, name, &email[sub]);
            let (value, weight, primary) =
                (of("title", "value"), of("logins", "weight"), of("active", "primary"));
            let id = literal(dialect, "id", id);
            text += &format!("INSERT INTO emails VALUES ({id}, {n}, {value}, {weight}, {primary});\n");
        }
    }
    text
}

fn literal(dialect: Dialect, name: &str, value: &Value) -> String {
    let (_, info) = SCHEMA
        .attributes
        .iter()
        .map(|(info, _)| (info.name, *info))
        .find(|(it, _)| *it == name)
        .unwrap_or(("id", AttributeInfo::new("id", Text).case_exact()));
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) if info.kind == DateTime => {
            let instant = Instant::parse(text).unwrap();
            let key = key(Collation { kind: DateTime, case_exact: false }, text).unwrap();
            let millis = format!("{:0<3}", instant.fraction());
            match (name, dialect) {
                ("created", _) => format!("'{key}'"),
                ("changed", Dialect::Sqlite) => {
                    (instant.unix_seconds() * 1_000 + millis.parse::<i64>().unwrap()).to_string()
                }
                ("changed", _) => format!("'{key}+00'"),
                _ => format!("'{}.{millis}Z'", key.split('.').next().unwrap()),
            }
        }
        Value::String(text) => {
            format!("'{}'", key(Collation { kind: info.kind, case_exact: info.case_exact }, text).unwrap())
        }
        value if value.as_i64() == Some(i64::MIN) => "(-9223372036854775807 - 1)".to_owned(),
        value => value.to_string(),
    }
}

enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A row's place: its key and its id.
type At = (Option<SqlValue>, String);

/// Reads keys of one type.
macro_rules! page {
    ($db:expr, $text:expr, $sql:expr, $type:ty, $value:expr) => {{
        let mut query = sqlx::query_as::<_, (Option<$type>, String)>(AssertSqlSafe($text)).persistent(false);
        for value in $sql.values.clone() {
            query = match value {
                SqlValue::Text(value) => query.bind(value),
                SqlValue::Integer(value) => query.bind(value),
                SqlValue::Float(value) => query.bind(value),
                SqlValue::Boolean(value) => query.bind(value),
            };
        }
        let rows = query.fetch_all($db).await;
        rows.map(|rows| rows.into_iter().map(|(key, id)| (key.map($value), id)).collect::<Vec<At>>())
    }};
}

macro_rules! read {
    ($db:expr, $text:expr, $sql:expr, $key:expr) => {
        match $key {
            KeyType::Text => page!($db, $text, $sql, String, SqlValue::Text),
            KeyType::Integer => page!($db, $text, $sql, i64, SqlValue::Integer),
            KeyType::Float => page!($db, $text, $sql, f64, SqlValue::Float),
            KeyType::Boolean => page!($db, $text, $sql, bool, SqlValue::Boolean),
        }
    };
}

impl Database {
    fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    async fn execute(&mut self, text: String) {
        match self {
            Self::Sqlite(db) => sqlx::raw_sql(AssertSqlSafe(text.clone())).execute(db).await.map(drop),
            Self::Postgres(db) => sqlx::raw_sql(AssertSqlSafe(text.clone())).execute(db).await.map(drop),
        }
        .unwrap_or_else(|error| panic!("{error}: {text}"));
    }

    /// At most `count` rows behind a place.
    async fn page(
        &mut self,
        sort: &Sort,
        keys: [KeyType; 2],
        after: Option<At>,
        count: usize,
    ) -> Result<Vec<At>, TestCaseError> {
        let dialect = self.dialect();
        let sql = match after {
            Some((key, id)) => sort.after(key, SqlValue::Text(id), dialect, 1),
            None => Sql { text: "TRUE".to_owned(), values: Vec::new() },
        };
        let text = format!(
            "SELECT {}, {} FROM r WHERE {} ORDER BY {} LIMIT {count}",
            sort.key_expression(),
            sort.id_expression(),
            sql.text,
            sort.order_by(dialect)
        );
        let [of_sqlite, of_postgres] = keys;
        let rows = match self {
            Self::Sqlite(db) => read!(&mut *db, text.clone(), sql, of_sqlite),
            Self::Postgres(db) => read!(&mut *db, text.clone(), sql, of_postgres),
        };
        rows.map_err(|error| TestCaseError::fail(format!("{error}\n{text}\n{:?}", sql.values)))
    }

    /// Sorts by everything, at once and page by page; a row that was served goes away in between.
    async fn check(&mut self, resources: &[Value], size: usize) -> Result<usize, TestCaseError> {
        let dialect = self.dialect();
        let reset = match dialect {
            Dialect::Sqlite => {
                "DROP TABLE IF EXISTS r; DROP TABLE IF EXISTS aliases; DROP TABLE IF EXISTS emails;"
            }
            Dialect::Postgres => "DISCARD TEMP;",
        };
        self.execute(reset.to_owned()).await;
        self.execute(tables(dialect, resources)).await;
        let mut lists = 0;
        for ((path, keys), direction) in SORTED_BY.iter().flat_map(|by| {
            [SortDirection::Ascending, SortDirection::Descending].map(|direction| (by, direction))
        }) {
            let expected = sorted(path, direction, resources);
            // The attribute, as a filter names it.
            let path = if *path == "emails" { "emails.value" } else { path };
            let bound =
                Filter::parse(&format!("{path} pr")).unwrap().bind(&SCHEMA, &BindOptions::default()).unwrap();
            let BoundExpr::Present(attr) = bound.expr() else { panic!("{path}") };
            let sort =
                Sort::by(attr, direction, &mapping(dialect), &Column::exact("r.id").not_null()).unwrap();
            let ids = |rows: Vec<At>| rows.into_iter().map(|(_, id)| id).collect::<Vec<_>>();
            let whole = ids(self.page(&sort, *keys, None, 1_000).await?);
            prop_assert_eq!(&whole, &expected, "{:?} by {} {:?}: {:?}", dialect, path, direction, resources);
            self.execute("BEGIN".to_owned()).await;
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let rows = self.page(&sort, *keys, after.clone(), size).await?;
                let Some((_, id)) = rows.last() else { break };
                let gone = format!("DELETE FROM r WHERE id = '{id}'");
                after = rows.last().cloned();
                paged.extend(ids(rows));
                self.execute(gone).await;
            }
            self.execute("ROLLBACK".to_owned()).await;
            prop_assert_eq!(paged, expected, "{:?} pages of {} by {} {:?}", dialect, size, path, direction);
            lists += 1;
        }
        Ok(lists)
    }
}

#[test]
fn lists_and_pages_are_in_order() {
    let cases =
        std::env::var("SCIM_DIFFERENTIAL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(25);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let postgres = Postgres::start();
    let mut databases = vec![Database::Sqlite(runtime.block_on(sqlite()))];
    if let Some(postgres) = &postgres {
        databases.push(Database::Postgres(runtime.block_on(postgres.connect())));
    }
    let (databases, lists) = (RefCell::new(databases), RefCell::new(0));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 500, ..Config::default() };
    let result = TestRunner::new(config).run(&(resources(), 1..5usize), |(resources, size)| {
        for database in databases.borrow_mut().iter_mut() {
            *lists.borrow_mut() += runtime.block_on(database.check(&resources, size))?;
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    println!("{} lists, each at once and page by page", lists.borrow());
    assert!(*lists.borrow() >= SORTED_BY.len() * 2 * cases as usize);
}
