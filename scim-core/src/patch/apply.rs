//! A change put onto a resource.

use super::{Change, Delta, Write};
use crate::Resource;
use crate::value::{Object, Value};

/// Puts `change` onto `resource`; returns whether anything became different.
pub(super) fn apply(change: &Change, resource: &mut Resource) -> bool {
    let mut changed = false;
    for write in &change.writes {
        changed |= put(write, resource);
    }
    for delta in &change.deltas {
        changed |= put_delta(delta, resource);
    }
    changed
}

/// Writes one attribute of `resource`; returns whether it became different.
pub(crate) fn put(write: &Write, resource: &mut Resource) -> bool {
    let Some(extension) = &write.extension else {
        return put_member(&mut resource.0, &write.attribute, write.value.as_ref());
    };
    let Some(Value::Object(object)) = resource.0.get_mut(extension) else {
        // A value that is no object cannot be one of an extension's; it gives way.
        let mut object = Object::new();
        let changed = put_member(&mut object, &write.attribute, write.value.as_ref());
        if changed {
            resource.0.insert(&**extension, object);
        }
        return changed;
    };
    let changed = put_member(object, &write.attribute, write.value.as_ref());
    if object.is_empty() {
        resource.0.remove(extension);
    }
    changed
}

fn put_member(object: &mut Object, name: &str, value: Option<&Value>) -> bool {
    match value {
        None => object.remove(name).is_some(),
        Some(value) if object.get(name) == Some(value) => false,
        Some(value) => {
            object.insert(name, value.clone());
            true
        }
    }
}

/// Puts `delta` onto `resource`; returns whether anything became different.
pub(crate) fn put_delta(delta: &Delta, resource: &mut Resource) -> bool {
    if let Some(Value::Array(values)) = resource.0.get_mut(&delta.attribute) {
        let changed = delta.apply(values);
        if values.is_empty() {
            resource.0.remove(&delta.attribute);
        }
        return changed;
    }
    let mut values = Vec::new();
    delta.apply(&mut values);
    if values.is_empty() {
        return false;
    }
    resource.0.insert(&*delta.attribute, values);
    true
}
