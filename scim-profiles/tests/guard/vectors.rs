//! What each ceiling counts, permits and refuses, by every way a client has.

use jiff::SignedDuration;
use scim_core::MemoryStore;
use scim_profiles::Profile;
use scim_profiles::guard::{Ceiling, Guards};
use serde_json::{Value, json};

use crate::server::{GROUP, Server, USER, ceiling, guards, patch};

const DEACTIVATIONS: &str = "guard-deactivations";
const ROLE_DOWNGRADES: &str = "guard-role-downgrades";
const MEMBER_REMOVALS: &str = "guard-member-removals";

/// Every way to deactivate or delete a user counts, and what is over the count is refused in its own
/// words; what makes nobody less active does not count.
#[tokio::test]
async fn deactivations_are_counted() {
    let server = Server::new(Guards::new().with_deactivations(ceiling().with_count(5)));
    let users = server.users(12).await;
    let path = |number: usize| format!("/Users/{}", users[number]);
    let put = |number: usize, active: Value| json!({"schemas": [USER], "userName": format!("u{number}"), "active": active});
    let ways = [
        ("PATCH", patch(json!([{"op": "replace", "path": "active", "value": false}]))),
        ("PATCH", patch(json!([{"op": "Replace", "value": {"active": "False"}}]))),
        ("PUT", put(2, false.into())),
        ("DELETE", Value::Null),
    ];
    for (number, (method, body)) in ways.iter().enumerate() {
        let (status, answer) = server.send(method, &path(number), body.clone()).await;
        assert!([200, 204].contains(&status), "{answer}");
    }
    // Nothing of this is a deactivation.
    let (created, _) =
        server.send("POST", "/Users", json!({"schemas": [USER], "userName": "new", "active": false})).await;
    assert_eq!(created, 201);
    assert_eq!(server.set_active(&users[0], true).await, 200);
    assert_eq!(server.set_active(&users[1], false).await, 200, "who is not active is none the less");
    let rename = patch(json!([{"op": "replace", "path": "title", "value": "x"}]));
    assert_eq!(server.send("PATCH", &path(5), rename).await.0, 200);
    assert_eq!(server.send("PUT", &path(2), put(2, true.into())).await.0, 200);
    assert_eq!(server.delete_user("nobody").await, 404);

    // The deletion of one who is not active is one of those that count.
    assert_eq!(server.delete_user(&users[1]).await, 204);
    for (number, (method, body)) in
        [(6, ways[0].clone()), (7, ways[1].clone()), (8, ("PUT", put(8, false.into()))), (9, ways[3].clone())]
    {
        let detail = server.refuses(method, &path(number), body, DEACTIVATIONS).await;
        assert_eq!(
            detail,
            "no more than 5 deactivations within 1h, and with this there would be 6; an operator of the service can \
             lift that for some time, and otherwise this is permitted not before 1970-01-01T01:01:00Z \
             (guard-deactivations)"
        );
    }
    // Other changes are made all the same.
    assert_eq!(server.set_active(&users[0], true).await, 200);
    server.user("one more").await;
}

/// A share is of the active users there were, so that 20 % of thirty are six however they go, and it is
/// rounded down; below the minimum it says nothing.
#[tokio::test]
async fn a_share_is_of_the_active_users() {
    let server = Server::new(Guards::new().with_deactivations(ceiling().with_share(20, 10).unwrap()));
    let users = server.users(34).await;
    // Those who are not active do not count as population; they were never deactivated.
    for number in 0..20 {
        let user = json!({"schemas": [USER], "userName": format!("off{number}"), "active": false});
        server.create("/Users", user).await;
    }
    for user in &users[..6] {
        assert_eq!(server.set_active(user, false).await, 200);
    }
    let detail = server.refuses("DELETE", &format!("/Users/{}", users[6]), Value::Null, DEACTIVATIONS).await;
    assert_eq!(
        detail,
        "no more than 6 deactivations within 1h, which is 20 % of 34 active users, and with this there would be 7; \
         an operator of the service can lift that for some time, and otherwise this is permitted not before \
         1970-01-01T01:01:00Z (guard-deactivations)"
    );

    let small = Server::new(Guards::new().with_deactivations(ceiling().with_share(20, 10).unwrap()));
    for user in small.users(9).await {
        assert_eq!(small.delete_user(&user).await, 204);
    }
    // Nine of nine went. Now there are enough to take a share of: two of ten at a time, and nine are gone.
    let users: Vec<String> = small.users(10).await;
    small.refuses("DELETE", &format!("/Users/{}", users[0]), Value::Null, DEACTIVATIONS).await;
}

/// The window slides: what counts leaves it, a sixtieth at a time.
#[tokio::test]
async fn a_window_slides() {
    let server = Server::new(Guards::new().with_deactivations(ceiling().with_count(2)));
    let users = server.users(8).await;
    assert_eq!(server.delete_user(&users[0]).await, 204);
    server.wait(600);
    assert_eq!(server.delete_user(&users[1]).await, 204);
    let path = format!("/Users/{}", users[2]);
    let detail = server.refuses("DELETE", &path, Value::Null, DEACTIVATIONS).await;
    assert!(detail.contains("not before 1970-01-01T01:01:00Z"), "{detail}");
    server.wait(3659 - 600);
    server.refuses("DELETE", &path, Value::Null, DEACTIVATIONS).await;
    server.wait(1);
    assert_eq!(server.delete_user(&users[2]).await, 204);
    let detail = server.refuses("DELETE", &format!("/Users/{}", users[3]), Value::Null, DEACTIVATIONS).await;
    assert!(detail.contains("not before 1970-01-01T01:11:00Z"), "{detail}");
    server.wait(600);
    assert_eq!(server.delete_user(&users[3]).await, 204);
}

/// Each member who goes counts, whichever way, and those who are none do not; a request is refused as
/// a whole.
#[tokio::test]
async fn member_removals_are_counted() {
    let server = Server::new(Guards::new().with_member_removals(ceiling().with_count(10)));
    let users = server.users(20).await;
    let group = server.group("Staff", &users).await;
    let path = format!("/Groups/{group}");
    let values = |ids: &[String]| ids.iter().map(|id| json!({"value": id})).collect::<Vec<_>>();

    // Two, of whom one is named twice; nobody; one of three.
    assert_eq!(server.leave(&group, &[users[0].clone(), users[0].clone(), users[1].clone()]).await, 200);
    assert_eq!(server.leave(&group, &[users[0].clone(), "nobody".to_owned()]).await, 200);
    assert_eq!(server.leave(&group, &users[..3]).await, 200);
    // By a filter: one. By replacing: one goes, one comes. By PUT: one.
    let by_filter = json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", users[3])}]);
    assert_eq!(server.patch(&path, by_filter).await.0, 200);
    let mut rest = values(&users[5..]);
    rest.push(json!({"value": users[0]}));
    let replace = json!([{"op": "replace", "path": "members", "value": rest}]);
    assert_eq!(server.patch(&path, replace).await.0, 200);
    let put = json!({"schemas": [GROUP], "displayName": "Staff", "members": values(&users[5..])});
    assert_eq!(server.send("PUT", &path, put).await.0, 200);
    assert_eq!(server.members(&group).await.len(), 15, "six went");

    let refused = [
        ("PATCH", patch(json!([{"op": "remove", "path": "members"}]))),
        ("PATCH", patch(json!([{"op": "replace", "path": "members", "value": []}]))),
        ("PATCH", patch(json!([{"op": "remove", "path": "members", "value": values(&users[5..10])}]))),
        ("PATCH", patch(json!([{"op": "replace", "path": "members", "value": values(&users[10..])}]))),
        ("PUT", json!({"schemas": [GROUP], "displayName": "Staff"})),
        ("PUT", json!({"schemas": [GROUP], "displayName": "Others", "members": values(&users[15..])})),
        ("DELETE", Value::Null),
    ];
    for (method, body) in refused {
        let detail = server.refuses(method, &path, body, MEMBER_REMOVALS).await;
        assert!(detail.starts_with("no more than 10 member removals within 1h, and"), "{detail}");
    }
    // Who comes does not count, nor who is renamed; the deletion of a user takes no member out of a group
    // in the sense of this ceiling.
    assert_eq!(server.delete_user(&users[19]).await, 204);
    let rename = json!([{"op": "replace", "path": "displayName", "value": "All"}]);
    assert_eq!(server.patch(&path, rename).await.0, 200);
    // Four more, in all groups together.
    let other = server.group("Other", &users[..4]).await;
    assert_eq!(server.leave(&other, &users[..2]).await, 200);
    assert_eq!(server.leave(&group, &users[5..7]).await, 200);
    server.refuses("DELETE", &format!("/Groups/{other}"), Value::Null, MEMBER_REMOVALS).await;
    let empty = server.group("Empty", &[]).await;
    assert_eq!(server.send("DELETE", &format!("/Groups/{empty}"), Value::Null).await.0, 204);
}

/// A share is of each group, and small ones are not hindered.
#[tokio::test]
async fn a_share_of_members_is_of_each_group() {
    let server = Server::new(Guards::new().with_member_removals(ceiling().with_share(30, 5).unwrap()));
    let users = server.users(20).await;
    let (large, other, small) = (
        server.group("Large", &users).await,
        server.group("Other", &users[..10]).await,
        server.group("Small", &users[..4]).await,
    );
    for number in 0..6 {
        assert_eq!(server.leave(&large, &users[number..=number]).await, 200);
    }
    let out = patch(json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", users[6])}]));
    let detail = server.refuses("PATCH", &format!("/Groups/{large}"), out, MEMBER_REMOVALS).await;
    assert!(
        detail.starts_with(
            "no more than 6 member removals within 1h, which is 30 % of 20 members of the group, and with this \
             there would be 7"
        ),
        "{detail}"
    );
    assert_eq!(server.leave(&other, &users[..3]).await, 200);
    let all = server.refuses("DELETE", &format!("/Groups/{other}"), Value::Null, MEMBER_REMOVALS).await;
    assert!(all.contains("would be 10"), "{all}");
    assert_eq!(server.send("DELETE", &format!("/Groups/{small}"), Value::Null).await.0, 204);
    // What is more than the share by itself never comes to be permitted.
    let third = server.group("Third", &users[..10]).await;
    let detail = server.refuses("DELETE", &format!("/Groups/{third}"), Value::Null, MEMBER_REMOVALS).await;
    assert!(
        detail.contains("otherwise time alone is no help, since this is more than that by itself"),
        "{detail}"
    );
}

fn with_roles(name: &str, roles: &[&str]) -> Value {
    let roles: Vec<Value> = roles.iter().map(|role| json!({"value": role, "type": "base"})).collect();
    json!({"schemas": [USER], "userName": name, "displayName": name, "roles": roles})
}

/// Without a vendor, who loses one of `roles` or `entitlements` has less, and who gets one has not.
#[tokio::test]
async fn role_downgrades_are_counted() {
    let server = Server::new(Guards::new().with_role_downgrades(ceiling().with_count(2)));
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(server.create("/Users", with_roles(name, &["admin", "user"])).await);
    }
    let path = |number: usize| format!("/Users/{}", ids[number]);
    let more = json!([{"op": "add", "path": "roles", "value": [{"value": "auditor"}]}]);
    let licence = json!([{"op": "add", "path": "entitlements", "value": [{"value": "L1"}]}]);
    let less = json!([{"op": "remove", "path": "roles[value eq \"admin\"]"}]);
    assert_eq!(server.patch(&path(0), more).await.0, 200);
    assert_eq!(server.patch(&path(0), licence).await.0, 200);
    let other_case = json!([{"op": "replace", "path": "roles[value eq \"admin\"].value", "value": "ADMIN"}]);
    assert_eq!(server.patch(&path(0), other_case).await.0, 200, "the same role");
    assert_eq!(server.patch(&path(0), less.clone()).await.0, 200);
    let no_licence = json!([{"op": "remove", "path": "entitlements"}]);
    assert_eq!(server.patch(&path(0), no_licence).await.0, 200);
    for (method, body) in [("PATCH", patch(less)), ("PUT", with_roles("b", &["user"]))] {
        let detail = server.refuses(method, &path(1), body, ROLE_DOWNGRADES).await;
        assert!(detail.starts_with("no more than 2 role downgrades within 1h"), "{detail}");
    }
    assert_eq!(server.delete_user(&ids[2]).await, 204, "that is no downgrade");
}

/// With PagerDuty's roles a lower one is a downgrade, a higher one is not, and `active: false`, which deletes
/// the user there, is a deactivation.
#[tokio::test]
async fn pagerduty() {
    let one = ceiling().with_count(1);
    let guards = guards(one).with_roles_of(Profile::by_name("pagerduty").unwrap());
    let server = Server::of("pagerduty", MemoryStore::new(), guards);
    let user = async |name: &str, role: &str| {
        server.create("/Users", with_roles(&format!("{name}@example.com"), &[role])).await
    };
    let to =
        |role: &str| json!([{"op": "replace", "path": "roles", "value": [{"value": role, "type": "base"}]}]);
    let (a, b, c) = (user("a", "user").await, user("b", "admin").await, user("c", "observer").await);
    let path = |id: &str| format!("/Users/{id}");
    assert_eq!(server.patch(&path(&a), to("admin")).await.0, 200, "a promotion");
    assert_eq!(server.patch(&path(&a), to("limited_user")).await.0, 200, "the one that is permitted");
    let refused = server.patch(&path(&b), to("user")).await;
    assert_eq!(refused.0, 403, "{}", refused.1);
    assert_eq!(server.get(&path(&b)).await["roles"][0]["value"], "admin");
    assert_eq!(server.patch(&path(&c), to("restricted_access")).await.0, 403);
    assert_eq!(server.patch(&path(&c), to("user")).await.0, 200);
    assert_eq!(server.set_active(&c, false).await, 204);
    server.take_records();
    assert_eq!(server.set_active(&b, false).await, 403);
    let records = server.take_records();
    assert_eq!((&records[0]["operation"], &records[0]["rule"]), (&json!("patch"), &json!(DEACTIVATIONS)));
    server.wait(3660);
    assert_eq!(server.patch(&path(&b), to("read_only_user")).await.0, 200);
}

/// Whoever serves as whom: the same guards, by the same ways.
#[tokio::test]
async fn every_profile() {
    for profile in Profile::ALL {
        let one = Guards::new().with_deactivations(ceiling().with_count(1)).with_roles_of(profile);
        let server = Server::of(profile.name, MemoryStore::new(), one);
        let mut ids = Vec::new();
        for name in ["a", "b"] {
            let name = format!("{name}@example.com");
            let user = json!({
                "schemas": [USER],
                "userName": name,
                "displayName": name,
                "active": true,
                "title": "Guide",
                "name": {"formatted": name},
                "emails": [{"type": "work", "value": name, "primary": true}],
            });
            let (status, answer) = server.send("POST", "/Users", user.clone()).await;
            let answer = if status == 201 {
                answer
            } else {
                // Where attributes that are not known are refused.
                let least = json!({"schemas": [USER], "userName": name, "displayName": name});
                let (status, answer) = server.send("POST", "/Users", least).await;
                assert_eq!(status, 201, "{}: {answer}", profile.name);
                answer
            };
            ids.push(answer["id"].as_str().unwrap().to_owned());
        }
        assert!([200, 204].contains(&server.set_active(&ids[0], false).await), "{}", profile.name);
        server.take_records();
        let operations = json!([{"op": "replace", "path": "active", "value": false}]);
        let (status, answer) = server.patch(&format!("/Users/{}", ids[1]), operations).await;
        assert_eq!(status, 403, "{}: {answer}", profile.name);
        assert!(answer.to_string().contains("(guard-deactivations)"), "{}: {answer}", profile.name);
        let records = server.take_records();
        assert_eq!(records[0]["rule"], DEACTIVATIONS, "{}", profile.name);
        server.lift(false).await;
        assert!([200, 204].contains(&server.set_active(&ids[1], false).await), "{}", profile.name);
    }
}

/// What goes while the guards are lifted does not count, before or after; with the end of its time the
/// lift is over.
#[tokio::test]
async fn an_operator_lifts_the_guards() {
    let server = Server::new(guards(ceiling().with_count(2)));
    let users = server.users(12).await;
    assert_eq!(server.delete_user(&users[0]).await, 204);
    server.lift(false).await;
    for user in &users[1..6] {
        assert_eq!(server.delete_user(user).await, 204);
    }
    server.wait(599);
    assert_eq!(server.delete_user(&users[6]).await, 204);
    server.wait(1);
    assert_eq!(server.delete_user(&users[7]).await, 204, "the second that counts");
    let path = format!("/Users/{}", users[8]);
    server.refuses("DELETE", &path, Value::Null, DEACTIVATIONS).await;
    // There is nothing that a client can say to have it done.
    for headers in ["/Users/ID?lift=true", "/Users/ID?force=true"] {
        assert_eq!(server.send("DELETE", &headers.replace("ID", &users[8]), Value::Null).await.0, 403);
    }
}

/// A ceiling of zero permits nothing, one of everything all.
#[tokio::test]
async fn the_ends_of_the_scale() {
    for (guard, permitted) in [
        (ceiling().with_count(0), false),
        (ceiling().with_count(u64::MAX), true),
        (ceiling().with_share(0, 0).unwrap(), false),
        (ceiling().with_share(100, 0).unwrap(), true),
        (ceiling().with_share(0, 4).unwrap(), true),
        (ceiling(), true),
    ] {
        let server = Server::new(guards(guard));
        let users = server.users(3).await;
        let group = server.group("g", &users).await;
        let leave = server.leave(&group, &users).await;
        let delete = server.delete_user(&users[0]).await;
        assert_eq!((leave, delete), if permitted { (200, 204) } else { (403, 403) }, "{guard:?}");
    }
}

#[test]
fn a_ceiling_has_limits() {
    let within = |seconds| Ceiling::within(SignedDuration::from_secs(seconds));
    for seconds in [i64::MIN, -1, 0, 59, 366 * 24 * 3600 + 1, i64::MAX] {
        assert!(within(seconds).is_err(), "{seconds}");
    }
    assert_eq!(within(59).unwrap_err().to_string(), "a window of 59s is not between a minute and 366 days");
    assert_eq!(ceiling().with_share(101, 0).unwrap_err().to_string(), "101 percent is more than the whole");
    let all = within(60).unwrap().with_count(3).with_share(100, 7).unwrap();
    let share = all.share().unwrap();
    assert_eq!((all.count(), share.percent(), share.minimum()), (Some(3), 100, 7));
    assert_eq!(all.window(), SignedDuration::from_mins(1));
}
