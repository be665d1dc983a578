//! The body of a request, read when it is asked for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use crate::Error;

/// The body of a request that [`Service::call_in_pieces`](super::Service::call_in_pieces) answers: bytes that are there,
/// or what reads them.
///
/// A body that is to be [read](Self::read_by) is read once the client is known, the endpoint is one of the service, and
/// the method is one of the endpoint. So who has no credential is told 401 before anything of the body is kept, however
/// long it is announced to be. A body that is not read is dropped with the request: what then becomes of the connection is
/// the server's matter.
pub struct RequestBody(Source);

enum Source {
    Here(Bytes),
    Later(Pin<Box<dyn Future<Output = Result<Bytes, Error>> + Send>>),
}

impl RequestBody {
    /// A body that `read` gives. An error is what the client is answered.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use scim_core::auth::StaticTokens;
    /// use scim_core::service::RequestBody;
    /// use scim_core::{Config, Environment, MemoryStore, ResourceId, Service};
    ///
    /// let environment = Environment::new(|| jiff::Timestamp::UNIX_EPOCH, || ResourceId::new("1"));
    /// let config = Config::new("https://example.com/scim/v2".parse()?);
    /// let service = Arc::new(Service::new(MemoryStore::new(), StaticTokens::new(), config, environment));
    /// let body = RequestBody::read_by(async { unreachable!("of a client without a credential nothing is read") });
    /// let request = http::Request::post("/scim/v2/Users").body(body)?;
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// assert_eq!(service.call_in_pieces(request).await.status(), 401);
    /// # });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_by(read: impl Future<Output = Result<Bytes, Error>> + Send + 'static) -> Self {
        Self(Source::Later(Box::pin(read)))
    }

    pub(super) async fn read(self) -> Result<Bytes, Error> {
        match self.0 {
            Source::Here(bytes) => Ok(bytes),
            Source::Later(read) => read.await,
        }
    }
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self(Source::Here(bytes))
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Here(_) => "Here",
            Source::Later(_) => "Later",
        })
    }
}
