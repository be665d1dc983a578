//! Whatever the teams are, whatever is remembered, and whatever goes wrong in between: the bridge ends
//! with the teams that the groups say, and removes nobody whom it was not told to.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use scim_profiles::guard::MemoryLedger;
use scim_profiles::pagerduty::TeamRole;
use scim_profiles::pagerduty::teams::{
    Deletion, DesiredGroup, End, LookUp, Mode, Origin, Problem, TeamConfig, TeamOutcome, TeamState, TeamSync,
    Write,
};

use crate::model::{Membership, PagerDuty};
use crate::run::{FAULTS, Fault, clock, run, run_sync, with};
use crate::world::{ADMIN, Edit, OUTSIDERS, Phase, STAKEHOLDER, USERS, World, appear, email, stale, world};

/// What the bridge may never write.
struct Guard {
    /// What was remembered at first: said to have been added or created.
    added: BTreeSet<(String, String)>,
    created: BTreeSet<String>,
    deletion: Deletion,
}

impl Guard {
    fn new(world: &World) -> Self {
        let rows = || world.state.groups.values().filter_map(|row| Some((row.team.clone()?, row)));
        let added = rows().flat_map(|(team, row)| {
            row.members.keys().map(move |user| (team.clone(), user.clone())).collect::<Vec<_>>()
        });
        let created = rows().filter(|(_, row)| row.origin == Origin::Created).map(|(team, _)| team);
        Self { added: added.collect(), created: created.collect(), deletion: world.deletion }
    }

    fn check(&self, model: &PagerDuty, state: &TeamState, groups: &[DesiredGroup], write: &Write) {
        let is_added = |team: &str, user: &str| {
            let pair = (team.to_owned(), user.to_owned());
            model.added.contains(&pair) || self.added.contains(&pair)
        };
        let desired = groups.iter().find(|group| group.id == write.group());
        match write {
            Write::RemoveMember { team, user, .. } => {
                assert!(is_added(team, user), "was not added: {write:?}");
                assert!(!is_by_hand(model, team, user), "was added by somebody else: {write:?}");
                let is_member = desired.is_some_and(|group| {
                    group.members.iter().any(|member| {
                        model
                            .users
                            .get(user)
                            .is_some_and(|user| user.email.eq_ignore_ascii_case(&member.email))
                    })
                });
                assert!(!is_member, "is in the group: {write:?}");
                // Nor is it said of the user that they were added for somebody who is in it and not found.
                let added = &state.group(write.group()).unwrap().members[user];
                let is_found =
                    |email: &str| model.users.values().any(|u| u.email.eq_ignore_ascii_case(email));
                let mut members = desired.into_iter().flat_map(|group| &group.members);
                let lost = members.find(|member| member.user == added.user && !is_found(&member.email));
                assert_eq!(lost, None, "was only not found: {write:?}");
                assert!(desired.is_some() || self.deletion != Deletion::Keep, "{write:?}");
            }
            Write::DeleteTeam { team, .. } => {
                assert!(desired.is_none() && self.deletion == Deletion::Delete, "{write:?}");
                assert!(model.created.contains(team) || self.created.contains(team), "{write:?}");
                let members = model.teams.get(team).map(|team| &team.members);
                let mut others = members.into_iter().flatten().filter(|(user, _)| !is_added(team, user));
                assert!(others.next().is_none(), "others are on it: {write:?}");
                let mut members = model.teams.get(team).into_iter().flat_map(|team| team.members.keys());
                assert!(!members.any(|user| is_by_hand(model, team, user)), "somebody else's: {write:?}");
            }
            Write::CreateTeam { group, name, .. } => {
                // Kept before it is sent.
                let row = state.group(group).unwrap();
                assert!(row.creating.is_some() && row.name == *name, "{row:?}");
            }
            Write::AddMember { group, user, .. } => {
                assert!(state.group(group).unwrap().members.contains_key(user), "{write:?}");
                assert!(!OUTSIDERS.contains(&user.as_str()));
            }
            _ => {}
        }
    }
}

/// Whether somebody else put the user onto the team, and no request of the bridge can have.
fn is_by_hand(model: &PagerDuty, team: &str, user: &str) -> bool {
    let pair = (team.to_owned(), user.to_owned());
    let seen = model.teams.get(team).and_then(|team| team.members.get(user)).map(Membership::seen);
    let sent = |role: &str| model.sent.contains(&(pair.clone(), role.to_owned()));
    model.by_hand.contains(&pair) && !sent("") && !seen.is_some_and(sent)
}

/// The role of `user` on the team of `group`: the one that gives most.
fn role(model: &PagerDuty, group: &DesiredGroup, user: &str) -> &'static str {
    let is_it = |email: &str| model.users[user].email.eq_ignore_ascii_case(email);
    let of_user = group.members.iter().filter(|member| is_it(&member.email));
    let roles: Vec<TeamRole> =
        of_user.map(|member| member.role.or(group.role).unwrap_or(TeamRole::Responder)).collect();
    let ranked = [TeamRole::Manager, TeamRole::Responder, TeamRole::Observer];
    ranked.into_iter().find(|role| roles.contains(role)).unwrap().as_str()
}

/// Who of `group` can be on a team.
fn expected(model: &PagerDuty, group: &DesiredGroup) -> BTreeSet<String> {
    let users = model.users.iter().filter(|(id, _)| *id != STAKEHOLDER);
    let is_in = |email: &str| group.members.iter().any(|member| member.email.eq_ignore_ascii_case(email));
    users.filter(|(_, user)| is_in(&user.email)).map(|(id, _)| id.clone()).collect()
}

/// How long what is late is waited for: no world is so old.
const LATE: Duration = Duration::from_secs(1_000_000);

/// A run a minute after the last one.
fn run_at(
    now: &mut Duration,
    model: &mut PagerDuty,
    config: &TeamConfig,
    groups: &[DesiredGroup],
    state: &mut TeamState,
    fault: impl FnMut() -> Fault,
    look: impl FnMut(&PagerDuty, &TeamState, &Write),
) -> Option<scim_profiles::pagerduty::teams::Report> {
    *now += Duration::from_secs(60);
    let sync = TeamSync::new(config.clone(), groups.to_vec(), state.clone()).at(clock(*now));
    run_sync(sync, (model, config, state), &MemoryLedger::new(), fault, look)
}

/// Whether the team of `group` cannot have its name: another team has it that is no group's, or that of a group of
/// which the same is true. Where groups wait for each other alone, each can have its own.
fn is_blocked(model: &PagerDuty, state: &TeamState, groups: &[DesiredGroup], group: &DesiredGroup) -> bool {
    let mut seen = BTreeSet::new();
    let mut waits = group;
    while model.unique_names && seen.insert(&waits.id) {
        let Some((team, _)) = model.team_named(&waits.display_name) else { return false };
        let is_owner =
            |group: &&DesiredGroup| state.group(&group.id).and_then(|row| row.team.as_ref()) == Some(team);
        let Some(owner) = groups.iter().find(is_owner) else { return true };
        waits = owner;
    }
    false
}

fn is_excused(
    model: &PagerDuty,
    state: &TeamState,
    groups: &[DesiredGroup],
    group: &DesiredGroup,
    problem: &Problem,
) -> bool {
    match problem {
        Problem::Ambiguous(teams) => {
            teams.len() > 1 && teams.iter().all(|team| model.teams[team].name == group.display_name)
        }
        Problem::Refused(error) if error.message.contains("taken") => is_blocked(model, state, groups, group),
        Problem::TakenBy(_) => is_blocked(model, state, groups, group),
        Problem::Duplicates(_) => !model.unique_names,
        Problem::Stakeholder(_) | Problem::UnknownUser => true,
        _ => false,
    }
}

/// How it went until the teams were as they should be.
struct Way {
    /// In each phase, the points at which something can go wrong that were come by: requests and what is kept.
    points: Vec<usize>,
    crashes: usize,
}

fn converges(world: &World, is_stale: bool) -> Way {
    let World { mut model, mut state, phases, deletion, look_up } = world.clone();
    let guard = Guard::new(world);
    let config = with(|options| {
        options.deletion = deletion;
        options.look_up = look_up;
        options.late = LATE;
    });
    let mut now = Duration::from_secs(1);
    let mut way = Way { points: Vec::new(), crashes: 0 };
    for phase in &phases {
        let mut points = 0;
        phase.edits.iter().for_each(|edit| edit.make(&mut model, &state));
        let mut faults = phase.faults.iter().copied();
        let groups = &phase.groups;
        // A crash, then the next run, until one comes to its end.
        while run_at(
            &mut now,
            &mut model,
            &config,
            groups,
            &mut state,
            || {
                points += 1;
                faults.next().unwrap_or(Fault::None)
            },
            |model, state, write| guard.check(model, state, groups, write),
        )
        .is_none()
        {
            way.crashes += 1;
        }
        way.points.push(points);
    }
    let groups = &phases.last().unwrap().groups;
    model.log.clear();
    let look = |model: &PagerDuty, state: &TeamState, write: &Write| guard.check(model, state, groups, write);
    let mut sound = |model: &mut PagerDuty, state: &mut TeamState, config: &TeamConfig| {
        let report = run_at(&mut now, model, config, groups, state, || Fault::None, look).unwrap();
        assert_eq!(report.end, End::Complete);
        now += LATE;
        report
    };
    sound(&mut model, &mut state, &config);
    // What is late had its effect at last; from time to time everybody is looked up.
    model.settle();
    let mut always = config.clone();
    always.options.look_up = LookUp::Always;
    sound(&mut model, &mut state, &always);
    sound(&mut model, &mut state, &always);
    model.log.clear();
    let report = sound(&mut model, &mut state, &config);
    for group in groups {
        let told = report.group(&group.id).unwrap();
        for problem in told.problems() {
            let is_excused = is_excused(&model, &state, groups, group, problem);
            assert!(is_excused, "{problem:?} {told:?}\n{model:?}");
        }
        if told.outcomes.iter().any(|outcome| {
            matches!(outcome, TeamOutcome::Problem { problem } if !matches!(problem, Problem::Duplicates(_)))
        }) {
            continue;
        }
        let row = state.group(&group.id).unwrap();
        let id = row.team.as_ref().unwrap();
        let team = &model.teams[id];
        assert_eq!(team.name, group.display_name);
        let expected = expected(&model, group);
        for user in &expected {
            let membership = team.members.get(user).unwrap_or_else(|| panic!("{user} is missing: {told:?}"));
            let is_ours = row.members.contains_key(user);
            let is_right = membership.role == role(&model, group, user);
            assert!(!is_ours || user == ADMIN || is_right, "{user} {membership:?} {row:?}");
        }
        // Who is in the group and is not found stays.
        let is_in = |user: &str| {
            let added = row.members.get(user);
            added.is_some_and(|added| group.members.iter().any(|member| member.user == added.user))
        };
        let more: Vec<_> =
            row.members.keys().filter(|user| !expected.contains(*user) && !is_in(user)).collect();
        assert!(is_stale || more.is_empty(), "{more:?}");
        if deletion != Deletion::Keep && !is_stale {
            let left = |user: &&String| {
                let pair = (id.clone(), (*user).clone());
                model.added.contains(&pair)
                    && !model.by_hand.contains(&pair)
                    && !expected.contains(*user)
                    && !is_in(user)
            };
            assert_eq!(team.members.keys().find(left), None, "{told:?}");
        }
    }
    gone(&model, &state, groups, deletion);
    let may_lose_sight = phases.iter().any(|phase| {
        phase.edits.iter().any(|edit| matches!(edit, Edit::RenameTeam(_)))
            || phase
                .faults
                .iter()
                .any(|fault| matches!(fault, Fault::Twice | Fault::TwiceAnsweredLast) || fault.is_late())
    });
    if deletion == Deletion::Delete && !is_stale && !may_lose_sight {
        // No team that was created is left over.
        let known: BTreeSet<_> = state.groups.values().filter_map(|row| row.team.as_ref()).collect();
        let is_left = |team: &&String| model.teams.contains_key(*team) && !known.contains(*team);
        assert_eq!(model.created.iter().find(is_left), None, "{state:?}");
    }
    nothing_more(&mut model, &config, groups, &mut state);
    way
}

/// What is left of groups that are gone.
fn gone(model: &PagerDuty, state: &TeamState, groups: &[DesiredGroup], deletion: Deletion) {
    let gone = state.groups.iter().filter(|(id, _)| !groups.iter().any(|group| group.id == **id));
    for (id, row) in gone {
        // What is remembered of a team that is gone is that it is to be deleted, and cannot be.
        assert_eq!((deletion, row.origin), (Deletion::Delete, Origin::Created), "{id} {row:?}");
        let team = &model.teams[row.team.as_ref().unwrap()];
        assert!(team.has_associations || !team.members.is_empty(), "{id} {row:?} {team:?}");
        assert!(row.members.is_empty(), "{row:?}");
    }
}

/// A second run changes nothing but what is refused.
fn nothing_more(model: &mut PagerDuty, config: &TeamConfig, groups: &[DesiredGroup], state: &mut TeamState) {
    let mut dry = config.clone();
    dry.options.mode = Mode::DryRun;
    let plan = run(model, &dry, groups, state).plan;
    let is_blocked = |group: &str| {
        let group = groups.iter().find(|one| one.id == group);
        group.is_some_and(|group| is_blocked(model, state, groups, group))
    };
    // What PagerDuty refuses a dry run takes to be done, and so plans for the group that would have the name then.
    let is_refused = |write: &&Write| match write {
        Write::AddMember { team: None, group, .. } => is_blocked(group),
        Write::AddMember { user, .. } => user == STAKEHOLDER,
        Write::RenameTeam { group, .. } | Write::CreateTeam { group, .. } => is_blocked(group),
        Write::DeleteTeam { team, .. } => model.teams[team].has_associations,
        _ => false,
    };
    assert_eq!(plan.writes().iter().find(|write| !is_refused(write)), None, "{plan}");
    let before = state.clone();
    run(model, config, groups, state);
    let is_read = |line: &&&String| plan.is_empty() && !line.starts_with("GET");
    assert_eq!(model.writes().iter().find(is_read), None);
    // A role that was taken to be fixed, and was only late, is forgotten when it is seen.
    assert!(!plan.is_empty() || before == *state || model.role_lag > config.options.polls);
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn it_converges_whatever_goes_wrong(world in world(Just(TeamState::default()))) {
        converges(&world, false);
    }

    #[test]
    fn it_converges_whatever_is_remembered(world in world(stale())) {
        converges(&world, true);
    }
}

/// Every point at which a run can crash, one after the other.
#[test]
fn a_crash_anywhere_is_made_good() {
    let groups = || {
        let group = |id: &str, name: &str, members: &[usize]| {
            let group = DesiredGroup::new(id, name);
            members
                .iter()
                .fold(group, |group, number| group.with_member(format!("s{number}"), email(*number)))
        };
        [
            vec![group("g0", "alpha", &[0, 1, 2]), group("g1", "beta", &[1, 3])],
            vec![group("g0", "gamma", &[0, 5]), group("g2", "beta", &[1, 2])],
        ]
    };
    let model = || {
        let mut model = PagerDuty { role_lag: 1, ..PagerDuty::new() };
        (0..USERS).for_each(|number| appear(&mut model, number));
        model.with_team("PX", "alpha", &[("PU2", "manager")])
    };
    for deletion in [Deletion::Keep, Deletion::Empty, Deletion::Delete] {
        let world = |faults: Vec<Fault>| {
            let [first, second] = groups();
            // The same in either phase.
            let phase = |groups, faults| Phase { edits: vec![], groups, faults };
            let phases = vec![phase(first, faults.clone()), phase(second, faults)];
            World { model: model(), state: TeamState::default(), phases, deletion, look_up: LookUp::New }
        };
        let undisturbed = converges(&world(Vec::new()), false);
        assert_eq!(undisturbed.crashes, 0);
        let last = undisturbed.points.into_iter().max().unwrap();
        for crash in [Fault::CrashBefore, Fault::CrashAfter] {
            for at in 0..last {
                let mut faults = vec![Fault::None; at];
                faults.push(crash);
                let crashes = converges(&world(faults), false).crashes;
                assert!((1..=2).contains(&crashes), "{crash:?} at {at} of {last}: {crashes} crashes");
            }
        }
    }
}

/// Names go round while a run crashes, loses an answer or has a request arrive late, at every point of it; and in the
/// phase after it go round further, or one of the groups is gone.
#[test]
fn whatever_happens_while_names_are_exchanged_is_made_good() {
    let group = |id: &str, name: &str| DesiredGroup::new(id, name).with_member("s0", email(0));
    let groups = |names: [&str; 3]| vec![group("g0", names[0]), group("g1", names[1]), group("g2", names[2])];
    let mut model = PagerDuty { unique_names: true, ..PagerDuty::new() };
    appear(&mut model, 0);
    let circle = groups(["beta", "gamma", "alpha"]);
    let further = groups(["gamma", "alpha", "beta"]);
    for last in [circle.clone(), further, circle[1..].to_vec()] {
        let world = |faults: Vec<Fault>| {
            let phase = |groups, faults| Phase { edits: vec![], groups, faults };
            let first = phase(groups(["alpha", "beta", "gamma"]), vec![]);
            let phases = vec![first, phase(circle.clone(), faults), phase(last.clone(), vec![])];
            let (state, deletion) = (TeamState::default(), Deletion::Keep);
            World { model: model.clone(), state, phases, deletion, look_up: LookUp::New }
        };
        let points = converges(&world(vec![]), false).points[1];
        assert!(points > 12, "{points}");
        for at in 0..points {
            for fault in FAULTS {
                let mut faults = vec![Fault::None; at];
                faults.push(fault);
                converges(&world(faults), false);
            }
        }
    }
}

/// Every request of a run has its effect late, also once more, and up to so many requests later: in the middle of the
/// run after it, in which roles are other ones, and somebody leaves.
#[test]
fn a_request_that_is_late_at_any_time_is_made_good() {
    let group = |role, members: &[usize]| {
        let group = DesiredGroup { role: Some(role), ..DesiredGroup::new("g0", "alpha") };
        members.iter().fold(group, |group, number| group.with_member(format!("s{number}"), email(*number)))
    };
    let groups = [
        group(TeamRole::Responder, &[0]),
        group(TeamRole::Observer, &[0, 1]),
        group(TeamRole::Manager, &[0, 2]),
    ];
    let mut model = PagerDuty::new();
    (0..USERS).for_each(|number| appear(&mut model, number));
    let world = |faults: Vec<Fault>| {
        let phase = |group: DesiredGroup, faults| Phase { edits: vec![], groups: vec![group], faults };
        let [first, second, third] = groups.clone();
        let phases = vec![phase(first, vec![]), phase(second, faults), phase(third, vec![])];
        let (state, deletion) = (TeamState::default(), Deletion::Delete);
        World { model: model.clone(), state, phases, deletion, look_up: LookUp::New }
    };
    let points = converges(&world(vec![]), false).points[1];
    assert!(points > 5, "{points}");
    for at in 0..points {
        for requests in 1..11 {
            for late in [Fault::Late(requests), Fault::FailsLate(requests), Fault::TwiceLate(requests)] {
                let mut faults = vec![Fault::None; at];
                faults.push(late);
                converges(&world(faults), false);
            }
        }
    }
}
