//! Filters and resources of the schema of the tests, generated.

#![allow(dead_code, reason = "each test uses a part")]

use proptest::prelude::*;
use scim_filter::CompareOp;
use serde_json::{Value, json};

use super::naive::{Model, Rule};

/// The type of an attribute in the schema of the tests, as far as values of it are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    Exact,
    Bool,
    Integer,
    Decimal,
    Time,
}

pub(crate) const TOP: &[(&str, Kind)] = &[
    ("userName", Kind::Text),
    ("title", Kind::Text),
    ("externalId", Kind::Exact),
    ("active", Kind::Bool),
    ("logins", Kind::Integer),
    ("score", Kind::Decimal),
    ("meta.lastModified", Kind::Time),
    ("name.familyName", Kind::Text),
    ("emails", Kind::Text),
    ("emails.value", Kind::Text),
    ("emails.type", Kind::Text),
    ("emails.primary", Kind::Bool),
    ("aliases", Kind::Text),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", Kind::Text),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName", Kind::Text),
];

pub(crate) const INNER: &[(&str, Kind)] = &[
    ("value", Kind::Text),
    ("type", Kind::Text),
    ("primary", Kind::Bool),
    ("weight", Kind::Integer),
    ("$ref", Kind::Exact),
];

const VALUE: &[(&str, Kind)] = &[("value", Kind::Text)];

const NAME: &[(&str, Kind)] = &[("familyName", Kind::Text), ("givenName", Kind::Text)];

/// Few and short, so that comparisons hold often; with letters whose cases differ in length of
/// UTF-8 or not, and what SQL would take for wildcards.
pub(crate) fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just('a'),
            Just('A'),
            Just('b'),
            Just('é'),
            Just('É'),
            Just('Ⱥ'),
            Just('ⱥ'),
            Just('Σ'),
            Just('%'),
            Just('"')
        ],
        0..4,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

fn time() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("2011-05-13T04:42:34Z"),
        Just("2011-05-13T06:42:34+02:00"),
        Just("2011-05-13T04:42:34.000Z"),
        Just("2011-05-13T04:42:34.5Z"),
        Just("2011-05-12T23:42:34.25-05:00"),
        Just("2012-02-29T23:59:59Z"),
    ]
    .prop_map(str::to_owned)
}

fn literal(kind: Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Text | Kind::Exact => text().prop_map(Value::from).boxed(),
        Kind::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Integer => prop_oneof![-2i64..3, Just(9_007_199_254_740_993), Just(9_007_199_254_740_992)]
            .prop_map(Value::from)
            .boxed(),
        Kind::Decimal => {
            prop_oneof![Just(json!(0.5)), Just(json!(1)), Just(json!(1.0)), Just(json!(-2.5))].boxed()
        }
        Kind::Time => time().prop_map(Value::from).boxed(),
    }
}

fn leaf(attributes: &'static [(&'static str, Kind)]) -> BoxedStrategy<Model> {
    proptest::sample::select(attributes)
        .prop_flat_map(|(path, kind)| {
            use CompareOp::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
            let ops: &[CompareOp] = match kind {
                Kind::Text | Kind::Exact => &[Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le],
                Kind::Bool => &[Eq, Ne],
                Kind::Integer | Kind::Decimal | Kind::Time => &[Eq, Ne, Gt, Ge, Lt, Le],
            };
            prop_oneof![
                1 => Just(Model::Present(path.to_owned())),
                1 => proptest::sample::select(&[Eq, Ne][..])
                    .prop_map(move |op| Model::Compare(path.to_owned(), op, Value::Null)),
                6 => (proptest::sample::select(ops), literal(kind))
                    .prop_map(move |(op, value)| Model::Compare(path.to_owned(), op, value)),
            ]
        })
        .boxed()
}

fn tree(leaf: BoxedStrategy<Model>, depth: u32) -> BoxedStrategy<Model> {
    leaf.prop_recursive(depth, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Model::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Model::Or),
            inner.prop_map(|term| Model::Not(Box::new(term))),
        ]
    })
    .boxed()
}

pub(crate) fn model() -> BoxedStrategy<Model> {
    let emails = tree(leaf(INNER), 2).prop_map(|inner| Model::In("emails".to_owned(), Box::new(inner)));
    let aliases = tree(leaf(VALUE), 1).prop_map(|inner| Model::In("aliases".to_owned(), Box::new(inner)));
    let name = tree(leaf(NAME), 1).prop_map(|inner| Model::In("name".to_owned(), Box::new(inner)));
    let whole = Just(Model::Present("name".to_owned()));
    tree(prop_oneof![6 => leaf(TOP), 3 => emails, 1 => aliases, 1 => name, 1 => whole].boxed(), 3)
}

/// A value of an attribute as resources hold it, sometimes of no type it should have.
fn stored(kind: Kind) -> BoxedStrategy<Value> {
    prop_oneof![
        8 => literal(kind),
        1 => Just(Value::Null),
        1 => Just(json!("")),
        1 => Just(json!([])),
        1 => Just(json!(7)),
    ]
    .boxed()
}

fn name(name: &'static str) -> BoxedStrategy<String> {
    prop_oneof![3 => Just(name.to_owned()), 1 => Just(name.to_ascii_uppercase())].boxed()
}

/// An object with some of the members.
fn object(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let members: Vec<_> =
        members.into_iter().map(|(key, value)| proptest::option::weighted(0.7, (name(key), value))).collect();
    members.prop_map(|members| Value::Object(members.into_iter().flatten().collect())).boxed()
}

fn or_null(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop_oneof![5 => value, 1 => Just(Value::Null)].boxed()
}

pub(crate) fn resource() -> BoxedStrategy<Value> {
    let email = prop_oneof![
        6 => object(INNER.iter().map(|(name, kind)| (*name, stored(*kind))).collect()),
        1 => stored(Kind::Text),
        1 => Just(Value::Null),
    ];
    let many = |element: BoxedStrategy<Value>| {
        prop_oneof![
            6 => proptest::collection::vec(element.clone(), 0..4).prop_map(Value::Array),
            1 => element,
        ]
        .boxed()
    };
    let extension = object(vec![
        ("employeeNumber", stored(Kind::Text)),
        (
            "manager",
            or_null(object(vec![("displayName", stored(Kind::Text)), ("value", stored(Kind::Text))])),
        ),
    ]);
    object(vec![
        ("userName", stored(Kind::Text)),
        ("title", stored(Kind::Text)),
        ("externalId", stored(Kind::Exact)),
        ("active", stored(Kind::Bool)),
        ("logins", stored(Kind::Integer)),
        ("score", stored(Kind::Decimal)),
        ("meta", object(vec![("lastModified", time().prop_map(Value::from).boxed())])),
        ("name", or_null(object(NAME.iter().map(|(name, kind)| (*name, stored(*kind))).collect()))),
        ("emails", many(email.boxed())),
        ("aliases", many(stored(Kind::Text))),
        (super::ENTERPRISE, extension),
    ])
}

/// How texts at a path compare.
pub(crate) fn rule(path: &str) -> Rule {
    match path {
        "externalId" | "emails.$ref" => Rule::Exact,
        "meta.lastModified" => Rule::Time,
        "emails" => Rule::Value,
        _ => Rule::Folded,
    }
}
