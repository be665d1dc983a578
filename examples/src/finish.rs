//! Requests that change something are finished, even if their client leaves.
//!
//! A connection that breaks off drops its request wherever that waits. For a read that is right: nobody
//! wants the answer. A change is all or nothing in the store, so that nothing is half-written either; but
//! of a bulk request the operations that came later would not be made, and of resources that refer
//! to one another some might be left without their references. So whatever may change something runs in
//! a task of its own, in the runtime of the program and not in that of a [thread](crate::Threads) that answers: it may
//! have much to do. The server waits for these tasks when it stops, as it does for connections.

use std::time::Duration;

use http::Method;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// What a request holds as long as it runs.
#[derive(Clone, Debug)]
pub struct Running {
    #[expect(dead_code, reason = "it is waited for until it is dropped")]
    held: mpsc::Sender<()>,
    // Where it runs.
    runtime: Handle,
}

/// Waits for the requests that hold a [`Running`].
#[derive(Debug)]
pub struct Finish(mpsc::Receiver<()>);

impl Finish {
    /// The state for requests to [hold](crate::Front::new), and what waits for them. They run in the runtime that this
    /// is called in.
    ///
    /// # Panics
    ///
    /// It is called in none.
    pub fn new() -> (Running, Self) {
        let (held, receiver) = mpsc::channel(1);
        (Running { held, runtime: Handle::current() }, Self(receiver))
    }

    /// Waits until no request runs any more, but not longer than this.
    pub async fn wait(mut self, longest: Duration) {
        // Nothing is ever sent: this ends when the last sender is gone.
        if tokio::time::timeout(longest, self.0.recv()).await.is_err() {
            tracing::warn!("stopped before every request had ended");
        }
    }
}

/// Whether the request changes nothing, whatever comes of it.
pub(crate) fn only_reads(method: &Method, path: &str) -> bool {
    matches!(*method, Method::GET | Method::HEAD) || path.ends_with("/.search")
}

/// Runs a request in a task of its own.
pub(crate) async fn run<T: Send + 'static>(
    request: impl Future<Output = T> + Send + 'static,
    running: Running,
) -> T {
    let runtime = running.runtime.clone();
    let task = runtime.spawn(async move {
        let answer = request.await;
        drop(running);
        answer
    });
    match task.await {
        Ok(answer) => answer,
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

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn a_request_that_is_dropped_is_finished() {
        let finished = Arc::new(AtomicUsize::new(0));
        let dropped = Arc::new(Semaphore::new(0));
        let (running, finish) = Finish::new();
        let (count, waits) = (Arc::clone(&finished), Arc::clone(&dropped));
        let request = async move {
            drop(waits.acquire().await);
            count.fetch_add(1, Ordering::SeqCst);
        };
        let answer = tokio::time::timeout(Duration::from_millis(5), run(request, running));
        assert!(answer.await.is_err());
        dropped.add_permits(1);
        finish.wait(Duration::from_secs(10)).await;
        assert_eq!(finished.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn what_may_change_something_is_told_by_method_and_path() {
        for (method, path, reads) in [
            (Method::POST, "/Users", false),
            (Method::POST, "/Bulk", false),
            (Method::PATCH, "/Users/1", false),
            (Method::DELETE, "/Users/1", false),
            (Method::GET, "/Users", true),
            (Method::HEAD, "/Users/1", true),
            (Method::POST, "/Users/.search", true),
        ] {
            assert_eq!(only_reads(&method, path), reads, "{method} {path}");
        }
    }
}
