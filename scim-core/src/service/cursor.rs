//! Cursors as clients see them: places in lists, sealed (RFC 9865 §2, §5.2).
//!
//! A cursor is the Base64url text of a tag and of the sealed places. The tag is an HMAC of the
//! places and of the list they belong to; the places are covered by a key stream that the HMAC
//! makes out of the tag. So one HMAC both authenticates and hides, and no randomness is needed,
//! which the library has none of: the same place has the same cursor.

use hmac_sha256::HMAC;
use jiff::Timestamp;
use scim_filter::{AttrName, BoundAttr, BoundExpr, BoundFilter, Number, Scalar};
use subtle::ConstantTimeEq as _;

use crate::pagination::Cursors;
use crate::query::{Place, Query, Start};
use crate::sort::{SortKey, SortOrder};
use crate::{Error, ScimType, TenantId};

/// Makes and opens the cursors of one list.
pub(super) struct Sealer<'c> {
    cursors: &'c Cursors,
    // INVARIANT: differs for any two lists.
    list: [u8; 32],
}

/// What a cursor says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// When the page was made that it came with, in seconds since 1970.
    pub(super) issued: i64,
    /// The size of a page.
    pub(super) count: usize,
    /// How many matches there were when the first page was made.
    pub(super) total: Option<usize>,
    /// Where the next page begins, in the list of each resource type; `None` where that is at its
    /// end.
    pub(super) starts: Vec<Option<Start>>,
}

impl<'c> Sealer<'c> {
    /// The sealer of the list that `queries` describe, one for each resource type it is over.
    pub(super) fn new<'q>(
        cursors: &'c Cursors,
        tenant: &TenantId,
        queries: impl IntoIterator<Item = (&'q str, &'q Query)>,
    ) -> Self {
        let mut list = Fields(HMAC::new(cursors.key.bytes()));
        list.tag(LIST);
        list.text(tenant.as_str());
        for (resource_type, query) in queries {
            list.text(resource_type);
            match &query.sort {
                None => list.tag(0),
                Some(sort) => {
                    list.tag(if sort.order() == SortOrder::Ascending { 1 } else { 2 });
                    list.attribute(sort.by());
                }
            }
            match &query.filter {
                None => list.tag(0),
                Some(filter) => list.filter(filter),
            }
        }
        Self { cursors, list: list.0.finalize() }
    }

    /// The cursor of a position.
    pub(super) fn seal(&self, position: &Position) -> String {
        let mut sealed = position.to_bytes();
        let tag = self.tag(&sealed);
        self.cover(&tag, &mut sealed);
        base64url([tag.as_slice(), &sealed].concat().as_slice())
    }

    /// The position of a cursor that was made for this list, with pages of `count`.
    ///
    /// # Errors
    ///
    /// 400 `invalidCursor`, `expiredCursor` or `invalidCount` (RFC 9865 §2.1).
    pub(super) fn open(&self, cursor: &str, count: usize, now: Timestamp) -> Result<Position, Error> {
        let position = self.unseal(cursor).ok_or_else(Error::invalid_cursor)?;
        let age = now.as_second().saturating_sub(position.issued);
        if self
            .cursors
            .timeout
            .is_some_and(|timeout| i64::try_from(timeout.as_secs()).is_ok_and(|most| age > most))
        {
            let detail = "the cursor has expired; an empty one asks for the first page";
            return Err(Error::bad_request(ScimType::ExpiredCursor, detail));
        }
        if position.count != count {
            let detail = format!("`count` must be the same for all pages: `{}`", position.count);
            return Err(Error::bad_request(ScimType::InvalidCount, detail));
        }
        Ok(position)
    }

    fn unseal(&self, cursor: &str) -> Option<Position> {
        let mut bytes = base64url_decode(cursor)?;
        let (tag, sealed) = bytes.split_first_chunk_mut::<TAG>()?;
        self.cover(tag, sealed);
        let known = self.tag(sealed).ct_eq(tag.as_slice());
        if bool::from(known) { Position::from_bytes(sealed) } else { None }
    }

    fn tag(&self, bytes: &[u8]) -> [u8; TAG] {
        let mut mac = HMAC::new(self.cursors.key.bytes());
        mac.update([POSITION]);
        mac.update(self.list);
        mac.update(bytes);
        let mut tag = [0; TAG];
        tag.iter_mut().zip(mac.finalize()).for_each(|(to, from)| *to = from);
        tag
    }

    /// Covers bytes with the key stream of the tag, or uncovers them.
    fn cover(&self, tag: &[u8; TAG], bytes: &mut [u8]) {
        for (number, block) in (0_u64..).zip(bytes.chunks_mut(32)) {
            let mut mac = HMAC::new(self.cursors.key.bytes());
            mac.update([STREAM]);
            mac.update(tag);
            mac.update(number.to_be_bytes());
            block.iter_mut().zip(mac.finalize()).for_each(|(byte, with)| *byte ^= with);
        }
    }
}

/// Feeds an HMAC such that no two sequences of fields are the same bytes.
struct Fields(HMAC);

impl Fields {
    fn tag(&mut self, tag: u8) {
        self.0.update([tag]);
    }

    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
    }

    fn attribute(&mut self, attribute: &BoundAttr) {
        for name in [attribute.extension.as_ref(), Some(&attribute.name), attribute.sub.as_ref()] {
            self.tag(u8::from(name.is_some()));
            self.text(name.map_or("", AttrName::as_str));
        }
    }

    /// The filter as it was bound, so that the spelling of names and the white space do not count.
    fn filter(&mut self, filter: &BoundFilter) {
        let mut open = vec![filter.expr()];
        while let Some(expr) = open.pop() {
            match expr {
                BoundExpr::And(terms) | BoundExpr::Or(terms) => {
                    self.tag(if matches!(expr, BoundExpr::And(_)) { 1 } else { 2 });
                    let before = open.len();
                    open.extend(terms.map(|term| term.expr()));
                    self.0.update(((open.len() - before) as u64).to_be_bytes());
                }
                BoundExpr::Not(term) => {
                    self.tag(3);
                    open.push(term.expr());
                }
                BoundExpr::ValuePath(attribute, term) => {
                    self.tag(4);
                    self.attribute(attribute);
                    open.push(term.expr());
                }
                BoundExpr::Present(attribute) => {
                    self.tag(5);
                    self.attribute(attribute);
                }
                BoundExpr::Compare(attribute, op, value) => {
                    self.tag(6);
                    self.attribute(attribute);
                    self.text(op.as_str());
                    match value {
                        Scalar::Null => self.tag(0),
                        Scalar::Bool(value) => self.tag(1 + u8::from(value)),
                        Scalar::Number(value) => {
                            self.tag(3);
                            self.text(&value.to_string());
                        }
                        Scalar::String(value) => {
                            self.tag(4);
                            self.text(value);
                        }
                    }
                }
            }
        }
    }
}

impl Position {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend(self.issued.to_be_bytes());
        put_number(&mut bytes, self.count as u64);
        // One more, so that 0 is none.
        put_number(
            &mut bytes,
            self.total.map_or(0, |total| total as u64).saturating_add(u64::from(self.total.is_some())),
        );
        for start in &self.starts {
            match start {
                None => bytes.push(0),
                Some(Start::Index(_) | Start::First) => bytes.push(1),
                Some(Start::After(place)) => {
                    bytes.push(2);
                    put_place(&mut bytes, place);
                }
                Some(Start::Before(place)) => {
                    bytes.push(3);
                    put_place(&mut bytes, place);
                }
            }
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Reader(bytes);
        if bytes.byte()? != FORMAT {
            return None;
        }
        let issued = i64::from_be_bytes(bytes.array()?);
        let count = usize::try_from(bytes.number()?).ok()?;
        let total = bytes.number()?.checked_sub(1).and_then(|total| usize::try_from(total).ok());
        let mut starts = Vec::new();
        while !bytes.0.is_empty() {
            starts.push(match bytes.byte()? {
                0 => None,
                1 => Some(Start::First),
                2 => Some(Start::After(bytes.place()?)),
                3 => Some(Start::Before(bytes.place()?)),
                _ => return None,
            });
        }
        Some(Self { issued, count, total, starts })
    }
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len() as u64);
    bytes.extend(text.bytes());
}

fn put_place(bytes: &mut Vec<u8>, place: &Place) {
    let (key, id) = match place {
        Place::Own(text) => {
            bytes.push(0);
            return put_text(bytes, text);
        }
        Place::Sorted(key, id) => (key, id),
    };
    match key {
        None => bytes.push(1),
        Some(SortKey::Boolean(value)) => bytes.push(2 + u8::from(*value)),
        Some(SortKey::Number(number)) => {
            bytes.push(4);
            put_text(bytes, &number.to_string());
        }
        Some(SortKey::Instant { seconds, fraction }) => {
            bytes.push(5);
            bytes.extend(seconds.to_be_bytes());
            put_text(bytes, fraction);
        }
        Some(SortKey::Text(text)) => {
            bytes.push(6);
            put_text(bytes, text);
        }
    }
    put_text(bytes, id);
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<Box<str>> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok().map(Into::into)
    }

    fn place(&mut self) -> Option<Place> {
        let key = match self.byte()? {
            0 => return Some(Place::Own(self.text()?)),
            1 => None,
            kind @ (2 | 3) => Some(SortKey::Boolean(kind == 3)),
            4 => Some(SortKey::Number(Number::parse(&self.text()?)?)),
            5 => {
                let seconds = i64::from_be_bytes(self.array()?);
                Some(SortKey::Instant { seconds, fraction: self.text()? })
            }
            6 => Some(SortKey::Text(self.text()?)),
            _ => return None,
        };
        Some(Place::Sorted(key, self.text()?))
    }
}

/// Base64 in the alphabet of RFC 4648 §5, without padding: unreserved characters of URLs alone.
fn base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let digit = (bits >> (18 - 6 * place) & 0x3f) as usize;
            text.extend(ALPHABET.get(digit).map(|byte| char::from(*byte)));
        }
    }
    text
}

/// The bytes of a text that [`base64url`] made; each has one such text.
fn base64url_decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for byte in chunk {
            let digit = ALPHABET.iter().position(|known| known == byte)?;
            bits = bits << 6 | digit as u32;
        }
        bits <<= 6 * (4 - chunk.len());
        let [_, decoded @ ..] = bits.to_be_bytes();
        let (used, unused) = decoded.split_at_checked(chunk.len().checked_sub(1)?)?;
        if used.is_empty() || unused.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend(used);
    }
    Some(bytes)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// 128 bits, which nobody guesses.
const TAG: usize = 16;
/// What the HMAC is taken of, its first byte.
const LIST: u8 = 1;
const POSITION: u8 = 2;
const STREAM: u8 = 3;
/// The first byte of what is sealed; another format has another.
const FORMAT: u8 = 1;

#[cfg(test)]
mod tests;
