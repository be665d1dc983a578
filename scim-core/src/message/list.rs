//! The answer to a query (RFC 7644 §3.4.2, RFC 9865 §2).

use super::LIST_RESPONSE;
use crate::value::{Object, Value};

/// The answer to a query: one page of resources and the number of all matches.
///
/// `itemsPerPage` is the number of resources in the page, which is what RFC 7644 §3.4.2.4 defines
/// and what Okta insists on; it is therefore no field.
///
/// ```
/// use scim_core::message::ListResponse;
/// let list = ListResponse { total_results: Some(12), start_index: Some(11), ..ListResponse::default() };
/// let list = list.into_value();
/// let list = list.as_object().unwrap();
/// assert_eq!(list.get("itemsPerPage"), Some(&0.into()));
/// assert_eq!(list.get("totalResults"), Some(&12.into()));
/// assert_eq!(list.get("nextCursor"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListResponse {
    /// `totalResults`
    pub total_results: Option<usize>,
    /// `startIndex`; not in a page by cursor.
    pub start_index: Option<usize>,
    /// `previousCursor` (RFC 9865 §2)
    pub previous_cursor: Option<String>,
    /// `nextCursor` (RFC 9865 §2); absent from the last page alone.
    pub next_cursor: Option<String>,
    /// `Resources`; always present, as some clients require, also when empty.
    pub resources: Vec<Value>,
}

impl ListResponse {
    /// The message as JSON.
    pub fn into_value(self) -> Value {
        let mut message = Object::new();
        message.insert("schemas", vec![Value::from(LIST_RESPONSE)]);
        for (name, count) in [("totalResults", self.total_results), ("startIndex", self.start_index)] {
            if let Some(count) = count {
                message.insert(name, number(count));
            }
        }
        message.insert("itemsPerPage", number(self.resources.len()));
        for (name, cursor) in [("previousCursor", self.previous_cursor), ("nextCursor", self.next_cursor)] {
            if let Some(cursor) = cursor {
                message.insert(name, cursor);
            }
        }
        message.insert("Resources", self.resources);
        Value::Object(message)
    }
}

fn number(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
