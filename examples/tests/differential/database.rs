//! A case in SQL: its tables and rows, and what a database answers to its filters.

use std::fmt::Write;

use proptest::prelude::*;
use scim_filter::AttributeType::{
    Binary, Boolean, Complex, DateTime, Decimal, Integer, Reference, String as Text,
};
use scim_filter::compare::{Collation, Instant};
use scim_filter::sql::{Child, Column, Dialect, JsonColumn, Mapping, key, key_document};
use scim_filter::{AttributeInfo, BindOptions, Filter, SchemaTable};
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use crate::case::{Attribute, Case, EXTENSION, Place, Scalar};
use crate::sql_support::{postgres_rows, sqlite, sqlite_rows};

impl Scalar {
    pub(crate) fn info<'n>(self, name: &'n str) -> AttributeInfo<'n> {
        let info = AttributeInfo::new(name, self.kind);
        if self.exact { info.case_exact() } else { info }
    }

    /// The column's type, and how it is mapped.
    pub(crate) fn column(self, dialect: Dialect, expression: &str) -> (&'static str, Column) {
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
    pub(crate) fn literal(self, dialect: Dialect, value: Option<&Value>) -> String {
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
pub(crate) fn tables(case: &Case, dialect: Dialect, schema: &SchemaTable<'_>) -> (String, Mapping) {
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

pub(crate) enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    /// The answers for all resources to all filters.
    pub(crate) async fn answers(
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
