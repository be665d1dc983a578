//! The loop over bracket frames.
//!
//! A parser keeps the `and`s and `or`s of each open bracket in a [`Frame`] on a stack of its own,
//! so that the depth of the text never becomes the depth of the call stack. The first byte decides
//! what is read next; nothing is tried twice, which keeps the time linear.
//!
//! Every step is a nom parser: what is left of the input goes in and comes out by value. Where every
//! term goes through, it is inlined, so that this stays in registers.

use nom::Err;

use crate::ast::{Literal, NONE, NodeKind, Nodes, Slice};
use crate::frame::{Frame, Opener, Stack};
use crate::lex::{self, Fault, Lexed, PathForm, fail};
use crate::limits::MAX_BYTES;
use crate::{Filter, ParseError, ParseErrorKind, ParseOptions, scan};

/// Parses a filter.
pub(crate) fn filter(text: &str, options: &ParseOptions) -> Result<Filter, ParseError> {
    let mut parser = Parser::new(text, options);
    let parsed = parser.input().and_then(|(input, ())| parser.expression(input));
    match parsed {
        Ok((_, root)) => Ok(parser.finish(root)),
        Err(error) => Err(refusal(error, text, false)),
    }
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
    let mut parser = Parser::new(text, options);
    match parser.path() {
        Ok((_, PathParts { attr, root, is_expression, sub })) => {
            let has_filter = root != NONE;
            Ok(ParsedPath { tree: parser.finish(root), attr, has_filter, is_expression, sub })
        }
        Err(error) => Err(refusal(error, text, true)),
    }
}

struct PathParts {
    attr: Slice,
    root: u32,
    is_expression: bool,
    sub: Option<Slice>,
}

/// The error for people of what went wrong in `text`.
#[cold]
fn refusal(error: Err<Fault>, text: &str, is_path: bool) -> ParseError {
    let (mut kind, left) = match error {
        Err::Error(Fault { kind, left }) | Err::Failure(Fault { kind, left }) => (kind, left),
        // No parser here asks for more input.
        Err::Incomplete(_) => (ParseErrorKind::ExpectedAttribute, 0..0),
    };
    let mut span = text.len() - left.end..text.len() - left.start;
    match kind {
        ParseErrorKind::ExpectedAttribute if lex::spaces(text.as_bytes()).is_empty() => {
            kind = ParseErrorKind::Empty;
            span = 0..text.len();
        }
        // The quote before the string belongs to it.
        ParseErrorKind::UnterminatedString => span.start -= 1,
        _ => {}
    }
    ParseError::new(kind, span, text, is_path)
}

struct Parser<'t, 'o> {
    text: &'t str,
    options: &'o ParseOptions,
    nodes: Nodes,
    // Empty until a string has escapes; then the text, and behind it the strings without.
    buffer: String,
    stack: Stack,
    terms: usize,
    in_value_path: bool,
    lenient: bool,
}

impl<'t, 'o> Parser<'t, 'o> {
    fn new(text: &'t str, options: &'o ParseOptions) -> Self {
        Self {
            text,
            options,
            nodes: Nodes::EMPTY,
            buffer: String::new(),
            stack: Stack::new(),
            terms: 0,
            in_value_path: false,
            lenient: false,
        }
    }

    /// The text, if it is not too long.
    fn input(&self) -> Lexed<'t, ()> {
        let text = self.text;
        let limit = self.options.limits.max_bytes.min(MAX_BYTES);
        if text.len() > limit {
            let beyond = text.get(text.floor_char_boundary(limit)..).unwrap_or_default();
            return fail(ParseErrorKind::TooLong { limit }, beyond.as_bytes(), &[]);
        }
        Ok((text.as_bytes(), ()))
    }

    // Inlined: so the parts are built where the filter is wanted, and moved no more.
    #[inline(always)]
    fn finish(self, root: u32) -> Filter {
        let text_len = self.text.len() as u32;
        let buffer = if self.buffer.is_empty() { self.text.into() } else { self.buffer.into_boxed_str() };
        Filter::from_parts(buffer, text_len, root, self.nodes, self.lenient)
    }

    fn path(&mut self) -> Lexed<'t, PathParts> {
        let (input, ()) = self.input()?;
        let input = lex::spaces(input);
        let (mut rest, form) = lex::attr_path(input)?;
        let attr = self.slice(input, rest);
        let mut parts = PathParts { attr, root: NONE, is_expression: false, sub: None };
        if let [b'[', inside @ ..] = rest {
            attribute_only(form, input, rest)?;
            (rest, ()) = self.open(Opener::PathFilter, attr, rest, inside)?;
            (rest, parts.root) = self.expression(rest)?;
            if let [b'.', sub @ ..] = rest {
                (rest, ()) = lex::sub_attr(sub)?;
                parts.sub = Some(self.slice(sub, rest));
            }
        } else if !lex::spaces(rest).is_empty() {
            attribute_only(form, input, rest)?;
            (rest, parts.root) = self.attribute_expression(rest, attr, ParseErrorKind::ExpectedEnd)?;
            parts.is_expression = true;
        }
        match lex::spaces(rest) {
            [] => Ok((&[], parts)),
            rest => fail(ParseErrorKind::ExpectedEnd, rest, rest),
        }
    }

    /// Reads terms and what joins them until the outermost frame closes.
    fn expression(&mut self, mut input: &'t [u8]) -> Lexed<'t, u32> {
        loop {
            input = lex::spaces(input);
            if let Some((inside, opener)) = opener(input) {
                (input, ()) = self.open(opener, Frame::START.path, input, inside)?;
                continue;
            }
            let (rest, form) = lex::attr_path(input)?;
            attribute_only(form, input, rest)?;
            let path = self.slice(input, rest);
            if let [b'[', inside @ ..] = rest {
                (input, ()) = self.open(Opener::ValuePath, path, rest, inside)?;
                continue;
            }
            let (rest, term) = self.attribute_expression(rest, path, ParseErrorKind::ExpectedOperator)?;
            self.stack.top().and.push(&mut self.nodes, term);
            input = rest;

            // What follows a term: closing brackets, then `and`, `or` or the end.
            loop {
                let next = lex::spaces(input);
                let frame = self.stack.top();
                match next {
                    [] if matches!(frame.opener, Opener::Start) => {
                        return Ok((next, frame.close(&mut self.nodes)));
                    }
                    [] => return Err(self.unclosed()),
                    [b')', rest @ ..] => {
                        let negated = match frame.opener {
                            Opener::Group => false,
                            Opener::Not => true,
                            _ => return fail(ParseErrorKind::Unbalanced, next, rest),
                        };
                        let mut term = frame.close(&mut self.nodes);
                        if negated {
                            term = self.nodes.push(NodeKind::Not { term });
                        }
                        self.close(term);
                        input = rest;
                    }
                    [b']', rest @ ..] => match frame.opener {
                        Opener::PathFilter => {
                            self.in_value_path = false;
                            return Ok((rest, frame.close(&mut self.nodes)));
                        }
                        Opener::ValuePath => {
                            let path = frame.path;
                            self.in_value_path = false;
                            (input, ()) = self.value_path_sub_attr(rest)?;
                            let term = self.stack.top().close(&mut self.nodes);
                            let term = self.nodes.push(NodeKind::ValuePath { path, term });
                            self.close(term);
                        }
                        _ => return fail(ParseErrorKind::Unbalanced, next, rest),
                    },
                    [b'a' | b'A', b'n' | b'N', b'd' | b'D', rest @ ..] if lex::ends_word(rest) => {
                        (input, ()) = self.logic(input, next, rest)?;
                        break;
                    }
                    [b'o' | b'O', b'r' | b'R', rest @ ..] if lex::ends_word(rest) => {
                        frame.close_and(&mut self.nodes);
                        (input, ()) = self.logic(input, next, rest)?;
                        break;
                    }
                    _ => return fail(logic_expected(frame.opener), next, next),
                }
            }
        }
    }

    /// Begins a frame, if the limits allow it; what opens it is at the start of `input`, and
    /// `inside` behind it.
    #[inline]
    fn open(&mut self, opener: Opener, path: Slice, input: &'t [u8], inside: &'t [u8]) -> Lexed<'t, ()> {
        let limit = self.options.limits.max_depth;
        if matches!(opener, Opener::ValuePath | Opener::PathFilter) {
            if self.in_value_path {
                return fail(ParseErrorKind::NestedValueFilter, input, inside);
            }
            self.in_value_path = true;
        }
        if self.stack.depth() >= limit {
            return fail(ParseErrorKind::TooDeep { limit }, input, inside);
        }
        if matches!(opener, Opener::Not | Opener::ValuePath) {
            self.nodes.expect_more(self.text.len());
        }
        self.stack.push(Frame::new(opener, self.at(input), path));
        Ok((inside, ()))
    }

    /// Ends the frame that has become `term`, which is one of the frame outside of it.
    #[inline]
    fn close(&mut self, term: u32) {
        self.stack.pop();
        self.stack.top().and.push(&mut self.nodes, term);
    }

    /// Goes on behind an `and` or `or`, which is between `next` and `rest`; `input` has the spaces before it.
    #[inline]
    fn logic(&mut self, input: &'t [u8], next: &'t [u8], rest: &'t [u8]) -> Lexed<'t, ()> {
        if input.len() == next.len() {
            return fail(ParseErrorKind::ExpectedSpace, next, rest);
        }
        self.nodes.expect_more(self.text.len());
        match rest {
            [b' ', rest @ ..] => Ok((rest, ())),
            [] => fail(ParseErrorKind::ExpectedAttribute, rest, rest),
            _ => fail(ParseErrorKind::ExpectedSpace, rest, rest),
        }
    }

    /// `SP "pr"` or `SP compareOp SP compValue`, behind the path.
    ///
    /// `otherwise` is what was expected where something else than an operator stands.
    #[inline(always)]
    fn attribute_expression(
        &mut self,
        input: &'t [u8],
        path: Slice,
        otherwise: ParseErrorKind,
    ) -> Lexed<'t, u32> {
        self.terms += 1;
        let limit = self.options.limits.max_terms;
        if self.terms > limit {
            return Err(self.fault(ParseErrorKind::TooManyTerms { limit }, path));
        }
        let word = lex::spaces(input);
        if word.len() == input.len() {
            let kind = if word.is_empty() { ParseErrorKind::ExpectedOperator } else { otherwise };
            return fail(kind, word, word);
        }
        let (rest, op) = lex::operator(word, otherwise)?;
        let Some(op) = op else { return Ok((rest, self.nodes.push(NodeKind::Present { path }))) };
        let value = lex::spaces(rest);
        if value.len() == rest.len() {
            let kind =
                if value.is_empty() { ParseErrorKind::ExpectedValue } else { ParseErrorKind::ExpectedSpace };
            return fail(kind, value, value);
        }
        let (rest, value) = self.value(value)?;
        Ok((rest, self.nodes.push(NodeKind::Compare { path, op, value })))
    }

    /// `compValue = false / null / true / number / string`
    #[inline]
    fn value(&mut self, input: &'t [u8]) -> Lexed<'t, Literal> {
        match input {
            [b'"', inside @ ..] => self.string(inside),
            [b'-' | b'0'..=b'9', ..] => {
                let (rest, ()) = lex::number(input)?;
                Ok((rest, Literal::Number(self.slice(input, rest))))
            }
            _ => match lex::word(input)? {
                (rest, b"true") => Ok((rest, Literal::Bool(true))),
                (rest, b"false") => Ok((rest, Literal::Bool(false))),
                (rest, b"null") => Ok((rest, Literal::Null)),
                // The rest of what may be an unquoted string belongs to the complaint.
                _ => fail(ParseErrorKind::ExpectedValue, input, input),
            },
        }
    }

    /// A string, behind its opening quote.
    #[inline]
    fn string(&mut self, inside: &'t [u8]) -> Lexed<'t, Literal> {
        // Nearly all strings have no escape, and end where what is plain does.
        let len = scan::plain(inside);
        match inside.get(len..) {
            Some([b'"', rest @ ..]) => {
                Ok((rest, Literal::String(Slice { start: self.at(inside), len: len as u32 })))
            }
            _ => self.escaped_string(inside),
        }
    }

    /// A string that has escapes, or is none.
    fn escaped_string(&mut self, inside: &'t [u8]) -> Lexed<'t, Literal> {
        let (text, buffer) = (self.text, &mut self.buffer);
        let start = text.len() - inside.len();
        let unescaped_start = if buffer.is_empty() { text.len() } else { buffer.len() };
        let (rest, ()) = lex::string(text.get(start..).unwrap_or_default(), |plain, escaped| {
            if buffer.is_empty() {
                // Unescaping never lengthens, so this is room for every string yet to come.
                buffer.reserve_exact(text.len() + inside.len());
                buffer.push_str(text);
            }
            buffer.push_str(plain);
            if let Some(c) = escaped {
                buffer.push(c);
            }
        })?;
        let len = self.buffer.len() - unescaped_start;
        Ok((rest, Literal::String(Slice { start: unescaped_start as u32, len: len as u32 })))
    }

    /// `.value eq "x"` behind the bracket of a value path, as one more term of its filter.
    fn value_path_sub_attr(&mut self, input: &'t [u8]) -> Lexed<'t, ()> {
        let sub = match input {
            [b'.', sub @ ..] if self.options.value_path_sub_attr => sub,
            _ => return Ok((input, ())),
        };
        let (rest, ()) = lex::sub_attr(sub)?;
        let path = self.slice(sub, rest);
        let inner = self.stack.top().close(&mut self.nodes);
        let (rest, term) = self.attribute_expression(rest, path, ParseErrorKind::ExpectedOperator)?;
        // `a and b` takes one more term; anything else becomes the first of two.
        let frame = self.stack.top();
        match self.nodes.get(inner).map(|node| node.kind) {
            Some(NodeKind::And { first }) => frame.and.extend(&self.nodes, first),
            _ => frame.and.push(&mut self.nodes, inner),
        }
        frame.and.push(&mut self.nodes, term);
        self.lenient = true;
        Ok((rest, ()))
    }

    /// Where `input`, a tail of the text, begins.
    fn at(&self, input: &[u8]) -> u32 {
        (self.text.len() - input.len()) as u32
    }

    /// What was read of `input` when `rest` is left.
    fn slice(&self, input: &[u8], rest: &[u8]) -> Slice {
        Slice { start: self.at(input), len: (input.len() - rest.len()) as u32 }
    }

    #[cold]
    fn fault(&self, kind: ParseErrorKind, place: Slice) -> Err<Fault> {
        let whole = self.text.len();
        Err::Failure(Fault { kind, left: whole - place.end()..whole - place.start as usize })
    }

    #[cold]
    fn unclosed(&mut self) -> Err<Fault> {
        let frame = *self.stack.top();
        let opened = self.text.get(frame.start as usize..).unwrap_or_default();
        let len = match frame.opener {
            Opener::Not => 1 + opened.find('(').unwrap_or_default(),
            _ => 1,
        };
        self.fault(ParseErrorKind::Unclosed, Slice { start: frame.start, len: len as u32 })
    }
}

/// `(`, or `not` with an optional space and `(` (RFC 7644 erratum 7319).
#[inline]
fn opener(input: &[u8]) -> Option<(&[u8], Opener)> {
    match input {
        [b'(', inside @ ..] => Some((inside, Opener::Group)),
        [b'n' | b'N', b'o' | b'O', b't' | b'T', rest @ ..] => match lex::spaces(rest) {
            [b'(', inside @ ..] => Some((inside, Opener::Not)),
            _ => None,
        },
        _ => None,
    }
}

/// Refuses a bare URI where an attribute must stand.
#[inline]
fn attribute_only<'t>(form: PathForm, input: &'t [u8], rest: &'t [u8]) -> Lexed<'t, ()> {
    match form {
        PathForm::Attribute => Ok((rest, ())),
        PathForm::Uri => fail(ParseErrorKind::InvalidAttribute, input, rest),
    }
}

/// What is wrong where, between brackets of that kind, neither `and` nor `or` joins what follows.
fn logic_expected(opener: Opener) -> ParseErrorKind {
    match opener {
        Opener::Start => ParseErrorKind::ExpectedLogic,
        Opener::Group | Opener::Not => ParseErrorKind::ExpectedLogicOrClose { bracket: ')' },
        Opener::ValuePath | Opener::PathFilter => ParseErrorKind::ExpectedLogicOrClose { bracket: ']' },
    }
}
