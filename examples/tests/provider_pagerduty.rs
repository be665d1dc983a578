//! The provider as PagerDuty, over real HTTP: what is PagerDuty's own, seen from outside.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod sql_support;
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use clap::Parser as _;
use scim_examples::provider::{Options, Provider};
use serde_json::{Value, json};
use sql_support::Postgres;
use support::{Client, GROUP, Response, Server, TOKEN, USER, id};

fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name, "displayName": "Somebody"})
}

#[test]
fn users_live_and_go_as_at_pagerduty() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pagerduty.db");
    let server = Server::start(&file, &["--profile", "pagerduty"]);
    let client = &server.client;
    let alex = client.post("/Users", user("alex@example.com")).expect(201);
    assert_eq!(id(&alex).len(), 26);
    assert_eq!(alex["meta"], json!({"resourceType": "User"}));
    assert_eq!(alex["roles"], json!([{"value": "user", "type": "base", "primary": true}]));

    let path = format!("/Users/{}", id(&alex));
    let role = json!([{"op": "replace", "path": "roles", "value": [{"value": "observer", "primary": true}]}]);
    let changed = client.patch(&path, role).expect(200);
    assert_eq!(changed["roles"], json!([{"value": "observer", "type": "base", "primary": true}]));
    let owner = json!([{"op": "replace", "path": "roles", "value": [{"value": "owner", "primary": true}]}]);
    client.patch(&path, owner).expect(400);

    assert_eq!(client.count("/Users", "userName eq \"alex@example.com\""), 1);
    client.get("/Users?filter=displayName%20eq%20%22Somebody%22").expect(400);
    client.post("/Groups", json!({"schemas": [GROUP], "displayName": "Staff"})).expect(404);

    // What the policy decided was stored, not only shown.
    server.stop();
    let server = Server::start(&file, &["--profile", "pagerduty"]);
    let client = &server.client;
    assert_eq!(client.get(&path).expect(200), changed);

    // Deactivating deletes, and who is deleted is not reactivated but made anew.
    assert_eq!(
        client.patch(&path, json!([{"op": "replace", "value": {"active": false}}])).expect(204),
        Value::Null
    );
    client.get(&path).expect(404);
    client.patch(&path, json!([{"op": "replace", "value": {"active": true}}])).expect(404);
    let anew = client.post("/Users", user("alex@example.com")).expect(201);
    assert_ne!(id(&anew), id(&alex));
    let mut inactive = user("kim@example.com");
    inactive["active"] = json!(false);
    client.post("/Users", inactive).expect(400);
}

#[test]
fn all_three_spellings_of_the_token_are_taken() {
    let server = Server::in_memory(&["--profile", "pagerduty"]);
    for (authorization, status) in [
        (format!("Bearer {TOKEN}"), 200),
        (format!("Token token={TOKEN}"), 200),
        (format!("Bearer token={TOKEN}"), 200),
        (format!("Token {TOKEN}"), 401),
        (format!("token={TOKEN}"), 401),
        ("Token token=".to_owned(), 401),
    ] {
        let request = format!(
            "GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {authorization}\r\n\r\n"
        );
        let (head, _) = server.client.raw(request.as_bytes());
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{authorization}: {head}");
    }
}

#[test]
fn a_duplicate_is_400_or_409_as_told() {
    for (arguments, status) in [(&[][..], 400), (&["--duplicate-status", "409"][..], 409)] {
        let server = Server::in_memory(&[&["--profile", "pagerduty"], arguments].concat());
        server.client.post("/Users", user("alex@example.com")).expect(201);
        let refused = server.client.post("/Users", user("ALEX@example.com")).expect(status);
        assert_eq!(refused["scimType"], "uniqueness");
        assert_eq!(refused["status"], status.to_string());
    }
}

#[test]
fn who_holds_an_incident_stays_unless_incidents_are_reassigned() {
    let holding = ["--profile", "pagerduty", "--hold-incident", "Alex@example.com"];
    let server = Server::in_memory(&holding);
    let client = &server.client;
    let path = |user: &Value| format!("/Users/{}", id(user));
    let alex = path(&client.post("/Users", user("alex@example.com")).expect(201));
    let kim = path(&client.post("/Users", user("kim@example.com")).expect(201));
    let refused = client.delete(&alex).expect(400);
    assert!(refused["detail"].as_str().unwrap().contains("incident"), "{refused}");
    client.patch(&alex, json!([{"op": "replace", "path": "active", "value": "False"}])).expect(400);
    client.get(&alex).expect(200);
    client.delete(&kim).expect(204);

    let server = Server::in_memory(&[&holding[..], &["--offboarding", "reassign"]].concat());
    let alex = path(&server.client.post("/Users", user("alex@example.com")).expect(201));
    server.client.delete(&alex).expect(204);
}

/// A file of licences: so many for full users, so many for stakeholders.
fn licenses(folder: &Path, full: Value, stakeholder: Value) -> String {
    let file = folder.join("licenses.json");
    let list = json!({"licenses": [
        {"id": "F", "name": "Full User", "role_group": "FullUser", "allocations_available": full},
        {"id": "S", "name": "Stakeholder", "role_group": "Stakeholder", "allocations_available": stakeholder},
    ]});
    std::fs::write(&file, list.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

fn set_role(client: &Client, path: &str, role: &str) -> Response {
    let value = json!([{"value": role, "type": "base"}]);
    client.patch(path, json!([{"op": "replace", "path": "roles", "value": value}]))
}

#[test]
fn licences_run_out_are_swapped_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = licenses(folder.path(), json!(2), json!(1));
    let database = folder.path().join("pagerduty.db");
    let arguments = ["--profile", "pagerduty", "--licenses", &file];
    for in_memory in [true, false] {
        let server = match in_memory {
            true => Server::start_with(&[&arguments[..], &["--memory-store"]].concat()),
            false => Server::start(&database, &arguments),
        };
        let client = &server.client;
        let alex = client.post("/Users", user("alex@example.com")).expect(201);
        let full = json!([{"type": "license", "value": "F"}]);
        assert_eq!(alex["entitlements"], full);
        client.post("/Users", user("kim@example.com")).expect(201);
        let refused = client.post("/Users", user("lee@example.com")).expect(400);
        assert_eq!(
            refused,
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                "scimType": "invalidValue",
                "status": "400",
                "detail": "roles[0].value: Invalid Input Provided: License error: License is not available: no allocation \
                           of `F` is left for the role `user` (license-exhausted)",
            })
        );

        let path = format!("/Users/{}", id(&alex));
        let swapped = set_role(client, &path, "read_only_user").expect(200);
        assert_eq!(swapped["entitlements"], json!([{"type": "license", "value": "S"}]));
        assert_eq!(client.get(&path).expect(200), swapped);
        let lee = client.post("/Users", user("lee@example.com")).expect(201);
        assert_eq!(lee["entitlements"], full);
        set_role(client, &path, "admin").expect(400);
        assert_eq!(client.get(&path).expect(200), swapped, "nothing of it is stored");
        client.delete(&format!("/Users/{}", id(&lee))).expect(204);
        assert_eq!(set_role(client, &path, "admin").expect(200)["entitlements"], full);
    }

    // What was given is known after a restart.
    let server = Server::start(&database, &arguments);
    server.client.post("/Users", user("lee@example.com")).expect(400);
}

#[test]
fn two_servers_over_one_database_give_no_more_than_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = licenses(folder.path(), json!(7), json!(null));
    let arguments = |database: &[&str]| {
        [&["--profile", "pagerduty", "--licenses", &file], database]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let sqlite = folder.path().join("shared.db");
    let mut databases: Vec<Vec<String>> = vec![arguments(&["--database", sqlite.to_str().unwrap()])];
    let postgres = Postgres::start();
    if let Some(postgres) = &postgres {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = runtime.block_on(postgres.database("licenses"));
        databases.push(arguments(&["--database-url", &url]));
    }
    for database in databases {
        let line: Vec<&str> = database.iter().map(String::as_str).collect();
        let servers = [Server::start_with(&line), Server::start_with(&line)];
        let send = |number: usize| {
            let client = servers[number % 2].client.clone();
            let answer = client.post("/Users", user(&format!("u{number}@example.com")));
            if answer.status == 201 && number.is_multiple_of(4) {
                // It comes and goes.
                client.delete(&format!("/Users/{}", id(&answer.body))).expect(204);
            }
            answer
        };
        let answers: Vec<Response> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..24).map(|number| scope.spawn(move || send(number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut held = BTreeMap::<String, usize>::new();
        let list = servers[0].client.get("/Users").expect(200);
        for user in list["Resources"].as_array().unwrap() {
            *held.entry(user["entitlements"][0]["value"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        assert!(held["F"] <= 7, "{held:?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(answer.status, 400, "{}", answer.body);
            assert!(answer.body["detail"].as_str().unwrap().contains("license-exhausted"), "{}", answer.body);
        }
        // What is left can be given, at either server, and no more than that.
        for number in held["F"]..9 {
            let answer =
                servers[number % 2].client.post("/Users", user(&format!("last{number}@example.com")));
            assert_eq!(answer.status, if number < 7 { 201 } else { 400 }, "{number}: {}", answer.body);
        }
    }
}

#[test]
fn there_is_one_owner_whom_no_request_changes() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("owner.db");
    let arguments = ["--profile", "pagerduty", "--owner", "owner@example.com"];
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Somebody Else"}]);
    let path = {
        let server = Server::start(&database, &arguments);
        let client = &server.client;
        let found = client.get("/Users?filter=userName%20eq%20%22owner%40example.com%22").expect(200);
        let owner = &found["Resources"][0];
        assert_eq!(owner["roles"], json!([{"value": "owner", "type": "base", "primary": true}]));
        let path = format!("/Users/{}", id(owner));
        client.patch(&path, rename.clone()).expect(403);
        client.delete(&path).expect(403);
        client.patch(&path, json!([{"op": "replace", "value": {"active": false}}])).expect(403);
        path
    };
    let options = ["--owner-protection", "role"];
    let server = Server::start(&database, &[&arguments[..], &options].concat());
    assert_eq!(server.client.patch(&path, rename).expect(200)["displayName"], "Somebody Else");
    set_role(&server.client, &path, "user").expect(403);
    server.client.delete(&path).expect(403);
    server.stop();

    let other = ["--profile", "pagerduty", "--owner", "other@example.com"];
    let refused = start(&[&other[..], &["--database", database.to_str().unwrap()]].concat());
    assert!(refused.contains("the account has the owner `owner@example.com`"), "{refused}");
}

#[test]
fn an_account_without_an_ability_has_no_role_that_needs_it() {
    let created = |without: &[&str], role: &str| {
        let options = without.iter().flat_map(|ability| ["--without-ability", ability]);
        let server =
            Server::in_memory(&["--profile", "pagerduty"].into_iter().chain(options).collect::<Vec<_>>());
        let mut body = user("alex@example.com");
        body["roles"] = json!([{"value": role, "type": "base"}]);
        server.client.post("/Users", body)
    };
    for (ability, role, other) in [
        ("read_only_users", "read_only_limited_user", "observer"),
        ("advanced_permissions", "observer", "read_only_limited_user"),
    ] {
        created(&[], role).expect(201);
        let refused = created(&[ability], role).expect(400);
        assert!(refused["detail"].as_str().unwrap().contains("(role-ability-needed)"), "{refused}");
        created(&[ability], other).expect(201);
        created(&["read_only_users", "advanced_permissions"], other).expect(400);
    }
}

#[test]
fn incidents_of_a_file_stand_in_the_way_or_are_reassigned() {
    let incidents = concat!(env!("CARGO_MANIFEST_DIR"), "/pagerduty/incidents.json");
    let licenses = concat!(env!("CARGO_MANIFEST_DIR"), "/pagerduty/licenses.json");
    let files = ["--profile", "pagerduty", "--licenses", licenses, "--incidents", incidents];
    let deletion = |options: &[&str]| {
        let server = Server::in_memory(&[&files[..], options].concat());
        let alex = server.client.post("/Users", user("Alex.Doe@example.com")).expect(201);
        assert_eq!(alex["entitlements"], json!([{"type": "license", "value": "PFULL01"}]));
        server.client.delete(&format!("/Users/{}", id(&alex))).status
    };
    assert_eq!(deletion(&[]), 400);
    assert_eq!(deletion(&["--offboarding", "fail"]), 400);
    assert_eq!(deletion(&["--offboarding", "reassign"]), 204);
    assert_eq!(deletion(&["--offboarding", "reassign", "--plan", "business"]), 204);
    let refused = start(&["--profile", "pagerduty", "--offboarding", "reassign", "--plan", "other"]);
    assert_eq!(refused, "`--offboarding reassign` needs a plan that has it, which `--plan other` has not");
}

#[test]
fn what_is_no_account_is_refused() {
    assert_eq!(start(&["--licenses", "x.json"]), "`--licenses` needs `--profile pagerduty`");
    assert_eq!(start(&["--plan", "business"]), "`--plan` needs `--profile pagerduty`");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.json");
    let name = file.to_str().unwrap();
    for (text, said) in [
        ("{", "is not JSON that SCIM allows"),
        (
            r#"{"licenses": [{"id": "F"}]}"#,
            "is no list of licences: licenses[0]: there is no `allocations_available`",
        ),
        (r#"{"licenses": []}"#, "is no list of licences: there is none in it"),
        (
            r#"{"licenses": [{"id": "F", "valid_roles": ["boss"], "allocations_available": 1}]}"#,
            "is no list of licences: licenses[0]: the licence `F` has `boss` in `valid_roles`, which is no role",
        ),
        (
            r#"{"licenses": [{"id": "F", "valid_roles": [], "allocations_available": 1}]}"#,
            "is no list of licences: licenses[0]: the licence `F` has no `valid_roles`",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let refused = start(&["--profile", "pagerduty", "--licenses", name]);
        assert!(refused.contains(said) && refused.contains(name), "{refused}");
    }
    for option in ["--owner", "--hold-incident"] {
        let refused = start(&["--profile", "pagerduty", option, "bob"]);
        assert!(
            refused.starts_with(&format!("`{option} bob`: no user can have this userName: ")),
            "{refused}"
        );
        assert!(refused.contains("(user-name-email)"), "{refused}");
    }
    let refused = start(&["--profile", "pagerduty", "--incidents", name]);
    assert!(refused.contains("is no list of incidents: there is no array `incidents`"), "{refused}");
}

/// Why a provider does not start.
fn start(arguments: &[&str]) -> String {
    let common = ["provider", "--listen", "127.0.0.1:0", "--token", TOKEN];
    let database = if arguments.contains(&"--database") { &[][..] } else { &["--memory-store"] };
    let options = Options::try_parse_from(common.iter().chain(arguments).chain(database)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match runtime.block_on(Provider::start(options)) {
        Ok(_) => String::new(),
        Err(error) => format!("{error:#}"),
    }
}
