//! GET of an endpoint: filter, sort, page, project (RFC 7644 §3.4.2, RFC 9865).

use scim_filter::{AttributeInfo, BindOptions, BoundFilter, Filter, ParseOptions, Schema};

use super::config::Capabilities;
use super::cursor::{Position, Sealer};
use super::parameters::Parameters;
use super::respond::{Failure, Reply};
use super::{Call, Operation, Outcome, Service};
use crate::auth::Authenticator;
use crate::leniency::Leniency;
use crate::message::ListResponse;
use crate::pagination::{Cursors, PaginationMethod, Window, cursor_count};
use crate::policy::{Context, Policy};
use crate::query::{Query, Start};
use crate::schema::ResourceSchema;
use crate::sort::Sort;
use crate::store::{Page, Store};
use crate::value::Value;
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
        self.page(&call.context, query, &call.parameters).await
    }

    /// The page of resources of the context's type that `query` and `parameters` ask for.
    pub(super) async fn page(
        &self,
        context: &Context<'_>,
        query: Query,
        parameters: &Parameters,
    ) -> Result<Reply, Failure> {
        match self.paging(parameters)? {
            Paging::Index(window) => {
                let query = Query { start: Start::Index(window.start_index), count: window.count, ..query };
                let page = self.store.query(context.scope(), &query).await?;
                let total_results = page.total;
                let resources = self.rendered(context, page, &query);
                let start_index = Some(window.start_index);
                let list = ListResponse { total_results, start_index, resources, ..ListResponse::default() };
                Ok(Reply::ok(list.into_value()))
            }
            Paging::Cursor { cursors, cursor, count } => {
                let query = Query { start: Start::First, count, ..query };
                self.cursor_page(context, query, cursors, cursor).await
            }
        }
    }

    async fn cursor_page(
        &self,
        context: &Context<'_>,
        mut query: Query,
        cursors: &Cursors,
        cursor: Option<&str>,
    ) -> Result<Reply, Failure> {
        let now = (self.environment.now)();
        let sealer = Sealer::new(cursors, &context.principal.tenant, [(context.schema.name(), &query)]);
        let mut total = None;
        if let Some(cursor) = cursor {
            let position = sealer.open(cursor, query.count, now)?;
            total = position.total;
            query.start = position.starts.into_iter().flatten().next().ok_or_else(Error::invalid_cursor)?;
        }
        let mut page = self.store.query(context.scope(), &query).await?;
        if query.start.is_backward() && page.resources.is_empty() && query.count > 0 {
            // All that came before is gone, so the page before is the first one.
            query.start = Start::First;
            page = self.store.query(context.scope(), &query).await?;
        }
        let total = page.total.or(total);
        let seal = |start: Start| {
            let starts = vec![Some(start)];
            sealer.seal(&Position { issued: now.as_second(), count: query.count, total, starts })
        };
        let previous_cursor = page.previous.take().map(|place| seal(Start::Before(place)));
        let next_cursor = page.next.take().map(|place| seal(Start::After(place)));
        let resources = self.rendered(context, page, &query);
        let list =
            ListResponse { total_results: total, previous_cursor, next_cursor, resources, start_index: None };
        Ok(Reply::ok(list.into_value()))
    }

    /// The resources of a page as they are answered, and no more than were asked for.
    pub(super) fn rendered(&self, context: &Context<'_>, page: Page, query: &Query) -> Vec<Value> {
        let resources = page.resources.into_iter().take(query.count);
        resources.map(|resource| self.render(context, resource, &query.projection)).collect()
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
        let filter = match &parameters.filter {
            None => None,
            Some(text) => {
                let mut fired = Vec::new();
                let filter = self.filter(context.schema, names, text, &mut fired);
                // `sensitive` is said of URIs, and that POST should be used (RFC 7644 §3.12 and §7.5.2).
                let filter = if parameters.in_body { filter.map_err(Error::in_body) } else { filter }?;
                outcome.note(&fired);
                self.policy.may_filter(context, &filter)?;
                Some(filter)
            }
        };
        let sort = match self.config.capabilities.sort {
            true => Sort::parse(names, parameters.sort_by.as_deref(), parameters.sort_order.as_deref())?,
            false => None,
        };
        let projection = parameters.projection(context.schema)?;
        Ok(Query { filter, sort, projection, ..Query::default() })
    }

    /// Which page `parameters` ask for.
    pub(super) fn paging<'p>(&'p self, parameters: &'p Parameters) -> Result<Paging<'p>, Error> {
        let Capabilities { default_count, max_results, .. } = self.config.capabilities;
        let (start_index, count) = (parameters.start_index.as_deref(), parameters.count.as_deref());
        let cursor = parameters.cursor.as_deref();
        let by_index = || Ok(Paging::Index(Window::parse(start_index, count, default_count, max_results)?));
        match (&self.config.cursors, cursor, start_index) {
            (None, None | Some(""), _) => by_index(),
            (None, Some(_), _) => Err(Error::invalid_cursor()),
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
            let mut options = BindOptions::default();
            options.boolean_strings = boolean_strings;
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

    fn extension(&self, uri: &str) -> Option<&str> {
        self.names.extension(uri)
    }
}
