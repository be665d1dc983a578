//! The order of lists (RFC 7644 §3.4.2.3).
//!
//! An ascending list is in the order of one value of each resource, the sort key, and those that
//! have none come last; where keys are equal, in the order of `id`. So the order is total, and a
//! cursor can name a place in it. A descending list is the same the other way round, those without
//! a key first.
//!
//! A text counts by its first [`SortKey::LONGEST`] characters, and an instant to the nanosecond: a
//! place must fit into a URL, whoever it was that wrote the value, and it must tell by itself what
//! comes behind it, since its resource may be gone when the next page is asked for. Values that begin
//! with the same so many characters are in the order of `id`, as equal ones are.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

use scim_filter::compare::{Instant, fold};
use scim_filter::{AttrName, AttributeType, BindOptions, BoundAttr, Number, PatchPath, Schema};

use crate::error::quote;
use crate::query::{Place, Query, Start};
use crate::value::{Object, Value};
use crate::{Error, Resource, ScimType};

/// The order a list request asks for: `sortBy` and `sortOrder`.
///
/// ```
/// use scim_core::schema::Registry;
/// use scim_core::sort::{Sort, SortKey};
/// use scim_core::{Object, Resource};
///
/// let registry = Registry::standard();
/// let users = registry.by_name("User").expect("a standard type");
/// let sort = Sort::parse(&**users, Some("USERNAME"), Some("descending"))?.expect("a sort");
/// let user = Resource(Object::from_iter([("userName", "BJensen")]));
/// assert_eq!(sort.key(&user), Some(SortKey::Text("bjensen".into())));
///
/// let error = Sort::parse(&**users, Some("name"), None).unwrap_err();
/// assert_eq!(error.detail(), "`sortBy` names `name`, which is complex; it must name a sub-attribute");
/// # Ok::<(), scim_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    by: BoundAttr,
    order: SortOrder,
}

/// `sortOrder`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// Least first; what has no value is last.
    #[default]
    Ascending,
    /// Greatest first; what has no value is first.
    Descending,
}

impl Sort {
    /// Parses the two query parameters; no `sortBy`, or an empty one, is no sort.
    ///
    /// `sortBy` is a path in attribute notation (RFC 7644 §3.10), names in any case. A
    /// multi-valued complex attribute counts as its `value`, as it does in a filter.
    ///
    /// # Errors
    ///
    /// 400 `invalidPath` where `sortBy` is no such path or names what the schema does not have;
    /// 400 `invalidValue` where it names what has no order or is never returned, whose values the
    /// order of a list would tell, and where `sortOrder` is neither of its two words.
    pub fn parse(
        schema: &impl Schema,
        sort_by: Option<&str>,
        sort_order: Option<&str>,
    ) -> Result<Option<Self>, Error> {
        let order = sort_order.map_or(Ok(SortOrder::Ascending), SortOrder::parse)?;
        match sort_by.map(str::trim).filter(|path| !path.is_empty()) {
            None => Ok(None),
            Some(path) => Ok(Some(Self { by: attribute(schema, path)?, order })),
        }
    }

    /// The attribute whose value is the sort key.
    pub fn by(&self) -> &BoundAttr {
        &self.by
    }

    /// Least or greatest first.
    pub fn order(&self) -> SortOrder {
        self.order
    }

    /// The sort key of a resource: its value; of several the primary one, or else the first.
    pub fn key(&self, resource: &Resource) -> Option<SortKey> {
        let value = match &self.by.extension {
            None => resource.get(self.by.name.as_str()),
            Some(uri) => resource.get_in(Some(uri.as_str()), self.by.name.as_str()),
        }?;
        let value = match value {
            Value::Array(values) => values.iter().find(|value| is_primary(value)).or(values.first())?,
            value => value,
        };
        let value = match (&self.by.sub, value) {
            (Some(sub), Value::Object(object)) => object.get(sub.as_str())?,
            // What should be an object counts as its `value`.
            (Some(sub), value) if sub.matches("value") => value,
            (Some(_), _) => return None,
            (None, value) => value,
        };
        SortKey::of(&self.by, value)
    }

    /// The place of a resource in the sorted list.
    pub fn place(&self, resource: &Resource) -> Place {
        Place::Sorted(self.key(resource), id(resource))
    }
}

impl SortOrder {
    fn parse(text: &str) -> Result<Self, Error> {
        match text {
            _ if text.eq_ignore_ascii_case("ascending") => Ok(Self::Ascending),
            _ if text.eq_ignore_ascii_case("descending") => Ok(Self::Descending),
            _ => {
                let detail = format!("`sortOrder` must be `ascending` or `descending`, not {}", quote(text));
                Err(Error::bad_request(ScimType::InvalidValue, detail))
            }
        }
    }
}

/// The value by which a resource is sorted: what compares as the values of the attribute do.
///
/// Values of an attribute have one type, so one list has keys of one kind; among several kinds,
/// which a resource of another program's making may have, the order is the one given here.
///
/// A key is of bounded length, whatever the value: see the [module](self).
///
/// ```
/// use scim_core::schema::Registry;
/// use scim_core::sort::{Sort, SortKey};
/// use scim_core::{Object, Resource};
///
/// let registry = Registry::standard();
/// let users = registry.by_name("User").expect("a standard type");
/// let sort = Sort::parse(&**users, Some("title"), None)?.expect("a sort");
/// let user = Resource(Object::from_iter([("title", "É".repeat(20_000))]));
/// assert_eq!(sort.key(&user), Some(SortKey::Text("é".repeat(SortKey::LONGEST).into())));
/// # Ok::<(), scim_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum SortKey {
    /// A Boolean; `false` is first.
    Boolean(bool),
    /// A number, by its mathematical value.
    Number(Number),
    /// A date-time, by the instant it stands for.
    Instant {
        /// Since 1970 in UTC.
        seconds: i64,
        /// The first nine digits behind the decimal point; zeros that end the number are left out.
        fraction: Box<str>,
    },
    /// The beginning of a string, case-folded unless the attribute is case-exact, or of binary
    /// without its padding; by code points.
    Text(Box<str>),
}

impl SortKey {
    /// How many characters of a text count: more than names, addresses and identifiers have, and few
    /// enough that the cursor of any place is some hundred bytes long.
    pub const LONGEST: usize = 128;

    /// The key of one value; `None` where it is not of the attribute's type.
    fn of(by: &BoundAttr, value: &Value) -> Option<Self> {
        match (by.kind, value) {
            (AttributeType::Boolean, Value::Bool(value)) => Some(Self::Boolean(*value)),
            (AttributeType::Integer | AttributeType::Decimal, Value::Number(value)) => {
                Some(Self::Number(*value))
            }
            (AttributeType::DateTime, Value::String(text)) => {
                let instant = Instant::parse(text)?;
                let fraction = first(instant.fraction(), NANOSECONDS).into();
                Some(Self::Instant { seconds: instant.unix_seconds(), fraction })
            }
            (AttributeType::Binary, Value::String(text)) => {
                Some(Self::Text(first(text.trim_end_matches('='), Self::LONGEST).into()))
            }
            (AttributeType::String | AttributeType::Reference, Value::String(text)) => {
                let key = match by.case_exact {
                    true => Cow::Borrowed(text.as_ref()),
                    // Folding leaves nothing out of ASCII; of all else, several characters may be one.
                    false if text.is_ascii() => fold(first(text, Self::LONGEST)),
                    false => fold(text),
                };
                Some(Self::Text(first(&key, Self::LONGEST).into()))
            }
            _ => None,
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Number(_) => 1,
            Self::Instant { .. } => 2,
            Self::Text(_) => 3,
        }
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(left), Self::Boolean(right)) => left.cmp(right),
            // A number of JSON is never "not a number", which alone has no order.
            (Self::Number(left), Self::Number(right)) => left.order(*right).unwrap_or(Ordering::Equal),
            (
                Self::Instant { seconds: left, fraction: left_fraction },
                Self::Instant { seconds: right, fraction: right_fraction },
            ) => left.cmp(right).then_with(|| left_fraction.cmp(right_fraction)),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            _ => self.kind().cmp(&other.kind()),
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for SortKey {}

/// The order of two results of an ascending list, by sort key and `id`.
pub fn ascending(left: (Option<&SortKey>, &str), right: (Option<&SortKey>, &str)) -> Ordering {
    let keys = match (left.0, right.0) {
        (Some(left), Some(right)) => left.cmp(right),
        (left, right) => right.is_some().cmp(&left.is_some()),
    };
    keys.then_with(|| left.1.cmp(right.1))
}

/// Finds a page of a sorted list among resources that come in any order, keeping no more of them
/// than the page needs: for what a store cannot sort by an index.
///
/// Without a sort, the order is that of `id`. Of each resource a `T` is kept, such as where it is.
#[derive(Debug)]
pub struct Ranking<'q, T> {
    sort: Option<&'q Sort>,
    start: &'q Start,
    keep: usize,
    heap: BinaryHeap<Ranked<T>>,
}

impl<'q, T> Ranking<'q, T> {
    /// A ranking of no results yet, for the page from `start` on, of `count` results and, so that
    /// it is known whether the list goes on, one more.
    pub fn new(sort: Option<&'q Sort>, start: &'q Start, count: usize) -> Self {
        let keep = if count == 0 { 0 } else { start.skip().saturating_add(count).saturating_add(1) };
        Self { sort, start, keep, heap: BinaryHeap::new() }
    }

    /// Takes one more result into account.
    pub fn offer(&mut self, resource: &Resource, item: T) {
        if self.keep == 0 {
            return;
        }
        let key = self.sort.and_then(|sort| sort.key(resource));
        let reversed = self.is_descending() != self.start.is_backward();
        let ranked = Ranked { key, id: id(resource), reversed, item };
        let behind = match self.start.place() {
            None => true,
            Some(Place::Own(id)) => ranked.order((None, id)).is_gt(),
            Some(Place::Sorted(key, id)) => ranked.order((key.as_ref(), id)).is_gt(),
        };
        let full = self.heap.len() >= self.keep;
        if behind && !(full && self.heap.peek().is_some_and(|last| *last <= ranked)) {
            self.heap.push(ranked);
            if full {
                self.heap.pop();
            }
        }
    }

    /// The results from the start on, in the order they are walked through: what [`Page::of`] takes.
    ///
    /// [`Page::of`]: crate::store::Page::of
    pub fn finish(self) -> Vec<(Place, T)> {
        let (sorted, skip) = (self.sort.is_some(), self.start.skip());
        let ranked = self.heap.into_sorted_vec().into_iter().skip(skip);
        let place = |key, id| if sorted { Place::Sorted(key, id) } else { Place::Own(id) };
        ranked.map(|ranked| (place(ranked.key, ranked.id), ranked.item)).collect()
    }

    fn is_descending(&self) -> bool {
        self.sort.is_some_and(|sort| sort.order == SortOrder::Descending)
    }
}

#[derive(Debug)]
struct Ranked<T> {
    key: Option<SortKey>,
    id: Box<str>,
    reversed: bool,
    item: T,
}

impl<T> Ranked<T> {
    fn order(&self, other: (Option<&SortKey>, &str)) -> Ordering {
        let order = ascending((self.key.as_ref(), &self.id), other);
        if self.reversed { order.reverse() } else { order }
    }
}

impl<T> Ord for Ranked<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order((other.key.as_ref(), &other.id))
    }
}

impl<T> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Ranked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Ranked<T> {}

impl Query {
    /// A [`Ranking`] for the page the query asks for.
    pub fn ranking<T>(&self) -> Ranking<'_, T> {
        Ranking::new(self.sort.as_ref(), &self.start, self.count)
    }
}

/// The first so many characters.
fn first(text: &str, characters: usize) -> &str {
    let end = text.char_indices().nth(characters).map(|(end, _)| end);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

fn id(resource: &Resource) -> Box<str> {
    resource.get("id").and_then(Value::as_str).unwrap_or_default().into()
}

fn is_primary(value: &Value) -> bool {
    value.as_object().and_then(|object: &Object| object.get("primary")).and_then(Value::as_bool) == Some(true)
}

/// The digits of a fraction of a second that count.
const NANOSECONDS: usize = 9;

/// The attribute that `sortBy` names.
fn attribute(schema: &impl Schema, text: &str) -> Result<BoundAttr, Error> {
    let wrong_path = |reason: &dyn std::fmt::Display| {
        Error::bad_request(ScimType::InvalidPath, format!("`sortBy` is not valid: {reason}"))
    };
    let path = PatchPath::parse(text).map_err(|error| wrong_path(&error))?;
    if path.value_filter().is_some() {
        return Err(wrong_path(&format!("{} has a filter, and sorting knows none", quote(text))));
    }
    let bound = path.bind(schema, &BindOptions::default()).map_err(|error| wrong_path(&error))?;
    let uri = bound.extension.as_ref().map(AttrName::as_str);
    let unknown = || wrong_path(&format!("{} is no attribute", quote(text)));
    let name = bound.attribute.ok_or_else(unknown)?;
    let info = schema.attribute(uri, name.as_str()).ok_or_else(unknown)?;
    let sub = match &bound.sub {
        Some(sub) => schema.sub_attribute(uri, name.as_str(), sub.as_str()),
        None if info.kind == AttributeType::Complex && info.multi_valued => {
            schema.sub_attribute(uri, name.as_str(), "value")
        }
        None => None,
    };
    let typed = sub.unwrap_or(info);
    let unfit = |reason: &str| {
        let detail = format!("`sortBy` names {}, which {reason}", quote(text));
        Err(Error::bad_request(ScimType::InvalidValue, detail))
    };
    if info.sensitive || typed.sensitive {
        return unfit("is never returned");
    }
    if typed.kind == AttributeType::Complex {
        return unfit("is complex; it must name a sub-attribute");
    }
    Ok(BoundAttr {
        extension: info.extension.map(AttrName::new),
        sub: sub.map(|sub| AttrName::new(sub.name)),
        kind: typed.kind,
        multi_valued: info.multi_valued,
        case_exact: typed.case_exact,
        name,
    })
}
