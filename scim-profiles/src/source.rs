//! Where a fact comes from.

use std::fmt;

/// Where a fact comes from: every row of a profile has one.
///
/// ```
/// use scim_profiles::{Basis, Source};
/// const USERS: Source = Source::stated("Vendor, \"Users\"", "2026-01-13");
/// assert_eq!(USERS.to_string(), "Vendor, \"Users\" (2026-01-13)");
///
/// let inferred = USERS.left_to(&["duplicate_status"]);
/// assert_eq!(inferred.to_string(), "Vendor, \"Users\" (2026-01-13), inferred");
/// assert_eq!(inferred.basis, Basis::Inferred { options: &["duplicate_status"] });
///
/// let decided = USERS.decided("404 is HTTP's");
/// assert_eq!(decided.to_string(), "Vendor, \"Users\" (2026-01-13), decided");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// The document: publisher and title, and the revision where there is one.
    pub document: &'static str,
    /// The date of the version that was read, in ISO 8601, as precise as it is known.
    pub seen: &'static str,
    /// What the document has to do with the fact.
    pub basis: Basis,
}

/// What the document of a [`Source`] has to do with the fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// It states it.
    Stated,
    /// It does not say so in words. How the vendor has it was concluded, and may be otherwise.
    Inferred {
        /// The options of the profile by which it can be had otherwise.
        options: &'static [&'static str],
    },
    /// It does not say so in words, and it is no guess about the vendor: this library decides it so.
    Decided {
        /// Why so, and why there is no option.
        why: &'static str,
    },
}

impl Basis {
    /// `stated`, `inferred` or `decided`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::Inferred { .. } => "inferred",
            Self::Decided { .. } => "decided",
        }
    }
}

impl Source {
    /// A fact the document states.
    pub const fn stated(document: &'static str, seen: &'static str) -> Self {
        Self { document, seen, basis: Basis::Stated }
    }

    /// The same document, for a fact that was concluded from it, and that these options of the profile decide.
    pub const fn left_to(self, options: &'static [&'static str]) -> Self {
        Self { basis: Basis::Inferred { options }, ..self }
    }

    /// The same document, for what it leaves open and this library decides, for this reason.
    pub const fn decided(self, why: &'static str) -> Self {
        Self { basis: Basis::Decided { why }, ..self }
    }

    /// Whether the fact was concluded.
    pub const fn is_inferred(&self) -> bool {
        matches!(self.basis, Basis::Inferred { .. })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.document, self.seen)?;
        match self.basis {
            Basis::Stated => Ok(()),
            Basis::Inferred { .. } | Basis::Decided { .. } => write!(f, ", {}", self.basis.as_str()),
        }
    }
}
