//! API keys and tokens: `docs/REST-API/02-Authentication.md`, `docs/app-integration-development/02-Private-Apps.md`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Refusal};
use super::faults::Random;

/// The tokens that were given out.
#[derive(Default)]
pub(super) struct Tokens {
    issued: HashMap<String, Token>,
    made: u64,
}

struct Token {
    client: String,
    scopes: Vec<String>,
    end: Instant,
}

/// Who asks, and what for.
pub(super) struct Caller {
    /// What its requests are counted by.
    pub(super) counted_as: String,
    allowed: Allowed,
}

enum Allowed {
    Scopes(Vec<String>),
    Key { writes: bool, licenses: bool },
}

impl Caller {
    /// Whether it may do what needs `scope`.
    pub(super) fn permit(&self, scope: &str, account: &Account) -> Result<(), Refusal> {
        match &self.allowed {
            Allowed::Scopes(scopes) => {
                let held = |wanted: &str| scopes.iter().any(|scope| scope == wanted);
                match [account_scope(account).as_str(), scope].into_iter().find(|wanted| !held(wanted)) {
                    Some(missing) => Err(Refusal::denied(format!("the token has no scope {missing}"))),
                    None => Ok(()),
                }
            }
            Allowed::Key { licenses: false, .. } if scope == "licenses.read" => {
                Err(Refusal::denied("Cannot read license allocations"))
            }
            Allowed::Key { writes: false, .. } if scope.ends_with(".write") => {
                Err(Refusal::denied("the API key is read-only"))
            }
            Allowed::Key { .. } => Ok(()),
        }
    }
}

/// Who sent a request with these headers.
pub(super) fn authenticate(
    account: &Account,
    tokens: &Tokens,
    headers: &HeaderMap,
    now: Instant,
) -> Result<Caller, Refusal> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, rest) =
        value.and_then(|value| value.split_once(' ')).ok_or_else(Refusal::unauthenticated)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        let token = tokens.issued.get(rest.trim()).filter(|token| now < token.end);
        let token = token.ok_or_else(Refusal::unauthenticated)?;
        let allowed = Allowed::Scopes(token.scopes.clone());
        return Ok(Caller { counted_as: format!("app {}", token.client), allowed });
    }
    let key = rest.trim().strip_prefix("token=").filter(|_| scheme.eq_ignore_ascii_case("token"));
    let place = account.api_keys.iter().position(|known| Some(known.key.as_str()) == key);
    let (place, key) = place
        .and_then(|place| Some((place, account.api_keys.get(place)?)))
        .ok_or_else(Refusal::unauthenticated)?;
    let allowed = Allowed::Key { writes: !key.read_only, licenses: !key.no_licenses };
    Ok(Caller { counted_as: format!("key {place}"), allowed })
}

impl Tokens {
    /// `POST /oauth/token`, with a form as body.
    pub(super) fn grant(
        &mut self,
        account: &Account,
        body: &[u8],
        lifetime: Duration,
        now: Instant,
    ) -> Answer {
        let form: HashMap<_, _> = url::form_urlencoded::parse(body).into_owned().collect();
        let field = |name: &str| form.get(name).map(String::as_str);
        match field("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return oauth_error(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            None => return oauth_error(StatusCode::BAD_REQUEST, "invalid_request"),
        }
        let client = account.clients.iter().find(|client| {
            Some(client.id.as_str()) == field("client_id")
                && Some(client.secret.as_str()) == field("client_secret")
        });
        let Some(client) = client else {
            return oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
        };
        let wanted = field("scope").unwrap_or_default().split_ascii_whitespace();
        // Those that are unknown are dropped, and nobody is told but by what is left.
        let mine = account_scope(account);
        let scopes: Vec<String> = wanted
            .filter(|scope| *scope == mine || client.scopes.iter().any(|own| own == scope))
            .map(str::to_owned)
            .collect();
        self.made += 1;
        let random = Random(self.made).next();
        let token = format!("pdus+_0XBP{random:016x}");
        let answer = json!({
            "access_token": token,
            "scope": scopes.join(" "),
            "token_type": "bearer",
            "expires_in": lifetime.as_secs(),
        });
        let held = Token { client: client.id.clone(), scopes, end: now + lifetime };
        self.issued.retain(|_, token| now < token.end);
        self.issued.insert(token, held);
        Answer::ok(answer)
    }

    /// Ends all tokens, as an administrator can.
    pub(super) fn revoke(&mut self) {
        self.issued.clear();
    }
}

/// The scope that names the account.
fn account_scope(account: &Account) -> String {
    format!("as_account-{}.{}", account.region.as_str(), account.subdomain)
}

/// RFC 6749 §5.2; PagerDuty does not document another form.
fn oauth_error(status: StatusCode, error: &str) -> Answer {
    Answer { status, body: Some(Value::Object([("error".to_owned(), error.into())].into_iter().collect())) }
}
