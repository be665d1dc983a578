//! RFC 7644 §3.5.2 on a plain JSON tree, for the operations of the laws, without a thought for speed.

use scim_core::schema::builtin;
use serde_json::{Map, Value as Json, json};

use crate::states::EMPLOYEE_NUMBER;

pub(crate) fn run(mut user: Json, operations: &[Json]) -> Option<Json> {
    for operation in operations {
        step(user.as_object_mut()?, operation)?;
    }
    let extended = user.get(builtin::ENTERPRISE_USER).is_some();
    let known = user["schemas"].as_array()?.len() > 1;
    if extended != known {
        user["schemas"] = match extended {
            true => json!([builtin::USER, builtin::ENTERPRISE_USER]),
            false => json!([builtin::USER]),
        };
    }
    Some(user)
}

fn step(user: &mut Map<String, Json>, operation: &Json) -> Option<()> {
    let path = operation["path"].as_str()?;
    let value = operation.get("value");
    match (path, value) {
        ("userName", None) => return None,
        ("emails", Some(list)) => {
            let before = if operation["op"] == "add" { emails(user) } else { Vec::new() };
            let added = list.as_array()?.first()?;
            write_emails(user, add_email(before, added));
        }
        ("name", Some(sub)) => {
            set(user, "name", "familyName", sub["familyName"].clone());
        }
        ("title", Some(value)) => {
            user.insert("title".into(), value.clone());
        }
        ("name" | "emails" | "title", None) => {
            user.remove(path);
        }
        (EMPLOYEE_NUMBER, Some(value)) => {
            set(user, builtin::ENTERPRISE_USER, "employeeNumber", value.clone())
        }
        (EMPLOYEE_NUMBER, None) => clear(user, builtin::ENTERPRISE_USER, "employeeNumber"),
        (path, value) if path.starts_with("emails[") => return filtered(user, path, value),
        (path, Some(value)) => set(user, "name", path.split('.').next_back()?, value.clone()),
        (path, None) => clear(user, "name", path.split('.').next_back()?),
    }
    Some(())
}

fn filtered(user: &mut Map<String, Json>, path: &str, value: Option<&Json>) -> Option<()> {
    let kind = path.split('"').nth(1)?;
    let mut list = emails(user);
    let Some(value) = value else {
        list.retain(|email| email["type"] != kind);
        write_emails(user, list);
        return Some(());
    };
    let sub = path.rsplit('.').next()?;
    if !list.iter().any(|email| email["type"] == kind) {
        // No filter of this kind names a `value`, so the service makes the element.
        list.push(json!({"type": kind}));
    }
    let last = list.iter().rposition(|email| email["type"] == kind)?;
    for (place, email) in list.iter_mut().enumerate() {
        if email["type"] == kind {
            email[sub] = value.clone();
        }
        let demoted =
            sub == "primary" && *value == json!(true) && place != last && email["primary"] == json!(true);
        if demoted {
            email["primary"] = json!(false);
        }
    }
    write_emails(user, list);
    Some(())
}

fn add_email(mut list: Vec<Json>, added: &Json) -> Vec<Json> {
    let same =
        list.iter().position(|email| email["value"] == added["value"] && email["type"] == added["type"]);
    let place = match same {
        Some(place) => {
            if let Some(primary) = added.get("primary") {
                list[place]["primary"] = primary.clone();
            }
            place
        }
        None => {
            list.push(added.clone());
            list.len() - 1
        }
    };
    if added.get("primary") == Some(&json!(true)) {
        for (other, email) in list.iter_mut().enumerate() {
            if other != place && email.get("primary") == Some(&json!(true)) {
                email["primary"] = json!(false);
            }
        }
    }
    list
}

fn emails(user: &Map<String, Json>) -> Vec<Json> {
    user.get("emails").and_then(Json::as_array).cloned().unwrap_or_default()
}

fn write_emails(user: &mut Map<String, Json>, list: Vec<Json>) {
    if list.is_empty() {
        user.remove("emails");
    } else {
        user.insert("emails".into(), list.into());
    }
}

fn set(user: &mut Map<String, Json>, name: &str, sub: &str, value: Json) {
    user.entry(name).or_insert_with(|| json!({}))[sub] = value;
}

fn clear(user: &mut Map<String, Json>, name: &str, sub: &str) {
    let Some(object) = user.get_mut(name).and_then(Json::as_object_mut) else { return };
    object.remove(sub);
    if object.is_empty() {
        user.remove(name);
    }
}
