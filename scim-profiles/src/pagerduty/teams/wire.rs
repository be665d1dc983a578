//! The requests.

use std::fmt;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request};
use serde_json::json;

use super::config::{OAuthClient, TeamConfig};
use super::plan::Write;
use super::tables::{MAX_WINDOW, PAGE};

/// What PagerDuty is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// For a token.
    Token,
    /// For a team.
    Team(String),
    /// For teams whose name has this in it.
    Teams { name: String, offset: usize },
    /// For the members of a team.
    Members { team: String, offset: usize },
    /// For users who have this in their name or e-mail address.
    Users { email: String, offset: usize },
    /// For a user.
    User(String),
    /// To change something.
    Write(Write),
}

impl Call {
    /// Whether it looks among all that there is, and names no team and no user.
    pub(super) const fn is_search(&self) -> bool {
        matches!(self, Self::Teams { .. } | Self::Users { .. })
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token => f.write_str("ask for a token"),
            Self::Team(team) => write!(f, "read the team {team}"),
            Self::Teams { name, .. } => write!(f, "find the team `{}`", name.escape_debug()),
            Self::Members { team, .. } => write!(f, "list the members of {team}"),
            Self::Users { email, .. } => write!(f, "find the user `{}`", email.escape_debug()),
            Self::User(user) => write!(f, "read the user {user}"),
            Self::Write(write) => write.fmt(f),
        }
    }
}

/// Whether a page that begins at `offset` is within what PagerDuty lists.
pub(super) const fn is_listed(offset: usize) -> bool {
    offset + PAGE <= MAX_WINDOW
}

/// The request for `call`, with `authorization`.
pub(super) fn request(
    config: &TeamConfig,
    call: &Call,
    authorization: Option<HeaderValue>,
) -> Result<Request<Vec<u8>>, http::Error> {
    let (method, path, body) = match call {
        Call::Token => return token(config),
        Call::Team(team) => (Method::GET, format!("/teams/{}", encode(team)), None),
        Call::Teams { name, offset } => (Method::GET, search("/teams", name, *offset), None),
        Call::Users { email, offset } => (Method::GET, search("/users", email, *offset), None),
        Call::User(user) => (Method::GET, format!("/users/{}", encode(user)), None),
        Call::Members { team, offset } => {
            (Method::GET, format!("/teams/{}/members?limit={PAGE}&offset={offset}", encode(team)), None)
        }
        Call::Write(write) => self::write(config, write),
    };
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", config.api_url().as_str().trim_end_matches('/')))
        .header(ACCEPT, "application/vnd.pagerduty+json;version=2")
        .header(CONTENT_TYPE, "application/json");
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    request.body(body.map_or_else(Vec::new, |body| body.to_string().into_bytes()))
}

fn search(path: &str, query: &str, offset: usize) -> String {
    format!("{path}?query={}&limit={PAGE}&offset={offset}", encode(query))
}

fn write(config: &TeamConfig, write: &Write) -> (Method, String, Option<serde_json::Value>) {
    let membership = |team: &str, user: &str| format!("/teams/{}/users/{}", encode(team), encode(user));
    match write {
        Write::CreateTeam { name, description, .. } => {
            let mut team = json!({"type": "team", "name": name});
            describe(&mut team, description);
            (Method::POST, "/teams".to_owned(), Some(json!({ "team": team })))
        }
        Write::RenameTeam { team: id, to, description, .. } => {
            let mut team = json!({"type": "team", "name": to});
            describe(&mut team, description.as_deref().unwrap_or_default());
            (Method::PUT, format!("/teams/{}", encode(id)), Some(json!({ "team": team })))
        }
        Write::AddMember { team, user, role, .. } => {
            let body = role.map_or_else(|| json!({}), |role| json!({"role": role}));
            (Method::PUT, membership(team.as_deref().unwrap_or_default(), user), Some(body))
        }
        Write::SetRole { team, user, role, .. } => {
            (Method::PUT, membership(team, user), Some(json!({"role": role})))
        }
        Write::RemoveMember { team, user, .. } => (Method::DELETE, membership(team, user), None),
        Write::DeleteTeam { team, .. } => {
            let reassignment = config.options.reassignment_team.as_deref();
            let query = reassignment.map(|to| format!("?reassignment_team={}", encode(to)));
            (Method::DELETE, format!("/teams/{}{}", encode(team), query.unwrap_or_default()), None)
        }
    }
}

fn describe(team: &mut serde_json::Value, description: &str) {
    if let Some(team) = team.as_object_mut().filter(|_| !description.is_empty()) {
        team.insert("description".to_owned(), description.into());
    }
}

fn token(config: &TeamConfig) -> Result<Request<Vec<u8>>, http::Error> {
    let form = match config.auth() {
        super::Auth::OAuth(client) => form(client, &client.scopes(config.region()).join(" ")),
        super::Auth::ApiKey(_) => String::new(),
    };
    Request::builder()
        .method(Method::POST)
        .uri(config.token_url().as_str())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.into_bytes())
}

fn form(client: &OAuthClient, scope: &str) -> String {
    format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope={}",
        encode(&client.client_id),
        encode(client.client_secret.expose()),
        encode(scope)
    )
}

/// `text` percent-encoded, all but what RFC 3986 §2.3 reserves for no purpose.
pub(super) fn encode(text: &str) -> String {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let hex = |digit: u8| HEX.get(usize::from(digit)).copied().unwrap_or('0');
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.extend(['%', hex(byte >> 4), hex(byte & 15)]),
        }
    }
    encoded
}
