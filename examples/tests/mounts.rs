//! A service mounted in axum, hyper and tonic, each in one line, as `scim_core::tower` says.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use axum::Router;
use axum::routing::get;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{Config, CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
use tokio::net::TcpListener;

fn service() -> Service<MemoryStore, StaticTokens> {
    let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") };
    let tokens = StaticTokens::new().with(Secret::new("s3cr3t").unwrap(), principal);
    let config = Config::new("https://example.com/scim/v2".parse().unwrap());
    Service::new(
        MemoryStore::new(),
        tokens,
        config,
        Environment::new(jiff::Timestamp::now, || ResourceId::new("1")),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn in_axum_beside_routes_of_ones_own() {
    let router: Router =
        Router::new().route("/health", get(async || "well")).fallback_service(service().into_tower());
    let (listener, address) = listen().await;
    tokio::spawn(async { axum::serve(listener, router).await });
    creates_and_reads(address).await;
    assert!(send(address, "GET", "/health", None).await.ends_with("well"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn in_hyper() {
    let (listener, address) = listen().await;
    let service = TowerToHyperService::new(service().into_tower());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service.clone());
            tokio::spawn(connection);
        }
    });
    creates_and_reads(address).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn in_tonic_beside_grpc() {
    let grpc = tonic::service::Routes::default();
    let router = grpc.into_axum_router().fallback_service(service().into_tower());
    let (listener, address) = listen().await;
    tokio::spawn(async { axum::serve(listener, router).await });
    creates_and_reads(address).await;
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn creates_and_reads(address: SocketAddr) {
    let body = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"babs"}"#;
    let created = send(address, "POST", "/scim/v2/Users", Some(body)).await;
    assert!(created.starts_with("HTTP/1.1 201 "), "{created}");
    assert!(
        created.to_lowercase().contains("location: https://example.com/scim/v2/users/1\r\n"),
        "{created}"
    );
    let read = send(address, "GET", "/scim/v2/Users/1", None).await;
    assert!(read.starts_with("HTTP/1.1 200 ") && read.contains(r#""userName":"babs""#), "{read}");
    // More than a body may have is 413 here as well, and not a connection that breaks off.
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(2 << 20));
    let refused = send(address, "POST", "/scim/v2/Users", Some(&long)).await;
    assert!(refused.starts_with("HTTP/1.1 413 "), "{refused}");
}

/// The whole answer to a request.
async fn send(address: SocketAddr, method: &str, path: &str, body: Option<&str>) -> String {
    let body = body.unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer s3cr3t\r\n\
         Content-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let exchange = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}
