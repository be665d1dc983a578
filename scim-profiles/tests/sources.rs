//! The table of what the documents that this library began with say: every row points at something that exists.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::path::Path;

use scim_core::schema::AttributeType;
use scim_profiles::Profile;
use scim_profiles::pagerduty::{self, RoleKind, teams};

const PAGE: &str = include_str!("../SOURCES.md");

/// The documents in their order, each with the number of its sentences.
const DOCUMENTS: [(&str, usize); 5] = [
    ("PagerDuty SCIM, blog of hoop.dev", 40),
    ("PagerDuty support, \"SCIM User Provisioning\"", 59),
    ("Scimify documentation, \"PagerDuty Integration\"", 131),
    ("incident.io documentation, \"SCIM\"", 64),
    ("Datadog SCIM, blog of hoop.dev", 52),
];

/// The sections of the page: title and text.
fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGE.split("\n## ").skip(1).map(|part| part.split_once('\n').unwrap())
}

/// A row of the table.
struct Row {
    document: &'static str,
    sentences: Vec<usize>,
    said: &'static str,
    place: &'static str,
}

/// The rows below each title.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (document, text) in sections() {
        let lines = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Sentences"));
        for line in lines {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [sentences, said, place] = cells.as_slice() else { panic!("{document}: {line}") };
            rows.push(Row { document, sentences: numbers(sentences), said, place });
        }
    }
    rows
}

/// `1-3, 5` as the numbers it stands for.
fn numbers(text: &str) -> Vec<usize> {
    let number = |text: &str| text.parse::<usize>().unwrap_or_else(|_| panic!("`{text}` is no number"));
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => number(first)..=number(last),
        None => number(part)..=number(part),
    };
    text.split(", ").flat_map(range).collect()
}

/// The sentences of a document: a line is one, or several where a new one begins within it.
fn sentences(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let characters: Vec<char> = line.chars().collect();
        let mut sentence = String::new();
        for (index, character) in characters.iter().enumerate() {
            sentence.push(*character);
            let spaces = characters.iter().skip(index + 1).take_while(|next| next.is_whitespace()).count();
            let Some(next) = characters.get(index + 1 + spaces) else { continue };
            let before = index.checked_sub(1).and_then(|index| characters.get(index)).copied().unwrap_or(' ');
            let ends = match character {
                '.' | '!' | '?' if spaces == 0 => {
                    next.is_ascii_uppercase() && (before.is_ascii_lowercase() || [')', '’'].contains(&before))
                }
                '.' | '!' | '?' | '”' => spaces > 0 && (next.is_ascii_uppercase() || *next == '“'),
                _ => false,
            };
            if ends {
                sentences.push(std::mem::take(&mut sentence));
            }
        }
        sentences.push(sentence);
    }
    sentences
}

/// Each sentence is in a row, or among those that say nothing of what the software does, and in one of both.
#[test]
fn every_sentence_has_a_row_or_says_nothing() {
    let titles: Vec<_> = sections().map(|(title, _)| title).collect();
    assert_eq!(titles, DOCUMENTS.map(|(title, _)| title));
    for ((document, count), (_, text)) in DOCUMENTS.into_iter().zip(sections()) {
        let nothing = text.lines().find_map(|line| line.strip_prefix("Nothing: ")).unwrap();
        let nothing = numbers(nothing.trim_end_matches('.'));
        let rows = rows().into_iter().filter(|row| row.document == document);
        let told: BTreeSet<_> = rows.flat_map(|row| row.sentences).collect();
        let both: Vec<_> = nothing.iter().filter(|number| told.contains(number)).collect();
        assert!(both.is_empty(), "{document}: in a row, and said to be nothing: {both:?}");
        let all: BTreeSet<_> = told.iter().copied().chain(nothing).collect();
        let missing: Vec<_> = (1..=count).filter(|number| !all.contains(number)).collect();
        assert!(missing.is_empty(), "{document}: sentences without a row: {missing:?}");
        assert_eq!(all.last(), Some(&count), "{document}: a sentence that is not there");
    }
}

/// The documents themselves, where they are beside the workspace, have as many sentences.
#[test]
fn the_documents_have_as_many_sentences() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/seeds");
    if !folder.is_dir() {
        println!("skipped: the documents are not beside the workspace");
        return;
    }
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let counts: Vec<_> =
        files.iter().map(|file| sentences(&std::fs::read_to_string(file).unwrap()).len()).collect();
    assert_eq!(counts, DOCUMENTS.map(|(_, count)| count));
}

#[test]
fn sentences_end_where_the_next_begins() {
    assert_eq!(
        sentences("Title\nOne. “Two” three.Four (e.g. this)?Five\n\n • six: 1.5 of a.b"),
        ["Title", "One.", " “Two” three.", "Four (e.g. this)?", "Five", "• six: 1.5 of a.b"]
    );
    assert_eq!(numbers("1-3, 5"), [1, 2, 3, 5]);
}

/// In a row's last cell: `PROFILE:ID` is a rule or a row of what happens, `PROFILE.NAME` an option (`teams` is the
/// bridge to PagerDuty's teams), `FILE::NAME` a test in that file, and `FILE#WORDS` what stands in that file.
#[test]
fn every_place_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut problems = Vec::new();
    for Row { document, said, place, .. } in rows() {
        let places: Vec<_> = place.split('`').skip(1).step_by(2).collect();
        assert!(!places.is_empty(), "{document}: {said}: nowhere");
        for name in places {
            if !exists(&root, name) {
                problems.push(format!("{document}: {said}: there is no `{name}`"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn exists(root: &Path, name: &str) -> bool {
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap_or_default();
    if let Some((file, words)) = name.split_once('#') {
        return !words.is_empty() && read(file).contains(words);
    }
    if let Some((file, function)) = name.split_once("::") {
        return is_test(&read(file), function);
    }
    if let Some((profile, id)) = name.split_once(':') {
        return match Profile::by_name(profile) {
            None => profile == "teams" && teams::RULES.iter().any(|row| row.id == id),
            Some(profile) => {
                let mut rules = profile.resources.iter().flat_map(|resource| resource.rules);
                rules.any(|rule| rule.id == id) || profile.lifecycle.iter().any(|row| row.id == id)
            }
        };
    }
    let Some((profile, option)) = name.split_once('.') else { return false };
    let options = Profile::by_name(profile).map(|profile| profile.options);
    let options = options.or((profile == "teams").then_some(teams::OPTIONS)).unwrap_or_default();
    options.iter().any(|row| row.name == option)
}

/// Whether `text` has a test of that name.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let declared = |line: &str| {
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ")
            .is_some_and(|rest| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('(')))
    };
    let Some(place) = lines.iter().position(|line| declared(line)) else { return false };
    let above = lines.iter().take(place).rev();
    above
        .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
        .any(|line| line.contains("test]") || line.contains("test("))
}

#[test]
fn what_does_not_exist_is_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    assert!(exists(&root, "pagerduty:role-owner") && exists(&root, "pagerduty.duplicate_status"));
    assert!(exists(&root, "scim-profiles/tests/sources.rs::every_place_exists"));
    assert!(exists(&root, "scim-profiles/guides/okta-pagerduty.md#Push Groups"));
    for name in [
        "pagerduty:role-of-nobody",
        "pagerduty.role-owner",
        "scim-profiles/tests/sources.rs::nobody",
        "scim-profiles/tests/sources.rs::exists",
        "scim-profiles/guides/okta-pagerduty.md",
        "scim-profiles/guides/okta-pagerduty.md#what nobody wrote",
        "scim-profiles/guides/nobody.md#nothing",
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

/// The other table of the support page: name, type, whether it is an array, is required, and is read alone. Of `meta`
/// the API description alone speaks.
#[test]
fn the_attributes_are_those_of_the_document() {
    use AttributeType::{Boolean, Complex, String};
    let expected = BTreeSet::from([
        ("id", String.as_str(), false, false, true),
        ("userName", String.as_str(), false, true, false),
        ("displayName", String.as_str(), false, true, false),
        ("externalId", String.as_str(), false, false, false),
        ("roles", Complex.as_str(), true, false, false),
        ("active", Boolean.as_str(), false, false, false),
        ("title", String.as_str(), false, false, false),
        ("entitlements", Complex.as_str(), true, false, false),
        ("timezone", String.as_str(), false, false, false),
    ]);
    let rows = pagerduty::PROFILE.resource("User").unwrap().attributes.iter();
    let found: BTreeSet<_> = rows
        .filter(|row| row.name != "meta")
        .map(|row| (row.name, row.kind.as_str(), row.multi_valued, row.required, row.read_only))
        .collect();
    assert_eq!(found, expected);
    let user = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "AGKWDNQ24N4SXBBWYENPROSIYQ",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "userName": "alex.doe@example.com",
        "displayName": "Alex Doe",
        "nickName": "Al",
    });
    let report = pagerduty::PROFILE.lint(&scim_core::Value::from(user));
    let unknown: Vec<_> = report.violations().iter().map(|found| (found.rule, found.path.as_str())).collect();
    assert_eq!(unknown, [("attribute-known", "nickName")]);
}
