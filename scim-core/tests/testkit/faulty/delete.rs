//! Faults of what is deleted.

use scim_core::ResourceId;
use scim_core::store::{Deletion, Scope, Store as _, StoreError};
use scim_core::testkit::wait_once;

use super::{Faulty, name_of};

impl Faulty {
    pub(super) async fn delete_now(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        let old = self.now(scope, id).await;
        let mut expected = deletion.expected;
        let is_user = scope.schema.name() == "User";
        match (self.breaks, &old) {
            ("what_is_not_there_is_not_found", None) if is_user && expected.is_some() => {
                return Err(StoreError::VersionMismatch);
            }
            ("a_delete_on_another_version_is_refused", Some(old)) if expected > old.version() => {
                expected = old.version();
            }
            ("another_tenant_changes_nothing", None) if expected.is_some() => {
                let seen = self.seen.lock().unwrap().resources.keys().cloned().collect::<Vec<_>>();
                if seen.iter().any(|(_, kind, other)| kind == scope.schema.name() && other == id.as_str()) {
                    return Ok(());
                }
            }
            ("a_deleted_resource_frees_its_unique_values", Some(old)) => {
                self.seen.lock().unwrap().names.insert(name_of(old));
            }
            _ => {}
        }
        let deletion = Deletion { expected, ..*deletion };
        let groups = Scope { schema: deletion.groups.first().unwrap(), ..scope };
        let before = self.with_member(groups, id).await;
        let deleted = match self.breaks {
            "deletions_and_changes_of_a_group_all_take_effect" => {
                let alone = Deletion { groups: &[], ..deletion };
                self.inner.delete(scope, id, &alone).await
            }
            _ => self.inner.delete(scope, id, &deletion).await,
        };
        match self.breaks {
            "the_deleted_leave_their_groups" if deleted.is_ok() => {
                // As one does that asks for a page of them.
                for group in before.iter().skip(3).filter(|group| group.id().as_ref() != Some(id)) {
                    self.overwrite(groups, group).await;
                }
            }
            "a_group_that_is_left_has_a_new_version" if deleted.is_ok() => {
                for old in before.iter().filter(|old| old.get("externalId").is_some()) {
                    let mut left = self.now(groups, &old.id().unwrap()).await.unwrap();
                    left.0.insert("meta", old.get("meta").unwrap().clone());
                    self.overwrite(groups, &left).await;
                }
            }
            "a_refused_deletion_leaves_the_memberships" => {
                if let Err(StoreError::VersionMismatch) = deleted {
                    for mut group in before {
                        scim_core::membership::leave(groups.schema, [&mut group], id, &deletion);
                        self.overwrite(groups, &group).await;
                    }
                }
            }
            "deletions_and_changes_of_a_group_all_take_effect" if deleted.is_ok() => {
                // As one does that reads a group, waits, and writes it.
                wait_once().await;
                for mut group in before {
                    scim_core::membership::leave(groups.schema, [&mut group], id, &deletion);
                    self.overwrite(groups, &group).await;
                }
            }
            _ => {}
        }
        deleted
    }
}
