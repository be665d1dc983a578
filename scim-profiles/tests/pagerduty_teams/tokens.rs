//! The credential: tokens that are asked for, end, and are not accepted.

use std::time::Duration;

use scim_profiles::pagerduty::teams::{
    Auth, DesiredGroup, End, OAuthClient, Region, Secret, Step, TeamConfig, TeamState, TeamSync,
};
use serde_json::json;

use crate::model::{CLIENT_SECRET, PagerDuty, error, json_answer};
use crate::run::{config, run};
use crate::wire::{answered, next};

pub(crate) fn oauth() -> TeamConfig {
    let client = OAuthClient {
        client_id: "app-1".into(),
        client_secret: Secret::new(CLIENT_SECRET),
        subdomain: "acme".into(),
    };
    TeamConfig::new(Region::Us, Auth::OAuth(client), "t-123").unwrap()
}

const GRANTED: &str = "as_account-us.acme teams.read teams.write users.read";

#[test]
pub(crate) fn credentials_are_not_told() {
    let config = oauth();
    assert!(!format!("{config:?}").contains("s3cret"));
    let mut sync = TeamSync::new(config, vec![DesiredGroup::new("g1", "a")], TeamState::default());
    let now = &mut Duration::from_secs(0);
    let (request, _) = next(&mut sync, now);
    assert_eq!(request.to_string(), "ask for a token");
    assert!(!format!("{request:?}").contains("s3cret"), "{request:?}");
    let token = json!({"access_token": "pdus+_tell-nobody", "token_type": "bearer", "expires_in": 86400, "scope": GRANTED});
    sync.receive(*now, json_answer(200, &token));
    let (request, _) = next(&mut sync, now);
    assert_eq!(request.http().headers()["authorization"], "Bearer pdus+_tell-nobody");
    assert!(!format!("{request:?} {:?} {sync:?}", request.http()).contains("tell-nobody"));
    // A server that says them again.
    let echo = format!("no pdus+_tell-nobody {CLIENT_SECRET} s3cret%26of%2Bthe%2Fclient");
    sync.receive(*now, error(403, 2010, &echo, &[]));
    let Step::Done(report) = sync.next(*now, || 0) else { panic!() };
    assert_eq!(
        report.end.to_string(),
        "ended: the credential does not permit it: 403 (code 2010): no [redacted] [redacted] [redacted]"
    );
}

#[test]
pub(crate) fn a_token_is_asked_for_and_renewed_before_it_ends() {
    let mut model = PagerDuty { scopes: Some(GRANTED), expires_in: 86_400, ..PagerDuty::new() };
    let mut state = TeamState::default();
    let report = run(&mut model, &oauth(), &[DesiredGroup::new("g1", "a")], &mut state);
    assert_eq!(report.end, End::Complete);
    let tokens = |model: &PagerDuty| model.log.iter().filter(|line| line.contains("/oauth/token")).count();
    assert_eq!(tokens(&model), 1);
    // One that is good for 0.3 s, and requests that take 0.1 s each.
    let mut model = PagerDuty { scopes: Some(GRANTED), expires_in: 0, ..PagerDuty::new() };
    run(&mut model, &oauth(), &[DesiredGroup::new("g1", "a")], &mut TeamState::default());
    assert_eq!(tokens(&model), model.log.len() / 2);
    // A minute before its end.
    let mut sync = TeamSync::new(oauth(), vec![DesiredGroup::new("g1", "a")], TeamState::default());
    let token = json!({"access_token": "t", "token_type": "Bearer", "expires_in": 86400});
    let now = &mut Duration::from_secs(0);
    next(&mut sync, now);
    sync.receive(*now, json_answer(200, &token));
    for (at, expected) in [(86_339, "/teams"), (86_340, "/oauth/token")] {
        *now = Duration::from_secs(at);
        let (request, _) = next(&mut sync, now);
        assert_eq!(request.http().uri().path(), expected);
        sync.receive(*now, json_answer(200, &json!({"teams": [{"id": "x", "name": "y"}], "more": true})));
    }
}

#[test]
pub(crate) fn a_token_that_is_not_accepted_is_renewed_once() {
    let mut model = PagerDuty { scopes: Some(GRANTED), ..PagerDuty::new() };
    let mut is_first = true;
    let (report, _) = answered(oauth(), |request| {
        let response = model.answer(request.http());
        if is_first && request.http().uri().path() == "/oauth/token" {
            is_first = false;
            model.tokens.clear();
        }
        response
    });
    assert_eq!(report.end, End::Complete);
    assert_eq!(model.log.iter().filter(|line| line.contains("/oauth/token")).count(), 2);
    // Always.
    let (report, sent) = answered(oauth(), |request| {
        let response = model.answer(request.http());
        model.tokens.clear();
        response
    });
    assert_eq!(
        report.end.to_string(),
        "ended: PagerDuty does not accept the credential: 401 (code 2006): Unauthorized"
    );
    assert_eq!(sent, 4);
    // An API key cannot be renewed.
    let (report, sent) = answered(config(), |_| error(401, 2006, "Unauthorized", &[]));
    assert!(matches!(report.end, End::Unauthorized(_)), "{report}");
    assert_eq!(sent, 1);
}

#[test]
pub(crate) fn a_token_without_the_scopes_is_refused() {
    let mut model = PagerDuty { scopes: Some("as_account-us.acme teams.read"), ..PagerDuty::new() };
    let (report, sent) = answered(oauth(), |request| model.answer(request.http()));
    assert_eq!(report.end.to_string(), "ended: the token has not the scopes `teams.write`, `users.read`");
    assert_eq!((sent, report.groups[0].outcomes.len()), (1, 1));
    model.scopes = None;
    let (report, _) = answered(oauth(), |request| model.answer(request.http()));
    assert_eq!(report.end.to_string(), "ended: no token was given: 401: invalid_client: no such client");
}
