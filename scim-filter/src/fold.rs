//! Comparison keys: which strings are equal where case does not count.
//!
//! The case folding is Unicode's full one without locale: `ß` equals `ss`, `ς` equals `σ`, the Kelvin
//! sign equals `k`; the dotless `ı` does not equal `i`. Neither width nor composition counts
//! (`normal`).
//!
//! What a string contains, begins and ends with is what its key does: `é` is one character, which
//! does not begin with `e`, whether it was sent as one or as two.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::normal::{folded, stands_alone, with_key};

/// `text` as unique keys and indexes hold it: equal keys are equal values of an attribute that is not
/// case-exact.
///
/// It is prepared as RFC 7613 §3.2.2 has it for user names: fullwidth and halfwidth characters become those
/// of ordinary width, case is folded, and the result is in Normalization Form C.
///
/// ```
/// use scim_filter::compare::fold;
/// assert_eq!(fold("BJensen"), "bjensen");
/// assert_eq!(fold("Straße"), fold("STRASSE"));
/// assert_ne!(fold("ı"), fold("I"));
/// // Composed and decomposed, fullwidth and not.
/// assert_eq!(fold("\u{c5}sa"), fold("A\u{30a}sa"));
/// assert_eq!(fold("ｂｏｂ"), "bob");
/// ```
pub fn fold(text: &str) -> Cow<'_, str> {
    let unchanged = |c: char| {
        if c.is_ascii() { !c.is_ascii_uppercase() } else { stands_alone(c) && folded(c).eq([c]) }
    };
    match text.find(|c| !unchanged(c)) {
        None => Cow::Borrowed(text),
        Some(_) if text.is_ascii() => Cow::Owned(text.to_ascii_lowercase()),
        Some(_) => with_key(text, |chars| {
            let mut key = String::with_capacity(text.len() + 8);
            key.extend(chars);
            if key == text { Cow::Borrowed(text) } else { Cow::Owned(key) }
        }),
    }
}

/// Whether the folded `text` is `key`, which is folded.
///
/// Nearly all strings that are compared differ, most of them early, and are ASCII: that is seen
/// word by word, without looking at the rest.
#[inline]
pub(crate) fn equals(text: &str, key: &str) -> bool {
    match begins(text.as_bytes(), key.as_bytes()) {
        Some(same) => same && text.len() == key.len(),
        None => with_key(text, |chars| chars.eq(key.chars())),
    }
}

/// Whether the folded `text` and `key` are the same as far as the shorter one goes; `None` if
/// something beyond ASCII comes before they differ, or where they do: what is composed of several
/// characters may begin with ASCII.
fn begins(text: &[u8], key: &[u8]) -> Option<bool> {
    let shorter = text.len().min(key.len());
    let (text, key) = (text.get(..shorter)?, key.get(..shorter)?);
    let ((words, text), (keys, key)) = (text.as_chunks::<8>(), key.as_chunks::<8>());
    for (word, key) in words.iter().zip(keys) {
        let word = u64::from_le_bytes(*word);
        if word & HIGH != 0 {
            return None;
        }
        let key = u64::from_le_bytes(*key);
        if lower(word) != key {
            return if key & HIGH == 0 { Some(false) } else { None };
        }
    }
    for (byte, key) in text.iter().zip(key) {
        if !byte.is_ascii() {
            return None;
        }
        if byte.to_ascii_lowercase() != *key {
            return if key.is_ascii() { Some(false) } else { None };
        }
    }
    Some(true)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// Eight ASCII characters in lower case.
fn lower(word: u64) -> u64 {
    // No byte is above 0x7f, so no sum goes beyond its byte; its highest bit says what it exceeds.
    let from_a = word + (0x80 - u64::from(b'A')) * ONES;
    let behind_z = word + (0x7f - u64::from(b'Z')) * ONES;
    word | ((from_a & !behind_z & HIGH) >> 2)
}

/// Whether the folded `text` starts with `key`, which is folded.
pub(crate) fn starts_with(text: &str, key: &str) -> bool {
    match begins(text.as_bytes(), key.as_bytes()) {
        Some(same) if !same || is_ascii_at(text.as_bytes(), key.len()) => same && text.len() >= key.len(),
        _ => with_key(text, |chars| key.chars().all(|c| chars.next() == Some(c))),
    }
}

/// Whether nothing is composed with what stands before `at`.
fn is_ascii_at(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(u8::is_ascii)
}

/// Whether the folded `text` ends with `key`, which is folded.
pub(crate) fn ends_with(text: &str, key: &str) -> bool {
    let start = text.len().checked_sub(key.len());
    match start.and_then(|start| text.as_bytes().get(start..)) {
        Some(tail) if tail.is_ascii() => tail.eq_ignore_ascii_case(key.as_bytes()),
        _ if text.is_ascii() => false,
        _ => in_key(text, |folded| folded.ends_with(key.as_bytes())),
    }
}

/// Whether `key`, which is folded, occurs in the folded `text`.
///
/// ASCII, which is nearly all there is, is searched as it stands, and what is short beyond it is
/// folded on the stack. The search is linear whatever the two strings are.
pub(crate) fn contains(text: &str, Key { text: key, anchor }: Key<'_>) -> bool {
    if key.is_ascii() {
        match occurs(text.as_bytes(), key.as_bytes(), anchor.into()) {
            Some(true) => return true,
            Some(false) if text.is_ascii() => return false,
            _ => {}
        }
    } else if text.is_ascii() {
        return false;
    }
    in_key(text, |folded| memchr::memmem::find(folded, key.as_bytes()).is_some())
}

/// What `test` says of the key of `text`, which is made on the stack if it is short.
fn in_key(text: &str, test: impl FnOnce(&[u8]) -> bool) -> bool {
    let mut buffer = [0; ON_STACK];
    match fold_into(text, &mut buffer) {
        Some(folded) => test(folded),
        None => test(fold(text).as_bytes()),
    }
}

const ON_STACK: usize = 512;

/// The folded `text` in `buffer`, if that is large enough for sure.
fn fold_into<'b>(text: &str, buffer: &'b mut [u8; ON_STACK]) -> Option<&'b [u8]> {
    let length = with_key(text, |chars| {
        let mut length = 0;
        for c in chars {
            let rest = buffer.get_mut(length..).filter(|rest| rest.len() >= 4)?;
            length += c.encode_utf8(rest).len();
        }
        Some(length)
    })?;
    buffer.get(..length)
}

/// Whether `key`, which is lower-case ASCII, stands in `text` in any case. What `text` has beyond
/// ASCII is equal to nothing here. `None` if too much of it began like `key` to go on so, or if what is
/// found may be composed with what follows.
fn occurs(text: &[u8], key: &[u8], anchor: usize) -> Option<bool> {
    let Some(&byte) = key.get(anchor) else { return Some(true) };
    // Where the anchor may be, so that the key neither begins before the text nor ends behind it.
    let Some(last) = text.len().checked_sub(key.len()) else { return Some(false) };
    let places = text.get(anchor..=last + anchor)?;
    // Each place looked at costs at most the key's length, so this bounds it by that of the text.
    let mut left = 4 * text.len() + 4 * key.len();
    let mut at = 0;
    loop {
        let rest = places.get(at..).unwrap_or_default();
        let found = match byte.to_ascii_uppercase() {
            upper if upper == byte => memchr::memchr(byte, rest),
            upper => memchr::memchr2(byte, upper, rest),
        };
        let Some(found) = found else { return Some(false) };
        let start = at + found;
        if text.get(start..start + key.len())?.eq_ignore_ascii_case(key) {
            return is_ascii_at(text, start + key.len()).then_some(true);
        }
        left = left.checked_sub(key.len())?;
        at = start + 1;
    }
}

/// What is looked for in many texts.
#[derive(Clone, Copy)]
pub(crate) struct Key<'t> {
    /// Folded.
    pub(crate) text: &'t str,
    /// The place of the byte by which to look for it: one as rare as any of the first.
    pub(crate) anchor: u8,
}

impl<'t> Key<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        const FIRST: u8 = 32;
        let rarity = |byte: u8| RARITY.get(usize::from(byte)).copied().unwrap_or_default();
        let rarest = (0..FIRST).zip(text.bytes()).max_by_key(|(_, byte)| rarity(*byte));
        Self { text, anchor: rarest.map_or(0, |(place, _)| place) }
    }
}

/// How rare each byte is in names, addresses and words: letters by their order here, digits among
/// them, and what is neither most of all.
static RARITY: [u8; 256] = {
    let mut rarity = [50; 256];
    let mut rest: &[u8] = b"eaionr0123456789.tslcudmph gbfywkvxzjq";
    let mut place = 0;
    while let [byte, behind @ ..] = rest {
        #[expect(clippy::indexing_slicing, reason = "a byte is less than 256")]
        {
            rarity[*byte as usize] = place;
        }
        place += 1;
        rest = behind;
    }
    rarity
};

/// The order of the folded `text` and `key`, which is folded: by code point.
pub(crate) fn order(text: &str, key: &str) -> Ordering {
    if text.is_ascii() {
        text.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(key.bytes())
    } else {
        with_key(text, |chars| chars.cmp(key.chars()))
    }
}
