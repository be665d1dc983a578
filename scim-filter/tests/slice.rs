//! Evaluation on JSON text says what evaluation on its tree says.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::fmt::Write as _;

use common::model;
use proptest::prelude::*;
use scim_filter::{BindOptions, BoundFilter, Filter, JsonTextErrorKind};
use serde_json::Value;

fn bound(text: &str) -> BoundFilter {
    Filter::parse(text).unwrap().bind(&common::USER, &BindOptions::default()).unwrap()
}

/// A number that differs with each call, from a seed.
fn dice(mut seed: u64) -> impl FnMut(u64) -> u64 {
    move |sides| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % sides
    }
}

/// Writes `value` with white space and escapes where the dice say so.
fn write(value: &Value, dice: &mut dyn FnMut(u64) -> u64, text: &mut String) {
    fn space(dice: &mut dyn FnMut(u64) -> u64, text: &mut String) {
        text.push_str(["", "", "", "", " ", "\n", "\t ", "\r\n"][dice(8) as usize]);
    }
    fn string(plain: &str, dice: &mut dyn FnMut(u64) -> u64, text: &mut String) {
        text.push('"');
        let escape_all = dice(4) == 0;
        for c in plain.chars() {
            match c {
                '/' if escape_all => text.push_str("\\/"),
                '"' | '\\' => text.extend(['\\', c]),
                '\n' => text.push_str("\\n"),
                c if c < ' ' || escape_all && dice(3) == 0 => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(text, "\\u{unit:04x}").unwrap();
                    }
                }
                c => text.push(c),
            }
        }
        text.push('"');
    }
    space(dice, text);
    match value {
        Value::String(plain) => string(plain, dice, text),
        Value::Array(elements) => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(element, dice, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                space(dice, text);
                string(name, dice, text);
                space(dice, text);
                text.push(':');
                write(member, dice, text);
            }
            space(dice, text);
            text.push('}');
        }
        other => text.push_str(&other.to_string()),
    }
    space(dice, text);
}

/// Text that comes near JSON.
fn nearly() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(
        &[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            " ",
            "\"a\"",
            "\"a\":",
            "\"title\":",
            "\"title\":1",
            "\"x\"",
            "\"\\n\"",
            "\"\\u00e9\"",
            "\"\\ud800\"",
            "\"\\q\"",
            "\"",
            "\\",
            "1",
            "-0",
            "01",
            "1.",
            // No exponent that grows beyond binary64 with what comes behind it.
            "1e-5",
            "-",
            "true",
            "false",
            "null",
            "nul",
            "{}",
            "[]",
            "{\"a\":[",
            "]}",
            "\u{1}",
            "\"\t\"",
            "é",
        ][..],
    );
    let pieces = || proptest::collection::vec(piece.clone(), 0..7).prop_map(|pieces| pieces.concat());
    prop_oneof![
        pieces(),
        pieces().prop_map(|text| format!("{{\"a\":{text}}}")),
        pieces().prop_map(|text| format!("{{{text}}}"))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_selects_what_its_tree_does(model in model::model(), resource in model::resource(), seed in any::<u64>()) {
        let filter = bound(&model.text(&mut || false));
        let mut text = String::new();
        write(&resource, &mut dice(seed), &mut text);
        prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &resource);
        let expected = filter.matches::<Value>(resource.as_object().unwrap());
        prop_assert_eq!(filter.matches_slice(text.as_bytes()), Ok(expected), "`{}`", text);
    }

    #[test]
    fn what_a_tree_can_be_made_of_is_read_like_it(text in nearly(), model in model::model()) {
        for filter in [bound("title pr"), bound(&model.text(&mut || false))] {
            let found = filter.matches_slice(text.as_bytes());
            match serde_json::from_str::<Value>(&text) {
                Ok(Value::Object(tree)) if !repeats(&text) => {
                    prop_assert_eq!(found, Ok(filter.matches::<Value>(&tree)), "`{}`", text);
                }
                Ok(Value::Object(_)) | Err(_) => {
                    prop_assert!(found.err().is_none_or(|error| error.position() <= text.len()), "`{}`", text);
                }
                Ok(_) => {
                    let kind = found.map_err(|error| error.kind());
                    prop_assert_eq!(kind, Err(JsonTextErrorKind::NotAnObject), "`{}`", text);
                }
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), broken in any::<(usize, u8)>()) {
        let filter = bound("emails[type eq \"work\"] and name.familyName pr");
        let _ = filter.matches_slice(&bytes);
        // Nearly an object.
        let mut text = br#"{"id": "\\\"", "emails": [{"value": "x", "type": "work"}, {}], "name": {"familyName": "\u00e9"}}"#.to_vec();
        let at = broken.0 % text.len();
        text[at] = broken.1;
        if let Err(error) = filter.matches_slice(&text) {
            prop_assert!(error.position() <= text.len());
        }
        if let Err(error) = filter.matches_slice(&text[..at]) {
            prop_assert!(error.position() <= at);
        }
    }
}

/// Whether an object of the pieces in [`nearly`] has a name twice, which a tree does not show.
fn repeats(text: &str) -> bool {
    ["\"a\"", "\"title\"", "\"x\"", "\"\\n\"", "\"\\u00e9\""]
        .iter()
        .any(|name| text.matches(name).count() > 1)
}

#[test]
fn errors_say_what_and_where() {
    let filter = bound("title eq \"x\" or emails[value eq \"y\"]");
    for (text, message) in [
        ("", "the resource is not JSON, at byte 0"),
        ("{", "the resource is not JSON, at byte 1"),
        ("x", "the resource is not JSON, at byte 0"),
        ("{\"title\": \"y\"", "the resource is not JSON, at byte 13"),
        ("{\"title\": tru}", "the resource is not JSON, at byte 10"),
        ("{\"title\": x}", "the resource is not JSON, at byte 10"),
        ("{\"title\": \"x}", "the resource is not JSON, at byte 13"),
        ("{\"title\": \"\\x\"}", "the resource is not JSON, at byte 11"),
        ("{\"title\": [1 2]}", "the resource is not JSON, at byte 13"),
        ("{\"emails\": [1,,2]}", "the resource is not JSON, at byte 14"),
        ("[]", "the resource is not an object, at byte 0"),
        (" \"title\"", "the resource is not an object, at byte 1"),
    ] {
        let error = filter.matches_slice(text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message, "{text}");
        assert!(error.position() <= text.len());
    }
    assert_eq!(filter.matches_slice(b"{\"title\": \"\xff\"}").unwrap_err().position(), 11);
}

#[test]
fn the_text_is_read_as_far_as_the_answer_takes() {
    let filter = bound("title eq \"x\"");
    for text in [
        "{\"title\": \"x\"",
        "{\"title\": \"x\",}",
        "{\"title\": \"x\"} {}",
        "{\"a\": nul, \"title\": \"x\"",
        "{\"title\": \"x\", \"a\": ]",
        "{\"title\": \"x\", \"Title\": \"y\"}",
    ] {
        assert_eq!(filter.matches_slice(text.as_bytes()), Ok(true), "{text}");
    }
    // Whichever term comes first in the text may decide.
    for (text, decided) in
        [("userName pr and title eq \"x\"", false), ("userName eq \"x\" or title ne \"x\"", true)]
    {
        assert_eq!(bound(text).matches_slice(b"{\"title\": \"y\", "), Ok(decided), "{text}");
        assert!(bound(&format!("not ({text})")).matches_slice(b"{\"title\": \"y\", ").is_err(), "{text}");
    }
    assert_eq!(filter.matches_slice(b"{\"TITLE\": \"y\", \"title\": \"x\"}"), Ok(false));
    assert_eq!(filter.matches_slice(b"{\"a\": \"title\", \"b\": {\"title\": \"x\"}}"), Ok(false));
}

#[test]
fn quotes_and_brackets_in_strings_are_none() {
    let filter = bound("title eq \"x\"");
    // With the escapes at every place of a block, and across its end.
    for length in 0..140 {
        for held in [r#"\""#, r"\\", r#"\\\""#, r#"{\"}:["#, "{", "]]", ":", "é{", r#"\\\\\":{"#] {
            let text = format!(
                r#"{{"a": "{}{held}{}", "title": "x", "b": {{"#,
                "n".repeat(length),
                "m".repeat(length / 2)
            );
            assert_eq!(filter.matches_slice(text.as_bytes()), Ok(true), "{text}");
            let text =
                format!(r#"{{"{}{held}": [{{"title": "y{held}"}}], "TITLE" : "X"}}"#, "n".repeat(length));
            assert_eq!(filter.matches_slice(text.as_bytes()), Ok(true), "{text}");
        }
    }
}

#[test]
fn a_name_is_all_between_its_quotes() {
    let filter = bound("title eq \"x\"");
    // Between a quote and `title`: what makes it another name, however it looks.
    for before in [r#"\""#, r#"\\\""#, r#"\\\\\""#, r#"a\"b\""#, r"\\", "a", ":", r#"\":\""#, "é"] {
        let text = format!(r#"{{"{before}title":"x","{before}Title" : "x"}}"#);
        assert_eq!(filter.matches_slice(text.as_bytes()), Ok(false), "{text}");
        let text = format!(r#"{{"{before}title":"y","{before}":"y","TITLE" : "x"}}"#);
        assert_eq!(filter.matches_slice(text.as_bytes()), Ok(true), "{text}");
    }
    // The first member, and a short one, have no text before them to be compared at once.
    for (text, holds) in [(r#"{"title":"x"}"#, true), (r#"{"itle":"x"}"#, false), (r#"{"":"x"}"#, false)] {
        assert_eq!(filter.matches_slice(text.as_bytes()), Ok(holds), "{text}");
    }
}

#[test]
fn names_and_values_may_be_escaped() {
    let filter = bound("emails[type eq \"work\" and value co \"\\n\"]");
    let text = br#"{"\u0065MAILS": [{"\u0074ype": "\u0077ork", "val\u0075e\\": "\n", "va\/lue": "\n", "val\u0075e": "a\nb"}]}"#;
    assert_eq!(filter.matches_slice(text), Ok(true));
    assert_eq!(
        filter.matches_slice(br#"{"emails": [{"type": "work", "val\u0075e\u0075": "\n"}]}"#),
        Ok(false)
    );
    assert_eq!(filter.matches_slice(br#"{"emails": [{"type": "work", "val\u0075": "\n"}]}"#), Ok(false));
    // However long.
    let filter = bound("title ew \"é\\n\"");
    for length in [0, 500, 507, 508, 509, 510, 511, 512, 513, 2000] {
        let text = format!(r#"{{"title": "{}\u00e9\n"}}"#, "x".repeat(length));
        assert_eq!(filter.matches_slice(text.as_bytes()), Ok(true), "{length}");
    }
}

#[test]
fn a_number_that_is_compared_must_have_a_value() {
    let schema = scim_filter::SchemaTable {
        uri: "urn:x",
        attributes: &[(scim_filter::AttributeInfo::new("count", scim_filter::AttributeType::Integer), &[])],
    };
    let filter = Filter::parse("count gt 1").unwrap().bind(&schema, &BindOptions::default()).unwrap();
    assert_eq!(filter.matches_slice(b"{\"count\": 2}"), Ok(true));
    assert_eq!(filter.matches_slice(b"{\"count\": 2, \"other\": 1e400}"), Ok(true));
    let error = filter.matches_slice(b"{\"count\": 1e400}").unwrap_err();
    assert_eq!(error.to_string(), "a number is out of range, at byte 10");
}

#[test]
fn any_nesting_is_passed_over() {
    const DEPTH: usize = 1_000_000;
    let filter = bound("title eq \"x\"");
    let text = format!("{{\"a\":{}1{}, \"title\": \"x\"}}", "[{\"b\":".repeat(DEPTH), "}]".repeat(DEPTH));
    assert_eq!(filter.matches_slice(text.as_bytes()), Ok(true));
    assert_eq!(bound("emails.value pr").matches_slice(text.as_bytes()), Ok(false));
    let text = format!("{{\"a\":{}", "{\"a\":[".repeat(DEPTH));
    let error = filter.matches_slice(text.as_bytes()).unwrap_err();
    assert_eq!((error.kind(), error.position()), (JsonTextErrorKind::NotJson, text.len()));
}

#[test]
fn a_filter_of_many_attributes_finds_each() {
    let names: Vec<String> = (0..40).map(|index| format!("attribute{index}")).collect();
    let attributes: Vec<_> = names
        .iter()
        .map(|name| (scim_filter::AttributeInfo::new(name, scim_filter::AttributeType::Integer), &[][..]))
        .collect();
    let schema = scim_filter::SchemaTable { uri: "urn:x", attributes: &attributes };
    let text: Vec<String> = names.iter().map(|name| format!("{name} eq 1")).collect();
    let filter = Filter::parse(&text.join(" and ")).unwrap().bind(&schema, &BindOptions::default()).unwrap();
    let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":1")).collect();
    assert_eq!(filter.matches_slice(format!("{{{}}}", members.join(",")).as_bytes()), Ok(true));
    assert_eq!(filter.matches_slice(format!("{{{}}}", members[..39].join(",")).as_bytes()), Ok(false));
}
