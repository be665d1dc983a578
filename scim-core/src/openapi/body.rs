//! Resources as JSON Schemas: what each characteristic of an attribute means for a body.

use std::borrow::Cow;

use serde_json::{Map, Value as Json, json};

use crate::link::Link;
use crate::membership::{MEMBERS, REFERENCE, member_reference, member_type};
use crate::schema::{Attribute, AttributeType, Mutability, ResourceSchema, Schema};
use crate::service::Config;

/// Which body is described.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// That of a POST.
    Create,
    /// That of a PUT.
    Replace,
    /// That of an answer.
    Response,
}

/// A text that may be written: none holds U+0000.
pub(super) fn text() -> Json {
    json!({ "type": "string", "pattern": "^[^\\u0000]*$" })
}

/// A resource of the type.
pub(super) fn resource(config: &Config, schema: &ResourceSchema, side: Side) -> Json {
    let described = schema.top_level().filter(|attribute| attribute.name != "schemas");
    let described: Vec<Cow<'_, Attribute>> =
        described.map(|attribute| as_served(config, schema, None, attribute)).collect();
    let (mut properties, mut required) = members(described.iter().map(|attribute| &**attribute), side);
    properties.insert("schemas".to_owned(), uris(schema));
    required.push("schemas".into());
    if side == Side::Response {
        required.push("id".into());
    }
    for (extension, declared) in schema.extensions().iter().zip(&schema.resource_type().schema_extensions) {
        properties.insert(extension.id.clone(), extension_object(config, schema, extension, side));
        if declared.required && side != Side::Response {
            required.push(extension.id.as_str().into());
        }
    }
    let mut object = object(properties, required, side);
    if let Some(members) = object.as_object_mut() {
        members.insert("description".to_owned(), schema.resource_type().description.as_str().into());
    }
    object
}

/// A document of discovery, whose attributes are all returned.
pub(super) fn discovery(schema: &Schema) -> Json {
    let (mut properties, mut required) = members(schema.attributes.iter(), Side::Response);
    properties.insert("schemas".to_owned(), json!({ "type": "array", "items": { "const": schema.id } }));
    properties.insert("meta".to_owned(), json!({ "type": "object" }));
    required.push("schemas".into());
    let always = schema.attributes.iter().filter(|attribute| attribute.required);
    required.extend(always.map(|attribute| attribute.name.as_str().into()));
    object(properties, required, Side::Response)
}

/// `schemas`: the base schema, and extensions.
fn uris(schema: &ResourceSchema) -> Json {
    let extensions = schema.extensions().iter().map(|extension| extension.id.as_str());
    let uris: Vec<&str> = std::iter::once(schema.base().id.as_str()).chain(extensions).collect();
    json!({
        "type": "array",
        "items": { "enum": uris },
        "contains": { "const": schema.base().id },
        "uniqueItems": true,
    })
}

fn extension_object(config: &Config, schema: &ResourceSchema, extension: &Schema, side: Side) -> Json {
    let of_extension = Some(extension.id.as_str());
    let described: Vec<Cow<'_, Attribute>> = (extension.attributes.iter())
        .map(|attribute| as_served(config, schema, of_extension, attribute))
        .collect();
    let (properties, required) = members(described.iter().map(|attribute| &**attribute), side);
    let mut object = object(properties, required, side);
    if let Some(members) = object.as_object_mut() {
        members.insert("description".to_owned(), extension.description.as_str().into());
    }
    object
}

/// The attribute as the service has it: what it says itself of members is readOnly, whatever the schema has clients
/// write, and of a `$ref` that it says beside a `value` the description tells.
fn as_served<'a>(
    config: &Config,
    schema: &ResourceSchema,
    extension: Option<&str>,
    attribute: &'a Attribute,
) -> Cow<'a, Attribute> {
    let mut served = Cow::Borrowed(attribute);
    let is_members = extension.is_none() && attribute.name.eq_ignore_ascii_case(MEMBERS);
    let said = [
        member_reference(schema).filter(|_| is_members),
        member_type(schema).filter(|_| is_members && config.check_members),
    ];
    for said in said.into_iter().flatten() {
        let subs = served.to_mut().sub_attributes.iter_mut();
        subs.filter(|sub| sub.name == said.name).for_each(|sub| sub.mutability = Mutability::ReadOnly);
    }
    if Link::all(&config.registry, schema).any(|(link, _)| link.is(extension, &attribute.name)) {
        let subs = served.to_mut().sub_attributes.iter_mut();
        for sub in subs.filter(|sub| sub.name.eq_ignore_ascii_case(REFERENCE)) {
            let described = format!("{} {MADE_OF_VALUE}", sub.description);
            sub.description = described.trim_start().to_owned();
        }
    }
    served
}

const MADE_OF_VALUE: &str = "Beside a `value` it is made of that, whatever is sent.";

/// What an answer has is all it may have; in what is written other attributes are passed over.
fn object(properties: Map<String, Json>, required: Vec<Json>, side: Side) -> Json {
    let mut object = json!({ "type": "object", "properties": properties });
    if let Some(members) = object.as_object_mut() {
        if !required.is_empty() {
            members.insert("required".to_owned(), required.into());
        }
        if side == Side::Response {
            members.insert("additionalProperties".to_owned(), false.into());
        }
    }
    object
}

/// The attributes of an object, and the names of those it must have.
fn members<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
    side: Side,
) -> (Map<String, Json>, Vec<Json>) {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for attribute in attributes.filter(|attribute| is_in(attribute, side)) {
        properties.insert(attribute.name.clone(), property(attribute, side));
        // Of an answer any may be left out, by `attributes` and `excludedAttributes`.
        if attribute.required && side != Side::Response {
            required.push(attribute.name.as_str().into());
        }
    }
    (properties, required)
}

fn is_in(attribute: &Attribute, side: Side) -> bool {
    match side {
        Side::Create | Side::Replace => attribute.mutability != Mutability::ReadOnly,
        Side::Response => !attribute.is_sensitive(),
    }
}

fn property(attribute: &Attribute, side: Side) -> Json {
    let mut value = value(attribute, side);
    if attribute.multi_valued {
        value = json!({ "type": "array", "items": value });
    }
    let Some(members) = value.as_object_mut() else { return value };
    if side != Side::Response && !attribute.required {
        // `null` is no value (RFC 7643 §2.5).
        if let Some(kind) = members.get("type").cloned() {
            members.insert("type".to_owned(), json!([kind, "null"]));
        }
    }
    if !attribute.description.is_empty() {
        members.insert("description".to_owned(), attribute.description.as_str().into());
    }
    let flag = match attribute.mutability {
        Mutability::ReadOnly => "readOnly",
        Mutability::WriteOnly => "writeOnly",
        Mutability::ReadWrite | Mutability::Immutable => "",
    };
    if !flag.is_empty() {
        members.insert(flag.to_owned(), true.into());
    }
    if side == Side::Replace && attribute.mutability == Mutability::Immutable {
        members.insert("$comment".to_owned(), "immutable: the value it has, if it has one".into());
    }
    value
}

/// One value. Canonical values are suggestions, and so are examples here.
fn value(attribute: &Attribute, side: Side) -> Json {
    let mut value = match attribute.kind {
        AttributeType::Boolean => json!({ "type": "boolean" }),
        AttributeType::Decimal => json!({ "type": "number" }),
        AttributeType::Integer => json!({ "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX }),
        AttributeType::Complex => {
            let (properties, required) = members(attribute.sub_attributes.iter(), side);
            return object(properties, required, side);
        }
        AttributeType::Binary => json!({ "type": "string", "contentEncoding": "base64" }),
        AttributeType::DateTime if side != Side::Response => {
            json!({ "type": "string", "format": "date-time" })
        }
        // What was written comes back as it was, also without a time zone (RFC 7643 §2.3.5).
        AttributeType::DateTime => json!({ "type": "string" }),
        AttributeType::String | AttributeType::Reference if side == Side::Response => {
            json!({ "type": "string" })
        }
        AttributeType::String if attribute.required => {
            json!({ "type": "string", "pattern": "^[^\\u0000]+$" })
        }
        AttributeType::String | AttributeType::Reference => text(),
    };
    if let (false, Some(members)) = (attribute.canonical_values.is_empty(), value.as_object_mut()) {
        members.insert("examples".to_owned(), attribute.canonical_values.clone().into());
    }
    value
}
