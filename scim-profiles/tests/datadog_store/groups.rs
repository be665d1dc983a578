//! Groups, which are managed teams.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{CredentialId, Environment, MemoryStore, ResourceId, Service};
use scim_profiles::datadog::{
    self, Datadog, DatadogOptions, Event, Handles, Team, TeamEdit, TeamError, TeamMatch, TeamStore,
};
use serde_json::{Value, json};

use crate::server::{Server, catalogue, group, ids, tenant, with_teams};

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
        (
            400,
            &json!(
                "displayName: the handle `cool-group` of this name is that of another team (team-name-taken)"
            )
        )
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

/// How a handle is made of a name is written nowhere, and so is one way or the other.
#[tokio::test]
async fn handles_are_made_of_names_in_one_of_two_ways() {
    let mut runs = with_teams();
    runs.handles = Handles::Runs;
    let store = MemoryStore::new();
    let each = Server::over(store.clone(), with_teams(), catalogue(), 1);
    each.group("Platform Leads (EU)", &[]).await;
    each.store.create_team(&tenant(), ResourceId::new("own"), "Ops & Co.").await.unwrap();
    assert_eq!(each.team("Platform Leads (EU)").await.handle, "platform-leads--eu-");
    assert_eq!(each.team("Ops & Co.").await.handle, "ops---co-");

    for name in ["A-B", "A--B"] {
        each.store.create_team(&tenant(), ResourceId::new(name), name).await.unwrap();
    }

    // By other options from then on: all that there are have the others, unless two would have the same.
    let server = Server::over(store, runs, catalogue(), 100);
    assert_eq!(server.store.synchronise(&tenant()).await.unwrap(), 0);
    assert_eq!(server.team("Platform Leads (EU)").await.handle, "platform-leads-eu");
    assert_eq!(server.team("Ops & Co.").await.handle, "ops-co");
    assert_eq!([server.team("A-B").await.handle, server.team("A--B").await.handle], ["a-b", "a--b"]);
    let edit = TeamEdit::Rename("Ops & Company".to_owned());
    let renamed = server.store.edit(&tenant(), &ResourceId::new("own"), &edit).await.unwrap();
    assert_eq!(renamed.handle, "ops-company");
    // So that another name may be free or taken.
    assert_eq!(server.send("POST", "/Groups", group("(Platform) Leads: EU", &[])).await.0, 400);
    let id = server.group("...", &[]).await;
    assert_eq!(server.team("...").await.handle, "-");
    assert_eq!(server.send("PUT", &format!("/Groups/{id}"), group("Ops, Company", &[])).await.0, 409);
    assert_eq!(server.send("PUT", &format!("/Groups/{id}"), group("Ops, Comp.", &[])).await.0, 200);
    assert_eq!(server.team("Ops, Comp.").await.handle, "ops-comp");
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
    assert_eq!(group["members"], json!([{"value": ann, "type": "User", "$ref": location}]));
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
