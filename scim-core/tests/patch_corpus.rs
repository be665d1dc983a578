//! The third-party PATCH cases and the examples of RFC 7644, where `../shared` is present.
//!
//! A case that succeeds elsewhere has to succeed here with every leniency on, and with the same
//! result; one that fails elsewhere has to fail here with none. Where we differ on purpose,
//! `vectors/patch/corpus/disagreements.json` has the sentence that decides; a case listed there
//! that agrees after all fails the test.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use scim_core::leniency::Leniencies;
use scim_core::patch::{PatchOptions, PatchRequest, Plan};
use scim_core::schema::{Registry, ResourceSchema, builtin};
use scim_core::{Error, Object, Resource, Value};

#[test]
fn third_party_cases() {
    let Some(cases) = shared("corpora/patches.json") else { return };
    let registry = Registry::standard();
    let mut disagreements = disagreements("patches.json");
    let mut failures = Vec::new();
    for (index, case) in cases.values().iter().enumerate() {
        let outcome = judge(&registry, case);
        match (outcome, disagreements.remove(&index.to_string())) {
            (Ok(()), None) | (Err(_), Some(_)) => {}
            (Ok(()), Some(_)) => failures.push(format!("{index} agrees after all")),
            (Err(difference), None) => failures.push(format!("{index}: {difference}")),
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert!(disagreements.is_empty(), "no such cases: {disagreements:?}");
}

#[test]
fn rfc_7644_messages_are_read() {
    let Some(folder) = shared_path("rfc/examples") else { return };
    let registry = Registry::standard();
    let mut disagreements = disagreements("rfc/examples");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.to_string_lossy().contains("patch_op"));
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let body: Value = std::fs::read_to_string(&file).unwrap().parse().unwrap();
        let of_group = body.to_string().contains("members");
        let schema = registry.by_name(if of_group { "Group" } else { "User" }).unwrap();
        // Attribute names in them are spelt `nickname`; names have no case (RFC 7643 §2.1).
        let options = PatchOptions { leniencies: Leniencies::strict(), ..PatchOptions::default() };
        let read = PatchRequest::parse(schema, body, &options);
        let expected = disagreements.remove(&name).is_none();
        assert_eq!(read.is_ok(), expected, "{name}: {read:?}");
    }
    assert!(disagreements.is_empty(), "no such cases: {disagreements:?}");
}

fn judge(registry: &Registry, case: &Value) -> Result<(), String> {
    let before = case.get("before").and_then(Value::as_object).cloned().unwrap_or_default();
    let is_group = |uri: &Value| uri.as_str() == Some(builtin::GROUP);
    let group = before.get("schemas").is_some_and(|uris| uris.values().iter().any(is_group))
        || case.get("patch").unwrap().to_string().contains("\"members\"");
    let schema = registry.by_name(if group { "Group" } else { "User" }).unwrap();
    let before = Resource(before);
    let request = case.get("patch").unwrap();
    let Some(after) = case.get("after").and_then(Value::as_object) else {
        return match plan(schema, request, &before, Leniencies::strict()) {
            Ok(plan) => Err(format!("succeeds with {}", plan.resource.0)),
            Err(_) => Ok(()),
        };
    };
    let plan = plan(schema, request, &before, Leniencies::tolerant())
        .map_err(|error| format!("{:?} {} for {request}", error.scim_type(), error.detail()))?;
    let mut applied = before;
    plan.change.apply(&mut applied);
    let (ours, theirs) = (comparable(&applied.0), comparable(after));
    if ours == theirs { Ok(()) } else { Err(format!("{request}\n ours {ours}\n not  {theirs}")) }
}

fn plan(
    schema: &ResourceSchema,
    request: &Value,
    before: &Resource,
    leniencies: Leniencies,
) -> Result<Plan, Error> {
    let options = PatchOptions { leniencies, ..PatchOptions::default() };
    PatchRequest::parse(schema, request.clone(), &options)?.plan(schema, before)
}

/// The resource without `schemas`, which some cases leave out, and without unassigned values.
fn comparable(object: &Object) -> Object {
    let mut kept = object.clone();
    kept.retain(|name, value| !name.matches("schemas") && !value.is_unassigned());
    kept
}

/// The cases of `corpus` in which we differ on purpose, and why.
fn disagreements(corpus: &str) -> BTreeMap<String, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/patch/corpus/disagreements.json");
    let list: Value = std::fs::read_to_string(file).unwrap().parse().unwrap();
    let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).unwrap().to_owned();
    list.values()
        .iter()
        .filter(|entry| text(entry, "corpus") == corpus)
        .map(|entry| (text(entry, "case"), text(entry, "why")))
        .collect()
}

fn shared(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(shared_path(name)?).unwrap();
    Some(text.parse().unwrap())
}

fn shared_path(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(name);
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return None;
    }
    Some(path)
}
