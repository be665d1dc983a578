//! A team that is known: whether it is there, and called as its group is.

use super::answer::{ApiError, Body};
use super::book::{Answer, Book, Turn, Who};
use super::members::Members;
use super::plan::Write;
use super::report::{Problem, TeamOutcome};
use super::wire::Call;

/// Reads the team of a group, and renames it until it has the group's name.
#[derive(Debug)]
pub(super) struct Check {
    place: usize,
    step: Step,
    /// The name it had when it was first read.
    first_name: Option<String>,
    attempts: u32,
    /// What the last attempt failed for.
    failure: Option<String>,
    /// A refusal, and how often teams had been renamed then: a name can be taken until another team
    /// has its own.
    refusal: Option<(ApiError, usize)>,
}

#[derive(Debug)]
enum Step {
    Read,
    Rename { from: String, description: Option<String> },
    Done,
}

impl Check {
    pub(super) fn new(place: usize) -> Self {
        Self { place, step: Step::Read, first_name: None, attempts: 0, failure: None, refusal: None }
    }

    fn who(&self) -> Who {
        Who::Group(self.place)
    }

    pub(super) fn turn(&mut self, book: &mut Book) -> Turn {
        let Some(team) = book.entry(self.place).and_then(|entry| entry.team.clone()) else {
            return Turn::Done;
        };
        if let Some((error, renames)) = &self.refusal
            && *renames == book.renames
        {
            // No name has become free.
            let error = error.clone();
            book.problem(&self.who(), Problem::Refused(error));
            self.members(book);
            return Turn::Done;
        }
        match (&self.step, book.wanted_name(self.place)) {
            (Step::Rename { from, description }, Ok(to)) => Turn::Call(Call::Write(Write::RenameTeam {
                group: book.id(&self.who()),
                team,
                from: from.clone(),
                to,
                description: description.clone(),
            })),
            (Step::Read, _) => Turn::Call(Call::Team(team)),
            _ => Turn::Done,
        }
    }

    pub(super) fn answer(&mut self, book: &mut Book, answer: Answer) {
        match (&self.step, answer) {
            (Step::Read, Answer::Ok(Body::Team(team))) => self.compare(book, team.name, team.description),
            (Step::Read, Answer::Refused(error)) if error.is_team_missing() => {
                self.step = Step::Done;
                book.lost(self.place);
            }
            (Step::Rename { .. }, Answer::Ok(_)) => {
                self.attempts += 1;
                book.renames += 1;
                // It counts when it is seen.
                self.step = Step::Read;
            }
            (Step::Rename { from, .. }, Answer::Assumed) => {
                book.note(&Who::Group(self.place), TeamOutcome::Renamed { from: from.clone() });
                self.members(book);
            }
            (Step::Rename { .. }, Answer::Refused(error)) if error.is_team_missing() => {
                self.attempts += 1;
                self.step = Step::Read;
            }
            (Step::Rename { .. }, Answer::Refused(error)) => {
                // After the others: one of them may have the name now, and another then.
                let again = Self { refusal: Some((error, book.renames)), ..Self::new(self.place) };
                book.queues.checks.push_back(again);
                self.step = Step::Done;
            }
            (Step::Rename { .. }, Answer::Unknown(why)) => {
                self.attempts += 1;
                self.failure = Some(why);
                self.step = Step::Read;
            }
            (_, Answer::Refused(error)) => self.give_up(book, Problem::Refused(error)),
            (_, Answer::Unknown(why)) => self.give_up(book, Problem::GaveUp(why)),
            (_, Answer::Ok(_) | Answer::Assumed) => self.give_up(book, Problem::Unconfirmed),
        }
    }

    fn compare(&mut self, book: &mut Book, name: String, description: Option<String>) {
        let who = self.who();
        let id = book.id(&who);
        if book.entry(self.place).is_some_and(|entry| entry.name != name || entry.creating.is_some()) {
            book.change(&id, |entry| {
                entry.name.clone_from(&name);
                entry.creating = None;
            });
        }
        let first = self.first_name.get_or_insert_with(|| name.clone()).clone();
        match book.wanted_name(self.place) {
            Err(problem) => book.problem(&who, problem),
            Ok(wanted) if wanted == name && first == name => book.note(&who, TeamOutcome::Found),
            Ok(wanted) if wanted == name => book.note(&who, TeamOutcome::Renamed { from: first }),
            Ok(_) if self.attempts >= book.config.options.max_attempts => {
                let problem = self.failure.take().map_or(Problem::Unconfirmed, Problem::GaveUp);
                book.problem(&who, problem);
            }
            Ok(wanted) if let Some(refusal) = book.protected_group(&who, &[&name, &wanted], RENAMED) => {
                let team = book.entry(self.place).and_then(|entry| entry.team.clone()).unwrap_or_default();
                let write = Write::RenameTeam { group: id, team, from: name, to: wanted, description };
                book.guard(write, refusal.clone());
                book.problem(&who, Problem::Guarded(refusal));
            }
            Ok(_) => {
                self.step = Step::Rename { from: name, description };
                return;
            }
        }
        self.members(book);
    }

    /// The team is there: on with its members.
    fn members(&mut self, book: &mut Book) {
        self.step = Step::Done;
        let who = self.who();
        let team = book.entry(self.place).and_then(|entry| entry.team.clone());
        book.queues.members.push_back(Members::new(who, team));
    }

    fn give_up(&mut self, book: &mut Book, problem: Problem) {
        self.step = Step::Done;
        let who = self.who();
        book.problem(&who, problem);
        book.finish(&who);
    }
}

const RENAMED: &str = "its team cannot be renamed";
