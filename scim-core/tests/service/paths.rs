//! Every spelling of a path is authenticated first, and routed as what it decodes to, once.

use bytes::Bytes;
use http::Request;
use serde_json::json;

use crate::support::{request, server, server_with, user};

/// Spellings around `/Users/id-1`, and what a credential gets for them.
const SPELLINGS: &[(&str, u16)] = &[
    ("/scim/v2/Users/id-1", 200),
    ("/scim/v2/%55sers/id-1", 200),
    ("/scim/v2/Users/%69d-1", 200),
    ("/%73cim/v2/Users/id-1", 200),
    ("/scim/v2/Users", 200),
    ("/scim/v2/Users/", 404),
    ("/scim/v2/Users/id-1/", 404),
    ("/scim/v2//Users/id-1", 404),
    ("/scim//v2/Users/id-1", 404),
    ("//scim/v2/Users/id-1", 404),
    ("/scim/v2/Users//id-1", 404),
    ("/scim/v2/Users%2Fid-1", 404),
    ("/scim/v2/Users%2fid-1", 404),
    ("/scim/v2%2FUsers/id-1", 404),
    ("/scim/v2/Users/%69d-1%2F", 404),
    ("/scim/v2/Users/id-1%00", 404),
    ("/scim/v2/Users/%2569d-1", 404),
    ("/scim/v2/./Users/id-1", 404),
    ("/scim/v2/Users/../Users/id-1", 404),
    ("/scim/v2/%2e/Users/id-1", 404),
    ("/scim/v2/%2e%2E/v2/Users/id-1", 404),
    ("/scim/v2/Users/id-1/.", 404),
    ("/scim/v2/Users;x=1/id-1", 404),
    ("/scim/v2/users/id-1", 404),
    ("/scim/v2/Users/ID-1", 404),
    ("/scim/v2/Users/id-1/name", 404),
    ("/scim/v2/Users/%ff", 404),
    ("/scim/v2/Users/id-1%", 404),
    ("/scim/v2/Users\\id-1", 404),
    ("/scim/v2/Users/%5Cid-1", 404),
    ("/scim/v2", 200),
    ("/scim/v2/", 200),
    ("/scim/v2//", 404),
    ("/scim/v2/.", 404),
    ("/Users/id-1", 404),
    ("/", 404),
    ("/scim/v2/Users/id-1?x=/../", 200),
];

#[test]
fn no_spelling_of_a_path_bypasses_authentication() {
    let server = server();
    server.user("bjensen");
    for (path, status) in SPELLINGS {
        let Ok(uri) = path.parse::<http::Uri>() else { continue };
        for (token, expected) in
            [(None, 401), (Some("Bearer wrong"), 401), (Some("Bearer acme-token"), *status)]
        {
            let mut request = Request::get(uri.clone());
            if let Some(token) = token {
                request = request.header("authorization", token);
            }
            let answer = server.call(request.body(Bytes::new()).unwrap());
            assert_eq!(answer.status, expected, "{path} with {token:?}");
        }
    }
}

#[test]
fn every_method_on_every_path_is_authenticated_first() {
    let server = server();
    server.user("bjensen");
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
        for path in
            ["/Users", "/Users/id-1", "/Schemas", "/ServiceProviderConfig", "/none", "", "/", "/Me", "/Bulk"]
        {
            let mut request = request(method, path, Some(json!("nonsense")));
            request.headers_mut().insert("authorization", "Bearer ".parse().unwrap());
            request.headers_mut().insert("content-type", "text/plain".parse().unwrap());
            let answer = server.call(request);
            assert_eq!(answer.status, 401, "{method} {path}");
            assert!(answer.header("www-authenticate").is_some(), "{method} {path}");
        }
    }
    assert_eq!(server.get("/Users").json()["totalResults"], 1);
}

#[test]
fn an_absolute_uri_counts_by_its_path() {
    let server = server();
    let mut request = request("GET", "/Users", None);
    *request.uri_mut() = "http://evil.example/scim/v2/Users".parse().unwrap();
    assert_eq!(server.call(request).status, 200);
}

#[test]
fn the_base_url_may_have_no_path() {
    let mut config = crate::support::config();
    config.base_url = "https://scim.example.com".parse().unwrap();
    let server = server_with(config);
    let mut request = request("POST", "", Some(user("bjensen")));
    *request.uri_mut() = "/Users".parse().unwrap();
    let answer = server.call(request);
    assert_eq!(answer.header("location"), Some("https://scim.example.com/Users/id-1"));
}

#[test]
fn wrong_methods_are_405_with_allow() {
    let mut config = crate::support::config();
    let server = server_with(config.clone());
    server.user("bjensen");
    let discovery = "GET, HEAD";
    for (method, path, allow) in [
        ("PUT", "/Users", "GET, HEAD, POST"),
        ("PATCH", "/Users", "GET, HEAD, POST"),
        ("DELETE", "/Groups", "GET, HEAD, POST"),
        ("OPTIONS", "/Users", "GET, HEAD, POST"),
        ("POST", "/Users/id-1", "GET, HEAD, PUT, PATCH, DELETE"),
        ("PROPFIND", "/Users/none", "GET, HEAD, PUT, PATCH, DELETE"),
        ("POST", "/", discovery),
        ("DELETE", "", discovery),
        ("POST", "/ServiceProviderConfig", discovery),
        ("PUT", "/ServiceProviderConfig", discovery),
        ("PATCH", "/ServiceProviderConfig", discovery),
        ("DELETE", "/ServiceProviderConfig", discovery),
        ("POST", "/ResourceTypes", discovery),
        ("DELETE", "/ResourceTypes/User", discovery),
        ("POST", "/Schemas", discovery),
        ("PATCH", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", discovery),
    ] {
        let answer = server.send(method, path, Some(json!({})));
        answer.refused(405, None, &format!("`{method}` is not a method of this endpoint, which has {allow}"));
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    config.capabilities.patch = false;
    let answer = server_with(config).send("POST", "/Users/id-1", None);
    assert_eq!(answer.header("allow"), Some("GET, HEAD, PUT, DELETE"));
}

#[test]
fn what_the_protocol_has_and_the_service_has_not_is_501() {
    let server = server();
    server.get("/Me").refused(501, None, "`/Me` is not supported");
    let mut config = crate::support::config();
    config.capabilities.patch = false;
    config.capabilities.search = false;
    config.capabilities.bulk = None;
    let server = server_with(config);
    server.user("bjensen");
    server.post("/Bulk", json!({})).refused(501, None, "`/Bulk` is not supported");
    for path in ["/.search", "/Users/.search"] {
        server.post(path, json!({})).refused(501, None, "`/.search` is not supported");
        server.get(path).refused(501, None, "`/.search` is not supported");
    }
    server.patch("/Users/id-1", json!([])).refused(501, None, "`PATCH` is not supported");
}

#[test]
fn unknown_endpoints_are_404() {
    server().get("/none").refused(404, None, "`/scim/v2/none` is no endpoint of this service");
    server().get("/Roles/1").refused(404, None, "`/scim/v2/Roles/1` is no endpoint of this service");
}
