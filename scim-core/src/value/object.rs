//! [`Object`]: an ordered JSON object with case-insensitive member names.

use std::collections::BTreeMap;
use std::fmt;

use scim_filter::{AttrName, JsonObject};

use super::Value;
use super::slots::{self, Slots, SlotsBuilder};

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
    members: Slots,
}

impl Object {
    /// No members.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The member called `name`, in any case.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.at(self.place(name)?)
    }

    /// The member called `name`, in any case.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let place = self.place(name)?;
        self.members.at_mut(place).map(|(_, value)| value)
    }

    /// Whether there is a member called `name`, in any case.
    pub fn contains(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// Sets the member `name`, in place if there is one (its spelling becomes `name`'s), and
    /// returns the former value.
    pub fn insert(&mut self, name: impl Into<AttrName>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        let place = self.members.find(name.folded_hash(), |key| *key == name);
        if let Some((key, former)) = place.and_then(|place| self.members.at_mut(place)) {
            *key = name;
            return Some(std::mem::replace(former, value));
        }
        self.members.push(name, value);
        None
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
        self.members.insert(index, name, value.into());
        None
    }

    /// Takes the member `name` out; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.members.remove(self.place(name)?)
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&AttrName, &Value)> {
        self.members.iter()
    }

    /// The members that differ from those of `after`, each with its value here and there.
    pub(crate) fn differences<'o>(
        &'o self,
        after: &'o Object,
    ) -> impl Iterator<Item = (&'o str, Option<&'o Value>, Option<&'o Value>)> {
        let changed = after.iter().map(|(name, value)| (name.as_str(), self.get(name.as_str()), Some(value)));
        let removed = self.iter().map(|(name, value)| (name.as_str(), Some(value), after.get(name.as_str())));
        let removed = removed.filter(|(_, _, after)| after.is_none());
        changed.filter(|(_, before, after)| before != after).chain(removed)
    }

    /// The members in order.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&AttrName, &mut Value)> {
        self.members.iter_mut()
    }

    /// Keeps the members `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&AttrName, &mut Value) -> bool) {
        self.members.retain(|name, value| keep(name, value));
    }

    /// Keeps the members `edit` says yes to, with the values it gives them and in its spelling of
    /// their names, which may differ in case alone; or stops where it fails.
    pub(crate) fn try_edit<E>(
        &mut self,
        mut edit: impl FnMut(&mut AttrName, &mut Value) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut result = Ok(());
        self.members.retain(|name, value| match &result {
            Ok(()) => edit(name, value).unwrap_or_else(|error| {
                result = Err(error);
                false
            }),
            Err(_) => false,
        });
        result
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.members.find(scim_filter::fold_hash(name), |key| key.matches(name))
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
        let pairs = || self.iter().zip(other.iter());
        let same = pairs().take_while(|((left, _), (right, _))| left == right).count();
        if !pairs().take(same).all(|((_, left), (_, right))| left == right) {
            return false;
        }
        let mut left: Vec<_> = self.iter().skip(same).collect();
        let mut right: Vec<_> = other.iter().skip(same).collect();
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

    #[inline]
    fn member(&self, name: &AttrName) -> Option<&Value> {
        self.members.at(self.members.find(name.folded_hash(), |key| key == name)?)
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        self.iter().map(|(_, value)| value)
    }
}

/// Prints the members, but `[redacted]` in the place of what may be a secret, so that none reaches a log:
/// of `password`, and of each member whose name is neither the RFCs' nor that of an extension, since only a
/// schema could say whether it is one.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.iter() {
            if is_shown(name, value) {
                map.entry(name, value);
            } else {
                map.entry(name, &format_args!("[redacted]"));
            }
        }
        map.finish()
    }
}

/// Whether a `Debug` form shows the value that the member has.
pub(crate) fn is_shown(name: &AttrName, value: &Value) -> bool {
    let is_extension = || name.as_str().contains(':') && matches!(value, Value::Object(_));
    (name.is_of_rfcs() && !name.matches("password")) || is_extension()
}

impl IntoIterator for Object {
    type Item = (AttrName, Value);
    type IntoIter = slots::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
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
    members: SlotsBuilder,
    // INVARIANT: empty, or the folded name of every member with its place.
    index: BTreeMap<Box<str>, usize>,
}

impl ObjectBuilder {
    fn new(object: Object) -> Self {
        Self { members: SlotsBuilder::new(object.members), index: BTreeMap::new() }
    }

    /// Whether there is a member of that name.
    pub(super) fn contains(&mut self, name: &AttrName) -> bool {
        self.locate(name).is_some()
    }

    /// Adds a member that [`contains`](Self::contains) has denied.
    pub(super) fn push(&mut self, name: AttrName, value: Value) {
        let key = if self.index.is_empty() { None } else { Some(folded(&name)) };
        let place = self.members.push(name, value);
        if let Some(key) = key {
            self.index.insert(key, place);
        }
    }

    pub(super) fn finish(self) -> Object {
        Object { members: self.members.finish() }
    }

    fn set(&mut self, name: AttrName, value: Value) {
        match self.locate(&name) {
            Some(place) => self.members.replace(place, name, value),
            None => self.push(name, value),
        }
    }

    fn locate(&mut self, name: &AttrName) -> Option<usize> {
        if self.members.len() <= SMALL {
            return self.members.find(name);
        }
        if self.index.is_empty() {
            self.index = self.members.names().map(|(name, place)| (folded(name), place)).collect();
        }
        self.index.get(&*folded(name)).copied()
    }
}

fn folded(name: &AttrName) -> Box<str> {
    name.as_str().to_ascii_lowercase().into()
}

/// Up to this many members a scan beats a map.
const SMALL: usize = 24;
