//! Bodies as they may be sent.

use serde_json::{Map, Value as Json, json};

use crate::message::PATCH_OP;
use crate::schema::{Attribute, AttributeType, Mutability, ResourceSchema};

/// A resource with what is required.
pub(super) fn resource(schema: &ResourceSchema) -> Json {
    let mut uris = vec![Json::from(schema.base().id.as_str())];
    let mut object = required(schema.top_level().filter(|attribute| attribute.name != "schemas"));
    for (extension, declared) in schema.extensions().iter().zip(&schema.resource_type().schema_extensions) {
        if declared.required {
            uris.push(extension.id.as_str().into());
            object.insert(extension.id.clone(), required(extension.attributes.iter()).into());
        }
    }
    object.insert("schemas".to_owned(), uris.into());
    Json::Object(object)
}

/// For each attribute that can be written a PATCH that replaces it, by name.
pub(super) fn patches(schema: &ResourceSchema) -> Vec<(String, Json)> {
    let own =
        schema.top_level().filter(|attribute| attribute.name != "schemas").map(|attribute| ("", attribute));
    let extended = schema.extensions().iter().flat_map(|extension| {
        extension.attributes.iter().map(|attribute| (extension.id.as_str(), attribute))
    });
    let writable = own.chain(extended).filter(|(_, attribute)| attribute.mutability == Mutability::ReadWrite);
    writable
        .map(|(uri, attribute)| {
            let colon = if uri.is_empty() { "" } else { ":" };
            let path = format!("{uri}{colon}{}", attribute.name);
            let operation = json!({ "op": "replace", "path": path, "value": value(attribute) });
            (attribute.name.clone(), json!({ "schemas": [PATCH_OP], "Operations": [operation] }))
        })
        .collect()
}

fn required<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> Map<String, Json> {
    attributes
        .filter(|attribute| attribute.required && attribute.mutability != Mutability::ReadOnly)
        .map(|attribute| (attribute.name.clone(), value(attribute)))
        .collect()
}

fn value(attribute: &Attribute) -> Json {
    let one = match attribute.kind {
        AttributeType::String => {
            attribute.canonical_values.first().map_or("text", |canonical| canonical.as_str()).into()
        }
        AttributeType::Boolean => json!(true),
        AttributeType::Decimal => json!(1.5),
        AttributeType::Integer => json!(1),
        AttributeType::DateTime => json!("2026-01-01T00:00:00Z"),
        AttributeType::Binary => json!("dGV4dA=="),
        AttributeType::Reference => json!("https://example.com/"),
        AttributeType::Complex => {
            let mut parts = required(attribute.sub_attributes.iter());
            let written = |sub: &&Attribute| sub.mutability != Mutability::ReadOnly;
            if let (true, Some(first)) = (parts.is_empty(), attribute.sub_attributes.iter().find(written)) {
                parts.insert(first.name.clone(), value(first));
            }
            Json::Object(parts)
        }
    };
    if attribute.multi_valued { json!([one]) } else { one }
}
