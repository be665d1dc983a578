//! Answers that are written piece by piece, beside those that are there as a whole.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::Body as _;
use proptest::prelude::*;
use scim_core::auth::StaticTokens;
use scim_core::pagination::{CursorKey, Cursors};
use scim_core::policy::{Policy, StandardPolicy};
use scim_core::service::{BrokenOff, ResponseBody};
use scim_core::store::StoreError;
use scim_core::testkit::{Call, Hooked, Hooks};
use scim_core::{Config, MemoryStore, Resource, Service, Store};
use serde_json::{Value, json};

use crate::least_store::Least;
use crate::support::{answer, config, encoded, ready, request, server_over, user};

const USERS: usize = 420;
const MEMBERS: usize = 2500;

type Served<S, P = StandardPolicy> = Arc<Service<S, StaticTokens, P>>;

fn large() -> Config {
    let mut config = Config { check_members: false, ..config() };
    config.capabilities.max_results = 100_000;
    config.cursors = Some(Cursors::new(CursorKey::new([7; 32]).unwrap()));
    config
}

/// A service with more users, and more members of a group, than a part of an answer has room for.
fn populated<S: Store>(store: S) -> Served<S> {
    let server = server_over(store, large());
    for number in 0..USERS {
        let mut user = user(&format!("user{}", (number * 7919) % USERS));
        user["displayName"] = json!("x".repeat(number % 300 + 300));
        user["emails"] = json!([{"value": format!("{number}@example.com"), "type": "work"}]);
        assert_eq!(server.post("/Users", user).status, 201);
    }
    let value = |number: usize| match number % 3 {
        0 => json!({"value": format!("m{number}"), "display": format!("Member \"{number}\"")}),
        1 => json!({"value": format!("m{number}"), "type": "User"}),
        _ => json!({"value": format!("m{number}")}),
    };
    for (name, members) in [("none", 0), ("few", 3), ("many", MEMBERS), ("one", 1), ("more", MEMBERS / 2)] {
        let members: Vec<Value> = (0..members).map(value).collect();
        let group = json!({"schemas": [GROUP], "displayName": name, "members": members});
        assert_eq!(server.post("/Groups", group).status, 201);
    }
    Arc::new(server.service)
}

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The parts of the body, and the error it ends with, if it does.
fn parts(mut body: ResponseBody) -> (Vec<Bytes>, Option<BrokenOff>) {
    let mut parts = Vec::new();
    while let Some(frame) = part(&mut body) {
        match frame {
            Ok(part) => parts.push(part),
            Err(error) => return (parts, Some(error)),
        }
    }
    assert!(body.is_end_stream());
    (parts, None)
}

fn part(body: &mut ResponseBody) -> Option<Result<Bytes, BrokenOff>> {
    match Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(frame) => frame.map(|frame| frame.map(|frame| frame.into_data().unwrap())),
        Poll::Pending => panic!("the store waits for something"),
    }
}

/// Answers a request in pieces: status, the number of parts, and the text.
fn in_pieces<S: Store, P: Policy>(
    service: &Served<S, P>,
    request: Request<Bytes>,
) -> (StatusCode, usize, Value) {
    let (head, body) = ready(service.call_in_pieces(request)).into_parts();
    let told = body.size_hint().exact();
    let (parts, broken) = parts(body);
    assert!(broken.is_none(), "{broken:?}");
    let text = parts.concat();
    assert!(told.is_none_or(|length| length == text.len() as u64));
    assert!(parts.iter().all(|part| !part.is_empty() && part.len() < 2 * ResponseBody::PART));
    (head.status, parts.len(), serde_json::from_slice(&text).unwrap())
}

/// Asserts that both ways of answering say the same, and returns how many parts that had.
fn same<S: Store, P: Policy>(service: &Served<S, P>, asked: impl Fn() -> Request<Bytes>) -> usize {
    let whole = answer(ready(service.call(asked())));
    let (status, parts, written) = in_pieces(service, asked());
    assert_eq!(status, whole.status);
    assert_eq!(written, whole.json());
    parts
}

#[derive(Clone, Debug)]
struct Asked {
    endpoint: &'static str,
    search: bool,
    parameters: Vec<(&'static str, String)>,
}

impl Asked {
    fn request(&self) -> Request<Bytes> {
        if self.search {
            let mut body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]});
            for (name, value) in &self.parameters {
                body[*name] = match *name {
                    "count" | "startIndex" => json!(value.parse::<i64>().unwrap()),
                    "attributes" | "excludedAttributes" => json!(value.split(',').collect::<Vec<_>>()),
                    _ => json!(value),
                };
            }
            return request("POST", &format!("{}/.search", self.endpoint), Some(body));
        }
        let parameters: Vec<String> =
            self.parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        request("GET", &format!("{}?{}", self.endpoint, parameters.join("&")), None)
    }
}

fn asked(sorts: bool) -> impl Strategy<Value = Asked> {
    let text = |name: &'static str, values: &'static [&'static str]| {
        proptest::option::weighted(0.5, proptest::sample::select(values))
            .prop_map(move |value| value.map(|value| (name, value.to_owned())))
    };
    let filters = &[
        "displayName pr",
        "not (displayName pr)",
        "userName sw \"user1\"",
        "displayName eq \"many\"",
        "members eq \"m7\" or userName co \"9\"",
        "id eq \"id-3\"",
        "meta.resourceType eq \"Group\" and displayName sw \"m\"",
    ];
    let projections = prop_oneof![
        Just(None),
        proptest::sample::select(
            &[
                ("attributes", "members"),
                ("attributes", "members.value"),
                ("attributes", "userName,meta.version,emails.type"),
                ("attributes", "displayName,members.display,meta.location"),
                ("attributes", "members.$ref"),
                ("excludedAttributes", "members.$ref"),
                ("excludedAttributes", "members"),
                ("excludedAttributes", "members.value"),
                ("excludedAttributes", "meta,emails,displayName"),
                ("excludedAttributes", "meta.location,members.type"),
            ][..]
        )
        .prop_map(|(name, value)| Some((name, value.to_owned()))),
    ];
    let count = prop_oneof![Just(None), (0..1000_i32).prop_map(Some), Just(Some(100_000))];
    let by = prop_oneof![
        Just(None),
        (1..600_i32).prop_map(|start| Some(("startIndex", start.to_string()))),
        Just(sorts.then(|| ("cursor", String::new()))),
    ];
    let endpoint = proptest::sample::select(&["/Users", "/Groups", ""][..]);
    let sort = text("sortBy", if sorts { &["userName", "displayName", "id"] } else { &["id"] });
    let order = text("sortOrder", &["ascending", "descending"]);
    (endpoint, any::<bool>(), text("filter", filters), sort, order, projections, count, by).prop_map(
        |(endpoint, search, filter, sort, order, projection, count, by)| {
            let count = count.map(|count| ("count", count.to_string()));
            let parameters = [filter, sort, order, projection, count, by].into_iter().flatten().collect();
            Asked { endpoint, search, parameters }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_in_pieces_is_what_a_whole_answer_says(asked in asked(true)) {
        static SERVICE: LazyLock<Served<MemoryStore>> = LazyLock::new(|| populated(MemoryStore::new()));
        same(&SERVICE, || asked.request());
    }

    #[test]
    fn the_same_of_a_store_that_has_neither_pieces_nor_places(asked in asked(false)) {
        static SERVICE: LazyLock<Served<Least>> = LazyLock::new(|| populated(Least::default()));
        same(&SERVICE, || asked.request());
    }
}

#[test]
fn what_is_long_comes_in_parts_and_what_is_short_with_its_length() {
    let service = populated(MemoryStore::new());
    let parts = |path: &str| same(&service, || request("GET", path, None));
    assert!(parts("/Users?count=1000") >= 3);
    assert!(parts("/Groups?count=1000") >= 2);
    assert!(parts("/Groups/id-423") >= 2);
    assert!(parts("/?count=1000") >= 5);
    assert_eq!(parts("/Groups?count=1000&excludedAttributes=members"), 1);
    assert_eq!(parts("/Groups/id-422"), 1);
    assert_eq!(parts("/Users/nobody"), 1);
    assert_eq!(parts("/Schemas"), 1);

    let head = |path: &str| ready(service.call_in_pieces(request("HEAD", path, None)));
    let (short, long) = (head("/Groups/id-422"), head("/Groups/id-423"));
    let length = answer(ready(service.call(request("GET", "/Groups/id-422", None)))).text.len();
    assert_eq!(short.headers()["content-length"], length.to_string());
    assert_eq!((long.status().as_u16(), long.headers().get("content-length")), (200, None));
    assert!(short.body().is_end_stream() && long.body().is_end_stream());
    let version = long.headers()["etag"].clone();
    let mut conditional = request("GET", "/Groups/id-423", None);
    conditional.headers_mut().insert("if-none-match", version);
    assert_eq!(ready(service.call_in_pieces(conditional)).status(), 304);
}

/// Pages forth and back by cursor, each written in parts, are the whole list.
#[test]
fn cursors_lead_on_from_what_was_written() {
    let service = populated(MemoryStore::new());
    let names = |list: &Value| -> Vec<String> {
        let all = list["Resources"].as_array().unwrap();
        all.iter().map(|user| user["userName"].as_str().unwrap().to_owned()).collect()
    };
    for parameters in ["count=210", "count=210&sortBy=userName&sortOrder=descending"] {
        let page = |cursor: &str| {
            let (status, parts, list) =
                in_pieces(&service, request("GET", &format!("/Users?{parameters}&cursor={cursor}"), None));
            assert_eq!((status.as_u16(), &list["totalResults"]), (200, &json!(USERS)));
            (parts, list)
        };
        let (parts, first) = page("");
        assert!(parts > 1 && first.get("previousCursor").is_none());
        let (_, second) = page(first["nextCursor"].as_str().unwrap());
        assert_eq!((&first["itemsPerPage"], &second["itemsPerPage"]), (&json!(210), &json!(210)));
        assert!(second.get("nextCursor").is_none());
        let all: std::collections::BTreeSet<String> =
            names(&first).into_iter().chain(names(&second)).collect();
        assert_eq!(all.len(), USERS);
        // Backward, a page has no more than is read before its first resource is known.
        let (_, back) = page(second["previousCursor"].as_str().unwrap());
        assert_eq!(names(&back), names(&first)[10..]);
        let (_, rest) = page(back["previousCursor"].as_str().unwrap());
        assert_eq!(names(&rest), names(&first)[..10]);
    }
}

/// Counts how often pages are asked for, and fails at one of them.
struct Watched {
    pages: AtomicUsize,
    fails_at: AtomicUsize,
}

impl Hooks for Watched {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        match call {
            Call::Query { .. }
                if self.pages.fetch_add(1, Ordering::SeqCst) + 1 == self.fails_at.load(Ordering::SeqCst) =>
            {
                Err(StoreError::Unavailable("the disk is on fire".into()))
            }
            _ => Ok(()),
        }
    }
}

fn watched() -> Arc<Hooked<MemoryStore, Watched>> {
    let hooks = Watched { pages: AtomicUsize::new(0), fails_at: AtomicUsize::new(usize::MAX) };
    Arc::new(Hooked { store: MemoryStore::new(), hooks })
}

/// Never is what was written before the store failed a text that looks whole.
#[test]
fn a_store_that_fails_later_breaks_the_body_off() {
    let all = || request("GET", "/Users?count=1000", None);
    let store = watched();
    let service = populated(Arc::clone(&store));
    let (parts_of_all, _) = parts(ready(service.call_in_pieces(all())).into_body());
    let pages = store.hooks.pages.load(Ordering::SeqCst);
    assert!(pages > 3 && parts_of_all.len() > 3);
    for fails_at in 1..=pages + 1 {
        store.hooks.pages.store(0, Ordering::SeqCst);
        store.hooks.fails_at.store(fails_at, Ordering::SeqCst);
        let (head, body) = ready(service.call_in_pieces(all())).into_parts();
        if fails_at == 1 {
            assert_eq!(head.status, 503);
            let (parts, broken) = parts(body);
            assert!(broken.is_none());
            let error: Value = serde_json::from_slice(&parts.concat()).unwrap();
            assert_eq!(error["status"], "503");
            continue;
        }
        assert_eq!(head.status, 200);
        assert_eq!(body.size_hint().exact(), None);
        let (parts, broken) = parts(body);
        if fails_at > pages {
            assert!(broken.is_none() && parts == parts_of_all);
            continue;
        }
        let broken = broken.unwrap();
        assert_eq!(broken.to_string(), "the store failed while the response was sent");
        let cause = std::error::Error::source(&broken).unwrap();
        assert_eq!(cause.to_string(), "the store is unavailable");
        let text = String::from_utf8(parts.concat()).unwrap();
        assert!(text.starts_with("{\"schemas\":") && serde_json::from_str::<Value>(&text).is_err());
    }
}

#[test]
fn nothing_is_read_before_the_client_asks_for_it() {
    let store = watched();
    let service = populated(Arc::clone(&store));
    let read = || store.hooks.pages.load(Ordering::SeqCst);
    let mut body = ready(service.call_in_pieces(request("GET", "/Users?count=1000", None))).into_body();
    let mut before = read();
    assert_eq!(before, 1);
    assert!(part(&mut body).unwrap().is_ok());
    assert_eq!(read(), 1, "the first part was there");
    while let Some(part) = part(&mut body) {
        assert!(part.is_ok() && read() <= before + 2, "a part took {} pages", read() - before);
        before = read();
    }
    assert!(before > 3);
}

/// Who stays is written exactly once, whoever comes and goes between two parts.
#[test]
fn a_list_that_changes_while_it_is_written_has_each_user_once() {
    for by in ["", "&sortBy=userName", "&sortBy=userName&sortOrder=descending"] {
        let service = populated(MemoryStore::new());
        let path = format!("/Users?count=1000{by}");
        let mut body = ready(service.call_in_pieces(request("GET", &path, None))).into_body();
        let (mut text, mut gone) = (Vec::new(), 0);
        while let Some(part) = part(&mut body) {
            text.extend(part.unwrap());
            for _ in 0..20 {
                gone += 2;
                let deleted = ready(service.call(request("DELETE", &format!("/Users/id-{gone}"), None)));
                assert_eq!(deleted.status(), 204);
                let new = user(&format!("user{gone}-new"));
                assert_eq!(ready(service.call(request("POST", "/Users", Some(new)))).status(), 201);
            }
        }
        let list: Value = serde_json::from_slice(&text).unwrap();
        let ids: Vec<&str> =
            list["Resources"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
        let stayed = (1..=USERS).filter(|number| *number > gone || number % 2 == 1);
        for id in stayed.map(|number| format!("id-{number}")) {
            assert_eq!(ids.iter().filter(|found| **found == id).count(), 1, "{id} {by}");
        }
        assert_eq!((&list["totalResults"], &list["itemsPerPage"]), (&json!(USERS), &json!(ids.len())));
    }
}

/// A group in memory is written as it was when it was read.
#[test]
fn a_group_that_changes_while_it_is_written_is_of_one_version() {
    let service = populated(MemoryStore::new());
    let before = answer(ready(service.call(request("GET", "/Groups/id-423", None))));
    let mut body = ready(service.call_in_pieces(request("GET", "/Groups/id-423", None))).into_body();
    let mut text = part(&mut body).unwrap().unwrap().to_vec();
    let remove = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "remove", "path": "members"}],
    });
    assert_eq!(ready(service.call(request("PATCH", "/Groups/id-423", Some(remove)))).status(), 200);
    while let Some(part) = part(&mut body) {
        text.extend(part.unwrap());
    }
    assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), before.json());
}

/// A policy that reshapes resources sees each as a whole.
#[test]
fn a_policy_that_renders_is_asked_for_each_resource() {
    struct Counts;
    impl Policy for Counts {
        fn render(&self, _: &scim_core::policy::Context<'_>, resource: &mut Resource) {
            let members =
                resource.get("members").and_then(scim_core::Value::as_array).unwrap_or_default().len();
            resource.0.insert("memberCount", members);
        }
    }
    let plain = Arc::into_inner(populated(MemoryStore::new())).unwrap();
    let service = Arc::new(plain.with_policy(Counts));
    assert!(same(&service, || request("GET", "/Groups?count=100", None)) > 1);
    let (.., group) = in_pieces(&service, request("GET", "/Groups/id-423", None));
    assert_eq!(group["memberCount"], MEMBERS);
}
