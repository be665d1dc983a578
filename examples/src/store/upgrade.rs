//! Databases made by earlier versions are brought up to date.

use scim_core::projection::Projection;
use scim_core::query::{Query, Start};
use scim_core::schema::{Registry, ResourceType, builtin};
use scim_core::sort::Sort;
use scim_core::store::{Scope, Store as _, StoreError};
use scim_core::validate::unique_keys;
use scim_core::{ResourceId, TenantId, Version};
use scim_filter::{BindOptions, Filter};
use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;

use super::database::{MIGRATIONS, Statement, byte_by_byte};
use super::{LostClaim, LostClaims, SqlStore, decode};

use super::tests::sql_support::Postgres;

/// Rows as the version before claims made them: two users, one of a type of one's own with a name that a
/// user has too, a group, and a unique value of an extension.
const BEFORE_CLAIMS: [&str; 3] = [
    r#"INSERT INTO resources (tenant, type, id, seq, version, body, keys) VALUES
    ('acme', 'User', '1', 1, 1, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"Ann","meta":{"version":"W/\"1\""}}',
     jsonb('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:user"],"id":"1","userName":"ann"}')),
    ('acme', 'User', '2', 2, 1, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:example:Badge"],"id":"2","userName":"bob","urn:example:Badge":{"number":"7"},"meta":{"version":"W/\"1\""}}',
     jsonb('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:user","urn:example:badge"],"id":"2","userName":"bob"}')),
    ('acme', 'Contractor', '3', 1, 1, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"3","userName":"ann","meta":{"version":"W/\"1\""}}',
     jsonb('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:user"],"id":"3","userName":"ann"}')),
    ('other', 'User', '1', 1, 1, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ann","meta":{"version":"W/\"1\""}}',
     jsonb('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:user"],"id":"1","userName":"ann"}'))"#,
    r#"INSERT INTO resource_keys (tenant, type, attribute, value, id, claimed) VALUES
    ('acme', 'User', 'userName', 'ann', '1', TRUE),
    ('acme', 'User', 'userName', 'bob', '2', TRUE),
    ('acme', 'User', 'urn:example:Badge:number', '7', '2', TRUE),
    ('acme', 'User', 'emails', 'ann@example.com', '1', FALSE),
    ('acme', 'Contractor', 'userName', 'ann', '3', TRUE),
    ('other', 'User', 'userName', 'ann', '1', TRUE)"#,
    "INSERT INTO counters (tenant, type, last) VALUES ('acme', 'User', 2), ('acme', 'Contractor', 1)",
];

#[tokio::test]
async fn an_sqlite_database_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scim.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let old = sqlx::SqlitePool::connect_with(options).await.unwrap();
    until(&MIGRATIONS, 3).run(&old).await.unwrap();
    for rows in BEFORE_CLAIMS {
        sqlx::query(rows).execute(&old).await.unwrap();
    }
    old.close().await;
    SqlStore::open(&file).await.unwrap().close().await;
    claims_are_of_schemas(&SqlStore::open(&file).await.unwrap()).await;
}

#[tokio::test]
async fn a_postgresql_database_is_brought_up_to_date() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("upgrade").await;
    let old = sqlx::PgPool::connect(&url).await.unwrap();
    until(&byte_by_byte(&MIGRATIONS), 3).run(&old).await.unwrap();
    for rows in BEFORE_CLAIMS {
        sqlx::query(rows).execute(&old).await.unwrap();
    }
    old.close().await;
    SqlStore::connect(&url).await.unwrap().close().await;
    claims_are_of_schemas(&SqlStore::connect(&url).await.unwrap()).await;
}

fn until(migrations: &Migrator, version: i64) -> Migrator {
    let old = migrations.iter().filter(|migration| migration.version <= version);
    Migrator::with_migrations(old.cloned().collect())
}

/// Whom the name `ann` belongs to of two types that had it both is settled, and it is kept.
async fn claims_are_of_schemas(store: &SqlStore) {
    let select =
        "SELECT tenant, type, value, claim FROM resource_keys WHERE claimed ORDER BY tenant, id, value";
    let claims: Vec<(String, String, String, String)> =
        Statement::new(select).rows(&mut store.database.once().await.unwrap()).await.unwrap();
    let claims: Vec<[&str; 4]> =
        claims.iter().map(|(tenant, kind, value, claim)| [&**tenant, kind, value, claim]).collect();
    let name = "urn:ietf:params:scim:schemas:core:2.0:user:username";
    let badge = "urn:example:badge:number";
    let kept = [
        ["acme", "User", "7", badge],
        ["acme", "User", "bob", name],
        ["acme", "Contractor", "ann", name],
        ["other", "User", "ann", name],
    ];
    assert_eq!(claims, kept);

    let contractors = ResourceType {
        name: "Contractor".to_owned(),
        endpoint: "/Contractors".to_owned(),
        schema_extensions: Vec::new(),
        ..builtin::user_resource_type()
    };
    let registry = Registry::standard().with(Vec::new(), vec![contractors]).unwrap();
    let tenant = TenantId::new("acme");
    let scope = |name| Scope { tenant: &tenant, schema: registry.by_name(name).unwrap() };
    let resource = |id: &str, name: &str, version: u64| {
        let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"];
        let version = json!({"version": format!("W/\"{version}\"")});
        decode(&json!({"schemas": schemas, "id": id, "userName": name, "meta": version}).to_string()).unwrap()
    };
    let create = async |kind, id, name| {
        let (resource, scope) = (resource(id, name, 1), scope(kind));
        store.create(scope, &resource, &unique_keys(scope.schema, &resource)).await
    };
    let is_taken = |result| match result {
        Err(StoreError::Conflict { attribute }) => attribute == "userName",
        _ => false,
    };
    assert!(is_taken(create("Contractor", "4", "Bob").await));
    assert!(is_taken(create("User", "4", "ANN").await));
    create("Contractor", "4", "cid").await.unwrap();

    // The user who lost the name is there, is named, keeps it with whatever else is written, and can have
    // another one, but none that is taken.
    let replace = async |name, version: u64| {
        let (resource, scope) = (resource("1", name, version + 1), scope("User"));
        let unique = unique_keys(scope.schema, &resource);
        store.replace(scope, &resource, &unique, Version(version)).await
    };
    let lost = || async { store.lost_claims().await.unwrap() };
    let ann = LostClaim {
        tenant: "acme".to_owned(),
        resource_type: "User".to_owned(),
        id: "1".to_owned(),
        attribute: "userName".to_owned(),
    };
    for version in 1..=2 {
        assert_eq!(lost().await, LostClaims { count: 1, first: vec![ann.clone()] });
        replace("ann", version).await.unwrap();
    }
    assert!(is_taken(replace("Bob", 3).await));
    replace("dan", 3).await.unwrap();
    assert_eq!(lost().await, LostClaims::default());
    assert!(is_taken(create("Contractor", "5", "dan").await));
    assert!(is_taken(replace("ann", 4).await));

    // Once nobody has claimed it, who has it claims it.
    let mut tx = store.database.write().await.unwrap();
    let forget =
        "UPDATE resource_keys SET claimed = FALSE WHERE tenant = 'acme' AND id = '1' AND value = 'dan'";
    Statement::new(forget).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(lost().await.count, 1);
    replace("dan", 4).await.unwrap();
    assert_eq!(lost().await.count, 0);
    assert!(is_taken(create("Contractor", "5", "dan").await));
    store.close().await;
}

/// Users of the version before beginnings were kept, whose names are longer than what lists are sorted by, in bytes
/// of one and of many; the keys as that version shortened them.
fn before_beginnings(jsonb: bool) -> Vec<String> {
    let names = [
        ("1", "x".repeat(200) + "b"),
        ("2", "x".repeat(200) + "a"),
        ("3", "\u{10348}".repeat(150)),
        ("4", "y".to_owned()),
    ];
    let rows = (1..).zip(&names).flat_map(|(place, (id, name))| {
        let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": id, "userName": name,
            "displayName": name, "meta": {"version": "W/\"1\""}});
        let keys = if jsonb { format!("'{body}'::jsonb") } else { format!("jsonb('{body}')") };
        let key = super::keys::short(name.into());
        let claim = "urn:ietf:params:scim:schemas:core:2.0:user:username";
        [
            format!("INSERT INTO resources VALUES ('acme', 'User', '{id}', {place}, 1, '{body}', {keys})"),
            format!("INSERT INTO resource_keys VALUES ('acme', 'User', 'userName', '{key}', '{id}', TRUE, '{claim}')"),
            format!("INSERT INTO resource_keys VALUES ('acme', 'User', 'displayName', '{key}', '{id}', FALSE, '')"),
        ]
    });
    let counter = "INSERT INTO counters VALUES ('acme', 'User', 4)".to_owned();
    rows.chain([counter]).collect()
}

/// Every one of them is in a sorted list, once, and is still found, and its name is still taken.
async fn beginnings_are_kept(store: &SqlStore) {
    let registry = Registry::standard();
    let (tenant, schema) = (TenantId::new("acme"), registry.by_name("User").unwrap());
    let scope = Scope { tenant: &tenant, schema };
    let ids = |resources: &[scim_core::Resource]| -> Vec<String> {
        resources.iter().map(|user| user.id().unwrap().to_string()).collect()
    };
    for sort_by in ["userName", "displayName", "name.familyName"] {
        let sort = Sort::parse(&**schema, Some(sort_by), None).unwrap();
        let mut query = Query { sort, start: Start::First, count: 1, ..Query::default() };
        let mut met = Vec::new();
        loop {
            let page = store.query(scope, &query).await.unwrap();
            assert!(page.total.is_none_or(|total| total == 4));
            met.extend(ids(&page.resources));
            let Some(place) = page.next else { break };
            query.start = Start::After(place);
        }
        let expected = if sort_by == "name.familyName" { ["1", "2", "3", "4"] } else { ["1", "2", "4", "3"] };
        assert_eq!(met, expected, "{sort_by}");
    }
    let find = async |text: String| {
        let filter = Filter::parse(&text).unwrap().bind(&**schema, &BindOptions::default()).unwrap();
        let query = Query { filter: Some(filter), count: 10, ..Query::default() };
        ids(&store.query(scope, &query).await.unwrap().resources)
    };
    assert_eq!(find(format!("displayName eq \"{}a\"", "x".repeat(200))).await, ["2"]);
    assert_eq!(find(format!("userName eq \"{}\"", "\u{10348}".repeat(150))).await, ["3"]);
    assert_eq!(find(format!("userName eq \"{}\"", "x".repeat(128))).await, [""; 0]);
    let mut user = store.read(scope, &ResourceId::new("2"), &Projection::default()).await.unwrap().unwrap();
    user.0.insert("id", "5");
    let taken = store.create(scope, &user, &unique_keys(schema, &user)).await;
    assert!(matches!(taken, Err(StoreError::Conflict { attribute }) if attribute == "userName"));
    store.close().await;
}

#[tokio::test]
async fn an_sqlite_database_gets_the_beginnings_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scim.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let old = sqlx::SqlitePool::connect_with(options).await.unwrap();
    until(&MIGRATIONS, 6).run(&old).await.unwrap();
    for row in before_beginnings(false) {
        sqlx::query(AssertSqlSafe(row)).execute(&old).await.unwrap();
    }
    old.close().await;
    beginnings_are_kept(&SqlStore::open(&file).await.unwrap()).await;
}

#[tokio::test]
async fn a_postgresql_database_gets_the_beginnings_of_names() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("beginnings").await;
    let old = sqlx::PgPool::connect(&url).await.unwrap();
    until(&byte_by_byte(&MIGRATIONS), 6).run(&old).await.unwrap();
    for row in before_beginnings(true) {
        sqlx::query(AssertSqlSafe(row)).execute(&old).await.unwrap();
    }
    old.close().await;
    beginnings_are_kept(&SqlStore::connect(&url).await.unwrap()).await;
}

/// Members as the version before kept them: with the type and the URI that clients said.
fn before_types(jsonb: bool) -> Vec<String> {
    let json = |text: String| if jsonb { format!("'{text}'::jsonb") } else { format!("jsonb('{text}')") };
    let resources = [("User", "1"), ("User", "2"), ("Group", "g"), ("Group", "h")].map(|(kind, id)| {
        let (body, keys) = (
            json!({"schemas": [format!("urn:ietf:params:scim:schemas:core:2.0:{kind}")], "id": id, "userName": id,
                "displayName": id, "meta": {"version": "W/\"1\""}}),
            json!({"id": id, "username": id, "displayName": id}),
        );
        let (place, keys) = (if matches!(id, "2" | "h") { 2 } else { 1 }, json(keys.to_string()));
        format!(
            "INSERT INTO resources (tenant, type, id, seq, version, body, keys) \
             VALUES ('acme', '{kind}', '{id}', {place}, 1, '{body}', {keys})"
        )
    });
    let members = MEMBERS_BEFORE.iter().zip(1..).map(|((id, said), place)| {
        let mut body: serde_json::Value = serde_json::from_str(said).unwrap();
        let mut keys = body.clone();
        for text in keys.as_object_mut().unwrap().values_mut() {
            *text = text.as_str().unwrap().to_lowercase().into();
        }
        body["value"] = (*id).into();
        let keys = json(keys.to_string());
        format!("INSERT INTO members VALUES ('acme', 'Group', 'g', '{id}', 1, {place}, '{body}', {keys})")
    });
    let counters = "INSERT INTO counters VALUES ('acme', 'User', 2), ('acme', 'Group', 2)".to_owned();
    resources.into_iter().chain(members).chain([counters]).collect()
}

/// Whom a group has, and what was said of them.
const MEMBERS_BEFORE: [(&str, &str); 5] = [
    ("1", r#"{"display":"O\\\"Hara","type":"user_reference","$ref":"User"}"#),
    ("2", r#"{"$ref":"https://example.org/Users/7"}"#),
    ("h", r#"{"type":"User"}"#),
    ("nobody", r#"{"type":"uSER","$ref":"../Users/nobody","display":"\u00e9"}"#),
    ("nothing", r#"{"type":"robot"}"#),
];

async fn members_have_types(store: &SqlStore) {
    let registry = Registry::standard();
    let (tenant, schema) = (TenantId::new("acme"), registry.by_name("Group").unwrap());
    let scope = Scope { tenant: &tenant, schema };
    let group = store.read(scope, &ResourceId::new("g"), &Projection::default()).await.unwrap().unwrap();
    let members = json!([
        {"value": "1", "type": "User", "display": "O\\\"Hara"},
        {"value": "2", "type": "User"},
        {"value": "h", "type": "Group"},
        {"value": "nobody", "type": "User", "display": "\u{e9}"},
        {"value": "nothing"},
    ]);
    assert_eq!(group.get("members"), Some(&members.into()));
    for (text, found) in [
        ("members[type eq \"group\" and value eq \"h\"]", 1),
        ("members[type eq \"User\" and value eq \"1\"]", 1),
        ("members[type eq \"User\" and value eq \"nobody\"]", 1),
        ("members[type eq \"User\" and value eq \"h\"]", 0),
        ("members[value eq \"nothing\" and not (type pr)]", 1),
        ("members.type eq \"user_reference\" or members.type eq \"robot\" or members.$ref pr", 0),
        ("members[value eq \"1\" and display sw \"o\"]", 1),
    ] {
        let filter = Filter::parse(text).unwrap().bind(&**schema, &BindOptions::default()).unwrap();
        let query = Query { filter: Some(filter), count: 10, ..Query::default() };
        assert_eq!(store.query(scope, &query).await.unwrap().resources.len(), found, "{text}");
    }
    store.close().await;
}

#[tokio::test]
async fn members_of_an_sqlite_database_get_their_types() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scim.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let old = sqlx::SqlitePool::connect_with(options).await.unwrap();
    until(&MIGRATIONS, 10).run(&old).await.unwrap();
    for row in before_types(false) {
        sqlx::query(AssertSqlSafe(row)).execute(&old).await.unwrap();
    }
    old.close().await;
    members_have_types(&SqlStore::open(&file).await.unwrap()).await;
}

#[tokio::test]
async fn members_of_a_postgresql_database_get_their_types() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("member_types").await;
    let old = sqlx::PgPool::connect(&url).await.unwrap();
    until(&byte_by_byte(&MIGRATIONS), 10).run(&old).await.unwrap();
    for row in before_types(true) {
        sqlx::query(AssertSqlSafe(row)).execute(&old).await.unwrap();
    }
    old.close().await;
    members_have_types(&SqlStore::connect(&url).await.unwrap()).await;
}

/// Users of the version before `entitlements` had keys, of a type of one's own too whose attribute of that name is another:
/// the documents that filters see, as that version wrote them.
fn before_entitlements() -> Vec<String> {
    let long = "x".repeat(513);
    let users = [
        (
            "User",
            "1",
            json!([{"value": "gold"}, {"value": "tin", "type": "license"}, {"value": "gold", "type": "b"}]),
        ),
        ("User", "2", json!([{"type": "license"}, {"value": "gold"}])),
        ("User", "3", json!([{"value": long}, {"value": "\u{e9}".repeat(256)}, {"value": ""}])),
        ("User", "4", json!(null)),
        ("User", "5", json!([])),
        ("Other", "1", json!("gold")),
        ("Other", "2", json!(["gold", {"value": {"value": "gold"}}, {"value": true}, 7, null])),
        ("Other", "3", json!({"value": "gold"})),
    ];
    let rows = (1..).zip(users).map(|(place, (kind, id, entitlements))| {
        let mut body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": id,
            "userName": format!("name{id}"), "meta": {"version": "W/\"1\""}});
        if !entitlements.is_null() {
            body["entitlements"] = entitlements;
        }
        format!(
            "INSERT INTO resources (tenant, type, id, seq, version, body, keys) \
             VALUES ('acme', '{kind}', '{id}', {place}, 1, '{body}', jsonb('{body}'))"
        )
    });
    rows.collect()
}

/// All who have an entitlement are found by it, by those values too that SQL makes no keys of, and nobody else.
async fn entitlements_are_found(store: &SqlStore) {
    let select =
        "SELECT type, id, value FROM resource_keys WHERE attribute = 'entitlements' ORDER BY type, id, value";
    let keys: Vec<(String, String, String)> =
        Statement::new(select).rows(&mut store.database.once().await.unwrap()).await.unwrap();
    let of_users = |(kind, ..): &&(String, String, String)| kind == "User";
    let keys: Vec<(&str, &str)> =
        keys.iter().filter(of_users).map(|(_, id, value)| (&**id, &**value)).collect();
    let accents = "\u{e9}".repeat(256);
    assert_eq!(keys, [("1", "gold"), ("1", "tin"), ("2", "gold"), ("3", ""), ("3", &accents)]);

    let registry = Registry::standard();
    let (tenant, schema) = (TenantId::new("acme"), registry.by_name("User").unwrap());
    let scope = Scope { tenant: &tenant, schema };
    let find = async |text: &str| {
        let filter = Filter::parse(&format!("entitlements.value eq \"{text}\"")).unwrap();
        let filter = Some(filter.bind(&**schema, &BindOptions::default()).unwrap());
        let query = Query { filter, count: 10, ..Query::default() };
        let page = store.query(scope, &query).await.unwrap();
        let ids: Vec<String> = page.resources.iter().map(|user| user.id().unwrap().to_string()).collect();
        assert_eq!(page.total, Some(ids.len()));
        ids
    };
    let long = "X".repeat(513);
    for (text, expected) in [
        ("Gold", &["1", "2"][..]),
        ("tin", &["1"]),
        (&accents, &["3"]),
        ("", &["3"]),
        (&long, &["3"]),
        ("x", &[]),
    ] {
        assert_eq!(find(text).await, expected, "{text}");
    }
    // Whoever is written again has the keys that one of this version has.
    let id = ResourceId::new("3");
    let mut user = store.read(scope, &id, &Projection::default()).await.unwrap().unwrap();
    user.0.insert("meta", scim_core::Value::from(json!({"version": "W/\"2\""})));
    store.replace(scope, &user, &unique_keys(schema, &user), Version(1)).await.unwrap();
    assert_eq!((find(&long).await, find(&accents).await), (vec!["3".to_owned()], vec!["3".to_owned()]));
    store.close().await;
}

#[tokio::test]
async fn an_sqlite_database_gets_the_keys_of_entitlements() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scim.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let old = sqlx::SqlitePool::connect_with(options).await.unwrap();
    until(&MIGRATIONS, 11).run(&old).await.unwrap();
    for row in before_entitlements() {
        sqlx::query(AssertSqlSafe(row)).execute(&old).await.unwrap();
    }
    old.close().await;
    entitlements_are_found(&SqlStore::open(&file).await.unwrap()).await;
}

#[tokio::test]
async fn a_postgresql_database_gets_the_keys_of_entitlements() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("entitlements").await;
    let old = sqlx::PgPool::connect(&url).await.unwrap();
    until(&byte_by_byte(&MIGRATIONS), 11).run(&old).await.unwrap();
    for row in before_entitlements() {
        sqlx::query(AssertSqlSafe(row)).execute(&old).await.unwrap();
    }
    old.close().await;
    entitlements_are_found(&SqlStore::connect(&url).await.unwrap()).await;
}

/// Users of the version before composition and width were nothing that counts, a group of one of them, and the keys
/// as that version folded them.
fn before_normal_forms(jsonb: bool) -> Vec<String> {
    let json = |text: String| if jsonb { format!("'{text}'::jsonb") } else { format!("jsonb('{text}')") };
    let claim = "urn:ietf:params:scim:schemas:core:2.0:user:username";
    let users = (1..).zip(NAMES_BEFORE).flat_map(|(place, (id, name))| {
        let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": id, "userName": name,
            "title": name, "meta": {"version": "W/\"1\""}});
        let key = name.to_lowercase();
        let keys = json(json!({"id": id, "userName": key, "title": key}).to_string());
        [
            format!(
                "INSERT INTO resources (tenant, type, id, seq, version, body, keys) \
                 VALUES ('acme', 'User', '{id}', {place}, 1, '{body}', {keys})"
            ),
            format!("INSERT INTO resource_keys VALUES ('acme', 'User', 'userName', '{key}', '{id}', TRUE, '{claim}')"),
        ]
    });
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "g", "displayName": "g",
        "meta": {"version": "W/\"1\""}});
    let (member, member_keys) =
        (json!({"value": "1", "display": "A\u{30a}sa"}), json(json!({"display": "a\u{30a}sa"}).to_string()));
    let group_keys = json(json!({"id": "g", "displayName": "g"}).to_string());
    let group = [
        format!(
            "INSERT INTO resources (tenant, type, id, seq, version, body, keys) \
             VALUES ('acme', 'Group', 'g', 1, 1, '{group}', {group_keys})"
        ),
        format!("INSERT INTO members VALUES ('acme', 'Group', 'g', '1', 1, 1, '{member}', {member_keys})"),
        "INSERT INTO counters VALUES ('acme', 'User', 5), ('acme', 'Group', 1)".to_owned(),
    ];
    users.chain(group).collect()
}

/// Two pairs of one name, of the first of which the later has the form that keys have, and one who is alone.
const NAMES_BEFORE: [(&str, &str); 5] =
    [("1", "A\u{30a}sa@x"), ("2", "\u{c5}sa@x"), ("3", "\u{ff42}ob@x"), ("4", "bob@x"), ("5", "Jose\u{301}")];

/// All are found by any form of their names; of two with one name, one has the claim, and the other is named.
async fn names_have_one_form(store: &SqlStore) {
    let registry = Registry::standard();
    for _ in 0..2 {
        store.serve_as("generic", &registry, false).await.unwrap();
    }
    let tenant = TenantId::new("acme");
    let find = async |kind: &str, text: &str| {
        let schema = registry.by_name(kind).unwrap();
        let filter = Filter::parse(text).unwrap().bind(&**schema, &BindOptions::default()).unwrap();
        let query = Query { filter: Some(filter), count: 10, ..Query::default() };
        let page = store.query(Scope { tenant: &tenant, schema }, &query).await.unwrap();
        page.resources.iter().map(|found| found.id().unwrap().to_string()).collect::<Vec<_>>()
    };
    for attribute in ["userName", "title"] {
        for (name, expected) in [
            ("\u{e5}SA@x", &["1", "2"][..]),
            ("a\u{30a}sa@x", &["1", "2"]),
            ("BOB@x", &["3", "4"]),
            ("\u{ff22}ob@x", &["3", "4"]),
            ("jos\u{e9}", &["5"]),
            ("jose", &[]),
        ] {
            assert_eq!(
                find("User", &format!("{attribute} eq \"{name}\"")).await,
                expected,
                "{attribute} {name}"
            );
        }
    }
    assert_eq!(find("Group", "members.display eq \"\u{c5}sa\"").await, ["g"]);
    let lost = store.lost_claims().await.unwrap();
    let lost: Vec<&str> = lost.first.iter().map(|claim| claim.id.as_str()).collect();
    assert_eq!(lost, ["1", "3"]);

    // What is stored is as it was sent, and can be written again; nobody else can have the name.
    let schema = registry.by_name("User").unwrap();
    let scope = Scope { tenant: &tenant, schema };
    let id = ResourceId::new("1");
    let mut user = store.read(scope, &id, &Projection::default()).await.unwrap().unwrap();
    assert_eq!(user.get("userName"), Some(&"A\u{30a}sa@x".into()));
    user.0.insert("meta", scim_core::Value::from(json!({"version": "W/\"2\""})));
    store.replace(scope, &user, &unique_keys(schema, &user), Version(1)).await.unwrap();
    assert_eq!(store.lost_claims().await.unwrap().count, 2);
    for name in ["\u{c5}SA@x", "JOS\u{c9}"] {
        user.0.insert("id", "6");
        user.0.insert("userName", name);
        let taken = store.create(scope, &user, &unique_keys(schema, &user)).await;
        assert!(
            matches!(taken, Err(StoreError::Conflict { attribute }) if attribute == "userName"),
            "{name}"
        );
    }
    store.close().await;
}

#[tokio::test]
async fn names_of_an_sqlite_database_get_one_form() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scim.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let old = sqlx::SqlitePool::connect_with(options).await.unwrap();
    until(&MIGRATIONS, 13).run(&old).await.unwrap();
    for row in before_normal_forms(false) {
        sqlx::query(AssertSqlSafe(row)).execute(&old).await.unwrap();
    }
    old.close().await;
    names_have_one_form(&SqlStore::open(&file).await.unwrap()).await;
}

#[tokio::test]
async fn names_of_a_postgresql_database_get_one_form() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("forms").await;
    let old = sqlx::PgPool::connect(&url).await.unwrap();
    until(&byte_by_byte(&MIGRATIONS), 13).run(&old).await.unwrap();
    for row in before_normal_forms(true) {
        sqlx::query(AssertSqlSafe(row)).execute(&old).await.unwrap();
    }
    old.close().await;
    names_have_one_form(&SqlStore::connect(&url).await.unwrap()).await;
}
