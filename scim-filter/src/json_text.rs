//! Reading JSON text in place: what is not looked for is checked and passed over.
//!
//! A value is where it begins in the text. Passing over one keeps a bit for each open bracket, so
//! that no nesting recurses.

use std::borrow::Cow;
use std::fmt;

use crate::{lex, scan};

/// Why a text was not evaluated, and where.
///
/// ```
/// use scim_filter::{AttributeInfo, AttributeType, BindOptions, Filter, JsonTextErrorKind, SchemaTable};
///
/// let schema = SchemaTable { uri: "urn:x", attributes: &[(AttributeInfo::new("title", AttributeType::String), &[])] };
/// let filter = Filter::parse("title pr")?.bind(&schema, &BindOptions::default())?;
/// let error = filter.matches_slice(br#"{"title": "x", "Title": "y"}"#).unwrap_err();
/// assert_eq!(error.to_string(), "a member the filter names is given twice, at byte 15");
/// assert_eq!(error.kind(), JsonTextErrorKind::DuplicateName);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonTextError {
    kind: JsonTextErrorKind,
    at: usize,
}

/// The kinds of [`JsonTextError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonTextErrorKind {
    /// The text breaks the grammar of JSON (RFC 8259), or is not UTF-8.
    NotJson,
    /// The text is JSON, but no object.
    NotAnObject,
    /// Brackets nest deeper than 128.
    TooDeep,
    /// Two members of one object have a name that differs at most in case, and the filter asks for it.
    DuplicateName,
    /// A number that is compared is too large for a binary64.
    NumberOutOfRange,
}

impl JsonTextError {
    pub(crate) fn new(kind: JsonTextErrorKind, at: usize) -> Self {
        Self { kind, at }
    }

    /// What is wrong.
    pub fn kind(&self) -> JsonTextErrorKind {
        self.kind
    }

    /// The byte at which it is.
    pub fn position(&self) -> usize {
        self.at
    }
}

impl fmt::Display for JsonTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            JsonTextErrorKind::NotJson => "the resource is not JSON",
            JsonTextErrorKind::NotAnObject => "the resource is not an object",
            JsonTextErrorKind::TooDeep => "brackets nest deeper than 128",
            JsonTextErrorKind::DuplicateName => "a member the filter names is given twice",
            JsonTextErrorKind::NumberOutOfRange => "a number is out of range",
        };
        write!(f, "{what}, at byte {}", self.at)
    }
}

impl std::error::Error for JsonTextError {}

/// What may be open within the outermost object: with it, as many as are usual, and a bit each.
const DEPTH: u32 = 127;

pub(crate) type Read<T> = Result<T, JsonTextError>;

/// A place in a JSON text.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'t> {
    text: &'t str,
    at: usize,
}

/// A string as it stands between its quotes.
#[derive(Clone, Copy)]
pub(crate) struct RawString<'t> {
    // From behind the opening quote to the end of the text.
    from: &'t str,
    len: usize,
    escapes: bool,
}

impl<'t> RawString<'t> {
    /// The string it stands for; without escapes it need not be copied.
    pub(crate) fn unescaped(self) -> Cow<'t, str> {
        if !self.escapes {
            return Cow::Borrowed(self.from.get(..self.len).unwrap_or_default());
        }
        let mut text = String::with_capacity(self.len);
        // It was read before, so it cannot fail now.
        let _ = lex::string(self.from, |plain, escaped| {
            text.push_str(plain);
            text.extend(escaped);
        });
        Cow::Owned(text)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.len == 0
    }
}

impl<'t> Reader<'t> {
    /// At the beginning of `text`.
    pub(crate) fn new(text: &'t [u8]) -> Read<Self> {
        match std::str::from_utf8(text) {
            Ok(text) => Ok(Self { text, at: 0 }),
            Err(error) => Err(JsonTextError::new(JsonTextErrorKind::NotJson, error.valid_up_to())),
        }
    }

    pub(crate) fn at(self) -> usize {
        self.at
    }

    /// The same text, from `at`.
    pub(crate) fn from(self, at: usize) -> Self {
        Self { at, ..self }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn spaces(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Read<()> {
        if self.eat(byte) { Ok(()) } else { self.not_json() }
    }

    fn not_json<T>(&self) -> Read<T> {
        Err(self.error(JsonTextErrorKind::NotJson))
    }

    pub(crate) fn error(&self, kind: JsonTextErrorKind) -> JsonTextError {
        JsonTextError::new(kind, self.at)
    }

    /// The string that begins here.
    pub(crate) fn string(&mut self) -> Read<RawString<'t>> {
        self.expect(b'"')?;
        let from = self.rest();
        // Nearly all strings have no escape, and end where what is plain does.
        let len = scan::plain(from.as_bytes());
        if from.as_bytes().get(len) == Some(&b'"') {
            self.at += len + 1;
            return Ok(RawString { from, len, escapes: false });
        }
        let Ok((rest, escapes)) = lex::string(from, |_, _| {}) else { return self.not_json() };
        self.at += from.len() - rest.len();
        Ok(RawString { from, len: from.len() - rest.len() - 1, escapes })
    }

    /// The text of the number that begins here.
    pub(crate) fn number(&mut self) -> Read<&'t str> {
        let from = self.rest();
        let Some(rest) = lex::json_number(from.as_bytes()) else { return self.not_json() };
        let length = from.len() - rest.len();
        self.at += length;
        Ok(from.get(..length).unwrap_or_default())
    }

    fn word(&mut self, word: &str) -> Read<()> {
        if !self.rest().starts_with(word) {
            return self.not_json();
        }
        self.at += word.len();
        Ok(())
    }

    fn name(&mut self) -> Read<RawString<'t>> {
        self.spaces();
        let name = self.string()?;
        self.spaces();
        self.expect(b':')?;
        self.spaces();
        Ok(name)
    }

    /// Goes on to the next member's value, within an object whose `{` or former member is behind,
    /// and returns its name; or behind the `}`.
    pub(crate) fn next_member(&mut self, first: bool) -> Read<Option<RawString<'t>>> {
        self.spaces();
        if self.eat(b'}') {
            return Ok(None);
        }
        if !first {
            self.expect(b',')?;
        }
        self.name().map(Some)
    }

    /// Goes on to the next element, within an array whose `[` or former element is behind; or behind
    /// the `]`.
    pub(crate) fn next_element(&mut self, first: bool) -> Read<bool> {
        self.spaces();
        if self.eat(b']') {
            return Ok(false);
        }
        if !first {
            self.expect(b',')?;
            self.spaces();
        }
        Ok(true)
    }

    /// Nothing but white space is left.
    pub(crate) fn end(mut self) -> Read<()> {
        self.spaces();
        if self.rest().is_empty() { Ok(()) } else { self.not_json() }
    }

    /// Passes over the value that begins here, whatever nests in it.
    pub(crate) fn skip(&mut self) -> Read<()> {
        // The open brackets, the innermost lowest: 1 for `{`, 0 for `[`.
        let mut objects = 0_u128;
        let mut depth = 0;
        loop {
            self.spaces();
            match self.peek() {
                Some(b'"') => {
                    self.string()?;
                }
                Some(b'-' | b'0'..=b'9') => {
                    self.number()?;
                }
                Some(b't') => self.word("true")?,
                Some(b'f') => self.word("false")?,
                Some(b'n') => self.word("null")?,
                Some(open @ (b'{' | b'[')) => {
                    if depth == DEPTH {
                        return Err(self.error(JsonTextErrorKind::TooDeep));
                    }
                    depth += 1;
                    objects = objects << 1 | u128::from(open == b'{');
                    self.at += 1;
                    self.spaces();
                    // What ends at once ends below; else its first value is next.
                    if self.peek() != Some(if open == b'{' { b'}' } else { b']' }) {
                        if open == b'{' {
                            self.name()?;
                        }
                        continue;
                    }
                }
                _ => return self.not_json(),
            }
            // Behind a value, or behind what opened and ends at once.
            loop {
                if depth == 0 {
                    return Ok(());
                }
                self.spaces();
                let in_object = objects & 1 == 1;
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if in_object {
                            self.name()?;
                        }
                        break;
                    }
                    Some(b'}') if in_object => {}
                    Some(b']') if !in_object => {}
                    _ => return self.not_json(),
                }
                self.at += 1;
                objects >>= 1;
                depth -= 1;
            }
        }
    }
}
