//! The part of a filter that SQL decides: conditions on rows of `resources AS r`.
//!
//! A condition is what a filter implies, so its rows contain every match. Where it is exact, its
//! rows are the matches; elsewhere the filter is evaluated on each of them. No clause is dropped.

use std::borrow::Cow;

use scim_core::schema::ResourceSchema;
use scim_filter::{BoundAttr, BoundExpr, BoundFilter, BoundTerm, CompareOp, Scalar};

use super::keys;
use super::members::{MEMBERS, member_value};

/// A condition as SQL text with its bind values; `?1` is the tenant and `?2` the resource type.
#[derive(Clone, Debug, Default)]
pub(super) struct Sql {
    /// What follows `WHERE r.tenant = ?1 AND r.type = ?2`; empty, or beginning with ` AND `.
    pub(super) text: String,
    /// The values of `?3` and on. Values reach SQL in no other way.
    pub(super) binds: Vec<String>,
    /// Whether the condition holds for the matches of the filter alone.
    pub(super) exact: bool,
    /// Whether the condition names few resources by their keys, so that these are looked up
    /// rather than the type walked through in order.
    pub(super) selective: bool,
}

impl Sql {
    /// The part of `filter` that SQL decides.
    pub(super) fn of(schema: &ResourceSchema, filter: Option<&BoundFilter>) -> Self {
        let Some(filter) = filter else {
            return Self { exact: true, ..Self::default() };
        };
        let mut terms = MAX_TERMS;
        match condition(schema, filter.expr(), MAX_DEPTH, &mut terms) {
            None => Self::default(),
            Some((condition, exact)) => {
                let mut sql = Self { exact, selective: condition.selective(), ..Self::default() };
                sql.text.push_str(" AND ");
                sql.push(&condition);
                sql
            }
        }
    }

    fn push(&mut self, condition: &Condition<'_>) {
        match condition {
            Condition::All(terms) => self.push_terms(terms, " AND "),
            // SQLite looks a union of keys up one by one; for an `OR` of look-ups it would walk
            // through the type.
            Condition::Any(terms) if condition.selective() => {
                self.text.push_str("r.id IN (");
                for (index, term) in terms.iter().enumerate() {
                    self.text.push_str(if index == 0 { "" } else { " UNION ALL " });
                    self.push_ids(term);
                }
                self.text.push(')');
            }
            Condition::Any(terms) => self.push_terms(terms, " OR "),
            Condition::Not(term) => {
                self.text.push_str("NOT ");
                self.push(term);
            }
            Condition::Id(id) => {
                self.text.push_str("r.id = ");
                self.push_bind(id);
            }
            Condition::Key(..) | Condition::Member(_) => {
                self.text.push_str("r.id IN (");
                self.push_ids(condition);
                self.text.push(')');
            }
        }
    }

    /// The ids that fulfil a single look-up, as a `SELECT`.
    fn push_ids(&mut self, condition: &Condition<'_>) {
        match condition {
            Condition::Id(id) => {
                self.text.push_str("SELECT ");
                self.push_bind(id);
            }
            Condition::Key(attribute, value) => {
                self.text.push_str(
                    "SELECT k.id FROM resource_keys AS k \
                     WHERE k.tenant = ?1 AND k.type = ?2 AND k.attribute = ",
                );
                self.push_bind(attribute);
                self.text.push_str(" AND k.value = ");
                self.push_bind(value);
            }
            Condition::Member(value) => {
                self.text.push_str(
                    "SELECT m.id FROM members AS m WHERE m.tenant = ?1 AND m.type = ?2 AND m.member = ",
                );
                self.push_bind(value);
            }
            // A composite is a selection of rows by `push`, still within the tenant and type.
            Condition::All(_) | Condition::Any(_) | Condition::Not(_) => {
                self.text
                    .push_str("SELECT r.id FROM resources AS r WHERE r.tenant = ?1 AND r.type = ?2 AND ");
                self.push(condition);
            }
        }
    }

    fn push_terms(&mut self, terms: &[Condition<'_>], operator: &str) {
        for (index, term) in terms.iter().enumerate() {
            self.text.push_str(if index == 0 { "(" } else { operator });
            self.push(term);
        }
        self.text.push(')');
    }

    fn push_bind(&mut self, value: &str) {
        self.binds.push(value.to_owned());
        self.text.push('?');
        self.text.push_str(&(self.binds.len() + 2).to_string());
    }
}

/// Whether `filter` looks at the members anywhere.
pub(super) fn mentions_members(filter: &BoundFilter) -> bool {
    let mut open = vec![filter.expr()];
    while let Some(expr) = open.pop() {
        match expr {
            BoundExpr::And(terms) | BoundExpr::Or(terms) => open.extend(terms.map(BoundTerm::expr)),
            BoundExpr::Not(term) => open.push(term.expr()),
            BoundExpr::Compare(attr, ..) | BoundExpr::Present(attr) | BoundExpr::ValuePath(attr, _) => {
                if is(attr, MEMBERS) {
                    return true;
                }
            }
        }
    }
    false
}

/// What is known of a resource by its rows alone.
enum Condition<'f> {
    // INVARIANT: at least one term each.
    All(Vec<Condition<'f>>),
    Any(Vec<Condition<'f>>),
    Not(Box<Condition<'f>>),
    /// The `id`.
    Id(&'f str),
    /// One of the indexed values.
    Key(&'static str, Cow<'f, str>),
    /// The group has the member.
    Member(Cow<'f, str>),
}

impl Condition<'_> {
    fn selective(&self) -> bool {
        match self {
            Self::All(terms) => terms.iter().any(Self::selective),
            Self::Any(terms) => terms.iter().all(Self::selective),
            Self::Not(_) => false,
            Self::Id(_) | Self::Key(..) | Self::Member(_) => true,
        }
    }
}

/// What `expr` implies, and whether it is also implied by it.
fn condition<'f>(
    schema: &ResourceSchema,
    expr: BoundExpr<'f>,
    depth: usize,
    terms: &mut usize,
) -> Option<(Condition<'f>, bool)> {
    let depth = depth.checked_sub(1)?;
    match expr {
        BoundExpr::And(all) => {
            let mut exact = true;
            let mut known = Vec::new();
            for term in all {
                match condition(schema, term.expr(), depth, terms) {
                    Some((condition, is_exact)) => {
                        known.push(condition);
                        exact &= is_exact;
                    }
                    None => exact = false,
                }
            }
            (!known.is_empty()).then_some((Condition::All(known), exact))
        }
        BoundExpr::Or(any) => {
            let known: Vec<_> =
                any.map(|term| condition(schema, term.expr(), depth, terms)).collect::<Option<_>>()?;
            let exact = known.iter().all(|(_, exact)| *exact);
            Some((Condition::Any(known.into_iter().map(|(condition, _)| condition).collect()), exact))
        }
        // The rest of what implies more than it says implies nothing when negated.
        BoundExpr::Not(term) => match condition(schema, term.expr(), depth, terms)? {
            (condition, true) => Some((Condition::Not(Box::new(condition)), true)),
            (_, false) => None,
        },
        BoundExpr::Compare(attr, CompareOp::Eq, Scalar::String(text)) => {
            *terms = terms.checked_sub(1)?;
            if attr.sub.as_ref().is_some_and(|sub| !sub.matches("value")) {
                return None;
            }
            Some((equals(schema, attr, text)?, true))
        }
        BoundExpr::ValuePath(attr, term) => value_path(schema, attr, term.expr(), terms),
        BoundExpr::Compare(..) | BoundExpr::Present(_) => None,
    }
}

/// `attr[value eq "…"]`, alone or with more.
fn value_path<'f>(
    schema: &ResourceSchema,
    attr: &'f BoundAttr,
    inner: BoundExpr<'f>,
    terms: &mut usize,
) -> Option<(Condition<'f>, bool)> {
    match inner {
        BoundExpr::Compare(sub, CompareOp::Eq, Scalar::String(text)) if sub.name.matches("value") => {
            *terms = terms.checked_sub(1)?;
            Some((equals(schema, attr, text)?, true))
        }
        BoundExpr::And(mut all) => {
            let found = all.find_map(|term| match term.expr() {
                BoundExpr::Compare(..) => value_path(schema, attr, term.expr(), terms),
                _ => None,
            });
            found.map(|(condition, _)| (condition, false))
        }
        _ => None,
    }
}

/// The resource, or one of its values of `attr`, is `text`.
fn equals<'f>(schema: &ResourceSchema, attr: &BoundAttr, text: &'f str) -> Option<Condition<'f>> {
    if is(attr, "id") {
        return attr.case_exact.then_some(Condition::Id(text));
    }
    if is(attr, MEMBERS) {
        return Some(Condition::Member(keys::key(member_value(schema)?, text)));
    }
    let name = keys::INDEXED.into_iter().find(|name| is(attr, name))?;
    Some(Condition::Key(name, keys::key(keys::indexed(schema, name)?, text)))
}

fn is(attr: &BoundAttr, name: &str) -> bool {
    attr.extension.is_none() && attr.name.matches(name)
}

/// Deeper nesting is evaluated in memory; no identity provider sends half of this.
const MAX_DEPTH: usize = 16;
/// More comparisons are evaluated in memory. SQLite refuses expressions deeper than 1000, and a
/// chain of `OR` counts one level for each.
const MAX_TERMS: usize = 200;
