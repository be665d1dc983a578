//! What binding makes: a filter with its names resolved, as evaluation and stores read it.

use std::sync::OnceLock;

use crate::ast::Slice;
use crate::compare::{Instant, Text, without_padding};
use crate::fold::Key;
use crate::wanted::Wanted;
use crate::{AttrName, AttributeType, CompareOp, Number, Scalar};

/// A filter bound to a schema: canonical names, types and case rules are known.
///
/// [`matches`](Self::matches) evaluates it on any [`Json`](crate::Json) tree; a store translates it
/// with `to_sql` (feature `sql`) or by walking [`expr`](Self::expr).
#[derive(Clone, Debug)]
pub struct BoundFilter {
    // In prefix order: a node's terms follow it.
    pub(crate) nodes: Box<[BoundNode]>,
    // The first leaf to evaluate.
    pub(crate) entry: u32,
    pub(crate) attrs: Box<[BoundAttr]>,
    // The strings compared with, and behind each its folded form where that differs.
    pub(crate) texts: Box<str>,
    // What is looked for in JSON text, once any was looked at.
    pub(crate) wanted: OnceLock<Box<Wanted>>,
    pub(crate) lenient: bool,
}

/// An expression. Leaves say where evaluation goes on, so that it needs no stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoundNode {
    pub(crate) kind: BoundKind,
    /// The node behind the last term.
    pub(crate) end: u32,
    /// The leaf to go on with when this one holds, or [`ACCEPT`] or [`REJECT`].
    pub(crate) on_true: u32,
    /// The same when it does not hold.
    pub(crate) on_false: u32,
}

/// The filter holds.
pub(crate) const ACCEPT: u32 = u32::MAX;
/// The filter does not hold.
pub(crate) const REJECT: u32 = u32::MAX - 1;

#[derive(Clone, Copy, Debug)]
pub(crate) enum BoundKind {
    And,
    Or,
    Not,
    Compare { attr: u32, op: CompareOp, value: BoundLiteral },
    Present { attr: u32 },
    ValuePath { attr: u32 },
}

impl BoundKind {
    /// The attribute a leaf is about.
    pub(crate) fn attr(&self) -> Option<u32> {
        match *self {
            Self::Compare { attr, .. } | Self::Present { attr } | Self::ValuePath { attr } => Some(attr),
            Self::And | Self::Or | Self::Not => None,
        }
    }
}

/// A comparison value, prepared.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BoundLiteral {
    Bool(bool),
    Number(Number),
    Exact(Slice),
    Folded { text: Slice, key: Slice, anchor: u8 },
    Instant { text: Slice, seconds: i64, fraction: Slice },
    Binary(Slice),
}

impl BoundFilter {
    /// The outermost expression, for stores that translate it.
    pub fn expr(&self) -> BoundExpr<'_> {
        BoundTerm { filter: self, node: 0 }.expr()
    }

    /// Whether a literal needed a leniency of [`BindOptions`](crate::BindOptions).
    pub fn is_lenient(&self) -> bool {
        self.lenient
    }

    pub(crate) fn wanted(&self) -> &Wanted {
        self.wanted.get_or_init(|| Box::new(Wanted::of(&self.nodes, &self.attrs)))
    }

    pub(crate) fn node(&self, index: u32) -> Option<&BoundNode> {
        self.nodes.get(index as usize)
    }

    pub(crate) fn attr(&self, index: u32) -> Option<&BoundAttr> {
        self.attrs.get(index as usize)
    }

    pub(crate) fn text(&self, slice: Slice) -> &str {
        self.texts.get(slice.start as usize..slice.end()).unwrap_or_default()
    }

    /// The literal as comparisons of strings take it.
    pub(crate) fn prepared(&self, literal: BoundLiteral) -> Result<Text<'_>, Scalar<'_>> {
        Ok(match literal {
            BoundLiteral::Bool(value) => return Err(Scalar::Bool(value)),
            BoundLiteral::Number(value) => return Err(Scalar::Number(value)),
            BoundLiteral::Exact(text) => Text::Exact(self.text(text)),
            BoundLiteral::Folded { key, anchor, .. } => Text::Folded(Key { text: self.text(key), anchor }),
            BoundLiteral::Instant { text, seconds, fraction } => {
                Text::Instant(Instant::from_parts(seconds, self.text(fraction)), self.text(text))
            }
            BoundLiteral::Binary(text) => Text::Binary(without_padding(self.text(text))),
        })
    }

    fn scalar(&self, literal: BoundLiteral) -> Scalar<'_> {
        match literal {
            BoundLiteral::Bool(value) => Scalar::Bool(value),
            BoundLiteral::Number(value) => Scalar::Number(value),
            BoundLiteral::Exact(text)
            | BoundLiteral::Folded { text, .. }
            | BoundLiteral::Instant { text, .. }
            | BoundLiteral::Binary(text) => Scalar::String(self.text(text)),
        }
    }
}

/// Gives each leaf the leaves to go on with, and returns the first.
///
/// A node stands before its terms, so it can hand its own two ways on to them: an `and` goes on
/// with its next term when one holds, an `or` when one does not, and a `not` exchanges the two.
pub(crate) fn route(nodes: &mut [BoundNode]) -> u32 {
    // At first a way leads to a node; which leaf that begins with is seen below.
    for index in 0..nodes.len() as u32 {
        let Some(&BoundNode { kind, end, on_true, on_false }) = nodes.get(index as usize) else { break };
        let mut give = |node: u32, on_true: u32, on_false: u32| {
            let node = nodes.get_mut(node as usize)?;
            (node.on_true, node.on_false) = (on_true, on_false);
            Some(node.end)
        };
        match kind {
            BoundKind::Not => {
                give(index + 1, on_false, on_true);
            }
            BoundKind::ValuePath { .. } => {
                give(index + 1, ACCEPT, REJECT);
            }
            BoundKind::And | BoundKind::Or => {
                let mut term = index + 1;
                while term < end {
                    let Some(next) = give(term, on_true, on_false) else { break };
                    if next < end {
                        let (on_true, on_false) =
                            if matches!(kind, BoundKind::And) { (next, on_false) } else { (on_true, next) };
                        give(term, on_true, on_false);
                    }
                    term = next;
                }
            }
            BoundKind::Compare { .. } | BoundKind::Present { .. } => {}
        }
    }
    // A node that is no leaf begins with the first leaf behind it.
    let mut first_leaf = vec![0; nodes.len()];
    let mut leaf = 0;
    for (index, node) in nodes.iter().enumerate().rev() {
        if !matches!(node.kind, BoundKind::And | BoundKind::Or | BoundKind::Not) {
            leaf = index as u32;
        }
        if let Some(first) = first_leaf.get_mut(index) {
            *first = leaf;
        }
    }
    for node in nodes {
        for way in [&mut node.on_true, &mut node.on_false] {
            if let Some(first) = first_leaf.get(*way as usize) {
                *way = *first;
            }
        }
    }
    first_leaf.first().copied().unwrap_or(REJECT)
}

/// One expression of a bound filter.
///
/// `eq null` does not occur: binding makes it "not present", and `ne null` "present", which is what
/// they mean (RFC 7643 §2.5).
#[derive(Clone, Copy, Debug)]
pub enum BoundExpr<'b> {
    /// Every term holds.
    And(BoundTerms<'b>),
    /// Some term holds.
    Or(BoundTerms<'b>),
    /// The term does not hold.
    Not(BoundTerm<'b>),
    /// A comparison, with the literal as it was written. Strings compare by the attribute's
    /// [`Collation`](crate::compare::Collation); `ne` holds exactly where `eq` does not.
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
    #[cfg(feature = "sql")]
    pub(crate) fn at(filter: &'b BoundFilter, node: usize) -> Self {
        Self { filter, node: node as u32 }
    }

    /// The expression.
    pub fn expr(self) -> BoundExpr<'b> {
        let filter = self.filter;
        let nothing = BoundExpr::Or(BoundTerms { filter, next: 0, end: 0 });
        // INVARIANT: a term is made only with the index of a node, and a node only with that of an
        // attribute; `nothing` is never returned.
        let Some(node) = filter.node(self.node) else { return nothing };
        let first = self.node + 1;
        let terms = BoundTerms { filter, next: first, end: node.end };
        let inner = BoundTerm { filter, node: first };
        match node.kind {
            BoundKind::And => BoundExpr::And(terms),
            BoundKind::Or => BoundExpr::Or(terms),
            BoundKind::Not => BoundExpr::Not(inner),
            BoundKind::Compare { attr, op, value } => match filter.attr(attr) {
                Some(attr) => BoundExpr::Compare(attr, op, filter.scalar(value)),
                None => nothing,
            },
            BoundKind::Present { attr } => filter.attr(attr).map_or(nothing, BoundExpr::Present),
            BoundKind::ValuePath { attr } => {
                filter.attr(attr).map_or(nothing, |attr| BoundExpr::ValuePath(attr, inner))
            }
        }
    }
}

impl std::fmt::Debug for BoundTerm<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = self.filter.node(self.node).map_or(self.node, |node| node.end);
        f.debug_list()
            .entries(self.filter.nodes.get(self.node as usize..end as usize).unwrap_or_default())
            .finish()
    }
}

/// The terms of an `and` or an `or`, at least two.
#[derive(Clone, Copy, Debug)]
pub struct BoundTerms<'b> {
    filter: &'b BoundFilter,
    next: u32,
    end: u32,
}

impl<'b> Iterator for BoundTerms<'b> {
    type Item = BoundTerm<'b>;

    fn next(&mut self) -> Option<BoundTerm<'b>> {
        if self.next >= self.end {
            return None;
        }
        let term = BoundTerm { filter: self.filter, node: self.next };
        self.next = self.filter.node(self.next)?.end;
        Some(term)
    }
}

/// An attribute as the schema knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundAttr {
    /// The extension whose object holds the attribute.
    pub extension: Option<AttrName>,
    /// The attribute; inside a value path, the sub-attribute.
    pub name: AttrName,
    /// The sub-attribute, outside a value path. A complex attribute compared as such (`emails co
    /// "x"`) has its `value` here.
    pub sub: Option<AttrName>,
    /// The type of what is compared (the sub-attribute's, if there is one).
    pub kind: AttributeType,
    /// Whether the attribute (not the sub-attribute) holds several values.
    pub multi_valued: bool,
    /// Whether strings compare with case.
    pub case_exact: bool,
}

impl BoundAttr {
    /// The member of the resource, or of one value, that the attribute is or is in.
    pub(crate) fn member(&self) -> &AttrName {
        self.extension.as_ref().unwrap_or(&self.name)
    }

    /// How values of the attribute compare.
    pub fn collation(&self) -> crate::compare::Collation {
        crate::compare::Collation { kind: self.kind, case_exact: self.case_exact }
    }
}
