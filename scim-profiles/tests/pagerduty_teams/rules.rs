//! Each rule by itself.

use scim_profiles::pagerduty::TeamRole;
use scim_profiles::pagerduty::teams::{
    Adoption, DesiredGroup, End, FoundMembers, MemberOutcome, Mode, Origin, Problem, TeamOutcome, TeamState,
};

use crate::model::PagerDuty;
use crate::run::{config, run, with};

fn alpha() -> DesiredGroup {
    DesiredGroup::new("g1", "Team Alpha")
        .with_member("u1", "alex.doe@example.com")
        .with_member("u2", "Bo.Roe@Example.com")
}

fn pagerduty() -> PagerDuty {
    PagerDuty::new().with_user("PA", "Alex.Doe@example.com").with_user("PB", "bo.roe@example.com")
}

fn roles(model: &PagerDuty, name: &str) -> Vec<(String, String)> {
    let (_, team) = model.team_named(name).expect("there is the team");
    team.members.iter().map(|(user, membership)| (user.clone(), membership.role.clone())).collect()
}

fn pair(user: &str, role: &str) -> (String, String) {
    (user.to_owned(), role.to_owned())
}

#[test]
fn a_team_is_created_with_its_members() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let report = run(&mut model, &config(), &[alpha()], &mut state);
    assert_eq!(report.end, End::Complete);
    assert_eq!(report.groups[0].outcomes, [TeamOutcome::Created]);
    assert!(report.groups[0].members.iter().all(|member| member.outcome == MemberOutcome::Added));
    let (id, team) = model.team_named("Team Alpha").unwrap();
    assert_eq!(team.description, "Created via Scimify for tenant t-123");
    assert_eq!(state.group("g1").unwrap().team.as_ref(), Some(id));
    assert_eq!(state.group("g1").unwrap().origin, Origin::Created);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "responder"), pair("PB", "responder")]);
    // Again: nothing.
    let kept = state.clone();
    let report = run(&mut model, &config(), &[alpha()], &mut state);
    assert_eq!((model.writes().len(), report.plan.is_empty()), (0, true));
    assert_eq!(model.log.len(), 2, "{:?}", model.log);
    assert_eq!(state, kept);
}

#[test]
fn a_dry_run_only_reads() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let dry = with(|options| options.mode = Mode::DryRun);
    let report = run(&mut model, &dry, &[alpha()], &mut state);
    assert!(report.dry_run);
    assert!(model.log.iter().all(|line| line.starts_with("GET")), "{:?}", model.log);
    assert_eq!(state, TeamState::default());
    assert_eq!(
        report.plan.to_string(),
        "\
ACTION       GROUP  TEAM   E-MAIL                DETAIL
create-team  g1     (new)                        Team Alpha
add-member   g1     (new)  alex.doe@example.com  responder
add-member   g1     (new)  Bo.Roe@Example.com    responder
"
    );
    // The run does what the dry run says.
    let done = run(&mut model, &config(), &[alpha()], &mut state);
    let actions = |report: &scim_profiles::pagerduty::teams::Report| {
        report.plan.writes().iter().map(|write| write.action()).collect::<Vec<_>>()
    };
    assert_eq!(actions(&done), actions(&report));
    assert!(run(&mut model, &dry, &[alpha()], &mut state).plan.is_empty());
}

#[test]
fn who_leaves_the_group_is_removed_and_who_was_there_is_not() {
    let mut model = pagerduty().with_user("PC", "cy@example.com").with_team(
        "PX",
        "Team Alpha",
        &[("PB", "manager"), ("PC", "observer")],
    );
    let mut state = TeamState::default();
    let report = run(&mut model, &config(), &[alpha()], &mut state);
    assert_eq!(report.groups[0].outcomes, [TeamOutcome::Adopted]);
    assert_eq!(report.groups[0].members[1].outcome, MemberOutcome::AlreadyThere);
    let all = [pair("PA", "responder"), pair("PB", "manager"), pair("PC", "observer")];
    assert_eq!(roles(&model, "Team Alpha"), all);
    let report = run(&mut model, &config(), &[DesiredGroup::new("g1", "Team Alpha")], &mut state);
    assert_eq!(report.groups[0].members.len(), 1);
    assert_eq!(report.groups[0].members[0].outcome, MemberOutcome::Removed);
    assert_eq!(roles(&model, "Team Alpha"), all[1..]);
}

#[test]
fn members_who_were_there_can_be_adopted() {
    let mut model = pagerduty().with_team("PX", "Team Alpha", &[("PB", "manager"), ("PC", "observer")]);
    let mut state = TeamState::default();
    let adopting = with(|options| options.found_members = FoundMembers::Adopt);
    let report = run(&mut model, &adopting, &[alpha()], &mut state);
    assert_eq!(report.groups[0].members[1].outcome, MemberOutcome::RoleSet { from: "manager".into() });
    run(&mut model, &adopting, &[DesiredGroup::new("g1", "Team Alpha")], &mut state);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PC", "observer")]);
}

#[test]
fn a_team_that_is_there_can_be_left_alone() {
    let mut model = pagerduty().with_team("PX", "Team Alpha", &[]);
    let refusing = with(|options| options.adoption = Adoption::Refuse);
    let report = run(&mut model, &refusing, &[alpha()], &mut TeamState::default());
    assert_eq!(report.problems().collect::<Vec<_>>(), [&Problem::Exists("PX".into())]);
    assert_eq!(model.writes().len(), 0);
}

#[test]
fn a_role_is_that_of_the_member_then_of_the_group() {
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
