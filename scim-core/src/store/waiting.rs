//! A write that is put off rather than waits while others wait for who makes it.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::StoreError;

/// What a write waits for that another [holds](super::Store::hold), where whoever asks for the write
/// [waits by itself](super::Terms::waiting).
///
/// Who holds a resource may itself wait for something that the write is made with, as a lock that a store in front of
/// this one has taken for it. So that store lets go of it first, waits then, and begins anew.
///
/// ```
/// use scim_core::store::{StoreError, Waiting};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let waiting = Waiting::default();
/// // The store cannot make the write now, and says until when, and what it knows then.
/// let error = waiting.put_off(async { Ok("waited once") });
/// assert!(matches!(error, StoreError::PutOff));
/// // Who asked for it waits, and asks again.
/// assert!(waiting.over().await.unwrap());
/// assert_eq!(waiting.known(), Some("waited once"));
/// assert!(!waiting.over().await.unwrap());
/// # });
/// ```
#[derive(Default)]
pub struct Waiting(Mutex<State>);

type Known = Box<dyn Any + Send>;
type Until = Pin<Box<dyn Future<Output = Result<Known, StoreError>> + Send>>;

#[derive(Default)]
struct State {
    until: Option<Until>,
    known: Option<Known>,
}

impl Waiting {
    /// The store puts the write off until then. What comes of it the store [knows](Self::known) when it is asked again.
    pub fn put_off<T: Any + Send>(
        &self,
        until: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> StoreError {
        self.state().until = Some(Box::pin(async { Ok(Box::new(until.await?) as Known) }));
        StoreError::PutOff
    }

    /// What came of waiting the last time, if that is a `T`.
    pub fn known<T: Any + Clone>(&self) -> Option<T> {
        self.state().known.as_deref()?.downcast_ref::<T>().cloned()
    }

    /// Waits for what the write was put off until; `false` where it was not put off.
    ///
    /// # Errors
    ///
    /// Those of the store, which looks meanwhile whether it is over.
    pub async fn over(&self) -> Result<bool, StoreError> {
        let until = self.state().until.take();
        let Some(until) = until else { return Ok(false) };
        let known = until.await?;
        self.state().known = Some(known);
        Ok(true)
    }

    // No code panics while it holds the lock, and the state is whole after every call.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Waiting").field(&self.state().until.is_some()).finish()
    }
}
