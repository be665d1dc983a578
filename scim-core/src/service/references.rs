//! Members of a group must be resources of the tenant.
//!
//! The ids in `members` come from the client, and a service that stores whatever it is told lets a
//! credential of one tenant name the users of another (GHSA-9m7q-6qg6-888h is such a case). Only
//! what a request adds is looked up: a member that has gone since does not block every later write. The store
//! looks, in the transaction of the change, so that nobody is added who is deleted at the same moment
//! ([`References`]).
//!
//! Whether it may be a group is the service provider's decision ([`Nesting`]).

use std::collections::HashSet;
use std::sync::Arc;

use super::respond::Failure;
use super::write::KEYED;
use super::{Call, Service};
use crate::auth::Authenticator;
use crate::error::quote;
use crate::membership::{Nesting, member_id as id, member_ids as ids, member_value};
use crate::patch::Change;
use crate::policy::Policy;
use crate::schema::ResourceSchema;
use crate::store::{References, Scope, Store, Terms};
use crate::{Error, Resource, ResourceId, ScimType};

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    /// The members of `resource` that `current` does not have, checked for what groups may be members.
    pub(super) async fn added(
        &self,
        call: &Call<'_>,
        current: Option<&Resource>,
        resource: &Resource,
    ) -> Result<Added, Failure> {
        let known: HashSet<&str> = current.into_iter().flat_map(|current| ids(current.get(KEYED))).collect();
        let added: Vec<ResourceId> =
            ids(resource.get(KEYED)).filter(|id| !known.contains(id)).map(ResourceId::new).collect();
        self.check_nesting(call, resource.id(), &added).await?;
        Ok(self.references(call, added))
    }

    /// The members that `change` adds, checked for what groups may be members.
    pub(super) async fn added_by(
        &self,
        call: &Call<'_>,
        current: &Resource,
        change: &Change,
    ) -> Result<Added, Failure> {
        let known: HashSet<&str> = ids(current.get(KEYED)).collect();
        let writes = change
            .writes
            .iter()
            .filter(|write| write.extension.is_none() && write.attribute.eq_ignore_ascii_case(KEYED))
            .flat_map(|write| ids(write.value.as_ref()));
        let deltas = change
            .deltas
            .iter()
            .filter(|delta| delta.attribute.eq_ignore_ascii_case(KEYED))
            .flat_map(|delta| delta.added.iter().filter_map(id));
        let added: Vec<ResourceId> =
            writes.chain(deltas).filter(|id| !known.contains(id)).map(ResourceId::new).collect();
        self.check_nesting(call, current.id(), &added).await?;
        Ok(self.references(call, added))
    }

    /// Checks which of the `added` members of `group` are groups, as far as they must not be.
    async fn check_nesting(
        &self,
        call: &Call<'_>,
        group: Option<ResourceId>,
        added: &[ResourceId],
    ) -> Result<(), Failure> {
        let refuse = |id: &ResourceId, why: &str| {
            let detail = format!("`{KEYED}` names {}, {why}", quote(id.as_str()));
            Err(Error::bad_request(ScimType::InvalidValue, detail).into())
        };
        let Some(group) = group.filter(|_| !added.is_empty()) else { return Ok(()) };
        match self.config.nesting {
            Nesting::Any => {}
            Nesting::NotItself | Nesting::NoCircle if added.contains(&group) => {
                return refuse(&group, "which is the group itself");
            }
            Nesting::NotItself => {}
            Nesting::NoCircle => {
                let ancestry = self.ancestry(call.scope(), [group.clone()], None).await?;
                let above: HashSet<&ResourceId> = ancestry.ids(&group).collect();
                if let Some(id) = added.iter().find(|id| above.contains(id)) {
                    return refuse(id, "which has the group as a member, directly or through other groups");
                }
            }
            Nesting::Flat => {
                for schema in self.config.registry.resource_types().filter(|schema| is_group(schema)) {
                    let scope = Scope { tenant: call.scope().tenant, schema };
                    let others = self.store.missing(scope, added.to_vec()).await?;
                    let others: HashSet<&ResourceId> = others.iter().collect();
                    if let Some(id) = added.iter().find(|id| !others.contains(id)) {
                        return refuse(id, "which is a group, and groups have no groups as members here");
                    }
                }
            }
        }
        Ok(())
    }

    /// What of these the store is to check when it makes the change.
    fn references(&self, call: &Call<'_>, ids: Vec<ResourceId>) -> Added {
        match self.config.check_members && !ids.is_empty() {
            true => Added { ids, types: self.member_types(call.schema()).cloned().collect() },
            false => Added::default(),
        }
    }

    /// The resource types a member may be of, by `referenceTypes` of `members.$ref`; all of them
    /// where the schema does not say.
    fn member_types(&self, schema: &ResourceSchema) -> impl Iterator<Item = &Arc<ResourceSchema>> {
        let named: Vec<String> = schema
            .find(None, KEYED)
            .and_then(|members| members.sub_attribute("$ref"))
            .map(|reference| reference.reference_types.clone())
            .unwrap_or_default();
        self.config
            .registry
            .resource_types()
            .filter(move |schema| named.is_empty() || named.iter().any(|name| name == schema.name()))
    }
}

/// The members that a request adds, and the types they may be of; none where members are not checked.
#[derive(Default)]
pub(super) struct Added {
    ids: Vec<ResourceId>,
    types: Vec<Arc<ResourceSchema>>,
}

impl Added {
    pub(super) fn terms(&self) -> Terms<'_> {
        Terms { references: References { ids: &self.ids, types: &self.types }, ..Terms::default() }
    }
}

fn is_group(schema: &ResourceSchema) -> bool {
    member_value(schema).is_some()
}
