//! Schemas and resource types as JSON documents (RFC 7643 §6, §7).
//!
//! A text holds one document, an array of them, or the answer of `/Schemas` or `/ResourceTypes` of
//! a service. Whether what it defines fits together is for [`Registry`](super::Registry) to say;
//! here it is read, and what is misspelt is refused with its place: a `returned` that is passed over
//! would be a secret that is told.

use std::fmt;

use super::builtin::{RESOURCE_TYPE, SCHEMA};
use super::{
    Attribute, AttributeType, Mutability, ResourceType, Returned, Schema, SchemaExtension, Uniqueness,
};
use crate::error::quote;
use crate::value::{JsonError, JsonLimits, Object, Value};

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The text is no JSON.
    #[error("not valid JSON: {0}")]
    Json(JsonError),
    /// A part of the document is not what it must be.
    #[error("{place}: {problem}")]
    Part {
        /// The member, and the attribute it defines where it is of one:
        /// `` `attributes[2].returned` of `badge` ``.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl From<JsonError> for DocumentError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl Schema {
    /// Reads the schemas of a JSON text: one, an array, or a list response.
    ///
    /// Characteristics that are not given have the defaults of RFC 7643 §2.2. `meta` and the names of
    /// members in any case are accepted; a member that no schema has is not.
    ///
    /// ```
    /// use scim_core::schema::{Returned, Schema};
    ///
    /// let text = br#"{
    ///     "id": "urn:example:params:scim:schemas:1.0:Badge",
    ///     "name": "Badge",
    ///     "attributes": [{"name": "pin", "mutability": "writeOnly", "returned": "never"}]
    /// }"#;
    /// let badge = Schema::read(text)?.remove(0);
    /// assert_eq!(badge.attributes[0].returned, Returned::Never);
    ///
    /// let misspelt = String::from_utf8_lossy(text).replace("returned", "retruned");
    /// assert_eq!(
    ///     Schema::read(misspelt.as_bytes()).unwrap_err().to_string(),
    ///     "`attributes[0]` of `pin`: `retruned` is no characteristic of an attribute",
    /// );
    /// # Ok::<(), scim_core::schema::DocumentError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What is no JSON, no schema, or has a keyword that is none, with its place.
    pub fn read(text: &[u8]) -> Result<Vec<Self>, DocumentError> {
        documents(text)?.iter().map(|(value, at)| schema(value, at)).collect()
    }
}

impl ResourceType {
    /// Reads the resource types of a JSON text: one, an array, or a list response.
    ///
    /// ```
    /// use scim_core::schema::ResourceType;
    ///
    /// let text = br#"{
    ///     "name": "Badge",
    ///     "endpoint": "/Badges",
    ///     "schema": "urn:example:params:scim:schemas:1.0:Badge",
    ///     "schemaExtensions": [{"schema": "urn:example:params:scim:schemas:1.0:Door", "required": true}]
    /// }"#;
    /// let badge = ResourceType::read(text)?.remove(0);
    /// assert!(badge.schema_extensions[0].required);
    /// # Ok::<(), scim_core::schema::DocumentError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What is no JSON or no resource type, with its place.
    pub fn read(text: &[u8]) -> Result<Vec<Self>, DocumentError> {
        documents(text)?.iter().map(|(value, at)| resource_type(value, at)).collect()
    }
}

/// The documents of a text, each with its place.
fn documents(text: &[u8]) -> Result<Vec<(Value, Place)>, DocumentError> {
    let value = Value::from_slice(text, &JsonLimits::default())?;
    let (elements, name) = match value {
        Value::Array(elements) => (elements, ""),
        Value::Object(mut object) if object.contains("Resources") => match object.remove("Resources") {
            Some(Value::Array(elements)) => (elements, "Resources"),
            other => {
                let at = Place::default().member("Resources");
                return Err(at.must_be("an array", &other.unwrap_or_default()));
            }
        },
        one => return Ok(vec![(one, Place::default())]),
    };
    let place = Place { path: name.to_owned(), ..Place::default() };
    Ok(elements.into_iter().enumerate().map(|(index, value)| (value, place.element(index))).collect())
}

fn schema(value: &Value, at: &Place) -> Result<Schema, DocumentError> {
    let document = Members::of(value, at)?;
    document.only(&["schemas", "id", "name", "description", "attributes", "meta"], "a schema")?;
    document.lists(SCHEMA)?;
    let id = document.required_text("id")?;
    let attributes = document.list("attributes")?.ok_or_else(|| document.missing("attributes"))?;
    Ok(Schema {
        id,
        name: document.text("name")?.unwrap_or_default(),
        description: document.text("description")?.unwrap_or_default(),
        attributes: attributes.iter().map(|(value, at)| attribute(value, at)).collect::<Result<_, _>>()?,
    })
}

fn resource_type(value: &Value, at: &Place) -> Result<ResourceType, DocumentError> {
    let document = Members::of(value, at)?;
    document.only(
        &["schemas", "id", "name", "description", "endpoint", "schema", "schemaExtensions", "meta"],
        "a resource type",
    )?;
    document.lists(RESOURCE_TYPE)?;
    let name = document.required_text("name")?;
    if document.text("id")?.is_some_and(|id| id != name) {
        // RFC 7643 §6: "often the same value as the "name" attribute"; here it always is.
        return Err(at.member("id").problem(format!("must be the name, {}, or left out", quote(&name))));
    }
    let extensions = document.list("schemaExtensions")?.unwrap_or_default();
    Ok(ResourceType {
        name,
        description: document.text("description")?.unwrap_or_default(),
        endpoint: document.required_text("endpoint")?,
        schema: document.required_text("schema")?,
        schema_extensions: extensions
            .iter()
            .map(|(value, at)| extension(value, at))
            .collect::<Result<_, _>>()?,
    })
}

fn extension(value: &Value, at: &Place) -> Result<SchemaExtension, DocumentError> {
    let members = Members::of(value, at)?;
    members.only(&["schema", "required"], "a schema extension")?;
    Ok(SchemaExtension {
        schema: members.required_text("schema")?,
        required: members.boolean("required")?.unwrap_or_default(),
    })
}

fn attribute(value: &Value, at: &Place) -> Result<Attribute, DocumentError> {
    let name = Members::of(value, at)?.required_text("name")?;
    let at = at.defining(&name);
    let members = Members::of(value, &at)?;
    members.only(
        &[
            "name",
            "type",
            "subAttributes",
            "multiValued",
            "description",
            "required",
            "canonicalValues",
            "caseExact",
            "mutability",
            "returned",
            "uniqueness",
            "referenceTypes",
        ],
        "an attribute",
    )?;
    let kind = members.keyword("type", "attribute type", super::attribute::type_of)?;
    let defaults = Attribute::new(name, kind.unwrap_or(AttributeType::String));
    let sub_attributes = members.list("subAttributes")?.unwrap_or_default();
    Ok(Attribute {
        multi_valued: members.boolean("multiValued")?.unwrap_or_default(),
        description: members.text("description")?.unwrap_or_default(),
        required: members.boolean("required")?.unwrap_or_default(),
        canonical_values: members.texts("canonicalValues")?,
        case_exact: members.boolean("caseExact")?.unwrap_or(defaults.case_exact),
        mutability: members
            .keyword("mutability", "mutability", Mutability::from_keyword)?
            .unwrap_or(defaults.mutability),
        returned: members
            .keyword("returned", "returned characteristic", Returned::from_keyword)?
            .unwrap_or(defaults.returned),
        uniqueness: members
            .keyword("uniqueness", "uniqueness", Uniqueness::from_keyword)?
            .unwrap_or(defaults.uniqueness),
        reference_types: members.texts("referenceTypes")?,
        sub_attributes: sub_attributes
            .iter()
            .map(|(value, at)| attribute(value, at))
            .collect::<Result<_, _>>()?,
        ..defaults
    })
}

/// Where in a document: the path of a member, and the attribute that is defined there.
#[derive(Clone, Debug, Default)]
struct Place {
    path: String,
    attribute: String,
}

impl Place {
    fn member(&self, name: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self { path: format!("{}{dot}{name}", self.path), attribute: self.attribute.clone() }
    }

    fn element(&self, index: usize) -> Self {
        Self { path: format!("{}[{index}]", self.path), attribute: self.attribute.clone() }
    }

    fn defining(&self, name: &str) -> Self {
        let dot = if self.attribute.is_empty() { "" } else { "." };
        Self { path: self.path.clone(), attribute: format!("{}{dot}{name}", self.attribute) }
    }

    fn problem(&self, problem: impl fmt::Display) -> DocumentError {
        let path = match self.path.is_empty() {
            true => "the document".to_owned(),
            false => format!("`{}`", self.path),
        };
        let place = match self.attribute.is_empty() {
            true => path,
            false => format!("{path} of {}", quote(&self.attribute)),
        };
        DocumentError::Part { place, problem: problem.to_string() }
    }

    fn must_be(&self, what: &str, value: &Value) -> DocumentError {
        self.problem(format_args!("must be {what}, not {}", value.kind()))
    }
}

/// The members of an object and its place. What is `null` counts as left out.
struct Members<'v> {
    object: &'v Object,
    at: &'v Place,
}

impl<'v> Members<'v> {
    fn of(value: &'v Value, at: &'v Place) -> Result<Self, DocumentError> {
        match value.as_object() {
            Some(object) => Ok(Self { object, at }),
            None => Err(at.must_be("an object", value)),
        }
    }

    fn get(&self, name: &str) -> Option<&'v Value> {
        self.object.get(name).filter(|value| **value != Value::Null)
    }

    fn missing(&self, name: &str) -> DocumentError {
        self.at.problem(format_args!("`{name}` is required"))
    }

    /// Refuses members other than `names`.
    fn only(&self, names: &[&str], of: &str) -> Result<(), DocumentError> {
        let part = if of == "an attribute" { "characteristic" } else { "member" };
        match self.object.iter().find(|(name, _)| !names.iter().any(|known| name.matches(known))) {
            None => Ok(()),
            Some((name, _)) => {
                Err(self.at.problem(format_args!("{} is no {part} of {of}", quote(name.as_str()))))
            }
        }
    }

    /// Refuses a document that says by `schemas` that it is another.
    fn lists(&self, uri: &str) -> Result<(), DocumentError> {
        let listed = self.texts("schemas")?;
        if listed.is_empty() || listed.iter().any(|listed| listed.eq_ignore_ascii_case(uri)) {
            return Ok(());
        }
        Err(self.at.member("schemas").problem(format_args!("must list `{uri}`")))
    }

    fn text(&self, name: &str) -> Result<Option<String>, DocumentError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.to_string())),
            Some(other) => Err(self.at.member(name).must_be("a string", other)),
        }
    }

    fn required_text(&self, name: &str) -> Result<String, DocumentError> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| self.missing(name))
    }

    fn boolean(&self, name: &str) -> Result<Option<bool>, DocumentError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(self.at.member(name).must_be("a Boolean", other)),
        }
    }

    fn keyword<T>(
        &self,
        name: &str,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, DocumentError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match read(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(self.at.member(name).problem(format_args!("{} is no {what}", quote(&text)))),
        }
    }

    /// The elements of an array, each with its place.
    fn list(&self, name: &str) -> Result<Option<Vec<(&'v Value, Place)>>, DocumentError> {
        let at = self.at.member(name);
        match self.get(name) {
            None => Ok(None),
            Some(Value::Array(elements)) => Ok(Some(
                elements.iter().enumerate().map(|(index, value)| (value, at.element(index))).collect(),
            )),
            Some(other) => Err(at.must_be("an array", other)),
        }
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, DocumentError> {
        let elements = self.list(name)?.unwrap_or_default();
        let text = |(value, at): &(&Value, Place)| match value {
            Value::String(text) => Ok(text.to_string()),
            other => Err(at.must_be("a string", other)),
        };
        elements.iter().map(text).collect()
    }
}
