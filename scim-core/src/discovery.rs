//! The documents that say what a service serves (RFC 7644 §4, RFC 7643 §5–§7).
//!
//! ```
//! use scim_core::{Config, discovery};
//!
//! let config = Config::new("https://example.com/scim/v2".parse()?);
//! let document = serde_json::Value::from(discovery::service_provider_config(&config));
//! assert_eq!(document["patch"]["supported"], true);
//! assert_eq!(document["meta"]["location"], "https://example.com/scim/v2/ServiceProviderConfig");
//! assert_eq!(discovery::resource_types(&config).len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::pagination::Cursors;
use crate::schema::builtin::{RESOURCE_TYPE, SCHEMA, SERVICE_PROVIDER_CONFIG};
use crate::schema::{ResourceType, Schema};
use crate::service::{BaseUrl, Capabilities, Config};
use crate::value::{Object, Value};

/// `/ServiceProviderConfig`: what the configuration and the capabilities say (RFC 7643 §5).
pub fn service_provider_config(config: &Config) -> Object {
    let capabilities = &config.capabilities;
    let mut document = with_schema(SERVICE_PROVIDER_CONFIG);
    if let Some(uri) = &capabilities.documentation_uri {
        document.insert("documentationUri", uri.as_str());
    }
    document.insert("patch", supported(capabilities.patch));
    let mut bulk = supported(capabilities.bulk.is_some());
    let (max_operations, max_payload_size) =
        capabilities.bulk.map_or((0, 0), |limits| (limits.max_operations, limits.max_payload_size));
    bulk.insert("maxOperations", max_operations);
    bulk.insert("maxPayloadSize", max_payload_size);
    document.insert("bulk", bulk);
    let mut filter = supported(true);
    let (_, most) = capabilities.page_sizes();
    filter.insert("maxResults", i64::try_from(most).unwrap_or(i64::MAX));
    document.insert("filter", filter);
    document.insert("changePassword", supported(capabilities.change_password));
    document.insert("sort", supported(capabilities.sort));
    document.insert("etag", supported(capabilities.etag));
    if let Some(cursors) = &config.cursors {
        document.insert("pagination", pagination(capabilities, cursors));
    }
    document.insert("authenticationSchemes", capabilities.authentication_schemes.clone());
    let location = BaseUrl::of(&config.base_url).endpoint("/ServiceProviderConfig");
    document.insert("meta", meta(config, "ServiceProviderConfig", location));
    document
}

/// `/ResourceTypes`: every resource type, in the order of the registry (RFC 7643 §6).
pub fn resource_types(config: &Config) -> Vec<Object> {
    config.registry.resource_types().map(|schema| resource_type(config, schema.resource_type())).collect()
}

/// `/Schemas`: every schema of a resource type, once (RFC 7643 §7).
pub fn schemas(config: &Config) -> Vec<Object> {
    config.registry.schemas().map(|entry| schema(config, entry)).collect()
}

fn resource_type(config: &Config, resource_type: &ResourceType) -> Object {
    let mut document = with_schema(RESOURCE_TYPE);
    document.insert("id", resource_type.name.as_str());
    append(&mut document, resource_type);
    let location = BaseUrl::of(&config.base_url).locate("/ResourceTypes", &resource_type.name);
    document.insert("meta", meta(config, "ResourceType", location));
    document
}

fn schema(config: &Config, schema: &Schema) -> Object {
    let mut document = with_schema(SCHEMA);
    append(&mut document, schema);
    let location = BaseUrl::of(&config.base_url).locate("/Schemas", &schema.id);
    document.insert("meta", meta(config, "Schema", location));
    document
}

fn with_schema(uri: &str) -> Object {
    let mut document = Object::new();
    document.insert("schemas", vec![Value::from(uri)]);
    document
}

/// Adds the members `part` is written as. Parts are structs of names, texts and lists, which are
/// always an object in JSON.
fn append(document: &mut Object, part: &impl serde::Serialize) {
    if let Ok(Value::Object(members)) = serde_json::to_value(part).map(Value::from) {
        for (name, value) in members {
            document.insert(name, value);
        }
    }
}

/// `pagination` (RFC 9865 §4).
fn pagination(capabilities: &Capabilities, cursors: &Cursors) -> Object {
    let number = |size| i64::try_from(size).unwrap_or(i64::MAX);
    let mut pagination = Object::new();
    pagination.insert("cursor", true);
    pagination.insert("index", true);
    pagination.insert("defaultPaginationMethod", cursors.default_method.as_str());
    let (default, most) = capabilities.page_sizes();
    pagination.insert("defaultPageSize", number(default));
    pagination.insert("maxPageSize", number(most));
    // A positive integer, or none.
    if let Some(seconds) = cursors.timeout.map(|timeout| timeout.as_secs()).filter(|seconds| *seconds > 0) {
        pagination.insert("cursorTimeout", i64::try_from(seconds).unwrap_or(i64::MAX));
    }
    pagination
}

fn supported(yes: bool) -> Object {
    let mut object = Object::new();
    object.insert("supported", yes);
    object
}

fn meta(config: &Config, resource_type: &str, location: String) -> Object {
    let mut meta = Object::new();
    meta.insert("resourceType", resource_type);
    if config.capabilities.discovery_location {
        meta.insert("location", location);
    }
    meta
}
