//! The record that a store has of a team.

use scim_core::patch::{Change, Write};
use scim_core::{Object, Resource, ResourceId, Value, Version};

use super::options::Handles;
use super::schema;

/// What of a team is kept beside the group that manages it, if one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) id: ResourceId,
    pub(super) name: String,
    pub(super) handle: String,
    /// The group that manages the team, if that is still there.
    pub(super) group: Option<ResourceId>,
    /// Who is in the team, where no group manages it.
    pub(super) people: Vec<String>,
}

impl Record {
    pub(super) fn new(id: ResourceId, name: &str, handles: Handles) -> Self {
        Self { id, name: name.to_owned(), handle: handles.of(name), group: None, people: Vec::new() }
    }

    /// The same team by another name.
    pub(super) fn named(self, name: &str, handles: Handles) -> Self {
        Self { name: name.to_owned(), handle: handles.of(name), ..self }
    }

    /// Reads a record with its version; `None` where it is none.
    pub(super) fn read(resource: &Resource) -> Option<(Self, Version)> {
        let text = |name: &str| resource.get(name).and_then(Value::as_str).map(str::to_owned);
        let people = resource.get("people").and_then(Value::as_array).unwrap_or_default();
        let record = Self {
            id: resource.id()?,
            name: text("name")?,
            handle: text("handle")?,
            group: text("group").map(ResourceId::new),
            people: people.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        };
        Some((record, resource.version()?))
    }

    /// The record as a new resource.
    pub(super) fn to_resource(&self, now: &str) -> Resource {
        let mut object = Object::new();
        object.insert("schemas", vec![Value::from(schema::team().base().id.as_str())]);
        object.insert("id", self.id.as_str());
        for write in self.writes().writes {
            if let Some(value) = write.value {
                object.insert(&*write.attribute, value);
            }
        }
        let mut meta = Object::new();
        meta.insert("resourceType", schema::team().name());
        meta.insert("created", now);
        meta.insert("lastModified", now);
        meta.insert("version", Version(1).to_string());
        object.insert("meta", meta);
        Resource(object)
    }

    /// The change that makes another record this one.
    pub(super) fn writes(&self) -> Change {
        let people: Vec<Value> = self.people.iter().map(|id| Value::from(id.as_str())).collect();
        let values = [
            ("name", Some(Value::from(self.name.as_str()))),
            ("handle", Some(Value::from(self.handle.as_str()))),
            ("group", self.group.as_ref().map(|id| Value::from(id.as_str()))),
            ("people", (!people.is_empty()).then_some(Value::Array(people))),
        ];
        let write =
            |(name, value): (&str, Option<Value>)| Write { extension: None, attribute: name.into(), value };
        Change { writes: values.into_iter().map(write).collect(), deltas: Vec::new() }
    }
}
