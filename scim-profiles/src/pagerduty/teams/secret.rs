//! What must not be told.

use std::fmt;

/// An API key, a client's secret or a token: `Debug` does not show it, and there is no other way to
/// print it.
///
/// ```
/// use scim_profiles::pagerduty::teams::Secret;
/// assert_eq!(format!("{:?}", Secret::new("u+abcdefgh")), "Secret([redacted])");
/// ```
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// What is to be kept secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is one or more printable ASCII characters without space, as any credential of
    /// PagerDuty's is, so that it can stand in a header.
    pub(super) fn is_plain(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }

    /// `text` without the secret, should it repeat it, plainly or percent-encoded.
    pub(super) fn redact(&self, text: String) -> String {
        if self.0.is_empty() {
            return text;
        }
        let encoded = super::wire::encode(&self.0);
        text.replace(&self.0, "[redacted]").replace(&encoded, "[redacted]")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}
