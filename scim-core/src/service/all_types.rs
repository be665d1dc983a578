//! Lists over every resource type (RFC 7644 §3.4.2.1): GET of the root, and POST of its `/.search`.
//!
//! Without a sort they are the lists of the types, one after the other. With one they are merged:
//! each type's list is read in its order, a batch at a time, and the next of all is taken.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use scim_filter::{AttributeInfo, Schema};

use super::content::ListText;
use super::cursor::{Position, Sealer};
use super::list::Paging;
use super::parameters::Parameters;
use super::resource_text::{ResourceText, Shape};
use super::respond::{Failure, Reply};
use super::{Extent, Outcome, Service};
use crate::Error;
use crate::auth::{Authenticator, Principal};
use crate::pagination::Window;
use crate::pieces::Pieces;
use crate::policy::{Context, Policy};
use crate::projection::Projection;
use crate::query::{Query, Start};
use crate::schema::{Registry, ResourceSchema};
use crate::sort::{Sort, SortKey, SortOrder, ascending};
use crate::store::{Store, StoreError};

/// The list of one resource type, as far as it was read.
struct TypeList<'a> {
    context: Context<'a>,
    query: Query,
    // What the client asked for; the query also has the sort key read.
    projection: Projection,
    shape: Option<Arc<Shape>>,
    extent: Extent,
    // Where the list goes on behind what was taken; `None` at its end.
    start: Option<Start>,
    total: usize,
    // Read and not yet taken, each with its sort key.
    ahead: VecDeque<(Option<SortKey>, Pieces)>,
    // Whether there is more behind `ahead`, and where.
    behind: Option<Start>,
}

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    /// The page of the resources of every type that `parameters` ask for.
    pub(super) async fn all_types(
        &self,
        principal: &Principal,
        parameters: &Parameters,
        extent: Extent,
        outcome: &mut Outcome,
    ) -> Result<Reply, Failure> {
        let schemas: Vec<Arc<ResourceSchema>> = self.config.registry.resource_types().cloned().collect();
        let mut lists = Vec::new();
        for schema in &schemas {
            let context = Context::new(schema, principal);
            let names = WithOthersNames { own: schema, registry: &self.config.registry };
            let query = self.query(&context, &names, parameters, outcome)?;
            lists.push(TypeList::new(context, query, extent));
        }
        let most = if extent == Extent::Pieces { MOST } else { usize::MAX };
        let list = match self.paging(parameters)? {
            Paging::Index(window) => {
                let window = Window { count: window.count.min(most), ..window };
                self.all_by_index(&mut lists, window).await?
            }
            Paging::Cursor { cursors, cursor, count } => {
                let now = (self.environment.now)();
                let queries = lists.iter().map(|list| (list.context.schema.name(), &list.query));
                let sealer = Sealer::new(cursors, &principal.tenant, queries);
                let position = cursor.map(|cursor| sealer.open(cursor, count, now)).transpose()?;
                let before = position.as_ref().map(|position| position.total);
                if let Some(position) = position {
                    if position.starts.len() != lists.len() {
                        return Err(Error::invalid_cursor().into());
                    }
                    for (list, start) in lists.iter_mut().zip(position.starts) {
                        list.set_start(start);
                    }
                }
                let (resources, more) =
                    self.all_by_cursor(&mut lists, count.min(most), before.is_some()).await?;
                let total = before.unwrap_or_else(|| Some(total(&lists)));
                let starts = lists.into_iter().map(|list| list.start).collect();
                let next = Position { issued: now.as_second(), count, total, starts };
                let next_cursor = more.then(|| sealer.seal(&next));
                ListText { total_results: total, next_cursor, resources, ..ListText::default() }
            }
        };
        Ok(Reply::list(list))
    }

    async fn all_by_index(&self, lists: &mut [TypeList<'_>], window: Window) -> Result<ListText, Failure> {
        let mut skip = window.start_index - 1;
        let mut resources = VecDeque::new();
        if lists.iter().any(|list| list.query.sort.is_some()) {
            (resources, _) = self.merged(lists, skip, window.count).await?;
        } else {
            for list in &mut *lists {
                let count = window.count - resources.len();
                let start = Start::Index(skip.saturating_add(1));
                let query = Query { start, count, ..list.query.clone() };
                let page = self.page_of(&list.context, &query, list.extent).await?;
                list.total = page.total.unwrap_or_default();
                skip = skip.saturating_sub(list.total);
                resources.extend(self.texts(&list.context, &query, page.resources)?);
            }
        }
        let (total_results, start_index) = (Some(total(lists)), window.told_start());
        Ok(ListText { total_results, start_index, resources, ..ListText::default() })
    }

    /// The next `count` resources from where the lists were left, and whether there are more. The
    /// lists are counted, unless they were `counted` for an earlier page.
    async fn all_by_cursor(
        &self,
        lists: &mut [TypeList<'_>],
        count: usize,
        counted: bool,
    ) -> Result<(VecDeque<ResourceText>, bool), Failure> {
        if lists.iter().any(|list| list.query.sort.is_some()) {
            return self.merged(lists, 0, count).await;
        }
        let (mut resources, mut more) = (VecDeque::new(), false);
        for list in lists {
            if more && counted {
                break;
            }
            let Some(start) = list.start.clone() else { continue };
            let room = if more { 0 } else { count - resources.len() };
            // One is enough to know that there are more.
            let query = Query { start, count: room.max(1).min(count), ..list.query.clone() };
            let page = self.page_of(&list.context, &query, list.extent).await?;
            list.total = page.total.unwrap_or_default();
            if room > 0 {
                list.start = page.next.map(Start::After);
                more |= list.start.is_some();
                resources.extend(self.texts(&list.context, &query, page.resources)?);
            } else {
                more |= !page.resources.is_empty();
            }
        }
        Ok((resources, more))
    }

    /// Skips so many resources of the lists in the order they are sorted in, and takes `count`;
    /// also says whether there are more.
    async fn merged(
        &self,
        lists: &mut [TypeList<'_>],
        mut skip: usize,
        count: usize,
    ) -> Result<(VecDeque<ResourceText>, bool), Failure> {
        let most = if count == 0 { 0 } else { skip.saturating_add(count).min(AHEAD) };
        let mut resources = VecDeque::new();
        loop {
            for list in &mut *lists {
                if list.ahead.is_empty() {
                    self.read_ahead(list, most).await?;
                }
            }
            let next = lists
                .iter_mut()
                .filter(|list| !list.ahead.is_empty())
                .min_by(|left, right| left.order(right));
            let Some(list) = next else { return Ok((resources, false)) };
            if resources.len() == count {
                return Ok((resources, true));
            }
            let Some(pieces) = list.take()? else { return Ok((resources, false)) };
            match skip {
                0 => {
                    let shape = list.shape.get_or_insert_with(|| self.shape(&list.context, &list.projection));
                    resources.push_back(self.text(&list.context, shape, &list.projection, pieces)?);
                }
                _ => skip -= 1,
            }
        }
    }

    /// Reads the next resources of a list.
    async fn read_ahead(&self, list: &mut TypeList<'_>, most: usize) -> Result<(), Failure> {
        let Some(start) = list.behind.take() else { return Ok(()) };
        let by_cursor = self.store.query_support().cursor;
        let start = match start {
            Start::First if !by_cursor => Start::Index(1),
            start => start,
        };
        let query = Query { start, count: most, ..list.query.clone() };
        let page = self.page_of(&list.context, &query, list.extent).await?;
        if let Some(total) = page.total {
            list.total = total;
        }
        list.behind = match query.start {
            Start::Index(index) => {
                (page.resources.len() == most && most > 0).then(|| Start::Index(index + most))
            }
            _ => page.next.map(Start::After),
        };
        let sort = list.query.sort.as_ref();
        for pieces in page.resources {
            let Some(sort) = sort else {
                list.ahead.push_back((None, pieces));
                continue;
            };
            let pieces = Pieces { resource: pieces.resource.parsed()?, ..pieces };
            let key = sort.key(&*pieces.resource.resource()?);
            list.ahead.push_back((key, pieces));
        }
        Ok(())
    }
}

impl<'a> TypeList<'a> {
    fn new(context: Context<'a>, query: Query, extent: Extent) -> Self {
        let projection = query.projection.clone();
        let query = match &query.sort {
            Some(sort) => Query { projection: projection.clone().reading(sort.by()), ..query },
            None => query,
        };
        let start = Some(Start::First);
        Self {
            context,
            query,
            projection,
            shape: None,
            extent,
            behind: start.clone(),
            start,
            total: 0,
            ahead: VecDeque::new(),
        }
    }

    /// Where the list goes on.
    fn set_start(&mut self, start: Option<Start>) {
        self.behind.clone_from(&start);
        self.start = start;
    }

    /// Takes the first of what was read ahead.
    fn take(&mut self) -> Result<Option<Pieces>, StoreError> {
        let Some((_, pieces)) = self.ahead.pop_front() else { return Ok(None) };
        self.start = match &self.query.sort {
            Some(sort) => Some(Start::After(sort.place(&*pieces.resource.resource()?))),
            None => None,
        };
        Ok(Some(pieces))
    }

    /// Which of two lists has the next resource; both have one.
    fn order(&self, other: &Self) -> Ordering {
        let (Some((key, resource)), Some((other_key, other_resource))) =
            (self.ahead.front(), other.ahead.front())
        else {
            return Ordering::Equal;
        };
        let (id, other_id) = (resource.resource.id_text(), other_resource.resource.id_text());
        let [id, other_id] = [&id, &other_id].map(|id| id.as_deref().unwrap_or_default());
        let order = ascending((key.as_ref(), id), (other_key.as_ref(), other_id));
        match self.query.sort.as_ref().map(Sort::order) {
            Some(SortOrder::Descending) => order.reverse(),
            _ => order,
        }
    }
}

fn total(lists: &[TypeList<'_>]) -> usize {
    lists.iter().fold(0, |total, list| total.saturating_add(list.total))
}

/// Resources of one type that are read ahead to be merged.
const AHEAD: usize = 100;
/// The most resources of one answer that is written in pieces: these are read before it has a status,
/// but for what of them comes in pieces.
const MOST: usize = 1000;

/// One resource type's schema that also knows the attributes of the others, so that a filter over
/// several types can name what some of them lack: there it has no value (RFC 7644 §3.4.2.1).
struct WithOthersNames<'s> {
    own: &'s ResourceSchema,
    registry: &'s Registry,
}

impl Schema for WithOthersNames<'_> {
    fn schema_uri_len(&self, path: &str) -> Option<usize> {
        self.registry.resource_types().filter_map(|schema| schema.schema_uri_len(path)).max()
    }

    fn attribute(&self, uri: Option<&str>, name: &str) -> Option<AttributeInfo<'_>> {
        let own = self.own.attribute(uri, name);
        own.or_else(|| self.registry.resource_types().find_map(|other| other.attribute(uri, name)))
    }

    fn sub_attribute(&self, uri: Option<&str>, name: &str, sub: &str) -> Option<AttributeInfo<'_>> {
        // An attribute that the type has is the type's, with the sub-attributes it has there.
        if self.own.attribute(uri, name).is_some() {
            return self.own.sub_attribute(uri, name, sub);
        }
        self.registry.resource_types().find_map(|other| other.sub_attribute(uri, name, sub))
    }

    fn sensitive_sub_attribute(&self, uri: Option<&str>, name: &str) -> Option<AttributeInfo<'_>> {
        if self.own.attribute(uri, name).is_some() {
            return self.own.sensitive_sub_attribute(uri, name);
        }
        self.registry.resource_types().find_map(|other| other.sensitive_sub_attribute(uri, name))
    }

    fn extension(&self, uri: &str) -> Option<&str> {
        let own = Schema::extension(self.own, uri);
        own.or_else(|| self.registry.resource_types().find_map(|other| Schema::extension(&**other, uri)))
    }
}
