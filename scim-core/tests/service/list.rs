//! Lists: filters, pages, projections (RFC 7644 §3.4.2).

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Server, config, encoded, server, server_with};

fn filtered(server: &Server, endpoint: &str, filter: &str) -> Value {
    let answer = server.get(&format!("{endpoint}?filter={}", encoded(filter)));
    assert_eq!(answer.status, 200, "{filter}: {}", answer.text);
    answer.json()
}

#[test]
fn an_empty_list_is_a_list() {
    let list = server().get("/Users?filter=userName+eq+%22nobody%22").json();
    assert_eq!(
        list,
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 0,
            "startIndex": 1,
            "itemsPerPage": 0,
            "Resources": [],
        })
    );
}

#[test]
fn items_per_page_is_what_is_returned() {
    let server = server();
    for name in ["a", "b", "c"] {
        server.user(name);
    }
    let list = server.get("/Users?count=100").json();
    assert_eq!((&list["itemsPerPage"], &list["totalResults"]), (&json!(3), &json!(3)));
    let list = server.get("/Users?startIndex=3&count=2").json();
    assert_eq!((&list["itemsPerPage"], &list["startIndex"]), (&json!(1), &json!(3)));
    assert_eq!(list["Resources"][0]["userName"], "c");
}

#[test]
fn a_count_of_zero_asks_for_the_total_alone() {
    let server = server();
    server.user("a");
    for count in ["0", "-5"] {
        let list = server.get(&format!("/Users?count={count}")).json();
        assert_eq!((&list["totalResults"], &list["itemsPerPage"]), (&json!(1), &json!(0)), "{count}");
        assert_eq!(list["Resources"], json!([]));
    }
}

#[test]
fn a_start_index_below_one_is_one() {
    let server = server();
    server.user("a");
    for start in ["0", "-1", "1"] {
        let list = server.get(&format!("/Users?startIndex={start}")).json();
        assert_eq!((&list["startIndex"], &list["itemsPerPage"]), (&json!(1), &json!(1)), "{start}");
    }
}

/// What was asked for is told, and no other number.
#[test]
fn a_start_index_behind_everything_is_that_of_the_request() {
    let server = server();
    server.user("a");
    for base in ["/Users?", "/?"] {
        for (start, told) in [("7", json!(7)), ("9007199254740993", json!(9_007_199_254_740_993_u64))] {
            let list = server.get(&format!("{base}startIndex={start}")).json();
            assert_eq!((&list["totalResults"], &list["Resources"]), (&json!(1), &json!([])), "{base}{start}");
            assert_eq!(list["startIndex"], told);
        }
        for start in ["18446744073709551615", "99999999999999999999"] {
            let list = server.get(&format!("{base}startIndex={start}")).json();
            assert_eq!((&list["totalResults"], &list["itemsPerPage"]), (&json!(1), &json!(0)));
            assert_eq!((&list["Resources"], list.get("startIndex")), (&json!([]), None), "{base}{start}");
        }
    }
}

/// Names that are none ask for nothing; a filter that is none would be taken for one that everybody matches.
#[test]
fn an_empty_parameter_is_not_given_but_for_the_filter() {
    let server = server();
    server.user("a");
    let search = |query: Value| {
        let mut body = query;
        body["schemas"] = json!(["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]);
        server.post("/Users/.search", body)
    };
    for path in ["/Users", "/Users/id-1", "/"] {
        let whole = server.get(path).json();
        for name in ["attributes", "excludedAttributes", "attributes=&excludedAttributes", "sortBy", "cursor"]
        {
            assert_eq!(server.get(&format!("{path}?{name}=")).json(), whole, "{path} {name}");
        }
    }
    let all = json!({"attributes": [], "excludedAttributes": [], "sortBy": "", "cursor": ""});
    assert_eq!(search(all).json(), server.get("/Users").json());
    for answer in [server.get("/Users?filter="), server.get("/?filter=+"), search(json!({"filter": ""}))] {
        answer.refused(400, Some("invalidFilter"), "the filter is not valid: the filter is empty");
    }
}

#[test]
fn pages_have_a_default_and_a_maximum() {
    let mut config = config();
    config.capabilities.default_count = 2;
    config.capabilities.max_results = 3;
    let server = server_with(config);
    for index in 0..5 {
        server.user(&format!("user{index}"));
    }
    assert_eq!(server.get("/Users").json()["itemsPerPage"], 2);
    assert_eq!(server.get("/Users?count=100").json()["itemsPerPage"], 3);
    assert_eq!(server.get("/ServiceProviderConfig").json()["filter"]["maxResults"], 3);
}

#[test]
fn a_user_is_found_by_any_spelling_of_the_name() {
    let server = server();
    server.user("BJensen");
    for filter in [
        "userName eq \"bjensen\"",
        "USERNAME EQ \"BJENSEN\"",
        "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"bjensen\"",
    ] {
        assert_eq!(filtered(&server, "/Users", filter)["totalResults"], 1, "{filter}");
    }
    assert_eq!(filtered(&server, "/Users", "userName eq \"bjensen2\"")["totalResults"], 0);
}

#[test]
fn a_look_up_by_key_gives_what_a_scan_gives() {
    let server = server();
    for name in ["ann", "bob", "cid"] {
        server.user(name);
    }
    for (by_key, by_scan) in [
        ("id eq \"id-2\"", "id sw \"id-2\""),
        ("userName eq \"BOB\"", "userName sw \"bob\""),
        ("title pr and userName eq \"bob\"", "title pr and userName sw \"bob\""),
        ("id eq \"id-2\" and userName eq \"ann\"", "id sw \"id-2\" and userName sw \"ann\""),
        ("not (id eq \"id-2\")", "not (id sw \"id-2\")"),
        ("id eq \"id-1\" or id eq \"id-3\"", "id sw \"id-1\" or id sw \"id-3\""),
        ("id eq \"\"", "id eq \"none\""),
    ] {
        assert_eq!(filtered(&server, "/Users", by_key), filtered(&server, "/Users", by_scan), "{by_key}");
    }
}

#[test]
fn membership_is_checked_by_id_and_members() {
    let server = server();
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let group = server.group("Staff", &[ann["id"].as_str().unwrap()]);
    for (user, expected) in [(&ann, 1), (&bob, 0)] {
        for filter in [
            format!("id eq {} and members eq {}", group["id"], user["id"]),
            format!("members eq {} and id eq {}", user["id"], group["id"]),
            format!("id eq {} and members.value eq {}", group["id"], user["id"]),
            format!("id eq {} and members[value eq {}]", group["id"], user["id"]),
        ] {
            let path = format!("/Groups?filter={}&excludedAttributes=members", encoded(&filter));
            let list = server.get(&path).json();
            assert_eq!(list["totalResults"], expected, "{filter}");
            assert_eq!(list["Resources"][0].get("members"), None);
        }
    }
}

#[test]
fn a_look_up_by_work_email_as_entra_sends_it() {
    let server = server();
    let mut ann = crate::support::user("ann");
    ann["emails"] =
        json!([{"type": "work", "value": "ann@example.com"}, {"type": "home", "value": "ann@home.example"}]);
    assert_eq!(server.post("/Users", ann).status, 201);
    for (filter, found) in [
        ("emails[type eq \"work\"].value eq \"ann@example.com\"", 1),
        ("emails[type eq \"work\"].value eq \"ann@home.example\"", 0),
        ("emails[type eq \"work\" and value eq \"ann@example.com\"]", 1),
    ] {
        assert_eq!(filtered(&server, "/Users", filter)["totalResults"], found, "{filter}");
    }
    let path = format!("/Users?filter={}", encoded("emails[type eq \"work\"].value eq \"x\""));
    let fired = server.get(&path).outcome.leniencies;
    assert_eq!(fired, [scim_core::leniency::Leniency::ValuePathComparison]);
}

#[test]
fn a_manager_is_asked_for_by_the_bare_name_as_entra_sends_it() {
    use scim_core::leniency::{Leniencies, Leniency};
    let strict = scim_core::Config { leniencies: Leniencies::strict(), ..config() };
    let bare = |manager: &str| format!("/Users?filter={}", encoded(&format!("manager eq {manager}")));
    for (server, tolerant) in [(server(), true), (server_with(strict), false)] {
        let boss = server.user("boss");
        let mut ann = crate::support::user("ann");
        ann["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"] =
            json!({"manager": {"value": boss["id"]}});
        let ann = server.post("/Users", ann).json();
        let filter = format!("id eq {} and manager eq {}", ann["id"], boss["id"]);
        let answer = server.get(&format!("/Users?filter={}&attributes=id", encoded(&filter)));
        if !tolerant {
            answer.refused_naming(400, Some("invalidFilter"), "`manager`");
            continue;
        }
        assert_eq!(answer.json()["Resources"][0]["id"], ann["id"]);
        assert_eq!(answer.outcome.leniencies, [Leniency::BareExtensionAttribute]);
        assert_eq!(server.get(&bare(&ann["id"].to_string())).json()["totalResults"], 0);
        // A name of the base schema stays that, and one of no schema stays unknown.
        assert_eq!(filtered(&server, "/Users", "userName eq \"ann\"")["totalResults"], 1);
        let unknown = server.get(&format!("/Users?filter={}", encoded("managers eq \"x\"")));
        unknown.refused_naming(400, Some("invalidFilter"), "`managers`");
    }
}

#[test]
fn each_leniency_a_filter_needs_is_told_or_named() {
    let work_email = "emails[type eq \"work\"].value eq \"x\"";
    let (boolean, bare) = ("active eq \"True\"", "manager.value eq \"7\"");
    let both = format!("{boolean} and {bare}");
    let names = ["value-path-comparison", "boolean-string", "bare-extension-attribute"];
    for (filter, needed) in
        [(work_email, &names[..1]), (boolean, &names[1..2]), (bare, &names[2..]), (&both, &names[1..])]
    {
        let path = format!("/Users?filter={}", encoded(filter));
        let answer = server().get(&path);
        assert_eq!(answer.status, 200, "{}", answer.text);
        let fired: Vec<_> = answer.outcome.leniencies.iter().map(|leniency| leniency.name()).collect();
        assert_eq!(fired, needed, "{filter}");
        for leniency in needed {
            let mut config = config();
            config.leniencies = config.leniencies.without(leniency.parse().unwrap());
            let place = format!("(the leniency `{leniency}` is off)");
            server_with(config).get(&path).refused_naming(400, Some("invalidFilter"), &place);
        }
    }
}

#[test]
fn a_projection_leaves_the_filter_alone() {
    let server = server();
    server.user("ann");
    let list = server.get("/Users?filter=userName+eq+%22ann%22&attributes=title").json();
    assert_eq!(list["totalResults"], 1);
    assert_eq!(
        list["Resources"][0],
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "id-1"})
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Any page is the slice of the whole list that the parameters name.
    #[test]
    fn a_page_is_a_slice_of_the_list(
        users in 0_usize..12,
        start in -3_i64..15,
        count in -3_i64..15,
        maximum in 1_usize..10,
        half in any::<bool>(),
    ) {
        let mut config = config();
        config.capabilities.max_results = maximum;
        let server = server_with(config);
        for index in 0..users {
            let name = format!("{}{index}", if index % 2 == 0 { "even" } else { "odd" });
            server.user(&name);
        }
        let all: Vec<String> = (0..users)
            .filter(|index| !half || index % 2 == 0)
            .map(|index| format!("id-{}", index + 1))
            .collect();
        let filter = if half { "&filter=userName+sw+%22even%22" } else { "" };
        let list = server.get(&format!("/Users?startIndex={start}&count={count}{filter}")).json();
        let expected: Vec<&String> =
            all.iter().skip(start.max(1) as usize - 1).take((count.max(0) as usize).min(maximum)).collect();
        let got: Vec<String> = list["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["id"].as_str().unwrap().to_owned())
            .collect();
        prop_assert_eq!(got.iter().collect::<Vec<_>>(), expected);
        prop_assert_eq!(&list["totalResults"], all.len());
        prop_assert_eq!(&list["itemsPerPage"], got.len());
        prop_assert_eq!(&list["startIndex"], start.max(1));
    }
}
