//! One attribute while operations run on it.

use scim_filter::AttrName;

use super::at::At;
use super::element::Forbidden;
use super::fold::Fold;
use super::values::{Values, restore};
use super::{Delta, Write};
use crate::schema::{Attribute, Mutability};
use crate::value::{Object, Value};

/// One attribute while operations run on it.
pub(super) struct Slot<'r> {
    pub(super) extension: Option<AttrName>,
    pub(super) attribute: &'r Attribute,
    pub(super) before: Option<&'r Value>,
    /// The operation that touched it last, for error details.
    pub(super) at: &'r At,
    pub(super) state: State<'r>,
}

/// What an attribute holds while operations run on it.
pub(super) enum State<'r> {
    /// One value or none.
    Single(Option<Value>),
    /// Several values.
    Many(Values<'r>),
    /// Several values that are not looked at.
    Keyed(Fold<'r>),
}

/// What became of an attribute.
pub(super) enum Outcome {
    Same,
    Write(Write),
    Delta(Delta),
}

impl<'r> Slot<'r> {
    /// What became of the attribute.
    pub(super) fn finish(self) -> Result<Outcome, Forbidden> {
        let Self { extension, attribute, before, state, .. } = self;
        let before = before.filter(|value| !value.is_unassigned());
        let now = match state {
            State::Keyed(fold) => {
                let there = before.and_then(Value::as_array);
                return Ok(fold.finish(there).map_or(Outcome::Same, Outcome::Delta));
            }
            State::Many(values) if values.is_keyed() => {
                return Ok(values.finish_keyed().map_or(Outcome::Same, Outcome::Delta));
            }
            State::Many(values) => Some(Value::Array(values.finish()?)).filter(|now| !now.is_unassigned()),
            State::Single(now) => now.map(|now| single(attribute, before, now)).transpose()?,
        };
        if now.as_ref() == before {
            return Ok(Outcome::Same);
        }
        if attribute.mutability == Mutability::Immutable && before.is_some() {
            return Err(Forbidden::whole("is immutable and has a value"));
        }
        Ok(Outcome::Write(Write {
            extension: extension.map(|uri| uri.as_str().into()),
            attribute: attribute.name.as_str().into(),
            value: now,
        }))
    }
}

/// A single value as it may be stored: what of a complex one is readOnly or immutable is as before.
fn single(attribute: &Attribute, before: Option<&Value>, now: Value) -> Result<Value, Forbidden> {
    let mut now = match now {
        Value::Object(now) => now,
        now => return Ok(now),
    };
    let nothing = Object::new();
    let before = before.and_then(Value::as_object).unwrap_or(&nothing);
    for sub in &attribute.sub_attributes {
        restore(sub, before, &mut now)?;
    }
    Ok(Value::Object(now))
}
