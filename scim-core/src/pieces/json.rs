//! A resource as JSON text that can be answered as it stands.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use scim_filter::fold_hash;

use super::canonical::Scan;
use crate::store::StoreError;
use crate::value::{JsonLimits, Value};

/// A resource as JSON text, and where its attributes are in it.
///
/// A part of the text may be copied into an answer in place of writing its value, because the two are the
/// same.
#[derive(Clone)]
pub(crate) struct ResourceJson {
    // INVARIANT: what a writer of JSON makes of its value, byte for byte; an object.
    text: Box<str>,
    // INVARIANT: of each member in order; no two names are equal, and none has an escape.
    places: Vec<Place>,
    meta: Option<u32>,
}

/// Where a member of the object is.
#[derive(Clone, Copy)]
struct Place {
    /// The hash of its name, in any case.
    hash: u32,
    /// Where its name begins.
    name: u32,
    /// Where its value begins.
    value: u32,
}

impl ResourceJson {
    /// The resource in `text`, if it is as a writer of JSON would have it; otherwise the text again.
    ///
    /// The text is read once, and no value of it is looked at. What it does not find out is whether an
    /// object within the resource has a name twice, which none has that was written of a tree.
    pub(crate) fn new(text: Box<str>) -> Result<Self, Box<str>> {
        match places(&text) {
            Some((places, meta)) => Ok(Self { text, places, meta }),
            None => Err(text),
        }
    }

    /// The same in no more memory than it takes.
    pub(super) fn shrunk(mut self) -> Self {
        self.places.shrink_to_fit();
        self
    }

    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Which member `meta` is, if it is one that has no `location`.
    pub(crate) fn meta(&self) -> Option<usize> {
        self.meta.map(|index| index as usize)
    }

    /// The whole text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The name of a member, and its hash.
    pub(crate) fn name(&self, index: usize) -> (u32, &str) {
        let Some(place) = self.places.get(index) else { return (0, "") };
        // Between its quotes, behind which there is a colon.
        (place.hash, self.text.get(place.name as usize + 1..place.value as usize - 2).unwrap_or_default())
    }

    /// The text of the value of a member.
    pub(crate) fn value(&self, index: usize) -> &str {
        let Some(place) = self.places.get(index) else { return "" };
        self.text.get(place.value as usize..self.end(index)).unwrap_or_default()
    }

    /// The text of these members with the commas between them.
    pub(crate) fn members(&self, range: Range<usize>) -> &str {
        let Some(first) = self.places.get(range.start).filter(|_| !range.is_empty()) else { return "" };
        self.text.get(first.name as usize..self.end(range.end - 1)).unwrap_or_default()
    }

    /// Which member is called `name`, in any case.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let hash = fold_hash(name);
        let is = |(index, place): (usize, &Place)| {
            place.hash == hash && self.name(index).1.eq_ignore_ascii_case(name)
        };
        self.places.iter().enumerate().position(is)
    }

    /// The string that the member called `name` is.
    pub(super) fn string(&self, name: &str) -> Option<Cow<'_, str>> {
        let text = self.value(self.find(name)?);
        let inner = text.strip_prefix('"')?.strip_suffix('"')?;
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        match parsed(text) {
            Ok(Value::String(text)) => Some(Cow::Owned(text.into())),
            _ => None,
        }
    }

    // A comma or the end of the object comes behind each member.
    fn end(&self, index: usize) -> usize {
        self.places.get(index + 1).map_or(self.text.len(), |next| next.name as usize).saturating_sub(1)
    }
}

/// The value in a part of a text that was stored.
pub(crate) fn parsed(text: &str) -> Result<Value, StoreError> {
    // What was stored passed narrower limits on its way in.
    let limits = JsonLimits { max_depth: usize::MAX };
    Value::from_slice(text.as_bytes(), &limits).map_err(|error| StoreError::Internal(error.into()))
}

/// Its values may be secrets.
impl fmt::Debug for ResourceJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceJson").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

/// The places of the members of an object whose text is canonical, and which of them is a `meta` without
/// `location`.
fn places(text: &str) -> Option<(Vec<Place>, Option<u32>)> {
    const META: u32 = fold_hash("meta");
    let place = |at: usize| u32::try_from(at).ok();
    let mut scan = Scan::new(text.as_bytes());
    let (mut places, mut meta) = (Vec::with_capacity(FEW), None);
    let mut hashes = HashSet::new();
    scan.expect(b'{')?;
    let mut ends = scan.eat(b'}');
    while !ends {
        let begin = scan.at();
        let name = text.get(scan.plain_string()?)?;
        scan.expect(b':')?;
        let value = scan.at();
        scan.value()?;
        let hash = fold_hash(name);
        let is_twice = match places.len() {
            0..=FEW => places.iter().any(|other: &Place| other.hash == hash),
            _ => {
                if hashes.is_empty() {
                    hashes.extend(places.iter().map(|other| other.hash));
                }
                !hashes.insert(hash)
            }
        };
        if is_twice {
            return None;
        }
        let value_text = text.get(value..scan.at())?;
        if hash == META && name.eq_ignore_ascii_case("meta") && has_no_location(value_text) {
            meta = place(places.len());
        }
        places.push(Place { hash, name: place(begin)?, value: place(value)? });
        ends = scan.eat(b'}');
        if !ends {
            scan.expect(b',')?;
        }
    }
    scan.is_at_end().then_some((places, meta))
}

/// Whether `meta` is an object that surely has no member called `location`: no string in it is that.
fn has_no_location(meta: &str) -> bool {
    const LOCATION: &[u8] = b"\"location\"";
    let text = meta.as_bytes();
    let is_location = |at: usize| {
        let found = at.checked_sub(1).and_then(|at| text.get(at..at + LOCATION.len()));
        found.is_some_and(|found| found.eq_ignore_ascii_case(LOCATION))
    };
    text.starts_with(b"{") && !memchr::memchr2_iter(b'l', b'L', text).any(is_location)
}

/// As many members are expected, and compared with one another.
const FEW: usize = 12;
