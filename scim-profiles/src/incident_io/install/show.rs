//! A preview as a table and as JSON.

use std::fmt;

use scim_core::{Object, Value};

use super::{Action, Preview, Row};
use crate::incident_io::workspace::Standing;
use crate::table;

/// How often each thing happens, and the seats before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Users who are created.
    pub created: usize,
    /// Users who are linked by their e-mail address.
    pub linked: usize,
    /// Users who get more.
    pub upgraded: usize,
    /// Users who get less, among them all whose base role becomes lower.
    pub downgraded: usize,
    /// Users who get something else, and no lower base role.
    pub changed: usize,
    /// Users who are deactivated.
    pub deactivated: usize,
    /// Users who are activated again.
    pub reactivated: usize,
    /// Users who stay as they are because nobody in the directory has their address.
    pub unlinked: usize,
    /// Users to whom nothing happens otherwise.
    pub unchanged: usize,
    /// Responders' seats of active users, before and after.
    pub responder_seats: (usize, usize),
    /// On-call seats of active users, before and after.
    pub on_call_seats: (usize, usize),
}

impl Preview<'_> {
    /// The preview in numbers.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for row in self.rows() {
            let actions = row.actions();
            for action in &actions {
                match action {
                    Action::Create => summary.created += 1,
                    Action::Link => summary.linked += 1,
                    Action::Upgrade => summary.upgraded += 1,
                    Action::Downgrade => summary.downgraded += 1,
                    Action::Change => summary.changed += 1,
                    Action::Deactivate => summary.deactivated += 1,
                    Action::Reactivate => summary.reactivated += 1,
                    Action::LeaveUnlinked => summary.unlinked += 1,
                    Action::StayBySlack | Action::ManageSeat | Action::ReleaseSeat => {}
                }
            }
            if !row.is_change() && !actions.contains(&Action::LeaveUnlinked) {
                summary.unchanged += 1;
            }
            if let Some(user) = row.user {
                count(&user.standing, &mut summary.responder_seats.0, &mut summary.on_call_seats.0);
            }
            count(&row.to, &mut summary.responder_seats.1, &mut summary.on_call_seats.1);
        }
        summary
    }

    /// The preview as JSON: `summary`, `problems`, and under `users` everybody to whom something
    /// happens or who is left as they are though the directory does not have them, each with
    /// `email`, `user` and `person` (their ids), `actions`, `from` and `to`.
    pub fn to_value(&self) -> Value {
        let texts = |texts: Vec<String>| texts.into_iter().map(Value::from).collect::<Vec<_>>();
        let mut preview = Object::new();
        preview.insert("summary", self.summary().to_value());
        preview.insert("problems", texts(self.problems().iter().map(ToString::to_string).collect()));
        preview.insert("users", self.shown().map(Row::to_value).collect::<Vec<_>>());
        Value::Object(preview)
    }

    fn shown(&self) -> impl Iterator<Item = &Row<'_>> {
        self.rows().iter().filter(|row| row.is_change() || !row.actions().is_empty())
    }
}

fn count(standing: &Standing, responders: &mut usize, on_call: &mut usize) {
    if standing.active {
        *responders += usize::from(standing.seats.response);
        *on_call += usize::from(standing.seats.on_call.is_held());
    }
}

impl Summary {
    fn counts(&self) -> [(&'static str, usize); 9] {
        [
            ("created", self.created),
            ("linked", self.linked),
            ("upgraded", self.upgraded),
            ("downgraded", self.downgraded),
            ("changed", self.changed),
            ("deactivated", self.deactivated),
            ("reactivated", self.reactivated),
            ("unlinked", self.unlinked),
            ("unchanged", self.unchanged),
        ]
    }

    /// The numbers as a JSON object.
    pub fn to_value(&self) -> Value {
        let mut summary = Object::new();
        for (name, number) in self.counts() {
            summary.insert(name, whole(number));
        }
        for (name, (before, after)) in
            [("responderSeats", self.responder_seats), ("onCallSeats", self.on_call_seats)]
        {
            let mut seats = Object::new();
            seats.insert("before", whole(before));
            seats.insert("after", whole(after));
            summary.insert(name, seats);
        }
        Value::Object(summary)
    }
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted: Vec<String> = self
            .counts()
            .into_iter()
            .filter(|(_, number)| *number > 0)
            .map(|(name, number)| format!("{number} {name}"))
            .collect();
        writeln!(f, "{}", if counted.is_empty() { "no users".to_owned() } else { counted.join(", ") })?;
        let ((responder, responders), (on_call, on_calls)) = (self.responder_seats, self.on_call_seats);
        write!(f, "paid seats: responder {responder} -> {responders}, on-call {on_call} -> {on_calls}")
    }
}

impl Row<'_> {
    fn to_value(&self) -> Value {
        let mut row = Object::new();
        row.insert("email", self.email());
        if let Some(user) = self.user {
            row.insert("user", user.id.as_str());
        }
        if let Some(person) = self.person {
            row.insert("person", person.id.as_str());
        }
        let actions = self.actions().into_iter().map(|action| Value::from(action.as_str()));
        row.insert("actions", actions.collect::<Vec<_>>());
        if let Some(user) = self.user {
            row.insert("from", user.standing.to_value());
        }
        row.insert("to", self.to.to_value());
        Value::Object(row)
    }

    fn cells(&self) -> [String; 5] {
        let from = self.user.map(|user| &user.standing);
        let actions: Vec<_> = self.actions().into_iter().map(Action::as_str).collect();
        // Nothing of what happens says it where somebody is deactivated and stays so.
        let stays =
            if from.is_some_and(|from| !from.active) && !self.to.active { " (deactivated)" } else { "" };
        let without_email = self.person.filter(|person| person.email.is_empty());
        [
            match without_email {
                Some(person) => format!("(id {})", person.id.escape_debug()),
                None => self.email().escape_debug().to_string(),
            },
            actions.join(", ") + stays,
            arrow(from.map(|from| from.base_role.to_string()), self.to.base_role.to_string()),
            arrow(from.map(roles), roles(&self.to)),
            arrow(from.map(|from| from.seats.to_string()), self.to.seats.to_string()),
        ]
    }
}

/// `from -> to`, or `to` alone where nothing changes or nothing was there.
fn arrow(from: Option<String>, to: String) -> String {
    match from {
        Some(from) if from != to => format!("{from} -> {to}"),
        _ => to,
    }
}

fn roles(standing: &Standing) -> String {
    let names: Vec<_> = standing.custom_roles.iter().map(|role| role.escape_debug().to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(" + ") }
}

impl Standing {
    /// The standing as a JSON object.
    pub fn to_value(&self) -> Value {
        let mut seats = Object::new();
        seats.insert("response", self.seats.response);
        seats.insert("onCall", self.seats.on_call.as_str());
        let mut standing = Object::new();
        standing.insert("active", self.active);
        standing.insert("baseRole", self.base_role.as_str());
        let custom_roles = self.custom_roles.iter().map(|role| Value::from(&**role));
        standing.insert("customRoles", custom_roles.collect::<Vec<_>>());
        standing.insert("seats", seats);
        Value::Object(standing)
    }
}

/// A table of those to whom something happens and of those who are left unlinked, then what is
/// probably not meant so, then the numbers.
impl fmt::Display for Preview<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["E-MAIL", "ACTIONS", "BASE ROLE", "CUSTOM ROLES", "SEATS"].map(str::to_owned)];
        rows.extend(self.shown().map(Row::cells));
        if rows.len() > 1 {
            table::write(f, &rows)?;
            writeln!(f)?;
        }
        for problem in self.problems() {
            writeln!(f, "warning: {problem}")?;
        }
        write!(f, "{}", self.summary())
    }
}
