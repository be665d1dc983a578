//! What PagerDuty answers, read with distrust.

use std::fmt;

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::plan::Write;
use super::tables::PAGE;
use super::wire::Call;

/// A request that PagerDuty refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ApiError {
    /// The status.
    pub status: u16,
    /// PagerDuty's own number for the error: 2001, 6006.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// What PagerDuty says, shortened, and without credentials.
    pub message: String,
}

/// How much of what PagerDuty says is repeated, in characters.
const MAX_MESSAGE: usize = 300;

impl ApiError {
    /// Reads `{"error": {"message", "code", "errors": […]}}`, or OAuth's `{"error", "error_description"}`.
    pub(super) fn read(status: StatusCode, body: &[u8], redact: impl Fn(String) -> String) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = body.get("error");
        let inner = |name: &str| error.and_then(|error| error.get(name));
        let details = inner("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let said: Vec<&str> = [inner("message"), error, body.get("error_description")]
            .into_iter()
            .flatten()
            .chain(details.iter().take(10))
            .filter_map(Value::as_str)
            .collect();
        let message = match said.as_slice() {
            [] => status.canonical_reason().unwrap_or("no reason").to_owned(),
            said => redact(said.join(": ")),
        };
        let message = message.chars().take(MAX_MESSAGE).collect::<String>().escape_debug().to_string();
        Self { status: status.as_u16(), code: inner("code").and_then(Value::as_i64), message }
    }

    /// Whether the team is not there: "Team Not Found" (6001), or a 404 that is PagerDuty's own. One of
    /// somebody in between, or of a wrong URL, says nothing about the team.
    pub(super) fn is_team_missing(&self) -> bool {
        self.code == Some(6001) || self.is_missing()
    }

    /// Whether it is the account that may not be used, whatever for: it is not found (2007), locked (2008)
    /// or expired (2012), or the call is not by HTTPS (2009).
    pub(super) fn is_of_account(&self) -> bool {
        matches!(self.code, Some(2007 | 2008 | 2009 | 2012))
    }

    /// Whether what is asked for is not there, and PagerDuty says so itself.
    pub(super) fn is_missing(&self) -> bool {
        self.status == 404 && self.code.is_some()
    }

    /// Whether the team has what keeps it from being deleted: "Team has existing associations".
    pub(super) fn has_associations(&self) -> bool {
        self.code == Some(6006)
    }

    /// Whether the user is needed: "User cannot be removed as they belong to an escalation policy on
    /// this team", which has the general code for invalid input.
    pub(super) fn is_on_escalation_policy(&self) -> bool {
        self.status == 400 && self.code == Some(2001) && self.message.contains("escalation policy")
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(code) = self.code {
            write!(f, " (code {code})")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ApiError {}

/// What a request was answered with, where it succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Nothing,
    Team(Team),
    Teams(Page<Team>),
    Members(Page<Member>),
    Users(Page<User>),
    User(User),
    Token(TokenBody),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub(super) rows: Vec<T>,
    /// Where the next page begins.
    pub(super) next: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Team {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) role: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) email: String,
    /// The account role.
    pub(super) role: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct TokenBody {
    pub(super) access_token: String,
    pub(super) expires_in: Option<u64>,
    pub(super) scope: Option<String>,
}

impl fmt::Debug for TokenBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBody").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// Reads the answer to `call`, whose status says that it succeeded.
///
/// # Errors
///
/// What is wrong with it, as a phrase that repeats nothing of it.
pub(super) fn read(call: &Call, status: StatusCode, body: &[u8]) -> Result<Body, String> {
    let offset = match call {
        Call::Teams { offset, .. } | Call::Members { offset, .. } | Call::Users { offset, .. } => *offset,
        Call::Token | Call::Team(_) | Call::User(_) | Call::Write(_) => 0,
    };
    match call {
        Call::Write(Write::CreateTeam { .. } | Write::RenameTeam { .. }) | Call::Team(_) => {
            let body = json(body)?;
            team(body.get("team").ok_or("`team` is missing")?, "team").map(Body::Team)
        }
        // 204, by which nobody but PagerDuty answers.
        Call::Write(_) if status == StatusCode::NO_CONTENT => Ok(Body::Nothing),
        Call::Write(_) => Err(format!("the answer is {} where there should be 204", status.as_u16())),
        Call::Teams { .. } => page(&json(body)?, "teams", offset, team).map(Body::Teams),
        Call::Members { .. } => page(&json(body)?, "members", offset, member).map(Body::Members),
        Call::Users { .. } => page(&json(body)?, "users", offset, user).map(Body::Users),
        Call::User(_) => {
            let body = json(body)?;
            user(body.get("user").ok_or("`user` is missing")?, "user").map(Body::User)
        }
        Call::Token => token(&json(body)?).map(Body::Token),
    }
}

fn json(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|error| {
        let what = if error.is_eof() { "ends too early" } else { "is no JSON" };
        format!("the answer {what} (line {}, column {})", error.line(), error.column())
    })
}

fn page<T>(
    body: &Value,
    name: &str,
    offset: usize,
    row: impl Fn(&Value, &str) -> Result<T, String>,
) -> Result<Page<T>, String> {
    let rows = body.get(name).ok_or_else(|| format!("`{name}` is missing"))?;
    let rows = rows.as_array().ok_or_else(|| format!("`{name}` is no array"))?;
    if rows.len() > PAGE {
        return Err(format!("`{name}` has more than the {PAGE} elements that were asked for"));
    }
    let more = body.get("more").ok_or("`more` is missing")?;
    let next = match more.as_bool().ok_or("`more` is no boolean")? {
        true if rows.is_empty() => return Err(format!("`more` is true, and `{name}` is empty")),
        true => Some(offset + step(body)),
        false => None,
    };
    let rows = rows.iter().enumerate().map(|(index, value)| row(value, &format!("{name}[{index}]")));
    Ok(Page { rows: rows.collect::<Result<_, _>>()?, next })
}

/// The size of the pages: PagerDuty may have made them smaller than was asked for.
fn step(body: &Value) -> usize {
    let limit = body.get("limit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    limit.filter(|limit| (1..=PAGE).contains(limit)).unwrap_or(PAGE)
}

fn team(value: &Value, at: &str) -> Result<Team, String> {
    let description = value.get("description").and_then(Value::as_str).map(str::to_owned);
    Ok(Team { id: identifier(value, at)?, name: text(value, "name", at)?, description })
}

fn member(value: &Value, at: &str) -> Result<Member, String> {
    let user = value.get("user").ok_or_else(|| format!("`{at}.user` is missing"))?;
    let role = value.get("role").and_then(Value::as_str).map(str::to_owned);
    Ok(Member { id: identifier(user, &format!("{at}.user"))?, role })
}

fn user(value: &Value, at: &str) -> Result<User, String> {
    let role = value.get("role").and_then(Value::as_str).map(str::to_owned);
    Ok(User { id: identifier(value, at)?, email: text(value, "email", at)?, role })
}

fn token(body: &Value) -> Result<TokenBody, String> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let access_token = text("access_token").ok_or("`access_token` is missing")?;
    if !super::Secret::new(access_token.as_str()).is_plain() {
        return Err("`access_token` is no token".to_owned());
    }
    if !text("token_type").is_none_or(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err("`token_type` is not `bearer`".to_owned());
    }
    let expires_in = body.get("expires_in").and_then(Value::as_u64);
    Ok(TokenBody { access_token, expires_in, scope: text("scope") })
}

fn text(value: &Value, name: &str, at: &str) -> Result<String, String> {
    let text = value.get(name).ok_or_else(|| format!("`{at}.{name}` is missing"))?;
    text.as_str().map(str::to_owned).ok_or_else(|| format!("`{at}.{name}` is no string"))
}

/// An identifier. It becomes part of a URL, so that it may have nothing in it that means something there.
fn identifier(value: &Value, at: &str) -> Result<String, String> {
    let id = text(value, "id", at)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=64).contains(&id.len()) && id.bytes().all(is_plain) {
        Ok(id)
    } else {
        Err(format!("`{at}.id` is no identifier"))
    }
}
