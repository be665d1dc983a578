//! Resources that refer to one another in a circle (RFC 7644 §3.7.1).

use scim_core::membership::Nesting;
use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::schema::{Attribute, Registry, ResourceType, Schema, builtin};
use scim_core::service::PatchResponse;
use scim_core::{Config, Error, Resource};
use serde_json::{Value, json};

use super::{ENTERPRISE, USER, patch, post_group, post_user};
use crate::support::{config, server, server_with};

fn managed(bulk_id: &str, name: &str, manager: &str) -> Value {
    json!({
        "method": "POST", "path": "/Users", "bulkId": bulk_id,
        "data": {"schemas": [USER, ENTERPRISE], "userName": name, ENTERPRISE: {"manager": {"value": manager}}},
    })
}

#[test]
fn a_circle_is_broken_once_however_long_it_is() {
    let server = server();
    let names: Vec<String> = (0..30).map(|number| format!("g{number}")).collect();
    let operations: Value = (0..30)
        .map(|at| post_group(&names[at], &names[at], &[&format!("bulkId:{}", names[(at + 1) % 30])]))
        .collect();
    let bulk = server.bulk(operations);
    for at in 0..30 {
        assert_eq!(server.members(&bulk.id(at)), [bulk.id((at + 1) % 30)]);
        let version = if at == 0 { "W/\"2\"" } else { "W/\"1\"" };
        assert_eq!(bulk.results[at]["version"], version, "{at}");
    }
}

/// Where groups may not be in one another in circles, none of a circle is left.
#[test]
fn a_circle_of_groups_is_refused_where_none_may_be() {
    let server = server_with(Config { nesting: Nesting::NoCircle, ..config() });
    let bulk = server.bulk(json!([
        post_group("a", "a", &["bulkId:b"]),
        post_group("b", "b", &["bulkId:c"]),
        post_group("c", "c", &["bulkId:a"]),
        post_group("d", "d", &["bulkId:e"]),
        post_group("e", "e", &[]),
    ]));
    assert_eq!(bulk.statuses(), ["400", "409", "409", "201", "201"]);
    let refused = &bulk.results[0]["response"];
    assert_eq!(refused["scimType"], "invalidValue");
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.ends_with(", which has the group as a member, directly or through other groups"),
        "{detail}"
    );
    let groups = server.get("/Groups?attributes=displayName").json();
    let mut left: Vec<&str> = groups["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["displayName"].as_str().unwrap())
        .collect();
    left.sort_unstable();
    assert_eq!(left, ["d", "e"]);
}

#[test]
fn a_resource_may_refer_to_itself() {
    let server = server();
    let bulk =
        server.bulk(json!([managed("a", "a", "bulkId:a"), post_group("g", "g", &["bulkId:g", "bulkId:a"])]));
    assert_eq!(bulk.statuses(), ["201", "201"]);
    let (user, group) = (bulk.id(0), bulk.id(1));
    assert_eq!(server.get(&format!("/Users/{user}")).json()[ENTERPRISE]["manager"]["value"], json!(user));
    assert_eq!(server.members(&group), [user, group]);
}

#[test]
fn circles_of_several_types_in_extensions_and_without_patch() {
    let config = Config { patch_response: PatchResponse::NoContent, ..config() };
    for patch in [true, false] {
        let mut config = config.clone();
        config.capabilities.patch = patch;
        config.leniencies = scim_core::leniency::Leniencies::strict();
        let server = server_with(config);
        let mut boss = managed("boss", "boss", "bulkId:g");
        // What counts for nothing here is no hindrance when the circle is completed.
        boss["data"]["groups"] = json!([{"value": "bulkId:g"}]);
        boss["data"]["meta"] = json!({"location": "bulkId:boss"});
        let bulk = server.bulk(json!([
            boss,
            managed("a", "a", "bulkId:boss"),
            post_group("g", "g", &["bulkId:a", "bulkId:boss"]),
        ]));
        assert_eq!(bulk.statuses(), ["201"; 3], "{}", bulk.answer.text);
        let [boss, a, group] = [0, 1, 2].map(|index| bulk.id(index));
        let manager =
            |id: &str| server.get(&format!("/Users/{id}")).json()[ENTERPRISE]["manager"]["value"].clone();
        assert_eq!(manager(&boss), json!(group));
        assert_eq!(manager(&a), json!(boss));
        assert_eq!(server.members(&group), [boss, a]);
    }
}

#[test]
fn a_circle_is_made_as_a_whole_or_not_at_all() {
    let server = server();
    server.user("taken");
    let bulk = server.bulk(json!([
        post_group("g", "g", &["bulkId:h"]),
        post_group("h", "h", &["bulkId:u", "bulkId:g"]),
        managed("u", "Taken", "bulkId:g"),
        post_group("outside", "outside", &["bulkId:h"]),
        patch("/Groups/bulkId:g", json!([{"op": "remove", "path": "members"}])),
        post_group("unconcerned", "unconcerned", &[]),
    ]));
    assert_eq!(bulk.statuses(), ["409", "409", "409", "409", "409", "201"]);
    bulk.refused(2, 409, Some("uniqueness"), "another resource has the same value of `userName`");
    for index in [0, 1] {
        bulk.refused(index, 409, None, "`bulkId:u`, to which it refers in a circle, could not be created");
        assert_eq!(bulk.results[index].get("location"), None);
    }
    bulk.refused(3, 409, None, "`bulkId:h` has no resource: the operation that creates it did not succeed");
    let list = server.get("/Groups").json();
    assert_eq!(
        (&list["totalResults"], &list["Resources"][0]["displayName"]),
        (&json!(1), &json!("unconcerned"))
    );
    assert_eq!(server.get("/Users").json()["totalResults"], 1);
}

#[test]
fn a_circle_that_refers_to_what_was_not_created_is_not_begun() {
    let server = server();
    server.user("taken");
    let bulk = server.bulk(json!([
        post_group("g", "g", &["bulkId:h"]),
        post_group("h", "h", &["bulkId:g", "bulkId:u"]),
        post_user("u", "taken"),
    ]));
    assert_eq!(bulk.statuses(), ["409"; 3]);
    bulk.refused(1, 409, None, "`bulkId:u` has no resource: the operation that creates it did not succeed");
    bulk.refused(0, 409, None, "`bulkId:h`, to which it refers in a circle, could not be created");
    // Ids are made up for what is created: none was.
    assert_eq!(server.user("next")["id"], "id-3");
}

/// Groups may be created, but not changed to have "Closed" as their name's beginning.
struct Closed;

impl Policy for Closed {
    fn admit(&self, _: &Context<'_>, write: Write<'_>, resource: &mut Resource) -> Result<Admission, Error> {
        let name = resource.get("displayName").and_then(|name| name.as_str()).unwrap_or_default();
        match write {
            Write::Patch(_) if name.starts_with("Closed") => {
                Err(Error::new(http::StatusCode::FORBIDDEN, "the group is closed"))
            }
            Write::Patch(_) if name.starts_with("Gone") => Ok(Admission::Delete),
            Write::Create if name.starts_with("Never") => Ok(Admission::Delete),
            _ => Ok(Admission::Store),
        }
    }
}

#[test]
fn a_circle_that_the_policy_does_not_let_be_completed_is_taken_back() {
    for (name, statuses) in
        [("Closed", ["403", "409", "409"]), ("Gone", ["204", "409", "409"]), ("Never", ["204", "409", "409"])]
    {
        let server = server().with_policy(Closed);
        let bulk = server.bulk(json!([
            post_group("g", name, &["bulkId:h"]),
            post_group("h", "h", &["bulkId:g"]),
            post_group("outside", "outside", &["bulkId:h"]),
        ]));
        assert_eq!(bulk.statuses(), statuses, "{}", bulk.answer.text);
        assert!(bulk.results.iter().all(|result| result.get("location").is_none()), "{}", bulk.answer.text);
        assert_eq!(server.get("/Groups").json()["totalResults"], 0, "{name}");
    }
}

/// Projects that must have a lead, and may have parts.
fn projects() -> Config {
    let reference = |name: &str| {
        let parts = [Attribute::string("value"), Attribute::reference("$ref", ["User", "Project"])];
        Attribute::complex(name, parts)
    };
    let schema = Schema {
        id: "urn:example:Project".to_owned(),
        name: "Project".to_owned(),
        description: String::new(),
        attributes: vec![reference("lead").required(), reference("parts").multi_valued()],
    };
    let mut project: ResourceType = builtin::group_resource_type();
    project.name = "Project".to_owned();
    project.endpoint = "/Projects".to_owned();
    project.schema = schema.id.clone();
    let types = vec![builtin::user_resource_type(), project];
    let schemas = vec![builtin::user(), builtin::enterprise_user(), schema];
    Config { registry: Registry::new(schemas, types).unwrap(), ..config() }
}

fn project(bulk_id: &str, lead: &str) -> Value {
    json!({
        "method": "POST", "path": "/Projects", "bulkId": bulk_id,
        "data": {"schemas": ["urn:example:Project"], "lead": {"value": lead}},
    })
}

#[test]
fn a_circle_is_broken_where_the_reference_is_not_required() {
    let server = server_with(projects());
    let bulk = server.bulk(json!([project("p", "bulkId:u"), managed("u", "u", "bulkId:p")]));
    assert_eq!(bulk.statuses(), ["201", "201"], "{}", bulk.answer.text);
    let versions: Vec<_> = bulk.results.iter().map(|result| result["version"].clone()).collect();
    assert_eq!(versions, ["W/\"1\"", "W/\"2\""]);
    let project = server.get(&format!("/Projects/{}", bulk.id(0))).json();
    assert_eq!(project["lead"]["value"], json!(bulk.id(1)));
}

#[test]
fn a_circle_of_required_references_is_409() {
    let server = server_with(projects());
    let bulk = server.bulk(json!([
        project("p", "bulkId:q"),
        project("q", "bulkId:p"),
        managed("u", "u", "bulkId:p")
    ]));
    assert_eq!(bulk.statuses(), ["409"; 3]);
    for index in [0, 1] {
        let detail =
            "the circular reference cannot be resolved: each of these resources requires another one";
        bulk.refused(index, 409, None, detail);
    }
    assert_eq!(server.get("/Projects").json()["totalResults"], 0);
}

#[test]
fn other_values_are_there_from_the_start() {
    let server = server();
    server.user("old");
    let bulk = server.bulk(json!([
        post_group("g", "g", &["id-1", "bulkId:h", "bulkId:new"]),
        post_group("h", "h", &["bulkId:g"]),
        post_user("new", "new"),
    ]));
    assert_eq!(bulk.statuses(), ["201"; 3]);
    let mut members = vec!["id-1".to_owned(), bulk.id(1), bulk.id(2)];
    members.sort();
    assert_eq!(server.members(&bulk.id(0)), members);
}
