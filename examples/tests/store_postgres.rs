//! The store over PostgreSQL keeps the contract of a store, also when the server is killed, and
//! several processes may share a database.

#![expect(clippy::unwrap_used, reason = "a test")]

mod sql_support;

use std::sync::Mutex;

use scim_core::testkit::crash::{Crash, acknowledged_writes_survive};
use scim_core::testkit::{BoxFuture, Recorded, Suite};
use scim_examples::SqlStore;
use sql_support::Postgres;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("contract").await;
    // With the audit trail kept in the transactions of the changes; below it is kept without.
    let store = SqlStore::connect(&url).await.unwrap().with_audit();
    Suite::new(|| async { Recorded(store.clone()) }).with_spawn(spawn).run().await;
    store.close().await;
}

/// A store a process: what one of them is told, the others see, and their writes race as those of
/// one do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_stores_over_one_database_are_one() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("shared").await;
    // Both set up the tables at the same time.
    let (one, other) = tokio::join!(SqlStore::connect(&url), SqlStore::connect(&url));
    let pair = several::Several::new(vec![one.unwrap(), other.unwrap()]);
    Suite::new(|| async { pair.clone() }).with_spawn(spawn).run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill_of_the_server() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("crash").await;
    let server = Server { postgres: Mutex::new(postgres), is_killed: Mutex::new(false), url };
    acknowledged_writes_survive(&server, 3).await.unwrap();
}

/// A server that is killed, and started again when the store is opened again.
struct Server {
    postgres: Mutex<Postgres>,
    is_killed: Mutex<bool>,
    url: String,
}

impl Crash for Server {
    type Store = SqlStore;

    async fn open(&self) -> SqlStore {
        if std::mem::take(&mut *self.is_killed.lock().unwrap()) {
            self.postgres.lock().unwrap().restart();
        }
        // However long it takes to recover; who ends again and again never does.
        let mut ended = 0;
        while ended < 100 {
            if let Ok(store) = SqlStore::connect(&self.url).await {
                return store;
            }
            ended += usize::from(self.postgres.lock().unwrap().keep_running());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        SqlStore::connect(&self.url).await.unwrap()
    }

    async fn crash(&self) {
        self.postgres.lock().unwrap().kill();
        *self.is_killed.lock().unwrap() = true;
    }
}

#[tokio::test]
async fn no_error_and_no_debug_form_shows_the_password() {
    const SECRET: &str = "hunter2-of-the-tests";
    for url in [
        format!("postgres://scim:{SECRET}@127.0.0.1:1/scim"),
        format!("postgres://scim:{SECRET}@[::1/scim"),
        format!("postgres://scim:{SECRET}@localhost:99999/scim"),
        format!("postgres://localhost/scim?password={SECRET}&host=/nowhere"),
        format!("mysql://scim:{SECRET}@localhost/scim"),
        SECRET.to_owned(),
    ] {
        let error = SqlStore::connect(&url).await.unwrap_err();
        assert!(!format!("{error:#} {error:?}").contains(SECRET), "{error:#}");
    }
    let Some(postgres) = Postgres::start() else { return };
    drop(postgres.connect().await);
    let url = postgres.url("postgres").replace("scim@", &format!("scim:{SECRET}@"));
    let store = SqlStore::connect(&url).await.unwrap();
    assert_eq!(format!("{store:?}"), "SqlStore { database: Postgres, .. }");
}

fn spawn(task: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
    let handle = tokio::spawn(task);
    Box::pin(async { handle.await.unwrap() })
}

/// Stores that take the calls in turn.
mod several {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use scim_core::projection::Projection;
    use scim_core::query::{Query, QuerySupport};
    use scim_core::store::{
        Applied, Deletion, Modification, Modified, Page, ResourceHold, Scope, StoreError, Terms, Update,
    };
    use scim_core::validate::UniqueKey;
    use scim_core::{Resource, ResourceId, Store, Version};
    use scim_examples::SqlStore;

    #[derive(Clone)]
    pub(super) struct Several {
        stores: Vec<SqlStore>,
        calls: Arc<AtomicUsize>,
    }

    impl Several {
        pub(super) fn new(stores: Vec<SqlStore>) -> Self {
            Self { stores, calls: Arc::default() }
        }

        fn next(&self) -> &SqlStore {
            let call = self.calls.fetch_add(1, Ordering::Relaxed);
            self.stores.get(call % self.stores.len()).unwrap()
        }
    }

    impl Store for Several {
        async fn create(
            &self,
            scope: Scope<'_>,
            resource: &Resource,
            unique: &[UniqueKey],
        ) -> Result<(), StoreError> {
            self.next().create(scope, resource, unique).await
        }

        async fn read(
            &self,
            scope: Scope<'_>,
            id: &ResourceId,
            projection: &Projection,
        ) -> Result<Option<Resource>, StoreError> {
            self.next().read(scope, id, projection).await
        }

        fn query_support(&self) -> QuerySupport {
            self.next().query_support()
        }

        async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
            self.next().query(scope, query).await
        }

        async fn replace(
            &self,
            scope: Scope<'_>,
            resource: &Resource,
            unique: &[UniqueKey],
            expected: Version,
        ) -> Result<(), StoreError> {
            self.next().replace(scope, resource, unique, expected).await
        }

        async fn apply(
            &self,
            scope: Scope<'_>,
            id: &ResourceId,
            update: &Update<'_>,
            expected: Option<Version>,
        ) -> Result<Applied, StoreError> {
            self.next().apply(scope, id, update, expected).await
        }

        async fn delete(
            &self,
            scope: Scope<'_>,
            id: &ResourceId,
            deletion: &Deletion<'_>,
        ) -> Result<(), StoreError> {
            self.next().delete(scope, id, deletion).await
        }

        async fn modify(
            &self,
            scope: Scope<'_>,
            modification: Modification<'_>,
            terms: Terms<'_>,
        ) -> Result<Modified, StoreError> {
            self.next().modify(scope, modification, terms).await
        }

        fn checks_circles(&self) -> bool {
            true
        }

        async fn hold(&self, scope: Scope<'_>, id: &ResourceId) -> Result<ResourceHold, StoreError> {
            self.next().hold(scope, id).await
        }

        async fn missing(
            &self,
            scope: Scope<'_>,
            ids: Vec<ResourceId>,
        ) -> Result<Vec<ResourceId>, StoreError> {
            self.next().missing(scope, ids).await
        }
    }
}
