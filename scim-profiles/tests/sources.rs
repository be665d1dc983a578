//! The table of what the documents that this library began with say: every row points at something that exists.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::path::Path;

use scim_profiles::Profile;
use scim_profiles::pagerduty::{self, RoleKind, teams};

const PAGE: &str = include_str!("../SOURCES.md");

/// The documents, in their order.
const DOCUMENTS: [&str; 5] = [
    "PagerDuty SCIM, blog of hoop.dev",
    "PagerDuty support, \"SCIM User Provisioning\"",
    "Scimify documentation, \"PagerDuty Integration\"",
    "incident.io documentation, \"SCIM\"",
    "Datadog SCIM, blog of hoop.dev",
];

/// The rows below each title: what is said, and where it lives.
fn rows() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut rows = Vec::new();
    for part in PAGE.split("\n## ").skip(1) {
        let (title, text) = part.split_once('\n').unwrap();
        let lines = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| What is said"));
        for line in lines {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [said, place] = cells.as_slice() else { panic!("{title}: {line}") };
            rows.push((title, *said, *place));
        }
    }
    rows
}

#[test]
fn each_document_has_its_rows() {
    let titles: Vec<_> = PAGE.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(titles, DOCUMENTS);
    for document in DOCUMENTS {
        let count = rows().iter().filter(|(title, ..)| *title == document).count();
        assert!(count >= 5, "{document}: {count} rows");
    }
}

/// In a row's last cell: `PROFILE:ID` is a rule or a row of what happens, `PROFILE.NAME` an option (`teams` is the
/// bridge to PagerDuty's teams), `FILE::NAME` a function of that file, and everything else a file.
#[test]
fn every_place_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut problems = Vec::new();
    for (title, said, place) in rows() {
        let places: Vec<_> = place.split('`').skip(1).step_by(2).collect();
        assert!(!places.is_empty(), "{title}: {said}: nowhere");
        for name in places {
            if !exists(&root, name) {
                problems.push(format!("{title}: {said}: there is no `{name}`"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn exists(root: &Path, name: &str) -> bool {
    if let Some((file, function)) = name.split_once("::") {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        return text.contains(&format!("fn {function}("));
    }
    if name.contains('/') {
        return root.join(name).exists();
    }
    let row = |profile: &str, id: &str| {
        if profile == "teams" {
            return teams::RULES.iter().any(|row| row.id == id);
        }
        let profile = Profile::by_name(profile).unwrap_or_else(|| panic!("no profile `{profile}`"));
        let mut rules = profile.resources.iter().flat_map(|resource| resource.rules);
        rules.any(|rule| rule.id == id) || profile.lifecycle.iter().any(|row| row.id == id)
    };
    if let Some((profile, id)) = name.split_once(':') {
        return row(profile, id);
    }
    match name.split_once('.') {
        Some(("teams", option)) => teams::OPTIONS.iter().any(|row| row.name == option),
        Some((profile, option)) => {
            let profile = Profile::by_name(profile).unwrap_or_else(|| panic!("no profile `{profile}`"));
            profile.options.iter().any(|row| row.name == option)
        }
        None => false,
    }
}

#[test]
fn what_does_not_exist_is_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    assert!(exists(&root, "pagerduty:role-owner") && exists(&root, "pagerduty.duplicate_status"));
    assert!(exists(&root, "scim-profiles/tests/sources.rs::every_place_exists"));
    assert!(exists(&root, "scim-profiles/guides/okta-pagerduty.md"));
    for name in [
        "pagerduty:role-of-nobody",
        "pagerduty.role-owner",
        "scim-profiles/tests/sources.rs::nobody",
        "scim-profiles/guides/nobody.md",
        "nobody",
    ] {
        assert!(!exists(&root, name), "{name}");
    }
}

/// The table of the support page: name, value, kind.
#[test]
fn the_roles_are_those_of_the_document() {
    let expected = [
        ("Global Admin", "admin", RoleKind::Fixed),
        ("Full Stakeholder", "read_only_user", RoleKind::Fixed),
        ("Limited Stakeholder", "read_only_limited_user", RoleKind::Fixed),
        ("Manager / User", "user", RoleKind::Flexible),
        ("Responder", "limited_user", RoleKind::Flexible),
        ("Observer", "observer", RoleKind::Flexible),
        ("Restricted Access", "restricted_access", RoleKind::Flexible),
        ("Account Owner", "owner", RoleKind::Fixed),
    ];
    let found: Vec<_> = pagerduty::ROLES.iter().map(|role| (role.name, role.value, role.kind)).collect();
    assert_eq!(found, expected);
}
