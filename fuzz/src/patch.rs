//! PATCH, on a resource in memory.

use std::sync::LazyLock;

use scim_core::leniency::Leniencies;
use scim_core::patch::{PatchOptions, PatchRequest};
use scim_core::schema::{Registry, ResourceSchema};
use scim_core::value::JsonLimits;
use scim_core::{Resource, Value, validate};

use crate::samples;

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::standard);

/// A PATCH that is planned:
///
/// - leaves `id` and `meta` as they are;
/// - gives the resource that its change makes (members it does not ask for aside), and making the
///   change again changes nothing;
/// - plans and changes the same whether or not it was given members it does not ask for.
///
/// # Panics
///
/// If a property does not hold.
pub fn patch_apply(data: &[u8]) {
    let (patch, resource) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => data.split_at(end),
        None => (data, &[][..]),
    };
    let Ok(body) = Value::from_slice(patch, &JsonLimits::default()) else { return };
    for (schema, sample) in REGISTRY.resource_types().zip([samples::USER, samples::GROUP]) {
        let given = if resource.is_empty() { sample.as_bytes() } else { resource };
        let Ok(Value::Object(object)) = Value::from_slice(given, &JsonLimits::default()) else { return };
        let Some(current) = stored(schema, object) else { continue };
        for leniencies in [Leniencies::strict(), Leniencies::tolerant()] {
            check(schema, &body, &current, leniencies);
        }
    }
}

fn check(schema: &ResourceSchema, body: &Value, current: &Resource, leniencies: Leniencies) {
    let strict = leniencies == Leniencies::strict();
    let options =
        PatchOptions { max_operations: 100, path: scim_filter::ParseOptions::default(), leniencies };
    let request = match PatchRequest::parse(schema, body.clone(), &options) {
        Ok(request) => request,
        Err(error) => {
            assert!(error.status().is_client_error() && !error.detail().is_empty(), "{error}");
            return;
        }
    };
    assert!(!strict || request.leniencies().is_empty(), "{:?} in strict mode", request.leniencies());
    let plan = match request.plan(schema, current) {
        Ok(plan) => plan,
        Err(error) => {
            assert!(error.status().is_client_error() && !error.detail().is_empty(), "{error}");
            return;
        }
    };
    for own in ["id", "meta"] {
        assert_eq!(plan.resource.get(own), current.get(own), "`{own}` was written");
    }
    let mut changed = current.clone();
    let differs = plan.change.apply(&mut changed);
    // Members that the request does not read may be missing from the resource that was planned.
    let planned = |resource: &Resource| {
        let mut resource = resource.clone();
        if !request.reads("members") {
            resource.0.remove("members");
        }
        resource
    };
    assert_eq!(planned(&changed), planned(&plan.resource), "the change is not the one planned");
    assert_eq!(differs, changed != *current, "the change does not say whether it changes something");
    assert!(!plan.change.apply(&mut changed.clone()), "the change changes what it changed");

    if !request.reads("members") {
        let mut unread = current.clone();
        unread.0.remove("members");
        let plan = request.plan(schema, &unread).expect("members were not asked for");
        let mut again = current.clone();
        plan.change.apply(&mut again);
        assert_eq!(again, changed, "the change depends on members that were not asked for");
    }
}

/// `object` as a resource a store can hold; `None` if it is none.
fn stored(schema: &ResourceSchema, object: scim_core::Object) -> Option<Resource> {
    let own = [object.get("id").cloned(), object.get("meta").cloned()];
    let mut resource = validate::create(schema, object.into(), &Leniencies::tolerant()).ok()?.resource;
    for (name, value) in ["id", "meta"].into_iter().zip(own) {
        resource.0.insert(name, value?);
    }
    validate::check(schema, &resource).ok()?;
    Some(resource)
}
