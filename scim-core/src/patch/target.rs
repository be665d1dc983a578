//! What a path points at: an attribute, the values a filter selects, a sub-attribute.

use scim_filter::{
    AttrName, AttributeType, BindError, BindErrorKind, BindOptions, BoundPath, PatchPath, Schema as _,
};

use super::at::At;
use super::select::Selection;
use super::{PatchOptions, keyed, needs, refuse};
use crate::error::quote;
use crate::leniency::Leniency;
use crate::schema::{Attribute, ResourceSchema};
use crate::{Error, ScimType};

/// An attribute, with what of it is meant.
#[derive(Clone)]
pub(super) struct Target {
    /// The extension that holds the attribute.
    pub(super) extension: Option<AttrName>,
    /// The attribute.
    pub(super) attribute: AttrName,
    /// Whether the attribute is keyed.
    pub(super) keyed: bool,
    /// Which of its values; all, if there is none.
    pub(super) selection: Option<Selection>,
    /// Which sub-attribute of them.
    pub(super) sub: Option<AttrName>,
}

/// What a path can name.
pub(super) enum Place<'s> {
    /// The resource itself: the URI of the base schema.
    Resource,
    /// The object of an extension: its URI.
    Extension(AttrName),
    /// An attribute, its definition, and that of the sub-attribute.
    Attribute { target: Target, attribute: &'s Attribute, sub: Option<&'s Attribute> },
}

/// Why a path names nothing.
pub(super) enum PathError {
    /// It is well-formed, but no schema defines the attribute.
    Unknown(Error),
    /// Anything else.
    Refused(Error),
}

impl From<PathError> for Error {
    fn from(error: PathError) -> Self {
        match error {
            PathError::Unknown(error) | PathError::Refused(error) => error,
        }
    }
}

/// Resolves the path `text` found at `at`.
pub(super) fn resolve<'s>(
    schema: &'s ResourceSchema,
    text: &str,
    at: &At,
    options: &PatchOptions,
    fired: &mut Vec<Leniency>,
) -> Result<Place<'s>, PathError> {
    let path = PatchPath::parse_with(text, &options.path)
        .map_err(|error| PathError::Refused(refuse(ScimType::InvalidPath, at, error)))?;
    let bound = bind(schema, &path, at, options, fired)?;
    if bound.attribute.is_none() {
        return Ok(bound.extension.map_or(Place::Resource, Place::Extension));
    }
    place(schema, bound, at)
}

/// The attribute `name` of the base schema or of `extension`, as a whole.
pub(super) fn whole<'s>(attribute: &'s Attribute, extension: Option<&AttrName>) -> Place<'s> {
    let target = Target {
        extension: extension.cloned(),
        attribute: AttrName::new(&attribute.name),
        keyed: extension.is_none() && keyed(attribute),
        selection: None,
        sub: None,
    };
    Place::Attribute { target, attribute, sub: None }
}

fn bind(
    schema: &ResourceSchema,
    path: &PatchPath,
    at: &At,
    options: &PatchOptions,
    fired: &mut Vec<Leniency>,
) -> Result<BoundPath, PathError> {
    let strict = match path.bind(schema, &BindOptions::default()) {
        Ok(bound) => return Ok(bound),
        Err(error) => error,
    };
    let tolerant = BindOptions { boolean_strings: true };
    let error = match path.bind(schema, &tolerant) {
        Ok(bound) => {
            if options.leniencies.take(Leniency::BooleanString, fired) {
                return Ok(bound);
            }
            return Err(PathError::Refused(needs(
                Leniency::BooleanString,
                ScimType::InvalidPath,
                at,
                strict,
            )));
        }
        // What the leniency would have passed over is not what is wrong.
        Err(error) if options.leniencies.allows(Leniency::BooleanString) => error,
        Err(_) => strict,
    };
    let described = refuse(ScimType::InvalidPath, at, &error);
    if !points_at_unknown(schema, path, &error) {
        return Err(PathError::Refused(described));
    }
    let named = path.attr_path().as_str();
    let name = named.split_once('.').map_or(named, |(name, _)| name);
    let known = schema.find(None, name).is_some();
    let owner = schema.extensions().iter().find(|extension| schema.find(Some(&extension.id), name).is_some());
    let Some(extension) = owner.filter(|_| !known) else {
        return Err(PathError::Unknown(described));
    };
    if !options.leniencies.take(Leniency::BareExtensionAttribute, fired) {
        let what = format_args!("{} needs the prefix `{}:`", quote(named), extension.id);
        let error = needs(Leniency::BareExtensionAttribute, ScimType::InvalidPath, at, what);
        return Err(PathError::Unknown(error));
    }
    let qualified = format!("{}:{}", extension.id, path.as_str());
    let mut parse = options.path.clone();
    // The prefix is ours and does not count.
    parse.limits.max_bytes = parse.limits.max_bytes.saturating_add(extension.id.len() + 1);
    let path = PatchPath::parse_with(&qualified, &parse)
        .map_err(|error| PathError::Refused(refuse(ScimType::InvalidPath, at, error)))?;
    let bind = BindOptions { boolean_strings: options.leniencies.allows(Leniency::BooleanString) };
    path.bind(schema, &bind).map_err(|error| {
        let described = refuse(ScimType::InvalidPath, at, &error);
        if points_at_unknown(schema, &path, &error) {
            PathError::Unknown(described)
        } else {
            PathError::Refused(described)
        }
    })
}

/// Whether `error`, with which `path` did not bind to `schema`, is that no schema defines what the path
/// points at: a service provider that ignores what it does not know ([`Leniency::UnknownPath`]) loses
/// nothing by passing over such an operation.
///
/// An attribute that only the filter names is not what is pointed at, and an attribute that is not
/// complex has no part that could be ignored: both are mistakes about what the provider does know.
///
/// ```
/// use scim_core::patch::points_at_unknown;
/// use scim_core::schema::{Registry, ResourceSchema};
/// use scim_filter::{BindOptions, PatchPath};
///
/// let registry = Registry::standard();
/// let users: &ResourceSchema = registry.by_name("User").expect("the standard registry has users");
/// let unknown = |text| {
///     let path = PatchPath::parse(text).expect("a path");
///     let error = path.bind(users, &BindOptions::default()).expect_err("names what there is not");
///     points_at_unknown(users, &path, &error)
/// };
/// assert!(unknown("shoeSize"));
/// assert!(unknown("emails[primary eq true].shoeSize"));
/// assert!(!unknown("emails[shoeSize eq 7].value"));
/// assert!(!unknown("title.shoeSize"));
/// ```
pub fn points_at_unknown(schema: &ResourceSchema, path: &PatchPath, error: &BindError) -> bool {
    let attr = path.attr_path();
    let in_filter = path.value_filter().is_some()
        && error.span().start >= attr.span().end
        && path.as_str().rfind(']').is_some_and(|end| error.span().start < end);
    if in_filter || !error.kind().is_unknown() {
        return false;
    }
    if *error.kind() != BindErrorKind::UnknownSubAttribute {
        return true;
    }
    let text = attr.as_str();
    let (uri, name) = match schema.schema_uri_len(text).and_then(|length| text.split_at_checked(length)) {
        Some((uri, name)) => (Some(uri), name.strip_prefix(':').unwrap_or(name)),
        None => (None, text),
    };
    let name = name.split_once('.').map_or(name, |(name, _)| name);
    schema.attribute(uri, name).is_none_or(|attribute| attribute.kind == AttributeType::Complex)
}

fn place<'s>(schema: &'s ResourceSchema, bound: BoundPath, at: &At) -> Result<Place<'s>, PathError> {
    let refused = |what: String| PathError::Refused(refuse(ScimType::InvalidPath, at, what));
    let extension = bound.extension.as_ref();
    let name = bound.attribute.as_ref().map_or("", AttrName::as_str);
    let attribute = schema
        .find(extension.map(AttrName::as_str), name)
        .ok_or_else(|| refused(format!("{} is no attribute", quote(name))))?;
    let sub = match &bound.sub {
        None => None,
        Some(sub) => Some(
            attribute
                .sub_attribute(sub.as_str())
                .ok_or_else(|| refused(format!("`{name}` has no sub-attribute {}", quote(sub.as_str()))))?,
        ),
    };
    let keyed = extension.is_none() && keyed(attribute);
    let selection = match bound.filter {
        None => None,
        Some(_) if !attribute.multi_valued => {
            return Err(refused(format!("`{name}` has one value, so no filter can select among several")));
        }
        Some(filter) => Some(Selection::new(filter, keyed)),
    };
    let target = Target {
        extension: bound.extension,
        attribute: AttrName::new(&attribute.name),
        keyed,
        selection,
        sub: sub.map(|sub| AttrName::new(&sub.name)),
    };
    Ok(Place::Attribute { target, attribute, sub })
}
