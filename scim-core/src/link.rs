//! Attributes that name a resource by its `id`, and have its URI beside it: `manager` (RFC 7643 §4.3).
//!
//! Where the schema says that the resource is of one type, `$ref` says nothing that `value` does not, and the service
//! provider writes it. What a client sends of it beside a `value` is passed over: a relative URI that was meant for
//! another base, or what an administrator wrote into a template. A `$ref` without `value` stays as it was sent.

use scim_filter::{AttrName, AttributeType};

use crate::membership::{MEMBERS, REFERENCE, member_reference};
use crate::schema::{Attribute, Mutability, Registry, ResourceSchema};
use crate::value::{Object, Value};

/// Where such an attribute is.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// The extension that holds the attribute.
    pub(crate) extension: Option<AttrName>,
    /// The attribute.
    pub(crate) attribute: AttrName,
    // The same as text of JSON.
    quoted: Box<[u8]>,
}

impl Link {
    /// Those of the resources of a type, each with the type of what it names.
    pub(crate) fn all<'r>(
        registry: &'r Registry,
        schema: &'r ResourceSchema,
    ) -> impl Iterator<Item = (Self, &'r ResourceSchema)> {
        let is_members = |attribute: &Attribute| {
            attribute.name.eq_ignore_ascii_case(MEMBERS) && member_reference(schema).is_some()
        };
        let base = schema.top_level().filter(move |attribute| !is_members(attribute));
        let base = base.map(|attribute| (None, attribute));
        let extended = schema.extensions().iter().flat_map(|extension| {
            extension.attributes.iter().map(|attribute| (Some(extension.id.as_str()), attribute))
        });
        base.chain(extended).filter_map(|(extension, attribute)| {
            let of = registry.by_name(linked_type(attribute)?)?;
            Some((Self::new(extension, &attribute.name), &**of))
        })
    }

    fn new(extension: Option<&str>, attribute: &str) -> Self {
        let quoted = format!("\"{attribute}\"").into_bytes().into();
        Self { extension: extension.map(AttrName::new), attribute: AttrName::new(attribute), quoted }
    }

    /// The attribute in error details, by its whole path.
    pub(crate) fn path(&self) -> String {
        match &self.extension {
            Some(uri) => format!("{uri}:{}", self.attribute),
            None => self.attribute.to_string(),
        }
    }

    /// Whether it is the attribute `name`, of that extension.
    pub(crate) fn is(&self, extension: Option<&str>, name: &str) -> bool {
        let same = match extension {
            Some(uri) => self.is_in(uri),
            None => self.extension.is_none(),
        };
        same && self.attribute.matches(name)
    }

    /// Whether it is in the extension.
    pub(crate) fn is_in(&self, uri: &str) -> bool {
        self.extension.as_ref().is_some_and(|own| own.matches(uri))
    }

    /// Whether the object that has it may have a value of it, in the text of a writer of JSON, who escapes no letter.
    pub(crate) fn may_be_in(&self, json: &str) -> bool {
        let Some(letter) = self.quoted.get(1) else { return false };
        let text = json.as_bytes();
        let is_it = |at: usize| {
            let found = at.checked_sub(1).and_then(|at| text.get(at..at + self.quoted.len()));
            found.is_some_and(|found| found.eq_ignore_ascii_case(&self.quoted))
        };
        memchr::memchr2_iter(letter.to_ascii_lowercase(), letter.to_ascii_uppercase(), text).any(is_it)
    }

    /// The value of it in a resource.
    pub(crate) fn value_of<'o>(&self, resource: &'o Object) -> Option<&'o Value> {
        let object = match &self.extension {
            None => resource,
            Some(uri) => resource.get(uri.as_str())?.as_object()?,
        };
        object.get(self.attribute.as_str())
    }

    /// The same to be changed.
    pub(crate) fn value_in<'o>(&self, resource: &'o mut Object) -> Option<&'o mut Value> {
        let object = match &self.extension {
            None => resource,
            Some(uri) => resource.get_mut(uri.as_str())?.as_object_mut()?,
        };
        object.get_mut(self.attribute.as_str())
    }

    /// Takes the URI out where there is a `value` beside it, of each of several values; whether there was one.
    pub(crate) fn drop_reference(&self, value: &mut Value) -> bool {
        match value {
            Value::Array(values) => {
                values.iter_mut().fold(false, |any, value| any | self.drop_reference(value))
            }
            Value::Object(object) => drop_beside(object),
            _ => false,
        }
    }
}

/// The resource type that `value` and `$ref` of the attribute name, if they name resources of one, and clients write
/// it.
pub(crate) fn linked_type(attribute: &Attribute) -> Option<&str> {
    let value = attribute.sub_attribute("value")?;
    let reference = attribute.sub_attribute(REFERENCE)?;
    let is_text = value.kind == AttributeType::String && !value.multi_valued;
    let is_uri = reference.kind == AttributeType::Reference && !reference.multi_valued && !reference.required;
    let is_written = attribute.mutability != Mutability::ReadOnly && value.mutability != Mutability::ReadOnly;
    match reference.reference_types.as_slice() {
        [only] if is_text && is_uri && is_written => {
            Some(only).filter(|only| !matches!(only.as_str(), "external" | "uri")).map(String::as_str)
        }
        _ => None,
    }
}

/// Whether what a client sends as `$ref` beside a `value` of the attribute is passed over: of a link, and of members.
pub(crate) fn is_reference_passed_over(attribute: &Attribute) -> bool {
    linked_type(attribute).is_some()
        || (attribute.name.eq_ignore_ascii_case(MEMBERS)
            && attribute.multi_valued
            && attribute.sub_attribute(REFERENCE).is_some_and(|reference| !reference.required))
}

/// The `id` that a `value` is.
pub(crate) fn named_id(value: &Value) -> Option<&str> {
    value.as_str().filter(|id| !id.is_empty())
}

/// Takes the URI out of an object that has a `value`; whether it had one.
pub(crate) fn drop_beside(object: &mut Object) -> bool {
    object.get("value").and_then(named_id).is_some() && object.remove(REFERENCE).is_some()
}
