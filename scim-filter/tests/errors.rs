//! Every error: its kind, its place, and its text, word for word.

#![expect(clippy::string_slice, clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::BTreeSet;

use scim_filter::{
    AttributeType, BindError, BindErrorKind, BindOptions, CompareOp, Filter, JsonTextErrorKind, Limits,
    ParseError, ParseErrorKind, ParseOptions, PatchPath,
};

use AttributeType as T;
use BindErrorKind as B;
use JsonTextErrorKind as J;
use ParseErrorKind as K;

macro_rules! value {
    ($found:literal) => {
        concat!("expected a string in double quotes, a number, `true`, `false` or `null`", $found)
    };
}

macro_rules! end {
    ($found:literal, $at:literal) => {
        concat!("expected the end of the path, found `", $found, "`, at byte ", $at)
    };
}

/// Input, kind, the piece of the input the span covers and where it begins, text.
type Case<'c> = (&'c str, K, (usize, &'c str), &'c str);

fn check(case: &Case<'_>, error: &ParseError) {
    let (input, kind, (start, piece), text) = *case;
    assert_eq!(*error.kind(), kind, "of {input:?}");
    assert_eq!(error.span(), start..start + piece.len(), "of {input:?}");
    assert_eq!(&input[error.span()], piece, "of {input:?}");
    assert_eq!(error.to_string(), text, "of {input:?}");
}

fn filter_cases() -> Vec<Case<'static>> {
    vec![
        ("", K::Empty, (0, ""), "the filter is empty"),
        ("   ", K::Empty, (0, "   "), "the filter is empty"),
        // attrPath
        ("(", K::ExpectedAttribute, (1, ""), "expected an attribute, found the end, at byte 1"),
        (")", K::ExpectedAttribute, (0, ")"), "expected an attribute, found `)`, at byte 0"),
        ("()", K::ExpectedAttribute, (1, ")"), "expected an attribute, found `)`, at byte 1"),
        (
            "not ( and )",
            K::ExpectedOperator,
            (10, ")"),
            "expected `pr` or a comparison operator, found `)`, at byte 10",
        ),
        ("a[]", K::ExpectedAttribute, (2, "]"), "expected an attribute, found `]`, at byte 2"),
        ("a pr and", K::ExpectedAttribute, (8, ""), "expected an attribute, found the end, at byte 8"),
        ("a pr or  ", K::ExpectedAttribute, (9, ""), "expected an attribute, found the end, at byte 9"),
        ("\"a\" eq 1", K::ExpectedAttribute, (0, "\""), "expected an attribute, found `\"`, at byte 0"),
        ("1a pr", K::ExpectedAttribute, (0, "1a"), "expected an attribute, found `1a`, at byte 0"),
        ("_a pr", K::ExpectedAttribute, (0, "_a"), "expected an attribute, found `_a`, at byte 0"),
        ("ä pr", K::ExpectedAttribute, (0, "ä"), "expected an attribute, found `ä`, at byte 0"),
        ("\ta pr", K::ExpectedAttribute, (0, "\ta"), "expected an attribute, found `\u{fffd}a`, at byte 0"),
        ("!(a pr)", K::ExpectedAttribute, (0, "!"), "expected an attribute, found `!`, at byte 0"),
        ("a. pr", K::InvalidAttribute, (0, "a."), "`a.` is not an attribute path, at byte 0"),
        ("a.1 pr", K::InvalidAttribute, (0, "a.1"), "`a.1` is not an attribute path, at byte 0"),
        ("a.-x pr", K::InvalidAttribute, (0, "a.-x"), "`a.-x` is not an attribute path, at byte 0"),
        ("a.b.c pr", K::InvalidAttribute, (0, "a.b.c"), "`a.b.c` is not an attribute path, at byte 0"),
        ("a: pr", K::InvalidAttribute, (0, "a:"), "`a:` is not an attribute path, at byte 0"),
        ("urn:x: pr", K::InvalidAttribute, (0, "urn:x:"), "`urn:x:` is not an attribute path, at byte 0"),
        (
            "urn:x:y. pr",
            K::InvalidAttribute,
            (0, "urn:x:y."),
            "`urn:x:y.` is not an attribute path, at byte 0",
        ),
        (
            "urn:x:1y pr",
            K::InvalidAttribute,
            (0, "urn:x:1y"),
            "`urn:x:1y` is not an attribute path, at byte 0",
        ),
        (
            "urn:%zz:y pr",
            K::InvalidAttribute,
            (0, "urn:%zz:y"),
            "`urn:%zz:y` is not an attribute path, at byte 0",
        ),
        (
            "urn:a:2.0[b pr]",
            K::InvalidAttribute,
            (0, "urn:a:2.0"),
            "`urn:a:2.0` is not an attribute path, at byte 0",
        ),
        // operator
        (
            "a",
            K::ExpectedOperator,
            (1, ""),
            "expected `pr` or a comparison operator, found the end, at byte 1",
        ),
        (
            "a ",
            K::ExpectedOperator,
            (2, ""),
            "expected `pr` or a comparison operator, found the end, at byte 2",
        ),
        (
            "a bad \"john\"",
            K::ExpectedOperator,
            (2, "bad"),
            "expected `pr` or a comparison operator, found `bad`, at byte 2",
        ),
        (
            "meta.lastModified lte \"x\"",
            K::ExpectedOperator,
            (18, "lte"),
            "expected `pr` or a comparison operator, found `lte`, at byte 18",
        ),
        (
            "a gte 1",
            K::ExpectedOperator,
            (2, "gte"),
            "expected `pr` or a comparison operator, found `gte`, at byte 2",
        ),
        (
            "a=1",
            K::ExpectedOperator,
            (1, "=1"),
            "expected `pr` or a comparison operator, found `=1`, at byte 1",
        ),
        (
            "a == 1",
            K::ExpectedOperator,
            (2, "=="),
            "expected `pr` or a comparison operator, found `==`, at byte 2",
        ),
        (
            "a is 1",
            K::ExpectedOperator,
            (2, "is"),
            "expected `pr` or a comparison operator, found `is`, at byte 2",
        ),
        (
            "a != 1",
            K::ExpectedOperator,
            (2, "!="),
            "expected `pr` or a comparison operator, found `!=`, at byte 2",
        ),
        (
            "a <> 1",
            K::ExpectedOperator,
            (2, "<>"),
            "expected `pr` or a comparison operator, found `<>`, at byte 2",
        ),
        (
            "a >= 1",
            K::ExpectedOperator,
            (2, ">="),
            "expected `pr` or a comparison operator, found `>=`, at byte 2",
        ),
        (
            "a LIKE \"x%\"",
            K::ExpectedOperator,
            (2, "LIKE"),
            "expected `pr` or a comparison operator, found `LIKE`, at byte 2",
        ),
        // spaces
        ("a eq\"x\"", K::ExpectedSpace, (4, "\""), "expected a space, found `\"`, at byte 4"),
        ("(a pr)and b pr", K::ExpectedSpace, (6, "and"), "expected a space, found `and`, at byte 6"),
        ("a pr and(b pr)", K::ExpectedSpace, (8, "("), "expected a space, found `(`, at byte 8"),
        // compValue
        ("a eq", K::ExpectedValue, (4, ""), value!(", found the end, at byte 4")),
        ("a eq )", K::ExpectedValue, (5, ")"), value!(", found `)`, at byte 5")),
        ("a eq (\"x\")", K::ExpectedValue, (5, "("), value!(", found `(`, at byte 5")),
        ("a eq 'x y'", K::ExpectedValue, (5, "'x"), value!(", found `'x`, at byte 5")),
        ("a eq “x”", K::ExpectedValue, (5, "“x”"), value!(", found `“x”`, at byte 5")),
        ("a eq b@c.d", K::ExpectedValue, (5, "b@c.d"), value!(", found `b@c.d`, at byte 5")),
        ("a eq True", K::ExpectedValue, (5, "True"), value!(", found `True`, at byte 5")),
        ("a eq 01", K::InvalidNumber, (5, "01"), "`01` is not a JSON number, at byte 5"),
        ("a eq 1.", K::InvalidNumber, (5, "1."), "`1.` is not a JSON number, at byte 5"),
        ("a eq -", K::InvalidNumber, (5, "-"), "`-` is not a JSON number, at byte 5"),
        ("a eq 1e", K::InvalidNumber, (5, "1e"), "`1e` is not a JSON number, at byte 5"),
        ("a eq 1e+", K::InvalidNumber, (5, "1e+"), "`1e+` is not a JSON number, at byte 5"),
        ("a eq 0x1f", K::InvalidNumber, (5, "0x1f"), "`0x1f` is not a JSON number, at byte 5"),
        ("a eq 1e309", K::NumberOutOfRange, (5, "1e309"), "the number `1e309` is out of range, at byte 5"),
        ("a eq \"x", K::UnterminatedString, (5, "\"x"), "the string has no closing quote, at byte 5"),
        ("a eq \"\\n\\", K::UnterminatedString, (5, "\"\\n\\"), "the string has no closing quote, at byte 5"),
        ("a eq \"\\x\"", K::InvalidEscape, (6, "\\x"), "`\\x` is not a JSON escape, at byte 6"),
        ("a eq \"\\é\"", K::InvalidEscape, (6, "\\é"), "`\\é` is not a JSON escape, at byte 6"),
        ("a eq \"\\😀\"", K::InvalidEscape, (6, "\\😀"), "`\\😀` is not a JSON escape, at byte 6"),
        ("a eq \"\\u12g4\"", K::InvalidEscape, (6, "\\u12"), "`\\u12` is not a JSON escape, at byte 6"),
        ("a eq \"\\u\"", K::InvalidEscape, (6, "\\u"), "`\\u` is not a JSON escape, at byte 6"),
        (
            "a eq \"\\ud800\"",
            K::LoneSurrogate,
            (6, "\\ud800"),
            "`\\ud800` is half of a surrogate pair, at byte 6",
        ),
        (
            "a eq \"\\udc00\"",
            K::LoneSurrogate,
            (6, "\\udc00"),
            "`\\udc00` is half of a surrogate pair, at byte 6",
        ),
        (
            "a eq \"\\ud800\\u0041\"",
            K::LoneSurrogate,
            (6, "\\ud800"),
            "`\\ud800` is half of a surrogate pair, at byte 6",
        ),
        (
            "a eq \"\\ud800\\ud800\"",
            K::LoneSurrogate,
            (6, "\\ud800"),
            "`\\ud800` is half of a surrogate pair, at byte 6",
        ),
        (
            "a eq \"x\ny\"",
            K::ControlCharacter,
            (7, "\n"),
            "a control character in a string must be escaped, at byte 7",
        ),
        (
            "a eq \"\\n\u{1f}\"",
            K::ControlCharacter,
            (8, "\u{1f}"),
            "a control character in a string must be escaped, at byte 8",
        ),
        // logExp and brackets
        ("a pr b pr", K::ExpectedLogic, (5, "b"), "expected `and`, `or` or the end, found `b`, at byte 5"),
        (
            "a pr andb pr",
            K::ExpectedLogic,
            (5, "andb"),
            "expected `and`, `or` or the end, found `andb`, at byte 5",
        ),
        ("a pr()", K::ExpectedLogic, (4, "("), "expected `and`, `or` or the end, found `(`, at byte 4"),
        ("a pr [b pr]", K::ExpectedLogic, (5, "["), "expected `and`, `or` or the end, found `[`, at byte 5"),
        (
            "a eq 1\t",
            K::ExpectedLogic,
            (6, "\t"),
            "expected `and`, `or` or the end, found `\u{fffd}`, at byte 6",
        ),
        (
            "a eq \"é\" ö",
            K::ExpectedLogic,
            (10, "ö"),
            "expected `and`, `or` or the end, found `ö`, at byte 10",
        ),
        (
            "a pr && b pr",
            K::ExpectedLogic,
            (5, "&&"),
            "expected `and`, `or` or the end, found `&&`, at byte 5",
        ),
        (
            "a pr || b pr",
            K::ExpectedLogic,
            (5, "||"),
            "expected `and`, `or` or the end, found `||`, at byte 5",
        ),
        (
            "a[b pr].c eq 1",
            K::ExpectedLogic,
            (7, ".c"),
            "expected `and`, `or` or the end, found `.c`, at byte 7",
        ),
        (
            "(a pr && b pr)",
            K::ExpectedLogicOrClose { bracket: ')' },
            (6, "&&"),
            "expected `and`, `or` or `)`, found `&&`, at byte 6",
        ),
        (
            "a[b pr x]",
            K::ExpectedLogicOrClose { bracket: ']' },
            (7, "x"),
            "expected `and`, `or` or `]`, found `x`, at byte 7",
        ),
        ("(a pr", K::Unclosed, (0, "("), "`(` is not closed, at byte 0"),
        ("b pr or not  (a pr", K::Unclosed, (8, "not  ("), "`not  (` is not closed, at byte 8"),
        ("a[b pr", K::Unclosed, (1, "["), "`[` is not closed, at byte 1"),
        ("((a pr)", K::Unclosed, (0, "("), "`(` is not closed, at byte 0"),
        ("a pr)", K::Unbalanced, (4, ")"), "`)` does not close a bracket, at byte 4"),
        ("a pr]", K::Unbalanced, (4, "]"), "`]` does not close a bracket, at byte 4"),
        ("(a pr]", K::Unbalanced, (5, "]"), "`]` does not close a bracket, at byte 5"),
        ("a[b pr)", K::Unbalanced, (6, ")"), "`)` does not close a bracket, at byte 6"),
        ("a[(b pr]", K::Unbalanced, (7, "]"), "`]` does not close a bracket, at byte 7"),
        ("a[b[c pr]]", K::NestedValueFilter, (3, "["), "a value filter cannot hold another one, at byte 3"),
        (
            "a[not (b[c pr])]",
            K::NestedValueFilter,
            (8, "["),
            "a value filter cannot hold another one, at byte 8",
        ),
    ]
}

#[test]
fn filters() {
    for case in filter_cases() {
        check(&case, &Filter::parse(case.0).unwrap_err());
    }
}

fn tight() -> ParseOptions {
    ParseOptions { limits: Limits { max_bytes: 20, max_depth: 2, max_terms: 2 }, ..Default::default() }
}

fn limit_cases() -> Vec<Case<'static>> {
    vec![
        (
            "userName eq \"bjensen\"",
            K::TooLong { limit: 20 },
            (20, "\""),
            "the filter is longer than 20 bytes",
        ),
        ("((not (a pr)))", K::TooDeep { limit: 2 }, (2, "not ("), "brackets nest deeper than 2, at byte 2"),
        ("((a[b pr]))", K::TooDeep { limit: 2 }, (3, "["), "brackets nest deeper than 2, at byte 3"),
        (
            "a pr or b pr or c pr",
            K::TooManyTerms { limit: 2 },
            (16, "c"),
            "the filter has more than 2 attribute expressions, at byte 16",
        ),
        ("x[a pr or b pr]or", K::ExpectedSpace, (15, "or"), "expected a space, found `or`, at byte 15"),
        ("aaaaaaaaaaaaaaaaaaaé", K::TooLong { limit: 20 }, (19, "é"), "the filter is longer than 20 bytes"),
    ]
}

#[test]
fn limits() {
    let options = tight();
    for case in limit_cases() {
        check(&case, &Filter::parse_with(case.0, &options).unwrap_err());
    }
    for text in ["((a pr))", "(a[b pr])", "a pr or b pr", "x[a pr or b pr]", "not (not (a pr))"] {
        assert!(Filter::parse_with(text, &options).is_ok(), "{text}");
    }
    assert!(PatchPath::parse_with("a[(b pr)]", &options).is_ok());
    let error = PatchPath::parse_with("a[((b pr))]", &options).unwrap_err();
    assert_eq!(error.to_string(), "brackets nest deeper than 2, at byte 3");
    let error = PatchPath::parse_with("a[b pr and c pr or d]", &options).unwrap_err();
    assert_eq!(error.to_string(), "the path is longer than 20 bytes");
}

fn path_cases() -> Vec<Case<'static>> {
    vec![
        ("", K::Empty, (0, ""), "the path is empty"),
        (".", K::ExpectedAttribute, (0, "."), "expected an attribute, found `.`, at byte 0"),
        (".a", K::ExpectedAttribute, (0, ".a"), "expected an attribute, found `.a`, at byte 0"),
        ("a.", K::InvalidAttribute, (0, "a."), "`a.` is not an attribute path, at byte 0"),
        ("urn:x:.", K::InvalidAttribute, (0, "urn:x:."), "`urn:x:.` is not an attribute path, at byte 0"),
        ("urn:x:.a", K::InvalidAttribute, (0, "urn:x:.a"), "`urn:x:.a` is not an attribute path, at byte 0"),
        ("a[].b", K::ExpectedAttribute, (2, "]"), "expected an attribute, found `]`, at byte 2"),
        ("a[b pr].", K::ExpectedAttribute, (8, ""), "expected an attribute, found the end, at byte 8"),
        ("a[b pr].1", K::InvalidAttribute, (8, "1"), "`1` is not an attribute path, at byte 8"),
        ("a[b pr].c.d", K::ExpectedEnd, (9, ".d"), end!(".d", 9)),
        ("a[b pr].urn:x:y", K::ExpectedEnd, (11, ":x:y"), end!(":x:y", 11)),
        ("a[b pr],", K::ExpectedEnd, (7, ","), end!(",", 7)),
        ("a[b pr][c pr]", K::ExpectedEnd, (7, "["), end!("[", 7)),
        ("a]", K::ExpectedEnd, (1, "]"), end!("]", 1)),
        ("a b", K::ExpectedEnd, (2, "b"), end!("b", 2)),
        ("a pr and b pr", K::ExpectedEnd, (5, "and"), end!("and", 5)),
        ("a[b pr", K::Unclosed, (1, "["), "`[` is not closed, at byte 1"),
        ("a[b[c pr]]", K::NestedValueFilter, (3, "["), "a value filter cannot hold another one, at byte 3"),
        (
            "urn:x:2.0 pr",
            K::InvalidAttribute,
            (0, "urn:x:2.0"),
            "`urn:x:2.0` is not an attribute path, at byte 0",
        ),
    ]
}

#[test]
fn paths() {
    for case in path_cases() {
        check(&case, &PatchPath::parse(case.0).unwrap_err());
    }
}

/// The variants of an enum, read from the source that declares it.
fn variants<'s>(source: &'s str, name: &str) -> BTreeSet<&'s str> {
    let (_, body) = source.split_once(&format!("pub enum {name} {{")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    body.lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| line.trim_end_matches([',', '{', ' ']))
        .collect()
}

/// The variant's name, without its fields.
fn variant(kind: &impl std::fmt::Debug) -> String {
    format!("{kind:?}").split(' ').next().unwrap().to_owned()
}

/// What `matches_slice` says of texts that are no resources.
fn text_cases() -> Vec<(String, J, String)> {
    let cases = [
        ("{\"active\": tru}", J::NotJson, "the resource is not JSON, at byte 11"),
        ("[]", J::NotAnObject, "the resource is not an object, at byte 0"),
        ("{\"active\": 1e999}", J::NumberOutOfRange, "a number is out of range, at byte 11"),
    ];
    cases.map(|(text, kind, message)| (text.to_owned(), kind, message.to_owned())).into()
}

#[test]
fn resources_as_text() {
    let filter = Filter::parse("active eq true").unwrap();
    let filter = filter.bind(&common::USER, &BindOptions::default()).unwrap();
    for (text, kind, message) in text_cases() {
        let error = filter.matches_slice(text.as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (kind, message), "of {text}");
    }
}

#[test]
fn every_kind_is_asserted() {
    let declared = variants(include_str!("../src/error.rs"), "ParseErrorKind");
    let cases = [filter_cases(), path_cases(), limit_cases()].concat();
    let asserted: BTreeSet<String> = cases.iter().map(|case| variant(&case.1)).collect();
    assert!(asserted.iter().eq(&declared), "{declared:?} and asserted {asserted:?}");

    let declared = variants(include_str!("../src/json_text.rs"), "JsonTextErrorKind");
    let asserted: BTreeSet<String> = text_cases().iter().map(|case| variant(&case.1)).collect();
    assert!(asserted.iter().eq(&declared), "{declared:?} and asserted {asserted:?}");

    let declared = variants(include_str!("../src/bind_error.rs"), "BindErrorKind");
    let asserted: BTreeSet<String> = bind_cases().iter().map(|case| variant(&case.1)).collect();
    assert!(asserted.iter().eq(&declared), "{declared:?} and asserted {asserted:?}");
}

#[test]
fn long_names_are_quoted_with_their_end() {
    let said = |text: &str| bind(text).to_string();
    let uri = "urn:ietf:params:scim:schemas:core:2.0:User";
    assert_eq!(
        said(&format!("{uri}:nickNameX eq 1")),
        format!("`{uri}:nickNameX` is not an attribute of the resource type, at byte 0")
    );
    let long = format!("{uri}:{}X", "y".repeat(200));
    assert_eq!(
        said(&format!("{long} pr")),
        format!("`{}…{}X` is not an attribute of the resource type, at byte 0", &uri[..40], "y".repeat(79))
    );
}

#[test]
fn carets() {
    let caret = |text: &str| Filter::parse(text).unwrap_err().caret(text).to_string();
    assert_eq!(caret("naïve == 1"), "naïve == 1\n  ^^^ expected `pr` or a comparison operator, found `ïve`");
    assert_eq!(caret("a eq"), format!("a eq\n    ^ {}", value!(", found the end")));
    assert_eq!(
        caret("a eq \"\u{1}\""),
        "a eq \"\u{fffd}\"\n      ^ a control character in a string must be escaped"
    );
    // A long text is cut around the place.
    let long = format!("{} eq x{}", "a".repeat(100), "y".repeat(100));
    let drawn = caret(&long);
    let lines: Vec<_> = drawn.lines().collect();
    assert_eq!(lines.len(), 2);
    let column = lines[1].chars().take_while(|c| *c == ' ').count();
    assert_eq!(lines[0].chars().nth(column), Some('x'));
    assert!(lines[0].starts_with('…') && lines[0].ends_with('…') && lines[0].chars().count() <= 122);
    assert!(lines[1].contains(&format!("found `x{}…`", "y".repeat(39))), "{drawn}");
}

fn bind(text: &str) -> BindError {
    Filter::parse(text).unwrap().bind(&common::USER, &BindOptions::default()).unwrap_err()
}

/// Filter, kind, the piece of it the span covers, text.
type BindCase = (&'static str, BindErrorKind, &'static str, &'static str);

fn bind_cases() -> Vec<BindCase> {
    let not_allowed = |op, kind| B::OperatorNotAllowed { op, kind };
    vec![
        (
            "urn:x:y eq 1",
            B::UnknownSchema,
            "urn:x",
            "`urn:x` is not a schema of the resource type, at byte 0",
        ),
        (
            "nope eq 1",
            B::UnknownAttribute,
            "nope",
            "`nope` is not an attribute of the resource type, at byte 0",
        ),
        (
            "emails.nope eq 1",
            B::UnknownSubAttribute,
            "nope",
            "`nope` is not a sub-attribute of `emails`, at byte 7",
        ),
        (
            "emails[nope eq 1]",
            B::UnknownSubAttribute,
            "nope",
            "`nope` is not a sub-attribute of `emails`, at byte 7",
        ),
        (
            "title pr and password pr",
            B::Sensitive,
            "password",
            "`password` cannot be used in a filter, at byte 13",
        ),
        (
            "name eq \"x\"",
            B::NeedsSubAttribute,
            "name",
            "`name` is complex and compares only by a sub-attribute, at byte 0",
        ),
        ("title[value pr]", B::NotFilterable, "title", "`title` takes no value filter, at byte 0"),
        (
            "active gt true",
            not_allowed(CompareOp::Gt, T::Boolean),
            "gt",
            "`gt` does not apply to `active`, which is boolean, at byte 7",
        ),
        (
            "active  eq  \"yes\" or title pr",
            B::TypeMismatch { kind: T::Boolean },
            "\"yes\"",
            "`\"yes\"` does not compare with `active`, which is boolean, at byte 12",
        ),
    ]
}

#[test]
fn binding() {
    for (text, kind, piece, message) in bind_cases() {
        let error = bind(text);
        assert_eq!(*error.kind(), kind, "of `{text}`");
        assert_eq!(&text[error.span()], piece, "of `{text}`");
        assert_eq!(error.to_string(), message, "of `{text}`");
    }
    let text = "title pr and password pr";
    assert_eq!(
        bind(text).caret(text).to_string(),
        "title pr and password pr\n             ^^^^^^^^ `password` cannot be used in a filter"
    );
    assert!(
        B::UnknownSchema.is_unknown()
            && B::UnknownAttribute.is_unknown()
            && B::UnknownSubAttribute.is_unknown()
    );
    assert!(!B::Sensitive.is_unknown());
}
