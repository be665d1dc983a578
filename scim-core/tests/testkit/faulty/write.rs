//! Faults of what is changed.

use std::sync::atomic::Ordering;

use scim_core::patch::Delta;
use scim_core::store::{Applied, Scope, Store as _, StoreError, Update};
use scim_core::testkit::wait_once;
use scim_core::{Resource, ResourceId, Value, Version};

use super::Faulty;

impl Faulty {
    pub(super) async fn apply_now(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        mut expected: Option<Version>,
    ) -> Result<Applied, StoreError> {
        let (mut update, mut change) = (update.clone(), update.change.clone());
        let old = self.now(scope, id).await;
        match self.breaks {
            "a_change_on_another_version_is_refused" => {
                let version = old.as_ref().and_then(Resource::version);
                if version.is_some() && expected > version {
                    expected = version;
                }
            }
            "a_change_is_applied" => {
                change.writes.retain(|write| write.extension.is_none() || write.value.is_some());
            }
            "a_change_is_stamped" => update.last_modified = "2001-01-01T00:00:00Z",
            "a_change_of_nothing_keeps_the_version" if change.deltas.is_empty() => {
                let version = old.as_ref().and_then(Resource::version);
                let mut after = old.clone().unwrap_or_default();
                if expected.is_some() && version == expected && !change.apply(&mut after) {
                    let (version, unique) = (version.unwrap(), update.unique.unwrap());
                    let next = update.stamp(&mut after, version);
                    self.inner.replace(scope, &after, unique, version).await?;
                    return Ok(Applied::Changed(next));
                }
            }
            "a_delta_does_what_replacing_does" => {
                for delta in change.deltas.iter_mut().filter(|delta| delta.kept.is_empty()) {
                    delta.replace = false;
                }
            }
            "a_member_that_is_replaced_keeps_what_is_immutable" => {
                change.deltas.iter_mut().for_each(|delta| delta.kept.clear());
            }
            "a_refused_write_leaves_everything" => {
                let result = self.inner.apply(scope, id, &update, expected).await;
                if matches!(result, Err(StoreError::Conflict { .. })) {
                    change.writes.retain(|write| &*write.attribute != "userName");
                    let mut half = old.unwrap();
                    change.apply(&mut half);
                    let unique = scim_core::validate::unique_keys(scope.schema, &half);
                    self.inner.replace(scope, &half, &unique, expected.unwrap()).await?;
                }
                return result;
            }
            "a_list_is_in_the_order_of_creation" => {
                self.seen.lock().unwrap().moved.push(id.to_string());
            }
            "a_filter_finds_what_was_last_written" => {
                let applied = self.inner.apply(scope, id, &update, expected).await?;
                self.remember(scope, &old.unwrap());
                return Ok(applied);
            }
            "a_large_group_is_changed_by_members" => {
                let many = |delta: &Delta| delta.added.len() + delta.removed.len() > 9_000;
                if change.deltas.iter().any(many) {
                    return Err(StoreError::Internal("too many parameters".into()));
                }
            }
            "no_change_is_lost" => {
                let others = self.calls.fetch_add(1, Ordering::Relaxed);
                wait_once().await;
                self.calls.fetch_sub(1, Ordering::Relaxed);
                if others > 0 && expected > Some(Version(20)) {
                    let mut half = self.now(scope, id).await.unwrap();
                    let version = half.version().unwrap();
                    if Some(version) != expected {
                        return Err(StoreError::VersionMismatch);
                    }
                    let next = update.stamp(&mut half, version);
                    self.inner.replace(scope, &half, update.unique.unwrap(), version).await?;
                    return Ok(Applied::Changed(next));
                }
            }
            // As one does that writes back what it read before it waited.
            "no_change_on_any_version_is_lost" if expected.is_none() && old.is_some() => {
                let mut after = old.unwrap();
                let changed = change.apply(&mut after);
                wait_once().await;
                let now = self.now(scope, id).await.unwrap().version().unwrap();
                if !changed {
                    return Ok(Applied::Unchanged(now));
                }
                let next = update.stamp(&mut after, now);
                let unique = scim_core::validate::unique_keys(scope.schema, &after);
                self.inner.replace(scope, &after, &unique, now).await?;
                return Ok(Applied::Changed(next));
            }
            // As one does that knows who went only where the change names them.
            "who_goes_and_comes_is_noted" if change.deltas.iter().any(|delta| delta.replace) => {
                if let Some(noted) = update.members.take() {
                    noted.added(change.deltas.iter().flat_map(|delta| &delta.added).filter_map(value_of));
                }
            }
            "a_change_on_any_version_is_made" if update.unique.is_none() => update.unique = Some(&[]),
            _ => {}
        }
        update.change = &change;
        let applied = self.inner.apply(scope, id, &update, expected).await;
        if let Some(now) = self.now(scope, id).await {
            self.remember(scope, &now);
        }
        applied
    }
}

fn value_of(member: &Value) -> Option<&str> {
    member.as_object()?.get("value")?.as_str()
}
