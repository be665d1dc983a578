//! The structure of a filter as SQL. Nothing recurses on it.

use super::mapping::{Mapping, Values};
use super::shape::{GROUP, Shape, levels};
use super::writer::Writer;
use super::{Dialect, Sql, SqlError, leaf};
use crate::{BoundAttr, BoundExpr, BoundFilter, BoundTerm};

pub(super) fn translate(
    filter: &BoundFilter,
    mapping: &Mapping,
    dialect: Dialect,
    first_parameter: usize,
) -> Result<Sql, SqlError> {
    let shape = Shape::of(filter, dialect)?;
    let mut writer = Writer::new(dialect, first_parameter);
    // The brackets that are open, which do not nest, and what is inside of them.
    let mut open: Option<(&BoundAttr, Values<'_>)> = None;
    let mut todo = vec![Todo::Scope(0)];
    while let Some(next) = todo.pop() {
        let index = match next {
            Todo::Text(text) => {
                writer.push(text);
                continue;
            }
            Todo::Close(count) => {
                (0..count).for_each(|_| writer.push(")"));
                continue;
            }
            Todo::LeaveValuePath => {
                writer.push("))");
                open = None;
                continue;
            }
            Todo::Scope(root) => {
                scope(&mut todo, root, &shape.parts(filter, root));
                continue;
            }
            Todo::Name(part) => {
                writer.push(&format!("scim_{part}"));
                continue;
            }
            Todo::Term(part) if shape.is_part(part) => {
                writer.push(&format!("(SELECT v FROM scim_{part})"));
                continue;
            }
            Todo::Term(index) | Todo::Body(index) => index,
        };
        let outer = open.as_ref().map(|(attr, _)| *attr);
        let place = |attr| match &open {
            None => mapping.place(attr),
            Some((_, values)) => values.place(attr),
        };
        match BoundTerm::at(filter, index).expr() {
            BoundExpr::And(_) => join(&mut todo, shape.terms(filter, index), " AND "),
            BoundExpr::Or(_) => join(&mut todo, shape.terms(filter, index), " OR "),
            BoundExpr::Not(_) => {
                writer.push("NOT (");
                todo.extend([Todo::Close(1), Todo::Term(index + 1)]);
            }
            BoundExpr::ValuePath(attr, _) => {
                open = Some((attr, mapping.values(attr, &mut writer)?));
                todo.extend([Todo::LeaveValuePath, Todo::Scope(index + 1)]);
            }
            BoundExpr::Compare(attr, op, value) => {
                let refuse = |kind| SqlError::of(kind, outer, attr, op.as_str());
                leaf::compare(&mut writer, &place(attr).map_err(refuse)?, attr, op, value).map_err(refuse)?;
            }
            BoundExpr::Present(attr) => {
                let refuse = |kind| SqlError::of(kind, outer, attr, "pr");
                leaf::present(&mut writer, &place(attr).map_err(refuse)?, attr).map_err(refuse)?;
            }
        }
    }
    writer.finish()
}

/// What is still to be written, last first.
enum Todo {
    /// The whole filter, or what is inside of brackets, with its parts.
    Scope(usize),
    /// A node, or the name of its part.
    Term(usize),
    /// A node that is a part.
    Body(usize),
    Name(usize),
    Text(&'static str),
    Close(usize),
    LeaveValuePath,
}

fn scope(todo: &mut Vec<Todo>, root: usize, parts: &[usize]) {
    if parts.is_empty() {
        return todo.push(Todo::Term(root));
    }
    todo.extend([Todo::Close(1), Todo::Term(root), Todo::Text(" SELECT ")]);
    for (place, part) in parts.iter().enumerate().rev() {
        todo.extend([Todo::Close(1), Todo::Body(*part), Todo::Text("(v) AS (SELECT "), Todo::Name(*part)]);
        todo.push(Todo::Text(if place == 0 { "(WITH " } else { ", " }));
    }
}

/// Puts the terms on the stack in groups of groups, so that long lists do not nest deep.
fn join(todo: &mut Vec<Todo>, terms: Vec<usize>, operator: &'static str) {
    let count = terms.len();
    let levels = levels(count);
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
        todo.extend([Todo::Close(ends), Todo::Term(term)]);
        (0..begins(index)).for_each(|_| todo.push(Todo::Text("(")));
        if index > 0 {
            todo.push(Todo::Text(operator));
        }
    }
}
