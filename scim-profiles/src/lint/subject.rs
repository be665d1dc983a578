//! Which type of resource a payload is of, where it does not say so itself.

use scim_core::schema::builtin;
use scim_core::{Object, Value};

use crate::rule::Payload;

/// The attribute that groups have and users have not (RFC 7643 §4.2).
const MEMBERS: &str = "members";

/// Where a payload speaks of `members`, which makes it that of a group: in the path of an operation of a PATCH, or as
/// an attribute of a value or of the resource.
pub(crate) fn members(payload: Payload, value: &Value) -> Option<String> {
    let object = value.as_object()?;
    match payload {
        Payload::Create | Payload::Replace => object.get(MEMBERS).map(|_| MEMBERS.to_owned()),
        Payload::Patch => {
            let operations = object.get("Operations").and_then(Value::as_array)?;
            let places = operations.iter().map(|operation| operation.as_object().and_then(in_operation));
            places.enumerate().find_map(|(index, place)| Some(format!("Operations[{index}].{}", place?)))
        }
        Payload::Bulk => None,
    }
}

/// The member of an operation that speaks of `members`.
fn in_operation(operation: &Object) -> Option<&'static str> {
    let path = operation.get("path").and_then(Value::as_str).unwrap_or_default();
    let in_value = || {
        let value = operation.get("value").and_then(Value::as_object);
        value.is_some_and(|value| value.iter().any(|(name, _)| leads_to_members(name.as_str())))
    };
    match path {
        path if leads_to_members(path) => Some("path"),
        // No path, in the spellings that are taken for none: what the value has are attributes by name.
        "" | "None" if in_value() => Some("value"),
        _ => None,
    }
}

/// Whether a path begins with `members`, or with the URI of the schema of groups.
fn leads_to_members(path: &str) -> bool {
    let path = path.trim_start();
    if path.get(..builtin::GROUP.len()).is_some_and(|start| start.eq_ignore_ascii_case(builtin::GROUP)) {
        return true;
    }
    let name = path.split(|c: char| matches!(c, '[' | '.') || c.is_whitespace()).next();
    name.is_some_and(|name| name.eq_ignore_ascii_case(MEMBERS))
}

#[cfg(test)]
mod tests {
    use super::leads_to_members;

    #[test]
    fn a_path_leads_to_members_by_its_first_name() {
        for path in [
            "members",
            "Members[value eq \"x\"]",
            "members.value",
            " members [value pr]",
            "urn:ietf:params:scim:schemas:core:2.0:Group:members",
            "URN:ietf:params:scim:schemas:core:2.0:group",
        ] {
            assert!(leads_to_members(path), "{path}");
        }
        for path in ["", "member", "membership", "name.members", "emails[members eq 1]", "urn:é"] {
            assert!(!leads_to_members(path), "{path}");
        }
    }
}
