//! A resource without some of its references, and what it lacks then (RFC 7644 §3.7.1).
//!
//! Of resources that refer to one another in a circle, one must be created before what it refers
//! to has an `id`. It is created without the values that refer there: elements of a multi-valued
//! attribute, or a single value as a whole. A PATCH adds them when the circle is there.

use super::references::refers;
use crate::message::PATCH_OP;
use crate::schema::{Attribute, Mutability, ResourceSchema};
use crate::value::{Object, Value};

/// Takes out of `data`, the resource of a POST, the values with a reference that `unknown` says
/// yes to, and returns them as the data of a PATCH that adds them.
pub(super) fn take_out(
    schema: &ResourceSchema,
    data: &mut Value,
    unknown: &dyn Fn(&str) -> bool,
) -> Option<Value> {
    let members = data.as_object_mut()?;
    let mut added = take_out_of(members, unknown, &|name| schema.find(None, name));
    for (name, value) in members.iter_mut() {
        if let (Some(extension), Some(members)) = (schema.extension(name.as_str()), value.as_object_mut()) {
            let taken = take_out_of(members, unknown, &|name| extension.attribute(name));
            if !taken.is_empty() {
                added.insert(extension.id.as_str(), taken);
            }
        }
    }
    (!added.is_empty()).then(|| {
        let operation: Object = [("op", Value::from("add")), ("value", added.into())].into_iter().collect();
        let schemas = vec![Value::from(PATCH_OP)];
        let message = [("schemas", Value::Array(schemas)), ("Operations", vec![operation.into()].into())];
        message.into_iter().collect::<Object>().into()
    })
}

fn take_out_of<'s>(
    members: &mut Object,
    unknown: &dyn Fn(&str) -> bool,
    attribute: &dyn Fn(&str) -> Option<&'s Attribute>,
) -> Object {
    let mut taken = Vec::new();
    members.retain(|name, value| {
        let attribute = attribute(name.as_str()).filter(|it| is_written(it));
        let Some(attribute) = attribute.filter(|attribute| refers(attribute, value, unknown)) else {
            return true;
        };
        let (out, left) = match std::mem::take(value) {
            Value::Array(elements) => {
                let refers = |element: &Value| refers(attribute, element, unknown);
                let (out, left) = elements.into_iter().partition(refers);
                (Value::Array(out), Value::Array(left))
            }
            one => (one, Value::Null),
        };
        taken.push((name.clone(), out));
        *value = left;
        !value.is_unassigned()
    });
    taken.into_iter().collect()
}

/// Calls `found` with the value of each attribute of `data` that a client may write, and whether
/// the resource can be created without what of it refers to anything: whether the attribute is
/// not required, or keeps values.
pub(super) fn attributes(
    schema: &ResourceSchema,
    data: &mut Value,
    found: &mut dyn FnMut(&Attribute, &mut Value, bool),
) {
    let Some(members) = data.as_object_mut() else { return };
    for (name, value) in members.iter_mut() {
        if let Some(attribute) = schema.find(None, name.as_str()).filter(|it| is_written(it)) {
            let deferrable = !attribute.required || keeps_values(attribute, value);
            found(attribute, value, deferrable);
            continue;
        }
        let Some(extension) = schema.extension(name.as_str()) else { continue };
        let listed = schema.resource_type().schema_extensions.iter();
        let required =
            listed.filter(|it| it.required).any(|it| it.schema.eq_ignore_ascii_case(&extension.id));
        for (name, value) in value.as_object_mut().into_iter().flat_map(Object::iter_mut) {
            if let Some(attribute) = extension.attribute(name.as_str()).filter(|it| is_written(it)) {
                let deferrable = !(attribute.required || required) || keeps_values(attribute, value);
                found(attribute, value, deferrable);
            }
        }
    }
}

/// Whether what a client sends of this attribute counts.
fn is_written(attribute: &Attribute) -> bool {
    attribute.mutability != Mutability::ReadOnly
}

/// Whether the values that refer to nothing are some.
fn keeps_values(attribute: &Attribute, value: &Value) -> bool {
    let refers = |element: &Value| refers(attribute, element, &|_| true);
    value.as_array().is_some_and(|elements| elements.iter().any(|element| !refers(element)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::{Registry, SchemaExtension, builtin};

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    /// Users who must have a role, which is a resource, and the extension if told so. They have friends.
    fn registry(extension_required: bool) -> Registry {
        let mut user = builtin::user();
        let roles = user.attribute_mut("roles").unwrap();
        roles.required = true;
        roles.sub_attributes.push(Attribute::reference("$ref", ["Role"]));
        let mut friends = roles.clone();
        (friends.name, friends.required) = ("friends".to_owned(), false);
        user.attributes.push(friends);
        user.attributes.push(Attribute::reference("owner", ["User"]).required());
        let mut users = builtin::user_resource_type();
        users.schema_extensions =
            vec![SchemaExtension { schema: ENTERPRISE.to_owned(), required: extension_required }];
        Registry::new(vec![user, builtin::enterprise_user()], vec![users]).unwrap()
    }

    fn deferrable(registry: &Registry, data: serde_json::Value) -> Vec<bool> {
        let mut found = Vec::new();
        let mut data = Value::from(data);
        attributes(registry.by_name("User").unwrap(), &mut data, &mut |attribute, value, deferrable| {
            if refers(attribute, value, &|_| true) {
                found.push(deferrable);
            }
        });
        found
    }

    #[test]
    fn a_required_attribute_can_do_without_some_of_its_values_but_not_without_all() {
        let registry = registry(false);
        assert_eq!(deferrable(&registry, json!({"roles": [{"value": "bulkId:a"}]})), [false]);
        assert_eq!(deferrable(&registry, json!({"roles": [{"value": "bulkId:a"}, {"value": "b"}]})), [true]);
        assert_eq!(deferrable(&registry, json!({"roles": {"value": "bulkId:a"}})), [false]);
        assert_eq!(deferrable(&registry, json!({"friends": [{"value": "bulkId:a"}]})), [true]);
        assert_eq!(deferrable(&registry, json!({"owner": "bulkId:a"})), [false]);
        // What does not count, and what is no reference.
        let none = json!({
            "groups": ["bulkId:a"], "unheardOf": "bulkId:a", "userName": "bulkId:a", "emails": [{"value": "bulkId:a"}],
        });
        assert_eq!(deferrable(&registry, none), [false; 0]);
    }

    #[test]
    fn an_extension_that_is_required_may_not_be_left_out() {
        let data = json!({ENTERPRISE: {"manager": {"value": "bulkId:a"}}});
        assert_eq!(deferrable(&registry(false), data.clone()), [true]);
        assert_eq!(deferrable(&registry(true), data), [false]);
    }

    #[test]
    fn what_is_taken_out_is_what_a_patch_adds() {
        let registry = registry(false);
        let mut data = Value::from(json!({
            "userName": "a", "ROLES": [{"value": "b"}, {"value": "bulkId:later"}, {"value": "bulkId:now"}],
            "groups": ["bulkId:later"], "unheardOf": "bulkId:later", "friends": ["bulkId:later"],
            "title": "bulkId:later", ENTERPRISE: {"manager": {"value": "bulkId:later", "displayName": "x"}, "department": "d"},
        }));
        let user = registry.by_name("User").unwrap();
        let added = take_out(user, &mut data, &|bulk_id| bulk_id == "later").unwrap();
        assert_eq!(
            serde_json::Value::from(data.clone()),
            json!({
                "userName": "a", "ROLES": [{"value": "b"}, {"value": "bulkId:now"}],
                "groups": ["bulkId:later"], "unheardOf": "bulkId:later", "title": "bulkId:later",
                ENTERPRISE: {"department": "d"},
            })
        );
        assert_eq!(
            serde_json::Value::from(added),
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": "add", "value": {
                    "ROLES": [{"value": "bulkId:later"}], "friends": ["bulkId:later"],
                    ENTERPRISE: {"manager": {"value": "bulkId:later", "displayName": "x"}},
                }}],
            })
        );
        assert_eq!(take_out(user, &mut data, &|bulk_id| bulk_id == "later"), None);
    }
}
