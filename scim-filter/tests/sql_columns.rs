//! Which column answers what: mappings, UUIDs, numbers at the ends of their types, orders, limits.

#![cfg(feature = "sql")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test")]

mod common;

use common::USER;
use scim_filter::AttributeType::{Binary, DateTime, String as Text};
use scim_filter::compare::Collation;
use scim_filter::sql::{
    Child, Column, Dialect, JsonColumn, Mapping, Sort, SortDirection, Sql, SqlError, SqlErrorKind, SqlValue,
    key, key_document,
};
use scim_filter::{BindOptions, BoundExpr, BoundFilter, Filter, Limits, ParseOptions};
use serde_json::json;

fn bind(text: &str) -> BoundFilter {
    let limits = Limits { max_terms: 100_000, max_depth: 10_000, max_bytes: 10_000_000 };
    let options = ParseOptions { limits, ..ParseOptions::default() };
    Filter::parse_with(text, &options).unwrap().bind(&USER, &BindOptions::default()).unwrap()
}

fn translate(mapping: &Mapping, dialect: Dialect, text: &str) -> Result<Sql, SqlError> {
    bind(text).to_sql(mapping, dialect, 1)
}

fn text(mapping: &Mapping, dialect: Dialect, filter: &str) -> String {
    translate(mapping, dialect, filter).unwrap().text
}

fn refusal(mapping: &Mapping, dialect: Dialect, filter: &str) -> SqlErrorKind {
    translate(mapping, dialect, filter).unwrap_err().kind()
}

#[test]
fn uuids_compare_as_such_where_they_can() {
    let ids = Mapping::new().column("id", Column::uuid("u.id").not_null());
    let postgres = |filter: &str| text(&ids, Dialect::Postgres, filter);
    let id = "2819c223-7f76-453a-919d-413861904646";
    assert_eq!(postgres(&format!("id eq \"{id}\"")), "u.id = CAST($1::text AS uuid)");
    assert_eq!(postgres(&format!("id ne \"{id}\"")), "NOT u.id = CAST($1::text AS uuid)");
    // What PostgreSQL would read as a UUID, but does not print so, is not the text of one.
    for other in [
        "2819C223-7F76-453A-919D-413861904646",
        "2819c2237f76453a919d413861904646",
        "2819c223-7f76-453a-919d-41386190464",
        "2819c223-7f76-453a-919d-4138619046460",
        "2819c223+7f76-453a-919d-413861904646",
        "2819c223-7f76-453a-919d-41386190464g",
        "2819c223-7f76-453a-919d-41386190464-",
        "2819c223-7f76-453a-919d04138-1904646",
        "",
    ] {
        assert_eq!(postgres(&format!("id eq \"{other}\"")), "FALSE", "{other}");
    }
    assert_eq!(
        postgres("id sw \"28\""),
        "(CAST(u.id AS text) COLLATE \"C\" >= $1 AND CAST(u.id AS text) COLLATE \"C\" < $2)"
    );
    assert_eq!(postgres("id pr"), "(u.id IS NOT NULL)");
    assert_eq!(refusal(&ids, Dialect::Sqlite, "id eq \"x\""), SqlErrorKind::WrongDialect);
}

#[test]
fn each_type_has_its_columns() {
    let columns: [(Column, &[&str]); 7] = [
        (Column::exact("c"), &["externalId eq \"x\""]),
        (Column::folded("c"), &["title eq \"x\""]),
        (Column::base64("c"), &["photo eq \"x\""]),
        (Column::boolean("c"), &["active eq true"]),
        (Column::integer("c"), &["logins eq 1", "score eq 1"]),
        (Column::float("c"), &["logins eq 1", "score eq 1"]),
        (Column::instant("c"), &["meta.lastModified eq \"2011-05-13T04:42:34Z\""]),
    ];
    let filters: Vec<&str> = columns.iter().flat_map(|(_, filters)| filters.iter().copied()).collect();
    for (column, answered) in columns {
        for filter in &filters {
            let (path, _) = filter.split_once(' ').unwrap();
            let found = translate(&Mapping::new().column(path, column.clone()), Dialect::Sqlite, filter);
            assert_eq!(found.is_ok(), answered.contains(filter), "{column:?} {filter}");
        }
    }
    // Base64 has no order, but is equal with and without padding.
    let photo = Mapping::new().column("photo", Column::base64("c").not_null());
    let sql = translate(&photo, Dialect::Sqlite, "photo eq \"QQ==\"").unwrap();
    assert_eq!((sql.text.as_str(), sql.values), ("c = ?1", vec![SqlValue::Text("QQ".into())]));
    // Case counts as the attribute says, not as its column does.
    let folded = Mapping::new().column("externalId", Column::folded("c"));
    assert_eq!(refusal(&folded, Dialect::Sqlite, "externalId eq \"x\""), SqlErrorKind::NotExact);
    let exact = Mapping::new().column("externalId", Column::exact("c").not_null());
    assert_eq!(text(&exact, Dialect::Sqlite, "externalId eq \"x\""), "c = ?1");
    let exact = Mapping::new().column("title", Column::exact("c"));
    assert_eq!(refusal(&exact, Dialect::Sqlite, "title eq \"x\""), SqlErrorKind::NotFolded);
}

#[test]
fn numbers_at_the_ends_of_their_types() {
    let mapping = Mapping::new()
        .column("logins", Column::integer("i").not_null())
        .column("score", Column::float("f").not_null());
    let found = |filter: &str| {
        let sql = translate(&mapping, Dialect::Sqlite, filter).unwrap();
        (sql.text, sql.values)
    };
    for (filter, sql, value) in [
        ("logins ge -9223372036854775808", "i >= ?1", i64::MIN),
        ("logins ge -9.223372036854775808e18", "i >= ?1", i64::MIN),
        ("logins ge 9223372036854775807", "i >= ?1", i64::MAX),
        ("logins ge 9223372036854775808", "i > ?1", i64::MAX),
        ("logins ge 9.223372036854775808e18", "i > ?1", i64::MAX),
        ("logins ge 18446744073709551615", "i > ?1", i64::MAX),
        ("logins ge 9.2233720368547748e18", "i >= ?1", 9_223_372_036_854_774_784),
        ("logins ge -0.5", "i > ?1", -1),
        ("logins le 2.0", "i <= ?1", 2),
    ] {
        assert_eq!(found(filter), (sql.to_owned(), vec![SqlValue::Integer(value)]), "{filter}");
    }
    assert_eq!(found("logins ge -9.223372036854777e18"), ("(i IS NOT NULL)".to_owned(), vec![]));
    for (filter, sql, value) in [
        ("score ge 9007199254740992", "f >= ?1", 9_007_199_254_740_992.0),
        // Between two floats; the nearest one is the one below, the one above.
        ("score ge 9007199254740993", "f > ?1", 9_007_199_254_740_992.0),
        ("score ge 9007199254740995", "f > ?1", 9_007_199_254_740_994.0),
        ("score ge 18446744073709551615", "f > ?1", 18_446_744_073_709_549_568.0),
        ("score ge 0.1", "f >= ?1", 0.1),
    ] {
        assert_eq!(found(filter), (sql.to_owned(), vec![SqlValue::Float(value)]), "{filter}");
    }
}

#[test]
fn text_that_postgres_cannot_hold() {
    let mapping = Mapping::new().column("title", Column::folded("c").not_null());
    let found = |dialect, filter: &str| {
        let sql = translate(&mapping, dialect, filter).unwrap();
        (sql.text, sql.values)
    };
    let value = |text: &str| vec![SqlValue::Text(text.into())];
    for op in ["eq", "co", "sw", "ew"] {
        let (text, _) = found(Dialect::Postgres, &format!(r#"title {op} "a\u0000b""#));
        assert_eq!(text, "FALSE");
    }
    for (op, operator) in [("lt", "<="), ("le", "<="), ("gt", ">"), ("ge", ">")] {
        let sql = found(Dialect::Postgres, &format!(r#"title {op} "a\u0000b""#));
        assert_eq!(sql, (format!("c COLLATE \"C\" {operator} $1"), value("a")));
    }
    // SQLite can.
    assert_eq!(found(Dialect::Sqlite, r#"title eq "a\u0000b""#), ("c = ?1".to_owned(), value("a\0b")));
    assert_eq!(found(Dialect::Sqlite, r#"title le "a\u0000b""#), ("c <= ?1".to_owned(), value("a\0b")));
}

#[test]
fn keys_of_text() {
    let exact = |kind| Collation { kind, case_exact: true };
    assert_eq!(key(exact(Text), "Straße").as_deref(), Some("Straße"));
    assert_eq!(key(Collation { kind: Text, case_exact: false }, "Straße").as_deref(), Some("strasse"));
    assert_eq!(key(exact(Binary), "QUI=").as_deref(), Some("QUI"));
    assert_eq!(key(Collation { kind: Binary, case_exact: false }, "QUI=").as_deref(), Some("QUI"));
    // Present when evaluated, and so in a column: its key is not the empty text.
    assert_eq!(key(exact(Binary), "==").as_deref(), Some("="));
    assert_eq!(key(exact(Binary), "").as_deref(), Some(""));
    assert_eq!(key(exact(DateTime), "soon"), None);
    let keys = |resource: serde_json::Value| {
        serde_json::Value::Object(key_document(&USER, resource.as_object().unwrap()))
    };
    // Nothing becomes something: an empty text is no value, and stays so.
    for nothing in [json!(""), json!(null), json!([]), json!([""])] {
        let resource = json!({"title": nothing, "aliases": nothing});
        assert_eq!(keys(resource.clone()), resource);
    }
    assert_eq!(
        keys(json!({"meta": {"lastModified": "2011-05-13T06:42:34+02:00", "LOCATION": "X"}})),
        json!({"meta": {"lastModified": "2011-05-13T04:42:34", "location": "X"}})
    );
}

#[test]
fn one_path_is_not_another() {
    let mapping = Mapping::new()
        .column("name.familyName", Column::folded("u.family"))
        .column("name.givenName", Column::folded("u.given"))
        .column("title", Column::folded("u.title"))
        .child("emails", Child::new("e", "e.u = u.id").column("value", Column::folded("e.value")));
    let sqlite = |filter: &str| text(&mapping, Dialect::Sqlite, filter);
    assert_eq!(sqlite("name.givenName eq \"x\""), "(u.given IS NOT NULL AND u.given = ?1)");
    assert_eq!(
        sqlite("name pr"),
        "(FALSE OR (u.family IS NOT NULL AND u.family <> '') OR (u.given IS NOT NULL AND u.given <> ''))"
    );
    assert_eq!(
        sqlite("emails.value pr"),
        "+EXISTS (SELECT 1 FROM e WHERE (e.u = u.id) AND ((e.value IS NOT NULL AND e.value <> '')))"
    );
    for filter in ["meta pr", "meta.location pr", "emails.type pr", "rooms pr", "userName pr"] {
        assert_eq!(refusal(&mapping, Dialect::Sqlite, filter), SqlErrorKind::Unmapped, "{filter}");
    }
    // A column of a part is not the whole: a comparison of the attribute itself is refused.
    let part = Mapping::new().column("title.part", Column::folded("u.part"));
    assert_eq!(refusal(&part, Dialect::Sqlite, "title eq \"x\""), SqlErrorKind::Unmapped);
    assert_eq!(refusal(&part, Dialect::Sqlite, "title pr"), SqlErrorKind::Unmapped);
}

/// Of a complex attribute, some sub-attributes in columns and the rest in the document.
#[test]
fn columns_beside_a_document() {
    let columns = Mapping::new().column("name.familyName", Column::folded("u.family"));
    let keys = columns.clone().document(JsonColumn::keys("u.doc"));
    let whole = Mapping::new().document(JsonColumn::keys("u.doc"));
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        for filter in
            ["name pr", "name eq null", "name.givenName eq \"x\"", "name[givenName ne \"x\" or givenName pr]"]
        {
            assert_eq!(text(&keys, dialect, filter), text(&whole, dialect, filter), "{filter}");
        }
        // Whether there is a name is the document's, what its family name is, the column's.
        let begin = text(&whole, dialect, "name[givenName pr]");
        let begin = begin.split(" AND (").next().unwrap();
        let parameter = if dialect == Dialect::Sqlite { "?1" } else { "$1" };
        assert_eq!(
            text(&keys, dialect, "name[familyName ne \"X\"]"),
            format!("{begin} AND (NOT (u.family IS NOT NULL AND u.family = {parameter})))")
        );
        assert_eq!(
            text(&keys, dialect, "name.familyName eq \"X\""),
            format!("(u.family IS NOT NULL AND u.family = {parameter})")
        );
        // Values that are no keys answer nothing that needs them, but what the column answers.
        let values = columns.clone().document(JsonColumn::values("u.doc"));
        let error = bind("name[givenName eq \"x\"]").to_sql(&values, dialect, 1).unwrap_err();
        assert_eq!((error.kind(), error.clause()), (SqlErrorKind::NotKeyed, "name.givenName eq"));
        assert!(bind("name[familyName eq \"x\"] and name pr").to_sql(&values, dialect, 1).is_ok());
        // Without a document there are the columns alone.
        assert_eq!(
            text(&columns, dialect, "name pr"),
            "(FALSE OR (u.family IS NOT NULL AND u.family <> ''))"
        );
        let error = bind("name[givenName eq \"x\"]").to_sql(&columns, dialect, 1).unwrap_err();
        assert_eq!((error.kind(), error.clause()), (SqlErrorKind::Unmapped, "name.givenName eq"));
        // A column that is about one of several values is not asked about each of them.
        let emails = Mapping::new()
            .column("emails.type", Column::folded("u.kind"))
            .document(JsonColumn::keys("u.doc"));
        let filter = "emails[type eq \"x\"]";
        assert_eq!(text(&emails, dialect, filter), text(&whole, dialect, filter));
        // One that is all there is of the attribute is.
        let aliases =
            Mapping::new().column("aliases", Column::folded("u.alias")).document(JsonColumn::keys("u.doc"));
        assert!(!text(&aliases, dialect, "aliases[value eq \"x\"]").contains("u.doc"));
    }
}

fn sort(text: &str, column: Column, direction: SortDirection) -> Result<Sort, SqlError> {
    let bound = bind(&format!("{text} pr"));
    let BoundExpr::Present(attr) = bound.expr() else { panic!("{text}") };
    Sort::by(attr, direction, &Mapping::new().column(text, column), &Column::uuid("u.id").not_null())
}

#[test]
fn sort_keys_of_every_column() {
    let sorted = |text: &str, column| {
        let sort = sort(text, column, SortDirection::Descending).unwrap();
        let after = sort.after(Some(SqlValue::Integer(1)), SqlValue::Integer(2), Dialect::Postgres, 1).text;
        [sort.order_by(Dialect::Postgres), sort.key_expression(), sort.id_expression(), after]
    };
    assert_eq!(
        sorted("logins", Column::integer("u.logins").not_null()),
        [
            "u.logins DESC, u.id DESC",
            "u.logins",
            "CAST(u.id AS text)",
            "((u.logins, u.id) < ($1, CAST($2::text AS uuid)))"
        ]
    );
    assert_eq!(
        sorted("meta.lastModified", Column::timestamp("u.modified")),
        [
            "u.modified DESC NULLS FIRST, u.id DESC",
            "CAST(u.modified AS text)",
            "CAST(u.id AS text)",
            "(u.modified IS NOT NULL AND (u.modified, u.id) < (CAST($1::text AS timestamptz), \
             CAST($2::text AS uuid)))"
        ]
    );
    assert_eq!(
        sorted("meta.lastModified", Column::rfc3339("u.modified", 3).not_null()),
        [
            "u.modified COLLATE \"C\" DESC, u.id DESC",
            "u.modified",
            "CAST(u.id AS text)",
            "((u.modified COLLATE \"C\", u.id) < ($1, CAST($2::text AS uuid)))"
        ]
    );
    let ascending = sort("title", Column::folded("u.title").not_null(), SortDirection::Ascending).unwrap();
    let after = ascending.after(Some(SqlValue::Integer(1)), SqlValue::Integer(2), Dialect::Postgres, 1).text;
    assert_eq!(after, "((u.title COLLATE \"C\", u.id) > ($1, CAST($2::text AS uuid)))");
    let refused = |text, column| sort(text, column, SortDirection::Ascending).unwrap_err().kind();
    assert_eq!(refused("externalId", Column::folded("c")), SqlErrorKind::NotExact);
    assert_eq!(refused("title", Column::exact("c")), SqlErrorKind::NotFolded);
    assert!(sort("externalId", Column::exact("c"), SortDirection::Ascending).is_ok());
}

#[test]
fn as_many_values_as_a_statement_takes() {
    let mapping = Mapping::new().column("title", Column::folded("c"));
    for (dialect, most) in [(Dialect::Sqlite, 32_766), (Dialect::Postgres, 65_535)] {
        let list = bind(&vec!["title eq \"x\""; most].join(" or "));
        assert_eq!(list.to_sql(&mapping, dialect, 1).map(|sql| sql.values.len()), Ok(most));
        let error = list.to_sql(&mapping, dialect, 2).unwrap_err();
        assert_eq!((error.kind(), error.clause()), (SqlErrorKind::TooManyValues { limit: most }, ""));
        let one = bind("title eq \"x\"");
        assert!(one.to_sql(&mapping, dialect, most).is_ok());
        assert!(one.to_sql(&mapping, dialect, most + 1).is_err());
        assert!(one.to_sql(&mapping, dialect, usize::MAX).is_err());
    }
}

#[test]
fn decimals_are_exact_where_the_database_has_them() {
    let mapping = Mapping::new().column("score", Column::decimal("c").not_null());
    let sql = translate(&mapping, Dialect::Postgres, "score ge 0.5").unwrap();
    assert_eq!(sql.text, "c >= CAST($1::text AS numeric)");
    assert_eq!(sql.values, [SqlValue::Text("0.5".into())]);
    assert_eq!(refusal(&mapping, Dialect::Sqlite, "score ge 0.5"), SqlErrorKind::WrongDialect);
    let sort = sort("score", Column::decimal("c").not_null(), SortDirection::Ascending).unwrap();
    let after =
        sort.after(Some(SqlValue::Text("0.5".into())), SqlValue::Integer(2), Dialect::Postgres, 1).text;
    assert_eq!(after, "((c, u.id) > (CAST($1::text AS numeric), CAST($2::text AS uuid)))");
    assert_eq!(sort.key_expression(), "CAST(c AS text)");
}

/// Lists are groups of at most eight terms, of at most eight groups, and so on.
#[test]
fn lists_are_nested_in_groups() {
    let mapping = Mapping::new().column("title", Column::folded("c").not_null());
    let list = |count: usize| text(&mapping, Dialect::Sqlite, &vec!["title pr"; count].join(" and "));
    let eight = format!("({})", ["c <> ''"; 8].join(" AND "));
    assert_eq!(list(8), eight);
    assert_eq!(list(9), format!("({eight} AND (c <> ''))"));
    let sixty_four = format!("({})", [eight.as_str(); 8].join(" AND "));
    assert_eq!(list(64), sixty_four);
    assert_eq!(list(66), format!("({sixty_four} AND ((c <> '' AND c <> '')))"));
}

/// SQLite refuses expressions nested deeper than 1000 by default. A clause counts for twenty levels.
#[test]
fn nesting_up_to_the_limit() {
    let mapping = Mapping::new()
        .column("title", Column::folded("c").not_null())
        .child("emails", Child::new("e", "e.u = u.id").column("value", Column::folded("v").not_null()));
    let negated = |dialect: Dialect, depth: usize, inner: &str| {
        let nested = format!("{}{inner}{}", "not (".repeat(depth), ")".repeat(depth));
        translate(&mapping, dialect, &nested).map_err(|error| error.kind())
    };
    let check = |dialect: Dialect, most: usize, inner: &str| {
        let text = negated(dialect, most, inner).unwrap().text;
        assert_eq!(text.matches("NOT (").count(), most, "{dialect:?}, {inner}");
        let refused = negated(dialect, most + 1, inner);
        assert_eq!(refused, Err(SqlErrorKind::TooDeep { limit: 900 }), "{dialect:?}, {inner}");
    };
    check(Dialect::Postgres, 880, "title pr");
    // A value path counts for eight, and a list for the groups it is nested in.
    check(Dialect::Postgres, 872, "emails[value pr]");
    check(Dialect::Postgres, 871, "emails[value pr and value pr]");
    let list = |count: usize| vec!["title pr"; count].join(" or ");
    for (count, levels) in [(2, 1), (8, 1), (9, 2), (64, 2), (65, 3)] {
        check(Dialect::Postgres, 880 - levels, &list(count));
    }
    // In SQLite the name of a part has four levels, which is what thirteen negations are in.
    check(Dialect::Sqlite, 676, "title pr");
    check(Dialect::Sqlite, 668, "emails[value pr]");
    for (count, most) in [(2, 674), (8, 668), (9, 662), (64, 662), (65, 656)] {
        check(Dialect::Sqlite, most, &list(count));
    }
}
