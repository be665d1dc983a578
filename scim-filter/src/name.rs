//! Attribute names: spelt as given, compared without case.

use std::fmt;
use std::hash::{Hash, Hasher};

/// An attribute name or schema URI used as a member name of a SCIM object.
///
/// Names compare without regard to ASCII case (RFC 7643 §2.1) and print as they were spelt.
/// A hash of the folded name is kept beside the text, so that looking a name up in an object
/// compares four bytes per member and touches the text of the match alone.
///
/// ```
/// use scim_filter::AttrName;
/// assert_eq!(AttrName::new("userName"), AttrName::new("USERNAME"));
/// assert_eq!(AttrName::new("userName").as_str(), "userName");
/// ```
#[derive(Clone)]
pub struct AttrName {
    text: Box<str>,
    // INVARIANT: `hash == fold_hash(&text)`.
    hash: u32,
}

impl AttrName {
    /// The name spelt `text`.
    pub fn new(text: &str) -> Self {
        Self { text: text.into(), hash: fold_hash(text) }
    }

    /// The spelling this name was made with.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `text` spells this name in any case.
    pub fn matches(&self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text)
    }

    /// The hash of the lower-cased name; equal names have equal hashes.
    pub fn folded_hash(&self) -> u32 {
        self.hash
    }
}

impl PartialEq for AttrName {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.text.eq_ignore_ascii_case(&other.text)
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
        fmt::Debug::fmt(&*self.text, f)
    }
}

impl fmt::Display for AttrName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for AttrName {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// The hash an [`AttrName`] spelt `text` has: FNV-1a over the ASCII-lower-cased bytes.
pub fn fold_hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    })
}
