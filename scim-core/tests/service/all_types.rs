//! GET of the root: all resource types at once (RFC 7644 §3.4.2.1), sorted and by cursor.

use proptest::prelude::*;
use scim_core::service::Operation;
use serde_json::{Value, json};

use crate::cursor::{next, pages, with_cursors};
use crate::sort::names;
use crate::support::{Server, encoded, server, server_with};

fn populated() -> Server {
    let server = server_with(with_cursors());
    for name in ["ann", "Bob", "cid"] {
        let mut user = crate::support::user(name);
        user["displayName"] = json!(name);
        assert_eq!(server.post("/Users", user).status, 201);
    }
    server.user("dan");
    server.group("Apes", &[]);
    server.group("tools", &[]);
    server
}

#[test]
fn a_get_of_the_root_is_answered_as_the_search_is() {
    let server = populated();
    let search = |body: Value| {
        let mut body = body;
        body["schemas"] = json!(["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]);
        server.post("/.search", body).json()
    };
    for path in ["?", "/?"] {
        let filter = encoded("displayName co \"o\"");
        assert_eq!(
            server.get(&format!("{path}filter={filter}&count=2&sortBy=displayName")).json(),
            search(json!({"filter": "displayName co \"o\"", "count": 2, "sortBy": "displayName"})),
        );
    }
    let answer = server.get("/");
    assert_eq!(names(&answer.json()), ["ann", "Bob", "cid", "dan", "Apes", "tools"]);
    assert_eq!((answer.outcome.operation, answer.outcome.resource_type), (Some(Operation::List), None));
    server.get("/?filter=x").refused_naming(400, Some("invalidFilter"), "the filter is not valid");
}

#[test]
fn where_queries_by_search_are_off_so_are_those_of_the_root() {
    let mut config = with_cursors();
    config.capabilities.search = false;
    server_with(config).get("/").refused(404, None, "`/scim/v2/` is no endpoint of this service");
}

/// An attribute that a type does not have has no value there, in a sort as in a filter.
#[test]
fn types_are_merged_into_one_order() {
    let server = populated();
    let shown = |query: &str| names(&server.get(&format!("/?{query}")).json());
    assert_eq!(shown("sortBy=displayName"), ["ann", "Apes", "Bob", "cid", "tools", "dan"]);
    assert_eq!(
        shown("sortBy=displayName&sortOrder=descending"),
        ["dan", "tools", "cid", "Bob", "Apes", "ann"]
    );
    assert_eq!(shown("sortBy=userName&count=5"), ["ann", "Bob", "cid", "dan", "Apes"]);
    assert_eq!(shown("sortBy=displayName&startIndex=3&count=2"), ["Bob", "cid"]);
    assert_eq!(shown("sortBy=displayName&startIndex=9&count=2"), [""; 0]);
    let list = server.get("/?sortBy=displayName&startIndex=3&count=2").json();
    assert_eq!((&list["totalResults"], &list["startIndex"]), (&json!(6), &json!(3)));
    server.get("/?sortBy=shoeSize").refused_naming(400, Some("invalidPath"), "`shoeSize`");
}

#[test]
fn what_is_sorted_by_need_not_be_shown() {
    let server = populated();
    let ids = |query: &str| -> Vec<String> {
        let list = server.get(&format!("/?sortBy=displayName&{query}")).json();
        let resources = list["Resources"].as_array().unwrap();
        assert!(resources.iter().all(|one| one.get("displayName").is_none()), "{query}");
        resources.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let expected = ["id-1", "id-5", "id-2", "id-3", "id-6", "id-4"];
    assert_eq!(ids("attributes=userName"), expected);
    assert_eq!(ids("excludedAttributes=displayName"), expected);
}

#[test]
fn the_root_is_paged_by_cursor() {
    let server = populated();
    for (query, expected) in [
        ("", ["ann", "Bob", "cid", "dan", "Apes", "tools"]),
        ("&sortBy=displayName", ["ann", "Apes", "Bob", "cid", "tools", "dan"]),
        ("&sortBy=displayName&sortOrder=descending", ["dan", "tools", "cid", "Bob", "Apes", "ann"]),
    ] {
        for count in 1..8 {
            let pages = pages(&server, &format!("/?count={count}{query}"));
            let found: Vec<String> = pages.iter().flat_map(names).collect();
            assert_eq!(found, expected, "{query} {count}");
            assert_eq!(pages.len(), 6_usize.div_ceil(count), "{query} {count}");
            assert!(pages.iter().all(|list| list["totalResults"] == 6), "{query} {count}");
            assert!(pages.iter().all(|list| list.get("previousCursor").is_none()));
        }
    }
    let first = server.get("/?count=2&cursor").json();
    let cursor = next(&first).unwrap();
    let invalid = "the cursor is not valid for this request; an empty one asks for the first page";
    server.get(&format!("/Users?count=2&cursor={cursor}")).refused(400, Some("invalidCursor"), invalid);
    let list = server.get("/?cursor&count=0").json();
    assert_eq!((&list["totalResults"], next(&list)), (&json!(6), None));
}

/// More than is read ahead of one type.
#[test]
fn many_are_merged() {
    let server = server();
    let mut all = Vec::new();
    for number in 0..230 {
        let name = format!("n{:03}", (number * 7) % 230);
        if number % 5 == 0 {
            server.group(&name, &[]);
        } else {
            let mut user = crate::support::user(&name);
            user["displayName"] = json!(name);
            server.post("/Users", user);
        }
        all.push(name);
    }
    all.sort();
    for (start, count) in [(1, 200), (150, 60), (230, 5), (101, 1)] {
        let list = server.get(&format!("/?sortBy=displayName&startIndex={start}&count={count}")).json();
        let expected: Vec<&String> = all.iter().skip(start - 1).take(count).collect();
        assert_eq!(names(&list).iter().collect::<Vec<_>>(), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Going by cursor over several types is sorting all of them.
    #[test]
    fn going_by_cursor_over_all_types_is_sorting_everything(
        resources in proptest::collection::vec((any::<bool>(), "[a-cA-C]{1,2}"), 0..14),
        sort in 0..3_usize,
        count in 1_usize..6,
    ) {
        let server = server_with(with_cursors());
        let mut all = Vec::new();
        for (number, (is_user, name)) in resources.iter().enumerate() {
            let id = if *is_user {
                let mut user = crate::support::user(&format!("{number}"));
                user["displayName"] = json!(name);
                server.post("/Users", user).json()["id"].as_str().unwrap().to_owned()
            } else {
                server.group(name, &[])["id"].as_str().unwrap().to_owned()
            };
            all.push((!is_user, name.to_lowercase(), id));
        }
        let mut query = format!("/?count={count}");
        match sort {
            // The types one after the other, each in the order of creation.
            0 => all.sort_by_key(|(is_group, ..)| *is_group),
            _ => {
                all.sort_by(|left, right| (&left.1, &left.2).cmp(&(&right.1, &right.2)));
                query += "&sortBy=displayName";
            }
        }
        if sort == 2 {
            all.reverse();
            query += "&sortOrder=descending";
        }
        let expected: Vec<&str> = all.iter().map(|(_, _, id)| id.as_str()).collect();
        let pages = pages(&server, &query);
        let found: Vec<&str> = pages
            .iter()
            .flat_map(|list| list["Resources"].as_array().unwrap())
            .map(|one| one["id"].as_str().unwrap())
            .collect();
        prop_assert_eq!(found, expected);
    }
}
