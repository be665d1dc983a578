//! No vendor: RFC 7643 and 7644.

use std::sync::{Arc, LazyLock};

use scim_core::leniency::Leniencies;
use scim_core::policy::{Policy, StandardPolicy};
use scim_core::schema::Registry;
use scim_core::service::BulkLimits;
use scim_core::{Config, ResourceId, ScimType};

use crate::Source;
use crate::profile::{
    Authorization, Behaviour, Capability, CapabilityValue, Endpoint, ErrorBody, ErrorStyle, Filters, Profile,
    ResourceProfile,
};
use crate::rule::{Check, Literal, On, Rule, Severity};

const RFC7643: Source = Source::stated("RFC 7643", "2015-09");
const RFC7644: Source = Source::stated("RFC 7644", "2015-09");

/// RFC 7643 and 7644, as data.
pub(crate) static PROFILE: Profile = Profile {
    name: "generic",
    title: "SCIM 2.0",
    base_urls: &[],
    endpoints: ENDPOINTS,
    capabilities: &[
        flag("patch.supported", true),
        flag("bulk.supported", true),
        Capability {
            name: "bulk.maxOperations",
            value: CapabilityValue::Number(BulkLimits::MAX_OPERATIONS),
            source: BULK,
        },
        Capability {
            name: "bulk.maxPayloadSize",
            value: CapabilityValue::Number(BulkLimits::MAX_PAYLOAD_SIZE),
            source: BULK,
        },
        flag("filter.supported", true),
        flag("changePassword.supported", false),
        flag("sort.supported", true),
        flag("etag.supported", true),
        Capability { name: "filter.maxResults", value: CapabilityValue::Number(200), source: OURS },
        Capability { name: "itemsPerPage", value: CapabilityValue::Number(100), source: OURS },
    ],
    authorization: &[Authorization {
        prefix: "Bearer ",
        sent_by: "every identity provider",
        source: Source::stated("RFC 6750 §2.1", "2012-10"),
    }],
    resources: &[
        ResourceProfile {
            resource_type: "User",
            attributes: &[],
            rules: USER_RULES,
            filters: Filters::Any,
            deactivation_deletes: false,
        },
        ResourceProfile {
            resource_type: "Group",
            attributes: &[],
            rules: GROUP_RULES,
            filters: Filters::Any,
            deactivation_deletes: false,
        },
    ],
    lifecycle: &[],
    options: &[],
    errors: ErrorStyle { body: ErrorBody::Rfc7644, duplicate: 409, source: RFC7644 },
    behaviour: Behaviour {
        registry,
        config: Config::new,
        leniencies: Leniencies::tolerant,
        policy,
        tables: Vec::new,
        new_id: uuid,
    },
};

/// What the RFCs leave to the service provider.
const OURS: Source =
    Source::stated("RFC 7644 §3.4.2.4", "2015-09").decided("it is left to the service provider");
const BULK: Source =
    Source::stated("RFC 7644 §3.7.4", "2015-09").decided("it is left to the service provider");

const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/ServiceProviderConfig", DISCOVERY),
    endpoint("GET", "/ResourceTypes", DISCOVERY),
    endpoint("GET", "/ResourceTypes/{id}", DISCOVERY_ONE),
    endpoint("GET", "/Schemas", DISCOVERY),
    endpoint("GET", "/Schemas/{id}", DISCOVERY_ONE),
    endpoint("POST", "/.search", SEARCH),
    endpoint("POST", "/Bulk", SEARCH),
    endpoint("GET", "/Users", LIST),
    endpoint("POST", "/Users/.search", SEARCH),
    endpoint("POST", "/Users", CREATE),
    endpoint("GET", "/Users/{id}", READ),
    endpoint("PUT", "/Users/{id}", WRITE),
    endpoint("PATCH", "/Users/{id}", WRITE),
    endpoint("DELETE", "/Users/{id}", DELETE),
    endpoint("GET", "/Groups", LIST),
    endpoint("POST", "/Groups/.search", SEARCH),
    endpoint("POST", "/Groups", CREATE),
    endpoint("GET", "/Groups/{id}", READ),
    endpoint("PUT", "/Groups/{id}", WRITE),
    endpoint("PATCH", "/Groups/{id}", WRITE),
    endpoint("DELETE", "/Groups/{id}", DELETE),
];

// RFC 7644 §3.12, table 8.
pub(crate) const DISCOVERY: &[u16] = &[200, 401, 403, 500];
pub(crate) const DISCOVERY_ONE: &[u16] = &[200, 401, 403, 404, 500];
pub(crate) const LIST: &[u16] = &[200, 400, 401, 403, 500];
const SEARCH: &[u16] = &[200, 400, 401, 403, 413, 500];
pub(crate) const CREATE: &[u16] = &[201, 400, 401, 403, 409, 413, 500];
pub(crate) const READ: &[u16] = &[200, 304, 400, 401, 403, 404, 500];
pub(crate) const WRITE: &[u16] = &[200, 204, 400, 401, 403, 404, 409, 412, 413, 500, 501];
pub(crate) const DELETE: &[u16] = &[204, 400, 401, 403, 404, 409, 412, 500];

const fn endpoint(method: &'static str, path: &'static str, statuses: &'static [u16]) -> Endpoint {
    Endpoint { method, path, statuses, scope: None, source: RFC7644 }
}

const fn flag(name: &'static str, value: bool) -> Capability {
    Capability { name, value: CapabilityValue::Literal(Literal::Bool(value)), source: RFC7644 }
}

const USER_RULES: &[Rule] = &[OPERATION, TYPE, TEXT, KNOWN, PLAIN, SCHEMAS_USER, USER_NAME_REQUIRED];

const GROUP_RULES: &[Rule] = &[OPERATION, TYPE, TEXT, KNOWN, PLAIN, SCHEMAS_GROUP, DISPLAY_NAME_REQUIRED];

pub(crate) const OPERATION: Rule = Rule {
    scim_type: ScimType::InvalidSyntax,
    source: RFC7644,
    ..rule(
        "patch-operation",
        "",
        Check::Operation,
        On::ALL,
        Severity::Error,
        "operations and paths of a PATCH can be read",
    )
};

pub(crate) const TYPE: Rule =
    rule("attribute-type", "", Check::Type, On::ALL, Severity::Error, "values have the type the schema says");

pub(crate) const TEXT: Rule = Rule {
    source: RFC7643.decided("not every store can keep it"),
    ..rule(
        "text-without-nul",
        "",
        Check::Text,
        On::ALL,
        Severity::Error,
        "no text holds U+0000, which not every database can keep",
    )
};

pub(crate) const KNOWN: Rule = rule(
    "attribute-known",
    "",
    Check::Known,
    On::ALL,
    Severity::Warning,
    "attributes outside the schemas are ignored",
);

pub(crate) const PLAIN: Rule = rule(
    "value-plain",
    "",
    Check::Plain,
    On::ALL,
    Severity::Warning,
    "what is not written as the RFCs have it may be refused elsewhere",
);

pub(crate) const SCHEMAS_USER: Rule = rule(
    "schemas-user",
    "schemas",
    Check::Lists("urn:ietf:params:scim:schemas:core:2.0:User"),
    On::WHOLE,
    Severity::Warning,
    "`schemas` lists the User schema",
);

pub(crate) const USER_NAME_REQUIRED: Rule = rule(
    "user-name-required",
    "userName",
    Check::Required,
    On::ALL,
    Severity::Error,
    "every user has a userName",
);

pub(crate) const SCHEMAS_GROUP: Rule = rule(
    "schemas-group",
    "schemas",
    Check::Lists("urn:ietf:params:scim:schemas:core:2.0:Group"),
    On::WHOLE,
    Severity::Warning,
    "`schemas` lists the Group schema",
);

pub(crate) const DISPLAY_NAME_REQUIRED: Rule = Rule {
    source: Source::stated("RFC 7643 erratum 5368", "2018"),
    ..rule(
        "display-name-required",
        "displayName",
        Check::Required,
        On::ALL,
        Severity::Error,
        "every group has a displayName",
    )
};

const fn rule(
    id: &'static str,
    attribute: &'static str,
    check: Check,
    on: On,
    severity: Severity,
    statement: &'static str,
) -> Rule {
    Rule { id, attribute, check, on, severity, scim_type: ScimType::InvalidValue, statement, source: RFC7643 }
}

fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::standard);
    &REGISTRY
}

fn policy() -> Arc<dyn Policy> {
    Arc::new(StandardPolicy)
}

/// A version 4 UUID (RFC 9562 §5.4).
pub(crate) fn uuid(random: [u8; 16]) -> ResourceId {
    let bits = u128::from_be_bytes(random);
    let version = 0xf << 76;
    let variant = 0x3 << 62;
    let bits = bits & !version & !variant | 0x4 << 76 | 0x2 << 62;
    let mut text = format!("{bits:032x}");
    for position in [20, 16, 12, 8] {
        text.insert(position, '-');
    }
    ResourceId::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_4() {
        assert_eq!(uuid([0; 16]).as_str(), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xff; 16]).as_str(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
