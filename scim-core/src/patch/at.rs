//! Where in a request something stands, for error details.

use std::fmt;

use crate::error::cut;

/// Where in a request something stands: `Operations[2].path`, `Operations[0].value.name.givenName`.
///
/// It is text only where an error says so, since every operation has such places and few an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At {
    operation: usize,
    part: Part,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Operation,
    Named(&'static str),
    /// A member of the value, with a long name cut.
    Member(Box<str>),
}

impl At {
    /// The operation with this index.
    pub(super) fn operation(index: usize) -> Self {
        Self { operation: index, part: Part::Operation }
    }

    /// Its member `op`.
    pub(super) fn op(&self) -> Self {
        self.named("op")
    }

    /// Its member `path`.
    pub(super) fn path(&self) -> Self {
        self.named("path")
    }

    /// Its member `value`.
    pub(super) fn value(&self) -> Self {
        self.named("value")
    }

    /// The member `name` of what stands here, the value of an operation or a member of it.
    pub(super) fn member(&self, name: &str) -> Self {
        let (name, more) = cut(name);
        let path = match &self.part {
            Part::Member(path) => format!("{path}.{name}{more}"),
            Part::Operation | Part::Named(_) => format!("{name}{more}"),
        };
        Self { operation: self.operation, part: Part::Member(path.into()) }
    }

    fn named(&self, member: &'static str) -> Self {
        Self { operation: self.operation, part: Part::Named(member) }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operations[{}]", self.operation)?;
        match &self.part {
            Part::Operation => Ok(()),
            Part::Named(member) => write!(f, ".{member}"),
            Part::Member(path) => write!(f, ".value.{path}"),
        }
    }
}
