//! The OpenAPI description: whole in itself, true to the schemas, and what the service answers is in it.

use std::collections::BTreeSet;

use scim_core::leniency::Leniencies;
use scim_core::pagination::{CursorKey, Cursors};
use scim_core::schema::{Attribute, Mutability, builtin};
use scim_core::service::Capabilities;
use scim_core::{Config, openapi};
use serde_json::{Value, json};

use crate::characteristics::{ORIGIN, SPECIMEN, registry, specimen};
use crate::support::{config, request, server_with, user};

fn described() -> Config {
    let cursors = Cursors::new(CursorKey::new("a key of more than thirty-two bytes").unwrap());
    Config { registry: registry(), cursors: Some(cursors), ..config() }
}

/// Each operation: path, method, description.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &'_ Value)| -> Vec<(String, String)> {
        item.as_object().unwrap().keys().map(|method| (path.clone(), method.clone())).collect()
    };
    let named = paths.iter().flat_map(of_path);
    named
        .map(|(path, method)| {
            let operation = &document["paths"][&path][&method];
            (path, method, operation)
        })
        .collect()
}

/// Calls `visit` with each object of the document.
fn walk(value: &Value, visit: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            visit(members);
            members.values().for_each(|member| walk(member, visit));
        }
        Value::Array(elements) => elements.iter().for_each(|element| walk(element, visit)),
        _ => {}
    }
}

#[test]
fn the_document_is_whole_in_itself() {
    let document = openapi::document_with_me(&described(), "User");
    let mut references = 0;
    walk(&document, &mut |object| {
        // An attribute may be called `$ref`, as that of `members` is.
        if let Some(target) = object.get("$ref").and_then(Value::as_str) {
            references += 1;
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
    });
    assert!(references > 50, "{references}");

    let operations = operations(&document);
    let ids: BTreeSet<&str> = operations.iter().map(|(.., of)| of["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len(), "an operationId is had once");
    for (path, method, operation) in &operations {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_path: Vec<&str> = parameters
            .iter()
            .filter(|of| of["in"] == "path")
            .map(|of| of["name"].as_str().unwrap())
            .collect();
        assert_eq!(in_path, if path.contains("{id}") { vec!["id"] } else { vec![] }, "{method} {path}");
        assert!(operation["responses"].as_object().unwrap().keys().any(|status| status.starts_with('2')));
        for link in operation["responses"]["201"]["links"].as_object().into_iter().flatten() {
            assert!(ids.contains(link.1["operationId"].as_str().unwrap()), "{method} {path}: {}", link.0);
        }
    }
    let keys = document["components"]["schemas"].as_object().unwrap().keys();
    for key in keys {
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)), "{key}");
    }
}

#[test]
fn each_characteristic_is_in_the_bodies_it_concerns() {
    let document = openapi::document(&described());
    let body = |component: &str| &document["components"]["schemas"][component];
    let has = |component: &str, name: &str| body(component)["properties"].get(name).is_some();
    let attributes: Vec<Attribute> = registry().schema(SPECIMEN).unwrap().attributes.clone();
    for attribute in &attributes {
        let name = &attribute.name;
        let written = attribute.mutability != Mutability::ReadOnly;
        assert_eq!(has("Specimen", name), !attribute.is_sensitive(), "{name}");
        assert_eq!(has("Specimen.create", name), written, "{name}");
        assert_eq!(has("Specimen.replace", name), written, "{name}");
        let write_only = body("Specimen.create")["properties"][name].get("writeOnly").is_some();
        assert_eq!(write_only, attribute.mutability == Mutability::WriteOnly, "{name}");
    }
    let required = |component: &str| body(component)["required"].clone();
    assert_eq!(required("Specimen.create"), json!(["label", "schemas", ORIGIN]));
    assert_eq!(required("Specimen"), json!(["schemas", "id"]), "any other may be left out of an answer");
    assert_eq!(body("Specimen")["additionalProperties"], json!(false));
    assert_eq!(
        body("Specimen.create").get("additionalProperties"),
        None,
        "what no schema defines is tolerated"
    );

    let property = |component: &str, name: &str| body(component)["properties"][name].clone();
    assert_eq!(
        property("Specimen", "colour"),
        json!({"type": "string", "examples": ["red", "green", "blue"]})
    );
    assert_eq!(property("Specimen", "counts")["items"]["type"], json!("integer"));
    assert_eq!(property("Specimen.create", "counts")["type"], json!(["array", "null"]));
    assert_eq!(
        property("Specimen.create", "label")["pattern"],
        json!("^[^\\u0000]+$"),
        "required, so not empty"
    );
    let parts = property("Specimen", "parts")["items"]["properties"].clone();
    assert_eq!((parts.get("key"), parts["length"]["type"].as_str()), (None, Some("number")));
    assert_eq!(property("Specimen.create", "parts")["items"]["required"], json!(["value"]));
    assert_eq!(property("Specimen.create", "curator")["properties"].get("rank"), None, "readOnly");
    assert_eq!(property("Specimen", ORIGIN)["properties"].get("permit"), None, "writeOnly");
    assert!(has("User", "userName") && !has("User", "password") && has("User.create", "password"));
}

/// What is passed over of a body is described in none.
#[test]
fn what_the_service_says_of_references_is_not_to_be_written() {
    let member = |config: &Config, component: &str| -> Value {
        let document = openapi::document(config);
        document["components"]["schemas"][component]["properties"]["members"]["items"]["properties"].clone()
    };
    let names = |object: Value| -> Vec<String> { object.as_object().unwrap().keys().cloned().collect() };
    let unchecked = Config { check_members: false, ..config() };
    for side in ["Group.create", "Group.replace"] {
        assert_eq!(names(member(&config(), side)), ["display", "value"]);
        assert_eq!(names(member(&unchecked, side)), ["display", "type", "value"]);
    }
    let answered = member(&config(), "Group");
    let read_only = |name: &str| answered[name].get("readOnly") == Some(&json!(true));
    assert_eq!(["$ref", "type", "value", "display"].map(read_only), [true, true, false, false]);
    assert_eq!(member(&unchecked, "Group")["type"].get("readOnly"), None);

    let document = openapi::document(&config());
    for side in ["User", "User.create", "User.replace"] {
        let extension = &document["components"]["schemas"][side]["properties"][builtin::ENTERPRISE_USER];
        let reference = &extension["properties"]["manager"]["properties"]["$ref"];
        let described = "URI of the manager's user. Beside a `value` it is made of that, whatever is sent.";
        assert_eq!((&reference["description"], reference.get("readOnly")), (&json!(described), None));
    }
}

#[test]
fn what_is_not_served_is_not_described() {
    let paths = |config: &Config| -> BTreeSet<String> {
        operations(&openapi::document(config))
            .into_iter()
            .map(|(path, method, _)| format!("{method} {path}"))
            .collect()
    };
    let every = paths(&config());
    assert!(every.contains("patch /Users/{id}") && every.contains("post /Bulk") && every.contains("get /"));
    let off = Capabilities {
        patch: false,
        search: false,
        bulk: None,
        sort: false,
        etag: false,
        ..Capabilities::default()
    };
    let bare = Config { capabilities: off, leniencies: Leniencies::strict(), ..config() };
    let gone: Vec<String> = every.difference(&paths(&bare)).cloned().collect();
    assert_eq!(
        gone,
        [
            "get /",
            "patch /Groups/{id}",
            "patch /Users/{id}",
            "post /.search",
            "post /Bulk",
            "post /Groups/.search",
            "post /Users/.search",
        ]
    );
    let parameters = |config: &Config| -> Vec<String> {
        let document = openapi::document(config);
        let parameters = document["paths"]["/Users"]["get"]["parameters"].as_array().unwrap().clone();
        parameters.iter().map(|of| of["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(parameters(&bare), ["filter", "startIndex", "count", "attributes", "excludedAttributes"]);
    assert_eq!(
        parameters(&described()),
        [
            "filter",
            "startIndex",
            "count",
            "sortBy",
            "sortOrder",
            "cursor",
            "attributes",
            "excludedAttributes"
        ]
    );
    let text =
        |config: &Config| openapi::document(config)["info"]["description"].as_str().unwrap().to_owned();
    assert!(text(&config()).contains(" boolean-string ") && !text(&bare).contains("tolerated"));
    let document = openapi::document(&bare);
    assert_eq!(document["paths"]["/Users"]["post"]["responses"]["201"]["headers"].get("ETag"), None);
    assert_eq!(document["security"], json!([{"oauthbearertoken": []}]));
    assert!(!openapi::document(&described()).to_string().contains("thirty-two"), "no secret");
}

/// Every operation of the document is asked for, without what it needs and with what it needs.
#[test]
fn what_is_answered_is_described() {
    let server = server_with(described());
    let document = openapi::document(&described());
    let id = |path: &str, body: Value| -> String {
        let created = server.post(path, body);
        assert_eq!(created.status, 201, "{}", created.text);
        created.json()["id"].as_str().unwrap().to_owned()
    };
    let known = [
        ("/Users/{id}", id("/Users", user("known"))),
        ("/Groups/{id}", id("/Groups", json!({"displayName": "known"}))),
        ("/Specimens/{id}", id("/Specimens", specimen("known", json!({})))),
        ("/ResourceTypes/{id}", "User".to_owned()),
        ("/Schemas/{id}", SPECIMEN.to_owned()),
    ];
    let mut asked = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let one = known.iter().find(|(of, _)| *of == path).map_or("none", |(_, id)| id);
        // What was deleted is not there for the next.
        let paths = if method == "delete" { vec!["none"] } else { vec!["none", one] };
        let content = &operation["requestBody"]["content"]["application/scim+json"];
        let examples =
            content["examples"].as_object().into_iter().flatten().map(|(_, of)| Some(of["value"].clone()));
        let bodies: Vec<Option<Value>> =
            [None, Some(json!([])), Some(json!({}))].into_iter().chain(examples).collect();
        for (query, body) in ["", "?filter=x&attributes=id", "?count=1&count=2"]
            .into_iter()
            .flat_map(|query| bodies.iter().map(move |body| (query, body)))
        {
            for id in &paths {
                let at = format!("{}{query}", path.replace("{id}", id));
                let answer = server.call(request(&method.to_uppercase(), &at, body.clone()));
                let described = &operation["responses"][answer.status.as_str()];
                assert!(described.is_object(), "{method} {at}: {} {}", answer.status, answer.text);
                assert_eq!(described.get("content").is_some(), !answer.text.is_empty(), "{method} {at}");
                for (name, _) in described["headers"].as_object().into_iter().flatten() {
                    assert!(answer.header(name).is_some(), "{method} {at}: {name}");
                }
                asked.insert(format!("{method} {path} {}", answer.status.as_u16()));
                if answer.text.is_empty() {
                    continue;
                }
                let content = &described["content"]["application/scim+json"]["schema"]["$ref"];
                let pointer = content.as_str().unwrap().strip_prefix('#').unwrap();
                let schema = document.pointer(pointer).unwrap();
                for (name, _) in answer.json().as_object().unwrap() {
                    assert!(
                        schema["properties"].get(name).is_some(),
                        "{method} {at}: {name} of {}",
                        answer.text
                    );
                }
                for name in schema["required"].as_array().unwrap() {
                    assert!(answer.json().get(name.as_str().unwrap()).is_some(), "{method} {at}: {name}");
                }
            }
        }
    }
    for success in ["post /Specimens 201", "patch /Specimens/{id} 200", "get /Schemas/{id} 200", "get / 200"]
    {
        assert!(asked.contains(success), "{success}: {asked:?}");
    }
}
