//! The preview of an installation at incident.io, beside reading every membership once.
//!
//! 100,000 people, each in 20 of 5,000 groups, of which 500 are mapped: a preview shall take less than
//! ten times what it takes to read the members' ids. As a test (`cargo bench -- --test`) there are fewer.

#![expect(clippy::unwrap_used, reason = "a benchmark")]

mod organisation;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use organisation::{GROUPS_EACH, Organisation};
use scim_profiles::incident_io::{Directory, Preview};

fn previews(criterion: &mut Criterion) {
    let test = std::env::args().any(|argument| argument == "--test");
    let people = if test { 1000 } else { 100_000 };
    let organisation = Organisation::new(people, people / 20, people / 200).unwrap();
    let Organisation { workspace, directory, mapping } = &organisation;

    // Every id was read, in each of the groups.
    assert_eq!(read(directory).1, people * GROUPS_EACH * 36);
    let summary = Preview::new(workspace, directory, mapping).summary();
    assert_eq!(
        (summary.created, summary.linked, summary.unlinked),
        (people / 10, people / 10 * 9, people / 10)
    );

    let mut group = criterion.benchmark_group(format!("incident_io_{people}"));
    group.sample_size(20);
    group.bench_function("memberships", |bencher| bencher.iter(|| read(black_box(directory))));
    group.bench_function("preview", |bencher| {
        bencher.iter(|| Preview::new(black_box(workspace), directory, mapping).rows().len());
    });
    group.finish();
}

/// Reads the id of every member of every group, as far as to its first character: a check sum of
/// these, and the length of all.
fn read(directory: &Directory) -> (u8, usize) {
    let members = directory.groups().iter().flat_map(|group| &group.members);
    members.fold((0, 0), |(sum, length), id| (sum ^ id.bytes().next().unwrap_or_default(), length + id.len()))
}

criterion_group!(benches, previews);
criterion_main!(benches);
