//! Several operations in one request, and what became of each (RFC 7644 §3.7).

use std::fmt;

use http::{Method, StatusCode};

use super::{BULK_REQUEST, BULK_RESPONSE, lists_schema};
use crate::error::{cut, quote};
use crate::leniency::{Leniencies, Leniency};
use crate::value::{Object, Value};
use crate::{Error, ScimType, Version};

/// Several operations in one request.
///
/// ```
/// use scim_core::leniency::Leniencies;
/// use scim_core::message::{BulkMethod, BulkRequest};
///
/// let body: scim_core::Value = r#"{
///     "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
///     "failOnErrors": 1,
///     "Operations": [
///         {"method": "POST", "path": "/Users", "bulkId": "qwerty", "data": {"userName": "Alice"}},
///         {"method": "DELETE", "path": "/Users/7", "version": "W/\"3\""},
///         {"method": "POST", "path": "/Users"}
///     ]
/// }"#.parse()?;
/// let bulk = BulkRequest::parse(body, 1000, &Leniencies::strict(), &mut Vec::new())?;
/// assert_eq!(bulk.fail_on_errors, Some(1));
/// assert!(matches!(&bulk.operations[0], Ok(create) if create.method == BulkMethod::Post));
/// assert!(matches!(&bulk.operations[1], Ok(delete) if delete.path.as_ref() == "/Users/7"));
/// // What is wrong with one operation is no matter of the others.
/// let refused = bulk.operations[2].as_ref().unwrap_err();
/// assert_eq!(refused.error.detail(), "bulkId: a POST in a bulk request needs one");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BulkRequest {
    /// `failOnErrors`: after how many errors no further operation is made; at least 1.
    pub fail_on_errors: Option<usize>,
    /// `Operations`, at least one.
    pub operations: Vec<Result<BulkOperation, InvalidOperation>>,
}

/// One operation of a [`BulkRequest`].
#[derive(Clone, Debug, PartialEq)]
pub struct BulkOperation {
    /// `method`
    pub method: BulkMethod,
    /// `path`, below the base URL: `/Users`, `/Users/7`.
    pub path: Box<str>,
    /// `bulkId`; a POST has one.
    pub bulk_id: Option<Box<str>>,
    /// `version`, which counts as the `If-Match` of a PUT, PATCH or DELETE.
    pub version: Option<Box<str>>,
    /// `data`; a POST, PUT and PATCH has it.
    pub data: Option<Value>,
}

/// What an operation of a bulk request may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BulkMethod {
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

/// An operation that lacks what it must have.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidOperation {
    /// `method`, as far as it is a string.
    pub method: Option<Box<str>>,
    /// `path`, if it is a string.
    pub path: Option<Box<str>>,
    /// `bulkId`, if it is a string.
    pub bulk_id: Option<Box<str>>,
    /// What it lacks: 400 `invalidSyntax`.
    pub error: Error,
}

impl BulkRequest {
    /// Reads the message; attributes it does not define are ignored, `null` counts as absent.
    ///
    /// # Errors
    ///
    /// 400 `invalidSyntax` for a body that is no object, that does not list the message's URI
    /// unless [`Leniency::MissingSchemas`] is on, or that has no array of `Operations`, each of
    /// them an object; 400 `invalidValue` for a `failOnErrors` that is no integer of at least 1;
    /// 413 for more than `max_operations`.
    pub fn parse(
        body: Value,
        max_operations: usize,
        leniencies: &Leniencies,
        fired: &mut Vec<Leniency>,
    ) -> Result<Self, Error> {
        let syntax = |detail: &'static str| Error::bad_request(ScimType::InvalidSyntax, detail);
        let Value::Object(mut body) = body else {
            return Err(syntax("body: a bulk request is a JSON object"));
        };
        if !lists_schema(&body, BULK_REQUEST) && !leniencies.take(Leniency::MissingSchemas, fired) {
            let detail = format!("schemas: the URI `{BULK_REQUEST}` is required");
            return Err(Error::bad_request(ScimType::InvalidSyntax, detail).without(Leniency::MissingSchemas));
        }
        let fail_on_errors = fail_on_errors(body.remove("failOnErrors"))?;
        let Some(Value::Array(operations)) = body.remove("Operations") else {
            return Err(syntax("Operations: an array of operations is required"));
        };
        if operations.is_empty() {
            return Err(syntax("Operations: at least one operation is required"));
        }
        if operations.len() > max_operations {
            let detail = format!(
                "the number of operations ({}) exceeds the maxOperations ({max_operations})",
                operations.len()
            );
            return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        let operations = operations.into_iter().enumerate().map(|(index, value)| match value {
            Value::Object(members) => Ok(operation(members)),
            _ => {
                let detail = format!("Operations[{index}]: an operation is a JSON object");
                Err(Error::bad_request(ScimType::InvalidSyntax, detail))
            }
        });
        Ok(Self { fail_on_errors, operations: operations.collect::<Result<_, _>>()? })
    }
}

fn fail_on_errors(value: Option<Value>) -> Result<Option<usize>, Error> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_i64().and_then(|number| usize::try_from(number).ok());
            number.filter(|number| *number > 0).map(Some).ok_or_else(|| {
                let detail = "failOnErrors: must be an integer of at least 1";
                Error::bad_request(ScimType::InvalidValue, detail)
            })
        }
    }
}

fn operation(members: Object) -> Result<BulkOperation, InvalidOperation> {
    let told = |name: &str| members.get(name).and_then(Value::as_str).map(Box::from);
    let (method, path, bulk_id): (Option<Box<str>>, _, _) = (told("method"), told("path"), told("bulkId"));
    read(members).map_err(|detail| InvalidOperation {
        method: method.map(|method| cut(&method).0.into()),
        path,
        bulk_id,
        error: Error::bad_request(ScimType::InvalidSyntax, detail),
    })
}

fn read(mut members: Object) -> Result<BulkOperation, String> {
    let mut text = |name: &str| match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok((!text.is_empty()).then_some(text)),
        Some(_) => Err(format!("{name}: must be a string")),
    };
    let method = BulkMethod::read(text("method")?.as_deref())?;
    let path = text("path")?.ok_or("path: an operation needs one")?;
    let (bulk_id, version) = (text("bulkId")?, text("version")?);
    if method == BulkMethod::Post && bulk_id.is_none() {
        return Err("bulkId: a POST in a bulk request needs one".to_owned());
    }
    let data = members.remove("data").filter(|data| *data != Value::Null);
    if method != BulkMethod::Delete && data.is_none() {
        return Err(format!("data: a {method} needs it"));
    }
    Ok(BulkOperation { method, path, bulk_id, version, data })
}

impl BulkMethod {
    /// The method as HTTP spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    fn read(text: Option<&str>) -> Result<Self, String> {
        let known = [Self::Post, Self::Put, Self::Patch, Self::Delete];
        match text {
            None => Err("method: one of `POST`, `PUT`, `PATCH`, `DELETE` is required".to_owned()),
            Some(text) => known.into_iter().find(|method| method.as_str() == text).ok_or_else(|| {
                format!("method: {} is none of `POST`, `PUT`, `PATCH`, `DELETE`", quote(text))
            }),
        }
    }
}

impl fmt::Display for BulkMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<BulkMethod> for Method {
    fn from(method: BulkMethod) -> Self {
        match method {
            BulkMethod::Post => Self::POST,
            BulkMethod::Put => Self::PUT,
            BulkMethod::Patch => Self::PATCH,
            BulkMethod::Delete => Self::DELETE,
        }
    }
}

/// What became of the operations of a [`BulkRequest`], in the order of the request.
///
/// ```
/// use http::StatusCode;
/// use scim_core::message::{BulkResponse, BulkResult};
/// let created = BulkResult {
///     location: Some("https://example.com/scim/v2/Users/92b725cd".to_owned()),
///     method: Some("POST".into()),
///     bulk_id: Some("qwerty".into()),
///     version: None,
///     status: StatusCode::CREATED,
///     response: None,
/// };
/// let message = serde_json::Value::from(BulkResponse { operations: vec![created] }.into_value());
/// assert_eq!(message["Operations"][0]["status"], "201");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BulkResponse {
    /// `Operations`: those that were processed.
    pub operations: Vec<BulkResult>,
}

/// What became of one operation.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkResult {
    /// `location` of the resource; a POST that failed has none.
    pub location: Option<String>,
    /// `method` of the operation.
    pub method: Option<Box<str>>,
    /// `bulkId` of the operation.
    pub bulk_id: Option<Box<str>>,
    /// `version` the resource is in.
    pub version: Option<Version>,
    /// `status`
    pub status: StatusCode,
    /// `response`: the body, which a status outside the 200s must have.
    pub response: Option<Value>,
}

impl BulkResponse {
    /// The message as JSON.
    pub fn into_value(self) -> Value {
        let mut message = Object::new();
        message.insert("schemas", vec![Value::from(BULK_RESPONSE)]);
        message.insert("Operations", self.operations.into_iter().map(result).collect::<Value>());
        Value::Object(message)
    }
}

fn result(result: BulkResult) -> Value {
    let mut members = Object::new();
    if let Some(location) = result.location {
        members.insert("location", location);
    }
    if let Some(method) = result.method {
        members.insert("method", method);
    }
    if let Some(bulk_id) = result.bulk_id {
        members.insert("bulkId", bulk_id);
    }
    if let Some(version) = result.version {
        members.insert("version", version.to_string());
    }
    members.insert("status", result.status.as_str());
    if let Some(response) = result.response {
        members.insert("response", response);
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: serde_json::Value) -> Result<BulkRequest, Error> {
        BulkRequest::parse(body.into(), 2, &Leniencies::tolerant(), &mut Vec::new())
    }

    #[test]
    fn what_is_no_bulk_request_is_refused_as_a_whole() {
        for (body, status, detail) in [
            (json!([]), 400, "body: a bulk request is a JSON object"),
            (json!({}), 400, "Operations: an array of operations is required"),
            (json!({"Operations": {}}), 400, "Operations: an array of operations is required"),
            (json!({"Operations": []}), 400, "Operations: at least one operation is required"),
            (json!({"Operations": [{}, 1]}), 400, "Operations[1]: an operation is a JSON object"),
            (
                json!({"Operations": [{}, {}, {}]}),
                413,
                "the number of operations (3) exceeds the maxOperations (2)",
            ),
            (
                json!({"failOnErrors": 0, "Operations": [{}]}),
                400,
                "failOnErrors: must be an integer of at least 1",
            ),
            (
                json!({"failOnErrors": "1", "Operations": [{}]}),
                400,
                "failOnErrors: must be an integer of at least 1",
            ),
            (
                json!({"failOnErrors": -1, "Operations": [{}]}),
                400,
                "failOnErrors: must be an integer of at least 1",
            ),
        ] {
            let error = parse(body).unwrap_err();
            assert_eq!((error.status().as_u16(), error.detail()), (status, detail));
        }
        let strict = BulkRequest::parse(json!({}).into(), 2, &Leniencies::strict(), &mut Vec::new());
        assert_eq!(
            strict.unwrap_err().detail(),
            format!("schemas: the URI `{BULK_REQUEST}` is required (the leniency `missing-schemas` is off)")
        );
    }

    #[test]
    fn what_an_operation_lacks_is_its_own_error() {
        for (operation, detail) in [
            (json!({}), "method: one of `POST`, `PUT`, `PATCH`, `DELETE` is required"),
            (json!({"method": 1}), "method: must be a string"),
            (json!({"method": "post"}), "method: `post` is none of `POST`, `PUT`, `PATCH`, `DELETE`"),
            (json!({"method": "GET"}), "method: `GET` is none of `POST`, `PUT`, `PATCH`, `DELETE`"),
            (json!({"method": "DELETE"}), "path: an operation needs one"),
            (json!({"method": "DELETE", "path": ""}), "path: an operation needs one"),
            (json!({"method": "DELETE", "path": []}), "path: must be a string"),
            (json!({"method": "DELETE", "path": "/Users/1", "version": 1}), "version: must be a string"),
            (json!({"method": "POST", "path": "/Users"}), "bulkId: a POST in a bulk request needs one"),
            (
                json!({"method": "POST", "path": "/Users", "bulkId": ""}),
                "bulkId: a POST in a bulk request needs one",
            ),
            (json!({"method": "POST", "path": "/Users", "bulkId": 1}), "bulkId: must be a string"),
            (json!({"method": "POST", "path": "/Users", "bulkId": "a"}), "data: a POST needs it"),
            (json!({"method": "PUT", "path": "/Users/1", "data": null}), "data: a PUT needs it"),
        ] {
            let bulk = parse(json!({ "Operations": [operation] })).unwrap();
            let error = &bulk.operations[0].as_ref().unwrap_err().error;
            assert_eq!(error.detail(), detail);
            assert_eq!(error.scim_type(), Some(ScimType::InvalidSyntax));
        }
    }

    #[test]
    fn null_is_absent_and_a_refused_operation_can_be_told_by_its_bulk_id() {
        let bulk = parse(json!({
            "failOnErrors": null,
            "Operations": [
                {"method": "DELETE", "path": "/Users/1", "bulkId": null, "version": null, "data": null},
                {"method": "x".repeat(1000), "bulkId": "a"},
            ],
        }))
        .unwrap();
        assert_eq!(bulk.fail_on_errors, None);
        let delete = bulk.operations[0].as_ref().unwrap();
        assert_eq!((&delete.bulk_id, &delete.version, &delete.data), (&None, &None, &None));
        let refused = bulk.operations[1].as_ref().unwrap_err();
        assert_eq!(refused.bulk_id.as_deref(), Some("a"));
        assert_eq!(refused.method.as_deref(), Some(&*"x".repeat(80)));
    }
}
