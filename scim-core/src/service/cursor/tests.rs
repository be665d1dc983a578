use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use scim_filter::{BindOptions, Filter};

use super::*;
use crate::pagination::CursorKey;
use crate::schema::Registry;
use crate::sort::Sort;

fn cursors(key: u8) -> Cursors {
    Cursors::new(CursorKey::new([key; 32]).unwrap())
}

fn query(filter: Option<&str>, sort_by: Option<&str>, sort_order: Option<&str>) -> Query {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let filter =
        filter.map(|text| Filter::parse(text).unwrap().bind(&**schema, &BindOptions::default()).unwrap());
    Query { filter, sort: Sort::parse(&**schema, sort_by, sort_order).unwrap(), ..Query::default() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn position() -> Position {
    let place = Place::Sorted(Some(SortKey::Text("bjensen".into())), "2819c223".into());
    Position { issued: 1_000, count: 10, total: Some(99), starts: vec![Some(Start::After(place))] }
}

#[test]
fn a_cursor_is_opened_by_the_list_it_was_made_for_alone() {
    let filter = "userName sw \"J\" and (active eq true or not (emails[type eq \"work\"]))";
    let make = |key: u8, tenant: &str, kind: &str, query: &Query| {
        let cursors = cursors(key);
        let sealer = Sealer::new(&cursors, &TenantId::new(tenant), [(kind, query)]);
        (sealer.seal(&position()), sealer.open(&cursor(), 10, at(1_000)).map_err(|error| error.scim_type()))
    };
    fn cursor() -> String {
        let filter = "userName sw \"J\" and (active eq true or not (emails[type eq \"work\"]))";
        let cursors = cursors(1);
        let query = query(Some(filter), Some("userName"), None);
        Sealer::new(&cursors, &TenantId::new("acme"), [("User", &query)]).seal(&position())
    }
    let same = query(Some(filter), Some("USERNAME"), Some("ascending"));
    assert_eq!(make(1, "acme", "User", &same), (cursor(), Ok(position())));
    let respelt = "USERNAME  SW \"J\" and (active eq true or not(emails[TYPE eq \"work\"]))";
    assert_eq!(make(1, "acme", "User", &query(Some(respelt), Some("userName"), None)).1, Ok(position()));

    let mut seen = BTreeSet::from([cursor()]);
    let mut other = |key, tenant: &str, kind: &str, query: Query| {
        let (own, opened) = make(key, tenant, kind, &query);
        assert_eq!(opened, Err(Some(ScimType::InvalidCursor)));
        assert!(seen.insert(own), "another list has another cursor for the same place");
    };
    other(2, "acme", "User", same.clone());
    other(1, "acm", "User", same.clone());
    other(1, "acme", "Group", same.clone());
    other(1, "acmeU", "ser", same);
    for (filter, sort_by, sort_order) in [
        (Some(filter), Some("userName"), Some("descending")),
        (Some(filter), Some("id"), None),
        (Some(filter), None, None),
        (None, Some("userName"), None),
        (
            Some("userName sw \"K\" and (active eq true or not (emails[type eq \"work\"]))"),
            Some("userName"),
            None,
        ),
        (
            Some("userName ew \"J\" and (active eq true or not (emails[type eq \"work\"]))"),
            Some("userName"),
            None,
        ),
        (
            Some("nickName sw \"J\" and (active eq true or not (emails[type eq \"work\"]))"),
            Some("userName"),
            None,
        ),
        (
            Some("userName sw \"J\" and (active eq false or not (emails[type eq \"work\"]))"),
            Some("userName"),
            None,
        ),
        (
            Some("userName sw \"J\" or (active eq true and not (emails[type eq \"work\"]))"),
            Some("userName"),
            None,
        ),
        (
            Some("userName sw \"J\" and active eq true or not (emails[type eq \"work\"])"),
            Some("userName"),
            None,
        ),
        (
            Some("userName sw \"J\" and (active eq true or emails[not (type eq \"work\")])"),
            Some("userName"),
            None,
        ),
        (
            Some("userName sw \"J\" and (active eq true or not (emails.type eq \"work\"))"),
            Some("userName"),
            None,
        ),
        (Some("userName sw \"J\" and (active pr or not (emails[type eq \"work\"]))"), Some("userName"), None),
    ] {
        other(1, "acme", "User", query(filter, sort_by, sort_order));
    }
}

#[test]
fn a_cursor_that_was_changed_anywhere_is_refused() {
    let (cursors, query) = (cursors(1), query(None, None, None));
    let sealer = Sealer::new(&cursors, &TenantId::new("acme"), [("User", &query)]);
    let cursor = sealer.seal(&position());
    assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)), "{cursor}");
    let refused = |text: &str| {
        let error = sealer.open(text, 10, at(1_000)).unwrap_err();
        assert_eq!(error.status(), 400);
        assert_eq!(error.scim_type(), Some(ScimType::InvalidCursor), "{text}");
        assert_eq!(
            error.detail(),
            "the cursor is not valid for this request; an empty one asks for the first page"
        );
    };
    for place in 0..cursor.len() {
        let mut changed = cursor.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        refused(std::str::from_utf8(&changed).unwrap());
        refused(cursor.get(..place).unwrap());
    }
    for text in
        [format!("{cursor}A"), format!("{cursor}="), format!(" {cursor}"), "\u{e9}".into(), "A".into()]
    {
        refused(&text);
    }
    // Neither the key of the last result nor its id can be read.
    let bytes = base64url_decode(&cursor).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("bjensen"));
}

#[test]
fn a_cursor_lasts_for_the_timeout() {
    let mut cursors = Cursors { timeout: Some(Duration::from_secs(60)), ..cursors(1) };
    let query = query(None, None, None);
    let open = |cursors: &Cursors, now| {
        let sealer = Sealer::new(cursors, &TenantId::new("acme"), [("User", &query)]);
        sealer.open(&sealer.seal(&position()), 10, at(now)).map_err(|error| error.to_string())
    };
    for now in [900, 1_000, 1_060] {
        assert_eq!(open(&cursors, now), Ok(position()), "{now}");
    }
    let expired = "400 Bad Request: the cursor has expired; an empty one asks for the first page";
    assert_eq!(open(&cursors, 1_061), Err(expired.to_owned()));
    cursors.timeout = None;
    assert_eq!(open(&cursors, 253_402_207_200), Ok(position()));
}

#[test]
fn the_size_of_a_page_is_that_of_the_first() {
    let (cursors, query) = (cursors(1), query(None, None, None));
    let sealer = Sealer::new(&cursors, &TenantId::new("acme"), [("User", &query)]);
    let error = sealer.open(&sealer.seal(&position()), 11, at(1_000)).unwrap_err();
    assert_eq!(error.scim_type(), Some(ScimType::InvalidCount));
    assert_eq!(error.detail(), "`count` must be the same for all pages: `10`");
}

/// RFC 4648 §10, in the alphabet of §5 without padding.
#[test]
fn base64url_is_that_of_the_rfc() {
    for (bytes, text) in [
        ("", ""),
        ("f", "Zg"),
        ("fo", "Zm8"),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg"),
        ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(base64url(bytes.as_bytes()), text);
        assert_eq!(base64url_decode(text).as_deref(), Some(bytes.as_bytes()));
    }
    assert_eq!(base64url(&[0xfb, 0xff, 0xfe]), "-__-");
    // A digit alone, padding, bits that no byte has, and other alphabets.
    for text in ["Z", "Zg==", "Zh", "Zm9", "+//+", "Zm 9v"] {
        assert_eq!(base64url_decode(text), None, "{text}");
    }
}

fn any_place() -> impl Strategy<Value = Place> {
    let text = || any::<String>().prop_map(Box::<str>::from);
    let number = prop_oneof![
        any::<i64>().prop_map(Number::Int),
        (i64::MAX as u64 + 1..).prop_map(Number::UInt),
        any::<f64>().prop_filter("a number of JSON", |float| float.is_finite()).prop_map(Number::Float),
    ];
    let key = prop_oneof![
        any::<bool>().prop_map(SortKey::Boolean),
        number.prop_map(SortKey::Number),
        (any::<i64>(), "[0-9]{0,12}")
            .prop_map(|(seconds, fraction)| SortKey::Instant { seconds, fraction: fraction.into() }),
        text().prop_map(SortKey::Text),
    ];
    prop_oneof![
        text().prop_map(Place::Own),
        (proptest::option::of(key), text()).prop_map(|(key, id)| Place::Sorted(key, id)),
    ]
}

fn any_position() -> impl Strategy<Value = Position> {
    let start = prop_oneof![
        Just(None),
        Just(Some(Start::First)),
        any_place().prop_map(|place| Some(Start::After(place))),
        any_place().prop_map(|place| Some(Start::Before(place))),
    ];
    let total = proptest::option::of(0..usize::MAX);
    (any::<i64>(), any::<usize>(), total, proptest::collection::vec(start, 0..4))
        .prop_map(|(issued, count, total, starts)| Position { issued, count, total, starts })
}

proptest! {
    #[test]
    fn what_is_sealed_is_what_is_opened(position in any_position()) {
        let cursors = Cursors { timeout: None, ..cursors(7) };
        let sealer = Sealer::new(&cursors, &TenantId::new("acme"), []);
        let opened = sealer.open(&sealer.seal(&position), position.count, at(0)).unwrap();
        prop_assert_eq!(opened, position);
    }

    /// Not even with the right tag can bytes do harm.
    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Some(position) = Position::from_bytes(&bytes) {
            prop_assert_eq!(Position::from_bytes(&position.to_bytes()), Some(position));
        }
        let text = base64url(&bytes);
        prop_assert_eq!(base64url_decode(&text), Some(bytes));
    }
}
