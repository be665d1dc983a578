//! `attributes` and `excludedAttributes` (RFC 7644 §3.9).
//!
//! A projection is used twice: a store asks [`includes`](Projection::includes) what it need not
//! read, and the service then takes out of the resource what the response does not carry.
//!
//! ```
//! use scim_core::projection::Projection;
//! use scim_core::schema::Registry;
//! use scim_core::{Resource, Value};
//!
//! let registry = Registry::standard();
//! let user = registry.by_name("User").expect("a standard type");
//! let projection = Projection::parse(user, Some("USERNAME, name.familyName, unheardOf"), None)?;
//! assert!(!projection.includes(user, None, "emails"));
//!
//! let value: Value = r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1",
//!     "userName": "b", "name": {"familyName": "J", "givenName": "B"}, "emails": [{"value": "x"}]}"#.parse()?;
//! let mut resource = Resource(value.as_object().cloned().unwrap_or_default());
//! projection.apply(user, &mut resource);
//! assert_eq!(
//!     resource.0.to_string(),
//!     r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"b","name":{"familyName":"J"}}"#,
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use scim_filter::{AttrName, BoundAttr, Schema as _};

use crate::link::linked_type;
use crate::membership::{MEMBERS, member_reference};
use crate::schema::{Attribute, ResourceSchema, Returned};
use crate::value::{Object, Value};
use crate::{Error, Resource, ScimType};

/// Which attributes of a resource a response carries.
///
/// The default is a response to a request that names none: all but those returned on request.
/// Whatever is asked for, attributes that are `returned: always` (`id`, `schemas`) stay, and those
/// that are never returned go.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    selection: Selection,
    /// What a write named: of it, what is returned on request is carried too.
    written: Vec<Selector>,
    /// Of one attribute, the `value`s of the only values that are asked for.
    values: Option<(AttrName, Arc<[Box<str>]>)>,
}

#[derive(Clone, Debug, Default)]
enum Selection {
    #[default]
    Default,
    Only(Vec<Selector>),
    Except(Vec<Selector>),
}

/// One attribute that a request names.
#[derive(Clone, Debug, PartialEq)]
struct Selector {
    extension: Option<AttrName>,
    /// `None`: everything of the extension, or of the base schema.
    attribute: Option<AttrName>,
    sub: Option<AttrName>,
}

/// What a response carries of one attribute.
pub(crate) enum Kept<'s> {
    No,
    Whole,
    /// These of its sub-attributes, and what its schema does not define of it.
    Parts(&'s Attribute, Vec<&'s Attribute>),
}

impl Kept<'_> {
    /// Whether the response carries the sub-attribute called `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::No => false,
            Self::Whole => true,
            Self::Parts(attribute, kept) => attribute
                .sub_attribute(name)
                .is_none_or(|sub| kept.iter().any(|kept| std::ptr::eq(*kept, sub))),
        }
    }
}

/// What the selectors say of one attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    No,
    Whole,
    /// Some of its sub-attributes.
    Parts,
}

impl Projection {
    /// Parses the two query parameters: names separated by commas, in any case, URI-qualified or
    /// not, of attributes, sub-attributes or whole extensions. Names that no schema of the
    /// resource type defines are ignored; an empty parameter counts as absent.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` for a request that has both (RFC 7644 §3.9: they are mutually exclusive).
    pub fn parse(
        schema: &ResourceSchema,
        attributes: Option<&str>,
        excluded_attributes: Option<&str>,
    ) -> Result<Self, Error> {
        let given = |text: Option<&'_ str>| text.is_some_and(|text| !text.trim().is_empty());
        let selection = match (given(attributes), given(excluded_attributes)) {
            (true, true) => {
                let detail = "`attributes` and `excludedAttributes` exclude one another";
                return Err(Error::bad_request(ScimType::InvalidValue, detail));
            }
            (true, false) => Selection::Only(selectors(schema, attributes.unwrap_or_default())),
            (false, true) => Selection::Except(selectors(schema, excluded_attributes.unwrap_or_default())),
            (false, false) => Selection::Default,
        };
        Ok(Self { selection, ..Self::default() })
    }

    /// Everything but the top-level attribute `name`: what PATCH reads of a group.
    pub fn without(name: &str) -> Self {
        let selector = Selector { extension: None, attribute: Some(name.into()), sub: None };
        Self { selection: Selection::Except(vec![selector]), ..Self::default() }
    }

    /// The same, but of the values of the multi-valued attribute `name` those alone that have one of these
    /// `value`s: what PATCH reads of a group of which it changes some members.
    ///
    /// It says what a store need not read, and nothing about a response.
    ///
    /// ```
    /// use scim_core::projection::Projection;
    /// let projection = Projection::default().with_values("members", &["2819c223".into()]);
    /// assert_eq!(projection.values_of("members"), Some(&["2819c223".into()][..]));
    /// assert_eq!(projection.values_of("emails"), None);
    /// ```
    #[must_use]
    pub fn with_values(self, name: &str, values: &[Box<str>]) -> Self {
        Self { values: Some((name.into(), values.into())), ..self }
    }

    /// The `value`s of the values of the multi-valued attribute `name` that a store must read, if it need not read
    /// the others. A store that keeps such values apart, as the members of groups, should look these up.
    pub fn values_of(&self, name: &str) -> Option<&[Box<str>]> {
        self.values.as_ref().filter(|(of, _)| of.matches(name)).map(|(_, values)| &**values)
    }

    /// The same for the answer to a POST or PUT of `body`: attributes that are returned on request are
    /// carried if the client wrote them (RFC 7643 §7, `returned`).
    pub(crate) fn of_write(mut self, schema: &ResourceSchema, body: &Value) -> Self {
        let names = |object: &Object, uri: Option<&str>| -> Vec<Selector> {
            let written = object.iter().filter_map(|(name, _)| schema.find(uri, name.as_str()));
            let written = written.filter(|attribute| has_requested(attribute));
            written
                .map(|attribute| Selector {
                    extension: uri.map(AttrName::new),
                    attribute: Some(AttrName::new(&attribute.name)),
                    sub: None,
                })
                .collect()
        };
        if let Some(body) = body.as_object() {
            self.written.extend(names(body, None));
            for extension in schema.extensions() {
                if let Some(object) = body.get(&extension.id).and_then(Value::as_object) {
                    self.written.extend(names(object, Some(&extension.id)));
                }
            }
        }
        self
    }

    /// The same for the answer to a PATCH that names these: extension, attribute, sub-attribute.
    pub(crate) fn of_patch<'n>(
        mut self,
        schema: &ResourceSchema,
        named: impl Iterator<Item = [Option<&'n AttrName>; 3]>,
    ) -> Self {
        let requested = |[extension, attribute, _]: &[Option<&AttrName>; 3]| match attribute {
            Some(name) => {
                schema.find(extension.map(AttrName::as_str), name.as_str()).is_some_and(has_requested)
            }
            None => true,
        };
        let selector = |[extension, attribute, sub]: [Option<&AttrName>; 3]| Selector {
            extension: extension.cloned(),
            attribute: attribute.cloned(),
            sub: sub.cloned(),
        };
        for selector in named.filter(requested).map(selector) {
            if !self.written.contains(&selector) {
                self.written.push(selector);
            }
        }
        self
    }

    /// The same with the attribute read too, for who needs its value besides.
    pub(crate) fn reading(mut self, attribute: &BoundAttr) -> Self {
        let (extension, name) = (&attribute.extension, &attribute.name);
        match &mut self.selection {
            Selection::Default => {}
            Selection::Only(selectors) => selectors.push(Selector {
                extension: extension.clone(),
                attribute: Some(name.clone()),
                sub: None,
            }),
            Selection::Except(selectors) => selectors.retain(|selector| {
                let other = selector.attribute.as_ref().is_some_and(|other| !other.matches(name.as_str()));
                other || !selector.is_in(extension.as_ref().map(AttrName::as_str))
            }),
        }
        self
    }

    /// What is to be read for an answer with the URIs of members and the like, which are made of other sub-attributes;
    /// `None` where that is no more than it is.
    pub(crate) fn widened(&self, schema: &ResourceSchema) -> Option<Self> {
        let is_linked = |selector: &Selector| {
            let Some(name) = selector.attribute.as_ref().filter(|_| selector.sub.is_some()) else {
                return false;
            };
            let is_members =
                selector.is_in(None) && name.matches(MEMBERS) && member_reference(schema).is_some();
            let uri = selector.extension.as_ref().map(AttrName::as_str);
            is_members || schema.find(uri, name.as_str()).and_then(linked_type).is_some()
        };
        let selection = match &self.selection {
            Selection::Default => return None,
            Selection::Only(selectors) | Selection::Except(selectors) if !selectors.iter().any(is_linked) => {
                return None;
            }
            Selection::Only(selectors) => {
                let linked = selectors.iter().filter(|selector| is_linked(selector));
                let wholes = linked.map(|selector| Selector { sub: None, ..selector.clone() });
                Selection::Only(selectors.iter().cloned().chain(wholes).collect())
            }
            Selection::Except(selectors) => {
                Selection::Except(selectors.iter().filter(|selector| !is_linked(selector)).cloned().collect())
            }
        };
        Some(Self { selection, ..self.clone() })
    }

    /// Whether it is that of a request that names none.
    pub(crate) fn is_default(&self) -> bool {
        matches!(self.selection, Selection::Default)
    }

    /// Whether a store must read the attribute: unless the response carries nothing of it, or the
    /// client asked to leave it out.
    ///
    /// The default projection, and one [`without`](Self::without) a name, include attributes that
    /// are never returned too, since what is read may be written back.
    pub fn includes(&self, schema: &ResourceSchema, extension: Option<&str>, name: &str) -> bool {
        let extension = extension.filter(|uri| !uri.eq_ignore_ascii_case(&schema.base().id));
        let always =
            || schema.find(extension, name).is_some_and(|attribute| attribute.returned == Returned::Always);
        match &self.selection {
            Selection::Default => true,
            Selection::Only(selectors) => named(selectors, extension, name) != Named::No || always(),
            Selection::Except(selectors) => named(selectors, extension, name) != Named::Whole || always(),
        }
    }

    /// Takes out of `resource` what the response does not carry, by `returned` and by request.
    ///
    /// Attributes the schema does not define, which a policy may have added, are carried unless
    /// the request names the ones it wants.
    pub fn apply(&self, schema: &ResourceSchema, resource: &mut Resource) {
        resource.0.retain(|name, value| {
            let Some(extension) = schema.extension(name.as_str()) else {
                return match schema.find(None, name.as_str()) {
                    Some(attribute) => self.keep(None, attribute, value),
                    None => !matches!(self.selection, Selection::Only(_)),
                };
            };
            let Value::Object(object) = value else { return false };
            object.retain(|name, value| match schema.find(Some(&extension.id), name.as_str()) {
                Some(attribute) => self.keep(Some(&extension.id), attribute, value),
                None => !matches!(self.selection, Selection::Only(_)),
            });
            !object.is_empty()
        });
    }

    /// What stays of an attribute that the schema defines.
    pub(crate) fn kept<'s>(&self, extension: Option<&str>, attribute: &'s Attribute) -> Kept<'s> {
        let whole = match &self.selection {
            Selection::Default => Named::No,
            Selection::Only(selectors) | Selection::Except(selectors) => {
                named(selectors, extension, &attribute.name)
            }
        };
        let stays = match (attribute.is_sensitive(), attribute.returned, &self.selection) {
            (true, _, _) => false,
            (_, Returned::Always, _) => true,
            (_, _, Selection::Only(_)) => whole != Named::No,
            (_, Returned::Request, _) => {
                whole != Named::Whole && named(&self.written, extension, &attribute.name) != Named::No
            }
            (_, _, Selection::Default) => true,
            (_, _, Selection::Except(_)) => whole != Named::Whole,
        };
        if !stays {
            return Kept::No;
        }
        if attribute.sub_attributes.is_empty() || !self.has_parts(attribute, whole) {
            return Kept::Whole;
        }
        let keep_sub = |sub: &Attribute| {
            let named = match &self.selection {
                Selection::Default => false,
                Selection::Only(selectors) | Selection::Except(selectors) => {
                    names_sub(selectors, extension, &attribute.name, &sub.name)
                }
            };
            match (sub.is_sensitive(), sub.returned, &self.selection) {
                (true, _, _) => false,
                (_, Returned::Always, _) => true,
                (_, Returned::Request, Selection::Only(_)) => named,
                (_, Returned::Request, _) => !named && self.wrote_sub(extension, attribute, sub),
                (_, _, Selection::Only(_)) => named || whole != Named::Parts,
                (_, _, Selection::Default) => true,
                (_, _, Selection::Except(_)) => !named,
            }
        };
        Kept::Parts(attribute, attribute.sub_attributes.iter().filter(|sub| keep_sub(sub)).collect())
    }

    /// What stays of an attribute that the schema does not define, which a policy may have added.
    pub(crate) fn kept_unknown(&self) -> Kept<'static> {
        if matches!(self.selection, Selection::Only(_)) { Kept::No } else { Kept::Whole }
    }

    /// Whether anything of the attribute stays; takes the sub-attributes out that do not.
    fn keep(&self, extension: Option<&str>, attribute: &Attribute, value: &mut Value) -> bool {
        let kept = self.kept(extension, attribute);
        let retain = |object: &mut Object| {
            object.retain(|name, _| kept.has(name.as_str()));
            !object.is_empty()
        };
        match kept {
            Kept::No => return false,
            Kept::Whole => return true,
            Kept::Parts(..) => {}
        }
        match value {
            Value::Array(elements) => {
                elements.retain_mut(|element| element.as_object_mut().is_none_or(retain));
                !elements.is_empty()
            }
            Value::Object(object) => retain(object),
            _ => true,
        }
    }

    /// Whether a write named the sub-attribute, or all of the attribute.
    fn wrote_sub(&self, extension: Option<&str>, attribute: &Attribute, sub: &Attribute) -> bool {
        named(&self.written, extension, &attribute.name) == Named::Whole
            || names_sub(&self.written, extension, &attribute.name, &sub.name)
    }

    /// Whether not all sub-attributes of an attribute stay. Where all do, its values, which may be
    /// a million members, need not be looked at.
    fn has_parts(&self, attribute: &Attribute, whole: Named) -> bool {
        whole == Named::Parts
            || attribute
                .sub_attributes
                .iter()
                .any(|sub| sub.is_sensitive() || sub.returned == Returned::Request)
    }
}

/// Whether the attribute, or a sub-attribute of it, is returned on request.
fn has_requested(attribute: &Attribute) -> bool {
    std::iter::once(attribute)
        .chain(&attribute.sub_attributes)
        .any(|attribute| attribute.returned == Returned::Request)
}

/// The known attributes that a query parameter names, each once.
fn selectors(schema: &ResourceSchema, text: &str) -> Vec<Selector> {
    let mut selectors = Vec::new();
    for name in text.split(',') {
        // Bounded by the schema: names it does not define are not kept, nor is one kept twice.
        if let Some(selector) = selector(schema, name.trim())
            && !selectors.contains(&selector)
        {
            selectors.push(selector);
        }
    }
    selectors
}

fn selector(schema: &ResourceSchema, name: &str) -> Option<Selector> {
    let (uri, rest) = match schema.schema_uri_len(name) {
        Some(length) => (name.get(..length), name.get(length..)?.strip_prefix(':')),
        None => (None, Some(name)),
    };
    let extension = uri.and_then(|uri| schema.extension(uri)).map(|schema| schema.id.as_str());
    let Some(rest) = rest else {
        return Some(Selector { extension: extension.map(AttrName::new), attribute: None, sub: None });
    };
    let (name, sub) = match rest.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (rest, None),
    };
    let attribute = schema.find(extension, name)?;
    let sub = match sub {
        Some(sub) => Some(AttrName::new(&attribute.sub_attribute(sub)?.name)),
        None => None,
    };
    Some(Selector {
        extension: extension.map(AttrName::new),
        attribute: Some(AttrName::new(&attribute.name)),
        sub,
    })
}

impl Selector {
    fn is_in(&self, extension: Option<&str>) -> bool {
        match (&self.extension, extension) {
            (None, None) => true,
            (Some(own), Some(extension)) => own.matches(extension),
            _ => false,
        }
    }
}

fn named(selectors: &[Selector], extension: Option<&str>, name: &str) -> Named {
    let mut named = Named::No;
    for selector in selectors.iter().filter(|selector| selector.is_in(extension)) {
        match (&selector.attribute, &selector.sub) {
            (None, _) => return Named::Whole,
            (Some(attribute), None) if attribute.matches(name) => return Named::Whole,
            (Some(attribute), Some(_)) if attribute.matches(name) => named = Named::Parts,
            _ => {}
        }
    }
    named
}

fn names_sub(selectors: &[Selector], extension: Option<&str>, name: &str, sub: &str) -> bool {
    selectors.iter().any(|selector| {
        selector.is_in(extension)
            && selector.attribute.as_ref().is_some_and(|attribute| attribute.matches(name))
            && selector.sub.as_ref().is_some_and(|own| own.matches(sub))
    })
}
