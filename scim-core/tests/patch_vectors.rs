//! Every PATCH vector in `vectors/patch`, each named by where it comes from.
//!
//! A vector has a state, a request, and either the attributes that differ afterwards (every other
//! is as before) with the leniencies that fired, or an error.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::path::{Path, PathBuf};

use scim_core::leniency::{Leniencies, Leniency};
use scim_core::patch::{PatchOptions, PatchRequest, Plan, keyed};
use scim_core::schema::{Registry, ResourceSchema};
use scim_core::{Error, Object, Resource, Value, validate};

struct Vector {
    name: String,
    schema: &'static ResourceSchema,
    state: Resource,
    request: Value,
    expect: Value,
}

#[test]
fn every_vector_has_the_outcome_it_says() {
    let vectors = vectors();
    assert!(vectors.len() > 120, "only {} vectors", vectors.len());
    let failures: Vec<String> = vectors.iter().filter_map(|vector| judge(vector).err()).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// Whatever the vectors do, strict PATCH differs from tolerant PATCH by leniencies alone.
#[test]
fn strict_refuses_what_took_a_leniency_and_agrees_on_the_rest() {
    for vector in vectors() {
        let tolerant = run(&vector, Leniencies::tolerant());
        let strict = run(&vector, Leniencies::strict());
        match (&tolerant, &strict) {
            (Ok(tolerant), Ok(strict)) => {
                assert!(
                    tolerant.leniencies.is_empty(),
                    "{}: {:?} were not needed",
                    vector.name,
                    tolerant.leniencies
                );
                assert_eq!(tolerant.resource, strict.resource, "{}", vector.name);
            }
            (Ok(tolerant), Err(strict)) => {
                let named = tolerant.leniencies.iter().any(|leniency| names(strict, *leniency));
                assert!(
                    named,
                    "{}: `{}` names none of {:?}",
                    vector.name,
                    strict.detail(),
                    tolerant.leniencies
                );
            }
            (Err(tolerant), Ok(_)) => panic!("{}: only tolerant fails, {}", vector.name, tolerant.detail()),
            (Err(_), Err(_)) => {}
        }
    }
}

/// Each leniency that fired was needed: without it, and only it, the request is refused.
#[test]
fn a_leniency_that_fires_can_be_switched_off() {
    for vector in vectors() {
        let Ok(plan) = run(&vector, Leniencies::tolerant()) else { continue };
        // Without that one, the document is a text like any other.
        let refusing = plan.leniencies.into_iter().filter(|l| *l != Leniency::JsonStringValue);
        for leniency in refusing {
            let error = run(&vector, Leniencies::tolerant().without(leniency)).expect_err(&vector.name);
            assert!(
                names(&error, leniency),
                "{}: `{}` does not name {leniency}",
                vector.name,
                error.detail()
            );
        }
    }
}

#[test]
fn every_leniency_of_patch_is_in_a_vector() {
    let of_patch = [
        Leniency::OpCase,
        Leniency::BooleanString,
        Leniency::MissingSchemas,
        Leniency::UnknownAttribute,
        Leniency::NullPath,
        Leniency::NonePath,
        Leniency::PathKey,
        Leniency::BareExtensionAttribute,
        Leniency::RemoveWithValue,
        Leniency::CreateMissingElement,
        Leniency::JsonStringValue,
        Leniency::PlainStringForComplex,
        Leniency::ArrayForSingle,
        Leniency::SingleForArray,
        Leniency::EmptyValue,
        Leniency::ManyPrimaries,
        Leniency::ReferenceSyntax,
        Leniency::ReadOnlyValue,
    ];
    let fired: Vec<Leniency> = vectors()
        .iter()
        .filter_map(|vector| run(vector, Leniencies::tolerant()).ok())
        .flat_map(|plan| plan.leniencies)
        .collect();
    for leniency in of_patch {
        assert!(fired.contains(&leniency), "{leniency} is in no vector");
    }
}

/// What strict PATCH says, to the letter.
#[test]
fn strict_errors_name_the_place_and_the_leniency() {
    let registry = Registry::standard();
    let users = registry.by_name("User").unwrap();
    let options = PatchOptions { leniencies: Leniencies::strict(), ..PatchOptions::default() };
    let user = Resource([("userName", "u"), ("id", "u")].into_iter().collect());
    let long = "x".repeat(200);
    for (operation, expected) in [
        (
            r#"{"op": "Add", "path": "title", "value": "x"}"#.to_owned(),
            "Operations[0].op: `Add` is not `add` (the leniency `op-case` is off)".to_owned(),
        ),
        (
            r#"{"op": "add", "path": null, "value": {}}"#.to_owned(),
            "Operations[0].path: `null` is no path (the leniency `null-path` is off)".to_owned(),
        ),
        (
            r#"{"op": "remove", "path": "emails", "value": []}"#.to_owned(),
            "Operations[0].value: a removal takes no value (the leniency `remove-with-value` is off)".to_owned(),
        ),
        (
            r#"{"op": "add", "value": {"name.givenName": "x"}}"#.to_owned(),
            "Operations[0].value.name.givenName: a path is no attribute name (the leniency `path-key` is off)"
                .to_owned(),
        ),
        (
            r#"{"op": "add", "path": "emails[type eq \"work\"].value", "value": "x"}"#.to_owned(),
            "Operations[0].path: no value of `emails` matches (the leniency `create-missing-element` is off)"
                .to_owned(),
        ),
        (
            format!(r#"{{"op": "{long}"}}"#),
            format!("Operations[0].op: `{}`… is none of `add`, `remove`, `replace`", "x".repeat(80)),
        ),
    ] {
        let message = format!(
            r#"{{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{operation}]}}"#
        );
        let outcome = PatchRequest::parse(users, message.parse().unwrap(), &options)
            .and_then(|request| request.plan(users, &user));
        assert_eq!(outcome.unwrap_err().detail(), expected);
    }
}

fn judge(vector: &Vector) -> Result<(), String> {
    let name = &vector.name;
    let planned = run(vector, Leniencies::tolerant());
    if let Some(expected) = vector.expect.get("error") {
        let error = planned.err().ok_or(format!("{name}: not refused"))?;
        let scim_type = error.scim_type().map(|scim_type| scim_type.as_str());
        let detail = expected.get("detail").and_then(Value::as_str).unwrap();
        if scim_type != expected.get("scimType").and_then(Value::as_str)
            || !error.detail().starts_with(detail)
        {
            return Err(format!("{name}: {scim_type:?} {}", error.detail()));
        }
        return Ok(());
    }
    let plan = planned.map_err(|error| format!("{name}: {:?} {}", error.scim_type(), error.detail()))?;
    let mut expected = vector.state.clone();
    for (attribute, value) in vector.expect.get("changed").and_then(Value::as_object).unwrap().iter() {
        match value {
            Value::Null => {
                expected.0.remove(attribute.as_str());
            }
            value => {
                expected.0.insert(attribute.clone(), value.clone());
            }
        }
    }
    if plan.resource != expected {
        return Err(format!("{name}:\n  {}\nis not\n  {}", plan.resource.0, expected.0));
    }
    if plan.change.is_empty() != (expected == vector.state) {
        return Err(format!("{name}: {:?} for no change", plan.change));
    }
    let fired: Vec<&str> = plan.leniencies.iter().map(|leniency| leniency.name()).collect();
    let wanted: Vec<&str> =
        vector.expect.get("leniencies").unwrap().values().iter().filter_map(Value::as_str).collect();
    let sorted = |mut names: Vec<&str>| {
        names.sort_unstable();
        names.join(" ")
    };
    if sorted(fired.clone()) != sorted(wanted) {
        return Err(format!("{name}: the leniencies {fired:?} fired"));
    }
    validate::check(vector.schema, &plan.resource).map_err(|error| format!("{name}: {}", error.detail()))?;

    // The change, put onto the resource, is the plan.
    let mut applied = vector.state.clone();
    let differs = plan.change.apply(&mut applied);
    if applied != expected || differs != (expected != vector.state) {
        return Err(format!("{name}: applied, it is {}", applied.0));
    }
    if plan.change.apply(&mut applied) {
        return Err(format!("{name}: applying it again changes something"));
    }
    without_keyed(vector, &expected)
}

/// A plan made without loading keyed attributes, or but the values that are named, changes the loaded resource the same way.
fn without_keyed(vector: &Vector, expected: &Resource) -> Result<(), String> {
    let request = parse(vector, Leniencies::tolerant()).unwrap();
    let mut partial = vector.state.clone();
    for attribute in vector.schema.base().attributes.iter().filter(|attribute| keyed(attribute)) {
        if !request.reads(&attribute.name) {
            partial.0.remove(&attribute.name);
        } else if let (Some(read), Some(Value::Array(values))) =
            (request.reads_values(&attribute.name), partial.0.get_mut(&attribute.name))
        {
            values.retain(|value| {
                value.get("value").and_then(Value::as_str).is_some_and(|key| read.contains(&key.into()))
            });
        }
    }
    let plan = request.plan(vector.schema, &partial).unwrap();
    let mut applied = vector.state.clone();
    let differs = plan.change.apply(&mut applied);
    if applied != *expected || differs != (*expected != vector.state) {
        return Err(format!("{}: without keyed attributes, {}", vector.name, applied.0));
    }
    Ok(())
}

fn run(vector: &Vector, leniencies: Leniencies) -> Result<Plan, Error> {
    parse(vector, leniencies)?.plan(vector.schema, &vector.state)
}

fn parse(vector: &Vector, leniencies: Leniencies) -> Result<PatchRequest, Error> {
    let options = PatchOptions { leniencies, ..PatchOptions::default() };
    PatchRequest::parse(vector.schema, vector.request.clone(), &options)
}

fn names(error: &Error, leniency: Leniency) -> bool {
    error.detail().contains(&format!("`{leniency}`"))
}

fn vectors() -> Vec<Vector> {
    let registry: &'static Registry = Box::leak(Box::new(Registry::standard()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/patch");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let read = |file: PathBuf| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let vector: Value = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        let Value::Object(mut vector) = vector else { panic!("{name} is no object") };
        let mut take = |member: &str| vector.remove(member).unwrap_or_else(|| panic!("{name}: no {member}"));
        let schema = registry.by_name(take("resourceType").as_str().unwrap()).unwrap();
        let state = match take("state") {
            Value::Object(object) => Resource(object),
            _ => Resource(Object::new()),
        };
        Vector { schema, state, request: take("request"), expect: take("expect"), name: name.clone() }
    };
    files.into_iter().map(read).collect()
}
