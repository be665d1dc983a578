//! Logging: one line per request, with a request id that the audit trail has too, to standard error, and after that of a bulk
//! request one for each of its operations.
//!
//! What is logged while a request is made stands in its span, `scim.request` of scim-core; `RUST_LOG=scim_core=debug` asks
//! for the spans of its steps too. A line says what was asked and how it went: method, path, status, time, the leniencies that
//! fired, and how many remarks the policy made, which the audit trail has. What an operator can do about a refusal is a warning of its
//! own. It never has a query string, a header or a body, for these carry tokens, passwords and people's data.

use std::hash::{BuildHasher as _, RandomState};
use std::io::IsTerminal as _;
use std::time::Instant;

use http::{HeaderName, HeaderValue, Method, Request, Response};
use scim_core::audit::RequestId;
use scim_core::leniency::Leniency;
use scim_core::service::Outcome;
use scim_core::store::StoreError;
use scim_core::{Error, ResourceId, ScimType};
use tracing::{Level, Span};
use tracing_subscriber::EnvFilter;

use crate::{LostClaim, LostClaims};

/// Logs to standard error what `RUST_LOG` asks for; without it, warnings and requests.
///
/// # Errors
///
/// `RUST_LOG` cannot be read, or logging is set up already.
pub fn init() -> anyhow::Result<()> {
    let asked = std::env::var("RUST_LOG").ok().filter(|asked| !asked.is_empty());
    let filter = EnvFilter::try_new(asked.as_deref().unwrap_or("warn,scim_examples=info,scim_core=info"))
        .map_err(|error| anyhow::anyhow!("RUST_LOG cannot be read: {error}"))?;
    // What an HTTP client says of what it sends and receives has credentials in it, whatever is asked for.
    let filter = ["hyper=info", "hyper_util=info", "ureq=info", "ureq_proto=info"]
        .into_iter()
        .try_fold(filter, |filter, quiet| Ok::<_, anyhow::Error>(filter.add_directive(quiet.parse()?)))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init()
        .map_err(|error| anyhow::anyhow!("cannot log: {error}"))
}

/// The line of one request: gives it an id, which the response carries as `X-Request-Id`, and logs it.
pub(crate) struct Line {
    id: Option<HeaderValue>,
    span: Span,
    // What the line says, where it is written.
    asked: Option<(Method, String, Instant)>,
}

impl Line {
    pub(crate) fn begin<B>(request: &mut Request<B>) -> Self {
        let id = new_id();
        let span = tracing::info_span!("request", id);
        let asked = tracing::enabled!(Level::INFO)
            .then(|| (request.method().clone(), request.uri().path().to_owned(), Instant::now()));
        request.extensions_mut().insert(RequestId::new(id.as_str()));
        Self { id: HeaderValue::try_from(id).ok(), span, asked }
    }

    /// What is logged while the request is made stands in it.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(crate) fn end<B>(self, response: &mut Response<B>) {
        let outcome = response.extensions_mut().remove::<Outcome>();
        if let Some(id) = self.id {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let _entered = self.span.enter();
        if let Some((method, path, begun)) = self.asked {
            let milliseconds = begun.elapsed().as_micros() as f64 / 1000.0;
            let status = response.status().as_u16();
            let error = outcome.as_ref().and_then(|outcome| outcome.error.as_ref());
            let scim_type = error.and_then(Error::scim_type).map(ScimType::as_str);
            let (leniencies, remarks) = outcome.as_ref().map_or((None, None), noted);
            tracing::info!(%method, path, status, milliseconds, leniencies, remarks, scim_type);
        }
        let Some(outcome) = outcome else { return };
        log_reasons(&outcome);
        outcome.operations.iter().for_each(log_operation);
        if let Some(error) = &outcome.unrecorded {
            tracing::error!(%error, "a record is missing in the audit trail");
        }
    }
}

/// An id that no other request has: 128 bits in hexadecimal, made of keys that are random for each thread and
/// different each time.
fn new_id() -> String {
    let keys = RandomState::new();
    uuid::Uuid::from_u64_pair(keys.hash_one(0), keys.hash_one(1)).simple().to_string()
}

/// Logs what became of one operation of a bulk request.
fn log_operation(outcome: &Outcome) {
    let (leniencies, remarks) = noted(outcome);
    let error = outcome.error.as_ref();
    let refused = error.map(|error| error.status().as_u16());
    let scim_type = error.and_then(Error::scim_type).map(ScimType::as_str);
    let resource = outcome.resource.as_ref().map(ResourceId::as_str);
    let (operation, resource_type) = (outcome.operation, outcome.resource_type.as_deref());
    tracing::info!(?operation, resource_type, resource, refused, leniencies, remarks, scim_type);
    log_reasons(outcome);
}

/// Logs what the client is not told of why it is refused.
fn log_reasons(outcome: &Outcome) {
    if let Some(cause) = &outcome.cause {
        log_cause(cause);
    }
    if let Some(error) = &outcome.error
        && let Some(remedy) = error.remedy()
    {
        tracing::warn!(rule = error.rule(), "a change is refused: {remedy}");
    }
}

/// The leniencies that fired, and how many remarks there are.
fn noted(outcome: &Outcome) -> (Option<String>, Option<usize>) {
    let leniencies = (!outcome.leniencies.is_empty()).then(|| list(&outcome.leniencies));
    (leniencies, (!outcome.remarks.is_empty()).then_some(outcome.remarks.len()))
}

fn list(leniencies: &[Leniency]) -> String {
    leniencies.iter().map(Leniency::to_string).collect::<Vec<_>>().join(",")
}

/// Logs what went wrong in the store, which the client is not told. Nothing went wrong when a
/// resource is absent, taken or changed meanwhile.
fn log_cause(cause: &StoreError) {
    if let StoreError::Internal(source)
    | StoreError::Unavailable(source)
    | StoreError::OutcomeUnknown(source) = cause
    {
        tracing::error!(source, "{cause}");
    }
}

/// Logs which resources have a unique value that another one has claimed, without the values.
pub(crate) fn lost_claims(lost: &LostClaims) {
    if lost.count == 0 {
        return;
    }
    let name = |claim: &LostClaim| format!("{}/{} ({})", claim.resource_type, claim.id, claim.attribute);
    let first: Vec<String> = lost.first.iter().map(name).collect();
    tracing::warn!(
        count = lost.count,
        first = first.join(", "),
        "resources have a unique value that another one has claimed: they keep it until they are given another"
    );
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
