//! The members of an object in JSON text, without reading their values.
//!
//! The text goes by in blocks of 64 bytes. Of each, one word has a bit for every quote, another for
//! every bracket and colon, and a few shifts of the first tell which of the second are outside of
//! strings. Those lead from one member to the next, whatever the values in between hold and however
//! deep they nest: it takes no more than the brackets counted.

use memchr::memrchr;

use crate::block::{BLOCK, Found, find};
use crate::json_text::{Read, not_json};
use crate::wanted::{Ends, Tail};
use crate::{AttrName, lex};

/// The members of one object, or what is left of them.
pub(crate) struct Members<'t> {
    text: &'t [u8],
    // Where the block begins.
    block: usize,
    // A bit for each byte of the block: the brackets outside of strings, and what is still to be
    // looked at of those and of the colons outside of strings.
    brackets: u64,
    marks: u64,
    // How the next block begins: all ones within a string; whether behind a backslash.
    in_string: u64,
    behind_backslash: bool,
    // Whether any string so far has an escape.
    escapes: bool,
    // How many brackets are open, with the object's own; 0 behind it.
    depth: usize,
    // Behind the bracket or colon that was looked at last.
    end: usize,
}

/// One member.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    /// The place of the colon behind its name.
    colon: usize,
    /// The end of its name, unless it may have escapes or has white space behind it.
    tail: Option<u128>,
}

impl Member {
    /// Whether its name may be the one whose end is `tail`.
    #[inline]
    pub(crate) fn may_be(self, tail: &Tail) -> bool {
        self.tail.is_none_or(|found| tail.may_be(found))
    }

    /// The place of the value, or of white space before it.
    pub(crate) fn value(self) -> usize {
        self.colon + 1
    }
}

impl<'t> Members<'t> {
    /// Those of the object whose `{` is before `start`.
    #[inline]
    pub(crate) fn new(text: &'t [u8], start: usize) -> Self {
        let mut members = Self {
            text,
            block: start,
            brackets: 0,
            marks: 0,
            in_string: 0,
            behind_backslash: false,
            escapes: false,
            depth: 1,
            end: start,
        };
        members.read_block();
        members
    }

    pub(crate) fn text(&self) -> &'t [u8] {
        self.text
    }

    /// The next member that may be `wanted`; none is left when the object's end is found.
    #[inline]
    pub(crate) fn next(&mut self, wanted: Ends) -> Read<Option<Member>> {
        let found = self.walk::<true>(wanted)?;
        Ok(found.map(|colon| {
            let tail = if self.escapes { None } else { Tail::before(self.text, colon) };
            Member { colon, tail }
        }))
    }

    /// Whether `member`, the last one that was returned, is `name`, whose end is `tail`.
    #[inline]
    pub(crate) fn is_named(&self, member: Member, tail: &Tail, name: &AttrName) -> bool {
        tail.is_whole() && member.tail.is_some_and(|found| tail.may_be(found))
            || member.may_be(tail) && self.name_before(member.colon).is(name)
    }

    /// Whether the object's end is found.
    pub(crate) fn ended(&self) -> bool {
        self.depth == 0
    }

    /// The place behind the object, or behind an array whose `[` is before the start.
    pub(crate) fn end(mut self) -> Read<usize> {
        self.walk::<false>(Ends::ANY)?;
        Ok(self.end)
    }

    /// Goes on behind the next colon of the object itself whose name may be `wanted`, which is in the
    /// block, if one is asked for and is left; else behind the object's end.
    #[inline]
    fn walk<const COLON: bool>(&mut self, wanted: Ends) -> Read<Option<usize>> {
        if self.depth == 0 {
            return Ok(None);
        }
        let mut depth = self.depth;
        loop {
            let bytes = self.text.get(self.block..).unwrap_or_default();
            let mut marks = self.marks;
            loop {
                // The colons of what is inside are no names of the object.
                let inside = !COLON || depth > 1;
                let looked_at = if inside { marks & self.brackets } else { marks };
                if looked_at == 0 {
                    break;
                }
                let bit = looked_at.trailing_zeros();
                marks &= !1 << bit;
                let Some(byte) = bytes.get(bit as usize) else { break };
                if *byte != b':' {
                    // `[` and `{` have this bit, `]` and `}` have not.
                    depth = depth + usize::from(*byte & 2) - 1;
                    if depth > 0 {
                        continue;
                    }
                } else if !(self.escapes || wanted.may_be(self.text, self.block + bit as usize)) {
                    continue;
                }
                (self.marks, self.depth) = (marks, depth);
                self.end = self.block + bit as usize + 1;
                return Ok((depth > 0).then_some(self.block + bit as usize));
            }
            self.next_block()?;
        }
    }

    /// The name before the colon at `colon`; an empty one if none is there.
    fn name_before(&self, colon: usize) -> RawName<'t> {
        let mut name = RawName { text: self.text, start: colon, end: colon, escapes: self.escapes };
        let before = self.text.get(..colon).unwrap_or_default();
        let Some(mut rest) = before.trim_ascii_end().strip_suffix(b"\"") else { return name };
        name.end = rest.len();
        while let Some(quote) = memrchr(b'"', rest) {
            rest = rest.get(..quote).unwrap_or_default();
            // Behind an odd number of backslashes it is one of the name's own.
            if rest.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0 {
                name.start = quote + 1;
                break;
            }
        }
        name
    }

    fn next_block(&mut self) -> Read<()> {
        self.block += BLOCK;
        if self.block >= self.text.len() {
            return not_json(self.text.len());
        }
        self.read_block();
        Ok(())
    }

    #[inline]
    fn read_block(&mut self) {
        let rest = self.text.get(self.block..).unwrap_or_default();
        let last;
        let block = match rest.first_chunk::<BLOCK>() {
            Some(block) => block,
            None => {
                last = padded(rest);
                &last
            }
        };
        let Found { mut quotes, brackets, colons, backslash } = find(block);
        if backslash || self.behind_backslash {
            quotes &= !self.escaped(block);
        }
        // Each bit becomes the sum of those up to it: 1 from a string's first quote to before its
        // last one.
        let mut inside = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        inside ^= self.in_string;
        self.brackets = brackets & !inside;
        self.marks = self.brackets | colons & !inside;
        self.in_string = (inside >> 63).wrapping_neg();
    }

    /// The bytes behind a backslash that is not itself behind one.
    #[cold]
    fn escaped(&mut self, block: &[u8; BLOCK]) -> u64 {
        self.escapes = true;
        let mut escaped = 0;
        for (bit, byte) in block.iter().enumerate() {
            if self.behind_backslash {
                escaped |= 1 << bit;
                self.behind_backslash = false;
            } else {
                self.behind_backslash = *byte == b'\\';
            }
        }
        escaped
    }
}

/// Less than a block, as one.
#[cold]
fn padded(rest: &[u8]) -> [u8; BLOCK] {
    let mut block = [b' '; BLOCK];
    for (place, byte) in block.iter_mut().zip(rest) {
        *place = *byte;
    }
    block
}

/// A name as it stands between its quotes.
pub(crate) struct RawName<'t> {
    text: &'t [u8],
    start: usize,
    end: usize,
    // Whether it may have an escape.
    escapes: bool,
}

impl RawName<'_> {
    /// Whether it is `name` in any case.
    #[inline]
    pub(crate) fn is(&self, name: &AttrName) -> bool {
        let raw = self.text.get(self.start..self.end).unwrap_or_default();
        if self.escapes && raw.contains(&b'\\') {
            return self.is_unescaped(name);
        }
        raw.eq_ignore_ascii_case(name.as_str().as_bytes())
    }

    #[cold]
    fn is_unescaped(&self, name: &AttrName) -> bool {
        // With the closing quote, to which the leaf reads.
        let raw = self.text.get(self.start..=self.end).unwrap_or_default();
        let mut rest = Some(name.as_str());
        let mut pass = |piece: &str| {
            rest = rest.and_then(|rest| {
                let (head, behind) = rest.split_at_checked(piece.len())?;
                head.eq_ignore_ascii_case(piece).then_some(behind)
            });
        };
        let read = std::str::from_utf8(raw).ok().and_then(|raw| {
            lex::string(raw, |plain, escaped| {
                pass(plain);
                if let Some(c) = escaped {
                    pass(c.encode_utf8(&mut [0; 4]));
                }
            })
            .ok()
        });
        read.is_some() && rest == Some("")
    }
}
