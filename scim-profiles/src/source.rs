//! Where a fact comes from.

use std::fmt;

/// Where a fact comes from: every row of a profile has one.
///
/// ```
/// use scim_profiles::Source;
/// const ROW: Source = Source::inferred("Vendor, \"Users\"", "2026-01-13");
/// assert_eq!(ROW.to_string(), "Vendor, \"Users\" (2026-01-13), inferred");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// The document: publisher and title, and the revision where there is one.
    pub document: &'static str,
    /// The date of the version that was read, in ISO 8601, as precise as it is known.
    pub seen: &'static str,
    /// Whether the document does not say so in words, and the fact was concluded from it.
    pub inferred: bool,
}

impl Source {
    /// A fact the document states.
    pub const fn stated(document: &'static str, seen: &'static str) -> Self {
        Self { document, seen, inferred: false }
    }

    /// A fact concluded from the document.
    pub const fn inferred(document: &'static str, seen: &'static str) -> Self {
        Self { document, seen, inferred: true }
    }

    /// The same document, for a fact that is concluded from it.
    pub const fn as_inferred(self) -> Self {
        Self { inferred: true, ..self }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.document, self.seen)?;
        if self.inferred { f.write_str(", inferred") } else { Ok(()) }
    }
}
