//! What binds, to what, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{CORE, ENTERPRISE, LONG, SHORT};
use scim_filter::{
    AttributeInfo, AttributeType, BindError, BindErrorKind, BindOptions, BoundAttr, BoundExpr, BoundFilter,
    BoundPath, Filter, ParseOptions, PatchPath, Schema, SchemaTable,
};
use serde_json::{Value, json};

fn bind(text: &str) -> Result<BoundFilter, BindError> {
    Filter::parse(text).unwrap().bind(&common::USER, &BindOptions::default())
}

fn attr(text: &str) -> BoundAttr {
    match bind(text).unwrap().expr() {
        BoundExpr::Compare(attr, ..) | BoundExpr::Present(attr) | BoundExpr::ValuePath(attr, _) => {
            attr.clone()
        }
        other => unreachable!("{other:?}"),
    }
}

fn spelt(attr: &BoundAttr) -> (Option<&str>, &str, Option<&str>) {
    (
        attr.extension.as_ref().map(|name| name.as_str()),
        attr.name.as_str(),
        attr.sub.as_ref().map(|name| name.as_str()),
    )
}

#[test]
fn names_become_canonical() {
    assert_eq!(spelt(&attr("USERname pr")), (None, "userName", None));
    assert_eq!(spelt(&attr("EMAILS.VALUE pr")), (None, "emails", Some("value")));
    assert_eq!(spelt(&attr("emails co \"x\"")), (None, "emails", Some("value")));
    assert_eq!(spelt(&attr("emails pr")), (None, "emails", None));
    assert_eq!(spelt(&attr("emails[TYPE pr]")), (None, "emails", None));
    assert_eq!(
        spelt(&attr(&format!("{}:Name.FAMILYNAME pr", CORE.to_uppercase()))),
        (None, "name", Some("familyName"))
    );
    assert_eq!(
        spelt(&attr(&format!("{}:Manager pr", ENTERPRISE.to_uppercase()))),
        (Some(ENTERPRISE), "manager", None)
    );
}

#[test]
fn characteristics() {
    let kind = |text| {
        let attr = attr(text);
        (attr.kind, attr.multi_valued, attr.case_exact)
    };
    assert_eq!(kind("id pr"), (AttributeType::String, false, true));
    assert_eq!(kind("emails pr"), (AttributeType::Complex, true, false));
    assert_eq!(kind("emails eq \"x\""), (AttributeType::String, true, false));
    assert_eq!(kind("emails.primary pr"), (AttributeType::Boolean, true, false));
    assert_eq!(kind("emails.$ref pr"), (AttributeType::Reference, true, true));
    assert_eq!(kind("schemas pr"), (AttributeType::Reference, true, true));
    assert_eq!(kind("meta.lastModified pr"), (AttributeType::DateTime, false, false));
    let bound = bind("schemas[VALUE eq \"x\"]").unwrap();
    let BoundExpr::ValuePath(_, term) = bound.expr() else { unreachable!() };
    let BoundExpr::Compare(inner, ..) = term.expr() else { unreachable!() };
    assert_eq!(
        (spelt(inner), inner.kind, inner.case_exact),
        ((None, "value", None), AttributeType::Reference, true)
    );
}

/// In brackets the attributes are those of one value, whatever the attribute before them is.
#[test]
fn in_brackets_an_attribute_is_that_of_one_value() {
    const URI: &str = "urn:example:ext";
    let tags = AttributeInfo::new("tags", AttributeType::String).multi_valued().of_extension(URI);
    let schema = SchemaTable { uri: "urn:example", attributes: &[(tags, &[])] };
    let one_value = |bound: BoundExpr<'_>| {
        let BoundExpr::Present(inner) = bound else { unreachable!("{bound:?}") };
        assert_eq!((spelt(inner), inner.multi_valued), ((None, "value", None), false));
    };
    let filter = Filter::parse(&format!("{URI}:tags[value pr]")).unwrap();
    let filter = filter.bind(&schema, &BindOptions::default()).unwrap();
    let BoundExpr::ValuePath(outer, term) = filter.expr() else { unreachable!() };
    assert_eq!((spelt(outer), outer.multi_valued), ((Some(URI), "tags", None), true));
    one_value(term.expr());
    let path = PatchPath::parse(&format!("{URI}:tags pr")).unwrap();
    let path = path.bind(&schema, &BindOptions::default()).unwrap();
    one_value(path.filter.unwrap().expr());
}

/// SCIM has no complex sub-attributes (RFC 7643 §2.3.8); where a schema has one all the same, its
/// `value` is not that of the attribute it stands in.
#[test]
fn a_complex_sub_attribute_has_no_value_of_its_own() {
    let (text, complex) = (AttributeType::String, AttributeType::Complex);
    let subs = [AttributeInfo::new("value", text), AttributeInfo::new("part", complex)];
    let schema =
        SchemaTable { uri: "urn:example", attributes: &[(AttributeInfo::new("whole", complex), &subs)] };
    let bind = |text| Filter::parse(text).unwrap().bind(&schema, &BindOptions::default());
    assert!(bind("whole eq \"x\"").is_ok() && bind("whole.part pr").is_ok());
    assert_eq!(*bind("whole.part eq \"x\"").unwrap_err().kind(), BindErrorKind::NeedsSubAttribute);
}

#[test]
fn fractions_of_instants_are_bound_with_them() {
    let time = |fraction: &str| json!({"meta": {"lastModified": format!("2011-05-13T04:42:34{fraction}Z")}});
    let holds = |filter: &str, fraction: &str| {
        bind(filter).unwrap().matches::<Value>(time(fraction).as_object().unwrap())
    };
    // The literal is written with another offset, so that it is the instants that compare.
    let eq = |fraction: &str| format!("meta.lastModified eq \"2011-05-13T06:42:34{fraction}+02:00\"");
    for fraction in ["", ".25", ".052", ".5000000000000000001"] {
        for other in ["", ".25", ".052", ".5000000000000000001"] {
            assert_eq!(holds(&eq(fraction), other), fraction == other, "{fraction} and {other}");
            // Behind other literals too.
            let second = format!("title eq \"x\" or {}", eq(fraction));
            assert_eq!(holds(&second, other), fraction == other, "{fraction} and {other}");
        }
    }
    assert!(holds("meta.lastModified gt \"2011-05-13T06:42:34.2+02:00\"", ".25"));
    assert!(!holds("meta.lastModified gt \"2011-05-13T06:42:34.3+02:00\"", ".25"));
}

#[test]
fn the_longest_known_schema_is_the_uri() {
    assert_eq!(spelt(&attr(&format!("{SHORT}:title eq 1"))), (Some(SHORT), "title", None));
    assert_eq!(spelt(&attr(&format!("{LONG}:level eq 1"))), (Some(LONG), "level", None));
    let kind = |text: &str| *bind(text).unwrap_err().kind();
    assert_eq!(kind(&format!("{SHORT}:level eq 1")), BindErrorKind::UnknownAttribute);
    assert_eq!(kind(&format!("{LONG}:title eq 1")), BindErrorKind::UnknownAttribute);
    // `User` is an attribute by the grammar, but the text is the URI of a schema.
    assert_eq!(kind(&format!("{ENTERPRISE} pr")), BindErrorKind::UnknownAttribute);
    assert_eq!(kind(&format!("{ENTERPRISE}x:manager pr")), BindErrorKind::UnknownSchema);
    assert_eq!(common::USER.schema_uri_len(&format!("{LONG}:x")), Some(LONG.len()));
    assert_eq!(common::USER.schema_uri_len(LONG), Some(LONG.len()));
    assert_eq!(common::USER.schema_uri_len("urn:example:ext:2.0"), Some(SHORT.len()));
    assert_eq!(common::USER.schema_uri_len("urn:example:extra:x"), None);
}

#[test]
fn unknown_names() {
    for (text, kind, place) in [
        ("nope pr", BindErrorKind::UnknownAttribute, "nope"),
        ("value pr", BindErrorKind::UnknownAttribute, "value"),
        ("employeeNumber pr", BindErrorKind::UnknownAttribute, "employeeNumber"),
        ("userName pr and name.nope pr", BindErrorKind::UnknownSubAttribute, "nope"),
        ("userName.value pr", BindErrorKind::UnknownSubAttribute, "value"),
        ("emails[nope pr]", BindErrorKind::UnknownSubAttribute, "nope"),
        ("emails[emails.type pr]", BindErrorKind::UnknownSubAttribute, "emails.type"),
        ("schemas[type pr]", BindErrorKind::UnknownSubAttribute, "type"),
        ("urn:no:such:x pr", BindErrorKind::UnknownSchema, "urn:no:such"),
        ("a:b:c.d pr", BindErrorKind::UnknownSchema, "a:b"),
        ("nope[type pr]", BindErrorKind::UnknownAttribute, "nope"),
    ] {
        let error = bind(text).unwrap_err();
        assert_eq!(*error.kind(), kind, "of `{text}`");
        assert_eq!(text.get(error.span()), Some(place), "of `{text}`");
    }
}

#[test]
fn what_must_not_be_revealed() {
    for text in [
        "password pr",
        "password eq \"x\"",
        "not (password pr)",
        "title pr or password sw \"x\"",
        "badges.secret pr",
        "badges[secret sw \"x\"]",
        "badges[type pr and not (secret pr)]",
        "keys pr",
        "keys.value pr",
        "keys eq \"x\"",
        "keys[value pr]",
        "urn:ietf:params:scim:schemas:core:2.0:User:password pr",
    ] {
        assert_eq!(*bind(text).unwrap_err().kind(), BindErrorKind::Sensitive, "of `{text}`");
    }
    let path = |text: &str| PatchPath::parse(text).unwrap().bind(&common::USER, &BindOptions::default());
    assert!(
        path("password").is_ok() && path("badges.secret").is_ok() && path("badges[type pr].secret").is_ok()
    );
    for text in [
        "badges[secret pr]",
        "badges[secret pr].value",
        "badges.secret pr",
        "keys[value pr]",
        "password eq \"x\"",
    ] {
        assert_eq!(*path(text).unwrap_err().kind(), BindErrorKind::Sensitive, "of `{text}`");
    }
}

/// A complex attribute is there if any of its sub-attributes is, so its presence would tell of one
/// that is alone in it.
#[test]
fn presence_reveals_no_sub_attribute() {
    for (text, attribute) in [
        ("vault pr", "vault"),
        ("title pr or not (vault pr)", "vault"),
        ("vault eq null", "vault"),
        ("vault ne null", "vault"),
        ("Badges pr", "Badges"),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:vault pr",
            "urn:ietf:params:scim:schemas:core:2.0:User:vault",
        ),
    ] {
        let error = bind(text).unwrap_err();
        assert_eq!(*error.kind(), BindErrorKind::Sensitive, "of `{text}`");
        assert_eq!(text.get(error.span()), Some(attribute));
        let name = attribute.rsplit(':').next().unwrap().to_lowercase();
        let named = format!("`{name}.secret` cannot be used in a filter, at byte {}", error.span().start);
        assert_eq!(error.to_string(), named);
    }
    for text in ["vault.value pr", "vault[value pr]", "badges co \"x\"", "badges.type eq null", "emails pr"] {
        assert!(bind(text).is_ok(), "of `{text}`");
    }
}

#[test]
fn operators_fit_the_type() {
    let attributes = [
        ("title", "\"x\"", "eq ne co sw ew gt ge lt le"),
        ("meta.location", "\"x\"", "eq ne co sw ew gt ge lt le"),
        ("meta.lastModified", "\"2011-05-13T04:42:34Z\"", "eq ne gt ge lt le"),
        ("logins", "1", "eq ne gt ge lt le"),
        ("score", "0.5", "eq ne gt ge lt le"),
        ("active", "true", "eq ne"),
        ("photo", "\"aGk=\"", "eq ne"),
        ("emails", "\"x\"", "eq ne co sw ew gt ge lt le"),
        ("emails.primary", "true", "eq ne"),
        ("name", "\"x\"", ""),
        ("meta", "\"x\"", ""),
    ];
    for (attribute, value, allowed) in attributes {
        for op in "eq ne co sw ew gt ge lt le".split(' ') {
            let text = format!("{attribute} {op} {value}");
            let is_allowed = allowed.split(' ').any(|allowed| allowed == op);
            match bind(&text) {
                Ok(_) => assert!(is_allowed, "`{text}` binds"),
                Err(error) => match error.kind() {
                    BindErrorKind::OperatorNotAllowed { .. } => {
                        assert!(!is_allowed && !allowed.is_empty(), "`{text}` does not bind");
                        assert_eq!(text.get(error.span()), Some(op));
                    }
                    kind => {
                        assert!(*kind == BindErrorKind::NeedsSubAttribute && allowed.is_empty(), "{error}")
                    }
                },
            }
        }
        assert!(bind(&format!("{attribute} pr")).is_ok());
        assert!(
            bind(&format!("{attribute} eq null")).is_ok() && bind(&format!("{attribute} ne null")).is_ok()
        );
        assert!(
            bind(&format!("{attribute} gt null")).is_err() && bind(&format!("{attribute} co null")).is_err()
        );
    }
}

#[test]
fn literals_fit_the_type() {
    let values = ["\"x\"", "1", "1.5", "true", "\"2011-05-13T04:42:34Z\"", "\"true\""];
    for (attribute, fitting) in [
        ("title", "0 4 5"),
        ("meta.location", "0 4 5"),
        ("photo", "0 4 5"),
        ("meta.lastModified", "4"),
        ("logins", "1 2"),
        ("score", "1 2"),
        ("active", "3"),
        ("aliases", "0 4 5"),
    ] {
        for (index, value) in values.iter().enumerate() {
            let text = format!("title pr and {attribute} eq {value}");
            let fits = fitting.split(' ').any(|fitting| fitting == index.to_string());
            match bind(&text) {
                Ok(_) => assert!(fits, "`{text}` binds"),
                Err(error) => {
                    assert!(!fits, "{error}");
                    assert!(matches!(error.kind(), BindErrorKind::TypeMismatch { .. }));
                    assert_eq!(text.get(error.span()), Some(*value));
                }
            }
        }
    }
    let text = r#"not (active eq "a\"\u00e9" or title pr)"#;
    assert_eq!(text.get(bind(text).unwrap_err().span()), Some(r#""a\"\u00e9""#));
    let text = "(active eq 12)";
    assert_eq!(text.get(bind(text).unwrap_err().span()), Some("12"));
}

#[test]
fn value_filters_need_values() {
    for text in ["title[value pr]", "active[value pr]", "emails.value[value pr]", "name.familyName[value pr]"]
    {
        assert_eq!(*bind(text).unwrap_err().kind(), BindErrorKind::NotFilterable, "of `{text}`");
        let path = PatchPath::parse(text).unwrap();
        let error = path.bind(&common::USER, &BindOptions::default()).unwrap_err();
        assert_eq!(*error.kind(), BindErrorKind::NotFilterable, "of `{text}`");
    }
    for text in ["name[familyName pr]", "schemas[value pr]", "aliases[value pr]", "emails[value pr]"] {
        assert!(bind(text).is_ok(), "`{text}`");
    }
}

#[test]
fn boolean_strings_are_a_leniency() {
    let lenient = BindOptions { boolean_strings: true };
    let holds = |text: &str, active: Value| {
        let bound = Filter::parse(text).unwrap().bind(&common::USER, &lenient).unwrap();
        assert!(bound.is_lenient(), "`{text}`");
        bound.matches::<Value>(json!({ "active": active }).as_object().unwrap())
    };
    for (text, value) in [("true", true), ("True", true), ("false", false), ("False", false)] {
        let text = format!("active eq \"{text}\"");
        assert!(holds(&text, json!(value)) && !holds(&text, json!(!value)));
        assert!(bind(&text).is_err());
    }
    for text in ["active eq \"TRUE\"", "active eq \"1\"", "active eq \"\"", "active eq 1", "logins eq \"1\""]
    {
        assert!(Filter::parse(text).unwrap().bind(&common::USER, &lenient).is_err(), "`{text}`");
    }
    assert!(!Filter::parse("active eq true").unwrap().bind(&common::USER, &lenient).unwrap().is_lenient());
    // What Entra ID sends (facts of its app roles): the leniency also holds in brackets.
    let path = PatchPath::parse("roles[primary eq \"True\"].value").unwrap();
    assert!(path.bind(&common::USER, &lenient).is_ok());
    assert!(path.bind(&common::USER, &BindOptions::default()).is_err());
}

#[test]
fn a_sub_attribute_behind_the_brackets_is_a_leniency() {
    let options = ParseOptions { value_path_sub_attr: true, ..Default::default() };
    for (text, print) in [
        (r#"emails[type eq "work"].value eq "x""#, r#"emails[type eq "work" and value eq "x"]"#),
        (
            r#"emails[type eq "work" and primary eq true].value pr"#,
            r#"emails[type eq "work" and primary eq true and value pr]"#,
        ),
        (r#"emails[type pr or primary pr].value pr"#, r#"emails[(type pr or primary pr) and value pr]"#),
        (r#"emails[(type pr and primary pr)].value pr"#, r#"emails[type pr and primary pr and value pr]"#),
        (
            r#"emails[not (type pr)].value pr and title pr"#,
            r#"emails[not (type pr) and value pr] and title pr"#,
        ),
        (r#"not (emails[type pr].value pr)"#, r#"not (emails[type pr and value pr])"#),
    ] {
        let filter = Filter::parse_with(text, &options).unwrap();
        assert!(filter.is_lenient());
        assert_eq!(filter.to_string(), print);
        assert_eq!(Filter::parse(print).unwrap(), filter);
        assert!(filter.bind(&common::USER, &BindOptions::default()).is_ok(), "`{text}`");
        assert!(Filter::parse(text).is_err());
        assert!(!Filter::parse_with(print, &options).unwrap().is_lenient());
    }
    for text in [
        "emails[type pr].value",
        "emails[type pr]. pr",
        "emails[type pr].value.x pr",
        "emails[type pr].value bad 1",
    ] {
        assert!(Filter::parse_with(text, &options).is_err(), "`{text}`");
    }
    // Errors behind it know their place.
    let error = Filter::parse_with("emails[type pr].primary eq \"x\"", &options)
        .unwrap()
        .bind(&common::USER, &BindOptions::default())
        .unwrap_err();
    assert_eq!(error.span(), 27..30);
}

fn path(text: &str) -> Result<BoundPath, BindError> {
    PatchPath::parse(text).unwrap().bind(&common::USER, &BindOptions::default())
}

#[test]
fn paths() {
    let parts = |text: &str| {
        let bound = path(text).unwrap();
        let text = |name: Option<scim_filter::AttrName>| name.map(|name| name.as_str().to_owned());
        (text(bound.extension), text(bound.attribute), bound.filter.is_some(), text(bound.sub))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(parts("USERNAME"), (None, some("userName"), false, None));
    assert_eq!(parts("Name.FamilyName"), (None, some("name"), false, some("familyName")));
    assert_eq!(parts("emails"), (None, some("emails"), false, None));
    assert_eq!(parts("emails.Value"), (None, some("emails"), false, some("value")));
    assert_eq!(parts("Emails[Type eq \"work\"]"), (None, some("emails"), true, None));
    assert_eq!(parts("Emails[Type eq \"work\"].Value"), (None, some("emails"), true, some("value")));
    assert_eq!(parts(&format!("{CORE}:emails[type pr].value")), (None, some("emails"), true, some("value")));
    assert_eq!(parts(&format!("{ENTERPRISE}:Manager")), (some(ENTERPRISE), some("manager"), false, None));
    assert_eq!(
        parts(&format!("{}:manager.DisplayName", ENTERPRISE.to_uppercase())),
        (some(ENTERPRISE), some("manager"), false, some("displayName"))
    );
    // The URI of a schema alone.
    assert_eq!(parts(&ENTERPRISE.to_uppercase()), (some(ENTERPRISE), None, false, None));
    assert_eq!(parts(LONG), (some(LONG), None, false, None));
    assert_eq!(parts(SHORT), (some(SHORT), None, false, None));
    assert_eq!(parts(CORE), (None, None, false, None));
    // Erratum 7122.
    assert_eq!(parts("schemas eq \"urn:x\""), (None, some("schemas"), true, None));
    assert_eq!(parts("emails.type eq \"work\""), (None, some("emails"), true, None));

    for (text, kind, place) in [
        ("nope", BindErrorKind::UnknownAttribute, "nope"),
        ("name.nope", BindErrorKind::UnknownSubAttribute, "nope"),
        ("emails[nope pr]", BindErrorKind::UnknownSubAttribute, "nope"),
        ("emails[type pr].nope", BindErrorKind::UnknownSubAttribute, "nope"),
        ("schemas[value pr].value", BindErrorKind::UnknownSubAttribute, "value"),
        ("urn:no:such:x", BindErrorKind::UnknownSchema, "urn:no:such"),
        ("urn:no:such:2.0", BindErrorKind::UnknownSchema, "urn:no:such"),
        ("name eq \"x\"", BindErrorKind::NeedsSubAttribute, "name"),
        ("name pr", BindErrorKind::NeedsSubAttribute, "name"),
    ] {
        let error = path(text).unwrap_err();
        assert_eq!(*error.kind(), kind, "of `{text}`");
        assert_eq!(text.get(error.span()), Some(place), "of `{text}`");
    }
    assert_eq!(
        *path("active eq \"x\"").unwrap_err().kind(),
        BindErrorKind::TypeMismatch { kind: AttributeType::Boolean }
    );
}
