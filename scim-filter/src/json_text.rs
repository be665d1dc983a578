//! Reading values of JSON text in place.
//!
//! A value is where it begins. Of what is passed over, only what is needed to find its end is looked
//! at; what is compared is read by the grammar.

use std::fmt;

use crate::json_members::Members;
use crate::{Number, Scalar, lex, scan};

/// Why a text was not evaluated, and where.
///
/// ```
/// use scim_filter::{AttributeInfo, AttributeType, BindOptions, Filter, JsonTextErrorKind, SchemaTable};
///
/// let schema = SchemaTable { uri: "urn:x", attributes: &[(AttributeInfo::new("title", AttributeType::String), &[])] };
/// let filter = Filter::parse("title pr")?.bind(&schema, &BindOptions::default())?;
/// let error = filter.matches_slice(br#" [{"title": "x"}]"#).unwrap_err();
/// assert_eq!(error.to_string(), "the resource is not an object, at byte 1");
/// assert_eq!(error.kind(), JsonTextErrorKind::NotAnObject);
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
    /// The text breaks the grammar of JSON (RFC 8259) where the filter looks at it.
    NotJson,
    /// The text begins a value that is no object.
    NotAnObject,
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
            JsonTextErrorKind::NumberOutOfRange => "a number is out of range",
        };
        write!(f, "{what}, at byte {}", self.at)
    }
}

impl std::error::Error for JsonTextError {}

/// What reading finds, unless the text is not to be read.
pub(crate) type Read<T> = Result<T, JsonTextError>;

pub(crate) fn not_json<T>(at: usize) -> Read<T> {
    Err(JsonTextError::new(JsonTextErrorKind::NotJson, at))
}

/// A value in a JSON text.
#[derive(Clone, Copy)]
pub(crate) struct TextValue<'t> {
    text: &'t [u8],
    at: usize,
    // The byte there.
    first: u8,
}

impl<'t> TextValue<'t> {
    /// The value at `at`, or behind white space there.
    #[inline]
    pub(crate) fn new(text: &'t [u8], mut at: usize) -> Read<Self> {
        loop {
            match text.get(at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => at += 1,
                Some(&first) => return Ok(Self { text, at, first }),
                None => return not_json(text.len()),
            }
        }
    }

    pub(crate) fn error(self, kind: JsonTextErrorKind) -> JsonTextError {
        JsonTextError::new(kind, self.at)
    }

    /// Its first byte, which says of what kind it is.
    pub(crate) fn first(self) -> u8 {
        self.first
    }

    /// The members, if it is an object.
    pub(crate) fn members(self) -> Option<Members<'t>> {
        (self.first == b'{').then(|| Members::new(self.text, self.at + 1))
    }

    /// Whether it is a string of nothing.
    pub(crate) fn is_empty_string(self) -> bool {
        self.first == b'"' && self.text.get(self.at + 1) == Some(&b'"')
    }

    /// Whether any element passes `test`, or the value itself if it is no array. `test` may say
    /// where the element ends, so that it is not passed over again.
    pub(crate) fn any_element(self, mut test: impl FnMut(Self) -> Read<(bool, Option<usize>)>) -> Read<bool> {
        if self.first != b'[' {
            return Ok(test(self)?.0);
        }
        let mut element = Self::new(self.text, self.at + 1)?;
        if element.first == b']' {
            return Ok(false);
        }
        loop {
            let (passes, end) = test(element)?;
            if passes {
                return Ok(true);
            }
            let end = match end {
                Some(end) => end,
                None => element.end()?,
            };
            let next = Self::new(self.text, end)?;
            match next.first {
                b',' => element = Self::new(self.text, next.at + 1)?,
                b']' => return Ok(false),
                _ => return not_json(next.at),
            }
        }
    }

    /// The place behind it.
    fn end(self) -> Read<usize> {
        match self.first {
            b'"' => Ok(self.string()?.end),
            b'{' | b'[' => Members::new(self.text, self.at + 1).end(),
            _ => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
                match rest.iter().position(ends) {
                    // There is no value, or nothing behind it.
                    Some(0) | None => not_json(self.at),
                    Some(length) => Ok(self.at + length),
                }
            }
        }
    }

    /// Whether it passes `test`; `null`, arrays and objects pass none.
    #[inline]
    pub(crate) fn scalar_passes(self, test: impl FnOnce(Scalar<'_>) -> bool) -> Read<bool> {
        let value = match self.first {
            b'"' => return self.string()?.unescaped(|text| test(Scalar::String(text))),
            b't' => Scalar::Bool(self.word(b"true", true)?),
            b'f' => Scalar::Bool(self.word(b"false", false)?),
            b'-' | b'0'..=b'9' => Scalar::Number(self.number()?),
            b'n' | b'[' | b'{' => return Ok(false),
            _ => return not_json(self.at),
        };
        Ok(test(value))
    }

    fn rest(self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn word(self, word: &[u8], value: bool) -> Read<bool> {
        if self.rest().starts_with(word) { Ok(value) } else { not_json(self.at) }
    }

    fn number(self) -> Read<Number> {
        let from = self.rest();
        let Some(behind) = lex::json_number(from) else { return not_json(self.at) };
        let digits = from.get(..from.len() - behind.len()).unwrap_or_default();
        let number = std::str::from_utf8(digits).ok().and_then(Number::parse);
        number.ok_or(self.error(JsonTextErrorKind::NumberOutOfRange))
    }

    fn string(self) -> Read<RawString<'t>> {
        let start = self.at + 1;
        let (mut at, mut escapes) = (start, false);
        loop {
            at += scan::plain(self.text.get(at..).unwrap_or_default());
            match self.text.get(at) {
                Some(b'"') => return Ok(RawString { text: self.text, start, end: at + 1, escapes }),
                Some(b'\\') => (at, escapes) = (at + 2, true),
                _ => return not_json(at.min(self.text.len())),
            }
        }
    }
}

/// A string as it stands behind its opening quote.
#[derive(Clone, Copy)]
struct RawString<'t> {
    text: &'t [u8],
    start: usize,
    // Behind the closing quote.
    end: usize,
    escapes: bool,
}

impl RawString<'_> {
    /// Hands the string it stands for to `test`.
    #[inline]
    fn unescaped(self, test: impl FnOnce(&str) -> bool) -> Read<bool> {
        let end = if self.escapes { self.end } else { self.end - 1 };
        let raw = match std::str::from_utf8(self.text.get(self.start..end).unwrap_or_default()) {
            Ok(raw) => raw,
            Err(error) => return not_json(self.start + error.valid_up_to()),
        };
        if !self.escapes {
            return Ok(test(raw));
        }
        let mut text = Unescaped::default();
        match lex::string(raw, |plain, escaped| text.push(plain, escaped)) {
            Ok(_) => Ok(test(text.as_str())),
            Err(_) => not_json(self.start),
        }
    }
}

/// A string without its escapes: in place if it is short.
struct Unescaped {
    short: [u8; Self::SHORT],
    len: usize,
    // INVARIANT: the whole string, if it is longer.
    long: String,
}

impl Default for Unescaped {
    fn default() -> Self {
        Self { short: [0; Self::SHORT], len: 0, long: String::new() }
    }
}

impl Unescaped {
    const SHORT: usize = 512;

    fn push(&mut self, plain: &str, escaped: Option<char>) {
        let mut bytes = [0; 4];
        let escaped = escaped.map_or("", |c| c.encode_utf8(&mut bytes));
        for piece in [plain, escaped] {
            if self.long.is_empty()
                && let Some(place) = self.short.get_mut(self.len..self.len + piece.len())
            {
                place.copy_from_slice(piece.as_bytes());
                self.len += piece.len();
                continue;
            }
            if self.long.is_empty() {
                let long = self.as_str().to_owned();
                self.long = long;
            }
            self.long.push_str(piece);
        }
    }

    fn as_str(&self) -> &str {
        if !self.long.is_empty() {
            return &self.long;
        }
        let short = self.short.get(..self.len).unwrap_or_default();
        std::str::from_utf8(short).unwrap_or_default()
    }
}
