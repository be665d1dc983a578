//! RFC 7644 §3.5.2 on a plain JSON tree, for the operations of the laws, without a thought for speed.

use std::collections::BTreeMap;

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

/// The members of a group by their `value`.
pub(crate) type Members = BTreeMap<String, Json>;

/// The same for operations on members.
pub(crate) fn run_members(before: &Members, operations: &[Json]) -> Option<Members> {
    let (mut now, mut replaced) = (before.clone(), false);
    for operation in operations {
        let (op, path) = (operation["op"].as_str()?, operation["path"].as_str()?);
        let listed = || operation["value"].as_array().cloned().unwrap_or_default();
        let filter = path.strip_prefix("members[").and_then(|rest| rest.split(']').next());
        match (op, filter) {
            ("remove", Some(filter)) => now.retain(|_, member| !selects(filter, member)),
            ("remove", None) if operation.get("value").is_some() => {
                listed().iter().for_each(|member| drop(now.remove(member["value"].as_str().unwrap())));
            }
            (_, None) => {
                if op != "add" {
                    (now, replaced) = (Members::new(), true);
                }
                for member in listed() {
                    let key = member["value"].as_str()?.to_owned();
                    // Who was there comes back as before.
                    let was = before.get(&key).filter(|_| !replaced).cloned();
                    now.entry(key).or_insert_with(|| was.unwrap_or(member));
                }
            }
            (_, Some(filter)) => {
                let selected = now.values_mut().filter(|member| selects(filter, member));
                let mut found = false;
                for member in selected {
                    found = true;
                    let name = &operation["value"];
                    // It is immutable.
                    if member.get("display").is_some_and(|display| display != name) {
                        return None;
                    }
                    member["display"] = name.clone();
                }
                if !found {
                    return None;
                }
            }
        }
    }
    if replaced {
        for (key, member) in &mut now {
            if let Some(before) = before.get(key).and_then(Json::as_object) {
                before.iter().for_each(|(name, was)| member[name] = was.clone());
            }
        }
    }
    Some(now)
}

/// Whether a filter of the states selects the member: terms with `and` between them, and `or` between these.
fn selects(filter: &str, member: &Json) -> bool {
    if let Some(filter) = filter.strip_prefix("not (") {
        return !selects(filter.trim_end_matches(')'), member);
    }
    let term = |term: &str| {
        let parts: Vec<&str> = term.split(' ').collect();
        let (found, wanted) = (member[parts[0]].as_str().unwrap_or_default(), parts[2].trim_matches('"'));
        match parts[1] {
            "sw" => found.starts_with(wanted),
            _ => found == wanted,
        }
    };
    filter.split(" or ").any(|terms| terms.split(" and ").all(term))
}
