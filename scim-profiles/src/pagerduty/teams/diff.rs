//! Who is on a team beside who should be.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::book::{Book, Resolution, Who};
use super::config::{FixedRoles, FoundMembers, LookUp, Stakeholders};
use super::desired::{DesiredGroup, DesiredMember};
use super::members::Members;
use super::plan::Write;
use super::report::{MemberOutcome, MemberReport, Problem};
use super::state::{AddedMember, FormerMember, GroupState, KeptRole, Origin, SentRole};
use super::{Deletion, TeamConfig};
use crate::guard::Guard;
use crate::pagerduty::{LicenseGroup, RoleKind, TeamRole};

/// A change of one member.
#[derive(Clone, Debug)]
pub(super) struct Action {
    /// The PagerDuty user.
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) email: String,
    pub(super) user: String,
    role: Option<TeamRole>,
    from: String,
    /// Whether the user's account role is a stakeholder's.
    pub(super) is_stakeholder: bool,
    /// What was sent for them before.
    pub(super) sent: Vec<SentRole>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Add,
    SetRole,
    Remove,
}

impl Action {
    /// What counts as taken away, if anything is: the place on the team, or the role for a lower one.
    pub(super) fn taken(&self) -> Option<Guard> {
        match (self.kind, self.role) {
            (Kind::Remove, _) => Some(Guard::TeamRemovals),
            (Kind::SetRole, Some(role)) if role.is_below(&self.from) => Some(Guard::TeamRoles),
            (Kind::Add | Kind::SetRole, _) => None,
        }
    }

    pub(super) fn write(&self, group: String, team: Option<String>) -> Write {
        let (user, email) = (self.id.clone(), self.email.clone());
        match (self.kind, self.role) {
            (Kind::SetRole, Some(role)) => {
                let from = self.from.clone();
                Write::SetRole { group, team: team.unwrap_or_default(), user, email, from, role }
            }
            (Kind::Remove, _) => Write::RemoveMember { group, team: team.unwrap_or_default(), user, email },
            (Kind::Add | Kind::SetRole, role) => Write::AddMember { group, team, user, email, role },
        }
    }
}

/// What was tried with a user in this run.
#[derive(Clone, Debug)]
pub(super) struct Try {
    kind: Kind,
    email: String,
    user: String,
    role: Option<TeamRole>,
    from: String,
    pub(super) sent: u32,
    /// Whether PagerDuty took it.
    pub(super) is_accepted: bool,
    /// Whether one that was not answered may have its effect yet.
    pub(super) is_doubtful: bool,
    /// Whether what it took is not to be seen.
    is_waiting: bool,
    pub(super) problem: Option<Problem>,
}

impl Try {
    pub(super) fn new(action: &Action) -> Self {
        Self {
            kind: action.kind,
            email: action.email.clone(),
            user: action.user.clone(),
            role: action.role,
            from: action.from.clone(),
            sent: 0,
            is_accepted: false,
            is_doubtful: false,
            is_waiting: false,
            problem: None,
        }
    }
}

/// The role somebody is to have.
#[derive(Clone, Copy, Default)]
struct Role {
    role: Option<TeamRole>,
    is_stakeholder: bool,
}

/// Somebody who should be on a team.
struct Wanted<'a> {
    member: &'a DesiredMember,
    role: Role,
}

/// What a comparison finds.
struct Found<'a> {
    tries: &'a BTreeMap<String, Try>,
    actions: Vec<Action>,
    /// Who is to be remembered before anything is sent, and who afterwards.
    now: Vec<(String, AddedMember)>,
    later: Vec<(String, AddedMember)>,
    /// Whom the bridge added and who is not on the team any more.
    gone: Vec<String>,
    /// Who was among those, and will not be on it any more by what is late.
    forgotten: Vec<String>,
    /// For whom something was done that is not to be seen yet.
    waiting: BTreeSet<String>,
}

impl<'a> Found<'a> {
    fn new(tries: &'a BTreeMap<String, Try>) -> Self {
        Self {
            tries,
            actions: Vec::new(),
            now: Vec::new(),
            later: Vec::new(),
            gone: Vec::new(),
            forgotten: Vec::new(),
            waiting: BTreeSet::new(),
        }
    }

    /// Something is to be done with a user, unless it was done, or refused, in this run.
    fn act(&mut self, id: &str, kind: Kind, row: &AddedMember, role: Role, from: &str) -> bool {
        match self.tries.get(id) {
            Some(Try { problem: Some(_), .. }) => return false,
            Some(Try { is_accepted: true, .. }) => {
                self.waiting.insert(id.to_owned());
                return false;
            }
            _ => {}
        }
        self.actions.push(Action {
            id: id.to_owned(),
            kind,
            email: row.email.clone(),
            user: row.user.clone(),
            role: role.role,
            from: from.to_owned(),
            is_stakeholder: role.is_stakeholder,
            sent: row.sent.clone(),
        });
        true
    }

    /// Changes what is remembered; what is to be done, and for whom something is waited for.
    fn write(mut self, book: &mut Book, group: &str) -> (VecDeque<Action>, BTreeSet<String>) {
        let is_kept = |book: &Book, id: &str, row: &AddedMember| {
            book.state.group(group).and_then(|entry| entry.members.get(id)) == Some(row)
        };
        self.now.retain(|(id, row)| !is_kept(book, id, row));
        self.later.retain(|(id, row)| !is_kept(book, id, row));
        if !self.now.is_empty() {
            book.change_now(group, |entry| entry.add(self.now));
        }
        if !self.later.is_empty() || !self.gone.is_empty() || !self.forgotten.is_empty() {
            let over = book.over();
            book.change(group, |entry| {
                entry.add(self.later);
                self.gone.iter().for_each(|id| entry.leave(id, over));
                self.forgotten.iter().for_each(|id| {
                    entry.former.remove(id);
                });
            });
        }
        // Nobody is taken off before somebody else is on.
        self.actions.sort_by_key(|action| action.kind);
        (self.actions.into(), self.waiting)
    }
}

/// Whether the role that is seen may stay: it is the one that is wanted, none is wanted or told, or it is
/// one that PagerDuty does not change.
fn is_role_right(seen: Option<&str>, wanted: Option<TeamRole>, kept: Option<&KeptRole>) -> bool {
    match (seen, wanted) {
        (Some(seen), Some(wanted)) => {
            seen == wanted.as_str() || kept.is_some_and(|kept| kept.is_of(wanted, seen))
        }
        _ => true,
    }
}

/// The role that PagerDuty does not change, or that is not to be set again yet.
fn kept_role<'a>(book: &Book, added: &'a AddedMember) -> Option<&'a KeptRole> {
    let over = book.over();
    added.kept_role.as_ref().filter(|kept| kept.until.is_none_or(|until| !over(until)))
}

fn is_stakeholder(account_role: Option<&crate::pagerduty::Role>) -> bool {
    account_role.is_some_and(|role| role.license_group == LicenseGroup::Stakeholder)
}

/// The role that gives more.
fn higher(first: Option<TeamRole>, second: Option<TeamRole>) -> Option<TeamRole> {
    first.into_iter().chain(second).max_by_key(|role| role.rank())
}

fn problem(problem: Problem) -> MemberOutcome {
    MemberOutcome::Problem { problem }
}

impl GroupState {
    fn add(&mut self, members: Vec<(String, AddedMember)>) {
        for (id, added) in members {
            self.former.remove(&id);
            self.members.insert(id, added);
        }
    }

    /// For somebody nothing more was sent than this.
    pub(super) fn unsend(&mut self, id: &str, before: &[SentRole]) {
        if let Some(added) = self.members.get_mut(id) {
            added.sent = before.to_vec();
        }
    }

    /// Somebody is no member any more, and remembered as long as a request may make them one again.
    pub(super) fn leave(&mut self, id: &str, is_over: impl Fn(i64) -> bool) {
        if let Some(former) = self.members.remove(id).and_then(|added| FormerMember::of(added, is_over)) {
            self.former.insert(id.to_owned(), former);
        }
    }

    /// Whether the team is to be deleted, now or by a later run.
    pub(super) fn is_to_be_deleted(&self, config: &TeamConfig) -> bool {
        config.options.deletion == Deletion::Delete && self.origin == Origin::Created
    }
}

const NOBODY: &[DesiredMember] = &[];

impl Members {
    pub(super) fn desired<'a>(&self, book: &'a Book) -> (&'a [DesiredMember], Option<&'a DesiredGroup>) {
        match &self.who {
            Who::Group(place) => {
                let group = book.group(*place);
                (group.map_or(NOBODY, |group| &group.members), group)
            }
            Who::Gone(_) => (NOBODY, None),
        }
    }

    fn role(book: &Book, group: Option<&DesiredGroup>, member: &DesiredMember) -> Option<TeamRole> {
        member.role.or_else(|| group.and_then(|group| group.role)).or(book.config.options.role)
    }

    /// The users to look up: those whom this run has not seen and whom the bridge does not know.
    pub(super) fn unknown(&self, book: &Book) -> VecDeque<(String, String)> {
        let (members, group) = self.desired(book);
        let known = self.known(book);
        let mut seen = BTreeSet::new();
        let look_ups = members.iter().filter_map(|member| {
            let key = member.key()?;
            let is_new = !book.users.contains_key(&key)
                && self.trusted(book, &known, member, Self::role(book, group, member)).is_none()
                && seen.insert(key.clone());
            is_new.then(|| (key, member.email.trim().to_owned()))
        });
        look_ups.collect()
    }

    /// Whom the bridge added, by SCIM user.
    fn known<'a>(&self, book: &'a Book) -> BTreeMap<&'a str, (&'a str, &'a AddedMember)> {
        if book.config.options.look_up == LookUp::Always {
            return BTreeMap::new();
        }
        let entry = book.state.groups.get(&book.id(&self.who));
        let members = entry.into_iter().flat_map(|entry| &entry.members);
        members.map(|(id, added)| (added.user.as_str(), (id.as_str(), added))).collect()
    }

    /// The PagerDuty user of `member`, if the bridge added them under the same address and nothing about
    /// them is to be changed.
    fn trusted(
        &self,
        book: &Book,
        known: &BTreeMap<&str, (&str, &AddedMember)>,
        member: &DesiredMember,
        role: Option<TeamRole>,
    ) -> Option<String> {
        let (id, added) = known.get(member.user.as_str())?;
        let is_same = added.email.trim().to_lowercase() == member.key()?;
        let seen = self.listed.get(*id)?;
        let is_right = is_role_right(seen.as_deref(), role, kept_role(book, added));
        (is_same && is_right).then(|| (*id).to_owned())
    }

    /// What is to be changed. Whom the bridge is about to add is remembered first.
    pub(super) fn compare(&mut self, book: &mut Book) -> VecDeque<Action> {
        let (members, group) = self.desired(book);
        let (wanted, unresolved) = self.wanted(book, members, group);
        let group_id = book.id(&self.who);
        let entry = book.state.group(&group_id);
        let (before, former) = entry.map(|entry| (&entry.members, &entry.former)).unzip();
        let over = book.over();
        let mut found = Found::new(&self.tries);
        for (id, wanted) in &wanted {
            let added = before.and_then(|before| before.get(id));
            let left = former.and_then(|former| former.get(id));
            let sent = added.map(|added| &added.sent).or(left.map(|left| &left.sent));
            let mut row = AddedMember {
                user: wanted.member.user.clone(),
                email: wanted.member.email.trim().to_owned(),
                kept_role: added.and_then(|added| added.kept_role.clone()),
                sent: sent.cloned().unwrap_or_default(),
            };
            let Some(seen) = self.listed.get(id) else {
                if wanted.role.is_stakeholder && book.config.options.stakeholders == Stakeholders::Skip {
                    found.gone.extend(added.map(|_| id.clone()));
                    continue;
                }
                if found.act(id, Kind::Add, &row, wanted.role, "") {
                    book.send(&mut row, wanted.role.role);
                    found.now.push((id.clone(), row));
                }
                continue;
            };
            let seen = seen.as_deref();
            let is_late = left.is_some_and(|left| left.is_late(seen));
            if added.is_none() && !is_late && book.config.options.found_members == FoundMembers::Keep {
                continue;
            }
            if !is_role_right(seen, wanted.role.role, kept_role(book, &row)) {
                let from = seen.unwrap_or_default();
                let is_lower = wanted.role.role.is_some_and(|role| role.is_below(from));
                // What a guard refuses is never sent, and not remembered as if it had been.
                let is_refused = is_lower && book.protects() && book.is_user_protected(&row.user, &row.email);
                if found.act(id, Kind::SetRole, &row, wanted.role, from) && !is_refused {
                    book.send(&mut row, wanted.role.role);
                    found.now.push((id.clone(), row));
                    continue;
                }
            } else if is_role_right(seen, wanted.role.role, None) {
                row.kept_role = None;
            }
            found.later.push((id.clone(), row));
        }
        for (id, added) in before.into_iter().flatten().filter(|(id, _)| !wanted.contains_key(*id)) {
            // Somebody who is not found may be this user: they have not left the group.
            let email = added.email.trim().to_lowercase();
            if unresolved.contains(&added.user) || unresolved.contains(&email) {
                continue;
            }
            if self.listed.contains_key(id) {
                found.act(id, Kind::Remove, added, Role::default(), "");
            } else {
                found.gone.push(id.clone());
            }
        }
        for (id, left) in former.into_iter().flatten().filter(|(id, _)| !wanted.contains_key(*id)) {
            let email = left.email.trim().to_lowercase();
            if unresolved.contains(&left.user) || unresolved.contains(&email) {
                continue;
            }
            if self.listed.get(id).is_some_and(|seen| left.is_late(seen.as_deref())) {
                // By a request that had its effect late.
                let row = left.as_added();
                if found.act(id, Kind::Remove, &row, Role::default(), "") {
                    found.now.push((id.clone(), row));
                }
            } else if left.is_over(over) {
                found.forgotten.push(id.clone());
            }
        }
        let (actions, waiting) = found.write(book, &group_id);
        for (id, tried) in &mut self.tries {
            tried.is_waiting = waiting.contains(id);
        }
        actions
    }

    /// Whether something that PagerDuty took is not to be seen yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.tries.values().any(|tried| tried.is_waiting)
    }

    /// What PagerDuty took and does not show is given up. A role is taken to be fixed if that was so before;
    /// the first time it may be the late effect of another request.
    pub(super) fn stop_waiting(&mut self, book: &mut Book) {
        let group = book.id(&self.who);
        for (id, tried) in self.tries.iter_mut().filter(|(_, tried)| tried.is_waiting) {
            tried.is_waiting = false;
            match (tried.kind, self.listed.get(id), tried.role) {
                (Kind::Add | Kind::SetRole, Some(Some(seen)), Some(wanted)) => {
                    let late = book.late_until();
                    book.change(&group, |entry| {
                        let Some(added) = entry.members.get_mut(id) else { return };
                        let was_so = added.kept_role.as_ref().is_some_and(|kept| kept.is_of(wanted, seen));
                        let until = late.filter(|_| !was_so);
                        added.kept_role = Some(KeptRole { wanted, seen: seen.clone(), until });
                    });
                }
                _ => tried.problem = Some(Problem::Unconfirmed),
            }
        }
    }

    /// What became of everybody.
    pub(super) fn reports(&self, book: &Book) -> Vec<MemberReport> {
        let (members, group) = self.desired(book);
        let known = self.known(book);
        let mut reports: Vec<MemberReport> = Vec::with_capacity(members.len());
        for member in members {
            let role = Self::role(book, group, member);
            let resolution = member.key().map(|key| book.users.get(&key));
            let (id, outcome) = match (&self.trusted(book, &known, member, role), resolution) {
                (_, None) => (None, problem(Problem::NoEmail)),
                (_, Some(Some(Resolution::Found { id, role: account_role })))
                    if self.is_skipped(book, id, *account_role) =>
                {
                    (Some(id.clone()), problem(Problem::StakeholderSkipped))
                }
                (_, Some(Some(Resolution::Found { id, .. }))) | (Some(id), Some(None)) => {
                    (Some(id.clone()), self.outcome(book, id, role))
                }
                (_, Some(Some(Resolution::Failed(why)))) => (None, problem(why.clone())),
                (_, Some(Some(Resolution::Unknown) | None)) => (None, problem(Problem::UnknownUser)),
            };
            let (user, email) = (member.user.clone(), member.email.clone());
            reports.push(MemberReport { user, email, pagerduty_user: id, outcome });
        }
        let removed = self.tries.iter().filter(|(_, tried)| tried.kind == Kind::Remove);
        reports.extend(removed.map(|(id, tried)| MemberReport {
            user: tried.user.clone(),
            email: tried.email.clone(),
            pagerduty_user: Some(id.clone()),
            outcome: tried.problem.clone().map_or(MemberOutcome::Removed, problem),
        }));
        reports
    }

    /// Whether PagerDuty was not asked to put the user onto the team.
    fn is_skipped(&self, book: &Book, id: &str, account_role: Option<&crate::pagerduty::Role>) -> bool {
        let skips = book.config.options.stakeholders == Stakeholders::Skip;
        skips && !self.listed.contains_key(id) && is_stakeholder(account_role)
    }

    /// What became of the PagerDuty user `id`, who should be on the team.
    fn outcome(&self, book: &Book, id: &str, role: Option<TeamRole>) -> MemberOutcome {
        let entry = book.state.group(&book.id(&self.who));
        let added = entry.and_then(|entry| entry.members.get(id));
        let seen = self.listed.get(id).and_then(Option::as_deref).unwrap_or_default();
        let kept = added.and_then(|added| added.kept_role.as_ref());
        let is_kept = kept.is_some_and(|kept| Some(kept.wanted) == role && kept.seen == seen);
        match self.tries.get(id) {
            Some(Try { problem: Some(why), .. }) => problem(why.clone()),
            Some(Try { kind: Kind::Add, .. }) => MemberOutcome::Added,
            _ if is_kept => MemberOutcome::RoleKept { role: seen.to_owned() },
            Some(Try { kind: Kind::SetRole, from, .. }) => MemberOutcome::RoleSet { from: from.clone() },
            _ if added.is_some() => MemberOutcome::Unchanged,
            _ => MemberOutcome::AlreadyThere,
        }
    }

    /// Who should be on the team, by PagerDuty user, and the users and addresses that are not found.
    fn wanted<'a>(
        &self,
        book: &Book,
        members: &'a [DesiredMember],
        group: Option<&DesiredGroup>,
    ) -> (BTreeMap<String, Wanted<'a>>, BTreeSet<String>) {
        let known = self.known(book);
        let mut wanted: BTreeMap<String, Wanted<'a>> = BTreeMap::new();
        let mut unresolved = BTreeSet::new();
        for member in members {
            let role = Self::role(book, group, member);
            let resolution = member.key().and_then(|key| book.users.get(&key));
            let (id, account_role) = match (self.trusted(book, &known, member, role), resolution) {
                (_, Some(Resolution::Found { id, role })) => (id.clone(), *role),
                (Some(id), None) => (id, None),
                _ => {
                    unresolved.insert(member.user.clone());
                    unresolved.extend(member.key());
                    continue;
                }
            };
            // A role on a team gives who has a fixed account role neither more nor less.
            let sets_all = book.config.options.fixed_roles == FixedRoles::Set;
            let is_flexible = account_role.is_none_or(|role| role.kind == RoleKind::Flexible);
            let role = role.filter(|_| sets_all || is_flexible);
            let this = Wanted { member, role: Role { role, is_stakeholder: is_stakeholder(account_role) } };
            match wanted.get_mut(&id) {
                // One PagerDuty user for two of the group: the role that gives more.
                Some(other) => other.role.role = higher(other.role.role, role),
                None => {
                    wanted.insert(id, this);
                }
            }
        }
        (wanted, unresolved)
    }
}
