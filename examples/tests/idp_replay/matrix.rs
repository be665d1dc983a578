//! Every identity provider against every vendor's service: what the vendor supports works, and what it does
//! not is refused as its profile says.

use std::collections::BTreeSet;

use clap::Parser as _;
use scim_examples::provider::{Options, Provider};
use scim_profiles::Profile;
use serde_json::Value;

use crate::replay;
use crate::support::{Faults, Habits, Run, Server, TOKEN, run};

const IDPS: [&str; 3] = ["okta", "entra", "onelogin"];

/// The row of what is refused where groups were not requested, and works where they were.
const ON_REQUEST: &str = "teams-on-request";

/// Two roles of `datadog/roles.toml`.
const ROLES: &str = "--role 8C2A5F0E-0000-4000-8000-000000000001 8c2a5f0e-0000-4000-8000-000000000004";

/// What is refused: the vendor, the identity provider, the step, and the row that says so.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    ("datadog", "okta", "import groups", ON_REQUEST),
    ("datadog", "okta", "create group", ON_REQUEST),
    ("datadog", "entra", "query a group that is not there", ON_REQUEST),
    ("datadog", "entra", "query by externalId", "filter-limited"),
    ("datadog", "entra", "query by work e-mail", "filter-limited"),
    ("datadog", "entra", "clear the title", "patch-add-replace"),
    ("datadog", "onelogin", "get groups", ON_REQUEST),
    ("datadog", "onelogin", "create group", ON_REQUEST),
    ("pagerduty", "okta", "import groups", "no-other-endpoint"),
    ("pagerduty", "okta", "create group", "no-other-endpoint"),
    ("pagerduty", "okta", "map what is no role", "role-owner"),
    ("pagerduty", "okta", "map what is no role", "role-known"),
    ("pagerduty", "entra", "query a group that is not there", "no-other-endpoint"),
    ("pagerduty", "entra", "query by work e-mail", "filter-limited"),
    ("pagerduty", "entra", "map what is no role", "role-owner"),
    ("pagerduty", "entra", "map what is no role", "role-known"),
    ("pagerduty", "onelogin", "get groups", "no-other-endpoint"),
    ("pagerduty", "onelogin", "create group", "no-other-endpoint"),
    ("pagerduty", "onelogin", "map what is no role", "role-owner"),
    ("pagerduty", "onelogin", "map what is no role", "role-known"),
];

/// The service of `profile`, until the test ends; its base URL.
async fn serve(profile: &Profile, store: &[&str]) -> String {
    let line = ["provider", "--listen", "127.0.0.1:0", "--profile", profile.name, "--token", TOKEN];
    let provider = Provider::start(Options::try_parse_from(line.iter().chain(store)).unwrap()).await.unwrap();
    let url = provider.base_url().to_string();
    tokio::spawn(provider.run(std::future::pending()));
    url
}

async fn play(url: &str, arguments: &str) -> Run {
    let (outcome, text) = run(url, TOKEN, &format!("{arguments} --users 2 --groups 1 --json")).await.unwrap();
    let report = serde_json::from_str(&text).unwrap();
    Run { passed: outcome == replay::Outcome::Passed, report, text }
}

/// Plays everything against everything; with `told`, the program is told whose service it is.
async fn all(store: &[&str], told: bool) {
    for profile in Profile::ALL {
        let pushed = vendor(profile, store, told).await;
        // Datadog has groups on request.
        let has_groups = profile.resource("Group").is_some() && profile.name != "datadog";
        assert_eq!(pushed, has_groups, "{}", profile.name);
    }
}

/// Plays everything against one; whether groups were pushed.
async fn vendor(profile: &Profile, options: &[&str], told: bool) -> bool {
    let url = serve(profile, options).await;
    let mut pushed = BTreeSet::new();
    for idp in IDPS {
        let whose = if told { format!("--profile {}", profile.name) } else { String::new() };
        let roles = if options.contains(&"--roles") { ROLES } else { "" };
        let run = play(&url, &format!("--as {idp} {whose} {roles}")).await;
        let cell = format!("{idp} against {}", profile.name);
        assert!(run.passed, "{cell}: {:#?}", run.differences());
        assert_eq!(run.report["profile"], profile.name, "{cell}");
        assert_eq!(run.report["cleanUp"]["left"], 0, "{cell}");
        let steps = run.report["steps"].as_array().unwrap();
        let refused: BTreeSet<_> = steps
            .iter()
            .filter_map(|step| Some((step["step"].as_str()?, step["refusedBy"].as_str()?)))
            .collect();
        let expected: BTreeSet<_> = REFUSED
            .iter()
            .filter(|(vendor, by, ..)| *vendor == profile.name && *by == idp)
            .filter(|(.., row)| *row != ON_REQUEST || !options.contains(&"--teams"))
            .map(|(_, _, step, row)| (*step, *row))
            .collect();
        assert_eq!(refused, expected, "{cell}");
        let is_group = |step: &&Value| step["path"].as_str().is_some_and(|path| path.starts_with("/Groups/"));
        pushed.insert(steps.iter().any(|step| is_group(&step)));
    }
    assert_eq!(pushed.len(), 1, "{pushed:?}");
    pushed.contains(&true)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_identity_provider_gets_along_with_every_vendor() {
    all(&["--memory-store"], true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_does_over_sqlite_with_a_vendor_that_is_recognised() {
    all(&["--database", ":memory:", "--no-audit"], false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_pushed_to_datadog_where_it_manages_teams() {
    let datadog = Profile::by_name("datadog").unwrap();
    let roles = concat!(env!("CARGO_MANIFEST_DIR"), "/datadog/roles.toml");
    for (store, told) in [(&["--memory-store"][..], true), (&["--database", ":memory:", "--no-audit"], false)]
    {
        let options = [store, &["--teams", "--roles", roles]].concat();
        assert!(vendor(datadog, &options, told).await);
    }
}

/// Datadog says of others than Okta and Entra ID that they may work.
#[tokio::test(flavor = "multi_thread")]
async fn jumpcloud_works_at_datadog() {
    let datadog = Profile::by_name("datadog").unwrap();
    let url = serve(datadog, &["--memory-store", "--teams"]).await;
    let run = play(&url, "--as jumpcloud --profile datadog").await;
    assert!(run.passed, "{:#?}", run.differences());
}

/// The table above is not what the vendor refuses anyway: told another profile, the program sees it.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_refuses_nothing_is_not_taken_for_pagerdutys() {
    let server = Server::start(Habits::Generic, Faults::default()).await;
    for (idp, expected) in [
        ("okta", "test connection / import groups: status 200 where 404 is needed"),
        ("entra", "create users / query by work e-mail: status 200 where 400 is needed"),
        ("onelogin", "update users / map what is no role: status 200 where 400 is needed"),
    ] {
        let run = play(&server.url, &format!("--as {idp} --profile pagerduty")).await;
        assert!(!run.passed);
        let differences = run.differences();
        assert!(differences.iter().any(|text| text == expected), "{idp}: {differences:#?}");
    }
}
