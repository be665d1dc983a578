//! The one comparator: filters, sorting, uniqueness and PATCH matching all use it.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::{AttributeType, CompareOp, Scalar};

/// How values of an attribute compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collation {
    /// The data type; date-times compare by instant.
    pub kind: AttributeType,
    /// Whether strings compare with case.
    pub case_exact: bool,
}

/// Whether `left op right` holds.
pub fn holds(collation: Collation, left: Scalar<'_>, op: CompareOp, right: Scalar<'_>) -> bool {
    let _ = (collation, left, op, right);
    todo!()
}

/// The order of two values, `None` where the types have none.
pub fn order(collation: Collation, left: Scalar<'_>, right: Scalar<'_>) -> Option<Ordering> {
    let _ = (collation, left, right);
    todo!()
}

/// `text` case-folded, as unique keys and indexes hold it: equal keys are equal values of an
/// attribute that is not case-exact.
pub fn fold(text: &str) -> Cow<'_, str> {
    let _ = text;
    todo!()
}
