//! A filter over a `users` table of your own: the SQL it becomes, and the rows it finds.
//!
//! `cargo run --example filter_to_sql -- 'emails[type eq "work" and value ew "@example.com"]'`
use scim_filter::AttributeType::{Boolean, Complex, DateTime, String as Text};
use scim_filter::sql::{Child, Column, Dialect, Mapping, Sql, SqlValue};
use scim_filter::{AttributeInfo, BindOptions, Filter, SchemaTable};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

/// What can be filtered by.
const USER: SchemaTable<'static> = SchemaTable {
    uri: "urn:ietf:params:scim:schemas:core:2.0:User",
    attributes: &[
        (AttributeInfo::new("userName", Text), &[]),
        (AttributeInfo::new("active", Boolean), &[]),
        (AttributeInfo::new("meta", Complex), &[AttributeInfo::new("created", DateTime)]),
        (
            AttributeInfo::new("emails", Complex).multi_valued(),
            &[AttributeInfo::new("value", Text), AttributeInfo::new("type", Text)],
        ),
    ],
};

/// Your tables. Login names and types are ASCII, so the database can fold them; the e-mail addresses
/// may be anything, so `address_key` is written with `scim_filter::compare::fold`.
const TABLES: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, login TEXT NOT NULL, disabled BOOLEAN NOT NULL, created INTEGER);
    CREATE UNIQUE INDEX users_by_login ON users (lower(login));
    CREATE TABLE emails (user_id INTEGER NOT NULL, kind TEXT, address TEXT, address_key TEXT);
    CREATE INDEX emails_of_user ON emails (user_id);
    INSERT INTO users VALUES (1, 'bjensen', FALSE, 1305261754), (2, 'jsmith', TRUE, NULL);
    INSERT INTO emails VALUES (1, 'Work', 'Barbara@Example.com', 'barbara@example.com'),
                              (1, 'home', 'babs@jensen.org', 'babs@jensen.org');
";

/// Where the attributes are in them.
fn users() -> Mapping {
    Mapping::new()
        .column("userName", Column::folded("lower(u.login)").not_null())
        .column("active", Column::boolean("NOT u.disabled").not_null())
        .column("meta.created", Column::unix_time("u.created", 0))
        .child(
            "emails",
            Child::new("emails AS e", "e.user_id = u.id")
                .column("value", Column::folded("e.address_key"))
                .column("type", Column::folded("lower(e.kind)")),
        )
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let default = r#"active eq true and emails[type eq "work" and value ew "@EXAMPLE.com"]"#;
    let text = std::env::args().nth(1).unwrap_or_else(|| default.to_owned());
    let filter = Filter::parse(&text).map_err(|error| anyhow::anyhow!("{}", error.caret(&text)))?;
    let filter = filter
        .bind(&USER, &BindOptions::default())
        .map_err(|error| anyhow::anyhow!("{}", error.caret(&text)))?;
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let sql = filter.to_sql(&users(), dialect, 1)?;
        println!("{dialect:?}\n  {}\n  {:?}", sql.text, sql.values);
    }

    let mut db = SqliteConnection::connect("sqlite::memory:").await?;
    sqlx::raw_sql(TABLES).execute(&mut db).await?;
    let Sql { text, values } = filter.to_sql(&users(), Dialect::Sqlite, 1)?;
    // The text is made of the mapping alone; what the client sent is in the values.
    let statement = format!("SELECT u.login FROM users AS u WHERE {text} ORDER BY u.id");
    let mut query = sqlx::query_as(AssertSqlSafe(statement));
    for value in values {
        query = match value {
            SqlValue::Text(value) => query.bind(value),
            SqlValue::Integer(value) => query.bind(value),
            SqlValue::Float(value) => query.bind(value),
            SqlValue::Boolean(value) => query.bind(value),
        };
    }
    let found: Vec<(String,)> = query.fetch_all(&mut db).await?;
    println!("found");
    for (login,) in found {
        println!("  {login}");
    }
    Ok(())
}
