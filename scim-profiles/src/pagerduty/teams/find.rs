//! A team that is not known: found by its name, or created.

use std::collections::BTreeMap;

use super::answer::{ApiError, Body, Page, Team};
use super::book::{Answer, Book, Turn, Who};
use super::check::Check;
use super::config::{Adoption, Deletion};
use super::members::Members;
use super::plan::Write;
use super::report::{Problem, TeamOutcome};
use super::retire::Retire;
use super::state::{GroupState, Origin};
use super::wire::{Call, is_listed};

/// Finds the one team that is called as a group is, or creates it.
///
/// For a group that is gone it only looks for a team whose creation was begun.
#[derive(Debug)]
pub(super) struct Find {
    who: Who,
    step: Step,
    offset: usize,
    /// The teams with exactly the name, by id, with their descriptions.
    found: BTreeMap<String, Option<String>>,
    attempts: u32,
    /// The name under which a creation was begun: the group may have another now.
    begun_as: Option<String>,
    /// Why the team was not created, while it is looked at whether it was.
    refused: Option<ApiError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Search,
    Create,
    Done,
}

impl Find {
    pub(super) fn new(book: &Book, who: Who) -> Self {
        let entry = book.state.group(&book.id(&who));
        let begun_as = entry.filter(|entry| entry.creating.is_some()).map(|entry| entry.name.clone());
        Self {
            who,
            step: Step::Search,
            offset: 0,
            found: BTreeMap::new(),
            attempts: 0,
            begun_as,
            refused: None,
        }
    }

    fn name(&self, book: &Book) -> Result<String, Problem> {
        match (&self.begun_as, &self.who) {
            (Some(name), _) => Ok(name.clone()),
            (None, Who::Group(place)) if book.is_name_shared(*place) => Err(Problem::SameName),
            (None, Who::Group(place)) => book.wanted_name(*place),
            // INVARIANT: for a group that is gone nothing else is looked for than what was begun.
            (None, Who::Gone(_)) => Ok(String::new()),
        }
    }

    pub(super) fn turn(&mut self, book: &mut Book) -> Turn {
        let name = match self.name(book) {
            Ok(name) => name,
            Err(problem) => {
                self.give_up(book, problem);
                return Turn::Done;
            }
        };
        match self.step {
            Step::Search if !is_listed(self.offset) => {
                self.give_up(book, Problem::TooMany("teams"));
                Turn::Done
            }
            Step::Search => Turn::Call(Call::Teams { name, offset: self.offset }),
            Step::Create => {
                let group = book.id(&self.who);
                let description = book.config.description().to_owned();
                let begun = book.state.group(&group).map(|entry| (&entry.name, &entry.creating));
                if begun != Some((&name, &Some(description.clone()))) {
                    let (name, creating) = (name.clone(), Some(description.clone()));
                    book.give(&group, GroupState { name, creating, ..GroupState::default() });
                }
                Turn::Call(Call::Write(Write::CreateTeam { group, name, description }))
            }
            Step::Done => Turn::Done,
        }
    }

    pub(super) fn answer(&mut self, book: &mut Book, answer: Answer) {
        match (self.step, answer) {
            (Step::Search, Answer::Ok(Body::Teams(page))) => self.read(book, page),
            (Step::Create, Answer::Ok(Body::Team(team))) => self.created(book, team.id),
            (Step::Create, Answer::Assumed) => {
                book.note(&self.who, TeamOutcome::Created);
                self.step = Step::Done;
                book.queues.members.push_back(Members::new(self.who.clone(), None));
            }
            (Step::Create, Answer::Unknown(why)) => {
                self.attempts += 1;
                if self.attempts >= book.config.options.max_attempts {
                    self.give_up(book, Problem::GaveUp(why));
                } else {
                    // It may be there.
                    self.search();
                }
            }
            // A request that arrives twice creates the team, and is refused since its name is taken.
            (Step::Create, Answer::Refused(error)) if error.status == 400 && self.refused.is_none() => {
                self.refused = Some(error);
                self.search();
            }
            (Step::Create, Answer::Refused(error)) => self.not_created(book, error),
            (_, Answer::Refused(error)) => self.give_up(book, Problem::Refused(error)),
            (_, Answer::Unknown(why)) => self.give_up(book, Problem::GaveUp(why)),
            (_, Answer::Ok(_) | Answer::Assumed) => self.give_up(book, Problem::Unconfirmed),
        }
    }

    fn search(&mut self) {
        self.step = Step::Search;
        self.offset = 0;
        self.found.clear();
    }

    fn not_created(&mut self, book: &mut Book, error: ApiError) {
        let id = book.id(&self.who);
        book.change(&id, |entry| entry.creating = None);
        self.give_up(book, Problem::Refused(error));
    }

    fn read(&mut self, book: &mut Book, page: Page<Team>) {
        let name = self.name(book).unwrap_or_default();
        let named =
            page.rows.into_iter().filter(|team| team.name == name && !book.is_renamed(&team.id, &name));
        self.found.extend(named.map(|team| (team.id, team.description)));
        match page.next {
            Some(next) => self.offset = next,
            None => self.decide(book),
        }
    }

    fn decide(&mut self, book: &mut Book) {
        let found = std::mem::take(&mut self.found);
        let id = book.id(&self.who);
        let begun = book.state.group(&id).and_then(|entry| entry.creating.clone());
        // No team had the name when a creation was begun: what has it now, and the description, came of it.
        let description = |team: &Option<String>| team.clone().unwrap_or_default();
        let ours: Vec<String> = found
            .iter()
            .filter(|(_, text)| begun.as_ref() == Some(&description(text)))
            .map(|(team, _)| team.clone())
            .filter(|team| book.owner(team).is_none())
            .collect();
        if let Some((first, others)) = ours.split_first() {
            if !others.is_empty() {
                book.problem(&self.who, Problem::Duplicates(others.to_vec()));
            }
            return self.created(book, first.clone());
        }
        let Who::Group(place) = self.who else {
            // Nothing came of it.
            book.forget(&id);
            book.note(&self.who, TeamOutcome::AlreadyGone);
            return self.done(book);
        };
        if self.begun_as.take().is_some_and(|name| book.wanted_name(place).as_ref() != Ok(&name)) {
            // Nothing came of it, and the group has another name now.
            book.change(&id, |entry| entry.creating = None);
            self.offset = 0;
            return;
        }
        if let Some((team, text)) = found.first_key_value()
            && found.len() == 1
            && book.owner(team).is_none()
            && let Some(gone) = book.begun(&self.name(book).unwrap_or_default(), &description(text))
        {
            let team = team.clone();
            self.created(book, team);
            book.forget(&gone);
            return book.finish(&Who::Gone(gone));
        }
        let mut teams = found.into_keys();
        match (teams.next(), teams.next()) {
            (None, _) => match self.refused.take() {
                Some(error) => self.not_created(book, error),
                None => self.step = Step::Create,
            },
            (Some(team), None) => match book.owner(&team) {
                // PagerDuty says so, and has said that it is not there.
                Some(owner) if owner == id => self.on(book, team),
                Some(owner) if book.place(&owner).is_some() => self.give_up(book, Problem::TakenBy(owner)),
                Some(owner) => self.take_over(book, place, team, owner),
                None if book.config.options.adoption == Adoption::Adopt => {
                    book.note(&self.who, TeamOutcome::Adopted);
                    self.take(book, team, Origin::Adopted);
                }
                None => self.give_up(book, Problem::Exists(team)),
            },
            (Some(first), Some(second)) => {
                let all = [first, second].into_iter().chain(teams).collect();
                self.give_up(book, Problem::Ambiguous(all));
            }
        }
    }

    fn created(&mut self, book: &mut Book, team: String) {
        if matches!(self.who, Who::Group(_)) {
            book.note(&self.who, TeamOutcome::Created);
        }
        self.take(book, team, Origin::Created);
    }

    /// The team is the group's from now on.
    fn take(&mut self, book: &mut Book, team: String, origin: Origin) {
        let name = self.name(book).unwrap_or_default();
        let id = book.id(&self.who);
        let entry = GroupState { name, team: Some(team.clone()), origin, ..GroupState::default() };
        book.give(&id, entry);
        self.on(book, team);
    }

    /// The team of a group that is gone is that of a group with the same name from now on: it was made
    /// anew in the identity provider.
    fn take_over(&mut self, book: &mut Book, place: usize, team: String, from: String) {
        let mut entry = book.state.group(&from).cloned().unwrap_or_default();
        entry.creating = None;
        entry.renaming = None;
        entry.name = book.wanted_name(place).unwrap_or_default();
        if book.config.options.deletion == Deletion::Keep {
            // Who was on it then stays.
            entry.members.clear();
            entry.former.clear();
        }
        book.note(&self.who, TeamOutcome::TakenOver { from: from.clone() });
        let id = book.id(&self.who);
        // First the new row: were the other one gone alone, nothing would be known of the team.
        book.give(&id, entry);
        book.forget(&from);
        book.finish(&Who::Gone(from));
        self.on(book, team);
    }

    fn on(&mut self, book: &mut Book, team: String) {
        self.step = Step::Done;
        match &self.who {
            // By way of its name, if it was begun with another.
            Who::Group(_) if self.begun_as.is_some() => {
                book.queues.checks.push_back(Check::new(self.who.clone()));
            }
            Who::Group(_) => book.queues.members.push_back(Members::new(self.who.clone(), Some(team))),
            Who::Gone(id) => book.queues.retires.push_back(Retire::new(id.clone())),
        }
    }

    fn give_up(&mut self, book: &mut Book, problem: Problem) {
        book.problem(&self.who, problem);
        self.done(book);
    }

    fn done(&mut self, book: &mut Book) {
        self.step = Step::Done;
        book.finish(&self.who);
    }
}
