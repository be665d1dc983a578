//! `pr` of what is nested: nothing but nothing inside is no value, down to where SCIM values end.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use scim_filter::{BindOptions, Filter};
use serde_json::{Value, json};

/// The same of the tree and of its text.
fn holds(filter: &str, resource: &Value) -> bool {
    let filter = Filter::parse(filter).unwrap().bind(&common::USER, &BindOptions::default()).unwrap();
    let on_tree = filter.matches::<Value>(resource.as_object().unwrap());
    assert_eq!(filter.matches_slice(resource.to_string().as_bytes()), Ok(on_tree), "{resource}");
    on_tree
}

/// `inner` in as many arrays, or objects, or one in the other.
fn nested(depth: usize, inner: Value) -> [Value; 3] {
    let array = |value: Value| json!([value]);
    let object = |value: Value| json!({ "familyName": value });
    let mut both = [inner.clone(), inner.clone(), inner];
    for level in 0..depth {
        let [arrays, objects, mixed] = both;
        both = [array(arrays), object(objects), if level % 2 == 0 { array(mixed) } else { object(mixed) }];
    }
    both
}

/// Attribute, element, sub-attribute, element: no SCIM value nests deeper (RFC 7643 §2.3.8), and what
/// does counts as a value.
#[test]
fn nothing_inside_of_nothing() {
    for depth in 0..4 {
        for nothing in [json!(null), json!(""), json!([]), json!({})] {
            for value in nested(depth, nothing.clone()) {
                assert!(!holds("name pr", &json!({ "name": value })), "{value}");
                assert!(!holds("title pr", &json!({ "title": value })), "{value}");
                assert!(!holds("emails[value pr]", &json!({"emails": [{ "value": value }]})), "{value}");
                assert!(!holds("emails.value pr", &json!({"emails": {"x": 1, "value": value}})), "{value}");
            }
        }
        for something in [json!(false), json!(0), json!("x")] {
            for value in nested(depth, something.clone()) {
                assert!(holds("name pr", &json!({ "name": value })), "{value}");
                assert!(holds("emails[value pr]", &json!({"emails": [{ "value": value }]})), "{value}");
            }
        }
    }
    for depth in 4..7 {
        for nothing in [json!([]), json!({})] {
            for value in nested(depth, nothing.clone()) {
                assert!(holds("name pr", &json!({ "name": value })), "{value}");
                assert!(holds("emails[value pr]", &json!({"emails": [{ "value": value }]})), "{value}");
            }
        }
    }
}

/// `null` is no value (RFC 7643 §2.5), so nothing holds of it that does not hold of what is not there;
/// an object without members is a value.
#[test]
fn null_is_no_value() {
    for (filter, attribute) in [
        ("name[familyName ne \"x\"]", "name"),
        ("name[not (familyName pr)]", "name"),
        ("name[familyName eq null]", "name"),
        ("emails[type ne \"work\"]", "emails"),
        ("emails[not (value pr)]", "emails"),
        ("emails[value ne \"x\" and primary ne true]", "emails"),
        ("aliases[value ne \"x\"]", "aliases"),
    ] {
        assert!(!holds(filter, &json!({})), "{filter}");
        for nothing in [json!(null), json!([]), json!([null]), json!([null, null])] {
            let resource = json!({ attribute: nothing });
            assert!(!holds(filter, &resource), "{filter} on {resource}");
        }
        for something in [json!({}), json!([{}]), json!([null, {}]), json!([{}, null])] {
            let resource = json!({ attribute: something });
            assert!(holds(filter, &resource), "{filter} on {resource}");
        }
    }
    let filter = Filter::parse("emails[type ne \"work\"]").unwrap();
    let filter = filter.bind(&common::USER, &BindOptions::default()).unwrap();
    assert!(filter.matches::<Value>(json!({"emails": [null, {"type": "home"}]}).as_object().unwrap()));
    let manager = format!("{}:manager[displayName ne \"x\"]", common::ENTERPRISE);
    assert!(!holds(&manager, &json!({ common::ENTERPRISE: {"manager": null} })));
    assert!(!holds(&manager, &json!({ common::ENTERPRISE: null })));
    assert!(holds(&manager, &json!({ common::ENTERPRISE: {"manager": {}} })));
}

/// An element that is no object is what would be its `value`, if it is anything.
#[test]
fn elements_that_are_no_objects() {
    for element in [json!(""), json!([])] {
        assert!(!holds("emails[value pr]", &json!({ "emails": [element] })), "{element}");
        assert!(!holds("emails.value pr", &json!({ "emails": [element] })), "{element}");
        assert!(holds("emails[not (value pr)]", &json!({ "emails": [element] })), "{element}");
        assert!(holds("emails[value ne \"x\"]", &json!({ "emails": [element] })), "{element}");
    }
    for element in [json!("x"), json!(1), json!(false), json!(["x"])] {
        assert!(holds("emails[value pr]", &json!({ "emails": [element] })), "{element}");
        assert!(!holds("emails[type pr]", &json!({ "emails": [element] })), "{element}");
    }
}
