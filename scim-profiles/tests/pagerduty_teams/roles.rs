//! The roles on a team.

use scim_profiles::pagerduty::TeamRole;
use scim_profiles::pagerduty::teams::{
    DesiredGroup, FixedRoles, MemberOutcome, Problem, Stakeholders, TeamConfig, TeamState, Write,
};

use crate::accounts::{alpha, pagerduty, pair, problems, roles};
use crate::model::PagerDuty;
use crate::run::{config, run, with};

#[test]
pub(crate) fn a_role_is_that_of_the_member_then_of_the_group() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let mut group = alpha();
    group.role = Some(TeamRole::Observer);
    group.members[0].role = Some(TeamRole::Manager);
    run(&mut model, &config(), &[group.clone()], &mut state);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "manager"), pair("PB", "observer")]);
    group.members[0].role = None;
    let report = run(&mut model, &config(), &[group], &mut state);
    assert_eq!(report.groups[0].members[0].outcome, MemberOutcome::RoleSet { from: "manager".into() });
    assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "observer"), pair("PB", "observer")]);
}

#[test]
pub(crate) fn a_stakeholder_is_passed_over() {
    let mut model = pagerduty();
    model.users.get_mut("PA").unwrap().role = "read_only_user";
    let mut state = TeamState::default();
    let report = run(&mut model, &config(), &[alpha()], &mut state);
    let told = "a stakeholder is on no team: 400 (code 2001): Invalid Input Provided: User is a stakeholder";
    assert_eq!(problems(&report), [told]);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PB", "responder")]);
    assert!(!state.group("g1").unwrap().members.contains_key("PA"));
}

#[test]
pub(crate) fn a_fixed_account_role_is_left_alone() {
    let mut model = pagerduty();
    model.users.get_mut("PA").unwrap().role = "admin";
    let mut state = TeamState::default();
    run(&mut model, &config(), &[alpha()], &mut state);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "manager"), pair("PB", "responder")]);
    let report = run(&mut model, &config(), &[alpha()], &mut state);
    assert_eq!((model.writes().len(), report.plan.is_empty()), (0, true));
}

#[test]
pub(crate) fn a_role_that_pagerduty_does_not_change_is_set_once() {
    let mut model = pagerduty();
    let mut state = TeamState::default();
    run(&mut model, &config(), &[alpha()], &mut state);
    // A role for ever late: whatever is set, the former one is shown.
    model.role_lag = u32::MAX;
    let group = DesiredGroup { role: Some(TeamRole::Manager), ..alpha() };
    let report = run(&mut model, &config(), std::slice::from_ref(&group), &mut state);
    let kept = MemberOutcome::RoleKept { role: "responder".into() };
    assert_eq!(report.groups[0].members[0].outcome, kept);
    assert_eq!(model.writes().len(), 2);
    let report = run(&mut model, &config(), &[group], &mut state);
    assert_eq!(report.groups[0].members[0].outcome, kept);
    assert_eq!(model.writes().len(), 0);
    // Another role is another matter.
    let group = DesiredGroup { role: Some(TeamRole::Observer), ..alpha() };
    run(&mut model, &config(), &[group], &mut state);
    assert_eq!(model.writes().len(), 2);
}

#[test]
pub(crate) fn a_role_that_shows_late_is_waited_for() {
    let mut model = PagerDuty { role_lag: 4, ..pagerduty() };
    let mut state = TeamState::default();
    let report = run(&mut model, &config(), &[alpha()], &mut state);
    assert_eq!(model.writes().len(), 3);
    assert!(report.groups[0].members.iter().all(|member| member.outcome == MemberOutcome::Added));
    assert!(run(&mut model, &config(), &[alpha()], &mut state).plan.is_empty());
}

#[test]
pub(crate) fn a_role_can_be_left_to_pagerduty() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let free = with(|options| options.role = None);
    run(&mut model, &free, &[alpha()], &mut state);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "manager"), pair("PB", "manager")]);
    assert!(run(&mut model, &free, &[alpha()], &mut state).plan.is_empty());
}

/// Of whom the bridge added; of others, and where PagerDuty decides, it stays.
#[test]
pub(crate) fn a_role_changed_by_hand_is_put_back() {
    let by_hand = |config: &TeamConfig, there: &[(&str, &str)]| {
        let (mut model, mut state) = (pagerduty().with_team("PX", "Team Alpha", there), TeamState::default());
        run(&mut model, config, &[alpha()], &mut state);
        for (user, role) in [("PA", "manager"), ("PB", "observer")] {
            let members = &mut model.teams.get_mut("PX").unwrap().members;
            members.get_mut(user).unwrap().role = role.to_owned();
        }
        let report = run(&mut model, config, &[alpha()], &mut state);
        (roles(&model, "Team Alpha"), report.groups[0].members[0].outcome.clone())
    };
    let back = [pair("PA", "responder"), pair("PB", "responder")];
    let set = MemberOutcome::RoleSet { from: "manager".into() };
    assert_eq!(by_hand(&config(), &[]), (back.to_vec(), set.clone()));
    let changed = vec![pair("PA", "manager"), pair("PB", "observer")];
    let free = with(|options| options.role = None);
    assert_eq!(by_hand(&free, &[]), (changed, MemberOutcome::Unchanged));
    let (told, outcome) = by_hand(&config(), &[("PB", "responder")]);
    assert_eq!((told, outcome), (vec![pair("PA", "responder"), pair("PB", "observer")], set));
}

/// That PagerDuty refuses them is one of two things that its documents say.
#[test]
pub(crate) fn of_a_stakeholder_pagerduty_need_not_be_asked() {
    let skip = with(|options| options.stakeholders = Stakeholders::Skip);
    for (config, asked) in [(config(), 1), (skip.clone(), 0)] {
        let mut model = pagerduty();
        model.users.get_mut("PA").unwrap().role = "read_only_limited_user";
        let mut state = TeamState::default();
        let report = run(&mut model, &config, &[alpha()], &mut state);
        assert_eq!(problems(&report).len(), 1, "{report}");
        assert_eq!(roles(&model, "Team Alpha"), [pair("PB", "responder")]);
        assert!(!state.group("g1").unwrap().members.contains_key("PA"));
        // In the next run too.
        let report = run(&mut model, &config, &[alpha()], &mut state);
        let requests =
            model.log.iter().filter(|request| request.starts_with("PUT ") && request.contains("/PA"));
        assert_eq!(requests.count(), asked, "{:?}", model.log);
        let told = report.problems().next().unwrap();
        assert_eq!(*told == Problem::StakeholderSkipped, asked == 0, "{told}");
    }
    assert_eq!(Problem::StakeholderSkipped.to_string(), "a stakeholder is put onto no team");
    // Whoever becomes one, and is taken off the team by that, is none whom the bridge added.
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    run(&mut model, &skip, &[alpha()], &mut state);
    model.users.get_mut("PA").unwrap().role = "read_only_user";
    model.teams.get_mut("PT0001").unwrap().members.remove("PA");
    run(&mut model, &skip, &[alpha()], &mut state);
    assert!(!state.group("g1").unwrap().members.contains_key("PA"));
    // One who is no stakeholder any more is added.
    model.users.get_mut("PA").unwrap().role = "limited_user";
    assert_eq!(problems(&run(&mut model, &skip, &[alpha()], &mut state)), [""; 0]);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "responder"), pair("PB", "responder")]);
}

/// That the role of who has a fixed one cannot be set is concluded from what it gives them.
#[test]
pub(crate) fn a_fixed_account_role_can_be_given_a_role_on_the_team() {
    let set = with(|options| options.fixed_roles = FixedRoles::Set);
    for (config, sent) in [(config(), 0), (set, 1)] {
        let mut model = pagerduty();
        model.users.get_mut("PA").unwrap().role = "owner";
        let mut state = TeamState::default();
        let report = run(&mut model, &config, &[alpha()], &mut state);
        let asked = report.plan.writes().iter().filter(|write| {
            matches!(write, Write::AddMember { user, role: Some(TeamRole::Responder), .. } if user == "PA")
        });
        assert_eq!(asked.count(), sent, "{}", report.plan);
        assert!(run(&mut model, &config, &[alpha()], &mut state).plan.is_empty());
    }
    // Where PagerDuty takes no notice of it, that is told, and not tried for ever.
    let set = with(|options| options.fixed_roles = FixedRoles::Set);
    let mut model = pagerduty();
    model.users.get_mut("PA").unwrap().role = "admin";
    let mut state = TeamState::default();
    run(&mut model, &set, &[alpha()], &mut state);
    let report = run(&mut model, &set, &[alpha()], &mut state);
    assert_eq!(report.groups[0].members[0].outcome, MemberOutcome::RoleKept { role: "manager".into() });
    assert_eq!((model.writes().len(), report.plan.is_empty()), (0, true));
}
