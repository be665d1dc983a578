//! What must hold of the figures.

use crate::measure::Figure;
use crate::workloads::{OURS, OURS_SLICE, PARSED, SCIM_FILTER, SCIM_PROTO, SCIM_V2};

/// Ours takes at most `ratio` of the time the peer takes.
pub struct Limit {
    workload: &'static str,
    peer: &'static str,
    ratio: f64,
}

const fn at_most(workload: &'static str, ratio: f64, peer: &'static str) -> Limit {
    Limit { workload, peer, ratio }
}

/// A factor of about 1.3 over what a hand-written parser of the grammar was measured at.
const TIMES: [Limit; 22] = [
    at_most("F1", 0.25, SCIM_PROTO),
    at_most("F1", 0.012, SCIM_V2),
    at_most("F3", 0.33, SCIM_PROTO),
    at_most("F4", 0.18, SCIM_PROTO),
    at_most("F5", 0.12, SCIM_PROTO),
    at_most("F6", 0.25, SCIM_PROTO),
    at_most("F7", 0.08, SCIM_PROTO),
    at_most("F7p", 0.02, SCIM_PROTO),
    at_most("F8", 0.014, SCIM_V2),
    at_most("F9", 0.11, SCIM_PROTO),
    at_most("P1", 0.015, SCIM_V2),
    at_most("P2", 0.015, SCIM_V2),
    at_most("P3", 0.015, SCIM_V2),
    at_most("P4", 0.015, SCIM_V2),
    at_most("P5", 0.015, SCIM_V2),
    at_most("P6", 0.015, SCIM_V2),
    at_most("E1a", 0.15, SCIM_FILTER),
    at_most("E1b", 0.30, SCIM_FILTER),
    at_most("E1c", 0.25, SCIM_FILTER),
    at_most("S1a", 0.2, PARSED),
    at_most("S1b", 0.2, PARSED),
    at_most("S1c", 0.2, PARSED),
];

/// How often ours may ask for memory. For F5 and F9 that is the logarithm of the 64 and 1000 terms.
const ALLOCATIONS: [(&str, u64); 10] = [
    ("F1", 1),
    ("F3", 2),
    ("F5", 7),
    ("F9", 11),
    ("E1a", 0),
    ("E1b", 0),
    ("E1c", 0),
    ("S1a", 0),
    ("S1b", 0),
    ("S1c", 0),
];

/// The contender of each workload that is ours, and is held to the limits.
const WE: [&str; 2] = [OURS, OURS_SLICE];

/// A time limit and what came of it.
pub struct Verdict {
    limit: Limit,
    /// Ours over the peer's; `None` if one of them has refused the workload.
    found: Option<f64>,
}

impl Verdict {
    /// Whether the limit is kept.
    pub fn holds(&self) -> bool {
        self.found.is_some_and(|found| found <= self.limit.ratio)
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Limit { workload, peer, ratio } = self.limit;
        let mark = if self.holds() { "holds" } else { "MISSED" };
        match self.found {
            Some(found) => write!(f, "{workload:<4} {found:.4} of {peer}, at most {ratio}: {mark}"),
            None => write!(f, "{workload:<4} refused by us or by {peer}: {mark}"),
        }
    }
}

/// The time limits of the workloads that were measured, held against the figures.
pub fn times(figures: &[Figure]) -> Vec<Verdict> {
    let median = |workload, crates: &[&str]| figure(figures, workload, crates)?.median_ns;
    TIMES
        .into_iter()
        .filter(|limit| figure(figures, limit.workload, &WE).is_some())
        .map(|limit| {
            let found = median(limit.workload, &WE).zip(median(limit.workload, &[limit.peer]));
            Verdict { found: found.map(|(ours, theirs)| ours / theirs), limit }
        })
        .collect()
}

/// The limits on allocations that are not kept, in words.
pub fn allocations(figures: &[Figure]) -> Vec<String> {
    let mut broken = Vec::new();
    for (workload, most) in ALLOCATIONS {
        let Some(Figure { allocations, .. }) = figure(figures, workload, &WE) else { continue };
        if *allocations > most {
            broken.push(format!("{workload} asks for memory {allocations} times, at most {most}"));
        }
    }
    broken
}

/// The figure of the first of `crates` that was measured.
fn figure<'f>(figures: &'f [Figure], workload: &str, crates: &[&str]) -> Option<&'f Figure> {
    figures.iter().find(|figure| figure.workload == workload && crates.contains(&figure.crate_name))
}
