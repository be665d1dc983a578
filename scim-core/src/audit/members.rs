//! The members who went and came by a change, as its record tells them.

use std::borrow::Cow;
use std::collections::HashSet;

use scim_filter::compare::fold;

use super::change::AttributeChange;
use super::redact::is_secret;
use super::{Changed, Record};
use crate::membership::{self, MEMBERS};
use crate::patch::keyed;
use crate::schema::ResourceSchema;

/// The members who went and came by a change of a group, or with its deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MembersChanged {
    /// Those who went, and those who stayed with other sub-attributes, as they were.
    pub removed: MembersNamed,
    /// Those who came, and those who stayed with other sub-attributes, as they are.
    pub added: MembersNamed,
}

/// Members, of whom not all may be named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MembersNamed {
    /// How many there are.
    pub count: usize,
    /// The `value`s of the first of them: at most [`MembersChanged::MOST`].
    pub first: Vec<Box<str>>,
}

impl MembersChanged {
    /// The most members that are named of those who went, and of those who came.
    pub const MOST: usize = 1000;
}

impl MembersNamed {
    /// One more.
    pub(crate) fn push(&mut self, value: &str) {
        self.count += 1;
        if self.first.len() < MembersChanged::MOST {
            self.first.push(value.into());
        }
    }

    fn are_all(&self) -> bool {
        self.first.len() == self.count
    }
}

/// Whether records name the members of such groups: not where their `value` is a secret, nor where they are a
/// value as any other.
pub(crate) fn names_members(schema: &ResourceSchema) -> bool {
    let members = schema.find(None, MEMBERS).filter(|members| keyed(members) && !is_secret(members, MEMBERS));
    let value = members.and_then(|members| members.sub_attribute("value"));
    value.is_some_and(|value| !is_secret(value, "value"))
}

impl Record {
    /// Says of `members` what became different, where it says by now what was asked for.
    pub(super) fn tell_members(&mut self, told: MembersChanged) {
        let place = self
            .changes
            .iter()
            .position(|change| change.extension.is_none() && change.attribute.eq_ignore_ascii_case(MEMBERS));
        let nobody = told.removed.count == 0 && told.added.count == 0;
        match place.and_then(|place| self.changes.get_mut(place)) {
            Some(change) => change.tell_members(told),
            // Of a deletion, which names none of them.
            None if !nobody => self.changes.push(AttributeChange {
                extension: None,
                attribute: MEMBERS.into(),
                changed: Changed::Elements {
                    replaced: false,
                    removed: told.removed.first,
                    removed_count: told.removed.count,
                    added: Vec::new(),
                    added_count: told.added.count,
                },
                redacted: false,
            }),
            None => {}
        }
        if let Some(place) = place.filter(|_| nobody) {
            self.changes.remove(place);
        }
    }
}

impl AttributeChange {
    fn tell_members(&mut self, told: MembersChanged) {
        let Changed::Elements { replaced, removed, removed_count, added, added_count } = &mut self.changed
        else {
            return;
        };
        if told.removed.are_all() || *replaced {
            *removed = told.removed.first;
        }
        if told.added.are_all() {
            // As a group may hold them in another case than the request.
            let came: HashSet<Cow<'_, str>> = told.added.first.iter().map(|id| fold(id)).collect();
            added.retain(|member| membership::member_id(member).is_none_or(|id| came.contains(&fold(id))));
        }
        *replaced = false;
        (*removed_count, *added_count) = (told.removed.count, told.added.count);
    }
}
