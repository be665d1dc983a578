//! Laws that hold for every filter and every text.

mod common;

use common::model;
use proptest::prelude::*;
use scim_filter::{BindOptions, Filter, PatchPath};
use serde_json::Value;

/// Coins from a number.
fn coins(mut seed: u64) -> impl FnMut() -> bool {
    move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 62 == 0
    }
}

/// Text that comes near a filter.
fn nearly() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        12 => proptest::sample::select(
            &[
                "a", "b.c", "not", "and", "or", "pr", "eq", "co", "true", "null", "1", "-1.5e3", "\"x\"", "\"\\n\"",
                "\"\\u00e9\"", "\"", "\\", "(", ")", "[", "]", " ", " ", " ", "  ", ".", ":", "urn:x:y", "é", "$ref",
                " and ", " or ", "not (", " eq \"x\"", " pr",
            ][..]
        )
        .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(model in model::model(), seed in any::<u64>()) {
        let text = model.text(&mut coins(seed));
        let filter = Filter::parse(&text).map_err(|error| TestCaseError::fail(error.caret(&text).to_string()))?;
        prop_assert!(model.is(filter.expr()), "`{}` became `{}`", text, filter);
    }

    #[test]
    fn print_and_parse_are_inverse(model in model::model(), seed in any::<u64>()) {
        let filter = Filter::parse(&model.text(&mut coins(seed))).unwrap();
        let print = filter.to_string();
        let again = Filter::parse(&print).unwrap();
        prop_assert_eq!(&again, &filter);
        prop_assert_eq!(again.to_string(), print);
    }

    #[test]
    fn whatever_is_read_prints_and_reads_the_same(text in nearly()) {
        match Filter::parse(&text) {
            Ok(filter) => {
                let print = filter.to_string();
                prop_assert_eq!(Filter::parse(&print), Ok(filter), "of {:?}", text);
            }
            Err(error) => {
                prop_assert!(text.get(error.span()).is_some(), "{:?} {:?}", text, error.span());
                error.caret(&text).to_string();
            }
        }
        match PatchPath::parse(&text) {
            Ok(path) => {
                let print = path.to_string();
                prop_assert_eq!(PatchPath::parse(&print), Ok(path), "of {:?}", text);
            }
            Err(error) => {
                prop_assert!(text.get(error.span()).is_some(), "{:?} {:?}", text, error.span());
                error.caret(&text).to_string();
            }
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = Filter::parse(&text).map_err(|error| error.caret(&text).to_string());
        let _ = PatchPath::parse(&text).map_err(|error| error.caret(&text).to_string());
        let _ = Filter::parse(&format!("a eq \"{text}\""));
        let _ = Filter::parse(&format!("{text} pr"));
    }

    #[test]
    fn binding_never_panics(text in nearly()) {
        if let Ok(filter) = Filter::parse(&text)
            && let Err(error) = filter.bind(&common::USER, &BindOptions::default())
        {
            prop_assert!(text.get(error.span()).is_some(), "{:?} {:?}", text, error.span());
            error.caret(&text).to_string();
        }
        if let Ok(path) = PatchPath::parse(&text)
            && let Err(error) = path.bind(&common::USER, &BindOptions::default())
        {
            prop_assert!(text.get(error.span()).is_some(), "{:?} {:?}", text, error.span());
        }
    }

    #[test]
    fn evaluation_is_the_models(model in model::model(), resource in model::resource()) {
        let text = model.text(&mut || false);
        let filter = Filter::parse(&text).unwrap().bind(&common::USER, &BindOptions::default())
            .map_err(|error| TestCaseError::fail(error.caret(&text).to_string()))?;
        let object = resource.as_object().unwrap();
        prop_assert_eq!(filter.matches::<Value>(object), model.holds(&resource, &model::rule), "`{}` on {}", text, resource);
    }
}
