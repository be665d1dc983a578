//! The table of figures in README.md, between two comments.

use std::fmt::Write as _;

use crate::measure::Figure;
use crate::report::{duration, three_digits};
use crate::workloads::{OURS, OURS_SLICE, PARSED, SCIM_FILTER, SCIM_PROTO, SCIM_V2};

const BEGIN: &str = "<!-- figures: written by `--readme` -->\n";
const END: &str = "<!-- end of figures -->";

/// What each workload is, in the order of the table.
const WORKLOADS: [(&str, &str); 22] = [
    ("F1", "`userName eq` a string"),
    ("F2", "`externalId eq` a UUID"),
    ("F3", "a value path with two terms"),
    ("F4", "the 17 filters of RFC 7644, figure 2"),
    ("F5", "64 terms joined by `or`"),
    ("F6", "32 nested brackets"),
    ("F7", "a literal of 4 KiB with escapes"),
    ("F7p", "the same without escapes"),
    ("F8", "a path with a schema URI"),
    ("F9", "1,000 terms joined by `or`"),
    ("P1", "`members[value eq …]`"),
    ("P2", "`emails[type eq \"work\"].value`"),
    ("P3", "`addresses[type eq \"work\"].streetAddress`"),
    ("P4", "`members`"),
    ("P5", "`name.familyName`"),
    ("P6", "an attribute of the enterprise extension"),
    ("E1a", "`userName eq` over 100,000 users"),
    ("E1b", "a value path over 100,000 users"),
    ("E1c", "terms of every type over 100,000 users"),
    ("S1a", "E1a on JSON text"),
    ("S1b", "E1b on JSON text"),
    ("S1c", "E1c on JSON text"),
];

const PEERS: [&str; 4] = [SCIM_PROTO, SCIM_V2, SCIM_FILTER, PARSED];

/// `readme` with the figures of a whole run in place of those it had.
///
/// # Errors
///
/// If the comments that mark the place are missing.
pub fn with_figures(readme: &str, figures: &[Figure], circumstances: &str) -> Result<String, String> {
    let (before, _, after) = parts(readme)?;
    Ok(format!("{before}{BEGIN}{}{END}{after}", table(figures, circumstances)))
}

/// Whether `readme` has a table of the form that is written.
///
/// # Errors
///
/// What is not as it would be written.
pub fn check(readme: &str) -> Result<(), String> {
    let (_, table, _) = parts(readme)?;
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with('|')).map(cells).collect();
    let expected = WORKLOADS.map(|(name, what)| format!("{name}: {what}"));
    let found: Vec<&String> = rows.iter().skip(2).filter_map(|row| row.get(1)).collect();
    if !found.iter().copied().eq(&expected) {
        return Err(format!("README.md: its figures are of {found:?}, not of {expected:?}"));
    }
    if !rows
        .first()
        .is_some_and(|head| head.iter().skip(4).map(String::as_str).eq(PEERS.into_iter().chain([""])))
    {
        return Err(format!("README.md: its figures are not beside those of {PEERS:?}"));
    }
    let is_time = |cell: &String| ["ns", "µs", "ms", " s"].iter().any(|unit| cell.ends_with(unit));
    if !rows.iter().skip(2).all(|row| row.get(2).is_some_and(is_time)) {
        return Err("README.md: a workload has no time of ours".to_owned());
    }
    Ok(())
}

/// What is before, between and behind the comments.
fn parts(readme: &str) -> Result<(&str, &str, &str), String> {
    readme
        .split_once(BEGIN)
        .and_then(|(before, rest)| rest.split_once(END).map(|(table, after)| (before, table, after)))
        .ok_or_else(|| format!("README.md has no lines {} and {END}", BEGIN.trim_end()))
}

/// A row for each workload: what ours takes, and how many times that the others do.
fn table(figures: &[Figure], circumstances: &str) -> String {
    let mut table = format!("One run on {circumstances}:\n\n| | ours | allocations |");
    // Writing to a string cannot fail.
    for peer in PEERS {
        let _ = write!(table, " {peer} |");
    }
    let _ = writeln!(table, "\n|---|---:|---:|{}", "---:|".repeat(PEERS.len()));
    for (name, what) in WORKLOADS {
        let figure = |crates: &[&str]| {
            figures.iter().find(|figure| figure.workload == name && crates.contains(&figure.crate_name))
        };
        let ours = figure(&[OURS, OURS_SLICE]);
        let median = ours.and_then(|figure| figure.median_ns);
        let time = median.map_or_else(|| "refused".to_owned(), duration);
        let allocations = ours.map_or(0, |figure| figure.allocations);
        let _ = write!(table, "| {name}: {what} | {time} | {allocations} |");
        for peer in PEERS {
            let cell = match figure(&[peer]) {
                None => String::new(),
                Some(theirs) => match theirs.median_ns.zip(median) {
                    Some((theirs, ours)) => format!("× {}", three_digits(theirs / ours)),
                    None => "refused".to_owned(),
                },
            };
            let _ = write!(table, " {cell} |");
        }
        table.push('\n');
    }
    table
}
