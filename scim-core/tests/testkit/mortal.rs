//! A database in memory that can be killed, and then loses what its fault says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use scim_core::patch::{Change, Delta};
use scim_core::schema::Registry;
use scim_core::store::{Deletion, Modification, Scope, StoreError, Update};
use scim_core::testkit::crash::Crash;
use scim_core::testkit::{Call, Hooked, Hooks, wait_once};
use scim_core::{MemoryStore, Resource, ResourceId, Store, TenantId, Value};

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
    type Store = Hooked<MemoryStore, Connected>;

    async fn open(&self) -> Self::Store {
        let state = Arc::new(AtomicU8::new(ALIVE));
        *self.state.lock().unwrap() = Arc::clone(&state);
        let store = self.store.clone();
        Hooked { hooks: Connected { store: store.clone(), state }, store }
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
pub(crate) struct Connected {
    store: MemoryStore,
    state: Arc<AtomicU8>,
}

impl Connected {
    /// If the database is dying, this is its last write.
    fn is_last(&self, scope: Scope<'_>) -> bool {
        let of_user = scope.schema.name() == "User";
        of_user && self.state.compare_exchange(DYING, DEAD, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Writes a part of what was to be written.
    async fn write_half(&self, scope: Scope<'_>, modification: Modification<'_>) -> Result<(), StoreError> {
        let half = |resource: &Resource| {
            let mut half = resource.clone();
            half.0.insert("schemas", Vec::<Value>::new());
            half
        };
        match modification {
            Modification::Create { resource, unique } => {
                self.store.create(scope, &half(resource), unique).await
            }
            Modification::Replace { resource, unique, expected } => {
                self.store.replace(scope, &half(resource), unique, expected).await
            }
            Modification::Apply { id, update, expected } => {
                let writes = update.change.writes.iter().skip(1).cloned().collect();
                let half = Change { writes, ..Change::default() };
                let update = Update { change: &half, ..update.clone() };
                self.store.apply(scope, id, &update, expected).await.map(drop)
            }
            Modification::Delete { .. } => Ok(()),
        }
    }
}

impl Hooks for Connected {
    /// Waits as a connection would, and fails if there is no database any more.
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        wait_once().await;
        if self.state.load(Ordering::Relaxed) == DEAD {
            return Err(gone());
        }
        match call {
            Call::Change { scope, modification, .. } if self.is_last(scope) => {
                self.write_half(scope, modification).await?;
                Err(gone())
            }
            _ => Ok(()),
        }
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("the connection is closed".into())
}

/// A deletion of what is in no group.
const ALONE: Deletion<'_> =
    Deletion { expected: None, groups: &[], last_modified: "", left: None, members: None };
