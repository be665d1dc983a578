//! Answers, and what goes wrong, as HTTP responses.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::content::{Content, ListText};
use super::media_type::SCIM_JSON;
use crate::auth::AuthError;
use crate::error::quote;
use crate::store::StoreError;
use crate::value::Value;
use crate::{Error, ResourceId, Version};

/// A successful answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) location: Option<String>,
    pub(super) version: Option<Version>,
    pub(super) body: Option<Content>,
}

impl Reply {
    pub(super) fn ok(body: impl Into<Value>) -> Self {
        Self { body: Some(Content::Message(body.into())), ..Self::empty(StatusCode::OK) }
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, location: None, version: None, body: None }
    }

    pub(super) fn list(list: ListText) -> Self {
        Self { body: Some(Content::List(Box::new(list))), ..Self::empty(StatusCode::OK) }
    }

    /// The response, whose body is still to be written.
    pub(super) fn into_parts(self, etag: bool) -> (Response<Bytes>, Option<Content>) {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.status;
        if self.body.is_some() {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON));
        }
        if let Some(version) = self.version.filter(|_| etag) {
            set(&mut response, header::ETAG, &version.to_string());
        }
        if let Some(location) = &self.location {
            set(&mut response, header::LOCATION, location);
        }
        (response, self.body)
    }
}

/// Why a request is refused; some refusals bring a header with them.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(Error),
    Unauthenticated(AuthError),
    MethodNotAllowed { method: String, allow: &'static str },
    Store(StoreError),
}

impl Failure {
    /// The error for the client; `resource` is what the request's path names, if anything.
    pub(super) fn error(&self, resource: Option<(&str, &ResourceId)>) -> Error {
        match (self, resource) {
            (Self::Store(StoreError::NotFound), Some((kind, id))) => {
                let detail = format!("there is no {kind} with the id {}", quote(id.as_str()));
                Error::new(StatusCode::NOT_FOUND, detail)
            }
            (failure, _) => failure.general_error(),
        }
    }

    /// Whether it is that the store did not answer.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_silence())
    }

    /// The failure inside the store behind it.
    pub(super) fn into_cause(self) -> Option<Arc<StoreError>> {
        match self {
            Self::Store(error) => Some(Arc::new(error)),
            _ => None,
        }
    }

    fn general_error(&self) -> Error {
        match self {
            Self::Refused(error) => error.clone(),
            Self::Unauthenticated(error) => (*error).into(),
            Self::MethodNotAllowed { method, allow } => Error::new(
                StatusCode::METHOD_NOT_ALLOWED,
                format!("{} is not a method of this endpoint, which has {allow}", quote(method)),
            ),
            Self::Store(error) => error.into(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(error) => Self::Refused(error),
            error => Self::Store(error),
        }
    }
}

/// A response with `body` as SCIM JSON, or without one.
pub(crate) fn respond(status: StatusCode, body: Option<&Value>) -> Response<Bytes> {
    let bytes = body.map(|body| Bytes::from(serde_json::to_vec(body).unwrap_or_default()));
    let mut response = Response::new(bytes.clone().unwrap_or_default());
    *response.status_mut() = status;
    if bytes.is_some() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON));
    }
    response
}

/// Sets a header whose text the service made; one that cannot be a header is left out.
pub(super) fn set(response: &mut Response<Bytes>, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(name, value);
    }
}
