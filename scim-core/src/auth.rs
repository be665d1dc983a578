//! Who sends a request: the authenticator every service needs.

use std::future::Future;

use http::HeaderValue;

use crate::{CredentialId, TenantId};

/// Decides who sends a request. A [`Service`](crate::Service) cannot be built without one.
pub trait Authenticator: Send + Sync + 'static {
    /// The principal the request's credential stands for.
    fn authenticate(
        &self,
        request: &http::request::Parts,
    ) -> impl Future<Output = Result<Principal, AuthError>> + Send;

    /// The `WWW-Authenticate` header of a 401 (RFC 9110 §11.6.1, RFC 6750 §3).
    fn challenge(&self, error: AuthError) -> HeaderValue {
        HeaderValue::from_static(match error {
            AuthError::Invalid => "Bearer realm=\"scim\", error=\"invalid_token\"",
            _ => "Bearer realm=\"scim\"",
        })
    }
}

/// Whom a credential stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Whose resources it reaches.
    pub tenant: TenantId,
    /// Which credential it is, for logs.
    pub credential: CredentialId,
}

/// Why a request is refused before anything is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// No credential: 401.
    #[error("no credential was given")]
    Missing,
    /// Not a valid credential: 401.
    #[error("the credential is not valid")]
    Invalid,
    /// A valid credential that may not do this: 403.
    #[error("the credential does not permit this")]
    Forbidden,
    /// Credentials cannot be looked up now: 503.
    #[error("credentials cannot be checked now")]
    Unavailable,
}

/// A secret that prints as `[redacted]` and compares in constant time.
#[derive(Clone)]
pub struct Secret(Box<str>);

/// Fixed bearer tokens, each for one tenant: enough for one customer, a test or a laptop.
///
/// Reads `Authorization: Bearer T`, and, where told so, `Token token=T` and `Bearer token=T`.
pub struct StaticTokens {}
