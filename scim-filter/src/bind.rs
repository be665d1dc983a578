//! A filter with its names resolved against a schema, and misuse refused once.

use std::fmt;
use std::ops::Range;

use crate::{AttrName, AttributeType, CompareOp, Json, Scalar};

/// Leniencies of a bind.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BindOptions {
    /// Lets a Boolean attribute be compared with `"true"`, `"True"`, `"false"` or `"False"`.
    pub boolean_strings: bool,
}

/// A filter bound to a schema: canonical names, types and case rules are known.
#[derive(Clone)]
pub struct BoundFilter {}

impl BoundFilter {
    /// The outermost expression, for stores that translate it.
    pub fn expr(&self) -> BoundExpr<'_> {
        todo!()
    }

    /// Whether the resource `object` fulfils the filter.
    pub fn matches<J: Json>(&self, object: &J::Object) -> bool {
        let _ = object;
        todo!()
    }

    /// Whether one value of the multi-valued attribute fulfils the filter of a value path; a
    /// value that is no object counts as its `value` sub-attribute.
    pub fn matches_value<J: Json>(&self, value: &J) -> bool {
        let _ = value;
        todo!()
    }
}

/// One expression of a bound filter.
#[derive(Clone, Copy)]
pub enum BoundExpr<'b> {
    /// Every term holds.
    And(BoundTerms<'b>),
    /// Some term holds.
    Or(BoundTerms<'b>),
    /// The term does not hold.
    Not(BoundTerm<'b>),
    /// A comparison.
    Compare(&'b BoundAttr, CompareOp, Scalar<'b>),
    /// The attribute has a value.
    Present(&'b BoundAttr),
    /// Some value of the attribute fulfils the inner filter, whose attributes are sub-attributes.
    ValuePath(&'b BoundAttr, BoundTerm<'b>),
}

/// A reference to one sub-expression.
#[derive(Clone, Copy)]
pub struct BoundTerm<'b> {
    filter: &'b BoundFilter,
    node: u32,
}

impl<'b> BoundTerm<'b> {
    /// The expression.
    pub fn expr(self) -> BoundExpr<'b> {
        let _ = (self.filter, self.node);
        todo!()
    }
}

/// The terms of an `and` or an `or`.
#[derive(Clone, Copy)]
pub struct BoundTerms<'b> {
    filter: &'b BoundFilter,
    next: u32,
    end: u32,
}

impl<'b> Iterator for BoundTerms<'b> {
    type Item = BoundTerm<'b>;

    fn next(&mut self) -> Option<BoundTerm<'b>> {
        let _ = (self.filter, self.next, self.end);
        todo!()
    }
}

/// An attribute as the schema knows it.
#[derive(Clone, Debug)]
pub struct BoundAttr {
    /// The extension whose object holds the attribute.
    pub extension: Option<AttrName>,
    /// The attribute; inside a value path, the sub-attribute.
    pub name: AttrName,
    /// The sub-attribute, outside a value path.
    pub sub: Option<AttrName>,
    /// The type of what is compared (the sub-attribute's, if there is one; a complex attribute
    /// compared as such counts as its `value`).
    pub kind: AttributeType,
    /// Whether the attribute (not the sub-attribute) holds several values.
    pub multi_valued: bool,
    /// Whether strings compare with case.
    pub case_exact: bool,
}

/// Why a filter or path does not fit the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindError {
    pub(crate) kind: BindErrorKind,
    pub(crate) span: Range<usize>,
}

/// The kinds of [`BindError`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindErrorKind {
    /// No schema of the resource type defines the attribute.
    UnknownAttribute,
    /// The attribute must not be revealed, not even by a filter's outcome.
    Sensitive,
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
}

impl fmt::Display for BindError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl std::error::Error for BindError {}
