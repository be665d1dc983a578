//! Deep filters for SQLite: what is cut into parts, and what is not. That the text means the same is
//! shown where it is executed.

#![cfg(feature = "sql")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use scim_filter::sql::{Child, Column, Dialect, Mapping, SqlErrorKind};
use scim_filter::{BindOptions, Filter, Limits, ParseOptions};

fn translate(dialect: Dialect, filter: &str) -> Result<String, SqlErrorKind> {
    let mapping = Mapping::new()
        .column("title", Column::integer("t"))
        .column("active", Column::boolean("a"))
        .column("logins", Column::integer("l"))
        .child("emails", Child::new("e", "e.u = u.id").column("value", Column::integer("v")));
    let options =
        ParseOptions { limits: Limits { max_depth: 10_000, ..Limits::default() }, ..ParseOptions::default() };
    let filter = Filter::parse_with(filter, &options).unwrap();
    let filter = filter.bind(&common::USER, &BindOptions::default()).unwrap();
    filter.to_sql(&mapping, dialect, 1).map(|sql| sql.text).map_err(|error| error.kind())
}

fn sqlite(filter: &str) -> String {
    translate(Dialect::Sqlite, filter).unwrap()
}

/// `inner` in as many negations, each of which takes two entries of SQLite's stack and one level.
fn negated(depth: usize, inner: &str) -> String {
    format!("{}{inner}{}", "not (".repeat(depth), ")".repeat(depth))
}

/// The same in SQL.
fn not(depth: usize, inner: &str) -> String {
    format!("{}{inner}{}", "NOT (".repeat(depth), ")".repeat(depth))
}

const TITLE: &str = "(t IS NOT NULL)";
const ACTIVE: &str = "(a IS NOT NULL)";
const LOGINS: &str = "(l IS NOT NULL)";

#[test]
fn what_is_shallow_stands_as_it_was_written() {
    assert_eq!(sqlite("not (title pr) and active pr"), format!("(NOT ({TITLE}) AND {ACTIVE})"));
    assert_eq!(sqlite(&negated(15, "title pr")), not(15, TITLE));
    assert!(sqlite(&negated(16, "title pr")).starts_with("(WITH "));
    // Thirty entries: twelve negations of two, two lists of three.
    let full = negated(12, "(title pr or active pr) and logins pr");
    assert_eq!(sqlite(&full), not(12, &format!("(({TITLE} OR {ACTIVE}) AND {LOGINS})")));
    // One more, and what is low stands first.
    let beyond = sqlite(&negated(13, "(title pr or active pr) and logins pr"));
    assert!(beyond.starts_with("(WITH ") && beyond.contains(&format!("({LOGINS} AND (")), "{beyond}");
}

#[test]
fn a_part_is_made_of_what_takes_more_than_its_name() {
    let text = sqlite(&format!(
        "{} and {} and {}",
        negated(14, "title pr"),
        negated(2, "active pr"),
        negated(3, "logins pr")
    ));
    // The name of a part takes four entries, as do two negations.
    assert!(text.contains(&not(2, ACTIVE)), "{text}");
    assert!(!text.contains(&format!(" AND {}", not(3, LOGINS))), "{text}");
    assert_eq!(text.matches("(v) AS (SELECT ").count(), 2, "{text}");
    assert!(text.contains(&format!("(v) AS (SELECT {})", not(3, LOGINS))), "{text}");
    assert!(text.contains(&format!("(v) AS (SELECT {})", not(14, TITLE))), "{text}");
}

/// Beside the deepest term of a list no other is higher than a clause in eight negations.
#[test]
fn what_stands_beside_the_deepest_term_is_low() {
    // Not deep enough to be cut by itself; the other term of the `or` is.
    let list = format!(
        "{} and {} and {} and {}",
        negated(11, "title pr"),
        negated(10, "title pr"),
        negated(9, "active pr"),
        negated(8, "logins pr"),
    );
    let text = sqlite(&format!("{} or ({list})", negated(20, "emails pr")));
    let part = |inner: &str| text.contains(&format!("(v) AS (SELECT {inner})"));
    assert!(part(&not(10, TITLE)) && part(&not(9, ACTIVE)), "{text}");
    assert!(!part(&not(8, LOGINS)) && text.contains(&not(8, LOGINS)), "{text}");
    assert!(!part(&not(11, TITLE)) && text.contains(&not(11, TITLE)), "{text}");
}

#[test]
fn each_part_is_defined_once_and_before_it_is_named() {
    for filter in [
        negated(50, "title pr"),
        format!("emails[{}] and {}", negated(20, "value pr"), negated(14, "title pr")),
        format!("{} or emails[{}]", negated(20, "title pr"), negated(40, "value pr")),
        format!("{} and {}", negated(30, "title pr and active pr"), negated(31, "logins pr or title pr")),
    ] {
        let text = sqlite(&filter);
        let mut defined = Vec::new();
        // Definitions are `scim_1(v) AS (SELECT …`, uses are `(SELECT v FROM scim_1)`.
        for behind in text.split("scim_").skip(1) {
            let number: String = behind.chars().take_while(char::is_ascii_digit).collect();
            if behind.strip_prefix(&*number).is_some_and(|rest| rest.starts_with("(v) AS (SELECT ")) {
                assert!(!defined.contains(&number), "{number} twice in {text}");
                defined.push(number);
            } else {
                assert!(defined.contains(&number), "{number} is not defined in {text}");
            }
        }
        assert!(!defined.is_empty(), "{text}");
        // Those inside of brackets are defined inside of them.
        if let Some((_, inside)) = text.split_once("FROM e WHERE") {
            assert!(inside.contains("((WITH scim_"), "{text}");
        }
    }
    // What stands behind the brackets is defined outside of them, also where it is a part itself.
    let behind = sqlite(&format!("emails[{}] and {}", negated(20, "value pr"), negated(14, "title pr")));
    assert!(behind.contains(&format!("(v) AS (SELECT {})", not(14, TITLE))), "{behind}");
    let (_, inside) = behind.split_once("FROM e WHERE").unwrap();
    assert!(!inside.contains(TITLE), "{behind}");
}

/// The highest term counts, wherever it stands.
#[test]
fn every_term_is_measured() {
    for (first, second) in [(880, 1), (1, 880), (880, 880)] {
        let list = |more: usize| {
            let term = |depth: usize| negated(if depth == 1 { 1 } else { depth + more - 1 }, "title pr");
            translate(Dialect::Postgres, &format!("{} and {}", term(first), term(second)))
        };
        assert!(list(0).is_ok(), "{first} and {second}");
        assert_eq!(list(1), Err(SqlErrorKind::TooDeep { limit: 900 }), "{first} and {second}");
    }
}
