//! What holds when: each rule of RFC 7644 §3.4.2.2, and what was decided where it is silent.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{CORE, ENTERPRISE, LONG, SHORT};
use scim_filter::{BindOptions, BoundExpr, Filter, PatchPath};
use serde_json::{Value, json};

fn user() -> Value {
    json!({
        "schemas": [CORE, ENTERPRISE],
        "id": "2819c223-7f76-453a-919d-413861904646",
        "externalId": "BJensen",
        "meta": {"resourceType": "User", "lastModified": "2011-05-13T04:42:34Z"},
        "userName": "bjensen@example.com",
        "name": {"familyName": "O'Malley", "givenName": ""},
        "title": "",
        "active": true,
        "emails": [
            {"value": "bjensen@example.com", "type": "work", "primary": true, "weight": 1},
            {"value": "babs@JENSEN.org", "type": "home"},
            {"value": "", "type": null},
        ],
        "ims": [],
        "roles": [{}, {"value": null}],
        "rooms": {"number": 7},
        "logins": 9_007_199_254_740_993u64,
        "score": 0.5,
        "photo": "aGVsbG8=",
        "aliases": ["Babs", "BJ"],
        ENTERPRISE: {"employeeNumber": "701984", "manager": {"value": "26118915"}},
        SHORT: {"title": 3},
        LONG: {"level": 4},
        "unknown": 1,
    })
}

fn holds_for(resource: &Value, text: &str) -> bool {
    let filter = Filter::parse(text).unwrap();
    let bound = match filter.bind(&common::USER, &BindOptions::default()) {
        Ok(bound) => bound,
        Err(error) => unreachable!("{}", error.caret(text)),
    };
    bound.matches::<Value>(resource.as_object().unwrap())
}

fn holds(text: &str) -> bool {
    holds_for(&user(), text)
}

#[track_caller]
fn all(texts: &[&str]) {
    for text in texts {
        assert!(holds(text), "`{text}` does not hold");
    }
}

#[track_caller]
fn none(texts: &[&str]) {
    for text in texts {
        assert!(!holds(text), "`{text}` holds");
    }
}

#[test]
fn strings_compare_by_case_exact() {
    all(&[
        r#"userName eq "BJENSEN@example.com""#,
        r#"userName co "SEN@EX""#,
        r#"userName sw "BJ""#,
        r#"userName ew ".COM""#,
        r#"externalId eq "BJensen""#,
        r#"userName gt "B""#,
        r#"userName lt "C""#,
        r#"userName ge "bjensen@example.com" and userName le "bjensen@example.com""#,
        r#"externalId co "J""#,
        r#"USERNAME Eq "bjensen@example.com""#,
    ]);
    none(&[
        r#"externalId eq "bjensen""#,
        r#"externalId ne "BJensen""#,
        r#"externalId co "j" and externalId co "b""#,
        r#"externalId sw "b""#,
        r#"externalId ew "EN""#,
        r#"userName eq "bjensen""#,
        r#"userName gt "bjensen@example.com""#,
    ]);
}

#[test]
fn the_empty_string_is_part_of_every_string() {
    all(&[r#"userName co """#, r#"userName sw """#, r#"userName ew """#, r#"title eq """#]);
    none(&[r#"userName eq """#, r#"userType eq """#, r#"userType co """#]);
}

#[test]
fn any_value_of_several() {
    all(&[
        r#"emails.type eq "home""#,
        r#"emails co "jensen.org""#,
        r#"emails.value co "JENSEN.ORG""#,
        r#"emails.type eq "work" and emails.value ew "jensen.org""#,
        r#"aliases eq "bj""#,
        r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#,
        "rooms.number eq 7",
    ]);
    none(&[r#"emails.type eq "other""#, r#"aliases eq "b""#, r#"schemas eq "urn:x""#]);
}

#[test]
fn a_value_path_is_about_one_value() {
    all(&[
        r#"emails[type eq "work" and value co "@example.com"]"#,
        r#"emails[type eq "home" and not (primary eq true)]"#,
        r#"emails[type ne "work"]"#,
        r#"emails[type eq "nope" or weight gt 0]"#,
        r#"not (emails[type eq "other"])"#,
        r#"aliases[value eq "babs"]"#,
        r#"aliases[value sw "b" and not (value eq "bj")]"#,
        r#"schemas[value ew ":User"]"#,
        "rooms[number gt 6]",
        r#"name[familyName sw "o"]"#,
        r#"emails[not (value pr)]"#,
    ]);
    none(&[
        r#"emails[type eq "work" and value ew "jensen.org"]"#,
        r#"emails[type eq "home" and primary eq true]"#,
        r#"aliases[value eq "babs" and value eq "bj"]"#,
        r#"ims[type ne "work"]"#,
        "ims[not (type pr)]",
    ]);
}

#[test]
fn presence() {
    all(&[
        "userName pr",
        "active pr",
        "name pr",
        "emails pr",
        "emails.primary pr",
        "rooms pr",
        "aliases pr",
        "logins pr",
        r#"emails[type eq "home" and value pr]"#,
    ]);
    none(&[
        "title pr",
        "name.givenName pr",
        "ims pr",
        "roles pr",
        "roles.value pr",
        "userType pr",
        "ims.value pr",
    ]);
    for value in [json!(null), json!(""), json!([]), json!([null, ""]), json!({}), json!([{"value": []}, {}])]
    {
        assert!(!holds_for(&json!({"emails": value}), "emails pr"), "{value}");
        assert!(holds_for(&json!({"emails": value}), "emails eq null"), "{value}");
    }
    for value in [json!(false), json!(0), json!("x"), json!([{"value": "x"}]), json!([{"primary": false}])] {
        assert!(holds_for(&json!({"emails": value}), "emails pr"), "{value}");
        assert!(holds_for(&json!({"emails": value}), "emails ne null"), "{value}");
    }
}

#[test]
fn null_is_no_value() {
    all(&[
        "title eq null",
        "userType eq null",
        "userName ne null",
        "emails ne null",
        "emails[type eq null]",
        "ims eq null",
    ]);
    none(&["userName eq null", "title ne null", "emails eq null", "emails.type eq null", "active eq null"]);
}

#[test]
fn ne_is_not_eq() {
    all(&[
        r#"userType ne "x""#,
        r#"ims.type ne "x""#,
        r#"emails.type ne "other""#,
        r#"emails[type eq "home" and primary ne true]"#,
        "logins ne 9007199254740992",
        r#"meta.lastModified ne "2011-05-13T04:42:35Z""#,
    ]);
    none(&[
        r#"emails.type ne "work""#,
        r#"aliases ne "bj""#,
        "logins ne 9007199254740993",
        r#"meta.lastModified ne "2011-05-13T06:42:34+02:00""#,
    ]);
}

#[test]
fn what_is_absent_compares_with_nothing() {
    for op in ["eq", "co", "sw", "ew", "gt", "ge", "lt", "le"] {
        none(&[&format!("userType {op} \"x\"")]);
    }
    none(&["rooms[number lt 0]", r#"urn:ietf:params:scim:schemas:core:2.0:User:userType lt "x""#]);
}

#[test]
fn numbers_compare_by_value() {
    all(&[
        "logins eq 9007199254740993",
        "logins gt 9007199254740992",
        "logins gt 9007199254740992.0",
        "logins lt 1e300",
        "logins gt -1e300",
        "score eq 5e-1",
        "score gt 0",
        "score le 0.5",
        "rooms.number eq 7.0",
    ]);
    none(&["logins eq 9007199254740992", "logins eq 9007199254740992.0", "score eq 0", "score gt 1"]);
}

#[test]
fn times_compare_by_instant() {
    all(&[
        r#"meta.lastModified eq "2011-05-13T06:42:34.000+02:00""#,
        r#"meta.lastModified gt "2011-05-13T04:42:33.999999999999Z""#,
        r#"meta.lastModified lt "2011-05-12T23:42:35-05:00""#,
        r#"meta.lastModified ge "2011-05-13T04:42:34Z" and meta.lastModified le "2011-05-13T04:42:34Z""#,
    ]);
    none(&[
        r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified lt "2011-05-13T04:42:34Z""#,
    ]);
    assert!(!holds_for(
        &json!({"meta": {"lastModified": "soon"}}),
        r#"meta.lastModified gt "2011-05-13T04:42:34Z""#
    ));
    assert!(holds_for(
        &json!({"meta": {"lastModified": "soon"}}),
        r#"meta.lastModified ne "2011-05-13T04:42:34Z""#
    ));
}

#[test]
fn binary_values_compare_without_padding() {
    all(&[r#"photo eq "aGVsbG8""#, r#"photo eq "aGVsbG8=""#, "photo pr"]);
    none(&[r#"photo eq "AGVSBG8""#, r#"photo ne "aGVsbG8""#]);
}

#[test]
fn extensions() {
    all(&[
        &format!("{ENTERPRISE}:employeeNumber eq \"701984\""),
        &format!("{}:EMPLOYEENUMBER eq \"701984\"", ENTERPRISE.to_uppercase()),
        &format!("{ENTERPRISE}:manager.value eq \"26118915\""),
        &format!("{ENTERPRISE}:manager eq \"26118915\""),
        &format!("{ENTERPRISE}:manager[value sw \"26\"]"),
        &format!("{ENTERPRISE}:manager pr"),
        &format!("{CORE}:userName pr"),
        &format!("{CORE}:name.familyName pr"),
        &format!("{SHORT}:title eq 3"),
        &format!("{LONG}:level eq 4"),
    ]);
    none(&[&format!("{ENTERPRISE}:manager.displayName pr"), &format!("{CORE}:title pr")]);
    assert!(!holds_for(&json!({}), &format!("{ENTERPRISE}:manager pr")));
    assert!(!holds_for(&json!({ENTERPRISE: "x"}), &format!("{ENTERPRISE}:manager pr")));
    assert!(holds_for(&json!({}), &format!("{ENTERPRISE}:employeeNumber ne \"x\"")));
}

#[test]
fn names_are_found_in_any_case() {
    let resource = json!({"USERNAME": "x", "Emails": [{"TYPE": "work"}], ENTERPRISE.to_uppercase(): {"Manager": {"VALUE": "1"}}});
    for text in [
        "userName eq \"X\"",
        "emails.type eq \"work\"",
        "emails[type pr]",
        &format!("{ENTERPRISE}:manager pr"),
    ] {
        assert!(holds_for(&resource, text), "{text}");
    }
}

#[test]
fn the_type_of_what_is_stored_counts() {
    let resource = json!({"userName": 7, "active": "true", "logins": "7", "title": ["x", {"value": "y"}]});
    for text in [r#"userName eq "7""#, "active eq true", "logins eq 7", "logins gt 0", r#"title eq "y""#] {
        assert!(!holds_for(&resource, text), "{text}");
    }
    assert!(holds_for(&resource, r#"title eq "X""#));
    assert!(holds_for(&resource, "active ne true"));
}

#[test]
fn logic() {
    let truth = |a: bool, b: bool, c: bool, text: &str| {
        let resource =
            json!({"userName": a.then_some("x"), "title": b.then_some("x"), "userType": c.then_some("x")});
        let text = text.replace('a', "userName pr").replace('b', "title pr").replace('c', "userType pr");
        holds_for(&resource, &text.replace('&', "and").replace('|', "or").replace('!', "not "))
    };
    for bits in 0..8 {
        let (a, b, c) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
        assert_eq!(truth(a, b, c, "a | b & c"), a || b && c);
        assert_eq!(truth(a, b, c, "a & b | c"), a && b || c);
        assert_eq!(truth(a, b, c, "(a | b) & c"), (a || b) && c);
        assert_eq!(truth(a, b, c, "!(a | b) & c"), !(a || b) && c);
        assert_eq!(truth(a, b, c, "!(a & b & c)"), !(a && b && c));
        assert_eq!(truth(a, b, c, "!(!(a) & (b | !(c)))"), a || !b && c);
        assert_eq!(truth(a, b, c, "a & (b | (c & !(b)))"), a && (b || c));
    }
}

#[test]
fn values_of_a_patch_path() {
    let selects = |path: &str, value: Value| {
        let bound = PatchPath::parse(path).unwrap().bind(&common::USER, &BindOptions::default()).unwrap();
        bound.filter.unwrap().matches_value(&value)
    };
    let work = json!({"type": "work", "value": "x", "primary": true});
    assert!(selects("emails[type eq \"work\" and primary eq true]", work.clone()));
    assert!(selects("emails[not (type eq \"home\")].value", work.clone()));
    assert!(selects("emails[type ne \"home\" or value pr].value", work.clone()));
    assert!(!selects("emails[type eq \"home\"]", work.clone()));
    assert!(!selects("emails[type eq \"home\"]", json!("home")));
    assert!(selects("emails[value eq \"X\"]", json!("x")));
    // Erratum 7122.
    assert!(selects("emails.type eq \"work\"", work.clone()));
    assert!(selects("emails eq \"x\"", work));
    assert!(selects("aliases eq \"x\"", json!("X")));
    assert!(!selects("aliases eq \"x\"", json!("y")));
    assert!(selects("aliases eq null", json!("")));
    assert!(selects("schemas sw \"urn:\"", json!("urn:x")));
}

#[test]
fn a_number_beyond_64_bits_is_the_nearest_float() {
    let resource = json!({"logins": 18_446_744_073_709_551_615u64});
    assert!(holds_for(&resource, "logins eq 18446744073709551615"));
    assert!(holds_for(&resource, "logins lt 18446744073709551616"));
    assert!(!holds_for(&resource, "logins eq 18446744073709551616"));
}

#[test]
fn a_store_can_walk_the_bound_filter() {
    fn sql(expr: BoundExpr<'_>) -> String {
        match expr {
            BoundExpr::And(terms) => terms.map(|term| sql(term.expr())).collect::<Vec<_>>().join(" AND "),
            BoundExpr::Or(terms) => {
                format!("({})", terms.map(|term| sql(term.expr())).collect::<Vec<_>>().join(" OR "))
            }
            BoundExpr::Not(term) => format!("NOT ({})", sql(term.expr())),
            BoundExpr::Present(attr) => format!("{} IS NOT NULL", attr.name),
            BoundExpr::Compare(attr, op, value) => {
                let sub = attr.sub.as_ref().map(|sub| format!(".{sub}")).unwrap_or_default();
                format!(
                    "{}{sub} {op} {value:?} {}",
                    attr.name,
                    if attr.case_exact { "exact" } else { "folded" }
                )
            }
            BoundExpr::ValuePath(attr, term) => format!("EXISTS({} {})", attr.name, sql(term.expr())),
        }
    }
    let text = r#"ID eq "X" and (emails co "A\n" or not (emails[TYPE eq null and primary eq true])) and logins gt 1.50"#;
    let bound = Filter::parse(text).unwrap().bind(&common::USER, &BindOptions::default()).unwrap();
    assert_eq!(
        sql(bound.expr()),
        "id eq String(\"X\") exact AND (emails.value co String(\"A\\n\") folded OR \
         NOT (EXISTS(emails NOT (type IS NOT NULL) AND primary eq Bool(true) folded))) \
         AND logins gt Number(Float(1.5)) folded"
    );
}
