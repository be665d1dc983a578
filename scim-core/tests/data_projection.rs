//! `attributes` and `excludedAttributes`: examples and laws.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use std::sync::Arc;

use proptest::prelude::*;
use scim_core::projection::Projection;
use scim_core::schema::{
    Attribute, Mutability, Registry, ResourceSchema, ResourceType, Returned, Schema, builtin,
};
use scim_core::{Resource, ScimType, Value};
use serde_json::json;

const ENTERPRISE: &str = builtin::ENTERPRISE_USER;

fn user() -> Arc<ResourceSchema> {
    Registry::standard().by_name("User").unwrap().clone()
}

fn resource(json: serde_json::Value) -> Resource {
    match Value::from(json) {
        Value::Object(object) => Resource(object),
        other => panic!("{other} is no object"),
    }
}

fn babs() -> serde_json::Value {
    json!({
        "schemas": [builtin::USER, ENTERPRISE], "id": "1", "externalId": "e", "userName": "babs",
        "name": {"givenName": "Barbara", "familyName": "Jensen"},
        "emails": [{"value": "a", "type": "work"}, {"value": "b", "type": "home", "primary": true}],
        "password": "secret", "timezoneHint": "added by a policy",
        (ENTERPRISE): {"department": "Sales", "manager": {"value": "2", "displayName": "Boss"}},
        "meta": {"resourceType": "User", "version": "W/\"1\""},
    })
}

fn project(attributes: Option<&str>, excluded: Option<&str>) -> serde_json::Value {
    let projection = Projection::parse(&user(), attributes, excluded).unwrap();
    let mut resource = resource(babs());
    projection.apply(&user(), &mut resource);
    resource.0.into()
}

/// `babs` with only these members, besides what is always there.
fn only(members: serde_json::Value) -> serde_json::Value {
    let mut expected = json!({"schemas": [builtin::USER, ENTERPRISE], "id": "1"});
    for (name, value) in members.as_object().unwrap() {
        expected[name] = value.clone();
    }
    expected
}

fn without(change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>)) -> serde_json::Value {
    let mut expected = babs();
    let members = expected.as_object_mut().unwrap();
    members.remove("password");
    change(members);
    expected
}

#[test]
fn a_response_carries_all_but_what_is_never_returned() {
    for (attributes, excluded) in [(None, None), (Some(""), None), (None, Some(" ")), (Some(""), Some(""))] {
        assert_eq!(project(attributes, excluded), without(|_| {}));
    }
}

#[test]
fn attributes_names_what_is_carried() {
    for (attributes, expected) in [
        ("userName", json!({"userName": "babs"})),
        (" USERNAME ,externalid", json!({"userName": "babs", "externalId": "e"})),
        ("name.familyName", json!({"name": {"familyName": "Jensen"}})),
        ("name.familyName,name", json!({"name": {"givenName": "Barbara", "familyName": "Jensen"}})),
        ("emails.value,emails.PRIMARY", json!({"emails": [{"value": "a"}, {"value": "b", "primary": true}]})),
        ("emails.primary", json!({"emails": [{"primary": true}]})),
        ("emails.display", json!({})),
        ("name.honorificPrefix", json!({})),
        ("meta.version", json!({"meta": {"version": "W/\"1\""}})),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", json!({"userName": "babs"})),
        (
            "urn:ietf:params:scim:schemas:core:2.0:USER:name.givenName",
            json!({"name": {"givenName": "Barbara"}}),
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            json!({(ENTERPRISE): {"department": "Sales"}}),
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            json!({(ENTERPRISE): {"manager": {"value": "2"}}}),
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            json!({(ENTERPRISE): babs()[ENTERPRISE]}),
        ),
        ("password", json!({})),
        ("unheardOf,urn:x:y,name.unheardOf,,.,userName.", json!({})),
        ("department", json!({})),
        ("id,schemas", json!({})),
    ] {
        assert_eq!(project(Some(attributes), None), only(expected), "{attributes}");
    }
}

#[test]
fn excluded_attributes_names_what_is_not() {
    type Change = fn(&mut serde_json::Map<String, serde_json::Value>);
    let cases: [(&str, Change); 8] = [
        ("emails", |user| drop(user.remove("emails"))),
        ("NAME.familyname", |user| user["name"] = json!({"givenName": "Barbara"})),
        ("emails.type,emails.value", |user| user["emails"] = json!([{"primary": true}])),
        ("name.givenName,name.familyName", |user| drop(user.remove("name"))),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", |user| drop(user.remove(ENTERPRISE))),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", |user| {
            user[ENTERPRISE] = json!({"department": "Sales"});
        }),
        ("id,schemas,unheardOf", |_| {}),
        ("meta.version", |user| user["meta"] = json!({"resourceType": "User"})),
    ];
    for (excluded, change) in cases {
        assert_eq!(project(None, Some(excluded)), without(change), "{excluded}");
    }
}

#[test]
fn a_request_cannot_have_both() {
    let error = Projection::parse(&user(), Some("userName"), Some("emails")).unwrap_err();
    assert_eq!(error.scim_type(), Some(ScimType::InvalidValue));
    assert_eq!(error.detail(), "`attributes` and `excludedAttributes` exclude one another");
}

#[test]
fn a_store_reads_what_may_be_needed() {
    let user = user();
    let parse = |attributes, excluded| Projection::parse(&user, attributes, excluded).unwrap();
    let default = Projection::default();
    assert!(default.includes(&user, None, "emails") && default.includes(&user, None, "password"));

    let members = Projection::without("members");
    assert!(!members.includes(&user, None, "MEMBERS") && members.includes(&user, None, "password"));
    assert!(members.includes(&user, Some(ENTERPRISE), "members"));

    let only = parse(Some("name.givenName,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"), None);
    assert!(only.includes(&user, None, "NAME") && only.includes(&user, None, "id"));
    assert!(only.includes(&user, Some(&ENTERPRISE.to_uppercase()), "department"));
    assert!(!only.includes(&user, None, "emails") && !only.includes(&user, None, "department"));
    assert!(only.includes(&user, Some(builtin::USER), "name"));

    let except = parse(None, Some("emails,name.givenName,id"));
    assert!(!except.includes(&user, None, "emails"));
    assert!(except.includes(&user, None, "name") && except.includes(&user, None, "id"));
}

/// What the built-in schemas lack: attributes returned on request, or always, and hidden parts.
#[test]
fn returned_governs_attributes_and_their_parts() {
    let sub = Attribute::string;
    let schema = Schema {
        id: "urn:a".to_owned(),
        name: String::new(),
        description: String::new(),
        attributes: vec![
            sub("always").returned(Returned::Always),
            sub("onRequest").returned(Returned::Request),
            sub("secret").mutability(Mutability::WriteOnly),
            Attribute::complex(
                "parts",
                [
                    sub("a").returned(Returned::Always),
                    sub("d"),
                    sub("r").returned(Returned::Request),
                    sub("n").returned(Returned::Never),
                ],
            )
            .multi_valued(),
        ],
    };
    let things = ResourceType {
        name: "Thing".to_owned(),
        description: String::new(),
        endpoint: "/Things".to_owned(),
        schema: "urn:a".to_owned(),
        schema_extensions: vec![],
    };
    let registry = Registry::new(vec![schema], vec![things]).unwrap();
    let thing = registry.by_name("Thing").unwrap();
    let project = |attributes, excluded| -> serde_json::Value {
        let mut resource = resource(json!({
            "always": "1", "onRequest": "2", "secret": "3",
            "parts": [{"a": "1", "d": "2", "r": "3", "n": "4"}],
        }));
        Projection::parse(thing, attributes, excluded).unwrap().apply(thing, &mut resource);
        resource.0.into()
    };
    for (attributes, excluded, expected) in [
        (None, None, json!({"always": "1", "parts": [{"a": "1", "d": "2"}]})),
        (Some("onRequest,secret"), None, json!({"always": "1", "onRequest": "2"})),
        (Some("parts"), None, json!({"always": "1", "parts": [{"a": "1", "d": "2"}]})),
        (Some("parts.r"), None, json!({"always": "1", "parts": [{"a": "1", "r": "3"}]})),
        (Some("parts.n"), None, json!({"always": "1", "parts": [{"a": "1"}]})),
        (None, Some("always"), json!({"always": "1", "parts": [{"a": "1", "d": "2"}]})),
        (None, Some("parts.a,parts.d"), json!({"always": "1", "parts": [{"a": "1"}]})),
        (None, Some("parts"), json!({"always": "1"})),
    ] {
        assert_eq!(project(attributes, excluded), expected, "{attributes:?} {excluded:?}");
    }
}

fn names() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "userName",
        "USERNAME",
        "id",
        "schemas",
        "name",
        "name.givenName",
        "name.familyName",
        "emails",
        "emails.value",
        "emails.type",
        "password",
        "meta",
        "meta.version",
        "x",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
    ]);
    prop::collection::vec(name, 1..6).prop_map(|names| names.join(","))
}

proptest! {
    #[test]
    fn projecting_twice_is_projecting_once(names in names(), exclude in any::<bool>()) {
        let (attributes, excluded) = if exclude { (None, Some(&*names)) } else { (Some(&*names), None) };
        let projection = Projection::parse(&user(), attributes, excluded).unwrap();
        let mut once = resource(babs());
        projection.apply(&user(), &mut once);
        let mut twice = once.clone();
        projection.apply(&user(), &mut twice);
        prop_assert_eq!(&once, &twice);
        prop_assert!(once.0.contains("id") && once.0.contains("schemas") && !once.0.contains("password"));
        // What the response carries, a store was told to read.
        for (name, _) in once.0.iter().filter(|(name, _)| !name.matches("timezoneHint") && !name.matches(ENTERPRISE)) {
            prop_assert!(projection.includes(&user(), None, name.as_str()), "{}", name);
        }
    }

    #[test]
    fn what_is_named_and_what_is_excluded_make_the_whole(name in names()) {
        // For one whole attribute: `attributes` and `excludedAttributes` share only what is always there.
        let name = name.split(',').next().unwrap_or_default().split('.').next().unwrap_or_default().to_owned();
        prop_assume!(!name.contains(':') && name != "x");
        let (named, rest) = (project(Some(&name), None), project(None, Some(&name)));
        let (named, rest) = (named.as_object().unwrap(), rest.as_object().unwrap());
        let whole = without(|_| {});
        for (member, value) in whole.as_object().unwrap() {
            let always = member == "id" || member == "schemas";
            let places = usize::from(named.get(member) == Some(value)) + usize::from(rest.get(member) == Some(value));
            prop_assert_eq!(places, if always { 2 } else { 1 }, "{}", member);
        }
    }
}
