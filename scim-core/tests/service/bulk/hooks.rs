//! What is asked about a request is asked about each operation, and told of each.

use std::sync::{Arc, Mutex};

use http::request::Parts;
use scim_core::auth::{AuthError, Authenticator, Principal};
use scim_core::leniency::Leniency;
use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::service::Operation;
use scim_core::{
    CredentialId, Environment, Error, MemoryStore, Object, Resource, ResourceId, Service, TenantId, Value,
};
use serde_json::json;

use super::{BULK_REQUEST, patch, post_group, post_user};
use crate::support::{answer, config, ready, request, server, user};

/// Lets in whom the header `x-may` names, for the methods it names; notes what it was asked.
struct ByMethod {
    asked: Arc<Mutex<Vec<String>>>,
}

impl Authenticator for ByMethod {
    async fn authenticate(&self, head: &Parts) -> Result<Principal, AuthError> {
        let header = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap());
        let condition = header("if-match").unwrap_or_default();
        self.asked.lock().unwrap().push(format!("{} {} {condition}", head.method, head.uri));
        assert_eq!(header("if-none-match"), header("content-length").map(|_| "*"));
        let whole = head.uri.path().ends_with("ulk");
        assert_eq!(header("content-length"), whole.then_some("7"));
        let may = header("x-may").ok_or(AuthError::Missing)?;
        if !may.contains(head.method.as_str()) {
            return Err(AuthError::Forbidden);
        }
        // The tenant of a path of its own, as a service may have it.
        let tenant = if head.uri.path().ends_with("stranger") { "other" } else { "acme" };
        Ok(Principal { tenant: TenantId::new(tenant), credential: CredentialId::new("c") })
    }
}

#[test]
fn what_a_credential_may_not_do_it_may_not_do_in_bulk() {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let authenticator = ByMethod { asked: Arc::clone(&asked) };
    let environment = Environment::new(|| jiff::Timestamp::UNIX_EPOCH, || ResourceId::new("1"));
    let service = Service::new(MemoryStore::new(), authenticator, config(), environment);
    let operations = json!([
        post_user("a", "a"),
        {"method": "DELETE", "path": "/Users/bulkId:a", "version": "W/\"1\""},
        {"method": "PUT", "path": "/Users/%31", "data": user("b")},
        {"method": "PUT", "path": "/Users/stranger", "data": user("b")},
    ]);
    let mut request =
        request("POST", "/Bulk", Some(json!({"schemas": [BULK_REQUEST], "Operations": operations})));
    for (name, value) in
        [("x-may", "POST, PUT"), ("content-length", "7"), ("if-match", "\"9\""), ("if-none-match", "*")]
    {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    *request.uri_mut() = "https://host.example/scim/v2/%42ulk?x".parse().unwrap();
    let answer = answer(ready(service.call(request)));
    let results = answer.json()["Operations"].clone();
    let statuses: Vec<_> =
        results.as_array().unwrap().iter().map(|result| result["status"].clone()).collect();
    assert_eq!(statuses, ["201", "403", "200", "403"]);
    let refused = answer.outcome.operations[1].error.as_ref().unwrap();
    assert_eq!(refused.detail(), "the credential does not permit this");
    assert_eq!(results[1]["response"]["status"], "403");
    let asked = asked.lock().unwrap();
    let base = "https://host.example/scim/v2";
    assert_eq!(
        *asked,
        [
            format!("POST {base}/%42ulk?x \"9\""),
            format!("POST {base}/Users "),
            format!("DELETE {base}/Users/1 W/\"1\""),
            format!("PUT {base}/Users/%31 "),
            format!("PUT {base}/Users/stranger "),
        ]
    );
}

/// No owners; names in capitals; errors as the vendor writes them.
struct Vendor;

impl Policy for Vendor {
    fn admit(&self, _: &Context<'_>, write: Write<'_>, resource: &mut Resource) -> Result<Admission, Error> {
        let name = resource.get("userName").and_then(Value::as_str).unwrap_or_default().to_uppercase();
        if name == "OWNER" && write.current().is_none() {
            return Err(Error::new(http::StatusCode::CONFLICT, "no owners"));
        }
        resource.0.insert("title", name);
        Ok(Admission::Store)
    }

    fn may_delete(&self, _: &Context<'_>, _: &Resource) -> Result<(), Error> {
        Err(Error::new(http::StatusCode::FORBIDDEN, "nobody goes"))
    }

    fn restate(&self, error: Error) -> Error {
        match error.status() {
            http::StatusCode::CONFLICT => error.with_status(http::StatusCode::BAD_REQUEST),
            _ => error,
        }
    }

    fn render_error(&self, error: &Error) -> Value {
        let mut body = Object::new();
        body.insert("vendor", error.detail());
        body.into()
    }
}

#[test]
fn the_policy_judges_and_restates_each_operation() {
    let server = server().with_policy(Vendor);
    let bulk = server.bulk(json!([
        post_user("a", "a"),
        post_user("owner", "owner"),
        {"method": "DELETE", "path": "/Users/bulkId:a"},
        patch("/Users/bulkId:a", json!([{"op": "replace", "path": "userName", "value": "b"}])),
    ]));
    assert_eq!(bulk.statuses(), ["201", "400", "403", "200"]);
    assert_eq!(bulk.results[1]["response"], json!({"vendor": "no owners"}));
    assert_eq!(bulk.results[2]["response"], json!({"vendor": "nobody goes"}));
    assert_eq!(server.get(&format!("/Users/{}", bulk.id(0))).json()["title"], "B");
    // The embedder is told the error before it was restated.
    let error = bulk.answer.outcome.operations[1].error.as_ref().unwrap();
    assert_eq!(error.status(), 409);
}

#[test]
fn the_outcome_tells_of_each_operation_in_the_order_of_the_request() {
    let server = server();
    let message = json!({"Operations": [
        post_group("g", "g", &["bulkId:a"]),
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "a", "active": "True"}},
        patch("/Users/bulkId:a", json!([{"op": "Replace", "path": "title", "value": "x"}])),
        {"method": "DELETE", "path": "/Users/none"},
        {"method": "BREW"},
    ]});
    let bulk = server.bulk_message(message);
    assert_eq!(bulk.statuses(), ["201", "201", "200", "404", "400"]);
    let outcome = &bulk.answer.outcome;
    assert_eq!(outcome.operation, Some(Operation::Bulk));
    assert_eq!(outcome.leniencies, [Leniency::MissingSchemas]);
    assert!(outcome.error.is_none() && outcome.resource.is_none());
    let told: Vec<_> = outcome
        .operations
        .iter()
        .map(|outcome| {
            assert_eq!(outcome.principal.as_ref().unwrap().tenant.as_str(), "acme");
            let resource = outcome.resource.as_ref().map(|id| id.as_str().to_owned());
            (
                outcome.operation,
                resource,
                outcome.leniencies.clone(),
                outcome.error.as_ref().map(|e| e.status().as_u16()),
            )
        })
        .collect();
    let (group, user) = (Some(bulk.id(0)), Some(bulk.id(1)));
    assert_eq!(
        told,
        [
            (Some(Operation::Create), group, vec![], None),
            (
                Some(Operation::Create),
                user.clone(),
                vec![Leniency::BooleanString, Leniency::MissingSchemas],
                None
            ),
            (Some(Operation::Patch), user, vec![Leniency::OpCase], None),
            (Some(Operation::Delete), Some("none".to_owned()), vec![], Some(404)),
            (None, None, vec![], Some(400)),
        ]
    );
}

#[test]
fn other_tenants_are_out_of_reach() {
    let server = server();
    let mut theirs = request("POST", "/Users", Some(user("theirs")));
    theirs.headers_mut().insert("authorization", "Bearer other-token".parse().unwrap());
    assert_eq!(server.call(theirs).status, 201);
    let bulk = server.bulk(json!([
        {"method": "DELETE", "path": "/Users/id-1"},
        post_group("g", "g", &["id-1"]),
    ]));
    assert_eq!(bulk.statuses(), ["404", "400"]);
}
