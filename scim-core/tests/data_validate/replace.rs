//! PUT bodies, over what is there.

use scim_core::leniency::Leniencies;
use scim_core::schema::{ResourceSchema, builtin};
use scim_core::{Error, Resource, ScimType, validate};
use serde_json::json;

use crate::thing::thing;
use crate::{ENTERPRISE, group, json_of, resource, user};

fn put(
    schema: &ResourceSchema,
    current: serde_json::Value,
    body: serde_json::Value,
) -> Result<serde_json::Value, Error> {
    let valid = validate::replace(schema, body.into(), &resource(current), &Leniencies::tolerant())?;
    Ok(json_of(&valid.resource))
}

#[test]
fn put_replaces_what_clients_write_and_keeps_the_rest() {
    let current = json!({
        "schemas": [builtin::USER, ENTERPRISE], "id": "7", "userName": "a", "title": "Dr", "password": "secret",
        "groups": [{"value": "g"}], "meta": {"version": "W/\"3\""},
        (ENTERPRISE): {"department": "Sales", "manager": {"value": "1", "displayName": "Boss"}},
    });
    let body = json!({
        "schemas": [builtin::USER], "id": "8", "userName": "b", "groups": [], "meta": {"version": "W/\"9\""},
        (ENTERPRISE): {"manager": {"value": "1"}},
    });
    assert_eq!(
        put(&user(), current.clone(), body).unwrap(),
        json!({
            "schemas": [builtin::USER, ENTERPRISE], "id": "7", "userName": "b", "password": "secret",
            "groups": [{"value": "g"}], "meta": {"version": "W/\"3\""},
            (ENTERPRISE): {"manager": {"value": "1", "displayName": "Boss"}},
        })
    );
    let cleared = put(&user(), current.clone(), json!({"userName": "b", "password": null})).unwrap();
    assert_eq!(cleared.get("password"), None);
    assert_eq!(cleared["schemas"], json!([builtin::USER]));
    let other_manager = json!({"userName": "b", (ENTERPRISE): {"manager": {"value": "2"}}});
    assert_eq!(
        put(&user(), current, other_manager).unwrap()[ENTERPRISE],
        json!({"manager": {"value": "2"}}),
        "the name of another manager would be wrong"
    );
}

#[test]
fn put_does_not_change_what_is_immutable() {
    let current =
        json!({"born": "Here", "Seal": "X", "one": {"code": 1, "mark": "m"}, "urn:x:ext": {"kept": "k"}});
    let put = |body| put(&thing(), current.clone(), body);
    let kept = put(json!({"BORN": "here", "one": {"code": 2}})).unwrap();
    assert_eq!(
        kept,
        json!({"schemas": ["urn:x:base", "urn:x:ext"], "born": "Here", "Seal": "X",
            "one": {"code": 2, "mark": "m"}, "urn:x:ext": {"kept": "k"}})
    );
    for (body, error) in [
        (json!({"born": "There"}), "`born` is immutable and has another value"),
        (json!({"born": null}), "`born` is immutable and has another value"),
        (json!({"SEAL": "x"}), "`Seal` is immutable and has another value"),
        (json!({"one": {"mark": "n"}}), "`one.mark` is immutable and has another value"),
    ] {
        let error = (Some(ScimType::Mutability), error.to_owned());
        let found = put(body).unwrap_err();
        assert_eq!((found.scim_type(), found.detail().to_owned()), error);
    }
    let first = validate::replace(
        &thing(),
        json!({"born": "There"}).into(),
        &Resource::default(),
        &Leniencies::tolerant(),
    );
    assert_eq!(json_of(&first.unwrap().resource)["born"], json!("There"));
}

/// A complex value can go, and what stays has what is immutable of it.
#[test]
fn put_does_not_change_what_is_immutable_of_a_complex_value() {
    let current = json!({
        "one": {"code": 1, "mark": "m"}, "two": {"mark": "t"},
        "doors": [{"value": "a", "mark": "x"}, {"value": "b", "mark": "y"}, {"value": "c"}],
    });
    let put = |body| put(&thing(), current.clone(), body);
    let kept =
        put(json!({"doors": [{"value": "C", "mark": "z"}, {"value": "A"}, {"value": "d", "mark": "x"}]}));
    let doors =
        json!([{"value": "C", "mark": "z"}, {"value": "A", "mark": "x"}, {"value": "d", "mark": "x"}]);
    assert_eq!(kept.unwrap(), json!({"schemas": ["urn:x:base"], "doors": doors}));
    for (body, refused) in [
        (json!({"two": {"mark": "u"}}), Some("two.mark")),
        (json!({"TWO": null}), None),
        (json!({"two": {}, "one": {"code": 2}}), None),
        (json!({"two": {"mark": null}}), None),
        (json!({"doors": [{"value": "d"}, {"value": "b", "mark": "x"}]}), Some("doors[1].mark")),
        (json!({"doors": [{"value": "d", "mark": "y"}]}), None),
        (json!({"doors": null}), None),
    ] {
        let found = put(body.clone()).map(drop);
        let found = found.map_err(|error| (error.scim_type(), error.detail().to_owned()));
        let expected = refused.map_or(Ok(()), |name| {
            Err((Some(ScimType::Mutability), format!("`{name}` is immutable and has another value")))
        });
        assert_eq!(found, expected, "{body}");
    }
}

#[test]
fn a_member_that_put_names_again_keeps_what_is_immutable() {
    let current = json!({"displayName": "Staff", "members": [
        {"value": "1", "type": "User", "display": "Ann"}, {"value": "2"}, {"value": "3", "type": "User"},
    ]});
    let members = json!([
        {"value": "4", "type": "Group"}, {"value": "1", "type": "Group"}, {"value": "2", "type": "User"},
    ]);
    let kept = put(&group(), current, json!({"displayName": "Staff", "members": members})).unwrap();
    let expected = json!([
        {"value": "4", "type": "Group"}, {"value": "1", "type": "User", "display": "Ann"},
        {"value": "2", "type": "User"},
    ]);
    assert_eq!(kept["members"], expected);
}
