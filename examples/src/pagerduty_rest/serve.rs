//! The stand-in on a socket.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use url::Url;

use super::account::Account;
use super::answer::{Answer, Refusal};
use super::credentials::Tokens;
use super::faults::{End, Fate, Faults};
use super::rate::{Counted, Windows};
use super::route::{Handled, Options, World};

/// A stand-in that listens but does not answer yet.
pub struct StandIn {
    listener: TcpListener,
    handle: StandInHandle,
    url: Url,
}

/// The account behind a stand-in, to look at and to change while it runs.
#[derive(Clone)]
pub struct StandInHandle(Arc<Mutex<State>>);

struct State {
    world: World,
    faults: Faults,
    number: u64,
    seen: Vec<Seen>,
    /// How many requests are to have their effect yet.
    late: usize,
}

/// A request that had its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Its path, without query.
    pub path: String,
    /// The status of what it came to, which the client may never have heard.
    pub status: StatusCode,
}

impl StandIn {
    /// Listens.
    ///
    /// # Errors
    ///
    /// The address cannot be used.
    pub async fn bind(
        listen: SocketAddr,
        account: Account,
        options: Options,
        faults: Faults,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| anyhow::anyhow!("cannot listen on {listen}: {error}"))?;
        let url = Url::parse(&format!("http://{}", listener.local_addr()?))?;
        let options = Options { late_roles: faults.late_roles, ..options };
        let world = World { account, options, tokens: Tokens::default(), windows: Windows::default() };
        let state = State { world, faults, number: 0, seen: Vec::new(), late: 0 };
        Ok(Self { listener, handle: StandInHandle(Arc::new(Mutex::new(state))), url })
    }

    /// The URL of the API; that of the tokens is the same.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The account.
    pub fn handle(&self) -> StandInHandle {
        self.handle.clone()
    }

    /// Answers until `stop` completes, and breaks off what is under way then.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let stream = tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
                () = &mut stop => break,
            };
            let _ = stream.set_nodelay(true);
            let handle = self.handle.clone();
            while connections.try_join_next().is_some() {}
            connections.spawn(async move {
                let service = service_fn(|request| handle.serve(request));
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
                if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
                    tracing::debug!(%error, "connection ended");
                }
            });
        }
    }
}

impl StandInHandle {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the account, or changes it as somebody else does in PagerDuty.
    pub fn account<R>(&self, with: impl FnOnce(&mut Account) -> R) -> R {
        with(&mut self.lock().world.account)
    }

    /// What goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        let mut state = self.lock();
        state.world.options.late_roles = faults.late_roles;
        state.faults = faults;
    }

    /// Ends all tokens, as an administrator can.
    pub fn revoke_tokens(&self) {
        self.lock().world.tokens.revoke();
    }

    /// The requests that had their effect since this was asked last.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.lock().seen)
    }

    /// How many requests are to have their effect yet, though nobody waits for it any more.
    pub fn late(&self) -> usize {
        self.lock().late
    }

    /// Lets a request have its effect, perhaps once more, after so long.
    fn let_late(&self, late: Duration, head: http::request::Parts, body: Bytes) {
        let handle = self.clone();
        self.lock().late += 1;
        tokio::spawn(async move {
            tokio::time::sleep(late).await;
            let mut state = handle.lock();
            state.apply(&head, &body, false);
            state.late -= 1;
        });
    }

    async fn serve(&self, request: Request<Incoming>) -> Result<Response<Reply>, Dropped> {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => {
                return Ok(respond(
                    &Refusal::invalid("the request body is too long or broken off").into(),
                    None,
                ));
            }
        };
        let fate = {
            let mut state = self.lock();
            state.number += 1;
            let number = state.number;
            state.faults.fate(number)
        };
        let Fate { delay, duplicate, end, late } = fate;
        if let Some(late) = late {
            self.let_late(late, head.clone(), body.clone());
        }
        let outcome = match end {
            End::DroppedBefore => Err(Dropped),
            End::FailedBefore(status) => Ok(failed(status)),
            End::Answered | End::DroppedAfter | End::FailedAfter(_) | End::BrokenOff => {
                let handled = self.lock().apply(&head, &body, duplicate);
                match end {
                    End::DroppedAfter => Err(Dropped),
                    End::FailedAfter(status) => Ok(failed(status)),
                    End::BrokenOff => Ok(broken_off(respond(&handled.answer, handled.counted))),
                    _ => Ok(respond(&handled.answer, handled.counted)),
                }
            }
        };
        let status = outcome.as_ref().map_or(0, |response| response.status().as_u16());
        tracing::info!(method = %head.method, path = head.uri.path(), status, ?end, duplicate);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        outcome
    }
}

impl State {
    fn apply(&mut self, head: &http::request::Parts, body: &[u8], twice: bool) -> Handled {
        if twice {
            self.apply(head, body, false);
        }
        let handled = self.world.handle(head, body, Instant::now());
        if self.seen.len() < MAX_SEEN {
            let (method, path) = (head.method.clone(), head.uri.path().to_owned());
            self.seen.push(Seen { method, path, status: handled.answer.status });
        }
        handled
    }
}

fn respond(answer: &Answer, counted: Option<Counted>) -> Response<Reply> {
    let text = answer.body.as_ref().map(serde_json::Value::to_string);
    let mut response = Response::new(Reply::of(text.unwrap_or_default()));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    if answer.body.is_some() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(counted) = counted {
        let told = [
            ("ratelimit-limit", u64::from(counted.limit)),
            ("ratelimit-remaining", u64::from(counted.remaining)),
            ("ratelimit-reset", counted.reset),
        ];
        for (name, value) in told {
            headers.insert(HeaderName::from_static(name), value.into());
        }
    }
    response
}

/// A 5xx: of PagerDuty in its form, of what stands before it in another.
fn failed(status: StatusCode) -> Response<Reply> {
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        return respond(&Refusal::internal().into(), None);
    }
    let text = format!("<html><body><h1>{status}</h1></body></html>");
    let mut response = Response::new(Reply::of(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

/// The same in part, after which the connection ends.
fn broken_off(response: Response<Reply>) -> Response<Reply> {
    response.map(|reply| Reply { is_cut: true, ..reply })
}

/// A body, or its first half.
struct Reply {
    text: Bytes,
    is_cut: bool,
}

impl Reply {
    fn of(text: String) -> Self {
        Self { text: text.into(), is_cut: false }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        let mut text = std::mem::take(&mut self.text);
        if self.is_cut {
            text.truncate(text.len() / 2);
        }
        Poll::Ready(match (text.is_empty(), self.is_cut) {
            (false, _) => Some(Ok(Frame::data(text))),
            (true, true) => Some(Err(Dropped)),
            (true, false) => None,
        })
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_cut { SizeHint::new() } else { SizeHint::with_exact(self.text.len() as u64) }
    }

    fn is_end_stream(&self) -> bool {
        !self.is_cut && self.text.is_empty()
    }
}

/// No answer: the connection ends.
#[derive(Debug)]
struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is dropped")
    }
}

impl std::error::Error for Dropped {}

const MAX_BODY: usize = 1024 * 1024;
/// What is remembered of requests, for whoever asks.
const MAX_SEEN: usize = 100_000;
