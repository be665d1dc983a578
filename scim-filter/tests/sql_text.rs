//! Filters as SQL text and values; what has no translation is refused with the clause that has none.

#![cfg(feature = "sql")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{ENTERPRISE, USER};
use scim_filter::sql::{
    Child, Column, Dialect, JsonColumn, Mapping, Sort, SortDirection, Sql, SqlError, SqlErrorKind, SqlValue,
};
use scim_filter::{BindOptions, BoundExpr, BoundFilter, Filter, Limits, ParseOptions};

fn bind(text: &str) -> BoundFilter {
    let limits = Limits { max_terms: 2_000_000, max_depth: 2_000_000, max_bytes: 500_000_000 };
    let options = ParseOptions { limits, ..ParseOptions::default() };
    Filter::parse_with(text, &options).unwrap().bind(&USER, &BindOptions::default()).unwrap()
}

fn users() -> Mapping {
    Mapping::new()
        .column("id", Column::exact("u.id").not_null())
        .column("userName", Column::folded("u.user_name").not_null())
        .column("title", Column::folded("u.title"))
        .column("userType", Column::exact("u.user_type"))
        .column("externalId", Column::folded("u.external_id"))
        .column("active", Column::boolean("u.active"))
        .column("logins", Column::integer("u.logins"))
        .column("score", Column::float("u.score"))
        .column("photo", Column::base64("u.photo"))
        .column("name.familyName", Column::folded("u.family_name"))
        .column("name.givenName", Column::folded("u.given_name"))
        .column("meta.lastModified", Column::timestamp("u.modified"))
        .child(
            "emails",
            Child::new("emails AS e", "e.user_id = u.id")
                .column("value", Column::folded("e.value"))
                .column("type", Column::folded("e.type")),
        )
        .child(
            "aliases",
            Child::new("aliases AS a", "a.user_id = u.id").column("value", Column::folded("a.value")),
        )
        .json("roles", JsonColumn::keys("u.roles"))
        .json("ims", JsonColumn::values("u.ims"))
        .extension(ENTERPRISE, Mapping::new().column("employeeNumber", Column::folded("u.number")))
}

fn translate(text: &str, dialect: Dialect) -> Result<Sql, SqlError> {
    bind(text).to_sql(&users(), dialect, 1)
}

fn sqlite(text: &str) -> String {
    translate(text, Dialect::Sqlite).unwrap().text
}

fn postgres(text: &str) -> String {
    translate(text, Dialect::Postgres).unwrap().text
}

#[test]
fn comparisons_of_text() {
    assert_eq!(sqlite(r#"userName eq "x""#), "u.user_name = ?1");
    assert_eq!(sqlite(r#"title eq "x""#), "(u.title IS NOT NULL AND u.title = ?1)");
    assert_eq!(sqlite(r#"title ne "x""#), "NOT (u.title IS NOT NULL AND u.title = ?1)");
    assert_eq!(sqlite(r#"userName co "x""#), "instr(u.user_name, ?1) > 0");
    assert_eq!(postgres(r#"userName co "x""#), "strpos(u.user_name, $1::text) > 0");
    assert_eq!(sqlite(r#"userName sw "x""#), "(u.user_name >= ?1 AND u.user_name < ?2)");
    assert_eq!(
        sqlite(r#"userName ew "xé""#),
        "(u.user_name <> '' AND substr(CAST(u.user_name AS BLOB), -3) = CAST(?1 AS BLOB))"
    );
    assert_eq!(postgres(r#"userName ew "xé""#), "right(u.user_name, 2) = $1");
    assert_eq!(postgres(r#"userName gt "x""#), "u.user_name COLLATE \"C\" > $1");
    assert_eq!(sqlite("userName pr"), "u.user_name <> ''");
    assert_eq!(sqlite("title pr"), "(u.title IS NOT NULL AND u.title <> '')");
    assert_eq!(sqlite(r#"userName sw """#), "TRUE");
}

#[test]
fn values_are_keys_and_are_only_bound() {
    let sql = translate(r#"userName eq "Straße'; --" and active eq true"#, Dialect::Sqlite).unwrap();
    assert_eq!(sql.text, "(u.user_name = ?1 AND (u.active IS NOT NULL AND u.active = ?2))");
    assert_eq!(sql.values, [SqlValue::Text("strasse'; --".into()), SqlValue::Boolean(true)]);
    let range = translate("title sw \"a\u{D7FF}\" or title sw \"b\u{10FFFF}\"", Dialect::Sqlite).unwrap();
    let texts = ["a\u{D7FF}", "a\u{E000}", "b\u{10FFFF}", "c"].map(|text| SqlValue::Text(text.into()));
    assert_eq!(range.values, texts);
    let shifted = bind("title eq \"x\" and logins gt 1.5").to_sql(&users(), Dialect::Postgres, 7).unwrap();
    assert_eq!(
        shifted.text,
        "((u.title IS NOT NULL AND u.title = $7) AND (u.logins IS NOT NULL AND u.logins > $8))"
    );
    assert_eq!(shifted.values, [SqlValue::Text("x".into()), SqlValue::Integer(1)]);
}

#[test]
fn literals_a_column_cannot_hold() {
    let values = |text: &str, dialect| {
        let sql = translate(text, dialect).unwrap();
        (sql.text, sql.values)
    };
    let (text, found) = values("logins ge 1.5", Dialect::Sqlite);
    assert_eq!(
        (text.as_str(), found),
        ("(u.logins IS NOT NULL AND u.logins > ?1)", vec![SqlValue::Integer(1)])
    );
    assert_eq!(sqlite("logins eq 1.5"), "(FALSE)");
    assert_eq!(sqlite("logins gt -1e300"), "(u.logins IS NOT NULL)");
    assert_eq!(sqlite("logins lt -1e300"), "(FALSE)");
    let (_, found) = values("logins lt 1e300", Dialect::Sqlite);
    assert_eq!(found, [SqlValue::Integer(i64::MAX)]);
    let (text, found) = values("score lt 9007199254740993", Dialect::Sqlite);
    assert_eq!(text, "(u.score IS NOT NULL AND u.score <= ?1)");
    assert_eq!(found, [SqlValue::Float(9_007_199_254_740_992.0)]);
    assert_eq!(sqlite("score eq 9007199254740993"), "(FALSE)");
    // PostgreSQL has no U+0000.
    assert_eq!(postgres(r#"userName eq "a\u0000b""#), "FALSE");
    let (text, found) = values(r#"userName lt "a\u0000b""#, Dialect::Postgres);
    assert_eq!(text, "u.user_name COLLATE \"C\" <= $1");
    assert_eq!(found, [SqlValue::Text("a".into())]);
    let (text, found) =
        values(r#"meta.lastModified lt "2011-05-13T06:42:34.0000005+02:00""#, Dialect::Postgres);
    assert_eq!(text, "(u.modified IS NOT NULL AND u.modified <= CAST($1::text AS timestamptz))");
    assert_eq!(found, [SqlValue::Text("2011-05-13 04:42:34.000000+00".into())]);
}

#[test]
fn many_values() {
    assert_eq!(
        sqlite(r#"emails[type eq "work" and value co "x"]"#),
        "+EXISTS (SELECT 1 FROM emails AS e WHERE (e.user_id = u.id) AND \
         (((e.type IS NOT NULL AND e.type = ?1) AND (e.value IS NOT NULL AND instr(e.value, ?2) > 0))))"
    );
    assert_eq!(
        sqlite(r#"emails.type ne "work""#),
        "NOT +EXISTS (SELECT 1 FROM emails AS e WHERE (e.user_id = u.id) AND \
         ((e.type IS NOT NULL AND e.type = ?1)))"
    );
    assert_eq!(
        sqlite(r#"emails[type ne "work"]"#),
        "+EXISTS (SELECT 1 FROM emails AS e WHERE (e.user_id = u.id) AND \
         (NOT (e.type IS NOT NULL AND e.type = ?1)))"
    );
    assert_eq!(
        sqlite("emails pr"),
        "+EXISTS (SELECT 1 FROM emails AS e WHERE (e.user_id = u.id) AND ((FALSE OR \
         (e.value IS NOT NULL AND e.value <> '') OR (e.type IS NOT NULL AND e.type <> ''))))"
    );
    assert_eq!(sqlite(r#"emails eq "x""#), sqlite(r#"emails.value eq "x""#));
    assert_eq!(
        sqlite(r#"aliases eq "x""#),
        "+EXISTS (SELECT 1 FROM aliases AS a WHERE (a.user_id = u.id) AND \
         ((a.value IS NOT NULL AND a.value = ?1)))"
    );
    assert_eq!(
        sqlite(r#"name[familyName eq "x"]"#),
        "((u.family_name IS NOT NULL OR u.given_name IS NOT NULL) AND \
         ((u.family_name IS NOT NULL AND u.family_name = ?1)))"
    );
    assert_eq!(
        sqlite(&format!("{ENTERPRISE}:employeeNumber eq \"1\"")),
        "(u.number IS NOT NULL AND u.number = ?1)"
    );
}

#[test]
fn what_has_no_translation_is_named() {
    let refused = |text: &str, dialect| match translate(text, dialect) {
        Ok(sql) => panic!("{text} became {sql:?}"),
        Err(error) => (error.kind(), error.to_string()),
    };
    for (text, kind, message) in [
        (
            "userName pr and rooms pr",
            SqlErrorKind::Unmapped,
            "`rooms pr` cannot be answered: the attribute is not mapped to a column",
        ),
        (
            r#"not (emails[display eq "x"])"#,
            SqlErrorKind::Unmapped,
            "`emails.display eq` cannot be answered: the attribute is not mapped to a column",
        ),
        (
            "rooms[number gt 1]",
            SqlErrorKind::Unmapped,
            "`rooms []` cannot be answered: the attribute is not mapped to a column",
        ),
        (
            "userType eq \"1\"",
            SqlErrorKind::NotFolded,
            "`userType eq` cannot be answered: the attribute is not caseExact but its column is not folded",
        ),
        (
            "externalId ne \"x\"",
            SqlErrorKind::NotExact,
            "`externalId ne` cannot be answered: the attribute is caseExact but its column is folded",
        ),
        (
            "ims.value co \"x\"",
            SqlErrorKind::NotKeyed,
            "`ims.value co` cannot be answered: the JSON column does not hold comparison keys",
        ),
        (
            "meta.lastModified gt \"2011-05-13T04:42:34Z\"",
            SqlErrorKind::WrongDialect,
            "`meta.lastModified gt` cannot be answered: the database does not have the column's type",
        ),
    ] {
        assert_eq!(refused(text, Dialect::Sqlite), (kind, message.to_owned()), "{text}");
    }
    let wrong = bind("logins eq 1").to_sql(
        &Mapping::new().column("logins", Column::boolean("u.x")),
        Dialect::Sqlite,
        1,
    );
    assert_eq!(
        wrong.unwrap_err().to_string(),
        "`logins eq` cannot be answered: the column does not hold values of the attribute's type"
    );
}

#[test]
fn nothing_recurses_and_nothing_is_nested_deep() {
    let list = vec!["title eq \"x\""; 30_000].join(" or ");
    let sql = translate(&list, Dialect::Sqlite).unwrap();
    assert_eq!(sql.values.len(), 30_000);
    let mut depth = 0_i32;
    let deepest = sql.text.bytes().fold(0, |deepest, byte| {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        deepest.max(depth)
    });
    assert_eq!((depth, deepest), (0, 6));
    let list = vec!["title eq \"x\""; 1_000_000].join(" or ");
    for (dialect, limit) in [(Dialect::Sqlite, 32_766), (Dialect::Postgres, 65_535)] {
        let error = translate(&list, dialect).unwrap_err();
        assert_eq!((error.kind(), error.clause()), (SqlErrorKind::TooManyValues { limit }, ""));
        assert_eq!(
            error.to_string(),
            format!("the filter has more values than the {limit} a statement takes")
        );
    }
    let nested = format!("{}title pr{}", "not (".repeat(1_000_000), ")".repeat(1_000_000));
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let error = translate(&nested, dialect).unwrap_err();
        assert_eq!((error.kind(), error.clause()), (SqlErrorKind::TooDeep { limit: 900 }, ""));
        assert_eq!(error.to_string(), "the filter nests deeper than the 900 levels a database takes");
    }
}

/// What is deep is written for SQLite in parts, each of which is shallow and names those before it.
#[test]
fn deep_filters_are_written_in_parts() {
    let nested = format!("{}title pr{}", "not (".repeat(20), ")".repeat(20));
    let inner = format!("{}(u.title IS NOT NULL AND u.title <> ''){}", "NOT (".repeat(15), ")".repeat(15));
    assert_eq!(
        sqlite(&nested),
        format!(
            "(WITH scim_5(v) AS (SELECT {inner}) SELECT {}(SELECT v FROM scim_5){})",
            "NOT (".repeat(5),
            ")".repeat(5)
        )
    );
    assert!(!postgres(&nested).contains("WITH"));
    // Inside of brackets the parts are about the row that the brackets are about.
    let inside = sqlite(&format!("active eq true or emails[{}]", nested.replace("title", "type")));
    assert!(inside.contains("WHERE (e.user_id = u.id) AND ((WITH scim_8(v) AS (SELECT NOT"), "{inside}");
    // The highest term is the last of its list.
    let alternating = format!("{}title pr{}", "(active pr or (logins pr and ".repeat(6), "))".repeat(6));
    let (active, logins) = ("(u.active IS NOT NULL)", "(u.logins IS NOT NULL)");
    let parts = sqlite(&alternating);
    assert!(
        parts.ends_with(&format!(" SELECT ({active} OR ((SELECT v FROM scim_4) AND {logins})))")),
        "{parts}"
    );
}

#[test]
fn order_and_cursors() {
    let sort = |text: &str, direction| {
        let bound = bind(&format!("{text} pr"));
        let BoundExpr::Present(attr) = bound.expr() else { panic!("{text}") };
        Sort::by(attr, direction, &users(), &Column::exact("u.id").not_null())
    };
    let (ascending, descending) = (SortDirection::Ascending, SortDirection::Descending);
    let title = sort("title", ascending).unwrap();
    assert_eq!(title.order_by(Dialect::Sqlite), "u.title ASC NULLS LAST, u.id ASC");
    assert_eq!(title.key_expression(), "u.title");
    let (x, id) = (SqlValue::Text("x".into()), SqlValue::Text("1".into()));
    let after = |sort: &Sort, key: Option<SqlValue>| sort.after(key, id.clone(), Dialect::Postgres, 3).text;
    assert_eq!(
        after(&title, Some(x.clone())),
        "(u.title IS NULL OR (u.title COLLATE \"C\", u.id COLLATE \"C\") > ($3, $4))"
    );
    assert_eq!(after(&title, None), "(u.title IS NULL AND u.id COLLATE \"C\" > $3)");
    let title = sort("title", descending).unwrap();
    assert_eq!(
        title.order_by(Dialect::Postgres),
        "u.title COLLATE \"C\" DESC NULLS FIRST, u.id COLLATE \"C\" DESC"
    );
    assert_eq!(
        after(&title, Some(x)),
        "(u.title IS NOT NULL AND (u.title COLLATE \"C\", u.id COLLATE \"C\") < ($3, $4))"
    );
    assert_eq!(after(&title, None), "(u.title IS NOT NULL OR u.id COLLATE \"C\" < $3)");
    // Of many values the primary one counts, or else the first.
    let bound = bind("emails.value pr");
    let BoundExpr::Present(attr) = bound.expr() else { panic!() };
    let emails = Mapping::new().child(
        "emails",
        Child::new("emails AS e", "e.user_id = u.id")
            .column("value", Column::folded("e.value"))
            .column("primary", Column::boolean("e.is_primary"))
            .in_order("e.position"),
    );
    let sort_by_email = Sort::by(attr, ascending, &emails, &Column::exact("u.id").not_null()).unwrap();
    assert_eq!(
        sort_by_email.order_by(Dialect::Sqlite),
        "(SELECT e.value FROM emails AS e WHERE (e.user_id = u.id) \
         ORDER BY (e.is_primary IS NOT NULL AND e.is_primary) DESC, e.position LIMIT 1) ASC NULLS LAST, u.id ASC"
    );
    let message = |text: &str| sort(text, ascending).unwrap_err().to_string();
    assert_eq!(
        message("emails.value"),
        "`emails.value` cannot be answered: it has not one value in a column to sort by"
    );
    assert_eq!(
        message("userType"),
        "`userType` cannot be answered: the attribute is not caseExact but its column is not folded"
    );
}

#[test]
fn a_column_is_sorted_by_where_it_holds_the_type() {
    let by = |text: &str, column: Column| {
        let bound = bind(&format!("{text} pr"));
        let BoundExpr::Present(attr) = bound.expr() else { panic!("{text}") };
        let mapping = Mapping::new().column(text, column);
        let sort = Sort::by(attr, SortDirection::Ascending, &mapping, &Column::exact("u.id").not_null());
        sort.map(|sort| sort.order_by(Dialect::Sqlite)).map_err(|error| error.kind())
    };
    assert_eq!(by("logins", Column::integer("u.n")).as_deref(), Ok("u.n ASC NULLS LAST, u.id ASC"));
    // As text, 10 would come before 9.
    assert_eq!(by("logins", Column::folded("u.n")), Err(SqlErrorKind::WrongType));
    assert_eq!(by("active", Column::exact("u.n")), Err(SqlErrorKind::WrongType));
    assert_eq!(by("title", Column::integer("u.n")), Err(SqlErrorKind::WrongType));
    assert_eq!(by("title", Column::exact("u.n")), Err(SqlErrorKind::NotFolded));
}

/// Found by the differential test.
#[test]
fn documents_of_keys() {
    let keys = |resource: serde_json::Value| {
        serde_json::Value::Object(scim_filter::sql::key_document(&USER, resource.as_object().unwrap()))
    };
    use serde_json::json;
    // An empty text is no time, and must not sort before all times.
    assert_eq!(keys(json!({"meta": {"lastModified": ""}})), json!({"meta": {"lastModified": null}}));
    // What is no time is present, and compares with none.
    assert_eq!(keys(json!({"meta": {"lastModified": "soon"}})), json!({"meta": {"lastModified": true}}));
    // It is a value all the same, where `null` is none.
    assert_eq!(keys(json!({"rooms": [null, [], 1]})), json!({"rooms": [null, {}, 1]}));
    assert_eq!(keys(json!({"meta": null, "name": null})), json!({"meta": null, "name": null}));
    // What should be an object and has no `value` is present.
    assert_eq!(keys(json!({"rooms": ["a", ""]})), json!({"rooms": [true, ""]}));
    assert_eq!(
        keys(
            json!({"USERNAME": "Straße", "password": "x", "badges": [{"TYPE": "Work", "secret": "x"}], "x": 1})
        ),
        json!({"userName": "strasse", "badges": [{"type": "work"}]})
    );
}
