//! What is sent, to the letter, and what is made of answers that are not as they should be.

use std::time::Duration;

use http::{Response, StatusCode};
use scim_profiles::pagerduty::TeamRole;
use scim_profiles::pagerduty::teams::{
    Auth, ConfigError, Deletion, DesiredGroup, End, MAX_DESCRIPTION, Mode, OAuthClient, Problem, Region,
    Report, Request, Secret, Step, TeamConfig, TeamOptions, TeamState, TeamSync, TransportError,
};
use serde_json::{Value, json};

use crate::model::{CLIENT_SECRET, KEY, PagerDuty, error, json_answer};
use crate::run::{config, run, with};

fn oauth() -> TeamConfig {
    let client = OAuthClient {
        client_id: "app-1".into(),
        client_secret: Secret::new(CLIENT_SECRET),
        subdomain: "acme".into(),
    };
    TeamConfig::new(Region::Us, Auth::OAuth(client), "t-123").unwrap()
}

const GRANTED: &str = "as_account-us.acme teams.read teams.write users.read";

fn plain(status: u16, body: &[u8]) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.to_vec()).unwrap()
}

/// The next request, waiting as long as that takes, and how long that was.
fn next(sync: &mut TeamSync, now: &mut Duration) -> (Request, Duration) {
    let before = *now;
    loop {
        match sync.next(*now, || u32::MAX) {
            Step::Send(request) => return (request, *now - before),
            Step::Wait(pause) => *now += pause,
            Step::Save(_) => {}
            Step::Done(report) => panic!("{report}"),
            Step::Charge(_) | Step::Release(_) => panic!("there are no guards"),
        }
    }
}

/// The report after every request got `answer`, and how many there were.
fn answered(config: TeamConfig, mut answer: impl FnMut(&Request) -> Response<Vec<u8>>) -> (Report, usize) {
    let group = DesiredGroup::new("g1", "Team Alpha").with_member("u1", "alex.doe@example.com");
    let mut sync = TeamSync::new(config, vec![group], TeamState::default());
    let (mut now, mut sent) = (Duration::ZERO, 0);
    loop {
        match sync.next(now, || 7) {
            Step::Send(request) => {
                sent += 1;
                assert!(sent < 10_000);
                let response = answer(&request);
                sync.receive(now, response);
            }
            Step::Wait(pause) => now += pause,
            Step::Save(_) => {}
            Step::Done(report) => return (report, sent),
            Step::Charge(_) | Step::Release(_) => panic!("there are no guards"),
        }
    }
}

/// A fixture, beside the request that there is for it.
fn assert_is(fixture: &str, request: &Request) {
    let path = format!("{}/tests/vectors/pagerduty-rest/{fixture}.json", env!("CARGO_MANIFEST_DIR"));
    let fixture: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let http = request.http();
    assert_eq!(http.method().as_str(), fixture["method"]);
    assert_eq!(http.uri().to_string(), fixture["path"]);
    for (name, value) in fixture["headers"].as_object().unwrap() {
        let sent = http.headers()[name.as_str()].to_str().unwrap();
        if name == "Authorization" {
            assert_eq!(sent, format!("Token token={KEY}"));
            assert!(http.headers()["authorization"].is_sensitive());
        } else {
            assert_eq!(sent, value.as_str().unwrap(), "{name}");
        }
    }
    match &fixture["body"] {
        Value::Null => assert!(http.body().is_empty()),
        Value::String(form) => {
            let form =
                form.replace("{CLIENT_ID}", "app-1").replace("{CLIENT_SECRET}", "s3cret%26of%2Bthe%2Fclient");
            assert_eq!(String::from_utf8(http.body().clone()).unwrap(), form);
        }
        body => assert_eq!(serde_json::from_slice::<Value>(http.body()).unwrap(), *body),
    }
}

#[test]
pub(crate) fn requests_are_those_of_the_fixtures() {
    let now = &mut Duration::from_secs(0);
    let config = || {
        let mut options = TeamOptions::default();
        options.deletion = Deletion::Delete;
        config().with_options(options).with_description("Created via Scimify for tenant {tenant_id}").unwrap()
    };
    let group = || DesiredGroup::new("g1", "Team Alpha").with_member("u1", "alex.doe@example.com");
    let mut sync = TeamSync::new(config(), vec![group()], TeamState::default());
    let teams = json!({"teams": [], "more": false});
    let team = json!({"team": {"id": "PQ9K7I8", "name": "Team Alpha"}});
    let nobody = json!({"members": [], "more": false});
    let user =
        json!({"users": [{"id": "P0XJYI9", "email": "alex.doe@example.com", "role": "user"}], "more": false});
    let member = json!({"members": [{"user": {"id": "P0XJYI9"}, "role": "responder"}], "more": false});
    let steps = [
        ("find-team-by-name", json_answer(200, &teams)),
        ("create-team", json_answer(201, &team)),
        ("list-members", json_answer(200, &nobody)),
        ("find-user-by-email", json_answer(200, &user)),
        ("add-member", plain(204, b"")),
        ("list-members", json_answer(200, &member)),
    ];
    for (fixture, answer) in steps {
        let (request, _) = next(&mut sync, now);
        assert_is(fixture, &request);
        sync.receive(*now, answer);
    }
    assert!(matches!(sync.next(*now, || 0), Step::Save(_) | Step::Done(_)));
    let state = sync.state().clone();
    // Another name, and nobody left.
    let renamed = DesiredGroup::new("g1", "Team Beta");
    let mut sync = TeamSync::new(config(), vec![renamed], state.clone());
    sync_steps(
        &mut sync,
        now,
        [
            (None, json_answer(200, &team)),
            (Some("rename-team"), json_answer(200, &json!({"team": {"id": "PQ9K7I8", "name": "Team Beta"}}))),
            (None, json_answer(200, &json!({"team": {"id": "PQ9K7I8", "name": "Team Beta"}}))),
            (Some("list-members"), json_answer(200, &member)),
            (None, json_answer(200, &json!({"user": {"id": "P0XJYI9", "email": "alex.doe@example.com"}}))),
            (Some("remove-member"), plain(204, b"")),
        ],
    );
    let mut sync = TeamSync::new(config(), Vec::new(), state);
    sync_steps(
        &mut sync,
        now,
        [(Some("list-members"), json_answer(200, &member)), (Some("delete-team"), plain(204, b""))],
    );
    let mut sync = TeamSync::new(oauth(), vec![group()], TeamState::default());
    let (request, _) = next(&mut sync, now);
    assert_is("token-request-us", &request);
}

fn sync_steps<const N: usize>(
    sync: &mut TeamSync,
    now: &mut Duration,
    steps: [(Option<&str>, Response<Vec<u8>>); N],
) {
    for (fixture, answer) in steps {
        let (request, _) = next(sync, now);
        if let Some(fixture) = fixture {
            assert_is(fixture, &request);
        }
        sync.receive(*now, answer);
    }
}

#[test]
pub(crate) fn a_rename_keeps_the_description() {
    let mut state = TeamState::default();
    let mut model = PagerDuty::new();
    run(&mut model, &config(), &[DesiredGroup::new("g1", "a")], &mut state);
    let mut sync = TeamSync::new(config(), vec![DesiredGroup::new("g1", "b")], state);
    let now = &mut Duration::from_secs(0);
    let (request, _) = next(&mut sync, now);
    let answer = model.answer(request.http());
    sync.receive(*now, answer);
    let (request, _) = next(&mut sync, now);
    let body: Value = serde_json::from_slice(request.http().body()).unwrap();
    assert_eq!(body["team"]["description"], "Created via Scimify for tenant t-123");
    assert_eq!(request.write().unwrap().to_string(), "rename-team PT0001 a -> b");
}

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

#[test]
pub(crate) fn what_concerns_everything_ends_the_run() {
    let (report, sent) =
        answered(config(), |_| error(402, 2014, "Account does not have the abilities", &["teams"]));
    assert_eq!(
        report.end.to_string(),
        "ended: the account has not the ability: 402 (code 2014): Account does not have the abilities: teams"
    );
    assert_eq!(sent, 1);
    let (report, sent) = answered(config(), |_| error(403, 2010, "Access Denied", &[]));
    assert_eq!((report.end.to_string().contains("Access Denied"), sent), (true, 1));
    let (report, sent) = answered(config(), |request| match request.http().uri().path() {
        "/teams" => json_answer(200, &json!({"teams": [{"id": "PX", "name": "Team Alpha"}], "more": false})),
        _ => error(403, 2012, "Your account is expired and cannot use the API", &[]),
    });
    assert!(matches!(report.end, End::Forbidden(_)) && sent == 2, "{report}");
    let (report, sent) = answered(oauth(), |request| match request.http().uri().path() {
        "/oauth/token" => json_answer(200, &json!({"access_token": "t", "token_type": "bearer"})),
        "/teams" if request.write().is_none() => json_answer(200, &json!({"teams": [], "more": false})),
        _ => {
            let mut response = error(403, 2010, "Access Denied", &[]);
            let challenge = "Bearer error=\"insufficient_scope\", scope=\"teams.write\"";
            response.headers_mut().insert("www-authenticate", challenge.parse().unwrap());
            response
        }
    });
    assert!(matches!(report.end, End::Forbidden(_)) && sent == 3, "{report}");
    let (report, _) = answered(config(), |_| error(403, 2010, "Access Denied", &[]));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["end"], &json["why"]["code"]), (&json!("forbidden"), &json!(2010)));
    assert_eq!(json["groups"][0]["outcomes"][0]["outcome"], "not-finished");
}

#[test]
pub(crate) fn the_rate_limit_is_waited_for() {
    let mut sync = TeamSync::new(config(), vec![DesiredGroup::new("g1", "a")], TeamState::default());
    let now = &mut Duration::from_secs(50);
    next(&mut sync, now);
    let mut response = error(429, 2020, "Rate Limit Exceeded", &[]);
    response.headers_mut().insert("ratelimit-limit", "960".parse().unwrap());
    response.headers_mut().insert("ratelimit-remaining", "0".parse().unwrap());
    response.headers_mut().insert("ratelimit-reset", "20".parse().unwrap());
    sync.receive(*now, response.clone());
    let (request, waited) = next(&mut sync, now);
    assert_eq!(request.http().uri().path(), "/teams");
    assert!((20.0..=21.0).contains(&waited.as_secs_f64()), "{waited:?}");
    // The last that is permitted, which is answered.
    *response.status_mut() = StatusCode::OK;
    *response.body_mut() =
        json!({"teams": [{"id": "x", "name": "y"}], "more": true}).to_string().into_bytes();
    sync.receive(*now, response.clone());
    let (_, waited) = next(&mut sync, now);
    assert!((20.0..=21.0).contains(&waited.as_secs_f64()), "{waited:?}");
    // Nobody waits for ever.
    response.headers_mut().insert("ratelimit-reset", u64::MAX.to_string().parse().unwrap());
    sync.receive(*now, response.clone());
    let (_, waited) = next(&mut sync, now);
    assert!(waited <= Duration::from_secs(301), "{waited:?}");
    // Some are left.
    response.headers_mut().insert("ratelimit-remaining", "1".parse().unwrap());
    sync.receive(*now, response);
    assert_eq!(next(&mut sync, now).1, Duration::ZERO);
    // Without headers: longer each time.
    let mut pauses = Vec::new();
    for _ in 0..4 {
        sync.receive(*now, plain(429, b""));
        pauses.push(next(&mut sync, now).1.as_secs_f64());
    }
    for (pause, longest) in pauses.into_iter().zip([1.0, 2.0, 4.0, 8.0]) {
        assert!((longest * 0.99..=longest).contains(&pause), "{pause} {longest}");
    }
    let (report, sent) = answered(config(), |_| plain(429, b"<html>"));
    assert_eq!((report.end, sent), (End::RateLimited, 6));
}

#[test]
pub(crate) fn half_of_a_pause_is_random() {
    for (random, expected) in [(0, 0.5), (u32::MAX / 2 + 1, 0.75), (u32::MAX, 1.0)] {
        let mut sync = TeamSync::new(config(), vec![DesiredGroup::new("g1", "a")], TeamState::default());
        assert!(matches!(sync.next(Duration::ZERO, || random), Step::Send(_)));
        sync.failed(Duration::ZERO, TransportError::TimedOut);
        let Step::Wait(pause) = sync.next(Duration::ZERO, || random) else { panic!() };
        assert!((pause.as_secs_f64() - expected).abs() < 1e-6, "{pause:?}");
        // Asked too early, the rest of it.
        let early = pause / 2;
        assert!(matches!(sync.next(early, || 0), Step::Wait(rest) if rest == pause - early));
        assert!(matches!(sync.next(pause, || 0), Step::Send(_)));
    }
}

#[test]
pub(crate) fn who_does_not_answer_is_given_up_on() {
    let groups = (0..9).map(|number| DesiredGroup::new(format!("g{number}"), format!("n{number}"))).collect();
    let mut sync = TeamSync::new(config(), groups, TeamState::default());
    let (mut now, mut sent) = (Duration::ZERO, 0);
    let report = loop {
        match sync.next(now, || 9) {
            // Neither received nor failed: it counts as dropped.
            Step::Send(_) => sent += 1,
            Step::Wait(pause) => now += pause,
            Step::Save(save) => panic!("{save:?}"),
            Step::Done(report) => break report,
            Step::Charge(_) | Step::Release(_) => panic!("there are no guards"),
        }
    };
    assert_eq!(report.end.to_string(), "ended: PagerDuty is not available: the connection was lost");
    // Six attempts for each of three groups, and then no more.
    assert_eq!(sent, 18);
    let told: Vec<_> = report.problems().collect();
    assert_eq!(told, [&Problem::GaveUp("the connection was lost".into()); 2]);
}

#[test]
pub(crate) fn one_group_that_always_fails_holds_no_other_up() {
    let mut model = PagerDuty::new().with_user("PA", "alex@example.com");
    let group = |id: &str, name: &str| DesiredGroup::new(id, name).with_member("u1", "alex@example.com");
    let groups = vec![group("g1", "a"), group("g2", "b")];
    let mut state = TeamState::default();
    let mut sync = TeamSync::new(config(), groups, state.clone());
    let mut now = Duration::ZERO;
    let report = loop {
        match sync.next(now, || 9) {
            Step::Send(request) => {
                let is_bad = request.http().uri().path() == "/teams/PT0001/users/PA";
                let response = if is_bad { plain(500, b"") } else { model.answer(request.http()) };
                sync.receive(now, response);
            }
            Step::Wait(pause) => now += pause,
            Step::Save(save) => state.set(&save.group, save.state.cloned()),
            Step::Done(report) => break report,
            Step::Charge(_) | Step::Release(_) => panic!("there are no guards"),
        }
    };
    assert_eq!(report.end, End::Complete);
    assert_eq!(report.problems().collect::<Vec<_>>(), [&Problem::GaveUp("the answer is 500".into())]);
    assert_eq!(model.teams["PT0002"].members.len(), 1);
    // What may have had its effect is remembered.
    assert!(state.group("g1").unwrap().members.contains_key("PA"));
}

#[test]
pub(crate) fn answers_that_are_none_are_told_apart() {
    let good = json!({"teams": [], "more": false});
    let reason = |status: u16, body: &[u8]| {
        let (report, sent) = answered(config(), |_| plain(status, body));
        assert_eq!(sent, 6);
        let Some(Problem::GaveUp(why)) = report.problems().next() else { panic!("{report}") };
        why.clone()
    };
    let json = |value: Value| reason(200, value.to_string().as_bytes());
    assert_eq!(reason(200, b"<html>secret</html>"), "the answer is no JSON (line 1, column 1)");
    assert_eq!(reason(200, b""), "the answer ends too early (line 1, column 0)");
    assert_eq!(reason(200, &[b'['; 1000]), "the answer is no JSON (line 1, column 128)");
    assert_eq!(reason(200, &vec![b' '; 4 * 1024 * 1024 + 1]), "the answer is too long");
    assert_eq!(json(json!([])), "`teams` is missing");
    assert_eq!(json(json!({"teams": {}, "more": false})), "`teams` is no array");
    assert_eq!(json(json!({"teams": []})), "`more` is missing");
    assert_eq!(json(json!({"teams": [], "more": "no"})), "`more` is no boolean");
    assert_eq!(json(json!({"teams": [], "more": true})), "`more` is true, and `teams` is empty");
    assert_eq!(json(json!({"teams": [{"name": "a"}], "more": false})), "`teams[0].id` is missing");
    assert_eq!(json(json!({"teams": [{"id": 7, "name": "a"}], "more": false})), "`teams[0].id` is no string");
    for id in ["", "../users", "a?b", "PX\u{e9}", &"x".repeat(65)] {
        let why = json(json!({"teams": [{"id": id, "name": "a"}], "more": false}));
        assert_eq!(why, "`teams[0].id` is no identifier");
    }
    let row = json!({"id": "x", "name": "a"});
    let many = json(json!({"teams": vec![row; 101], "more": false}));
    assert_eq!(many, "`teams` has more than the 100 elements that were asked for");
    assert_eq!(reason(302, good.to_string().as_bytes()), "the answer is 302");
    assert_eq!(reason(504, b""), "the answer is 504");
    assert_eq!(reason(100, b""), "the answer is 100");
}

#[test]
pub(crate) fn of_more_than_pagerduty_lists_nothing_is_concluded() {
    let row = json!({"id": "x", "name": "a"});
    // One page for each place at which one of 100 can begin.
    for (limit, pages) in [(100, 100), (1, 9901), (0, 100), (1000, 100)] {
        let page = json!({"teams": [row], "more": true, "limit": limit});
        let (report, sent) = answered(config(), |_| json_answer(200, &page));
        assert_eq!(report.problems().collect::<Vec<_>>(), [&Problem::TooMany("teams")]);
        assert_eq!(sent, pages);
    }
}

#[test]
pub(crate) fn somebody_elses_404_loses_no_team() {
    let mut state = TeamState::default();
    let group = || DesiredGroup::new("g1", "a").with_member("u1", "alex@example.com");
    let mut model = PagerDuty::new().with_user("PA", "alex@example.com");
    run(&mut model, &config(), &[group()], &mut state);
    let before = state.clone();
    // A wrong base URL: a page that is not there.
    let mut sync = TeamSync::new(config(), vec![group()], state.clone());
    let report = loop {
        match sync.next(Duration::ZERO, || 0) {
            Step::Send(_) => sync.receive(Duration::ZERO, plain(404, b"<html>Not Found</html>")),
            Step::Save(save) => state.set(&save.group, save.state.cloned()),
            Step::Wait(pause) => panic!("{pause:?}"),
            Step::Done(report) => break report,
            Step::Charge(_) | Step::Release(_) => panic!("there are no guards"),
        }
    };
    assert_eq!(report.problems().next().unwrap().to_string(), "refused: 404: Not Found");
    // Nor is it said to be lost.
    assert_eq!(report.groups[0].outcomes.len(), 1);
    assert_eq!(state, before);
}

#[test]
pub(crate) fn what_a_server_says_is_shortened_and_escaped() {
    let (report, _) =
        answered(config(), |_| error(400, 2001, &format!("\u{1b}[31m{}", "x".repeat(10_000)), &[]));
    let told = report.problems().next().unwrap().to_string();
    assert!(told.starts_with("refused: 400 (code 2001): \\u{1b}[31mxxx") && told.len() < 350, "{told}");
}

#[test]
pub(crate) fn a_configuration_is_checked() {
    let key = |key: &str| TeamConfig::new(Region::Us, Auth::ApiKey(Secret::new(key)), "t").map(|_| ());
    for bad in ["", " u+1", "u+1\n", "u 1", "ü"] {
        assert_eq!(key(bad), Err(ConfigError::Credential("API access key")), "{bad:?}");
    }
    let client = |id: &str, secret: &str, subdomain: &str| {
        let client = OAuthClient {
            client_id: id.into(),
            client_secret: Secret::new(secret),
            subdomain: subdomain.into(),
        };
        TeamConfig::new(Region::Eu, Auth::OAuth(client), "t").map(|_| ())
    };
    assert_eq!(client("a", "b", "acme"), Ok(()));
    assert_eq!(client(" a", "b", "acme"), Err(ConfigError::Credential("client ID")));
    assert_eq!(client("a", "", "acme"), Err(ConfigError::Credential("client secret")));
    for bad in ["", "acme.pagerduty.com", "acme teams.write", "https://acme"] {
        assert_eq!(client("a", "b", bad), Err(ConfigError::Subdomain(bad.into())));
    }
    let url =
        |url: &str| config().with_api_url(url.parse().unwrap()).map(|config| config.api_url().to_string());
    for good in
        ["https://api.eu.pagerduty.com/", "http://127.0.0.1:8080/", "http://[::1]:1/x/", "http://localhost/"]
    {
        assert_eq!(url(good), Ok(good.to_owned()));
    }
    for bad in [
        "http://api.pagerduty.com/",
        "https://u:p@api.pagerduty.com/",
        "https://x.example/?token=p",
        "ftp://localhost/",
    ] {
        let told = url(bad).unwrap_err().to_string();
        assert!(told.ends_with("is no https URL without user, query and fragment"), "{told}");
        assert!(!told.contains("u:p") && !told.contains("token=p"), "{told}");
    }
}

#[test]
pub(crate) fn a_description_is_expanded_once_and_checked() {
    let config = |tenant: &str| TeamConfig::new(Region::Us, Auth::ApiKey(Secret::new(KEY)), tenant);
    let tenant = config("{tenant_id}{").unwrap();
    assert_eq!(tenant.description(), "Created via Scimify for tenant {tenant_id}{");
    let with =
        |template: &str| config("t").unwrap().with_description(template).map(|c| c.description().to_owned());
    assert_eq!(with("{tenant_id} and {tenant_id}"), Ok("t and t".to_owned()));
    assert_eq!(with(""), Ok(String::new()));
    assert_eq!(with("a } b"), Ok("a } b".to_owned()));
    assert_eq!(with("{Tenant_id}"), Err(ConfigError::Placeholder("Tenant_id".into())));
    assert_eq!(with("{{tenant_id}}"), Err(ConfigError::Placeholder("{tenant_id".into())));
    assert_eq!(with("{tenant_id"), Err(ConfigError::Unclosed));
    // Characters count, after the tenant is in it.
    assert_eq!(with(&"é".repeat(MAX_DESCRIPTION)).map(|text| text.len()), Ok(2 * MAX_DESCRIPTION));
    let long = "x".repeat(MAX_DESCRIPTION - 10);
    assert!(config(&"y".repeat(10)).unwrap().with_description(&format!("{long}{{tenant_id}}")).is_ok());
    let told =
        config(&"y".repeat(11)).unwrap().with_description(&format!("{long}{{tenant_id}}")).unwrap_err();
    assert_eq!(told.to_string(), "the description has 1025 characters, and PagerDuty permits 1024");
    assert!(config(&"z".repeat(1000)).is_err());
}

#[test]
pub(crate) fn a_dry_run_of_everything_reads_alone() {
    // Each kind of change is planned.
    let mut model =
        PagerDuty::new().with_user("PA", "alex@example.com").with_user("PB", "bo.roe@example.com");
    let mut state = TeamState::default();
    let group = |id: &str, name: &str| DesiredGroup::new(id, name);
    let first = [
        group("g1", "a").with_member("u1", "alex@example.com").with_member("u2", "bo.roe@example.com"),
        group("g2", "b"),
    ];
    run(&mut model, &config(), &first, &mut state);
    let second = [
        DesiredGroup {
            role: Some(TeamRole::Observer),
            ..group("g1", "c").with_member("u1", "alex@example.com")
        },
        group("g3", "d").with_member("u2", "bo.roe@example.com"),
    ];
    let change = |mode| {
        with(move |options| {
            options.mode = mode;
            options.deletion = Deletion::Delete;
        })
    };
    let before = state.clone();
    let planned = run(&mut model, &change(Mode::DryRun), &second, &mut state);
    assert_eq!((model.writes().len(), &state), (0, &before));
    assert_eq!(
        planned.plan.to_string(),
        "\
ACTION         GROUP  TEAM    E-MAIL              DETAIL
rename-team    g1     PT0001                      a -> c
create-team    g3     (new)                       d
set-role       g1     PT0001  alex@example.com    responder -> observer
remove-member  g1     PT0001  bo.roe@example.com
add-member     g3     (new)   bo.roe@example.com  responder
delete-team    g2     PT0002                      b
"
    );
    let made = run(&mut model, &change(Mode::Apply), &second, &mut state);
    assert_eq!(made.plan.writes().len(), planned.plan.writes().len());
    let outcomes =
        |report: &Report| report.groups.iter().map(|group| group.outcomes.clone()).collect::<Vec<_>>();
    assert_eq!(outcomes(&made), outcomes(&planned));
    let members = |report: &Report| {
        report
            .groups
            .iter()
            .flat_map(|group| &group.members)
            .map(|member| member.outcome.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(members(&made), members(&planned));
}

#[test]
pub(crate) fn rows_have_a_source_each_and_a_name() {
    use scim_profiles::pagerduty::teams::{BASE_URLS, ENDPOINTS, OPTIONS, RULES, to_markdown};
    let page = to_markdown();
    let mut ids: Vec<_> = RULES.iter().map(|row| row.id).chain(OPTIONS.iter().map(|row| row.name)).collect();
    for id in &ids {
        assert!(page.contains(&format!("\n| `{id}` | ")), "{id}");
    }
    let rows = ids.len() + BASE_URLS.len() + ENDPOINTS.len();
    assert_eq!(page.matches(" | stated |\n").count() + page.matches(" | *inferred* |\n").count(), rows);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len() + OPTIONS.len());
    for (row, region) in BASE_URLS.iter().zip(Region::ALL) {
        assert_eq!((row.region, row.url), (region.as_str(), region.api_url()));
        assert_eq!(Region::by_name(row.region), Some(region));
    }
    assert_eq!(Region::by_name("ap"), None);
}
