//! What was played, for people as a table and for programs as JSON.

use std::io::{self, Write};
use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::session::{CleanUp, Played};

/// So many differences are spelled out after the table.
const SPELLED_OUT: usize = 20;

/// A path longer than this is cut in the table; the JSON has it whole.
const PATH_WIDTH: usize = 72;

/// Width of the table where no terminal says better.
const TABLE_WIDTH: u16 = 160;

/// A whole run.
pub(crate) struct Report {
    /// `okta`, `entra`, …
    pub(crate) idp: String,
    /// The base URL.
    pub(crate) url: String,
    /// The profile the service is taken to have.
    pub(crate) profile: &'static str,
    /// How many users were played.
    pub(crate) users: usize,
    /// How many groups were played.
    pub(crate) groups: usize,
    /// Whether users alone were played.
    pub(crate) users_only: bool,
    /// Names of this run contain it.
    pub(crate) seed: u32,
    /// Every request.
    pub(crate) played: Vec<Played>,
    /// How many lives ended before their script did.
    pub(crate) cut_short: usize,
    /// Whether the server stopped answering.
    pub(crate) gone: bool,
    /// What was left at the end and deleted.
    pub(crate) clean_up: Option<CleanUp>,
    /// What is probably wrong, where every request failed in the same way.
    pub(crate) advice: Option<String>,
}

impl Report {
    /// Whether the identity provider got everything it needs.
    pub(crate) fn passed(&self) -> bool {
        let well = self.played.iter().all(|played| played.differences.is_empty());
        well && self.cut_short == 0 && !self.gone && !self.played.is_empty()
    }

    /// A table with one row for each step, equal steps of many users together; then what differs.
    pub(crate) fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        if table.width().is_none() {
            table.set_width(TABLE_WIDTH);
        }
        table.set_header(["phase", "step", "method path", "status", "time", "verdict"]);
        let mut phase = "";
        for row in rows(&self.played) {
            let shown = if row.first.phase == phase { "" } else { row.first.phase };
            phase = row.first.phase;
            table.add_row([
                shown.to_owned(),
                row.step(),
                format!("{} {}", row.first.method, short(&row.first.path)),
                row.statuses(),
                row.time(),
                row.verdict(),
            ]);
        }
        writeln!(out, "{table}")?;

        let differing: Vec<_> = self.played.iter().filter(|played| !played.differences.is_empty()).collect();
        if !differing.is_empty() {
            writeln!(out, "\nWhat differs from what {} needs:", self.idp)?;
        }
        for played in differing.iter().take(SPELLED_OUT) {
            writeln!(out, "  {} / {}: {} {}", played.phase, played.step, played.method, played.path)?;
            for difference in &played.differences {
                writeln!(out, "    {difference}")?;
            }
            writeln!(out, "    source: {}", played.source)?;
        }
        if differing.len() > SPELLED_OUT {
            writeln!(out, "  and {} more", differing.len() - SPELLED_OUT)?;
        }
        self.summary(out, differing.len())
    }

    fn summary(&self, out: &mut dyn Write, differing: usize) -> io::Result<()> {
        let groups = match self.users_only {
            true => "without groups".to_owned(),
            false => counted(self.groups, "group"),
        };
        let mut text = format!(
            "\n{} as {} against {} ({}): {}, {groups}, {}, {differing} differ",
            if self.passed() { "PASSED" } else { "FAILED" },
            self.idp,
            self.url,
            self.profile,
            counted(self.users, "user"),
            counted(self.played.len(), "request"),
        );
        if self.cut_short > 0 {
            text.push_str(&format!(", {} cut short", counted(self.cut_short, "part")));
        }
        if self.gone {
            text.push_str("; the server stopped answering");
        }
        let refused = self.played.iter().filter(|played| played.refused_by.is_some()).count();
        if refused > 0 {
            text.push_str(&format!("; {refused} of what the vendor refuses"));
        }
        if let Some(clean_up) = self.clean_up {
            text.push_str(&format!("; clean-up: {} deleted, {} left", clean_up.deleted, clean_up.left));
        }
        if let Some(advice) = &self.advice {
            text.push_str(&format!("\n{advice}"));
        }
        writeln!(out, "{text}")
    }

    /// Everything as one JSON document.
    pub(crate) fn json(&self) -> Value {
        let steps = self.played.iter().map(|played| {
            json!({
                "phase": played.phase,
                "step": played.step,
                "source": played.source,
                "method": played.method.as_str(),
                "path": played.path,
                "status": played.status,
                "ms": (played.took.as_secs_f64() * 1e6).round() / 1e3,
                "refusedBy": played.refused_by,
                "verdict": if played.differences.is_empty() { "ok" } else { "differs" },
                "differences": played.differences,
            })
        });
        json!({
            "passed": self.passed(),
            "idp": self.idp,
            "url": self.url,
            "profile": self.profile,
            "users": self.users,
            "groups": if self.users_only { 0 } else { self.groups },
            "seed": format!("{:08x}", self.seed),
            "cutShort": self.cut_short,
            "gone": self.gone,
            "advice": self.advice,
            "cleanUp": self.clean_up.map(|done| json!({"deleted": done.deleted, "left": done.left})),
            "steps": steps.collect::<Vec<_>>(),
        })
    }
}

/// The same step of the same phase, for all users.
struct Row<'a> {
    first: &'a Played,
    all: Vec<&'a Played>,
}

fn rows(played: &[Played]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for one in played {
        let place = *places.entry((one.phase, one.step, &one.method)).or_insert(rows.len());
        match rows.get_mut(place) {
            Some(row) => row.all.push(one),
            None => rows.push(Row { first: one, all: vec![one] }),
        }
    }
    rows
}

impl Row<'_> {
    fn step(&self) -> String {
        match self.all.len() {
            1 => self.first.step.to_owned(),
            many => format!("{} ×{many}", self.first.step),
        }
    }

    fn statuses(&self) -> String {
        let mut statuses: Vec<_> = self.all.iter().map(|played| played.status).collect();
        statuses.sort_unstable();
        statuses.dedup();
        let shown = statuses.iter().map(|status| status.map_or("none".to_owned(), |code| code.to_string()));
        shown.collect::<Vec<_>>().join(", ")
    }

    /// The time of one, or the median and the longest of several.
    fn time(&self) -> String {
        let mut times: Vec<Duration> = self.all.iter().map(|played| played.took).collect();
        times.sort_unstable();
        let median = times.get(times.len().saturating_sub(1) / 2).copied().unwrap_or_default();
        match times.last() {
            Some(longest) if times.len() > 1 => format!("{} ≤ {}", millis(median), millis(*longest)),
            _ => millis(median),
        }
    }

    /// Why all is as it should be: the rows by which the vendor refuses, each with how many it refuses.
    fn accord(&self) -> String {
        let mut rows: Vec<(&str, usize)> = Vec::new();
        for row in self.all.iter().filter_map(|played| played.refused_by) {
            match rows.iter_mut().find(|(known, _)| *known == row) {
                Some((_, count)) => *count += 1,
                None => rows.push((row, 1)),
            }
        }
        match rows.as_slice() {
            [] => "ok".to_owned(),
            [(row, count)] if *count == self.all.len() => format!("refused, as {row} says"),
            rows => {
                let counted = rows.iter().map(|(row, count)| format!("{row} ×{count}"));
                format!("refused: {}", counted.collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn verdict(&self) -> String {
        let differing = self.all.iter().filter(|played| !played.differences.is_empty());
        let first = differing.clone().next().and_then(|played| played.differences.first());
        match (first, differing.count(), self.all.len()) {
            (None, ..) => self.accord(),
            (Some(difference), _, 1) => format!("DIFFERS: {difference}"),
            (Some(difference), some, all) => format!("DIFFERS in {some} of {all}: {difference}"),
        }
    }
}

/// `/Users/{id}` for one user's path: the ids differ from row to row and say nothing.
fn short(path: &str) -> String {
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (path, String::new()),
    };
    let mut segments = path.splitn(3, '/').skip(1);
    let mut text = match (segments.next(), segments.next()) {
        (Some(kind @ ("Users" | "Groups")), Some(_)) => format!("/{kind}/{{id}}{query}"),
        _ => format!("{path}{query}"),
    };
    if let Some((end, _)) = text.char_indices().nth(PATH_WIDTH) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn counted(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_that_refuses_is_named() {
        let played = |refused_by| Played {
            phase: "update users",
            step: "map what is no role",
            source: "",
            method: ureq::http::Method::PUT,
            path: "/Users/1".to_owned(),
            status: Some(400),
            refused_by,
            took: Duration::default(),
            differences: Vec::new(),
        };
        let verdict = |rows: &[Option<&'static str>]| {
            let played: Vec<_> = rows.iter().map(|row| played(*row)).collect();
            rows_of_one(&played).verdict()
        };
        assert_eq!(verdict(&[None, None]), "ok");
        assert_eq!(verdict(&[Some("role-owner"); 2]), "refused, as role-owner says");
        let several = [Some("role-owner"), Some("role-known"), Some("role-known")];
        assert_eq!(verdict(&several), "refused: role-owner ×1, role-known ×2");
        assert_eq!(verdict(&[Some("role-owner"), None]), "refused: role-owner ×1");
    }

    fn rows_of_one(played: &[Played]) -> Row<'_> {
        let mut rows = rows(played);
        assert_eq!(rows.len(), 1);
        rows.remove(0)
    }

    #[test]
    fn ids_are_left_out_and_queries_kept_until_they_are_long() {
        assert_eq!(short("/Users/6f1c?"), "/Users/{id}?");
        assert_eq!(
            short("/Groups/6f1c?excludedAttributes=members"),
            "/Groups/{id}?excludedAttributes=members"
        );
        assert_eq!(short("/Users?startIndex=1&count=2"), "/Users?startIndex=1&count=2");
        assert_eq!(short("/Schemas"), "/Schemas");
        let long = short(&format!("/Users?filter={}", "é".repeat(200)));
        assert_eq!(long.chars().count(), PATH_WIDTH + 1);
        assert!(long.ends_with('…'));
    }
}
