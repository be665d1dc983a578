//! POST of `/.search`, over one resource type or all of them (RFC 7644 §3.4.3).

use scim_filter::{AttributeInfo, Schema};

use super::parameters::Parameters;
use super::respond::{Failure, Reply};
use super::{Operation, Outcome, Service};
use crate::auth::{Authenticator, Principal};
use crate::message::{ListResponse, SearchRequest};
use crate::policy::{Context, Policy};
use crate::query::{Query, Start};
use crate::schema::{Registry, ResourceSchema};
use crate::store::{Scope, Store};
use crate::value::Value;

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    /// Searches the resources of `schema`, or of every type.
    pub(super) async fn search(
        &self,
        schema: Option<&ResourceSchema>,
        principal: &Principal,
        body: Value,
        outcome: &mut Outcome,
    ) -> Result<Reply, Failure> {
        outcome.operation = Some(Operation::Search);
        outcome.resource_type = schema.map(|schema| schema.name().to_owned());
        let mut fired = Vec::new();
        let search = SearchRequest::parse(body, &self.config.leniencies, &mut fired)?;
        outcome.note(&fired);
        let parameters = Parameters::from(search);
        match schema {
            Some(schema) => {
                let context = Context::new(schema, principal);
                let query = self.query(&context, schema, &parameters, outcome)?;
                self.page(&context, query).await
            }
            None => self.search_all(principal, &parameters, outcome).await,
        }
    }

    /// The resources of every type, one type after the other, as one list.
    async fn search_all(
        &self,
        principal: &Principal,
        parameters: &Parameters,
        outcome: &mut Outcome,
    ) -> Result<Reply, Failure> {
        let window = self.window(parameters)?;
        let (mut skip, mut room) = (window.start_index - 1, window.count);
        let mut list =
            ListResponse { total_results: 0, start_index: window.start_index, resources: Vec::new() };
        for schema in self.config.registry.resource_types() {
            let context = Context::new(schema, principal);
            let names = WithOthersNames { own: schema, registry: &self.config.registry };
            let query = self.query(&context, &names, parameters, outcome)?;
            let query = Query { start: Start::Index(skip.saturating_add(1)), count: room, ..query };
            let page = self.store.query(Scope { tenant: &principal.tenant, schema }, &query).await?;
            let total = page.total.unwrap_or_default();
            list.total_results = list.total_results.saturating_add(total);
            skip = skip.saturating_sub(total);
            room = room.saturating_sub(page.resources.len());
            let rendered = page.resources.into_iter().take(query.count);
            list.resources
                .extend(rendered.map(|resource| self.render(&context, resource, &query.projection)));
        }
        Ok(Reply::ok(list.into_value()))
    }
}

impl From<SearchRequest> for Parameters {
    fn from(search: SearchRequest) -> Self {
        let joined = |names: Vec<String>| (!names.is_empty()).then(|| names.join(","));
        Self {
            filter: search.filter,
            start_index: search.start_index,
            count: search.count,
            attributes: joined(search.attributes),
            excluded_attributes: joined(search.excluded_attributes),
        }
    }
}

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

    fn extension(&self, uri: &str) -> Option<&str> {
        let own = Schema::extension(self.own, uri);
        own.or_else(|| self.registry.resource_types().find_map(|other| Schema::extension(&**other, uri)))
    }
}
