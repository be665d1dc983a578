//! Properties of records, over random schemas with secrets in them and random requests.
//!
//! Every secret value holds the text `s3cret`, and no other does. Before and after each request the
//! resource is read from the store, so that a record can be held against what really changed.

use std::collections::BTreeMap;

use proptest::prelude::*;
use scim_core::audit::{Changed, Effect, Record};
use scim_core::projection::Projection;
use scim_core::schema::{
    Attribute, Mutability, Registry, ResourceSchema, ResourceType, Returned, Schema, SchemaExtension,
};
use scim_core::store::Scope;
use scim_core::{Config, MemoryStore, ResourceId, Store, TenantId};
use serde_json::{Value, json};

use super::audited;
use crate::support::{config, patch_op, ready, server_over};

const BASE: &str = "urn:example:Thing";
const EXTENSION: &str = "urn:example:ext:Thing";

/// Small random numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn chance(&mut self) -> bool {
        self.below(2) == 0
    }

    /// An attribute, most often one that is not secret.
    fn attribute(&mut self, name: String, nested: bool) -> Attribute {
        let mut attribute = match self.below(if nested { 1 } else { 3 }) {
            0 => Attribute::string(name),
            1 => Attribute::complex(
                name,
                (0..3).map(|n| self.attribute(format!("s{n}"), true)).collect::<Vec<_>>(),
            ),
            _ => {
                // Its values are told apart by `value`, as members are.
                let value = Attribute::string("value").mutability(Mutability::Immutable);
                Attribute::complex(name, vec![value, self.attribute("s0".into(), true)]).multi_valued()
            }
        };
        attribute.multi_valued |= !nested && self.chance();
        match self.below(if nested { 3 } else { 6 }) {
            0 if attribute.sub_attribute("value").is_none() => attribute.returned(Returned::Never),
            1 if attribute.sub_attribute("value").is_none() => attribute.mutability(Mutability::WriteOnly),
            2 if nested => Attribute { name: "Password".into(), ..attribute },
            _ => attribute,
        }
    }

    fn schema(&mut self, id: &str) -> Schema {
        // Of members the store tells who went and came.
        let name = |n| if n == 4 { "members".to_owned() } else { format!("a{n}") };
        let mut attributes: Vec<_> = (0..5).map(|n| self.attribute(name(n), false)).collect();
        for attribute in &mut attributes {
            let mut names = std::collections::HashSet::new();
            attribute.sub_attributes.retain(|sub| names.insert(sub.name.clone()));
        }
        Schema { id: id.to_owned(), name: "Thing".to_owned(), description: String::new(), attributes }
    }

    fn text(&mut self, secret: bool) -> Value {
        let number = self.below(3);
        if secret { json!(format!("s3cret {number}")) } else { json!(format!("value {number}")) }
    }

    fn one(&mut self, attribute: &Attribute, secret: bool) -> Value {
        if attribute.sub_attributes.is_empty() {
            return self.text(secret);
        }
        let mut object = serde_json::Map::new();
        for sub in &attribute.sub_attributes {
            if sub.name == "value" || self.chance() {
                object.insert(sub.name.clone(), self.text(secret || is_secret(sub)));
            }
        }
        object.into()
    }

    fn value(&mut self, attribute: &Attribute) -> Value {
        let secret = is_secret(attribute);
        if !attribute.multi_valued {
            return self.one(attribute, secret);
        }
        let number = self.below(4);
        (0..number).map(|_| self.one(attribute, secret)).collect()
    }

    fn values(&mut self, schema: &Schema) -> serde_json::Map<String, Value> {
        let mut object = serde_json::Map::new();
        for attribute in &schema.attributes {
            if self.chance() {
                object.insert(attribute.name.clone(), self.value(attribute));
            }
        }
        object
    }

    fn body(&mut self, base: &Schema, extension: &Schema) -> Value {
        let mut body = self.values(base);
        body.insert("schemas".into(), json!([BASE, EXTENSION]));
        if self.chance() {
            body.insert(EXTENSION.into(), self.values(extension).into());
        }
        body.into()
    }

    fn operation(&mut self, base: &Schema, extension: &Schema) -> Value {
        let (schema, prefix) =
            if self.chance() { (base, String::new()) } else { (extension, format!("{EXTENSION}:")) };
        let attribute = &schema.attributes[self.below(5) as usize];
        let op = ["add", "replace", "remove"][self.below(3) as usize];
        let (mut path, mut value) = (format!("{prefix}{}", attribute.name), self.value(attribute));
        match attribute.sub_attributes.first() {
            Some(sub) if self.chance() => {
                if attribute.multi_valued {
                    path = format!("{path}[{} eq {}]", sub.name, self.text(false));
                } else {
                    path = format!("{path}.{}", sub.name);
                    value = self.text(is_secret(attribute) || is_secret(sub));
                }
            }
            _ => {}
        }
        if op == "remove" {
            json!({"op": op, "path": path})
        } else {
            json!({"op": op, "path": path, "value": value})
        }
    }
}

fn is_secret(attribute: &Attribute) -> bool {
    attribute.returned == Returned::Never
        || attribute.mutability == Mutability::WriteOnly
        || attribute.name == "Password"
}

/// What of a resource is no secret: by attribute, those of the extension with its URI before them.
type Known = BTreeMap<String, Value>;

fn known(resource: &Value, schema: &ResourceSchema) -> Known {
    let mut known = Known::new();
    let Some(object) = resource.as_object() else { return known };
    for (name, value) in object.iter().filter(|(name, _)| !["id", "meta"].contains(&name.as_str())) {
        if name == EXTENSION {
            for (sub, value) in value.as_object().unwrap() {
                let attribute = schema.find(Some(EXTENSION), sub).unwrap();
                known.extend(shown(attribute, value).map(|value| (format!("{EXTENSION}:{sub}"), value)));
            }
        } else {
            let attribute = schema.find(None, name).unwrap();
            known.extend(shown(attribute, value).map(|value| (name.clone(), value)));
        }
    }
    known
}

/// A value without secrets, elements that have a `value` in the order of it.
fn shown(attribute: &Attribute, value: &Value) -> Option<Value> {
    if is_secret(attribute) {
        return None;
    }
    let part = |value: &Value| match value {
        Value::Object(object) => {
            let shown = |name: &str| attribute.sub_attribute(name).is_some_and(|sub| !is_secret(sub));
            object.iter().filter(|(name, _)| shown(name)).map(|(k, v)| (k.clone(), v.clone())).collect()
        }
        simple => simple.clone(),
    };
    Some(match value {
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(part).collect();
            if scim_core::patch::keyed(attribute) {
                elements.sort_by_key(|element| element["value"].to_string());
            }
            elements.into()
        }
        value => part(value),
    })
}

/// Makes the changes of `record` on what is known of a resource.
fn apply(record: &Record, schema: &ResourceSchema, known: &mut Known) {
    for change in &record.changes {
        let attribute = schema.find(change.extension.as_deref(), &change.attribute).unwrap();
        let name = match &change.extension {
            Some(uri) => format!("{uri}:{}", change.attribute),
            None => change.attribute.to_string(),
        };
        let json = |value: &scim_core::Value| serde_json::to_value(value).unwrap();
        let after = match &change.changed {
            Changed::Value { before, after } => {
                let before = before.as_ref().and_then(|before| shown(attribute, &json(before)));
                assert_eq!(before.as_ref(), known.get(&name), "{name} before {record:?}");
                after.as_ref().map(json)
            }
            Changed::Elements { replaced, removed, removed_count, added, added_count } => {
                let hidden = removed.iter().any(|gone| &**gone == "[redacted]");
                assert!(hidden || *removed_count == removed.len(), "{record:?}");
                assert_eq!(*added_count, added.len(), "{record:?}");
                let there = known.get(&name).and_then(Value::as_array).cloned().unwrap_or_default();
                let mut elements = if *replaced { Vec::new() } else { there };
                elements.retain(|element| !removed.iter().any(|gone| element["value"] == **gone));
                for element in added {
                    let element = json(element);
                    if !elements.iter().any(|there| there["value"] == element["value"]) {
                        elements.push(element);
                    }
                }
                (!elements.is_empty()).then(|| elements.into())
            }
        };
        known.remove(&name);
        known.extend(after.and_then(|after| shown(attribute, &after)).map(|after| (name, after)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    /// What a record says became different is what became different, and no secret is in it.
    #[test]
    fn a_record_is_the_change_without_its_secrets(seed in 1..u64::MAX) {
        let random = &mut Random(seed);
        let (base, extension) = (random.schema(BASE), random.schema(EXTENSION));
        let kind = ResourceType {
            name: "Thing".to_owned(),
            description: String::new(),
            endpoint: "/Things".to_owned(),
            schema: BASE.to_owned(),
            schema_extensions: vec![SchemaExtension { schema: EXTENSION.to_owned(), required: false }],
        };
        let registry = Registry::new(vec![base.clone(), extension.clone()], vec![kind]).unwrap();
        let config = Config { check_members: false, registry, ..config() };
        let schema = config.registry.by_name("Thing").unwrap().clone();
        let store = MemoryStore::new();
        let (server, kept) = audited(server_over(store.clone(), config));
        let (tenant, id) = (TenantId::new("acme"), ResourceId::new("id-1"));
        let scope = Scope { tenant: &tenant, schema: &schema };
        let stored = || {
            let resource = ready(store.read(scope, &id, &Projection::default())).unwrap();
            resource.map_or(Value::Null, |resource| serde_json::to_value(&resource.0).unwrap())
        };
        let body = random.body(&base, &extension);
        prop_assert_eq!(server.post("/Things", body).status, 201);
        let mut current = Value::Null;
        for last in [false, false, false, false, false, false, true] {
            let now = stored();
            let mut known_now = known(&current, &schema);
            let records = kept.take();
            let text = serde_json::to_string(&records).unwrap();
            prop_assert!(!text.contains("s3cret"), "{}", text);
            let made = |record: &&Record| record.effect != Effect::Refused;
            let of_changes: Vec<_> = records.iter().filter(made).collect();
            // The version tells whether anything changed.
            prop_assert_eq!(of_changes.len(), usize::from(now["meta"]["version"] != current["meta"]["version"]));
            if let Some(record) = of_changes.first() {
                apply(record, &schema, &mut known_now);
            }
            prop_assert_eq!(known_now, known(&now, &schema), "{}", text);
            current = now;
            if last {
                server.delete("/Things/id-1");
            } else if random.chance() {
                server.put("/Things/id-1", random.body(&base, &extension));
            } else {
                let operations: Vec<_> = (0..3).map(|_| random.operation(&base, &extension)).collect();
                server.send("PATCH", "/Things/id-1", Some(patch_op(operations.into())));
            }
        }
        let records = kept.take();
        prop_assert_eq!(records[0].effect, Effect::Deleted);
        let text = serde_json::to_string(&records).unwrap();
        prop_assert!(!text.contains("s3cret"), "{}", text);
    }
}
