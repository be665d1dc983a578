//! What is made of answers that are not as they should be, or do not come.

use std::time::Duration;

use http::StatusCode;
use scim_profiles::pagerduty::teams::{
    DesiredGroup, End, Problem, Step, TeamState, TeamSync, TransportError,
};
use serde_json::{Value, json};

use crate::model::{PagerDuty, error, json_answer};
use crate::run::{config, run};
use crate::tokens::oauth;
use crate::wire::{answered, next, plain};

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
