//! Comparing JSON: sets without order, and where two values differ.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What can be compared as JSON.
pub(super) trait Normal {
    fn normal(&self) -> Value;
}

impl Normal for Value {
    /// The value with its sets sorted: RFC 7643 §3 leaves the order of `schemas` open, and
    /// `members`, `groups` and the `Resources` of a list without `sortBy` have none either.
    fn normal(&self) -> Value {
        match self {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| {
                    let mut value = value.normal();
                    if let ("schemas" | "members" | "groups" | "Resources", Value::Array(elements)) =
                        (name.as_str(), &mut value)
                    {
                        elements.sort_by_key(Value::to_string);
                    }
                    (name.clone(), value)
                })
                .collect::<Map<_, _>>()
                .into(),
            Value::Array(elements) => elements.iter().map(Normal::normal).collect(),
            other => other.clone(),
        }
    }
}

impl<T: Normal> Normal for Option<T> {
    fn normal(&self) -> Value {
        self.as_ref().map_or(Value::Null, Normal::normal)
    }
}

impl<T: Normal> Normal for &T {
    fn normal(&self) -> Value {
        (*self).normal()
    }
}

impl<K: AsRef<str>, T: Normal> Normal for BTreeMap<K, T> {
    fn normal(&self) -> Value {
        self.iter()
            .map(|(name, value)| (name.as_ref().to_owned(), value.normal()))
            .collect::<Map<_, _>>()
            .into()
    }
}

impl Normal for u16 {
    fn normal(&self) -> Value {
        json!(self)
    }
}

impl Normal for u64 {
    fn normal(&self) -> Value {
        json!(self)
    }
}

impl Normal for &str {
    fn normal(&self) -> Value {
        json!(self)
    }
}

/// Says where `actual` is not `expected`.
pub(super) fn differ(at: &str, expected: &Value, actual: &Value, problems: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            let mut names: Vec<_> = expected.keys().chain(actual.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let side = |members: &Map<String, Value>| members.get(name).cloned().unwrap_or_default();
                differ(&format!("{at} › {name}"), &side(expected), &side(actual), problems);
            }
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                differ(&format!("{at} › {index}"), expected, actual, problems);
            }
        }
        _ if expected == actual => {}
        _ => problems.push(format!("{at}: expected {}, is {}", brief(expected), brief(actual))),
    }
}

/// Says where `actual` lacks what `expected` has; an element is looked for anywhere in an array.
pub(super) fn contains(at: &str, expected: &Value, actual: &Value, problems: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, value) in expected {
                let found = actual.get(name).unwrap_or(&Value::Null);
                contains(&format!("{at} › {name}"), value, found, problems);
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            for (index, value) in expected.iter().enumerate() {
                let misses = actual.iter().map(|found| {
                    let mut misses = Vec::new();
                    contains(&format!("{at} › {index}"), value, found, &mut misses);
                    misses
                });
                problems
                    .extend(misses.min_by_key(Vec::len).unwrap_or_else(|| vec![format!("{at}: is empty")]));
            }
        }
        _ if expected == actual => {}
        _ => problems.push(format!("{at}: expected {}, is {}", brief(expected), brief(actual))),
    }
}

fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

pub(super) fn walk(value: &Value, see: &mut impl FnMut(&str, &Value)) {
    fn step(name: &str, value: &Value, see: &mut impl FnMut(&str, &Value)) {
        see(name, value);
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| step(name, value, see)),
            Value::Array(elements) => elements.iter().for_each(|value| step(name, value, see)),
            _ => {}
        }
    }
    step("", value, see);
}

/// Removes the member at `path`, whose steps are separated by `/`.
pub(super) fn remove(value: &mut Value, path: &str) {
    match path.split_once('/') {
        None => drop(value.as_object_mut().map(|members| members.remove(path))),
        Some((name, rest)) => {
            if let Some(inner) = value.get_mut(name) {
                remove(inner, rest);
            }
        }
    }
}
