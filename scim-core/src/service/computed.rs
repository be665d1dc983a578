//! What a list cannot be filtered or sorted by, since no store has it: `meta.location`.
//!
//! It is made of the base URL and the `id` when a resource is answered, so to a store it is nobody's, and a
//! filter with it would select the wrong resources without a word. `id` says the same.

use scim_filter::{BoundAttr, BoundExpr, BoundFilter, BoundTerm};

use crate::Error;
use crate::sort::Sort;
use crate::store::StoreError;

/// Refuses a filter that looks at `meta.location`.
pub(super) fn refuse_filter(filter: &BoundFilter) -> Result<(), Error> {
    match mentions_location(filter) {
        true => Err(Error::from(&StoreError::UnsupportedFilter(ADVICE.to_owned()))),
        false => Ok(()),
    }
}

/// Refuses to sort by `meta.location`.
pub(super) fn refuse_sort(sort: &Sort) -> Result<(), Error> {
    match is_location(sort.by()) {
        true => Err(Error::from(&StoreError::UnsupportedSort(ADVICE.to_owned()))),
        false => Ok(()),
    }
}

fn mentions_location(filter: &BoundFilter) -> bool {
    let mut open = vec![filter.expr()];
    while let Some(expr) = open.pop() {
        match expr {
            BoundExpr::And(terms) | BoundExpr::Or(terms) => open.extend(terms.map(BoundTerm::expr)),
            BoundExpr::Not(term) => open.push(term.expr()),
            BoundExpr::Compare(attr, ..) | BoundExpr::Present(attr) if is_location(attr) => return true,
            // No schema has several of `meta`, so no value path is on it.
            BoundExpr::Compare(..) | BoundExpr::Present(_) | BoundExpr::ValuePath(..) => {}
        }
    }
    false
}

fn is_location(attr: &BoundAttr) -> bool {
    attr.extension.is_none()
        && attr.name.matches("meta")
        && attr.sub.as_ref().is_some_and(|sub| sub.matches("location"))
}

const ADVICE: &str = "`meta.location` is made of the `id`, which is to be asked for in its place";
