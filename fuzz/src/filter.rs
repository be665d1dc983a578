//! Filters and PATCH paths.

use std::ops::Range;
use std::sync::LazyLock;

use scim_core::Value;
use scim_core::schema::{Registry, ResourceSchema};
use scim_core::value::JsonLimits;
use scim_filter::{BindOptions, BoundExpr, BoundTerm, Filter, Limits, ParseOptions, PatchPath};

use crate::samples;

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::standard);

/// Any text is a filter or is refused with the place, and so for paths, with leniencies and
/// without. What is a filter can be bound or is refused with the place, and what is bound can be
/// evaluated.
///
/// # Panics
///
/// If a property does not hold.
pub fn filter_parse(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for options in options() {
        match Filter::parse_with(text, &options) {
            Ok(filter) => {
                assert!(text.len() <= options.limits.max_bytes, "over the limit of bytes");
                assert_eq!(filter.as_str(), text);
                bind_and_match(&filter);
            }
            Err(error) => check_error(text, &error.span(), &error.to_string()),
        }
        match PatchPath::parse_with(text, &options) {
            Ok(path) => {
                for schema in REGISTRY.resource_types() {
                    if let Err(error) = path.bind(schema.as_ref(), &BindOptions::default()) {
                        check_error(text, &error.span(), &error.to_string());
                    }
                }
            }
            Err(error) => check_error(text, &error.span(), &error.to_string()),
        }
    }
}

/// A filter prints as a text that parses to a filter that prints the same and selects the same.
///
/// # Panics
///
/// If a property does not hold.
pub fn filter_roundtrip(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for options in options() {
        let Ok(filter) = Filter::parse_with(text, &options) else { continue };
        let printed = filter.to_string();
        // Printing may write more bytes than were read (`\/` is read, `or` gets its brackets).
        let roomy = ParseOptions {
            limits: Limits { max_bytes: usize::MAX, max_depth: usize::MAX, max_terms: usize::MAX },
            ..ParseOptions::default()
        };
        let again = Filter::parse_with(&printed, &roomy)
            .unwrap_or_else(|error| panic!("`{text}` prints as `{printed}`, which is no filter: {error}"));
        assert_eq!(again.to_string(), printed, "`{text}` prints in two ways");
        assert_eq!(again.clone().to_string(), printed, "a clone of `{text}` prints in another way");
        for (schema, sample) in bindings() {
            let bind = |filter: &Filter| filter.bind(schema, &BindOptions::default()).ok();
            let (before, after) = (bind(&filter), bind(&again));
            let select = |bound: &scim_filter::BoundFilter| bound.matches::<Value>(sample);
            assert_eq!(
                before.as_ref().map(select),
                after.as_ref().map(select),
                "`{text}` selects otherwise than `{printed}`"
            );
        }
    }
}

/// A filter (the first line) selects a resource (the rest) as JSON text as it does as a tree, if a
/// tree can be made of it. What is no object is refused; of any other text, an error says where.
///
/// # Panics
///
/// If a property does not hold.
pub fn filter_match(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (line, rest) = data.split_at(end);
    let json = rest.strip_prefix(b"\n").unwrap_or(rest);
    let Some(filter) = std::str::from_utf8(line).ok().and_then(|text| Filter::parse(text).ok()) else {
        return;
    };
    // A byte order mark is no part of the text.
    let marked = json.starts_with(b"\xef\xbb\xbf");
    let tree = Value::from_slice(json, &JsonLimits { max_depth: usize::MAX });
    for (schema, _) in bindings() {
        let Ok(bound) = filter.bind(schema, &BindOptions::default()) else { continue };
        let text = bound.matches_slice(json);
        match tree.as_ref().map(Value::as_object) {
            _ if marked => assert!(text.is_err(), "a byte order mark was read as JSON"),
            Ok(Some(object)) => {
                assert_eq!(text, Ok(bound.matches::<Value>(object)), "`{filter}` selects otherwise")
            }
            Ok(None) => assert!(text.is_err(), "what is no object was selected from"),
            Err(_) => {}
        }
        if let Err(error) = text {
            assert!(error.position() <= json.len(), "{error} is behind the end");
        }
    }
}

/// A PATCH path prints as a text that parses to an equal path, and binds the same.
///
/// # Panics
///
/// If a property does not hold.
pub fn patch_path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(path) = PatchPath::parse(text) else { return };
    let printed = path.to_string();
    let roomy = ParseOptions {
        limits: Limits { max_bytes: usize::MAX, max_depth: usize::MAX, max_terms: usize::MAX },
        ..ParseOptions::default()
    };
    let again = PatchPath::parse_with(&printed, &roomy)
        .unwrap_or_else(|error| panic!("`{text}` prints as `{printed}`, which is no path: {error}"));
    assert!(again == path, "`{text}` prints as `{printed}`, another path");
    assert_eq!(again.to_string(), printed, "`{text}` prints in two ways");
    for (schema, _) in bindings() {
        let bind = |path: &PatchPath| path.bind(schema, &BindOptions::default());
        match (bind(&path), bind(&again)) {
            (Ok(before), Ok(after)) => {
                assert_eq!(
                    (before.extension, before.attribute, before.sub),
                    (after.extension, after.attribute, after.sub)
                );
            }
            (Err(before), Err(after)) => {
                assert_eq!(before.kind(), after.kind());
                check_error(text, &before.span(), &before.to_string());
            }
            _ => panic!("`{text}` binds otherwise than `{printed}`"),
        }
    }
}

fn options() -> [ParseOptions; 2] {
    let strict = ParseOptions::default();
    let tolerant = ParseOptions { value_path_sub_attr: true, ..ParseOptions::default() };
    [strict, tolerant]
}

fn bindings() -> impl Iterator<Item = (&'static ResourceSchema, &'static scim_core::Object)> {
    static SAMPLES: LazyLock<[Value; 2]> = LazyLock::new(|| {
        [samples::USER, samples::GROUP].map(|text| {
            Value::from_slice(text.as_bytes(), &JsonLimits::default()).expect("the samples are JSON")
        })
    });
    REGISTRY.resource_types().map(AsRef::as_ref).zip(SAMPLES.iter().filter_map(Value::as_object))
}

fn bind_and_match(filter: &Filter) {
    for (schema, sample) in bindings() {
        for boolean_strings in [false, true] {
            let options = BindOptions { boolean_strings };
            match filter.bind(schema, &options) {
                Ok(bound) => {
                    bound.matches::<Value>(sample);
                    bound.matches::<Value>(&scim_core::Object::new());
                    count(bound.expr());
                }
                Err(error) => check_error(filter.as_str(), &error.span(), &error.to_string()),
            }
        }
    }
}

/// Walks the whole of a bound filter, as a store does that translates it, and counts its leaves.
fn count(expr: BoundExpr<'_>) -> usize {
    let mut open = vec![expr];
    let mut leaves = 0;
    while let Some(expr) = open.pop() {
        match expr {
            BoundExpr::And(terms) | BoundExpr::Or(terms) => open.extend(terms.map(BoundTerm::expr)),
            BoundExpr::Not(term) | BoundExpr::ValuePath(_, term) => open.push(term.expr()),
            BoundExpr::Compare(..) | BoundExpr::Present(_) => leaves += 1,
        }
    }
    assert!(leaves > 0, "a filter of nothing");
    leaves
}

/// An error says something, in one line, about a place in the text.
fn check_error(text: &str, span: &Range<usize>, message: &str) {
    assert!(text.get(span.clone()).is_some(), "{span:?} is no place in `{text}`: {message}");
    assert!(!message.trim().is_empty(), "an error without words");
}
