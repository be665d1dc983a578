//! What a modification is made with.

use std::sync::Arc;

use super::{Modification, NoCircle, ResourceHold, Scope, Store, StoreError, Update, Waiting};
use crate::audit::Record;
use crate::membership::MEMBERS;
use crate::patch::{Change, Delta};
use crate::schema::ResourceSchema;
use crate::value::Value;
use crate::{ResourceId, TenantId};

/// What a [modification](Store::modify) is made with. A store in front of another one passes it on, also
/// with a modification that it makes in place of the one asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms<'a> {
    /// Its audit record, where the store [keeps the audit trail](Store::keeps_audit): it is kept
    /// together with the change, in the same transaction, so that there is both or neither, and with what
    /// only the store knows: the version and the members of [what is changed](Record::updated), the groups
    /// and the members of [what is deleted](Record::leaving). Where nothing becomes different, it is not kept.
    pub record: Option<&'a Record>,
    /// What must be there when it is made.
    pub references: References<'a>,
    /// Which members that it adds must not be above the group, where the store [looks](Store::checks_circles).
    pub no_circle: NoCircle<'a>,
    /// What [`Store::hold`] gave for it.
    pub hold: Option<&'a ResourceHold>,
    /// Where whoever asks for it holds something for it that others may wait for: a store that would wait for another's
    /// [hold](Store::hold) then [puts it off](Waiting::put_off).
    pub waiting: Option<&'a Waiting>,
}

/// The resources that a change newly refers to, as a group to its members (RFC 7643 §4.2): each must be there
/// when the change is made, so that nobody is named who is deleted at the same moment.
///
/// A store that has transactions looks for them in that of the change, and keeps them from being deleted until
/// it ends (`SELECT … FOR KEY SHARE`, in the order of their ids). A deletion then comes before the change, which
/// is refused, or after it, and takes the resource [out of its groups](super::Deletion::groups).
#[derive(Clone, Copy, Debug, Default)]
pub struct References<'a> {
    /// Their ids, of the tenant of the change, in the order of the request.
    pub ids: &'a [ResourceId],
    /// The types that each may be of.
    pub types: &'a [Arc<ResourceSchema>],
}

impl References<'_> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Checks them by `is_there`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Dangling`] with the first that is not there.
    pub fn check(&self, mut is_there: impl FnMut(&ResourceId) -> bool) -> Result<(), StoreError> {
        match self.ids.iter().find(|id| !is_there(id)) {
            Some(id) => Err(StoreError::Dangling(id.clone())),
            None => Ok(()),
        }
    }

    /// Looks for them in `store` as it is now, which is too early for a store in which others write until the
    /// change is made: then they are to be looked for [again](Self::settle).
    ///
    /// # Errors
    ///
    /// [`StoreError::Dangling`] with the first that is not there, and the errors of [`Store::missing`].
    pub async fn look_up<S: Store + ?Sized>(&self, store: &S, tenant: &TenantId) -> Result<(), StoreError> {
        match self.missing(store, tenant).await?.into_iter().next() {
            Some(id) => Err(StoreError::Dangling(id)),
            None => Ok(()),
        }
    }

    /// Takes those who were deleted meanwhile out of the group that was written, as the deletion would have
    /// that had found them there.
    ///
    /// # Errors
    ///
    /// Those of [`Store::missing`] and [`Store::apply`].
    pub async fn settle<S: Store + ?Sized>(
        &self,
        store: &S,
        scope: Scope<'_>,
        modification: &Modification<'_>,
    ) -> Result<(), StoreError> {
        let gone = self.missing(store, scope.tenant).await?;
        let members = scope.schema.find(None, MEMBERS).filter(|_| !gone.is_empty());
        let (Some((id, last_modified)), Some(members)) = (written(modification), members) else {
            return Ok(());
        };
        let removed = gone.iter().map(|id| id.as_str().into()).collect();
        let change = Change { deltas: vec![Delta { removed, ..Delta::of(members) }], ..Change::default() };
        let update = Update { change: &change, unique: None, last_modified: &last_modified, members: None };
        for _ in 0..ATTEMPTS {
            match store.apply(scope, &id, &update, None).await {
                Err(StoreError::VersionMismatch) => {}
                Ok(_) | Err(StoreError::NotFound) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::VersionMismatch)
    }

    /// Those that are not there, in their order.
    async fn missing<S: Store + ?Sized>(
        &self,
        store: &S,
        tenant: &TenantId,
    ) -> Result<Vec<ResourceId>, StoreError> {
        let mut ids = self.ids.to_vec();
        for schema in self.types {
            if ids.is_empty() {
                break;
            }
            ids = store.missing(Scope { tenant, schema }, ids).await?;
        }
        Ok(ids)
    }
}

/// What was written, and when.
fn written(modification: &Modification<'_>) -> Option<(ResourceId, String)> {
    match modification {
        Modification::Create { resource, .. } | Modification::Replace { resource, .. } => {
            let time = resource.get("meta").and_then(|meta| meta.get("lastModified")).and_then(Value::as_str);
            Some((resource.id()?, time.unwrap_or_default().to_owned()))
        }
        Modification::Apply { id, update, .. } => Some(((*id).clone(), update.last_modified.to_owned())),
        Modification::Delete { .. } => None,
    }
}

/// How often those who are gone are taken out, beside others who write.
const ATTEMPTS: usize = 1000;
