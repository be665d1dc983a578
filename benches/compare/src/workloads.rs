//! Every workload, as each crate is asked to do it.

use std::hint::black_box;

use peer_scim_filter::scim_filter as peer_select;
use peer_scim_proto::filter::ScimFilter;
use peer_scim_v2::filter::{Filter as PeerFilter, PatchPath as PeerPath};
use scim_benches::workloads::{E1A, E1B, E1C, F4, PATHS, filters, users};
use scim_core::schema::Registry;
use scim_filter::{BindOptions, BoundFilter, Filter, PatchPath};
use serde::Serialize;
use serde_json::Value;

use crate::measure::{Contender, Effort, Figure, measure};

/// This workspace's `scim-filter`.
pub const OURS: &str = "ours";
/// Ours, evaluated on `serde_json::Value`.
pub const OURS_SERDE: &str = "ours on serde_json::Value";
/// Ours, on JSON text without a tree.
pub const OURS_SLICE: &str = "ours on JSON text";
/// JSON text parsed by `serde_json`, then evaluated by ours.
pub const PARSED: &str = "serde_json, then ours";
/// The published `scim-filter` 0.2.
pub const SCIM_FILTER: &str = "scim-filter 0.2.0";
/// `scim_proto` 1.10.4.
pub const SCIM_PROTO: &str = "scim_proto 1.10.4";
/// `scim_v2` 1.0.
pub const SCIM_V2: &str = "scim_v2 1.0.0";

/// Parsing of filters.
pub fn parse(effort: Effort) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (name, text) in filters() {
        figures.extend(measure(name, &mut parsers(&[&text]), effort));
    }
    figures.extend(measure("F4", &mut parsers(&F4), effort));
    figures
}

fn parsers<'w>(texts: &'w [&str]) -> Vec<Contender<'w>> {
    fn count(texts: &[&str], accepts: impl Fn(&str) -> bool) -> usize {
        texts.iter().filter(|text| accepts(black_box(text))).count()
    }
    // It has one function for parsing and evaluating; over nothing, it only parses. Its time grows
    // exponentially with brackets.
    let nests = texts.iter().any(|text| text.contains("((") || text.contains("not (("));
    vec![
        Contender::new(OURS, move || count(texts, |text| Filter::parse(text).is_ok())),
        Contender::new(SCIM_PROTO, move || count(texts, |text| text.parse::<ScimFilter>().is_ok())),
        Contender::new(SCIM_V2, move || count(texts, |text| text.parse::<PeerFilter>().is_ok())),
        Contender::new(SCIM_FILTER, move || {
            count(texts, |text| !nests && peer_select::<&Value>(text, std::iter::empty()).is_ok())
        }),
    ]
}

/// Parsing of PATCH paths.
pub fn paths(effort: Effort) -> Vec<Figure> {
    let measure = |(name, text): (&'static str, &str)| {
        let contenders = &mut [
            Contender::new(OURS, || usize::from(PatchPath::parse(black_box(text)).is_ok())),
            Contender::new(SCIM_V2, || usize::from(black_box(text).parse::<PeerPath>().is_ok())),
        ];
        measure(name, contenders, effort)
    };
    PATHS.into_iter().flat_map(measure).collect()
}

/// A user as `scim-filter` 0.2 takes it: it serialises every resource anew and finds members by
/// their lower-cased name alone. This has only what the filters name, which is its best case.
#[derive(Serialize)]
struct PeerUser {
    active: Value,
    username: Value,
    usertype: Value,
    title: Value,
    emails: Value,
    meta: PeerMeta,
}

#[derive(Serialize)]
struct PeerMeta {
    lastmodified: Value,
}

impl PeerUser {
    fn new(user: &Value) -> Self {
        let member = |name| user.get(name).cloned().unwrap_or_default();
        let lastmodified = user.pointer("/meta/lastModified").cloned().unwrap_or_default();
        Self {
            active: member("active"),
            username: member("userName"),
            usertype: member("userType"),
            title: member("title"),
            emails: member("emails"),
            meta: PeerMeta { lastmodified },
        }
    }
}

/// Evaluation over `count` users: one bound filter, many trees.
pub fn evaluation(effort: Effort, count: usize) -> Vec<Figure> {
    let registry = Registry::standard();
    let schema = registry.by_name("User").expect("the standard registry has users");
    let bind = |text| {
        let filter = Filter::parse(text).expect("the workloads are filters");
        filter.bind(&**schema, &BindOptions::default()).expect("of users")
    };
    let ours: Vec<scim_core::Value> = users(count).map(scim_core::Value::from).collect();
    let trees: Vec<Value> = users(count).collect();
    let peers: Vec<PeerUser> = trees.iter().map(PeerUser::new).collect();
    let mut figures = Vec::new();
    for (name, text) in [("E1a", E1A), ("E1b", E1B), ("E1c", E1C)] {
        let filter = bind(text);
        let contenders = &mut [
            Contender::new(OURS, || {
                let objects = ours.iter().filter_map(scim_core::Value::as_object);
                objects.filter(|user| filter.matches::<scim_core::Value>(user)).count()
            }),
            Contender::new(OURS_SERDE, || select(&filter, &trees)),
            Contender::new(SCIM_FILTER, || peer_select(text, &peers).map_or(0, |found| found.len())),
        ];
        let measured = measure(name, contenders, effort);
        agree(&measured);
        figures.extend(measured);
    }
    figures
}

/// Evaluation over `count` users in JSON text: in place, and by way of a tree.
pub fn text(effort: Effort, count: usize) -> Vec<Figure> {
    let registry = Registry::standard();
    let schema = registry.by_name("User").expect("the standard registry has users");
    let texts: Vec<String> = users(count).map(|user| user.to_string()).collect();
    let mut figures = Vec::new();
    for (name, text) in [("S1a", E1A), ("S1b", E1B), ("S1c", E1C)] {
        let filter = Filter::parse(text).expect("the workloads are filters");
        let filter = filter.bind(&**schema, &BindOptions::default()).expect("of users");
        let contenders = &mut [
            Contender::new(OURS_SLICE, || {
                texts.iter().filter(|user| filter.matches_slice(user.as_bytes()) == Ok(true)).count()
            }),
            Contender::new(PARSED, || {
                let trees = texts.iter().filter_map(|user| serde_json::from_str::<Value>(user).ok());
                trees
                    .filter(|user| user.as_object().is_some_and(|user| filter.matches::<Value>(user)))
                    .count()
            }),
        ];
        let measured = measure(name, contenders, effort);
        agree(&measured);
        figures.extend(measured);
    }
    figures
}

fn select(filter: &BoundFilter, trees: &[Value]) -> usize {
    let objects = trees.iter().filter_map(Value::as_object);
    objects.filter(|user| filter.matches::<Value>(user)).count()
}

/// Every crate selected as many.
fn agree(figures: &[Figure]) {
    for pair in figures.windows(2) {
        if let [a, b] = pair {
            assert_eq!(a.result, b.result, "{}: {} and {}", a.workload, a.crate_name, b.crate_name);
        }
    }
}
