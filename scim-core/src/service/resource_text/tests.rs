//! What is copied out of a text is what is written of a tree, whatever the schema and the projection.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

use super::*;
use crate::membership::{GROUPS, put_groups};
use crate::pieces::{NextValues, Rendered, Values};
use crate::projection::Projection;
use crate::schema::{
    Attribute, AttributeType, Mutability, Registry, ResourceType, Returned, SchemaExtension,
};
use crate::service::BaseUrl;
use crate::{Object, Resource};

const BASE: &str = "urn:example:Thing";
const EXTENSION: &str = "urn:example:extension:Thing";
/// The attributes of schemas, and `other`, which none has.
const NAMES: [&str; 6] = ["one", "two", "members", "groups", "four", "other"];
const SUBS: [&str; 4] = ["value", "type", "display", "$ref"];

fn returned() -> impl Strategy<Value = Returned> {
    use Returned::{Always, Default, Never, Request};
    select(vec![Default, Default, Default, Default, Always, Never, Request])
}

fn characteristics() -> impl Strategy<Value = (Returned, Mutability, bool, bool)> {
    use Mutability::{Immutable, ReadOnly, ReadWrite, WriteOnly};
    let mutability = select(vec![ReadWrite, ReadWrite, ReadWrite, ReadOnly, Immutable, WriteOnly]);
    (returned(), mutability, any::<bool>(), any::<bool>())
}

fn attribute(name: &'static str) -> impl Strategy<Value = Attribute> {
    let subs = proptest::collection::vec(characteristics(), 0..5);
    (characteristics(), subs).prop_map(move |(own, subs)| {
        let kind = if subs.is_empty() { AttributeType::String } else { AttributeType::Complex };
        let with = |name: &str, kind, (returned, mutability, case_exact, multi_valued)| Attribute {
            returned,
            mutability,
            case_exact,
            multi_valued,
            ..Attribute::new(name, kind)
        };
        let sub = |(name, sub)| match name {
            // Most are such that the service writes the URI.
            "$ref" => Attribute {
                reference_types: vec!["Thing".to_owned()],
                multi_valued: false,
                ..with(name, AttributeType::Reference, sub)
            },
            "value" => Attribute { multi_valued: false, ..with(name, AttributeType::String, sub) },
            name => with(name, AttributeType::String, sub),
        };
        let sub_attributes = SUBS.into_iter().zip(subs).map(sub).collect();
        Attribute { sub_attributes, ..with(name, kind, own) }
    })
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    let all: Vec<_> =
        NAMES[..5].iter().map(|name| proptest::option::weighted(0.8, attribute(name))).collect();
    all.prop_map(|all| {
        let mut attributes: Vec<Attribute> = all.into_iter().flatten().collect();
        // Few of a schema are as is usual with so many that are not.
        attributes.push(Attribute::new("plain", AttributeType::String));
        attributes
    })
}

/// A schema, and how the URIs of its resources are written.
fn schema() -> impl Strategy<Value = (Arc<ResourceSchema>, Option<Arc<Refs>>)> {
    let usual = proptest::bool::weighted(0.3);
    (attributes(), attributes(), usual).prop_map(|(own, mut extended, usual)| {
        if usual {
            extended.retain(is_shown_whole);
        }
        let schema = |id: &str, attributes| Schema {
            id: id.to_owned(),
            name: String::new(),
            description: String::new(),
            attributes,
        };
        let kind = ResourceType {
            name: "Thing".to_owned(),
            description: String::new(),
            endpoint: "/Things".to_owned(),
            schema: BASE.to_owned(),
            schema_extensions: vec![SchemaExtension { schema: EXTENSION.to_owned(), required: false }],
        };
        let registry =
            Registry::new(vec![schema(BASE, own), schema(EXTENSION, extended)], vec![kind]).unwrap();
        let schema = Arc::clone(registry.by_name("Thing").unwrap());
        let refs = Refs::of(&registry, &base_url(), &schema).map(Arc::new);
        (schema, refs)
    })
}

fn is_shown_whole(attribute: &Attribute) -> bool {
    std::iter::once(attribute).chain(&attribute.sub_attributes).all(|attribute| {
        attribute.mutability != Mutability::WriteOnly
            && matches!(attribute.returned, Returned::Always | Returned::Default)
    })
}

/// A value of any kind, whether the schema has such or not.
fn value() -> impl Strategy<Value = Json> {
    let simple = prop_oneof![
        2 => select(vec!["User", "Thing"]).prop_map(Json::from),
        3 => "[a-z]{0,6}|.{0,4}|[\"\\\\\n\u{1}é]{0,3}".prop_map(Json::from),
        1 => any::<f64>().prop_map(Json::from),
        1 => any::<i64>().prop_map(Json::from),
        1 => any::<bool>().prop_map(Json::from),
        1 => Just(Json::Null),
    ];
    let names = proptest::sample::subsequence(SUBS.to_vec(), 0..=SUBS.len());
    let object = (names, proptest::collection::vec(simple.clone(), SUBS.len()))
        .prop_map(|(names, values)| Json::Object(names.into_iter().map(str::to_owned).zip(values).collect()));
    let one = prop_oneof![simple, object];
    prop_oneof![2 => one.clone(), 3 => proptest::collection::vec(one, 0..4).prop_map(Json::from)]
}

fn members() -> impl Strategy<Value = Vec<(String, Json)>> {
    proptest::collection::vec((proptest::bool::weighted(0.7), any::<bool>(), value()), NAMES.len() + 1)
        .prop_map(|members| {
            let names = NAMES.into_iter().chain(["plain"]);
            let spelt = |name: &str, other: bool| if other { name.to_uppercase() } else { name.to_owned() };
            let members = names.zip(members).filter(|(_, (there, ..))| *there);
            members.map(|(name, (_, other, value))| (spelt(name, other), value)).collect()
        })
}

fn resource() -> impl Strategy<Value = Resource> {
    let meta = proptest::option::weighted(
        0.9,
        prop_oneof![
            6 => Just(json!({"resourceType": "Thing", "version": "W/\"1\""})),
            1 => Just(json!({"resourceType": "Thing", "Location": "elsewhere", "version": "W/\"1\""})),
            1 => Just(json!({})),
            1 => value(),
        ],
    );
    let extension = proptest::option::of(prop_oneof![
        5 => members().prop_map(|members| Json::Object(members.into_iter().collect())),
        1 => value(),
    ]);
    let ends = proptest::bool::weighted(0.7);
    (members(), meta, extension, ends).prop_map(|(members, meta, extension, ends)| {
        let mut all =
            vec![("schemas".to_owned(), json!([BASE, EXTENSION])), ("id".to_owned(), json!("a\"1"))];
        let meta = meta.map(|meta| ("meta".to_owned(), meta));
        if !ends {
            all.extend(meta.clone());
        }
        all.extend(members);
        all.extend(extension.map(|extension| (EXTENSION.to_owned(), extension)));
        if ends {
            all.extend(meta);
        }
        Resource(all.iter().map(|(name, value)| (name.as_str(), value.clone())).collect())
    })
}

/// Names as `attributes` and `excludedAttributes` have them.
fn selection() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        5 => select(NAMES.to_vec()).prop_map(str::to_owned),
        3 => (select(NAMES.to_vec()), select(SUBS.to_vec())).prop_map(|(name, sub)| format!("{name}.{sub}")),
        1 => select(NAMES.to_vec()).prop_map(|name| format!("{EXTENSION}:{name}")),
        1 => (select(NAMES.to_vec()), select(SUBS.to_vec()))
            .prop_map(|(name, sub)| format!("{EXTENSION}:{name}.{sub}")),
        1 => select(vec![EXTENSION, BASE, "meta", "meta.location", "META.version", "id"]).prop_map(str::to_owned),
    ];
    proptest::collection::vec(name, 1..4).prop_map(|names| names.join(","))
}

#[derive(Clone, Debug)]
enum Asked {
    Nothing,
    Only(String),
    Except(String),
    Written,
    Rendered,
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![
        4 => Just(Asked::Nothing),
        3 => selection().prop_map(Asked::Only),
        3 => selection().prop_map(Asked::Except),
        1 => Just(Asked::Written),
        1 => Just(Asked::Rendered),
    ]
}

struct Few(Vec<Vec<Value>>);

impl Values for Few {
    fn next(&mut self) -> NextValues<'_> {
        let next = self.0.pop().unwrap_or_default();
        Box::pin(async { Ok(next) })
    }
}

fn base_url() -> BaseUrl {
    BaseUrl::of(&"https://example.com".parse().unwrap())
}

/// The URIs of members that are users or groups.
fn refs(written: bool) -> Option<Arc<Refs>> {
    let registry = Registry::standard();
    let refs = Refs::of(&registry, &base_url(), registry.by_name("Group").unwrap()).unwrap();
    written.then(|| Arc::new(refs))
}

/// What is written in parts of about this many bytes.
fn written(shape: &Arc<Shape>, location: Option<&str>, pieces: Pieces, enough: usize) -> String {
    let mut resource = ResourceText::new(Arc::clone(shape), location.map(str::to_owned), pieces);
    let (mut text, mut all) = (Text::default(), Vec::new());
    loop {
        let written = pin!(resource.write(&mut text, enough)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Ok(written)) = written else { panic!("it is not written") };
        let part = text.take();
        all.extend_from_slice(&part);
        if written == Written::All {
            return String::from_utf8(all).unwrap();
        }
        assert!(!part.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn what_is_copied_of_a_text_is_what_is_written_of_a_tree(
        (schema, own_refs) in schema(),
        resource in resource(),
        asked in proptest::collection::vec(asked(), 6),
        etag in proptest::bool::weighted(0.8),
        with_refs in proptest::option::of(any::<bool>()),
        location in proptest::option::weighted(0.9, Just("https://example.com/Things/\"1")),
        groups in proptest::option::weighted(0.3, proptest::collection::vec(value(), 0..3)),
        behind in proptest::option::weighted(0.2, select(NAMES.to_vec())),
        enough in prop_oneof![Just(usize::MAX), 1..200_usize],
    ) {
        for asked in asked {
            let projection = match &asked {
                Asked::Nothing => Some(Projection::default()),
                Asked::Only(names) => Some(Projection::parse(&schema, Some(names), None).unwrap()),
                Asked::Except(names) => Some(Projection::parse(&schema, None, Some(names)).unwrap()),
                Asked::Written => Some(Projection::default().of_write(&schema, &resource.0.clone().into())),
                Asked::Rendered => None,
            };
            let refs = match with_refs.filter(|_| projection.is_some()) {
                Some(true) => own_refs.clone(),
                some => refs(some.is_some()),
            };
            let shape = Arc::new(Shape { schema: Arc::clone(&schema), projection, etag, refs });
            let rest = || behind.map(|name| Rest {
                attribute: name.into(),
                values: Box::new(Few(vec![vec![json!({"value": "c"}).into()], vec![json!("b").into()]])),
            });
            let of = |document: Document, enough| {
                let pieces = Pieces { rest: rest().into_iter().collect(), ..document.into() };
                written(&shape, location, pieces, enough)
            };
            let groups: Option<Vec<Value>> = groups.clone().map(|groups| groups.into_iter().map(Value::from).collect());
            let mut whole = resource.clone();
            if let Some(groups) = &groups {
                put_groups(&mut whole, groups.clone());
            }
            let expected = of(whole.clone().into(), usize::MAX);
            let read: Json = serde_json::from_str(&expected).unwrap();

            let text = Document::from_json(resource.0.to_string()).unwrap();
            let kept = Document::from(Arc::new(Rendered::new(resource.clone())));
            for mut document in [text, kept, resource.clone().into()] {
                prop_assert_eq!(document.id_text(), Some("a\"1".into()));
                prop_assert_eq!(document.version(), resource.version());
                if let Some(groups) = &groups {
                    document.set_groups(groups.clone());
                } else {
                    prop_assert_eq!(document.has(GROUPS), resource.0.contains(GROUPS));
                }
                prop_assert_eq!(&*document.resource().unwrap(), &whole);
                let parsed = document.clone().parsed().unwrap();
                prop_assert_eq!(&*parsed.resource().unwrap(), &whole);
                let found = of(document, enough);
                // Computed groups come before `meta`, wherever that is, and at the end of what a policy has rendered.
                let is_last = resource.0.iter().last().is_some_and(|(name, _)| name.matches("meta"));
                let moved = groups.is_some() && (!is_last || shape.projection.is_none());
                if moved {
                    prop_assert_eq!(serde_json::from_str::<Json>(&found).unwrap(), read.clone());
                } else {
                    prop_assert_eq!(&found, &expected);
                }
            }
        }
    }

    /// A text that is written otherwise says the same.
    #[test]
    fn any_text_of_a_resource_is_answered((schema, refs) in schema(), resource in resource()) {
        let shape = Arc::new(Shape { schema, projection: Some(Projection::default()), etag: true, refs });
        let pretty = serde_json::to_string_pretty(&resource.0).unwrap();
        let document = Document::from_json(pretty).unwrap();
        let expected = written(&shape, Some("there"), resource.into(), usize::MAX);
        prop_assert_eq!(written(&shape, Some("there"), document.into(), usize::MAX), expected);
    }
}

#[test]
fn a_changed_resource_has_another_text() {
    let resource = |name: &str| Resource(Object::from_iter([("id", "1"), ("userName", name)]));
    let registry = Registry::standard();
    let schema = Arc::clone(registry.by_name("User").unwrap());
    let shape =
        Arc::new(Shape { schema, projection: Some(Projection::default()), etag: true, refs: refs(true) });
    let mut kept = Arc::new(Rendered::new(resource("one")));
    let text =
        |kept: &Arc<Rendered>| written(&shape, None, Document::from(Arc::clone(kept)).into(), usize::MAX);
    assert_eq!(text(&kept), r#"{"id":"1","userName":"one"}"#);
    let reader = Arc::clone(&kept);
    Rendered::make_mut(&mut kept).0.insert("userName", "two");
    assert_eq!(text(&kept), r#"{"id":"1","userName":"two"}"#);
    assert_eq!(text(&reader), r#"{"id":"1","userName":"one"}"#);
    drop(reader);
    Rendered::make_mut(&mut kept).0.insert("userName", "three");
    assert_eq!(text(&kept), r#"{"id":"1","userName":"three"}"#);
}

#[test]
fn a_text_that_is_no_resource_is_refused() {
    for text in ["", "[]", "1", "{", r#"{"id":"1","ID":"2"}"#, r#"{"id":1} "a""#] {
        assert!(Document::from_json(text).is_err(), "{text}");
    }
    // Within an object it is found when it is looked at.
    let twice = Document::from_json(r#"{"id":"1","name":{"a":1,"A":2}}"#).unwrap();
    assert!(twice.resource().is_err());
    // Many members, one of them twice.
    let many: Vec<String> = (0..300).map(|number| format!("\"n{number}\":{number}")).collect();
    let text = format!("{{{}}}", many.join(","));
    assert_eq!(Document::from_json(text.clone()).unwrap().resource().unwrap().0.to_string(), text);
    assert!(Document::from_json(format!("{{{},\"N7\":1}}", many.join(","))).is_err());
}
