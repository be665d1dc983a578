//! What a parse may ask for and what it lets pass.

/// How much a single filter or path may ask for; charged while parsing, so that a text that asks
/// for more costs no more than the limit.
///
/// The defaults are well above what identity providers send (a filter of two terms, or a thousand
/// `value eq` in one path) and far below what would be felt.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The longest text, in bytes. 64 KiB: as much as a thousand terms with identifiers need, and
    /// more than most HTTP servers accept in a URL. Texts beyond 512 MiB are refused whatever the limit.
    pub max_bytes: usize,
    /// The deepest nesting of `(`, `not (` and `[`. 64: people write 3, generators 10; the parser
    /// itself needs no limit, but those who read the filter recursively do.
    pub max_depth: usize,
    /// The most attribute expressions. 1024: each costs a look-up per resource when evaluating, and
    /// a bind value when translated (SQLite takes 32,766 in one statement, PostgreSQL 65,535).
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

/// The longest text whatever the limit: offsets are `u32`, and the strings of a text may stand
/// in memory twice, folded to up to three times their length.
pub(crate) const MAX_BYTES: usize = 512 << 20;
