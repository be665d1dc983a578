//! Users and groups as identity providers push them.

use serde_json::json;

use crate::support::{Client, GROUP, USER, id};

/// A user as Okta creates one; its id.
pub(crate) fn okta_user(scim: &Client, email: &str) -> String {
    okta_user_called(scim, email, email)
}

/// The same with a userName that is not the e-mail address.
pub(crate) fn okta_user_called(scim: &Client, name: &str, email: &str) -> String {
    let user = json!({
        "schemas": [USER], "userName": name, "name": {"givenName": "A", "familyName": "B"},
        "emails": [{"primary": true, "value": email, "type": "work"}], "displayName": email,
        "locale": "en-US", "externalId": format!("00u-{email}"), "groups": [], "password": "1mz050nq", "active": true,
    });
    id(&scim.post("/Users", user).expect(201)).to_owned()
}

/// A group as Okta pushes one: made without members, which come by a PATCH, with the name again.
pub(crate) fn okta_group(scim: &Client, name: &str, members: &[&str]) -> String {
    let group =
        scim.post("/Groups", json!({"schemas": [GROUP], "displayName": name, "members": []})).expect(201);
    let group = id(&group).to_owned();
    okta_rename(scim, &group, name);
    if !members.is_empty() {
        okta_members(scim, &group, &[], members);
    }
    group
}

pub(crate) fn okta_rename(scim: &Client, group: &str, name: &str) {
    let rename = json!([{"op": "replace", "value": {"id": group, "displayName": name}}]);
    scim.patch(&format!("/Groups/{group}"), rename).expect(200);
}

pub(crate) fn okta_members(scim: &Client, group: &str, leave: &[&str], join: &[&str]) {
    let leave = leave.iter().map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}));
    let added: Vec<_> = join.iter().map(|id| json!({"value": id, "display": "somebody"})).collect();
    let join = (!added.is_empty()).then(|| json!({"op": "add", "path": "members", "value": added}));
    scim.patch(&format!("/Groups/{group}"), leave.chain(join).collect()).expect(200);
}

/// A group as Entra ID pushes one, with the operations of its older kind.
pub(crate) fn entra_group(scim: &Client, name: &str, members: &[&str]) -> String {
    let schema = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
    let group = json!({"schemas": [GROUP, schema], "externalId": format!("ext-{name}"), "displayName": name});
    let group = id(&scim.post("/Groups", group).expect(201)).to_owned();
    for member in members {
        entra_member(scim, &group, "Add", member);
    }
    group
}

pub(crate) fn entra_member(scim: &Client, group: &str, op: &str, member: &str) {
    let change = json!([{"op": op, "path": "members", "value": [{"$ref": null, "value": member}]}]);
    scim.patch(&format!("/Groups/{group}"), change).expect(200);
}
