//! Canonical printing: one space where the grammar has `SP`, lower-case operators, and brackets
//! only where the structure needs them.

use std::fmt::{self, Write};

use crate::ast::{Literal, NodeKind, Slice};
use crate::{Filter, PatchPath, Term, Terms};

/// Prints the filter so that parsing the text gives an equal filter.
///
/// `and` inside `or` needs no brackets; any other join inside a join keeps them.
///
/// ```
/// use scim_filter::Filter;
/// let filter = Filter::parse("((a eq 1.50)  AND not(b pr)) or c[d Eq \"\\u0041\"]")?;
/// assert_eq!(filter.to_string(), "a eq 1.50 and not (b pr) or c[d eq \"A\"]");
/// # Ok::<(), scim_filter::ParseError>(())
/// ```
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root_term().fmt(f)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({self})")
    }
}

impl fmt::Debug for Term<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Term({self})")
    }
}

/// What is still to be printed, last first.
enum Todo<'f> {
    /// A term, and what joins the list it stands in.
    Term(Term<'f>, Join),
    /// The next term of a list, if any, behind the word that joins them.
    Next(Term<'f>, Join),
    Text(char),
}

#[derive(Clone, Copy, PartialEq)]
enum Join {
    None,
    And,
    Or,
}

impl fmt::Display for Term<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut todo = vec![Todo::Term(*self, Join::None)];
        while let Some(next) = todo.pop() {
            match next {
                Todo::Text(text) => f.write_char(text)?,
                Todo::Next(term, join) => {
                    if let Some(term) = term.next() {
                        f.write_str(if join == Join::And { " and " } else { " or " })?;
                        todo.push(Todo::Next(term, join));
                        todo.push(Todo::Term(term, join));
                    }
                }
                Todo::Term(term, outer) => open(f, term, outer, &mut todo)?,
            }
        }
        Ok(())
    }
}

/// Prints the beginning of `term` and leaves the rest to do.
fn open<'f>(
    f: &mut fmt::Formatter<'_>,
    term: Term<'f>,
    outer: Join,
    todo: &mut Vec<Todo<'f>>,
) -> fmt::Result {
    let filter = term.filter();
    let mut list = |f: &mut fmt::Formatter<'_>, first: u32, join: Join| {
        // `and` binds tighter than `or`; a join in a join of its own kind was written in brackets.
        if outer == Join::And || outer == join {
            f.write_char('(')?;
            todo.push(Todo::Text(')'));
        }
        if let Some(first) = Terms::starting(filter, first).into_iter().next() {
            todo.push(Todo::Next(first, join));
            todo.push(Todo::Term(first, join));
        }
        Ok(())
    };
    match term.kind() {
        NodeKind::And { first } => list(f, first, Join::And),
        NodeKind::Or { first } => list(f, first, Join::Or),
        NodeKind::Not { term } => {
            f.write_str("not (")?;
            todo.push(Todo::Text(')'));
            todo.push(Todo::Term(Term::new(filter, term), Join::None));
            Ok(())
        }
        NodeKind::ValuePath { path, term } => {
            write!(f, "{}[", filter.slice(path))?;
            todo.push(Todo::Text(']'));
            todo.push(Todo::Term(Term::new(filter, term), Join::None));
            Ok(())
        }
        NodeKind::Present { path } => write!(f, "{} pr", filter.slice(path)),
        NodeKind::Compare { path, op, value } => {
            write!(f, "{} {op} ", filter.slice(path))?;
            literal(f, filter, value)
        }
    }
}

fn literal(f: &mut fmt::Formatter<'_>, filter: &Filter, value: Literal) -> fmt::Result {
    match value {
        Literal::Null => f.write_str("null"),
        Literal::Bool(value) => write!(f, "{value}"),
        Literal::Number(text) => f.write_str(filter.slice(text)),
        Literal::String(text) => string(f, filter, text),
    }
}

/// A JSON string with no more escapes than JSON asks for.
fn string(f: &mut fmt::Formatter<'_>, filter: &Filter, text: Slice) -> fmt::Result {
    f.write_char('"')?;
    let mut rest = filter.slice(text);
    while let Some(at) = rest.find(|c: char| c < ' ' || matches!(c, '"' | '\\')) {
        let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        f.write_str(plain)?;
        let mut chars = tail.chars();
        match chars.next() {
            Some('"') => f.write_str("\\\"")?,
            Some('\\') => f.write_str("\\\\")?,
            Some('\n') => f.write_str("\\n")?,
            Some('\r') => f.write_str("\\r")?,
            Some('\t') => f.write_str("\\t")?,
            Some(c) => write!(f, "\\u{:04x}", c as u32)?,
            None => {}
        }
        rest = chars.as_str();
    }
    write!(f, "{rest}\"")
}

/// Prints the path so that parsing the text gives an equal path.
impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value_filter() {
            Some(filter) if self.is_expression() => write!(f, "{filter}"),
            Some(filter) => {
                write!(f, "{}[{filter}]", self.attr_path().as_str())?;
                match self.sub_attr() {
                    Some(sub) => write!(f, ".{sub}"),
                    None => Ok(()),
                }
            }
            None => f.write_str(self.attr_path().as_str()),
        }
    }
}

impl fmt::Debug for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PatchPath({self})")
    }
}
