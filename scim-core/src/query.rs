//! What a list request asks for, checked and bound.

use std::sync::Arc;

use scim_filter::BoundFilter;

use crate::membership::Hierarchy;
use crate::projection::Projection;
use crate::schema::ResourceSchema;
use crate::sort::{Sort, SortKey};
use crate::store::Page;

/// A list request in terms of the schema.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which resources.
    pub filter: Option<BoundFilter>,
    /// In which order; without one in the store's own, which is stable.
    pub sort: Option<Sort>,
    /// Where the page begins.
    pub start: Start,
    /// The most resources to return; 0 asks for the total alone.
    pub count: usize,
    /// Which attributes will be returned, so that a store need not read the rest.
    pub projection: Projection,
    /// How the `groups` of the resources are found, where the filter looks at them: they are not
    /// stored, and a filter has them as [`Ancestry::groups`](crate::membership::Ancestry::groups)
    /// tells them. Never there for a store whose [`QuerySupport`] denies it.
    pub hierarchy: Option<Arc<Hierarchy>>,
    /// The type of the groups that the resources may be members of, where the answer shows their `groups`.
    /// A store that can tell these groups in the same go as the page does so in
    /// [`Pieces::memberships`](crate::pieces::Pieces::memberships), and is not asked for them then.
    pub member_of: Option<Arc<ResourceSchema>>,
}

impl Default for Query {
    /// The total of everything, and no resource.
    fn default() -> Self {
        Self {
            filter: None,
            sort: None,
            start: Start::Index(1),
            count: 0,
            projection: Projection::default(),
            hierarchy: None,
            member_of: None,
        }
    }
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the 1-based index (RFC 7644 §3.4.2.4).
    Index(usize),
    /// At the first result, with cursors to go on by (RFC 9865 §2).
    First,
    /// Behind the place.
    After(Place),
    /// Such that the page ends right before the place.
    Before(Place),
}

impl Start {
    /// How many results come before the page, where that is said by number.
    pub fn skip(&self) -> usize {
        match self {
            Self::Index(index) => index.saturating_sub(1),
            Self::First | Self::After(_) | Self::Before(_) => 0,
        }
    }

    /// The place that the page comes behind, or before.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Index(_) | Self::First => None,
            Self::After(place) | Self::Before(place) => Some(place),
        }
    }

    /// Whether the number of all matches is asked for: not at a place. It was told with the first
    /// page, so that on the following ones a store need not look further than the page goes.
    pub fn asks_total(&self) -> bool {
        self.place().is_none()
    }

    /// Whether the results are walked through against their order, from the place back.
    pub fn is_backward(&self) -> bool {
        matches!(self, Self::Before(_))
    }
}

/// A place in a list: that of one result, which it keeps when results before it come and go, and
/// also when that result itself goes.
///
/// Clients see places only sealed in a cursor, so a store meets none but its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the store's own order; the text is the store's.
    Own(Box<str>),
    /// In a sorted list: the sort key, which is of [bounded length](SortKey), and the `id` that breaks
    /// ties.
    Sorted(Option<SortKey>, Box<str>),
}

/// What a [`Store`](crate::Store) answers of a list request beyond filters and index-based pages.
///
/// It is said of a whole store, and by default none of it, so that nothing a client asks for is
/// passed over silently. What the store does not answer, discovery does not offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuerySupport {
    /// [`Query::sort`] (RFC 7644 §3.4.2.3).
    pub sort: bool,
    /// [`Start`] other than by index (RFC 9865).
    pub cursor: bool,
    /// Filters on the `groups` of resources, which are computed ([`Query::hierarchy`]).
    pub groups: bool,
}

impl QuerySupport {
    /// All of it.
    pub const ALL: Self = Self { sort: true, cursor: true, groups: true };

    /// What [`evaluate`](crate::store::evaluate) answers: all but filters on `groups`.
    pub const EVALUATED: Self = Self { groups: false, ..Self::ALL };
}

impl<R> Page<R> {
    /// The page that `query` asks for, out of results in the order they were walked through: from
    /// its start on, or back from it where [`Start::is_backward`], and one more than its count
    /// where there are so many. Each comes with its place; `resource` makes it what is returned.
    ///
    /// ```
    /// use scim_core::query::{Place, Query, Start};
    /// use scim_core::store::Page;
    /// use scim_core::{Object, Resource};
    ///
    /// let rows = ["1", "2", "3"].map(|id| (Place::Own(id.into()), Resource(Object::from_iter([("id", id)]))));
    /// let query = Query { start: Start::First, count: 2, ..Query::default() };
    /// let page = Page::of(&query, None, rows.into(), |resource| resource);
    /// assert_eq!(page.resources.len(), 2);
    /// assert_eq!((page.previous, page.next), (None, Some(Place::Own("2".into()))));
    /// ```
    pub fn of<T>(
        query: &Query,
        total: Option<usize>,
        rows: Vec<(Place, T)>,
        resource: impl FnMut(T) -> R,
    ) -> Self {
        Self::at(query, total, rows, Place::clone, resource)
    }

    /// The same where a place is made of what comes with each result.
    pub(crate) fn at<K, T>(
        query: &Query,
        total: Option<usize>,
        mut rows: Vec<(K, T)>,
        place: impl Fn(&K) -> Place,
        mut resource: impl FnMut(T) -> R,
    ) -> Self {
        let more = rows.len() > query.count;
        rows.truncate(query.count);
        if query.start.is_backward() {
            rows.reverse();
        }
        let (previous, next) = match query.start {
            Start::Index(_) | Start::First => (false, more),
            Start::After(_) => (true, more),
            Start::Before(_) => (more, true),
        };
        let place = |row: Option<&(K, T)>| row.map(|(key, _)| place(key));
        let previous = previous.then(|| place(rows.first())).flatten();
        let next = next.then(|| place(rows.last())).flatten();
        let resources = rows.into_iter().map(|(_, row)| resource(row)).collect();
        Self { total, resources, previous, next }
    }
}
