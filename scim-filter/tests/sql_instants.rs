//! Instants as columns hold them: keys that sort as text, RFC 3339, Unix times, `timestamptz`.

#![cfg(feature = "sql")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::USER;
use scim_filter::AttributeType::DateTime;
use scim_filter::compare::Collation;
use scim_filter::sql::{Column, Dialect, Mapping, SqlErrorKind, SqlValue, key};
use scim_filter::{BindOptions, Filter};

fn key_of(text: &str) -> String {
    key(Collation { kind: DateTime, case_exact: false }, text).unwrap().into_owned()
}

/// The condition for `meta.lastModified`, without its test for `NULL`.
fn condition(column: Column, dialect: Dialect, op: &str, literal: &str) -> (String, Vec<SqlValue>) {
    let filter = Filter::parse(&format!("meta.lastModified {op} \"{literal}\"")).unwrap();
    let mapping = Mapping::new().column("meta.lastModified", column.not_null());
    let sql = filter.bind(&USER, &BindOptions::default()).unwrap().to_sql(&mapping, dialect, 1).unwrap();
    (sql.text, sql.values)
}

fn text(text: &str) -> Vec<SqlValue> {
    vec![SqlValue::Text(text.into())]
}

/// Every day of the calendar's cycle of 400 years and some more, counted as calendars are taught.
#[test]
fn every_day_has_its_name() {
    for year in (0..=401).chain(1899..=2001) {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let february = if leap { 29 } else { 28 };
        for (month, days) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            for day in 1..=days {
                let time = ["00:00:00", "13:04:59", "23:59:59"][day % 3];
                let name = format!("{year:04}-{month:02}-{day:02}T{time}");
                assert_eq!(key_of(&name), name);
            }
        }
    }
}

#[test]
fn keys_sort_in_time() {
    let in_order = [
        ("-123456789-01-01T00:00:00Z", "!0876543211-01-01T00:00:00"),
        ("-0044-03-15T12:00:00Z", "!0999999956-03-15T12:00:00"),
        ("0000-01-01T00:00:00+00:01", "!0999999999-12-31T23:59:00"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00"),
        ("2011-05-13T04:42:34", "2011-05-13T04:42:34"),
        ("2011-05-13T06:42:34.0001000+02:00", "2011-05-13T04:42:34.0001"),
        ("2011-05-13T04:42:34.5Z", "2011-05-13T04:42:34.5"),
        ("2011-05-13T04:42:34.50000000000000000001Z", "2011-05-13T04:42:34.50000000000000000001"),
        ("2011-05-13T04:42:35.000Z", "2011-05-13T04:42:35"),
        ("9999-12-31T23:59:59.9Z", "9999-12-31T23:59:59.9"),
        ("9999-12-31T23:59:60Z", "~0000010000-01-01T00:00:00"),
        ("123456789-01-01T00:00:00Z", "~0123456789-01-01T00:00:00"),
    ];
    for (literal, key) in in_order {
        assert_eq!(key_of(literal), key);
    }
    assert!(in_order.is_sorted_by(|(_, left), (_, right)| left.as_bytes() < right.as_bytes()));
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let found = condition(Column::instant("u.m"), dialect, "eq", "2011-05-13T06:42:34.50+02:00");
        assert_eq!(found.1, text("2011-05-13T04:42:34.5"));
    }
    let (ge, _) = condition(Column::instant("u.m"), Dialect::Sqlite, "ge", "2011-05-13T04:42:34Z");
    assert_eq!(ge, "u.m >= ?1");
    let (lt, _) = condition(Column::instant("u.m"), Dialect::Postgres, "lt", "2011-05-13T04:42:34Z");
    assert_eq!(lt, "u.m COLLATE \"C\" < $1");
    // Equality needs no order, and takes an index of any collation.
    let (eq, _) = condition(Column::instant("u.m"), Dialect::Postgres, "eq", "2011-05-13T04:42:34Z");
    assert_eq!(eq, "u.m = $1");
}

/// What holds of a column for a literal that is one of its values, that lies behind one, and that
/// lies before all.
#[test]
fn literals_between_values() {
    let with = |literal: &str| {
        ["eq", "ne", "lt", "le", "gt", "ge"]
            .map(|op| condition(Column::unix_time("u.m", 0), Dialect::Sqlite, op, literal).0)
    };
    assert_eq!(
        with("1970-01-01T00:00:01Z"),
        ["u.m = ?1", "NOT u.m = ?1", "u.m < ?1", "u.m <= ?1", "u.m > ?1", "u.m >= ?1"]
    );
    assert_eq!(
        with("1970-01-01T00:00:01.5Z"),
        ["(FALSE)", "NOT (FALSE)", "u.m <= ?1", "u.m <= ?1", "u.m > ?1", "u.m > ?1"]
    );
    let nanoseconds = |op| {
        let column = Column::unix_time("u.m", 9);
        condition(column, Dialect::Sqlite, op, "1600-01-01T00:00:00Z").0
    };
    assert_eq!(
        ["eq", "ne", "lt", "le", "gt", "ge"].map(nanoseconds),
        ["(FALSE)", "NOT (FALSE)", "(FALSE)", "(FALSE)", "(u.m IS NOT NULL)", "(u.m IS NOT NULL)"]
    );
}

#[test]
fn unix_times() {
    for (digits, literal, exact, expected) in [
        (0, "1970-01-01T00:00:00Z", true, 0),
        (0, "2011-05-13T04:42:34.000Z", true, 1_305_261_754),
        (3, "2011-05-13T04:42:34.5Z", true, 1_305_261_754_500),
        (3, "1970-01-01T00:00:01.0625Z", false, 1_062),
        // Before 1970 fractions still count upwards.
        (3, "1969-12-31T23:59:59.75Z", true, -250),
        (3, "1969-12-31T23:59:59.7505Z", false, -250),
        (9, "1970-01-01T00:00:00.000000001Z", true, 1),
        (9, "2262-04-11T23:47:16.854775807Z", true, i64::MAX),
        (9, "1677-09-21T00:12:43.145224192Z", true, i64::MIN),
        // Behind all.
        (9, "2262-04-11T23:47:16.854775808Z", false, i64::MAX),
        (9, "2300-01-01T00:00:00Z", false, i64::MAX),
        // No more digits than nine.
        (12, "1970-01-01T00:00:01Z", true, 1_000_000_000),
    ] {
        let column = Column::unix_time("u.m", digits);
        let found = condition(column, Dialect::Sqlite, "ge", literal);
        let operator = if exact { ">=" } else { ">" };
        assert_eq!(found, (format!("u.m {operator} ?1"), vec![SqlValue::Integer(expected)]), "{literal}");
    }
    let found =
        condition(Column::unix_time("u.m", 9), Dialect::Sqlite, "ge", "1677-09-21T00:12:43.145224191Z");
    assert_eq!(found, ("(u.m IS NOT NULL)".to_owned(), vec![]));
}

#[test]
fn rfc3339_times() {
    for (digits, literal, exact, expected) in [
        (0, "2011-05-13T06:42:34+02:00", true, "2011-05-13T04:42:34Z"),
        (0, "2011-05-13T04:42:34.25Z", false, "2011-05-13T04:42:34Z"),
        (3, "2011-05-13T04:42:34Z", true, "2011-05-13T04:42:34.000Z"),
        (3, "2011-05-13T04:42:34.125Z", true, "2011-05-13T04:42:34.125Z"),
        (3, "2011-05-13T04:42:34.1250001Z", false, "2011-05-13T04:42:34.125Z"),
        (3, "0000-01-01T00:00:00Z", true, "0000-01-01T00:00:00.000Z"),
        (3, "9999-12-31T23:59:59.999Z", true, "9999-12-31T23:59:59.999Z"),
        // Behind the last that has four digits for its year.
        (0, "10000-01-01T00:00:00Z", false, "9999-12-31T23:59:59Z"),
        (3, "10000-01-01T00:00:00Z", false, "9999-12-31T23:59:59.999Z"),
    ] {
        for (op, operator) in [("ge", if exact { ">=" } else { ">" }), ("le", "<=")] {
            let found = condition(Column::rfc3339("u.m", digits), Dialect::Sqlite, op, literal);
            assert_eq!(found, (format!("u.m {operator} ?1"), text(expected)), "{literal}");
        }
    }
    let before_all = "0000-01-01T00:00:00+00:01";
    let (ge, _) = condition(Column::rfc3339("u.m", 3), Dialect::Sqlite, "ge", before_all);
    assert_eq!(ge, "(u.m IS NOT NULL)");
    let (gt, _) = condition(Column::rfc3339("u.m", 3), Dialect::Postgres, "gt", "2011-05-13T04:42:34Z");
    assert_eq!(gt, "u.m COLLATE \"C\" > $1");
    let (eq, _) = condition(Column::rfc3339("u.m", 3), Dialect::Postgres, "eq", "2011-05-13T04:42:34Z");
    assert_eq!(eq, "u.m = $1");
}

/// PostgreSQL has no year 0: before year 1 is 1 BC, which `xsd:dateTime` calls 0000.
#[test]
fn timestamps() {
    for (literal, exact, expected) in [
        ("2011-05-13T06:42:34.5+02:00", true, "2011-05-13 04:42:34.500000+00"),
        ("2011-05-13T04:42:34.0000001Z", false, "2011-05-13 04:42:34.000000+00"),
        ("0001-01-01T00:00:00Z", true, "0001-01-01 00:00:00.000000+00"),
        ("0000-12-31T23:59:59Z", true, "0001-12-31 23:59:59.000000+00 BC"),
        ("-0044-03-15T12:00:00Z", true, "0045-03-15 12:00:00.000000+00 BC"),
        ("-4711-01-01T00:00:00Z", true, "4712-01-01 00:00:00.000000+00 BC"),
        ("294275-12-31T23:59:59.999999Z", true, "294275-12-31 23:59:59.999999+00"),
        ("294276-01-01T00:00:00Z", false, "294275-12-31 23:59:59.999999+00"),
    ] {
        let found = condition(Column::timestamp("u.m"), Dialect::Postgres, "ge", literal);
        let operator = if exact { ">=" } else { ">" };
        let sql = format!("u.m {operator} CAST($1::text AS timestamptz)");
        assert_eq!(found, (sql, text(expected)), "{literal}");
    }
    let before_all = condition(Column::timestamp("u.m"), Dialect::Postgres, "lt", "-4712-12-31T23:59:59Z");
    assert_eq!(before_all, ("(FALSE)".to_owned(), vec![]));
}

#[test]
fn columns_of_another_type_are_refused() {
    let filter = Filter::parse("meta.lastModified gt \"2011-05-13T04:42:34Z\"").unwrap();
    let filter = filter.bind(&USER, &BindOptions::default()).unwrap();
    for column in [Column::exact("u.m"), Column::folded("u.m"), Column::integer("u.m"), Column::uuid("u.m")] {
        let mapping = Mapping::new().column("meta.lastModified", column);
        let error = filter.to_sql(&mapping, Dialect::Postgres, 1).unwrap_err();
        assert_eq!(error.kind(), SqlErrorKind::WrongType);
    }
}
