//! A store in memory that keeps every law but one.

mod create;
mod delete;
mod pieces;
mod query;
mod write;

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use scim_core::membership::Membership;
use scim_core::pieces::Pieces;
use scim_core::projection::Projection;
use scim_core::query::{Query, QuerySupport};
use scim_core::schema::Registry;
use scim_core::store::{
    Applied, Deletion, Modification, Modified, NoCircle, Page, References, ResourceHold, Scope, Store,
    StoreError, Terms, Update,
};
use scim_core::testkit::wait_once;
use scim_core::validate::UniqueKey;
use scim_core::{MemoryStore, Resource, ResourceId, TenantId, Value, Version};
use scim_filter::BoundFilter;

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
}

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
            wait_once().await;
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
        // As one does that knows two types of members.
        if self.breaks == "members_keep_the_type_they_are_given"
            && let Some(Value::Array(members)) = read.as_mut().and_then(|group| group.0.get_mut("members"))
        {
            for member in members.iter_mut().filter_map(Value::as_object_mut) {
                if !matches!(member.get("type").and_then(Value::as_str), Some("User" | "Group")) {
                    member.remove("type");
                }
            }
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
        if self.breaks == "what_is_deleted_meanwhile_is_not_read_in_part" {
            let tenant = self.tenant(scope);
            let scope = Scope { tenant: &tenant, ..scope };
            return Ok(read.map(|group| pieces::while_it_is_there(&self.inner, scope, group)));
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
                    wait_once().await;
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
            wait_once().await;
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
        expected: Option<Version>,
    ) -> Result<Applied, StoreError> {
        let tenant = self.tenant(scope);
        self.apply_now(Scope { tenant: &tenant, ..scope }, id, update, expected).await
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        let tenant = self.tenant(scope);
        self.delete_now(Scope { tenant: &tenant, ..scope }, id, deletion).await
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
                wait_once().await;
                References::default()
            }
            _ => terms.references,
        };
        let no_circle = match (self.breaks, modification) {
            // As one does that thinks of changes alone.
            (
                "no_group_comes_to_be_in_itself",
                Modification::Create { .. } | Modification::Replace { .. },
            ) => NoCircle::default(),
            // As one does that looks before its transaction begins.
            ("no_circle_is_closed_together", Modification::Apply { id, .. }) => {
                terms.no_circle.look_up(&self.inner, scope.tenant, id).await?;
                wait_once().await;
                NoCircle::default()
            }
            _ => terms.no_circle,
        };
        self.inner.modify(scope, modification, Terms { references, no_circle, ..terms }).await
    }

    fn checks_circles(&self) -> bool {
        true
    }

    async fn hold(&self, _: Scope<'_>, _: &ResourceId) -> Result<ResourceHold, StoreError> {
        match self.breaks {
            // As one does that others do not look at.
            "who_holds_a_resource_writes_it_first" => Ok(ResourceHold::until_dropped(())),
            _ => Ok(ResourceHold::default()),
        }
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
            // As one does that tells schemas apart, and not the types that have one in common.
            "missing_tells_types_apart" if scope.schema.name() == "Contractor" => {
                let registry = Registry::standard();
                let users = Scope { schema: registry.by_name("User").unwrap(), ..scope };
                ids = self.inner.missing(users, ids).await?;
            }
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
