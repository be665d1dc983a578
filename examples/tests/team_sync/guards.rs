//! Guards before what is pushed and before what is taken away.

use std::process::Command;

use scim_examples::pagerduty_rest::{Faults, Options};
use serde_json::{Value, json};

use crate::account::people;
use crate::bridge::{Bridge, text, until};
use crate::idp::{okta_group, okta_members, okta_user, okta_user_called};
use crate::stand_in::PagerDuty;
use crate::support;

/// A guard file holds on both sides: what is pushed, and what is taken away in PagerDuty.
#[test]
fn guards_hold_on_both_sides() {
    let pagerduty = PagerDuty::start(people(8), Options::default(), Faults::default());
    let mut bridge = Bridge::new(&pagerduty).with(&["--guard", "guard.toml"]);
    let guard =
        "[member_removals]\nwindow = \"24h\"\ncount = 3\n[team_deletions]\nwindow = \"24h\"\ncount = 0\n";
    std::fs::write(bridge.file("guard.toml"), guard).unwrap();
    let running = bridge.start();
    let scim = &running.scim;
    let users: Vec<String> =
        (0..8).map(|number| okta_user(scim, &format!("p{number}@example.com"))).collect();
    let all: Vec<&str> = users.iter().map(String::as_str).collect();
    let alpha = okta_group(scim, "Alpha", &all);
    let members = || pagerduty.handle.account(|account| account.emails_of("Alpha").unwrap_or_default().len());
    until("all are there", || members() == 8);
    // What is pushed.
    let empty = json!([{"op": "replace", "path": "members", "value": []}]);
    let refused = scim.patch(&format!("/Groups/{alpha}"), empty.clone()).expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("(guard-member-removals)"), "{refused}");
    // What is taken away: somebody lifts the guards, the group is emptied, and they are put back before the team is.
    running.stop("-TERM");
    let lift = |arguments: &[&str]| {
        let mut provider = Command::new(support::program("provider"));
        provider.current_dir(bridge.folder.path()).args(["--database", "bridge.db", "guard"]).args(arguments);
        let output = provider.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    lift(&["lift"]);
    bridge.settle = "100000000";
    let running = bridge.start();
    running.scim.patch(&format!("/Groups/{alpha}"), empty).expect(200);
    running.stop("-TERM");
    lift(&["restore"]);
    let output = bridge.run(&["--once"]);
    assert_eq!((output.status.code(), members()), (Some(1), 8), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("no more than 3 removals from teams within 24h"), "{said}");
    let command = format!("`provider guard lift --database {}`", bridge.file("bridge.db").display());
    assert!(said.contains(&format!("an operator lifts that with {command}")), "{said}");
    let plan = bridge.run(&["--dry-run"]);
    assert!(text(&plan.stdout).contains("(guard-team-removals)"), "{}", text(&plan.stdout));
    let guarded: Vec<Value> =
        bridge.audit().into_iter().filter(|line| line["outcome"] == "guarded").collect();
    assert_eq!(guarded.len(), 8, "{guarded:#?}");
    // It is recorded when it begins, not by each run.
    assert_eq!((bridge.run(&["--once"]).status.code(), members()), (Some(1), 8));
    assert_eq!(bridge.audit().iter().filter(|line| line["outcome"] == "guarded").count(), 8);
    assert_eq!(
        (&guarded[0]["rule"], &guarded[0]["action"]),
        (&json!("guard-team-removals"), &json!("remove-member"))
    );
    // And that of SCIM is in the trail of the database.
    let trail = Command::new(support::program("provider"))
        .current_dir(bridge.folder.path())
        .args(["--database", "bridge.db", "audit"])
        .output()
        .unwrap();
    assert!(text(&trail.stdout).contains("guard-member-removals"), "{}", text(&trail.stdout));
    assert!(support::typed(&said).contains("ceilings are lifted"));
    bridge.converge();
    assert_eq!(members(), 0);

    std::fs::write(bridge.file("guard.toml"), "[team_deletion]\n").unwrap();
    let output = bridge.run(&["--once"]);
    assert!(
        text(&output.stderr).starts_with("error: `guard.toml` does not say what is guarded"),
        "{}",
        text(&output.stderr)
    );
}

/// A user is protected by the userName and by the e-mail address on both sides, where these differ too.
#[test]
fn a_protected_user_is_on_both_sides_by_every_name() {
    let pagerduty = PagerDuty::start(people(4), Options::default(), Faults::default());
    let bridge = Bridge::new(&pagerduty).with(&["--guard", "guard.toml"]);
    let guard = "[protected]\nusers = [\"N0\", \"p1@Example.com\"]\n";
    std::fs::write(bridge.file("guard.toml"), guard).unwrap();
    let running = bridge.start();
    let scim = &running.scim;
    let user =
        |number: usize| okta_user_called(scim, &format!("n{number}"), &format!("p{number}@example.com"));
    let users: Vec<String> = (0..4).map(user).collect();
    let all: Vec<&str> = users.iter().map(String::as_str).collect();
    let alpha = okta_group(scim, "Alpha", &all);
    let members = || pagerduty.handle.account(|account| account.emails_of("Alpha").unwrap_or_default());
    until("all are there", || members().len() == 4);
    okta_members(scim, &alpha, &all[..3], &[]);
    until("one is gone", || members().len() < 4);
    assert_eq!([0, 1, 2].map(|place| scim.delete(&format!("/Users/{}", all[place])).status), [403, 403, 204]);
    running.stop("-TERM");
    let output = bridge.run(&["--once"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(members(), ["P0@Example.com", "P1@Example.com", "P3@Example.com"]);
    let guarded = bridge.audit().into_iter().filter(|line| line["rule"] == "guard-protected-user");
    let mut emails: Vec<String> = guarded.map(|line| line["email"].as_str().unwrap().to_owned()).collect();
    emails.sort_unstable();
    emails.dedup();
    assert_eq!(emails, ["p0@example.com", "p1@example.com"]);
}
