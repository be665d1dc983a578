//! A group that is gone: what becomes of its team.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::answer::{Body, Member, Page};
use super::book::{Answer, Book, Turn, Who};
use super::config::Deletion;
use super::guard::{GuardRefusal, Released, Removals};
use super::members::Members;
use super::plan::Write;
use super::report::{Problem, TeamOutcome};
use super::state::{GroupState, Origin};
use super::wire::{Call, is_listed};
use crate::guard::{Forbidden, Guard, Subject};

/// Keeps, empties or deletes the team of a group that is gone.
#[derive(Debug)]
pub(super) struct Retire {
    who: Who,
    step: Step,
    offset: usize,
    /// Who is on the team and was not added by the bridge.
    others: BTreeSet<String>,
    /// Who is on it, was added by the bridge, and is protected: by the e-mail address.
    protected: Option<String>,
    /// How many are on it.
    listed: usize,
    attempts: u32,
    /// What the ledger of the guards has noted.
    charged: Option<Released>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begin,
    List,
    Guard,
    Delete,
    Done,
}

impl Retire {
    pub(super) fn new(group: String) -> Self {
        Self {
            who: Who::Gone(group),
            step: Step::Begin,
            offset: 0,
            others: BTreeSet::new(),
            protected: None,
            listed: 0,
            attempts: 0,
            charged: None,
        }
    }

    pub(super) fn turn(&mut self, book: &mut Book) -> Turn {
        if self.step == Step::Begin {
            self.begin(book);
        }
        let group = book.id(&self.who);
        let Some(entry) = book.state.group(&group) else { return Turn::Done };
        let Some(team) = entry.team.clone() else { return Turn::Done };
        match self.step {
            Step::List if !is_listed(self.offset) => {
                self.give_up(book, Problem::TooMany("members"));
                Turn::Done
            }
            Step::List => Turn::Call(Call::Members { team, offset: self.offset }),
            Step::Guard => {
                let removals = self.removals(book, &team);
                if !removals.is_nothing() {
                    return Turn::Charge(removals);
                }
                self.step = Step::Delete;
                self.turn(book)
            }
            Step::Delete => {
                Turn::Call(Call::Write(Write::DeleteTeam { group, team, name: entry.name.clone() }))
            }
            Step::Begin | Step::Done => Turn::Done,
        }
    }

    fn begin(&mut self, book: &mut Book) {
        self.step = Step::Done;
        let group = book.id(&self.who);
        // Unless another group has taken the team over in this run.
        let Some(entry) = book.state.group(&group).cloned() else { return };
        let is_to_go = book.config.options.deletion == Deletion::Delete && entry.team.is_some();
        if is_to_go && let Some(refusal) = book.protected_group(&self.who, &[&entry.name], GONE) {
            return self.guarded(book, refusal);
        }
        match (&entry, book.config.options.deletion) {
            (_, Deletion::Keep) => {
                book.finish(&self.who);
                book.forget(&group);
                book.note(&self.who, TeamOutcome::Kept);
            }
            (GroupState { team: None, creating: Some(_), .. }, Deletion::Delete) => {
                book.find(self.who.clone())
            }
            (GroupState { team: None, .. }, _) => {
                book.forget(&group);
                book.note(&self.who, TeamOutcome::AlreadyGone);
                book.finish(&self.who);
            }
            (GroupState { origin: Origin::Created, .. }, Deletion::Delete) => self.step = Step::List,
            (_, Deletion::Delete) => {
                book.note(&self.who, TeamOutcome::NotDeleted);
                self.empty(book);
            }
            (_, Deletion::Empty) => self.empty(book),
        }
    }

    pub(super) fn answer(&mut self, book: &mut Book, answer: Answer) {
        match (self.step, answer) {
            (_, Answer::Refused(error)) if error.is_team_missing() => {
                // After an attempt whose outcome was not known, it was that.
                self.gone(
                    book,
                    if self.attempts > 0 { TeamOutcome::Deleted } else { TeamOutcome::AlreadyGone },
                );
            }
            (Step::List, Answer::Ok(Body::Members(page))) => self.read(book, page),
            (Step::Delete, Answer::Ok(_) | Answer::Assumed) => self.gone(book, TeamOutcome::Deleted),
            (Step::Delete, Answer::Refused(error)) => {
                book.releases.extend(self.charged.take());
                let is_needed = error.has_associations();
                book.problem(
                    &self.who,
                    if is_needed { Problem::Associations(error) } else { Problem::Refused(error) },
                );
                self.empty(book);
            }
            (Step::Delete, Answer::Unknown(why)) => {
                self.attempts += 1;
                if self.attempts >= book.config.options.max_attempts {
                    return self.give_up(book, Problem::GaveUp(why));
                }
                self.step = Step::List;
                self.offset = 0;
                self.others.clear();
                self.protected = None;
                self.listed = 0;
            }
            (_, Answer::Refused(error)) => self.give_up(book, Problem::Refused(error)),
            (_, Answer::Unknown(why)) => self.give_up(book, Problem::GaveUp(why)),
            (_, Answer::Ok(_) | Answer::Assumed) => self.give_up(book, Problem::Unconfirmed),
        }
    }

    fn read(&mut self, book: &mut Book, page: Page<Member>) {
        let group = book.id(&self.who);
        let entry = book.state.group(&group);
        self.listed += page.rows.len();
        for member in page.rows {
            match entry.and_then(|entry| added(entry, &member)) {
                None => drop(self.others.insert(member.id)),
                Some((user, email)) if book.protects() && book.is_user_protected(user, email) => {
                    self.protected.get_or_insert_with(|| email.to_owned());
                }
                Some(_) => {}
            }
        }
        match (page.next, &self.protected) {
            (Some(next), _) => self.offset = next,
            (None, _) if !self.others.is_empty() => {
                book.problem(&self.who, Problem::OtherMembers(self.others.len()));
                self.empty(book);
            }
            // With the team they would leave it.
            (None, Some(email)) => {
                let (guard, subject) = (Guard::ProtectedUser, Subject::user(email));
                let forbidden = Forbidden { guard, subject, why: GONE_WITH };
                self.guarded(book, GuardRefusal::protected(&book.config, &forbidden));
            }
            (None, None) => self.step = Step::Guard,
        }
    }

    fn removals(&self, book: &Book, team: &str) -> Removals {
        let guards = book.config.guards();
        if self.charged.is_some() || !book.has_ceilings() {
            return Removals::of_members(guards, Guard::TeamRemovals, team, 0, 0);
        }
        Removals::of_team(guards, team, self.listed, book.teams())
    }

    pub(super) fn charged(&mut self, book: &mut Book, verdict: Result<Timestamp, GuardRefusal>) {
        let group = book.id(&self.who);
        let team = book.state.group(&group).and_then(|entry| entry.team.clone()).unwrap_or_default();
        match verdict {
            Ok(then) => {
                let charges = self.removals(book, &team).charges().to_vec();
                self.charged = Some(Released { then, charges });
                self.step = Step::Delete;
            }
            Err(refusal) => self.guarded(book, refusal),
        }
    }

    /// A guard refuses what was to become of the team, which stays as it is.
    fn guarded(&mut self, book: &mut Book, refusal: GuardRefusal) {
        let group = book.id(&self.who);
        let entry = book.state.group(&group).cloned().unwrap_or_default();
        let write = Write::DeleteTeam { group, team: entry.team.unwrap_or_default(), name: entry.name };
        book.guard(write, refusal.clone());
        self.give_up(book, Problem::Guarded(refusal));
    }

    /// Those whom the bridge added are taken off the team.
    fn empty(&mut self, book: &mut Book) {
        self.step = Step::Done;
        let team = book.state.group(&book.id(&self.who)).and_then(|entry| entry.team.clone());
        book.queues.members.push_back(Members::new(self.who.clone(), team));
    }

    fn gone(&mut self, book: &mut Book, outcome: TeamOutcome) {
        self.step = Step::Done;
        book.finish(&self.who);
        book.forget(&book.id(&self.who));
        book.note(&self.who, outcome);
    }

    fn give_up(&mut self, book: &mut Book, problem: Problem) {
        self.step = Step::Done;
        book.problem(&self.who, problem);
        book.finish(&self.who);
    }
}

/// The SCIM user and the e-mail address of a member whom the bridge added, or whom a late request of its put there.
fn added<'a>(entry: &'a GroupState, member: &Member) -> Option<(&'a str, &'a str)> {
    let here = entry.members.get(&member.id).map(|added| (added.user.as_str(), added.email.as_str()));
    let late = || {
        let left = entry.former.get(&member.id).filter(|left| left.is_late(member.role.as_deref()))?;
        Some((left.user.as_str(), left.email.as_str()))
    };
    here.or_else(late)
}

const GONE_WITH: &str = "a team it is on cannot be deleted";
const GONE: &str = "its team cannot be deleted";
