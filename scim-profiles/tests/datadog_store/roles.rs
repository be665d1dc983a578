//! The roles of users.

use scim_core::MemoryStore;
use scim_profiles::datadog::{DatadogOptions, RoleCatalogue, RolesEmptied, RolesUnsaid};
use serde_json::{Value, json};

use crate::server::{ADMIN, CUSTOM, STANDARD, Server, USER, catalogue, role};

#[tokio::test]
async fn roles_are_those_of_the_organisation() {
    let server = Server::new(DatadogOptions::default());
    let user = |roles: Value| json!({"schemas": [USER], "userName": "ann@example.com", "roles": roles});
    let asked =
        json!([{"value": "nobody"}, {"value": CUSTOM.to_uppercase(), "type": "slot1"}, {"value": ADMIN}]);
    let id = server.create("/Users", user(asked)).await;
    let path = format!("/Users/{id}");
    let admin = role(ADMIN, "Datadog Admin Role");
    let custom = json!({"value": CUSTOM, "display": "Billing", "type": "slot1"});
    assert_eq!(server.get(&path).await["roles"], json!([admin, custom]));
    assert_eq!(
        server.remarks(),
        ["roles[0].value: `nobody` is no role of the organisation, and is dropped (role-matched)"]
    );

    // The slot of Okta's guide, then roles of which none is one.
    let slot = json!([{"op": "replace", "path": "roles[type eq \"slot1\"].value", "value": STANDARD}]);
    assert_eq!(server.patch(&path, slot).await.0, 200);
    let standard = json!({"value": STANDARD, "display": "Datadog Standard Role", "type": "slot1"});
    assert_eq!(server.get(&path).await["roles"], json!([admin, standard]));
    assert_eq!(server.remarks(), [""; 0]);
    let (status, changed) =
        server.send("PUT", &path, user(json!([{"display": "Admin"}, {"value": "x"}]))).await;
    let default = role(STANDARD, "Datadog Standard Role");
    assert_eq!((status, &changed["roles"]), (200, &json!([default])));
    assert_eq!(
        server.remarks(),
        [
            "roles[0]: has no value, and is dropped (role-matched)",
            "roles[1].value: `x` is no role of the organisation, and is dropped (role-matched)",
            "roles: none matches, and `Datadog Standard Role` takes their place (role-default)",
        ]
    );

    // Who does not map roles does not take them away.
    let (_, _) = server.send("PUT", &path, user(json!([{"value": ADMIN}]))).await;
    let without = json!({"schemas": [USER], "userName": "ann@example.com", "title": "Guide"});
    assert_eq!(server.send("PUT", &path, without).await.1["roles"], json!([admin]));
    let (status, body) = server.patch(&path, json!([{"op": "replace", "path": "roles", "value": []}])).await;
    assert_eq!((status, &body["roles"]), (200, &json!([default])));
    // "'roles' should be object"
    let texts = server.send("POST", "/Users", json!({"userName": "b@example.com", "roles": [ADMIN]})).await;
    assert_eq!(texts.0, 400, "{}", texts.1);
}

/// Where nothing is left of what was asked for, nothing becomes different, and what was dropped is noted all the same.
#[tokio::test]
async fn what_is_dropped_is_noted_where_nothing_becomes_different() {
    let server = Server::new(DatadogOptions::default());
    let user = |roles: Value| json!({"schemas": [USER], "userName": "ann@example.com", "roles": roles});
    let id = server.create("/Users", user(json!([{"value": STANDARD}]))).await;
    let path = format!("/Users/{id}");
    let put = server.send("PUT", &path, user(json!([{"value": "x"}]))).await;
    let standard = json!([role(STANDARD, "Datadog Standard Role")]);
    assert_eq!((put.0, &put.1["roles"]), (200, &standard));
    server.remarks();

    let dropped = "roles[0].value: `x` is no role of the organisation, and is dropped (role-matched)";
    let defaulted = "roles: none matches, and `Datadog Standard Role` takes their place (role-default)";
    assert_eq!(server.send("PUT", &path, user(json!([{"value": "x"}]))).await.0, 200);
    assert_eq!(server.remarks(), [dropped, defaulted]);
    let (status, body) =
        server.patch(&path, json!([{"op": "add", "path": "roles", "value": [{"value": "x"}]}])).await;
    assert_eq!((status, &body["roles"], &body["meta"]), (200, &standard, &put.1["meta"]));
    let dropped = "roles[1].value: `x` is no role of the organisation, and is dropped (role-matched)";
    assert_eq!(server.remarks(), [dropped]);
    // Nothing is dropped of what is there already, and nothing is noted.
    assert_eq!(server.send("PUT", &path, user(standard)).await.0, 200);
    assert_eq!(server.remarks(), [""; 0]);
}

/// What the organisation has no longer goes when roles are asked for, and then it is said.
#[tokio::test]
async fn roles_that_are_not_changed_stay() {
    let store = MemoryStore::new();
    let server = Server::over(store.clone(), DatadogOptions::default(), catalogue(), 1);
    let user = |roles: Value| json!({"schemas": [USER], "userName": "ann@example.com", "roles": roles});
    let id = server.create("/Users", user(json!([{"value": ADMIN}, {"value": CUSTOM}]))).await;
    let path = format!("/Users/{id}");
    let (admin, custom) = (role(ADMIN, "Datadog Admin Role"), role(CUSTOM, "Billing"));
    let both = json!([admin, custom]);

    let fewer = RoleCatalogue::new().with_role(ADMIN, "Datadog Admin Role").unwrap();
    let server = Server::over(store, DatadogOptions::default(), fewer, 1000);
    let (status, body) =
        server.patch(&path, json!([{"op": "replace", "path": "title", "value": "Guide"}])).await;
    assert_eq!((status, &body["roles"]), (200, &both));
    let mut same = user(both.clone());
    same["title"] = "Lead".into();
    let (status, body) = server.send("PUT", &path, same).await;
    assert_eq!((status, &body["roles"], &body["title"]), (200, &both, &json!("Lead")));
    let without = json!({"schemas": [USER], "userName": "ann@example.com"});
    assert_eq!(server.send("PUT", &path, without).await.1["roles"], both);
    assert_eq!(
        server.patch(&path, json!([{"op": "add", "value": {"active": false}}])).await.1["roles"],
        both
    );
    assert_eq!(server.remarks(), [""; 0]);

    let slot =
        json!([{"op": "replace", "path": format!("roles[value eq \"{ADMIN}\"].type"), "value": "slot1"}]);
    let (status, body) = server.patch(&path, slot).await;
    let slotted = json!({"value": ADMIN, "display": "Datadog Admin Role", "type": "slot1"});
    assert_eq!((status, &body["roles"]), (200, &json!([slotted])));
    let dropped =
        format!("roles[1].value: `{CUSTOM}` is no role of the organisation, and is dropped (role-matched)");
    assert_eq!(server.remarks(), [dropped]);
}

#[tokio::test]
async fn whom_no_role_matches_gets_the_default_if_there_is_one() {
    let user = json!({"schemas": [USER], "userName": "ann@example.com", "roles": [{"value": "x"}]});
    let chosen = catalogue().with_default(CUSTOM).unwrap();
    for (roles, expected, remark) in [
        (
            chosen,
            json!([role(CUSTOM, "Billing")]),
            "roles: none matches, and `Billing` takes their place (role-default)",
        ),
        (
            catalogue().without_default(),
            Value::Null,
            "roles: none matches, and there is no default (role-default)",
        ),
        (RoleCatalogue::new(), Value::Null, "roles: none matches, and there is no default (role-default)"),
    ] {
        let server = Server::over(MemoryStore::new(), DatadogOptions::default(), roles, 1);
        let id = server.create("/Users", user.clone()).await;
        assert_eq!(server.get(&format!("/Users/{id}")).await["roles"], expected);
        assert_eq!(server.remarks().last().unwrap(), remark);
        // A user of whom nothing is said gets it too, and that needs no remark.
        let id = server.user("bea").await;
        assert_eq!(server.get(&format!("/Users/{id}")).await["roles"], expected);
        assert_eq!(server.remarks(), [""; 0]);
    }
}

/// What no PUT says of roles is that they stay, or that there is the default one alone.
#[tokio::test]
async fn roles_that_a_put_leaves_out_stay_or_become_the_default() {
    for roles_unsaid in [RolesUnsaid::Keep, RolesUnsaid::Default] {
        let mut options = DatadogOptions::default();
        options.roles_unsaid = roles_unsaid;
        let server = Server::new(options);
        let user = json!({"schemas": [USER], "userName": "ann@example.com", "roles": [{"value": ADMIN}]});
        let id = server.create("/Users", user.clone()).await;
        let path = format!("/Users/{id}");
        let mut put = user;
        put.as_object_mut().unwrap().remove("roles");
        put["title"] = json!("Guide");
        let (status, answer) = server.send("PUT", &path, put.clone()).await;
        let expected = if roles_unsaid == RolesUnsaid::Keep { ADMIN } else { STANDARD };
        assert_eq!((status, &answer["roles"][0]["value"]), (200, &json!(expected)));
        assert_eq!(server.send("PUT", &path, put).await.1["roles"].as_array().map(Vec::len), Some(1));
        // A PATCH of something else says nothing of roles in either case.
        let operation = json!([{"op": "replace", "path": "title", "value": "Lead"}]);
        assert_eq!(server.patch(&path, operation).await.1["roles"][0]["value"], json!(expected));
    }
}

/// What a PUT says to be unassigned, and does not just leave out, is taken away, unless the options keep it; by a PATCH
/// it always is.
#[tokio::test]
async fn roles_that_a_put_empties_are_taken_away_or_stay() {
    for (roles_emptied, expected) in [(RolesEmptied::Default, STANDARD), (RolesEmptied::Keep, ADMIN)] {
        for (unsaid, empty) in [
            (RolesUnsaid::Keep, json!([])),
            (RolesUnsaid::Default, json!([])),
            (RolesUnsaid::Keep, Value::Null),
        ] {
            let mut options = DatadogOptions::default();
            (options.roles_unsaid, options.roles_emptied) = (unsaid, roles_emptied);
            let server = Server::new(options);
            let user =
                |roles: Value| json!({"schemas": [USER], "userName": "ann@example.com", "Roles": roles});
            let id = server.create("/Users", user(json!([{"value": ADMIN}]))).await;
            let path = format!("/Users/{id}");
            let (status, answer) = server.send("PUT", &path, user(empty)).await;
            assert_eq!((status, &answer["roles"][0]["value"]), (200, &json!(expected)));
            let patch = server.patch(&path, json!([{"op": "replace", "path": "roles", "value": []}])).await;
            assert_eq!((patch.0, &patch.1["roles"][0]["value"]), (200, &json!(STANDARD)));
        }
    }
}
