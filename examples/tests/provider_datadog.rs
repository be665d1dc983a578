//! The provider as Datadog, over real HTTP: roles, managed teams and errors, seen from outside.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod support;

use std::path::Path;
use std::sync::Arc;

use scim_core::TenantId;
use scim_examples::SqlStore;
use scim_profiles::datadog::{DatadogOptions, Team, TeamStore};
use serde_json::{Value, json};
use support::{GROUP, Server, USER, id};

const ROLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/datadog/roles.toml");
const STANDARD: &str = "8c2a5f0e-0000-4000-8000-000000000002";
const BILLING: &str = "8c2a5f0e-0000-4000-8000-000000000004";

fn user(name: &str, roles: Value) -> Value {
    json!({"schemas": [USER], "userName": format!("{name}@example.com"), "roles": roles})
}

/// The error's one text.
#[track_caller]
fn refused(response: support::Response, status: u16) -> String {
    let body = response.expect(status);
    let [text] = body["errors"].as_array().unwrap().as_slice() else { panic!("{body}") };
    assert_eq!(body, json!({"errors": [text]}));
    text.as_str().unwrap().to_owned()
}

/// The teams in the database of a server that has stopped.
fn teams(file: &Path) -> Vec<Team> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqlStore::open(file).await.unwrap();
        let mut options = DatadogOptions::default();
        options.teams = true;
        let teams = TeamStore::new(store.clone(), &options, Arc::new(jiff::Timestamp::now));
        let teams = teams.teams(&TenantId::new("local")).await.unwrap();
        store.close().await;
        teams
    })
}

#[test]
fn roles_and_teams_live_as_at_datadog() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("datadog.db");
    let arguments = ["--profile", "datadog", "--roles", ROLES, "--teams", "--existing-team", "Platform"];
    let server = Server::start(&file, &arguments);
    let client = &server.client;
    assert!(client.base().ends_with("/api/v2/scim"), "{}", client.base());
    let asked = json!([{"value": "8c2a5f0e-0000-4000-8000-00000000ffff"}, {"value": BILLING}]);
    let ann = client.post("/Users", user("ann", asked)).expect(201);
    assert_eq!(ann["roles"], json!([{"value": BILLING, "display": "Billing"}]));
    assert!(ann["meta"]["location"].as_str().unwrap().contains("/api/v2/scim/Users/"), "{ann}");
    let bea = client.post("/Users", user("bea", json!([{"value": "nothing"}]))).expect(201);
    assert_eq!(bea["roles"], json!([{"value": STANDARD, "display": "Datadog Standard Role"}]));
    let (ann, bea) = (id(&ann).to_owned(), id(&bea).to_owned());

    let path = format!("/Users/{ann}");
    let remove = json!([{"op": "remove", "path": "title"}]);
    assert!(refused(client.patch(&path, remove), 400).ends_with("(patch-add-replace)"));
    assert!(refused(client.get("/Users?filter=title%20pr"), 400).contains("userName eq"));
    refused(client.post("/Users", user("ANN", json!([]))), 400);
    refused(client.get("/Users/nobody"), 404);
    refused(client.post("/Bulk", json!({})), 404);

    // Okta finds no group of the name, pushes it, and the team that was there is managed from then on.
    assert_eq!(client.count("/Groups", "displayName eq \"Platform\""), 0);
    let group =
        |name: &str, members: Value| json!({"schemas": [GROUP], "displayName": name, "members": members});
    let platform = client.post("/Groups", group("Platform", json!([{"value": ann}]))).expect(201);
    let sre = client.post("/Groups", group("SRE", json!([{"value": ann}, {"value": bea}]))).expect(201);
    refused(client.post("/Groups", group("Other", json!([{"value": "nobody"}]))), 400);
    refused(client.put(&format!("/Groups/{}", id(&sre)), group("Platform", json!([]))), 409);
    let member = format!("members eq \"{bea}\" and id eq \"{}\"", id(&sre));
    assert_eq!(client.count("/Groups", &member), 1);
    server.stop();
    let before = teams(&file);
    let names = |teams: &[Team]| -> Vec<(String, bool, usize)> {
        teams.iter().map(|team| (team.name.clone(), team.is_managed(), team.members.len())).collect()
    };
    assert_eq!(names(&before), [("Platform".to_owned(), true, 1), ("SRE".to_owned(), true, 2)]);

    // A deletion empties the team and keeps it; the name links it again.
    let server = Server::start(&file, &arguments);
    let client = &server.client;
    client.delete(&format!("/Groups/{}", id(&platform))).expect(204);
    client.delete(&format!("/Groups/{}", id(&sre))).expect(204);
    refused(client.get(&format!("/Groups/{}", id(&sre))), 404);
    client.post("/Groups", group("SRE", json!([{"value": bea}]))).expect(201);
    server.stop();
    let after = teams(&file);
    assert_eq!(names(&after), [("Platform".to_owned(), false, 0), ("SRE".to_owned(), true, 1)]);
    let ids = |teams: &[Team]| teams.iter().map(|team| team.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&after), ids(&before));
    assert_ne!(after[1].group, before[1].group);
}

/// What SCIM does not show of teams: their handles, and those that no group manages.
#[test]
fn the_teams_are_printed_with_their_handles() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("datadog.db");
    let mut printed = Vec::new();
    for handles in ["each", "runs"] {
        let teams =
            ["--profile", "datadog", "--teams", "--existing-team", "Cool (old) group", "--handles", handles];
        let server = Server::start(&file, &teams);
        if handles == "each" {
            let group = json!({"schemas": [GROUP], "displayName": "Platform Leads (EU)"});
            let made = server.client.post("/Groups", group).expect(201);
            assert!(made.get("handle").is_none());
        }
        // Also while it is served.
        let output = std::process::Command::new(support::program("provider"))
            .args(["--profile", "datadog", "--database", file.to_str().unwrap(), "teams"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let line = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
        let shown =
            |team: Value| format!("{} {} {}", team["name"], team["handle"], team["group"].is_string());
        printed.push(text.lines().map(line).map(shown).collect::<Vec<_>>());
        server.stop();
    }
    assert_eq!(
        printed[0],
        [
            "\"Cool (old) group\" \"cool--old--group\" false",
            "\"Platform Leads (EU)\" \"platform-leads--eu-\" true",
        ]
    );
    assert_eq!(
        printed[1],
        [
            "\"Cool (old) group\" \"cool-old-group\" false",
            "\"Platform Leads (EU)\" \"platform-leads-eu\" true",
        ]
    );
    let output = std::process::Command::new(support::program("provider"))
        .args(["--profile", "generic", "--database", file.to_str().unwrap(), "teams"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.trim()), (Some(1), "error: `teams` needs `--profile datadog`"));
}

#[test]
fn what_was_dropped_is_in_the_audit_trail() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit.jsonl");
    let arguments =
        ["--memory-store", "--profile", "datadog", "--roles", ROLES, "--audit-log", log.to_str().unwrap()];
    let server = Server::start_with(&arguments);
    server.client.post("/Users", user("ann", json!([{"value": "nothing"}, {"value": BILLING}]))).expect(201);
    server.stop();
    let text = std::fs::read_to_string(log).unwrap();
    let record: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let remark = "roles[0].value: `nothing` is no role of the organisation, and is dropped (role-matched)";
    assert_eq!((&record["effect"], &record["remarks"]), (&json!("created"), &json!([remark])));
}

/// The description of the service has the errors that are answered.
#[test]
fn the_description_has_errors_of_datadogs_shape() {
    let server = Server::in_memory(&["--profile", "datadog"]);
    let root = server.client.base().strip_suffix("/api/v2/scim").unwrap();
    let document = support::Client::new(root).get("/openapi.json").expect(200);
    assert_eq!(document["components"]["schemas"]["Error"]["required"], json!(["errors"]));
}

#[test]
fn an_organisation_can_have_it_otherwise() {
    let server = Server::in_memory(&["--profile", "datadog"]);
    refused(server.client.get("/Groups"), 404);
    let ann = server.client.post("/Users", user("ann", json!([{"value": BILLING}]))).expect(201);
    assert_eq!(ann["roles"], Value::Null, "no role is known");
    let path = format!("/Users/{}", id(&ann));
    let leave = json!([{"op": "Replace", "path": "active", "value": "False"}]);
    assert_eq!(server.client.patch(&path, leave.clone()).expect(200)["active"], false);
    server.stop();

    let printed = "https://app.datadoghq.com/api/scim/v2";
    let server = Server::in_memory(&[
        "--profile",
        "datadog",
        "--teams",
        "--match-teams",
        "handle",
        "--existing-team",
        "cool group",
        "--deactivation",
        "remove",
        "--duplicate-status",
        "409",
        "--locations",
        printed,
    ]);
    let client = &server.client;
    let ann = client.post("/Users", user("ann", json!([]))).expect(201);
    assert_eq!(ann["meta"]["location"], json!(format!("{printed}/Users/{}", id(&ann))));
    refused(client.post("/Users", user("ann", json!([]))), 409);
    client.post("/Groups", json!({"schemas": [GROUP], "displayName": "Cool Group"})).expect(201);
    client.patch(&format!("/Users/{}", id(&ann)), leave).expect(204);
    refused(client.get(&format!("/Users/{}", id(&ann))), 404);
}
