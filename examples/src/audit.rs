//! The audit trail of the `provider` program: where it goes, and how it is read.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use scim_core::audit::{Audit, JsonLines, OnFailure};

use crate::AuditQuery;
use crate::datadog::TeamsWanted;
use crate::guard::GuardCommand;
use crate::provider::{DatabaseUrl, TENANT};

/// Where the audit trail goes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Audit trail")]
pub struct AuditOptions {
    /// Also writes the audit trail to the end of a file, one JSON document a line; `-` is standard
    /// output, and what is printed otherwise goes to standard error.
    #[arg(long, value_name = "FILE")]
    pub audit_log: Option<PathBuf>,
    /// Has each line there on the disk before the change is answered, so that none is lost with the machine. Without it
    /// none is lost with the process; the trail in the database always lasts as long as the changes.
    #[arg(long, requires = "audit_log")]
    pub audit_sync: bool,
    /// Refuses changes that cannot be written there. Each is announced before it is made.
    #[arg(long, requires = "audit_log")]
    pub audit_required: bool,
    /// Keeps no audit trail in the database.
    #[arg(long)]
    pub no_audit: bool,
}

impl AuditOptions {
    /// The audit trail besides that of the database.
    pub(crate) fn trail(&self) -> anyhow::Result<Option<Audit>> {
        let Some(file) = &self.audit_log else { return Ok(None) };
        let audit = if self.is_on_stdout() {
            Audit::new(JsonLines::new(std::io::stdout()))
        } else {
            let file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(file)
                .with_context(|| format!("cannot write the audit log `{}`", file.display()))?;
            match self.audit_sync {
                true => Audit::new(JsonLines::new(Synced(file))),
                false => Audit::new(JsonLines::new(file)),
            }
        };
        let on_failure = if self.audit_required { OnFailure::Refuse } else { OnFailure::Report };
        Ok(Some(audit.on_failure(on_failure)))
    }

    /// Refuses what would be passed over.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        ensure!(
            !self.audit_sync || !self.is_on_stdout(),
            "`--audit-sync` is for a file; what reads standard output keeps it"
        );
        Ok(())
    }

    /// Whether standard output is for records.
    pub(crate) fn is_on_stdout(&self) -> bool {
        self.audit_log.as_deref().is_some_and(|file| file.as_os_str() == "-")
    }
}

/// A file that has on its disk what it is given when it is flushed.
struct Synced(File);

impl Write for Synced {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.sync_data()
    }
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints the audit trail in the database, one JSON document a line, in the order of time.
    Audit(AuditWanted),
    /// Prints the teams of `--profile datadog`, one JSON document a line, with the handles that SCIM does not show and
    /// with those that no group manages.
    Teams(TeamsWanted),
    /// Lifts the guards of `--guard` for some time, or shows what counts.
    #[command(subcommand)]
    Guard(GuardCommand),
}

/// Which records to print.
#[derive(Args, Debug)]
pub struct AuditWanted {
    /// Of which tenant.
    #[arg(long, value_name = "NAME", default_value = TENANT)]
    pub tenant: String,
    /// From this moment on, such as `2026-11-22T09:00:00Z`.
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Before this moment.
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// Of one resource alone: `User/2819c223`.
    #[arg(long, value_name = "TYPE/ID", value_parser = resource)]
    pub resource: Option<(String, String)>,
}

impl AuditWanted {
    /// Prints the records that are in `database`.
    pub(crate) async fn print(self, database: &DatabaseUrl) -> anyhow::Result<()> {
        if let DatabaseUrl::Sqlite(file) = database {
            ensure!(file.exists(), "there is no database `{}`", file.display());
        }
        let store = database.open().await?;
        let Self { tenant, since, until, resource } = self;
        let mut wanted = AuditQuery { tenant, since, until, resource, after: None };
        let mut output = std::io::stdout().lock();
        loop {
            let page = store.audit(&wanted).await.context("cannot read the audit trail")?;
            for record in page.records {
                writeln!(output, "{record}")?;
            }
            wanted.after = page.end;
            if wanted.after.is_none() {
                break;
            }
        }
        store.close().await;
        Ok(())
    }
}

fn resource(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('/') {
        Some((kind, id)) if !kind.is_empty() && !id.is_empty() => Ok((kind.to_owned(), id.to_owned())),
        _ => Err("a resource is its type and its id, such as `User/2819c223`"),
    }
}
