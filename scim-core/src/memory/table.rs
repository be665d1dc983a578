//! The resources of one type of a tenant, and what finds them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;

use scim_filter::{BoundExpr, BoundFilter, CompareOp, Scalar, compare};

use super::groups::Groups;
use super::keys::Keys;
use super::stored::{Candidate, Looks, Row};
use crate::membership::{MEMBERS, Membership};
use crate::query::Query;
use crate::schema::{AttributeType, ResourceSchema, Uniqueness};
use crate::store::{Deletion, StoreError};
use crate::validate::UniqueKey;
use crate::{ResourceId, Version};

#[derive(Default)]
pub(super) struct Table {
    // INVARIANT: `by_id`, `by_key` and `groups` name exactly the rows' ids, unique keys and members.
    pub(super) rows: BTreeMap<u64, Row>,
    pub(super) by_id: HashMap<Box<str>, u64>,
    // With the attributes as `claims` has them.
    pub(super) by_key: Keys,
    pub(super) groups: Groups,
    next: u64,
}

impl Table {
    pub(super) fn row(&self, id: &ResourceId) -> Option<&Row> {
        self.rows.get(self.by_id.get(id.as_str())?)
    }

    pub(super) fn create(
        &mut self,
        schema: &ResourceSchema,
        id: ResourceId,
        row: Row,
        elsewhere: Option<&UniqueKey>,
    ) -> Result<(), StoreError> {
        if self.by_id.contains_key(id.as_str()) {
            return Err(StoreError::Conflict { attribute: "id".to_owned() });
        }
        self.claim(self.next, schema, &row.claims, elsewhere)?;
        self.by_id.insert(id.as_str().into(), self.next);
        self.groups.know(schema, self.next, &row);
        self.rows.insert(self.next, row);
        self.next += 1;
        Ok(())
    }

    pub(super) fn delete(
        &mut self,
        schema: &ResourceSchema,
        id: &ResourceId,
        expected: Option<Version>,
    ) -> Result<Option<Row>, StoreError> {
        let sequence = self.expect(id, expected)?;
        self.claim(sequence, schema, &[], None)?;
        self.by_id.remove(id.as_str());
        let former = self.rows.remove(&sequence);
        if let Some(former) = &former {
            self.groups.forget(schema, sequence, former);
        }
        Ok(former)
    }

    /// Who of `members` is in which groups of this table.
    pub(super) fn memberships(&self, schema: &ResourceSchema, members: &[ResourceId]) -> Vec<Membership> {
        let groups = |member: &ResourceId| self.groups.with(schema, member.as_str()).unwrap_or_default();
        let group = |number: u64| self.rows.get(&number);
        let of = |member| {
            let groups = groups(member).into_iter().filter_map(group);
            groups.filter_map(move |group| Membership::of(member, group.head()))
        };
        members.iter().flat_map(of).collect()
    }

    /// Which of `members` are members of the group `id`, each once.
    pub(super) fn members_among(
        &self,
        schema: &ResourceSchema,
        id: &ResourceId,
        members: &[ResourceId],
    ) -> Vec<ResourceId> {
        let Some(number) = self.by_id.get(id.as_str()) else { return Vec::new() };
        let mut seen = HashSet::new();
        let is_member = |member: &&ResourceId| {
            let key = self.groups.has(schema, member.as_str(), *number);
            key.is_some_and(|key| seen.insert(key.into_owned()))
        };
        members.iter().filter(is_member).cloned().collect()
    }

    /// Takes a deleted resource out of the groups of this table.
    pub(super) fn leave(&mut self, schema: &ResourceSchema, id: &ResourceId, deletion: &Deletion<'_>) {
        for group in self.groups.take(schema, id.as_str()) {
            if let Some(row) = self.rows.get_mut(&group)
                && row.remove_member(schema, id)
            {
                deletion.stamp(row.head_mut());
            }
        }
    }

    /// Where the resource `id` is, if it is in the version expected.
    pub(super) fn expect(&self, id: &ResourceId, expected: Option<Version>) -> Result<u64, StoreError> {
        let sequence = *self.by_id.get(id.as_str()).ok_or(StoreError::NotFound)?;
        let version = self.rows.get(&sequence).and_then(|row| row.head().version());
        if expected.is_some() && version != expected {
            return Err(StoreError::VersionMismatch);
        }
        Ok(sequence)
    }

    /// Gives the row `sequence` these claims in place of those it had, all or none; `elsewhere` is one of
    /// them that a resource of another type has.
    pub(super) fn claim(
        &mut self,
        sequence: u64,
        schema: &ResourceSchema,
        claims: &[UniqueKey],
        elsewhere: Option<&UniqueKey>,
    ) -> Result<(), StoreError> {
        let taken = |key: &&UniqueKey| self.by_key.get(key).is_some_and(|owner| owner != sequence);
        if let Some(key) = claims.iter().find(taken).or(elsewhere) {
            return Err(StoreError::Conflict { attribute: name(schema, key).to_owned() });
        }
        if let Some(row) = self.rows.get_mut(&sequence) {
            for key in std::mem::replace(&mut row.claims, claims.to_vec()) {
                self.by_key.remove(&key);
            }
        }
        claims.iter().for_each(|key| self.by_key.insert(key, sequence));
        Ok(())
    }

    /// The rows behind the number `from`, or `backward` before it, in that order.
    pub(super) fn walk(&self, from: Option<u64>, backward: bool) -> impl Iterator<Item = (u64, &Row)> {
        let behind = from.map_or(Bound::Unbounded, Bound::Excluded);
        let (forth, back) = match backward {
            false => (Some(self.rows.range((behind, Bound::Unbounded))), None),
            true => (None, Some(self.rows.range((Bound::Unbounded, behind)).rev())),
        };
        let rows = forth.into_iter().flatten().chain(back.into_iter().flatten());
        rows.map(|(number, row)| (*number, row))
    }

    /// The first `most` rows from `from` on that a query has to look at: few, where the filter says
    /// which.
    pub(super) fn candidates(
        &self,
        schema: &ResourceSchema,
        query: &Query,
        looks: &Looks,
        from: Option<u64>,
        most: usize,
    ) -> Vec<Candidate> {
        let candidate = |(number, row): (u64, &Row)| row.candidate(number, schema, query, looks);
        // A sorted list is walked through in the order of creation too.
        let backward = query.sort.is_none() && query.start.is_backward();
        match query.filter.as_ref().and_then(|filter| self.few(schema, filter)) {
            Some(mut few) => {
                few.retain(|number| from.is_none_or(|from| (*number > from) != backward && *number != from));
                if backward {
                    few.reverse();
                }
                let rows = few.into_iter().filter_map(|number| Some((number, self.rows.get(&number)?)));
                rows.take(most).map(candidate).collect()
            }
            None => self.walk(from, backward).take(most).map(candidate).collect(),
        }
    }

    /// The rows that can fulfil the filter, in the order of creation, where a term that must hold
    /// asks for an `id`, for the value of a unique attribute, or for a member.
    fn few(&self, schema: &ResourceSchema, filter: &BoundFilter) -> Option<Vec<u64>> {
        match filter.expr() {
            BoundExpr::And(terms) => {
                let found = terms.filter_map(|term| self.lookup(schema, term.expr()));
                found.min_by_key(Vec::len)
            }
            expr => self.lookup(schema, expr),
        }
    }

    fn lookup(&self, schema: &ResourceSchema, expr: BoundExpr<'_>) -> Option<Vec<u64>> {
        let BoundExpr::Compare(attr, CompareOp::Eq, Scalar::String(text)) = expr else { return None };
        if attr.extension.is_some() {
            return None;
        }
        if attr.name.matches(MEMBERS) && attr.sub.as_ref().is_some_and(|sub| sub.matches("value")) {
            return self.groups.with(schema, text);
        }
        if attr.sub.is_some() {
            return None;
        }
        if attr.name.matches("id") {
            return Some(self.by_id.get(text).copied().into_iter().collect());
        }
        let definition = schema.find(None, attr.name.as_str())?;
        // Text is unique exactly when it compares as equal, an empty one excepted, which is no key.
        let unique = definition.uniqueness != Uniqueness::None
            && definition.kind == AttributeType::String
            && !definition.multi_valued
            && !text.is_empty();
        unique.then(|| {
            let value = if attr.case_exact { text.into() } else { compare::fold(text) };
            self.by_key.find(&schema.base().id, attr.name.as_str(), &value).into_iter().collect()
        })
    }
}

/// Unique keys by the schema that they are unique in.
pub(super) fn claims(schema: &ResourceSchema, unique: &[UniqueKey]) -> Vec<UniqueKey> {
    unique.iter().map(|key| claim(schema, key)).collect()
}

fn claim(schema: &ResourceSchema, key: &UniqueKey) -> UniqueKey {
    UniqueKey { attribute: key.qualified(schema).into(), value: key.value.clone() }
}

/// The attribute of a claim as unique keys name it.
fn name<'c>(schema: &ResourceSchema, claim: &'c UniqueKey) -> &'c str {
    let of_base = claim.attribute.strip_prefix(&*schema.base().id).and_then(|rest| rest.strip_prefix(':'));
    of_base.filter(|name| !name.contains(':')).unwrap_or(&claim.attribute)
}
