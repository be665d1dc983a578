//! [`SqlStore`]: resources in an SQLite or PostgreSQL database.
//!
//! A resource is a JSON text; what resources are found by stands beside it in indexed rows, and the
//! members of groups in rows of their own, so that adding or removing k members costs k rows and
//! never reads the others. Tables, statements and answers are the same in both databases; what
//! differs between the two is in `database.rs`.

mod audit;
mod claims;
mod condition;
mod connections;
mod database;
mod direct;
#[cfg(test)]
mod dropped;
mod groups;
mod guard;
mod holds;
mod keys;
mod marks;
mod member_writes;
mod members;
mod nesting;
mod order;
mod pieces;
mod query;
mod renew;
mod row;
mod serves;
#[cfg(test)]
mod tests;
mod turns;
#[cfg(test)]
mod upgrade;

use std::collections::HashSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use scim_core::audit::Record;
use scim_core::membership::Membership;
use scim_core::pieces::Pieces;
use scim_core::projection::Projection;
use scim_core::query::{Query, QuerySupport};
use scim_core::store::{
    Applied, Deletion, Modification, Modified, Page, ResourceHold, Scope, Store, StoreError, Terms, Update,
};
use scim_core::validate::{UniqueKey, unique_keys};
use scim_core::{Resource, ResourceId, Version};

pub use audit::{AuditPage, AuditPlace, AuditQuery};
pub use claims::{LostClaim, LostClaims};
pub use database::Limits;
use database::{Database, Statement, batches, retrying};
use marks::Passes;
use nesting::without_circle;
use row::{
    CHANGED_ROW, DELETED_ROW, ROW, Row, by_id, decode, decode_value, encode, internal, locked, number,
    referable, row,
};
use turns::Turns;

/// A [`Store`] over SQLite or PostgreSQL; clones share the database.
///
/// A write that was acknowledged survives the end of the process and of the machine. In SQLite,
/// `synchronous` is `FULL` for that: in WAL mode `NORMAL` would already survive a killed process, but
/// an identity provider that was told 201 does not ask again after a power cut.
///
/// Several processes may have stores over one database.
#[derive(Clone)]
pub struct SqlStore {
    database: Database,
    turns: Arc<Turns>,
    keeps_audit: bool,
}

impl SqlStore {
    /// Opens the SQLite database file `path`, creating it and its tables where missing.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, is no SQLite database, or is one of another program or version.
    pub async fn open(path: &Path) -> anyhow::Result<Self> {
        Self::open_within(path, &Limits::default()).await
    }

    /// Opens the SQLite database as [`open`](Self::open) does, within limits of your own.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn open_within(path: &Path, limits: &Limits) -> anyhow::Result<Self> {
        Ok(Self { database: Database::open(path, limits).await?, turns: Arc::default(), keeps_audit: false })
    }

    /// An empty SQLite database that lives as long as the store.
    ///
    /// # Errors
    ///
    /// SQLite cannot make one.
    pub async fn in_memory() -> anyhow::Result<Self> {
        Self::in_memory_within(&Limits::default()).await
    }

    /// The same, within limits of your own.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn in_memory_within(limits: &Limits) -> anyhow::Result<Self> {
        Ok(Self { database: Database::in_memory(limits).await?, turns: Arc::default(), keeps_audit: false })
    }

    /// Connects to the PostgreSQL database that `url` names (`postgres://user:password@host/name`),
    /// creating its tables where missing.
    ///
    /// As PostgreSQL's own clients have it, TLS is taken where the server offers it, and demanded by
    /// `?sslmode=require`; `?sslmode=verify-full&sslrootcert=FILE` also checks whose server it is.
    ///
    /// # Errors
    ///
    /// The URL is none of PostgreSQL, the database cannot be reached, or it is one of another program
    /// or version. No error tells the password.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        Self::connect_within(url, &Limits::default()).await
    }

    /// Connects to the PostgreSQL database as [`connect`](Self::connect) does, within limits of your
    /// own.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn connect_within(url: &str, limits: &Limits) -> anyhow::Result<Self> {
        Ok(Self {
            database: Database::connect(url, limits).await?,
            turns: Arc::default(),
            keeps_audit: false,
        })
    }

    /// The same store, which keeps the [audit trail](scim_core::audit) in the table `audit`: the record of
    /// a change in the transaction of the change, that of a refusal in one of its own.
    #[must_use]
    pub fn with_audit(self) -> Self {
        Self { keeps_audit: true, ..self }
    }

    /// The audit trail, as far as `wanted` asks for it: one page, as JSON documents, in the order of time.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn audit(&self, wanted: &AuditQuery) -> Result<AuditPage, StoreError> {
        audit::read(&mut self.database.read().await?, wanted).await
    }

    /// Waits for the calls under way and closes the database; calls that come later fail.
    pub async fn close(&self) {
        self.database.close().await;
    }

    async fn create_once(
        &self,
        scope: Scope<'_>,
        row: &Row,
        keys: &keys::Keys,
        terms: Terms<'_>,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        without_circle(&mut tx, scope, &row.id, terms.no_circle).await?;
        referable(&mut tx, scope, terms.references).await?;
        let place: Option<(i64,)> = Statement::new(
            "INSERT INTO counters (tenant, type, last) VALUES (?1, ?2, 1) \
             ON CONFLICT (tenant, type) DO UPDATE SET last = counters.last + 1 RETURNING last",
        )
        .text(scope.tenant.as_str())
        .text(scope.schema.name())
        .row(&mut tx)
        .await?;
        let (place,) = place.ok_or_else(|| internal("no place in the list was given out"))?;
        let inserted = Statement::new(
            "INSERT INTO resources (tenant, type, id, seq, version, body, keys) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, jsonb(?7)) ON CONFLICT DO NOTHING",
        )
        .text(scope.tenant.as_str())
        .text(scope.schema.name())
        .text(row.id.as_str())
        .number(place)
        .number(row.version)
        .text(&row.body)
        .text(&row.keys)
        .execute(&mut tx)
        .await?;
        if inserted == 0 {
            return Err(StoreError::Conflict { attribute: "id".to_owned() });
        }
        keys::insert(&mut tx, scope, &row.id, keys).await?;
        member_writes::create(&mut tx, scope, &row.id, row.version, &row.members).await?;
        audit::keep(&mut tx, terms.record).await?;
        tx.commit().await
    }

    async fn replace_once(
        &self,
        scope: Scope<'_>,
        row: &Row,
        keys: &keys::Keys,
        expected: Version,
        terms: Terms<'_>,
        passes: Passes,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        without_circle(&mut tx, scope, &row.id, terms.no_circle).await?;
        referable(&mut tx, scope, terms.references).await?;
        locked(&mut tx, scope, &row.id, Some(expected), CHANGED_ROW, passes).await?;
        member_writes::put(&mut tx, scope, &row.id, row.version, &row.members, None).await?;
        row.update(&mut tx, scope).await?;
        keys::put(&mut tx, scope, &row.id, keys).await?;
        audit::keep(&mut tx, terms.record).await?;
        tx.commit().await
    }

    async fn apply_once(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Option<Version>,
        terms: Terms<'_>,
        passes: Passes,
    ) -> Result<Applied, StoreError> {
        update.begin_again();
        let mut tx = self.database.write().await?;
        without_circle(&mut tx, scope, id, terms.no_circle).await?;
        referable(&mut tx, scope, terms.references).await?;
        let (version, body) = locked(&mut tx, scope, id, expected, CHANGED_ROW, passes).await?;
        let mut resource = decode(&body)?;
        let (change, deltas) = member_writes::split(scope.schema, update.change);
        let mut changed = change.apply(&mut resource);
        for delta in &deltas {
            changed |=
                member_writes::apply(&mut tx, scope, id, version.next(), delta, update.members).await?;
        }
        if !changed {
            tx.rollback().await?;
            return Ok(Applied::Unchanged(version));
        }
        let next = update.stamp(&mut resource, version);
        let row = Row::of(scope, &resource)?;
        row.update(&mut tx, scope).await?;
        match update.unique {
            Some(unique) => keys::put(&mut tx, scope, id, &keys::of(scope.schema, &resource, unique)).await?,
            // Of its values members alone, which have rows of their own, became different.
            None if change.is_empty() => {}
            None => {
                let unique = unique_keys(scope.schema, &resource);
                keys::put(&mut tx, scope, id, &keys::of(scope.schema, &resource, &unique)).await?;
            }
        }
        audit::keep(&mut tx, terms.record.map(|record| record.updated(update, next)).as_deref()).await?;
        tx.commit().await?;
        Ok(Applied::Changed(next))
    }

    async fn delete_once(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
        record: Option<&Record>,
        passes: Passes,
    ) -> Result<(), StoreError> {
        deletion.begin_again();
        let mut tx = self.database.write().await?;
        locked(&mut tx, scope, id, deletion.expected, DELETED_ROW, passes).await?;
        if let Some(noted) = deletion.members {
            member_writes::note_all(&mut tx, scope, id, noted).await?;
        }
        // Its keys and members go with it.
        Statement::new("DELETE FROM resources WHERE tenant = ?1 AND type = ?2 AND id = ?3")
            .text(scope.tenant.as_str())
            .text(scope.schema.name())
            .text(id.as_str())
            .execute(&mut tx)
            .await?;
        for schema in deletion.groups {
            member_writes::leave(&mut tx, Scope { schema, ..scope }, id, deletion, passes).await?;
        }
        audit::keep(&mut tx, record.map(|record| record.leaving(deletion)).as_deref()).await?;
        tx.commit().await
    }
}

/// Which database, and nothing of how it is reached.
impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore").field("database", &self.database.dialect()).finish_non_exhaustive()
    }
}

/// What waits for the database is on the heap, so that what calls it, and is moved about with all it may come
/// to hold, stays small.
impl Store for SqlStore {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        self.modify(scope, Modification::Create { resource, unique }, Terms::default()).await.map(drop)
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        let read = async {
            let mut tx = self.database.once().await?;
            if members::includes(scope.schema, projection) {
                return members::read(&mut tx, scope, id, projection.values_of(members::MEMBERS)).await;
            }
            row(&mut tx, scope, id, ROW).await?.map(|(_, body)| decode(&body)).transpose()
        };
        Box::pin(read).await
    }

    fn query_support(&self) -> QuerySupport {
        QuerySupport::ALL
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        let Page { total, resources, previous, next } =
            Box::pin(query::run(&self.database, scope, query)).await?;
        let resources = resources.into_iter().map(|found| found.resource.into_resource());
        Ok(Page { total, resources: resources.collect::<Result<_, _>>()?, previous, next })
    }

    async fn read_in_pieces(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Pieces>, StoreError> {
        Box::pin(pieces::read(&self.database, scope, id, projection)).await
    }

    async fn query_in_pieces(&self, scope: Scope<'_>, query: &Query) -> Result<Page<Pieces>, StoreError> {
        Box::pin(pieces::page(&self.database, scope, query)).await
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        self.modify(scope, Modification::Replace { resource, unique, expected }, Terms::default())
            .await
            .map(drop)
    }

    async fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Option<Version>,
    ) -> Result<Applied, StoreError> {
        let apply = |passes| self.apply_once(scope, id, update, expected, Terms::default(), passes);
        Box::pin(self.turns.take(self.unmarked(scope.tenant, Terms::default(), apply))).await
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        self.modify(scope, Modification::Delete { id, deletion: *deletion }, Terms::default()).await.map(drop)
    }

    async fn modify(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        match modification {
            Modification::Create { resource, unique } => {
                let (row, keys) = (Row::of(scope, resource)?, keys::of(scope.schema, resource, unique));
                Box::pin(retrying(|| self.create_once(scope, &row, &keys, terms))).await?;
                Ok(Modified::Changed(resource.version()))
            }
            Modification::Replace { resource, unique, expected } => {
                let (row, keys) = (Row::of(scope, resource)?, keys::of(scope.schema, resource, unique));
                let replace = |passes| self.replace_once(scope, &row, &keys, expected, terms, passes);
                Box::pin(self.turns.take(self.unmarked(scope.tenant, terms, replace))).await?;
                Ok(Modified::Changed(resource.version()))
            }
            Modification::Apply { id, update, expected } => {
                let apply = |passes| self.apply_once(scope, id, update, expected, terms, passes);
                Ok(Box::pin(self.turns.take(self.unmarked(scope.tenant, terms, apply))).await?.into())
            }
            Modification::Delete { id, deletion } => {
                let delete = |passes| self.delete_once(scope, id, &deletion, terms.record, passes);
                Box::pin(self.unmarked(scope.tenant, terms, delete)).await?;
                Ok(Modified::Changed(None))
            }
        }
    }

    async fn hold(&self, scope: Scope<'_>, id: &ResourceId) -> Result<ResourceHold, StoreError> {
        Box::pin(self.mark(scope, id)).await
    }

    fn checks_circles(&self) -> bool {
        true
    }

    fn keeps_audit(&self) -> bool {
        self.keeps_audit
    }

    async fn keep(&self, record: &Record) -> Result<(), StoreError> {
        let keep = async || {
            let mut tx = self.database.write().await?;
            audit::keep(&mut tx, Some(record)).await?;
            tx.commit().await
        };
        Box::pin(retrying(keep)).await
    }

    async fn memberships(
        &self,
        groups: Scope<'_>,
        members: &[ResourceId],
    ) -> Result<Vec<Membership>, StoreError> {
        let memberships = async {
            let mut tx = self.database.once().await?;
            members::memberships(&mut tx, groups, members).await
        };
        Box::pin(memberships).await
    }

    async fn count_members(&self, groups: Scope<'_>, id: &ResourceId) -> Result<usize, StoreError> {
        let count = async { members::count(&mut self.database.once().await?, groups, id).await };
        Box::pin(count).await
    }

    async fn members_among(
        &self,
        groups: Scope<'_>,
        id: &ResourceId,
        members: &[ResourceId],
    ) -> Result<Vec<ResourceId>, StoreError> {
        let among = async { members::among(&mut self.database.once().await?, groups, id, members).await };
        Box::pin(among).await
    }

    async fn missing(
        &self,
        scope: Scope<'_>,
        mut ids: Vec<ResourceId>,
    ) -> Result<Vec<ResourceId>, StoreError> {
        let present = async {
            let mut tx = self.database.once().await?;
            let mut found = HashSet::new();
            for batch in batches(&ids) {
                let mut select = Statement::new(by_id(tx.dialect(), "id", batch.len()))
                    .text(scope.tenant.as_str())
                    .text(scope.schema.name());
                for id in batch {
                    select = select.text(id.as_str());
                }
                found.extend(select.rows::<(String,)>(&mut tx).await?.into_iter().map(|(id,)| id));
            }
            Ok::<_, StoreError>(found)
        };
        let found = Box::pin(present).await?;
        ids.retain(|id| !found.contains(id.as_str()));
        Ok(ids)
    }
}
