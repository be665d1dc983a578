//! A group that is gone: what becomes of its team.

use std::collections::BTreeSet;

use super::answer::{Body, Member, Page};
use super::book::{Answer, Book, Turn, Who};
use super::config::Deletion;
use super::members::Members;
use super::plan::Write;
use super::report::{Problem, TeamOutcome};
use super::state::{GroupState, Origin};
use super::wire::{Call, is_listed};

/// Keeps, empties or deletes the team of a group that is gone.
#[derive(Debug)]
pub(super) struct Retire {
    who: Who,
    step: Step,
    offset: usize,
    /// Who is on the team and was not added by the bridge.
    others: BTreeSet<String>,
    attempts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begin,
    List,
    Delete,
    Done,
}

impl Retire {
    pub(super) fn new(group: String) -> Self {
        Self { who: Who::Gone(group), step: Step::Begin, offset: 0, others: BTreeSet::new(), attempts: 0 }
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
                book.problem(&self.who, Problem::NotCreated);
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
            }
            (_, Answer::Refused(error)) => self.give_up(book, Problem::Refused(error)),
            (_, Answer::Unknown(why)) => self.give_up(book, Problem::GaveUp(why)),
            (_, Answer::Ok(_) | Answer::Assumed) => self.give_up(book, Problem::Unconfirmed),
        }
    }

    fn read(&mut self, book: &mut Book, page: Page<Member>) {
        let group = book.id(&self.who);
        let ours = book.state.group(&group).map(|entry| &entry.members);
        let others = page.rows.into_iter().map(|member| member.id);
        self.others.extend(others.filter(|id| !ours.is_some_and(|ours| ours.contains_key(id))));
        match page.next {
            Some(next) => self.offset = next,
            None if self.others.is_empty() => self.step = Step::Delete,
            None => {
                book.problem(&self.who, Problem::OtherMembers(self.others.len()));
                self.empty(book);
            }
        }
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
