//! The identity providers played against the real service: all pass, and each speaks as it really does.

use crate::support::{Faults, Habits, Seen, Server, TOKEN, run};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use serde_json::json;

/// Every script and variant there is.
const SCRIPTS: [&str; 8] = [
    "--as okta",
    "--as okta --okta-app aiw",
    "--as entra",
    "--as entra --entra-flag",
    "--as onelogin",
    "--as onelogin --onelogin-delete suspend",
    "--as onelogin --onelogin-delete nothing",
    "--as jumpcloud",
];

async fn all_pass(habits: Habits, arguments: &str) {
    for script in SCRIPTS {
        let server = Server::start(habits, Faults::default()).await;
        // The second run finds nothing of the first in its way.
        for _ in 0..2 {
            let run = server.run(&format!("{script} {arguments} --seed 7")).await;
            assert_eq!(run.differences(), [""; 0], "{script} {arguments}");
            assert!(run.passed, "{script} {arguments}: {}", run.text);
            assert_eq!(run.report["cleanUp"]["left"], 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_script_passes_against_the_generic_profile() {
    all_pass(Habits::Generic, "--users 4 --groups 2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_script_passes_with_one_user_and_more_groups_than_users() {
    all_pass(Habits::Generic, "--users 1 --groups 3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_part_of_every_script_passes_against_the_generic_profile() {
    all_pass(Habits::Generic, "--users 2 --users-only").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_part_of_every_script_passes_against_pagerduty() {
    all_pass(Habits::PagerDuty, "--users 2 --profile pagerduty --license PABC123").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_script_passes_against_incident_io() {
    all_pass(Habits::IncidentIo, "--users 4 --groups 2 --profile incident-io").await;
}

/// Whoever was in a team of the run has the on-call seat it gave, whether or not the team is still there:
/// seen with those who leave users behind.
#[tokio::test(flavor = "multi_thread")]
async fn what_groups_gave_is_seen_at_incident_io() {
    for script in ["--as okta", "--as okta --okta-app aiw", "--as onelogin --onelogin-delete nothing"] {
        let server = Server::start(Habits::IncidentIo, Faults::default()).await;
        let run = server.run(&format!("{script} --users 4 --groups 2 --seed 7 --keep")).await;
        assert!(run.passed, "{script}: {:?}", run.differences());
        let seats = "/Users?filter=urn:scim-profiles:schemas:incident-io:1.0:EffectiveAccess:onCallSeat%20ne%20%22none%22";
        assert!(server.count_of(seats).await > 0, "{script}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pagerduty_is_recognised() {
    let server = Server::start(Habits::PagerDuty, Faults::default()).await;
    let run = server.run("--as okta").await;
    assert_eq!(run.report["profile"], "pagerduty");
    assert_eq!(run.report["groups"], 0);
    assert!(run.passed, "{:?}", run.differences());
    let of_groups: Vec<_> = server.seen().into_iter().filter(|seen| seen.line.contains("/Groups")).collect();
    let lines: Vec<_> = of_groups.iter().map(|seen| seen.line.as_str()).collect();
    assert_eq!(lines, ["GET /scim/v2/Groups?startIndex=1&count=100", "POST /scim/v2/Groups"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_has_a_row_for_each_step_and_never_the_token() {
    let server = Server::start(Habits::Generic, Faults::default()).await;
    let (_, text) = run(&server.url, TOKEN, "--as okta --users 2").await.unwrap();
    assert!(text.contains("create ×2"), "{text}");
    assert!(text.contains("PASSED as okta against http://127.0.0.1:"), "{text}");
    assert!(text.contains("clean-up: 2 deleted, 0 left"), "{text}");
    assert!(!text.contains(TOKEN), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_run_is_left_unless_it_is_asked_for() {
    for (arguments, left) in [("", 0), ("--keep", 2)] {
        let server = Server::start(Habits::Generic, Faults::default()).await;
        let run = server.run(&format!("--as okta --users 2 --groups 1 {arguments}")).await;
        assert!(run.passed, "{:?}", run.differences());
        assert_eq!(server.count("/Users").await, left, "{arguments}");
        assert_eq!(server.count("/Groups").await, 0, "{arguments}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn okta_speaks_as_okta() {
    let seen = wire("--as okta --users 2 --groups 1 --keep").await;
    for request in &seen {
        assert_eq!(request.headers[USER_AGENT], "Okta SCIM Client 1.0.0");
        assert_eq!(request.headers[ACCEPT], "application/scim+json");
        assert_eq!(request.headers["accept-encoding"], "gzip,deflate");
        assert!(!request.line.starts_with("DELETE /scim/v2/Users"), "Okta never deletes users");
    }
    let lookup = "GET /scim/v2/Users?filter=userName%20eq%20%22alex.00000007.0%40example.com%22&startIndex=1&count=100";
    assert!(seen.iter().any(|request| request.line == lookup));
    assert!(bodies(&seen, "POST /scim/v2/Users").all(|body| body["groups"] == json!([])
        && body["password"].is_string()
        && body["externalId"].as_str().unwrap().len() == 20));
    // PATCH for `active` alone; whatever else changes is a PUT.
    let mut patches = bodies(&seen, "PATCH /scim/v2/Users").peekable();
    assert!(patches.peek().is_some());
    assert!(patches.all(|body| body["Operations"][0]["value"]["active"].is_boolean()));
    assert!(bodies(&seen, "PUT /scim/v2/Users").all(|body| body["meta"]["resourceType"] == "User"));
    let all = wire("--as okta --okta-app aiw --users 2 --groups 1 --keep").await;
    assert_eq!(bodies(&all, "PATCH").count(), 0, "a wizard's application sends PUT for everything");
}

#[tokio::test(flavor = "multi_thread")]
async fn entra_speaks_as_entra() {
    let legacy = wire("--as entra --users 2 --groups 1").await;
    for request in &legacy {
        assert_eq!(request.headers["adscimversion"], "6.0");
        assert!(!request.headers.contains_key(USER_AGENT) && !request.headers.contains_key(ACCEPT));
        let typed = request.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap());
        let expected = (!request.body.is_null()).then_some("application/scim+json; charset=utf-8");
        assert_eq!(typed, expected, "{}", request.line);
    }
    let op = |body: &serde_json::Value| body["Operations"][0]["op"].as_str().unwrap().to_owned();
    let legacy_ops: Vec<_> = bodies(&legacy, "PATCH").map(|body| op(&body)).collect();
    assert!(legacy_ops.iter().any(|op| op == "Remove") && legacy_ops.iter().any(|op| op == "Add"));
    assert!(bodies(&legacy, "PATCH").any(|body| body["Operations"][0]["value"] == "False"));
    let flagged = wire("--as entra --entra-flag --users 2 --groups 1").await;
    assert!(bodies(&flagged, "PATCH").any(|body| body["Operations"][0]["value"] == false));
    assert!(
        bodies(&flagged, "PATCH")
            .any(|body| { body["Operations"][1]["value"]["name.familyName"].is_string() })
    );
    assert!(bodies(&flagged, "PATCH").any(|body| {
        body["Operations"][0]["path"].as_str().is_some_and(|path| path.starts_with("members[value eq "))
    }));
    let lookup = "GET /scim/v2/Users?filter=userName+eq+%22alex.00000007.0%40example.com%22";
    assert!(legacy.iter().any(|request| request.line == lookup));
}

#[tokio::test(flavor = "multi_thread")]
async fn onelogin_speaks_as_onelogin() {
    let seen = wire("--as onelogin --users 2 --groups 1").await;
    for request in &seen {
        assert_eq!(request.headers[USER_AGENT], "");
        assert_eq!(request.headers[CONTENT_TYPE], "application/scim+json");
    }
    assert!(seen.iter().any(|request| request.line.ends_with("%40example.com%22&")));
    assert!(seen.iter().any(|request| request.line.starts_with("PUT") && request.line.ends_with('?')));
    assert!(bodies(&seen, "PUT").any(|body| body["active"] == "false"));
    assert!(bodies(&seen, "PUT").any(|body| body["schemas"][0] == "urn:scim:schemas:core:2.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn jumpcloud_speaks_as_jumpcloud() {
    let seen = wire("--as jumpcloud --users 2 --groups 1").await;
    let (first, second) = (&seen[0].line, &seen[1].line);
    assert_eq!((first.as_str(), second.as_str()), ("POST /scim/v2/Users", "POST /scim/v2/Groups"));
    assert!(bodies(&seen, "PUT").any(|body| body["phoneNumbers"] == json!([])));
    assert!(bodies(&seen, "PATCH").any(|body| body["Operations"]
        == json!([{
            "op": "remove", "path": "members", "value": body["Operations"][0]["value"],
        }])));
}

#[tokio::test(flavor = "multi_thread")]
async fn pagerduty_gets_each_spelling_of_the_token() {
    let expected = [
        ("okta", format!("Token token={TOKEN}")),
        ("entra", format!("Bearer token={TOKEN}")),
        ("onelogin", format!("Bearer token={TOKEN}")),
        ("jumpcloud", format!("Bearer {TOKEN}")),
    ];
    for (idp, header) in expected {
        let server = Server::start(Habits::PagerDuty, Faults::default()).await;
        server.run(&format!("--as {idp} --users 1 --profile pagerduty")).await;
        let seen = server.seen();
        assert!(seen.len() > 10 && seen.iter().all(|request| request.headers[AUTHORIZATION] == *header));
    }
}

/// What the server sees of a script, the program's own discovery aside.
async fn wire(arguments: &str) -> Vec<Seen> {
    let server = Server::start(Habits::Generic, Faults::default()).await;
    let run = server.run(&format!("{arguments} --seed 7")).await;
    assert!(run.passed, "{arguments}: {:?}", run.differences());
    let seen = server.seen();
    assert_eq!(seen[0].line, "GET /scim/v2/ResourceTypes");
    seen[1..].to_vec()
}

fn bodies<'a>(seen: &'a [Seen], line: &'a str) -> impl Iterator<Item = serde_json::Value> + 'a {
    seen.iter().filter(move |request| request.line.starts_with(line)).map(|request| request.body.clone())
}
