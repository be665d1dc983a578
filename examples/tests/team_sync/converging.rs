//! Whatever goes wrong, the teams are the groups in the end, and each change has its line.

use http::Method;
use scim_examples::pagerduty_rest::{Faults, Options};
use scim_profiles::pagerduty::TeamRole;
use serde_json::Value;
use std::time::Duration;

use crate::account::{everything_goes_wrong, expected, people, teams};
use crate::bridge::{Bridge, until};
use crate::idp::{entra_group, entra_member, okta_group, okta_members, okta_rename, okta_user};
use crate::runs::sqlite;
use crate::stand_in::PagerDuty;

#[test]
fn pushed_groups_become_teams_whatever_goes_wrong() {
    let pagerduty = PagerDuty::start(people(8), Options::default(), everything_goes_wrong(11));
    let bridge = Bridge::new(&pagerduty).with(&["--deletion", "delete"]);
    let written = || {
        let seen = pagerduty.handle.take_seen();
        seen.iter().filter(|one| one.method != Method::GET && one.status.is_success()).count()
    };

    let running = bridge.start();
    let scim = &running.scim;
    let users: Vec<String> =
        (0..8).map(|number| okta_user(scim, &format!("p{number}@example.com"))).collect();
    let of = |numbers: &[usize]| numbers.iter().map(|&number| users[number].as_str()).collect::<Vec<_>>();
    let alpha = okta_group(scim, "Alpha", &of(&[0, 1, 2, 3]));
    let beta = okta_group(scim, "Beta", &of(&[3, 4]));
    let gamma = entra_group(scim, "Gamma", &of(&[5, 6]));
    let delta = entra_group(scim, "Delta", &of(&[7]));
    // In the midst of it the machine goes down, and again.
    let mut writes = 0;
    until("it writes", || {
        writes += written();
        writes >= 3
    });
    running.kill();
    let running = bridge.start();
    let scim = &running.scim;
    okta_rename(scim, &alpha, "Alpha One");
    okta_members(scim, &alpha, &of(&[0]), &of(&[4, 5]));
    until("it writes", || {
        writes += written();
        writes >= 7
    });
    running.kill();
    let running = bridge.start();
    let scim = &running.scim;
    entra_member(scim, &gamma, "Remove", &users[6]);
    entra_member(scim, &gamma, "Add", &users[0]);
    scim.delete(&format!("/Groups/{delta}")).expect(204);
    let (team, somebody) = ("Beta", "p7@example.com");
    until("there is the team", || pagerduty.handle.account(|account| account.team_named(team).is_some()));
    // Somebody is put into a team by hand.
    let by_hand = |account: &mut scim_examples::pagerduty_rest::Account| {
        account.add_member(team, somebody, TeamRole::Manager).unwrap();
    };
    pagerduty.handle.account(by_hand);
    okta_members(scim, &beta, &of(&[3]), &of(&[1]));
    running.stop("-TERM");

    bridge.converge();
    let email = |number: usize| format!("P{number}@Example.com");
    let [p0, p1, p2, p3, p4, p5, p7] = [0, 1, 2, 3, 4, 5, 7].map(email);
    let wanted = expected(&[
        ("Alpha One", &[&p1, &p2, &p3, &p4, &p5]),
        ("Beta", &[&p1, &p4, &p7]),
        ("Gamma", &[&p0, &p5]),
    ]);
    assert_eq!(teams(&pagerduty), wanted);
    let roles = pagerduty.handle.account(|account| {
        let of_team = |team: &str| account.team_named(team).unwrap().members.iter().map(|member| member.role);
        let mut roles: Vec<_> = of_team("Beta").map(TeamRole::as_str).collect();
        roles.sort_unstable();
        roles
    });
    assert_eq!(roles, ["manager", "responder", "responder"]);

    // Another run plans nothing, and makes nothing.
    assert_eq!(bridge.plan(), [] as [Value; 0]);
    written();
    bridge.converge();
    assert_eq!(written(), 0);
    assert_eq!(teams(&pagerduty), wanted);

    let running = bridge.start();
    okta_rename(&running.scim, &gamma, "Gamma Two");
    running.stop("-INT");
    bridge.converge();
    let renamed: Vec<_> = wanted.into_keys().map(|name| name.replace("Gamma", "Gamma Two")).collect();
    assert_eq!(teams(&pagerduty).into_keys().collect::<Vec<_>>(), renamed);

    let audit = bridge.audit();
    has_one_line_each(&audit);
    let has = |action: &str| audit.iter().any(|line| line["action"] == action);
    assert!(has("create-team") && has("add-member") && has("rename-team"), "{audit:?}");
    assert!(audit.iter().all(|line| line["tenant"] == "local" && line["group"].is_string()), "{audit:?}");
    assert!(!audit.iter().any(|line| line["action"] == "remove-member" && line["email"] == somebody));
}

/// No line is there twice.
fn has_one_line_each(audit: &[Value]) {
    let mut ids: Vec<&str> = audit.iter().map(|line| line["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), audit.len(), "{audit:#?}");
}

/// The process is killed whenever, also between a change and its line: after the next start there is one for each.
#[test]
fn every_change_has_one_line_whenever_the_process_is_killed() {
    // So late that a busy machine kills it before it is told.
    let faults = Faults { delay: 100, longest_delay: Duration::from_millis(200), ..Faults::default() };
    let pagerduty = PagerDuty::start(people(8), Options::default(), faults);
    let mut bridge = Bridge::new(&pagerduty);
    bridge.settle = "100000000";
    let running = bridge.start();
    let users: Vec<String> =
        (0..8).map(|number| okta_user(&running.scim, &format!("p{number}@example.com"))).collect();
    let all: Vec<&str> = users.iter().map(String::as_str).collect();
    okta_group(&running.scim, "Alpha", &all[..4]);
    okta_group(&running.scim, "Beta", &all[4..]);
    running.stop("-TERM");
    pagerduty.handle.take_seen();
    let mut seen = Vec::new();
    for _ in 0..5 {
        let mut once = bridge.command(&["--once"]).spawn().unwrap();
        // At the very moment at which one has had its effect, which is before it is answered.
        let begun = seen.len();
        until("it writes", || {
            seen.extend(pagerduty.handle.take_seen().into_iter().filter(|one| one.method != Method::GET));
            seen.len() > begun
        });
        once.kill().unwrap();
        once.wait().unwrap();
    }
    pagerduty.handle.set_faults(Faults::default());
    bridge.converge();
    seen.extend(pagerduty.handle.take_seen().into_iter().filter(|one| one.method != Method::GET));
    let audit = bridge.audit();
    has_one_line_each(&audit);
    let paths = |method: &str, path: &str| {
        seen.iter().filter(|one| one.method.as_str() == method && one.path.starts_with(path)).count()
    };
    let lines = |action: &str| audit.iter().filter(|line| line["action"] == action).count();
    assert!(audit.iter().any(|line| line["outcome"] == "unknown"), "{audit:#?}");
    // What was to be asked for when the process was killed, and was not, has a line as well: nobody knows.
    for (asked, told) in
        [(paths("POST", "/teams"), lines("create-team")), (paths("PUT", "/teams/"), lines("add-member"))]
    {
        assert!(asked <= told && told <= asked + 5, "{asked} {told}\n{audit:#?}");
    }
    let asked = sqlite(&bridge, "SELECT count(*) FROM team_sync_asked");
    assert_eq!(asked, 0);
}

/// Requests that have their effect when nobody waits for it any more.
#[test]
fn what_has_its_effect_late_is_made_good() {
    let pagerduty = PagerDuty::start(people(6), Options::default(), Faults::default());
    let bridge = Bridge::new(&pagerduty).with(&["--max-attempts", "9", "--look-up", "always"]);
    let running = bridge.start();
    let scim = &running.scim;
    let users: Vec<String> =
        (0..6).map(|number| okta_user(scim, &format!("p{number}@example.com"))).collect();
    let of = |numbers: &[usize]| numbers.iter().map(|&number| users[number].as_str()).collect::<Vec<_>>();
    let alpha = okta_group(scim, "Alpha", &of(&[0, 1, 2]));
    let on = |count: usize| {
        until("they are there", || {
            pagerduty
                .handle
                .account(|account| account.emails_of("Alpha").is_some_and(|all| all.len() == count))
        });
    };
    on(3);
    let late = Faults { late: 50, longest_late: Duration::from_millis(150), seed: 3, ..Faults::default() };
    pagerduty.handle.set_faults(late);
    for _ in 0..4 {
        okta_members(scim, &alpha, &of(&[0, 1, 2]), &of(&[3, 4, 5]));
        std::thread::sleep(Duration::from_millis(120));
        okta_members(scim, &alpha, &of(&[3, 4, 5]), &of(&[0, 1, 2]));
        std::thread::sleep(Duration::from_millis(120));
    }
    okta_members(scim, &alpha, &of(&[0, 1]), &of(&[4]));
    running.stop("-TERM");
    pagerduty.handle.set_faults(Faults::default());
    until("nothing is late any more", || pagerduty.handle.late() == 0);
    bridge.converge();
    bridge.converge();
    let [p2, p4] = [2, 4].map(|number: usize| format!("P{number}@Example.com"));
    assert_eq!(teams(&pagerduty), expected(&[("Alpha", &[&p2, &p4])]));
    has_one_line_each(&bridge.audit());
}
