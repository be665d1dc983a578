//! What answers the requests of a server: a [`Service`], with an id and a line in the log for each of them.
//!
//! It is one hyper service and no stack of layers: each of those would be cloned, boxed and moved for every request,
//! which for a look-up in memory takes as long as the look-up.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use scim_core::auth::Authenticator;
use scim_core::policy::Policy;
use scim_core::service::{BrokenOff, ResponseBody};
use scim_core::tower::collect;
use scim_core::{Error, Service, Store};
use tracing::Instrument as _;

use crate::finish::{self, Running};
use crate::log::Line;

/// Answers every request, whatever its path, by a [`Service`]; clones share it.
///
/// Bodies are read within the service's limit and within half a minute: a client that sends more,
/// or sends slowly, costs no more memory and no more time than that. What may change something is
/// [finished](crate::finish), even if its client leaves.
#[derive(Clone)]
pub struct Front {
    answers: Arc<dyn Answers<Incoming>>,
    running: Running,
}

impl Front {
    /// By `service`; requests that change something hold `running`.
    pub fn new<S: Store, A: Authenticator, P: Policy>(service: Service<S, A, P>, running: Running) -> Self {
        let service = Arc::new(service);
        Self { answers: Arc::new(Scim { service, description: None, body_timeout: BODY_TIMEOUT }), running }
    }

    /// The same, with a description of the service at `/openapi.json`. That is for everyone: it says what
    /// discovery says, of no tenant and of no resource.
    pub fn described<S: Store, A: Authenticator, P: Policy>(
        service: Service<S, A, P>,
        document: &serde_json::Value,
        running: Running,
    ) -> Self {
        let (service, description) = (Arc::new(service), Some(document.to_string().into()));
        Self { answers: Arc::new(Scim { service, description, body_timeout: BODY_TIMEOUT }), running }
    }
}

impl hyper::service::Service<Request<Incoming>> for Front {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Answering<Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let reads = finish::only_reads(request.method(), request.uri().path());
        let answer = Arc::clone(&self.answers).answer(request);
        match reads {
            true => answer,
            false => Box::pin(finish::run(answer, self.running.clone())),
        }
    }
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").finish_non_exhaustive()
    }
}

/// What [`Front`] does, in time.
type Answering<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Answers requests, whatever the types of its service.
trait Answers<B>: Send + Sync {
    fn answer(self: Arc<Self>, request: Request<B>) -> Answering<Result<Response<Answer>, Infallible>>;
}

struct Scim<S, A, P> {
    service: Arc<Service<S, A, P>>,
    description: Option<Bytes>,
    body_timeout: Duration,
}

impl<S, A, P, B> Answers<B> for Scim<S, A, P>
where
    S: Store,
    A: Authenticator,
    P: Policy,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Send,
{
    fn answer(self: Arc<Self>, mut request: Request<B>) -> Answering<Result<Response<Answer>, Infallible>> {
        let line = Line::begin(&mut request);
        Box::pin(async move {
            let span = line.span();
            let mut response = self.respond(request).instrument(span).await;
            line.end(&mut response);
            Ok(response)
        })
    }
}

impl<S: Store, A: Authenticator, P: Policy> Scim<S, A, P> {
    async fn respond<B: Body<Data = Bytes>>(&self, request: Request<B>) -> Response<Answer> {
        if let Some(description) = &self.description
            && request.uri().path() == DESCRIPTION
        {
            return describe(description, request.method());
        }
        let (head, body) = request.into_parts();
        let body = if body.is_end_stream() {
            Bytes::new()
        } else {
            let limit = self.service.config().max_body_bytes();
            match tokio::time::timeout(self.body_timeout, collect(body, limit)).await {
                Ok(Ok(body)) => body,
                Ok(Err(_)) => {
                    let detail = "the request body ends before its announced length";
                    return refusal(StatusCode::BAD_REQUEST, detail);
                }
                Err(_) => {
                    return refusal(StatusCode::REQUEST_TIMEOUT, "the request body did not arrive in time");
                }
            }
        };
        // On the heap, once: what waits for it would move it.
        let response = Box::pin(self.service.call_in_pieces(Request::from_parts(head, body))).await;
        response.map(Answer)
    }
}

fn describe(description: &Bytes, method: &Method) -> Response<Answer> {
    let (status, name, value, body) = match *method {
        Method::GET => (StatusCode::OK, header::CONTENT_TYPE, "application/json", description.clone()),
        Method::HEAD => (StatusCode::OK, header::CONTENT_TYPE, "application/json", Bytes::new()),
        _ => (StatusCode::METHOD_NOT_ALLOWED, header::ALLOW, "GET,HEAD", Bytes::new()),
    };
    let mut response = Response::new(Answer(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    if *method == Method::HEAD {
        response.headers_mut().insert(header::CONTENT_LENGTH, description.len().into());
    }
    response
}

fn refusal(status: StatusCode, detail: &'static str) -> Response<Answer> {
    let text = serde_json::to_vec(&Error::new(status, detail).to_value()).unwrap_or_default();
    let mut response = Response::new(Answer(Bytes::from(text).into()));
    *response.status_mut() = status;
    let scim = HeaderValue::from_static("application/scim+json");
    response.headers_mut().insert(header::CONTENT_TYPE, scim);
    response
}

/// The body of an answer. That it breaks off is logged: by then the response has its status and its line in
/// the log.
#[derive(Debug)]
pub struct Answer(ResponseBody);

impl Body for Answer {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let frame = Pin::new(&mut self.0).poll_frame(cx);
        if let Poll::Ready(Some(Err(error))) = &frame {
            tracing::error!(cause = std::error::Error::source(error), "{error}");
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// Where the description of the service is.
const DESCRIPTION: &str = "/openapi.json";
/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Channel};
    use scim_core::auth::StaticTokens;
    use scim_core::{Config, Environment, MemoryStore, ResourceId};

    use super::*;

    #[tokio::test]
    async fn a_body_that_does_not_arrive_in_time_is_408() {
        let environment = Environment::new(jiff::Timestamp::now, || ResourceId::new("1"));
        let config = Config::new("http://127.0.0.1/scim/v2".parse().unwrap());
        let service = Arc::new(Service::new(MemoryStore::new(), StaticTokens::new(), config, environment));
        let scim = Scim { service, description: None, body_timeout: Duration::from_millis(50) };
        let (_sender, body) = Channel::<Bytes, std::io::Error>::new(1);
        let response = Arc::new(scim).answer(Request::new(body)).await.unwrap();
        assert_eq!(response.status(), 408);
        let text = response.into_body().collect().await.unwrap().to_bytes();
        let error: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(error["detail"], "the request body did not arrive in time");
    }
}
