//! `$ref` beside a `value` that names a resource of one type: `manager` of the enterprise extension, and of schemas of
//! one's own.

use std::sync::Arc;

use scim_core::leniency::Leniencies;
use scim_core::policy::{Context, Policy};
use scim_core::schema::{Attribute, Registry, ResourceType, Schema, builtin};
use scim_core::store::Scope;
use scim_core::{Config, MemoryStore, Resource, Store, TenantId};
use serde_json::{Value, json};

use crate::least_store::Least;
use crate::support::{BASE, Server, config, encoded, ready, server, server_over, server_with, user};

const ENTERPRISE: &str = builtin::ENTERPRISE_USER;

fn managed(manager: Value) -> Value {
    let mut user = user("ann");
    user["schemas"] = json!([builtin::USER, ENTERPRISE]);
    user[ENTERPRISE] = json!({"manager": manager});
    user
}

/// The manager as it is answered.
fn shown(id: &str) -> Value {
    json!({"value": id, "$ref": format!("{BASE}/Users/{id}")})
}

/// What clients send of a manager besides its `value`.
fn sent() -> Vec<Value> {
    vec![
        json!({}),
        json!({"$ref": null}),
        json!({"$ref": "../Users/7"}),
        json!({"$REF": "https://evil.example.org/Users/boss"}),
        json!({"$ref": format!("{BASE}/Users/boss")}),
    ]
}

fn with(mut sent: Value, id: &str) -> Value {
    sent["value"] = json!(id);
    sent
}

#[test]
fn a_manager_has_the_uri_of_the_user_that_its_value_names() {
    for leniencies in [Leniencies::tolerant(), Leniencies::strict()] {
        let server = server_with(Config { leniencies, ..config() });
        let made = server.post("/Users", managed(json!({"value": "boss", "$ref": "../Users/7"})));
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.json()[ENTERPRISE]["manager"], shown("boss"));
        let path = format!("/Users/{}", made.json()["id"].as_str().unwrap());
        let is_as_made = |answer: crate::support::Answer, what: &Value| {
            assert_eq!((answer.status.as_u16(), answer.json()), (200, made.json()), "{what}");
        };
        is_as_made(server.get(&path), &Value::Null);
        assert_eq!(server.get("/Users").json()["Resources"], json!([made.json()]));
        is_as_made(server.put(&path, made.json()), &made.json());

        // What says the same `value` is no change, whatever it says besides.
        let attribute = format!("{ENTERPRISE}:manager");
        for again in sent() {
            is_as_made(server.put(&path, managed(with(again.clone(), "boss"))), &again);
            for op in ["add", "replace"] {
                let value = with(again.clone(), "boss");
                for operation in [
                    json!({"op": op, "path": attribute, "value": value}),
                    json!({"op": op, "value": {(ENTERPRISE): {"manager": value}}}),
                    json!({"op": op, "path": format!("{attribute}.value"), "value": "boss"}),
                    json!({"op": op, "path": attribute, "value": again}),
                ] {
                    is_as_made(server.patch(&path, json!([operation])), &operation);
                }
            }
        }
        for operation in [
            json!({"op": "add", "path": format!("{attribute}.$ref"), "value": "https://evil.example.org/"}),
            json!({"op": "remove", "path": format!("{attribute}.$ref")}),
        ] {
            is_as_made(server.patch(&path, json!([operation])), &operation);
        }

        let other =
            json!([{"op": "replace", "path": attribute, "value": with(json!({"$ref": "x"}), "a/b é")}]);
        let manager = &server.patch(&path, other).json()[ENTERPRISE]["manager"];
        assert_eq!(*manager, json!({"value": "a/b é", "$ref": format!("{BASE}/Users/a%2Fb%20%C3%A9")}));
        assert_eq!(server.get(&path).json()[ENTERPRISE]["manager"], *manager);
        let gone = json!([{"op": "remove", "path": attribute}]);
        assert_eq!(server.patch(&path, gone).json().get(ENTERPRISE), None);
    }
}

/// A URI alone is all that is known of it.
#[test]
fn a_manager_without_value_keeps_the_uri_that_was_sent() {
    let server = server();
    let uri = json!({"$ref": "https://hr.example.com/people/7"});
    let made = server.post("/Users", managed(uri.clone()));
    assert_eq!(made.json()[ENTERPRISE]["manager"], uri, "{}", made.text);
    let path = format!("/Users/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(server.get(&path).json(), made.json());
    assert_eq!(server.get("/Users").json()["Resources"][0], made.json());
    let only = |query: &str| server.get(&format!("{path}?{query}")).json()[ENTERPRISE].clone();
    assert_eq!(only(&format!("attributes={ENTERPRISE}:manager.$ref")), json!({"manager": uri}));
    assert_eq!(only(&format!("excludedAttributes={ENTERPRISE}:manager.$ref")), Value::Null);

    let other = json!([{"op": "add", "path": format!("{ENTERPRISE}:manager.$ref"), "value": "../Users/8"}]);
    assert_eq!(server.patch(&path, other).json()[ENTERPRISE]["manager"], json!({"$ref": "../Users/8"}));
    // With a `value` it is gone for good.
    let named = json!([{"op": "add", "path": format!("{ENTERPRISE}:manager.value"), "value": "boss"}]);
    assert_eq!(server.patch(&path, named).json()[ENTERPRISE]["manager"], shown("boss"));
    let unnamed = json!([{"op": "remove", "path": format!("{ENTERPRISE}:manager.value")}]);
    assert_eq!(server.patch(&path, unnamed).json().get(ENTERPRISE), None);
}

#[test]
fn the_uri_is_there_if_it_is_asked_for() {
    fn asked<S: Store, P: Policy>(server: &Server<S, P>) {
        let mut managed = managed(json!({"value": "boss", "$ref": "../Users/7"}));
        managed[ENTERPRISE]["department"] = json!("manager");
        let path = format!("/Users/{}", server.post("/Users", managed).json()["id"].as_str().unwrap());
        let manager = format!("{ENTERPRISE}:manager");
        let whole = shown("boss");
        for (query, extension) in [
            (String::new(), json!({"department": "manager", "manager": whole})),
            (format!("attributes={manager}.$ref"), json!({"manager": {"$ref": whole["$ref"]}})),
            (format!("attributes={manager}.value"), json!({"manager": {"value": "boss"}})),
            (format!("attributes={manager}"), json!({"manager": whole})),
            (format!("attributes={ENTERPRISE}:department"), json!({"department": "manager"})),
            (
                format!("excludedAttributes={manager}.$REF"),
                json!({"department": "manager", "manager": {"value": "boss"}}),
            ),
            (
                format!("excludedAttributes={manager}.value"),
                json!({"department": "manager", "manager": {"$ref": whole["$ref"]}}),
            ),
            (format!("excludedAttributes={manager}"), json!({"department": "manager"})),
            (format!("excludedAttributes={ENTERPRISE}"), Value::Null),
        ] {
            assert_eq!(server.get(&format!("{path}?{query}")).json()[ENTERPRISE], extension, "{query}");
            let list = server.get(&format!("/Users?{query}")).json();
            assert_eq!(list["Resources"][0][ENTERPRISE], extension, "{query}");
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

#[test]
fn nothing_is_selected_by_the_uri() {
    let server = server();
    server.post("/Users", managed(json!({"value": "boss"})));
    let manager = format!("{ENTERPRISE}:manager");
    let why = format!("`{manager}.$ref` is made of the `id` in `{manager}.value`, which is to be asked for");
    for filter in [
        format!("{manager}.$ref eq \"{BASE}/Users/boss\""),
        format!("userName eq \"x\" or not ({manager}.$REF pr)"),
        // As Entra ID names attributes of the extension.
        "manager.$ref pr".to_owned(),
    ] {
        let path = format!("/Users?filter={}", encoded(&filter));
        server.get(&path).refused_naming(400, Some("invalidFilter"), &why);
    }
    server.get(&format!("/Users?sortBy={manager}.$ref")).refused_naming(400, Some("invalidValue"), &why);
    let by_value = encoded(&format!("{manager}.value eq \"boss\" and {manager} pr"));
    assert_eq!(server.get(&format!("/Users?filter={by_value}")).json()["totalResults"], 1);

    let group = server.group("Staff", &["id-1"]);
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let why = "`members.$ref` is made of the member's `id`, which is to be asked for by `members.value`";
    for (selector, rest) in [
        (format!("$ref eq \"{BASE}/Users/id-1\""), ""),
        ("$REF pr".to_owned(), ".display"),
        ("value eq \"id-1\" and not ($ref co \"evil\")".to_owned(), ""),
    ] {
        for op in ["remove", "replace"] {
            let target = format!("members[{selector}]{rest}");
            let value = if rest.is_empty() { json!({"value": "id-1"}) } else { json!("Ann") };
            let mut operation = json!({"op": op, "path": target});
            if op == "replace" {
                operation["value"] = value;
            }
            let detail = format!("Operations[0].path: {why}");
            server.patch(&path, json!([operation])).refused(400, Some("invalidFilter"), &detail);
        }
    }
    let key = json!([{"op": "add", "value": {"members[$ref pr].display": "Ann"}}]);
    server.patch(&path, key).refused_naming(400, Some("invalidFilter"), why);
    assert_eq!(server.get(&path).json(), group);
}

/// What was stored beside a `value` by another program, or before it was passed over, is not handed on.
#[test]
fn no_stored_uri_is_answered() {
    let stored = json!({
        "schemas": [builtin::USER, ENTERPRISE], "id": "u", "userName": "u", "meta": {"version": "W/\"1\""},
        (ENTERPRISE): {"Manager": {"$ref": "https://other.example.com/Users/boss", "value": "boss"}},
    });
    fn answered<S: Store>(store: Arc<S>, stored: &Value) {
        let registry = Registry::standard();
        let scope = Scope { tenant: &TenantId::new("acme"), schema: registry.by_name("User").unwrap() };
        let scim_core::Value::Object(user) = scim_core::Value::from(stored.clone()) else { panic!() };
        ready(store.create(scope, &Resource(user), &[])).unwrap();
        let server = server_over(store, config());
        let extension = json!({"Manager": shown("boss")});
        assert_eq!(server.get("/Users/u").json()[ENTERPRISE], extension);
        assert_eq!(server.get("/Users").json()["Resources"][0][ENTERPRISE], extension);
    }
    answered(Arc::new(MemoryStore::new()), &stored);
    answered(Arc::new(Least::default()), &stored);
}

/// A type whose owners are users, of whom there may be several; what they own may be of several types.
fn projects() -> Server {
    let links = |name: &str, types: &[&str]| {
        let mut reference = Attribute::reference("$ref", []);
        reference.reference_types = types.iter().map(|of| (*of).to_owned()).collect();
        Attribute::complex(name, [Attribute::string("value"), reference, Attribute::string("display")])
    };
    let project = Schema {
        id: "urn:example:Project".to_owned(),
        name: "Project".to_owned(),
        description: String::new(),
        attributes: vec![
            links("owners", &["User"]).multi_valued(),
            links("parent", &["Project"]),
            links("subject", &["User", "Group"]),
            links("page", &["external"]),
            links("machine", &["Machine"]),
        ],
    };
    let kind = ResourceType {
        name: "Project".to_owned(),
        description: String::new(),
        endpoint: "/Projects".to_owned(),
        schema: project.id.clone(),
        schema_extensions: Vec::new(),
    };
    server_with(Config {
        registry: Registry::standard().with(vec![project], vec![kind]).unwrap(),
        ..config()
    })
}

#[test]
fn each_of_several_values_has_its_uri() {
    let server = projects();
    let owner = |id: &str| json!({"value": id, "$ref": format!("{BASE}/Users/{id}")});
    let body = json!({"schemas": ["urn:example:Project"], "owners": [
        {"value": "a", "$ref": "../Users/x"}, {"$ref": "https://hr.example.com/7"}, {"display": "somebody"},
    ], "parent": {"value": "p"}});
    let made = server.post("/Projects", body.clone());
    let owners = json!([owner("a"), {"$ref": "https://hr.example.com/7"}, {"display": "somebody"}]);
    assert_eq!(made.json()["owners"], owners, "{}", made.text);
    assert_eq!(made.json()["parent"]["$ref"], json!(format!("{BASE}/Projects/p")));
    let path = format!("/Projects/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(server.get(&path).json(), made.json());
    assert_eq!(server.put(&path, body).json(), made.json());
    assert_eq!(server.put(&path, made.json()).json(), made.json());

    let again = json!([{"op": "add", "path": "owners", "value": [{"value": "a", "$ref": "../Users/y"}]}]);
    assert_eq!(server.patch(&path, again).json(), made.json());
    let only = server.get(&format!("{path}?attributes=owners.$ref")).json();
    assert_eq!(only["owners"], json!([{"$ref": owner("a")["$ref"]}, {"$ref": "https://hr.example.com/7"}]));
    let why = "`owners.$ref` is made of the `id` in `owners.value`, which is to be asked for";
    let path_of = |filter: &str| format!("/Projects?filter={}", encoded(filter));
    server.get(&path_of("owners[$ref pr]")).refused_naming(400, Some("invalidFilter"), why);
    let remove = json!([{"op": "remove", "path": "owners[$ref pr]"}]);
    server.patch(&path, remove).refused(400, Some("invalidFilter"), &format!("Operations[0].path: {why}"));
    // As it is answered, so it can be named.
    let remove = json!([{"op": "remove", "path": "owners", "value": [owner("a")]}]);
    assert_eq!(server.patch(&path, remove).json()["owners"].as_array().unwrap().len(), 2);
}

/// What is of one type out of several, of none that is served, or outside, is the client's to say.
#[test]
fn where_the_type_is_not_known_the_uri_is_the_clients() {
    let server = projects();
    let mut body = json!({"schemas": ["urn:example:Project"]});
    for name in ["subject", "page", "machine"] {
        body[name] = json!({"value": "a", "$ref": "https://hr.example.com/7"});
    }
    let made = server.post("/Projects", body.clone()).json();
    for name in ["subject", "page", "machine"] {
        assert_eq!(made[name], body[name]);
    }
    let filter = encoded("subject.$ref eq \"https://hr.example.com/7\" and machine.$ref pr");
    assert_eq!(server.get(&format!("/Projects?filter={filter}")).json()["totalResults"], 1);
}
