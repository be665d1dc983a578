//! JSON text to [`Value`], within limits.

use std::fmt;

use scim_filter::{AttrName, Number};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Value;
use super::object::ObjectBuilder;
use crate::error::quote;

/// How much a JSON text may ask for.
#[derive(Clone, Debug)]
pub struct JsonLimits {
    /// The deepest nesting of arrays and objects; never more than 100, however large this is.
    ///
    /// The default is 32: a resource nests four deep, a bulk request with a PATCH in it nine.
    pub max_depth: usize,
}

impl Default for JsonLimits {
    fn default() -> Self {
        Self { max_depth: 32 }
    }
}

/// Why and where a text is not acceptable JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line} column {column}")]
pub struct JsonError {
    /// What is wrong.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The byte in the line, from 1.
    pub column: usize,
}

/// Parses one JSON text, all of it.
pub(super) fn parse(text: &[u8], limits: &JsonLimits) -> Result<Value, JsonError> {
    // RFC 8259 §8.1: a byte order mark must not be sent, and may be ignored.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let seed = ValueSeed { depth_left: limits.max_depth.min(HARD_DEPTH) };
    let value = seed.deserialize(&mut deserializer).map_err(JsonError::from)?;
    deserializer.end().map_err(JsonError::from)?;
    Ok(value)
}

/// Whether a text with the escapes of JSON spells the character U+0000 in one of its strings: as
/// `\u0000`, which alone stands for it, behind no backslash that is one itself.
///
/// ```
/// use scim_core::value::escapes_nul;
/// assert!(escapes_nul(br#"{"userName": "b\u0000"}"#));
/// // A backslash, and five letters and digits behind it.
/// assert!(!escapes_nul(br#"{"userName": "b\\u0000"}"#));
/// ```
pub fn escapes_nul(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b"\\u0000").any(|at| {
        let before = text.get(..at).unwrap_or_default();
        let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
        backslashes.is_multiple_of(2)
    })
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line().max(1), error.column().max(1));
        let text = error.to_string();
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        let message = match message.strip_prefix("EOF while parsing ") {
            Some("a value") => "the text ends where a value should be".to_owned(),
            Some(what) => format!("the text ends inside {what}").replace("inside a ", "inside a JSON "),
            None => message.to_owned(),
        };
        Self { message, line, column }
    }
}

/// Nesting beyond which no text is followed: below the 128 levels of `serde_json`, and little
/// enough stack for everything that later walks the value.
pub(crate) const HARD_DEPTH: usize = 100;

/// Reads one value that may nest `depth_left` deep.
pub(super) struct ValueSeed {
    pub(super) depth_left: usize,
}

impl ValueSeed {
    fn deeper<E: Error>(&self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left }),
            None => Err(E::custom("arrays and objects are nested too deep")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let depth_left = self.deeper::<A::Error>()?.depth_left;
        let mut elements = Vec::new();
        while let Some(element) = sequence.next_element_seed(ValueSeed { depth_left })? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let depth_left = self.deeper::<A::Error>()?.depth_left;
        let mut builder = ObjectBuilder::default();
        let mut first = true;
        while let Some(name) = map.next_key_seed(NameSeed)? {
            if builder.contains(&name) {
                return Err(A::Error::custom(format_args!(
                    "the member {} is given twice",
                    quote(name.as_str())
                )));
            }
            let value = map.next_value_seed(ValueSeed { depth_left })?;
            // Another crate of the build may turn on serde_json's `arbitrary_precision`, which
            // hands a number over as an object with this one member.
            if first && name.as_str() == "$serde_json::private::Number" {
                if let Some(number) = value.as_str().and_then(number) {
                    return Ok(Value::Number(number));
                }
                return Err(A::Error::custom("a number is out of range"));
            }
            first = false;
            builder.push(name, value);
        }
        Ok(Value::Object(builder.finish()))
    }
}

fn number(text: &str) -> Option<Number> {
    let float = || text.parse().ok().filter(|value: &f64| value.is_finite()).map(Number::Float);
    text.parse().ok().map(Number::Int).or_else(|| text.parse().ok().map(Number::UInt)).or_else(float)
}

/// Reads a member name without an owned copy in between.
struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = AttrName;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<AttrName, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed {
    type Value = AttrName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AttrName, E> {
        Ok(AttrName::new(text))
    }
}
