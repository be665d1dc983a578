//! The process is killed while clients write; what was acknowledged is there after, and nothing is
//! half there.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod sql_support;
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Parser as _;
use scim_examples::provider::{self, Options};
use serde_json::{Value, json};
use sql_support::Postgres;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use support::{Client, GROUP, TOKEN, id, user};

const ROUNDS: u64 = 6;
const CLIENTS: usize = 4;

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("scim.db");
    let (mut acknowledged, mut group) = (0, None::<(String, u64)>);
    let mut clients: Vec<Model> = (0..CLIENTS).map(Model::new).collect();
    for round in 0..ROUNDS {
        let rounds = AtomicUsize::new(0);
        let server = Process::start(&file);
        let client = server.client();
        let (group_path, changes) = group.get_or_insert_with(|| {
            let group = client.post("/Groups", json!({"schemas": [GROUP], "displayName": "All"})).expect(201);
            (format!("/Groups/{}", id(&group)), 0)
        });
        check(&client, &mut clients, group_path, changes);

        let before: usize = clients.iter().map(|model| model.writes).sum();
        std::thread::scope(|scope| {
            let writing: Vec<_> = clients
                .iter_mut()
                .map(|model| {
                    let (client, group, rounds) = (client.clone(), group_path.as_str(), &rounds);
                    scope.spawn(move || {
                        while model.write(&client, group) {
                            rounds.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            // Another moment of the work each time, and none before there was some.
            std::thread::sleep(Duration::from_millis(250 + 97 * round));
            while rounds.load(Ordering::Relaxed) < 2 * CLIENTS
                && !writing.iter().any(|client| client.is_finished())
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            server.kill();
        });
        acknowledged += clients.iter().map(|model| model.writes).sum::<usize>() - before;
        check_tables(&file);
    }
    let server = Process::start(&file);
    let (group, mut changes) = group.unwrap();
    check(&server.client(), &mut clients, &group, &mut changes);
    assert!(acknowledged > 100, "only {acknowledged} writes were acknowledged");
    println!("{acknowledged} acknowledged writes, {ROUNDS} kills");
}

/// Two processes over one PostgreSQL, of which one is killed while both are written to, and started again.
#[test]
fn what_was_acknowledged_survives_a_kill_of_one_of_two_processes() {
    let Some(postgres) = Postgres::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = runtime.block_on(postgres.database("crash"));
    let stays = Process::start_over(&url);
    let group = stays.client().post("/Groups", json!({"schemas": [GROUP], "displayName": "All"})).expect(201);
    let (group, mut changes) = (format!("/Groups/{}", id(&group)), 0);
    let mut clients: Vec<Model> = (0..CLIENTS).map(Model::new).collect();
    for round in 0..2 {
        let dies = Process::start_over(&url);
        let is_killed = AtomicBool::new(false);
        // So many times each client went through all kinds of writes before the process is killed, and then
        // once more at the other process.
        let rounds = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for (number, model) in clients.iter_mut().enumerate() {
                let mortal = number % 2 == round % 2;
                let client = if mortal { dies.client() } else { stays.client() };
                let (group, is_killed, rounds) = (group.as_str(), &is_killed, &rounds);
                scope.spawn(move || {
                    while model.write(&client, group) {
                        rounds.fetch_add(1, Ordering::Relaxed);
                        if !mortal && is_killed.load(Ordering::Relaxed) {
                            return;
                        }
                    }
                    // Whose server lives loses nothing.
                    assert!(mortal && is_killed.load(Ordering::Relaxed), "{:?}", model.pending);
                });
            }
            while rounds.load(Ordering::Relaxed) < 2 * CLIENTS {
                std::thread::sleep(Duration::from_millis(5));
            }
            is_killed.store(true, Ordering::Relaxed);
            dies.kill();
        });
        runtime.block_on(async {
            let mut watch = postgres.connect().await;
            // What the killed process had asked for comes to its end.
            let at_work = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'crash' AND state <> 'idle'";
            while sqlx::query_as::<_, (i64,)>(at_work).fetch_one(&mut watch).await.unwrap().0 > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let mut database = sqlx::PgConnection::connect(&url).await.unwrap();
            for half in HALF {
                let (found,): (i64,) = sqlx::query_as(half).fetch_one(&mut database).await.unwrap();
                assert_eq!(found, 0, "{half}");
            }
        });
        // As both processes see it.
        let again = Process::start_over(&url);
        check(&again.client(), &mut clients, &group, &mut changes);
        check(&stays.client(), &mut clients, &group, &mut 0);
    }
    let acknowledged: usize = clients.iter().map(|model| model.writes).sum();
    println!("{acknowledged} acknowledged writes, 2 kills");
}

/// Resources of which something is another version's.
const HALF: [&str; 3] = [
    "SELECT count(*) FROM resources WHERE body::jsonb #>> '{meta,version}' <> 'W/\"' || version || '\"'",
    "SELECT count(*) FROM resources AS r WHERE type = 'User' AND NOT EXISTS (SELECT 1 FROM resource_keys AS k \
     WHERE k.tenant = r.tenant AND k.type = r.type AND k.id = r.id AND k.claimed AND k.attribute = 'userName' \
     AND k.value = r.body::jsonb ->> 'userName')",
    "SELECT count(*) FROM members AS m JOIN resources AS r USING (tenant, type, id) WHERE m.since > r.version",
];

/// What one client knows of the users it made: nobody else writes to them.
struct Model {
    client: usize,
    made: usize,
    writes: usize,
    // By id; what every user was last acknowledged to be.
    users: BTreeMap<String, State>,
    /// The write whose answer never came: it may have been done or not.
    pending: Option<Pending>,
}

#[derive(Clone, Debug, PartialEq)]
struct State {
    user_name: String,
    title: Option<String>,
    member: bool,
}

#[derive(Debug)]
enum Pending {
    Create(String),
    Update(String, State),
    Delete(String),
}

impl Model {
    fn new(client: usize) -> Self {
        Self { client, made: 0, writes: 0, users: BTreeMap::new(), pending: None }
    }

    /// Makes one write after another of every kind; false once the server is gone.
    fn write(&mut self, client: &Client, group: &str) -> bool {
        self.made += 1;
        let number = self.made;
        let name = format!("u{}-{number}@example.com", self.client);
        self.pending = Some(Pending::Create(name.clone()));
        let Some(made) = done(client.send("POST", "/Users", Some(&user(&name))), 201) else { return false };
        let key = id(&made).to_owned();
        let mut state = State { user_name: name, title: None, member: false };
        self.acknowledge(key.clone(), state.clone());

        state.member = true;
        self.pending = Some(Pending::Update(key.clone(), state.clone()));
        let add = json!([{"op": "add", "path": "members", "value": [{"value": key}]}]);
        if done(client.send("PATCH", group, Some(&operations(add))), 200).is_none() {
            return false;
        }
        self.acknowledge(key.clone(), state.clone());

        state.title = Some(format!("title {number}"));
        self.pending = Some(Pending::Update(key.clone(), state.clone()));
        let replace = json!([{"op": "replace", "path": "title", "value": state.title}]);
        if done(client.send("PATCH", &format!("/Users/{key}"), Some(&operations(replace))), 200).is_none() {
            return false;
        }
        self.acknowledge(key.clone(), state.clone());

        // A new unique value, and the old one given up, in one write.
        state.user_name = format!("renamed-{}", state.user_name);
        self.pending = Some(Pending::Update(key.clone(), state.clone()));
        let mut whole = user(&state.user_name);
        whole["title"] = json!(state.title);
        if done(client.send("PUT", &format!("/Users/{key}"), Some(&whole)), 200).is_none() {
            return false;
        }
        self.acknowledge(key.clone(), state.clone());

        if number.is_multiple_of(3) {
            state.member = false;
            self.pending = Some(Pending::Update(key.clone(), state.clone()));
            let remove = json!([{"op": "remove", "path": format!("members[value eq \"{key}\"]")}]);
            if done(client.send("PATCH", group, Some(&operations(remove))), 200).is_none() {
                return false;
            }
            self.acknowledge(key.clone(), state);
            self.pending = Some(Pending::Delete(key.clone()));
            if done(client.send("DELETE", &format!("/Users/{key}"), None), 204).is_none() {
                return false;
            }
            self.users.remove(&key);
            self.pending = None;
            self.writes += 1;
        }
        true
    }

    fn acknowledge(&mut self, key: String, state: State) {
        self.users.insert(key, state);
        self.pending = None;
        self.writes += 1;
    }
}

fn operations(operations: Value) -> Value {
    json!({"schemas": [support::PATCH_OP], "Operations": operations})
}

/// The body of an acknowledged write; `None` when the server is gone.
fn done(response: Result<support::Response, ureq::Error>, status: u16) -> Option<Value> {
    response.ok().map(|response| response.expect(status))
}

/// Compares what is stored with what the clients were told, and settles their pending writes.
fn check(client: &Client, models: &mut [Model], group: &str, changes: &mut u64) {
    let group = client.get(group).expect(200);
    let members: Vec<&str> = group["members"]
        .as_array()
        .map(|members| members.iter().map(|m| m["value"].as_str().unwrap()).collect())
        .unwrap_or_default();
    let mut known = 0;
    for model in models {
        match model.pending.take() {
            None => {}
            Some(Pending::Create(name)) => {
                if let Some(found) = find(client, &name) {
                    let state = state_of(&found, &members);
                    assert_eq!(state, State { user_name: name, title: None, member: false });
                    model.users.insert(id(&found).to_owned(), state);
                }
            }
            Some(Pending::Update(key, after)) => {
                let found = client.get(&format!("/Users/{key}")).expect(200);
                let (state, before) = (state_of(&found, &members), &model.users[&key]);
                assert!(state == *before || state == after, "{state:?} is neither {before:?} nor {after:?}");
                model.users.insert(key, state);
            }
            Some(Pending::Delete(key)) => match client.get(&format!("/Users/{key}")).status {
                404 => drop(model.users.remove(&key)),
                status => assert_eq!(status, 200),
            },
        }
        for (key, state) in &model.users {
            let found = client.get(&format!("/Users/{key}")).expect(200);
            assert_eq!(state_of(&found, &members), *state);
            assert_eq!(find(client, &state.user_name).map(|user| user["id"].clone()), Some(json!(key)));
            known += u64::from(state.member);
        }
    }
    // No member that nobody added, and no change of the group lost: its version only grows.
    assert_eq!(members.len() as u64, known);
    let version: u64 =
        group["meta"]["version"].as_str().unwrap().trim_matches(['W', '/', '"']).parse().unwrap();
    assert!(version > *changes, "{version} after {changes}");
    *changes = version - 1;
    let total = client.get("/Users?count=0").expect(200)["totalResults"].as_u64().unwrap();
    assert!(total >= known);
}

fn find(client: &Client, name: &str) -> Option<Value> {
    let list = client.get(&format!("/Users?filter=userName%20eq%20%22{name}%22")).expect(200);
    assert!(list["totalResults"].as_u64().unwrap() <= 1, "{name} is there twice");
    list["Resources"].as_array()?.first().cloned()
}

fn state_of(user: &Value, members: &[&str]) -> State {
    State {
        user_name: user["userName"].as_str().unwrap().to_owned(),
        title: user["title"].as_str().map(str::to_owned),
        member: members.contains(&id(user)),
    }
}

/// What the tables hold of one resource belongs together.
fn check_tables(file: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(file);
        let mut database = SqliteConnection::connect_with(&options).await.unwrap();
        let integrity: Vec<(String,)> =
            sqlx::query_as("PRAGMA integrity_check").fetch_all(&mut database).await.unwrap();
        assert_eq!(integrity, [("ok".to_owned(),)]);
        let orphans = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut database).await.unwrap();
        assert!(orphans.is_empty());
        let rows: Vec<(String, String, i64, String)> =
            sqlx::query_as("SELECT type, id, version, body FROM resources")
                .fetch_all(&mut database)
                .await
                .unwrap();
        for (kind, id, version, body) in rows {
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["meta"]["version"], format!("W/\"{version}\""));
            let keys: Vec<(String, String)> = sqlx::query_as(
                "SELECT attribute, value FROM resource_keys WHERE type = ?1 AND id = ?2 AND claimed",
            )
            .bind(&kind)
            .bind(&id)
            .fetch_all(&mut database)
            .await
            .unwrap();
            let claimed = body["userName"].as_str().map(|name| ("userName".to_owned(), name.to_owned()));
            assert_eq!(keys, Vec::from_iter(claimed));
            let newest: (Option<i64>,) =
                sqlx::query_as("SELECT max(since) FROM members WHERE type = ?1 AND id = ?2")
                    .bind(&kind)
                    .bind(&id)
                    .fetch_one(&mut database)
                    .await
                    .unwrap();
            assert!(newest.0.is_none_or(|newest| newest <= version), "a member is newer than its group");
        }
        database.close().await.unwrap();
    });
}

/// The provider in a process of its own: this test program again, told to be [`server_process`].
struct Process {
    child: Child,
    base: String,
}

impl Process {
    fn start(file: &Path) -> Self {
        Self::start_over(&format!("sqlite:{}", file.display()))
    }

    fn start_over(url: &str) -> Self {
        let begun = Instant::now();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["server_process", "--exact", "--ignored", "--nocapture"])
            .env(SERVER_DATABASE, url)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let base = support::base_url(child.stdout.take().unwrap());
        println!("started in {:?}", begun.elapsed());
        Self { child, base }
    }

    fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// `SIGKILL`: no chance to write anything more.
    fn kill(mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        #[cfg(unix)]
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
        assert!(!status.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SERVER_DATABASE: &str = "SCIM_TEST_SERVER_DATABASE";

#[test]
#[ignore = "is the server of the test above"]
fn server_process() {
    let Ok(url) = std::env::var(SERVER_DATABASE) else { return };
    let line = ["provider", "--listen", "127.0.0.1:0", "--token", TOKEN, "--database-url", url.as_str()];
    let options = Options::try_parse_from(line).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(provider::run(options)).unwrap_or_else(|error| panic!("{error:#}"));
}
