//! What an administrator types in for the bridge: credential, account, region, description.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::time::Duration;

use http::Response;
use scim_profiles::pagerduty::teams::{
    Auth, DesiredGroup, End, OAuthClient, Region, Report, Request, Secret, Step, TeamConfig, TeamState,
    TeamSync,
};

fn key(key: &str) -> Auth {
    Auth::ApiKey(Secret::new(key))
}

fn client(client_id: &str, secret: &str, subdomain: &str) -> Auth {
    Auth::OAuth(OAuthClient {
        client_id: client_id.to_owned(),
        client_secret: Secret::new(secret),
        subdomain: subdomain.to_owned(),
    })
}

/// Answers everything by `answer`, until the run ends.
fn run(config: TeamConfig, mut answer: impl FnMut(&Request) -> Response<Vec<u8>>) -> Report {
    let groups = vec![DesiredGroup::new("g1", "Alpha").with_member("u1", "alex.doe@example.com")];
    let mut sync = TeamSync::new(config, groups, TeamState::default());
    let mut now = Duration::ZERO;
    for _ in 0..1000 {
        match sync.next(now, || 0) {
            Step::Send(request) => {
                let response = answer(&request);
                sync.receive(now, response);
            }
            Step::Wait(pause) => now += pause,
            Step::Done(report) => return report,
            step => drop(step),
        }
    }
    panic!("the run does not end");
}

fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
}

#[test]
fn a_description_says_whose_team_it_is_unless_another_is_given() {
    let config = TeamConfig::new(Region::Us, key("u+abcdefgh"), "t-123").unwrap();
    assert_eq!(config.description(), "Created via Scimify for tenant t-123");
    let other = config.clone().with_description("On call, by {tenant_id}").unwrap();
    assert_eq!(other.description(), "On call, by t-123");
    assert_eq!(config.with_description("").unwrap().description(), "");
}

#[test]
fn what_copying_left_around_a_credential_is_refused() {
    for auth in [
        key(" u+abcdefgh"),
        key("u+abcdefgh\n"),
        key(""),
        client("id ", "s3cr3t", "acme"),
        client("id", "s3c r3t", "acme"),
        client("id", "secret", "acme.pagerduty.com"),
        client("id", "secret", ""),
    ] {
        let refused = TeamConfig::new(Region::Us, auth, "t").unwrap_err().to_string();
        assert!(!refused.contains("abcdefgh") && !refused.contains("s3c"), "{refused}");
    }
}

/// Subdomain and region are in the scope, and the region is in the URL.
#[test]
fn a_token_is_asked_for_the_account_with_the_scopes_it_needs() {
    for (region, scope, api) in [
        (Region::Us, "as_account-us.acme", "https://api.pagerduty.com/"),
        (Region::Eu, "as_account-eu.acme", "https://api.eu.pagerduty.com/"),
    ] {
        let config = TeamConfig::new(region, client("id", "secret", "acme"), "t").unwrap();
        assert_eq!(config.api_url().as_str(), api);
        let mut asked = Vec::new();
        run(config, |request| {
            asked.push((request.http().uri().to_string(), request.http().body().clone()));
            answer(403, "{}")
        });
        let (url, body) = asked.remove(0);
        assert_eq!(url, "https://identity.pagerduty.com/oauth/token");
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(field("grant_type"), Some("client_credentials"));
        assert_eq!((field("client_id"), field("client_secret")), (Some("id"), Some("secret")));
        assert_eq!(field("scope"), Some(&*format!("{scope} teams.read teams.write users.read")));
    }
}

#[test]
fn scopes_that_are_not_granted_end_the_run() {
    let config = TeamConfig::new(Region::Us, client("id", "secret", "acme"), "t").unwrap();
    let granted = r#"{"access_token": "pdus+_x", "token_type": "bearer", "expires_in": 86400,
        "scope": "as_account-us.acme teams.read users.read"}"#;
    let report = run(config, |request| match request.http().uri().path() {
        "/oauth/token" => answer(200, granted),
        path => panic!("{path} without the scope"),
    });
    assert_eq!(report.end, End::MissingScopes(vec!["teams.write".to_owned()]));
    assert!(report.end.to_string().contains("`teams.write`"), "{}", report.end);
}

/// A key that was revoked, or may not manage teams.
#[test]
fn a_key_that_is_not_taken_ends_the_run() {
    for status in [401, 403] {
        let config = TeamConfig::new(Region::Us, key("u+abcdefgh"), "t").unwrap();
        let mut sent = 0;
        let report = run(config, |request| {
            sent += 1;
            let header = request.http().headers()["authorization"].to_str().unwrap().to_owned();
            assert_eq!(header, "Token token=u+abcdefgh");
            answer(status, "{}")
        });
        assert!(matches!(report.end, End::Unauthorized(_) | End::Forbidden(_)), "{report:?}");
        assert_eq!(sent, 1);
        assert!(!format!("{} {report:?}", report.end).contains("abcdefgh"));
    }
}
