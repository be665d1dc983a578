//! [`Object`]: an ordered JSON object with case-insensitive member names.

use std::collections::BTreeMap;
use std::fmt;

use scim_filter::{AttrName, JsonObject};

use super::Value;

/// An ordered JSON object whose member names differ in more than case.
///
/// ```
/// use scim_core::Object;
///
/// let mut user = Object::new();
/// user.insert("UserName", "bjensen");
/// assert_eq!(user.get("username").and_then(|name| name.as_str()), Some("bjensen"));
/// user.insert("userName", "babs");
/// assert_eq!(user.to_string(), r#"{"userName":"babs"}"#);
/// ```
#[derive(Clone, Default)]
pub struct Object {
    // INVARIANT: no two names are equal; order is that of insertion.
    entries: Vec<(AttrName, Value)>,
}

impl Object {
    /// No members.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many members.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The member called `name`, in any case.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let index = self.position(name)?;
        self.entries.get(index).map(|(_, value)| value)
    }

    /// The member called `name`, in any case.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let index = self.position(name)?;
        self.entries.get_mut(index).map(|(_, value)| value)
    }

    /// Whether there is a member called `name`, in any case.
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Sets the member `name`, in place if there is one (its spelling becomes `name`'s), and
    /// returns the former value.
    pub fn insert(&mut self, name: impl Into<AttrName>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        match self.entries.iter_mut().find(|(key, _)| *key == name) {
            Some(entry) => {
                entry.0 = name;
                Some(std::mem::replace(&mut entry.1, value))
            }
            None => {
                self.entries.push((name, value));
                None
            }
        }
    }

    /// Like [`insert`](Self::insert), but a new member becomes the one at `index` (the last, if
    /// there are fewer).
    pub fn insert_at(
        &mut self,
        index: usize,
        name: impl Into<AttrName>,
        value: impl Into<Value>,
    ) -> Option<Value> {
        let name = name.into();
        if self.contains(name.as_str()) {
            return self.insert(name, value);
        }
        self.entries.insert(index.min(self.entries.len()), (name, value.into()));
        None
    }

    /// Takes the member `name` out; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let index = self.position(name)?;
        Some(self.entries.remove(index).1)
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&AttrName, &Value)> {
        self.entries.iter().map(|(name, value)| (name, value))
    }

    /// The members in order.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&AttrName, &mut Value)> {
        self.entries.iter_mut().map(|(name, value)| (&*name, value))
    }

    /// Keeps the members `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&AttrName, &mut Value) -> bool) {
        self.entries.retain_mut(|(name, value)| keep(name, value));
    }

    fn position(&self, name: &str) -> Option<usize> {
        let hash = scim_filter::fold_hash(name);
        self.entries.iter().position(|(key, _)| key.folded_hash() == hash && key.matches(name))
    }
}

/// Equal when the same names have equal values, in any order.
impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        if self.len() != other.len() {
            return false;
        }
        // Objects mostly come in the same order; only where they begin to differ names are looked
        // for, and many are sorted, since a search for each takes the square of what a client sends.
        let pairs = || self.entries.iter().zip(&other.entries);
        let same = pairs().take_while(|((left, _), (right, _))| left == right).count();
        if !pairs().take(same).all(|((_, left), (_, right))| left == right) {
            return false;
        }
        let mut left: Vec<_> = self.entries.iter().skip(same).collect();
        let mut right: Vec<_> = other.entries.iter().skip(same).collect();
        if left.len() <= SMALL {
            return left.iter().all(|entry| right.contains(entry));
        }
        left.sort_by_cached_key(|(name, _)| folded(name));
        right.sort_by_cached_key(|(name, _)| folded(name));
        left == right
    }
}

impl JsonObject for Object {
    type Value = Value;

    fn member(&self, name: &AttrName) -> Option<&Value> {
        self.entries.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        self.entries.iter().map(|(_, value)| value)
    }
}

/// Prints the members, but `[redacted]` for a member called `password`, so that a secret a
/// client sets does not reach a log.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.iter() {
            if name.matches("password") {
                map.entry(name, &format_args!("[redacted]"));
            } else {
                map.entry(name, value);
            }
        }
        map.finish()
    }
}

impl IntoIterator for Object {
    type Item = (AttrName, Value);
    type IntoIter = std::vec::IntoIter<(AttrName, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

/// Of members whose names differ at most in case, the last wins.
impl<N: Into<AttrName>, V: Into<Value>> FromIterator<(N, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(members: I) -> Self {
        let mut builder = ObjectBuilder::default();
        for (name, value) in members {
            builder.set(name.into(), value.into());
        }
        builder.finish()
    }
}

impl<N: Into<AttrName>, V: Into<Value>> Extend<(N, V)> for Object {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, members: I) {
        let mut builder = ObjectBuilder::new(std::mem::take(self));
        for (name, value) in members {
            builder.set(name.into(), value.into());
        }
        *self = builder.finish();
    }
}

/// Builds an object out of members nobody has checked yet.
///
/// Up to [`SMALL`] members are compared by their hashes. Beyond, an ordered map of folded names
/// takes over: whoever chooses the names can make the hashes collide, so they cannot bound the work.
#[derive(Default)]
pub(super) struct ObjectBuilder {
    object: Object,
    // INVARIANT: empty, or the folded name of every member with its index.
    index: BTreeMap<Box<str>, usize>,
}

impl ObjectBuilder {
    fn new(object: Object) -> Self {
        Self { object, index: BTreeMap::new() }
    }

    /// Whether there is a member of that name.
    pub(super) fn contains(&mut self, name: &AttrName) -> bool {
        self.locate(name).is_some()
    }

    /// Adds a member that [`contains`](Self::contains) has denied.
    pub(super) fn push(&mut self, name: AttrName, value: Value) {
        if !self.index.is_empty() {
            self.index.insert(folded(&name), self.object.len());
        }
        self.object.entries.push((name, value));
    }

    pub(super) fn finish(self) -> Object {
        self.object
    }

    fn set(&mut self, name: AttrName, value: Value) {
        match self.locate(&name).and_then(|index| self.object.entries.get_mut(index)) {
            Some(entry) => *entry = (name, value),
            None => self.push(name, value),
        }
    }

    fn locate(&mut self, name: &AttrName) -> Option<usize> {
        if self.object.len() <= SMALL {
            return self.object.entries.iter().position(|(key, _)| key == name);
        }
        if self.index.is_empty() {
            let names = self.object.entries.iter().enumerate();
            self.index = names.map(|(index, (key, _))| (folded(key), index)).collect();
        }
        self.index.get(&*folded(name)).copied()
    }
}

fn folded(name: &AttrName) -> Box<str> {
    name.as_str().to_ascii_lowercase().into()
}

/// Up to this many members a scan beats a map.
const SMALL: usize = 24;
