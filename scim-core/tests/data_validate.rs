//! POST and PUT bodies against their schema.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use scim_core::leniency::{Leniencies, Leniency};
use scim_core::schema::{
    Attribute, AttributeType, Mutability, Registry, ResourceSchema, ResourceType, Schema, SchemaExtension,
    Uniqueness, builtin,
};
use scim_core::validate::{self, Validated};
use scim_core::value::JsonLimits;
use scim_core::{Error, Object, Resource, ScimType, Value};
use serde_json::json;

const ENTERPRISE: &str = builtin::ENTERPRISE_USER;

fn user() -> Arc<ResourceSchema> {
    Registry::standard().by_name("User").unwrap().clone()
}

fn group() -> Arc<ResourceSchema> {
    Registry::standard().by_name("Group").unwrap().clone()
}

fn resource(json: serde_json::Value) -> Resource {
    match Value::from(json) {
        Value::Object(object) => Resource(object),
        other => panic!("{other} is no object"),
    }
}

fn json_of(resource: &Resource) -> serde_json::Value {
    resource.0.clone().into()
}

fn create(schema: &ResourceSchema, body: serde_json::Value) -> Result<Validated, Error> {
    validate::create(schema, body.into(), &Leniencies::tolerant())
}

/// What strict mode says of `body`, which must be fine but for the leniency.
fn needs(schema: &ResourceSchema, body: serde_json::Value, leniency: Leniency) -> (Error, serde_json::Value) {
    let strict = validate::create(schema, body.clone().into(), &Leniencies::strict()).unwrap_err();
    let only = Leniencies::strict().with(leniency);
    let valid = validate::create(schema, body.into(), &only).unwrap();
    assert_eq!(valid.leniencies, [leniency]);
    assert!(strict.detail().ends_with(&format!(" (the leniency `{leniency}` is off)")), "{strict}");
    (strict, json_of(&valid.resource))
}

fn detail(result: Result<Validated, Error>) -> (Option<ScimType>, String) {
    let error = result.unwrap_err();
    assert_eq!(error.status().as_u16(), 400);
    (error.scim_type(), error.detail().to_owned())
}

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
fn a_reference_may_be_relative_and_strings_stay_as_they_are() {
    let body = json!({
        "schemas": [builtin::USER], "userName": " a\u{e9} ", "profileUrl": "../people/b",
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

    let custom = custom();
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

/// A type with what the built-in schemas lack.
fn custom() -> Arc<ResourceSchema> {
    let schema = |id: &str, attributes| Schema {
        id: id.to_owned(),
        name: String::new(),
        description: String::new(),
        attributes,
    };
    let code = || Attribute::integer("code").required();
    let base = schema(
        "urn:x:base",
        vec![
            Attribute::complex("parts", [code(), Attribute::string("serial").unique(Uniqueness::Global)])
                .multi_valued(),
            Attribute::complex("one", [code(), Attribute::string("mark").mutability(Mutability::Immutable)]),
            Attribute::string("tags").multi_valued().unique(Uniqueness::Server),
            Attribute::string("born").mutability(Mutability::Immutable),
            Attribute::string("Seal").mutability(Mutability::Immutable).case_exact(),
            Attribute::new("weight", AttributeType::Decimal).unique(Uniqueness::Server),
            Attribute::date_time("seen"),
            Attribute::integer("count"),
        ],
    );
    let extension = schema(
        "urn:x:ext",
        vec![
            Attribute::string("key").required().unique(Uniqueness::Server).case_exact(),
            Attribute::string("other"),
            Attribute::string("kept").read_only(),
        ],
    );
    let resource_type = ResourceType {
        name: "Thing".to_owned(),
        description: String::new(),
        endpoint: "/Things".to_owned(),
        schema: "urn:x:base".to_owned(),
        schema_extensions: vec![SchemaExtension { schema: "urn:x:ext".to_owned(), required: true }],
    };
    let registry = Registry::new(vec![base, extension], vec![resource_type]).unwrap();
    registry.by_name("Thing").unwrap().clone()
}

#[test]
fn the_types_the_built_in_schemas_do_not_use() {
    let schema = custom();
    for (json, error) in [
        (json!({"count": 1.5}), "`count` must be a whole number of at most 64 bits"),
        (json!({"count": 1.0}), "`count` must be a whole number of at most 64 bits"),
        (json!({"count": "1"}), "`count` must be a whole number, not a string"),
        (json!({"weight": "1"}), "`weight` must be a number, not a string"),
        (json!({"seen": "yesterday"}), "`seen` must be a date and time such as 2008-01-23T04:56:22Z"),
        (json!({"seen": 1}), "`seen` must be a string, not a number"),
        (json!({"tags": ["a", 1]}), "`tags[1]` must be a string, not a number"),
    ] {
        assert_eq!(detail(create(&schema, json)), (Some(ScimType::InvalidValue), error.to_owned()));
    }
    let json = json!({"count": 18446744073709551615u64, "weight": 1.5, "tags": ["a", "b"],
        "seen": "2008-01-23T04:56:22Z"});
    let valid = create(&schema, json.clone()).unwrap();
    for (name, value) in json.as_object().unwrap() {
        assert_eq!(&json_of(&valid.resource)[name], value);
    }
}

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
    let put = |body| put(&custom(), current.clone(), body);
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
        &custom(),
        json!({"born": "There"}).into(),
        &Resource::default(),
        &Leniencies::tolerant(),
    );
    assert_eq!(json_of(&first.unwrap().resource)["born"], json!("There"));
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

#[test]
fn unique_keys_are_folded_by_case_exact() {
    let thing = resource(json!({
        "id": "1", "tags": ["B", "a", "A"], "weight": 1.0,
        "parts": [{"code": 1, "serial": "S"}, {"code": 2}],
        "urn:x:ext": {"key": "K"},
    }));
    let keys: Vec<_> = validate::unique_keys(&custom(), &thing)
        .into_iter()
        .map(|key| format!("{}={}", key.attribute, key.value))
        .collect();
    assert_eq!(keys, ["parts.serial=s", "tags=a", "tags=b", "urn:x:ext:key=K", "weight=1"]);
    assert!(validate::unique_keys(&user(), &resource(json!({"id": "1", "userName": ""}))).is_empty());
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

/// JSON that fits the schema here and there.
fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        Just(json!("True")),
        Just(json!("")),
        "[a-z]{1,3}".prop_map(|value| json!(value)),
        any::<i32>().prop_map(|value| json!(value)),
    ];
    let names = prop::sample::select(vec![
        "schemas",
        "id",
        "ID",
        "externalId",
        "meta",
        "Meta",
        "groups",
        "GROUPS",
        "userName",
        "name",
        "givenName",
        "emails",
        "value",
        "primary",
        "type",
        "display",
        "active",
        "roles",
        "members",
        "displayName",
        "manager",
        "password",
        "department",
        "x",
        "urn:y",
        builtin::USER,
        ENTERPRISE,
    ]);
    let value = leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((names.clone(), inner), 0..4)
                .prop_map(|members| members.into_iter().map(|(n, v)| (n.to_owned(), v)).collect()),
        ]
    });
    let top = prop::sample::select(vec![
        "id",
        "Id",
        "META",
        "groupS",
        "userName",
        "name",
        "emails",
        "active",
        "roles",
        "members",
        "displayName",
        "manager",
        "password",
        "department",
        "x509Certificates",
        "addresses",
        "urn:y",
        builtin::USER,
        ENTERPRISE,
    ]);
    prop::collection::vec((top, value), 0..6)
        .prop_map(|members| members.into_iter().map(|(n, v)| (n, Value::from(v))).collect::<Object>().into())
}

/// P5: what only the service provider writes.
const READ_ONLY: [&str; 3] = ["id", "meta", "groups"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn reading_again_changes_nothing(body in body()) {
        for schema in [user(), group()] {
            let Ok(valid) = validate::create(&schema, body.clone(), &Leniencies::tolerant()) else { continue };
            let again = validate::create(&schema, valid.resource.0.clone().into(), &Leniencies::strict());
            let again = again.unwrap();
            prop_assert_eq!(again.resource.0.to_string(), valid.resource.0.to_string());
            prop_assert_eq!(again.leniencies, vec![]);
        }
    }

    #[test]
    fn coerce_is_idempotent(body in body(), which in any::<prop::sample::Index>()) {
        let schema = user();
        let attributes: Vec<_> = schema.base().attributes.iter().chain(&schema.extensions()[0].attributes).collect();
        let attribute = attributes[which.index(attributes.len())];
        let Some((_, value)) = body.as_object().unwrap().iter().next() else { return Ok(()) };
        let mut fired = Vec::new();
        let tolerant = Leniencies::tolerant();
        if let Ok(Some(once)) = validate::coerce(attribute, value.clone(), "a", &tolerant, &mut fired) {
            fired.clear();
            let twice = validate::coerce(attribute, once.clone(), "a", &Leniencies::strict(), &mut fired);
            prop_assert_eq!(twice, Ok(Some(once)));
            prop_assert_eq!(fired, vec![]);
        }
    }

    #[test]
    fn id_meta_and_groups_are_never_written(body in body()) {
        let current = resource(json!({
            "schemas": [builtin::USER], "id": "7", "userName": "a", "groups": [{"value": "g"}],
            "meta": {"resourceType": "User", "version": "W/\"3\""},
        }));
        let tolerant = Leniencies::tolerant();
        if let Ok(valid) = validate::create(&user(), body.clone(), &tolerant) {
            for name in READ_ONLY {
                prop_assert!(!valid.resource.0.contains(name));
            }
        }
        if let Ok(valid) = validate::replace(&user(), body, &current, &tolerant) {
            for name in READ_ONLY {
                prop_assert_eq!(valid.resource.get(name), current.get(name));
            }
        }
    }

    #[test]
    fn unassigning_everything_leaves_only_what_is_kept(body in body()) {
        let nulled = |attributes: &[Attribute]| -> Object {
            attributes.iter().map(|attribute| (attribute.name.as_str(), Value::Null)).collect()
        };
        let Ok(valid) = validate::create(&user(), body, &Leniencies::tolerant()) else { return Ok(()) };
        let null = Value::from(nulled(&builtin::user().attributes));
        let emptied = validate::replace(&user(), null, &valid.resource, &Leniencies::tolerant()).unwrap();
        prop_assert_eq!(emptied.resource.0.len(), 1, "{:?}", emptied.resource);
        let schemas = emptied.resource.get("schemas").unwrap();
        prop_assert_eq!(schemas, &Value::from(json!([builtin::USER])));
    }
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
