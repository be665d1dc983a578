//! GET of one resource (RFC 7644 §3.4.1), and how a resource goes out.

use http::StatusCode;

use super::respond::{Failure, Reply};
use super::write::KEYED;
use super::{Call, Operation, Service};
use crate::auth::Authenticator;
use crate::etag::Condition;
use crate::policy::{Context, Policy};
use crate::projection::Projection;
use crate::store::{Store, StoreError};
use crate::value::Value;
use crate::{Error, Resource, ResourceId, Version};

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    pub(super) async fn read(&self, mut call: Call<'_>, id: &ResourceId) -> Result<Reply, Failure> {
        call.begin(Operation::Read, Some(id));
        let projection = call.projection()?;
        let resource = self.store.read(call.scope(), id, &projection).await?.ok_or(StoreError::NotFound)?;
        let version = version_of(&resource)?;
        if Condition::if_none_match(&call.head.headers).is_some_and(|condition| condition.names(version)) {
            return Ok(Reply { version: Some(version), ..Reply::empty(StatusCode::NOT_MODIFIED) });
        }
        self.reply(StatusCode::OK, &call.context, resource, &projection)
    }

    /// The answer that carries `resource`.
    pub(super) fn reply(
        &self,
        status: StatusCode,
        context: &Context<'_>,
        resource: Resource,
        projection: &Projection,
    ) -> Result<Reply, Failure> {
        let version = Some(version_of(&resource)?);
        let location = resource.id().map(|id| self.location(context, &id));
        let body = Some(self.render(context, resource, projection));
        Ok(Reply { status, location, version, body })
    }

    /// The resource as it goes out: with its location, projected, reshaped by the policy.
    pub(super) fn render(
        &self,
        context: &Context<'_>,
        mut resource: Resource,
        projection: &Projection,
    ) -> Value {
        let location = resource.id().map(|id| self.location(context, &id));
        if let Some(meta) = resource.0.get_mut("meta").and_then(Value::as_object_mut) {
            if let Some(location) = location {
                meta.insert("location", location);
            }
            if !self.config.capabilities.etag {
                meta.remove("version");
            }
        }
        projection.apply(context.schema, &mut resource);
        self.policy.render(context, &mut resource);
        Value::Object(resource.0)
    }

    pub(super) fn location(&self, context: &Context<'_>, id: &ResourceId) -> String {
        self.base_url.locate(&context.schema.resource_type().endpoint, id.as_str())
    }
}

impl Call<'_> {
    /// What `attributes` and `excludedAttributes` leave of a resource. An operation of a bulk request
    /// is answered without it, so that nothing needs to be read for the answer alone.
    pub(super) fn projection(&self) -> Result<Projection, Error> {
        if self.in_bulk {
            return Ok(Projection::without(KEYED));
        }
        self.parameters.projection(self.schema())
    }
}

/// The version a stored resource has; the contract of [`Store`] is that each has one.
pub(super) fn version_of(resource: &Resource) -> Result<Version, StoreError> {
    resource.version().ok_or_else(|| StoreError::Internal("a stored resource has no `meta.version`".into()))
}
