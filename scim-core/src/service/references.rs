//! Members of a group must be resources of the tenant.
//!
//! The ids in `members` come from the client, and a service that stores whatever it is told lets a
//! credential of one tenant name the users of another (GHSA-9m7q-6qg6-888h is such a case). Only
//! what a request adds is looked up: a member that has gone since does not block every later write. The store
//! looks, in the transaction of the change, so that nobody is added who is deleted at the same moment
//! ([`References`]). Of which type they are is asked before (`member_types.rs`).
//!
//! Whether it may be a group is the service provider's decision ([`Nesting`]); a circle too is looked for by the store,
//! in the transaction of the change ([`NoCircle`]).

use std::collections::HashSet;
use std::sync::Arc;

use super::member_types::{NewMembers, show};
use super::respond::Failure;
use super::write::KEYED;
use super::{Call, Service};
use crate::auth::Authenticator;
use crate::error::quote;
use crate::membership::{Nesting, member_types, member_value};
use crate::patch::Change;
use crate::policy::Policy;
use crate::schema::ResourceSchema;
use crate::store::{NoCircle, References, Scope, Store, StoreError, Terms};
use crate::value::Value;
use crate::{Error, Resource, ResourceId, ScimType};

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    /// The members of `resource` that `current` does not have, checked for what groups may be members; they get their
    /// type.
    pub(super) async fn added(
        &self,
        call: &Call<'_>,
        current: Option<&Resource>,
        resource: &mut Resource,
    ) -> Result<Added, Failure> {
        let id = resource.id();
        let members = resource.0.get_mut(KEYED).and_then(Value::as_array_mut);
        let new = NewMembers::of(call.schema(), current, members.into_iter().flatten());
        self.settle(call, Group { id, is_new: current.is_none() }, new).await
    }

    /// The members that `change` adds to `current`, checked for what groups may be members; they get their type, also
    /// in `resource`, which is what comes of it.
    pub(super) async fn added_by(
        &self,
        call: &Call<'_>,
        current: &Resource,
        change: &mut Change,
        resource: &mut Resource,
    ) -> Result<Added, Failure> {
        let new = NewMembers::of_change(call.schema(), current, change);
        let group = Group { id: current.id(), is_new: false };
        let added = self.settle(call, group, new).await?;
        if added.retyped {
            show(change, resource);
        }
        Ok(added)
    }

    /// Those that are added, checked; all of them get their type.
    async fn settle(&self, call: &Call<'_>, group: Group, new: NewMembers<'_>) -> Result<Added, Failure> {
        let added = new.added();
        let nested = self.check_nesting(call, group, &added).await?;
        let types: Vec<Arc<ResourceSchema>> =
            member_types(&self.config.registry, call.schema()).cloned().collect();
        let retyped = match self.config.check_members {
            true => new.settle_types(&self.store, call.scope(), &types).await?,
            false => new.normalise_types(&types),
        };
        match self.config.check_members && !added.is_empty() {
            true => Ok(Added { ids: added, types, nested, retyped }),
            false => Ok(Added { nested, retyped, ..Added::default() }),
        }
    }

    /// Checks which of the `added` members of `group` are groups, as far as they must not be; those that must not be
    /// above it.
    async fn check_nesting(
        &self,
        call: &Call<'_>,
        Group { id: group, is_new }: Group,
        added: &[ResourceId],
    ) -> Result<Nested, Failure> {
        let refuse = |id: &ResourceId, why: &str| {
            let detail = format!("`{KEYED}` names {}, {why}", quote(id.as_str()));
            Err(Error::bad_request(ScimType::InvalidValue, detail).into())
        };
        let nested = Nested::default();
        let Some(group) = group.filter(|_| !added.is_empty()) else { return Ok(nested) };
        match self.config.nesting {
            Nesting::Any => {}
            Nesting::NotItself | Nesting::NoCircle if added.contains(&group) => {
                return refuse(&group, "which is the group itself");
            }
            Nesting::NotItself => {}
            // Nobody names a group that is not there yet.
            Nesting::NoCircle if is_new && self.config.check_members => {}
            Nesting::NoCircle => {
                let ids = self.not_known_as_others(call.scope(), added).await?;
                let nested = Nested { ids, types: self.group_types() };
                if !self.store.checks_circles() {
                    nested.term().look_up(&self.store, call.scope().tenant, &group).await?;
                }
                return Ok(nested);
            }
            Nesting::Flat => {
                for schema in &self.group_types() {
                    let scope = Scope { tenant: call.scope().tenant, schema };
                    let others = self.store.missing(scope, added.to_vec()).await?;
                    let others: HashSet<&ResourceId> = others.iter().collect();
                    if let Some(id) = added.iter().find(|id| !others.contains(id)) {
                        return refuse(id, "which is a group, and groups have no groups as members here");
                    }
                }
            }
        }
        Ok(nested)
    }

    /// Of `added` those who are, or may come to be, groups: all but the resources of other types.
    async fn not_known_as_others(
        &self,
        scope: Scope<'_>,
        added: &[ResourceId],
    ) -> Result<Vec<ResourceId>, StoreError> {
        let mut left = added.to_vec();
        for schema in self.config.registry.resource_types().filter(|schema| !is_group(schema)) {
            if left.is_empty() {
                break;
            }
            left = self.store.missing(Scope { schema, ..scope }, left).await?;
        }
        Ok(left)
    }

    /// The types of groups.
    fn group_types(&self) -> Vec<Arc<ResourceSchema>> {
        self.config.registry.resource_types().filter(|schema| is_group(schema)).cloned().collect()
    }
}

/// The members that a request adds, and the types they may be of; none where members are not checked.
#[derive(Default)]
pub(super) struct Added {
    ids: Vec<ResourceId>,
    types: Vec<Arc<ResourceSchema>>,
    nested: Nested,
    /// Whether a member is of another type than the request has it.
    pub(super) retyped: bool,
}

impl Added {
    pub(super) fn terms(&self) -> Terms<'_> {
        let references = References { ids: &self.ids, types: &self.types };
        Terms { references, no_circle: self.nested.term(), ..Terms::default() }
    }
}

/// Whose members are added.
struct Group {
    id: Option<ResourceId>,
    is_new: bool,
}

/// Those that are added who may be groups, and must not be above the group; none where that is no matter.
#[derive(Default)]
struct Nested {
    ids: Vec<ResourceId>,
    types: Vec<Arc<ResourceSchema>>,
}

impl Nested {
    fn term(&self) -> NoCircle<'_> {
        NoCircle { members: &self.ids, types: &self.types }
    }
}

fn is_group(schema: &ResourceSchema) -> bool {
    member_value(schema).is_some()
}
