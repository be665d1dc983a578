//! Guards before what is pushed and before what is taken away.

use std::process::Command;

use scim_examples::pagerduty_rest::{Faults, Options};
use scim_profiles::pagerduty::TeamRole;
use serde_json::{Value, json};

use crate::account::people;
use crate::bridge::{Bridge, text, until};
use crate::idp::{okta_group, okta_members, okta_user, okta_user_called};
use crate::runs::{execute, sqlite};
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
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("(guard-member-removals)") && !detail.contains("bridge.db"), "{detail}");
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
    let trail = text(&trail.stdout);
    assert!(trail.contains("guard-member-removals") && trail.contains(&command), "{trail}");
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

/// A role that was raised in PagerDuty is put back, but not that of a protected user: that is said as often as a run
/// finds it, with the whole command that lifts it, and recorded once.
#[test]
fn a_protected_user_gets_no_lower_role() {
    let pagerduty = PagerDuty::start(people(2), Options::default(), Faults::default());
    let bridge = Bridge::new(&pagerduty).with(&["--guard", "guard.toml"]);
    std::fs::write(bridge.file("guard.toml"), "[protected]\nusers = [\"p1@example.com\"]\n").unwrap();
    let running = bridge.start();
    let scim = &running.scim;
    let email = |number: usize| format!("p{number}@example.com");
    let users = [0, 1].map(|number| okta_user_called(scim, &format!("n{number}"), &email(number)));
    okta_group(scim, "Alpha", &[&users[0], &users[1]]);
    let on_team = || pagerduty.handle.account(|account| account.emails_of("Alpha").map(|all| all.len()));
    until("all are there", || on_team() == Some(2));
    running.stop("-TERM");
    pagerduty.handle.account(|account| {
        for number in 0..2 {
            account.add_member("Alpha", &email(number), TeamRole::Manager).unwrap();
        }
    });
    let command =
        format!("`provider guard lift --protected --database {}`", bridge.file("bridge.db").display());
    let told = format!(
        "guarded: the user `p1@example.com` is protected: it cannot get a lower role on a team; an operator lifts \
         that with {command} (guard-protected-user)"
    );
    for _ in 0..2 {
        let output = bridge.run(&["--once"]);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&told), "{said}");
        let roles = pagerduty.handle.account(|account| {
            let ids = [0, 1].map(|number| account.user_with(&email(number)).unwrap().id.clone());
            let members = &account.team_named("Alpha").unwrap().members;
            ids.map(|id| members.iter().find(|member| member.user == id).unwrap().role)
        });
        assert_eq!(roles, [TeamRole::Responder, TeamRole::Manager]);
    }
    let guarded: Vec<Value> =
        bridge.audit().into_iter().filter(|line| line["outcome"] == "guarded").collect();
    let [line] = guarded.as_slice() else { panic!("{guarded:#?}") };
    assert_eq!((&line["rule"], &line["action"]), (&json!("guard-protected-user"), &json!("set-role")));
    assert_eq!((&line["email"], &line["role"]), (&json!("p1@example.com"), &json!("responder")));
}

/// With its team a protected user would leave it: the team of a group that is gone stays, and the refusal has the whole
/// command that lifts it.
#[test]
fn a_team_with_a_protected_user_is_not_deleted() {
    let pagerduty = PagerDuty::start(people(3), Options::default(), Faults::default());
    let bridge = Bridge::new(&pagerduty).with(&["--guard", "guard.toml", "--deletion", "delete"]);
    std::fs::write(bridge.file("guard.toml"), "[protected]\nusers = [\"N1\"]\n").unwrap();
    let running = bridge.start();
    let scim = &running.scim;
    let user =
        |number: usize| okta_user_called(scim, &format!("n{number}"), &format!("p{number}@example.com"));
    let users: Vec<String> = (0..3).map(user).collect();
    let alpha = okta_group(scim, "Alpha", &[&users[0], &users[1]]);
    let beta = okta_group(scim, "Beta", &[&users[0], &users[2]]);
    let on = |team: &str| pagerduty.handle.account(|account| account.emails_of(team).map(|all| all.len()));
    until("all are there", || (on("Alpha"), on("Beta")) == (Some(2), Some(2)));
    for group in [alpha, beta] {
        scim.delete(&format!("/Groups/{group}")).expect(204);
    }
    until("one is gone", || on("Beta").is_none());
    running.stop("-TERM");
    let plan = bridge.run(&["--dry-run"]);
    assert!(text(&plan.stdout).contains("(guard-protected-user)"), "{}", text(&plan.stdout));
    let output = bridge.run(&["--once"]);
    let said = text(&output.stdout);
    assert_eq!((output.status.code(), on("Alpha")), (Some(1), Some(2)), "{said}");
    let database = bridge.file("bridge.db");
    let command = format!("provider guard lift --protected --database {}", database.display());
    let told = format!(
        "guarded: the user `p1@example.com` is protected: a team it is on cannot be deleted; an operator lifts that \
         with `{command}` (guard-protected-user)"
    );
    assert!(said.contains(&told), "{said}");
    let guarded: Vec<Value> =
        bridge.audit().into_iter().filter(|line| line["outcome"] == "guarded").collect();
    let [line] = guarded.as_slice() else { panic!("{guarded:#?}") };
    assert_eq!((&line["rule"], &line["action"]), (&json!("guard-protected-user"), &json!("delete-team")));
    // As it was told.
    let mut words = command.split(' ');
    let mut lift = Command::new(support::program(words.next().unwrap()));
    let output = lift.args(words).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    bridge.converge();
    assert_eq!(on("Alpha"), None);
}

/// A run that ends between the steps by which a refusal is recorded, wherever that is, leaves no line out and makes none
/// twice.
#[test]
fn a_refusal_has_one_line_wherever_a_run_ends() {
    let pagerduty = PagerDuty::start(people(2), Options::default(), Faults::default());
    let bridge = Bridge::new(&pagerduty);
    let running = bridge.start();
    let users: Vec<String> =
        (0..2).map(|number| okta_user(&running.scim, &format!("p{number}@example.com"))).collect();
    let group = okta_group(&running.scim, "Alpha", &[&users[0], &users[1]]);
    until("both are there", || {
        pagerduty.handle.account(|account| account.emails_of("Alpha")).is_some_and(|all| all.len() == 2)
    });
    running.stop("-TERM");
    let mut bridge = bridge.with(&["--guard", "guard.toml"]);
    std::fs::write(bridge.file("guard.toml"), "[protected]\nusers = [\"p0@example.com\"]\n").unwrap();
    bridge.settle = "100000000";
    let running = bridge.start();
    okta_members(&running.scim, &group, &[&users[0]], &[]);
    running.stop("-TERM");
    let guarded =
        || bridge.audit().into_iter().filter(|line| line["outcome"] == "guarded").collect::<Vec<_>>();
    let open = || {
        let notes = sqlite(&bridge, "SELECT count(*) FROM team_sync_guarded");
        (notes, sqlite(&bridge, "SELECT count(*) FROM team_sync_asked"))
    };
    // Before anything of it is kept: each statement of the transaction fails once.
    for (table, action) in [("team_sync_guarded", "INSERT"), ("team_sync_asked", "INSERT")] {
        let trigger = format!(
            "CREATE TRIGGER ends BEFORE {action} ON {table} BEGIN SELECT RAISE(ABORT, 'it ends here'); END"
        );
        execute(&bridge, trigger.leak());
        assert_eq!(bridge.run(&["--once"]).status.code(), Some(2), "{table}");
        execute(&bridge, "DROP TRIGGER ends");
        assert_eq!((guarded().len(), open()), (0, (0, 0)), "{table}");
    }
    // When it is kept, and no line is written.
    let log = bridge.file("audit.jsonl");
    let kept = std::fs::read(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    assert_eq!(bridge.run(&["--once"]).status.code(), Some(2));
    assert_eq!(open(), (1, 1));
    std::fs::remove_file(&log).unwrap();
    std::fs::write(&log, kept).unwrap();
    // When the line is written, and that it was is not.
    execute(
        &bridge,
        "CREATE TRIGGER ends BEFORE DELETE ON team_sync_asked BEGIN SELECT RAISE(ABORT, 'it ends here'); END",
    );
    for _ in 0..2 {
        assert_eq!(bridge.run(&["--once"]).status.code(), Some(2));
        assert_eq!((guarded().len(), open()), (1, (1, 1)));
    }
    execute(&bridge, "DROP TRIGGER ends");
    for _ in 0..2 {
        assert_eq!(bridge.run(&["--once"]).status.code(), Some(1));
        assert_eq!((guarded().len(), open()), (1, (1, 0)));
    }
}
