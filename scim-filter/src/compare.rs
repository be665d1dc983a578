//! The one comparator: filters, sorting, uniqueness and PATCH matching all use it.

use std::cmp::Ordering;

pub use crate::fold::fold;
pub use crate::instant::Instant;

use crate::{AttributeType, CompareOp, Scalar, fold};

/// How values of an attribute compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collation {
    /// The data type; date-times compare by instant.
    pub kind: AttributeType,
    /// Whether strings compare with case.
    pub case_exact: bool,
}

/// Whether `left op right` holds.
///
/// `ne` is the opposite of `eq`, whatever the two are. Values of different JSON kinds are not
/// equal and have no order; Boolean and binary values have none among each other either
/// (RFC 7644 table 3). `co`, `sw` and `ew` hold between strings alone.
///
/// ```
/// use scim_filter::compare::{Collation, holds};
/// use scim_filter::{AttributeType, CompareOp, Scalar};
///
/// let title = Collation { kind: AttributeType::String, case_exact: false };
/// assert!(holds(title, Scalar::String("Tour Guide"), CompareOp::Co, Scalar::String("GUIDE")));
///
/// let created = Collation { kind: AttributeType::DateTime, case_exact: false };
/// let (utc, cet) = ("2011-05-13T04:42:34Z", "2011-05-13T06:42:34+02:00");
/// assert!(holds(created, Scalar::String(utc), CompareOp::Eq, Scalar::String(cet)));
/// ```
pub fn holds(collation: Collation, left: Scalar<'_>, op: CompareOp, right: Scalar<'_>) -> bool {
    match (left, right) {
        (Scalar::String(left), Scalar::String(right)) => match Text::new(collation, right) {
            Text::Folded(_) => text_holds(&Text::Folded(fold::Key::new(&fold::fold(right))), left, op),
            text => text_holds(&text, left, op),
        },
        _ => scalar_holds(left, op, right),
    }
}

/// The order of two values, `None` where the types have none.
///
/// This is the order for sorting: unlike a filter, it puts `false` before `true`, and binary
/// values in the order of their text.
pub fn order(collation: Collation, left: Scalar<'_>, right: Scalar<'_>) -> Option<Ordering> {
    match (left, right) {
        (Scalar::Null, Scalar::Null) => Some(Ordering::Equal),
        (Scalar::Bool(left), Scalar::Bool(right)) => Some(left.cmp(&right)),
        (Scalar::Number(left), Scalar::Number(right)) => left.order(right),
        (Scalar::String(left), Scalar::String(right)) => match Text::new(collation, right) {
            Text::Folded(_) => Some(fold::order(left, &fold::fold(right))),
            Text::Binary(right) => Some(without_padding(left).cmp(right)),
            text => text_order(&text, left),
        },
        _ => None,
    }
}

/// The right side of a comparison of strings, prepared for many left sides.
#[derive(Clone, Copy)]
pub(crate) enum Text<'t> {
    /// Compares as it is.
    Exact(&'t str),
    /// Compares by case folding, and is folded.
    Folded(fold::Key<'t>),
    /// Compares in time; the text is for values that are no date-times.
    Instant(Instant<'t>, &'t str),
    /// Base64, without its padding.
    Binary(&'t str),
}

impl<'t> Text<'t> {
    /// Prepares `text`, all but the folding.
    pub(crate) fn new(collation: Collation, text: &'t str) -> Self {
        match collation.kind {
            AttributeType::DateTime => match Instant::parse(text) {
                Some(instant) => Self::Instant(instant, text),
                None => Self::Exact(text),
            },
            AttributeType::Binary => Self::Binary(without_padding(text)),
            _ if collation.case_exact => Self::Exact(text),
            _ => Self::Folded(fold::Key::new(text)),
        }
    }
}

/// Whether `left op right` holds for strings.
pub(crate) fn text_holds(right: &Text<'_>, left: &str, op: CompareOp) -> bool {
    use CompareOp::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
    match (op, right) {
        (Ne, _) => !text_holds(right, left, Eq),
        (Eq, Text::Exact(right)) => left == *right,
        (Eq, Text::Folded(right)) => fold::equals(left, right.text),
        (Eq, Text::Binary(right)) => without_padding(left) == *right,
        (Eq, Text::Instant(instant, right)) => Instant::parse(left) == Some(*instant) || left == *right,
        (Co, Text::Folded(right)) => fold::contains(left, *right),
        (Sw, Text::Folded(right)) => fold::starts_with(left, right.text),
        (Ew, Text::Folded(right)) => fold::ends_with(left, right.text),
        (Co, Text::Exact(right) | Text::Instant(_, right) | Text::Binary(right)) => {
            memchr::memmem::find(left.as_bytes(), right.as_bytes()).is_some()
        }
        (Sw, Text::Exact(right) | Text::Instant(_, right) | Text::Binary(right)) => left.starts_with(right),
        (Ew, Text::Exact(right) | Text::Instant(_, right) | Text::Binary(right)) => left.ends_with(right),
        (Gt | Ge | Lt | Le, _) => text_order(right, left).is_some_and(|order| order_holds(order, op)),
    }
}

fn text_order(right: &Text<'_>, left: &str) -> Option<Ordering> {
    match right {
        Text::Exact(right) => Some(left.cmp(right)),
        Text::Folded(right) => Some(fold::order(left, right.text)),
        Text::Instant(right, _) => Some(Instant::parse(left)?.cmp(right)),
        Text::Binary(_) => None,
    }
}

/// Whether `left op right` holds where not both are strings.
pub(crate) fn scalar_holds(left: Scalar<'_>, op: CompareOp, right: Scalar<'_>) -> bool {
    match (left, right) {
        (Scalar::Number(left), Scalar::Number(right)) => {
            left.order(right).map_or(op == CompareOp::Ne, |order| order_holds(order, op))
        }
        _ => match op {
            CompareOp::Eq => left == right,
            CompareOp::Ne => left != right,
            _ => false,
        },
    }
}

fn order_holds(order: Ordering, op: CompareOp) -> bool {
    match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew => false,
    }
}

/// Base64 may come without its padding (RFC 7643 §2.3.6). What is nothing but padding is no Base64,
/// and a value all the same: of that one character is left.
pub(crate) fn without_padding(base64: &str) -> &str {
    match base64.trim_end_matches('=') {
        "" => base64.get(..1).unwrap_or_default(),
        text => text,
    }
}
