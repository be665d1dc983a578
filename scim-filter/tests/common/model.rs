//! A filter and its evaluation as one would write them first: a recursive tree, a walk over JSON.
//! Generated, printed and compared with the library's.

#![allow(dead_code, reason = "each test uses a part")]

use proptest::prelude::*;
use scim_filter::{CompareOp, Expr};
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub(crate) enum Model {
    And(Vec<Model>),
    Or(Vec<Model>),
    Not(Box<Model>),
    Compare(&'static str, CompareOp, Value),
    Present(&'static str),
    In(&'static str, Box<Model>),
}

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
                1 => Just(Model::Present(path)),
                1 => proptest::sample::select(&[Eq, Ne][..])
                    .prop_map(move |op| Model::Compare(path, op, Value::Null)),
                6 => (proptest::sample::select(ops), literal(kind))
                    .prop_map(move |(op, value)| Model::Compare(path, op, value)),
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
    let emails = tree(leaf(INNER), 2).prop_map(|inner| Model::In("emails", Box::new(inner)));
    let aliases = tree(leaf(VALUE), 1).prop_map(|inner| Model::In("aliases", Box::new(inner)));
    let whole = Just(Model::Present("name"));
    tree(prop_oneof![6 => leaf(TOP), 3 => emails, 1 => aliases, 1 => whole].boxed(), 3)
}

impl Model {
    /// The filter as text; `noise` is asked wherever the grammar leaves a choice.
    pub(crate) fn text(&self, noise: &mut dyn FnMut() -> bool) -> String {
        let word = |word: &str, noise: &mut dyn FnMut() -> bool| {
            if noise() { word.to_ascii_uppercase() } else { word.to_owned() }
        };
        let space = |noise: &mut dyn FnMut() -> bool| if noise() { "  " } else { " " };
        let gap = |noise: &mut dyn FnMut() -> bool| if noise() { " " } else { "" };
        match self {
            Self::And(terms) | Self::Or(terms) => {
                let join = if matches!(self, Self::And(_)) { "and" } else { "or" };
                let mut text = String::new();
                for (index, term) in terms.iter().enumerate() {
                    if index > 0 {
                        text += &format!("{}{}{}", space(noise), word(join, noise), space(noise));
                    }
                    let inner = term.text(noise);
                    let bare = !matches!(term, Self::And(_) | Self::Or(_));
                    text += &if bare && !noise() {
                        inner
                    } else {
                        format!("({}{inner}{})", gap(noise), gap(noise))
                    };
                }
                text
            }
            Self::Not(term) => format!("{}{}({})", word("not", noise), gap(noise), term.text(noise)),
            Self::In(path, term) => format!("{}[{}{}]", word(path, noise), gap(noise), term.text(noise)),
            Self::Present(path) => format!("{}{}{}", word(path, noise), space(noise), word("pr", noise)),
            Self::Compare(path, op, value) => format!(
                "{}{}{}{}{value}",
                word(path, noise),
                space(noise),
                word(op.as_str(), noise),
                space(noise)
            ),
        }
    }

    /// Whether the parsed filter has this structure.
    pub(crate) fn is(&self, expr: Expr<'_>) -> bool {
        match (self, expr) {
            (Self::And(models), Expr::And(terms)) | (Self::Or(models), Expr::Or(terms)) => {
                models.len() == terms.into_iter().count()
                    && models.iter().zip(terms).all(|(model, term)| model.is(term.expr()))
            }
            (Self::Not(model), Expr::Not(term)) => model.is(term.expr()),
            (Self::In(path, model), Expr::ValuePath(found, term)) => {
                found.as_str().eq_ignore_ascii_case(path) && model.is(term.expr())
            }
            (Self::Present(path), Expr::Present(found)) => found.as_str().eq_ignore_ascii_case(path),
            (Self::Compare(path, op, value), Expr::Compare(found, found_op, literal)) => {
                use scim_filter::CompValue;
                let same = match literal {
                    CompValue::Null => value.is_null(),
                    CompValue::Bool(literal) => *value == json!(literal),
                    CompValue::String(literal) => *value == json!(literal),
                    CompValue::Number(literal) => format!("{literal}") == format!("{value}"),
                };
                found.as_str().eq_ignore_ascii_case(path) && found_op == *op && same
            }
            _ => false,
        }
    }

    /// Whether the resource fulfils the filter.
    pub(crate) fn holds(&self, resource: &Value) -> bool {
        match self {
            Self::And(terms) => terms.iter().all(|term| term.holds(resource)),
            Self::Or(terms) => terms.iter().any(|term| term.holds(resource)),
            Self::Not(term) => !term.holds(resource),
            Self::Present(path) => found(resource, path).iter().any(|value| present(value)),
            Self::In(path, inner) => {
                found(resource, path).iter().flat_map(|value| elements(value)).any(|element| {
                    // A value that is no object has itself as its `value`.
                    let element =
                        if element.is_object() { element.clone() } else { json!({"value": element}) };
                    inner.holds(&element)
                })
            }
            Self::Compare(path, CompareOp::Eq, Value::Null) => !Self::Present(path).holds(resource),
            Self::Compare(path, CompareOp::Ne, Value::Null) => Self::Present(path).holds(resource),
            Self::Compare(path, CompareOp::Ne, value) => {
                !Self::Compare(path, CompareOp::Eq, value.clone()).holds(resource)
            }
            Self::Compare(path, op, value) => {
                let path = if *path == "emails" { "emails.value" } else { path };
                let exact = matches!(path, "externalId" | "$ref");
                let time = path == "meta.lastModified";
                found(resource, path)
                    .iter()
                    .flat_map(|value| elements(value))
                    .any(|found| compare(found, *op, value, exact, time))
            }
        }
    }
}

fn member<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(elements) => elements.iter().collect(),
        value => vec![value],
    }
}

/// What stands at a path: whole arrays for an attribute, single values for a sub-attribute.
fn found<'v>(resource: &'v Value, path: &str) -> Vec<&'v Value> {
    let (resource, path) = match path.rsplit_once(':') {
        Some((uri, path)) => match member(resource, uri) {
            Some(extension) => (extension, path),
            None => return Vec::new(),
        },
        None => (resource, path),
    };
    match path.split_once('.') {
        None => member(resource, path).into_iter().collect(),
        Some((name, sub)) => member(resource, name)
            .into_iter()
            .flat_map(elements)
            .filter_map(|element| match element {
                Value::Object(_) => member(element, sub),
                element => (sub == "value").then_some(element),
            })
            .collect(),
    }
}

fn present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => elements.iter().any(present),
        Value::Object(members) => members.values().any(present),
    }
}

fn compare(left: &Value, op: CompareOp, right: &Value, exact: bool, time: bool) -> bool {
    let fold = |text: &str| -> String {
        if exact { text.to_owned() } else { text.chars().flat_map(char::to_lowercase).collect() }
    };
    let ordering = match (left, right) {
        (Value::String(left), Value::String(right)) if time => Some(seconds(left).total_cmp(&seconds(right))),
        (Value::String(left), Value::String(right)) => {
            let (left, right) = (fold(left), fold(right));
            match op {
                CompareOp::Co => return left.contains(&right),
                CompareOp::Sw => return left.starts_with(&right),
                CompareOp::Ew => return left.ends_with(&right),
                _ => Some(left.cmp(&right)),
            }
        }
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64().partial_cmp(&b.as_f64()),
        },
        (Value::Bool(left), Value::Bool(right)) => return op == CompareOp::Eq && left == right,
        _ => None,
    };
    ordering.is_some_and(|ordering| match op {
        CompareOp::Eq => ordering.is_eq(),
        CompareOp::Gt => ordering.is_gt(),
        CompareOp::Ge => ordering.is_ge(),
        CompareOp::Lt => ordering.is_lt(),
        CompareOp::Le => ordering.is_le(),
        _ => false,
    })
}

/// Seconds of the few times that are generated, which lie in two months.
fn seconds(time: &str) -> f64 {
    let number = |from: usize, to: usize| {
        time.get(from..to).and_then(|digits| digits.parse().ok()).unwrap_or(f64::NAN)
    };
    let days = if time.starts_with("2012") { 292.0 } else { number(8, 10) - 13.0 };
    let fraction: f64 = match time.get(19..).and_then(|rest| rest.strip_prefix('.')) {
        Some(rest) => {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            format!("0.{digits}").parse().unwrap_or(f64::NAN)
        }
        None => 0.0,
    };
    let zone = if time.ends_with("+02:00") {
        2.0
    } else if time.ends_with("-05:00") {
        -5.0
    } else {
        0.0
    };
    days * 86_400.0 + (number(11, 13) - zone) * 3_600.0 + number(14, 16) * 60.0 + number(17, 19) + fraction
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

pub(crate) fn resource() -> BoxedStrategy<Value> {
    let email = prop_oneof![
        6 => object(INNER.iter().map(|(name, kind)| (*name, stored(*kind))).collect()),
        1 => stored(Kind::Text),
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
        ("manager", object(vec![("displayName", stored(Kind::Text)), ("value", stored(Kind::Text))])),
    ]);
    object(vec![
        ("userName", stored(Kind::Text)),
        ("title", stored(Kind::Text)),
        ("externalId", stored(Kind::Exact)),
        ("active", stored(Kind::Bool)),
        ("logins", stored(Kind::Integer)),
        ("score", stored(Kind::Decimal)),
        ("meta", object(vec![("lastModified", time().prop_map(Value::from).boxed())])),
        ("name", object(vec![("familyName", stored(Kind::Text)), ("givenName", stored(Kind::Text))])),
        ("emails", many(email.boxed())),
        ("aliases", many(stored(Kind::Text))),
        (super::ENTERPRISE, extension),
    ])
}
