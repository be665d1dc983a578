//! A type with what the built-in schemas lack.

use std::sync::Arc;

use scim_core::ScimType;
use scim_core::schema::{
    Attribute, AttributeType, Mutability, Registry, ResourceSchema, ResourceType, Schema, SchemaExtension,
    Uniqueness,
};
use scim_core::validate;
use serde_json::json;

use crate::{create, detail, json_of, resource, user};

/// A type with what the built-in schemas lack.
pub(crate) fn thing() -> Arc<ResourceSchema> {
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
            Attribute::complex("two", [Attribute::string("mark").mutability(Mutability::Immutable)]),
            Attribute::complex(
                "doors",
                [Attribute::string("value"), Attribute::string("mark").mutability(Mutability::Immutable)],
            )
            .multi_valued(),
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

const NO_INTEGER: &str = "`count` must be a whole number from -9223372036854775808 to 9223372036854775807";

#[test]
fn the_types_the_built_in_schemas_do_not_use() {
    let schema = thing();
    for (json, error) in [
        (json!({"count": 1.5}), NO_INTEGER),
        (json!({"count": 1.0}), NO_INTEGER),
        (json!({"count": 9_223_372_036_854_775_808_u64}), NO_INTEGER),
        (json!({"count": u64::MAX}), NO_INTEGER),
        (json!({"count": -9_223_372_036_854_775_809.0}), NO_INTEGER),
        (json!({"count": "1"}), "`count` must be a whole number, not a string"),
        (json!({"weight": "1"}), "`weight` must be a number, not a string"),
        (json!({"seen": "yesterday"}), "`seen` must be a date and time such as 2008-01-23T04:56:22Z"),
        (json!({"seen": 1}), "`seen` must be a string, not a number"),
        (json!({"tags": ["a", 1]}), "`tags[1]` must be a string, not a number"),
    ] {
        assert_eq!(detail(create(&schema, json)), (Some(ScimType::InvalidValue), error.to_owned()));
    }
    let json = json!({"count": i64::MIN, "weight": u64::MAX, "tags": ["a", "b"],
        "seen": "2008-01-23T04:56:22Z"});
    let valid = create(&schema, json.clone()).unwrap();
    for (name, value) in json.as_object().unwrap() {
        assert_eq!(&json_of(&valid.resource)[name], value);
    }
}

#[test]
fn a_user_name_has_no_character_that_cannot_be_seen() {
    let registry = Registry::standard();
    let user = registry.by_name("User").unwrap();
    for (name, character) in [("a\tb", "U+0009"), ("a\u{202e}b", "U+202E"), ("\u{200b}ab", "U+200B")] {
        let error = format!("`userName` has the character {character}, which no user name may have");
        assert_eq!(detail(create(user, json!({"userName": name}))), (Some(ScimType::InvalidValue), error));
    }
    for name in ["Zoë O'Hara", "ｂob@example.com", "A\u{30a}sa"] {
        let valid = create(user, json!({"userName": name})).unwrap();
        assert_eq!(json_of(&valid.resource)["userName"], name);
    }
}

#[test]
fn unique_keys_are_folded_by_case_exact() {
    let one = resource(json!({
        "id": "1", "tags": ["B", "a", "A"], "weight": 1.0,
        "parts": [{"code": 1, "serial": "S"}, {"code": 2}],
        "urn:x:ext": {"key": "K"},
    }));
    let keys: Vec<_> = validate::unique_keys(&thing(), &one)
        .into_iter()
        .map(|key| format!("{}={}", key.attribute, key.value))
        .collect();
    assert_eq!(keys, ["parts.serial=s", "tags=a", "tags=b", "urn:x:ext:key=K", "weight=1"]);
    assert!(validate::unique_keys(&user(), &resource(json!({"id": "1", "userName": ""}))).is_empty());
}
