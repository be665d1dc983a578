//! What a parser remembers of the brackets that are open.

use crate::ast::{NONE, NodeKind, Nodes, Slice};

/// What opened a group of terms.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Opener {
    /// Nothing: the whole filter.
    Start,
    /// `(`
    Group,
    /// `not (`
    Not,
    /// The `[` behind an attribute path.
    ValuePath,
    /// The `[` of a PATCH path, whose `]` ends the expression.
    PathFilter,
}

/// The terms seen so far between two brackets: finished terms of an `or`, and those of the `and`
/// that is being read.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) opener: Opener,
    /// Where the opener stands in the text.
    pub(crate) start: u32,
    /// The attribute path before the opener.
    pub(crate) path: Slice,
    or: List,
    pub(crate) and: List,
}

impl Frame {
    /// The frame of a whole filter.
    pub(crate) const START: Self = Self::new(Opener::Start, 0, Slice { start: 0, len: 0 });

    pub(crate) const fn new(opener: Opener, start: u32, path: Slice) -> Self {
        Self { opener, start, path, or: List::EMPTY, and: List::EMPTY }
    }

    /// Ends the `and` that is being read.
    #[inline]
    pub(crate) fn close_and(&mut self, nodes: &mut Nodes) {
        let term = self.and.close(nodes, |first| NodeKind::And { first });
        self.or.push(nodes, term);
    }

    /// Ends all, and returns the node that is all.
    #[inline]
    pub(crate) fn close(&mut self, nodes: &mut Nodes) -> u32 {
        if self.or.first == NONE {
            return self.and.close(nodes, |first| NodeKind::And { first });
        }
        self.close_and(nodes);
        self.or.close(nodes, |first| NodeKind::Or { first })
    }
}

/// A list of nodes, each of which knows the next.
#[derive(Clone, Copy)]
pub(crate) struct List {
    first: u32,
    last: u32,
}

impl List {
    const EMPTY: Self = Self { first: NONE, last: NONE };

    #[inline]
    pub(crate) fn push(&mut self, nodes: &mut Nodes, node: u32) {
        match nodes.get_mut(self.last) {
            Some(last) => last.next = node,
            None => self.first = node,
        }
        self.last = node;
    }

    /// Becomes the list that begins with `first`.
    pub(crate) fn extend(&mut self, nodes: &Nodes, first: u32) {
        *self = Self { first, last: first };
        while let Some(node) = nodes.get(self.last).filter(|node| node.next != NONE) {
            self.last = node.next;
        }
    }

    /// The one term of the list, or its terms under a new node.
    #[inline]
    fn close(&mut self, nodes: &mut Nodes, joined: impl FnOnce(u32) -> NodeKind) -> u32 {
        let list = std::mem::replace(self, Self::EMPTY);
        if list.first == list.last { list.first } else { nodes.push(joined(list.first)) }
    }
}

/// The frames that are open, the one being read on top.
///
/// Most filters have one open bracket at most, which needs no allocation; and no frame is moved
/// when another one opens or closes.
pub(crate) struct Stack {
    /// How many brackets are open.
    depth: usize,
    // That of the whole filter; and those inside, of which there are as many as `depth`.
    whole: Frame,
    first: Frame,
    others: Vec<Frame>,
}

impl Stack {
    pub(crate) fn new() -> Self {
        Self { depth: 0, whole: Frame::START, first: Frame::START, others: Vec::new() }
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    #[inline]
    pub(crate) fn top(&mut self) -> &mut Frame {
        match self.others.last_mut() {
            Some(top) => top,
            None if self.depth > 0 => &mut self.first,
            None => &mut self.whole,
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, frame: Frame) {
        self.depth += 1;
        if self.depth == 1 {
            self.first = frame;
        } else {
            if self.others.capacity() == 0 {
                self.others.reserve_exact(32);
            }
            self.others.push(frame);
        }
    }

    /// Takes the top frame away; the whole filter's is meaningless afterwards.
    #[inline]
    pub(crate) fn pop(&mut self) {
        self.others.pop();
        self.depth = self.depth.saturating_sub(1);
    }
}
