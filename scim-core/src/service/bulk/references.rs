//! `bulkId:` references in the data of an operation (RFC 7644 §3.7.2).
//!
//! A text that is `bulkId:qwerty` as a whole refers to the resource that the operation of that
//! `bulkId` creates, where what a client may write is a reference: in an attribute of that type
//! (RFC 7643 §2.3.7), and in the `value` beside one, as of `members` and `manager`. In a PATCH, so does a
//! string that such a value is compared with in a path: `members[value eq "bulkId:qwerty"]`. Anywhere else it is
//! a text like any other, such as the name of a group. What no schema defines is taken for a reference.

use std::borrow::Cow;

use scim_filter::{AttributeType, Schema as _};

use super::split;
use crate::patch::keyed;
use crate::schema::{Attribute, ResourceSchema, Schema};
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
    split::attributes(schema, data, &mut |attribute, value, _| in_attribute(attribute, value, resolve));
}

/// Resolves the references in the data of a PATCH: in values, and in filters of paths, also where
/// names in a value are paths.
pub(super) fn in_patch(schema: &ResourceSchema, data: &mut Value, resolve: &mut Resolve<'_>) {
    let Some(operations) = data.as_object_mut().and_then(|message| message.get_mut("Operations")) else {
        return;
    };
    for operation in operations.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        let path = match operation.get_mut("path") {
            Some(Value::String(path)) => {
                let target = Target::of(schema, None, path);
                if let Some(resolved) = in_path(&target, path, resolve) {
                    *path = resolved.into();
                }
                // `null`, empty and `None` are no paths, where they are tolerated.
                if matches!(&**path, "" | "None") { Target::Resource } else { target }
            }
            _ => Target::Resource,
        };
        if let Some(value) = operation.get_mut("value") {
            in_target(schema, &path, value, resolve);
        }
    }
}

/// What a path of a PATCH points at, as far as a schema tells.
enum Target<'s> {
    /// The resource itself.
    Resource,
    /// The object of an extension.
    Extension(&'s Schema),
    /// An attribute, or its sub-attribute.
    Attribute(&'s Attribute, Option<&'s Attribute>),
    /// What no schema defines.
    Unknown,
}

impl<'s> Target<'s> {
    /// That of `path`, which stands in the object of `extension`.
    fn of(schema: &'s ResourceSchema, extension: Option<&'s Schema>, path: &str) -> Self {
        // An attribute expression (erratum 7122) points at what it selects.
        let is_expression = !path.contains('[') && path.contains(' ');
        let (whole, sub) = match (path.split_once('['), path.rsplit_once(']')) {
            (Some((whole, _)), Some((_, sub))) => (whole, sub.strip_prefix('.')),
            _ => (path.split_ascii_whitespace().next().unwrap_or_default(), None),
        };
        let (uri, name) = match schema.schema_uri_len(whole).and_then(|length| whole.split_at_checked(length))
        {
            Some((uri, name)) => (Some(uri), name.strip_prefix(':').unwrap_or(name)),
            None => (extension.map(|extension| extension.id.as_str()), whole),
        };
        if name.is_empty() {
            return uri.and_then(|uri| schema.extension(uri)).map_or(Self::Resource, Self::Extension);
        }
        let (name, sub) = match name.split_once('.') {
            Some((name, _)) if is_expression => (name, None),
            Some((name, inner)) => (name, Some(inner)),
            None => (name, sub),
        };
        let bare = || schema.extensions().iter().find_map(|extension| extension.attribute(name));
        let attribute = schema.find(uri, name).or_else(|| if uri.is_none() { bare() } else { None });
        match (attribute, sub) {
            (None, _) => Self::Unknown,
            (Some(attribute), None) => Self::Attribute(attribute, None),
            (Some(attribute), Some(sub)) => match attribute.sub_attribute(sub) {
                Some(sub) => Self::Attribute(attribute, Some(sub)),
                None => Self::Unknown,
            },
        }
    }
}

/// Resolves the references in a value for `target`.
fn in_target(schema: &ResourceSchema, target: &Target<'_>, value: &mut Value, resolve: &mut Resolve<'_>) {
    let extension = match target {
        Target::Resource => None,
        Target::Extension(extension) => Some(*extension),
        Target::Attribute(attribute, None) => return in_attribute(attribute, value, resolve),
        Target::Attribute(attribute, Some(sub)) => return in_sub_attribute(attribute, sub, value, resolve),
        Target::Unknown => return in_value(value, resolve),
    };
    let Value::Object(members) = value else { return in_value(value, resolve) };
    rename(members, &mut |name| in_path(&Target::of(schema, extension, name), name, resolve));
    for (name, value) in members.iter_mut() {
        in_target(schema, &Target::of(schema, extension, name.as_str()), value, resolve);
    }
}

/// Resolves the references in a value of `attribute`; how deep it nests, the limit of JSON bodies says.
pub(super) fn in_attribute(attribute: &Attribute, value: &mut Value, resolve: &mut Resolve<'_>) {
    match value {
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| in_attribute(attribute, element, resolve));
        }
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match attribute.sub_attribute(name.as_str()) {
                    Some(sub) => in_sub_attribute(attribute, sub, value, resolve),
                    None => in_value(value, resolve),
                }
            }
        }
        text if text_refers(attribute) => in_value(text, resolve),
        _ => {}
    }
}

fn in_sub_attribute(attribute: &Attribute, sub: &Attribute, value: &mut Value, resolve: &mut Resolve<'_>) {
    match sub_refers(attribute, sub) {
        true => in_value(value, resolve),
        false => in_attribute(sub, value, resolve),
    }
}

/// Resolves the references in a value of what no schema defines.
fn in_value(value: &mut Value, resolve: &mut Resolve<'_>) {
    match value {
        Value::String(text) => {
            if let Some(resolved) = referred(text).and_then(resolve) {
                *text = resolved.into();
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| in_value(element, resolve)),
        Value::Object(members) => {
            rename(members, &mut |name| in_path(&Target::Unknown, name, resolve));
            members.iter_mut().for_each(|(_, value)| in_value(value, resolve));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a value of `attribute` has a reference that `is` says yes to.
pub(super) fn refers(attribute: &Attribute, value: &Value, is: &dyn Fn(&str) -> bool) -> bool {
    let in_sub = |(name, value): (&str, &Value)| match attribute.sub_attribute(name) {
        Some(sub) if !sub_refers(attribute, sub) => refers(sub, value, is),
        _ => any_refers(value, is),
    };
    match value {
        Value::Array(elements) => elements.iter().any(|element| refers(attribute, element, is)),
        Value::Object(members) => members.iter().any(|(name, value)| in_sub((name.as_str(), value))),
        text => text_refers(attribute) && any_refers(text, is),
    }
}

fn any_refers(value: &Value, is: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => referred(text).is_some_and(is),
        Value::Array(elements) => elements.iter().any(|element| any_refers(element, is)),
        Value::Object(members) => members.iter().any(|(_, value)| any_refers(value, is)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a sub-attribute is a reference, or the `value` that stands beside one for the same resource.
fn sub_refers(attribute: &Attribute, sub: &Attribute) -> bool {
    let is_reference = |sub: &Attribute| sub.kind == AttributeType::Reference;
    let is_value = sub.name.eq_ignore_ascii_case("value");
    is_reference(sub) || is_value && (keyed(attribute) || attribute.sub_attributes.iter().any(is_reference))
}

/// Whether a text in the place of a value refers: where it is a reference, and where it counts as the `value` of
/// one.
fn text_refers(attribute: &Attribute) -> bool {
    match attribute.kind {
        AttributeType::Reference => true,
        _ => attribute.sub_attribute("value").is_some_and(|value| sub_refers(attribute, value)),
    }
}

/// Whether what `name` stands for in a filter of a path to `target` is compared with references.
fn compares_references(target: &Target<'_>, name: &str) -> bool {
    let Target::Attribute(attribute, _) = target else { return true };
    // An attribute expression names the attribute too.
    let sub = name.rsplit_once('.').map_or(name, |(_, sub)| sub);
    match attribute.sub_attribute(sub) {
        Some(sub) => sub_refers(attribute, sub),
        None => attribute.kind == AttributeType::Complex || text_refers(attribute),
    }
}

/// Renames the members whose names are paths with references.
fn rename(members: &mut Object, resolved: &mut dyn FnMut(&str) -> Option<String>) {
    if members.iter().any(|(name, _)| name.as_str().contains('"')) {
        let named = std::mem::take(members).into_iter().map(|(name, value)| match resolved(name.as_str()) {
            Some(resolved) => (resolved.as_str().into(), value),
            None => (name, value),
        });
        *members = named.collect::<Object>();
    }
}

/// Resolves the references among the strings of a path to `target`; `None` if there are none.
fn in_path(target: &Target<'_>, path: &str, resolve: &mut Resolve<'_>) -> Option<String> {
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
        let reference = referred(&text).filter(|_| compares_references(target, compared(before)));
        match reference.and_then(&mut *resolve) {
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

/// The name that is compared with the string behind `before`: the last word but one, which is the operator.
fn compared(before: &str) -> &str {
    let name = before.trim_end().rsplit_once(|c: char| c.is_ascii_whitespace());
    let name = name.map_or("", |(name, _)| name.trim_end());
    name.rsplit(|c: char| c.is_ascii_whitespace() || matches!(c, '[' | '(')).next().unwrap_or_default()
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

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    #[test]
    fn references_are_found_in_what_a_client_may_write() {
        let registry = Registry::standard();
        let user = registry.by_name("User").unwrap();
        let (data, found) = resolved(
            json!({
                "id": "bulkId:id", "meta": {"location": "bulkId:meta"}, "groups": [{"value": "bulkId:groups"}],
                "unheardOf": "bulkId:unknown", "PROFILEURL": "bulkId:a", "photos": [{"value": "bulkId:b"}, "bulkId:c", 1],
                ENTERPRISE.to_uppercase(): {
                    "Manager": {"value": "bulkId:d", "$REF": "bulkId:left", "unheardOf": "bulkId:e"}, "unheardOf": "bulkId:unknown",
                },
                "urn:unheardOf": {"manager": "bulkId:unknown"},
            }),
            |data, resolve| in_resource(user, data, resolve),
        );
        assert_eq!(
            BTreeSet::from_iter(found),
            BTreeSet::from(["a", "b", "c", "d", "e", "left"].map(str::to_owned))
        );
        assert_eq!(data["PROFILEURL"], "A");
        assert_eq!(data["photos"], json!([{"value": "B"}, "C", 1]));
        let manager = &data[ENTERPRISE.to_uppercase()]["Manager"];
        assert_eq!(*manager, json!({"value": "D", "$REF": "bulkId:left", "unheardOf": "E"}));
        assert_eq!(data["groups"][0]["value"], "bulkId:groups");
        let (data, found) = resolved(json!({ENTERPRISE: {"manager": "bulkId:f"}}), |data, resolve| {
            in_resource(user, data, resolve);
        });
        assert_eq!((&data[ENTERPRISE]["manager"], found), (&json!("F"), vec!["f".to_owned()]));
        assert_eq!(resolved(json!("bulkId:a"), |data, resolve| in_resource(user, data, resolve)).1, [""; 0]);
    }

    /// A name, an address or a role may look like one.
    #[test]
    fn texts_that_are_no_references_stay() {
        let registry = Registry::standard();
        for (kind, data) in [
            (
                "User",
                json!({"userName": "bulkId:a", "externalId": "bulkId:a", "name": {"familyName": "bulkId:a"}}),
            ),
            ("User", json!({"emails": [{"value": "bulkId:a", "type": "bulkId:a"}], "roles": ["bulkId:a"]})),
            ("User", json!({ENTERPRISE: {"department": "bulkId:a", "manager": {"displayName": "bulkId:a"}}})),
            ("Group", json!({"displayName": "bulkId:a", "members": [{"value": "b", "display": "bulkId:a"}]})),
        ] {
            let schema = registry.by_name(kind).unwrap();
            let found = resolved(data.clone(), |data, resolve| in_resource(schema, data, resolve));
            assert_eq!(found, (data.clone(), Vec::new()));
            let patch = json!({"Operations": [{"op": "add", "value": data}]});
            let found = resolved(patch.clone(), |data, resolve| in_patch(schema, data, resolve));
            assert_eq!(found, (patch, Vec::new()));
        }
    }

    /// In each form of a path, in a value and in a filter.
    #[test]
    fn a_path_of_a_patch_says_what_is_a_reference() {
        let registry = Registry::standard();
        let of = |kind, path: String, value: serde_json::Value| {
            let schema = registry.by_name(kind).unwrap();
            let data = json!({"Operations": [{"op": "add", "path": path, "value": value}]});
            resolved(data, |data, resolve| in_patch(schema, data, resolve)).1.len()
        };
        for (kind, path, count) in [
            ("User", "title".to_owned(), 0),
            ("User", "name.familyName".to_owned(), 0),
            ("User", "profileUrl".to_owned(), 1),
            ("User", "manager".to_owned(), 1),
            ("User", format!("{ENTERPRISE}:manager"), 1),
            ("User", format!("{ENTERPRISE}:manager.value"), 1),
            ("User", format!("{ENTERPRISE}:manager.displayName"), 0),
            ("User", format!("{ENTERPRISE}:department"), 0),
            ("User", "emails[type eq \"bulkId:b\"].value".to_owned(), 0),
            ("User", "photos[type eq \"bulkId:b\"].value".to_owned(), 1),
            ("User", "photos[value eq \"bulkId:b\"].display".to_owned(), 1),
            ("User", "unheardOf[x eq \"bulkId:b\"].y".to_owned(), 2),
            ("Group", "displayName".to_owned(), 0),
            ("Group", "members".to_owned(), 1),
            ("Group", "urn:ietf:params:scim:schemas:core:2.0:Group:members".to_owned(), 1),
            ("Group", "members[display eq \"bulkId:b\" or(value  EQ \"bulkId:c\")].display".to_owned(), 1),
            ("Group", "members.value eq \"bulkId:b\"".to_owned(), 2),
            ("Group", "members.display eq \"bulkId:b\"".to_owned(), 1),
        ] {
            assert_eq!(of(kind, path.clone(), json!("bulkId:a")), count, "{path}");
        }
        for path in ["", "None", "urn:ietf:params:scim:schemas:core:2.0:Group"] {
            let value =
                json!({"displayName": "bulkId:a", "members": [{"value": "bulkId:b", "display": "bulkId:a"}]});
            assert_eq!(of("Group", path.to_owned(), value), 1, "{path}");
        }
        let value = json!({"department": "bulkId:a", "manager": "bulkId:b", "manager[x eq \"bulkId:c\"]": 1});
        assert_eq!(of("User", ENTERPRISE.to_owned(), value.clone()), 2);
        assert_eq!(of("User", String::new(), json!({ENTERPRISE: value, "name.givenName": "bulkId:d"})), 2);
    }

    #[test]
    fn references_are_found_in_values_and_filters_of_a_patch() {
        let registry = Registry::standard();
        let group = registry.by_name("Group").unwrap();
        let in_patch = |data: &mut Value, resolve: &mut Resolve<'_>| in_patch(group, data, resolve);
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
        assert_eq!(found, ["a", "left", "b", "d", "c", "e", "f"]);
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
        let path = |path: &str| in_path(&Target::Unknown, path, &mut |id| Some(format!("<{id}\">")));
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
