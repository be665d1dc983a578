//! What may have been meant where a text looks like a common mistake.
//!
//! Only a text that was refused is looked at, and a hint changes nothing about it.

use std::ops::Range;

use crate::ParseErrorKind as Kind;

const QUOTES: &str = "strings are written in double quotes";
const EQUALITY: &str = "equality is written `eq`";
const INEQUALITY: &str = "inequality is written `ne`";
const ORDER: &str = "order is written `lt`, `le`, `gt` or `ge`";
const NEGATION: &str = "negation is written `not (…)`";
const SUBSTRINGS: &str = "substrings are matched with `co`, `sw` and `ew`, without wildcards";
const PRESENCE: &str = "whether there is a value is tested with `pr` and `not (… pr)`";
const LIST: &str = "each value is compared by itself, joined by `or`";
const COMPARISON: &str = "a comparison is written as in `userName eq \"bjensen\"`";
const OWN_ATTRIBUTE: &str = "each comparison names its attribute";
const SUB_ATTRIBUTE: &str = "a sub-attribute stands behind a `.`, as in `name.familyName`";
const CHOICE: &str = "values are chosen by what they hold, as in `emails[type eq \"work\"]`";
const BACKSLASH: &str = "a backslash in a string is written `\\\\`";
const BARE: &str = "an attribute alone is no condition, and a boolean is compared with `true`";
const PERCENT: &str = "the text is still percent-encoded";
const PLUS: &str = "the text still has `+` for spaces, as a query has";

/// What the kind of an error and the text around `span` tell.
pub(crate) fn hint(kind: Kind, text: &str, span: &Range<usize>) -> Option<&'static str> {
    let before = text.get(..span.start)?;
    let found = text.get(span.clone())?;
    let rest = text.get(span.start..)?;
    match kind {
        Kind::ExpectedAttribute => carried(rest).or_else(|| instead_of_attribute(before, rest)),
        Kind::InvalidAttribute => in_attribute(found, rest),
        Kind::ExpectedSpace => carried(rest),
        Kind::ExpectedOperator => carried(rest).or_else(|| instead_of_operator(before, found, rest)),
        Kind::ExpectedValue => carried(rest).or_else(|| instead_of_value(found, rest)),
        Kind::InvalidNumber => in_number(found),
        Kind::UnterminatedString => in_string(found),
        Kind::InvalidEscape => Some(match found {
            "\\'" => "a single quote takes no backslash",
            _ if found.starts_with("\\u") => {
                "`\\u` takes four hexadecimal digits, and a backslash itself is written `\\\\`"
            }
            _ => BACKSLASH,
        }),
        Kind::ExpectedLogic | Kind::ExpectedLogicOrClose { .. } => {
            carried(rest).or_else(|| instead_of_logic(before, found, rest))
        }
        Kind::ExpectedEnd if rest.starts_with('/') => Some(SUB_ATTRIBUTE),
        Kind::ExpectedEnd => carried(rest),
        _ => None,
    }
}

/// A text that is still encoded for what has carried it, or has other spaces than a filter has.
fn carried(rest: &str) -> Option<&'static str> {
    const ENTITIES: [&str; 6] = ["&amp;", "&quot;", "&apos;", "&lt;", "&gt;", "&#"];
    let first = rest.chars().next()?;
    let is_invisible = matches!(first, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
    if first != ' ' && (first.is_whitespace() || is_invisible) {
        return Some("words are separated by the space U+0020 alone");
    }
    match rest.as_bytes() {
        [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => Some(PERCENT),
        [b'+', b'0'..=b'9', ..] => None,
        [b'+', ..] => Some(PLUS),
        [b'\\', b'"', ..] => Some("the quotes are escaped once too often"),
        [b'&', ..] if ENTITIES.iter().any(|entity| rest.starts_with(entity)) => {
            Some("the text is still escaped for HTML or XML")
        }
        _ => None,
    }
}

fn instead_of_attribute(before: &str, rest: &str) -> Option<&'static str> {
    match rest.chars().next()? {
        '!' => Some(NEGATION),
        '{' => Some(COMPARISON),
        '/' | '$' | '@' => Some("a path begins with its attribute, as in `name.familyName`"),
        '?' => Some("the filter begins behind `filter=`"),
        '0'..='9' | '*' | ']' if before.ends_with('[') => Some(CHOICE),
        c if is_quote(c) => {
            let behind = rest.split(is_quote).nth(2).unwrap_or_default();
            let names = is_operator(first_word(behind.trim_start()));
            Some(if names { "attributes are written without quotes" } else { OWN_ATTRIBUTE })
        }
        _ => None,
    }
}

/// What has the letters of an attribute path but breaks its grammar.
fn in_attribute(found: &str, rest: &str) -> Option<&'static str> {
    let is_number = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    if found.contains('+') {
        return Some(PLUS);
    }
    if found.contains("%20") || found.contains("%22") {
        return Some(PERCENT);
    }
    let parts = || found.split(':').skip(1);
    if found.contains(':') {
        let behind = rest.get(found.len()..).unwrap_or_default().trim_start();
        let is_value = found.ends_with(':') && behind.starts_with(is_quote);
        let is_compared = parts().any(is_operator) || is_value;
        return is_compared.then_some(COMPARISON);
    }
    if found.split('.').any(is_number) {
        return Some(CHOICE);
    }
    let is_long = found.matches('.').count() > 1 && !found.ends_with('.');
    is_long.then_some("a path names an attribute and one sub-attribute at most")
}

fn instead_of_operator(before: &str, found: &str, rest: &str) -> Option<&'static str> {
    let last = last_word(before);
    match rest.as_bytes() {
        [b'=', ..] if before.trim_start().eq_ignore_ascii_case("filter") => {
            return Some("the filter begins behind `filter=`");
        }
        [b'=', b'~', ..] | [b'~', ..] => return Some(SUBSTRINGS),
        [b'!', b'=', ..] | [b'<', b'>', ..] => return Some(INEQUALITY),
        [b'=', b'<' | b'>', ..] | [b'<' | b'>', ..] => return Some(ORDER),
        [b'=', ..] => return Some(EQUALITY),
        [b'/', ..] => return Some(SUB_ATTRIBUTE),
        [b'[', ..] => return Some("the bracket stands right behind its attribute"),
        [b')' | b']', ..] if of_word(last) != Some(BARE) => return Some(BARE),
        [b'(', ..] => return of_word(last).or(is_operator(last).then_some(COMPARISON)),
        [b'"' | b'\'', ..] if is_operator(last) => return Some(OWN_ATTRIBUTE),
        _ => {}
    }
    if [last, found].iter().any(|word| word.eq_ignore_ascii_case("not")) {
        return Some(NEGATION);
    }
    let next = rest.get(found.len()..).map(|rest| first_word(rest.trim_start())).unwrap_or_default();
    let is_test = ["null", "not", "empty"].iter().any(|word| next.eq_ignore_ascii_case(word));
    if found.eq_ignore_ascii_case("is") && is_test { Some(PRESENCE) } else { of_word(found) }
}

fn instead_of_value(found: &str, rest: &str) -> Option<&'static str> {
    let is = |words: &[&str]| words.iter().any(|word| found.eq_ignore_ascii_case(word));
    match rest.chars().next()? {
        '(' | '[' => Some(LIST),
        _ if is(&["true", "false", "null"]) => Some("`true`, `false` and `null` are lower case, as in JSON"),
        _ if is(&["none", "nil", "undefined"]) => Some(PRESENCE),
        c if is_quote(c) || c.is_alphanumeric() || matches!(c, '+' | '/' | '.' | '*') => Some(QUOTES),
        _ => None,
    }
}

/// Dates, telephone numbers and identifiers begin like numbers.
fn in_number(found: &str) -> Option<&'static str> {
    let digits = found.trim_start_matches('-');
    let is_text = digits.bytes().any(|byte| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E'))
        || found.matches(['-', '.']).count() > 1;
    match digits.as_bytes() {
        _ if is_text => Some(QUOTES),
        [b'0', b'0'..=b'9', ..] => Some("a number has no leading zeros, and strings are in double quotes"),
        _ => None,
    }
}

/// A string without an end.
fn in_string(found: &str) -> Option<&'static str> {
    if found.ends_with("\\\"") {
        return Some(BACKSLASH);
    }
    let other = !found.ends_with('"') && found.ends_with(is_quote);
    other.then_some("a string ends with `\"`, as it began")
}

fn instead_of_logic(before: &str, found: &str, rest: &str) -> Option<&'static str> {
    let first = rest.chars().next()?;
    // A string that has just ended, with nothing in between.
    if before.ends_with('"') && (first == '"' || first.is_alphanumeric()) {
        return Some("a double quote in a string is written `\\\"`");
    }
    match rest.as_bytes() {
        [b'&', b'&', ..] => return Some("`&&` is written `and`"),
        [b'|', b'|', ..] => return Some("`||` is written `or`"),
        [b'&', ..] if rest.get(1 + first_word(rest.get(1..)?).len()..)?.starts_with('=') => {
            return Some("the next parameter of a query is not part of the filter");
        }
        [b'&' | b'|' | b',' | b';', ..] => return Some("terms are joined by `and` or `or`"),
        [b'.', ..] => return Some("a sub-attribute is compared inside the brackets"),
        _ => {}
    }
    let is_value = is_quote(first) || first.is_ascii_digit() || matches!(found, "true" | "false" | "null");
    let follows_pr = last_word(before).eq_ignore_ascii_case("pr");
    (follows_pr && (is_value || is_operator(found))).then_some("`pr` takes no value")
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '´' | '«' | '»' | '\u{2018}'..='\u{201f}')
}

fn is_operator(word: &str) -> bool {
    const OPERATORS: [&str; 10] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"];
    OPERATORS.iter().any(|operator| word.eq_ignore_ascii_case(operator))
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn first_word(text: &str) -> &str {
    text.split(|c| !is_letter(c)).next().unwrap_or_default()
}

/// The word that `text` ends with, before spaces.
fn last_word(text: &str) -> &str {
    text.trim_end().rsplit(|c| !is_letter(c)).next().unwrap_or_default()
}

/// What other languages call operators, in lower case and without `_`, and what that is here.
const WORDS: [(&[&str], &str); 9] = [
    (&["equals", "equal", "equalto", "is"], EQUALITY),
    (&["neq", "notequals", "notequal"], INEQUALITY),
    (
        &[
            "like",
            "ilike",
            "contains",
            "includes",
            "matches",
            "regex",
            "startswith",
            "starts",
            "beginswith",
            "begins",
            "endswith",
            "ends",
        ],
        SUBSTRINGS,
    ),
    (&["exists", "present", "notnull", "isnull"], PRESENCE),
    (&["in", "any", "oneof"], LIST),
    (&["lte"], "less than or equal is written `le`"),
    (&["gte"], "greater than or equal is written `ge`"),
    (&["lessthan", "before", "greaterthan", "after", "between"], ORDER),
    (&["and", "or"], BARE),
];

/// What is written here for the operator another language calls `word`.
fn of_word(word: &str) -> Option<&'static str> {
    let is_word = |other: &&str| {
        let letters = word.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase());
        letters.eq(other.bytes())
    };
    WORDS.iter().find(|(words, _)| words.iter().any(is_word)).map(|(_, hint)| *hint)
}
