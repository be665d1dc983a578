//! A schema as a constant, for those who have no other.

use crate::{AttributeInfo, AttributeType, Schema};

/// A schema written down as a table, which may be a constant.
///
/// Attributes are looked up one after the other, so this is for schemas of some dozens. The common
/// attributes (`id`, `externalId`, `schemas`, `meta`) are not implied; list those that can be
/// filtered by.
///
/// ```
/// use scim_filter::AttributeType::{Complex, DateTime, String};
/// use scim_filter::{AttributeInfo, BindOptions, Filter, SchemaTable};
///
/// const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// const USER: SchemaTable<'static> = SchemaTable {
///     uri: "urn:ietf:params:scim:schemas:core:2.0:User",
///     attributes: &[
///         (AttributeInfo::new("id", String).case_exact(), &[]),
///         (AttributeInfo::new("userName", String), &[]),
///         (AttributeInfo::new("password", String).sensitive(), &[]),
///         (
///             AttributeInfo::new("emails", Complex).multi_valued(),
///             &[AttributeInfo::new("value", String), AttributeInfo::new("type", String)],
///         ),
///         (AttributeInfo::new("meta", Complex), &[AttributeInfo::new("lastModified", DateTime)]),
///         (AttributeInfo::new("department", String).of_extension(ENTERPRISE), &[]),
///     ],
/// };
///
/// let filter = Filter::parse(r#"emails[TYPE eq "work"] and meta.lastModified gt "2011-05-13T04:42:34Z""#)?;
/// assert!(filter.bind(&USER, &BindOptions::default()).is_ok());
///
/// let error = Filter::parse("password pr")?.bind(&USER, &BindOptions::default()).unwrap_err();
/// assert_eq!(error.to_string(), "`password` cannot be used in a filter, at byte 0");
/// # Ok::<(), scim_filter::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SchemaTable<'t> {
    /// The URI of the base schema.
    pub uri: &'t str,
    /// The attributes, each with its sub-attributes.
    pub attributes: &'t [(AttributeInfo<'t>, &'t [AttributeInfo<'t>])],
}

impl<'t> AttributeInfo<'t> {
    /// A single-valued attribute of the base schema that compares without case.
    pub const fn new(name: &'t str, kind: AttributeType) -> Self {
        Self { name, extension: None, kind, multi_valued: false, case_exact: false, sensitive: false }
    }

    /// The same, but holding an array of values.
    pub const fn multi_valued(self) -> Self {
        Self { multi_valued: true, ..self }
    }

    /// The same, but comparing with case.
    pub const fn case_exact(self) -> Self {
        Self { case_exact: true, ..self }
    }

    /// The same, but never to be revealed.
    pub const fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    /// The same, but in the extension `uri`.
    pub const fn of_extension(self, uri: &'t str) -> Self {
        Self { extension: Some(uri), ..self }
    }
}

impl SchemaTable<'_> {
    fn find(&self, uri: Option<&str>, name: &str) -> Option<&(AttributeInfo<'_>, &[AttributeInfo<'_>])> {
        let extension = uri.filter(|uri| !uri.eq_ignore_ascii_case(self.uri));
        self.attributes.iter().find(|(info, _)| {
            let same_schema = match (info.extension, extension) {
                (Some(of), Some(uri)) => of.eq_ignore_ascii_case(uri),
                (None, None) => true,
                _ => false,
            };
            same_schema && info.name.eq_ignore_ascii_case(name)
        })
    }

    fn uris(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().filter_map(|(info, _)| info.extension).chain([self.uri])
    }
}

impl Schema for SchemaTable<'_> {
    fn schema_uri_len(&self, path: &str) -> Option<usize> {
        let begins = |uri: &&str| {
            let (head, rest) = (path.as_bytes().get(..uri.len()), path.as_bytes().get(uri.len()));
            head.is_some_and(|head| head.eq_ignore_ascii_case(uri.as_bytes()))
                && matches!(rest, None | Some(b':'))
        };
        self.uris().filter(begins).map(str::len).max()
    }

    fn attribute(&self, uri: Option<&str>, name: &str) -> Option<AttributeInfo<'_>> {
        self.find(uri, name).map(|(info, _)| *info)
    }

    fn sub_attribute(&self, uri: Option<&str>, name: &str, sub: &str) -> Option<AttributeInfo<'_>> {
        let (_, subs) = self.find(uri, name)?;
        subs.iter().find(|info| info.name.eq_ignore_ascii_case(sub)).copied()
    }

    fn sensitive_sub_attribute(&self, uri: Option<&str>, name: &str) -> Option<AttributeInfo<'_>> {
        let (_, subs) = self.find(uri, name)?;
        subs.iter().find(|info| info.sensitive).copied()
    }

    fn extension(&self, uri: &str) -> Option<&str> {
        self.attributes
            .iter()
            .filter_map(|(info, _)| info.extension)
            .find(|extension| extension.eq_ignore_ascii_case(uri))
    }
}
