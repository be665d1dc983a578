//! The messages of the protocol as JSON Schemas (RFC 7644 §8.2).

use serde_json::{Value as Json, json};

use super::body::text;
use crate::ScimType;
use crate::message::{BULK_REQUEST, BULK_RESPONSE, ERROR, LIST_RESPONSE, PATCH_OP, SEARCH_REQUEST};
use crate::service::Config;

/// `schemas` of a message.
fn schemas(uri: &str) -> Json {
    json!({ "type": "array", "items": { "const": uri }, "minItems": 1 })
}

/// A page of resources, each as one of `items` says.
pub(super) fn list(items: &Json) -> Json {
    let count = json!({ "type": "integer", "minimum": 0 });
    json!({
        "type": "object",
        "required": ["schemas", "totalResults", "itemsPerPage", "Resources"],
        "properties": {
            "schemas": schemas(LIST_RESPONSE),
            "totalResults": count,
            "startIndex": { "type": "integer", "minimum": 1 },
            "itemsPerPage": count,
            "previousCursor": { "type": "string" },
            "nextCursor": { "type": "string" },
            "Resources": { "type": "array", "items": { "anyOf": items } },
        },
        "additionalProperties": false,
    })
}

pub(super) fn error() -> Json {
    let keywords: Vec<&str> = ScimType::ALL.iter().map(|keyword| keyword.as_str()).collect();
    json!({
        "type": "object",
        "required": ["schemas", "status", "detail"],
        "properties": {
            "schemas": schemas(ERROR),
            "scimType": { "enum": keywords },
            "detail": { "type": "string" },
            "status": { "type": "string", "pattern": "^[45][0-9]{2}$" },
        },
        "additionalProperties": false,
    })
}

/// A PATCH of a resource of the type, whose attributes are those of the component `attribute`.
pub(super) fn patch(config: &Config, attribute: &Json) -> Json {
    json!({
        "type": "object",
        "required": ["schemas", "Operations"],
        "properties": {
            "schemas": schemas(PATCH_OP),
            "Operations": {
                "type": "array",
                "minItems": 1,
                "maxItems": config.limits.max_patch_operations,
                "items": {
                    "type": "object",
                    "required": ["op"],
                    "properties": {
                        "op": { "enum": ["add", "remove", "replace"] },
                        "path": attribute,
                        "value": {
                            "description": "Of the attribute's type; without `path` an object of attributes.",
                        },
                    },
                },
            },
        },
    })
}

/// The name of an attribute: one the schemas define, and what else names attributes, which is another
/// case, a value path in a PATCH, the URI of a schema.
pub(super) fn attribute(names: &[String]) -> Json {
    json!({
        "description": "An attribute; in a PATCH also of chosen values: `emails[type eq \"work\"].value`.",
        "anyOf": [{ "enum": names }, text()],
    })
}

/// A query in the body of a POST.
pub(super) fn search(config: &Config, attribute: &Json) -> Json {
    let names = json!({ "type": "array", "items": attribute });
    let mut search = json!({
        "type": "object",
        "required": ["schemas"],
        "properties": {
            "schemas": schemas(SEARCH_REQUEST),
            "filter": filter(config),
            "startIndex": { "type": "integer" },
            "count": { "type": "integer" },
            "attributes": names,
            "excludedAttributes": names,
        },
        "not": { "required": ["attributes", "excludedAttributes"] },
    });
    if let Some(properties) = search.get_mut("properties").and_then(Json::as_object_mut) {
        if config.capabilities.sort {
            properties.insert("sortBy".to_owned(), attribute.clone());
            properties.insert("sortOrder".to_owned(), sort_order());
        }
        if config.cursors.is_some() {
            properties.insert("cursor".to_owned(), text());
        }
    }
    search
}

/// A filter, of at most the length that is read; first some that any resource type has the attributes
/// for.
pub(super) fn filter(config: &Config) -> Json {
    let some = ["id pr", "externalId eq \"42\"", "not (meta.lastModified gt \"2026-01-01T00:00:00Z\")"];
    json!({ "anyOf": [
        { "enum": some },
        { "type": "string", "minLength": 1, "maxLength": config.limits.filter.max_bytes },
    ] })
}

pub(super) fn sort_order() -> Json {
    json!({ "enum": ["ascending", "descending"] })
}

pub(super) fn bulk_request(config: &Config) -> Json {
    let most = config.capabilities.bulk.map_or(0, |limits| limits.max_operations);
    let endpoints: Vec<&str> =
        config.registry.resource_types().map(|schema| schema.resource_type().endpoint.as_str()).collect();
    json!({
        "type": "object",
        "required": ["schemas", "Operations"],
        "properties": {
            "schemas": schemas(BULK_REQUEST),
            "failOnErrors": { "type": ["integer", "null"], "minimum": 1 },
            "Operations": {
                "type": "array",
                "minItems": 1,
                "maxItems": most,
                "items": {
                    "type": "object",
                    "required": ["method", "path"],
                    "properties": {
                        "method": { "enum": ["POST", "PUT", "PATCH", "DELETE"] },
                        "path": {
                            "description": "Below the base URL.",
                            "anyOf": [{ "enum": endpoints }, text()],
                        },
                        "bulkId": text(),
                        "version": text(),
                        "data": { "type": ["object", "null"] },
                    },
                },
            },
        },
    })
}

pub(super) fn bulk_response() -> Json {
    json!({
        "type": "object",
        "required": ["schemas", "Operations"],
        "properties": {
            "schemas": schemas(BULK_RESPONSE),
            "Operations": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["status"],
                    "properties": {
                        "method": { "type": "string" },
                        "bulkId": { "type": "string" },
                        "version": { "type": "string" },
                        "location": { "type": "string" },
                        "status": { "type": "string", "pattern": "^[2345][0-9]{2}$" },
                        "response": super::reference("Error"),
                    },
                    "additionalProperties": false,
                },
            },
        },
        "additionalProperties": false,
    })
}
