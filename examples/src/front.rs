//! What answers the requests of a server: a [`Service`], with an id and a line in the log for each of them.
//!
//! It is one hyper service and no stack of layers: each of those would be cloned, boxed and moved for every request,
//! which for a look-up in memory takes as long as the look-up.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
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
use scim_core::service::{BrokenOff, RequestBody, ResponseBody};
use scim_core::tower::collect;
use scim_core::{Error, Service, Store};
use tokio::runtime::Handle;
use tracing::Instrument as _;

use crate::finish::{self, Running};
use crate::log::Line;

/// Answers every request, whatever its path, by a [`Service`]; clones share it.
///
/// Bodies are read once the client is known, within the service's limit and within half a minute: a client that sends
/// more, or sends slowly, costs no more memory and no more time than that. What is not read is thrown away while the
/// answer is sent, for a moment: a connection that is closed on a client that still sends shows it no answer. What may
/// change something is [finished](crate::finish), even if its client leaves.
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
    async fn respond<B>(&self, request: Request<B>) -> Response<Answer>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Send,
    {
        if let Some(description) = &self.description
            && request.uri().path() == DESCRIPTION
        {
            return describe(description, request.method());
        }
        let request = request.map(|body| match body.is_end_stream() {
            true => Bytes::new().into(),
            false => self.read_later(body),
        });
        // On the heap, once: what waits for it would move it.
        let response = Box::pin(self.service.call_in_pieces::<RequestBody>(request)).await;
        response.map(Answer)
    }

    fn read_later<B>(&self, body: B) -> RequestBody
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Send,
    {
        let (limit, most) = (self.service.config().max_body_bytes(), self.body_timeout);
        let mut unread = Unread(Some(Box::pin(body)));
        RequestBody::read_by(async move {
            let Some(body) = unread.0.take() else { return Ok(Bytes::new()) };
            match tokio::time::timeout(most, collect(body, limit)).await {
                Ok(Ok(body)) => Ok(body),
                Ok(Err(_)) => {
                    let detail = "the request body ends before its announced length";
                    Err(Error::new(StatusCode::BAD_REQUEST, detail))
                }
                Err(_) => {
                    let detail = "the request body did not arrive in time";
                    Err(Error::new(StatusCode::REQUEST_TIMEOUT, detail))
                }
            }
        })
    }
}

/// The body of a request that is answered without it. Its beginning is thrown away when it is dropped.
struct Unread<B>(Option<Pin<Box<B>>>)
where
    B: Body<Data = Bytes> + Send + 'static;

impl<B> Drop for Unread<B>
where
    B: Body<Data = Bytes> + Send + 'static,
{
    fn drop(&mut self) {
        let (Some(mut body), Ok(runtime)) = (self.0.take(), Handle::try_current()) else { return };
        runtime.spawn(tokio::time::timeout(THROWN_AWAY_WITHIN, async move {
            let mut length = 0;
            while let Some(Ok(frame)) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
                length += frame.data_ref().map_or(0, Bytes::len);
                if length > THROWN_AWAY {
                    break;
                }
            }
        }));
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
/// How much of a body that is not read is thrown away, and for how long.
const THROWN_AWAY: usize = 1 << 20;
const THROWN_AWAY_WITHIN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Channel};
    use scim_core::auth::{Principal, Secret, StaticTokens};
    use scim_core::policy::StandardPolicy;
    use scim_core::{Config, CredentialId, Environment, MemoryStore, ResourceId, TenantId};

    use super::*;

    fn scim(tokens: StaticTokens) -> Arc<Scim<MemoryStore, StaticTokens, StandardPolicy>> {
        let environment = Environment::new(jiff::Timestamp::now, || ResourceId::new("1"));
        let config = Config::new("http://127.0.0.1/scim/v2".parse().unwrap());
        let service = Arc::new(Service::new(MemoryStore::new(), tokens, config, environment));
        Arc::new(Scim { service, description: None, body_timeout: Duration::from_millis(50) })
    }

    fn post<B>(path: &str, body: B) -> Request<B> {
        let request =
            Request::post(format!("/scim/v2{path}")).header("authorization", "Bearer t0ken-of-the-tests");
        request.header("content-type", "application/scim+json").body(body).unwrap()
    }

    async fn detail(response: Response<Answer>) -> serde_json::Value {
        let text = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()["detail"].take()
    }

    fn known() -> StaticTokens {
        let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") };
        StaticTokens::new().with(Secret::new("t0ken-of-the-tests").unwrap(), principal)
    }

    #[tokio::test]
    async fn a_body_that_does_not_arrive_in_time_is_408() {
        let (_sender, body) = Channel::<Bytes, std::io::Error>::new(1);
        let response = scim(known()).answer(post("/Users", body)).await.unwrap();
        assert_eq!(response.status(), 408);
        assert_eq!(detail(response).await, "the request body did not arrive in time");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_400() {
        let (sender, body) = Channel::<Bytes, std::io::Error>::new(1);
        sender.abort(std::io::ErrorKind::ConnectionReset.into());
        let response = scim(known()).answer(post("/Users", body)).await.unwrap();
        assert_eq!(response.status(), 400);
        assert_eq!(detail(response).await, "the request body ends before its announced length");
    }

    /// Neither of who is not known, nor for what is not there. What arrives is taken, so that the client comes to read
    /// the answer, and not for ever.
    #[tokio::test]
    async fn a_body_that_nothing_needs_is_not_waited_for() {
        for (tokens, path, status) in [(StaticTokens::new(), "/Users", 401), (known(), "/Nothing", 404)] {
            let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(1);
            let response = scim(tokens).answer(post(path, body)).await.unwrap();
            assert_eq!(response.status(), status);
            let mut sent = 0;
            while sender.send_data(Bytes::from(vec![b' '; 1 << 16])).await.is_ok() {
                sent += 1 << 16;
            }
            assert!((THROWN_AWAY..THROWN_AWAY * 2).contains(&sent), "{sent}");
        }
    }
}
