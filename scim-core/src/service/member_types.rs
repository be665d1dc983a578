//! `type` of members: the resource type of what they are (RFC 7643 §4.2), as it is found when they are added.
//!
//! What a client says of it is what an administrator wrote into a template, or nothing; so it counts only where members
//! are not checked, and is the name of a type. It is asked of what a request adds: who is a member already keeps the
//! type.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::write::KEYED;
use crate::membership::{TYPE, drop_reference, member_id, member_type, members_of};
use crate::patch::Change;
use crate::schema::ResourceSchema;
use crate::store::{Scope, Store, StoreError};
use crate::value::{Object, Value};
use crate::{Resource, ResourceId};

/// The members of a request that are not there as they are.
pub(super) struct NewMembers<'m> {
    members: Vec<&'m mut Object>,
    // Their ids, in the same order.
    ids: Vec<ResourceId>,
    // Those among them who are members already, of another type.
    there: HashSet<ResourceId>,
    has_types: bool,
}

impl<'m> NewMembers<'m> {
    /// Those of `members` that `current` has not, or with another type.
    pub(super) fn of(
        schema: &ResourceSchema,
        current: Option<&Resource>,
        members: impl Iterator<Item = &'m mut Value>,
    ) -> Self {
        let known = current.into_iter().flat_map(|current| members_of(current.get(KEYED)));
        let known: HashMap<&str, Option<&Value>> =
            known.filter_map(|member| Some((member_id(member)?, member.get(TYPE)))).collect();
        let has_types = member_type(schema).is_some();
        let mut new = Self { members: Vec::new(), ids: Vec::new(), there: HashSet::new(), has_types };
        for member in members {
            drop_reference(member);
            let Some(id) = member_id(member) else { continue };
            let was = known.get(id);
            if was.is_some_and(|was| !has_types || *was == member.get(TYPE)) {
                continue;
            }
            let id = ResourceId::new(id);
            if was.is_some() {
                new.there.insert(id.clone());
            }
            if let Value::Object(member) = member {
                new.ids.push(id);
                new.members.push(member);
            }
        }
        new
    }

    /// Those that `change` brings.
    pub(super) fn of_change(schema: &ResourceSchema, current: &Resource, change: &'m mut Change) -> Self {
        let Change { writes, deltas } = change;
        let writes = writes.iter_mut().filter(|write| write.extension.is_none());
        let writes = writes.filter(|write| write.attribute.eq_ignore_ascii_case(KEYED));
        let written = writes.filter_map(|write| write.value.as_mut()?.as_array_mut());
        let deltas = deltas.iter_mut().filter(|delta| delta.attribute.eq_ignore_ascii_case(KEYED));
        let added = deltas.map(|delta| &mut delta.added);
        Self::of(schema, Some(current), written.chain(added).flatten())
    }

    /// The ids of those that are not there.
    pub(super) fn added(&self) -> Vec<ResourceId> {
        self.ids.iter().filter(|id| !self.there.contains(id)).cloned().collect()
    }

    /// Gives each the type of `types` that it is found to be of; whether one has another than before.
    pub(super) async fn settle_types<S: Store>(
        self,
        store: &S,
        scope: Scope<'_>,
        types: &[Arc<ResourceSchema>],
    ) -> Result<bool, StoreError> {
        let Some((usual, others)) = types.split_first() else { return Ok(false) };
        if !self.has_types || self.ids.is_empty() {
            return Ok(false);
        }
        // Of the first type are nearly all.
        let mut left = store.missing(Scope { schema: usual, ..scope }, self.ids.clone()).await?;
        let mut unusual: HashMap<ResourceId, Option<&str>> =
            left.iter().map(|id| (id.clone(), None)).collect();
        for schema in others {
            if left.is_empty() {
                break;
            }
            let missing = store.missing(Scope { schema, ..scope }, left.clone()).await?;
            let missing_ids: HashSet<&ResourceId> = missing.iter().collect();
            for id in left.iter().filter(|id| !missing_ids.contains(id)) {
                unusual.insert(id.clone(), Some(schema.name()));
            }
            left = missing;
        }
        let found = |id| match unusual.get(id) {
            None => Some(usual.name()),
            Some(found) => *found,
        };
        let set = self.members.into_iter().zip(&self.ids).map(|(member, id)| set(member, found(id)));
        Ok(set.fold(false, |any, one| any | one))
    }

    /// Gives each the type that it says, if that is the name of one of `types`, and otherwise none; whether one has
    /// another than before.
    pub(super) fn normalise_types(self, types: &[Arc<ResourceSchema>]) -> bool {
        if !self.has_types {
            return false;
        }
        let named = |name: &str| types.iter().find(|schema| schema.name().eq_ignore_ascii_case(name));
        let set = self.members.into_iter().map(|member| {
            let said = member.get(TYPE).and_then(Value::as_str).and_then(named);
            set(member, said.map(|schema| schema.name()))
        });
        set.fold(false, |any, one| any | one)
    }
}

/// Shows in `resource` the types that `change` gives its members.
pub(super) fn show(change: &Change, resource: &mut Resource) {
    let Some(members) = resource.0.get_mut(KEYED).and_then(Value::as_array_mut) else { return };
    let writes = change.writes.iter().filter(|write| write.extension.is_none());
    let writes = writes.filter(|write| write.attribute.eq_ignore_ascii_case(KEYED));
    let written = writes.filter_map(|write| write.value.as_ref()?.as_array()).flatten();
    let deltas = change.deltas.iter().filter(|delta| delta.attribute.eq_ignore_ascii_case(KEYED));
    let added = written.chain(deltas.flat_map(|delta| &delta.added));
    let types: HashMap<&str, Option<&str>> = added
        .filter_map(|member| Some((member_id(member)?, member.get(TYPE).and_then(Value::as_str))))
        .collect();
    for member in members {
        let found = member_id(member).and_then(|id| types.get(id));
        if let (Some(found), Value::Object(member)) = (found, member) {
            set(member, *found);
        }
    }
}

/// Makes this the type of a member; whether it had another.
fn set(member: &mut Object, kind: Option<&str>) -> bool {
    match kind {
        Some(kind) if member.get(TYPE).and_then(Value::as_str) == Some(kind) => false,
        Some(kind) => {
            member.insert(TYPE, kind);
            true
        }
        None => member.remove(TYPE).is_some(),
    }
}
