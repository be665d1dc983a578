//! The preview of an installation at incident.io, beside reading every membership once.
//!
//! ```text
//! cargo bench --bench incident_io [-- --check]
//! ```
//!
//! 100,000 people, each in 20 of 5,000 groups, of which 500 are mapped: a preview shall take less than
//! ten times what it takes to read the members' ids, and with `--check` it must. The two take turns, and a time is
//! that of the thread on its processor, so that other work on the machine does not count. What a preview holds in memory
//! is printed beside, by the allocator's count. As a test (`cargo bench --
//! --test`) there are fewer people, nothing is timed, and the allocations are compared: those of twice as many people
//! in twice as many groups are twice as many.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a measurement")]

mod organisation;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use allocation_counter::measure;
use organisation::{GROUPS_EACH, Organisation};
use rustix::time::{ClockId, clock_gettime};

const PEOPLE: usize = 100_000;
/// What a preview may take of the time of reading the memberships.
const LIMIT: f64 = 10.0;
const ROUNDS: usize = 21;

fn main() -> ExitCode {
    let told = |option: &str| std::env::args().any(|argument| argument == option);
    if told("--test") {
        return test_allocations();
    }
    let organisation = organisation(PEOPLE);
    let (mut reading, mut previewing) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        reading.push(timed(|| {
            black_box(black_box(&organisation).read());
        }));
        previewing.push(timed(|| drop(black_box(black_box(&organisation).preview()))));
    }
    let (reading, previewing) = (median(reading), median(previewing));
    let ratio = previewing.as_secs_f64() / reading.as_secs_f64();
    println!("{PEOPLE} people, {} memberships, medians of {ROUNDS} rounds:", PEOPLE * GROUPS_EACH);
    println!("reading every membership {reading:?}, a preview {previewing:?}: {ratio:.1} times as long");
    // Not one of the rounds: who counts is slower.
    let counted = measure(|| drop(black_box(organisation.preview())));
    println!(
        "a preview holds {:.1} MiB at most, {} bytes for each person, in {} allocations",
        counted.bytes_max as f64 / 1_048_576.0,
        counted.bytes_max / PEOPLE as u64,
        counted.count_total
    );
    if ratio < LIMIT {
        return ExitCode::SUCCESS;
    }
    println!("that is not less than {LIMIT} times");
    if told("--check") { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// An organisation of so many, of which the preview is what it should be.
fn organisation(people: usize) -> Organisation {
    let organisation = Organisation::new(people, people / 20, people / 200).unwrap();
    // Every id was read, in each of the groups.
    assert_eq!(organisation.read().1, people * GROUPS_EACH * 36);
    let summary = organisation.preview().summary();
    assert_eq!(
        (summary.created, summary.linked, summary.unlinked),
        (people / 10, people / 10 * 9, people / 10)
    );
    organisation
}

/// How long this thread has run meanwhile.
fn timed(work: impl FnOnce()) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("time is not negative");
    let before = now();
    work();
    now() - before
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Of reading there are no allocations, and those of a preview are proportional to the people.
fn test_allocations() -> ExitCode {
    // Of so many, a quarter of the mapped groups give custom roles in either.
    let [one, two] = [4000, 8000].map(|people| {
        let organisation = organisation(people);
        let reading = measure(|| {
            black_box(organisation.read());
        });
        assert_eq!(reading.count_total, 0);
        measure(|| drop(black_box(organisation.preview())))
    });
    println!("4000 people: {} allocations, {} bytes at most", one.count_total, one.bytes_max);
    println!("8000 people: {} allocations, {} bytes at most", two.count_total, two.bytes_max);
    assert!(two.count_total <= 2 * one.count_total + one.count_total / 10);
    assert!(two.bytes_max <= 2 * one.bytes_max + one.bytes_max / 10);
    // A few for each person: those of their roles, and of e-mail addresses that are not in lower case.
    assert!(two.count_total <= 4 * 8000, "{} allocations", two.count_total);
    ExitCode::SUCCESS
}
