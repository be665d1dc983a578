//! Feature `tower`: a [`Service`] as a [`tower_service::Service`], which axum, hyper and tonic mount
//! as it is.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;

use crate::auth::Authenticator;
use crate::policy::Policy;
use crate::service::ResponseBody;
use crate::service::respond::respond;
use crate::{Error, Service, Store};

/// A [`Service`] to mount; clones share it. In one line each, where `scim` is a [`Service`]:
///
/// | | |
/// |---|---|
/// | axum 0.8 | `axum::Router::new().fallback_service(scim.into_tower())` |
/// | hyper 1 | `hyper_util::service::TowerToHyperService::new(scim.into_tower())` |
/// | tonic 0.14 | `routes.into_axum_router().fallback_service(scim.into_tower())`, beside its gRPC services |
///
/// All three are run by `examples/tests/mounts.rs`.
///
/// It answers [in pieces](Service::call_in_pieces). It reads a body within the service's limit,
/// [`collect`]s it, that is, and does not bound the time this takes: deadlines belong to the server, which
/// has the clock. A server drops the future of a request when its client leaves; what that means,
/// [`service`](crate::service#requests-that-are-dropped) says.
///
/// ```
/// use scim_core::auth::StaticTokens;
/// use scim_core::{Config, Environment, MemoryStore, ResourceId, Service};
/// use tower_service::Service as _;
///
/// let environment = Environment::new(|| jiff::Timestamp::UNIX_EPOCH, || ResourceId::new("1"));
/// let config = Config::new("https://example.com/scim/v2".parse()?);
/// let service = Service::new(MemoryStore::new(), StaticTokens::new(), config, environment);
/// let mut tower = service.into_tower();
/// let request = http::Request::new(String::new());
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// assert_eq!(tower.call(request).await.unwrap().status(), 401);
/// # });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TowerService<S, A, P> {
    service: Arc<Service<S, A, P>>,
}

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    /// The service in the form that axum, hyper and tonic mount, as with axum's `fallback_service`.
    pub fn into_tower(self) -> TowerService<S, A, P> {
        TowerService { service: Arc::new(self) }
    }
}

impl<S, A, P, B> tower_service::Service<Request<B>> for TowerService<S, A, P>
where
    S: Store,
    A: Authenticator,
    P: Policy,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Send,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = Arc::clone(&self.service);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            Ok(match collect(body, service.config().max_body_bytes()).await {
                Ok(body) => service.call_in_pieces(Request::from_parts(head, body)).await,
                Err(_) => {
                    let error = Error::new(StatusCode::BAD_REQUEST, "the request body broke off");
                    respond(error.status(), Some(&error.to_value())).map(ResponseBody::from)
                }
            })
        })
    }
}

impl<S, A, P> Clone for TowerService<S, A, P> {
    fn clone(&self) -> Self {
        Self { service: Arc::clone(&self.service) }
    }
}

impl<S, A, P> fmt::Debug for TowerService<S, A, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerService").finish_non_exhaustive()
    }
}

/// Reads `body`; of one longer than `limit`, one byte more than that: [`Service::call`] answers it
/// with 413 in its place among the other checks, so that who has no credential is told 401.
///
/// # Errors
///
/// The body's own: the client went away.
pub async fn collect<B>(body: B, limit: usize) -> Result<Bytes, B::Error>
where
    B: http_body::Body<Data = Bytes>,
{
    let enough = limit.saturating_add(1);
    let mut body = std::pin::pin!(body);
    let mut collected = BytesMut::new();
    let mut surplus = 0;
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame?.into_data() else { continue };
        let rest = data.split_off(data.len().min(enough - collected.len()));
        collected.extend_from_slice(&data);
        surplus += rest.len();
        if surplus > MAX_SURPLUS {
            break;
        }
    }
    Ok(collected.freeze())
}

/// Bytes over the limit that are read and thrown away. Many clients look for the answer only after
/// they have sent all; a connection closed on them before shows as a broken pipe, not as 413.
const MAX_SURPLUS: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    #[test]
    fn a_body_is_read_to_one_byte_over_the_limit() {
        let read = |length: usize| {
            let body = Full::new(Bytes::from(vec![b'x'; length]));
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(collect(body, 10)).unwrap().len()
        };
        assert_eq!([read(0), read(10), read(11), read(12), read(100_000)], [0, 10, 11, 11, 11]);
    }
}
