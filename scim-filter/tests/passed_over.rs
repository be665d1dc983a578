//! What a filter does not name is passed over in a JSON text, wherever it stands and however it nests.

mod common;

use scim_filter::{BindOptions, Filter};
use serde_json::Value;

/// What has brackets, quotes, commas and colons where they could be taken for others.
const VALUES: &[&str] = &[
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
    "\"}\"",
    "\"]\\\"}\"",
    "\"\\\\\"",
    "[\"[\",\"{\",{\"}\":\"]\"}]",
    "\"\\\"userName\\\":\\\"x\\\"\"",
    "{\"userName\":\"x\"}",
    "[{\"userName\":\"x\"},\"userName\"]",
];

#[test]
fn what_is_not_named_is_passed_over() {
    let filter = Filter::parse("userName eq \"x\"").unwrap();
    let filter = filter.bind(&common::USER, &BindOptions::default()).unwrap();
    for value in VALUES {
        for (text, holds) in [
            (format!("{{\"a\":{value}}}"), false),
            (format!("{{\"a\":{value},\"userName\":\"x\"}}"), true),
            (format!("{{\"userName\":\"x\",\"a\":{value}}}"), true),
            (format!("{{\"userName\":\"y\",\"a\":[{value}]}}"), false),
            (format!(" {{ \"a\" : [ {value} , {value} ] , \"userName\" : \"x\" }} "), true),
            (format!("{{\"userName\":{value}}}"), false),
        ] {
            let tree: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(filter.matches::<Value>(tree.as_object().unwrap()), holds, "{text}");
            assert_eq!(filter.matches_slice(text.as_bytes()), Ok(holds), "{text}");
        }
    }
}
