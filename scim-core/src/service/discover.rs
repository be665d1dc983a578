//! GET on the discovery endpoints (RFC 7644 §4).

use http::StatusCode;

use super::outcome::Outcome;
use super::parameters::Parameters;
use super::respond::{Failure, Reply};
use super::route::Discovery;
use super::{Operation, Service};
use crate::auth::Authenticator;
use crate::error::quote;
use crate::message::ListResponse;
use crate::policy::Policy;
use crate::store::Store;
use crate::value::{Object, Value};
use crate::{Error, discovery};

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    /// A filter is refused, so that no client takes everything for a match; other parameters mean
    /// nothing here.
    pub(super) fn discover(
        &self,
        endpoint: &Discovery,
        query: &str,
        outcome: &mut Outcome,
    ) -> Result<Reply, Failure> {
        outcome.operation = Some(Operation::Discover);
        if Parameters::parse(query)?.filter.is_some() {
            return Err(Error::new(StatusCode::FORBIDDEN, "discovery endpoints cannot be filtered").into());
        }
        let config = &self.config;
        match endpoint {
            Discovery::ServiceProviderConfig => {
                Ok(Reply::ok(self.document(discovery::service_provider_config(config))))
            }
            Discovery::ResourceTypes => Ok(self.documents(discovery::resource_types(config))),
            Discovery::Schemas => Ok(self.documents(discovery::schemas(config))),
            // A schema is found by its URI, which like every URN is compared without case.
            Discovery::ResourceType(id) => {
                self.one_of("resource type", id, discovery::resource_types(config), |found| found == id)
            }
            Discovery::Schema(id) => {
                let is = |found: &str| found.eq_ignore_ascii_case(id);
                self.one_of("schema", id, discovery::schemas(config), is)
            }
        }
    }

    fn one_of(
        &self,
        kind: &str,
        id: &str,
        documents: Vec<Object>,
        is: impl Fn(&str) -> bool,
    ) -> Result<Reply, Failure> {
        documents
            .into_iter()
            .find(|document| document.get("id").and_then(Value::as_str).is_some_and(&is))
            .map(|document| Reply::ok(self.document(document)))
            .ok_or_else(|| {
                Error::new(StatusCode::NOT_FOUND, format!("there is no {kind} {}", quote(id))).into()
            })
    }

    fn documents(&self, documents: Vec<Object>) -> Reply {
        let resources: Vec<Value> =
            documents.into_iter().map(|document| self.document(document).into()).collect();
        let total_results = Some(resources.len());
        let list = ListResponse { total_results, start_index: Some(1), resources, ..ListResponse::default() };
        Reply::ok(list.into_value())
    }

    fn document(&self, mut document: Object) -> Object {
        self.policy.render_discovery(&mut document);
        document
    }
}
