//! The `groups` that a client must find at each user: computed here from the members of the groups. And what
//! it must find of each member: its type, and the URI made of that; and of each manager.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::BASE_URL;

/// Gives the users among `resources`, which are by path, the groups they are in.
pub(super) fn complete(resources: &mut BTreeMap<String, Value>) {
    let groups: Vec<Value> = resources
        .iter()
        .filter(|(path, group)| path.starts_with("/Groups/") && !group.is_null())
        .map(|(_, group)| group.clone())
        .collect();
    for (path, user) in resources {
        let Some(user) = user.as_object_mut().filter(|_| path.starts_with("/Users/")) else { continue };
        let found = groups_of(&user["id"], &groups);
        user.remove("groups");
        if !found.is_empty() {
            user.insert("groups".to_owned(), found.into());
        }
    }
}

fn groups_of(id: &Value, groups: &[Value]) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    let mut level = vec![id.clone()];
    let mut kind = "direct";
    while !level.is_empty() {
        let has = |group: &&Value| {
            let members = group["members"].as_array().map(Vec::as_slice).unwrap_or_default();
            members.iter().any(|member| level.contains(&member["value"]))
        };
        let is_new = |group: &&Value| !found.iter().any(|other| other["value"] == group["id"]);
        let next: Vec<&Value> = groups.iter().filter(has).filter(is_new).collect();
        found.extend(next.iter().map(|group| {
            let id = group["id"].as_str().unwrap();
            json!({
                "value": id,
                "$ref": format!("{BASE_URL}/Groups/{id}"),
                "display": group["displayName"],
                "type": kind,
            })
        }));
        level = next.iter().map(|group| group["id"].clone()).collect();
        kind = "indirect";
    }
    found
}

/// The manager of a user, by a JSON pointer.
pub(super) const MANAGER: &str = "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager";

/// Gives the members of a group what the service says of them: those who were members `before` have the type that they
/// had, others that of what they are. And the manager of a user its URI.
pub(super) fn settle(group: &mut Value, before: &Value, groups: &[String]) {
    let was = before["members"].as_array().map(Vec::as_slice).unwrap_or_default();
    for member in group.get_mut("members").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(id) = member["value"].as_str().map(str::to_owned) else { continue };
        let kind = match was.iter().find(|was| was["value"] == *id) {
            Some(was) => was["type"].as_str().map(str::to_owned),
            None if groups.contains(&id) => Some("Group".to_owned()),
            None => Some("User".to_owned()),
        };
        let Some(member) = member.as_object_mut() else { continue };
        member.remove("type");
        member.remove("$ref");
        if let Some(kind) = kind {
            member.insert("$ref".to_owned(), json!(format!("{BASE_URL}/{kind}s/{id}")));
            member.insert("type".to_owned(), json!(kind));
        }
    }
    let Some(manager) = group.pointer_mut(MANAGER).and_then(Value::as_object_mut) else { return };
    if let Some(id) = manager.get("value").and_then(Value::as_str).map(str::to_owned) {
        manager.insert("$ref".to_owned(), json!(format!("{BASE_URL}/Users/{id}")));
    }
}
