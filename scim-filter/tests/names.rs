//! Names: equal in any case, hashed so, printed as they were spelt; and what `Debug` prints.

mod common;

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use scim_filter::{AttrName, BindOptions, BoundExpr, Expr, Filter, PatchPath, fold_hash};

/// The vectors of FNV-1a with 32 bits that its authors publish.
#[test]
fn hashes_are_fnv_1a() {
    for (text, hash) in
        [("", 0x811c_9dc5), ("a", 0xe40c_292c), ("foobar", 0xbf9c_f968), ("FooBar", 0xbf9c_f968)]
    {
        assert_eq!(fold_hash(text), hash, "{text}");
        assert_eq!(AttrName::new(text).folded_hash(), hash, "{text}");
    }
}

#[test]
fn names_are_equal_in_any_case_and_else_different() {
    let name = AttrName::new("userName");
    assert_eq!(name, AttrName::new("USERNAME"));
    assert_ne!(name, AttrName::new("userNam"));
    assert!(name.matches("username") && !name.matches("user"));
    // Words whose hashes are the same.
    let (costarring, liquid) = (AttrName::new("costarring"), AttrName::new("liquid"));
    assert_eq!(costarring.folded_hash(), liquid.folded_hash());
    assert_ne!(costarring, liquid);
    let names: HashSet<AttrName> = ["costarring", "liquid", "Liquid", "userName"].map(AttrName::new).into();
    assert_eq!(names.len(), 3);
    assert!(names.contains(&AttrName::new("USERNAME")) && !names.contains(&AttrName::new("name")));
    // Sets would be right without a hash, but not fast.
    let hash = |text: &str| BuildHasherDefault::<DefaultHasher>::default().hash_one(AttrName::new(text));
    assert_eq!(hash("userName"), hash("USERNAME"));
    assert_ne!(hash("userName"), hash("title"));
}

#[test]
fn names_print_as_spelt() {
    let name = AttrName::from("userName");
    assert_eq!((name.to_string(), format!("{name:?}")), ("userName".to_owned(), "\"userName\"".to_owned()));
}

#[test]
fn debug_prints_what_was_read() {
    let filter = Filter::parse("a  PR and b[c eq 1]").unwrap();
    assert_eq!(format!("{filter:?}"), "Filter(a pr and b[c eq 1])");
    let Expr::And(terms) = filter.expr() else { unreachable!() };
    assert_eq!(format!("{terms:?}"), "[Term(a pr), Term(b[c eq 1])]");
    let path = PatchPath::parse("emails[type  EQ \"work\"].value").unwrap();
    assert_eq!(format!("{path:?}"), "PatchPath(emails[type eq \"work\"].value)");
}

#[test]
fn debug_of_a_bound_term_is_its_part_of_the_filter() {
    let bound = Filter::parse("active eq true and title pr").unwrap();
    let bound = bound.bind(&common::USER, &BindOptions::default()).unwrap();
    let BoundExpr::And(terms) = bound.expr() else { unreachable!() };
    let printed: Vec<String> = terms.map(|term| format!("{term:?}")).collect();
    assert!(matches!(&*printed, [first, second]
        if first.contains("Compare") && !first.contains("Present")
        && second.contains("Present") && !second.contains("Compare")));
}
