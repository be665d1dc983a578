//! From a request to its answer.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{Method, StatusCode};
use percent::segments;
use serde_json::Value;

use super::account::Account;
use super::answer::{Answer, Refusal};
use super::credentials::{Tokens, authenticate};
use super::rate::{Counted, RateLimit, Windows};
use super::{members, teams, users};

/// What no document decides, and what is shorter in a test.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many requests a credential may make.
    pub rate_limit: RateLimit,
    /// Whether a 429 comes without its headers and body, as it may.
    pub bare_429: bool,
    /// How long a token is good.
    pub token_lifetime: Duration,
    /// Whether two teams may have one name.
    pub duplicate_names: DuplicateNames,
    /// What `query` of `GET /users` looks at.
    pub user_query: UserQuery,
    /// How long the role of a member is told as it was.
    pub late_roles: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rate_limit: RateLimit::default(),
            bare_429: false,
            token_lifetime: Duration::from_secs(86_400),
            duplicate_names: DuplicateNames::Refuse,
            user_query: UserQuery::NameAndEmail,
            late_roles: Duration::ZERO,
        }
    }
}

/// Whether two teams may have one name: no document says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DuplicateNames {
    /// The second is refused with 400
    Refuse,
    /// There are two then
    Allow,
}

/// What `query` of `GET /users` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum UserQuery {
    /// Names, as the API schema says
    Name,
    /// Names and e-mail addresses, as PagerDuty's own client relies on
    NameAndEmail,
}

/// Everything that a request meets.
pub(super) struct World {
    pub(super) account: Account,
    pub(super) options: Options,
    pub(super) tokens: Tokens,
    pub(super) windows: Windows,
}

/// An answer, and what was counted for it.
pub(super) struct Handled {
    pub(super) answer: Answer,
    pub(super) counted: Option<Counted>,
}

impl World {
    /// Does what a request asks for.
    pub(super) fn handle(&mut self, head: &Parts, body: &[u8], now: Instant) -> Handled {
        if head.uri.path() == "/oauth/token" {
            let answer = if head.method == Method::POST {
                self.tokens.grant(&self.account, body, self.options.token_lifetime, now)
            } else {
                Answer { status: StatusCode::METHOD_NOT_ALLOWED, body: None }
            };
            return Handled { answer, counted: None };
        }
        let caller = match authenticate(&self.account, &self.tokens, &head.headers, now) {
            Ok(caller) => caller,
            Err(refusal) => return Handled { answer: refusal.into(), counted: None },
        };
        let counted = self.windows.count(&caller.counted_as, self.options.rate_limit, now);
        if counted.exceeded && self.options.bare_429 {
            let answer = Answer { status: StatusCode::TOO_MANY_REQUESTS, body: None };
            return Handled { answer, counted: None };
        }
        let answer = if counted.exceeded {
            Err(Refusal::rate_limited())
        } else {
            Endpoint::of(&head.method, head.uri.path()).ok_or_else(Refusal::not_found).and_then(|endpoint| {
                caller.permit(endpoint.scope(), &self.account)?;
                self.answer(&endpoint, &Query::read(head), body, now)
            })
        };
        Handled { answer: answer.unwrap_or_else(Answer::from), counted: Some(counted) }
    }

    fn answer(
        &mut self,
        endpoint: &Endpoint,
        query: &Query,
        body: &[u8],
        now: Instant,
    ) -> Result<Answer, Refusal> {
        let (account, options) = (&mut self.account, &self.options);
        if endpoint.scope() == TEAMS_WRITE && !account.abilities.iter().any(|ability| ability == "teams") {
            return Err(Refusal::missing_ability("teams"));
        }
        match endpoint {
            Endpoint::ListTeams => teams::list(account, query),
            Endpoint::CreateTeam => teams::create(account, options, &object(body)?),
            Endpoint::Team(id) => teams::show(account, id),
            Endpoint::UpdateTeam(id) => teams::update(account, options, id, &object(body)?),
            Endpoint::DeleteTeam(id) => teams::delete(account, id, query.get("reassignment_team")),
            Endpoint::ListMembers(id) => members::list(account, id, query, now),
            Endpoint::AddMember(team, user) => {
                let body = if body.is_empty() { Value::Null } else { object(body)? };
                members::add(account, team, user, &body, now, options.late_roles)
            }
            Endpoint::RemoveMember(team, user) => members::remove(account, team, user),
            Endpoint::ListUsers => users::list(account, options.user_query, query),
            Endpoint::User(id) => users::show(account, id),
            Endpoint::ListLicenses => Ok(users::licenses(account)),
        }
    }
}

/// What can be asked.
enum Endpoint {
    ListTeams,
    CreateTeam,
    Team(String),
    UpdateTeam(String),
    DeleteTeam(String),
    ListMembers(String),
    AddMember(String, String),
    RemoveMember(String, String),
    ListUsers,
    User(String),
    ListLicenses,
}

impl Endpoint {
    fn of(method: &Method, path: &str) -> Option<Self> {
        let segments = segments(path)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let own = |id: &str| id.to_owned();
        Some(match (method.as_str(), segments.as_slice()) {
            ("GET", ["teams"]) => Self::ListTeams,
            ("POST", ["teams"]) => Self::CreateTeam,
            ("GET", ["teams", id]) => Self::Team(own(id)),
            ("PUT", ["teams", id]) => Self::UpdateTeam(own(id)),
            ("DELETE", ["teams", id]) => Self::DeleteTeam(own(id)),
            ("GET", ["teams", id, "members"]) => Self::ListMembers(own(id)),
            ("PUT", ["teams", team, "users", user]) => Self::AddMember(own(team), own(user)),
            ("DELETE", ["teams", team, "users", user]) => Self::RemoveMember(own(team), own(user)),
            ("GET", ["users"]) => Self::ListUsers,
            ("GET", ["users", id]) => Self::User(own(id)),
            ("GET", ["licenses"]) => Self::ListLicenses,
            _ => return None,
        })
    }

    /// The scope it needs.
    fn scope(&self) -> &'static str {
        match self {
            Self::ListTeams | Self::Team(_) | Self::ListMembers(_) => "teams.read",
            Self::CreateTeam
            | Self::UpdateTeam(_)
            | Self::DeleteTeam(_)
            | Self::AddMember(..)
            | Self::RemoveMember(..) => TEAMS_WRITE,
            Self::ListUsers | Self::User(_) => "users.read",
            Self::ListLicenses => "licenses.read",
        }
    }
}

const TEAMS_WRITE: &str = "teams.write";

/// The parameters of a request.
pub(super) struct Query(HashMap<String, String>);

impl Query {
    fn read(head: &Parts) -> Self {
        let text = head.uri.query().unwrap_or_default();
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// A body, which must be a JSON object.
fn object(body: &[u8]) -> Result<Value, Refusal> {
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(Refusal::invalid("the request body is no JSON object")),
    }
}

mod percent {
    /// The segments of a path, decoded.
    pub(super) fn segments(path: &str) -> Option<Vec<String>> {
        let path = path.strip_prefix('/')?;
        path.split('/').map(|segment| decode(segment.as_bytes())).collect()
    }

    fn decode(text: &[u8]) -> Option<String> {
        let mut decoded = Vec::with_capacity(text.len());
        let mut rest = text.iter().copied();
        while let Some(byte) = rest.next() {
            decoded.push(match byte {
                b'%' => {
                    let mut digit = || char::from(rest.next()?).to_digit(16);
                    u8::try_from(digit()? * 16 + digit()?).ok()?
                }
                byte => byte,
            });
        }
        String::from_utf8(decoded).ok()
    }
}
