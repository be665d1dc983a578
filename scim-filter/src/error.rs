//! Why a text is not a filter or a path.

use std::fmt;
use std::ops::Range;

use crate::hint::hint;

/// Why and where a text is not a SCIM filter or PATCH path.
///
/// Prints as one line; [`caret`](Self::caret) prints the place under the text.
///
/// ```
/// let text = "userName = \"bjensen\"";
/// let error = scim_filter::Filter::parse(text).unwrap_err();
/// assert_eq!(error.to_string(), "expected `pr` or a comparison operator, found `=`, at byte 9");
/// assert_eq!(error.span(), 9..10);
/// assert_eq!(error.hint(), Some("equality is written `eq`"));
/// assert_eq!(
///     error.caret(text).to_string(),
///     "userName = \"bjensen\"\n         ^ expected `pr` or a comparison operator, found `=`; equality is written `eq`",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    kind: ParseErrorKind,
    span: Range<usize>,
    // What stands at the span, shortened; empty at the end of the text.
    found: Box<str>,
    is_path: bool,
    hint: Option<&'static str>,
}

/// The kinds of [`ParseError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// Nothing but spaces.
    Empty,
    /// More bytes than the limit.
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// `(`, `not (` and `[` nest deeper than the limit.
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// More attribute expressions than the limit.
    TooManyTerms {
        /// The limit.
        limit: usize,
    },
    /// An attribute, `not` or `(` must stand here.
    ExpectedAttribute,
    /// What stands here breaks the grammar of `[URI ":"] ATTRNAME *1subAttr`.
    InvalidAttribute,
    /// A space must stand here.
    ExpectedSpace,
    /// `pr` or a comparison operator must stand here.
    ExpectedOperator,
    /// A comparison value must stand here.
    ExpectedValue,
    /// What stands here begins like a number but breaks the grammar of a JSON number.
    InvalidNumber,
    /// The number is too large for a binary64.
    NumberOutOfRange,
    /// The string has no closing quote.
    UnterminatedString,
    /// A backslash is not followed by an escape of JSON.
    InvalidEscape,
    /// `\uD800` to `\uDFFF` stand for a character only in pairs.
    LoneSurrogate,
    /// U+0000 to U+001F must be escaped in a string.
    ControlCharacter,
    /// `and`, `or` or the end must stand here.
    ExpectedLogic,
    /// Within brackets, `and`, `or` or the closing bracket must stand here.
    ExpectedLogicOrClose {
        /// The bracket, `)` or `]`.
        bracket: char,
    },
    /// A bracket is not closed.
    Unclosed,
    /// A closing bracket does not close the one opened last.
    Unbalanced,
    /// A value filter holds another one; a complex attribute has no complex sub-attributes
    /// (RFC 7643 §2.3.8, RFC 7644 erratum 4690).
    NestedValueFilter,
    /// The path must end here.
    ExpectedEnd,
}

impl ParseError {
    pub(crate) fn new(kind: ParseErrorKind, span: Range<usize>, text: &str, is_path: bool) -> Self {
        // Where something else was expected, what stands there is shown as one piece.
        let span = if span.is_empty() { span.start..piece_end(text, span.start) } else { span };
        let found = shorten(text.get(span.clone()).unwrap_or_default());
        let hint = hint(kind, text, &span);
        Self { kind, span, found, is_path, hint }
    }

    /// What is wrong.
    pub fn kind(&self) -> &ParseErrorKind {
        &self.kind
    }

    /// The bytes of the input that are wrong; empty where something is missing at the end.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// What may have been meant, where the text looks like a common mistake.
    pub fn hint(&self) -> Option<&'static str> {
        self.hint
    }

    /// Prints the place under `text`, which must be the text that was parsed: two lines, the
    /// first of which is the surroundings of the place if the text is long.
    pub fn caret<'e>(&'e self, text: &'e str) -> impl fmt::Display + 'e {
        Caret { error: self, text }
    }

    fn message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_path { "path" } else { "filter" };
        match self.kind {
            ParseErrorKind::Empty => write!(f, "the {what} is empty"),
            ParseErrorKind::TooLong { limit } => write!(f, "the {what} is longer than {limit} bytes"),
            ParseErrorKind::TooDeep { limit } => write!(f, "brackets nest deeper than {limit}"),
            ParseErrorKind::TooManyTerms { limit } => {
                write!(f, "the {what} has more than {limit} attribute expressions")
            }
            ParseErrorKind::ExpectedAttribute => self.expected(f, "an attribute"),
            ParseErrorKind::InvalidAttribute => {
                write!(f, "`{}` is not an attribute path", self.found)
            }
            ParseErrorKind::ExpectedSpace => self.expected(f, "a space"),
            ParseErrorKind::ExpectedOperator => self.expected(f, "`pr` or a comparison operator"),
            ParseErrorKind::ExpectedValue => {
                self.expected(f, "a string in double quotes, a number, `true`, `false` or `null`")
            }
            ParseErrorKind::InvalidNumber => write!(f, "`{}` is not a JSON number", self.found),
            ParseErrorKind::NumberOutOfRange => write!(f, "the number `{}` is out of range", self.found),
            ParseErrorKind::UnterminatedString => f.write_str("the string has no closing quote"),
            ParseErrorKind::InvalidEscape => write!(f, "`{}` is not a JSON escape", self.found),
            ParseErrorKind::LoneSurrogate => {
                write!(f, "`{}` is half of a surrogate pair", self.found)
            }
            ParseErrorKind::ControlCharacter => {
                f.write_str("a control character in a string must be escaped")
            }
            ParseErrorKind::ExpectedLogic => self.expected(f, "`and`, `or` or the end"),
            ParseErrorKind::ExpectedLogicOrClose { bracket } => {
                self.expected(f, format_args!("`and`, `or` or `{bracket}`"))
            }
            ParseErrorKind::Unclosed => write!(f, "`{}` is not closed", self.found),
            ParseErrorKind::Unbalanced => write!(f, "`{}` does not close a bracket", self.found),
            ParseErrorKind::NestedValueFilter => f.write_str("a value filter cannot hold another one"),
            ParseErrorKind::ExpectedEnd => self.expected(f, "the end of the path"),
        }
    }

    fn expected(&self, f: &mut fmt::Formatter<'_>, what: impl fmt::Display) -> fmt::Result {
        if self.found.is_empty() {
            write!(f, "expected {what}, found the end")
        } else {
            write!(f, "expected {what}, found `{}`", self.found)
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message(f)?;
        match self.kind {
            ParseErrorKind::Empty | ParseErrorKind::TooLong { .. } => Ok(()),
            _ => write!(f, ", at byte {}", self.span.start),
        }
    }
}

impl std::error::Error for ParseError {}

struct Caret<'e> {
    error: &'e ParseError,
    text: &'e str,
}

impl fmt::Display for Caret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        excerpt(f, self.text, self.error.span())?;
        f.write_str(" ")?;
        self.error.message(f)?;
        match self.error.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// Prints the line of `text` around `span`, and carets under the span on a second line.
pub(crate) fn excerpt(f: &mut fmt::Formatter<'_>, text: &str, span: Range<usize>) -> fmt::Result {
    /// As much of the text as is shown before the span, and from its start on.
    const CONTEXT: usize = 60;
    let start = span.start.min(text.len());
    let from = text.floor_char_boundary(start.saturating_sub(CONTEXT));
    let to = text.ceil_char_boundary((start + CONTEXT).min(text.len()));
    let cut = |range: Range<usize>| text.get(range).unwrap_or_default();
    let (before, behind) = (cut(from..start), cut(start..to));
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let width = behind.char_indices().take_while(|(at, _)| start + at < span.end).count().max(1);

    let lead = if from > 0 { "…" } else { "" };
    f.write_str(lead)?;
    before.chars().chain(behind.chars()).map(visible).try_for_each(|c| fmt::Write::write_char(f, c))?;
    f.write_str(if to < text.len() { "…\n" } else { "\n" })?;
    let indent = lead.chars().count() + before.chars().count();
    write!(f, "{:indent$}{:^<width$}", "", "")
}

/// The end of what a reader would take for one piece of the text.
fn piece_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let boundary = |c: char| c == ' ' || matches!(c, '(' | ')' | '[' | ']' | '"');
    let mut chars = rest.char_indices();
    let first = match chars.next() {
        Some((_, c)) => c,
        None => return start,
    };
    if boundary(first) {
        return start + first.len_utf8();
    }
    start + chars.find(|(_, c)| boundary(*c)).map_or(rest.len(), |(at, _)| at)
}

/// What an error quotes of the text: at most one line of 40 characters.
pub(crate) fn shorten(text: &str) -> Box<str> {
    shorten_to(40, text).into()
}

/// What an error quotes of a name: of a long one the beginning and the end, which tells more.
pub(crate) fn shorten_name(name: &str) -> Box<str> {
    const END: usize = 80;
    match name.char_indices().rev().nth(END - 1) {
        Some((end, _)) if end > 0 => {
            let (beginning, end) = name.split_at(end);
            (shorten_to(40, beginning) + &shorten_to(END, end)).into()
        }
        _ => shorten_to(END, name).into(),
    }
}

fn shorten_to(longest: usize, text: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut short: String = text.chars().take(longest).map(visible).collect();
    if text.chars().nth(longest).is_some() {
        short.push('…');
    }
    short
}
