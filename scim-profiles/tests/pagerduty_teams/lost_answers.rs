//! Runs that end, and answers that are lost, at the very request that is looked at.

use std::time::Duration;

use scim_profiles::guard::MemoryLedger;
use scim_profiles::pagerduty::TeamRole;
use scim_profiles::pagerduty::teams::{
    Adoption, Deletion, DesiredGroup, MemberOutcome, Origin, Problem, Report, Step, TeamConfig, TeamOutcome,
    TeamState, TeamSync, Write,
};

use crate::model::{PagerDuty, error};
use crate::run::{Fault, clock, run, run_sync, run_with, with};

fn group(id: &str, name: &str) -> DesiredGroup {
    DesiredGroup::new(id, name).with_member("u1", "alex@example.com")
}

fn pagerduty() -> PagerDuty {
    PagerDuty::new().with_user("PA", "alex@example.com")
}

/// A run in which `fault` happens to the first request that writes `action`.
pub(crate) fn run_until(
    model: &mut PagerDuty,
    config: &TeamConfig,
    groups: &[DesiredGroup],
    state: &mut TeamState,
    action: &str,
    fault: Fault,
) -> Option<Report> {
    let is_next = std::cell::Cell::new(false);
    let mut is_over = false;
    let faults = || if is_next.take() { fault } else { Fault::None };
    let look = |_: &PagerDuty, _: &TeamState, write: &Write| {
        if !is_over && write.action() == action {
            is_over = true;
            is_next.set(true);
        }
    };
    run_with(model, config, groups, state, faults, look)
}

#[test]
pub(crate) fn a_team_whose_creation_was_not_answered_is_the_bridges_own() {
    for fault in [Fault::CrashAfter, Fault::DroppedAfter, Fault::FailsAfter, Fault::HtmlAfter] {
        // Also where no other team would be taken.
        let config = with(|options| options.adoption = Adoption::Refuse);
        let (mut model, mut state) = (pagerduty(), TeamState::default());
        run_until(&mut model, &config, &[group("g1", "a")], &mut state, "create-team", fault);
        let report = run(&mut model, &config, &[group("g1", "a")], &mut state);
        assert_eq!((model.teams.len(), report.problems().next()), (1, None), "{fault:?}");
        let row = state.group("g1").unwrap();
        assert_eq!((row.origin, &row.creating), (Origin::Created, &None));
        assert_eq!(model.teams["PT0001"].members.len(), 1);
    }
}

#[test]
pub(crate) fn a_team_of_another_description_did_not_come_of_the_creation() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let config = with(|options| options.adoption = Adoption::Refuse);
    run_until(&mut model, &config, &[group("g1", "a")], &mut state, "create-team", Fault::CrashBefore);
    assert!(state.group("g1").unwrap().creating.is_some());
    let mut model = model.with_team("PX", "a", &[]);
    let report = run(&mut model, &config, &[group("g1", "a")], &mut state);
    assert_eq!(report.problems().collect::<Vec<_>>(), [&Problem::Exists("PX".into())]);
}

#[test]
pub(crate) fn a_creation_is_made_good_under_the_name_it_had() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let config = with(|_| {});
    run_until(&mut model, &config, &[group("g1", "a")], &mut state, "create-team", Fault::CrashAfter);
    let report = run(&mut model, &config, &[group("g1", "b")], &mut state);
    let told = [TeamOutcome::Created, TeamOutcome::Renamed { from: "a".into() }];
    assert_eq!(report.groups[0].outcomes, told);
    assert_eq!((model.teams.len(), model.teams["PT0001"].name.as_str()), (1, "b"));
    // Nothing came of one: the team is created under the new name.
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    run_until(&mut model, &config, &[group("g1", "a")], &mut state, "create-team", Fault::CrashBefore);
    run(&mut model, &config, &[group("g1", "b")], &mut state);
    assert_eq!((model.teams.len(), model.teams["PT0001"].name.as_str()), (1, "b"));
}

#[test]
pub(crate) fn a_creation_for_a_group_that_is_gone_is_made_good_too() {
    let config = with(|options| options.deletion = Deletion::Delete);
    for fault in [Fault::CrashAfter, Fault::CrashBefore] {
        let (mut model, mut state) = (pagerduty(), TeamState::default());
        run_until(&mut model, &config, &[group("g1", "a")], &mut state, "create-team", fault);
        let report = run(&mut model, &config, &[], &mut state);
        let outcome =
            if fault == Fault::CrashAfter { TeamOutcome::Deleted } else { TeamOutcome::AlreadyGone };
        assert_eq!(report.groups[0].outcomes, [outcome]);
        assert_eq!((model.teams.len(), state.groups.len()), (0, 0));
    }
    // Or is a new group's, which may then delete it.
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    run_until(&mut model, &config, &[group("g1", "a")], &mut state, "create-team", Fault::CrashAfter);
    run(&mut model, &config, &[group("g2", "a")], &mut state);
    assert_eq!(state.groups.keys().collect::<Vec<_>>(), ["g2"]);
    assert_eq!(state.group("g2").unwrap().origin, Origin::Created);
}

#[test]
pub(crate) fn of_a_creation_that_arrived_twice_one_team_is_taken() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let config = with(|_| {});
    let crash = run_until(&mut model, &config, &[group("g1", "a")], &mut state, "create-team", Fault::Twice);
    assert!(crash.is_some());
    assert_eq!((model.teams.len(), state.group("g1").unwrap().team.as_deref()), (2, Some("PT0001")));
    // Where that was not answered either, it is told.
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    run_until(&mut model, &config, &[group("g1", "a")], &mut state, "create-team", Fault::CrashAfter);
    let twin = model.teams["PT0001"].clone();
    model.teams.insert("PT0002".into(), twin);
    let report = run(&mut model, &config, &[group("g1", "a")], &mut state);
    let told = Problem::Duplicates(vec!["PT0002".into()]);
    assert_eq!(report.problems().collect::<Vec<_>>(), [&told]);
    assert_eq!(told.to_string(), "created more than once, also as PT0002");
    assert_eq!(state.group("g1").unwrap().team.as_deref(), Some("PT0001"));
}

#[test]
pub(crate) fn a_creation_that_is_refused_is_not_waited_for() {
    let config = with(|_| {});
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let mut sync = TeamSync::new(config, vec![group("g1", "a")], state.clone());
    let now = Duration::ZERO;
    let report = loop {
        match sync.next(now, || 0) {
            Step::Send(request) => {
                let response = match request.write() {
                    Some(_) => error(400, 2001, "Invalid Input Provided", &[]),
                    None => model.answer(request.http()),
                };
                sync.receive(now, response);
            }
            Step::Save(save) => state.set(&save.group, save.state.cloned()),
            Step::Wait(pause) => panic!("{pause:?}"),
            Step::Done(report) => break report,
            Step::Charge(_) | Step::Release(_) => panic!("there are no guards"),
        }
    };
    assert!(matches!(report.problems().next(), Some(Problem::Refused(_))));
    assert_eq!(state.group("g1").unwrap().creating, None);
}

#[test]
pub(crate) fn a_member_whose_addition_was_not_answered_is_the_bridges_own() {
    let config = with(|_| {});
    for fault in [Fault::CrashAfter, Fault::CrashBefore, Fault::DroppedAfter, Fault::DroppedBefore] {
        let (mut model, mut state) = (pagerduty(), TeamState::default());
        run_until(&mut model, &config, &[group("g1", "a")], &mut state, "add-member", fault);
        run(&mut model, &config, &[DesiredGroup::new("g1", "a")], &mut state);
        assert_eq!(model.teams["PT0001"].members.len(), 0, "{fault:?}");
        assert_eq!(state.group("g1").unwrap().members.len(), 0);
    }
}

#[test]
pub(crate) fn a_deletion_that_was_not_answered_is_one() {
    let config = with(|options| options.deletion = Deletion::Delete);
    for fault in [Fault::DroppedAfter, Fault::DroppedBefore, Fault::HtmlAfter, Fault::Twice] {
        let (mut model, mut state) = (pagerduty(), TeamState::default());
        run(&mut model, &config, &[group("g1", "a")], &mut state);
        let report = run_until(&mut model, &config, &[], &mut state, "delete-team", fault).unwrap();
        assert_eq!(report.groups[0].outcomes, [TeamOutcome::Deleted], "{fault:?}");
        assert_eq!((model.teams.len(), state.groups.len()), (0, 0));
    }
}

#[test]
pub(crate) fn a_removal_that_was_not_answered_is_one() {
    let config = with(|_| {});
    for fault in [Fault::DroppedAfter, Fault::DroppedBefore, Fault::TwiceAnsweredLast] {
        let (mut model, mut state) = (pagerduty(), TeamState::default());
        run(&mut model, &config, &[group("g1", "a")], &mut state);
        let empty = [DesiredGroup::new("g1", "a")];
        let report = run_until(&mut model, &config, &empty, &mut state, "remove-member", fault).unwrap();
        assert_eq!(report.problems().next(), None, "{fault:?}");
        assert_eq!(report.groups[0].members[0].outcome.to_string(), "removed");
        assert_eq!(model.teams["PT0001"].members.len(), 0);
    }
}

/// A run at this time, in which `fault` happens to the first request that writes `action`.
fn run_at(
    at: u64,
    model: &mut PagerDuty,
    groups: &[DesiredGroup],
    state: &mut TeamState,
    fault: Option<(&str, Fault)>,
) -> Option<Report> {
    let sync = TeamSync::new(with(|_| {}), groups.to_vec(), state.clone()).at(clock(Duration::from_secs(at)));
    let is_next = std::cell::Cell::new(false);
    let mut fault = fault;
    let happens = fault.map_or(Fault::None, |(_, fault)| fault);
    let look = |_: &PagerDuty, _: &TeamState, write: &Write| {
        if fault.is_some_and(|(action, _)| action == write.action()) {
            fault = None;
            is_next.set(true);
        }
    };
    let faults = || if is_next.take() { happens } else { Fault::None };
    run_sync(sync, (model, &with(|_| {}), state), &MemoryLedger::new(), faults, look)
}

/// The request has its effect when the run is over, and its user has left the group.
#[test]
pub(crate) fn a_member_whose_addition_is_late_is_removed_by_a_later_run() {
    let empty = [DesiredGroup::new("g1", "a")];
    for fault in [Fault::CrashBefore, Fault::TwiceLate(100)] {
        let (mut model, mut state) = (pagerduty(), TeamState::default());
        run_at(0, &mut model, &empty, &mut state, None);
        run_at(1, &mut model, &[group("g1", "a")], &mut state, Some(("add-member", fault)));
        if fault == Fault::CrashBefore {
            // It was sent, and is on its way.
            let late = http::Request::put("https://api.pagerduty.com/teams/PT0001/users/PA")
                .header("authorization", format!("Token token={}", crate::model::KEY))
                .header("accept", "application/vnd.pagerduty+json;version=2")
                .body(br#"{"role": "responder"}"#.to_vec());
            model.late.push((100, late.unwrap()));
        }
        run_at(2, &mut model, &empty, &mut state, None);
        assert_eq!(model.teams["PT0001"].members.len(), 0);
        assert_eq!(state.group("g1").unwrap().former["PA"].email, "alex@example.com");
        model.settle();
        assert_eq!(model.teams["PT0001"].members.len(), 1);
        run_at(3, &mut model, &empty, &mut state, None);
        assert_eq!(model.teams["PT0001"].members.len(), 0, "{fault:?}");
        // After some time that is over: whoever comes then was not added by the bridge.
        run_at(700, &mut model, &empty, &mut state, None);
        assert!(state.group("g1").unwrap().former.is_empty());
        let by_hand = crate::model::Membership { role: "manager".into(), before: None };
        model.teams.get_mut("PT0001").unwrap().members.insert("PA".into(), by_hand);
        run_at(701, &mut model, &empty, &mut state, None);
        assert_eq!(model.teams["PT0001"].members.len(), 1);
    }
}

/// Whoever was on the team for long, and is taken off it, is on it again by hand: with whatever role. And so is
/// whoever has another role there than the bridge gave them lately.
#[test]
pub(crate) fn whoever_is_added_by_hand_after_their_removal_stays() {
    let empty = [DesiredGroup::new("g1", "a")];
    for (removed_at, role, stays) in [(700, "responder", true), (2, "manager", true), (2, "responder", false)]
    {
        let (mut model, mut state) = (pagerduty(), TeamState::default());
        run_at(1, &mut model, &[group("g1", "a")], &mut state, None);
        run_at(removed_at, &mut model, &empty, &mut state, None);
        assert_eq!(model.teams["PT0001"].members.len(), 0);
        let by_hand = crate::model::Membership { role: role.into(), before: None };
        model.teams.get_mut("PT0001").unwrap().members.insert("PA".into(), by_hand);
        for minute in 1..20 {
            run_at(removed_at + 60 * minute, &mut model, &empty, &mut state, None);
        }
        assert_eq!(model.teams["PT0001"].members.len(), usize::from(stays), "{removed_at} {role}");
        assert!(state.group("g1").unwrap().former.is_empty());
    }
}

/// A late request gives a member the role that they had before, just when another was set and is looked for.
#[test]
pub(crate) fn a_role_that_a_late_request_overtook_is_set_again() {
    let with_role = |role| [DesiredGroup { role: Some(role), ..group("g1", "a") }];
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    run_at(0, &mut model, &with_role(TeamRole::Responder), &mut state, None);
    let late = Some(("set-role", Fault::TwiceLate(5)));
    run_at(1, &mut model, &with_role(TeamRole::Observer), &mut state, late);
    let role = |model: &PagerDuty| model.teams["PT0001"].members["PA"].role.clone();
    assert_eq!((role(&model).as_str(), model.late.len()), ("observer", 1));
    let wanted = with_role(TeamRole::Manager);
    let told = |report: Option<Report>| report.unwrap().groups[0].members[0].outcome.clone();
    let kept = MemberOutcome::RoleKept { role: "observer".into() };
    assert_eq!(told(run_at(2, &mut model, &wanted, &mut state, None)), kept);
    assert_eq!((role(&model).as_str(), model.late.len()), ("observer", 0));
    // It is left as it is for some time, in case that PagerDuty does not change it.
    model.log.clear();
    assert_eq!(told(run_at(300, &mut model, &wanted, &mut state, None)), kept);
    assert_eq!(model.writes(), [""; 0]);
    let set = MemberOutcome::RoleSet { from: "observer".into() };
    assert_eq!(told(run_at(700, &mut model, &wanted, &mut state, None)), set);
    assert_eq!(role(&model), "manager");
    assert_eq!(state.group("g1").unwrap().members["PA"].kept_role, None);
}

/// Of a role that PagerDuty does not change it is known for good at the second time.
#[test]
pub(crate) fn a_role_that_pagerduty_does_not_change_is_set_twice() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    run_at(0, &mut model, &[group("g1", "a")], &mut state, None);
    model.role_lag = u32::MAX;
    let wanted = [DesiredGroup { role: Some(TeamRole::Manager), ..group("g1", "a") }];
    let mut writes = Vec::new();
    for minutes in [1, 2, 9, 15, 40, 1_000] {
        model.log.clear();
        run_at(60 * minutes, &mut model, &wanted, &mut state, None);
        writes.push(model.writes().len());
    }
    assert_eq!(writes, [1, 0, 0, 1, 0, 0]);
}

/// What was kept before it was remembered what was sent is read, and nobody is removed by it.
#[test]
fn what_an_earlier_version_kept_is_read() {
    let row = r#"{"name": "a", "team": "PX", "former": {"PA": {"user": "u1", "email": "alex@example.com", "until": 900}},
        "members": {"PB": {"user": "u2", "email": "b@example.com", "kept_role": {"wanted": "manager", "seen": "observer"}}}}"#;
    let mut state: TeamState = serde_json::from_str(&format!(r#"{{"groups": {{"g1": {row}}}}}"#)).unwrap();
    let mut model = pagerduty().with_team("PX", "a", &[("PA", "responder")]);
    run_at(1, &mut model, &[DesiredGroup::new("g1", "a")], &mut state, None);
    assert_eq!(model.teams["PX"].members.len(), 1);
    let row = state.group("g1").unwrap();
    assert!(row.former.is_empty() && row.members.is_empty(), "{row:?}");
}
