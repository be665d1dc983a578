//! Which row has a unique value.

use std::collections::HashMap;

use crate::validate::UniqueKey;

/// The rows of a table by their unique values, which are found without making a key.
///
/// The attributes are few, and have the URI of the schema that declares them.
#[derive(Default)]
pub(super) struct Keys(Vec<(Box<str>, Rows)>);

/// The rows by the values of one attribute.
type Rows = HashMap<Box<str>, u64>;

impl Keys {
    pub(super) fn get(&self, key: &UniqueKey) -> Option<u64> {
        let (_, rows) = self.0.iter().find(|(attribute, _)| *attribute == key.attribute)?;
        rows.get(&key.value).copied()
    }

    /// The row with that value of the attribute that the schema `uri` declares.
    pub(super) fn find(&self, uri: &str, attribute: &str, value: &str) -> Option<u64> {
        let is_named = |name: &str| {
            let rest = name.strip_suffix(attribute).and_then(|rest| rest.strip_suffix(':'));
            rest == Some(uri)
        };
        let (_, rows) = self.0.iter().find(|(name, _)| is_named(name))?;
        rows.get(value).copied()
    }

    pub(super) fn insert(&mut self, key: &UniqueKey, row: u64) {
        let place = self.0.iter().position(|(attribute, _)| *attribute == key.attribute);
        let rows = match place.and_then(|place| self.0.get_mut(place)) {
            Some((_, rows)) => rows,
            None => {
                self.0.push((key.attribute.clone(), Rows::new()));
                let Some((_, rows)) = self.0.last_mut() else { return };
                rows
            }
        };
        rows.insert(key.value.clone(), row);
    }

    pub(super) fn remove(&mut self, key: &UniqueKey) {
        if let Some((_, rows)) = self.0.iter_mut().find(|(attribute, _)| *attribute == key.attribute) {
            rows.remove(&key.value);
        }
    }
}
