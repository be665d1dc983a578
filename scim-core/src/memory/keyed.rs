//! The values of a keyed attribute (`members`), in their order and found by their key.
//!
//! A change costs what it changes, however many values there are, and also while readers hold
//! them: readers share the values, and a writer then copies only the chunks it changes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use scim_filter::AttrName;

use crate::patch::{Delta, element_key, folded_key};
use crate::pieces::{self, NextValues};
use crate::store::ChangedMembers;
use crate::value::Value;

/// The values of one keyed attribute of one resource.
pub(super) struct Keyed {
    pub(super) name: AttrName,
    ignore_case: bool,
    values: Arc<Values>,
    // INVARIANT: the places of exactly the values that have a key; where several values have the
    // same, the first is in `places` and the others are in `again`.
    places: HashMap<Box<str>, usize>,
    again: HashMap<Box<str>, Vec<usize>>,
}

/// Values in order, as readers share them.
#[derive(Clone, Default)]
pub(super) struct Values {
    // INVARIANT: all chunks but the last have CHUNK places. A place whose value was removed is a gap.
    chunks: Vec<Arc<Chunk>>,
    len: usize,
}

type Chunk = Vec<Option<Value>>;

/// Values that are read a few chunks at a time.
pub(super) struct Chunks {
    values: Arc<Values>,
    next: usize,
}

impl Chunks {
    pub(super) fn new(values: Arc<Values>) -> Self {
        Self { values, next: 0 }
    }
}

impl pieces::Values for Chunks {
    fn next(&mut self) -> NextValues<'_> {
        let mut some = Vec::new();
        while let (true, Some(chunk)) = (some.len() < CHUNK, self.values.chunks.get(self.next)) {
            some.extend(chunk.iter().flatten().cloned());
            self.next += 1;
        }
        Box::pin(std::future::ready(Ok(some)))
    }
}

/// Large enough that the list of chunks is short, small enough that to copy one is little.
const CHUNK: usize = 32;

impl Keyed {
    /// These values; keys that differ at most in case are the same if `ignore_case`.
    pub(super) fn new<'v>(
        name: AttrName,
        ignore_case: bool,
        values: impl IntoIterator<Item = &'v Value>,
    ) -> Self {
        let (places, again) = (HashMap::new(), HashMap::new());
        let mut keyed = Self { name, ignore_case, values: Arc::default(), places, again };
        values.into_iter().for_each(|value| keyed.push(value));
        keyed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.len == 0
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.values.len
    }

    /// The keys of the values, each once.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(|key| &**key)
    }

    /// The values that have one of `keys`, to be read without the store's lock.
    pub(super) fn share_some(&self, keys: &[Box<str>]) -> Arc<Values> {
        let mut some = Values::default();
        for value in self.with_keys(keys.iter().map(|key| &**key)) {
            some.push(value);
        }
        Arc::new(some)
    }

    /// The values, to be read without the store's lock.
    pub(super) fn share(&self) -> Arc<Values> {
        Arc::clone(&self.values)
    }

    /// Copies of the values that have one of `keys`.
    pub(super) fn with_keys<'k>(&self, keys: impl IntoIterator<Item = &'k str>) -> Vec<Value> {
        let mut found = Vec::new();
        for key in keys {
            let key = folded_key(key, self.ignore_case);
            let first = self.places.get(key.as_ref());
            let again = self.again.get(key.as_ref()).map(Vec::as_slice).unwrap_or_default();
            found.extend(first.into_iter().chain(again).filter_map(|place| self.values.get(*place)).cloned());
        }
        found
    }

    /// Puts `delta` onto the values, and notes which go and come; returns whether anything became different.
    pub(super) fn apply(&mut self, delta: &Delta, noted: Option<&ChangedMembers>) -> bool {
        // Whoever is not noted stayed.
        noted.iter().for_each(|noted| noted.removed([]));
        if delta.replace {
            let stays = |new| match self.find(new).and_then(|place| self.values.get(place)) {
                Some(old) => delta.stays(old, new),
                None => Cow::Borrowed(new),
            };
            let after: Vec<Cow<'_, Value>> = delta.added.iter().map(stays).collect();
            let same = self.are(&after);
            if !same {
                let after = Self::new(self.name.clone(), self.ignore_case, after.iter().map(AsRef::as_ref));
                if let Some(noted) = noted {
                    noted.removed(self.apart_from(&after));
                    noted.added(after.apart_from(self));
                }
                *self = after;
            }
            return !same;
        }
        let mut changed = false;
        let is_there = |new: &&Value| self.find(new).and_then(|at| self.values.get(at)) == Some(*new);
        let key = |new| Some(folded_key(element_key(new)?, self.ignore_case).into());
        let same: HashSet<Box<str>> = delta.exchanged().filter(is_there).filter_map(key).collect();
        for key in &delta.removed {
            if !same.is_empty() && same.contains(folded_key(key, self.ignore_case).as_ref()) {
                continue;
            }
            if self.remove(key) {
                changed = true;
                noted.iter().for_each(|noted| noted.removed([&**key]));
            }
        }
        for value in &delta.added {
            if self.find(value).is_none() {
                self.push(value);
                changed = true;
                noted.iter().for_each(|noted| noted.added(element_key(value)));
            }
        }
        self.close_gaps();
        changed
    }

    /// The keys of the values that `others` have not, or not as they are.
    fn apart_from<'k>(&'k self, others: &'k Self) -> impl Iterator<Item = &'k str> {
        let same =
            |value: &Value| others.find(value).and_then(|place| others.values.get(place)) == Some(value);
        self.values.iter().filter(move |value| !same(value)).filter_map(element_key)
    }

    /// Notes that all values go.
    pub(super) fn note_all(&self, noted: &ChangedMembers) {
        noted.removed(self.values.iter().filter_map(element_key));
    }

    /// Whether the values are `others`, in whatever order.
    fn are(&self, others: &[Cow<'_, Value>]) -> bool {
        let same = |other: &Cow<'_, Value>| {
            self.find(other).and_then(|place| self.values.get(place)).is_some_and(|value| *value == **other)
        };
        // As many as others, and others of a delta have different keys: so there are no more.
        self.values.len == others.len() && others.iter().all(same)
    }

    fn find(&self, value: &Value) -> Option<usize> {
        self.places.get(folded_key(element_key(value)?, self.ignore_case).as_ref()).copied()
    }

    fn push(&mut self, value: &Value) {
        let place = Arc::make_mut(&mut self.values).push(value.clone());
        let Some(key) = element_key(value) else { return };
        let key = folded_key(key, self.ignore_case);
        if self.places.contains_key(key.as_ref()) {
            self.again.entry(key.into()).or_default().push(place);
        } else {
            self.places.insert(key.into(), place);
        }
    }

    fn remove(&mut self, key: &str) -> bool {
        let key = folded_key(key, self.ignore_case);
        let Some(first) = self.places.remove(key.as_ref()) else {
            return false;
        };
        let values = Arc::make_mut(&mut self.values);
        values.remove(first);
        for place in self.again.remove(key.as_ref()).unwrap_or_default() {
            values.remove(place);
        }
        true
    }

    /// Moves the values together once most places are gaps, so that a removal costs a move of one
    /// value on average.
    fn close_gaps(&mut self) {
        let places = self.values.places();
        if places - self.values.len <= self.values.len + CHUNK {
            return;
        }
        let mut moved = vec![0; places];
        let mut closed = Values::default();
        let chunks = std::mem::take(&mut Arc::make_mut(&mut self.values).chunks);
        let all = chunks.into_iter().flat_map(Arc::unwrap_or_clone);
        for (value, to) in all.zip(&mut moved) {
            if let Some(value) = value {
                *to = closed.push(value);
            }
        }
        let again = self.again.values_mut().flatten();
        for place in self.places.values_mut().chain(again) {
            *place = moved.get(*place).copied().unwrap_or_default();
        }
        self.values = Arc::new(closed);
    }
}

impl Values {
    /// Copies of the values, in order.
    pub(super) fn to_vec(&self) -> Vec<Value> {
        let mut values = Vec::with_capacity(self.len);
        values.extend(self.iter().cloned());
        values
    }

    fn iter(&self) -> impl Iterator<Item = &Value> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().flatten())
    }

    fn places(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    fn get(&self, place: usize) -> Option<&Value> {
        self.chunks.get(place / CHUNK)?.get(place % CHUNK)?.as_ref()
    }

    /// Adds a value behind the others and returns its place.
    fn push(&mut self, value: Value) -> usize {
        let place = self.places();
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => Arc::make_mut(last).push(Some(value)),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(Some(value));
                self.chunks.push(Arc::new(chunk));
            }
        }
        self.len += 1;
        place
    }

    fn remove(&mut self, place: usize) {
        let chunk = self.chunks.get_mut(place / CHUNK).map(Arc::make_mut);
        if let Some(slot) = chunk.and_then(|chunk| chunk.get_mut(place % CHUNK)) {
            self.len -= usize::from(slot.take().is_some());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Object, Resource, patch};

    fn member(key: usize) -> Value {
        Object::from_iter([("value", key.to_string().as_str()), ("type", "User")]).into()
    }

    fn delta(removed: &[usize], added: &[usize]) -> Delta {
        Delta {
            attribute: "members".into(),
            kept: vec!["type".into()],
            removed: removed.iter().map(|key| key.to_string().into()).collect(),
            added: added.iter().map(|key| member(*key)).collect(),
            ..Delta::default()
        }
    }

    fn of(values: &[Value]) -> Keyed {
        Keyed::new("members".into(), false, values)
    }

    /// What a delta makes of a list that is an attribute of a resource, and whether it differs.
    fn plain(list: &[Value], delta: &Delta) -> (Vec<Value>, bool) {
        let mut resource = Resource(Object::from_iter([("members", list.to_vec())]));
        let changed = patch::put_delta(delta, &mut resource);
        (resource.get("members").map(Value::values).unwrap_or_default().to_vec(), changed)
    }

    /// Whatever deltas come, the values are what they make of a plain list, in its order.
    #[test]
    fn values_are_those_of_a_list() {
        let mut state = 7_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for round in 0..40 {
            let mut list: Vec<Value> = (0..random(200)).map(|_| member(random(150))).collect();
            list.push("no object".into());
            list.push(Object::from_iter([("type", "User")]).into());
            let mut keyed = of(&list);
            for step in 0..40 {
                let most = [1, 3, 40, 150][random(4)];
                let removed: Vec<usize> = (0..random(most) + 1).map(|_| random(150)).collect();
                let mut added: Vec<usize> = (0..random(most)).map(|_| random(150)).collect();
                added.sort_unstable();
                added.dedup();
                added.retain(|key| !removed.contains(key));
                let mut delta = delta(&removed, &added);
                delta.replace = random(20) == 0;
                if delta.replace {
                    for value in delta.added.iter_mut().filter_map(Value::as_object_mut) {
                        value.insert("type", "Group");
                    }
                }
                let reader = keyed.share();
                let read = reader.to_vec();
                let (expected, changed) = plain(&list, &delta);
                assert_eq!(keyed.apply(&delta, None), changed, "round {round}, step {step}");
                assert_eq!(keyed.share().to_vec(), expected, "round {round}, step {step}");
                assert_eq!(reader.to_vec(), read, "a reader reads what was there");
                assert_eq!(keyed.is_empty(), expected.is_empty());
                list = expected;
            }
            for key in 0..150 {
                let key = key.to_string();
                let expected = list.iter().filter(|value| element_key(value) == Some(&key));
                assert_eq!(keyed.with_keys([&*key]), expected.cloned().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn gaps_are_closed_when_most_places_are_gaps() {
        let all: Vec<usize> = (0..1000).collect();
        let mut keyed = of(&[]);
        keyed.apply(&delta(&[], &all), None);
        keyed.apply(&delta(&all[..500], &[]), None);
        assert_eq!(keyed.share().places(), 1000);
        keyed.apply(&delta(&all[..600], &[]), None);
        assert_eq!(keyed.share().places(), 400);
        assert_eq!(keyed.with_keys(["600", "999"]), [member(600), member(999)]);
        for key in &all {
            keyed.apply(&delta(&[*key], &[]), None);
        }
        assert!(keyed.is_empty() && keyed.share().places() <= CHUNK);
    }

    #[test]
    fn keys_without_case_are_found_without_case() {
        let of_case = |value: &str| -> Value { Object::from_iter([("value", value)]).into() };
        let mut keyed = Keyed::new("members".into(), true, &[of_case("Ann")]);
        let add = Delta { added: vec![of_case("ANN")], ignore_case: true, ..Delta::default() };
        assert!(!keyed.apply(&add, None));
        assert_eq!(keyed.with_keys(["aNN"]), [of_case("Ann")]);
        let remove = Delta { removed: vec!["ann".into()], ignore_case: true, ..Delta::default() };
        assert!(keyed.apply(&remove, None));
        assert!(keyed.is_empty());
    }
}
