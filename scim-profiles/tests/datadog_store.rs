//! Datadog behind SCIM: roles, invitations and managed teams, in a service over [`TeamStore`].
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use scim_core::audit::{Audit, Record, Sink, SinkError};
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
use scim_profiles::datadog::{
    self, Datadog, DatadogOptions, Deactivation, Event, OtherEmails, RoleCatalogue, RolesUnsaid, Team,
    TeamEdit, TeamError, TeamMatch, TeamStore,
};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const ADMIN: &str = "11111111-aaaa-11ee-a000-000000000001";
const STANDARD: &str = "11111111-aaaa-11ee-a000-000000000002";
const CUSTOM: &str = "11111111-aaaa-11ee-a000-000000000003";

/// With teams off: with them, groups of one name, which the laws have, are refused.
mod contract {
    use super::{Arc, DatadogOptions, MemoryStore, TeamStore};

    async fn new_store() -> TeamStore<MemoryStore> {
        let options = DatadogOptions::default();
        TeamStore::new(MemoryStore::new(), &options, Arc::new(|| jiff::Timestamp::UNIX_EPOCH))
    }

    scim_core::store_contract!(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        new_store,
        |task| {
            let handle = tokio::spawn(task);
            Box::pin(async { handle.await.unwrap() })
        }
    );
}

fn catalogue() -> RoleCatalogue {
    RoleCatalogue::new()
        .with_role(ADMIN, "Datadog Admin Role")
        .and_then(|roles| roles.with_role(STANDARD, "Datadog Standard Role"))
        .and_then(|roles| roles.with_role(CUSTOM, "Billing"))
        .unwrap()
}

fn with_teams() -> DatadogOptions {
    let mut options = DatadogOptions::default();
    options.teams = true;
    options
}

fn tenant() -> TenantId {
    TenantId::new("acme")
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Record>>>);

impl Sink for Kept {
    fn record(&self, record: &Record) -> Result<(), SinkError> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
}

#[derive(Clone)]
struct Server {
    store: TeamStore<MemoryStore>,
    service: Arc<Service<TeamStore<MemoryStore>, StaticTokens, Datadog>>,
    events: Arc<Mutex<Vec<Event>>>,
    records: Kept,
}

impl Server {
    fn new(options: DatadogOptions) -> Self {
        Self::over(MemoryStore::new(), options, catalogue(), 1)
    }

    fn over(store: MemoryStore, options: DatadogOptions, roles: RoleCatalogue, first_id: u64) -> Self {
        let principal = Principal { tenant: tenant(), credential: CredentialId::new("key") };
        let tokens = StaticTokens::new().with(Secret::new("key").unwrap(), principal);
        let count = AtomicU64::new(first_id);
        let environment = Environment::new(
            || "2026-02-02T02:02:02Z".parse().unwrap(),
            move || ResourceId::new(count.fetch_add(1, Ordering::Relaxed).to_string()),
        );
        let events = Arc::<Mutex<Vec<Event>>>::default();
        let told = Arc::clone(&events);
        let store = TeamStore::new(store, &options, Arc::clone(&environment.now))
            .with_events(move |_, event| told.lock().unwrap().push(event.clone()));
        let config = datadog::config("https://api.example.com/api/v2/scim".parse().unwrap(), &options);
        let records = Kept::default();
        let service = Service::new(store.clone(), tokens, config, environment)
            .with_policy(Datadog::new(options, roles))
            .with_audit(Audit::new(records.clone()));
        Self { store, service: Arc::new(service), events, records }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/api/v2/scim{path}"))
            .header("authorization", "Bearer key")
            .body(body)
            .unwrap();
        let response = self.service.call(request).await;
        let body: Value = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        let status = response.status().as_u16();
        if status >= 400 {
            // The one shape of errors that Datadog has.
            assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["errors"], "{body}");
            assert!(!body["errors"][0].as_str().unwrap().is_empty());
        }
        (status, body)
    }

    async fn create(&self, path: &str, body: Value) -> String {
        let (status, body) = self.send("POST", path, body).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    async fn user(&self, name: &str) -> String {
        self.create("/Users", json!({"schemas": [USER], "userName": format!("{name}@example.com")})).await
    }

    async fn group(&self, name: &str, members: &[&String]) -> String {
        self.create("/Groups", group(name, members)).await
    }

    async fn patch(&self, path: &str, operations: Value) -> (u16, Value) {
        self.send("PATCH", path, json!({"schemas": [PATCH_OP], "Operations": operations})).await
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, Value::Null).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn team(&self, name: &str) -> Team {
        self.store.teams(&tenant()).await.unwrap().into_iter().find(|team| team.name == name).unwrap()
    }

    fn happened(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    fn remarks(&self) -> Vec<String> {
        std::mem::take(&mut *self.records.0.lock().unwrap()).into_iter().flat_map(|r| r.remarks).collect()
    }
}

fn group(name: &str, members: &[&String]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": [GROUP], "displayName": name, "members": members})
}

fn ids(members: &[&String]) -> BTreeSet<ResourceId> {
    members.iter().map(|id| ResourceId::new(id.as_str())).collect()
}

fn role(id: &str, name: &str) -> Value {
    json!({"value": id, "display": name})
}

#[tokio::test]
async fn roles_are_those_of_the_organisation() {
    let server = Server::new(DatadogOptions::default());
    let user = |roles: Value| json!({"schemas": [USER], "userName": "ann@example.com", "roles": roles});
    let asked =
        json!([{"value": "nobody"}, {"value": CUSTOM.to_uppercase(), "type": "slot1"}, {"value": ADMIN}]);
    let id = server.create("/Users", user(asked)).await;
    let path = format!("/Users/{id}");
    let admin = role(ADMIN, "Datadog Admin Role");
    let custom = json!({"value": CUSTOM, "display": "Billing", "type": "slot1"});
    assert_eq!(server.get(&path).await["roles"], json!([admin, custom]));
    assert_eq!(
        server.remarks(),
        ["roles[0].value: `nobody` is no role of the organisation, and is dropped (role-matched)"]
    );

    // The slot of Okta's guide, then roles of which none is one.
    let slot = json!([{"op": "replace", "path": "roles[type eq \"slot1\"].value", "value": STANDARD}]);
    assert_eq!(server.patch(&path, slot).await.0, 200);
    let standard = json!({"value": STANDARD, "display": "Datadog Standard Role", "type": "slot1"});
    assert_eq!(server.get(&path).await["roles"], json!([admin, standard]));
    assert_eq!(server.remarks(), [""; 0]);
    let (status, changed) =
        server.send("PUT", &path, user(json!([{"display": "Admin"}, {"value": "x"}]))).await;
    let default = role(STANDARD, "Datadog Standard Role");
    assert_eq!((status, &changed["roles"]), (200, &json!([default])));
    assert_eq!(
        server.remarks(),
        [
            "roles[0]: has no value, and is dropped (role-matched)",
            "roles[1].value: `x` is no role of the organisation, and is dropped (role-matched)",
            "roles: none matches, and `Datadog Standard Role` takes their place (role-default)",
        ]
    );

    // Who does not map roles does not take them away.
    let (_, _) = server.send("PUT", &path, user(json!([{"value": ADMIN}]))).await;
    let without = json!({"schemas": [USER], "userName": "ann@example.com", "title": "Guide"});
    assert_eq!(server.send("PUT", &path, without).await.1["roles"], json!([admin]));
    let (status, body) = server.patch(&path, json!([{"op": "replace", "path": "roles", "value": []}])).await;
    assert_eq!((status, &body["roles"]), (200, &json!([default])));
    // "'roles' should be object"
    let texts = server.send("POST", "/Users", json!({"userName": "b@example.com", "roles": [ADMIN]})).await;
    assert_eq!(texts.0, 400, "{}", texts.1);
}

/// What the organisation has no longer goes when roles are asked for, and then it is said.
#[tokio::test]
async fn roles_that_are_not_changed_stay() {
    let store = MemoryStore::new();
    let server = Server::over(store.clone(), DatadogOptions::default(), catalogue(), 1);
    let user = |roles: Value| json!({"schemas": [USER], "userName": "ann@example.com", "roles": roles});
    let id = server.create("/Users", user(json!([{"value": ADMIN}, {"value": CUSTOM}]))).await;
    let path = format!("/Users/{id}");
    let (admin, custom) = (role(ADMIN, "Datadog Admin Role"), role(CUSTOM, "Billing"));
    let both = json!([admin, custom]);

    let fewer = RoleCatalogue::new().with_role(ADMIN, "Datadog Admin Role").unwrap();
    let server = Server::over(store, DatadogOptions::default(), fewer, 1000);
    let (status, body) =
        server.patch(&path, json!([{"op": "replace", "path": "title", "value": "Guide"}])).await;
    assert_eq!((status, &body["roles"]), (200, &both));
    let mut same = user(both.clone());
    same["title"] = "Lead".into();
    let (status, body) = server.send("PUT", &path, same).await;
    assert_eq!((status, &body["roles"], &body["title"]), (200, &both, &json!("Lead")));
    let without = json!({"schemas": [USER], "userName": "ann@example.com"});
    assert_eq!(server.send("PUT", &path, without).await.1["roles"], both);
    assert_eq!(
        server.patch(&path, json!([{"op": "add", "value": {"active": false}}])).await.1["roles"],
        both
    );
    assert_eq!(server.remarks(), [""; 0]);

    let slot =
        json!([{"op": "replace", "path": format!("roles[value eq \"{ADMIN}\"].type"), "value": "slot1"}]);
    let (status, body) = server.patch(&path, slot).await;
    let slotted = json!({"value": ADMIN, "display": "Datadog Admin Role", "type": "slot1"});
    assert_eq!((status, &body["roles"]), (200, &json!([slotted])));
    let dropped =
        format!("roles[1].value: `{CUSTOM}` is no role of the organisation, and is dropped (role-matched)");
    assert_eq!(server.remarks(), [dropped]);
}

#[tokio::test]
async fn whom_no_role_matches_gets_the_default_if_there_is_one() {
    let user = json!({"schemas": [USER], "userName": "ann@example.com", "roles": [{"value": "x"}]});
    let chosen = catalogue().with_default(CUSTOM).unwrap();
    for (roles, expected, remark) in [
        (
            chosen,
            json!([role(CUSTOM, "Billing")]),
            "roles: none matches, and `Billing` takes their place (role-default)",
        ),
        (
            catalogue().without_default(),
            Value::Null,
            "roles: none matches, and there is no default (role-default)",
        ),
        (RoleCatalogue::new(), Value::Null, "roles: none matches, and there is no default (role-default)"),
    ] {
        let server = Server::over(MemoryStore::new(), DatadogOptions::default(), roles, 1);
        let id = server.create("/Users", user.clone()).await;
        assert_eq!(server.get(&format!("/Users/{id}")).await["roles"], expected);
        assert_eq!(server.remarks().last().unwrap(), remark);
        // A user of whom nothing is said gets it too, and that needs no remark.
        let id = server.user("bea").await;
        assert_eq!(server.get(&format!("/Users/{id}")).await["roles"], expected);
        assert_eq!(server.remarks(), [""; 0]);
    }
}

#[tokio::test]
async fn users_are_found_and_changed_as_documented_and_no_other_way() {
    let server = Server::new(with_teams());
    let ann = server.user("ann").await;
    let team = server.group("SRE", &[&ann]).await;
    let found = |list: Value| list["totalResults"].as_u64().unwrap();
    for (path, count) in [
        ("/Users?filter=userName%20eq%20%22ANN%40example.com%22", 1),
        ("/Groups?filter=displayName+eq+%22SRE%22", 1),
        ("/Groups?filter=externalId+eq+%22x%22", 0),
        (&format!("/Groups?filter=id+eq+%22{team}%22+and+members+eq+%22{ann}%22"), 1),
        (&format!("/Groups?filter=members+eq+%22{ann}%22+and+id+eq+%22{team}%22"), 1),
        (&format!("/Groups?filter=members+eq+%22nobody%22+and+id+eq+%22{team}%22"), 0),
    ] {
        assert_eq!(found(server.get(path).await), count, "{path}");
    }
    for path in [
        "/Users?filter=userName%20sw%20%22ann%22",
        "/Users?filter=externalId%20eq%20%22x%22",
        "/Users?filter=userName%20eq%20%22a%22%20and%20userName%20eq%20%22a%22",
        "/Users?filter=emails%5Btype+eq+%22work%22%5D.value+eq+%22x%22",
        "/Groups?filter=id+eq+%221%22",
        "/Groups?filter=id+eq+%221%22+and+id+eq+%221%22",
        "/Groups?filter=id+eq+%221%22+or+members+eq+%221%22",
        "/Groups?filter=id+eq+%221%22+and+members+eq+%221%22+and+members+eq+%222%22",
        "/Groups?filter=not+(displayName+eq+%22SRE%22)",
        // The reference's placeholders, without quotes: the error says what is missing.
        "/Users?filter=userName%20eq%20ann@example.com",
    ] {
        let (status, body) = server.send("GET", path, Value::Null).await;
        assert_eq!(status, 400, "{path}: {body}");
    }
    let (_, unquoted) =
        server.send("GET", "/Users?filter=userName%20eq%20ann@example.com", Value::Null).await;
    assert!(unquoted["errors"][0].as_str().unwrap().contains("quot"), "{unquoted}");

    let path = format!("/Users/{ann}");
    for operations in [
        json!([{"op": "remove", "path": "title"}]),
        json!([{"op": "replace", "path": "title", "value": "x"}, {"op": "Remove", "path": "title"}]),
    ] {
        let (status, body) = server.patch(&path, operations).await;
        assert_eq!(status, 400);
        assert!(body["errors"][0].as_str().unwrap().ends_with("(patch-add-replace)"), "{body}");
    }
    let documented = json!([
        {"op": "replace", "path": "title", "value": "CEO"},
        {"op": "replace", "value": {"name": {"formatted": "John Doe"}}},
    ]);
    assert_eq!(server.patch(&path, documented).await.0, 200);
    let user = server.get(&path).await;
    assert_eq!((&user["title"], &user["name"]), (&json!("CEO"), &json!({"formatted": "John Doe"})));
    assert_eq!(user["meta"]["location"], json!(format!("https://api.example.com/api/v2/scim/Users/{ann}")));
    for (method, path) in [("POST", "/Bulk"), ("GET", "/Me"), ("POST", "/.search"), ("GET", "/Teams")] {
        assert_eq!(server.send(method, path, Value::Null).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn groups_are_there_on_request() {
    let server = Server::new(DatadogOptions::default());
    for (method, path) in [("GET", "/Groups"), ("POST", "/Groups"), ("DELETE", "/Groups/1")] {
        assert_eq!(server.send(method, path, group("SRE", &[])).await.0, 404, "{method} {path}");
    }
    assert_eq!(server.get("/ResourceTypes").await["totalResults"], 1);
    assert_eq!(Server::new(with_teams()).get("/ResourceTypes").await["totalResults"], 2);
}

#[tokio::test]
async fn a_name_that_is_taken_is_answered_as_declared() {
    let server = Server::new(with_teams());
    let (ann, bea) = (server.user("ann").await, server.user("bea").await);
    let taken = json!({"schemas": [USER], "userName": "Ann@example.com"});
    assert_eq!(server.send("POST", "/Users", taken.clone()).await.0, 400);
    assert_eq!(server.send("PUT", &format!("/Users/{bea}"), taken).await.0, 400);
    server.group("SRE", &[&ann]).await;
    let web = format!("/Groups/{}", server.group("Web", &[]).await);
    assert_eq!(server.send("POST", "/Groups", group("sre", &[])).await.0, 400);
    assert_eq!(server.send("PUT", &web, group("SRE", &[])).await.0, 409);
    let rename = json!([{"op": "replace", "value": {"displayName": "SRE"}}]);
    assert_eq!(server.patch(&web, rename).await.0, 400);
    assert_eq!(server.get(&web).await["displayName"], "Web");
    assert_eq!(server.team("Web").await.handle, "web");
    let mut options = with_teams();
    options.duplicate_status = http::StatusCode::CONFLICT;
    let server = Server::new(options);
    server.user("ann").await;
    let taken = json!({"schemas": [USER], "userName": "ann@example.com"});
    assert_eq!(server.send("POST", "/Users", taken).await.0, 409);
}

#[tokio::test]
async fn a_new_user_is_invited_once() {
    let server = Server::new(DatadogOptions::default());
    let id = server.user("ann").await;
    let mut body = json!({"schemas": [USER], "userName": "bea", "emails": [
        {"value": "b@example.com", "type": "work"},
        {"value": "bea@example.com", "type": "work", "primary": true},
    ]});
    let bea = server.create("/Users", body.clone()).await;
    let invited = |user: &str, email: &str| Event::Invited {
        user: ResourceId::new(user),
        email: Some(email.to_owned()),
    };
    assert_eq!(server.happened(), [invited(&id, "ann@example.com"), invited(&bea, "bea@example.com")]);
    body["title"] = json!("Guide");
    assert_eq!(server.send("PUT", &format!("/Users/{bea}"), body.clone()).await.0, 200);
    assert_eq!(server.send("POST", "/Users", body).await.0, 400);
    assert_eq!(server.happened(), []);
}

#[tokio::test]
async fn deactivating_keeps_the_user_or_not() {
    for (deactivation, status, after) in [(Deactivation::Keep, 200, 200), (Deactivation::Remove, 204, 404)] {
        let mut options = with_teams();
        options.deactivation = deactivation;
        let server = Server::new(options);
        let ann = server.user("ann").await;
        let sre = server.group("SRE", &[&ann]).await;
        let path = format!("/Users/{ann}");
        let leave = json!([{"op": "replace", "value": {"active": false}}]);
        assert_eq!(server.patch(&path, leave).await.0, status);
        assert_eq!(server.send("GET", &path, Value::Null).await.0, after);
        let members = if after == 200 { ids(&[&ann]) } else { ids(&[]) };
        assert_eq!(server.team("SRE").await.members, members);
        if after == 200 {
            let back = json!([{"op": "replace", "value": {"active": true}}]);
            assert_eq!(server.patch(&path, back).await.1["active"], true);
            assert_eq!(server.send("DELETE", &path, Value::Null).await.0, 204);
            assert_eq!(server.team("SRE").await.members, ids(&[]));
        }
        assert_eq!(server.get(&format!("/Groups/{sre}")).await["members"], Value::Null);
    }
}

/// The reference knows addresses of type `work` alone: another is refused, or dropped where that is said.
#[tokio::test]
async fn other_e_mail_addresses_are_refused_or_dropped() {
    let work = json!({"value": "ann@example.com", "type": "work", "primary": true});
    let home = json!({"value": "ann@home.example", "type": "home"});
    let plain = json!({"value": "ann@example.org"});
    let user = |emails: Value| json!({"schemas": [USER], "userName": "ann@example.com", "emails": emails});
    let server = Server::new(DatadogOptions::default());
    assert_eq!(server.send("POST", "/Users", user(json!([work, home]))).await.0, 400);

    let mut options = DatadogOptions::default();
    options.other_emails = OtherEmails::Drop;
    let server = Server::new(options);
    let (status, created) = server.send("POST", "/Users", user(json!([home, work, plain]))).await;
    assert_eq!((status, &created["emails"]), (201, &json!([work, plain])), "{created}");
    let dropped = "emails[0].type: is not `work`, and the address is dropped (email-work)";
    assert_eq!(server.remarks(), [dropped]);
    let path = format!("/Users/{}", created["id"].as_str().unwrap());
    let add = json!([{"op": "add", "path": "emails", "value": [home]}]);
    let (status, patched) = server.patch(&path, add).await;
    assert_eq!((status, &patched["emails"]), (200, &json!([work, plain])));
    let (status, replaced) = server.send("PUT", &path, user(json!([home]))).await;
    assert_eq!((status, &replaced["emails"]), (200, &Value::Null));
}

/// What no PUT says of roles is that they stay, or that there is the default one alone.
#[tokio::test]
async fn roles_that_a_put_leaves_out_stay_or_become_the_default() {
    for roles_unsaid in [RolesUnsaid::Keep, RolesUnsaid::Default] {
        let mut options = DatadogOptions::default();
        options.roles_unsaid = roles_unsaid;
        let server = Server::new(options);
        let user = json!({"schemas": [USER], "userName": "ann@example.com", "roles": [{"value": ADMIN}]});
        let id = server.create("/Users", user.clone()).await;
        let path = format!("/Users/{id}");
        let mut put = user;
        put.as_object_mut().unwrap().remove("roles");
        put["title"] = json!("Guide");
        let (status, answer) = server.send("PUT", &path, put.clone()).await;
        let expected = if roles_unsaid == RolesUnsaid::Keep { ADMIN } else { STANDARD };
        assert_eq!((status, &answer["roles"][0]["value"]), (200, &json!(expected)));
        assert_eq!(server.send("PUT", &path, put).await.1["roles"].as_array().map(Vec::len), Some(1));
        // A PATCH of something else says nothing of roles in either case.
        let operation = json!([{"op": "replace", "path": "title", "value": "Lead"}]);
        assert_eq!(server.patch(&path, operation).await.1["roles"][0]["value"], json!(expected));
    }
}

#[tokio::test]
async fn a_group_is_a_team_whose_name_and_members_it_has() {
    let server = Server::new(with_teams());
    let (ann, bea) = (server.user("ann").await, server.user("bea").await);
    server.happened();
    let id = server.group("Platform Leads", &[&ann]).await;
    let team = server.team("Platform Leads").await;
    assert_eq!((team.handle.as_str(), &team.members), ("platform-leads", &ids(&[&ann])));
    assert_eq!(team.group, Some(ResourceId::new(id.as_str())));
    assert_eq!(server.happened(), [Event::TeamCreated { team: team.id.clone() }]);

    // The reference's example.
    let path = format!("/Groups/{id}");
    let operations = json!([
        {"op": "replace", "path": "None", "value": {"displayName": "Real new group", "id": id}},
        {"op": "add", "path": "None", "value": {"members": [{"displayName": "Bea", "value": bea}]}},
        {"op": "remove", "path": format!("members[value eq \"{ann}\"]"), "value": null},
    ]);
    assert_eq!(server.patch(&path, operations).await.0, 200);
    let renamed = server.team("Real new group").await;
    assert_eq!((&renamed.id, renamed.handle.as_str()), (&team.id, "real-new-group"));
    assert_eq!(renamed.members, ids(&[&bea]));
    assert_eq!(server.happened(), []);

    // Elsewhere it is read-only.
    for edit in [
        TeamEdit::Rename("Mine".to_owned()),
        TeamEdit::Join(ResourceId::new(ann.as_str())),
        TeamEdit::Leave(ResourceId::new(bea.as_str())),
    ] {
        let error = server.store.edit(&tenant(), &team.id, &edit).await.unwrap_err();
        assert!(matches!(error, TeamError::Managed), "{error}");
    }
    assert_eq!(server.team("Real new group").await, renamed);

    // Users must exist first, and groups are none.
    let nobody = "nobody".to_owned();
    for member in [&nobody, &id] {
        assert_eq!(server.send("POST", "/Groups", group("Other", &[member])).await.0, 400);
        let join = json!([{"op": "add", "path": "members", "value": [{"value": member}]}]);
        assert_eq!(server.patch(&path, join).await.0, 400);
    }
    assert_eq!(server.store.teams(&tenant()).await.unwrap().len(), 1, "no team of a group that was refused");
}

#[tokio::test]
async fn deleting_a_group_keeps_its_team_which_its_name_links_again() {
    let server = Server::new(with_teams());
    let (ann, bea) = (server.user("ann").await, server.user("bea").await);
    let id = server.group("SRE", &[&ann]).await;
    let team = server.team("SRE").await;
    server.happened();
    assert_eq!(server.send("DELETE", &format!("/Groups/{id}"), Value::Null).await.0, 204);
    assert_eq!(server.happened(), [Event::TeamUnlinked { team: team.id.clone() }]);
    let kept = server.team("SRE").await;
    assert_eq!((&kept.id, kept.is_managed(), &kept.members), (&team.id, false, &ids(&[])));
    // No client sees it, so that Okta finds no match for it.
    assert_eq!(server.get("/Groups?filter=displayName+eq+%22SRE%22").await["totalResults"], 0);
    assert_eq!(server.get("/Groups").await["totalResults"], 0);

    // Somebody looks after it in Datadog meanwhile.
    let edit = TeamEdit::Join(ResourceId::new(ann.as_str()));
    assert_eq!(server.store.edit(&tenant(), &team.id, &edit).await.unwrap().members, ids(&[&ann]));
    let again = server.group("SRE", &[&bea]).await;
    assert_ne!(again, id);
    let linked = server.team("SRE").await;
    assert_eq!((&linked.id, &linked.members), (&team.id, &ids(&[&bea])), "its members are the group's");
    assert_eq!(linked.group, Some(ResourceId::new(again)));
    assert_eq!(server.happened(), [Event::TeamLinked { team: team.id.clone() }]);
    assert_eq!(server.store.teams(&tenant()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_team_that_is_there_is_taken_over_by_name_or_by_handle() {
    let server = Server::new(with_teams());
    let ann = server.user("ann").await;
    let made = server.store.create_team(&tenant(), ResourceId::new("team"), "Cool Group").await.unwrap();
    assert!(!made.is_managed() && made.handle == "cool-group");
    let error = server.store.create_team(&tenant(), ResourceId::new("2"), "cool group").await.unwrap_err();
    assert_eq!(error.to_string(), "another team has the handle `cool-group`");
    // Not exactly the name, and yet the handle: refused.
    let (status, body) = server.send("POST", "/Groups", group("cool group", &[])).await;
    assert_eq!(
        (status, &body["errors"][0]),
        (400, &json!("another resource has the same value of `displayName`"))
    );
    // Nor does a group get it by another name.
    let web = format!("/Groups/{}", server.group("Web", &[]).await);
    assert_eq!(server.send("PUT", &web, group("Cool Group", &[])).await.0, 409);
    server.group("Cool Group", &[&ann]).await;
    let taken_over = server.team("Cool Group").await;
    assert_eq!((taken_over.id.as_str(), taken_over.is_managed()), ("team", true));

    let mut options = with_teams();
    options.team_match = TeamMatch::Handle;
    let server = Server::new(options);
    server.store.create_team(&tenant(), ResourceId::new("team"), "cool group").await.unwrap();
    server.group("Cool Group", &[]).await;
    let taken_over = server.team("Cool Group").await;
    assert_eq!((taken_over.id.as_str(), taken_over.is_managed()), ("team", true));
}

#[tokio::test]
async fn who_is_deleted_is_in_no_team_any_more() {
    let server = Server::new(with_teams());
    let (ann, bea) = (server.user("ann").await, server.user("bea").await);
    server.group("SRE", &[&ann, &bea]).await;
    let own = server.store.create_team(&tenant(), ResourceId::new("own"), "Own").await.unwrap();
    for user in [&ann, &bea] {
        let edit = TeamEdit::Join(ResourceId::new(user.as_str()));
        server.store.edit(&tenant(), &own.id, &edit).await.unwrap();
    }
    assert_eq!(server.send("DELETE", &format!("/Users/{ann}"), Value::Null).await.0, 204);
    for name in ["SRE", "Own"] {
        assert_eq!(server.team(name).await.members, ids(&[&bea]), "{name}");
    }
    let rename = TeamEdit::Rename("sre".to_owned());
    let error = server.store.edit(&tenant(), &own.id, &rename).await.unwrap_err();
    assert!(matches!(error, TeamError::Taken(_)), "{error}");
    let error = server.store.edit(&tenant(), &ResourceId::new("none"), &rename).await.unwrap_err();
    assert!(matches!(error, TeamError::NotFound), "{error}");
}

#[tokio::test]
async fn teams_that_were_missed_are_made_up_for() {
    let memory = MemoryStore::new();
    // Groups that were pushed while they were no teams, and a record whose group never came.
    let mut without = DatadogOptions::default();
    let plain = Server::over(memory.clone(), with_teams(), catalogue(), 1);
    let ann = plain.user("ann").await;
    without.teams = false;
    let raw = TeamStore::new(memory.clone(), &without, Arc::new(|| jiff::Timestamp::UNIX_EPOCH));
    let principal = Principal { tenant: tenant(), credential: CredentialId::new("key") };
    let tokens = StaticTokens::new().with(Secret::new("key").unwrap(), principal);
    let environment = Environment::new(|| jiff::Timestamp::UNIX_EPOCH, || ResourceId::new("old"));
    let config = datadog::config("https://api.example.com/api/v2/scim".parse().unwrap(), &with_teams());
    let service = Service::new(raw, tokens, config, environment).with_policy(Datadog::default());
    let request = http::Request::post("/api/v2/scim/Groups").header("authorization", "Bearer key");
    let body = Bytes::from(group("SRE", &[&ann]).to_string());
    assert_eq!(service.call(request.body(body).unwrap()).await.status(), 201);

    assert!(plain.store.teams(&tenant()).await.unwrap().is_empty());
    assert_eq!(plain.store.synchronise(&tenant()).await.unwrap(), 1);
    assert_eq!(plain.team("SRE").await.members, ids(&[&ann]));
    assert_eq!(plain.store.synchronise(&tenant()).await.unwrap(), 0);
    // The group goes past the store of teams: its team is unmanaged, and taken over by the next of its name.
    let team = plain.team("SRE").await;
    let request = http::Request::delete("/api/v2/scim/Groups/old").header("authorization", "Bearer key");
    assert_eq!(service.call(request.body(Bytes::new()).unwrap()).await.status(), 204);
    assert!(!plain.team("SRE").await.is_managed());
    plain.group("SRE", &[]).await;
    assert_eq!(plain.team("SRE").await.id, team.id);
}

#[tokio::test]
async fn locations_may_be_the_references() {
    let mut options = with_teams();
    options.locations = Some("https://app.datadoghq.com/api/scim/v2".parse().unwrap());
    let server = Server::new(options);
    let ann = server.user("ann").await;
    let user = server.get(&format!("/Users/{ann}")).await;
    let location = format!("https://app.datadoghq.com/api/scim/v2/Users/{ann}");
    assert_eq!(user["meta"]["location"], json!(location));
    let sre = server.group("SRE", &[&ann]).await;
    let group = server.get(&format!("/Groups/{sre}")).await;
    assert_eq!(group["members"], json!([{"value": ann, "$ref": location}]));
    assert_eq!(
        group["meta"]["location"],
        json!(format!("https://app.datadoghq.com/api/scim/v2/Groups/{sre}"))
    );
}

/// Of many groups for one handle, pushed at the same time, one is made, and it has the team.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_groups_for_one_handle_one_is_made() {
    for round in 0..20 {
        let server = Server::new(with_teams());
        let names = ["SRE", "SRE", "S-R-E", "s r e", "sre"];
        let tasks: Vec<_> = names
            .into_iter()
            .map(|name| {
                let server = server.clone();
                tokio::spawn(async move { server.send("POST", "/Groups", group(name, &[])).await.0 })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            made += usize::from(task.await.unwrap() == 201);
        }
        let groups = server.get("/Groups").await;
        assert_eq!(groups["totalResults"], made, "{round}");
        let managed: BTreeSet<String> = server
            .store
            .teams(&tenant())
            .await
            .unwrap()
            .into_iter()
            .filter(Team::is_managed)
            .map(|team| team.handle)
            .collect();
        assert_eq!(managed.len(), made, "{round}: {groups}");
    }
}
