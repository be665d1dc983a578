//! What a client is told that a guard refuses.

use std::fmt;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use scim_core::Error;
use scim_core::store::StoreError;

use super::ceiling::{Ceiling, Exceeded};
use super::{Guard, Remedy};

/// The refusal of a change that is over a ceiling.
pub(super) fn exceeded(guard: Guard, ceiling: &Ceiling, exceeded: &Exceeded, remedy: &Remedy) -> StoreError {
    refuse(guard, exceeded_text(guard, ceiling, exceeded, remedy))
}

/// What is said of a change that is over a ceiling.
pub(super) fn exceeded_text(guard: Guard, ceiling: &Ceiling, exceeded: &Exceeded, remedy: &Remedy) -> String {
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
         {}, and otherwise {otherwise} ({guard})",
        remedy.ceilings
    )
}

/// The refusal of a change of what is protected.
pub(super) fn protected(guard: Guard, done: impl fmt::Display, remedy: &Remedy) -> StoreError {
    refuse(guard, protected_text(guard, done, remedy))
}

/// What is said of a change of what is protected.
pub(super) fn protected_text(guard: Guard, done: impl fmt::Display, remedy: &Remedy) -> String {
    format!("{} is protected: {done}; {} ({guard})", guard.whom(), remedy.protection)
}

/// 403 without keyword: none of RFC 7644 table 9 says this, and each of them has another status.
///
/// A guard wants a person to look. 429 and 503 would have the client send the same again until the
/// window has room for it, one change after the other; 409 would have it look for another resource to
/// match, and 400 blames the request, which was well-formed. A 403 ends the attempt, and stands in the
/// list of failures that an administrator sees.
fn refuse(guard: Guard, detail: String) -> StoreError {
    StoreError::Refused(Error::new(StatusCode::FORBIDDEN, detail).with_rule(guard.name()))
}

/// A moment in whole seconds, not earlier than it is.
fn seconds(time: Timestamp) -> Timestamp {
    let up = time.checked_add(SignedDuration::from_nanos(999_999_999)).unwrap_or(time);
    Timestamp::from_second(up.as_second()).unwrap_or(time)
}
