//! Operations on a keyed attribute, folded into one delta without its values.
//!
//! What each key's last operation was decides, so a thousand operations are a thousand look-ups
//! in hash maps, however many values the attribute holds.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use scim_filter::compare;

use super::element::key;
use super::{Delta, keyed};
use crate::schema::{Attribute, Mutability};
use crate::value::Value;

/// What operations did to a keyed attribute so far. What it adds and removes is still theirs.
pub(super) struct Fold<'r> {
    attribute: &'r Attribute,
    replace: bool,
    removed: Keys<'r, &'r str>,
    added: Keys<'r, &'r Value>,
}

/// Values by key, in the order they came, with the key's case folded or not.
struct Keys<'r, V> {
    ignore_case: bool,
    places: HashMap<Cow<'r, str>, usize>,
    // `None` where the value was taken out again.
    values: Vec<Option<V>>,
}

impl<'r> Fold<'r> {
    pub(super) fn new(attribute: &'r Attribute) -> Self {
        debug_assert!(keyed(attribute), "only keyed attributes are folded");
        let ignore_case = ignores_case(attribute);
        Self { attribute, replace: false, removed: Keys::new(ignore_case), added: Keys::new(ignore_case) }
    }

    /// Adds a value; one that is there stays as it is.
    pub(super) fn add(&mut self, value: &'r Value) {
        let Some(key) = key(value) else {
            return;
        };
        self.removed.take(key);
        self.added.insert(key, value);
    }

    /// Removes the value with `key`.
    pub(super) fn remove(&mut self, key: &'r str) {
        self.added.take(key);
        if !self.replace {
            self.removed.insert(key, key);
        }
    }

    /// Removes all values.
    pub(super) fn clear(&mut self) {
        self.replace = true;
        self.removed = Keys::new(self.removed.ignore_case);
        self.added = Keys::new(self.added.ignore_case);
    }

    /// The delta; `None` if it would change nothing. With the values `there` before, it has only
    /// what makes a difference to them.
    pub(super) fn finish(self, there: Option<&[Value]>) -> Option<Delta> {
        let mut delta = Delta {
            replace: self.replace,
            removed: self.removed.into_values().map(Into::into).collect(),
            added: self.added.into_values().cloned().collect(),
            ..Delta::of(self.attribute)
        };
        if let Some(there) = there {
            delta.narrow(there);
        }
        (delta.replace || !delta.removed.is_empty() || !delta.added.is_empty()).then_some(delta)
    }
}

impl Delta {
    /// A delta of nothing, of `attribute`.
    pub fn of(attribute: &Attribute) -> Self {
        let keeps = |sub: &&Attribute| matches!(sub.mutability, Mutability::Immutable | Mutability::ReadOnly);
        let kept = attribute.sub_attributes.iter().filter(keeps).map(|sub| sub.name.as_str().into());
        Self {
            attribute: attribute.name.as_str().into(),
            ignore_case: ignores_case(attribute),
            kept: kept.collect(),
            ..Self::default()
        }
    }

    /// What the value `new` becomes where it replaces `old`, which has the same `value`: it keeps what
    /// `old` has of [`kept`](Self::kept).
    pub fn stays<'v>(&self, old: &Value, new: &'v Value) -> Cow<'v, Value> {
        let (Value::Object(old), Value::Object(now)) = (old, new) else {
            return Cow::Borrowed(new);
        };
        let mut kept = None;
        for name in &self.kept {
            let was = old.get(name).filter(|was| !was.is_unassigned());
            if let Some(was) = was.filter(|was| now.get(name) != Some(*was)) {
                kept.get_or_insert_with(|| now.clone()).insert(&**name, was.clone());
            }
        }
        kept.map_or(Cow::Borrowed(new), |kept| Cow::Owned(Value::Object(kept)))
    }

    /// The values that replace `values`.
    pub(crate) fn replacing<'v>(&'v self, values: &[Value]) -> Vec<Cow<'v, Value>> {
        if self.kept.is_empty() {
            return self.added.iter().map(Cow::Borrowed).collect();
        }
        let keyed = values.iter().filter_map(|value| Some((folded(key(value)?, self.ignore_case), value)));
        // Of several with one key, the first.
        let mut there = HashMap::with_capacity(values.len());
        keyed.for_each(|(key, value)| {
            there.entry(key).or_insert(value);
        });
        let old = |new: &Value| there.get(folded(key(new)?, self.ignore_case).as_ref()).copied();
        self.added.iter().map(|new| old(new).map_or(Cow::Borrowed(new), |old| self.stays(old, new))).collect()
    }

    /// The values of `added` that take the place of what is there with their `value`, which is among
    /// `removed`: of a store that has it as it is to be, nothing becomes different.
    ///
    /// ```
    /// use scim_core::patch::Delta;
    /// use scim_core::{Object, Value};
    ///
    /// let member = |value| Value::from(Object::from_iter([("value", value)]));
    /// let added = vec![member("babs"), member("carl")];
    /// let delta = Delta { removed: vec!["carl".into(), "dora".into()], added, ..Delta::default() };
    /// assert_eq!(delta.exchanged().collect::<Vec<_>>(), [&member("carl")]);
    /// ```
    pub fn exchanged(&self) -> impl Iterator<Item = &Value> {
        // Of a delta that only adds, or only removes, nothing is looked at.
        let both = !self.removed.is_empty() && !self.added.is_empty();
        let removed = both.then(|| Lookup::new(self.ignore_case, self.removed.iter().map(|key| &**key)));
        let added = if both { self.added.as_slice() } else { &[] };
        let is_removed =
            move |value: &&Value| key(value).and_then(|key| removed.as_ref()?.find(key)).is_some();
        added.iter().filter(is_removed)
    }

    /// Puts the delta onto `values`; returns whether anything became different.
    pub(super) fn apply(&self, values: &mut Vec<Value>) -> bool {
        if self.replace {
            let after = self.replacing(values);
            let same = self.are(&after, values);
            if !same {
                *values = after.into_iter().map(Cow::into_owned).collect();
            }
            return !same;
        }
        let before = values.len();
        let removed = Lookup::new(self.ignore_case, self.removed.iter().map(|key| &**key));
        let added =
            Lookup::new(self.ignore_case, self.added.iter().map(|value| key(value).unwrap_or_default()));
        let mut present = vec![false; self.added.len()];
        if !removed.is_empty() || !added.is_empty() {
            values.retain(|value| {
                let Some(key) = key(value) else {
                    return true;
                };
                let place = added.find(key);
                let new = place.and_then(|place| self.added.get(place));
                let stays = removed.find(key).is_none() || new == Some(value);
                if let Some(found) = place.and_then(|place| present.get_mut(place)) {
                    *found |= stays;
                }
                stays
            });
        }
        let kept = values.len();
        let new = self.added.iter().zip(present).filter(|(_, present)| !present);
        values.extend(new.map(|(value, _)| value.clone()));
        kept != before || values.len() != kept
    }

    /// Drops what makes no difference to the values `there`.
    fn narrow(&mut self, there: &[Value]) {
        if self.replace {
            self.replace = !self.are(&self.replacing(there), there);
            if !self.replace {
                self.added.clear();
            }
            return;
        }
        let removed = Lookup::new(self.ignore_case, self.removed.iter().map(|key| &**key));
        let added =
            Lookup::new(self.ignore_case, self.added.iter().map(|value| key(value).unwrap_or_default()));
        let mut to_remove = vec![false; self.removed.len()];
        let mut to_add = vec![true; self.added.len()];
        for key in there.iter().filter_map(key) {
            if let Some(hit) = removed.find(key).and_then(|place| to_remove.get_mut(place)) {
                *hit = true;
            }
            if let Some(hit) = added.find(key).and_then(|place| to_add.get_mut(place)) {
                *hit = false;
            }
        }
        retain_marked(&mut self.removed, to_remove);
        retain_marked(&mut self.added, to_add);
    }

    /// Whether `after` are the `values`, in whatever order.
    fn are(&self, after: &[Cow<'_, Value>], values: &[Value]) -> bool {
        if after.len() != values.len() {
            return false;
        }
        let places = Lookup::new(self.ignore_case, after.iter().map(|value| key(value).unwrap_or_default()));
        values.iter().all(|value| {
            let found = key(value).and_then(|key| places.find(key)).and_then(|place| after.get(place));
            found.is_some_and(|found| **found == *value)
        })
    }
}

/// Where in a list a key is.
enum Lookup<'k> {
    /// Few keys are compared faster than hashed.
    Few(Vec<&'k str>),
    Many(bool, HashMap<Cow<'k, str>, usize>),
}

impl<'k> Lookup<'k> {
    fn new(ignore_case: bool, keys: impl ExactSizeIterator<Item = &'k str>) -> Self {
        const FEW: usize = 4;
        if keys.len() <= FEW && !ignore_case {
            return Self::Few(keys.collect());
        }
        let places = keys.enumerate().map(|(place, key)| (folded(key, ignore_case), place));
        Self::Many(ignore_case, places.collect())
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Few(keys) => keys.is_empty(),
            Self::Many(_, keys) => keys.is_empty(),
        }
    }

    fn find(&self, key: &str) -> Option<usize> {
        match self {
            Self::Few(keys) => keys.iter().position(|other| *other == key),
            Self::Many(_, keys) if keys.is_empty() => None,
            Self::Many(ignore_case, keys) => keys.get(folded(key, *ignore_case).as_ref()).copied(),
        }
    }
}

impl<'r, V> Keys<'r, V> {
    fn new(ignore_case: bool) -> Self {
        Self { ignore_case, places: HashMap::new(), values: Vec::new() }
    }

    /// Adds a value unless its key has one.
    fn insert(&mut self, key: &'r str, value: V) {
        if let Entry::Vacant(entry) = self.places.entry(folded(key, self.ignore_case)) {
            entry.insert(self.values.len());
            self.values.push(Some(value));
        }
    }

    fn take(&mut self, key: &str) {
        if self.places.is_empty() {
            return;
        }
        let place = self.places.remove(folded(key, self.ignore_case).as_ref());
        if let Some(value) = place.and_then(|place| self.values.get_mut(place)) {
            *value = None;
        }
    }

    fn into_values(self) -> impl Iterator<Item = V> {
        self.values.into_iter().flatten()
    }
}

/// Whether keys of `attribute` are compared without case.
pub(crate) fn ignores_case(attribute: &Attribute) -> bool {
    attribute.sub_attribute("value").is_some_and(|value| !value.case_exact)
}

/// `key` as it is compared.
pub(crate) fn folded(key: &str, ignore_case: bool) -> Cow<'_, str> {
    if ignore_case { compare::fold(key) } else { Cow::Borrowed(key) }
}

fn retain_marked<T>(values: &mut Vec<T>, marks: Vec<bool>) {
    let mut marks = marks.into_iter();
    values.retain(|_| marks.next().unwrap_or(false));
}
