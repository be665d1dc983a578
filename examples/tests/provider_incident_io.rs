//! The provider as incident.io, over real HTTP: what groups give, seen from outside.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use std::path::Path;
use std::process::Command;

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
    let standard =
        json!({"active": true, "baseRole": "standard", "responderSeat": false, "onCallSeat": "none"});
    assert_eq!(access(client, &ada), standard);
    server.stop();

    let server = Server::start(&file, &["--profile", "incident-io", "--mapping", MAPPING]);
    let client = &server.client;
    let owner = json!({"active": true, "baseRole": "owner", "responderSeat": true, "onCallSeat": "none"});
    assert_eq!(access(client, &ada), owner);
    let managers = client.post("/Groups", group("Incident Managers", json!([]))).expect(201);
    let path = format!("/Groups/{}", id(&managers));
    client.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": chen}]}])).expect(200);
    let on_call = client.post("/Groups", group("On-call Engineers", json!([{"value": chen}]))).expect(201);
    let admin = json!({
        "active": true,
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
    let kept = |active: bool| json!({"active": active, "baseRole": "standard", "responderSeat": true, "onCallSeat": "held"});
    assert_eq!(access(client, &chen), kept(true));
    let filter = format!("{EFFECTIVE_ACCESS}:onCallSeat eq \"held\"");
    assert_eq!(client.count("/Users", &filter), 1);

    // Nobody writes it, and deactivating somebody does not take it.
    let grab = json!([{"op": "replace", "path": format!("{EFFECTIVE_ACCESS}:baseRole"), "value": "owner"}]);
    client.patch(&format!("/Users/{chen}"), grab).expect(400);
    client
        .patch(&format!("/Users/{chen}"), json!([{"op": "replace", "value": {"active": false}}]))
        .expect(200);
    assert_eq!(access(client, &chen), kept(false));
    server.stop();
    let server = Server::start(&file, &["--profile", "incident-io", "--mapping", MAPPING]);
    assert_eq!(access(&server.client, &chen), kept(false));
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
        "active": true,
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

/// Who is active in Slack stays active when the identity provider takes them out, over either store: `active` is
/// what the identity provider says, and the access is written with it.
#[test]
fn who_is_active_in_slack_stays_active() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let slack = written("slack.txt", "# of today\n\n ADA@example.com \r\n");
    let guard = written("guard.toml", "[deactivations]\nwindow = \"24h\"\ncount = 0\n");
    let arguments = ["--profile", "incident-io", "--mapping", MAPPING, "--active-in-slack", &slack];
    let guarded = [&arguments[..], &["--guard", &guard]].concat();
    let database = folder.path().join("incident-io.db");
    for server in [Server::start_with(&[&["--memory-store"], &guarded[..]].concat()), {
        Server::start(&database, &guarded)
    }] {
        let client = &server.client;
        let (ada, chen) = (user(client, "ada"), user(client, "chen"));
        let leads = json!({"schemas": [GROUP], "displayName": "Platform Leads", "members": [{"value": ada}]});
        client.post("/Groups", leads).expect(201);
        let path = format!("/Users/{ada}");
        let assign = |is: bool| client.patch(&path, json!([{"op": "replace", "value": {"active": is}}]));
        let stays = assign(false);
        assert_eq!(stays.header("etag"), stays.body["meta"]["version"].as_str());
        let stays = stays.expect(200);
        let expected =
            json!({"active": true, "baseRole": "standard", "responderSeat": true, "onCallSeat": "none"});
        assert_eq!((&stays["active"], &stays[EFFECTIVE_ACCESS]), (&json!(false), &expected));
        assert_eq!(client.get(&path).expect(200), stays);
        assert_eq!(assign(false).expect(200), stays, "is no change");
        let active = |is: bool| format!("{EFFECTIVE_ACCESS}:active eq {is}");
        assert_eq!(
            (client.count("/Users", &active(true)), client.count("/Users", "active eq false")),
            (2, 1)
        );
        // Nobody else may be deactivated.
        let path = format!("/Users/{chen}");
        let put = json!({"schemas": [USER], "userName": "chen@example.com", "active": false});
        client.put(&path, put).expect(403);

        let again = assign(true).expect(200);
        let owner = json!({"active": true, "baseRole": "owner", "responderSeat": true, "onCallSeat": "none"});
        assert_eq!((&again["active"], &again[EFFECTIVE_ACCESS]), (&json!(true), &owner));
        assert_eq!(client.get(&format!("/Users/{ada}")).expect(200), again);
        assign(false).expect(200);
        server.stop();
    }

    // Slack is read at start.
    let nobody = written("nobody.txt", "");
    for (slack, is_active) in [(&slack, true), (&nobody, false), (&slack, false)] {
        let arguments = ["--profile", "incident-io", "--mapping", MAPPING, "--active-in-slack", slack];
        let server = Server::start(&database, &arguments);
        let found = format!("{EFFECTIVE_ACCESS}:active eq {is_active} and userName eq \"ada@example.com\"");
        assert_eq!(server.client.count("/Users", &found), 1, "{slack}");
        server.stop();
    }
}

/// What does not say who is active in Slack is refused before anything is served.
#[test]
fn a_file_that_does_not_say_who_is_in_slack_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slack.txt");
    let told = |profile: &str| {
        let mut provider = Command::new(support::program("provider"));
        provider.args(["--listen", "127.0.0.1:0", "--memory-store", "--profile", profile]);
        let output =
            provider.arg("--active-in-slack").arg(&file).env_remove("DATABASE_URL").output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(told("generic"), "error: `--active-in-slack` needs `--profile incident-io`\n");
    let shown = Path::new(&file).display().to_string();
    assert!(told("incident-io").starts_with(&format!("error: cannot read `{shown}`: ")));
    for (text, line, shown_line) in [
        ("ada@example.com\nbruno\n", 2, "bruno"),
        ("email,status\n", 1, "email,status"),
        ("# all\n\nada@example.com, bruno@example.com\n", 3, "ada@example.com, bruno@example.com"),
        ("Ada <ada@example.com>\n", 1, "Ada <ada@example.com>"),
        ("@example.com\n", 1, "@example.com"),
        ("ada@\u{7}\n", 1, "ada@\\u{7}"),
        ("ada@example@com\n", 1, "ada@example@com"),
    ] {
        std::fs::write(&file, text).unwrap();
        let expected = format!(
            "error: `{shown}` does not say who is active in Slack: line {line}: `{shown_line}` is not one e-mail \
             address\n"
        );
        assert_eq!(told("incident-io"), expected);
    }
    std::fs::write(&file, b"ad\xffa@example.com\n").unwrap();
    assert!(told("incident-io").contains("valid UTF-8"));
}

/// Another mapping, or none, takes roles away as a push does: guards judge it, and nobody is told of a start by which an
/// owner would be none.
#[test]
fn a_start_with_another_mapping_is_guarded() {
    let folder = tempfile::tempdir().unwrap();
    let (file, guard) = (folder.path().join("incident-io.db"), folder.path().join("guard.toml"));
    std::fs::write(&guard, "[protected]\nroles = [\"owner\"]\n").unwrap();
    let guard = guard.to_str().unwrap();
    let options = ["--profile", "incident-io", "--guard", guard];
    let with_mapping = [&options[..], &["--mapping", MAPPING]].concat();
    let server = Server::start(&file, &with_mapping);
    let ada = user(&server.client, "ada");
    let leads = json!({"schemas": [GROUP], "displayName": "Platform Leads", "members": [{"value": ada}]});
    server.client.post("/Groups", leads).expect(201);
    server.stop();

    let program = || {
        let mut provider = Command::new(support::program("provider"));
        provider.env_remove("DATABASE_URL");
        provider
    };
    let refused = |more: &[&str]| {
        let mut provider = program();
        provider.args(["--listen", "127.0.0.1:0", "--database"]).arg(&file).args(options).args(more);
        let started = provider.output().unwrap();
        assert!(!started.status.success() && started.stdout.is_empty(), "{started:?}");
        String::from_utf8(started.stderr).unwrap()
    };
    let no_owner = "no group is mapped to owner";
    let told = refused(&["--without-mapping"]);
    assert!(!told.contains(no_owner), "{told}");
    assert!(told.contains("the access that the mapping says: "), "{told}");
    assert!(told.contains("the role `owner` of the user `ada@example.com` is protected"), "{told}");
    let other = folder.path().join("other.toml");
    std::fs::write(&other, "[[groups]]\nname = \"IT\"\nbase_role = \"admin\"\n").unwrap();
    let told = refused(&["--mapping", other.to_str().unwrap()]);
    assert!(told.contains("WARN") && told.contains(no_owner), "{told}");
    assert!(told.contains("the role `owner` of the user `ada@example.com` is protected"), "{told}");
    let server = Server::start(&file, &with_mapping);
    assert_eq!(access(&server.client, &ada)["baseRole"], "owner");
    server.stop();

    let lift = ["guard", "lift", "--protected", "--for", "30m", "--database"];
    assert!(program().args(lift).arg(&file).output().unwrap().status.success());
    let server = Server::start(&file, &[&options[..], &["--without-mapping"]].concat());
    assert_eq!(access(&server.client, &ada)["baseRole"], "standard");
    server.stop();
}

/// An option that was forgotten takes nobody's roles away: where a mapping gave some, that there is none is to be said.
#[test]
fn a_start_without_the_mapping_of_before_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let without = |file: &Path| {
        let mut provider = Command::new(support::program("provider"));
        provider.args(["--listen", "127.0.0.1:0", "--profile", "incident-io", "--database"]).arg(file);
        provider.env_remove("DATABASE_URL").output().unwrap()
    };
    let refusal = "error: users have roles or seats by a mapping, and none is given: `--mapping FILE` keeps them, \
                   `--without-mapping` makes everybody Standard\n";
    let with_mapping = ["--profile", "incident-io", "--mapping", MAPPING];
    // The owner's role, an admin's, a custom role and an on-call seat.
    for group in ["Platform Leads", "Incident Managers", "IT", "On-call Engineers"] {
        let file = folder.path().join(format!("{group}.db"));
        let server = Server::start(&file, &with_mapping);
        let ada = user(&server.client, "ada");
        let members = json!([{"value": ada}]);
        let group = json!({"schemas": [GROUP], "displayName": group, "members": members});
        server.client.post("/Groups", group).expect(201);
        let given = access(&server.client, &ada);
        server.stop();

        let output = without(&file);
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().ends_with(refusal));
        let server = Server::start(&file, &with_mapping);
        assert_eq!(access(&server.client, &ada), given);
        server.stop();

        // It is said once: then nobody has anything by a mapping.
        let lifted = Server::start(&file, &["--profile", "incident-io", "--without-mapping"]);
        assert_eq!(access(&lifted.client, &ada)["baseRole"], "standard");
        lifted.stop();
        Server::start(&file, &["--profile", "incident-io"]).stop();
    }

    // Whoever is not assigned any more keeps roles whatever the mapping, and so they hold nothing up.
    let file = folder.path().join("left.db");
    let server = Server::start(&file, &with_mapping);
    let ada = user(&server.client, "ada");
    let group = json!({"schemas": [GROUP], "displayName": "Platform Leads", "members": [{"value": ada}]});
    server.client.post("/Groups", group).expect(201);
    let path = format!("/Users/{ada}");
    server.client.patch(&path, json!([{"op": "replace", "value": {"active": false}}])).expect(200);
    server.stop();
    let server = Server::start(&file, &["--profile", "incident-io"]);
    assert_eq!(access(&server.client, &ada)["baseRole"], "owner");
    server.stop();
}
