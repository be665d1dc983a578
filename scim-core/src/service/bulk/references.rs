//! `bulkId:` references in the data of an operation (RFC 7644 §3.7.2).
//!
//! A text that is `bulkId:qwerty` as a whole refers to the resource that the operation of that
//! `bulkId` creates, wherever it stands in what a client may write. In a PATCH, so does a string of
//! a filter in a path: `members[value eq "bulkId:qwerty"]`.

use std::borrow::Cow;

use super::split;
use crate::schema::ResourceSchema;
use crate::value::{Object, Value};

/// What stands before the `bulkId` in a reference.
const PREFIX: &str = "bulkId:";

/// The `bulkId` a text refers to.
pub(super) fn referred(text: &str) -> Option<&str> {
    text.strip_prefix(PREFIX)
}

/// Says what to write for the resource with a `bulkId`; `None` leaves the reference.
pub(super) type Resolve<'r> = dyn FnMut(&str) -> Option<String> + 'r;

/// Resolves the references in the data of a POST or PUT: those in attributes that are written.
/// What else there is, such as the `groups` of a user, is ignored or refused later.
pub(super) fn in_resource(schema: &ResourceSchema, data: &mut Value, resolve: &mut Resolve<'_>) {
    split::attributes(schema, data, &mut |value, _| in_value(value, resolve));
}

/// Resolves the references in the data of a PATCH: in values, and in filters of paths, also where
/// names in a value are paths.
pub(super) fn in_patch(data: &mut Value, resolve: &mut Resolve<'_>) {
    let Some(operations) = data.as_object_mut().and_then(|message| message.get_mut("Operations")) else {
        return;
    };
    for operation in operations.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some(Value::String(path)) = operation.get_mut("path")
            && let Some(resolved) = in_path(path, resolve)
        {
            *path = resolved.into();
        }
        if let Some(value) = operation.get_mut("value") {
            in_value(value, resolve);
            in_names(value, resolve);
        }
    }
}

/// Resolves the references in names that are paths: of a value without `path`, and of the
/// extensions in it.
fn in_names(value: &mut Value, resolve: &mut Resolve<'_>) {
    let Value::Object(members) = value else { return };
    if members.iter().any(|(name, _)| name.as_str().contains('"')) {
        let named =
            std::mem::take(members).into_iter().map(|(name, value)| match in_path(name.as_str(), resolve) {
                Some(resolved) => (resolved.as_str().into(), value),
                None => (name, value),
            });
        *members = named.collect::<Object>();
    }
    members.iter_mut().for_each(|(_, value)| in_names(value, resolve));
}

/// Resolves the references in a value; how deep it nests, the limit of JSON bodies says.
pub(super) fn in_value(value: &mut Value, resolve: &mut Resolve<'_>) {
    match value {
        Value::String(text) => {
            if let Some(resolved) = referred(text).and_then(resolve) {
                *text = resolved.into();
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| in_value(element, resolve)),
        Value::Object(members) => members.iter_mut().for_each(|(_, value)| in_value(value, resolve)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a value has a reference that `is` says yes to.
pub(super) fn refers(value: &Value, is: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => referred(text).is_some_and(is),
        Value::Array(elements) => elements.iter().any(|element| refers(element, is)),
        Value::Object(members) => members.iter().any(|(_, value)| refers(value, is)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Resolves the references among the strings of a path; `None` if there are none.
fn in_path(path: &str, resolve: &mut Resolve<'_>) -> Option<String> {
    if !path.contains('"') {
        return None;
    }
    let mut resolved = String::with_capacity(path.len());
    let mut changed = false;
    let mut rest = path;
    while let Some((before, string, after)) = next_string(rest) {
        resolved.push_str(before);
        let text = match string.contains('\\') {
            true => serde_json::from_str(string).map(Cow::Owned).unwrap_or_default(),
            false => Cow::Borrowed(string.trim_matches('"')),
        };
        match referred(&text).and_then(&mut *resolve) {
            Some(id) => {
                changed = true;
                resolved.push_str(&Value::from(id).to_string());
            }
            None => resolved.push_str(string),
        }
        rest = after;
    }
    resolved.push_str(rest);
    changed.then_some(resolved)
}

/// The first string of a filter, in its quotes, with what stands before and behind it.
fn next_string(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find('"')?;
    let mut escaped = false;
    let end = text.bytes().enumerate().skip(start + 1).find_map(|(at, byte)| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes.then_some(at + 1)
    })?;
    Some((text.get(..start)?, text.get(start..end)?, text.get(end..)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::schema::Registry;

    /// The references found, with each put in capitals.
    fn resolved(
        data: serde_json::Value,
        find: impl Fn(&mut Value, &mut Resolve<'_>),
    ) -> (serde_json::Value, Vec<String>) {
        let mut data = Value::from(data);
        let mut found = Vec::new();
        find(&mut data, &mut |id| {
            found.push(id.to_owned());
            (id != "left").then(|| id.to_uppercase())
        });
        (data.into(), found)
    }

    #[test]
    fn references_are_found_in_what_a_client_may_write() {
        let registry = Registry::standard();
        let user = registry.by_name("User").unwrap();
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let (data, found) = resolved(
            json!({
                "id": "bulkId:id", "meta": {"location": "bulkId:meta"}, "groups": [{"value": "bulkId:groups"}],
                "unheardOf": "bulkId:unknown", "externalId": "bulkId:a", "USERNAME": "bulkId:left",
                "name": {"familyName": "a bulkId:b"}, "roles": [{"value": "bulkId:b"}, "bulkId:c", 1],
                enterprise.to_uppercase(): {"Manager": {"value": "bulkId:d"}, "unheardOf": "bulkId:unknown"},
                "urn:unheardOf": {"manager": "bulkId:unknown"},
            }),
            |data, resolve| in_resource(user, data, resolve),
        );
        assert_eq!(
            BTreeSet::from_iter(found),
            BTreeSet::from(["a", "b", "c", "d", "left"].map(str::to_owned))
        );
        assert_eq!(data["externalId"], "A");
        assert_eq!(data["USERNAME"], "bulkId:left");
        assert_eq!(data["roles"], json!([{"value": "B"}, "C", 1]));
        assert_eq!(data[enterprise.to_uppercase()]["Manager"]["value"], "D");
        assert_eq!(data["groups"][0]["value"], "bulkId:groups");
        assert_eq!(resolved(json!("bulkId:a"), |data, resolve| in_resource(user, data, resolve)).1, [""; 0]);
    }

    #[test]
    fn references_are_found_in_values_and_filters_of_a_patch() {
        let (data, found) = resolved(
            json!({"Operations": [
                {"op": "remove", "path": "members[value eq \"bulkId:a\" or value eq \"bulkId:left\"]"},
                {"op": "add", "path": "members", "value": [{"value": "bulkId:b"}]},
                {"op": "add", "value": {"members": [{"value": "bulkId:c"}], "x[value eq \"bulkId:d\"].y": "bulkId:e",
                    "y": {"z[w eq \"bulk\\u0049d:f\"]": 1}}},
                {"op": "add", "path": 1, "value": null},
                "bulkId:nothing",
            ], "other": "bulkId:nothing"}),
            in_patch,
        );
        assert_eq!(found, ["a", "left", "b", "c", "e", "d", "f"]);
        let operations = &data["Operations"];
        assert_eq!(operations[0]["path"], "members[value eq \"A\" or value eq \"bulkId:left\"]");
        assert_eq!(operations[1]["value"][0]["value"], "B");
        assert_eq!(
            operations[2]["value"],
            json!({"members": [{"value": "C"}], "x[value eq \"D\"].y": "E", "y": {"z[w eq \"F\"]": 1}})
        );
        for data in [json!(1), json!({}), json!({"Operations": "bulkId:a"})] {
            assert_eq!(resolved(data.clone(), in_patch), (data, Vec::new()));
        }
    }

    #[test]
    fn strings_of_a_path_end_where_json_ends_them() {
        let path = |path: &str| in_path(path, &mut |id| Some(format!("<{id}\">")));
        assert_eq!(path("a[b eq \"bulkId:x\"]").as_deref(), Some("a[b eq \"<x\\\">\"]"));
        assert_eq!(path("a[b eq \"bulk\\u0049d:\\\"x\"].c").as_deref(), Some("a[b eq \"<\\\"x\\\">\"].c"));
        assert_eq!(
            path("a[b eq \"\\\\\" or b eq \"bulkId:x\"]").as_deref(),
            Some("a[b eq \"\\\\\" or b eq \"<x\\\">\"]")
        );
        for none in
            ["bulkId:x", "a[b eq \"bulkId:x]", "a[b eq \"x bulkId:y\"]", "a[b eq \"\\bulkId:y\"]", "\"", ""]
        {
            assert_eq!(path(none), None, "{none}");
        }
    }
}
