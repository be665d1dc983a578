//! What was measured, and the limits it has to keep.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// One row: the same at a small database, or at its beginning, and at a large one.
pub(crate) struct Figure {
    pub(crate) database: &'static str,
    pub(crate) what: String,
    pub(crate) unit: Unit,
    pub(crate) small: f64,
    pub(crate) large: f64,
    pub(crate) limit: Limit,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Unit {
    /// Time; in nanoseconds.
    Time,
    /// Memory; in KiB.
    Memory,
}

#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// So many times the small one.
    Times(f64),
    /// So much more than the small one.
    More(f64),
    /// None: it is what it is.
    None,
}

impl Figure {
    pub(crate) fn is_missed(&self) -> bool {
        match self.limit {
            Limit::Times(times) => self.large > self.small * times,
            Limit::More(more) => self.large > self.small + more,
            Limit::None => false,
        }
    }

    /// The limit, as it is written.
    fn limit(&self) -> String {
        match self.limit {
            Limit::Times(times) => format!("× {times}"),
            Limit::More(more) => format!("+ {}", self.unit.text(more)),
            Limit::None => String::new(),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.limit {
            Limit::None => "",
            _ if self.is_missed() => "missed",
            _ => "kept",
        }
    }

    pub(crate) fn print(&self) {
        let (small, large) = (self.unit.text(self.small), self.unit.text(self.large));
        let Self { database, what, .. } = self;
        let (ratio, limit, verdict) = (self.large / self.small, self.limit(), self.verdict());
        println!(
            "{database:<10}  {what:<64}  {small:>10}  {large:>10}  × {ratio:<6.2} {limit:<10} {verdict}"
        );
    }
}

impl Unit {
    fn text(self, value: f64) -> String {
        match self {
            Self::Time if value < 1e6 => format!("{:.0} µs", value / 1e3),
            Self::Time => format!("{:.1} ms", value / 1e6),
            Self::Memory => format!("{:.1} MiB", value / 1024.0),
        }
    }
}

/// The rows for other programs, as tab-separated values.
pub(crate) fn tsv(figures: &[Figure]) -> String {
    let mut text = "database\twhat\tsmall\tlarge\tratio\tlimit\n".to_owned();
    for figure in figures {
        let Figure { database, what, small, large, .. } = figure;
        let (ratio, limit) = (large / small, figure.limit());
        let _ = writeln!(text, "{database}\t{what}\t{small:.0}\t{large:.0}\t{ratio:.2}\t{limit}");
    }
    text
}

/// The rows for people. `sizes` says what is small and what is large.
pub(crate) fn markdown(sizes: &str, figures: &[Figure]) -> String {
    let mut text = format!("One run on {}; medians. {sizes}\n\n", machine());
    text.push_str("| database | | small | large | | limit | |\n|---|---|---:|---:|---:|---:|---|\n");
    for figure in figures {
        let (small, large) = (figure.unit.text(figure.small), figure.unit.text(figure.large));
        let Figure { database, what, .. } = figure;
        let ratio = figure.large / figure.small;
        let (limit, verdict) = (figure.limit(), figure.verdict());
        let _ = writeln!(
            text,
            "| {database} | {what} | {small} | {large} | × {ratio:.2} | {limit} | {verdict} |"
        );
    }
    text
}

/// Puts the rows between their marks in the document.
pub(crate) fn write_into(document: &Path, table: &str) -> std::io::Result<()> {
    let text = std::fs::read_to_string(document)?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| std::io::Error::other("the marks of the table are missing"))?;
    std::fs::write(document, format!("{before}{BEGIN}{table}{END}{after}"))
}

/// Processor, compiler and day.
fn machine() -> String {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let compiler = Command::new("rustc").arg("--version").output();
    let compiler = compiler.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let compiler = compiler.unwrap_or_default();
    let compiler = compiler.split(" (").next().unwrap_or_default().trim();
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d");
    format!("{model}, {cores} cores, {compiler}, {day}")
}

const BEGIN: &str = "<!-- scale: written by `--readme` -->\n";
const END: &str = "<!-- end of scale -->";
