//! Filters mean the same to the evaluator, to the naive model, and in SQL: random schemas, mapped at
//! random, with random resources and filters, in SQLite and, where it is installed, PostgreSQL.
//!
//! `SCIM_DIFFERENTIAL_CASES` asks for more schemas than the tests' default; each has some dozen
//! resources and two dozen filters at most.

#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "../../scim-filter/tests/common/naive.rs"]
mod naive;
mod sql_support;

use std::fmt::Write;

use naive::{Model, Rule};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use scim_filter::AttributeType::{
    Binary, Boolean, Complex, DateTime, Decimal, Integer, Reference, String as Text,
};
use scim_filter::compare::{Collation, Instant};
use scim_filter::sql::{Child, Column, Dialect, JsonColumn, Mapping, key, key_document};
use scim_filter::{AttributeInfo, AttributeType, BindOptions, CompareOp, Filter, SchemaTable};
use serde_json::{Map, Value, json};
use sql_support::{Postgres, postgres_rows, sqlite, sqlite_rows};
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

const CORE: &str = "urn:example:schemas:2.0:Thing";
const EXTENSION: &str = "urn:example:schemas:extension:2.0:More";

#[derive(Clone, Debug)]
struct Case {
    attributes: Vec<Attribute>,
    resources: Vec<Map<String, Value>>,
    // As texts, and as the model has them.
    filters: Vec<(String, Model)>,
}

#[derive(Clone, Debug)]
struct Attribute {
    name: String,
    extension: bool,
    multi: bool,
    scalar: Scalar,
    subs: Vec<(&'static str, Scalar)>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    // In a column, or if there are many values in a child table.
    Column,
    Json,
    Document,
    // A single-valued complex attribute: every second sub-attribute in a column, the rest in the
    // document.
    Mixed,
}

#[derive(Clone, Copy, Debug)]
struct Scalar {
    kind: AttributeType,
    exact: bool,
    // Which of the columns a dateTime can be in.
    form: u8,
}

fn scalar() -> impl Strategy<Value = Scalar> {
    let kinds = [Text, Text, Text, Reference, Boolean, Integer, Decimal, DateTime, DateTime, Binary];
    (proptest::sample::select(kinds.to_vec()), any::<bool>(), 0..4u8).prop_map(|(kind, exact, form)| Scalar {
        kind,
        exact,
        form,
    })
}

fn attribute(index: usize) -> impl Strategy<Value = Attribute> {
    let names = proptest::sample::subsequence(vec!["value", "type", "primary", "x"], 1..4);
    let subs =
        names.prop_flat_map(|names| names.into_iter().map(|name| (Just(name), scalar())).collect::<Vec<_>>());
    let places = vec![Place::Column, Place::Column, Place::Json, Place::Document, Place::Mixed];
    let places = proptest::sample::select(places);
    (scalar(), proptest::option::of(subs), any::<bool>(), proptest::bool::weighted(0.2), places).prop_map(
        move |(scalar, subs, multi, extension, place)| Attribute {
            multi: multi && place != Place::Mixed,
            name: format!("a{index}"),
            extension,
            scalar: if subs.is_some() { Scalar { kind: Complex, ..scalar } } else { scalar },
            subs: subs.unwrap_or_default(),
            place,
        },
    )
}

/// Few and short, so that comparisons hold often; with what folds to other lengths, and what SQL
/// would take for wildcards or quotes.
fn text() -> impl Strategy<Value = String> {
    let chars = vec![
        'a',
        'a',
        'A',
        'b',
        'B',
        'é',
        'É',
        'ß',
        'ẞ',
        'S',
        's',
        'Ⱥ',
        'ⱥ',
        'Σ',
        'ς',
        'K',
        'ı',
        'I',
        '%',
        '_',
        '\'',
        '"',
        '\\',
        '*',
        '?',
        '$',
        '1',
        ' ',
        '\u{D7FF}',
        '\u{10FFFF}',
    ];
    proptest::collection::vec(proptest::sample::select(chars), 0..4)
        .prop_map(|chars| chars.into_iter().collect())
}

fn of(kind: AttributeType, is_literal: bool) -> BoxedStrategy<Value> {
    match kind {
        Text | Reference | Complex if is_literal => {
            prop_oneof![30 => text(), 1 => Just("a\0b".to_owned()), 1 => Just("\0".to_owned())]
                .prop_map(Value::from)
                .boxed()
        }
        Text | Reference | Complex => text().prop_map(Value::from).boxed(),
        Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Integer | Decimal => {
            let mut numbers = vec![
                json!(0),
                json!(1),
                json!(-1),
                json!(2),
                json!(9_007_199_254_740_993_i64),
                json!(9_007_199_254_740_992_i64),
                json!(i64::MAX),
                json!(i64::MIN),
            ];
            let floats = [json!(0.5), json!(1.0), json!(-1.5), json!(9_007_199_254_740_992.0), json!(1e300)];
            if is_literal {
                numbers.extend(floats);
                numbers.extend([json!(u64::MAX), json!(-1e300)]);
            } else if kind == Decimal {
                numbers = floats.to_vec();
            }
            proptest::sample::select(numbers).boxed()
        }
        DateTime => {
            let mut times = vec![
                "2011-05-13T04:42:34Z",
                "2011-05-13T06:42:34+02:00",
                "2011-05-13T04:42:34.000Z",
                "2011-05-13T04:42:34.5Z",
                "2011-05-12T23:42:34.25-05:00",
                "2012-02-29T23:59:59",
                "1969-12-31T23:59:59.75Z",
                "0001-01-01T00:00:00Z",
                "9999-12-31T23:59:59.999Z",
                "2000-02-29T24:00:00Z",
                "1900-03-01T00:00:00Z",
            ];
            if is_literal {
                times.extend([
                    "2011-05-13T04:42:34.0000001Z",
                    "2011-05-13T04:42:34.4999999999Z",
                    "-0044-03-15T00:00:00Z",
                    "12011-01-01T00:00:00Z",
                    "999999999-01-01T00:00:00Z",
                    "-999999999-01-01T00:00:00Z",
                    "0000-01-01T00:00:00Z",
                    "1969-12-31T23:59:59.7500001Z",
                ]);
            }
            proptest::sample::select(times).prop_map(Value::from).boxed()
        }
        Binary => proptest::sample::select(vec!["aGVsbG8", "aGVsbG8=", "aGVsbG9v", "AGVSBG8="])
            .prop_map(Value::from)
            .boxed(),
    }
}

/// A value as resources hold it; in JSON also of no type it should have.
fn stored(scalar: Scalar, place: Place) -> BoxedStrategy<Value> {
    if matches!(place, Place::Column | Place::Mixed) {
        prop_oneof![9 => of(scalar.kind, false), 1 => Just(Value::Null)].boxed()
    } else {
        prop_oneof![
            9 => of(scalar.kind, false),
            1 => proptest::sample::select(vec![json!(null), json!(""), json!(7), json!(true), json!("soon"), json!(0.5)]),
        ]
        .boxed()
    }
}

fn value(attribute: &Attribute) -> BoxedStrategy<Value> {
    let place = attribute.place;
    let one = if attribute.subs.is_empty() {
        stored(attribute.scalar, place)
    } else {
        let members: Vec<_> = attribute
            .subs
            .iter()
            .map(|(name, scalar)| (Just(*name), proptest::option::weighted(0.8, stored(*scalar, place))))
            .collect();
        members
            .prop_map(|members| {
                members
                    .into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                    .collect::<Map<_, _>>()
            })
            .prop_map(Value::Object)
            .boxed()
    };
    let one = prop_oneof![9 => one, 1 => Just(Value::Null)].boxed();
    if !attribute.multi {
        return one;
    }
    let element = match place {
        Place::Column => one,
        _ => prop_oneof![9 => one, 1 => Just(json!("a")), 1 => Just(json!(7))].boxed(),
    };
    prop_oneof![
        9 => proptest::collection::vec(element.clone(), 0..4).prop_map(Value::Array),
        1 => element,
    ]
    .boxed()
}

fn resource(attributes: &[Attribute]) -> BoxedStrategy<Map<String, Value>> {
    let members: Vec<_> = attributes
        .iter()
        .map(|attribute| (Just(attribute.clone()), proptest::option::weighted(0.8, value(attribute))))
        .collect();
    members
        .prop_map(|members| {
            let (mut resource, mut extension) = (Map::new(), Map::new());
            for (attribute, value) in members {
                let Some(value) = value else { continue };
                // A complex attribute without any value is not there (RFC 7643 §2.5).
                let nothing = |value: &Value| {
                    value.as_object().is_some_and(|object| object.values().all(Value::is_null))
                };
                if !attribute.multi && attribute.place == Place::Column && nothing(&value) {
                    continue;
                }
                if attribute.extension { &mut extension } else { &mut resource }
                    .insert(attribute.name.clone(), value);
            }
            if !extension.is_empty() {
                resource.insert(EXTENSION.to_owned(), Value::Object(extension));
            }
            resource
        })
        .boxed()
}

fn comparison(path: String, kind: AttributeType) -> BoxedStrategy<Model> {
    use CompareOp::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
    let ops: &[CompareOp] = match kind {
        Text | Reference => &[Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le],
        Integer | Decimal | DateTime => &[Eq, Ne, Gt, Ge, Lt, Le],
        Boolean | Binary => &[Eq, Ne],
        Complex => &[],
    };
    let present = Just(Model::Present(path.clone()));
    let (null, other) = (path.clone(), path.clone());
    let null = proptest::sample::select(&[Eq, Ne][..])
        .prop_map(move |op| Model::Compare(null.clone(), op, Value::Null));
    if ops.is_empty() {
        return prop_oneof![present, null].boxed();
    }
    let compare = (proptest::sample::select(ops), of(kind, true))
        .prop_map(move |(op, value)| Model::Compare(other.clone(), op, value));
    prop_oneof![6 => compare, 1 => present, 1 => null].boxed()
}

fn tree(leaf: BoxedStrategy<Model>, depth: u32) -> BoxedStrategy<Model> {
    leaf.prop_recursive(depth, 16, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Model::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Model::Or),
            inner.prop_map(|term| Model::Not(Box::new(term))),
        ]
    })
    .boxed()
}

impl Attribute {
    fn path(&self) -> String {
        if self.extension { format!("{EXTENSION}:{}", self.name) } else { self.name.clone() }
    }

    /// The type of what a comparison with the attribute itself looks at.
    fn compared(&self) -> AttributeType {
        let value = self.subs.iter().find(|(name, _)| *name == "value");
        value.map_or(self.scalar, |(_, scalar)| *scalar).kind
    }
}

fn filter(attributes: &[Attribute]) -> BoxedStrategy<Model> {
    let mut leaves = Vec::new();
    for attribute in attributes {
        let path = attribute.path();
        leaves.push(comparison(path.clone(), attribute.compared()));
        let mut inner = Vec::new();
        for (name, scalar) in &attribute.subs {
            leaves.push(comparison(format!("{path}.{name}"), scalar.kind));
            inner.push(comparison((*name).to_owned(), scalar.kind));
        }
        if attribute.multi && attribute.subs.is_empty() {
            inner.push(comparison("value".to_owned(), attribute.scalar.kind));
        }
        if !inner.is_empty() {
            let inner = tree(proptest::strategy::Union::new(inner).boxed(), 2);
            leaves.push(inner.prop_map(move |inner| Model::In(path.clone(), Box::new(inner))).boxed());
        }
    }
    tree(proptest::strategy::Union::new(leaves).boxed(), 2)
}

/// How texts at a path compare, of the attributes' definitions.
fn rule(attributes: &[Attribute], path: &str) -> Rule {
    let of = |scalar: Scalar| match (scalar.kind, scalar.exact) {
        (DateTime, _) => Rule::Time,
        (Binary, _) => Rule::Base64,
        (_, true) => Rule::Exact,
        (_, false) => Rule::Folded,
    };
    for attribute in attributes {
        let Some(rest) = path.strip_prefix(&attribute.path()) else { continue };
        match rest.strip_prefix('.').map(|sub| attribute.subs.iter().find(|(name, _)| *name == sub)) {
            Some(Some((_, scalar))) => return of(*scalar),
            None if !attribute.subs.is_empty() => return Rule::Value,
            _ => return of(attribute.scalar),
        }
    }
    Rule::Exact
}

fn case() -> impl Strategy<Value = Case> {
    let attributes = (1..6usize).prop_flat_map(|count| (0..count).map(attribute).collect::<Vec<_>>());
    attributes.prop_flat_map(|attributes| {
        let resources = proptest::collection::vec(resource(&attributes), 1..12);
        let filters = proptest::collection::vec((filter(&attributes), any::<u64>()), 1..24);
        let filters = filters.prop_map(|filters| {
            let write = |(model, mut coins): (Model, u64)| {
                let text = model.text(&mut || {
                    coins = coins.rotate_left(1);
                    coins & 7 == 7
                });
                (text, model)
            };
            filters.into_iter().map(write).collect::<Vec<_>>()
        });
        (Just(attributes), resources, filters).prop_map(|(attributes, resources, filters)| Case {
            attributes,
            resources,
            filters,
        })
    })
}

impl Scalar {
    fn info<'n>(self, name: &'n str) -> AttributeInfo<'n> {
        let info = AttributeInfo::new(name, self.kind);
        if self.exact { info.case_exact() } else { info }
    }

    /// The column's type, and how it is mapped.
    fn column(self, dialect: Dialect, expression: &str) -> (&'static str, Column) {
        match (self.kind, self.form, dialect) {
            (Text | Reference | Complex, ..) if self.exact => ("TEXT", Column::exact(expression)),
            (Text | Reference | Complex, ..) => ("TEXT", Column::folded(expression)),
            (Boolean, ..) => ("BOOLEAN", Column::boolean(expression)),
            (Integer | Decimal, 0, Dialect::Postgres) => ("NUMERIC", Column::decimal(expression)),
            (Integer, ..) => ("BIGINT", Column::integer(expression)),
            (Decimal, ..) => ("DOUBLE PRECISION", Column::float(expression)),
            (Binary, ..) => ("TEXT", Column::base64(expression)),
            (DateTime, 0, _) => ("TEXT", Column::rfc3339(expression, 3)),
            (DateTime, 1, _) => ("BIGINT", Column::unix_time(expression, 3)),
            (DateTime, 2, Dialect::Postgres) => ("TIMESTAMPTZ", Column::timestamp(expression)),
            (DateTime, ..) => ("TEXT", Column::instant(expression)),
        }
    }

    /// The value as a literal of SQL, for such a column.
    fn literal(self, dialect: Dialect, value: Option<&Value>) -> String {
        let collation = Collation { kind: self.kind, case_exact: self.exact };
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        match value {
            None | Some(Value::Null) => "NULL".to_owned(),
            Some(Value::String(text)) if self.kind == DateTime => {
                let instant = Instant::parse(text).unwrap();
                let millis = format!("{:0<3}", instant.fraction());
                let key = key(collation, text).unwrap();
                match (self.form, dialect) {
                    (0, _) => quoted(&format!("{}.{millis}Z", key.split('.').next().unwrap())),
                    (1, _) => (instant.unix_seconds() * 1000 + millis.parse::<i64>().unwrap()).to_string(),
                    (2, Dialect::Postgres) => quoted(&format!("{key}+00")),
                    _ => quoted(&key),
                }
            }
            Some(Value::String(text)) => quoted(&key(collation, text).unwrap()),
            // The least integer has no literal of its own in SQLite.
            Some(value) if value.as_i64() == Some(i64::MIN) => "(-9223372036854775807 - 1)".to_owned(),
            Some(value) => value.to_string(),
        }
    }
}

/// Tables, rows and mapping of a case.
fn tables(case: &Case, dialect: Dialect, schema: &SchemaTable<'_>) -> (String, Mapping) {
    let json_type = if dialect == Dialect::Sqlite { "TEXT" } else { "JSONB" };
    let quoted = |value: &Value| format!("'{}'", value.to_string().replace('\'', "''"));
    let mut columns = format!("n BIGINT PRIMARY KEY, keys {json_type}");
    let mut mapping = Mapping::new().document(JsonColumn::keys("r.keys"));
    let mut extension = Mapping::new();
    let keys: Vec<Map<String, Value>> =
        case.resources.iter().map(|resource| key_document(schema, resource)).collect();
    let mut rows: Vec<String> = keys
        .iter()
        .enumerate()
        .map(|(n, keys)| format!("{n}, {}", quoted(&Value::Object(keys.clone()))))
        .collect();
    let mut children = String::new();
    for Attribute { name, extension: of_extension, multi, scalar, subs, place } in &case.attributes {
        let part = if *of_extension { &mut extension } else { &mut mapping };
        let found = |object: &Map<String, Value>| {
            if *of_extension { object.get(EXTENSION)?.get(name).cloned() } else { object.get(name).cloned() }
        };
        let itself = [("value", *scalar)];
        let parts = if subs.is_empty() { &itself[..] } else { subs };
        match place {
            Place::Document => {}
            Place::Json => {
                write!(columns, ", {name} {json_type}").unwrap();
                *part = std::mem::take(part).json(name, JsonColumn::keys(&format!("r.{name}")));
                for (row, keys) in rows.iter_mut().zip(&keys) {
                    let value = found(keys).map_or("NULL".to_owned(), |value| quoted(&value));
                    write!(row, ", {value}").unwrap();
                }
            }
            Place::Column if *multi => {
                let mut child = Child::new(&format!("t_{name} AS t"), "t.n = r.n");
                write!(children, "CREATE TEMPORARY TABLE t_{name} (n BIGINT").unwrap();
                for (sub, scalar) in parts {
                    let (sql_type, column) = scalar.column(dialect, &format!("t.c_{sub}"));
                    write!(children, ", c_{sub} {sql_type}").unwrap();
                    child = child.column(sub, column);
                }
                children.push_str(");\n");
                *part = std::mem::take(part).child(name, child);
                for (n, resource) in case.resources.iter().enumerate() {
                    let values = match found(resource) {
                        Some(Value::Array(values)) => values,
                        Some(value) => vec![value],
                        None => Vec::new(),
                    };
                    // A row is a value, and `null` is none.
                    for value in values.into_iter().filter(|value| !value.is_null()) {
                        write!(children, "INSERT INTO t_{name} VALUES ({n}").unwrap();
                        for (sub, scalar) in parts {
                            let value = if subs.is_empty() { Some(&value) } else { value.get(sub) };
                            write!(children, ", {}", scalar.literal(dialect, value)).unwrap();
                        }
                        children.push_str(");\n");
                    }
                }
            }
            Place::Column | Place::Mixed => {
                let step = if *place == Place::Mixed { 2 } else { 1 };
                for (sub, scalar) in parts.iter().step_by(step) {
                    let (path, column) = if subs.is_empty() {
                        (name.clone(), name.clone())
                    } else {
                        (format!("{name}.{sub}"), format!("{name}_{sub}"))
                    };
                    let (sql_type, mapped) = scalar.column(dialect, &format!("r.{column}"));
                    write!(columns, ", {column} {sql_type}").unwrap();
                    *part = std::mem::take(part).column(&path, mapped);
                    for (row, resource) in rows.iter_mut().zip(&case.resources) {
                        let value = found(resource);
                        let value = if subs.is_empty() {
                            value
                        } else {
                            value.and_then(|value| value.get(sub).cloned())
                        };
                        write!(row, ", {}", scalar.literal(dialect, value.as_ref())).unwrap();
                    }
                }
            }
        }
    }
    let mut text = format!("CREATE TEMPORARY TABLE r ({columns});\n{children}");
    for row in rows {
        writeln!(text, "INSERT INTO r VALUES ({row});").unwrap();
    }
    (text, mapping.extension(EXTENSION, extension))
}

enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    /// The answers for all resources to all filters.
    async fn answers(
        &mut self,
        case: &Case,
        schema: &SchemaTable<'_>,
    ) -> Result<Vec<Vec<Option<bool>>>, TestCaseError> {
        let fail =
            |error: &dyn std::fmt::Display, text: &str| TestCaseError::fail(format!("{error}\n{text}"));
        let dialect = match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        };
        let (tables, mapping) = tables(case, dialect, schema);
        let filled = match self {
            Self::Sqlite(db) => {
                *db = sqlite().await;
                sqlx::raw_sql(AssertSqlSafe(tables.clone())).execute(db).await.map(drop)
            }
            Self::Postgres(db) => {
                let text = format!("DISCARD TEMP;\nBEGIN;\n{tables}\nCOMMIT;");
                sqlx::raw_sql(AssertSqlSafe(text)).execute(db).await.map(drop)
            }
        };
        filled.map_err(|error| fail(&error, &tables))?;
        let mut answers = Vec::new();
        for (filter, _) in &case.filters {
            let bound = Filter::parse(filter).unwrap().bind(schema, &BindOptions::default()).unwrap();
            let sql = bound.to_sql(&mapping, dialect, 1).map_err(|error| fail(&error, filter))?;
            let text = format!("SELECT r.n, {} FROM r ORDER BY r.n", sql.text);
            let rows = match self {
                Self::Sqlite(db) => sqlite_rows(db, text.clone(), &sql).await,
                Self::Postgres(db) => postgres_rows(db, text.clone(), &sql).await,
            };
            let rows = rows.map_err(|error| fail(&error, &format!("{filter}\n{text}\n{:?}", sql.values)))?;
            answers.push(rows.into_iter().map(|(_, answer)| answer).collect());
        }
        Ok(answers)
    }
}

fn agree(
    case: &Case,
    databases: &mut [Database],
    runtime: &tokio::runtime::Runtime,
) -> Result<usize, TestCaseError> {
    let infos: Vec<(AttributeInfo<'_>, Vec<AttributeInfo<'_>>)> = case
        .attributes
        .iter()
        .map(|attribute| {
            let mut info = attribute.scalar.info(&attribute.name);
            info.multi_valued = attribute.multi;
            info.extension = attribute.extension.then_some(EXTENSION);
            (info, attribute.subs.iter().map(|(name, scalar)| scalar.info(name)).collect())
        })
        .collect();
    let attributes: Vec<_> = infos.iter().map(|(info, subs)| (*info, subs.as_slice())).collect();
    let schema = SchemaTable { uri: CORE, attributes: &attributes };
    let mut compared = 0;
    let mut expected = Vec::new();
    for (filter, model) in &case.filters {
        let bound = Filter::parse(filter).unwrap().bind(&schema, &BindOptions::default()).unwrap();
        for resource in &case.resources {
            let selected = bound.matches::<Value>(resource);
            let resource = Value::Object(resource.clone());
            let text = resource.to_string();
            prop_assert_eq!(bound.matches_slice(text.as_bytes()), Ok(selected), "`{}` on {}", filter, text);
            let naive = model.holds(&resource, &|path| rule(&case.attributes, path));
            compared += 1;
            prop_assert_eq!(selected, naive, "`{}` on {} as {:?}", filter, resource, case.attributes);
            expected.push(Some(selected));
        }
    }
    for database in databases {
        let answers = runtime.block_on(database.answers(case, &schema))?;
        let mut expected = expected.iter();
        for ((filter, _), answers) in case.filters.iter().zip(answers) {
            prop_assert_eq!(answers.len(), case.resources.len());
            for ((resource, answer), expected) in case.resources.iter().zip(answers).zip(&mut expected) {
                compared += 1;
                prop_assert_eq!(
                    answer,
                    *expected,
                    "`{}` on {} as {:?}",
                    filter,
                    Value::Object(resource.clone()),
                    case.attributes
                );
            }
        }
    }
    Ok(compared)
}

#[test]
fn sql_and_memory_agree() {
    let cases =
        std::env::var("SCIM_DIFFERENTIAL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let postgres = Postgres::start();
    let mut databases = vec![Database::Sqlite(runtime.block_on(sqlite()))];
    if let Some(postgres) = &postgres {
        databases.push(Database::Postgres(runtime.block_on(postgres.connect())));
    }
    let mut compared = 0;
    let databases = std::cell::RefCell::new(databases);
    let total = std::cell::RefCell::new(&mut compared);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let result = TestRunner::new(config).run(&case(), |case| {
        **total.borrow_mut() += agree(&case, &mut databases.borrow_mut(), &runtime)?;
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    println!("{cases} schemas, {compared} answers to one filter on one resource compared");
    assert!(compared > cases as usize, "no more than {compared} comparisons");
}
