//! The memory of a preview, by a counting allocator: linear in users and memberships.
#![expect(clippy::unwrap_used, reason = "a test")]

use allocation_counter::measure;
use scim_profiles::incident_io::{BaseRole, Directory, Group, Person, Preview, RoleMapping, User, Workspace};

/// An organisation with `size` people, half of whom are users already, each in ten groups, of which
/// some are mapped.
fn organisation(size: usize) -> (Workspace, Directory, RoleMapping) {
    let users = (0..size / 2).map(|number| User {
        id: format!("u{number}"),
        email: format!("Person{number}@example.com"),
        ..User::default()
    });
    let people = (0..size).map(|number| Person {
        id: format!("p{number}"),
        email: format!("person{number}@example.com"),
        active: true,
    });
    let groups = (0..size / 10).map(|group| Group {
        name: format!("g{group}"),
        members: (0..100).map(|place| format!("p{}", (group * 31 + place * 97) % size)).collect(),
        ..Group::default()
    });
    let directory = Directory::new(people.collect(), groups.collect()).unwrap();
    let mapping = (0..size / 40).fold(RoleMapping::new(), |mapping, group| {
        let role = if group % 2 == 0 { BaseRole::Admin } else { BaseRole::Owner };
        mapping.with_base_role(&format!("g{}", group * 4), role)
    });
    (Workspace::new(users.collect()).unwrap(), directory, mapping)
}

#[test]
fn a_preview_takes_memory_linear_in_the_organisation() {
    let peak = |size: usize| {
        let (workspace, directory, mapping) = organisation(size);
        let mut changes = 0;
        let counted = measure(|| changes = Preview::new(&workspace, &directory, &mapping).changes().count());
        assert_eq!(changes, size);
        // Everybody has a row of bounded size, a place by id and one by address, and less than a
        // text in another case; nothing is kept of a membership.
        assert!(counted.bytes_max < 1000 * size as u64, "{} bytes for {size}", counted.bytes_max);
        assert!(counted.count_total < 4 * size as u64, "{} allocations for {size}", counted.count_total);
        counted.bytes_max
    };
    // Powers of two, as tables grow by doubling.
    let (small, large) = (peak(4096), peak(4 * 4096));
    assert!(large < 5 * small, "{large} after {small}");
}
