//! `$ref` of members: their URIs (RFC 7643 §2.4), which are made of the base URL, the endpoint of their type and their
//! `value` when a group is answered, and are no part of what is stored.
//!
//! A member whose type is not known has none.

use scim_filter::AttrName;

use super::location::{BaseUrl, escaped};
use super::text::Text;
use crate::Resource;
use crate::membership::{MEMBERS, REFERENCE, TYPE, member_reference, member_type, member_types};
use crate::projection::Kept;
use crate::schema::{Registry, ResourceSchema};
use crate::value::{Object, Value};

/// How the URIs of the members of one type of groups are written.
#[derive(Debug)]
pub(super) struct MemberRefs {
    value: AttrName,
    kind: AttrName,
    reference: AttrName,
    // Whether a member says of which type it is; otherwise there is one that it may be of.
    typed: bool,
    types: Vec<Type>,
}

#[derive(Debug)]
struct Type {
    name: Box<str>,
    /// What comes before the `id`.
    url: Box<str>,
    /// The same as JSON, with the quote before it.
    json: Box<[u8]>,
}

impl MemberRefs {
    /// For groups of the type; `None` where nothing is written.
    pub(super) fn of(registry: &Registry, base_url: &BaseUrl, schema: &ResourceSchema) -> Option<Self> {
        member_reference(schema)?;
        let types: Vec<Type> = member_types(registry, schema).map(|of| Type::of(of, base_url)).collect();
        let typed = member_type(schema).is_some();
        (typed || types.len() == 1).then(|| Self {
            value: AttrName::new("value"),
            kind: AttrName::new(TYPE),
            reference: AttrName::new(REFERENCE),
            typed,
            types,
        })
    }

    /// Whether the URI of the member is known.
    pub(super) fn know(&self, member: &Object) -> bool {
        self.found(member.get("value"), member.get(TYPE)).is_some()
    }

    /// Whether it is what is written here, of what a member has.
    pub(super) fn is_reference(&self, name: &AttrName) -> bool {
        *name == self.reference
    }

    /// Writes a member with its URI.
    pub(super) fn write(&self, text: &mut Text, kept: &Kept<'_>, member: &Object) {
        text.push(b'{');
        let (mut id, mut kind) = (None, None);
        for (name, value) in member.iter() {
            if *name == self.value {
                id = Some(value);
            } else if *name == self.kind {
                kind = Some(value);
            } else if self.is_reference(name) {
                continue;
            }
            if kept.has(name.as_str()) {
                text.member(name);
                text.value(value);
            }
        }
        if let Some((of, id)) = self.found(id, kind).filter(|_| kept.has(REFERENCE)) {
            text.member(&self.reference);
            text.raw(&of.json);
            escaped(id, |part| text.raw(part.as_bytes()));
            text.push(b'"');
        }
        text.push(b'}');
    }

    /// Gives the members of a group their URIs.
    pub(super) fn complete(&self, group: &mut Resource) {
        let members = group.0.get_mut(MEMBERS).and_then(Value::as_array_mut);
        for member in members.into_iter().flatten().filter_map(Value::as_object_mut) {
            let url = self.found(member.get("value"), member.get(TYPE)).map(|(of, id)| {
                let mut url = of.url.to_string();
                escaped(id, |part| url.push_str(part));
                url
            });
            match url {
                Some(url) => member.insert(self.reference.clone(), url),
                None => member.remove(REFERENCE),
            };
        }
    }

    /// The type and the `id`.
    fn found<'v>(&self, id: Option<&'v Value>, kind: Option<&Value>) -> Option<(&Type, &'v str)> {
        let id = id?.as_str()?;
        let of = match self.typed {
            true => {
                let kind = kind?.as_str()?;
                self.types.iter().find(|of| *of.name == *kind)?
            }
            false => self.types.first()?,
        };
        Some((of, id))
    }
}

impl Type {
    fn of(schema: &ResourceSchema, base_url: &BaseUrl) -> Self {
        let url = base_url.endpoint(&schema.resource_type().endpoint) + "/";
        let mut json = Value::from(url.as_str()).to_vec();
        json.pop();
        Self { name: schema.name().into(), url: url.into(), json: json.into() }
    }
}
