//! The service described as an OpenAPI 3.1 document, generated from its configuration.
//!
//! The description has a path for each endpoint that is served and a JSON Schema (2020-12) for each
//! body: of each resource type one for what is answered, one for POST and one for PUT, since
//! mutability and returned set them apart. It says what the RFCs have clients send, and of answers
//! exactly what the service gives; what it tolerates beyond that (names in any case, attributes no
//! schema defines, the [leniencies](crate::leniency) that are on) is named in its text, not in its
//! schemas. It tells nothing but what discovery tells.
//!
//! What a [`Policy`](crate::policy::Policy) changes on the way out, the description does not know.
//!
//! ```
//! use scim_core::{Config, openapi};
//!
//! let config = Config::new("https://example.com/scim/v2".parse()?);
//! let document = openapi::document(&config);
//! assert_eq!(document["openapi"], "3.1.0");
//! assert_eq!(document["servers"][0]["url"], "https://example.com/scim/v2");
//! let users = &document["paths"]["/Users"];
//! let body = &users["post"]["requestBody"]["content"]["application/scim+json"]["schema"];
//! assert_eq!(body["$ref"], "#/components/schemas/User.create");
//! let user = &document["components"]["schemas"]["User"]["properties"];
//! assert_eq!(user["userName"]["type"], "string");
//! assert!(user.get("password").is_none(), "never returned");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod example;
mod message;
mod operation;
mod path;

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use crate::schema::{Attribute, Mutability, ResourceSchema, Returned, builtin};
use crate::service::{BaseUrl, Config};
use crate::value::Value;
use body::Side;

/// The description of a service with that configuration.
///
/// The configuration of a [`Service`](crate::Service) is [`Service::config`](crate::Service::config):
/// what its store does not answer is not in it.
pub fn document(config: &Config) -> Json {
    described(config, None)
}

/// The same of a service that offers `/Me` to credentials that stand for resources of the type `me`
/// ([`Authenticator::subject`](crate::auth::Authenticator::subject)), if that is served.
///
/// ```
/// use scim_core::{Config, openapi};
///
/// let config = Config::new("https://example.com/scim/v2".parse()?);
/// let document = openapi::document_with_me(&config, "User");
/// assert_eq!(document["paths"]["/Me"]["get"]["operationId"], "Me.read");
/// assert!(openapi::document(&config)["paths"].get("/Me").is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn document_with_me(config: &Config, me: &str) -> Json {
    described(config, Some(me))
}

fn described(config: &Config, me: Option<&str>) -> Json {
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "SCIM 2.0 service provider",
            "version": "2.0",
            "description": description(config),
        },
        "servers": [{ "url": BaseUrl::of(&config.base_url).endpoint("") }],
        "security": security(config),
        "tags": tags(config),
        "paths": path::paths(config, me),
        "components": {
            "schemas": schemas(config),
            "securitySchemes": security_schemes(config),
        },
    })
}

/// What no schema says.
fn description(config: &Config) -> String {
    let mut text =
        "Users, groups and other resources by RFC 7643 and RFC 7644. Names of attributes and of query \
                    parameters are the same in any case."
            .to_owned();
    let mut leniencies = config.leniencies.iter().map(|leniency| leniency.name()).peekable();
    if leniencies.peek().is_some() {
        text.push_str(" Beyond the RFCs these are tolerated:");
        for name in leniencies {
            // To write to a text cannot fail.
            let _ = write!(text, " {name}");
        }
        text.push('.');
    }
    text
}

fn tags(config: &Config) -> Json {
    let of_type = |name: &str, description: &str| json!({ "name": name, "description": description });
    let types = config.registry.resource_types().map(|schema| {
        let resource_type = schema.resource_type();
        of_type(&resource_type.name, &resource_type.description)
    });
    types.chain([of_type("Protocol", "What is of no resource type, or of all")]).collect()
}

/// The component schemas: those of resource types by their name, and those of messages.
fn schemas(config: &Config) -> Json {
    let mut schemas = Map::new();
    for (index, schema) in config.registry.resource_types().enumerate() {
        let name = component(index, schema.name());
        schemas.insert(format!("{name}.create"), body::resource(config, schema, Side::Create));
        schemas.insert(format!("{name}.replace"), body::resource(config, schema, Side::Replace));
        schemas.insert(format!("{name}.list"), message::list(&json!([reference(&name)])));
        let attribute = format!("{name}.attribute");
        schemas.insert(format!("{name}.patch"), message::patch(config, &reference(&attribute)));
        schemas.insert(format!("{name}.search"), message::search(config, &reference(&attribute)));
        schemas.insert(attribute, message::attribute(&names(schema)));
        schemas.insert(name, body::resource(config, schema, Side::Response));
    }
    let types = config.registry.resource_types().enumerate();
    let every = types.map(|(index, schema)| reference(&component(index, schema.name()))).collect();
    for (name, schema) in [
        ("Resource.list", message::list(&every)),
        ("Error", message::error()),
        ("SearchRequest", message::search(config, &reference("Resource.attribute"))),
        ("Resource.attribute", message::attribute(&common_names())),
        ("BulkRequest", message::bulk_request(config)),
        ("BulkResponse", message::bulk_response()),
        ("ServiceProviderConfig", body::discovery(&builtin::service_provider_config())),
        ("ResourceType", body::discovery(&builtin::resource_type())),
        ("ResourceType.list", message::list(&json!([reference("ResourceType")]))),
        ("Schema", body::discovery(&builtin::schema())),
        ("Schema.list", message::list(&json!([reference("Schema")]))),
    ] {
        schemas.insert(name.to_owned(), schema);
    }
    Json::Object(schemas)
}

/// What names the attributes of a resource, its extensions among them.
fn names(schema: &ResourceSchema) -> Vec<String> {
    // What clients can neither write nor read is the service's own.
    let is_named = |attribute: &&Attribute| {
        attribute.mutability != Mutability::ReadOnly || attribute.returned != Returned::Never
    };
    let mut names: Vec<String> =
        schema.top_level().filter(is_named).flat_map(|attribute| paths("", attribute)).collect();
    for extension in schema.extensions() {
        let prefix = format!("{}:", extension.id);
        names.extend(
            extension.attributes.iter().filter(is_named).flat_map(|attribute| paths(&prefix, attribute)),
        );
        names.push(extension.id.clone());
    }
    names
}

/// The attributes of every resource type.
fn common_names() -> Vec<String> {
    builtin::common_attributes().iter().flat_map(|attribute| paths("", attribute)).collect()
}

/// An attribute and its sub-attributes.
fn paths(prefix: &str, attribute: &Attribute) -> Vec<String> {
    let name = format!("{prefix}{}", attribute.name);
    let subs = attribute.sub_attributes.iter().map(|sub| format!("{name}.{}", sub.name));
    std::iter::once(name.clone()).chain(subs).collect()
}

/// The key of a resource type's components. A type that is called as one of the protocol's schemas,
/// or whose name is no key, goes by its place.
fn component(index: usize, name: &str) -> String {
    let taken = TAKEN.contains(&name) || name.contains(['~', '.']);
    if taken { format!("ResourceType{index}") } else { name.to_owned() }
}

const TAKEN: [&str; 8] = [
    "Error",
    "SearchRequest",
    "BulkRequest",
    "BulkResponse",
    "ServiceProviderConfig",
    "ResourceType",
    "Schema",
    "Resource",
];

fn reference(component: &str) -> Json {
    json!({ "$ref": format!("#/components/schemas/{component}") })
}

/// The authentication schemes of ServiceProviderConfig that OpenAPI knows.
fn schemes(config: &Config) -> impl Iterator<Item = (String, Json)> {
    config.capabilities.authentication_schemes.iter().filter_map(|scheme| {
        let text = |name: &str| scheme.get(name).and_then(Value::as_str);
        let kind = text("type")?;
        let http = match kind {
            "oauthbearertoken" | "oauth2" => "bearer",
            "httpbasic" => "basic",
            "httpdigest" => "digest",
            _ => return None,
        };
        let mut described = json!({ "type": "http", "scheme": http });
        if let (Some(description), Some(members)) = (text("description"), described.as_object_mut()) {
            members.insert("description".to_owned(), description.into());
        }
        Some((kind.to_owned(), described))
    })
}

fn security_schemes(config: &Config) -> Json {
    Json::Object(schemes(config).collect())
}

/// One of the schemes is enough.
fn security(config: &Config) -> Json {
    schemes(config).map(|(name, _)| json!({ name: [] })).collect()
}
