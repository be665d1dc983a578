//! Whatever the teams are, whatever is remembered, and whatever goes wrong in between: the bridge ends
//! with the teams that the groups say, and removes nobody whom it was not told to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use scim_profiles::guard::MemoryLedger;
use scim_profiles::pagerduty::teams::{
    AddedMember, Deletion, DesiredGroup, End, GroupState, LookUp, Mode, Origin, Problem, TeamConfig,
    TeamOutcome, TeamState, TeamSync, Write,
};

use crate::model::{Membership, PagerDuty, Team};
use crate::run::{FAULTS, Fault, clock, run, run_sync, with};

const NAMES: [&str; 5] = ["alpha", "Alpha", "alpha two", "beta", "gamma"];
const GROUPS: [&str; 4] = ["g0", "g1", "g2", "g3"];
const USERS: usize = 6;
/// Two who are in no group ever.
const OUTSIDERS: [&str; 2] = ["PO0", "PO1"];
const ADMIN: &str = "PU3";
const STAKEHOLDER: &str = "PU4";

fn user(number: usize) -> String {
    format!("PU{number}")
}

fn email(number: usize) -> String {
    format!("user{number}@example.com")
}

/// What people do in PagerDuty between two runs.
#[derive(Clone, Debug)]
enum Edit {
    DeleteTeam(Index),
    RenameTeam(Index),
    AddOutsider(Index, &'static str),
    RemoveMember(Index, Index),
    UserAppears(usize),
    /// Under another address: nobody of a group is found to be this user any more.
    AddressChanges(usize),
    /// The address of one is another's from now on, who has that one's.
    AddressesMove(usize, usize),
}

#[derive(Clone, Debug)]
struct Phase {
    edits: Vec<Edit>,
    groups: Vec<DesiredGroup>,
    faults: Vec<Fault>,
}

#[derive(Clone, Debug)]
struct World {
    model: PagerDuty,
    state: TeamState,
    phases: Vec<Phase>,
    deletion: Deletion,
    look_up: LookUp,
}

fn groups() -> impl Strategy<Value = Vec<DesiredGroup>> {
    let ids = subsequence(&GROUPS[..], 0..=4);
    let names = Just(NAMES.to_vec()).prop_shuffle();
    let members = vec(vec((0..USERS, any::<bool>()), 0..6), 4);
    (ids, names, members).prop_map(|(ids, names, members)| {
        let groups = ids.into_iter().zip(names).zip(members);
        groups
            .map(|((id, name), members)| {
                members.into_iter().fold(DesiredGroup::new(id, name), |group, (number, is_upper)| {
                    let email = email(number);
                    let email = if is_upper { email.to_uppercase() } else { email };
                    group.with_member(format!("s{number}"), email)
                })
            })
            .collect()
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        any::<Index>().prop_map(Edit::DeleteTeam),
        any::<Index>().prop_map(Edit::RenameTeam),
        (any::<Index>(), select(&OUTSIDERS[..])).prop_map(|(team, user)| Edit::AddOutsider(team, user)),
        (any::<Index>(), any::<Index>()).prop_map(|(team, user)| Edit::RemoveMember(team, user)),
        (0..USERS).prop_map(Edit::UserAppears),
        (0..USERS).prop_map(Edit::AddressChanges),
        (0..USERS, 0..USERS).prop_map(|(one, other)| Edit::AddressesMove(one, other)),
    ]
}

fn phase() -> impl Strategy<Value = Phase> {
    let fault = prop_oneof![2 => Just(Fault::None), 1 => select(&FAULTS[..])];
    (vec(edit(), 0..3), groups(), vec(fault, 0..60)).prop_map(|(edits, groups, faults)| Phase {
        edits,
        groups,
        faults,
    })
}

fn model() -> impl Strategy<Value = PagerDuty> {
    let users = btree_set(0..USERS, 0..USERS);
    let all: Vec<String> = (0..USERS).map(user).chain(OUTSIDERS.map(str::to_owned)).collect();
    let roles = select(&["manager", "responder", "observer"][..]);
    let team = (select(&NAMES[..]), vec((select(all), roles), 0..4), any::<bool>());
    (users, vec(team, 0..4), any::<bool>(), 0..8_u32, 1..4_usize).prop_map(
        |(users, teams, unique_names, role_lag, page)| {
            let mut model = PagerDuty { unique_names, role_lag, page, ..PagerDuty::new() };
            for outsider in OUTSIDERS {
                model = model.with_user(outsider, &format!("{outsider}@example.com"));
            }
            for number in users {
                appear(&mut model, number);
            }
            for (place, (name, members, has_associations)) in teams.into_iter().enumerate() {
                if unique_names && model.team_named(name).is_some() {
                    continue;
                }
                let members = members.into_iter().filter(|(user, _)| user != STAKEHOLDER);
                let members =
                    members.map(|(user, role)| (user, Membership { role: role.to_owned(), before: None }));
                let team = Team {
                    name: name.to_owned(),
                    members: members.collect(),
                    has_associations,
                    ..Team::default()
                };
                for user in team.members.keys() {
                    if let Some(number) = user.strip_prefix("PU") {
                        appear(&mut model, number.parse().unwrap());
                    }
                }
                model.teams.insert(format!("PX{place}"), team);
            }
            model
        },
    )
}

/// The user has their own address, unless that is another's now: no two have the same.
fn appear(model: &mut PagerDuty, number: usize) {
    if model.users.values().any(|user| user.email == email(number)) {
        return;
    }
    *model = std::mem::take(model).with_user(&user(number), &email(number));
    for (id, role) in [(ADMIN, "admin"), (STAKEHOLDER, "read_only_user")] {
        if let Some(user) = model.users.get_mut(id) {
            user.role = role;
        }
    }
}

/// Rows of which nothing need be true.
fn stale() -> impl Strategy<Value = TeamState> {
    let team = proptest::option::of(select(&["PX0", "PX1", "PX2", "PT0001", "PGONE"][..]));
    let member = ((0..USERS), (0..USERS), (0..USERS));
    let row = (select(&NAMES[..]), team, any::<bool>(), any::<bool>(), vec(member, 0..4));
    vec((select(&["g0", "g1", "g2", "g3", "g4", "g5"][..]), row), 0..5).prop_map(|rows| {
        let mut state = TeamState::default();
        for (group, (name, team, is_created, is_creating, members)) in rows {
            let members = members.into_iter().map(|(id, scim, address)| {
                let (user, email) = (format!("s{scim}"), email(address));
                (self::user(id), AddedMember { user, email, kept_role: None })
            });
            let row = GroupState {
                name: name.to_owned(),
                creating: (is_creating && team.is_none())
                    .then(|| "Created via Scimify for tenant t-123".to_owned()),
                team: team.map(str::to_owned),
                origin: if is_created { Origin::Created } else { Origin::Adopted },
                members: members.collect(),
                former: BTreeMap::new(),
            };
            state.set(group, Some(row));
        }
        state
    })
}

fn world(state: impl Strategy<Value = TeamState>) -> impl Strategy<Value = World> {
    let deletion = select(&[Deletion::Keep, Deletion::Empty, Deletion::Delete][..]);
    let look_up = select(&[LookUp::New, LookUp::Always][..]);
    (model(), state, vec(phase(), 1..4), deletion, look_up).prop_map(
        |(model, state, phases, deletion, look_up)| World { model, state, phases, deletion, look_up },
    )
}

impl Edit {
    fn make(&self, model: &mut PagerDuty) {
        let pick = |model: &PagerDuty, index: &Index| {
            let ids: Vec<&String> = model.teams.keys().collect();
            (!ids.is_empty()).then(|| index.get(&ids).to_string())
        };
        match self {
            Self::DeleteTeam(index) => {
                if let Some(team) = pick(model, index) {
                    model.teams.remove(&team);
                }
            }
            Self::RenameTeam(index) => {
                if let Some(team) = pick(model, index) {
                    let name = format!("by hand {team}");
                    model.teams.get_mut(&team).unwrap().name = name;
                }
            }
            Self::AddOutsider(index, user) => {
                if let Some(team) = pick(model, index) {
                    let membership = Membership { role: "manager".to_owned(), before: None };
                    model.teams.get_mut(&team).unwrap().members.insert((*user).to_owned(), membership);
                }
            }
            Self::RemoveMember(index, member) => {
                if let Some(team) = pick(model, index) {
                    let members = &mut model.teams.get_mut(&team).unwrap().members;
                    let ids: Vec<String> = members.keys().cloned().collect();
                    if !ids.is_empty() {
                        members.remove(member.get(&ids));
                    }
                }
            }
            Self::UserAppears(number) => appear(model, *number),
            Self::AddressesMove(one, other) => {
                let address = |number: usize| model.users.get(&user(number)).map(|user| user.email.clone());
                if let (Some(first), Some(second)) = (address(*one), address(*other)) {
                    model.users.get_mut(&user(*one)).unwrap().email = second;
                    model.users.get_mut(&user(*other)).unwrap().email = first;
                }
            }
            Self::AddressChanges(number) => {
                if let Some(user) = model.users.get_mut(&user(*number)) {
                    user.email = format!("changed{number}@example.com");
                }
            }
        }
    }
}

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

fn is_excused(model: &PagerDuty, group: &DesiredGroup, problem: &Problem) -> bool {
    match problem {
        Problem::Ambiguous(teams) => {
            teams.len() > 1 && teams.iter().all(|team| model.teams[team].name == group.display_name)
        }
        // Names that are exchanged.
        Problem::Refused(error) | Problem::Stakeholder(error) if error.message.contains("taken") => {
            model.unique_names
        }
        Problem::TakenBy(_) => model.unique_names,
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
        phase.edits.iter().for_each(|edit| edit.make(&mut model));
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
            assert!(is_excused(&model, group, problem), "{problem:?} {told:?}\n{model:?}");
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
            assert!(!is_ours || user == ADMIN || membership.role == "responder", "{user} {membership:?}");
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
                model.added.contains(&(id.clone(), (*user).clone()))
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
    let is_refused = |write: &&Write| match write {
        Write::AddMember { user, .. } => user == STAKEHOLDER,
        Write::RenameTeam { .. } => model.unique_names,
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
