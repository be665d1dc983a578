//! Figures, for people and for programs.

use std::fmt::Write as _;

use crate::measure::Figure;
use crate::workloads::{OURS, OURS_SLICE};

/// One line for each crate at each workload; the ratio is to ours, the spread that of the middle
/// half of the batches.
pub fn table(figures: &[Figure]) -> String {
    let mut table = format!(
        "{:<8} {:<26} {:>14} {:>7} {:>9} {:>12} {:>8}\n",
        "workload", "crate", "median ns", "spread", "ratio", "allocations", "result"
    );
    let mut ours = None;
    for figure in figures {
        let Figure { workload, crate_name, median_ns, spread, allocations, result } = figure;
        if [OURS, OURS_SLICE].contains(crate_name) {
            ours = *median_ns;
        }
        let (median, ratio) = match (median_ns, ours) {
            (Some(median), Some(ours)) => (format!("{median:.1}"), format!("{:.2}", median / ours)),
            _ => ("refused".to_owned(), String::new()),
        };
        let spread = format!("{:.0} %", spread * 100.0);
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "{workload:<8} {crate_name:<26} {median:>14} {spread:>7} {ratio:>9} {allocations:>12} {result:>8}"
        );
    }
    table
}

/// Workload, crate, median in nanoseconds and allocations; what a crate refuses is left out.
pub fn tsv(figures: &[Figure]) -> String {
    let mut text = String::from("workload\tcrate\tmedian ns\tallocations\n");
    for Figure { workload, crate_name, median_ns, allocations, .. } in figures {
        let Some(median) = median_ns else { continue };
        let _ = writeln!(text, "{workload}\t{crate_name}\t{median:.1}\t{allocations}");
    }
    text
}
