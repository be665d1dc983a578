//! PATCH paths: `attrPath / valuePath [subAttr]` (RFC 7644 figure 7), and with erratum 7122 also
//! `attrExp`.

use std::str::FromStr;

use crate::ast::Slice;
use crate::{
    AttrName, AttrPath, BindError, BindOptions, BoundFilter, Filter, ParseError, ParseOptions, Schema, Term,
};

/// A parsed PATCH path (RFC 7644 §3.5.2).
///
/// Besides the two forms of the RFC's figure 7, a path may be the URI of a schema, which names the
/// whole extension object, or an attribute expression (erratum 7122), which selects values of an
/// attribute without sub-attributes: `schemas eq "urn:…"`.
///
/// ```
/// use scim_filter::PatchPath;
///
/// let path = PatchPath::parse("emails[type eq \"work\"].value")?;
/// assert_eq!(path.attr_path().as_str(), "emails");
/// assert_eq!(path.value_filter().map(|filter| filter.to_string()).as_deref(), Some("type eq \"work\""));
/// assert_eq!(path.sub_attr(), Some("value"));
///
/// let path = PatchPath::parse("name.familyName")?;
/// assert_eq!((path.attr_path().name(), path.attr_path().sub_attr()), ("name", Some("familyName")));
/// # Ok::<(), scim_filter::ParseError>(())
/// ```
#[derive(Clone)]
pub struct PatchPath {
    // The text and the value filter, if there is one.
    tree: Filter,
    attr: Slice,
    sub: Option<Slice>,
    has_filter: bool,
    is_expression: bool,
}

impl PatchPath {
    /// Parses `text` within the default limits.
    ///
    /// # Errors
    ///
    /// If `text` is no path, or asks for more than the limits.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::parse_with(text, &ParseOptions::default())
    }

    /// Parses `text` with the given limits and leniencies.
    ///
    /// # Errors
    ///
    /// If `text` is no path, or asks for more than the limits.
    pub fn parse_with(text: &str, options: &ParseOptions) -> Result<Self, ParseError> {
        let parsed = crate::parse::path(text, options)?;
        Ok(Self {
            tree: parsed.tree,
            attr: parsed.attr,
            sub: parsed.sub,
            has_filter: parsed.has_filter,
            is_expression: parsed.is_expression,
        })
    }

    /// The text the path was parsed from.
    pub fn as_str(&self) -> &str {
        self.tree.as_str()
    }

    /// The attribute the path names, with its URI and, where there is no value filter, its sub-attribute.
    ///
    /// A path that is the URI of a schema is found here too: only
    /// [binding](Self::bind) can tell that its end is no attribute.
    pub fn attr_path(&self) -> AttrPath<'_> {
        self.tree.attr_path(self.attr)
    }

    /// The filter in brackets; or the whole path, if it is an attribute expression.
    pub fn value_filter(&self) -> Option<Term<'_>> {
        self.has_filter.then(|| self.tree.root_term())
    }

    /// Whether the path is an attribute expression (erratum 7122) instead of one in brackets.
    pub fn is_expression(&self) -> bool {
        self.is_expression
    }

    /// The sub-attribute after the brackets.
    pub fn sub_attr(&self) -> Option<&str> {
        self.sub.map(|sub| self.tree.slice(sub))
    }

    /// Resolves the path against `schema`.
    ///
    /// An attribute expression becomes a value filter: `emails.type eq "work"` selects what
    /// `emails[type eq "work"]` does. A path may name an attribute that must not be revealed (a
    /// password can be replaced), but its value filter may not.
    ///
    /// # Errors
    ///
    /// If the path names what the schema does not define, or its value filter asks what makes no
    /// sense for the type.
    pub fn bind(&self, schema: &impl Schema, options: &BindOptions) -> Result<BoundPath, BindError> {
        crate::bind::path(self, schema, options)
    }

    pub(crate) fn tree(&self) -> &Filter {
        &self.tree
    }

    pub(crate) fn sub_slice(&self) -> Option<Slice> {
        self.sub
    }
}

impl FromStr for PatchPath {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl PartialEq for PatchPath {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: Option<&str>, b: Option<&str>| match (a, b) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a.is_none() && b.is_none(),
        };
        self.is_expression == other.is_expression
            && same(Some(self.attr_path().as_str()), Some(other.attr_path().as_str()))
            && same(self.sub_attr(), other.sub_attr())
            && self.value_filter() == other.value_filter()
    }
}

impl Eq for PatchPath {}

/// A PATCH path bound to a schema; names have their canonical spelling.
#[derive(Clone, Debug)]
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
