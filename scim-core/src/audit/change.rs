//! What a change makes different, attribute by attribute.

use std::borrow::Cow;
use std::collections::HashMap;

use scim_filter::compare::fold;

use super::redact::{REDACTED, is_secret, redact};
use crate::Resource;
use crate::audit::MembersChanged;
use crate::patch::{Change, Delta, keyed};
use crate::schema::{Attribute, ResourceSchema};
use crate::store::Modification;
use crate::value::{Object, Value};

/// One attribute that became different.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AttributeChange {
    /// The extension that has it.
    pub extension: Option<Box<str>>,
    /// The attribute.
    pub attribute: Box<str>,
    /// How it became different.
    pub changed: Changed,
    /// Whether `"[redacted]"` stands in the place of something.
    pub redacted: bool,
}

/// How an attribute became different.
#[derive(Clone, Debug, PartialEq)]
pub enum Changed {
    /// It has another value as a whole.
    Value {
        /// What it was; `None` for no value.
        before: Option<Value>,
        /// What it is.
        after: Option<Value>,
    },
    /// Of its many values some went, and then some came.
    Elements {
        /// Whether all that were there went.
        replaced: bool,
        /// The `value`s of those that went; of more than were named by anybody the first.
        removed: Vec<Box<str>>,
        /// How many went.
        removed_count: usize,
        /// Those that came.
        added: Vec<Value>,
        /// How many came.
        added_count: usize,
    },
}

/// A value as it is shown.
pub(super) struct Shown {
    pub(super) value: Value,
    pub(super) redacted: bool,
}

/// What `modification` makes different in `before`, without the values of keyed attributes that it does not
/// name. Takes time linear in what it names, and where that is a whole resource, in both.
pub(crate) fn changes(
    schema: &ResourceSchema,
    modification: &Modification<'_>,
    before: Option<&Resource>,
) -> Vec<AttributeChange> {
    let nothing = Resource::default();
    let before = before.unwrap_or(&nothing);
    let mut found = Found { schema, changes: Vec::new() };
    match modification {
        Modification::Create { resource, .. } => found.resources(&nothing, resource),
        Modification::Replace { resource, .. } => found.resources(before, resource),
        Modification::Apply { update, .. } => found.change(before, update.change),
        Modification::Delete { .. } => found.deletion(before),
    }
    found.changes
}

struct Found<'s> {
    schema: &'s ResourceSchema,
    changes: Vec<AttributeChange>,
}

impl Found<'_> {
    /// What differs between two resources.
    fn resources(&mut self, before: &Resource, after: &Resource) {
        for (name, before, after) in before.0.differences(&after.0) {
            if OWN.iter().any(|own| name.eq_ignore_ascii_case(own)) {
                continue;
            }
            match self.schema.find(None, name).filter(|attribute| keyed(attribute)) {
                Some(attribute) => self.elements(attribute, before, after),
                None => self.attribute(name, before, after),
            }
        }
    }

    /// What goes with a resource: everything, but the keyed attributes need not have been read.
    fn deletion(&mut self, before: &Resource) {
        for (name, value) in before.0.iter() {
            let name = name.as_str();
            let unread = self.schema.find(None, name).is_some_and(keyed);
            if !unread && !OWN.iter().any(|own| name.eq_ignore_ascii_case(own)) {
                self.attribute(name, Some(value), None);
            }
        }
    }

    /// What a change makes different.
    fn change(&mut self, before: &Resource, change: &Change) {
        for write in &change.writes {
            match &write.extension {
                None => {
                    self.value(None, &write.attribute, before.get(&write.attribute), write.value.as_ref())
                }
                Some(uri) => {
                    let object = before.get(uri).and_then(Value::as_object);
                    let current = object.and_then(|object| object.get(&write.attribute));
                    self.value(Some(uri), &write.attribute, current, write.value.as_ref());
                }
            }
        }
        for delta in &change.deltas {
            self.delta(delta, delta.removed.len());
        }
    }

    /// A top-level attribute, or an extension with attributes of its own.
    fn attribute(&mut self, name: &str, before: Option<&Value>, after: Option<&Value>) {
        let objects = (before.map(Value::as_object), after.map(Value::as_object));
        let Some(uri) = scim_filter::Schema::extension(self.schema, name) else {
            return self.value(None, name, before, after);
        };
        let nothing = Object::new();
        // A value of an extension that is no object has no attributes to tell apart.
        let (Some(before), Some(after)) =
            (objects.0.unwrap_or(Some(&nothing)), objects.1.unwrap_or(Some(&nothing)))
        else {
            return self.value(Some(uri), "", before, after);
        };
        for (sub, before, after) in before.differences(after) {
            self.value(Some(uri), sub, before, after);
        }
    }

    fn value(&mut self, extension: Option<&str>, name: &str, before: Option<&Value>, after: Option<&Value>) {
        if before == after {
            return;
        }
        let attribute = self.schema.find(extension, name);
        let shown = |value: &Value| redact(attribute, name, value);
        let (before, after) = (before.map(shown), after.map(shown));
        let redacted = [&before, &after].into_iter().flatten().any(|shown| shown.redacted);
        let value = |shown: Option<Shown>| shown.map(|shown| shown.value);
        let changed = Changed::Value { before: value(before), after: value(after) };
        self.push(extension, name, changed, redacted);
    }

    /// The values that a delta names; more may go, `removed_count` in all.
    fn delta(&mut self, delta: &Delta, removed_count: usize) {
        let attribute = self.schema.find(None, &delta.attribute);
        let Some(shown) = attribute.filter(|attribute| !is_secret(attribute, &delta.attribute)) else {
            let hidden = || Some(Value::from(REDACTED));
            return self.push(
                None,
                &delta.attribute,
                Changed::Value { before: hidden(), after: hidden() },
                true,
            );
        };
        let mut redacted = false;
        let hides_value = shown.sub_attribute("value").is_none_or(|value| is_secret(value, "value"));
        let removed = match hides_value && !delta.removed.is_empty() {
            true => {
                redacted = true;
                vec![REDACTED.into()]
            }
            false => delta.removed.clone(),
        };
        let element = |element: &Value| {
            let shown = redact(attribute, &delta.attribute, element);
            redacted |= shown.redacted;
            shown.value
        };
        let added: Vec<_> = delta.added.iter().map(element).collect();
        let (replaced, added_count) = (delta.replace, added.len());
        let changed = Changed::Elements { replaced, removed, removed_count, added, added_count };
        self.push(None, &delta.attribute, changed, redacted);
    }

    /// A keyed attribute of which both sides are there: what went, of many the first, and what came.
    fn elements(&mut self, attribute: &Attribute, before: Option<&Value>, after: Option<&Value>) {
        let (before, after) = (elements(before), elements(after));
        let mut delta = Delta { attribute: attribute.name.as_str().into(), ..Delta::default() };
        let mut removed_count = 0;
        match (by_value(attribute, before), by_value(attribute, after)) {
            (Some(mut gone), Some(_)) => {
                for element in after {
                    let value = value_of(attribute, element).unwrap_or_default();
                    match gone.get(&value) {
                        Some(same) if *same == element => drop(gone.remove(&value)),
                        _ => delta.added.push(element.clone()),
                    }
                }
                let went = |element: &&Value| {
                    value_of(attribute, element).is_some_and(|value| gone.contains_key(&value))
                };
                let text = |element: &Value| Some(element.get("value")?.as_str()?.into());
                removed_count = gone.len();
                delta.removed =
                    before.iter().filter(went).filter_map(text).take(MembersChanged::MOST).collect();
            }
            // Values that cannot be told apart: all of them went.
            _ => {
                delta.replace = true;
                delta.added = after.to_vec();
            }
        }
        if delta.replace || !delta.removed.is_empty() || !delta.added.is_empty() {
            self.delta(&delta, removed_count);
        }
    }

    fn push(&mut self, extension: Option<&str>, attribute: &str, changed: Changed, redacted: bool) {
        // The name as the schema spells it.
        let attribute = self.schema.find(extension, attribute).map_or(attribute, |found| &found.name);
        let extension = extension.map(Into::into);
        self.changes.push(AttributeChange { extension, attribute: attribute.into(), changed, redacted });
    }
}

fn elements(value: Option<&Value>) -> &[Value] {
    value.map(Value::values).unwrap_or_default()
}

/// The elements by their `value`; `None` if one has none, or two have the same.
fn by_value<'v>(attribute: &Attribute, elements: &'v [Value]) -> Option<HashMap<Cow<'v, str>, &'v Value>> {
    let mut found = HashMap::with_capacity(elements.len());
    for element in elements {
        if found.insert(value_of(attribute, element)?, element).is_some() {
            return None;
        }
    }
    Some(found)
}

/// The `value` of an element, by which it is told apart.
fn value_of<'v>(attribute: &Attribute, element: &'v Value) -> Option<Cow<'v, str>> {
    let value = element.get("value")?.as_str()?;
    let exact = attribute.sub_attribute("value").is_some_and(|value| value.case_exact);
    Some(if exact { value.into() } else { fold(value) })
}

/// What is no change of a client's.
const OWN: [&str; 2] = ["id", "meta"];
