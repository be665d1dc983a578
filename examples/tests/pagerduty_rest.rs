//! The stand-in of PagerDuty's REST API: each documented rule over real HTTP.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod stand_in;

use std::time::{Duration, Instant};

use scim_examples::pagerduty_rest::{
    Account, DuplicateNames, Faults, Options, RateLimit, Seed, SeedTeam, SeedUser, UserQuery,
};
use serde_json::{Value, json};
use stand_in::{PagerDuty, Rest, form, seed};

fn team(name: &str) -> Value {
    json!({"team": {"type": "team", "name": name}})
}

fn create(client: &Rest, name: &str) -> String {
    client.post("/teams", team(name)).expect(201)["team"]["id"].as_str().unwrap().to_owned()
}

fn names(list: &Value, of: &str) -> Vec<String> {
    list[of].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_team_lives() {
    let pagerduty = PagerDuty::of_the_examples();
    let client = pagerduty.client();
    let made = client.post(
        "/teams",
        json!({"team": {"type": "team", "name": "Ops", "description": "Made", "default_role": "none"}}),
    );
    let made = made.expect(201)["team"].clone();
    let path = format!("/teams/{}", made["id"].as_str().unwrap());
    assert_eq!(made["id"].as_str().unwrap().len(), 7);
    assert_eq!([&made["summary"], &made["description"], &made["default_role"]], ["Ops", "Made", "none"]);
    assert_eq!(client.get(&path).expect(200)["team"], made);
    let renamed = client.put(&path, team("Operations")).expect(200)["team"].clone();
    assert_eq!(
        [&renamed["name"], &renamed["description"], &renamed["id"]],
        [&json!("Operations"), &json!("Made"), &made["id"]]
    );
    let found = client.get("/teams?query=oPeRat&limit=100&offset=0").expect(200);
    assert_eq!(names(&found, "teams"), ["Operations"]);
    assert_eq!(client.delete(&path).expect(204), Value::Null);
    client.get(&path).refused(404, 6001, "");
    client.put(&path, team("Ops")).refused(404, 6001, "");
    client.delete(&path).refused(404, 6001, "");
    client.get("/schedules").refused(404, 2100, "");
    client.post(&path, team("Ops")).refused(404, 2100, "");
}

#[test]
fn names_and_descriptions_have_their_lengths() {
    let pagerduty = PagerDuty::of_the_examples();
    let client = pagerduty.client();
    // Characters, not bytes.
    create(&client, &"ü".repeat(100));
    let refusals = [
        (team(&"x".repeat(101)), "Name is too long (maximum is 100 characters)"),
        (team(" "), "Name cannot be empty"),
        (json!({"team": {"type": "team"}}), "Name cannot be empty"),
        (json!({"team": {"type": "team", "name": 7}}), "Name must be a string"),
        (json!({"team": {"name": "Ops"}}), "Type must be team"),
        (json!({"team": {"type": "tag", "name": "Ops"}}), "Type must be team"),
        (json!({"name": "Ops"}), "team must be an object"),
        (json!([]), "the request body is no JSON object"),
        (
            json!({"team": {"type": "team", "name": "Ops", "description": "x".repeat(1025)}}),
            "Description is too long (maximum is 1024 characters)",
        ),
        (
            json!({"team": {"type": "team", "name": "Ops", "default_role": "observer"}}),
            "Default role must be manager or none",
        ),
    ];
    for (body, detail) in refusals {
        client.post("/teams", body).refused(400, 2001, detail);
    }
    let long = json!({"team": {"type": "team", "name": "Ops", "description": "x".repeat(1024)}});
    client.post("/teams", long).expect(201);
    let broken = client.send("POST", "/teams", Some("{".to_owned())).unwrap();
    broken.refused(400, 2001, "the request body is no JSON object");
}

#[test]
fn two_teams_have_one_name_where_that_is_allowed() {
    let pagerduty = PagerDuty::of_the_examples();
    let client = pagerduty.client();
    let ops = create(&client, "Ops");
    client.post("/teams", team("Ops")).refused(400, 2001, "Name has already been taken");
    client.put("/teams/PQ9K7I8", team("Ops")).refused(400, 2001, "Name has already been taken");
    // A team may be given the name it has.
    client.put(&format!("/teams/{ops}"), team("Ops")).expect(200);

    let options = Options { duplicate_names: DuplicateNames::Allow, ..Options::default() };
    let pagerduty = PagerDuty::start(seed(), options, Faults::default());
    let client = pagerduty.client();
    assert_ne!(create(&client, "Ops"), create(&client, "Ops"));
    assert_eq!(names(&client.get("/teams?query=Ops").expect(200), "teams"), ["Ops", "Ops"]);
}

#[test]
fn a_team_with_associations_stays() {
    let mut seed = seed();
    let with = |name: &str, services: &[&str], schedules: &[&str], incidents: u32| SeedTeam {
        id: Some(name.to_owned()),
        name: name.to_owned(),
        services: services.iter().map(|&name| name.to_owned()).collect(),
        schedules: schedules.iter().map(|&name| name.to_owned()).collect(),
        incidents,
        ..SeedTeam::default()
    };
    seed.teams.extend([
        with("Serving", &["API"], &[], 0),
        with("Scheduled", &[], &["Nights"], 0),
        with("Burning", &[], &[], 3),
        with("Heir", &[], &[], 1),
    ]);
    let parts = SeedTeam { name: "Part".to_owned(), parent: Some("Heir".to_owned()), ..SeedTeam::default() };
    seed.teams.push(parts);
    let pagerduty = PagerDuty::start(seed, Options::default(), Faults::default());
    let client = pagerduty.client();
    // By an escalation policy, a service, a schedule, a subteam.
    for id in ["PQ9K7I8", "Serving", "Scheduled", "Heir"] {
        client.delete(&format!("/teams/{id}")).refused(400, 6006, "");
    }
    client.delete("/teams/Burning?reassignment_team=Burning").refused(400, 6002, "");
    client.delete("/teams/Burning?reassignment_team=Nobody").refused(400, 6003, "");
    client.delete("/teams/Burning?reassignment_team=Heir").expect(204);
}

#[test]
fn members_come_and_go() {
    let pagerduty = PagerDuty::of_the_examples();
    let client = pagerduty.client();
    let ops = create(&client, "Ops");
    let member = |user: &str| format!("/teams/{ops}/users/{user}");
    assert_eq!(client.put(&member("P0CHEN1"), json!({"role": "responder"})).expect(204), Value::Null);
    // Without a role it is that of the account role, also without a body.
    client.put(&member("P0ADA01"), json!({})).expect(204);
    client.send("PUT", &member("P0EMIL1"), Some(String::new())).unwrap().expect(204);
    let roles = || {
        let list = client.get(&format!("/teams/{ops}/members")).expect(200);
        let members = list["members"].as_array().unwrap().iter();
        let roles: Vec<_> = members.map(|one| format!("{} {}", one["user"]["id"], one["role"])).collect();
        roles.join(", ").replace('"', "")
    };
    assert_eq!(roles(), "P0CHEN1 responder, P0ADA01 manager, P0EMIL1 observer");
    let list = client.get(&format!("/teams/{ops}/members")).expect(200);
    assert_eq!(list["members"][0]["user"]["type"], "user_reference");
    assert_eq!(list["members"][0]["user"]["summary"], "Chen Li");
    // Whoever is there already gets the role, or keeps it.
    client.put(&member("P0CHEN1"), json!({"role": "manager"})).expect(204);
    client.put(&member("P0EMIL1"), json!({})).expect(204);
    assert_eq!(roles(), "P0CHEN1 manager, P0ADA01 manager, P0EMIL1 observer");
    client.delete(&member("P0CHEN1")).expect(204);
    assert_eq!(roles(), "P0ADA01 manager, P0EMIL1 observer");
    let user = client.get("/users/P0ADA01").expect(200)["user"].clone();
    assert_eq!([&user["email"], &user["teams"][0]["summary"]], ["ada@example.com", "Ops"]);

    client.delete(&member("P0CHEN1")).refused(404, 2013, "");
    client.put(&member("PNOBODY"), json!({"role": "manager"})).refused(404, 2013, "");
    client.put("/teams/PNOTEAM/users/P0ADA01", json!({})).refused(404, 6001, "");
    client.delete("/teams/PNOTEAM/users/P0ADA01").refused(404, 6001, "");
    client.get("/teams/PNOTEAM/members").refused(404, 6001, "");
    for role in [json!("owner"), json!(null), json!(1)] {
        let detail = "Role must be observer, responder or manager";
        client.put(&member("P0ADA01"), json!({"role": role})).refused(400, 2001, detail);
    }
    let detail = "User with the read_only_user role cannot be added to a team";
    client.put(&member("P0FAY01"), json!({"role": "observer"})).refused(400, 2001, detail);
}

#[test]
fn who_is_on_an_escalation_policy_of_the_team_stays_in_it() {
    let pagerduty = PagerDuty::of_the_examples();
    let client = pagerduty.client();
    let detail = "User cannot be removed as they belong to an escalation policy on this team";
    client.delete("/teams/PQ9K7I8/users/P0CHEN1").refused(400, 2001, detail);
    client.delete("/teams/PQ9K7I8/users/P0DIYA1").expect(204);
    // In another team the policy does not matter.
    client.put("/teams/P0PARTS/users/P0CHEN1", json!({})).expect(204);
    client.delete("/teams/P0PARTS/users/P0CHEN1").expect(204);
}

#[test]
fn users_are_found() {
    let pagerduty = PagerDuty::of_the_examples();
    let client = pagerduty.client();
    let found = client.get("/users?query=chen%40example.com&limit=100&offset=0").expect(200);
    assert_eq!(found["users"][0]["id"], "P0CHEN1");
    assert_eq!(found["users"][0]["email"], "Chen@Example.com");
    assert_eq!(names(&client.get("/users?query=ADA").expect(200), "users"), ["Ada Lovelace"]);
    assert_eq!(client.get("/users?query=nobody").expect(200)["users"], json!([]));
    client.get("/users/PNOBODY").refused(404, 2013, "");
    let user = client.get("/users/P0FAY01").expect(200)["user"].clone();
    assert_eq!([&user["type"], &user["role"]], ["user", "read_only_user"]);

    // As the API schema says, by name alone.
    let options = Options { user_query: UserQuery::Name, ..Options::default() };
    let pagerduty = PagerDuty::start(seed(), options, Faults::default());
    let client = pagerduty.client();
    assert_eq!(client.get("/users?query=chen%40example.com").expect(200)["users"], json!([]));
    assert_eq!(names(&client.get("/users?query=chen").expect(200), "users"), ["Chen Li"]);
}

#[test]
fn licences_say_how_many_are_left() {
    let pagerduty = PagerDuty::of_the_examples();
    let licenses = pagerduty.client().get("/licenses").expect(200)["licenses"].clone();
    assert_eq!([&licenses[0]["id"], &licenses[0]["role_group"]], ["PIP248G", "FullUser"]);
    assert_eq!([&licenses[0]["current_value"], &licenses[0]["allocations_available"]], [5, 4995]);
    assert_eq!(
        [&licenses[1]["current_value"], &licenses[1]["allocations_available"]],
        [&json!(1), &Value::Null]
    );
    let other = pagerduty.client_with("Token token=read-only-key-of-the-examples");
    other.get("/licenses").refused(403, 2010, "Cannot read license allocations");
}

#[test]
fn lists_come_in_pages_and_end_at_ten_thousand() {
    let users = (0..10_050).map(|number| SeedUser {
        id: Some(format!("P{number:06}")),
        name: format!("User {number:05}"),
        email: format!("u{number}@example.com"),
        role: None,
    });
    let seed = Seed { users: users.collect(), ..seed() };
    let seed = Seed { teams: Vec::new(), escalation_policies: Vec::new(), ..seed };
    let pagerduty = PagerDuty::start(seed, Options::default(), Faults::default());
    let client = pagerduty.client();
    let page = |query: &str| client.get(&format!("/users?{query}")).expect(200);
    let told = |list: &Value| ["limit", "offset", "more", "total"].map(|name| list[name].clone());
    let first = page("");
    assert_eq!(names(&first, "users").len(), 25);
    assert_eq!(told(&first), [json!(25), json!(0), json!(true), Value::Null]);
    let last = page("limit=100&offset=9900&total=true");
    assert_eq!(names(&last, "users").len(), 100);
    assert_eq!(told(&last), [json!(100), json!(9900), json!(true), json!(10_050)]);
    let detail = "offset and limit must not exceed 10000 together";
    client.get("/users?limit=100&offset=9901").refused(400, 2001, detail);
    client.get("/users?offset=18446744073709551615").refused(400, 2001, detail);
    for query in ["limit=0", "limit=101"] {
        client.get(&format!("/users?{query}")).refused(400, 2001, "limit must be from 1 to 100");
    }
    client.get("/users?limit=ten").refused(400, 2001, "limit must be a number");
    client.get("/users?offset=-1").refused(400, 2001, "offset must be a number");
    // What a query leaves is counted, and the end is told.
    let found = page("query=User%20000&limit=60&offset=60&total=true");
    assert_eq!(names(&found, "users").first().unwrap(), "User 00060");
    assert_eq!(told(&found), [json!(60), json!(60), json!(false), json!(100)]);
}

#[test]
fn requests_are_counted() {
    let limit = |requests, seconds| {
        let rate_limit = RateLimit { requests, window: Duration::from_secs(seconds) };
        Options { rate_limit, ..Options::default() }
    };
    let pagerduty = PagerDuty::start(seed(), limit(3, 60), Faults::default());
    let client = pagerduty.client();
    let told = |answer: &stand_in::Answer| {
        ["ratelimit-limit", "ratelimit-remaining"].map(|name| answer.header(name).unwrap().to_owned())
    };
    for remaining in ["2", "1", "0"] {
        let answer = client.get("/teams");
        assert_eq!(told(&answer), ["3", remaining]);
        answer.expect(200);
    }
    let answer = client.post("/teams", team("Ops"));
    assert_eq!(told(&answer), ["3", "0"]);
    let reset: u64 = answer.header("ratelimit-reset").unwrap().parse().unwrap();
    assert!((1..=60).contains(&reset));
    assert_eq!(answer.expect(429), json!({"error": {"message": "Rate Limit Exceeded", "code": 2020}}));
    assert!(pagerduty.handle.account(|account| account.team_named("Ops").is_none()));
    // Each credential is counted by itself, and who is nobody is not counted.
    pagerduty.client_with("Token token=read-only-key-of-the-examples").get("/teams").expect(200);
    assert!(pagerduty.client_with("Token token=x").get("/teams").header("ratelimit-limit").is_none());

    let pagerduty = PagerDuty::start(seed(), limit(1, 1), Faults::default());
    let client = pagerduty.client();
    client.get("/teams").expect(200);
    std::thread::sleep(Duration::from_secs(1));
    client.get("/teams").expect(200);

    let bare = Options { bare_429: true, ..limit(1, 60) };
    let pagerduty = PagerDuty::start(seed(), bare, Faults::default());
    let client = pagerduty.client();
    client.get("/teams").expect(200);
    let bare = client.get("/teams");
    assert!(bare.header("ratelimit-reset").is_none());
    assert_eq!(bare.expect(429), Value::Null);
}

#[test]
fn credentials_are_checked() {
    let pagerduty = PagerDuty::of_the_examples();
    for wrong in
        ["Token token=", "Token token=other", "Token key-of-the-examples", "Bearer key-of-the-examples", "x"]
    {
        pagerduty.client_with(wrong).get("/teams").refused(401, 2006, "");
        pagerduty.client_with(wrong).get("/nothing").refused(401, 2006, "");
    }
    let reader = pagerduty.client_with("Token token=read-only-key-of-the-examples");
    reader.get("/teams").expect(200);
    reader.post("/teams", team("Ops")).refused(403, 2010, "the API key is read-only");
    let mut seed = seed();
    seed.abilities.clear();
    let pagerduty = PagerDuty::start(seed, Options::default(), Faults::default());
    let detail = "the account has no ability `teams`";
    pagerduty.client().post("/teams", team("Ops")).refused(402, 2014, detail);
    pagerduty.client().get("/teams").expect(200);
}

#[test]
fn tokens_have_scopes_and_an_end() {
    let pagerduty = PagerDuty::of_the_examples();
    let anyone = pagerduty.client_with("x");
    // Scopes that are unknown are dropped without a word, and so is the old name of another account.
    let wanted = "as_account-us.acme as_account-eu.acme teams.read teams.wirte users.read";
    let (token, granted) = anyone.token(wanted);
    assert!(token.starts_with("pdus+_"));
    assert_eq!(granted, "as_account-us.acme teams.read users.read");
    let app = pagerduty.client_with(&format!("Bearer {token}"));
    app.get("/teams").expect(200);
    app.get("/users").expect(200);
    app.post("/teams", team("Ops")).refused(403, 2010, "the token has no scope teams.write");
    app.get("/licenses").refused(403, 2010, "the token has no scope licenses.read");
    let (nowhere, _) = anyone.token("as_account-eu.acme teams.read");
    let nowhere = pagerduty.client_with(&format!("Bearer {nowhere}"));
    nowhere.get("/teams").refused(403, 2010, "the token has no scope as_account-us.acme");

    let ask = |body: String| anyone.send("POST", "/oauth/token", Some(body)).unwrap();
    assert_eq!(ask(form("other", wanted)).expect(401), json!({"error": "invalid_client"}));
    assert_eq!(ask("grant_type=password".to_owned()).expect(400), json!({"error": "unsupported_grant_type"}));
    assert_eq!(ask(String::new()).expect(400), json!({"error": "invalid_request"}));
    anyone.send("GET", "/oauth/token", None).unwrap().expect(405);

    pagerduty.handle.revoke_tokens();
    app.get("/teams").refused(401, 2006, "");
    let (token, _) = anyone.token("as_account-us.acme teams.write");
    pagerduty.client_with(&format!("Bearer {token}")).post("/teams", team("Ops")).expect(201);

    let options = Options { token_lifetime: Duration::from_secs(1), ..Options::default() };
    let pagerduty = PagerDuty::start(seed(), options, Faults::default());
    let (token, _) = pagerduty.client_with("x").token("as_account-us.acme teams.read");
    std::thread::sleep(Duration::from_secs(1));
    pagerduty.client_with(&format!("Bearer {token}")).get("/teams").refused(401, 2006, "");
}

#[test]
fn roles_are_told_late() {
    let late = |milliseconds| Faults { late_roles: Duration::from_millis(milliseconds), ..Faults::default() };
    let pagerduty = PagerDuty::start(seed(), Options::default(), late(60_000));
    let client = pagerduty.client();
    let role =
        |place: usize| client.get("/teams/P0PARTS/members").expect(200)["members"][place]["role"].clone();
    client.put("/teams/P0PARTS/users/P0ADA01", json!({"role": "observer"})).expect(204);
    assert_eq!(role(0), "manager");
    pagerduty.handle.set_faults(late(50));
    client.put("/teams/P0PARTS/users/P0CHEN1", json!({"role": "observer"})).expect(204);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(role(1), "observer");
}

/// Every fault by itself, for each request: what the client learns, and what became of the request.
#[test]
fn answers_are_lost_late_doubled_and_5xx() {
    let pagerduty = PagerDuty::of_the_examples();
    let client = pagerduty.client();
    let set = |faults: Faults| pagerduty.handle.set_faults(faults);
    let made = |name: &str| pagerduty.handle.account(|account| account.team_named(name).is_some());

    set(Faults { drop: 100, ..Faults::default() });
    let name = |number: u32| format!("Dropped {number}");
    for number in 0..30 {
        assert!(client.send("POST", "/teams", Some(team(&name(number)).to_string())).is_err());
    }
    let effect = (0..30).filter(|number| made(&name(*number))).count();
    assert!((1..30).contains(&effect), "{effect}");
    let seen = pagerduty.handle.take_seen();
    assert_eq!(seen.len(), effect);

    set(Faults { fail: 100, ..Faults::default() });
    let name = |number: u32| format!("Failed {number}");
    let statuses: Vec<u16> =
        (0..30).map(|number| client.post("/teams", team(&name(number))).status).collect();
    let effect = (0..30).filter(|number| made(&name(*number))).count();
    assert!((1..30).contains(&effect), "{effect}");
    for status in [500, 502, 503, 504] {
        assert!(statuses.contains(&status), "{statuses:?}");
    }
    assert!(statuses.iter().all(|status| (500..505).contains(status)));

    set(Faults { duplicate: 100, ..Faults::default() });
    client.post("/teams", team("Twice")).refused(400, 2001, "Name has already been taken");
    assert!(made("Twice"));

    set(Faults { delay: 100, longest_delay: Duration::from_millis(100), ..Faults::default() });
    let begun = Instant::now();
    for _ in 0..10 {
        client.get("/teams").expect(200);
    }
    assert!(begun.elapsed() > Duration::from_millis(100));

    set(Faults::default());
    client.get("/teams").expect(200);
}

#[test]
fn an_account_is_read_and_checked() {
    let wrong = [
        (
            r#"{"users": [{"name": "A", "email": "a@x.org", "role": "boss"}]}"#,
            "`boss` is no role of PagerDuty's",
        ),
        (
            r#"{"users": [{"name": "A", "email": "a@x.org"}, {"name": "B", "email": "A@X.org"}]}"#,
            "there is a user `A@X.org` already",
        ),
        (
            r#"{"teams": [{"name": "Ops", "members": [{"email": "a@x.org", "role": "manager"}]}]}"#,
            "there is no user `a@x.org`",
        ),
        (r#"{"teams": [{"name": "Ops", "parent": "All"}]}"#, "there is no team `All`"),
        (
            r#"{"escalation_policies": [{"name": "P", "teams": ["Ops"], "users": []}]}"#,
            "there is no team `Ops`",
        ),
    ];
    for (text, error) in wrong {
        let seed: Seed = serde_json::from_str(text).unwrap();
        assert_eq!(Account::new(seed).unwrap_err().to_string(), error);
    }
    assert!(serde_json::from_str::<Seed>(r#"{"user": []}"#).is_err());
    let shown = format!("{:?}", Account::new(seed()).unwrap());
    assert!(!shown.contains("key-of-the-examples") && !shown.contains("secret-of-the-examples"), "{shown}");
}
