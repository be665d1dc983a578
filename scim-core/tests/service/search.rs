//! POST of `/.search` (RFC 7644 §3.4.3).

use proptest::prelude::*;
use scim_core::service::Operation;
use serde_json::{Value, json};

use crate::support::{Server, config, encoded, server, server_with};

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

fn search(server: &Server, path: &str, mut body: Value) -> Value {
    body["schemas"] = json!([SEARCH]);
    let answer = server.post(path, body.clone());
    assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text);
    answer.json()
}

fn names(list: &Value) -> Vec<&str> {
    let resources = list["Resources"].as_array().unwrap();
    resources.iter().map(|one| one["displayName"].as_str().or(one["userName"].as_str()).unwrap()).collect()
}

fn populated() -> Server {
    let server = server();
    for name in ["ann", "bob", "cid"] {
        server.user(name);
    }
    server.group("ann", &[]);
    server.group("tools", &[]);
    server
}

#[test]
fn a_search_of_one_type_is_answered_as_the_get_is() {
    let server = populated();
    for (filter, start, count) in [("userName sw \"b\"", 1, 10), ("userName pr", 2, 1), ("title pr", 1, 0)] {
        let body = json!({"filter": filter, "startIndex": start, "count": count, "attributes": ["userName"]});
        let get =
            format!("/Users?filter={}&startIndex={start}&count={count}&attributes=userName", encoded(filter));
        assert_eq!(search(&server, "/Users/.search", body), server.get(&get).json());
    }
}

/// It is made when a resource is answered, so that to a store nobody has it.
#[test]
fn the_location_is_refused_where_a_store_would_have_to_know_it() {
    let server = populated();
    let why = "`meta.location` is made of the `id`, which is to be asked for in its place";
    let filter_detail = format!("the filter is not supported: {why}");
    for filter in [
        "meta.location pr",
        "not (META.Location pr)",
        "userName eq \"ann\" or meta.location co \"Users\"",
        "urn:ietf:params:scim:schemas:core:2.0:User:meta.location eq \"x\"",
    ] {
        let query = format!("filter={}", encoded(filter));
        server.get(&format!("/Users?{query}")).refused(400, Some("invalidFilter"), &filter_detail);
        let body = json!({"schemas": [SEARCH], "filter": filter});
        for path in ["/Users/.search", "/.search"] {
            server.post(path, body.clone()).refused(400, Some("invalidFilter"), &filter_detail);
        }
    }
    let sort_detail = format!("`sortBy` is not supported: {why}");
    for path in ["/Users?sortBy=meta.location", "/?sortBy=META.LOCATION"] {
        server.get(path).refused(400, Some("invalidValue"), &sort_detail);
    }
    // What is beside it is kept with the resource.
    for filter in ["meta pr", "meta.created pr", "meta.resourceType eq \"User\""] {
        let list = server.get(&format!("/Users?filter={}", encoded(filter))).json();
        assert_eq!(list["totalResults"], 3, "{filter}");
    }
}

#[test]
fn a_search_at_the_root_is_over_every_type() {
    let server = populated();
    let all = search(&server, "/.search", json!({}));
    assert_eq!(names(&all), ["ann", "bob", "cid", "ann", "tools"]);
    assert_eq!((&all["totalResults"], &all["itemsPerPage"]), (&json!(5), &json!(5)));
    let kinds: Vec<&Value> =
        all["Resources"].as_array().unwrap().iter().map(|one| &one["meta"]["resourceType"]).collect();
    assert_eq!(kinds, ["User", "User", "User", "Group", "Group"]);
}

/// RFC 7644 §3.4.2.1: an attribute that is not part of a resource type has no value there.
#[test]
fn at_the_root_an_attribute_that_a_type_lacks_has_no_value_there() {
    let server = populated();
    let found = |filter: &str| {
        let list = search(&server, "/.search", json!({ "filter": filter }));
        (list["totalResults"].as_u64().unwrap(), names(&list).join(" "))
    };
    assert_eq!(found("userName eq \"ann\""), (1, "ann".into()));
    assert_eq!(found("userName eq \"bob\" or displayName eq \"tools\""), (2, "bob tools".into()));
    assert_eq!(found("not (userName pr)"), (2, "ann tools".into()));
    assert_eq!(found("meta.resourceType eq \"Group\""), (2, "ann tools".into()));
    let urn = "urn:ietf:params:scim:schemas:core:2.0:Group:displayName eq \"tools\"";
    assert_eq!(found(urn), (1, "tools".into()));

    let body = json!({"schemas": [SEARCH], "filter": "shoeSize eq 3"});
    server.post("/.search", body).refused(
        400,
        Some("invalidFilter"),
        "the filter is not valid: `shoeSize` is not an attribute of the resource type, at byte 0",
    );
}

#[test]
fn a_search_projects() {
    let server = populated();
    let list = search(&server, "/.search", json!({"attributes": ["displayName"], "count": 4}));
    assert_eq!(list["Resources"][3]["displayName"], "ann");
    assert_eq!(list["Resources"][0].get("userName"), None);
    assert_eq!(list["Resources"][3].get("meta"), None);
    let both = json!({"schemas": [SEARCH], "attributes": ["id"], "excludedAttributes": ["id"]});
    server.post("/Users/.search", both).refused(
        400,
        Some("invalidValue"),
        "`attributes` and `excludedAttributes` exclude one another",
    );
}

#[test]
fn a_search_is_a_post_of_a_search_request() {
    let server = populated();
    for path in ["/.search", "/Users/.search"] {
        let answer = server.get(path);
        answer.refused(405, None, "`GET` is not a method of this endpoint, which has POST");
        assert_eq!(answer.header("allow"), Some("POST"));
        server.post(path, json!([])).refused(
            400,
            Some("invalidSyntax"),
            "body: a search request is a JSON object",
        );
        let bad = json!({"schemas": [SEARCH], "count": "many"});
        server.post(path, bad).refused(400, Some("invalidValue"), "`count` must be an integer, not `many`");
    }
    assert_eq!(server.post("/None/.search", json!({})).status, 404);
    let answer = server.post("/.search", json!({"schemas": [SEARCH]}));
    assert_eq!(answer.outcome.operation, Some(Operation::Search));
}

#[test]
fn another_tenant_is_not_searched() {
    let server = populated();
    let mut request = crate::support::request("POST", "/.search", Some(json!({"schemas": [SEARCH]})));
    request.headers_mut().insert("authorization", "Bearer other-token".parse().unwrap());
    assert_eq!(server.call(request).json()["totalResults"], 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A page over several types is the slice of the whole list.
    #[test]
    fn pages_over_every_type_are_slices_of_all(
        users in 0..5_usize, groups in 0..5_usize, start in 0..12_usize, count in 0..12_usize,
    ) {
        let mut config = config();
        config.capabilities.max_results = 8;
        let server = server_with(config);
        (0..users).for_each(|n| drop(server.user(&format!("u{n}"))));
        (0..groups).for_each(|n| drop(server.group(&format!("g{n}"), &[])));
        let all: Vec<String> =
            (0..users).map(|n| format!("u{n}")).chain((0..groups).map(|n| format!("g{n}"))).collect();
        let page = search(&server, "/.search", json!({"startIndex": start, "count": count}));
        let expected: Vec<&String> = all.iter().skip(start.max(1) - 1).take(count.min(8)).collect();
        prop_assert_eq!(names(&page), expected);
        prop_assert_eq!(&page["totalResults"], &json!(users + groups));
        prop_assert_eq!(&page["startIndex"], &json!(start.max(1)));
    }
}
