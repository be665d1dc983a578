//! Who sends a request: the authenticator every service needs.

use std::fmt;
use std::future::Future;

use http::{HeaderValue, header};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::{CredentialId, ExternalId, ResourceId, TenantId};

/// Decides who sends a request. A [`Service`](crate::Service) cannot be built without one.
///
/// ```
/// use scim_core::auth::{AuthError, Authenticator, Principal};
/// use scim_core::{CredentialId, TenantId};
///
/// /// Believes a proxy that has checked the client's certificate.
/// struct ByCertificate;
///
/// impl Authenticator for ByCertificate {
///     async fn authenticate(&self, request: &http::request::Parts) -> Result<Principal, AuthError> {
///         let subject = request.headers.get("x-client-subject").ok_or(AuthError::Missing)?;
///         match subject.to_str() {
///             Ok("CN=okta,O=acme") => Ok(Principal {
///                 tenant: TenantId::new("acme"),
///                 credential: CredentialId::new("okta"),
///             }),
///             _ => Err(AuthError::Invalid),
///         }
///     }
/// }
/// # let (head, ()) = http::Request::get("/").header("x-client-subject", "CN=okta,O=acme").body(())?.into_parts();
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// assert_eq!(ByCertificate.authenticate(&head).await.unwrap().tenant, TenantId::new("acme"));
/// # });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Authenticator: Send + Sync + 'static {
    /// The principal the request's credential stands for.
    ///
    /// # Errors
    ///
    /// Why the request is refused. Nothing else of it has been looked at by then.
    fn authenticate(
        &self,
        request: &http::request::Parts,
    ) -> impl Future<Output = Result<Principal, AuthError>> + Send;

    /// The resource that `principal` is, of which `/Me` is an alias (RFC 7644 §3.11). Only requests of
    /// that path ask. As provided, [`Subject::NotOffered`].
    ///
    /// # Errors
    ///
    /// Why the request is refused.
    fn subject(
        &self,
        principal: &Principal,
        request: &http::request::Parts,
    ) -> impl Future<Output = Result<Subject, AuthError>> + Send {
        let _ = (principal, request);
        async { Ok(Subject::NotOffered) }
    }

    /// Whether `principal`, who sends a bulk request, may make this `operation` of it (RFC 7644 §3.7).
    ///
    /// `operation` is what the operation would be as a request of its own: its method, its URI, and
    /// the headers of the bulk request. As provided, it is [authenticated](Self::authenticate) as
    /// such, so that a credential that may not do something alone may not do it in bulk either.
    /// Where that costs much, or a credential is good for one request (a signature, a nonce), what
    /// `principal` may do is decided here.
    ///
    /// # Errors
    ///
    /// Why the operation is refused; the others of the bulk request are made all the same.
    fn authorize_operation(
        &self,
        principal: &Principal,
        operation: &http::request::Parts,
    ) -> impl Future<Output = Result<(), AuthError>> + Send {
        async move {
            let alone = self.authenticate(operation).await?;
            if alone.tenant == principal.tenant { Ok(()) } else { Err(AuthError::Forbidden) }
        }
    }

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

/// The resource that a credential stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// Who that is, is not known here: `/Me` is 501.
    NotOffered,
    /// None: the credential is one of a program, such as an identity provider. `/Me` is 404.
    Nobody,
    /// The resource of that type with that `id`.
    Resource {
        /// The name of the resource type: `User`.
        resource_type: String,
        /// The `id`.
        id: ResourceId,
    },
    /// The resource of that type whose attribute has that value. If there is none, a POST to `/Me`
    /// can create it, with that value.
    Named {
        /// The name of the resource type: `User`.
        resource_type: String,
        /// The attribute: `userName`, `externalId`.
        attribute: String,
        /// Its value.
        value: String,
    },
}

impl Subject {
    /// The user with that `id`.
    pub fn user(id: ResourceId) -> Self {
        Self::Resource { resource_type: USER.to_owned(), id }
    }

    /// The user with that `userName`.
    pub fn user_name(name: impl Into<String>) -> Self {
        let (resource_type, attribute) = (USER.to_owned(), "userName".to_owned());
        Self::Named { resource_type, attribute, value: name.into() }
    }

    /// The user with that `externalId`.
    pub fn external_id(id: &ExternalId) -> Self {
        let (resource_type, attribute) = (USER.to_owned(), "externalId".to_owned());
        Self::Named { resource_type, attribute, value: id.as_str().to_owned() }
    }
}

/// The resource type of users.
const USER: &str = "User";

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
///
/// ```
/// use scim_core::auth::Secret;
/// let secret = Secret::new("s3cr3t")?;
/// assert_eq!(format!("{secret} {secret:?}"), "[redacted] [redacted]");
/// assert!(secret.matches("s3cr3t") && !secret.matches("s3cr3T"));
/// assert!(Secret::new("  ").is_err());
/// # Ok::<(), scim_core::auth::BlankSecret>(())
/// ```
#[derive(Clone)]
pub struct Secret(Box<str>);

/// A secret of nothing but white space, which anybody could send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret must not be empty or blank")]
pub struct BlankSecret;

impl Secret {
    /// Takes `text` as a secret, without white space around it, which no header could carry.
    ///
    /// # Errors
    ///
    /// [`BlankSecret`] if nothing is left: an unset secret must never match an empty token.
    pub fn new(text: impl AsRef<str>) -> Result<Self, BlankSecret> {
        let text = text.as_ref().trim();
        if text.is_empty() { Err(BlankSecret) } else { Ok(Self(text.into())) }
    }

    /// Whether `text` is the secret; the time taken tells nothing but the lengths.
    pub fn matches(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }

    /// The secret itself, for the few places that must show or send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Fixed bearer tokens, each for one tenant: enough for one customer, a test or a laptop.
///
/// Reads `Authorization: Bearer T`, and, where told so, `Token token=T` and `Bearer token=T`.
/// Every token is compared, in constant time each, whichever matches.
///
/// ```
/// use scim_core::auth::{Principal, Secret, StaticTokens};
/// use scim_core::{CredentialId, TenantId};
/// let okta = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") };
/// let tokens = StaticTokens::new().with(Secret::new("s3cr3t")?, okta.clone());
/// assert_eq!(tokens.principal("Bearer s3cr3t"), Ok(okta));
/// assert!(tokens.principal("Bearer ").is_err());
/// # Ok::<(), scim_core::auth::BlankSecret>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StaticTokens {
    tokens: Vec<(Secret, Principal)>,
    token_parameter: bool,
    subjects: Vec<(CredentialId, Subject)>,
}

impl StaticTokens {
    /// No token yet: every request is refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// These tokens and `secret`, which stands for `principal`.
    #[must_use]
    pub fn with(mut self, secret: Secret, principal: Principal) -> Self {
        self.tokens.push((secret, principal));
        self
    }

    /// Also reads `Token token=T` and `Bearer token=T`, the spellings that PagerDuty's
    /// instructions make Okta, and OneLogin and Entra ID, send (PagerDuty SCIM API reference and
    /// its integration guides, 2026).
    #[must_use]
    pub fn with_token_parameter(mut self) -> Self {
        self.token_parameter = true;
        self
    }

    /// The credential stands for this resource at `/Me`. Of a credential of which nothing is said,
    /// while something is said of others, it is [`Subject::Nobody`].
    ///
    /// ```
    /// use scim_core::CredentialId;
    /// use scim_core::auth::{StaticTokens, Subject};
    /// let tokens = StaticTokens::new();
    /// assert_eq!(tokens.subject_of(&CredentialId::new("ann's")), Subject::NotOffered);
    /// let tokens = tokens.with_subject(CredentialId::new("ann's"), Subject::user_name("ann"));
    /// assert_eq!(tokens.subject_of(&CredentialId::new("ann's")), Subject::user_name("ann"));
    /// assert_eq!(tokens.subject_of(&CredentialId::new("okta")), Subject::Nobody);
    /// ```
    #[must_use]
    pub fn with_subject(mut self, credential: CredentialId, subject: Subject) -> Self {
        self.subjects.push((credential, subject));
        self
    }

    /// The resource that the credential stands for.
    pub fn subject_of(&self, credential: &CredentialId) -> Subject {
        let said = self.subjects.iter().find(|(other, _)| other == credential);
        match said {
            Some((_, subject)) => subject.clone(),
            None if self.subjects.is_empty() => Subject::NotOffered,
            None => Subject::Nobody,
        }
    }

    /// The principal that the value of an `Authorization` header stands for.
    ///
    /// # Errors
    ///
    /// [`AuthError::Missing`] for an empty header, [`AuthError::Invalid`] for any other that is
    /// not one of the tokens.
    pub fn principal(&self, authorization: &str) -> Result<Principal, AuthError> {
        let authorization = authorization.trim();
        if authorization.is_empty() {
            return Err(AuthError::Missing);
        }
        let token = self.token(authorization).filter(|token| !token.is_empty()).ok_or(AuthError::Invalid)?;
        let mut found = u64::MAX;
        for (index, (secret, _)) in (0..).zip(&self.tokens) {
            let same = secret.0.as_bytes().ct_eq(token.as_bytes());
            found.conditional_assign(&index, same);
        }
        let found = usize::try_from(found).ok().and_then(|index| self.tokens.get(index));
        found.map(|(_, principal)| principal.clone()).ok_or(AuthError::Invalid)
    }

    fn token<'h>(&self, authorization: &'h str) -> Option<&'h str> {
        let (scheme, rest) = authorization.split_once(' ')?;
        let rest = rest.trim();
        let parameter = rest
            .split_once('=')
            .filter(|(name, _)| name.eq_ignore_ascii_case("token"))
            .map(|(_, token)| token);
        if scheme.eq_ignore_ascii_case("bearer") {
            Some(parameter.filter(|_| self.token_parameter).unwrap_or(rest))
        } else if scheme.eq_ignore_ascii_case("token") && self.token_parameter {
            parameter
        } else {
            None
        }
    }
}

impl Authenticator for StaticTokens {
    async fn subject(&self, principal: &Principal, _: &http::request::Parts) -> Result<Subject, AuthError> {
        Ok(self.subject_of(&principal.credential))
    }

    async fn authenticate(&self, request: &http::request::Parts) -> Result<Principal, AuthError> {
        let mut headers = request.headers.get_all(header::AUTHORIZATION).iter();
        match (headers.next(), headers.next()) {
            (None, _) => Err(AuthError::Missing),
            // Two credentials could be read as either, so as none.
            (Some(_), Some(_)) => Err(AuthError::Invalid),
            (Some(header), None) => self.principal(header.to_str().map_err(|_| AuthError::Invalid)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(name: &str) -> Principal {
        Principal { tenant: TenantId::new(name), credential: CredentialId::new(name) }
    }

    fn tokens() -> StaticTokens {
        StaticTokens::new()
            .with(Secret::new("alpha").unwrap(), principal("a"))
            .with(Secret::new("beta=").unwrap(), principal("b"))
    }

    #[test]
    fn a_token_stands_for_its_principal() {
        assert_eq!(tokens().principal("Bearer alpha"), Ok(principal("a")));
        assert_eq!(tokens().principal("bEARER   beta= "), Ok(principal("b")));
    }

    /// A token goes out of use in two steps: the new one is taken beside it, then the old one is not any more.
    /// Both reach the same tenant, and the trail tells them apart.
    #[test]
    fn a_token_is_rotated_while_both_are_taken() {
        let of = |credential: &str| Principal {
            tenant: TenantId::new("acme"),
            credential: CredentialId::new(credential),
        };
        let old = |tokens: StaticTokens| tokens.with(Secret::new("of-last-year").unwrap(), of("2025"));
        let new = |tokens: StaticTokens| tokens.with(Secret::new("of-this-year").unwrap(), of("2026"));
        let served = [old(StaticTokens::new()), new(old(StaticTokens::new())), new(StaticTokens::new())];
        let found = served.map(|tokens| {
            ["Bearer of-last-year", "Bearer of-this-year"].map(|header| tokens.principal(header))
        });
        let refused = Err(AuthError::Invalid);
        assert_eq!(
            found,
            [[Ok(of("2025")), refused.clone()], [Ok(of("2025")), Ok(of("2026"))], [refused, Ok(of("2026"))],]
        );
    }

    #[test]
    fn anything_else_is_nobody() {
        assert_eq!(tokens().principal(""), Err(AuthError::Missing));
        for header in [
            "Bearer",
            "Bearer ",
            "Bearer alph",
            "Bearer alphaa",
            "Bearer ALPHA",
            "alpha",
            "Basic alpha",
            "Token token=alpha",
            "Bearer token=alpha",
            "Bearer alpha beta=",
            "Bearer\talpha",
            "Token alpha",
        ] {
            assert_eq!(tokens().principal(header), Err(AuthError::Invalid), "{header}");
        }
        assert_eq!(StaticTokens::new().principal("Bearer x"), Err(AuthError::Invalid));
    }

    #[test]
    fn the_token_parameter_is_read_where_told_so() {
        let tokens = tokens().with_token_parameter();
        for header in ["Token token=alpha", "Bearer token=alpha", "Bearer alpha", "token TOKEN=alpha"] {
            assert_eq!(tokens.principal(header), Ok(principal("a")), "{header}");
        }
        assert_eq!(tokens.principal("Token token=beta="), Ok(principal("b")));
        for header in ["Token alpha", "Token token=", "Bearer token=", "Token token=token=alpha"] {
            assert_eq!(tokens.principal(header), Err(AuthError::Invalid), "{header}");
        }
    }

    #[test]
    fn blank_secrets_are_refused() {
        for text in ["", " ", "\t\n"] {
            assert_eq!(Secret::new(text).unwrap_err(), BlankSecret);
        }
        assert_eq!(BlankSecret.to_string(), "a secret must not be empty or blank");
    }

    #[test]
    fn nothing_secret_is_printed() {
        assert!(!format!("{:?}", tokens()).contains("alpha"));
    }
}
