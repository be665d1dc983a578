//! Who comes into a group and who goes, as the store finds it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::audit::MembersChanged;
use crate::membership;
use crate::value::Value;

/// The members who go and come by a change of a group, noted by the store while it makes it: of a change that
/// replaces all of them, and of a deletion, nobody else knows who they were.
///
/// They are noted by their `value`, as they stand in the group or in the change. A member that stays and has
/// other sub-attributes goes and comes.
///
/// ```
/// use scim_core::store::ChangedMembers;
///
/// let members = ChangedMembers::default();
/// assert_eq!(members.told(), None);
/// members.removed(["babs", "carl"]);
/// members.added(["dora"]);
/// members.removed_more(1_000_000);
///
/// let told = members.told().unwrap();
/// assert_eq!((told.removed.count, told.removed.first.len()), (1_000_002, 2));
/// assert_eq!((told.added.count, &*told.added.first[0]), (1, "dora"));
/// ```
#[derive(Debug, Default)]
pub struct ChangedMembers(Mutex<Option<MembersChanged>>);

impl ChangedMembers {
    /// What is noted so far; `None` if nothing is, not even that nobody went or came.
    pub fn told(&self) -> Option<MembersChanged> {
        self.noted().clone()
    }

    /// Notes members who go. Where they are many, [`MembersChanged::MOST`] are enough to be named, and the others
    /// are [counted](Self::removed_more).
    pub fn removed<'v>(&self, values: impl IntoIterator<Item = &'v str>) {
        let mut noted = self.noted();
        let removed = &mut noted.get_or_insert_default().removed;
        values.into_iter().for_each(|value| removed.push(value));
    }

    /// Notes how many more go.
    pub fn removed_more(&self, count: usize) {
        self.noted().get_or_insert_default().removed.count += count;
    }

    /// Notes members who come.
    pub fn added<'v>(&self, values: impl IntoIterator<Item = &'v str>) {
        let mut noted = self.noted();
        let added = &mut noted.get_or_insert_default().added;
        values.into_iter().for_each(|value| added.push(value));
    }

    /// Notes what differs between the `members` as they were and as they are: for a store that has both, or of
    /// a deleted group those it had.
    pub fn difference(&self, before: Option<&Value>, after: Option<&Value>) {
        let (was, is) = (by_id(before), by_id(after));
        self.removed(ids_apart(before, &is));
        self.added(ids_apart(after, &was));
    }

    pub(super) fn begin_again(&self) {
        *self.noted() = None;
    }

    fn noted(&self) -> MutexGuard<'_, Option<MembersChanged>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn by_id(members: Option<&Value>) -> HashMap<&str, &Value> {
    let members = members.map(Value::values).unwrap_or_default().iter();
    members.filter_map(|member| Some((membership::member_id(member)?, member))).collect()
}

/// The ids of those `members` that `others` have not, or not as they are.
fn ids_apart<'v>(
    members: Option<&'v Value>,
    others: &HashMap<&str, &Value>,
) -> impl Iterator<Item = &'v str> {
    let apart = |member| {
        let id = membership::member_id(member)?;
        (others.get(id) != Some(&member)).then_some(id)
    };
    members.map(Value::values).unwrap_or_default().iter().filter_map(apart)
}
