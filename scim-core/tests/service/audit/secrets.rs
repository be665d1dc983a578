//! What a record does not show.

use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::schema::{Attribute, Mutability, Registry, ResourceType, Returned, Schema, SchemaExtension};
use scim_core::{Config, Error, Object, Resource};
use serde_json::json;

use super::audited;
use crate::support::{config, patch_op, server, server_with};

/// Stores what it is given, passwords included, and marks it with what no schema has.
struct Hoarder;

impl Policy for Hoarder {
    fn admit(&self, _: &Context<'_>, _: Write<'_>, resource: &mut Resource) -> Result<Admission, Error> {
        resource.0.insert("hash", "s3cret of a policy");
        if let Some(name) = resource.0.get_mut("name").and_then(|name| name.as_object_mut()) {
            name.insert("hash", "s3cret of a policy");
        }
        resource.0.insert("urn:none:such", Object::from_iter([("key", "s3cret of a policy")]));
        Ok(Admission::Store)
    }
}

#[test]
fn a_password_is_not_shown_nor_what_no_schema_defines() {
    let (server, kept) = audited(server().with_policy(Hoarder));
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "babs", "password": "s3cret", "name": {"familyName": "Jensen"},
    });
    server.post("/Users", body);
    server.patch("/Users/id-1", json!([{"op": "replace", "path": "password", "value": "s3cret 2"}]));
    server.delete("/Users/id-1");
    let records = kept.json();
    let text = serde_json::to_string(&records).unwrap();
    assert!(!text.contains("s3cret"), "{text}");
    let redacted = |record: usize, attribute: &str, change: serde_json::Value| {
        let changes = records[record]["changes"].as_array().unwrap();
        let found = changes.iter().find(|found| found["attribute"] == attribute);
        let mut expected = change;
        (expected["attribute"], expected["redacted"]) = (attribute.into(), true.into());
        assert_eq!(found, Some(&expected), "{text}");
    };
    redacted(0, "password", json!({"after": "[redacted]"}));
    redacted(0, "name", json!({"after": {"familyName": "Jensen", "hash": "[redacted]"}}));
    redacted(0, "hash", json!({"after": "[redacted]"}));
    redacted(0, "urn:none:such", json!({"after": "[redacted]"}));
    redacted(1, "password", json!({"before": "[redacted]", "after": "[redacted]"}));
    redacted(2, "password", json!({"before": "[redacted]"}));
}

#[test]
fn custom_schemas_and_extensions_keep_their_secrets() {
    let secret = |name: &str| Attribute::string(name).returned(Returned::Never);
    let written = |name: &str| Attribute::string(name).mutability(Mutability::WriteOnly);
    let parts =
        || vec![Attribute::string("label"), secret("pin"), written("puk"), Attribute::string("Password")];
    let schema = |id: &str| Schema {
        id: id.to_owned(),
        name: id.to_owned(),
        description: String::new(),
        attributes: vec![
            Attribute::string("name"),
            secret("key"),
            written("keys").multi_valued(),
            Attribute::complex("card", parts()),
            Attribute::complex("cards", parts()).multi_valued(),
            Attribute::complex("vault", vec![Attribute::string("gold")]).returned(Returned::Never),
            // Its values are kept as members are.
            Attribute::complex(
                "doors",
                vec![
                    Attribute::string("value").mutability(Mutability::Immutable),
                    Attribute::string("code").returned(Returned::Never),
                ],
            )
            .multi_valued(),
        ],
    };
    let kind = ResourceType {
        name: "Safe".to_owned(),
        description: String::new(),
        endpoint: "/Safes".to_owned(),
        schema: "urn:example:Safe".to_owned(),
        schema_extensions: vec![SchemaExtension {
            schema: "urn:example:ext:Safe".to_owned(),
            required: false,
        }],
    };
    let schemas = vec![schema("urn:example:Safe"), schema("urn:example:ext:Safe")];
    let config = Config { registry: Registry::new(schemas, vec![kind]).unwrap(), ..config() };
    let (server, kept) = audited(server_with(config));
    let card = |label: &str| json!({"label": label, "pin": "s3cret", "puk": "s3cret", "Password": "s3cret"});
    let all = |label: &str| {
        json!({
            "name": label, "key": format!("s3cret {label}"), "keys": ["s3cret"], "card": card(label),
            "cards": [card(label), card("two")], "vault": {"gold": "s3cret"},
            "doors": [{"value": label, "code": "s3cret"}],
        })
    };
    let whole = |label: &str| {
        let mut body = all(label);
        body["schemas"] = json!(["urn:example:Safe", "urn:example:ext:Safe"]);
        body["urn:example:ext:Safe"] = all(label);
        body
    };
    assert_eq!(server.post("/Safes", whole("one")).status, 201);
    assert_eq!(server.put("/Safes/id-1", whole("won")).status, 200);
    let operations = json!([
        {"op": "replace", "value": all("wan")},
        {"op": "add", "path": "urn:example:ext:Safe:card.pin", "value": "s3cret pin"},
        {"op": "add", "path": "doors", "value": [{"value": "back", "code": "s3cret"}]},
    ]);
    let answer = server.send("PATCH", "/Safes/id-1", Some(patch_op(operations)));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(server.delete("/Safes/id-1").status, 204);

    let records = kept.json();
    let text = serde_json::to_string_pretty(&records).unwrap();
    assert_eq!(records.len(), 4);
    assert!(!text.contains("s3cret"), "{text}");
    let shown = json!({
        "label": "one", "pin": "[redacted]", "puk": "[redacted]", "Password": "[redacted]",
    });
    let find = |record: usize, attribute: &str| {
        let changes = records[record]["changes"].as_array().unwrap();
        changes.iter().find(|change| change["attribute"] == attribute).unwrap().clone()
    };
    assert_eq!(find(0, "card"), json!({"attribute": "card", "after": shown, "redacted": true}));
    assert_eq!(find(0, "name"), json!({"attribute": "name", "after": "one"}));
    for attribute in ["key", "keys", "vault", "urn:example:ext:Safe:key", "urn:example:ext:Safe:vault"] {
        let change = json!({"attribute": attribute, "after": "[redacted]", "redacted": true});
        assert_eq!(find(0, attribute), change);
    }
    let doors = json!({
        "attribute": "doors", "removed": ["one"], "added": [{"value": "won", "code": "[redacted]"}], "redacted": true,
    });
    assert_eq!(find(1, "doors"), doors);
    assert_eq!(find(2, "urn:example:ext:Safe:card")["redacted"], true);
}
