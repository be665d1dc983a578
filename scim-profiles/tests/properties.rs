//! What holds of every payload: the linter judges it without trouble, and no sequence of requests
//! gets a user into a state that PagerDuty does not have.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod server;

use proptest::prelude::*;
use scim_core::Value;
use scim_profiles::pagerduty::{PagerDuty, ROLES};
use scim_profiles::{Payload, Profile};
use serde_json::json;
use server::Server;

const HEADERS: &[(&str, &str)] =
    &[("authorization", "Bearer key"), ("content-type", "application/scim+json")];

/// Names and texts that occur in payloads, and some that do not.
fn word() -> impl Strategy<Value = String> {
    let words = [
        "userName",
        "DISPLAYNAME",
        "displayName",
        "externalId",
        "active",
        "roles",
        "entitlements",
        "title",
        "timezone",
        "schemas",
        "id",
        "meta",
        "name",
        "emails",
        "groups",
        "password",
        "value",
        "type",
        "primary",
        "Operations",
        "op",
        "path",
        "add",
        "Replace",
        "remove",
        "roles[type eq \"base\"].value",
        "roles[",
        "roles[primary eq \"True\"].value",
        "name.givenName",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "urn:ietf:params:scim:schemas:core:2.0:User:roles",
        "urn:ietf:params:scim:api:messages:2.0:PatchOp",
        "owner",
        "OWNER",
        "admin",
        "read_only_user",
        "user",
        "base",
        "license",
        "P1",
        "alex@example.com",
        "UTC",
        "{\"value\":\"owner\"}",
        "true",
        "False",
        "",
        "\u{1b}[31m",
        "None",
    ];
    prop_oneof![9 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,12}"]
}

fn leaf() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        word().prop_map(Into::into),
    ]
}

fn anything() -> impl Strategy<Value = serde_json::Value> {
    leaf().prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map(word(), inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An element of `roles` or `entitlements`, right or wrong.
fn element() -> impl Strategy<Value = serde_json::Value> {
    let roles: Vec<&'static str> = ROLES.iter().map(|role| role.value).chain(["OWNER", "P1", "P2"]).collect();
    let member = |name: &'static str, value: BoxedStrategy<serde_json::Value>| {
        prop::option::weighted(0.7, value.prop_map(move |value| (name, value)))
    };
    let value = prop::sample::select(roles).prop_map(|role| json!(role)).boxed();
    let kind = prop_oneof![Just(json!("base")), Just(json!("license")), leaf()].boxed();
    let primary = prop_oneof![Just(json!(true)), leaf()].boxed();
    (member("value", value), member("type", kind), member("primary", primary)).prop_map(|(a, b, c)| {
        [a, b, c].into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect()
    })
}

fn operation() -> impl Strategy<Value = serde_json::Value> {
    let paths = [
        "roles",
        "ROLES",
        "entitlements",
        "roles[type eq \"base\"]",
        "roles[primary eq true].value",
        "roles[value eq \"user\"].value",
        "roles.value",
        "entitlements[type eq \"license\"].value",
        "displayName",
        "title",
        "active",
        "userName",
        "roles[type eq \"base\"].primary",
        "roles[type eq \"base\"].type",
        "roles[primary eq \"True\"].value",
        "roles[primary eq \"True\"].display",
        "roles[primary eq \"false\"].displayName",
        "roles[display eq \"base\"].value",
        "title.x",
        "nickName",
        "urn:ietf:params:scim:schemas:core:2.0:User:roles",
    ];
    let op = prop::sample::select(&["add", "replace", "remove", "Add"][..]);
    let value = prop_oneof![
        4 => prop::collection::vec(element(), 0..3).prop_map(Into::into),
        2 => element(),
        4 => leaf(),
        1 => Just(json!("owner")),
    ];
    (op, prop::sample::select(paths.to_vec()), value, any::<bool>()).prop_map(|(op, path, value, by_path)| {
        if by_path || op == "remove" {
            json!({"op": op, "path": path, "value": value})
        } else {
            json!({"op": op, "value": {path: value}})
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_payload_can_be_judged(payload in anything()) {
        // Members that differ in case alone are refused by the parser, before any judgement.
        let text = serde_json::to_vec(&payload).unwrap();
        let Ok(payload) = Value::from_slice(&text, &Default::default()) else { return Ok(()) };
        for profile in Profile::ALL {
            for kind in [Payload::Create, Payload::Replace, Payload::Patch, Payload::Bulk] {
                let report = profile.lint_as(kind, &payload);
                for violation in report.violations() {
                    prop_assert!(report.checked().contains(&violation.rule), "{violation}");
                    prop_assert!(!violation.to_string().contains(char::is_control), "{violation}");
                }
                prop_assert_eq!(report.is_accepted(), report.to_error().is_none());
                let json = report.to_value();
                prop_assert_eq!(json.as_object().and_then(|o| o.get("accepted")), Some(&Value::Bool(report.is_accepted())));
            }
        }
    }

    /// No requests make an owner or a half-formed user, and what the linter refuses, the server does.
    #[test]
    fn no_requests_lead_out_of_what_pagerduty_has(
        operations in prop::collection::vec(prop::collection::vec(operation(), 1..4), 1..5),
    ) {
        let server = Server::new(PagerDuty::default());
        server.seed(json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": "AGKWDNQ24N4SXBBWYENPROSIYQ",
            "userName": "alex@example.com",
            "displayName": "Alex",
            "active": true,
            "roles": [{"value": "user", "type": "base", "primary": true}],
            "entitlements": [{"type": "license", "value": "P0"}],
        }));
        for operations in operations {
            let before = server.user("AGKWDNQ24N4SXBBWYENPROSIYQ");
            let body = Value::from(json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": operations,
            }));
            let answer = server.send("PATCH", "/Users/AGKWDNQ24N4SXBBWYENPROSIYQ", HEADERS, Some(&body));
            let after = server.user("AGKWDNQ24N4SXBBWYENPROSIYQ");
            match answer.status.as_u16() {
                200 => {}
                204 => prop_assert_eq!(&after, &None),
                400 | 404 => prop_assert_eq!(&after, &before),
                status => panic!("{status}: {}", answer.body),
            }
            let Some(user) = after else { break };
            let role = user["roles"][0]["value"].as_str().unwrap().to_owned();
            prop_assert!(ROLES.iter().any(|r| r.grantable && r.value == role), "{role}");
            prop_assert_eq!(&user["roles"], &json!([{"value": role, "type": "base", "primary": true}]));
            if let Some(licenses) = user["entitlements"].as_array() {
                prop_assert_eq!(licenses.len(), 1);
                prop_assert_eq!(&licenses[0]["type"], "license");
            }
            prop_assert_eq!(&user["active"], true);
        }
    }

    /// A Boolean in a path is answered the same as the text of it, which Entra ID sends, whatever else is
    /// in the path; and the linter says nothing else of it.
    #[test]
    fn a_path_with_the_text_of_a_boolean_is_the_path_with_the_boolean(
        op in prop::sample::select(&["add", "replace", "remove"][..]),
        attribute in prop::sample::select(&["roles", "emails", "entitlements", "name"][..]),
        sub in prop::sample::select(&["", ".value", ".type", ".display", ".displayName"][..]),
        (boolean, text) in prop::sample::select(&[("true", "\"True\""), ("false", "\"false\"")][..]),
        value in leaf(),
        by_path: bool,
    ) {
        let play = |literal: &str| {
            let path = format!("{attribute}[primary eq {literal}]{sub}");
            let operation = if by_path || op == "remove" {
                json!({"op": op, "path": path, "value": value})
            } else {
                json!({"op": op, "value": {path: value}})
            };
            let body = Value::from(json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [operation],
            }));
            let accepted: Vec<_> =
                Profile::ALL.iter().map(|profile| profile.lint_as(Payload::Patch, &body).is_accepted()).collect();
            let server = Server::new(PagerDuty::default());
            server.seed(json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "id": "AGKWDNQ24N4SXBBWYENPROSIYQ",
                "userName": "alex@example.com",
                "displayName": "Alex",
                "active": true,
                "roles": [{"value": "user", "type": "base", "primary": true}],
            }));
            let answer = server.send("PATCH", "/Users/AGKWDNQ24N4SXBBWYENPROSIYQ", HEADERS, Some(&body));
            (answer.status, accepted, server.user("AGKWDNQ24N4SXBBWYENPROSIYQ"))
        };
        prop_assert_eq!(play(boolean), play(text));
    }

    /// On POST linter and server have the same judgement.
    #[test]
    fn linter_and_server_agree_on_new_users(
        members in prop::collection::btree_map(word(), anything(), 0..4),
        roles in prop::option::of(prop::collection::vec(element(), 0..3)),
        entitlements in prop::option::of(prop::collection::vec(element(), 0..3)),
    ) {
        let mut user: serde_json::Map<_, _> = members.into_iter().collect();
        user.insert("userName".to_owned(), json!("alex@example.com"));
        user.insert("displayName".to_owned(), json!("Alex"));
        for (name, elements) in [("roles", roles), ("entitlements", entitlements)] {
            if let Some(elements) = elements {
                user.insert(name.to_owned(), elements.into());
            }
        }
        let text = serde_json::to_vec(&user).unwrap();
        let Ok(payload) = Value::from_slice(&text, &Default::default()) else { return Ok(()) };
        let report = Profile::by_name("pagerduty").unwrap().lint_as(Payload::Create, &payload);
        let answer = Server::new(PagerDuty::default()).send("POST", "/Users", HEADERS, Some(&payload));
        prop_assert_eq!(
            report.is_accepted(),
            answer.status == 201,
            "{} {}\n{}", answer.status, answer.body, report
        );
    }
}
