//! Resources and their typed views: nothing is lost either way.

#![expect(clippy::panic, reason = "a test")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use scim_core::leniency::Leniencies;
use scim_core::resource::{EnterpriseUser, Group, Manager, Member, Meta, MultiValued, Name, Password, User};
use scim_core::schema::{Attribute, AttributeType, Registry, Schema, builtin};
use scim_core::{ExternalId, Object, Resource, ResourceId, Value, Version, validate};
use serde_json::json;

fn resource(json: serde_json::Value) -> Resource {
    match Value::from(json) {
        Value::Object(object) => Resource(object),
        other => panic!("{other} is no object"),
    }
}

#[test]
fn the_words_every_resource_has() {
    let mut resource = resource(json!({
        "schemas": ["urn:a", "urn:b"], "externalId": "42", "userName": "a",
        "urn:b": {"x": 1}, "meta": {"resourceType": "User", "version": "W/\"7\""},
    }));
    assert_eq!(resource.id(), None);
    resource.set_id(&ResourceId::new("1"));
    assert_eq!(resource.id(), Some(ResourceId::new("1")));
    assert_eq!(resource.external_id(), Some(ExternalId::new("42")));
    assert_eq!(resource.schemas().collect::<Vec<_>>(), ["urn:a", "urn:b"]);
    assert_eq!(resource.resource_type(), Some("User"));
    assert_eq!(resource.version(), Some(Version(7)));
    assert_eq!(resource.get("USERNAME"), Some(&Value::from("a")));
    assert_eq!(resource.get_in(Some("URN:B"), "X"), Some(&Value::from(1)));
    assert_eq!(resource.get_in(None, "userName"), resource.get("userName"));
    assert_eq!(resource.extension("urn:b").map(Object::len), Some(1));
    assert_eq!(resource.extension("userName"), None);

    let mut meta = resource.meta().unwrap();
    assert_eq!(meta.resource_type.as_deref(), Some("User"));
    meta.version = Some("W/\"3694e05e9dff591\"".to_owned());
    resource.set_meta(meta.clone());
    assert_eq!(resource.meta(), Ok(meta));
    assert_eq!(resource.version(), None, "another service's");
    assert_eq!(Resource::default().meta(), Ok(Meta::default()));
}

#[test]
fn an_id_stands_after_schemas() {
    let mut with = resource(json!({"schemas": ["urn:a"], "userName": "a"}));
    with.set_id(&ResourceId::new("1"));
    assert!(with.0.to_string().starts_with(r#"{"schemas":["urn:a"],"id":"1""#));
    let mut without = resource(json!({"userName": "a"}));
    without.set_id(&ResourceId::new("1"));
    assert!(without.0.to_string().starts_with(r#"{"id":"1""#));
}

#[test]
fn a_user_is_read_field_by_field() {
    let enterprise = builtin::ENTERPRISE_USER;
    let user = User::try_from(resource(json!({
        "schemas": [builtin::USER, enterprise], "ID": "1", "externalId": "e", "userName": "bjensen",
        "name": {"familyName": "Jensen", "suffix": "x"}, "password": "t1meMa$heen", "active": false,
        "emails": [{"value": "a"}, {"value": "b", "primary": true, "type": "work", "verified": true}],
        "groups": [{"value": "g", "$ref": "../Groups/g", "type": "direct", "display": "G"}],
        "title": null, "ims": [], "shoeSize": 44,
        (enterprise): {"manager": {"value": "2", "displayName": "Boss"}, "badge": 7},
        "urn:x": {"y": 1},
    })))
    .unwrap();
    assert_eq!(user.id, Some(ResourceId::new("1")));
    assert_eq!(user.external_id, Some(ExternalId::new("e")));
    let name = user.name.as_ref().unwrap();
    assert_eq!(name.family_name.as_deref(), Some("Jensen"));
    assert_eq!(name.other.get("suffix"), Some(&Value::from("x")));
    assert_eq!(user.password, Some(Password::new("t1meMa$heen")));
    assert!(!format!("{user:?}").contains("t1me"));
    assert_eq!(user.active, Some(false));
    assert_eq!(user.primary_email(), Some("b"));
    assert_eq!(user.groups.first().unwrap().reference.as_deref(), Some("../Groups/g"));
    assert_eq!(user.title, None);
    let work = user.enterprise.as_ref().unwrap();
    assert_eq!(work.manager.as_ref().unwrap().value, Some(ResourceId::new("2")));
    assert_eq!(work.other.get("badge"), Some(&Value::from(7)));
    assert_eq!(user.other.get("SHOESIZE"), Some(&Value::from(44)));
    assert!(user.other.contains("urn:x"));
}

#[test]
fn no_debug_form_shows_a_password() {
    let user = json!({"userName": "a", "PassWord": "t1meMa$heen", "x": [{"password": "t1meMa$heen"}]});
    let write = scim_core::patch::Write {
        extension: None,
        attribute: "password".into(),
        value: Some("t1meMa$heen".into()),
    };
    for text in [format!("{:?}", resource(user)), format!("{write:?}")] {
        assert!(text.contains("[redacted]") && !text.contains("t1me"), "{text}");
    }
}

#[test]
fn a_view_refuses_other_types_with_their_path() {
    let enterprise = builtin::ENTERPRISE_USER;
    for (json, error) in [
        (json!({}), "`userName` is required"),
        (json!({"userName": 1}), "`userName` must be a string"),
        (json!({"userName": "a", "active": "true"}), "`active` must be a Boolean"),
        (json!({"userName": "a", "name": "x"}), "`name` must be an object"),
        (json!({"userName": "a", "name": {"givenName": []}}), "`name.givenName` must be a string"),
        (json!({"userName": "a", "emails": {}}), "`emails` must be an array"),
        (json!({"userName": "a", "emails": [{}, {"primary": 1}]}), "`emails[1].primary` must be a Boolean"),
        (json!({"userName": "a", "emails": [null]}), "`emails[0]` must be an object"),
        (json!({"userName": "a", "schemas": [2]}), "`schemas[0]` must be a string"),
        (
            json!({"userName": "a", (enterprise): {"manager": {"value": 1}}}),
            "`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value` must be a string",
        ),
    ] {
        let found = User::try_from(resource(json)).unwrap_err();
        assert_eq!(found.to_string(), error);
        assert!(error.contains(&format!("`{}`", found.path())));
        assert_eq!(scim_core::Error::from(found).detail(), error);
    }
    let found = Group::try_from(resource(json!({"displayName": "g", "members": [{"value": 1}]})));
    assert_eq!(found.unwrap_err().to_string(), "`members[0].value` must be a string");
}

#[test]
fn views_are_made_in_code() {
    let mut user = User::new("bjensen");
    user.name = Some(Name { given_name: Some("Barbara".to_owned()), ..Name::default() });
    user.roles = vec![MultiValued::new("admin").primary()];
    user.enterprise = Some(EnterpriseUser {
        manager: Some(Manager { value: Some(ResourceId::new("2")), ..Manager::default() }),
        ..EnterpriseUser::default()
    });
    let resource = Resource::from(user);
    assert_eq!(
        serde_json::Value::from(resource.0.clone()),
        json!({
            "schemas": [builtin::USER, builtin::ENTERPRISE_USER], "userName": "bjensen",
            "name": {"givenName": "Barbara"}, "roles": [{"value": "admin", "primary": true}],
            (builtin::ENTERPRISE_USER): {"manager": {"value": "2"}},
        })
    );
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let valid = validate::create(schema, resource.0.into(), &Leniencies::strict()).unwrap();
    assert_eq!(validate::check(schema, &valid.resource), Ok(()));

    let mut group = Group::new("g");
    group.members = vec![Member::new(ResourceId::new("1"))];
    assert_eq!(
        Resource::from(group).0.to_string(),
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g","members":[{"value":"1"}]}"#
    );
}

#[test]
fn the_resources_of_the_rfcs_pass_through_their_views() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rfc/examples");
    if !folder.exists() {
        println!("skipped: {} is absent", folder.display());
        return;
    }
    for file in ["8.1-user-minimal", "8.2-user-full", "8.3-enterprise_user", "8.4-group"] {
        let text = fs::read_to_string(folder.join(format!("rfc7643-{file}.json"))).unwrap();
        let Value::Object(object) = text.parse().unwrap() else { panic!("{file} is no object") };
        let resource = Resource(object);
        let back = match file {
            "8.4-group" => {
                let group = Group::try_from(resource.clone()).unwrap();
                assert!(group.other.is_empty(), "every attribute is a field: {:?}", group.other);
                group.into()
            }
            _ => {
                let user = User::try_from(resource.clone()).unwrap();
                assert!(user.other.is_empty(), "every attribute is a field: {:?}", user.other);
                assert!(user.enterprise.as_ref().is_none_or(|extension| extension.other.is_empty()));
                Resource::from(user)
            }
        };
        assert_eq!(back, resource, "{file}");
    }
}

/// A value of the attribute's type, or none.
fn value_of(attribute: &Attribute) -> BoxedStrategy<Option<Value>> {
    let one: BoxedStrategy<Value> = match attribute.kind {
        AttributeType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        AttributeType::Complex => object_of(&attribute.sub_attributes).prop_map(Value::from).boxed(),
        _ => any::<String>().prop_map(Value::from).boxed(),
    };
    let value = match attribute.multi_valued {
        true => prop::collection::vec(one, 1..3).prop_map(Value::from).boxed(),
        false => one,
    };
    prop::option::of(value).boxed()
}

/// An object of these attributes, in any order and case, and of one that no schema knows.
fn object_of(attributes: &[Attribute]) -> BoxedStrategy<Object> {
    let members: Vec<_> = attributes
        .iter()
        .map(|attribute| (Just(attribute.name.clone()), any::<bool>(), value_of(attribute)))
        .collect();
    (members, prop::option::of(any::<i64>()))
        .prop_map(|(members, unknown)| {
            let mut object = Object::new();
            for (name, upper, value) in members {
                let name = if upper { name.to_uppercase() } else { name };
                if let Some(value) = value {
                    object.insert(name.as_str(), value);
                }
            }
            object.extend(unknown.map(|value| ("unheardOf", value)));
            object
        })
        .boxed()
}

fn resource_of(base: &Schema, extension: Option<&Schema>, required: &'static str) -> BoxedStrategy<Resource> {
    let common = object_of(builtin::common_attributes());
    let base = object_of(&base.attributes);
    let extension = extension.map(|schema| (schema.id.clone(), object_of(&schema.attributes)));
    let extension = match extension {
        Some((uri, object)) => prop::option::of(object.prop_map(move |object| (uri.clone(), object))).boxed(),
        None => Just(None).boxed(),
    };
    (common, base, extension, any::<String>())
        .prop_map(move |(common, base, extension, text)| {
            let mut object = common;
            object.extend(base);
            object.insert(required, text);
            if let Some((uri, extension)) = extension {
                let schemas: Value = [Value::from(uri.as_str())].into_iter().collect();
                object.insert("schemas", schemas);
                object.insert(uri.as_str(), extension);
            }
            Resource(object)
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_user_loses_nothing(
        resource in resource_of(&builtin::user(), Some(&builtin::enterprise_user()), "userName"),
    ) {
        let user = User::try_from(resource.clone()).unwrap();
        let back = Resource::from(user.clone());
        prop_assert_eq!(&back, &resource);
        prop_assert_eq!(User::try_from(back).unwrap(), user);
    }

    #[test]
    fn a_group_loses_nothing(resource in resource_of(&builtin::group(), None, "displayName")) {
        let group = Group::try_from(resource.clone()).unwrap();
        let back = Resource::from(group.clone());
        prop_assert_eq!(&back, &resource);
        prop_assert_eq!(Group::try_from(back).unwrap(), group);
    }
}
