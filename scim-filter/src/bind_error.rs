//! Why a filter or path does not fit a schema.

use std::fmt;
use std::ops::Range;

use crate::error::{excerpt, shorten, shorten_name};
use crate::{AttributeType, CompareOp};

/// Why a filter or path does not fit the schema.
///
/// Prints as one line; [`caret`](Self::caret) prints the place under the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindError {
    kind: BindErrorKind,
    span: Range<usize>,
    // The attribute (or schema) that is meant, as it was written.
    attribute: Box<str>,
    // What of it is wrong: a sub-attribute, or a value.
    found: Box<str>,
}

/// The kinds of [`BindError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindErrorKind {
    /// The URI is not that of a schema of the resource type.
    UnknownSchema,
    /// No schema of the resource type defines the attribute.
    UnknownAttribute,
    /// The attribute has no such sub-attribute.
    UnknownSubAttribute,
    /// The attribute must not be revealed, not even by a filter's outcome; nor may a sub-attribute by
    /// the presence of the attribute it is in.
    Sensitive,
    /// A complex attribute without a `value` can only be tested for presence (RFC 7644 §3.4.2.2).
    NeedsSubAttribute,
    /// A single-valued attribute without sub-attributes has nothing a value filter could choose from.
    NotFilterable,
    /// The operator makes no sense for the type (RFC 7644 table 3).
    OperatorNotAllowed {
        /// The operator.
        op: CompareOp,
        /// The type of the attribute.
        kind: AttributeType,
    },
    /// The value is not one of the attribute's type.
    TypeMismatch {
        /// The type of the attribute.
        kind: AttributeType,
    },
}

impl BindErrorKind {
    /// Whether the schema does not define what was named: a schema, an attribute or a sub-attribute.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::UnknownSchema | Self::UnknownAttribute | Self::UnknownSubAttribute)
    }
}

impl BindError {
    /// What is wrong.
    pub fn kind(&self) -> &BindErrorKind {
        &self.kind
    }

    /// The bytes of the source that are wrong.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Prints the place under `text`, which must be the text of the filter or path.
    pub fn caret<'e>(&'e self, text: &'e str) -> impl fmt::Display + 'e {
        Caret { error: self, text }
    }

    /// `attribute` is what is meant, `found` what of it is wrong, both as written.
    pub(crate) fn new(kind: BindErrorKind, span: Range<usize>, attribute: &str, found: &str) -> Self {
        Self { kind, span, attribute: shorten_name(attribute), found: shorten(found) }
    }

    fn message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (attribute, found) = (&self.attribute, &self.found);
        match self.kind {
            BindErrorKind::UnknownSchema => write!(f, "`{attribute}` is not a schema of the resource type"),
            BindErrorKind::UnknownAttribute => {
                write!(f, "`{attribute}` is not an attribute of the resource type")
            }
            BindErrorKind::UnknownSubAttribute => {
                write!(f, "`{found}` is not a sub-attribute of `{attribute}`")
            }
            BindErrorKind::Sensitive => write!(f, "`{attribute}` cannot be used in a filter"),
            BindErrorKind::NeedsSubAttribute => {
                write!(f, "`{attribute}` is complex and compares only by a sub-attribute")
            }
            BindErrorKind::NotFilterable => write!(f, "`{attribute}` takes no value filter"),
            BindErrorKind::OperatorNotAllowed { op, kind } => {
                write!(f, "`{op}` does not apply to `{attribute}`, which is {kind}")
            }
            BindErrorKind::TypeMismatch { kind } => {
                write!(f, "`{found}` does not compare with `{attribute}`, which is {kind}")
            }
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message(f)?;
        write!(f, ", at byte {}", self.span.start)
    }
}

impl std::error::Error for BindError {}

struct Caret<'e> {
    error: &'e BindError,
    text: &'e str,
}

impl fmt::Display for Caret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        excerpt(f, self.text, self.error.span())?;
        f.write_str(" ")?;
        self.error.message(f)
    }
}
