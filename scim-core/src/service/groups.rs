//! The `groups` of users (RFC 7643 §4.1.2), computed for the responses that carry them.

use std::sync::Arc;

use super::{Service, spans};
use crate::ResourceId;
use crate::auth::Authenticator;
use crate::membership::{Ancestry, GROUPS, Hierarchy, Membership};
use crate::pieces::Pieces;
use crate::policy::{Context, Policy};
use crate::projection::Projection;
use crate::schema::ResourceSchema;
use crate::store::{Scope, Store, StoreError};

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    /// Gives resources of one type their `groups`, if the response carries them.
    pub(super) async fn complete(
        &self,
        context: &Context<'_>,
        resources: &mut [Pieces],
        projection: &Projection,
    ) -> Result<(), StoreError> {
        let schema = context.schema;
        let computed = self.computes_groups(schema) && projection.includes(schema, None, GROUPS);
        if !computed || resources.is_empty() {
            return Ok(());
        }
        let is_known = self.hierarchy.group_types(schema).len() == 1
            && resources.iter().all(|pieces| pieces.memberships.is_some());
        let known = is_known.then(|| {
            resources.iter_mut().filter_map(|pieces| pieces.memberships.take()).flatten().collect::<Vec<_>>()
        });
        let in_none = known.as_ref().is_some_and(Vec::is_empty);
        if in_none && resources.iter().all(|pieces| !pieces.resource.has(GROUPS)) {
            return Ok(());
        }
        let ids: Vec<ResourceId> = resources.iter().filter_map(|pieces| pieces.resource.id()).collect();
        let ancestry = self.ancestry(context.scope(), ids, known).await?;
        if ancestry.ended_at_limit() {
            spans::groups_end(self.hierarchy.levels());
        }
        for pieces in resources {
            // What the store shares is copied only for what is to be added.
            let groups = pieces.resource.id().map(|id| ancestry.groups(schema, &id)).unwrap_or_default();
            if !groups.is_empty() || pieces.resource.has(GROUPS) {
                pieces.resource.set_groups(groups);
            }
        }
        Ok(())
    }

    /// Whether `groups` of resources of the type are computed.
    pub(super) fn computes_groups(&self, schema: &ResourceSchema) -> bool {
        self.config.compute_groups && self.hierarchy.computes(schema)
    }

    /// The type of groups that resources of the type may be in, if there is one and their `groups` are
    /// answered.
    pub(super) fn only_group_type(
        &self,
        schema: &ResourceSchema,
        projection: &Projection,
    ) -> Option<&Arc<ResourceSchema>> {
        let shown = self.computes_groups(schema) && projection.includes(schema, None, GROUPS);
        match self.hierarchy.group_types(schema) {
            [groups] if shown => Some(groups),
            _ => None,
        }
    }

    /// The groups above these resources of the scope; where the first question is answered already, of
    /// which groups they are members, `known` says it.
    pub(super) async fn ancestry(
        &self,
        scope: Scope<'_>,
        ids: impl IntoIterator<Item = ResourceId>,
        mut known: Option<Vec<Membership>>,
    ) -> Result<Ancestry, StoreError> {
        let mut ancestry = Ancestry::new(Arc::clone(&self.hierarchy));
        ancestry.begin(scope.schema, ids);
        while let Some(ask) = ancestry.ask() {
            let groups = Scope { schema: &ask.groups, ..scope };
            let found = match known.take() {
                Some(found) => found,
                None => self.store.memberships(groups, &ask.members).await?,
            };
            ancestry.learn(&ask, found);
        }
        Ok(ancestry)
    }
}

/// How the groups of resources are found, for all requests.
pub(super) fn hierarchy(config: &super::Config) -> Arc<Hierarchy> {
    Arc::new(Hierarchy::new(&config.registry, config.limits.max_group_levels, &config.base_url))
}
