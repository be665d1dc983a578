//! SCIM 2.0 filters and PATCH paths: parse, print, bind to a schema, evaluate.
//!
//! A filter (RFC 7644 §3.4.2.2) is parsed into a [`Filter`], bound once to a [`Schema`], and then
//! evaluated on any number of resources ([`BoundFilter::matches`] on a tree,
//! [`BoundFilter::matches_slice`] on JSON text), or translated: to SQL by `BoundFilter::to_sql` (feature
//! `sql`), to anything else from [`BoundFilter::expr`].
//!
//! ```
//! use scim_filter::AttributeType::{Boolean, Complex, String};
//! use scim_filter::{AttributeInfo, BindOptions, Filter, SchemaTable};
//! use serde_json::{Value, json};
//!
//! const USER: SchemaTable<'static> = SchemaTable {
//!     uri: "urn:ietf:params:scim:schemas:core:2.0:User",
//!     attributes: &[
//!         (AttributeInfo::new("userName", String), &[]),
//!         (AttributeInfo::new("active", Boolean), &[]),
//!         (
//!             AttributeInfo::new("emails", Complex).multi_valued(),
//!             &[AttributeInfo::new("value", String), AttributeInfo::new("type", String)],
//!         ),
//!     ],
//! };
//!
//! let filter = Filter::parse(r#"active eq true and emails[type eq "work" and value ew "@example.com"]"#)?;
//! let filter = filter.bind(&USER, &BindOptions::default())?;
//!
//! let user = json!({
//!     "userName": "bjensen",
//!     "active": true,
//!     "emails": [{"type": "work", "value": "BJensen@Example.com"}],
//! });
//! assert!(filter.matches::<Value>(user.as_object().unwrap()));
//!
//! let error = Filter::parse("active == true").unwrap_err();
//! assert_eq!(error.to_string(), "expected `pr` or a comparison operator, found `==`, at byte 7");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`PatchPath`] is the same for the `path` of a PATCH operation (RFC 7644 §3.5.2), and
//! [`compare`] the comparator that filters, sorting, uniqueness and PATCH share.
//!
//! # Grammar
//!
//! RFC 7644 figures 1 and 7 with their errata, and these readings:
//!
//! - Operators, `and`, `or`, `not`, attribute names and URIs are read in any case (RFC 5234 §2.3,
//!   RFC 7644 §3.4.2.2); `true`, `false` and `null` are JSON's, which is lower case alone (RFC 7159 §3).
//! - `not` binds tighter than `and`, `and` than `or` (erratum 4670). `not(…)` and `not (…)` are
//!   both read (erratum 7319). A word is a keyword only where one can stand: `not pr` asks for an
//!   attribute called `not`.
//! - A value filter nests `and`, `or`, `not` and parentheses (errata 4690, 7322) but no other value
//!   filter: the sub-attributes of a complex attribute are not complex (RFC 7643 §2.3.8).
//! - A path may be an attribute expression (erratum 7122), and `$ref` is a name (RFC 7643 erratum 8924).
//! - Where the grammar has a space, any number of them is read; so it is inside brackets and at both
//!   ends, where they cannot change the meaning and generated filters have them. No other white space is.
//! - Of a URI the characters are looked at and not the form, since only one that is known can be
//!   bound. `[` and `]`, which RFC 3986 §3.2.2 has in addresses of hosts alone, are brackets of filters.
//! - A URI is told from the attribute by the longest schema that is known when binding, never by
//!   the last `:` or `.` alone.
//!
//! What identity providers send beyond that is a named leniency, off by default:
//! [`ParseOptions::value_path_sub_attr`], [`BindOptions::boolean_strings`].
//!
//! # Meaning
//!
//! [`BoundFilter::matches`] says what holds when; where the RFC is silent, what was chosen and why.
//! Comparing what cannot be compared is refused when binding, not evaluated to false.
//!
//! # Input safety
//!
//! Parsing takes time and memory linear in the text, within [`Limits`] that are charged while
//! parsing. Nothing here recurses over a filter: parsing, printing, binding, evaluation, cloning and
//! dropping take any nesting. Evaluation is linear in what it looks at, and allocates nothing but for a
//! compared text of more than 512 bytes: on the left of `co`, if it is not ASCII or comes near what is
//! looked for again and again; in JSON text, if it has escapes. Of JSON text a filter makes ready what it
//! looks for with the first one, and allocates once for each if it has more than 16 attributes. No input
//! panics.
//!
//! # Errors
//!
//! [`ParseError`] and [`BindError`] have a kind, the bytes that are wrong, a line for people and a
//! form with carets under the place.

mod ast;
mod bind;
mod bind_error;
mod block;
mod bound;
pub mod compare;
mod display;
mod error;
mod eval;
mod fold;
mod frame;
mod hint;
mod instant;
mod json;
mod json_members;
mod json_text;
mod known;
mod lex;
mod limits;
mod name;
mod normal;
mod parse;
mod path;
mod scan;
mod schema;
mod slice;
#[cfg(feature = "sql")]
pub mod sql;
mod table;
mod wanted;

pub use ast::{AttrPath, CompValue, CompareOp, Expr, Filter, Term, Terms, TermsIter};
pub use bind::BindOptions;
pub use bind_error::{BindError, BindErrorKind};
pub use bound::{BoundAttr, BoundExpr, BoundFilter, BoundTerm, BoundTerms};
pub use error::{ParseError, ParseErrorKind};
pub use json::{Json, JsonObject, JsonView, Number, Scalar};
pub use json_text::{JsonTextError, JsonTextErrorKind};
pub use limits::{Limits, ParseOptions};
pub use name::{AttrName, fold_hash};
pub use path::{BoundPath, PatchPath};
pub use schema::{AttributeInfo, AttributeType, Schema};
pub use table::SchemaTable;
