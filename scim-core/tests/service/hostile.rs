//! Whatever a request is, it is answered: no panic, no 5xx but 501, no leak to the unauthenticated.

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{config, encoded, server_with};

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
}

fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        4 => prop::sample::select(vec!["Users", "Groups", "id-1", "id-2", "Schemas", "ResourceTypes", "User"])
            .prop_map(str::to_owned),
        1 => prop::sample::select(vec!["", ".", "..", "%2F", "%2e", "%", "%zz", "%ff", "Me", "ServiceProviderConfig"])
            .prop_map(str::to_owned),
        1 => "[a-zA-Z0-9:._-]{0,12}",
    ];
    prop::collection::vec(segment, 0..4).prop_map(|segments| format!("/scim/v2/{}", segments.join("/")))
}

fn query() -> impl Strategy<Value = String> {
    let attribute = prop::sample::select(vec![
        "userName",
        "emails",
        "emails.value",
        "members",
        "meta.created",
        "active",
        "password",
        "id",
        "schemas",
        "nothing",
    ]);
    let filter =
        (attribute.clone(), prop::sample::select(vec!["eq", "co", "gt", "pr", "zz"]), any::<String>())
            .prop_map(|(attribute, op, text)| {
                format!("filter={}", encoded(&format!("{attribute} {op} {}", Value::from(text))))
            });
    let pair = prop_oneof![
        3 => filter,
        1 => any::<String>().prop_map(|text| format!("filter={}", encoded(&text))),
        1 => (-5..5_i64).prop_map(|number| format!("count={number}")),
        1 => (-5..5_i64).prop_map(|number| format!("startIndex={number}")),
        1 => attribute.clone().prop_map(|name| format!("attributes={name}")),
        1 => attribute.prop_map(|name| format!("excludedAttributes={name}")),
        1 => "[a-zA-Z%+=]{0,12}",
    ];
    prop::collection::vec(pair, 0..3).prop_map(|pairs| pairs.join("&"))
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            "add",
            "Remove",
            "replace",
            "bjensen",
            "id-1",
            "members",
            "members[value eq \"id-1\"]",
            "emails",
            "emails[type eq \"work\"].value",
            "name.familyName",
            "userName",
            "true",
            "False",
            "",
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:api:messages:2.0:PatchOp",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let name = prop::sample::select(vec![
            "schemas",
            "Operations",
            "op",
            "path",
            "value",
            "userName",
            "USERNAME",
            "emails",
            "members",
            "name",
            "familyName",
            "active",
            "id",
            "meta",
            "groups",
            "type",
            "primary",
            "externalId",
            "displayName",
            "password",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "department",
            "manager",
            "$ref",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

/// A body: random bytes, random JSON, or the message the method expects with random parts.
fn body() -> impl Strategy<Value = Bytes> {
    let operation = (
        prop::sample::select(vec!["add", "replace", "remove", "Add", "move"]),
        prop::option::of(prop::sample::select(vec![
            "members",
            "emails",
            "emails[type eq \"work\"]",
            "emails[type eq \"work\"].value",
            "name",
            "name.familyName",
            "userName",
            "active",
            "id",
            "meta",
            "members[value eq \"id-1\"]",
            "[",
            "nothing",
            "schemas",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ])),
        json_value(),
    );
    let patch = prop::collection::vec(operation, 0..4).prop_map(|operations| {
        let operations: Vec<Value> = operations
            .into_iter()
            .map(|(op, path, value)| match path {
                Some(path) => json!({"op": op, "path": path, "value": value}),
                None => json!({"op": op, "value": value}),
            })
            .collect();
        crate::support::patch_op(operations.into()).to_string().into()
    });
    let user = (
        json_value(),
        prop::sample::select(vec!["emails", "name", "active", "roles", "externalId", "title"]),
    )
        .prop_map(|(value, attribute)| {
            let mut user = crate::support::user("carol");
            user[attribute] = value;
            Bytes::from(user.to_string())
        });
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(Bytes::from),
        2 => json_value().prop_map(|value| Bytes::from(value.to_string())),
        4 => patch,
        2 => user,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_request_is_answered(
        requests in prop::collection::vec((method(), path(), query(), body(), 0..8_u8), 1..12),
        strict in any::<bool>(),
    ) {
        let mut config = config();
        if strict {
            config.leniencies = scim_core::leniency::Leniencies::strict();
        }
        let server = server_with(config);
        server.user("ann");
        server.group("Staff", &["id-1"]);
        for (method, path, query, body, credential) in requests {
            let uri = format!("{path}?{query}");
            let Ok(mut request) = Request::builder().method(method).uri(&uri).body(body) else { continue };
            let authorised = credential > 0;
            if authorised {
                request.headers_mut().insert("authorization", "Bearer acme-token".parse().unwrap());
            }
            let answer = server.call(request);
            prop_assert!(
                !answer.status.is_server_error() || answer.status == 501,
                "{} {}: {}", method, uri, answer.text
            );
            prop_assert_eq!(authorised, answer.status != 401, "{} {}", method, uri);
            if !answer.text.is_empty() {
                prop_assert_eq!(answer.header("content-type"), Some("application/scim+json"));
                prop_assert!(answer.json().get("schemas").is_some());
            }
        }
    }
}
