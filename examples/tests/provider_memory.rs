//! What a running provider needs of memory while it sends long answers: a figure that does not grow with
//! them. README states it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod sql_support;
mod support;

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use scim_examples::SqlStore;
use sql_support::Postgres;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use support::{GROUP, TOKEN};

/// The most that the process ever holds, in MiB, whatever it sends; README says so.
const MOST: u64 = 96;

#[test]
fn long_answers_are_sent_in_bounded_memory() {
    over_sqlite(10_000, 100_000);
}

#[test]
fn long_answers_are_sent_in_bounded_memory_over_postgresql() {
    over_postgresql(10_000, 100_000);
}

#[test]
#[ignore = "takes minutes: `cargo test -p scim-examples --test provider_memory -- --ignored`"]
fn the_longest_answers_are_sent_in_the_same_memory() {
    over_sqlite(100_000, 1_000_000);
}

#[test]
#[ignore = "takes minutes: `cargo test -p scim-examples --test provider_memory -- --ignored`"]
fn the_longest_answers_are_sent_in_the_same_memory_over_postgresql() {
    over_postgresql(100_000, 1_000_000);
}

fn over_sqlite(groups: usize, members: usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scim.db");
    wait_for(async {
        SqlStore::open(&file).await.unwrap().close().await;
        let mut database = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
        for statement in rows(groups, members) {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut database).await.unwrap();
        }
        database.close().await.unwrap();
    });
    measure(&Process::start(&["--database", file.to_str().unwrap()]), groups, members);
}

fn over_postgresql(groups: usize, members: usize) {
    let Some(postgres) = Postgres::start() else { return };
    let url = wait_for(async {
        let url = postgres.database("scim").await;
        SqlStore::connect(&url).await.unwrap().close().await;
        let mut database = PgConnection::connect(&url).await.unwrap();
        for statement in rows(groups, members) {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut database).await.unwrap();
        }
        database.close().await.unwrap();
        url
    });
    measure(&Process::start(&["--database-url", &url]), groups, members);
}

fn wait_for<T>(done: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(done)
}

fn measure(server: &Process, groups: usize, members: usize) {
    let before = server.most();
    // Slow clients that stay while others are answered: what is sent waits for them.
    let mut waiting: Vec<_> = (0..8).map(|_| server.get("/Groups/large")).collect();
    for body in &mut waiting {
        let mut some = [0; 100];
        body.read_exact(&mut some).unwrap();
    }
    assert_eq!(count(&mut server.get("/Groups/large"), "\"value\":\"u"), members);
    let mut all = server.get(&format!("/Groups?count={groups}&filter=not%20(id%20eq%20%22large%22)"));
    assert_eq!(count(&mut all, "\"displayName\":"), groups);
    let mut search = server.get(&format!("/Groups?count={groups}&sortBy=id&attributes=members&cursor"));
    assert!(count(&mut search, "\"value\":\"u") >= 2 * groups);
    for body in waiting.iter_mut().take(2) {
        // One was in what is read already.
        assert!(count(body, "\"value\":\"u") >= members - 2);
    }
    let most = server.most();
    println!("{groups} groups, {members} members: {before} MiB after the start, {most} MiB at most");
    assert!(most <= MOST, "{most} MiB");
}

/// The statements that write the rows themselves: what is tested is how they are read.
fn rows(groups: usize, members: usize) -> [String; 5] {
    let body = |id: &str, name: &str| {
        format!(
            "'{{\"schemas\":[\"{GROUP}\"],\"id\":\"' || {id} || '\",\"displayName\":\"' || {name} || '\",\"meta\":\
             {{\"resourceType\":\"Group\",\"created\":\"2026-01-01T00:00:00.000Z\",\"lastModified\":\
             \"2026-01-01T00:00:00.000Z\",\"version\":\"W/\\\"1\\\"\"}}}}'"
        )
    };
    let numbers = |many: usize| {
        format!("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {many})")
    };
    let resource = "INSERT INTO resources (tenant, type, id, seq, version, body, keys)";
    let member = "INSERT INTO members (tenant, type, id, member, since, place, body, keys)";
    let value = "'{\"value\":\"u' || n || '\",\"type\":\"User\",\"display\":\"Member number ' || n || '\"}'";
    [
        format!(
            "{resource} VALUES ('local', 'Group', 'large', 0, 1, {}, jsonb('{{\"id\":\"large\"}}'))",
            body("'large'", "'Everybody'")
        ),
        format!(
            "{} {resource} SELECT 'local', 'Group', 'g' || n, n, 1, {}, jsonb('{{}}') FROM n",
            numbers(groups),
            body("'g' || n", "'Group ' || n")
        ),
        format!(
            "{} {member} SELECT 'local', 'Group', 'large', 'u' || n, 1, n, {value}, jsonb('{{}}') FROM n",
            numbers(members)
        ),
        format!(
            "{} {member} SELECT 'local', 'Group', 'g' || (n / 2), 'u' || n, 1, n, {value}, jsonb('{{}}') FROM n WHERE n > 1",
            numbers(2 * groups + 1)
        ),
        format!("INSERT INTO counters (tenant, type, last) VALUES ('local', 'Group', {groups})"),
    ]
}

/// How often `needle` is in the answer, which is read to its end.
fn count(answer: &mut dyn std::io::Read, needle: &str) -> usize {
    let (mut found, mut buffer, mut kept) = (0, vec![0; 1 << 16], Vec::new());
    loop {
        let read = answer.read(&mut buffer).unwrap();
        if read == 0 {
            return found;
        }
        kept.extend_from_slice(buffer.get(..read).unwrap());
        let text = String::from_utf8_lossy(&kept);
        found += text.matches(needle).count();
        // What may be the beginning of one more.
        let rest = kept.len().saturating_sub(needle.len() - 1);
        kept.drain(..rest);
    }
}

/// A provider in a process of its own.
struct Process {
    child: Child,
    base: String,
}

impl Process {
    fn start(database: &[&str]) -> Self {
        let mut child = Command::new(support::program("provider"))
            .args(["--listen", "127.0.0.1:0", "--max-results", "1000000"])
            .args(database)
            .env("SCIM_TOKEN", TOKEN)
            .env_remove("DATABASE_URL")
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let base = support::base_url(child.stdout.take().unwrap());
        Self { child, base }
    }

    fn get(&self, path: &str) -> impl std::io::Read + use<> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(600))).build().into();
        let request =
            agent.get(format!("{}{path}", self.base)).header("authorization", format!("Bearer {TOKEN}"));
        request.call().unwrap().into_body().into_reader()
    }

    /// The most memory the process has held, in MiB.
    fn most(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
