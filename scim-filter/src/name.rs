//! Attribute names: spelt as given, compared without case.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::known;

/// An attribute name or schema URI used as a member name of a SCIM object.
///
/// Names compare without regard to ASCII case (RFC 7643 §2.1) and print as they were spelt.
/// A hash of the folded name is kept, so that unequal names are told apart by four bytes; a name
/// spelt as RFC 7643 or RFC 7644 spells it is a number besides, so that equal ones are too, and
/// neither takes memory of its own.
///
/// ```
/// use scim_filter::AttrName;
/// assert_eq!(AttrName::new("userName"), AttrName::new("USERNAME"));
/// assert_eq!(AttrName::new("userName").as_str(), "userName");
/// ```
#[derive(Clone)]
pub struct AttrName {
    // INVARIANT: `hash == fold_hash(self.as_str())`.
    hash: u32,
    spelling: Spelling,
}

#[derive(Clone)]
enum Spelling {
    /// That of the RFCs; which name it is.
    Known(u8),
    /// Any other.
    Own(Box<str>),
}

impl AttrName {
    /// The name spelt `text`.
    pub fn new(text: &str) -> Self {
        let hash = fold_hash(text);
        let spelling = match known::find(text, hash) {
            Some(number) => Spelling::Known(number),
            None => Spelling::Own(text.into()),
        };
        Self { hash, spelling }
    }

    /// The spelling this name was made with.
    pub fn as_str(&self) -> &str {
        match &self.spelling {
            Spelling::Known(number) => known::name(*number),
            Spelling::Own(text) => text,
        }
    }

    /// Whether RFC 7643 or RFC 7644 gives this name, so spelt, to a member of an object.
    ///
    /// ```
    /// use scim_filter::AttrName;
    /// assert!(AttrName::new("userName").is_of_rfcs());
    /// assert!(!AttrName::new("badgeNumber").is_of_rfcs());
    /// ```
    pub fn is_of_rfcs(&self) -> bool {
        matches!(self.spelling, Spelling::Known(_))
    }

    /// Whether `text` spells this name in any case.
    pub fn matches(&self, text: &str) -> bool {
        self.as_str().eq_ignore_ascii_case(text)
    }

    /// The hash of the lower-cased name; equal names have equal hashes.
    #[inline]
    pub fn folded_hash(&self) -> u32 {
        self.hash
    }
}

impl PartialEq for AttrName {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
            && match (&self.spelling, &other.spelling) {
                (Spelling::Known(one), Spelling::Known(another)) if one == another => true,
                _ => self.matches(other.as_str()),
            }
    }
}

impl Eq for AttrName {}

impl Hash for AttrName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.hash);
    }
}

impl fmt::Debug for AttrName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for AttrName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&str> for AttrName {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// The hash an [`AttrName`] spelt `text` has: FNV-1a over the ASCII-lower-cased bytes.
pub const fn fold_hash(text: &str) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    let mut rest = text.as_bytes();
    while let [byte, behind @ ..] = rest {
        hash = (hash ^ byte.to_ascii_lowercase() as u32).wrapping_mul(0x0100_0193);
        rest = behind;
    }
    hash
}
