//! PATCH paths: `attrPath / valuePath [subAttr]` (RFC 7644 figure 7).

use crate::{
    AttrName, AttrPath, BindError, BindOptions, BoundFilter, ParseError, ParseOptions, Schema, Term,
};

/// A parsed PATCH path.
#[derive(Clone)]
pub struct PatchPath {}

impl PatchPath {
    /// Parses `text` within the default limits.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::parse_with(text, &ParseOptions::default())
    }

    /// Parses `text` with the given limits and leniencies.
    pub fn parse_with(text: &str, options: &ParseOptions) -> Result<Self, ParseError> {
        let _ = (text, options);
        todo!()
    }

    /// The text the path was parsed from.
    pub fn as_str(&self) -> &str {
        todo!()
    }

    /// The attribute the path names, with its URI and, where there is no value filter, its sub-attribute.
    pub fn attr_path(&self) -> AttrPath<'_> {
        todo!()
    }

    /// The filter in brackets.
    pub fn value_filter(&self) -> Option<Term<'_>> {
        todo!()
    }

    /// The sub-attribute after the brackets.
    pub fn sub_attr(&self) -> Option<&str> {
        todo!()
    }

    /// Resolves the path against `schema`.
    pub fn bind(&self, schema: &impl Schema, options: &BindOptions) -> Result<BoundPath, BindError> {
        let _ = (schema, options);
        todo!()
    }
}

/// A PATCH path bound to a schema; names have their canonical spelling.
#[derive(Clone)]
pub struct BoundPath {
    /// The extension the path is in; with no attribute, the whole extension object.
    pub extension: Option<AttrName>,
    /// The attribute; `None` names the extension object itself (or, with no extension either,
    /// the whole resource: a path that is the base schema's URI).
    pub attribute: Option<AttrName>,
    /// Which values of the attribute.
    pub filter: Option<BoundFilter>,
    /// Which sub-attribute.
    pub sub: Option<AttrName>,
}
