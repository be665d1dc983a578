//! Every workload, as each crate is asked to do it.

use std::hint::black_box;

use peer_scim_filter::scim_filter as peer_select;
use peer_scim_proto::filter::ScimFilter;
use peer_scim_v2::filter::{Filter as PeerFilter, PatchPath as PeerPath};
use scim_benches::workloads::{E1A, E1B, E1C, F4, PATHS, filters, users};
use scim_core::schema::Registry;
use scim_core::value::JsonLimits;
use scim_filter::{BindOptions, BoundFilter, Filter, PatchPath};
use serde::Serialize;
use serde_json::Value;

use crate::measure::{Contender, Effort, Figure, Workload};

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
pub fn parsing(effort: Effort) -> Vec<Workload<'static>> {
    let mut texts: Vec<(&str, Vec<String>)> =
        filters().into_iter().map(|(name, text)| (name, vec![text])).collect();
    texts.insert(3, ("F4", F4.map(str::to_owned).to_vec()));
    let workload = |(name, texts): (&str, Vec<String>)| Workload {
        name: name.to_owned(),
        contenders: parsers(&texts),
        effort,
    };
    texts.into_iter().map(workload).collect()
}

fn parsers(texts: &[String]) -> Vec<Contender<'static>> {
    // Its time grows exponentially with brackets.
    let nests = |text: &str| text.contains("((");
    vec![
        parser(OURS, texts, |text| Filter::parse(text).is_ok()),
        parser(SCIM_PROTO, texts, scim_proto),
        parser(SCIM_V2, texts, scim_v2),
        parser(SCIM_FILTER, texts, move |text| !nests(text) && scim_filter(text)),
    ]
}

/// Whether `scim_proto` accepts a filter.
pub fn scim_proto(text: &str) -> bool {
    text.parse::<ScimFilter>().is_ok()
}

/// Whether `scim_v2` accepts a filter.
pub fn scim_v2(text: &str) -> bool {
    text.parse::<PeerFilter>().is_ok()
}

/// Whether `scim-filter` 0.2 accepts a filter. It has one function for parsing and evaluating; over
/// nothing, it only parses.
pub fn scim_filter(text: &str) -> bool {
    peer_select::<&Value>(text, std::iter::empty()).is_ok()
}

/// A crate that parses what it accepts of the texts: refusing is no part of the work, and costs some
/// crates more than accepting.
fn parser(
    crate_name: &'static str,
    texts: &[String],
    accepts: impl Fn(&str) -> bool + 'static,
) -> Contender<'static> {
    let accepted: Vec<String> = texts.iter().filter(|text| accepts(text)).cloned().collect();
    Contender::new(crate_name, move || accepted.iter().filter(|text| accepts(black_box(text))).count())
}

/// Parsing of PATCH paths.
pub fn paths(effort: Effort) -> Vec<Workload<'static>> {
    let workload = |(name, text): (&str, &'static str)| Workload {
        name: name.to_owned(),
        contenders: vec![
            Contender::new(OURS, move || usize::from(PatchPath::parse(black_box(text)).is_ok())),
            Contender::new(SCIM_V2, move || usize::from(black_box(text).parse::<PeerPath>().is_ok())),
        ],
        effort,
    };
    PATHS.into_iter().map(workload).collect()
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

/// The same users in every form that is evaluated.
pub struct Users {
    ours: Vec<scim_core::Value>,
    trees: Vec<Value>,
    peers: Vec<PeerUser>,
    texts: Vec<Box<str>>,
}

impl Users {
    /// As many users.
    pub fn new(count: usize) -> Self {
        // Trees are read from text, as those of a store are, one kind after the other.
        let texts: Vec<Box<str>> = users(count).map(String::into_boxed_str).collect();
        let limits = JsonLimits::default();
        let ours = |text: &str| scim_core::Value::from_slice(text.as_bytes(), &limits);
        let ours: Vec<_> = texts.iter().map(|text| ours(text).expect("it is JSON")).collect();
        let trees = texts.iter().map(|text| serde_json::from_str(text).expect("it is JSON"));
        let trees: Vec<Value> = trees.collect();
        Self { ours, peers: trees.iter().map(PeerUser::new).collect(), texts, trees }
    }

    /// Evaluation: on trees (E), and on JSON text, in place and by way of a tree (S).
    pub fn evaluation(&self, effort: Effort) -> Vec<Workload<'_>> {
        let filters = [("1a", E1A), ("1b", E1B), ("1c", E1C)];
        let trees = filters.map(|(name, text)| Workload {
            name: format!("E{name}"),
            contenders: self.on_trees(text),
            effort,
        });
        let texts = filters.map(|(name, text)| Workload {
            name: format!("S{name}"),
            contenders: self.on_texts(text),
            effort,
        });
        trees.into_iter().chain(texts).collect()
    }

    fn on_trees(&self, text: &'static str) -> Vec<Contender<'_>> {
        let (filter, filter_on_serde) = (bind(text), bind(text));
        vec![
            Contender::new(OURS, move || {
                let objects = self.ours.iter().filter_map(scim_core::Value::as_object);
                objects.filter(|user| filter.matches::<scim_core::Value>(user)).count()
            }),
            Contender::new(OURS_SERDE, move || {
                let objects = self.trees.iter().filter_map(Value::as_object);
                objects.filter(|user| filter_on_serde.matches::<Value>(user)).count()
            }),
            Contender::new(SCIM_FILTER, move || {
                peer_select(text, &self.peers).map_or(0, |found| found.len())
            }),
        ]
    }

    fn on_texts(&self, text: &str) -> Vec<Contender<'_>> {
        let (filter, filter_on_tree) = (bind(text), bind(text));
        vec![
            Contender::new(OURS_SLICE, move || {
                self.texts.iter().filter(|user| filter.matches_slice(user.as_bytes()) == Ok(true)).count()
            }),
            Contender::new(PARSED, move || {
                let trees = self.texts.iter().filter_map(|user| serde_json::from_str::<Value>(user).ok());
                trees
                    .filter(|user| user.as_object().is_some_and(|user| filter_on_tree.matches::<Value>(user)))
                    .count()
            }),
        ]
    }
}

fn bind(text: &str) -> BoundFilter {
    let registry = Registry::standard();
    let schema = registry.by_name("User").expect("the standard registry has users");
    let filter = Filter::parse(text).expect("the workloads are filters");
    filter.bind(&**schema, &BindOptions::default()).expect("the filters are about users")
}

/// Panics unless every crate selected as many users as the one before, and at least one.
pub fn agree(figures: &[Figure]) {
    for pair in figures.windows(2) {
        if let [a, b] = pair
            && a.workload == b.workload
            && a.workload.starts_with(['E', 'S'])
        {
            let both = format!("{}: {} and {}", a.workload, a.crate_name, b.crate_name);
            assert!(a.result == b.result && a.result > 0, "{both} selected {} and {}", a.result, b.result);
        }
    }
}
