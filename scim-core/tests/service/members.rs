//! What the service says of members of groups: their type and their URI.

use std::sync::{Arc, Mutex};

use scim_core::leniency::Leniencies;
use scim_core::policy::{Context, Policy};
use scim_core::schema::{Attribute, Registry, ResourceType, Schema};
use scim_core::store::{Scope, StoreError};
use scim_core::testkit::{Call, Hooked, Hooks};
use scim_core::{Config, MemoryStore, Resource, Store, TenantId};
use serde_json::{Value, json};

use crate::least_store::Least;
use crate::support::{BASE, Server, config, encoded, member, ready, server, server_over, server_with, user};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// What clients send of a member besides its `value`.
fn sent() -> Vec<Value> {
    vec![
        json!({}),
        json!({"$ref": null}),
        json!({"$ref": "User", "type": "user_reference"}),
        json!({"$ref": "https://evil.example.org/Users/7", "type": "Group"}),
        json!({"$ref": "{user.url} is no URI"}),
        json!({"$REF": "../Users/id-1", "Type": "user"}),
        json!({"$ref": format!("{BASE}/Users/id-1"), "type": "User"}),
    ]
}

fn with(mut sent: Value, id: &str) -> Value {
    sent["value"] = json!(id);
    sent
}

fn group(name: &str, members: &[Value]) -> Value {
    json!({"schemas": [GROUP], "displayName": name, "members": members})
}

#[test]
fn a_member_has_the_type_and_the_uri_of_what_it_is() {
    for leniencies in [Leniencies::tolerant(), Leniencies::strict()] {
        let server = server_with(Config { leniencies, ..config() });
        server.user("ann");
        for (number, sent) in sent().into_iter().enumerate() {
            let made = server.post("/Groups", group(&format!("g{number}"), &[with(sent.clone(), "id-1")]));
            assert_eq!(made.status, 201, "{}", made.text);
            assert!(made.outcome.leniencies.is_empty());
            assert_eq!(made.json()["members"], json!([member("id-1")]), "{sent}");
            let path = format!("/Groups/{}", made.json()["id"].as_str().unwrap());
            assert_eq!(server.get(&path).json(), made.json());

            // What is there already is as asked, however it is named.
            for again in self::sent() {
                let again = with(again, "id-1");
                for op in ["add", "replace"] {
                    let same = server.patch(&path, json!([{"op": op, "path": "members", "value": [again]}]));
                    assert_eq!((same.status.as_u16(), same.json()), (200, made.json()), "{op} {again}");
                }
                let one = json!([{"op": "replace", "path": "members[value eq \"id-1\"]", "value": again}]);
                let same = server.patch(&path, one);
                assert_eq!((same.status.as_u16(), same.json()), (200, made.json()), "{again}");
                let same = server.put(&path, group(&format!("g{number}"), std::slice::from_ref(&again)));
                assert_eq!((same.status.as_u16(), same.json()), (200, made.json()), "{again}");
            }
            let same = server.put(&path, made.json());
            assert_eq!((same.status.as_u16(), same.json()), (200, made.json()));

            // A group by its own URI, and a user beside it.
            server.user(&format!("user{number}"));
            let other = format!("id-{}", 3 + 2 * number);
            let add = json!([{"op": "add", "path": "members", "value": [
                with(sent.clone(), &other), with(sent.clone(), made.json()["id"].as_str().unwrap()),
            ]}]);
            let now = server.patch(&path, add);
            let id = &made.json()["id"];
            let itself = json!({
                "value": id, "type": "Group", "$ref": format!("{BASE}/Groups/{}", id.as_str().unwrap()),
            });
            assert_eq!(now.json()["members"], json!([member("id-1"), member(&other), itself]), "{sent}");
            if leniencies_of(&server) == Leniencies::tolerant() {
                let remove = json!([{"op": "remove", "path": "members", "value": [with(sent, &other)]}]);
                assert_eq!(server.patch(&path, remove).json()["members"], json!([member("id-1"), itself]));
            }
        }
    }
}

fn leniencies_of(server: &Server) -> Leniencies {
    server.service.config().leniencies.clone()
}

#[test]
fn who_comes_by_a_put_has_a_type_too() {
    let server = server();
    server.user("ann");
    server.user("bob");
    let made = server.group("Staff", &["id-1"]);
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    let bob = json!({"value": "id-2", "type": "robot", "display": "Bob", "$ref": "http://127.0.0.1/"});
    let put = server.put(&path, group("Staff", &[json!({"value": "id-1", "type": "robot"}), bob]));
    let mut shown = member("id-2");
    shown["display"] = json!("Bob");
    assert_eq!(put.json()["members"], json!([member("id-1"), shown]), "{}", put.text);
    assert_eq!(put.header("etag"), Some("W/\"2\""));
}

/// As `meta.location`, `members.$ref` is nobody's to be asked for; the type is.
#[test]
fn groups_are_found_by_the_type_of_members_and_not_by_their_uri() {
    let server = server();
    server.user("ann");
    let inner = server.group("Inner", &["id-1"]);
    server.group("Outer", &[inner["id"].as_str().unwrap()]);
    for (filter, found) in [
        ("members[type eq \"User\"]", 1),
        ("members.type eq \"group\"", 1),
        ("members[type eq \"User\" and value eq \"id-1\"]", 1),
        ("members.type eq \"user_reference\"", 0),
    ] {
        let list = server.get(&format!("/Groups?filter={}", encoded(filter))).json();
        assert_eq!(list["totalResults"], found, "{filter}");
    }
    let why = "`members.$ref` is made of the member's `id`, which is to be asked for by `members.value`";
    for filter in [
        "members.$ref eq \"https://scim.example.com/scim/v2/Users/id-1\"",
        "MEMBERS.$REF pr",
        "members[$ref co \"Users\" or value pr]",
        "displayName eq \"Inner\" or not (members[value eq \"1\" and not ($ref pr)])",
    ] {
        let path = format!("/Groups?filter={}", encoded(filter));
        server.get(&path).refused_naming(400, Some("invalidFilter"), why);
    }
    server.get("/Groups?sortBy=members.$ref").refused_naming(400, Some("invalidValue"), why);
    let remove = json!([{"op": "remove", "path": "members[type eq \"User\"]"}]);
    let path = format!("/Groups/{}", inner["id"].as_str().unwrap());
    assert_eq!(server.patch(&path, remove).json().get("members"), None);
}

/// Whoever leaves parts of members out has the others, whatever the store reads.
#[test]
fn the_uri_is_there_if_it_is_asked_for() {
    fn asked<S: Store, P: Policy>(server: &Server<S, P>) {
        server.user("ann");
        let path = format!("/Groups/{}", server.group("Staff", &["id-1"])["id"].as_str().unwrap());
        let url = format!("{BASE}/Users/id-1");
        for (query, members) in [
            ("attributes=members.$ref", json!([{"$ref": url}])),
            ("attributes=members.$REF,displayName", json!([{"$ref": url}])),
            ("attributes=members.type", json!([{"type": "User"}])),
            ("attributes=members.value", json!([{"value": "id-1"}])),
            ("attributes=members", json!([member("id-1")])),
            ("attributes=displayName", Value::Null),
            ("excludedAttributes=members.$ref", json!([{"value": "id-1", "type": "User"}])),
            ("excludedAttributes=members.type,members.value", json!([{"$ref": url}])),
            ("excludedAttributes=members.display", json!([member("id-1")])),
            ("excludedAttributes=members", Value::Null),
        ] {
            let one = server.get(&format!("{path}?{query}")).json();
            assert_eq!(one["members"], members, "{query}");
            let list = server.get(&format!("/Groups?{query}")).json();
            assert_eq!(list["Resources"][0]["members"], members, "{query}");
            let all = server.get(&format!("/?{query}&filter=displayName%20eq%20%22Staff%22")).json();
            assert_eq!(all["Resources"][0]["members"], members, "{query}");
        }
    }
    struct Rendering;
    impl Policy for Rendering {
        fn renders(&self) -> bool {
            true
        }
        fn render(&self, _: &Context<'_>, _: &mut Resource) {}
    }
    asked(&server());
    asked(&server().with_policy(Rendering));
    asked(&server_over(Arc::new(Least::default()), config()));
}

/// Where members are not checked, the client says of which type they are, if it says so.
#[test]
fn unchecked_members_are_what_the_client_says() {
    let server = server_with(Config { check_members: false, ..config() });
    let (user, nothing) = (member("x/1"), json!({"value": "x/1"}));
    let user = json!({"value": "x/1", "type": "User", "$ref": user["$ref"].as_str().unwrap().replace("x/1", "x%2F1")});
    for (number, (sent, shown)) in [
        (json!({"type": "User"}), &user),
        (json!({"type": "uSER", "$ref": "https://evil.example.org/"}), &user),
        (json!({"type": "user_reference", "$ref": "User"}), &nothing),
        (json!({"$ref": "https://evil.example.org/"}), &nothing),
    ]
    .into_iter()
    .enumerate()
    {
        let body = group(&format!("g{number}"), &[with(sent, "x/1")]);
        let made = server.post("/Groups", body.clone());
        assert_eq!(made.json()["members"], json!([shown]));
        let path = format!("/Groups/{}", made.json()["id"].as_str().unwrap());
        let put = server.put(&path, body.clone());
        assert_eq!(put.json(), made.json(), "the same again is no change");
        let replace = json!([{"op": "replace", "path": "members", "value": body["members"]}]);
        assert_eq!(server.patch(&path, replace).json(), made.json());
    }
}

/// What was stored otherwise is not handed on: a URI of another service, or of another tenant's.
#[test]
fn no_stored_uri_is_answered() {
    let stored = json!({
        "schemas": [GROUP], "id": "g", "displayName": "g", "meta": {"version": "W/\"1\""},
        "members": [
            {"value": "id-1", "$ref": "https://other.example.com/Users/id-1"},
            {"value": "id-2", "type": "User", "$ref": "https://other.example.com/Users/id-2"},
            {"value": "id-3", "type": "Robot", "$ref": "https://other.example.com/Users/id-3"},
        ],
    });
    fn answered<S: Store>(store: Arc<S>, stored: &Value) {
        let registry = Registry::standard();
        let scope = Scope { tenant: &TenantId::new("acme"), schema: registry.by_name("Group").unwrap() };
        let scim_core::Value::Object(group) = scim_core::Value::from(stored.clone()) else { panic!() };
        ready(store.create(scope, &Resource(group), &[])).unwrap();
        let shown = json!([{"value": "id-1"}, member("id-2"), {"value": "id-3", "type": "Robot"}]);
        let server = server_over(store, config());
        assert_eq!(server.get("/Groups/g").json()["members"], shown);
        assert_eq!(server.get("/Groups").json()["Resources"][0]["members"], shown);
        let only = server.get("/Groups/g?attributes=members.$ref").json();
        assert_eq!(only["members"], json!([{"$ref": format!("{BASE}/Users/id-2")}]));
    }
    answered(Arc::new(MemoryStore::new()), &stored);
    answered(Arc::new(Least::default()), &stored);
}

/// A type of groups whose members are of one type, and do not say so.
#[test]
fn members_that_can_be_of_one_type_alone_have_its_uri() {
    let team = Schema {
        id: "urn:example:Team".to_owned(),
        name: "Team".to_owned(),
        description: String::new(),
        attributes: vec![
            Attribute::string("displayName"),
            Attribute::complex(
                "members",
                [Attribute::string("value"), Attribute::reference("$ref", ["User"])],
            )
            .multi_valued(),
        ],
    };
    let kind = ResourceType {
        name: "Team".to_owned(),
        description: String::new(),
        endpoint: "/Teams".to_owned(),
        schema: team.id.clone(),
        schema_extensions: Vec::new(),
    };
    let registry = Registry::standard().with(vec![team], vec![kind]).unwrap();
    let server = server_with(Config { registry, ..config() });
    server.user("ann");
    let body = json!({"schemas": ["urn:example:Team"], "members": [{"value": "id-1", "$ref": "x:y"}]});
    let made = server.post("/Teams", body);
    let members = json!([{"value": "id-1", "$ref": format!("{BASE}/Users/id-1")}]);
    assert_eq!(made.json()["members"], members, "{}", made.text);
    let path = format!("/Teams/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(server.get(&path).json(), made.json());
    assert_eq!(server.put(&path, made.json()).json(), made.json());
}

/// How many were looked up of which type.
#[derive(Default)]
struct Asked(Mutex<Vec<(String, usize)>>);

impl Hooks for Asked {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if let Call::Missing { scope, ids } = call {
            self.0.lock().unwrap().push((scope.schema.name().to_owned(), ids.len()));
        }
        Ok(())
    }
}

/// The store is asked of those who come, and of the other types only for who is not of the first.
#[test]
fn only_who_comes_is_looked_up() {
    let store = Arc::new(Hooked { store: MemoryStore::new(), hooks: Asked::default() });
    let server = server_over(Arc::clone(&store), config());
    for number in 0..20 {
        server.user(&format!("user{number}"));
    }
    let asked = || std::mem::take(&mut *store.hooks.0.lock().unwrap());
    let of = |kind: &str, count: usize| (kind.to_owned(), count);
    let ids: Vec<String> = (1..=15).map(|number| format!("id-{number}")).collect();
    let made = server.group("Staff", &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    assert_eq!(asked(), [of("User", 15)]);
    let add = |ids: &[&str]| -> Value {
        let values: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
        json!([{"op": "add", "path": "members", "value": values}])
    };
    assert_eq!(server.patch(&path, add(&["id-16"])).status, 200);
    assert_eq!(asked(), [of("User", 1)]);
    assert_eq!(server.patch(&path, add(&["id-17", "id-21", "id-1"])).status, 200);
    assert_eq!(asked(), [of("User", 3), of("Group", 1)]);
    server.patch(&path, json!([{"op": "remove", "path": "members[value eq \"id-1\"]"}]));
    server.put(&path, server.get(&path).json());
    assert_eq!(asked(), []);
    let mut more = server.get(&path).json();
    more["members"].as_array_mut().unwrap().push(json!({"value": "id-20"}));
    assert_eq!(server.put(&path, more).status, 200);
    assert_eq!(asked(), [of("User", 1)]);
    // Who is nobody is refused, as ever.
    server.patch(&path, add(&["nobody"])).refused_naming(400, Some("invalidValue"), "`nobody`");
    let mut alone = user("ann");
    alone["displayName"] = json!("Ann");
    assert_eq!(server.post("/Users", alone).status, 201);
}
