//! Deleting somebody by a request, which takes them out of the directory and out of the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
use scim_profiles::incident_io::{
    self, AccessStore, Action, BaseRole, Directory, EFFECTIVE_ACCESS, Group, IncidentIo, Person, Preview,
};
use serde_json::{Value, json};

use super::{actions, directory, installed, mapping, row, user, workspace};

type Server = Service<AccessStore<MemoryStore>, StaticTokens, IncidentIo>;

fn server() -> Server {
    let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("key") };
    let tokens = StaticTokens::new().with(Secret::new("key").unwrap(), principal);
    let count = AtomicU64::new(1);
    let new_id = move || ResourceId::new(count.fetch_add(1, Ordering::Relaxed).to_string());
    let environment = Environment::new(|| jiff::Timestamp::UNIX_EPOCH, new_id);
    let store = AccessStore::new(MemoryStore::new(), mapping(), Arc::clone(&environment.now));
    let config = incident_io::config("https://scim.example.com/scim/v2".parse().unwrap());
    Service::new(store, tokens, config, environment).with_policy(IncidentIo)
}

async fn send(server: &Server, method: &str, path: &str, body: Value) -> Value {
    let request = http::Request::builder().method(method).uri(format!("/scim/v2{path}"));
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let response = server.call(request.header("authorization", "Bearer key").body(body).unwrap()).await;
    assert!(response.status().is_success(), "{method} {path}: {response:?}");
    serde_json::from_slice(response.body()).unwrap_or(Value::Null)
}

/// Behind SCIM the user is gone with their seats; a preview links the user who is there.
#[test]
pub(crate) fn who_is_deleted_and_created_again_begins_anew() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let server = server();
        let ada =
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@example.com"});
        let made = send(&server, "POST", "/Users", ada.clone()).await;
        for name in ["Platform", "SRE"] {
            let schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"];
            let group = json!({"schemas": schemas, "displayName": name, "members": [{"value": made["id"]}]});
            send(&server, "POST", "/Groups", group).await;
        }
        let path = format!("/Users/{}", made["id"].as_str().unwrap());
        let access = |user: &Value| user[EFFECTIVE_ACCESS].clone();
        let had = access(&send(&server, "GET", &path, Value::Null).await);
        assert_eq!((&had["baseRole"], &had["onCallSeat"]), (&json!("owner"), &json!("managed")));
        send(&server, "DELETE", &path, Value::Null).await;
        let again = access(&send(&server, "POST", "/Users", ada).await);
        let anew =
            json!({"active": true, "baseRole": "standard", "responderSeat": false, "onCallSeat": "none"});
        assert_eq!(again, anew);
    });

    let groups: &[(&str, &[&str])] = &[("Platform", &["ada", "bea"]), ("SRE", &["bea"])];
    let start = workspace([user("ada", BaseRole::Owner), user("bea", BaseRole::Standard)]);
    let there = installed(&start, &directory(&["ada", "bea"], groups));
    let person = |id: &str, name: &str| Person {
        id: id.to_owned(),
        email: format!("{name}@example.com"),
        active: true,
    };
    let platform = Group { name: "Platform".into(), members: vec!["ada".into()], ..Group::default() };
    let again = Directory::new(vec![person("ada", "ada"), person("new", "bea")], vec![platform]).unwrap();
    let preview = Preview::new(&there, &again, there.installed().unwrap());
    let expected = vec![Action::Link, Action::Downgrade, Action::ReleaseSeat];
    assert_eq!(actions(&preview)[1], ("bea".to_owned(), expected));
    assert_eq!(row(&preview, "bea").seats.to_string(), "responder + on-call");
}
