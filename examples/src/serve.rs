//! Serving over HTTP/1.1 with what `axum::serve` leaves open: deadlines for slow clients,
//! a bound on connections, and a stop that answers what is under way but not for ever.

use std::convert::Infallible;
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
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{self, Handle};
use tokio::sync::{Semaphore, oneshot};

/// Answers by `service` on `listener` until `stop` completes, then lets the requests under way finish.
pub async fn serve<S, B>(listener: TcpListener, service: S, stop: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    serve_within(&Deadlines::default(), None, listener, service, stop).await;
}

/// Threads that answer, each with a runtime and connections of its own.
///
/// The threads of one runtime share what waits for the sockets: one of them hears of all, wakes another one, and that
/// takes over some of the requests. To look something up takes less than that does. Here a thread hears of its own
/// connections alone, and has what they ask for done when it has heard.
///
/// What runs long without waiting for anything lets the other connections of its thread wait.
#[derive(Debug)]
pub struct Threads(Vec<Thread>);

#[derive(Debug)]
struct Thread {
    runtime: Handle,
    // Each of its connections has one.
    connection: Arc<()>,
    // When it is dropped, the thread ends.
    _end: oneshot::Sender<Infallible>,
}

impl Threads {
    /// One for each processor. They end, with all that is under way in them, when this is dropped.
    ///
    /// # Errors
    ///
    /// The system has no more threads, or nothing to wait for sockets with.
    pub fn start() -> std::io::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        (0..processors).map(Thread::start).collect::<Result<_, _>>().map(Self)
    }

    /// Answers as [`serve`] does.
    pub async fn serve<S, B>(&self, listener: TcpListener, service: S, stop: impl Future<Output = ()>)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        serve_within(&Deadlines::default(), Some(self), listener, service, stop).await;
    }

    /// The one that has the fewest connections.
    fn idlest(&self) -> Option<&Thread> {
        self.0.iter().min_by_key(|thread| Arc::strong_count(&thread.connection))
    }
}

impl Thread {
    fn start(number: usize) -> std::io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ends) = oneshot::channel();
        // Until it ends, it runs what is spawned by its handle.
        let run = move || drop(runtime.block_on(ends));
        std::thread::Builder::new().name(format!("answers-{number}")).spawn(run)?;
        Ok(Self { runtime: handle, connection: Arc::default(), _end: end })
    }
}

async fn serve_within<S, B>(
    deadlines: &Deadlines,
    threads: Option<&Threads>,
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
    builder.timer(TokioTimer::new()).header_read_timeout(deadlines.header).max_buf_size(MAX_HEADER_BYTES);
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
        let (builder, service, watcher) = (builder.clone(), service.clone(), graceful.watcher());
        let serve = async move |stream: TcpStream| {
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "connection ended");
            }
            drop(permit);
        };
        match threads.and_then(Threads::idlest) {
            None => drop(tokio::spawn(serve(stream))),
            Some(thread) => {
                let held = Arc::clone(&thread.connection);
                // It is that thread's runtime which is to hear of it.
                thread.runtime.spawn(async move {
                    match stream.into_std().and_then(TcpStream::from_std) {
                        Ok(stream) => serve(stream).await,
                        Err(error) => tracing::warn!(%error, "cannot take over a connection"),
                    }
                    drop(held);
                });
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(deadlines.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopped before every connection had ended");
    }
}

/// How long a server waits for its clients.
#[derive(Debug)]
struct Deadlines {
    /// For the head of a request, and for the next request.
    header: Duration,
    /// For the requests under way when it stops.
    drain: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { header: HEADER_TIMEOUT, drain: DRAIN_TIMEOUT }
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
    use std::collections::BTreeMap;

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
    const LONG: Duration = Duration::from_secs(60);

    /// A client, what stops the server, the server, and what says that a request is under way.
    async fn start(
        deadlines: Deadlines,
        threads: bool,
    ) -> (TcpStream, oneshot::Sender<()>, JoinHandle<()>, Arc<Semaphore>) {
        let under_way = Arc::new(Semaphore::new(0));
        let (in_slow, in_stuck) = (Arc::clone(&under_way), Arc::clone(&under_way));
        let slow = get(async move || {
            in_slow.add_permits(1);
            tokio::time::sleep(SOON).await;
            "answer"
        });
        let stuck = get(async move || {
            in_stuck.add_permits(1);
            std::future::pending::<()>().await;
        });
        let whose = get(async || std::thread::current().name().unwrap().to_owned());
        let router = Router::new().route("/slow", slow).route("/stuck", stuck).route("/whose", whose);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            let threads = threads.then(|| Threads::start().unwrap());
            let service = TowerToHyperService::new(router);
            serve_within(&deadlines, threads.as_ref(), listener, service, async { drop(stopped.await) })
                .await;
        });
        (TcpStream::connect(address).await.unwrap(), stop, server, under_way)
    }

    async fn begins(under_way: &Semaphore) {
        timeout(LONG, under_way.acquire()).await.unwrap().unwrap().forget();
    }

    #[tokio::test]
    async fn a_client_that_does_not_finish_its_head_is_cut_off() {
        for threads in [false, true] {
            let deadlines = Deadlines { header: SOON, drain: LONG };
            let (mut client, _stop, _server, _) = start(deadlines, threads).await;
            client.write_all(b"GET /slow HTTP/1.1\r\nHost:").await.unwrap();
            let mut answer = Vec::new();
            timeout(LONG, client.read_to_end(&mut answer)).await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn a_stop_lets_requests_finish_but_not_for_ever() {
        for threads in [false, true] {
            let deadlines = Deadlines { header: LONG, drain: LONG };
            let (mut client, stop, server, under_way) = start(deadlines, threads).await;
            client.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
            begins(&under_way).await;
            drop(stop);
            let mut answer = String::new();
            timeout(LONG, client.read_to_string(&mut answer)).await.unwrap().unwrap();
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("answer"), "{answer}");
            timeout(LONG, server).await.unwrap().unwrap();

            let deadlines = Deadlines { header: LONG, drain: SOON };
            let (mut client, stop, server, under_way) = start(deadlines, threads).await;
            client.write_all(b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
            begins(&under_way).await;
            drop(stop);
            timeout(LONG, server).await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn each_thread_has_as_many_connections_as_any_other() {
        let (first, _stop, _server, _) = start(Deadlines::default(), true).await;
        let address = first.peer_addr().unwrap();
        let threads = std::thread::available_parallelism().unwrap().get();
        let mut clients = vec![first];
        while clients.len() < 3 * threads {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        let mut answers = BTreeMap::<String, usize>::new();
        for client in &mut clients {
            client.write_all(b"GET /whose HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            timeout(LONG, client.read_to_string(&mut answer)).await.unwrap().unwrap();
            let (_, thread) = answer.rsplit_once("\r\n").unwrap();
            *answers.entry(thread.to_owned()).or_default() += 1;
        }
        let expected = (0..threads).map(|number| (format!("answers-{number}"), 3));
        assert_eq!(answers, expected.collect());
    }
}
