//! JSON text that is written in parts.

use bytes::Bytes;
use serde::Serialize;

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

    pub(super) fn json(&mut self, value: &(impl Serialize + ?Sized)) {
        // Memory takes what is written, and a `Value` has no number that JSON has not.
        let _ = serde_json::to_writer(&mut self.bytes, value);
    }

    /// The name of an object's next member, up to its value.
    pub(super) fn name(&mut self, name: &str) {
        self.comma();
        self.json(name);
        self.push(b':');
    }

    /// What comes before the next value of the array `name`, which is opened with the first one.
    pub(super) fn element(&mut self, open: &mut bool, name: &str) {
        if !*open {
            self.name(name);
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
