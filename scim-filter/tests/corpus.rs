//! The third-party corpus of filters and paths, where it lies beside the workspace.
//!
//! `corpus-disagreements.tsv` lists what we judge otherwise than the corpus, each with the sentence
//! that decides; an entry that no longer disagrees fails the test as well.

use std::collections::BTreeMap;
use std::path::Path;

use scim_filter::{Filter, PatchPath};

const DISAGREEMENTS: &str = include_str!("corpus-disagreements.tsv");

#[test]
fn verdicts() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/filters.json");
    let Ok(text) = std::fs::read(&file) else {
        println!("skipped: {} is not there", file.display());
        return;
    };
    let records: Vec<serde_json::Value> = serde_json::from_slice(&text).unwrap();
    assert!(records.len() >= 500);
    let mut known: BTreeMap<(&str, &str), bool> = DISAGREEMENTS
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            assert!(fields.len() == 4 && !fields[3].is_empty(), "`{line}` gives no reason");
            ((fields[0], fields[1]), fields[2] == "valid")
        })
        .collect();
    let mut wrong = Vec::new();
    for record in &records {
        let (input, kind) = (record["input"].as_str().unwrap(), record["kind"].as_str().unwrap());
        let verdict = match kind {
            "filter" => Filter::parse(input).map(|filter| {
                assert_eq!(Filter::parse(&filter.to_string()).as_ref(), Ok(&filter));
            }),
            _ => PatchPath::parse(input).map(|path| {
                assert_eq!(PatchPath::parse(&path.to_string()).as_ref(), Ok(&path));
            }),
        };
        let ours = verdict.is_ok();
        if ours == record["valid"].as_bool().unwrap() {
            continue;
        }
        match known.remove(&(kind, input)) {
            Some(expected) if expected == ours => {}
            _ => wrong.push(format!("{kind} `{input}`: {verdict:?}")),
        }
    }
    assert!(wrong.is_empty(), "disagreements that are not listed:\n{}", wrong.join("\n"));
    assert!(known.is_empty(), "listed, but no disagreement: {known:?}");
}
