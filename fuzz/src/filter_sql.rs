//! Filters as SQL, executed in SQLite.

use std::fmt::Write;

use rusqlite::Connection;
use rusqlite::types::Value as Bind;
use scim_filter::AttributeType::{
    Binary, Boolean, Complex, DateTime, Decimal, Integer, Reference, String as Text,
};
use scim_filter::compare::{Collation, Instant};
use scim_filter::sql::{Child, Column, Dialect, JsonColumn, Mapping, Sql, SqlErrorKind, SqlValue};
use scim_filter::sql::{key, key_document};
use scim_filter::{AttributeInfo, BindOptions, BoundExpr, BoundFilter, BoundTerm, Filter};
use scim_filter::{ParseOptions, SchemaTable};
use serde_json::{Map, Value};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Attributes of a user and of the enterprise extension, and of the types these do not have.
const SCHEMA: SchemaTable<'static> = SchemaTable {
    uri: "urn:ietf:params:scim:schemas:core:2.0:User",
    attributes: &[
        (AttributeInfo::new("id", Text).case_exact(), &[]),
        (AttributeInfo::new("externalId", Text).case_exact(), &[]),
        (AttributeInfo::new("userName", Text), &[]),
        (AttributeInfo::new("profileUrl", Reference).case_exact(), &[]),
        (AttributeInfo::new("active", Boolean), &[]),
        (AttributeInfo::new("logins", Integer), &[]),
        (AttributeInfo::new("score", Decimal), &[]),
        (AttributeInfo::new("photo", Binary).case_exact(), &[]),
        (AttributeInfo::new("birthday", DateTime), &[]),
        (AttributeInfo::new("schemas", Reference).case_exact().multi_valued(), &[]),
        (AttributeInfo::new("aliases", Text).multi_valued(), &[]),
        (AttributeInfo::new("levels", Integer).multi_valued(), &[]),
        (
            AttributeInfo::new("name", Complex),
            &[AttributeInfo::new("givenName", Text), AttributeInfo::new("familyName", Text)],
        ),
        (
            AttributeInfo::new("meta", Complex),
            &[
                AttributeInfo::new("resourceType", Text).case_exact(),
                AttributeInfo::new("created", DateTime),
                AttributeInfo::new("lastModified", DateTime),
            ],
        ),
        (
            AttributeInfo::new("emails", Complex).multi_valued(),
            &[
                AttributeInfo::new("value", Text),
                AttributeInfo::new("type", Text),
                AttributeInfo::new("primary", Boolean),
                AttributeInfo::new("$ref", Reference).case_exact(),
            ],
        ),
        (
            AttributeInfo::new("members", Complex).multi_valued(),
            &[AttributeInfo::new("value", Text).case_exact(), AttributeInfo::new("since", DateTime)],
        ),
        (AttributeInfo::new("department", Text).of_extension(ENTERPRISE), &[]),
        (
            AttributeInfo::new("manager", Complex).of_extension(ENTERPRISE),
            &[AttributeInfo::new("value", Text), AttributeInfo::new("displayName", Text)],
        ),
    ],
};

/// What the rows hold. Values are of their attributes' types, as columns need it.
const RESOURCES: &str = r#"[
    {"id": "", "userName": ""},
    {"id": "1", "externalId": "E1", "userName": "Alex@Example.com", "profileUrl": "https://example.com/a",
     "active": true, "logins": 3, "score": 0.5, "photo": "aGVsbG8=", "birthday": "2000-02-29T24:00:00Z",
     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "aliases": ["al", "AL", ""], "levels": [1, -1],
     "name": {"givenName": "Alex", "familyName": "D\"o\\e"},
     "meta": {"resourceType": "User", "created": "2026-01-01T00:00:00Z", "lastModified": "2026-01-01T00:00:00.25+02:00"},
     "emails": [{"value": "alex@example.com", "type": "work", "primary": true},
                {"value": "a@home.example", "type": "home", "$ref": "https://example.com/e"}],
     "members": [{"value": "u1", "since": "2026-01-01T00:00:00Z"}, {"value": "U1"}],
     "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
        {"department": "Platform", "manager": {"value": "u2", "displayName": "Blair"}}},
    {"id": "2", "userName": "Straße%_", "active": false, "logins": 9007199254740993, "score": 9007199254740992.0,
     "photo": "aGVsbG8", "birthday": "0001-01-01T00:00:00Z", "aliases": ["ΟΔΟΣ", "K'"], "levels": [],
     "name": {"givenName": "É"}, "meta": {"created": "1969-12-31T23:59:59.75Z"},
     "emails": [{"type": "WORK", "primary": false}, {"value": "a"}], "members": [],
     "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": ""}},
    {"id": "\u0000", "userName": "a\u0000b", "logins": -9223372036854775808, "score": -1e300,
     "birthday": "9999-12-31T23:59:59.999Z", "aliases": ["\u0000", "\udbff\udfff"], "levels": [0],
     "name": {"givenName": "\ud7ff", "familyName": ""}, "meta": {"resourceType": "user"},
     "members": [{"since": "2026-01-01T00:00:00.001Z"}],
     "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "U2"}}},
    {"id": "alex@example.com", "userName": "alex@example.com", "active": true, "logins": 9223372036854775807,
     "score": 3, "aliases": ["alex@example.com"], "emails": [{"value": "alex@example.com", "type": "home"}],
     "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {}}
]"#;

/// A filter (the first line) that binds becomes SQL, whatever the mapping (the rest: a byte for each
/// attribute of [`SCHEMA`]), unless it names what is not mapped. SQLite executes it, and it is true
/// of the rows that the filter selects and false of the others. PostgreSQL's text is only made.
///
/// # Panics
///
/// If a property does not hold.
pub fn filter_sql(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (line, rest) = data.split_at(end);
    let places = Places(rest.strip_prefix(b"\n").unwrap_or(rest));
    let parse = ParseOptions { value_path_sub_attr: true, ..ParseOptions::default() };
    let Some(filter) = std::str::from_utf8(line).ok().and_then(|text| Filter::parse_with(text, &parse).ok())
    else {
        return;
    };
    let options = BindOptions { boolean_strings: true };
    let Ok(bound) = filter.bind(&SCHEMA, &options) else { return };
    let unmapped = names_unmapped(&bound, places);
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        match bound.to_sql(&places.mapping(dialect), dialect, 1) {
            Ok(sql) => {
                assert!(!unmapped, "`{filter}` names what is not mapped");
                let numbered = sql.text.matches(if dialect == Dialect::Sqlite { '?' } else { '$' }).count();
                assert!(numbered >= sql.values.len(), "{} has parameters that are not used", sql.text);
                match dialect {
                    Dialect::Sqlite => DATABASE.with(|database| database.check(&filter, &bound, &sql)),
                    Dialect::Postgres => assert!(!sql.values.iter().any(has_nul), "PostgreSQL has no U+0000"),
                }
            }
            Err(error) => {
                assert!(unmapped, "`{filter}`: {error}");
                assert_eq!(error.kind(), SqlErrorKind::Unmapped, "`{filter}`: {error}");
                assert!(!error.clause().is_empty(), "`{filter}`: {error}");
            }
        }
    }
}

fn has_nul(value: &SqlValue) -> bool {
    matches!(value, SqlValue::Text(text) if text.contains('\0'))
}

/// Whether the filter names an attribute that is in no place.
fn names_unmapped(bound: &BoundFilter, places: Places<'_>) -> bool {
    let mut open = vec![bound.expr()];
    while let Some(expr) = open.pop() {
        match expr {
            BoundExpr::And(terms) | BoundExpr::Or(terms) => open.extend(terms.map(BoundTerm::expr)),
            BoundExpr::Not(term) => open.push(term.expr()),
            // What is inside the brackets is where the attribute is.
            BoundExpr::ValuePath(attr, _) | BoundExpr::Compare(attr, ..) | BoundExpr::Present(attr) => {
                let index = SCHEMA.attributes.iter().position(|(info, _)| {
                    attr.name.matches(info.name) && attr.extension.is_some() == info.extension.is_some()
                });
                if index.is_some_and(|index| places.of(index).0 == Place::Nowhere) {
                    return true;
                }
            }
        }
    }
    false
}

/// Where each attribute is: a byte for each, columns where there is none.
#[derive(Clone, Copy)]
struct Places<'d>(&'d [u8]);

#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Columns, or if there are many values a child table.
    Columns,
    Json,
    Document,
    Nowhere,
}

impl Places<'_> {
    /// The place of an attribute, and which of the columns it may be in.
    fn of(self, index: usize) -> (Place, usize) {
        let byte = self.0.get(index).copied().unwrap_or_default();
        let place = match byte % 4 {
            0 => Place::Columns,
            1 => Place::Json,
            2 => Place::Document,
            _ => Place::Nowhere,
        };
        (place, usize::from(byte / 4))
    }

    fn mapping(self, dialect: Dialect) -> Mapping {
        let (mut core, mut extension) = (Mapping::new(), Mapping::new());
        let document = JsonColumn::keys("r.document");
        // Of an unmapped attribute a document would know.
        let mut documents = (0..SCHEMA.attributes.len()).map(|index| self.of(index).0);
        let everywhere = documents.all(|place| place != Place::Nowhere);
        for (index, (info, subs)) in SCHEMA.attributes.iter().enumerate() {
            let part = if info.extension.is_some() { &mut extension } else { &mut core };
            let mapping = std::mem::take(part);
            let (place, form) = self.of(index);
            *part = match place {
                Place::Nowhere => mapping,
                Place::Document if everywhere => mapping,
                Place::Document => mapping.json(info.name, JsonColumn::keys(&in_document(info, dialect))),
                Place::Json => mapping.json(info.name, JsonColumn::keys(&format!("r.j_{index}"))),
                Place::Columns if info.multi_valued => {
                    let mut child = Child::new(&format!("t_{index} AS t"), "t.n = r.n");
                    for (at, sub) in parts(info, subs).iter().enumerate() {
                        child = child.column(sub.name, mapped(sub, form, &format!("t.c_{at}")));
                    }
                    mapping.child(info.name, child)
                }
                Place::Columns if subs.is_empty() => {
                    let column = mapped(info, form, &format!("r.c_{index}_0"));
                    let always = matches!(info.name, "id" | "userName");
                    mapping.column(info.name, if always { column.not_null() } else { column })
                }
                Place::Columns => subs.iter().enumerate().fold(mapping, |mapping, (at, sub)| {
                    let column = mapped(sub, form, &format!("r.c_{index}_{at}"));
                    mapping.column(&format!("{}.{}", info.name, sub.name), column)
                }),
            };
        }
        let core = if everywhere { core.document(document) } else { core };
        core.extension(ENTERPRISE, extension)
    }
}

/// The attribute as an expression of its own on the document.
fn in_document(info: &AttributeInfo<'_>, dialect: Dialect) -> String {
    let extension = match (info.extension, dialect) {
        (None, _) => String::new(),
        (Some(uri), Dialect::Sqlite) => format!(".\"{uri}\""),
        (Some(uri), Dialect::Postgres) => format!(" -> '{uri}'"),
    };
    match dialect {
        Dialect::Sqlite => format!("r.document -> '${extension}.\"{}\"'", info.name),
        Dialect::Postgres => format!("r.document{extension} -> '{}'", info.name),
    }
}

/// The sub-attributes, or the attribute itself as its `value`.
fn parts<'a>(info: &AttributeInfo<'a>, subs: &[AttributeInfo<'a>]) -> Vec<AttributeInfo<'a>> {
    if subs.is_empty() { vec![AttributeInfo { name: "value", ..*info }] } else { subs.to_vec() }
}

/// The columns a value is in, which are more than one for some types: the type of each, and the
/// value as the literal that is stored.
fn stored(info: &AttributeInfo<'_>, value: Option<&Value>) -> Vec<(&'static str, Bind)> {
    let collation = Collation { kind: info.kind, case_exact: info.case_exact };
    let text = value.and_then(Value::as_str);
    let key = text.and_then(|text| key(collation, text)).map(|key| Bind::Text(key.into_owned()));
    let float = value.and_then(Value::as_f64).map(Bind::Real);
    let null = |bind: Option<Bind>| bind.unwrap_or(Bind::Null);
    match info.kind {
        Text | Reference | Binary | Complex => vec![("TEXT", null(key))],
        Boolean => vec![("BOOLEAN", null(value.and_then(Value::as_bool).map(|it| Bind::Integer(it.into()))))],
        Integer => vec![("BIGINT", null(value.and_then(Value::as_i64).map(Bind::Integer)))],
        Decimal => vec![("REAL", null(float))],
        DateTime => {
            let instant = text.and_then(Instant::parse);
            let millis = instant.map(|instant| format!("{:0<3}", instant.fraction()));
            let seconds = text.and_then(|text| scim_filter::sql::key(collation, text));
            let seconds = seconds.as_deref().and_then(|key| key.split('.').next());
            let rfc3339 = seconds.zip(millis.as_ref()).map(|(text, millis)| format!("{text}.{millis}Z"));
            let ticks = instant.zip(millis).map(|(instant, millis)| {
                instant.unix_seconds() * 1000 + millis.parse::<i64>().expect("three digits")
            });
            vec![
                ("TEXT", null(key)),
                ("TEXT", null(rfc3339.map(Bind::Text))),
                ("BIGINT", null(ticks.map(Bind::Integer))),
            ]
        }
    }
}

/// The column of [`stored`] that `form` chooses; `name` begins its name.
fn mapped(info: &AttributeInfo<'_>, form: usize, name: &str) -> Column {
    let forms = stored(info, None).len();
    let form = form % forms;
    let expression = format!("{name}_{form}");
    match (info.kind, form) {
        (Text | Reference | Complex, _) if info.case_exact => Column::exact(&expression),
        (Text | Reference | Complex, _) => Column::folded(&expression),
        (Boolean, _) => Column::boolean(&expression),
        (Integer, _) => Column::integer(&expression),
        (Decimal, _) => Column::float(&expression),
        (Binary, _) => Column::base64(&expression),
        (DateTime, 0) => Column::instant(&expression),
        (DateTime, 1) => Column::rfc3339(&expression, 3),
        (DateTime, _) => Column::unix_time(&expression, 3),
    }
}

struct Database {
    connection: Connection,
    resources: Vec<Map<String, Value>>,
}

thread_local! {
    static DATABASE: Database = Database::new();
}

impl Database {
    /// Every attribute of every row, in all places it may be mapped to.
    fn new() -> Self {
        let resources: Vec<Map<String, Value>> =
            serde_json::from_str(RESOURCES).expect("the resources are JSON objects");
        let connection = Connection::open_in_memory().expect("a database in memory");
        let mut tables = Vec::new();
        for (n, resource) in resources.iter().enumerate() {
            let n = Bind::Integer(i64::try_from(n).expect("few"));
            let keys = key_document(&SCHEMA, resource);
            let json = |keys: Option<&Value>| match keys {
                Some(value) => Bind::Text(value.to_string()),
                None => Bind::Null,
            };
            let mut row = Row::new("r", &n);
            row.push("document", "TEXT", json(Some(&Value::Object(keys.clone()))));
            let mut children = Vec::new();
            for (index, (info, subs)) in SCHEMA.attributes.iter().enumerate() {
                row.push(&format!("j_{index}"), "TEXT", json(find(&keys, info)));
                let value = find(resource, info);
                let parts = parts(info, subs);
                let part = |value: Option<&Value>, name: &str| {
                    if subs.is_empty() { value.cloned() } else { value?.get(name).cloned() }
                };
                if !info.multi_valued {
                    for (at, sub) in parts.iter().enumerate() {
                        row.stored(&format!("c_{index}_{at}"), sub, part(value, sub.name).as_ref());
                    }
                    continue;
                }
                // The table is made with the first row, which has no values.
                let values = value.and_then(Value::as_array).into_iter().flatten().map(Some);
                for value in std::iter::once(None).filter(|_| tables.is_empty()).chain(values) {
                    let mut child = Row::new(&format!("t_{index}"), &n);
                    for (at, sub) in parts.iter().enumerate() {
                        child.stored(&format!("c_{at}"), sub, part(value, sub.name).as_ref());
                    }
                    children.push((child, value.is_some()));
                }
            }
            for (row, is_value) in std::iter::once((row, true)).chain(children) {
                if !tables.contains(&row.table) {
                    connection.execute_batch(&row.create()).expect("a table");
                    tables.push(row.table.clone());
                }
                if is_value {
                    row.insert(&connection);
                }
            }
        }
        Self { connection, resources }
    }

    fn check(&self, filter: &Filter, bound: &BoundFilter, sql: &Sql) {
        let selected: Vec<i64> = (0..)
            .zip(&self.resources)
            .filter(|(_, resource)| bound.matches::<Value>(resource))
            .map(|(n, _)| n)
            .collect();
        let is_selected = |n: i64| Some(selected.contains(&n));
        let rows = self.query(&format!("SELECT r.n, {} FROM r ORDER BY r.n", sql.text), sql, filter);
        assert_eq!(rows.len(), self.resources.len());
        for (n, answer) in rows {
            assert_eq!(answer, is_selected(n), "`{filter}` on row {n}:\n{}\n{:?}", sql.text, sql.values);
        }
        let text = format!("SELECT r.n, TRUE FROM r WHERE {} ORDER BY r.n", sql.text);
        let found: Vec<i64> = self.query(&text, sql, filter).into_iter().map(|(n, _)| n).collect();
        assert_eq!(found, selected, "`{filter}`:\n{}\n{:?}", sql.text, sql.values);
    }

    fn query(&self, text: &str, sql: &Sql, filter: &Filter) -> Vec<(i64, Option<bool>)> {
        let values = sql.values.iter().map(|value| match value {
            SqlValue::Text(value) => Bind::Text(value.clone()),
            SqlValue::Integer(value) => Bind::Integer(*value),
            SqlValue::Float(value) => Bind::Real(*value),
            SqlValue::Boolean(value) => Bind::Integer((*value).into()),
        });
        let read = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare(text)?;
            let rows = statement
                .query_map(rusqlite::params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        };
        read().unwrap_or_else(|error| panic!("`{filter}`: {error}\n{text}\n{:?}", sql.values))
    }
}

fn find<'v>(resource: &'v Map<String, Value>, info: &AttributeInfo<'_>) -> Option<&'v Value> {
    match info.extension {
        Some(uri) => resource.get(uri)?.get(info.name),
        None => resource.get(info.name),
    }
}

/// A row to be written.
struct Row {
    table: String,
    columns: Vec<(String, &'static str)>,
    values: Vec<Bind>,
}

impl Row {
    fn new(table: &str, n: &Bind) -> Self {
        Self { table: table.to_owned(), columns: vec![("n".to_owned(), "BIGINT")], values: vec![n.clone()] }
    }

    fn push(&mut self, column: &str, sql_type: &'static str, value: Bind) {
        self.columns.push((column.to_owned(), sql_type));
        self.values.push(value);
    }

    fn stored(&mut self, name: &str, info: &AttributeInfo<'_>, value: Option<&Value>) {
        for (form, (sql_type, value)) in stored(info, value).into_iter().enumerate() {
            self.push(&format!("{name}_{form}"), sql_type, value);
        }
    }

    /// The table with such rows, with an index on every column.
    fn create(&self) -> String {
        let table = &self.table;
        let columns: Vec<String> =
            self.columns.iter().map(|(name, sql_type)| format!("{name} {sql_type}")).collect();
        let mut text = format!("CREATE TABLE {table} ({});\n", columns.join(", "));
        for (name, _) in &self.columns {
            writeln!(text, "CREATE INDEX {table}_by_{name} ON {table} ({name});").expect("a string");
        }
        text
    }

    fn insert(&self, connection: &Connection) {
        let marks = vec!["?"; self.values.len()].join(", ");
        let text = format!("INSERT INTO {} VALUES ({marks})", self.table);
        connection.execute(&text, rusqlite::params_from_iter(&self.values)).expect("a row");
    }
}
