//! PATCH messages U1a to U1e: what identity providers send, on a group of 100,000 members in memory
//! and on a user; a table, and `target/patch.tsv` with the same.
//!
//! ```text
//! cargo bench --bench patch [-- --quick] [-- --check]
//! ```
//!
//! - `clone` copies the group as a `serde_json::Value`: the time that the others are compared with.
//! - `service` is what an embedder meets: `Service::call` from the bytes of the request to 204, with
//!   everything between, on a group that is in a `MemoryStore`. That members exist is checked, as it
//!   is by default. Limits are the defaults where they let the message through; U1b2 is longer than
//!   the default filter and the messages ten times as long longer than all of them, so they are raised.
//! - `x10` is one message with ten times the operations (of U1a the members, of U1b2 the terms), which may
//!   take twelve times as long as the message. `in ten` is the same in ten messages.
//! - `plan + apply` reads the message from a `Value`, plans it without the members, and puts the
//!   change onto a plain `Resource`: that has no index, so each of its members is looked at.
//!
//! Each row is measured by a process of its own, so that none meets the heap in the disorder that
//! another left: in such a heap the clone too takes several times as long.
//! Before each round the group is as before, but for its order, and the processor's caches are full of
//! something else, as in a server that does more than this: otherwise the members that a small message
//! touches would be there from the last round, and those of one ten times as long would not. A processor
//! with many cores has hundreds of megabytes that they share, so that much is written. With `--check` the
//! limits below must hold. A time is that of the thread on its processor, so that other work on the
//! machine does not count. As a test (`cargo bench -- --test`) the group is small, nothing is timed,
//! and the allocations are compared. The allocator counts in every row alike, which makes each
//! allocation some nanoseconds dearer.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement"
)]

use std::cell::RefCell;
use std::hint::black_box;
use std::path::Path;
use std::pin::pin;
use std::process::Command;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use bytes::Bytes;
use http::{Request, Response};
use rustix::time::{ClockId, clock_gettime};
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::patch::{PatchOptions, PatchRequest};
use scim_core::schema::{Registry, ResourceSchema};
use scim_core::service::PatchResponse;
use scim_core::store::{Scope, Store};
use scim_core::validate::unique_keys;
use scim_core::{
    Config, CredentialId, Environment, MemoryStore, Resource, ResourceId, Service, TenantId, Value,
};
use serde_json::{Value as Json, json};

/// What a message may take of the time of the clone.
const LIMITS: [(&str, f64); 4] = [("U1a", 0.12), ("U1b", 0.12), ("U1b2", 0.12), ("U1e", 0.02)];
/// What a message with ten times the operations may take of the time of the message.
const TEN_TIMES: f64 = 12.0;

/// Messages on a group.
const MESSAGES: [&str; 4] = ["U1a", "U1b", "U1b2", "U1e"];
const SCALE: Scale = Scale { members: 100_000, touched: 1_000 };

type Server = Service<MemoryStore, StaticTokens>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let told = |option: &str| arguments.iter().any(|argument| argument == option);
    let rounds = if told("--quick") { 7 } else { 31 };
    if told("--test") {
        return test_allocations();
    }
    if let Some([_, workload, what]) = arguments.windows(3).find(|window| window[0] == "--row") {
        println!("{}", Row::measured(workload, what, SCALE, rounds));
        return ExitCode::SUCCESS;
    }
    let quick = told("--quick").then_some("--quick");
    let table = Table(
        rows().into_iter().map(|(workload, what)| Row::of_its_own_process(&workload, what, quick)).collect(),
    );
    println!("{table}");
    let target = std::env::var_os("CARGO_TARGET_DIR").map(Into::into);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"));
    std::fs::write(target.join("patch.tsv"), table.tsv()).expect("the target folder can be written");
    let held = table.check();
    if held || !told("--check") { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is measured: workloads, each with what is done.
fn rows() -> Vec<(String, &'static str)> {
    let own = |name: &str, whats: &[&'static str]| {
        whats.iter().map(|what| (name.to_owned(), *what)).collect::<Vec<_>>()
    };
    let mut rows = own("group", &["clone"]);
    rows.extend(MESSAGES.iter().flat_map(|name| own(name, &["service", "plan + apply"])));
    for name in MESSAGES {
        rows.extend(own(&format!("{name} x10"), &["service", "in ten", "plan + apply"]));
    }
    rows.extend(own("user", &["clone"]));
    rows.extend(["U1c", "U1d"].iter().flat_map(|name| own(name, &["plan + apply"])));
    rows
}

/// How much there is of everything.
#[derive(Clone, Copy)]
struct Scale {
    members: usize,
    touched: usize,
}

/// A message, and what takes it back.
struct Message {
    body: Json,
    /// The same in ten messages.
    in_ten: Vec<Json>,
    back: Json,
    /// How many members there are after it.
    members: usize,
}

fn message(name: &str, scale: Scale) -> Message {
    let Scale { members, touched } = scale;
    let order = shuffled(members);
    let half = touched / 2;
    let new: Vec<Json> = (members..members + half).map(member).collect();
    let known = order[..half].iter().map(|number| member(*number));
    let mut added: Vec<Json> = known.chain(new.clone()).collect();
    added = shuffled(added.len()).into_iter().map(|place| added[place].clone()).collect();
    let gone: Vec<usize> = order[half..half + touched].to_vec();
    let removed: Vec<String> = gone.iter().map(|number| format!("value eq \"{}\"", id(*number))).collect();
    let one_by_one: Json =
        removed.iter().map(|term| json!({"op": "remove", "path": format!("members[{term}]")})).collect();
    let at_once =
        |terms: &[String]| json!([{"op": "remove", "path": format!("members[{}]", terms.join(" or "))}]);
    let all_back: Json = gone.iter().map(|number| member(*number)).collect();
    let add = |members: &Json| json!([{"op": "add", "path": "members", "value": members}]);
    let remove = |members: &Json| json!([{"op": "remove", "path": "members", "value": members}]);
    let new = Json::from(new);
    // One at a time: U1e is one operation for the thousand of the others.
    let ones: Vec<Json> = (members..members + touched.div_ceil(1_000)).map(member).collect();
    let add_ones: Vec<Json> =
        ones.iter().map(|one| json!({"op": "add", "path": "members", "value": [one]})).collect();
    let tenths = |whole: &[Json]| whole.chunks(whole.len().div_ceil(10)).map(Json::from).collect::<Vec<_>>();
    let in_ten: Vec<Json> = match name {
        "U1a" => tenths(&added).iter().map(add).map(patch_op).collect(),
        "U1e" => tenths(&add_ones).into_iter().map(patch_op).collect(),
        "U1b" => tenths(one_by_one.as_array().unwrap()).into_iter().map(patch_op).collect(),
        _ => removed.chunks(removed.len().div_ceil(10)).map(at_once).map(patch_op).collect(),
    };
    let operations = match name {
        "U1a" => add(&added.into()),
        "U1b" => one_by_one,
        "U1b2" => at_once(&removed),
        _ => add_ones.into(),
    };
    let (back, members) = match name {
        "U1a" => (remove(&new), members + half),
        "U1e" => {
            let members = members + ones.len();
            (remove(&ones.into()), members)
        }
        _ => (add(&all_back), members - touched),
    };
    Message { body: patch_op(operations), in_ten, back: patch_op(back), members }
}

/// A message, or the ten it is divided into, to a service with the group, before each as it was.
fn service(name: &str, scale: Scale, rounds: usize, divided: bool) -> (Duration, u64) {
    let Message { body, in_ten, back, members } = message(name, scale);
    let bodies: Vec<Bytes> = if divided { in_ten.iter().map(bytes).collect() } else { vec![bytes(&body)] };
    let back = bytes(&back);
    drop((body, in_ten));
    let server = server(scale);
    let work = || bodies.iter().for_each(|body| patch(&server, body));
    work();
    let figures = measured(rounds, || patch(&server, &back), work);
    let count = || read(&server)["members"].as_array().map_or(0, Vec::len);
    assert_eq!(count(), members, "{name}");
    patch(&server, &back);
    assert_eq!(count(), scale.members, "{name}");
    figures
}

/// A message planned on a plain resource, without its members if it has any, and put onto it.
fn plan_and_apply(
    schema: &ResourceSchema,
    resource: Resource,
    body: Json,
    back: Json,
    rounds: usize,
) -> (Duration, u64) {
    let resource = RefCell::new(resource);
    let (body, back) = (Value::from(body), Value::from(back));
    let mut unloaded = Resource::default();
    for (name, value) in resource.borrow().0.iter().filter(|(name, _)| !name.matches("members")) {
        unloaded.0.insert(name.clone(), value.clone());
    }
    let has_members = resource.borrow().get("members").is_some();
    let run = |body: &Value| {
        let request = request(schema, body.clone());
        let plan = match has_members {
            true => request.plan(schema, black_box(&unloaded)),
            false => request.plan(schema, black_box(&resource.borrow())),
        };
        assert!(plan.unwrap().change.apply(&mut resource.borrow_mut()));
    };
    run(&body);
    measured(rounds, || run(&back), || run(&body))
}

/// The median of the times `work` takes, each time after `before`, which is not measured; nor is
/// dropping what `work` makes. And how often it allocates.
fn measured<T>(rounds: usize, before: impl Fn(), work: impl Fn() -> T) -> (Duration, u64) {
    before();
    let allocations = measure(|| drop(black_box(work()))).count_total;
    let mut elsewhere = vec![0_u8; ELSEWHERE];
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            before();
            elsewhere.iter_mut().step_by(64).for_each(|byte| *byte = byte.wrapping_add(1));
            black_box(&elsewhere);
            let start = processor_time();
            let made = black_box(work());
            let time = processor_time() - start;
            drop(made);
            time
        })
        .collect();
    times.sort_unstable();
    (times[times.len() / 2], allocations)
}

/// What is written between two rounds, more than one core's part of what the processor's caches hold.
const ELSEWHERE: usize = 256 << 20;

/// One row for each measurement.
struct Table(Vec<Row>);

struct Row {
    workload: String,
    what: String,
    median: Duration,
    allocations: u64,
}

impl Row {
    fn measured(workload: &str, what: &str, scale: Scale, rounds: usize) -> Self {
        let registry = Registry::standard();
        let (groups, users) = (registry.by_name("Group").unwrap(), registry.by_name("User").unwrap());
        let (name, scale) = match workload.strip_suffix(" x10") {
            Some(name) => (name, Scale { touched: 10 * scale.touched, ..scale }),
            None => (workload, scale),
        };
        let email = |value: &str| json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": value}]);
        let active = |active: bool| json!([{"op": "replace", "value": {"active": active}}]);
        let on_user = |body: Json, back: Json| {
            plan_and_apply(users, resource(user()), patch_op(body), patch_op(back), 10 * rounds)
        };
        let clone = |json: Json, rounds: usize| measured(rounds, || {}, || json.clone());
        let (median, allocations) = match (name, what) {
            ("group", "clone") => clone(group(scale.members), rounds),
            ("user", "clone") => clone(user(), 10 * rounds),
            ("U1c", _) => on_user(email("new@example.com"), email("bjensen@example.com")),
            ("U1d", _) => on_user(active(false), active(true)),
            (name, "service") => service(name, scale, rounds, false),
            (name, "in ten") => service(name, scale, rounds, true),
            (name, _) => {
                let Message { body, back, .. } = message(name, scale);
                plan_and_apply(groups, group_resource(scale.members), body, back, rounds)
            }
        };
        Self { workload: workload.to_owned(), what: what.to_owned(), median, allocations }
    }

    /// Measured by a process that does nothing else: what other rows did to the heap does not count.
    fn of_its_own_process(workload: &str, what: &str, quick: Option<&str>) -> Self {
        let program = std::env::current_exe().unwrap();
        let output = Command::new(program).args(["--row", workload, what]).args(quick).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let parts: Vec<&str> = text.trim().split('\t').collect();
        let [_, _, median, allocations] = parts[..] else {
            panic!("{workload}, {what}: {}", String::from_utf8_lossy(&output.stderr));
        };
        Self {
            workload: workload.to_owned(),
            what: what.to_owned(),
            median: Duration::from_nanos(median.parse().unwrap()),
            allocations: allocations.parse().unwrap(),
        }
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { workload, what, median, allocations } = self;
        write!(f, "{workload}\t{what}\t{}\t{allocations}", median.as_nanos())
    }
}

impl Table {
    fn get(&self, workload: &str, what: &str) -> &Row {
        self.0.iter().find(|row| row.workload == workload && row.what == what).expect("a row of the table")
    }

    /// What was cloned to compare a row with.
    fn clone_beside(&self, row: &Row) -> &Row {
        let of = if ["user", "U1c", "U1d"].contains(&&*row.workload) { "user" } else { "group" };
        self.get(of, "clone")
    }

    fn tsv(&self) -> String {
        let rows = self.0.iter().map(|row| format!("{row}\n"));
        ["workload\twhat\tmedian ns\tallocations\n".to_owned()].into_iter().chain(rows).collect()
    }

    /// Prints whether each limit holds, and returns whether all do.
    fn check(&self) -> bool {
        let within = LIMITS.map(|(workload, limit)| {
            let ratio = ratio(self.get(workload, "service"), self.get("group", "clone"));
            (format!("{workload}, of the clone"), ratio, limit)
        });
        let tenfold = MESSAGES.iter().map(|name| {
            let ten = format!("{name} x10");
            let ratio = ratio(self.get(&ten, "service"), self.get(name, "service"));
            (format!("{ten}, of {name}"), ratio, TEN_TIMES)
        });
        let mut held = true;
        for (what, ratio, limit) in within.into_iter().chain(tenfold) {
            let verdict = if ratio <= limit { "holds" } else { "TOO MUCH" };
            held &= ratio <= limit;
            println!("{what:24} {ratio:8.4}, at most {limit:<5} {verdict}");
        }
        held
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{:10} {:14} {:>14} {:>12} {:>10}",
            "workload", "what", "median ns", "allocations", "of clone"
        )?;
        for row in &self.0 {
            let Row { workload, what, median, allocations } = row;
            let (median, ratio) = (median.as_nanos(), ratio(row, self.clone_beside(row)));
            writeln!(f, "{workload:10} {what:14} {median:>14} {allocations:>12} {ratio:>10.4}")?;
        }
        Ok(())
    }
}

/// How long this thread has run; what else the machine does in between does not count.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("time goes on")
}

fn ratio(row: &Row, of: &Row) -> f64 {
    row.median.as_secs_f64() / of.median.as_secs_f64()
}

/// Allocations are proportional to the change: in a group of twice the members as many, and for ten
/// times the operations at most twelve times as many.
fn test_allocations() -> ExitCode {
    let small = Scale { members: 2_000, touched: 100 };
    let allocations = |name: &str, scale| Row::measured(name, "service", scale, 1).allocations;
    for name in MESSAGES {
        let one = allocations(name, small);
        let large = allocations(name, Scale { members: 4_000, ..small });
        assert!(one.abs_diff(large) <= one / 20 + 8, "{name}: {one} and {large} allocations");
        let ten = allocations(&format!("{name} x10"), small);
        assert!(ten <= 12 * one, "{name}: {one} and {ten} allocations");
        println!("{name}: {one} allocations");
    }
    for (workload, what) in rows().into_iter().filter(|(_, what)| *what != "service") {
        println!("{}", Row::measured(&workload, what, small, 1));
    }
    ExitCode::SUCCESS
}

fn server(Scale { members, touched }: Scale) -> Server {
    let environment = Environment::new(|| jiff::Timestamp::UNIX_EPOCH, || ResourceId::new("unused"));
    let tenant = TenantId::new("bench");
    let principal = Principal { tenant: tenant.clone(), credential: CredentialId::new("bench") };
    let tokens = StaticTokens::new().with(Secret::new("token").unwrap(), principal);
    let mut config = Config::new("https://scim.example.com".parse().unwrap());
    config.patch_response = PatchResponse::NoContent;
    config.limits.max_body_bytes = 16 << 20;
    config.limits.max_patch_operations = 10_000;
    config.limits.filter.max_bytes = 4 << 20;
    config.limits.filter.max_terms = 10_000;
    let registry = Registry::standard();
    let store = MemoryStore::new();
    let create = |type_name: &str, resource: &Resource| {
        let scope = Scope { tenant: &tenant, schema: registry.by_name(type_name).unwrap() };
        ready(store.create(scope, resource, &unique_keys(scope.schema, resource))).unwrap();
    };
    // Those whom a message adds, or puts back.
    let order = shuffled(members);
    let known = order[..touched + touched / 2].iter().copied();
    for number in known.chain(members..members + touched) {
        let user = json!({
            "id": id(number),
            "userName": format!("user{number}"),
            "meta": {"version": "W/\"1\""},
        });
        create("User", &resource(user));
    }
    create("Group", &group_resource(members));
    Service::new(store, tokens, config, environment)
}

fn patch(server: &Server, body: &Bytes) {
    let response = send(server, "PATCH", body.clone());
    assert_eq!(response.status(), 204, "{:?}", response.body());
}

fn read(server: &Server) -> Json {
    let response = send(server, "GET", Bytes::new());
    assert_eq!(response.status(), 200);
    serde_json::from_slice(response.body()).unwrap()
}

fn send(server: &Server, method: &str, body: Bytes) -> Response<Bytes> {
    let request = Request::builder()
        .method(method)
        .uri(format!("/Groups/{GROUP}"))
        .header("authorization", "Bearer token")
        .header("content-type", "application/scim+json")
        .body(body)
        .unwrap();
    ready(server.call(request))
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a store in memory waits for nothing"),
    }
}

fn request(schema: &ResourceSchema, message: Value) -> PatchRequest {
    let mut options = PatchOptions { max_operations: 10_000, ..PatchOptions::default() };
    options.path.limits.max_bytes = 4 << 20;
    options.path.limits.max_terms = 10_000;
    PatchRequest::parse(schema, message, &options).unwrap()
}

const GROUP: &str = "e9e30dba-f08f-4109-8486-d5c6a331660a";

fn group(members: usize) -> Json {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": GROUP,
        "displayName": "Everyone",
        "members": (0..members).map(member).collect::<Vec<_>>(),
        "meta": {
            "resourceType": "Group",
            "created": "2010-01-23T04:56:22Z",
            "lastModified": "2011-05-13T04:42:34Z",
            "version": "W/\"7\"",
        },
    })
}

/// The same, built one member after the other, so that no large tree besides leaves the heap in
/// disorder.
fn group_resource(members: usize) -> Resource {
    let mut group = resource(group(0));
    group.0.insert("members", (0..members).map(|number| member(number).into()).collect::<Vec<Value>>());
    group
}

fn user() -> Json {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "2819c223-7f76-453a-919d-413861904646",
        "externalId": "701984",
        "userName": "bjensen@example.com",
        "name": {"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara"},
        "displayName": "Babs Jensen",
        "emails": [
            {"value": "bjensen@example.com", "type": "work", "primary": true},
            {"value": "babs@example.org", "type": "home"},
        ],
        "addresses": [
            {"type": "work", "streetAddress": "1 Example Plaza", "locality": "Ghent", "country": "BE", "primary": true},
            {"type": "home", "streetAddress": "2 Example Lane", "locality": "Ghent", "country": "BE"},
        ],
        "phoneNumbers": [{"value": "+1-555-0100", "type": "work"}],
        "title": "Tour Guide",
        "active": true,
        "meta": {"resourceType": "User", "version": "W/\"7\""},
    })
}

fn member(number: usize) -> Json {
    let id = id(number);
    json!({
        "value": id,
        "$ref": format!("https://example.com/v2/Users/{id}"),
        "type": "User",
        "display": format!("Member {number}"),
    })
}

/// An identifier that looks random but is made from a number.
fn id(number: usize) -> String {
    let mixed = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let part = |from: u32, bits: u32| (mixed >> from) & ((1 << bits) - 1);
    let (a, b, c, d, e) = (part(96, 32), part(80, 16), part(64, 16), part(48, 16), part(0, 48));
    format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
}

/// The numbers below `count` in an order that looks random.
fn shuffled(count: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    numbers.sort_by_cached_key(|number| id(number * 7 + 3));
    numbers
}

fn patch_op(operations: Json) -> Json {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

fn bytes(json: &Json) -> Bytes {
    json.to_string().into()
}

fn resource(json: Json) -> Resource {
    match Value::from(json) {
        Value::Object(object) => Resource(object),
        _ => Resource::default(),
    }
}
