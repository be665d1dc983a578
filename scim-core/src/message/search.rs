//! A query in the body of a POST (RFC 7644 §3.4.3).

use super::{SEARCH_REQUEST, lists_schema};
use crate::leniency::{Leniencies, Leniency};
use crate::value::Value;
use crate::{Error, ScimType};

/// A query in the body of a POST: what a GET has as parameters, kept out of URLs and their logs.
///
/// ```
/// use scim_core::leniency::Leniencies;
/// use scim_core::message::SearchRequest;
/// use scim_core::value::JsonLimits;
///
/// let body = br#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
///     "filter": "userName sw \"b\"", "attributes": ["userName", "emails"], "count": 10}"#;
/// let body = scim_core::Value::from_slice(body, &JsonLimits::default())?;
/// let search = SearchRequest::parse(body, &Leniencies::strict(), &mut Vec::new())?;
/// assert_eq!(search.filter.as_deref(), Some("userName sw \"b\""));
/// assert_eq!(search.attributes, ["userName", "emails"]);
/// assert_eq!(search.count.as_deref(), Some("10"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchRequest {
    /// `filter`, as written.
    pub filter: Option<String>,
    /// `sortBy`, as written.
    pub sort_by: Option<String>,
    /// `sortOrder`, as written; [`Sort::parse`](crate::sort::Sort::parse) reads both.
    pub sort_order: Option<String>,
    /// `startIndex`, as written; [`Window::parse`](crate::pagination::Window::parse) reads it.
    pub start_index: Option<String>,
    /// `cursor` (RFC 9865 §3); empty for the first page.
    pub cursor: Option<String>,
    /// `count`, as written.
    pub count: Option<String>,
    /// `attributes`
    pub attributes: Vec<String>,
    /// `excludedAttributes`
    pub excluded_attributes: Vec<String>,
}

impl SearchRequest {
    /// Reads the message; attributes it does not define are ignored, `null` counts as absent.
    ///
    /// # Errors
    ///
    /// 400 `invalidSyntax` for a body that is no object, or that does not list the message's URI
    /// unless [`Leniency::MissingSchemas`] is on; 400 `invalidValue` for an attribute of another type.
    pub fn parse(body: Value, leniencies: &Leniencies, fired: &mut Vec<Leniency>) -> Result<Self, Error> {
        let Value::Object(body) = body else {
            let detail = "body: a search request is a JSON object";
            return Err(Error::bad_request(ScimType::InvalidSyntax, detail));
        };
        if !lists_schema(&body, SEARCH_REQUEST) && !leniencies.take(Leniency::MissingSchemas, fired) {
            let detail = format!("schemas: the URI `{SEARCH_REQUEST}` is required");
            return Err(Error::bad_request(ScimType::InvalidSyntax, detail).without(Leniency::MissingSchemas));
        }
        let mut search = Self::default();
        for (name, value) in body {
            match () {
                () if value == Value::Null => {}
                () if name.matches("filter") => search.filter = Some(text("filter", value)?),
                () if name.matches("sortBy") => search.sort_by = Some(text("sortBy", value)?),
                () if name.matches("sortOrder") => search.sort_order = Some(text("sortOrder", value)?),
                () if name.matches("cursor") => search.cursor = Some(text("cursor", value)?),
                () if name.matches("startIndex") => search.start_index = Some(number("startIndex", value)?),
                () if name.matches("count") => search.count = Some(number("count", value)?),
                () if name.matches("attributes") => search.attributes = texts("attributes", value)?,
                () if name.matches("excludedAttributes") => {
                    search.excluded_attributes = texts("excludedAttributes", value)?;
                }
                () => {}
            }
        }
        Ok(search)
    }
}

fn text(name: &str, value: Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text.into()),
        _ => Err(wrong(name, "a string")),
    }
}

/// An integer as its text; a string that holds one is taken too, as it is in a query string.
fn number(name: &str, value: Value) -> Result<String, Error> {
    match value {
        Value::Number(_) => Ok(value.to_string()),
        Value::String(text) => Ok(text.into()),
        _ => Err(wrong(name, "an integer")),
    }
}

fn texts(name: &str, value: Value) -> Result<Vec<String>, Error> {
    match value {
        Value::Array(elements) => elements
            .into_iter()
            .enumerate()
            .map(|(place, element)| text(&format!("{name}[{place}]"), element))
            .collect(),
        _ => Err(wrong(name, "an array of strings")),
    }
}

fn wrong(name: &str, expected: &str) -> Error {
    Error::bad_request(ScimType::InvalidValue, format!("`{name}` must be {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: serde_json::Value, leniencies: &Leniencies) -> Result<SearchRequest, Error> {
        SearchRequest::parse(body.into(), leniencies, &mut Vec::new())
    }

    #[test]
    fn attributes_of_the_wrong_type_are_refused_by_name() {
        for (body, detail) in [
            (serde_json::json!([]), "body: a search request is a JSON object"),
            (serde_json::json!({"filter": 1}), "`filter` must be a string"),
            (serde_json::json!({"sortBy": ["id"]}), "`sortBy` must be a string"),
            (serde_json::json!({"sortOrder": 1}), "`sortOrder` must be a string"),
            (serde_json::json!({"cursor": 1}), "`cursor` must be a string"),
            (serde_json::json!({"startIndex": true}), "`startIndex` must be an integer"),
            (serde_json::json!({"COUNT": []}), "`count` must be an integer"),
            (serde_json::json!({"attributes": "id"}), "`attributes` must be an array of strings"),
            (
                serde_json::json!({"excludedAttributes": ["id", 1]}),
                "`excludedAttributes[1]` must be a string",
            ),
        ] {
            assert_eq!(parse(body, &Leniencies::tolerant()).unwrap_err().detail(), detail);
        }
    }

    #[test]
    fn the_message_lists_its_schema_unless_that_is_tolerated() {
        let error = parse(serde_json::json!({"count": 1}), &Leniencies::strict()).unwrap_err();
        assert_eq!(
            error.detail(),
            format!(
                "schemas: the URI `{SEARCH_REQUEST}` is required (the leniency `missing-schemas` is off)"
            )
        );
        let mut fired = Vec::new();
        let body = serde_json::json!({"count": 1, "filter": null}).into();
        let search = SearchRequest::parse(body, &Leniencies::tolerant(), &mut fired).unwrap();
        assert_eq!((search.count.as_deref(), search.filter), (Some("1"), None));
        assert_eq!(fired, [Leniency::MissingSchemas]);
    }
}
