//! Several provider processes over one PostgreSQL database.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod sql_support;
mod support;

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sql_support::Postgres;
use support::{Client, GROUP, LONG, PATCH_OP, Response, TOKEN, id, user};

const CLIENTS: usize = 64;
const ROUNDS: usize = 3;

/// Each client adds its members to one group and removes some of them again, half of the clients
/// at one server and half at the other.
#[test]
fn no_members_are_lost_between_two_servers() {
    let Some((_postgres, url)) = database("members") else { return };
    let servers = [Process::start(&url), Process::start(&url)];
    let client = servers[0].client();
    let group = client.post("/Groups", json!({"schemas": [GROUP], "displayName": "All"})).expect(201);
    let path = format!("/Groups/{}", id(&group));
    let left: Vec<Vec<String>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (client, path) = (servers[number % 2].client(), &path);
                scope.spawn(move || work(&client, path, number))
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let expected: BTreeSet<String> = left.into_iter().flatten().collect();
    assert_eq!(expected.len(), CLIENTS * (ROUNDS - 1));
    for server in &servers {
        let group = server.client().get(&path).expect(200);
        let members = group["members"].as_array().unwrap();
        let found: BTreeSet<String> =
            members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect();
        assert_eq!((members.len(), found), (expected.len(), expected.clone()));
    }
}

/// Adds members and removes the last of them; returns those it leaves.
fn work(client: &Client, group: &str, number: usize) -> Vec<String> {
    let mut mine = Vec::new();
    for round in 0..ROUNDS {
        let made = client.post("/Users", user(&format!("u{number}-{round}"))).expect(201);
        patch(client, group, &json!([{"op": "add", "path": "members", "value": [{"value": id(&made)}]}]));
        mine.push(id(&made).to_owned());
    }
    let last = mine.pop().unwrap();
    patch(client, group, &json!([{"op": "remove", "path": format!("members[value eq \"{last}\"]")}]));
    mine
}

/// What adds and removes members alone loses no race, however many there are.
fn patch(client: &Client, path: &str, operations: &Value) {
    let answer = client.patch(path, operations.clone());
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// While many at one server add and remove themselves without a pause, the group is renamed, replaced and deleted
/// at the other, by requests without `If-Match`.
#[test]
fn a_group_is_written_beside_many_at_another_server() {
    let Some((_postgres, url)) = database("beside") else { return };
    let servers = [Process::start(&url), Process::start(&url)];
    let client = servers[0].client();
    let first = id(&client.post("/Users", user("first")).expect(201)).to_owned();
    let users: Vec<String> = (0..CLIENTS)
        .map(|number| id(&client.post("/Users", user(&format!("u{number}"))).expect(201)).to_owned())
        .collect();
    let named = |name: &str| json!({"schemas": [GROUP], "displayName": name, "members": [{"value": first}]});
    let path = format!("/Groups/{}", id(&client.post("/Groups", named("All")).expect(201)));

    // Renamed: who is in the group is exactly who came last.
    let longest = Mutex::new(Duration::ZERO);
    let timed = |request: &dyn Fn() -> Response, status: u16| {
        let begun = Instant::now();
        let answer = request();
        assert_eq!(answer.status, status, "{}", answer.body);
        let mut longest = longest.lock().unwrap();
        *longest = begun.elapsed().max(*longest);
    };
    let inside = beside(&servers[1], &path, &users, &|| {
        for name in 0..6 {
            let rename = json!([{"op": "replace", "path": "displayName", "value": format!("All {name}")}]);
            timed(&|| client.patch(&path, rename.clone()), 200);
        }
    });
    let group = client.get(&path).expect(200);
    assert_eq!(group["displayName"], "All 5");
    let mut expected: BTreeSet<&str> = inside.iter().map(String::as_str).collect();
    expected.insert(&first);
    let members = group["members"].as_array().unwrap();
    let found: BTreeSet<&str> = members.iter().map(|member| member["value"].as_str().unwrap()).collect();
    assert_eq!((members.len(), found), (expected.len(), expected));

    beside(&servers[1], &path, &users, &|| {
        for name in ["Crew", "Staff"] {
            timed(&|| client.put(&path, named(name)), 200);
        }
        let again = json!([{"op": "replace", "path": "displayName", "value": "Gone"}]);
        timed(&|| client.patch(&path, again.clone()), 200);
        timed(&|| client.delete(&path), 204);
    });
    assert_eq!(client.get(&path).status, 404);
    println!("the longest of ten writes beside {CLIENTS} clients took {:?}", longest.lock().unwrap());
}

/// Does something while each of the users is added to the group and removed from it, again and again; those
/// who are in it at the end.
fn beside(server: &Process, group: &str, users: &[String], done: &dyn Fn()) -> Vec<String> {
    let (over, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let clients: Vec<_> = users
            .iter()
            .map(|user| {
                let (client, over, begun) = (server.client(), &over, &begun);
                let path = format!("{group}?attributes=displayName");
                scope.spawn(move || {
                    let add = json!([{"op": "add", "path": "members", "value": [{"value": user}]}]);
                    let remove = json!([{"op": "remove", "path": format!("members[value eq \"{user}\"]")}]);
                    let mut is_in = false;
                    while !over.load(Ordering::SeqCst) {
                        let answer = client.patch(&path, if is_in { remove.clone() } else { add.clone() });
                        // 204 where the group was deleted since: there is nothing to show.
                        assert!([200, 204, 404].contains(&answer.status), "{}", answer.body);
                        if answer.status != 200 {
                            break;
                        }
                        begun.fetch_add(usize::from(!is_in), Ordering::SeqCst);
                        is_in = !is_in;
                    }
                    is_in.then(|| user.clone())
                })
            })
            .collect();
        while begun.load(Ordering::SeqCst) < users.len() && !clients.iter().any(|client| client.is_finished())
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        // The others end also where this fails.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(done));
        over.store(true, Ordering::SeqCst);
        let inside = clients.into_iter().filter_map(|client| client.join().unwrap()).collect();
        done.unwrap();
        inside
    })
}

/// A user is deleted at one server while groups are given it as a member at both: afterwards it is a member of
/// none, and each request was made or refused as one that came later.
#[test]
fn nobody_is_added_who_is_deleted_at_the_other_server() {
    let Some((_postgres, url)) = database("ghosts") else { return };
    let servers = [Process::start(&url), Process::start(&url)];
    let client = servers[0].client();
    let group = client.post("/Groups", json!({"schemas": [GROUP], "displayName": "All"})).expect(201);
    let group = format!("/Groups/{}", id(&group));
    for round in 0..12 {
        let kind = if round % 3 == 2 { "Groups" } else { "Users" };
        let body = match kind {
            "Users" => user(&format!("u{round}")),
            _ => json!({"schemas": [GROUP], "displayName": format!("nested {round}")}),
        };
        let member = id(&client.post(&format!("/{kind}"), body).expect(201)).to_owned();
        let members = json!([{"value": member}]);
        let add = json!([{"op": "add", "path": "members", "value": members}]);
        let new = json!({"schemas": [GROUP], "displayName": format!("g{round}"), "members": members});
        let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
            {"method": "PATCH", "path": group, "data": {"schemas": [PATCH_OP], "Operations": add}},
        ]});
        let [created, patched, bulk, deleted] = std::thread::scope(|scope| {
            let clients = [0, 1, 0, 1].map(|server: usize| servers[server].client());
            let [create, patch, many, delete] = clients;
            let (group, path) = (&group, format!("/{kind}/{member}"));
            [
                scope.spawn(move || create.post("/Groups", new)),
                scope.spawn(move || patch.patch(group, add)),
                scope.spawn(move || many.post("/Bulk", bulk)),
                scope.spawn(move || delete.delete(&path)),
            ]
            .map(|asked| asked.join().unwrap())
        });
        let nobody = format!("`members` names `{member}`, and there is no such resource");
        for (answer, made) in [(&created, 201), (&patched, 200)] {
            match answer.status {
                400 => assert_eq!(
                    (&answer.body["scimType"], &answer.body["detail"]),
                    (&json!("invalidValue"), &json!(nobody))
                ),
                status => assert_eq!(status, made, "{}", answer.body),
            }
        }
        let bulk = bulk.expect(200);
        let status = bulk["Operations"][0]["status"].as_str().unwrap();
        assert!(["200", "400"].contains(&status), "{bulk}");
        assert_eq!(deleted.status, 204, "{}", deleted.body);
        assert_eq!(client.count("/Groups", &format!("members.value eq \"{member}\"")), 0, "round {round}");
    }
}

/// Groups are put into one another at two servers at the same moment: no circle comes of it where none may be.
#[test]
fn no_circle_is_closed_between_two_servers() {
    let Some((_postgres, url)) = database("circles") else { return };
    let servers = [(); 2].map(|()| Process::start_with(&url, &["--nesting", "no-circle"]));
    let clients = [servers[0].client(), servers[1].client()];
    for round in 0..30 {
        support::close_a_circle([&clients[0], &clients[1]], round);
    }
}

/// One of many servers that is asked for one name gives it, to one client.
#[test]
fn a_name_is_given_once_between_two_servers() {
    let Some((_postgres, url)) = database("names") else { return };
    let servers = [Process::start(&url), Process::start(&url)];
    for round in 0..5 {
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..8)
                .map(|number| {
                    let client = servers[number % 2].client();
                    scope.spawn(move || client.post("/Users", user(&format!("ann{round}"))).status)
                })
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        let of = |status| statuses.iter().filter(|found| **found == status).count();
        assert_eq!((of(201), of(409)), (1, 7), "{statuses:?}");
    }
    assert_eq!(servers[1].client().count("/Users", "userName sw \"ANN\""), 5);
}

/// A server goes on over a PostgreSQL that is killed and started again.
#[test]
fn a_server_outlives_a_restart_of_its_database() {
    let Some((mut postgres, url)) = database("restart") else { return };
    let server = Process::start(&url);
    let client = server.client();
    let made = client.post("/Users", user("ann")).expect(201);
    let path = format!("/Users/{}", id(&made));
    for round in 0..2 {
        postgres.kill();
        let begun = Instant::now();
        // On the connections that were there, and without any.
        for request in 0..3 {
            for answer in [client.get(&path), client.post("/Users", user(&format!("u{round}-{request}")))] {
                assert_eq!(
                    (answer.status, answer.header("retry-after")),
                    (503, Some("5")),
                    "{}",
                    answer.body
                );
            }
        }
        println!("six requests were answered without a database in {:?}", begun.elapsed());
        postgres.restart();
        let begun = Instant::now();
        let (mut again, mut ended) = (client.get(&path), 0);
        while again.status == 503 && ended < 100 {
            std::thread::sleep(Duration::from_millis(20));
            ended += usize::from(postgres.keep_running());
            again = client.get(&path);
        }
        println!("it answers {:?} after the database was started again", begun.elapsed());
        again.expect(200);
        client.post("/Users", user(&format!("v{round}"))).expect(201);
    }
    assert_eq!(client.get("/Users?count=0").expect(200)["totalResults"], 3);
}

/// A bulk request waits for a database that fell silent once, and not with each of its operations: that would
/// be minutes, and its client waits for one.
#[test]
fn a_bulk_request_waits_for_a_silent_database_once() {
    let Some((postgres, url)) = database("silent") else { return };
    let server = Process::start_with(&url, &["--statement-timeout", "1"]);
    let client = server.client();
    client.post("/Users", user("ann")).expect(201);
    let operations: Vec<Value> = (0..200)
        .map(|number| json!({"method": "POST", "path": "/Users", "bulkId": format!("b{number}"), "data": user(&format!("u{number}"))}))
        .collect();
    let message =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    let frozen = postgres.freeze();
    let answer = client.post("/Bulk", message.clone()).expect(200);
    drop(frozen);
    let results = answer["Operations"].as_array().unwrap();
    assert_eq!(results.len(), 200);
    for (index, result) in results.iter().enumerate() {
        let detail = result["response"]["detail"].as_str().unwrap();
        assert_eq!(result["status"], "503", "{result}");
        assert_eq!(detail.starts_with("the operation was not tried"), index > 0, "{result}");
    }
    // It is made when the database is there again.
    let begun = Instant::now();
    while client.get("/Users?count=0").status != 200 && begun.elapsed() < LONG {}
    let again = client.post("/Bulk", message).expect(200);
    assert!(
        again["Operations"].as_array().unwrap().iter().all(|result| result["status"] == "201"),
        "{again}"
    );
}

#[test]
fn what_is_printed_has_no_password() {
    let Some((_postgres, url)) = database("secret") else { return };
    let url = url.replace("scim@", "scim:hunter2@");
    let mut process = Process::start(&url);
    assert!(
        process.printed.contains("  database   `secret` of PostgreSQL at localhost"),
        "{}",
        process.printed
    );
    assert!(!process.printed.contains("hunter2"), "{}", process.printed);
    process.child.kill().unwrap();
    for url in [url.replace("/secret", "/other"), "hunter2://scim".to_owned()] {
        let output = command(&url).output().unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("error: ") && !said.contains("hunter2"), "{said}");
    }
}

fn database(name: &str) -> Option<(Postgres, String)> {
    let postgres = Postgres::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = runtime.block_on(postgres.database(name));
    Some((postgres, url))
}

/// A provider in a process of its own.
struct Process {
    child: Child,
    base: String,
    printed: String,
}

impl Process {
    fn start(url: &str) -> Self {
        Self::start_with(url, &[])
    }

    fn start_with(url: &str, arguments: &[&str]) -> Self {
        let mut child = command(url).args(arguments).stderr(Stdio::null()).spawn().unwrap();
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut printed = String::new();
        while !printed.contains("  database ") {
            let line = std::io::BufRead::read_line(&mut output, &mut printed).unwrap();
            assert_ne!(line, 0, "it ended: {printed}");
        }
        let base = support::base_url(printed.as_bytes());
        Self { child, base, printed }
    }

    fn client(&self) -> Client {
        Client::new(&self.base)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(url: &str) -> Command {
    let mut command = Command::new(support::program("provider"));
    command.args(["--listen", "127.0.0.1:0"]).env("DATABASE_URL", url).env("SCIM_TOKEN", TOKEN);
    command.env_remove("RUST_LOG").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
