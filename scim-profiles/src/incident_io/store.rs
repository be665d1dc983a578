//! A store in which users have what their groups give.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

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
use super::effect::{Effect, is_assigned};
use super::schema::{EFFECTIVE_ACCESS, registry};
use super::slack::ActiveInSlack;

/// A store that keeps [`EFFECTIVE_ACCESS`] of users up to date with the groups they are in.
///
/// Whenever members of a mapped group come or go, or a group comes by another name or goes, the access
/// of those concerned is [resolved](RoleMapping::resolve) again and written, with a new version. One
/// member more costs a look-up of the groups of that one, however large the group is. The audit trail has the
/// change of the group, from which that of the access follows.
///
/// # Who is not assigned any more
///
/// `active` of a user is what the identity provider says: whether the user is assigned. What becomes of the
/// user is written with it, in the same write and version: who is not assigned any more is inactive in
/// [`EFFECTIVE_ACCESS`] too, or still [active in Slack](Self::with_active_in_slack), and therefore active there, with
/// the roles that [`Options::in_slack`](super::Options::in_slack) leaves. `active` stays `false` beside it, so that
/// the identity provider reads back what it wrote, and can say that the user is assigned again. Then groups give what they give
/// by now; until then none of them gives or takes anything. A deletion takes the user out of the directory, and
/// with it out of the service: what incident.io does with its own user then is not documented.
///
/// # Beside a preview
///
/// Where nobody was before, users have in the end what a [`Preview`](super::Preview) of an installation says of their
/// people, and after each write what it says of a synchronisation. The store's users are the people themselves, and each has
/// their own access: who comes with the e-mail address of somebody who is not assigned any more begins anew here, where
/// the preview links them to the user that is there, with the seats of that one.
///
/// # What is left undone
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
    effect: Arc<Effect>,
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
        Self { store, effect: Arc::new(Effect { mapping, slack: ActiveInSlack::default() }), now }
    }

    /// The same where these are active in Slack, and stay active when they are not assigned any more. Whom it leaves
    /// out who stayed before is deactivated by [`synchronise`](Self::synchronise).
    ///
    /// [Guards](crate::guard::IncidentIoRoles::with_active_in_slack) are to be told the same.
    #[must_use]
    pub fn with_active_in_slack(self, slack: ActiveInSlack) -> Self {
        let mapping = self.effect.mapping.clone();
        Self { effect: Arc::new(Effect { mapping, slack }), ..self }
    }

    /// The mapping.
    pub fn mapping(&self) -> &RoleMapping {
        &self.effect.mapping
    }

    /// Brings the access of all users of `tenant` up to date, after the mapping or those who are active in Slack
    /// became others or writes were left undone, and says of how many it changed.
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
        // What it depends on besides groups, and what it is.
        let looked_at = format!("active,emails,userName,{EFFECTIVE_ACCESS}");
        let by_place = self.store.query_support().cursor;
        let mut query = Query {
            start: if by_place { Start::First } else { Start::Index(1) },
            count: PAGE,
            projection: Projection::parse(users, Some(&looked_at), None)
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
                if let Some(given) = self.effect.given(membership.display.as_deref()) {
                    access.entry(membership.member).or_default().join(given);
                }
            }
        }
        let mut behind = Vec::new();
        for Pieces { resource: user, memberships, .. } in page {
            let user = user.resource()?;
            let Some(id) = user.id() else { continue };
            let access = match memberships {
                Some(memberships) => self.effect.access_by(&memberships),
                None => access.remove(&id).unwrap_or_default(),
            };
            if user.extension(EFFECTIVE_ACCESS) != Some(&self.effect.extension(&user, &user, access)) {
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
            let access =
                if is_assigned(&user) { self.access_of(groups, id).await? } else { Access::default() };
            let extension = self.effect.extension(&user, &user, access);
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

    /// What the groups give that the user `id` is in.
    async fn access_of(&self, groups: Scope<'_>, id: &ResourceId) -> Result<Access, StoreError> {
        let memberships = self.store.memberships(groups, std::slice::from_ref(id)).await?;
        Ok(self.effect.access_by(&memberships))
    }

    /// Makes a modification of a user with what becomes of their access by it.
    async fn modify_user(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let (id, expected) = match &modification {
            Modification::Replace { resource, expected, .. } => (resource.id(), Some(*expected)),
            Modification::Apply { id, update, expected } if concerns_standing(update.change) => {
                (Some((*id).clone()), *expected)
            }
            _ => (None, None),
        };
        let before = match &id {
            Some(id) => self.store.read(scope, id, &Projection::default()).await?,
            None => None,
        };
        // Who is not there is for the store to say.
        let (Some(id), Some(before)) = (id, before) else {
            return self.store.modify(scope, modification, terms).await;
        };
        let version = before.version();
        if expected.is_some() && expected != version {
            return Err(StoreError::VersionMismatch);
        }
        let mut after = match &modification {
            Modification::Replace { resource, .. } => (*resource).clone(),
            _ => before.clone(),
        };
        if let Modification::Apply { update, .. } = &modification {
            update.change.apply(&mut after);
        }
        let is_assigned_again = !is_assigned(&before) && is_assigned(&after);
        let access = match registry().by_name("Group").filter(|_| is_assigned_again) {
            Some(schema) => self.access_of(Scope { schema, ..scope }, &id).await?,
            None => Access::default(),
        };
        let settled = self.effect.becomes(&before, &after, access);
        let settled = settled.map(|extension| writes(scope.schema, &after, extension));
        let modified = match (modification, settled) {
            (Modification::Replace { unique, expected, .. }, Some(writes)) => {
                Change { writes, deltas: Vec::new() }.apply(&mut after);
                let replaced = Modification::Replace { resource: &after, unique, expected };
                self.store.modify(scope, replaced, terms).await?
            }
            (Modification::Apply { id, update, .. }, Some(writes)) => {
                let mut change = update.change.clone();
                change.writes.extend(writes);
                let update = Update { change: &change, ..update.clone() };
                let applied = Modification::Apply { id, update: &update, expected: version };
                self.store.modify(scope, applied, terms).await?
            }
            (asked, _) => self.store.modify(scope, asked, terms).await?,
        };
        if is_assigned_again {
            // INVARIANT: the groups are read again after the write. Who came into one before it found nobody
            // assigned, and left the access to this write.
            self.refresh(scope.tenant, &id).await?;
        }
        Ok(modified)
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
        let given = |group: &Option<Resource>| self.effect.given(name(group.as_ref()));
        let (gave, gives) = (given(&before), given(&after));
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

/// Whether a change of a user may concern whether they are assigned, or their e-mail address, by which they are known
/// in Slack.
fn concerns_standing(change: &Change) -> bool {
    let concerns =
        |name: &str| ["active", "emails", "userName"].iter().any(|one| one.eq_ignore_ascii_case(name));
    change.writes.iter().any(|write| write.extension.is_none() && concerns(&write.attribute))
        || change.deltas.iter().any(|delta| concerns(&delta.attribute))
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
        let schema = scope.schema;
        match schema.base().id.as_str() {
            builtin::GROUP => self.modify_group(scope, modification, terms).await,
            builtin::USER if schema.extension(EFFECTIVE_ACCESS).is_some() => {
                self.modify_user(scope, modification, terms).await
            }
            _ => self.store.modify(scope, modification, terms).await,
        }
    }

    fn completes_itself(&self) -> bool {
        true
    }
}
