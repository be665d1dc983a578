//! Hostile text: linear time, bounded memory, and no recursion anywhere.

#![expect(clippy::string_slice, clippy::unwrap_used, reason = "a test")]

mod common;

use std::time::{Duration, Instant};

use scim_filter::{
    BindOptions, BoundExpr, BoundFilter, Expr, Filter, Limits, ParseErrorKind, ParseOptions, PatchPath,
};
use serde_json::{Value, json};

const MILLION: usize = 1_000_000;

fn raised() -> ParseOptions {
    let limits = Limits { max_bytes: 64 * MILLION, max_depth: MILLION, max_terms: MILLION };
    ParseOptions { limits, ..Default::default() }
}

/// Runs on a stack that a recursion of some hundreds of levels would overflow.
fn on_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(128 * 1024).spawn(test).unwrap().join().unwrap();
}

/// Well above what linear work on 10 MB takes in a debug build on a busy machine, well below what
/// quadratic work would take on any.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn ten_megabytes_of_anything_are_refused_in_linear_time() {
    on_small_stack(|| {
        let repeat = |piece: &str| piece.repeat(10 * MILLION / piece.len());
        let too_deep = ParseErrorKind::TooDeep { limit: MILLION };
        for (text, kind) in [
            (repeat("("), too_deep),
            (repeat("not ("), too_deep),
            (repeat("a pr or "), ParseErrorKind::TooManyTerms { limit: MILLION }),
            (repeat("a["), ParseErrorKind::NestedValueFilter),
            (repeat("a[("), ParseErrorKind::NestedValueFilter),
            (format!("a[{}", repeat("(")), too_deep),
            (format!("a eq \"{}", repeat("x")), ParseErrorKind::UnterminatedString),
            (format!("a eq \"{}", repeat("\\n")), ParseErrorKind::UnterminatedString),
            (format!("a eq \"{}", repeat("\\u00e9")), ParseErrorKind::UnterminatedString),
            (repeat("a"), ParseErrorKind::ExpectedOperator),
            (repeat("a."), ParseErrorKind::InvalidAttribute),
            (repeat("a:"), ParseErrorKind::InvalidAttribute),
            (repeat("a:%41"), ParseErrorKind::InvalidAttribute),
            (format!("a eq {}", repeat("1")), ParseErrorKind::NumberOutOfRange),
            (repeat(" "), ParseErrorKind::Empty),
            (format!("a{}", repeat(" ")), ParseErrorKind::ExpectedOperator),
            (format!("a eq {}", repeat("x")), ParseErrorKind::ExpectedValue),
        ] {
            let start = Instant::now();
            let error = Filter::parse_with(&text, &raised()).unwrap_err();
            assert_eq!(*error.kind(), kind, "of {}…", &text[..20]);
            assert!(error.caret(&text).to_string().len() < 1_000);
            let _ = PatchPath::parse_with(&text, &raised());
            assert!(start.elapsed() < PATIENCE, "{:?} for {}…", start.elapsed(), &text[..20]);

            let start = Instant::now();
            let error = Filter::parse(&text).unwrap_err();
            assert_eq!(*error.kind(), ParseErrorKind::TooLong { limit: 65_536 });
            assert!(start.elapsed() < Duration::from_secs(1));
        }
    });
}

/// Does everything one can do with a filter; returns the bound one.
fn everything(text: &str) -> BoundFilter {
    let start = Instant::now();
    let filter = Filter::parse_with(text, &raised()).unwrap();
    let print = filter.to_string();
    let again = Filter::parse_with(&print, &raised()).unwrap();
    assert!(filter == again);
    let copy = filter.clone();
    drop(filter);
    assert_eq!(copy.to_string().len(), print.len());
    let bound = copy.bind(&common::USER, &BindOptions::default()).unwrap();
    drop(copy);
    let copy = bound.clone();
    drop(bound);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    copy
}

fn matches(filter: &BoundFilter, resource: &Value) -> bool {
    filter.matches::<Value>(resource.as_object().unwrap())
}

#[test]
fn a_million_levels() {
    on_small_stack(|| {
        let (with, without) = (json!({"title": "x", "active": true}), json!({"active": true}));

        let filter = everything(&format!("{}title pr{}", "(".repeat(MILLION), ")".repeat(MILLION)));
        assert!(matches(&filter, &with) && !matches(&filter, &without));

        let filter = everything(&format!("{}title pr{}", "not (".repeat(MILLION), ")".repeat(MILLION)));
        assert!(matches(&filter, &with) && !matches(&filter, &without));
        let filter =
            everything(&format!("{}title pr{}", "not (".repeat(MILLION - 1), ")".repeat(MILLION - 1)));
        assert!(!matches(&filter, &with) && matches(&filter, &without));

        // Alternating joins that nest to the right, and to the left.
        let half = MILLION / 2 - 1;
        let right =
            format!("{}title pr{}", "active pr and (title pr or (".repeat(half / 2), "))".repeat(half / 2));
        let filter = everything(&right);
        assert!(matches(&filter, &with));
        let left =
            format!("{}title pr{}", "((".repeat(half / 2), " or title pr) and active pr)".repeat(half / 2));
        let filter = everything(&left);
        assert!(matches(&filter, &with) && !matches(&filter, &without));
        let mut depth = 0;
        let mut expr = filter.expr();
        while let BoundExpr::And(mut terms) | BoundExpr::Or(mut terms) = expr {
            expr = terms.next().unwrap().expr();
            depth += 1;
        }
        assert_eq!(depth, half / 2 * 2);

        let deep = format!("emails[{}type pr{}]", "not (".repeat(MILLION - 1), ")".repeat(MILLION - 1));
        let filter = everything(&deep);
        assert!(!matches(&filter, &json!({"emails": [{"type": "work"}]})));
        let path = PatchPath::parse_with(&deep, &raised()).unwrap();
        assert!(path.clone() == path && path.to_string() == deep);
        let bound = path.bind(&common::USER, &BindOptions::default()).unwrap();
        assert!(!bound.filter.unwrap().matches_value(&json!({"type": "work"})));
    });
}

#[test]
fn a_million_terms() {
    on_small_stack(|| {
        let filter = everything(&vec!["title pr"; MILLION].join(" or "));
        assert!(matches(&filter, &json!({"title": "x"})) && !matches(&filter, &json!({})));
        let filter = everything(&vec!["title pr"; MILLION].join(" and "));
        assert!(matches(&filter, &json!({"title": "x"})) && !matches(&filter, &json!({})));
        let filter = everything(&vec!["emails[type eq \"\\n\"]"; MILLION / 4].join(" or "));
        assert!(!matches(&filter, &json!({})));
    });
}

#[test]
fn the_defaults_admit_what_is_sent() {
    let ids = (0..1000).map(|id| format!("value eq \"{id:036}\"")).collect::<Vec<_>>().join(" or ");
    assert!(PatchPath::parse(&format!("members[{ids}]")).is_ok());
    let nested = format!("{}a pr{}", "(".repeat(64), ")".repeat(64));
    assert!(Filter::parse(&nested).is_ok());
    assert!(Filter::parse(&format!("({nested})")).is_err());
}

#[test]
fn work_of_a_comparison_is_linear() {
    // Each of these would take minutes if it were the product of the two lengths.
    let schema = &common::USER;
    let ascii = "a".repeat(MILLION);
    let beyond = "é".repeat(MILLION / 2);
    let start = Instant::now();
    for value in [&ascii, &beyond] {
        let resource = json!({"title": value, "externalId": value});
        for needle in [format!("{}b", "a".repeat(60_000)), format!("{}ê", "é".repeat(30_000))] {
            for op in ["co", "sw", "ew", "eq", "gt", "le"] {
                for attribute in ["title", "externalId"] {
                    let text = format!("{attribute} {op} \"{needle}\"");
                    let filter = Filter::parse(&text).unwrap().bind(schema, &BindOptions::default()).unwrap();
                    matches(&filter, &resource);
                }
            }
        }
    }
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

#[test]
fn types_are_send_and_sync() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Filter>();
    check::<PatchPath>();
    check::<BoundFilter>();
    check::<scim_filter::BoundPath>();
    check::<scim_filter::ParseError>();
    check::<scim_filter::BindError>();
    fn view<T: Copy + Send + Sync>(_: T) {}
    let filter = Filter::parse("a pr").unwrap();
    view::<Expr<'_>>(filter.expr());
}
