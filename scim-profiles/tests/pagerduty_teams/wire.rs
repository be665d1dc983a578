//! What is sent, to the letter.

use std::time::Duration;

use http::Response;
use scim_profiles::pagerduty::TeamRole;
use scim_profiles::pagerduty::teams::{
    Deletion, DesiredGroup, Mode, Report, Request, Step, TeamConfig, TeamOptions, TeamState, TeamSync,
};
use serde_json::{Value, json};

use crate::model::{KEY, PagerDuty, json_answer};
use crate::run::{config, run, with};
use crate::tokens::oauth;

pub(crate) fn plain(status: u16, body: &[u8]) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.to_vec()).unwrap()
}

/// The next request, waiting as long as that takes, and how long that was.
pub(crate) fn next(sync: &mut TeamSync, now: &mut Duration) -> (Request, Duration) {
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
pub(crate) fn answered(
    config: TeamConfig,
    mut answer: impl FnMut(&Request) -> Response<Vec<u8>>,
) -> (Report, usize) {
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
rename-team    c      PT0001                      a -> c
create-team    d      (new)                       d
set-role       c      PT0001  alex@example.com    responder -> observer
remove-member  c      PT0001  bo.roe@example.com
add-member     d      (new)   bo.roe@example.com  responder
delete-team    b      PT0002                      b
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
