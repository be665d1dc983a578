//! The testkit tells which law a store breaks: stores that keep all but one.

#![expect(clippy::unwrap_used, reason = "a test")]

mod faulty;
mod hooked;
mod late;
mod mortal;

use faulty::Faulty;
use mortal::Database;
use scim_core::MemoryStore;
use scim_core::testkit::crash::acknowledged_writes_survive;
use scim_core::testkit::{self, Trial, Violation, law};

/// The others, of which there are the square, are tried quickly; a general law would only say again what the
/// broken one says.
#[test]
fn a_store_that_breaks_one_law_is_told_that_one() {
    let laws: Vec<&str> = law::all::<Faulty>().iter().map(|law| law.name).collect();
    assert!(laws.len() > 40);
    std::thread::scope(|scope| {
        for half in laws.chunks(laws.len().div_ceil(2)) {
            scope.spawn(move || half.iter().for_each(|law| breaks_alone(law)));
        }
    });
    assert_eq!(check("none"), []);
}

/// A store that breaks `broken` breaks no other law.
fn breaks_alone(broken: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for law in law::all::<Faulty>() {
        let is_broken = law.name == broken;
        let trial = Trial::new(law.name, Faulty::new(broken));
        let trial = match (is_broken, law.is_general) {
            (true, _) => trial,
            (false, false) => trial.quick(),
            (false, true) => continue,
        };
        let kept = runtime.block_on((law.test)(&trial));
        assert_eq!(kept.is_err(), is_broken, "`{broken}` is broken; `{}`: {kept:?}", law.name);
    }
}

/// What of the contract is broken by a store that breaks `law`.
fn check(law: &'static str) -> Vec<Violation> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(testkit::check(|| async { Faulty::new(law) }))
}

#[tokio::test]
#[should_panic(
    expected = "1 law broken:\na_count_of_zero_asks_for_the_total: count 0: expected total 12, got 0"
)]
async fn a_broken_law_is_a_panic_that_says_how() {
    testkit::run(|| async { Faulty::new("a_count_of_zero_asks_for_the_total") }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_may_run_beside_one_another() {
    let suite = testkit::Suite::new(|| async { MemoryStore::new() }).with_spawn(|task| {
        let handle = tokio::spawn(task);
        Box::pin(async { handle.await.unwrap() })
    });
    suite.run().await;
}

/// No law sees what another left.
#[tokio::test]
async fn all_laws_may_share_one_database() {
    let store = MemoryStore::new();
    testkit::run(|| async { store.clone() }).await;
    assert!(!store.is_empty());
}

#[test]
fn a_violation_names_the_law() {
    let broken = check("what_is_created_is_read");
    let [Violation { law, how }] = &broken[..] else { panic!("{broken:?}") };
    assert_eq!(*law, "what_is_created_is_read");
    assert!(how.to_string().starts_with("read of `1`: expected {"), "{how}");
}

#[tokio::test]
async fn a_crash_that_loses_what_was_acknowledged_is_told() {
    for (fault, message) in [
        ("none", None),
        ("a user is lost", Some("was acknowledged and is gone")),
        ("a member is lost", Some("is a member: false, was told true")),
        ("half a write is kept", Some("is neither as it was nor as the write without answer would make it")),
        ("it does not die", Some("goes on acknowledging writes after it was killed")),
    ] {
        let result = acknowledged_writes_survive(&Database::new(fault), 3).await;
        match (result, message) {
            (Ok(()), None) => {}
            (Err(broken), Some(message)) => {
                assert!(broken.to_string().contains(message), "{fault}: {broken}")
            }
            (result, _) => panic!("{fault}: {result:?}"),
        }
    }
}
