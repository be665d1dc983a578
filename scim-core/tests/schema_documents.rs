//! Schemas and resource types as JSON documents: what is read, and what is refused with its place.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::Path;

use scim_core::schema::{Attribute, Registry, ResourceType, Schema, builtin};
use serde_json::{Value, json};

fn schema_error(document: Value) -> String {
    Schema::read(document.to_string().as_bytes()).unwrap_err().to_string()
}

/// A schema with one attribute.
fn with(attribute: Value) -> Value {
    json!({"id": "urn:x:a", "attributes": [attribute]})
}

#[test]
fn what_is_wrong_in_a_schema_is_refused_with_its_place() {
    let sub =
        |sub: Value| with(json!({"name": "owner", "type": "complex", "subAttributes": [{"name": "a"}, sub]}));
    for (document, error) in [
        (json!("x"), "the document: must be an object, not a string"),
        (json!([{"id": "urn:x:a", "attributes": []}, 7]), "`[1]`: must be an object, not a number"),
        (json!({"Resources": {}}), "`Resources`: must be an array, not an object"),
        (json!({"Resources": [{"attributes": []}]}), "`Resources[0]`: `id` is required"),
        (json!({"id": "urn:x:a"}), "the document: `attributes` is required"),
        (json!({"id": 1, "attributes": []}), "`id`: must be a string, not a number"),
        (json!({"id": "urn:x:a", "attributes": {}}), "`attributes`: must be an array, not an object"),
        (json!({"id": "urn:x:a", "attributs": []}), "the document: `attributs` is no member of a schema"),
        (
            json!({"schemas": [builtin::RESOURCE_TYPE], "id": "urn:x:a", "attributes": []}),
            "`schemas`: must list `urn:ietf:params:scim:schemas:core:2.0:Schema`",
        ),
        (with(json!([])), "`attributes[0]`: must be an object, not an array"),
        (with(json!({"type": "string"})), "`attributes[0]`: `name` is required"),
        (with(json!({"name": ""})), "`attributes[0]`: `name` is required"),
        (
            with(json!({"name": "x", "type": "text"})),
            "`attributes[0].type` of `x`: `text` is no attribute type",
        ),
        (
            with(json!({"name": "x", "mutability": "frozen"})),
            "`attributes[0].mutability` of `x`: `frozen` is no mutability",
        ),
        (
            with(json!({"name": "x", "returned": "often"})),
            "`attributes[0].returned` of `x`: `often` is no returned characteristic",
        ),
        (
            with(json!({"name": "x", "uniqueness": "some"})),
            "`attributes[0].uniqueness` of `x`: `some` is no uniqueness",
        ),
        (
            with(json!({"name": "x", "retruned": "never"})),
            "`attributes[0]` of `x`: `retruned` is no characteristic of an attribute",
        ),
        (
            with(json!({"name": "x", "multiValued": "true"})),
            "`attributes[0].multiValued` of `x`: must be a Boolean, not a string",
        ),
        (
            with(json!({"name": "x", "canonicalValues": ["a", 1]})),
            "`attributes[0].canonicalValues[1]` of `x`: must be a string, not a number",
        ),
        (
            sub(json!({"name": "pin", "returned": "nevr"})),
            "`attributes[0].subAttributes[1].returned` of `owner.pin`: `nevr` is no returned characteristic",
        ),
        (
            sub(json!({"name": true})),
            "`attributes[0].subAttributes[1].name` of `owner`: must be a string, not a Boolean",
        ),
    ] {
        assert_eq!(schema_error(document), error);
    }
    let twice = Schema::read(br#"{"id": "urn:x:a", "ID": "urn:x:b", "attributes": []}"#).unwrap_err();
    assert_eq!(twice.to_string(), "not valid JSON: the member `ID` is given twice at line 1 column 22");
}

#[test]
fn what_is_wrong_in_a_resource_type_is_refused_with_its_place() {
    let with = |name: &str, value: Value| {
        let mut document = json!({"name": "A", "endpoint": "/As", "schema": "urn:x:a"});
        document[name] = value;
        document
    };
    for (document, error) in [
        (json!(null), "the document: must be an object, not null"),
        (with("name", Value::Null), "the document: `name` is required"),
        (with("endpoint", json!("")), "the document: `endpoint` is required"),
        (with("schema", json!(["urn:x:a"])), "`schema`: must be a string, not an array"),
        (with("id", json!("B")), "`id`: must be the name, `A`, or left out"),
        (with("extensions", json!([])), "the document: `extensions` is no member of a resource type"),
        (with("schemaExtensions", json!("urn:x:b")), "`schemaExtensions`: must be an array, not a string"),
        (
            with("schemaExtensions", json!(["urn:x:b"])),
            "`schemaExtensions[0]`: must be an object, not a string",
        ),
        (
            with("schemaExtensions", json!([{"required": true}])),
            "`schemaExtensions[0]`: `schema` is required",
        ),
        (
            with("schemaExtensions", json!([{"schema": "urn:x:b", "required": "yes"}])),
            "`schemaExtensions[0].required`: must be a Boolean, not a string",
        ),
        (
            with("schemaExtensions", json!([{"schema": "urn:x:b", "require": true}])),
            "`schemaExtensions[0]`: `require` is no member of a schema extension",
        ),
    ] {
        let error_of = |document: &Value| ResourceType::read(document.to_string().as_bytes()).unwrap_err();
        assert_eq!(error_of(&document).to_string(), error);
    }
}

#[test]
fn a_text_holds_one_document_or_several() {
    let one =
        json!({"Id": "urn:x:a", "name": null, "attributes": [{"name": "x"}], "meta": {"location": "/"}});
    let two = json!({"id": "urn:x:b", "attributes": []});
    let ids = |text: Value| -> Vec<String> {
        Schema::read(text.to_string().as_bytes()).unwrap().into_iter().map(|schema| schema.id).collect()
    };
    assert_eq!(ids(one.clone()), ["urn:x:a"]);
    assert_eq!(ids(json!([one, two])), ["urn:x:a", "urn:x:b"]);
    assert_eq!(ids(json!({"totalResults": 1, "Resources": [two]})), ["urn:x:b"]);
    assert_eq!(ids(json!([])), [""; 0]);
    let read = Schema::read(one.to_string().as_bytes()).unwrap().remove(0);
    assert_eq!(read.attributes, [Attribute::string("x")]);
}

#[test]
fn what_discovery_writes_is_read_back() {
    for schema in [builtin::user(), builtin::group(), builtin::enterprise_user()] {
        let text = serde_json::to_vec(&schema).unwrap();
        assert_eq!(Schema::read(&text).unwrap(), [schema]);
    }
    let user = builtin::user_resource_type();
    assert_eq!(ResourceType::read(&serde_json::to_vec(&user).unwrap()).unwrap(), [user]);
}

#[test]
fn the_documents_of_rfc7643_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rfc/examples");
    if !folder.exists() {
        println!("skipped: {} is absent", folder.display());
        return;
    }
    let text = |file: &str| fs::read(folder.join(format!("rfc7643-{file}.json"))).unwrap();
    for file in ["user", "group", "enterprise_user"] {
        let text = text(&format!("8.7.1-schema-{file}"));
        let by_serde: Schema = serde_json::from_slice(&text).unwrap();
        assert_eq!(Schema::read(&text).unwrap(), [by_serde]);
    }
    for file in ["user", "group"] {
        assert_eq!(ResourceType::read(&text(&format!("8.6-resource_type-{file}"))).unwrap().len(), 1);
    }
}

#[test]
fn a_registry_takes_more_types_and_others_in_place_of_its_own() {
    let badge = Schema::read(br#"{"id": "urn:x:badge", "attributes": [{"name": "number"}]}"#).unwrap();
    let users = ResourceType::read(
        br#"{"name": "User", "endpoint": "/Users", "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
            "schemaExtensions": [{"schema": "urn:x:badge", "required": true}]}"#,
    )
    .unwrap();
    let registry = Registry::standard().with(badge.clone(), users).unwrap();
    let user = registry.by_name("User").unwrap();
    assert_eq!(registry.resource_types().count(), 2);
    assert!(
        user.find(Some("urn:x:badge"), "NUMBER").is_some()
            && user.extension(builtin::ENTERPRISE_USER).is_none()
    );

    let refused = |schemas: Vec<Schema>, types: &[u8]| {
        let types = ResourceType::read(types).unwrap();
        Registry::standard().with(schemas, types).unwrap_err().to_string()
    };
    assert_eq!(refused(vec![builtin::user()], b"[]"), format!("schema `{}` is given twice", builtin::USER));
    let type_a = br#"[{"name": "A", "endpoint": "/Users", "schema": "urn:x:badge"}]"#;
    assert_eq!(refused(badge.clone(), type_a), "two resource types are served at `/Users`");
    let twice = br#"[{"name": "A", "endpoint": "/As", "schema": "urn:x:badge"},
                     {"name": "A", "endpoint": "/Bs", "schema": "urn:x:badge"}]"#;
    assert_eq!(refused(badge, twice), "resource type `A` is given twice");
}
