//! GET of an endpoint: filter, page, project (RFC 7644 §3.4.2).

use scim_filter::{AttributeInfo, BindOptions, BoundFilter, Filter, ParseOptions, Schema};

use super::parameters::Parameters;
use super::respond::{Failure, Reply};
use super::{Call, Operation, Outcome, Service};
use crate::Error;
use crate::auth::Authenticator;
use crate::leniency::Leniency;
use crate::message::ListResponse;
use crate::pagination::Window;
use crate::policy::{Context, Policy};
use crate::query::{Query, Start};
use crate::schema::ResourceSchema;
use crate::store::{Scope, Store};

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    pub(super) async fn list(&self, mut call: Call<'_>) -> Result<Reply, Failure> {
        call.begin(Operation::List, None);
        let query = self.query(&call.context, call.schema(), &call.parameters, call.outcome)?;
        self.page(&call.context, query).await
    }

    /// The page of resources of the context's type that `query` asks for.
    pub(super) async fn page(&self, context: &Context<'_>, query: Query) -> Result<Reply, Failure> {
        let scope = Scope { tenant: &context.principal.tenant, schema: context.schema };
        let page = self.store.query(scope, &query).await?;
        let resources = page
            .resources
            .into_iter()
            .take(query.count)
            .map(|resource| self.render(context, resource, &query.projection))
            .collect();
        let total_results = page.total.unwrap_or_default();
        let list = ListResponse { total_results, start_index: query.start.skip() + 1, resources };
        Ok(Reply::ok(list.into_value()))
    }

    /// What `parameters` ask for, the names in the filter looked up in `names`.
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
                let filter = self.filter(context.schema, names, text, &mut fired)?;
                outcome.note(&fired);
                self.policy.may_filter(context, &filter)?;
                Some(filter)
            }
        };
        let window = self.window(parameters)?;
        let projection = parameters.projection(context.schema)?;
        let start = Start::Index(window.start_index);
        Ok(Query { filter, start, count: window.count, projection, ..Query::default() })
    }

    pub(super) fn window(&self, parameters: &Parameters) -> Result<Window, Error> {
        Window::parse(
            parameters.start_index.as_deref(),
            parameters.count.as_deref(),
            self.config.capabilities.default_count,
            self.config.capabilities.max_results,
        )
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
