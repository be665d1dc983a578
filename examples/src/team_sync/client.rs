//! The HTTP client.

use std::io::ErrorKind;
use std::time::Duration;

use http::{Request, Response};
use scim_profiles::pagerduty::teams::TransportError;
use ureq::Timeout;

/// Sends one request after the other, over connections that are kept.
///
/// Certificates are checked by rustls. Nothing is sent to where a redirect points: it would carry the
/// credential along.
#[derive(Clone)]
pub(super) struct Client {
    agent: ureq::Agent,
    max_body: u64,
}

impl Client {
    /// A client whose answers may take `timeout` and have `max_body` bytes.
    pub(super) fn new(timeout: Duration, max_body: usize, local: bool) -> Self {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("scim-team-sync/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(timeout));
        if local {
            // A stand-in on this machine is behind no proxy.
            config = config.proxy(None);
        }
        Self { agent: config.build().new_agent(), max_body: u64::try_from(max_body).unwrap_or(u64::MAX) }
    }

    /// Sends `request` on a thread of its own, and waits for the answer.
    pub(super) async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let client = self.clone();
        let sent = tokio::task::spawn_blocking(move || client.exchange(request)).await;
        sent.unwrap_or(Err(TransportError::Dropped))
    }

    fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = if request.body().is_empty() {
            self.agent.run(request.map(drop))
        } else {
            self.agent.run(request)
        };
        let answer = answer.and_then(|response| {
            let (head, mut body) = response.into_parts();
            // One byte more than is read by the planner, which then knows that it is too long.
            let body = body.with_config().limit(self.max_body.saturating_add(2)).read_to_vec()?;
            Ok(Response::from_parts(head, body))
        });
        match answer {
            Ok(response) => {
                tracing::debug!(%method, path, status = response.status().as_u16());
                Ok(response)
            }
            // It names hosts and causes, never headers.
            Err(error) => {
                tracing::warn!(%method, path, %error, "PagerDuty did not answer");
                Err(cause(&error))
            }
        }
    }
}

/// Whether the request may have had its effect.
fn cause(error: &ureq::Error) -> TransportError {
    match error {
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::ConnectProxyFailed(_)
        | ureq::Error::BadUri(_)
        | ureq::Error::InvalidProxyUrl => TransportError::NotSent,
        ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => TransportError::NotSent,
        ureq::Error::Timeout(_) => TransportError::TimedOut,
        _ => TransportError::Dropped,
    }
}
