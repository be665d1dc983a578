//! The members of an object in JSON text, without reading their values.
//!
//! The text goes by in blocks of 64 bytes. Of each, one word has a bit for every quote, another for
//! every bracket and colon, and a few shifts of the first tell which of the second are outside of
//! strings. Those lead from one member to the next, whatever the values in between hold and however
//! deep they nest: it takes no more than the brackets counted.

use crate::block::{BLOCK, Found, find};
use crate::json_text::{Read, not_json};
use crate::{AttrName, lex};

/// The members of one object, or what is left of them.
pub(crate) struct Members<'t> {
    text: &'t [u8],
    // Where the block begins.
    block: usize,
    // A bit for each byte of the block: the quotes of strings; the brackets outside of strings; and
    // what is still to be looked at of those and of the colons outside of strings.
    quotes: u64,
    brackets: u64,
    marks: u64,
    // How the next block begins: all ones within a string; whether behind a backslash.
    in_string: u64,
    behind_backslash: bool,
    // The places of the last two quotes before the block.
    quotes_before: [usize; 2],
    // Whether any string so far has an escape.
    escapes: bool,
    // How many brackets are open, with the object's own; 0 behind it.
    depth: usize,
    // Behind the bracket or colon that was looked at last.
    end: usize,
}

/// One member.
pub(crate) struct Member<'t> {
    pub(crate) name: RawName<'t>,
    /// The place of the value, or of white space before it.
    pub(crate) value: usize,
}

impl<'t> Members<'t> {
    /// Those of the object whose `{` is before `start`.
    #[inline]
    pub(crate) fn new(text: &'t [u8], start: usize) -> Self {
        let mut members = Self {
            text,
            block: start,
            quotes: 0,
            brackets: 0,
            marks: 0,
            in_string: 0,
            behind_backslash: false,
            quotes_before: [0; 2],
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
    pub(crate) fn next(&mut self, wanted: NameEnds) -> Read<Option<Member<'t>>> {
        let found = self.walk::<true>(wanted)?;
        Ok(found.map(|colon| Member { name: self.name_before(colon), value: self.end }))
    }

    /// Whether the object's end is found.
    pub(crate) fn ended(&self) -> bool {
        self.depth == 0
    }

    /// The place behind the object, or behind an array whose `[` is before the start.
    pub(crate) fn end(mut self) -> Read<usize> {
        self.walk::<false>(NameEnds::ANY)?;
        Ok(self.end)
    }

    /// Goes on behind the next colon of the object itself whose name may be `wanted`, which is in the
    /// block, if one is asked for and is left; else behind the object's end.
    #[inline]
    fn walk<const COLON: bool>(&mut self, wanted: NameEnds) -> Read<Option<u32>> {
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
                return Ok((depth > 0).then_some(bit));
            }
            self.next_block()?;
        }
    }

    /// What stands between the last two quotes before a colon.
    fn name_before(&self, colon: u32) -> RawName<'t> {
        let quotes = self.quotes & ((1 << colon) - 1);
        let [open, close] = last_two(quotes, self.block, self.quotes_before);
        RawName { text: self.text, start: open + 1, end: close, escapes: self.escapes }
    }

    fn next_block(&mut self) -> Read<()> {
        self.quotes_before = last_two(self.quotes, self.block, self.quotes_before);
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
        let Found { quotes, brackets, colons, backslash } = find(block);
        self.quotes = quotes;
        if backslash || self.behind_backslash {
            self.quotes &= !self.escaped(block);
        }
        // Each bit becomes the sum of those up to it: 1 from a string's first quote to before its
        // last one.
        let mut inside = self.quotes;
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

/// The places of the last two bits of a block, or of those before it.
#[inline]
fn last_two(bits: u64, block: usize, before: [usize; 2]) -> [usize; 2] {
    let Some(last) = bits.checked_ilog2() else { return before };
    let others = bits ^ (1 << last);
    let place = |bit: u32| block + bit as usize;
    [others.checked_ilog2().map_or(before[1], place), place(last)]
}

/// How the names end that are looked for, so that others are passed over without finding out where
/// they begin: a bit for each value that two characters and the quote before or behind them have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameEnds(u64);

impl NameEnds {
    pub(crate) const ANY: Self = Self(u64::MAX);

    /// The ends of `names`.
    pub(crate) fn of<'n>(names: impl IntoIterator<Item = &'n AttrName>) -> Self {
        Self(names.into_iter().fold(0, |ends, name| {
            ends | match name.as_str().as_bytes() {
                [.., one, two] => Self::bit(*one, *two),
                [one] => Self::bit(b'"', *one),
                [] => u64::MAX,
            }
        }))
    }

    /// Whether one of the names may stand in `text` before the colon at `colon`.
    #[inline]
    fn may_be(self, text: &[u8], colon: usize) -> bool {
        match text.get(colon.wrapping_sub(3)..colon) {
            Some([one, two, b'"']) => self.0 & Self::bit(*one, *two) != 0,
            // There is white space, or next to nothing.
            _ => true,
        }
    }

    #[inline]
    fn bit(one: u8, two: u8) -> u64 {
        // Equal for letters that differ in case alone, whose other bits are those that count.
        1 << (((one & 0x1f).wrapping_mul(7) ^ (two & 0x1f)) % 64)
    }
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
