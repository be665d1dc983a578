//! Accounts, what is remembered of them, and what happens to them.

use std::collections::BTreeMap;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use scim_profiles::pagerduty::TeamRole;
use scim_profiles::pagerduty::teams::{
    AddedMember, Deletion, DesiredGroup, DesiredMember, GroupState, LookUp, Origin, Renaming, TeamState,
};

use crate::model::{Membership, PagerDuty, Team};
use crate::run::{FAULTS, Fault};

pub(crate) const NAMES: [&str; 5] = ["alpha", "Alpha", "alpha two", "beta", "gamma"];
pub(crate) const GROUPS: [&str; 4] = ["g0", "g1", "g2", "g3"];
pub(crate) const USERS: usize = 6;
/// Two who are in no group ever.
pub(crate) const OUTSIDERS: [&str; 2] = ["PO0", "PO1"];
pub(crate) const ADMIN: &str = "PU3";
pub(crate) const STAKEHOLDER: &str = "PU4";
const ROLES: [&str; 3] = ["manager", "responder", "observer"];
const TEAM_ROLES: [TeamRole; 3] = [TeamRole::Manager, TeamRole::Responder, TeamRole::Observer];

pub(crate) fn user(number: usize) -> String {
    format!("PU{number}")
}

pub(crate) fn email(number: usize) -> String {
    format!("user{number}@example.com")
}

/// What people do in PagerDuty between two runs.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    DeleteTeam(Index),
    RenameTeam(Index),
    AddOutsider(Index, &'static str),
    /// Somebody whom the bridge may have added before, or may add.
    AddByHand(Index, usize, &'static str),
    RemoveMember(Index, Index),
    UserAppears(usize),
    /// Under another address: nobody of a group is found to be this user any more.
    AddressChanges(usize),
    /// The address of one is another's from now on, who has that one's.
    AddressesMove(usize, usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Phase {
    pub(crate) edits: Vec<Edit>,
    pub(crate) groups: Vec<DesiredGroup>,
    pub(crate) faults: Vec<Fault>,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) model: PagerDuty,
    pub(crate) state: TeamState,
    pub(crate) phases: Vec<Phase>,
    pub(crate) deletion: Deletion,
    pub(crate) look_up: LookUp,
}

pub(crate) fn groups() -> impl Strategy<Value = Vec<DesiredGroup>> {
    let ids = subsequence(&GROUPS[..], 0..=4);
    let names = Just(NAMES.to_vec()).prop_shuffle();
    let role = || proptest::option::weighted(0.3, select(&TEAM_ROLES[..]));
    let members = vec(vec((0..USERS, any::<bool>(), role()), 0..6), 4);
    (ids, names, members, vec(role(), 4)).prop_map(|(ids, names, members, roles)| {
        let groups = ids.into_iter().zip(names).zip(members).zip(roles);
        groups
            .map(|(((id, name), members), role)| {
                let members = members.into_iter().map(|(number, is_upper, role)| {
                    let email = email(number);
                    let email = if is_upper { email.to_uppercase() } else { email };
                    DesiredMember { user: format!("s{number}"), email, role }
                });
                DesiredGroup { role, members: members.collect(), ..DesiredGroup::new(id, name) }
            })
            .collect()
    })
}

pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        any::<Index>().prop_map(Edit::DeleteTeam),
        any::<Index>().prop_map(Edit::RenameTeam),
        (any::<Index>(), select(&OUTSIDERS[..])).prop_map(|(team, user)| Edit::AddOutsider(team, user)),
        (any::<Index>(), 0..USERS, select(&ROLES[..]))
            .prop_map(|(team, user, role)| Edit::AddByHand(team, user, role)),
        (any::<Index>(), any::<Index>()).prop_map(|(team, user)| Edit::RemoveMember(team, user)),
        (0..USERS).prop_map(Edit::UserAppears),
        (0..USERS).prop_map(Edit::AddressChanges),
        (0..USERS, 0..USERS).prop_map(|(one, other)| Edit::AddressesMove(one, other)),
    ]
}

pub(crate) fn phase() -> impl Strategy<Value = Phase> {
    let fault = prop_oneof![2 => Just(Fault::None), 1 => select(&FAULTS[..])];
    (vec(edit(), 0..3), groups(), vec(fault, 0..60)).prop_map(|(edits, groups, faults)| Phase {
        edits,
        groups,
        faults,
    })
}

pub(crate) fn model() -> impl Strategy<Value = PagerDuty> {
    let users = btree_set(0..USERS, 0..USERS);
    let all: Vec<String> = (0..USERS).map(user).chain(OUTSIDERS.map(str::to_owned)).collect();
    let team = (select(&NAMES[..]), vec((select(all), select(&ROLES[..])), 0..4), any::<bool>());
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
pub(crate) fn appear(model: &mut PagerDuty, number: usize) {
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
pub(crate) fn stale() -> impl Strategy<Value = TeamState> {
    let team = proptest::option::of(select(&["PX0", "PX1", "PX2", "PT0001", "PGONE"][..]));
    let member = ((0..USERS), (0..USERS), (0..USERS));
    let renaming = (select(&NAMES[..]), select(&NAMES[..]));
    let renaming =
        renaming.prop_map(|(temporary, to)| Renaming { temporary: temporary.into(), to: to.into() });
    let renaming = proptest::option::weighted(0.2, renaming);
    let row = (select(&NAMES[..]), team, any::<bool>(), any::<bool>(), vec(member, 0..4), renaming);
    vec((select(&["g0", "g1", "g2", "g3", "g4", "g5"][..]), row), 0..5).prop_map(|rows| {
        let mut state = TeamState::default();
        for (group, (name, team, is_created, is_creating, members, renaming)) in rows {
            let members = members.into_iter().map(|(id, scim, address)| {
                let (user, email) = (format!("s{scim}"), email(address));
                (self::user(id), AddedMember { user, email, ..AddedMember::default() })
            });
            let row = GroupState {
                name: name.to_owned(),
                creating: (is_creating && team.is_none())
                    .then(|| "Created via Scimify for tenant t-123".to_owned()),
                team: team.map(str::to_owned),
                origin: if is_created { Origin::Created } else { Origin::Adopted },
                renaming,
                members: members.collect(),
                former: BTreeMap::new(),
            };
            state.set(group, Some(row));
        }
        state
    })
}

pub(crate) fn world(state: impl Strategy<Value = TeamState>) -> impl Strategy<Value = World> {
    let deletion = select(&[Deletion::Keep, Deletion::Empty, Deletion::Delete][..]);
    let look_up = select(&[LookUp::New, LookUp::Always][..]);
    (model(), state, vec(phase(), 1..4), deletion, look_up).prop_map(
        |(model, state, phases, deletion, look_up)| World { model, state, phases, deletion, look_up },
    )
}

impl Edit {
    pub(crate) fn make(&self, model: &mut PagerDuty, state: &TeamState) {
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
            Self::AddByHand(index, number, role) => {
                let (user, team) = (user(*number), pick(model, index));
                let Some(team) = team.filter(|_| model.users.contains_key(&user) && user != STAKEHOLDER)
                else {
                    return;
                };
                let of_team = state.groups.values().filter(|row| row.team.as_ref() == Some(&team));
                let is_known = of_team.into_iter().any(|row| row.members.contains_key(&user));
                let members = &mut model.teams.get_mut(&team).unwrap().members;
                let role = if user == ADMIN { "manager" } else { role };
                if !is_known && !members.contains_key(&user) {
                    members.insert(user.clone(), Membership { role: role.to_owned(), before: None });
                    model.by_hand.insert((team, user));
                }
            }
            Self::RemoveMember(index, member) => {
                if let Some(team) = pick(model, index) {
                    let members = &mut model.teams.get_mut(&team).unwrap().members;
                    let ids: Vec<String> = members.keys().cloned().collect();
                    if !ids.is_empty() {
                        members.remove(member.get(&ids));
                        model.by_hand.remove(&(team, member.get(&ids).clone()));
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
