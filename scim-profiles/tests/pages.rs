//! Each vendor has a page in the documentation, and so have the bridge and the guards, whose tables are the rows.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use scim_profiles::Profile;
use scim_profiles::guard;
use scim_profiles::pagerduty::teams;

/// Vendors; `generic` is none.
fn vendors() -> impl Iterator<Item = &'static Profile> {
    Profile::ALL.iter().copied().filter(|profile| profile.name != "generic")
}

/// File, module, and what is to be in it.
fn pages() -> Vec<(String, String, String)> {
    let module = |profile: &Profile| profile.name.replace('-', "_");
    vendors()
        .map(|profile| (profile.name.to_owned(), module(profile), profile.to_markdown()))
        .chain([
            ("pagerduty-teams".to_owned(), "pagerduty/teams".to_owned(), teams::to_markdown()),
            ("guards".to_owned(), "guard".to_owned(), guard::to_markdown()),
        ])
        .collect()
}

/// With UPDATE_PAGES set, writes them.
#[test]
fn the_pages_are_what_the_rows_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages");
    for (name, _, page) in pages() {
        let file = folder.join(format!("{name}.md"));
        if std::env::var_os("UPDATE_PAGES").is_some() {
            std::fs::write(&file, &page).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == page,
            "{} is not what the rows say: `UPDATE_PAGES=1 cargo test -p scim-profiles --test pages` writes it",
            file.display()
        );
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), pages().len());
}

#[test]
fn the_pages_are_in_the_documentation() {
    for (name, module, _) in pages() {
        let text = module_text(&module);
        // The bridge is one level further down.
        let up = "../".repeat(module.matches('/').count() + 2);
        assert!(text.contains(&format!("#![doc = include_str!(\"{up}pages/{name}.md\")]")), "{name}");
    }
}

#[test]
fn each_vendor_has_what_it_accepts_what_is_sent_and_what_is_done() {
    for profile in vendors() {
        let text = module_text(&profile.name.replace('-', "_"));
        let places = ["//! # What ", "//! # What identity providers send", "//! # What this "]
            .map(|words| text.find(words).unwrap_or_else(|| panic!("{}: no {words}", profile.name)));
        assert!(places.is_sorted(), "{}: {places:?}", profile.name);
    }
}

fn module_text(module: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module).join("mod.rs");
    std::fs::read_to_string(file).unwrap()
}
