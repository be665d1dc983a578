//! A store on trial: calls on it whose failure is told as a broken law.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use scim_filter::{BindOptions, Filter};

use super::join::{Spawn, together};
use super::{BoxFuture, Broken, OnTrial, demand};
use crate::membership::Hierarchy;
use crate::patch::Change;
use crate::projection::Projection;
use crate::query::Query;
use crate::schema::{Registry, ResourceSchema, ResourceType, builtin};
use crate::store::{
    Applied, Deletion, Modification, Modified, NoCircle, Page, References, Scope, Store, StoreError, Terms,
    Update,
};
use crate::validate::unique_keys;
use crate::value::{Object, Value};
use crate::{Resource, ResourceId, TenantId, Version};

/// A store on trial for one law; clones share it.
///
/// ```
/// use scim_core::MemoryStore;
/// use scim_core::testkit::{Trial, law};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scim_core::testkit::Broken> {
/// let trial = Trial::new("deletes", MemoryStore::new());
/// law::what_is_deleted_is_gone(&trial).await
/// # }
/// ```
pub struct Trial<S>(Arc<Inner<S>>);

struct Inner<S> {
    // Before what it needs.
    store: Arc<S>,
    kept: Arc<dyn Any + Send + Sync>,
    registry: Registry,
    tenant: TenantId,
    spawn: Option<Spawn>,
    is_quick: bool,
}

/// A resource type besides users and groups that has the schema of users.
pub(super) const CONTRACTOR: &str = "Contractor";

/// Users and groups, and contractors, who are made as users are.
fn registry() -> Registry {
    let contractors = ResourceType {
        name: CONTRACTOR.to_owned(),
        endpoint: "/Contractors".to_owned(),
        schema_extensions: Vec::new(),
        ..builtin::user_resource_type()
    };
    #[expect(clippy::expect_used, reason = "the resource types are constant, and every trial makes them")]
    Registry::standard().with(Vec::new(), vec![contractors]).expect("the resource types fit together")
}

impl<S: Store> Trial<S> {
    /// Puts `store` on trial. The resources made belong to the tenant `testkit NAME` and to
    /// others whose names begin with that.
    pub fn new(name: &str, store: impl OnTrial<Store = S>) -> Self {
        let (store, kept) = store.parts();
        Self(Arc::new(Inner {
            store: Arc::new(store),
            kept: kept.into(),
            registry: registry(),
            tenant: TenantId::new(format!("testkit {name}")),
            spawn: None,
            is_quick: false,
        }))
    }

    /// Makes concurrent calls run in tasks of their own: `spawn` starts one and returns a future
    /// that ends when it has.
    ///
    /// ```
    /// use scim_core::MemoryStore;
    /// use scim_core::testkit::{Trial, law};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), scim_core::testkit::Broken> {
    /// let trial = Trial::new("races", MemoryStore::new()).with_spawn(|task| {
    ///     let handle = tokio::spawn(task);
    ///     Box::pin(async { handle.await.expect("the task does not panic") })
    /// });
    /// law::no_change_is_lost(&trial).await
    /// # }
    /// ```
    #[must_use]
    pub fn with_spawn(
        self,
        spawn: impl Fn(BoxFuture<'static, ()>) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        self.spawning(Spawn::new(spawn))
    }

    pub(super) fn spawning(self, spawn: Spawn) -> Self {
        Self(Arc::new(Inner { spawn: Some(spawn), ..self.0.shared() }))
    }

    /// Makes laws that try many cases, or large groups, try a tenth: for a first look.
    #[must_use]
    pub fn quick(self) -> Self {
        Self(Arc::new(Inner { is_quick: true, ..self.0.shared() }))
    }

    /// How many of `all` cases to try.
    pub(super) fn cases(&self, all: usize) -> usize {
        if self.0.is_quick { all.div_ceil(10) } else { all }
    }

    /// Runs `task` for each number below `tasks`, all at the same time.
    pub(super) async fn together<T, F>(
        &self,
        tasks: usize,
        task: impl Fn(usize, Self) -> F,
    ) -> Result<Vec<T>, Broken>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Broken>> + Send + 'static,
    {
        let tasks = (0..tasks).map(|number| Box::pin(task(number, self.clone())) as BoxFuture<_>).collect();
        together(self.0.spawn.as_ref(), tasks).await?.into_iter().collect()
    }

    /// Runs the tasks at the same time.
    pub(super) async fn all(&self, tasks: Vec<BoxFuture<'static, Result<(), Broken>>>) -> Result<(), Broken> {
        together(self.0.spawn.as_ref(), tasks).await?.into_iter().collect()
    }

    // --- scopes --------------------------------------------------------------------------------

    pub(super) fn schema(&self, name: &str) -> Result<&ResourceSchema, Broken> {
        let schema = self.0.registry.by_name(name);
        schema.map(AsRef::as_ref).ok_or_else(|| Broken::new(format!("no resource type `{name}`")))
    }

    pub(super) fn scope(&self, name: &str) -> Result<Scope<'_>, Broken> {
        Ok(Scope { tenant: &self.0.tenant, schema: self.schema(name)? })
    }

    pub(super) fn users(&self) -> Result<Scope<'_>, Broken> {
        self.scope("User")
    }

    pub(super) fn groups(&self) -> Result<Scope<'_>, Broken> {
        self.scope("Group")
    }

    /// The types of groups that may have such resources as members.
    pub(super) fn group_types(&self, schema: &ResourceSchema) -> Vec<Arc<ResourceSchema>> {
        self.0.registry.group_types(schema)
    }

    /// How the groups of resources are found.
    pub(super) fn hierarchy(&self, levels: usize, base_url: &url::Url) -> Hierarchy {
        Hierarchy::new(&self.0.registry, levels, base_url)
    }

    /// Another tenant, whose name is this one's and `suffix`.
    pub(super) fn tenant(&self, suffix: &str) -> TenantId {
        TenantId::new(format!("{}{suffix}", self.0.tenant))
    }

    // --- calls as they come back ---------------------------------------------------------------

    pub(super) fn store(&self) -> &S {
        &self.0.store
    }

    pub(super) async fn try_create(&self, scope: Scope<'_>, resource: &Resource) -> Result<(), StoreError> {
        self.store().create(scope, resource, &unique_keys(scope.schema, resource)).await
    }

    pub(super) async fn try_replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        expected: Version,
    ) -> Result<(), StoreError> {
        self.store().replace(scope, resource, &unique_keys(scope.schema, resource), expected).await
    }

    /// Applies `change` to `current`, or what was read of it.
    pub(super) async fn try_apply(
        &self,
        scope: Scope<'_>,
        current: &Resource,
        change: &Change,
        expected: impl Into<Option<Version>>,
    ) -> Result<Applied, StoreError> {
        let id = current.id().ok_or_else(|| StoreError::Internal("a resource without `id`".into()))?;
        let mut after = current.clone();
        change.apply(&mut after);
        let unique = unique_keys(scope.schema, &after);
        let update = Update { change, unique: Some(&unique), last_modified: LATER, members: None };
        self.store().apply(scope, &id, &update, expected.into()).await
    }

    /// Applies `change`, which concerns no unique value, to whatever version there is of `id`.
    pub(super) async fn try_apply_to_any(
        &self,
        scope: Scope<'_>,
        id: &str,
        change: &Change,
    ) -> Result<Applied, StoreError> {
        let update = Update { change, unique: None, last_modified: LATER, members: None };
        self.store().apply(scope, &ResourceId::new(id), &update, None).await
    }

    /// Makes a modification that refers to users or groups.
    pub(super) async fn try_referring(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        ids: &[&str],
    ) -> Result<Modified, StoreError> {
        let ids: Vec<ResourceId> = ids.iter().map(|id| ResourceId::new(*id)).collect();
        let types = ["User", "Group"].map(|name| self.0.registry.by_name(name).cloned());
        let types: Vec<_> = types.into_iter().flatten().collect();
        let references = References { ids: &ids, types: &types };
        self.store().modify(scope, modification, Terms { references, ..Terms::default() }).await
    }

    /// Makes a modification that adds groups to a group, none of which may be above it.
    pub(super) async fn try_nesting(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        members: &[&str],
    ) -> Result<Modified, StoreError> {
        let members: Vec<ResourceId> = members.iter().map(|id| ResourceId::new(*id)).collect();
        let no_circle = NoCircle { members: &members, types: &self.group_types(scope.schema) };
        self.store().modify(scope, modification, Terms { no_circle, ..Terms::default() }).await
    }

    pub(super) async fn try_delete(
        &self,
        scope: Scope<'_>,
        id: &str,
        expected: Option<Version>,
    ) -> Result<(), StoreError> {
        let groups = self.group_types(scope.schema);
        let deletion =
            Deletion { expected, groups: &groups, last_modified: LATER, left: None, members: None };
        self.store().delete(scope, &ResourceId::new(id), &deletion).await
    }

    // --- calls that must succeed ---------------------------------------------------------------

    pub(super) async fn create(&self, scope: Scope<'_>, resource: &Resource) -> Result<(), Broken> {
        let result = self.try_create(scope, resource).await;
        result.map_err(|error| failed("create", &name(resource), &error))
    }

    pub(super) async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        expected: Version,
    ) -> Result<(), Broken> {
        let result = self.try_replace(scope, resource, expected).await;
        result.map_err(|error| failed("replace", &name(resource), &error))
    }

    pub(super) async fn apply(
        &self,
        scope: Scope<'_>,
        current: &Resource,
        change: &Change,
        expected: Version,
    ) -> Result<Applied, Broken> {
        let result = self.try_apply(scope, current, change, expected).await;
        result.map_err(|error| failed("apply", &name(current), &error))
    }

    pub(super) async fn delete(&self, scope: Scope<'_>, id: &str) -> Result<(), Broken> {
        self.try_delete(scope, id, None).await.map_err(|error| failed("delete", id, &error))
    }

    pub(super) async fn read_with(
        &self,
        scope: Scope<'_>,
        id: &str,
        projection: &Projection,
    ) -> Result<Option<Resource>, Broken> {
        let result = self.store().read(scope, &ResourceId::new(id), projection).await;
        result.map_err(|error| failed("read", id, &error))
    }

    pub(super) async fn read(&self, scope: Scope<'_>, id: &str) -> Result<Option<Resource>, Broken> {
        self.read_with(scope, id, &Projection::default()).await
    }

    /// The resource `id`, which must be there.
    pub(super) async fn stored(&self, scope: Scope<'_>, id: &str) -> Result<Resource, Broken> {
        let read = self.read(scope, id).await?;
        read.ok_or_else(|| Broken::new(format!("read of `{id}`: not found, and it was stored")))
    }

    pub(super) async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, Broken> {
        let result = self.store().query(scope, query).await;
        result.map_err(|error| failed("query", "", &error))
    }

    /// What `filter` finds, as a set of ids, with the total.
    pub(super) async fn found(&self, scope: Scope<'_>, filter: &str) -> Result<BTreeSet<String>, Broken> {
        let query = Query { filter: Some(bound(scope.schema, filter)?), ..everything() };
        let result = self.store().query(scope, &query).await;
        let page = result.map_err(|error| failed("query", filter, &error))?;
        let ids: BTreeSet<String> = ids(&page.resources).into_iter().collect();
        let total = total(&page)?;
        demand!(total == ids.len(), "query `{filter}`: the total is {total}, and it found {ids:?}");
        Ok(ids)
    }

    // --- what must be so -----------------------------------------------------------------------

    /// The resource is stored as `expected`.
    pub(super) async fn is_stored(&self, scope: Scope<'_>, expected: &Resource) -> Result<(), Broken> {
        let id = name(expected);
        same(&format!("read of `{id}`"), &self.stored(scope, &id).await?, expected)
    }

    /// There is no such resource, neither by `id` nor in a list.
    pub(super) async fn is_absent(&self, scope: Scope<'_>, id: &str) -> Result<(), Broken> {
        demand!(self.read(scope, id).await?.is_none(), "read of `{id}`: found, and it is not there");
        let page = self.query(scope, &everything()).await?;
        let listed = ids(&page.resources);
        demand!(!listed.iter().any(|other| other == id), "the list has `{id}`, and it is not there");
        Ok(())
    }

    /// `filter` finds the resources `ids`.
    pub(super) async fn finds(&self, scope: Scope<'_>, filter: &str, ids: &[&str]) -> Result<(), Broken> {
        let found = self.found(scope, filter).await?;
        let expected: BTreeSet<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        demand!(found == expected, "query `{filter}`: expected {expected:?}, found {found:?}");
        Ok(())
    }
}

impl<S> Inner<S> {
    /// The same trial of the same store.
    fn shared(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            kept: Arc::clone(&self.kept),
            registry: self.registry.clone(),
            tenant: self.tenant.clone(),
            spawn: self.spawn.clone(),
            is_quick: self.is_quick,
        }
    }
}

impl<S> Clone for Trial<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Trial<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial").field("tenant", &self.0.tenant).finish_non_exhaustive()
    }
}

/// The call failed, and should not have.
pub(super) fn failed(call: &str, on: &str, error: &StoreError) -> Broken {
    Broken::new(format!("{call} of `{on}`: failed with {error:?}"))
}

/// `result` must be an error that `is` one; `expected` says which.
pub(super) fn refused<T: fmt::Debug>(
    call: &str,
    result: Result<T, StoreError>,
    expected: &str,
    is: impl Fn(&StoreError) -> bool,
) -> Result<(), Broken> {
    match result {
        Err(error) if is(&error) => Ok(()),
        other => Err(Broken::new(format!("{call}: expected {expected}, got {other:?}"))),
    }
}

pub(super) fn not_found<T: fmt::Debug>(call: &str, result: Result<T, StoreError>) -> Result<(), Broken> {
    refused(call, result, "NotFound", |error| matches!(error, StoreError::NotFound))
}

pub(super) fn mismatch<T: fmt::Debug>(call: &str, result: Result<T, StoreError>) -> Result<(), Broken> {
    refused(call, result, "VersionMismatch", |error| matches!(error, StoreError::VersionMismatch))
}

pub(super) fn dangling<T: fmt::Debug>(
    call: &str,
    result: Result<T, StoreError>,
    id: &str,
) -> Result<(), Broken> {
    let expected = format!("Dangling on `{id}`");
    let is = |error: &StoreError| matches!(error, StoreError::Dangling(on) if on.as_str() == id);
    refused(call, result, &expected, is)
}

pub(super) fn circle<T: fmt::Debug>(
    call: &str,
    result: Result<T, StoreError>,
    id: &str,
) -> Result<(), Broken> {
    let is = |error: &StoreError| matches!(error, StoreError::Circle(on) if on.as_str() == id);
    refused(call, result, &format!("Circle on `{id}`"), is)
}

pub(super) fn conflict<T: fmt::Debug>(
    call: &str,
    result: Result<T, StoreError>,
    attribute: &str,
) -> Result<(), Broken> {
    let expected = format!("Conflict on `{attribute}`");
    refused(
        call,
        result,
        &expected,
        |error| matches!(error, StoreError::Conflict { attribute: on } if on.eq_ignore_ascii_case(attribute)),
    )
}

/// Whether two resources are the same, the order of members aside, which is the store's.
pub(super) fn same(what: &str, found: &Resource, expected: &Resource) -> Result<(), Broken> {
    let (found, expected) = (in_order(found), in_order(expected));
    demand!(found == expected, "{what}: expected {}, found {}", expected.0, found.0);
    Ok(())
}

/// The same, what the store itself writes into `meta` aside.
pub(super) fn same_but_meta(what: &str, found: &Resource, expected: &Resource) -> Result<(), Broken> {
    let (mut found, mut expected) = (found.clone(), expected.clone());
    found.0.remove("meta");
    expected.0.remove("meta");
    same(what, &found, &expected)
}

fn in_order(resource: &Resource) -> Resource {
    let mut resource = resource.clone();
    if let Some(Value::Array(members)) = resource.0.get_mut("members") {
        members.sort_by_cached_key(Value::to_string);
    }
    resource
}

/// A query for everything there is.
pub(super) fn everything() -> Query {
    Query { count: usize::MAX, ..Query::default() }
}

/// The total of a page by index, which always has one.
pub(super) fn total(page: &Page) -> Result<usize, Broken> {
    page.total.ok_or_else(|| Broken::new("a page by index comes without the total"))
}

/// `text` bound to the schema.
pub(super) fn bound(schema: &ResourceSchema, text: &str) -> Result<scim_filter::BoundFilter, Broken> {
    let filter = Filter::parse(text).map_err(|error| Broken::new(format!("`{text}`: {error}")))?;
    filter.bind(schema, &BindOptions::default()).map_err(|error| Broken::new(format!("`{text}`: {error}")))
}

pub(super) fn ids(resources: &[Resource]) -> Vec<String> {
    resources.iter().map(name).collect()
}

/// The `id`, to be shown.
pub(super) fn name(resource: &Resource) -> String {
    resource.id().map(|id| id.to_string()).unwrap_or_default()
}

/// The resource `json`.
pub(super) fn resource(json: serde_json::Value) -> Resource {
    match Value::from(json) {
        Value::Object(object) => Resource(object),
        _ => Resource(Object::new()),
    }
}

/// The resource in another version.
pub(super) fn in_version(resource: &Resource, version: u64) -> Resource {
    let mut resource = resource.clone();
    crate::store::stamp(&mut resource, LATER, Version(version));
    resource
}

/// When what is created was, and what is changed is.
pub(super) const FIRST: &str = "2026-01-01T00:00:00Z";
pub(super) const LATER: &str = "2026-02-02T00:00:00Z";
