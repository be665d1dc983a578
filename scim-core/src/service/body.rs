//! The body of a response, written as it is read.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::Service;
use super::content::Content;
use super::resource_text::Written;
use super::text::Text;
use crate::auth::Authenticator;
use crate::policy::Policy;
use crate::store::{Store, StoreError};

/// The body of a response that [`Service::call_in_pieces`] gave.
///
/// It is written as the client takes it: while a part is not asked for, nothing is read from the
/// store, and no transaction is open. A part is about [`PART`](Self::PART) bytes.
///
/// What is shorter than that is there as a whole, with its length.
#[derive(Debug, Default)]
pub struct ResponseBody {
    state: State,
}

/// The store failed when part of the response was sent already.
///
/// The body ends with this error and without its last bytes. A server then breaks the connection off, so
/// that a client never takes what it has for the whole.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store failed while the response was sent")]
pub struct BrokenOff(#[source] Arc<StoreError>);

impl ResponseBody {
    /// The bytes that make a part.
    pub const PART: usize = 64 << 10;

    /// A body that begins with `first` and goes on with `content`.
    pub(super) fn new<S: Store, A: Authenticator, P: Policy>(
        first: Bytes,
        service: Arc<Service<S, A, P>>,
        content: Content,
        text: Text,
    ) -> Self {
        Self { state: State::Part(first, Some(Box::new(Rest { service, content, text }))) }
    }
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        Self { state: if bytes.is_empty() { State::Ended } else { State::Part(bytes, None) } }
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        loop {
            match std::mem::take(&mut self.state) {
                State::Ended => return Poll::Ready(None),
                State::Part(part, rest) => {
                    self.state = rest.map_or(State::Ended, State::Unwritten);
                    return Poll::Ready(Some(Ok(Frame::data(part))));
                }
                State::Unwritten(rest) => self.state = State::Writing(rest.next()),
                State::Writing(mut writing) => match writing.as_mut().poll(cx) {
                    Poll::Pending => {
                        self.state = State::Writing(writing);
                        return Poll::Pending;
                    }
                    written => {
                        let (part, rest) = ready!(written).map_err(|error| BrokenOff(Arc::new(error)))?;
                        self.state = State::Part(part, rest);
                    }
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Ended => SizeHint::with_exact(0),
            State::Part(part, None) => SizeHint::with_exact(part.len() as u64),
            State::Part(..) | State::Unwritten(_) | State::Writing(_) => SizeHint::default(),
        }
    }
}

#[derive(Default)]
enum State {
    #[default]
    Ended,
    /// A part to be sent, and what comes behind it.
    Part(Bytes, Option<Box<dyn Unwritten>>),
    Unwritten(Box<dyn Unwritten>),
    Writing(NextPart),
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ended => "Ended",
            Self::Part(..) => "Part",
            Self::Unwritten(_) => "Unwritten",
            Self::Writing(_) => "Writing",
        })
    }
}

/// What is still to be written, whatever the types of its service.
trait Unwritten: Send {
    fn next(self: Box<Self>) -> NextPart;
}

/// The next part, and what comes behind it.
type NextPart = Pin<Box<dyn Future<Output = Result<(Bytes, Option<Box<dyn Unwritten>>), StoreError>> + Send>>;

struct Rest<S, A, P> {
    service: Arc<Service<S, A, P>>,
    content: Content,
    text: Text,
}

impl<S: Store, A: Authenticator, P: Policy> Unwritten for Rest<S, A, P> {
    fn next(mut self: Box<Self>) -> NextPart {
        Box::pin(async move {
            let Self { service, content, text } = &mut *self;
            let written = content.write(service, text, ResponseBody::PART).await?;
            let part = text.take();
            let rest: Option<Box<dyn Unwritten>> = match written {
                Written::Part => Some(self),
                Written::All => None,
            };
            Ok((part, rest))
        })
    }
}
