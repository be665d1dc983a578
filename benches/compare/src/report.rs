//! Figures, for people and for programs.

use std::fmt::Write as _;
use std::time::SystemTime;

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

/// Nanoseconds in the unit that suits them, with at most three digits that count.
pub fn duration(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ..1e3 => (nanoseconds, "ns"),
        ..1e6 => (nanoseconds / 1e3, "µs"),
        ..1e9 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    format!("{} {unit}", three_digits(value))
}

/// A number with its first three digits, without a fraction of zeros.
pub fn three_digits(value: f64) -> String {
    let decimals = match value {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    match text.split_once('.') {
        Some((_, fraction)) if !fraction.bytes().all(|digit| digit == b'0') => text,
        Some((whole, _)) => whole.to_owned(),
        None => text,
    }
}

/// A number with a comma before each three digits.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The machine, the compiler and the day, for figures that are kept.
pub fn circumstances() -> String {
    let processor = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let processor = processor.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let compiler = std::process::Command::new("rustc").arg("--version").output().ok();
    let compiler = compiler.and_then(|output| {
        let text = String::from_utf8(output.stdout).ok()?;
        Some(text.split(' ').take(2).collect::<Vec<_>>().join(" "))
    });
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = jiff::Timestamp::from_second(since_epoch.as_secs() as i64).unwrap_or_default();
    let (date, compiler) = (now.strftime("%F"), compiler.unwrap_or_else(|| "rustc".to_owned()));
    format!("{processor}, {processors} cores, {compiler}, {date}")
}
