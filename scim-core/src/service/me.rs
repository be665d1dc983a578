//! `/Me`, an alias of the resource that the credential stands for (RFC 7644 §3.11).
//!
//! Every operation on that resource can be asked for by the alias, and is answered as at its own
//! path, with the permanent location in `Location`. POST creates the resource of a credential that
//! names one by an attribute, as long as there is none, and no other than that.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, StatusCode};
use scim_filter::{BindOptions, BoundFilter, Filter};

use super::respond::{Failure, Reply};
use super::{Body, Call, Extent, Operation, Outcome, Service, not_supported};
use crate::auth::{Authenticator, Principal, Subject};
use crate::policy::{Context, Policy};
use crate::projection::Projection;
use crate::query::{Query, Start};
use crate::schema::ResourceSchema;
use crate::store::{Store, StoreError};
use crate::value::Value;
use crate::{Error, ResourceId, ScimType};

/// The resource a credential stands for.
enum Me {
    /// The one of that `id`, which is not looked up here.
    Given(ResourceId),
    Known(ResourceId),
    /// There is none yet; it is one that fulfils this.
    Missing(BoundFilter),
}

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    pub(super) async fn me(
        &self,
        head: &Parts,
        principal: &Principal,
        query: &str,
        body: &[u8],
        extent: Extent,
        outcome: &mut Outcome,
    ) -> Result<Reply, Failure> {
        let subject = self.authenticator.subject(principal, head).await.map_err(Failure::Unauthenticated)?;
        let (schema, me) = match subject {
            Subject::NotOffered => return Err(not_supported("/Me")),
            Subject::Nobody => return Err(stands_for_nothing().into()),
            Subject::Resource { resource_type, id } => (self.subject_type(&resource_type)?, Me::Given(id)),
            Subject::Named { resource_type, attribute, value } => {
                let schema = self.subject_type(&resource_type)?;
                let me = self.named(&Context::new(&schema, principal), &attribute, &value).await?;
                (schema, me)
            }
        };
        if !METHODS.contains(&head.method) {
            return Err(Failure::MethodNotAllowed { method: head.method.to_string(), allow: ALLOW });
        }
        if head.method == Method::PATCH && !self.config.capabilities.patch {
            return Err(not_supported("PATCH"));
        }
        let creates = head.method == Method::POST;
        outcome.asked(&schema, Operation::of(&head.method, !creates));
        if let Me::Given(id) | Me::Known(id) = &me {
            outcome.resource = Some(id.clone());
            outcome.alias_of = Some(self.location(&Context::new(&schema, principal), id));
        }
        self.check_body(head, body)?;
        match me {
            Me::Known(_) if creates => {
                let detail = "the credential stands for a resource that is there already";
                Err(Error::bad_request(ScimType::Uniqueness, detail).with_status(StatusCode::CONFLICT).into())
            }
            Me::Given(_) if creates => Err(may_not_create().into()),
            Me::Given(id) | Me::Known(id) => {
                let call = Call { extent, ..Call::new(head, &schema, principal, query, outcome)? };
                self.on_resources(call, Some(&id), Body::Text(body)).await
            }
            Me::Missing(filter) if creates => {
                let body = self.parsed(body)?;
                let is_own = body.as_object().is_some_and(|body| filter.matches::<Value>(body));
                if !is_own {
                    let detail =
                        "the credential does not stand for this resource, and may create no other here";
                    return Err(Error::new(StatusCode::FORBIDDEN, detail).into());
                }
                let call = Call { extent, ..Call::new(head, &schema, principal, query, outcome)? };
                self.create(call, body).await
            }
            Me::Missing(_) => Err(stands_for_nothing().into()),
        }
    }

    /// The resource whose attribute has the value.
    async fn named(&self, context: &Context<'_>, attribute: &str, value: &str) -> Result<Me, Failure> {
        let unusable = |error: &dyn std::fmt::Display| {
            StoreError::Internal(format!("the subject of a credential cannot be looked up: {error}").into())
        };
        let filter = Filter::parse(&format!("{attribute} eq {}", Value::from(value)))
            .map_err(|error| unusable(&error))?
            .bind(context.schema, &BindOptions::default())
            .map_err(|error| unusable(&error))?;
        let projection = Projection::parse(context.schema, Some("id"), None)?;
        let query = Query {
            filter: Some(filter.clone()),
            start: Start::Index(1),
            count: 2,
            projection,
            ..Query::default()
        };
        let found = self.store.query(context.scope(), &query).await?.resources;
        match found.as_slice() {
            [] => Ok(Me::Missing(filter)),
            [only] => Ok(Me::Known(only.id().ok_or_else(|| unusable(&"it has no `id`"))?)),
            _ => {
                let detail = "the credential stands for several resources";
                Err(Error::new(StatusCode::FORBIDDEN, detail).into())
            }
        }
    }

    fn subject_type(&self, name: &str) -> Result<Arc<ResourceSchema>, StoreError> {
        self.config.registry.by_name(name).cloned().ok_or_else(|| {
            StoreError::Internal(format!("a credential stands for a `{name}`, which is not served").into())
        })
    }
}

fn stands_for_nothing() -> Error {
    Error::new(StatusCode::NOT_FOUND, "there is no resource that the credential stands for")
}

fn may_not_create() -> Error {
    let detail = "the credential does not stand for this resource, and may create no other here";
    Error::new(StatusCode::FORBIDDEN, detail)
}

const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
const ALLOW: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
