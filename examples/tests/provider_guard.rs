//! The guards of `provider`: from a file, over HTTP, in the audit trail, lifted by an operator, between
//! servers, and after a crash.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod sql_support;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use proptest::test_runner::{Config, TestRunner};
use scim_core::TenantId;
use scim_examples::SqlStore;
use scim_profiles::Profile;
use scim_profiles::guard::{Ceiling, Charge, Charged, GuardLedger, Lift, MemoryLedger};
use serde_json::{Value, json};
use sql_support::Postgres;
use support::{Client, GROUP, Server, TOKEN, USER, id, user};

fn file(folder: &Path, text: &str) -> PathBuf {
    let file = folder.join("guard.toml");
    std::fs::write(&file, text).unwrap();
    file
}

/// What `provider` prints, started with these arguments: to standard output if it succeeds, and to
/// standard error if not.
fn program(arguments: &[&str]) -> Result<String, String> {
    let mut program = Command::new(support::program("provider"));
    let output = program.env_remove("DATABASE_URL").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn users(client: &Client, number: usize) -> Vec<String> {
    (0..number)
        .map(|number| id(&client.post("/Users", user(&format!("u{number}"))).expect(201)).to_owned())
        .collect()
}

fn delete(client: &Client, id: &str) -> u16 {
    client.delete(&format!("/Users/{id}")).status
}

const TWO: &str = "[deactivations]\nwindow = \"24h\"\ncount = 2\n[protected]\nusers = [\"u4\"]\n";

/// What counts, counts after a restart too; an operator sees and lifts it, and puts it back.
#[test]
fn an_operator_lifts_what_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (database, guard) = (folder.path().join("scim.db"), file(folder.path(), TWO));
    let (database, guard) = (database.to_str().unwrap(), guard.to_str().unwrap());
    let start = || Server::start(Path::new(database), &["--guard", guard]);
    let operate =
        |arguments: &[&str]| program(&[&["guard"], arguments, &["--database", database]].concat()).unwrap();
    let server = start();
    let ids = users(&server.client, 8);
    assert_eq!((delete(&server.client, &ids[0]), delete(&server.client, &ids[1])), (204, 204));
    let refused = server.client.delete(&format!("/Users/{}", ids[2]));
    assert_eq!(refused.status, 403);
    let detail = refused.body["detail"].as_str().unwrap();
    let expected = format!(
        "no more than 2 deactivations within 24h, and with this there would be 3; an operator lifts that with \
         `provider guard lift` and {IN_ENVIRONMENT}, and otherwise this is permitted not before "
    );
    assert!(detail.starts_with(&expected), "{detail}");
    server.stop();

    let server = start();
    let client = &server.client;
    assert_eq!(delete(client, &ids[2]), 403);
    assert_eq!(operate(&["show"]), "nothing is lifted\nguard-deactivations 2\n");
    let lifted = operate(&["lift", "--for", "30m"]);
    assert!(lifted.starts_with("ceilings are lifted until 2") && lifted.lines().count() == 2, "{lifted}");
    assert_eq!((delete(client, &ids[2]), delete(client, &ids[3])), (204, 204));
    let protected = client.delete(&format!("/Users/{}", ids[4])).expect(403);
    let detail = protected["detail"].as_str().unwrap();
    let expected = format!(
        "the user `u4` is protected: it cannot be deleted; an operator lifts that with \
         `provider guard lift --protected` and {IN_ENVIRONMENT} (guard-protected-user)"
    );
    assert_eq!(detail, expected);
    let url = format!("sqlite:{database}");
    assert!(
        support::typed_over(Some(&url), detail).starts_with("ceilings and protection are lifted until 2")
    );
    assert_eq!(delete(client, &ids[4]), 204);
    assert_eq!(operate(&["lift", "--tenant", "other"]).lines().count(), 1);
    assert_eq!(operate(&["restore"]), "nothing is lifted\nguard-deactivations 2\n");
    assert_eq!(delete(client, &ids[5]), 403);
    server.stop();

    let records = program(&["audit", "--database", database]).unwrap();
    let refused: Vec<Value> = records
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|record| record["effect"] == "refused")
        .collect();
    let rules: Vec<&str> = refused.iter().map(|record| record["rule"].as_str().unwrap()).collect();
    assert_eq!(
        rules,
        ["guard-deactivations", "guard-deactivations", "guard-protected-user", "guard-deactivations"]
    );
    let remedies: Vec<&str> = refused.iter().map(|record| record["remedy"].as_str().unwrap()).collect();
    let remedy = |protected| {
        format!("an operator lifts that with `provider guard lift{protected} --database {database}`")
    };
    assert_eq!(remedies, [remedy(""), remedy(""), remedy(" --protected"), remedy("")]);
    let of: Vec<&str> = refused.iter().map(|record| record["resource"].as_str().unwrap()).collect();
    assert_eq!(of, [&ids[2], &ids[2], &ids[4], &ids[5]]);
}

/// What clients read of where the database is.
const IN_ENVIRONMENT: &str =
    "this server's database in DATABASE_URL (the whole command is in its log and audit trail)";

/// Whatever the profile and wherever the database is, the command that a refusal names lifts the guard: to clients
/// without a word of where the database is, and to operators as it is typed.
#[test]
fn the_command_of_a_refusal_works_as_it_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let guard = file(folder.path(), "[deactivations]\nwindow = \"24h\"\ncount = 0\n");
    let guard = guard.to_str().unwrap();
    let database = folder.path().join("it's a database.db");
    let arguments = ["--profile", "incident-io", "--guard", guard];
    let server = Server::start(&database, &arguments);
    let url = format!("sqlite:{}", database.display());
    lifted_as_typed(&server.client, &url, &["it's", ".db", folder.path().to_str().unwrap()]);

    let Some(postgres) = Postgres::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = runtime.block_on(postgres.database("typed"));
    let server = Server::start_with(&["--guard", guard, "--database-url", &url]);
    let place = url.strip_prefix("postgres://").unwrap();
    lifted_as_typed(&server.client, &url, &[place, place.split_once('/').unwrap().0]);
}

/// Both commands of refusals lift the guards, one after the other; clients read none of `places`.
fn lifted_as_typed(client: &Client, url: &str, places: &[&str]) {
    let operate = |arguments: &[&str]| program(&[arguments, &["--database-url", url]].concat()).unwrap();
    let lifted = "ceilings are lifted until 2";
    let ids = users(client, 2);
    let refuse = |id: &str| {
        let refused = client.delete(&format!("/Users/{id}")).expect(403);
        let text = refused.to_string();
        assert!(!places.iter().any(|place| text.contains(place)), "{text}");
        refused["detail"].as_str().unwrap().to_owned()
    };
    assert!(support::typed_over(Some(url), &refuse(&ids[0])).starts_with(lifted));
    assert_eq!(delete(client, &ids[0]), 204);
    operate(&["guard", "restore"]);
    refuse(&ids[1]);
    let records = operate(&["audit"]);
    let last: Value = serde_json::from_str(records.lines().last().unwrap()).unwrap();
    assert!(support::typed(last["remedy"].as_str().unwrap()).starts_with(lifted));
    assert_eq!(delete(client, &ids[1]), 204);
}

/// Each profile refuses in its own form.
#[test]
fn with_each_profile() {
    let folder = tempfile::tempdir().unwrap();
    let none = file(folder.path(), "[deactivations]\nwindow = \"1h\"\ncount = 0\n");
    for profile in Profile::ALL {
        for store in [&["--database", ":memory:"][..], &["--memory-store"]] {
            let arguments = ["--profile", profile.name, "--guard", none.to_str().unwrap()];
            let server = Server::start_with(&[&arguments[..], store].concat());
            let name = "a@example.com";
            let user = json!({
                "schemas": [USER],
                "userName": name,
                "displayName": "A",
                "active": true,
                "name": {"formatted": "A"},
                "emails": [{"type": "work", "value": name, "primary": true}],
            });
            let least = json!({"schemas": [USER], "userName": name, "displayName": "A"});
            let made = match server.client.post("/Users", user) {
                made if made.status == 201 => made,
                // A vendor that refuses attributes it does not know.
                _ => server.client.post("/Users", least),
            };
            let path = format!("/Users/{}", id(&made.expect(201)));
            let operations = json!([{"op": "replace", "path": "active", "value": false}]);
            for refused in [server.client.patch(&path, operations), server.client.delete(&path)] {
                assert_eq!(refused.status, 403, "{}: {}", profile.name, refused.body);
                let text = refused.body.to_string();
                assert!(text.contains("by a start without `--guard`"), "{}: {text}", profile.name);
            }
            assert_ne!(server.client.get(&path).expect(200)["active"], false, "{}", profile.name);
        }
    }
}

/// incident.io's roles go with the groups that give them.
#[test]
fn with_a_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let guard = file(
        folder.path(),
        "[role_downgrades]\nwindow = \"1h\"\ncount = 1\n[protected]\nroles = [\"owner\", \"Security\"]\n",
    );
    let mapping = concat!(env!("CARGO_MANIFEST_DIR"), "/incident-io/mapping.toml");
    let arguments = ["--profile", "incident-io", "--mapping", mapping, "--guard", guard.to_str().unwrap()];
    let server = Server::in_memory(&arguments);
    let client = &server.client;
    let ids = users(client, 3);
    let group = |name: &str, members: &[String]| {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let group = json!({"schemas": [GROUP], "displayName": name, "members": members});
        format!("/Groups/{}", id(&client.post("/Groups", group).expect(201)))
    };
    let managers = group("Incident Managers", &ids);
    let leads = group("Platform Leads", &ids[..1]);
    let out = |ids: &[String]| {
        let members: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
        json!([{"op": "remove", "path": "members", "value": members}])
    };
    client.patch(&managers, out(&ids[1..])).expect(403);
    client.delete(&managers).expect(403);
    client.patch(&leads, out(&ids[..1])).expect(403);
    client.patch(&managers, out(&ids[2..])).expect(200);
    client.patch(&managers, out(&ids[1..2])).expect(403);
    server.stop();

    let unknown = file(folder.path(), "[protected]\nroles = [\"Secure\"]\n");
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--profile",
        "incident-io",
        "--memory-store",
        "--guard",
        unknown.to_str().unwrap(),
    ];
    let error = program(&arguments).unwrap_err();
    assert!(error.contains("`protected.roles` has `Secure`, which is no role of incident.io"), "{error}");
}

/// What is guarded of groups is refused where none are served, by PagerDuty and by Datadog without teams, and taken
/// where they are.
#[test]
fn guards_of_groups_need_groups() {
    let folder = tempfile::tempdir().unwrap();
    let removals = "[member_removals]\nwindow = \"1h\"\ncount = 1\n";
    let groups = "[protected]\ngroups = [\"Administrators\"]\n";
    let both = [removals, groups].concat();
    for (text, keys) in [
        (removals, "`member_removals`"),
        (groups, "`protected.groups`"),
        (&both, "`member_removals` and `protected.groups`"),
    ] {
        let guard = file(folder.path(), text);
        let guarded = ["--memory-store", "--guard", guard.to_str().unwrap()];
        for name in ["pagerduty", "datadog"] {
            let arguments = [&["--listen", "127.0.0.1:0", "--profile", name][..], &guarded].concat();
            let error = program(&arguments).unwrap_err();
            let expected = format!(
                "guard.toml`: {keys} would guard nothing: with the profile `{name}` as it is here, no groups are served"
            );
            assert!(error.contains(&expected), "{error}");
        }
        for profile in [&["datadog", "--teams"][..], &["generic"], &["incident-io"]] {
            Server::start_with(&[&["--profile"], profile, &guarded].concat()).stop();
        }
    }
}

/// Datadog's roles are those of the organisation, by UUID or by a name that one role alone has; a file that protects
/// any other protects nothing, and is refused.
#[test]
fn with_roles_of_an_organisation() {
    let folder = tempfile::tempdir().unwrap();
    let roles = concat!(env!("CARGO_MANIFEST_DIR"), "/datadog/roles.toml");
    let admin = "8c2a5f0e-0000-4000-8000-000000000001";
    let user = |name: &str, role: &str| {
        let roles = json!([{"value": role}]);
        json!({"schemas": [USER], "userName": format!("{name}@example.com"), "roles": roles})
    };
    for named in ["Datadog Admin Role", admin, &admin.to_uppercase()] {
        let guard = file(folder.path(), &format!("[protected]\nroles = [\"{named}\"]\n"));
        let arguments = ["--profile", "datadog", "--roles", roles, "--guard", guard.to_str().unwrap()];
        let server = Server::in_memory(&arguments);
        let made = |name, role| {
            format!("/Users/{}", id(&server.client.post("/Users", user(name, role)).expect(201)))
        };
        let ann = made("ann", admin);
        let bea = made("bea", "8c2a5f0e-0000-4000-8000-000000000004");
        let refused = server.client.delete(&ann).expect(403).to_string();
        assert!(refused.contains("is protected: whoever has it cannot be deleted"), "{named}: {refused}");
        server.client.put(&ann, user("ann", "8c2a5f0e-0000-4000-8000-000000000004")).expect(403);
        server.client.delete(&bea).expect(204);
        server.stop();
    }

    let twice = folder.path().join("roles.toml");
    let role =
        |last: u8| format!("[[roles]]\nid = \"8c2a5f0e-0000-4000-8000-00000000000{last}\"\nname = \"Ops\"\n");
    std::fs::write(&twice, role(1) + &role(2)).unwrap();
    let twice = twice.to_str().unwrap();
    for (roles, unknown) in [
        (Some(roles), "datadog admin role"),
        (Some(roles), "Admin"),
        (Some(roles), "8c2a5f0e-0000-4000-8000-00000000ffff"),
        (Some(twice), "Ops"),
        (None, "Datadog Admin Role"),
    ] {
        let guard = file(folder.path(), &format!("[protected]\nroles = [\"{unknown}\"]\n"));
        let mut arguments = vec!["--listen", "127.0.0.1:0", "--profile", "datadog", "--memory-store"];
        arguments.extend(["--guard", guard.to_str().unwrap()]);
        arguments.extend(roles.into_iter().flat_map(|file| ["--roles", file]));
        let error = program(&arguments).unwrap_err();
        let expected = format!("`protected.roles` has `{unknown}`, which is no role of Datadog");
        assert!(error.contains(&expected), "{error}");
    }
}

/// A file that cannot be used is said, before there is a database.
#[test]
fn a_bad_file_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("scim.db");
    let database = database.to_str().unwrap();
    for (text, message) in [
        ("", "does not say what is guarded: there is no ceiling in it, and nothing is protected"),
        ("[deactivations]\nwindow = \"1h\"", "`[deactivations]`: it has neither `count` nor `percent`"),
        ("[deactivations]\nwindow = \"soon\"\ncount = 1", "`window`: `soon` is no length of time"),
        ("[members]\ncount = 1", "unknown field `members`"),
        ("not toml", "does not say what is guarded: TOML parse error"),
    ] {
        let guard = file(folder.path(), text);
        let arguments =
            ["--listen", "127.0.0.1:0", "--database", database, "--guard", guard.to_str().unwrap()];
        let error = program(&arguments).unwrap_err();
        assert!(error.replace("\n\nCaused by:\n    ", ": ").contains(message), "{error}");
        assert!(!Path::new(database).exists());
    }
    for (arguments, message) in [
        (&["guard", "lift", "--for", "25h"][..], "that is more than a day"),
        (&["guard", "lift", "--for", "-1h"], "unexpected argument"),
        (&["guard", "lift", "--for", "never"], "`never` is no length of time"),
        (&["guard", "lift"], "there is no database"),
        (&["guard"], "Usage"),
    ] {
        let error = program(&[arguments, &["--database", database]].concat()).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    assert!(!Path::new(database).exists());
}

/// Deletes all of `ids`, half at one server and half at the other, at the same time; how many went.
fn delete_at(servers: [&Client; 2], ids: &[String]) -> usize {
    std::thread::scope(|scope| {
        let parts = ids.chunks(ids.len().div_ceil(8)).enumerate();
        let tasks: Vec<_> = parts
            .map(|(number, part)| {
                let client = servers[number % 2].clone();
                scope.spawn(move || part.iter().filter(|id| delete(&client, id) == 204).count())
            })
            .collect();
        tasks.into_iter().map(|task| task.join().unwrap()).sum()
    })
}

/// Servers of one database share what counts: by count, and by share of what there was.
fn two_servers(database: &[&str], count: &str) {
    let folder = tempfile::tempdir().unwrap();
    let guard = file(folder.path(), &format!("[deactivations]\nwindow = \"24h\"\n{count}\n"));
    let start = || Server::start_with(&[&["--guard", guard.to_str().unwrap()], database].concat());
    let servers = [start(), start()];
    let ids = users(&servers[0].client, 40);
    assert_eq!(delete_at([&servers[0].client, &servers[1].client], &ids), 12);
    assert_eq!(servers[0].client.get("/Users").expect(200)["totalResults"], 28);
}

#[test]
fn two_servers_share_what_counts() {
    for count in ["count = 12", "percent = 30"] {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("scim.db");
        two_servers(&["--database", database.to_str().unwrap()], count);
    }
    let Some(postgres) = Postgres::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (name, count) in [("count", "count = 12"), ("share", "percent = 30")] {
        let url = runtime.block_on(postgres.database(name));
        two_servers(&["--database-url", &url], count);
    }
}

/// Of two servers of one database each takes everybody out of one of two groups that give the same role, which is
/// protected, and half of them out of a group that may not be emptied: nobody loses the role, somebody stays.
fn two_servers_take_turns(database: &[&str]) {
    const PEOPLE: usize = 8;
    let folder = tempfile::tempdir().unwrap();
    let guard = file(folder.path(), "[protected]\nroles = [\"owner\"]\ngroups = [\"Last\"]\n");
    let mapping = folder.path().join("mapping.toml");
    let group = |name: &str| format!("[[groups]]\nname = \"{name}\"\nbase_role = \"owner\"\n");
    std::fs::write(&mapping, group("A") + &group("B")).unwrap();
    let own = ["--profile", "incident-io", "--mapping", mapping.to_str().unwrap()];
    let guarded = ["--guard", guard.to_str().unwrap()];
    let start = || Server::start_with(&[&own[..], &guarded, database].concat());
    let servers = [start(), start()];
    let ids = users(&servers[0].client, PEOPLE);
    let groups = ["A", "B", "Last"].map(|name| {
        let members: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
        let group = json!({"schemas": [GROUP], "displayName": name, "members": members});
        format!("/Groups/{}", id(&servers[0].client.post("/Groups", group).expect(201)))
    });
    let leave = |server: usize, person: &String, group: &str| {
        let out = json!([{"op": "remove", "path": "members", "value": [{"value": person}]}]);
        servers[server].client.patch(group, out).status
    };
    let [roles, last] = std::thread::scope(|scope| {
        let (leave, groups) = (&leave, &groups);
        let start =
            |server: usize, person, group: usize| scope.spawn(move || leave(server, person, &groups[group]));
        let mut tasks = [Vec::new(), Vec::new()];
        for (place, person) in ids.iter().enumerate() {
            tasks[0].extend([start(0, person, 0), start(1, person, 1)]);
            tasks[1].push(start(place % 2, person, 2));
        }
        tasks.map(|tasks| tasks.into_iter().map(|task| task.join().unwrap()).collect::<Vec<u16>>())
    });
    let refused = |statuses: &[u16]| statuses.iter().filter(|status| **status == 403).count();
    assert_eq!((refused(&roles), refused(&last)), (PEOPLE, 1), "{roles:?} {last:?}");
    for person in &ids {
        let filter = format!("members.value eq \"{person}\" and displayName ne \"Last\"");
        assert_eq!(servers[1].client.count("/Groups", &filter), 1, "{roles:?}");
    }
    assert_eq!(servers[1].client.get(&groups[2]).expect(200)["members"].as_array().unwrap().len(), 1);
}

#[test]
fn two_servers_do_not_take_a_role_together() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("scim.db");
    two_servers_take_turns(&["--database", database.to_str().unwrap()]);
    let Some(postgres) = Postgres::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = runtime.block_on(postgres.database("turns"));
    two_servers_take_turns(&["--database-url", &url]);
}

/// However often a server is killed, no more go than may: what was about to go counts.
#[test]
fn a_kill_lifts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (database, guard) = (
        folder.path().join("scim.db"),
        file(folder.path(), "[deactivations]\nwindow = \"24h\"\ncount = 60\n"),
    );
    let server = Server::start(&database, &[]);
    let ids = users(&server.client, 120);
    server.stop();
    for round in 0..3 {
        let mut program = Command::new(support::program("provider"))
            .env_remove("DATABASE_URL")
            .args(["--listen", "127.0.0.1:0", "--token", TOKEN])
            .args(["--database", database.to_str().unwrap(), "--guard", guard.to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let client = Client::new(&support::base_url(program.stdout.as_mut().unwrap()));
        std::thread::scope(|scope| {
            let (answered, told) = std::sync::mpsc::channel();
            for part in ids.chunks(30) {
                let (client, answered) = (client.clone(), answered.clone());
                scope.spawn(move || {
                    for id in part {
                        if client.send("DELETE", &format!("/Users/{id}"), None).is_err() {
                            return;
                        }
                        let _ = answered.send(());
                    }
                });
            }
            drop(answered);
            // In the midst of it, wherever that is.
            told.iter().take(5 + 10 * round).for_each(drop);
            program.kill().unwrap();
        });
        program.wait().unwrap();
    }
    let server = Server::start(&database, &["--guard", guard.to_str().unwrap()]);
    let gone = || 120 - server.client.get("/Users").expect(200)["totalResults"].as_u64().unwrap();
    assert!((1..=60).contains(&gone()), "{}", gone());
    let more = delete_at([&server.client, &server.client], &ids);
    // At most one of each of the four clients was about to go at each kill, and did not.
    assert!((48..=60).contains(&gone()), "{} after {more} more", gone());
    assert_eq!(server.client.get("/Users").expect(200)["totalResults"], 120 - gone());
}

/// What was permitted and taken back, how much of it, at which time.
#[derive(Clone, Debug)]
enum Act {
    Charge(usize, u64, Option<u64>),
    Both(u64),
    Release(usize),
    Wait(i64),
}

/// Any charges, at any time, are judged by the database as in memory.
async fn judges_as_memory_does(store: SqlStore) {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;
    let act = prop_oneof![
        6 => (0..3_usize, 1..9_u64, prop::option::of(0..60_u64)).prop_map(|(key, amount, of)| Act::Charge(key, amount, of)),
        2 => (1..6_u64).prop_map(Act::Both),
        2 => (0..8_usize).prop_map(Act::Release),
        3 => prop_oneof![0..90_i64, 600..5000_i64].prop_map(Act::Wait),
    ];
    let acts = prop::collection::vec(act, 1..40);
    let hour = Ceiling::within(SignedDuration::from_hours(1)).unwrap();
    let ceilings = [
        hour.with_count(12),
        hour.with_share(30, 10).unwrap(),
        Ceiling::within(SignedDuration::from_mins(7)).unwrap().with_count(20).with_share(50, 0).unwrap(),
    ];
    let charge = |key: usize, amount, population| Charge {
        key: format!("key {key}").into(),
        amount,
        ceiling: ceilings[key],
        population,
    };
    let mut runner = TestRunner::new(Config { cases: 24, ..Config::default() });
    for case in 0..24 {
        let acts = acts.new_tree(&mut runner).unwrap().current();
        let (memory, tenant) = (MemoryLedger::new(), TenantId::new(format!("tenant {case}")));
        let mut now = Timestamp::from_second(1_000_000_007).unwrap();
        let mut noted: Vec<(Timestamp, Vec<Charge>)> = Vec::new();
        for act in acts {
            let charges = match act {
                Act::Charge(key, amount, population) => vec![charge(key, amount, population)],
                Act::Both(amount) => vec![charge(0, amount, None), charge(1, amount, Some(40))],
                Act::Wait(seconds) => {
                    now = now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
                    continue;
                }
                Act::Release(which) => {
                    if which < noted.len() {
                        let (then, charges) = noted.remove(which);
                        memory.release(&tenant, then, &charges).await.unwrap();
                        store.release(&tenant, then, &charges).await.unwrap();
                    }
                    continue;
                }
            };
            let charged = memory.charge(&tenant, now, &charges).await.unwrap();
            assert_eq!(store.charge(&tenant, now, &charges).await.unwrap(), charged, "{charges:?} at {now}");
            if charged == Charged::Noted {
                noted.push((now, charges));
            }
        }
    }
    let tenant = TenantId::new("acme");
    assert_eq!(store.lifted(&tenant).await.unwrap(), None);
    for lift in [
        Some(Lift::ceilings(Timestamp::from_second(77).unwrap())),
        Some(Lift::everything(Timestamp::from_second(-7).unwrap())),
        None,
    ] {
        store.lift(&tenant, lift).await.unwrap();
        assert_eq!(store.lifted(&tenant).await.unwrap(), lift);
        assert_eq!(store.lifted(&TenantId::new("other")).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_judges_as_memory_does() {
    judges_as_memory_does(SqlStore::in_memory().await.unwrap()).await;
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("ledger").await;
    judges_as_memory_does(SqlStore::connect(&url).await.unwrap()).await;
}
