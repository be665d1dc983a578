//! The pages that profiles print of themselves.
#![expect(clippy::unwrap_used, reason = "a test")]

use scim_profiles::incident_io::BaseRole;
use scim_profiles::{Basis, Profile, Source, pagerduty};

/// The cells of a line of a table, in which `\|` is no border.
fn cells(line: &str) -> Vec<String> {
    let line = line.strip_prefix("| ").unwrap().strip_suffix(" |").unwrap();
    line.split(" | ").map(str::to_owned).collect()
}

fn sources(profile: &Profile) -> Vec<Source> {
    let resources = || profile.resources.iter();
    (profile.base_urls.iter().map(|row| row.source))
        .chain(profile.endpoints.iter().map(|row| row.source))
        .chain(profile.capabilities.iter().map(|row| row.source))
        .chain(profile.authorization.iter().map(|row| row.source))
        .chain(profile.lifecycle.iter().map(|row| row.source))
        .chain(profile.options.iter().map(|row| row.source))
        .chain(resources().flat_map(|resource| resource.rules).map(|row| row.source))
        .chain(resources().flat_map(|resource| resource.attributes).flat_map(|row| {
            std::iter::once(row.source).chain(row.sub_attributes.iter().map(|row| row.source))
        }))
        .chain(resources().flat_map(|resource| match resource.filters {
            scim_profiles::Filters::Only(rows) => rows.iter().map(|row| row.source).collect(),
            scim_profiles::Filters::Forms(forms) => forms.iter().map(|form| form.source).collect(),
            scim_profiles::Filters::Any => Vec::new(),
        }))
        .chain([profile.errors.source])
        .chain(roles(profile))
        .collect()
}

/// The sources of tables that one vendor alone has.
fn roles(profile: &Profile) -> Vec<Source> {
    match profile.name {
        "pagerduty" => pagerduty::ROLES
            .iter()
            .flat_map(|role| [role.source, role.team_role_source, role.license_source])
            .chain(pagerduty::Plan::ALL.map(|_| pagerduty::Plan::SOURCE))
            .collect(),
        "incident-io" => {
            let rows = profile.lifecycle.iter().find(|row| row.id == "elevated-needs-seat").unwrap();
            vec![rows.source; BaseRole::ALL.len()]
        }
        _ => Vec::new(),
    }
}

#[test]
fn a_page_has_every_row_with_its_source_and_date() {
    for profile in Profile::ALL {
        let page = profile.to_markdown();
        let rules = profile.resources.iter().flat_map(|resource| resource.rules).map(|rule| rule.id);
        for id in rules.chain(profile.lifecycle.iter().map(|row| row.id)) {
            assert!(page.contains(&format!("\n| `{id}` | ")), "{} {id}", profile.name);
        }
        let mut rows: Vec<String> = Vec::new();
        let mut columns = 0;
        let lines: Vec<&str> = page.lines().collect();
        for pair in lines.windows(2) {
            let &[line, next] = pair else { continue };
            if next.starts_with("|---") {
                columns = cells(line).len();
                assert_eq!(next.matches("---|").count(), columns, "{line}");
                assert!(line.ends_with("| Source | Seen | Basis |"), "{line}");
            } else if next.starts_with("| ") && columns > 0 && line.starts_with('|') {
                let row = cells(next);
                assert_eq!(row.len(), columns, "{next}");
                let [.., document, seen, basis] = row.as_slice() else { panic!("{next}") };
                rows.push(format!("{document} ({seen}) {basis}").replace('\\', ""));
            }
        }
        let mut expected: Vec<String> = sources(profile)
            .iter()
            .map(|source| {
                let basis = match source.basis {
                    Basis::Stated => "stated".to_owned(),
                    Basis::Inferred { options } => format!("*inferred*: `{}`", options.join("`, `")),
                    Basis::Decided { why } => format!("*decided*: {why}"),
                };
                format!("{} ({}) {basis}", source.document, source.seen)
            })
            .collect();
        rows.sort();
        expected.sort();
        assert_eq!(rows, expected, "{}", profile.name);
    }
}

#[test]
fn roles_are_on_the_page() {
    let page = Profile::by_name("pagerduty").unwrap().to_markdown();
    for row in [
        "| `owner` | Account Owner | fixed | no | PagerDuty support, \"SCIM User Provisioning\" | 2026 | stated |",
        "| `read_only_user` | observer | PagerDuty support, \"Advanced Permissions\" | 2026 | *decided*: the page has one row for both kinds of stakeholders |",
        "| `observer` | FullUser | advanced permissions | ",
    ] {
        assert!(page.contains(&format!("\n{row}")), "{row}\n{page}");
    }
}

#[test]
fn a_page_begins_with_what_it_is() {
    let page = Profile::by_name("incident-io").unwrap().to_markdown();
    let beginning = "\
# incident.io user provisioning

Profile `incident-io`. Each row names the document it comes from and the date of the version that was read; \
*inferred* marks what the document does not say in words, beside the option by which it can be had otherwise, and \
*decided* what this library decides where no document says anything, with the reason.

## Authorization

| Header | Sent by | Source | Seen | Basis |
|---|---|---|---|---|
| `Bearer …` | every identity provider | incident.io help centre, article 9564713; WorkOS documentation, \
integrations/scim | 2026 | stated |
";
    assert!(page.starts_with(beginning), "{page}");
    let row = "| `in_slack` | `standard` | the roles of who is unassigned but active in Slack: standard or keep | \
               incident.io documentation, \"SCIM\" | 2026 | *inferred*: `in_slack` |\n";
    assert!(page.contains(row), "{page}");
}
