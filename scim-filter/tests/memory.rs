//! Memory, by a counting allocator: hostile text costs no more than the limits allow, what filters
//! are put through costs memory linear in their text, and evaluation allocates nothing.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use allocation_counter::measure;
use scim_filter::{BindOptions, BoundFilter, Filter, Limits, ParseErrorKind, ParseOptions, PatchPath};
use serde_json::{Value, json};

const MILLION: usize = 1_000_000;
const MEGABYTES: usize = 10 * MILLION;

/// The most bytes that were allocated at any moment of `work`.
fn peak(work: impl FnOnce()) -> usize {
    usize::try_from(measure(work).bytes_max).unwrap()
}

fn options(limits: Limits) -> ParseOptions {
    ParseOptions { limits, ..Default::default() }
}

fn raised() -> ParseOptions {
    options(Limits { max_bytes: 64 * MILLION, max_depth: MILLION, max_terms: MILLION })
}

/// Texts of at most `len` bytes that repeat something hostile; none is a filter, none a path.
fn hostile(len: usize) -> Vec<String> {
    let endless =
        |start: &str, piece: &str| format!("{start}{}", piece.repeat((len - start.len()) / piece.len()));
    vec![
        endless("", "("),
        endless("", "not ("),
        endless("", "not(("),
        endless("", "a pr or "),
        endless("", "a pr and "),
        endless("", "(a pr or "),
        endless("", "a pr or b pr and "),
        endless("", "not (a pr and "),
        endless("", "a["),
        endless("", "a[("),
        endless("a[", "("),
        endless("a[", "not ("),
        endless("a[", "b pr or "),
        endless("a eq \"", "x"),
        endless("a eq \"", "\\n"),
        endless("a eq \"", "\\ud83d\\ude00"),
        endless("a[b eq \"", "\\\\"),
        endless("", "a eq \"\\n\" or "),
        endless("", "a."),
        endless("", "a:"),
        endless("", "a:%4:"),
        endless("a eq ", "1"),
        endless("", " "),
        endless("a pr b", " "),
    ]
}

fn refused(text: &str, options: &ParseOptions) {
    assert!(Filter::parse_with(text, options).is_err());
    assert!(PatchPath::parse_with(text, options).is_err());
}

#[test]
fn ten_megabytes_cost_nothing_within_the_default_limits() {
    for text in hostile(MEGABYTES) {
        // What the error quotes, and no more: the length alone is enough to refuse it.
        let peak = peak(|| refused(&text, &ParseOptions::default()));
        assert!(peak < 1_000, "{peak} for {:.20}…", text);
    }
}

/// Text of the longest length that is parsed at all.
#[test]
fn the_default_limits_bound_the_memory() {
    let limit = Limits::default().max_bytes;
    for text in hostile(limit) {
        let peak = peak(|| refused(&text, &ParseOptions::default()));
        assert!(peak <= 4 * limit, "{peak} for {:.20}…", text);
    }
}

/// Brackets and terms are charged while parsing, however long the text may be: what was reserved
/// for it does not grow with it either.
#[test]
fn depth_and_terms_bound_the_memory_of_a_long_text() {
    let options = options(Limits { max_bytes: 64 * MILLION, ..Limits::default() });
    for text in hostile(2 * MILLION) {
        let peak = peak(|| refused(&text, &options));
        // Strings without escapes have to stand somewhere, and are as long as the text allows.
        let bound = if text.contains('\\') { 3 * text.len() } else { 200_000 };
        assert!(peak < bound, "{peak} for {:.20}…", text);
    }
}

#[test]
fn raised_limits_cost_memory_linear_in_the_text() {
    for len in [MILLION, 4 * MILLION] {
        for text in hostile(len) {
            let peak = peak(|| refused(&text, &raised()));
            // The most that a byte can ask for: a bracket's frame, in a list that has just doubled.
            assert!(peak <= 100 * text.len(), "{peak} for {:.20}…", text);
        }
    }
    // A million brackets are all there are, and cost the same in a text ten times as long.
    let brackets = |len| peak(|| refused(&"(".repeat(len), &raised())) - len;
    assert_eq!(brackets(2 * MILLION), brackets(20 * MILLION));
}

/// Parses, prints, compares, clones, binds and drops; returns the bound filter.
fn everything(text: &str) -> BoundFilter {
    let filter = Filter::parse_with(text, &raised()).unwrap();
    let again = Filter::parse_with(&filter.to_string(), &raised()).unwrap();
    assert!(filter.clone() == again);
    let bound = again.bind(&common::USER, &BindOptions::default()).unwrap();
    drop((filter, again));
    bound.clone()
}

#[test]
fn what_is_done_with_a_filter_is_linear_in_its_text() {
    for count in [1_000, 30_000, 300_000] {
        let third = count / 3;
        let nested =
            |open: &str, close: &str| format!("{}title pr{}", open.repeat(third), close.repeat(third));
        for text in [
            nested("(", ")"),
            nested("not (", ")"),
            nested("active pr and (title pr or (", "))"),
            nested("((", " or title pr) and active pr)"),
            format!("emails[{}]", nested("not (", ")").replace("title", "type")),
            vec!["title pr"; count].join(" or "),
            vec!["title eq \"\\n\""; count].join(" and "),
            vec!["emails[type eq \"\\n\"]"; third].join(" or "),
        ] {
            let peak = peak(|| drop(everything(&text)));
            assert!(peak <= 100 * text.len(), "{peak} for {count} in {:.40}…", text);
        }
    }
}

#[test]
fn one_allocation_for_a_look_up() {
    for (text, most) in [
        ("userName eq \"bjensen@example.com\"", 1),
        ("title pr", 1),
        ("emails[type eq \"work\" and value co \"@example.com\"]", 2),
        ("userType eq \"Employee\" and (emails co \"example.com\" or emails co \"example.org\")", 2),
        ("a eq \"\\n\"", 2),
    ] {
        let count = measure(|| drop(Filter::parse(text).unwrap())).count_total;
        assert!(count <= most, "{count} for {text}");
    }
    for (text, most) in [("members", 1), ("emails[type eq \"work\"].value", 1)] {
        let count = measure(|| drop(PatchPath::parse(text).unwrap())).count_total;
        assert!(count <= most, "{count} for {text}");
    }
    let many = |terms| vec!["id eq \"2819c223-7f76-453a-919d-413861904646\""; terms].join(" or ");
    for (terms, most) in [(64, 7), (1000, 11)] {
        let text = many(terms);
        let count = measure(|| drop(Filter::parse(&text).unwrap())).count_total;
        assert!(count <= most, "{count} for {terms} terms");
    }
}

#[test]
fn evaluation_allocates_nothing() {
    let resource = json!({
        "schemas": [common::CORE, common::ENTERPRISE],
        "id": "2819c223",
        "externalId": "701984",
        "userName": "BJensen@Example.com",
        "name": {"familyName": "Jensen", "givenName": "Bärbara"},
        "title": "Tour Guide",
        "active": true,
        "emails": [
            {"value": "bjensen@example.com", "type": "work", "primary": true, "weight": 3},
            {"value": "babs@jensen.example", "type": "home"},
        ],
        "rooms": [{"number": 17}, {"number": 4}],
        "logins": 12,
        "score": 0.5,
        "photo": "aGVsbG8=",
        "aliases": ["babs", "Straße", "ΟΔΟΣ"],
        "meta": {"resourceType": "User", "lastModified": "2011-05-13T04:42:34Z"},
        (common::ENTERPRISE): {"employeeNumber": "701984", "manager": {"displayName": "John Smith"}},
    });
    let text = resource.to_string();
    let object = resource.as_object().unwrap();
    let nested = format!("{}title pr{}", "not (".repeat(64), ")".repeat(64));
    for (filter, holds) in [
        ("userName eq \"bjensen@example.com\"", true),
        ("id eq \"2819C223\"", false),
        ("externalId ne \"x\"", true),
        ("userName co \"JENSEN\" and userName sw \"bj\" and userName ew \".COM\"", true),
        ("name.givenName eq \"BÄRBARA\" and name.givenName sw \"bä\" and name.givenName ew \"ÄRbara\"", true),
        ("aliases eq \"STRASSE\" or aliases eq \"οδος\"", true),
        ("title gt \"Tour\" and title le \"tour guide\"", true),
        ("active eq true and not (active eq false)", true),
        ("emails[type eq \"work\" and value co \"@example.com\" and primary eq true and weight ge 3]", true),
        ("emails[type eq \"home\" and value co \"@example.com\"]", false),
        ("emails.type eq \"home\" and emails co \"babs\"", true),
        ("rooms.number eq 4 and logins lt 13 and score eq 0.50", true),
        ("photo eq \"aGVsbG8\"", true),
        ("meta.lastModified ge \"2011-05-13T06:42:34+02:00\"", true),
        ("externalId pr and meta.resourceType pr and ims eq null and title eq null", false),
        ("schemas eq \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"", true),
        ("userType pr or ims pr or ims[type pr] or name.familyName ne \"Jensen\"", false),
        (&nested, true),
    ] {
        let bound = Filter::parse(filter).unwrap().bind(&common::USER, &BindOptions::default()).unwrap();
        // What is looked for in JSON text is made ready with the first one.
        bound.matches_slice(text.as_bytes()).unwrap();
        let mut held = Vec::with_capacity(2);
        let info = measure(|| {
            held.push(bound.matches::<Value>(object));
            held.push(bound.matches_slice(text.as_bytes()).unwrap());
        });
        assert_eq!((held, info.count_total), (vec![holds; 2], 0), "{filter}");
    }
}

/// The error that names the limit is the one that ends the work.
#[test]
fn the_limit_that_was_met_is_named() {
    let limits = Limits { max_bytes: 1_000, max_depth: 3, max_terms: 5 };
    for (text, kind) in [
        ("(".repeat(100), ParseErrorKind::TooDeep { limit: 3 }),
        ("a pr or ".repeat(100), ParseErrorKind::TooManyTerms { limit: 5 }),
        ("(".repeat(1_001), ParseErrorKind::TooLong { limit: 1_000 }),
    ] {
        let options = options(limits.clone());
        assert_eq!(*Filter::parse_with(&text, &options).unwrap_err().kind(), kind);
    }
}
