//! SCIM 2.0 filters and PATCH paths: parse, print, bind to a schema, evaluate.

mod ast;
mod bind;
mod bound;
pub mod compare;
mod display;
mod error;
mod eval;
mod fold;
mod instant;
mod json;
mod lex;
mod name;
mod parse;
mod path;
mod schema;

pub use ast::{AttrPath, CompValue, CompareOp, Expr, Filter, Term, Terms, TermsIter};
pub use bind::{BindError, BindErrorKind, BindOptions};
pub use bound::{BoundAttr, BoundExpr, BoundFilter, BoundTerm, BoundTerms};
pub use error::{ParseError, ParseErrorKind};
pub use json::{Json, JsonObject, JsonView, Number, Scalar};
pub use name::{AttrName, fold_hash};
pub use parse::{Limits, ParseOptions};
pub use path::{BoundPath, PatchPath};
pub use schema::{AttributeInfo, AttributeType, Schema};
