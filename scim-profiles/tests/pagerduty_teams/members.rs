//! Who is put onto a team, who is taken off it, and who stays.

use scim_profiles::pagerduty::TeamRole;
use scim_profiles::pagerduty::teams::{
    DesiredGroup, FoundMembers, LookUp, MemberOutcome, Problem, TeamOutcome, TeamState,
};

use crate::accounts::{alpha, pagerduty, pair, problems, roles};
use crate::run::{config, run, with};

#[test]
pub(crate) fn who_leaves_the_group_is_removed_and_who_was_there_is_not() {
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

/// Whoever gives the groups leaves them out, with everybody else as they were.
#[test]
pub(crate) fn who_is_deactivated_leaves_the_team_and_comes_back() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let mut active = alpha();
    run(&mut model, &config(), &[alpha()], &mut state);
    active.members.remove(0);
    let report = run(&mut model, &config(), &[active], &mut state);
    assert_eq!(report.groups[0].members.last().unwrap().outcome, MemberOutcome::Removed);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PB", "responder")]);
    let report = run(&mut model, &config(), &[alpha()], &mut state);
    assert_eq!(report.groups[0].members[0].outcome, MemberOutcome::Added);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "responder"), pair("PB", "responder")]);
}

#[test]
pub(crate) fn members_who_were_there_can_be_adopted() {
    let mut model = pagerduty().with_team("PX", "Team Alpha", &[("PB", "manager"), ("PC", "observer")]);
    let mut state = TeamState::default();
    let adopting = with(|options| options.found_members = FoundMembers::Adopt);
    let report = run(&mut model, &adopting, &[alpha()], &mut state);
    assert_eq!(report.groups[0].members[1].outcome, MemberOutcome::RoleSet { from: "manager".into() });
    run(&mut model, &adopting, &[DesiredGroup::new("g1", "Team Alpha")], &mut state);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PC", "observer")]);
}

#[test]
pub(crate) fn somebody_unknown_is_added_when_they_appear() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let group =
        || alpha().with_member("u3", "cy@example.com").with_member("u4", "nobody").with_member("u5", "");
    let report = run(&mut model, &config(), &[group()], &mut state);
    let unknown = "no PagerDuty user has the e-mail address";
    let none = "no e-mail address of 6 to 100 characters";
    assert_eq!(problems(&report), [unknown, none, none]);
    assert_eq!(roles(&model, "Team Alpha").len(), 2);
    let mut model = model.with_user("PC", "cy@example.com");
    let report = run(&mut model, &config(), &[group()], &mut state);
    assert_eq!(report.groups[0].members[2].outcome, MemberOutcome::Added);
    assert_eq!(model.writes(), ["PUT /teams/PT0001/users/PC"]);
}

#[test]
pub(crate) fn whom_nobody_finds_any_more_is_not_removed() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    run(&mut model, &config(), &[alpha()], &mut state);
    model.users.get_mut("PA").unwrap().email = "new@example.com".into();
    let always = with(|options| options.look_up = LookUp::Always);
    let report = run(&mut model, &always, &[alpha()], &mut state);
    assert_eq!(problems(&report), ["no PagerDuty user has the e-mail address"]);
    // Nor if the identity provider made the user anew at the same time.
    let mut anew = alpha();
    anew.members[0].user = "u9".into();
    run(&mut model, &always, &[anew], &mut state);
    assert_eq!(roles(&model, "Team Alpha").len(), 2);
    // When the group is rid of them, they are.
    let without = DesiredGroup::new("g1", "Team Alpha").with_member("u2", "bo.roe@example.com");
    run(&mut model, &always, &[without], &mut state);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PB", "responder")]);
}

#[test]
pub(crate) fn an_address_that_changes_in_the_identity_provider_is_followed() {
    let mut model = pagerduty().with_user("PC", "cy@example.com");
    let mut state = TeamState::default();
    run(&mut model, &config(), &[alpha()], &mut state);
    // To one that nobody has: they have not left the group.
    let mut group = alpha();
    group.members[0].email = "alex.new@example.com".into();
    let report = run(&mut model, &config(), std::slice::from_ref(&group), &mut state);
    assert_eq!(problems(&report), ["no PagerDuty user has the e-mail address"]);
    assert_eq!(model.writes().len(), 0);
    // To another user's: that user is on the team, and the former one is not.
    group.members[0].email = "cy@example.com".into();
    run(&mut model, &config(), &[group], &mut state);
    assert_eq!(model.writes(), ["PUT /teams/PT0001/users/PC", "DELETE /teams/PT0001/users/PA"]);
}

#[test]
pub(crate) fn two_of_the_group_can_be_one_user() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let mut group = alpha().with_member("u9", "ALEX.DOE@EXAMPLE.COM");
    group.members[2].role = Some(TeamRole::Manager);
    run(&mut model, &config(), &[group], &mut state);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "manager"), pair("PB", "responder")]);
    assert_eq!(model.writes().len(), 3);
    // One of them leaves, the user stays.
    let report = run(&mut model, &config(), &[alpha()], &mut state);
    assert_eq!(report.groups[0].members[0].outcome, MemberOutcome::RoleSet { from: "manager".into() });
}

#[test]
pub(crate) fn somebody_on_an_escalation_policy_stays_and_is_told() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    run(&mut model, &config(), &[alpha()], &mut state);
    model.teams.get_mut("PT0001").unwrap().on_escalation_policy.insert("PA".into());
    let empty = [DesiredGroup::new("g1", "Team Alpha")];
    let report = run(&mut model, &config(), &empty, &mut state);
    assert!(
        matches!(report.problems().next(), Some(Problem::EscalationPolicy(error)) if error.code == Some(2001))
    );
    assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "responder")]);
    model.teams.get_mut("PT0001").unwrap().on_escalation_policy.clear();
    let report = run(&mut model, &config(), &empty, &mut state);
    assert_eq!((problems(&report).len(), model.writes().len()), (0, 1));
}

/// Who was found by an address may have another now, and that may be somebody else's of the group.
#[test]
pub(crate) fn whoever_has_the_address_of_a_member_by_now_is_not_removed() {
    for look_up in [LookUp::New, LookUp::Always] {
        let (mut model, mut state) = (pagerduty(), TeamState::default());
        let config = with(|options| options.look_up = look_up);
        run(&mut model, &config, &[alpha()], &mut state);
        let addresses = ["PA", "PB"].map(|id| model.users[id].email.clone());
        for (id, email) in ["PB", "PA"].into_iter().zip(addresses) {
            model.users.get_mut(id).unwrap().email = email;
        }
        // `u1` leaves, by whose address PA was found: PA is `u2` now, and stays.
        let left = DesiredGroup::new("g1", "Team Alpha").with_member("u2", "Bo.Roe@Example.com");
        run(&mut model, &config, std::slice::from_ref(&left), &mut state);
        assert!(roles(&model, "Team Alpha").contains(&pair("PA", "responder")), "{look_up:?}");
        run(&mut model, &with(|options| options.look_up = LookUp::Always), &[left], &mut state);
        assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "responder")], "{look_up:?}");
    }
}
