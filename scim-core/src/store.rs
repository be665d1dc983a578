//! Where resources live: the one trait an embedder implements.

mod evaluate;
mod hold;
mod layer;
mod members;
mod modification;
mod no_circle;
mod shared;
mod terms;
mod waiting;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use evaluate::{check_unique, evaluate, find, project};
pub use hold::ResourceHold;
pub use layer::StoreLayer;
pub use members::ChangedMembers;
pub use modification::{Modification, Modified};
pub use no_circle::{CircleSearch, NoCircle};
pub use terms::{References, Terms};
pub use waiting::Waiting;

use crate::audit::{GroupsLeft, Record};
use crate::membership::{self, Membership};
use crate::patch::Change;
use crate::pieces::Pieces;
use crate::projection::Projection;
use crate::query::{Place, Query, QuerySupport};
use crate::schema::ResourceSchema;
use crate::validate::{self, UniqueKey};
use crate::value::{Object, Value};
use crate::{Error, Resource, ResourceId, TenantId, Version};

/// The scope of a store call: whose resources, of which type.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Whose resources; comes from the credential.
    pub tenant: &'a TenantId,
    /// Their type and schema.
    pub schema: &'a ResourceSchema,
}

/// Storage for resources.
///
/// Resources reach the store complete: validated, with `id`, `meta.resourceType`, `meta.created`,
/// `meta.lastModified` and `meta.version`. Every write is all or nothing, and acknowledged only once
/// it lasts. No text in them, nor in what is asked for, holds U+0000, which not every database can
/// keep.
///
/// What must hold of a store, and how it is tested, stands in the `testkit` (feature `testkit`): run
/// its laws against yours.
pub trait Store: Send + Sync + 'static {
    /// Stores a new resource; [`StoreError::Conflict`] if the `id` is taken, or a unique key, by a
    /// resource of this type or of another that has the schema of the key ([`UniqueKey::qualified`]).
    fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Reads one resource: what `projection` includes, and always `schemas`, `id` and `meta`.
    ///
    /// More than that is no error, only wasted work: the service takes out what was not asked for. So a store
    /// that keeps the members of groups apart reads those that the projection [names](Projection::values_of)
    /// alone, if it names some.
    fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> impl Future<Output = Result<Option<Resource>, StoreError>> + Send;

    /// Which list requests [`query`](Self::query) answers; as provided, those without sort and
    /// cursor. A store that hands each query to [`evaluate`] answers
    /// [`QuerySupport::EVALUATED`].
    fn query_support(&self) -> QuerySupport {
        QuerySupport::default()
    }

    /// Finds the resources `query` asks for, in its order or else in that of their creation, so that
    /// pages by index hold together while others write.
    ///
    /// Each has what the query's projection includes, and always `schemas`, `id` and `meta`. The
    /// filter and the sort may name attributes that the projection leaves out. [`Page::of`] makes
    /// the page out of results and their places.
    ///
    /// A sorted list, and one by cursors, has a total order in which places stay what they are: who
    /// goes from page to page meets each resource that was there all the time, and did not change
    /// its sort key, exactly once, whatever is written meanwhile.
    fn query(&self, scope: Scope<'_>, query: &Query)
    -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// Reads one resource as [`read`](Self::read) does, to be written piece by piece.
    ///
    /// The values are those that a read has, each once, but not always in its order: RFC 7643 §2.4 gives
    /// them none, and what is read a few at a time is best read in that of an index.
    ///
    /// As provided, it is one piece. A store that keeps the values of an attribute apart from the
    /// rest, such as the members of groups in rows of their own, should give them in [pieces](Pieces),
    /// and one that has resources in memory should share them.
    fn read_in_pieces(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> impl Future<Output = Result<Option<Pieces>, StoreError>> + Send {
        async move { Ok(self.read(scope, id, projection).await?.map(Pieces::from)) }
    }

    /// Finds the resources `query` asks for as [`query`](Self::query) does, to be written piece by
    /// piece. A long list is asked for page by page, each behind the [place](Page::next) of the one
    /// before, so what a page takes is the page's size alone.
    fn query_in_pieces(
        &self,
        scope: Scope<'_>,
        query: &Query,
    ) -> impl Future<Output = Result<Page<Pieces>, StoreError>> + Send {
        async move { Ok(self.query(scope, query).await?.map(Pieces::from)) }
    }

    /// Replaces the resource with that `id`, if its version is still `expected`.
    fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Applies a change to the resource `id`, if its version is still `expected` (any, if `None`),
    /// and sets `meta.lastModified` and the next `meta.version` if anything became different.
    ///
    /// Without an expected version a change does what it says to whatever is there when it is made,
    /// so that of many who add and remove members at the same time none has to begin again. A store
    /// that cannot hold others off meanwhile may still answer [`StoreError::VersionMismatch`]; the
    /// service then makes the change again, a bounded number of times.
    ///
    /// Which members go and come it [notes](Update::members), if it is asked to and anything became different.
    ///
    /// As provided, the resource is read, changed and replaced. A store that keeps `members` apart
    /// from the rest should apply the deltas of the change to them, so that adding one to a million
    /// costs what adding one to ten does.
    fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Option<Version>,
    ) -> impl Future<Output = Result<Applied, StoreError>> + Send {
        async move {
            let current = self.read(scope, id, &Projection::default()).await?;
            let mut resource = current.ok_or(StoreError::NotFound)?;
            let members = update.members.map(|noted| (noted, resource.get(membership::MEMBERS).cloned()));
            let version = resource.version();
            let version = version.ok_or_else(|| StoreError::Internal("a resource without version".into()))?;
            if expected.is_some_and(|expected| expected != version) {
                return Err(StoreError::VersionMismatch);
            }
            if !update.change.apply(&mut resource) {
                return Ok(Applied::Unchanged(version));
            }
            if let Some((noted, before)) = members {
                noted.difference(before.as_ref(), resource.get(membership::MEMBERS));
            }
            let next = update.stamp(&mut resource, version);
            match update.unique {
                Some(unique) => self.replace(scope, &resource, unique, version).await?,
                None => {
                    let unique = validate::unique_keys(scope.schema, &resource);
                    self.replace(scope, &resource, &unique, version).await?;
                }
            }
            Ok(Applied::Changed(next))
        }
    }

    /// Deletes the resource `id`, if its version is still the one `deletion` expects, and in the same
    /// transaction takes it out of the groups that have it as a member: those of the tenant whose
    /// type is one of [`Deletion::groups`]. Each group it leaves gets its
    /// [next version](Version::next) and the `meta.lastModified` of the deletion; the others stay as
    /// they are.
    ///
    /// It should cost what it changes: the resource, and a member of each group that it is in. Of a group it
    /// notes whom it had as [members](Deletion::members).
    fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes one modification, with what [belongs to it](Terms). The service calls nothing else to change
    /// resources.
    ///
    /// As provided, it is the method for it. [What it refers to](References) is looked for before, and again
    /// after it: who was deleted meanwhile is then taken out, with a version of its own. So nobody is named who
    /// is not there, but for a moment, and after a crash within it. A store that has transactions, or a lock,
    /// should look in that of the change, and only once.
    fn modify(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> impl Future<Output = Result<Modified, StoreError>> + Send {
        async move {
            let references = terms.references;
            references.look_up(self, scope.tenant).await?;
            let modified = match modification {
                Modification::Create { resource, unique } => {
                    self.create(scope, resource, unique).await?;
                    Modified::Changed(resource.version())
                }
                Modification::Replace { resource, unique, expected } => {
                    self.replace(scope, resource, unique, expected).await?;
                    Modified::Changed(resource.version())
                }
                Modification::Apply { id, update, expected } => {
                    self.apply(scope, id, update, expected).await?.into()
                }
                Modification::Delete { id, deletion } => {
                    self.delete(scope, id, &deletion).await?;
                    Modified::Changed(None)
                }
            };
            references.settle(self, scope, &modification).await?;
            Ok(modified)
        }
    }

    /// Holds the resource `id` for one write that is read for and made by one request, so that no other comes
    /// between: what is made with the [hold](Terms::hold) goes on, and other writes of the resource wait until
    /// it is made, or the hold is dropped.
    ///
    /// The service asks for it after a write lost its race a few times, once no other request of the service
    /// writes the resource; so only a store that several processes write to has to do anything, and as provided
    /// nothing is held. Who waits is to wait for a bounded time, also where the process that holds the resource
    /// has ended: versions keep every write right, and one that is made in spite of a hold costs its holder a race.
    /// Holding needs no lock, and no transaction that is open meanwhile: a mark on the row is enough, which who locks the row
    /// finds there.
    fn hold(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
    ) -> impl Future<Output = Result<ResourceHold, StoreError>> + Send {
        let _ = (scope, id);
        async { Ok(ResourceHold::default()) }
    }

    /// Whether the store may complete what it is given, such as with what it allots, so that the service
    /// reads a resource again before it answers a write with it. As provided, what is stored is what was
    /// given.
    fn completes(&self) -> bool {
        false
    }

    /// Whether the store sees to it by itself that no change [closes a circle](NoCircle) of groups, together with
    /// all others that are made at the same time. As provided, it does not: the service looks before the change, and
    /// of two changes at the same moment that close a circle together, both may be made.
    fn checks_circles(&self) -> bool {
        false
    }

    /// Whether the store keeps the [audit trail](crate::audit), so that [`modify`](Self::modify) and
    /// [`keep`](Self::keep) are to be given its records. As provided, it does not.
    fn keeps_audit(&self) -> bool {
        false
    }

    /// Keeps the record of a request that changed nothing: one that was refused or failed, or on which the policy
    /// [remarked](crate::policy::Policy::remarks).
    fn keep(&self, record: &Record) -> impl Future<Output = Result<(), StoreError>> + Send {
        let _ = record;
        async { Ok(()) }
    }

    /// Who of `members` is in which groups of the scope, each pair once.
    ///
    /// As provided, the groups are queried for each member on its own; a store that can look many up at
    /// once, by an index from members to their groups, should: a list of users with their `groups`
    /// asks for all of them.
    fn memberships(
        &self,
        groups: Scope<'_>,
        members: &[ResourceId],
    ) -> impl Future<Output = Result<Vec<Membership>, StoreError>> + Send {
        async move {
            let mut memberships = Vec::new();
            for member in members {
                let query = membership::groups_with(groups.schema, member)?;
                let found = self.query(groups, &query).await.map_err(|error| match error {
                    StoreError::UnsupportedFilter(text) => StoreError::Internal(
                        format!("the groups of a resource cannot be looked up: {text}").into(),
                    ),
                    error => error,
                })?;
                let group = |group: &Resource| Membership::of(member, group);
                memberships.extend(found.resources.iter().filter_map(group));
            }
            Ok(memberships)
        }
    }

    /// How many members the group `id` has; none, if there is no such group.
    ///
    /// As provided, the group is read with its members; a store that can count them without should.
    fn count_members(
        &self,
        groups: Scope<'_>,
        id: &ResourceId,
    ) -> impl Future<Output = Result<usize, StoreError>> + Send {
        async move {
            let group = self.read(groups, id, &Projection::default()).await?;
            Ok(group.map_or(0, |group| membership::member_ids(group.get(membership::MEMBERS)).count()))
        }
    }

    /// Which of `members` are members of the group `id`, in the order asked for, each once.
    ///
    /// As provided, the group is read with its members; a store that can look them up should, so that
    /// it costs what is asked for, however many others there are.
    fn members_among(
        &self,
        groups: Scope<'_>,
        id: &ResourceId,
        members: &[ResourceId],
    ) -> impl Future<Output = Result<Vec<ResourceId>, StoreError>> + Send {
        async move {
            let group = self.read(groups, id, &Projection::default()).await?.unwrap_or_default();
            Ok(membership::among(groups.schema, &group, members))
        }
    }

    /// Which of `ids` are no resources of the scope. As provided, each is read on its own; a store
    /// that can look many up at once should.
    fn missing(
        &self,
        scope: Scope<'_>,
        ids: Vec<ResourceId>,
    ) -> impl Future<Output = Result<Vec<ResourceId>, StoreError>> + Send {
        async move {
            let nothing_large = Projection::without("members");
            let mut missing = Vec::new();
            for id in ids {
                if self.read(scope, &id, &nothing_large).await?.is_none() {
                    missing.push(id);
                }
            }
            Ok(missing)
        }
    }
}

/// A change with what belongs to it.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// What changes.
    pub change: &'a Change,
    /// The unique keys the resource will have; `None` where the change concerns none of them, and
    /// those that the resource has stay.
    pub unique: Option<&'a [UniqueKey]>,
    /// `meta.lastModified` if anything became different.
    pub last_modified: &'a str,
    /// Where to note which `members` come and go, for the [audit trail](crate::audit).
    pub members: Option<&'a ChangedMembers>,
}

impl Update<'_> {
    /// Sets `meta.lastModified` and `meta.version` of a resource that became different from what it
    /// was in `version`, and returns its new version.
    pub fn stamp(&self, resource: &mut Resource, version: Version) -> Version {
        let next = version.next();
        stamp(resource, self.last_modified, next);
        next
    }

    /// Forgets what was noted: for a store that makes the change again, having undone it.
    pub fn begin_again(&self) {
        if let Some(members) = self.members {
            members.begin_again();
        }
    }
}

/// A deletion with what belongs to it.
#[derive(Clone, Copy, Debug)]
pub struct Deletion<'a> {
    /// The version that the resource must have; any, if `None`.
    ///
    /// The service names it in every deletion that a client asks for, and none where it takes back a
    /// resource that it created within the same bulk request.
    pub expected: Option<Version>,
    /// The types of the groups that the resource may be a member of
    /// ([`Registry::group_types`](crate::schema::Registry::group_types)).
    pub groups: &'a [Arc<ResourceSchema>],
    /// `meta.lastModified` of the groups it was a member of.
    pub last_modified: &'a str,
    /// Where to note these groups, for the [audit trail](crate::audit).
    pub left: Option<&'a LeftGroups>,
    /// Where to note the `members` that a deleted group had, for the [audit trail](crate::audit).
    pub members: Option<&'a ChangedMembers>,
}

impl Deletion<'_> {
    /// Sets `meta.lastModified` and `meta.version` of a group that lost the deleted member, and notes that
    /// it is [left](Self::left).
    pub fn stamp(&self, group: &mut Resource) {
        let version = group.version().unwrap_or(Version(0)).next();
        stamp(group, self.last_modified, version);
        if let Some(left) = self.left {
            left.note(group);
        }
    }

    /// Notes the [members](Self::members) that the deleted resource had.
    pub fn note_members(&self, deleted: &Resource) {
        if let Some(members) = self.members {
            members.difference(deleted.get(membership::MEMBERS), None);
        }
    }

    /// Forgets what was noted: for a store that makes the deletion again, having undone it.
    pub fn begin_again(&self) {
        if let Some(left) = self.left {
            *left.groups() = GroupsLeft::default();
        }
        if let Some(members) = self.members {
            members.begin_again();
        }
    }
}

/// The groups that a resource was taken out of because it was deleted, noted while that is done.
#[derive(Debug, Default)]
pub struct LeftGroups(Mutex<GroupsLeft>);

impl LeftGroups {
    /// What is noted so far; `None` if no group was left.
    pub fn told(&self) -> Option<GroupsLeft> {
        Some(self.groups().clone()).filter(|left| left.count > 0)
    }

    fn note(&self, group: &Resource) {
        let mut left = self.groups();
        left.count += 1;
        if left.first.len() < GroupsLeft::MOST
            && let Some(id) = group.id()
        {
            left.first.push(match group.resource_type() {
                Some(kind) => format!("{kind}/{id}").into(),
                None => id.as_str().into(),
            });
        }
    }

    fn groups(&self) -> MutexGuard<'_, GroupsLeft> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets `meta.lastModified` and `meta.version`.
pub(crate) fn stamp(resource: &mut Resource, last_modified: &str, version: Version) {
    if resource.get("meta").and_then(Value::as_object).is_none() {
        resource.0.insert("meta", Object::new());
    }
    if let Some(meta) = resource.0.get_mut("meta").and_then(Value::as_object_mut) {
        meta.insert("lastModified", last_modified);
        meta.insert("version", version.to_string());
    }
}

/// What [`Store::apply`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The resource became different, and has this new version.
    Changed(Version),
    /// The resource already was as asked; `lastModified` and this version stay.
    Unchanged(Version),
}

/// One page of a query's results.
#[derive(Clone, Debug)]
pub struct Page<R = Resource> {
    /// How many resources match in all; always there where [`Start::asks_total`](crate::query::Start::asks_total).
    pub total: Option<usize>,
    /// The resources of the page.
    pub resources: Vec<R>,
    /// The place of the first resource of the page, unless it begins the list.
    pub previous: Option<Place>,
    /// The place of the last resource of the page, unless it ends the list.
    pub next: Option<Place>,
}

impl<R> Page<R> {
    /// The page with each of its resources as `resource` makes it.
    pub fn map<T>(self, resource: impl FnMut(R) -> T) -> Page<T> {
        let Self { total, resources, previous, next } = self;
        Page { total, resources: resources.into_iter().map(resource).collect(), previous, next }
    }
}

/// Nothing was found, and nothing counted.
impl<R> Default for Page<R> {
    fn default() -> Self {
        Self { total: None, resources: Vec::new(), previous: None, next: None }
    }
}

/// Why a store call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No such resource in the scope.
    #[error("no such resource")]
    NotFound,
    /// Another resource has the value of a unique attribute.
    #[error("`{attribute}` is taken")]
    Conflict {
        /// The attribute.
        attribute: String,
    },
    /// What the change [refers to](References) is not there.
    #[error("`{0}` is referred to, and is not there")]
    Dangling(ResourceId),
    /// A member that the change adds to a group has the group as a member, directly or through other groups, which it
    /// [may not](NoCircle).
    #[error("`{0}` has the group as a member")]
    Circle(ResourceId),
    /// The resource has another version than expected.
    #[error("the resource was changed meanwhile")]
    VersionMismatch,
    /// The store does not evaluate this filter; the text names the clause.
    #[error("{0}")]
    UnsupportedFilter(String),
    /// The store does not sort by this attribute; the text names it.
    #[error("{0}")]
    UnsupportedSort(String),
    /// The store does not permit the change, as one does that guards another, or that has to give what is
    /// used up; the client is told the error as it is.
    #[error("refused: {0}")]
    Refused(Error),
    /// The store knows no such place in a list.
    #[error("no such place in the list")]
    UnknownPlace,
    /// The store cannot answer now; the client may try again.
    ///
    /// What is left of a bulk request is not tried then, since each operation might wait for as long. A store that is
    /// only busy for a moment should wait or try again by itself before it says so.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store was to make a change, and cannot tell whether it is made: it was not told before the connection
    /// broke off, or the time was up. If it is made, it is made as a whole.
    #[error("the store cannot tell whether the change was made")]
    OutcomeUnknown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another [holds](Store::hold) what is to be written, and whoever asked for it [waits by itself](Terms::waiting).
    /// Nothing was made.
    #[error("another request is to write the resource first")]
    PutOff,
    /// Anything else; never shown to a client.
    #[error("store failure")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether the store did not answer, and may be waited for in vain by the next call too.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::OutcomeUnknown(_))
    }
}
