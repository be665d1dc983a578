//! A store in which users have what their groups give.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use scim_core::membership::Membership;
use scim_core::patch::{Change, Delta, Write};
use scim_core::pieces::Pieces;
use scim_core::projection::Projection;
use scim_core::query::{Query, Start};
use scim_core::schema::{ResourceSchema, builtin};
use scim_core::store::{
    Applied, Modification, Modified, Scope, Store, StoreError, StoreLayer, Terms, Update,
};
use scim_core::{Object, Resource, ResourceId, TenantId, Value};

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
/// [`synchronise`](Self::synchronise), at start, makes up for all of it, at the cost of reading the users once.
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
/// How many users are read at once.
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
    /// Whoever has what the groups give costs no call of their own: two hundred users are read at once, and
    /// their groups with them, or with one call more where the store does not [tell
    /// them](scim_core::pieces::Pieces::memberships) with the page. Whoever does not have it costs three calls.
    /// So *n* users of whom *k* are behind take at most *n* / 200 + 1 pages, as many calls for groups, and
    /// 3 *k* calls more, unless they are written meanwhile.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn synchronise(&self, tenant: &TenantId) -> Result<usize, StoreError> {
        let (Some(users), Some(groups)) = (registry().by_name("User"), registry().by_name("Group")) else {
            return Ok(0);
        };
        let scope = Scope { tenant, schema: users };
        let by_place = self.store.query_support().cursor;
        let mut query = Query {
            start: if by_place { Start::First } else { Start::Index(1) },
            count: PAGE,
            projection: Projection::parse(users, Some(EFFECTIVE_ACCESS), None)
                .map_err(|error| StoreError::Internal(error.into()))?,
            member_of: Some(Arc::clone(groups)),
            ..Query::default()
        };
        let mut changed = 0;
        loop {
            let page = self.store.query_in_pieces(scope, &query).await?;
            let read = page.resources.len();
            for id in self.behind_their_groups(Scope { tenant, schema: groups }, page.resources).await? {
                changed += usize::from(self.refresh(tenant, &id).await?);
            }
            query.start = match (query.start, page.next) {
                (Start::Index(at), _) if read == PAGE => Start::Index(at + PAGE),
                (Start::Index(_), _) | (_, None) => return Ok(changed),
                (_, Some(place)) => Start::After(place),
            };
        }
    }

    /// Those of a page of users who do not have what their groups give.
    async fn behind_their_groups(
        &self,
        groups: Scope<'_>,
        page: Vec<Pieces>,
    ) -> Result<Vec<ResourceId>, StoreError> {
        let untold = page.iter().filter(|pieces| pieces.memberships.is_none());
        let untold: Vec<ResourceId> = untold.filter_map(|pieces| pieces.resource.id()).collect();
        let mut access: HashMap<ResourceId, Access> = HashMap::with_capacity(untold.len());
        if !untold.is_empty() {
            for membership in self.store.memberships(groups, &untold).await? {
                if let Some(given) = self.given(membership.display.as_deref()) {
                    access.entry(membership.member).or_default().join(given);
                }
            }
        }
        let mut behind = Vec::new();
        for Pieces { resource: user, memberships, .. } in page {
            let user = user.resource()?;
            let Some(id) = user.id() else { continue };
            let access = match memberships {
                Some(memberships) => self.access_by(&memberships),
                None => access.remove(&id).unwrap_or_default(),
            };
            if user.extension(EFFECTIVE_ACCESS) != Some(&self.extension(&user, access)) {
                behind.push(id);
            }
        }
        Ok(behind)
    }

    /// Writes the access that the user `id` has now, and says whether it was another.
    async fn refresh(&self, tenant: &TenantId, id: &ResourceId) -> Result<bool, StoreError> {
        let (Some(users), Some(groups)) = (registry().by_name("User"), registry().by_name("Group")) else {
            return Ok(false);
        };
        let scope = Scope { tenant, schema: users };
        for _ in 0..ATTEMPTS {
            let Some(user) = self.store.read(scope, id, &Projection::default()).await? else {
                return Ok(false);
            };
            // INVARIANT: the groups are read after the user. Whoever came to know of fewer groups than
            // there are now then has an older version, and does not overwrite.
            let groups = Scope { tenant, schema: groups };
            let memberships = self.store.memberships(groups, std::slice::from_ref(id)).await?;
            let extension = self.extension(&user, self.access_by(&memberships));
            if user.extension(EFFECTIVE_ACCESS) == Some(&extension) {
                return Ok(false);
            }
            let change = Change { writes: writes(users, &user, extension), deltas: Vec::new() };
            let last_modified = format!("{:.3}", (self.now)());
            let update =
                Update { change: &change, unique: None, last_modified: &last_modified, members: None };
            match self.store.apply(scope, id, &update, user.version()).await {
                Ok(applied) => return Ok(matches!(applied, Applied::Changed(_))),
                Err(StoreError::NotFound) => return Ok(false),
                Err(StoreError::VersionMismatch) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::VersionMismatch)
    }

    /// What these groups of one user give.
    fn access_by(&self, memberships: &[Membership]) -> Access {
        let mut access = Access::default();
        memberships
            .iter()
            .filter_map(|membership| self.given(membership.display.as_deref()))
            .for_each(|given| access.join(given));
        access
    }

    /// What [`EFFECTIVE_ACCESS`] says of `user` with the access that groups give.
    fn extension(&self, user: &Resource, access: Access) -> Object {
        let seats = policy::seats(&user.0).given(&access, self.mapping.options());
        let Access { base_role, custom_roles, .. } = access;
        policy::extension(&Standing { active: true, base_role, custom_roles, seats }, &self.mapping)
    }

    /// What the group of this name gives, if it is mapped.
    fn given(&self, name: Option<&str>) -> Option<&Access> {
        self.mapping.group(name?)
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
        let (gave, gives) = (self.given(name(before.as_ref())), self.given(name(after.as_ref())));
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

fn name(group: Option<&Resource>) -> Option<&str> {
    group?.get("displayName")?.as_str()
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
