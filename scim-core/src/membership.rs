//! Who is in which group.
//!
//! A group is a resource with `members`, each of which names a resource by its `id` (RFC 7643 §4.2).

use scim_filter::compare;

use crate::schema::{Attribute, AttributeType, ResourceSchema};
use crate::store::Deletion;
use crate::value::Value;
use crate::{Resource, ResourceId};

/// The attribute that makes a resource a group.
pub(crate) const MEMBERS: &str = "members";

/// `members.value`, where resources of the type are groups.
pub(crate) fn member_value(schema: &ResourceSchema) -> Option<&Attribute> {
    let members = schema.find(None, MEMBERS)?;
    let is_list = members.kind == AttributeType::Complex && members.multi_valued;
    members.sub_attribute("value").filter(|_| is_list)
}

/// The texts by which a group names its members.
pub(crate) fn member_ids(members: Option<&Value>) -> impl Iterator<Item = &str> {
    members.and_then(Value::as_array).into_iter().flatten().filter_map(member_id)
}

/// The text by which a group names this member.
pub(crate) fn member_id(member: &Value) -> Option<&str> {
    member.as_object()?.get("value")?.as_str()
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
/// let deletion = Deletion { expected: None, groups: &types, last_modified: "2026-02-02T00:00:00Z" };
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
