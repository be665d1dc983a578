//! `$ref` of what names a resource by its `value` (RFC 7643 §2.4), as members and `manager` do: its URI, which is made
//! of the base URL, the endpoint of its type and the `value` when a resource is answered, and is no part of what is
//! stored.
//!
//! Nothing is looked up for it: whether there is such a resource, the `value` says as little. A member whose type is not
//! known has no `$ref`. A [link](crate::link) without `value` has the `$ref` that the client sent, since that is all that
//! is known of it.

use scim_filter::AttrName;

use super::location::{BaseUrl, escaped};
use super::text::Text;
use crate::Resource;
use crate::link::{Link, named_id};
use crate::membership::{MEMBERS, REFERENCE, TYPE, member_reference, member_type, member_types};
use crate::patch::{Change, PatchRequest, Write};
use crate::projection::Kept;
use crate::schema::{Registry, ResourceSchema};
use crate::value::{Object, Value};

/// How the URIs in the resources of one type are written.
#[derive(Debug)]
pub(super) struct Refs {
    members: Option<Uris>,
    // Of the base schema, and of extensions.
    base: Vec<(Link, Uris)>,
    extended: Vec<(Link, Uris)>,
}

impl Refs {
    /// For resources of the type; `None` where nothing is written.
    pub(super) fn of(registry: &Registry, base_url: &BaseUrl, schema: &ResourceSchema) -> Option<Self> {
        let members = Uris::of_members(registry, base_url, schema);
        let links = Link::all(registry, schema).map(|(link, of)| (link, Uris::of_type(of, base_url)));
        let (base, extended): (Vec<_>, Vec<_>) = links.partition(|(link, _)| link.extension.is_none());
        let any = members.is_some() || !base.is_empty() || !extended.is_empty();
        any.then_some(Self { members, base, extended })
    }

    /// How they are written in the attribute `name`, which is in no extension.
    pub(super) fn of_attribute(&self, name: &str) -> Option<&Uris> {
        let members = self.members.as_ref().filter(|_| name.eq_ignore_ascii_case(MEMBERS));
        members.or_else(|| find(&self.base, |link| link.attribute.matches(name)))
    }

    /// How they are written in the attribute `name` of an extension.
    pub(super) fn in_extension(&self, uri: &str, name: &AttrName) -> Option<&Uris> {
        find(&self.extended, |link| link.is(Some(uri), name.as_str()))
    }

    /// Whether the object of an extension, in the text of a writer of JSON, may have one.
    pub(super) fn may_be_in(&self, uri: &str, json: &str) -> bool {
        self.extended.iter().any(|(link, _)| link.is_in(uri) && link.may_be_in(json))
    }

    /// Which attributes have them, besides members.
    pub(super) fn links(&self) -> impl Iterator<Item = &Link> {
        self.base.iter().chain(&self.extended).map(|(link, _)| link)
    }

    /// Takes out of a resource that a client has sent what is passed over, besides what it says of members.
    pub(super) fn drop_links(&self, resource: &mut Object) {
        for link in self.links() {
            if let Some(value) = link.value_in(resource) {
                link.drop_reference(value);
            }
        }
    }

    /// Passes over the same in a PATCH.
    pub(super) fn forget_links(&self, request: &mut PatchRequest) {
        self.links().for_each(|link| request.forget_reference(link));
    }

    /// Takes the same out of what was planned on `current`, as far as it came beside a `value` which is there, and out
    /// of `resource`, which is what comes of it.
    pub(super) fn settle(&self, change: &mut Change, resource: &mut Resource, current: &Resource) {
        for link in self.links() {
            let Change { writes, deltas } = change;
            let is_it = |write: &Write| link.is(write.extension.as_deref(), &write.attribute);
            let written = writes.iter_mut().filter(|write| is_it(write));
            let written = written.filter_map(|write| write.value.as_mut());
            let changed = deltas.iter_mut().filter(|delta| link.is(None, &delta.attribute));
            let added = changed.flat_map(|delta| &mut delta.added);
            if !written.chain(added).fold(false, |any, value| any | link.drop_reference(value)) {
                continue;
            }
            if let Some(value) = link.value_in(&mut resource.0) {
                link.drop_reference(value);
            }
            let now = link.value_of(&current.0);
            writes.retain(|write| !is_it(write) || write.value.as_ref() != now);
        }
    }

    /// Gives a resource all of them.
    pub(super) fn complete(&self, resource: &mut Resource) {
        if let (Some(uris), Some(members)) = (&self.members, resource.0.get_mut(MEMBERS)) {
            uris.complete(members);
        }
        for (link, uris) in self.base.iter().chain(&self.extended) {
            if let Some(value) = link.value_in(&mut resource.0) {
                uris.complete(value);
            }
        }
    }
}

fn find(all: &[(Link, Uris)], is_it: impl Fn(&Link) -> bool) -> Option<&Uris> {
    all.iter().find(|(link, _)| is_it(link)).map(|(_, uris)| uris)
}

/// How the URIs in the values of one attribute are written.
#[derive(Debug)]
pub(super) struct Uris {
    value: AttrName,
    kind: AttrName,
    reference: AttrName,
    // Whether a value says of which type it is; otherwise there is one that it may be of.
    typed: bool,
    types: Vec<Type>,
    // Whether what is stored is answered where the URI is not known.
    keeps: bool,
}

#[derive(Debug)]
struct Type {
    name: Box<str>,
    /// What comes before the `id`.
    url: Box<str>,
    /// The same as JSON, with the quote before it.
    json: Box<[u8]>,
}

impl Uris {
    /// For the members of groups of the type; `None` where nothing is written.
    fn of_members(registry: &Registry, base_url: &BaseUrl, schema: &ResourceSchema) -> Option<Self> {
        member_reference(schema)?;
        let types: Vec<Type> = member_types(registry, schema).map(|of| Type::of(of, base_url)).collect();
        let typed = member_type(schema).is_some();
        (typed || types.len() == 1).then(|| Self::new(typed, types, false))
    }

    /// For a link to resources of the type.
    fn of_type(schema: &ResourceSchema, base_url: &BaseUrl) -> Self {
        Self::new(false, vec![Type::of(schema, base_url)], true)
    }

    fn new(typed: bool, types: Vec<Type>, keeps: bool) -> Self {
        Self {
            value: AttrName::new("value"),
            kind: AttrName::new(TYPE),
            reference: AttrName::new(REFERENCE),
            typed,
            types,
            keeps,
        }
    }

    /// Whether the value is answered with a `$ref`.
    pub(super) fn show(&self, value: &Object) -> bool {
        self.found(value.get("value"), value.get(TYPE)).is_some() || (self.keeps && value.contains(REFERENCE))
    }

    /// Whether it is what is written here, of what a value has.
    pub(super) fn is_reference(&self, name: &AttrName) -> bool {
        *name == self.reference
    }

    /// Writes a value with its URI.
    pub(super) fn write(&self, text: &mut Text, kept: &Kept<'_>, object: &Object) {
        text.push(b'{');
        let (mut id, mut kind, mut stored) = (None, None, None);
        for (name, value) in object.iter() {
            if *name == self.value {
                id = Some(value);
            } else if *name == self.kind {
                kind = Some(value);
            } else if self.is_reference(name) {
                stored = Some(value);
                continue;
            }
            if kept.has(name.as_str()) {
                text.member(name);
                text.value(value);
            }
        }
        match (self.found(id, kind), stored) {
            _ if !kept.has(REFERENCE) => {}
            (Some((of, id)), _) => {
                text.member(&self.reference);
                text.raw(&of.json);
                escaped(id, |part| text.raw(part.as_bytes()));
                text.push(b'"');
            }
            (None, Some(stored)) if self.keeps => {
                text.member(&self.reference);
                text.value(stored);
            }
            (None, _) => {}
        }
        text.push(b'}');
    }

    /// Gives the value, or each of several, its URI.
    fn complete(&self, value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.complete(value)),
            Value::Object(object) => self.complete_one(object),
            _ => {}
        }
    }

    fn complete_one(&self, object: &mut Object) {
        let url = self.found(object.get("value"), object.get(TYPE)).map(|(of, id)| {
            let mut url = of.url.to_string();
            escaped(id, |part| url.push_str(part));
            url
        });
        match url {
            Some(url) => drop(object.insert(self.reference.clone(), url)),
            None if !self.keeps => drop(object.remove(REFERENCE)),
            None => {}
        }
    }

    /// The type and the `id`.
    fn found<'v>(&self, id: Option<&'v Value>, kind: Option<&Value>) -> Option<(&Type, &'v str)> {
        let id = named_id(id?)?;
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
