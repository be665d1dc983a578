//! What `matches_slice` refuses of a text is what a JSON parser refuses, also where the filter does
//! not look.

mod common;

use scim_filter::{BindOptions, Filter, JsonTextErrorKind};
use serde_json::Value;

/// Values that end as another kind of value does, or do not end, or that have a comma too much.
const VALUES: &[&str] = &[
    "[1}",
    "{\"b\":1]",
    "[[1}]",
    "[[1]}",
    "[{\"b\":1]]",
    "{\"b\":[1}}",
    "{\"b\":{}]",
    "[{}}",
    "[]]",
    "{}}",
    "[1,]",
    "[,1]",
    "[,]",
    "{\"b\":1,}",
    "{,\"b\":1}",
    "{,}",
    "[1 2]",
    "{\"b\" 1}",
    "{\"b\":}",
    "{\"b\"}",
    "{1:1}",
    "{b:1}",
    "[",
    "{",
    "[1",
    "{\"b\":1",
    "]",
    "}",
    "[\"x]",
    "[tru]",
    "[truee]",
    "[nulL]",
    "[+1]",
    "[.5]",
    "[1.]",
    "[1e]",
    "[-]",
    "[01]",
    "[0x1]",
    "[NaN]",
    "[\"\\u12\"]",
    "[\"\\x\"]",
    "[\"\u{1}\"]",
    "[']",
    "[/**/1]",
    // And such as are values.
    "[1]",
    "{\"b\":1}",
    "[[],{}]",
    "{\"b\":{\"c\":[{}]}}",
    "[ 1 , 2 ]",
    "{ \"b\" : 1 }",
    "[true,false,null]",
    "[-0,0.5e+1,1E2]",
    "[\"\\u00e9\\\"\\\\\"]",
    "[[[[[[]]]]]]",
    "{\"\":\"\"}",
    "[{\"b\":[]},[{}]]",
];

#[test]
fn what_is_passed_over_is_json_all_the_same() {
    let filter = Filter::parse("userName eq \"x\"").unwrap();
    let filter = filter.bind(&common::USER, &BindOptions::default()).unwrap();
    for value in VALUES {
        for text in [
            format!("{{\"a\":{value}}}"),
            format!("{{\"a\":{value},\"userName\":\"x\"}}"),
            format!("{{\"userName\":\"x\",\"a\":{value}}}"),
            format!("{{\"userName\":\"y\",\"a\":[{value}]}}"),
            format!("{{\"userName\":{value}}}"),
        ] {
            let expected = match serde_json::from_str::<Value>(&text) {
                Ok(tree) => Ok(filter.matches::<Value>(tree.as_object().unwrap())),
                Err(_) => Err(JsonTextErrorKind::NotJson),
            };
            let found = filter.matches_slice(text.as_bytes()).map_err(|error| error.kind());
            assert_eq!(found, expected, "{text}");
        }
    }
}
