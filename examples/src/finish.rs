//! Requests that change something are finished, even if their client leaves.
//!
//! A connection that breaks off drops its request wherever that waits. For a read that is right: nobody
//! wants the answer. A change is all or nothing in the store, so that nothing is half-written either; but
//! of a bulk request the operations that came later would not be made, and of resources that refer
//! to one another some might be left without their references. So whatever may change something runs in
//! a task of its own. The server waits for these tasks when it stops, as it does for connections.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use tokio::sync::mpsc;

/// What a request holds as long as it runs.
pub type Running = mpsc::Sender<()>;

/// Waits for the requests that hold a [`Running`].
#[derive(Debug)]
pub struct Finish(mpsc::Receiver<()>);

impl Finish {
    /// The state for [`requests`], and what waits for them.
    pub fn new() -> (Running, Self) {
        let (running, receiver) = mpsc::channel(1);
        (running, Self(receiver))
    }

    /// Waits until no request runs any more, but not longer than this.
    pub async fn wait(mut self, longest: Duration) {
        // Nothing is ever sent: this ends when the last sender is gone.
        if tokio::time::timeout(longest, self.0.recv()).await.is_err() {
            tracing::warn!("stopped before every request had ended");
        }
    }
}

/// Middleware: runs what may change something in a task of its own.
pub async fn requests(State(running): State<Running>, request: Request, next: Next) -> Response {
    let reads =
        [Method::GET, Method::HEAD].contains(request.method()) || request.uri().path().ends_with("/.search");
    if reads {
        return next.run(request).await;
    }
    let task = tokio::spawn(async move {
        let response = next.run(request).await;
        drop(running);
        response
    });
    match task.await {
        Ok(response) => response,
        // As if it had panicked here.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only the end of the runtime cancels it, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::body::Body;
    use tokio::sync::Semaphore;
    use tower_service::Service as _;

    use super::*;

    #[tokio::test]
    async fn a_request_that_is_dropped_is_finished_unless_it_reads() {
        let finished = Arc::new(AtomicUsize::new(0));
        let dropped = Arc::new(Semaphore::new(0));
        let parts = (Arc::clone(&finished), Arc::clone(&dropped));
        let slow = move || {
            let (count, dropped) = parts.clone();
            async move {
                drop(dropped.acquire().await);
                count.fetch_add(1, Ordering::SeqCst);
            }
        };
        let (running, finish) = Finish::new();
        let mut router: Router =
            Router::new().fallback(slow).layer(axum::middleware::from_fn_with_state(running, requests));
        for (method, path) in
            [("POST", "/Users"), ("DELETE", "/Users/1"), ("GET", "/Users"), ("POST", "/Users/.search")]
        {
            let request = http::Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let call = router.call(request);
            assert!(tokio::time::timeout(Duration::from_millis(5), call).await.is_err(), "{method} {path}");
        }
        drop(router);
        dropped.add_permits(4);
        finish.wait(Duration::from_secs(10)).await;
        assert_eq!(finished.load(Ordering::SeqCst), 2);
    }
}
