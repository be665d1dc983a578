//! The loop over bracket frames, and its limits.

/// How much a single filter or path may ask for; charged while parsing.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The longest text, in bytes.
    pub max_bytes: usize,
    /// The deepest nesting of `(`, `not (` and `[`.
    pub max_depth: usize,
    /// The most attribute expressions.
    pub max_terms: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 64 * 1024, max_depth: 64, max_terms: 1024 }
    }
}

/// Limits and leniencies of a parse.
#[derive(Clone, Debug, Default)]
pub struct ParseOptions {
    /// How much the text may ask for.
    pub limits: Limits,
    /// Accepts `emails[type eq "work"].value eq "x"` for `emails[type eq "work" and value eq "x"]`,
    /// as Microsoft Entra ID sends it.
    pub value_path_sub_attr: bool,
}
