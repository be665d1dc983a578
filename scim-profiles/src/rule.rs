//! The few shapes a vendor's rule about a payload can have.

use std::fmt;

use scim_core::ScimType;
use scim_core::Value;
use scim_core::patch::Op;

use crate::Source;

/// One rule about what a client sends.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The name, unique in its profile and stable.
    pub id: &'static str,
    /// What is judged: `userName`, `roles` (the array), `roles[]` (each element),
    /// `roles[].value`; empty for the payload as a whole.
    pub attribute: &'static str,
    /// The shape.
    pub check: Check,
    /// Which payloads are judged.
    pub on: On,
    /// What a violation means.
    pub severity: Severity,
    /// The keyword of the error a server answers a violation with.
    pub scim_type: ScimType,
    /// What holds, as a sentence without capital and period.
    pub statement: &'static str,
    /// Where the rule comes from.
    pub source: Source,
}

/// The shape of a [`Rule`].
///
/// No value (`null`, `[]` or a missing member, RFC 7643 §2.5) fulfils every shape except
/// [`Required`](Self::Required), [`Kept`](Self::Kept), [`Lists`](Self::Lists) and
/// [`AnyEmail`](Self::AnyEmail).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Check {
    /// There must be a value, and PATCH must not remove it.
    Required,
    /// There need not be a value, but PATCH must not remove the one that is there.
    Kept,
    /// A string of `min` to `max` characters.
    Length {
        /// The fewest characters.
        min: usize,
        /// The most characters.
        max: usize,
    },
    /// An e-mail address.
    Email,
    /// The name of a zone in the IANA time zone database, in its own spelling.
    TimeZone,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// None of these strings, in any case.
    NoneOf(&'static [&'static str]),
    /// An array of at most one element.
    SingleElement,
    /// This value and no other.
    Only(Literal),
    /// No value.
    NoValue,
    /// An e-mail address as the value of at least one of these.
    AnyEmail(&'static [&'static str]),
    /// Any value but this one.
    Not(Literal),
    /// An object with at least one of these members.
    AnyMember(&'static [(&'static str, Literal)]),
    /// An array that has this string, in any case, as an element.
    Lists(&'static str),
    /// Values of the type that the schema says.
    Type,
    /// Attributes that the schema defines.
    Known,
    /// Values written as the RFCs want them, without help from a
    /// [`Leniency`](scim_core::leniency::Leniency).
    Plain,
    /// Text without U+0000, in values and in names.
    Text,
    /// PATCH operations and paths that can be read.
    Operation,
    /// PATCH operations of these kinds alone.
    Ops(&'static [Op]),
    /// A UUID in its text form (RFC 9562 §4), in any case.
    Uuid,
    /// A resource of a type the vendor has.
    ResourceType,
}

/// A value a rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `true` or `false`
    Bool(bool),
    /// A string, compared with case.
    Text(&'static str),
}

impl Literal {
    /// Whether `value` is this.
    pub fn is(self, value: &Value) -> bool {
        match self {
            Self::Bool(literal) => value.as_bool() == Some(literal),
            Self::Text(literal) => value.as_str() == Some(literal),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(literal) => write!(f, "{literal}"),
            Self::Text(literal) => write!(f, "{literal}"),
        }
    }
}

/// What a violation means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The vendor accepts the payload, but not everything in it means what it seems to.
    Warning,
    /// The vendor refuses the payload.
    Error,
}

impl Severity {
    /// `error` or `warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a payload is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    /// The body of a POST: a new resource.
    Create,
    /// The body of a PUT: a whole resource.
    Replace,
    /// The body of a PATCH.
    Patch,
    /// A bulk request (RFC 7644 §3.7), whose operations are any of the others.
    Bulk,
}

/// Which payloads a [`Rule`] judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct On {
    create: bool,
    replace: bool,
    patch: bool,
}

impl On {
    /// Every payload.
    pub const ALL: Self = Self { create: true, replace: true, patch: true };
    /// New resources.
    pub const CREATE: Self = Self { create: true, replace: false, patch: false };
    /// Whole resources, new or not.
    pub const WHOLE: Self = Self { create: true, replace: true, patch: false };
    /// PATCH alone.
    pub const PATCH: Self = Self { create: false, replace: false, patch: true };
    /// Changes of a resource that is there.
    pub const CHANGE: Self = Self { create: false, replace: true, patch: true };

    /// Whether `payload` is one of them.
    pub const fn includes(self, payload: Payload) -> bool {
        match payload {
            Payload::Create => self.create,
            Payload::Replace => self.replace,
            Payload::Patch => self.patch,
            // The rules judge its operations.
            Payload::Bulk => false,
        }
    }
}

/// A rule on every payload, whose violation the vendor refuses as `invalidValue`.
pub(crate) const fn error(
    id: &'static str,
    attribute: &'static str,
    check: Check,
    statement: &'static str,
    source: Source,
) -> Rule {
    Rule {
        id,
        attribute,
        check,
        on: On::ALL,
        severity: Severity::Error,
        scim_type: ScimType::InvalidValue,
        statement,
        source,
    }
}

/// A rule on every payload, whose violation the vendor accepts.
pub(crate) const fn warning(
    id: &'static str,
    attribute: &'static str,
    check: Check,
    statement: &'static str,
    source: Source,
) -> Rule {
    Rule { severity: Severity::Warning, ..error(id, attribute, check, statement, source) }
}
