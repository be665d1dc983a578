//! Who is in which group.
//!
//! A group is a resource with `members`, each of which names a resource by its `id` (RFC 7643 §4.2).
//! The other direction, the `groups` of a user, is computed: the groups that have the user as a member
//! are the *direct* ones, and the groups that these are members of, over any number of groups up to
//! a limit, the *indirect* ones (§4.1.2). Groups may be members of one another in a circle (RFC 7644
//! §3.7.1 has an example), so every search for groups looks at each of them once.

mod ancestry;

pub use ancestry::{Ancestry, Ask, Hierarchy, Membership};

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use scim_filter::{BindOptions, BoundExpr, BoundFilter, BoundTerm, Filter, compare};

use crate::projection::Projection;
use crate::query::Query;
use crate::schema::{Attribute, AttributeType, Mutability, Registry, ResourceSchema};
use crate::store::{Deletion, StoreError};
use crate::value::{Object, Value};
use crate::{Resource, ResourceId};

/// Which groups may be members of a group.
///
/// It is asked of what a request adds. Circles do no harm: `groups` is computed with them as without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nesting {
    /// Any: a service provider "MUST try to resolve circular cross-references" (RFC 7644 §3.7.1), and
    /// the example there is of two groups that are members of one another.
    #[default]
    Any,
    /// Any but the group itself.
    NotItself,
    /// Those of which the group is no member, neither directly nor through other groups, however many.
    ///
    /// It also holds for requests at the same moment that only together close a circle, if the store
    /// [sees to it](crate::Store::checks_circles), as [`MemoryStore`](crate::MemoryStore) does.
    NoCircle,
    /// None: no member is a group.
    Flat,
}

/// The attribute that makes a resource a group.
pub(crate) const MEMBERS: &str = "members";
/// The attribute that lists the groups of a resource.
pub(crate) const GROUPS: &str = "groups";
/// The sub-attribute of a member that says of which type it is.
pub(crate) const TYPE: &str = "type";
/// The sub-attribute of a member that is its URI.
pub(crate) const REFERENCE: &str = "$ref";

/// `members.value`, where resources of the type are groups.
pub(crate) fn member_value(schema: &ResourceSchema) -> Option<&Attribute> {
    let members = schema.find(None, MEMBERS)?;
    let is_list = members.kind == AttributeType::Complex && members.multi_valued;
    members.sub_attribute("value").filter(|_| is_list)
}

/// `members.$ref`, where resources of the type are groups. The service provider writes it (RFC 7643 §2.4: the URI
/// of the target resource), so it is no part of what is stored.
pub(crate) fn member_reference(schema: &ResourceSchema) -> Option<&Attribute> {
    member_value(schema)?;
    let reference = schema.find(None, MEMBERS)?.sub_attribute(REFERENCE)?;
    Some(reference).filter(|reference| reference.kind == AttributeType::Reference && !reference.required)
}

/// `members.type`, where resources of the type are groups.
pub(crate) fn member_type(schema: &ResourceSchema) -> Option<&Attribute> {
    member_value(schema)?;
    let kind = schema.find(None, MEMBERS)?.sub_attribute(TYPE)?;
    Some(kind).filter(|kind| kind.kind == AttributeType::String && !kind.multi_valued)
}

/// The resource types that members of a group may be of, by `referenceTypes` of `members.$ref`; all of them where the
/// schema does not say.
pub(crate) fn member_types<'r>(
    registry: &'r Registry,
    schema: &'r ResourceSchema,
) -> impl Iterator<Item = &'r Arc<ResourceSchema>> {
    let members = schema.find(None, MEMBERS);
    let reference = members.and_then(|members| members.sub_attribute(REFERENCE));
    let named = reference.map(|reference| &*reference.reference_types).unwrap_or_default();
    let may_be =
        |schema: &&Arc<ResourceSchema>| named.is_empty() || named.iter().any(|name| name == schema.name());
    registry.resource_types().filter(may_be)
}

/// Takes the URIs out of what a client says of members.
pub(crate) fn drop_references(schema: &ResourceSchema, resource: &mut Object) {
    let members = resource.get_mut(MEMBERS).and_then(Value::as_array_mut);
    let members = members.filter(|_| member_reference(schema).is_some());
    members.into_iter().flatten().for_each(drop_reference);
}

/// Takes the URI out of what a client says of a member.
pub(crate) fn drop_reference(member: &mut Value) {
    if let Value::Object(member) = member {
        member.remove(REFERENCE);
    }
}

/// The attribute that lists the groups of a resource, where the service is to compute it: `groups`,
/// which no client can write.
pub(crate) fn groups_attribute(schema: &ResourceSchema) -> Option<&Attribute> {
    let groups = schema.find(None, GROUPS)?;
    let is_list = groups.kind == AttributeType::Complex && groups.multi_valued;
    let computed = is_list && groups.mutability == Mutability::ReadOnly;
    groups.sub_attribute("value").filter(|_| computed).map(|_| groups)
}

/// Whether `filter` looks at the groups of the resources anywhere.
pub fn mentions_groups(filter: &BoundFilter) -> bool {
    let mut open = Vec::new();
    let mut next = Some(filter.expr());
    while let Some(expr) = next {
        match expr {
            BoundExpr::And(terms) | BoundExpr::Or(terms) => open.extend(terms.map(BoundTerm::expr)),
            BoundExpr::Not(term) => open.push(term.expr()),
            BoundExpr::Compare(attr, ..) | BoundExpr::Present(attr) | BoundExpr::ValuePath(attr, _) => {
                if attr.extension.is_none() && attr.name.matches(GROUPS) {
                    return true;
                }
            }
        }
        next = open.pop();
    }
    false
}

/// Puts these in place of the values of `groups`.
pub(crate) fn put_groups(resource: &mut Resource, groups: Vec<Value>) {
    resource.0.remove(GROUPS);
    if groups.is_empty() {
        return;
    }
    let meta = resource.0.remove("meta");
    resource.0.insert(GROUPS, groups);
    if let Some(meta) = meta {
        resource.0.insert("meta", meta);
    }
}

/// The members.
pub(crate) fn members_of(members: Option<&Value>) -> impl Iterator<Item = &Value> {
    members.and_then(Value::as_array).into_iter().flatten()
}

/// The texts by which a group names its members.
pub(crate) fn member_ids(members: Option<&Value>) -> impl Iterator<Item = &str> {
    members_of(members).filter_map(member_id)
}

/// The text by which a group names this member.
pub(crate) fn member_id(member: &Value) -> Option<&str> {
    member.as_object()?.get("value")?.as_str()
}

/// The query for the groups of a type that have the member, with what [`Membership::of`] needs of each.
pub(crate) fn groups_with(schema: &ResourceSchema, member: &ResourceId) -> Result<Query, StoreError> {
    let internal = |error: &dyn std::fmt::Display| StoreError::Internal(error.to_string().into());
    let text = format!("{MEMBERS}.value eq {}", Value::from(member.as_str()));
    let filter = Filter::parse(&text).map_err(|error| internal(&error))?;
    let filter = filter.bind(schema, &BindOptions::default()).map_err(|error| internal(&error))?;
    let projection =
        Projection::parse(schema, Some("displayName"), None).map_err(|error| internal(&error))?;
    Ok(Query { filter: Some(filter), projection, count: usize::MAX, ..Query::default() })
}

/// Which of `members` are members of `group`, each once.
pub(crate) fn among(schema: &ResourceSchema, group: &Resource, members: &[ResourceId]) -> Vec<ResourceId> {
    let Some(value) = member_value(schema) else { return Vec::new() };
    let key = |text| if value.case_exact { Cow::Borrowed(text) } else { compare::fold(text) };
    let mut there: HashSet<Cow<'_, str>> = member_ids(group.get(MEMBERS)).map(key).collect();
    members.iter().filter(|member| there.remove(&key(member.as_str()))).cloned().collect()
}

impl Membership {
    /// That `member` is in the group; `None` for a group without `id`.
    pub fn of(member: &ResourceId, group: &Resource) -> Option<Self> {
        let display = group.get("displayName").and_then(Value::as_str).map(str::to_owned);
        Some(Self { member: member.clone(), group: group.id()?, display })
    }
}

/// Takes the deleted resource `id` out of the groups that have it as a member, and gives each of these
/// its next version: for stores that keep resources in lists. It looks at every member.
///
/// `groups` are resources of one of the [types of groups](Deletion::groups), `schema`.
///
/// ```
/// use scim_core::schema::Registry;
/// use scim_core::store::Deletion;
/// use scim_core::{Resource, ResourceId, Value, Version, membership};
///
/// let registry = Registry::standard();
/// let types = registry.group_types(registry.by_name("User").expect("a standard type"));
/// let group: Value = r#"{"id": "g", "members": [{"value": "1"}, {"value": "2"}], "meta": {"version": "W/\"7\""}}"#.parse()?;
/// let mut groups = [Resource(group.as_object().cloned().unwrap_or_default())];
///
/// let last_modified = "2026-02-02T00:00:00Z";
/// let deletion = Deletion { expected: None, groups: &types, last_modified, left: None, members: None };
/// membership::leave(&types[0], &mut groups, &ResourceId::new("1"), &deletion);
/// assert_eq!(groups[0].get("members"), Some(&r#"[{"value": "2"}]"#.parse()?));
/// assert_eq!(groups[0].version(), Some(Version(8)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn leave<'r>(
    schema: &ResourceSchema,
    groups: impl IntoIterator<Item = &'r mut Resource>,
    id: &ResourceId,
    deletion: &Deletion<'_>,
) {
    for group in groups {
        if remove_member(schema, group, id) {
            deletion.stamp(group);
        }
    }
}

/// Takes the member `id` out of a group; whether it was one.
pub(crate) fn remove_member(schema: &ResourceSchema, group: &mut Resource, id: &ResourceId) -> bool {
    let Some(value) = member_value(schema) else { return false };
    let Some(Value::Array(members)) = group.0.get_mut(MEMBERS) else { return false };
    let before = members.len();
    members.retain(|member| !member_id(member).is_some_and(|text| names(value, text, id.as_str())));
    let changed = members.len() != before;
    if members.is_empty() {
        group.0.remove(MEMBERS);
    }
    changed
}

/// Whether two texts of `attribute` are the same.
fn names(attribute: &Attribute, text: &str, other: &str) -> bool {
    text == other || (!attribute.case_exact && compare::fold(text) == compare::fold(other))
}
