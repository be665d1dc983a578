//! A store in memory that keeps every law but one.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use scim_core::membership::{Hierarchy, Membership};
use scim_core::patch::Delta;
use scim_core::pieces::Pieces;
use scim_core::projection::Projection;
use scim_core::query::{Place, Query, QuerySupport, Start};
use scim_core::schema::Registry;
use scim_core::store::{
    self, Applied, Deletion, Modification, Modified, Page, References, Scope, Store, StoreError, Terms,
    Update,
};
use scim_core::validate::UniqueKey;
use scim_core::{MemoryStore, Resource, ResourceId, TenantId, Value, Version};
use scim_filter::{BoundExpr, BoundFilter, BoundTerm, Scalar};

use crate::mortal::Yield;

/// Breaks the law it is named for: in the narrowest way there is, so that no other law is broken.
pub(crate) struct Faulty {
    inner: MemoryStore,
    breaks: &'static str,
    /// What the fault needs to remember.
    seen: Mutex<Seen>,
    calls: AtomicUsize,
}

#[derive(Default)]
struct Seen {
    /// Every resource there ever was, by tenant, type and `id`, as it was first or before its last
    /// change.
    resources: BTreeMap<(TenantId, String, String), Resource>,
    names: HashSet<String>,
    moved: Vec<String>,
}

impl Faulty {
    pub(crate) fn new(breaks: &'static str) -> Self {
        Self { inner: MemoryStore::new(), breaks, seen: Mutex::default(), calls: AtomicUsize::new(0) }
    }

    async fn now(&self, scope: Scope<'_>, id: &ResourceId) -> Option<Resource> {
        self.inner.read(scope, id, &Projection::default()).await.unwrap()
    }

    fn remember(&self, scope: Scope<'_>, resource: &Resource) {
        let key = (scope.tenant.clone(), scope.schema.name().to_owned(), id_of(resource));
        self.seen.lock().unwrap().resources.insert(key, resource.clone());
    }

    fn remembered(&self, scope: Scope<'_>) -> Vec<Resource> {
        let seen = self.seen.lock().unwrap();
        let all = seen.resources.iter();
        let own = all.filter(|((tenant, kind, _), _)| tenant == scope.tenant && kind == scope.schema.name());
        own.map(|(_, resource)| resource.clone()).collect()
    }

    /// The groups that have the member.
    async fn with_member(&self, groups: Scope<'_>, id: &ResourceId) -> Vec<Resource> {
        let mut all = self.all(groups, None).await;
        let is_member =
            |member: &Value| member.as_object().unwrap().get("value") == Some(&id.as_str().into());
        all.retain(|group| {
            group.get("members").and_then(Value::as_array).is_some_and(|all| all.iter().any(is_member))
        });
        all
    }

    /// Puts the resource in the place of what is there, whatever its version.
    async fn overwrite(&self, scope: Scope<'_>, resource: &Resource) {
        if let Some(now) = self.now(scope, &resource.id().unwrap()).await {
            let unique = scim_core::validate::unique_keys(scope.schema, resource);
            self.inner.replace(scope, resource, &unique, now.version().unwrap()).await.unwrap();
        }
    }

    /// Everything that the filter matches, in order.
    async fn all(&self, scope: Scope<'_>, filter: Option<&BoundFilter>) -> Vec<Resource> {
        let query = Query { filter: filter.cloned(), count: usize::MAX, ..Query::default() };
        self.inner.query(scope, &query).await.unwrap().resources
    }

    async fn create_now(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        let id = resource.id().unwrap();
        let (mut resource, mut unique) = (resource.clone(), unique.to_vec());
        let is_user = scope.schema.name() == "User";
        match self.breaks {
            "what_is_created_is_read" => drop(resource.0.remove("numbers")),
            "an_id_is_had_once" => {
                if let Some(mut old) = self.now(scope, &id).await
                    && name_of(&resource) == "bob"
                {
                    old.0.insert("title", "overwritten");
                    self.inner.replace(scope, &old, &[], old.version().unwrap()).await?;
                }
            }
            "nothing_of_the_deleted_comes_back" => {
                let before = self.remembered(scope).into_iter().find(|old| old.id() == resource.id());
                if let Some(old) = before.as_ref().and_then(|old| old.get("members")) {
                    let mut members = old.as_array().unwrap().to_vec();
                    members.extend(resource.get("members").unwrap().as_array().unwrap().iter().cloned());
                    resource.0.insert("members", members);
                }
            }
            "a_unique_value_is_had_once" => {
                // As databases do that pad what they compare with blanks.
                for key in unique.iter_mut().filter(|key| key.value.len() < 5) {
                    key.value = key.value.trim_end().into();
                }
            }
            "types_of_one_schema_share_its_unique_values" if scope.schema.name() == "Contractor" => {
                unique.clear()
            }
            "a_unique_value_is_compared_folded" => {
                let created = self.inner.create(scope, &resource, &unique).await;
                let name = name_of(&resource);
                let ascii = name.is_ascii();
                return match created {
                    Err(StoreError::Conflict { attribute }) if attribute == "userName" && !ascii => {
                        self.inner.create(scope, &resource, &[]).await
                    }
                    created => created,
                };
            }
            "a_deleted_resource_frees_its_unique_values" | "a_unique_value_given_up_is_free"
                if is_user && self.seen.lock().unwrap().names.contains(&name_of(&resource)) =>
            {
                return Err(taken("userName"));
            }
            "another_tenant_has_its_own_ids_and_names" if is_user => {
                let seen = self.seen.lock().unwrap();
                let others = seen.resources.iter().filter(|((tenant, ..), _)| tenant != scope.tenant);
                if others.into_iter().any(|(_, other)| name_of(other) == name_of(&resource)) {
                    return Err(taken("userName"));
                }
            }
            "a_resource_type_is_apart_from_others" if !is_user => {
                let seen = self.seen.lock().unwrap();
                let key = (scope.tenant.clone(), "User".to_owned(), id_of(&resource));
                if seen.resources.contains_key(&key) {
                    return Err(taken("id"));
                }
            }
            "any_text_is_kept" => {
                let title = resource.get("title").and_then(Value::as_str);
                if let Some(title) = title.map(|title| title.replace('\u{feff}', "")) {
                    resource.0.insert("title", title);
                }
            }
            "a_large_group_is_kept" => {
                if let Some(Value::Array(members)) = resource.0.get_mut("members") {
                    members.truncate(9_000);
                }
            }
            "of_concurrent_creates_with_one_value_one_succeeds" => {
                if is_user && !self.free(scope, &resource).await {
                    return Err(taken("userName"));
                }
                Yield(false).await;
                let created = self.inner.create(scope, &resource, &unique).await;
                let meanwhile = is_user && !self.free(scope, &resource).await;
                return match created {
                    Err(StoreError::Conflict { attribute }) if attribute == "userName" && meanwhile => {
                        self.inner.create(scope, &resource, &[]).await
                    }
                    created => created,
                };
            }
            "of_concurrent_creates_with_one_id_one_succeeds" => {
                if self.now(scope, &id).await.is_some() {
                    return Err(taken("id"));
                }
                Yield(false).await;
                return match self.inner.create(scope, &resource, &unique).await {
                    Err(StoreError::Conflict { attribute }) if attribute == "id" => Ok(()),
                    created => created,
                };
            }
            _ => {}
        }
        self.inner.create(scope, &resource, &unique).await?;
        self.remember(scope, &resource);
        Ok(())
    }

    /// Whether nobody has the userName.
    async fn free(&self, scope: Scope<'_>, resource: &Resource) -> bool {
        let name = scim_filter::compare::fold(&name_of(resource)).into_owned();
        let all = self.all(scope, None).await;
        !all.iter().any(|other| scim_filter::compare::fold(&name_of(other)) == name)
    }

    async fn query_now(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        let filter = query.filter.as_ref();
        let base_url = "https://example.com/scim".parse().unwrap();
        let direct = Hierarchy::new(&Registry::standard(), 1, &base_url);
        let query = &match self.breaks {
            // As one does that looks no further than the groups of a user.
            "a_filter_finds_who_is_in_groups" if query.hierarchy.is_some() => {
                Query { hierarchy: Some(direct.into()), ..query.clone() }
            }
            _ => query.clone(),
        };
        let mut page = self.inner.query(scope, query).await?;
        let is_user = scope.schema.name() == "User";
        let is_plain = query.sort.is_none() && matches!(query.start, Start::Index(_));
        if query.hierarchy.is_some() || (!is_plain && !OF_ORDER.contains(&self.breaks)) {
            return Ok(page);
        }
        match self.breaks {
            "what_is_deleted_is_gone" if filter.is_some() && is_user => {
                let mut all = self.all(scope, filter).await;
                let there: HashSet<String> = self.all(scope, None).await.iter().map(id_of).collect();
                let gone = self.remembered(scope).into_iter().filter(|old| !there.contains(&id_of(old)));
                all.extend(gone);
                page = store::evaluate(scope.schema, query, &all);
            }
            "a_list_is_in_the_order_of_creation" if filter.is_none() => {
                let mut all = self.all(scope, None).await;
                let moved = self.seen.lock().unwrap().moved.clone();
                all.sort_by_key(|resource| moved.contains(&id_of(resource)));
                page = store::evaluate(scope.schema, query, &all);
            }
            "a_page_is_the_part_asked_for" if query.count > 0 => page.total = Some(page.resources.len()),
            "a_count_of_zero_asks_for_the_total" if query.count == 0 => page.total = Some(0),
            "any_window_is_answered" => {
                i64::try_from(query.start.skip()).map_err(|error| StoreError::Internal(error.into()))?;
            }
            "pages_hold_still_while_others_write" if filter.is_none() => {
                let mut all = self.all(scope, None).await;
                all.sort_by_key(|resource| !id_of(resource).starts_with('0'));
                page = store::evaluate(scope.schema, query, &all);
            }
            "a_sorted_list_is_in_its_order" if query.sort.is_some() && query.start.skip() > 0 => {
                page.resources.reverse();
            }
            "cursors_lead_through_the_list_and_back" if query.start.is_backward() => {
                page.resources.reverse();
            }
            "pages_by_cursor_hold_still_while_others_write" => {
                // As one does that looks the last result up to go on behind it.
                if let Some(Place::Sorted(_, id)) = query.start.place()
                    && self.now(scope, &ResourceId::new(id.clone())).await.is_none()
                {
                    page = Page::default();
                }
            }
            "a_filter_sees_what_the_projection_leaves_out" if filter.is_some() => {
                let mut all = self.all(scope, None).await;
                for resource in &mut all {
                    *resource = store::project(scope.schema, resource, &query.projection);
                }
                page = store::evaluate(scope.schema, query, &all);
            }
            "a_filter_finds_what_evaluation_finds" if filter.is_some() => {
                let odd = |resource: &Resource| resource.get("externalId") == Some(&"e1".into());
                page.resources.retain(|resource| !odd(resource));
            }
            "a_filter_finds_what_was_last_written" if filter.is_some() && is_user => {
                let mut all = self.all(scope, None).await;
                let stale = self.remembered(scope);
                for resource in &mut all {
                    if let Some(old) = stale.iter().find(|old| old.id() == resource.id()) {
                        *resource = old.clone();
                    }
                }
                page = store::evaluate(scope.schema, query, &all);
            }
            "any_text_is_found" if filter.is_some_and(|filter| any(filter, |text| text.contains('\\'))) => {
                page = Page { total: Some(0), ..Page::default() };
            }
            "a_filter_up_to_the_limits_is_answered" if filter.is_some_and(|filter| terms(filter) > 500) => {
                return Err(StoreError::UnsupportedFilter("too many terms".to_owned()));
            }
            _ => {}
        }
        Ok(page)
    }
}

/// The laws of lists that are sorted or paged by cursor; the faults of others show in plain ones.
const OF_ORDER: [&str; 3] = [
    "a_sorted_list_is_in_its_order",
    "cursors_lead_through_the_list_and_back",
    "pages_by_cursor_hold_still_while_others_write",
];

impl Store for Faulty {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        let tenant = self.tenant(scope);
        self.create_now(Scope { tenant: &tenant, ..scope }, resource, unique).await
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        let tenant = self.tenant(scope);
        let scope = Scope { tenant: &tenant, ..scope };
        if self.breaks == "a_read_is_of_one_version" {
            let Some(mut read) = self.inner.read(scope, id, &Projection::without("members")).await? else {
                return Ok(None);
            };
            Yield(false).await;
            let later = self.inner.read(scope, id, projection).await?.unwrap_or_default();
            if let Some(members) = later.get("members") {
                read.0.insert("members", members.clone());
            }
            return Ok(Some(read));
        }
        let mut read = self.inner.read(scope, id, projection).await?;
        if self.breaks == "reads_carry_what_is_asked_for"
            && !projection.includes(scope.schema, None, "title")
            && let Some(resource) = &mut read
        {
            resource.0.remove("meta");
        }
        Ok(read)
    }

    fn query_support(&self) -> QuerySupport {
        QuerySupport::ALL
    }

    async fn read_in_pieces(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Pieces>, StoreError> {
        let mut read = self.read(scope, id, projection).await?;
        // As one does that forgets what comes behind the first piece.
        if self.breaks == "what_is_read_in_pieces_is_what_is_read"
            && let Some(Value::Array(members)) = read.as_mut().and_then(|group| group.0.get_mut("members"))
        {
            members.truncate(100);
        }
        Ok(read.map(Pieces::from))
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        let tenant = self.tenant(scope);
        self.query_now(Scope { tenant: &tenant, ..scope }, query).await
    }

    async fn query_in_pieces(&self, scope: Scope<'_>, query: &Query) -> Result<Page<Pieces>, StoreError> {
        let mut page = self.query(scope, query).await?.map(Pieces::from);
        if self.breaks == "memberships_come_with_a_page" {
            page.resources.iter_mut().for_each(|pieces| pieces.memberships = Some(Vec::new()));
        }
        Ok(page)
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        mut expected: Version,
    ) -> Result<(), StoreError> {
        let tenant = self.tenant(scope);
        let scope = Scope { tenant: &tenant, ..scope };
        let mut resource = resource.clone();
        let old = self.now(scope, &resource.id().unwrap()).await;
        if let Some(old) = &old {
            match self.breaks {
                "a_replacement_is_the_whole_resource" => {
                    if let Some(title) = old.get("title") {
                        resource.0.insert("title", title.clone());
                    }
                }
                "a_replace_on_another_version_is_refused" if Some(expected) > old.version() => {
                    expected = old.version().unwrap();
                }
                "ones_own_unique_value_is_not_in_the_way" => {
                    let (before, after) = (name_of(old), name_of(&resource));
                    if before != after && before.eq_ignore_ascii_case(&after) {
                        return Err(taken("userName"));
                    }
                }
                "a_unique_value_given_up_is_free" => {
                    self.seen.lock().unwrap().names.insert(name_of(old));
                }
                "of_concurrent_writes_on_one_version_one_succeeds" => {
                    if Some(expected) != old.version() {
                        return Err(StoreError::VersionMismatch);
                    }
                    Yield(false).await;
                    let now = self.now(scope, &resource.id().unwrap()).await;
                    expected = now.ok_or(StoreError::NotFound)?.version().unwrap();
                }
                "any_sequence_of_writes_does_what_each_says" => {
                    if let Some(active) = old.get("active") {
                        resource.0.insert("active", active.clone());
                    }
                }
                _ => {}
            }
        }
        if self.breaks == "a_read_is_of_one_version" {
            // A store all of whose calls wait.
            Yield(false).await;
        }
        self.inner.replace(scope, &resource, unique, expected).await?;
        self.remember(scope, &resource);
        Ok(())
    }

    async fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        mut expected: Option<Version>,
    ) -> Result<Applied, StoreError> {
        let tenant = self.tenant(scope);
        let scope = Scope { tenant: &tenant, ..scope };
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
                Yield(false).await;
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
                Yield(false).await;
                let now = self.now(scope, id).await.unwrap().version().unwrap();
                if !changed {
                    return Ok(Applied::Unchanged(now));
                }
                let next = update.stamp(&mut after, now);
                let unique = scim_core::validate::unique_keys(scope.schema, &after);
                self.inner.replace(scope, &after, &unique, now).await?;
                return Ok(Applied::Changed(next));
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

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        let tenant = self.tenant(scope);
        let scope = Scope { tenant: &tenant, ..scope };
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
                Yield(false).await;
                for mut group in before {
                    scim_core::membership::leave(groups.schema, [&mut group], id, &deletion);
                    self.overwrite(groups, &group).await;
                }
            }
            _ => {}
        }
        deleted
    }

    async fn modify(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let tenant = self.tenant(scope);
        let scope = Scope { tenant: &tenant, ..scope };
        let References { ids, types } = terms.references;
        let references = match self.breaks {
            // As one does whose statement has no room for all of them.
            "what_is_referred_to_must_be_there" => References { ids: ids.get(..512).unwrap_or(ids), types },
            // As one does that looks before its transaction begins.
            "no_member_is_added_that_is_deleted_meanwhile" => {
                terms.references.look_up(&self.inner, scope.tenant).await?;
                Yield(false).await;
                References::default()
            }
            _ => terms.references,
        };
        self.inner.modify(scope, modification, Terms { references, ..terms }).await
    }

    async fn memberships(
        &self,
        groups: Scope<'_>,
        members: &[ResourceId],
    ) -> Result<Vec<Membership>, StoreError> {
        let tenant = self.tenant(groups);
        let members = match self.breaks {
            "memberships_are_told" => members.get(..1000).unwrap_or(members),
            _ => members,
        };
        self.inner.memberships(Scope { tenant: &tenant, ..groups }, members).await
    }

    async fn count_members(&self, groups: Scope<'_>, id: &ResourceId) -> Result<usize, StoreError> {
        let tenant = self.tenant(groups);
        let count = self.inner.count_members(Scope { tenant: &tenant, ..groups }, id).await?;
        Ok(if self.breaks == "members_are_counted_and_looked_up" { count.min(1000) } else { count })
    }

    async fn members_among(
        &self,
        groups: Scope<'_>,
        id: &ResourceId,
        members: &[ResourceId],
    ) -> Result<Vec<ResourceId>, StoreError> {
        let tenant = self.tenant(groups);
        self.inner.members_among(Scope { tenant: &tenant, ..groups }, id, members).await
    }

    async fn missing(
        &self,
        scope: Scope<'_>,
        mut ids: Vec<ResourceId>,
    ) -> Result<Vec<ResourceId>, StoreError> {
        match self.breaks {
            "missing_tells_what_is_not_there" => ids.truncate(1000),
            "another_tenant_sees_nothing" => {
                let seen = self.seen.lock().unwrap();
                let known = |id: &ResourceId| {
                    let mut keys = seen.resources.keys();
                    keys.any(|(_, kind, other)| kind == scope.schema.name() && other == id.as_str())
                };
                ids.retain(|id| !known(id));
                return Ok(ids);
            }
            _ => {}
        }
        let tenant = self.tenant(scope);
        self.inner.missing(Scope { tenant: &tenant, ..scope }, ids).await
    }
}

impl Faulty {
    /// Whose resources, as this store tells tenants apart.
    fn tenant(&self, scope: Scope<'_>) -> TenantId {
        match self.breaks {
            "tenants_are_told_apart_exactly" => TenantId::new(scope.tenant.as_str().to_lowercase()),
            _ => scope.tenant.clone(),
        }
    }
}

fn taken(attribute: &str) -> StoreError {
    StoreError::Conflict { attribute: attribute.to_owned() }
}

fn id_of(resource: &Resource) -> String {
    resource.id().unwrap().to_string()
}

fn name_of(resource: &Resource) -> String {
    resource.get("userName").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn terms(filter: &BoundFilter) -> usize {
    let mut count = 0;
    walk(filter, |_| count += 1);
    count
}

fn any(filter: &BoundFilter, is: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    walk(filter, |text| found |= is(text));
    found
}

/// Visits the strings that the filter compares with.
fn walk(filter: &BoundFilter, mut visit: impl FnMut(&str)) {
    let mut open = vec![filter.expr()];
    while let Some(expr) = open.pop() {
        match expr {
            BoundExpr::And(terms) | BoundExpr::Or(terms) => open.extend(terms.map(BoundTerm::expr)),
            BoundExpr::Not(term) | BoundExpr::ValuePath(_, term) => open.push(term.expr()),
            BoundExpr::Compare(_, _, Scalar::String(text)) => visit(text),
            BoundExpr::Compare(..) | BoundExpr::Present(_) => {}
        }
    }
}
