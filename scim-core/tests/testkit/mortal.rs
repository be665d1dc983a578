//! A database in memory that can be killed, and then loses what its fault says.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use scim_core::patch::{Change, Delta};
use scim_core::projection::Projection;
use scim_core::query::Query;
use scim_core::schema::Registry;
use scim_core::store::{Applied, Deletion, Page, Scope, StoreError, Update};
use scim_core::testkit::crash::Crash;
use scim_core::validate::UniqueKey;
use scim_core::{MemoryStore, Resource, ResourceId, Store, TenantId, Value, Version};

pub(crate) struct Database {
    fault: &'static str,
    store: MemoryStore,
    // Those that opened it, and whether they may still use it.
    state: std::sync::Mutex<Arc<AtomicU8>>,
}

const ALIVE: u8 = 0;
/// The next write to a user is the last, and done by half.
const DYING: u8 = 1;
const DEAD: u8 = 2;

impl Database {
    pub(crate) fn new(fault: &'static str) -> Self {
        Self { fault, store: MemoryStore::new(), state: std::sync::Mutex::default() }
    }
}

impl Crash for Database {
    type Store = Connection;

    async fn open(&self) -> Connection {
        let state = Arc::new(AtomicU8::new(ALIVE));
        *self.state.lock().unwrap() = Arc::clone(&state);
        Connection { store: self.store.clone(), state }
    }

    async fn crash(&self) {
        let next = match self.fault {
            "it does not die" => ALIVE,
            "half a write is kept" => DYING,
            _ => DEAD,
        };
        self.state.lock().unwrap().store(next, Ordering::Relaxed);
        let (registry, tenant) = (Registry::standard(), TenantId::new("testkit crash"));
        let scope = |name| Scope { tenant: &tenant, schema: registry.by_name(name).unwrap() };
        match self.fault {
            "a user is lost" => {
                // The first user was acknowledged long ago.
                self.store.delete(scope("User"), &ResourceId::new("0-1"), &ALONE).await.unwrap();
            }
            "a member is lost" => {
                let id = ResourceId::new("all");
                let delta =
                    Delta { attribute: "members".into(), removed: vec!["0-1".into()], ..Delta::default() };
                let change = Change { deltas: vec![delta], ..Change::default() };
                let update = Update { change: &change, unique: None, last_modified: "t", members: None };
                self.store.apply(scope("Group"), &id, &update, None).await.unwrap();
            }
            _ => {}
        }
    }
}

/// A connection that ends with the database.
pub(crate) struct Connection {
    store: MemoryStore,
    state: Arc<AtomicU8>,
}

impl Connection {
    /// Waits as a connection would, and fails if there is no database any more.
    async fn alive(&self) -> Result<(), StoreError> {
        Yield(false).await;
        match self.state.load(Ordering::Relaxed) {
            DEAD => Err(gone()),
            _ => Ok(()),
        }
    }

    /// If the database is dying, this is its last write.
    fn is_last(&self, scope: Scope<'_>) -> bool {
        let of_user = scope.schema.name() == "User";
        of_user && self.state.compare_exchange(DYING, DEAD, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("the connection is closed".into())
}

impl Store for Connection {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        self.alive().await?;
        if self.is_last(scope) {
            let mut half = resource.clone();
            half.0.insert("schemas", Vec::<Value>::new());
            self.store.create(scope, &half, unique).await?;
            return Err(gone());
        }
        self.store.create(scope, resource, unique).await
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        self.alive().await?;
        self.store.read(scope, id, projection).await
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        self.alive().await?;
        self.store.query(scope, query).await
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        self.alive().await?;
        if self.is_last(scope) {
            let mut half = resource.clone();
            half.0.insert("schemas", Vec::<Value>::new());
            self.store.replace(scope, &half, unique, expected).await?;
            return Err(gone());
        }
        self.store.replace(scope, resource, unique, expected).await
    }

    async fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Option<Version>,
    ) -> Result<Applied, StoreError> {
        self.alive().await?;
        if self.is_last(scope) {
            let half = Change {
                writes: update.change.writes.iter().skip(1).cloned().collect(),
                ..Change::default()
            };
            self.store.apply(scope, id, &Update { change: &half, ..update.clone() }, expected).await?;
            return Err(gone());
        }
        self.store.apply(scope, id, update, expected).await
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        self.alive().await?;
        self.store.delete(scope, id, deletion).await
    }
}

/// A deletion of what is in no group.
const ALONE: Deletion<'_> =
    Deletion { expected: None, groups: &[], last_modified: "", left: None, members: None };

/// Lets others run once.
pub(crate) struct Yield(pub(crate) bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
