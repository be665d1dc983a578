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
pub(crate) fn equals(text: &str, key: &str) -> bool {
    if text.is_ascii() { text.eq_ignore_ascii_case(key) } else { fold_chars(text).eq(key.chars()) }
}

/// Whether the folded `text` starts with `key`, which is folded.
pub(crate) fn starts_with(text: &str, key: &str) -> bool {
    match text.as_bytes().get(..key.len()) {
        Some(head) if head.is_ascii() => head.eq_ignore_ascii_case(key.as_bytes()),
        _ if text.is_ascii() => false,
        _ => {
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
/// Short ASCII text, which is nearly all there is, is folded on the stack. The search itself is
/// linear whatever the two strings are.
pub(crate) fn contains(text: &str, key: &str) -> bool {
    const ON_STACK: usize = 256;
    if text.is_ascii() && text.len() <= ON_STACK {
        if key.len() > text.len() {
            return false;
        }
        let mut buffer = [0; ON_STACK];
        let Some(folded) = buffer.get_mut(..text.len()) else { return false };
        folded.copy_from_slice(text.as_bytes());
        folded.make_ascii_lowercase();
        return memchr::memmem::find(folded, key.as_bytes()).is_some();
    }
    memchr::memmem::find(fold(text).as_bytes(), key.as_bytes()).is_some()
}

/// The order of the folded `text` and `key`, which is folded: by code point.
pub(crate) fn order(text: &str, key: &str) -> Ordering {
    if text.is_ascii() {
        text.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(key.bytes())
    } else {
        fold_chars(text).cmp(key.chars())
    }
}
