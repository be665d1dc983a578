//! The `groups` of a user are computed: in responses, in lists, in filters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use scim_core::membership::Nesting;
use scim_core::schema::{Attribute, Registry, Schema, SchemaExtension, builtin};
use scim_core::store::StoreError;
use scim_core::testkit::{AsProvided, Call, Hooked, Hooks};
use scim_core::{Config, MemoryStore, ResourceId, Store};
use serde_json::{Value, json};

use crate::support::{Server, config, encoded, request, server, server_over, server_with};

/// The groups of a user as `id type` pairs, sorted.
fn groups(user: &Value) -> Vec<String> {
    let groups = user["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut groups: Vec<String> =
        groups.iter().map(|group| format!("{} {}", text(&group["value"]), text(&group["type"]))).collect();
    groups.sort();
    groups
}

#[test]
fn a_user_has_the_groups_it_is_in_directly_and_through_others() {
    let server = server();
    let ann = server.user("ann");
    assert_eq!(ann.get("groups"), None);
    server.group("Staff", &["id-1"]);
    server.group("All", &["id-2"]);
    server.group("Others", &[]);
    let answer = server.get("/Users/id-1");
    let user = answer.json();
    assert_eq!(
        user["groups"],
        json!([
            {"value": "id-2", "$ref": "https://scim.example.com/scim/v2/Groups/id-2", "display": "Staff",
                "type": "direct"},
            {"value": "id-3", "$ref": "https://scim.example.com/scim/v2/Groups/id-3", "display": "All",
                "type": "indirect"},
        ])
    );
    // Nothing of the user changed, so the version is the same, and so is what a condition says.
    assert_eq!(user["meta"], ann["meta"]);
    assert_eq!(answer.header("etag"), Some("W/\"1\""));
    let mut same = request("GET", "/Users/id-1", None);
    same.headers_mut().insert("if-none-match", "W/\"1\"".parse().unwrap());
    assert_eq!(server.call(same).status, 304);

    // Another name of a group is seen at once, and so is a membership that ends.
    server.patch("/Groups/id-2", json!([{"op": "replace", "path": "displayName", "value": "Team"}]));
    assert_eq!(server.get("/Users/id-1").json()["groups"][0]["display"], "Team");
    server.patch("/Groups/id-3", json!([{"op": "remove", "path": "members"}]));
    assert_eq!(groups(&server.get("/Users/id-1").json()), ["id-2 direct"]);
    server.delete("/Groups/id-2");
    assert_eq!(server.get("/Users/id-1").json(), ann);
}

#[test]
fn every_response_that_carries_a_user_carries_its_groups() {
    let server = server();
    server.user("ann");
    server.user("bob");
    server.group("Staff", &["id-1"]);
    let title = json!([{"op": "replace", "path": "title", "value": "Boss"}]);
    assert_eq!(groups(&server.patch("/Users/id-1", title).json()), ["id-3 direct"]);
    assert_eq!(groups(&server.put("/Users/id-1", crate::support::user("anna")).json()), ["id-3 direct"]);
    // A change of nothing.
    assert_eq!(groups(&server.put("/Users/id-1", crate::support::user("anna")).json()), ["id-3 direct"]);
    for path in ["/Users", "/?sortBy=userName", "/", "/Users?sortBy=userName&sortOrder=descending"] {
        let list = server.get(path).json();
        let user = list["Resources"].as_array().unwrap().iter().find(|user| user["id"] == "id-1").unwrap();
        assert_eq!(groups(user), ["id-3 direct"], "{path}");
        let other = list["Resources"].as_array().unwrap().iter().find(|user| user["id"] == "id-2").unwrap();
        assert_eq!(other.get("groups"), None, "{path}");
    }
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "groups.display eq \"STAFF\""});
    let found = server.post("/Users/.search", search).json();
    assert_eq!(
        (&found["totalResults"], groups(&found["Resources"][0])),
        (&json!(1), vec!["id-3 direct".into()])
    );
}

/// It is made when a resource is answered, of more than a database can make it of: so no store is asked for it.
#[test]
fn the_uri_of_a_group_is_refused_by_a_filter_whatever_the_store() {
    let server = server();
    server.user("ann");
    server.group("Staff", &["id-1"]);
    let detail = "the filter is not supported: `groups.$ref` is made of the group's `id`, which is to be asked for by \
                  `groups.value`";
    for filter in [
        "groups.$ref eq \"https://example.com/scim/v2/Groups/id-2\"",
        "not (GROUPS.$REF pr)",
        "userName eq \"ann\" or groups[type eq \"direct\" and not ($ref co \"id-2\")]",
        "urn:ietf:params:scim:schemas:core:2.0:User:groups.$ref sw \"https\"",
    ] {
        let query = format!("filter={}", encoded(filter));
        server.get(&format!("/Users?{query}")).refused(400, Some("invalidFilter"), detail);
        server.get(&format!("/?{query}")).refused(400, Some("invalidFilter"), detail);
    }
    let found = server.get(&format!("/Users?filter={}", encoded("groups.value eq \"id-2\""))).json();
    assert_eq!(found["totalResults"], 1);
}

#[test]
fn groups_are_projected_as_any_attribute() {
    let server = server();
    server.user("ann");
    server.group("Staff", &["id-1"]);
    let get = |query: &str| server.get(&format!("/Users/id-1?{query}")).json();
    assert_eq!(get("attributes=groups.display")["groups"], json!([{"display": "Staff"}]));
    assert_eq!(get("attributes=userName").get("groups"), None);
    assert_eq!(get("excludedAttributes=groups").get("groups"), None);
    let left = get("excludedAttributes=groups.$ref,groups.display");
    assert_eq!(left["groups"], json!([{"value": "id-2", "type": "direct"}]));
}

/// What is computed is the attribute of users; one of that name in an extension is its own, in whatever it
/// is named.
#[test]
fn an_attribute_called_groups_of_an_extension_is_an_attribute() {
    let uri = "urn:example:ext";
    let mut groups = Attribute::string("groups");
    let extension = Schema {
        id: uri.to_owned(),
        name: "Ext".to_owned(),
        description: String::new(),
        attributes: vec![groups.clone(), {
            groups.name = "members".to_owned();
            groups
        }],
    };
    let mut users = builtin::user_resource_type();
    users.schema_extensions.push(SchemaExtension { schema: uri.to_owned(), required: false });
    let registry = Registry::new(
        vec![builtin::user(), builtin::enterprise_user(), builtin::group(), extension],
        vec![users, builtin::group_resource_type()],
    );
    let server = server_with(Config { registry: registry.unwrap(), ..config() });
    for (name, own) in [("ann", "b"), ("bob", "a"), ("cid", "c")] {
        let mut user = crate::support::user(name);
        user["schemas"].as_array_mut().unwrap().push(json!(uri));
        user[uri] = json!({"groups": own, "members": own});
        let answer = server.post("/Users", user);
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.json()[uri]["groups"], own);
    }
    server.group("Staff", &["id-1"]);
    let found = |query: &str| {
        let answer = server.get(&format!("/Users?{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        let list = answer.json();
        let names = list["Resources"].as_array().unwrap().iter();
        names.map(|user| user["userName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for name in ["groups", "members", "GROUPS"] {
        assert_eq!(found(&format!("sortBy={uri}:{name}")), ["bob", "ann", "cid"]);
        assert_eq!(found(&format!("sortBy={uri}:{name}&sortOrder=descending")), ["cid", "ann", "bob"]);
        assert_eq!(found(&format!("filter={uri}:{name}%20eq%20%22A%22")), ["bob"]);
    }
    // Both in one filter, each with its own values.
    let both = format!("groups.value eq \"id-4\" and {uri}:groups eq \"b\"");
    assert_eq!(found(&format!("filter={}", encoded(&both))), ["ann"]);
    let both = format!("groups.value eq \"b\" or {uri}:groups eq \"id-4\"");
    assert_eq!(found(&format!("filter={}", encoded(&both))), [""; 0]);

    let path = |name: &str| format!("{uri}:{name}");
    let shown = server.get(&format!("/Users/id-1?attributes={}", path("groups"))).json();
    assert_eq!((&shown[uri], shown.get("groups")), (&json!({"groups": "b"}), None));
    let shown = server.get(&format!("/Users/id-1?excludedAttributes={}", path("groups"))).json();
    assert_eq!(
        (&shown[uri], self::groups(&shown)),
        (&json!({"members": "b"}), vec!["id-4 direct".to_owned()])
    );
    let shown = server.get("/Users/id-1?excludedAttributes=groups").json();
    assert_eq!((&shown[uri]["groups"], shown.get("groups")), (&json!("b"), None));

    for name in ["groups", "members"] {
        for (operation, left) in [
            (json!({"op": "replace", "path": path(name), "value": "d"}), json!("d")),
            (json!({"op": "add", "value": {path(name): "e"}}), json!("e")),
            (json!({"op": "add", "path": uri, "value": {name: "f"}}), json!("f")),
            (json!({"op": "remove", "path": path(name)}), Value::Null),
        ] {
            let answer = server.patch("/Users/id-1", json!([operation]));
            assert_eq!(answer.status, 200, "{operation}: {}", answer.text);
            assert_eq!(answer.json()[uri][name], left, "{operation}");
            assert_eq!(self::groups(&answer.json()), ["id-4 direct"]);
        }
    }
    // That of users has no order.
    let detail = "`sortBy` is not supported: `groups` has no order";
    server.get("/Users?sortBy=groups").refused(400, Some("invalidValue"), detail);
}

#[test]
fn groups_are_written_by_no_route() {
    let server = server();
    let mut body = crate::support::user("ann");
    body["groups"] = json!([{"value": "id-2", "type": "direct"}]);
    assert_eq!(server.post("/Users", body.clone()).json().get("groups"), None);
    server.group("Staff", &[]);
    assert_eq!(server.put("/Users/id-1", body).json().get("groups"), None);
    for operation in [
        json!({"op": "add", "path": "groups", "value": [{"value": "id-2"}]}),
        json!({"op": "replace", "path": "groups[value eq \"id-2\"].display", "value": "x"}),
        json!({"op": "add", "value": {"groups": [{"value": "id-2"}]}}),
        json!({"op": "remove", "path": "groups"}),
    ] {
        server.patch("/Users/id-1", json!([operation]));
        assert_eq!(server.get("/Users/id-1").json().get("groups"), None, "{operation}");
    }
    assert_eq!(server.get("/Groups/id-2").json().get("members"), None);
}

#[test]
fn circles_and_long_chains_end() {
    let server = server_with(Config { check_members: false, ..config() });
    server.user("ann");
    // A chain of 40 groups that ends where it began.
    for number in 0..40 {
        let below = if number == 0 { "id-1".to_owned() } else { format!("id-{}", number + 1) };
        server.group(&format!("g{number}"), &[&below, "id-41"]);
    }
    let user = server.get("/Users/id-1").json();
    let limit = config().limits.max_group_levels;
    assert_eq!(groups(&user).len(), limit);
    assert!(groups(&user).contains(&"id-2 direct".to_owned()));
    assert!(groups(&user).contains(&format!("id-{} indirect", limit + 1)));
    let count = |group: usize| {
        let filter = encoded(&format!("groups.value eq \"id-{group}\""));
        server.get(&format!("/Users?filter={filter}")).json()["totalResults"].clone()
    };
    assert_eq!((count(limit + 1), count(limit + 2)), (json!(1), json!(0)));
    let mut direct = config();
    direct.limits.max_group_levels = 1;
    let server = server_over(MemoryStore::new(), direct);
    server.user("ann");
    server.group("Staff", &["id-1"]);
    server.group("All", &["id-2"]);
    assert_eq!(groups(&server.get("/Users/id-1").json()), ["id-2 direct"]);
}

#[test]
fn another_tenants_groups_are_nobodys() {
    let server = server_with(Config { check_members: false, ..config() });
    server.user("ann");
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Theirs",
        "members": [{"value": "id-1"}]});
    let mut foreign = request("POST", "/Groups", Some(group));
    foreign.headers_mut().insert("authorization", "Bearer other-token".parse().unwrap());
    assert_eq!(server.call(foreign).status, 201);
    assert_eq!(server.get("/Users/id-1").json().get("groups"), None);
}

#[test]
fn groups_that_are_not_computed_are_the_stores() {
    let store = MemoryStore::new();
    let server = server_over(store.clone(), Config { compute_groups: false, ..config() });
    server.user("ann");
    server.group("Staff", &["id-1"]);
    assert_eq!(server.get("/Users/id-1").json().get("groups"), None);
    let filter = encoded("groups pr");
    assert_eq!(server.get(&format!("/Users?filter={filter}")).json()["totalResults"], 0);
    // The same resources with another configuration.
    let server = server_over(store, config());
    assert_eq!(groups(&server.get("/Users/id-1").json()), ["id-2 direct"]);
}

#[test]
fn there_is_no_order_of_groups() {
    let server = server();
    let answer = server.get("/Users?sortBy=groups.value");
    answer.refused_naming(400, Some("invalidValue"), "`groups`");
}

/// Counts what is asked about members.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Hooks for Counting {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        match call {
            Call::Query { query, .. } => assert!(query.hierarchy.is_none()),
            Call::Memberships { .. } => drop(self.0.fetch_add(1, Ordering::SeqCst)),
            _ => {}
        }
        Ok(())
    }
}

#[test]
fn a_page_asks_once_for_each_level_and_not_at_all_for_what_it_leaves_out() {
    // One that cannot filter by groups.
    let store = Arc::new(Hooked { store: AsProvided(MemoryStore::new()), hooks: Counting::default() });
    let server = server_over(Arc::clone(&store), config());
    let asked = |path: &str| {
        store.hooks.0.store(0, Ordering::SeqCst);
        assert_eq!(server.get(path).status, 200, "{path}");
        store.hooks.0.load(Ordering::SeqCst)
    };
    for number in 0..50 {
        server.user(&format!("user{number}"));
    }
    assert_eq!(asked("/Users"), 1);
    server.group("Staff", &["id-1", "id-2"]);
    server.group("All", &["id-51"]);
    assert_eq!(asked("/Users"), 3);
    assert_eq!(asked("/Users/id-1"), 3);
    assert_eq!(asked("/Users?excludedAttributes=groups"), 0);
    assert_eq!(asked("/Users?attributes=userName,emails"), 0);
    assert_eq!(asked("/Users?count=0"), 0);
    assert_eq!(asked("/Groups"), 0);
    store.hooks.0.store(0, Ordering::SeqCst);
    let answer = server.post(
        "/Bulk",
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
            {"method": "PUT", "path": "/Users/id-1", "data": crate::support::user("other")},
            {"method": "POST", "path": "/Users", "bulkId": "a", "data": crate::support::user("new")},
        ]}),
    );
    assert_eq!(answer.status, 200);
    server.user("another");
    assert_eq!(store.hooks.0.load(Ordering::SeqCst), 0, "nothing is asked for an answer that shows nothing");
    let filter = encoded("groups.value eq \"id-51\"");
    server.get(&format!("/Users?filter={filter}")).refused_naming(400, Some("invalidFilter"), "`groups`");
}

/// Groups of users and of one another, at random.
#[derive(Clone, Debug)]
struct Graph {
    users: usize,
    members: Vec<Vec<usize>>,
}

fn graph() -> impl Strategy<Value = Graph> {
    (1_usize..6, 1_usize..7).prop_flat_map(|(users, groups)| {
        let members = prop::collection::vec(0..users + groups, 0..5);
        prop::collection::vec(members, groups).prop_map(move |members| Graph { users, members })
    })
}

impl Graph {
    /// The groups of a user and how many memberships lead to each, by relaxing every membership as often
    /// as there are groups.
    fn groups(&self, user: usize) -> BTreeMap<usize, usize> {
        let mut away: BTreeMap<usize, usize> = BTreeMap::from([(user, 0)]);
        for _ in &self.members {
            for (group, members) in self.members.iter().enumerate() {
                let nearest = members.iter().filter_map(|member| away.get(member)).min().map(|away| away + 1);
                if let Some(nearest) = nearest {
                    let known = away.entry(self.users + group).or_insert(nearest);
                    *known = nearest.min(*known);
                }
            }
        }
        away.remove(&user);
        away
    }
}

fn filled(graph: &Graph) -> Server {
    let server = server_with(Config { check_members: false, ..config() });
    for user in 0..graph.users {
        server.user(&format!("user{user}"));
    }
    for members in &graph.members {
        let ids: BTreeSet<String> = members.iter().map(|member| format!("id-{}", member + 1)).collect();
        server.group("g", &ids.iter().map(String::as_str).collect::<Vec<_>>());
    }
    server
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn groups_are_those_of_a_search(graph in graph()) {
        let server = filled(&graph);
        let list = server.get("/Users").json();
        for user in 0..graph.users {
            let away = graph.groups(user);
            let kind = |away: usize| if away == 1 { "direct" } else { "indirect" };
            let mut expected: Vec<String> =
                away.iter().map(|(group, away)| format!("id-{} {}", group + 1, kind(*away))).collect();
            expected.sort();
            let path = format!("/Users/id-{}", user + 1);
            prop_assert_eq!(&groups(&server.get(&path).json()), &expected, "{} of {:?}", user, graph);
            prop_assert_eq!(&groups(&list["Resources"][user]), &expected, "{} of {:?}", user, graph);
        }
        for group in graph.users..graph.users + graph.members.len() {
            for (filter, levels) in [
                (format!("groups.value eq \"id-{}\"", group + 1), 1..usize::MAX),
                (format!("groups[value eq \"id-{}\" and type eq \"direct\"]", group + 1), 1..2),
                (format!("groups[value eq \"id-{}\" and type eq \"indirect\"]", group + 1), 2..usize::MAX),
            ] {
                let is_in =
                    |user: &usize| graph.groups(*user).get(&group).is_some_and(|away| levels.contains(away));
                let expected: Vec<Value> =
                    (0..graph.users).filter(is_in).map(|user| json!(format!("id-{}", user + 1))).collect();
                let found = server.get(&format!("/Users?filter={}", encoded(&filter))).json();
                let found: Vec<Value> = found["Resources"].as_array().into_iter().flatten()
                    .map(|user| user["id"].clone()).collect();
                prop_assert_eq!(found, expected, "{} of {:?}", filter, graph);
            }
        }
    }

    /// Whatever is added, one request after the other, there is no circle where none may be.
    #[test]
    fn no_circle_is_closed_where_none_may_be(graph in graph()) {
        let server = server_with(Config { nesting: Nesting::NoCircle, ..config() });
        let groups = graph.members.len();
        for _ in 0..groups {
            server.group("g", &[]);
        }
        let mut above: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); groups];
        for (group, members) in graph.members.iter().enumerate() {
            for member in members.iter().map(|member| member % groups) {
                let path = format!("/Groups/id-{}", group + 1);
                let value = json!([{"value": format!("id-{}", member + 1)}]);
                let answer = server.patch(&path, json!([{"op": "add", "path": "members", "value": value}]));
                let mut reached = BTreeSet::from([group]);
                while let Some(more) = reached.iter().flat_map(|at| &above[*at]).find(|at| !reached.contains(at)) {
                    reached.insert(*more);
                }
                let permitted = !reached.contains(&member);
                prop_assert_eq!(answer.status.as_u16(), if permitted { 200 } else { 400 }, "{:?}", graph);
                if permitted {
                    above[member].insert(group);
                }
            }
        }
    }
}

/// A chain of any length is a circle once its ends meet, however few groups a user's `groups` go up.
#[test]
fn no_circle_is_closed_by_the_ends_of_a_long_chain() {
    for levels in [1, 16] {
        let mut config = Config { nesting: Nesting::NoCircle, ..config() };
        config.limits.max_group_levels = levels;
        ends_of_a_long_chain(&server_with(config.clone()));
        // A store that does not look for circles.
        ends_of_a_long_chain(&server_over(AsProvided(MemoryStore::new()), config));
    }
}

fn ends_of_a_long_chain<S: Store>(server: &Server<S>) {
    server.group("0", &[]);
    for number in 1..60 {
        server.group(&number.to_string(), &[&format!("id-{number}")]);
    }
    for above in [2, 16, 17, 18, 19, 59, 60] {
        let value = json!([{"value": format!("id-{above}")}]);
        let add = json!([{"op": "add", "path": "members", "value": value.clone()}]);
        let detail = format!(
            "`members` names `id-{above}`, which has the group as a member, directly or through other groups"
        );
        server.patch("/Groups/id-1", add).refused(400, Some("invalidValue"), &detail);
        let put = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "0",
                "members": value});
        server.put("/Groups/id-1", put).refused(400, Some("invalidValue"), &detail);
    }
    // The other way round the chain goes on.
    server.group("other", &[]);
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "id-1"}]}]);
    assert_eq!(server.patch("/Groups/id-61", add).status, 200);
}

/// Notes of whom the store is told that they must not be above the group.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Hooks for Told {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        match call {
            Call::Change { terms, .. } => {
                let ids = terms.no_circle.members.iter().map(ToString::to_string);
                self.0.lock().unwrap().extend(ids);
            }
            // Those of the user are asked for where it is answered.
            Call::Memberships { members, .. } => {
                assert_eq!(members, [ResourceId::new("id-1")], "the store looks, and the service needs not");
            }
            _ => {}
        }
        Ok(())
    }
}

/// A store that looks for circles is told of those who are added and may be groups: by every way to add them to a group
/// that is there, and where members are not checked also to a new one.
#[test]
fn a_store_is_told_who_must_not_be_above() {
    for (nesting, check_members) in [
        (Nesting::Any, true),
        (Nesting::NotItself, true),
        (Nesting::NoCircle, true),
        (Nesting::NoCircle, false),
    ] {
        let store = Arc::new(Hooked { store: MemoryStore::new(), hooks: Told::default() });
        let server = server_over(Arc::clone(&store), Config { nesting, check_members, ..config() });
        let told = |answer: crate::support::Answer| {
            assert!(answer.status.is_success(), "{}", answer.text);
            std::mem::take(&mut *store.hooks.0.lock().unwrap())
        };
        let user = server.user("ann");
        assert_eq!(user["id"], "id-1");
        for name in ["a", "b", "c"] {
            server.group(name, &[]);
        }
        let (exact, early) = (nesting == Nesting::NoCircle, !check_members);
        let group = |ids: &[&str]| {
            let members: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "x", "members": members})
        };
        let add =
            |id: &str| json!([{"op": "add", "path": "members", "value": [{"value": id}, {"value": "id-1"}]}]);
        let created: &[&str] = if early { &["id-2"] } else { &[] };
        assert_eq!(told(server.post("/Groups", group(&["id-1", "id-2"]))), created);
        let (b, c): (&[&str], &[&str]) = if exact { (&["id-3"], &["id-4"]) } else { (&[], &[]) };
        assert_eq!(told(server.patch("/Groups/id-2", add("id-3"))), b);
        assert_eq!(
            told(server.put("/Groups/id-2", group(&["id-1", "id-3", "id-4"]))),
            c,
            "who is there stays"
        );
        let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
            {"method": "PATCH", "path": "/Groups/id-3", "data": {"Operations": add("id-4"),
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}},
        ]});
        assert_eq!(told(server.post("/Bulk", bulk)), c);
        assert_eq!(server.get("/Groups/id-3").json()["members"].as_array().unwrap().len(), 2);
        if early {
            // Nobody yet, and so perhaps a group.
            assert_eq!(told(server.patch("/Groups/id-2", add("id-99"))), ["id-99"]);
        }
    }
}

#[test]
fn which_groups_may_be_members_is_a_decision() {
    let answers = |nesting| {
        let server = server_with(Config { nesting, ..config() });
        server.user("ann");
        server.group("A", &[]);
        let nested = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "B",
            "members": [{"value": "id-1"}, {"value": "id-2"}]});
        let created = server.post("/Groups", nested.clone());
        let add = |path: &str, id: &str| {
            server.patch(path, json!([{"op": "add", "path": "members", "value": [{"value": id}]}]))
        };
        let itself = add("/Groups/id-2", "id-2");
        let circle = add("/Groups/id-2", "id-3");
        let mut put = nested;
        put["members"] = json!([{"value": "id-2"}]);
        let replaced = server.put("/Groups/id-2", put);
        assert_eq!(add("/Groups/id-2", "id-1").status, 200, "users may be members");
        let what = |answer: crate::support::Answer| match answer.status.as_u16() {
            400 => answer.json()["detail"].as_str().unwrap().to_owned(),
            status => status.to_string(),
        };
        [created, itself, circle, replaced].map(what)
    };
    let (yes, itself) = ("200", "`members` names `id-2`, which is the group itself");
    assert_eq!(answers(Nesting::Any), ["201", yes, yes, yes]);
    assert_eq!(answers(Nesting::NotItself), ["201", itself, yes, itself]);
    assert_eq!(
        answers(Nesting::NoCircle),
        [
            "201",
            itself,
            "`members` names `id-3`, which has the group as a member, directly or through other groups",
            itself
        ]
    );
    let flat = "`members` names `id-2`, which is a group, and groups have no groups as members here";
    let other = "`members` names `id-3`, and there is no such resource";
    assert_eq!(answers(Nesting::Flat), [flat, flat, other, flat]);
}
