//! The query AST: one owned source text, flat nodes in prefix order, read through [`Expr`].

use std::ops::Range;

use crate::{BindError, BindOptions, BoundFilter, ParseError, ParseOptions, Schema};

/// A parsed SCIM filter (RFC 7644 §3.4.2.2).
#[derive(Clone)]
pub struct Filter {
    source: Box<str>,
}

impl Filter {
    /// Parses `text` by the RFC's grammar with its errata, within the default [`Limits`](crate::Limits).
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::parse_with(text, &ParseOptions::default())
    }

    /// Parses `text` with the given limits and leniencies.
    pub fn parse_with(text: &str, options: &ParseOptions) -> Result<Self, ParseError> {
        let _ = (text, options);
        todo!()
    }

    /// The text the filter was parsed from.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The outermost expression.
    pub fn expr(&self) -> Expr<'_> {
        todo!()
    }

    /// Resolves names and types against `schema`, refusing misuse once for every evaluation.
    pub fn bind(&self, schema: &impl Schema, options: &BindOptions) -> Result<BoundFilter, BindError> {
        let _ = (schema, options);
        todo!()
    }
}

/// One expression of a filter.
#[derive(Clone, Copy)]
pub enum Expr<'f> {
    /// Every term holds.
    And(Terms<'f>),
    /// Some term holds.
    Or(Terms<'f>),
    /// The term does not hold.
    Not(Term<'f>),
    /// `attrPath compareOp compValue`
    Compare(AttrPath<'f>, CompareOp, CompValue<'f>),
    /// `attrPath pr`
    Present(AttrPath<'f>),
    /// `attrPath[valFilter]`: some value of the attribute fulfils the whole inner filter.
    ValuePath(AttrPath<'f>, Term<'f>),
}

/// A reference to one sub-expression; [`Term::expr`] opens it.
#[derive(Clone, Copy)]
pub struct Term<'f> {
    filter: &'f Filter,
    node: u32,
}

impl<'f> Term<'f> {
    /// The expression.
    pub fn expr(self) -> Expr<'f> {
        let _ = (self.filter, self.node);
        todo!()
    }
}

/// The terms of an `and` or an `or`, at least two.
#[derive(Clone)]
pub struct TermsIter<'f> {
    filter: &'f Filter,
    next: u32,
    end: u32,
}

/// The terms of an `and` or an `or`, at least two, in the order written.
#[derive(Clone, Copy)]
pub struct Terms<'f> {
    filter: &'f Filter,
    first: u32,
    end: u32,
}

impl<'f> IntoIterator for Terms<'f> {
    type Item = Term<'f>;
    type IntoIter = TermsIter<'f>;

    fn into_iter(self) -> TermsIter<'f> {
        TermsIter { filter: self.filter, next: self.first, end: self.end }
    }
}

impl<'f> Iterator for TermsIter<'f> {
    type Item = Term<'f>;

    fn next(&mut self) -> Option<Term<'f>> {
        let _ = (self.filter, self.next, self.end);
        todo!()
    }
}

/// An attribute path as written: `[URI ":"] ATTRNAME ["." subAttr]`.
///
/// Where a URI ends is known only with the schemas at hand, so the text is split when binding.
#[derive(Clone, Copy, Debug)]
pub struct AttrPath<'f> {
    text: &'f str,
    start: usize,
}

impl<'f> AttrPath<'f> {
    /// The path as written.
    pub fn as_str(&self) -> &'f str {
        self.text
    }

    /// The bytes of the source the path stands in.
    pub fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }
}

/// A comparison operator (RFC 7644 table 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `eq`
    Eq,
    /// `ne`
    Ne,
    /// `co`
    Co,
    /// `sw`
    Sw,
    /// `ew`
    Ew,
    /// `gt`
    Gt,
    /// `ge`
    Ge,
    /// `lt`
    Lt,
    /// `le`
    Le,
}

/// A comparison literal: `false / null / true / number / string`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CompValue<'f> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A JSON number.
    Number(crate::Number),
    /// A JSON string, unescaped.
    String(&'f str),
}
