//! The comparator: instants, numbers, folding.

use std::cmp::Ordering;

use proptest::prelude::*;
use scim_filter::compare::{Collation, Instant, fold, holds, order};
use scim_filter::{AttributeType, CompareOp, Number, Scalar};
use unicode_normalization::UnicodeNormalization as _;

#[test]
fn instants_in_unix_time() {
    for (text, seconds, fraction) in [
        ("1970-01-01T00:00:00Z", 0, ""),
        ("1969-12-31T23:59:59Z", -1, ""),
        ("2000-02-29T00:00:00Z", 951_782_400, ""),
        ("2011-05-13T04:42:34Z", 1_305_261_754, ""),
        ("2011-05-13T04:42:34", 1_305_261_754, ""),
        ("2011-05-13T06:42:34+02:00", 1_305_261_754, ""),
        ("2011-05-12T14:42:34-14:00", 1_305_261_754, ""),
        ("2011-05-13T10:12:34.1230+05:30", 1_305_261_754, "123"),
        ("2016-12-31T23:59:60Z", 1_483_228_800, ""),
        ("2016-12-31T24:00:00Z", 1_483_228_800, ""),
        ("2017-01-01T00:00:00.000Z", 1_483_228_800, ""),
        ("0000-03-01T00:00:00Z", -62_162_035_200, ""),
        ("-0001-03-01T00:00:00Z", -62_193_657_600, ""),
        ("12011-05-13T04:42:34Z", 316_874_781_754, ""),
        ("9999-12-31T23:59:59.99999999999Z", 253_402_300_799, "99999999999"),
    ] {
        let instant = Instant::parse(text).unwrap();
        assert_eq!((instant.unix_seconds(), instant.fraction()), (seconds, fraction), "of {text}");
    }
}

#[test]
fn what_is_no_date_time() {
    for text in [
        "",
        "x",
        "2011",
        "2011-05-13",
        "04:42:34Z",
        "2011-05-13 04:42:34Z",
        "2011-05-13t04:42:34z",
        "2011-5-13T04:42:34Z",
        "2011-13-01T00:00:00Z",
        "2011-00-01T00:00:00Z",
        "2011-01-00T00:00:00Z",
        "2011-01-32T00:00:00Z",
        "2011-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2011-04-31T00:00:00Z",
        "2011-05-13T24:00:01Z",
        "2011-05-13T24:00:00.1Z",
        "2011-05-13T25:00:00Z",
        "2011-05-13T00:60:00Z",
        "2011-05-13T00:00:61Z",
        "2011-05-13T00:00:00.Z",
        "2011-05-13T00:00Z",
        "2011-05-13T00:00:00+2",
        "2011-05-13T00:00:00+02",
        "2011-05-13T00:00:00+14:01",
        "2011-05-13T00:00:00+00:60",
        "2011-05-13T00:00:00ZZ",
        "2011-05-13T00:00:00Z ",
        " 2011-05-13T00:00:00Z",
        "02011-05-13T00:00:00Z",
        "211-05-13T00:00:00Z",
        "2011-05-13T00:00:00.5é",
        "+2011-05-13T00:00:00Z",
        "9999999999-05-13T00:00:00Z",
    ] {
        assert_eq!(Instant::parse(text), None, "{text}");
    }
}

#[test]
fn instants_order_by_every_digit() {
    let times = [
        "2011-05-13T04:42:33.9Z",
        "2011-05-13T04:42:34Z",
        "2011-05-13T04:42:34.0000000000000000001Z",
        "2011-05-13T04:42:34.09Z",
        "2011-05-13T04:42:34.1Z",
        "2011-05-13T04:42:34.10000000000000000001Z",
        "2011-05-13T03:42:34.2-01:00",
        "2011-05-13T04:42:35Z",
    ];
    let instants: Vec<_> = times.iter().map(|text| Instant::parse(text).unwrap()).collect();
    assert!(instants.is_sorted_by(|a, b| a < b));
}

#[test]
fn numbers_order_by_value() {
    use Number::{Float, Int, UInt};
    const BIG: i64 = 9_007_199_254_740_993; // 2^53 + 1
    let ascending = [
        Float(f64::MIN),
        Float(-36_893_488_147_419_103_232.0),
        Float(-9_223_372_036_854_777_856.0),
        Int(i64::MIN),
        Int(-BIG),
        Float(-9_007_199_254_740_992.0),
        Float(-1.5),
        Int(-1),
        Float(-0.5),
        Int(0),
        Float(0.5),
        Int(1),
        Float(1.5),
        UInt(2),
        Int(BIG - 1),
        Int(BIG),
        Float(9_007_199_254_740_994.0),
        Int(i64::MAX),
        Float(9_223_372_036_854_775_808.0),
        UInt(u64::MAX),
        Float(18_446_744_073_709_551_616.0),
        Float(36_893_488_147_419_103_232.0),
        Float(f64::MAX),
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(a.order(*b), Some(i.cmp(&j)), "{a} and {b}");
            assert_eq!(a == b, i == j);
        }
    }
    assert_eq!(Int(1), UInt(1));
    assert_eq!(UInt(1), Float(1.0));
    assert_eq!(Float(0.0), Float(-0.0));
    assert_eq!(Int(i64::MIN), Float(-9_223_372_036_854_775_808.0));
    assert_ne!(Int(i64::MAX), Float(9_223_372_036_854_775_808.0));
    assert_eq!(Float(f64::NAN).order(Int(1)), None);
    assert_eq!(Int(1).order(Float(f64::NAN)), None);
    assert_ne!(Float(f64::NAN), Float(f64::NAN));
    let float = collation(AttributeType::Decimal, false);
    let (nan, one) = (Scalar::Number(Float(f64::NAN)), Scalar::Number(Int(1)));
    assert!(holds(float, nan, CompareOp::Ne, one) && holds(float, nan, CompareOp::Ne, nan));
    for op in [CompareOp::Eq, CompareOp::Gt, CompareOp::Ge, CompareOp::Lt, CompareOp::Le] {
        assert!(!holds(float, nan, op, one) && !holds(float, one, op, nan), "{op}");
    }
    assert!(Int(1) < Float(1.5) && UInt(2) >= Int(2));
    assert_eq!(Int(1).partial_cmp(&Float(f64::NAN)), None);
    assert_eq!(
        (Int(-5).to_string(), UInt(u64::MAX).to_string(), Float(1.0).to_string()),
        ("-5".into(), "18446744073709551615".into(), "1.0".into())
    );
}

#[test]
fn folding() {
    for (a, b) in [
        ("BJensen", "bjENSEN"),
        ("É", "é"),
        ("Straße", "STRASSE"),
        ("ẞ", "ß"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ﬃ", "FFI"),
        ("K", "k"), // Kelvin sign
        ("Å", "å"), // Ångström sign
        ("ſ", "S"),
        ("Ⱥ", "ⱥ"),
        ("Ꭰ", "ꭰ"),
        ("İ", "i\u{307}"),
        ("é", "e\u{301}"),
        ("Å", "A\u{30a}"),
        ("ǰ", "J\u{30c}"),
        // The marks in the order that they have where it does not matter.
        ("e\u{323}\u{302}", "E\u{302}\u{323}"),
        // The iota below is a letter of its own once folded, and before that is behind the accent.
        ("ᾴ", "α\u{345}\u{301}"),
        ("ｂｏｂ＠ｅｘａｍｐｌｅ．ｃｏｍ", "bob@example.com"),
        ("ＢＯＢ", "bob"),
        ("ｶﾞ", "ガ"),
        ("한", "\u{1112}\u{1161}\u{11ab}"),
    ] {
        assert_eq!(fold(a), fold(b), "{a} and {b}");
    }
    for (a, b) in [("ı", "i"), ("ı", "I"), ("é", "e"), ("①", "1"), ("x²", "x2"), ("a", "b"), ("ö", "oe")]
    {
        assert_ne!(fold(a), fold(b), "{a} and {b}");
    }
    for text in ["", "bjensen@example.com", "é日本σ", "ı"] {
        assert!(matches!(fold(text), std::borrow::Cow::Borrowed(same) if same == text));
    }
}

/// A key is its own key, or equal values could have different keys.
#[test]
fn folding_every_character_is_idempotent() {
    for c in '\0'..='\u{1ffff}' {
        let text = c.to_string();
        let key = fold(&text).into_owned();
        assert_eq!(fold(&key), key, "{c:?}");
        let (upper, lower) = (text.to_uppercase(), text.to_lowercase());
        if c != 'ı' {
            assert_eq!(fold(&upper), key, "{c:?}");
        }
        assert_eq!(fold(&lower), key, "{c:?}");
        for normal in [text.nfc().collect::<String>(), text.nfd().collect()] {
            assert_eq!(fold(&normal), key, "{c:?}");
        }
        assert!(unicode_normalization::is_nfc(&key), "{c:?}");
    }
}

/// What a text contains, begins and ends with, its composed characters are or are not, however they were sent.
#[test]
fn a_composed_character_is_one() {
    let text = collation(AttributeType::String, false);
    for (left, op, right, expected) in [
        ("e\u{301}t", CompareOp::Sw, "e", false),
        ("e\u{301}t", CompareOp::Sw, "É", true),
        ("ét", CompareOp::Sw, "e\u{301}", true),
        ("be\u{301}", CompareOp::Co, "be", false),
        ("be\u{301} be", CompareOp::Co, "be", true),
        ("be\u{301}", CompareOp::Co, "BÉ", true),
        ("abcdefghe\u{301}", CompareOp::Eq, "abcdefghé", true),
        ("abcdefghe\u{301}", CompareOp::Eq, "abcdefghe", false),
        ("abcdefghe\u{301}", CompareOp::Sw, "abcdefghe", false),
        ("cafe\u{301}", CompareOp::Ew, "é", true),
        ("café", CompareOp::Ew, "\u{301}", false),
        // Nothing is composed of these two.
        ("q\u{301}", CompareOp::Ew, "\u{301}", true),
        ("q\u{301}", CompareOp::Sw, "Q", true),
        ("q\u{301}", CompareOp::Co, "Q", true),
        ("ｂob", CompareOp::Eq, "BOB", true),
    ] {
        assert_eq!(
            holds(text, Scalar::String(left), op, Scalar::String(right)),
            expected,
            "{left} {op} {right}"
        );
    }
}

fn collation(kind: AttributeType, case_exact: bool) -> Collation {
    Collation { kind, case_exact }
}

#[test]
fn values_of_different_types() {
    let text = collation(AttributeType::String, false);
    let scalars = [Scalar::Null, Scalar::Bool(true), Scalar::Number(Number::Int(1)), Scalar::String("1")];
    for (i, left) in scalars.iter().enumerate() {
        for (j, right) in scalars.iter().enumerate() {
            assert_eq!(holds(text, *left, CompareOp::Eq, *right), i == j);
            assert_eq!(holds(text, *left, CompareOp::Ne, *right), i != j);
            assert_eq!(order(text, *left, *right), (i == j).then_some(Ordering::Equal));
            for op in [CompareOp::Co, CompareOp::Sw, CompareOp::Ew] {
                assert_eq!(holds(text, *left, op, *right), i == 3 && j == 3);
            }
            for op in [CompareOp::Gt, CompareOp::Lt] {
                assert!(!holds(text, *left, op, *right));
            }
            for op in [CompareOp::Ge, CompareOp::Le] {
                assert_eq!(holds(text, *left, op, *right), i == j && i >= 2, "{left:?} {op} {right:?}");
            }
        }
    }
    let (no, yes) = (Scalar::Bool(false), Scalar::Bool(true));
    let boolean = collation(AttributeType::Boolean, false);
    assert_eq!(order(boolean, no, yes), Some(Ordering::Less));
    assert!(!holds(boolean, yes, CompareOp::Gt, no) && !holds(boolean, yes, CompareOp::Ge, yes));
}

#[test]
fn kinds_of_strings() {
    use Scalar::String as S;
    let binary = collation(AttributeType::Binary, true);
    assert!(
        holds(binary, S("aGk="), CompareOp::Eq, S("aGk"))
            && !holds(binary, S("aGk="), CompareOp::Eq, S("AGK="))
    );
    // What is only padding is a value, which is not that of nothing.
    assert!(holds(binary, S("="), CompareOp::Eq, S("==")) && !holds(binary, S("="), CompareOp::Eq, S("")));
    assert!(!holds(binary, S("b"), CompareOp::Gt, S("a")));
    assert_eq!(order(binary, S("b"), S("a")), Some(Ordering::Greater));
    let time = collation(AttributeType::DateTime, false);
    let (utc, cet) = (S("2011-05-13T04:42:34Z"), S("2011-05-13T06:42:34+02:00"));
    assert!(holds(time, utc, CompareOp::Eq, cet) && holds(time, utc, CompareOp::Ge, cet));
    assert_eq!(order(time, utc, cet), Some(Ordering::Equal));
    assert_eq!(order(time, S("soon"), cet), None);
    // What is no date-time is equal to itself.
    assert!(holds(time, S("soon"), CompareOp::Eq, S("soon")) && holds(time, S("soon"), CompareOp::Ne, cet));
    let exact = collation(AttributeType::Reference, true);
    assert!(holds(exact, S("ABC"), CompareOp::Co, S("B")) && !holds(exact, S("ABC"), CompareOp::Co, S("b")));
    assert_eq!(order(exact, S("B"), S("a")), Some(Ordering::Less));
    assert_eq!(order(collation(AttributeType::String, false), S("B"), S("a")), Some(Ordering::Greater));
}

/// Around the longest text that is searched on the stack.
#[test]
fn long_text_is_searched_too() {
    use Scalar::String as S;
    let text = collation(AttributeType::String, false);
    for length in [254, 255, 256, 257, 300] {
        let long = format!("{}Ab", "x".repeat(length - 2));
        assert!(holds(text, S(&long), CompareOp::Co, S("XAB")), "{length}");
        assert!(!holds(text, S(&long), CompareOp::Co, S("xaa")), "{length}");
        assert!(holds(text, S(&long), CompareOp::Co, S(&long.to_uppercase())), "{length}");
        assert!(!holds(text, S(&long), CompareOp::Co, S(&format!("{long}x"))), "{length}");
        let other = format!("{}É", &long);
        assert!(holds(text, S(&other), CompareOp::Co, S("abé")), "{length}");
    }
}

/// Text with characters that fold to more bytes, fewer bytes, and more characters.
fn text() -> impl Strategy<Value = String> {
    let letters = [
        'a', 'A', 's', 'S', 'ß', 'ẞ', 'k', 'K', 'Ⱥ', 'ı', 'İ', 'ﬃ', 'f', 'I', 'Σ', 'ς', '@', 'ａ', 'é', 'å',
        'e', '\u{301}', '\u{30a}', '\u{323}', '\u{345}', 'ᾳ', 'カ', 'ｶ', 'ﾞ', '\u{3099}',
    ];
    proptest::collection::vec(proptest::sample::select(letters.to_vec()), 0..6)
        .prop_map(|letters| letters.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The fast paths are those of the folded texts.
    #[test]
    fn operators_are_those_of_the_keys(left in text(), right in text(), long in any::<bool>()) {
        let left = if long { left.repeat(60) } else { left };
        let (a, b) = (fold(&left), fold(&right));
        let caseless = collation(AttributeType::String, false);
        let holds = |op| holds(caseless, Scalar::String(&left), op, Scalar::String(&right));
        prop_assert_eq!(holds(CompareOp::Eq), a == b);
        prop_assert_eq!(holds(CompareOp::Ne), a != b);
        prop_assert_eq!(holds(CompareOp::Co), a.contains(&*b));
        prop_assert_eq!(holds(CompareOp::Sw), a.starts_with(&*b));
        prop_assert_eq!(holds(CompareOp::Ew), a.ends_with(&*b));
        prop_assert_eq!(holds(CompareOp::Gt), a > b);
        prop_assert_eq!(holds(CompareOp::Ge), a >= b);
        prop_assert_eq!(holds(CompareOp::Lt), a < b);
        prop_assert_eq!(holds(CompareOp::Le), a <= b);
        prop_assert_eq!(order(caseless, Scalar::String(&left), Scalar::String(&right)), Some(a.cmp(&b)));
    }

    /// However a text is composed, its key is the same, and its own key.
    #[test]
    fn a_key_does_not_depend_on_composition(text in text()) {
        let key = fold(&text);
        for normal in [text.nfc().collect::<String>(), text.nfd().collect()] {
            prop_assert_eq!(fold(&normal), &*key);
        }
        prop_assert_eq!(&fold(&key), &key);
    }

    #[test]
    fn floats_order_as_exact_fractions(integer in any::<i64>(), float in any::<f64>(), near in -3i64..3) {
        prop_assume!(float.is_finite());
        for float in [float, (integer.wrapping_add(near)) as f64, integer as f64 + 0.5] {
            // A finite float is an exact integer after its fraction is dropped, if it fits.
            let expected = if float.abs() < 1e30 {
                let floor = float.floor();
                (i128::from(integer)).cmp(&(floor as i128)).then(if float > floor { Ordering::Less } else { Ordering::Equal })
            } else {
                0.0f64.total_cmp(&float)
            };
            prop_assert_eq!(Number::Int(integer).order(Number::Float(float)), Some(expected));
            prop_assert_eq!(Number::Float(float).order(Number::Int(integer)), Some(expected.reverse()));
        }
    }
}
