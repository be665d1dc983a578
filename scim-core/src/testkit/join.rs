//! Running several futures at a time, without knowing a runtime.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use super::{BoxFuture, Broken};

/// Starts a task and returns a future that ends when it has.
#[derive(Clone)]
pub(super) struct Spawn(Arc<dyn Fn(BoxFuture<'static, ()>) -> BoxFuture<'static, ()> + Send + Sync>);

impl Spawn {
    pub(super) fn new(
        spawn: impl Fn(BoxFuture<'static, ()>) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(spawn))
    }
}

/// Runs the tasks at the same time to their ends; the outputs in the order of the tasks.
///
/// A task that ends without output has panicked.
pub(super) async fn together<T: Send + 'static>(
    spawn: Option<&Spawn>,
    tasks: Vec<BoxFuture<'static, T>>,
) -> Result<Vec<T>, Broken> {
    let Some(spawn) = spawn else {
        return Ok(join(tasks).await);
    };
    let mut slots = Vec::new();
    let mut ends = Vec::new();
    for task in tasks {
        let slot = Arc::new(Mutex::new(None));
        slots.push(Arc::clone(&slot));
        ends.push((spawn.0)(Box::pin(async move {
            let output = task.await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(output);
        })));
    }
    join(ends).await;
    let outputs: Option<Vec<T>> =
        slots.iter().map(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner).take()).collect();
    outputs.ok_or_else(|| Broken::new("a task of the test ended without result"))
}

/// Polls all futures until each is done. They are few, so each is polled whichever was woken.
pub(super) async fn join<'a, T>(futures: Vec<BoxFuture<'a, T>>) -> Vec<T> {
    let mut open: Vec<(BoxFuture<'a, T>, Option<T>)> =
        futures.into_iter().map(|future| (future, None)).collect();
    poll_fn(|context| {
        let mut pending = false;
        for (future, output) in &mut open {
            if output.is_none() {
                match Pin::new(future).poll(context) {
                    Poll::Ready(done) => *output = Some(done),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    open.into_iter().filter_map(|(_, output)| output).collect()
}
