//! Evidence for the rows of what happens: every row of every profile is shown by something that runs, and every
//! refusal refuses there; a row that is added without fails here.
//!
//! PagerDuty's evidence are its vectors, `vectors/pagerduty`, of one request each, which `pagerduty_vectors.rs`
//! plays. Datadog's are scripts, `vectors/lives/datadog`. What incident.io does when SCIM is installed, no
//! request shows: there the evidence are tests by name. The rules that judge payloads have theirs in
//! `lint_vectors.rs`, and those of the bridge to teams in `pagerduty_teams`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod script;

use std::collections::BTreeSet;
use std::path::Path;

use scim_profiles::{Lifecycle, Profile, RowKind};

/// The tests that refuse what rows of incident.io say is refused; those that show rows are in its table `SHOWN`.
const REFUSED_AT_INCIDENT_IO: &[(&str, &str)] = &[
    ("on-call-managed", "an_on_call_seat_stays_after_its_group_until_it_is_revoked"),
    ("install-permitted", "an_owner_or_who_may_manage_security_settings_installs"),
    ("owner-group-needed", "nobody_is_locked_out_unless_forced"),
    ("owner-group-has-somebody", "nobody_is_locked_out_unless_forced"),
    ("lockout-guarded", "nobody_is_locked_out_unless_forced"),
    ("install-confirmed", "only_the_mapping_in_force_is_synchronised_without_being_confirmed"),
    ("roles-managed", "by_hand_nothing_is_changed_while_scim_is_installed_and_nothing_by_uninstalling"),
    ("invites-disabled", "by_hand_nothing_is_changed_while_scim_is_installed_and_nothing_by_uninstalling"),
];

/// The ids of rows that something shows, and of those whose refusal something has.
#[derive(Default)]
struct Evidence {
    shown: BTreeSet<String>,
    refused: BTreeSet<String>,
}

impl Evidence {
    fn of(profile: &Profile) -> Self {
        match profile.name {
            "datadog" => Self::of_scripts(),
            "incident-io" => Self::of_tests(),
            "pagerduty" => Self::of_vectors(),
            _ => Self::default(),
        }
    }

    fn of_scripts() -> Self {
        let mut evidence = Self::default();
        for script in script::scripts() {
            for step in script.steps {
                evidence.shown.extend(step.shows);
                evidence.refused.extend(step.refuses);
            }
        }
        evidence
    }

    fn of_vectors() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/pagerduty");
        let mut evidence = Self::default();
        for entry in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
            let ids = |name: &str| {
                let ids = vector.get(name).and_then(|ids| ids.as_array()).into_iter().flatten();
                ids.map(|id| id.as_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            evidence.shown.extend(ids("shows"));
            evidence.refused.extend(ids("refuses"));
        }
        evidence
    }

    /// The rows of the table `SHOWN`, whose tests its own test runs.
    fn of_tests() -> Self {
        let text = include_str!("../incident_io_install/main.rs");
        let tests = [
            include_str!("../incident_io_install/confirming.rs"),
            include_str!("../incident_io_install/seats.rs"),
        ];
        let table =
            text.split_once("const SHOWN: &[(&str, fn())] = &[").unwrap().1.split_once("];").unwrap().0;
        // The ids are the only texts in it.
        let shown = table.split('"').skip(1).step_by(2);
        let mut refused = BTreeSet::new();
        for (id, test) in REFUSED_AT_INCIDENT_IO {
            let test = format!("#[test]\npub(crate) fn {test}()");
            assert!(tests.iter().any(|text| text.contains(&test)), "there is no `{test}`");
            refused.insert((*id).to_owned());
        }
        Self { shown: shown.map(str::to_owned).collect(), refused }
    }

    /// What `rows` lack, and what is of none of them.
    fn problems(&self, rows: &[Lifecycle]) -> Vec<String> {
        let mut problems = Vec::new();
        for row in rows {
            let (shown, refused) = (self.shown.contains(row.id), self.refused.contains(row.id));
            let (shows, refuses) = match row.kind {
                RowKind::Effect => (true, false),
                RowKind::Refusal => (true, true),
                RowKind::Premise => (false, false),
            };
            if shows != shown {
                problems.push(format!("{}: shown: {shown}", row.id));
            }
            if refuses != refused {
                problems.push(format!("{}: refused: {refused}", row.id));
            }
        }
        let known = |id: &&String| rows.iter().any(|row| row.id == **id);
        let unknown = self.shown.union(&self.refused).filter(|id| !known(id));
        problems.extend(unknown.map(|id| format!("{id} is no row")));
        problems
    }
}

#[test]
fn every_row_is_shown_and_every_refusal_refuses() {
    for profile in Profile::ALL {
        assert_eq!(Evidence::of(profile).problems(profile.lifecycle), [""; 0], "{}", profile.name);
    }
}

#[test]
fn what_has_no_evidence_is_found() {
    let rows = Profile::by_name("datadog").unwrap().lifecycle;
    let kinds: BTreeSet<_> = rows.iter().map(|row| format!("{:?}", row.kind)).collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    let expected: usize = rows
        .iter()
        .map(|row| match row.kind {
            RowKind::Effect => 1,
            RowKind::Refusal => 2,
            RowKind::Premise => 0,
        })
        .sum();
    assert_eq!(Evidence::default().problems(rows).len(), expected);
    let mut evidence = Evidence::of_scripts();
    evidence.shown.insert("nothing".to_owned());
    evidence.refused.insert("invited".to_owned());
    assert_eq!(evidence.problems(rows), ["invited: refused: true", "nothing is no row"]);
}

#[test]
fn the_server_does_exactly_what_the_scripts_say() {
    let problems: Vec<_> = script::scripts().iter().flat_map(script::Script::play).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What shows a row looks at something, and what refuses is answered with the row's own status.
#[test]
fn what_the_scripts_name_they_can_show() {
    let rows = Profile::by_name("datadog").unwrap().lifecycle;
    for script in script::scripts() {
        for (index, step) in script.steps.iter().enumerate() {
            let named =
                step.shows.iter().map(|id| (id, false)).chain(step.refuses.iter().map(|id| (id, true)));
            for (id, refuses) in named {
                let row = rows.iter().find(|row| row.id == *id).unwrap_or_else(|| panic!("no row {id}"));
                assert!(step.is_evidence(row, refuses), "{}, step {index}: {id}", script.name);
            }
        }
    }
}

/// A refusal that is answered has a 4xx, and so has nothing else; PagerDuty's and Datadog's are all answered but
/// for what is edited at Datadog itself.
#[test]
fn the_kind_of_a_row_agrees_with_its_status() {
    for row in Profile::ALL.iter().flat_map(|profile| profile.lifecycle) {
        let is_error = row.status.is_some_and(|status| status >= 400);
        assert!(!is_error || row.kind == RowKind::Refusal, "{}", row.id);
        assert!(row.status.is_none() || is_error || row.kind == RowKind::Effect, "{}", row.id);
    }
}
