//! The values of a multi-valued attribute while operations run on them.

use std::borrow::Cow;
use std::collections::HashMap;

use scim_filter::AttrName;

use super::element::{self, Forbidden};
use super::fold::{folded, ignores_case};
use super::select::Selection;
use super::{Delta, keyed};
use crate::schema::{Attribute, Mutability};
use crate::value::{Object, Value};

/// The values of a multi-valued attribute while operations run on them.
///
/// A removed value leaves a gap, so that places stay valid, and values are found by what makes
/// them the same in a hash map that is built when first needed: adding k values to n takes
/// O(n + k), not O(n · k).
pub(super) struct Values<'r> {
    attribute: &'r Attribute,
    before: &'r [Value],
    // INVARIANT: until `cleared`, the first `before.len()` places are those of `before`.
    elements: Vec<Option<Value>>,
    // By identity. For a keyed attribute also what was removed, which may come back as it was.
    index: Option<HashMap<Box<str>, usize>>,
    keyed: bool,
    cleared: bool,
}

/// How many comparisons one request may still cost; charged before they are made. One with a long
/// text counts as several.
///
/// A request whose every operation selects among many values by filter would take the product
/// of the two. The budget is a million, which is far above what a real request needs, and a few
/// comparisons for each value, so that one operation on a very large attribute is always possible.
pub(super) struct Budget(usize);

/// The budget is used up.
#[derive(Debug)]
pub(super) struct Exhausted;

/// Why an operation on values fails.
#[derive(Debug)]
pub(super) enum Failure {
    Forbidden(Forbidden),
    Exhausted(Exhausted),
}

impl Default for Budget {
    fn default() -> Self {
        Self(1_000_000)
    }
}

impl Budget {
    /// Allows for looking at `values` a few times.
    pub(super) fn grow(&mut self, values: &[Value]) {
        const EACH: usize = 16;
        self.0 = self.0.saturating_add(weight(values).saturating_mul(EACH));
    }

    /// Charges for `value` being copied to `places` values, so that a long text that goes to many
    /// of them does not take the product of the two in memory.
    fn charge_copies(&mut self, places: usize, value: &Value) -> Result<(), Exhausted> {
        if places <= 1 {
            return Ok(());
        }
        let (nodes, texts) = size(value);
        self.charge(nodes.saturating_add(texts).saturating_mul(places))
    }

    pub(super) fn charge(&mut self, cost: usize) -> Result<(), Exhausted> {
        self.0 = self.0.checked_sub(cost).ok_or(Exhausted)?;
        Ok(())
    }
}

/// What it costs to look at each of `values` once.
pub(super) fn weight<'v>(values: impl IntoIterator<Item = &'v Value>) -> usize {
    values.into_iter().map(|value| size(value).1.saturating_add(1)).fold(0, usize::saturating_add)
}

/// How many values `value` is made of, and how many units of text.
fn size(value: &Value) -> (usize, usize) {
    const BYTES_A_UNIT: usize = 64;
    let (mut nodes, mut texts) = (0, 0);
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => texts += text.len() / BYTES_A_UNIT,
            Value::Array(elements) => open.extend(elements),
            Value::Object(object) => open.extend(object.iter().map(|(_, value)| value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        nodes += 1;
    }
    (nodes, texts)
}

impl From<Forbidden> for Failure {
    fn from(forbidden: Forbidden) -> Self {
        Self::Forbidden(forbidden)
    }
}

impl From<Exhausted> for Failure {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

impl<'r> Values<'r> {
    pub(super) fn new(attribute: &'r Attribute, in_extension: bool, before: Option<&'r Value>) -> Self {
        let before = match before {
            None | Some(Value::Null) => &[],
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
        };
        Self {
            attribute,
            before,
            elements: before.iter().cloned().map(Some).collect(),
            index: None,
            keyed: !in_extension && keyed(attribute),
            cleared: false,
        }
    }

    /// Whether the values are identified by their `value`.
    pub(super) fn is_keyed(&self) -> bool {
        self.keyed
    }

    /// Whether no value is left.
    pub(super) fn is_empty(&self) -> bool {
        self.elements.iter().all(Option::is_none)
    }

    /// The places of the values there are.
    pub(super) fn all(&self, budget: &mut Budget) -> Result<Vec<usize>, Exhausted> {
        budget.charge(self.elements.len())?;
        Ok(self.places())
    }

    fn places(&self) -> Vec<usize> {
        (0..self.elements.len()).filter(|place| self.at(*place).is_some()).collect()
    }

    /// The places of the values `selection` matches.
    pub(super) fn select(
        &mut self,
        selection: &Selection,
        budget: &mut Budget,
    ) -> Result<Vec<usize>, Exhausted> {
        let mut places = match &selection.keys {
            Some(keys) => self.with_keys(keys.iter().map(|key| &**key), budget)?,
            None => self.all(budget)?,
        };
        if selection.filter.is_some() {
            let selected = places.iter().filter_map(|place| self.at(*place));
            budget.charge(weight(selected).saturating_mul(selection.cost))?;
        }
        places.retain(|place| self.at(*place).is_some_and(|element| selection.matches(element)));
        Ok(places)
    }

    /// The places of the values of a keyed attribute that have one of `keys`.
    fn with_keys<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k str>,
        budget: &mut Budget,
    ) -> Result<Vec<usize>, Exhausted> {
        self.build_index(budget)?;
        let ignore_case = ignores_case(self.attribute);
        let index = self.index.as_ref();
        let mut places: Vec<usize> =
            keys.filter_map(|key| index?.get(folded(key, ignore_case).as_ref()).copied()).collect();
        places.retain(|place| self.at(*place).is_some());
        places.sort_unstable();
        places.dedup();
        Ok(places)
    }

    /// Adds `values`; one that is there already is not added again but takes what is new of the
    /// other sub-attributes.
    pub(super) fn add(&mut self, values: &[Value], budget: &mut Budget) -> Result<(), Failure> {
        if values.is_empty() {
            return Ok(());
        }
        self.build_index(budget)?;
        let mut places = Vec::with_capacity(values.len());
        for value in values {
            let identity = self.identity(value).into_owned();
            let place = self.index.as_ref().and_then(|index| index.get(identity.as_str()).copied());
            match place {
                Some(place) => self.add_present(place, value)?,
                None => {
                    if let Some(index) = &mut self.index {
                        index.insert(identity.into(), self.elements.len());
                    }
                    self.elements.push(Some(value.clone()));
                }
            }
            places.push(place.unwrap_or(self.elements.len().saturating_sub(1)));
        }
        let newest = values.iter().zip(&places).rev().find(|(value, _)| element::is_primary(value));
        let newest = newest.map(|(_, place)| *place);
        Ok(self.demote_others(newest, budget)?)
    }

    /// Adds one value whether or not it is there.
    pub(super) fn push(&mut self, value: Value, budget: &mut Budget) -> Result<(), Exhausted> {
        let primary = element::is_primary(&value);
        self.elements.push(Some(value));
        self.index = None;
        self.demote_others(primary.then(|| self.elements.len() - 1), budget)
    }

    /// Removes all values.
    pub(super) fn clear(&mut self) {
        self.elements.clear();
        self.index = None;
        self.cleared = true;
    }

    /// Removes the values at `places`.
    pub(super) fn remove(&mut self, places: &[usize]) {
        for place in places {
            if let Some(element) = self.elements.get_mut(*place) {
                *element = None;
            }
        }
        if !self.keyed && !places.is_empty() {
            self.index = None;
        }
    }

    /// Removes the values that one of `listed` names; with `among`, those at these places.
    ///
    /// A value is named by its `value` and, where given and the attribute is not keyed, its
    /// `type`; without a `value`, by everything given.
    pub(super) fn remove_listed(
        &mut self,
        among: Option<&[usize]>,
        listed: &[Value],
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        if among.is_none() && self.keyed {
            let places = self.with_keys(listed.iter().filter_map(element::key), budget)?;
            self.remove(&places);
            return Ok(());
        }
        let all;
        let places = match among {
            Some(places) => places,
            None => {
                all = self.all(budget)?;
                &all
            }
        };
        let exact = self.attribute.sub_attribute("value").unwrap_or(self.attribute).case_exact;
        // A key says it all, and is all that a delta goes by.
        let also: &[&str] = if self.keyed { &[] } else { &["type"] };
        let (by_value, by_all): (Vec<_>, Vec<_>) =
            listed.iter().partition(|listed| element::key(listed).is_some());
        let mut wanted: HashMap<Cow<'_, str>, Vec<&Value>> = HashMap::new();
        for value in by_value {
            let key = element::key(value).unwrap_or_default();
            wanted.entry(folded(key, !exact)).or_default().push(value);
        }
        let among = places.iter().filter_map(|place| self.at(*place));
        budget.charge(weight(among).saturating_mul(by_all.len().saturating_add(1)))?;
        let mut gone = Vec::new();
        for place in places {
            let Some(present) = self.at(*place) else {
                continue;
            };
            let same_value = element::key(present).and_then(|key| wanted.get(folded(key, !exact).as_ref()));
            budget.charge(same_value.map_or(0, Vec::len))?;
            let named = same_value.is_some_and(|listed| listed.iter().any(|l| self.agrees(present, l, also)))
                || by_all.iter().any(|listed| self.agrees_in_all(present, listed));
            if named {
                gone.push(*place);
            }
        }
        self.remove(&gone);
        Ok(())
    }

    /// Puts `value` in the place of each of the values at `places`.
    pub(super) fn replace(
        &mut self,
        places: &[usize],
        value: &Value,
        budget: &mut Budget,
    ) -> Result<(), Failure> {
        budget.charge_copies(places.len(), value)?;
        for place in places {
            if let Some(Some(element)) = self.elements.get_mut(*place) {
                *element = element::replace(self.attribute, element, value)?;
            }
        }
        self.edited();
        let newest = places.last().copied().filter(|_| element::is_primary(value));
        Ok(self.demote_others(newest, budget)?)
    }

    /// Sets and clears sub-attributes of the values at `places`. A value that loses its last
    /// sub-attribute is removed.
    pub(super) fn merge(
        &mut self,
        places: &[usize],
        set: &Object,
        clear: &[AttrName],
        budget: &mut Budget,
    ) -> Result<(), Failure> {
        for (_, value) in set.iter() {
            budget.charge_copies(places.len(), value)?;
        }
        let mut changed = false;
        for place in places {
            let Some(slot) = self.elements.get_mut(*place) else {
                continue;
            };
            let Some(Value::Object(object)) = slot else {
                continue;
            };
            changed |= merge(self.attribute, object, set)?;
            for sub in element::definitions(self.attribute, clear) {
                changed |= element::clear(object, sub)?;
            }
            if object.is_empty() {
                *slot = None;
            }
        }
        if changed {
            self.edited();
        }
        let primary = set.get("primary").and_then(Value::as_bool) == Some(true);
        Ok(self.demote_others(places.last().copied().filter(|_| primary), budget)?)
    }

    /// Changes the sub-attribute `sub`, itself of several values, of the values at `places`.
    pub(super) fn edit(
        &mut self,
        places: &[usize],
        sub: &Attribute,
        change: impl Fn(Option<&Value>) -> Option<Value>,
        budget: &mut Budget,
    ) -> Result<(), Failure> {
        // What the change brings along, it brings to a value that has nothing as well.
        budget.charge_copies(places.len(), &change(None).unwrap_or_default())?;
        for place in places {
            let Some(Some(Value::Object(object))) = self.elements.get_mut(*place) else {
                continue;
            };
            let present = object.get(&sub.name);
            budget.charge(present.map_or(0, |present| weight(present.values())))?;
            match change(present) {
                Some(value) => element::set(object, sub, value)?,
                None => element::clear(object, sub)?,
            };
        }
        self.edited();
        Ok(())
    }

    /// The values as they are now, with readOnly sub-attributes as before and immutable ones
    /// compared with before, whatever way they went.
    pub(super) fn finish(mut self) -> Result<Vec<Value>, Forbidden> {
        let guarded: Vec<&Attribute> = (self.attribute.sub_attributes.iter())
            .filter(|sub| matches!(sub.mutability, Mutability::ReadOnly | Mutability::Immutable))
            .collect();
        if !guarded.is_empty() && !self.keyed {
            let before: HashMap<String, &Value> =
                self.before.iter().map(|value| (element::identity(self.attribute, value), value)).collect();
            for now in self.elements.iter_mut().flatten() {
                let Some(before) = before.get(&element::identity(self.attribute, now)) else {
                    continue;
                };
                let (Value::Object(now), Value::Object(before)) = (now, before) else {
                    continue;
                };
                for sub in &guarded {
                    restore(sub, before, now)?;
                }
            }
        }
        Ok(self.elements.into_iter().flatten().collect())
    }

    /// What became of a keyed attribute, for a store; `None` if nothing.
    pub(super) fn finish_keyed(self) -> Option<Delta> {
        // What cannot be named, which no client writes, goes with all the others.
        let unnamed = |(now, before): (&Option<Value>, &Value)| {
            now.as_ref() != Some(before) && element::key(before).is_none()
        };
        let replace = self.cleared || self.elements.iter().zip(self.before).any(unnamed);
        let mut delta = Delta { replace, ..Delta::of(self.attribute) };
        if replace {
            delta.added = self.elements.into_iter().flatten().collect();
            // Order is no difference, so the delta's own comparison says whether there is one.
            return delta.apply(&mut self.before.to_vec()).then_some(delta);
        }
        for (place, now) in self.elements.into_iter().enumerate() {
            let before = self.before.get(place);
            if now.as_ref() != before {
                delta.removed.extend(before.and_then(element::key).map(Box::<str>::from));
                delta.added.extend(now);
            }
        }
        (!delta.removed.is_empty() || !delta.added.is_empty()).then_some(delta)
    }

    fn at(&self, place: usize) -> Option<&Value> {
        self.elements.get(place)?.as_ref()
    }

    fn identity<'v>(&self, value: &'v Value) -> Cow<'v, str> {
        if self.keyed {
            folded(element::key(value).unwrap_or_default(), ignores_case(self.attribute))
        } else {
            Cow::Owned(element::identity(self.attribute, value))
        }
    }

    /// Builds the index if there is none.
    fn build_index(&mut self, budget: &mut Budget) -> Result<(), Exhausted> {
        if self.index.is_some() {
            return Ok(());
        }
        budget.charge(weight(self.elements.iter().flatten()))?;
        let mut index = HashMap::with_capacity(self.elements.len());
        for (place, element) in self.elements.iter().enumerate() {
            // A value removed from a keyed attribute stays known as it was before the request.
            let known = match element {
                Some(element) => Some(element),
                None if self.keyed && !self.cleared => self.before.get(place),
                None => None,
            };
            if let Some(known) = known {
                index.entry(self.identity(known).into()).or_insert(place);
            }
        }
        self.index = Some(index);
        Ok(())
    }

    /// Adds a value whose identity the one at `place` has or, if it was removed, had.
    fn add_present(&mut self, place: usize, value: &Value) -> Result<(), Forbidden> {
        let before = self.before.get(place).filter(|_| !self.cleared);
        let Some(slot) = self.elements.get_mut(place) else {
            return Ok(());
        };
        match (slot, value) {
            (slot @ None, _) => *slot = before.or(Some(value)).cloned(),
            (Some(Value::Object(present)), Value::Object(value)) if !self.keyed => {
                let mut news = value.clone();
                // They agree in these, perhaps in another case.
                news.retain(|name, _| !name.matches("value") && !name.matches("type"));
                merge(self.attribute, present, &news)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn edited(&mut self) {
        if !self.keyed {
            self.index = None;
        }
    }

    /// Makes the value at `primary` the only primary one (RFC 7644 §3.5.2).
    fn demote_others(&mut self, primary: Option<usize>, budget: &mut Budget) -> Result<(), Exhausted> {
        let Some(primary) = primary else {
            return Ok(());
        };
        budget.charge(self.elements.len())?;
        for (place, element) in self.elements.iter_mut().enumerate() {
            if let Some(Value::Object(element)) = element
                && place != primary
                && element.get("primary").and_then(Value::as_bool) == Some(true)
            {
                element.insert("primary", false);
            }
        }
        Ok(())
    }

    /// Whether `present` has what `listed` says of the sub-attributes `names`.
    fn agrees(&self, present: &Value, listed: &Value, names: &[&str]) -> bool {
        names.iter().all(|name| match listed.get(name) {
            None | Some(Value::Null) => true,
            Some(listed) => {
                let exact = self.attribute.sub_attribute(name).is_some_and(|sub| sub.case_exact);
                present.get(name).is_some_and(|present| match (present, listed) {
                    (Value::String(present), Value::String(listed)) => {
                        folded(present, !exact) == folded(listed, !exact)
                    }
                    (present, listed) => present == listed,
                })
            }
        })
    }

    fn agrees_in_all(&self, present: &Value, listed: &Value) -> bool {
        match listed {
            Value::Object(object) if object.is_empty() => false,
            Value::Object(object) => {
                let names: Vec<&str> = object.iter().map(|(name, _)| name.as_str()).collect();
                self.agrees(present, listed, &names)
            }
            listed => present == listed,
        }
    }
}

/// Sets the sub-attributes `set` of `element`; returns whether that made a difference.
fn merge(attribute: &Attribute, element: &mut Object, set: &Object) -> Result<bool, Forbidden> {
    let mut changed = false;
    for (name, value) in set.iter() {
        match attribute.sub_attribute(name.as_str()) {
            Some(sub) => changed |= element::set(element, sub, value.clone())?,
            // A leniency let it in; nothing guards it.
            None => changed |= element.insert(name.clone(), value.clone()).as_ref() != Some(value),
        }
    }
    Ok(changed)
}

/// Gives `now` the value of `sub` it had `before`, or refuses that it has another.
pub(super) fn restore(sub: &Attribute, before: &Object, now: &mut Object) -> Result<(), Forbidden> {
    let was = before.get(&sub.name).filter(|value| !value.is_unassigned());
    match (sub.mutability, was) {
        (Mutability::ReadOnly, Some(was)) => {
            now.insert(sub.name.as_str(), was.clone());
        }
        (Mutability::ReadOnly, None) => {
            now.remove(&sub.name);
        }
        (Mutability::Immutable, Some(was)) if now.get(&sub.name) != Some(was) => {
            return Err(Forbidden::part(sub, "is immutable"));
        }
        _ => {}
    }
    Ok(())
}
