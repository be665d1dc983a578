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
//!   are nested in groups, and for SQLite deep filters are written in parts. What the default
//!   [`Limits`](crate::Limits) admit executes; what is still too much is an error that says how much.
//!   PostgreSQL thinks conditions of hundreds of clauses so dear that it compiles them first, which
//!   takes far longer than to execute them: `SET jit = off` in the sessions that look up by filters.
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
//! A PostgreSQL text column cannot hold U+0000, and here nothing equals what has one. In JSON
//! columns SQLite before 3.45 sees text only up to a U+0000.

mod check;
mod error;
mod instant;
mod json;
mod key;
mod leaf;
mod mapping;
mod order;
mod shape;
mod translate;
mod writer;

pub use check::{MappingError, MappingErrorKind};
pub use error::{SqlError, SqlErrorKind};
pub use key::key;
#[cfg(feature = "serde_json")]
pub use key::key_document;
pub use mapping::{Child, Column, JsonColumn, Mapping};
pub use order::{Sort, SortDirection};

use crate::BoundFilter;

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
    /// `first_parameter` on, the least of which is 1 (so is 0).
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
        translate::translate(self, mapping, dialect, first_parameter)
    }
}
