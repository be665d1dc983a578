//! `/Me`, an alias of the resource that the credential stands for (RFC 7644 §3.11).

use std::collections::BTreeSet;

use scim_core::auth::{Principal, Secret, StaticTokens, Subject};
use scim_core::service::Operation;
use scim_core::{CredentialId, Environment, ExternalId, MemoryStore, ResourceId, Service, TenantId, openapi};
use serde_json::{Value, json};

use crate::support::{Answer, BASE, answer, config, encoded, ready, request, user};

type MeServer = Service<MemoryStore, StaticTokens>;

/// A service with the tokens `admin`, who is nobody, `ann`, `ext`, `one`, and `both`, each of the
/// subject of its name.
fn server() -> MeServer {
    let principal =
        |name: &str| Principal { tenant: TenantId::new("acme"), credential: CredentialId::new(name) };
    let mut tokens = StaticTokens::new();
    for name in ["admin", "ann", "ext", "one", "both", "lost"] {
        tokens = tokens.with(Secret::new(format!("{name}-token")).unwrap(), principal(name));
    }
    let other = Principal { tenant: TenantId::new("other"), credential: CredentialId::new("ann") };
    tokens = tokens
        .with(Secret::new("foreign-token").unwrap(), other)
        .with_subject(CredentialId::new("ann"), Subject::user_name("ANN"))
        .with_subject(CredentialId::new("ext"), Subject::external_id(&ExternalId::new("e\"1")))
        .with_subject(CredentialId::new("one"), Subject::user(ResourceId::new("id-1")))
        .with_subject(CredentialId::new("both"), Subject::external_id(&ExternalId::new("shared")))
        .with_subject(
            CredentialId::new("lost"),
            Subject::Resource { resource_type: "Robot".to_owned(), id: ResourceId::new("1") },
        );
    let ids = std::sync::atomic::AtomicU64::new(1);
    let environment = Environment::new(
        || "2026-01-01T00:00:00Z".parse().unwrap(),
        move || ResourceId::new(format!("id-{}", ids.fetch_add(1, std::sync::atomic::Ordering::SeqCst))),
    );
    Service::new(MemoryStore::new(), tokens, config(), environment)
}

fn send(server: &MeServer, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
    let mut request = request(method, path, body);
    request.headers_mut().insert("authorization", format!("Bearer {token}-token").parse().unwrap());
    answer(ready(server.call(request)))
}

/// Whatever the description has at the alias, and whatever the service answers there, also to conditions
/// on the version.
#[test]
fn what_is_answered_at_the_alias_is_described() {
    let document = openapi::document_with_me(&config(), "User");
    let described = document["paths"]["/Me"].as_object().unwrap();
    let (server, mut answered) = (server(), BTreeSet::new());
    let conditions =
        [Some(("if-match", "W/\"99\"")), Some(("if-none-match", "*")), Some(("if-match", "*")), None];
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "title", "value": "Guide"}],
    });
    let methods = ["post", "get", "patch", "put", "delete"];
    assert_eq!(methods.len(), described.len());
    for token in ["ann", "both", "ann"] {
        for method in methods {
            let operation = &described[method];
            let body = if method == "patch" { patch.clone() } else { user("Ann") };
            for (condition, body) in conditions.iter().flat_map(|of| [(of, json!({})), (of, body.clone())]) {
                let body = Some(body).filter(|_| !["get", "delete"].contains(&method));
                let mut request = request(&method.to_uppercase(), "/Me", body);
                let headers = request.headers_mut();
                headers.insert("authorization", format!("Bearer {token}-token").parse().unwrap());
                if let Some((name, value)) = condition {
                    headers.insert(*name, value.parse().unwrap());
                    let named = |of: &Value| of["name"].as_str().unwrap().eq_ignore_ascii_case(name);
                    let said = operation["parameters"].as_array().unwrap().iter().any(named);
                    assert_eq!(said, method != "post", "{method} {name}");
                }
                let answer = answer(ready(server.call(request)));
                let status = answer.status.as_str().to_owned();
                assert!(operation["responses"].get(&status).is_some(), "{method}: {status} {}", answer.text);
                answered.insert(format!("{method} {status}"));
            }
        }
    }
    let told: Vec<&str> = answered.iter().map(String::as_str).collect();
    for one in
        ["delete 204", "delete 404", "delete 412", "get 200", "get 304", "get 404", "get 412", "patch 200"]
    {
        assert!(told.contains(&one), "{one}: {told:?}");
    }
    for one in ["patch 400", "patch 412", "post 201", "post 403", "post 409", "put 200", "put 400", "put 412"]
    {
        assert!(told.contains(&one), "{one}: {told:?}");
    }
}

#[test]
fn every_operation_on_the_subject_can_be_asked_for_by_the_alias() {
    let server = server();
    let mut ann = user("Ann");
    ann["externalId"] = json!("e\"1");
    send(&server, "admin", "POST", "/Users", Some(ann.clone()));
    let location = format!("{BASE}/Users/id-1");
    for token in ["ann", "ext", "one"] {
        let read = send(&server, token, "GET", "/Me?attributes=userName", None);
        assert_eq!((read.status.as_u16(), read.header("location")), (200, Some(&*location)), "{token}");
        assert_eq!(read.json()["userName"], "Ann");
        assert_eq!(read.outcome.operation, Some(Operation::Read));
        assert_eq!(read.outcome.resource, Some(ResourceId::new("id-1")));
    }
    let read = send(&server, "ann", "GET", "/Me", None);
    assert_eq!(read.json()["meta"]["location"], json!(location));
    assert_eq!(read.json(), send(&server, "admin", "GET", "/Users/id-1", None).json());
    assert_eq!(read.header("etag"), Some("W/\"1\""));
    let head = send(&server, "ann", "HEAD", "/Me", None);
    assert_eq!((head.status.as_u16(), &*head.text), (200, ""));

    let operations = json!([{"op": "replace", "path": "title", "value": "Boss"}]);
    let patched = send(&server, "ann", "PATCH", "/Me", Some(crate::support::patch_op(operations)));
    assert_eq!((patched.status.as_u16(), &patched.json()["title"]), (200, &json!("Boss")));
    assert_eq!(patched.header("location"), Some(&*location));
    ann["nickName"] = json!("A");
    let replaced = send(&server, "ext", "PUT", "/Me", Some(ann.clone()));
    assert_eq!((replaced.status.as_u16(), replaced.json().get("title")), (200, None));
    assert_eq!(replaced.header("etag"), Some("W/\"3\""));

    // What is refused has the location too, and so has an answer without body.
    let mut stale = request("DELETE", "/Me", None);
    stale.headers_mut().insert("authorization", "Bearer ann-token".parse().unwrap());
    stale.headers_mut().insert("if-match", "W/\"1\"".parse().unwrap());
    let refused = answer(ready(server.call(stale)));
    assert_eq!((refused.status.as_u16(), refused.header("location")), (412, Some(&*location)));
    let again = send(&server, "ann", "POST", "/Me", Some(ann));
    assert_eq!((again.status.as_u16(), again.header("location")), (409, Some(&*location)));
    let deleted = send(&server, "one", "DELETE", "/Me", None);
    assert_eq!((deleted.status.as_u16(), deleted.header("location")), (204, Some(&*location)));
    assert_eq!(deleted.outcome.operation, Some(Operation::Delete));
    assert_eq!(send(&server, "admin", "GET", "/Users/id-1", None).status, 404);
}

#[test]
fn the_resource_of_a_credential_can_be_created_and_no_other() {
    let server = server();
    let missing = send(&server, "ann", "GET", "/Me", None);
    missing.refused(404, None, "there is no resource that the credential stands for");
    for method in ["PUT", "DELETE"] {
        let body = (method == "PUT").then(|| user("ann"));
        assert_eq!(send(&server, "ann", method, "/Me", body).status, 404, "{method}");
    }
    let other = send(&server, "ann", "POST", "/Me", Some(user("bob")));
    other.refused(403, None, "the credential does not stand for this resource, and may create no other here");
    let created = send(&server, "ann", "POST", "/Me", Some(user("ann")));
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.header("location"), Some(&*format!("{BASE}/Users/id-1")));
    assert_eq!(created.outcome.operation, Some(Operation::Create));
    assert_eq!(send(&server, "ann", "GET", "/Me", None).json(), created.json());
    // A credential that names an `id` has nothing to create: ids are the service's.
    let server = self::server();
    let refused = send(&server, "one", "POST", "/Me", Some(user("ann")));
    assert_eq!((refused.status.as_u16(), refused.header("location").is_some()), (403, true));
}

#[test]
fn who_is_nobody_or_several_is_told() {
    let server = server();
    send(&server, "admin", "GET", "/Me", None).refused(
        404,
        None,
        "there is no resource that the credential stands for",
    );
    for name in ["a", "b"] {
        let mut shared = user(name);
        shared["externalId"] = json!("shared");
        send(&server, "admin", "POST", "/Users", Some(shared));
    }
    send(&server, "both", "GET", "/Me", None).refused(
        403,
        None,
        "the credential stands for several resources",
    );
    send(&server, "ann", "TRACE", "/Me", None).refused_naming(405, None, "`TRACE`");
    // A mistake of whoever runs the service, of which a client hears nothing.
    let lost = send(&server, "lost", "GET", "/Me", None);
    assert_eq!(lost.status, 500);
    assert!(!lost.text.contains("Robot") && lost.outcome.cause.is_some());
    send(&server, "nobody", "GET", "/Me", None).refused_naming(401, None, "credential");
    // Of a path below, and in bulk, there is none.
    assert_eq!(send(&server, "ann", "GET", "/Me/x", None).status, 404);
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "DELETE", "path": "/Me"}]});
    let bulk = send(&server, "ann", "POST", "/Bulk", Some(bulk)).json();
    assert_eq!(bulk["Operations"][0]["status"], "400");
}

#[test]
fn the_subject_is_one_of_the_credentials_tenant() {
    let server = server();
    send(&server, "admin", "POST", "/Users", Some(user("ann")));
    assert_eq!(send(&server, "foreign", "GET", "/Me", None).status, 404);
    let created = send(&server, "foreign", "POST", "/Me", Some(user("ann")));
    assert_eq!(created.status, 201, "{}", created.text);
    let filter = encoded("userName eq \"ann\"");
    let list = send(&server, "admin", "GET", &format!("/Users?filter={filter}"), None).json();
    assert_eq!((&list["totalResults"], &list["Resources"][0]["id"]), (&json!(1), &json!("id-1")));
}

#[test]
fn patch_is_not_there_by_the_alias_where_it_is_not_there() {
    let mut config = config();
    config.capabilities.patch = false;
    let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("ann") };
    let tokens = StaticTokens::new()
        .with(Secret::new("acme-token").unwrap(), principal)
        .with_subject(CredentialId::new("ann"), Subject::user_name("ann"));
    let environment = Environment::new(|| jiff::Timestamp::UNIX_EPOCH, || ResourceId::new("1"));
    let server = Service::new(MemoryStore::new(), tokens, config, environment);
    assert_eq!(answer(ready(server.call(request("POST", "/Me", Some(user("ann")))))).status, 201);
    let operations = json!([{"op": "remove", "path": "title"}]);
    let patch = request("PATCH", "/Me", Some(crate::support::patch_op(operations)));
    answer(ready(server.call(patch))).refused(501, None, "`PATCH` is not supported");
}
