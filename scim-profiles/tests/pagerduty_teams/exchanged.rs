//! Groups that have each other's names now.

use scim_profiles::pagerduty::teams::{
    Deletion, DesiredGroup, Mode, Problem, Renaming, TeamOutcome, TeamState, Write,
};

use crate::accounts::problems;
use crate::lost_answers::run_until;
use crate::model::PagerDuty;
use crate::run::{Fault, config, run, with};

/// Groups `g0`, `g1` and so on, called so.
fn groups(names: &[&str]) -> Vec<DesiredGroup> {
    names.iter().enumerate().map(|(place, name)| DesiredGroup::new(format!("g{place}"), *name)).collect()
}

fn names(model: &PagerDuty) -> Vec<&str> {
    model.teams.values().map(|team| team.name.as_str()).collect()
}

/// The names that teams get, in that order.
fn given(writes: &[Write]) -> Vec<&str> {
    let given = writes.iter().map(|write| match write {
        Write::RenameTeam { to, .. } => to.as_str(),
        other => panic!("{other:?}"),
    });
    given.collect()
}

/// An account with teams called so, and what is remembered of them.
fn account(names: &[&str]) -> (PagerDuty, TeamState) {
    let (mut model, mut state) = (PagerDuty { unique_names: true, ..PagerDuty::new() }, TeamState::default());
    run(&mut model, &config(), &groups(names), &mut state);
    (model, state)
}

/// Two, three in a circle, and two that differ in case; a dry run says just what is done.
#[test]
pub(crate) fn teams_whose_groups_exchange_their_names_do_too() {
    let cases: [(&[&str], &[&str], &[&str]); 3] = [
        (&["a", "b"], &["b", "a"], &["b (being renamed, PT0001)", "a", "b"]),
        (&["a", "b", "c"], &["b", "c", "a"], &["b (being renamed, PT0001)", "a", "c", "b"]),
        (&["a", "A"], &["A", "a"], &["A (being renamed, PT0001)", "a", "A"]),
    ];
    for (before, after, expected) in cases {
        for unique_names in [true, false] {
            let (model, mut state) = account(before);
            let mut model = PagerDuty { unique_names, ..model };
            let dry = with(|options| options.mode = Mode::DryRun);
            let would = run(&mut model, &dry, &groups(after), &mut state);
            assert_eq!(given(would.plan.writes()), expected);
            let report = run(&mut model, &config(), &groups(after), &mut state);
            assert_eq!((problems(&report), report.plan), (vec![], would.plan));
            for (group, from) in report.groups.iter().zip(before) {
                assert_eq!(group.outcomes, [TeamOutcome::Renamed { from: (*from).into() }]);
            }
            assert_eq!(names(&model), after);
            assert!(state.groups.values().all(|row| row.renaming.is_none()), "{state:?}");
            run(&mut model, &config(), &groups(after), &mut state);
            assert_eq!(model.writes(), [""; 0]);
        }
    }
}

/// The temporary name is no other team's, and no other group's.
#[test]
fn a_temporary_name_is_nobody_elses() {
    let (model, mut state) = account(&["a", "b", "c"]);
    let mut model = model.with_team("PX", "b (Being Renamed, PT0001)", &[]);
    let wanted = groups(&["b", "a", "b (being renamed, PT0001, 2)"]);
    let report = run(&mut model, &config(), &wanted, &mut state);
    assert_eq!(problems(&report), [""; 0]);
    let third = "b (being renamed, PT0001, 3)";
    assert_eq!(given(report.plan.writes()), ["b (being renamed, PT0001, 2)", third, "a", "b"]);
    // Where it never ends, it is given up, and nothing is changed.
    let few = with(|options| options.max_attempts = 1);
    let mut model = model.with_team("PY", "a (being renamed, PT0001)", &[]);
    let report = run(&mut model, &few, &groups(&["a", "b", "c"]), &mut state);
    assert!(report.problems().any(|problem| *problem == Problem::Exists("PY".into())), "{report}");
    assert_eq!(given(report.plan.writes()), ["c"]);
}

#[test]
fn the_longest_names_are_exchanged() {
    let [one, other] = ["ü", "ö"].map(|letter| letter.repeat(100));
    let (mut model, mut state) = account(&[&one, &other]);
    let report = run(&mut model, &config(), &groups(&[&other, &one]), &mut state);
    assert_eq!((problems(&report), names(&model)), (vec![], vec![other.as_str(), one.as_str()]));
    let start = "ö".repeat(76);
    assert_eq!(given(report.plan.writes())[0], format!("{start} (being renamed, PT0001)"));
}

/// The one that is to be renamed last, as its group is gone: it gets the name it was to have, or is taken over with it.
#[test]
fn a_temporary_name_does_not_outlive_its_group() {
    for deletion in [Deletion::Keep, Deletion::Empty, Deletion::Delete] {
        for is_made_anew in [false, true] {
            let (mut model, mut state) = account(&["a", "b"]);
            let config = with(|options| options.deletion = deletion);
            let wanted = groups(&["b", "a"]);
            let ended = run_until(&mut model, &config, &wanted, &mut state, "rename-team", Fault::CrashAfter);
            assert_eq!((ended, names(&model)), (None, vec!["b (being renamed, PT0001)", "b"]));
            let temporary = "b (being renamed, PT0001)".to_owned();
            let renaming = Some(Renaming { temporary, to: "b".into() });
            assert_eq!(state.group("g0").unwrap().renaming, renaming);
            let mut left = wanted[1..].to_vec();
            left.extend(is_made_anew.then(|| DesiredGroup::new("g9", "b")));
            let report = run(&mut model, &config, &left, &mut state);
            assert_eq!(problems(&report), [""; 0]);
            let is_deleted = deletion == Deletion::Delete && !is_made_anew;
            let expected = if is_deleted { vec!["a"] } else { vec!["b", "a"] };
            assert_eq!(names(&model), expected, "{deletion:?}");
            assert_eq!(state.groups.len(), left.len());
            assert!(state.groups.values().all(|row| row.renaming.is_none()), "{state:?}");
        }
    }
}

/// A name that somebody gave the team meanwhile stays, and so does a temporary one where the other is taken.
#[test]
fn the_team_of_a_group_that_is_gone_takes_no_name_from_others() {
    let interrupted = || {
        let (mut model, mut state) = account(&["a", "b"]);
        run_until(&mut model, &config(), &groups(&["b", "a"]), &mut state, "rename-team", Fault::CrashAfter);
        (model, state)
    };
    let (mut model, mut state) = interrupted();
    model.teams.get_mut("PT0001").unwrap().name = "by hand".into();
    let report = run(&mut model, &config(), &groups(&["b", "b"])[1..], &mut state);
    assert_eq!((problems(&report), names(&model)), (vec![], vec!["by hand", "b"]));
    let (mut model, mut state) = interrupted();
    let report = run(&mut model, &config(), &groups(&["b", "b"])[1..], &mut state);
    assert_eq!(problems(&report), ["the team with the name is that of the group `g1`"]);
    assert_eq!(names(&model), ["b (being renamed, PT0001)", "b"]);
    // It is kept as it is, and that is said once.
    assert_eq!(state.groups.keys().collect::<Vec<_>>(), ["g1"]);
}

/// One of them may not be renamed: the other is left with a name that says what it is, and that is all each run does.
#[test]
fn where_one_cannot_be_renamed_the_other_waits() {
    let (mut model, mut state) = account(&["a", "b"]);
    model.forbidden = vec!["PUT /teams/PT0002"];
    let wanted = groups(&["b", "a"]);
    for writes in [1, 0, 0] {
        let report = run(&mut model, &config(), &wanted, &mut state);
        assert_eq!((report.plan.writes().len(), problems(&report).len()), (writes, 2), "{report}");
        assert_eq!(names(&model), ["b (being renamed, PT0001)", "b"]);
    }
    model.forbidden.clear();
    let report = run(&mut model, &config(), &wanted, &mut state);
    assert_eq!((problems(&report), names(&model)), (vec![], vec!["b", "a"]));
}
