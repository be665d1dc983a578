//! What a ledger notes: of whom, for how long, and that it does not grow with it.

use jiff::{SignedDuration, Timestamp};
use scim_core::TenantId;
use scim_profiles::guard::{Charge, Charged, GuardLedger as _, Lift, MemoryLedger};

use crate::server::ceiling;

fn charge(key: &str, amount: u64, most: u64) -> Charge {
    Charge { key: key.into(), amount, ceiling: ceiling().with_count(most), population: None }
}

#[tokio::test]
async fn all_charges_or_none() {
    let (ledger, acme, now) = (MemoryLedger::new(), TenantId::new("acme"), Timestamp::UNIX_EPOCH);
    let both = [charge("a", 1, 5), charge("b", 3, 5)];
    assert_eq!(ledger.charge(&acme, now, &both).await.unwrap(), Charged::Noted);
    assert!(matches!(ledger.charge(&acme, now, &both).await.unwrap(), Charged::Refused(1, _)));
    // Of `a` one was noted, not two.
    assert_eq!(ledger.charge(&acme, now, &[charge("a", 4, 5)]).await.unwrap(), Charged::Noted);
    assert!(matches!(ledger.charge(&acme, now, &[charge("a", 1, 5)]).await.unwrap(), Charged::Refused(0, _)));
    ledger.release(&acme, now, &[charge("a", 4, 5)]).await.unwrap();
    assert_eq!(ledger.charge(&acme, now, &[charge("a", 4, 5)]).await.unwrap(), Charged::Noted);
    // Another tenant has its own.
    let other = TenantId::new("other");
    assert_eq!(ledger.charge(&other, now, &[charge("a", 5, 5)]).await.unwrap(), Charged::Noted);
    // What was never noted is not taken back.
    ledger.release(&other, now, &[charge("b", 9, 5), charge("a", 9, 5)]).await.unwrap();
    assert!(matches!(
        ledger.charge(&other, now, &[charge("b", 6, 5)]).await.unwrap(),
        Charged::Refused(0, _)
    ));
    // No sum is too large.
    assert_eq!(ledger.charge(&other, now, &[charge("c", u64::MAX, u64::MAX)]).await.unwrap(), Charged::Noted);
    assert_eq!(ledger.charge(&other, now, &[charge("c", 1, u64::MAX)]).await.unwrap(), Charged::Noted);
}

#[tokio::test]
async fn a_lift_is_of_one_tenant() {
    let (ledger, acme, other) = (MemoryLedger::new(), TenantId::new("acme"), TenantId::new("other"));
    let lift = Lift::ceilings(Timestamp::UNIX_EPOCH);
    ledger.lift(&acme, Some(lift)).await.unwrap();
    assert_eq!(ledger.lifted(&acme).await.unwrap(), Some(lift));
    assert_eq!(ledger.lifted(&other).await.unwrap(), None);
    let all = Lift::everything(Timestamp::MAX);
    ledger.lift(&acme, Some(all)).await.unwrap();
    assert_eq!(ledger.lifted(&acme).await.unwrap(), Some(all));
    ledger.lift(&acme, None).await.unwrap();
    assert_eq!(ledger.lifted(&acme).await.unwrap(), None);
}

/// Keys that nobody asks for any more are forgotten when their time is over, and what is noted of
/// one key has sixty places.
#[test]
fn what_is_over_takes_no_room() {
    let (ledger, acme) = (MemoryLedger::new(), TenantId::new("acme"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let note = |number: i64| {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(number);
        let charges = [charge(&format!("group/{number}"), 1, 9), charge("all", 1, u64::MAX)];
        assert_eq!(runtime.block_on(ledger.charge(&acme, now, &charges)).unwrap(), Charged::Noted);
    };
    (0..2_000).for_each(note);
    let held = allocation_counter::measure(|| (2_000..20_000).for_each(note));
    assert!(held.bytes_current < 400_000, "{} bytes more", held.bytes_current);
    assert!(held.bytes_max < 1_000_000, "{} bytes at most", held.bytes_max);
}

/// The ends of time are no reason to panic.
#[tokio::test]
async fn at_the_ends_of_time() {
    for now in [Timestamp::MIN, Timestamp::MAX] {
        let (ledger, acme) = (MemoryLedger::new(), TenantId::new("acme"));
        assert_eq!(ledger.charge(&acme, now, &[charge("a", 5, 5)]).await.unwrap(), Charged::Noted);
        assert!(matches!(
            ledger.charge(&acme, now, &[charge("a", 1, 5)]).await.unwrap(),
            Charged::Refused(0, _)
        ));
    }
}
