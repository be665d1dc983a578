//! Laws that hold for whatever is sent.

use proptest::prelude::*;
use scim_core::leniency::{Leniencies, Leniency};
use scim_core::schema::{Attribute, builtin};
use scim_core::{Object, Value, validate};
use serde_json::json;

use crate::{ENTERPRISE, group, resource, user};

/// JSON that fits the schema here and there.
fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        Just(json!("True")),
        Just(json!("")),
        "[a-z]{1,3}".prop_map(|value| json!(value)),
        any::<i32>().prop_map(|value| json!(value)),
    ];
    let names = prop::sample::select(vec![
        "schemas",
        "id",
        "ID",
        "externalId",
        "meta",
        "Meta",
        "groups",
        "GROUPS",
        "userName",
        "name",
        "givenName",
        "emails",
        "value",
        "primary",
        "type",
        "display",
        "active",
        "roles",
        "members",
        "displayName",
        "manager",
        "password",
        "department",
        "x",
        "urn:y",
        builtin::USER,
        ENTERPRISE,
    ]);
    let value = leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((names.clone(), inner), 0..4)
                .prop_map(|members| members.into_iter().map(|(n, v)| (n.to_owned(), v)).collect()),
        ]
    });
    let top = prop::sample::select(vec![
        "id",
        "Id",
        "META",
        "groupS",
        "userName",
        "name",
        "emails",
        "active",
        "roles",
        "members",
        "displayName",
        "manager",
        "password",
        "department",
        "x509Certificates",
        "addresses",
        "urn:y",
        builtin::USER,
        ENTERPRISE,
    ]);
    prop::collection::vec((top, value), 0..6)
        .prop_map(|members| members.into_iter().map(|(n, v)| (n, Value::from(v))).collect::<Object>().into())
}

/// P5: what only the service provider writes.
const READ_ONLY: [&str; 3] = ["id", "meta", "groups"];

/// Of what the others tolerate nothing is left; that one changes nothing.
fn kept_as_sent() -> Leniencies {
    Leniencies::strict().with(Leniency::ReferenceSyntax)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn reading_again_changes_nothing(body in body()) {
        for schema in [user(), group()] {
            let Ok(valid) = validate::create(&schema, body.clone(), &Leniencies::tolerant()) else { continue };
            let again = validate::create(&schema, valid.resource.0.clone().into(), &kept_as_sent());
            let again = again.unwrap();
            prop_assert_eq!(again.resource.0.to_string(), valid.resource.0.to_string());
            prop_assert!(again.leniencies.iter().all(|leniency| valid.leniencies.contains(leniency)));
        }
    }

    #[test]
    fn coerce_is_idempotent(body in body(), which in any::<prop::sample::Index>()) {
        let schema = user();
        let attributes: Vec<_> = schema.base().attributes.iter().chain(&schema.extensions()[0].attributes).collect();
        let attribute = attributes[which.index(attributes.len())];
        let Some((_, value)) = body.as_object().unwrap().iter().next() else { return Ok(()) };
        let mut fired = Vec::new();
        let tolerant = Leniencies::tolerant();
        if let Ok(Some(once)) = validate::coerce(attribute, value.clone(), "a", &tolerant, &mut fired) {
            let mut again = Vec::new();
            let twice = validate::coerce(attribute, once.clone(), "a", &kept_as_sent(), &mut again);
            prop_assert_eq!(twice, Ok(Some(once)));
            prop_assert!(again.iter().all(|leniency| fired.contains(leniency)));
        }
    }

    #[test]
    fn id_meta_and_groups_are_never_written(body in body()) {
        let current = resource(json!({
            "schemas": [builtin::USER], "id": "7", "userName": "a", "groups": [{"value": "g"}],
            "meta": {"resourceType": "User", "version": "W/\"3\""},
        }));
        let tolerant = Leniencies::tolerant();
        if let Ok(valid) = validate::create(&user(), body.clone(), &tolerant) {
            for name in READ_ONLY {
                prop_assert!(!valid.resource.0.contains(name));
            }
        }
        if let Ok(valid) = validate::replace(&user(), body, &current, &tolerant) {
            for name in READ_ONLY {
                prop_assert_eq!(valid.resource.get(name), current.get(name));
            }
        }
    }

    #[test]
    fn unassigning_everything_leaves_only_what_is_kept(body in body()) {
        let nulled = |attributes: &[Attribute]| -> Object {
            attributes.iter().map(|attribute| (attribute.name.as_str(), Value::Null)).collect()
        };
        let Ok(valid) = validate::create(&user(), body, &Leniencies::tolerant()) else { return Ok(()) };
        let null = Value::from(nulled(&builtin::user().attributes));
        let emptied = validate::replace(&user(), null, &valid.resource, &Leniencies::tolerant()).unwrap();
        prop_assert_eq!(emptied.resource.0.len(), 1, "{:?}", emptied.resource);
        let schemas = emptied.resource.get("schemas").unwrap();
        prop_assert_eq!(schemas, &Value::from(json!([builtin::USER])));
    }
}
