//! The provider as incident.io, over real HTTP: what groups give, seen from outside.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use scim_profiles::incident_io::EFFECTIVE_ACCESS;
use serde_json::{Value, json};
use support::{Client, GROUP, Server, USER, id};

const MAPPING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/incident-io/mapping.toml");

fn user(client: &Client, name: &str) -> String {
    let user = json!({"schemas": [USER], "userName": format!("{name}@example.com")});
    id(&client.post("/Users", user).expect(201)).to_owned()
}

fn access(client: &Client, id: &str) -> Value {
    client.get(&format!("/Users/{id}")).expect(200)[EFFECTIVE_ACCESS].clone()
}

#[test]
fn groups_give_roles_and_seats_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("incident-io.db");
    // Without a mapping groups give nothing.
    let server = Server::start(&file, &["--profile", "incident-io"]);
    let client = &server.client;
    let (ada, chen) = (user(client, "ada"), user(client, "chen"));
    let group =
        |name: &str, members: Value| json!({"schemas": [GROUP], "displayName": name, "members": members});
    client.post("/Groups", group("Platform Leads", json!([{"value": ada}]))).expect(201);
    let standard = json!({"baseRole": "standard", "responderSeat": false, "onCallSeat": "none"});
    assert_eq!(access(client, &ada), standard);
    server.stop();

    let server = Server::start(&file, &["--profile", "incident-io", "--mapping", MAPPING]);
    let client = &server.client;
    let owner = json!({"baseRole": "owner", "responderSeat": true, "onCallSeat": "none"});
    assert_eq!(access(client, &ada), owner);
    let managers = client.post("/Groups", group("Incident Managers", json!([]))).expect(201);
    let path = format!("/Groups/{}", id(&managers));
    client.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": chen}]}])).expect(200);
    let on_call = client.post("/Groups", group("On-call Engineers", json!([{"value": chen}]))).expect(201);
    let admin = json!({
        "baseRole": "admin",
        "customRoles": ["Workflow Editor"],
        "permissions": ["manage workflows"],
        "responderSeat": true,
        "onCallSeat": "managed",
    });
    assert_eq!(access(client, &chen), admin);

    // Entra ID's way of taking somebody out of a group, and the end of another.
    let legacy = json!([{"op": "Remove", "path": "members", "value": [{"value": chen}]}]);
    client.patch(&path, legacy).expect(200);
    client.delete(&format!("/Groups/{}", id(&on_call))).expect(204);
    let kept = json!({"baseRole": "standard", "responderSeat": true, "onCallSeat": "held"});
    assert_eq!(access(client, &chen), kept);
    let filter = format!("{EFFECTIVE_ACCESS}:onCallSeat eq \"held\"");
    assert_eq!(client.count("/Users", &filter), 1);

    // Nobody writes it, and deactivating somebody does not take it.
    let grab = json!([{"op": "replace", "path": format!("{EFFECTIVE_ACCESS}:baseRole"), "value": "owner"}]);
    client.patch(&format!("/Users/{chen}"), grab).expect(400);
    client
        .patch(&format!("/Users/{chen}"), json!([{"op": "replace", "value": {"active": false}}]))
        .expect(200);
    assert_eq!(access(client, &chen), kept);
    server.stop();
    let server = Server::start(&file, &["--profile", "incident-io", "--mapping", MAPPING]);
    assert_eq!(access(&server.client, &chen), kept);
    assert_eq!(access(&server.client, &ada), owner);
}

/// Everybody is put into four groups at the same time, as by an identity provider that pushes groups in
/// parallel, and has in the end what all four give.
#[test]
fn groups_pushed_at_the_same_time_all_count() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("incident-io.db");
    let server = Server::start(&file, &["--profile", "incident-io", "--mapping", MAPPING]);
    let client = &server.client;
    let people: Vec<String> = (0..5).map(|number| user(client, &format!("p{number}"))).collect();
    let names = ["Platform Leads", "Incident Managers", "IT", "On-call Engineers"];
    let groups = names.map(|name| {
        let group = client.post("/Groups", json!({"schemas": [GROUP], "displayName": name})).expect(201);
        format!("/Groups/{}", id(&group))
    });
    std::thread::scope(|scope| {
        for group in &groups {
            let (base, people) = (client.base().to_owned(), &people);
            scope.spawn(move || {
                let client = Client::new(&base);
                for person in people {
                    let join = json!([{"op": "add", "path": "members", "value": [{"value": person}]}]);
                    client.patch(group, join).expect(200);
                }
            });
        }
    });
    let all = json!({
        "baseRole": "owner",
        "customRoles": ["Security", "Workflow Editor"],
        "permissions": ["manage security settings", "manage workflows"],
        "onCallSeat": "managed",
    });
    for person in &people {
        let mut access = access(client, person);
        // Whether a responder's seat was needed depends on which group was first.
        access.as_object_mut().unwrap().remove("responderSeat");
        assert_eq!(access, all);
    }
}
