//! A store in memory, for tests and small embeddings.

mod groups;
mod keyed;
mod keys;
mod stored;
mod table;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::membership::{Ancestry, Membership};
use crate::pieces::Pieces;
use crate::projection::Projection;
use crate::query::{Place, Query, QuerySupport};
use crate::store::{
    Applied, Deletion, Modification, Modified, NoCircle, Page, Scope, Store, StoreError, Terms, Update,
};
use crate::validate::UniqueKey;
use crate::value::Value;
use crate::{Resource, ResourceId, TenantId, Version};
use stored::{Candidate, Looks, Row, Stored};
use table::{Table, claims};

/// Resources in memory; clones share them.
///
/// Lists without a sort are in the order of creation, and a page of one without a filter costs what
/// is on it. A look-up by `id`, by the value of a unique attribute or by a member is found by an
/// index, also when it is one term of an `and`; any other filter is evaluated on each resource, and so
/// is a sort. One lock guards everything and is never held across an await.
///
/// `members`, and what else is [keyed](crate::patch::keyed), are kept apart from the rest of their
/// resource and found by hash: a change of k of them costs k steps however many there are, a
/// filter that asks whether one is there one step for each group it looks at, and a read that leaves
/// them out nothing. A deletion takes its resource out of the groups it is in, and looks at no others.
///
/// Beside the rest of each resource the JSON text is kept that it is answered with, so that to answer is to copy
/// it. It takes as much memory as the text is long and about a hundred bytes more; after a change it is made with
/// the first answer.
///
/// ```
/// use scim_core::MemoryStore;
/// let store = MemoryStore::new();
/// assert_eq!(store.len(), 0);
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<RwLock<Tables>>,
}

/// One table for each resource type of each tenant.
type Tables = HashMap<TenantId, BTreeMap<Box<str>, Table>>;

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many resources there are, of all tenants and types.
    pub fn len(&self) -> usize {
        self.tables().values().flat_map(BTreeMap::values).map(|table| table.rows.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // A panic while the lock is held cannot leave a table half changed: each write checks first
    // and then only inserts and removes. So a poisoned lock is as good as any.
    fn tables(&self) -> RwLockReadGuard<'_, Tables> {
        self.shared.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tables_mut(&self) -> RwLockWriteGuard<'_, Tables> {
        self.shared.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn page<R>(
        &self,
        scope: Scope<'_>,
        query: &Query,
        mut returned: impl FnMut(Stored) -> R,
    ) -> Result<Page<R>, StoreError> {
        if query.sort.is_none() {
            return self.in_order_of_creation(scope, query, returned);
        }
        let looks = Looks::of(scope.schema, query);
        let all = self.candidates(scope, query, &looks, None, usize::MAX);
        let (mut total, mut ranking) = (0, query.ranking());
        for candidate in &all {
            let seen = candidate.seen();
            if query.filter.as_ref().is_none_or(|filter| filter.matches::<Value>(&seen.0)) {
                total += 1;
                ranking.offer(&seen, &candidate.stored);
            }
        }
        Ok(Page::of(query, Some(total), ranking.finish(), |stored| returned(stored.clone())))
    }

    /// A page in the order of creation, which is that of the rows' numbers.
    fn in_order_of_creation<R>(
        &self,
        scope: Scope<'_>,
        query: &Query,
        returned: impl FnMut(Stored) -> R,
    ) -> Result<Page<R>, StoreError> {
        let mut from = query.start.place().map(number).transpose()?;
        let (skip, backward) = (query.start.skip(), query.start.is_backward());
        let asks_total = query.start.asks_total();
        let Some(filter) = &query.filter else {
            let most = query.count.saturating_add(1);
            let rows = self.with_table(scope, |table| {
                let rows = table.walk(from, backward).skip(skip).take(most);
                let share = |row: &Row| row.share(scope.schema, &query.projection);
                (table.rows.len(), rows.map(|(number, row)| (number, share(row))).collect())
            });
            let (total, rows) = rows.unwrap_or_default();
            return Ok(Page::at(query, asks_total.then_some(total), rows, place, returned));
        };
        // Where the total is not asked for, no further than the page goes.
        let batch = if asks_total { usize::MAX } else { BATCH };
        let looks = Looks::of(scope.schema, query);
        let (mut matches, mut found) = (0, Vec::new());
        loop {
            let rows = self.candidates(scope, query, &looks, from, batch);
            let at_end = rows.len() < batch;
            for candidate in rows {
                from = Some(candidate.number);
                if !filter.matches::<Value>(&candidate.seen().0) {
                    continue;
                }
                if matches >= skip && found.len() <= query.count {
                    found.push((candidate.number, candidate.stored));
                }
                matches += 1;
            }
            if at_end || (!asks_total && found.len() > query.count) {
                return Ok(Page::at(query, asks_total.then_some(matches), found, place, returned));
            }
        }
    }

    /// The first `most` rows from `from` on that a query has to look at, with their groups where it
    /// looks at these.
    fn candidates(
        &self,
        scope: Scope<'_>,
        query: &Query,
        looks: &Looks,
        from: Option<u64>,
        most: usize,
    ) -> Vec<Candidate> {
        let (mut candidates, ancestry) = {
            let tables = self.tables();
            let Some(tables) = tables.get(scope.tenant) else { return Vec::new() };
            let Some(table) = tables.get(scope.schema.name()) else { return Vec::new() };
            let candidates = table.candidates(scope.schema, query, looks, from, most);
            let ancestry = query.hierarchy.as_ref().map(|hierarchy| {
                let mut ancestry = Ancestry::new(Arc::clone(hierarchy));
                ancestry.begin(scope.schema, candidates.iter().filter_map(Candidate::id));
                while let Some(ask) = ancestry.ask() {
                    let groups = tables.get(ask.groups.name());
                    let found = groups.map(|groups| groups.memberships(&ask.groups, &ask.members));
                    ancestry.learn(&ask, found.unwrap_or_default());
                }
                ancestry
            });
            (candidates, ancestry)
        };
        if let Some(ancestry) = ancestry {
            for candidate in &mut candidates {
                candidate.see(|resource| ancestry.complete(scope.schema, resource));
            }
        }
        candidates
    }

    /// Tells of each of `resources` which of `groups` have it as a member.
    fn tell_memberships(&self, groups: Scope<'_>, resources: &mut [Pieces]) {
        let tables = self.tables();
        let table = tables.get(groups.tenant).and_then(|tables| tables.get(groups.schema.name()));
        for pieces in resources {
            let of = |table: &Table| match pieces.resource.id_text() {
                Some(id) if table.groups.have(groups.schema, &id) => {
                    table.memberships(groups.schema, &[ResourceId::new(&*id)])
                }
                _ => Vec::new(),
            };
            pieces.memberships = Some(table.map(of).unwrap_or_default());
        }
    }

    fn with_table<T>(&self, scope: Scope<'_>, read: impl FnOnce(&Table) -> T) -> Option<T> {
        self.tables().get(scope.tenant)?.get(scope.schema.name()).map(read)
    }

    /// Writes the resource `id` to the table of the scope, if what is referred to is there and none of it is above;
    /// told which of `claims` a resource of another type has.
    fn with_table_mut<T>(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        terms: Terms<'_>,
        claims: &[UniqueKey],
        write: impl FnOnce(&mut Table, Option<&UniqueKey>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tables = self.tables_mut();
        let tenant = tables.entry(scope.tenant.clone()).or_default();
        let has = |kind: &str, id: &str| tenant.get(kind).is_some_and(|table| table.by_id.contains_key(id));
        without_circle(tenant, id, terms.no_circle)?;
        let references = terms.references;
        references.check(|id| references.types.iter().any(|kind| has(kind.name(), id.as_str())))?;
        let others = || tenant.iter().filter(|(name, _)| ***name != *scope.schema.name());
        let is_taken = |claim: &&UniqueKey| others().any(|(_, table)| table.by_key.get(claim).is_some());
        let elsewhere = claims.iter().find(is_taken);
        write(tenant.entry(scope.schema.name().into()).or_default(), elsewhere)
    }

    fn create_now(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        terms: Terms<'_>,
    ) -> Result<(), StoreError> {
        let id = resource.id().ok_or_else(|| StoreError::Internal("a resource without `id`".into()))?;
        let claims = claims(scope.schema, unique);
        let row = Row::new(scope.schema, resource, &claims);
        row.render();
        let create =
            |table: &mut Table, elsewhere: Option<&_>| table.create(scope.schema, id.clone(), row, elsewhere);
        self.with_table_mut(scope, &id, terms, &claims, create)
    }

    fn replace_now(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
        terms: Terms<'_>,
    ) -> Result<(), StoreError> {
        let id = resource.id().ok_or(StoreError::NotFound)?;
        let claims = claims(scope.schema, unique);
        let row = Row::new(scope.schema, resource, &claims);
        row.render();
        // The former row may be large; it is dropped without the lock.
        let former = self.with_table_mut(scope, &id, terms, &claims, |table, elsewhere| {
            let sequence = table.expect(&id, Some(expected))?;
            table.claim(sequence, scope.schema, &claims, elsewhere)?;
            if let Some(former) = table.rows.get(&sequence) {
                table.groups.forget(scope.schema, sequence, former);
            }
            table.groups.know(scope.schema, sequence, &row);
            Ok(table.rows.insert(sequence, row))
        })?;
        drop(former);
        Ok(())
    }

    fn apply_now(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Option<Version>,
        terms: Terms<'_>,
    ) -> Result<Applied, StoreError> {
        let claims = update.unique.map(|unique| claims(scope.schema, unique));
        let claimed = claims.as_deref().unwrap_or_default();
        self.with_table_mut(scope, id, terms, claimed, |table, elsewhere| {
            let sequence = table.expect(id, expected)?;
            if let Some(claims) = &claims {
                table.claim(sequence, scope.schema, claims, elsewhere)?;
            }
            let row = table.rows.get_mut(&sequence).ok_or(StoreError::NotFound)?;
            let version = row.head().version();
            let version = version.ok_or_else(|| StoreError::Internal("a resource without version".into()))?;
            let followed = table.groups.follow(scope.schema, sequence, update.change);
            if !followed {
                table.groups.forget(scope.schema, sequence, row);
            }
            let changed = row.apply(scope.schema, update.change, update.members);
            if !followed {
                table.groups.know(scope.schema, sequence, row);
            }
            Ok(match changed {
                true => Applied::Changed(update.stamp(row.head_mut(), version)),
                false => Applied::Unchanged(version),
            })
        })
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("len", &self.len()).finish()
    }
}

impl Store for MemoryStore {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        self.create_now(scope, resource, unique, Terms::default())
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        let share = |row: &Row| row.share(scope.schema, projection);
        let stored = self.with_table(scope, |table| table.row(id).map(share)).flatten();
        Ok(stored.map(|stored| stored.project(scope.schema, projection)))
    }

    fn query_support(&self) -> QuerySupport {
        QuerySupport::ALL
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        self.page(scope, query, |stored| stored.project(scope.schema, &query.projection))
    }

    async fn read_in_pieces(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Pieces>, StoreError> {
        let share = |row: &Row| row.share(scope.schema, projection);
        let stored = self.with_table(scope, |table| table.row(id).map(share)).flatten();
        Ok(stored.map(Stored::into_pieces))
    }

    async fn query_in_pieces(&self, scope: Scope<'_>, query: &Query) -> Result<Page<Pieces>, StoreError> {
        let mut page = self.page(scope, query, Stored::into_pieces)?;
        if let Some(groups) = &query.member_of {
            self.tell_memberships(Scope { schema: groups, ..scope }, &mut page.resources);
        }
        Ok(page)
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        self.replace_now(scope, resource, unique, expected, Terms::default())
    }

    async fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Option<Version>,
    ) -> Result<Applied, StoreError> {
        self.apply_now(scope, id, update, expected, Terms::default())
    }

    async fn modify(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        match modification {
            Modification::Create { resource, unique } => {
                self.create_now(scope, resource, unique, terms)?;
                Ok(Modified::Changed(resource.version()))
            }
            Modification::Replace { resource, unique, expected } => {
                self.replace_now(scope, resource, unique, expected, terms)?;
                Ok(Modified::Changed(resource.version()))
            }
            Modification::Apply { id, update, expected } => {
                Ok(self.apply_now(scope, id, update, expected, terms)?.into())
            }
            Modification::Delete { id, deletion } => {
                self.delete(scope, id, &deletion).await?;
                Ok(Modified::Changed(None))
            }
        }
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        let former = {
            let mut tables = self.tables_mut();
            let tables = tables.get_mut(scope.tenant).ok_or(StoreError::NotFound)?;
            let table = tables.get_mut(scope.schema.name()).ok_or(StoreError::NotFound)?;
            let former = table.delete(scope.schema, id, deletion.expected)?;
            for schema in deletion.groups {
                if let Some(table) = tables.get_mut(schema.name()) {
                    table.leave(schema, id, deletion);
                }
            }
            former
        };
        if let (Some(former), Some(noted)) = (former, deletion.members) {
            former.note_members(noted);
        }
        Ok(())
    }

    fn checks_circles(&self) -> bool {
        true
    }

    async fn memberships(
        &self,
        groups: Scope<'_>,
        members: &[ResourceId],
    ) -> Result<Vec<Membership>, StoreError> {
        Ok(self.with_table(groups, |table| table.memberships(groups.schema, members)).unwrap_or_default())
    }

    async fn count_members(&self, groups: Scope<'_>, id: &ResourceId) -> Result<usize, StoreError> {
        let count = |table: &Table| table.row(id).map_or(0, Row::count_members);
        Ok(self.with_table(groups, count).unwrap_or_default())
    }

    async fn members_among(
        &self,
        groups: Scope<'_>,
        id: &ResourceId,
        members: &[ResourceId],
    ) -> Result<Vec<ResourceId>, StoreError> {
        let among = |table: &Table| table.members_among(groups.schema, id, members);
        Ok(self.with_table(groups, among).unwrap_or_default())
    }

    async fn missing(
        &self,
        scope: Scope<'_>,
        mut ids: Vec<ResourceId>,
    ) -> Result<Vec<ResourceId>, StoreError> {
        self.with_table(scope, |table| ids.retain(|id| !table.by_id.contains_key(id.as_str())));
        Ok(ids)
    }
}

/// Sees that none of the members is above the group `id`.
fn without_circle(
    tables: &BTreeMap<Box<str>, Table>,
    id: &ResourceId,
    no_circle: NoCircle<'_>,
) -> Result<(), StoreError> {
    let mut search = no_circle.search(id)?;
    while let Some(asked) = search.ask() {
        for schema in no_circle.types {
            let found = tables.get(schema.name()).map(|table| table.memberships(schema, &asked));
            search.learn(found.into_iter().flatten().map(|membership| membership.group))?;
        }
    }
    Ok(())
}

/// The place of a row in the order of creation.
fn place(number: &u64) -> Place {
    Place::Own(number.to_string().into())
}

fn number(place: &Place) -> Result<u64, StoreError> {
    match place {
        Place::Own(number) => number.parse().map_err(|_| StoreError::UnknownPlace),
        Place::Sorted(..) => Err(StoreError::UnknownPlace),
    }
}

/// Rows looked at in one go where few may be enough.
const BATCH: usize = 1024;
