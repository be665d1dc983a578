//! JSON values as SCIM sees them: member order kept, member names without case.

mod parse;

pub use parse::{JsonError, JsonLimits};

use scim_filter::{AttrName, Json, JsonObject, JsonView, Number};

/// A JSON value. Objects keep their order and find members without regard to ASCII case.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`; in SCIM the same as no value (RFC 7643 §2.5).
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Box<str>),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

/// An ordered JSON object whose member names differ in more than case.
#[derive(Clone, Default)]
pub struct Object {
    // INVARIANT: no two names are equal; order is that of insertion.
    entries: Vec<(AttrName, Value)>,
}

impl Value {
    /// Parses JSON text; refuses an object with two names that differ at most in case.
    pub fn from_slice(text: &[u8], limits: &JsonLimits) -> Result<Self, JsonError> {
        let _ = (text, limits);
        todo!()
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The Boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Value>> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The object, if this is one.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Whether this is `null` or an empty array, which SCIM treats as no value (RFC 7643 §2.5).
    pub fn is_unassigned(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Array(elements) => elements.is_empty(),
            _ => false,
        }
    }
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
        let hash = scim_filter::fold_hash(name);
        self.entries
            .iter()
            .find(|(key, _)| key.folded_hash() == hash && key.matches(name))
            .map(|(_, value)| value)
    }

    /// The member called `name`, in any case.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let hash = scim_filter::fold_hash(name);
        self.entries
            .iter_mut()
            .find(|(key, _)| key.folded_hash() == hash && key.matches(name))
            .map(|(_, value)| value)
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

    /// Takes the member `name` out; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let index = self.entries.iter().position(|(key, _)| key.matches(name))?;
        Some(self.entries.remove(index).1)
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&AttrName, &Value)> {
        self.entries.iter().map(|(name, value)| (name, value))
    }

    /// The members in order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&AttrName, &mut Value)> {
        self.entries.iter_mut().map(|(name, value)| (&*name, value))
    }

    /// Keeps the members `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&AttrName, &mut Value) -> bool) {
        self.entries.retain_mut(|(name, value)| keep(name, value));
    }
}

/// Equal when the same names have equal values, in any order.
impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.entries.iter().all(|(name, value)| other.member(name) == Some(value))
    }
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl IntoIterator for Object {
    type Item = (AttrName, Value);
    type IntoIter = std::vec::IntoIter<(AttrName, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl Json for Value {
    type Object = Object;

    fn view(&self) -> JsonView<'_, Self> {
        match self {
            Self::Null => JsonView::Null,
            Self::Bool(value) => JsonView::Bool(*value),
            Self::Number(number) => JsonView::Number(*number),
            Self::String(text) => JsonView::String(text),
            Self::Array(elements) => JsonView::Array(elements),
            Self::Object(object) => JsonView::Object(object),
        }
    }
}

impl JsonObject for Object {
    type Value = Value;

    fn member(&self, name: &AttrName) -> Option<&Value> {
        self.entries.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(Number::Int(value))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(elements: Vec<Value>) -> Self {
        Self::Array(elements)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<serde_json::Value> for Value {
    fn from(_: serde_json::Value) -> Self {
        todo!()
    }
}

impl From<Value> for serde_json::Value {
    fn from(_: Value) -> Self {
        todo!()
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        todo!()
    }
}

impl serde::Serialize for Object {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        todo!()
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        todo!()
    }
}

impl<'de> serde::Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        todo!()
    }
}
