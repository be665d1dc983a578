//! What is compared and walked in words and blocks of bytes is so at every place of them.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use scim_filter::compare::{Collation, fold, holds};
use scim_filter::{AttributeType, BindOptions, BoundFilter, CompareOp, Filter, Scalar};
use serde_json::Value;

fn caseless(left: &str, op: CompareOp, right: &str) -> bool {
    let text = Collation { kind: AttributeType::String, case_exact: false };
    holds(text, Scalar::String(left), op, Scalar::String(right))
}

/// Every operator of two texts is that of their folded forms.
fn check(left: &str, right: &str) {
    let (a, b) = (fold(left), fold(right));
    for (op, expected) in [
        (CompareOp::Eq, a == b),
        (CompareOp::Co, a.contains(&*b)),
        (CompareOp::Sw, a.starts_with(&*b)),
        (CompareOp::Ew, a.ends_with(&*b)),
        (CompareOp::Gt, a > b),
        (CompareOp::Le, a <= b),
    ] {
        assert_eq!(caseless(left, op, right), expected, "{left:?} {op} {right:?}");
    }
}

#[test]
fn letters_alone_have_two_cases() {
    for left in 0..128_u8 {
        for right in 0..128_u8 {
            let (left, right) = (char::from(left), char::from(right));
            let same = left.eq_ignore_ascii_case(&right);
            for (before, behind) in [(0, 0), (0, 7), (3, 4), (7, 0), (8, 0), (7, 8)] {
                let around = |c: char| format!("{}{c}{}", "Z".repeat(before), "@".repeat(behind));
                assert_eq!(
                    caseless(&around(left), CompareOp::Eq, &around(right)),
                    same,
                    "{left:?} {right:?}"
                );
            }
        }
    }
}

#[test]
fn characters_beyond_ascii_at_every_place() {
    for before in 0..18 {
        for behind in [0, 1, 7, 8, 9] {
            let around = |c: &str| format!("{}{c}{}", "xY".repeat(before), "z".repeat(behind));
            for left in ["É", "é", "E", "ß", "ss", "ẞ", "\u{212a}", "k", "Ⱥ", "ⱥ", ""] {
                for right in ["É", "e", "ß", "SS", "K", "ⱥ", ""] {
                    check(&around(left), &around(right));
                    check(&around(left), right);
                }
            }
        }
    }
}

#[test]
fn one_text_in_another_at_every_place() {
    for length in 0..24 {
        for at in 0..=length {
            let text = format!("{}Ab.C{}", "a".repeat(at), "b".repeat(length - at));
            for key in ["ab.c", "aB", "b.cb", "aab.c", "ab.ca", "a", "c", ".", "bb", "aaaaaaaab.c", ""] {
                check(&text, key);
                check(&format!("{text}é"), key);
            }
        }
    }
    // Nearly what is looked for again and again, and at the end it is there, or not.
    for times in [1, 10, 100, 1_000] {
        let near = "aaaaaaab".repeat(times);
        check(&near, "aaaaaaaa");
        check(&format!("{near}aaaaaaaa"), "AAAAAAAA");
        check(&format!("{near}É"), "aaaaaaaa");
    }
}

#[test]
fn long_text_beyond_ascii() {
    for length in (250..260).chain(500..520).chain([1_000]) {
        let text = format!("{}ßÉ", "x".repeat(length));
        check(&text, "ssé");
        check(&text, "é");
        check(&text, "xss");
        check(&text, "xé");
        check(&format!("É{}", "x".repeat(length)), "éx");
        check(&"é".repeat(length / 2), &"É".repeat(length / 2));
    }
}

fn bound(text: &str) -> BoundFilter {
    Filter::parse(text).unwrap().bind(&common::USER, &BindOptions::default()).unwrap()
}

/// Of a text what is of its tree.
fn same_as_of_the_tree(filter: &BoundFilter, text: &str) -> bool {
    let tree: Value = serde_json::from_str(text).unwrap();
    let expected = filter.matches::<Value>(tree.as_object().unwrap());
    assert_eq!(filter.matches_slice(text.as_bytes()), Ok(expected), "{text}");
    expected
}

#[test]
fn members_at_every_place() {
    let filter = bound("title eq \"x\"");
    for before in 0..140 {
        for behind in [0, 1, 2, 5, 30, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 60, 100] {
            let (before, behind) = ("n".repeat(before), "m".repeat(behind));
            for (value, expected) in [("\"x\"", true), ("\"y\"", false)] {
                for space in ["", " "] {
                    let text = format!(
                        "{{\"a\":\"{before}\",\"title\"{space}:{space}{value},\"{behind}zz\":[{{\"title\":\"x\"}}]}}"
                    );
                    assert_eq!(same_as_of_the_tree(&filter, &text), expected);
                }
            }
        }
    }
}

/// What ends a number or a bracket does not end a string.
#[test]
fn elements_are_passed_over_whole() {
    let filter = bound("aliases eq \"x\" or emails[value eq \"x\"]");
    let elements = [
        "\"a,b\"",
        "\"a]b\"",
        "\"a}b\"",
        "\"a b\"",
        "\"\\\"\"",
        "\"\\\\\"",
        "\"a\\\",\\\"x\"",
        "\"\"",
        "1",
        "-0.5e+1",
        "true",
        "null",
        "[\"x]\"]",
        "[[\"x\"]]",
        "{\"a\":\"x]\"}",
        "{\"a\":{\"value\":\"x\"}}",
        "{}",
        "[]",
    ];
    for one in elements {
        for other in elements {
            for (last, expected) in
                [("\"x\"", true), ("\"X\"", true), ("\"y\"", false), ("{\"value\":\"x\"}", true)]
            {
                for name in ["aliases", "emails"] {
                    let text = format!("{{\"{name}\":[{one},{other} , {last}]}}");
                    let holds = same_as_of_the_tree(&filter, &text);
                    assert_eq!(holds, expected && (name == "emails" || !last.starts_with('{')), "{text}");
                }
            }
        }
    }
}

#[test]
fn many_attributes_and_those_of_a_value_behind_them() {
    let names = [
        "id",
        "externalId",
        "userName",
        "title",
        "userType",
        "active",
        "logins",
        "score",
        "photo",
        "name",
        "meta",
        "roles",
        "rooms",
        "ims",
        "schemas",
        "aliases",
        "name.familyName",
        "name.givenName",
    ];
    let absent = names.map(|name| format!("not ({name} pr)")).join(" and ");
    let filter = bound(&format!(
        "{absent} and emails[value eq \"x\" and type eq \"y\" and display pr and primary eq true]"
    ));
    let element = |display: &str| {
        format!("{{\"display\":\"{display}\",\"primary\":true,\"type\":\"Y\",\"value\":\"X\"}}")
    };
    for (display, expected) in [("d", true), ("", false)] {
        let text = format!("{{\"emails\":[{{}},{},{{}}]}}", element(display));
        assert_eq!(same_as_of_the_tree(&filter, &text), expected);
    }
    assert!(!same_as_of_the_tree(&filter, &format!("{{\"title\":\"t\",\"emails\":[{}]}}", element("d"))));
}
