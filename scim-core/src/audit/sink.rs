//! Where records go.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use super::Record;

/// Where records go: a file, a queue, a collector.
///
/// It is called by the request that makes the change, between two steps of it, so that no dropped
/// request takes a record with it; what takes long belongs behind a queue. To keep records in the
/// database of the resources, with the change or not at all, is for the store
/// ([`Store::keeps_audit`](crate::Store::keeps_audit)).
pub trait Sink: Send + Sync + 'static {
    /// Takes a record.
    ///
    /// # Errors
    ///
    /// Why it is not kept; what comes of that, [`OnFailure`] says.
    fn record(&self, record: &Record) -> Result<(), SinkError>;
}

/// Why a record was not kept.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

impl<S: Sink> Sink for Arc<S> {
    fn record(&self, record: &Record) -> Result<(), SinkError> {
        (**self).record(record)
    }
}

/// What comes of a change whose record the sink does not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// It is made all the same, and [`Outcome::unrecorded`](crate::service::Outcome::unrecorded) has
    /// the error.
    #[default]
    Report,
    /// It is refused with 503. For that the sink is told of each change before it is made
    /// ([`Effect::Intended`](super::Effect::Intended)), and only then again of its end: no change is
    /// without record, whatever happens.
    Refuse,
}

/// The audit trail of a service: the sink, and what to do when it fails.
#[derive(Clone)]
pub struct Audit {
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) on_failure: OnFailure,
}

impl Audit {
    /// Records go to `sink`; where that fails, it is reported.
    pub fn new(sink: impl Sink) -> Self {
        Self { sink: Arc::new(sink), on_failure: OnFailure::default() }
    }

    /// The same with another way to meet failures of the sink.
    #[must_use]
    pub fn on_failure(self, on_failure: OnFailure) -> Self {
        Self { on_failure, ..self }
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("on_failure", &self.on_failure).finish_non_exhaustive()
    }
}

/// A sink that writes each record as a line of JSON, and flushes it.
///
/// A line in a file then survives the process, but not always the machine: the system writes it to the disk when
/// it sees fit. Who needs more gives an output whose `flush` waits for the disk
/// ([`File::sync_data`](std::fs::File::sync_data)), as the example `provider` does with `--audit-sync`, or has a store
/// that keeps the records with the changes.
///
/// ```
/// use scim_core::audit::{Audit, JsonLines};
/// let audit = Audit::new(JsonLines::new(std::io::stdout()));
/// # let _ = audit;
/// ```
pub struct JsonLines<W> {
    output: Mutex<W>,
}

impl<W: Write + Send + 'static> JsonLines<W> {
    /// Lines to `output`, each written at once.
    pub fn new(output: W) -> Self {
        Self { output: Mutex::new(output) }
    }
}

impl<W: Write + Send + 'static> Sink for JsonLines<W> {
    fn record(&self, record: &Record) -> Result<(), SinkError> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output.write_all(&line)?;
        Ok(output.flush()?)
    }
}

impl<W> fmt::Debug for JsonLines<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines").finish_non_exhaustive()
    }
}
