//! The record of what was asked of PagerDuty: one line of JSON for each change.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use http::StatusCode;
use jiff::Timestamp;
use scim_profiles::pagerduty::teams::{TransportError, Write};
use serde::Serialize;

/// Where the lines go; clones write to the same place.
#[derive(Clone)]
pub(super) struct Trail(Arc<Mutex<Box<dyn std::io::Write + Send>>>);

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    tenant: &'a str,
    /// `made`, `refused`, or `unknown` where no answer says.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(flatten)]
    write: &'a Write,
}

impl Trail {
    /// Lines to the end of `file`, or to standard output.
    pub(super) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let output: Box<dyn std::io::Write + Send> = match file {
            None => Box::new(std::io::stdout()),
            Some(file) => {
                let opened = File::options().create(true).append(true).open(file);
                Box::new(opened.with_context(|| format!("cannot write the audit log `{}`", file.display()))?)
            }
        };
        Ok(Self(Arc::new(Mutex::new(output))))
    }

    /// Records what came of `write`.
    pub(super) fn record(&self, tenant: &str, write: &Write, answer: Result<StatusCode, TransportError>) {
        let outcome = match answer {
            Ok(status) if status.is_success() => "made",
            Ok(status) if status.is_client_error() => "refused",
            // Also after a 5xx or a lost answer it may have been made; what comes next looks.
            _ => "unknown",
        };
        let status = answer.ok().map(|status| status.as_u16());
        let line = Line { time: format!("{:.3}", Timestamp::now()), tenant, outcome, status, write };
        let written = serde_json::to_string(&line).map_err(std::io::Error::from).and_then(|mut line| {
            line.push('\n');
            let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            output.write_all(line.as_bytes())?;
            output.flush()
        });
        if let Err(error) = written {
            tracing::error!(%error, %write, "a change is missing in the audit log");
        }
    }
}
