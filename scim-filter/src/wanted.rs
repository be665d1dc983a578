//! The names that evaluation looks for in an object of JSON text.
//!
//! Most members are none of them. Two characters in front of the colon tell that of nearly all, and
//! sixteen bytes of the rest; only of longer names, or such as have escapes, are all bytes looked at.

use crate::bound::{BoundKind, BoundNode};
use crate::{AttrName, BoundAttr};

/// What a filter looks for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The members of the resource that attributes are or are in.
    pub(crate) outside: Names,
    /// The same of a value in a value path.
    pub(crate) inside: Names,
    /// A bit for each of the first 64 attributes: whether a leaf about it can decide the filter by
    /// itself, as a term of the outermost `and` or `or`.
    pub(crate) deciding: u64,
}

impl Wanted {
    pub(crate) fn of(nodes: &[BoundNode], attrs: &[BoundAttr]) -> Self {
        let mut outside = vec![false; attrs.len()];
        let mut inside = outside.clone();
        let mut inside_until = 0;
        for (index, node) in nodes.iter().enumerate() {
            let used = if index < inside_until { &mut inside } else { &mut outside };
            if let Some(used) = node.kind.attr().and_then(|attr| used.get_mut(attr as usize)) {
                *used = true;
            }
            if matches!(node.kind, BoundKind::ValuePath { .. }) {
                inside_until = node.end as usize;
            }
        }
        let names = |used: Vec<bool>| {
            let used = attrs.iter().zip(0..).zip(used).filter(|(_, used)| *used);
            used.map(|((attr, index), _)| (attr.member(), index)).collect()
        };
        Self { outside: names(outside), inside: names(inside), deciding: deciding(nodes) }
    }
}

fn deciding(nodes: &[BoundNode]) -> u64 {
    if !matches!(nodes, [BoundNode { kind: BoundKind::And | BoundKind::Or, .. }, ..]) {
        return 0;
    }
    let (mut attrs, mut term) = (0, 1);
    while let Some(node) = nodes.get(term) {
        attrs |= node.kind.attr().and_then(|attr| 1_u64.checked_shl(attr)).unwrap_or_default();
        term = node.end as usize;
    }
    attrs
}

/// Names to look for, each that of an attribute of the filter.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) ends: Ends,
    // With the index of the attribute.
    pub(crate) tails: Box<[(Tail, u32)]>,
}

impl<'n> FromIterator<(&'n AttrName, u32)> for Names {
    fn from_iter<I: IntoIterator<Item = (&'n AttrName, u32)>>(names: I) -> Self {
        let mut ends = Ends::NONE;
        let mut tail = |(name, attr)| {
            ends = ends.and(Ends::of(name));
            (Tail::of(name), attr)
        };
        let tails = names.into_iter().map(&mut tail).collect();
        Self { ends, tails }
    }
}

/// How names end: a bit for each value that two characters and the quote before or behind them have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends(u64);

impl Ends {
    pub(crate) const ANY: Self = Self(u64::MAX);

    const NONE: Self = Self(0);

    /// The end of `name`.
    pub(crate) fn of(name: &AttrName) -> Self {
        match name.as_str().as_bytes() {
            [.., one, two] => Self(Self::bit(*one, *two)),
            [one] => Self(Self::bit(b'"', *one)),
            [] => Self::ANY,
        }
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether one of the names may stand in `text` before the colon at `colon`.
    #[inline]
    pub(crate) fn may_be(self, text: &[u8], colon: usize) -> bool {
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

/// The end of a name with the quote before it, as far as sixteen bytes hold it, without case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail {
    bytes: u128,
    // Of a shorter name, the bytes that are its own.
    mask: u128,
    // Whether it is the whole name, and no other has it.
    whole: bool,
}

impl Tail {
    pub(crate) fn of(name: &AttrName) -> Self {
        let name = name.as_str().as_bytes();
        let (mut bytes, mut mask) = ([0; WIDTH], [0; WIDTH]);
        let quoted = name.iter().rev().chain([&b'"']);
        for ((place, own), byte) in bytes.iter_mut().zip(&mut mask).rev().zip(quoted) {
            (*place, *own) = (*byte, 0xff);
        }
        let mask = u128::from_le_bytes(mask);
        // Of what a name may have besides letters and digits, `_` differs from another character in
        // the bit of the case alone.
        let whole = name.len() < WIDTH && name.iter().all(u8::is_ascii_alphanumeric);
        Self { bytes: (u128::from_le_bytes(bytes) | CASE) & mask, mask, whole }
    }

    /// That of the name before the colon at `colon`, if a quote and enough text are before it.
    #[inline]
    pub(crate) fn before(text: &[u8], colon: usize) -> Option<u128> {
        match text.get(colon.checked_sub(WIDTH + 1)?..colon)?.split_first_chunk::<WIDTH>()? {
            (tail, b"\"") => Some(u128::from_le_bytes(*tail) | CASE),
            _ => None,
        }
    }

    /// Whether a name with that end may be this one.
    #[inline]
    pub(crate) fn may_be(&self, found: u128) -> bool {
        found & self.mask == self.bytes
    }

    /// Whether what may be this name is.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }
}

const WIDTH: usize = 16;

/// The bit in which letters that differ in case alone differ.
const CASE: u128 = u128::from_le_bytes([0x20; WIDTH]);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_tail_tells_names_apart(
            name in "[a-zA-Z][a-zA-Z0-9$_-]{0,20}",
            other in "[a-zA-Z_\x7f-]{0,3}[a-zA-Z0-9$_-]{0,18}",
            before in "[ -~]{0,20}",
        ) {
            let tail = Tail::of(&AttrName::new(&name));
            for found in [&name, &name.to_uppercase(), &other, &format!("{other}{name}"), &name.get(1..).unwrap().to_owned()] {
                let text = format!("{{\"{before}\":1,\"{found}\"");
                let equal = found.eq_ignore_ascii_case(&name);
                if let Some(end) = Tail::before(text.as_bytes(), text.len()) {
                    let (may_be, whole) = (tail.may_be(end), tail.is_whole());
                    prop_assert!(may_be == equal || may_be && !whole, "{name} {found}");
                }
                let ends = Ends::of(&AttrName::new(&name));
                prop_assert!(!equal || ends.may_be(text.as_bytes(), text.len()));
            }
        }
    }
}
