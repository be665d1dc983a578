//! What a store over SQLite and PostgreSQL costs when it is large, beside what it costs when it is
//! small, through the service.
//!
//! ```sh
//! cargo run --release -p scim-examples --example scale -- --check [--readme]
//! ```
//!
//! It makes databases with a thousand and with a million users, and groups with ten and with a
//! million members, and asks both the same, in turn. It prints the medians with their ratio and the
//! limit of that, writes them to `target/scale.tsv`, and with `--readme` into the README.
//!
//! The store keeps the audit trail, as `provider` has it. A PATCH is answered 204: an answer with the group would have all
//! its members, and take as long as reading them does.
//!
//! - `look-up by …`: of any user of those there are, each picked at random. The look-ups before, of others,
//!   have made the statements known and the caches as full as they get.
//! - `…, of users looked up before`: of as many of the million as there are of the thousand, all over the tables.
//!   It tells what the look-up takes from what the machine takes to fetch pages: of a thousand users all are in the
//!   caches of the database, of a million those of whoever comes are not.
//! - `first page by cursor` is the page of an empty cursor, with its total. The first figure is that of the small
//!   database, the second that of the large one; what counts takes longer where there is more to count, so it has no limit.
//! - `page by cursor`: the second page of the large database beside one in its middle.
//! - `most resident memory`: of a process of its own for each database, which does all of this.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made ends")]

mod load;
#[path = "../../tests/sql_support/mod.rs"]
mod sql_support;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Parser;
use http::{Request, StatusCode};
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::pagination::{CursorKey, Cursors};
use scim_core::service::PatchResponse;
use scim_core::{Config, CredentialId, Environment, ResourceId, Service, TenantId};
use scim_examples::SqlStore;
use scim_filter::sql::Dialect;
use serde_json::{Value, json};
use sql_support::Postgres;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use table::{Figure, Limit, Unit};

/// Measures stores over large databases beside small ones.
#[derive(Parser)]
struct Options {
    /// Ends with an error if a limit is missed.
    #[arg(long)]
    check: bool,
    /// Small databases and few rounds: shows that it runs, and nothing else.
    #[arg(long)]
    quick: bool,
    /// How many users and members are many.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000, conflicts_with = "quick")]
    users: usize,
    /// Writes the table into the README.
    #[arg(long)]
    readme: bool,
    /// Uses one database as a server does, and prints the memory that took: the program calls itself so.
    #[arg(long, hide = true, num_args = 2, value_names = ["DATABASE", "MEMBERS"])]
    use_database: Option<Vec<String>>,
    /// Where the databases are made. Default: a temporary folder.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Where the figures are written.
    #[arg(long, value_name = "FILE", default_value = "target/scale.tsv")]
    output: PathBuf,
}

/// How much of everything.
struct Sizes {
    small: usize,
    large: usize,
    rounds: usize,
    /// Of what takes least.
    look_ups: usize,
    /// Of what takes a second.
    few: usize,
}

/// Users beyond those who are members: whom the measurements add and remove.
const MORE: usize = 1000;
const TOKEN: &str = "scale";

fn main() -> ExitCode {
    let options = Options::parse();
    let sizes = match options.quick {
        false => Sizes { small: 1000, large: options.users, rounds: 301, look_ups: 3001, few: 21 },
        true => Sizes { small: 100, large: 1_200, rounds: 3, look_ups: 3, few: 2 },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Some([database, members]) = options.use_database.as_deref() {
        runtime.block_on(use_database(database, members.parse().unwrap(), &sizes));
        println!("{}", most_resident());
        return ExitCode::SUCCESS;
    }
    let figures = runtime.block_on(measure(&options, &sizes));
    if let Some(folder) = options.output.parent() {
        std::fs::create_dir_all(folder).unwrap();
    }
    std::fs::write(&options.output, table::tsv(&figures)).unwrap();
    if options.readme {
        let Sizes { small, large, .. } = sizes;
        let sizes = format!(
            "Small is {small} users and a group of 10 members, large {large} users and as many members; "
        ) + "where it is said, both are of the large one.";
        let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
        table::write_into(&readme, &table::markdown(&sizes, &figures)).unwrap();
    }
    let missed = figures.iter().filter(|figure| figure.is_missed()).count();
    println!(
        "{} figures, {missed} beyond their limits; written to {}",
        figures.len(),
        options.output.display()
    );
    if options.check && missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn measure(options: &Options, sizes: &Sizes) -> Vec<Figure> {
    let temporary = tempfile::tempdir().unwrap();
    let folder = options.folder.as_deref().unwrap_or(temporary.path());
    let mut figures = Vec::new();

    let (small, large) = (folder.join("small.db"), folder.join("large.db"));
    sqlite(&small, sizes.small, 10).await;
    sqlite(&large, sizes.large, sizes.large).await;
    let stores = (
        SqlStore::open(&small).await.unwrap().with_audit(),
        SqlStore::open(&large).await.unwrap().with_audit(),
    );
    compare("sqlite", stores, sizes, &mut figures).await;
    let files = [&small, &large].map(|file| file.display().to_string());
    memory("sqlite", files, options, sizes, &mut figures);
    for file in [small, large] {
        let _ = std::fs::remove_file(file);
    }

    let Some(server) = Postgres::start() else { return figures };
    let (small, large) = (server.database("small").await, server.database("large").await);
    postgres(&small, sizes.small, 10).await;
    postgres(&large, sizes.large, sizes.large).await;
    let stores = (
        SqlStore::connect(&small).await.unwrap().with_audit(),
        SqlStore::connect(&large).await.unwrap().with_audit(),
    );
    compare("postgresql", stores, sizes, &mut figures).await;
    memory("postgresql", [small, large], options, sizes, &mut figures);
    figures
}

// --- databases -----------------------------------------------------------------------------------

fn statements(dialect: Dialect, users: usize, members: usize) -> Vec<String> {
    let mut statements = load::users(dialect, users + MORE);
    statements.extend(load::group(dialect, "empty", 1, 0));
    statements.extend(load::group(dialect, "group", 2, members));
    if members < users {
        // So that whoever is looked up is in a group, as all are of a million: their `groups` are answered too.
        statements.extend(load::group(dialect, "everyone", 3, users));
    }
    statements.push("ANALYZE".to_owned());
    statements
}

async fn sqlite(file: &Path, users: usize, members: usize) {
    let begun = Instant::now();
    // The store makes the tables.
    SqlStore::open(file).await.unwrap().close().await;
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let mut run = async |statement: String| {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    };
    run("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN".to_owned()).await;
    for statement in statements(Dialect::Sqlite, users, members) {
        run(statement).await;
    }
    run("COMMIT".to_owned()).await;
    run("PRAGMA wal_checkpoint(TRUNCATE)".to_owned()).await;
    let size = std::fs::metadata(file).map_or(0, |data| data.len()) >> 20;
    println!("sqlite: {users} users, {members} members, {size} MiB, made in {:.0?}", begun.elapsed());
}

async fn postgres(url: &str, users: usize, members: usize) {
    let begun = Instant::now();
    SqlStore::connect(url).await.unwrap().close().await;
    let mut connection = PgConnection::connect(url).await.unwrap();
    for statement in statements(Dialect::Postgres, users, members) {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    // What a server in use has done long ago, and would do in the midst of the measurement.
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await.unwrap();
    sqlx::raw_sql("CHECKPOINT").execute(&mut connection).await.unwrap();
    println!("postgresql: {users} users, {members} members, made in {:.0?}", begun.elapsed());
}

// --- measurements --------------------------------------------------------------------------------

type Scim = Service<SqlStore, StaticTokens>;

async fn compare(
    database: &'static str,
    (small, large): (SqlStore, SqlStore),
    sizes: &Sizes,
    figures: &mut Vec<Figure>,
) {
    let (small, large) = (service(small), service(large));
    println!("{database:<10}  {:<64}  {:>10}  {:>10}  ratio    limit", "what", "small", "large");
    let mut row = |what: &str, times: (Vec<Duration>, Vec<Duration>), limit: Limit| {
        let (small, large) = (median(times.0), median(times.1));
        let figure = Figure { database, what: what.to_owned(), unit: Unit::Time, small, large, limit };
        figure.print();
        figures.push(figure);
    };

    let mut random = 1_usize;
    let mut next = |most: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1 + (random >> 33) % most
    };
    for (what, filter) in LOOK_UPS {
        let look_up = async |service: &Scim, number: usize| {
            found(service, &filter.replacen("@@", &number.to_string(), 1)).await
        };
        let mut times = (Vec::new(), Vec::new());
        for round in 0..2 * sizes.look_ups {
            let small = look_up(&small, next(sizes.small)).await;
            let large = look_up(&large, next(sizes.large)).await;
            if round >= sizes.look_ups {
                times.0.push(small);
                times.1.push(large);
            }
        }
        row(what, times, Limit::Times(2.0));
        let apart = sizes.large / sizes.small;
        for number in 1..=sizes.small {
            look_up(&small, number).await;
            look_up(&large, number * apart).await;
        }
        let mut times = (Vec::new(), Vec::new());
        for _ in 0..sizes.look_ups {
            let number = next(sizes.small);
            times.0.push(look_up(&small, number).await);
            times.1.push(look_up(&large, number * apart).await);
        }
        row(&format!("{what}, of users looked up before"), times, Limit::Times(2.0));
    }

    // Of the large group no more is looked at than tells that it is large.
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..sizes.rounds {
        let number = next(sizes.small);
        let filter = format!("groups.value eq \"group\" and userName eq \"user{number}@example.com\"");
        times.0.push(found_of(&small, &filter, (number <= 10).into()).await);
        times.1.push(found_of(&large, &filter, 1).await);
    }
    row("look-up by userName in a group", times, Limit::None);

    let mut times = [const { (Vec::new(), Vec::new()) }; 2];
    for round in 0..sizes.rounds + 20 {
        for (is_large, service, members) in [(false, &small, sizes.small), (true, &large, sizes.large)] {
            let one = [format!("u{}", members + 1 + round % MORE)];
            for (times, remove) in times.iter_mut().zip([false, true]) {
                let time = members_patched(service, "group", &one, remove).await;
                if round >= 20 {
                    if is_large { times.1.push(time) } else { times.0.push(time) }
                }
            }
        }
    }
    for (what, times) in ["1 member added", "1 member removed"].into_iter().zip(times) {
        row(what, times, Limit::Times(2.0));
    }

    let mut times = (Vec::new(), Vec::new());
    for _ in 0..sizes.few {
        for (times, group) in [(&mut times.0, "empty"), (&mut times.1, "group")] {
            times.push(members_patched(&large, group, &thousand(sizes.large), false).await);
            members_patched(&large, group, &thousand(sizes.large), true).await;
        }
    }
    row("1,000 members added in one PATCH, to none and to as many as are large", times, Limit::Times(1.5));

    for (what, sort) in [("", ""), (", sorted", "&sortBy=userName")] {
        let mut times = (Vec::new(), Vec::new());
        for _ in 0..sizes.few {
            times.0.push(timed(page(&small, sort, "")).await.0);
            times.1.push(timed(page(&large, sort, "")).await.0);
        }
        row(&format!("first page by cursor{what}, with the total"), times, Limit::None);
        let (second, deep) = places(&large, sort, sizes.large / 2).await;
        let mut times = (Vec::new(), Vec::new());
        for _ in 0..sizes.rounds {
            times.0.push(timed(page(&large, sort, &second)).await.0);
            times.1.push(timed(page(&large, sort, &deep)).await.0);
        }
        row(&format!("page by cursor{what}, the second and one in the middle"), times, Limit::Times(2.0));
    }
}

/// What a server of each database takes of memory: a process of its own, which does what is measured.
fn memory(
    database: &'static str,
    databases: [String; 2],
    options: &Options,
    sizes: &Sizes,
    figures: &mut Vec<Figure>,
) {
    let used = |name: &str, members: usize| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--use-database", name, &members.to_string()]);
        if options.quick {
            command.arg("--quick");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim().parse::<f64>().unwrap()
    };
    let [small, large] = databases;
    let (small, large) = (used(&small, sizes.small), used(&large, sizes.large));
    let what = "most resident memory of the server".to_owned();
    let figure = Figure { database, what, unit: Unit::Memory, small, large, limit: Limit::More(GROWTH) };
    figure.print();
    figures.push(figure);
}

/// Look-ups, changes of the group and pages, as a server has them that is asked for nothing else.
async fn use_database(name: &str, users: usize, sizes: &Sizes) {
    let store = match name.starts_with("postgres") {
        true => SqlStore::connect(name).await.unwrap(),
        false => SqlStore::open(Path::new(name)).await.unwrap(),
    };
    let service = service(store.with_audit());
    for number in (1..=users).step_by(users.div_ceil(sizes.look_ups)) {
        for (_, filter) in LOOK_UPS {
            found(&service, &filter.replacen("@@", &number.to_string(), 1)).await;
        }
    }
    for members in [thousand(users), vec![format!("u{}", users + 1)]] {
        for remove in [false, true, false, true] {
            members_patched(&service, "group", &members, remove).await;
        }
    }
    for sort in ["", "&sortBy=userName"] {
        let (_, deep) = places(&service, sort, users.min(100 * PAGE) / 2).await;
        page(&service, sort, &deep).await;
    }
}

/// The users beyond those who are members.
fn thousand(users: usize) -> Vec<String> {
    (users + 1..=users + MORE).map(|number| format!("u{number}")).collect()
}

fn service(store: SqlStore) -> Scim {
    let mut config = Config::new("https://scale.example.com/scim/v2".parse().unwrap());
    config.patch_response = PatchResponse::NoContent;
    config.cursors = Some(Cursors::new(CursorKey::new([7; 32]).unwrap()));
    config.capabilities.max_results = PAGE;
    let principal = Principal { tenant: TenantId::new(load::TENANT), credential: CredentialId::new("scale") };
    let tokens = StaticTokens::new().with(Secret::new(TOKEN).unwrap(), principal);
    let environment =
        Environment::new(jiff::Timestamp::now, || ResourceId::new(uuid::Uuid::new_v4().to_string()));
    Service::new(store, tokens, config, environment)
}

async fn found(service: &Scim, filter: &str) -> Duration {
    found_of(service, filter, 1).await
}

async fn found_of(service: &Scim, filter: &str, total: usize) -> Duration {
    let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let path = format!("/Users?filter={filter}");
    let (time, answer) = timed(call(service, "GET", &path, None)).await;
    let list: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(list.get("totalResults"), Some(&json!(total)), "{path}");
    time
}

async fn members_patched(service: &Scim, group: &str, members: &[String], remove: bool) -> Duration {
    let value: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    let operation = json!({"op": if remove { "remove" } else { "add" }, "path": "members", "value": value});
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [operation],
    });
    timed(call(service, "PATCH", &format!("/Groups/{group}"), Some(&body))).await.0
}

/// The cursors of the second page, and of one that comes behind `depth` results.
async fn places(service: &Scim, sort: &str, depth: usize) -> (String, String) {
    let mut cursor = String::new();
    let mut first = None;
    let mut passed = 0;
    while passed < depth {
        let list = page(service, sort, &cursor).await;
        passed += list.get("Resources").and_then(Value::as_array).unwrap().len();
        cursor = list.get("nextCursor").and_then(Value::as_str).unwrap().to_owned();
        first.get_or_insert_with(|| cursor.clone());
    }
    (first.unwrap(), cursor)
}

async fn page(service: &Scim, sort: &str, cursor: &str) -> Value {
    let path = format!("/Users?count={PAGE}&cursor={cursor}{sort}");
    serde_json::from_slice(&call(service, "GET", &path, None).await).unwrap()
}

async fn call(service: &Scim, method: &str, path: &str, body: Option<&Value>) -> Bytes {
    let request = Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/scim+json")
        .body(body.map(|body| body.to_string().into()).unwrap_or_default())
        .unwrap();
    let answer = service.call(request).await;
    let status = answer.status();
    assert!(
        matches!(status, StatusCode::OK | StatusCode::NO_CONTENT),
        "{method} {path}: {status} {:?}",
        answer.body()
    );
    answer.into_body()
}

async fn timed<T>(call: impl Future<Output = T>) -> (Duration, T) {
    let begun = Instant::now();
    let done = call.await;
    (begun.elapsed(), done)
}

/// In nanoseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).unwrap().as_secs_f64() * 1e9
}

/// The most memory that this process had in use, in KiB; 0 where nobody tells.
fn most_resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse().unwrap_or(0)
}

/// What users are looked up by, with `@@` for the number.
const LOOK_UPS: [(&str, &str); 4] = [
    ("look-up by userName", "userName eq \"user@@@example.com\""),
    ("look-up by externalId", "externalId eq \"E@@\""),
    ("look-up by id", "id eq \"u@@\""),
    ("look-up by emails[type eq \"work\"].value", "emails[type eq \"work\"].value eq \"user@@@example.com\""),
];
/// Results of a page.
const PAGE: usize = 1000;
/// What a server of a large database may take more than one of a small one, in KiB: the caches of SQLite are 2 MiB
/// for each connection of the pool and 8 MiB for each that looks up, and a small database does not fill them.
const GROWTH: f64 = 32_768.0;
