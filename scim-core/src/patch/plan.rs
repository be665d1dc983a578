//! Steps run on what a resource holds: the rules of RFC 7644 §3.5.2.1 to §3.5.2.3.
//!
//! The resource is read where a step needs it and never changed: each attribute that a step
//! touches gets a [`Slot`], and what became of the slots is the change.

use std::collections::HashSet;

use scim_filter::AttrName;

use super::at::At;
use super::element::{self, Forbidden};
use super::fold::Fold;
use super::select::Selection;
use super::slot::{Outcome, Slot, State};
use super::step::{Action, Step, Subject};
use super::target::Target;
use super::values::{Budget, Failure, Values, weight};
use super::{Change, PatchRequest, Plan, Write, needs, refuse};
use crate::error::quote;
use crate::leniency::{Leniencies, Leniency};
use crate::schema::{Attribute, Mutability, ResourceSchema};
use crate::value::{Object, Value};
use crate::{Error, Resource, ScimType};

/// Runs the steps of `request` on what `current` holds.
pub(super) fn plan(
    request: &PatchRequest,
    schema: &ResourceSchema,
    current: &Resource,
) -> Result<Plan, Error> {
    let mut draft = Draft {
        schema,
        current,
        request,
        leniencies: &request.leniencies,
        fired: request.fired.clone(),
        slots: Vec::new(),
        budget: Budget::default(),
    };
    for step in &request.steps {
        draft.step(step)?;
    }
    let Draft { fired, slots, .. } = draft;
    let mut change = Change::default();
    for slot in slots {
        let (at, attribute, extension) = (slot.at, slot.attribute, slot.extension.clone());
        let refused = |forbidden: Forbidden| {
            refuse(ScimType::Mutability, at, forbidden.of(extension.as_ref(), &attribute.name))
        };
        match slot.finish().map_err(refused)? {
            Outcome::Same => {}
            Outcome::Write(write) => change.writes.push(write),
            Outcome::Delta(delta) => change.deltas.push(delta),
        }
    }
    let mut resource = current.clone();
    change.writes.iter().for_each(|write| {
        super::apply::put(write, &mut resource);
    });
    if let Some(write) = schemas(schema, &change, &resource) {
        super::apply::put(&write, &mut resource);
        change.writes.push(write);
    }
    for delta in &change.deltas {
        // If it is not there and was not asked for, it may be empty or not loaded.
        if resource.0.contains(&delta.attribute) || request.reads(&delta.attribute) {
            super::apply::put_delta(delta, &mut resource);
        }
    }
    Ok(Plan { change, resource, leniencies: fired })
}

/// `schemas`, if the extensions that `change` writes to came or went (RFC 7644 §3.5.2).
fn schemas(schema: &ResourceSchema, change: &Change, resource: &Resource) -> Option<Write> {
    let listed = resource.get("schemas").map(Value::values).unwrap_or_default();
    let mut uris: Vec<Value> = listed.to_vec();
    if uris.is_empty() {
        uris.push(Value::from(schema.base().id.as_str()));
    }
    let is =
        |uri: &Value, extension: &str| uri.as_str().is_some_and(|uri| uri.eq_ignore_ascii_case(extension));
    let mut differs = false;
    for extension in change.writes.iter().filter_map(|write| write.extension.as_deref()) {
        let known = uris.iter().any(|uri| is(uri, extension));
        let used =
            resource.get(extension).and_then(Value::as_object).is_some_and(|object| !object.is_empty());
        if used && !known {
            uris.push(Value::from(extension));
        } else if !used && known {
            uris.retain(|uri| !is(uri, extension));
        }
        differs |= used != known;
    }
    differs.then(|| Write { extension: None, attribute: "schemas".into(), value: Some(Value::Array(uris)) })
}

/// The attributes touched so far.
struct Draft<'r> {
    schema: &'r ResourceSchema,
    current: &'r Resource,
    request: &'r PatchRequest,
    leniencies: &'r Leniencies,
    fired: Vec<Leniency>,
    slots: Vec<Slot<'r>>,
    budget: Budget,
}

/// Why a step fails, still without its place.
enum Refused {
    Failure(Failure),
    NoTarget,
    NoTargetWithout(Leniency),
    Ambiguous,
    OtherId,
}

impl<F: Into<Failure>> From<F> for Refused {
    fn from(failure: F) -> Self {
        Self::Failure(failure.into())
    }
}

impl<'r> Draft<'r> {
    fn step(&mut self, step: &'r Step) -> Result<(), Error> {
        match &step.subject {
            Subject::Extension(_, targets) => {
                for target in targets {
                    let uri = target.extension.as_ref();
                    let found = self.schema.find(uri.map(AttrName::as_str), target.attribute.as_str());
                    let Some(attribute) = found else { continue };
                    let had = self.held(uri, attribute).is_some();
                    if had || self.slots.iter().any(|slot| slot.is_for(target)) {
                        if attribute.mutability == Mutability::ReadOnly {
                            let name = element::named(uri, &attribute.name, None);
                            let what = format_args!("{name} cannot be removed");
                            return Err(refuse(ScimType::Mutability, &step.at, what));
                        }
                        self.run(target, &step.action, &step.at)
                            .map_err(|refused| described(refused, &step.at, target))?;
                    }
                }
                Ok(())
            }
            Subject::Attribute(target) => self
                .run(target, &step.action, &step.at)
                .map_err(|refused| described(refused, &step.at, target)),
        }
    }

    fn run(&mut self, target: &'r Target, action: &'r Action, at: &'r At) -> Result<(), Refused> {
        if let Action::SameId(value) = action {
            let same = self.current.get("id").is_none_or(|id| id == value);
            return if same { Ok(()) } else { Err(Refused::OtherId) };
        }
        let Some(index) = self.slot(target, at) else {
            return Ok(());
        };
        let Some(slot) = self.slots.get_mut(index) else {
            return Ok(());
        };
        let attribute = slot.attribute;
        let sub = target.sub.as_ref().and_then(|sub| attribute.sub_attribute(sub.as_str()));
        match &mut slot.state {
            State::Keyed(fold) => {
                folded(fold, target, action);
                Ok(())
            }
            State::Single(now) => match sub {
                Some(sub) => {
                    let present = now.as_ref().and_then(|now| now.get(&sub.name));
                    self.budget.charge(present.map_or(0, |present| weight(present.values())))?;
                    Ok(single_sub(now, sub, action)?)
                }
                None => Ok(single(now, attribute, action)?),
            },
            State::Many(values) => {
                let mut many = Many {
                    values,
                    attribute,
                    budget: &mut self.budget,
                    leniencies: self.leniencies,
                    fired: &mut self.fired,
                };
                many.run(target, sub, action)
            }
        }
    }

    /// What the resource holds of `attribute`.
    fn held(&self, extension: Option<&AttrName>, attribute: &Attribute) -> Option<&'r Value> {
        let object = match extension {
            None => &self.current.0,
            Some(uri) => self.current.get(uri.as_str())?.as_object()?,
        };
        object.get(&attribute.name).filter(|value| !value.is_unassigned())
    }

    /// The index of the target's slot, made when it is first needed; `None` only for a schema that
    /// is not the one the request was parsed with.
    fn slot(&mut self, target: &Target, at: &'r At) -> Option<usize> {
        if let Some(index) = self.slots.iter().position(|slot| slot.is_for(target)) {
            let slot = self.slots.get_mut(index)?;
            slot.at = at;
            return Some(index);
        }
        let extension = target.extension.as_ref();
        let attribute = self.schema.find(extension.map(AttrName::as_str), target.attribute.as_str())?;
        let before = self.held(extension, attribute);
        let state = if target.keyed && !self.request.reads(target.attribute.as_str()) {
            State::Keyed(Fold::new(attribute))
        } else if attribute.multi_valued {
            self.budget.grow(before.map(Value::values).unwrap_or_default());
            State::Many(Values::new(attribute, extension.is_some(), before))
        } else {
            State::Single(before.cloned())
        };
        self.slots.push(Slot { extension: extension.cloned(), attribute, before, at, state });
        Some(self.slots.len() - 1)
    }
}

impl Slot<'_> {
    fn is_for(&self, target: &Target) -> bool {
        self.attribute.name == target.attribute.as_str() && self.extension == target.extension
    }
}

/// Runs an action on a keyed attribute without its values.
fn folded<'r>(fold: &mut Fold<'r>, target: &'r Target, action: &'r Action) {
    match action {
        Action::Add(values) => values.iter().for_each(|value| fold.add(value)),
        Action::Replace(values) => {
            fold.clear();
            values.iter().for_each(|value| fold.add(value));
        }
        Action::RemoveListed(values) => {
            values.iter().filter_map(element::key).for_each(|key| fold.remove(key));
        }
        Action::Remove | Action::Unassign => match target.selection.as_ref().map(Selection::only_keys) {
            None => fold.clear(),
            Some(keys) => keys.unwrap_or_default().iter().for_each(|key| fold.remove(key)),
        },
        // These look at values, so the attribute is not folded.
        Action::Set(_) | Action::Merge { .. } | Action::Put(_) | Action::SameId(_) => {}
    }
}

/// Runs an action on a single value.
fn single(now: &mut Option<Value>, attribute: &Attribute, action: &Action) -> Result<(), Forbidden> {
    match action {
        Action::Set(value) | Action::Put(value) => *now = Some(value.clone()),
        Action::Merge { set, clear } => {
            let mut object = match now.take() {
                Some(Value::Object(object)) => object,
                _ => Object::new(),
            };
            for (name, value) in set.iter() {
                object.insert(name.clone(), value.clone());
            }
            for sub in element::definitions(attribute, clear) {
                if let Some(present) = object.get(&sub.name) {
                    element::required(sub, present)?;
                    object.remove(&sub.name);
                }
            }
            *now = (!object.is_empty()).then_some(Value::Object(object));
            if now.is_none() {
                required(attribute, !clear.is_empty())?;
            }
        }
        Action::Remove | Action::Unassign | Action::RemoveListed(_) => {
            required(attribute, now.is_some())?;
            *now = None;
        }
        Action::Add(_) | Action::Replace(_) | Action::SameId(_) => {}
    }
    Ok(())
}

/// Runs an action on a sub-attribute of a single value. What is immutable is compared in the end.
fn single_sub(now: &mut Option<Value>, sub: &Attribute, action: &Action) -> Result<(), Forbidden> {
    let mut object = match now.take() {
        Some(Value::Object(object)) => object,
        _ => Object::new(),
    };
    match sub_value(object.get(&sub.name), action) {
        Some(value) => {
            object.insert(sub.name.as_str(), value);
        }
        None => {
            if let Some(present) = object.get(&sub.name) {
                element::required(sub, present)?;
                object.remove(&sub.name);
            }
        }
    }
    *now = (!object.is_empty()).then_some(Value::Object(object));
    Ok(())
}

/// What becomes of a sub-attribute.
fn sub_value(present: Option<&Value>, action: &Action) -> Option<Value> {
    let values = || present.map(Value::values).unwrap_or_default();
    match action {
        Action::Set(value) | Action::Put(value) => Some(value.clone()),
        Action::Merge { .. } | Action::SameId(_) => present.cloned(),
        Action::Remove | Action::Unassign => None,
        Action::Replace(new) => some_array(distinct(new.iter())),
        Action::Add(new) => some_array(distinct(values().iter().chain(new))),
        Action::RemoveListed(listed) => {
            let listed: HashSet<String> = listed.iter().map(Value::to_string).collect();
            let kept = values().iter().filter(|value| !listed.contains(&value.to_string()));
            some_array(kept.cloned().collect())
        }
    }
}

fn distinct<'v>(values: impl Iterator<Item = &'v Value>) -> Vec<Value> {
    let mut seen = HashSet::new();
    values.filter(|value| seen.insert(value.to_string())).cloned().collect()
}

fn some_array(values: Vec<Value>) -> Option<Value> {
    (!values.is_empty()).then_some(Value::Array(values))
}

/// A multi-valued attribute with what running an action on it takes.
struct Many<'m, 'r> {
    values: &'m mut Values<'r>,
    attribute: &'r Attribute,
    budget: &'m mut Budget,
    leniencies: &'m Leniencies,
    fired: &'m mut Vec<Leniency>,
}

impl Many<'_, '_> {
    fn run(&mut self, target: &Target, sub: Option<&Attribute>, action: &Action) -> Result<(), Refused> {
        match (&target.selection, sub) {
            (None, None) => self.all(action),
            (None, Some(sub)) => self.sub_of_all(sub, action),
            (Some(selection), _) => self.selected(selection, sub, action),
        }
    }

    fn all(&mut self, action: &Action) -> Result<(), Refused> {
        match action {
            Action::Add(values) => self.values.add(values, self.budget)?,
            Action::Replace(values) => {
                self.values.clear();
                self.values.add(values, self.budget)?;
                self.required(true)?;
            }
            Action::Remove | Action::Unassign => {
                let had = self.attribute.required && !self.values.is_empty();
                self.values.clear();
                self.required(had)?;
            }
            Action::RemoveListed(listed) => self.remove_listed(None, listed)?,
            Action::Set(_) | Action::Merge { .. } | Action::Put(_) | Action::SameId(_) => {}
        }
        Ok(())
    }

    /// A sub-attribute of values that no filter tells apart.
    fn sub_of_all(&mut self, sub: &Attribute, action: &Action) -> Result<(), Refused> {
        let places = self.values.all(self.budget)?;
        if !matches!(action, Action::Remove | Action::Unassign | Action::RemoveListed(_)) {
            match places.as_slice() {
                [] => return self.make(Object::new(), Some(sub), action),
                [_] => {}
                _ => return Err(Refused::Ambiguous),
            }
        }
        self.change(&places, Some(sub), action)
    }

    fn selected(
        &mut self,
        selection: &Selection,
        sub: Option<&Attribute>,
        action: &Action,
    ) -> Result<(), Refused> {
        let places = self.values.select(selection, self.budget)?;
        if !places.is_empty() || matches!(action, Action::Remove | Action::RemoveListed(_)) {
            return self.change(&places, sub, action);
        }
        // Who is no member does not become one by being given a name.
        let template = match self.values.is_keyed() {
            true => None,
            false => selection.template(self.attribute, self.leniencies),
        };
        match template {
            Some(template) if makes_something(action) => {
                if !self.leniencies.take(Leniency::CreateMissingElement, self.fired) {
                    return Err(Refused::NoTargetWithout(Leniency::CreateMissingElement));
                }
                self.make(template, sub, action)
            }
            _ => Err(Refused::NoTarget),
        }
    }

    /// Runs an action on the values at `places`.
    fn change(&mut self, places: &[usize], sub: Option<&Attribute>, action: &Action) -> Result<(), Refused> {
        match (sub, action) {
            (None, Action::Put(value) | Action::Set(value)) => {
                self.values.replace(places, value, self.budget)?;
            }
            (None, Action::Merge { set, clear }) => {
                self.values.merge(places, set, clear, self.budget)?;
            }
            (None, Action::Remove | Action::Unassign) => {
                self.values.remove(places);
                self.required(!places.is_empty())?;
            }
            (None, Action::RemoveListed(listed)) => self.remove_listed(Some(places), listed)?,
            (Some(sub), Action::Set(value)) => {
                let set = [(sub.name.as_str(), value.clone())].into_iter().collect::<Object>();
                self.values.merge(places, &set, &[], self.budget)?;
            }
            (Some(sub), Action::Remove | Action::Unassign) => {
                let clear = [AttrName::new(&sub.name)];
                self.values.merge(places, &Object::new(), &clear, self.budget)?;
                self.required(!places.is_empty())?;
            }
            (Some(sub), action) => {
                self.values.edit(places, sub, |present| sub_value(present, action), self.budget)?;
            }
            (None, Action::Add(_) | Action::Replace(_) | Action::SameId(_)) => {}
        }
        Ok(())
    }

    /// Makes an element of `template` and what the action sets.
    fn make(
        &mut self,
        mut template: Object,
        sub: Option<&Attribute>,
        action: &Action,
    ) -> Result<(), Refused> {
        match (sub, action) {
            (Some(sub), action) => match sub_value(None, action) {
                Some(value) => {
                    template.insert(sub.name.as_str(), value);
                }
                None => return Ok(()),
            },
            (None, Action::Put(Value::Object(set)) | Action::Merge { set, .. }) => {
                for (name, value) in set.iter() {
                    template.insert(name.clone(), value.clone());
                }
            }
            (None, _) => return Ok(()),
        }
        let element = Value::Object(template);
        if self.values.is_keyed() {
            match element::key(&element) {
                Some(_) => self.values.add(&[element], self.budget)?,
                None => return Err(Refused::NoTarget),
            }
            return Ok(());
        }
        Ok(self.values.push(element, self.budget)?)
    }

    fn remove_listed(&mut self, among: Option<&[usize]>, listed: &[Value]) -> Result<(), Refused> {
        let had = self.attribute.required && !self.values.is_empty();
        self.values.remove_listed(among, listed, self.budget)?;
        Ok(self.required(had)?)
    }

    /// Refuses that a required attribute that `had` a value has none any more.
    fn required(&self, had: bool) -> Result<(), Forbidden> {
        required(self.attribute, had && self.attribute.required && self.values.is_empty())
    }
}

/// Whether the action sets anything of a value that is not there yet.
fn makes_something(action: &Action) -> bool {
    match action {
        Action::Unassign => false,
        Action::Merge { set, .. } => !set.is_empty(),
        _ => true,
    }
}

/// Refuses that a required attribute loses its last value.
fn required(attribute: &Attribute, loses: bool) -> Result<(), Forbidden> {
    if attribute.required && loses {
        return Err(Forbidden::whole("is required"));
    }
    Ok(())
}

/// The error of a refused step.
fn described(refused: Refused, at: &At, target: &Target) -> Error {
    let name = &target.attribute;
    match refused {
        Refused::Failure(Failure::Forbidden(forbidden)) => {
            refuse(ScimType::Mutability, at, forbidden.of(target.extension.as_ref(), name.as_str()))
        }
        Refused::Failure(Failure::Exhausted(_)) => {
            let what = "the operations up to here would look at too many values";
            refuse(ScimType::TooMany, at, what)
        }
        Refused::NoTarget => {
            refuse(ScimType::NoTarget, at, format_args!("no value of {} matches", quote(name.as_str())))
        }
        Refused::NoTargetWithout(leniency) => {
            let what = format_args!("no value of {} matches", quote(name.as_str()));
            needs(leniency, ScimType::NoTarget, at, what)
        }
        Refused::Ambiguous => {
            let what = format_args!("a filter has to say which value of {} is meant", quote(name.as_str()));
            refuse(ScimType::InvalidPath, at, what)
        }
        Refused::OtherId => {
            refuse(ScimType::Mutability, at, "`id` is another resource's and cannot be written")
        }
    }
}
