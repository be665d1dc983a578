//! Common mistakes, and what is said to those who make them: the whole caret form, word for word.
//!
//! A file of `hints` holds one after the other, an empty line in between. The first line of a caret
//! form is the text that was refused.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use scim_filter::{Filter, ParseError, PatchPath};

const FILTERS: &str = include_str!("hints/filters.txt");
const PATHS: &str = include_str!("hints/paths.txt");

fn forms(file: &str) -> impl Iterator<Item = (&str, &str)> {
    file.trim_end_matches('\n').split("\n\n").map(|form| (form.split_once('\n').unwrap().0, form))
}

#[test]
fn filters() {
    for (text, form) in forms(FILTERS) {
        assert_eq!(Filter::parse(text).unwrap_err().caret(text).to_string(), form);
    }
}

#[test]
fn paths() {
    for (text, form) in forms(PATHS) {
        assert_eq!(PatchPath::parse(text).unwrap_err().caret(text).to_string(), form);
    }
}

#[test]
fn other_spaces() {
    let hint = "words are separated by the space U+0020 alone";
    for space in ['\t', '\n', '\r', '\u{a0}', '\u{2003}', '\u{200b}', '\u{3000}', '\u{feff}'] {
        for text in ["_a eq 1", "a_eq 1", "a eq_1", "a eq 1_and b pr", "a eq 1 and_b pr", "a eq \"x\"_"] {
            let text = text.replace('_', &space.to_string());
            assert_eq!(Filter::parse(&text).unwrap_err().hint(), Some(hint), "of {text:?}");
        }
    }
    let text = "a\u{a0}eq 1";
    assert_eq!(
        Filter::parse(text).unwrap_err().caret(text).to_string(),
        format!("{text}\n ^^^ expected `pr` or a comparison operator, found `\u{a0}eq`; {hint}"),
    );
}

#[test]
fn every_hint_is_asserted() {
    let hint = |error: ParseError| error.hint();
    let filters = forms(FILTERS).filter_map(|(text, _)| hint(Filter::parse(text).unwrap_err()));
    let paths = forms(PATHS).filter_map(|(text, _)| hint(PatchPath::parse(text).unwrap_err()));
    let mut given: BTreeSet<&str> = filters.chain(paths).collect();
    given.insert("words are separated by the space U+0020 alone");
    // Of the strings in the source, the hints are those of several words.
    let source = include_str!("../src/hint.rs").replace("\\\"", "\u{1}").replace("'\"'", "");
    let written: BTreeSet<String> = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(|string| string.contains(' '))
        .map(|string| string.replace('\u{1}', "\"").replace("\\\\", "\\"))
        .collect();
    assert!(written.len() > 30, "{written:?}");
    assert!(written.iter().eq(&given), "written but not given, or the other way round: {:?}", {
        let given = given.iter().map(|hint| (*hint).to_owned()).collect();
        written.symmetric_difference(&given).cloned().collect::<Vec<_>>()
    });
}
