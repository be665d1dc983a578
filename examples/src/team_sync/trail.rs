//! The record of what was asked of PagerDuty: one line of JSON for each change.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use http::StatusCode;
use jiff::Timestamp;
use scim_profiles::pagerduty::teams::{Guarded, TransportError, Write};
use serde::Serialize;

/// Where the lines go; clones write to the same place.
#[derive(Clone)]
pub(super) struct Trail(Arc<Mutex<Output>>);

enum Output {
    Standard,
    File { path: PathBuf, file: File },
}

/// One line.
#[derive(Serialize)]
struct Line<'a, T> {
    /// By which a line is told from another, and what was begun is found again.
    id: &'a str,
    time: String,
    tenant: &'a str,
    /// `made`, `refused`, `not-sent`, or `unknown` where no answer says; `guarded` where a guard refused it.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(flatten)]
    what: &'a T,
}

/// What is said of `write` while it is not known what becomes of it.
pub(super) fn begun(id: &str, tenant: &str, write: &Write) -> serde_json::Result<String> {
    line(id, tenant, "unknown", None, write)
}

/// What came of `write`.
pub(super) fn done(
    id: &str,
    tenant: &str,
    write: &Write,
    answer: Result<StatusCode, TransportError>,
) -> serde_json::Result<String> {
    let outcome = match answer {
        Ok(status) if status.is_success() => "made",
        Ok(status) if status.is_client_error() => "refused",
        Err(TransportError::NotSent) => "not-sent",
        // Also after a 5xx or a lost answer it may have been made; what comes next looks.
        _ => "unknown",
    };
    line(id, tenant, outcome, answer.ok().map(|status| status.as_u16()), write)
}

/// What a guard refused.
pub(super) fn guarded(id: &str, tenant: &str, refused: &Guarded) -> serde_json::Result<String> {
    line(id, tenant, "guarded", None, refused)
}

/// By which it is known that a guard refuses the same again: the change and the rule, whatever numbers it tells.
pub(super) fn refusal(refused: &Guarded) -> serde_json::Result<String> {
    serde_json::to_string(&(refused.refusal.rule, &refused.write))
}

fn line<T: Serialize>(
    id: &str,
    tenant: &str,
    outcome: &'static str,
    status: Option<u16>,
    what: &T,
) -> serde_json::Result<String> {
    serde_json::to_string(&Line {
        id,
        time: format!("{:.3}", Timestamp::now()),
        tenant,
        outcome,
        status,
        what,
    })
}

impl Trail {
    /// Lines to the end of `file`, or to standard output.
    pub(super) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let output = match file {
            None => Output::Standard,
            Some(path) => {
                let opened = File::options().create(true).append(true).read(true).open(path);
                let file =
                    opened.with_context(|| format!("cannot write the audit log `{}`", path.display()))?;
                Output::File { path: path.to_owned(), file }
            }
        };
        Ok(Self(Arc::new(Mutex::new(output))))
    }

    /// Records `line`, which is on the disk then if it goes to a file.
    pub(super) fn record(&self, line: &str) -> anyhow::Result<()> {
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *output {
            Output::Standard => {
                let mut output = std::io::stdout().lock();
                let written = writeln!(output, "{line}").and_then(|()| output.flush());
                written.context("cannot write the audit log to standard output")
            }
            Output::File { path, file } => {
                append(file, line).with_context(|| format!("cannot write the audit log `{}`", path.display()))
            }
        }
    }

    /// Whether the line that begins with `id` is there: at the end of the file. What went to standard output nobody
    /// can look at.
    pub(super) fn has(&self, id: &str) -> anyhow::Result<bool> {
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *output {
            Output::Standard => Ok(false),
            Output::File { path, file } => {
                let end = tail(file).with_context(|| format!("cannot read `{}`", path.display()))?;
                // The last one may be broken off, and is none then.
                let whole = end.rsplit_once('\n').map_or("", |(whole, _)| whole);
                let start = format!("{{\"id\":\"{id}\",");
                Ok(whole.lines().any(|line| line.starts_with(&start)))
            }
        }
    }
}

/// Writes `line` at once, after the end of one that is broken off.
fn append(file: &mut File, line: &str) -> std::io::Result<()> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut text = String::with_capacity(line.len() + 2);
    if end > 0 {
        file.seek(SeekFrom::Start(end - 1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            text.push('\n');
        }
    }
    text.push_str(line);
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

/// The end of the file. What was begun last is recorded last, but for what other tenants do at the same time.
fn tail(file: &mut File) -> std::io::Result<String> {
    let end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(end.saturating_sub(TAIL)))?;
    let mut text = Vec::new();
    std::io::Read::by_ref(file).take(TAIL).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

const TAIL: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_its_id_and_one_that_is_broken_off_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.jsonl");
        let write = Write::CreateTeam { group: "g1".into(), name: "SRE".into(), description: "by us".into() };
        let trail = Trail::open(Some(&file)).unwrap();
        assert!(!trail.has("1").unwrap());
        let first = done("1", "acme", &write, Ok(StatusCode::CREATED)).unwrap();
        trail.record(&first).unwrap();
        assert!(trail.has("1").unwrap() && !trail.has("2").unwrap());
        // The power went.
        let second = done("2", "acme", &write, Err(TransportError::TimedOut)).unwrap();
        std::fs::write(&file, format!("{first}\n{}", second.split_at(second.len() / 2).0)).unwrap();
        assert!(!trail.has("2").unwrap());
        trail.record(&begun("2", "acme", &write).unwrap()).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<Option<serde_json::Value>> =
            text.lines().map(|line| serde_json::from_str(line).ok()).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0].as_ref().unwrap()["outcome"], "made");
        assert_eq!(
            (&lines[1], &lines[2].as_ref().unwrap()["outcome"]),
            (&None, &serde_json::json!("unknown"))
        );
        assert!(trail.has("2").unwrap());
    }
}
