//! A store whose every change is made with an audit record.

use crate::CredentialId;
use crate::audit::Record;
use crate::service::Operation;
use crate::store::{Modification, Modified, Scope, Store, StoreError, StoreLayer, Terms};

/// A store whose every change goes through [`Store::modify`] of the one within, with a record: the contract
/// run on it is the contract of a store that [keeps the audit trail](Store::keeps_audit).
///
/// ```
/// use scim_core::MemoryStore;
/// use scim_core::testkit::{self, Recorded};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// testkit::run(|| async { Recorded(MemoryStore::new()) }).await;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Recorded<S>(pub S);

impl<S: Store> StoreLayer for Recorded<S> {
    type Behind = S;

    fn behind(&self) -> &S {
        &self.0
    }

    async fn change(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let (operation, told) = match &modification {
            Modification::Create { resource, .. } => {
                (Operation::Create, Some(Modified::Changed(resource.version())))
            }
            Modification::Replace { resource, .. } => {
                (Operation::Replace, Some(Modified::Changed(resource.version())))
            }
            Modification::Apply { .. } => (Operation::Patch, None),
            Modification::Delete { .. } => (Operation::Delete, Some(Modified::Changed(None))),
        };
        let credential = CredentialId::new("testkit");
        let record = Record::new(jiff::Timestamp::UNIX_EPOCH, scope.tenant.clone(), credential, operation);
        let made = self.0.modify(scope, modification, Terms { record: Some(&record), ..terms }).await?;
        if told.is_some_and(|told| told != made) {
            return Err(StoreError::Internal("a change is said to be another than it was".into()));
        }
        Ok(made)
    }
}
