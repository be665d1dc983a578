//! Which values of a multi-valued attribute an operation is about.

use scim_filter::{AttrName, BoundExpr, BoundFilter, BoundTerm, CompareOp, Scalar};

use crate::leniency::Leniencies;
use crate::schema::{Attribute, Mutability};
use crate::validate;
use crate::value::{Object, Value};

/// The values a filter selects.
#[derive(Clone)]
pub(super) struct Selection {
    /// The `value`s that can match, where the filter says so and the attribute is keyed.
    pub(super) keys: Option<Vec<Box<str>>>,
    /// The filter; absent where every value with one of `keys` matches.
    pub(super) filter: Option<BoundFilter>,
    /// How many comparisons one evaluation takes, at most.
    pub(super) cost: usize,
}

impl Selection {
    /// What `filter` selects of an attribute that is `keyed` or not.
    pub(super) fn new(filter: BoundFilter, keyed: bool) -> Self {
        let cost = count(filter.expr());
        match keys_in(filter.expr()) {
            Some((keys, true)) if keyed => Self { keys: Some(keys), filter: None, cost },
            Some((keys, false)) if keyed => Self { keys: Some(keys), filter: Some(filter), cost },
            _ => Self { keys: None, filter: Some(filter), cost },
        }
    }

    /// The element of `attribute`, which is not keyed, that the filter describes by `eq` terms alone, to be
    /// made where none matches; none by a filter that says which `value` is meant: that one is not there, and
    /// to name it, or to mark it, is not to give it to somebody.
    pub(super) fn template(&self, attribute: &Attribute, leniencies: &Leniencies) -> Option<Object> {
        let equal = equal_terms(self.filter.as_ref()?.expr())?;
        match equal.iter().any(|(name, _)| name.matches("value")) {
            true => None,
            false => template(attribute, equal, leniencies),
        }
    }

    /// Whether `value` is selected, if its key is one of `keys`.
    pub(super) fn matches(&self, value: &Value) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches_value(value))
    }

    /// The keys, if they alone decide.
    pub(super) fn only_keys(&self) -> Option<&[Box<str>]> {
        match &self.filter {
            Some(_) => None,
            None => self.keys.as_deref(),
        }
    }
}

/// The `value`s of the values that `expr`, a filter on them, can select, if it says.
pub(crate) fn selected_keys(expr: BoundExpr<'_>) -> Option<Vec<Box<str>>> {
    keys_in(expr).map(|(keys, _)| keys)
}

/// The same, and whether the keys alone decide.
fn keys_in(expr: BoundExpr<'_>) -> Option<(Vec<Box<str>>, bool)> {
    if let Some(keys) = keys_of(expr) {
        return Some((keys, true));
    }
    let keys = match expr {
        BoundExpr::Or(terms) => {
            let keys = terms.map(|term| keys_of(term.expr()).or_else(|| keys_of_one(term.expr())));
            keys.collect::<Option<Vec<_>>>()?.concat()
        }
        expr => keys_of_one(expr)?,
    };
    Some((keys, false))
}

/// Those of the first term that says, if the expression is several by `and`.
fn keys_of_one(expr: BoundExpr<'_>) -> Option<Vec<Box<str>>> {
    match expr {
        BoundExpr::And(mut terms) => terms.find_map(|term| keys_of(term.expr())),
        _ => None,
    }
}

/// The strings `value` is compared with, if the expression is `value eq "…"` or several by `or`.
fn keys_of(expr: BoundExpr<'_>) -> Option<Vec<Box<str>>> {
    let mut keys = Vec::new();
    walk(expr, |expr| match expr {
        BoundExpr::Or(_) => true,
        BoundExpr::Compare(attr, CompareOp::Eq, Scalar::String(text)) if attr.name.matches("value") => {
            keys.push(text.into());
            true
        }
        _ => false,
    })
    .then_some(keys)
}

/// The equalities, if the expression is one or several by `and`.
fn equal_terms(expr: BoundExpr<'_>) -> Option<Vec<(&AttrName, Scalar<'_>)>> {
    let mut equal = Vec::new();
    walk(expr, |expr| match expr {
        BoundExpr::And(_) => true,
        BoundExpr::Compare(attr, CompareOp::Eq, scalar) => {
            equal.push((&attr.name, scalar));
            true
        }
        _ => false,
    })
    .then_some(equal)
}

fn count(expr: BoundExpr<'_>) -> usize {
    let mut terms = 0;
    walk(expr, |expr| {
        terms += usize::from(matches!(expr, BoundExpr::Compare(..) | BoundExpr::Present(_)));
        true
    });
    terms.max(1)
}

/// Shows `visit` every sub-expression, without recursion, until it says no; returns whether it
/// never did.
fn walk<'b>(expr: BoundExpr<'b>, mut visit: impl FnMut(BoundExpr<'b>) -> bool) -> bool {
    if matches!(expr, BoundExpr::Compare(..) | BoundExpr::Present(_)) {
        return visit(expr);
    }
    let mut open = vec![expr];
    let push = |open: &mut Vec<BoundExpr<'b>>, term: BoundTerm<'b>| open.push(term.expr());
    while let Some(expr) = open.pop() {
        if !visit(expr) {
            return false;
        }
        match expr {
            BoundExpr::And(terms) | BoundExpr::Or(terms) => {
                let start = open.len();
                terms.into_iter().for_each(|term| push(&mut open, term));
                // In the order written.
                if let Some(pushed) = open.get_mut(start..) {
                    pushed.reverse();
                }
            }
            BoundExpr::Not(term) | BoundExpr::ValuePath(_, term) => push(&mut open, term),
            BoundExpr::Compare(..) | BoundExpr::Present(_) => {}
        }
    }
    true
}

/// An element of `attribute` for which all of `equal` hold, if a client may make one.
fn template(
    attribute: &Attribute,
    equal: Vec<(&AttrName, Scalar<'_>)>,
    leniencies: &Leniencies,
) -> Option<Object> {
    let mut element = Object::new();
    for (name, scalar) in equal {
        let sub = attribute.sub_attribute(name.as_str())?;
        let value = match scalar {
            Scalar::Null => continue,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Number(number) => Value::Number(number),
            Scalar::String(text) => Value::from(text),
        };
        let twice = element.get(&sub.name).is_some_and(|other| *other != value);
        if twice || sub.mutability == Mutability::ReadOnly {
            return None;
        }
        element.insert(sub.name.as_str(), value);
    }
    let elements = Value::Array(vec![Value::Object(element)]);
    match validate::coerce(attribute, elements, "path", leniencies, &mut Vec::new()).ok()?? {
        Value::Array(elements) => match elements.into_iter().next()? {
            Value::Object(element) => Some(element),
            _ => None,
        },
        _ => None,
    }
}
