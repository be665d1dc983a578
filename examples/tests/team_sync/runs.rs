//! Runs that end by themselves: to look what would be done, and to do it once.

use http::Method;
use scim_profiles::pagerduty::TeamRole;
use serde_json::Value;

use crate::bridge::{Bridge, text};
use crate::idp::{entra_group, entra_member, okta_group, okta_rename, okta_user};
use crate::stand_in::PagerDuty;
use crate::support;

#[test]
fn a_dry_run_says_what_is_to_be_done_and_does_nothing() {
    let pagerduty = PagerDuty::of_the_examples();
    let mut bridge = Bridge::new(&pagerduty).with(&["--deletion", "empty", "--team-role", "manager"]);
    // Nothing is pushed to PagerDuty before the day is over.
    bridge.settle = "100000000";
    let running = bridge.start();
    let emil = okta_user(&running.scim, "emil@example.com");
    okta_group(&running.scim, "Ops", &[&emil]);
    okta_group(&running.scim, "Payments", &[&emil]);
    pagerduty.handle.take_seen();

    // Also while the other process works.
    let output = bridge.run(&["--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let plan = text(&output.stdout);
    for part in
        ["create-team", "Ops", "add-member", "emil@example.com", "PQ9K7I8", "manager", "would be made"]
    {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    // Groups have names in both tables.
    let rows =
        |action: &str| plan.lines().filter(|line| line.starts_with(action)).collect::<Vec<_>>().join("\n");
    assert_eq!(
        rows("create-team").split_whitespace().collect::<Vec<_>>(),
        ["create-team", "Ops", "(new)", "Ops"]
    );
    assert!(rows("add-member ").contains(" Payments "), "{plan}");
    let actions: Vec<Value> = bridge.plan().iter().map(|one| one["action"].clone()).collect();
    assert_eq!(actions.iter().filter(|action| *action == "create-team").count(), 1, "{actions:?}");
    assert_eq!(actions.iter().filter(|action| *action == "add-member").count(), 2, "{actions:?}");
    assert!(pagerduty.handle.take_seen().iter().all(|seen| seen.method == Method::GET));
    assert_eq!(bridge.audit(), [] as [Value; 0]);

    // But two that write are one too many.
    let output = bridge.run(&["--once"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stderr).trim(), "error: another team_sync is at work on `bridge.db`");
    running.stop("-INT");
    bridge.converge();
    let ops = pagerduty.handle.account(|account| account.team_named("Ops").unwrap().clone());
    assert_eq!(ops.description.as_deref(), Some("Created via Scimify for tenant local"));
    assert_eq!(ops.members.iter().map(|member| member.role).collect::<Vec<_>>(), [TeamRole::Manager]);
}

/// Two teams get each other's names in one run, just as the dry run says; and a team that was there before the group
/// that is gone is nothing that is left undone.
#[test]
fn exchanged_names_and_a_team_that_was_there_leave_nothing_undone() {
    let pagerduty = PagerDuty::of_the_examples();
    let mut bridge = Bridge::new(&pagerduty).with(&["--deletion", "delete"]);
    bridge.settle = "100000000";
    let running = bridge.start();
    let emil = okta_user(&running.scim, "emil@example.com");
    let [one, two] = ["One", "Two"].map(|name| okta_group(&running.scim, name, &[]));
    let payments = okta_group(&running.scim, "Payments", &[&emil]);
    running.stop("-TERM");
    bridge.converge();
    let team = |name: &str| pagerduty.handle.account(|account| account.team_named(name).unwrap().id.clone());
    let before = [team("One"), team("Two")];
    let running = bridge.start();
    for (group, name) in [(&one, "Between"), (&two, "One"), (&one, "Two")] {
        okta_rename(&running.scim, group, name);
    }
    running.scim.delete(&format!("/Groups/{payments}")).expect(204);
    running.stop("-TERM");
    let plan = bridge.plan();
    let renames: Vec<&Value> = plan.iter().filter(|one| one["action"] == "rename-team").collect();
    assert_eq!(renames.len(), 3, "{plan:?}");
    let between = renames[0]["to"].as_str().unwrap();
    assert!(
        between.ends_with(&format!(" (being renamed, {})", renames[0]["team"].as_str().unwrap())),
        "{between}"
    );
    for changes in [plan.len(), 0] {
        let output = bridge.run(&["--once"]);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("not deleted: the team was there before"), "{said}");
        assert!(said.contains(&format!(" {changes} changes made, 0 problems")), "{said}");
    }
    assert_eq!([team("Two"), team("One")], before);
    assert!(pagerduty.handle.account(|account| account.team_named(between).is_none()));
}

#[test]
fn cron_takes_what_a_provider_serves() {
    let pagerduty = PagerDuty::of_the_examples();
    let bridge = Bridge::new(&pagerduty);
    let provider = support::Server::start(&bridge.file("bridge.db"), &["--profile", "generic"]);
    let chen = okta_user(&provider.client, "chen@example.com");
    let ops = entra_group(&provider.client, "Ops", &[&chen]);
    // To look leaves nothing in its database.
    assert_eq!(bridge.plan().len(), 2);
    assert_eq!(tables_of_the_bridge(&bridge), 0);
    bridge.converge();
    assert_eq!(tables_of_the_bridge(&bridge), 1);
    assert_eq!(
        pagerduty.handle.account(|account| account.emails_of("Ops")),
        Some(vec!["Chen@Example.com".into()])
    );
    // The provider goes on meanwhile.
    entra_member(&provider.client, &ops, "Remove", &chen);
    bridge.converge();
    assert_eq!(pagerduty.handle.account(|account| account.emails_of("Ops")), Some(Vec::new()));
    provider.stop();
    let actions: Vec<Value> = bridge.audit().iter().map(|line| line["action"].clone()).collect();
    assert_eq!(actions, ["create-team", "add-member", "remove-member"]);
}

fn tables_of_the_bridge(bridge: &Bridge) -> i64 {
    sqlite(bridge, "SELECT count(*) FROM sqlite_schema WHERE name = 'team_sync'")
}

/// A number that the database tells.
pub(crate) fn sqlite(bridge: &Bridge, query: &'static str) -> i64 {
    let file = bridge.file("bridge.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
        sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
    })
}

/// Changes the database beside the program.
pub(crate) fn execute(bridge: &Bridge, statement: &'static str) {
    let file = bridge.file("bridge.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    });
}
