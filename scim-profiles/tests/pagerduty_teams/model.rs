//! A model of PagerDuty's REST API: teams, users, memberships, and the rules that are documented.

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, Request, Response};
use serde_json::{Value, json};

#[derive(Clone, Debug, Default)]
pub(crate) struct Team {
    pub(crate) name: String,
    pub(crate) description: String,
    /// The role by user, with the role that is shown for so many reads more.
    pub(crate) members: BTreeMap<String, Membership>,
    pub(crate) has_associations: bool,
    pub(crate) on_escalation_policy: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) role: String,
    pub(crate) before: Option<(String, u32)>,
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) email: String,
    pub(crate) role: &'static str,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct PagerDuty {
    pub(crate) teams: BTreeMap<String, Team>,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) next_team: u32,
    /// Whether no two teams have the same name.
    pub(crate) unique_names: bool,
    /// For how many reads a new role is not seen.
    pub(crate) role_lag: u32,
    /// The tokens that are good.
    pub(crate) tokens: BTreeSet<String>,
    /// What a token is given for; none where an API key is used.
    pub(crate) scopes: Option<&'static str>,
    pub(crate) expires_in: u64,
    /// Every request, as method and path with query.
    pub(crate) log: Vec<String>,
    /// Teams that were created by a request.
    pub(crate) created: BTreeSet<String>,
    /// Teams and users that were put together by a request.
    pub(crate) added: BTreeSet<(String, String)>,
    /// Teams and users that were put together by a request, on its way or not, with the role; an empty one
    /// where none is said.
    pub(crate) sent: BTreeSet<((String, String), String)>,
    /// Teams and users that somebody else put together, and no request since.
    pub(crate) by_hand: BTreeSet<(String, String)>,
    /// The size of pages, where it is less than is asked for.
    pub(crate) page: usize,
    /// What the credential may not do: beginnings of method and path.
    pub(crate) forbidden: Vec<&'static str>,
    /// What has its effect when so many requests more were answered.
    pub(crate) late: Vec<(u32, Request<Vec<u8>>)>,
}

pub(crate) const KEY: &str = "u+abcdefgh1234";
pub(crate) const CLIENT_SECRET: &str = "s3cret&of+the/client";

pub(crate) fn json_answer(status: u16, body: &Value) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.to_string().into_bytes()).unwrap()
}

pub(crate) fn error(status: u16, code: i64, message: &str, errors: &[&str]) -> Response<Vec<u8>> {
    json_answer(status, &json!({"error": {"message": message, "code": code, "errors": errors}}))
}

fn no_content() -> Response<Vec<u8>> {
    Response::builder().status(204).body(Vec::new()).unwrap()
}

impl PagerDuty {
    pub(crate) fn new() -> Self {
        Self { page: 100, expires_in: 86_400, ..Self::default() }
    }

    pub(crate) fn with_user(mut self, id: &str, email: &str) -> Self {
        self.users.insert(id.to_owned(), User { email: email.to_owned(), role: "user" });
        self
    }

    pub(crate) fn with_team(mut self, id: &str, name: &str, members: &[(&str, &str)]) -> Self {
        let members = members
            .iter()
            .map(|(user, role)| ((*user).to_owned(), Membership { role: (*role).to_owned(), before: None }));
        let team = Team { name: name.to_owned(), members: members.collect(), ..Team::default() };
        self.teams.insert(id.to_owned(), team);
        self
    }

    pub(crate) fn team_named(&self, name: &str) -> Option<(&String, &Team)> {
        self.teams.iter().find(|(_, team)| team.name == name)
    }

    /// What is asked that is not a read.
    pub(crate) fn writes(&self) -> Vec<&String> {
        self.log.iter().filter(|line| !line.starts_with("GET") && !line.contains("/oauth/")).collect()
    }

    /// Answers, and lets what is late have its effect afterwards.
    pub(crate) fn answer(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let answer = self.answer_now(request);
        self.late.iter_mut().for_each(|(requests, _)| *requests = requests.saturating_sub(1));
        self.let_late(|requests| requests == 0);
        answer
    }

    /// Lets everything have its effect that is late, and be seen.
    pub(crate) fn settle(&mut self) {
        self.let_late(|_| true);
        let members = self.teams.values_mut().flat_map(|team| team.members.values_mut());
        members.for_each(|membership| membership.before = None);
    }

    /// The request is sent, whatever becomes of it.
    pub(crate) fn send(&mut self, request: &Request<Vec<u8>>) {
        let path: Vec<&str> = request.uri().path().split('/').skip(1).collect();
        if let (&Method::PUT, ["teams", team, "users", user]) = (request.method(), path.as_slice()) {
            let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            let role = body["role"].as_str().unwrap_or_default().to_owned();
            self.sent.insert((((*team).to_owned(), (*user).to_owned()), role));
        }
    }

    fn let_late(&mut self, is_due: impl Fn(u32) -> bool) {
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.late).into_iter().partition(|(requests, _)| is_due(*requests));
        self.late = later;
        for (_, request) in due {
            self.answer_now(&request);
        }
    }

    fn answer_now(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let uri = request.uri();
        self.log.push(format!("{} {}", request.method(), uri.path_and_query().unwrap()));
        if uri.path() == "/oauth/token" {
            return self.token(request);
        }
        let authorization = request.headers()["authorization"].to_str().unwrap();
        let is_known = match authorization.strip_prefix("Bearer ") {
            Some(token) => self.tokens.contains(token),
            None => self.scopes.is_none() && authorization == format!("Token token={KEY}"),
        };
        if !is_known {
            return error(401, 2006, "Unauthorized", &[]);
        }
        let asked = format!("{} {}", request.method(), uri.path());
        if self.forbidden.iter().any(|start| asked.starts_with(start)) {
            return error(403, 2010, "Access Denied", &[]);
        }
        assert_eq!(request.headers()["accept"], "application/vnd.pagerduty+json;version=2");
        let query: BTreeMap<String, String> =
            url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let path: Vec<&str> = uri.path().split('/').skip(1).collect();
        match (request.method(), path.as_slice()) {
            (&Method::GET, ["teams"]) => {
                let wanted = query["query"].to_lowercase();
                let rows = self.teams.iter().filter(|(_, team)| team.name.to_lowercase().contains(&wanted));
                let rows = rows.map(|(id, team)| team.show(id)).collect();
                self.list("teams", rows, &query)
            }
            (&Method::GET, ["users"]) => {
                let wanted = query["query"].to_lowercase();
                let rows = self.users.iter().filter(|(_, user)| user.email.to_lowercase().contains(&wanted));
                let rows = rows.map(|(id, user)| {
                    json!({"id": id, "type": "user", "name": id, "email": user.email, "role": user.role})
                });
                self.list("users", rows.collect(), &query)
            }
            (&Method::GET, ["users", id]) => match self.users.get(*id) {
                Some(user) => json_answer(
                    200,
                    &json!({"user": {"id": id, "type": "user", "email": user.email, "role": user.role}}),
                ),
                None => error(404, 2013, "User not found", &[]),
            },
            (&Method::POST, ["teams"]) => self.create(&body["team"]),
            (method, ["teams", id, rest @ ..]) => {
                let id = (*id).to_owned();
                if !self.teams.contains_key(&id) {
                    return error(404, 6001, "Team Not Found", &[]);
                }
                self.team(method, &id, rest, &query, &body)
            }
            _ => error(404, 2100, "Not Found", &[]),
        }
    }

    fn team(
        &mut self,
        method: &Method,
        id: &str,
        rest: &[&str],
        query: &BTreeMap<String, String>,
        body: &Value,
    ) -> Response<Vec<u8>> {
        let is_taken = |name: &str| self.teams.iter().any(|(other, team)| other != id && team.name == name);
        match (method, rest) {
            (&Method::GET, []) => json_answer(200, &json!({"team": self.teams[id].show(id)})),
            (&Method::PUT, []) => {
                let name = body["team"]["name"].as_str().unwrap();
                assert!((1..=100).contains(&name.chars().count()), "{name}");
                if self.unique_names && is_taken(name) {
                    return error(400, 2001, "Invalid Input Provided", &["Name has already been taken"]);
                }
                let team = self.teams.get_mut(id).unwrap();
                team.name = name.to_owned();
                json_answer(200, &json!({"team": team.show(id)}))
            }
            (&Method::DELETE, []) => {
                if self.teams[id].has_associations {
                    return error(400, 6006, "Team has existing associations", &[]);
                }
                self.teams.remove(id);
                no_content()
            }
            (&Method::GET, ["members"]) => {
                let members = &mut self.teams.get_mut(id).unwrap().members;
                let rows = members.iter_mut().map(|(user, membership)| {
                    let role = membership.shown();
                    json!({"user": {"id": user, "type": "user_reference"}, "role": role})
                });
                let rows = rows.collect();
                self.list("members", rows, query)
            }
            (&Method::PUT, ["users", user]) => {
                let Some(known) = self.users.get(*user) else {
                    return error(404, 2100, "Not Found", &[]);
                };
                if known.role.starts_with("read_only") {
                    return error(400, 2001, "Invalid Input Provided", &["User is a stakeholder"]);
                }
                let role = match known.role {
                    // A fixed role: the role on the team gives neither more nor less.
                    "admin" => "manager",
                    _ => body["role"].as_str().unwrap_or("manager"),
                };
                self.added.insert((id.to_owned(), (*user).to_owned()));
                self.by_hand.remove(&(id.to_owned(), (*user).to_owned()));
                let lag = self.role_lag;
                let members = &mut self.teams.get_mut(id).unwrap().members;
                let before = members.get(*user).map_or("observer", |membership| &membership.role).to_owned();
                let before = (lag > 0 && before != role).then_some((before, lag));
                members.insert((*user).to_owned(), Membership { role: role.to_owned(), before });
                no_content()
            }
            (&Method::DELETE, ["users", user]) => {
                let team = self.teams.get_mut(id).unwrap();
                if team.on_escalation_policy.contains(*user) {
                    let why = "User cannot be removed as they belong to an escalation policy on this team";
                    return error(400, 2001, "Invalid Input Provided", &[why]);
                }
                self.by_hand.remove(&(id.to_owned(), (*user).to_owned()));
                match team.members.remove(*user) {
                    Some(_) => no_content(),
                    None => error(404, 2100, "Not Found", &[]),
                }
            }
            _ => error(404, 2100, "Not Found", &[]),
        }
    }

    fn create(&mut self, team: &Value) -> Response<Vec<u8>> {
        let text = |name: &str| team[name].as_str().unwrap_or_default().to_owned();
        let name = text("name");
        if self.unique_names && self.team_named(&name).is_some() {
            return error(400, 2001, "Invalid Input Provided", &["Name has already been taken"]);
        }
        assert!((1..=100).contains(&name.chars().count()), "{name}");
        self.next_team += 1;
        let id = format!("PT{:04}", self.next_team);
        let team = Team { name, description: text("description"), ..Team::default() };
        let shown = team.show(&id);
        self.created.insert(id.clone());
        self.teams.insert(id, team);
        json_answer(201, &json!({ "team": shown }))
    }

    fn list(&self, name: &str, rows: Vec<Value>, query: &BTreeMap<String, String>) -> Response<Vec<u8>> {
        let number = |name: &str| query[name].parse::<usize>().unwrap();
        let (limit, offset) = (number("limit"), number("offset"));
        if limit + offset > 10_000 || limit > 100 {
            return error(400, 2001, "Invalid Input Provided", &["Offset and limit"]);
        }
        let limit = limit.min(self.page);
        let page: Vec<&Value> = rows.iter().skip(offset).take(limit).collect();
        let more = offset + page.len() < rows.len();
        json_answer(200, &json!({name: page, "limit": limit, "offset": offset, "more": more, "total": null}))
    }

    fn token(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(request.body()).into_owned().collect();
        assert_eq!(form["grant_type"], "client_credentials");
        let Some(scope) = self.scopes.filter(|_| form["client_secret"] == CLIENT_SECRET) else {
            return json_answer(
                401,
                &json!({"error": "invalid_client", "error_description": "no such client"}),
            );
        };
        let token = format!("pdus+_{}", self.log.len());
        self.tokens.insert(token.clone());
        json_answer(
            200,
            &json!({"access_token": token, "token_type": "bearer", "expires_in": self.expires_in, "scope": scope}),
        )
    }
}

impl Team {
    fn show(&self, id: &str) -> Value {
        json!({"id": id, "type": "team", "name": self.name, "description": self.description})
    }
}

impl Membership {
    /// The role that is shown now.
    pub(crate) fn seen(&self) -> &str {
        self.before.as_ref().map_or(&self.role, |(role, _)| role)
    }

    fn shown(&mut self) -> String {
        match self.before.take() {
            Some((role, reads)) => {
                self.before = (reads > 1).then(|| (role.clone(), reads - 1));
                role
            }
            None => self.role.clone(),
        }
    }
}
