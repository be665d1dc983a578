//! Serving over HTTP/1.1 with what `axum::serve` leaves open: deadlines for slow clients,
//! a bound on connections, and a stop that answers what is under way but not for ever.

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Answers by `service` on `listener` until `stop` completes, then lets the requests under way finish.
pub async fn serve<S, B>(listener: TcpListener, service: S, stop: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    serve_within(HEADER_TIMEOUT, DRAIN_TIMEOUT, listener, service, stop).await;
}

async fn serve_within<S, B>(
    header_timeout: Duration,
    drain_timeout: Duration,
    listener: TcpListener,
    service: S,
    stop: impl Future<Output = ()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(header_timeout).max_buf_size(MAX_HEADER_BYTES);
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, stream) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let stream = match stream {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, or a connection reset before it was accepted: neither is
                // a reason to stop, and the first goes away only by waiting.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // A response is written at once; there is nothing to collect more bytes for.
        let _ = stream.set_nodelay(true);
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service.clone()));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopped before every connection had ended");
    }
}

/// Completes when the process is asked to stop: Ctrl-C, or SIGTERM.
///
/// # Errors
///
/// The signals cannot be listened to.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// How long a client may take to send the head of a request, and stay idle between two.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest head of a request; more is 431.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// Connections at a time; more wait to be accepted.
const MAX_CONNECTIONS: usize = 1024;
/// How long requests under way may take when the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use hyper_util::service::TowerToHyperService;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_secs(20);

    async fn start(header: Duration, drain: Duration) -> (TcpStream, oneshot::Sender<()>, JoinHandle<()>) {
        let slow = get(async || {
            tokio::time::sleep(2 * SOON).await;
            "answer"
        });
        let stuck = get(async || std::future::pending::<()>().await);
        let router = Router::new().route("/slow", slow).route("/stuck", stuck);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server =
            tokio::spawn(serve_within(header, drain, listener, TowerToHyperService::new(router), async {
                drop(stopped.await)
            }));
        (TcpStream::connect(address).await.unwrap(), stop, server)
    }

    #[tokio::test]
    async fn a_client_that_does_not_finish_its_head_is_cut_off() {
        let (mut client, _stop, _server) = start(SOON, LONG).await;
        client.write_all(b"GET /slow HTTP/1.1\r\nHost:").await.unwrap();
        let mut answer = Vec::new();
        timeout(LONG, client.read_to_end(&mut answer)).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_stop_lets_requests_finish_but_not_for_ever() {
        let (mut client, stop, server) = start(LONG, LONG).await;
        client.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        tokio::time::sleep(SOON).await;
        drop(stop);
        let mut answer = String::new();
        timeout(LONG, client.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("answer"), "{answer}");
        timeout(LONG, server).await.unwrap().unwrap();

        let (mut client, stop, server) = start(LONG, SOON).await;
        client.write_all(b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        tokio::time::sleep(SOON).await;
        drop(stop);
        timeout(LONG, server).await.unwrap().unwrap();
    }
}
