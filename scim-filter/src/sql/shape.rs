//! How deep a filter is in SQL, and where it is cut into parts that databases read.

use super::{Dialect, SqlError, SqlErrorKind};
use crate::bound::{BoundFilter, BoundKind};

/// What is known of each node of a filter before anything is written.
///
/// SQLite refuses expressions nested deeper than 1000, and before 3.46 what takes more than 100
/// entries of its parser's stack, which are 30 levels of `(a AND (b OR (`. So what is deep is
/// written as common table expressions, of which each is shallow and names those below it.
pub(super) struct Shape {
    /// Whether there are parts. Terms then stand in the order of their height, since the first of
    /// a list is as many levels deeper than the last as the list is long.
    in_parts: bool,
    nodes: Vec<Levels>,
}

#[derive(Clone, Copy, Default)]
struct Levels {
    /// Entries of the parser's stack.
    stack: usize,
    /// Levels of the expression, without those of the parts it names.
    height: usize,
    /// Levels of the parts it names. SQLite counts them as if each were at the bottom of the one
    /// that names it.
    below: usize,
    /// Written as a part of its own.
    is_part: bool,
}

impl Shape {
    pub(super) fn of(filter: &BoundFilter, dialect: Dialect) -> Result<Self, SqlError> {
        let mut shape = Self::measure(filter, dialect, false);
        if dialect == Dialect::Sqlite && shape.nodes.iter().any(|node| node.stack > MAX_STACK) {
            shape = Self::measure(filter, dialect, true);
        }
        let all = shape.levels(0);
        if all.height + all.below > MAX_HEIGHT {
            return Err(SqlError::new(SqlErrorKind::TooDeep { limit: MAX_HEIGHT }, String::new()));
        }
        Ok(shape)
    }

    fn measure(filter: &BoundFilter, dialect: Dialect, in_parts: bool) -> Self {
        let mut shape = Self { in_parts, nodes: vec![Levels::default(); filter.nodes.len()] };
        // A node stands before its terms.
        for (index, node) in filter.nodes.iter().enumerate().rev() {
            let measured = shape.measure_node(filter, dialect, index, node.kind);
            if let Some(levels) = shape.nodes.get_mut(index) {
                *levels = measured;
            }
        }
        shape
    }

    fn measure_node(
        &mut self,
        filter: &BoundFilter,
        dialect: Dialect,
        index: usize,
        kind: BoundKind,
    ) -> Levels {
        let (stack, height, last) = match kind {
            BoundKind::Compare { .. } | BoundKind::Present { .. } => {
                return Levels { height: LEAF_HEIGHT, ..Levels::default() };
            }
            BoundKind::Not => (2, 1, 1),
            BoundKind::ValuePath { .. } => (12, 8, 8),
            BoundKind::And | BoundKind::Or => {
                let count = terms(filter, index).count();
                let levels = levels(count);
                let height = match dialect {
                    // It reads `a AND b AND c` as `(a AND b) AND c`.
                    Dialect::Sqlite => levels * GROUP.min(count),
                    Dialect::Postgres => levels,
                };
                (3 * levels, height, levels)
            }
        };
        let most_stack = terms(filter, index).map(|term| self.levels(term).stack).max().unwrap_or(0);
        let is_too_deep = stack + most_stack > MAX_STACK;
        let deepest = terms(filter, index).max_by_key(|term| {
            let Levels { height, below, .. } = self.levels(*term);
            height + below
        });
        // A value path is a part with what is inside its brackets, or none is.
        let may_cut = self.in_parts && !matches!(kind, BoundKind::ValuePath { .. });
        let is_too_much = |term: usize, levels: &Levels| {
            is_too_deep && levels.stack > PART.stack || Some(term) != deepest && levels.height > MAX_BESIDE
        };
        let mut sum = Levels::default();
        let (mut highest, mut second) = (0, 0);
        for term in terms(filter, index) {
            let of_term = self.nodes.get_mut(term);
            if let Some(levels) = of_term.filter(|levels| may_cut && is_too_much(term, levels)) {
                *levels = Levels { below: levels.height + levels.below, ..PART };
            }
            let levels = self.levels(term);
            sum.stack = sum.stack.max(stack + levels.stack);
            sum.below = sum.below.max(levels.below);
            second = second.max(levels.height.min(highest));
            highest = highest.max(levels.height);
        }
        sum.height = if self.in_parts { (highest + last).max(second + height) } else { highest + height };
        sum
    }

    fn levels(&self, index: usize) -> Levels {
        self.nodes.get(index).copied().unwrap_or_default()
    }

    pub(super) fn is_part(&self, index: usize) -> bool {
        self.levels(index).is_part
    }

    /// The terms of a node as they are written.
    pub(super) fn terms(&self, filter: &BoundFilter, index: usize) -> Vec<usize> {
        let mut terms: Vec<usize> = terms(filter, index).collect();
        if self.in_parts {
            terms.sort_by_key(|term| self.levels(*term).height);
        }
        terms
    }

    /// The parts of what begins at `root`, those first that others name; without those inside of
    /// brackets, which see the element that the brackets are about.
    pub(super) fn parts(&self, filter: &BoundFilter, root: usize) -> Vec<usize> {
        let mut parts = Vec::new();
        let end = end(filter, root);
        let mut index = root;
        while index < end {
            if self.is_part(index) {
                parts.push(index);
            }
            let is_value_path =
                filter.nodes.get(index).is_some_and(|node| matches!(node.kind, BoundKind::ValuePath { .. }));
            index = if is_value_path { self::end(filter, index) } else { index + 1 };
        }
        parts.reverse();
        parts
    }
}

/// The terms of a node.
fn terms(filter: &BoundFilter, index: usize) -> impl Iterator<Item = usize> {
    let last = end(filter, index);
    std::iter::successors(Some(index + 1), |term| Some(end(filter, *term)))
        .take_while(move |term| *term < last)
}

fn end(filter: &BoundFilter, index: usize) -> usize {
    filter.nodes.get(index).map_or(index, |node| node.end as usize)
}

/// How many terms a list has before it is nested in groups of as many.
pub(super) const GROUP: usize = 8;

/// How often a list of `count` terms is grouped.
pub(super) fn levels(count: usize) -> usize {
    let (mut size, mut levels) = (GROUP, 1);
    while size < count {
        size *= GROUP;
        levels += 1;
    }
    levels
}

/// What of SQLite's 100 is left beside a clause and the statement of the embedder.
const MAX_STACK: usize = 30;
/// What stands beside the deepest term, so that the heights of all parts do not add up to too much.
const MAX_BESIDE: usize = LEAF_HEIGHT + 8;
/// Of SQLite's 1000; PostgreSQL's stack, of which every level takes some, is far from its end too.
const MAX_HEIGHT: usize = 900;
/// A clause at its highest, with some dozen columns.
const LEAF_HEIGHT: usize = 20;
/// `(SELECT v FROM scim_1)`
const PART: Levels = Levels { stack: 4, height: 4, below: 0, is_part: true };
