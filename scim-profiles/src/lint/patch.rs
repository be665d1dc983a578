//! A PATCH message against a profile's rules: each operation for itself, without the resource.

use scim_core::leniency::Leniency;
use scim_core::patch::{Op, PatchOptions, PatchRequest, open_json_string, points_at_unknown};
use scim_core::schema::AttributeType;
use scim_core::{Error, Object, Value};
use scim_filter::{BindOptions, BoundPath, ParseOptions, PatchPath};

use super::{Completeness, Fragment, Judge, shape};
use crate::report::Violation;
use crate::rule::{Check, Rule, Severity};

pub(super) fn message(judge: &mut Judge<'_>, value: &Value) {
    let operations =
        value.as_object().and_then(|message| message.get("Operations")).and_then(Value::as_array);
    let Some(operations) = operations.filter(|operations| !operations.is_empty()) else {
        return judge.broken(Check::Operation, "Operations", "a PATCH has a list of operations");
    };
    for (index, operation) in operations.iter().enumerate() {
        self::operation(judge, operation, &format!("Operations[{index}]"));
    }
}

fn operation(judge: &mut Judge<'_>, operation: &Value, at: &str) {
    judge.mark(Check::Operation);
    judge.mark(Check::Plain);
    let before = judge.violations.len();
    let parsed = parse_alone(judge, operation);
    if let Ok(request) = &parsed {
        for (leniency, member) in OF_OPERATIONS {
            if request.leniencies().contains(leniency) {
                let message = format!("accepted by leniency only: `{leniency}`");
                judge.broken(Check::Plain, &format!("{at}.{member}"), &message);
            }
        }
    }
    fragments(judge, operation, at);
    let Err(error) = parsed else { return };
    let explained = judge.violations.iter().skip(before).any(|found| found.severity == Severity::Error);
    if !explained {
        judge.broken(Check::Operation, at, &error.detail().replace("Operations[0]", at));
    }
}

/// The leniencies that are about an operation rather than a value, with the member they are about.
const OF_OPERATIONS: &[(Leniency, &str)] = &[
    (Leniency::OpCase, "op"),
    (Leniency::NullPath, "path"),
    (Leniency::NonePath, "path"),
    (Leniency::PathKey, "value"),
    (Leniency::RemoveWithValue, "value"),
    (Leniency::ReadOnlyValue, "value"),
];

/// Parses `operation` as the only one of a message, as the service does.
fn parse_alone(judge: &Judge<'_>, operation: &Value) -> Result<PatchRequest, Error> {
    let mut message = Object::new();
    message.insert("schemas", vec![Value::from("urn:ietf:params:scim:api:messages:2.0:PatchOp")]);
    message.insert("Operations", vec![operation.clone()]);
    let options = PatchOptions { leniencies: judge.leniencies.clone(), ..PatchOptions::default() };
    PatchRequest::parse(judge.schema, message.into(), &options)
}

fn fragments(judge: &mut Judge<'_>, operation: &Value, at: &str) {
    let member = |name: &str| operation.as_object().and_then(|object| object.get(name));
    let name = member("op").and_then(Value::as_str).unwrap_or_default();
    let op = match name.to_ascii_lowercase().as_str() {
        "add" => Op::Add,
        "replace" => Op::Replace,
        "remove" => Op::Remove,
        _ => {
            let message = format!("`{}` is none of `add`, `replace`, `remove`", shape::shown(name));
            return judge.broken(Check::Operation, &format!("{at}.op"), &message);
        }
    };
    kinds(judge, op, &format!("{at}.op"));
    let place = Place { path: format!("{at}.path"), value: format!("{at}.value"), by_path: true };
    match (member("path").filter(|path| !is_no_path(path)), member("value")) {
        (Some(Value::String(path)), value) => fragment(judge, op, path, value, &place),
        (Some(_), _) => judge.broken(Check::Operation, &place.path, "a path is a string"),
        (None, _) if op == Op::Remove => {}
        (None, value) => without_path(judge, op, value, &place.value),
    }
}

/// Judges an operation by what it does.
fn kinds(judge: &mut Judge<'_>, op: Op, at: &str) {
    for rule in judge.rules {
        let Check::Ops(ops) = rule.check else { continue };
        judge.mark(rule.check);
        if !ops.contains(&op) {
            let message = format!("`{}`: {}", op.as_str(), rule.statement);
            judge.violations.push(Violation::new(rule, at, message));
        }
    }
}

/// What counts as no path at all: see [`Leniency::NullPath`] and [`Leniency::NonePath`].
fn is_no_path(path: &Value) -> bool {
    path.is_unassigned() || matches!(path.as_str(), Some("" | "None"))
}

/// Where a fragment stands in the message.
struct Place {
    path: String,
    value: String,
    /// Whether it is the operation's `path`, rather than a member of its value.
    by_path: bool,
}

/// The members of the value of an operation without path are paths with their values.
fn without_path(judge: &mut Judge<'_>, op: Op, value: Option<&Value>, at: &str) {
    let Some(members) = value.and_then(Value::as_object) else {
        return judge.broken(Check::Operation, at, "an operation without path has an object as value");
    };
    for (name, value) in members.iter() {
        let place = super::join(at, name.as_str());
        let place = Place { path: place.clone(), value: place, by_path: false };
        fragment(judge, op, name.as_str(), Some(value), &place);
    }
}

fn fragment(judge: &mut Judge<'_>, op: Op, path: &str, value: Option<&Value>, place: &Place) {
    let bound = match bind(judge, path, &place.path) {
        Ok(bound) => bound,
        // What the provider refuses is said of the operation.
        Err(Unreadable::Unknown) if place.by_path && !judge.leniencies.allows(Leniency::UnknownPath) => {
            return;
        }
        Err(Unreadable::Unknown) => {
            return judge.broken(
                Check::Known,
                &place.path,
                "not an attribute the service provider knows; ignored",
            );
        }
        Err(Unreadable::Malformed(message)) => return judge.broken(Check::Operation, &place.path, &message),
    };
    judge.mark(Check::Known);
    let Some(name) = &bound.attribute else {
        // The URI of a schema: its object as a whole, whose members are plain names.
        if bound.extension.is_none()
            && let Some(Value::Object(members)) = value
        {
            whole_attributes(judge, members, &place.value);
        }
        return;
    };
    if bound.extension.is_some() {
        return;
    }
    let partial = bound.filter.is_some() || bound.sub.is_some();
    match (op, value) {
        (Op::Remove, _) if partial => {}
        (Op::Remove, _) => removal(judge, name.as_str(), &place.path),
        (_, None) => judge.broken(Check::Operation, &place.value, "the operation has no value"),
        (_, Some(value)) if partial => element(judge, &bound, name.as_str(), value, &place.value),
        (_, Some(value)) => {
            let mut object = Object::new();
            object.insert(name.as_str(), value.clone());
            unwrap_documents(judge, &mut object, &place.value);
            let fragment = at_value(judge, &object, &place.value);
            let prefix = name.as_str().to_owned();
            judge.rules(&fragment, Completeness::Attributes, &|path| relocate(path, &prefix, &place.value));
        }
    }
}

/// Members that are whole attributes by name.
fn whole_attributes(judge: &mut Judge<'_>, members: &Object, at: &str) {
    let fragment = judge.fit(members, at);
    judge.rules(&fragment, Completeness::Attributes, &|path| format!("{at}.{path}"));
}

/// Part of an element: a sub-attribute, or the members that the value has.
fn element(judge: &mut Judge<'_>, bound: &BoundPath, name: &str, value: &Value, at: &str) {
    let Some(attribute) = judge.schema.find(None, name) else { return };
    if attribute.kind != AttributeType::Complex {
        return;
    }
    let (member, prefix) = match &bound.sub {
        Some(sub) => {
            let mut object = Object::new();
            object.insert(sub.as_str(), value.clone());
            (Value::Object(object), format!(".{sub}"))
        }
        None => (value.clone(), String::new()),
    };
    let multi_valued = attribute.multi_valued;
    let mut object = Object::new();
    object.insert(name, if multi_valued { Value::Array(vec![member]) } else { member });
    let prefix = format!("{name}{}{prefix}", if multi_valued { "[0]" } else { "" });
    unwrap_documents(judge, &mut object, at);
    let fragment = at_value(judge, &object, at);
    judge.rules(&fragment, Completeness::Element, &|path| relocate(path, &prefix, at));
}

/// Makes the one attribute of `object` fit; what is found about it is found at `at`.
fn at_value(judge: &mut Judge<'_>, object: &Object, at: &str) -> Fragment {
    let before = judge.violations.len();
    let fragment = judge.fit(object, "");
    let name = object.iter().next().map(|(name, _)| name.as_str().to_owned()).unwrap_or_default();
    for violation in judge.violations.iter_mut().skip(before) {
        violation.path = relocate(&violation.path, &name, at);
    }
    fragment
}

/// The removal of the attribute `name` as a whole.
fn removal(judge: &mut Judge<'_>, name: &str, at: &str) {
    for (index, rule) in judge.rules.iter().enumerate() {
        if rule.attribute != name || !rule.on.includes(judge.payload) {
            continue;
        }
        if let Some(message) = refusal(rule) {
            if let Some(checked) = judge.checked.get_mut(index) {
                *checked = true;
            }
            judge.violations.push(Violation::new(rule, at, message));
        }
    }
}

fn refusal(rule: &Rule) -> Option<String> {
    matches!(rule.check, Check::Required | Check::Kept)
        .then(|| format!("cannot be removed: {}", rule.statement))
}

/// `path`, which starts with `prefix`, as a path from `at` on.
fn relocate(path: &str, prefix: &str, at: &str) -> String {
    match path.strip_prefix(prefix) {
        Some(rest) => format!("{at}{rest}"),
        None => at.to_owned(),
    }
}

enum Unreadable {
    Unknown,
    Malformed(String),
}

fn bind(judge: &mut Judge<'_>, path: &str, at: &str) -> Result<BoundPath, Unreadable> {
    let options = ParseOptions::default();
    let parsed =
        PatchPath::parse_with(path, &options).map_err(|error| Unreadable::Malformed(error.to_string()))?;
    let tolerant = BindOptions { boolean_strings: true };
    match (parsed.bind(judge.schema, &BindOptions::default()), parsed.bind(judge.schema, &tolerant)) {
        (Ok(bound), _) => Ok(bound),
        (Err(_), Ok(bound)) => {
            let message = format!("accepted by leniency only: `{}`", Leniency::BooleanString);
            judge.broken(Check::Plain, at, &message);
            Ok(bound)
        }
        (_, Err(error)) if points_at_unknown(judge.schema, &parsed, &error) => Err(Unreadable::Unknown),
        (_, Err(error)) => Err(Unreadable::Malformed(error.to_string())),
    }
}

/// Takes apart the values of the one attribute of `object` that hold JSON documents.
fn unwrap_documents(judge: &mut Judge<'_>, object: &mut Object, at: &str) {
    let mut found = false;
    for (name, value) in object.iter_mut() {
        let Some(attribute) = judge.schema.find(None, name.as_str()) else { continue };
        found |= open_json_string(attribute, None, value);
    }
    if found {
        let message = format!("accepted by leniency only: `{}`", Leniency::JsonStringValue);
        judge.broken(Check::Plain, at, &message);
    }
}
