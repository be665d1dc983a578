//! A verdict is worth something only if it can be bad: servers with one fault each, and what is said of them.

use crate::support::{After, Before, Faults, Habits, Server, TOKEN, run};
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::replay;

/// Faults in answers: what the server does, which script is run, what must be said.
const ANSWERS: &[(&str, After, &str, &str)] = &[
    (
        "itemsPerPage is the page size asked for",
        |line, _, body| {
            if is_list(body) && line.contains("count=100") {
                body["itemsPerPage"] = json!(100);
            }
        },
        "--as okta",
        "assign users / look up before create: `itemsPerPage` is 100 but 0 resources were returned",
    ),
    (
        "totalResults is a string",
        |_, _, body| {
            if is_list(body) {
                body["totalResults"] = json!(body["totalResults"].to_string());
            }
        },
        "--as onelogin",
        "test connection / look up nobody: `totalResults` is `\"0\"`, not an integer",
    ),
    (
        "a search without result is a 404, which Entra does not take",
        |line, parts, body| {
            if is_list(body) && line.contains("filter=") && body["totalResults"] == 0 {
                parts.status = StatusCode::NOT_FOUND;
                *body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "404"});
            }
        },
        "--as entra",
        "test connection / query a user who is not there: status 404 where 200 is needed",
    ),
    (
        "the password is shown",
        |line, _, body| {
            if line.starts_with("POST") && line.ends_with("/Users") {
                body["password"] = json!("x");
            }
        },
        "--as okta",
        "assign users / create: `password` is shown",
    ),
    (
        "a duplicate is a server error",
        |_, parts, _| {
            if parts.status == StatusCode::CONFLICT {
                parts.status = StatusCode::INTERNAL_SERVER_ERROR;
            }
        },
        "--as jumpcloud",
        "create users / create a duplicate: status 500 where 409 is needed",
    ),
    (
        "an update changes the id",
        |line, _, body| {
            if line.starts_with("PUT") {
                body["id"] = json!("other");
            }
        },
        "--as onelogin",
        "update users / update user: `id` is `\"other\"` and was `",
    ),
    (
        "the creation has no body",
        |line, parts, body| {
            if line.starts_with("POST") && parts.status == StatusCode::CREATED {
                *body = Value::Null;
            }
        },
        "--as okta",
        "assign users / create: a 201 without a body",
    ),
    (
        "the creation has no id",
        |line, _, body| {
            if line.starts_with("POST") {
                body.as_object_mut().unwrap().remove("id");
            }
        },
        "--as entra",
        "create users / create user: `id` is not a non-empty string",
    ),
    (
        "the media type is HTML",
        |_, parts, _| {
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        },
        "--as entra",
        "test connection / discover schemas: `Content-Type` is `text/html`, not `application/scim+json` or `application/json`",
    ),
    (
        "booleans are strings",
        |_, _, body| {
            if body.get("active").is_some() {
                body["active"] = json!("False");
            }
        },
        "--as jumpcloud",
        "create users / create user: `active` is `\"False\"`, not `true`",
    ),
    (
        "members are shown though excluded",
        |line, _, body| {
            if line.contains("excludedAttributes=members") && !is_list(body) {
                body["members"] = json!([]);
            }
        },
        "--as entra",
        "create groups / get group without members: `members` is shown",
    ),
    (
        "a member is missing",
        |line, _, body| {
            if line.starts_with("GET")
                && let Some(members) = body.get_mut("members").and_then(Value::as_array_mut)
            {
                members.pop();
            }
        },
        "--as okta",
        "push groups / read the group back: 1 members where 2 were expected: 1 missing, 0 too many",
    ),
    (
        "a deletion is a 200",
        |line, parts, body| {
            if line.starts_with("DELETE") && parts.status == StatusCode::NO_CONTENT {
                parts.status = StatusCode::OK;
                *body = json!({});
            }
        },
        "--as onelogin",
        "delete users / delete user: status 200 where 204 is needed",
    ),
    (
        "a deleted user is still there",
        |line, parts, body| {
            if line.starts_with("GET") && parts.status == StatusCode::NOT_FOUND {
                parts.status = StatusCode::OK;
                *body = json!({});
            }
        },
        "--as onelogin",
        "delete users / the user is gone: status 200 where 404 is needed",
    ),
    (
        "the error has another status inside",
        |_, _, body| {
            if body.get("status").is_some() {
                body["status"] = json!("400");
            }
        },
        "--as okta",
        "assign users / create a duplicate: `status` in the error is `\"400\"` and 409 on the wire",
    ),
];

/// Faults in what is done: what the server does with a request, which script, what must be said.
const DEEDS: &[(&str, Before, &str, &str)] = &[
    (
        "the filter is ignored, and everybody is found",
        |request| {
            if request.method() == Method::GET && request.uri().path().ends_with("/Users") {
                *request.uri_mut() = "/scim/v2/Users".parse().unwrap();
            }
            None
        },
        "--as okta",
        "assign users / look up before create: 1 resources of 1 where none was expected",
    ),
    (
        "a PATCH changes nothing",
        |request| (request.method() == Method::PATCH).then(|| bare(StatusCode::NO_CONTENT)),
        "--as entra",
        "disable users / get the disabled user: `active` is `true`, not `false`",
    ),
    (
        "a PATCH of members changes nothing",
        |request| {
            let of_group = request.uri().path().contains("/Groups/");
            (request.method() == Method::PATCH && of_group).then(|| bare(StatusCode::NO_CONTENT))
        },
        "--as jumpcloud",
        "create groups / read the group back: 0 members where 2 were expected: 2 missing, 0 too many",
    ),
    (
        "removing one member empties the group",
        |request| {
            let body = String::from_utf8_lossy(request.body()).into_owned();
            if body.contains("\"Remove\"") && body.contains("members") {
                let all = json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                    "Operations": [{"op": "remove", "path": "members"}],
                });
                *request.body_mut() = Bytes::from(all.to_string());
                request.headers_mut().remove(header::CONTENT_LENGTH);
            }
            // What Entra adds again afterwards would hide it.
            let again = body.contains("\"Add\"") && !body.contains("$ref") && body.contains("members");
            again.then(|| bare(StatusCode::NO_CONTENT))
        },
        "--as entra",
        "change memberships / read the group back: 0 members where 2 were expected",
    ),
    (
        "PATCH is not implemented",
        |request| (request.method() == Method::PATCH).then(|| bare(StatusCode::NOT_IMPLEMENTED)),
        "--as jumpcloud",
        "deactivate users / patch names and `active`: status 501 where 200 or 204 is needed",
    ),
    (
        "PUT is a PATCH: what is left out stays",
        |request| {
            let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            (request.method() == Method::PUT && body["emails"].is_null()).then(|| {
                let shown = json!({
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": body["id"],
                    "title": "Captain", "emails": [{"type": "work", "value": "a@example.com"}],
                });
                let mut response = Response::new(Bytes::from(shown.to_string()));
                let scim = HeaderValue::from_static("application/scim+json");
                response.headers_mut().insert(header::CONTENT_TYPE, scim);
                response
            })
        },
        "--as jumpcloud",
        "update users / put with `emails` null: `emails` is `[{\"type\":\"work\",\"value\":\"a@example.com\"}]`, not `null`",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_an_answer_is_found() {
    for (fault, after, arguments, expected) in ANSWERS {
        let faults = Faults { after: Some(*after), ..Faults::default() };
        found(fault, faults, arguments, expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_a_deed_is_found() {
    for (fault, before, arguments, expected) in DEEDS {
        let faults = Faults { before: Some(*before), ..Faults::default() };
        found(fault, faults, arguments, expected).await;
    }
}

async fn found(fault: &str, faults: Faults, arguments: &str, expected: &str) {
    let server = Server::start(Habits::Generic, faults).await;
    let run = server.run(&format!("{arguments} --users 4 --groups 2 --seed 7")).await;
    assert!(!run.passed, "{fault}: {}", run.text);
    assert_eq!(run.report["passed"], false);
    let differences = run.differences();
    let named = differences.iter().any(|difference| difference.starts_with(expected));
    assert!(named, "{fault}: no `{expected}` in {differences:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_one_identity_provider_takes_is_none_for_it() {
    let page: After = |line, _, body| {
        if is_list(body) && line.contains("filter=") {
            body["itemsPerPage"] = json!(20);
        }
    };
    let server = Server::start(Habits::Generic, Faults { after: Some(page), before: None }).await;
    assert!(server.run("--as entra").await.passed, "Microsoft's own sample has 20 on every page");
    assert!(!server.run("--as okta").await.passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn pagerduty_that_keeps_a_deactivated_user_is_found() {
    let server = Server::start(Habits::Generic, Faults::default()).await;
    let run = server.run("--as okta --users 1 --profile pagerduty").await;
    let expected = "deactivate users / deactivate: status 200 where 204 is needed";
    assert!(run.differences().iter().any(|difference| difference == expected), "{:#?}", run.differences());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_run_made_is_deleted() {
    let before: Before =
        |request| (request.method() == Method::PATCH).then(|| bare(StatusCode::INTERNAL_SERVER_ERROR));
    let server = Server::start(Habits::Generic, Faults { before: Some(before), after: None }).await;
    let run = server.run("--as okta --users 3 --groups 2").await;
    assert!(!run.passed);
    assert_eq!((server.count("/Users").await, server.count("/Groups").await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_shows_in_the_table_with_its_source() {
    let after: After = |line, parts, _| {
        if line.starts_with("DELETE") {
            parts.status = StatusCode::ACCEPTED;
        }
    };
    let server = Server::start(Habits::Generic, Faults { after: Some(after), before: None }).await;
    let (outcome, text) = run(&server.url, TOKEN, "--as entra --users 2").await.unwrap();
    assert_eq!(outcome, replay::Outcome::Differed);
    assert!(text.contains("DIFFERS in 2 of 2"), "{text}");
    assert!(text.contains("What differs from what entra needs:"), "{text}");
    assert!(text.contains("status 202 where 204 is needed"), "{text}");
    assert!(text.contains("source: Microsoft Learn"), "{text}");
    assert!(text.contains("FAILED as entra against"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_or_echoed_is_not_printed() {
    let server = Server::start(Habits::Generic, Faults::default()).await;
    let refused = run(&server.url, "wrong-token-51c2", "--as okta").await.unwrap_err();
    assert_eq!(refused.to_string(), "the server refuses the token: 401 on GET /ResourceTypes");

    let echo: Before = |request| {
        let told = request.headers()[header::AUTHORIZATION].to_str().unwrap().to_owned();
        let error = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "500", "detail": told,
        });
        let mut response = Response::new(Bytes::from(error.to_string()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        Some(response)
    };
    let server = Server::start(Habits::Generic, Faults { before: Some(echo), after: None }).await;
    for format in ["", "--json"] {
        let (outcome, text) = run(&server.url, TOKEN, &format!("--as okta {format}")).await.unwrap();
        assert_eq!(outcome, replay::Outcome::Differed);
        assert!(text.contains("Bearer [redacted]"), "{text}");
        assert!(!text.contains(TOKEN), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_an_error_that_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/scim/v2", listener.local_addr().unwrap());
    drop(listener);
    let error = run(&url, TOKEN, "--as jumpcloud").await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("no answer from {url}: ")), "{error}");
    assert!(
        error.ends_with("nobody listens there: the server is probably not started, or has another port"),
        "{error}"
    );
    for (url, expected) in [
        ("ftp://example.com", "`ftp://example.com` is not an http or https URL"),
        (
            "https://example.com?aadOptscim062020",
            "`https://example.com?aadOptscim062020` has a query, which no base URL has; for Entra ID's flag there is --entra-flag",
        ),
        ("nowhere", "`nowhere` is not a URL"),
    ] {
        assert_eq!(run(url, TOKEN, "--as okta").await.unwrap_err().to_string(), expected);
    }
}

/// Where every request is answered alike, the last line says what is probably wrong; elsewhere there is none.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_everything_is_said_in_a_line() {
    let server = Server::start(Habits::Generic, Faults::default()).await;
    let origin = server.url.trim_end_matches("/scim/v2");
    let elsewhere: Before = |_| Some(bare(StatusCode::NOT_FOUND));
    let nowhere = Server::start(Habits::Generic, Faults { before: Some(elsewhere), after: None }).await;
    let nowhere = nowhere.url.trim_end_matches("/scim/v2");
    let found = format!(": a SCIM service answers at `{}`, which is probably the base URL", server.url);
    let lacks = "probably lacks the path of the service, such as `/scim/v2`";
    for (url, expected) in [
        (origin.to_owned(), format!("404{found}")),
        (format!("{origin}/scim"), format!("404{found}")),
        (format!("{}/Users", server.url), format!("404 or 405{found}")),
        (nowhere.to_owned(), format!("404: the base URL `{nowhere}` {lacks}")),
        (format!("{nowhere}/scim/v2"), "404: `/scim/v2` is probably not the path of the service".to_owned()),
    ] {
        for idp in ["okta", "entra", "onelogin", "jumpcloud"] {
            let (outcome, text) = run(&url, TOKEN, &format!("--as {idp}")).await.unwrap();
            assert_eq!(outcome, replay::Outcome::Differed);
            let expected = format!("every request for users and groups was answered {expected}");
            assert_eq!(text.lines().last(), Some(expected.as_str()), "{idp} {url}: {text}");
        }
    }
    // The discovery documents are for everybody, the rest is for those who have the token.
    for (status, expected) in [
        (
            401,
            "every request for users and groups was answered 401: the token is probably not one of this service, or has ended",
        ),
        (
            403,
            "every request for users and groups was answered 403: the token is probably not permitted to provision",
        ),
    ] {
        let before: Before = match status {
            401 => |request| is_of_resources(request).then(|| bare(StatusCode::UNAUTHORIZED)),
            _ => |request| is_of_resources(request).then(|| bare(StatusCode::FORBIDDEN)),
        };
        let server = Server::start(Habits::Generic, Faults { before: Some(before), after: None }).await;
        assert_eq!(server.run("--as okta").await.report["advice"], expected);
        let (_, text) = run(&server.url, TOKEN, "--as entra").await.unwrap();
        assert_eq!(text.lines().last(), Some(expected), "{text}");
    }
    // Some are, and others are not.
    let creations: Before = |request| (request.method() == Method::POST).then(|| bare(StatusCode::NOT_FOUND));
    let server = Server::start(Habits::Generic, Faults { before: Some(creations), after: None }).await;
    let run = server.run("--as okta").await;
    assert!(!run.passed && run.report["advice"].is_null(), "{}", run.text);
}

fn is_of_resources(request: &http::Request<Bytes>) -> bool {
    ["/Users", "/Groups"].iter().any(|kind| request.uri().path().contains(kind))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_given_up() {
    // Answers the discovery and the tests of the connection, then hangs up on everybody.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/scim/v2", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answers in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            if answers < 3 {
                let body = json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                    "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": [{"name": "Group"}],
                })
                .to_string();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/scim+json\r\nConnection: close";
                let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    let (outcome, text) = run(&url, TOKEN, "--as okta --users 50 --timeout 5 --json").await.unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(outcome, replay::Outcome::Differed);
    assert_eq!(report["gone"], true, "{text}");
    assert!(report["steps"].as_array().unwrap().len() < 10, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_too_slow_is_not_waited_for() {
    let slow: Before = |request| {
        if request.method() == Method::POST {
            std::thread::sleep(std::time::Duration::from_secs(5));
        }
        None
    };
    let server = Server::start(Habits::Generic, Faults { before: Some(slow), after: None }).await;
    let run = server.run("--as okta --users 1 --groups 0 --timeout 4").await;
    let differences = run.differences();
    assert!(differences[0].starts_with("assign users / create: no answer from "), "{differences:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_is_waited_for() {
    static ASKED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let busy: Before = |request| {
        let first =
            request.method() == Method::POST && ASKED.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        first.then(|| {
            let mut response = bare(StatusCode::TOO_MANY_REQUESTS);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("0"));
            response
        })
    };
    let server = Server::start(Habits::Generic, Faults { before: Some(busy), after: None }).await;
    let run = server.run("--as okta --users 1 --groups 0").await;
    assert!(run.passed, "{:#?}", run.differences());
}

#[test]
fn the_command_line_is_checked() {
    let exit = |line: &str| {
        let arguments: Vec<_> = line.split_whitespace().map(Into::into).collect();
        replay::run(arguments, &mut Vec::new()).unwrap()
    };
    assert_eq!(exit("idp --help"), replay::Outcome::Usage(0));
    assert_eq!(exit("idp --as azure --url http://x --token t"), replay::Outcome::Usage(2));
    assert_eq!(exit("idp --as okta --url http://x --token t --users 0"), replay::Outcome::Usage(2));
}

fn is_list(body: &Value) -> bool {
    body.get("Resources").is_some() && body.get("totalResults").is_some()
}

fn bare(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
