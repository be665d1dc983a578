//! POST and PUT bodies against their schema.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod create;
mod laws;
mod replace;
mod thing;

use std::sync::Arc;

use scim_core::leniency::{Leniencies, Leniency};
use scim_core::schema::{Registry, ResourceSchema, builtin};
use scim_core::validate::{self, Validated};
use scim_core::{Error, Resource, ScimType, Value};

const ENTERPRISE: &str = builtin::ENTERPRISE_USER;

fn user() -> Arc<ResourceSchema> {
    Registry::standard().by_name("User").unwrap().clone()
}

fn group() -> Arc<ResourceSchema> {
    Registry::standard().by_name("Group").unwrap().clone()
}

fn resource(json: serde_json::Value) -> Resource {
    match Value::from(json) {
        Value::Object(object) => Resource(object),
        other => panic!("{other} is no object"),
    }
}

fn json_of(resource: &Resource) -> serde_json::Value {
    resource.0.clone().into()
}

fn create(schema: &ResourceSchema, body: serde_json::Value) -> Result<Validated, Error> {
    validate::create(schema, body.into(), &Leniencies::tolerant())
}

/// What strict mode says of `body`, which must be fine but for the leniency.
fn needs(schema: &ResourceSchema, body: serde_json::Value, leniency: Leniency) -> (Error, serde_json::Value) {
    let strict = validate::create(schema, body.clone().into(), &Leniencies::strict()).unwrap_err();
    let only = Leniencies::strict().with(leniency);
    let valid = validate::create(schema, body.into(), &only).unwrap();
    assert_eq!(valid.leniencies, [leniency]);
    assert!(strict.detail().ends_with(&format!(" (the leniency `{leniency}` is off)")), "{strict}");
    (strict, json_of(&valid.resource))
}

fn detail(result: Result<Validated, Error>) -> (Option<ScimType>, String) {
    let error = result.unwrap_err();
    assert_eq!(error.status().as_u16(), 400);
    (error.scim_type(), error.detail().to_owned())
}
