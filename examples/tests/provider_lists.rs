//! Sorted lists and pages by cursor of the generic provider, over real HTTP and a database file.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use serde_json::{Value, json};
use support::{Client, GROUP, Server, id, user};

const KEY: &str = "a-cursor-key-that-servers-share..";

fn names(list: &Value) -> Vec<&str> {
    let resources = list["Resources"].as_array().unwrap();
    resources.iter().map(|one| one["userName"].as_str().or(one["displayName"].as_str()).unwrap()).collect()
}

/// All names, page by page.
fn walk(client: &Client, query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let list = client.get(&format!("{query}&cursor={cursor}")).expect(200);
        found.extend(names(&list).into_iter().map(str::to_owned));
        match list["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return found,
        }
    }
}

#[test]
fn lists_are_sorted_and_paged_by_cursor() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&directory.path().join("scim.db"), &[]);
    let client = &server.client;
    for (name, title, family) in
        [("cid", Some("b"), "Ö"), ("Ann", None, "z"), ("bob", Some("A"), "A"), ("dan", Some("c"), "b")]
    {
        let mut new = user(name);
        new["title"] = json!(title);
        new["name"] = json!({ "familyName": family });
        client.post("/Users", new).expect(201);
    }
    for (query, expected) in [
        ("sortBy=userName", ["Ann", "bob", "cid", "dan"]),
        ("sortBy=userName&sortOrder=descending", ["dan", "cid", "bob", "Ann"]),
        ("sortBy=title", ["bob", "cid", "dan", "Ann"]),
        ("sortBy=title&sortOrder=descending", ["Ann", "dan", "cid", "bob"]),
        ("sortBy=name.familyName", ["bob", "dan", "Ann", "cid"]),
        ("sortBy=meta.created", ["cid", "Ann", "bob", "dan"]),
    ] {
        assert_eq!(names(&client.get(&format!("/Users?{query}")).expect(200)), expected, "{query}");
        for count in 1..6 {
            assert_eq!(walk(client, &format!("/Users?{query}&count={count}")), expected, "{query}, {count}");
        }
    }
    assert_eq!(walk(client, "/Users?count=3&filter=title+pr"), ["cid", "bob", "dan"]);

    client.post("/Groups", json!({"schemas": [GROUP], "displayName": "Apes"})).expect(201);
    let all = client.get("/?sortBy=userName").expect(200);
    assert_eq!(names(&all), ["Ann", "bob", "cid", "dan", "Apes"]);
    assert_eq!(walk(client, "/?count=2&sortBy=userName"), ["Ann", "bob", "cid", "dan", "Apes"]);
    assert_eq!(walk(client, "/?count=2"), ["cid", "Ann", "bob", "dan", "Apes"]);

    let config = client.get("/ServiceProviderConfig").expect(200);
    assert_eq!(config["sort"], json!({"supported": true}));
    assert_eq!(config["pagination"]["cursor"], true);
    let refused = client.get("/Groups?sortBy=members.value").expect(400);
    assert_eq!(refused["scimType"], "invalidValue");
    assert_eq!(refused["detail"], "`sortBy` is not supported: `members` has no order");
}

#[test]
fn a_cursor_outlives_the_process_with_the_key() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("scim.db");
    let server = Server::start(&file, &["--cursor-key", KEY]);
    for name in ["ann", "bob", "cid"] {
        server.client.post("/Users", user(name)).expect(201);
    }
    let first = server.client.get("/Users?sortBy=userName&count=2&cursor").expect(200);
    let path = format!("/Users?sortBy=userName&count=2&cursor={}", first["nextCursor"].as_str().unwrap());
    server.stop();

    let server = Server::start(&file, &["--cursor-key", KEY]);
    let second = server.client.get(&path).expect(200);
    assert_eq!((names(&second), &second["totalResults"]), (vec!["cid"], &json!(3)));
    server.stop();

    let server = Server::start(&file, &[]);
    assert_eq!(server.client.get(&path).expect(400)["scimType"], "invalidCursor");
}

/// Pages of one client while others come and go: who is there all the time is met exactly once.
#[test]
fn pages_are_whole_while_others_write() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&directory.path().join("scim.db"), &[]);
    let client = &server.client;
    let staying: Vec<String> = (0..30).map(|number| format!("stays-{number:02}")).collect();
    for name in &staying {
        client.post("/Users", user(name)).expect(201);
    }
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..20 {
                let early = client.post("/Users", user(&format!("a-{round}"))).expect(201);
                client.post("/Users", user(&format!("stays-{round:02}-and-comes"))).expect(201);
                client.delete(&format!("/Users/{}", id(&early))).expect(204);
            }
        });
        for query in
            ["/Users?count=4", "/Users?count=4&sortBy=userName", "/Users?count=4&sortBy=meta.created"]
        {
            let found = walk(client, query);
            for name in &staying {
                assert_eq!(found.iter().filter(|found| *found == name).count(), 1, "{query}: {name}");
            }
        }
        writer.join().unwrap();
    });
}

#[test]
fn pagerduty_neither_sorts_nor_has_cursors() {
    let server = Server::in_memory(&["--profile", "pagerduty"]);
    let config = server.client.get("/ServiceProviderConfig").expect(200);
    assert_eq!((config["sort"]["supported"].as_bool(), config.get("pagination")), (Some(false), None));
}
