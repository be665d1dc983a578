//! The answer to a query (RFC 7644 §3.4.2).

use super::LIST_RESPONSE;
use crate::value::{Object, Value};

/// The answer to a query: one page of resources and the number of all matches.
///
/// `itemsPerPage` is the number of resources in the page, which is what RFC 7644 §3.4.2.4 defines
/// and what Okta insists on; it is therefore no field.
///
/// ```
/// use scim_core::message::ListResponse;
/// let list = ListResponse { total_results: 12, start_index: 11, resources: Vec::new() }.into_value();
/// let list = list.as_object().unwrap();
/// assert_eq!(list.get("itemsPerPage"), Some(&0.into()));
/// assert_eq!(list.get("totalResults"), Some(&12.into()));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ListResponse {
    /// `totalResults`
    pub total_results: usize,
    /// `startIndex`
    pub start_index: usize,
    /// `Resources`; always present, as some clients require, also when empty.
    pub resources: Vec<Value>,
}

impl ListResponse {
    /// The message as JSON.
    pub fn into_value(self) -> Value {
        let mut message = Object::new();
        message.insert("schemas", vec![Value::from(LIST_RESPONSE)]);
        message.insert("totalResults", number(self.total_results));
        message.insert("startIndex", number(self.start_index));
        message.insert("itemsPerPage", number(self.resources.len()));
        message.insert("Resources", self.resources);
        Value::Object(message)
    }
}

fn number(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
