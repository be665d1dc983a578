//! A team that is known: whether it is there, and called as its group is.

use super::answer::{ApiError, Body, Page, Team};
use super::book::{Answer, Book, Turn, Who};
use super::members::Members;
use super::plan::Write;
use super::renames::{is_same, temporary};
use super::report::{Problem, TeamOutcome};
use super::retire::Retire;
use super::state::Renaming;
use super::wire::{Call, is_listed};

/// Reads the team of a group, and renames it until it has the group's name.
///
/// For a group that is gone it only ends what was begun: the team gives up its temporary name.
#[derive(Debug)]
pub(super) struct Check {
    who: Who,
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
    /// Until no other team that is to be renamed has the name.
    Wait(Rename),
    /// Whether another team has the temporary name.
    Look {
        rename: Rename,
        attempt: u32,
        offset: usize,
    },
    Rename(Rename),
    Done,
}

#[derive(Clone, Debug)]
struct Rename {
    from: String,
    to: String,
    description: Option<String>,
}

impl Check {
    pub(super) fn new(who: Who) -> Self {
        Self { who, step: Step::Read, first_name: None, attempts: 0, failure: None, refusal: None }
    }

    #[cfg(test)]
    pub(super) fn who(&self) -> &Who {
        &self.who
    }

    fn team(&self, book: &Book) -> Option<String> {
        book.state.group(&book.id(&self.who)).and_then(|entry| entry.team.clone())
    }

    /// It is the team's turn to be renamed, or where it `gives_way` to get a temporary name.
    pub(super) fn rename(&mut self, gives_way: bool) {
        self.step = match std::mem::replace(&mut self.step, Step::Done) {
            Step::Wait(rename) if gives_way => Step::Look { rename, attempt: 1, offset: 0 },
            Step::Wait(rename) => Step::Rename(rename),
            step => step,
        };
    }

    pub(super) fn turn(&mut self, book: &mut Book) -> Turn {
        let Some(team) = self.team(book) else { return Turn::Done };
        if let Some((error, renames)) = self.refusal.take()
            && renames == book.renames
        {
            // No name has become free.
            self.pass(book, Problem::Refused(error));
            return Turn::Done;
        }
        match &self.step {
            Step::Read => Turn::Call(Call::Team(team)),
            Step::Look { offset, .. } if !is_listed(*offset) => {
                self.pass(book, Problem::TooMany("teams"));
                Turn::Done
            }
            Step::Look { rename, attempt, offset } => {
                Turn::Call(Call::Teams { name: temporary(&rename.to, &team, *attempt), offset: *offset })
            }
            Step::Rename(Rename { from, to, description }) => Turn::Call(Call::Write(Write::RenameTeam {
                group: book.id(&self.who),
                team,
                from: from.clone(),
                to: to.clone(),
                description: description.clone(),
            })),
            Step::Wait(_) | Step::Done => Turn::Done,
        }
    }

    pub(super) fn answer(&mut self, book: &mut Book, answer: Answer) {
        match (&self.step, answer) {
            (Step::Read, Answer::Ok(Body::Team(team))) => self.compare(book, team.name, team.description),
            (Step::Read, Answer::Refused(error)) if error.is_team_missing() => match self.who {
                Who::Group(place) => {
                    self.step = Step::Done;
                    book.lost(place);
                }
                Who::Gone(_) => self.go_on(book),
            },
            (Step::Look { .. }, Answer::Ok(Body::Teams(page))) => self.looked(book, &page),
            (Step::Look { .. }, Answer::Refused(error)) => self.pass(book, Problem::Refused(error)),
            (Step::Look { .. }, Answer::Unknown(why)) => self.pass(book, Problem::GaveUp(why)),
            (Step::Rename(_), Answer::Ok(_)) => {
                self.attempts += 1;
                book.renames += 1;
                // It counts when it is seen.
                self.step = Step::Read;
            }
            (Step::Rename(rename), Answer::Assumed) => {
                let Rename { to, description, .. } = rename.clone();
                self.compare(book, to, description);
            }
            (Step::Rename(_), Answer::Refused(error)) if error.is_team_missing() => {
                self.attempts += 1;
                self.step = Step::Read;
            }
            (Step::Rename(_), Answer::Refused(error)) => {
                // After the others: one of them may have the name now, and another then.
                let (refusal, first_name) = (Some((error, book.renames)), self.first_name.take());
                let again = Self { refusal, first_name, ..Self::new(self.who.clone()) };
                book.queues.refused.push_back(again);
                self.step = Step::Done;
            }
            (Step::Rename(_), Answer::Unknown(why)) => {
                self.attempts += 1;
                self.failure = Some(why);
                self.step = Step::Read;
            }
            (_, Answer::Refused(error)) => self.give_up(book, Problem::Refused(error)),
            (_, Answer::Unknown(why)) => self.give_up(book, Problem::GaveUp(why)),
            (_, Answer::Ok(_) | Answer::Assumed) => self.give_up(book, Problem::Unconfirmed),
        }
    }

    /// The name the team is to have, now that it is called `name`.
    fn wanted(&self, book: &Book, name: &str) -> Result<String, Problem> {
        let id = match &self.who {
            Who::Group(place) => return book.wanted_name(*place),
            Who::Gone(id) => id,
        };
        let renaming = book.state.group(id).and_then(|entry| entry.renaming.as_ref());
        match renaming.filter(|renaming| renaming.temporary == name) {
            Some(Renaming { to, .. }) => match book.team_of_name(to) {
                Some(group) => Err(Problem::TakenBy(group)),
                None => Ok(to.clone()),
            },
            // Somebody else has named it since.
            None => Ok(name.to_owned()),
        }
    }

    fn compare(&mut self, book: &mut Book, name: String, description: Option<String>) {
        let who = self.who.clone();
        let id = book.id(&who);
        let wanted = self.wanted(book, &name);
        let is_called_so = wanted.as_ref() == Ok(&name);
        let entry = book.state.group(&id);
        let is_ended = entry.is_some_and(|entry| entry.renaming.is_some() && is_called_so);
        if is_ended || entry.is_some_and(|entry| entry.name != name || entry.creating.is_some()) {
            book.change(&id, |entry| {
                entry.name.clone_from(&name);
                entry.creating = None;
                entry.renaming.take_if(|_| is_ended);
            });
        }
        let first = self.first_name.get_or_insert_with(|| name.clone()).clone();
        match wanted {
            Err(problem) => book.problem(&who, problem),
            Ok(_) if is_called_so && first != name => book.note(&who, TeamOutcome::Renamed { from: first }),
            Ok(_) if is_called_so && matches!(who, Who::Gone(_)) => {}
            Ok(_) if is_called_so => book.note(&who, TeamOutcome::Found),
            Ok(_) if self.attempts >= book.config.options.max_attempts => {
                let problem = self.failure.take().map_or(Problem::Unconfirmed, Problem::GaveUp);
                book.problem(&who, problem);
            }
            Ok(wanted) if let Some(refusal) = book.protected_group(&who, &[&name, &wanted], RENAMED) => {
                let team = self.team(book).unwrap_or_default();
                let write = Write::RenameTeam { group: id, team, from: name, to: wanted, description };
                book.guard(write, refusal.clone());
                book.problem(&who, Problem::Guarded(refusal));
            }
            Ok(to) => {
                let rename = Rename { from: name.clone(), to: to.clone(), description };
                let waiting = std::mem::replace(self, Self { step: Step::Done, ..Self::new(who) });
                return book.queues.renames.push(Self { step: Step::Wait(rename), ..waiting }, &name, &to);
            }
        }
        self.go_on(book);
    }

    /// Of the teams that the temporary name was looked for, these are on a page.
    fn looked(&mut self, book: &mut Book, page: &Page<Team>) {
        let Some(team) = self.team(book) else { return };
        let Step::Look { rename, attempt, offset } = &mut self.step else { return };
        let name = temporary(&rename.to, &team, *attempt);
        let other = page.rows.iter().find(|other| other.id != team && is_same(&other.name, &name));
        let is_wanted = || book.groups.iter().any(|group| is_same(group.name(), &name));
        if other.is_some() || is_wanted() {
            if *attempt >= book.config.options.max_attempts {
                let problem = other.map_or(Problem::SameName, |other| Problem::Exists(other.id.clone()));
                return self.pass(book, problem);
            }
            (*attempt, *offset) = (*attempt + 1, 0);
        } else if let Some(next) = page.next {
            *offset = next;
        } else {
            let renaming = Renaming { temporary: name.clone(), to: std::mem::replace(&mut rename.to, name) };
            self.step = Step::Rename(rename.clone());
            let id = book.id(&self.who);
            book.change_now(&id, |entry| entry.renaming = Some(renaming));
        }
    }

    /// The team keeps its name, and the rest is done.
    fn pass(&mut self, book: &mut Book, problem: Problem) {
        book.problem(&self.who, problem);
        self.go_on(book);
    }

    /// On with the members, or with what becomes of the team of a group that is gone.
    fn go_on(&mut self, book: &mut Book) {
        self.step = Step::Done;
        match &self.who {
            Who::Group(_) => {
                let members = Members::new(self.who.clone(), self.team(book));
                book.queues.members.push_back(members);
            }
            Who::Gone(id) => book.queues.retires.push_back(Retire::new(id.clone())),
        }
    }

    fn give_up(&mut self, book: &mut Book, problem: Problem) {
        self.step = Step::Done;
        book.problem(&self.who, problem);
        book.finish(&self.who);
    }
}

const RENAMED: &str = "its team cannot be renamed";
