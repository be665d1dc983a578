//! Whole requests, on a service in memory.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::pagination::{CursorKey, Cursors};
use scim_core::{Config, CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
use serde_json::Value;

const TOKEN: &str = "a-token";
const BASE: &str = "/scim/v2";

type Provider = Service<MemoryStore, StaticTokens>;

/// Any request gets an answer that is SCIM: a proper status, an error with its parts, JSON where
/// there is a body. Without the token it is 401 and nothing changes; with it, it is not; and
/// reading changes nothing. Nor does a bulk request of which every operation is refused.
///
/// # Panics
///
/// If a property does not hold.
pub fn http_request(data: &[u8]) {
    let Some(request) = parse(data) else { return };
    let service = provider();
    let before = snapshot(&service);

    let mut anonymous = request.clone();
    anonymous.headers_mut().remove(http::header::AUTHORIZATION);
    let response = ready(service.call(anonymous));
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "answered without a token");
    assert!(response.headers().contains_key(http::header::WWW_AUTHENTICATE));
    check(&response, request.method());
    assert_eq!(snapshot(&service), before, "changed without a token");

    let sent = request.headers().get_all(http::header::AUTHORIZATION).iter().collect::<Vec<_>>();
    let allowed = matches!(sent.as_slice(), [header] if is_ours(header));
    let response = ready(service.call(request.clone()));
    assert_eq!(response.status() == StatusCode::UNAUTHORIZED, !allowed, "the token decides");
    check(&response, request.method());
    let refused = !response.status().is_success() || is_refused_bulk(&response);
    if !allowed || matches!(*request.method(), Method::GET | Method::HEAD) || refused {
        assert_eq!(snapshot(&service), before, "changed by a request that must not");
    }
}

fn is_ours(header: &HeaderValue) -> bool {
    let Ok(text) = header.to_str() else { return false };
    let text = text.trim();
    text.split_once(' ')
        .is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && token.trim() == TOKEN)
}

/// Whether this is the answer to a bulk request of which every operation was refused. Those of any
/// bulk request have a status, and where that is an error, its body.
fn is_refused_bulk(response: &Response<Bytes>) -> bool {
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let schema = body.pointer("/schemas/0").and_then(Value::as_str);
    let is_bulk = schema == Some("urn:ietf:params:scim:api:messages:2.0:BulkResponse");
    let results = body.get("Operations").and_then(Value::as_array);
    let Some(results) = results.filter(|_| is_bulk) else { return false };
    results.iter().fold(true, |refused, result| {
        let status = result["status"].as_str().and_then(|status| status.parse::<u16>().ok());
        let status = status.expect("each result has a status");
        assert!((200..500).contains(&status) || status == 501, "{result}");
        if (200..300).contains(&status) {
            return false;
        }
        assert_eq!(result.pointer("/response/status"), result.get("status"), "{result}");
        refused
    })
}

/// What holds of every answer.
fn check(response: &Response<Bytes>, method: &Method) {
    let status = response.status();
    assert!(!status.is_server_error() || status == StatusCode::NOT_IMPLEMENTED, "{status}");
    if method == Method::HEAD {
        assert!(response.body().is_empty(), "HEAD with a body");
        return;
    }
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        assert!(response.body().is_empty(), "{status} with a body");
        return;
    }
    assert_eq!(
        response.headers().get(http::header::CONTENT_TYPE).map(HeaderValue::as_bytes),
        Some(&b"application/scim+json"[..])
    );
    let body: Value = serde_json::from_slice(response.body()).expect("the body is JSON");
    let schemas = body.get("schemas").and_then(Value::as_array).expect("`schemas` is always there");
    assert!(!schemas.is_empty());
    if !status.is_success() {
        assert!(schemas.contains(&"urn:ietf:params:scim:api:messages:2.0:Error".into()), "{body}");
        assert_eq!(body.get("status").and_then(Value::as_str), Some(status.as_str()), "{body}");
        assert!(body.get("detail").and_then(Value::as_str).is_some_and(|detail| !detail.is_empty()));
    }
    if status == StatusCode::CREATED {
        let location = body.pointer("/meta/location").and_then(Value::as_str).map(str::as_bytes);
        assert!(location.is_some_and(|it| it.starts_with(b"https://scim.example.com/scim/v2/")), "{body}");
        assert_eq!(response.headers().get(http::header::LOCATION).map(HeaderValue::as_bytes), location);
    }
}

/// A service with a few users and a group, each named by its place: `1`, `2`, …
fn provider() -> Provider {
    let principal = Principal { tenant: TenantId::new("t"), credential: CredentialId::new("c") };
    let secret = Secret::new(TOKEN).expect("the token is not blank");
    let count = AtomicU64::new(1);
    let environment = Environment::new(
        || "2026-01-01T00:00:00Z".parse().expect("a time"),
        move || ResourceId::new(count.fetch_add(1, Ordering::Relaxed).to_string()),
    );
    let key = CursorKey::new([7; CursorKey::LEAST]).expect("long enough");
    let config = Config {
        cursors: Some(Cursors::new(key)),
        ..Config::new("https://scim.example.com/scim/v2".parse().expect("a URL"))
    };
    let service =
        Service::new(MemoryStore::new(), StaticTokens::new().with(secret, principal), config, environment);
    for (path, body) in [
        (
            "/Users",
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"alex@example.com","externalId":"3","emails":[{"value":"alex@example.com","type":"work","primary":true}]}"#,
        ),
        (
            "/Users",
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"blair@example.com","name":{"givenName":"Blair"}}"#,
        ),
        (
            "/Groups",
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Team","members":[{"value":"1"},{"value":"2"}]}"#,
        ),
    ] {
        let request = Request::post(format!("{BASE}{path}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .body(Bytes::from_static(body.as_bytes()))
            .expect("a request");
        assert_eq!(ready(service.call(request)).status(), StatusCode::CREATED);
    }
    service
}

/// Everything a client can read.
fn snapshot(service: &Provider) -> Vec<Bytes> {
    ["/Users", "/Groups"]
        .map(|path| {
            let request = Request::get(format!("{BASE}{path}"))
                .header("authorization", format!("Bearer {TOKEN}"))
                .body(Bytes::new())
                .expect("a request");
            ready(service.call(request)).into_body()
        })
        .into()
}

/// A request as HTTP/1.1 writes it; line ends may lack their carriage return.
fn parse(data: &[u8]) -> Option<Request<Bytes>> {
    let mut rest = data;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at(end);
        rest = after.get(1..)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    };
    let mut words = line()?.split(|byte| *byte == b' ');
    let (method, target) = (words.next()?, words.next()?);
    let mut request = Request::builder().method(method).uri(target);
    loop {
        match line()? {
            [] => break,
            header => {
                let colon = header.iter().position(|byte| *byte == b':')?;
                let (name, value) = header.split_at(colon);
                let name = HeaderName::from_bytes(name).ok()?;
                let value = HeaderValue::from_bytes(value.get(1..)?.trim_ascii()).ok()?;
                request = request.header(name, value);
            }
        }
    }
    request.body(Bytes::copy_from_slice(rest)).ok()
}

/// The output of a future that never waits, as none does over a store in memory.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a service over memory waits for nothing"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// What a seed tries must reach the service.
    #[test]
    fn the_seeds_are_requests() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/http_request");
        let unread: Vec<_> = std::fs::read_dir(corpus)
            .expect("is there")
            .map(|entry| entry.expect("can be read").path())
            .filter(|path| super::parse(&std::fs::read(path).expect("can be read")).is_none())
            .collect();
        assert!(unread.is_empty(), "no requests: {unread:?}");
    }
}
