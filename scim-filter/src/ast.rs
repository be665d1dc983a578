//! The AST: one owned source text, flat nodes linked by index, read through [`Expr`].
//!
//! Nodes are pushed as they are met and closed, and linked to the term before them. That makes
//! an n-ary `and` of what turned out to be its first term without moving it, in whatever nesting,
//! so that parsing stays linear; and nothing that walks, clones or drops the tree recurses.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::{BindError, BindOptions, BoundFilter, Number, ParseError, ParseOptions, Schema};

/// A parsed SCIM filter (RFC 7644 §3.4.2.2): owned, and never recursive. A clone copies its text and nodes.
///
/// Filters are equal when they have the same structure: names equal without regard to ASCII case,
/// values by what they mean (`1` equals `1.0`, an escape equals its character). Spaces do
/// not count, nor do brackets around one term; those that make a join one term of a join do.
///
/// ```
/// use scim_filter::{CompValue, CompareOp, Expr, Filter};
///
/// let filter = Filter::parse("userName Eq \"bjensen\"")?;
/// let Expr::Compare(path, op, value) = filter.expr() else { unreachable!() };
/// assert_eq!((path.as_str(), op, value), ("userName", CompareOp::Eq, CompValue::String("bjensen")));
/// assert_eq!(filter.to_string(), "userName eq \"bjensen\"");
/// # Ok::<(), scim_filter::ParseError>(())
/// ```
#[derive(Clone)]
pub struct Filter {
    // The text that was parsed, and behind it the unescaped form of its strings with escapes.
    buffer: Box<str>,
    text_len: u32,
    root: u32,
    nodes: Nodes,
    lenient: bool,
}

impl Filter {
    /// Parses `text` by the RFC's grammar with its errata, within the default [`Limits`](crate::Limits).
    ///
    /// # Errors
    ///
    /// If `text` is no filter, or asks for more than the limits.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::parse_with(text, &ParseOptions::default())
    }

    /// Parses `text` with the given limits and leniencies.
    ///
    /// # Errors
    ///
    /// If `text` is no filter, or asks for more than the limits.
    pub fn parse_with(text: &str, options: &ParseOptions) -> Result<Self, ParseError> {
        crate::parse::filter(text, options)
    }

    /// The text the filter was parsed from.
    pub fn as_str(&self) -> &str {
        self.buffer.get(..self.text_len as usize).unwrap_or_default()
    }

    /// The outermost expression.
    pub fn expr(&self) -> Expr<'_> {
        self.root_term().expr()
    }

    /// Whether the text needed [`ParseOptions::value_path_sub_attr`].
    pub fn is_lenient(&self) -> bool {
        self.lenient
    }

    /// Resolves names and types against `schema`, refusing misuse once for every evaluation.
    ///
    /// # Errors
    ///
    /// If the filter names what the schema does not define, or asks what makes no sense for its type.
    pub fn bind(&self, schema: &impl Schema, options: &BindOptions) -> Result<BoundFilter, BindError> {
        crate::bind::filter(self, schema, options)
    }

    pub(crate) fn from_parts(
        buffer: Box<str>,
        text_len: u32,
        root: u32,
        nodes: Nodes,
        lenient: bool,
    ) -> Self {
        Self { buffer, text_len, root, nodes, lenient }
    }

    pub(crate) fn root_term(&self) -> Term<'_> {
        Term { filter: self, node: self.root }
    }

    pub(crate) fn slice(&self, slice: Slice) -> &str {
        let start = slice.start as usize;
        self.buffer.get(start..start + slice.len as usize).unwrap_or_default()
    }

    pub(crate) fn attr_path(&self, slice: Slice) -> AttrPath<'_> {
        AttrPath { text: self.slice(slice), start: slice.start as usize }
    }

    /// The bytes of the operator behind the path that ends at `path_end`.
    pub(crate) fn operator_span(&self, path_end: usize) -> Range<usize> {
        let start = self.skip_spaces(path_end);
        start..start + 2
    }

    /// The bytes of the value behind the path that ends at `path_end`, with its quotes.
    pub(crate) fn value_span(&self, path_end: usize) -> Range<usize> {
        let start = self.skip_spaces(self.operator_span(path_end).end);
        let rest = self.as_str().get(start..).unwrap_or_default();
        let length = match rest.strip_prefix('"') {
            Some(inside) => {
                crate::lex::string(inside, |_, _| {}).map_or(rest.len(), |(left, _)| rest.len() - left.len())
            }
            None => rest.find([' ', ')', ']']).unwrap_or(rest.len()),
        };
        start..start + length
    }

    fn skip_spaces(&self, from: usize) -> usize {
        let rest = self.as_str().as_bytes().get(from..).unwrap_or_default();
        from + rest.len() - crate::lex::spaces(rest).len()
    }
}

impl FromStr for Filter {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.root_term() == other.root_term()
    }
}

// No number in a filter is NaN, so equality is total.
impl Eq for Filter {}

/// A range of a filter's buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Slice {
    pub(crate) fn end(self) -> usize {
        self.start as usize + self.len as usize
    }
}

/// No node: the end of a list of terms.
pub(crate) const NONE: u32 = u32::MAX;

/// The nodes of a filter, by index; most filters sent are one comparison, which needs no allocation.
///
/// INVARIANT: a node is in at most one list of terms, and the lists form a tree.
#[derive(Clone)]
pub(crate) struct Nodes {
    // INVARIANT: `None` only as long as there are no others.
    first: Option<Node>,
    others: Vec<Node>,
}

impl Nodes {
    pub(crate) const EMPTY: Self = Self { first: None, others: Vec::new() };

    pub(crate) fn get(&self, index: u32) -> Option<&Node> {
        match index.checked_sub(1) {
            None => self.first.as_ref(),
            Some(index) => self.others.get(index as usize),
        }
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut Node> {
        match index.checked_sub(1) {
            None => self.first.as_mut(),
            Some(index) => self.others.get_mut(index as usize),
        }
    }

    /// Makes room for as many nodes as a text of `text_len` bytes is likely to need, once it has shown
    /// that it needs more than one; more are seldom needed, as terms are seldom shorter than this.
    #[inline]
    pub(crate) fn expect_more(&mut self, text_len: usize) {
        if self.others.capacity() == 0 {
            self.others.reserve_exact((4 + text_len / 24).min(4096));
        }
    }

    /// Adds a node and returns its index.
    #[inline]
    pub(crate) fn push(&mut self, kind: NodeKind) -> u32 {
        let node = Node { next: NONE, kind };
        if self.first.is_none() {
            self.first = Some(node);
            return 0;
        }
        self.others.push(node);
        // A term is at least 4 bytes of the text, whose length fits `u32`.
        self.others.len() as u32
    }
}

/// One expression, and the term behind it in the `and` or `or` it stands in.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    pub(crate) next: u32,
    pub(crate) kind: NodeKind,
}

#[derive(Clone, Copy)]
pub(crate) enum NodeKind {
    And { first: u32 },
    Or { first: u32 },
    Not { term: u32 },
    Compare { path: Slice, op: CompareOp, value: Literal },
    Present { path: Slice },
    ValuePath { path: Slice, term: u32 },
}

#[derive(Clone, Copy)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    /// The text of the number, so that none of its digits is lost.
    Number(Slice),
    /// The text between the quotes, or its unescaped form behind the source.
    String(Slice),
}

/// One expression of a filter.
#[derive(Clone, Copy, Debug)]
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

/// A reference to one sub-expression; [`Term::expr`] opens it, `Display` prints it.
#[derive(Clone, Copy)]
pub struct Term<'f> {
    filter: &'f Filter,
    node: u32,
}

impl<'f> Term<'f> {
    pub(crate) fn new(filter: &'f Filter, node: u32) -> Self {
        Self { filter, node }
    }

    /// The expression.
    pub fn expr(self) -> Expr<'f> {
        let filter = self.filter;
        let term = |node| Term { filter, node };
        match self.kind() {
            NodeKind::And { first } => Expr::And(Terms { filter, first }),
            NodeKind::Or { first } => Expr::Or(Terms { filter, first }),
            NodeKind::Not { term: inner } => Expr::Not(term(inner)),
            NodeKind::Compare { path, op, value } => {
                let value = match value {
                    Literal::Null => CompValue::Null,
                    Literal::Bool(value) => CompValue::Bool(value),
                    Literal::Number(text) => {
                        CompValue::Number(Number::parse(filter.slice(text)).unwrap_or(Number::Int(0)))
                    }
                    Literal::String(text) => CompValue::String(filter.slice(text)),
                };
                Expr::Compare(filter.attr_path(path), op, value)
            }
            NodeKind::Present { path } => Expr::Present(filter.attr_path(path)),
            NodeKind::ValuePath { path, term: inner } => Expr::ValuePath(filter.attr_path(path), term(inner)),
        }
    }

    pub(crate) fn filter(self) -> &'f Filter {
        self.filter
    }

    pub(crate) fn kind(self) -> NodeKind {
        // INVARIANT: a term is made only with the index of a node; no node would be an `or` of nothing.
        self.filter.nodes.get(self.node).map_or(NodeKind::Or { first: NONE }, |node| node.kind)
    }

    /// The term behind this one in the list both are in.
    pub(crate) fn next(self) -> Option<Self> {
        let node = self.filter.nodes.get(self.node)?.next;
        (node != NONE).then_some(Term { filter: self.filter, node })
    }
}

impl PartialEq for Term<'_> {
    fn eq(&self, other: &Self) -> bool {
        fn same_path(a: Term<'_>, b: Term<'_>, left: Slice, right: Slice) -> bool {
            a.filter.slice(left).eq_ignore_ascii_case(b.filter.slice(right))
        }
        let mut open = vec![(*self, *other)];
        while let Some((a, b)) = open.pop() {
            let child = |a_child, b_child| (Term::new(a.filter, a_child), Term::new(b.filter, b_child));
            match (a.kind(), b.kind()) {
                (NodeKind::And { first: x }, NodeKind::And { first: y })
                | (NodeKind::Or { first: x }, NodeKind::Or { first: y }) => {
                    let (mut x, mut y) = (
                        Terms { filter: a.filter, first: x }.into_iter(),
                        Terms { filter: b.filter, first: y }.into_iter(),
                    );
                    loop {
                        match (x.next(), y.next()) {
                            (Some(x), Some(y)) => open.push((x, y)),
                            (None, None) => break,
                            _ => return false,
                        }
                    }
                }
                (NodeKind::Not { term: x }, NodeKind::Not { term: y }) => open.push(child(x, y)),
                (NodeKind::Present { path: x }, NodeKind::Present { path: y }) if same_path(a, b, x, y) => {}
                (NodeKind::ValuePath { path: x, term: i }, NodeKind::ValuePath { path: y, term: j })
                    if same_path(a, b, x, y) =>
                {
                    open.push(child(i, j));
                }
                (NodeKind::Compare { path: x, op: p, .. }, NodeKind::Compare { path: y, op: q, .. })
                    if p == q && same_path(a, b, x, y) =>
                {
                    match (a.expr(), b.expr()) {
                        (Expr::Compare(_, _, v), Expr::Compare(_, _, w)) if v == w => {}
                        _ => return false,
                    }
                }
                _ => return false,
            }
        }
        true
    }
}

/// The terms of an `and` or an `or`, at least two, in the order written.
#[derive(Clone, Copy)]
pub struct Terms<'f> {
    filter: &'f Filter,
    first: u32,
}

impl<'f> Terms<'f> {
    pub(crate) fn starting(filter: &'f Filter, first: u32) -> Self {
        Self { filter, first }
    }
}

impl<'f> IntoIterator for Terms<'f> {
    type Item = Term<'f>;
    type IntoIter = TermsIter<'f>;

    fn into_iter(self) -> TermsIter<'f> {
        TermsIter { next: (self.first != NONE).then_some(Term::new(self.filter, self.first)) }
    }
}

impl fmt::Debug for Terms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}

/// Iterates over [`Terms`].
#[derive(Clone)]
pub struct TermsIter<'f> {
    next: Option<Term<'f>>,
}

impl<'f> Iterator for TermsIter<'f> {
    type Item = Term<'f>;

    fn next(&mut self) -> Option<Term<'f>> {
        let term = self.next?;
        self.next = term.next();
        Some(term)
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

    /// The URI before the attribute, as the grammar has it: up to the last `:`.
    ///
    /// In a PATCH path that is the URI of a schema and nothing else, this is not the whole of it;
    /// [binding](Filter::bind) goes by the schemas that are known.
    pub fn uri(&self) -> Option<&'f str> {
        self.text.rsplit_once(':').map(|(uri, _)| uri)
    }

    /// The attribute, without URI and sub-attribute.
    pub fn name(&self) -> &'f str {
        let name = self.text.rsplit_once(':').map_or(self.text, |(_, name)| name);
        name.split_once('.').map_or(name, |(name, _)| name)
    }

    /// The sub-attribute.
    pub fn sub_attr(&self) -> Option<&'f str> {
        let name = self.text.rsplit_once(':').map_or(self.text, |(_, name)| name);
        name.split_once('.').map(|(_, sub)| sub)
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

impl CompareOp {
    /// The operator as the grammar spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}

impl fmt::Display for CompareOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
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
