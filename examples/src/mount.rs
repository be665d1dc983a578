//! A [`Service`] as an axum router.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{StatusCode, header};
use http_body_util::BodyExt as _;
use scim_core::auth::Authenticator;
use scim_core::policy::Policy;
use scim_core::service::BrokenOff;
use scim_core::tower::collect;
use scim_core::{Error, Service, Store};

/// A router that hands every request to `service`, whatever its path.
///
/// Bodies are read within the service's limit and within half a minute: a client that sends more,
/// or sends slowly, costs no more memory and no more time than that.
pub fn router<S: Store, A: Authenticator, P: Policy>(service: Service<S, A, P>) -> Router {
    let service = Arc::new(service);
    Router::new().fallback(move |request: Request| {
        let service = Arc::clone(&service);
        async move { answer(&service, request, BODY_TIMEOUT).await }
    })
}

async fn answer<S: Store, A: Authenticator, P: Policy>(
    service: &Arc<Service<S, A, P>>,
    request: Request,
    body_timeout: Duration,
) -> Response {
    let (parts, body) = request.into_parts();
    let limit = service.config().max_body_bytes();
    match tokio::time::timeout(body_timeout, collect(body, limit)).await {
        Ok(Ok(body)) => {
            // On the heap, once: every layer moves what it waits for.
            let response = Box::pin(service.call_in_pieces(http::Request::from_parts(parts, body))).await;
            response.map(|body| Body::new(body.map_err(log_broken_off)))
        }
        Ok(Err(_)) => refusal(StatusCode::BAD_REQUEST, "the request body ends before its announced length"),
        Err(_) => refusal(StatusCode::REQUEST_TIMEOUT, "the request body did not arrive in time"),
    }
}

/// The response has its status and its line in the log already when its store fails.
fn log_broken_off(error: BrokenOff) -> BrokenOff {
    tracing::error!(cause = std::error::Error::source(&error), "{error}");
    error
}

fn refusal(status: StatusCode, detail: &'static str) -> Response {
    let text = serde_json::to_vec(&Error::new(status, detail).to_value()).unwrap_or_default();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let scim = http::HeaderValue::from_static("application/scim+json");
    response.headers_mut().insert(header::CONTENT_TYPE, scim);
    response
}

/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use http_body_util::Channel;
    use scim_core::auth::StaticTokens;
    use scim_core::{Config, Environment, MemoryStore, ResourceId};

    use super::*;

    #[tokio::test]
    async fn a_body_that_does_not_arrive_in_time_is_408() {
        let environment = Environment::new(jiff::Timestamp::now, || ResourceId::new("1"));
        let config = Config::new("http://127.0.0.1/scim/v2".parse().unwrap());
        let service = Arc::new(Service::new(MemoryStore::new(), StaticTokens::new(), config, environment));
        let (_sender, body) = Channel::<bytes::Bytes, std::io::Error>::new(1);
        let request = Request::new(Body::new(body));
        let response = answer(&service, request, Duration::from_millis(50)).await;
        assert_eq!(response.status(), 408);
        let text = response.into_body().collect().await.unwrap().to_bytes();
        let error: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(error["detail"], "the request body did not arrive in time");
    }
}
