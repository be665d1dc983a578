//! The schemas of the discovery resources.

use super::{RESOURCE_TYPE, SCHEMA, SERVICE_PROVIDER_CONFIG};
use crate::schema::{Attribute, Schema, Uniqueness};

/// The ServiceProviderConfig schema (RFC 7643 §5, RFC 9865 §4).
pub fn service_provider_config() -> Schema {
    let supported =
        || Attribute::boolean("supported").describe("Whether the operation is offered.").required();
    let feature = |name: &str| Attribute::complex(name, [supported()]).required();
    let attributes = vec![
        Attribute::reference("documentationUri", ["external"]).describe("Address of help for people."),
        feature("patch").describe("Whether PATCH is offered."),
        Attribute::complex(
            "bulk",
            [
                supported(),
                Attribute::integer("maxOperations").describe("Most operations in one request.").required(),
                Attribute::integer("maxPayloadSize").describe("Largest request, in bytes.").required(),
            ],
        )
        .required()
        .describe("Whether bulk requests are offered, and how large."),
        Attribute::complex(
            "filter",
            [
                supported(),
                Attribute::integer("maxResults").describe("Most resources in one response.").required(),
            ],
        )
        .required()
        .describe("Whether filters are offered."),
        feature("changePassword").describe("Whether passwords can be changed."),
        feature("sort").describe("Whether results can be sorted."),
        feature("etag").describe("Whether resources have entity tags."),
        Attribute::complex(
            "pagination",
            [
                Attribute::boolean("cursor").describe("Whether pages are offered by cursor.").required(),
                Attribute::boolean("index").describe("Whether pages are offered by index.").required(),
                Attribute::string("defaultPaginationMethod")
                    .describe("How a list is paged that names no method.")
                    .canonical(["cursor", "index"]),
                Attribute::integer("defaultPageSize").describe("Size of a page that names none."),
                Attribute::integer("maxPageSize").describe("Most resources in one page."),
                Attribute::integer("cursorTimeout").describe("Seconds a cursor is good for, at least."),
            ],
        )
        .describe("How lists are paged through."),
        Attribute::complex(
            "authenticationSchemes",
            [
                Attribute::string("type").describe("Kind of the scheme.").required().canonical([
                    "oauth",
                    "oauth2",
                    "oauthbearertoken",
                    "httpbasic",
                    "httpdigest",
                ]),
                Attribute::string("name").describe("Name of the scheme.").required(),
                Attribute::string("description").describe("What the scheme asks for.").required(),
                Attribute::reference("specUri", ["external"]).describe("Address of its specification."),
                Attribute::reference("documentationUri", ["external"])
                    .describe("Address of help on its use."),
                Attribute::boolean("primary").describe("Whether this scheme is the preferred one."),
            ],
        )
        .multi_valued()
        .required()
        .describe("Ways to authenticate."),
    ];
    Schema {
        id: SERVICE_PROVIDER_CONFIG.to_owned(),
        name: "Service Provider Configuration".to_owned(),
        description: "What the service provider offers".to_owned(),
        attributes: attributes.into_iter().map(Attribute::read_only).collect(),
    }
}

/// The ResourceType schema (RFC 7643 §6).
pub fn resource_type() -> Schema {
    let uri = |name: &str| Attribute::reference(name, ["uri"]).required();
    let attributes = vec![
        Attribute::string("id").describe("Identifier of the resource type, which may be its name."),
        Attribute::string("name")
            .describe("Name of the resource type.")
            .required()
            .case_exact()
            .unique(Uniqueness::Server),
        Attribute::string("description").describe("What the resources are."),
        uri("endpoint").describe("Path of the resources below the base URL.").unique(Uniqueness::Server),
        uri("schema").describe("URI of the base schema."),
        Attribute::complex(
            "schemaExtensions",
            [
                uri("schema").describe("URI of the extension."),
                Attribute::boolean("required")
                    .describe("Whether every resource of the type has the extension.")
                    .required(),
            ],
        )
        .multi_valued()
        .required()
        .describe("Extensions the resources may have."),
    ];
    Schema {
        id: RESOURCE_TYPE.to_owned(),
        name: "ResourceType".to_owned(),
        description: "A kind of resource, its endpoint and its schemas".to_owned(),
        attributes: attributes.into_iter().map(Attribute::read_only).collect(),
    }
}

/// The Schema schema (RFC 7643 §7), whose `subAttributes` are complex within a complex attribute,
/// as in no other schema.
pub fn schema() -> Schema {
    let mut characteristics = characteristics();
    let sub_attributes = Attribute::complex("subAttributes", characteristics.clone())
        .multi_valued()
        .describe("Parts of a complex attribute.");
    characteristics.push(sub_attributes);
    let attributes = vec![
        Attribute::string("id").describe("URI of the schema.").required(),
        Attribute::string("name").describe("Name of the schema."),
        Attribute::string("description").describe("What the schema describes."),
        Attribute::complex("attributes", characteristics)
            .multi_valued()
            .required()
            .describe("Attributes the schema defines."),
    ];
    Schema {
        id: SCHEMA.to_owned(),
        name: "Schema".to_owned(),
        description: "A set of attribute definitions".to_owned(),
        attributes: attributes.into_iter().map(Attribute::read_only).collect(),
    }
}

fn characteristics() -> Vec<Attribute> {
    vec![
        Attribute::string("name").describe("Name of the attribute.").required().case_exact(),
        Attribute::string("type").describe("Data type of the attribute.").required().canonical([
            "string",
            "complex",
            "boolean",
            "decimal",
            "integer",
            "dateTime",
            "reference",
            "binary",
        ]),
        Attribute::boolean("multiValued").describe("Whether it holds an array of values.").required(),
        Attribute::string("description").describe("What the attribute means.").case_exact(),
        Attribute::boolean("required").describe("Whether a resource must have a value."),
        Attribute::string("canonicalValues").describe("Suggested values.").multi_valued().case_exact(),
        Attribute::boolean("caseExact").describe("Whether strings compare with case."),
        Attribute::string("mutability")
            .describe("Who may write the attribute, and when.")
            .case_exact()
            .canonical(["readOnly", "readWrite", "immutable", "writeOnly"]),
        Attribute::string("returned")
            .describe("When the attribute is part of a response.")
            .case_exact()
            .canonical(["always", "never", "default", "request"]),
        Attribute::string("uniqueness")
            .describe("Among which resources a value may occur once.")
            .case_exact()
            .canonical(["none", "server", "global"]),
        Attribute::string("referenceTypes")
            .describe("What a reference may point at.")
            .multi_valued()
            .case_exact(),
    ]
}
