//! GET of an endpoint: filter, sort, page, project (RFC 7644 §3.4.2, RFC 9865).

use std::collections::VecDeque;
use std::sync::Arc;

use scim_filter::{AttributeInfo, BindOptions, BoundAttr, BoundFilter, Filter, ParseOptions, Schema};

use super::computed::Computed;
use super::content::{ListText, More};
use super::cursor::{Position, Sealer};
use super::parameters::Parameters;
use super::resource_text::ResourceText;
use super::respond::{Failure, Reply};
use super::{Call, Extent, Operation, Outcome, Service, nul};
use crate::auth::Authenticator;
use crate::leniency::Leniency;
use crate::membership::{GROUPS, mentions_groups};
use crate::pagination::{Cursors, PaginationMethod, Window, cursor_count};
use crate::patch::keyed;
use crate::pieces::Pieces;
use crate::policy::{Context, Policy};
use crate::query::{Place, Query, Start};
use crate::schema::ResourceSchema;
use crate::sort::Sort;
use crate::store::{Page, Store, StoreError};
use crate::{Error, ScimType};

/// Which page a list request asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Paging<'p> {
    /// By index.
    Index(Window),
    /// By cursor.
    Cursor {
        cursors: &'p Cursors,
        /// `None` for the first page.
        cursor: Option<&'p str>,
        count: usize,
    },
}

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    pub(super) async fn list(&self, mut call: Call<'_>) -> Result<Reply, Failure> {
        call.begin(Operation::List, None);
        let query = self.query(&call.context, call.schema(), &call.parameters, call.outcome)?;
        self.page(&call.context, query, &call.parameters, call.extent).await
    }

    /// The page of resources of the context's type that `query` and `parameters` ask for.
    pub(super) async fn page(
        &self,
        context: &Context<'_>,
        query: Query,
        parameters: &Parameters,
        extent: Extent,
    ) -> Result<Reply, Failure> {
        match self.paging(parameters)? {
            Paging::Index(window) => {
                let query = Query { start: Start::Index(window.start_index), count: window.count, ..query };
                let (mut list, _) = self.begin_list(context, query, None, extent).await?;
                list.start_index = window.told_start();
                Ok(Reply::list(list))
            }
            Paging::Cursor { cursors, cursor, count } => {
                let query = Query { start: Start::First, count, ..query };
                self.cursor_page(context, query, cursors, cursor, extent).await
            }
        }
    }

    async fn cursor_page(
        &self,
        context: &Context<'_>,
        mut query: Query,
        cursors: &Cursors,
        cursor: Option<&str>,
        extent: Extent,
    ) -> Result<Reply, Failure> {
        let now = (self.environment.now)();
        let sealer = Sealer::new(cursors, &context.principal.tenant, [(context.schema.name(), &query)]);
        let mut position =
            Position { issued: now.as_second(), count: query.count, total: None, starts: Vec::new() };
        if let Some(cursor) = cursor {
            let opened = sealer.open(cursor, query.count, now)?;
            position.total = opened.total;
            query.start = opened.starts.into_iter().flatten().next().ok_or_else(Error::invalid_cursor)?;
        }
        let seal = |start: Start, total| {
            sealer.seal(&Position { starts: vec![Some(start)], total, ..position.clone() })
        };
        if query.start.is_backward() {
            let most = if extent == Extent::Pieces { MOST_BACKWARD } else { usize::MAX };
            let some = Query { count: query.count.min(most), ..query.clone() };
            let page = self.page_of(context, &some, extent).await?;
            if !page.resources.is_empty() || query.count == 0 {
                let list = ListText {
                    total_results: position.total,
                    previous_cursor: page.previous.map(|place| seal(Start::Before(place), position.total)),
                    next_cursor: page.next.map(|place| seal(Start::After(place), position.total)),
                    resources: self.texts(context, &some, page.resources)?,
                    ..ListText::default()
                };
                return Ok(Reply::list(list));
            }
            // All that came before is gone, so the page before is the first one.
            query.start = Start::First;
        }
        let (mut list, previous) = self.begin_list(context, query, Some(position.clone()), extent).await?;
        list.previous_cursor = previous.map(|place| seal(Start::Before(place), list.total_results));
        Ok(Reply::list(list))
    }

    /// The list from where `query` begins, as far as it is read for its first part, and the place
    /// before which it begins. Pages by cursor have the `position`, which lacks its start.
    async fn begin_list(
        &self,
        context: &Context<'_>,
        query: Query,
        position: Option<Position>,
        extent: Extent,
    ) -> Result<(ListText, Option<Place>), Failure> {
        let most = if extent == Extent::Pieces { FIRST_RESOURCES } else { usize::MAX };
        let some = (query.count > most).then(|| Query { count: most, ..query.clone() });
        let first = some.as_ref().unwrap_or(&query);
        let page = self.page_of(context, first, extent).await?;
        let total_results = page.total.or(position.as_ref().and_then(|position| position.total));
        let resources = self.texts(context, first, page.resources)?;
        let read = resources.len();
        let mut list = ListText { total_results, resources, ..ListText::default() };
        if let Some(start) = list.goes_on(self, &query, read, page.next) {
            let more = More {
                principal: context.principal.clone(),
                schema: self.shared(context.schema),
                query: Query { start, count: query.count.saturating_sub(read), ..query },
                position: position.map(|position| Position { total: total_results, ..position }),
                last: (0, read),
            };
            list.go_on(self, more);
        }
        Ok((list, page.previous))
    }

    /// A page of the store, its resources with their groups.
    pub(super) async fn page_of(
        &self,
        context: &Context<'_>,
        query: &Query,
        extent: Extent,
    ) -> Result<Page<Pieces>, StoreError> {
        let wide = query.projection.widened(context.schema);
        let wide = wide.map(|projection| Query { projection, ..query.clone() });
        let asked = wide.as_ref().unwrap_or(query);
        let mut page = match extent == Extent::Pieces && !self.policy.renders() {
            true => self.store.query_in_pieces(context.scope(), asked).await?,
            false => self.store.query(context.scope(), asked).await?.map(Pieces::from),
        };
        page.resources.truncate(query.count);
        self.complete(context, &mut page.resources, &query.projection).await?;
        Ok(page)
    }

    /// The resources of a page as they are answered, and no more than were asked for.
    pub(super) fn texts(
        &self,
        context: &Context<'_>,
        query: &Query,
        resources: Vec<Pieces>,
    ) -> Result<VecDeque<ResourceText>, StoreError> {
        let shape = self.shape(context, &query.projection);
        let resources = resources.into_iter().take(query.count);
        resources.map(|pieces| self.text(context, &shape, &query.projection, pieces)).collect()
    }

    /// What `parameters` ask for, the names in filter and sort looked up in `names`; which page is
    /// still to be said.
    pub(super) fn query(
        &self,
        context: &Context<'_>,
        names: &impl Schema,
        parameters: &Parameters,
        outcome: &mut Outcome,
    ) -> Result<Query, Error> {
        let computes_groups = self.computes_groups(context.schema);
        let computed = Computed::of(context.schema, self.refs(context.schema), computes_groups);
        let filter = match &parameters.filter {
            None => None,
            Some(text) => {
                let mut fired = Vec::new();
                let filter = self.filter(context.schema, names, text, &mut fired);
                // `sensitive` is said of URIs, and that POST should be used (RFC 7644 §3.12 and §7.5.2).
                let filter = if parameters.in_body { filter.map_err(Error::in_body) } else { filter }?;
                outcome.note(&fired);
                computed.refuse_filter(&filter)?;
                self.policy.may_filter(context, &filter)?;
                Some(filter)
            }
        };
        let sort = match self.config.capabilities.sort {
            true => Sort::parse(names, parameters.sort_by.as_deref(), parameters.sort_order.as_deref())?,
            false => None,
        };
        sort.as_ref().map_or(Ok(()), |sort| computed.refuse_sort(sort))?;
        sort.as_ref().map_or(Ok(()), |sort| refuse_keyed(sort, context.schema))?;
        let projection = parameters.projection(context.schema)?;
        let is_groups = |by: &BoundAttr| by.extension.is_none() && by.name.matches(GROUPS);
        if computes_groups && sort.as_ref().is_some_and(|sort| is_groups(sort.by())) {
            return Err(Error::from(&StoreError::UnsupportedSort(format!("`{GROUPS}` has no order"))));
        }
        let hierarchy = match computes_groups && filter.as_ref().is_some_and(mentions_groups) {
            true if !self.store.query_support().groups => {
                let detail = format!("`{GROUPS}` cannot be filtered by here");
                return Err(Error::from(&StoreError::UnsupportedFilter(detail)));
            }
            true => Some(Arc::clone(&self.hierarchy)),
            false => None,
        };
        let member_of = self.only_group_type(context.schema, &projection).cloned();
        Ok(Query { filter, sort, projection, hierarchy, member_of, ..Query::default() })
    }

    /// Which page `parameters` ask for.
    pub(super) fn paging<'p>(&'p self, parameters: &'p Parameters) -> Result<Paging<'p>, Error> {
        let (default_count, max_results) = self.config.capabilities.page_sizes();
        let refuse_cursor = self.config.capabilities.refuse_cursor;
        let (start_index, count) = (parameters.start_index.as_deref(), parameters.count.as_deref());
        let cursor = parameters.cursor.as_deref();
        let by_index = || Ok(Paging::Index(Window::parse(start_index, count, default_count, max_results)?));
        match (&self.config.cursors, cursor, start_index) {
            (None, None | Some(""), _) => by_index(),
            (None, Some(_), _) if refuse_cursor => Err(Error::invalid_cursor()),
            (None, Some(_), _) => by_index(),
            (Some(_), Some(_), Some(_)) => {
                let detail = "`cursor` and `startIndex` exclude one another";
                Err(Error::bad_request(ScimType::InvalidValue, detail))
            }
            (Some(cursors), None, None) if cursors.default_method == PaginationMethod::Index => by_index(),
            (Some(_), None, Some(_)) => by_index(),
            (Some(cursors), _, None) => {
                let count = cursor_count(count, default_count, max_results)?;
                Ok(Paging::Cursor { cursors, cursor: cursor.filter(|text| !text.is_empty()), count })
            }
        }
    }

    /// Strict first, then with each leniency that could help, alone and together, so that it is
    /// known which was needed, or would have been.
    fn filter(
        &self,
        schema: &ResourceSchema,
        names: &impl Schema,
        text: &str,
        fired: &mut Vec<Leniency>,
    ) -> Result<BoundFilter, Error> {
        let mut take = |leniency: Leniency, error: &dyn Fn() -> Error| {
            if self.config.leniencies.take(leniency, fired) { Ok(()) } else { Err(error().without(leniency)) }
        };
        nul::refuse_filter(text)?;
        let options = ParseOptions { limits: self.config.limits.filter.clone(), ..ParseOptions::default() };
        let filter = match Filter::parse_with(text, &options) {
            Ok(filter) => filter,
            Err(error) => {
                let refused = || Error::filter_syntax(&error);
                let lenient = ParseOptions { value_path_sub_attr: true, ..options };
                let filter = Filter::parse_with(text, &lenient).map_err(|_| refused())?;
                take(Leniency::ValuePathComparison, &refused)?;
                filter
            }
        };
        let error = match filter.bind(names, &BindOptions::default()) {
            Ok(bound) => return Ok(bound),
            Err(error) => error,
        };
        let refused = || Error::filter_binding(&error);
        for (boolean_strings, bare_names) in [(true, false), (false, true), (true, true)] {
            let options = BindOptions { boolean_strings };
            let bound = match bare_names {
                true => filter.bind(&WithBareNames { schema, names }, &options),
                false => filter.bind(names, &options),
            };
            let Ok(bound) = bound else { continue };
            if boolean_strings {
                take(Leniency::BooleanString, &refused)?;
            }
            if bare_names {
                take(Leniency::BareExtensionAttribute, &refused)?;
            }
            return Ok(bound);
        }
        Err(refused())
    }
}

/// A schema whose extensions' attributes also go by their names alone, where the base schema has
/// none of that name ([`Leniency::BareExtensionAttribute`]).
struct WithBareNames<'s, N> {
    schema: &'s ResourceSchema,
    names: &'s N,
}

impl<N: Schema> WithBareNames<'_, N> {
    fn uri<'u>(&'u self, uri: Option<&'u str>, name: &str) -> Option<&'u str> {
        if uri.is_some() || self.names.attribute(None, name).is_some() {
            return uri;
        }
        let mut extensions = self.schema.extensions().iter().map(|extension| extension.id.as_str());
        extensions.find(|uri| self.schema.find(Some(uri), name).is_some())
    }
}

impl<N: Schema> Schema for WithBareNames<'_, N> {
    fn schema_uri_len(&self, path: &str) -> Option<usize> {
        self.names.schema_uri_len(path)
    }

    fn attribute(&self, uri: Option<&str>, name: &str) -> Option<AttributeInfo<'_>> {
        self.names.attribute(self.uri(uri, name), name)
    }

    fn sub_attribute(&self, uri: Option<&str>, name: &str, sub: &str) -> Option<AttributeInfo<'_>> {
        self.names.sub_attribute(self.uri(uri, name), name, sub)
    }

    fn sensitive_sub_attribute(&self, uri: Option<&str>, name: &str) -> Option<AttributeInfo<'_>> {
        self.names.sensitive_sub_attribute(self.uri(uri, name), name)
    }

    fn extension(&self, uri: &str) -> Option<&str> {
        self.names.extension(uri)
    }
}

/// Refuses to sort by an attribute whose values are known by a key: of those, the members of a group, there may be any
/// number, and a store would have to look for the first among all of them, group by group.
fn refuse_keyed(sort: &Sort, schema: &ResourceSchema) -> Result<(), Error> {
    let by = sort.by();
    match schema.find(None, by.name.as_str()).filter(|attribute| by.extension.is_none() && keyed(attribute)) {
        Some(keyed) => {
            Err(Error::from(&StoreError::UnsupportedSort(format!("`{}` has no order", keyed.name))))
        }
        None => Ok(()),
    }
}

/// The most resources that are read before a list has a status; a part of its own makes few of them
/// full.
const FIRST_RESOURCES: usize = 100;
/// The most resources of a page backward from a cursor, which is read before its first resource is
/// known.
const MOST_BACKWARD: usize = 200;
