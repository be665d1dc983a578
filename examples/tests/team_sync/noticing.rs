//! Who comes, leaves or is somebody else by now is noticed.

use std::process::Command;

use http::Method;
use scim_examples::pagerduty_rest::{Faults, Options};
use scim_profiles::pagerduty::TeamRole;
use serde_json::{Value, json};

use crate::account::{everything_goes_wrong, people, teams};
use crate::bridge::{Bridge, text, until};
use crate::idp::{okta_group, okta_members, okta_user};
use crate::runs::sqlite;
use crate::stand_in::{PagerDuty, seed};
use crate::support::{self, GROUP, TOKEN, id};

/// An address that became another user's is noticed by the run that looks up everybody.
#[test]
fn everybody_is_looked_up_from_time_to_time() {
    let pagerduty = PagerDuty::start(people(3), Options::default(), Faults::default());
    for (every, noticed) in [("1000000", false), ("0", true)] {
        let bridge =
            Bridge::new(&pagerduty).with(&["--look-up-every", every, "--adoption", "adopt", "--polls", "1"]);
        let running = bridge.start();
        let user = okta_user(&running.scim, "p0@example.com");
        okta_group(&running.scim, &format!("Team {every}"), &[&user]);
        running.stop("-TERM");
        bridge.converge();
        let before = pagerduty.handle.take_seen();
        assert!(!before.is_empty());
        bridge.converge();
        let looked_up = pagerduty.handle.take_seen().iter().any(|one| one.path == "/users");
        assert_eq!(looked_up, noticed, "{every}");
    }
}

/// What is left undone is said for each, and of the run, which is no success.
#[test]
fn a_run_that_leaves_something_undone_is_logged_as_that() {
    let pagerduty = PagerDuty::of_the_examples();
    let bridge = Bridge::new(&pagerduty);
    let running = bridge.start();
    until("all is done", || running.log.lock().unwrap().contains("PagerDuty is up to date"));
    let nobody = okta_user(&running.scim, "nobody@example.com");
    okta_group(&running.scim, "Ops", &[&nobody]);
    until("it is said", || running.log.lock().unwrap().contains("no PagerDuty user has the e-mail address"));
    let said = running.stop("-TERM");
    let lines = |level: &str, what: &str| {
        said.lines().filter(|line| line.contains(level) && line.contains(what)).count()
    };
    let undone = "PagerDuty is up to date but for what is left undone";
    assert!(lines("WARN", undone) > 0 && lines("INFO", undone) == 0, "{said}");
    assert!(lines("INFO", "PagerDuty is up to date") > 0 && lines("INFO", "problems") == 0, "{said}");
}

/// The whole life of users and groups, as the identity providers play it.
#[test]
fn after_the_life_that_okta_and_entra_play_the_teams_are_the_groups() {
    let pagerduty = PagerDuty::start(seed(), Options::default(), everything_goes_wrong(5));
    let bridge = Bridge::new(&pagerduty).with(&["--deletion", "delete"]);
    let running = bridge.start();
    for (idp, seed) in [("okta", "7"), ("entra", "8")] {
        let played = Command::new(support::program("idp"))
            .args(["--as", idp, "--url", running.scim.base(), "--token", TOKEN, "--profile", "generic"])
            .args(["--users", "4", "--groups", "2", "--seed", seed, "--keep"])
            .output()
            .unwrap();
        assert!(played.status.success(), "{}{}", text(&played.stdout), text(&played.stderr));
    }
    // Some groups are there beside those that the lives left.
    let left = running.scim.get("/Users?count=100").expect(200)["Resources"].clone();
    let ids: Vec<&str> = left.as_array().into_iter().flatten().map(id).collect();
    okta_group(&running.scim, "Last", &ids);
    running.stop("-INT");
    // Those whom PagerDuty did not know come to it now.
    for user in left.as_array().into_iter().flatten() {
        let email = user["emails"][0]["value"].as_str().or(user["userName"].as_str()).unwrap();
        pagerduty.handle.account(|account| {
            if account.user_with(email).is_none() {
                account.add_user(email, email, "user").unwrap();
            }
        });
    }
    bridge.converge();
    assert_eq!(bridge.plan(), [] as [Value; 0]);
    let mut teams: Vec<String> = teams(&pagerduty).into_keys().collect();
    // Those that were there before.
    teams.retain(|name| !name.starts_with("Payments"));
    let running = bridge.start();
    let groups = running.scim.get("/Groups?count=100").expect(200)["Resources"].clone();
    let mut groups: Vec<String> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["displayName"].as_str().unwrap().to_owned())
        .collect();
    groups.sort();
    assert_eq!(teams, groups, "{:#?}", bridge.audit());
    assert!(groups.contains(&"Last".to_owned()));
    running.stop("-TERM");
}

#[test]
fn who_comes_later_or_leaves_is_noticed_and_who_cannot_be_holds_nobody_up() {
    let pagerduty = PagerDuty::of_the_examples();
    let bridge = Bridge::new(&pagerduty).with(&["--every", "1"]);
    let running = bridge.start();
    let scim = &running.scim;
    let emails = ["ada@example.com", "new@example.com", "fay@example.com", "chen@example.com"];
    let users = emails.map(|email| okta_user(scim, email));
    let [ada, new, fay, chen] = users.each_ref().map(String::as_str);
    okta_group(scim, "Ops", &[new, fay, ada]);
    // A team that was there becomes the group's, with those who are on it.
    let payments = okta_group(scim, "Payments", &[chen, ada]);
    let on = |team: &str, email: &str| {
        pagerduty.handle.account(|account| {
            let emails = account.emails_of(team).unwrap_or_default();
            emails.iter().any(|other| other.eq_ignore_ascii_case(email))
        })
    };
    until("who can be is there", || on("Ops", "ada@example.com") && on("Payments", "ada@example.com"));
    let said = |what: &str, email: &str| {
        let log = running.log.lock().unwrap();
        let of_user = |line: &str| line.contains(what) && line.contains(&format!("email=\"{email}\""));
        log.lines().any(|line| of_user(line) && line.contains("group=\"Ops\""))
    };
    until("it is said who cannot", || {
        said("no PagerDuty user has the e-mail address", "new@example.com")
            && said("a stakeholder is on no team", "fay@example.com")
    });
    assert!(on("Payments", "diya@example.com") && !on("Ops", "fay@example.com"));

    // Without any push.
    pagerduty
        .handle
        .account(|account| account.add_user("New", "new@example.com", "limited_user").map(drop))
        .unwrap();
    until("who is new is there", || on("Ops", "new@example.com"));

    // Deactivated, as Okta does it, one is in no group; and who is taken out of a group leaves the team.
    scim.patch(&format!("/Users/{new}"), json!([{"op": "replace", "value": {"active": false}}])).expect(200);
    okta_members(scim, &payments, &[ada, chen], &[]);
    until("who left is gone", || !on("Ops", "new@example.com") && !on("Payments", "ada@example.com"));
    // Those whom the bridge did not add stay.
    let by_hand = ["chen@example.com", "diya@example.com"].map(|email| on("Payments", email));
    assert_eq!(by_hand, [true, true]);
    running.stop("-TERM");

    let output = bridge.run(&["--once"]);
    assert_eq!(output.status.code(), Some(1), "the stakeholder is left: {}", text(&output.stderr));
    assert!(text(&output.stdout).contains("a stakeholder is on no team"), "{}", text(&output.stdout));
    // PagerDuty need not be asked.
    let puts = || {
        let seen = pagerduty.handle.take_seen();
        seen.iter().filter(|seen| seen.method == Method::PUT).count()
    };
    assert!(puts() > 0);
    let output = bridge.run(&["--once", "--stakeholders", "skip"]);
    assert!(text(&output.stdout).contains("a stakeholder is put onto no team"), "{}", text(&output.stdout));
    assert_eq!((output.status.code(), puts()), (Some(1), 0));
}

/// What may be late is remembered for as long as is said; and the role of an admin on a team is set if that is said.
#[test]
fn what_the_documents_leave_open_can_be_had_otherwise() {
    for (options, late, role) in
        [(&[][..], 1, None), (&["--late", "0", "--fixed-roles", "set"], 0, Some(TeamRole::Responder))]
    {
        let mut seed = people(1);
        seed.users[0].role = Some("admin".to_owned());
        let pagerduty = PagerDuty::start(seed, Options::default(), Faults::default());
        let bridge = Bridge::new(&pagerduty).with(options);
        let running = bridge.start();
        let admin = okta_user(&running.scim, "p0@example.com");
        okta_group(&running.scim, "Ops", &[&admin]);
        until("they are there", || {
            pagerduty.handle.account(|account| account.emails_of("Ops")).is_some_and(|all| !all.is_empty())
        });
        running.stop("-TERM");
        bridge.converge();
        let sent = sqlite(&bridge, "SELECT count(*) FROM team_sync WHERE state LIKE '%\"sent\"%'");
        assert_eq!(sent, late, "{options:?}");
        let asked = bridge.audit().into_iter().find(|line| line["action"] == "add-member").unwrap();
        assert_eq!(asked["role"].as_str(), role.map(TeamRole::as_str), "{asked}");
    }
}

/// A group that can never be a team is refused when it is pushed, or else taken and reported by every run.
#[test]
fn a_name_that_no_team_can_have_is_refused_where_it_is_pushed() {
    let pagerduty = PagerDuty::of_the_examples();
    let long = "x".repeat(101);
    let group = json!({"schemas": [GROUP], "displayName": long});
    let bridge = Bridge::new(&pagerduty);
    let running = bridge.start();
    let refused = running.scim.post("/Groups", group.clone()).expect(400);
    assert_eq!(refused["scimType"], "invalidValue");
    let ops = format!("/Groups/{}", okta_group(&running.scim, "Ops", &[]));
    let rename = json!([{"op": "replace", "value": {"displayName": long}}]);
    running.scim.patch(&ops, rename).expect(400);
    running.scim.put(&ops, group.clone()).expect(400);
    running.stop("-TERM");
    bridge.converge();

    let taken = Bridge::new(&pagerduty).with(&["--group-names", "report"]);
    let running = taken.start();
    running.scim.post("/Groups", group).expect(201);
    until("it is said", || running.log.lock().unwrap().contains("the name has 101 characters"));
    running.stop("-TERM");
    assert_eq!(taken.run(&["--once"]).status.code(), Some(1));
}
