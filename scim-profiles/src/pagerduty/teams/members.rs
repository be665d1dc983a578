//! The members of a team: read, compared, changed, until nothing is left to change.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use super::answer::{ApiError, Body, User};
use super::book::{Answer, Book, Resolution, Turn, Who};
use super::config::LookUp;
use super::diff::{Action, Kind, Try};
use super::guard::{GuardRefusal, Released, Removals};
use super::report::{Problem, TeamOutcome};
use super::wire::{Call, is_listed};
use crate::guard::{Forbidden, Guard, Subject};

/// Reads who is on a team, looks up who should be, and adds, corrects and removes.
///
/// What was written counts when it is seen: after changes the members are read again. After a change
/// whose outcome is not known they are as well, before anything is repeated.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) who: Who,
    /// `None` for a team that a dry run would have created.
    pub(super) team: Option<String>,
    step: Step,
    offset: usize,
    /// Who is on the team, with the role.
    pub(super) listed: BTreeMap<String, Option<String>>,
    look_ups: VecDeque<(String, String)>,
    pub(super) actions: VecDeque<Action>,
    /// What was tried in this run, by PagerDuty user.
    pub(super) tries: BTreeMap<String, Try>,
    /// Whether something was changed since the members were read.
    has_written: bool,
    polls: u32,
    /// Who is to be removed and was read: their address is nobody's of the group.
    verified: BTreeSet<String>,
    /// Whether one who is to be removed turned out to be somebody of the group.
    is_other: bool,
    /// Of whom the ledger of the guards has noted what is taken away, and when.
    charged: BTreeMap<(Kind, String), Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    List,
    LookUp,
    Verify,
    Guard,
    Act,
    Done,
}

impl Members {
    pub(super) fn new(who: Who, team: Option<String>) -> Self {
        Self {
            who,
            step: Step::List,
            team,
            offset: 0,
            listed: BTreeMap::new(),
            look_ups: VecDeque::new(),
            actions: VecDeque::new(),
            tries: BTreeMap::new(),
            has_written: false,
            polls: 0,
            verified: BTreeSet::new(),
            is_other: false,
            charged: BTreeMap::new(),
        }
    }

    pub(super) fn turn(&mut self, book: &mut Book) -> Turn {
        loop {
            match self.step {
                Step::List if !is_listed(self.offset) => {
                    self.give_up(book, Problem::TooMany("members"));
                }
                Step::List => match &self.team {
                    Some(team) => {
                        return Turn::Call(Call::Members { team: team.clone(), offset: self.offset });
                    }
                    // Nobody is on a team that is not there.
                    None => self.begin_look_ups(book),
                },
                Step::LookUp => match self.next_look_up(book) {
                    Some(call) => return Turn::Call(call),
                    None => self.decide(book),
                },
                Step::Verify => match self.next_unverified(book) {
                    Some(user) => return Turn::Call(Call::User(user)),
                    None if std::mem::take(&mut self.is_other) => self.decide(book),
                    None => self.step = Step::Guard,
                },
                Step::Guard => {
                    self.protect(book);
                    match self.removals(book) {
                        Some((_, removals)) => return Turn::Charge(removals),
                        None => self.step = Step::Act,
                    }
                }
                Step::Act => match self.actions.front() {
                    Some(action) => {
                        let group = book.id(&self.who);
                        return Turn::Call(Call::Write(action.write(group, self.team.clone())));
                    }
                    None if self.has_written && !book.config.is_dry_run() => self.list_again(),
                    None if self.is_waiting() => {
                        self.polls += 1;
                        if self.polls <= book.config.options.polls {
                            self.list_again();
                            return Turn::Wait(book.config.options.poll_pause);
                        }
                        self.stop_waiting(book);
                        self.decide(book);
                    }
                    None => self.finish(book),
                },
                Step::Done => return Turn::Done,
            }
        }
    }

    fn list_again(&mut self) {
        self.step = Step::List;
        self.has_written = false;
        self.offset = 0;
        self.listed.clear();
        self.actions.clear();
    }

    fn decide(&mut self, book: &mut Book) {
        self.actions = self.compare(book);
        self.step = Step::Verify;
    }

    /// Whom it is to remove without having looked who they are now: the address by which they were found
    /// may be another's, and theirs that of somebody of the group. A run that looks up everybody knows.
    fn next_unverified(&self, book: &Book) -> Option<String> {
        let is_open = |action: &&Action| {
            action.kind == Kind::Remove
                && book.config.options.look_up == LookUp::New
                && !self.verified.contains(&action.id)
        };
        self.actions.iter().find(is_open).map(|action| action.id.clone())
    }

    fn verified(&mut self, book: &mut Book, answer: Answer) {
        let Some(id) = self.next_unverified(book) else { return };
        let problem = match answer {
            Answer::Ok(Body::User(user)) => {
                self.is_other |= self.is_of_group(book, &id, &user);
                None
            }
            // Whoever is no user any more is no member either, or can be removed.
            Answer::Refused(error) if error.is_missing() => None,
            Answer::Refused(error) => Some(Problem::Refused(error)),
            Answer::Unknown(why) => Some(Problem::GaveUp(why)),
            Answer::Ok(_) | Answer::Assumed => Some(Problem::Unconfirmed),
        };
        self.verified.insert(id.clone());
        if let Some(problem) = problem {
            self.leave(&problem, |action| action.kind == Kind::Remove && action.id == id);
        }
    }

    /// Whether the user is somebody of the group, by the address they have now.
    fn is_of_group(&self, book: &mut Book, id: &str, user: &User) -> bool {
        let key = user.email.trim().to_lowercase();
        let (members, _) = self.desired(book);
        let is_in = members.iter().any(|member| member.key().as_ref() == Some(&key));
        if is_in {
            let role = user.role.as_deref().and_then(crate::pagerduty::role);
            book.users.insert(key, Resolution::Found { id: id.to_owned(), role });
        }
        is_in
    }

    /// Does not do what `is_it` says, for this reason.
    fn leave(&mut self, problem: &Problem, is_it: impl Fn(&Action) -> bool) -> Vec<Action> {
        let (left, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut self.actions).into_iter().partition(is_it);
        self.actions = stay.into();
        for action in &left {
            let tried = self.tries.entry(action.id.clone()).or_insert_with(|| Try::new(action));
            tried.problem = Some(problem.clone());
        }
        left
    }

    /// Leaves what is protected.
    fn protect(&mut self, book: &mut Book) {
        if !book.protects() {
            return;
        }
        let group = book.id(&self.who);
        let is_protected =
            |action: &Action| action.taken().is_some() && book.is_user_protected(&action.user, &action.email);
        let (protected, stay): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.actions).into_iter().partition(is_protected);
        self.actions = stay.into();
        for action in protected {
            let (guard, subject) = (Guard::ProtectedUser, Subject::user(&action.email));
            let why = match action.kind {
                Kind::Remove => "it cannot leave a team",
                Kind::Add | Kind::SetRole => "it cannot get a lower role on a team",
            };
            let forbidden = Forbidden { guard, subject, why };
            let refusal = GuardRefusal::protected(&book.config, &forbidden);
            let tried = self.tries.entry(action.id.clone()).or_insert_with(|| Try::new(&action));
            tried.problem = Some(Problem::Guarded(refusal.clone()));
            book.guard(action.write(group.clone(), self.team.clone()), refusal);
        }
        let comes = self.actions.iter().any(|action| action.kind == Kind::Add);
        let name = book.state.group(&group).map(|entry| entry.name.clone()).unwrap_or_default();
        let removed = self.actions.iter().filter(|action| action.kind == Kind::Remove).count();
        if removed > 0
            && removed >= self.listed.len()
            && !comes
            && let Some(refusal) = book.protected_group(&self.who, &[&name], "its team cannot be emptied")
        {
            self.refuse(book, &refusal, |action| action.kind == Kind::Remove);
        }
    }

    /// A guard refuses what `is_it` says.
    fn refuse(&mut self, book: &mut Book, refusal: &GuardRefusal, is_it: impl Fn(&Action) -> bool) {
        let group = book.id(&self.who);
        for action in self.leave(&Problem::Guarded(refusal.clone()), is_it) {
            if action.kind == Kind::SetRole {
                // It is never sent, and not remembered as if it had been.
                book.change(&group, |entry| entry.unsend(&action.id, &action.sent));
            }
            book.guard(action.write(group.clone(), self.team.clone()), refusal.clone());
        }
    }

    /// What is about to be taken away and is not noted yet: of one kind, since each is judged by itself.
    fn removals(&self, book: &Book) -> Option<(Guard, Removals)> {
        let kinds = [Guard::TeamRemovals, Guard::TeamRoles].into_iter().filter(|_| book.has_ceilings());
        let mut removals = kinds.map(|guard| (guard, self.taken(book, guard, self.uncharged(guard).len())));
        removals.find(|(_, removals)| !removals.is_nothing())
    }

    /// So much of a kind, taken from so many.
    fn taken(&self, book: &Book, guard: Guard, amount: usize) -> Removals {
        let team = self.team.as_deref().unwrap_or_default();
        Removals::of_members(book.config.guards(), guard, team, amount, self.listed.len())
    }

    fn uncharged(&self, guard: Guard) -> Vec<(Kind, String)> {
        let taken = self.actions.iter().filter(|action| action.taken() == Some(guard));
        let keys = taken.map(|action| (action.kind, action.id.clone()));
        keys.filter(|key| !self.charged.contains_key(key)).collect()
    }

    pub(super) fn charged(&mut self, book: &mut Book, verdict: Result<Timestamp, GuardRefusal>) {
        let Some((guard, _)) = self.removals(book) else { return };
        let keys = self.uncharged(guard);
        match verdict {
            Ok(at) => self.charged.extend(keys.into_iter().map(|key| (key, at))),
            Err(refusal) => {
                let is_new =
                    |action: &Action| keys.iter().any(|(kind, id)| *kind == action.kind && *id == action.id);
                self.refuse(book, &refusal, is_new);
            }
        }
    }

    fn begin_look_ups(&mut self, book: &Book) {
        self.step = Step::LookUp;
        self.offset = 0;
        self.look_ups = self.unknown(book);
    }

    /// The next user to look up; one whom an earlier look-up has found is passed over.
    fn next_look_up(&mut self, book: &mut Book) -> Option<Call> {
        while let Some((key, email)) = self.look_ups.front() {
            if book.users.contains_key(key) {
                self.offset = 0;
                self.look_ups.pop_front();
            } else if is_listed(self.offset) {
                return Some(Call::Users { email: email.clone(), offset: self.offset });
            } else {
                book.users.insert(key.clone(), Resolution::Failed(Problem::TooMany("users")));
            }
        }
        None
    }

    pub(super) fn answer(&mut self, book: &mut Book, answer: Answer) {
        match (self.step, answer) {
            (Step::List, Answer::Ok(Body::Members(page))) => {
                self.listed.extend(page.rows.into_iter().map(|member| (member.id, member.role)));
                match page.next {
                    Some(next) => self.offset = next,
                    None => self.begin_look_ups(book),
                }
            }
            (Step::List, Answer::Refused(error)) if error.is_team_missing() => self.lost(book),
            (Step::LookUp, answer) => self.looked_up(book, answer),
            (Step::Verify, answer) => self.verified(book, answer),
            (Step::Act, answer) => self.acted(book, answer),
            (_, Answer::Refused(error)) => self.give_up(book, Problem::Refused(error)),
            (_, Answer::Unknown(why)) => self.give_up(book, Problem::GaveUp(why)),
            (_, Answer::Ok(_) | Answer::Assumed) => self.give_up(book, Problem::Unconfirmed),
        }
    }

    fn looked_up(&mut self, book: &mut Book, answer: Answer) {
        let Some((key, _)) = self.look_ups.front() else { return };
        let resolution = match answer {
            Answer::Ok(Body::Users(page)) => {
                let is_meant = |user: &User| user.email.to_lowercase() == *key;
                match (page.rows.into_iter().find(is_meant), page.next) {
                    (Some(user), _) => {
                        let role = user.role.as_deref().and_then(crate::pagerduty::role);
                        Resolution::Found { id: user.id, role }
                    }
                    (None, Some(next)) => {
                        self.offset = next;
                        return;
                    }
                    (None, None) => Resolution::Unknown,
                }
            }
            Answer::Ok(_) | Answer::Assumed => Resolution::Failed(Problem::Unconfirmed),
            Answer::Refused(error) => Resolution::Failed(Problem::Refused(error)),
            Answer::Unknown(why) => Resolution::Failed(Problem::GaveUp(why)),
        };
        book.users.insert(key.clone(), resolution);
    }

    fn acted(&mut self, book: &mut Book, answer: Answer) {
        let Some(action) = self.actions.pop_front() else { return };
        let tried = self.tries.entry(action.id.clone()).or_insert_with(|| Try::new(&action));
        tried.sent += 1;
        tried.is_doubtful |= matches!(answer, Answer::Unknown(_));
        match answer {
            Answer::Ok(_) | Answer::Assumed => {
                tried.is_accepted = true;
                self.has_written = true;
            }
            Answer::Refused(error) => self.refused(book, &action, error),
            Answer::Unknown(why) => {
                if tried.sent >= book.config.options.max_attempts {
                    tried.problem = Some(Problem::GaveUp(why));
                }
                self.list_again();
            }
        }
    }

    fn refused(&mut self, book: &mut Book, action: &Action, error: ApiError) {
        let attempts = self.tries.get(&action.id).map_or(0, |tried| tried.sent);
        let is_gone = action.kind == Kind::Remove && error.status == 404 || error.code == Some(6001);
        if is_gone && attempts < book.config.options.max_attempts {
            // The user is not on the team, or there is none any more: that is seen next.
            return self.list_again();
        }
        let group = book.id(&self.who);
        if action.kind == Kind::Add {
            let is_doubtful = self.tries.get(&action.id).is_some_and(|tried| tried.is_doubtful);
            let over = book.over();
            book.change(&group, |entry| {
                if !is_doubtful {
                    // Nothing comes of this one.
                    entry.unsend(&action.id, &action.sent);
                }
                entry.leave(&action.id, over);
            });
        }
        if let Some(guard) = action.taken()
            && let Some(then) = self.charged.remove(&(action.kind, action.id.clone()))
        {
            let noted = self.taken(book, guard, 1);
            book.releases.push_back(Released { then, charges: noted.charges().to_vec() });
        }
        let problem = match action.kind {
            Kind::Add if error.status == 400 && action.is_stakeholder => Problem::Stakeholder(error),
            Kind::Remove if error.is_on_escalation_policy() => Problem::EscalationPolicy(error),
            _ => Problem::Refused(error),
        };
        if let Some(tried) = self.tries.get_mut(&action.id) {
            tried.problem = Some(problem);
        }
    }

    fn lost(&mut self, book: &mut Book) {
        self.step = Step::Done;
        match self.who.clone() {
            Who::Group(place) => book.lost(place),
            Who::Gone(id) => {
                book.finish(&self.who);
                book.forget(&id);
                book.note(&self.who, TeamOutcome::AlreadyGone);
            }
        }
    }

    fn finish(&mut self, book: &mut Book) {
        self.step = Step::Done;
        let reports = self.reports(book);
        book.note_members(&self.who, reports);
        book.finish(&self.who);
        if matches!(self.who, Who::Gone(_)) {
            self.emptied(book);
        }
    }

    /// Nobody whom the bridge added is left on the team: it is remembered only if it is to be deleted.
    fn emptied(&mut self, book: &mut Book) {
        let group = book.id(&self.who);
        let Some(entry) = book.state.group(&group) else { return };
        let is_left = self.tries.values().all(|tried| tried.problem.is_none());
        if !is_left {
            return;
        }
        let stays = entry.is_to_be_deleted(&book.config) || !entry.former.is_empty();
        if !stays {
            book.forget(&group);
        }
        book.note(&self.who, TeamOutcome::Emptied);
    }

    fn give_up(&mut self, book: &mut Book, problem: Problem) {
        self.step = Step::Done;
        book.problem(&self.who, problem);
        book.finish(&self.who);
    }
}
