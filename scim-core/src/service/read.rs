//! GET of one resource (RFC 7644 §3.4.1), and how a resource goes out.

use std::sync::Arc;

use http::StatusCode;

use super::content::Content;
use super::refs::Refs;
use super::resource_text::{ResourceText, Shape};
use super::respond::{Failure, Reply};
use super::write::{KEYED, precondition_failed};
use super::{Call, Extent, Operation, Service};
use crate::auth::Authenticator;
use crate::etag::Preconditions;
use crate::membership::GROUPS;
use crate::pieces::Pieces;
use crate::policy::{Context, Policy};
use crate::projection::Projection;
use crate::schema::ResourceSchema;
use crate::store::{Store, StoreError};
use crate::value::Value;
use crate::{Error, Resource, ResourceId, Version};

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    pub(super) async fn read(&self, mut call: Call<'_>, id: &ResourceId) -> Result<Reply, Failure> {
        call.begin(Operation::Read, Some(id));
        let projection = call.projection()?;
        let pieces = self.pieces_of(&call, id, &projection).await?.ok_or(StoreError::NotFound)?;
        let version = version(pieces.resource.version())?;
        let conditions = call.preconditions();
        conditions.permit_read(version).map_err(|unmet| precondition_failed(unmet, Some(version)))?;
        if conditions.is_known(version) {
            return Ok(Reply { version: Some(version), ..Reply::empty(StatusCode::NOT_MODIFIED) });
        }
        self.reply(StatusCode::OK, &call.context, pieces, &projection).await
    }

    /// A resource of the store.
    pub(super) async fn pieces_of(
        &self,
        call: &Call<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Pieces>, StoreError> {
        let wide = projection.widened(call.schema());
        let projection = wide.as_ref().unwrap_or(projection);
        if call.extent == Extent::Pieces && !self.policy.renders() {
            return self.store.read_in_pieces(call.scope(), id, projection).await;
        }
        Ok(self.store.read(call.scope(), id, projection).await?.map(Pieces::from))
    }

    /// The answer that carries `resource`, with its groups.
    pub(super) async fn reply(
        &self,
        status: StatusCode,
        context: &Context<'_>,
        resource: impl Into<Pieces> + Send,
        projection: &Projection,
    ) -> Result<Reply, Failure> {
        let mut pieces = resource.into();
        self.complete(context, std::slice::from_mut(&mut pieces), projection).await?;
        self.reply_as_it_is(status, context, pieces, projection)
    }

    /// The answer that carries `resource`.
    pub(super) fn reply_as_it_is(
        &self,
        status: StatusCode,
        context: &Context<'_>,
        resource: impl Into<Pieces>,
        projection: &Projection,
    ) -> Result<Reply, Failure> {
        let pieces = resource.into();
        let version = Some(version(pieces.resource.version())?);
        let location = self.location_of(context, &pieces);
        let text = self.text(context, &self.shape(context, projection), projection, pieces)?;
        Ok(Reply { status, location, version, body: Some(Content::Resource(Box::new(text))) })
    }

    /// What is written of resources.
    pub(super) fn shape(&self, context: &Context<'_>, projection: &Projection) -> Arc<Shape> {
        let renders = self.policy.renders();
        Arc::new(Shape {
            schema: self.shared(context.schema),
            projection: (!renders).then(|| projection.clone()),
            etag: self.config.capabilities.etag,
            refs: self.refs(context.schema).filter(|_| !renders).cloned(),
        })
    }

    /// How the URIs in resources of the type are written, where they are.
    pub(super) fn refs(&self, schema: &ResourceSchema) -> Option<&Arc<Refs>> {
        self.refs.iter().find(|(name, _)| **name == *schema.name()).map(|(_, refs)| refs)
    }

    /// The resource as it goes out, still to be written.
    pub(super) fn text(
        &self,
        context: &Context<'_>,
        shape: &Arc<Shape>,
        projection: &Projection,
        pieces: Pieces,
    ) -> Result<ResourceText, StoreError> {
        if !self.policy.renders() {
            let location = self.location_of(context, &pieces);
            return Ok(ResourceText::new(Arc::clone(shape), location, pieces));
        }
        let resource = self.rendered(context, pieces.resource.into_resource()?, projection);
        Ok(ResourceText::new(Arc::clone(shape), None, Pieces { resource: resource.into(), ..pieces }))
    }

    /// The schema of a resource type, shared.
    pub(super) fn shared(&self, schema: &ResourceSchema) -> Arc<ResourceSchema> {
        let known = self.config.registry.by_name(schema.name());
        known.map_or_else(|| Arc::new(schema.clone()), Arc::clone)
    }

    /// The resource with its location, projected, and reshaped by the policy.
    fn rendered(&self, context: &Context<'_>, mut resource: Resource, projection: &Projection) -> Resource {
        let location = resource.id().map(|id| self.location(context, &id));
        if let Some(meta) = resource.0.get_mut("meta").and_then(Value::as_object_mut) {
            if let Some(location) = location {
                meta.insert("location", location);
            }
            if !self.config.capabilities.etag {
                meta.remove("version");
            }
        }
        if let Some(refs) = self.refs(context.schema) {
            refs.complete(&mut resource);
        }
        projection.apply(context.schema, &mut resource);
        self.policy.render(context, &mut resource);
        resource
    }

    fn location_of(&self, context: &Context<'_>, pieces: &Pieces) -> Option<String> {
        let endpoint = &context.schema.resource_type().endpoint;
        pieces.resource.id_text().map(|id| self.base_url.locate(endpoint, &id))
    }

    pub(super) fn location(&self, context: &Context<'_>, id: &ResourceId) -> String {
        self.base_url.locate(&context.schema.resource_type().endpoint, id.as_str())
    }
}

impl Call<'_> {
    /// What the request says the version of the resource must be.
    pub(super) fn preconditions(&self) -> Preconditions {
        match self.in_bulk {
            true => Preconditions::of_operation(&self.head.headers),
            false => Preconditions::of(&self.head.headers),
        }
    }

    /// What `attributes` and `excludedAttributes` leave of a resource. An operation of a bulk request
    /// is answered without it, so that nothing needs to be read for the answer alone.
    pub(super) fn projection(&self) -> Result<Projection, Error> {
        if self.in_bulk {
            return Projection::parse(self.schema(), None, Some(&format!("{KEYED},{GROUPS}")));
        }
        self.parameters.projection(self.schema())
    }
}

/// The version a stored resource has; the contract of [`Store`] is that each has one.
pub(super) fn version_of(resource: &Resource) -> Result<Version, StoreError> {
    version(resource.version())
}

fn version(found: Option<Version>) -> Result<Version, StoreError> {
    found.ok_or_else(|| StoreError::Internal("a stored resource has no `meta.version`".into()))
}
