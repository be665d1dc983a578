//! POST bodies.

use std::fs;
use std::path::Path;

use scim_core::leniency::{Leniencies, Leniency};
use scim_core::schema::{Registry, ResourceSchema, builtin};
use scim_core::validate;
use scim_core::value::JsonLimits;
use scim_core::{Object, Resource, ScimType, Value};
use serde_json::json;

use crate::thing::thing;
use crate::{ENTERPRISE, create, detail, group, json_of, needs, resource, user};

#[test]
fn names_become_canonical_and_unassigned_values_go() {
    let body = json!({
        "SCHEMAS": [builtin::USER, ENTERPRISE.to_uppercase()],
        "USERNAME": "bjensen",
        "name": {"GIVENNAME": "Barbara", "middleName": null},
        "title": null, "phoneNumbers": [], "ims": [null], "photos": [{}], "addresses": [{"type": null}],
        "emails": [{"Value": "b@example.com", "PRIMARY": true}, null],
        (ENTERPRISE.to_uppercase()): {"Department": "Sales", "manager": {"VALUE": "1"}, "division": null},
    });
    let valid = validate::create(&user(), body.into(), &Leniencies::strict()).unwrap();
    assert_eq!(valid.leniencies, []);
    assert_eq!(
        json_of(&valid.resource),
        json!({
            "schemas": [builtin::USER, ENTERPRISE],
            "userName": "bjensen",
            "name": {"givenName": "Barbara"},
            "emails": [{"value": "b@example.com", "primary": true}],
            (ENTERPRISE): {"department": "Sales", "manager": {"value": "1"}},
        })
    );
}

#[test]
fn attributes_keep_the_order_of_the_body_after_schemas() {
    let body = r#"{"userName":"a","TITLE":"t","schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"active":true}"#;
    let valid = validate::create(&user(), body.parse().unwrap(), &Leniencies::strict()).unwrap();
    assert_eq!(
        valid.resource.0.to_string(),
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a","title":"t","active":true}"#
    );
}

#[test]
fn what_is_read_only_is_never_written() {
    let body = json!({
        "schemas": [builtin::USER], "userName": "a",
        "id": "x", "Meta": {"version": "W/\"9\""}, "GROUPS": [{"value": "admins"}],
        (ENTERPRISE): {"manager": {"value": "1", "displayName": "Boss"}},
    });
    let valid = create(&user(), body).unwrap();
    assert_eq!(
        json_of(&valid.resource),
        json!({
            "schemas": [builtin::USER, ENTERPRISE], "userName": "a",
            (ENTERPRISE): {"manager": {"value": "1"}},
        })
    );
    let body = json!({
        "schemas": [builtin::GROUP], "displayName": "g", "ID": "x",
        "members": [{"value": "1", "display": "Babs"}],
    });
    let valid = validate::create(&group(), body.into(), &Leniencies::strict()).unwrap();
    let members = &json_of(&valid.resource)["members"];
    assert_eq!(members, &json!([{"value": "1", "display": "Babs"}]), "immutable, not readOnly");
    assert!(!valid.resource.0.contains("id"));
}

#[test]
fn wrong_types_are_refused_with_their_path() {
    let user = user();
    for (member, value, error) in [
        ("userName", json!(1), "`userName` must be a string, not a number"),
        ("active", json!("yes"), "`active` must be a Boolean, not a string"),
        ("active", json!("1"), "`active` must be a Boolean, not a string"),
        ("active", json!("TRUE"), "`active` must be a Boolean, not a string"),
        ("active", json!(0), "`active` must be a Boolean, not a number"),
        ("name", json!(["a", "b"]), "`name` must be an object, not an array of several values"),
        ("name", json!("Babs"), "`name` must be an object, not a string"),
        ("name", json!({"givenName": {}}), "`name.givenName` must be a string, not an object"),
        ("emails", json!([{}, {"value": 5}]), "`emails[1].value` must be a string, not a number"),
        ("emails", json!([7]), "`emails[0]` must be an object, not a number"),
        ("emails", json!([["a@b"]]), "`emails[0]` must be an object, not an array"),
        ("emails", json!({"primary": "maybe"}), "`emails[0].primary` must be a Boolean, not a string"),
        ("x509Certificates", json!([{"value": "?"}]), "`x509Certificates[0].value` must be base64"),
        ("schemas", json!([1]), "`schemas[0]` must be a string, not a number"),
        (
            ENTERPRISE,
            json!({"department": 3}),
            "`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department` must be a string, not a number",
        ),
        (
            ENTERPRISE,
            json!("x"),
            "`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User` must be an object, not a string",
        ),
    ] {
        let mut body = json!({"schemas": [builtin::USER], "userName": "a"});
        body[member] = value;
        assert_eq!(detail(create(&user, body)), (Some(ScimType::InvalidValue), error.to_owned()));
    }
    for (body, kind) in [(json!([]), "an array"), (json!("x"), "a string"), (json!(null), "null")] {
        let error = format!("the body must be an object, not {kind}");
        assert_eq!(detail(create(&user, body)), (Some(ScimType::InvalidSyntax), error));
    }
}

#[test]
fn references_to_resources_may_be_relative_and_strings_stay_as_they_are() {
    let body = json!({
        "schemas": [builtin::USER, ENTERPRISE], (ENTERPRISE): {"manager": {"$ref": "../people/b"}}, "userName": " a\u{e9} ", "profileUrl": "urn:people:b",
        "locale": "xx_invented", "userType": "Anything", "emails": [{"type": "spaceship", "value": "x"}],
    });
    let valid = validate::create(&user(), body.clone().into(), &Leniencies::strict()).unwrap();
    assert_eq!(json_of(&valid.resource), body);
}

#[test]
fn the_leniencies_of_post_and_put() {
    let user = user();
    let with = |member: &str, value: serde_json::Value| {
        let mut body = json!({"schemas": [builtin::USER], "userName": "a"});
        body[member] = value;
        body
    };

    for (text, meaning) in [("True", true), ("true", true), ("False", false), ("false", false)] {
        let (error, seen) = needs(&user, with("active", json!(text)), Leniency::BooleanString);
        assert_eq!(seen["active"], json!(meaning));
        assert!(error.detail().starts_with("`active` must be a Boolean, not a string (the"));
    }

    let one = json!({"value": "a@b", "type": "work"});
    let (error, seen) = needs(&user, with("emails", one.clone()), Leniency::SingleForArray);
    assert_eq!(seen["emails"], json!([one]));
    assert!(error.detail().starts_with("`emails` must be an array, not an object"));

    let (_, seen) = needs(&user, with("title", json!(["Dr"])), Leniency::ArrayForSingle);
    assert_eq!(seen["title"], json!("Dr"));

    let (error, seen) = needs(&user, with("roles", json!(["admin"])), Leniency::PlainStringForComplex);
    assert_eq!(seen["roles"], json!([{"value": "admin"}]));
    assert!(error.detail().starts_with("`roles[0]` must be an object, not a string"));

    let (error, seen) = needs(&user, with("shoeSize", json!(44)), Leniency::UnknownAttribute);
    assert_eq!(seen.get("shoeSize"), None);
    assert_eq!(error.scim_type(), Some(ScimType::InvalidSyntax));
    assert!(error.detail().starts_with("`shoeSize` is no attribute of `User`"));
    let (error, seen) =
        needs(&user, with("roles", json!([{"value": "a", "displayName": "A"}])), Leniency::UnknownAttribute);
    assert_eq!(seen["roles"], json!([{"value": "a"}]));
    assert!(error.detail().starts_with("`displayName` is no attribute of `roles[0]`"));

    let misspelt = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User";
    let (error, seen) = needs(&user, with(misspelt, json!({"department": "x"})), Leniency::UnknownSchema);
    assert_eq!(seen.get(misspelt), None);
    assert!(error.detail().starts_with(&format!("`{misspelt}` is no schema of a User")));
    // Only an extension has an object of its own (RFC 7643 §3.3).
    let (error, seen) = needs(&user, with(builtin::USER, json!({"id": "9"})), Leniency::UnknownAttribute);
    assert_eq!(seen, json!({"schemas": [builtin::USER], "userName": "a"}));
    assert!(error.detail().starts_with(&format!("`{}` is no attribute of `User`", builtin::USER)));
    let (_, seen) = needs(&user, with("schemas", json!([builtin::USER, misspelt])), Leniency::UnknownSchema);
    assert_eq!(seen["schemas"], json!([builtin::USER]));

    let (error, seen) = needs(&user, with("schemas", json!(null)), Leniency::MissingSchemas);
    assert_eq!(seen["schemas"], json!([builtin::USER]));
    assert!(error.detail().starts_with(&format!("`schemas` must list `{}`", builtin::USER)));
    let (error, seen) = needs(&user, with(ENTERPRISE, json!({"division": "x"})), Leniency::MissingSchemas);
    assert_eq!(seen["schemas"], json!([builtin::USER, ENTERPRISE]));
    assert!(error.detail().starts_with(&format!("`schemas` must list `{ENTERPRISE}`")));

    let mut body = with("department", json!("Sales"));
    body["schemas"] = json!([builtin::USER, ENTERPRISE]);
    let valid = create(&user, body).unwrap();
    assert_eq!(valid.leniencies, [Leniency::BareExtensionAttribute]);
    assert_eq!(json_of(&valid.resource)[ENTERPRISE], json!({"department": "Sales"}));

    let two = json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}, {"value": "c"}]);
    let (error, seen) = needs(&user, with("emails", two), Leniency::ManyPrimaries);
    assert_eq!(
        seen["emails"],
        json!([{"value": "a", "primary": false}, {"value": "b", "primary": true}, {"value": "c"}])
    );
    assert!(error.detail().starts_with("`emails` has more than one primary value"));

    let (error, seen) =
        needs(&user, with("profileUrl", json!("www.example.com/b")), Leniency::ReferenceSyntax);
    assert_eq!(seen["profileUrl"], json!("www.example.com/b"));
    assert!(error.detail().starts_with("`profileUrl` must be a URI such as https://example.com/ (the"));
    let photo = json!([{"value": "a b", "type": "photo"}]);
    let (error, seen) = needs(&user, with("photos", photo.clone()), Leniency::ReferenceSyntax);
    assert_eq!(seen["photos"], photo);
    assert!(error.detail().starts_with("`photos[0].value` must be a URI such as https://example.com/ (the"));
    let mut body = with(ENTERPRISE, json!({"manager": {"$ref": "no uri"}}));
    body["schemas"] = json!([builtin::USER, ENTERPRISE]);
    let (error, seen) = needs(&user, body.clone(), Leniency::ReferenceSyntax);
    assert_eq!(seen, body);
    let told = format!("`{ENTERPRISE}:manager.$ref` must be an absolute or relative URI (the");
    assert!(error.detail().starts_with(&told), "{}", error.detail());
    // What is passed over is not judged.
    body[ENTERPRISE]["manager"]["value"] = json!("2");
    validate::create(&user, body.into(), &Leniencies::strict()).unwrap();
    // An empty string that is no value is none that is no URI.
    let empty = with("photos", json!([{"value": ""}]));
    let only = Leniencies::strict().with(Leniency::EmptyValue);
    let valid = validate::create(&user, empty.clone().into(), &only).unwrap();
    assert!(!valid.resource.0.contains("photos"));
    assert_eq!(create(&user, empty).unwrap().leniencies, [Leniency::EmptyValue]);

    let body = json!({
        "schemas": [builtin::USER, ENTERPRISE], "userName": "a", (ENTERPRISE): {"manager": ""},
    });
    let valid = create(&user, body).unwrap();
    assert_eq!(valid.leniencies, [Leniency::EmptyValue]);
    assert!(!valid.resource.0.contains(ENTERPRISE));
}

#[test]
fn what_stands_in_the_extension_wins_over_what_stands_outside() {
    let body = json!({
        "schemas": [builtin::USER, ENTERPRISE], "department": "outside", "userName": "a",
        (ENTERPRISE): {"department": "inside"},
    });
    let valid = create(&user(), body).unwrap();
    assert_eq!(json_of(&valid.resource)[ENTERPRISE], json!({"department": "inside"}));
}

#[test]
fn members_are_a_set_of_values() {
    let body = |members: serde_json::Value| json!({"schemas": [builtin::GROUP], "displayName": "g", "members": members});
    let valid = create(
        &group(),
        body(json!([{"value": "1"}, {"value": "2"}, {"value": "1", "type": "User"}, {"value": "A"}, {"value": "a"}])),
    )
    .unwrap();
    assert_eq!(
        json_of(&valid.resource)["members"],
        json!([{"value": "1"}, {"value": "2"}, {"value": "A"}, {"value": "a"}])
    );
    assert_eq!(
        detail(create(&group(), body(json!([{"value": "1"}, {"type": "User"}])))).1,
        "`members[1].value` is required"
    );
}

#[test]
fn required_attributes_are_checked_once_all_is_said() {
    let check = |schema: &ResourceSchema, json| validate::check(schema, &resource(json));
    for (json, error) in [
        (json!({}), "`userName` is required"),
        (json!({"userName": ""}), "`userName` is required"),
        (
            json!({"userName": "a", "roles": [{"value": "x", "primary": true}, {"value": "y", "primary": true}]}),
            "`roles` has more than one primary value",
        ),
    ] {
        assert_eq!(check(&user(), json).unwrap_err().detail(), error);
    }
    assert_eq!(check(&user(), json!({"userName": "a"})), Ok(()));
    assert_eq!(check(&group(), json!({})).unwrap_err().detail(), "`displayName` is required");

    let custom = thing();
    assert_eq!(check(&custom, json!({})).unwrap_err().detail(), "`urn:x:ext` is required");
    assert_eq!(
        check(&custom, json!({"urn:x:ext": {"other": "1"}})).unwrap_err().detail(),
        "`urn:x:ext:key` is required"
    );
    assert_eq!(
        check(&custom, json!({"urn:x:ext": {"key": "1"}, "parts": [{"code": 1}, {}]})).unwrap_err().detail(),
        "`parts[1].code` is required"
    );
    assert_eq!(
        check(&custom, json!({"urn:x:ext": {"key": "1"}, "one": {}})).unwrap_err().detail(),
        "`one.code` is required"
    );
    assert_eq!(check(&custom, json!({"urn:x:ext": {"key": "1"}, "parts": [{"code": 1}]})), Ok(()));
}

#[test]
fn the_resources_of_the_rfcs_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rfc/examples");
    if !folder.exists() {
        println!("skipped: {} is absent", folder.display());
        return;
    }
    for (file, schema) in [
        ("rfc7643-8.1-user-minimal", user()),
        ("rfc7643-8.2-user-full", user()),
        ("rfc7643-8.3-enterprise_user", user()),
        ("rfc7643-8.4-group", group()),
        ("rfc7644-3.3-user-post_request", user()),
        ("rfc7644-3.3-user-post_response", user()),
        ("rfc7644-3.4.1-user-known-resource", user()),
        ("rfc7644-3.5.1-user-put_request", user()),
        ("rfc7644-3.5.1-user-put_response", user()),
        ("rfc7644-3.14-user-post_request", user()),
        ("rfc7644-3.14-user-post_response", user()),
    ] {
        let text = fs::read(folder.join(format!("{file}.json"))).unwrap();
        let body = Value::from_slice(&text, &JsonLimits::default()).unwrap();
        let current = Resource(body.as_object().unwrap().clone());
        // Strict mode knows nothing else to say of them than that the examples abbreviate.
        let lenient = Leniencies::tolerant();
        let created = validate::create(&schema, body.clone(), &lenient).unwrap();
        assert_eq!(created.leniencies, [], "{file}");
        validate::check(&schema, &created.resource).unwrap();
        // Sent back, the resource stays what it is.
        let replaced = validate::replace(&schema, body, &current, &lenient).unwrap();
        for (name, value) in current.0.iter().filter(|(_, value)| !value.is_unassigned()) {
            if *name != "schemas".into() {
                assert_eq!(replaced.resource.get(name.as_str()), Some(value), "{file}: {name}");
            }
        }
    }
}

#[test]
fn a_hostile_body_of_many_names_is_read_in_time() {
    let members: Object = (0..100_000)
        .map(|number| (format!("a{number}").as_str().into(), number))
        .collect::<Vec<(scim_filter::AttrName, i32)>>()
        .into_iter()
        .collect();
    let valid = validate::create(&user(), members.into(), &Leniencies::tolerant()).unwrap();
    assert_eq!(valid.resource.0.len(), 1);
}

/// A body that says it is of another resource type is refused, however tolerant the service is.
#[test]
fn a_body_of_another_resource_type_is_refused() {
    let registry = Registry::standard();
    let (users, groups) = (registry.by_name("User").unwrap(), registry.by_name("Group").unwrap());
    let group = json!({"schemas": [builtin::GROUP], "displayName": "g", "userName": "g"});
    for (schema, body, other) in [
        (users, group.clone(), builtin::GROUP),
        (groups, json!({"schemas": [builtin::USER], "displayName": "g"}), builtin::USER),
    ] {
        let error = validate::create(schema, body.into(), &Leniencies::tolerant()).unwrap_err();
        let base = &schema.base().id;
        assert_eq!(error.scim_type(), Some(ScimType::InvalidSyntax));
        assert_eq!(error.detail(), format!("`{other}` is another schema than `{base}`"));
    }
    // Beside the right one it is a schema the service does not know there.
    let both = json!({"schemas": [builtin::USER, builtin::GROUP], "userName": "g"});
    let valid = validate::create(users, both.into(), &Leniencies::tolerant()).unwrap();
    assert_eq!(valid.leniencies, [Leniency::UnknownSchema]);
}
