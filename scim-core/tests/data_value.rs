//! JSON values: parsing within limits, names without case, writing.

use proptest::prelude::*;
use scim_core::value::{JsonLimits, escapes_nul};
use scim_core::{Object, Value};
use serde_json::json;

fn parse(text: &str) -> Result<Value, String> {
    text.parse().map_err(|error: scim_core::value::JsonError| error.to_string())
}

#[test]
fn names_that_differ_in_case_alone_are_refused_with_their_place() {
    for (text, error) in [
        (r#"{"a":1,"a":2}"#, "the member `a` is given twice at line 1 column 10"),
        ("{\"userName\":1,\n\"username\":2}", "the member `username` is given twice at line 2 column 10"),
        (r#"{"x":[{"ID":1,"id":1}]}"#, "the member `id` is given twice at line 1 column 18"),
        (r#"{"a\u0042":1,"AB":2}"#, "the member `AB` is given twice at line 1 column 17"),
    ] {
        assert_eq!(parse(text), Err(error.to_owned()), "{text}");
    }
}

#[test]
fn errors_say_what_and_where() {
    for (text, error) in [
        ("", "the text ends where a value should be at line 1 column 1"),
        ("{\"a\":1} x", "trailing characters at line 1 column 9"),
        ("{\"a\":", "the text ends where a value should be at line 1 column 5"),
        ("{\"a\"", "the text ends inside an object at line 1 column 4"),
        ("[1,\n 2", "the text ends inside a JSON list at line 2 column 2"),
        ("\"abc", "the text ends inside a JSON string at line 1 column 4"),
        ("{\"a\":1,}", "trailing comma at line 1 column 8"),
        ("{a:1}", "key must be a string at line 1 column 2"),
        ("[1 2]", "expected `,` or `]` at line 1 column 4"),
        ("nul", "the text ends where a value should be at line 1 column 3"),
        ("1e999", "number out of range at line 1 column 5"),
        ("NaN", "expected value at line 1 column 1"),
        ("\"\\ud800\"", "unexpected end of hex escape at line 1 column 8"),
    ] {
        assert_eq!(parse(text), Err(error.to_owned()), "{text}");
    }
    assert!(Value::from_slice(b"\"\xff\"", &JsonLimits::default()).is_err());
}

#[test]
fn a_byte_order_mark_is_ignored() {
    assert_eq!(parse("\u{feff}true"), Ok(Value::Bool(true)));
}

#[test]
fn depth_is_limited_whatever_the_limit_says() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let limits = |max_depth| JsonLimits { max_depth };
    assert!(Value::from_slice(nested(3).as_bytes(), &limits(3)).is_ok());
    let error = Value::from_slice(nested(4).as_bytes(), &limits(3)).unwrap_err();
    assert_eq!(error.to_string(), "arrays and objects are nested too deep at line 1 column 4");
    assert!(Value::from_slice(nested(100).as_bytes(), &limits(usize::MAX)).is_ok());
    assert!(Value::from_slice(nested(101).as_bytes(), &limits(usize::MAX)).is_err());
    assert!(Value::from_slice("[".repeat(1_000_000).as_bytes(), &limits(usize::MAX)).is_err());
    let objects = "{\"a\":".repeat(1_000_000);
    assert!(Value::from_slice(objects.as_bytes(), &limits(usize::MAX)).is_err());
    assert!(serde_json::from_str::<Value>(&objects).is_err());
}

#[test]
fn numbers_keep_64_bits() {
    for text in ["9007199254740993", "-9223372036854775808", "18446744073709551615", "0", "-1"] {
        assert_eq!(parse(text).unwrap().to_string(), text);
    }
    assert_eq!(parse("1.5").unwrap().to_string(), "1.5");
    assert_eq!(Value::from(json!(18446744073709551615u64)).to_string(), "18446744073709551615");
    assert_eq!(Value::from(f64::NAN), Value::Null);
}

#[test]
fn an_object_of_100_000_names_is_read_in_time() {
    // A scan of the names before each new one would take minutes.
    let members: Vec<String> = (0..100_000).map(|number| format!("\"name{number}\":{number}")).collect();
    let text = format!("{{{}}}", members.join(","));
    let value = parse(&text).unwrap();
    assert_eq!(value.as_object().unwrap().len(), 100_000);
    assert_eq!(value.to_string(), text);
    let twice = format!("{{{},\"NAME99999\":0}}", members.join(","));
    assert!(parse(&twice).unwrap_err().starts_with("the member `NAME99999` is given twice"));

    // Order does not matter to equality, which is in time too.
    let object = value.as_object().unwrap();
    let mut members: Vec<_> = object.clone().into_iter().collect();
    members.swap(99_998, 99_999);
    assert!(*object == members.iter().cloned().collect());
    members.reverse();
    assert!(*object == members.iter().cloned().collect());
    members[50_000].1 = Value::Null;
    assert!(*object != members.into_iter().collect());
}

#[test]
fn objects_find_members_in_any_case_and_keep_their_order() {
    let mut object = Object::new();
    assert!(object.is_empty());
    object.insert("b", 1);
    object.insert("A", 2);
    assert_eq!(object.insert("B", 3), Some(Value::from(1)));
    assert_eq!(object.to_string(), r#"{"B":3,"A":2}"#);
    assert_eq!(object.insert_at(1, "c", 4), None);
    assert_eq!(object.insert_at(0, "a", 5), Some(Value::from(2)));
    assert_eq!(object.to_string(), r#"{"B":3,"c":4,"a":5}"#);
    assert_eq!(object.remove("C"), Some(Value::from(4)));
    assert!(object.contains("b") && !object.contains("c"));
    object.extend([("D", Value::Null), ("A", Value::from(true))]);
    assert_eq!(object.to_string(), r#"{"B":3,"A":true,"D":null}"#);
}

#[test]
fn equality_ignores_order_and_case() {
    assert_eq!(parse(r#"{"a":1,"b":[1,2]}"#), parse(r#"{"B":[1,2],"A":1}"#));
    assert_ne!(parse(r#"{"a":1,"b":2}"#), parse(r#"{"a":1,"c":2}"#));
    assert_ne!(parse(r#"{"a":1}"#), parse(r#"{"a":1,"c":2}"#));
    assert_ne!(parse("[1,2]"), parse("[2,1]"));
    assert_ne!(parse(r#"{"a":1,"b":2,"c":3}"#), parse(r#"{"a":1,"c":2,"b":3}"#));
    assert_ne!(parse(r#"{"a":1,"b":2,"c":3}"#), parse(r#"{"a":0,"c":3,"b":2}"#));
}

#[test]
fn debug_hides_passwords() {
    let user: Value = json!({"userName": "a", "Password": "t1meMa$heen"}).into();
    let text = format!("{user:?}");
    assert!(text.contains("[redacted]") && !text.contains("t1me"), "{text}");
}

/// Which attribute of one's own is a secret only its schema says, so none is shown; what the RFCs name is.
#[test]
fn debug_hides_what_no_rfc_names() {
    let user: Value = json!({
        "userName": "ann", "pin": "1234", "active": true, "keys": [{"value": "5678"}], "codes": ["90"],
        "urn:example:badge": {"badgeNumber": "4321", "department": "Tours"}, "urn:example:code": "8765",
        "name": {"familyName": "Jensen", "maiden": "Doe"},
    })
    .into();
    assert_eq!(
        format!("{user:?}"),
        r#"Object({"active": Bool(true), "codes": [redacted], "keys": [redacted], "#.to_owned()
            + r#""name": Object({"familyName": String("Jensen"), "maiden": [redacted]}), "pin": [redacted], "#
            + r#""urn:example:badge": Object({"badgeNumber": [redacted], "department": String("Tours")}), "#
            + r#""urn:example:code": [redacted], "userName": String("ann")})"#
    );
    let pin =
        scim_core::patch::Write { extension: None, attribute: "pin".into(), value: Some("1234".into()) };
    assert!(!format!("{pin:?}").contains("1234"));
}

#[test]
fn null_and_an_empty_array_are_unassigned() {
    for (text, unassigned) in
        [("null", true), ("[]", true), ("[null]", false), ("{}", false), ("\"\"", false), ("false", false)]
    {
        assert_eq!(parse(text).unwrap().is_unassigned(), unassigned, "{text}");
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<u64>().prop_map(|value| json!(value)),
        any::<i32>().prop_map(|value| json!(f64::from(value) / 8.0)),
        any::<String>().prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            // Lower case alone, so that no two names differ in case.
            prop::collection::btree_map("[a-z$é\"\\\\]{0,4}", inner, 0..40)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What spells U+0000, what only looks like it, and what is around them.
fn near_nul() -> impl Strategy<Value = String> {
    let pieces = ["\\", "\\\\", "\\u0000", "u0000", "\\u000", "0", "\0", "\\\"", "\\u0041", "x", "é"];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Whatever is written, and whatever is read.
    #[test]
    fn nul_is_found_where_a_reader_of_json_finds_it(text in near_nul()) {
        let written = json!({"a": [&text], "b": text});
        let value = Value::from(written.clone());
        prop_assert_eq!(value.has_nul(), text.contains('\0'));
        prop_assert_eq!(escapes_nul(written.to_string().as_bytes()), text.contains('\0'));
        if let Ok(read) = serde_json::from_str::<String>(&format!("\"{text}\"")) {
            prop_assert_eq!(escapes_nul(text.as_bytes()), read.contains('\0'));
        }
        let names = json!({"x": {text.clone(): 1}});
        prop_assert_eq!(Value::from(names).has_nul(), text.contains('\0'));
    }

    #[test]
    fn reads_and_writes_what_serde_json_does(json in any_json()) {
        let text = serde_json::to_string(&json).unwrap();
        let value: Value = text.parse().unwrap();
        prop_assert_eq!(&value, &Value::from(json.clone()));
        prop_assert_eq!(serde_json::Value::from(value.clone()), json);
        prop_assert_eq!(Value::from_slice(&value.to_vec(), &JsonLimits::default()).unwrap(), value.clone());
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn every_number_is_written_as_it_is_read(float in any::<f64>()) {
        prop_assume!(float.is_finite());
        let text = Value::from(float).to_string();
        prop_assert_eq!(parse(&text).unwrap(), Value::from(float));
    }

    #[test]
    fn a_name_given_twice_is_always_found(names in prop::collection::vec("[a-dA-D]{1,3}", 0..60)) {
        let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":0")).collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().map(|name| name.to_lowercase()).collect();
        let text = format!("{{{}}}", members.join(","));
        prop_assert_eq!(parse(&text).is_ok(), distinct.len() == names.len());
        // Collected instead of parsed, the last of them wins.
        let object: Object = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        prop_assert_eq!(object.len(), distinct.len());
        let mut reversed: Vec<_> = object.clone().into_iter().collect();
        reversed.reverse();
        prop_assert_eq!(&reversed.iter().cloned().collect::<Object>(), &object);
        if let Some((_, value)) = reversed.first_mut() {
            *value = Value::Null;
            prop_assert_ne!(&reversed.into_iter().collect::<Object>(), &object);
        }
        for name in &distinct {
            let last = names.iter().rposition(|other| other.to_lowercase() == *name);
            prop_assert_eq!(object.get(name).cloned(), last.map(Value::from));
        }
    }

    #[test]
    fn never_panics(text in any::<Vec<u8>>()) {
        let ours = Value::from_slice(&text, &JsonLimits::default());
        let theirs = serde_json::from_slice::<serde_json::Value>(&text);
        prop_assert!(ours.is_err() || theirs.is_ok());
    }
}

/// A change of an object, by names of which there are more than stand side by side in memory.
#[derive(Clone, Debug)]
enum Edit {
    Insert(u8),
    InsertAt(usize, u8),
    Remove(u8),
    Retain(u8),
    Extend(u8, u8),
}

fn edit() -> impl Strategy<Value = Edit> {
    let name = || 0..80_u8;
    prop_oneof![
        8 => name().prop_map(Edit::Insert),
        2 => (0..80_usize, name()).prop_map(|(index, name)| Edit::InsertAt(index, name)),
        5 => name().prop_map(Edit::Remove),
        1 => (1..9_u8).prop_map(Edit::Retain),
        1 => (name(), 0..30_u8).prop_map(|(from, count)| Edit::Extend(from, count)),
    ]
}

/// The name with that number: some that the RFCs have, most that they have not.
fn name_of(number: u8) -> String {
    const KNOWN: [&str; 10] =
        ["userName", "emails", "meta", "title", "name", "id", "roles", "active", "value", "type"];
    match KNOWN.get(usize::from(number / 8)) {
        Some(known) if number.is_multiple_of(8) => (*known).to_owned(),
        _ => format!("custom{number}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// An object is a list of names without case and values, whatever is done to it.
    #[test]
    fn an_object_is_a_list_of_members(edits in prop::collection::vec(edit(), 0..120)) {
        let mut object = Object::new();
        let mut list: Vec<(String, i64)> = Vec::new();
        for (value, edit) in (0_i64..).zip(edits) {
            let place = |list: &[(String, i64)], name: &str| list.iter().position(|(key, _)| key.eq_ignore_ascii_case(name));
            let set = |list: &mut Vec<(String, i64)>, index: usize, name: String| match place(list, &name) {
                Some(at) => Some(std::mem::replace(&mut list[at], (name, value)).1),
                None => {
                    list.insert(index.min(list.len()), (name, value));
                    None
                }
            };
            match edit {
                Edit::Insert(number) => {
                    let name = if value % 2 == 0 { name_of(number) } else { name_of(number).to_uppercase() };
                    let former = object.insert(name.as_str(), value).and_then(|former| former.as_i64());
                    prop_assert_eq!(former, set(&mut list, usize::MAX, name));
                }
                Edit::InsertAt(index, number) => {
                    let former = object.insert_at(index, name_of(number).as_str(), value).and_then(|former| former.as_i64());
                    prop_assert_eq!(former, set(&mut list, index, name_of(number)));
                }
                Edit::Remove(number) => {
                    let removed = object.remove(&name_of(number).to_lowercase()).and_then(|removed| removed.as_i64());
                    prop_assert_eq!(removed, place(&list, &name_of(number)).map(|at| list.remove(at).1));
                }
                Edit::Retain(modulus) => {
                    let keep = |value: i64| value % i64::from(modulus) != 0;
                    object.retain(|_, value| value.as_i64().is_some_and(keep));
                    list.retain(|(_, value)| keep(*value));
                }
                Edit::Extend(from, count) => {
                    let numbers = || (from..from.saturating_add(count)).map(|number| number % 80);
                    object.extend(numbers().map(|number| (name_of(number).as_str().into(), value)).collect::<Vec<(scim_filter::AttrName, i64)>>());
                    for number in numbers() {
                        set(&mut list, usize::MAX, name_of(number));
                    }
                }
            }
            let members: Vec<(String, i64)> =
                object.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_i64().unwrap())).collect();
            prop_assert_eq!(&members, &list);
            prop_assert_eq!((object.len(), object.iter().len(), object.is_empty()), (list.len(), list.len(), list.is_empty()));
            for number in 0..80 {
                let found = object.get(&name_of(number)).and_then(Value::as_i64);
                prop_assert_eq!(found, place(&list, &name_of(number)).map(|at| list[at].1));
            }
        }
        let again: Object = list.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        prop_assert_eq!(&again, &object);
        let members: Vec<(String, i64)> = object.into_iter().map(|(name, value)| (name.as_str().to_owned(), value.as_i64().unwrap())).collect();
        prop_assert_eq!(members, list);
    }
}
