//! Pages by cursor (RFC 9865).

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use proptest::prelude::*;
use scim_core::Config;
use scim_core::pagination::{CursorKey, Cursors, PaginationMethod};
use serde_json::{Value, json};

use crate::sort::names;
use crate::support::{Answer, Server, config, encoded, request, server, server_with};

const INVALID: &str = "the cursor is not valid for this request; an empty one asks for the first page";

fn cursors() -> Cursors {
    Cursors::new(CursorKey::new("a key of the tests, of 32 bytes..").unwrap())
}

pub(crate) fn with_cursors() -> Config {
    Config { cursors: Some(cursors()), ..config() }
}

/// A service with cursors and users of these names.
fn populated(names: &[&str]) -> Server {
    let server = server_with(with_cursors());
    for name in names {
        server.user(name);
    }
    server
}

pub(crate) fn next(list: &Value) -> Option<&str> {
    list.get("nextCursor").map(|cursor| cursor.as_str().unwrap())
}

fn previous(list: &Value) -> Option<&str> {
    list.get("previousCursor").map(|cursor| cursor.as_str().unwrap())
}

/// All pages from the first on.
pub(crate) fn pages(server: &Server, query: &str) -> Vec<Value> {
    let mut pages = vec![page(server, query, "")];
    while let Some(cursor) = next(pages.last().unwrap()).map(str::to_owned) {
        pages.push(page(server, query, &cursor));
        assert!(pages.len() < 200, "{query}: it never ends");
    }
    pages
}

fn page(server: &Server, query: &str, cursor: &str) -> Value {
    let answer = server.get(&format!("{query}&cursor={cursor}"));
    assert_eq!(answer.status, 200, "{query}&cursor={cursor}: {}", answer.text);
    answer.json()
}

/// RFC 9865 §2: `nextCursor` in all pages but the last, `previousCursor` not in the first.
#[test]
fn pages_lead_to_the_last_and_back_to_the_first() {
    let server = populated(&["ann", "bob", "cid", "dan", "eve"]);
    let pages = pages(&server, "/Users?count=2");
    let shown: Vec<Vec<String>> = pages.iter().map(names).collect();
    assert_eq!(shown, [vec!["ann", "bob"], vec!["cid", "dan"], vec!["eve"]]);
    for (number, list) in pages.iter().enumerate() {
        assert_eq!(list["totalResults"], 5);
        assert_eq!(list["itemsPerPage"], shown[number].len());
        assert_eq!(list.get("startIndex"), None);
        assert_eq!(next(list).is_some(), number < 2);
        assert_eq!(previous(list).is_some(), number > 0);
    }
    let back = page(&server, "/Users?count=2", previous(&pages[2]).unwrap());
    assert_eq!(
        (names(&back), next(&back), previous(&back)),
        (shown[1].clone(), next(&pages[1]), previous(&pages[1]))
    );
    let first = page(&server, "/Users?count=2", previous(&back).unwrap());
    assert_eq!(first, pages[0]);
}

#[test]
fn the_first_page_is_asked_for_by_an_empty_cursor() {
    let server = populated(&["ann", "bob", "cid"]);
    let by_index = server.get("/Users?count=2").json();
    assert_eq!((next(&by_index), &by_index["startIndex"]), (None, &json!(1)));
    for query in ["cursor&count=2", "cursor=&count=2", "CURSOR&count=2"] {
        let list = server.get(&format!("/Users?{query}")).json();
        assert_eq!(names(&list), ["ann", "bob"], "{query}");
        assert!(next(&list).is_some(), "{query}");
    }
    let all = server.get("/Users?cursor").json();
    assert_eq!((names(&all).len(), next(&all), previous(&all)), (3, None, None));
    assert_eq!(server.get("/Groups?cursor").json()["totalResults"], 0);
}

/// However long the values are that a list is sorted by, and whichever way it is gone through: every URL
/// carries the cursor. What is longer than counts is in the order of `id` where it begins alike.
#[test]
fn a_cursor_is_short_whatever_the_list_is_sorted_by() {
    let server = server_with(with_cursors());
    let titles = [("b", "z"), ("a", "y"), ("b", "x"), ("b", ""), ("a", "x"), ("c", ""), ("b", "y")];
    let mut users: Vec<(char, String)> = Vec::new();
    for (number, (first, last)) in titles.into_iter().enumerate() {
        let mut user = crate::support::user(&format!("u{number}"));
        // Of four bytes each, and those that folding makes more of.
        user["title"] = json!(format!("{first}{}{}{last}", "\u{10348}".repeat(126), "ß".repeat(9_000)));
        let created = server.post("/Users", user).json();
        users.push((first.parse().unwrap(), created["id"].as_str().unwrap().to_owned()));
    }
    users.sort();
    server.group("Staff", &[]);
    let ids = |pages: &[Value]| -> Vec<String> {
        let resources = pages.iter().flat_map(|page| page["Resources"].as_array().unwrap());
        resources.map(|user| user["id"].as_str().unwrap().to_owned()).collect()
    };
    let expected: Vec<String> = users.into_iter().map(|(_, id)| id).collect();
    for (order, expected) in
        [("ascending", expected.clone()), ("descending", expected.into_iter().rev().collect())]
    {
        for (path, limit) in [("/Users?filter=title%20pr&", 900), ("/?filter=title%20pr&", 900), ("/?", 900)]
        {
            let pages =
                pages(&server, &format!("{path}attributes=id&sortBy=title&sortOrder={order}&count=2"));
            let mut found = ids(&pages);
            found.retain(|id| expected.contains(id));
            assert_eq!(found, expected, "{path}, {order}");
            for list in &pages {
                let cursors = [next(list), previous(list)];
                assert!(cursors.iter().flatten().all(|cursor| cursor.len() < limit), "{path}: {cursors:?}");
            }
        }
    }
    // Behind a place whose user is gone, and whose title another one now has.
    let query = "/Users?attributes=id&sortBy=title&count=3";
    let list = page(&server, query, "");
    let shown = ids(std::slice::from_ref(&list));
    server.delete(&format!("/Users/{}", shown[2]));
    let mut rest = page(&server, query, next(&list).unwrap());
    let mut behind = ids(std::slice::from_ref(&rest));
    while let Some(cursor) = next(&rest).map(str::to_owned) {
        rest = page(&server, query, &cursor);
        behind.extend(ids(std::slice::from_ref(&rest)));
    }
    let ascending = pages(&server, query);
    assert_eq!([&shown[..2], &behind[..]].concat(), ids(&ascending));
}

/// RFC 9865 §2: "A value of "0" indicates that no resource results are to be returned except for
/// "totalResults""
#[test]
fn a_count_of_zero_asks_for_the_total_alone() {
    let server = populated(&["ann", "bob"]);
    for count in ["0", "-1"] {
        let list = server.get(&format!("/Users?cursor&count={count}")).json();
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 2,
            "itemsPerPage": 0,
            "Resources": [],
        });
        assert_eq!(list, expected, "{count}");
    }
}

#[test]
fn a_page_is_not_larger_than_the_largest() {
    let mut config = with_cursors();
    (config.capabilities.default_count, config.capabilities.max_results) = (1, 2);
    let server = server_with(config);
    for name in ["a", "b", "c"] {
        server.user(name);
    }
    assert_eq!(names(&server.get("/Users?cursor").json()), ["a"]);
    let list = server.get("/Users?cursor&count=100").json();
    assert_eq!(names(&list), ["a", "b"]);
    // Both ask for pages of two.
    let cursor = next(&list).unwrap();
    for count in [2, 100] {
        assert_eq!(names(&server.get(&format!("/Users?count={count}&cursor={cursor}")).json()), ["c"]);
    }
}

#[test]
fn cursors_go_with_filter_sort_and_projection() {
    let server = populated(&["ann", "abe", "bob", "ade", "aki"]);
    let filter = encoded("userName sw \"A\"");
    let query =
        format!("/Users?filter={filter}&sortBy=userName&sortOrder=descending&count=3&attributes=userName");
    let pages = pages(&server, &query);
    let shown: Vec<_> = pages.iter().map(names).collect();
    assert_eq!(shown, [vec!["ann", "aki", "ade"], vec!["abe"]]);
    assert_eq!(pages[1]["totalResults"], 4);
    assert_eq!(pages[0]["Resources"][0].get("meta"), None);
    // The same filter and sort in other words, and other attributes.
    let respelt = encoded("USERNAME  SW \"A\"");
    let other = format!("/Users?filter={respelt}&sortBy=USERNAME&sortOrder=Descending&count=3");
    let list = page(&server, &other, next(&pages[0]).unwrap());
    assert_eq!(names(&list), ["abe"]);
    assert!(list["Resources"][0]["meta"].is_object());
}

#[test]
fn a_search_is_paged_as_a_get_is() {
    let server = populated(&["ann", "bob", "cid"]);
    let search = |body: Value| {
        let mut body = body;
        body["schemas"] = json!(["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]);
        server.post("/Users/.search", body)
    };
    let first = search(json!({"cursor": "", "count": 2})).json();
    assert_eq!(first, server.get("/Users?cursor&count=2").json());
    let second = search(json!({"cursor": next(&first), "count": 2})).json();
    assert_eq!((names(&second), &second["totalResults"]), (vec!["cid".to_owned()], &json!(3)));
    // A cursor is as good for the one as for the other.
    assert_eq!(page(&server, "/Users?count=2", next(&first).unwrap()), second);
    let none = search(json!({"cursor": null, "count": 2})).json();
    assert_eq!(none["startIndex"], 1, "null is as good as absent");
    search(json!({"cursor": 7})).refused(400, Some("invalidValue"), "`cursor` must be a string");
    search(json!({"cursor": "x", "count": 2})).refused(400, Some("invalidCursor"), INVALID);
}

/// RFC 9865 §5.2: possession of a cursor grants nothing, and whatever is wrong is told alike.
#[test]
fn a_cursor_is_good_for_its_own_list_alone() {
    let server = populated(&["ann", "bob", "cid"]);
    let filter = format!("filter={}", encoded("userName pr"));
    let first = server.get(&format!("/Users?{filter}&sortBy=userName&count=1&cursor")).json();
    let cursor = next(&first).unwrap();
    let invalid = |answer: Answer| answer.refused(400, Some("invalidCursor"), INVALID);
    assert_eq!(names(&page(&server, &format!("/Users?{filter}&sortBy=userName&count=1"), cursor)), ["bob"]);

    for query in [
        "/Users?count=1".to_owned(),
        "/Users?sortBy=userName&count=1".to_owned(),
        format!("/Users?{filter}&count=1"),
        format!("/Users?{filter}&sortBy=userName&sortOrder=descending&count=1"),
        format!("/Users?{filter}&sortBy=title&count=1"),
        format!("/Users?filter={}&sortBy=userName&count=1", encoded("title pr")),
        "/Groups?count=1".to_owned(),
        format!("/?{filter}&sortBy=userName&count=1"),
    ] {
        invalid(server.get(&format!("{query}&cursor={cursor}")));
    }
    let mut other = request("GET", &format!("/Users?{filter}&sortBy=userName&count=1&cursor={cursor}"), None);
    other.headers_mut().insert("authorization", "Bearer other-token".parse().unwrap());
    invalid(server.call(other));
    for text in ["1", "%00", "%C3%A9", "....", cursor.split_at(1).1, &format!("{cursor}A"), &"A".repeat(5000)]
    {
        invalid(server.get(&format!("/Users?{filter}&sortBy=userName&count=1&cursor={text}")));
    }
}

#[test]
fn a_cursor_of_another_key_is_invalid() {
    let key = CursorKey::new([7; 32]).unwrap();
    let (one, other) =
        (populated(&["ann", "bob"]), server_with(Config { cursors: Some(Cursors::new(key)), ..config() }));
    let first = one.get("/Users?count=1&cursor").json();
    let cursor = next(&first).unwrap();
    other.get(&format!("/Users?count=1&cursor={cursor}")).refused(400, Some("invalidCursor"), INVALID);
}

#[test]
fn a_cursor_expires() {
    let server = populated(&["ann", "bob", "cid"]);
    let first = server.get("/Users?count=1&cursor").json();
    let cursor = next(&first).unwrap().to_owned();
    server.clock.fetch_add(3_599_000, Ordering::SeqCst);
    let second = page(&server, "/Users?count=1", &cursor);
    server.clock.fetch_add(2_000, Ordering::SeqCst);
    server.get(&format!("/Users?count=1&cursor={cursor}")).refused(
        400,
        Some("expiredCursor"),
        "the cursor has expired; an empty one asks for the first page",
    );
    // Each page comes with its own time.
    assert_eq!(names(&page(&server, "/Users?count=1", next(&second).unwrap())), ["cid"]);

    let lasting = Cursors { timeout: None, ..cursors() };
    let server = server_with(Config { cursors: Some(lasting), ..config() });
    for name in ["a", "b"] {
        server.user(name);
    }
    let first = server.get("/Users?count=1&cursor").json();
    server.clock.fetch_add(10 * 365 * 86_400_000, Ordering::SeqCst);
    assert_eq!(names(&page(&server, "/Users?count=1", next(&first).unwrap())), ["b"]);
}

#[test]
fn wrong_pages_are_refused_with_what_is_wrong() {
    let server = populated(&["ann", "bob", "cid"]);
    let first = server.get("/Users?count=1&cursor").json();
    let cursor = next(&first).unwrap();
    for (query, scim_type, detail) in [
        (format!("cursor={cursor}&count=2"), "invalidCount", "`count` must be the same for all pages: `1`"),
        (format!("cursor={cursor}"), "invalidCount", "`count` must be the same for all pages: `1`"),
        ("cursor&count=many".to_owned(), "invalidCount", "`count` must be an integer, not `many`"),
        ("count=many".to_owned(), "invalidValue", "`count` must be an integer, not `many`"),
        ("cursor&startIndex=1".to_owned(), "invalidValue", "`cursor` and `startIndex` exclude one another"),
        (
            format!("cursor={cursor}&startIndex=1&count=1"),
            "invalidValue",
            "`cursor` and `startIndex` exclude one another",
        ),
        (format!("cursor={cursor}&cursor="), "invalidValue", "the parameter `cursor` is given twice"),
    ] {
        server.get(&format!("/Users?{query}")).refused(400, Some(scim_type), detail);
    }
}

/// RFC 9865 §4
#[test]
fn discovery_tells_of_pagination() {
    let document = server_with(with_cursors()).get("/ServiceProviderConfig").json();
    let expected = json!({
        "cursor": true,
        "index": true,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 100,
        "maxPageSize": 200,
        "cursorTimeout": 3600,
    });
    assert_eq!(document["pagination"], expected);

    let cursors = Cursors { timeout: None, default_method: PaginationMethod::Cursor, ..cursors() };
    let document =
        server_with(Config { cursors: Some(cursors), ..config() }).get("/ServiceProviderConfig").json();
    assert_eq!(document["pagination"]["defaultPaginationMethod"], "cursor");
    assert_eq!(document["pagination"].get("cursorTimeout"), None);
    assert_eq!(server().get("/ServiceProviderConfig").json().get("pagination"), None);

    // What is told of pages is what they are, and both sizes are positive.
    for (default_count, max_results, sizes, served) in
        [(100, 2, [2, 2], 2), (0, 3, [1, 3], 1), (5, 0, [1, 1], 1)]
    {
        let mut config = with_cursors();
        config.capabilities.default_count = default_count;
        config.capabilities.max_results = max_results;
        let server = server_with(config);
        for name in ["a", "b", "c"] {
            server.user(name);
        }
        let document = server.get("/ServiceProviderConfig").json();
        let told = ["defaultPageSize", "maxPageSize"].map(|name| document["pagination"][name].clone());
        assert_eq!(told, sizes);
        assert_eq!(document["filter"]["maxResults"], sizes[1]);
        let page = server.get("/Users?cursor=").json();
        assert_eq!(page["Resources"].as_array().unwrap().len(), served);
        assert!(page["nextCursor"].is_string(), "what is left cannot be asked for");
    }
}

/// RFC 9865 §2.3, §2.4: the default method answers who names none.
#[test]
fn cursors_can_be_the_default_method() {
    let cursors = Cursors { default_method: PaginationMethod::Cursor, ..cursors() };
    let server = server_with(Config { cursors: Some(cursors), ..config() });
    for name in ["a", "b", "c"] {
        server.user(name);
    }
    let list = server.get("/Users?count=2").json();
    assert_eq!((names(&list).len(), list.get("startIndex")), (2, None));
    assert_eq!(names(&page(&server, "/Users?count=2", next(&list).unwrap())), ["c"]);
    let list = server.get("/Users?count=2&startIndex=1").json();
    assert_eq!((next(&list), &list["startIndex"]), (None, &json!(1)));
}

#[test]
fn without_cursors_none_is_valid_and_an_empty_one_means_nothing() {
    let server = server();
    server.user("a");
    assert_eq!(server.get("/Users?cursor&count=1").json()["startIndex"], 1);
    server.get("/Users?cursor=abc").refused(400, Some("invalidCursor"), INVALID);

    let mut config = config();
    config.capabilities.refuse_cursor = false;
    let server = server_with(config);
    for name in ["a", "b"] {
        server.user(name);
    }
    let page = server.get("/Users?cursor=abc&startIndex=2&count=1").json();
    assert_eq!(names(&page), ["b"]);
    assert_eq!((&page["startIndex"], page.get("nextCursor")), (&json!(2), None));
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "cursor": "abc", "count": 1,
    });
    assert_eq!(names(&server.post("/Users/.search", search).json()), ["a"]);
}

#[test]
fn a_page_before_whose_users_are_gone_is_the_first_page() {
    let server = populated(&["a", "b", "c", "d"]);
    let first = server.get("/Users?count=2&cursor").json();
    let second = page(&server, "/Users?count=2", next(&first).unwrap());
    for id in ["id-1", "id-2"] {
        assert_eq!(server.delete(&format!("/Users/{id}")).status, 204);
    }
    let before = page(&server, "/Users?count=2", previous(&second).unwrap());
    assert_eq!((names(&before), previous(&before), next(&before)), (names(&second), None, None));
}

#[test]
fn a_deleted_user_does_not_lose_the_place() {
    let server = populated(&["a", "b", "c", "d"]);
    let first = server.get("/Users?count=2&cursor").json();
    for id in ["id-1", "id-2", "id-3"] {
        assert_eq!(server.delete(&format!("/Users/{id}")).status, 204);
    }
    let second = page(&server, "/Users?count=2", next(&first).unwrap());
    assert_eq!(names(&second), ["d"]);
    // The total is that of the first page.
    assert_eq!(second["totalResults"], 4);
}

#[test]
fn a_timeout_is_told_in_whole_seconds() {
    let cursors = Cursors { timeout: Some(Duration::from_millis(10)), ..cursors() };
    let server = server_with(Config { cursors: Some(cursors), ..config() });
    for name in ["a", "b"] {
        server.user(name);
    }
    let pagination = &server.get("/ServiceProviderConfig").json()["pagination"];
    assert_eq!(pagination.get("cursorTimeout"), None, "a positive integer");
    let first = server.get("/Users?count=1&cursor").json();
    server.clock.fetch_add(2_000, Ordering::SeqCst);
    let answer = server.get(&format!("/Users?count=1&cursor={}", next(&first).unwrap()));
    assert_eq!(answer.json()["scimType"], "expiredCursor");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Going by cursor through a list, forth and back, shows what sorting everything shows.
    #[test]
    fn going_by_cursor_is_sorting_everything(
        titles in proptest::collection::vec(proptest::option::of("[a-cA-C]{1,2}"), 0..14),
        sort in 0..3_usize,
        count in 1_usize..6,
        filtered in any::<bool>(),
    ) {
        let server = server_with(with_cursors());
        let mut all = Vec::new();
        for (number, title) in titles.iter().enumerate() {
            let mut user = crate::support::user(&format!("u{number}"));
            user["title"] = json!(title);
            let id = server.post("/Users", user).json()["id"].as_str().unwrap().to_owned();
            let folded = title.as_ref().map(|title| title.to_lowercase());
            if !filtered || folded.as_ref().is_some_and(|title| title.starts_with('a')) {
                all.push((folded.is_none(), folded, id));
            }
        }
        let mut query = format!("/Users?count={count}");
        if filtered {
            query += &format!("&filter={}", encoded("title sw \"a\""));
        }
        if sort > 0 {
            all.sort();
            query += "&sortBy=title";
        }
        if sort > 1 {
            all.reverse();
            query += "&sortOrder=descending";
        }
        let ids = |list: &Value| -> Vec<String> {
            list["Resources"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
        };
        let expected: Vec<&String> = all.iter().map(|(_, _, id)| id).collect();
        let forth = pages(&server, &query);
        let found: Vec<String> = forth.iter().flat_map(ids).collect();
        prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected.clone());
        let mut back = vec![forth.last().unwrap().clone()];
        while let Some(cursor) = previous(back.last().unwrap()).map(str::to_owned) {
            back.push(page(&server, &query, &cursor));
        }
        let found: Vec<String> = back.iter().rev().flat_map(ids).collect();
        prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        prop_assert!(forth.iter().all(|list| list["totalResults"] == json!(all.len())));
    }

    /// While others write, whoever is there all the time is met once, and nobody twice.
    #[test]
    fn a_walk_is_whole_while_others_write(
        steps in proptest::collection::vec((0..30_usize, "[a-z]{1,3}"), 1..30),
        sort_by in prop_oneof![Just(""), Just("&sortBy=userName"), Just("&sortBy=title&sortOrder=descending")],
    ) {
        let server = server_with(with_cursors());
        let mut untouched: BTreeMap<String, bool> = (0..20)
            .map(|number| (server.user(&format!("{number}"))["id"].as_str().unwrap().to_owned(), false))
            .collect();
        let query = format!("/Users?count=2{sort_by}");
        let mut steps = steps.into_iter();
        let mut cursor = String::new();
        loop {
            let list = page(&server, &query, &cursor);
            for user in list["Resources"].as_array().unwrap() {
                if let Some(met) = untouched.get_mut(user["id"].as_str().unwrap()) {
                    prop_assert!(!std::mem::replace(met, true), "met twice");
                }
            }
            if let Some((victim, name)) = steps.next() {
                let id = format!("id-{}", victim + 1);
                if server.delete(&format!("/Users/{id}")).status == 204 {
                    untouched.remove(&id);
                }
                server.post("/Users", crate::support::user(&format!("new-{name}-{victim}")));
            }
            let Some(next) = next(&list) else { break };
            next.clone_into(&mut cursor);
        }
        prop_assert!(untouched.values().all(|met| *met), "{untouched:?}");
    }
}
