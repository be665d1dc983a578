//! The HTTP client.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use scim_profiles::pagerduty::teams::TransportError;
use tokio::net::TcpStream;
use tower_service::Service;

/// Sends one request after the other, over connections that are kept.
///
/// Certificates are checked by rustls, against the roots that Mozilla trusts. Nothing is sent to where a redirect
/// points: it would carry the credential along.
#[derive(Clone)]
pub(super) struct Client {
    inner: legacy::Client<HttpsConnector<Proxied>, Full<Bytes>>,
    timeout: Duration,
    max_body: usize,
}

impl Client {
    /// A client whose answers may take `timeout` and have `max_body` bytes. A stand-in that is `local`, on this
    /// machine, is behind no proxy.
    pub(super) fn new(timeout: Duration, max_body: usize, local: bool) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        // A part of the whole, so that what was not even sent is told from what was not answered.
        http.set_connect_timeout(Some(timeout / 2));
        let matcher = if local { Matcher::builder().build() } else { Matcher::from_env() };
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(Proxied { http, matcher: matcher.into() });
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Self { inner, timeout, max_body }
    }

    /// Sends `request`, and waits for the answer.
    pub(super) async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let (error, cause) = match tokio::time::timeout(self.timeout, self.exchange(request)).await {
            Ok(Ok(response)) => {
                tracing::debug!(%method, path, status = response.status().as_u16());
                return Ok(response);
            }
            Ok(Err(Failure::Unsent(error))) => (chain(&error), TransportError::NotSent),
            Ok(Err(Failure::Client(error))) => (chain(&error), TransportError::Dropped),
            Ok(Err(Failure::Body(error))) => (chain(&error), TransportError::Dropped),
            Err(_) => (format!("no answer within {:?}", self.timeout), TransportError::TimedOut),
        };
        // It names hosts and causes, never headers.
        tracing::warn!(%method, path, error, "PagerDuty did not answer");
        Err(cause)
    }

    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Failure> {
        let mut request = request.map(|body| Full::new(Bytes::from(body)));
        request.headers_mut().insert(USER_AGENT, AGENT);
        let response = self.inner.request(request).await.map_err(|error| match error.is_connect() {
            true => Failure::Unsent(error),
            false => Failure::Client(error),
        })?;
        let (head, body) = response.into_parts();
        Ok(Response::from_parts(head, self.read(body).await?))
    }

    /// The body; of one that is too long as much as says so.
    async fn read(&self, mut body: Incoming) -> Result<Vec<u8>, Failure> {
        let mut read = Vec::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.map_err(Failure::Body)?.into_data() {
                read.extend_from_slice(&data);
            }
            if read.len() > self.max_body {
                read.truncate(self.max_body.saturating_add(1));
                break;
            }
        }
        Ok(read)
    }
}

/// Why there is no answer.
enum Failure {
    /// There was no connection.
    Unsent(legacy::Error),
    Client(legacy::Error),
    Body(hyper::Error),
}

/// What an error says, with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Connects directly, or through the proxy that the environment names for the host: `HTTPS_PROXY`, `NO_PROXY`.
#[derive(Clone)]
struct Proxied {
    http: HttpConnector,
    matcher: std::sync::Arc<Matcher>,
}

impl Service<Uri> for Proxied {
    type Response = TokioIo<TcpStream>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.http.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let mut http = self.http.clone();
        match self.matcher.intercept(&to) {
            None => Box::pin(async move { Ok(http.call(to).await?) }),
            Some(proxy) => {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), http);
                if let Some(credential) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(credential.clone());
                }
                Box::pin(async move { Ok(tunnel.call(to).await?) })
            }
        }
    }
}

const AGENT: HeaderValue = HeaderValue::from_static(concat!("scim-team-sync/", env!("CARGO_PKG_VERSION")));
/// Shorter than servers keep connections that nothing is sent over: what is sent when they end is lost.
const IDLE: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// What a server that says `answer` to the first request got, and what the client makes of it.
    async fn exchange(answer: &'static [u8]) -> (String, Result<Response<Vec<u8>>, TransportError>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/teams", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut got = Vec::new();
            while !got.ends_with(b"{}") {
                let mut some = [0; 1024];
                let read = stream.read(&mut some).await.unwrap();
                got.extend_from_slice(&some[..read]);
            }
            stream.write_all(answer).await.unwrap();
            if answer.is_empty() {
                // As long as the client waits, and then some.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            String::from_utf8(got).unwrap()
        });
        let client = Client::new(Duration::from_millis(300), 4, true);
        let request =
            Request::post(url).header("authorization", "Token token=x").body(b"{}".to_vec()).unwrap();
        let answered = client.send(request).await;
        (server.await.unwrap(), answered)
    }

    #[tokio::test]
    async fn what_is_sent_and_what_is_made_of_answers() {
        let (got, answer) = exchange(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok").await;
        let got = got.to_lowercase();
        assert!(got.starts_with("post /teams http/1.1\r\n") && got.contains("\r\nhost: 127.0.0.1:"), "{got}");
        assert!(got.contains("user-agent: scim-team-sync/") && got.contains("content-length: 2"), "{got}");
        let answer = answer.unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().as_slice()), (201, &b"ok"[..]));
        // One byte more than is permitted is enough to know that it is too long.
        let (_, answer) = exchange(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123456789").await;
        assert_eq!(answer.unwrap().body(), b"12345");
        // Nobody follows a redirect with the credential.
        let redirect =
            b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(exchange(redirect).await.1.unwrap().status().as_u16(), 307);
        let (_, answer) = exchange(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n1").await;
        assert_eq!(answer.unwrap_err(), TransportError::Dropped);
        assert_eq!(exchange(b"").await.1.unwrap_err(), TransportError::TimedOut);
    }

    #[tokio::test]
    async fn what_was_not_sent_is_told_from_what_was_lost() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/teams", listener.local_addr().unwrap());
        drop(listener);
        let client = Client::new(Duration::from_secs(5), 4, true);
        let refused = client.send(Request::get(&url).body(Vec::new()).unwrap()).await;
        assert_eq!(refused.unwrap_err(), TransportError::NotSent);
        // Somebody who does not speak TLS.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/teams", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        });
        let refused = client.send(Request::get(&url).body(Vec::new()).unwrap()).await;
        assert_eq!(refused.unwrap_err(), TransportError::NotSent);
    }

    /// A proxy is asked for a tunnel to the host, and gets no credential of PagerDuty's.
    #[tokio::test]
    async fn a_proxy_gives_a_tunnel() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://ann:secret@{}", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let read = stream.read(&mut asked).await.unwrap();
            asked.truncate(read);
            stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.unwrap();
            String::from_utf8(asked).unwrap()
        });
        let mut proxied =
            Proxied { http: HttpConnector::new(), matcher: Matcher::builder().https(proxy).build().into() };
        proxied.http.enforce_http(false);
        assert!(proxied.call(Uri::from_static("https://api.pagerduty.com/teams")).await.is_err());
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("CONNECT api.pagerduty.com:443 HTTP/1.1\r\n"), "{asked}");
        assert!(asked.to_lowercase().contains("proxy-authorization: basic "), "{asked}");
    }
}
