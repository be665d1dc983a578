//! What of a user PagerDuty's rules look at.

use scim_core::{Object, Value};

use super::roles::{Role, role};

/// The attribute whose only element is the role.
pub(super) const ROLES: &str = "roles";
/// The attribute whose only element is the licence.
pub(super) const ENTITLEMENTS: &str = "entitlements";

pub(super) fn first<'u>(user: &'u Object, attribute: &str) -> Option<&'u Object> {
    user.get(attribute).and_then(Value::as_array).and_then(<[Value]>::first).and_then(Value::as_object)
}

/// The `value` of the first element of `attribute`.
pub(super) fn text_of<'u>(user: &'u Object, attribute: &str) -> Option<&'u str> {
    first(user, attribute).and_then(|element| element.get("value")).and_then(Value::as_str)
}

pub(super) fn value_of(element: &Value) -> Option<&str> {
    element.as_object().and_then(|object| object.get("value")).and_then(Value::as_str)
}

pub(super) fn role_of(user: &Object) -> Option<&'static Role> {
    text_of(user, ROLES).and_then(role)
}

/// The licence `id` as `entitlements` have it.
pub(super) fn entitlements(id: &str) -> Vec<Value> {
    let mut element = Object::new();
    element.insert("type", "license");
    element.insert("value", id);
    vec![Value::Object(element)]
}
