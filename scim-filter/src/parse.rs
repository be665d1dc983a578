//! The loop over bracket frames.
//!
//! A parser keeps the `and`s and `or`s of each open bracket in a [`Frame`] on a stack of its own,
//! so that the depth of the text never becomes the depth of the call stack. The first byte decides
//! what is read next; nothing is tried twice, which keeps the time linear.

use std::ops::Range;

use nom::Err;

use crate::ast::{Literal, NONE, NodeKind, Nodes, Slice};
use crate::lex::{self, LexError, PathForm};
use crate::limits::MAX_BYTES;
use crate::{CompareOp, Filter, ParseError, ParseErrorKind, ParseOptions};

/// Parses a filter.
pub(crate) fn filter(text: &str, options: &ParseOptions) -> Result<Filter, ParseError> {
    let mut parser = Parser::new(text, options, false)?;
    let root = parser.expression(Frame::new(Opener::Start, 0))?;
    Ok(parser.finish(root))
}

/// What [`path`] finds: the tree that holds text and value filter, and where the rest is.
pub(crate) struct ParsedPath {
    pub(crate) tree: Filter,
    pub(crate) attr: Slice,
    pub(crate) has_filter: bool,
    pub(crate) is_expression: bool,
    pub(crate) sub: Option<Slice>,
}

/// Parses a PATCH path: `attrPath / valuePath [subAttr] / attrExp` (RFC 7644 figure 7, erratum 7122).
pub(crate) fn path(text: &str, options: &ParseOptions) -> Result<ParsedPath, ParseError> {
    let mut parser = Parser::new(text, options, true)?;
    parser.rest = lex::spaces(parser.rest);
    let start = parser.at();
    let form = parser.lex(lex::attr_path)?;
    let attr = parser.slice_from(start);
    let mut root = NONE;
    let mut sub = None;
    let mut is_expression = false;
    if parser.rest.first() == Some(&b'[') {
        parser.attribute_only(form, attr)?;
        let mut frame = parser.open(Opener::PathFilter, attr)?;
        frame.start = attr.end() as u32;
        root = parser.expression(frame)?;
        if let [b'.', after @ ..] = parser.rest {
            parser.rest = after;
            let start = parser.at();
            parser.lex(lex::sub_attr)?;
            sub = Some(parser.slice_from(start));
        }
    } else if !lex::spaces(parser.rest).is_empty() {
        parser.attribute_only(form, attr)?;
        root = parser.attribute_expression(attr, ParseErrorKind::ExpectedEnd)?;
        is_expression = true;
    }
    let rest = lex::spaces(parser.rest);
    if !rest.is_empty() {
        parser.rest = rest;
        return Err(parser.error_here(ParseErrorKind::ExpectedEnd));
    }
    let has_filter = root != NONE;
    Ok(ParsedPath { tree: parser.finish(root), attr, has_filter, is_expression, sub })
}

struct Parser<'t, 'o> {
    text: &'t str,
    // INVARIANT: a tail of `text`, so that its length tells where it begins.
    rest: &'t [u8],
    options: &'o ParseOptions,
    nodes: Nodes,
    // Once a string had escapes: the text, and behind it the strings without.
    buffer: Option<String>,
    stack: Stack,
    terms: usize,
    in_value_path: bool,
    lenient: bool,
    is_path: bool,
}

/// What opened a group of terms.
#[derive(Clone, Copy)]
enum Opener {
    /// Nothing: the whole filter.
    Start,
    /// `(`
    Group,
    /// `not (`
    Not,
    /// The `[` behind an attribute path.
    ValuePath(Slice),
    /// The `[` of a PATCH path, whose `]` ends the expression.
    PathFilter,
}

/// The terms seen so far between two brackets: finished terms of an `or`, and those of the `and`
/// that is being read. Lists of nodes, by first and last.
#[derive(Clone, Copy)]
struct Frame {
    opener: Opener,
    start: u32,
    or: List,
    and: List,
}

#[derive(Clone, Copy)]
struct List {
    first: u32,
    last: u32,
}

impl List {
    const EMPTY: Self = Self { first: NONE, last: NONE };

    fn push(&mut self, nodes: &mut Nodes, node: u32) {
        match nodes.get_mut(self.last) {
            Some(last) => last.next = node,
            None => self.first = node,
        }
        self.last = node;
    }

    /// The one term of the list, or its terms under a new node.
    fn close(&mut self, nodes: &mut Nodes, joined: impl FnOnce(u32) -> NodeKind) -> u32 {
        let list = std::mem::replace(self, Self::EMPTY);
        if list.first == list.last { list.first } else { nodes.push(joined(list.first)) }
    }
}

impl Frame {
    fn new(opener: Opener, start: u32) -> Self {
        Self { opener, start, or: List::EMPTY, and: List::EMPTY }
    }

    fn close_and(&mut self, nodes: &mut Nodes) {
        let term = self.and.close(nodes, |first| NodeKind::And { first });
        self.or.push(nodes, term);
    }

    fn close(&mut self, nodes: &mut Nodes) -> u32 {
        self.close_and(nodes);
        self.or.close(nodes, |first| NodeKind::Or { first })
    }
}

/// The frames outside of the one that is being read; most filters have one at most, which needs no
/// allocation.
struct Stack {
    // INVARIANT: 0, or one more than `others` has; 0 makes `first` meaningless.
    len: usize,
    first: Frame,
    others: Vec<Frame>,
}

impl Stack {
    fn new() -> Self {
        Self { len: 0, first: Frame::new(Opener::Start, 0), others: Vec::new() }
    }

    fn push(&mut self, frame: Frame) {
        if self.len == 0 {
            self.first = frame;
        } else {
            if self.others.capacity() == 0 {
                self.others.reserve(16);
            }
            self.others.push(frame);
        }
        self.len += 1;
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = if self.len > 1 { self.others.pop() } else { (self.len == 1).then_some(self.first) };
        self.len = self.len.saturating_sub(1);
        frame
    }
}

impl<'t, 'o> Parser<'t, 'o> {
    fn new(text: &'t str, options: &'o ParseOptions, is_path: bool) -> Result<Self, ParseError> {
        let limit = options.limits.max_bytes.min(MAX_BYTES);
        if text.len() > limit {
            let kind = ParseErrorKind::TooLong { limit };
            return Err(ParseError::new(kind, text.floor_char_boundary(limit)..text.len(), text, is_path));
        }
        let rest = text.as_bytes();
        if lex::spaces(rest).is_empty() {
            return Err(ParseError::new(ParseErrorKind::Empty, 0..text.len(), text, is_path));
        }
        Ok(Self {
            text,
            rest,
            options,
            nodes: Nodes::None,
            buffer: None,
            stack: Stack::new(),
            terms: 0,
            in_value_path: false,
            lenient: false,
            is_path,
        })
    }

    fn finish(self, root: u32) -> Filter {
        let text_len = self.text.len() as u32;
        let buffer = match self.buffer {
            Some(buffer) => buffer.into_boxed_str(),
            None => self.text.into(),
        };
        Filter::from_parts(buffer, text_len, root, self.nodes, self.lenient)
    }

    /// Reads terms and what joins them until `frame` closes.
    fn expression(&mut self, mut frame: Frame) -> Result<u32, ParseError> {
        if matches!(frame.opener, Opener::PathFilter) {
            self.in_value_path = true;
        }
        loop {
            self.rest = lex::spaces(self.rest);
            if let Some(opener) = self.opener()? {
                let outer = std::mem::replace(&mut frame, opener);
                self.stack.push(outer);
                continue;
            }
            let term = self.leaf(&mut frame)?;
            let Some(term) = term else { continue };
            frame.and.push(&mut self.nodes, term);

            // What follows a term: closing brackets, then `and`, `or` or the end.
            loop {
                let before = self.rest.len();
                self.rest = lex::spaces(self.rest);
                let spaced = self.rest.len() < before;
                match self.rest {
                    [] => {
                        return match frame.opener {
                            Opener::Start => Ok(frame.close(&mut self.nodes)),
                            _ => Err(self.unclosed(&frame)),
                        };
                    }
                    [b')', rest @ ..] => {
                        let negated = match frame.opener {
                            Opener::Group => false,
                            Opener::Not => true,
                            _ => return Err(self.error_at(ParseErrorKind::Unbalanced, 1)),
                        };
                        self.rest = rest;
                        let mut term = frame.close(&mut self.nodes);
                        if negated {
                            term = self.nodes.push(NodeKind::Not { term });
                        }
                        self.pop(&mut frame, term);
                    }
                    [b']', rest @ ..] => match frame.opener {
                        Opener::PathFilter => {
                            self.rest = rest;
                            self.in_value_path = false;
                            return Ok(frame.close(&mut self.nodes));
                        }
                        Opener::ValuePath(path) => {
                            self.rest = rest;
                            self.in_value_path = false;
                            self.value_path_sub_attr(&mut frame)?;
                            let term = frame.close(&mut self.nodes);
                            let term = self.nodes.push(NodeKind::ValuePath { path, term });
                            self.pop(&mut frame, term);
                        }
                        _ => return Err(self.error_at(ParseErrorKind::Unbalanced, 1)),
                    },
                    [b'a' | b'A', b'n' | b'N', b'd' | b'D', rest @ ..] if ends_word(rest) => {
                        self.logic(spaced, rest)?;
                        break;
                    }
                    [b'o' | b'O', b'r' | b'R', rest @ ..] if ends_word(rest) => {
                        self.logic(spaced, rest)?;
                        frame.close_and(&mut self.nodes);
                        break;
                    }
                    _ => return Err(self.error_here(ParseErrorKind::ExpectedLogic)),
                }
            }
        }
    }

    /// Continues the frame outside of the one that closed as `term`.
    fn pop(&mut self, frame: &mut Frame, term: u32) {
        // INVARIANT: only `Start` and `PathFilter` are not on top of another frame, and those return.
        if let Some(outer) = self.stack.pop() {
            *frame = outer;
        }
        frame.and.push(&mut self.nodes, term);
    }

    /// Goes on behind an `and` or `or` before `rest`.
    fn logic(&mut self, spaced: bool, rest: &'t [u8]) -> Result<(), ParseError> {
        if !spaced {
            return Err(self.error_at(ParseErrorKind::ExpectedSpace, self.rest.len() - rest.len()));
        }
        self.reserve();
        self.rest = rest;
        match rest {
            [b' ', ..] => Ok(()),
            [] => Err(self.error_here(ParseErrorKind::ExpectedAttribute)),
            _ => Err(self.error_here(ParseErrorKind::ExpectedSpace)),
        }
    }

    /// `(`, or `not` with an optional space and `(` (RFC 7644 erratum 7319).
    fn opener(&mut self) -> Result<Option<Frame>, ParseError> {
        let opener = match self.rest {
            [b'(', ..] => Opener::Group,
            [b'n' | b'N', b'o' | b'O', b't' | b'T', rest @ ..]
                if lex::spaces(rest).first() == Some(&b'(') =>
            {
                Opener::Not
            }
            _ => return Ok(None),
        };
        let start = self.at();
        let length = match opener {
            Opener::Group => 1,
            _ => self.rest.len() - lex::spaces(self.rest.get(3..).unwrap_or_default()).len() + 1,
        };
        let frame = self.open(opener, Slice { start: start as u32, len: length as u32 })?;
        self.rest = self.rest.get(length..).unwrap_or_default();
        Ok(Some(frame))
    }

    /// A new frame, if the limits allow it; `place` is what to complain about.
    fn open(&mut self, opener: Opener, place: Slice) -> Result<Frame, ParseError> {
        let limit = self.options.limits.max_depth;
        let depth = self.stack.len + usize::from(self.is_path && !matches!(opener, Opener::PathFilter));
        if depth >= limit {
            let span = place.start as usize..place.end();
            return Err(self.error(ParseErrorKind::TooDeep { limit }, span));
        }
        if matches!(opener, Opener::PathFilter | Opener::ValuePath(_)) {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        if matches!(opener, Opener::Not | Opener::ValuePath(_)) {
            self.reserve();
        }
        Ok(Frame::new(opener, place.start))
    }

    /// Makes room for nodes, by the length of the text: terms are seldom shorter than this.
    fn reserve(&mut self) {
        self.nodes.reserve((4 + self.text.len() / 24).min(4096));
    }

    /// An attribute expression; or the opening of a value path, which becomes the new `frame`.
    fn leaf(&mut self, frame: &mut Frame) -> Result<Option<u32>, ParseError> {
        let start = self.at();
        let form = self.lex(lex::attr_path)?;
        let path = self.slice_from(start);
        self.attribute_only(form, path)?;
        if self.rest.first() != Some(&b'[') {
            return self.attribute_expression(path, ParseErrorKind::ExpectedOperator).map(Some);
        }
        if self.in_value_path {
            return Err(self.error_at(ParseErrorKind::NestedValueFilter, 1));
        }
        let bracket = Slice { start: self.at() as u32, len: 1 };
        let inner = self.open(Opener::ValuePath(path), bracket)?;
        let outer = std::mem::replace(frame, inner);
        self.stack.push(outer);
        self.in_value_path = true;
        Ok(None)
    }

    /// `SP "pr"` or `SP compareOp SP compValue`, behind the path.
    ///
    /// `otherwise` is what was expected where something else than an operator stands.
    fn attribute_expression(&mut self, path: Slice, otherwise: ParseErrorKind) -> Result<u32, ParseError> {
        self.terms += 1;
        let limit = self.options.limits.max_terms;
        if self.terms > limit {
            let span = path.start as usize..path.end();
            return Err(self.error(ParseErrorKind::TooManyTerms { limit }, span));
        }
        let spaced = lex::spaces(self.rest);
        let no_space = spaced.len() == self.rest.len();
        self.rest = spaced;
        if no_space {
            let kind = if self.rest.is_empty() { ParseErrorKind::ExpectedOperator } else { otherwise };
            return Err(self.error_here(kind));
        }
        let start = self.at();
        let word = self.lex(lex::word)?;
        let op = match word {
            [a, b] => match [a.to_ascii_lowercase(), b.to_ascii_lowercase()] {
                [b'p', b'r'] => return Ok(self.nodes.push(NodeKind::Present { path })),
                [b'e', b'q'] => CompareOp::Eq,
                [b'n', b'e'] => CompareOp::Ne,
                [b'c', b'o'] => CompareOp::Co,
                [b's', b'w'] => CompareOp::Sw,
                [b'e', b'w'] => CompareOp::Ew,
                [b'g', b't'] => CompareOp::Gt,
                [b'g', b'e'] => CompareOp::Ge,
                [b'l', b't'] => CompareOp::Lt,
                [b'l', b'e'] => CompareOp::Le,
                _ => return Err(self.error(otherwise, start..start + 2)),
            },
            _ => return Err(self.error(otherwise, start..start + word.len())),
        };
        let spaced = lex::spaces(self.rest);
        if spaced.len() == self.rest.len() {
            let kind =
                if spaced.is_empty() { ParseErrorKind::ExpectedValue } else { ParseErrorKind::ExpectedSpace };
            return Err(self.error_here(kind));
        }
        self.rest = spaced;
        let value = self.value()?;
        Ok(self.nodes.push(NodeKind::Compare { path, op, value }))
    }

    /// `compValue = false / null / true / number / string`
    fn value(&mut self) -> Result<Literal, ParseError> {
        let start = self.at();
        match self.rest {
            [b'"', inside @ ..] => {
                self.rest = inside;
                self.string()
            }
            [b'-' | b'0'..=b'9', ..] => {
                self.lex(lex::number)?;
                Ok(Literal::Number(self.slice_from(start)))
            }
            _ => match self.lex(lex::word)? {
                b"true" => Ok(Literal::Bool(true)),
                b"false" => Ok(Literal::Bool(false)),
                b"null" => Ok(Literal::Null),
                // The rest of what may be an unquoted string belongs to the complaint.
                _ => {
                    self.rest = self.text.as_bytes().get(start..).unwrap_or_default();
                    Err(self.error_here(ParseErrorKind::ExpectedValue))
                }
            },
        }
    }

    /// A string, behind its opening quote.
    fn string(&mut self) -> Result<Literal, ParseError> {
        let start = self.at();
        let (text, buffer) = (self.text, &mut self.buffer);
        let unescaped_start = buffer.as_ref().map_or(text.len(), String::len);
        let rest = self.rest;
        let lexed = lex::string(text.get(start..).unwrap_or_default(), |plain, escaped| {
            let buffer = buffer.get_or_insert_with(|| {
                // Unescaping never lengthens, so this is room for every string yet to come.
                let mut buffer = String::with_capacity(text.len() + rest.len());
                buffer.push_str(text);
                buffer
            });
            buffer.push_str(plain);
            if let Some(c) = escaped {
                buffer.push(c);
            }
        });
        let (rest, escapes) = lexed.map_err(|error| self.lex_error(error))?;
        self.rest = rest;
        let (start, end) = if escapes {
            (unescaped_start, self.buffer.as_ref().map_or(0, String::len))
        } else {
            (start, self.at() - 1)
        };
        Ok(Literal::String(Slice { start: start as u32, len: (end - start) as u32 }))
    }

    /// `.value eq "x"` behind the bracket of a value path, as one more term of its filter.
    fn value_path_sub_attr(&mut self, frame: &mut Frame) -> Result<(), ParseError> {
        let [b'.', rest @ ..] = self.rest else { return Ok(()) };
        if !self.options.value_path_sub_attr {
            return Ok(());
        }
        self.rest = rest;
        let start = self.at();
        self.lex(lex::sub_attr)?;
        let path = self.slice_from(start);
        let inner = frame.close(&mut self.nodes);
        let term = self.attribute_expression(path, ParseErrorKind::ExpectedOperator)?;
        // `a and b` takes one more term; anything else becomes the first of two.
        match self.nodes.get(inner).map(|node| node.kind) {
            Some(NodeKind::And { first }) => {
                frame.and = List { first, last: self.last_of(first) };
                frame.and.push(&mut self.nodes, term);
            }
            _ => {
                frame.and.push(&mut self.nodes, inner);
                frame.and.push(&mut self.nodes, term);
            }
        }
        self.lenient = true;
        Ok(())
    }

    fn last_of(&self, first: u32) -> u32 {
        let mut last = first;
        while let Some(node) = self.nodes.get(last) {
            if node.next == NONE {
                break;
            }
            last = node.next;
        }
        last
    }

    /// Refuses a bare URI where an attribute must stand.
    fn attribute_only(&self, form: PathForm, path: Slice) -> Result<(), ParseError> {
        match form {
            PathForm::Attribute => Ok(()),
            PathForm::Uri => {
                Err(self.error(ParseErrorKind::InvalidAttribute, path.start as usize..path.end()))
            }
        }
    }

    fn lex<T>(&mut self, leaf: impl FnOnce(&'t [u8]) -> lex::Lexed<'t, T>) -> Result<T, ParseError> {
        match leaf(self.rest) {
            Ok((rest, read)) => {
                self.rest = rest;
                Ok(read)
            }
            Err(error) => Err(self.lex_error(error)),
        }
    }

    fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    fn slice_from(&self, start: usize) -> Slice {
        Slice { start: start as u32, len: (self.at() - start) as u32 }
    }

    fn unclosed(&self, frame: &Frame) -> ParseError {
        let start = frame.start as usize;
        let length = match frame.opener {
            Opener::Not => 1 + self.text.get(start..).and_then(|rest| rest.find('(')).unwrap_or_default(),
            _ => 1,
        };
        self.error(ParseErrorKind::Unclosed, start..start + length)
    }

    fn lex_error(&self, error: Err<LexError>) -> ParseError {
        match error {
            Err::Error(LexError { kind, left }) | Err::Failure(LexError { kind, left }) => {
                let whole = self.text.len();
                let span = whole - left.end..whole - left.start;
                // The quote before the string belongs to it.
                let quote =
                    usize::from(kind == ParseErrorKind::UnterminatedString && left.end == self.rest.len());
                self.error(kind, span.start - quote..span.end)
            }
            Err::Incomplete(_) => self.error_here(ParseErrorKind::ExpectedAttribute),
        }
    }

    fn error_here(&self, kind: ParseErrorKind) -> ParseError {
        self.error_at(kind, 0)
    }

    fn error_at(&self, kind: ParseErrorKind, length: usize) -> ParseError {
        self.error(kind, self.at()..self.at() + length)
    }

    fn error(&self, kind: ParseErrorKind, span: Range<usize>) -> ParseError {
        ParseError::new(kind, span, self.text, self.is_path)
    }
}

/// Whether `rest` does not go on as a name.
fn ends_word(rest: &[u8]) -> bool {
    !matches!(rest, [b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'$', ..])
}
