//! JSON text that is written in parts.

use bytes::Bytes;
use scim_filter::{AttrName, Number};

use crate::value::{Object, Value, plain_len};

/// The part of a JSON text that is being written.
#[derive(Debug, Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    // The last byte of the part before.
    before: Option<u8>,
}

impl Text {
    /// A text whose parts have about this length.
    pub(super) fn with_capacity(length: usize) -> Self {
        Self { bytes: Vec::with_capacity(length), before: None }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The part that was written; the next one begins.
    pub(super) fn take(&mut self) -> Bytes {
        self.before = self.last();
        std::mem::take(&mut self.bytes).into()
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// JSON text as it is.
    pub(super) fn raw(&mut self, json: &[u8]) {
        self.bytes.extend_from_slice(json);
    }

    /// A value. Written by hand, since most of an answer is short strings, which take longer to hand from
    /// function to function than to write.
    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.bytes.extend_from_slice(b"null"),
            Value::Bool(true) => self.bytes.extend_from_slice(b"true"),
            Value::Bool(false) => self.bytes.extend_from_slice(b"false"),
            Value::Number(number) => self.number(*number),
            Value::String(text) => self.string(text),
            Value::Array(elements) => {
                self.push(b'[');
                for element in elements {
                    self.comma();
                    self.value(element);
                }
                self.push(b']');
            }
            Value::Object(object) => self.object(object),
        }
    }

    pub(super) fn object(&mut self, object: &Object) {
        self.push(b'{');
        for (name, value) in object.iter() {
            self.member(name);
            self.value(value);
        }
        self.push(b'}');
    }

    pub(super) fn number(&mut self, number: Number) {
        // Memory takes what is written, and a `Value` has no number that JSON has not.
        let _ = match number {
            Number::Int(value) => serde_json::to_writer(&mut self.bytes, &value),
            Number::UInt(value) => serde_json::to_writer(&mut self.bytes, &value),
            Number::Float(value) => serde_json::to_writer(&mut self.bytes, &value),
        };
    }

    pub(super) fn count(&mut self, count: usize) {
        self.number(Number::UInt(count as u64));
    }

    pub(super) fn string(&mut self, text: &str) {
        if plain_len(text.as_bytes()) < text.len() {
            // As above.
            let _ = serde_json::to_writer(&mut self.bytes, text);
        } else {
            self.quoted(text);
        }
    }

    /// The name of an object's next member, up to its value.
    pub(super) fn name(&mut self, name: &str) {
        self.comma();
        self.string(name);
        self.push(b':');
    }

    /// The same of a member of a resource.
    pub(super) fn member(&mut self, name: &AttrName) {
        self.comma();
        match name.is_of_rfcs() {
            true => self.quoted(name.as_str()),
            false => self.string(name.as_str()),
        }
        self.push(b':');
    }

    /// A string in which nothing is escaped.
    fn quoted(&mut self, text: &str) {
        self.bytes.reserve(text.len() + ROOM);
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(b'"');
    }

    /// What comes before the next value of the array `name`, which is opened with the first one.
    pub(super) fn element(&mut self, open: &mut bool, name: &AttrName) {
        if !*open {
            self.member(name);
            self.push(b'[');
            *open = true;
        }
        self.comma();
    }

    /// A comma, unless an object or array begins here: no value ends as these begin.
    pub(super) fn comma(&mut self) {
        if !matches!(self.last(), Some(b'{' | b'[')) {
            self.push(b',');
        }
    }

    fn last(&self) -> Option<u8> {
        self.bytes.last().copied().or(self.before)
    }
}

/// Bytes that come with a string: its quotes, and what is before or behind them.
const ROOM: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn written(value: &Value) -> String {
        let mut text = Text::default();
        text.value(value);
        String::from_utf8(text.take().to_vec()).unwrap()
    }

    #[test]
    fn every_kind_of_value_is_written_as_serde_has_it() {
        let value = Value::from(json!({
            "userName": "a", "own \"name\"": [], "nested": [{}, [null, true, false], {"value": {"b": 1}}],
            "numbers": [0, -1, i64::MIN, u64::MAX, 1.5, 1e300, -0.0, 3.0],
            "texts": ["", "\u{0}\u{1f}\u{7f}", "\"\\/\u{8}\u{c}\n\r\t", "é\u{2028}𝄞"],
        }));
        assert_eq!(written(&value), value.to_string());
    }

    proptest! {
        #[test]
        fn every_string_is_written_as_serde_has_it(text in ".{0,40}|[ -~\u{0}-\u{20}]{0,40}") {
            let value = Value::from(json!({ text.as_str(): [text.as_str()] }));
            prop_assert_eq!(written(&value), value.to_string());
        }
    }
}
