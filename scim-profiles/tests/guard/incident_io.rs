//! incident.io: roles are lost by leaving groups.

use std::sync::Arc;

use jiff::Timestamp;
use scim_core::{MemoryStore, Store};
use scim_profiles::guard::{Guards, IncidentIoRoles, MemoryLedger, Protected};
use scim_profiles::incident_io::{
    AccessStore, ActiveInSlack, BaseRole, EFFECTIVE_ACCESS, InSlack, Options, RoleMapping,
};
use serde_json::{Value, json};

use crate::server::{GROUP, Server, USER, ceiling, patch};

const ROLE_DOWNGRADES: &str = "guard-role-downgrades";
const DEACTIVATIONS: &str = "guard-deactivations";

fn mapping() -> RoleMapping {
    RoleMapping::new()
        .with_custom_role("Security", ["manage security settings"])
        .unwrap()
        .with_base_role("Owners", BaseRole::Owner)
        .with_base_role("Admins", BaseRole::Admin)
        .with_base_role("Leads", BaseRole::Admin)
        .with_custom_role_of("IT", "Security")
        .unwrap()
        .with_on_call("SRE")
}

fn server(guards: Guards) -> Server {
    server_over(MemoryStore::new(), guards)
}

/// A server that keeps in `store` what groups give.
pub(crate) fn server_over<S: Store>(store: S, guards: Guards) -> Server {
    server_beside(store, guards, MemoryLedger::new())
}

/// The same beside another one that has the ledger.
pub(crate) fn server_beside<S: Store>(store: S, guards: Guards, ledger: MemoryLedger) -> Server {
    server_by(store, guards, ledger, mapping(), ActiveInSlack::default())
}

/// A server where these are active in Slack.
fn server_beside_slack(guards: Guards, mapping: RoleMapping, slack: &[&str]) -> Server {
    server_by(MemoryStore::new(), guards, MemoryLedger::new(), mapping, slack.iter().collect())
}

fn server_by<S: Store>(
    store: S,
    guards: Guards,
    ledger: MemoryLedger,
    mapping: RoleMapping,
    slack: ActiveInSlack,
) -> Server {
    let store = AccessStore::new(store, mapping.clone(), Arc::new(|| Timestamp::UNIX_EPOCH))
        .with_active_in_slack(slack.clone());
    let guards = guards.with_roles(IncidentIoRoles::new(mapping).with_active_in_slack(slack));
    Server::with_ledger("incident-io", store, guards, ledger)
}

pub(crate) async fn role(server: &Server, user: &str) -> Value {
    server.get(&format!("/Users/{user}")).await[EFFECTIVE_ACCESS]["baseRole"].clone()
}

/// Who leaves counts if no other group gives as much; all of a request, by each way there is.
#[tokio::test]
async fn leaving_groups() {
    let server = server(Guards::new().with_role_downgrades(ceiling().with_count(2)));
    let users = server.users(8).await;
    let admins = server.group("Admins", &users[..6]).await;
    let leads = server.group("Leads", &users[..2]).await;
    let path = format!("/Groups/{admins}");
    let sre = server.group("SRE", &users).await;
    let staff = server.group("Staff", &users).await;

    // Nothing is lost: another group gives the same; a seat stays; a group gives nothing.
    assert_eq!(server.leave(&admins, &users[..1]).await, 200);
    assert_eq!(server.leave(&sre, &users).await, 200);
    assert_eq!(server.send("DELETE", &format!("/Groups/{staff}"), Value::Null).await.0, 204);
    // One of two who go has another group.
    assert_eq!(server.leave(&admins, &users[1..3]).await, 200);
    assert_eq!(
        (role(&server, &users[1]).await, role(&server, &users[2]).await),
        (json!("admin"), json!("standard"))
    );

    let members = |ids: &[String]| ids.iter().map(|id| json!({"value": id})).collect::<Vec<_>>();
    for (method, path, body) in [
        ("PATCH", &path, patch(json!([{"op": "remove", "path": "members", "value": members(&users[3..5])}]))),
        (
            "PATCH",
            &path,
            patch(json!([{"op": "replace", "path": "members", "value": members(&users[5..6])}])),
        ),
        ("PATCH", &path, patch(json!([{"op": "remove", "path": "members"}]))),
        ("PATCH", &path, patch(json!([{"op": "replace", "path": "displayName", "value": "Administrators"}]))),
        ("PUT", &path, json!({"schemas": [GROUP], "displayName": "Admins"})),
        ("PUT", &path, json!({"schemas": [GROUP], "displayName": "IT", "members": members(&users[3..6])})),
        ("DELETE", &path, Value::Null),
        ("DELETE", &format!("/Groups/{leads}"), Value::Null),
    ] {
        server.refuses(method, path, body, ROLE_DOWNGRADES).await;
        for user in &users[3..6] {
            assert_eq!(role(&server, user).await, "admin");
        }
    }
    // More is no downgrade: the group comes by a name that gives a higher role.
    let owners = json!([{"op": "replace", "path": "displayName", "value": "Owners"}]);
    assert_eq!(server.patch(&path, owners).await.0, 200);
    assert_eq!(role(&server, &users[3]).await, "owner");
    assert_eq!(server.leave(&admins, &users[3..4]).await, 200, "the second");
    let last = patch(json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", users[4])}]));
    server.refuses("PATCH", &path, last, ROLE_DOWNGRADES).await;
    server.lift(false).await;
    assert_eq!(server.leave(&admins, &users[4..6]).await, 200);
    assert_eq!(role(&server, &users[5]).await, "standard");
}

/// A share of the active users, of a group that ends.
#[tokio::test]
async fn a_share_of_downgrades() {
    let server = server(Guards::new().with_role_downgrades(ceiling().with_share(50, 1).unwrap()));
    let users = server.users(7).await;
    let four = server.group("Admins", &users[..4]).await;
    let three = server.group("IT", &users[4..]).await;
    let path = format!("/Groups/{four}");
    let detail = server.refuses("DELETE", &path, Value::Null, ROLE_DOWNGRADES).await;
    assert!(
        detail.starts_with("no more than 3 role downgrades within 1h, which is 50 % of 7 active users"),
        "{detail}"
    );
    assert_eq!(server.send("DELETE", &format!("/Groups/{three}"), Value::Null).await.0, 204);
}

/// Protected users and roles, where groups give the roles.
#[tokio::test]
async fn protection() {
    for protected in [
        Protected::new().with_user("U0"),
        Protected::new().with_user("1"),
        Protected::new().with_user("ann@Example.com"),
        Protected::new().with_role("admin"),
    ] {
        let server = server(Guards::new().with_protected(protected.clone()));
        let users = server.users(3).await;
        let emails = patch(json!([{"op": "add", "path": "emails", "value": [{"value": "Ann@example.com"}]}]));
        assert_eq!(server.send("PATCH", &format!("/Users/{}", users[0]), emails).await.0, 200);
        let admins = server.group("Admins", &users[..1]).await;
        let it = server.group("IT", &users).await;
        assert_eq!(server.leave(&it, &users[1..2]).await, 200);
        for (method, body) in [
            ("DELETE", Value::Null),
            ("PATCH", patch(json!([{"op": "remove", "path": "members"}]))),
            ("PATCH", patch(json!([{"op": "replace", "path": "displayName", "value": "IT 2"}]))),
        ] {
            let (status, answer) = server.send(method, &format!("/Groups/{admins}"), body).await;
            assert_eq!(status, 403, "{protected:?} {answer}");
            assert!(answer["detail"].as_str().unwrap().contains("the user `u0`"), "{answer}");
        }
        assert_eq!(server.delete_user(&users[0]).await, 403, "{protected:?}");
        assert_eq!(role(&server, &users[0]).await, "admin");
        let name = json!([{"op": "replace", "path": "displayName", "value": "Owners"}]);
        let (renamed, answer) = server.patch(&format!("/Groups/{admins}"), name).await;
        assert_eq!(renamed, 200, "more is no loss, {protected:?}: {answer}");
    }
    // It is said which role, and of whom: the first one, and how many more.
    let server =
        server(Guards::new().with_protected(Protected::new().with_role("Security").with_role("admin")));
    let users = server.users(5).await;
    let it = format!("/Groups/{}", server.group("IT", &users[..3]).await);
    let admins = format!("/Groups/{}", server.group("Admins", &users[3..]).await);
    for (path, subject) in [
        (&it, "the role `Security` of the user `u0` (and one of 2 more users)"),
        (&admins, "the role `admin` of the user `u3` (and one of 1 more user)"),
    ] {
        let detail = server.refuses("DELETE", path, Value::Null, "guard-protected-role").await;
        assert!(
            detail.starts_with(&format!("{subject} is protected: whoever has it cannot lose it; ")),
            "{detail}"
        );
    }
    let known = Guards::new().with_roles(IncidentIoRoles::new(mapping()));
    let unknown =
        known.with_protected(Protected::new().with_role("owner").with_role("Security").with_role("Secure"));
    assert_eq!(unknown.unknown_roles().collect::<Vec<_>>(), ["Secure"]);
}

/// Users by their addresses.
async fn people<const N: usize>(server: &Server, names: [&str; N]) -> [String; N] {
    let mut ids = [const { String::new() }; N];
    for (id, name) in ids.iter_mut().zip(names) {
        let user = json!({"schemas": [USER], "userName": format!("{name}@example.com")});
        *id = server.create("/Users", user).await;
    }
    ids
}

fn assigned(is: bool) -> Value {
    json!([{"op": "replace", "value": {"active": is}}])
}

const SLACK: [&str; 2] = ["ann@example.com", "bo@example.com"];

/// Who stays by Slack is not deactivated, and may be downgraded; who is not assigned loses nothing by groups.
#[tokio::test]
async fn what_is_lost_counts_and_not_what_is_asked_for() {
    let one = ceiling().with_count(1);
    let guards = Guards::new().with_deactivations(one).with_role_downgrades(one);
    let server = server_beside_slack(guards, mapping(), &SLACK);
    let [ann, bo, cy, di] = people(&server, ["ann", "bo", "cy", "di"]).await;
    let admins = server.group("Admins", &[ann.clone(), bo.clone(), cy.clone()]).await;
    let path = |user: &str| format!("/Users/{user}");

    assert_eq!(server.patch(&path(&ann), assigned(false)).await.0, 200, "the first downgrade");
    assert_eq!(role(&server, &ann).await, "standard");
    let put = json!({"schemas": [USER], "userName": "bo@example.com", "active": false});
    server.refuses("PATCH", &path(&bo), patch(assigned(false)), ROLE_DOWNGRADES).await;
    server.refuses("PUT", &path(&bo), put, ROLE_DOWNGRADES).await;
    assert_eq!(role(&server, &bo).await, "admin");
    assert_eq!(server.patch(&path(&cy), assigned(false)).await.0, 200, "the first deactivation");
    server.refuses("PATCH", &path(&di), patch(assigned(false)), DEACTIVATIONS).await;

    assert_eq!(server.leave(&admins, &[ann.clone(), cy.clone()]).await, 200);
    let leaves = json!([{"op": "remove", "path": format!("members[value eq \"{bo}\"]")}]);
    server.refuses("PATCH", &format!("/Groups/{admins}"), patch(leaves), ROLE_DOWNGRADES).await;
    // Who comes back has what groups give by now, and had nothing before.
    assert_eq!(role(&server, &cy).await, "admin");
    assert_eq!(server.patch(&path(&cy), assigned(true)).await.0, 200);
    assert_eq!(role(&server, &cy).await, "standard");
    // A deletion is one also where the person is active elsewhere.
    server.refuses("DELETE", &path(&ann), Value::Null, DEACTIVATIONS).await;
}

/// Who kept a role by Slack loses it when assigned again, without the group.
#[tokio::test]
async fn a_role_that_slack_kept_is_lost_by_an_assignment() {
    let mut options = Options::default();
    options.in_slack = InSlack::Keep;
    let none = Guards::new().with_role_downgrades(ceiling().with_count(0));
    let server = server_beside_slack(none, mapping().with_options(options), &SLACK);
    let [ann, bo] = people(&server, ["ann", "bo"]).await;
    let admins = server.group("Admins", &[ann.clone(), bo.clone()]).await;
    for user in [&ann, &bo] {
        assert_eq!(server.patch(&format!("/Users/{user}"), assigned(false)).await.0, 200);
        assert_eq!(role(&server, user).await, "admin");
    }
    assert_eq!(server.leave(&admins, std::slice::from_ref(&ann)).await, 200);
    server.refuses("PATCH", &format!("/Users/{ann}"), patch(assigned(true)), ROLE_DOWNGRADES).await;
    assert_eq!(role(&server, &ann).await, "admin");
    assert_eq!(server.patch(&format!("/Users/{bo}"), assigned(true)).await.0, 200);
    assert_eq!(role(&server, &bo).await, "admin");
}

/// A share is of those who are active, by Slack or by assignment.
#[tokio::test]
async fn a_share_of_those_who_are_active() {
    let half = ceiling().with_share(50, 1).unwrap();
    let server = server_beside_slack(Guards::new().with_deactivations(half), mapping(), &SLACK);
    let [ann, bo, cy, di] = people(&server, ["ann", "bo", "cy", "di"]).await;
    for user in [&ann, &bo, &cy, &di] {
        assert_eq!(server.patch(&format!("/Users/{user}"), assigned(false)).await.0, 200, "{user}");
    }
    let detail = server.refuses("DELETE", &format!("/Users/{ann}"), Value::Null, DEACTIVATIONS).await;
    assert!(detail.contains("which is 50 % of 4 active users"), "{detail}");
}

/// Protected users may stay by Slack, unless it takes a role from them.
#[tokio::test]
async fn a_protected_user_who_stays() {
    let protected = Protected::new().with_user(SLACK[0]).with_user(SLACK[1]);
    let server = server_beside_slack(Guards::new().with_protected(protected), mapping(), &SLACK);
    let [ann, bo] = people(&server, ["ann", "bo"]).await;
    server.group("Admins", std::slice::from_ref(&bo)).await;
    assert_eq!(server.patch(&format!("/Users/{ann}"), assigned(false)).await.0, 200);
    let (path, body) = (format!("/Users/{bo}"), patch(assigned(false)));
    let detail = server.refuses("PATCH", &path, body, "guard-protected-user").await;
    assert!(detail.contains("it cannot lose a role"), "{detail}");
}
