//! Two servers over one database: two stores with connections of their own.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::patch::{Change, Delta};
use scim_core::schema::Registry;
use scim_core::store::{
    Deletion, Modification, Modified, ResourceHold, Scope, Store, StoreError, Terms, Update,
};
use scim_core::testkit::{AsProvided, Call, Hooked, Hooks};
use scim_core::{Config, CredentialId, Environment, Resource, ResourceId, Service, TenantId, Value, Version};
use scim_profiles::guard::{Ceiling, GuardedStore, Guards, Protected};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;

use super::super::database::Statement;
use super::super::tests::sql_support::Postgres;
use super::super::{SqlStore, decode};
use super::{MARK, Marked, Passes, Row, new_number};

async fn over_sqlite() -> ([SqlStore; 2], TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scim.db");
    ([SqlStore::open(&file).await.unwrap(), SqlStore::open(&file).await.unwrap()], folder)
}

async fn over_postgres(name: &str) -> Option<([SqlStore; 2], Postgres)> {
    let server = Postgres::start()?;
    let url = server.database(name).await;
    Some(([SqlStore::connect(&url).await.unwrap(), SqlStore::connect(&url).await.unwrap()], server))
}

#[test]
fn a_mark_is_passed_over_by_its_own_write_and_once_it_outlasts() {
    let passes = Passes { own: 3, outlasting: 5, all: false };
    for (mark, goes_on) in [(0, true), (3, true), (5, true), (7, false)] {
        let checked = passes.check(mark, "Group", "g");
        assert_eq!(checked.is_ok(), goes_on, "{mark}");
        let Err(error) = checked else { continue };
        let StoreError::Unavailable(error) = error else { panic!("{error:?}") };
        let marked = error.downcast::<Marked>().unwrap();
        assert_eq!((&*marked.kind, &*marked.id, marked.number), ("Group", "g", mark));
        // Where it waited for one after another, it waits for none any more.
        Passes { all: true, ..passes }.check(mark, "Group", "g").unwrap();
    }
    assert_ne!(new_number(), 0);
}

#[tokio::test]
async fn who_marked_a_resource_writes_it_first_over_sqlite() {
    let (stores, _folder) = over_sqlite().await;
    who_marked_a_resource_writes_it_first(&stores).await;
}

#[tokio::test]
async fn who_marked_a_resource_writes_it_first_over_postgresql() {
    let Some((stores, _server)) = over_postgres("marks").await else { return };
    who_marked_a_resource_writes_it_first(&stores).await;
}

#[tokio::test]
async fn a_write_is_made_beside_those_of_another_server_over_sqlite() {
    let (stores, _folder) = over_sqlite().await;
    a_write_is_made_beside_those_of_another_server(&stores).await;
}

#[tokio::test]
async fn a_write_is_made_beside_those_of_another_server_over_postgresql() {
    let Some((stores, _server)) = over_postgres("beside").await else { return };
    a_write_is_made_beside_those_of_another_server(&stores).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_leaves_no_mark_over_sqlite() {
    let ([store, _], _folder) = over_sqlite().await;
    who_goes_leaves_no_mark(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_leaves_no_mark_over_postgresql() {
    let Some(([store, _], _server)) = over_postgres("gone").await else { return };
    who_goes_leaves_no_mark(&store).await;
}

/// Who goes while the database makes the mark lasting takes it off all the same.
#[tokio::test]
async fn a_mark_that_is_being_made_is_taken_off_when_it_is_there() {
    let Some(([store, _], _server)) = over_postgres("being_made").await else { return };
    let registry = Registry::standard();
    let tenant = TenantId::new("acme");
    let groups = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
    let id = ResourceId::new("g");
    store.create(groups, &resource("g", 1, &[]), &[]).await.unwrap();
    let row =
        Row { store: store.clone(), tenant: tenant.clone(), kind: "Group".into(), id, number: new_number() };
    let mut made = store.database.write().await.unwrap();
    row.set(&mut made, row.number).await.unwrap();
    let mut taken_off = pin!(row.unmark());
    assert!(timeout(MEANWHILE, taken_off.as_mut()).await.is_err(), "it does not wait for what is being made");
    made.commit().await.unwrap();
    timeout(LATE, taken_off).await.expect("it waits for ever").unwrap();
    let mark = row.statement(MARK).row(&mut store.database.once().await.unwrap()).await.unwrap();
    assert_eq!(mark, Some((0_i64,)));
}

/// A write that a guard holds something for holds nothing while it waits for a mark: who made that may wait for the same.
#[tokio::test]
async fn what_a_guard_holds_is_let_go_of_while_a_mark_is_waited_for() {
    let Some(([one, other], _server)) = over_postgres("let_go").await else { return };
    let registry = Registry::standard();
    let tenant = TenantId::new("acme");
    let groups = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
    let id = ResourceId::new("g");
    one.create(groups, &resource("g", 1, &["ann", "bob", "cid"]), &[]).await.unwrap();
    let writes = Arc::default();
    let held = HeldFor { ledger: one.clone(), writes: Arc::clone(&writes) };
    let there = guarded(Hooked { store: other.clone(), hooks: held.clone() }, &other);
    let here = guarded(one.clone(), &one);

    let mark = one.hold(groups, &id).await.unwrap();
    let [ann, bob] = ["ann", "bob"].map(removal);
    let mut waits = pin!(remove(&there, groups, &id, &ann, Terms::default()));
    let comes_first = async {
        // It is asked for once, and then nothing is held for it.
        while writes.load(Ordering::SeqCst) == 0 || held.keys().await > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        remove(&here, groups, &id, &bob, Terms { hold: Some(&mark), ..Terms::default() }).await
    };
    tokio::select! {
        biased;
        made = comes_first => assert!(matches!(made, Ok(Modified::Changed(_))), "{made:?}"),
        made = waits.as_mut() => panic!("nothing is let go of until it is made: {made:?}"),
    }
    assert_eq!(writes.load(Ordering::SeqCst), 1);
    let made = timeout(LATE, waits).await.expect("it waits for ever");
    assert!(matches!(made, Ok(Modified::Changed(_))), "{made:?}");
    assert_eq!(writes.load(Ordering::SeqCst), 2);
    // What was put off counts once.
    let charges = one.guard_charges(&tenant, jiff::Timestamp::now()).await.unwrap();
    assert_eq!(charges, [("guard-member-removals".to_owned(), 2)]);
}

/// `store` with guards, for which a removal from the group holds it among all servers.
fn guarded<S: Store>(store: S, ledger: &SqlStore) -> GuardedStore<S, SqlStore> {
    let ceiling = Ceiling::within(jiff::SignedDuration::from_hours(24)).unwrap().with_count(10);
    let guards = Guards::new().with_member_removals(ceiling).with_protected(Protected::new().with_group("g"));
    GuardedStore::new(store, guards, ledger.clone(), Arc::new(jiff::Timestamp::now))
}

/// Counts the writes that a guard lets through, for each of which something is held.
#[derive(Clone)]
struct HeldFor {
    ledger: SqlStore,
    writes: Arc<AtomicUsize>,
}

impl HeldFor {
    async fn keys(&self) -> i64 {
        let mut tx = self.ledger.database.once().await.unwrap();
        Statement::new("SELECT count(*) FROM guard_holds").row::<(i64,)>(&mut tx).await.unwrap().unwrap().0
    }
}

impl Hooks for HeldFor {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if let Call::Change { .. } = call {
            assert_eq!(self.keys().await, 1);
            self.writes.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// The change of a group that takes this member out.
fn removal(member: &str) -> Change {
    let removed = vec![member.into()];
    Change {
        deltas: vec![Delta { attribute: "members".into(), removed, ..Delta::default() }],
        ..Change::default()
    }
}

async fn remove<S: Store>(
    store: &S,
    groups: Scope<'_>,
    id: &ResourceId,
    change: &Change,
    terms: Terms<'_>,
) -> Result<Modified, StoreError> {
    let update = Update { change, unique: None, last_modified: NOW, members: None };
    store.modify(groups, Modification::Apply { id, update: &update, expected: None }, terms).await
}

/// What another server may do to a group while it is marked.
#[derive(Clone, Copy, Debug)]
enum Act {
    AddsAMember,
    ReplacesIt,
    DeletesIt,
    DeletesItsMember,
    MarksIt,
}

const ACTS: [Act; 5] =
    [Act::AddsAMember, Act::ReplacesIt, Act::DeletesIt, Act::DeletesItsMember, Act::MarksIt];

/// How a mark ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Written,
    Dropped,
    // As that of a server that was killed.
    Forgotten,
}

async fn who_marked_a_resource_writes_it_first([one, other]: &[SqlStore; 2]) {
    let registry = Registry::standard();
    let tenant = TenantId::new("acme");
    let scope = |name| Scope { tenant: &tenant, schema: registry.by_name(name).unwrap() };
    let (groups, users) = (scope("Group"), scope("User"));
    // One that is not there is held by nobody.
    assert!(!one.hold(groups, &ResourceId::new("nobody")).await.unwrap().is_held());
    // All at the same time, since forgotten marks take theirs.
    let all = ACTS.into_iter().flat_map(|act| {
        [End::Written, End::Dropped, End::Forgotten].map(|end| async move {
            let (group, user) = (format!("g {act:?} {end:?}"), format!("u {act:?} {end:?}"));
            one.create(users, &resource(&user, 1, &[]), &[]).await.unwrap();
            one.create(groups, &resource(&group, 1, &[&user]), &[]).await.unwrap();
            let id = ResourceId::new(group.as_str());
            let hold = one.hold(groups, &id).await.unwrap();
            assert!(hold.is_held());

            let mut made = pin!(make(other, act, [groups, users], [&group, &user]));
            assert!(timeout(MEANWHILE, made.as_mut()).await.is_err(), "{act:?} waits for nobody");
            let replaced = resource(&group, 2, &[&user]);
            let replace = Modification::Replace { resource: &replaced, unique: &[], expected: Version(1) };
            match end {
                End::Written => {
                    let terms = Terms { hold: Some(&hold), ..Terms::default() };
                    one.modify(groups, replace, terms).await.unwrap();
                }
                End::Dropped => drop(hold),
                End::Forgotten => std::mem::forget(hold),
            }
            let made = timeout(LATE, made).await.expect("it waits for ever");
            match (act, end, made) {
                (Act::ReplacesIt, End::Written, Err(StoreError::VersionMismatch)) => {}
                (_, _, Ok(())) => {}
                (.., Err(error)) => panic!("{act:?} {end:?}: {error:?}"),
            }
            // Nobody waits any more.
            let mark: Option<(i64,)> = Statement::new(MARK)
                .text("acme")
                .text("Group")
                .text(group.as_str())
                .row(&mut one.database.once().await.unwrap())
                .await
                .unwrap();
            match act {
                Act::DeletesIt => assert_eq!(mark, None),
                // It is taken off in a task of its own.
                Act::MarksIt => assert!(mark.is_some()),
                _ => assert_eq!(mark, Some((0,)), "{act:?} {end:?}"),
            }
        })
    });
    futures_of(all).await;
}

/// Whoever goes while it marks a group, wherever that is, takes the mark off.
async fn who_goes_leaves_no_mark(store: &SqlStore) {
    let registry = Registry::standard();
    let tenant = TenantId::new("acme");
    let groups = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
    // How often it was dropped while it waits: after it was polled once, twice, and so on, until it does not wait any more.
    // A database that answers before it is waited for is asked again.
    let mut dropped = 0;
    for attempt in 1.. {
        let id = ResourceId::new(format!("g{attempt}"));
        store.create(groups, &resource(id.as_str(), 1, &[]), &[]).await.unwrap();
        let mut hold = Box::pin(store.hold(groups, &id));
        let mut left = dropped + 1;
        let held = std::future::poll_fn(|context| match hold.as_mut().poll(context) {
            Poll::Ready(held) => Poll::Ready(Some(held.unwrap())),
            Poll::Pending => {
                left -= 1;
                if left == 0 { Poll::Ready(None) } else { Poll::Pending }
            }
        });
        match held.await {
            None => dropped += 1,
            Some(_) if dropped > 0 => break,
            Some(_) => {}
        }
    }
    let none_is_left = async {
        let marked = "SELECT count(*) FROM resources WHERE marked <> 0";
        let count = async || {
            Statement::new(marked).row::<(i64,)>(&mut store.database.once().await.unwrap()).await.unwrap()
        };
        while count().await != Some((0,)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LATE, none_is_left).await.expect("a mark is left");
}

async fn make(
    store: &SqlStore,
    act: Act,
    [groups, users]: [Scope<'_>; 2],
    [group, user]: [&str; 2],
) -> Result<(), StoreError> {
    let registry = Registry::standard();
    let types = registry.group_types(users.schema);
    let deletion = Deletion { expected: None, groups: &types, last_modified: NOW, left: None, members: None };
    let (group, user) = (ResourceId::new(group), ResourceId::new(user));
    match act {
        Act::AddsAMember => add(store, groups, &group, "another").await.map(drop),
        Act::ReplacesIt => {
            store.replace(groups, &resource(group.as_str(), 2, &["another"]), &[], Version(1)).await
        }
        Act::DeletesIt => store.delete(groups, &group, &deletion).await,
        Act::DeletesItsMember => store.delete(users, &user, &deletion).await,
        Act::MarksIt => store.hold(groups, &group).await.map(drop),
    }
}

async fn add(
    store: &SqlStore,
    groups: Scope<'_>,
    id: &ResourceId,
    member: &str,
) -> Result<Modified, StoreError> {
    let added = vec![Value::from(json!({"value": member}))];
    let change = Change {
        deltas: vec![Delta { attribute: "members".into(), added, ..Delta::default() }],
        ..Change::default()
    };
    let update = Update { change: &change, unique: None, last_modified: NOW, members: None };
    store.modify(groups, Modification::Apply { id, update: &update, expected: None }, Terms::default()).await
}

/// A group, or a user.
fn resource(id: &str, version: u64, members: &[&str]) -> Resource {
    let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
    let mut resource =
        json!({"id": id, "displayName": id, "meta": {"version": Version(version).to_string()}});
    if !members.is_empty() {
        resource["members"] = members.into();
    }
    decode(&resource.to_string()).unwrap()
}

/// At another server somebody is added to the group before each write that is made for a version of it. It is made
/// all the same; without holds it is never made.
async fn a_write_is_made_beside_those_of_another_server([one, other]: &[SqlStore; 2]) {
    for (number, (method, body, status)) in [
        (
            "PATCH",
            json!({"schemas": [PATCH_OP], "Operations": [
                {"op": "replace", "path": "displayName", "value": "Crew"},
            ]}),
            200,
        ),
        ("PUT", json!({"schemas": [GROUP], "displayName": "Crew"}), 200),
        ("DELETE", serde_json::Value::Null, 204),
    ]
    .into_iter()
    .enumerate()
    {
        let (beside, unheld) = (Arc::default(), Arc::default());
        let hooks = |count: &Arc<AtomicUsize>| Beside { other: other.clone(), count: Arc::clone(count) };
        let held = Hooked { store: one.clone(), hooks: hooks(&beside) };
        let not_held = Hooked { store: AsProvided(one.clone()), hooks: hooks(&unheld) };
        // The number of the group tells that of the kind of request.
        let path = format!("/Groups/group-{number}");
        assert_eq!(status_of(not_held, &path, method, &body).await, 409, "{method}");
        assert_eq!(unheld.load(Ordering::SeqCst), ATTEMPTS, "{method}");
        assert_eq!(status_of(held, &path, method, &body).await, status, "{method}");
        // Three times it lost, and then nobody came first.
        assert_eq!(beside.load(Ordering::SeqCst), 3, "{method}");
    }
}

/// Makes the request of a service over `store`, and tells what is answered; the group is made where it is not there.
async fn status_of<S: Store>(store: S, path: &str, method: &str, body: &serde_json::Value) -> u16 {
    let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") };
    let tokens = StaticTokens::new().with(Secret::new(TOKEN).unwrap(), principal);
    let id = path.rsplit('/').next().unwrap().to_owned();
    let environment = Environment::new(jiff::Timestamp::now, move || ResourceId::new(id.as_str()));
    let mut config = Config::new("https://example.com/scim/v2".parse().unwrap());
    config.check_members = false;
    config.limits.max_write_attempts = ATTEMPTS;
    let service = Service::new(store, tokens, config, environment);
    let send = async |method: &str, path: &str, body: String| {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/scim+json")
            .body(bytes::Bytes::from(body))
            .unwrap();
        service.call(request).await.status().as_u16()
    };
    if send("GET", path, String::new()).await == 404 {
        let group = json!({"schemas": [GROUP], "displayName": "Staff"}).to_string();
        assert_eq!(send("POST", "/Groups", group).await, 201);
    }
    send(method, path, if body.is_null() { String::new() } else { body.to_string() }).await
}

/// Before each write that is made for a version of a group, somebody is added to it by another server, or tries to be
/// for a while.
struct Beside {
    other: SqlStore,
    /// How many were added.
    count: Arc<AtomicUsize>,
}

impl Hooks for Beside {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        let Call::Change { scope, modification, terms } = call else { return Ok(()) };
        let Some(id) = modification.id().filter(|_| !matches!(modification, Modification::Create { .. }))
        else {
            return Ok(());
        };
        let member = format!("{} {}", uuid::Uuid::new_v4(), self.count.load(Ordering::SeqCst));
        let mut added: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(async { add(&self.other, scope, &id, &member).await.unwrap() });
        if terms.hold.is_some_and(ResourceHold::is_held) {
            assert!(timeout(MEANWHILE, added.as_mut()).await.is_err(), "it waits for nobody");
        } else {
            added.await;
            self.count.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// Runs the futures to their ends, all at the same time.
async fn futures_of<F: Future<Output = ()>>(futures: impl IntoIterator<Item = F>) {
    let mut open: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        open.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if open.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

const TOKEN: &str = "t0ken-of-the-tests";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const NOW: &str = "2026-02-02T00:00:00Z";
const ATTEMPTS: usize = 6;
/// For as long it is seen that a write waits.
const MEANWHILE: Duration = Duration::from_millis(300);
/// Longer than any mark is waited for, on a busy machine.
const LATE: Duration = Duration::from_secs(30);
