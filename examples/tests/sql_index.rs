//! What a filter's SQL looks up in an index, as the databases themselves explain it.

#![expect(clippy::unwrap_used, reason = "a test")]

mod sql_support;

use scim_filter::AttributeType::{Complex, String as Text};
use scim_filter::sql::{Child, Column, Dialect, JsonColumn, Mapping, Sql, SqlValue};
use scim_filter::{AttributeInfo, BindOptions, Filter, SchemaTable};
use sql_support::{Postgres, sqlite};
use sqlx::{AssertSqlSafe, Row};

const SCHEMA: SchemaTable<'static> = SchemaTable {
    uri: "urn:example:User",
    attributes: &[
        (AttributeInfo::new("id", Text).case_exact(), &[]),
        (AttributeInfo::new("userName", Text), &[]),
        (AttributeInfo::new("nickName", Text), &[]),
        (AttributeInfo::new("emails", Complex).multi_valued(), &[AttributeInfo::new("value", Text)]),
    ],
};

/// Filter, and the indexes its rows are found by.
const LOOKED_UP: &[(&str, &[&str])] = &[
    (r#"userName eq "User77""#, &["users_by_name"]),
    (r#"userName sw "User77""#, &["users_by_name"]),
    (r#"nickName eq "nick77""#, &["users_by_nick"]),
    (r#"userName eq "user77" and not (nickName co "x")"#, &["users_by_name"]),
    (r#"userName eq "user77" or nickName eq "nick78""#, &["users_by_name", "users_by_nick"]),
];

fn translate(filter: &str, dialect: Dialect) -> Sql {
    let users = Mapping::new()
        .column("userName", Column::folded("u.name_key"))
        .child(
            "emails",
            Child::new("emails AS e", "e.user_id = u.id").column("value", Column::folded("e.value_key")),
        )
        .document(JsonColumn::keys("u.keys"));
    Filter::parse(filter)
        .unwrap()
        .bind(&SCHEMA, &BindOptions::default())
        .unwrap()
        .to_sql(&users, dialect, 1)
        .unwrap()
}

#[test]
fn sqlite_looks_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut db = sqlite().await;
        sqlx::raw_sql(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name_key TEXT, keys TEXT);
             CREATE INDEX users_by_name ON users (name_key);
             CREATE INDEX users_by_nick ON users (json_extract(keys, '$.\"nickName\"'));
             CREATE TABLE emails (user_id INTEGER, value_key TEXT);",
        )
        .execute(&mut db)
        .await
        .unwrap();
        for (filter, indexes) in LOOKED_UP {
            let sql = translate(filter, Dialect::Sqlite);
            let text = format!("EXPLAIN QUERY PLAN SELECT u.id FROM users AS u WHERE {}", sql.text);
            let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(&mut db).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            for index in *indexes {
                assert!(
                    plan.iter().any(|step| step.starts_with("SEARCH") && step.contains(index)),
                    "{filter}: {plan:?}"
                );
            }
            assert!(!plan.iter().any(|step| step.starts_with("SCAN")), "{filter}: {plan:?}");
        }
    });
}

/// SQLite 3.51 joins what stands in an `EXISTS` by itself, and then skips values where it should skip
/// rows.
#[test]
fn a_row_of_many_values_is_skipped_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut db = sqlite().await;
        sqlx::raw_sql(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, keys TEXT);
             CREATE TABLE emails (user_id INTEGER, value_key TEXT);
             INSERT INTO users VALUES (1, '{}'), (2, '{}'), (3, '{}');
             INSERT INTO emails VALUES (1, 'a'), (1, 'b'), (2, 'a'), (3, 'b'), (3, 'c');",
        )
        .execute(&mut db)
        .await
        .unwrap();
        for filter in ["emails.value pr", "emails[value sw \"\"]", "emails.value ne \"d\" and emails pr"] {
            let sql = translate(filter, Dialect::Sqlite);
            let text =
                format!("SELECT u.id FROM users AS u WHERE {} ORDER BY u.id LIMIT 9 OFFSET 1", sql.text);
            let mut query = sqlx::query_as(AssertSqlSafe(text));
            for value in sql.values {
                let SqlValue::Text(value) = value else { continue };
                query = query.bind(value);
            }
            let found: Vec<(i64,)> = query.fetch_all(&mut db).await.unwrap();
            assert_eq!(found, [(2,), (3,)], "{filter}");
        }
    });
}

#[test]
fn postgres_looks_up() {
    let Some(postgres) = Postgres::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut db = postgres.connect().await;
        sqlx::raw_sql(
            "CREATE TABLE users (id BIGINT PRIMARY KEY, name_key TEXT COLLATE \"C\", keys JSONB);
             CREATE INDEX users_by_name ON users (name_key);
             CREATE INDEX users_by_nick ON users ((keys ->> 'nickName'));
             CREATE TABLE emails (user_id BIGINT, value_key TEXT);
             INSERT INTO users SELECT n, 'user' || n, jsonb_build_object('nickName', 'nick' || n)
               FROM generate_series(1, 5000) AS n;
             ANALYZE;",
        )
        .execute(&mut db)
        .await
        .unwrap();
        for (filter, indexes) in LOOKED_UP {
            let sql = translate(filter, Dialect::Postgres);
            let text = format!("EXPLAIN SELECT u.id FROM users AS u WHERE {}", sql.text);
            let mut query = sqlx::query_as(AssertSqlSafe(text)).persistent(false);
            for value in sql.values {
                let SqlValue::Text(value) = value else { continue };
                query = query.bind(value);
            }
            let plan: Vec<(String,)> = query.fetch_all(&mut db).await.unwrap();
            for index in *indexes {
                assert!(plan.iter().any(|(step,)| step.contains(index)), "{filter}: {plan:?}");
            }
            assert!(!plan.iter().any(|(step,)| step.contains("Seq Scan")), "{filter}: {plan:?}");
        }
    });
}
