//! Canonical values (RFC 7643 §7): suggestions, or all that there is, as the service provider decides.

use scim_core::schema::{Registry, builtin};
use scim_core::validate::CanonicalValues;
use scim_core::{Config, MemoryStore};
use serde_json::json;

use super::characteristics::{registry, specimen};
use super::support::{Answer, Server, config, member, server_over, server_with};

fn server(canonical_values: CanonicalValues) -> Server {
    server_with(Config { registry: registry(), canonical_values, ..config() })
}

fn path(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text);
    format!("/Specimens/{}", answer.json()["id"].as_str().unwrap())
}

const COLOURS: &str = "must be one of `red`, `green`, `blue`, not";
const PARTS: &str = "must be one of `leaf`, `root`, not";

#[test]
fn no_other_is_written_where_they_are_all() {
    let server = server(CanonicalValues::Only);
    let refuse = |answer: Answer, detail: &str| answer.refused(400, Some("invalidValue"), detail);
    let purple = format!("`colour` {COLOURS} `purple`");
    refuse(server.post("/Specimens", specimen("a", json!({"colour": "purple"}))), &purple);
    // In whatever case, since the attribute is not caseExact.
    let made = server.post("/Specimens", specimen("a", json!({"colour": "Red", "parts": [{"value": "1"}]})));
    let path = path(&made);
    refuse(server.put(&path, specimen("a", json!({"colour": "purple"}))), &purple);
    let stem = json!({"value": "2", "type": "stem"});
    refuse(
        server.put(&path, specimen("a", json!({"parts": [{"value": "1", "type": "leaf"}, stem]}))),
        &format!("`parts[1].type` {PARTS} `stem`"),
    );
    for (operation, detail) in [
        (json!({"op": "replace", "path": "colour", "value": "purple"}), purple.clone()),
        (json!({"op": "replace", "value": {"colour": "purple"}}), purple.clone()),
        (json!({"op": "add", "path": "parts", "value": [stem]}), format!("`parts[1].type` {PARTS} `stem`")),
        (
            json!({"op": "replace", "path": "parts[value eq \"1\"].type", "value": "stem"}),
            format!("`parts[0].type` {PARTS} `stem`"),
        ),
    ] {
        refuse(server.patch(&path, json!([operation])), &detail);
    }
    let patched = server.patch(&path, json!([{"op": "replace", "path": "colour", "value": "blue"}]));
    assert_eq!(patched.status, 200);
    assert_eq!(server.get(&path).json()["colour"], json!("blue"));
    let of_users = server.post(
        "/Users",
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann",
            "emails": [{"value": "a@example.com", "type": "vacation"}]}),
    );
    refuse(of_users, "`emails[0].type` must be one of `work`, `home`, `other`, not `vacation`");
}

/// What a resource has already, from before the rule or by another program, is no reason to refuse what it does not
/// concern.
#[test]
fn what_is_there_stays() {
    let store = MemoryStore::new();
    let over = |canonical_values| {
        server_over(store.clone(), Config { registry: registry(), canonical_values, ..config() })
    };
    let stem = json!({"value": "1", "type": "stem"});
    let free = over(CanonicalValues::Suggested);
    let path = path(&free.post("/Specimens", specimen("a", json!({"colour": "purple", "parts": [stem]}))));
    let strict = over(CanonicalValues::Only);
    let more = json!([{"op": "add", "path": "parts", "value": [{"value": "2", "type": "leaf"}]}]);
    assert_eq!(strict.patch(&path, more).status, 200);
    let both = json!({"colour": "purple", "number": 7, "parts": [{"value": "2", "type": "root"}, stem]});
    assert_eq!(strict.put(&path, specimen("a", both)).status, 200);
    let other = json!([{"op": "replace", "path": "parts[value eq \"2\"].type", "value": "stem"}]);
    strict.patch(&path, other).refused(400, Some("invalidValue"), &format!("`parts[0].type` {PARTS} `stem`"));
}

/// The service says of which type members are, so that what is sent is passed over and not judged.
#[test]
fn the_type_of_a_member_is_judged_as_it_is_kept() {
    let canonical_values = CanonicalValues::Only;
    for check_members in [true, false] {
        let server = server_with(Config { check_members, canonical_values, ..config() });
        server.user("ann");
        server.user("bob");
        let sent = |id: &str| json!({"value": id, "type": "user_reference"});
        let kept = |id: &str| if check_members { member(id) } else { json!({"value": id}) };
        let group = |members: serde_json::Value| json!({"schemas": [builtin::GROUP], "displayName": "g", "members": members});
        let made = server.post("/Groups", group(json!([sent("id-1")])));
        assert_eq!(made.json()["members"], json!([kept("id-1")]), "{}", made.text);
        let path = format!("/Groups/{}", made.json()["id"].as_str().unwrap());
        let both = json!([kept("id-1"), kept("id-2")]);
        let add = json!([{"op": "add", "path": "members", "value": [sent("id-2")]}]);
        assert_eq!(server.patch(&path, add).json()["members"], both);
        let put = server.put(&path, group(json!([sent("id-1"), sent("id-2")])));
        assert_eq!(put.json()["members"], both, "{}", put.text);
        let all = json!([{"op": "replace", "path": "members", "value": [sent("id-2")]}]);
        assert_eq!(server.patch(&path, all).json()["members"], json!([kept("id-2")]));
        let put = server.put(&path, group(json!([sent("id-1"), kept("id-2")])));
        assert_eq!(put.json()["members"], json!([kept("id-1"), kept("id-2")]), "{}", put.text);
    }

    // What they are found to be has to be canonical, whatever is sent.
    let mut schema = builtin::group();
    let members = schema.attributes.iter_mut().find(|attribute| attribute.name == "members").unwrap();
    let kind = members.sub_attributes.iter_mut().find(|sub| sub.name == "type").unwrap();
    kind.canonical_values = vec!["User".to_owned()];
    let types = vec![builtin::user_resource_type(), builtin::group_resource_type()];
    let schemas = vec![builtin::user(), builtin::enterprise_user(), schema];
    let registry = Registry::new(schemas, types).unwrap();
    let server = server_with(Config { registry, canonical_values, ..config() });
    let inner = server.group("Inner", &[]);
    let outer = server.group("Outer", &[]);
    let path = format!("/Groups/{}", outer["id"].as_str().unwrap());
    let said = json!({"value": inner["id"], "type": "User"});
    let detail = "`members.type` must be one of `User`, not `Group`";
    let add = json!([{"op": "add", "path": "members", "value": [said]}]);
    server.patch(&path, add).refused(400, Some("invalidValue"), detail);
    let body = json!({"schemas": [builtin::GROUP], "displayName": "g", "members": [said]});
    let detail = "`members[0].type` must be one of `User`, not `Group`";
    server.put(&path, body.clone()).refused(400, Some("invalidValue"), detail);
    server.post("/Groups", body).refused(400, Some("invalidValue"), detail);
    assert_eq!(server.get(&path).json(), outer);
}
