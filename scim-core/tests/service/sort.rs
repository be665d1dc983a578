//! Sorted lists (RFC 7644 §3.4.2.3).

use proptest::prelude::*;
use scim_core::Config;
use serde_json::{Value, json};

use crate::support::{Server, config, encoded, server, server_with, user};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn sorted(server: &Server, query: &str) -> Vec<String> {
    let answer = server.get(&format!("/Users?attributes=userName&{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    names(&answer.json())
}

pub(crate) fn names(list: &Value) -> Vec<String> {
    let resources = list["Resources"].as_array().unwrap();
    let name = |one: &Value| one["userName"].as_str().or(one["displayName"].as_str()).unwrap().to_owned();
    resources.iter().map(name).collect()
}

/// Users with these attributes besides, named `a`, `b` and so on.
fn users(attributes: impl IntoIterator<Item = Value>) -> Server {
    let server = server();
    for (name, attributes) in ('a'..='z').zip(attributes) {
        let mut user = user(&name.to_string());
        user.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
        assert_eq!(server.post("/Users", user).status, 201, "{attributes}");
    }
    server
}

#[test]
fn a_list_is_in_the_order_of_a_simple_attribute() {
    let server = users([json!({"title": "M"}), json!({"title": "Z"}), json!({"title": "A"})]);
    assert_eq!(sorted(&server, "sortBy=title"), ["c", "a", "b"]);
    assert_eq!(sorted(&server, "sortBy=title&sortOrder=ascending"), ["c", "a", "b"]);
    assert_eq!(sorted(&server, "sortBy=title&sortOrder=descending"), ["b", "a", "c"]);
}

/// "they are ordered last if ascending and first if descending"
#[test]
fn what_has_no_value_is_last_ascending_and_first_descending() {
    let server = users([json!({}), json!({"title": "Z"}), json!({"title": null}), json!({"title": "A"})]);
    assert_eq!(sorted(&server, "sortBy=title"), ["d", "b", "a", "c"]);
    assert_eq!(sorted(&server, "sortBy=title&sortOrder=descending"), ["c", "a", "b", "d"]);
}

/// "resources are sorted by the value of the primary attribute [...], if any, or else the first
/// value in the list, if any"
#[test]
fn of_several_values_the_primary_counts_or_else_the_first() {
    let server = users([
        json!({"emails": [{"value": "z@x.y"}, {"value": "b@x.y", "primary": true}]}),
        json!({"emails": [{"value": "a@x.y"}, {"value": "0@x.y"}]}),
        json!({"emails": [{"value": "C@x.y", "primary": false}, {"value": "0@x.y", "primary": false}]}),
        json!({}),
        // The value that counts has no such sub-attribute.
        json!({"emails": [{"value": "0@x.y"}, {"type": "work", "primary": true}]}),
    ]);
    for sort_by in ["emails.value", "emails", "EMAILS.VALUE"] {
        assert_eq!(sorted(&server, &format!("sortBy={sort_by}")), ["b", "a", "c", "d", "e"], "{sort_by}");
    }
}

/// "if the attribute is complex, the attribute name must be a path to a sub-attribute"
#[test]
fn sub_attributes_and_extensions_are_named_by_their_paths() {
    let server = users([
        json!({"name": {"givenName": "Bo"}, ENTERPRISE: {"department": "y", "manager": {"value": "2"}}}),
        json!({"name": {"givenName": "al"}, ENTERPRISE: {"department": "Z", "manager": {"value": "1"}}}),
        json!({"name": {"familyName": "aa"}, ENTERPRISE: {"department": "X"}}),
    ]);
    assert_eq!(sorted(&server, "sortBy=name.givenName"), ["b", "a", "c"]);
    assert_eq!(sorted(&server, &format!("sortBy={ENTERPRISE}:department")), ["c", "a", "b"]);
    assert_eq!(
        sorted(&server, &format!("sortBy={}:manager.value", ENTERPRISE.to_lowercase())),
        ["b", "a", "c"]
    );
    let urn = "urn:ietf:params:scim:schemas:core:2.0:User:name.familyName";
    assert_eq!(sorted(&server, &format!("sortBy={urn}")), ["c", "a", "b"]);
    assert_eq!(sorted(&server, "sortBy=meta.created&sortOrder=descending"), ["c", "b", "a"]);
    assert_eq!(sorted(&server, "sortBy=id&sortOrder=descending"), ["c", "b", "a"]);
}

/// "for case-insensitive attributes, sort the result using case-insensitive Unicode alphabetic sort
/// order [...] and for case-exact attribute types [...] case-sensitive"
#[test]
fn case_counts_for_case_exact_attributes_alone() {
    let values = ["b", "A", "a", "B", "É", "é"];
    let server = users(values.map(|value| json!({"title": value, "externalId": value})));
    assert_eq!(sorted(&server, "sortBy=title"), ["b", "c", "a", "d", "e", "f"]);
    assert_eq!(sorted(&server, "sortBy=externalId"), ["b", "d", "c", "a", "e", "f"]);
}

#[test]
fn values_sort_by_their_type() {
    let server = users([json!({"active": true}), json!({"active": false}), json!({})]);
    assert_eq!(sorted(&server, "sortBy=active"), ["b", "a", "c"]);
    // In the order of creation, which as text would be another at the turn from 9 to 10.
    let server = self::server();
    let all: Vec<String> = (0..12)
        .map(|number| server.user(&format!("u{number}"))["userName"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sorted(&server, "sortBy=meta.lastModified"), all);
}

#[test]
fn equal_ones_are_in_the_order_of_their_ids() {
    let server = users((0..12).map(|_| json!({"title": "same"})));
    let mut ids: Vec<String> = (1..=12).map(|number| format!("id-{number}")).collect();
    ids.sort();
    for (order, expected) in [("ascending", ids.clone()), ("descending", ids.into_iter().rev().collect())] {
        let list = server.get(&format!("/Users?sortBy=title&sortOrder={order}")).json();
        let found: Vec<&str> =
            list["Resources"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_sort_goes_with_filter_page_and_projection() {
    let server = users(["3", "1", "x", "2"].map(|title| json!({"title": title})));
    let filter = encoded("not (title eq \"x\")");
    assert_eq!(sorted(&server, &format!("filter={filter}&sortBy=title&startIndex=2&count=1")), ["d"]);
    let list = server.get(&format!("/Users?filter={filter}&sortBy=title&attributes=id")).json();
    assert_eq!(
        list["Resources"][0],
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "id-2"})
    );
    assert_eq!((&list["totalResults"], &list["startIndex"]), (&json!(3), &json!(1)));
}

#[test]
fn groups_are_sorted_too() {
    let server = server();
    for name in ["tools", "Boards", "apes"] {
        server.group(name, &[]);
    }
    let list = server.get("/Groups?sortBy=displayName&excludedAttributes=members").json();
    assert_eq!(names(&list), ["apes", "Boards", "tools"]);
    // By the first of any number of members no store sorts, so none does.
    for sort_by in ["members", "MEMBERS.value", "members.display"] {
        let detail = "`sortBy` is not supported: `members` has no order";
        server.get(&format!("/Groups?sortBy={sort_by}")).refused(400, Some("invalidValue"), detail);
    }
}

#[test]
fn wrong_sorts_are_refused_with_what_is_wrong() {
    let server = server();
    server.user("a");
    for (query, scim_type, detail) in [
        (
            "sortBy=shoeSize",
            "invalidPath",
            "`sortBy` is not valid: `shoeSize` is not an attribute of the resource type, at byte 0",
        ),
        (
            "sortBy=name.shoeSize",
            "invalidPath",
            "`sortBy` is not valid: `shoeSize` is not a sub-attribute of `name`, at byte 5",
        ),
        (
            "sortBy=urn:x:y:title",
            "invalidPath",
            "`sortBy` is not valid: `urn:x:y` is not a schema of the resource type, at byte 0",
        ),
        (
            "sortBy=emails%5Btype%20eq%20%22work%22%5D.value",
            "invalidPath",
            "`sortBy` is not valid: `emails[type eq \"work\"].value` has a filter, and sorting knows none",
        ),
        (
            "sortBy=urn:ietf:params:scim:schemas:core:2.0:User",
            "invalidPath",
            "`sortBy` is not valid: `urn:ietf:params:scim:schemas:core:2.0:User` is no attribute",
        ),
        (
            "sortBy=name",
            "invalidValue",
            "`sortBy` names `name`, which is complex; it must name a sub-attribute",
        ),
        (
            "sortBy=addresses",
            "invalidValue",
            "`sortBy` names `addresses`, which is complex; it must name a sub-attribute",
        ),
        ("sortBy=password", "invalidValue", "`sortBy` names `password`, which is never returned"),
        (
            "sortBy=title&sortOrder=up",
            "invalidValue",
            "`sortOrder` must be `ascending` or `descending`, not `up`",
        ),
        ("sortOrder=", "invalidValue", "`sortOrder` must be `ascending` or `descending`, not ``"),
        ("sortBy=title&SORTBY=title", "invalidValue", "the parameter `sortBy` is given twice"),
    ] {
        server.get(&format!("/Users?{query}")).refused(400, Some(scim_type), detail);
    }
    let answer = server.get("/Users?sortBy=title,userName");
    answer.refused_naming(400, Some("invalidPath"), "`sortBy` is not valid: ");
    // An empty one asks for nothing, and the words of the order are known in any case.
    assert_eq!(server.get("/Users?sortBy=&sortOrder=Descending").status, 200);
}

#[test]
fn where_sorting_is_off_discovery_says_so_and_the_parameters_mean_nothing() {
    let mut config: Config = config();
    config.capabilities.sort = false;
    let server = server_with(config);
    server.user("b");
    server.user("a");
    assert_eq!(server.get("/ServiceProviderConfig").json()["sort"], json!({"supported": false}));
    assert_eq!(sorted(&server, "sortBy=userName&sortOrder=up"), ["b", "a"]);
}

#[test]
fn a_search_is_sorted_as_a_get_is() {
    let server = users(["2", "3", "1"].map(|title| json!({"title": title})));
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "sortBy": "title",
        "sortOrder": "descending",
        "count": 2,
    });
    let found = server.post("/Users/.search", search).json();
    assert_eq!(found, server.get("/Users?sortBy=title&sortOrder=descending&count=2").json());
    assert_eq!(names(&found), ["b", "a"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any page of a sorted list is the slice of all users, sorted.
    #[test]
    fn a_page_is_a_slice_of_everyone_sorted(
        titles in proptest::collection::vec(proptest::option::of("[a-cA-Cß]{0,2}"), 0..12),
        descending in any::<bool>(),
        start in 1_usize..14,
        count in 0_usize..14,
    ) {
        let server = users(titles.iter().map(|title| json!({ "title": title })));
        let mut all: Vec<(bool, String, String)> = ('a'..='z')
            .zip(&titles)
            .zip(1..)
            .map(|((_, title), number)| {
                let folded = title.as_ref().map(|title| title.to_lowercase().replace('ß', "ss"));
                // An empty string is as good as no value to the service.
                (folded.is_none(), folded.unwrap_or_default(), format!("id-{number}"))
            })
            .collect();
        all.sort();
        if descending {
            all.reverse();
        }
        let order = if descending { "descending" } else { "ascending" };
        let query = format!("/Users?sortBy=title&sortOrder={order}&startIndex={start}&count={count}");
        let list = server.get(&query).json();
        let found: Vec<&str> =
            list["Resources"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
        let expected: Vec<&str> =
            all.iter().skip(start - 1).take(count).map(|(_, _, id)| id.as_str()).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(&list["totalResults"], titles.len());
    }
}
