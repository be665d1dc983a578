//! Why a filter has no translation.

use std::fmt;

use crate::BoundAttr;

/// Why a filter or a sort order has no translation over a mapping, and which clause it is.
///
/// It is the mapping that lacks something, or the filter that asks for too much; to a client both
/// are `invalidFilter` (RFC 7644 §3.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    kind: SqlErrorKind,
    // Path and operator.
    clause: Box<str>,
}

/// The kinds of [`SqlError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqlErrorKind {
    /// The mapping does not say where the attribute is.
    Unmapped,
    /// The attribute is not `caseExact`, and the column is not folded.
    NotFolded,
    /// The attribute is `caseExact`, and the column is folded.
    NotExact,
    /// The JSON column holds values as they are, not comparison keys.
    NotKeyed,
    /// The column holds another type of values than the attribute's.
    WrongType,
    /// The database has no such type of column.
    WrongDialect,
    /// The name cannot stand in a JSON path.
    Name,
    /// Only what has a single value in a column can be sorted by.
    NotSortable,
    /// The filter nests deeper than databases take.
    TooDeep {
        /// The most levels, of the SQL.
        limit: usize,
    },
    /// The filter has more values than a statement takes.
    TooManyValues {
        /// The most values, of the whole statement.
        limit: usize,
    },
}

impl SqlError {
    /// What is wrong.
    pub fn kind(&self) -> SqlErrorKind {
        self.kind
    }

    /// The attribute, by its whole path, and the operator that cannot be translated (`emails.type eq`,
    /// also inside of brackets); empty if it is the whole filter.
    pub fn clause(&self) -> &str {
        &self.clause
    }

    pub(super) fn new(kind: SqlErrorKind, clause: String) -> Self {
        Self { kind, clause: clause.into() }
    }

    /// `outer` is the attribute whose brackets the clause is in.
    pub(super) fn of(kind: SqlErrorKind, outer: Option<&BoundAttr>, attr: &BoundAttr, op: &str) -> Self {
        let mut clause = String::new();
        for attr in outer.into_iter().chain([attr]) {
            if !clause.is_empty() {
                clause.push('.');
            }
            if let Some(extension) = &attr.extension {
                clause.push_str(extension.as_str());
                clause.push(':');
            }
            clause.push_str(attr.name.as_str());
            if let Some(sub) = &attr.sub {
                clause.push('.');
                clause.push_str(sub.as_str());
            }
        }
        if !op.is_empty() {
            clause.push(' ');
            clause.push_str(op);
        }
        Self::new(kind, clause)
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.clause.is_empty() {
            write!(f, "`{}` cannot be answered: ", self.clause)?;
        }
        describe(self.kind, f)
    }
}

impl std::error::Error for SqlError {}

pub(super) fn describe(kind: SqlErrorKind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(match kind {
        SqlErrorKind::Unmapped => "the attribute is not mapped to a column",
        SqlErrorKind::NotFolded => "the attribute is not caseExact but its column is not folded",
        SqlErrorKind::NotExact => "the attribute is caseExact but its column is folded",
        SqlErrorKind::NotKeyed => "the JSON column does not hold comparison keys",
        SqlErrorKind::WrongType => "the column does not hold values of the attribute's type",
        SqlErrorKind::WrongDialect => "the database does not have the column's type",
        SqlErrorKind::Name => "the name cannot stand in a JSON path",
        SqlErrorKind::NotSortable => "it has not one value in a column to sort by",
        SqlErrorKind::TooDeep { limit } => {
            return write!(f, "the filter nests deeper than the {limit} levels a database takes");
        }
        SqlErrorKind::TooManyValues { limit } => {
            return write!(f, "the filter has more values than the {limit} a statement takes");
        }
    })
}
