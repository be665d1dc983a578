//! What counts when a store or a ledger fails, or a request is dropped.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use scim_core::patch::{Change, Write};
use scim_core::projection::Projection;
use scim_core::query::Query;
use scim_core::schema::Registry;
use scim_core::store::{Deletion, Modification, Scope, Store, StoreError, Terms, Update, Waiting};
use scim_core::testkit::{Call, Hooked, Hooks};
use scim_core::{MemoryStore, Object, Resource, ResourceId, TenantId, Version};
use scim_profiles::guard::{Charge, Charged, GuardLedger, GuardedStore, Guards, Lift, MemoryLedger};

use crate::server::{ceiling, tenant};

/// What a store or ledger does, whatever it is asked.
#[derive(Clone, Default)]
struct Mood(Arc<AtomicU8>);

const WELL: u8 = 0;
const UNAVAILABLE: u8 = 1;
const RACED: u8 = 2;
const STUCK: u8 = 3;
const OVERTAKEN: u8 = 4;
const PUT_OFF: u8 = 5;

impl Mood {
    fn set(&self, mood: u8) {
        self.0.store(mood, Ordering::SeqCst);
    }

    async fn act(&self) -> Result<(), StoreError> {
        match self.0.load(Ordering::SeqCst) {
            UNAVAILABLE => Err(StoreError::Unavailable("out of order".into())),
            RACED => Err(StoreError::VersionMismatch),
            STUCK => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

/// The writes of a store fail.
struct Moody(MemoryStore, Mood);

impl Hooks for Moody {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        let Call::Change { scope, modification, terms } = call else { return Ok(()) };
        if matches!(modification, Modification::Create { .. }) {
            return Ok(());
        }
        self.1.act().await?;
        if self.1.0.load(Ordering::SeqCst) == PUT_OFF {
            // Twice, for what is waited for elsewhere.
            let waiting = terms.waiting.unwrap();
            let times: u8 = waiting.known().unwrap_or_default();
            return if times < 2 { Err(waiting.put_off(async move { Ok(times + 1) })) } else { Ok(()) };
        }
        if self.1.0.load(Ordering::SeqCst) == OVERTAKEN {
            // By a deactivation of the same version.
            let id = modification.id().unwrap();
            let mut user = self.0.read(scope, &id, &Projection::default()).await?.unwrap();
            user.0.insert("active", false);
            self.0.replace(scope, &user, &[], Version(1)).await?;
        }
        Ok(())
    }
}

/// A ledger that fails.
#[derive(Clone, Default)]
struct MoodyLedger(MemoryLedger, Mood);

impl GuardLedger for MoodyLedger {
    async fn charge(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        charges: &[Charge],
    ) -> Result<Charged, StoreError> {
        self.1.act().await?;
        self.0.charge(tenant, now, charges).await
    }

    async fn release(
        &self,
        tenant: &TenantId,
        then: Timestamp,
        charges: &[Charge],
    ) -> Result<(), StoreError> {
        self.1.act().await?;
        self.0.release(tenant, then, charges).await
    }

    async fn lift(&self, tenant: &TenantId, lift: Option<Lift>) -> Result<(), StoreError> {
        self.0.lift(tenant, lift).await
    }

    async fn lifted(&self, tenant: &TenantId) -> Result<Option<Lift>, StoreError> {
        self.1.act().await?;
        self.0.lifted(tenant).await
    }
}

struct Fixture {
    tenant: TenantId,
    store: GuardedStore<Hooked<MemoryStore, Moody>, MoodyLedger>,
    writes: Mood,
    ledger: Mood,
}

fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(Registry::standard)
}

impl Fixture {
    /// Ten users, of whom two may go.
    async fn new() -> Self {
        let (writes, ledger) = (Mood::default(), Mood::default());
        let guards = Guards::new().with_deactivations(ceiling().with_count(2));
        let store = MemoryStore::new();
        let store = Hooked { hooks: Moody(store.clone(), writes.clone()), store };
        let ledger_of_store = MoodyLedger(MemoryLedger::new(), ledger.clone());
        let store = GuardedStore::new(store, guards, ledger_of_store, Arc::new(|| Timestamp::UNIX_EPOCH));
        let fixture = Self { tenant: tenant(), store, writes, ledger };
        for number in 0..10 {
            let meta = Object::from_iter([("version", "W/\"1\"")]);
            let mut user =
                Object::from_iter([("id", number.to_string()), ("userName", format!("u{number}"))]);
            user.insert("meta", meta);
            fixture.store.create(fixture.scope(), &Resource(user), &[]).await.unwrap();
        }
        fixture
    }

    fn scope(&self) -> Scope<'_> {
        Scope { tenant: &self.tenant, schema: registry().by_name("User").unwrap() }
    }

    async fn delete(&self, id: &str) -> Result<(), StoreError> {
        let deletion = Deletion {
            expected: Some(Version(1)),
            groups: &[],
            last_modified: "",
            left: None,
            members: None,
        };
        self.store.delete(self.scope(), &ResourceId::new(id), &deletion).await
    }

    /// Deactivates a user in any version.
    async fn deactivate(&self, id: &str) -> Result<(), StoreError> {
        let write = Write { extension: None, attribute: "active".into(), value: Some(false.into()) };
        let change = Change { writes: vec![write], deltas: Vec::new() };
        let update = Update { change: &change, unique: None, last_modified: "", members: None };
        self.store.apply(self.scope(), &ResourceId::new(id), &update, None).await.map(drop)
    }

    /// How many more may go.
    async fn room(&self) -> usize {
        self.writes.set(WELL);
        let mut room = 0;
        for number in (0..10).rev() {
            match self.delete(&number.to_string()).await {
                Ok(()) => room += 1,
                Err(StoreError::NotFound) => {}
                Err(StoreError::Refused(_)) => return room,
                Err(error) => panic!("{error:?}"),
            }
        }
        room
    }
}

/// What certainly was not made does not count; what may have been made does.
#[tokio::test]
async fn of_the_store() {
    for (mood, room) in [(RACED, 2), (UNAVAILABLE, 1)] {
        let fixture = Fixture::new().await;
        fixture.writes.set(mood);
        assert!(fixture.delete("0").await.is_err());
        assert_eq!(fixture.room().await, room);
        let fixture = Fixture::new().await;
        fixture.writes.set(mood);
        assert!(fixture.deactivate("0").await.is_err());
        assert_eq!(fixture.room().await, room);
    }
    let fixture = Fixture::new().await;
    fixture.writes.set(OVERTAKEN);
    fixture.deactivate("0").await.unwrap();
    assert_eq!(fixture.room().await, 2, "nothing became different");
    let fixture = Fixture::new().await;
    assert!(matches!(fixture.delete("nobody").await, Err(StoreError::NotFound)));
    let other =
        Deletion { expected: Some(Version(7)), groups: &[], last_modified: "", left: None, members: None };
    let raced = fixture.store.delete(fixture.scope(), &ResourceId::new("1"), &other).await;
    assert!(matches!(raced, Err(StoreError::VersionMismatch)));
    assert_eq!(fixture.room().await, 2);
}

/// What is put off is made when it can be, and counts once.
#[tokio::test]
async fn of_what_is_put_off() {
    let fixture = Fixture::new().await;
    fixture.writes.set(PUT_OFF);
    fixture.deactivate("0").await.unwrap();
    assert_eq!(fixture.room().await, 1);
    let fixture = Fixture::new().await;
    let waiting = Waiting::default();
    fixture.writes.set(PUT_OFF);
    // For whom somebody in front waits, nobody waits here.
    let deletion =
        Deletion { expected: Some(Version(1)), groups: &[], last_modified: "", left: None, members: None };
    let delete = Modification::Delete { id: &ResourceId::new("0"), deletion };
    let terms = Terms { waiting: Some(&waiting), ..Terms::default() };
    let deleted = fixture.store.modify(fixture.scope(), delete, terms).await;
    assert!(matches!(deleted, Err(StoreError::PutOff)), "{deleted:?}");
    assert!(waiting.over().await.unwrap() && waiting.known() == Some(1_u8));
    assert_eq!(fixture.room().await, 2);
}

/// What a request was about to do that is dropped counts, for it may have been done.
#[tokio::test]
async fn of_the_client() {
    let fixture = Fixture::new().await;
    fixture.writes.set(STUCK);
    for id in ["0", "1"] {
        let waited = tokio::time::timeout(std::time::Duration::from_millis(1), fixture.delete(id)).await;
        assert!(waited.is_err());
    }
    assert_eq!(fixture.room().await, 0);
}

/// Without a ledger nothing goes, and everything else is as it is without guards.
#[tokio::test]
async fn of_the_ledger() {
    let fixture = Fixture::new().await;
    fixture.ledger.set(UNAVAILABLE);
    assert!(matches!(fixture.delete("0").await, Err(StoreError::Unavailable(_))));
    assert!(matches!(fixture.deactivate("0").await, Err(StoreError::Unavailable(_))));
    let users = fixture.store.query(fixture.scope(), &Query::default()).await.unwrap();
    assert_eq!(users.total, Some(10));
    let write = Write { extension: None, attribute: "title".into(), value: Some("Guide".into()) };
    let change = Change { writes: vec![write], deltas: Vec::new() };
    let update = Update { change: &change, unique: None, last_modified: "", members: None };
    fixture.store.apply(fixture.scope(), &ResourceId::new("0"), &update, None).await.unwrap();
    fixture.ledger.set(WELL);
    assert_eq!(fixture.room().await, 2);
}

/// A deactivation of any version is of the one that was looked at.
#[tokio::test]
async fn of_nothing() {
    let fixture = Fixture::new().await;
    fixture.deactivate("0").await.unwrap();
    fixture.deactivate("0").await.unwrap();
    assert_eq!(fixture.room().await, 1);
}
