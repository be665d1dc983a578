//! What was reported of other SCIM libraries, as vectors: each line of the files names where.

mod common;

use scim_filter::{BindOptions, Filter, PatchPath};
use serde_json::{Value, json};

fn lines(vectors: &str) -> Vec<&str> {
    vectors.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect()
}

#[test]
fn filters_are_read_and_printed() {
    let vectors = lines(include_str!("vectors/peer-defects-filters.tsv"));
    for line in &vectors {
        let (input, print) = line.split_once('\t').unwrap_or((line, line));
        let filter = Filter::parse(input).unwrap();
        assert_eq!(filter.to_string(), print, "of `{input}`");
        assert!(Filter::parse(print).unwrap() == filter, "`{print}`");
    }
    assert_eq!(vectors.len(), 32);
}

#[test]
fn paths_are_read_and_printed() {
    let vectors = lines(include_str!("vectors/peer-defects-paths.tsv"));
    for text in &vectors {
        assert_eq!(PatchPath::parse(text).unwrap().to_string(), *text);
    }
    assert_eq!(vectors.len(), 14);
}

#[test]
fn what_is_no_filter_is_refused() {
    let vectors = lines(include_str!("vectors/peer-defects-refused.tsv"));
    for line in &vectors {
        let (input, kind) = line.split_once('\t').unwrap();
        assert_eq!(format!("{:?}", Filter::parse(input).unwrap_err().kind()), kind, "of `{input}`");
    }
    assert_eq!(vectors.len(), 38);
}

/// Where others answered with the wrong resources.
#[test]
fn meaning() {
    let user = json!({
        "schemas": [common::CORE, common::ENTERPRISE],
        "userName": "BJensen",
        "externalId": "AbC",
        "title": "100% Guide",
        "active": false,
        "name": {"familyName": "Jensen"},
        "emails": [
            {"type": "work", "value": "a:b@example.org", "primary": true},
            {"type": "home", "value": "babs@example.com", "primary": false},
        ],
        "aliases": [],
        "userType": "",
        (common::ENTERPRISE): {"manager": {"value": "26118915", "displayName": "John Smith"}},
    });
    let text = user.to_string();
    for (filter, holds) in [
        // Terms in brackets are of one and the same value (elimity-com/scim).
        ("emails[type eq \"work\" and value ew \"example.com\"]", false),
        ("emails[type eq \"home\" and value ew \"example.com\"]", true),
        ("emails.type eq \"work\" and emails.value ew \"example.com\"", true),
        // caseExact decides, for every attribute (scim2-parse-filter 115, SimpleIdServer 489).
        ("userName eq \"bjensen\" and name.familyName eq \"JENSEN\"", true),
        ("externalId eq \"abc\"", false),
        ("externalId eq \"AbC\"", true),
        // `%` and `_` are characters (scim2-filter-parser).
        ("title co \"0% G\"", true),
        ("title co \"1%Guide\" or userName co \"B_ensen\" or userName eq \"%\"", false),
        // `eq` is no substring, and a needle no pattern (wso2 15598).
        ("userName eq \"BJens\"", false),
        ("userName co \".*\"", false),
        // Precedence (scim2-filter-parser 17).
        ("active eq false or title pr and userName eq \"x\"", true),
        ("(active eq false or title pr) and userName eq \"x\"", false),
        ("not (active eq true) and userName sw \"b\"", true),
        // What is empty is not there, and what is not there is not equal (issues differ: decided).
        ("userType pr or aliases pr or ims pr", false),
        ("ims ne \"x\" and userType ne \"x\"", true),
        // A colon in a string ends nothing (scim-patch); an extension's attribute (filter-parser 25).
        ("emails[value eq \"A:B@example.org\"]", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName co \"smith\"", true),
        ("URN:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:user:manager.value eq \"26118915\"", true),
        ("schemas eq \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"", true),
    ] {
        let bound = Filter::parse(filter).unwrap().bind(&common::USER, &BindOptions::default()).unwrap();
        assert_eq!(bound.matches::<Value>(user.as_object().unwrap()), holds, "{filter}");
        assert_eq!(bound.matches_slice(text.as_bytes()), Ok(holds), "{filter}, of text");
    }
}
