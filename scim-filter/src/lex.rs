//! The leaves of the grammar: attribute paths, words, numbers and strings.
//!
//! Each leaf is a nom parser over bytes. They look at each byte once, by a table or many at a time,
//! and leave choosing between them to the caller, who knows from the first byte. Those that every
//! term needs are inlined, so that what they return stays in registers.

use std::ops::Range;

use memchr::{memchr2, memrchr};
use nom::bytes::complete::take_while;
use nom::{Err, IResult};

use crate::CompareOp;
use crate::error::ParseErrorKind;
use crate::scan;

/// A parser's result: the rest of the input, and what was read.
pub(crate) type Lexed<'t, T> = IResult<&'t [u8], T, Fault>;

/// What is wrong, and how many bytes of input were left where it begins and where it ends.
///
/// Counting from the end lets a parser name a place without knowing where its input lies in the text.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ParseErrorKind,
    pub(crate) left: Range<usize>,
}

impl<I> nom::error::ParseError<I> for Fault {
    fn from_error_kind(_: I, _: nom::error::ErrorKind) -> Self {
        // No leaf uses a combinator that can fail.
        Self { kind: ParseErrorKind::ExpectedAttribute, left: 0..0 }
    }

    fn append(_: I, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

/// Refuses what is between `from` and `to`; if that is nothing, what begins there.
#[cold]
pub(crate) fn fail<'t, T>(kind: ParseErrorKind, from: &[u8], to: &[u8]) -> Lexed<'t, T> {
    Err(Err::Failure(Fault { kind, left: to.len()..from.len() }))
}

/// The kinds of bytes an attribute path is made of.
const ALPHA: u8 = 1;
const NAME: u8 = 2;
const SCHEME: u8 = 4;
const URI: u8 = 8;

/// What each byte can be part of: a name (RFC 7643 §2.1), its first letter, the scheme of a URI, a
/// URI (RFC 3986 §2, §3.1).
///
/// `[` and `]` are left out of URIs: only IP literals have them, and here they are brackets. So is
/// `%`, which begins something longer.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let c = byte as u8;
        #[expect(clippy::indexing_slicing, reason = "byte < 128 < 256")]
        {
            class[byte] = match c {
                b'a'..=b'z' | b'A'..=b'Z' => ALPHA | NAME | SCHEME | URI,
                b'0'..=b'9' | b'-' => NAME | SCHEME | URI,
                b'_' | b'$' => NAME | URI,
                b'.' | b'+' => SCHEME | URI,
                b'~' | b':' | b'/' | b'?' | b'#' | b'@' | b'!' | b'&' | b'\'' | b'(' | b')' | b'*' | b','
                | b';' | b'=' => URI,
                _ => 0,
            };
        }
        byte += 1;
    }
    class
};

fn class(byte: u8) -> u8 {
    CLASS.get(usize::from(byte)).copied().unwrap_or_default()
}

fn is(wanted: u8, byte: u8) -> bool {
    class(byte) & wanted != 0
}

/// The input without its first `count` bytes.
fn after(input: &[u8], count: usize) -> &[u8] {
    input.get(count..).unwrap_or_default()
}

/// Any number of spaces.
#[inline]
pub(crate) fn spaces(input: &[u8]) -> &[u8] {
    #[cold]
    fn more(input: &[u8]) -> &[u8] {
        after(input, input.iter().position(|byte| *byte != b' ').unwrap_or(input.len()))
    }
    match input {
        [b' ', b' ', rest @ ..] => more(rest),
        [b' ', rest @ ..] => rest,
        _ => input,
    }
}

/// A run of name characters: an operator, a literal name, or what someone wrote in its place.
pub(crate) fn word(input: &[u8]) -> Lexed<'_, &[u8]> {
    take_while(|byte| is(NAME, byte))(input)
}

/// Whether `rest` does not go on as a name.
#[inline]
pub(crate) fn ends_word(rest: &[u8]) -> bool {
    !rest.first().is_some_and(|byte| is(NAME, *byte))
}

/// `compareOp`, or `None` for `pr`; `otherwise` is what was expected where neither stands.
#[inline(always)]
pub(crate) fn operator(input: &[u8], otherwise: ParseErrorKind) -> Lexed<'_, Option<CompareOp>> {
    if let [a, b, rest @ ..] = input
        && ends_word(rest)
    {
        // Of all bytes, this makes `p` of `p` and `P` alone, as of all letters.
        let op = match [a | 0x20, b | 0x20] {
            [b'p', b'r'] => None,
            [b'e', b'q'] => Some(CompareOp::Eq),
            [b'n', b'e'] => Some(CompareOp::Ne),
            [b'c', b'o'] => Some(CompareOp::Co),
            [b's', b'w'] => Some(CompareOp::Sw),
            [b'e', b'w'] => Some(CompareOp::Ew),
            [b'g', b't'] => Some(CompareOp::Gt),
            [b'g', b'e'] => Some(CompareOp::Ge),
            [b'l', b't'] => Some(CompareOp::Lt),
            [b'l', b'e'] => Some(CompareOp::Le),
            _ => return not_an_operator(input, otherwise),
        };
        return Ok((rest, op));
    }
    not_an_operator(input, otherwise)
}

#[cold]
fn not_an_operator(input: &[u8], otherwise: ParseErrorKind) -> Lexed<'_, Option<CompareOp>> {
    let (rest, _) = word(input)?;
    fail(otherwise, input, rest)
}

/// `ATTRNAME = ["$"] ALPHA *nameChar`, with the `$` of `$ref` (RFC 7643 erratum 8924).
#[inline(always)]
fn attr_name(input: &[u8]) -> Option<&[u8]> {
    let start = match input {
        [b'$', rest @ ..] => rest,
        _ => input,
    };
    match start {
        [first, rest @ ..] if is(ALPHA, *first) => {
            let count = rest.iter().position(|byte| !is(NAME, *byte)).unwrap_or(rest.len());
            Some(after(rest, count))
        }
        _ => None,
    }
}

/// `ATTRNAME *1subAttr`
#[inline(always)]
fn plain_path(input: &[u8]) -> Option<&[u8]> {
    let rest = attr_name(input)?;
    match rest {
        [b'.', sub @ ..] => attr_name(sub),
        _ => Some(rest),
    }
}

/// A name, alone.
pub(crate) fn sub_attr(input: &[u8]) -> Lexed<'_, ()> {
    match attr_name(input) {
        Some(rest) => Ok((rest, ())),
        None => {
            let (rest, _) = take_while(|byte| is(URI, byte) || byte == b'%')(input)?;
            if rest.len() == input.len() {
                fail(ParseErrorKind::ExpectedAttribute, input, input)
            } else {
                fail(ParseErrorKind::InvalidAttribute, input, rest)
            }
        }
    }
}

/// What an attribute path is, as far as the grammar can tell.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum PathForm {
    /// `[URI ":"] ATTRNAME *1subAttr`
    Attribute,
    /// A URI whose end is no attribute name; it can only be that of a schema.
    Uri,
}

/// `attrPath = [URI ":"] ATTRNAME *1subAttr`, or any URI.
#[inline(always)]
pub(crate) fn attr_path(input: &[u8]) -> Lexed<'_, PathForm> {
    match plain_path(input) {
        // What looks like a name so far may be the scheme of a URI.
        Some(rest) if !matches!(rest, [b':' | b'.' | b'+', ..]) => Ok((rest, PathForm::Attribute)),
        _ => uri(input),
    }
}

/// An attribute path that has a URI, or is one.
fn uri(input: &[u8]) -> Lexed<'_, PathForm> {
    let mut rest = after_uri_characters(input);
    // A character that must be encoded is seldom in a URI.
    while let [b'%', high, low, more @ ..] = rest
        && high.is_ascii_hexdigit()
        && low.is_ascii_hexdigit()
    {
        rest = after_uri_characters(more);
    }
    let path = input.get(..input.len() - rest.len()).unwrap_or_default();
    match uri_path(path) {
        Some(form) if rest.first() != Some(&b'%') => Ok((rest, form)),
        _ => not_a_path(input),
    }
}

/// What is left behind the characters that a URI has unencoded.
///
/// URIs are long: they go by eight characters at a time, which takes one branch for all eight.
fn after_uri_characters(input: &[u8]) -> &[u8] {
    let (blocks, _) = input.as_chunks::<8>();
    let is_uri = |block: &&[u8; 8]| block.iter().fold(URI, |all, byte| all & class(*byte)) != 0;
    let rest = after(input, 8 * blocks.iter().take_while(is_uri).count());
    after(rest, rest.iter().take_while(|byte| is(URI, **byte)).count())
}

/// Tells a URI-qualified attribute from a bare URI.
///
/// A name holds no `:`, so the last one ends the URI (or lies in it, if it is all of the path).
fn uri_path(path: &[u8]) -> Option<PathForm> {
    let colon = path.iter().position(|byte| !is(SCHEME, *byte))?;
    let last = memrchr(b':', path)?;
    let name = after(path, last + 1);
    if !is(ALPHA, *path.first()?) || path.get(colon) != Some(&b':') || name.is_empty() {
        return None;
    }
    match plain_path(name) {
        // `scheme:name` has nothing between the colons that could be a URI.
        Some([]) if last > colon => Some(PathForm::Attribute),
        _ if name.first() == Some(&b'.') || name.last() == Some(&b'.') => None,
        _ => Some(PathForm::Uri),
    }
}

#[cold]
fn not_a_path(input: &[u8]) -> Lexed<'_, PathForm> {
    let (rest, path) = take_while(|byte| is(URI, byte) || byte == b'%')(input)?;
    match path.first() {
        Some(first) if is(ALPHA, *first) => fail(ParseErrorKind::InvalidAttribute, input, rest),
        _ => fail(ParseErrorKind::ExpectedAttribute, input, input),
    }
}

/// A JSON number (RFC 7159 §6).
pub(crate) fn number(input: &[u8]) -> Lexed<'_, ()> {
    let (end, all) = take_while(|byte| is(NAME, byte) || matches!(byte, b'.' | b'+'))(input)?;
    let Some(rest) = json_number(all) else { return fail(ParseErrorKind::InvalidNumber, input, end) };
    if !rest.is_empty() {
        return fail(ParseErrorKind::InvalidNumber, input, end);
    }
    match std::str::from_utf8(all).ok().and_then(crate::Number::parse) {
        Some(_) => Ok((end, ())),
        None => fail(ParseErrorKind::NumberOutOfRange, input, end),
    }
}

/// Behind one or more digits.
fn digits(input: &[u8]) -> Option<&[u8]> {
    let count = input.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(input.len());
    (count > 0).then(|| after(input, count))
}

/// Walks the grammar of a JSON number; `None` if it breaks it.
pub(crate) fn json_number(input: &[u8]) -> Option<&[u8]> {
    let input = input.strip_prefix(b"-").unwrap_or(input);
    let mut rest = match input {
        [b'0', rest @ ..] => rest,
        _ => digits(input)?,
    };
    if let [b'.', fraction @ ..] = rest {
        rest = digits(fraction)?;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        rest = digits(match exponent {
            [b'+' | b'-', rest @ ..] => rest,
            _ => exponent,
        })?;
    }
    Some(rest)
}

/// Reads the inside of a JSON string and its closing quote (RFC 7159 §7); `input` begins behind
/// the opening one. `unescaped` gets the text, piece by piece: what stands as it is, and the
/// character behind it that was escaped.
pub(crate) fn string<'t>(input: &'t str, mut unescaped: impl FnMut(&str, Option<char>)) -> Lexed<'t, ()> {
    let mut rest = input;
    loop {
        let (plain, tail) = rest.split_at_checked(scan::plain(rest.as_bytes())).unwrap_or((rest, ""));
        match tail.as_bytes() {
            // A string that ends within an escape lacks its quote first of all.
            [] | [b'\\'] => return fail(ParseErrorKind::UnterminatedString, input.as_bytes(), &[]),
            sequence @ [b'\\', ..] => {
                let (behind, c) = escape(sequence)?;
                unescaped(plain, Some(c));
                rest = tail.get(tail.len() - behind.len()..).unwrap_or_default();
            }
            [b'"', behind @ ..] => {
                unescaped(plain, None);
                return Ok((behind, ()));
            }
            tail if memchr2(b'"', b'\\', tail).is_none() => {
                return fail(ParseErrorKind::UnterminatedString, input.as_bytes(), &[]);
            }
            tail => return fail(ParseErrorKind::ControlCharacter, tail, after(tail, 1)),
        }
    }
}

/// One escape sequence; a surrogate pair is one.
#[inline(always)]
fn escape(input: &[u8]) -> Lexed<'_, char> {
    match input {
        [_, letter, rest @ ..] if short_escape(*letter) != 0 => Ok((rest, char::from(short_escape(*letter)))),
        [_, b'u', ..] => unicode_escape(input),
        _ => fail(ParseErrorKind::InvalidEscape, input, after_char(input, 1)),
    }
}

/// The character that a backslash and `letter` stand for, or 0; from a table, as which escape is next
/// cannot be foretold.
fn short_escape(letter: u8) -> u8 {
    static CHARACTERS: [u8; 128] = {
        let mut characters = [0; 128];
        let mut letter = 0;
        while letter < 128 {
            #[expect(clippy::indexing_slicing, reason = "letter < 128")]
            {
                characters[letter] = match letter as u8 {
                    c @ (b'"' | b'\\' | b'/') => c,
                    b'b' => 0x8,
                    b'f' => 0xc,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    _ => 0,
                };
            }
            letter += 1;
        }
        characters
    };
    CHARACTERS.get(usize::from(letter)).copied().unwrap_or_default()
}

fn unicode_escape(input: &[u8]) -> Lexed<'_, char> {
    let Some((rest, unit)) = code_unit(input) else {
        let digits = after(input, 2).iter().take(4).take_while(|byte| byte.is_ascii_hexdigit()).count();
        return fail(ParseErrorKind::InvalidEscape, input, after(input, 2 + digits));
    };
    let whole = match unit {
        0xd800..=0xdbff => code_unit(rest)
            .filter(|(_, low)| (0xdc00..=0xdfff).contains(low))
            .map(|(rest, low)| (rest, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))),
        _ => Some((rest, unit)),
    };
    match whole.and_then(|(rest, code)| Some((rest, char::from_u32(code)?))) {
        Some((rest, c)) => Ok((rest, c)),
        None => fail(ParseErrorKind::LoneSurrogate, input, rest),
    }
}

/// `\uXXXX`
fn code_unit(input: &[u8]) -> Option<(&[u8], u32)> {
    let [b'\\', b'u', a, b, c, d, rest @ ..] = input else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    Some((rest, digit(a)? << 12 | digit(b)? << 8 | digit(c)? << 4 | digit(d)?))
}

/// The input without its first `count` bytes and the character behind them.
fn after_char(input: &[u8], count: usize) -> &[u8] {
    let rest = after(input, count);
    let length = match rest.first() {
        Some(0xf0..) => 4,
        Some(0xe0..) => 3,
        Some(0xc0..) => 2,
        _ => 1,
    };
    after(rest, length)
}
