//! A store in which users have what their groups give.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use scim_core::patch::{Change, Delta, Write};
use scim_core::projection::Projection;
use scim_core::query::{Query, Start};
use scim_core::schema::{ResourceSchema, builtin};
use scim_core::store::{
    Applied, Modification, Modified, Scope, Store, StoreError, StoreLayer, Terms, Update,
};
use scim_core::{Object, Resource, ResourceId, TenantId, Value};
use scim_filter::{BindOptions, Filter};

use super::access::{Access, RoleMapping};
use super::policy;
use super::schema::{EFFECTIVE_ACCESS, registry};
use super::workspace::Standing;

/// A store that keeps [`EFFECTIVE_ACCESS`] of users up to date with the groups they are in.
///
/// Whenever members of a mapped group come or go, or a group comes by another name or goes, the access
/// of those concerned is [resolved](RoleMapping::resolve) again and written, with a new version. One
/// member more costs a look-up of the groups of that one, however large the group is. Whether a user is
/// active is not looked at: that is said by `active`. The audit trail has the change of the group, from
/// which that of the access follows.
///
/// The write of the group comes first. Where the program ends in between, or the write of a user fails,
/// asking for the same again makes up for it in part: a PATCH that names members as added, removed or all
/// that there shall be brings these up to date, also if the group has them already. Nothing else does: a
/// PUT, a rename or a PATCH without names of members is no change any more, a group that is gone cannot be
/// deleted again, and whom a PATCH took away by naming the others is not named by it.
/// [`synchronise`](Self::synchronise), at start, makes up for all of it.
///
/// ```
/// use std::sync::Arc;
/// use scim_core::{Environment, MemoryStore, Service};
/// use scim_core::auth::Authenticator;
/// use scim_profiles::incident_io::{self, AccessStore, IncidentIo, RoleMapping};
///
/// fn rehearsal<A: Authenticator>(
///     authenticator: A,
///     environment: Environment,
///     mapping: RoleMapping,
/// ) -> Service<AccessStore<MemoryStore>, A, IncidentIo> {
///     let store = AccessStore::new(MemoryStore::new(), mapping, Arc::clone(&environment.now));
///     let base_url = "http://localhost:8080/scim/v2".parse().expect("is a URL");
///     Service::new(store, authenticator, incident_io::config(base_url), environment).with_policy(IncidentIo)
/// }
/// ```
#[derive(Clone)]
pub struct AccessStore<S> {
    store: S,
    mapping: Arc<RoleMapping>,
    now: Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>,
}

impl<S: fmt::Debug> fmt::Debug for AccessStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessStore").field("store", &self.store).finish_non_exhaustive()
    }
}

/// How often the access of one user is written when others write the user meanwhile.
const ATTEMPTS: usize = 16;
/// How many resources are read at once.
const PAGE: usize = 200;

impl<S: Store> AccessStore<S> {
    /// A store in which groups give what `mapping` says. `now` is the clock.
    pub fn new(store: S, mapping: RoleMapping, now: Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>) -> Self {
        Self { store, mapping: Arc::new(mapping), now }
    }

    /// The mapping.
    pub fn mapping(&self) -> &RoleMapping {
        &self.mapping
    }

    /// Brings the access of all users of `tenant` up to date, after the mapping became another or writes
    /// were left undone, and says of how many it changed.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn synchronise(&self, tenant: &TenantId) -> Result<usize, StoreError> {
        let Some(schema) = registry().by_name("User") else { return Ok(0) };
        let scope = Scope { tenant, schema };
        let projection = only(schema, "userName")?;
        let (mut changed, mut at) = (0, 1);
        loop {
            let query = Query {
                start: Start::Index(at),
                count: PAGE,
                projection: projection.clone(),
                ..Query::default()
            };
            let users = self.store.query(scope, &query).await?.resources;
            for id in users.iter().filter_map(Resource::id) {
                changed += usize::from(self.refresh(tenant, &id).await?);
            }
            if users.len() < PAGE {
                return Ok(changed);
            }
            at += PAGE;
        }
    }

    /// Writes the access that the user `id` has now, and says whether it was another.
    async fn refresh(&self, tenant: &TenantId, id: &ResourceId) -> Result<bool, StoreError> {
        let Some(schema) = registry().by_name("User") else { return Ok(false) };
        let scope = Scope { tenant, schema };
        for _ in 0..ATTEMPTS {
            let Some(user) = self.store.read(scope, id, &Projection::default()).await? else {
                return Ok(false);
            };
            // INVARIANT: the groups are read after the user. Whoever came to know of fewer groups than
            // there are now then has an older version, and does not overwrite.
            let access = self.access(tenant, id).await?;
            let seats = policy::seats(&user.0).given(&access, self.mapping.options());
            let Access { base_role, custom_roles, .. } = access;
            let standing = Standing { active: true, base_role, custom_roles, seats };
            let extension = policy::extension(&standing, &self.mapping);
            if user.extension(EFFECTIVE_ACCESS) == Some(&extension) {
                return Ok(false);
            }
            let change = Change { writes: writes(schema, &user, extension), deltas: Vec::new() };
            let last_modified = format!("{:.3}", (self.now)());
            let update = Update { change: &change, unique: None, last_modified: &last_modified };
            match self.store.apply(scope, id, &update, user.version()).await {
                Ok(applied) => return Ok(matches!(applied, Applied::Changed(_))),
                Err(StoreError::NotFound) => return Ok(false),
                Err(StoreError::VersionMismatch) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::VersionMismatch)
    }

    /// What the groups of the user `id` give.
    async fn access(&self, tenant: &TenantId, id: &ResourceId) -> Result<Access, StoreError> {
        let Some(schema) = registry().by_name("Group") else { return Ok(Access::default()) };
        let internal = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Internal(error);
        let filter = format!("members.value eq {}", Value::from(id.as_str()));
        let filter = Filter::parse(&filter).map_err(|error| internal(error.into()))?;
        let filter =
            filter.bind(&**schema, &BindOptions::default()).map_err(|error| internal(error.into()))?;
        let mut query = Query {
            filter: Some(filter),
            count: PAGE,
            projection: only(schema, "displayName")?,
            ..Query::default()
        };
        let mut access = Access::default();
        let mut at = 1;
        loop {
            query.start = Start::Index(at);
            let groups = self.store.query(Scope { tenant, schema }, &query).await?.resources;
            for group in &groups {
                if let Some(given) = self.given(Some(group)) {
                    access.join(given);
                }
            }
            if groups.len() < PAGE {
                return Ok(access);
            }
            at += PAGE;
        }
    }

    /// What `group` gives, if it is mapped.
    fn given(&self, group: Option<&Resource>) -> Option<&Access> {
        self.mapping.group(group?.get("displayName")?.as_str()?)
    }

    async fn group(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        with_members: bool,
    ) -> Result<Option<Resource>, StoreError> {
        let projection = if with_members { Projection::default() } else { Projection::without("members") };
        self.store.read(scope, id, &projection).await
    }

    /// Makes a modification of a group, and then brings those up to date whom it concerns.
    async fn modify_group(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let Some(Concern { id, mut people, whole, is_new }) = Concern::of(&modification) else {
            return self.store.modify(scope, modification, terms).await;
        };
        let before = if is_new { None } else { self.group(scope, &id, whole).await? };
        let modified = self.store.modify(scope, modification, terms).await?;
        // As it is by now, and not as it was asked to be: others may have named it anew meanwhile.
        let after = self.group(scope, &id, whole).await?;
        let (gave, gives) = (self.given(before.as_ref()), self.given(after.as_ref()));
        if gave.is_none() && gives.is_none() {
            return Ok(modified);
        }
        if whole {
            let (were, are) = (members(before.as_ref()), members(after.as_ref()));
            if gave == gives {
                people.extend(were.symmetric_difference(&are).cloned());
            } else {
                people.extend(were.union(&are).cloned());
            }
        }
        for person in people {
            self.refresh(scope.tenant, &ResourceId::new(person)).await?;
        }
        Ok(modified)
    }
}

/// Whom a modification of a group concerns.
struct Concern {
    id: ResourceId,
    /// The ids of members it names.
    people: BTreeSet<String>,
    /// Whether it can concern every member.
    whole: bool,
    is_new: bool,
}

impl Concern {
    fn of(modification: &Modification<'_>) -> Option<Self> {
        let nobody = BTreeSet::new();
        Some(match modification {
            Modification::Create { resource, .. } => {
                Self { id: resource.id()?, people: members(Some(resource)), whole: false, is_new: true }
            }
            Modification::Replace { resource, .. } => {
                Self { id: resource.id()?, people: nobody, whole: true, is_new: false }
            }
            Modification::Delete { id, .. } => {
                Self { id: (*id).clone(), people: nobody, whole: true, is_new: false }
            }
            Modification::Apply { id, update, .. } => {
                let is_members = |delta: &&Delta| delta.attribute.eq_ignore_ascii_case("members");
                let deltas = || update.change.deltas.iter().filter(is_members);
                let names = |write: &Write| write.attribute.eq_ignore_ascii_case("displayName");
                Self {
                    id: (*id).clone(),
                    people: deltas()
                        .flat_map(|delta| {
                            let removed = delta.removed.iter().map(|id| (**id).to_owned());
                            removed.chain(delta.added.iter().filter_map(member))
                        })
                        .collect(),
                    whole: update.change.writes.iter().any(names) || deltas().any(|delta| delta.replace),
                    is_new: false,
                }
            }
        })
    }
}

fn members(group: Option<&Resource>) -> BTreeSet<String> {
    let members = group.and_then(|group| group.get("members")).and_then(Value::as_array).unwrap_or_default();
    members.iter().filter_map(member).collect()
}

fn member(member: &Value) -> Option<String> {
    member.as_object()?.get("value")?.as_str().map(str::to_owned)
}

/// Everything of `extension`, and nothing else in its place.
fn writes(schema: &ResourceSchema, user: &Resource, mut extension: Object) -> Vec<Write> {
    let attributes = schema.extension(EFFECTIVE_ACCESS).map(|schema| schema.attributes.as_slice());
    let mut writes: Vec<Write> = attributes
        .unwrap_or_default()
        .iter()
        .map(|attribute| Write {
            extension: Some(EFFECTIVE_ACCESS.into()),
            attribute: attribute.name.as_str().into(),
            value: extension.remove(&attribute.name),
        })
        .collect();
    if !user.schemas().any(|uri| uri.eq_ignore_ascii_case(EFFECTIVE_ACCESS)) {
        let uris = user.schemas().chain([EFFECTIVE_ACCESS]).map(Value::from).collect::<Vec<_>>();
        writes.push(Write { extension: None, attribute: "schemas".into(), value: Some(uris.into()) });
    }
    writes
}

fn only(schema: &ResourceSchema, attribute: &str) -> Result<Projection, StoreError> {
    Projection::parse(schema, Some(attribute), None).map_err(|error| StoreError::Internal(error.into()))
}

impl<S: Store> StoreLayer for AccessStore<S> {
    type Behind = S;

    fn behind(&self) -> &S {
        &self.store
    }

    async fn change(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        if scope.schema.base().id == builtin::GROUP {
            self.modify_group(scope, modification, terms).await
        } else {
            self.store.modify(scope, modification, terms).await
        }
    }
}
