//! How the time for parsing grows with the text.

use std::fmt::Write as _;
use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use scim_benches::workloads::{any_id, nested};
use scim_filter::{Filter, Limits, ParseOptions};

use crate::measure::{Contender, Effort, Workload, measure};
use crate::workloads::{OURS, SCIM_FILTER, SCIM_PROTO, SCIM_V2, scim_filter, scim_proto, scim_v2};

/// Texts of one shape in several sizes.
pub struct Shape {
    /// What grows, in the plural.
    pub name: &'static str,
    /// The sizes, ascending.
    pub sizes: &'static [usize],
    /// Those that an axis names.
    pub ticks: &'static [usize],
    text: fn(usize) -> String,
}

/// As many brackets as our default limits admit, and ten times as many terms.
pub const SHAPES: [Shape; 2] = [
    Shape {
        name: "terms joined by or",
        sizes: &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000],
        ticks: &[1, 10, 100, 1_000, 10_000],
        text: any_id,
    },
    Shape {
        name: "nested brackets",
        sizes: &[1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64],
        ticks: &[1, 2, 4, 8, 16, 32, 64],
        text: nested,
    },
];

/// The times of one crate for one shape.
pub struct Curve {
    /// The crate.
    pub crate_name: &'static str,
    /// Size and median time in nanoseconds.
    pub points: Vec<(usize, f64)>,
    /// Why it does not go on to the largest size.
    pub end: Option<End>,
}

/// Why a curve ends early.
pub enum End {
    /// The crate refuses a text of this size.
    Refused(usize),
    /// The crate aborts the process at a text of this size, by overflowing the stack.
    Aborted(usize),
    /// The last time was so long that the next was not waited for.
    TooSlow,
}

/// Whether a text is accepted.
type Accepts = fn(&str) -> bool;

const CRATES: [(&str, Accepts); 4] =
    [(OURS, ours), (SCIM_PROTO, scim_proto), (SCIM_V2, scim_v2), (SCIM_FILTER, scim_filter)];

/// Ours, without the default limits on length and terms.
fn ours(text: &str) -> bool {
    let limits = Limits { max_bytes: usize::MAX, max_terms: usize::MAX, ..Limits::default() };
    Filter::parse_with(text, &ParseOptions { limits, ..ParseOptions::default() }).is_ok()
}

/// Measures every crate on a shape, each as far as it goes.
pub fn curves(shape: &Shape, is_quick: bool) -> Vec<Curve> {
    // Where the time doubles with each bracket, the next size may take a thousand times as long.
    const TOO_SLOW: f64 = 20e6;
    let effort = match is_quick {
        true => Effort { rounds: 1, batches: 1, batch: Duration::ZERO },
        false => Effort { rounds: 3, batches: 11, batch: Duration::from_micros(200) },
    };
    let mut curves = CRATES.map(|(crate_name, _)| Curve { crate_name, points: Vec::new(), end: None });
    for &size in shape.sizes {
        let text = (shape.text)(size);
        let text = &*text;
        let mut contenders = Vec::new();
        for ((crate_name, accepts), curve) in CRATES.iter().zip(&mut curves) {
            if curve.end.is_none() {
                curve.end = refusal(crate_name, shape, size);
            }
            if curve.end.is_none() {
                contenders.push(Contender::new(crate_name, move || usize::from(accepts(black_box(text)))));
            }
        }
        let figures = measure(&mut [Workload { name: shape.name.to_owned(), contenders, effort }]);
        for figure in figures {
            let Some(curve) = curves.iter_mut().find(|curve| curve.crate_name == figure.crate_name) else {
                continue;
            };
            curve.points.extend(figure.median_ns.map(|median| (size, median)));
            let is_slow = figure.median_ns.is_some_and(|median| median > TOO_SLOW);
            if is_slow && Some(&size) != shape.sizes.last() {
                curve.end = Some(End::TooSlow);
            }
        }
    }
    curves.into()
}

/// Why a crate does not parse a text, tried in a process of its own, which it may abort.
fn refusal(crate_name: &str, shape: &Shape, size: usize) -> Option<End> {
    let program = std::env::current_exe().expect("a program that runs has a name");
    let arguments = ["--accepts", crate_name, shape.name, &size.to_string()];
    let output = Command::new(program).args(arguments).output().expect("this program can be started");
    match output.status.code() {
        Some(0) => None,
        Some(_) => Some(End::Refused(size)),
        None => Some(End::Aborted(size)),
    }
}

/// Whether a crate accepts a text of a shape; `None` if there is no such crate or shape.
pub fn accepts(crate_name: &str, shape: &str, size: usize) -> Option<bool> {
    let (_, accepts) = CRATES.iter().find(|(name, _)| *name == crate_name)?;
    let shape = SHAPES.iter().find(|other| other.name == shape)?;
    Some(accepts(&(shape.text)(size)))
}

/// Shape, size, crate and median in nanoseconds.
pub fn tsv(shapes: &[(&Shape, Vec<Curve>)]) -> String {
    let mut text = String::from("shape\tsize\tcrate\tmedian ns\n");
    for (Shape { name, .. }, curves) in shapes {
        for Curve { crate_name, points, .. } in curves {
            for (size, median) in points {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{name}\t{size}\t{crate_name}\t{median:.1}");
            }
        }
    }
    text
}
