//! What the grammar accepts, and how it prints: vectors for every production.
//!
//! A line of a vector file is an input and, behind a tab, its canonical print; without one, the
//! input is canonical.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test")]

use std::fmt::Display;
use std::str::FromStr;

use scim_filter::{CompValue, CompareOp, Expr, Filter, Number, ParseError, PatchPath};

fn accepts<T: FromStr<Err = ParseError> + Display + PartialEq>(vectors: &str) -> usize {
    let lines = vectors.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let check = |line: &str| {
        let (input, print) = line.split_once('\t').unwrap_or((line, line));
        let parsed = match input.parse::<T>() {
            Ok(parsed) => parsed,
            Err(error) => panic!("`{input}` is refused: {error}"),
        };
        assert_eq!(parsed.to_string(), print, "of `{input}`");
        match print.parse::<T>() {
            Ok(again) => assert!(again == parsed, "`{print}` is not equal to `{input}`"),
            Err(error) => panic!("`{print}` is refused: {error}"),
        }
    };
    lines.map(check).count()
}

#[test]
fn figure_2() {
    assert_eq!(accepts::<Filter>(include_str!("vectors/rfc7644-3.4.2.2-figure-2-filters.tsv")), 17);
}

#[test]
fn figure_8() {
    assert_eq!(accepts::<PatchPath>(include_str!("vectors/rfc7644-3.5.2-figure-8-paths.tsv")), 8);
}

#[test]
fn errata() {
    assert!(accepts::<Filter>(include_str!("vectors/rfc7644-errata-filters.tsv")) >= 12);
    assert_eq!(accepts::<PatchPath>(include_str!("vectors/rfc7644-erratum-7122-paths.tsv")), 3);
}

#[test]
fn every_production() {
    assert!(accepts::<Filter>(include_str!("vectors/abnf-filters.tsv")) >= 80);
    assert!(accepts::<PatchPath>(include_str!("vectors/abnf-paths.tsv")) >= 18);
}

/// The structure in the notation of a Lisp, so that precedence shows.
fn structure(expr: Expr<'_>) -> String {
    let list = |name: &str, terms: Vec<String>| format!("({name} {})", terms.join(" "));
    match expr {
        Expr::And(terms) => list("and", terms.into_iter().map(|term| structure(term.expr())).collect()),
        Expr::Or(terms) => list("or", terms.into_iter().map(|term| structure(term.expr())).collect()),
        Expr::Not(term) => list("not", vec![structure(term.expr())]),
        Expr::ValuePath(path, term) => list(path.as_str(), vec![structure(term.expr())]),
        Expr::Present(path) => path.as_str().to_owned(),
        Expr::Compare(path, op, value) => format!("({op} {} {value:?})", path.as_str()),
    }
}

#[test]
fn precedence() {
    for (text, expected) in [
        ("a pr or b pr and c pr", "(or a (and b c))"),
        ("a pr and b pr or c pr", "(or (and a b) c)"),
        ("a pr and b pr or c pr and d pr", "(or (and a b) (and c d))"),
        ("a pr or b pr or c pr", "(or a b c)"),
        ("a pr and b pr and c pr", "(and a b c)"),
        ("not (a pr) and b pr or c pr", "(or (and (not a) b) c)"),
        ("not (a pr or b pr) and c pr", "(and (not (or a b)) c)"),
        ("(a pr or b pr) and c pr", "(and (or a b) c)"),
        ("a pr and (b pr and c pr)", "(and a (and b c))"),
        ("(a pr or (b pr)) or c pr", "(or (or a b) c)"),
        ("x[a pr or b pr and c pr] and d pr", "(and (x (or a (and b c))) d)"),
        ("((a pr) and ((b pr or c pr)))", "(and a (or b c))"),
    ] {
        assert_eq!(structure(Filter::parse(text).unwrap().expr()), expected, "of `{text}`");
    }
}

fn value(text: &str) -> String {
    let filter = Filter::parse(&format!("a eq {text}")).unwrap();
    match filter.expr() {
        Expr::Compare(path, CompareOp::Eq, value) => {
            assert_eq!((path.as_str(), path.span()), ("a", 0..1));
            format!("{value:?}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn values() {
    assert_eq!(value("null"), format!("{:?}", CompValue::Null));
    assert_eq!(value("true"), "Bool(true)");
    assert_eq!(value("false"), "Bool(false)");
    assert_eq!(value("9007199254740993"), "Number(Int(9007199254740993))");
    assert_eq!(value("-9223372036854775808"), "Number(Int(-9223372036854775808))");
    assert_eq!(value("18446744073709551615"), "Number(UInt(18446744073709551615))");
    assert_eq!(value("18446744073709551616"), "Number(Float(1.8446744073709552e19))");
    assert_eq!(value("-0.5e1"), "Number(Float(-5.0))");
    assert_eq!(value(r#""a\"\u00e9\\""#), r#"String("a\"é\\")"#);
}

#[test]
fn several_strings_with_escapes_keep_apart() {
    let filter = Filter::parse(r#"a eq "\n1" and b eq "plain" and c eq "2\t" and d eq """#).unwrap();
    let Expr::And(terms) = filter.expr() else { panic!("{filter}") };
    let texts: Vec<_> = terms
        .into_iter()
        .map(|term| match term.expr() {
            Expr::Compare(_, _, CompValue::String(text)) => text.to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, ["\n1", "plain", "2\t", ""]);
    assert_eq!(filter.as_str(), r#"a eq "\n1" and b eq "plain" and c eq "2\t" and d eq """#);
}

#[test]
fn equality_is_of_meaning() {
    let equal = |a: &str, b: &str| Filter::parse(a).unwrap() == Filter::parse(b).unwrap();
    assert!(equal("USERNAME Eq \"x\"", "userName eq \"\\u0078\""));
    assert!(equal("a eq 1", "a eq 1.0"));
    assert!(equal("((a pr))", "a pr"));
    assert!(equal("a[b pr and not (c pr)]", "A[ b pr and not(C pr) ]"));
    for (a, b) in [
        ("a eq \"x\"", "a eq \"X\""),
        ("a eq 9007199254740993", "a eq 9007199254740992"),
        ("a eq 1", "a eq \"1\""),
        ("a eq 1", "a ne 1"),
        ("a eq 1", "b eq 1"),
        ("a pr", "b pr"),
        ("a pr", "a eq true"),
        ("a pr", "not (a pr)"),
        ("a pr and b pr", "a pr or b pr"),
        ("a pr and b pr", "b pr and a pr"),
        ("a pr and b pr", "a pr and b pr and c pr"),
        ("a pr and (b pr and c pr)", "a pr and b pr and c pr"),
        ("a[b pr]", "a[c pr]"),
        ("a[b pr]", "c[b pr]"),
    ] {
        assert!(!equal(a, b), "`{a}` and `{b}`");
    }
    let equal = |a: &str, b: &str| PatchPath::parse(a).unwrap() == PatchPath::parse(b).unwrap();
    assert!(equal("Emails[Type eq \"work\"].Value", "emails[type eq \"work\"].value"));
    for (a, b) in [
        ("a", "b"),
        ("a", "a.b"),
        ("a[b pr]", "a"),
        ("a[b pr]", "a[c pr]"),
        ("a[b pr].c", "a[b pr]"),
        ("a[b pr].c", "a[b pr].d"),
        ("a pr", "a[a pr]"),
    ] {
        assert!(!equal(a, b), "`{a}` and `{b}`");
    }
}

#[test]
fn parts_of_paths() {
    let parts = |text: &str| {
        let path = PatchPath::parse(text).unwrap();
        let attr = path.attr_path();
        (
            attr.uri().map(str::to_owned),
            attr.name().to_owned(),
            attr.sub_attr().map(str::to_owned),
            attr.span(),
        )
    };
    assert_eq!(parts("name"), (None, "name".to_owned(), None, 0..4));
    assert_eq!(parts("  name.x "), (None, "name".to_owned(), Some("x".to_owned()), 2..8));
    assert_eq!(
        parts("urn:a:2.0:User:name.x"),
        (Some("urn:a:2.0:User".to_owned()), "name".to_owned(), Some("x".to_owned()), 0..21)
    );
    let path = PatchPath::parse("a[b pr].c").unwrap();
    assert_eq!(path.value_filter().map(|term| term.to_string()).as_deref(), Some("b pr"));
    assert_eq!((path.sub_attr(), path.is_expression(), path.as_str()), (Some("c"), false, "a[b pr].c"));
    let path = PatchPath::parse("a.x eq 1").unwrap();
    assert_eq!(path.value_filter().map(|term| term.to_string()).as_deref(), Some("a.x eq 1"));
    assert_eq!((path.sub_attr(), path.is_expression()), (None, true));
    assert_eq!((path.attr_path().name(), path.attr_path().sub_attr()), ("a", Some("x")));
}

#[test]
fn numbers_read_by_value() {
    assert_eq!(Number::parse("-0"), Some(Number::Int(0)));
    assert_eq!(Number::parse("1.0"), Some(Number::Int(1)));
    for text in ["", "+1", ".5", "inf", "NaN", "-inf", "1e309", "x", "-"] {
        assert_eq!(Number::parse(text), None, "`{text}`");
    }
}
