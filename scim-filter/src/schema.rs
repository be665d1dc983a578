//! What binding needs to know of a schema.

use std::fmt;

/// The data type of an attribute (RFC 7643 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttributeType {
    /// A sequence of Unicode characters.
    String,
    /// `true` or `false`.
    Boolean,
    /// A real number.
    Decimal,
    /// A whole number.
    Integer,
    /// An instant, written as `xsd:dateTime`.
    DateTime,
    /// Base64 bytes.
    Binary,
    /// A URI of another resource or of something outside.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

impl AttributeType {
    /// The type as schemas spell it (RFC 7643 table 1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What binding needs to know of one attribute.
#[derive(Clone, Copy, Debug)]
pub struct AttributeInfo<'s> {
    /// The canonical spelling of the name.
    pub name: &'s str,
    /// The URI of the extension whose object holds the attribute; `None` for the base schema.
    pub extension: Option<&'s str>,
    /// The data type.
    pub kind: AttributeType,
    /// Whether the attribute holds an array of values.
    pub multi_valued: bool,
    /// Whether strings of the attribute compare with case.
    pub case_exact: bool,
    /// Whether the value must not be revealed, not even by a filter's outcome
    /// (`returned: never` or `mutability: writeOnly`).
    pub sensitive: bool,
}

/// The attributes of one resource type: its base schema, its extensions and the common
/// attributes (`schemas`, `id`, `externalId`, `meta`).
///
/// Names and URIs are looked up without regard to ASCII case.
pub trait Schema {
    /// The length in bytes of the longest known schema URI that `path` starts with and that is
    /// followed by `:` or by the end of `path`.
    ///
    /// A URI is never split at its last `:` or `.` but at the end of a schema that is known,
    /// since both characters occur inside URIs (`urn:…:2.0:User`).
    fn schema_uri_len(&self, path: &str) -> Option<usize>;

    /// The attribute `name` of the schema `uri`, or, without one, of the base schema or the
    /// common attributes.
    fn attribute(&self, uri: Option<&str>, name: &str) -> Option<AttributeInfo<'_>>;

    /// The sub-attribute `sub` of the attribute `name`.
    fn sub_attribute(&self, uri: Option<&str>, name: &str, sub: &str) -> Option<AttributeInfo<'_>>;

    /// A sub-attribute of the attribute `name` that must not be revealed, if it has one. Presence of the
    /// attribute, which holds where any of its sub-attributes has a value, would reveal it.
    fn sensitive_sub_attribute(&self, uri: Option<&str>, name: &str) -> Option<AttributeInfo<'_>>;

    /// The canonical spelling of the extension URI `uri`, if it is an extension of the resource
    /// type (not its base schema).
    fn extension(&self, uri: &str) -> Option<&str>;
}
