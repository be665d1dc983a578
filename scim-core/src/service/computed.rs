//! What nothing can be selected or sorted by, since no store has it: `meta.location`, `$ref` of members and of what else
//! names a resource by its `value`, and `$ref` of `groups` that are computed.
//!
//! They are made of the base URL and an `id` when a resource is answered. To a store the others are nobody's, and a
//! filter with them, of a list or in a path of a PATCH, would select the wrong ones without a word; that of `groups` is
//! more than a store can make of an `id` in SQL, and what one store refuses all do. The `id` says the same.

use std::borrow::Cow;
use std::sync::Arc;

use scim_filter::{AttrName, BoundAttr, BoundExpr, BoundFilter, BoundTerm};

use super::refs::Refs;
use crate::membership::{GROUPS, MEMBERS, REFERENCE, member_reference};
use crate::patch::PatchRequest;
use crate::schema::ResourceSchema;
use crate::sort::Sort;
use crate::store::StoreError;
use crate::{Error, ScimType};

/// What is computed of the resources of a type besides `meta.location`.
#[derive(Clone, Copy)]
pub(super) struct Computed<'r> {
    groups: bool,
    members: bool,
    refs: Option<&'r Arc<Refs>>,
}

impl<'r> Computed<'r> {
    pub(super) fn of(schema: &ResourceSchema, refs: Option<&'r Arc<Refs>>, groups: bool) -> Self {
        Self { groups, members: member_reference(schema).is_some(), refs }
    }

    /// Refuses a filter that looks at it.
    pub(super) fn refuse_filter(self, filter: &BoundFilter) -> Result<(), Error> {
        match self.mentioned(filter) {
            Some(advice) => Err(Error::from(&StoreError::UnsupportedFilter(advice.into_owned()))),
            None => Ok(()),
        }
    }

    /// Refuses to sort by it. By `groups` nothing is sorted anyway.
    pub(super) fn refuse_sort(self, sort: &Sort) -> Result<(), Error> {
        match self.advice(sort.by()) {
            Some(advice) => Err(Error::from(&StoreError::UnsupportedSort(advice.into_owned()))),
            None => Ok(()),
        }
    }

    /// Refuses a path whose filter looks at it.
    pub(super) fn refuse_paths(self, request: &PatchRequest) -> Result<(), Error> {
        for (at, [extension, name], filter) in request.filters() {
            let advice = name.and_then(|name| self.of_reference(extension, name));
            if let Some(advice) = advice.filter(|_| mentions_reference(filter.expr())) {
                return Err(Error::bad_request(ScimType::InvalidFilter, format!("{at}: {advice}")));
            }
        }
        Ok(())
    }

    /// What to ask for in place of what the filter looks at.
    fn mentioned(self, filter: &BoundFilter) -> Option<Cow<'static, str>> {
        let mut open = vec![filter.expr()];
        let mut found = None;
        while let Some(expr) = open.pop() {
            match expr {
                BoundExpr::And(terms) | BoundExpr::Or(terms) => open.extend(terms.map(BoundTerm::expr)),
                BoundExpr::Not(term) => open.push(term.expr()),
                // No schema has several of `meta`, so no value path is on it.
                BoundExpr::Compare(attr, ..) | BoundExpr::Present(attr) => match self.advice(attr) {
                    Some(Cow::Borrowed(LOCATION)) => return Some(LOCATION.into()),
                    advice => found = advice.or(found),
                },
                BoundExpr::ValuePath(attr, inner) if mentions_reference(inner.expr()) => {
                    found = self.of_attribute(attr).or(found);
                }
                BoundExpr::ValuePath(..) => {}
            }
        }
        found
    }

    fn advice(self, attr: &BoundAttr) -> Option<Cow<'static, str>> {
        let sub = attr.sub.as_ref()?;
        if attr.extension.is_none() && attr.name.matches("meta") && sub.matches("location") {
            return Some(LOCATION.into());
        }
        self.of_attribute(attr).filter(|_| sub.matches(REFERENCE))
    }

    fn of_attribute(self, attr: &BoundAttr) -> Option<Cow<'static, str>> {
        self.of_reference(attr.extension.as_ref().map(AttrName::as_str), attr.name.as_str())
    }

    /// What to ask for in place of `$ref` of the attribute.
    fn of_reference(self, extension: Option<&str>, name: &str) -> Option<Cow<'static, str>> {
        match extension {
            None if self.groups && name.eq_ignore_ascii_case(GROUPS) => return Some(OF_GROUP.into()),
            None if self.members && name.eq_ignore_ascii_case(MEMBERS) => return Some(OF_MEMBER.into()),
            _ => {}
        }
        let link = self.refs?.links().find(|link| link.is(extension, name))?;
        let path = link.path();
        Some(
            format!("`{path}.{REFERENCE}` is made of the `id` in `{path}.value`, which is to be asked for")
                .into(),
        )
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
