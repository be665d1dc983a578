//! What is answered: a status, a document, and PagerDuty's errors.

use http::StatusCode;
use serde_json::{Value, json};

/// A status and what comes with it.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Option<Value>,
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body) }
    }

    pub(super) fn created(body: Value) -> Self {
        Self { status: StatusCode::CREATED, body: Some(body) }
    }

    pub(super) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None }
    }
}

/// A refusal, as `docs/REST-API/14-Errors.md` has it.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: u32,
    message: &'static str,
    errors: Vec<String>,
}

impl Refusal {
    const fn new(status: StatusCode, code: u32, message: &'static str) -> Self {
        Self { status, code, message, errors: Vec::new() }
    }

    fn because(mut self, error: impl Into<String>) -> Self {
        self.errors.push(error.into());
        self
    }

    /// 2001, for one reason.
    pub(super) fn invalid(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 2001, "Invalid Input Provided").because(error)
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 2006, "Authentication failed")
    }

    pub(super) fn denied(error: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, 2010, "Access Denied").because(error)
    }

    pub(super) fn missing_ability(ability: &str) -> Self {
        Self::new(StatusCode::PAYMENT_REQUIRED, 2014, "Missing Account Ability")
            .because(format!("the account has no ability `{ability}`"))
    }

    pub(super) fn rate_limited() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, 2020, "Rate Limit Exceeded")
    }

    pub(super) fn no_user() -> Self {
        Self::new(StatusCode::NOT_FOUND, 2013, "User not found")
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, 2100, "Not Found")
    }

    pub(super) fn no_team() -> Self {
        Self::new(StatusCode::NOT_FOUND, 6001, "Team Not Found")
    }

    pub(super) fn bad_reassignment() -> Self {
        let message = "Team has Incidents but Reassignment Team is not valid";
        Self::new(StatusCode::BAD_REQUEST, 6002, message)
    }

    pub(super) fn no_reassignment() -> Self {
        let message = "Team has Incidents but Reassignment Team is not found";
        Self::new(StatusCode::BAD_REQUEST, 6003, message)
    }

    /// The status is not documented; the Terraform provider waits for a 400 to pass.
    pub(super) fn associations() -> Self {
        Self::new(StatusCode::BAD_REQUEST, 6006, "Team has existing associations")
    }

    pub(super) fn internal() -> Self {
        let message = "An internal error has occurred. PagerDuty team has been notified.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 2000, message)
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, code, message, errors } = refusal;
        let mut error = json!({"message": message, "code": code});
        if let (Value::Object(error), false) = (&mut error, errors.is_empty()) {
            error.insert("errors".to_owned(), errors.into());
        }
        Self { status, body: Some(json!({"error": error})) }
    }
}
