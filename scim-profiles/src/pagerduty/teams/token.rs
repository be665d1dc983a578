//! The credential of a request.

use std::time::Duration;

use http::HeaderValue;

use super::answer::TokenBody;
use super::config::{Auth, TeamConfig};
use super::secret::Secret;

/// How long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(60);

/// The credential of requests: an API key, or the token there is.
#[derive(Debug, Default)]
pub(super) struct Session {
    token: Option<Token>,
    /// Whether a new token was asked for since the last answer other than 401.
    pub(super) is_renewed: bool,
}

#[derive(Debug)]
struct Token {
    value: Secret,
    /// When another is asked for.
    good_until: Option<Duration>,
    is_used: bool,
}

impl Session {
    /// The header of the next request; `None` if a token has to be asked for first.
    pub(super) fn authorization(&mut self, now: Duration, auth: &Auth) -> Option<HeaderValue> {
        let text = match auth {
            Auth::ApiKey(key) => format!("Token token={}", key.expose()),
            Auth::OAuth(_) => {
                let token = self.token.as_mut()?;
                // A token is used once at least, however short it is good for.
                if token.is_used && token.good_until.is_some_and(|until| until <= now) {
                    self.token = None;
                    return None;
                }
                token.is_used = true;
                format!("Bearer {}", token.value.expose())
            }
        };
        // INVARIANT: credentials are plain, so that there is always a header.
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Forgets the token, which is not accepted. Whether that changes anything: once.
    pub(super) fn renew(&mut self, auth: &Auth) -> bool {
        let can_renew = matches!(auth, Auth::OAuth(_)) && !self.is_renewed;
        self.is_renewed = true;
        self.token = None;
        can_renew
    }

    /// Takes a token, unless scopes are missing, which PagerDuty drops without a word.
    ///
    /// # Errors
    ///
    /// The scopes that are missing.
    pub(super) fn take(
        &mut self,
        now: Duration,
        config: &TeamConfig,
        token: TokenBody,
    ) -> Result<(), Vec<String>> {
        if let (Auth::OAuth(client), Some(granted)) = (config.auth(), &token.scope) {
            let granted: Vec<&str> = granted.split_ascii_whitespace().collect();
            let mut missing = client.scopes(config.region());
            missing.retain(|scope| !granted.contains(&scope.as_str()));
            if !missing.is_empty() {
                return Err(missing);
            }
        }
        let good_until = token.expires_in.map(|seconds| {
            let whole = Duration::from_secs(seconds);
            now.saturating_add(whole - MARGIN.min(whole / 2))
        });
        self.token = Some(Token { value: Secret::new(token.access_token), good_until, is_used: false });
        Ok(())
    }

    /// `text` without any credential that it repeats.
    pub(super) fn redact(&self, auth: &Auth, text: String) -> String {
        let text = match auth {
            Auth::ApiKey(key) => key.redact(text),
            Auth::OAuth(client) => client.client_secret.redact(text),
        };
        match &self.token {
            Some(token) => token.value.redact(text),
            None => text,
        }
    }
}
