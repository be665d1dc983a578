//! One attribute and its characteristics (RFC 7643 §7).

use scim_filter::AttributeType;
use serde::{Deserialize, Serialize};

/// An attribute definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name, in its canonical spelling.
    pub name: String,
    /// The data type.
    pub kind: AttributeType,
    /// Whether the attribute holds an array of values.
    pub multi_valued: bool,
    /// What the attribute means.
    pub description: String,
    /// Whether a resource must have a value.
    pub required: bool,
    /// Suggested values.
    pub canonical_values: Vec<String>,
    /// Whether strings compare with case.
    pub case_exact: bool,
    /// Who may write it, and when.
    pub mutability: Mutability,
    /// When it is part of a response.
    pub returned: Returned,
    /// Among which resources a value may occur once.
    pub uniqueness: Uniqueness,
    /// What a reference may point at.
    pub reference_types: Vec<String>,
    /// The sub-attributes of a complex attribute.
    pub sub_attributes: Vec<Attribute>,
}

/// Who may write an attribute, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// `readOnly`
    ReadOnly,
    /// `readWrite`
    ReadWrite,
    /// `immutable`
    Immutable,
    /// `writeOnly`
    WriteOnly,
}

/// When an attribute is part of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// `always`
    Always,
    /// `never`
    Never,
    /// `default`
    Default,
    /// `request`
    Request,
}

/// Among which resources a value may occur once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// `none`
    None,
    /// `server`: among resources of the type in the tenant.
    Server,
    /// `global`: everywhere.
    Global,
}

impl Serialize for Attribute {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        todo!()
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        todo!()
    }
}

impl Attribute {
    /// The sub-attribute called `name`, in any case.
    pub fn sub_attribute(&self, name: &str) -> Option<&Attribute> {
        self.sub_attributes.iter().find(|sub| sub.name.eq_ignore_ascii_case(name))
    }
}
