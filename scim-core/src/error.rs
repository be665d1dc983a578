//! The SCIM wire error (RFC 7644 §3.12).

use std::borrow::Cow;

use http::StatusCode;
use scim_filter::BindErrorKind;

use crate::auth::AuthError;
use crate::leniency::Leniency;
use crate::membership::MEMBERS;
use crate::store::StoreError;
use crate::value::{JsonError, Object, Value};

/// A SCIM error as it goes over the wire (RFC 7644 §3.12): status, `scimType` and a detail for
/// people.
///
/// ```
/// use scim_core::{Error, ScimType};
/// let error = Error::bad_request(ScimType::InvalidValue, "`userName` is required");
/// assert_eq!(
///     error.to_value().to_string(),
///     concat!(
///         r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"invalidValue","#,
///         r#""detail":"`userName` is required","status":"400"}"#,
///     ),
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {detail}")]
pub struct Error {
    status: StatusCode,
    scim_type: Option<ScimType>,
    detail: Cow<'static, str>,
    // Few errors have it, and every result has room for an error.
    unsent: Option<Box<Unsent>>,
}

/// What is known of an error beyond what is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Unsent {
    rule: Option<Cow<'static, str>>,
    subject: Option<Box<str>>,
    remedy: Option<Box<str>>,
}

/// The detail error keywords of RFC 7644 table 9 and of RFC 9865 table 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScimType {
    /// `invalidFilter`
    InvalidFilter,
    /// `tooMany`
    TooMany,
    /// `uniqueness`
    Uniqueness,
    /// `mutability`
    Mutability,
    /// `invalidSyntax`
    InvalidSyntax,
    /// `invalidPath`
    InvalidPath,
    /// `noTarget`
    NoTarget,
    /// `invalidValue`
    InvalidValue,
    /// `invalidVers`
    InvalidVers,
    /// `sensitive`
    Sensitive,
    /// `invalidCursor`
    InvalidCursor,
    /// `expiredCursor`
    ExpiredCursor,
    /// `invalidCount`
    InvalidCount,
}

impl Error {
    /// An error without `scimType`.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, scim_type: None, detail: detail.into(), unsent: None }
    }

    /// A 400 with `scimType`; [`Error::with_status`] changes the status.
    pub fn bad_request(scim_type: ScimType, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            scim_type: Some(scim_type),
            detail: detail.into(),
            unsent: None,
        }
    }

    /// The same error with another status.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same error with the name of the rule that refuses, of those that a service provider has
    /// beyond the RFCs. It is not sent, but stands in the [audit trail](crate::audit).
    ///
    /// ```
    /// use scim_core::Error;
    /// let error = Error::new(http::StatusCode::FORBIDDEN, "the office is closed").with_rule("office-hours");
    /// assert_eq!(error.rule(), Some("office-hours"));
    /// assert_eq!(error.to_value().as_object().and_then(|body| body.get("rule")), None);
    /// ```
    pub fn with_rule(mut self, rule: impl Into<Cow<'static, str>>) -> Self {
        self.unsent.get_or_insert_default().rule = Some(rule.into());
        self
    }

    /// The same error, saying that `leniency` would have prevented it.
    pub(crate) fn without(mut self, leniency: Leniency) -> Self {
        self.detail = format!("{} (the leniency `{leniency}` is off)", self.detail).into();
        self
    }

    /// The same error of a request that has in its body what others have in the URI: `sensitive`,
    /// which asks for POST, is `invalidFilter` of a POST.
    pub(crate) fn in_body(self) -> Self {
        match self.scim_type {
            Some(ScimType::Sensitive) => Self::bad_request(ScimType::InvalidFilter, self.detail),
            _ => self,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The keyword.
    pub fn scim_type(&self) -> Option<ScimType> {
        self.scim_type
    }

    /// What is wrong and where, for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The same error with whom or what the rule refuses it for, where the request does not name that: a member of
    /// a group, for example. Clients are not told, save by the detail; the [audit trail](crate::audit) has it.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<Box<str>>) -> Self {
        self.unsent.get_or_insert_default().subject = Some(subject.into());
        self
    }

    /// For whom or what the rule refuses, if it was said.
    pub fn subject(&self) -> Option<&str> {
        self.unsent.as_ref()?.subject.as_deref()
    }

    /// The same error with what whoever runs the service can do about it: the command that permits what was refused,
    /// for example, with places that are no client's business. It is not sent; the [audit trail](crate::audit) has it.
    ///
    /// ```
    /// use scim_core::Error;
    /// let error = Error::new(http::StatusCode::FORBIDDEN, "the office is closed").with_remedy("`office open --door 7`");
    /// assert_eq!(error.remedy(), Some("`office open --door 7`"));
    /// assert_eq!(error.to_value().as_object().and_then(|body| body.get("remedy")), None);
    /// ```
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<Box<str>>) -> Self {
        self.unsent.get_or_insert_default().remedy = Some(remedy.into());
        self
    }

    /// What whoever runs the service can do about it, if that was said.
    pub fn remedy(&self) -> Option<&str> {
        self.unsent.as_ref()?.remedy.as_deref()
    }

    /// The rule that refuses, if it was named.
    pub fn rule(&self) -> Option<&str> {
        self.unsent.as_ref()?.rule.as_deref()
    }
}

/// The conversion table: what each inner error is on the wire. Details name what is wrong in the
/// request; what goes on inside a store or an authenticator stays inside.
impl Error {
    /// A text that is no filter: 400 `invalidFilter`.
    pub fn filter_syntax(error: &scim_filter::ParseError) -> Self {
        Self::bad_request(ScimType::InvalidFilter, format!("the filter is not valid: {error}"))
    }

    /// A filter that does not fit the schema: 400 `invalidFilter`, or 403 `sensitive` where its
    /// outcome would reveal a value that is never returned (RFC 7644 §7.5.2). Of a POST, whose URI
    /// has no filter, the service makes that `invalidFilter` too.
    pub fn filter_binding(error: &scim_filter::BindError) -> Self {
        match error.kind() {
            BindErrorKind::Sensitive => {
                Self::bad_request(ScimType::Sensitive, format!("the filter is not permitted: {error}"))
                    .with_status(StatusCode::FORBIDDEN)
            }
            _ => Self::bad_request(ScimType::InvalidFilter, format!("the filter is not valid: {error}")),
        }
    }

    /// A text that is no PATCH path: 400 `invalidPath`.
    pub fn path_syntax(error: &scim_filter::ParseError) -> Self {
        Self::bad_request(ScimType::InvalidPath, format!("the path is not valid: {error}"))
    }

    /// A PATCH path that does not fit the schema: 400 `invalidPath`.
    pub fn path_binding(error: &scim_filter::BindError) -> Self {
        Self::bad_request(ScimType::InvalidPath, format!("the path is not valid: {error}"))
    }

    /// A cursor that is none of this list: 400 `invalidCursor`. Whatever is wrong with it, the
    /// detail is the same, so that it tells nothing of another tenant's list (RFC 9865 §5.2).
    pub(crate) fn invalid_cursor() -> Self {
        let detail = "the cursor is not valid for this request; an empty one asks for the first page";
        Self::bad_request(ScimType::InvalidCursor, detail)
    }

    /// The error as the body of a response (RFC 7644 §3.12); the status is a string there.
    pub fn to_value(&self) -> Value {
        let mut body = Object::new();
        body.insert("schemas", vec![Value::from(crate::message::ERROR)]);
        if let Some(scim_type) = self.scim_type {
            body.insert("scimType", scim_type.as_str());
        }
        body.insert("detail", self.detail());
        body.insert("status", self.status.as_str());
        Value::Object(body)
    }
}

/// A body that is no JSON: 400 `invalidSyntax`.
impl From<JsonError> for Error {
    fn from(error: JsonError) -> Self {
        Self::bad_request(ScimType::InvalidSyntax, format!("the body is not valid JSON: {error}"))
    }
}

/// A refused credential: 401, 403, or 503 where none can be checked.
impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        let status = match error {
            AuthError::Missing | AuthError::Invalid => StatusCode::UNAUTHORIZED,
            AuthError::Forbidden => StatusCode::FORBIDDEN,
            AuthError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

/// A failed store call: 404, 409 `uniqueness`, 400 `invalidValue` (twice), 409, 400 `invalidFilter`, `invalidValue` or
/// `invalidCursor`, 503 or 500, or what the store refuses with.
///
/// The service answers a version mismatch with 412 instead where the client sent `If-Match`.
impl From<&StoreError> for Error {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::new(StatusCode::NOT_FOUND, "there is no such resource"),
            StoreError::Conflict { attribute } => Self::bad_request(
                ScimType::Uniqueness,
                format!("another resource has the same value of `{attribute}`"),
            )
            .with_status(StatusCode::CONFLICT),
            StoreError::Dangling(id) => {
                let member = quote(id.as_str());
                let detail = format!("`{MEMBERS}` names {member}, and there is no such resource");
                Self::bad_request(ScimType::InvalidValue, detail)
            }
            StoreError::Circle(id) => {
                let member = quote(id.as_str());
                let why = "which has the group as a member, directly or through other groups";
                Self::bad_request(ScimType::InvalidValue, format!("`{MEMBERS}` names {member}, {why}"))
            }
            StoreError::VersionMismatch => {
                Self::new(StatusCode::CONFLICT, "the resource was changed by other requests meanwhile")
            }
            StoreError::UnsupportedFilter(clause) => {
                Self::bad_request(ScimType::InvalidFilter, format!("the filter is not supported: {clause}"))
            }
            StoreError::UnsupportedSort(attribute) => {
                Self::bad_request(ScimType::InvalidValue, format!("`sortBy` is not supported: {attribute}"))
            }
            StoreError::UnknownPlace => Self::invalid_cursor(),
            StoreError::Refused(error) => error.clone(),
            StoreError::Unavailable(_) | StoreError::PutOff => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "the service cannot answer now; try again later")
            }
            StoreError::OutcomeUnknown(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the service cannot tell whether the change was made; look before trying again",
            ),
            StoreError::Internal(_) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the service could not complete the request")
            }
        }
    }
}

impl ScimType {
    /// Every keyword.
    pub(crate) const ALL: [Self; 13] = [
        Self::InvalidFilter,
        Self::TooMany,
        Self::Uniqueness,
        Self::Mutability,
        Self::InvalidSyntax,
        Self::InvalidPath,
        Self::NoTarget,
        Self::InvalidValue,
        Self::InvalidVers,
        Self::Sensitive,
        Self::InvalidCursor,
        Self::ExpiredCursor,
        Self::InvalidCount,
    ];

    /// The keyword as its RFC spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

/// Client text in an error detail: in backticks, cut where it is long, control characters escaped,
/// so that it can neither blow up a response nor forge a line of a log.
pub(crate) fn quote(text: &str) -> String {
    let (text, more) = cut(text);
    format!("`{text}`{more}")
}

/// The start of client text, control characters escaped, and a mark if that is not all.
pub(crate) fn cut(text: &str) -> (Cow<'_, str>, &'static str) {
    const MOST: usize = 80;
    let (text, more) = match text.char_indices().nth(MOST) {
        Some((end, _)) => (text.get(..end).unwrap_or_default(), "…"),
        None => (text, ""),
    };
    if !text.contains(char::is_control) {
        return (text.into(), more);
    }
    let mut escaped = String::new();
    for character in text.chars() {
        match character.is_control() {
            true => escaped.extend(character.escape_default()),
            false => escaped.push(character),
        }
    }
    (escaped.into(), more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_text_is_cut_and_cannot_break_a_line() {
        assert_eq!(quote("userName"), "`userName`");
        assert_eq!(quote("a\nb\u{7f}é"), "`a\\nb\\u{7f}é`");
        assert_eq!(quote(&"é".repeat(80)), format!("`{}`", "é".repeat(80)));
        assert_eq!(quote(&"é".repeat(81)), format!("`{}`…", "é".repeat(80)));
    }
}
