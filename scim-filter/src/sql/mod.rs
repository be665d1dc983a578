//! Bound filters as SQL conditions, over tables of the embedder's own.
//!
//! A [`Mapping`] says where each attribute lives: a column, a child table with a row for each
//! value, or a JSON column. [`BoundFilter::to_sql`] makes the text that stands behind `WHERE` and
//! the values to bind to it; nothing a client sent is ever part of the text.
//!
//! ```
//! use scim_filter::AttributeType::{Boolean, Complex, String};
//! use scim_filter::sql::{Child, Column, Dialect, Mapping, SqlValue};
//! use scim_filter::{AttributeInfo, BindOptions, Filter, SchemaTable};
//!
//! let schema = SchemaTable {
//!     uri: "urn:ietf:params:scim:schemas:core:2.0:User",
//!     attributes: &[
//!         (AttributeInfo::new("userName", String), &[]),
//!         (AttributeInfo::new("active", Boolean), &[]),
//!         (
//!             AttributeInfo::new("emails", Complex).multi_valued(),
//!             &[AttributeInfo::new("type", String), AttributeInfo::new("value", String)],
//!         ),
//!     ],
//! };
//! // CREATE TABLE users (id TEXT, user_name_key TEXT NOT NULL, active BOOLEAN)
//! // CREATE TABLE emails (user_id TEXT, type_key TEXT, value_key TEXT)
//! let users = Mapping::new()
//!     .column("userName", Column::folded("u.user_name_key").not_null())
//!     .column("active", Column::boolean("u.active"))
//!     .child(
//!         "emails",
//!         Child::new("emails AS e", "e.user_id = u.id")
//!             .column("type", Column::folded("e.type_key"))
//!             .column("value", Column::folded("e.value_key")),
//!     );
//!
//! let filter = Filter::parse(r#"userName eq "BJensen" and not (emails.type eq "work")"#)?;
//! let filter = filter.bind(&schema, &BindOptions::default())?;
//! let sql = filter.to_sql(&users, Dialect::Postgres, 1)?;
//! assert_eq!(
//!     sql.text,
//!     "(u.user_name_key = $1 AND NOT (EXISTS (SELECT 1 FROM emails AS e WHERE (e.user_id = u.id) \
//!      AND ((e.type_key IS NOT NULL AND e.type_key = $2)))))"
//! );
//! assert_eq!(sql.values, [SqlValue::Text("bjensen".into()), SqlValue::Text("work".into())]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! - **Total**: every bound filter becomes a condition that holds for exactly the rows of the
//!   resources for which [`BoundFilter::matches`] holds, or an error that names the clause. No
//!   clause is dropped or widened.
//! - **Two-valued**: no condition is ever `NULL`, so it may stand under a `NOT` of the embedder's.
//! - **Indexed**: `eq` is a plain `column = value`, `sw` a range, on the column as it was mapped.
//! - `ne` is `NOT` of `eq`, outside of brackets over all values of the attribute, inside over one.
//! - A value path is an `EXISTS` over one row or element.
//! - Nothing recurses over the filter, and neither does the database deeply: long lists of terms
//!   are nested in groups.
//!
//! # Comparison keys
//!
//! Databases fold case each in their own way (SQLite only ASCII), know nothing of Base64 padding
//! and compare times as text only if they are all written alike. So text columns hold comparison
//! keys, which [`key`] makes and which compare byte by byte as the values do:
//!
//! | attribute | the column holds | declared as |
//! |---|---|---|
//! | string, reference, `caseExact` | the value | [`Column::exact`] |
//! | string, reference, not `caseExact` | [`fold`](crate::compare::fold) of it | [`Column::folded`] |
//! | dateTime | its instant: the key, RFC 3339 in UTC, a Unix time or `timestamptz` | [`Column::instant`] and others |
//! | binary | Base64 without padding | [`Column::base64`] |
//!
//! An attribute that is not `caseExact` over a column that is not folded is an error, even where
//! a literal has no letters: whether a filter is accepted depends on the attribute alone. A column
//! known to hold only ASCII can be folded by the database: `Column::folded("lower(u.user_name)")`,
//! with an index on that expression.
//!
//! SQLite columns must have the default collation (`BINARY`). In PostgreSQL `eq` takes the index of
//! any deterministic collation; orders and `sw` compare `COLLATE "C"`, and so must an index for them.
//! A PostgreSQL text column cannot hold U+0000, and here nothing equals what has one.

mod error;
mod instant;
mod json;
mod key;
mod leaf;
mod mapping;
mod order;
mod writer;

pub use error::{SqlError, SqlErrorKind};
pub use key::key;
#[cfg(feature = "serde_json")]
pub use key::key_document;
pub use mapping::{Child, Column, JsonColumn, Mapping};
pub use order::{Sort, SortDirection};

use crate::{BoundAttr, BoundExpr, BoundFilter, BoundTerm};
use mapping::{Place, Values};
use writer::Writer;

/// Whose SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.38 or later; parameters are `?1`, `?2`, …
    Sqlite,
    /// PostgreSQL 12 or later with encoding UTF-8; parameters are `$1`, `$2`, …
    Postgres,
}

/// A value to bind.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// `TEXT`
    Text(String),
    /// `BIGINT`
    Integer(i64),
    /// `DOUBLE PRECISION`
    Float(f64),
    /// `BOOLEAN`
    Boolean(bool),
}

/// A piece of SQL with the values of its parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sql {
    /// A condition in parentheses or by itself.
    pub text: String,
    /// The values of the parameters, from the first on.
    pub values: Vec<SqlValue>,
}

impl BoundFilter {
    /// The filter as a condition on the rows of `mapping`; its parameters are numbered from
    /// `first_parameter` on.
    ///
    /// # Errors
    ///
    /// When a clause names an attribute that is not mapped, or is mapped to a column that cannot
    /// answer it; see [`SqlErrorKind`].
    pub fn to_sql(
        &self,
        mapping: &Mapping,
        dialect: Dialect,
        first_parameter: usize,
    ) -> Result<Sql, SqlError> {
        let mut writer = Writer::new(dialect, first_parameter);
        // What is inside of brackets, which do not nest.
        let mut values: Option<Values<'_>> = None;
        let mut todo = vec![Todo::Term(self.root(), 0)];
        while let Some(next) = todo.pop() {
            match next {
                Todo::Text(text) => writer.push(text),
                Todo::Close(count) => (0..count).for_each(|_| writer.push(")")),
                Todo::LeaveValuePath => {
                    writer.push("))");
                    values = None;
                }
                Todo::Term(_, depth) if depth > MAX_DEPTH => {
                    return Err(SqlError::new(SqlErrorKind::TooDeep, String::new()));
                }
                Todo::Term(term, depth) => match term.expr() {
                    BoundExpr::And(terms) => join(&mut todo, terms.collect(), " AND ", depth),
                    BoundExpr::Or(terms) => join(&mut todo, terms.collect(), " OR ", depth),
                    BoundExpr::Not(term) => {
                        writer.push("NOT (");
                        todo.extend([Todo::Close(1), Todo::Term(term, depth + 1)]);
                    }
                    BoundExpr::ValuePath(attr, term) => {
                        values = Some(mapping.values(attr, &mut writer)?);
                        todo.extend([Todo::LeaveValuePath, Todo::Term(term, depth + 8)]);
                    }
                    BoundExpr::Compare(attr, op, value) => {
                        let place = place(mapping, values.as_ref(), attr)
                            .map_err(|kind| SqlError::of(kind, attr, op.as_str()))?;
                        leaf::compare(&mut writer, &place, attr, op, value)
                            .map_err(|kind| SqlError::of(kind, attr, op.as_str()))?;
                    }
                    BoundExpr::Present(attr) => {
                        let place = place(mapping, values.as_ref(), attr)
                            .map_err(|kind| SqlError::of(kind, attr, "pr"))?;
                        leaf::present(&mut writer, &place, attr)
                            .map_err(|kind| SqlError::of(kind, attr, "pr"))?;
                    }
                },
            }
        }
        writer.finish()
    }

    fn root(&self) -> BoundTerm<'_> {
        BoundTerm::root(self)
    }
}

fn place<'m>(
    mapping: &'m Mapping,
    values: Option<&Values<'m>>,
    attr: &BoundAttr,
) -> Result<Place<'m>, SqlErrorKind> {
    match values {
        None => mapping.place(attr),
        Some(values) => values.place(attr),
    }
}

enum Todo<'b> {
    Term(BoundTerm<'b>, usize),
    Text(&'static str),
    Close(usize),
    LeaveValuePath,
}

/// Puts the terms on the stack in groups of groups: databases read `a AND b AND c` as
/// `(a AND b) AND c`, and SQLite refuses what is nested deeper than 1000.
fn join<'b>(todo: &mut Vec<Todo<'b>>, terms: Vec<BoundTerm<'b>>, operator: &'static str, depth: usize) {
    const GROUP: usize = 8;
    let count = terms.len();
    let (mut size, mut levels) = (GROUP, 1);
    while size < count {
        size *= GROUP;
        levels += 1;
    }
    let depth = depth + levels * GROUP.min(count);
    let begins = |index: usize| {
        // The groups of every size that begin with the term.
        let (mut size, mut begins) = (1, 0);
        for _ in 0..levels {
            size *= GROUP;
            begins += usize::from(index.is_multiple_of(size));
        }
        begins
    };
    for (index, term) in terms.into_iter().enumerate().rev() {
        // What begins behind a term ends with it, and at the end all that are open.
        let ends = if index + 1 == count { levels } else { begins(index + 1) };
        todo.push(Todo::Close(ends));
        todo.push(Todo::Term(term, depth));
        (0..begins(index)).for_each(|_| todo.push(Todo::Text("(")));
        if index > 0 {
            todo.push(Todo::Text(operator));
        }
    }
}

/// SQLite refuses expressions nested deeper than 1000; a comparison takes some.
const MAX_DEPTH: usize = 900;
