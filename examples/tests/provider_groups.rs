//! Who is in which group, over HTTP and each database: `groups` of users, filters on them, deletions,
//! and `/Me`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod sql_support;
mod support;

use serde_json::{Value, json};
use sql_support::Postgres;
use support::{Client, GROUP, Server, id, user};

#[test]
fn memberships_over_sqlite() {
    check(&Server::in_memory(&["--me", "USER-ann"]).client);
}

#[test]
fn memberships_over_memory() {
    check(&Server::start_with(&["--memory-store", "--me", "USER-ann"]).client);
}

#[test]
fn memberships_over_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = runtime.block_on(postgres.database("groups"));
    let server = Server::start_with(&["--database-url", &url, "--me", "USER-ann"]);
    check(&server.client);
    server.stop();
}

#[test]
fn nobody_is_me_where_nobody_was_said_to_be() {
    Server::in_memory(&[]).client.get("/Me").expect(501);
}

/// A client may send groups before their users, if the server is told that it does.
#[test]
fn members_may_come_before_the_users_they_are() {
    let group = |members: Value| json!({"schemas": [GROUP], "displayName": "Staff", "members": members});
    let early = group(json!([{"value": "not-yet"}]));
    let checks = Server::in_memory(&[]);
    let refused = checks.client.post("/Groups", early.clone()).expect(400);
    assert_eq!(refused["detail"], "`members` names `not-yet`, and there is no such resource");
    checks.stop();
    for store in ["--memory-store", "--database=:memory:"] {
        let server = Server::start_with(&[store, "--no-check-members"]);
        let client = &server.client;
        let staff = client.post("/Groups", early.clone()).expect(201);
        assert_eq!(staff["members"], json!([{"value": "not-yet"}]));
        let path = format!("/Groups/{}", id(&staff));
        let ann = client.post("/Users", user("ann")).expect(201);
        let add =
            json!([{"op": "add", "path": "members", "value": [{"value": "nor-this"}, {"value": id(&ann)}]}]);
        client.patch(&path, add).expect(200);
        let found = client.get(&format!("/Users/{}", id(&ann))).expect(200);
        assert_eq!(found["groups"][0]["value"], staff["id"]);
        client.put(&path, group(json!([{"value": "another"}]))).expect(200);
        assert_eq!(client.get(&path).expect(200)["members"], json!([{"value": "another"}]));
        server.stop();
    }
}

/// Circles are as in the RFC's example, unless the server is told otherwise.
#[test]
fn groups_are_nested_as_far_as_the_server_is_told() {
    for (which, status) in [("any", 200), ("no-circle", 400), ("none", 400)] {
        let server = Server::in_memory(&["--nesting", which]);
        let client = &server.client;
        let group = json!({"schemas": [GROUP], "displayName": "Staff"});
        let path = format!("/Groups/{}", id(&client.post("/Groups", group).expect(201)));
        let itself = json!([{"op": "add", "path": "members", "value": [{"value": path.rsplit('/').next()}]}]);
        client.patch(&path, itself).expect(status);
        server.stop();
    }
    let server = Server::in_memory(&["--canonical-values", "only"]);
    let mut ann = user("ann");
    ann["emails"] = json!([{"value": "ann@example.com", "type": "vacation"}]);
    let refused = server.client.post("/Users", ann).expect(400);
    assert_eq!(refused["detail"], "`emails[0].type` must be one of `work`, `home`, `other`, not `vacation`");
    server.stop();
}

/// Groups further up than the server is told are none of a user's, in answers and in filters.
#[test]
fn groups_count_up_to_the_level_that_the_server_is_told() {
    for store in ["--memory-store", "--database=:memory:"] {
        for (arguments, levels) in
            [(&[][..], 16), (&["--max-group-levels", "1"], 1), (&["--max-group-levels", "19"], 19)]
        {
            let server = Server::start_with(&[&[store], arguments].concat());
            let client = &server.client;
            let ann = id(&client.post("/Users", user("ann")).expect(201)).to_owned();
            let mut groups: Vec<String> = Vec::new();
            for number in 0..20 {
                let below = groups.last().unwrap_or(&ann);
                let members = json!([{"value": below}]);
                let group =
                    json!({"schemas": [GROUP], "displayName": format!("g{number}"), "members": members});
                groups.push(id(&client.post("/Groups", group).expect(201)).to_owned());
            }
            let found = client.get(&format!("/Users/{ann}")).expect(200);
            let shown: Vec<&Value> =
                found["groups"].as_array().unwrap().iter().map(|group| &group["value"]).collect();
            assert_eq!(shown, groups[..levels].iter().collect::<Vec<_>>());
            for level in [levels, levels + 1] {
                let filter = format!("groups.value eq \"{}\"", groups[level - 1]);
                assert_eq!(
                    client.count("/Users", &filter),
                    u64::from(level == levels),
                    "{level} of {levels}"
                );
            }
            server.stop();
        }
    }
}

/// Also by two requests at the same moment, and however long the chain between the ends of the circle is.
#[test]
fn no_circle_is_closed_where_none_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scim.db").display().to_string();
    for store in [&["--memory-store"][..], &["--database", &file]] {
        let server = Server::start_with(&[store, &["--nesting", "no-circle"]].concat());
        let client = &server.client;
        for round in 0..30 {
            support::close_a_circle([client, &client.clone()], round);
        }
        let mut chain: Vec<String> = Vec::new();
        for number in 0..40 {
            let members: Vec<Value> = chain.last().iter().map(|below| json!({"value": below})).collect();
            let group = json!({"schemas": [GROUP], "displayName": format!("c{number}"), "members": members});
            chain.push(id(&client.post("/Groups", group).expect(201)).to_owned());
        }
        for above in [1, 15, 16, 17, 39] {
            let add = json!([{"op": "add", "path": "members", "value": [{"value": chain[above]}]}]);
            let refused = client.patch(&format!("/Groups/{}", chain[0]), add).expect(400);
            assert_eq!(refused["scimType"], "invalidValue");
        }
        server.stop();
    }
}

fn check(client: &Client) {
    client.get("/Me").expect(404);
    let mut ids = Vec::new();
    for name in ["user-ann", "user-bob", "user-cid"] {
        ids.push(id(&client.post("/Users", user(name)).expect(201)).to_owned());
    }
    let [ann, bob, cid] = &ids[..] else { unreachable!("three users") };
    let group = |name: &str, members: &[&String]| {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let body = json!({"schemas": [GROUP], "displayName": name, "members": members});
        id(&client.post("/Groups", body).expect(201)).to_owned()
    };
    let staff = group("Staff", &[ann, bob]);
    let all = group("All", &[&staff, cid]);
    // A circle does no harm.
    let add = json!([{"op": "add", "path": "members", "value": [{"value": all}]}]);
    client.patch(&format!("/Groups/{staff}"), add).expect(200);

    let groups = |user: &Value| -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let groups = user["groups"].as_array().cloned().unwrap_or_default();
        groups
            .iter()
            .map(|group| (text(&group["value"]), text(&group["display"]), text(&group["type"])))
            .collect()
    };
    let in_both = [
        (staff.clone(), "Staff".to_owned(), "direct".to_owned()),
        (all.clone(), "All".to_owned(), "indirect".to_owned()),
    ];
    assert_eq!(groups(&client.get(&format!("/Users/{ann}")).expect(200)), in_both);
    let list = client.get("/Users?count=10").expect(200);
    let found: Vec<usize> =
        list["Resources"].as_array().unwrap().iter().map(|user| groups(user).len()).collect();
    assert_eq!(found, [2, 2, 2]);
    let bare = client.get("/Users?excludedAttributes=groups").expect(200);
    assert!(bare["Resources"].as_array().unwrap().iter().all(|user| user.get("groups").is_none()));

    for (filter, found) in [
        (format!("groups.value eq \"{all}\""), 3),
        (format!("groups[value eq \"{all}\" and type eq \"direct\"]"), 1),
        (format!("groups[value eq \"{staff}\" and type eq \"indirect\"]"), 1),
        (format!("groups eq \"{staff}\" and userName eq \"user-bob\""), 1),
        ("groups.display co \"STAF\"".to_owned(), 3),
        ("not (groups.display eq \"staff\")".to_owned(), 0),
        ("groups pr".to_owned(), 3),
        ("groups.value eq \"nobody\"".to_owned(), 0),
    ] {
        assert_eq!(client.count("/Users", &filter), found, "{filter}");
    }

    // The token is Ann's.
    let me = client.get("/Me").expect(200);
    assert_eq!((me["id"].as_str(), groups(&me).len()), (Some(ann.as_str()), 2));

    // Who is deleted is in no group any more, and the group is another.
    let before = client.get(&format!("/Groups/{staff}")).expect(200);
    client.delete(&format!("/Users/{bob}")).expect(204);
    let after = client.get(&format!("/Groups/{staff}")).expect(200);
    assert_ne!(before["meta"]["version"], after["meta"]["version"]);
    let left: Vec<&str> =
        after["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect();
    assert_eq!(left, [ann.as_str(), all.as_str()]);
    client.delete("/Me").expect(204);
    client.get("/Me").expect(404);
    client.delete(&format!("/Groups/{staff}")).expect(204);
    let all = client.get(&format!("/Groups/{all}")).expect(200);
    assert_eq!(all["members"].as_array().map(Vec::len), Some(1));
}
