//! What stores that keep resources in lists answer calls with.

use super::{Page, Scope, StoreError};
use crate::projection::Projection;
use crate::query::{Query, Start};
use crate::schema::ResourceSchema;
use crate::validate::{self, UniqueKey};
use crate::value::{Object, Value};
use crate::{Resource, ResourceId, Version};

/// Answers `query` over `resources` in memory, in their order where it has no sort: for stores that
/// keep resources in memory, and for what a store cannot push down. Never drops a clause.
///
/// The order of pages by cursor without a sort is that of `id`, since places must stay what they
/// are when resources come and go. The resources returned carry what the query's projection
/// includes.
///
/// ```
/// use scim_core::query::{Query, Start};
/// use scim_core::schema::Registry;
/// use scim_core::{Object, Resource, store};
///
/// let registry = Registry::standard();
/// let users = registry.by_name("User").expect("a standard type");
/// let rows = ["ann", "bob"].map(|name| Resource(Object::from_iter([("userName", name)])));
/// let filter = scim_filter::Filter::parse("userName sw \"B\"")?.bind(&**users, &Default::default())?;
/// let query = Query { filter: Some(filter), start: Start::Index(1), count: 10, ..Query::default() };
/// let page = store::evaluate(users, &query, &rows);
/// assert_eq!((page.total, page.resources), (Some(1), vec![rows[1].clone()]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn evaluate<'r>(
    schema: &ResourceSchema,
    query: &Query,
    resources: impl IntoIterator<Item = &'r Resource>,
) -> Page {
    let matches = |resource: &&Resource| {
        query.filter.as_ref().is_none_or(|filter| filter.matches::<Value>(&resource.0))
    };
    let resources = resources.into_iter().filter(matches);
    if query.sort.is_none() && matches!(query.start, Start::Index(_)) {
        return in_their_order(schema, query, resources);
    }
    let mut total = 0;
    let mut ranking = query.ranking();
    for resource in resources {
        total += 1;
        ranking.offer(resource, resource);
    }
    let returned = |resource| project(schema, resource, &query.projection);
    Page::of(query, Some(total), ranking.finish(), returned)
}

fn in_their_order<'r>(
    schema: &ResourceSchema,
    query: &Query,
    resources: impl Iterator<Item = &'r Resource>,
) -> Page {
    let skip = query.start.skip();
    let (mut total, mut found) = (0, Vec::new());
    for resource in resources {
        if total >= skip && found.len() < query.count {
            found.push(project(schema, resource, &query.projection));
        }
        total += 1;
    }
    Page { total: Some(total), resources: found, ..Page::default() }
}

/// Where in `resources` the resource `id` is, if its version is still `expected` (any, if `None`):
/// for stores that keep resources in lists.
///
/// # Errors
///
/// [`StoreError::NotFound`], also without an `id`, and [`StoreError::VersionMismatch`].
pub fn find(
    resources: &[Resource],
    id: Option<&ResourceId>,
    expected: Option<Version>,
) -> Result<usize, StoreError> {
    let found =
        resources.iter().enumerate().find(|(_, resource)| id.is_some() && resource.id().as_ref() == id);
    let (place, resource) = found.ok_or(StoreError::NotFound)?;
    if expected.is_some() && resource.version() != expected {
        return Err(StoreError::VersionMismatch);
    }
    Ok(place)
}

/// Refuses `resource` if another of `resources` has one of its unique keys, `unique`: for stores that keep
/// resources in lists. It looks at every resource; they are those of the tenant, of all types that have a
/// schema with the type of `resource` in common.
///
/// # Errors
///
/// [`StoreError::Conflict`] with the attribute.
pub fn check_unique<'r>(
    scope: Scope<'_>,
    resource: &Resource,
    unique: &[UniqueKey],
    resources: impl IntoIterator<Item = &'r Resource>,
) -> Result<(), StoreError> {
    let base = &scope.schema.base().id;
    let of = |resource: &Resource| (resource.id(), resource.resource_type().map(str::to_owned));
    let own = of(resource);
    for other in resources.into_iter().filter(|other| of(other) != own) {
        let has_base = other.schemas().any(|uri| uri.eq_ignore_ascii_case(base));
        let is_own_type = of(other).1 == own.1;
        let mut taken = validate::unique_keys(scope.schema, other);
        taken.retain(|key| is_own_type || has_base || key.attribute.contains(':'));
        if let Some(key) = unique.iter().find(|key| taken.contains(key)) {
            return Err(StoreError::Conflict { attribute: key.attribute.to_string() });
        }
    }
    Ok(())
}

/// A copy of what `projection` includes of `resource`, and of `schemas`, `id` and `meta`, which
/// every read carries; what is left out is not copied either.
pub fn project(schema: &ResourceSchema, resource: &Resource, projection: &Projection) -> Resource {
    let mut copy = Object::new();
    for (name, value) in resource.0.iter() {
        let kept = ALWAYS_READ.iter().any(|always| name.matches(always))
            || match scim_filter::Schema::extension(schema, name.as_str()) {
                None => projection.includes(schema, None, name.as_str()),
                Some(uri) => match value.as_object() {
                    None => true,
                    Some(object) => {
                        object.iter().any(|(sub, _)| projection.includes(schema, Some(uri), sub.as_str()))
                    }
                },
            };
        if kept {
            copy.insert(name.clone(), value.clone());
        }
    }
    Resource(copy)
}

/// What every read carries, whatever the projection: the service needs it to answer.
const ALWAYS_READ: [&str; 3] = ["schemas", "id", "meta"];
