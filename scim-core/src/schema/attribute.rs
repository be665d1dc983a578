//! One attribute and its characteristics (RFC 7643 §7).

use std::fmt;

use scim_filter::AttributeType;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An attribute definition.
///
/// Definitions are made in code, or read from the JSON of RFC 7643 §7; characteristics that are
/// not given have the defaults of §2.2.
///
/// ```
/// use scim_core::schema::{Attribute, Mutability, Uniqueness};
///
/// let badge = Attribute::string("badgeNumber").describe("Number on the badge.").unique(Uniqueness::Server);
/// let read: Attribute = serde_json::from_str(
///     r#"{"name": "badgeNumber", "description": "Number on the badge.", "uniqueness": "server"}"#,
/// )?;
/// assert_eq!(badge, read);
/// assert_eq!(read.mutability, Mutability::ReadWrite);
/// # Ok::<(), serde_json::Error>(())
/// ```
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

/// Definitions in code.
impl Attribute {
    /// An attribute with the default characteristics of RFC 7643 §2.2. References and binary
    /// values are case-exact (§2.3.6, §2.3.7).
    pub fn new(name: impl Into<String>, kind: AttributeType) -> Self {
        Self {
            name: name.into(),
            kind,
            multi_valued: false,
            description: String::new(),
            required: false,
            canonical_values: Vec::new(),
            case_exact: matches!(kind, AttributeType::Reference | AttributeType::Binary),
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            reference_types: Vec::new(),
            sub_attributes: Vec::new(),
        }
    }

    /// A string that compares without case.
    pub fn string(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::String)
    }

    /// A Boolean.
    pub fn boolean(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::Boolean)
    }

    /// A whole number, of 64 bits with a sign.
    pub fn integer(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::Integer)
    }

    /// An instant.
    pub fn date_time(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::DateTime)
    }

    /// A reference to what `reference_types` names: resource types, `external`, `uri`.
    pub fn reference<const N: usize>(name: impl Into<String>, reference_types: [&str; N]) -> Self {
        let reference_types = reference_types.map(str::to_owned).to_vec();
        Self { reference_types, ..Self::new(name, AttributeType::Reference) }
    }

    /// A complex attribute of these sub-attributes.
    pub fn complex(name: impl Into<String>, sub_attributes: impl Into<Vec<Attribute>>) -> Self {
        Self { sub_attributes: sub_attributes.into(), ..Self::new(name, AttributeType::Complex) }
    }

    /// The same attribute holding an array of values.
    #[must_use]
    pub fn multi_valued(self) -> Self {
        Self { multi_valued: true, ..self }
    }

    /// The same attribute with a description.
    #[must_use]
    pub fn describe(self, description: impl Into<String>) -> Self {
        Self { description: description.into(), ..self }
    }

    /// The same attribute, required.
    #[must_use]
    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same attribute with suggested values.
    #[must_use]
    pub fn canonical<const N: usize>(self, values: [&str; N]) -> Self {
        Self { canonical_values: values.map(str::to_owned).to_vec(), ..self }
    }

    /// The same attribute, compared with case.
    #[must_use]
    pub fn case_exact(self) -> Self {
        Self { case_exact: true, ..self }
    }

    /// The same attribute with another mutability.
    #[must_use]
    pub fn mutability(self, mutability: Mutability) -> Self {
        Self { mutability, ..self }
    }

    /// The same attribute, its sub-attributes included, written by the service provider alone.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.sub_attributes = self.sub_attributes.into_iter().map(Self::read_only).collect();
        self.mutability(Mutability::ReadOnly)
    }

    /// The same attribute, returned at other times.
    #[must_use]
    pub fn returned(self, returned: Returned) -> Self {
        Self { returned, ..self }
    }

    /// The same attribute with another uniqueness.
    #[must_use]
    pub fn unique(self, uniqueness: Uniqueness) -> Self {
        Self { uniqueness, ..self }
    }
}

impl Attribute {
    /// The sub-attribute called `name`, in any case.
    pub fn sub_attribute(&self, name: &str) -> Option<&Attribute> {
        self.sub_attributes.iter().find(|sub| sub.name.eq_ignore_ascii_case(name))
    }

    /// Whether the value must not be revealed, not even by the outcome of a filter.
    pub fn is_sensitive(&self) -> bool {
        self.returned == Returned::Never || self.mutability == Mutability::WriteOnly
    }
}

/// Declares a characteristic with the keywords RFC 7643 §7 gives its values.
macro_rules! characteristic {
    (
        $(#[$doc:meta])*
        $name:ident: $what:literal { $($(#[$value_doc:meta])* $variant:ident = $keyword:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$value_doc])* $variant,)*
        }

        impl $name {
            /// The keyword of RFC 7643 §7.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $keyword,)*
                }
            }

            /// The value with that keyword, in any case.
            pub(super) fn from_keyword(text: &str) -> Option<Self> {
                $(if text.eq_ignore_ascii_case($keyword) {
                    return Some(Self::$variant);
                })*
                None
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::from_keyword(&text)
                    .ok_or_else(|| D::Error::custom(format_args!(concat!("`{}` is no ", $what), text)))
            }
        }
    };
}

characteristic! {
    /// Who may write an attribute, and when.
    Mutability: "mutability" {
        /// The service provider alone.
        ReadOnly = "readOnly",
        /// Clients, at any time.
        ReadWrite = "readWrite",
        /// Clients, as long as it has no value.
        Immutable = "immutable",
        /// Clients, at any time; nobody reads it.
        WriteOnly = "writeOnly",
    }
}

characteristic! {
    /// When an attribute is part of a response.
    Returned: "returned characteristic" {
        /// In every response, whatever the request asks for.
        Always = "always",
        /// In none.
        Never = "never",
        /// Unless the request asks for other attributes alone.
        Default = "default",
        /// If the request asks for it.
        Request = "request",
    }
}

characteristic! {
    /// Among which resources a value may occur once.
    Uniqueness: "uniqueness" {
        /// Any number of resources may have it.
        None = "none",
        /// Among the resources of the tenant whose type has the schema of the attribute (erratum 8279).
        Server = "server",
        /// Everywhere; the service enforces it like `server`.
        Global = "global",
    }
}

/// The keywords of the data types (RFC 7643 table 1).
const TYPES: [(AttributeType, &str); 8] = [
    (AttributeType::String, "string"),
    (AttributeType::Boolean, "boolean"),
    (AttributeType::Decimal, "decimal"),
    (AttributeType::Integer, "integer"),
    (AttributeType::DateTime, "dateTime"),
    (AttributeType::Binary, "binary"),
    (AttributeType::Reference, "reference"),
    (AttributeType::Complex, "complex"),
];

/// The data type with that keyword, in any case.
pub(super) fn type_of(keyword: &str) -> Option<AttributeType> {
    TYPES.iter().find(|(_, known)| known.eq_ignore_ascii_case(keyword)).map(|(kind, _)| *kind)
}

/// The keyword of a data type.
fn type_keyword(kind: AttributeType) -> &'static str {
    TYPES.iter().find(|(known, _)| *known == kind).map_or("string", |(_, keyword)| keyword)
}

/// The form of RFC 7643 §7.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    name: String,
    #[serde(rename = "type", default = "Wire::string")]
    kind: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sub_attributes: Vec<Attribute>,
    #[serde(default)]
    multi_valued: bool,
    #[serde(default)]
    description: String,
    #[serde(default)]
    required: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    canonical_values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case_exact: Option<bool>,
    #[serde(default = "Wire::read_write")]
    mutability: Mutability,
    #[serde(default = "Wire::returned_default")]
    returned: Returned,
    #[serde(default = "Wire::not_unique")]
    uniqueness: Uniqueness,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reference_types: Vec<String>,
}

/// The defaults of RFC 7643 §2.2.
impl Wire {
    fn string() -> String {
        "string".to_owned()
    }

    fn read_write() -> Mutability {
        Mutability::ReadWrite
    }

    fn returned_default() -> Returned {
        Returned::Default
    }

    fn not_unique() -> Uniqueness {
        Uniqueness::None
    }
}

/// Writes every characteristic of RFC 7643 §7, and the lists where they are not empty.
impl Serialize for Attribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let attribute = self.clone();
        Wire {
            name: attribute.name,
            kind: type_keyword(attribute.kind).to_owned(),
            sub_attributes: attribute.sub_attributes,
            multi_valued: attribute.multi_valued,
            description: attribute.description,
            required: attribute.required,
            canonical_values: attribute.canonical_values,
            case_exact: Some(attribute.case_exact),
            mutability: attribute.mutability,
            returned: attribute.returned,
            uniqueness: attribute.uniqueness,
            reference_types: attribute.reference_types,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let kind = type_of(&wire.kind)
            .ok_or_else(|| D::Error::custom(format_args!("`{}` is no attribute type", wire.kind)))?;
        let defaults = Self::new(wire.name, kind);
        Ok(Self {
            multi_valued: wire.multi_valued,
            description: wire.description,
            required: wire.required,
            canonical_values: wire.canonical_values,
            case_exact: wire.case_exact.unwrap_or(defaults.case_exact),
            mutability: wire.mutability,
            returned: wire.returned,
            uniqueness: wire.uniqueness,
            reference_types: wire.reference_types,
            sub_attributes: wire.sub_attributes,
            ..defaults
        })
    }
}
