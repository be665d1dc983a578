//! What a list cannot be filtered or sorted by, since no store has it: `meta.location`, `$ref` of members, and `$ref`
//! of `groups` that are computed.
//!
//! They are made of the base URL and an `id` when a resource is answered. To a store the first two are nobody's, and a
//! filter with them would select the wrong resources without a word; the third is more than a store can make of an
//! `id` in SQL, and what one store refuses all do. The `id` says the same.

use scim_filter::{BoundAttr, BoundExpr, BoundFilter, BoundTerm};

use crate::Error;
use crate::membership::{GROUPS, MEMBERS, REFERENCE, member_reference};
use crate::schema::ResourceSchema;
use crate::sort::Sort;
use crate::store::StoreError;

/// What is computed of the resources of a type besides `meta.location`.
#[derive(Clone, Copy)]
pub(super) struct Computed {
    groups: bool,
    members: bool,
}

impl Computed {
    pub(super) fn of(schema: &ResourceSchema, groups: bool) -> Self {
        Self { groups, members: member_reference(schema).is_some() }
    }

    /// Refuses a filter that looks at it.
    pub(super) fn refuse_filter(self, filter: &BoundFilter) -> Result<(), Error> {
        match self.mentioned(filter) {
            Some(advice) => Err(Error::from(&StoreError::UnsupportedFilter(advice.to_owned()))),
            None => Ok(()),
        }
    }

    /// Refuses to sort by it. By `groups` nothing is sorted anyway.
    pub(super) fn refuse_sort(self, sort: &Sort) -> Result<(), Error> {
        match self.advice(sort.by()) {
            Some(advice) => Err(Error::from(&StoreError::UnsupportedSort(advice.to_owned()))),
            None => Ok(()),
        }
    }

    /// What to ask for in place of what the filter looks at.
    fn mentioned(self, filter: &BoundFilter) -> Option<&'static str> {
        let mut open = vec![filter.expr()];
        let mut found = None;
        while let Some(expr) = open.pop() {
            match expr {
                BoundExpr::And(terms) | BoundExpr::Or(terms) => open.extend(terms.map(BoundTerm::expr)),
                BoundExpr::Not(term) => open.push(term.expr()),
                // No schema has several of `meta`, so no value path is on it.
                BoundExpr::Compare(attr, ..) | BoundExpr::Present(attr) => match self.advice(attr) {
                    Some(LOCATION) => return Some(LOCATION),
                    advice => found = advice.or(found),
                },
                BoundExpr::ValuePath(attr, inner) if mentions_reference(inner.expr()) => {
                    found = self.of_reference(attr).or(found);
                }
                BoundExpr::ValuePath(..) => {}
            }
        }
        found
    }

    fn advice(self, attr: &BoundAttr) -> Option<&'static str> {
        let sub = attr.sub.as_ref()?;
        if attr.extension.is_none() && attr.name.matches("meta") && sub.matches("location") {
            return Some(LOCATION);
        }
        self.of_reference(attr).filter(|_| sub.matches(REFERENCE))
    }

    /// What to ask for in place of `$ref` of the attribute.
    fn of_reference(self, attr: &BoundAttr) -> Option<&'static str> {
        match attr.extension {
            None if self.groups && attr.name.matches(GROUPS) => Some(OF_GROUP),
            None if self.members && attr.name.matches(MEMBERS) => Some(OF_MEMBER),
            _ => None,
        }
    }
}

/// Whether what is asked of each of several values is about its `$ref`.
fn mentions_reference(expr: BoundExpr<'_>) -> bool {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match expr {
            BoundExpr::And(terms) | BoundExpr::Or(terms) => open.extend(terms.map(BoundTerm::expr)),
            BoundExpr::Not(term) => open.push(term.expr()),
            BoundExpr::Compare(attr, ..) | BoundExpr::Present(attr) if attr.name.matches(REFERENCE) => {
                return true;
            }
            BoundExpr::Compare(..) | BoundExpr::Present(_) | BoundExpr::ValuePath(..) => {}
        }
    }
    false
}

const LOCATION: &str = "`meta.location` is made of the `id`, which is to be asked for in its place";
const OF_GROUP: &str =
    "`groups.$ref` is made of the group's `id`, which is to be asked for by `groups.value`";
const OF_MEMBER: &str =
    "`members.$ref` is made of the member's `id`, which is to be asked for by `members.value`";
