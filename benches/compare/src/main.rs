//! The same workloads in this workspace's crates and in the published ones, in one process.
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml -- [--quick] [--check]
//! ```
//!
//! Prints a table of medians, ratios to ours and allocations, and writes the figures as
//! `target/compare.tsv` (workload, crate, median ns, allocations). `--quick` measures too shortly
//! for the times to mean much, but checks every result and our allocations. `--check` fails where a
//! time limit is not kept.

mod allocations;
mod limits;
mod measure;
mod workloads;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use measure::{Effort, Figure};
use workloads::{OURS, OURS_SLICE};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> ExitCode {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    let (short, long, users) = if has("--quick") {
        let short = Effort { batches: 3, batch: Duration::from_micros(20) };
        (short, Effort { batches: 1, batch: Duration::ZERO }, 1_000)
    } else {
        let short = Effort { batches: 101, batch: Duration::from_micros(200) };
        (short, Effort { batches: 11, batch: Duration::ZERO }, 100_000)
    };
    let mut figures = workloads::parse(short);
    figures.extend(workloads::paths(short));
    figures.extend(workloads::evaluation(long, users));
    figures.extend(workloads::text(long, users / 10));
    print!("{}", table(&figures));

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/compare.tsv");
    if let Err(error) =
        std::fs::create_dir_all(file.with_file_name("")).and_then(|()| std::fs::write(&file, tsv(&figures)))
    {
        eprintln!("{}: {error}", file.display());
        return ExitCode::FAILURE;
    }

    let verdicts = limits::times(&figures);
    for verdict in &verdicts {
        println!("{verdict}");
    }
    let broken = limits::allocations(&figures);
    for line in &broken {
        eprintln!("{line}");
    }
    let too_slow = has("--check") && !verdicts.iter().all(limits::Verdict::holds);
    if broken.is_empty() && !too_slow { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One line for each crate at each workload; the ratio is to ours.
fn table(figures: &[Figure]) -> String {
    let mut table = format!(
        "{:<8} {:<26} {:>14} {:>9} {:>12} {:>8}\n",
        "workload", "crate", "median ns", "ratio", "allocations", "result"
    );
    let mut ours = None;
    for figure in figures {
        if [OURS, OURS_SLICE].contains(&figure.crate_name) {
            ours = figure.median_ns;
        }
        let (median, ratio) = match (figure.median_ns, ours) {
            (Some(median), Some(ours)) => (format!("{median:.1}"), format!("{:.2}", median / ours)),
            _ => ("refused".to_owned(), String::new()),
        };
        let Figure { workload, crate_name, allocations, result, .. } = figure;
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "{workload:<8} {crate_name:<26} {median:>14} {ratio:>9} {allocations:>12} {result:>8}"
        );
    }
    table
}

fn tsv(figures: &[Figure]) -> String {
    let mut text = String::from("workload\tcrate\tmedian ns\tallocations\n");
    for Figure { workload, crate_name, median_ns, allocations, .. } in figures {
        let Some(median) = median_ns else { continue };
        let _ = writeln!(text, "{workload}\t{crate_name}\t{median:.1}\t{allocations}");
    }
    text
}
