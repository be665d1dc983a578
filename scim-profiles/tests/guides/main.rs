//! The guides say what happens: every conversation in them is linted and played against the vendor's profile,
//! every mapping in them is sent, and every statement in them has a source.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test"
)]

mod guide;
mod server;

use std::collections::BTreeSet;

use guide::{Exchange, Guide};
use scim_core::Value;
use scim_profiles::{Check, Payload, Profile};
use server::Server;

/// What every guide has, in this order.
const SECTIONS: [&str; 7] =
    ["What to enter", "Mapping", "Features", "What is sent", "What happens", "Traps", "Sources"];

const IDPS: [&str; 3] = ["okta", "entra", "onelogin"];

/// Vendors; `generic` is none.
fn vendors() -> impl Iterator<Item = &'static Profile> {
    Profile::ALL.iter().copied().filter(|profile| profile.name != "generic")
}

#[test]
fn there_is_a_guide_for_each_pair_and_no_other() {
    let expected: BTreeSet<String> =
        vendors().flat_map(|vendor| IDPS.map(|idp| format!("{idp}-{}", vendor.name))).collect();
    assert_eq!(Guide::all().into_iter().map(|guide| guide.name).collect::<BTreeSet<_>>(), expected);
}

#[test]
fn every_guide_has_every_section_and_is_in_the_documentation() {
    let modules = include_str!("../../src/guides.rs");
    for guide in Guide::all() {
        let titles: Vec<_> = guide.sections().into_iter().map(|(title, _)| title).collect();
        let titles: Vec<_> =
            titles.into_iter().filter(|title| !matches!(*title, "Groups" | "Roles")).collect();
        assert_eq!(titles, SECTIONS, "{}", guide.name);
        let module = format!(
            "#[doc = include_str!(\"../guides/{}.md\")]\npub mod {} {{}}",
            guide.name,
            guide.name.replace('-', "_")
        );
        assert!(modules.contains(&module), "{module}");
    }
}

/// A row without a source, or with one that is not listed, and one that is listed and not used.
#[test]
fn every_row_has_a_source_that_is_listed() {
    for guide in Guide::all() {
        let listed: BTreeSet<_> = guide.sources();
        let mut used = BTreeSet::new();
        for (title, table) in guide.tables() {
            let column = table.header.iter().position(|name| *name == "Source");
            let column = column.unwrap_or_else(|| panic!("{} {title}: no sources", guide.name));
            for row in &table.rows {
                assert_eq!(row.len(), table.header.len(), "{} {title}: {row:?}", guide.name);
                let labels = row[column].replace("*inferred*", "").replace(['[', ']'], "");
                let labels: Vec<_> =
                    labels.split(',').map(str::trim).filter(|label| !label.is_empty()).collect();
                assert!(!labels.is_empty(), "{} {title}: {row:?}", guide.name);
                for label in labels {
                    assert!(listed.contains(label), "{} {title}: no source {label}: {row:?}", guide.name);
                    used.insert(label.to_owned());
                }
            }
        }
        for line in guide.section("Traps").lines().filter(|line| line.starts_with("- ")) {
            assert!(line.contains('['), "{}: a trap without source: {line}", guide.name);
        }
        for label in guide.labels_in_text() {
            assert!(listed.contains(label), "{}: no source {label}", guide.name);
            used.insert(label.to_owned());
        }
        assert_eq!(
            used.into_iter().collect::<Vec<_>>(),
            listed.into_iter().collect::<Vec<_>>(),
            "{}",
            guide.name
        );
    }
}

/// The linter says what the guide says it does, and the server answers what the guide says it does.
#[test]
fn every_conversation_is_as_the_guide_has_it() {
    let mut problems = Vec::new();
    for guide in Guide::all() {
        let server = Server::new(&guide);
        let exchanges = guide.exchanges();
        assert!(exchanges.len() >= 6, "{}", guide.name);
        for exchange in exchanges {
            let mut problem = |what: String| {
                problems.push(format!("{}: {} {}: {what}", guide.name, exchange.method, exchange.path));
            };
            let found = lint(guide.profile(), &exchange);
            if found != exchange.lint {
                problem(format!("the linter says {found:?}, not {:?}", exchange.lint));
            }
            let answer = server.send(&exchange);
            let expected = exchange.answer.as_ref().map(|expected| server.named(expected));
            let as_expected = expected.as_ref().is_none_or(|expected| contains(&answer.body, expected));
            if answer.status != exchange.status || !as_expected {
                let expected = expected.unwrap_or_default();
                problem(format!("{} {}\nnot {} {expected}", answer.status, answer.body, exchange.status));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Each mapped attribute is in a request of the guide, and the vendor does not ignore it, unless the row says so.
#[test]
fn every_mapping_is_sent() {
    for guide in Guide::all() {
        let profile = guide.profile();
        let sent: Vec<_> = guide.exchanges().iter().flat_map(Exchange::attributes).collect();
        let table = guide.table("Mapping");
        let target = table.header.iter().position(|name| *name == "Target").unwrap();
        assert!(table.rows.len() >= 4, "{}", guide.name);
        for row in &table.rows {
            let text = row[target].trim_matches('`');
            let attribute = server::attribute_of(text);
            let sends = |sent: &&String| sent.as_str() == text || **sent == attribute;
            assert!(sent.iter().any(|one| sends(&one)), "{}: nothing sends {text}", guide.name);
            let user = profile.registry().by_name("User").unwrap();
            let (name, sub) = attribute.split_once('.').unwrap_or((&attribute, ""));
            let known = user.find(None, name).is_some_and(|found| {
                sub.is_empty() || found.sub_attributes.iter().any(|one| one.name.eq_ignore_ascii_case(sub))
            });
            // `externalId` is common to all resources; a vendor can have a rule that it ignores it.
            let rules = profile.resource("User").unwrap().rules;
            let known =
                known && !rules.iter().any(|rule| rule.attribute == name && rule.check == Check::NoValue);
            let ignored = row.iter().any(|cell| cell.contains("ignored"));
            assert_eq!(known, !ignored, "{}: {text}", guide.name);
        }
    }
}

/// OneLogin wants a template: the one of the guide has the rows of the mapping and nothing else, and with the
/// values of somebody in it, it is the body that the guide's conversation creates a user with.
#[test]
fn the_template_to_paste_is_the_mapping_and_makes_what_is_sent() {
    for guide in Guide::all().into_iter().filter(|guide| guide.name.starts_with("onelogin-")) {
        let name = &guide.name;
        assert!(guide.section("What to enter").contains("SCIM JSON Template | the template below"), "{name}");
        let template = guide.template();
        let table = guide.table("Mapping");
        let column = |title: &str| table.header.iter().position(|name| *name == title).unwrap();
        let (value, target) = (column("Value in the template"), column("Target"));
        let mut targets = BTreeSet::from(["schemas".to_owned()]);
        for row in &table.rows {
            let text = row[value].trim_end_matches(", as an array").trim_matches('`');
            let expected = match text.starts_with('[') {
                true => serde_json::from_str(text).unwrap(),
                false => serde_json::Value::from(text),
            };
            let target = row[target].trim_matches('`');
            let found = template.pointer(&format!("/{}", target.replace('.', "/")));
            assert_eq!(found, Some(&expected), "{name}: {target}");
            targets.insert(target.to_owned());
        }
        let mut members = BTreeSet::new();
        for (member, value) in template.as_object().unwrap() {
            match value.as_object() {
                Some(parts) => members.extend(parts.keys().map(|part| format!("{member}.{part}"))),
                None => drop(members.insert(member.clone())),
            }
        }
        assert_eq!(members, targets, "{name}");

        let exchanges = guide.exchanges();
        let creation = exchanges.iter().find(|one| one.method == "POST" && one.path == "/Users").unwrap();
        let body = creation.body.as_ref().unwrap();
        assert!(fills(&template, body), "{name}: {body} is not {template} with values");
        assert_eq!(creation.status, 201, "{name}");
    }
}

/// Whether `body` is `template` with texts in place of what is in `{$…}`.
fn fills(template: &serde_json::Value, body: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Object, String};
    match (template, body) {
        (String(place), String(text)) if place.starts_with("{$") => !text.is_empty(),
        (Object(template), Object(body)) => {
            template.len() == body.len()
                && template
                    .iter()
                    .all(|(name, value)| body.get(name).is_some_and(|found| fills(value, found)))
        }
        (Array(template), Array(body)) => {
            template.len() == body.len()
                && template.iter().zip(body).all(|(value, found)| fills(value, found))
        }
        _ => template == body,
    }
}

#[test]
fn base_urls_and_tokens_are_those_of_the_profile() {
    for guide in Guide::all() {
        let profile = guide.profile();
        let entered = guide.section("What to enter");
        for row in profile.base_urls {
            assert!(entered.contains(row.url), "{}: {}", guide.name, row.url);
        }
        let spelled = guide.authorization();
        let prefix = spelled.strip_suffix("KEY").expect("ends with KEY");
        let idp = match guide.name.split('-').next().unwrap() {
            "okta" => "Okta",
            "entra" => "Microsoft Entra ID",
            _ => "OneLogin",
        };
        let row = profile.authorization.iter().find(|row| row.sent_by.contains(idp));
        assert_eq!(prefix, row.map_or("Bearer ", |row| row.prefix), "{}", guide.name);
    }
}

fn lint(profile: &Profile, exchange: &Exchange) -> BTreeSet<String> {
    let Some(body) = &exchange.body else { return BTreeSet::new() };
    let payload = match exchange.method.as_str() {
        "POST" => Payload::Create,
        "PUT" => Payload::Replace,
        _ => Payload::Patch,
    };
    let kind = if exchange.path.starts_with("/Groups") { "Group" } else { "User" };
    let value = Value::from(body.clone());
    // A vendor without groups judges them as what they say they are.
    let report =
        profile.lint_resource(kind, payload, &value).unwrap_or_else(|| profile.lint_as(payload, &value));
    report.violations().iter().map(|violation| violation.rule.to_owned()).collect()
}

/// Whether `found` has at least what `expected` has; an array has an element for each that is expected.
fn contains(found: &serde_json::Value, expected: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Null, Object};
    match (found, expected) {
        (Object(found), Object(expected)) => expected.iter().all(|(name, value)| match found.get(name) {
            Some(found) => contains(found, value),
            None => *value == Null,
        }),
        (Array(found), Array(expected)) => {
            found.len() == expected.len()
                && expected.iter().all(|value| found.iter().any(|found| contains(found, value)))
        }
        _ => found == expected,
    }
}
