//! The team of a group that is gone.

use std::time::Duration;

use scim_profiles::guard::MemoryLedger;
use scim_profiles::pagerduty::teams::{Deletion, DesiredGroup, TeamOutcome, TeamState, TeamSync};

use crate::accounts::{alpha, deleting, pagerduty, pair, problems, roles};
use crate::model::PagerDuty;
use crate::run::{Fault, clock, config, run, run_sync, with};

#[test]
pub(crate) fn the_team_of_a_group_that_is_gone_stays_is_emptied_or_deleted() {
    for deletion in [Deletion::Keep, Deletion::Empty, Deletion::Delete] {
        let (mut model, mut state) = (pagerduty(), TeamState::default());
        let config = deleting(deletion);
        run(&mut model, &config, &[alpha()], &mut state);
        let report = run(&mut model, &config, &[], &mut state);
        let left = model.teams.get("PT0001").map(|team| team.members.len());
        let (outcome, expected) = match deletion {
            Deletion::Keep => (TeamOutcome::Kept, Some(2)),
            Deletion::Empty => (TeamOutcome::Emptied, Some(0)),
            Deletion::Delete => (TeamOutcome::Deleted, None),
        };
        assert_eq!(report.groups[0].outcomes, [outcome]);
        assert_eq!(report.groups[0].team.as_deref(), Some("PT0001"));
        assert_eq!((left, state), (expected, TeamState::default()), "{deletion:?}");
    }
}

#[test]
pub(crate) fn a_team_is_deleted_with_its_incidents_given_to_another() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let config = with(|options| {
        options.deletion = Deletion::Delete;
        options.reassignment_team = Some("PQ 1".into());
    });
    run(&mut model, &config, &[alpha()], &mut state);
    run(&mut model, &config, &[], &mut state);
    assert_eq!(model.writes(), ["DELETE /teams/PT0001?reassignment_team=PQ%201"]);
}

#[test]
pub(crate) fn a_team_to_which_something_belongs_is_emptied_and_deleted_later() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let config = deleting(Deletion::Delete);
    run(&mut model, &config, &[alpha()], &mut state);
    model.teams.get_mut("PT0001").unwrap().has_associations = true;
    let report = run(&mut model, &config, &[], &mut state);
    assert_eq!(problems(&report), ["not deleted: 400 (code 6006): Team has existing associations"]);
    assert_eq!(model.teams["PT0001"].members.len(), 0);
    model.teams.get_mut("PT0001").unwrap().has_associations = false;
    let report = run(&mut model, &config, &[], &mut state);
    assert_eq!(report.groups[0].outcomes, [TeamOutcome::Deleted]);
    assert_eq!((model.teams.len(), state.groups.len()), (0, 0));
}

#[test]
pub(crate) fn a_team_of_others_is_not_deleted() {
    // One that was there before, and one on which somebody else is.
    let mut model = pagerduty().with_user("PC", "cy@example.com").with_team("PX", "Team Alpha", &[]);
    let mut state = TeamState::default();
    let config = deleting(Deletion::Delete);
    let beta = DesiredGroup::new("g2", "Team Beta").with_member("u2", "bo.roe@example.com");
    run(&mut model, &config, &[alpha(), beta], &mut state);
    model = model.with_team("PY", "Team Gamma", &[("PC", "manager")]);
    let gamma = model.teams["PY"].members.clone();
    model.teams.get_mut("PT0001").unwrap().members.extend(gamma);
    let report = run(&mut model, &config, &[], &mut state);
    assert_eq!(problems(&report), ["not deleted: 1 others are on the team"]);
    assert_eq!(report.group("g1").unwrap().outcomes, [TeamOutcome::NotDeleted, TeamOutcome::Emptied]);
    assert_eq!(state.groups.keys().collect::<Vec<_>>(), ["g2"]);
    assert_eq!(model.teams["PX"].members.len(), 0);
    assert_eq!(roles(&model, "Team Beta"), [pair("PC", "manager")]);
}

/// What a late request can still do is looked for, and that is no problem either.
#[test]
fn that_a_team_was_there_before_is_no_problem_of_any_run() {
    let mut model = pagerduty().with_team("PX", "Team Alpha", &[]);
    let (mut state, config) = (TeamState::default(), deleting(Deletion::Delete));
    let mut run_at = |seconds, groups: &[DesiredGroup]| {
        let sync = TeamSync::new(config.clone(), groups.to_vec(), state.clone());
        let sync = sync.at(clock(Duration::from_secs(seconds)));
        let ledger = MemoryLedger::new();
        let to = (&mut model, &config, &mut state);
        let report = run_sync(sync, to, &ledger, || Fault::None, |_, _, _| {}).unwrap();
        assert_eq!(problems(&report), [""; 0], "{seconds}");
        (report.groups.into_iter().flat_map(|group| group.outcomes).collect::<Vec<_>>(), state.groups.len())
    };
    assert_eq!(run_at(0, &[alpha()]), (vec![TeamOutcome::Adopted], 1));
    let told = || vec![TeamOutcome::NotDeleted, TeamOutcome::Emptied];
    assert_eq!(run_at(1, &[]), (told(), 1));
    assert_eq!(run_at(2, &[]), (told(), 1));
    assert_eq!(run_at(700, &[]), (told(), 0));
    assert_eq!(run_at(701, &[]), (vec![], 0));
}

#[test]
pub(crate) fn a_group_that_was_made_anew_takes_the_team_over() {
    let anew = || DesiredGroup { id: "g9".into(), members: alpha().members.split_off(1), ..alpha() };
    for deletion in [Deletion::Keep, Deletion::Empty, Deletion::Delete] {
        let (mut model, mut state) = (pagerduty(), TeamState::default());
        let config = deleting(deletion);
        run(&mut model, &config, &[alpha()], &mut state);
        let report = run(&mut model, &config, &[anew()], &mut state);
        let told = &report.group("g9").unwrap().outcomes;
        assert_eq!(*told, [TeamOutcome::TakenOver { from: "g1".into() }]);
        // Who was on the team of the group that is gone stays if that is so for groups that are gone.
        let left = if deletion == Deletion::Keep { 2 } else { 1 };
        assert_eq!(model.teams["PT0001"].members.len(), left, "{deletion:?}");
        assert_eq!(state.groups.keys().collect::<Vec<_>>(), ["g9"]);
    }
}

#[test]
pub(crate) fn a_team_of_another_group_is_not_adopted() {
    let (mut model, mut state) = (PagerDuty { unique_names: true, ..pagerduty() }, TeamState::default());
    run(&mut model, &config(), &[alpha()], &mut state);
    // The group has another name now that its team cannot have.
    let groups =
        [DesiredGroup { display_name: "Taken".into(), ..alpha() }, DesiredGroup::new("g2", "Team Alpha")];
    let mut model = model.with_team("PX", "Taken", &[]);
    let report = run(&mut model, &config(), &groups, &mut state);
    let refused = "refused: 400 (code 2001): Invalid Input Provided: Name has already been taken";
    assert_eq!(problems(&report), [refused, "the team with the name is that of the group `g1`"]);
}
