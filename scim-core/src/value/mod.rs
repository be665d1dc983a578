//! JSON values as SCIM sees them: member order kept, member names without case.
//!
//! RFC 7643 §2.1 makes attribute names case-insensitive, which no general JSON tree knows. A text
//! in which one object has two names that differ at most in case is refused when it is parsed:
//! two readers of such a text could each see another value.
//!
//! # Examples
//!
//! ```
//! use scim_core::Value;
//!
//! let user: Value = r#"{"userName": "bjensen", "active": true}"#.parse()?;
//! assert_eq!(user.get("USERNAME").and_then(Value::as_str), Some("bjensen"));
//! assert_eq!(user.to_string(), r#"{"userName":"bjensen","active":true}"#);
//!
//! let error = r#"{"active": false, "Active": true}"#.parse::<Value>().unwrap_err();
//! assert_eq!(error.to_string(), "the member `Active` is given twice at line 1 column 26");
//! # Ok::<(), scim_core::value::JsonError>(())
//! ```
//!
//! Literals come from `serde_json::json!`:
//!
//! ```
//! use scim_core::Value;
//! use serde_json::json;
//!
//! let email = Value::from(json!({"type": "work", "value": "bjensen@example.com"}));
//! assert_eq!(email.get("type").and_then(Value::as_str), Some("work"));
//! ```

mod convert;
mod object;
mod parse;
mod plain;
mod slots;

pub use object::Object;
pub(crate) use object::is_shown;
pub(crate) use parse::HARD_DEPTH;
pub use parse::{JsonError, JsonLimits, escapes_nul};
pub(crate) use plain::plain_len;

use scim_filter::{Json, JsonView, Number};

/// A JSON value. Objects keep their order and find members without regard to ASCII case.
///
/// Integers keep every digit of 64 bits; other numbers are binary64.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`; in SCIM the same as no value (RFC 7643 §2.5).
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Box<str>),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

impl Value {
    /// Parses JSON text; refuses an object with two names that differ at most in case.
    ///
    /// # Errors
    ///
    /// Text that is not JSON, nests too deep, or goes on after the value; the error says where.
    pub fn from_slice(text: &[u8], limits: &JsonLimits) -> Result<Self, JsonError> {
        parse::parse(text, limits)
    }

    /// The JSON text, without white space.
    pub fn to_vec(&self) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "writing a tree with string names to memory cannot fail")]
        serde_json::to_vec(self).expect("a JSON tree can be written")
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The Boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if this is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(Number::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Value>> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The object, if this is one.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The member called `name`, in any case, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_object()?.get(name)
    }

    /// The values: the elements of an array, nothing of `null`, otherwise this one value.
    ///
    /// SCIM has no arrays of arrays, so this is what a multi-valued attribute holds, also where a
    /// client wrote its one value without brackets.
    pub fn values(&self) -> &[Value] {
        match self {
            Self::Null => &[],
            Self::Array(elements) => elements,
            one => std::slice::from_ref(one),
        }
    }

    /// Whether this is `null` or an empty array, which SCIM treats as no value (RFC 7643 §2.5).
    pub fn is_unassigned(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Array(elements) => elements.is_empty(),
            _ => false,
        }
    }

    /// Whether a string in it, or a name, has the character U+0000.
    pub fn has_nul(&self) -> bool {
        let mut open = vec![self];
        while let Some(value) = open.pop() {
            match value {
                Self::String(text) if text.contains('\0') => return true,
                Self::Array(elements) => open.extend(elements),
                Self::Object(object) => {
                    if object.iter().any(|(name, _)| name.as_str().contains('\0')) {
                        return true;
                    }
                    open.extend(object.iter().map(|(_, value)| value));
                }
                _ => {}
            }
        }
        false
    }

    /// The JSON kind with its article, for error details: `a string`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a Boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl Json for Value {
    type Object = Object;

    fn view(&self) -> JsonView<'_, Self> {
        match self {
            Self::Null => JsonView::Null,
            Self::Bool(value) => JsonView::Bool(*value),
            Self::Number(number) => JsonView::Number(*number),
            Self::String(text) => JsonView::String(text),
            Self::Array(elements) => JsonView::Array(elements),
            Self::Object(object) => JsonView::Object(object),
        }
    }
}
