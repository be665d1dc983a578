//! What the tasks of a run share.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::answer::{ApiError, Body};
use super::config::TeamConfig;
use super::desired::DesiredGroup;
use super::guard::{GuardRefusal, Guarded, Released, Removals};
use super::plan::{Plan, Write};
use super::report::{GroupReport, MemberReport, Problem, TeamOutcome};
use super::state::{AddedMember, GroupState, TeamState};
use super::wire::Call;
use super::{check::Check, find::Find, members::Members, renames::Renames, retire::Retire};
use crate::guard::{Forbidden, Guard, Lift, Subject};
use crate::pagerduty::TeamRole;

/// What a task does next.
#[derive(Debug)]
pub(super) enum Turn {
    Call(Call),
    Wait(Duration),
    /// The guards are asked first.
    Charge(Removals),
    Done,
}

/// What became of a task's call.
#[derive(Debug)]
pub(super) enum Answer {
    Ok(Body),
    /// In a dry run: a change that would have been made.
    Assumed,
    Refused(ApiError),
    /// It failed, as often as it was tried. A change may have been made or not.
    Unknown(String),
}

/// Whose team it is: a group's, or that of one that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The place of the group.
    Group(usize),
    /// The id of the group that is gone.
    Gone(String),
}

/// Who a PagerDuty user with an e-mail address is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    Found {
        id: String,
        /// The account role, where PagerDuty tells it and it is one that is known.
        role: Option<&'static crate::pagerduty::Role>,
    },
    Unknown,
    Failed(Problem),
}

/// What the tasks of a run share.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) config: TeamConfig,
    /// In the order of their ids, which are distinct.
    pub(super) groups: Vec<DesiredGroup>,
    pub(super) state: TeamState,
    /// What time it is, if it is told when the run began.
    pub(super) now: Option<Timestamp>,
    /// How the guards are lifted.
    pub(super) lift: Option<Lift>,
    /// The SCIM users who are protected by what is not remembered of them.
    pub(super) protected_users: HashSet<String>,
    /// What guards refused.
    pub(super) guarded: Vec<Guarded>,
    /// What is to be taken back from the ledger of the guards.
    pub(super) releases: VecDeque<Released>,
    /// Rows of the state that are to be kept before anything else is done.
    saves: VecDeque<String>,
    /// Rows that are to be kept when the task is done.
    later: VecDeque<String>,
    /// The groups whose teams are known, some of which may have another by now.
    owners: HashMap<String, String>,
    pub(super) users: HashMap<String, Resolution>,
    pub(super) plan: Plan,
    pub(super) queues: Queues,
    /// Beside the groups.
    notes: Vec<Note>,
    gone: BTreeMap<String, (String, Note)>,
    /// How often a team was renamed in this run.
    pub(super) renames: usize,
    /// Groups whose name others have as well.
    same_name: BTreeSet<usize>,
    /// How many groups are finished.
    finished: usize,
}

/// What is to be done, in this order.
#[derive(Debug, Default)]
pub(super) struct Queues {
    pub(super) checks: VecDeque<Check>,
    /// Teams that have not the name of their group.
    pub(super) renames: Renames,
    /// Those of which PagerDuty refused that, looked at once more when the others have their names.
    pub(super) refused: VecDeque<Check>,
    pub(super) finds: VecDeque<Find>,
    pub(super) members: VecDeque<Members>,
    pub(super) retires: VecDeque<Retire>,
}

/// What is to be reported of a group.
#[derive(Clone, Debug, Default)]
struct Note {
    outcomes: Vec<TeamOutcome>,
    members: Vec<MemberReport>,
    team: Option<String>,
    is_finished: bool,
    losses: u32,
}

impl Book {
    pub(super) fn new(config: TeamConfig, mut groups: Vec<DesiredGroup>, state: TeamState) -> Self {
        groups.sort_by(|a, b| a.id.cmp(&b.id));
        let mut twice = BTreeSet::new();
        groups.dedup_by(|second, first| {
            let is_same = second.id == first.id;
            if is_same {
                twice.insert(first.id.clone());
            }
            is_same
        });
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::with_capacity(groups.len());
        for (place, group) in groups.iter().enumerate() {
            by_name.entry(group.name()).or_default().push(place);
        }
        let same_name = by_name.into_values().filter(|places| places.len() > 1).flatten().collect();
        let notes = groups.iter().map(|group| {
            let problem = twice.contains(&group.id).then_some(Problem::SameId);
            let outcomes = problem.map(|problem| TeamOutcome::Problem { problem }).into_iter().collect();
            Note { outcomes, ..Note::default() }
        });
        let notes = notes.collect();
        let mut book = Self {
            config,
            groups,
            state,
            now: None,
            lift: None,
            protected_users: HashSet::new(),
            guarded: Vec::new(),
            releases: VecDeque::new(),
            saves: VecDeque::new(),
            later: VecDeque::new(),
            owners: HashMap::new(),
            users: HashMap::new(),
            plan: Plan::default(),
            queues: Queues::default(),
            notes,
            gone: BTreeMap::new(),
            renames: 0,
            same_name,
            finished: 0,
        };
        book.enqueue();
        book
    }

    /// First the teams that are known, so that names are free and ids are right before others are found.
    fn enqueue(&mut self) {
        for place in 0..self.groups.len() {
            let who = Who::Group(place);
            match self.entry(place).and_then(|entry| entry.team.clone()) {
                Some(team) if self.claim(&who, &team) => self.queues.checks.push_back(Check::new(who)),
                Some(_) => {
                    self.forget_team(place);
                    self.find(who);
                }
                None => self.find(who),
            }
        }
        let gone: Vec<_> = self.state.groups.keys().filter(|id| self.place(id).is_none()).cloned().collect();
        for id in gone {
            let Some(entry) = self.state.group(&id) else { continue };
            let (name, team, is_renaming) =
                (entry.name.clone(), entry.team.clone(), entry.renaming.is_some());
            let is_renaming = is_renaming && team.is_some();
            if team.is_some_and(|team| !self.claim(&Who::Gone(id.clone()), &team)) {
                // Another group has taken the team over, in a run that crashed then.
                self.forget(&id);
                continue;
            }
            self.gone.insert(id.clone(), (name, Note::default()));
            if is_renaming {
                self.queues.checks.push_back(Check::new(Who::Gone(id)));
            } else {
                self.queues.retires.push_back(Retire::new(id));
            }
        }
    }

    /// The team is to be found.
    pub(super) fn find(&mut self, who: Who) {
        let find = Find::new(self, who);
        self.queues.finds.push_back(find);
    }

    /// The group whose team this is.
    pub(super) fn owner(&self, team: &str) -> Option<String> {
        let group = self.owners.get(team)?;
        let is_still = self.state.group(group)?.team.as_deref() == Some(team);
        is_still.then(|| group.clone())
    }

    /// The group that is gone and for which the creation of a team was begun, of which this one came.
    pub(super) fn begun(&self, name: &str, description: &str) -> Option<String> {
        let is_it = |entry: &&GroupState| {
            entry.team.is_none() && entry.name == name && entry.creating.as_deref() == Some(description)
        };
        let mut gone = self.gone.keys();
        gone.find(|group| self.state.group(group).filter(is_it).is_some()).cloned()
    }

    /// The team is from now on that of the group `id`.
    pub(super) fn give(&mut self, id: &str, entry: GroupState) {
        if let Some(team) = &entry.team {
            self.owners.insert(team.clone(), id.to_owned());
        }
        self.change_now(id, |row| *row = entry);
    }

    /// Whether the team is that of the first group of which that is remembered: it can be that of one only.
    fn claim(&mut self, who: &Who, team: &str) -> bool {
        let id = self.id(who);
        match self.owners.entry(team.to_owned()) {
            Entry::Vacant(place) => {
                place.insert(id);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// The place of the group `id`.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.groups.binary_search_by(|group| group.id.as_str().cmp(id)).ok()
    }

    pub(super) fn group(&self, place: usize) -> Option<&DesiredGroup> {
        self.groups.get(place)
    }

    pub(super) fn id(&self, who: &Who) -> String {
        match who {
            Who::Group(place) => self.group(*place).map(|group| group.id.clone()).unwrap_or_default(),
            Who::Gone(id) => id.clone(),
        }
    }

    /// What is remembered of the group at `place`.
    pub(super) fn entry(&self, place: usize) -> Option<&GroupState> {
        self.state.group(&self.group(place)?.id)
    }

    /// The name a group's team is to have, if a team can have it.
    pub(super) fn wanted_name(&self, place: usize) -> Result<String, Problem> {
        let name = self.group(place).map_or(Err(0), DesiredGroup::checked_name);
        name.map(str::to_owned).map_err(Problem::NameLength)
    }

    /// The group that is called so, and has a team.
    pub(super) fn team_of_name(&self, name: &str) -> Option<String> {
        let mut places =
            (0..self.groups.len()).filter(|place| self.wanted_name(*place).as_deref() == Ok(name));
        let with_team = |place: &usize| self.entry(*place).is_some_and(|entry| entry.team.is_some());
        places.find(with_team).map(|place| self.id(&Who::Group(place)))
    }

    /// Whether the team has another name by now, in a dry run, in which PagerDuty shows the one it had.
    pub(super) fn is_renamed(&self, team: &str, name: &str) -> bool {
        let owner = self.owner(team).filter(|owner| self.config.is_dry_run() && self.place(owner).is_some());
        owner.and_then(|owner| self.state.group(&owner)).is_some_and(|entry| entry.name != name)
    }

    /// Whether another group is called so, too.
    pub(super) fn is_name_shared(&self, place: usize) -> bool {
        self.same_name.contains(&place)
    }

    /// Changes what is remembered, to be kept before the next request.
    pub(super) fn change_now<T>(&mut self, id: &str, change: impl FnOnce(&mut GroupState) -> T) -> T {
        if !self.saves.iter().any(|saved| saved == id) {
            self.saves.push_back(id.to_owned());
        }
        change(self.state.groups.entry(id.to_owned()).or_default())
    }

    /// Changes what is remembered, to be kept when the task is done: what is lost with a crash is found
    /// out again.
    pub(super) fn change<T>(&mut self, id: &str, change: impl FnOnce(&mut GroupState) -> T) -> T {
        self.mark(id);
        change(self.state.groups.entry(id.to_owned()).or_default())
    }

    /// Remembers nothing of the group `id` any more.
    pub(super) fn forget(&mut self, id: &str) {
        self.state.groups.remove(id);
        self.mark(id);
    }

    fn mark(&mut self, id: &str) {
        if !self.later.iter().any(|saved| saved == id) {
            self.later.push_back(id.to_owned());
        }
    }

    /// Remembers no team of the group, and nobody whom the bridge added to it.
    pub(super) fn forget_team(&mut self, place: usize) {
        let id = self.id(&Who::Group(place));
        self.change(&id, |entry| {
            *entry = GroupState { name: std::mem::take(&mut entry.name), ..GroupState::default() }
        });
    }

    /// After a task.
    pub(super) fn settle(&mut self) {
        for id in std::mem::take(&mut self.later) {
            if !self.saves.contains(&id) {
                self.saves.push_back(id);
            }
        }
    }

    /// The next row that is to be kept.
    pub(super) fn next_save(&mut self) -> Option<String> {
        let id = self.saves.pop_front();
        // Nothing of a dry run is kept.
        if self.config.is_dry_run() {
            self.saves.clear();
            return None;
        }
        id
    }

    pub(super) fn has_saves(&self) -> bool {
        !self.saves.is_empty()
    }

    fn note_of(&mut self, who: &Who) -> Option<&mut Note> {
        match who {
            Who::Group(place) => self.notes.get_mut(*place),
            Who::Gone(id) => self.gone.get_mut(id).map(|(_, note)| note),
        }
    }

    /// Reports `outcome` of a team, once.
    pub(super) fn note(&mut self, who: &Who, outcome: TeamOutcome) {
        if let Some(note) = self.note_of(who).filter(|note| !note.outcomes.contains(&outcome)) {
            note.outcomes.push(outcome);
        }
    }

    pub(super) fn problem(&mut self, who: &Who, problem: Problem) {
        self.note(who, TeamOutcome::Problem { problem });
    }

    /// A guard refuses `write`.
    pub(super) fn guard(&mut self, write: Write, refusal: GuardRefusal) {
        self.guarded.push(Guarded { write, refusal });
    }

    /// Whether ceilings count: no operator lifted them.
    pub(super) fn has_ceilings(&self) -> bool {
        self.lift.is_none()
    }

    /// Whether nothing protected may be changed.
    pub(super) fn protects(&self) -> bool {
        !self.lift.is_some_and(|lift| lift.protection)
    }

    /// Whether this SCIM user, of whom this address is remembered, is protected.
    pub(super) fn is_user_protected(&self, user: &str, email: &str) -> bool {
        self.protected_users.contains(user) || self.config.guards().protected().user_named(user, Some(email))
    }

    /// Why the group's team may not be changed so, if it is protected: by its `id`, or by one of these
    /// names.
    pub(super) fn protected_group(
        &self,
        who: &Who,
        names: &[&str],
        why: &'static str,
    ) -> Option<GuardRefusal> {
        let (guards, id) = (self.config.guards(), self.id(who));
        let is_it = |name: &&&str| guards.protected().group_named(&id, Some(name));
        let name = names.iter().find(is_it).filter(|_| self.protects())?;
        let subject = Subject::group(if name.is_empty() { &id } else { name });
        let forbidden = Forbidden { guard: Guard::ProtectedGroup, subject, why };
        Some(GuardRefusal::protected(&self.config, &forbidden))
    }

    /// How many teams are known.
    pub(super) fn teams(&self) -> usize {
        self.state.groups.values().filter(|entry| entry.team.is_some()).count()
    }

    /// Until when, in seconds, a request that is sent now can have its effect. `None` where that is not
    /// remembered.
    pub(super) fn late_until(&self) -> Option<i64> {
        let late = i64::try_from(self.config.options.late.as_secs()).unwrap_or(i64::MAX);
        self.now.filter(|_| late > 0).map(|now| now.as_second().saturating_add(late))
    }

    /// Whether what is remembered until then is over.
    pub(super) fn over(&self) -> impl Fn(i64) -> bool + Copy + use<> {
        let now = self.now.map(Timestamp::as_second);
        move |until| now.is_none_or(|now| until <= now)
    }

    /// A request with this role is about to be sent for `row`.
    pub(super) fn send(&self, row: &mut AddedMember, role: Option<TeamRole>) {
        if let Some(until) = self.late_until() {
            row.send(role, until, self.over());
        }
    }

    /// Nothing more is done for the team in this run.
    pub(super) fn finish(&mut self, who: &Who) {
        let team = self.state.group(&self.id(who)).and_then(|entry| entry.team.clone());
        if let Some(note) = self.note_of(who) {
            let was_finished = std::mem::replace(&mut note.is_finished, true);
            note.team = team.or(note.team.take());
            self.finished += usize::from(!was_finished);
        }
    }

    /// How many groups are finished, of how many, those that are gone among them.
    pub(super) fn progress(&self) -> (usize, usize) {
        (self.finished, self.notes.len() + self.gone.len())
    }

    pub(super) fn note_members(&mut self, who: &Who, members: Vec<MemberReport>) {
        if let Some(note) = self.note_of(who) {
            note.members = members;
        }
    }

    /// The group's team was deleted in PagerDuty: another is found or created, unless that happens again
    /// and again. What is remembered of it is so until there is another.
    pub(super) fn lost(&mut self, place: usize) {
        let who = Who::Group(place);
        self.note(&who, TeamOutcome::Lost);
        let losses = self.note_of(&who).map_or(0, |note| {
            note.losses += 1;
            note.losses
        });
        if losses > 2 {
            self.problem(&who, Problem::TeamMissing);
            self.finish(&who);
        } else {
            self.find(who);
        }
    }

    /// What there is to be reported.
    pub(super) fn reports(&self) -> Vec<GroupReport> {
        let there = self.groups.iter().zip(&self.notes);
        let there = there.map(|(group, note)| (&group.id, group.name(), note));
        let gone = self.gone.iter().map(|(id, (name, note))| (id, name.as_str(), note));
        there
            .chain(gone)
            .map(|(id, name, note)| {
                let mut outcomes = note.outcomes.clone();
                if !note.is_finished {
                    outcomes.push(TeamOutcome::NotFinished);
                }
                let team = || self.state.group(id).and_then(|entry| entry.team.clone());
                GroupReport {
                    group: id.clone(),
                    name: name.to_owned(),
                    team: note.team.clone().or_else(team),
                    outcomes,
                    members: note.members.clone(),
                }
            })
            .collect()
    }
}
