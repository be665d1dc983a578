//! Filters on the `groups` of resources.
//!
//! Who is in a group is a condition on the rows of `members`, once the groups are known that are
//! members of it; of a group of a million members only those are found that are groups. What else a
//! filter asks is answered by a search upwards from each resource, level by level.
//!
//! `groups.$ref` is no column: it is the group's `id`, percent-encoded, below the base URL, which is no expression of SQL.
//! The service refuses a filter on it before any store sees it. `groups.value` says the same.

use std::collections::{HashMap, HashSet};

use scim_core::membership::Hierarchy;
use scim_core::query::Query;
use scim_core::schema::ResourceSchema;
use scim_core::store::{Scope, StoreError};
use scim_filter::{BoundAttr, BoundExpr, BoundFilter, BoundTerm, CompareOp, Scalar};

use super::database::{Statement, Tx, batches, places};
use super::members::member_value;

/// How a filter finds the groups of resources.
#[derive(Debug)]
pub(super) struct Below {
    /// The name of the type of the groups, which needs no quotes.
    pub(super) kind: String,
    /// How many memberships may lead to a group.
    pub(super) levels: usize,
    /// Whether the names of groups compare with case.
    pub(super) exact_names: bool,
    // The groups that the filter names.
    named: HashMap<String, Group>,
}

/// Where the members of a group are.
#[derive(Debug)]
struct Group {
    // The group, and the groups that are members of it, directly or through others.
    ids: Vec<String>,
    // Whether all of them have so few members that these are looked up, rather than each resource
    // asked whether it is one.
    few: bool,
}

/// What a term asks of the groups of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked<'f> {
    /// To be in this group, directly or through others.
    In(&'f str),
    /// To be a direct member of it.
    Directly(&'f str),
    /// To be in any group.
    InAny,
}

impl Below {
    /// What SQL has to know for the filter of `query`, if it looks at groups.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnsupportedFilter`] where resources may be in groups of several types, or these name
    /// their members in several ways.
    pub(super) async fn of(tx: &mut Tx, scope: Scope<'_>, query: &Query) -> Result<Option<Self>, StoreError> {
        let (Some(hierarchy), Some(filter)) = (&query.hierarchy, &query.filter) else { return Ok(None) };
        let schema = only_type(hierarchy, scope.schema)
            .ok_or_else(|| StoreError::UnsupportedFilter("`groups` are of several kinds".to_owned()))?;
        let groups = Scope { schema, ..scope };
        let exact_names = schema.find(None, "displayName").is_some_and(|name| name.case_exact);
        let (kind, levels) = (schema.name().to_owned(), hierarchy.levels());
        let mut below = Self { kind, levels, exact_names, named: HashMap::new() };
        for name in names(filter) {
            if below.named.len() < MAX_NAMED
                && let Some(group) = group(tx, groups, &name, hierarchy.levels()).await?
            {
                below.named.insert(name, group);
            }
        }
        Ok(Some(below))
    }

    /// The groups of which a resource has to be a direct member, if that is all that `expr` asks: one
    /// of them, or any where there are none.
    pub(super) fn decided<'b>(&'b self, expr: BoundExpr<'_>) -> Option<Option<(&'b [String], bool)>> {
        Some(match asked(expr)? {
            Asked::InAny => None,
            Asked::In(name) => self.named.get(name).map(|group| Some((group.ids.as_slice(), group.few)))?,
            Asked::Directly(name) => {
                let group = self.named.get(name)?;
                Some((group.ids.get(..1)?, group.few))
            }
        })
    }
}

/// What `expr` asks of the groups, if that is all it asks and SQL can decide it.
fn asked(expr: BoundExpr<'_>) -> Option<Asked<'_>> {
    match expr {
        BoundExpr::Present(attr) if is_groups(attr) && attr.sub.is_none() => Some(Asked::InAny),
        BoundExpr::Compare(attr, CompareOp::Eq, Scalar::String(text))
            if is_groups(attr)
                && attr.case_exact
                && attr.sub.as_ref().is_none_or(|sub| sub.matches("value")) =>
        {
            Some(Asked::In(text))
        }
        BoundExpr::ValuePath(attr, inner) if is_groups(attr) => match inner.expr() {
            BoundExpr::And(terms) => {
                let terms: Vec<BoundTerm<'_>> = terms.collect();
                let [first, second] = terms.as_slice() else { return None };
                match (sub(first.expr())?, sub(second.expr())?) {
                    (Sub::Value(group), Sub::Direct) | (Sub::Direct, Sub::Value(group)) => {
                        Some(Asked::Directly(group))
                    }
                    _ => None,
                }
            }
            expr => match sub(expr)? {
                Sub::Value(group) => Some(Asked::In(group)),
                Sub::Direct => None,
            },
        },
        _ => None,
    }
}

/// A comparison in `groups[…]`.
enum Sub<'f> {
    Value(&'f str),
    Direct,
}

fn sub(expr: BoundExpr<'_>) -> Option<Sub<'_>> {
    match expr {
        BoundExpr::Compare(sub, CompareOp::Eq, Scalar::String(text)) => {
            if sub.name.matches("value") && sub.case_exact {
                Some(Sub::Value(text))
            } else {
                let is_direct = text == "direct" || (!sub.case_exact && text.eq_ignore_ascii_case("direct"));
                (sub.name.matches("type") && is_direct).then_some(Sub::Direct)
            }
        }
        _ => None,
    }
}

fn is_groups(attr: &BoundAttr) -> bool {
    attr.extension.is_none() && attr.name.matches("groups")
}

/// The groups that the filter names, each once.
fn names(filter: &BoundFilter) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut open = vec![filter.expr()];
    while let Some(expr) = open.pop() {
        match (asked(expr), expr) {
            (Some(Asked::In(name) | Asked::Directly(name)), _)
                if !names.iter().any(|other| other == name) =>
            {
                names.push(name.to_owned());
            }
            (_, BoundExpr::And(terms) | BoundExpr::Or(terms)) => open.extend(terms.map(BoundTerm::expr)),
            (_, BoundExpr::Not(term)) => open.push(term.expr()),
            _ => {}
        }
    }
    names
}

/// The only type of groups there is for the resources and for these groups, if its rows name members by
/// their very ids.
fn only_type<'h>(hierarchy: &'h Hierarchy, schema: &ResourceSchema) -> Option<&'h ResourceSchema> {
    let [groups] = hierarchy.group_types(schema) else { return None };
    let is_same = |other: &ResourceSchema| other.name() == groups.name();
    let closed = hierarchy.group_types(groups).iter().all(|other| is_same(other));
    let exact = member_value(groups).is_some_and(|value| value.case_exact);
    // The name stands in the text of statements.
    let plain = groups.name().bytes().all(|byte| byte.is_ascii_alphanumeric());
    (closed && exact && plain).then_some(groups)
}

/// The group `name` with those below it; `None` where these are many.
async fn group(
    tx: &mut Tx,
    groups: Scope<'_>,
    name: &str,
    levels: usize,
) -> Result<Option<Group>, StoreError> {
    let mut ids = vec![name.to_owned()];
    let mut met: HashSet<String> = HashSet::from([name.to_owned()]);
    let mut level = ids.clone();
    for _ in 1..levels {
        let mut next = Vec::new();
        for child in members_that_are_groups(tx, groups, &level).await? {
            if met.insert(child.clone()) {
                next.push(child);
            }
        }
        ids.extend(next.iter().cloned());
        if ids.len() > MAX_BELOW {
            return Ok(None);
        }
        level = next;
        if level.is_empty() {
            break;
        }
    }
    if !level.is_empty() && levels > 1 {
        tracing::debug!(
            levels,
            "groups further down than the limit of levels do not count for a filter, if there are any"
        );
    }
    let few = members_up_to(tx, groups, &ids, FEW_MEMBERS).await? < FEW_MEMBERS;
    Ok(Some(Group { ids, few }))
}

async fn members_that_are_groups(
    tx: &mut Tx,
    groups: Scope<'_>,
    ids: &[String],
) -> Result<Vec<String>, StoreError> {
    let few = members_up_to(tx, groups, ids, FEW_TO_LOOK_UP).await? < FEW_TO_LOOK_UP;
    // SQLite takes the tables of a CROSS JOIN in this order: of a few members each is looked up among the
    // groups, and otherwise each group among the members.
    let tables = match few {
        true => "members AS m CROSS JOIN resources AS g",
        false => "resources AS g CROSS JOIN members AS m",
    };
    let mut found = Vec::new();
    for batch in batches(ids) {
        let select = Statement::new(format!(
            "SELECT DISTINCT g.id FROM {tables} WHERE m.tenant = ?1 AND m.type = ?2 AND m.id IN ({}) \
             AND g.tenant = ?1 AND g.type = ?2 AND g.id = m.member",
            places(3, batch.len())
        ))
        .text(groups.tenant.as_str())
        .text(groups.schema.name());
        let select = batch.iter().fold(select, |select, id| select.text(id));
        found.extend(select.rows::<(String,)>(tx).await?.into_iter().map(|(id,)| id));
    }
    Ok(found)
}

/// How many members the groups have, as far as `most`.
async fn members_up_to(tx: &mut Tx, groups: Scope<'_>, ids: &[String], most: i64) -> Result<i64, StoreError> {
    let mut number = 0;
    for batch in batches(ids) {
        let count = Statement::new(format!(
            "SELECT count(*) FROM (SELECT 1 FROM members WHERE tenant = ?1 AND type = ?2 AND id IN ({}) \
             LIMIT ?{}) AS found",
            places(3, batch.len()),
            batch.len() + 3
        ))
        .text(groups.tenant.as_str())
        .text(groups.schema.name());
        let count = batch.iter().fold(count, |count, id| count.text(id)).number(most);
        number += count.row::<(i64,)>(tx).await?.map_or(0, |(number,)| number);
        if number >= most {
            break;
        }
    }
    Ok(number)
}

/// The most groups of one filter about which SQL decides.
const MAX_NAMED: usize = 16;
/// The most groups below one about which SQL decides.
const MAX_BELOW: usize = 64;
/// Fewer members than this are looked up one by one.
const FEW_TO_LOOK_UP: i64 = 1_000;
const FEW_MEMBERS: i64 = 10_000;
