//! Whether a mapping is of paths that filters name.

use std::fmt;

use super::mapping::{Column, Entry, Mapping, Source};
use super::{SqlErrorKind, error};
use crate::compare::Collation;
use crate::{AttrName, AttributeInfo, AttributeType, Schema};

/// A path of a mapping that no filter of a schema is ever answered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingError {
    kind: MappingErrorKind,
    path: Box<str>,
}

/// The kinds of [`MappingError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MappingErrorKind {
    /// The path begins with the URI of a schema.
    Uri,
    /// The schema has no such extension, attribute or sub-attribute.
    Unknown,
    /// The attribute is complex, and a column holds only a sub-attribute.
    NeedsSubAttribute,
    /// A sub-attribute is no table, and has no JSON column of its own.
    NotWhole,
    /// What is mapped before answers for it.
    Twice,
    /// The column cannot answer for the attribute.
    Column(SqlErrorKind),
}

impl MappingError {
    /// What is wrong.
    pub fn kind(&self) -> MappingErrorKind {
        self.kind
    }

    /// The path, behind the URI of its extension; empty for the document of the whole resource.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.path {
            "" => f.write_str("the document cannot be mapped: ")?,
            path => write!(f, "`{path}` cannot be mapped: ")?,
        }
        f.write_str(match self.kind {
            MappingErrorKind::Uri => "a path has no URI, and those of an extension are mapped beside it",
            MappingErrorKind::Unknown => "the schema does not define it",
            MappingErrorKind::NeedsSubAttribute => "it is complex, and a column holds a sub-attribute",
            MappingErrorKind::NotWhole => "only a whole attribute is a table or a JSON column",
            MappingErrorKind::Twice => "it is mapped before",
            MappingErrorKind::Column(kind) => return error::describe(kind, f),
        })
    }
}

impl std::error::Error for MappingError {}

impl Mapping {
    /// Whether each path is one that filters of `schema` name, is mapped once, and to a column that
    /// can hold its values. What fails here is passed over by [`to_sql`](crate::BoundFilter::to_sql),
    /// or refused when a filter names it; so check a mapping once, in a test or at the start.
    ///
    /// Which attributes are not mapped is not looked at.
    ///
    /// ```
    /// use scim_filter::sql::{Column, Mapping};
    /// use scim_filter::{AttributeInfo, AttributeType, SchemaTable};
    ///
    /// let schema = SchemaTable {
    ///     uri: "urn:ietf:params:scim:schemas:core:2.0:User",
    ///     attributes: &[(AttributeInfo::new("userName", AttributeType::String), &[])],
    /// };
    /// let users = |path: &str| Mapping::new().column(path, Column::folded("u.name_key")).check(&schema);
    /// assert!(users("userName").is_ok());
    /// let error = users("user_name").unwrap_err();
    /// assert_eq!(error.to_string(), "`user_name` cannot be mapped: the schema does not define it");
    /// ```
    ///
    /// # Errors
    ///
    /// Of the first path of which that is not so; see [`MappingErrorKind`].
    pub fn check(&self, schema: &impl Schema) -> Result<(), MappingError> {
        let mut before: &[Entry] = &[];
        for (index, entry) in self.entries.iter().enumerate() {
            entry.check(before, schema)?;
            before = self.entries.get(..=index).unwrap_or_default();
        }
        for (index, (extension, _)) in self.documents.iter().enumerate() {
            let path = extension.as_ref().map(AttrName::as_str).unwrap_or_default();
            let refuse = |kind| Err(MappingError { kind, path: path.into() });
            if extension.as_ref().is_some_and(|uri| schema.extension(uri.as_str()).is_none()) {
                return refuse(MappingErrorKind::Unknown);
            }
            if self.documents.iter().take(index).any(|(other, _)| other == extension) {
                return refuse(MappingErrorKind::Twice);
            }
        }
        Ok(())
    }
}

impl Entry {
    fn check(&self, before: &[Self], schema: &impl Schema) -> Result<(), MappingError> {
        let Self { extension, name, sub, source } = self;
        let refuse = |kind| self.refuse(None, kind);
        if name.as_str().contains(':') {
            return refuse(MappingErrorKind::Uri);
        }
        let uri = extension.as_ref().map(AttrName::as_str);
        if uri.is_some_and(|uri| schema.extension(uri).is_none()) {
            return refuse(MappingErrorKind::Unknown);
        }
        let Some(info) = schema.attribute(uri, name.as_str()) else {
            return refuse(MappingErrorKind::Unknown);
        };
        let find = |sub: &AttrName| schema.sub_attribute(uri, name.as_str(), sub.as_str());
        let typed = match sub {
            None => info,
            Some(sub) => match find(sub) {
                Some(typed) => typed,
                None => return refuse(MappingErrorKind::Unknown),
            },
        };
        if before.iter().any(|other| other.answers_for(self)) {
            return refuse(MappingErrorKind::Twice);
        }
        match source {
            Source::Child(_) | Source::Json(_) if sub.is_some() => refuse(MappingErrorKind::NotWhole),
            Source::Json(_) => Ok(()),
            Source::Column(_) if typed.kind == AttributeType::Complex => {
                refuse(MappingErrorKind::NeedsSubAttribute)
            }
            Source::Column(column) => fits(column, &typed).or_else(refuse),
            Source::Child(child) => {
                for (index, (sub, column)) in child.columns.iter().enumerate() {
                    let typed = match info.kind {
                        AttributeType::Complex => find(sub),
                        _ => sub.matches("value").then_some(info),
                    };
                    let fits = match typed {
                        None => Err(MappingErrorKind::Unknown),
                        Some(_) if child.columns.iter().take(index).any(|(other, _)| other == sub) => {
                            Err(MappingErrorKind::Twice)
                        }
                        Some(typed) => fits(column, &typed),
                    };
                    fits.or_else(|kind| self.refuse(Some(sub), kind))?;
                }
                Ok(())
            }
        }
    }

    /// Whether a leaf about `later` may be answered by this entry.
    fn answers_for(&self, later: &Self) -> bool {
        let is_column = |entry: &Self| matches!(entry.source, Source::Column(_));
        let is_json = |entry: &Self| matches!(entry.source, Source::Json(_));
        let beside = is_column(self) && (is_column(later) || is_json(later));
        self.extension == later.extension && self.name == later.name && (self.sub == later.sub || !beside)
    }

    fn refuse(&self, sub: Option<&AttrName>, kind: MappingErrorKind) -> Result<(), MappingError> {
        let mut path = String::new();
        if let Some(extension) = &self.extension {
            path.push_str(extension.as_str());
            path.push(':');
        }
        path.push_str(self.name.as_str());
        for sub in self.sub.iter().chain(sub) {
            path.push('.');
            path.push_str(sub.as_str());
        }
        Err(MappingError { kind, path: path.into() })
    }
}

fn fits(column: &Column, info: &AttributeInfo<'_>) -> Result<(), MappingErrorKind> {
    let collation = Collation { kind: info.kind, case_exact: info.case_exact };
    column.kind.fits(collation).map_err(MappingErrorKind::Column)
}
