//! What a database would refuse and must never get: literals its columns cannot hold, and filters
//! as deep and as long as are read at all. In SQLite and, where it is installed, PostgreSQL.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod sql_support;

use scim_filter::AttributeType::{Boolean, Complex, DateTime, Decimal, Integer, String as Text};
use scim_filter::sql::{Child, Column, Dialect, JsonColumn, Mapping, SqlErrorKind};
use scim_filter::{AttributeInfo, BindOptions, BoundFilter, Filter, Limits, ParseOptions, SchemaTable};
use serde_json::{Value, json};
use sql_support::{Postgres, postgres_rows, sqlite, sqlite_rows};
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

const SCHEMA: SchemaTable<'static> = SchemaTable {
    uri: "urn:example:Thing",
    attributes: &[
        (AttributeInfo::new("id", Text), &[]),
        (AttributeInfo::new("externalId", Text).case_exact(), &[]),
        (AttributeInfo::new("small", Integer), &[]),
        (AttributeInfo::new("middle", Integer), &[]),
        (AttributeInfo::new("big", Integer), &[]),
        (AttributeInfo::new("ratio", Decimal), &[]),
        (AttributeInfo::new("exact", Decimal), &[]),
        (AttributeInfo::new("active", Boolean), &[]),
        (AttributeInfo::new("created", DateTime), &[]),
        (AttributeInfo::new("nickName", Text), &[]),
        (
            AttributeInfo::new("emails", Complex).multi_valued(),
            &[AttributeInfo::new("value", Text), AttributeInfo::new("primary", Boolean)],
        ),
        (
            AttributeInfo::new("phones", Complex).multi_valued(),
            &[AttributeInfo::new("value", Text), AttributeInfo::new("weight", Integer)],
        ),
    ],
};

const ID: &str = "2819c223-7f76-453a-919d-413861904646";

fn resources() -> [Value; 3] {
    [
        json!({}),
        json!({
            "id": ID, "externalId": ID, "small": 1, "middle": 1, "big": 1, "ratio": 0.5, "exact": 0.5,
            "active": true, "created": "2011-05-13T04:42:34Z", "nickName": "babs",
            "emails": [{"value": "a"}, {"value": "b", "primary": true}],
            "phones": [{"value": "1", "weight": 3}],
        }),
        json!({
            "id": "00000000-0000-0000-0000-000000000000", "externalId": "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "small": -32768, "middle": 2_147_483_647, "big": i64::MIN, "ratio": -1e300, "exact": 3,
            "active": false, "created": "0001-01-01T00:00:00Z", "nickName": "x",
            "emails": [{"primary": false}], "phones": [{"value": "1"}, {"weight": 9_007_199_254_740_993_i64}],
        }),
    ]
}

/// The resources as rows; `uuid` and others are types that only PostgreSQL has.
fn tables(dialect: Dialect) -> String {
    let [json, uuid, numeric, time] = match dialect {
        Dialect::Sqlite => ["TEXT", "TEXT", "REAL", "BIGINT"],
        Dialect::Postgres => ["JSONB", "UUID", "NUMERIC", "TIMESTAMPTZ"],
    };
    let [then, long_ago] = match dialect {
        Dialect::Sqlite => ["1305261754000", "-62135596800000"],
        Dialect::Postgres => ["'2011-05-13 04:42:34+00'", "'0001-01-01 00:00:00+00'"],
    };
    let [none, first, second] =
        resources().map(|it| it.get("phones").cloned().unwrap_or_default().to_string());
    format!(
        "CREATE TEMPORARY TABLE r (n BIGINT, id {uuid}, external {uuid}, small SMALLINT, middle INTEGER, big BIGINT,
            ratio DOUBLE PRECISION, exact {numeric}, active BOOLEAN, created {time}, nick TEXT, phones {json});
         CREATE TEMPORARY TABLE emails (n BIGINT, value TEXT, is_primary BOOLEAN);
         INSERT INTO r (n, phones) VALUES (0, '{none}');
         INSERT INTO r VALUES (1, '{ID}', '{ID}', 1, 1, 1, 0.5, 0.5, TRUE, {then}, 'babs', '{first}');
         INSERT INTO r VALUES (2, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
            -32768, 2147483647, -9223372036854775807 - 1, -1e300, 3, FALSE, {long_ago}, 'x', '{second}');
         INSERT INTO emails VALUES (1, 'a', NULL), (1, 'b', TRUE), (2, NULL, FALSE);"
    )
}

fn mapping(dialect: Dialect) -> Mapping {
    let (id, external, exact, created) = match dialect {
        Dialect::Sqlite => (
            Column::folded("r.id"),
            Column::exact("r.external"),
            Column::float("r.exact"),
            Column::unix_time("r.created", 3),
        ),
        Dialect::Postgres => (
            Column::uuid("r.id"),
            Column::uuid("r.external"),
            Column::decimal("r.exact"),
            Column::timestamp("r.created"),
        ),
    };
    Mapping::new()
        .column("id", id)
        .column("externalId", external)
        .column("small", Column::integer("r.small"))
        .column("middle", Column::integer("r.middle"))
        .column("big", Column::integer("r.big"))
        .column("ratio", Column::float("r.ratio"))
        .column("exact", exact)
        .column("active", Column::boolean("r.active"))
        .column("created", created)
        .column("nickName", Column::folded("r.nick"))
        .child(
            "emails",
            Child::new("emails AS e", "e.n = r.n")
                .column("value", Column::folded("e.value"))
                .column("primary", Column::boolean("e.is_primary")),
        )
        .json("phones", JsonColumn::keys("r.phones"))
}

enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    async fn fill(&mut self) {
        let tables = tables(self.dialect());
        match self {
            Self::Sqlite(db) => sqlx::raw_sql(AssertSqlSafe(tables)).execute(db).await.map(drop),
            Self::Postgres(db) => sqlx::raw_sql(AssertSqlSafe(tables)).execute(db).await.map(drop),
        }
        .unwrap();
    }

    /// Executes the filter, which must be true and false of what it is in memory; `None` if it has
    /// no translation.
    async fn check(&mut self, filter: &BoundFilter, text: &str) -> Option<()> {
        let dialect = self.dialect();
        let sql = match filter.to_sql(&mapping(dialect), dialect, 1) {
            Ok(sql) => sql,
            Err(error) => {
                assert!(matches!(error.kind(), SqlErrorKind::TooDeep { .. }), "`{text}`: {error}");
                return None;
            }
        };
        let statement = format!("SELECT r.n, {} FROM r ORDER BY r.n", sql.text);
        let rows = match self {
            Self::Sqlite(db) => sqlite_rows(db, statement, &sql).await,
            Self::Postgres(db) => postgres_rows(db, statement, &sql).await,
        };
        let rows = rows.unwrap_or_else(|error| panic!("{dialect:?}, `{text}`: {error}\n{}", sql.text));
        for ((n, answer), resource) in rows.into_iter().zip(resources()) {
            let expected = filter.matches::<Value>(resource.as_object().unwrap());
            assert_eq!(answer, Some(expected), "{dialect:?}, `{text}` on row {n}: {}", sql.text);
        }
        Some(())
    }
}

/// Runs `test` on each database there is.
fn on_each(test: impl AsyncFn(&mut Database)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let postgres = Postgres::start();
    runtime.block_on(async {
        let mut databases = vec![Database::Sqlite(sqlite().await)];
        if let Some(postgres) = &postgres {
            databases.push(Database::Postgres(postgres.connect().await));
        }
        for database in &mut databases {
            database.fill().await;
            test(database).await;
        }
    });
}

fn bind(text: &str, limits: Limits) -> BoundFilter {
    let options = ParseOptions { limits, ..ParseOptions::default() };
    let filter = Filter::parse_with(text, &options).unwrap_or_else(|error| panic!("{error}: `{text}`"));
    filter.bind(&SCHEMA, &BindOptions::default()).unwrap_or_else(|error| panic!("{error}: `{text}`"))
}

#[test]
fn literals_that_columns_cannot_hold() {
    let upper = ID.to_uppercase();
    let braced = format!("{{{ID}}}");
    let plain = ID.replace('-', "");
    let texts =
        [ID, &upper, &braced, &plain, "", "no uuid", "2819c223", "'", "2819c223-7f76-453a-919d-41386190464g"];
    let numbers = [
        "0",
        "1",
        "-1",
        "0.5",
        "1.0",
        "3",
        "32767",
        "32768",
        "-32769",
        "2147483648",
        "-2147483649",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1e300",
        "-1e300",
        "1.7976931348623157e308",
        "5e-324",
        "0.30000000000000004",
    ];
    let times = [
        "2011-05-13T04:42:34Z",
        "2011-05-13T04:42:34.0000005Z",
        "0000-12-31T00:00:00Z",
        "-4712-01-01T00:00:00Z",
        "-4714-01-01T00:00:00Z",
        "294276-12-31T23:59:59.999999Z",
        "294277-01-01T00:00:00Z",
        "999999999-12-31T23:59:59Z",
        "-999999999-01-01T00:00:00Z",
        "2011-05-13T24:00:00Z",
    ];
    let mut filters = Vec::new();
    for op in ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"] {
        for (attribute, text) in ["id", "externalId"].iter().flat_map(|it| texts.map(|text| (it, text))) {
            filters.push(format!("{attribute} {op} \"{text}\""));
        }
    }
    for op in ["eq", "ne", "gt", "ge", "lt", "le"] {
        for attribute in ["small", "middle", "big", "ratio", "exact", "phones.weight"] {
            filters.extend(numbers.map(|number| format!("{attribute} {op} {number}")));
        }
        filters.extend(times.map(|time| format!("created {op} \"{time}\"")));
    }
    for attribute in ["id", "small", "ratio", "exact", "active", "created"] {
        filters.extend(["pr", "eq null", "ne null"].map(|test| format!("{attribute} {test}")));
    }
    filters.extend(["active eq true", "active ne false", "emails[primary ne true]"].map(str::to_owned));
    on_each(async |database| {
        for text in &filters {
            let bound = bind(text, Limits::default());
            database.check(&bound, text).await.unwrap();
            // Two-valued: under a `not` it is the other way round.
            let negated = format!("not ({text})");
            database.check(&bind(&negated, Limits::default()), &negated).await.unwrap();
        }
        println!("{:?}: {} filters and their negations", database.dialect(), filters.len());
    });
}

/// Repeats `open` and `close` around `inner`.
fn nested(count: usize, open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(count), close.repeat(count))
}

#[test]
fn what_the_default_limits_admit_executes() {
    let Limits { max_bytes, max_depth, max_terms } = Limits::default();
    let list = |term: &dyn Fn(usize) -> String, operator: &str| {
        (0..max_terms).map(term).collect::<Vec<_>>().join(operator)
    };
    // All the terms on all the levels, the level in every place of its list.
    let fill = max_terms / max_depth / 3 - 1;
    let terms = |term: &str, operator: &str| vec![term; fill].join(operator);
    let (ors, ands) = (terms("nickName eq \"x\"", " or "), terms("phones.weight ge 3", " and "));
    let inside = nested(max_depth / 2 - 1, "value pr and not (", "weight lt 4", ")");
    let long = "x".repeat(max_bytes - 20);
    let filters = [
        nested(max_depth, "(", "active eq true", ")"),
        nested(max_depth, "not (", "emails.value ne \"a\"", ")"),
        nested(max_depth, "nickName pr and id pr or not (", "phones.weight gt 3", ")"),
        nested(max_depth, "not (", "phones.weight gt 3", ") and id pr or nickName pr"),
        nested(max_depth, &format!("{ors} or ("), "id pr", ")"),
        nested(max_depth, &format!("{ors} and {ands} and not ("), "id pr", &format!(") or {ors}")),
        nested(
            max_depth - 2,
            "phones[value pr and not (weight pr)] and id pr or not (",
            "id pr",
            ") and active eq true or nickName pr",
        ),
        nested(max_depth / 2, &format!("({ors} or ({ands} and "), "id pr", "))"),
        nested(max_depth / 2, "(", "id pr", &format!(" or {ors}) and {ands}")),
        nested(max_depth / 2, &format!("({ors} or ("), "id pr", &format!(" or {ors}) and {ands})")),
        format!(
            "emails[{}]",
            nested(max_depth - 1, "primary eq true or value pr and not (", "value eq \"b\"", ")")
        ),
        format!(
            "phones[{}]",
            nested(max_depth - 1, "weight eq 3 or value pr and not (", "value eq \"1\"", ")")
        ),
        nested(max_depth / 2, "(id pr or ", &format!("phones[{inside}]"), ")"),
        list(&|n| format!("phones[value sw \"{n}\"]"), " or "),
        list(&|n| format!("phones.weight ne {n}"), " and "),
        list(&|n| format!("emails.value sw \"{n}\""), " or "),
        list(&|n| format!("not (nickName sw \"{n}\")"), " and "),
        list(&|n| format!("id eq \"{n}\""), " or "),
        format!("nickName co \"{long}\""),
        format!("phones.value ew \"{long}\""),
    ];
    on_each(async |database| {
        for text in &filters {
            database.check(&bind(text, Limits::default()), text).await.unwrap();
        }
    });
}

/// Whatever the limits of the parser, what is refused is refused before it is sent.
#[test]
fn the_deepest_that_are_translated_execute() {
    let limits = || Limits { max_bytes: 100_000_000, max_depth: 100_000, max_terms: 100_000 };
    let shapes: [&dyn Fn(usize) -> String; 5] = [
        &|count| nested(count, "not (", "phones.weight gt 3", ")"),
        &|count| nested(count, "(nickName pr or (id pr and ", "active eq true", "))"),
        &|count| {
            nested(
                count,
                "(",
                "active eq true",
                " or nickName pr or id pr or big eq 1) and small pr and id pr",
            )
        },
        &|count| format!("phones[{}]", nested(count, "not (", "weight eq 3 or value pr", ")")),
        &|count| {
            nested(count, "(phones[value pr and (weight pr or weight eq 3)] and not (", "active pr", "))")
        },
    ];
    on_each(async |database| {
        for (index, shape) in shapes.iter().enumerate() {
            let mut deepest = 0;
            for count in [10, 30, 100, 200, 300, 400, 500, 600, 700, 800, 870, 1_000, 10_000] {
                let text = shape(count);
                if database.check(&bind(&text, limits()), &text).await.is_some() {
                    deepest = count;
                }
            }
            println!("{:?}: shape {index} to {deepest}", database.dialect());
            assert!((100..10_000).contains(&deepest), "{deepest}");
        }
    });
}
