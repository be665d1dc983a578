//! What a client is told that a guard refuses.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use scim_core::Error;

use super::Guard;
use super::ceiling::{Ceiling, Exceeded};

/// What is not permitted at all.
#[derive(Debug)]
pub(crate) struct Forbidden {
    pub(crate) guard: Guard,
    pub(crate) subject: Subject,
    /// What it cannot be, or what cannot become of it.
    pub(crate) why: &'static str,
}

/// Whom or what it is about: the first one, and how many more.
#[derive(Debug)]
pub(crate) struct Subject(String);

impl Subject {
    /// The user who is called so.
    pub(crate) fn user(name: &str) -> Self {
        Self(format!("the user `{}`", name.escape_debug()))
    }

    /// The role of the user who is called so.
    pub(crate) fn role(role: &str, name: &str) -> Self {
        Self(format!("the role `{}` of the user `{}`", role.escape_debug(), name.escape_debug()))
    }

    /// The group that is called so.
    pub(crate) fn group(name: &str) -> Self {
        Self(format!("the group `{}`", name.escape_debug()))
    }

    /// The same, and so many users besides, each or a role of each.
    pub(crate) fn and(self, more: usize, of_each: &str) -> Self {
        match more {
            0 => self,
            1 => Self(format!("{} (and {of_each}1 more user)", self.0)),
            more => Self(format!("{} (and {of_each}{more} more users)", self.0)),
        }
    }
}

/// The refusal of a change that is over a ceiling.
pub(super) fn exceeded(guard: Guard, ceiling: &Ceiling, exceeded: &Exceeded, remedy: &str) -> Error {
    refuse(guard, exceeded_text(guard, ceiling, exceeded, remedy))
}

/// What is said of a change that is over a ceiling.
pub(super) fn exceeded_text(guard: Guard, ceiling: &Ceiling, exceeded: &Exceeded, remedy: &str) -> String {
    let Exceeded { most, would_be, population, free_at } = exceeded;
    let window = ceiling.window();
    let what = guard.what(*most);
    let share = match (ceiling.share(), population) {
        (Some(share), Some(population)) => {
            format!(", which is {} % of {population} {}", share.percent(), guard.whom())
        }
        _ => String::new(),
    };
    let otherwise = match free_at {
        Some(free_at) => format!("this is permitted not before {}", seconds(*free_at)),
        None => "time alone is no help, since this is more than that by itself".to_owned(),
    };
    format!(
        "no more than {most} {what} within {window:#}{share}, and with this there would be {would_be}; \
         {remedy}, and otherwise {otherwise} ({guard})"
    )
}

/// The refusal of a change of what is protected.
pub(super) fn protected(forbidden: &Forbidden, remedy: &str) -> Error {
    let error = refuse(forbidden.guard, protected_text(forbidden, remedy));
    error.with_subject(forbidden.subject.0.as_str())
}

/// What is said of a change of what is protected.
pub(super) fn protected_text(forbidden: &Forbidden, remedy: &str) -> String {
    let Forbidden { guard, subject: Subject(subject), why } = forbidden;
    format!("{subject} is protected: {why}; {remedy} ({guard})")
}

/// 403 without keyword: none of RFC 7644 table 9 says this, and each of them has another status.
///
/// A guard wants a person to look. 429 and 503 would have the client send the same again until the
/// window has room for it, one change after the other; 409 would have it look for another resource to
/// match, and 400 blames the request, which was well-formed. A 403 ends the attempt, and stands in the
/// list of failures that an administrator sees.
fn refuse(guard: Guard, detail: String) -> Error {
    Error::new(StatusCode::FORBIDDEN, detail).with_rule(guard.name())
}

/// A moment in whole seconds, not earlier than it is.
fn seconds(time: Timestamp) -> Timestamp {
    let up = time.checked_add(SignedDuration::from_nanos(999_999_999)).unwrap_or(time);
    Timestamp::from_second(up.as_second()).unwrap_or(time)
}
