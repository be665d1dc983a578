//! Which groups have a member.

use std::borrow::Cow;
use std::collections::BTreeSet;

use scim_filter::compare;

use super::stored::Row;
use crate::membership::{MEMBERS, member_id, member_value};
use crate::patch::Change;
use crate::schema::{Attribute, ResourceSchema};

/// The groups of a table by their members: pairs of a member's key and the row of a group.
#[derive(Default)]
pub(super) struct Groups(BTreeSet<(Box<str>, u64)>);

impl Groups {
    /// The group `number` has the members of `row`.
    pub(super) fn know(&mut self, schema: &ResourceSchema, number: u64, row: &Row) {
        if let Some(value) = member_value(schema) {
            self.0.extend(row.member_ids().map(|id| (key(value, id).into(), number)));
        }
    }

    /// The group `number` has the members of `former` no more.
    pub(super) fn forget(&mut self, schema: &ResourceSchema, number: u64, former: &Row) {
        if let Some(value) = member_value(schema) {
            for id in former.member_ids() {
                self.0.remove(&(key(value, id).into(), number));
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
                self.0.remove(&(key(value, id).into(), number));
            }
            let added = delta.added.iter().filter_map(member_id);
            self.0.extend(added.map(|id| (key(value, id).into(), number)));
        }
        true
    }

    /// The groups that have the member, in the order of creation; `None` where there are no groups.
    pub(super) fn with(&self, schema: &ResourceSchema, id: &str) -> Option<Vec<u64>> {
        let key: Box<str> = key(member_value(schema)?, id).into();
        let pairs = self.0.range((key.clone(), 0)..=(key, u64::MAX));
        Some(pairs.map(|(_, number)| *number).collect())
    }

    /// The groups that have the member, which they have no more.
    pub(super) fn take(&mut self, schema: &ResourceSchema, id: &str) -> Vec<u64> {
        let groups = self.with(schema, id).unwrap_or_default();
        if let Some(value) = member_value(schema) {
            for number in &groups {
                self.0.remove(&(key(value, id).into(), *number));
            }
        }
        groups
    }
}

/// The text of a member as the index has it.
fn key<'t>(value: &Attribute, id: &'t str) -> Cow<'t, str> {
    if value.case_exact { id.into() } else { compare::fold(id) }
}
