//! What the tests share: a schema and a resource with every type of attribute.

#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod model;
pub(crate) mod naive;

use scim_filter::AttributeType::{Binary, Boolean, Complex, DateTime, Decimal, Integer, Reference, String};
use scim_filter::{AttributeInfo, SchemaTable};

pub(crate) const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// A schema whose URI is the beginning of another's.
pub(crate) const SHORT: &str = "urn:example:ext";
pub(crate) const LONG: &str = "urn:example:ext:2.0:More";

const MULTI: &[AttributeInfo<'static>] = &[
    AttributeInfo::new("value", String),
    AttributeInfo::new("display", String),
    AttributeInfo::new("type", String),
    AttributeInfo::new("primary", Boolean),
    AttributeInfo::new("$ref", Reference).case_exact(),
    AttributeInfo::new("weight", Integer),
];

const WITH_SECRET: &[AttributeInfo<'static>] = &[
    AttributeInfo::new("value", String),
    AttributeInfo::new("type", String),
    AttributeInfo::new("secret", String).sensitive(),
];

pub(crate) const USER: SchemaTable<'static> = SchemaTable {
    uri: CORE,
    attributes: &[
        (AttributeInfo::new("id", String).case_exact(), &[]),
        (AttributeInfo::new("externalId", String).case_exact(), &[]),
        (AttributeInfo::new("schemas", Reference).case_exact().multi_valued(), &[]),
        (
            AttributeInfo::new("meta", Complex),
            &[
                AttributeInfo::new("resourceType", String).case_exact(),
                AttributeInfo::new("lastModified", DateTime),
                AttributeInfo::new("location", Reference).case_exact(),
            ],
        ),
        (AttributeInfo::new("userName", String), &[]),
        (
            AttributeInfo::new("name", Complex),
            &[AttributeInfo::new("familyName", String), AttributeInfo::new("givenName", String)],
        ),
        (AttributeInfo::new("title", String), &[]),
        (AttributeInfo::new("userType", String), &[]),
        (AttributeInfo::new("active", Boolean), &[]),
        (AttributeInfo::new("password", String).sensitive(), &[]),
        (AttributeInfo::new("emails", Complex).multi_valued(), MULTI),
        (AttributeInfo::new("ims", Complex).multi_valued(), MULTI),
        (AttributeInfo::new("roles", Complex).multi_valued(), MULTI),
        (AttributeInfo::new("rooms", Complex).multi_valued(), &[AttributeInfo::new("number", Integer)]),
        (AttributeInfo::new("keys", Complex).multi_valued().sensitive(), MULTI),
        (AttributeInfo::new("badges", Complex).multi_valued(), WITH_SECRET),
        (AttributeInfo::new("vault", Complex), WITH_SECRET),
        (AttributeInfo::new("logins", Integer), &[]),
        (AttributeInfo::new("score", Decimal), &[]),
        (AttributeInfo::new("photo", Binary).case_exact(), &[]),
        (AttributeInfo::new("aliases", String).multi_valued(), &[]),
        (AttributeInfo::new("employeeNumber", String).of_extension(ENTERPRISE), &[]),
        (
            AttributeInfo::new("manager", Complex).of_extension(ENTERPRISE),
            &[AttributeInfo::new("value", String), AttributeInfo::new("displayName", String)],
        ),
        (AttributeInfo::new("title", Integer).of_extension(SHORT), &[]),
        (AttributeInfo::new("level", Integer).of_extension(LONG), &[]),
    ],
};
