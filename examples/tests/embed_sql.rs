//! The example `embed_sql`: as an identity provider meets it, over HTTP, and its store beside evaluation
//! in memory.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

#[expect(dead_code, reason = "the program itself is not run here")]
#[path = "../examples/embed_sql.rs"]
mod embed_sql;
mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use embed_sql::{Directory, groups, registry, users};
use scim_core::patch::{Change, Delta};
use scim_core::query::{Query, Start};
use scim_core::resource::{Group, Member};
use scim_core::resource::{Meta, MultiValued, Name, User};
use scim_core::sort::Sort;
use scim_core::store::{ChangedMembers, Deletion, LeftGroups, Scope, StoreError, Update, evaluate};
use scim_core::{Resource, ResourceId, Store as _, TenantId, Version};
use scim_filter::{BindOptions, Filter};
use serde_json::{Value, json};
use support::{Client, GROUP, USER, id};

/// The running example, killed at the end.
struct Running(Child, Client);

impl Running {
    fn start() -> Self {
        let mut child = Command::new(support::program("embed_sql")).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.split('\'').find(|part| part.starts_with("http")).unwrap();
        let client = Client::with_token(url.split_once("/Users").unwrap().0, "s3cr3t");
        Self(child, client)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_the_tables_hold_is_filtered_in_sql() {
    let running = Running::start();
    let client = &running.1;
    let made = client.post(
        "/Users",
        json!({"schemas": [USER], "userName": "Straße", "name": {"familyName": "Ångström"}, "externalId": "7",
            "emails": [{"value": "s@home.example", "type": "home"}, {"value": "S@Work.example", "type": "work", "primary": true}]}),
    );
    let made = made.expect(201);
    assert_eq!(client.get(&format!("/Users/{}", id(&made))).expect(200)["emails"], made["emails"]);
    for (filter, count) in [
        ("userName eq \"bjensen\"", 1),
        ("userName eq \"STRASSE\"", 1),
        ("userName sw \"j\" and active eq false", 1),
        ("name.familyName eq \"ÅNGSTRÖM\" and name.givenName eq null", 1),
        ("emails[type eq \"work\" and value ew \"@EXAMPLE.com\"]", 1),
        ("emails[type eq \"home\" and primary eq true]", 0),
        ("emails.type ne \"work\"", 1),
        ("not (emails pr)", 1),
        ("externalId eq \"7\" or meta.created lt \"2011-06-01T00:00:00+02:00\"", 2),
        ("meta.lastModified gt \"2020-01-01T00:00:00Z\"", 1),
        ("userName co \"%\" or userName eq \"'; DROP TABLE users; --\"", 0),
    ] {
        assert_eq!(client.count("/Users", filter), count, "{filter}");
    }
    let sorted = |query: &str| {
        let list = client.get(&format!("/Users?{query}")).expect(200);
        let names = list["Resources"].as_array().unwrap().iter();
        names.map(|it| it["userName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sorted("sortBy=userName&sortOrder=descending"), ["Straße", "jsmith", "BJensen"]);
    // By the primary e-mail address; who has none comes last.
    assert_eq!(sorted("sortBy=emails.value"), ["BJensen", "Straße", "jsmith"]);
    assert_eq!(sorted("sortBy=meta.created&count=1&startIndex=2"), ["jsmith"]);
}

#[test]
fn the_mappings_are_of_attributes_that_there_are() {
    let registry = registry().unwrap();
    for (name, mapping) in [("User", users()), ("Group", groups())] {
        let schema = registry.by_name(name).unwrap();
        assert_eq!(mapping.check(&**schema), Ok(()));
    }
}

#[test]
fn users_change_and_are_members_of_groups() {
    let running = Running::start();
    let client = &running.1;
    let changed = client.patch(
        "/Users/u2",
        json!([
            {"op": "replace", "path": "active", "value": "True"},
            {"op": "replace", "path": "name.familyName", "value": "Smythe"},
            {"op": "add", "path": "emails[type eq \"work\"].value", "value": "john@example.com"},
        ]),
    );
    let changed = changed.expect(200);
    assert_eq!((&changed["active"], &changed["meta"]["version"]), (&json!(true), &json!("W/\"2\"")));
    assert_eq!(client.get("/Users/u2").expect(200), changed);
    assert_eq!(
        client.count("/Users", "emails.value eq \"JOHN@example.com\" and name.familyName eq \"smythe\""),
        1
    );

    let staff = json!({"schemas": [GROUP], "displayName": "Staff", "members": [{"value": "u1"}]});
    let staff = client.post("/Groups", staff).expect(201);
    let path = format!("/Groups/{}", id(&staff));
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "u1"}, {"value": "u2"}]}]);
    assert_eq!(client.patch(&path, add).expect(200)["members"].as_array().unwrap().len(), 2);
    assert_eq!(client.count("/Groups", "members.value eq \"u2\" and displayName eq \"STAFF\""), 1);
    let remove = json!([{"op": "remove", "path": "members[value eq \"u1\"]"}]);
    client.patch(&path, remove).expect(200);
    assert_eq!(client.count("/Groups", "members[value eq \"u1\"]"), 0);
    let before = client.get(&path).expect(200);
    client.delete("/Users/u2").expect(204);
    client.get("/Users/u2").expect(404);
    let after = client.get(&path).expect(200);
    assert_eq!(
        (&before["meta"]["version"], &after["meta"]["version"]),
        (&json!("W/\"3\""), &json!("W/\"4\""))
    );
    assert_eq!(after["members"], Value::Null);
    client.delete(&path).expect(204);
    client.delete(&path).expect(404);
}

#[test]
fn wrong_requests_get_their_status() {
    let running = Running::start();
    let client = &running.1;
    let url = |filter: &str| {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        format!("/Users?filter={filter}")
    };
    let refused = |response: support::Response, status: u16, scim_type: Option<&str>, detail: &str| {
        let body = response.expect(status);
        assert_eq!(body["scimType"].as_str(), scim_type, "{body}");
        assert!(body["detail"].as_str().unwrap().contains(detail), "{body}");
    };
    let invalid = Some("invalidFilter");
    refused(client.get(&url("userName = 'x'")), 400, invalid, "found `=`");
    refused(client.get(&url("title eq \"x\"")), 400, invalid, "title");
    // No column has it, and the store says so.
    refused(client.get(&url("userName pr and meta.version eq \"1\"")), 400, invalid, "`meta.version eq`");
    let taken = json!({"schemas": [USER], "userName": "bJENSEN"});
    refused(client.post("/Users", taken), 409, Some("uniqueness"), "userName");
    refused(client.post("/Users", json!({"schemas": [USER]})), 400, Some("invalidValue"), "userName");
    let members = json!({"schemas": [GROUP], "displayName": "x", "members": [{"value": "nobody"}]});
    refused(client.post("/Groups", members), 400, Some("invalidValue"), "nobody");
    client.delete("/Users/nobody").expect(404);
    let stranger = Client::with_token(client.base(), "wrong");
    stranger.get("/Users").expect(401);
}

/// Users with ties, without values, with letters of all kinds, and with several e-mail addresses.
fn some_user(number: u64) -> Resource {
    let text = |of: &[&str], step: u64| {
        let index = usize::try_from(number / step).unwrap() % of.len();
        Some(of[index].to_owned()).filter(|text| !text.is_empty())
    };
    let family_name = text(&["Ångström", "ångström", "", "Smith", "ß", "SS"], 1);
    let name = Name { family_name, given_name: text(&["", "Ann", "ANN"], 2), ..Name::default() };
    let has_name = name.family_name.is_some() || name.given_name.is_some();
    let email = |step: u64| MultiValued {
        value: text(&["A@example.com", "b@example.com", "", "É@example.com"], step),
        kind: text(&["work", "Work", "home", ""], step),
        primary: [None, Some(true), Some(false)][usize::try_from(number / step).unwrap() % 3],
        ..MultiValued::default()
    };
    let emails = (1..=number % 3).map(email).filter(|email| *email != MultiValued::default()).collect();
    let user = User {
        name: Some(name).filter(|_| has_name),
        active: Some(!number.is_multiple_of(4)),
        emails,
        ..User::new(format!("{}{number}", ["u", "U", "ü", "Ü"][usize::try_from(number).unwrap() % 4]))
    };
    let mut resource = Resource::from(user);
    resource.set_id(&ResourceId::new(format!("{:03}", number * 37 % 101)));
    let time = format!("2026-01-0{}T00:00:00.{:03}Z", number % 3 + 1, number % 2 * 250);
    resource.set_meta(Meta {
        resource_type: Some("User".to_owned()),
        created: Some(time.clone()),
        last_modified: Some(time),
        version: Some(Version(1).to_string()),
        ..Meta::default()
    });
    resource
}

#[tokio::test]
async fn lists_are_those_of_evaluation() {
    let (store, registry) = (Directory::open().await.unwrap(), registry().unwrap());
    let (tenant, other) = (TenantId::new("tests"), TenantId::new("another"));
    let schema = registry.by_name("User").unwrap().as_ref();
    let scope = Scope { tenant: &tenant, schema };
    let users: Vec<Resource> = (0..40).map(some_user).collect();
    for user in &users {
        store.create(scope, user, &[]).await.unwrap();
        let id = user.id().unwrap();
        assert_eq!(store.read(scope, &id, &Default::default()).await.unwrap().as_ref(), Some(user));
        let elsewhere = Scope { tenant: &other, schema };
        assert!(store.read(elsewhere, &id, &Default::default()).await.unwrap().is_none());
    }
    let filters = [
        None,
        Some("name.familyName eq \"ÅNGSTRÖM\" or name.givenName pr and not (active eq true)"),
        Some("emails[type eq \"work\" and value sw \"a@\"] or emails.primary ne true"),
        Some("userName ge \"ü\" and meta.created lt \"2026-01-03T01:00:00+01:00\" and id ne \"037\""),
    ];
    let sorts = [
        None,
        Some("userName"),
        Some("name.familyName"),
        Some("name.givenName"),
        Some("active"),
        Some("emails"),
        Some("emails.type"),
        Some("emails.primary"),
        Some("meta.created"),
    ];
    let mut pages = 0;
    for (filter, sort) in filters.iter().flat_map(|filter| sorts.map(|sort| (filter, sort))) {
        let bind = |text: &str| Filter::parse(text).unwrap().bind(schema, &BindOptions::default()).unwrap();
        for order in ["ascending", "descending"] {
            let sort = Sort::parse(schema, sort, Some(order)).unwrap();
            let query = |start, count| Query {
                filter: filter.map(bind),
                sort: sort.clone(),
                start,
                count,
                ..Query::default()
            };
            for start in [1, 7, 39, 41, usize::MAX] {
                let query = query(Start::Index(start), 10);
                let (page, expected) =
                    (store.query(scope, &query).await.unwrap(), evaluate(schema, &query, &users));
                assert_eq!((page.total, page.resources), (expected.total, expected.resources), "{query:?}");
            }
            // Forward by cursors, and back again.
            let all = store.query(scope, &query(Start::First, 100)).await.unwrap().resources;
            let (mut start, mut found, mut last) = (Start::First, Vec::new(), None);
            loop {
                let page = store.query(scope, &query(start, 7)).await.unwrap();
                pages += 1;
                found.extend(page.resources);
                if let Some(previous) = page.previous {
                    last = Some(previous);
                }
                let Some(next) = page.next else { break };
                start = Start::After(next);
            }
            assert_eq!(found, all);
            let mut found: Vec<Resource> =
                all.iter().skip(all.len().saturating_sub(1) / 7 * 7).cloned().collect();
            while let Some(place) = last {
                let page = store.query(scope, &query(Start::Before(place), 7)).await.unwrap();
                found.splice(0..0, page.resources);
                last = page.previous;
            }
            assert_eq!(found, all);
        }
    }
    assert!(pages > 200, "{pages}");
    let sort = Sort::parse(schema, Some("meta.version"), None).unwrap();
    let refused = store.query(scope, &Query { sort, count: 1, ..Query::default() }).await;
    let Err(StoreError::UnsupportedSort(message)) = refused else { unreachable!("{refused:?}") };
    assert_eq!(message, "`meta.version` cannot be answered: the attribute is not mapped to a column");
}

#[tokio::test]
async fn writes_are_made_on_the_version_they_are_for() {
    let (store, registry) = (Directory::open().await.unwrap(), registry().unwrap());
    let tenant = TenantId::new("tests");
    let scope = Scope { tenant: &tenant, schema: registry.by_name("User").unwrap() };
    let user = some_user(1);
    store.create(scope, &user, &[]).await.unwrap();
    let again = store.create(scope, &user, &[]).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })));
    let other = store.replace(scope, &user, &[], Version(2)).await;
    assert!(matches!(other, Err(StoreError::VersionMismatch)));
    let id = user.id().unwrap();
    let deletion = |expected| Deletion {
        expected,
        groups: &[],
        last_modified: "2026-02-02T00:00:00.000Z",
        left: None,
        members: None,
    };
    assert!(matches!(
        store.delete(scope, &id, &deletion(Some(Version(2)))).await,
        Err(StoreError::VersionMismatch)
    ));
    let elsewhere = TenantId::new("another");
    let elsewhere = Scope { tenant: &elsewhere, ..scope };
    assert!(matches!(store.delete(elsewhere, &id, &deletion(None)).await, Err(StoreError::NotFound)));
    assert!(matches!(store.replace(elsewhere, &user, &[], Version(1)).await, Err(StoreError::NotFound)));
    store.delete(scope, &id, &deletion(Some(Version(1)))).await.unwrap();
    assert!(matches!(store.replace(scope, &user, &[], Version(1)).await, Err(StoreError::NotFound)));
}

/// Who comes into a team and who goes, by a change and by its deletion, and which teams a deleted user left, is noted for
/// the audit trail.
#[tokio::test]
async fn what_only_the_store_knows_of_a_change_is_noted() {
    let (store, registry, tenant) =
        (Directory::open().await.unwrap(), registry().unwrap(), TenantId::new("tests"));
    let scope = |name| Scope { tenant: &tenant, schema: registry.by_name(name).unwrap() };
    let ids: Vec<ResourceId> = (1..4).map(|number| some_user(number).id().unwrap()).collect();
    for number in 1..4 {
        store.create(scope("User"), &some_user(number), &[]).await.unwrap();
    }
    let team = |id: &str, members: &[ResourceId]| {
        let members = members.iter().cloned().map(Member::new).collect();
        let mut team = Resource::from(Group { members, ..Group::new(format!("Team {id}")) });
        team.set_id(&ResourceId::new(id));
        let time = Some("2026-01-01T00:00:00.000Z".to_owned());
        team.set_meta(Meta {
            resource_type: Some("Group".to_owned()),
            created: time.clone(),
            last_modified: time,
            version: Some(Version(1).to_string()),
            ..Meta::default()
        });
        team
    };
    store.create(scope("Group"), &team("t1", &ids[..2]), &[]).await.unwrap();
    store.create(scope("Group"), &team("t2", &ids[..1]), &[]).await.unwrap();
    let named = |noted: &scim_core::audit::MembersNamed| {
        assert_eq!(noted.count, noted.first.len());
        noted.first.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let texts = |ids: &[ResourceId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();

    let members = scope("Group").schema.find(None, "members").unwrap();
    let added = vec![json!({"value": ids[2].as_str()}).into()];
    let change =
        Change { deltas: vec![Delta { replace: true, added, ..Delta::of(members) }], ..Change::default() };
    let noted = ChangedMembers::default();
    let last_modified = "2026-02-02T00:00:00.000Z";
    let update = Update { change: &change, unique: None, last_modified, members: Some(&noted) };
    store.apply(scope("Group"), &ResourceId::new("t1"), &update, None).await.unwrap();
    let told = noted.told().unwrap();
    assert_eq!((named(&told.removed), named(&told.added)), (texts(&ids[..2]), texts(&ids[2..])));

    let group_types = [std::sync::Arc::clone(registry.by_name("Group").unwrap())];
    let (left, members) = (LeftGroups::default(), ChangedMembers::default());
    let deletion = Deletion {
        expected: None,
        groups: &group_types,
        last_modified,
        left: Some(&left),
        members: Some(&members),
    };
    store.delete(scope("User"), &ids[0], &deletion).await.unwrap();
    let told = left.told().unwrap();
    assert_eq!((told.count, &*told.first[0]), (1, "Group/t2"));
    store.delete(scope("Group"), &ResourceId::new("t1"), &deletion).await.unwrap();
    assert_eq!(named(&members.told().unwrap().removed), texts(&ids[2..]));
    assert!(!store.keeps_audit());
}
