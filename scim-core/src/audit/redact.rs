//! Values without the secrets in them.

use super::change::Shown;
use crate::schema::{Attribute, AttributeType};
use crate::value::{Object, Value};

/// What stands in the place of a secret.
pub(super) const REDACTED: &str = "[redacted]";

/// A copy of a value of `attribute`, which is called `name`, without secrets; one that no schema defines
/// is secret as a whole.
pub(super) fn redact(attribute: Option<&Attribute>, name: &str, value: &Value) -> Shown {
    let Some(attribute) = attribute.filter(|attribute| !is_secret(attribute, name)) else {
        return Shown { value: REDACTED.into(), redacted: true };
    };
    let mut redacted = false;
    let value = match value {
        Value::Array(elements) => {
            let element = |element| element_of(attribute, element, &mut redacted);
            Value::Array(elements.iter().map(element).collect())
        }
        value => element_of(attribute, value, &mut redacted),
    };
    Shown { value, redacted }
}

/// Whether nothing of the values may be shown.
pub(super) fn is_secret(attribute: &Attribute, name: &str) -> bool {
    attribute.is_sensitive() || name.eq_ignore_ascii_case("password")
}

/// One value, where it is of the kind that the schema says: a complex one, or one without parts.
fn element_of(attribute: &Attribute, value: &Value, redacted: &mut bool) -> Value {
    match value {
        Value::Object(object) if attribute.kind == AttributeType::Complex => {
            Value::Object(object_of(attribute, object, redacted))
        }
        Value::Object(_) | Value::Array(_) => hide(redacted),
        _ if attribute.kind == AttributeType::Complex && !matches!(value, Value::Null) => hide(redacted),
        simple => simple.clone(),
    }
}

fn object_of(attribute: &Attribute, object: &Object, redacted: &mut bool) -> Object {
    let shown = |(name, value): (&scim_filter::AttrName, &Value)| {
        let sub = attribute.sub_attribute(name.as_str());
        let value = match sub.filter(|sub| !is_secret(sub, name.as_str())) {
            None => hide(redacted),
            Some(_)
                if value.values().iter().any(|value| matches!(value, Value::Object(_) | Value::Array(_))) =>
            {
                hide(redacted)
            }
            Some(_) => value.clone(),
        };
        (name.clone(), value)
    };
    object.iter().map(shown).collect()
}

fn hide(redacted: &mut bool) -> Value {
    *redacted = true;
    REDACTED.into()
}
