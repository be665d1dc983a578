//! `team_sync` from end to end: what an identity provider pushes over SCIM becomes teams in the stand-in of PagerDuty,
//! whatever goes wrong between.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod stand_in;
mod support;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Method;
use scim_examples::pagerduty_rest::{ApiKey, Faults, Options, Seed, SeedUser};
use scim_profiles::pagerduty::TeamRole;
use serde_json::{Value, json};
use stand_in::{CLIENT_ID, CLIENT_SECRET, KEY, PagerDuty, seed};
use support::{Client, GROUP, TOKEN, USER, id};

const LONG: Duration = Duration::from_secs(60);

/// A database, and `team_sync` over it.
struct Bridge {
    folder: tempfile::TempDir,
    url: String,
    arguments: Vec<String>,
    settle: &'static str,
    environment: Vec<(String, String)>,
}

impl Bridge {
    fn new(pagerduty: &PagerDuty) -> Self {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            folder: tempfile::tempdir().unwrap(),
            url: pagerduty.url.clone(),
            arguments: Vec::new(),
            settle: "20",
            environment: [("SCIM_TOKEN", TOKEN), ("PAGERDUTY_API_KEY", KEY)].map(own).into(),
        }
    }

    fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(support::program("team_sync"));
        for name in ["SCIM_TOKEN", "PAGERDUTY_API_KEY", "PAGERDUTY_CLIENT_SECRET", "RUST_LOG"] {
            command.env_remove(name);
        }
        command
            .current_dir(self.folder.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .args(["--listen", "127.0.0.1:0", "--database", "bridge.db", "--audit-log", "audit.jsonl"])
            .args(["--retry-pause", "4", "--settle", self.settle])
            .args(&self.arguments)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !self.arguments.contains(&"--tenants".to_owned()) {
            command.args(["--api-url", &self.url, "--token-url", &format!("{}/oauth/token", self.url)]);
        }
        command
    }

    fn start(&self) -> Running {
        Running::start(self.command(&[]))
    }

    /// `--once`, or another run that ends by itself.
    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs until nothing is left undone.
    fn converge(&self) {
        let mut last = String::new();
        for _ in 0..20 {
            let output = self.run(&["--once"]);
            last = text(&output.stdout) + &text(&output.stderr);
            match output.status.code() {
                Some(0) => return,
                Some(1) => {}
                code => panic!("{code:?}: {last}"),
            }
        }
        panic!("there is something left to do: {last}");
    }

    /// The changes that a run would make.
    fn plan(&self) -> Vec<Value> {
        let output = self.run(&["--dry-run", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
        assert_eq!(report["end"], "complete", "{report}");
        report["plan"].as_array().unwrap().clone()
    }

    /// The lines of the audit log.
    fn audit(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.file("audit.jsonl")).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A `team_sync` that serves; killed at the end if need be.
struct Running {
    child: Child,
    scim: Client,
    log: Arc<Mutex<String>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (tell, told) = std::sync::mpsc::channel();
        let (errors, kept) = (child.stderr.take().unwrap(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once("base URL ") {
                    let _ = tell.send(url.trim().to_owned());
                }
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let Ok(url) = told.recv_timeout(LONG) else {
            let _ = child.kill();
            panic!("it does not start: {}", log.lock().unwrap());
        };
        Self { child, scim: Client::new(&url), log }
    }

    /// As a machine that loses its power.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As Ctrl-C or a service manager; what it logged.
    fn stop(mut self, signal: &str) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, id.as_str()]).status().unwrap().success());
        until("it stops", || self.child.try_wait().unwrap().is_some());
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{}", self.log.lock().unwrap());
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG, "not in a minute: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A user as Okta creates one; its id.
fn okta_user(scim: &Client, email: &str) -> String {
    let user = json!({
        "schemas": [USER], "userName": email, "name": {"givenName": "A", "familyName": "B"},
        "emails": [{"primary": true, "value": email, "type": "work"}], "displayName": email,
        "locale": "en-US", "externalId": format!("00u-{email}"), "groups": [], "password": "1mz050nq", "active": true,
    });
    id(&scim.post("/Users", user).expect(201)).to_owned()
}

/// A group as Okta pushes one: made without members, which come by a PATCH, with the name again.
fn okta_group(scim: &Client, name: &str, members: &[&str]) -> String {
    let group =
        scim.post("/Groups", json!({"schemas": [GROUP], "displayName": name, "members": []})).expect(201);
    let group = id(&group).to_owned();
    okta_rename(scim, &group, name);
    if !members.is_empty() {
        okta_members(scim, &group, &[], members);
    }
    group
}

fn okta_rename(scim: &Client, group: &str, name: &str) {
    let rename = json!([{"op": "replace", "value": {"id": group, "displayName": name}}]);
    scim.patch(&format!("/Groups/{group}"), rename).expect(200);
}

fn okta_members(scim: &Client, group: &str, leave: &[&str], join: &[&str]) {
    let leave = leave.iter().map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}));
    let added: Vec<_> = join.iter().map(|id| json!({"value": id, "display": "somebody"})).collect();
    let join = (!added.is_empty()).then(|| json!({"op": "add", "path": "members", "value": added}));
    scim.patch(&format!("/Groups/{group}"), leave.chain(join).collect()).expect(200);
}

/// A group as Entra ID pushes one, with the operations of its older kind.
fn entra_group(scim: &Client, name: &str, members: &[&str]) -> String {
    let schema = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
    let group = json!({"schemas": [GROUP, schema], "externalId": format!("ext-{name}"), "displayName": name});
    let group = id(&scim.post("/Groups", group).expect(201)).to_owned();
    for member in members {
        entra_member(scim, &group, "Add", member);
    }
    group
}

fn entra_member(scim: &Client, group: &str, op: &str, member: &str) {
    let change = json!([{"op": op, "path": "members", "value": [{"$ref": null, "value": member}]}]);
    scim.patch(&format!("/Groups/{group}"), change).expect(200);
}

/// The teams, and who is on them.
fn teams(pagerduty: &PagerDuty) -> BTreeMap<String, Vec<String>> {
    pagerduty.handle.account(|account| {
        let names = account.teams().iter().map(|team| team.name.clone());
        names.map(|name| (name.clone(), account.emails_of(&name).unwrap())).collect()
    })
}

fn expected(teams: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let own = |emails: &[&str]| emails.iter().map(|&email| email.to_owned()).collect();
    teams.iter().map(|(name, emails)| ((*name).to_owned(), own(emails))).collect()
}

/// An account with people, without teams.
fn people(count: usize) -> Seed {
    let person = |number: usize| SeedUser {
        id: None,
        name: format!("Person {number}"),
        // In another case than the identity provider has it.
        email: format!("P{number}@Example.com"),
        role: None,
    };
    Seed {
        users: (0..count).map(person).collect(),
        teams: Vec::new(),
        escalation_policies: Vec::new(),
        ..seed()
    }
}

fn everything_goes_wrong(seed: u64) -> Faults {
    Faults {
        seed,
        delay: 20,
        longest_delay: Duration::from_millis(10),
        drop: 8,
        duplicate: 5,
        fail: 8,
        late_roles: Duration::from_millis(20),
        ..Faults::default()
    }
}

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
    let faults = Faults { delay: 100, longest_delay: Duration::from_millis(40), ..Faults::default() };
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
    assert!(said.contains("an operator lifts that with `provider guard lift`"), "{said}");
    let plan = bridge.run(&["--dry-run"]);
    assert!(text(&plan.stdout).contains("(guard-team-removals)"), "{}", text(&plan.stdout));
    let guarded: Vec<Value> =
        bridge.audit().into_iter().filter(|line| line["outcome"] == "guarded").collect();
    assert_eq!(guarded.len(), 8, "{guarded:#?}");
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
    assert!(lift(&["lift"]).contains("ceilings are lifted"));
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
    until("it is said who cannot", || {
        let log = running.log.lock().unwrap();
        log.contains("no PagerDuty user has the e-mail address")
            && log.contains("a stakeholder is on no team")
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
}

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
fn sqlite(bridge: &Bridge, query: &'static str) -> i64 {
    let file = bridge.file("bridge.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
        sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
    })
}

/// Two tenants, each with its credential, its account and its groups; one by OAuth.
#[test]
fn tenants_are_apart_and_secrets_are_told_nowhere() {
    let acme = PagerDuty::of_the_examples();
    let mut other = people(2);
    other.api_keys = vec![ApiKey { key: "key-of-globex".to_owned(), read_only: false, no_licenses: false }];
    let globex = PagerDuty::start(other, Options::default(), Faults::default());
    let mut bridge = Bridge::new(&acme).with(&["--tenants", "tenants.toml"]);
    let secrets = [
        ("ACME_SCIM_TOKEN", "scim-token-of-acme"),
        ("GLOBEX_SCIM_TOKEN", "scim-token-of-globex"),
        ("ACME_PAGERDUTY_SECRET", CLIENT_SECRET),
        ("RUST_LOG", "trace"),
    ];
    bridge.environment = secrets.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    // The key of the other one is in a file, as an editor leaves it.
    std::fs::write(bridge.file("key"), "key-of-globex\n").unwrap();
    let tenants = include_str!("../team-sync/tenants.toml")
        .replace(
            "subdomain =",
            &format!("api_url = \"{0}\"\ntoken_url = \"{0}/oauth/token\"\nsubdomain =", acme.url),
        )
        .replace(
            "api_key_env = \"GLOBEX_PAGERDUTY_KEY\"",
            &format!("api_key_file = \"key\"\napi_url = \"{}\"", globex.url),
        );
    assert!(tenants.contains(CLIENT_ID));
    std::fs::write(bridge.file("tenants.toml"), tenants).unwrap();

    let running = bridge.start();
    let base = running.scim.base().to_owned();
    let of_acme = Client::with_token(&base, "scim-token-of-acme");
    let of_globex = Client::with_token(&base, "scim-token-of-globex");
    running.scim.get("/Groups").expect(401);
    let ada = okta_user(&of_acme, "ada@example.com");
    okta_group(&of_acme, "Ops", &[&ada]);
    let somebody = okta_user(&of_globex, "p0@example.com");
    okta_group(&of_globex, "Dev", &[&somebody]);
    let has = |pagerduty: &PagerDuty, team: &str| pagerduty.handle.account(|account| account.emails_of(team));
    until("both have their teams", || {
        has(&acme, "Ops").is_some_and(|emails| emails.len() == 1)
            && has(&globex, "Dev").is_some_and(|emails| emails.len() == 1)
    });
    assert_eq!((has(&acme, "Dev"), has(&globex, "Ops")), (None, None));
    let description =
        globex.handle.account(|account| account.team_named("Dev").unwrap().description.clone().unwrap());
    assert_eq!(description, "From the identity provider of globex");
    // A token that ends early is replaced.
    acme.handle.revoke_tokens();
    okta_group(&of_acme, "More", &[&ada]);
    until("it goes on", || has(&acme, "More").is_some_and(|emails| emails.len() == 1));

    let said = running.stop("-TERM") + &std::fs::read_to_string(bridge.file("audit.jsonl")).unwrap();
    assert!(said.contains("PagerDuty is up to date"));
    let secrets =
        ["scim-token-of-acme", "scim-token-of-globex", CLIENT_SECRET, "key-of-globex", "pdus+_", "pdus%2B"];
    for secret in secrets {
        let told = said.lines().find(|line| line.contains(secret));
        assert_eq!(told, None, "`{secret}` is told");
    }
    let tenants: Vec<Value> = bridge.audit().iter().map(|line| line["tenant"].clone()).collect();
    assert!(tenants.contains(&json!("acme")) && tenants.contains(&json!("globex")));
}

/// No tenant gets to work on the account of another: by what is left out, by a slip or by a copy.
#[test]
fn a_tenant_has_a_credential_of_its_own() {
    let pagerduty = PagerDuty::of_the_examples();
    let mut bridge = Bridge::new(&pagerduty).with(&["--tenants", "tenants.toml", "--once"]);
    let environment = [
        ("A_TOKEN", "token-a"),
        ("B_TOKEN", "token-b"),
        ("PAGERDUTY_API_KEY", KEY),
        ("PAGERDUTY_CLIENT_SECRET", CLIENT_SECRET),
        ("SAME_KEY", KEY),
        ("SECRET", CLIENT_SECRET),
    ];
    bridge.environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let said = |a: &str, b: &str| {
        let of = |name: &str, token: &str, account: &str| {
            format!(
                "[[tenant]]\nname = \"{name}\"\nscim_token_env = \"{token}\"\n[tenant.pagerduty]\n{account}\n"
            )
        };
        let text = of("a", "A_TOKEN", a) + &of("b", "B_TOKEN", b);
        std::fs::write(bridge.file("tenants.toml"), text).unwrap();
        let output = bridge.run(&[]);
        let said = text_of_error(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(!said.contains(KEY) && !said.contains(CLIENT_SECRET), "{said}");
        said
    };
    let own = "api_key_env = \"PAGERDUTY_API_KEY\"";
    let app = "client_id = \"app\"\nclient_secret_env = \"SECRET\"\nsubdomain = \"acme\"";
    // A default is nobody's own, and neither is half of a credential or two of them.
    for (account, error) in [
        ("", "there is no `api_key_env`, `api_key_file` or `client_id`"),
        ("region = \"eu\"", "there is no `api_key_env`, `api_key_file` or `client_id`"),
        (
            "client_id = \"app\"\nsubdomain = \"b\"",
            "`client_id` needs `client_secret_env` or `client_secret_file`",
        ),
        ("client_id = \"app\"\nclient_secret_env = \"SECRET\"", "`client_id` needs `subdomain`"),
        ("subdomain = \"b\"", "`subdomain` is for an app, and there is no `client_id`"),
        (
            "api_key_env = \"SAME_KEY\"\nsubdomain = \"b\"",
            "`subdomain` is for an app, and there is no `client_id`",
        ),
        (
            "api_key_env = \"SAME_KEY\"\nclient_secret_file = \"b\"",
            "`client_secret_file` is for an app, and there is no `client_id`",
        ),
        (
            "client_id = \"app\"\nsubdomain = \"b\"\napi_key_file = \"key\"",
            "`client_id` and `api_key_file` are two credentials, of which one is to be chosen",
        ),
        (
            "api_key_env = \"SAME_KEY\"\napi_key_file = \"key\"",
            "`api_key_env` and `api_key_file` are both given, and one is needed",
        ),
    ] {
        let prefix = "error: `tenants.toml` is no list of tenants: `tenant.pagerduty` of the tenant `b`: ";
        assert_eq!(said(own, account), format!("{prefix}{error}"));
    }
    // One and the same, wherever it comes from.
    std::fs::write(bridge.file("key"), format!("{KEY}\n")).unwrap();
    let same = "error: the tenants `a` and `b` have the same credential of PagerDuty";
    for (a, b) in [
        (own, "api_key_env = \"SAME_KEY\""),
        (own, "region = \"eu\"\napi_key_file = \"key\""),
        (app, &app.replace("SECRET", "PAGERDUTY_CLIENT_SECRET").replace("acme", "ACME")),
    ] {
        assert_eq!(said(a, b), same);
    }
    // Each with its own gets further.
    let missing = "error: there is no database `bridge.db`";
    assert_eq!(said(own, app), missing);
    assert_eq!(said(app, &app.replace("acme", "globex")), missing);
    // Secrets that were written where they do not belong are not repeated.
    let unknown = said(own, &format!("api_key = \"{KEY}\""));
    let place = "error: `tenants.toml` is no list of tenants: line 10";
    assert!(unknown.starts_with(&format!("{place}: unknown field `api_key`")), "{unknown}");
    assert_eq!(said(own, &format!("deletion = \"{KEY}\"")), format!("{place} cannot be read"));
    assert_eq!(
        said(own, &format!("api_key_env = \"{KEY}\"")),
        "error: tenant `b`: there is no API key: what is given as the name of its variable is not set"
    );
    assert!(pagerduty.handle.take_seen().is_empty());
}

fn text_of_error(output: &Output) -> String {
    text(&output.stderr).trim().to_owned()
}

#[test]
fn what_cannot_begin_says_why() {
    let pagerduty = PagerDuty::of_the_examples();
    let refused = |bridge: &Bridge, arguments: &[&str], error: &str| {
        let output = bridge.run(arguments);
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), said.trim()), (Some(2), format!("error: {error}").as_str()));
    };
    let bridge = Bridge::new(&pagerduty);
    refused(&bridge, &["--once"], "there is no database `bridge.db`");
    let far = ["--dry-run", "--description", "{tenant}"];
    let error =
        "tenant `local`: the description has the placeholder `{tenant}`, and there is only `{tenant_id}`";
    refused(&bridge, &far, error);
    let mut bridge = Bridge::new(&pagerduty);
    bridge.environment.retain(|(name, _)| name != "PAGERDUTY_API_KEY");
    let error = "tenant `local`: there is no API key: set PAGERDUTY_API_KEY, or name a file that has it";
    refused(&bridge, &["--once"], error);
    bridge.environment.push(("PAGERDUTY_API_KEY".to_owned(), "with space".to_owned()));
    let error =
        "tenant `local`: the API access key is empty or has a space or another character that none has";
    refused(&bridge, &["--once"], error);
    assert!(!Path::new(&bridge.file("bridge.db")).exists());

    std::fs::write(bridge.file("tenants.toml"), "[[tenant]]\nname = \"a\"\n").unwrap();
    let bridge = bridge.with(&["--tenants", "tenants.toml"]);
    let output = bridge.run(&["--deletion", "delete"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    let error = "error: the argument '--tenants <FILE>' cannot be used with '--deletion <WHAT>'";
    assert!(said.starts_with(error), "{said}");
    let error = "`tenants.toml` is no list of tenants: the tenant `a` has neither `scim_token_env` nor `scim_token_file`";
    refused(&bridge, &["--once"], error);

    // What PagerDuty refuses is said too, and is no success.
    let mut bridge = Bridge::new(&pagerduty);
    bridge.start().stop("-TERM");
    bridge.environment.retain(|(name, _)| name != "PAGERDUTY_API_KEY");
    bridge.environment.push(("PAGERDUTY_API_KEY".to_owned(), "another-key".to_owned()));
    let running = bridge.start();
    okta_group(&running.scim, "Ops", &[]);
    until("it is said", || running.log.lock().unwrap().contains("PagerDuty does not accept the credential"));
    assert!(!running.stop("-TERM").contains("another-key"));
    assert_eq!(bridge.run(&["--once"]).status.code(), Some(1));
}
