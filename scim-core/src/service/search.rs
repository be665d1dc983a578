//! POST of `/.search`, over one resource type or all of them (RFC 7644 §3.4.3), and GET of the root.

use super::parameters::Parameters;
use super::respond::{Failure, Reply};
use super::{Extent, Operation, Outcome, Service};
use crate::auth::{Authenticator, Principal};
use crate::message::SearchRequest;
use crate::policy::{Context, Policy};
use crate::schema::ResourceSchema;
use crate::store::Store;
use crate::value::Value;

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    /// Searches the resources of `schema`, or of every type.
    pub(super) async fn search(
        &self,
        schema: Option<&ResourceSchema>,
        principal: &Principal,
        body: Value,
        extent: Extent,
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
                self.page(&context, query, &parameters, extent).await
            }
            None => self.all_types(principal, &parameters, extent, outcome).await,
        }
    }

    /// GET of the root: the resources of every type.
    pub(super) async fn list_all(
        &self,
        query: &str,
        principal: &Principal,
        extent: Extent,
        outcome: &mut Outcome,
    ) -> Result<Reply, Failure> {
        outcome.operation = Some(Operation::List);
        self.all_types(principal, &Parameters::parse(query)?, extent, outcome).await
    }
}

impl From<SearchRequest> for Parameters {
    fn from(search: SearchRequest) -> Self {
        let joined = |names: Vec<String>| (!names.is_empty()).then(|| names.join(","));
        Self {
            filter: search.filter,
            sort_by: search.sort_by,
            sort_order: search.sort_order,
            cursor: search.cursor,
            start_index: search.start_index,
            count: search.count,
            attributes: joined(search.attributes),
            excluded_attributes: joined(search.excluded_attributes),
            in_body: true,
        }
    }
}
