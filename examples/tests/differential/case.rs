//! Random schemas, resources and filters.

use proptest::prelude::*;
use scim_filter::AttributeType::{
    Binary, Boolean, Complex, DateTime, Decimal, Integer, Reference, String as Text,
};
use scim_filter::{AttributeType, CompareOp};
use serde_json::{Map, Value, json};

use crate::naive::{Model, Rule};

pub(crate) const CORE: &str = "urn:example:schemas:2.0:Thing";
pub(crate) const EXTENSION: &str = "urn:example:schemas:extension:2.0:More";

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) resources: Vec<Map<String, Value>>,
    // As texts, and as the model has them.
    pub(crate) filters: Vec<(String, Model)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) extension: bool,
    pub(crate) multi: bool,
    pub(crate) scalar: Scalar,
    pub(crate) subs: Vec<(&'static str, Scalar)>,
    pub(crate) place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    // In a column, or if there are many values in a child table.
    Column,
    Json,
    Document,
    // A single-valued complex attribute: every second sub-attribute in a column, the rest in the
    // document.
    Mixed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Scalar {
    pub(crate) kind: AttributeType,
    pub(crate) exact: bool,
    // Which of the columns a dateTime can be in.
    pub(crate) form: u8,
}

pub(crate) fn scalar() -> impl Strategy<Value = Scalar> {
    let kinds = [Text, Text, Text, Reference, Boolean, Integer, Decimal, DateTime, DateTime, Binary];
    (proptest::sample::select(kinds.to_vec()), any::<bool>(), 0..4u8).prop_map(|(kind, exact, form)| Scalar {
        kind,
        exact,
        form,
    })
}

pub(crate) fn attribute(index: usize) -> impl Strategy<Value = Attribute> {
    let names = proptest::sample::subsequence(vec!["value", "type", "primary", "x"], 1..4);
    let subs =
        names.prop_flat_map(|names| names.into_iter().map(|name| (Just(name), scalar())).collect::<Vec<_>>());
    let places = vec![Place::Column, Place::Column, Place::Json, Place::Document, Place::Mixed];
    let places = proptest::sample::select(places);
    (scalar(), proptest::option::of(subs), any::<bool>(), proptest::bool::weighted(0.2), places).prop_map(
        move |(scalar, subs, multi, extension, place)| Attribute {
            multi: multi && place != Place::Mixed,
            name: format!("a{index}"),
            extension,
            scalar: if subs.is_some() { Scalar { kind: Complex, ..scalar } } else { scalar },
            subs: subs.unwrap_or_default(),
            place,
        },
    )
}

/// Few and short, so that comparisons hold often; with what folds to other lengths, and what SQL
/// would take for wildcards or quotes.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let chars = vec![
        'a',
        'a',
        'A',
        'b',
        'B',
        'é',
        'É',
        'ß',
        'ẞ',
        'S',
        's',
        'Ⱥ',
        'ⱥ',
        'Σ',
        'ς',
        'K',
        'ı',
        'I',
        '%',
        '_',
        '\'',
        '"',
        '\\',
        '*',
        '?',
        '$',
        '1',
        ' ',
        '\u{D7FF}',
        '\u{10FFFF}',
        'e',
        '\u{301}',
        '\u{301}',
        '\u{323}',
        '\u{30a}',
        'ａ',
        'Ｂ',
    ];
    proptest::collection::vec(proptest::sample::select(chars), 0..4)
        .prop_map(|chars| chars.into_iter().collect())
}

pub(crate) fn of(kind: AttributeType, is_literal: bool) -> BoxedStrategy<Value> {
    match kind {
        Text | Reference | Complex if is_literal => {
            prop_oneof![30 => text(), 1 => Just("a\0b".to_owned()), 1 => Just("\0".to_owned())]
                .prop_map(Value::from)
                .boxed()
        }
        Text | Reference | Complex => text().prop_map(Value::from).boxed(),
        Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Integer | Decimal => {
            let mut numbers = vec![
                json!(0),
                json!(1),
                json!(-1),
                json!(2),
                json!(9_007_199_254_740_993_i64),
                json!(9_007_199_254_740_992_i64),
                json!(i64::MAX),
                json!(i64::MIN),
            ];
            let floats = [json!(0.5), json!(1.0), json!(-1.5), json!(9_007_199_254_740_992.0), json!(1e300)];
            if is_literal {
                numbers.extend(floats);
                numbers.extend(beyond_signed());
                numbers.push(json!(-1e300));
            } else if kind == Decimal {
                numbers = floats.to_vec();
            }
            proptest::sample::select(numbers).boxed()
        }
        DateTime => {
            let mut times = vec![
                "2011-05-13T04:42:34Z",
                "2011-05-13T06:42:34+02:00",
                "2011-05-13T04:42:34.000Z",
                "2011-05-13T04:42:34.5Z",
                "2011-05-12T23:42:34.25-05:00",
                "2012-02-29T23:59:59",
                "1969-12-31T23:59:59.75Z",
                "0001-01-01T00:00:00Z",
                "9999-12-31T23:59:59.999Z",
                "2000-02-29T24:00:00Z",
                "1900-03-01T00:00:00Z",
            ];
            if is_literal {
                times.extend([
                    "2011-05-13T04:42:34.0000001Z",
                    "2011-05-13T04:42:34.4999999999Z",
                    "-0044-03-15T00:00:00Z",
                    "12011-01-01T00:00:00Z",
                    "999999999-01-01T00:00:00Z",
                    "-999999999-01-01T00:00:00Z",
                    "0000-01-01T00:00:00Z",
                    "1969-12-31T23:59:59.7500001Z",
                ]);
            }
            proptest::sample::select(times).prop_map(Value::from).boxed()
        }
        Binary => proptest::sample::select(vec!["aGVsbG8", "aGVsbG8=", "aGVsbG9v", "AGVSBG8="])
            .prop_map(Value::from)
            .boxed(),
    }
}

/// Integers of 64 bits that a column with a sign cannot hold, some of which are the same as floats.
fn beyond_signed() -> [Value; 4] {
    [1 << 63, (1 << 63) + 1, u64::MAX - 1, u64::MAX].map(|number: u64| json!(number))
}

/// A value as resources hold it; in JSON also of no type it should have.
pub(crate) fn stored(scalar: Scalar, place: Place) -> BoxedStrategy<Value> {
    if matches!(place, Place::Column | Place::Mixed) {
        prop_oneof![9 => of(scalar.kind, false), 1 => Just(Value::Null)].boxed()
    } else {
        let right = match scalar.kind {
            Integer | Decimal => {
                prop_oneof![2 => of(scalar.kind, false), 1 => proptest::sample::select(beyond_signed().to_vec())].boxed()
            }
            kind => of(kind, false),
        };
        prop_oneof![
            9 => right,
            1 => proptest::sample::select(vec![json!(null), json!(""), json!(7), json!(true), json!("soon"), json!(0.5)]),
        ]
        .boxed()
    }
}

pub(crate) fn value(attribute: &Attribute) -> BoxedStrategy<Value> {
    let place = attribute.place;
    let one = if attribute.subs.is_empty() {
        stored(attribute.scalar, place)
    } else {
        let members: Vec<_> = attribute
            .subs
            .iter()
            .map(|(name, scalar)| (Just(*name), proptest::option::weighted(0.8, stored(*scalar, place))))
            .collect();
        members
            .prop_map(|members| {
                members
                    .into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                    .collect::<Map<_, _>>()
            })
            .prop_map(Value::Object)
            .boxed()
    };
    let one = prop_oneof![9 => one, 1 => Just(Value::Null)].boxed();
    if !attribute.multi {
        return one;
    }
    let element = match place {
        Place::Column => one,
        _ => prop_oneof![9 => one, 1 => Just(json!("a")), 1 => Just(json!(7))].boxed(),
    };
    prop_oneof![
        9 => proptest::collection::vec(element.clone(), 0..4).prop_map(Value::Array),
        1 => element,
    ]
    .boxed()
}

pub(crate) fn resource(attributes: &[Attribute]) -> BoxedStrategy<Map<String, Value>> {
    let members: Vec<_> = attributes
        .iter()
        .map(|attribute| (Just(attribute.clone()), proptest::option::weighted(0.8, value(attribute))))
        .collect();
    members
        .prop_map(|members| {
            let (mut resource, mut extension) = (Map::new(), Map::new());
            for (attribute, value) in members {
                let Some(value) = value else { continue };
                // A complex attribute without any value is not there (RFC 7643 §2.5).
                let nothing = |value: &Value| {
                    value.as_object().is_some_and(|object| object.values().all(Value::is_null))
                };
                if !attribute.multi && attribute.place == Place::Column && nothing(&value) {
                    continue;
                }
                if attribute.extension { &mut extension } else { &mut resource }
                    .insert(attribute.name.clone(), value);
            }
            if !extension.is_empty() {
                resource.insert(EXTENSION.to_owned(), Value::Object(extension));
            }
            resource
        })
        .boxed()
}

pub(crate) fn comparison(path: String, kind: AttributeType) -> BoxedStrategy<Model> {
    use CompareOp::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
    let ops: &[CompareOp] = match kind {
        Text | Reference => &[Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le],
        Integer | Decimal | DateTime => &[Eq, Ne, Gt, Ge, Lt, Le],
        Boolean | Binary => &[Eq, Ne],
        Complex => &[],
    };
    let present = Just(Model::Present(path.clone()));
    let (null, other) = (path.clone(), path.clone());
    let null = proptest::sample::select(&[Eq, Ne][..])
        .prop_map(move |op| Model::Compare(null.clone(), op, Value::Null));
    if ops.is_empty() {
        return prop_oneof![present, null].boxed();
    }
    let compare = (proptest::sample::select(ops), of(kind, true))
        .prop_map(move |(op, value)| Model::Compare(other.clone(), op, value));
    prop_oneof![6 => compare, 1 => present, 1 => null].boxed()
}

pub(crate) fn tree(leaf: BoxedStrategy<Model>, depth: u32) -> BoxedStrategy<Model> {
    leaf.prop_recursive(depth, 16, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Model::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Model::Or),
            inner.prop_map(|term| Model::Not(Box::new(term))),
        ]
    })
    .boxed()
}

impl Attribute {
    pub(crate) fn path(&self) -> String {
        if self.extension { format!("{EXTENSION}:{}", self.name) } else { self.name.clone() }
    }

    /// The type of what a comparison with the attribute itself looks at.
    pub(crate) fn compared(&self) -> AttributeType {
        let value = self.subs.iter().find(|(name, _)| *name == "value");
        value.map_or(self.scalar, |(_, scalar)| *scalar).kind
    }
}

pub(crate) fn filter(attributes: &[Attribute]) -> BoxedStrategy<Model> {
    let mut leaves = Vec::new();
    for attribute in attributes {
        let path = attribute.path();
        leaves.push(comparison(path.clone(), attribute.compared()));
        let mut inner = Vec::new();
        for (name, scalar) in &attribute.subs {
            leaves.push(comparison(format!("{path}.{name}"), scalar.kind));
            inner.push(comparison((*name).to_owned(), scalar.kind));
        }
        if attribute.multi && attribute.subs.is_empty() {
            inner.push(comparison("value".to_owned(), attribute.scalar.kind));
        }
        if !inner.is_empty() {
            let inner = tree(proptest::strategy::Union::new(inner).boxed(), 2);
            leaves.push(inner.prop_map(move |inner| Model::In(path.clone(), Box::new(inner))).boxed());
        }
    }
    tree(proptest::strategy::Union::new(leaves).boxed(), 2)
}

/// How texts at a path compare, of the attributes' definitions.
pub(crate) fn rule(attributes: &[Attribute], path: &str) -> Rule {
    let of = |scalar: Scalar| match (scalar.kind, scalar.exact) {
        (DateTime, _) => Rule::Time,
        (Binary, _) => Rule::Base64,
        (_, true) => Rule::Exact,
        (_, false) => Rule::Folded,
    };
    for attribute in attributes {
        let Some(rest) = path.strip_prefix(&attribute.path()) else { continue };
        match rest.strip_prefix('.').map(|sub| attribute.subs.iter().find(|(name, _)| *name == sub)) {
            Some(Some((_, scalar))) => return of(*scalar),
            None if !attribute.subs.is_empty() => return Rule::Value,
            _ => return of(attribute.scalar),
        }
    }
    Rule::Exact
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let attributes = (1..6usize).prop_flat_map(|count| (0..count).map(attribute).collect::<Vec<_>>());
    attributes.prop_flat_map(|attributes| {
        let resources = proptest::collection::vec(resource(&attributes), 1..12);
        let filters = proptest::collection::vec((filter(&attributes), any::<u64>()), 1..24);
        let filters = filters.prop_map(|filters| {
            let write = |(model, mut coins): (Model, u64)| {
                let text = model.text(&mut || {
                    coins = coins.rotate_left(1);
                    coins & 7 == 7
                });
                (text, model)
            };
            filters.into_iter().map(write).collect::<Vec<_>>()
        });
        (Just(attributes), resources, filters).prop_map(|(attributes, resources, filters)| Case {
            attributes,
            resources,
            filters,
        })
    })
}
