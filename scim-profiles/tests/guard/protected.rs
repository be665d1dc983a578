//! What is protected, from whom and from what.

use scim_core::MemoryStore;
use scim_profiles::Profile;
use scim_profiles::datadog::RoleCatalogue;
use scim_profiles::guard::{DatadogRoles, Guards, Protected};
use serde_json::{Value, json};

use crate::server::{GROUP, Server, USER, ceiling, patch};

const USERS: &str = "guard-protected-user";
const GROUPS: &str = "guard-protected-group";
const ROLES: &str = "guard-protected-role";

fn protecting(protected: Protected) -> Server {
    Server::new(Guards::new().with_protected(protected))
}

/// A protected user, by userName in any case or by id, is not deactivated, deleted, renamed, and loses no role;
/// everything else may happen.
#[tokio::test]
async fn a_user() {
    let server = protecting(Protected::new().with_user("Root@Example.com").with_user("2"));
    let user = json!({"schemas": [USER], "userName": "root@example.com", "roles": [{"value": "admin"}]});
    let root = server.create("/Users", user.clone()).await;
    let (by_id, other) = (server.user("ann").await, server.user("bob").await);
    assert_eq!((root.as_str(), by_id.as_str()), ("1", "2"));
    let set = |path: &str, value: Value| patch(json!([{"op": "replace", "path": path, "value": value}]));
    let put = |name: &str, roles: Value| json!({"schemas": [USER], "userName": name, "roles": roles});
    let mut inactive = user.clone();
    inactive["active"] = false.into();
    for (method, id, body, why) in [
        ("PATCH", &root, set("active", false.into()), "it cannot be deactivated"),
        ("PATCH", &by_id, set("active", false.into()), "it cannot be deactivated"),
        ("PUT", &root, inactive, "it cannot be deactivated"),
        ("DELETE", &root, Value::Null, "it cannot be deleted"),
        ("DELETE", &by_id, Value::Null, "it cannot be deleted"),
        ("PATCH", &root, set("userName", "r00t@example.com".into()), "its userName cannot change"),
        ("PUT", &root, put("toor", json!([{"value": "admin"}])), "its userName cannot change"),
        ("PATCH", &root, patch(json!([{"op": "remove", "path": "roles"}])), "it cannot lose a role"),
        ("PUT", &root, put("root@example.com", json!([{"value": "user"}])), "it cannot lose a role"),
        (
            "PATCH",
            &root,
            patch(json!([{"op": "replace", "value": {"active": false, "userName": "x"}}])),
            "it cannot be deactivated",
        ),
    ] {
        let detail = server.refuses(method, &format!("/Users/{id}"), body, USERS).await;
        let name = if *id == root { "root@example.com" } else { "ann" };
        assert_eq!(
            detail,
            format!(
                "the user `{name}` is protected: {why}; an operator of the service can lift that for some time \
                 (guard-protected-user)"
            )
        );
    }
    for body in [
        set("title", "Chief".into()),
        set("userName", "ROOT@example.com".into()),
        patch(json!([{"op": "add", "path": "roles", "value": [{"value": "auditor"}]}])),
    ] {
        let (status, answer) = server.send("PATCH", &format!("/Users/{root}"), body).await;
        assert_eq!(status, 200, "{answer}");
    }
    let roles = json!([{"value": "admin"}, {"value": "auditor"}, {"value": "user"}]);
    assert_eq!(server.send("PUT", &format!("/Users/{root}"), put("root@example.com", roles)).await.0, 200);
    assert_eq!(server.delete_user(&other).await, 204);
    // Groups may be left, by users who are protected too.
    let group = server.group("g", std::slice::from_ref(&root)).await;
    assert_eq!(server.leave(&group, std::slice::from_ref(&root)).await, 200);

    server.lift(false).await;
    assert_eq!(server.delete_user(&root).await, 403, "ceilings alone are lifted");
    server.lift(true).await;
    assert_eq!(server.delete_user(&root).await, 204);
}

/// A user is protected by `id`, by userName and by each e-mail address, and keeps the address by which it is.
#[tokio::test]
async fn a_user_by_each_of_their_names() {
    let user = |emails: Value| json!({"schemas": [USER], "userName": "chen", "emails": emails});
    let emails = json!([{"value": "chen@example.com", "primary": true}, {"value": "C@Home.example"}]);
    let inactive = || patch(json!([{"op": "replace", "path": "active", "value": false}]));
    for name in ["1", "Chen", "CHEN@example.com", "c@home.example"] {
        let server = protecting(Protected::new().with_user(name));
        let chen = format!("/Users/{}", server.create("/Users", user(emails.clone())).await);
        server.refuses("DELETE", &chen, Value::Null, USERS).await;
        server.refuses("PATCH", &chen, inactive(), USERS).await;
        // The others may go, and by which it is protected not.
        let kept =
            json!([{"value": if name == "c@home.example" { "c@HOME.example" } else { "chen@example.com" }}]);
        assert_eq!(server.send("PUT", &chen, user(kept)).await.0, 200, "{name}");
        let without = patch(json!([{"op": "remove", "path": "emails"}]));
        if name.contains('@') {
            let detail = server.refuses("PATCH", &chen, without, USERS).await;
            assert!(detail.contains("its e-mail address cannot change"), "{detail}");
            server.refuses("PUT", &chen, user(json!([{"value": "chen@example.org"}])), USERS).await;
        } else {
            assert_eq!(server.send("PATCH", &chen, without).await.0, 200, "{name}");
        }
        server.refuses("DELETE", &chen, Value::Null, USERS).await;
    }
    let server = protecting(Protected::new().with_user("chen@example.org"));
    let chen = server.create("/Users", user(emails)).await;
    assert_eq!(server.delete_user(&chen).await, 204);
}

/// A protected group is not deleted, renamed or emptied, by its own change or by the end of its last member.
#[tokio::test]
async fn a_group() {
    let server = protecting(Protected::new().with_group("Admins"));
    let users = server.users(6).await;
    let group = server.group("admins", &users[..3]).await;
    let other = server.group("Others", &users).await;
    let path = format!("/Groups/{group}");
    let member = |id: &String| json!({"value": id});
    let put =
        |name: &str, members: Value| json!({"schemas": [GROUP], "displayName": name, "members": members});
    for (method, body, why) in [
        ("DELETE", Value::Null, "it cannot be deleted"),
        (
            "PATCH",
            patch(json!([{"op": "replace", "path": "displayName", "value": "Admin"}])),
            "its displayName cannot change",
        ),
        ("PUT", put("Staff", json!([member(&users[0])])), "its displayName cannot change"),
        ("PUT", put("Admins", json!([])), "it cannot be emptied"),
        ("PATCH", patch(json!([{"op": "remove", "path": "members"}])), "it cannot be emptied"),
        ("PATCH", patch(json!([{"op": "replace", "path": "members", "value": []}])), "it cannot be emptied"),
        (
            "PATCH",
            patch(
                json!([{"op": "remove", "path": "members", "value": users[..3].iter().map(member).collect::<Vec<_>>()}]),
            ),
            "it cannot be emptied",
        ),
    ] {
        let detail = server.refuses(method, &path, body, GROUPS).await;
        assert_eq!(
            detail,
            format!(
                "the group `admins` is protected: {why}; an operator of the service can lift that for some time \
                 (guard-protected-group)"
            )
        );
    }
    // One after the other, in each of the ways there are, and never the last.
    assert_eq!(server.leave(&group, &users[..1]).await, 200);
    assert_eq!(server.delete_user(&users[1]).await, 204);
    server.refuses("DELETE", &format!("/Users/{}", users[2]), Value::Null, GROUPS).await;
    let last = patch(json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", users[2])}]));
    server.refuses("PATCH", &path, last, GROUPS).await;
    // One for another is well, in a replacement and in two operations.
    let swap = json!([{"op": "replace", "path": "members", "value": [member(&users[3])]}]);
    assert_eq!(server.patch(&path, swap).await.0, 200);
    let swap = json!([
        {"op": "remove", "path": format!("members[value eq \"{}\"]", users[3])},
        {"op": "add", "path": "members", "value": [member(&users[4])]},
    ]);
    assert_eq!(server.patch(&path, swap).await.0, 200);
    assert_eq!(server.send("PUT", &path, put("ADMINS", json!([member(&users[4])]))).await.0, 200);
    assert_eq!(server.send("DELETE", &format!("/Groups/{other}"), Value::Null).await.0, 204);
    server.lift(true).await;
    assert_eq!(server.leave(&group, &users[4..5]).await, 200);
    assert!(server.members(&group).await.is_empty());
    // An empty one may stay empty.
    server.wait(3600);
    assert_eq!(server.leave(&group, &users).await, 200);
    assert_eq!(server.send("PUT", &path, put("Admins", json!([]))).await.0, 200);
}

/// Whoever has a protected role keeps it, and is not deactivated or deleted; other roles may go.
#[tokio::test]
async fn a_role() {
    let server = protecting(Protected::new().with_role("Owner"));
    let user = |roles: &[&str]| {
        let roles: Vec<Value> = roles.iter().map(|role| json!({"value": role})).collect();
        json!({"schemas": [USER], "userName": "ann", "roles": roles})
    };
    let ann = server.create("/Users", user(&["owner", "user"])).await;
    let path = format!("/Users/{ann}");
    for (method, body, why) in [
        ("DELETE", Value::Null, "whoever has it cannot be deleted"),
        (
            "PATCH",
            patch(json!([{"op": "replace", "path": "active", "value": false}])),
            "whoever has it cannot be deactivated",
        ),
        (
            "PATCH",
            patch(json!([{"op": "remove", "path": "roles[value eq \"owner\"]"}])),
            "whoever has it cannot lose it",
        ),
        ("PUT", user(&["user"]), "whoever has it cannot lose it"),
        ("PUT", user(&[]), "whoever has it cannot lose it"),
    ] {
        let detail = server.refuses(method, &path, body, ROLES).await;
        assert!(
            detail.starts_with(&format!("the role `owner` of the user `ann` is protected: {why}; ")),
            "{detail}"
        );
    }
    assert_eq!(server.send("PUT", &path, user(&["owner"])).await.0, 200);
    let other = server.create("/Users", json!({"schemas": [USER], "userName": "bob"})).await;
    assert_eq!(server.delete_user(&other).await, 204);
}

/// A role of an organisation at Datadog, protected by its name; that of two roles protects neither, and is unknown.
#[tokio::test]
async fn a_role_of_datadog() {
    let role = |number: u8| format!("11111111-aaaa-11ee-a000-00000000000{number}");
    let catalogue = [(1, "Admin"), (2, "Ops"), (3, "Ops"), (4, "admin")]
        .into_iter()
        .fold(RoleCatalogue::new(), |catalogue, (number, name)| {
            catalogue.with_role(&role(number), name).unwrap()
        });
    let protected = Protected::new().with_role("Admin").with_role("Ops").with_role(&role(3).to_uppercase());
    let guards = Guards::new().with_roles(DatadogRoles::new(catalogue)).with_protected(protected);
    assert_eq!(guards.unknown_roles().collect::<Vec<_>>(), ["Ops"]);
    let server = Server::of("generic", MemoryStore::new(), guards);
    for (number, is_protected) in [(1, true), (2, false), (3, true), (4, false)] {
        let user = |roles: Value| json!({"schemas": [USER], "userName": number.to_string(), "roles": roles});
        let had = json!([{"value": role(number)}]);
        let path = format!("/Users/{}", server.create("/Users", user(had)).await);
        if is_protected {
            let detail = server.refuses("PUT", &path, user(json!([])), ROLES).await;
            assert!(detail.contains("whoever has it cannot lose it"), "{detail}");
            server.refuses("DELETE", &path, Value::Null, ROLES).await;
        } else {
            assert_eq!(server.send("PUT", &path, user(json!([]))).await.0, 200, "{number}");
        }
    }
}

/// A role of PagerDuty, protected: it may go for a higher one.
#[tokio::test]
async fn a_role_of_pagerduty() {
    let profile = Profile::by_name("pagerduty").unwrap();
    let of_profile = || Guards::new().with_roles_of(profile);
    let guards = of_profile().with_protected(Protected::new().with_role("limited_user"));
    assert_eq!(guards.unknown_roles().count(), 0);
    let misspelt = of_profile().with_protected(Protected::new().with_role("Responder"));
    assert_eq!(misspelt.unknown_roles().collect::<Vec<_>>(), ["Responder"]);
    let server = Server::of("pagerduty", MemoryStore::new(), guards);
    let user = json!({
        "schemas": [USER],
        "userName": "a@example.com",
        "displayName": "A",
        "roles": [{"value": "limited_user", "type": "base"}],
    });
    let path = format!("/Users/{}", server.create("/Users", user).await);
    let to = |role: &str| {
        patch(json!([{"op": "replace", "path": "roles", "value": [{"value": role, "type": "base"}]}]))
    };
    let inactive = patch(json!([{"op": "replace", "path": "active", "value": false}]));
    for body in [to("observer"), to("read_only_user"), inactive.clone()] {
        server.refuses("PATCH", &path, body, ROLES).await;
    }
    for role in ["admin", "observer"] {
        let (status, answer) = server.send("PATCH", &path, to(role)).await;
        assert_eq!(status, 200, "{answer}");
    }
    assert_eq!(server.send("PATCH", &path, inactive).await.0, 204);
}

/// Who is given a name stays a member: that takes nobody away, and a group of one is not empty after it.
#[tokio::test]
async fn a_member_who_is_given_a_name_is_not_removed() {
    let guards = Guards::new().with_member_removals(ceiling().with_count(0));
    let server = Server::new(guards.with_protected(Protected::new().with_group("Staff")));
    let user = server.user("ann").await;
    let group = server.group("Staff", std::slice::from_ref(&user)).await;
    let path = format!("members[value eq \"{user}\"].display");
    let name = patch(json!([{"op": "replace", "path": path, "value": "Ann"}]));
    let (status, answer) = server.send("PATCH", &format!("/Groups/{group}"), name).await;
    assert_eq!((status, &answer["members"][0]["display"]), (200, &json!("Ann")), "{answer}");
    assert_ne!(server.leave(&group, std::slice::from_ref(&user)).await, 200);
}
