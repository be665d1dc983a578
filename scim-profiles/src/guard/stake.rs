//! Who may have less by a change of a group that gives roles.
//!
//! Whether someone has less by leaving a group depends on the other groups they are in. Two requests that
//! each look at the group of the other would both find nothing lost: so a request [takes
//! turns](super::turns) with those that concern the same people, from before its look until after its
//! write.

use scim_core::projection::Projection;
use scim_core::store::{Modification, Store, StoreError};
use scim_core::{ResourceId, Value};

use super::Guards;
use super::loss::{GroupChange, Look, MEMBERS, Members, Name, part};
use super::roles::lost;
use crate::incident_io::{Access, RoleMapping};

impl<'a, S: Store> Look<'a, S> {
    /// Who may have less of roles by `modification` of a group, and the modification bound to the version
    /// for which that is so. One that names all whom it takes out is so for any version.
    pub(super) async fn at_stake(
        &self,
        modification: Modification<'a>,
    ) -> Result<(Vec<ResourceId>, Modification<'a>), StoreError> {
        let Guards { protected, roles, role_downgrades, .. } = self.guards;
        let mapping = roles.mapping().filter(|_| role_downgrades.is_some() || !protected.is_empty());
        let (Some(mapping), true) = (mapping, self.scope.schema.find(None, MEMBERS).is_some()) else {
            return Ok((Vec::new(), modification));
        };
        let Some(change) = GroupChange::of(&modification) else { return Ok((Vec::new(), modification)) };
        match (&change.members, &change.name) {
            (Members::Stay, Name::Stays) => return Ok((Vec::new(), modification)),
            // INVARIANT: whoever is named, in the group or not, which may give roles or not. Until this is
            // written others may come into the group, and it may be renamed: so nobody else may count on
            // this group for those who leave it.
            (Members::Leave(some, _), Name::Stays) => return Ok((some.clone(), modification)),
            _ => {}
        }
        let head = Projection::without(MEMBERS);
        let Some(before) = self.store.read(self.scope, &change.id, &head).await? else {
            return Ok((Vec::new(), modification));
        };
        let version = before.version();
        if change.expected.is_some() && change.expected != version {
            return Err(StoreError::VersionMismatch);
        }
        let gave = before.get("displayName").and_then(Value::as_str).and_then(|name| mapping.group(name));
        let people = match gave {
            Some(gave) => self.losers_among_members(mapping, gave, &change).await?,
            None => Vec::new(),
        };
        let bound = match modification {
            Modification::Apply { id, update, .. } => Modification::Apply { id, update, expected: version },
            modification => modification,
        };
        Ok((people, bound))
    }

    /// Those who may have less when a group that `gave` something changes.
    async fn losers_among_members(
        &self,
        mapping: &RoleMapping,
        gave: &Access,
        change: &GroupChange<'_>,
    ) -> Result<Vec<ResourceId>, StoreError> {
        let nothing = Access::default();
        let gives = change.name.gives(mapping, gave, &nothing);
        match &change.members {
            _ if !lost(gave, gives).is_empty() => self.members(&change.id).await,
            _ if lost(gave, &nothing).is_empty() => Ok(Vec::new()),
            Members::Stay => Ok(Vec::new()),
            Members::Leave(some, _) => Ok(some.clone()),
            Members::Become(new) => Ok(part(self.members(&change.id).await?, new, false).0),
        }
    }
}

impl Name<'_> {
    /// What a group gives by this name that `gave` something by the one it has.
    pub(super) fn gives<'m>(
        &self,
        mapping: &'m RoleMapping,
        gave: &'m Access,
        nothing: &'m Access,
    ) -> &'m Access {
        match self {
            Self::Stays => gave,
            Self::Is(name) => name.and_then(|name| mapping.group(name)).unwrap_or(nothing),
            Self::Gone => nothing,
        }
    }
}
