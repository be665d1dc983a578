//! The audit trail of `provider`: as JSON lines, in the database, and how it is read.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod sql_support;
mod support;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use sql_support::Postgres;
use support::{Client, GROUP, Server, TOKEN, id, user};

/// What `provider audit` prints of a database.
fn printed(database: &[&str], arguments: &[&str]) -> Vec<Value> {
    let output = Command::new(support::program("provider"))
        .env_remove("DATABASE_URL")
        .arg("audit")
        .args(database)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    lines(&String::from_utf8(output.stdout).unwrap())
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn by_text(mut records: Vec<Value>) -> Vec<Value> {
    records.sort_by_key(Value::to_string);
    records
}

/// Requests of every kind; the `X-Request-Id` of the first.
fn requests(client: &Client) -> String {
    let mut babs = user("babs");
    babs["password"] = "s3cr3t-of-babs".into();
    let created = client.post("/Users", babs);
    let request_id = created.header("x-request-id").unwrap().to_owned();
    let babs = created.expect(201);
    let path = format!("/Users/{}", id(&babs));
    client.post("/Users", user("babs")).expect(409);
    client.patch(&path, json!([{"op": "Add", "path": "title", "value": "Guide"}])).expect(200);
    client.put(&path, json!({"schemas": babs["schemas"], "userName": "barbara"})).expect(200);
    let group = json!({"schemas": [GROUP], "displayName": "g", "members": [{"value": id(&babs)}]});
    client.post("/Groups", group).expect(201);
    // Who loses access by a request that names nobody.
    let group = json!({"schemas": [GROUP], "displayName": "h", "members": [{"value": id(&babs)}]});
    let other = format!("/Groups/{}", id(&client.post("/Groups", group).expect(201)));
    client.patch(&other, json!([{"op": "replace", "path": "members", "value": []}])).expect(200);
    client
        .patch(&other, json!([{"op": "add", "path": "members", "value": [{"value": id(&babs)}]}]))
        .expect(200);
    client.patch(&other, json!([{"op": "remove", "path": "members"}])).expect(200);
    client
        .patch(&other, json!([{"op": "add", "path": "members", "value": [{"value": id(&babs)}]}]))
        .expect(200);
    client.put(&other, json!({"schemas": [GROUP], "displayName": "h"})).expect(200);
    client
        .patch(&other, json!([{"op": "add", "path": "members", "value": [{"value": id(&babs)}]}]))
        .expect(200);
    client.delete(&other).expect(204);
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "c", "data": user("carl")},
            {"method": "DELETE", "path": "/Users/nobody"},
            {"method": "DELETE", "path": "/Users/bulkId:c"},
        ],
    });
    client.post("/Bulk", bulk).expect(200);
    client.get("/Users").expect(200);
    client.delete(&path).expect(204);
    request_id
}

fn check(database: &[&str], start: impl Fn(&[&str]) -> Server) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let server = start(&["--audit-log", log.to_str().unwrap()]);
    let request_id = requests(&server.client);
    server.stop();
    // It goes on where it was.
    let server = start(&["--audit-log", log.to_str().unwrap()]);
    server.client.post("/Users", user("last")).expect(201);
    server.stop();

    let text = std::fs::read_to_string(&log).unwrap();
    assert!(!text.contains("s3cr3t"), "{text}");
    let in_log = lines(&text);
    let told = |record: &Value| {
        let text = |name: &str| record[name].as_str().unwrap().to_owned();
        format!("{} {} {}", text("operation"), text("effect"), record["status"])
    };
    let told: Vec<_> = in_log.iter().map(told).collect();
    let expected = [
        "create created 201",
        "create refused 409",
        "patch changed 200",
        "replace changed 200",
        "create created 201",
        "create created 201",
        "patch changed 200",
        "patch changed 200",
        "patch changed 200",
        "patch changed 200",
        "replace changed 200",
        "patch changed 200",
        "delete deleted 204",
        "create created 201",
        "delete deleted 204",
        "delete refused 404",
        "delete deleted 204",
        "create created 201",
    ];
    assert_eq!(told, expected);
    assert_eq!([&in_log[0]["request"], &in_log[2]["leniencies"]], [&json!(request_id), &json!(["op-case"])]);
    assert!(in_log.iter().all(|record| record["tenant"] == "local" && record["credential"] == "token"));
    assert_eq!(in_log[13]["bulk"], json!({"index": 0, "bulkId": "c"}));

    let all = printed(database, &[]);
    let times: Vec<&str> = all.iter().map(|record| record["time"].as_str().unwrap()).collect();
    let parsed: Vec<jiff::Timestamp> = times.iter().map(|time| time.parse().unwrap()).collect();
    assert!(parsed.is_sorted(), "{times:?}");
    assert_eq!(by_text(all.clone()), by_text(in_log.clone()), "the same in the database");
    let group = format!("Group/{}", in_log[4]["resource"].as_str().unwrap());
    assert_eq!(in_log[16]["left"], json!({"count": 1, "groups": [group]}));
    let babs = in_log[0]["resource"].as_str().unwrap();
    // In each second version of the other group babs is a member, and each that follows takes the membership away.
    for record in all.iter().filter(|record| record["resource"] == in_log[5]["resource"]) {
        let change = match record["versionAfter"].as_u64().is_some_and(|version| version % 2 == 1) {
            true => json!({"attribute": "members", "added": [{"value": babs, "type": "User"}]}),
            false => json!({"attribute": "members", "removed": [babs]}),
        };
        assert!(record["changes"].as_array().unwrap().contains(&change), "{record}");
    }
    let of_babs = printed(database, &["--resource", &format!("User/{babs}")]);
    assert_eq!(of_babs, all.iter().filter(|record| record["resource"] == babs).cloned().collect::<Vec<_>>());
    assert_eq!(of_babs.len(), 4);
    let parts = [printed(database, &["--until", times[4]]), printed(database, &["--since", times[4]])];
    assert_eq!((parts[0].len(), parts.concat()), (4, all));
    assert!(printed(database, &["--tenant", "other"]).is_empty());
}

#[test]
fn lines_and_sqlite_tell_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("scim.db");
    check(&["--database", database.to_str().unwrap()], |arguments| Server::start(&database, arguments));
}

#[test]
fn lines_and_postgres_tell_the_same() {
    let Some(postgres) = Postgres::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = runtime.block_on(postgres.database("audit"));
    check(&["--database-url", &url], |arguments| {
        Server::start_with(&[&["--database-url", &url], arguments].concat())
    });
    // What a client asks for may be longer than an index can hold.
    let server = Server::start_with(&["--database-url", &url]);
    let long = "x".repeat(8000);
    server.client.delete(&format!("/Users/{long}")).expect(404);
    server.stop();
    let last = printed(&["--database-url", &url], &[]).pop().unwrap();
    assert_eq!(last["resource"], long);
}

#[test]
fn pages_join() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("scim.db");
    let server = Server::start(&database, &[]);
    let operations: Vec<_> =
        (0..1000).map(|number| json!({"method": "DELETE", "path": format!("/Users/{number}")})).collect();
    let bulk =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    server.client.post("/Bulk", bulk).expect(200);
    server.stop();
    let all = printed(&["--database", database.to_str().unwrap()], &[]);
    let indexes: Vec<_> = all.iter().map(|record| record["bulk"]["index"].as_u64().unwrap()).collect();
    assert_eq!(indexes, (0..1000).collect::<Vec<_>>());
}

#[test]
fn no_audit_keeps_none_and_a_missing_database_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("scim.db");
    let server = Server::start(&database, &["--no-audit"]);
    server.client.post("/Users", user("babs")).expect(201);
    server.stop();
    assert!(printed(&["--database", database.to_str().unwrap()], &[]).is_empty());
    let missing = folder.path().join("missing.db");
    let output = Command::new(support::program("provider"))
        .args(["audit", "--database"])
        .arg(&missing)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("there is no database"), "{error}");
    assert!(!missing.exists());
}

/// `/dev/full` takes nothing.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_refused_if_so_asked() {
    let server = Server::in_memory(&["--audit-log", "/dev/full"]);
    server.client.post("/Users", user("babs")).expect(201);
    server.stop();
    let server = Server::in_memory(&["--audit-log", "/dev/full", "--audit-required"]);
    server.client.post("/Users", user("babs")).expect(503);
    assert_eq!(server.client.get("/Users").expect(200)["totalResults"], 0);
    server.stop();
}

#[test]
fn standard_output_is_for_records_alone() {
    let mut program = Command::new(support::program("provider"))
        .env_remove("DATABASE_URL")
        .args(["--listen", "127.0.0.1:0", "--database", ":memory:", "--token", TOKEN, "--audit-log", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let base = support::base_url(program.stderr.as_mut().unwrap());
    let client = Client::new(&base);
    client.post("/Users", user("babs")).expect(201);
    client.post("/Users", user("babs")).expect(409);
    let output = BufReader::new(program.stdout.take().unwrap());
    let effects: Vec<Value> = output
        .lines()
        .take(2)
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()["effect"].clone())
        .collect();
    program.kill().unwrap();
    program.wait().unwrap();
    assert_eq!(effects, ["created", "refused"]);
}

/// The records of a resource are as many as its version says, whenever the process is killed.
#[test]
fn a_kill_leaves_no_change_without_its_record_and_no_record_without_its_change() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("scim.db");
    for round in 0..3_u64 {
        let mut program = start(&database);
        let client = Client::new(&support::base_url(program.stdout.as_mut().unwrap()));
        let made_by_now = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let clients = [0, 1, 2, 3].map(|thread| {
                let (client, made_by_now) = (client.clone(), &made_by_now);
                scope.spawn(move || {
                    for number in 0.. {
                        let name = format!("u{round}-{thread}-{number}");
                        let Ok(made) = client.send("POST", "/Users", Some(&user(&name))) else { return };
                        let path = format!("/Users/{}", id(&made.expect(201)));
                        made_by_now.fetch_add(1, Ordering::Relaxed);
                        for title in 0..3 {
                            let body = json!({
                                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                                "Operations": [{"op": "add", "path": "title", "value": format!("{title}")}],
                            });
                            if client.send("PATCH", &path, Some(&body)).is_err() {
                                return;
                            }
                        }
                    }
                })
            });
            std::thread::sleep(Duration::from_millis(300 + 170 * round));
            while made_by_now.load(Ordering::Relaxed) < 8
                && !clients.iter().any(|client| client.is_finished())
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            program.kill().unwrap();
        });
        program.wait().unwrap();
    }
    let server = Server::start(&database, &[]);
    let mut versions = HashMap::new();
    let mut start = 1;
    loop {
        let page = server.client.get(&format!("/Users?startIndex={start}&count=100")).expect(200);
        let users = page["Resources"].as_array().cloned().unwrap_or_default();
        if users.is_empty() {
            break;
        }
        start += users.len();
        for user in users {
            let version = user["meta"]["version"].as_str().unwrap();
            let number: usize = version.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
            versions.insert(id(&user).to_owned(), number);
        }
    }
    server.stop();
    let mut recorded: HashMap<String, usize> = HashMap::new();
    for record in printed(&["--database", database.to_str().unwrap()], &[]) {
        assert!(record["effect"] == "created" || record["effect"] == "changed", "{record}");
        *recorded.entry(record["resource"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(versions.len() > 10, "{}", versions.len());
    assert_eq!(recorded, versions);
}

fn start(database: &Path) -> std::process::Child {
    Command::new(support::program("provider"))
        .env_remove("DATABASE_URL")
        .args(["--listen", "127.0.0.1:0", "--token", TOKEN, "--database", database.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
