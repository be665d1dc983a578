//! Which groups have a member.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use scim_filter::compare;

use super::stored::Row;
use crate::membership::{MEMBERS, member_id, member_value};
use crate::patch::Change;
use crate::schema::{Attribute, ResourceSchema};

/// The groups of a table by their members. A member that comes or goes is one step, however many
/// members and groups there are.
#[derive(Default)]
pub(super) struct Groups(HashMap<Box<str>, Numbers>);

/// The rows of the groups that have one member, in the order of creation.
enum Numbers {
    /// Most members are in few groups, and many in one.
    One(u64),
    // INVARIANT: not empty.
    Several(BTreeSet<u64>),
}

impl Groups {
    fn insert(&mut self, key: Cow<'_, str>, number: u64) {
        match self.0.get_mut(key.as_ref()) {
            None => {
                self.0.insert(key.into(), Numbers::One(number));
            }
            Some(Numbers::Several(numbers)) => {
                numbers.insert(number);
            }
            Some(Numbers::One(one)) if *one == number => {}
            Some(numbers @ Numbers::One(_)) => {
                let one = std::mem::replace(numbers, Numbers::Several([number].into()));
                if let (Numbers::One(one), Numbers::Several(several)) = (one, numbers) {
                    several.insert(one);
                }
            }
        }
    }

    fn remove(&mut self, key: &str, number: u64) {
        let gone = match self.0.get_mut(key) {
            None => false,
            Some(Numbers::One(one)) => *one == number,
            Some(Numbers::Several(numbers)) => numbers.remove(&number) && numbers.is_empty(),
        };
        if gone {
            self.0.remove(key);
        }
    }

    /// The group `number` has the members of `row`.
    pub(super) fn know(&mut self, schema: &ResourceSchema, number: u64, row: &Row) {
        if let Some(value) = member_value(schema) {
            row.member_ids().for_each(|id| self.insert(key(value, id), number));
        }
    }

    /// The group `number` has the members of `former` no more.
    pub(super) fn forget(&mut self, schema: &ResourceSchema, number: u64, former: &Row) {
        if let Some(value) = member_value(schema) {
            for id in former.member_ids() {
                self.remove(&key(value, id), number);
            }
        }
    }

    /// Makes the change of the group `number`, if it says which members come and go.
    pub(super) fn follow(&mut self, schema: &ResourceSchema, number: u64, change: &Change) -> bool {
        let is_members = |name: &str| name.eq_ignore_ascii_case(MEMBERS);
        let Some(value) = member_value(schema) else { return true };
        let deltas = || change.deltas.iter().filter(|delta| is_members(&delta.attribute));
        let mut writes = change.writes.iter().filter(|write| write.extension.is_none());
        if writes.any(|write| is_members(&write.attribute)) || deltas().any(|delta| delta.replace) {
            return false;
        }
        for delta in deltas() {
            for id in &delta.removed {
                self.remove(&key(value, id), number);
            }
            delta.added.iter().filter_map(member_id).for_each(|id| self.insert(key(value, id), number));
        }
        true
    }

    /// The groups that have the member, in the order of creation; `None` where there are no groups.
    pub(super) fn with(&self, schema: &ResourceSchema, id: &str) -> Option<Vec<u64>> {
        let numbers = self.0.get(key(member_value(schema)?, id).as_ref());
        Some(numbers.map(Numbers::to_vec).unwrap_or_default())
    }

    /// Whether any group has the member.
    pub(super) fn have(&self, schema: &ResourceSchema, id: &str) -> bool {
        !self.0.is_empty()
            && member_value(schema).is_some_and(|value| self.0.contains_key(key(value, id).as_ref()))
    }

    /// The key of the member, if the group `number` has it.
    pub(super) fn has<'t>(&self, schema: &ResourceSchema, id: &'t str, number: u64) -> Option<Cow<'t, str>> {
        let key = key(member_value(schema)?, id);
        let has = match self.0.get(key.as_ref())? {
            Numbers::One(one) => *one == number,
            Numbers::Several(numbers) => numbers.contains(&number),
        };
        has.then_some(key)
    }

    /// The groups that have the member, which they have no more.
    pub(super) fn take(&mut self, schema: &ResourceSchema, id: &str) -> Vec<u64> {
        let Some(value) = member_value(schema) else { return Vec::new() };
        let numbers = self.0.remove(key(value, id).as_ref());
        numbers.as_ref().map(Numbers::to_vec).unwrap_or_default()
    }
}

impl Numbers {
    fn to_vec(&self) -> Vec<u64> {
        match self {
            Self::One(number) => vec![*number],
            Self::Several(numbers) => numbers.iter().copied().collect(),
        }
    }
}

/// The text of a member as the index has it.
fn key<'t>(value: &Attribute, id: &'t str) -> Cow<'t, str> {
    if value.case_exact { id.into() } else { compare::fold(id) }
}
