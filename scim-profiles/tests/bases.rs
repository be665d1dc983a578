//! What is no more than inferred is left to an option, in every row of every page.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

use scim_profiles::pagerduty::teams;
use scim_profiles::{Profile, guard};

/// The pages, which have every row: of the profiles, of the bridge to PagerDuty's teams, and of the guards.
fn pages() -> Vec<(&'static str, String)> {
    let profiles = Profile::ALL.iter().map(|profile| (profile.name, profile.to_markdown()));
    profiles.chain([("pagerduty-teams", teams::to_markdown()), ("guards", guard::to_markdown())]).collect()
}

/// The rows of the page below each title: the first cell, and what the row stands on.
fn rows(page: &str) -> Vec<(&str, &str, &str)> {
    let mut rows = Vec::new();
    for section in page.split("\n## ").skip(1) {
        let (title, text) = section.split_once('\n').unwrap();
        let lines = text.lines().filter(|line| line.starts_with("| "));
        for line in lines.skip(1) {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            rows.push((title, cells[0], *cells.last().unwrap()));
        }
    }
    rows
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn what_is_inferred_names_an_option_that_there_is_and_what_is_decided_a_reason() {
    let mut counted: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (page, text) in pages() {
        let rows = rows(&text);
        let of_options = rows.iter().filter(|(title, ..)| *title == "Options");
        let options: BTreeSet<&str> = of_options.flat_map(|(_, name, _)| names(name)).collect();
        for (title, row, basis) in rows {
            let place = format!("{page}, {title}: {row}: {basis}");
            let kind = match basis.split_once(": ") {
                None => {
                    assert_eq!(basis, "stated", "{place}");
                    0
                }
                Some(("*inferred*", named)) => {
                    assert!(names(named).count() > 0, "{place}");
                    assert!(names(named).all(|name| options.contains(name)), "{place}");
                    // What is inferred of an option is its default.
                    assert!(title != "Options" || names(named).eq(names(row)), "{place}");
                    1
                }
                Some((decided, why)) => {
                    assert!(decided == "*decided*" && why.len() > 10, "{place}");
                    2
                }
            };
            counted.entry(page).or_default()[kind] += 1;
        }
    }
    // There is something of each kind to look at.
    for page in ["pagerduty", "incident-io", "datadog", "pagerduty-teams"] {
        assert!(counted[page].iter().all(|count| *count > 0), "{page}: {:?}", counted[page]);
    }
}
