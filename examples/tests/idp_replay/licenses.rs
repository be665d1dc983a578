//! Every identity provider against PagerDuty's service with licences: mapped or not, each user has one, and
//! who comes back after a deactivation has one again.

use std::path::Path;

use clap::Parser as _;
use scim_examples::provider::{Options, Provider};

use crate::replay;
use crate::support::{TOKEN, run};

/// A service with so many licences of each kind, until the test ends; its base URL.
async fn serve(full: u32) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("licenses.json");
    let list = serde_json::json!({"licenses": [
        {"id": "PFULL01", "role_group": "FullUser", "allocations_available": full},
        {"id": "PFULL02", "role_group": "FullUser", "allocations_available": full},
        {"id": "PSTAKE1", "role_group": "Stakeholder", "allocations_available": null},
    ]});
    std::fs::write(&file, list.to_string()).unwrap();
    let url = start(&file).await;
    (folder, url)
}

async fn start(licenses: &Path) -> String {
    let line = ["provider", "--listen", "127.0.0.1:0", "--token", TOKEN, "--memory-store"];
    let profile = ["--profile", "pagerduty", "--licenses", licenses.to_str().unwrap()];
    let provider =
        Provider::start(Options::try_parse_from(line.iter().chain(&profile)).unwrap()).await.unwrap();
    let url = provider.base_url().to_string();
    tokio::spawn(provider.run(std::future::pending()));
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn every_identity_provider_gets_along_with_licences() {
    for idp in ["okta", "okta --okta-app aiw", "entra", "entra --entra-flag", "onelogin", "jumpcloud"] {
        for license in ["", "--license PFULL01", "--license PFULL02"] {
            // As many licences as users: each deactivation has to free one.
            let (_folder, url) = serve(3).await;
            let arguments = format!("--as {idp} --users 3 --groups 1 --profile pagerduty {license}");
            let (outcome, text) = run(&url, TOKEN, &arguments).await.unwrap();
            assert_eq!(outcome, replay::Outcome::Passed, "{idp} {license}:\n{text}");
        }
    }
}

/// One licence is mapped, and the second role needs one of the other group: it takes the place of the mapped one, in that
/// write and in those after it that send the mapped one again.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_the_other_group_takes_another_licence() {
    for idp in ["okta", "okta --okta-app aiw", "entra", "entra --entra-flag", "onelogin", "jumpcloud"] {
        for (license, roles) in
            [("PFULL01", ["user", "read_only_user"]), ("PSTAKE1", ["read_only_user", "user"])]
        {
            let (_folder, url) = serve(3).await;
            let roles = roles.map(|role| format!("--role {role}")).join(" ");
            let arguments = format!("--as {idp} --users 3 --profile pagerduty --license {license} {roles}");
            let (outcome, text) = run(&url, TOKEN, &arguments).await.unwrap();
            assert_eq!(outcome, replay::Outcome::Passed, "{arguments}:\n{text}");
        }
    }
}

/// The mapped licence is for the second role too, and has to stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_licence_of_the_same_group_that_is_exchanged_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("licenses.json");
    let list = serde_json::json!({"licenses": [
        {"id": "PUSER01", "valid_roles": ["user"], "allocations_available": null},
        {"id": "PADMIN1", "valid_roles": ["admin"], "allocations_available": null},
    ]});
    std::fs::write(&file, list.to_string()).unwrap();
    let url = start(&file).await;
    let arguments = "--as okta --users 1 --profile pagerduty --license PUSER01 --role user --role admin";
    let (outcome, text) = run(&url, TOKEN, arguments).await.unwrap();
    assert_eq!(outcome, replay::Outcome::Differed, "{text}");
    assert!(text.contains("PADMIN1"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_licence_too_few_is_seen() {
    let (_folder, url) = serve(2).await;
    for idp in ["okta", "entra", "onelogin"] {
        let arguments = format!("--as {idp} --users 3 --profile pagerduty --license PFULL01");
        let (outcome, text) = run(&url, TOKEN, &arguments).await.unwrap();
        assert_eq!(outcome, replay::Outcome::Differed, "{idp}:\n{text}");
        assert!(
            text.contains("License is not available: no allocation of `PFULL01` is left"),
            "{idp}:\n{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_licence_that_the_account_does_not_have_is_seen() {
    let (_folder, url) = serve(3).await;
    let arguments = "--as okta --users 1 --profile pagerduty --license PABC123";
    let (outcome, text) = run(&url, TOKEN, arguments).await.unwrap();
    assert_eq!(outcome, replay::Outcome::Differed, "{text}");
    assert!(text.contains("the account has no licence `PABC123` (license-known)"), "{text}");
}
