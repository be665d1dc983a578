//! Case folding: which strings are equal where case does not count.
//!
//! The folding is Unicode's full case folding without locale, of each character by itself: `ß`
//! equals `ss`, `ς` equals `σ`, the Kelvin sign equals `k`; the dotless `ı` does not equal `i`.
//! Characters composed of several code points are not normalised.

use std::borrow::Cow;
use std::cmp::Ordering;

/// `text` case-folded, as unique keys and indexes hold it: equal keys are equal values of an
/// attribute that is not case-exact.
///
/// ```
/// use scim_filter::compare::fold;
/// assert_eq!(fold("BJensen"), "bjensen");
/// assert_eq!(fold("Straße"), fold("STRASSE"));
/// assert_ne!(fold("ı"), fold("I"));
/// ```
pub fn fold(text: &str) -> Cow<'_, str> {
    let unchanged = |c: char| {
        if c.is_ascii() {
            !c.is_ascii_uppercase()
        } else {
            let mut folded = folded(c);
            folded.next() == Some(c) && folded.next().is_none()
        }
    };
    match text.find(|c| !unchanged(c)) {
        None => Cow::Borrowed(text),
        Some(at) => {
            let (same, rest) = text.split_at_checked(at).unwrap_or(("", text));
            let mut key = String::with_capacity(text.len() + 8);
            key.push_str(same);
            for c in rest.chars() {
                if c.is_ascii() { key.push(c.to_ascii_lowercase()) } else { key.extend(folded(c)) }
            }
            Cow::Owned(key)
        }
    }
}

/// The folding of one character: the lower case of its upper case, which maps all that differ
/// only in case to one, but for two characters whose upper case is not their own.
fn folded(c: char) -> impl DoubleEndedIterator<Item = char> + Clone {
    let (upper, dotless) = match c {
        // Its upper case is `I`, that of `i`.
        'ı' => (None, Some('ı')),
        // Has no other upper case, and folds as `ß` does.
        'ẞ' => (Some('ß'), None),
        _ => (Some(c), None),
    };
    upper.into_iter().flat_map(char::to_uppercase).flat_map(char::to_lowercase).chain(dotless)
}

fn fold_chars(text: &str) -> impl DoubleEndedIterator<Item = char> + Clone + '_ {
    text.chars().flat_map(folded)
}

/// Whether the folded `text` is `key`, which is folded.
///
/// Nearly all strings that are compared differ, most of them early, and are ASCII: that is seen
/// word by word, without looking at the rest.
#[inline]
pub(crate) fn equals(text: &str, key: &str) -> bool {
    match begins(text.as_bytes(), key.as_bytes()) {
        Some(same) => same && text.len() == key.len(),
        None => fold_chars(text).eq(key.chars()),
    }
}

/// Whether the folded `text` and `key` are the same as far as the shorter one goes; `None` if
/// something beyond ASCII comes before they differ.
fn begins(text: &[u8], key: &[u8]) -> Option<bool> {
    let shorter = text.len().min(key.len());
    let (text, key) = (text.get(..shorter)?, key.get(..shorter)?);
    let ((words, text), (keys, key)) = (text.as_chunks::<8>(), key.as_chunks::<8>());
    for (word, key) in words.iter().zip(keys) {
        let word = u64::from_le_bytes(*word);
        if word & HIGH != 0 {
            return None;
        }
        if lower(word) != u64::from_le_bytes(*key) {
            return Some(false);
        }
    }
    for (byte, key) in text.iter().zip(key) {
        if !byte.is_ascii() {
            return None;
        }
        if byte.to_ascii_lowercase() != *key {
            return Some(false);
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
        Some(same) => same && text.len() >= key.len(),
        None => {
            let mut chars = fold_chars(text);
            key.chars().all(|c| chars.next() == Some(c))
        }
    }
}

/// Whether the folded `text` ends with `key`, which is folded.
pub(crate) fn ends_with(text: &str, key: &str) -> bool {
    let start = text.len().checked_sub(key.len());
    match start.and_then(|start| text.as_bytes().get(start..)) {
        Some(tail) if tail.is_ascii() => tail.eq_ignore_ascii_case(key.as_bytes()),
        _ if text.is_ascii() => false,
        _ => {
            let mut chars = fold_chars(text).rev();
            key.chars().rev().all(|c| chars.next() == Some(c))
        }
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
    let find = |folded: &[u8]| memchr::memmem::find(folded, key.as_bytes()).is_some();
    let mut buffer = [0; ON_STACK];
    match fold_into(text, &mut buffer) {
        Some(folded) => find(folded),
        None => find(fold(text).as_bytes()),
    }
}

const ON_STACK: usize = 512;

/// The folded `text` in `buffer`, if that is large enough for sure.
fn fold_into<'b>(text: &str, buffer: &'b mut [u8; ON_STACK]) -> Option<&'b [u8]> {
    let mut length = 0;
    for c in text.chars() {
        if c.is_ascii() {
            *buffer.get_mut(length)? = c.to_ascii_lowercase() as u8;
            length += 1;
        } else {
            for c in folded(c) {
                length += c.encode_utf8(buffer.get_mut(length..).filter(|rest| rest.len() >= 4)?).len();
            }
        }
    }
    buffer.get(..length)
}

/// Whether `key`, which is lower-case ASCII, stands in `text` in any case. What `text` has beyond
/// ASCII is equal to nothing here. `None` if too much of it began like `key` to go on so.
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
            return Some(true);
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
        fold_chars(text).cmp(key.chars())
    }
}
