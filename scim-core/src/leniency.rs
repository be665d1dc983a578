//! Deviations from the RFCs that real identity providers need, each with a name.

use std::fmt;

/// A deviation that is tolerated and reported when it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Leniency {
    /// `Add`, `Replace`, `Remove` as operation names (Entra ID).
    OpCase,
    /// `"True"` and `"False"` for Booleans (Entra ID, OneLogin templates).
    BooleanString,
}

/// Which leniencies are on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leniencies {
    on: u64,
}

impl Leniencies {
    /// None: RFC 7644 to the letter.
    pub fn strict() -> Self {
        Self { on: 0 }
    }

    /// All of them, which is the service's default.
    pub fn tolerant() -> Self {
        Self { on: u64::MAX }
    }

    /// Whether `leniency` is on.
    pub fn allows(&self, leniency: Leniency) -> bool {
        self.on & (1 << leniency as u64) != 0
    }
}

impl Default for Leniencies {
    fn default() -> Self {
        Self::tolerant()
    }
}

impl fmt::Display for Leniency {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
