//! What parsing reserves beforehand: enough that little is allocated again, and not much more. And that
//! text is searched where it stands.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use allocation_counter::measure;
use scim_filter::{BindOptions, Filter};
use serde_json::{Value, json};

/// How often parsing `text` allocates, and how many bytes it holds at most for each of the text.
fn cost(text: &str) -> (u64, u64) {
    let info = measure(|| drop(Filter::parse(text).unwrap()));
    (info.count_total, info.bytes_max.div_ceil(text.len() as u64))
}

#[test]
fn brackets_of_one_term_reserve_nothing() {
    assert_eq!(cost("title pr"), (1, 1));
    assert_eq!(cost("(title pr)"), (1, 1));
    assert_eq!(cost(" ( title pr ) "), (1, 1));
    assert_eq!(cost("not (title pr)").0, 2);
    assert_eq!(cost("emails[type pr]").0, 2);
}

#[test]
fn brackets_are_reserved_in_one_piece() {
    let nested = |depth: usize| format!("{}title pr{}", "(".repeat(depth), ")".repeat(depth));
    for depth in [2, 10, 33] {
        assert_eq!(cost(&nested(depth)).0, 2, "{depth}");
    }
    assert_eq!(cost(&nested(64)).0, 3);
}

#[test]
fn nodes_are_reserved_by_the_length_of_the_text() {
    for terms in [2, 3, 8, 64, 500] {
        let text = vec!["id eq \"2819c223-7f76-453a-919d-413861904646\""; terms].join(" or ");
        let (count, share) = cost(&text);
        assert_eq!(count, 2, "{terms}");
        // Few terms have room for some more, as a filter of two may turn out to have five.
        assert!(share <= if terms < 8 { 4 } else { 3 }, "{share} for {terms}");
    }
}

#[test]
fn strings_without_their_escapes_are_reserved_once() {
    for terms in [1, 2, 64] {
        let text = vec!["title eq \"Tour\\u0020Guide\""; terms].join(" or ");
        let (count, share) = cost(&text);
        let nodes = u64::from(terms > 1);
        // What is kept in the end is shortened to what it needs.
        assert_eq!(count, 2 + nodes, "{terms}");
        assert!(share <= 8, "{share} for {terms}");
    }
    let (count, share) = cost(&format!("title eq \"x{}\"", "\\n".repeat(2_000)));
    assert!(count == 2 && share <= 4, "{count}, {share}");
}

/// Long ASCII text is searched as it stands, and short text beyond it is folded on the stack.
#[test]
fn searching_allocates_nothing() {
    let long = "The Quick Brown Fox. ".repeat(100);
    for (title, key, holds) in [
        (long.as_str(), "FOX. the q", true),
        (&long, "fox.the", false),
        (&long, ". the quick brown fox. THE", true),
        (&format!("{long}Jumps"), "FOX. jumps", true),
        ("Straße der Jugend", "STRASSE", true),
        ("Straße der Jugend", "strase", false),
        ("ÅNGSTRÖM", "ström", true),
    ] {
        let filter = Filter::parse(&format!("title co \"{key}\"")).unwrap();
        let filter = filter.bind(&common::USER, &BindOptions::default()).unwrap();
        let resource = json!({ "title": title });
        let object = resource.as_object().unwrap();
        let mut held = false;
        let count = measure(|| held = filter.matches::<Value>(object)).count_total;
        assert_eq!((held, count), (holds, 0), "{key}");
    }
}

/// The byte that is no UTF-8, and not the string it is in.
#[test]
fn broken_utf_8_is_found_where_it_is() {
    let filter = Filter::parse("title eq \"x\"").unwrap();
    let filter = filter.bind(&common::USER, &BindOptions::default()).unwrap();
    let error = filter.matches_slice(b"{\"title\": \"ab\xff\"}").unwrap_err();
    assert_eq!(error.position(), 13);
}
