//! The same workloads in this workspace's crates and in the published ones, in one process.
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml -- [--check] [--readme] [--quick] [--only F6,F7]
//! cargo run --release --manifest-path benches/compare/Cargo.toml -- --plot benches/parse-time.svg
//! ```
//!
//! Prints a table of medians, ratios to ours and allocations, and writes the figures as
//! `target/compare.tsv` (workload, crate, median ns, allocations). Every result is checked, our
//! allocations, and that README.md shows figures of these workloads. `--check` fails where a time limit
//! is not kept; `--readme` writes the figures into README.md, unless one is not. `--quick` measures too
//! shortly for the times to mean much, `--only` measures some of the workloads; neither writes a file.
//!
//! `--plot` draws how parse times grow with the filter, and writes the points as `target/parse-time.tsv`.

mod allocations;
mod curves;
mod limits;
mod measure;
mod options;
mod plot;
mod readme;
mod report;
#[cfg(test)]
mod tests;
mod workloads;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use curves::{SHAPES, curves};
use measure::{Effort, Figure, measure};
use options::Options;
use workloads::Users;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}\n{}", Options::USAGE);
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, String> {
    if let Some((crate_name, shape, size)) = &options.accepts {
        let accepts = curves::accepts(crate_name, shape, *size).ok_or("no such crate or shape")?;
        return Ok(if accepts { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if let Some(file) = &options.plot {
        let shapes = SHAPES.each_ref().map(|shape| (shape, curves(shape, options.quick)));
        write(&root().join("target/parse-time.tsv"), &curves::tsv(&shapes))?;
        write(file, &plot::svg(&shapes, &report::circumstances()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let figures = figures(options)?;
    print!("{}", report::table(&figures));
    let readme = root().join("README.md");
    let text = std::fs::read_to_string(&readme).map_err(|error| format!("README.md: {error}"))?;
    if options.is_whole_run() {
        write(&root().join("target/compare.tsv"), &report::tsv(&figures))?;
    }
    let verdicts = limits::times(&figures);
    for verdict in &verdicts {
        println!("{verdict}");
    }
    let broken = limits::allocations(&figures);
    for line in &broken {
        eprintln!("{line}");
    }
    let within = broken.is_empty() && verdicts.iter().all(limits::Verdict::holds);
    match options.readme {
        true if within => {
            write(&readme, &readme::with_figures(&text, &figures, &report::circumstances())?)?;
        }
        true => return Err("README.md keeps its figures: these are not within the limits".to_owned()),
        false => readme::check(&text)?,
    }
    let failed = !broken.is_empty() || options.check && !within;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Measures the workloads that are asked for.
fn figures(options: &Options) -> Result<Vec<Figure>, String> {
    let (short, long, count) = if options.quick {
        let short = Effort { rounds: 1, batches: 3, batch: Duration::from_micros(20) };
        (short, Effort { rounds: 1, batches: 1, batch: Duration::ZERO }, 1_000)
    } else {
        let short = Effort { rounds: 11, batches: 27, batch: Duration::from_micros(200) };
        (short, Effort { rounds: 11, batches: 1, batch: Duration::ZERO }, 100_000)
    };
    let is_asked_for = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    // Making the users takes longer than measuring most workloads.
    let needs_users = options.only.is_empty() || options.only.iter().any(|name| name.starts_with(['E', 'S']));
    let users = Users::new(if needs_users { count } else { 0 });
    let mut workloads = workloads::parsing(short);
    workloads.extend(workloads::paths(short));
    workloads.extend(users.evaluation(long));
    if let Some(unknown) = options.only.iter().find(|only| workloads.iter().all(|w| w.name != **only)) {
        let names: Vec<&str> = workloads.iter().map(|workload| &*workload.name).collect();
        return Err(format!("`{unknown}` is none of the workloads {}", names.join(", ")));
    }
    workloads.retain(|workload| is_asked_for(&workload.name));
    let figures = measure(&mut workloads);
    workloads::agree(&figures);
    Ok(figures)
}

/// The folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Writes a file, and the folder it is in.
fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::create_dir_all(file.with_file_name(""))
        .and_then(|()| std::fs::write(file, text))
        .map_err(|error| format!("{}: {error}", file.display()))
}
